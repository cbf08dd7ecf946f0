//! What a carrier is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trunkline_switchboard::messages::{Outgoing, Receive, Report};

/// A carrier for texts.
pub trait Carrier: Send + Sync + 'static {
    /// Its name, as lines and messages store it.
    fn name(&self) -> &'static str;

    /// Hands a text over. `settings` is what the line stores for this carrier, opened.
    fn send<'s>(
        &'s self,
        text: &'s Outgoing,
        settings: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + Send + 's>>;

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

/// Why a carrier did not take a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It never will.
    #[error("the carrier refused the text: {0}")]
    Refused(String),
    /// It may later; nothing was sent.
    #[error("the carrier cannot take the text now: {0}")]
    Later(String),
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

    /// The carrier of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Carrier>> {
        self.0.iter().find(|carrier| carrier.name() == name)
    }
}
