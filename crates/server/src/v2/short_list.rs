//! Lists that are short by their nature (a team's keys, its invitations): read whole, and cut into pages here.

use trunkline_domain::Millis;
use trunkline_store::crm::{Place, SortKey};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{Conn, StoreError, TeamKey};

use super::cursor::{read_place, refused, write_place};
use crate::AppState;
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::reply::{Page, Pagination, Paging};

/// What a client asked of a short list, filters aside.
pub(super) struct ShortList {
    paging: Paging,
    cursor: Option<String>,
}

/// What there is of a team in a short list.
pub(super) struct Listed<T> {
    /// What a cursor must belong to.
    pub(super) of: String,
    /// Reads all rows, in the list's order.
    pub(super) rows: fn(&mut Conn<'_>, TeamKey) -> Result<Vec<T>, StoreError>,
    /// What they are sorted by.
    pub(super) key: fn(&T) -> (Millis, String),
}

impl ShortList {
    /// Reads `page`, `size` and `cursor`.
    pub(super) fn read(input: &mut Input) -> Self {
        Self {
            paging: Paging::read(input),
            cursor: input.cursor(),
        }
    }

    /// The page of what is `listed` of the team and to be kept, each row as `view` shows it with the team's users.
    ///
    /// # Errors
    /// `INVALID_CURSOR`, or the store's failure.
    pub(super) async fn page<T: Send + 'static, V>(
        &self,
        state: &AppState,
        team: TeamKey,
        listed: Listed<T>,
        keep: impl FnMut(&T) -> bool,
        view: impl Fn(T, &[UserRow]) -> V,
    ) -> Result<Page<V>, ApiError> {
        let place = self.place(&listed.of)?;
        let read = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
            Ok((listed.of, (listed.rows)(conn, team)?, users::list(conn, team)?))
        };
        let (of, mut rows, users) = state.read_page(false, read).await?;
        rows.retain(keep);
        let (rows, pagination) = self.cut(rows, &place, &of, listed.key);
        let data = rows.into_iter().map(|row| view(row, &users)).collect();
        Ok(Page { data, pagination })
    }

    /// Where the page begins. `of` is what a cursor must belong to.
    fn place(&self, of: &str) -> Result<Place, ApiError> {
        let Some(cursor) = &self.cursor else {
            return Ok(Place::Offset(self.paging.offset()));
        };
        match read_place(cursor, of)? {
            place @ Place::Behind(SortKey::Time(_), _) => Ok(place),
            _ => Err(refused()),
        }
    }

    /// The page of all `rows`, which are sorted by what `key` says of them.
    fn cut<T>(
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
