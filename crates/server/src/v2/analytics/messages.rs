//! The report on texts: how many went and came, what became of them, and how soon contacts had an answer.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange, Granularity};
use trunkline_domain::sms::segments;
use trunkline_domain::{Direction, MessageStatus, Millis};
use trunkline_store::analytics::{self as store, Whose};
use trunkline_store::{Conn, StoreError};

use super::asked::{Asked, read_granularity};
use super::csv::{self, Row};
use super::inbound::SeriesRequest;
use super::{DateRangeView, MetricView, PointView, as_of, average_seconds};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Data;

/// All texts together.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessageSummary)]
pub struct MessageSummaryView {
    /// The team's texts, whatever became of them.
    sent: MetricView,
    /// Texts of contacts.
    received: MetricView,
    /// The team's texts that arrived.
    delivered: MetricView,
    /// The team's texts that will not arrive.
    failed: MetricView,
    /// Delivered of sent, 0 to 1.
    delivery_rate: MetricView,
    /// The parts that the team's texts are cut into for the networks.
    segments: MetricView,
    /// Texts by which contacts opened or resumed an exchange, and that the team answered by a text.
    answered: MetricView,
    /// From such a text to the answer.
    avg_first_response_seconds: MetricView,
}

/// The figures by buckets of days, each bucket of the range present.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessageTimeSeries)]
pub struct MessageSeriesView {
    sent: Vec<PointView>,
    received: Vec<PointView>,
    delivered: Vec<PointView>,
    failed: Vec<PointView>,
    segments: Vec<PointView>,
}

/// What texts came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessageAnalytics)]
pub struct MessagesView {
    date: DateRangeView,
    /// `null` without a comparison.
    compare_date: Option<DateRangeView>,
    summary: MessageSummaryView,
    time_series: MessageSeriesView,
    /// When the figures were read: nothing that was stored before is missing.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Millis,
}

/// Texts in figures
///
/// How many went out and came in, how many arrived or failed, how many segments they took, and how soon contacts had
/// an answer; by buckets of days, compared with another range if one is given. With `Accept: text/csv` the same figures
/// come as CSV.
#[utoipa::path(post, path = "/v2/api/analytics/messages", operation_id = "getAnalyticsMessages", tag = "Analytics",
    request_body = SeriesRequest,
    responses((status = 200, description = "The figures", body = Data<MessagesView>)))]
pub async fn report(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(body, &caller.owner, &state, read_granularity)?;
    asked.answer(&state, &headers, "messages", make, rows).await
}

/// What texts came to.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sent: i64,
    received: i64,
    delivered: i64,
    failed: i64,
    segments: i64,
    answered: i64,
    response_ms: i64,
}

/// The figures of one period.
struct Figures {
    all: Sums,
    series: Vec<(Date, Sums)>,
}

impl Figures {
    fn read(
        conn: &mut Conn<'_>,
        asked: &Asked<Granularity>,
        whose: &Whose,
        range: DateRange,
    ) -> Result<Self, StoreError> {
        let granularity = asked.own;
        let buckets = range.buckets(granularity).into_iter();
        let mut series: Vec<(Date, Sums)> = buckets.map(|date| (date, Sums::default())).collect();
        let mut all = Sums::default();
        let mut hours = analytics::LocalHours::new(&asked.zone);
        store::texts(conn, asked.team, whose, &range.span(&asked.zone), |text| {
            let date = analytics::date_of(hours.of(text.at).0);
            let own = date.map(|date| analytics::bucket(date, granularity));
            let place = own.and_then(|own| series.binary_search_by_key(&own, |(date, _)| *date).ok());
            let is_out = text.direction == Direction::Outbound;
            let is = |status| i64::from(is_out && text.status == status);
            let parts = if is_out {
                segments::count(text.content).segments
            } else {
                0
            };
            let bucket = place.map(|place| &mut series[place].1);
            for sums in [Some(&mut all), bucket].into_iter().flatten() {
                sums.sent += i64::from(is_out);
                sums.received += i64::from(!is_out);
                sums.delivered += is(MessageStatus::Delivered);
                sums.failed += is(MessageStatus::Failed);
                sums.segments += i64::try_from(parts).unwrap_or(0);
                if let Some(Some(answer)) = text.answered {
                    sums.answered += 1;
                    sums.response_ms += answer.since(text.at);
                }
            }
        })?;
        Ok(Self { all, series })
    }

    fn points(&self, of: fn(&Sums) -> i64) -> Vec<PointView> {
        let point = |(date, sums): &(Date, Sums)| PointView {
            date: *date,
            value: of(sums).into(),
        };
        self.series.iter().map(point).collect()
    }
}

fn make(conn: &mut Conn<'_>, asked: &Asked<Granularity>) -> Result<MessagesView, ApiError> {
    let whose = asked.who.look_up(conn, asked.team)?;
    let current = Figures::read(conn, asked, &whose, asked.range)?;
    let previous = match asked.compare {
        Some(range) => Some(Figures::read(conn, asked, &whose, range)?.all),
        None => None,
    };
    let count = |of: fn(&Sums) -> i64| MetricView::new(&current.all, previous.as_ref(), of);
    let real = |of: fn(&Sums) -> f64| MetricView::new(&current.all, previous.as_ref(), of);
    Ok(MessagesView {
        date: asked.range.into(),
        compare_date: asked.compare.map(DateRangeView::from),
        summary: MessageSummaryView {
            sent: count(|sums| sums.sent),
            received: count(|sums| sums.received),
            delivered: count(|sums| sums.delivered),
            failed: count(|sums| sums.failed),
            delivery_rate: real(|sums| analytics::share(sums.delivered, sums.sent).unwrap_or(0.0)),
            segments: count(|sums| sums.segments),
            answered: count(|sums| sums.answered),
            avg_first_response_seconds: real(|sums| average_seconds(sums.response_ms, sums.answered)),
        },
        time_series: MessageSeriesView {
            sent: current.points(|sums| sums.sent),
            received: current.points(|sums| sums.received),
            delivered: current.points(|sums| sums.delivered),
            failed: current.points(|sums| sums.failed),
            segments: current.points(|sums| sums.segments),
        },
        last_updated: as_of(asked.now),
    })
}

fn rows(view: &MessagesView) -> Vec<Row> {
    let summary = &view.summary;
    let mut rows: Vec<Row> = [
        ("sent", summary.sent),
        ("received", summary.received),
        ("delivered", summary.delivered),
        ("failed", summary.failed),
        ("delivery_rate", summary.delivery_rate),
        ("segments", summary.segments),
        ("answered", summary.answered),
        ("avg_first_response_seconds", summary.avg_first_response_seconds),
    ]
    .into_iter()
    .map(|(metric, view)| Row::metric("summary", "", "", metric, view))
    .collect();
    let series = &view.time_series;
    rows.extend(csv::series("sent", &series.sent));
    rows.extend(csv::series("received", &series.received));
    rows.extend(csv::series("delivered", &series.delivered));
    rows.extend(csv::series("failed", &series.failed));
    rows.extend(csv::series("segments", &series.segments));
    rows
}
