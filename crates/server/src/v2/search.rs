//! Search across all conversations: filters alone by the database, text by the index.

use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use trunkline_domain::text::{MAX_QUERY_WORDS, query_words};
use trunkline_domain::{
    CallResult, Direction, ErrorCode, ItemKind, Millis, PhoneNumber, UnknownName, UserId,
};
use trunkline_search::{TextFilter, TextHits, TextOrder, TextQuery, TextStart};
use trunkline_store::conversations::Position;
use trunkline_store::search::{self, DayRange, ItemFilter, Order};
use trunkline_store::{Conn, StoreError, TeamKey, items, numbers};

use super::cursor::{Cursor, refused};
use super::read_extend;
use super::views::{self, Extend, ItemView};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::{Input, OptionalBody};
use crate::http::reply::{self, Page, Paging};

/// What to search for; every field may be left out.
#[derive(utoipa::ToSchema)]
#[schema(as = ItemSearchRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Search {
    /// Only on this number of the team.
    #[schema(example = "+14155550100")]
    allo_number: Option<String>,
    /// Only with this outside number.
    #[schema(example = "+14155551234")]
    contact_number: Option<String>,
    /// Only handled or sent by this user.
    user_id: Option<String>,
    /// `INBOUND` or `OUTBOUND`.
    direction: Option<String>,
    /// `CALL`, `SMS` or `ALL` (default).
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "CALL")]
    kind: Option<String>,
    /// `ANSWERED`, `VOICEMAIL`, `TRANSFERRED`, `MISSED`, `BLOCKED` or `FAILED`.
    result: Option<String>,
    /// Carrying any of these tags.
    tags: Option<Vec<String>>,
    /// In conversations that are unread, or that are read.
    unread: Option<bool>,
    /// In conversations whose contact spoke last and was not answered, or in the others.
    unresponded: Option<bool>,
    /// Words, each the beginning of a word in the transcript, summary or text; all must be there. Case and accents do
    /// not matter.
    #[schema(example = "bill ref")]
    search: Option<String>,
    /// `DATE_DESC` (default), `DATE_ASC`, or `RELEVANCE` (needs `search`).
    sort: Option<String>,
    /// `transcript`: with the transcripts.
    extend: Option<String>,
    /// Page, from 1.
    #[schema(minimum = 1)]
    page: Option<i64>,
    /// Entries on a page, 20 by default.
    #[schema(minimum = 1, maximum = 100)]
    size: Option<i64>,
    /// `pagination.next_cursor` of the previous answer; replaces `page`. Filters, sort and size stay the same.
    cursor: Option<String>,
    /// Days in the team's time zone, both included.
    date: Option<DateRange>,
}

/// Days in the team's time zone, both included; each may stand alone.
#[derive(utoipa::ToSchema)]
#[schema(as = DateRange)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct DateRange {
    /// `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-03-25")]
    from: Option<String>,
    /// `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-04-21")]
    to: Option<String>,
}

/// Orders of a search, the default first.
pub(crate) const SORTS: &[&str] = &["DATE_DESC", "DATE_ASC", "RELEVANCE"];
/// Kinds of items a search can be limited to.
pub(crate) const KINDS: &[&str] = &["CALL", "SMS", "ALL"];
/// How calls end, as v2 has it.
pub(crate) const RESULTS: &[&str] = &[
    "ANSWERED",
    "VOICEMAIL",
    "TRANSFERRED",
    "MISSED",
    "BLOCKED",
    "FAILED",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Newest,
    Oldest,
    Relevance,
}

impl std::str::FromStr for Sort {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "DATE_DESC" | "DATE" => Ok(Self::Newest),
            "DATE_ASC" => Ok(Self::Oldest),
            "RELEVANCE" => Ok(Self::Relevance),
            _ => Err(UnknownName { allowed: SORTS }),
        }
    }
}

/// Calls, messages, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(pub(super) Option<ItemKind>);

impl std::str::FromStr for Kind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "CALL" => Ok(Self(Some(ItemKind::Call))),
            "SMS" | "TEXT_MESSAGE" => Ok(Self(Some(ItemKind::Message))),
            "ALL" => Ok(Self(None)),
            _ => Err(UnknownName { allowed: KINDS }),
        }
    }
}

