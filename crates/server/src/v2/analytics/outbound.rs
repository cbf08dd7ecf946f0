//! The outbound report: funnel, series, heatmap, leaderboard, time spent, and the calls behind the figures.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange, Granularity, Stage};
use trunkline_domain::{CallResult, Direction, ErrorCode, ItemId, Millis, PhoneNumber, UserId};
use trunkline_store::Conn;
use trunkline_store::analytics::{self as store, Whose};
use trunkline_store::conversations::Position;
use trunkline_store::drilldown::{self, Behind, BehindCall};
use trunkline_store::users::{self, UserRow};

use super::asked::{Asked, read_granularity, read_tags};
use super::csv::{self, Row};
use super::period::{Cell, Period, WEEKDAYS, Want};
use super::{DateRangeView, MetricView, Number, PointView, as_of, average_seconds};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::{Body, Input};
use crate::http::reply::{Data, Page, Paging};
use crate::v2::cursor::{Cursor, refused};
use crate::v2::views::UserRefView;

/// Which outbound calls to report on, and how.
#[derive(utoipa::ToSchema)]
#[schema(as = OutboundAnalyticsRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct OutboundRequest {
    /// The days, at most 366.
    #[schema(value_type = DateRangeView)]
    date: DateRangeView,
    /// Days to compare with.
    #[schema(value_type = Option<DateRangeView>)]
    compare_date: Option<DateRangeView>,
    /// Only calls that these users placed. Not together with `allo_numbers`.
    #[schema(max_items = 500, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
    /// Only calls from these numbers of the team. Not together with `user_ids`.
    #[schema(max_items = 500, example = json!(["+14155550100"]))]
    allo_numbers: Option<Vec<String>>,
    /// Tag keys that make a call a conversion: any of them.
    #[schema(max_items = 50, example = json!(["meeting_booked"]))]
    tags: Option<Vec<String>>,
    /// `DAY` (default), `WEEK` (ISO, from Monday) or `MONTH`.
    #[schema(example = "DAY")]
    granularity: Option<String>,
    /// `items`: with the calls behind a stage; needs `stage`.
    extend: Option<String>,
    /// Whose calls to list with `extend=items`: all that the funnel counts at `DIAL`, `CONNECTED`, `CONVERSATION` or
    /// `CONVERSION`.
    stage: Option<String>,
    /// Page of the list, from 1.
    #[schema(minimum = 1)]
    page: Option<i64>,
    /// Entries on a page, 20 by default.
    #[schema(minimum = 1, maximum = 100)]
    size: Option<i64>,
    /// `items.pagination.next_cursor` of the previous answer; replaces `page`. Everything else stays the same.
    cursor: Option<String>,
}

/// A stage of the funnel.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FunnelStage)]
pub struct StageView {
    /// Calls that came so far.
    count: MetricView,
    /// Their share of all dials, 0 to 1; `null` where there are none.
    #[schema(example = 0.2903)]
    rate: Option<f64>,
}

/// How far calls came.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundFunnel)]
pub struct FunnelView {
    /// Every outbound call, those that still last included.
    dials: StageView,
    /// The other side picked up; a voicemail is no pick-up.
    connected: StageView,
    /// Connected, and longer than a minute.
    conversations: StageView,
    /// With one of the tags, however far they came.
    conversions: StageView,
}

/// The funnel's figures by buckets of days, each bucket of the range present.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundTimeSeries)]
pub struct SeriesView {
    dials: Vec<PointView>,
    connected: Vec<PointView>,
    /// Connected of dials, 0 to 1.
    connection_rate: Vec<PointView>,
    conversions: Vec<PointView>,
}

/// A figure of an hour of a weekday.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = HeatmapCell)]
pub struct HeatView {
    /// `MONDAY` to `SUNDAY`.
    #[schema(value_type = String, example = "MONDAY")]
    day: &'static str,
    /// 0 to 23, in the team's time zone.
    #[schema(example = 10)]
    hour: usize,
    #[schema(value_type = f64, example = 31)]
    value: Number,
}

/// The week at a glance: all of its 168 hours.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundHeatmap)]
pub struct HeatmapView {
    dials: Vec<HeatView>,
    connected: Vec<HeatView>,
    /// Connected of dials, 0 to 1.
    connection_rate: Vec<HeatView>,
}

/// A user's place among the others.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LeaderboardEntry)]
pub struct LeaderView {
    user: UserRefView,
    /// Calls the user placed that were picked up.
    #[schema(example = 64)]
    connected: i64,
}

