//! Fanning out: from the team's events to one message for each endpoint that wants to hear of them.
//!
//! One transaction reads the events behind the team's cursor, stores their messages and moves the cursor, so a
//! restarted follower stores nothing twice. Messages that whoever fans out can send at once are stored as claimed.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::value::RawValue;
use trunkline_domain::Millis;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::body::Body;
use trunkline_store::events::{self, EventRow};
use trunkline_store::webhook_messages::{self, NewMessage};
use trunkline_store::webhooks::{self, Listening};
use trunkline_store::{Conn, StoreError, TeamKey, Tx, items};

/// The most events of a batch.
const EVENTS: i64 = 128;

/// About how many messages a batch may have, so that it does not keep other writers waiting for long.
const MESSAGES: i64 = 512;

/// What a batch came to.
pub struct FanOut {
    /// Messages that were claimed at once, in the order of their events.
    pub claimed: Vec<Fresh>,
    /// Endpoints that have messages which were not claimed.
    pub left: Vec<i64>,
    /// The versions of the endpoints.
    pub versions: HashMap<i64, i64>,
    /// Whether there are more events.
    pub more: bool,
}

/// A message that was just stored.
pub struct Fresh {
    /// The endpoint's number.
    pub endpoint: i64,
    /// The event's number.
    pub event: i64,
    /// When the event happened.
    pub at: Millis,
    /// What is to be posted.
    pub body: Bytes,
}

/// How many messages may be claimed for each endpoint.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// For these.
    pub of: HashMap<i64, usize>,
    /// For all others.
    pub other: usize,
}

/// The body that is posted for an event: the same bytes whenever it is made.
///
/// # Errors
/// [`StoreError::Column`] when the stored payload is no JSON.
pub fn body(event: &EventRow) -> Result<Bytes, StoreError> {
    let fault = |error: serde_json::Error| StoreError::Column {
        column: 4,
        problem: format!("an event's payload: {error}"),
    };
    let data: &RawValue = serde_json::from_str(&event.payload).map_err(fault)?;
    let body = Body::new(event.topic, event.at, data);
    serde_json::to_vec(&body).map(Bytes::from).map_err(fault)
}

/// Fans a batch of the team's events out. `lease` is the end of the lease of what is claimed.
///
/// # Errors
/// The store's failure.
pub fn fan_out(
    tx: &mut Tx<'_>,
    team: TeamKey,
    room: &Room,
    now: Millis,
    lease: Millis,
) -> Result<FanOut, StoreError> {
    let mut batch = FanOut {
        claimed: Vec::new(),
        left: Vec::new(),
        versions: HashMap::new(),
        more: false,
    };
    let Some(cursor) = webhooks::lock_cursor(tx, team)? else {
        return Ok(batch);
    };
    let listening = webhooks::listening(tx, team)?;
    batch.versions = listening.iter().map(|e| (e.endpoint, e.version)).collect();
    // Those that are behind come first: each by itself, up to the cursor.
    let mut level: Vec<&Listening> = Vec::with_capacity(listening.len());
    for endpoint in &listening {
        match endpoint.behind {
            None => level.push(endpoint),
            // It is to hear of later events only: its time comes when the cursor has come so far.
            Some(behind) if behind > cursor => {}
            Some(behind) => {
                let rows = events::between(tx, team, behind, cursor, EVENTS)?;
                store(tx, team, &rows, &[endpoint], (room, now, lease), &mut batch)?;
                let reached = if i64::try_from(rows.len()).is_ok_and(|read| read < EVENTS) {
                    cursor
                } else {
                    rows.last().map_or(cursor, |last| last.seq)
                };
                if reached < cursor {
                    webhooks::set_behind(tx, team, endpoint.endpoint, Some(reached))?;
                    batch.more = true;
                } else {
                    webhooks::set_behind(tx, team, endpoint.endpoint, None)?;
                    level.push(endpoint);
                }
            }
        }
    }
    let limit = (MESSAGES / i64::try_from(level.len().max(1)).unwrap_or(MESSAGES)).clamp(1, EVENTS);
    let rows = events::after(tx, team, cursor, limit)?;
    let Some(last) = rows.last().map(|last| last.seq) else {
        return Ok(batch);
    };
    store(tx, team, &rows, &level, (room, now, lease), &mut batch)?;
    webhooks::set_cursor(tx, team, last)?;
    batch.more |= i64::try_from(rows.len()).is_ok_and(|read| read == limit);
    Ok(batch)
}

fn store(
    tx: &mut Tx<'_>,
    team: TeamKey,
    rows: &[EventRow],
    endpoints: &[&Listening],
    (room, now, lease): (&Room, Millis, Millis),
    batch: &mut FanOut,
) -> Result<(), StoreError> {
    let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
    let filtered = endpoints.iter().any(|endpoint| endpoint.lines.is_some());
    for row in rows.iter().filter(|row| is_told(row.topic)) {
        let line = if filtered { line_of(tx, team, row)? } else { None };
        let mut bytes = None;
        for endpoint in endpoints
            .iter()
            .filter(|endpoint| wants(endpoint, row.topic, line))
        {
            let free = room.of.get(&endpoint.endpoint).copied().unwrap_or(room.other);
            let used = taken.entry(endpoint.endpoint).or_default();
            let claimed = *used < free;
            let message = NewMessage {
                endpoint: endpoint.endpoint,
                event: row.seq,
                topic: row.topic,
                at: row.at,
                due_at: if claimed { lease } else { Millis(0) },
            };
            if !webhook_messages::insert(tx, team, &message, now)? {
                continue;
            }
            if !claimed {
                if !batch.left.contains(&endpoint.endpoint) {
                    batch.left.push(endpoint.endpoint);
                }
                continue;
            }
            *used += 1;
            let body = match &bytes {
                Some(body) => Bytes::clone(body),
                None => bytes.insert(body(row)?).clone(),
            };
            batch.claimed.push(Fresh {
                endpoint: endpoint.endpoint,
                event: row.seq,
                at: row.at,
                body,
            });
        }
    }
    Ok(())
}

/// Whether anybody can subscribe to the topic.
fn is_told(topic: Topic) -> bool {
    trunkline_domain::webhook::topic::info(topic).is_some()
}

/// The line of the call or text that an event is about, if it is about one.
fn line_of(conn: &mut Conn<'_>, team: TeamKey, row: &EventRow) -> Result<Option<i64>, StoreError> {
    row.item.map_or(Ok(None), |item| items::line(conn, team, item))
}

/// A filter on lines lets events pass that are about no line.
fn wants(endpoint: &Listening, topic: Topic, line: Option<i64>) -> bool {
    let on_line = match (&endpoint.lines, line) {
        (Some(lines), Some(line)) => lines.contains(&line),
        _ => true,
    };
    on_line && endpoint.wants(topic)
}
