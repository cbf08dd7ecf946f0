//! Reports: what all of them are asked for, and what their figures look like.
//!
//! Days are the team's. A report is read at one moment, from what the store keeps of ended calls and from the calls that
//! still last, so that a call that ended a second ago is in it.

mod asked;
mod csv;
pub mod inbound;
pub mod messages;
pub mod outbound;
pub mod overview;
mod period;

pub(super) use asked::counted_in;
use jiff::civil::Date;
use serde::Serialize;
use trunkline_domain::Millis;
use trunkline_domain::analytics::{self, DateRange};

pub(crate) use period::WEEKDAYS;

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

/// Seconds of milliseconds, on average; 0 where there is nothing to have an average of.
fn average_seconds(sum_ms: i64, count: i64) -> f64 {
    analytics::share(sum_ms, count).unwrap_or(0.0) / 1_000.0
}

/// The present, to the second: when the figures were read.
const fn as_of(now: Millis) -> Millis {
    Millis(now.0 - now.0.rem_euclid(Millis::SECOND))
}
