//! Commands of clients: run once for each `Idempotency-Key`, the answer stored with the write.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::Serialize;
use trunkline_domain::{ApiKeyId, ErrorCode, Millis};
use trunkline_store::idempotency::{self, IdempotencyRow};
use trunkline_store::{Conn, TeamKey, crypto};
use trunkline_switchboard::sweeper::IDEMPOTENCY_WINDOW;
use trunkline_switchboard::{Error as CommandError, Work};

use super::auth::Caller;
use super::context::{Context, told};
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

/// How an answer is stored beside its write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// As it is.
    Plain,
    /// Sealed: it holds a secret, which must not lie in the database for everybody to read.
    Sealed,
}

/// Runs a client's command in one transaction and answers `{"data": …}` with `status` (204: nothing). With an
/// `Idempotency-Key`, the answer is stored in the same transaction, and given again, byte for byte, to whoever repeats
/// the request within the hour. A refusal does not use up the key.
///
/// # Errors
/// What the command refuses, `IDEMPOTENCY_KEY_REUSE`, `OTHER_TRANSACTION_IN_PROGRESS`, the store's failure.
pub async fn commit<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    commit_kept(state, caller, status, Kept::Plain, ready(Ok(())), command).await
}

/// As [`commit`], for an answer with a secret in it: it is stored sealed.
///
/// # Errors
/// As [`commit`].
pub async fn commit_secret<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    commit_kept(state, caller, status, Kept::Sealed, ready(Ok(())), command).await
}

/// As [`commit_secret`], once `allowed` lets it: somebody outside decides, and is not asked again about a request whose
/// answer is stored.
///
/// # Errors
/// As [`commit`], and those of `allowed`.
pub async fn commit_secret_once<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    allowed: impl Future<Output = Result<(), ApiError>>,
    command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    commit_kept(state, caller, status, Kept::Sealed, allowed, command).await
}

async fn commit_kept<S, T, F>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    kept: Kept,
    allowed: impl Future<Output = Result<(), ApiError>>,
    mut command: F,
) -> Result<Response, ApiError>
where
    T: Serialize,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, CommandError> + Send + 'static,
{
    let key = caller.owner.key_id;
    let mut command = move |work: &mut Work<'_, '_>| {
        work.key = Some(key);
        command(work)
    };
    let Some(keyed) = Keyed::begin(state, caller, status, kept)? else {
        allowed.await?;
        let run = state.board.run(caller.owner.team, move |work| {
            written::<T>(status, command(work)?)
        });
        return Ok(answer(status, run.await?));
    };
    if let Some(known) = keyed.known(state).await? {
        return Ok(known);
    }
    allowed.await?;
    keyed
        .run(state, move |work| written::<T>(status, command(work)?))
        .await
}

/// Does something for a client that is no transaction, and answers `{"data": …}` with `status`. With an
/// `Idempotency-Key` the answer is stored when it is done, and given again to whoever repeats the request within the
/// hour, as [`commit`] does it. Should the server end in between, a repeated request does it once more.
///
/// # Errors
/// What `work` fails with, `IDEMPOTENCY_KEY_REUSE`, `OTHER_TRANSACTION_IN_PROGRESS`, the store's failure.
pub async fn once<S, T, W>(
    state: &AppState,
    caller: &Caller<S>,
    status: StatusCode,
    work: W,
) -> Result<Response, ApiError>
where
    T: Serialize,
    W: Future<Output = Result<T, ApiError>>,
{
    let Some(keyed) = Keyed::begin(state, caller, status, Kept::Plain)? else {
        return Ok(answer(status, written(status, work.await?)?));
    };
    if let Some(known) = keyed.known(state).await? {
        return Ok(known);
    }
    let body = written(status, work.await?)?;
    keyed.run(state, move |_| Ok(body.clone())).await
}

/// A request with an idempotency key, the only one with this key that this process is working on.
struct Keyed {
    team: TeamKey,
    /// What is to be stored; the answer is not in it yet.
    row: IdempotencyRow,
    /// Under which the answer is found if the key told of somebody who was erased.
    fingerprint: String,
    kept: Kept,
    context: Arc<Context>,
    _running: Running,
}

enum Outcome {
    Done(String),
    Known(IdempotencyRow),
}

