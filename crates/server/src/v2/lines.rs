//! What numbers and sender ids have in common: they are lines of the team, with users who work with them.

use trunkline_domain::{ErrorCode, UserId};
use trunkline_store::numbers::{self, MemberRow, NumberRow};
use trunkline_store::{StoreError, TeamKey};

use crate::AppState;
use crate::http::error::ApiError;
use crate::http::input::Input;

/// The most users of a line.
const MAX_MEMBERS: usize = 100;

/// All lines of the team that are in service, each with its users, the main one first.
///
/// # Errors
/// The store's failure.
pub(crate) async fn all(
    state: &AppState,
    team: TeamKey,
) -> Result<Vec<(NumberRow, Vec<MemberRow>)>, ApiError> {
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        Ok((numbers::list(conn, team)?, numbers::members(conn, team)?))
    });
    let (rows, members) = read.await?;
    let with_members = |row: NumberRow| {
        let own = members.iter().filter(|member| member.line == row.line);
        let own: Vec<MemberRow> = own.cloned().collect();
        (row, own)
    };
    Ok(rows.into_iter().map(with_members).collect())
}

/// Reads `user_ids`, if it is there. What is no id is nobody's.
pub(super) fn read_members(input: &mut Input) -> Option<Result<Vec<UserId>, ApiError>> {
    let texts = input.texts("user_ids", MAX_MEMBERS)?;
    let nobody = |_| ApiError::new(ErrorCode::MemberNotFound).param("user_ids");
    Some(
        texts
            .iter()
            .map(|text| UserId::parse(text).map_err(nobody))
            .collect(),
    )
}
