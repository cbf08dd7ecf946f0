//! What lines may send: their registrations and limits.

use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{ErrorCode, LineKind};
use trunkline_store::numbers::{self, NumberRow};

use crate::accounts::note;
use crate::{Error, Refused, Work};

/// What of a line is to change; `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateNumber {
    /// Whether it is registered for texts of applications.
    pub a2p_registered: Option<bool>,
    /// Whether the sender id may be used.
    pub sender_id_status: Option<SenderIdStatus>,
    /// Texts it may send in a second; 0: as the operator has it for all lines.
    pub texts_per_second: Option<f64>,
    /// Texts it may send on a day; 0: as the operator has it for all lines.
    pub texts_per_day: Option<i64>,
}

/// The most texts a second that a line may be allowed: a microsecond each.
const MAX_TEXTS_PER_SECOND: f64 = 1_000_000.0;

/// The fewest: one in ten days.
const MIN_TEXTS_PER_SECOND: f64 = 0.000_001;

/// Changes what a line may send, and returns how it is now.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn update(work: &mut Work<'_, '_>, line: i64, changes: &UpdateNumber) -> Result<NumberRow, Error> {
    let before = numbers::by_line(work.tx, work.team, line)?.ok_or(ErrorCode::PhoneNumberNotFound)?;
    let mut after = before.clone();
    match (before.kind, changes.a2p_registered, changes.sender_id_status) {
        (LineKind::SenderId, Some(_), _) => {
            let message = "a sender id is not registered for A2P; it has a status";
            return Err(refused("a2p_registered", message));
        }
        (LineKind::Number, _, Some(_)) => {
            let message = "a phone number has no status; that is for sender ids";
            return Err(refused("sender_id_status", message));
        }
        (_, registered, status) => {
            after.a2p_registered = registered.unwrap_or(before.a2p_registered);
            after.sender_id_status = status.or(before.sender_id_status);
        }
    }
    match changes.texts_per_second {
        None => {}
        Some(0.0) => after.text_interval_us = None,
        Some(rate) if (MIN_TEXTS_PER_SECOND..=MAX_TEXTS_PER_SECOND).contains(&rate) => {
            after.text_interval_us = Some(interval_us(rate));
        }
        Some(_) => {
            let message =
                "texts_per_second must be a number up to 1,000,000, or 0 for the server's own limit";
            return Err(refused("texts_per_second", message));
        }
    }
    match changes.texts_per_day {
        None => {}
        Some(limit @ 0..) => after.texts_per_day = (limit > 0).then_some(limit),
        Some(_) => {
            let message = "texts_per_day must be a whole number, or 0 for the server's own limit";
            return Err(refused("texts_per_day", message));
        }
    }
    if after != before {
        numbers::update(work.tx, work.team, &after)?;
        let detail = format!("{} -> {}", settings(&before), settings(&after));
        note(work, "number.updated", &after.id.to_string(), Some(detail))?;
    }
    Ok(after)
}

/// The time between two texts at `rate` texts a second, in microseconds, rounded up; 0 for no limit.
#[must_use]
pub fn interval_us(rate: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates: a rate close to nothing is an endless time"
    )]
    let interval = (1_000_000.0 / rate).ceil() as i64;
    if rate > 0.0 { interval } else { 0 }
}

fn refused(param: &'static str, message: &str) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}

/// What may be sent from a line, for the audit log.
fn settings(line: &NumberRow) -> String {
    let standing = match line.sender_id_status {
        Some(status) => status.as_str(),
        None if line.a2p_registered => "registered for A2P",
        None => "not registered for A2P",
    };
    let limit = |limit: Option<i64>| limit.map_or_else(|| "the server's".to_owned(), |n| n.to_string());
    format!(
        "{standing}, microseconds between texts: {}, texts a day: {}",
        limit(line.text_interval_us),
        limit(line.texts_per_day)
    )
}
