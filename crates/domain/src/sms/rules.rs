//! What `POST /v1/api/sms` takes and refuses.
//!
//! A request is judged in two steps, so that what the second needs can be looked up in between:
//!
//! 1. [`Outgoing::read`] makes sense of the body. Its faults, in this order, are those of the sender
//!    (`MISSING_PARAMETER`, `INVALID_PARAMETER`, `INVALID_SENDER_ID`, `INVALID_PHONE_FORMAT`), of `to`
//!    (`MISSING_PARAMETER`, `INVALID_PHONE_FORMAT`) and of the content (`MISSING_PARAMETER`, `INVALID_PARAMETER`,
//!    `INVALID_LENGTH`).
//! 2. [`check`] holds it against the facts. The first rule that is broken is the answer, in this order:
//!    - **the sender**: `SENDER_ID_INBOX_CANNOT_SEND_SMS`, `INVALID_PHONE_FORMAT` (a name where a number belongs),
//!      `FROM_NUMBER_NOT_FOUND` or `SENDER_ID_NOT_FOUND`; then for a number `NUMBER_NOT_SMS_ENABLED` and
//!      `A2P_NOT_ENABLED`, for a sender id `SENDER_ID_NOT_ACTIVE`; then `PROVIDER_NOT_SUPPORTED`;
//!    - **the recipient**: `SENDER_ID_INBOX_CANNOT_SEND_SMS`, `INVALID_PHONE_FORMAT`, `INVALID_TO_NUMBER`,
//!      `TO_NUMBER_COUNTRY_MISMATCH`, `LANDLINE_NUMBER_NOT_SUPPORTED`;
//!    - **compliance**, all `MESSAGE_NOT_COMPLIANT`: the recipient opted out, the operator's content rules, the French
//!      marketing hours;
//!    - **the day's limits**: `TRIAL_SMS_LIMIT_REACHED`, `SMS_LIMIT_REACHED`, `DAILY_SMS_LIMIT_REACHED`. They come last:
//!      whoever is told to wait until tomorrow would not be helped by it if the text were refused then.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::content::ContentRules;
use super::marketing::{NextAllowed, may_send};
use super::numbering::{assigned, state_of};
use super::segments::{Segments, count};
use super::sender_id::SenderId;
use crate::model::named;
use crate::{Capability, ErrorCode, Millis, PhoneNumber, Plan};

/// The most characters (Unicode scalar values) of a text.
pub const MAX_CHARACTERS: usize = 1_000;

/// Why a text is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// Its code.
    pub code: ErrorCode,
    /// The field of the body that is to blame.
    pub param: Option<&'static str>,
    /// What is wrong. It may repeat what the client sent, so it is for the answer and not for the log.
    pub message: Cow<'static, str>,
    /// Whole seconds until the same request can succeed: to the team's midnight, with the codes of the day's limits.
    pub retry_after: Option<u64>,
}

impl Refused {
    fn new(code: ErrorCode, param: &'static str) -> Self {
        Self {
            code,
            param: Some(param),
            message: Cow::Borrowed(code.message()),
            retry_after: None,
        }
    }

    fn because(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            ..self
        }
    }
}

/// The fields of a body that are about the text, each `None` where it is absent or null. The published forms are
/// `{from, to, message}`, `{sender_id, to, message}` and `{allo_number, to, content}`; mixed ones do no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// A number of the team.
    pub from: Option<&'a str>,
    /// A sender id of the team.
    pub sender_id: Option<&'a str>,
    /// Another name of `from`.
    pub allo_number: Option<&'a str>,
    /// The recipient.
    pub to: Option<&'a str>,
    /// The text.
    pub message: Option<&'a str>,
    /// Another name of `message`.
    pub content: Option<&'a str>,
}

/// What stands where a number is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// A number.
    Number(PhoneNumber),
    /// A word that could be a sender id.
    Name(SenderId),
}

/// Which field names the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SenderField {
    From,
    AlloNumber,
    SenderId,
}

impl SenderField {
    const fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::AlloNumber => "allo_number",
            Self::SenderId => "sender_id",
        }
    }
}

