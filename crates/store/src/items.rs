//! The timeline: calls and messages as they are stored and read.

use std::collections::HashMap;

use trunkline_domain::analytics::Tally;
use trunkline_domain::events::{Transcript, TranscriptLine};
use trunkline_domain::{
    CallResult, ContactId, Direction, ItemId, ItemKind, MessageStatus, MessageType, Millis, PhoneNumber, SummaryTemplate, UserId,
};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::contacts::{self, ContactCard};
use crate::{TeamKey, params};

/// What calls and messages have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// The team's number for it, in the order of storing.
    pub seq: i64,
    /// Public id.
    pub id: ItemId,
    /// Call or message.
    pub kind: ItemKind,
    /// Which way it went.
    pub direction: Direction,
    /// The team's line.
    pub line: i64,
    /// The outside number.
    pub contact_number: PhoneNumber,
    /// Its conversation.
    pub conversation: i64,
    /// Who of the team handled or sent it.
    pub user_id: Option<UserId>,
    /// When it began.
    pub at: Millis,
    /// The day of `at` in the team's time zone, since 1970-01-01.
    pub day: i64,
    /// How a call ended.
    pub result: Option<CallResult>,
    /// Seconds a call lasted.
    pub duration: Option<i64>,
    /// Tag keys, in the order they were added.
    pub tags: Vec<String>,
}

/// An item with everything that is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDetail {
    /// The team's number for it, in the order of storing.
    pub seq: i64,
    /// Public id.
    pub id: ItemId,
    /// Which way it went.
    pub direction: Direction,
    /// The outside number.
    pub contact_number: PhoneNumber,
    /// Everybody with the outside number, oldest first.
    pub contacts: Vec<ContactCard>,
    /// When it began.
    pub at: Millis,
    /// How a call ended.
    pub result: Option<CallResult>,
    /// Seconds a call lasted.
    pub duration: Option<i64>,
    /// Tag keys, in the order they were added.
    pub tags: Vec<String>,
    /// The number of the line; `None` for a sender id.
    pub allo_number: Option<PhoneNumber>,
    /// Who of the team handled or sent it: id, name and e-mail address.
    pub user: Option<(UserId, String, String)>,
    /// Where a call's recording is.
    pub recording_url: Option<String>,
    /// A call's summary.
    pub summary: Option<String>,
    /// What the call revealed of the contact: JSON text.
    pub extracted_data: Option<String>,
    /// A message's text.
    pub content: Option<String>,
    /// How far a message has come.
    pub status: Option<MessageStatus>,
    /// What kind of text it is.
    pub message_type: Option<MessageType>,
    /// Media of a message: JSON text of a list of URLs.
    pub media: Option<String>,
    /// Into how many parts a message is cut on its way, where it was counted.
    pub segments: Option<i64>,
    /// The sender id of the line; `None` for a number.
    pub sender_id: Option<String>,
}

/// One statement for all that is shown, since each costs as much as some joins. An item has as many rows as contacts
/// have its number, and one if none has. (The joins to calls and messages compare with NULL for items of the other
/// kind, so that nothing is looked up for these.)
macro_rules! detail {
    ($rest:literal) => {
        concat!(
            "SELECT i.seq, i.id, i.direction, i.contact_number, i.at, i.result, i.duration, i.tags, n.number, i.user_id,
                u.name, u.email, c.recording_url, s.content, c.extracted_data, m.content, m.status, m.message_type,
                m.media, k.contact_id, p.first_name, p.last_name,
                p.has_deals OR o.has_deals, p.created_at, p.company_id, o.name,
                m.segments, n.sender_id
           FROM items i
           LEFT JOIN numbers n ON n.team_id = i.team_id AND n.line = i.line
           LEFT JOIN users u ON u.team_id = i.team_id AND u.id = i.user_id
           LEFT JOIN calls c ON c.team_id = i.team_id AND c.seq = CASE WHEN i.kind = 'CALL' THEN i.seq END
           LEFT JOIN summaries s ON s.team_id = i.team_id AND s.seq = i.seq AND s.template = c.summary_template
           LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = CASE WHEN i.kind = 'SMS' THEN i.seq END
           LEFT JOIN contact_numbers k ON k.team_id = i.team_id AND k.number = i.contact_number
           LEFT JOIN contacts p ON p.team_id = k.team_id AND p.id = k.contact_id
           LEFT JOIN companies o ON o.team_id = p.team_id AND o.id = p.company_id
          WHERE i.team_id = $1 AND ",
            $rest
        )
    };
}

