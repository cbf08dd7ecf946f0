//! Webhook endpoints: made, changed, given new secrets, switched off, and asked to send again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use trunkline_domain::events::{EndpointDisabled, Topic};
use trunkline_domain::webhook::Breaker;
use trunkline_domain::{DeliveryId, EndpointId, ErrorCode, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::webhooks::{self, EndpointRow};
use trunkline_store::{StoreError, teams, webhook_messages};

use crate::{Actor, Error, Refused, Work};

/// The most endpoints a team may have.
pub const MAX_ENDPOINTS: i64 = 100;

/// For how long a replaced secret still signs.
pub const OVERLAP_MS: i64 = Millis::DAY;

/// The most replaced secrets that still sign.
pub const MAX_OLD_SECRETS: usize = 10;

/// For how long a message is its sender's after it was claimed. One that is due later than this from now waits for its
/// next attempt; one that is due earlier may be on its way.
pub const LEASE_MS: i64 = Millis::MINUTE;

/// Random bytes of a new secret: what the Standard Webhooks specification recommends at least.
const SECRET_BYTES: usize = 24;

/// Why an endpoint is disabled: its owner wants it so.
pub const BY_OWNER: &str = "OWNER";
/// Why an endpoint is disabled: everything failed for five days.
pub const BY_FAILURES: &str = "FAILURES";

/// The kind of job that tells admins of a disabled endpoint by e-mail.
pub const DISABLED_MAIL_JOB: &str = "mail.webhook_disabled";

/// A signing secret of an endpoint. Has no `Debug`: it is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecret {
    /// `whsec_` and base64.
    pub secret: String,
    /// From when it signs no more; `None` for the present one.
    pub until: Option<Millis>,
}

/// An extra header of every delivery to an endpoint. Has no `Debug`: its value may be a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An endpoint to be made. Everything in it was checked.
#[derive(Clone)]
pub struct CreateEndpoint {
    /// Where messages go.
    pub url: String,
    /// What it wants to hear of.
    pub topics: Vec<Topic>,
    /// In the team's own words.
    pub description: Option<String>,
    /// If there are any: only calls and texts of these lines.
    pub lines: Option<Vec<i64>>,
    /// Extra headers.
    pub headers: Vec<Header>,
}

/// What to change about an endpoint: `None` leaves it as it is. Everything in it was checked.
#[derive(Clone, Default)]
pub struct PatchEndpoint {
    /// Where messages go.
    pub url: Option<String>,
    /// What it wants to hear of.
    pub topics: Option<Vec<Topic>>,
    /// In the team's own words; `Some(None)` takes them away.
    pub description: Option<Option<String>>,
    /// Only calls and texts of these lines; `Some(None)` takes the limit away.
    pub lines: Option<Option<Vec<i64>>>,
    /// Extra headers; an empty list takes them away.
    pub headers: Option<Vec<Header>>,
    /// Whether it is sent anything.
    pub enabled: Option<bool>,
    /// When it is enabled again: whether it is sent what it has missed.
    pub resume: bool,
}

/// A replay under way: it goes from the newest message back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Only events that happened then or later.
    pub since: Millis,
    /// Only these topics; empty for all.
    pub topics: Vec<Topic>,
    /// Where to go on: only events before this number.
    pub before: i64,
}

/// The secrets of an endpoint, newest first.
///
/// # Errors
/// [`StoreError::Sealed`] when the vault has another key.
pub fn open_secrets(vault: &Vault, row: &EndpointRow) -> Result<Vec<SigningSecret>, StoreError> {
    let text = vault.open(&row.id.to_string(), &row.secrets)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Sealed)
}

/// The extra headers of an endpoint.
///
/// # Errors
/// [`StoreError::Sealed`] when the vault has another key.
pub fn open_headers(vault: &Vault, row: &EndpointRow) -> Result<Vec<Header>, StoreError> {
    let Some(sealed) = &row.headers else {
        return Ok(Vec::new());
    };
    let text = vault.open(&row.id.to_string(), sealed)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Sealed)
}

