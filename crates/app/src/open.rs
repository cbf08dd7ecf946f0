//! Opens what commands work on: configuration, data folder, database, secrets.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use trunkline_domain::{Ids, RandomIds, SystemClock, TeamId, UserId};
use trunkline_store::crypto::Vault;
use trunkline_store::installation::{self, KeyState};
use trunkline_store::teams::TeamRow;
use trunkline_store::users::UserRow;
use trunkline_store::{
    Db, DbOptions, Location, PostgresOptions, SqliteOptions, StoreError, TeamKey, teams, users,
};
use trunkline_switchboard::Switchboard;

use crate::cli::Common;
use crate::config::Config;

/// The name of the database file in the data folder.
const DATABASE_FILE: &str = "trunkline.db";
/// The folder of the text index in the data folder.
const INDEX_FOLDER: &str = "index";
/// The secret key in the data folder.
const KEY_FILE: &str = "secret.key";

/// Configuration with the flags applied.
pub fn config(common: &Common) -> Result<Config> {
    let mut config = Config::load(common.config.as_deref(), std::env::vars())?;
    if let Some(dir) = &common.data_dir {
        config.storage.data_dir.clone_from(dir);
    }
    if let Some(url) = &common.database {
        config.database.url.clone_from(url);
    }
    if !config.database.url.is_empty() && !config.database.url.starts_with("postgres") {
        bail!("the database URL must begin with postgres://; for SQLite leave it out and name a data folder");
    }
    Ok(config)
}

/// Makes the data folder, for this user alone: calls and texts of a whole team are in it.
pub fn data_dir(config: &Config) -> Result<&Path> {
    let dir = config.storage.data_dir.as_path();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("the data folder {} cannot be made", dir.display()))?;
    Ok(dir)
}

/// How many bytes this user may still write under `dir`; `None` if that cannot be found out. A folder that is yet to be
/// made is judged by where it will be.
pub fn free_room(dir: &Path) -> Option<u64> {
    let there = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let there = there.ancestors().find(|dir| dir.exists())?;
    fs4::available_space(there).ok()
}

/// Where the database is.
pub fn location(config: &Config) -> Location {
    if config.database.url.is_empty() {
        Location::Sqlite(config.storage.data_dir.join(DATABASE_FILE))
    } else {
        Location::Postgres(config.database.url.clone())
    }
}

/// Where the text index is.
pub fn index_dir(config: &Config) -> PathBuf {
    config.storage.data_dir.join(INDEX_FOLDER)
}

/// How the engine is adjusted.
pub fn options(config: &Config) -> DbOptions {
    let database = &config.database;
    DbOptions {
        sqlite: SqliteOptions {
            queue: database.queue,
            cache_kib: database.cache_kib,
            vacuum_mib: database.vacuum_mib,
        },
        postgres: PostgresOptions {
            connections: database.connections,
            scan_connections: database.scan_connections,
            queue: database.queue,
        },
    }
}

/// Opens the database, bringing it up to date.
pub fn database(config: &Config) -> Result<Db> {
    data_dir(config)?;
    // PostgreSQL's client drives a runtime of its own, which must not start inside of ours.
    Ok(tokio::task::block_in_place(|| {
        Db::migrate(&location(config), options(config))
    })?)
}

/// Commands over the database, for a process that runs no calls.
pub fn board(config: &Config) -> Result<Switchboard> {
    Ok(Switchboard::new(
        database(config)?,
        Arc::new(SystemClock),
        Arc::new(RandomIds),
        "command-line",
    ))
}

/// The vault of a database: its key from the configuration, or from a file that is made on first use.
///
/// # Errors
/// A key that is not the one which the secrets of the database are sealed with; none, though they are.
pub async fn vault(config: &Config, db: &Db) -> Result<Vault> {
    let known = sealed(config)?;
    ensure!(
        key_state(db, known.clone()).await? != KeyState::Foreign,
        foreign_key(config, known.is_some())
    );
    let vault = any_vault(config)?;
    let kept = vault.clone();
    db.write::<_, StoreError, _>(move |tx| installation::keep_key(tx, &kept, &RandomIds))
        .await?;
    // Another node, with a key of its own, may have been faster.
    ensure!(
        key_state(db, Some(vault.clone())).await? == KeyState::Ours,
        foreign_key(config, true)
    );
    Ok(vault)
}

