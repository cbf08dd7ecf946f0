//! Brings a team in from a folder that `export` wrote.
//!
//! Everything is read and checked before anything is stored. Rows are stored in small transactions under a key that
//! nothing leads to; the last transaction makes the team visible. Whatever fails before it is undone, and what a process
//! that was killed left behind is undone by the next import.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use trunkline_domain::{MediaId, Millis, PhoneNumber, TeamId};
use trunkline_messaging::media::MediaStore;
use trunkline_store::crypto::Vault;
use trunkline_store::directory::{self, Entry};
use trunkline_store::transfer::{self, Fate, TABLES, Table, Values};
use trunkline_store::{Conn, StoreError, TeamKey, Tx, Value, schema_version, teams};
use trunkline_switchboard::Switchboard;

use super::secrets::{Keys, Links};
use super::{FORMAT, FileEntry, MANIFEST, MEDIA, Manifest, bar, lines};
use crate::cli::ImportTeam;
use crate::config::Config;
use crate::{media, open, output};

/// Rows that are stored in one transaction, and about how many bytes of text.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;

/// An import that nobody was seen at for so long is abandoned.
const ABANDONED: i64 = 10 * Millis::MINUTE;

/// Whether an import at which somebody was last seen at `seen` is abandoned.
pub const fn is_abandoned(seen: Millis, now: Millis) -> bool {
    now.since(seen) > ABANDONED
}

/// A folder, and the tables that its files are of.
struct Folder<'f> {
    dir: &'f Path,
    manifest: Manifest,
    teams: Table,
    /// In the order of [`TABLES`].
    tables: Vec<(Table, Fate)>,
}

pub async fn import(config: &Config, arguments: &ImportTeam) -> Result<()> {
    let manifest = read_manifest(&arguments.dir)?;
    let board = open::board(config)?;
    let begun = board.now();
    let outcome = bring_in(config, &board, arguments, manifest).await;
    let seconds = board.now().since(begun).max(1) as f64 / 1_000.0;
    let db = board.db().clone();
    tokio::task::spawn_blocking(move || db.close()).await?;
    let (team, rows) = outcome?;
    output::note(format!(
        "{} ({}): {rows} rows in {seconds:.1} s; a server finds their words as soon as it has read them into its index",
        team.name, team.id
    ));
    Ok(())
}

fn read_manifest(dir: &Path) -> Result<Manifest> {
    let path = dir.join(MANIFEST);
    let text = std::fs::read(&path).with_context(|| {
        format!(
            "{} cannot be read: is this a folder of `trunkline export`?",
            path.display()
        )
    })?;
    // The version first: of another one, nothing else is known.
    let value: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{MANIFEST} is no JSON"))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => bail!(
            "the folder has format {format}, and this program knows format {FORMAT}: use the Trunkline that wrote it, or a \
             newer one"
        ),
        None => bail!("{MANIFEST} has no format: this is no folder of `trunkline export`"),
    }
    let manifest: Manifest =
        serde_json::from_slice(&text).with_context(|| format!("{MANIFEST} is damaged"))?;
    let known = schema_version();
    ensure!(
        manifest.schema == known,
        "the folder was written by Trunkline {} with schema version {}, and this program has version {known}: bring it \
         into an installation of that version and upgrade there, or export it with this version",
        manifest.program,
        manifest.schema
    );
    Ok(manifest)
}

