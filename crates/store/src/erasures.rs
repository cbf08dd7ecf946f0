//! Erasure of a person: every table that tells of people, and how it is made to forget one.
//!
//! A table that comes to the house is named in one of the lists below ([`OF_PEOPLE`], [`OF_NUMBERS`], [`OF_ITEMS`]) by a
//! statement that makes it forget, and in [`TABLES`].

use trunkline_domain::{ContactId, ItemId, MediaId, Millis, PhoneNumber};

use crate::engine::{Conn, Json, StoreError, Tx};
use crate::{TeamKey, params};

/// Tables with rows that an erasure deletes or rewrites: PostgreSQL keeps the old versions until they are vacuumed.
pub(crate) const TABLES: [&str; 24] = [
    "calls",
    "contact_emails",
    "contact_numbers",
    "contacts",
    "conversations",
    "deal_contacts",
    "dialing_entries",
    "events",
    "idempotency",
    "import_chunks",
    "imports",
    "items",
    "jobs",
    "media",
    "merged_contacts",
    "messages",
    "notes",
    "summaries",
    "text_consents",
    "text_queue",
    "thread_comments",
    "threads",
    "transcripts",
    "webhook_messages",
];

/// What goes with a person: `$1` the team, `$2` the person.
const OF_PEOPLE: [&str; 2] = [NOTES_OF_PERSON, DIALING_OF_PERSON];

/// What goes with a number: `$1` the team, `$2` the number.
const OF_NUMBERS: [&str; 2] = [CONSENTS, DIALING];

/// What goes with calls and texts: `$1` the team, `$2` their timeline numbers.
const OF_ITEMS: [&str; 5] = [MESSAGES, CALLS, TRANSCRIPTS, SUMMARIES, MEDIA];

/// What goes with conversations: `$1` the team, `$2` their numbers.
const OF_CONVERSATIONS: [&str; 1] = [NOTES_OF_CONVERSATIONS];