/// What time went into.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundTimeSpent)]
pub struct TimeSpentView {
    /// From the dial to the pick-up (also a voicemail's), or to the end; over all calls that have ended.
    avg_ringing_time_seconds: MetricView,
    /// From the pick-up to the end, over connected calls.
    avg_conversation_time_seconds: MetricView,
    /// From the pick-up to the end, of all connected calls.
    total_conversation_time_seconds: MetricView,
}

/// A call behind the figures.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundDrilldownItem)]
pub struct BehindView {
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ItemId,
    /// Who placed it; `null` when nobody of the team did.
    user: Option<UserRefView>,
    #[schema(value_type = Option<String>, example = "+14155550100")]
    allo_number: Option<PhoneNumber>,
    /// What people call the number.
    #[schema(example = "Sales US")]
    allo_number_label: Option<String>,
    #[schema(value_type = String, example = "+14155551234")]
    contact_number: PhoneNumber,
    /// The furthest it came: `DIAL`, `CONNECTED`, `CONVERSATION` or `CONVERSION`.
    #[schema(value_type = String, example = "CONVERSATION")]
    stage: Stage,
    /// A voicemail picked up.
    voicemail: bool,
    /// Seconds from the pick-up to the end; 0 while it lasts.
    #[schema(example = 145)]
    duration: i64,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    date: Millis,
}

/// What outbound calls came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutboundAnalytics)]
pub struct OutboundView {
    date: DateRangeView,
    /// `null` without a comparison.
    compare_date: Option<DateRangeView>,
    funnel: FunnelView,
    time_series: SeriesView,
    heatmap: HeatmapView,
    /// Everybody who placed a call, the most connected first.
    leaderboard: Vec<LeaderView>,
    time_spent: TimeSpentView,
    /// When the figures were read: nothing that was stored before is missing.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Millis,
    /// The calls behind the stage, newest first. Only with `extend=items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    items: Option<Page<BehindView>>,
}

/// What `extend` may add.
pub(crate) const EXTENDS: &[&str] = &["items"];

/// The list that is asked for.
struct ListAsked {
    stage: Stage,
    paging: Paging,
    cursor: Option<String>,
}

/// What only this report takes.
struct Wanted {
    tags: Vec<String>,
    granularity: Granularity,
    list: Option<ListAsked>,
}

impl Wanted {
    fn read(input: &mut Input) -> Self {
        Self {
            tags: read_tags(input),
            granularity: read_granularity(input),
            list: read_list(input),
        }
    }
}

/// Outbound calls in figures
///
/// The funnel from dials to conversions with its rates, series by day, week or month, a heatmap of weekdays and hours, a
/// leaderboard, and time spent, all compared with another range if one is given; with `extend=items` and `stage` also
/// the calls behind the figures. Days and hours are those of the team's time zone. With `Accept: text/csv` the same
/// figures come as CSV.
#[utoipa::path(post, path = "/v2/api/analytics/outbound", operation_id = "getAnalyticsOutbound", tag = "Analytics",
    request_body = OutboundRequest,
    responses((status = 200, description = "The figures", body = Data<OutboundView>)))]
pub async fn report(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(body, &caller.owner, &state, Wanted::read)?;
    asked.answer(&state, &headers, "outbound", make, rows).await
}

fn read_list(input: &mut Input) -> Option<ListAsked> {
    let extend = input.text("extend", 1_000);
    let stage: Option<Stage> = input.name("stage");
    let paging = Paging::read(input);
    let cursor = input.cursor();
    match extend.as_deref() {
        None => None,
        Some("items") => {
            if stage.is_none() {
                input.missing("stage");
            }
            Some(ListAsked {
                stage: stage?,
                paging,
                cursor,
            })
        }
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            let message = format!("{shown:?} is no part that this endpoint can add");
            let suggestion = format!("Use one of: {}.", EXTENDS.join(", "));
            input.fault_with(ErrorCode::UnsupportedExtendValue, "extend", message, suggestion);
            None
        }
    }
}