async fn bring_in(
    config: &Config,
    board: &Switchboard,
    arguments: &ImportTeam,
    manifest: Manifest,
) -> Result<(super::TeamEntry, u64)> {
    let id = TeamId::parse(&manifest.team.id).with_context(|| format!("{MANIFEST}: team.id"))?;
    let all = board.db().scan(teams::list).await?;
    ensure!(
        all.iter().all(|team| team.id != id),
        "the team {id} ({}) is here already; import it into another installation",
        manifest.team.name
    );
    let keys = Arc::new(keys(config, board, arguments).await?);
    let store = media::store(config)?;
    let tables = board.db().scan(describe).await?;
    let mut tables = tables.into_iter();
    let (teams, _) = tables.next().context("no table of teams")?;
    let folder = Folder {
        dir: &arguments.dir,
        manifest,
        teams,
        tables: tables.collect(),
    };
    let found = tokio::task::block_in_place(|| check(&folder, &keys))?;
    ensure_free(board, found.taken).await?;
    undo_abandoned(board, &store, &folder).await?;

    let (stand_in, now) = (TeamId::new(board.ids().as_ref(), board.now()), board.now());
    let reserve = move |tx: &mut Tx<'_>| transfer::reserve(tx, stand_in, now);
    let key = board.db().write(reserve).await?;
    let stored = tokio::select! {
        stored = store_all(board, &store, &folder, key, keys, found.team) => stored,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if let Err(error) = stored {
        let undone = undo(board, &store, &folder, key).await;
        return match undone {
            Ok(()) => Err(error.context("the team was not brought in, and nothing of it is left")),
            Err(failure) => Err(error.context(format!(
                "the team was not brought in; what was stored could not be deleted ({failure}), the next import does that"
            ))),
        };
    }
    let rows = folder.manifest.files.iter().map(|file| file.rows).sum();
    Ok((folder.manifest.team, rows))
}

/// The keys of the two installations, as the command says.
async fn keys(config: &Config, board: &Switchboard, arguments: &ImportTeam) -> Result<Keys> {
    let own = open::vault(config, board.db()).await?;
    if arguments.without_secrets {
        return Ok(Keys::Without(own));
    }
    let Some(path) = &arguments.secret_key_file else {
        return Ok(Keys::Same(own));
    };
    let secret =
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    ensure!(secret.trim().len() >= 16, "{} holds no key", path.display());
    let from = Vault::new(&secret);
    Ok(if from.link_key() == own.link_key() {
        Keys::Same(own)
    } else {
        Keys::Both { from, own }
    })
}

/// The tables, that of teams first.
fn describe(conn: &mut Conn<'_>) -> Result<Vec<(Table, Fate)>, StoreError> {
    let mut tables = vec![(transfer::describe(conn, "teams")?, Fate::MovesLast)];
    for (name, fate) in TABLES {
        tables.push((transfer::describe(conn, name)?, *fate));
    }
    Ok(tables)
}

/// What was found while everything was checked.
struct Found {
    /// The row of the team.
    team: Values,
    /// What may be taken here.
    taken: Vec<Taken>,
}

/// Something that belongs to one team in an installation.
enum Taken {
    Number(PhoneNumber),
    Key(String),
}

/// Reads everything once.
fn check(folder: &Folder<'_>, keys: &Keys) -> Result<Found> {
    let mut entries: BTreeMap<&str, &FileEntry> = BTreeMap::new();
    for entry in &folder.manifest.files {
        entries.insert(&entry.table, entry);
    }
    let total = folder.manifest.files.iter().map(|file| file.rows).sum();
    let bar = bar(total, "checking");
    let mut found = Found {
        team: Values::new(),
        taken: Vec::new(),
    };
    let team_table = std::iter::once(&folder.teams);
    let moved = folder.tables.iter().filter(|(_, fate)| *fate != Fate::Derived);
    for table in team_table.chain(moved.map(|(table, _)| table)) {
        let entry = entries
            .remove(table.name)
            .with_context(|| format!("{MANIFEST} has nothing of the table {}", table.name))?;
        check_file(folder.dir, table, entry, keys, &mut found, &bar)?;
    }
    if let Some(unknown) = entries.keys().next() {
        bail!("{MANIFEST} has a table {unknown:?} that this program does not know");
    }
    check_media(folder)?;
    bar.finish_and_clear();
    ensure!(!found.team.is_empty(), "teams.jsonl has no line");
    Ok(found)
}

fn check_file(
    dir: &Path,
    table: &Table,
    entry: &FileEntry,
    keys: &Keys,
    found: &mut Found,
    bar: &ProgressBar,
) -> Result<()> {
    let mut reader = lines::Reader::open(dir, table)?;
    let name = super::file_name(table.name);
    let mut line = 0_u64;
    while let Some(row) = reader.next()? {
        line += 1;
        bar.inc(1);
        let here = || format!("{name}, line {line}");
        keys.check(table, &row).with_context(here)?;
        let text = |column: &str| {
            let place = table.columns.iter().position(|known| known.name == column);
            match place.and_then(|place| row.get(place)) {
                Some(Value::Text(text)) => Some(text.to_string()),
                _ => None,
            }
        };
        let is_there = |column: &str| {
            let place = table.columns.iter().position(|known| known.name == column);
            let value = place.and_then(|place| row.get(place));
            value.is_some_and(|value| !matches!(value, Value::Null))
        };
        match table.name {
            "teams" => {
                ensure!(line == 1, "{name} has more than one line");
                found.team.clone_from(&row);
            }
            "numbers" if !is_there("removed_at") => {
                let number = text("number").map(|number| PhoneNumber::parse(&number));
                let number = number.transpose().with_context(here)?;
                found.taken.extend(number.map(Taken::Number));
            }
            "api_keys" => found.taken.extend(text("hash").map(Taken::Key)),
            _ => {}
        }
    }
    reader.check(entry)
}

fn check_media(folder: &Folder<'_>) -> Result<()> {
    for entry in &folder.manifest.media {
        let id = MediaId::parse(&entry.id).with_context(|| format!("{MANIFEST}: media"))?;
        let path = folder.dir.join(MEDIA).join(id.to_string());
        let bytes = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        ensure!(
            bytes.len() as u64 == entry.bytes && lines::hex(&Sha256::digest(&bytes)) == entry.sha256,
            "{} is not as it was exported: its hash differs from the manifest's",
            path.display()
        );
    }
    Ok(())
}

/// A number and a key lead to one team.
async fn ensure_free(board: &Switchboard, taken: Vec<Taken>) -> Result<()> {
    let look = move |conn: &mut Conn<'_>| -> Result<Option<String>, StoreError> {
        for one in &taken {
            let (entry, what) = match one {
                Taken::Number(number) => (Entry::Number(*number), format!("the number {number}")),
                Taken::Key(hash) => (Entry::KeyHash(hash), "one of the API keys".to_owned()),
            };
            if directory::find(conn, &entry)?.is_some() {
                return Ok(Some(what));
            }
        }
        Ok(None)
    };
    if let Some(what) = board.db().scan(look).await? {
        bail!("{what} belongs to another team of this installation");
    }
    Ok(())
}

