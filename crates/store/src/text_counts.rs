//! How many texts went out on a day, of the team and of a line: what the day's limits are held against.

use crate::engine::{Conn, Json, StoreError, Tx};
use crate::{TeamKey, params};

/// The texts of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCount {
    /// Of the whole team.
    pub team: i64,
    /// Of the team, through the API.
    pub api: i64,
}

statements! {
    ADD =
        "INSERT INTO text_counts (team_id, day, line, n, api) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (team_id, day, line) DO UPDATE
            SET n = text_counts.n + 1, api = text_counts.api + excluded.api";
    OF_DAY =
        "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT), CAST(COALESCE(SUM(api), 0) AS BIGINT)
           FROM text_counts WHERE team_id = $1 AND day = $2";
    PRUNE = "DELETE FROM text_counts WHERE team_id = $1 AND day < $2";
    RAISE =
        "INSERT INTO text_counts (team_id, day, line, n, api)
         SELECT team_id, CAST($1 AS BIGINT), line, n, api FROM text_counts WHERE team_id = $2 AND day = $3
             ON CONFLICT (team_id, day, line) DO UPDATE
                SET n = CASE WHEN text_counts.n < excluded.n THEN excluded.n ELSE text_counts.n END,
                    api = CASE WHEN text_counts.api < excluded.api THEN excluded.api ELSE text_counts.api END";
    RAISE_LINES =
        "INSERT INTO line_text_counts (team_id, line, day, n)
         SELECT team_id, line, CAST($1 AS BIGINT), n FROM line_text_counts
          WHERE team_id = $2 AND line IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($3 AS TEXT))) AND day = $4
             ON CONFLICT (team_id, line, day) DO UPDATE
                SET n = CASE WHEN line_text_counts.n < excluded.n THEN excluded.n ELSE line_text_counts.n END";
    ADD_OF_LINE =
        "INSERT INTO line_text_counts (team_id, line, day, n) VALUES ($1, $2, $3, 1)
         ON CONFLICT (team_id, line, day) DO UPDATE SET n = line_text_counts.n + 1";
    OF_LINE = "SELECT n FROM line_text_counts WHERE team_id = $1 AND line = $2 AND day = $3";
    PRUNE_LINES = "DELETE FROM line_text_counts WHERE team_id = $1 AND day < $2";
}

/// Counts a text from `line` on `day` (of the team's time zone, since 1970-01-01). The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn add(tx: &mut Tx<'_>, team: TeamKey, day: i64, line: i64, through_api: bool) -> Result<(), StoreError> {
    tx.execute(ADD, params![team, day, line, i64::from(through_api)]).map(drop)
}

/// Counts a text from `line` on `day` (of the line's time zone, since 1970-01-01). The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn add_of_line(tx: &mut Tx<'_>, team: TeamKey, line: i64, day: i64) -> Result<(), StoreError> {
    tx.execute(ADD_OF_LINE, params![team, line, day]).map(drop)
}

/// The texts of the team on `day`.
///
/// # Errors
/// Of the engine.
pub fn of_day(conn: &mut Conn<'_>, team: TeamKey, day: i64) -> Result<DayCount, StoreError> {
    let count = conn.row(OF_DAY, params![team, day], |row| Ok(DayCount { team: row.get(0)?, api: row.get(1)? }))?;
    Ok(count.unwrap_or_default())
}

/// The texts from `line` on `day` of its time zone.
///
/// # Errors
/// Of the engine.
pub fn of_line(conn: &mut Conn<'_>, team: TeamKey, line: i64, day: i64) -> Result<i64, StoreError> {
    Ok(conn.row(OF_LINE, params![team, line, day], |row| row.get(0))?.unwrap_or(0))
}

/// Sees to it that no fewer texts are counted of the team on the day `to` than on `from`, line by line. The team's row must
/// be locked.
///
/// # Errors
/// Of the engine.
pub fn raise(tx: &mut Tx<'_>, team: TeamKey, from: i64, to: i64) -> Result<(), StoreError> {
    tx.execute(RAISE, params![to, team, from]).map(drop)
}

/// Sees to it that no fewer texts are counted of each of these lines on the day `to` of its time zone than on `from`. The
/// team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn raise_of_lines(tx: &mut Tx<'_>, team: TeamKey, lines: &[i64], from: i64, to: i64) -> Result<(), StoreError> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    tx.execute(RAISE_LINES, params![to, team, &Json(lines), from]).map(drop)
}

/// Forgets the days before `day`.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, day: i64) -> Result<u64, StoreError> {
    Ok(tx.execute(PRUNE, params![team, day])? + tx.execute(PRUNE_LINES, params![team, day])?)
}
