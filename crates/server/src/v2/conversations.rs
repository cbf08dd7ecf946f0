//! Conversations: everything between a line of the team and an outside number.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ConversationAction, ErrorCode, Millis, PhoneNumber};
use trunkline_store::conversations::{self, ConversationFilter, Position};
use trunkline_store::{Conn, TeamKey, numbers};
use trunkline_switchboard::conversations as commands;

use super::cursor::{Cursor, refused};
use super::views::{self, ConversationView, Extend};
use super::{contact_number, read_extend};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsAct, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Query};
use crate::http::reply::{self, Data, Page, Paging};

struct List {
    team: TeamKey,
    line: Option<PhoneNumber>,
    filter: ConversationFilter,
    paging: Paging,
    cursor: Option<(Millis, i64)>,
    extend: Extend,
}

/// List conversations
///
/// The conversations of one number, newest activity first. Archived ones are among them unless `archived=false`.
#[utoipa::path(get, path = "/v2/api/conversations", operation_id = "listConversations", tag = "Conversations",
    params(
        ("allo_number" = Option<String>, Query, description = "The team's number, in E.164 (`+` as `%2B`). Required, unless the team has one number only", example = "+14155550100"),
        ("last_activity_since" = Option<String>, Query, description = "Only activity strictly after this instant (RFC 3339)"),
        ("unread" = Option<bool>, Query, description = "Only unread, or only read conversations"),
        ("archived" = Option<bool>, Query, description = "Only archived, or only other conversations"),
        ("page" = Option<i64>, Query, description = "Page, from 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Entries on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer; replaces `page`"),
        ("extend" = Option<String>, Query, description = "`transcript`: with the transcript of each last item", example = "transcript"),
    ),
    responses((status = 200, description = "A page of conversations", body = Page<ConversationView>)))]
pub async fn list(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let line = input.phone("allo_number");
    let filter = ConversationFilter {
        since: input.instant("last_activity_since"),
        unread: input.flag("unread"),
        archived: input.flag("archived"),
    };
    let (paging, extend) = (Paging::read(&mut input), read_extend(&mut input));
    let cursor = input.cursor();
    input.finish()?;
    let of = fingerprint(caller.owner.team, line, filter);
    let cursor = match cursor.map(|text| Cursor::read(&text, &of)).transpose()? {
        Some(Cursor::Behind(at, number)) => Some((at, number)),
        Some(Cursor::Ranked(..)) => return Err(refused()),
        None => None,
    };
    let wanted = List {
        team: caller.owner.team,
        line,
        filter,
        paging,
        cursor,
        extend,
    };
    let long = paging.is_deep() || filter.since.is_some();
    let page = state
        .read_page(long, move |conn| read_page(conn, &wanted, &of))
        .await?;
    Ok(reply::page(&page))
}

fn fingerprint(team: TeamKey, line: Option<PhoneNumber>, filter: ConversationFilter) -> String {
    format!("conversations {team:?} {line:?} {filter:?}")
}

fn read_page(conn: &mut Conn<'_>, wanted: &List, of: &str) -> Result<Page<ConversationView>, ApiError> {
    let (team, paging) = (wanted.team, wanted.paging);
    let line = the_line(conn, team, wanted.line)?;
    let total = conversations::count(conn, team, line, wanted.filter)?;
    let position = match wanted.cursor {
        Some((at, number)) => Position::Behind(at, number),
        None if paging.offset() >= total => {
            return Ok(Page {
                data: Vec::new(),
                pagination: paging.describe(total, false, None),
            });
        }
        None => Position::Offset(paging.offset()),
    };
    let mut rows = conversations::list(conn, team, line, wanted.filter, position, paging.size + 1)?;
    let full = usize::try_from(paging.size).unwrap_or(usize::MAX);
    let has_more = rows.len() > full;
    rows.truncate(full);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| Cursor::Behind(row.last_at, row.conversation).write(of));
    let data = views::conversations(conn, team, &rows, wanted.extend)?;
    Ok(Page {
        data,
        pagination: paging.describe(total, has_more, next),
    })
}

/// The line a client means: the one it names, or the only one there is.
pub(crate) fn the_line(
    conn: &mut Conn<'_>,
    team: TeamKey,
    named: Option<PhoneNumber>,
) -> Result<i64, ApiError> {
    if let Some(number) = named {
        let line = numbers::line_of(conn, team, number)?;
        return line.ok_or_else(|| ApiError::new(ErrorCode::PhoneNumberNotFound).param("allo_number"));
    }
    let all: Vec<numbers::NumberRow> = numbers::list(conn, team)?
        .into_iter()
        .filter(|row| row.number.is_some())
        .collect();
    match all.as_slice() {
        [only] => Ok(only.line),
        _ => Err(ApiError::new(ErrorCode::MissingAlloNumber).param("allo_number")),
    }
}

/// What is to be done to a conversation.
#[derive(utoipa::ToSchema)]
#[schema(as = ConversationActionRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Act {
    /// `READ`, `UNREAD`, `ARCHIVE` or `UNARCHIVE`.
    #[schema(example = "READ")]
    action: String,
    /// Only on this number of the team; without it, on all.
    #[schema(example = "+14155550100")]
    allo_number: Option<String>,
}

/// What was done.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ConversationActionResult)]
pub struct ActView {
    #[schema(value_type = String, example = "+14155551234")]
    contact_number: PhoneNumber,
    #[schema(value_type = Option<String>, example = "+14155550100")]
    allo_number: Option<PhoneNumber>,
    #[schema(value_type = String, example = "READ")]
    action: ConversationAction,
}

/// Mark a conversation read, unread, archived or not
///
/// Doing it twice changes nothing. Archiving also marks as read.
#[utoipa::path(put, path = "/v2/api/conversations/{contact_number}/action", operation_id = "executeConversationAction",
    tag = "Conversations",
    params(("contact_number" = String, Path, description = "The outside number in E.164, `+` as `%2B`", example = "+14155551234")),
    request_body = Act,
    responses((status = 200, description = "Done", body = Data<ActView>)))]
pub async fn act(
    caller: Caller<ConversationsAct>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let PathParams([number]) = path;
    let contact_number = contact_number(&number)?;
    let Body(mut input) = body;
    let action: Option<ConversationAction> = input.name_or("action", ErrorCode::InvalidAction);
    if action.is_none() {
        input.missing("action");
    }
    let allo_number = input.phone("allo_number");
    input.finish()?;
    let Some(action) = action else {
        return Err(ErrorCode::InvalidAction.into());
    };
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        commands::act(work, contact_number, allo_number, action, &by)?;
        Ok(ActView {
            contact_number,
            allo_number,
            action,
        })
    })
    .await
}
