//! Webhook messages: one for each endpoint and event, claimed by lease, kept for a time when done.

use trunkline_domain::events::Topic;
use trunkline_domain::{DeliveryState, Millis};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The number of its event.
    pub event: i64,
    /// What the event is about.
    pub topic: Topic,
    /// When the event happened.
    pub at: Millis,
    /// Where the message stands.
    pub state: DeliveryState,
    /// When it may be attempted next (0: at once); while it is claimed, when the lease ends; `None`: never.
    pub due_at: Option<Millis>,
    /// Attempts in the present round.
    pub tries: i64,
    /// JSON: the last attempts, oldest first.
    pub attempts: Option<String>,
    /// When it last changed.
    pub updated_at: Millis,
}

statements! {
    INSERT =
        "INSERT INTO webhook_messages (team_id, endpoint, event, topic, at, state, due_at, tries, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'PENDING', $6, 0, $7) ON CONFLICT (team_id, endpoint, event) DO NOTHING";
    CLAIM =
        "UPDATE webhook_messages SET due_at = $1
          WHERE team_id = $2 AND endpoint = $3 AND due_at <= $4
            AND event IN (SELECT d.event FROM webhook_messages d
                           WHERE d.team_id = $2 AND d.endpoint = $3 AND d.due_at <= $4
                           ORDER BY d.due_at, d.event LIMIT $5)
            AND EXISTS (SELECT 1 FROM webhook_endpoints e
                         WHERE e.team_id = $2 AND e.endpoint = $3 AND e.enabled AND e.deleted_at IS NULL
                           AND e.skip_to IS NULL)
         RETURNING event, topic, at, state, due_at, tries, attempts, updated_at";
    SETTLE =
        "UPDATE webhook_messages SET state = $1, due_at = $2, tries = $3, attempts = $4, updated_at = $5
          WHERE team_id = $6 AND endpoint = $7 AND event = $8 AND due_at IN ($9, $10)";
    GIVE_BACK =
        "UPDATE webhook_messages SET due_at = 0
          WHERE team_id = $1 AND endpoint = $2 AND event = $3 AND due_at IN ($4, $5)";
    GET =
        "SELECT event, topic, at, state, due_at, tries, attempts, updated_at
           FROM webhook_messages WHERE team_id = $1 AND endpoint = $2 AND event = $3";
    PAGE =
        "SELECT event, topic, at, state, due_at, tries, attempts, updated_at
           FROM webhook_messages WHERE team_id = $1 AND endpoint = $2 AND event < $3
          ORDER BY event DESC LIMIT $4";
    GIVEN_UP =
        "SELECT event, topic, at, state, due_at, tries, attempts, updated_at
           FROM webhook_messages
          WHERE team_id = $1 AND endpoint = $2 AND (state = 'FAILED' OR state = 'SKIPPED') AND state = $3 AND event < $4
          ORDER BY event DESC LIMIT $5";
    PENDING =
        "SELECT event, topic, at, state, due_at, tries, attempts, updated_at
           FROM webhook_messages
          WHERE team_id = $1 AND endpoint = $2 AND due_at IS NOT NULL AND (due_at > $3 OR (due_at = $3 AND event > $4))
          ORDER BY due_at, event LIMIT $5";
    BACKLOG =
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM webhook_messages
                                WHERE team_id = $1 AND endpoint = $2 AND due_at IS NOT NULL LIMIT $3) AS pending";
    RENEW =
        "UPDATE webhook_messages SET state = 'PENDING', due_at = 0, tries = 0, updated_at = $1
          WHERE team_id = $2 AND endpoint = $3 AND event = $4 AND (due_at IS NULL OR due_at > $5)";
    SKIP =
        "UPDATE webhook_messages SET state = 'SKIPPED', due_at = NULL, updated_at = $1
          WHERE team_id = $2 AND endpoint = $3
            AND event IN (SELECT d.event FROM webhook_messages d
                           WHERE d.team_id = $2 AND d.endpoint = $3 AND d.due_at IS NOT NULL AND +d.event <= $4
                           ORDER BY d.due_at, d.event LIMIT $5)";
    NTH_DUE =
        "SELECT due_at FROM webhook_messages
          WHERE team_id = $1 AND endpoint = $2 AND due_at > $3 ORDER BY due_at LIMIT 1 OFFSET $4";
    SHIFT =
        "UPDATE webhook_messages SET due_at = due_at - $1
          WHERE team_id = $2 AND endpoint = $3 AND due_at > $4 AND due_at <= $5";
    OLDEST =
        "SELECT event, at FROM webhook_messages WHERE team_id = $1 AND endpoint = $2 ORDER BY event LIMIT $3";
    PRUNE = "DELETE FROM webhook_messages WHERE team_id = $1 AND endpoint = $2 AND event <= $3";
}

