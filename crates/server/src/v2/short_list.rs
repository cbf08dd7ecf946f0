//! Lists that are short by their nature (a team's keys, its invitations): read whole, and cut into pages here.

use trunkline_domain::{ErrorCode, Millis};
use trunkline_store::crm::{Place, SortKey};

use super::cursor::{read_place, write_place};
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::reply::{Pagination, Paging};

/// What a client asked of a short list, filters aside.
pub(super) struct ShortList {
    paging: Paging,
    cursor: Option<String>,
}

impl ShortList {
    /// Reads `page`, `size` and `cursor`.
    pub(super) fn read(input: &mut Input) -> Self {
        Self {
            paging: Paging::read(input),
            cursor: input.cursor(),
        }
    }

    /// Where the page begins. `of` is what a cursor must belong to.
    ///
    /// # Errors
    /// `INVALID_CURSOR`.
    pub(super) fn place(&self, of: &str) -> Result<Place, ApiError> {
        let Some(cursor) = &self.cursor else {
            return Ok(Place::Offset(self.paging.offset()));
        };
        match read_place(cursor, of)? {
            place @ Place::Behind(SortKey::Time(_), _) => Ok(place),
            _ => Err(ApiError::new(ErrorCode::InvalidCursor).param("cursor")),
        }
    }

    /// The page of all `rows`, which are sorted by what `key` says of them.
    pub(super) fn cut<T>(
        &self,
        mut rows: Vec<T>,
        place: &Place,
        of: &str,
        key: impl Fn(&T) -> (Millis, String),
    ) -> (Vec<T>, Pagination) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let total = count(rows.len());
        let skipped = match place {
            Place::Offset(offset) => usize::try_from(*offset).unwrap_or(usize::MAX).min(rows.len()),
            Place::Behind(SortKey::Time(at), id) => {
                rows.partition_point(|row| key(row) <= (Millis(*at), id.clone()))
            }
            Place::Behind(SortKey::Name(_), _) => rows.len(),
        };
        rows.drain(..skipped);
        let has_more = count(rows.len()) > self.paging.size;
        rows.truncate(usize::try_from(self.paging.size).unwrap_or(usize::MAX));
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|row| {
            let (at, id) = key(row);
            write_place(&SortKey::Time(at.0), &id, of)
        });
        (rows, self.paging.describe(total, has_more, next))
    }
}