statements! {
    INSERT =
        "INSERT INTO items (team_id, seq, id, kind, direction, line, contact_number, conversation, user_id, at, day,
                            result, duration, tags)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    UPDATE =
        "UPDATE items SET user_id = $1, result = $2, duration = $3, tags = $4 WHERE team_id = $5 AND seq = $6";
    SET_TAGS = "UPDATE items SET tags = $1 WHERE team_id = $2 AND seq = $3";
    GET =
        "SELECT seq, id, kind, direction, line, contact_number, conversation, user_id, at, day, result, duration, tags
           FROM items WHERE team_id = $1 AND id = $2";
    BY_SEQ =
        "SELECT seq, id, kind, direction, line, contact_number, conversation, user_id, at, day, result, duration, tags
           FROM items WHERE team_id = $1 AND seq = $2";
    LINE = "SELECT line FROM items WHERE team_id = $1 AND seq = $2";
    DETAIL = detail!("i.id = $2");
    DETAILS_BY_ID = detail!("i.id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))");
    DETAILS_BY_SEQ = detail!("i.seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))");
    TOTAL_BY =
        "INSERT INTO item_totals AS t (team_id, line, user_id, kind, direction, result, n)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (team_id, line, user_id, kind, direction, result) DO UPDATE SET n = t.n + excluded.n";
    DAY_BY =
        "INSERT INTO item_days AS t (team_id, day, line, user_id, kind, direction, result, n)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (team_id, day, line, user_id, kind, direction, result) DO UPDATE SET n = t.n + excluded.n";
    TRANSCRIPT = "SELECT lines FROM transcripts WHERE team_id = $1 AND seq = $2";
    TRANSCRIPTS =
        "SELECT seq, lines FROM transcripts
          WHERE team_id = $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    SET_TRANSCRIPT =
        "INSERT INTO transcripts AS t (team_id, seq, lines) VALUES ($1, $2, $3)
             ON CONFLICT (team_id, seq) DO UPDATE SET lines = excluded.lines";
    SUMMARIES =
        "SELECT template, content, version, updated_at, updated_by
           FROM summaries WHERE team_id = $1 AND seq = $2 ORDER BY template";
    SET_SUMMARY =
        "INSERT INTO summaries AS s (team_id, seq, template, content, version, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (team_id, seq, template) DO UPDATE
                SET content = excluded.content, version = excluded.version, updated_at = excluded.updated_at,
                    updated_by = excluded.updated_by";
    TEXTS_FROM =
        "SELECT i.seq, i.id, i.kind, i.direction, i.line, i.contact_number, i.conversation, i.user_id, i.at, i.day,
                i.result, i.duration, i.tags, m.content, t.lines
           FROM items i
           LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
           LEFT JOIN transcripts t ON t.team_id = i.team_id AND t.seq = i.seq
          WHERE i.team_id = $1 AND i.seq >= $2 AND i.seq <= $3 ORDER BY i.seq";
    SUMMARY_TEXTS_FROM =
        "SELECT c.seq, s.content
           FROM calls c
           JOIN summaries s ON s.team_id = c.team_id AND s.seq = c.seq AND s.template = c.summary_template
          WHERE c.team_id = $1 AND c.seq >= $2 AND c.seq <= $3 ORDER BY c.seq";
    CAME_IN_SINCE =
        "SELECT 1 FROM items
          WHERE team_id = $1 AND contact_number = $2 AND at > $3 AND seq > $4 AND conversation = $5
            AND direction = 'INBOUND' LIMIT 1";
    COURSES =
        "SELECT i.seq, i.at, i.result, i.duration, c.answered_at, c.voicemail_at, c.ended_at
           FROM items i LEFT JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
          WHERE i.team_id = $1 AND i.seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))";
    LAST_SEQ = "SELECT MAX(seq) FROM items WHERE team_id = $1";
}

pub(crate) fn map_at(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    let tags: Option<Json<Vec<String>>> = row.get(12)?;
    Ok(ItemRow {
        seq: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        direction: row.get(3)?,
        line: row.get(4)?,
        contact_number: row.get(5)?,
        conversation: row.get(6)?,
        user_id: row.get(7)?,
        at: row.get(8)?,
        day: row.get(9)?,
        result: row.get(10)?,
        duration: row.get(11)?,
        tags: tags.map(|json| json.0).unwrap_or_default(),
    })
}