/// PostgreSQL alone runs writes at the same time: there, what another node is claiming just now is passed over. An array
/// is read once, so that no more than the limit are locked however the statement is planned.
const CLAIM_UNLOCKED: &str = "UPDATE webhook_messages SET due_at = $1
  WHERE team_id = $2 AND endpoint = $3 AND due_at <= $4
    AND event = ANY(ARRAY(SELECT d.event FROM webhook_messages d
                           WHERE d.team_id = $2 AND d.endpoint = $3 AND d.due_at <= $4
                           ORDER BY d.due_at, d.event LIMIT $5 FOR UPDATE SKIP LOCKED))
    AND EXISTS (SELECT 1 FROM webhook_endpoints e
                 WHERE e.team_id = $2 AND e.endpoint = $3 AND e.enabled AND e.deleted_at IS NULL
                   AND e.skip_to IS NULL)
 RETURNING event, topic, at, state, due_at, tries, attempts, updated_at";

fn map(row: &Row<'_>) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        event: row.get(0)?,
        topic: row.get(1)?,
        at: row.get(2)?,
        state: row.get(3)?,
        due_at: row.get(4)?,
        tries: row.get(5)?,
        attempts: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

/// An event that an endpoint is to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The endpoint's number.
    pub endpoint: i64,
    /// The event's number.
    pub event: i64,
    /// What the event is about.
    pub topic: Topic,
    /// When it happened.
    pub at: Millis,
    /// When the message may be claimed: 0 for at once, or the end of its first lease.
    pub due_at: Millis,
}

/// Stores a message; tells whether it is new.
///
/// # Errors
/// Of the engine.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, message: &NewMessage, now: Millis) -> Result<bool, StoreError> {
    let NewMessage { endpoint, event, topic, at, due_at } = *message;
    Ok(tx.execute(INSERT, params![team, endpoint, event, topic, at, due_at, now])? > 0)
}

/// Claims at most `limit` messages of the endpoint that are due, until `lease`: until then nobody else gets them,
/// after it they are due again. They come in the order in which they are to be sent. There are none while the endpoint
/// is disabled, gone, or skips what it has missed.
///
/// # Errors
/// Of the engine.
pub fn claim(
    tx: &mut Tx<'_>,
    team: TeamKey,
    endpoint: i64,
    now: Millis,
    lease: Millis,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    let sql = if tx.is_postgres() {
        CLAIM_UNLOCKED
    } else {
        CLAIM
    };
    let mut claimed = tx.rows(sql, params![lease, team, endpoint, now, limit], map)?;
    claimed.sort_unstable_by_key(|message| message.event);
    Ok(claimed)
}

/// The end of a lease, by which whoever has claimed a message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// When it ends.
    pub end: Millis,
    /// When it ends if it was brought forward meanwhile ([`bring_forward`]); the same if it cannot have been.
    pub moved: Millis,
}

impl Lease {
    /// One that nobody has moved.
    #[must_use]
    pub const fn until(end: Millis) -> Self {
        Self { end, moved: end }
    }
}

/// What an attempt has made of a claimed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The endpoint's number.
    pub endpoint: i64,
    /// The event's number.
    pub event: i64,
    /// The lease under which it was sent.
    pub lease: Lease,
    /// Where the message stands.
    pub state: DeliveryState,
    /// When it is to be attempted again.
    pub due_at: Option<Millis>,
    /// Attempts in the present round.
    pub tries: i64,
    /// JSON: the last attempts, oldest first.
    pub attempts: String,
}

/// Stores what an attempt came to, unless somebody else has claimed the message since; tells which it was.
///
/// # Errors
/// Of the engine.
pub fn settle(tx: &mut Tx<'_>, team: TeamKey, settled: &Settled, now: Millis) -> Result<bool, StoreError> {
    let Settled { endpoint, event, lease, state, due_at, tries, attempts } = settled;
    let values = params![*state, *due_at, *tries, attempts, now, team, *endpoint, *event, lease.end, lease.moved];
    Ok(tx.execute(SETTLE, values)? > 0)
}

