//! The closed sets of the model: each with its one wire name.

/// A text that is none of the names of a closed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown value; one of {}", .allowed.join(", "))]
pub struct UnknownName {
    /// All names that would do.
    pub allowed: &'static [&'static str],
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $wire:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $wire)] $variant),* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Every wire name, in the order of declaration.
            pub const NAMES: &'static [&'static str] = &[$($wire),*];

            /// The name on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownName> {
                match text {
                    $($wire => Ok(Self::$variant),)*
                    _ => Err($crate::UnknownName { allowed: Self::NAMES }),
                }
            }
        }
    };
}

/// Declares the topics of the event log; see `events.rs`.
macro_rules! named_topics {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal),* $(,)?) => {
        $crate::model::named! {
            /// What an event is about.
            Topic { $($(#[$doc])* $variant = $wire),* }
        }
    };
}
pub(crate) use named;
pub(crate) use named_topics;

named! {
    /// Which way an item went.
    Direction {
        /// From the outside to the team.
        Inbound = "INBOUND",
        /// From the team to the outside.
        Outbound = "OUTBOUND",
    }
}

named! {
    /// What an item of the timeline is.
    ItemKind {
        /// A phone call.
        Call = "CALL",
        /// A text message of any kind (SMS, MMS, …).
        Message = "SMS",
    }
}

named! {
    /// How a call ended, as events and v1 name it.
    CallResult {
        /// Somebody of the team, or the person called, picked up.
        Answered = "ANSWERED",
        /// A message was left.
        Voicemail = "VOICEMAIL",
        /// An AI agent took the call.
        TransferredAi = "TRANSFERRED_AI",
        /// The call went on to a number outside of the team.
        TransferredExternal = "TRANSFERRED_EXTERNAL",
        /// The caller is blocked.
        Blocked = "BLOCKED",
        /// The call did not connect.
        Failed = "FAILED",
        /// It rang, nobody answered, nobody left a message.
        Missed = "MISSED",
    }
}

impl CallResult {
    /// The name in v2, where both transfers are one.
    #[must_use]
    pub const fn as_v2(self) -> &'static str {
        match self {
            Self::TransferredAi | Self::TransferredExternal => "TRANSFERRED",
            other => other.as_str(),
        }
    }
}

named! {
    /// How far a message has come.
    MessageStatus {
        /// Accepted, not yet with the carrier.
        Pending = "PENDING",
        /// The carrier has it.
        Sent = "SENT",
        /// The recipient's device has it.
        Delivered = "DELIVERED",
        /// It will not arrive.
        Failed = "FAILED",
    }
}

impl MessageStatus {
    /// Whether a receipt may move a message from `self` to `to`: only onwards, so that receipts that come late or
    /// twice do no harm. A delivery beats an earlier failure (carriers retry), never the other way round.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Sent | Self::Delivered | Self::Failed)
                | (Self::Sent, Self::Delivered | Self::Failed)
                | (Self::Failed, Self::Delivered)
        )
    }
}

named! {
    /// What kind of text a message is.
    MessageType {
        /// Plain text.
        Sms = "SMS",
        /// With media.
        Mms = "MMS",
        /// Through WhatsApp.
        Whatsapp = "WHATSAPP",
    }
}

named! {
    /// What a user may do in the team.
    Role {
        /// Everything.
        Admin = "ADMIN",
        /// Everything but billing and ownership.
        Manager = "MANAGER",
        /// Own calls and texts.
        Member = "MEMBER",
    }
}

impl Role {
    /// Whether whoever has this role may do everything that `other` may.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        // Declared from the one that may do most.
        self as u8 <= other as u8
    }
}

named! {
    /// How an API key stands.
    ApiKeyState {
        /// It opens what its scopes say.
        Active = "ACTIVE",
        /// Its end has come.
        Expired = "EXPIRED",
        /// Somebody withdrew it for good.
        Revoked = "REVOKED",
    }
}

named! {
    /// How an invitation stands.
    InvitationState {
        /// It can be accepted.
        Pending = "PENDING",
        /// Its end has come; it can be sent again.
        Expired = "EXPIRED",
    }
}

named! {
    /// How the link of an invitation gets to whom it is for.
    InvitationDelivery {
        /// The server mails it.
        Mail = "MAIL",
        /// Who invites gets it, and hands it on.
        Link = "LINK",
    }
}

named! {
    /// Whether a user may use the product.
    UserStatus {
        /// Yes.
        Active = "ACTIVE",
        /// No; kept for history.
        Blocked = "BLOCKED",
    }
}

named! {
    /// What a line of a team is.
    LineKind {
        /// A phone number.
        Number = "NUMBER",
        /// An alphanumeric sender id: texts out only.
        SenderId = "SENDER_ID",
    }
}