struct Results(Vec<CallResult>);

impl std::str::FromStr for Results {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if !RESULTS.contains(&text) {
            return Err(UnknownName { allowed: RESULTS });
        }
        Ok(Self(
            CallResult::ALL
                .iter()
                .filter(|result| result.as_v2() == text)
                .copied()
                .collect(),
        ))
    }
}

/// A request, read.
#[derive(Clone, Debug)]
struct Wanted {
    team: TeamKey,
    line: Option<PhoneNumber>,
    /// Without the line: that is looked up.
    filter: ItemFilter,
    /// The request names a user that cannot exist.
    nobody: bool,
    words: Vec<String>,
    sort: Sort,
    paging: Paging,
    cursor: Option<Cursor>,
    extend: Extend,
    fingerprint: String,
}

/// Search calls and messages
///
/// All filters must hold together. `total_count` is exact. Page through everything with `cursor`, at the price of a
/// first page each, stable while new items arrive.
#[utoipa::path(post, path = "/v2/api/conversations/items/search", operation_id = "searchAllConversations",
    tag = "Conversations", request_body(content = Search, description = "Filters; an empty body finds everything"),
    responses((status = 200, description = "A page of items", body = Page<ItemView>)))]
pub async fn search(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let OptionalBody(input) = body;
    let wanted = read(input, caller.owner.team, &caller.owner.time_zone)?;
    let page = if wanted.nobody {
        Page {
            data: Vec::new(),
            pagination: wanted.paging.describe(0, false, None),
        }
    } else if wanted.words.is_empty() {
        let long = wanted.paging.is_deep() || needs_scan(&wanted.filter);
        state
            .read_page(long, move |conn| by_filters(conn, &wanted))
            .await?
    } else {
        by_text(&state, wanted).await?
    };
    Ok(reply::page(&page))
}

/// Whether the database may have to count or walk many rows.
const fn needs_scan(filter: &ItemFilter) -> bool {
    filter.unread.is_some() || filter.unresponded.is_some() || !filter.tags.is_empty()
}

fn read(mut input: Input, team: TeamKey, time_zone: &str) -> Result<Wanted, ApiError> {
    let line = input.phone("allo_number");
    let user = input.text("user_id", 100);
    let user_id = user.as_deref().and_then(|text| UserId::parse(text).ok());
    let mut filter = ItemFilter {
        line: None,
        contact: input.phone("contact_number"),
        user: user_id,
        direction: input.name::<Direction>("direction"),
        kind: input.name::<Kind>("type").and_then(|kind| kind.0),
        results: input
            .name::<Results>("result")
            .map(|results| results.0)
            .unwrap_or_default(),
        tags: read_tags(&mut input),
        unread: input.flag("unread"),
        unresponded: input.flag("unresponded"),
        days: None,
    };
    let search = input.text("search", 1_000);
    let sort = input.name::<Sort>("sort").unwrap_or(Sort::Newest);
    let words = read_words(&mut input, search.as_deref(), sort);
    let extend = read_extend(&mut input);
    let paging = Paging::read(&mut input);
    let cursor = input.cursor();
    if let Some(mut date) = input.object("date") {
        filter.days = read_days(&mut date, time_zone);
        input.absorb(date);
    }
    input.finish()?;
    let fingerprint = format!("items {team:?} {line:?} {user:?} {filter:?} {words:?} {sort:?}");
    let cursor = cursor.map(|text| Cursor::read(&text, &fingerprint)).transpose()?;
    if matches!(
        (cursor, sort),
        (Some(Cursor::Ranked(..)), Sort::Newest | Sort::Oldest) | (Some(Cursor::Behind(..)), Sort::Relevance)
    ) {
        return Err(refused());
    }
    let nobody = user.is_some() && user_id.is_none();
    Ok(Wanted {
        team,
        line,
        filter,
        nobody,
        words,
        sort,
        paging,
        cursor,
        extend,
        fingerprint,
    })
}

