//! Ids: a prefix that tells the kind, a dash, and a KSUID (27 base-62 characters that sort by time).
//!
//! One id has one spelling everywhere. On input `cll_x` and `cll-x` are the same id, and so are `cnt-x`, `con_x`
//! and `per-x`: a contact and its CRM person are one record.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use svix_ksuid::{Ksuid, KsuidLike, KsuidMs};

use crate::Millis;

const KSUID_CHARACTERS: usize = 27;

/// Room for the prefix of any kind, dash included.
const LONGEST_PREFIX: usize = 8;

/// Why a text is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is missing or of another kind, or the rest has characters that no id has.
    #[error("not an id of this kind: expected {expected} followed by letters and digits")]
    Malformed {
        /// The spelling of the prefix that was expected, with its dash.
        expected: &'static str,
    },
    /// The shape is right, but no id that was ever given out looks like this: look-ups answer "not found".
    #[error("no such id was ever given out")]
    NeverIssued,
}

/// What a kind of id looks like.
pub trait IdKind: Copy + Eq + Ord + std::hash::Hash + fmt::Debug + Send + Sync + 'static {
    /// The prefix with its dash, as it is written.
    const PREFIX: &'static str;
    /// Other prefixes (without separator) that are understood on input.
    const ALIASES: &'static [&'static str] = &[];
}

/// An id of kind `K`. Small, `Copy`, sorts by the time it was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K: IdKind> {
    ksuid: [u8; KSUID_CHARACTERS],
    kind: PhantomData<K>,
}

impl<K: IdKind> Id<K> {
    /// A new id for something that came to be at `at`.
    #[must_use]
    pub fn new(ids: &dyn Ids, at: Millis) -> Self {
        Self {
            ksuid: ids.ksuid(at),
            kind: PhantomData,
        }
    }