/// A text that is to go out, as the body has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What names the team's line: a number, or a sender id.
    pub sender: Address,
    /// What names the recipient.
    pub to: Address,
    /// The text, as it came.
    pub content: String,
    field: SenderField,
    content_field: &'static str,
}

impl Outgoing {
    /// Makes sense of a body.
    ///
    /// # Errors
    /// The first fault, in the order that this module's documentation gives.
    pub fn read(fields: &Fields<'_>) -> Result<Self, Refused> {
        let (field, name) = one_of([
            (SenderField::From, fields.from),
            (SenderField::AlloNumber, fields.allo_number),
            (SenderField::SenderId, fields.sender_id),
        ])
        .map_err(|given| match given {
            None => Refused::new(ErrorCode::MissingParameter, "from")
                .because("Say in `from` or `sender_id` which line of the team sends the text."),
            Some(second) => Refused::new(ErrorCode::InvalidParameter, second.name())
                .because("Only one of `from`, `allo_number` and `sender_id` can name the sender."),
        })?;
        let sender = match field {
            SenderField::SenderId => SenderId::parse(name)
                .map(Address::Name)
                .map_err(|_| Refused::new(ErrorCode::InvalidSenderId, field.name()))?,
            SenderField::From | SenderField::AlloNumber => address(name, field.name())?,
        };
        let to = fields
            .to
            .ok_or_else(|| Refused::new(ErrorCode::MissingParameter, "to"))?;
        let to = address(to, "to")?;
        let (content_field, content) = one_of([("message", fields.message), ("content", fields.content)])
            .map_err(|given| match given {
                None => Refused::new(ErrorCode::MissingParameter, "message"),
                Some(second) => Refused::new(ErrorCode::InvalidParameter, second)
                    .because("`message` and `content` are two names of one field; only one can be sent."),
            })?;
        if content.trim().is_empty() || content.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(Refused::new(ErrorCode::InvalidLength, content_field));
        }
        Ok(Self {
            sender,
            to,
            content: content.to_owned(),
            field,
            content_field,
        })
    }
}

/// The one that was given. Errors with the second one, or with `None` when there is none at all.
fn one_of<F: Copy, const N: usize>(fields: [(F, Option<&str>); N]) -> Result<(F, &str), Option<F>> {
    let mut given = fields
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)));
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (_, second) => Err(second.map(|(field, _)| field)),
    }
}

fn address(text: &str, param: &'static str) -> Result<Address, Refused> {
    PhoneNumber::parse(text)
        .map(Address::Number)
        .or_else(|_| SenderId::parse(text).map(Address::Name))
        .map_err(|_| Refused::new(ErrorCode::InvalidPhoneFormat, param))
}

named! {
    /// Whether a sender id may be used.
    SenderIdStatus {
        /// Its registration is under way.
        Pending = "PENDING",
        /// Yes.
        Active = "ACTIVE",
        /// Its registration was refused.
        Rejected = "REJECTED",
        /// Not any more, or not for the time being.
        Suspended = "SUSPENDED",
    }
}

impl SenderIdStatus {
    /// Whether the team itself may move its sender id from `self` to `to`: it can ask (again) for a registration and stop
    /// using a name. That a name may be used, or not, is the carrier's word, and the operator's to enter.
    #[must_use]
    pub const fn team_may_set(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Pending | Self::Suspended)
                | (Self::Active, Self::Active | Self::Suspended)
                | (Self::Rejected, Self::Rejected | Self::Pending)
                | (Self::Suspended, Self::Suspended | Self::Pending)
        )
    }
}

/// Whether texts of applications from numbers of this country need a registration (A2P): in the US and in Canada.
#[must_use]
pub fn needs_a2p(country: Option<&str>) -> bool {
    matches!(country, Some("US" | "CA"))
}

/// Everything that [`check`] needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The line of the team that [`Outgoing::sender`] names: by its number, or by its sender id without regard to case;
    /// `None` when the team has none.
    pub line: Option<Line<'a>>,
    /// The recipient.
    pub recipient: Recipient,
    /// The team.
    pub team: Team<'a>,
    /// The operator's rules.
    pub content: &'a ContentRules,
    /// Whether the team keeps to the French marketing hours; they then hold for all texts from sender ids to France,
    /// since nothing else tells marketing from other texts.
    pub marketing_hours: bool,
    /// Now.
    pub now: Millis,
}