statements! {
    NOTES_OF_PERSON = "DELETE FROM notes WHERE team_id = $1 AND contact_id = $2";
    DIALING_OF_PERSON = "UPDATE dialing_entries SET contact_id = NULL WHERE team_id = $1 AND contact_id = $2";
    DIALING = "DELETE FROM dialing_entries WHERE team_id = $1 AND number = $2";
    CONSENTS = "DELETE FROM text_consents WHERE team_id = $1 AND contact_number = $2";
    MESSAGES =
        "UPDATE messages
            SET content = '', media = NULL, carrier_ref = NULL, failure_reason = NULL,
                status = CASE WHEN status = 'PENDING' THEN 'FAILED' ELSE status END
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    CALLS =
        "UPDATE calls
            SET recording_url = NULL, recording_seconds = NULL, details = NULL, extracted_data = NULL, failure_reason = NULL,
                summary_template = NULL
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    TRANSCRIPTS =
        "DELETE FROM transcripts
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    SUMMARIES =
        "DELETE FROM summaries
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    MEDIA =
        "DELETE FROM media
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    NOTES_OF_CONVERSATIONS =
        "DELETE FROM notes
          WHERE team_id = $1 AND conversation IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    RENUMBER =
        "UPDATE items SET contact_number = $1
          WHERE team_id = $2 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($3 AS TEXT)))";
    MEDIA_IDS =
        "SELECT id FROM media
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    ITEMS =
        "SELECT seq FROM items
          WHERE team_id = $1 AND contact_number = $2
            AND conversation IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($3 AS TEXT)))
          ORDER BY at, seq LIMIT $4";
    ITEM_IDS = "SELECT id FROM items WHERE team_id = $1 AND contact_number = $2";
    LIVE =
        "SELECT i.contact_number FROM calls c JOIN items i ON i.team_id = c.team_id AND i.seq = c.seq
          WHERE c.team_id = $1 AND c.phase <> 'COMPLETED'";
    NOTE_IDS_OF_PERSON = "SELECT id FROM notes WHERE team_id = $1 AND contact_id = $2";
    NOTE_IDS_OF_CONVERSATIONS =
        "SELECT id FROM notes
          WHERE team_id = $1 AND conversation IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    THREADS =
        "SELECT thread, id FROM threads
          WHERE team_id = $1 AND entity_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    COMMENT_IDS = "SELECT id FROM thread_comments WHERE team_id = $1 AND thread = $2";
    DELETE_COMMENTS = "DELETE FROM thread_comments WHERE team_id = $1 AND thread = $2";
    DELETE_THREAD = "DELETE FROM threads WHERE team_id = $1 AND thread = $2";
    REMOVED_FROM = "SELECT id FROM merged_contacts WHERE team_id = $1 AND into_id = $2";
    RENAME = "UPDATE conversations SET contact_number = $1 WHERE team_id = $2 AND conversation = $3";
    WAITING =
        "SELECT line, COUNT(*) FROM text_queue
          WHERE team_id = $1 AND conversation IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))
          GROUP BY line";
    UNQUEUE =
        "DELETE FROM text_queue
          WHERE team_id = $1 AND conversation IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    LEAVE = "UPDATE text_lanes SET waiting = waiting - $1 WHERE team_id = $2 AND line = $3";
    OPTED =
        "SELECT line, opted_out, changed_at FROM text_consents WHERE team_id = $1 AND contact_number = $2";
    KEEP_OPTED_OUT =
        "INSERT INTO text_consents (team_id, contact_number, line, opted_out, changed_at) VALUES ($1, $2, $3, TRUE, $4)
             ON CONFLICT (team_id, contact_number, line) DO UPDATE
            SET opted_out = TRUE, changed_at = excluded.changed_at, item = NULL, help_at = NULL";
    DROP_OPTED = "DELETE FROM text_consents WHERE team_id = $1 AND contact_number = $2 AND line = $3";
    SET_PAYLOAD = "UPDATE events SET payload = $1 WHERE team_id = $2 AND seq = $3";
    ATTEMPTS =
        "SELECT endpoint, event, attempts FROM webhook_messages
          WHERE team_id = $1 AND endpoint IN (SELECT w.endpoint FROM webhook_endpoints w WHERE w.team_id = $1)
            AND event IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT))) AND attempts IS NOT NULL";
    FENCE =
        "UPDATE webhook_messages SET due_at = due_at + 1
          WHERE team_id = $1 AND endpoint IN (SELECT w.endpoint FROM webhook_endpoints w WHERE w.team_id = $1)
            AND event IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT))) AND +due_at IS NOT NULL";
    SET_ATTEMPTS =
        "UPDATE webhook_messages SET attempts = $1 WHERE team_id = $2 AND endpoint = $3 AND event = $4";
    ANSWERS =
        "SELECT api_key, key, request, body FROM idempotency
          WHERE team_id = $1 AND (api_key, key) > ($2, $3) ORDER BY api_key, key LIMIT $4";
    SET_ANSWER =
        "UPDATE idempotency SET key = $1, request = $2, body = $3 WHERE team_id = $4 AND api_key = $5 AND key = $6";
    OTHERS_EMAILS =
        "SELECT DISTINCT email FROM contact_emails
          WHERE team_id = $1 AND email IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND contact_id <> $3";
    ERRORS = "SELECT id, errors FROM imports WHERE team_id = $1 AND errors IS NOT NULL";
    SET_ERRORS = "UPDATE imports SET errors = $1 WHERE team_id = $2 AND id = $3";
    CHUNKS =
        "SELECT id, chunk, rows FROM import_chunks
          WHERE team_id = $1 AND (id, chunk) > ($2, $3) ORDER BY id, chunk LIMIT 1";
    SET_CHUNK = "UPDATE import_chunks SET rows = $1 WHERE team_id = $2 AND id = $3 AND chunk = $4";
}

/// Numbers as a JSON list of texts: what `json_each` of both engines reads alike.
fn list(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    serde_json::Value::from(texts).to_string()
}

