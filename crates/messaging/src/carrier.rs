//! What a carrier is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trunkline_domain::{MessageId, Millis};
use trunkline_switchboard::messages::{Outgoing, Receive, Report};
use trunkline_switchboard::texts::KnownCarrier;

/// A carrier for texts.
pub trait Carrier: Send + Sync + 'static {
    /// Its name, as lines and messages store it.
    fn name(&self) -> &'static str;

    /// Whether a line needs credentials for it.
    fn needs_settings(&self) -> bool {
        false
    }

    /// Whether it limits how fast texts may be handed over.
    fn is_paced(&self) -> bool {
        true
    }

    /// Asks for a text that may have been handed over, at `since` or later, by an attempt whose end nobody knows.
    fn find<'s>(
        &'s self,
        _text: &'s Outgoing,
        _since: Millis,
        _settings: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Found, SendError>> + Send + 's>> {
        Box::pin(std::future::ready(Ok(Found::CannotTell)))
    }

    /// Hands a text over. `settings` is what the line stores for this carrier, opened.
    fn send<'s>(
        &'s self,
        text: &'s Outgoing,
        settings: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + Send + 's>>;

    /// The header `Authorization` that the carrier asks for at `url`, where it keeps a medium; `None`: at that address it
    /// must not be told.
    fn media_authorization(&self, _url: &reqwest::Url, _settings: &str) -> Option<String> {
        None
    }

    /// Reads a webhook of the carrier, once its signature was checked.
    ///
    /// # Errors
    /// [`InboundError`].
    fn inbound(&self, webhook: &Webhook<'_>, settings: Option<&str>) -> Result<Inbound, InboundError>;
}

/// A carrier took a text.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The carrier's id for it.
    pub carrier_ref: String,
    /// What the carrier will say later, where it cannot call back.
    pub follow_up: Option<FollowUp>,
}

/// What a carrier that cannot call back will say later.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// After so many milliseconds.
    pub after_ms: i64,
    /// What it will say.
    pub report: Report,
}

/// What a carrier knows of a text that may have been handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The carrier cannot be asked.
    CannotTell,
    /// Its ids of texts with the same words between the same numbers, the oldest first: one of them may be it.
    Like(Vec<String>),
}

/// Why a carrier did not take a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It never will.
    #[error("the carrier refused the text: {0}")]
    Refused(String),
    /// It may take this text later; nothing was sent.
    #[error("the carrier cannot take the text now: {0}")]
    Later(String),
    /// It takes no texts of the line at present, or cannot be reached; nothing was sent.
    #[error("the carrier takes no texts now: {0}")]
    Down(String),
    /// It gave no answer that can be understood: it may have the text or not.
    #[error("the carrier gave no answer: {0}")]
    Unknown(String),
}

/// A webhook of a carrier, form-encoded.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'w> {
    /// The URL the carrier called, as the outside sees it.
    pub url: &'w str,
    /// The form's fields, in the order sent.
    pub fields: &'w [(String, String)],
    /// The carrier's signature header.
    pub signature: Option<&'w str>,
}

impl Webhook<'_> {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a webhook of a carrier says.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// A text came in.
    Text(Receive),
    /// A text that went out has come further.
    Receipt {
        /// The carrier's id for it.
        carrier_ref: String,
        /// Our id for it, where the carrier repeats it.
        text: Option<MessageId>,
        /// What the carrier says.
        report: Report,
    },
    /// Nothing that concerns us.
    Nothing,
}

/// Why a webhook was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    /// The signature is missing or wrong, or there is nothing to check it with.
    #[error("the signature does not fit")]
    Signature,
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
}

/// The carriers of this installation, by name.
#[derive(Clone, Default)]
pub struct Carriers(Vec<Arc<dyn Carrier>>);

impl Carriers {
    /// These carriers.
    #[must_use]
    pub fn new(carriers: Vec<Arc<dyn Carrier>>) -> Self {
        Self(carriers)
    }

    /// What the rules need to know of them.
    #[must_use]
    pub fn known(&self) -> Vec<KnownCarrier> {
        let known = |carrier: &Arc<dyn Carrier>| KnownCarrier {
            name: carrier.name(),
            needs_settings: carrier.needs_settings(),
        };
        self.0.iter().map(known).collect()
    }

    /// The carrier of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Carrier>> {
        self.0.iter().find(|carrier| carrier.name() == name)
    }
}