/// A line of the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is.
    pub kind: LineFacts<'a>,
    /// Its country (ISO 3166-1 alpha-2). For a number, `None` means that the numbering plan decides.
    pub country: Option<&'a str>,
    /// Whether a carrier is set up that sends for it.
    pub has_carrier: bool,
    /// The texts that were sent from it today.
    pub today: Quota,
    /// Where its midnight is.
    pub zone: &'a TimeZone,
}

/// What a line is, and what comes with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFacts<'a> {
    /// A phone number.
    Number {
        /// What it can do.
        capabilities: &'a [Capability],
        /// Whether it is registered for texts of applications (10DLC, or the verification of a toll-free number); asked
        /// for in the US and in Canada only.
        a2p_registered: bool,
    },
    /// A sender id.
    SenderId {
        /// Whether it may be used.
        status: SenderIdStatus,
    },
}

/// What is known of the recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Whether [`Outgoing::to`] is the name of a sender id of the team.
    pub is_sender_id: bool,
    /// Whether the recipient opted out of texts from this line.
    pub opted_out: bool,
}

/// The sender's team. Its limits are counted over the days of its time zone.
#[derive(Clone, Copy, Debug)]
pub struct Team<'a> {
    /// What it pays for.
    pub plan: Plan,
    /// Where its days begin.
    pub zone: &'a TimeZone,
    /// All its texts of today, which are limited on trial plans.
    pub trial: Quota,
    /// Its texts of today that came through the API.
    pub api: Quota,
}

/// How many texts were sent today, and how many may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Sent.
    pub used: i64,
    /// The most; `None` for no limit.
    pub limit: Option<i64>,
}

impl Quota {
    fn is_used_up(self) -> bool {
        self.limit.is_some_and(|limit| self.used >= limit)
    }
}

/// A text that may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The recipient.
    pub to: PhoneNumber,
    /// Its size.
    pub segments: Segments,
}

/// Holds a text against the facts. It says nothing of texts that answer an opt-out: those go to people who opted out.
///
/// # Errors
/// The first rule that is broken, in the order that this module's documentation gives.
pub fn check(text: &Outgoing, facts: &Facts<'_>) -> Result<Accepted, Refused> {
    let line = sender(text, facts)?;
    let to = recipient(text, line, facts)?;
    compliance(text, to, facts)?;
    limits(text, line, facts)?;
    Ok(Accepted {
        to: to.number,
        segments: count(&text.content),
    })
}

fn sender<'f, 'a>(text: &Outgoing, facts: &'f Facts<'a>) -> Result<&'f Line<'a>, Refused> {
    let refused = |code: ErrorCode| Refused::new(code, text.field.name());
    let line = match (text.field, text.sender, &facts.line) {
        (SenderField::SenderId, _, None) => return Err(refused(ErrorCode::SenderIdNotFound)),
        (_, Address::Name(_), None) => return Err(refused(ErrorCode::InvalidPhoneFormat)),
        (_, Address::Number(_), None) => return Err(refused(ErrorCode::FromNumberNotFound)),
        (SenderField::SenderId, _, Some(line)) | (_, Address::Number(_), Some(line)) => line,
        (_, Address::Name(_), Some(_)) => return Err(refused(ErrorCode::SenderIdInboxCannotSendSms)),
    };
    match line.kind {
        LineFacts::Number {
            capabilities,
            a2p_registered,
        } => {
            if !capabilities.contains(&Capability::Sms) {
                return Err(refused(ErrorCode::NumberNotSmsEnabled));
            }
            if !a2p_registered && needs_a2p(country_of(line, text)) {
                return Err(refused(ErrorCode::A2pNotEnabled));
            }
        }
        LineFacts::SenderId {
            status: SenderIdStatus::Active,
        } => {}
        LineFacts::SenderId { .. } => return Err(refused(ErrorCode::SenderIdNotActive)),
    }
    if !line.has_carrier {
        return Err(refused(ErrorCode::ProviderNotSupported));
    }
    Ok(line)
}

