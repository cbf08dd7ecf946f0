//! The dispatcher: one task that owns all queues of this process and decides what is done next. Everything slow
//! (transactions, HTTP) is done by tasks that it starts and that report back to it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trunkline_domain::webhook::schedule::{
    AttemptError, Jitter, Outcome, TIME_LIMIT_MS, Verdict, after_attempt,
};
use trunkline_domain::{DeliveryId, DeliveryState, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::webhook_messages::{self, MessageRow, Settled};
use trunkline_store::webhooks::NextDue;
use trunkline_store::{StoreError, TeamKey, events, webhooks};
use trunkline_switchboard::{Switchboard, webhooks as commands};

use crate::attempt::{self, Attempt};
use crate::chores;
use crate::client::{Client, Reply};
use crate::fanout::{self, FanOut, Room};
use crate::lane::{Claimed, Key, Lane};
use crate::recording::{self, Batch, Health};
use crate::target::Target;

/// What may be adjusted.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Attempts under way at a time, for one endpoint.
    pub concurrency: usize,
    /// Attempts under way at a time, in all.
    pub in_flight: usize,
    /// How often the database is looked at for what nobody told: retries, and what other nodes left.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 8,
            in_flight: 512,
            poll: Duration::from_millis(500),
        }
    }
}

/// For how long a claimed message is this process's.
const LEASE_MS: i64 = Millis::MINUTE;

/// What must be left of a lease when an attempt begins.
const LEAST_LEASE_MS: i64 = TIME_LIMIT_MS + 5 * Millis::SECOND;

/// The most messages held in memory.
const MOST_HELD: usize = 8_192;

/// The most results of a team that wait to be stored; beyond that nothing more is sent for it.
const MOST_UNSTORED: usize = 2_048;

/// The most results stored in one transaction.
const BATCH: usize = 512;

/// The most messages claimed in one transaction.
const CLAIM: usize = 512;

/// A step of the clock that is more than the machine's own correction.
const JUMP_MS: i64 = 5 * Millis::SECOND;

/// How often a success is stored of an endpoint that has not failed.
const SUCCESS_EVERY_MS: i64 = Millis::SECOND;

/// The pause before an endpoint that could not be opened is opened again.
const SHUT_MS: i64 = 30 * Millis::SECOND;

/// For how long an empty queue is kept.
const KEEP_IDLE_MS: i64 = Millis::MINUTE;

/// What the dispatcher is told by the tasks it starts.
enum Note {
    FannedOut(TeamKey, Millis, Result<FanOut, StoreError>),
    Claimed(
        TeamKey,
        Millis,
        Vec<(i64, usize)>,
        Result<Vec<(i64, Vec<MessageRow>)>, StoreError>,
    ),
    Opened(Key, Result<Option<Target>, String>),
    Tried(Key, Box<Claimed>, Box<Tried>),
    Recorded(TeamKey, Arc<Batch>, Result<Vec<i64>, StoreError>),
    Due(Result<Vec<NextDue>, StoreError>),
    ChoresDone,
    Done,
}

/// An attempt that was made, or could not be.
struct Tried {
    at: Millis,
    ms: i64,
    reply: Reply,
    /// Whether there was nothing left to be sent.
    gone: bool,
}

/// What is known of a team.
#[derive(Default)]
struct Team {
    /// Whether its events are being fanned out, and whether to do so once more.
    fanning: bool,
    again: bool,
    /// Results that are to be stored, and whether some are being stored.
    unstored: Batch,
    storing: bool,
    /// Whether nothing is sent because too much waits to be stored.
    stalled: bool,
}

/// Sends webhooks; see [`Dispatcher::run`].
pub struct Dispatcher {
    board: Switchboard,
    vault: Vault,
    client: Client,
    options: Options,
    lanes: HashMap<Key, Lane>,
    teams: HashMap<TeamKey, Team>,
    /// Lanes that have something to send while as much is under way as may be.
    waiting: VecDeque<Key>,
    in_flight: usize,
    /// Lanes with attempts under way.
    busy: usize,
    /// Tasks that will report back, attempts not counted.
    pending: usize,
    looking: bool,
    chores: bool,
    stopping: bool,
    notes: mpsc::UnboundedSender<Note>,
    inbox: mpsc::UnboundedReceiver<Note>,
    clock: ClockWatch,
}

