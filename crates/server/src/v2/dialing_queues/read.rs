//! What clients say of queues: whose, which numbers, and what is known of whose these are.

use trunkline_domain::dialer::{MAX_ENTRIES, MAX_NAME as MAX_QUEUE_NAME};
use trunkline_domain::{ErrorCode, UserId};
use trunkline_switchboard::dialer::{Append, Clear, Target};
use trunkline_switchboard::people::{MAX_PER_CONTACT, is_email};

use crate::http::error::ApiError;
use crate::http::input::{Input, Sent};
use crate::v2::crm::people::MAX_ADDRESS;
use crate::v2::crm::{MAX_NAME, MAX_URL};

/// The longest text that may be a number.
const MAX_NUMBER: usize = 100;

/// The longest e-mail address (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

/// Reads whose queue is meant; `None`: that of the key's user.
pub(super) fn read_target(input: &mut Input) -> Option<Target> {
    let (id, email) = (input.text("user_id", 100), input.text("email", MAX_EMAIL));
    if input.sent("user_id") == Sent::Value {
        return id.map(|id| UserId::parse(&id).map_or(Target::Nobody, Target::User));
    }
    email.map(Target::Email)
}

/// Reads the new name of a queue.
pub(super) fn read_name(input: &mut Input) -> Option<Option<String>> {
    let name = input.text_or_null("name", MAX_QUEUE_NAME)?;
    let name = name.map(|name| name.trim().to_owned());
    if name.as_deref() == Some("") {
        input.empty("name");
    }
    Some(name)
}

/// Reads which numbers to remove. What is wrong with the filters together is told when each of them was read.
pub(super) fn read_clear(input: &mut Input) -> Result<Clear, ApiError> {
    let number = input.text("number", MAX_NUMBER);
    let position = input.integer("position", 0..=i64::MAX, ErrorCode::InvalidParameter);
    let uncalled = input.flag("unassigned") == Some(true);
    let by_entry = [number.is_some(), position.is_some()].contains(&true);
    match (number, position) {
        _ if uncalled && by_entry => {
            Err(ApiError::new(ErrorCode::DialingQueueDeleteFilterConflict).param("unassigned"))
        }
        (Some(number), position) => Ok(Clear::Number(number, position)),
        (None, Some(position)) => Ok(Clear::Position(position)),
        (None, None) if uncalled => Ok(Clear::Uncalled),
        (None, None) => Err(ErrorCode::DialingQueueDeleteFilterRequired.into()),
    }
}

/// Reads the numbers to be queued.
pub(super) fn read_numbers(input: &mut Input) -> Vec<Append> {
    let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX);
    let entries = input.objects_or("numbers", most, ErrorCode::DialingQueueLimitReached);
    if input.sent("numbers") != Sent::Value {
        input.missing("numbers");
    } else if entries.as_ref().is_some_and(Vec::is_empty) {
        input.empty("numbers");
    }
    let mut all = Vec::new();
    for mut entry in entries.unwrap_or_default() {
        all.push(read_number(&mut entry));
        input.absorb(entry);
    }
    all
}

fn read_number(entry: &mut Input) -> Append {
    let number = entry.text("number", MAX_NUMBER);
    if entry.sent("number") != Sent::Value {
        entry.missing("number");
    }
    let emails = entry.texts("emails", MAX_PER_CONTACT).unwrap_or_default();
    let emails: Vec<String> = emails.iter().map(|email| email.trim().to_lowercase()).collect();
    if let Some(faulty) = emails.iter().find(|email| !is_email(email)) {
        let shown: String = faulty.chars().take(80).collect();
        let message = format!("{shown:?} is no e-mail address");
        entry.fault(ErrorCode::InvalidParameter, "emails", message);
    }
    let addresses = entry.texts("addresses", MAX_PER_CONTACT).unwrap_or_default();
    if addresses
        .iter()
        .any(|text| text.chars().nth(MAX_ADDRESS).is_some())
    {
        let message = format!("an address has more than {MAX_ADDRESS} characters");
        entry.fault(ErrorCode::InvalidLength, "addresses", message);
    }
    let mut text = |name, max| {
        let text: Option<String> = entry.text(name, max);
        text.filter(|text| !text.trim().is_empty())
    };
    Append {
        number: number.unwrap_or_default(),
        first_name: text("name", MAX_NAME),
        last_name: text("last_name", MAX_NAME),
        job_title: text("job_title", MAX_NAME),
        website: text("website", MAX_URL),
        company: text("company", MAX_NAME),
        address: addresses.into_iter().find(|text| !text.trim().is_empty()),
        emails,
    }
}
