//! Computing anew what reports read, and comparing it with what it follows from.

use std::collections::BTreeMap;

use trunkline_domain::analytics::{self, Span, Tally};
use trunkline_domain::{CallResult, Direction, Millis};

use crate::analytics::{EVERYTHING, NOBODY, scope_of_line, tag_set};
use crate::engine::{Conn, Json, StoreError, Tx};
use crate::{TeamKey, params};

statements! {
    FORGET_SLOTS = "DELETE FROM call_slots WHERE team_id = $1";
    FORGET_DAYS = "DELETE FROM call_days WHERE team_id = $1";
    FORGET_TAGS = "DELETE FROM call_tags WHERE team_id = $1";
    FORGET_TEXTS = "DELETE FROM text_days WHERE team_id = $1";
    FILL_TEXTS =
        "INSERT INTO text_days (team_id, day, direction, texts, segments)
             SELECT i.team_id, i.day, i.direction, COUNT(*), CAST(SUM(COALESCE(m.segments, 0)) AS BIGINT)
               FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
              WHERE i.team_id = $1 AND i.kind = 'SMS'
              GROUP BY 1, 2, 3";
    RAW_TEXTS =
        "SELECT i.direction, COUNT(*), CAST(SUM(COALESCE(m.segments, -1)) AS BIGINT)
           FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
          WHERE i.team_id = $1 AND i.at >= $2 AND i.at < $3 AND i.kind = 'SMS'
          GROUP BY i.direction";
    TEXTS = "SELECT direction, texts, segments FROM text_days WHERE team_id = $1 AND day = $2";
    FILL_SLOTS =
        "INSERT INTO call_slots (team_id, scope, direction, slot, calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms, waited_ms)
             WITH base AS (
             SELECT i.team_id, i.direction, (i.at - (i.at % 900000 + 900000) % 900000) / 900000 AS slot, i.line,
                    COALESCE(i.user_id, '-') AS handler,
                    COUNT(*) AS calls,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END) AS connected,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END) AS conversations,
                    SUM(CASE WHEN i.result = 'VOICEMAIL' THEN 1 ELSE 0 END) AS voicemail,
                    SUM(CASE WHEN i.result = 'MISSED' THEN 1 ELSE 0 END) AS missed,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS talk_seconds,
                    SUM(COALESCE(c.answered_at, c.voicemail_at, c.ended_at, i.at) - i.at) AS ringing_ms,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(c.answered_at, i.at) - i.at ELSE 0 END) AS waited_ms
               FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
              WHERE i.team_id = $1 AND i.kind = 'CALL' AND i.result IS NOT NULL
              GROUP BY 1, 2, 3, 4, 5)
             SELECT team_id, '', direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
               FROM base GROUP BY team_id, direction, slot
              UNION ALL
             SELECT team_id, handler, direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
               FROM base GROUP BY team_id, handler, direction, slot
              UNION ALL
             SELECT team_id, '#' || line, direction, slot, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT), CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
               FROM base GROUP BY team_id, line, direction, slot";
    FILL_DAYS =
        "INSERT INTO call_days (team_id, direction, day, line, user_id, calls, connected, conversations, talk_seconds)
             SELECT i.team_id, i.direction, i.day, i.line, COALESCE(i.user_id, '-'), COUNT(*),
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END),
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END),
                    CAST(SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS BIGINT)
               FROM items i
              WHERE i.team_id = $1 AND i.kind = 'CALL' AND i.result IS NOT NULL
              GROUP BY 1, 2, 3, 4, 5";
    FILL_TAGS =
        "INSERT INTO call_tags (team_id, scope, direction, day, tags, calls, connected, conversations, talk_seconds)
             WITH tagged AS (
             SELECT team_id, seq, ',' || string_agg(tag, ',' ORDER BY tag) || ',' AS tags
               FROM item_tags WHERE team_id = $1 GROUP BY team_id, seq),
             base AS (
             SELECT i.team_id, i.direction, i.day, i.line, COALESCE(i.user_id, '-') AS handler, t.tags, COUNT(*) AS calls,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN 1 ELSE 0 END) AS connected,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') AND i.duration > 60 THEN 1 ELSE 0 END) AS conversations,
                    SUM(CASE WHEN i.result IN ('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL') THEN COALESCE(i.duration, 0) ELSE 0 END) AS talk_seconds
               FROM tagged t JOIN items i ON i.team_id = t.team_id AND i.seq = t.seq
              WHERE i.team_id = $1 AND i.kind = 'CALL' AND i.result IS NOT NULL
              GROUP BY 1, 2, 3, 4, 5, 6)
             SELECT team_id, '', direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
               FROM base GROUP BY team_id, direction, day, tags
              UNION ALL
             SELECT team_id, handler, direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
               FROM base GROUP BY team_id, handler, direction, day, tags
              UNION ALL
             SELECT team_id, '#' || line, direction, day, tags, CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT)
               FROM base GROUP BY team_id, line, direction, day, tags";
    RAW =
        "SELECT i.at, i.day, i.direction, i.line, i.user_id, i.result, i.duration, i.tags,
                COALESCE(c.answered_at, c.voicemail_at, c.ended_at, i.at) - i.at
           FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
          WHERE i.team_id = $1 AND i.at >= $2 AND i.at < $3 AND i.kind = 'CALL' AND i.result IS NOT NULL";
    SLOTS =
        "SELECT scope, direction, slot, calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms,
                waited_ms
           FROM call_slots
          WHERE team_id = $1 AND scope IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
            AND direction IN ('INBOUND', 'OUTBOUND') AND slot >= $3 AND slot < $4";
    DAYS =
        "SELECT direction, line, user_id, calls, connected, conversations, talk_seconds
           FROM call_days WHERE team_id = $1 AND direction IN ('INBOUND', 'OUTBOUND') AND day = $2";
    TAGS =
        "SELECT direction, tags, calls, connected, conversations, talk_seconds
           FROM call_tags WHERE team_id = $1 AND scope = '' AND direction IN ('INBOUND', 'OUTBOUND') AND day = $2";
    BOUNDS = "SELECT MIN(at), MAX(at) FROM items WHERE team_id = $1";
}

