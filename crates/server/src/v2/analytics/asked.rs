//! What a report is asked for, and the way from the request to the answer that all of them go.

use axum::http::HeaderMap;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Serialize;
use trunkline_domain::analytics::{DateRange, Granularity, RangeError};
use trunkline_domain::{ErrorCode, Millis, PhoneNumber, UserId};
use trunkline_store::analytics::Whose;
use trunkline_store::keys::KeyOwner;
use trunkline_store::{Conn, TeamKey, numbers, teams};

use super::csv::{self, Row};
use crate::AppState;
use crate::http::csv::wants_csv;
use crate::http::error::ApiError;
use crate::http::input::{Body, Input};
use crate::http::reply;

/// After how long a report is worth another try whose figures are being moved.
const MOVING_SECONDS: u64 = 5;

/// The most users or numbers a report can be limited to.
const MAX_FILTER: usize = 500;

/// What a report is asked for: `own` is what only this kind of report takes.
pub(super) struct Asked<T> {
    pub(super) team: TeamKey,
    pub(super) range: DateRange,
    pub(super) compare: Option<DateRange>,
    pub(super) who: Who,
    pub(super) zone: TimeZone,
    /// The present.
    pub(super) now: Millis,
    pub(super) own: T,
}

impl<T> Asked<T> {
    /// Reads a request; every fault of it is named.
    pub(super) fn read(
        Body(mut input): Body,
        owner: &KeyOwner,
        state: &AppState,
        own: impl FnOnce(&mut Input) -> T,
    ) -> Result<Self, ApiError> {
        let range = read_range(&mut input, "date");
        if range == Some(None) {
            input.missing("date");
        }
        let compare = read_range(&mut input, "compare_date");
        let who = read_who(&mut input);
        let own = own(&mut input);
        input.finish()?;
        // Where one of them is missing, a fault was noted, and `finish` has told of it.
        let ranges = range.flatten().zip(compare);
        let (range, compare) = ranges.ok_or(ErrorCode::InternalServerError)?;
        Ok(Self {
            team: owner.team,
            range,
            compare,
            who,
            zone: TimeZone::get(&owner.time_zone).unwrap_or(TimeZone::UTC),
            now: state.board.now(),
            own,
        })
    }
}

/// The time zone by whose days the team's figures are counted, and its name.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` while they are being moved to those of another one.
pub(in crate::v2) fn counted_in(conn: &mut Conn<'_>, team: TeamKey) -> Result<(String, TimeZone), ApiError> {
    let days = teams::days(conn, team)?.ok_or(ErrorCode::TeamNotFound)?;
    if days.are_moving {
        return Err(ApiError {
            retry_after: Some(MOVING_SECONDS),
            ..ApiError::new(ErrorCode::ServiceUnavailable)
                .message("the team's time zone was changed, and its figures are being counted by the new days")
                .suggestion("Try again after `retry_after_seconds`; everything but reports and usage answers meanwhile.")
        });
    }
    let zone = TimeZone::get(&days.time_zone).unwrap_or(TimeZone::UTC);
    Ok((days.time_zone, zone))
}

impl<T: Send + 'static> Asked<T> {
    /// Makes the report at one moment of the store, and answers in the form that the client asks for: CSV for
    /// `Accept: text/csv`, JSON otherwise.
    pub(super) async fn answer<V: Serialize + Send + 'static>(
        mut self,
        state: &AppState,
        headers: &HeaderMap,
        name: &str,
        make: fn(&mut Conn<'_>, &Self) -> Result<V, ApiError>,
        rows: fn(&V) -> Vec<Row>,
    ) -> Result<Response, ApiError> {
        let scan = move |conn: &mut Conn<'_>| {
            conn.at_one_moment(|conn| {
                // Another node may have changed it since the key was looked up.
                self.zone = counted_in(conn, self.team)?.1;
                make(conn, &self)
            })
        };
        let view = state.board.db().scan(scan).await?;
        if wants_csv(headers) {
            return Ok(csv::answer(name, &rows(&view)));
        }
        Ok(reply::data(view))
    }
}

/// Whose calls, as the client says it.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Everybody,
    Users(Vec<UserId>),
    Numbers(Vec<PhoneNumber>),
}

