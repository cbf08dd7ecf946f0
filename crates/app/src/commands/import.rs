//! Bringing people in from a file.

use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use trunkline_domain::Millis;
use trunkline_switchboard::people_file::{Format, parse};
use trunkline_switchboard::{Error, people_import};

use crate::cli::Import;
use crate::commands::transfer;
use crate::config::Config;
use crate::{open, output};

/// Rows that could not be imported of which it is told why.
const SHOWN: usize = 20;

pub async fn import(config: &Config, import: Import) -> Result<()> {
    match import {
        Import::People { file, team } => people(config, &file, team.as_deref()).await,
        Import::Team(arguments) => transfer::import::import(config, &arguments).await,
    }
}

async fn people(config: &Config, file: &Path, team: Option<&str>) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let format = match file.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson") => Format::JsonLines,
        Some("csv") => Format::Csv,
        _ => bail!("{}: the name must end in .csv, .jsonl or .ndjson", file.display()),
    };
    let parsed = parse(&bytes, format).with_context(|| file.display().to_string())?;
    let board = open::board(config)?;
    let team = open::team(&board, team).await?;
    let bar = ProgressBar::new(parsed.total() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} {per_sec} {eta}") {
        bar.set_style(style);
    }
    let begun = board.now();
    // Should this process end before its work, a server goes on with it a minute later.
    let begin = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        let later = work.now.plus(Millis::MINUTE);
        people_import::begin(work, &parsed, later)
    };
    let import = board.run::<_, Error, _>(team.key, begin).await?;
    let done = people_import::finish(&board, team.key, import.id, |import| {
        bar.set_position(import.done.unsigned_abs());
    })
    .await;
    bar.finish_and_clear();
    let done = done?;
    for error in done.errors.iter().take(SHOWN) {
        output::note(format!("line {}: {}", error.row, error.message));
    }
    if done.errors.len() > SHOWN {
        output::note(format!("… and {} more", done.failed - SHOWN as i64));
    }
    let seconds = board.now().since(begun).max(1) as f64 / 1_000.0;
    output::note(format!(
        "{} rows in {seconds:.1} s ({:.0} rows/s): {} people made, {} changed, {} as they were, {} rows failed",
        done.total,
        done.total as f64 / seconds,
        done.created,
        done.updated,
        done.unchanged,
        done.failed,
    ));
    let db = board.db().clone();
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(())
}