/// What the database says of a key.
pub async fn key_state(db: &Db, vault: Option<Vault>) -> Result<KeyState, StoreError> {
    db.read(move |conn| installation::key_state(conn, vault.as_ref()))
        .await
}

/// What is wrong, and what to do, where a database does not know the key.
pub fn foreign_key(config: &Config, is_there: bool) -> String {
    let file = config.storage.data_dir.join(KEY_FILE);
    let what = match (is_there, config.security.secret_key.is_empty()) {
        (false, _) => format!(
            "there is no {}, and the secrets of this database are sealed",
            file.display()
        ),
        (true, true) => format!(
            "{} is not the key that the secrets of this database are sealed with",
            file.display()
        ),
        (true, false) => {
            "security.secret_key is not the key that the secrets of this database are sealed with".to_owned()
        }
    };
    format!(
        "{what}: bring secret.key from the node or the backup that has it, or set security.secret_key; if it is lost, \
         `trunkline migrate --new-secret-key` goes on without what it sealed"
    )
}

/// The vault, whatever the database says of its key, which is made where there is none.
pub fn any_vault(config: &Config) -> Result<Vault> {
    sealed(config)?.map_or_else(|| new_vault(config, &RandomIds), Ok)
}

fn new_vault(config: &Config, ids: &dyn Ids) -> Result<Vault> {
    let (path, secret) = (data_dir(config)?.join(KEY_FILE), ids.token(43));
    match write_private(&path, &secret) {
        Ok(()) => Ok(Vault::new(&secret)),
        // Another process was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            sealed(config)?.with_context(|| format!("{} comes and goes", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be written", path.display())),
    }
}

/// The vault, if there is a key for it already.
pub fn sealed(config: &Config) -> Result<Option<Vault>> {
    if !config.security.secret_key.is_empty() {
        if config.security.secret_key.len() < 16 {
            bail!("security.secret_key must have at least 16 characters");
        }
        return Ok(Some(Vault::new(&config.security.secret_key)));
    }
    let path = config.storage.data_dir.join(KEY_FILE);
    match std::fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 16 => Ok(Some(Vault::new(&secret))),
        Ok(_) => bail!(
            "{} holds no key; restore it from a backup, or set security.secret_key",
            path.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Writes a file that only its owner may read, as a whole or not at all: a key that was cut short by a full disk or a crash
/// would keep every later start from working. A file that is there stays as it is.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// The team a command means: the one it names, or the only one there is.
pub async fn team(board: &Switchboard, named: Option<&str>) -> Result<TeamRow> {
    let all = board
        .db()
        .read(|conn| -> Result<_, StoreError> { teams::list(conn) })
        .await?;
    if let Some(text) = named {
        let id = TeamId::parse(text).with_context(|| format!("{text:?} is not the id of a team"))?;
        return all
            .into_iter()
            .find(|team| team.id == id)
            .with_context(|| format!("there is no team {id}"));
    }
    match all.len() {
        0 => bail!("there is no team yet; make one with `trunkline teams create NAME`"),
        1 => all.into_iter().next().context("there is no team"),
        n => bail!("there are {n} teams; say which with --team (`trunkline teams list` shows them)"),
    }
}

/// The user a command means, by id or e-mail address.
pub async fn user(board: &Switchboard, team: TeamKey, text: &str) -> Result<UserRow> {
    let (by_id, email) = (UserId::parse(text).ok(), text.to_lowercase());
    let found = board
        .db()
        .read(move |conn| -> Result<_, StoreError> {
            match by_id {
                Some(id) => users::get(conn, team, id),
                None => users::by_email(conn, team, &email),
            }
        })
        .await?;
    found.with_context(|| format!("the team has no user {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_written_once_whole_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        write_private(&path, "the first").unwrap();
        let again = write_private(&path, "the second").unwrap_err();
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the first");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "something was left behind"
        );
    }

    #[test]
    fn room_is_told_of_folders_that_are_yet_to_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path(), folder.path().join("not/yet"));
        assert!(free_room(here).is_some() && free_room(&there).is_some());
    }
}
