//! Who pays for the accounts of partners: a decision that can be plugged in.

use std::pin::Pin;
use std::sync::Arc;

use trunkline_domain::{ErrorCode, TeamId};
use trunkline_switchboard::partners::Policy;

use crate::http::error::ApiError;

/// What the operator decides about partners, and who decides about bills.
#[derive(Clone)]
pub struct Partners {
    /// The pool of numbers, and limits.
    pub policy: Arc<Policy>,
    /// Asked before an account is made.
    pub billing: Arc<dyn Billing>,
}

/// A seat that would be billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The partner's team.
    pub partner: TeamId,
    /// The login of the account.
    pub email: String,
    /// The partner's own reference.
    pub client_ref: Option<String>,
}

/// Why a seat is not billed. The words go to the partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The partner has no plan with room for it.
    NotBillable(Option<String>),
    /// It could not be found out, or the booking failed.
    Failed(Option<String>),
}

/// What a decision comes to.
pub type Decision<'d> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'd>>;

/// Decides whether a partner may have one more seat. It is asked before the account is made, outside of any transaction, and
/// may be asked again about the same seat; that an account was made in the end is told by `partner.account.created`.
pub trait Billing: Send + Sync {
    /// Whether it may.
    fn decide<'d>(&'d self, seat: &'d Seat) -> Decision<'d>;
}

/// Everybody may.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow;

impl Billing for Allow {
    fn decide<'d>(&'d self, _: &'d Seat) -> Decision<'d> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Default for Partners {
    fn default() -> Self {
        Self {
            policy: Arc::default(),
            billing: Arc::new(Allow),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = match refusal {
            Refusal::NotBillable(message) => (ErrorCode::PartnerSubscriptionNotBillable, message),
            Refusal::Failed(message) => (ErrorCode::PartnerBillingFailed, message),
        };
        Self {
            message,
            ..Self::new(code)
        }
    }
}
