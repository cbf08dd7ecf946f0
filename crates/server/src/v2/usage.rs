//! What the team used, month by month.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use trunkline_domain::{Direction, ErrorCode, Millis};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::usage::{self, Used};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{Conn, TeamKey};

use super::analytics::counted_in;
use crate::AppState;
use crate::http::auth::{Billing, Caller};
use crate::http::error::ApiError;
use crate::http::input::{Input, Query};
use crate::http::reply::{self, Data};

/// The most months of one answer.
const MOST_MONTHS: usize = 36;

/// What a team used.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Usage)]
pub struct UsageView {
    /// What its days and months are counted in.
    #[schema(example = "Europe/Paris")]
    time_zone: String,
    /// The months, oldest first.
    months: Vec<MonthView>,
}

/// What a team used in a month.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = UsageMonth)]
pub struct MonthView {
    #[schema(example = "2026-04")]
    month: String,
    /// Users at the end of the month (of the current one: now) who were not blocked.
    #[schema(example = 12)]
    seats: i64,
    /// Numbers and sender ids that were in service at the end of the month.
    #[schema(example = 3)]
    numbers: i64,
    /// Calls that began, those that still last included.
    calls: DirectionsView,
    /// Seconds for which somebody talked, of calls that have ended.
    talk_seconds: DirectionsView,
    /// The same in minutes; a minute that was begun counts as one, once a month and direction.
    minutes: DirectionsView,
    /// Texts, those that failed included.
    texts: DirectionsView,
    /// The parts of these texts.
    segments: DirectionsView,
}

/// A figure of what came in, and of what went out.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = UsageDirections)]
pub struct DirectionsView {
    #[schema(example = 240)]
    inbound: i64,
    #[schema(example = 310)]
    outbound: i64,
}

/// Get the usage
///
/// Seats, numbers, calls, talk time, texts and their parts, by month in the team's time zone: this month and the eleven
/// before it, or the months that are asked for. Calls and texts add up to those of the export.
#[utoipa::path(get, path = "/v2/api/usage", operation_id = "getUsage", tag = "Team",
    params(
        ("from" = Option<String>, Query, description = "First month; eleven before the last by default", example = "2026-01"),
        ("to" = Option<String>, Query, description = "Last month, included; this one by default", example = "2026-04"),
    ),
    responses((status = 200, description = "The months", body = Data<UsageView>)))]
pub async fn get(
    caller: Caller<Billing>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let (from, to) = (read_month(&mut input, "from"), read_month(&mut input, "to"));
    input.finish()?;
    let (team, now) = (caller.owner.team, state.board.now());
    let read = move |conn: &mut Conn<'_>| months_used(conn, team, (from, to), now);
    let view = state.read_page(true, read).await?;
    Ok(reply::data(view))
}

fn months_used(
    conn: &mut Conn<'_>,
    team: TeamKey,
    (from, to): (Option<Date>, Option<Date>),
    now: Millis,
) -> Result<UsageView, ApiError> {
    let (time_zone, zone) = counted_in(conn, team)?;
    let months = months(from, to, now.date_in(&zone).first_of_month())?;
    let (first, last) = match (months.first(), months.last()) {
        (Some(first), Some(last)) => (day_of(*first), day_of(last.last_of_month())),
        _ => (0, -1),
    };
    let days = usage::by_day(conn, team, first, last)?;
    let (users, numbers) = (users::list(conn, team)?, numbers::all(conn, team)?);
    let view = |month: Date| {
        let end = month_end(month, &zone).min(now.plus(1));
        let (inbound, outbound) = (
            sum(&days, month, Direction::Inbound),
            sum(&days, month, Direction::Outbound),
        );
        let figure = |of: fn(Used) -> i64| DirectionsView {
            inbound: of(inbound),
            outbound: of(outbound),
        };
        MonthView {
            month: month.strftime("%Y-%m").to_string(),
            seats: count(&users, |user: &UserRow| {
                user.created_at < end && user.blocked_at.is_none_or(|at| at >= end)
            }),
            numbers: count(&numbers, |number: &NumberRow| {
                number.created_at < end && number.removed_at.is_none_or(|at| at >= end)
            }),
            calls: figure(|used| used.calls),
            talk_seconds: figure(|used| used.talk_seconds),
            minutes: figure(|used| (used.talk_seconds + 59) / 60),
            texts: figure(|used| used.texts),
            segments: figure(|used| used.segments),
        }
    };
    let months = months.into_iter().map(view).collect();
    Ok(UsageView { time_zone, months })
}

/// What was used in a month in one direction.
fn sum(days: &BTreeMap<(i64, Direction), Used>, month: Date, direction: Direction) -> Used {
    let (first, last) = (day_of(month), day_of(month.last_of_month()));
    let mut sum = Used::default();
    for ((_, of), used) in days.range((first, Direction::ALL[0])..(last + 1, Direction::ALL[0])) {
        if *of == direction {
            sum += *used;
        }
    }
    sum
}

fn count<T>(rows: &[T], counts: impl Fn(&T) -> bool) -> i64 {
    let n = rows.iter().filter(|row| counts(row)).count();
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Reads a month, as its first day.
fn read_month(input: &mut Input, name: &'static str) -> Option<Date> {
    let text = input.text(name, 100)?;
    let month = Some(&text)
        .filter(|text| {
            text.len() == 7 && text.is_char_boundary(4) && text[..4].bytes().all(|b| b.is_ascii_digit())
        })
        .and_then(|text| format!("{text}-01").parse::<Date>().ok());
    if month.is_none() {
        let message = format!("{name} is not a month");
        let suggestion = "Send YYYY-MM, such as 2026-04.".to_owned();
        input.fault_with(ErrorCode::InvalidDateRange, name, message, suggestion);
    }
    month
}

/// The months from `from` to `to`, each as its first day.
fn months(from: Option<Date>, to: Option<Date>, this: Date) -> Result<Vec<Date>, ApiError> {
    let to = to.unwrap_or_else(|| from.map_or(this, |from| from.max(this)));
    let from = from.unwrap_or_else(|| to.checked_sub(11.months()).unwrap_or(Date::MIN));
    if from > to {
        return Err(ApiError::new(ErrorCode::InvalidDateRange)
            .param("from")
            .message("from is later than to"));
    }
    let mut months = Vec::new();
    let mut month = from;
    while month <= to {
        if months.len() == MOST_MONTHS {
            return Err(ApiError::new(ErrorCode::DateRangeTooWide)
                .param("from")
                .message(format!("these are more than {MOST_MONTHS} months"))
                .suggestion(format!("Ask for at most {MOST_MONTHS} months at a time.")));
        }
        months.push(month);
        match month.checked_add(1.month()) {
            Ok(next) => month = next,
            Err(_) => break,
        }
    }
    Ok(months)
}

/// The number of a day, since 1970-01-01.
fn day_of(date: Date) -> i64 {
    let days = date.since(jiff::civil::date(1970, 1, 1));
    days.map_or(0, |span| i64::from(span.get_days()))
}

/// When a month is over.
fn month_end(month: Date, zone: &TimeZone) -> Millis {
    let next = month.checked_add(1.month()).unwrap_or(Date::MAX);
    Millis::start_of(next, zone).unwrap_or(Millis(i64::MAX))
}
