//! The dispatcher: one task that owns all queues of this process and decides what is done next. Everything slow
//! (transactions, HTTP) is done by tasks that it starts and that report back to it, whatever becomes of them.

mod claiming;
mod fanning;
mod looking;
mod reports;
mod sending;
mod storing;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trunkline_store::crypto::Vault;
use trunkline_store::{StoreError, TeamKey};
use trunkline_switchboard::Switchboard;

use self::reports::{Note, Owed};
use crate::client::Client;
use crate::clock_watch::ClockWatch;
use crate::lane::{Key, Lane};
use crate::recording::Batch;

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

/// Reports that are heard in a row, before anything else has its turn.
const NOTES: usize = 128;

/// The pause before deliveries begin anew after a fault of the program.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// What is known of a team.
#[derive(Default)]
struct Team {
    /// Its last event that is known to be on the disk.
    last_event: i64,
    /// Whether its events are being fanned out, and whether to do so once more.
    fanning: bool,
    again: bool,
    /// Results that are to be stored, and whether some are being stored.
    unstored: Batch,
    storing: bool,
    /// Whether it is on the clock when they will be.
    flushing: bool,
    /// How often in a row they could not be stored, and how many of them must be before more is claimed.
    refusals: u32,
    owed: usize,
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
    /// Lanes that have something to send while as much is under way as may be, or as may be on trial.
    waiting: VecDeque<Key>,
    waiting_on_trial: VecDeque<Key>,
    in_flight: usize,
    /// Attempts under way to endpoints whose last attempt, if there was one, was not answered.
    on_trial: usize,
    /// Lanes with attempts under way.
    busy: usize,
    /// Tasks that will report back, attempts not counted.
    pending: usize,
    /// Whether the database is being asked who is ahead, and whether to ask once more.
    seeking: bool,
    seek_again: bool,
    /// Whether the database is being asked what is due, and how often it was.
    looking: bool,
    looks: u64,
    /// Whether chores are being done, and by how many milliseconds retries are to be brought forward then.
    chores: bool,
    set_back: i64,
    /// By how many milliseconds the clock was set back last.
    stepped_back: i64,
    /// How often something had been erased when results were stored last.
    erasures: u64,
    stop: CancellationToken,
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
        let erasures = board.erasures();
        Self {
            board,
            vault,
            client,
            options,
            lanes: HashMap::new(),
            teams: HashMap::new(),
            waiting: VecDeque::new(),
            waiting_on_trial: VecDeque::new(),
            in_flight: 0,
            on_trial: 0,
            busy: 0,
            pending: 0,
            seeking: false,
            seek_again: false,
            looking: false,
            looks: 0,
            chores: false,
            set_back: 0,
            stepped_back: 0,
            erasures,
            stop: CancellationToken::new(),
            stopping: false,
            notes,
            inbox,
            clock,
        }
    }

    /// Delivers until `stop` is cancelled; then finishes the attempts under way and stores what they came to. A fault of
    /// the program ends neither the process nor its deliveries: they begin anew, and what was claimed is sent when its
    /// lease ends.
    pub async fn run(self, stop: CancellationToken) {
        let (board, vault) = (self.board.clone(), self.vault.clone());
        let (client, options) = (self.client.clone(), self.options);
        let mut next = self;
        loop {
            let mut running = JoinSet::new();
            running.spawn(next.deliver(stop.clone()));
            match running.join_next().await {
                Some(Err(error)) if error.is_panic() && !stop.is_cancelled() => {
                    tracing::error!("deliveries ended with a fault of the program; they begin anew");
                }
                _ => return,
            }
            tokio::time::sleep(RESTART_PAUSE).await;
            next = Self::new(board.clone(), vault.clone(), client.clone(), options);
        }
    }

    async fn deliver(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
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

    /// Starts a task that will report back; if it does not come to its end, `fault` is reported.
    fn start<F>(&mut self, fault: Note, task: F)
    where
        F: Future<Output = Note> + Send + 'static,
    {
        self.pending += 1;
        let mut owed = Owed::new(self.notes.clone(), fault);
        tokio::spawn(async move { owed.pay(task.await) });
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
            Note::Ahead(outcome) => self.ahead(outcome),
            Note::Stored(team, lease, batch) => self.take_in(team, lease, *batch),
            Note::FannedOut(team, outcome) => self.fanned_out(team, outcome),
            Note::Claimed(team, lease, asked, outcome) => self.claimed(team, lease, &asked, outcome),
            Note::Opened(key, outcome) => self.opened(key, outcome),
            Note::Tried(key, message, tried) => self.tried(key, *message, *tried),
            Note::Recorded(team, batch, outcome) => self.recorded(team, &batch, outcome),
            Note::Due(look, outcome) => self.due(look, outcome),
            Note::Flush(team) => {
                self.teams.entry(team).or_default().flushing = false;
                self.record(team);
            }
            Note::ChoresDone(set_back) => {
                self.chores = false;
                self.set_back += set_back;
            }
            Note::Done => {}
        }
    }
}

fn warn(what: &str, error: &StoreError) {
    tracing::warn!(error = %error, "{what}");
}