/// PostgreSQL alone: for this transaction, tables may be read from end to end, for as long as it takes.
const WHOLESALE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on;
    SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on";

/// Computes anew what reports of the team read. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn rebuild(tx: &mut Tx<'_>, team: TeamKey) -> Result<(), StoreError> {
    if tx.is_postgres() {
        // A whole team is read: what serves look-ups (see the session's settings) would take ages here.
        tx.batch(WHOLESALE)?;
    }
    let forget = [FORGET_SLOTS, FORGET_DAYS, FORGET_TAGS, FORGET_TEXTS];
    for sql in forget.into_iter().chain([FILL_SLOTS, FILL_DAYS, FILL_TAGS, FILL_TEXTS]) {
        tx.execute(sql, params![team])?;
    }
    Ok(())
}

/// The instants of the team's first and last item; `None` when it has none.
///
/// # Errors
/// Of the engine.
pub fn bounds(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<(Millis, Millis)>, StoreError> {
    let found = conn.row(BOUNDS, params![team], |row| Ok((row.get::<Option<_>>(0)?, row.get::<Option<_>>(1)?)))?;
    Ok(found.and_then(|(first, last)| first.zip(last)))
}

/// What a day came to, by what it is kept by.
#[derive(Default, PartialEq, Eq)]
struct Sums {
    slots: BTreeMap<(String, Direction, i64), Tally>,
    days: BTreeMap<(Direction, i64, String), [i64; 4]>,
    tags: BTreeMap<(Direction, String), [i64; 4]>,
    /// Texts and their parts.
    texts: BTreeMap<Direction, [i64; 2]>,
}

/// Whether what reports read of a day of the team (`day` spans just one) is what its calls come to. At one moment: whoever
/// writes meanwhile would look like a difference.
///
/// # Errors
/// Of the engine.
pub fn agrees(conn: &mut Conn<'_>, team: TeamKey, day: &Span) -> Result<bool, StoreError> {
    let Span { first: day, from, until, .. } = *day;
    let expected = raw(conn, team, from, until)?;
    let mut found = Sums::default();
    let mut scopes: Vec<&str> = expected.slots.keys().map(|(scope, ..)| scope.as_str()).collect();
    scopes.push(EVERYTHING);
    scopes.dedup();
    let (first, last) = (analytics::slot(from), analytics::slot(until));
    conn.for_each(SLOTS, params![team, &Json(&scopes), first, last], |row| {
        let tally = Tally {
            calls: row.get(3)?,
            connected: row.get(4)?,
            conversations: row.get(5)?,
            voicemail: row.get(6)?,
            missed: row.get(7)?,
            talk_seconds: row.get(8)?,
            ringing_ms: row.get(9)?,
            waited_ms: row.get(10)?,
        };
        if tally != Tally::default() {
            found.slots.insert((row.get(0)?, row.get(1)?, row.get(2)?), tally);
        }
        Ok(true)
    })?;
    conn.for_each(DAYS, params![team, day], |row| {
        let sums = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
        if sums != [0; 4] {
            found.days.insert((row.get(0)?, row.get(1)?, row.get(2)?), sums);
        }
        Ok(true)
    })?;
    conn.for_each(TAGS, params![team, day], |row| {
        let sums = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        if sums != [0; 4] {
            found.tags.insert((row.get(0)?, row.get(1)?), sums);
        }
        Ok(true)
    })?;
    conn.for_each(TEXTS, params![team, day], |row| {
        found.texts.insert(row.get(0)?, [row.get(1)?, row.get(2)?]);
        Ok(true)
    })?;
    Ok(found == expected)
}

fn raw(conn: &mut Conn<'_>, team: TeamKey, from: Millis, until: Millis) -> Result<Sums, StoreError> {
    let mut sums = Sums::default();
    conn.for_each(RAW, params![team, from, until], |row| {
        let (at, direction, line): (Millis, Direction, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
        let user = row.get::<Option<String>>(4)?.unwrap_or_else(|| NOBODY.to_owned());
        let result: CallResult = row.get(5)?;
        let one = Tally::of(result, row.get::<Option<i64>>(6)?.unwrap_or(0), row.get(8)?);
        for scope in [EVERYTHING.to_owned(), user.clone(), scope_of_line(line)] {
            *sums.slots.entry((scope, direction, analytics::slot(at))).or_default() += one;
        }
        let small = [one.calls, one.connected, one.conversations, one.talk_seconds];
        let add = |sum: &mut [i64; 4]| sum.iter_mut().zip(small).for_each(|(sum, n)| *sum += n);
        add(sums.days.entry((direction, line, user)).or_default());
        let tags: Vec<String> = row.get::<Option<Json<_>>>(7)?.map(|json| json.0).unwrap_or_default();
        if !tags.is_empty() {
            add(sums.tags.entry((direction, tag_set(&tags))).or_default());
        }
        Ok(true)
    })?;
    conn.for_each(RAW_TEXTS, params![team, from, until], |row| {
        sums.texts.insert(row.get(0)?, [row.get(1)?, row.get(2)?]);
        Ok(true)
    })?;
    Ok(sums)
}
