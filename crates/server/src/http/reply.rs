//! Successful answers: `{"data": …}`, lists with `pagination`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trunkline_domain::ErrorCode;

use super::error::ApiError;
use super::input::Input;

/// `{"data": …}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Data<T> {
    /// The answer.
    pub data: T,
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// Where a page stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pagination {
    /// The page's number, from 1.
    #[schema(example = 1)]
    pub page: i64,
    /// Entries on a page.
    #[schema(example = 20)]
    pub size: i64,
    /// All entries that match: exact.
    #[schema(example = 156)]
    pub total_count: i64,
    /// Pages of this size.
    #[schema(example = 8)]
    pub total_pages: i64,
    /// Whether something follows.
    pub has_more: bool,
    /// Send it as `cursor` to go on from here at the price of a first page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// What a client asked of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub size: i64,
}

/// Walking over more rows than this is long work.
const LONG_WALK: i64 = 10_000;

/// Entries on a page unless the client says otherwise.
pub const PAGE_SIZE: i64 = 20;

impl Paging {
    /// Reads `page` and `size`.
    pub fn read(input: &mut Input) -> Self {
        let page = input
            .integer("page", 1..=1_000_000_000, ErrorCode::InvalidParameter)
            .unwrap_or(1);
        let size = input
            .integer("size", 1..=100, ErrorCode::InvalidPageSize)
            .unwrap_or(PAGE_SIZE);
        Self { page, size }
    }

    /// Rows before the page.
    #[must_use]
    pub const fn offset(self) -> i64 {
        (self.page - 1) * self.size
    }

    /// Whether so many rows stand before the page that walking over them is long work.
    #[must_use]
    pub const fn is_deep(self) -> bool {
        self.offset() > LONG_WALK
    }

    /// How the answer describes the page.
    #[must_use]
    pub const fn describe(self, total_count: i64, has_more: bool, next_cursor: Option<String>) -> Pagination {
        let total_pages = (total_count + self.size - 1) / self.size;
        Pagination {
            page: self.page,
            size: self.size,
            total_count,
            total_pages,
            has_more,
            next_cursor,
        }
    }
}

/// 200 with a page of a list.
#[must_use]
pub fn page<T: Serialize>(page: &Page<T>) -> Response {
    let mut body = Vec::with_capacity(256 + page.data.len() * ENTRY_BYTES);
    match serde_json::to_writer(&mut body, page) {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => unwritable(error).into_response(),
    }
}

/// Room for an entry of a list, so that a page need not be moved again and again while it is written.
const ENTRY_BYTES: usize = 1_024;

/// A JSON answer.
#[must_use]
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match to_json(body) {
        Ok(body) => raw(status, body),
        Err(error) => error.into_response(),
    }
}

/// 200 with `{"data": …}`.
#[must_use]
pub fn data<T: Serialize>(data: T) -> Response {
    json(StatusCode::OK, &Data { data })
}

pub(crate) fn to_json<T: Serialize>(body: &T) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn unwritable(error: serde_json::Error) -> ApiError {
    tracing::error!(error = %error, "an answer could not be written");
    ApiError::new(ErrorCode::InternalServerError)
}

pub(crate) fn raw(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
