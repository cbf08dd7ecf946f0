//! The inbound report: who was answered, who was not, and how long people waited.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange, Granularity};
use trunkline_domain::{Direction, Millis};
use trunkline_store::{Conn, StoreError, analytics as store};

use super::asked::{Asked, read_granularity};
use super::csv::{self, Row};
use super::period::{Cell, Period, Want};
use super::{DateRangeView, MetricView, PointView, as_of, average_seconds};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Data;

/// Which calls or texts to report on, and how.
#[derive(utoipa::ToSchema)]
#[schema(as = AnalyticsSeriesRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SeriesRequest {
    /// The days, at most 366.
    #[schema(value_type = DateRangeView)]
    date: DateRangeView,
    /// Days to compare with.
    #[schema(value_type = Option<DateRangeView>)]
    compare_date: Option<DateRangeView>,
    /// Only what these users handled or sent. Not together with `allo_numbers`.
    #[schema(max_items = 500, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
    /// Only what went over these numbers of the team. Not together with `user_ids`.
    #[schema(max_items = 500, example = json!(["+14155550100"]))]
    allo_numbers: Option<Vec<String>>,
    /// `DAY` (default), `WEEK` (ISO, from Monday) or `MONTH`.
    #[schema(example = "DAY")]
    granularity: Option<String>,
}

/// All inbound calls together. What is neither answered nor missed nor left to the voicemail was blocked, failed, or
/// still lasts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InboundSummary)]
pub struct InboundSummaryView {
    /// Every inbound call, those that still last included.
    received: MetricView,
    /// Somebody picked up.
    answered: MetricView,
    /// They rang in vain, and nobody left a message.
    missed: MetricView,
    /// The voicemail took them.
    voicemail: MetricView,
    /// Answered of received, 0 to 1.
    answer_rate: MetricView,
    /// Missed calls and voicemails whose number the team called later, however much later.
    returned: MetricView,
    /// Returned of missed and voicemail, 0 to 1.
    return_rate: MetricView,
    /// From the first ring to the pick-up, over answered calls.
    avg_time_to_answer_seconds: MetricView,
    /// From a missed call or voicemail to the call back, over returned ones.
    avg_time_to_call_back_seconds: MetricView,
}

/// The figures by buckets of days, each bucket of the range present.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InboundTimeSeries)]
pub struct InboundSeriesView {
    received: Vec<PointView>,
    answered: Vec<PointView>,
    missed: Vec<PointView>,
    voicemail: Vec<PointView>,
}

/// The figures of an hour of the day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InboundHour)]
pub struct InboundHourView {
    /// 0 to 23, in the team's time zone.
    #[schema(example = 10)]
    hour: usize,
    #[schema(example = 48)]
    received: i64,
    #[schema(example = 40)]
    answered: i64,
    #[schema(example = 5)]
    missed: i64,
    #[schema(example = 3)]
    voicemail: i64,
}

/// What inbound calls came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InboundAnalytics)]
pub struct InboundView {
    date: DateRangeView,
    /// `null` without a comparison.
    compare_date: Option<DateRangeView>,
    summary: InboundSummaryView,
    time_series: InboundSeriesView,
    /// All 24 hours.
    by_hour: Vec<InboundHourView>,
    /// When the figures were read: nothing that was stored before is missing.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Millis,
}

/// Inbound calls in figures
///
/// How many came in, were answered, missed or left to the voicemail; how long callers waited; how many of those nobody
/// answered were called back, and how soon; by buckets of days and by hour, compared with another range if one is
/// given. With `Accept: text/csv` the same figures come as CSV.
#[utoipa::path(post, path = "/v2/api/analytics/inbound", operation_id = "getAnalyticsInbound", tag = "Analytics",
    request_body = SeriesRequest,
    responses((status = 200, description = "The figures", body = Data<InboundView>)))]
pub async fn report(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(body, &caller.owner, &state, read_granularity)?;
    asked.answer(&state, &headers, "inbound", make, rows).await
}

/// The figures of one period.
struct Figures {
    calls: Period,
    returned: i64,
    back_ms: i64,
}

impl Figures {
    /// With what `calls` holds of the range.
    fn read(
        conn: &mut Conn<'_>,
        want: Want<'_>,
        range: DateRange,
        calls: Period,
    ) -> Result<Self, StoreError> {
        let (mut returned, mut back_ms) = (0, 0);
        store::unanswered(conn, want.team, want.whose, &range.span(want.zone), |back| {
            if let Some(after) = back {
                returned += 1;
                back_ms += after;
            }
        })?;
        Ok(Self {
            calls,
            returned,
            back_ms,
        })
    }