impl Dispatcher {
    /// A dispatcher over this database.
    #[must_use]
    pub fn new(board: Switchboard, vault: Vault, client: Client, options: Options) -> Self {
        // Unbounded, but every sender is a task that was started here, and those are bounded.
        let (notes, inbox) = mpsc::unbounded_channel();
        let clock = ClockWatch::start(board.now());
        Self {
            board,
            vault,
            client,
            options,
            lanes: HashMap::new(),
            teams: HashMap::new(),
            waiting: VecDeque::new(),
            in_flight: 0,
            busy: 0,
            pending: 0,
            looking: false,
            chores: false,
            stopping: false,
            notes,
            inbox,
            clock,
        }
    }

    /// Delivers until `stop` is cancelled; then finishes the attempts under way and stores what they came to.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut appended = self.board.db().appended();
        let mut poll = tokio::time::interval(self.options.poll);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                note = self.inbox.recv() => if let Some(note) = note { self.hear(note) },
                changed = appended.changed() => {
                    if changed.is_err() { break }
                    self.look_for_events().await;
                }
                _ = poll.tick() => self.look_around().await,
            }
        }
        self.stopping = true;
        self.give_back();
        while self.in_flight > 0 || self.pending > 0 {
            let Some(note) = self.inbox.recv().await else {
                break;
            };
            self.hear(note);
        }
    }

    /// Starts a task that will report back.
    fn start<F>(&mut self, task: F)
    where
        F: Future<Output = Note> + Send + 'static,
    {
        self.pending += 1;
        let notes = self.notes.clone();
        tokio::spawn(async move {
            drop(notes.send(task.await));
        });
    }

    fn hear(&mut self, note: Note) {
        if !matches!(note, Note::Tried(..)) {
            self.pending -= 1;
        }
        match note {
            Note::FannedOut(team, lease, outcome) => self.fanned_out(team, lease, outcome),
            Note::Claimed(team, lease, asked, outcome) => self.claimed(team, lease, &asked, outcome),
            Note::Opened(key, outcome) => self.opened(key, outcome),
            Note::Tried(key, message, tried) => self.tried(key, *message, *tried),
            Note::Recorded(team, batch, outcome) => self.recorded(team, &batch, outcome),
            Note::Due(outcome) => self.due(outcome),
            Note::ChoresDone => self.chores = false,
            Note::Done => {}
        }
    }

    // ---- Events become messages ----

    async fn look_for_events(&mut self) {
        match self.board.db().read(webhooks::ahead).await {
            Ok(teams) => teams.into_iter().for_each(|team| self.fan_out(team)),
            Err(error) => warn("events could not be looked up", &error),
        }
    }

    fn fan_out(&mut self, key: TeamKey) {
        let team = self.teams.entry(key).or_default();
        if team.fanning || self.stopping {
            team.again = true;
            return;
        }
        (team.fanning, team.again) = (true, false);
        let room = self.room_for(key);
        let (board, now) = (self.board.clone(), self.board.now());
        let lease = now.plus(LEASE_MS);
        self.start(async move {
            let outcome = board
                .db()
                .write(move |tx| fanout::fan_out(tx, key, &room, now, lease))
                .await;
            Note::FannedOut(key, lease, outcome)
        });
    }

    /// How many new messages may be claimed as they are stored. Endpoints with older messages that wait get none.
    fn room_for(&self, team: TeamKey) -> Room {
        let free = MOST_HELD.saturating_sub(self.held());
        let lanes = self.lanes.iter().filter(|(key, _)| key.team == team);
        let of = lanes
            .map(|(key, lane)| {
                let room = if lane.backlog || lane.claiming {
                    0
                } else {
                    lane.room()
                };
                (key.endpoint, room.min(free))
            })
            .collect();
        let other = Lane::new(0, 1).room().min(free);
        Room { of, other }
    }

    fn held(&self) -> usize {
        self.lanes.values().map(|lane| lane.leases.len()).sum()
    }

    fn fanned_out(&mut self, key: TeamKey, lease: Millis, outcome: Result<FanOut, StoreError>) {
        let again = {
            let team = self.teams.entry(key).or_default();
            team.fanning = false;
            std::mem::take(&mut team.again)
        };
        let batch = match outcome {
            Ok(batch) => batch,
            Err(error) => return warn("events could not be fanned out; it will be tried again", &error),
        };
        let mut touched: Vec<Key> = Vec::new();
        for fresh in batch.claimed {
            let lane_key = Key {
                team: key,
                endpoint: fresh.endpoint,
            };
            let version = batch.versions.get(&fresh.endpoint).copied().unwrap_or(0);
            let message = Claimed {
                event: fresh.event,
                at: fresh.at,
                tries: 0,
                attempts: None,
                body: Some(fresh.body),
            };
            self.lane(lane_key, version).take(message, lease);
            if touched.last() != Some(&lane_key) {
                touched.push(lane_key);
            }
        }
        for endpoint in batch.left {
            let version = batch.versions.get(&endpoint).copied().unwrap_or(0);
            self.lane(Key { team: key, endpoint }, version).backlog = true;
        }
        touched.into_iter().for_each(|key| self.pump(key));
        self.claim();
        if batch.more || again {
            self.fan_out(key);
        }
    }

    fn lane(&mut self, key: Key, version: i64) -> &mut Lane {
        let width = self.options.concurrency;
        let lane = self.lanes.entry(key).or_insert_with(|| Lane::new(version, width));
        lane.version = lane.version.max(version);
        lane
    }

    // ---- What nobody told ----

    async fn look_around(&mut self) {
        let back = self.clock.step_back(self.board.now());
        if !self.chores {
            self.chores = true;
            let board = self.board.clone();
            self.start(async move {
                if let Some(by) = back {
                    tracing::warn!(ms = by, "the clock was set back; retries are brought forward");
                    if let Err(error) = chores::clock_was_set_back(&board, by).await {
                        warn("retries could not be brought forward", &error);
                    }
                }
                if let Err(error) = chores::catch_up(&board).await {
                    warn("skipping or replaying failed; it goes on later", &error);
                }
                Note::ChoresDone
            });
        }
        let stored: Vec<TeamKey> = self.teams.keys().copied().collect();
        stored.into_iter().for_each(|team| self.record(team));
        self.look_for_events().await;
        if !self.looking {
            self.looking = true;
            let board = self.board.clone();
            self.start(async move { Note::Due(board.db().scan(webhooks::due).await) });
        }
        metrics::gauge!("trunkline_webhook_in_flight").set(self.in_flight as f64);
        metrics::gauge!("trunkline_webhook_held").set(self.held() as f64);
    }

    fn due(&mut self, outcome: Result<Vec<NextDue>, StoreError>) {
        self.looking = false;
        let listed = match outcome {
            Ok(listed) => listed,
            Err(error) => return warn("due messages could not be looked up", &error),
        };
        let now = self.board.now();
        let mut enabled = HashMap::with_capacity(listed.len());
        for next in listed {
            let key = Key {
                team: next.team,
                endpoint: next.endpoint,
            };
            enabled.insert(key, next.version);
            if next.due_at.is_some_and(|due| due <= now) {
                self.lane(key, next.version).backlog = true;
            }
        }
        self.lanes.retain(|key, lane| match enabled.get(key) {
            Some(version) => {
                lane.version = lane.version.max(*version);
                !lane.is_idle() || lane.opening || now.since(lane.used_at) < KEEP_IDLE_MS
            }
            None => {
                // Disabled or deleted: what was claimed and not sent is not sent.
                lane.backlog = false;
                for message in lane.ready.drain(..) {
                    lane.leases.remove(&message.event);
                }
                lane.in_flight > 0 || lane.claiming || lane.opening
            }
        });
        self.teams
            .retain(|_, team| team.fanning || team.storing || team.again || !team.unstored.is_empty());
        let keys: Vec<Key> = self.lanes.keys().copied().collect();
        keys.into_iter().for_each(|key| self.pump(key));
        self.claim();
    }

    // ---- Messages are claimed ----

    fn claim(&mut self) {
        if self.stopping {
            return;
        }
        let mut free = MOST_HELD.saturating_sub(self.held());
        let mut wanted: BTreeMap<TeamKey, Vec<(i64, usize)>> = BTreeMap::new();
        for (key, lane) in &mut self.lanes {
            let team = wanted.entry(key.team).or_default();
            let taken: usize = team.iter().map(|(_, count)| count).sum();
            let count = lane.room().min(free).min(CLAIM.saturating_sub(taken));
            if lane.is_hungry() && count > 0 {
                lane.claiming = true;
                free -= count;
                team.push((key.endpoint, count));
            }
        }
        for (team, endpoints) in wanted.into_iter().filter(|(_, endpoints)| !endpoints.is_empty()) {
            let (board, now) = (self.board.clone(), self.board.now());
            let lease = now.plus(LEASE_MS);
            self.start(async move {
                let asked = endpoints.clone();
                let outcome = board
                    .db()
                    .write(move |tx| {
                        let claim = |(endpoint, count): &(i64, usize)| {
                            let count = i64::try_from(*count).unwrap_or(1);
                            Ok((
                                *endpoint,
                                webhook_messages::claim(tx, team, *endpoint, now, lease, count)?,
                            ))
                        };
                        asked.iter().map(claim).collect::<Result<Vec<_>, StoreError>>()
                    })
                    .await;
                Note::Claimed(team, lease, endpoints, outcome)
            });
        }
    }

    fn claimed(
        &mut self,
        team: TeamKey,
        lease: Millis,
        asked: &[(i64, usize)],
        outcome: Result<Vec<(i64, Vec<MessageRow>)>, StoreError>,
    ) {
        for (endpoint, _) in asked {
            if let Some(lane) = self.lanes.get_mut(&Key {
                team,
                endpoint: *endpoint,
            }) {
                lane.claiming = false;
            }
        }
        let claimed = match outcome {
            Ok(claimed) => claimed,
            Err(error) => return warn("messages could not be claimed; it will be tried again", &error),
        };
        for (endpoint, messages) in claimed {
            let key = Key { team, endpoint };
            let count = asked
                .iter()
                .find(|(asked, _)| *asked == endpoint)
                .map_or(0, |(_, count)| *count);
            let lane = self.lane(key, 0);
            lane.backlog = messages.len() >= count;
            for row in messages {
                let message = Claimed {
                    event: row.event,
                    at: row.at,
                    tries: row.tries,
                    attempts: row.attempts,
                    body: None,
                };
                lane.take(message, lease);
            }
            self.pump(key);
        }
        self.claim();
    }

    // ---- Messages are sent ----

    /// Sends what an endpoint's share allows.
    fn pump(&mut self, key: Key) {
        let team = self.teams.entry(key.team).or_default();
        team.stalled |= team.unstored.settled.len() >= MOST_UNSTORED;
        if self.stopping || team.stalled {
            return;
        }
        // While much is under way, everybody gets the same share: those who hang must not have it all.
        let share = if self.in_flight * 2 > self.options.in_flight {
            (self.options.in_flight / 2 / self.busy.max(1)).max(1)
        } else {
            usize::MAX
        };
        let now = self.board.now();
        loop {
            let Some(lane) = self.lanes.get_mut(&key) else {
                return;
            };
            if lane.ready.is_empty() || lane.in_flight >= lane.width.min(share) {
                return;
            }
            lane.used_at = now;
            let target = match &lane.target {
                Some(target) if target.version >= lane.version => target.clone(),
                _ => return self.open(key),
            };
            if self.in_flight >= self.options.in_flight {
                if !lane.waits {
                    lane.waits = true;
                    self.waiting.push_back(key);
                }
                return;
            }
            let Some(message) = lane.ready.pop_front() else {
                return;
            };
            let lease = lane.leases.get(&message.event).copied().unwrap_or(now);
            if lease.since(now) < LEAST_LEASE_MS {
                // It is due again when the lease ends, here or elsewhere.
                lane.leases.remove(&message.event);
                continue;
            }
            self.busy += usize::from(lane.in_flight == 0);
            lane.in_flight += 1;
            self.in_flight += 1;
            self.attempt(key, target, message);
        }
    }

    /// Reads the endpoint and opens its secrets.
    fn open(&mut self, key: Key) {
        let now = self.board.now();
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        if lane.opening || lane.shut_until.is_some_and(|until| now < until) {
            return;
        }
        lane.opening = true;
        let (board, vault) = (self.board.clone(), self.vault.clone());
        self.start(async move {
            let row = board
                .db()
                .read(move |conn| webhooks::by_number(conn, key.team, key.endpoint))
                .await;
            let outcome = row
                .map_err(|error: StoreError| error.to_string())
                .and_then(|row| {
                    row.filter(|row| row.enabled && row.deleted_at.is_none())
                        .map(|row| Target::open(&vault, &row))
                        .transpose()
                        .map_err(|error| error.to_string())
                });
            Note::Opened(key, outcome)
        });
    }

    fn opened(&mut self, key: Key, outcome: Result<Option<Target>, String>) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        lane.opening = false;
        match outcome {
            Ok(Some(target)) => {
                lane.version = target.version;
                lane.target = Some(Arc::new(target));
                self.pump(key);
            }
            Ok(None) => {}
            Err(error) => {
                // Its messages wait meanwhile.
                lane.shut_until = Some(self.board.now().plus(SHUT_MS));
                tracing::error!(
                    team.key = key.team.0,
                    endpoint = key.endpoint,
                    error,
                    "an endpoint cannot be used"
                );
            }
        }
    }

    fn attempt(&self, key: Key, target: Arc<Target>, message: Claimed) {
        let (board, client, notes) = (self.board.clone(), self.client.clone(), self.notes.clone());
        tokio::spawn(async move {
            let tried = make(&board, &client, key.team, &target, &message).await;
            drop(notes.send(Note::Tried(key, Box::new(message), Box::new(tried))));
        });
    }

    fn tried(&mut self, key: Key, message: Claimed, tried: Tried) {
        self.in_flight -= 1;
        let now = self.board.now();
        let tries = message.tries + 1;
        let Tried {
            at,
            ms,
            reply: Reply { outcome, body },
            gone,
        } = tried;
        let made = u8::try_from(tries).unwrap_or(u8::MAX);
        let verdict = if gone {
            Verdict::Failed
        } else {
            after_attempt(made, &outcome, now, Jitter::draw(self.board.ids().as_ref()))
        };
        let (state, due_at) = match verdict {
            Verdict::Delivered => (DeliveryState::Delivered, None),
            Verdict::Retry { at } => (DeliveryState::Pending, Some(at)),
            Verdict::Failed => (DeliveryState::Failed, None),
        };
        let result = outcome.error().map_or("DELIVERED", |error| error.as_str());
        metrics::counter!("trunkline_webhook_attempts_total", "result" => result).increment(1);
        metrics::histogram!("trunkline_webhook_attempt_seconds").record(ms as f64 / 1_000.0);
        let team = self.teams.entry(key.team).or_default();
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.in_flight -= 1;
            self.busy -= usize::from(lane.in_flight == 0);
            lane.learn(outcome.status().is_some(), ms, self.options.concurrency);
            if let Some(lease) = lane.leases.remove(&message.event) {
                let attempt = Attempt::new(at, ms, &outcome, body);
                team.unstored.settled.push(Settled {
                    endpoint: key.endpoint,
                    event: message.event,
                    lease,
                    state,
                    due_at,
                    tries,
                    attempts: attempt::append(message.attempts.as_deref(), attempt),
                });
            }
            note_health(lane, team.unstored.health.entry(key.endpoint), &outcome, now);
        }
        self.record(key.team);
        self.pump(key);
        while self.in_flight < self.options.in_flight
            && let Some(next) = self.waiting.pop_front()
        {
            if let Some(lane) = self.lanes.get_mut(&next) {
                lane.waits = false;
            }
            self.pump(next);
        }
        if self.lanes.get(&key).is_some_and(Lane::is_hungry) {
            self.claim();
        }
    }

    // ---- What came of it is stored ----

    fn record(&mut self, key: TeamKey) {
        let Some(team) = self.teams.get_mut(&key) else {
            return;
        };
        if team.storing || team.unstored.is_empty() {
            return;
        }
        team.storing = true;
        let batch = team.unstored.take(BATCH);
        let (board, now) = (self.board.clone(), self.board.now());
        self.start(async move {
            let batch = Arc::new(batch);
            let stored = batch.clone();
            let outcome = board
                .db()
                .write(move |tx| recording::record(tx, key, &stored, now))
                .await;
            Note::Recorded(key, batch, outcome)
        });
    }

    fn recorded(&mut self, key: TeamKey, batch: &Batch, outcome: Result<Vec<i64>, StoreError>) {
        let team = self.teams.entry(key).or_default();
        team.storing = false;
        let opened = match outcome {
            Ok(opened) => opened,
            // At the end of the program it is given up: what was sent is sent again after its lease.
            Err(error) if self.stopping => return warn("what attempts came to is not stored", &error),
            Err(error) => {
                team.unstored.put_back(batch.clone());
                return warn(
                    "what attempts came to could not be stored; it will be tried again",
                    &error,
                );
            }
        };
        let resumes = team.stalled && team.unstored.settled.len() < MOST_UNSTORED / 2;
        team.stalled &= !resumes;
        self.record(key);
        if resumes {
            let keys: Vec<Key> = self
                .lanes
                .keys()
                .copied()
                .filter(|lane| lane.team == key)
                .collect();
            keys.into_iter().for_each(|key| self.pump(key));
        }
        opened.into_iter().for_each(|endpoint| self.give_up(key, endpoint));
    }

    /// Switches off an endpoint whose breaker has opened.
    fn give_up(&mut self, team: TeamKey, endpoint: i64) {
        let board = self.board.clone();
        self.start(async move {
            match board.run(team, move |work| commands::give_up(work, endpoint)).await {
                Ok(true) => tracing::warn!(team.key = team.0, endpoint, "an endpoint that failed for days was disabled"),
                Ok(false) => {}
                Err(error) => tracing::warn!(error = %error, "an endpoint could not be disabled; it will be tried again"),
            }
            Note::Done
        });
    }

    /// Gives back what was claimed and not sent, so that the next process need not wait for the leases to end.
    fn give_back(&mut self) {
        let mut unsent: BTreeMap<TeamKey, Vec<(i64, i64, Millis)>> = BTreeMap::new();
        for (key, lane) in &mut self.lanes {
            for message in lane.ready.drain(..) {
                if let Some(lease) = lane.leases.remove(&message.event) {
                    unsent
                        .entry(key.team)
                        .or_default()
                        .push((key.endpoint, message.event, lease));
                }
            }
        }
        for (team, messages) in unsent {
            let board = self.board.clone();
            self.start(async move {
                let given = board.db().write(move |tx| {
                    for (endpoint, event, lease) in &messages {
                        webhook_messages::give_back(tx, team, *endpoint, *event, *lease)?;
                    }
                    Ok::<_, StoreError>(())
                });
                if let Err(error) = given.await {
                    warn(
                        "claimed messages could not be given back; they are sent when their leases end",
                        &error,
                    );
                }
                Note::Done
            });
        }
    }
}

