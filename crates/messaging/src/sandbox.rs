//! The sandbox: the outside world in a box.
//!
//! A text to an outside number meets a fate that the number's last four digits decide, and so does a call:
//!
//! | ends in | a text | a call |
//! |---|---|---|
//! | `0001` | fails: unreachable | is never answered |
//! | `0002` | fails: a landline | is busy |
//! | `0003` | is sent, and no receipt ever comes | goes to voicemail |
//! | `0004` | is refused at first, and sent on the second attempt | fails to connect |
//! | other | is delivered within a second | is answered |

use std::future::Future;
use std::pin::Pin;

use trunkline_domain::{MessageStatus, PhoneNumber};
use trunkline_switchboard::messages::{Outgoing, Report};

use crate::carrier::{Accepted, Carrier, FollowUp, Inbound, InboundError, SendError, Webhook};
use crate::play::Outcome;

/// The carrier's name.
pub const NAME: &str = trunkline_switchboard::accounts::SANDBOX;

/// How long the sandbox takes to deliver a text.
const DELIVERY_MS: i64 = 700;

/// The carrier.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

/// The fate of a text to this number.
fn fate(to: PhoneNumber) -> Fate {
    match to.as_str().get(to.as_str().len() - 4..) {
        Some("0001") => Fate::Fails("the number cannot be reached"),
        Some("0002") => Fate::Fails("the number is a landline"),
        Some("0003") => Fate::NoReceipt,
        Some("0004") => Fate::SecondAttempt,
        _ => Fate::Delivered,
    }
}

/// The fate of a call to this number.
#[must_use]
pub fn call_outcome(to: PhoneNumber) -> Outcome {
    match to.as_str().get(to.as_str().len() - 4..) {
        Some("0001") => Outcome::Missed,
        Some("0002") => Outcome::Busy,
        Some("0003") => Outcome::Voicemail,
        Some("0004") => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    NoReceipt,
    SecondAttempt,
    Fails(&'static str),
}

impl Carrier for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_paced(&self) -> bool {
        false
    }

    fn send<'s>(
        &'s self,
        text: &'s Outgoing,
        _: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + Send + 's>> {
        let report = |status, reason: Option<&str>| Report {
            status,
            carrier_ref: None,
            failure_reason: reason.map(str::to_owned),
        };
        let follow_up = |report| {
            Some(FollowUp {
                after_ms: DELIVERY_MS,
                report,
            })
        };
        let carrier_ref = format!("sandbox-{}", text.id);
        let outcome = match fate(text.to) {
            Fate::SecondAttempt if text.attempts < 2 => {
                Err(SendError::Later("the sandbox refuses the first attempt".into()))
            }
            Fate::Delivered | Fate::SecondAttempt => Ok(Accepted {
                carrier_ref,
                follow_up: follow_up(report(MessageStatus::Delivered, None)),
            }),
            Fate::NoReceipt => Ok(Accepted {
                carrier_ref,
                follow_up: None,
            }),
            Fate::Fails(reason) => Ok(Accepted {
                carrier_ref,
                follow_up: follow_up(report(MessageStatus::Failed, Some(reason))),
            }),
        };
        Box::pin(std::future::ready(outcome))
    }

    fn inbound(&self, _: &Webhook<'_>, _: Option<&str>) -> Result<Inbound, InboundError> {
        Err(InboundError::Malformed(
            "the sandbox has no webhooks: use POST /sandbox/messages".into(),
        ))
    }
}
