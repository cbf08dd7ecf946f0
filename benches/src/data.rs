//! Data to measure on: made by the program itself, kept under `target/` for the next run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rusqlite::Connection;

/// The release build of the program, built if need be.
///
/// # Errors
/// When it cannot be built.
pub fn program() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", "trunkline"])
        .status()?;
    if !built.success() {
        bail!("the program could not be built");
    }
    let own = std::env::current_exe()?;
    let program = own.with_file_name("trunkline");
    program
        .canonicalize()
        .with_context(|| format!("{} is not there", program.display()))
}

/// A data folder with one team of `items` items, and a key of that team whose limits are no limits.
#[derive(Clone)]
pub struct Seeded {
    /// The folder.
    pub dir: PathBuf,
    /// The key.
    pub key: String,
    /// The team's first number.
    pub number: String,
}

/// Makes (or finds) a data folder.
///
/// # Errors
/// When the program fails.
pub fn seeded(program: &Path, name: &str, items: u64, transcripts: f64) -> Result<Seeded> {
    let dir = std::env::current_exe()?
        .with_file_name("bench-data")
        .join(format!("{name}-{items}"));
    let done = dir.join("seeded");
    if !done.exists() {
        drop(std::fs::remove_dir_all(&dir));
        std::fs::create_dir_all(&dir)?;
        eprintln!("making {items} items for {name} …");
        run(
            program,
            &dir,
            &[
                "seed",
                "--items",
                &items.to_string(),
                "--transcripts",
                &transcripts.to_string(),
            ],
        )?;
        std::fs::write(&done, "")?;
    }
    let key = run(program, &dir, &["keys", "create", "--name", "bench"])?;
    let connection = Connection::open(dir.join("trunkline.db"))?;
    connection.execute(
        "UPDATE teams SET read_per_second = 1000000000, write_per_second = 1000000000",
        [],
    )?;
    let number = connection.query_row(
        "SELECT number FROM numbers WHERE number IS NOT NULL ORDER BY line LIMIT 1",
        [],
        |row| row.get(0),
    )?;
    Ok(Seeded { dir, key, number })
}

/// Runs a command of the program and returns what it printed.
///
/// # Errors
/// When it fails.
pub fn run(program: &Path, dir: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()?;
    if !output.status.success() {
        bail!(
            "{arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