/// The country that the line texts in.
fn country_of<'a>(line: &Line<'a>, text: &Outgoing) -> Option<&'a str> {
    let by_plan = || match text.sender {
        Address::Number(number) => assigned(number)?.country,
        Address::Name(_) => None,
    };
    line.country.or_else(by_plan).map(state_of)
}

/// A recipient that can be texted.
#[derive(Clone, Copy)]
struct Reached {
    number: PhoneNumber,
    country: Option<&'static str>,
}

fn recipient(text: &Outgoing, line: &Line<'_>, facts: &Facts<'_>) -> Result<Reached, Refused> {
    let refused = |code: ErrorCode| Refused::new(code, "to");
    let number = match text.to {
        Address::Number(number) => number,
        Address::Name(_) if facts.recipient.is_sender_id => {
            return Err(refused(ErrorCode::SenderIdInboxCannotSendSms)
                .because("`to` names a sender id, and a sender id cannot receive texts."));
        }
        Address::Name(_) => return Err(refused(ErrorCode::InvalidPhoneFormat)),
    };
    if text.sender == text.to {
        return Err(refused(ErrorCode::InvalidToNumber).because("A number cannot text itself."));
    }
    let plan = assigned(number).ok_or_else(|| refused(ErrorCode::InvalidToNumber))?;
    let (ours, theirs) = (country_of(line, text), plan.country.map(state_of));
    if ours.is_none() || ours != theirs {
        let name = |country: Option<&str>| country.unwrap_or("no country").to_owned();
        return Err(refused(ErrorCode::ToNumberCountryMismatch).because(format!(
            "Texts go out within one country: `{}` is of {}, `to` of {}.",
            text.field.name(),
            name(ours),
            name(theirs)
        )));
    }
    if plan.landline {
        return Err(refused(ErrorCode::LandlineNumberNotSupported));
    }
    Ok(Reached {
        number,
        country: theirs,
    })
}

fn compliance(text: &Outgoing, to: Reached, facts: &Facts<'_>) -> Result<(), Refused> {
    let refused = |param: &'static str, message: Cow<'static, str>| {
        Err(Refused::new(ErrorCode::MessageNotCompliant, param).because(message))
    };
    if facts.recipient.opted_out {
        let message = "The recipient has opted out of texts from this line, and has not opted in again.";
        return refused("to", Cow::Borrowed(message));
    }
    if let Some(breach) = facts.content.breach(&text.content) {
        let message = format!("The text has {breach}, which this server does not let out.");
        return refused(text.content_field, Cow::Owned(message));
    }
    let by_sender_id = text.field == SenderField::SenderId;
    if facts.marketing_hours
        && by_sender_id
        && to.country == Some("FR")
        && let Err(NextAllowed(next)) = may_send(facts.now)
    {
        let message = format!(
            "Marketing texts do not go to France at this hour or on this day; from {next} on they do."
        );
        return refused("sender_id", Cow::Owned(message));
    }
    Ok(())
}

fn limits(text: &Outgoing, line: &Line<'_>, facts: &Facts<'_>) -> Result<(), Refused> {
    let team = &facts.team;
    let trial = match team.plan {
        Plan::Trial => team.trial,
        Plan::Business => Quota::default(),
    };
    let limits = [
        (trial, ErrorCode::TrialSmsLimitReached, None, team.zone),
        (team.api, ErrorCode::SmsLimitReached, None, team.zone),
        (
            line.today,
            ErrorCode::DailySmsLimitReached,
            Some(text.field.name()),
            line.zone,
        ),
    ];
    match limits.into_iter().find(|(quota, ..)| quota.is_used_up()) {
        None => Ok(()),
        Some((_, code, param, zone)) => Err(Refused {
            code,
            param,
            message: Cow::Borrowed(code.message()),
            retry_after: Some(seconds_to_midnight(facts.now, zone)),
        }),
    }
}

/// Whole seconds to the beginning of the next day in `zone`, at least one.
fn seconds_to_midnight(now: Millis, zone: &TimeZone) -> u64 {
    let tomorrow = now.date_in(zone).tomorrow();
    let midnight = tomorrow.and_then(|date| Millis::start_of(date, zone));
    let left = midnight.map_or(Millis::DAY, |midnight| midnight.since(now));
    u64::try_from(left).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests;