/// The outside numbers of calls that are not completed.
///
/// # Errors
/// Of the engine.
pub fn live_numbers(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<PhoneNumber>, StoreError> {
    conn.rows(LIVE, params![team], |row| row.get(0))
}

/// The ids of people who were merged into this one.
///
/// # Errors
/// Of the engine.
pub fn merged_into(conn: &mut Conn<'_>, team: TeamKey, id: ContactId) -> Result<Vec<ContactId>, StoreError> {
    conn.rows(REMOVED_FROM, params![team, id], |row| row.get(0))
}

/// Puts another number in the place of a conversation's.
///
/// # Errors
/// Of the engine.
pub fn rename(tx: &mut Tx<'_>, team: TeamKey, conversation: i64, number: PhoneNumber) -> Result<(), StoreError> {
    tx.execute(RENAME, params![number, team, conversation]).map(drop)
}

/// Takes the texts of these conversations that still wait out of their queues. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn unqueue(tx: &mut Tx<'_>, team: TeamKey, conversations: &[i64]) -> Result<(), StoreError> {
    let conversations = list(conversations);
    let waiting: Vec<(i64, i64)> =
        tx.rows(WAITING, params![team, &conversations], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tx.execute(UNQUEUE, params![team, &conversations])?;
    for (line, n) in waiting {
        tx.execute(LEAVE, params![n, team, line])?;
    }
    Ok(())
}

/// Forgets what belongs to a number. Where it wants no texts, that is kept under `fingerprint` instead.
///
/// # Errors
/// Of the engine.
pub fn forget_number(
    tx: &mut Tx<'_>,
    team: TeamKey,
    number: PhoneNumber,
    fingerprint: &str,
) -> Result<(), StoreError> {
    let opted: Vec<(i64, bool, Option<Millis>)> =
        tx.rows(OPTED, params![team, number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (line, opted_out, changed_at) in opted {
        if opted_out {
            tx.execute(KEEP_OPTED_OUT, params![team, fingerprint, line, changed_at])?;
        } else {
            tx.execute(DROP_OPTED, params![team, fingerprint, line])?;
        }
    }
    for sql in OF_NUMBERS {
        tx.execute(sql, params![team, number])?;
    }
    Ok(())
}

/// The next calls and texts of these conversations that still have the number, oldest first.
///
/// # Errors
/// Of the engine.
pub fn items(
    conn: &mut Conn<'_>,
    team: TeamKey,
    number: PhoneNumber,
    conversations: &[i64],
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    conn.rows(ITEMS, params![team, number, &list(conversations), limit], |row| row.get(0))
}

/// Leaves of calls and texts that they were, with `number` as their outside number. Returns the media that belonged to
/// them, whose files are still there.
///
/// # Errors
/// Of the engine.
pub fn forget_items(
    tx: &mut Tx<'_>,
    team: TeamKey,
    items: &[i64],
    number: PhoneNumber,
) -> Result<Vec<MediaId>, StoreError> {
    let items = list(items);
    let media = tx.rows(MEDIA_IDS, params![team, &items], |row| row.get(0))?;
    for sql in OF_ITEMS {
        tx.execute(sql, params![team, &items])?;
    }
    tx.execute(RENUMBER, params![number, team, &items])?;
    Ok(media)
}

/// The ids of all calls and texts with a number.
///
/// # Errors
/// Of the engine.
pub fn item_ids(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Vec<ItemId>, StoreError> {
    conn.rows(ITEM_IDS, params![team, number], |row| row.get(0))
}

/// The ids of the notes on people and conversations.
///
/// # Errors
/// Of the engine.
pub fn note_ids(
    conn: &mut Conn<'_>,
    team: TeamKey,
    people: &[ContactId],
    conversations: &[i64],
) -> Result<Vec<String>, StoreError> {
    let mut ids = conn.rows(NOTE_IDS_OF_CONVERSATIONS, params![team, &list(conversations)], |row| row.get(0))?;
    for person in people {
        ids.extend(conn.rows(NOTE_IDS_OF_PERSON, params![team, *person], |row| row.get::<String>(0))?);
    }
    Ok(ids)
}

/// The threads about these calls, texts and notes: their numbers and ids.
///
/// # Errors
/// Of the engine.
pub fn threads(conn: &mut Conn<'_>, team: TeamKey, about: &[String]) -> Result<Vec<(i64, String)>, StoreError> {
    conn.rows(THREADS, params![team, &Json(about)], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The ids of the comments of a thread.
///
/// # Errors
/// Of the engine.
pub fn comment_ids(conn: &mut Conn<'_>, team: TeamKey, thread: i64) -> Result<Vec<String>, StoreError> {
    conn.rows(COMMENT_IDS, params![team, thread], |row| row.get(0))
}

/// Forgets a thread with its comments.
///
/// # Errors
/// Of the engine.
pub fn forget_thread(tx: &mut Tx<'_>, team: TeamKey, thread: i64) -> Result<(), StoreError> {
    tx.execute(DELETE_COMMENTS, params![team, thread])?;
    tx.execute(DELETE_THREAD, params![team, thread]).map(drop)
}

/// Forgets what was written about people and conversations.
///
/// # Errors
/// Of the engine.
pub fn forget_notes(
    tx: &mut Tx<'_>,
    team: TeamKey,
    people: &[ContactId],
    conversations: &[i64],
) -> Result<(), StoreError> {
    for sql in OF_CONVERSATIONS {
        tx.execute(sql, params![team, &list(conversations)])?;
    }
    for (sql, person) in OF_PEOPLE.iter().flat_map(|sql| people.iter().map(move |person| (sql, person))) {
        tx.execute(sql, params![team, *person])?;
    }
    Ok(())
}

/// Replaces the payload of an event.
///
/// # Errors
/// Of the engine.
pub fn set_payload(tx: &mut Tx<'_>, team: TeamKey, event: i64, payload: &str) -> Result<(), StoreError> {
    tx.execute(SET_PAYLOAD, params![payload, team, event]).map(drop)
}

/// The attempts to deliver these events: endpoint, event and what is stored of them.
///
/// # Errors
/// Of the engine.
pub fn attempts(conn: &mut Conn<'_>, team: TeamKey, events: &[i64]) -> Result<Vec<(i64, i64, String)>, StoreError> {
    conn.rows(ATTEMPTS, params![team, &list(events)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Has what attempts that are under way come to not be stored, whoever makes them: what they were told, and what was
/// answered to it, is older than the erasure. The lease that they are stored under is not that of the message any more; it
/// is sent again when it ends.
///
/// # Errors
/// Of the engine.
pub fn fence_attempts(tx: &mut Tx<'_>, team: TeamKey, events: &[i64]) -> Result<(), StoreError> {
    tx.execute(FENCE, params![team, &list(events)]).map(drop)
}

/// Replaces what is stored of the attempts to deliver an event.
///
/// # Errors
/// Of the engine.
pub fn set_attempts(
    tx: &mut Tx<'_>,
    team: TeamKey,
    (endpoint, event): (i64, i64),
    attempts: &str,
) -> Result<(), StoreError> {
    tx.execute(SET_ATTEMPTS, params![attempts, team, endpoint, event]).map(drop)
}

/// A stored answer to a request with an idempotency key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The API key that asked.
    pub api_key: String,
    /// The client's key.
    pub key: String,
    /// Method and path.
    pub request: String,
    /// The answer's body.
    pub body: String,
}

/// At most `limit` answers behind `after`, by their keys.
///
/// # Errors
/// Of the engine.
pub fn answers(conn: &mut Conn<'_>, team: TeamKey, after: &Answer, limit: i64) -> Result<Vec<Answer>, StoreError> {
    conn.rows(ANSWERS, params![team, &after.api_key, &after.key, limit], |row| {
        Ok(Answer { api_key: row.get(0)?, key: row.get(1)?, request: row.get(2)?, body: row.get(3)? })
    })
}

/// Replaces key, request and body of the answer that is stored under `key`.
///
/// # Errors
/// Of the engine.
pub fn set_answer(tx: &mut Tx<'_>, team: TeamKey, key: &str, left: &Answer) -> Result<(), StoreError> {
    let Answer { api_key, key: new, request, body } = left;
    tx.execute(SET_ANSWER, params![new, request, body, team, api_key, key]).map(drop)
}

/// Which of these e-mail addresses somebody has beside the person.
///
/// # Errors
/// Of the engine.
pub fn emails_of_others(
    conn: &mut Conn<'_>,
    team: TeamKey,
    emails: &[String],
    person: ContactId,
) -> Result<Vec<String>, StoreError> {
    conn.rows(OTHERS_EMAILS, params![team, &Json(emails), person], |row| row.get(0))
}

/// What was wrong with rows of imports: the import's id, and the errors as JSON.
///
/// # Errors
/// Of the engine.
pub fn import_errors(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<(String, String)>, StoreError> {
    conn.rows(ERRORS, params![team], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Replaces what was wrong with the rows of an import.
///
/// # Errors
/// Of the engine.
pub fn set_import_errors(tx: &mut Tx<'_>, team: TeamKey, id: &str, errors: &str) -> Result<(), StoreError> {
    tx.execute(SET_ERRORS, params![errors, team, id]).map(drop)
}

/// The next rows behind `after` that wait to be imported: the import's id, the number of the chunk, the rows as JSON.
///
/// # Errors
/// Of the engine.
pub fn import_chunk(
    conn: &mut Conn<'_>,
    team: TeamKey,
    after: (&str, i64),
) -> Result<Option<(String, i64, String)>, StoreError> {
    conn.row(CHUNKS, params![team, after.0, after.1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Replaces rows that wait to be imported.
///
/// # Errors
/// Of the engine.
pub fn set_import_chunk(
    tx: &mut Tx<'_>,
    team: TeamKey,
    (id, chunk): (&str, i64),
    rows: &str,
) -> Result<(), StoreError> {
    tx.execute(SET_CHUNK, params![rows, team, id, chunk]).map(drop)
}
