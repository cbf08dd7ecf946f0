//! Conversations: what items do to them, and what clients do.

use trunkline_domain::conversation::{Activity, Standing};
use trunkline_domain::events::{ConversationChange, Topic};
use trunkline_domain::{ConversationAction, ErrorCode, Millis, PhoneNumber};
use trunkline_store::contacts;
use trunkline_store::conversations::{self, ConversationRow};
use trunkline_store::items::{self, ItemRow};

use crate::{Actor, Error, Work};

/// When the team learns of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learnt {
    /// As it happens. Whatever time a carrier gives it, nobody of the team can have seen it before.
    Now,
    /// Afterwards, perhaps long ago: what is newer in the conversation has settled it.
    Afterwards,
}

/// A conversation that an item of this transaction is part of, to be written once: an item that is stored when all is
/// over may change it twice.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Joined {
    before: Option<ConversationRow>,
    after: ConversationRow,
}

impl Joined {
    /// The conversation's number.
    pub(crate) const fn conversation(&self) -> i64 {
        self.after.conversation
    }

    /// Somebody answered the call at `at`: that settles what came in before, if nothing newer is there.
    pub(crate) fn answered(&mut self, at: Millis) {
        if at >= self.after.last_at {
            self.after.standing = self.after.standing.after(Activity::Answered);
        }
    }

    /// Writes it.
    pub(crate) fn save(&self, work: &mut Work<'_, '_>) -> Result<(), Error> {
        match &self.before {
            Some(before) => conversations::update(work.tx, work.team, before, &self.after)?,
            None => conversations::insert(work.tx, work.team, &self.after)?,
        }
        let n = self.after.items - self.before.map_or(0, |before| before.items);
        Ok(contacts::touch(
            work.tx,
            work.team,
            self.after.contact_number,
            n,
            self.after.last_at,
        )?)
    }
}

/// An item that is about to be stored in the conversation of a line with an outside number: finds or makes the
/// conversation, counts the item, and lets its activity change the standing. The newest item is the one with the latest
/// time.
pub(crate) fn join(
    work: &mut Work<'_, '_>,
    line: i64,
    number: PhoneNumber,
    (activity, learnt): (Activity, Learnt),
    (at, seq): (Millis, i64),
) -> Result<Joined, Error> {
    if let Some(before) = conversations::of_pair(work.tx, work.team, number, line)? {
        let mut after = ConversationRow {
            items: before.items + 1,
            ..before
        };
        let newest = (at, seq) > (before.last_at, before.last_item);
        if newest {
            (after.last_at, after.last_item) = (at, seq);
        }
        if newest || learnt == Learnt::Now {
            after.standing = before.standing.after(activity);
        }
        return Ok(Joined {
            before: Some(before),
            after,
        });
    }
    let after = ConversationRow {
        conversation: work.next_conversation(),
        line,
        contact_number: number,
        last_at: at,
        last_item: seq,
        items: 1,
        standing: Standing::default().after(activity),
    };
    Ok(Joined { before: None, after })
}

/// Somebody answered a call at `at`, as the team learns now: that settles what came in before. What came in while it
/// rang, but after the answer (which may be reported late), is not settled.
pub(crate) fn answered(work: &mut Work<'_, '_>, call: &ItemRow, at: Millis) -> Result<(), Error> {
    let Some(before) = conversations::get(work.tx, work.team, call.conversation)? else {
        return Ok(());
    };
    if !items::came_in_since(work.tx, work.team, call, at)? {
        let after = ConversationRow {
            standing: before.standing.after(Activity::Answered),
            ..before
        };
        conversations::update(work.tx, work.team, &before, &after)?;
    }
    Ok(())
}

/// Marks the conversations with an outside number (on one line, or on all) read, unread, archived or not. Doing it
/// again changes nothing and tells nobody.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND` for a line that is not the team's, `CONVERSATION_NOT_FOUND` when there is none.
pub fn act(
    work: &mut Work<'_, '_>,
    number: PhoneNumber,
    line: Option<PhoneNumber>,
    action: ConversationAction,
    by: &Actor,
) -> Result<(), Error> {
    let found = match line {
        Some(line) => {
            let line = trunkline_store::numbers::line_of(work.tx, work.team, line)?
                .ok_or_else(|| crate::Refused::new(ErrorCode::PhoneNumberNotFound).param("allo_number"))?;
            conversations::of_pair(work.tx, work.team, number, line)?
                .into_iter()
                .collect()
        }
        None => conversations::of_number(work.tx, work.team, number)?,
    };
    if found.is_empty() {
        return Err(crate::Refused::new(ErrorCode::ConversationNotFound)
            .param("contact_number")
            .into());
    }
    let mut changed = false;
    for before in found {
        let after = ConversationRow {
            standing: before.standing.after_action(action),
            ..before
        };
        changed |= after != before;
        conversations::update(work.tx, work.team, &before, &after)?;
    }
    if changed {
        let change = ConversationChange {
            contact_number: number,
            allo_number: line.map(|line| line.to_string()),
            action,
            user_id: by.user_id(),
        };
        work.emit(Topic::ConversationUpdated, work.now, None, &change)?;
    }
    Ok(())
}