impl Keyed {
    /// `None` for a request without a key.
    fn begin<S>(
        state: &AppState,
        caller: &Caller<S>,
        status: StatusCode,
        kept: Kept,
    ) -> Result<Option<Self>, ApiError> {
        let Some(key) = caller.context.idempotency_key.clone() else {
            return Ok(None);
        };
        let running = state.in_flight.begin(caller.owner.key_id, &key)?;
        // Where there is no body, the query says what is to be done.
        let fingerprint = caller.context.fingerprint.get().cloned();
        let fingerprint = fingerprint.unwrap_or_else(|| crypto::sha256_hex(caller.context.query.as_bytes()));
        let row = IdempotencyRow {
            api_key: caller.owner.key_id,
            key,
            request: caller.context.request.clone(),
            fingerprint,
            status: status.as_u16(),
            ignored: None,
            body: String::new(),
            created_at: state.board.now(),
        };
        let team = caller.owner.team;
        Ok(Some(Self {
            team,
            fingerprint: state.vault.fingerprints().of_key(team, &row.key),
            row,
            kept,
            context: caller.context.clone(),
            _running: running,
        }))
    }

    fn since(&self) -> Millis {
        self.row.created_at.plus(-IDEMPOTENCY_WINDOW)
    }

    /// The answer of an earlier request with this key.
    async fn known(&self, state: &AppState) -> Result<Option<Response>, ApiError> {
        let (team, since, sought) = (self.team, self.since(), self.row.clone());
        let erased = self.fingerprint.clone();
        let look = move |conn: &mut Conn<'_>| {
            idempotency::get(conn, team, sought.api_key, (&sought.key, &erased), since)
        };
        let known = state.board.db().read(look).await?;
        known.map(|known| self.replay(state, known)).transpose()
    }

    /// Runs the command, which returns what is answered, and stores its answer in the same transaction.
    async fn run<F>(self, state: &AppState, mut command: F) -> Result<Response, ApiError>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<String, ApiError> + Send + 'static,
    {
        let (team, since, kept) = (self.team, self.since(), self.kept);
        let erased = self.fingerprint.clone();
        let ignored = told(&self.context.ignored.lock());
        let mut stored = IdempotencyRow {
            ignored: (!ignored.is_empty()).then_some(ignored),
            ..self.row.clone()
        };
        let vault = state.vault.clone();
        let run = state.board.run(team, move |work| -> Result<Outcome, ApiError> {
            // Once more, now that the team's row is held: another node may have been faster with the same key, and
            // then its answer is the answer, whatever the command would say of what is already done.
            if let Some(known) =
                idempotency::get(work.tx, team, stored.api_key, (&stored.key, &erased), since)?
            {
                return Ok(Outcome::Known(known));
            }
            let body = command(work)?;
            stored.body = match kept {
                Kept::Plain => body.clone(),
                Kept::Sealed => vault.seal(work.ids, &subject(&stored), &body),
            };
            idempotency::put(work.tx, team, &stored, since)?;
            Ok(Outcome::Done(body))
        });
        match run.await? {
            Outcome::Done(body) => Ok(answer(status_of(&self.row), body)),
            Outcome::Known(known) => self.replay(state, known),
        }
    }

    fn replay(&self, state: &AppState, known: IdempotencyRow) -> Result<Response, ApiError> {
        let row = &self.row;
        // What was asked is known by its fingerprint only where it told of somebody who was erased.
        let hidden = || state.vault.fingerprints().of_key(self.team, &row.request);
        let is_same = known.request == row.request || known.request == hidden();
        if !is_same || known.fingerprint != row.fingerprint {
            let what = if is_same {
                "with another body"
            } else {
                "for another method or path"
            };
            return Err(ApiError::new(ErrorCode::IdempotencyKeyReuse)
                .message(format!("this idempotency key was used {what}"))
                .param("Idempotency-Key"));
        }
        let body = match self.kept {
            Kept::Plain => known.body.clone(),
            Kept::Sealed => state.vault.open(&subject(&known), &known.body)?,
        };
        // What the first request was told to be ignored is told again; this one may differ in a query beside its body.
        let ignored = known.ignored.iter().flat_map(|names| names.split(", "));
        *self.context.ignored.lock() = ignored.map(str::to_owned).collect();
        let mut response = answer(status_of(&known), body);
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}

/// What a sealed answer belongs to: it opens for its own request only.
fn subject(row: &IdempotencyRow) -> String {
    format!("{} {}", row.api_key, row.key)
}

fn status_of(row: &IdempotencyRow) -> StatusCode {
    StatusCode::from_u16(row.status).unwrap_or(StatusCode::OK)
}

fn written<T: Serialize>(status: StatusCode, data: T) -> Result<String, ApiError> {
    if status == StatusCode::NO_CONTENT {
        return Ok(String::new());
    }
    to_json(&Data { data })
}

fn answer(status: StatusCode, body: String) -> Response {
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    raw(status, body)
}

/// Whether the answer is that of an earlier request: this one changed nothing.
pub fn is_replay(answer: &Response) -> bool {
    answer.headers().contains_key(REPLAYED)
}
