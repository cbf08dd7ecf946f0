//! Signatures of deliveries, as the Standard Webhooks specification has them.
//!
//! The header `webhook-signature` is a list of `v1,<base64>`, separated by spaces, one for each secret that is valid:
//! HMAC-SHA256 (RFC 2104) over `{webhook-id}.{webhook-timestamp}.{body}`, keyed with the bytes that the secret
//! stands for. See <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trunkline_domain::Ids;

/// The header with the message's id, the same on every attempt.
pub const ID_HEADER: &str = "webhook-id";

/// The header with the instant of the attempt, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// What every secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";

/// The shortest and the longest key, in bytes.
pub const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// How many bytes a generated key has: what the specification's examples have, and no padding in base64.
const GENERATED_BYTES: usize = 24;

/// What every signature by a shared secret begins with.
const VERSION: &str = "v1,";

/// The length of an HMAC-SHA256 in base64.
const MAC_CHARACTERS: usize = 44;

/// Why a text is not a signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It does not begin with [`SECRET_PREFIX`].
    #[error("a signing secret begins with `whsec_`")]
    Prefix,
    /// What follows the prefix is no base64 (RFC 4648, section 4, with padding).
    #[error("a signing secret is base64 after `whsec_`")]
    Encoding,
    /// The key is shorter or longer than [`KEY_BYTES`].
    #[error("a signing secret has from 24 to 64 bytes")]
    Length,
}

/// A signing secret. Has no `Debug`: its content is shown by [`Secret::reveal`] only.
#[derive(Clone)]
pub struct Secret {
    /// Padded with zeros to a block of SHA-256, as HMAC does it (RFC 2104, section 2).
    key: [u8; *KEY_BYTES.end()],
    length: usize,
    /// Keyed once and copied for each signature, which spares two of the rounds over a short body.
    mac: Hmac<Sha256>,
}

impl Secret {
    /// A new secret.
    #[must_use]
    pub fn generate(ids: &dyn Ids) -> Self {
        let mut key = [0; GENERATED_BYTES];
        ids.fill(&mut key);
        Self::keyed(&key)
    }

    /// Reads a secret as [`Secret::reveal`] writes it.
    ///
    /// # Errors
    /// [`SecretError`], which does not repeat what was read.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SecretError::Prefix)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError::Encoding)?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self::keyed(&key))
        } else {
            Err(SecretError::Length)
        }
    }

    /// The secret as the receiver needs it: `whsec_` and base64.
    #[must_use]
    pub fn reveal(&self) -> String {
        let mut text = SECRET_PREFIX.to_owned();
        STANDARD.encode_string(&self.key[..self.length], &mut text);
        text
    }

    /// `bytes` must not be longer than [`KEY_BYTES`] allows.
    fn keyed(bytes: &[u8]) -> Self {
        let mut key = [0; *KEY_BYTES.end()];
        key[..bytes.len()].copy_from_slice(bytes);
        Self {
            key,
            length: bytes.len(),
            mac: Hmac::new(&key.into()),
        }
    }
}

/// The value of [`SIGNATURE_HEADER`] for one attempt: a signature by each of `secrets`, in their order (the newest
/// first). `id` goes into [`ID_HEADER`], `timestamp` (Unix seconds of the attempt) into [`TIMESTAMP_HEADER`], and
/// `body` is posted byte for byte.
///
/// Allocates nothing but the value itself.
#[must_use]
pub fn sign<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    let secrets = secrets.into_iter();
    let expected = secrets.size_hint().1.unwrap_or(1).max(1);
    let mut value = String::with_capacity(expected * (VERSION.len() + MAC_CHARACTERS + 1));
    for secret in secrets {
        let mut mac = Feed(secret.mac.clone());
        // Feeding a hash cannot fail.
        let _ = write!(mac, "{id}.{timestamp}.");
        mac.0.update(body);
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(VERSION);
        STANDARD.encode_string(mac.0.finalize().into_bytes(), &mut value);
    }
    value
}

/// Takes formatted text into a hash without making a `String` of it.
struct Feed(Hmac<Sha256>);

