//! Commands of clients: run once for each `Idempotency-Key`, the answer stored with the write.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use parking_lot::Mutex;
use serde::Serialize;
use trunkline_domain::{ApiKeyId, ErrorCode};
use trunkline_store::idempotency::{self, IdempotencyRow};
use trunkline_store::{Conn, TeamKey, crypto};
use trunkline_switchboard::sweeper::IDEMPOTENCY_WINDOW;
use trunkline_switchboard::{Error as CommandError, Work};

use super::auth::Caller;
use super::error::ApiError;
use super::reply::{Data, raw, to_json};
use crate::AppState;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Requests that are being worked on in this process, by API key and idempotency key.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<(ApiKeyId, String)>>>);

struct Running {
    all: InFlight,
    own: (ApiKeyId, String),
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.own);
    }
}

impl InFlight {
    fn begin(&self, api_key: ApiKeyId, key: &str) -> Result<Running, ApiError> {
        let own = (api_key, key.to_owned());
        if self.0.lock().insert(own.clone()) {
            Ok(Running {
                all: self.clone(),
                own,
            })
        } else {
            let message = "a request with this idempotency key is still being worked on";
            Err(ApiError::new(ErrorCode::OtherTransactionInProgress)
                .message(message)
                .param("Idempotency-Key"))
        }
    }
}

/// Runs a client's command in one transaction and answers `{"data": …}` with `status`. With an `Idempotency-Key`, the
/// answer is stored in the same transaction, and given again, byte for byte, to whoever repeats the request within
/// the hour. A refusal does not use up the key.
///
/// # Errors
/// What the command refuses, `IDEMPOTENCY_KEY_REUSE`, `OTHER_TRANSACTION_IN_PROGRESS`, the store's failure.
pub async fn commit<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    mut command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    let team = caller.owner.team;
    let Some(key) = caller.context.idempotency_key.clone() else {
        let body = state
            .board
            .run(team, move |work| -> Result<String, ApiError> {
                to_json(&Data { data: command(work)? })
            })
            .await?;
        return Ok(raw(status, body));
    };
    let running = state.in_flight.begin(caller.owner.key_id, &key)?;
    let row = IdempotencyRow {
        api_key: caller.owner.key_id,
        key,
        request: caller.context.request.clone(),
        fingerprint: caller
            .context
            .fingerprint
            .get()
            .cloned()
            .unwrap_or_else(|| crypto::sha256_hex(b"")),
        status: status.as_u16(),
        ignored: None,
        body: String::new(),
        created_at: state.board.now(),
    };
    let answer = run_once(state, caller, team, row, command).await;
    drop(running);
    answer
}

async fn run_once<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    team: TeamKey,
    row: IdempotencyRow,
    mut command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    let (sought, since) = (row.clone(), row.created_at.plus(-IDEMPOTENCY_WINDOW));
    let look = move |conn: &mut Conn<'_>| idempotency::get(conn, team, sought.api_key, &sought.key, since);
    if let Some(known) = state.board.db().read(look).await? {
        return replay(&row, known);
    }
    let ignored = caller.context.ignored.lock().join(", ");
    let mut stored = IdempotencyRow {
        ignored: (!ignored.is_empty()).then_some(ignored),
        ..row.clone()
    };
    let run = state.board.run(team, move |work| -> Result<Outcome, ApiError> {
        // Once more, now that the team's row is held: another node may have been faster with the same key, and then
        // its answer is the answer, whatever the command would say of what is already done.
        if let Some(known) = idempotency::get(work.tx, team, stored.api_key, &stored.key, since)? {
            return Ok(Outcome::Known(known));
        }
        stored.body = to_json(&Data { data: command(work)? })?;
        idempotency::put(work.tx, team, &stored, since)?;
        Ok(Outcome::Done(stored.body.clone()))
    });
    match run.await? {
        Outcome::Done(body) => Ok(raw(
            StatusCode::from_u16(row.status).unwrap_or(StatusCode::OK),
            body,
        )),
        Outcome::Known(known) => replay(&row, known),
    }
}

enum Outcome {
    Done(String),
    Known(IdempotencyRow),
}

fn replay(row: &IdempotencyRow, known: IdempotencyRow) -> Result<Response, ApiError> {
    if known.request != row.request || known.fingerprint != row.fingerprint {
        let what = if known.request == row.request {
            "with another body"
        } else {
            "for another method or path"
        };
        return Err(ApiError::new(ErrorCode::IdempotencyKeyReuse)
            .message(format!("this idempotency key was used {what}"))
            .param("Idempotency-Key"));
    }
    let mut response = raw(
        StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK),
        known.body,
    );
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Whether the answer is that of an earlier request: this one changed nothing.
pub fn is_replay(answer: &Response) -> bool {
    answer.headers().contains_key(REPLAYED)
}
