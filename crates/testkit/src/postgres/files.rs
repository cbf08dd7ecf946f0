//! The files by which test processes and servers know of each other.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::own_user;
use super::starting::SETTINGS;
use super::{Durability, PostgresError, WATCHDOG, programs};

/// The folder of the shared server: one per user, workspace and way of starting it.
pub(super) fn shared_folder() -> Result<PathBuf, PostgresError> {
    let user = own_user()?;
    let mut key = DefaultHasher::new();
    (
        env!("CARGO_MANIFEST_DIR"),
        WATCHDOG,
        SETTINGS,
        Durability::Relaxed.settings(),
        programs()?,
    )
        .hash(&mut key);
    let folder = env::temp_dir().join(format!("trunkline-postgres-{user}-{:016x}", key.finish()));

    let io = |source| PostgresError::Io {
        doing: "make the folder of the PostgreSQL for tests",
        source,
    };
    match DirBuilder::new().mode(0o711).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).map_err(io)?;
    if !found.is_dir() || found.uid() != user {
        return Err(PostgresError::ForeignFolder(folder));
    }
    let_through(&folder).map_err(io)?;
    Ok(folder)
}

/// Lets the server's account reach what it owns in `folder`, whatever the umask said.
pub(super) fn let_through(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o711))
}

/// Makes this process's file among the clients and locks it. It gets its final name only when locked, so the
/// watchdog never takes it for a leftover.
pub(super) fn register(run: &Path, name: &str) -> io::Result<File> {
    let nascent = run.join(format!("{name}.new"));
    let file = OpenOptions::new().append(true).create_new(true).open(&nascent)?;
    // Root's file, which the server's account has to read and lock.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.lock()?;
    fs::rename(nascent, run.join("clients").join(name))?;
    Ok(file)
}

/// Opens a file that serves as a lock, making it if need be. The server's account may lock it too.
pub(super) fn lock_file(path: &Path) -> Result<File, PostgresError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o644)).map(|()| file))
        .map_err(|source| PostgresError::Io {
            doing: "open the lock of the PostgreSQL for tests",
            source,
        })
}

/// Whether somebody holds the exclusive lock of `path`.
pub(super) fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

pub(super) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content.as_bytes())
}

/// 128 bits nobody can guess, from the keys that the standard library seeds its hash maps with.
pub(super) fn random_hex() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}