named! {
    /// What a line can do.
    Capability {
        /// Calls.
        Voice = "VOICE",
        /// Texts.
        Sms = "SMS",
        /// Texts with media.
        Mms = "MMS",
    }
}

named! {
    /// What a team pays for.
    Plan {
        /// Trying it out: no API.
        Trial = "TRIAL",
        /// A full plan.
        Business = "BUSINESS",
    }
}

named! {
    /// Who speaks in a line of a transcript.
    Speaker {
        /// Somebody of the team.
        User = "USER",
        /// The person outside.
        External = "EXTERNAL",
    }
}

named! {
    /// Where a deal stands.
    DealStatus {
        /// Being worked on.
        Open = "OPEN",
        /// Won.
        Won = "WON",
        /// Lost.
        Lost = "LOST",
    }
}

impl DealStatus {
    /// What a team's own word for the status of a deal comes to: won, lost, or still open. `Closed Won` is won, no status
    /// is open.
    #[must_use]
    pub fn of(status: &str) -> Self {
        let mut standing = Self::Open;
        crate::text::for_each_word(status, |word| match word {
            "won" | "gagne" | "gagnee" => standing = Self::Won,
            "lost" | "perdu" | "perdue" => standing = Self::Lost,
            _ => {}
        });
        standing
    }
}

named! {
    /// Which summary of a call.
    SummaryTemplate {
        /// The full one.
        Classic = "MARKDOWN_CLASSIC",
        /// The one for short calls.
        ShortCall = "MARKDOWN_SHORT_CALL",
    }
}

named! {
    /// The type of a custom property of contacts.
    PropertyType {
        /// Free text.
        Text = "TEXT",
        /// A number.
        Number = "NUMBER",
        /// A calendar date, `YYYY-MM-DD`.
        Date = "DATE",
        /// True or false.
        Boolean = "BOOLEAN",
    }
}

named! {
    /// What a thread is about.
    EntityType {
        /// A call.
        Call = "CALL",
        /// A text message.
        TextMessage = "TEXT_MESSAGE",
        /// A note on a conversation.
        ConversationNote = "CONVERSATION_NOTE",
    }
}

named! {
    /// How an account that a partner made stands.
    AccountStatus {
        /// It works.
        Active = "ACTIVE",
        /// Its keys open nothing until it is resumed.
        Suspended = "SUSPENDED",
        /// It is over, for good.
        Deactivated = "DEACTIVATED",
    }
}

named! {
    /// What a client does to a conversation.
    ConversationAction {
        /// Marks it read.
        Read = "READ",
        /// Marks it unread.
        Unread = "UNREAD",
        /// Puts it away, and marks it read.
        Archive = "ARCHIVE",
        /// Takes it back.
        Unarchive = "UNARCHIVE",
    }
}

named! {
    /// Where a webhook message stands.
    DeliveryState {
        /// It is to be sent, or being sent.
        Pending = "PENDING",
        /// The receiver said yes.
        Delivered = "DELIVERED",
        /// All attempts failed.
        Failed = "FAILED",
        /// It was not sent: its endpoint was enabled again without what it had missed.
        Skipped = "SKIPPED",
    }
}

/// The name people know a contact by, from its parts: "Sarah Johnson", or whichever part there is.
#[must_use]
pub fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    match (
        first.filter(|part| !part.is_empty()),
        last.filter(|part| !part.is_empty()),
    ) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

named! {
    /// Whether a medium of a text that came in is kept here.
    MediaState {
        /// It is to be fetched.
        Pending = "PENDING",
        /// Yes.
        Kept = "KEPT",
        /// It could not be fetched.
        Failed = "FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_only_move_onwards() {
        use MessageStatus::{Delivered, Failed, Pending, Sent};
        for status in MessageStatus::ALL {
            assert!(!status.may_become(*status), "a repeated receipt changes nothing");
            assert!(!status.may_become(Pending));
            assert!(!Delivered.may_become(*status), "delivered is final");
        }
        assert!(Sent.may_become(Failed) && Failed.may_become(Delivered) && !Failed.may_become(Sent));
    }

    #[test]
    fn the_words_of_a_team_come_to_a_standing() {
        for (status, standing) in [
            ("", DealStatus::Open),
            ("negotiation", DealStatus::Open),
            ("won", DealStatus::Won),
            ("Closed Won", DealStatus::Won),
            ("LOST", DealStatus::Lost),
            ("Gagnée", DealStatus::Won),
            ("wonder", DealStatus::Open),
        ] {
            assert_eq!(DealStatus::of(status), standing, "{status}");
        }
    }

    #[test]
    fn names_go_both_ways() {
        for result in CallResult::ALL {
            assert_eq!(result.as_str().parse::<CallResult>(), Ok(*result));
        }
        assert_eq!(
            "NOPE".parse::<Role>().unwrap_err().allowed,
            ["ADMIN", "MANAGER", "MEMBER"]
        );
    }
}