fn seal<T: Serialize>(work: &Work<'_, '_>, vault: &Vault, id: EndpointId, what: &T) -> Result<String, Error> {
    let text = serde_json::to_string(what).map_err(|error| StoreError::Column {
        column: 0,
        problem: format!("a secret: {error}"),
    })?;
    Ok(vault.seal(work.ids, &id.to_string(), &text))
}

fn sealed_headers(
    work: &Work<'_, '_>,
    vault: &Vault,
    id: EndpointId,
    headers: &[Header],
) -> Result<Option<String>, Error> {
    if headers.is_empty() {
        return Ok(None);
    }
    seal(work, vault, id, &headers).map(Some)
}

fn new_secret(work: &Work<'_, '_>) -> SigningSecret {
    let mut bytes = [0; SECRET_BYTES];
    work.ids.fill(&mut bytes);
    SigningSecret {
        secret: format!("whsec_{}", BASE64.encode(bytes)),
        until: None,
    }
}

/// The endpoint with this id.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`.
pub fn find(work: &mut Work<'_, '_>, id: EndpointId) -> Result<EndpointRow, Error> {
    Ok(webhooks::get(work.tx, work.team, id)?.ok_or(ErrorCode::WebhookNotFound)?)
}

/// As [`find`], for a change: until the commit neither fanning out nor delivering changes the endpoint.
fn take(work: &mut Work<'_, '_>, id: EndpointId) -> Result<EndpointRow, Error> {
    webhooks::lock_cursor(work.tx, work.team)?;
    Ok(webhooks::lock(work.tx, work.team, id)?.ok_or(ErrorCode::WebhookNotFound)?)
}

/// Makes an endpoint. It hears of everything that happens from now on.
///
/// # Errors
/// `INVALID_PARAMETER` when the team has as many as it may have.
pub fn create(
    work: &mut Work<'_, '_>,
    vault: &Vault,
    endpoint: &CreateEndpoint,
    by: &Actor,
) -> Result<(EndpointRow, SigningSecret), Error> {
    if webhooks::count(work.tx, work.team)? >= MAX_ENDPOINTS {
        let message =
            format!("a team has at most {MAX_ENDPOINTS} webhook endpoints; delete one that is not needed");
        return Err(Refused::new(ErrorCode::WebhookLimitReached)
            .because(message)
            .into());
    }
    let id: EndpointId = work.new_id(work.now);
    let secret = new_secret(work);
    let row = EndpointRow {
        endpoint: webhooks::next_number(work.tx, work.team)?,
        id,
        url: endpoint.url.clone(),
        topics: endpoint.topics.clone(),
        description: endpoint.description.clone(),
        lines: endpoint.lines.clone(),
        headers: sealed_headers(work, vault, id, &endpoint.headers)?,
        secrets: seal(work, vault, id, &[&secret])?,
        enabled: true,
        disabled_reason: None,
        disabled_at: None,
        breaker: None,
        behind: None,
        skip_to: None,
        replay: None,
        last_success_at: None,
        last_failure_at: None,
        last_error: None,
        created_at: work.now,
        updated_at: work.now,
        deleted_at: None,
        version: 1,
    };
    webhooks::insert(work.tx, work.team, &row)?;
    join(work, row.endpoint)?;
    note(work, by, "webhook.created", id)?;
    Ok((row, secret))
}

/// Lets an endpoint hear of what happens from now on, and nothing before.
fn join(work: &mut Work<'_, '_>, endpoint: i64) -> Result<(), Error> {
    // The team's row is held, so this is the last event there is.
    let last = teams::last_event(work.tx, work.team)?;
    webhooks::start_cursor(work.tx, work.team, last)?;
    let cursor = webhooks::lock_cursor(work.tx, work.team)?.unwrap_or(last);
    if cursor < last {
        // Fanning out has not come to the present: what is still to be fanned out is not for this endpoint.
        webhooks::set_behind(work.tx, work.team, endpoint, Some(last))?;
    }
    work.tx.mark_appended();
    Ok(())
}