fn make(conn: &mut Conn<'_>, asked: &Asked<Wanted>) -> Result<OutboundView, ApiError> {
    let whose = asked.who.look_up(conn, asked.team)?;
    let want = Want {
        team: asked.team,
        whose: &whose,
        direction: Direction::Outbound,
        zone: &asked.zone,
        granularity: asked.own.granularity,
        tags: &asked.own.tags,
    };
    let current = Period::read(conn, want, asked.range)?;
    let previous = match asked.compare {
        Some(range) => Some(Period::read_sums(conn, want, range)?),
        None => None,
    };
    let leaderboard = leaders(conn, want, asked.range)?;
    let items = match &asked.own.list {
        Some(list) => Some(behind(conn, asked, &whose, list, &current)?),
        None => None,
    };
    Ok(OutboundView {
        date: asked.range.into(),
        compare_date: asked.compare.map(DateRangeView::from),
        funnel: funnel(&current, previous.as_ref()),
        time_series: SeriesView {
            dials: current.points(|cell| cell.calls),
            connected: current.points(|cell| cell.connected),
            connection_rate: current.points(connection_rate),
            conversions: current.points(|cell| cell.conversions),
        },
        heatmap: HeatmapView {
            dials: heat(&current, |cell| cell.calls),
            connected: heat(&current, |cell| cell.connected),
            connection_rate: heat(&current, connection_rate),
        },
        leaderboard,
        time_spent: time_spent(&current, previous.as_ref()),
        last_updated: as_of(asked.now),
        items,
    })
}

fn connection_rate(cell: &Cell) -> f64 {
    analytics::share(cell.connected, cell.calls).unwrap_or(0.0)
}

fn funnel(current: &Period, previous: Option<&Period>) -> FunnelView {
    let stage = |of: fn(&Period) -> i64| StageView {
        count: MetricView::new(current, previous, of),
        rate: analytics::share(of(current), current.calls()).map(analytics::rounded),
    };
    FunnelView {
        dials: stage(Period::calls),
        connected: stage(|period| period.ended.connected),
        conversations: stage(|period| period.ended.conversations),
        conversions: stage(|period| period.conversions),
    }
}

fn heat<N: Into<Number>>(period: &Period, of: impl Fn(&Cell) -> N) -> Vec<HeatView> {
    let days = WEEKDAYS.iter().zip(&period.grid);
    let cell = |(day, hours): (&&'static str, &[Cell; 24])| -> Vec<HeatView> {
        let hours = hours.iter().enumerate();
        hours
            .map(|(hour, cell)| HeatView {
                day,
                hour,
                value: of(cell).into().shown(),
            })
            .collect()
    };
    days.flat_map(cell).collect()
}

fn leaders(conn: &mut Conn<'_>, want: Want<'_>, range: DateRange) -> Result<Vec<LeaderView>, ApiError> {
    let span = range.span(want.zone);
    let mut connected: HashMap<UserId, (i64, i64)> = HashMap::new();
    for (_, user, tally) in store::by_handler(conn, want.team, want.whose, want.direction, &span)? {
        let Some(user) = user else { continue };
        let sums = connected.entry(user).or_default();
        *sums = (sums.0 + tally.calls, sums.1 + tally.connected);
    }
    let everybody = users::list(conn, want.team)?;
    let mut leaders: Vec<LeaderView> = everybody
        .into_iter()
        .filter_map(|UserRow { id, name, email, .. }| {
            let (calls, connected) = *connected.get(&id)?;
            let user = UserRefView { id, name, email };
            (calls > 0).then_some(LeaderView { user, connected })
        })
        .collect();
    leaders.sort_by(|a, b| {
        let by_name = || a.user.name.cmp(&b.user.name).then(a.user.id.cmp(&b.user.id));
        b.connected.cmp(&a.connected).then_with(by_name)
    });
    Ok(leaders)
}

fn time_spent(current: &Period, previous: Option<&Period>) -> TimeSpentView {
    let metric = |of: fn(&Period) -> f64| MetricView::new(current, previous, of);
    TimeSpentView {
        avg_ringing_time_seconds: metric(|period| {
            average_seconds(period.ended.ringing_ms, period.ended.calls)
        }),
        avg_conversation_time_seconds: metric(|period| {
            average_seconds(period.ended.talk_seconds * Millis::SECOND, period.ended.connected)
        }),
        total_conversation_time_seconds: MetricView::new(current, previous, |period| {
            period.ended.talk_seconds
        }),
    }
}

