//! How many texts went out on a day, by line: what the day's limits are held against.

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// The texts of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCount {
    /// Of the whole team.
    pub team: i64,
    /// Of the team, through the API.
    pub api: i64,
    /// Of the line.
    pub line: i64,
}

statements! {
    ADD =
        "INSERT INTO text_counts (team_id, day, line, n, api) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (team_id, day, line) DO UPDATE
            SET n = text_counts.n + 1, api = text_counts.api + excluded.api";
    OF_DAY = "SELECT line, n, api FROM text_counts WHERE team_id = $1 AND day = $2";
    PRUNE = "DELETE FROM text_counts WHERE team_id = $1 AND day < $2";
}

/// Counts a text from `line` on `day` (of the team's time zone, since 1970-01-01). The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn add(tx: &mut Tx<'_>, team: TeamKey, day: i64, line: i64, through_api: bool) -> Result<(), StoreError> {
    tx.execute(ADD, params![team, day, line, i64::from(through_api)]).map(drop)
}

/// The texts of `day`, for the team and for `line`.
///
/// # Errors
/// Of the engine.
pub fn of_day(conn: &mut Conn<'_>, team: TeamKey, day: i64, line: i64) -> Result<DayCount, StoreError> {
    let mut all = DayCount::default();
    conn.for_each(OF_DAY, params![team, day], |row| {
        let (of, n, api): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        all.team += n;
        all.api += api;
        if of == line {
            all.line = n;
        }
        Ok(true)
    })?;
    Ok(all)
}

/// Forgets the days before `day`.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, day: i64) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![team, day])
}
