//! Items are moved to the days of another time zone, a few at a time.
//!
//! An item's row tells the day that it is counted on. So whoever changes an item between two of these transactions takes it
//! from, and puts it on, the day that it is on just then, and no figure is ever counted twice or lost. Until the last item
//! was looked at ([`crate::teams::days`]), sums by day are partly by the earlier zone, and nobody should read them.

use std::collections::{BTreeSet, HashMap};

use trunkline_domain::{CallResult, Direction, ItemKind, Millis};

use crate::engine::{Json, StoreError, Tx};
use crate::items::{self, ItemRow};
use crate::{TeamKey, analytics, params, usage};

statements! {
    NEXT =
        "SELECT i.seq, i.id, i.kind, i.direction, i.line, i.contact_number, i.conversation, i.user_id, i.at, i.day, i.result,
                i.duration, i.tags, m.segments
           FROM items i
           LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = CASE WHEN i.kind = 'SMS' THEN i.seq END
          WHERE i.team_id = $1 AND i.seq > $2 ORDER BY i.seq LIMIT $3";
    SET_DAY =
        "UPDATE items SET day = $1
          WHERE team_id = $2 AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($3 AS TEXT)))";
    ADD_TO_DAY =
        "INSERT INTO item_days AS t (team_id, day, line, user_id, kind, direction, result, n)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (team_id, day, line, user_id, kind, direction, result) DO UPDATE SET n = t.n + excluded.n";
    EMPTY_ITEMS =
        "DELETE FROM item_days
          WHERE team_id = $1 AND day IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT))) AND n = 0";
    EMPTY_TEXTS =
        "DELETE FROM text_days
          WHERE team_id = $1 AND day IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT))) AND texts = 0";
}

/// What items that are counted together on a day have in common.
type Alike = (i64, i64, String, ItemKind, Direction, Option<CallResult>);

/// Sees to it that at most `limit` items, behind the one with the number `after`, are counted on the day that
/// `day_of` says (since 1970-01-01), and forgets the days that nothing is left on. Returns the number of the last of them; `None`
/// when there are no more. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn step(
    tx: &mut Tx<'_>,
    team: TeamKey,
    mut day_of: impl FnMut(Millis) -> i64,
    after: i64,
    limit: i64,
) -> Result<Option<i64>, StoreError> {
    // One more tells whether there are more.
    let mut rows: Vec<(ItemRow, i64)> = tx.rows(NEXT, params![team, after, limit + 1], |row| {
        Ok((items::map_at(row)?, row.get::<Option<i64>>(13)?.unwrap_or(0)))
    })?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let are_more = rows.len() > limit;
    rows.truncate(limit);
    let moved: Vec<(&ItemRow, i64, i64)> = rows
        .iter()
        .map(|(item, segments)| (item, day_of(item.at), *segments))
        .filter(|(item, day, _)| item.day != *day)
        .collect();
    shift(tx, team, &moved)?;
    Ok(rows.last().map(|(item, _)| item.seq).filter(|_| are_more))
}

/// Moves items, each with its new day and its parts, with all that is counted of them.
fn shift(tx: &mut Tx<'_>, team: TeamKey, moved: &[(&ItemRow, i64, i64)]) -> Result<(), StoreError> {
    let mut days: HashMap<i64, Vec<String>> = HashMap::new();
    let mut counts: HashMap<Alike, i64> = HashMap::new();
    let mut texts: HashMap<(i64, Direction), (i64, i64)> = HashMap::new();
    for (item, day, segments) in moved {
        days.entry(*day).or_default().push(item.seq.to_string());
        let user = item.user_id.map(|id| id.to_string()).unwrap_or_default();
        for (day, sign) in [(item.day, -1), (*day, 1)] {
            let alike = (day, item.line, user.clone(), item.kind, item.direction, item.result);
            *counts.entry(alike).or_default() += sign;
            if item.kind == ItemKind::Message {
                let sum = texts.entry((day, item.direction)).or_default();
                *sum = (sum.0 + sign, sum.1 + sign * segments);
            }
        }
    }
    for (day, seqs) in &days {
        tx.execute(SET_DAY, params![*day, team, &Json(seqs)])?;
    }
    for ((day, line, user, kind, direction, result), n) in &counts {
        let result = result.map_or("", CallResult::as_str);
        tx.execute(ADD_TO_DAY, params![team, *day, *line, user, *kind, *direction, result, *n])?;
    }
    for (day, sums) in texts {
        usage::add_texts(tx, team, day, sums)?;
    }
    let left: BTreeSet<i64> = moved.iter().map(|(item, ..)| item.day).collect();
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    for sql in [EMPTY_ITEMS, EMPTY_TEXTS] {
        tx.execute(sql, params![team, &Json(&left)])?;
    }
    let calls: Vec<(&ItemRow, i64)> = moved.iter().map(|(item, day, _)| (*item, *day)).collect();
    analytics::move_days(tx, team, &calls)
}