/// Stores everything.
async fn store_all(
    board: &Switchboard,
    store: &MediaStore,
    folder: &Folder<'_>,
    key: TeamKey,
    keys: Arc<Keys>,
    team: Values,
) -> Result<()> {
    let total = folder.manifest.files.iter().map(|file| file.rows).sum();
    let bar = bar(total, "storing");
    let mut loader = Loader {
        board,
        key,
        links: Links::new(TeamKey(folder.manifest.team.key), key, keys.own(), board.now()),
        is_elsewhere: folder.manifest.team.key != key.0 || !matches!(*keys, Keys::Same(_)),
        keys,
        last: Vec::new(),
        bar: bar.clone(),
    };
    for (table, fate) in &folder.tables {
        loader.load(folder.dir, table, *fate).await?;
    }
    for entry in &folder.manifest.media {
        let id = MediaId::parse(&entry.id)?;
        let path = folder.dir.join(MEDIA).join(id.to_string());
        let bytes = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        store
            .put(key, id, bytes.into())
            .await
            .context("a medium cannot be stored")?;
    }
    bar.finish_and_clear();
    let (teams, last) = (folder.teams.clone(), loader.last);
    board
        .db()
        .write(move |tx: &mut Tx<'_>| -> Result<(), StoreError> { transfer::derive(tx, key) })
        .await
        .context("what follows from the rows cannot be computed")?;
    let finish = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for (table, rows) in &last {
            transfer::insert(tx, table, key, rows)?;
        }
        transfer::finish(tx, &teams, key, &team)
    };
    board
        .db()
        .write(finish)
        .await
        .context("the team cannot be made visible")
}

