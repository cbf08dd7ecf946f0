//! The overview: a team's calls both ways, and who, which number or which tag they are due to.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange, GroupBy, Tally};
use trunkline_domain::{Direction, ErrorCode, Millis, PhoneNumber, UserId};
use trunkline_store::analytics::{self as store, Whose};
use trunkline_store::{Conn, StoreError, TeamKey, numbers, tags, users};

use super::asked::Asked;
use super::csv::Row;
use super::{DateRangeView, MetricView, as_of};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::{Body, Input};
use crate::http::reply::Data;
use crate::v2::views::UserRefView;

/// Which calls to report on.
#[derive(utoipa::ToSchema)]
#[schema(as = AnalyticsBaseRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct OverviewRequest {
    /// The days, at most 366.
    #[schema(value_type = DateRangeView)]
    date: DateRangeView,
    /// Days to compare with.
    #[schema(value_type = Option<DateRangeView>)]
    compare_date: Option<DateRangeView>,
    /// Only calls that these users handled. Not together with `allo_numbers`.
    #[schema(max_items = 500, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
    /// Only calls over these numbers of the team. Not together with `user_ids`.
    #[schema(max_items = 500, example = json!(["+14155550100"]))]
    allo_numbers: Option<Vec<String>>,
    /// What the breakdown is made by: `USER` (default), `ALLO_NUMBER` or `TAG`.
    #[schema(example = "USER")]
    group_by: Option<String>,
}

/// All calls together.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TeamSummary)]
pub struct SummaryView {
    /// Calls both ways, those that still last included.
    total_calls: MetricView,
    /// Seconds in which people spoke: from the pick-up to the end, without voicemails.
    talk_time_seconds: MetricView,
    /// Calls in which people spoke for longer than a minute.
    calls_over_1_min: MetricView,
    /// Answered or transferred calls of all calls, 0 to 1.
    answer_rate: MetricView,
}

/// The calls of a user, a number or a tag.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = UserBreakdown)]
pub struct BreakdownView {
    /// With `group_by` `USER`: who handled them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<UserRefView>,
    /// With `group_by` `ALLO_NUMBER`: the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "+14155550100")]
    allo_number: Option<PhoneNumber>,
    /// What people call the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Sales US")]
    allo_number_label: Option<String>,
    /// With `group_by` `TAG`: the tag's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "meeting_booked")]
    tag: Option<String>,
    /// What people call the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Meeting booked")]
    tag_label: Option<String>,
    calls: MetricView,
    /// As in the summary.
    talk_time_seconds: MetricView,
    /// As in the summary.
    calls_over_1_min: MetricView,
    /// As in the summary.
    answer_rate: MetricView,
}

/// A team's calls.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TeamAnalytics)]
pub struct OverviewView {
    date: DateRangeView,
    /// `null` without a comparison.
    compare_date: Option<DateRangeView>,
    summary: SummaryView,
    /// One entry for each user (number, tag) with a call in either range, and for each that was asked for; the most
    /// calls first.
    breakdown: Vec<BreakdownView>,
    /// When the figures were read: nothing that was stored before is missing.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Millis,
}

/// All calls in figures
///
/// Calls both ways: how many, how long, how many were answered, all compared with another range if one is given, and the
/// same by user, by number or by tag. A call that nobody handled is in the summary and in no user's entry; one with
/// several tags is in the entry of each. With `Accept: text/csv` the same figures come as CSV.
#[utoipa::path(post, path = "/v2/api/analytics/overview", operation_id = "getTeamMetrics", tag = "Analytics",
    request_body = OverviewRequest,
    responses((status = 200, description = "The figures", body = Data<OverviewView>)))]
pub async fn report(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(body, &caller.owner, &state, read_group_by)?;
    asked.answer(&state, &headers, "overview", make, rows).await
}

fn read_group_by(input: &mut Input) -> GroupBy {
    let group_by = input.name_or("group_by", ErrorCode::InvalidGroupBy);
    group_by.unwrap_or(GroupBy::User)
}

/// What a breakdown is by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    User(UserId),
    Line(i64),
    Tag(String),
}

/// The figures of one period: of all calls, and by key.
#[derive(Default)]
struct Sums {
    all: Tally,
    by: BTreeMap<Key, Tally>,
}

