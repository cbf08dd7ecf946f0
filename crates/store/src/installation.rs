//! What is true of the installation as a whole: which secret key its secrets are sealed with.

use trunkline_domain::Ids;

use crate::crypto::Vault;
use crate::engine::{Conn, StoreError, Tx};
use crate::params;
use crate::transfer::SEALED;

/// The name of what the secret key is known by, and what it is sealed for.
const SECRET_KEY: &str = "secret_key";

/// What is sealed.
const WORD: &str = "trunkline";

/// How many secrets of a kind are tried with a key, in a database of before keys were known.
const TRIED: i64 = 50;

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
    match (sealed, vault) {
        (None, _) => state_by_secrets(conn, vault),
        (Some(sealed), Some(vault)) if vault.open(SECRET_KEY, &sealed).is_ok() => Ok(KeyState::Ours),
        (Some(_), _) => Ok(KeyState::Foreign),
    }
}

/// What the secrets themselves say of a key, in a database of before keys were known: any that it opens makes it the one.
fn state_by_secrets(conn: &mut Conn<'_>, vault: Option<&Vault>) -> Result<KeyState, StoreError> {
    let mut state = KeyState::Unknown;
    for (table, column, subject) in SEALED {
        let sql = format!("SELECT {subject}, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {TRIED}");
        conn.for_each(&sql, &[], |row| {
            let (subject, sealed): (String, String) = (row.get(0)?, row.get(1)?);
            let is_ours = vault.is_some_and(|vault| vault.open(&subject, &sealed).is_ok());
            state = if is_ours { KeyState::Ours } else { KeyState::Foreign };
            Ok(!is_ours)
        })?;
        if state == KeyState::Ours {
            break;
        }
    }
    Ok(state)
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
