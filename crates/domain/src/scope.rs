//! What an API key may do: the scopes, and the set of them that a key carries.
//!
//! Scopes are stored and sent by name, never by number, so that new ones can be added anywhere in the table.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Turns the table into the enum and its lookups. A row is `Variant "WIRE_NAME" "what it allows"`.
macro_rules! scopes {
    ($($variant:ident $name:literal $description:literal)+) => {
        /// One permission of an API key.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Scope {
            $(
                #[doc = concat!("`", $name, "`: ", $description)]
                $variant,
            )+
        }

        impl Scope {
            /// Every scope, in declared order.
            pub const fn all() -> &'static [Scope] {
                &[$(Scope::$variant),+]
            }

            /// The name on the wire, in `SCREAMING_SNAKE_CASE`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Scope::$variant => $name,)+
                }
            }

            /// What the scope allows, in one line.
            pub const fn describe(self) -> &'static str {
                match self {
                    $(Scope::$variant => $description,)+
                }
            }
        }

        impl FromStr for Scope {
            type Err = UnknownScope;

            /// Reads a wire name exactly as [`Scope::as_str`] writes it.
            fn from_str(name: &str) -> Result<Self, UnknownScope> {
                match name {
                    $($name => Ok(Scope::$variant),)+
                    _ => Err(UnknownScope::new(name)),
                }
            }
        }
    };
}

scopes! {
    ConversationsRead "CONVERSATIONS_READ"
        "Read and search conversations with their calls, texts, summaries and analytics."
    ConversationsWrite "CONVERSATIONS_WRITE"
        "Mark conversations as read or archived and correct call summaries."
    ContactsRead "CONTACTS_READ"
        "Read contacts."
    ContactsReadWrite "CONTACTS_READ_WRITE"
        "Read, create and change contacts."
    SmsSend "SMS_SEND"
        "Send text messages from the team's numbers and sender ids."
    WebhooksReadWrite "WEBHOOKS_READ_WRITE"
        "See, create, change, test and delete webhook endpoints."
    PhoneNumbersRead "PHONE_NUMBERS_READ"
        "See the team's phone numbers, what they can do and their call flows."
    PhoneNumbersWrite "PHONE_NUMBERS_WRITE"
        "Change the settings of phone numbers and publish call flows."
    UsersRead "USERS_READ"
        "See who is on the team, with roles and numbers."
    TagsRead "TAGS_READ"
        "See the team's tags."
    TagsWrite "TAGS_WRITE"
        "Put tags on calls and texts and take them off, and define them."
    Billing "BILLING"
        "See the team's plan and usage."
    DialingQueueReadWrite "DIALING_QUEUE_READ_WRITE"
        "Read and fill dialing queues and hand them over."
    CrmRead "CRM_READ"
        "Read and search people, companies and deals."
    CrmWrite "CRM_WRITE"
        "Create and change people, companies and deals."
    CrmDelete "CRM_DELETE"
        "Delete records of the CRM."
    SummaryTemplatesRead "SUMMARY_TEMPLATES_READ"
        "Read the templates by which call summaries are written."
    SummaryTemplatesWrite "SUMMARY_TEMPLATES_WRITE"
        "Create, replace and delete summary templates."
    NotesRead "NOTES_READ"
        "Read the team's notes on conversations and people."
    NotesWrite "NOTES_WRITE"
        "Write notes, and change or delete one's own."
    ThreadsRead "THREADS_READ"
        "Read the team's discussion threads."
    ThreadsWrite "THREADS_WRITE"
        "Begin threads, comment in them and resolve them."
    AgentsRead "AGENTS_READ"
        "Read how the AI receptionist of a number is set up."
    AgentsWrite "AGENTS_WRITE"
        "Set up the AI receptionist of a number and switch it on or off."
    Partner "PARTNER"
        "Create and close accounts for customers of a partner."
    CallsControl "CALLS_CONTROL"
        "Place calls and control live ones: answer, hold, transfer, record, hang up."
    TeamManage "TEAM_MANAGE"
        "Manage the team: its API keys, users and settings, and read its audit log."
}