/// Changes an endpoint.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`.
pub fn update(
    work: &mut Work<'_, '_>,
    vault: &Vault,
    id: EndpointId,
    patch: &PatchEndpoint,
    by: &Actor,
) -> Result<EndpointRow, Error> {
    let mut row = take(work, id)?;
    if let Some(url) = &patch.url {
        row.url.clone_from(url);
    }
    if let Some(topics) = &patch.topics {
        row.topics.clone_from(topics);
    }
    if let Some(description) = &patch.description {
        row.description.clone_from(description);
    }
    if let Some(lines) = &patch.lines {
        row.lines.clone_from(lines);
    }
    if let Some(headers) = &patch.headers {
        row.headers = sealed_headers(work, vault, id, headers)?;
    }
    row.updated_at = work.now;
    match patch.enabled {
        Some(true) if !row.enabled => enable(work, &mut row, patch.resume)?,
        Some(false) if row.enabled => disable(work, &mut row, BY_OWNER)?,
        _ => {}
    }
    store(work, &row)?;
    note(work, by, "webhook.updated", id)?;
    Ok(row)
}

fn store(work: &mut Work<'_, '_>, row: &EndpointRow) -> Result<(), Error> {
    webhooks::update(work.tx, work.team, row)?;
    work.tx.mark_appended();
    Ok(())
}

/// Takes an endpoint out of the fanning out, and remembers where it stopped.
fn disable(work: &mut Work<'_, '_>, row: &mut EndpointRow, reason: &str) -> Result<(), Error> {
    let cursor = webhooks::lock_cursor(work.tx, work.team)?.unwrap_or(0);
    row.behind.get_or_insert(cursor);
    row.enabled = false;
    row.disabled_reason = Some(reason.to_owned());
    row.disabled_at = Some(work.now);
    Ok(())
}

fn enable(work: &mut Work<'_, '_>, row: &mut EndpointRow, resume: bool) -> Result<(), Error> {
    let cursor = webhooks::lock_cursor(work.tx, work.team)?.unwrap_or(0);
    row.enabled = true;
    (row.disabled_reason, row.disabled_at, row.breaker) = (None, None, None);
    if !resume {
        let last = teams::last_event(work.tx, work.team)?;
        row.behind = (cursor < last).then_some(last);
        row.skip_to = Some(last);
    }
    Ok(())
}

/// Deletes an endpoint with its history. What is being sent just now may still arrive.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`.
pub fn delete(work: &mut Work<'_, '_>, id: EndpointId, by: &Actor) -> Result<(), Error> {
    let mut row = take(work, id)?;
    row.deleted_at = Some(work.now);
    row.updated_at = work.now;
    // Its messages may be many; they go in small steps, behind the scenes.
    store(work, &row)?;
    note(work, by, "webhook.deleted", id)
}

/// Gives an endpoint a new signing secret. The old ones sign beside it for [`OVERLAP_MS`], at most
/// [`MAX_OLD_SECRETS`] of them.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`, or [`StoreError::Sealed`].
pub fn rotate_secret(
    work: &mut Work<'_, '_>,
    vault: &Vault,
    id: EndpointId,
    by: &Actor,
) -> Result<(EndpointRow, SigningSecret, Millis), Error> {
    let mut row = take(work, id)?;
    let fresh = new_secret(work);
    let end = work.now.plus(OVERLAP_MS);
    let mut secrets = vec![fresh.clone()];
    let old = open_secrets(vault, &row)?;
    let still_valid = old
        .into_iter()
        .map(|old| SigningSecret {
            until: Some(old.until.map_or(end, |until| until.min(end))),
            ..old
        })
        .filter(|old| old.until.is_some_and(|until| work.now < until));
    secrets.extend(still_valid.take(MAX_OLD_SECRETS));
    row.secrets = seal(work, vault, id, &secrets)?;
    row.updated_at = work.now;
    store(work, &row)?;
    note(work, by, "webhook.secret_rotated", id)?;
    Ok((row, fresh, end))
}