fn make(conn: &mut Conn<'_>, asked: &Asked<GroupBy>) -> Result<OverviewView, ApiError> {
    let whose = asked.who.look_up(conn, asked.team)?;
    let mut current = sums(conn, asked, &whose, asked.range)?;
    let previous = match asked.compare {
        Some(range) => Some(sums(conn, asked, &whose, range)?),
        None => None,
    };
    let others = previous.iter().flat_map(|sums| sums.by.keys().cloned());
    for key in others.chain(asked_for(&whose, asked.own)).collect::<Vec<_>>() {
        current.by.entry(key).or_default();
    }
    Ok(OverviewView {
        date: asked.range.into(),
        compare_date: asked.compare.map(DateRangeView::from),
        summary: SummaryView {
            total_calls: MetricView::new(&current, previous.as_ref(), |sums| sums.all.calls),
            talk_time_seconds: MetricView::new(&current, previous.as_ref(), |sums| sums.all.talk_seconds),
            calls_over_1_min: MetricView::new(&current, previous.as_ref(), |sums| sums.all.conversations),
            answer_rate: MetricView::new(&current, previous.as_ref(), |sums| answer_rate(&sums.all)),
        },
        breakdown: breakdown(conn, asked.team, current, previous)?,
        last_updated: as_of(asked.now),
    })
}

/// The entries that are there whether or not there is a call: those that the request names.
fn asked_for(whose: &Whose, group_by: GroupBy) -> Vec<Key> {
    match (whose, group_by) {
        (Whose::Users(users), GroupBy::User) => users.iter().copied().map(Key::User).collect(),
        (Whose::Lines(lines), GroupBy::Number) => lines.iter().copied().map(Key::Line).collect(),
        _ => Vec::new(),
    }
}

fn sums(
    conn: &mut Conn<'_>,
    asked: &Asked<GroupBy>,
    whose: &Whose,
    range: DateRange,
) -> Result<Sums, StoreError> {
    let (team, group_by) = (asked.team, asked.own);
    let span = range.span(&asked.zone);
    let mut sums = Sums::default();
    let handled = |line: i64, user: Option<UserId>| match group_by {
        GroupBy::User => user.map(Key::User),
        GroupBy::Number => Some(Key::Line(line)),
        GroupBy::Tag => None,
    };
    for direction in Direction::ALL {
        for (line, user, tally) in store::by_handler(conn, team, whose, *direction, &span)? {
            sums.all += tally;
            if let Some(key) = handled(line, user).filter(|_| tally != Tally::default()) {
                *sums.by.entry(key).or_default() += tally;
            }
        }
        if group_by == GroupBy::Tag {
            store::by_tags(conn, team, whose, *direction, &span, |_, tags, tally| {
                for tag in store::keys(tags).filter(|_| tally != Tally::default()) {
                    *sums.by.entry(Key::Tag(tag.to_owned())).or_default() += tally;
                }
            })?;
        }
    }
    let begun = Tally {
        calls: 1,
        ..Tally::default()
    };
    for call in store::lasting(conn, team)? {
        if (span.from..span.until).contains(&call.at) && whose.includes(call.line, call.user) {
            sums.all += begun;
            let tags = call
                .tags
                .into_iter()
                .filter(|_| group_by == GroupBy::Tag)
                .map(Key::Tag);
            for key in handled(call.line, call.user).into_iter().chain(tags) {
                *sums.by.entry(key).or_default() += begun;
            }
        }
    }
    Ok(sums)
}

fn answer_rate(tally: &Tally) -> f64 {
    analytics::share(tally.connected, tally.calls).unwrap_or(0.0)
}

