//! Secrets that must be read again (carrier credentials, signing secrets): sealed with a key from configuration.
//!
//! XChaCha20-Poly1305; a fresh random nonce for each secret; the subject it belongs to is bound in, so that a sealed
//! value copied to another row does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::{Digest, Sha256};
use trunkline_domain::{Ids, PhoneNumber};

use crate::TeamKey;
use crate::engine::StoreError;

/// Seals and opens secrets. Has no `Debug`: it holds the key.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    links: [u8; 32],
    fingerprints: Fingerprints,
}

/// What numbers that were erased are known by again: nobody learns the number from it without the key. Has no `Debug`.
#[derive(Clone, Copy)]
pub struct Fingerprints([u8; 32]);

impl Fingerprints {
    /// What stands for a number of a team: `#` and an HMAC-SHA-256 (RFC 2104) in hex, which is never a phone number.
    #[must_use]
    pub fn of(&self, team: TeamKey, number: PhoneNumber) -> String {
        self.made_of(&format!("{} {number}", team.0))
    }

    /// What stands for an idempotency key of a team that told of a person, made as that of a number is.
    #[must_use]
    pub fn of_key(&self, team: TeamKey, key: &str) -> String {
        self.made_of(&format!("key {} {key}", team.0))
    }

    fn made_of(&self, text: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        format!("#{}", hex(mac.finalize().into_bytes().iter()))
    }
}

const NONCE_BYTES: usize = 24;

impl Vault {
    /// A vault whose key is derived from `secret`, any text of high entropy.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let digest = Sha256::digest(secret.trim().as_bytes());
        let mut key = Key::default();
        key.copy_from_slice(&digest);
        let derived = |purpose: &[u8]| {
            let digest = Sha256::new().chain_update(purpose).chain_update(digest);
            digest.finalize().into()
        };
        Self {
            cipher: XChaCha20Poly1305::new(&key),
            links: derived(b"links\0"),
            fingerprints: Fingerprints(derived(b"fingerprints\0")),
        }
    }

    /// A key to sign links with; nothing of the secret can be learnt from it.
    #[must_use]
    pub const fn link_key(&self) -> [u8; 32] {
        self.links
    }

    /// Makes fingerprints of numbers.
    #[must_use]
    pub const fn fingerprints(&self) -> Fingerprints {
        self.fingerprints
    }

    /// Seals `secret` for `subject`.
    #[must_use]
    pub fn seal(&self, ids: &dyn Ids, subject: &str, secret: &str) -> String {
        let mut nonce = [0u8; NONCE_BYTES];
        ids.fill(&mut nonce);
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: subject.as_bytes(),
        };
        // Sealing fails only for messages of many gigabytes.
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .unwrap_or_default();
        hex(nonce.iter().chain(&sealed))
    }

    /// Opens what was sealed for `subject`.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the key or the subject is another one.
    pub fn open(&self, subject: &str, sealed: &str) -> Result<String, StoreError> {
        let bytes = unhex(sealed)
            .filter(|bytes| bytes.len() > NONCE_BYTES)
            .ok_or(StoreError::Sealed)?;
        let (nonce, sealed) = bytes.split_at(NONCE_BYTES);
        let payload = Payload {
            msg: sealed,
            aad: subject.as_bytes(),
        };
        let opened = self
            .cipher
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| StoreError::Sealed)?;
        String::from_utf8(opened).map_err(|_| StoreError::Sealed)
    }
}

/// The SHA-256 of a text, in hex: how API keys and request bodies are remembered.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).iter())
}

fn hex<'b>(bytes: impl Iterator<Item = &'b u8>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    #[test]
    fn only_the_same_key_and_subject_open() {
        let (vault, ids) = (Vault::new("one"), SeededIds::new(1));
        let sealed = vault.seal(&ids, "num-1", "secret token");
        assert_eq!(vault.open("num-1", &sealed).unwrap(), "secret token");
        assert!(!sealed.contains("secret"));
        assert!(vault.open("num-2", &sealed).is_err());
        assert!(Vault::new("two").open("num-1", &sealed).is_err());
        assert!(vault.open("num-1", "zz").is_err());
        assert_ne!(sealed, vault.seal(&ids, "num-1", "secret token"));
    }

    #[test]
    fn fingerprints_are_of_one_key_team_and_number() {
        let number = |text| PhoneNumber::parse(text).unwrap();
        let (one, two) = (Vault::new("one").fingerprints(), Vault::new("two").fingerprints());
        let known = one.of(TeamKey(1), number("+33612345678"));
        assert_eq!(known, one.of(TeamKey(1), number("+33612345678")));
        assert!(
            known.starts_with('#') && known.len() == 65 && !known.contains("33612345678"),
            "{known}"
        );
        for other in [
            one.of(TeamKey(2), number("+33612345678")),
            one.of(TeamKey(1), number("+33612345679")),
            two.of(TeamKey(1), number("+33612345678")),
        ] {
            assert_ne!(known, other);
        }
    }
}
