//! The dispatcher: one task that owns all queues of this process and decides what is done next. Everything slow
//! (transactions, HTTP) is done by tasks that it starts and that report back to it.

mod claiming;
mod fanning;
mod sending;
mod storing;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trunkline_domain::Millis;
use trunkline_store::crypto::Vault;
use trunkline_store::webhook_messages::MessageRow;
use trunkline_store::webhooks::NextDue;
use trunkline_store::{StoreError, TeamKey, webhooks};
use trunkline_switchboard::Switchboard;

use self::sending::Tried;
use crate::chores;
use crate::client::Client;
use crate::clock_watch::ClockWatch;
use crate::fanout::FanOut;
use crate::lane::{Claimed, Key, Lane};
use crate::recording::Batch;
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

/// For how long an empty queue is kept.
const KEEP_IDLE_MS: i64 = Millis::MINUTE;

/// Reports that are heard in a row, before anything else has its turn.
const NOTES: usize = 128;

/// What the dispatcher is told by the tasks it starts.
enum Note {
    /// A batch was stored; on SQLite its commit may still be under way.
    Stored(TeamKey, Millis, Box<FanOut>),
    /// The commit of a batch is over. Tells whether there are more events.
    FannedOut(TeamKey, Result<bool, StoreError>),
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
    Flush(TeamKey),
    ChoresDone,
    Done,
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
    /// Whether it is on the clock when they will be.
    flushing: bool,
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
            // Nobody comes first: reports of a busy endpoint must not keep others' events waiting.
            tokio::select! {
                () = stop.cancelled() => break,
                note = self.inbox.recv() => self.hear_all(note),
                changed = appended.changed() => {
                    if changed.is_err() { break }
                    self.look_for_events().await;
                }
                _ = poll.tick() => self.look_around().await,
            }
        }
        self.stopping = true;
        self.give_back();
        let teams: Vec<TeamKey> = self.teams.keys().copied().collect();
        teams.into_iter().for_each(|team| self.record(team));
        self.hear_the_rest().await;
        // What was stored as claimed while the end had begun.
        self.give_back();
        self.hear_the_rest().await;
    }

    async fn hear_the_rest(&mut self) {
        while self.in_flight > 0 || self.pending > 0 {
            let Some(note) = self.inbox.recv().await else {
                return;
            };
            self.hear(note);
        }
        while let Ok(note) = self.inbox.try_recv() {
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

    /// Hears a report and what else has come by now.
    fn hear_all(&mut self, first: Option<Note>) {
        let mut next = first;
        for _ in 0..NOTES {
            let Some(note) = next else { return };
            self.hear(note);
            next = self.inbox.try_recv().ok();
        }
        if let Some(note) = next {
            self.hear(note);
        }
    }

    fn hear(&mut self, note: Note) {
        if !matches!(note, Note::Tried(..) | Note::Stored(..)) {
            self.pending -= 1;
        }
        match note {
            Note::Stored(team, lease, batch) => self.take_in(team, lease, *batch),
            Note::FannedOut(team, outcome) => self.fanned_out(team, outcome),
            Note::Claimed(team, lease, asked, outcome) => self.claimed(team, lease, &asked, outcome),
            Note::Opened(key, outcome) => self.opened(key, outcome),
            Note::Tried(key, message, tried) => self.tried(key, *message, *tried),
            Note::Recorded(team, batch, outcome) => self.recorded(team, &batch, outcome),
            Note::Due(outcome) => self.due(outcome),
            Note::Flush(team) => {
                self.teams.entry(team).or_default().flushing = false;
                self.record(team);
            }
            Note::ChoresDone => self.chores = false,
            Note::Done => {}
        }
    }

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
        self.teams.retain(|_, team| {
            team.fanning || team.storing || team.again || team.flushing || !team.unstored.is_empty()
        });
        let keys: Vec<Key> = self.lanes.keys().copied().collect();
        keys.into_iter().for_each(|key| self.pump(key));
        self.claim();
    }
}

fn warn(what: &str, error: &StoreError) {
    tracing::warn!(error = %error, "{what}");
}