impl Scope {
    /// The wider scope that includes this one, if there is one: `…_READ_WRITE` contains `…_READ`.
    const fn contained_in(self) -> Option<Scope> {
        match self {
            Scope::ContactsRead => Some(Scope::ContactsReadWrite),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// A name that is no scope. Its message lists those that are.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{name}` is not a scope; the scopes are {}", ScopeSet::ALL)]
pub struct UnknownScope {
    /// What was given, cut off after 64 characters.
    pub name: String,
}

impl UnknownScope {
    fn new(name: &str) -> Self {
        Self {
            name: name.chars().take(64).collect(),
        }
    }
}

/// The scopes of a key: a small set that is copied, not cloned.
///
/// On the wire it is a list of names, in text a list separated by commas; both in declared order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ScopeSet(u64);

// One bit per scope.
const _: () = assert!(Scope::all().len() <= u64::BITS as usize);

impl ScopeSet {
    /// No scope at all. Such a key can still call `GET /v2/api/me`.
    pub const EMPTY: ScopeSet = ScopeSet(0);

    /// Every scope.
    pub const ALL: ScopeSet = ScopeSet::of(Scope::all());

    /// The set of these scopes; repeated ones count once.
    pub const fn of(scopes: &[Scope]) -> ScopeSet {
        let mut set = ScopeSet::EMPTY;
        let mut i = 0;
        while i < scopes.len() {
            set = set.with(scopes[i]);
            i += 1;
        }
        set
    }

    /// This set and one scope more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> ScopeSet {
        ScopeSet(self.0 | bit(scope))
    }

    /// Whether the set gives a permission, by itself or as part of a wider scope:
    /// `CONTACTS_READ_WRITE` contains `CONTACTS_READ`.
    pub const fn contains(self, scope: Scope) -> bool {
        let opens = match scope.contained_in() {
            Some(wider) => bit(scope) | bit(wider),
            None => bit(scope),
        };
        self.0 & opens != 0
    }

    /// Whether the set gives at least one of these permissions; an empty list asks for none and is always given.
    pub const fn contains_any(self, scopes: &[Scope]) -> bool {
        let mut i = 0;
        while i < scopes.len() {
            if self.contains(scopes[i]) {
                return true;
            }
            i += 1;
        }
        scopes.is_empty()
    }

    /// Whether the set gives every permission of another one.
    pub fn contains_all(self, other: ScopeSet) -> bool {
        other.iter().all(|scope| self.contains(scope))
    }

    /// How many scopes were granted by name.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes that were granted by name, in declared order. Those merely contained in them are left out.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::all()
            .iter()
            .copied()
            .filter(move |&scope| self.0 & bit(scope) != 0)
    }

    /// The names of [`ScopeSet::iter`].
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::as_str).collect()
    }
}

const fn bit(scope: Scope) -> u64 {
    1 << scope as u32
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(ScopeSet::EMPTY, ScopeSet::with)
    }
}

impl FromStr for ScopeSet {
    type Err = UnknownScope;

    /// Reads names separated by commas or white space or both, as operators type them and OAuth sends them.
    /// A blank text is the empty set; the first name that is no scope is the error.
    fn from_str(list: &str) -> Result<Self, UnknownScope> {
        list.split(|c: char| c == ',' || c.is_whitespace())
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = ScopeSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of scope names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<ScopeSet, A::Error> {
                let mut set = ScopeSet::EMPTY;
                while let Some(scope) = names.next_element()? {
                    set = set.with(scope);
                }
                Ok(set)
            }
        }

        deserializer.deserialize_seq(Names)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The list of behaviour.md, section 1, and our own at the end.
    const PUBLISHED: &str = "CONVERSATIONS_READ CONVERSATIONS_WRITE CONTACTS_READ CONTACTS_READ_WRITE SMS_SEND \
        WEBHOOKS_READ_WRITE PHONE_NUMBERS_READ PHONE_NUMBERS_WRITE USERS_READ TAGS_READ TAGS_WRITE BILLING \
        DIALING_QUEUE_READ_WRITE CRM_READ CRM_WRITE CRM_DELETE SUMMARY_TEMPLATES_READ SUMMARY_TEMPLATES_WRITE \
        NOTES_READ NOTES_WRITE THREADS_READ THREADS_WRITE AGENTS_READ AGENTS_WRITE PARTNER CALLS_CONTROL \
        TEAM_MANAGE";

    #[test]
    fn the_scopes_are_the_published_ones_in_their_order() {
        let published: Vec<_> = PUBLISHED.split_whitespace().collect();
        assert_eq!(ScopeSet::ALL.names(), published);
        let unique: HashSet<_> = published.iter().collect();
        assert_eq!(unique.len(), Scope::all().len());
    }

    #[test]
    fn a_scope_survives_the_round_trip() {
        for &scope in Scope::all() {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(scope.to_string(), scope.as_str());
            let json = serde_json::to_string(&scope).expect("a scope is a JSON string");
            assert_eq!(json, format!("\"{scope}\""));
            assert_eq!(
                serde_json::from_str::<Scope>(&json).expect("reads what it wrote"),
                scope
            );
        }
    }

    #[test]
    fn every_scope_is_described_in_one_line() {
        for scope in Scope::all() {
            assert!(scope.describe().ends_with('.'), "{scope}");
            assert!(scope.describe().len() <= 100, "{scope}");
            assert!(!scope.describe().contains('\n'), "{scope}");
        }
    }