/// Has one message sent again, with a fresh round of attempts. One that waits for its next attempt is sent at once; one
/// that is due within [`LEASE_MS`] is left alone, since it may be on its way.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`, `WEBHOOK_DISABLED`, `WEBHOOK_MESSAGE_NOT_FOUND`, `OTHER_TRANSACTION_IN_PROGRESS` while what the
/// endpoint has missed is being skipped, this message too.
pub fn replay_one(work: &mut Work<'_, '_>, id: EndpointId, message: DeliveryId) -> Result<(), Error> {
    let row = find(work, id)?;
    must_be_enabled(&row)?;
    let not_found = ErrorCode::WebhookMessageNotFound;
    let event = message.event().ok_or(not_found)?;
    let found = webhook_messages::get(work.tx, work.team, row.endpoint, event)?.ok_or(not_found)?;
    if DeliveryId::of(id, event, found.at) != message {
        return Err(not_found.into());
    }
    if row.skip_to.is_some_and(|to| event <= to) {
        return Err(Refused::new(ErrorCode::OtherTransactionInProgress)
            .because("what the endpoint has missed is being skipped just now")
            .into());
    }
    let soon = work.now.plus(LEASE_MS);
    webhook_messages::renew(work.tx, work.team, row.endpoint, event, work.now, soon)?;
    work.tx.mark_appended();
    Ok(())
}

/// Has everything sent again that failed, of events since an instant and of these topics (none: of all). It is done
/// in small steps, behind the scenes.
///
/// # Errors
/// `WEBHOOK_NOT_FOUND`, `OTHER_TRANSACTION_IN_PROGRESS` while an earlier replay is still under way.
pub fn replay_failed(
    work: &mut Work<'_, '_>,
    id: EndpointId,
    since: Millis,
    topics: &[Topic],
) -> Result<(), Error> {
    let mut row = take(work, id)?;
    must_be_enabled(&row)?;
    if row.replay.is_some() {
        return Err(Refused::new(ErrorCode::OtherTransactionInProgress)
            .because("an earlier replay of this endpoint is still under way")
            .into());
    }
    let replay = Replay {
        since,
        topics: topics.to_vec(),
        before: i64::MAX,
    };
    row.replay = serde_json::to_string(&replay).ok();
    store(work, &row)
}

fn must_be_enabled(row: &EndpointRow) -> Result<(), Error> {
    if row.enabled {
        return Ok(());
    }
    Err(Refused::new(ErrorCode::WebhookDisabled)
        .because("the endpoint is disabled; enable it before anything is sent again")
        .into())
}

/// Switches an endpoint off whose breaker has opened, and says so in the event log. Returns whether it did: somebody
/// may have been quicker.
///
/// # Errors
/// The store's failure.
pub fn give_up(work: &mut Work<'_, '_>, endpoint: i64) -> Result<bool, Error> {
    webhooks::lock_cursor(work.tx, work.team)?;
    let Some(mut row) = webhooks::lock_by_number(work.tx, work.team, endpoint)? else {
        return Ok(false);
    };
    let breaker: Breaker = row
        .breaker
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    if !row.enabled || row.deleted_at.is_some() || !breaker.is_open() {
        return Ok(false);
    }
    disable(work, &mut row, BY_FAILURES)?;
    store(work, &row)?;
    let told = EndpointDisabled {
        id: row.id,
        url: row.url,
        description: row.description,
        failing_since: breaker.failing_since(),
        last_error: row.last_error,
    };
    work.emit(Topic::EndpointDisabled, work.now, None, &told)?;
    let job = JobRow {
        team: work.team,
        id: format!("{}-disabled-{}", told.id, work.now.0),
        kind: DISABLED_MAIL_JOB.to_owned(),
        run_at: work.now,
        attempts: 0,
        payload: serde_json::to_string(&told).unwrap_or_default(),
    };
    jobs::insert(work.tx, &job)?;
    Ok(true)
}

fn note(work: &mut Work<'_, '_>, by: &Actor, action: &str, id: EndpointId) -> Result<(), Error> {
    crate::audit::enter(work, by, action, &id.to_string(), None)
}