/// Makes an attempt.
async fn make(
    board: &Switchboard,
    client: &Client,
    team: TeamKey,
    target: &Target,
    message: &Claimed,
) -> Tried {
    let body = match &message.body {
        Some(body) => Ok(Some(body.clone())),
        None => {
            let event = message.event;
            let read = board.db().read(move |conn| events::get(conn, team, event)).await;
            read.and_then(|event| event.map(|event| fanout::body(&event)).transpose())
        }
    };
    let at = board.now();
    let unsent = |gone, body: &str| Tried {
        at,
        ms: 0,
        reply: Reply {
            outcome: Outcome::Broken(AttemptError::Internal),
            body: body.to_owned(),
        },
        gone,
    };
    match body {
        Ok(Some(body)) => {
            let id = DeliveryId::of(target.id, message.event, message.at);
            let headers = target.headers(id, &body, at);
            let stopwatch = Stopwatch::start();
            let reply = client.post(target.url.clone(), headers, body, at).await;
            let ms = stopwatch.ms();
            Tried {
                at,
                ms,
                reply,
                gone: false,
            }
        }
        Ok(None) => unsent(true, "the event is not kept any more"),
        Err(error) => {
            warn("an event could not be read", &error);
            unsent(false, "")
        }
    }
}

/// Notes how an endpoint did. A success is stored at most once a second unless something had failed.
fn note_health(lane: &mut Lane, entry: Entry<'_, i64, Health>, outcome: &Outcome, now: Millis) {
    let Some(error) = outcome.error() else {
        let is_known = lane
            .at_rest_since
            .is_some_and(|at| (0..SUCCESS_EVERY_MS).contains(&now.since(at)));
        if !is_known {
            lane.at_rest_since = Some(now);
            *entry.or_default() = Health {
                success: Some(now),
                failure: None,
            };
        }
        return;
    };
    // An endpoint that cannot be served because of this server is not to blame.
    if error == AttemptError::Internal {
        return;
    }
    lane.at_rest_since = None;
    let text = match outcome.status() {
        Some(status) => format!("{} {status}", error.as_str()),
        None => error.as_str().to_owned(),
    };
    entry.or_default().failure = Some((now, text));
}

fn warn(what: &str, error: &StoreError) {
    tracing::warn!(error = %error, "{what}");
}

/// Notices when the clock is set back, by a timer that knows no clock.
struct ClockWatch {
    wall: Millis,
    stopwatch: Stopwatch,
}

impl ClockWatch {
    fn start(wall: Millis) -> Self {
        Self {
            wall,
            stopwatch: Stopwatch::start(),
        }
    }

    /// By how many milliseconds the clock was set back since this was asked last, if it was.
    fn step_back(&mut self, now: Millis) -> Option<i64> {
        let expected = self.wall.plus(self.stopwatch.ms());
        *self = Self::start(now);
        Some(expected.since(now)).filter(|back| *back > JUMP_MS)
    }
}

/// Measures how long something takes.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a duration, which the clock that can be set cannot tell"
    )]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a duration, which the clock that can be set cannot tell"
    )]
    fn ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