fn read_tags(input: &mut Input) -> Vec<String> {
    let mut tags: Vec<String> = input.texts("tags", 50).unwrap_or_default();
    // What makes no key is on no call: kept as it is, it matches nothing.
    tags = tags
        .into_iter()
        .map(|text| trunkline_domain::tag::key(&text).unwrap_or(text))
        .collect();
    tags.sort();
    tags.dedup();
    tags
}

fn read_words(input: &mut Input, search: Option<&str>, sort: Sort) -> Vec<String> {
    let Some(search) = search else {
        if sort == Sort::Relevance {
            input.fault_with(
                ErrorCode::InvalidParameter,
                "sort",
                "RELEVANCE ranks by search, and there is none".to_owned(),
                "Send search too, or use one of: DATE_DESC, DATE_ASC.".to_owned(),
            );
        }
        return Vec::new();
    };
    let words = query_words(search);
    if words.is_empty() {
        input.fault(
            ErrorCode::InvalidSearchQuery,
            "search",
            ErrorCode::InvalidSearchQuery.message(),
        );
    } else if words.len() > MAX_QUERY_WORDS {
        let message = format!(
            "search has {} words; at most {MAX_QUERY_WORDS} are looked for",
            words.len()
        );
        let suggestion = format!("Send at most {MAX_QUERY_WORDS} words.");
        input.fault_with(ErrorCode::InvalidSearchQuery, "search", message, suggestion);
    }
    words
}

/// Reads `from` and `to`: days in the team's time zone, both included; each may stand alone.
pub(super) fn read_days(date: &mut Input, time_zone: &str) -> Option<DayRange> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let from = date.date("from", ErrorCode::InvalidDateRange);
    let to = date.date("to", ErrorCode::InvalidDateRange);
    if from.is_none() && to.is_none() {
        return None;
    }
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        date.fault(
            ErrorCode::InvalidDateRange,
            "from",
            format!("from ({from}) is after to ({to})"),
        );
        return None;
    }
    let epoch = Date::constant(1970, 1, 1);
    let day = |date: Date| epoch.until(date).map_or(0, |span| i64::from(span.get_days()));
    let start = |date: Date| Millis::start_of(date, &zone).ok();
    let until = match to {
        Some(to) => to.tomorrow().ok().and_then(start),
        None => Some(Millis(i64::MAX)),
    };
    Some(DayRange {
        first: from.map_or(i64::from(i32::MIN), day),
        last: to.map_or(i64::from(i32::MAX), day),
        from: from.and_then(start).unwrap_or(Millis(i64::MIN)),
        until: until.unwrap_or(Millis(i64::MAX)),
    })
}

/// The filter with its line looked up.
fn on_line(conn: &mut Conn<'_>, wanted: &Wanted) -> Result<ItemFilter, ApiError> {
    let line = match wanted.line {
        Some(number) => Some(
            numbers::line_of(conn, wanted.team, number)?
                .ok_or_else(|| ApiError::new(ErrorCode::PhoneNumberNotFound).param("allo_number"))?,
        ),
        None => None,
    };
    Ok(ItemFilter {
        line,
        ..wanted.filter.clone()
    })
}

fn by_filters(conn: &mut Conn<'_>, wanted: &Wanted) -> Result<Page<ItemView>, ApiError> {
    let (team, paging) = (wanted.team, wanted.paging);
    let filter = on_line(conn, wanted)?;
    let total = search::count(conn, team, &filter)?;
    let position = match wanted.cursor {
        Some(Cursor::Behind(at, seq)) => Position::Behind(at, seq),
        _ => Position::Offset(paging.offset()),
    };
    if total == 0 || position == Position::Offset(paging.offset()) && paging.offset() >= total {
        return Ok(Page {
            data: Vec::new(),
            pagination: paging.describe(total, false, None),
        });
    }
    let order = if wanted.sort == Sort::Oldest {
        Order::OldestFirst
    } else {
        Order::NewestFirst
    };
    let mut seqs = search::page(conn, team, &filter, order, position, paging.size + 1)?;
    let has_more = trim(&mut seqs, paging.size);
    let details = items::details_by_seq(conn, team, &seqs)?;
    let last = details.last().filter(|_| has_more);
    let next = last.map(|detail| Cursor::Behind(detail.at, detail.seq).write(&wanted.fingerprint));
    let data = views::items(conn, team, details, wanted.extend)?;
    Ok(Page {
        data,
        pagination: paging.describe(total, has_more, next),
    })
}

