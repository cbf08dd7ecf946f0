//! Notes on conversations and on contacts: written by users, and changed by nobody but their authors.

use trunkline_domain::events::{ConversationNote, MentionRef, Topic};
use trunkline_domain::note::{self, MAX_CHARACTERS, MAX_MENTIONS, MAX_NOTES, Whom};
use trunkline_domain::{ErrorCode, NoteId, PhoneNumber, UserId};
use trunkline_store::conversations::{self, ConversationRow};
use trunkline_store::notes::{self, NoteDetail, NoteRow, Place};
use trunkline_store::{Conn, TeamKey, numbers, teams, users};

use crate::{Actor, Error, Refused, Work};

/// How a client names one of the team's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// By its number.
    Number(PhoneNumber),
    /// By its sender id.
    SenderId(String),
}

/// The conversation of a line with an outside number.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND` or `SENDER_ID_NOT_FOUND` for a line that is not the team's, `CONVERSATION_NOT_FOUND`.
pub fn conversation(
    conn: &mut Conn<'_>,
    team: TeamKey,
    contact: PhoneNumber,
    line: &Line,
) -> Result<ConversationRow, Error> {
    let number = match line {
        Line::Number(number) => numbers::line_of(conn, team, *number)?
            .ok_or_else(|| Refused::new(ErrorCode::PhoneNumberNotFound).param("allo_number"))?,
        Line::SenderId(sender) => numbers::line_of_sender(conn, team, sender)?
            .ok_or_else(|| Refused::new(ErrorCode::SenderIdNotFound).param("sender_id"))?,
    };
    let found = conversations::of_pair(conn, team, contact, number)?;
    Ok(found.ok_or_else(|| Refused::new(ErrorCode::ConversationNotFound).param("contact_number"))?)
}

/// Writes a note on the conversation of a line with an outside number, and tells of it.
///
/// # Errors
/// Those of [`conversation`] and of [`checked`], `NOTE_LIMIT_REACHED`, `FORBIDDEN` for who is no user.
pub fn on_conversation(
    work: &mut Work<'_, '_>,
    contact: PhoneNumber,
    line: &Line,
    content: &str,
    by: &Actor,
) -> Result<NoteDetail, Error> {
    let place = conversation(work.tx, work.team, contact, line)?;
    let note = write(work, Place::Conversation(place.conversation), content, by)?;
    let told = ConversationNote {
        id: note.row.id,
        contact_number: contact,
        allo_number: note.allo_number,
        sender_id: note.sender_id.clone(),
        content: note.row.content.clone(),
        mentions: mentions(&note.row.content),
        created_at: note.row.created_at,
        user_id: note.row.author,
        user_email: by.email(),
    };
    // The newest item stands for the line: who listens to one line only hears of its notes.
    work.emit(Topic::NoteCreated, work.now, Some(place.last_item), &told)?;
    Ok(note)
}

/// Writes a note on a contact.
///
/// # Errors
/// `PERSON_NOT_FOUND`, those of [`checked`], `NOTE_LIMIT_REACHED`, `FORBIDDEN` for who is no user.
pub fn on_contact(
    work: &mut Work<'_, '_>,
    contact: trunkline_domain::ContactId,
    content: &str,
    by: &Actor,
) -> Result<NoteDetail, Error> {
    if trunkline_store::contacts::get(work.tx, work.team, contact)?.is_none() {
        return Err(Refused::new(ErrorCode::PersonNotFound).param("id").into());
    }
    write(work, Place::Contact(contact), content, by)
}

fn write(work: &mut Work<'_, '_>, place: Place, content: &str, by: &Actor) -> Result<NoteDetail, Error> {
    let author = author(by)?;
    let content = checked(work, content)?;
    if notes::count(work.tx, work.team, place)? >= MAX_NOTES {
        let message = format!("there are {MAX_NOTES} notes on it already, the most there may be");
        return Err(Refused::new(ErrorCode::NoteLimitReached).because(message).into());
    }
    let row = NoteRow {
        note: teams::next_entry(work.tx, work.team)?,
        id: work.new_id(work.now),
        conversation: match place {
            Place::Conversation(conversation) => Some(conversation),
            Place::Contact(_) => None,
        },
        contact_id: match place {
            Place::Conversation(_) => None,
            Place::Contact(contact) => Some(contact),
        },
        author,
        content,
        created_at: work.now,
        updated_at: work.now,
    };
    notes::insert(work.tx, work.team, &row)?;
    get(work, row.id)
}

