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

/// The fewest events of a batch for an endpoint that is behind, however many are.
const FEWEST_EVENTS: i64 = 8;

/// The longest payload, in bytes, whose body is kept in memory until it is sent; longer ones are read again then.
const LONGEST_KEPT: usize = 16 * 1_024;

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
    /// How often something had been erased when the batch was read, see `Switchboard::erasures`.
    pub erasures: u64,
}

/// A message that was just stored.
pub struct Fresh {
    /// The endpoint's number.
    pub endpoint: i64,
    /// The event's number.
    pub event: i64,
    /// When the event happened.
    pub at: Millis,
    /// What is to be posted, unless it is better read again.
    pub body: Option<Bytes>,
}

/// How many messages may be claimed for each endpoint.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// For these.
    pub of: HashMap<i64, usize>,
    /// For all others.
    pub other: usize,
}

/// What is claimed as it is stored.
struct Claims<'r> {
    room: &'r Room,
    taken: BTreeMap<i64, usize>,
    now: Millis,
    lease: Millis,
}

impl Claims<'_> {
    fn has_room(&self, endpoint: i64) -> bool {
        let room = self.room.of.get(&endpoint).copied().unwrap_or(self.room.other);
        self.taken.get(&endpoint).copied().unwrap_or(0) < room
    }
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

/// Fans a batch of the team's events out, none later than `to`. `lease` is the end of the lease of what is claimed.
///
/// # Errors
/// The store's failure.
pub fn fan_out(
    tx: &mut Tx<'_>,
    team: TeamKey,
    to: i64,
    room: &Room,
    now: Millis,
    lease: Millis,
) -> Result<FanOut, StoreError> {
    let mut batch = FanOut {
        claimed: Vec::new(),
        left: Vec::new(),
        versions: HashMap::new(),
        more: false,
        erasures: 0,
    };
    let Some(cursor) = webhooks::lock_cursor(tx, team)? else {
        return Ok(batch);
    };
    let listening = webhooks::listening(tx, team)?;
    batch.versions = listening.iter().map(|e| (e.endpoint, e.version)).collect();
    let mut claims = Claims {
        room,
        taken: BTreeMap::new(),
        now,
        lease,
    };
    let level = catch_up(tx, team, &listening, cursor, &mut claims, &mut batch)?;
    if cursor >= to {
        return Ok(batch);
    }
    // Those that are to hear of later events only join where these begin.
    let joins = listening
        .iter()
        .filter_map(|endpoint| endpoint.behind)
        .filter(|at| *at > cursor)
        .min();
    let limit = (MESSAGES / i64::try_from(level.len().max(1)).unwrap_or(MESSAGES)).clamp(1, EVENTS);
    let rows = if level.is_empty() {
        Vec::new()
    } else {
        events::between(tx, team, cursor, to, limit)?
    };
    store(tx, team, &rows, &level, &mut claims, &mut batch)?;
    let reached = match rows.last() {
        Some(last) => last.seq,
        // Nobody hears of what comes next, or it is not kept any more.
        None => joins.unwrap_or(to).min(to),
    };
    webhooks::set_cursor(tx, team, reached)?;
    batch.more |= reached < to || joins.is_some_and(|at| at <= reached);
    Ok(batch)
}

/// Stores what endpoints that are behind have missed: each by itself, up to the cursor, some of it at a time. Returns
/// the endpoints that are as far as the cursor.
fn catch_up<'l>(
    tx: &mut Tx<'_>,
    team: TeamKey,
    listening: &'l [Listening],
    cursor: i64,
    claims: &mut Claims<'_>,
    batch: &mut FanOut,
) -> Result<Vec<&'l Listening>, StoreError> {
    let late = |endpoint: &&Listening| endpoint.behind.is_some_and(|behind| behind <= cursor);
    let count = i64::try_from(listening.iter().filter(late).count()).unwrap_or(MESSAGES);
    let limit = (MESSAGES / count.max(1)).clamp(FEWEST_EVENTS, EVENTS);
    let mut level: Vec<&Listening> = Vec::with_capacity(listening.len());
    for endpoint in listening {
        match endpoint.behind {
            None => level.push(endpoint),
            Some(behind) if behind > cursor => {}
            Some(behind) => {
                let rows = events::between(tx, team, behind, cursor, limit)?;
                store(tx, team, &rows, &[endpoint], claims, batch)?;
                let is_all = i64::try_from(rows.len()).is_ok_and(|read| read < limit);
                match rows.last() {
                    Some(last) if !is_all && last.seq < cursor => {
                        webhooks::set_behind(tx, team, endpoint.endpoint, Some(last.seq))?;
                        batch.more = true;
                    }
                    _ => {
                        webhooks::set_behind(tx, team, endpoint.endpoint, None)?;
                        level.push(endpoint);
                    }
                }
            }
        }
    }
    Ok(level)
}

fn store(
    tx: &mut Tx<'_>,
    team: TeamKey,
    rows: &[EventRow],
    endpoints: &[&Listening],
    claims: &mut Claims<'_>,
    batch: &mut FanOut,
) -> Result<(), StoreError> {
    let filtered = endpoints.iter().any(|endpoint| endpoint.lines.is_some());
    for row in rows.iter().filter(|row| is_told(row.topic)) {
        let line = if filtered { line_of(tx, team, row)? } else { None };
        let mut made = None;
        for endpoint in endpoints
            .iter()
            .filter(|endpoint| wants(endpoint, row.topic, line))
        {
            let claimed = claims.has_room(endpoint.endpoint);
            let message = NewMessage {
                endpoint: endpoint.endpoint,
                event: row.seq,
                topic: row.topic,
                at: row.at,
                due_at: if claimed { claims.lease } else { Millis(0) },
            };
            if !webhook_messages::insert(tx, team, &message, claims.now)? {
                continue;
            }
            if !claimed {
                if !batch.left.contains(&endpoint.endpoint) {
                    batch.left.push(endpoint.endpoint);
                }
                continue;
            }
            *claims.taken.entry(endpoint.endpoint).or_default() += 1;
            batch.claimed.push(Fresh {
                endpoint: endpoint.endpoint,
                event: row.seq,
                at: row.at,
                body: made.get_or_insert_with(|| kept_body(row)).clone(),
            });
        }
    }
    Ok(())
}

/// The body of an event if it is to be kept in memory. One that cannot be made is no reason to hold up other events:
/// its attempts will fail, and tell.
fn kept_body(event: &EventRow) -> Option<Bytes> {
    if event.payload.len() > LONGEST_KEPT {
        return None;
    }
    body(event).ok()
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