impl Who {
    /// With the lines looked up.
    pub(super) fn look_up(&self, conn: &mut Conn<'_>, team: TeamKey) -> Result<Whose, ApiError> {
        Ok(match self {
            Self::Everybody => Whose::Everybodys,
            Self::Users(users) => Whose::Users(users.clone()),
            Self::Numbers(wanted) => {
                let mut lines = Vec::with_capacity(wanted.len());
                for number in wanted {
                    let line = numbers::line_of(conn, team, *number)?;
                    lines.push(line.ok_or_else(|| {
                        ApiError::new(ErrorCode::PhoneNumberNotFound)
                            .param("allo_numbers")
                            .message(format!("{number} is not a number of the team"))
                    })?);
                }
                Whose::Lines(lines)
            }
        })
    }
}

/// A range of days: `Some(None)` when there is none, `None` when it is faulty.
fn read_range(input: &mut Input, name: &'static str) -> Option<Option<DateRange>> {
    if input.sent(name) != crate::http::input::Sent::Value {
        input.object(name);
        return Some(None);
    }
    let mut object = input.object(name)?;
    let (from, to) = (
        object.date("from", ErrorCode::InvalidDateRange),
        object.date("to", ErrorCode::InvalidDateRange),
    );
    for (name, date) in [("from", from), ("to", to)] {
        if date.is_none() {
            object.missing(name);
        }
    }
    let range = from.zip(to).and_then(|(from, to)| {
        let range = DateRange::new(from, to);
        if let Err(error) = range {
            let code = match error {
                RangeError::Backwards { .. } => ErrorCode::InvalidDateRange,
                RangeError::TooWide { .. } => ErrorCode::DateRangeTooWide,
            };
            object.fault(code, "from", error.to_string());
        }
        range.ok()
    });
    input.absorb(object);
    range.map(Some)
}

fn read_who(input: &mut Input) -> Who {
    let users = input.texts("user_ids", MAX_FILTER).unwrap_or_default();
    let numbers = input.texts("allo_numbers", MAX_FILTER).unwrap_or_default();
    if !users.is_empty() && !numbers.is_empty() {
        input.fault_with(
            ErrorCode::InvalidParameter,
            "allo_numbers",
            "user_ids and allo_numbers cannot be combined".to_owned(),
            "Send one of the two, or neither for the whole team.".to_owned(),
        );
    }
    if !numbers.is_empty() {
        return Who::Numbers(read_numbers(input, &numbers));
    }
    if users.is_empty() {
        return Who::Everybody;
    }
    // What is no id is nobody's: it matches nothing.
    let mut ids: Vec<UserId> = users.iter().filter_map(|text| UserId::parse(text).ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    Who::Users(ids)
}

fn read_numbers(input: &mut Input, texts: &[String]) -> Vec<PhoneNumber> {
    let mut numbers: Vec<PhoneNumber> = Vec::with_capacity(texts.len());
    for text in texts {
        match PhoneNumber::parse(text) {
            Ok(number) if !numbers.contains(&number) => numbers.push(number),
            Ok(_) => {}
            Err(_) => {
                let shown: String = text.chars().take(40).collect();
                let message = format!("{shown:?} is not a phone number in E.164 form");
                input.fault(ErrorCode::InvalidPhoneFormat, "allo_numbers", message);
                break;
            }
        }
    }
    numbers
}

/// Reads the width of a series' buckets: days unless the client says otherwise.
pub(super) fn read_granularity(input: &mut Input) -> Granularity {
    let granularity = input.name_or("granularity", ErrorCode::InvalidGranularity);
    granularity.unwrap_or(Granularity::Day)
}

/// Reads keys of tags.
pub(super) fn read_tags(input: &mut Input) -> Vec<String> {
    let texts = input.texts("tags", 50).unwrap_or_default();
    // What makes no key is on no call: kept as it is, it matches nothing.
    let mut tags: Vec<String> = texts
        .into_iter()
        .map(|text| trunkline_domain::tag::key(&text).unwrap_or(text))
        .collect();
    tags.sort();
    tags.dedup();
    tags
}