/// What a note must be on for a request to be about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Any conversation.
    AnyConversation,
    /// This contact.
    Contact(trunkline_domain::ContactId),
}

impl On {
    /// Whether this note is on it.
    #[must_use]
    pub fn has(self, note: &NoteRow) -> bool {
        match self {
            Self::AnyConversation => note.conversation.is_some(),
            Self::Contact(contact) => note.contact_id == Some(contact),
        }
    }
}

/// Changes the text of a note.
///
/// # Errors
/// `NOTE_NOT_FOUND`, `NOT_NOTE_AUTHOR`, those of [`checked`].
pub fn update(
    work: &mut Work<'_, '_>,
    on: On,
    id: NoteId,
    content: &str,
    by: &Actor,
) -> Result<NoteDetail, Error> {
    let before = own(work, on, id, by)?;
    let content = checked(work, content)?;
    if content == before.row.content {
        return Ok(before);
    }
    let row = NoteRow {
        content,
        updated_at: work.now,
        ..before.row
    };
    notes::update(work.tx, work.team, &row)?;
    Ok(NoteDetail { row, ..before })
}

/// Deletes a note. A thread about it stays.
///
/// # Errors
/// `NOTE_NOT_FOUND`, `NOT_NOTE_AUTHOR`.
pub fn delete(work: &mut Work<'_, '_>, on: On, id: NoteId, by: &Actor) -> Result<(), Error> {
    let note = own(work, on, id, by)?.row.note;
    Ok(notes::delete(work.tx, work.team, note)?)
}

fn get(work: &mut Work<'_, '_>, id: NoteId) -> Result<NoteDetail, Error> {
    Ok(notes::get(work.tx, work.team, id)?.ok_or(ErrorCode::NoteNotFound)?)
}

fn own(work: &mut Work<'_, '_>, on: On, id: NoteId, by: &Actor) -> Result<NoteDetail, Error> {
    let note = get(work, id)?;
    if !on.has(&note.row) {
        return Err(ErrorCode::NoteNotFound.into());
    }
    if by.user_id() != Some(note.row.author) {
        return Err(ErrorCode::NotNoteAuthor.into());
    }
    Ok(note)
}

/// The user who writes.
pub(crate) fn author(by: &Actor) -> Result<UserId, Error> {
    Ok(by.user_id().ok_or(ErrorCode::Forbidden)?)
}

/// The text of a note or comment as it is kept: mentions of users whom the team does not have are plain text.
///
/// # Errors
/// `EMPTY_NOTE_CONTENT`, `NOTE_CONTENT_TOO_LONG`, `TOO_MANY_MENTIONS`.
pub(crate) fn checked(work: &mut Work<'_, '_>, content: &str) -> Result<String, Error> {
    let refuse = |code| Error::from(Refused::new(code).param("content"));
    if content.trim().is_empty() {
        return Err(refuse(ErrorCode::EmptyNoteContent));
    }
    if content.chars().nth(MAX_CHARACTERS).is_some() {
        return Err(refuse(ErrorCode::NoteContentTooLong));
    }
    let found = note::mentions(content);
    if found.len() > MAX_MENTIONS {
        return Err(refuse(ErrorCode::TooManyMentions));
    }
    let mut known: Vec<UserId> = Vec::new();
    for mention in found {
        if let Whom::User(user) = mention.whom
            && !known.contains(&user)
            && users::get(work.tx, work.team, user)?.is_some()
        {
            known.push(user);
        }
    }
    let is_known = |whom| match whom {
        Whom::All => true,
        Whom::User(user) => known.contains(&user),
        Whom::Nobody => false,
    };
    Ok(note::with_known(content, is_known))
}

/// Whom a text mentions, each once, by the first name it calls them.
#[must_use]
pub fn mentions(content: &str) -> Vec<MentionRef> {
    let mut all: Vec<MentionRef> = Vec::new();
    for mention in note::mentions(content) {
        let user_id = match mention.whom {
            Whom::All => None,
            Whom::User(user) => Some(user),
            Whom::Nobody => continue,
        };
        if !all.iter().any(|known| known.user_id == user_id) {
            let name = mention.name.to_owned();
            all.push(MentionRef { user_id, name });
        }
    }
    all
}