    /// Reads an id as a client may write it.
    ///
    /// # Errors
    /// [`IdError::Malformed`] for another kind or impossible characters, [`IdError::NeverIssued`] for a shape that
    /// only ids of other systems have.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let malformed = IdError::Malformed { expected: K::PREFIX };
        let (prefix, rest) = text.split_once(['-', '_']).ok_or(malformed)?;
        let own = &K::PREFIX[..K::PREFIX.len() - 1];
        if prefix != own && !K::ALIASES.contains(&prefix) {
            return Err(malformed);
        }
        if rest.is_empty() || rest.len() > 64 || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(malformed);
        }
        let ksuid = rest.as_bytes().try_into().map_err(|_| IdError::NeverIssued)?;
        Ok(Self {
            ksuid,
            kind: PhantomData,
        })
    }

    /// The part behind the prefix.
    #[must_use]
    pub fn ksuid(&self) -> &str {
        std::str::from_utf8(&self.ksuid).unwrap_or_default()
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str(self.ksuid())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // In one piece: the general way by `Display` costs five times as much, and a list has a hundred ids.
        let mut text = [0; LONGEST_PREFIX + KSUID_CHARACTERS];
        let (prefix, rest) = text.split_at_mut(K::PREFIX.len());
        prefix.copy_from_slice(K::PREFIX.as_bytes());
        rest[..KSUID_CHARACTERS].copy_from_slice(&self.ksuid);
        let length = K::PREFIX.len() + KSUID_CHARACTERS;
        serializer.serialize_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

macro_rules! id_kinds {
    ($($(#[$doc:meta])* $alias:ident = $kind:ident($prefix:literal $(, $other:literal)*);)*) => {$(
        #[doc = concat!("The kind of id that begins with `", $prefix, "`.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $kind;
        impl IdKind for $kind {
            const PREFIX: &'static str = $prefix;
            const ALIASES: &'static [&'static str] = &[$($other),*];
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

id_kinds! {
    /// A call.
    CallId = CallKind("cll-");
    /// A text message.
    MessageId = MessageKind("msg-");
    /// A contact; the CRM calls it a person and writes `per-`.
    ContactId = ContactKind("cnt-", "con", "per");
    /// A company.
    CompanyId = CompanyKind("com-");
    /// A deal.
    DealId = DealKind("dea-");
    /// A user.
    UserId = UserKind("usr-");
    /// A team.
    TeamId = TeamKind("team-");
    /// A tag.
    TagId = TagKind("tag-");
    /// An API key (its public id, not its secret).
    ApiKeyId = ApiKeyKind("api-");
    /// An invitation to a team.
    InvitationId = InvitationKind("inv-");
    /// A phone number or sender id of a team.
    NumberId = NumberKind("num-");
    /// An import of people.
    ImportId = ImportKind("imp-");
    /// A webhook endpoint.
    EndpointId = EndpointKind("ep_");
    /// A webhook message: what one endpoint is told of one event. Derived from the two, see [`DeliveryId::of`].
    DeliveryId = DeliveryKind("msg_");
    /// A medium of a text.
    MediaId = MediaKind("med-");
    /// A note on a conversation or on a contact.
    NoteId = NoteKind("not-");
    /// A thread.
    ThreadId = ThreadKind("thr-");
    /// A comment in a thread.
    CommentId = CommentKind("cmt-");
    /// A summary template.
    TemplateId = TemplateKind("tst-");
    /// A queue of the power dialer.
    QueueId = QueueKind("pdl_");
}

impl DeliveryId {
    /// The id of what `endpoint` is told of the team's event number `event`, which happened at `at`: a KSUID whose
    /// payload is half of the endpoint's own randomness and the event's number. So every attempt and every replay has
    /// the same id without its being stored, and no two endpoints have the same one.
    #[must_use]
    pub fn of(endpoint: EndpointId, event: i64, at: Millis) -> Self {
        let own = Ksuid::from_base62(endpoint.ksuid()).map_or([0; 16], |ksuid| {
            let mut payload = [0; 16];
            payload.copy_from_slice(ksuid.payload());
            payload
        });
        let mut payload = [0; 16];
        payload[..8].copy_from_slice(&own[8..]);
        payload[8..].copy_from_slice(&event.to_be_bytes());
        let text =
            Ksuid::from_seconds(Some(at.unix_seconds().max(1_400_000_000)), Some(&payload)).to_base62();
        Self {
            ksuid: padded(&text),
            kind: PhantomData,
        }
    }

    /// The number of the event it tells of, if it is an id of this kind at all.
    #[must_use]
    pub fn event(self) -> Option<i64> {
        let ksuid = Ksuid::from_base62(self.ksuid()).ok()?;
        let number: [u8; 8] = ksuid.payload().get(8..)?.try_into().ok()?;
        Some(i64::from_be_bytes(number)).filter(|event| *event > 0)
    }
}

/// The id of an item of the timeline: a call or a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ItemId {
    /// A call, `cll-…`.
    Call(CallId),
    /// A message, `msg-…`.
    Message(MessageId),
}

impl ItemId {
    /// Reads `cll-…` or `msg-…` (or with an underscore).
    ///
    /// # Errors
    /// As [`Id::parse`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.starts_with("msg") {
            MessageId::parse(text).map(Self::Message)
        } else {
            CallId::parse(text).map(Self::Call)
        }
        .map_err(|error| match error {
            IdError::Malformed { .. } => IdError::Malformed {
                expected: "cll- or msg-",
            },
            IdError::NeverIssued => error,
        })
    }

    /// The call's id, if it is a call.
    #[must_use]
    pub const fn call(self) -> Option<CallId> {
        match self {
            Self::Call(id) => Some(id),
            Self::Message(_) => None,
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(id) => id.fmt(f),
            Self::Message(id) => id.fmt(f),
        }
    }
}

impl Serialize for ItemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Call(id) => id.serialize(serializer),
            Self::Message(id) => id.serialize(serializer),
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A KSUID in base 62, with leading zeros.
fn padded(text: &str) -> [u8; KSUID_CHARACTERS] {
    let mut ksuid = [b'0'; KSUID_CHARACTERS];
    let bytes = text.as_bytes();
    let width = bytes.len().min(KSUID_CHARACTERS);
    ksuid[KSUID_CHARACTERS - width..].copy_from_slice(&bytes[bytes.len() - width..]);
    ksuid
}

/// Makes ids and secrets. The one source of randomness.
pub trait Ids: Send + Sync + 'static {
    /// Fills `bytes` with random bytes fit for secrets.
    fn fill(&self, bytes: &mut [u8]);

    /// A KSUID for the instant `at`, in base 62.
    fn ksuid(&self, at: Millis) -> [u8; KSUID_CHARACTERS] {
        let mut payload = [0u8; KsuidMs::PAYLOAD_BYTES];
        self.fill(&mut payload);
        padded(&KsuidMs::from_millis(Some(at.0.max(1_400_000_000_000)), Some(&payload)).to_base62())
    }

    /// `length` random letters and digits, every one equally likely.
    fn token(&self, length: usize) -> String {
        let mut token = String::with_capacity(length);
        let mut bytes = [0u8; 64];
        while token.len() < length {
            self.fill(&mut bytes);
            // 248 = 4 × 62: bytes from there on are thrown away, so that no character is favoured.
            let fair = bytes
                .iter()
                .filter(|byte| **byte < 248)
                .map(|byte| char::from(BASE62[usize::from(byte % 62)]));
            token.extend(fair.take(length - token.len()));
        }
        token
    }
}

/// Ids from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads ambient randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// Ids that repeat with the seed: for tests and for data that must come out the same.
#[derive(Debug)]
pub struct SeededIds(Mutex<StdRng>);

impl SeededIds {
    /// Ids of the given seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Ids for SeededIds {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_contact_is_the_same_contact() {
        let id = ContactId::new(&SeededIds::new(1), Millis(1_700_000_000_000));
        for spelling in [
            format!("cnt-{}", id.ksuid()),
            format!("con_{}", id.ksuid()),
            format!("per-{}", id.ksuid()),
        ] {
            assert_eq!(ContactId::parse(&spelling), Ok(id));
        }
        assert_eq!(id.to_string(), format!("cnt-{}", id.ksuid()));
    }

    #[test]
    fn malformed_and_never_issued_differ() {
        assert_eq!(ItemId::parse("cll-abc123"), Err(IdError::NeverIssued));
        for bad in ["", "cll-", "cll", "xyz-abc", "msg-a b", "cll-é", "cll-a/b"] {
            assert!(
                matches!(ItemId::parse(bad), Err(IdError::Malformed { .. })),
                "{bad}"
            );
        }
        assert!(matches!(CallId::parse("msg-abc"), Err(IdError::Malformed { .. })));
    }

    #[test]
    fn a_delivery_has_one_id_and_tells_its_event() {
        let (ids, at) = (SeededIds::new(3), Millis(1_700_000_000_456));
        let (one, other) = (EndpointId::new(&ids, at), EndpointId::new(&ids, at));
        assert!(one.to_string().starts_with("ep_"));
        let id = DeliveryId::of(one, 77, at);
        assert_eq!(id, DeliveryId::of(one, 77, at));
        assert_eq!(DeliveryId::parse(&id.to_string()).unwrap().event(), Some(77));
        assert!(id.to_string().starts_with("msg_") && id.to_string().len() == 31);
        assert_ne!(id, DeliveryId::of(other, 77, at));
        assert_ne!(id, DeliveryId::of(one, 78, at));
        assert_eq!(DeliveryId::of(one, i64::MAX, at).event(), Some(i64::MAX));
    }

    #[test]
    fn ids_sort_by_time() {
        let ids = SeededIds::new(7);
        let times = [
            1_700_000_000_000,
            1_700_000_000_008,
            1_700_000_001_000,
            1_800_000_000_000,
        ];
        let made: Vec<CallId> = times.iter().map(|at| CallId::new(&ids, Millis(*at))).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.to_string().len() == 31));
    }

    #[test]
    fn tokens_have_the_length_asked_for() {
        assert_eq!(RandomIds.token(43).len(), 43);
        assert_ne!(RandomIds.token(43), RandomIds.token(43));
    }
}
