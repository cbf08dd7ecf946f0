//! Texts that clients send: judged by the rules of `domain::sms`, then stored as `PENDING`.

use trunkline_domain::sms::ContentRules;
use trunkline_domain::sms::rules::{
    Accepted, Address, Facts, Line, LineFacts, Outgoing, Quota, Recipient, SenderIdStatus, Team, check,
};
use trunkline_domain::sms::segments::Segments;
use trunkline_domain::{Capability, ErrorCode, MessageId, Millis, PhoneNumber, UserId};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::text_counts;

use crate::lines::zone_of;
use crate::messages::{Origin, PutOut, message_id, put_out};
use crate::{Error, Refused, Work, consent};

/// What the operator of the server decides about texts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Words and links that are not let out.
    pub content: ContentRules,
    /// How many texts may go out on a day.
    pub limits: Limits,
    /// The carriers of this server.
    pub carriers: Vec<KnownCarrier>,
}

/// How many texts may go out on a day; `None`: any number. Days are those of the team's time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of a team on trial. With 0 such teams have no API at all.
    pub trial: i64,
    /// Of a team, through the API.
    pub api: Option<i64>,
    /// From a line, unless the line has a limit of its own; on a day of the line's time zone, if it has one.
    pub line: Option<i64>,
}

/// A carrier of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownCarrier {
    /// Its name, as lines store it.
    pub name: &'static str,
    /// Whether a line needs credentials for it.
    pub needs_settings: bool,
}

impl Policy {
    /// Whether a carrier is set up that sends for this line.
    fn sends_for(&self, line: &NumberRow) -> bool {
        self.carriers.iter().any(|known| {
            known.name == line.carrier && (!known.needs_settings || line.carrier_settings.is_some())
        })
    }
}

/// A text that was accepted.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its id.
    pub id: MessageId,
    /// The line it goes out from.
    pub line: NumberRow,
    /// To whom.
    pub to: PhoneNumber,
    /// Its size.
    pub segments: Segments,
    /// When it was accepted.
    pub at: Millis,
}

/// Holds a text against the rules and, if it may go out, stores it as `PENDING`, waiting for the line's carrier.
///
/// # Errors
/// The refusals of [`check`], in its order; `NUMBER_NOT_SMS_ENABLED` for media from a line that sends none.
pub fn submit(
    work: &mut Work<'_, '_>,
    text: &Outgoing,
    media: &[String],
    user: Option<UserId>,
    policy: &Policy,
) -> Result<Submitted, Error> {
    let line = match text.sender {
        Address::Number(number) => numbers::by_number(work.tx, work.team, number)?,
        Address::Name(sender) => numbers::by_sender_id(work.tx, work.team, sender)?,
    };
    let recipient = recipient(work, text, line.as_ref())?;
    let accepted = judge(work, text, line.as_ref(), recipient, policy)?;
    // Without a line, the rules have refused the text.
    let line = line.ok_or(ErrorCode::FromNumberNotFound)?;
    if !media.is_empty() && !line.capabilities.contains(&Capability::Mms) {
        let message = "The line sends texts, but no media: it has no MMS among its capabilities.";
        return Err(Refused::new(ErrorCode::NumberNotSmsEnabled)
            .param("media_urls")
            .because(message)
            .into());
    }
    let out = PutOut {
        line: &line,
        to: accepted.to,
        content: &text.content,
        media,
        user,
        origin: Origin::Api,
    };
    let item = put_out(work, &out)?;
    Ok(Submitted {
        id: message_id(&item)?,
        line,
        to: accepted.to,
        segments: accepted.segments,
        at: item.at,
    })
}

fn recipient(work: &mut Work<'_, '_>, text: &Outgoing, line: Option<&NumberRow>) -> Result<Recipient, Error> {
    Ok(match (text.to, line) {
        (Address::Name(sender), _) => Recipient {
            is_sender_id: numbers::by_sender_id(work.tx, work.team, sender)?.is_some(),
            opted_out: false,
        },
        (Address::Number(number), Some(line)) => Recipient {
            is_sender_id: false,
            opted_out: consent::standing(work, number, line.line)?.is_some_and(|consent| consent.opted_out),
        },
        (Address::Number(_), None) => Recipient::default(),
    })
}

fn judge(
    work: &mut Work<'_, '_>,
    text: &Outgoing,
    line: Option<&NumberRow>,
    recipient: Recipient,
    policy: &Policy,
) -> Result<Accepted, Error> {
    let today = work.day(work.now);
    let counts = text_counts::of_day(work.tx, work.team, today)?;
    let own = line.map(|line| zone_of(work, line));
    let sent = match (line, &own) {
        (Some(line), Some(zone)) => {
            text_counts::of_line(work.tx, work.team, line.line, work.now.day_in(zone).into())?
        }
        _ => 0,
    };
    let quota = |used, limit| Quota { used, limit };
    let facts = Facts {
        line: line.zip(own.as_ref()).map(|(line, zone)| Line {
            kind: match line.number {
                Some(_) => LineFacts::Number {
                    capabilities: &line.capabilities,
                    a2p_registered: line.a2p_registered,
                },
                None => LineFacts::SenderId {
                    status: line.sender_id_status.unwrap_or(SenderIdStatus::Pending),
                },
            },
            country: line.country.as_deref(),
            has_carrier: policy.sends_for(line),
            today: quota(sent, line.texts_per_day.or(policy.limits.line)),
            zone,
        }),
        recipient,
        team: Team {
            plan: work.plan,
            zone: work.zone(),
            trial: quota(counts.team, Some(policy.limits.trial)),
            api: quota(counts.api, policy.limits.api),
        },
        content: &policy.content,
        marketing_hours: work.marketing_hours,
        now: work.now,
    };
    Ok(check(text, &facts)?)
}