impl std::fmt::Write for Feed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;
    use serde::Deserialize;
    use standardwebhooks::Webhook;
    use trunkline_domain::{Clock, RandomIds, SeededIds, SystemClock};

    use super::*;

    /// What the documentation publishes for those who check their own verification.
    #[derive(Deserialize)]
    struct TestVector {
        secret: String,
        id: String,
        timestamp: i64,
        body: String,
        signature: String,
        previous_secret: String,
        signature_while_rotating: String,
    }

    fn vector() -> TestVector {
        serde_json::from_str(include_str!("../../../docs/webhooks/test-vector.json")).unwrap()
    }

    fn headers(id: &str, timestamp: i64, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID_HEADER, HeaderValue::try_from(id).unwrap());
        headers.insert(TIMESTAMP_HEADER, HeaderValue::from(timestamp));
        headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(signature).unwrap());
        headers
    }

    #[test]
    fn the_published_test_vector_holds() {
        let vector = vector();
        let secret = Secret::parse(&vector.secret).unwrap();
        let old = Secret::parse(&vector.previous_secret).unwrap();
        let sign = |secrets: &[Secret]| sign(secrets, &vector.id, vector.timestamp, vector.body.as_bytes());
        assert_eq!(sign(std::slice::from_ref(&secret)), vector.signature);
        assert_eq!(sign(&[secret, old]), vector.signature_while_rotating);
        let judge = Webhook::new(&vector.secret).unwrap();
        let judged = judge
            .sign(&vector.id, vector.timestamp, vector.body.as_bytes())
            .unwrap();
        assert_eq!(judged, vector.signature);
    }

    #[test]
    fn a_receiver_with_the_official_library_agrees() {
        let (secret, old) = (Secret::generate(&RandomIds), Secret::generate(&RandomIds));
        let now = SystemClock.now().unix_seconds();
        let (id, body) = ("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", br#"{"topic":"call.ended"}"#);
        let value = sign([&secret, &old], id, now, body);
        let verify = |secret: &Secret, id, at, body: &[u8]| {
            Webhook::new(&secret.reveal())
                .unwrap()
                .verify(body, &headers(id, at, &value))
                .is_ok()
        };
        assert!(verify(&secret, id, now, body));
        assert!(
            verify(&old, id, now, body),
            "the old secret is good while it overlaps"
        );
        assert!(!verify(&Secret::generate(&RandomIds), id, now, body));
        assert!(!verify(&secret, id, now, br#"{"topic":"call.ended" }"#));
        assert!(!verify(&secret, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4X", now, body));
        assert!(!verify(&secret, id, now - 1, body));
        let long_ago = now - i64::try_from(Duration::from_secs(6 * 60).as_secs()).unwrap();
        let stale = sign([&secret], id, long_ago, body);
        let judge = Webhook::new(&secret.reveal()).unwrap();
        assert!(
            judge.verify(body, &headers(id, long_ago, &stale)).is_err(),
            "replayed by a thief"
        );
    }

    #[test]
    fn one_signature_for_each_secret_in_their_order() {
        let ids = SeededIds::new(9);
        let secrets: Vec<Secret> = (0..11).map(|_| Secret::generate(&ids)).collect();
        let value = sign(&secrets, "msg_1", 1, b"{}");
        let each: Vec<String> = secrets
            .iter()
            .map(|secret| sign([secret], "msg_1", 1, b"{}"))
            .collect();
        assert_eq!(value, each.join(" "));
        assert_eq!(value.len(), 11 * 47 + 10);
        assert_eq!(value.capacity(), 11 * 48, "nothing was allocated twice");
        assert_eq!(sign([], "msg_1", 1, b"{}"), "");
    }

    #[test]
    fn secrets_are_read_as_they_are_shown() {
        let secret = Secret::generate(&SeededIds::new(5));
        let text = secret.reveal();
        assert!(text.starts_with("whsec_") && text.len() == 38, "{text}");
        assert_eq!(Secret::parse(&text).unwrap().reveal(), text);
        assert_ne!(
            Secret::generate(&RandomIds).reveal(),
            Secret::generate(&RandomIds).reveal()
        );
        for bytes in [24, 25, 32, 63, 64] {
            let text = format!("whsec_{}", STANDARD.encode(vec![0; bytes]));
            assert_eq!(
                Secret::parse(&text).ok().map(|secret| secret.reveal()),
                Some(text)
            );
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let fault = |text: &str| Secret::parse(text).err();
        let good = Secret::generate(&SeededIds::new(5)).reveal();
        for text in [
            "",
            "whsec",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "WHSEC_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        ] {
            assert_eq!(fault(text), Some(SecretError::Prefix), "{text}");
        }
        for end in ["!", " ", "=", "\n", "A"] {
            assert_eq!(
                fault(&format!("{good}{end}")),
                Some(SecretError::Encoding),
                "{end:?}"
            );
        }
        assert_eq!(
            fault("whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"),
            Some(SecretError::Encoding),
            "not URL-safe base64"
        );
        for bytes in [0, 1, 23, 65, 1_000] {
            let text = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert_eq!(fault(&text), Some(SecretError::Length), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn the_official_library_signs_alike(
            key in proptest::collection::vec(any::<u8>(), KEY_BYTES),
            id in "msg_[0-9A-Za-z]{1,30}",
            timestamp in any::<i64>(),
            body in ".{0,300}",
        ) {
            let text = format!("{SECRET_PREFIX}{}", STANDARD.encode(&key));
            let own = sign([&Secret::parse(&text).unwrap()], &id, timestamp, body.as_bytes());
            prop_assert_eq!(own, Webhook::new(&text).unwrap().sign(&id, timestamp, body.as_bytes()).unwrap());
        }
    }
}