/// Adds a row to what was read: the item, unless an earlier row had it, and the contact.
fn collect_detail(row: &Row<'_>, all: &mut Vec<ItemDetail>) -> Result<(), StoreError> {
    let seq = row.get(0)?;
    let card = match row.get::<Option<ContactId>>(19)? {
        Some(id) => Some(contacts::map_card(row, id, 20)?),
        None => None,
    };
    // Rows of an item mostly come one after the other.
    if let Some(known) = all.iter_mut().rev().find(|detail| detail.seq == seq) {
        known.contacts.extend(card);
        return Ok(());
    }
    let user = match (row.get(9)?, row.get(10)?, row.get(11)?) {
        (Some(id), Some(name), Some(email)) => Some((id, name, email)),
        _ => None,
    };
    all.push(ItemDetail {
        seq,
        id: row.get(1)?,
        direction: row.get(2)?,
        contact_number: row.get(3)?,
        contacts: card.into_iter().collect(),
        at: row.get(4)?,
        result: row.get(5)?,
        duration: row.get(6)?,
        tags: row.get::<Option<Json<_>>>(7)?.map(|json| json.0).unwrap_or_default(),
        allo_number: row.get(8)?,
        user,
        recording_url: row.get(12)?,
        summary: row.get(13)?,
        extracted_data: row.get(14)?,
        content: row.get(15)?,
        status: row.get(16)?,
        message_type: row.get(17)?,
        media: row.get(18)?,
        segments: row.get(26)?,
        sender_id: row.get(27)?,
    });
    Ok(())
}

/// Runs one of the statements above. The order of the items is the engine's.
fn details(conn: &mut Conn<'_>, team: TeamKey, sql: &str, which: Value<'_>, room: usize) -> Result<Vec<ItemDetail>, StoreError> {
    let mut all = Vec::with_capacity(room);
    conn.for_each(sql, &[team.into(), which], |row| {
        collect_detail(row, &mut all)?;
        Ok(true)
    })?;
    contacts::complete(conn, team, all.iter_mut().map(|detail| &mut detail.contacts))?;
    Ok(all)
}

fn tags_value(tags: &[String]) -> Value<'static> {
    if tags.is_empty() { Value::Null } else { Value::from(&Json(tags)) }
}

/// Stores a new item and counts it. The team's row must be locked.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, item: &ItemRow) -> Result<(), StoreError> {
    insert_uncounted(tx, team, item)?;
    tally(tx, team, item, 1)
}

/// Replaces `before` by `after` (user, result, duration, tags) and keeps the totals right. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, before: &ItemRow, after: &ItemRow) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    if (before.user_id, before.result, before.duration) == (after.user_id, after.result, after.duration) {
        return tx.execute(SET_TAGS, params![tags_value(&after.tags), team, after.seq]).map(drop);
    }
    let tags = tags_value(&after.tags);
    tx.execute(UPDATE, params![after.user_id, after.result, after.duration, tags, team, after.seq])?;
    if (before.user_id, before.result) != (after.user_id, after.result) {
        tally(tx, team, before, -1)?;
        tally(tx, team, after, 1)?;
    }
    Ok(())
}

/// Adds `n` to the totals of items like this one.
fn tally(tx: &mut Tx<'_>, team: TeamKey, item: &ItemRow, n: i64) -> Result<(), StoreError> {
    let user = item.user_id.map(|id| id.to_string()).unwrap_or_default();
    let result = item.result.map_or("", CallResult::as_str);
    tx.execute(TOTAL_BY, params![team, item.line, &user, item.kind, item.direction, result, n])?;
    tx.execute(DAY_BY, params![team, item.day, item.line, &user, item.kind, item.direction, result, n]).map(drop)
}

/// Adds to the totals in bulk, as an import does: `(line, user, kind, direction, result, day) -> n`.
///
/// # Errors
/// Of the engine.
pub fn tally_many<'t>(tx: &mut Tx<'_>, team: TeamKey, totals: impl Iterator<Item = (&'t ItemRow, i64)>) -> Result<(), StoreError> {
    for (like, n) in totals {
        tally(tx, team, like, n)?;
    }
    Ok(())
}