    const fn unanswered(&self) -> i64 {
        self.calls.ended.missed + self.calls.ended.voicemail
    }
}

fn make(conn: &mut Conn<'_>, asked: &Asked<Granularity>) -> Result<InboundView, ApiError> {
    let whose = asked.who.look_up(conn, asked.team)?;
    let want = Want {
        team: asked.team,
        whose: &whose,
        direction: Direction::Inbound,
        zone: &asked.zone,
        granularity: asked.own,
        tags: &[],
    };
    let calls = Period::read(conn, want, asked.range)?;
    let current = Figures::read(conn, want, asked.range, calls)?;
    let previous = match asked.compare {
        Some(range) => {
            let calls = Period::read_sums(conn, want, range)?;
            Some(Figures::read(conn, want, range, calls)?)
        }
        None => None,
    };
    let hours = current.calls.by_hour();
    let hour = |(hour, cell): (usize, &Cell)| InboundHourView {
        hour,
        received: cell.calls,
        answered: cell.connected,
        missed: cell.missed,
        voicemail: cell.voicemail,
    };
    Ok(InboundView {
        date: asked.range.into(),
        compare_date: asked.compare.map(DateRangeView::from),
        summary: summary(&current, previous.as_ref()),
        time_series: InboundSeriesView {
            received: current.calls.points(|cell| cell.calls),
            answered: current.calls.points(|cell| cell.connected),
            missed: current.calls.points(|cell| cell.missed),
            voicemail: current.calls.points(|cell| cell.voicemail),
        },
        by_hour: hours.iter().enumerate().map(hour).collect(),
        last_updated: as_of(asked.now),
    })
}

fn summary(current: &Figures, previous: Option<&Figures>) -> InboundSummaryView {
    let count = |of: fn(&Figures) -> i64| MetricView::new(current, previous, of);
    let share = |of: fn(&Figures) -> (i64, i64)| {
        MetricView::new(current, previous, |figures| {
            let (part, whole) = of(figures);
            analytics::share(part, whole).unwrap_or(0.0)
        })
    };
    let seconds = |of: fn(&Figures) -> (i64, i64)| {
        MetricView::new(current, previous, |figures| {
            let (sum, count) = of(figures);
            average_seconds(sum, count)
        })
    };
    InboundSummaryView {
        received: count(|figures| figures.calls.calls()),
        answered: count(|figures| figures.calls.ended.connected),
        missed: count(|figures| figures.calls.ended.missed),
        voicemail: count(|figures| figures.calls.ended.voicemail),
        answer_rate: share(|figures| (figures.calls.ended.connected, figures.calls.calls())),
        returned: count(|figures| figures.returned),
        return_rate: share(|figures| (figures.returned, figures.unanswered())),
        avg_time_to_answer_seconds: seconds(|figures| {
            (figures.calls.ended.waited_ms, figures.calls.ended.connected)
        }),
        avg_time_to_call_back_seconds: seconds(|figures| (figures.back_ms, figures.returned)),
    }
}

fn rows(view: &InboundView) -> Vec<Row> {
    let summary = &view.summary;
    let mut rows: Vec<Row> = [
        ("received", summary.received),
        ("answered", summary.answered),
        ("missed", summary.missed),
        ("voicemail", summary.voicemail),
        ("answer_rate", summary.answer_rate),
        ("returned", summary.returned),
        ("return_rate", summary.return_rate),
        ("avg_time_to_answer_seconds", summary.avg_time_to_answer_seconds),
        (
            "avg_time_to_call_back_seconds",
            summary.avg_time_to_call_back_seconds,
        ),
    ]
    .into_iter()
    .map(|(metric, view)| Row::metric("summary", "", "", metric, view))
    .collect();
    let series = &view.time_series;
    rows.extend(csv::series("received", &series.received));
    rows.extend(csv::series("answered", &series.answered));
    rows.extend(csv::series("missed", &series.missed));
    rows.extend(csv::series("voicemail", &series.voicemail));
    for hour in &view.by_hour {
        for (metric, value) in [
            ("received", hour.received),
            ("answered", hour.answered),
            ("missed", hour.missed),
            ("voicemail", hour.voicemail),
        ] {
            let key = format!("{:02}", hour.hour);
            rows.push(Row::new(
                "by_hour",
                key,
                String::new(),
                metric,
                Some(value.into()),
            ));
        }
    }
    rows
}
