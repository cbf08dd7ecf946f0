//! The first version of the API: one file per endpoint group, read top to bottom. Its errors have a form of their own
//! (`{"code", "details"}`, see `http/error.rs`), and what is not found is a 400.

pub mod calls;
pub mod contacts;
pub mod conversation;
pub mod numbers;
pub mod sms;
mod views;

use serde::Serialize;
use trunkline_domain::ErrorCode;

use crate::http::input::Input;

/// Entries on a page unless the client says otherwise.
const PAGE_SIZE: i64 = 10;

/// What a client asked of a list; pages are counted from 0.
#[derive(Clone, Copy, Debug)]
struct Paging {
    page: i64,
    size: i64,
}

impl Paging {
    fn read(input: &mut Input) -> Self {
        let page = input.integer("page", 0..=1_000_000_000, ErrorCode::InvalidParameter);
        let size = input.integer("size", 1..=100, ErrorCode::InvalidPageSize);
        Self {
            page: page.unwrap_or(0),
            size: size.unwrap_or(PAGE_SIZE),
        }
    }

    const fn offset(self) -> i64 {
        self.page * self.size
    }

    const fn describe(self, total: i64) -> Counted {
        Counted {
            total_pages: (total + self.size - 1) / self.size,
            current_page: self.page,
        }
    }
}

/// Where a page stands.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SearchMetadata)]
pub struct Counted {
    /// Pages of this size.
    #[schema(example = 5)]
    total_pages: i64,
    /// The page's number, from 0.
    #[schema(example = 0)]
    current_page: i64,
}

/// Where a page stands, one level deeper.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PaginationMeta)]
pub struct Paged {
    pagination: Counted,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Results<T, M> {
    /// The entries.
    results: Vec<T>,
    /// Where the page stands.
    metadata: M,
}
