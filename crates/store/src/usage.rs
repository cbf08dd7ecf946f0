//! What a team used on each day of its time zone: calls, the time that they lasted, texts and their parts.
//!
//! Texts are counted in `text_days` in the transaction that stores them; calls are read from what reports read.

use std::collections::BTreeMap;

use trunkline_domain::Direction;
use trunkline_domain::sms::segments;

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// What a team used in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls, those that still last included.
    pub calls: i64,
    /// Seconds for which somebody talked, of calls that have ended.
    pub talk_seconds: i64,
    /// Texts.
    pub texts: i64,
    /// Their parts.
    pub segments: i64,
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.talk_seconds += other.talk_seconds;
        self.texts += other.texts;
        self.segments += other.segments;
    }
}

statements! {
    ADD =
        "INSERT INTO text_days (team_id, day, direction, texts, segments) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (team_id, day, direction) DO UPDATE
            SET texts = text_days.texts + 1, segments = text_days.segments + excluded.segments";
    ADD_MANY =
        "INSERT INTO text_days (team_id, day, direction, texts, segments) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (team_id, day, direction) DO UPDATE
            SET texts = text_days.texts + excluded.texts, segments = text_days.segments + excluded.segments";
    TEXTS = "SELECT day, direction, texts, segments FROM text_days WHERE team_id = $1 AND day >= $2 AND day <= $3";
    CALLS =
        "SELECT day, direction, CAST(SUM(n) AS BIGINT) FROM item_days
          WHERE team_id = $1 AND day >= $2 AND day <= $3 AND kind = 'CALL' GROUP BY day, direction";
    TALK =
        "SELECT day, direction, CAST(SUM(talk_seconds) AS BIGINT) FROM call_days
          WHERE team_id = $1 AND direction IN ('INBOUND', 'OUTBOUND') AND day >= $2 AND day <= $3
          GROUP BY day, direction";
    NEXT_TEXTS =
        "SELECT m.seq, CASE WHEN m.segments IS NULL THEN m.content END, i.day, i.direction
           FROM messages m
           LEFT JOIN items i ON i.team_id = m.team_id AND i.seq = CASE WHEN m.segments IS NULL THEN m.seq END
          WHERE m.team_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3";
    SET_SEGMENTS = "UPDATE messages SET segments = $1 WHERE team_id = $2 AND seq = $3";
}

/// Counts a text of `segments` parts on `day` (of the team's time zone, since 1970-01-01). The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn add_text(
    tx: &mut Tx<'_>,
    team: TeamKey,
    day: i64,
    direction: Direction,
    segments: i64,
) -> Result<(), StoreError> {
    tx.execute(ADD, params![team, day, direction, segments]).map(drop)
}

/// What was used on each day from `first` to `last`, both included; days without anything are left out.
///
/// # Errors
/// Of the engine.
pub fn by_day(
    conn: &mut Conn<'_>,
    team: TeamKey,
    first: i64,
    last: i64,
) -> Result<BTreeMap<(i64, Direction), Used>, StoreError> {
    let mut days: BTreeMap<(i64, Direction), Used> = BTreeMap::new();
    conn.for_each(TEXTS, params![team, first, last], |row| {
        let used = Used { texts: row.get(2)?, segments: row.get(3)?, ..Used::default() };
        *days.entry((row.get(0)?, row.get(1)?)).or_default() += used;
        Ok(true)
    })?;
    conn.for_each(CALLS, params![team, first, last], |row| {
        let used = Used { calls: row.get(2)?, ..Used::default() };
        *days.entry((row.get(0)?, row.get(1)?)).or_default() += used;
        Ok(true)
    })?;
    conn.for_each(TALK, params![team, first, last], |row| {
        let used = Used { talk_seconds: row.get(2)?, ..Used::default() };
        *days.entry((row.get(0)?, row.get(1)?)).or_default() += used;
        Ok(true)
    })?;
    Ok(days)
}

/// Adds texts and their parts to those of a day; less than nothing takes away. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub(crate) fn add_texts(
    tx: &mut Tx<'_>,
    team: TeamKey,
    (day, direction): (i64, Direction),
    (texts, segments): (i64, i64),
) -> Result<(), StoreError> {
    tx.execute(ADD_MANY, params![team, day, direction, texts, segments]).map(drop)
}

/// Looks at `limit` texts at most, behind the item with the number `after`, and counts the parts of those that were stored
/// before parts were counted. Returns the number of the last that was looked at; `None` when there are no more. The team's
/// row must be locked.
///
/// # Errors
/// Of the engine.
pub fn count_parts(tx: &mut Tx<'_>, team: TeamKey, after: i64, limit: i64) -> Result<Option<i64>, StoreError> {
    let mut days: BTreeMap<(i64, Direction), i64> = BTreeMap::new();
    let (mut looked_at, mut last) = (0, None);
    let mut uncounted: Vec<(i64, String, (i64, Direction))> = Vec::new();
    tx.for_each(NEXT_TEXTS, params![team, after, limit], |row| {
        let seq = row.get(0)?;
        looked_at += 1;
        last = Some(seq);
        if let (Some(content), Some(day), Some(direction)) = (row.get(1)?, row.get(2)?, row.get(3)?) {
            uncounted.push((seq, content, (day, direction)));
        }
        Ok(true)
    })?;
    for (seq, content, day) in uncounted {
        let parts = i64::try_from(segments::count(&content).segments).unwrap_or(i64::MAX);
        tx.execute(SET_SEGMENTS, params![parts, team, seq])?;
        *days.entry(day).or_default() += parts;
    }
    for (day, parts) in days {
        add_texts(tx, team, day, (0, parts))?;
    }
    Ok(last.filter(|_| looked_at >= limit))
}