/// Stores a new item without counting it: for imports, which count with [`tally_many`].
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert_uncounted(tx: &mut Tx<'_>, team: TeamKey, item: &ItemRow) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        params![
            team,
            item.seq,
            item.id,
            item.kind,
            item.direction,
            item.line,
            item.contact_number,
            item.conversation,
            item.user_id,
            item.at,
            item.day,
            item.result,
            item.duration,
            tags_value(&item.tags)
        ],
    )
    .map(drop)
}

/// The item with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: ItemId) -> Result<Option<ItemRow>, StoreError> {
    conn.row(GET, params![team, id], map_at)
}

/// The item with this number.
///
/// # Errors
/// Of the engine.
pub fn by_seq(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<ItemRow>, StoreError> {
    conn.row(BY_SEQ, params![team, seq], map_at)
}

/// The line of the item with this timeline number.
///
/// # Errors
/// Of the engine.
pub fn line(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<i64>, StoreError> {
    conn.row(LINE, params![team, seq], |row| row.get(0))
}

/// Whether something was stored after `item` that came in in the same conversation, later than `at`.
///
/// # Errors
/// Of the engine.
pub fn came_in_since(conn: &mut Conn<'_>, team: TeamKey, item: &ItemRow, at: Millis) -> Result<bool, StoreError> {
    let ItemRow { contact_number, seq, conversation, .. } = item;
    let found = conn.row(CAME_IN_SINCE, params![team, *contact_number, at, *seq, *conversation], |row| row.get::<i64>(0));
    Ok(found?.is_some())
}

/// The item with this id, with all that is shown of it.
///
/// # Errors
/// Of the engine.
pub fn detail(conn: &mut Conn<'_>, team: TeamKey, id: ItemId) -> Result<Option<ItemDetail>, StoreError> {
    Ok(details(conn, team, DETAIL, id.into(), 1)?.pop())
}

/// The items with these ids, in their order; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn details_by_id(conn: &mut Conn<'_>, team: TeamKey, ids: &[ItemId]) -> Result<Vec<ItemDetail>, StoreError> {
    let found = details(conn, team, DETAILS_BY_ID, (&Json(ids)).into(), ids.len())?;
    Ok(in_order(found, ids, |detail| detail.id))
}

/// The items with these numbers, in their order; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn details_by_seq(conn: &mut Conn<'_>, team: TeamKey, seqs: &[i64]) -> Result<Vec<ItemDetail>, StoreError> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let found = details(conn, team, DETAILS_BY_SEQ, json_texts(seqs).into(), seqs.len())?;
    Ok(in_order(found, seqs, |detail| detail.seq))
}

fn in_order<K: PartialEq>(found: Vec<ItemDetail>, keys: &[K], key: impl Fn(&ItemDetail) -> K) -> Vec<ItemDetail> {
    let mut found: Vec<Option<ItemDetail>> = found.into_iter().map(Some).collect();
    let mut take = |wanted: &K| found.iter_mut().find(|slot| slot.as_ref().is_some_and(|detail| key(detail) == *wanted))?.take();
    keys.iter().filter_map(&mut take).collect()
}

/// Numbers as a JSON list of texts: what `json_each` of both engines reads alike.
fn json_texts(numbers: &[i64]) -> String {
    let mut list = String::with_capacity(numbers.len() * 10 + 2);
    list.push('[');
    for (i, number) in numbers.iter().enumerate() {
        if i > 0 {
            list.push(',');
        }
        list.push('"');
        list.push_str(&number.to_string());
        list.push('"');
    }
    list.push(']');
    list
}

/// The transcript of a call.
///
/// # Errors
/// Of the engine.
pub fn transcript(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<Vec<TranscriptLine>>, StoreError> {
    Ok(conn.row(TRANSCRIPT, params![team, seq], |row| row.get::<Json<_>>(0))?.map(|json| json.0))
}

/// The transcripts of several calls.
///
/// # Errors
/// Of the engine.
pub fn transcripts(
    conn: &mut Conn<'_>,
    team: TeamKey,
    seqs: &[i64],
) -> Result<HashMap<i64, Vec<TranscriptLine>>, StoreError> {
    let found = conn.rows(TRANSCRIPTS, params![team, &json_texts(seqs)], |row| Ok((row.get(0)?, row.get::<Json<_>>(1)?.0)))?;
    Ok(found.into_iter().collect())
}

/// Stores or replaces the transcript of a call.
///
/// # Errors
/// Of the engine.
pub fn set_transcript(tx: &mut Tx<'_>, team: TeamKey, seq: i64, transcript: &Transcript) -> Result<(), StoreError> {
    tx.execute(SET_TRANSCRIPT, params![team, seq, transcript.json()]).map(drop)
}

/// A summary of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// Which one.
    pub template: SummaryTemplate,
    /// Markdown.
    pub content: String,
    /// Grows with each edit.
    pub version: i64,
    /// When it was written last.
    pub updated_at: Millis,
    /// Who edited it; `None` when the product wrote it.
    pub updated_by: Option<UserId>,
}