/// Ends a lease early: the message is due at once.
///
/// # Errors
/// Of the engine.
pub fn give_back(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, event: i64, lease: Lease) -> Result<(), StoreError> {
    tx.execute(GIVE_BACK, params![team, endpoint, event, lease.end, lease.moved]).map(drop)
}

/// The message of an endpoint and an event.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, endpoint: i64, event: i64) -> Result<Option<MessageRow>, StoreError> {
    conn.row(GET, params![team, endpoint, event], map)
}

/// At most `limit` messages of events before number `before`, newest first.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    endpoint: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    conn.rows(PAGE, params![team, endpoint, before, limit], map)
}

/// As [`page`], of those that failed or were skipped.
///
/// # Errors
/// Of the engine.
pub fn given_up(
    conn: &mut Conn<'_>,
    team: TeamKey,
    endpoint: i64,
    state: DeliveryState,
    before: i64,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    conn.rows(GIVEN_UP, params![team, endpoint, state, before, limit], map)
}

/// At most `limit` messages that are to be sent, those due first first, behind the one of event `after` due at `due`.
///
/// # Errors
/// Of the engine.
pub fn pending(
    conn: &mut Conn<'_>,
    team: TeamKey,
    endpoint: i64,
    (due, after): (Millis, i64),
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    conn.rows(PENDING, params![team, endpoint, due, after, limit], map)
}

/// How many messages are to be sent, counted up to `limit`.
///
/// # Errors
/// Of the engine.
pub fn backlog(conn: &mut Conn<'_>, team: TeamKey, endpoint: i64, limit: i64) -> Result<i64, StoreError> {
    Ok(conn.row(BACKLOG, params![team, endpoint, limit], |row| row.get(0))?.unwrap_or(0))
}

/// Has a message sent again at once, with a fresh round of attempts, unless it is pending and due by `soon` anyway: then
/// it may be on its way. Tells whether there was one.
///
/// # Errors
/// Of the engine.
pub fn renew(
    tx: &mut Tx<'_>,
    team: TeamKey,
    endpoint: i64,
    event: i64,
    now: Millis,
    soon: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW, params![now, team, endpoint, event, soon])? > 0)
}

/// Skips at most `limit` pending messages of events up to number `to`. Returns how many.
///
/// # Errors
/// Of the engine.
pub fn skip(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, to: i64, limit: i64, now: Millis) -> Result<u64, StoreError> {
    tx.execute(SKIP, params![now, team, endpoint, to, limit])
}

/// Brings about `limit` messages that are due later than `after` forward by `by` milliseconds, those due first first:
/// the clock was set back. Returns up to where it came, or `None` when nothing is left.
///
/// # Errors
/// Of the engine.
pub fn bring_forward(
    tx: &mut Tx<'_>,
    team: TeamKey,
    endpoint: i64,
    by: i64,
    after: Millis,
    limit: i64,
) -> Result<Option<Millis>, StoreError> {
    let last: Option<Millis> = tx.row(NTH_DUE, params![team, endpoint, after, limit - 1], |row| row.get(0))?;
    let to = last.unwrap_or(Millis(i64::MAX));
    tx.execute(SHIFT, params![by, team, endpoint, after, to])?;
    Ok(last)
}

/// Deletes at most `limit` messages of events that happened before `until`, pending or not. Returns how many, and
/// whether there may be more.
///
/// # Errors
/// Of the engine.
pub fn prune(
    tx: &mut Tx<'_>,
    team: TeamKey,
    endpoint: i64,
    until: Millis,
    limit: i64,
) -> Result<(u64, bool), StoreError> {
    let oldest: Vec<(i64, Millis)> =
        tx.rows(OLDEST, params![team, endpoint, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let old = oldest.iter().take_while(|(_, at)| *at < until).count();
    let Some((last, _)) = old.checked_sub(1).and_then(|last| oldest.get(last)) else { return Ok((0, false)) };
    Ok((tx.execute(PRUNE, params![team, endpoint, *last])?, i64::try_from(old).is_ok_and(|old| old == limit)))
}
