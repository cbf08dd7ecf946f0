//! Imports of people, against bare inserts of the rows they leave behind.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use rusqlite::Connection;

use crate::Scale;
use crate::data;
use crate::report::{Goal, Report};

/// Rows of the file.
const ROWS: usize = 100_000;
/// Rows that the product commits together, and so does the baseline.
const GROUP: usize = 2_000;
/// Rows a second that are asked for.
const GOAL: f64 = 20_000.0;
/// The tables of which a row of the file makes rows, and their columns for a person's id.
const TABLES: [(&str, &str); 3] = [
    ("contacts", "id"),
    ("contact_numbers", "contact_id"),
    ("contact_emails", "contact_id"),
];

/// Measures an import of people by the program itself.
///
/// # Errors
/// When the program or a statement fails.
pub fn measure(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_exe()?.with_file_name("bench-data"))?;
    let file = folder.path().join("people.csv");
    std::fs::write(&file, people())?;
    let file = file.to_string_lossy().into_owned();
    let mut pairs = Vec::new();
    for round in 0..scale.pairs.min(3) {
        let (ours, bare) = (
            folder.path().join(format!("ours-{round}")),
            folder.path().join(format!("bare-{round}")),
        );
        for dir in [&ours, &bare] {
            std::fs::create_dir(dir)?;
            data::run(program, dir, &["seed", "--items", "10"])?;
        }
        let began = Instant::now();
        data::run(program, &ours, &["import", "people", &file])?;
        let product = began.elapsed().as_secs_f64();
        let baseline = bare_inserts(&ours.join("trunkline.db"), &bare.join("trunkline.db"))?;
        pairs.push((ROWS as f64 / product, ROWS as f64 / baseline));
    }
    report.pairs(
        "import of 100,000 people / bare inserts of their rows",
        "rows/s",
        &pairs,
        Goal::None,
    );
    let speed = crate::report::median(pairs.into_iter().map(|pair| pair.0));
    report.figure(
        "import of 100,000 people, the whole command",
        "rows/s",
        speed,
        Goal::AtLeast(GOAL),
    );
    Ok(())
}

/// A file as a CRM exports it.
fn people() -> String {
    let mut text = String::from("name,last_name,job_title,numbers,emails,company\n");
    for n in 0..ROWS {
        let phone = 2_010_000_000 + n;
        let _ = writeln!(
            text,
            "Ada{},Lovelace{n},Engineer,+1{phone},ada{n}@host{}.example,Company {}",
            n % 400,
            n % 900,
            n % 500
        );
    }
    text
}

/// Copies what the import wrote into another database by itself, as many rows a commit; in seconds.
fn bare_inserts(from: &Path, to: &Path) -> Result<f64> {
    let connection = Connection::open(to)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;")?;
    connection.execute("ATTACH ?1 AS ours", [from.to_string_lossy()])?;
    let ids: Vec<String> = connection
        .prepare("SELECT id FROM ours.contacts WHERE team_id = 1 AND last_key LIKE 'lovelace%' ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    ensure!(ids.len() == ROWS, "{} people were imported", ids.len());
    let last: i64 =
        connection.query_row("SELECT last_event FROM ours.teams WHERE team_id = 1", [], |row| {
            row.get(0)
        })?;
    let mut event = last - i64::try_from(ROWS)?;
    let began = Instant::now();
    for group in ids.chunks(GROUP) {
        let (Some(first), Some(end)) = (group.first(), group.last()) else {
            continue;
        };
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (table, column) in TABLES {
            let sql = format!(
                "INSERT OR IGNORE INTO main.{table} SELECT * FROM ours.{table} WHERE team_id = 1 AND {column} BETWEEN ?1 AND ?2"
            );
            connection.prepare_cached(&sql)?.execute([first, end])?;
        }
        let sql = "INSERT OR IGNORE INTO main.events SELECT * FROM ours.events WHERE team_id = 1 AND seq > ?1 AND seq <= ?2";
        connection
            .prepare_cached(sql)?
            .execute([event, event + i64::try_from(GROUP)?])?;
        event += i64::try_from(GROUP)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(began.elapsed().as_secs_f64())
}