/// All summaries of a call.
///
/// # Errors
/// Of the engine.
pub fn summaries(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Vec<SummaryRow>, StoreError> {
    conn.rows(SUMMARIES, params![team, seq], |row| {
        Ok(SummaryRow {
            template: row.get(0)?,
            content: row.get(1)?,
            version: row.get(2)?,
            updated_at: row.get(3)?,
            updated_by: row.get(4)?,
        })
    })
}

/// Stores or replaces a summary.
///
/// # Errors
/// Of the engine.
pub fn set_summary(tx: &mut Tx<'_>, team: TeamKey, seq: i64, summary: &SummaryRow) -> Result<(), StoreError> {
    let SummaryRow { template, content, version, updated_at, updated_by } = summary;
    tx.execute(SET_SUMMARY, params![team, seq, *template, content, *version, *updated_at, *updated_by]).map(drop)
}

/// An item with the texts that search looks into.
#[derive(Clone, Debug)]
pub struct ItemTexts {
    /// The item.
    pub item: ItemRow,
    /// Message text, transcript lines and the summary that is shown.
    pub texts: Vec<String>,
}

/// The items numbered `from` to `to` (both included) with their texts, for the text index.
///
/// # Errors
/// Of the engine.
pub fn texts(conn: &mut Conn<'_>, team: TeamKey, from: i64, to: i64) -> Result<Vec<ItemTexts>, StoreError> {
    let mut all = conn.rows(TEXTS_FROM, params![team, from, to], |row| {
        let mut texts = Vec::new();
        texts.extend(row.get::<Option<String>>(13)?);
        let lines: Option<Json<Vec<TranscriptLine>>> = row.get(14)?;
        texts.extend(lines.into_iter().flat_map(|json| json.0).map(|line| line.text));
        Ok(ItemTexts { item: map_at(row)?, texts })
    })?;
    conn.for_each(SUMMARY_TEXTS_FROM, params![team, from, to], |row| {
        let seq: i64 = row.get(0)?;
        if let Ok(place) = all.binary_search_by_key(&seq, |with| with.item.seq) {
            all[place].texts.push(row.get(1)?);
        }
        Ok(true)
    })?;
    Ok(all)
}

/// When what happened to an item, as reports count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Calls: when somebody picked up.
    pub answered_at: Option<Millis>,
    /// Calls: when they ended.
    pub ended_at: Option<Millis>,
    /// Calls that have ended: milliseconds until somebody or the voicemail picked up, or until the end.
    pub ringing_ms: Option<i64>,
    /// Calls that have ended: seconds for which both sides were connected.
    pub talk_seconds: Option<i64>,
}

/// The courses of the items with these numbers; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn courses(conn: &mut Conn<'_>, team: TeamKey, seqs: &[i64]) -> Result<HashMap<i64, Course>, StoreError> {
    let found = conn.rows(COURSES, params![team, &json_texts(seqs)], |row| {
        let (at, result): (Millis, Option<CallResult>) = (row.get(1)?, row.get(2)?);
        let (answered_at, voicemail_at): (Option<Millis>, Option<Millis>) = (row.get(4)?, row.get(5)?);
        let ended_at: Option<Millis> = row.get(6)?;
        let picked_up = answered_at.or(voicemail_at).or(ended_at).unwrap_or(at);
        let seconds = row.get::<Option<i64>>(3)?.unwrap_or(0);
        let tally = result.map(|result| Tally::of(result, seconds, picked_up.0 - at.0));
        let course = Course {
            answered_at,
            ended_at,
            ringing_ms: tally.map(|tally| tally.ringing_ms),
            talk_seconds: tally.map(|tally| tally.talk_seconds),
        };
        Ok((row.get(0)?, course))
    })?;
    Ok(found.into_iter().collect())
}

/// The number of the team's last item, 0 if it has none.
///
/// # Errors
/// Of the engine.
pub fn last_seq(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(LAST_SEQ, params![team], |row| row.get::<Option<i64>>(0))?.flatten().unwrap_or(0))
}