fn behind(
    conn: &mut Conn<'_>,
    asked: &Asked<Wanted>,
    whose: &Whose,
    list: &ListAsked,
    counted: &Period,
) -> Result<Page<BehindView>, ApiError> {
    let ListAsked {
        stage,
        paging,
        cursor,
    } = list;
    let tags = &asked.own.tags;
    let fingerprint = format!(
        "outbound {:?} {:?} {:?} {tags:?} {stage:?}",
        asked.team, asked.range, asked.who
    );
    let total = match stage {
        Stage::Dial => counted.calls(),
        Stage::Connected => counted.ended.connected,
        Stage::Conversation => counted.ended.conversations,
        Stage::Conversion => counted.conversions,
    };
    let position = match cursor {
        Some(text) => match Cursor::read(text, &fingerprint)? {
            Cursor::Behind(at, seq) => Position::Behind(at, seq),
            Cursor::Ranked(..) => return Err(refused()),
        },
        None => Position::Offset(paging.offset()),
    };
    let mut calls = Vec::new();
    if total > 0 && (cursor.is_some() || paging.offset() < total) {
        let which = Behind {
            whose: whose.clone(),
            span: asked.range.span(&asked.zone),
            stage: *stage,
            tags: tags.clone(),
        };
        calls = drilldown::page(conn, asked.team, &which, position, paging.size + 1)?;
    }
    let full = usize::try_from(paging.size).unwrap_or(usize::MAX);
    let has_more = calls.len() > full;
    calls.truncate(full);
    let last = calls.last().filter(|_| has_more);
    let next = last.map(|call| Cursor::Behind(call.at, call.seq).write(&fingerprint));
    Ok(Page {
        data: calls.into_iter().map(|call| view(call, tags)).collect(),
        pagination: paging.describe(total, has_more, next),
    })
}

fn view(call: BehindCall, tags: &[String]) -> BehindView {
    let converted = call.tags.iter().any(|tag| tags.contains(tag));
    BehindView {
        id: call.id,
        user: call.user.map(|(id, name, email)| UserRefView { id, name, email }),
        allo_number: call.line.0,
        allo_number_label: call.line.1,
        contact_number: call.contact_number,
        stage: Stage::of(call.result, call.duration, converted),
        voicemail: call.result == Some(CallResult::Voicemail),
        duration: call.duration.unwrap_or(0),
        date: call.at,
    }
}

fn rows(view: &OutboundView) -> Vec<Row> {
    let mut rows = Vec::new();
    let FunnelView {
        dials,
        connected,
        conversations,
        conversions,
    } = &view.funnel;
    for (metric, stage) in [
        ("dials", dials),
        ("connected", connected),
        ("conversations", conversations),
        ("conversions", conversions),
    ] {
        rows.push(Row::metric("funnel", "", "", metric, stage.count));
        let rate = stage.rate.map(Number::Real);
        rows.push(Row::new(
            "funnel_rate",
            String::new(),
            String::new(),
            metric,
            rate,
        ));
    }
    let time = &view.time_spent;
    for (metric, view) in [
        ("avg_ringing_time_seconds", time.avg_ringing_time_seconds),
        (
            "avg_conversation_time_seconds",
            time.avg_conversation_time_seconds,
        ),
        (
            "total_conversation_time_seconds",
            time.total_conversation_time_seconds,
        ),
    ] {
        rows.push(Row::metric("time_spent", "", "", metric, view));
    }
    let series = &view.time_series;
    rows.extend(csv::series("dials", &series.dials));
    rows.extend(csv::series("connected", &series.connected));
    rows.extend(csv::series("connection_rate", &series.connection_rate));
    rows.extend(csv::series("conversions", &series.conversions));
    for (metric, cells) in [
        ("dials", &view.heatmap.dials),
        ("connected", &view.heatmap.connected),
        ("connection_rate", &view.heatmap.connection_rate),
    ] {
        let row = |cell: &HeatView| {
            let key = format!("{} {:02}", cell.day, cell.hour);
            Row::new("heatmap", key, String::new(), metric, Some(cell.value))
        };
        rows.extend(cells.iter().map(row));
    }
    rows.extend(view.leaderboard.iter().map(|leader| {
        let (key, name) = (leader.user.id.to_string(), leader.user.name.clone());
        Row::new(
            "leaderboard",
            key,
            name,
            "connected",
            Some(leader.connected.into()),
        )
    }));
    for call in view.items.iter().flat_map(|page| &page.data) {
        let name = call
            .user
            .as_ref()
            .map(|user| user.name.clone())
            .unwrap_or_default();
        let duration = Some(call.duration.into());
        rows.push(Row::new(
            "items",
            call.id.to_string(),
            name,
            call.stage.as_str(),
            duration,
        ));
    }
    rows
}
