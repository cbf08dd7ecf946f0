//! A long history out of a shorter one: making ten million items one by one takes an hour, repeating one million ten
//! times, each time further in the past, takes minutes. Rows and indexes are what the program itself would have written.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::Connection;

use crate::data::Seeded;

/// What is copied into the grown folder beside the database.
const FOLDERS: [&str; 1] = ["index"];

/// A copy of `seeded` (its first team) whose history is `times` (at most ten) times as long. Made once, kept for the next run.
///
/// # Errors
/// When a file cannot be copied or a statement fails.
pub fn grown(seeded: &Seeded, times: u32) -> Result<Seeded> {
    if times <= 1 {
        return Ok(seeded.clone());
    }
    let name = seeded.dir.file_name().context("a folder without a name")?;
    let dir = seeded
        .dir
        .with_file_name(format!("{}-times-{times}", name.to_string_lossy()));
    let done = dir.join("grown");
    if !done.exists() {
        eprintln!("making the history of {} {times} times as long …", name.display());
        drop(fs::remove_dir_all(&dir));
        copy(seeded, &dir)?;
        let database = Connection::open(dir.join("trunkline.db"))?;
        repeat(&database, times).context("the history cannot be made longer")?;
        fs::write(&done, "")?;
    }
    let key = fs::read_to_string(dir.join("key"))?;
    Ok(Seeded {
        dir,
        key,
        number: seeded.number.clone(),
    })
}

/// Copies a data folder that no program has open.
fn copy(seeded: &Seeded, to: &Path) -> Result<()> {
    Connection::open(seeded.dir.join("trunkline.db"))?.query_row(
        "PRAGMA wal_checkpoint(TRUNCATE)",
        [],
        |_| Ok(()),
    )?;
    fs::create_dir_all(to)?;
    for file in ["trunkline.db", "secret.key"] {
        fs::copy(seeded.dir.join(file), to.join(file))?;
    }
    for folder in FOLDERS {
        copy_folder(&seeded.dir.join(folder), &to.join(folder))?;
    }
    fs::write(to.join("key"), &seeded.key)?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Repeats the items of the first team, each time by the whole span of its history earlier. Indexes of items are built
/// once, at the end.
fn repeat(database: &Connection, times: u32) -> Result<()> {
    database
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")?;
    let (first, last, seqs): (i64, i64, i64) = database.query_row(
        "SELECT MIN(day), MAX(day), MAX(seq) FROM items WHERE team_id = (SELECT MIN(team_id) FROM teams)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let span = last - first + 1;
    let indexes: Vec<(String, String)> = database
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'items' AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &indexes {
        database.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    for round in 1..i64::from(times) {
        database.execute_batch(&once_more(round, seqs, first, span))?;
    }
    for (_, sql) in &indexes {
        database.execute_batch(sql)?;
    }
    database.execute_batch(&format!(
        "UPDATE item_totals SET n = n * {times} WHERE team_id = (SELECT MIN(team_id) FROM teams);
         UPDATE conversations SET items = items * {times} WHERE team_id = (SELECT MIN(team_id) FROM teams);
         UPDATE teams SET last_item = {seqs} * {times} WHERE team_id = (SELECT MIN(team_id) FROM teams);
         PRAGMA synchronous = FULL;"
    ))?;
    Ok(())
}

/// The statements that lay one more copy before the history. Ids get an instant of their own (their first digits).
fn once_more(round: i64, seqs: i64, first: i64, span: i64) -> String {
    let (by, days) = (round * seqs, round * span);
    let time = days * 86_400_000;
    let team = format!("team_id = (SELECT MIN(team_id) FROM teams) AND seq <= {seqs}");
    format!(
        "BEGIN;
         INSERT INTO items (team_id, seq, id, kind, direction, line, contact_number, conversation, user_id, at, day,
                            result, duration, tags)
         SELECT team_id, seq + {by}, substr(id, 1, 4) || '0{round}' || substr(id, 7), kind, direction, line, contact_number, conversation, user_id,
                at - {time}, day - {days}, result, duration, tags FROM items WHERE {team};
         INSERT INTO calls (team_id, seq, phase, answered_at, ended_at, completed_at, cause, details, node)
         SELECT team_id, seq + {by}, phase, answered_at - {time}, ended_at - {time}, completed_at - {time}, cause,
                details, node FROM calls WHERE {team};
         INSERT INTO messages (team_id, seq, content, status, message_type, carrier)
         SELECT team_id, seq + {by}, content, status, message_type, carrier FROM messages WHERE {team};
         INSERT INTO item_tags (team_id, tag, at, seq)
         SELECT team_id, tag, at - {time}, seq + {by} FROM item_tags WHERE {team};
         INSERT INTO item_days (team_id, day, line, user_id, kind, direction, result, n)
         SELECT team_id, day - {days}, line, user_id, kind, direction, result, n FROM item_days
         WHERE team_id = (SELECT MIN(team_id) FROM teams) AND day >= {first};
         COMMIT;"
    )
}