/// Cuts a page that was read with one entry too many; tells whether there was one.
fn trim<T>(page: &mut Vec<T>, size: i64) -> bool {
    let full = usize::try_from(size).unwrap_or(usize::MAX);
    let more = page.len() > full;
    page.truncate(full);
    more
}

async fn by_text(state: &AppState, wanted: Wanted) -> Result<Page<ItemView>, ApiError> {
    let prepare = wanted.clone();
    let prepared = state
        .board
        .db()
        .read(move |conn| prepare_text(conn, &prepare))
        .await?;
    let (query, max_seq) = prepared;
    let index = state.search.as_ref().ok_or(ErrorCode::SearchNotReady)?;
    let TextHits { total, mut hits, .. } = index.search(query).await?;
    let has_more = trim(&mut hits, wanted.paging.size);
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let next = hits.last().filter(|_| has_more).map(|last| match wanted.sort {
        Sort::Relevance => Cursor::Ranked(ranked_offset(&wanted) + wanted.paging.size, max_seq),
        Sort::Newest | Sort::Oldest => Cursor::Behind(last.at, last.seq),
    });
    let next = next.map(|cursor| cursor.write(&wanted.fingerprint));
    let (team, extend) = (wanted.team, wanted.extend);
    let seqs: Vec<i64> = hits.iter().map(|hit| hit.seq).collect();
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<Vec<ItemView>, StoreError> {
            let details = items::details_by_seq(conn, team, &seqs)?;
            views::items(conn, team, details, extend)
        });
    let data = read.await.map_err(ApiError::from)?;
    Ok(Page {
        data,
        pagination: wanted.paging.describe(total, has_more, next),
    })
}

const fn ranked_offset(wanted: &Wanted) -> i64 {
    match wanted.cursor {
        Some(Cursor::Ranked(offset, _)) => offset,
        _ => wanted.paging.offset(),
    }
}

fn prepare_text(conn: &mut Conn<'_>, wanted: &Wanted) -> Result<(TextQuery, i64), ApiError> {
    let team = wanted.team;
    let filter = on_line(conn, wanted)?;
    let mut within: Option<Vec<i64>> = None;
    let mut without: Option<Vec<i64>> = None;
    for (wish, unread) in [(filter.unread, true), (filter.unresponded, false)] {
        let Some(wish) = wish else { continue };
        let which = if unread {
            search::unread_conversations(conn, team)?
        } else {
            search::unresponded_conversations(conn, team)?
        };
        if wish {
            within = Some(match within {
                Some(known) => known
                    .into_iter()
                    .filter(|one| which.binary_search(one).is_ok())
                    .collect(),
                None => which,
            });
        } else {
            without.get_or_insert_default().extend(which);
        }
    }
    let max_seq = match wanted.cursor {
        Some(Cursor::Ranked(_, max_seq)) => max_seq,
        _ => items::last_seq(conn, team)?,
    };
    let offset = usize::try_from(ranked_offset(wanted)).unwrap_or(usize::MAX);
    let start = match wanted.cursor {
        Some(Cursor::Behind(at, seq)) => TextStart::Behind { at, seq },
        _ => TextStart::Offset(offset),
    };
    let order = match wanted.sort {
        Sort::Newest => TextOrder::NewestFirst,
        Sort::Oldest => TextOrder::OldestFirst,
        Sort::Relevance => TextOrder::Relevance,
    };
    let query = TextQuery {
        team,
        words: wanted.words.clone(),
        filter: TextFilter {
            line: filter.line,
            contact: filter.contact,
            user: filter.user,
            kind: filter.kind,
            direction: filter.direction,
            results: filter.results,
            tags: filter.tags,
            conversations_in: within,
            conversations_not_in: without,
            from: filter.days.map(|days| days.from),
            until: filter.days.map(|days| days.until),
        },
        order,
        start,
        limit: usize::try_from(wanted.paging.size + 1).unwrap_or(101),
        max_seq: (wanted.sort == Sort::Relevance).then_some(max_seq),
    };
    Ok((query, max_seq))
}