fn breakdown(
    conn: &mut Conn<'_>,
    team: TeamKey,
    current: Sums,
    previous: Option<Sums>,
) -> Result<Vec<BreakdownView>, StoreError> {
    let names = Names::read(conn, team, current.by.keys().next())?;
    let mut entries: Vec<(i64, BreakdownView)> = Vec::with_capacity(current.by.len());
    for (key, tally) in &current.by {
        let before = previous
            .as_ref()
            .map(|sums| sums.by.get(key).copied().unwrap_or_default());
        let metric = |of: fn(&Tally) -> i64| MetricView::new(tally, before.as_ref(), of);
        let unnamed = BreakdownView {
            user: None,
            allo_number: None,
            allo_number_label: None,
            tag: None,
            tag_label: None,
            calls: metric(|tally| tally.calls),
            talk_time_seconds: metric(|tally| tally.talk_seconds),
            calls_over_1_min: metric(|tally| tally.conversations),
            answer_rate: MetricView::new(tally, before.as_ref(), answer_rate),
        };
        entries.extend(names.name(key, unnamed).map(|entry| (tally.calls, entry)));
    }
    entries.sort_by_key(|(calls, entry)| (-calls, name_of(entry)));
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn name_of(entry: &BreakdownView) -> (String, String) {
    let user = entry
        .user
        .as_ref()
        .map(|user| (user.name.clone(), user.id.to_string()));
    let number = entry
        .allo_number
        .map(|number| (String::new(), number.to_string()));
    let tag = entry.tag.clone().map(|tag| (String::new(), tag));
    user.or(number).or(tag).unwrap_or_default()
}

/// What people call what a breakdown is by.
struct Names {
    users: BTreeMap<UserId, (String, String)>,
    numbers: BTreeMap<i64, (Option<PhoneNumber>, Option<String>)>,
    tags: BTreeMap<String, String>,
}

impl Names {
    /// The names of keys like this one.
    fn read(conn: &mut Conn<'_>, team: TeamKey, like: Option<&Key>) -> Result<Self, StoreError> {
        let mut names = Self {
            users: BTreeMap::new(),
            numbers: BTreeMap::new(),
            tags: BTreeMap::new(),
        };
        match like {
            Some(Key::User(_)) => {
                let all = users::list(conn, team)?.into_iter();
                names.users = all.map(|user| (user.id, (user.name, user.email))).collect();
            }
            Some(Key::Line(_)) => {
                let all = numbers::all(conn, team)?.into_iter();
                names.numbers = all.map(|row| (row.line, (row.number, row.name))).collect();
            }
            Some(Key::Tag(_)) => {
                names.tags = tags::list(conn, team)?
                    .into_iter()
                    .map(|tag| (tag.key, tag.name))
                    .collect();
            }
            None => {}
        }
        Ok(names)
    }

    /// The entry with its name; `None` for what the team does not have.
    fn name(&self, key: &Key, entry: BreakdownView) -> Option<BreakdownView> {
        match key {
            Key::User(id) => {
                let (name, email) = self.users.get(id)?.clone();
                let user = Some(UserRefView { id: *id, name, email });
                Some(BreakdownView { user, ..entry })
            }
            Key::Line(line) => {
                let (allo_number, allo_number_label) = self.numbers.get(line)?.clone();
                Some(BreakdownView {
                    allo_number,
                    allo_number_label,
                    ..entry
                })
            }
            Key::Tag(key) => {
                let (tag, tag_label) = (Some(key.clone()), self.tags.get(key).cloned());
                Some(BreakdownView {
                    tag,
                    tag_label,
                    ..entry
                })
            }
        }
    }
}

fn rows(view: &OverviewView) -> Vec<Row> {
    let SummaryView {
        total_calls,
        talk_time_seconds,
        calls_over_1_min,
        answer_rate,
    } = view.summary;
    let mut rows: Vec<Row> = [
        ("total_calls", total_calls),
        ("talk_time_seconds", talk_time_seconds),
        ("calls_over_1_min", calls_over_1_min),
        ("answer_rate", answer_rate),
    ]
    .into_iter()
    .map(|(metric, view)| Row::metric("summary", "", "", metric, view))
    .collect();
    for entry in &view.breakdown {
        let (key, name) = match (&entry.user, entry.allo_number, &entry.tag) {
            (Some(user), ..) => (user.id.to_string(), user.name.clone()),
            (_, Some(number), _) => (
                number.to_string(),
                entry.allo_number_label.clone().unwrap_or_default(),
            ),
            (_, _, tag) => (
                tag.clone().unwrap_or_default(),
                entry.tag_label.clone().unwrap_or_default(),
            ),
        };
        for (metric, view) in [
            ("calls", entry.calls),
            ("talk_time_seconds", entry.talk_time_seconds),
            ("calls_over_1_min", entry.calls_over_1_min),
            ("answer_rate", entry.answer_rate),
        ] {
            rows.push(Row::metric("breakdown", &key, &name, metric, view));
        }
    }
    rows
}
