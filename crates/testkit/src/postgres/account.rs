//! Whom a server runs as.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::PostgresError;

/// The user this process runs as, which the owner of a file it makes tells without unsafe code.
pub(super) fn own_user() -> Result<u32, PostgresError> {
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|metadata| metadata.uid())
        .map_err(|source| PostgresError::Io {
            doing: "make a temporary file",
            source,
        })
}

/// Whom the server runs as: `None` for the user of the tests, otherwise a user and group to switch to.
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    pub(super) fn for_server() -> Result<Self, PostgresError> {
        if own_user()? != 0 {
            return Ok(Self(None));
        }
        let number = |option: &str, name: &str| -> Option<u32> {
            let output = Command::new("id")
                .args([option, name])
                .stderr(Stdio::null())
                .output()
                .ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some((number("-u", name)?, number("-g", name)?)))
            .filter(|(user, _)| *user != 0)
            .map(|ids| Self(Some(ids)))
            .ok_or(PostgresError::NoAccount)
    }

    pub(super) fn own(&self, path: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// A command of this account that neither the caller's folder nor its environment (PGPORT, say) reaches.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}