/// Stores the rows of one table after the other.
struct Loader<'l> {
    board: &'l Switchboard,
    key: TeamKey,
    keys: Arc<Keys>,
    links: Links,
    /// Whether links must be signed anew.
    is_elsewhere: bool,
    /// What is stored in the last transaction.
    last: Vec<(Table, Vec<Values>)>,
    bar: ProgressBar,
}

impl Loader<'_> {
    async fn load(&mut self, dir: &Path, table: &Table, fate: Fate) -> Result<()> {
        let is_copy = matches!(*self.keys, Keys::Without(_));
        if fate == Fate::Derived || is_copy && (fate == Fate::Waits || table.name == "idempotency") {
            return Ok(());
        }
        let mut reader = lines::Reader::open(dir, table)?;
        let (mut rows, mut bytes, mut first) = (Vec::new(), 0, 1_u64);
        let mut last = Vec::new();
        loop {
            let row = reader.next()?;
            let is_end = row.is_none();
            if let Some(row) = row {
                let row = self.keys.carry_over(table, row, self.board.ids().as_ref())?;
                let row = if self.is_elsewhere {
                    self.links.carry_over(table, row)
                } else {
                    row
                };
                if fate != Fate::Moves || is_live_call(table, &row) {
                    last.push(row);
                } else {
                    bytes += row.iter().map(size).sum::<usize>();
                    rows.push(row);
                }
            }
            if rows.len() >= ROWS || bytes >= BYTES || is_end && !rows.is_empty() {
                let count = rows.len() as u64;
                self.write(table, std::mem::take(&mut rows))
                    .await
                    .with_context(|| {
                        format!("{}.jsonl, lines {first} to {}", table.name, first + count - 1)
                    })?;
                self.bar.inc(count);
                (bytes, first) = (0, first + count);
            }
            if is_end {
                break;
            }
        }
        if !last.is_empty() {
            self.last.push((table.clone(), last));
        }
        Ok(())
    }

    async fn write(&self, table: &Table, rows: Vec<Values>) -> Result<(), StoreError> {
        let (table, key, now) = (table.clone(), self.key, self.board.now());
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            transfer::seen(tx, key, now)?;
            transfer::insert(tx, &table, key, &rows)
        };
        self.board.db().write(write).await
    }
}

fn size(value: &Value<'_>) -> usize {
    if let Value::Text(text) = value {
        text.len()
    } else {
        8
    }
}

/// A server looks through the live calls of all teams, and would end this one.
fn is_live_call(table: &Table, row: &Values) -> bool {
    let phase = table.columns.iter().position(|column| column.name == "phase");
    let phase = phase
        .filter(|_| table.name == "calls")
        .and_then(|place| row.get(place));
    phase.is_some_and(|phase| *phase != Value::Text("COMPLETED".into()))
}

/// Undoes what processes left behind that were killed.
async fn undo_abandoned(board: &Switchboard, store: &MediaStore, folder: &Folder<'_>) -> Result<()> {
    let now = board.now();
    for (key, seen) in board.db().scan(transfer::unfinished).await? {
        if is_abandoned(seen, now) {
            undo(board, store, folder, key).await?;
            output::note("an import that was interrupted is undone");
        }
    }
    Ok(())
}

/// Deletes everything that was stored under a key that nothing leads to.
async fn undo(board: &Switchboard, store: &MediaStore, folder: &Folder<'_>, key: TeamKey) -> Result<()> {
    for entry in &folder.manifest.media {
        if let Ok(id) = MediaId::parse(&entry.id) {
            store.delete(key, id).await?;
        }
    }
    for (table, _) in &folder.tables {
        loop {
            let table = table.clone();
            let forget =
                move |tx: &mut Tx<'_>| -> Result<bool, StoreError> { transfer::forget(tx, &table, key) };
            if !board.db().write(forget).await? {
                break;
            }
        }
    }
    let unreserve = move |tx: &mut Tx<'_>| -> Result<(), StoreError> { transfer::unreserve(tx, key) };
    Ok(board.db().write(unreserve).await?)
}
