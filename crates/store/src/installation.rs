//! What is true of the installation as a whole: which secret key its secrets are sealed with.

use trunkline_domain::Ids;

use crate::crypto::Vault;
use crate::engine::{Conn, StoreError, Tx};
use crate::params;

/// The name of what the secret key is known by, and what it is sealed for.
const SECRET_KEY: &str = "secret_key";

/// What is sealed.
const WORD: &str = "trunkline";

statements! {
    VALUE = "SELECT value FROM installation WHERE name = $1";
    KEEP = "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    REPLACE =
        "INSERT INTO installation (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// What a database says of a secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// None is known yet.
    Unknown,
    /// It is the one.
    Ours,
    /// Another one is.
    Foreign,
}

/// Whether the key of `vault` is the one that the secrets of this database are sealed with; without a vault, whether
/// there is such a key.
///
/// # Errors
/// Of the engine.
pub fn key_state(conn: &mut Conn<'_>, vault: Option<&Vault>) -> Result<KeyState, StoreError> {
    let sealed: Option<String> = conn.row(VALUE, params![SECRET_KEY], |row| row.get(0))?;
    Ok(match (sealed, vault) {
        (None, _) => KeyState::Unknown,
        (Some(sealed), Some(vault)) if vault.open(SECRET_KEY, &sealed).is_ok() => KeyState::Ours,
        (Some(_), _) => KeyState::Foreign,
    })
}

/// Takes the key of `vault` for the one, unless another one is known.
///
/// # Errors
/// Of the engine.
pub fn keep_key(tx: &mut Tx<'_>, vault: &Vault, ids: &dyn Ids) -> Result<(), StoreError> {
    tx.execute(KEEP, params![SECRET_KEY, vault.seal(ids, SECRET_KEY, WORD)]).map(drop)
}

/// Takes the key of `vault` for the one from now on.
///
/// # Errors
/// Of the engine.
pub fn replace_key(tx: &mut Tx<'_>, vault: &Vault, ids: &dyn Ids) -> Result<(), StoreError> {
    tx.execute(REPLACE, params![SECRET_KEY, vault.seal(ids, SECRET_KEY, WORD)]).map(drop)
}