    #[test]
    fn an_unknown_scope_is_answered_with_the_known_ones() {
        let error = "CONTACTS_WRITE"
            .parse::<Scope>()
            .expect_err("there is no such scope");
        let message = error.to_string();
        assert!(message.starts_with("`CONTACTS_WRITE` is not a scope; the scopes are CONVERSATIONS_READ, "));
        assert!(message.ends_with(", CALLS_CONTROL, TEAM_MANAGE"));

        assert!("contacts_read".parse::<Scope>().is_err());
        assert_eq!(UnknownScope::new(&"é".repeat(1_000)).name.chars().count(), 64);
    }

    #[test]
    fn read_write_contains_read_and_not_the_other_way_round() {
        let wide = ScopeSet::of(&[Scope::ContactsReadWrite]);
        assert!(wide.contains(Scope::ContactsRead));
        assert!(wide.contains(Scope::ContactsReadWrite));
        assert!(!wide.contains(Scope::CrmRead));
        assert_eq!(wide.names(), ["CONTACTS_READ_WRITE"]);

        let narrow = ScopeSet::of(&[Scope::ContactsRead]);
        assert!(!narrow.contains(Scope::ContactsReadWrite));

        assert!(wide.contains_all(narrow));
        assert!(!narrow.contains_all(wide));
    }

    /// Every pair `X_READ`, `X_READ_WRITE` in the table has to be declared in `contained_in`.
    #[test]
    fn no_read_scope_is_forgotten_by_its_read_write_scope() {
        for &narrow in Scope::all() {
            let wider = format!("{narrow}_WRITE").parse::<Scope>().ok();
            assert_eq!(
                narrow.contained_in(),
                wider.filter(|_| narrow.as_str().ends_with("_READ"))
            );
        }
    }

    #[test]
    fn each_scope_gives_itself_alone() {
        for &granted in Scope::all() {
            let set = ScopeSet::EMPTY.with(granted);
            assert_eq!(set.len(), 1);
            for &asked in Scope::all() {
                let expected = asked == granted || asked.contained_in() == Some(granted);
                assert_eq!(set.contains(asked), expected, "{granted} and {asked}");
            }
        }
    }

    #[test]
    fn one_of_several_scopes_is_enough_where_either_opens() {
        let either = [Scope::ConversationsRead, Scope::ConversationsWrite];
        assert!(ScopeSet::of(&[Scope::ConversationsWrite]).contains_any(&either));
        assert!(!ScopeSet::of(&[Scope::TagsWrite]).contains_any(&either));
        assert!(ScopeSet::EMPTY.contains_any(&[]));
    }

    #[test]
    fn lists_are_read_with_commas_or_spaces_and_come_out_in_declared_order() {
        let set: ScopeSet = " TAGS_READ,SMS_SEND  TAGS_READ,\n CONTACTS_READ, "
            .parse()
            .expect("all of them are scopes");
        assert_eq!(set.names(), ["CONTACTS_READ", "SMS_SEND", "TAGS_READ"]);
        assert_eq!(set.to_string(), "CONTACTS_READ, SMS_SEND, TAGS_READ");
        assert_eq!(set.to_string().parse(), Ok(set));
        assert_eq!(format!("{set:?}"), "{ContactsRead, SmsSend, TagsRead}");
        assert_eq!(set.iter().collect::<ScopeSet>(), set);

        assert_eq!(" , ".parse(), Ok(ScopeSet::EMPTY));
        assert!(ScopeSet::EMPTY.is_empty());
        assert_eq!(ScopeSet::default(), ScopeSet::EMPTY);

        let error = "SMS_SEND, SMS_SPAM, NOPE"
            .parse::<ScopeSet>()
            .expect_err("two of them are no scopes");
        assert_eq!(error.name, "SMS_SPAM");
    }

    #[test]
    fn a_set_is_a_list_of_names_in_json() {
        let set = ScopeSet::of(&[Scope::CallsControl, Scope::UsersRead]);
        let json = serde_json::to_string(&set).expect("a set is a JSON list");
        assert_eq!(json, r#"["USERS_READ","CALLS_CONTROL"]"#);
        assert_eq!(
            serde_json::from_str::<ScopeSet>(&json).expect("reads what it wrote"),
            set
        );

        let error =
            serde_json::from_str::<ScopeSet>(r#"["USERS_READ","ADMIN"]"#).expect_err("ADMIN is no scope");
        assert!(error.to_string().contains("`ADMIN` is not a scope"));
        assert!(serde_json::from_str::<ScopeSet>(r#""USERS_READ""#).is_err());
    }
}
