//! What contacts and the team have had with each other, by the numbers of the contacts.

use std::collections::HashMap;

use trunkline_domain::engagement::History;
use trunkline_domain::{CallResult, Direction, ItemKind, Millis, PhoneNumber};

use crate::engine::{Conn, Json, StoreError};
use crate::{TeamKey, params};

statements! {
    TALLY =
        "SELECT contact_number, direction, kind, result, COUNT(*), MAX(at) FROM items
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          GROUP BY contact_number, direction, kind, result";
    COUNT =
        "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT) FROM conversations
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    COUNT_ON_LINE =
        "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT) FROM conversations
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND line = $3";
    PAGE =
        "SELECT seq FROM items
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY at DESC, seq DESC LIMIT $3 OFFSET $4";
    PAGE_ON_LINE =
        "SELECT seq FROM items
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND line = $3
          ORDER BY at DESC, seq DESC LIMIT $4 OFFSET $5";
}

/// The history with each of the numbers; a number without any is left out.
///
/// # Errors
/// Of the engine.
pub fn of_numbers(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<HashMap<PhoneNumber, History>, StoreError> {
    let mut all: HashMap<PhoneNumber, History> = HashMap::new();
    conn.for_each(TALLY, params![team, &Json(numbers)], |row| {
        let history = all.entry(row.get(0)?).or_default();
        let (direction, kind): (Direction, ItemKind) = (row.get(1)?, row.get(2)?);
        let result: Option<CallResult> = row.get(3)?;
        let (times, last): (i64, Millis) = (row.get(4)?, row.get(5)?);
        let is_out = direction == Direction::Outbound;
        if is_out {
            history.reached += times;
            history.reached_at = history.reached_at.max(Some(last));
        }
        if !is_out || kind == ItemKind::Call && result == Some(CallResult::Answered) {
            history.spoken += times;
            history.spoke_at = history.spoke_at.max(Some(last));
        }
        Ok(true)
    })?;
    Ok(all)
}

/// The histories of somebody with several numbers as one.
#[must_use]
pub fn together(all: &HashMap<PhoneNumber, History>, numbers: &[PhoneNumber]) -> History {
    let mut sum = History::default();
    for one in numbers.iter().filter_map(|number| all.get(number)) {
        sum.spoken += one.spoken;
        sum.reached += one.reached;
        sum.spoke_at = sum.spoke_at.max(one.spoke_at);
        sum.reached_at = sum.reached_at.max(one.reached_at);
    }
    sum
}

/// How many calls and messages there are with the numbers, on one line or on all: exact.
///
/// # Errors
/// Of the engine.
pub fn count(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
    line: Option<i64>,
) -> Result<i64, StoreError> {
    let numbers = Json(numbers);
    let found = match line {
        None => conn.row(COUNT, params![team, &numbers], |row| row.get(0))?,
        Some(line) => conn.row(COUNT_ON_LINE, params![team, &numbers, line], |row| row.get(0))?,
    };
    Ok(found.unwrap_or(0))
}

/// The sequence numbers of calls and messages with the numbers, newest first.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
    line: Option<i64>,
    (limit, offset): (i64, i64),
) -> Result<Vec<i64>, StoreError> {
    let numbers = Json(numbers);
    match line {
        None => conn.rows(PAGE, params![team, &numbers, limit, offset], |row| row.get(0)),
        Some(line) => {
            let values = params![team, &numbers, line, limit, offset];
            conn.rows(PAGE_ON_LINE, values, |row| row.get(0))
        }
    }
}
