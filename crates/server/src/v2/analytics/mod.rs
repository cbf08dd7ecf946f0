//! Reports: what all of them are asked for, and what their figures look like.
//!
//! Days are the team's. A report is read at one moment, from what the store keeps of ended calls and from the calls that
//! still last, so that a call that ended a second ago is in it.

mod csv;
pub mod inbound;
pub mod messages;
pub mod outbound;
pub mod overview;
mod period;

use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange, Granularity, RangeError};
use trunkline_domain::{ErrorCode, Millis, PhoneNumber, UserId};
use trunkline_store::analytics::Whose;
use trunkline_store::{Conn, TeamKey, numbers};

use crate::http::csv::wants_csv;
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::reply;

pub(crate) use period::WEEKDAYS;

/// The most users or numbers a report can be limited to.
const MAX_FILTER: usize = 500;

/// Days in the team's time zone, both included.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AnalyticsDateRange)]
pub struct DateRangeView {
    /// First day.
    #[schema(value_type = String, format = Date, example = "2026-03-25")]
    from: Date,
    /// Last day, included.
    #[schema(value_type = String, format = Date, example = "2026-04-21")]
    to: Date,
}

impl From<DateRange> for DateRangeView {
    fn from(range: DateRange) -> Self {
        Self {
            from: range.from(),
            to: range.to(),
        }
    }
}

/// A whole number or a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    const fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    /// As it is shown.
    fn shown(self) -> Self {
        match self {
            Self::Whole(_) => self,
            Self::Real(number) => Self::Real(analytics::rounded(number)),
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// A figure, and how it compares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = MetricValue)]
pub struct MetricView {
    /// Of the days asked for.
    #[schema(value_type = f64, example = 2899)]
    value: Number,
    /// Of the days compared with; `null` without any.
    #[schema(value_type = Option<f64>, example = 2512)]
    previous: Option<Number>,
    /// By which share of `previous` it has changed: 0.15 is 15 % more. `null` where there is no `previous`, or it is 0.
    #[schema(example = 0.1541)]
    change: Option<f64>,
}

impl MetricView {
    /// `of` is asked of both periods.
    fn new<P, N: Into<Number>>(current: &P, previous: Option<&P>, of: impl Fn(&P) -> N) -> Self {
        let value = of(current).into();
        let previous = previous.map(|period| of(period).into());
        let change = previous.and_then(|previous| analytics::change(value.real(), previous.real()));
        Self {
            value: value.shown(),
            previous: previous.map(Number::shown),
            change: change.map(analytics::rounded),
        }
    }
}

/// A figure of a bucket of days.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TimeSeriesPoint)]
pub struct PointView {
    /// The bucket's first day: a week's Monday, a month's first.
    #[schema(value_type = String, format = Date, example = "2026-03-25")]
    date: Date,
    #[schema(value_type = f64, example = 104)]
    value: Number,
}

/// What every report is asked for.
struct Asked {
    range: DateRange,
    compare: Option<DateRange>,
    who: Who,
    zone: TimeZone,
}

/// Whose calls, as the client says it.
#[derive(Clone, Debug)]
enum Who {
    Everybody,
    Users(Vec<UserId>),
    Numbers(Vec<PhoneNumber>),
}

impl Who {
    /// With the lines looked up.
    fn look_up(&self, conn: &mut Conn<'_>, team: TeamKey) -> Result<Whose, ApiError> {
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

/// Reads what all reports share. `None` when a fault was noted.
fn read_asked(input: &mut Input, time_zone: &str) -> Option<Asked> {
    let range = read_range(input, "date");
    if range == Some(None) {
        input.missing("date");
    }
    let compare = read_range(input, "compare_date");
    let who = read_who(input);
    Some(Asked {
        range: range.flatten()?,
        compare: compare?,
        who,
        zone: TimeZone::get(time_zone).unwrap_or(TimeZone::UTC),
    })
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

fn read_granularity(input: &mut Input) -> Granularity {
    let granularity = input.name_or("granularity", ErrorCode::InvalidGranularity);
    granularity.unwrap_or(Granularity::Day)
}

/// Reads keys of tags.
fn read_tags(input: &mut Input) -> Vec<String> {
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

/// Answers in the form that the client asks for: CSV for `Accept: text/csv`, JSON otherwise.
fn answer<T: Serialize>(
    headers: &HeaderMap,
    name: &str,
    view: T,
    rows: impl FnOnce(&T) -> Vec<csv::Row>,
) -> Response {
    if wants_csv(headers) {
        return csv::answer(name, &rows(&view));
    }
    reply::data(view)
}

/// Seconds of milliseconds, on average; 0 where there is nothing to have an average of.
fn average_seconds(sum_ms: i64, count: i64) -> f64 {
    analytics::share(sum_ms, count).unwrap_or(0.0) / 1_000.0
}

/// The present, to the second: when the figures were read.
const fn as_of(now: Millis) -> Millis {
    Millis(now.0 - now.0.rem_euclid(Millis::SECOND))
}
