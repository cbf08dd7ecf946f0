//! Writes everything that a team owns into a folder, as it was at one moment.
//!
//! The folder is written under another name and gets its own at the end: it is there as a whole or not at all.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use trunkline_domain::MediaId;
use trunkline_messaging::media::{MediaError, MediaStore};
use trunkline_store::teams::TeamRow;
use trunkline_store::transfer::{self, Fate, TABLES, Table};
use trunkline_store::{Conn, TeamKey, Value, schema_version};

use super::{FORMAT, FileEntry, MANIFEST, MEDIA, Manifest, MediaEntry, TeamEntry, bar, lines};
use crate::cli::Export;
use crate::config::Config;
use crate::{media, open, output};

pub async fn export(config: &Config, arguments: &Export) -> Result<()> {
    let target = &arguments.dir;
    let part = prepare(target)?;
    let board = open::board(config)?;
    let team = open::team(&board, arguments.team.as_deref()).await?;
    let begun = board.now();
    make_dir(&part)?;
    let written = write(config, &board, &team, &part).await;
    let db = board.db().clone();
    tokio::task::spawn_blocking(move || db.close()).await?;
    let (rows, media) = match written {
        Ok(written) => written,
        Err(error) => {
            // It is ours, made a moment ago.
            drop(std::fs::remove_dir_all(&part));
            return Err(error);
        }
    };
    finish(&part, target)?;
    let seconds = board.now().since(begun).max(1) as f64 / 1_000.0;
    output::note(format!(
        "{} ({}): {rows} rows and {media} media in {seconds:.1} s, in {}",
        team.name,
        team.id,
        target.display()
    ));
    output::note(
        "keep the folder as safe as the database; secrets in it are sealed with this installation's key",
    );
    Ok(())
}

/// Where the folder is written until it is whole. Refuses a target that is taken.
fn prepare(target: &Path) -> Result<PathBuf> {
    if let Ok(mut entries) = std::fs::read_dir(target) {
        ensure!(
            entries.next().is_none(),
            "{} is not empty; name a new folder",
            target.display()
        );
    } else if target.exists() {
        bail!("{} is not a folder", target.display());
    }
    let mut name = target
        .file_name()
        .with_context(|| format!("{} cannot be the name of a new folder", target.display()))?
        .to_owned();
    name.push(".part");
    let part = target.with_file_name(name);
    ensure!(
        !part.exists(),
        "{} is there: another export is under way, or one was interrupted; if none is, delete it",
        part.display()
    );
    Ok(part)
}

fn make_dir(dir: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("the folder {} cannot be made", dir.display()))
}

/// Gives the folder its name, once everything of it is on the disk.
fn finish(part: &Path, target: &Path) -> Result<()> {
    let sync = |dir: &Path| std::fs::File::open(dir).and_then(|dir| dir.sync_all());
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync(part)
        .and_then(|()| std::fs::rename(part, target))
        .and_then(|()| sync(parent.unwrap_or(Path::new("."))))
        .with_context(|| format!("{} cannot be made of {}", target.display(), part.display()))
}

/// Writes all files. Tells how many rows and media there are.
async fn write(
    config: &Config,
    board: &trunkline_switchboard::Switchboard,
    team: &TeamRow,
    dir: &Path,
) -> Result<(u64, usize)> {
    let (key, folder) = (team.key, dir.to_owned());
    let scan = move |conn: &mut Conn<'_>| conn.at_one_moment(|conn| write_rows(conn, key, &folder));
    let (files, kept) = board.db().scan(scan).await?;
    let store = media::store(config)?;
    let media = write_media(&store, key, &kept, dir).await?;
    let (rows, count) = (files.iter().map(|file| file.rows).sum(), media.len());
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema_version(),
        exported_at: board.now().timestamp().to_string(),
        team: TeamEntry {
            id: team.id.to_string(),
            name: team.name.clone(),
            key: key.0,
        },
        files,
        media,
    };
    let mut file = lines::create(&dir.join(MANIFEST))?;
    serde_json::to_writer_pretty(&mut file, &manifest)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(file.write_all(b"\n").and_then(|()| file.sync_all())?))
        .context("the manifest cannot be written")?;
    Ok((rows, count))
}

/// Writes the rows of all tables. Returns their files, and the media that are kept.
fn write_rows(conn: &mut Conn<'_>, team: TeamKey, dir: &Path) -> Result<(Vec<FileEntry>, Vec<MediaId>)> {
    let mut tables = vec![transfer::describe(conn, "teams")?];
    for (name, fate) in TABLES {
        if *fate != Fate::Derived {
            tables.push(transfer::describe(conn, name)?);
        }
    }
    let mut total = 0;
    for table in &tables {
        total += transfer::count(conn, table, team)?;
    }
    let bar = bar(total.unsigned_abs(), "rows");
    let mut files = Vec::with_capacity(tables.len());
    let mut kept = Vec::new();
    for table in &tables {
        files.push(write_table(conn, table, team, dir, &bar, &mut kept)?);
    }
    bar.finish_and_clear();
    Ok((files, kept))
}

fn write_table(
    conn: &mut Conn<'_>,
    table: &Table,
    team: TeamKey,
    dir: &Path,
    bar: &ProgressBar,
    kept: &mut Vec<MediaId>,
) -> Result<FileEntry> {
    let mut writer = lines::Writer::create(dir, table)?;
    let mut last = None;
    loop {
        let rows = transfer::page(conn, table, team, last.as_ref())?;
        for row in &rows {
            writer.write(row)?;
            if table.name == MEDIA
                && let Some(Value::Text(id)) = row.first()
            {
                kept.extend(MediaId::parse(id).ok());
            }
        }
        bar.inc(rows.len() as u64);
        last = rows.into_iter().next_back();
        if last.is_none() {
            return writer.finish();
        }
    }
}

/// Copies the media. What was never fetched, or is gone, is left out.
async fn write_media(
    store: &MediaStore,
    team: TeamKey,
    ids: &[MediaId],
    dir: &Path,
) -> Result<Vec<MediaEntry>> {
    let dir = dir.join(MEDIA);
    make_dir(&dir)?;
    let bar = bar(ids.len() as u64, "media");
    let mut entries = Vec::new();
    for id in ids {
        bar.inc(1);
        let bytes = match store.get(team, *id).await {
            Ok(bytes) => bytes,
            Err(MediaError::Missing) => continue,
            Err(error) => return Err(error).with_context(|| format!("the medium {id} cannot be read")),
        };
        let path = dir.join(id.to_string());
        let mut file = lines::create(&path)?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        entries.push(MediaEntry {
            id: id.to_string(),
            bytes: bytes.len() as u64,
            sha256: lines::hex(&Sha256::digest(&bytes)),
        });
    }
    bar.finish_and_clear();
    std::fs::File::open(&dir)
        .and_then(|dir| dir.sync_all())
        .with_context(|| format!("{} cannot be written", dir.display()))?;
    Ok(entries)
}
