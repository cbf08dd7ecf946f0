//! Messages are sent.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use trunkline_domain::webhook::schedule::{
    AttemptError, Jitter, Outcome, TIME_LIMIT_MS, Verdict, after_attempt,
};
use trunkline_domain::{DeliveryId, DeliveryState, Millis};
use trunkline_store::webhook_messages::Settled;
use trunkline_store::{StoreError, TeamKey, events, webhooks};
use trunkline_switchboard::Switchboard;

use super::reports::Note;
use super::storing::{MOST_UNSTORED, lease, note_health};
use super::{Dispatcher, warn};
use crate::attempt::{self, Attempt};
use crate::client::{Client, Reply};
use crate::clock_watch::Stopwatch;
use crate::fanout;
use crate::lane::{Claimed, Key};
use crate::target::{Target, TargetError};

/// What must be left of a lease when an attempt begins.
const LEAST_LEASE_MS: i64 = TIME_LIMIT_MS + 5 * Millis::SECOND;

/// The pause before an endpoint that could not be opened is opened again: of those that only the operator can mend, and
/// of those that the database did not tell of.
const SHUT_MS: i64 = 10 * Millis::SECOND;
const RETRY_MS: i64 = Millis::SECOND;

/// Why an endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotOpen {
    #[error("it could not be read: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// An attempt that was made, or could not be.
pub(super) struct Tried {
    at: Millis,
    ms: i64,
    reply: Reply,
    what: What,
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The message, or it could not be made.
    Message,
    /// Nothing: its event is not kept any more.
    Gone,
    /// Nothing: the database did not tell the event just now.
    NotRead,
}

impl Tried {
    /// Nothing was sent.
    fn unsent(at: Millis, what: What, why: &str) -> Self {
        let reply = Reply {
            outcome: Outcome::Broken(AttemptError::Internal),
            body: why.to_owned(),
        };
        Self {
            at,
            ms: 0,
            reply,
            what,
        }
    }
}

/// An attempt that is reported when this is dropped, as a failed one unless it was made: also when its task panics.
struct OwedAttempt {
    notes: UnboundedSender<Note>,
    key: Key,
    at: Millis,
    message: Option<Box<Claimed>>,
}

impl OwedAttempt {
    fn pay(&mut self, tried: Tried) {
        if let Some(message) = self.message.take() {
            drop(self.notes.send(Note::Tried(self.key, message, Box::new(tried))));
        }
    }
}

impl Drop for OwedAttempt {
    fn drop(&mut self) {
        self.pay(Tried::unsent(self.at, What::Message, ""));
    }
}

impl Dispatcher {
    /// Sends what an endpoint's share allows.
    pub(super) fn pump(&mut self, key: Key) {
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
        let (now, most_on_trial) = (self.board.now(), self.most_on_trial());
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
            let on_trial = !lane.answers;
            let is_full = self.in_flight >= self.options.in_flight;
            if is_full || on_trial && self.on_trial >= most_on_trial {
                if !lane.waits {
                    lane.waits = true;
                    let line = if is_full {
                        &mut self.waiting
                    } else {
                        &mut self.waiting_on_trial
                    };
                    line.push_back(key);
                }
                return;
            }
            let Some(mut message) = lane.ready.pop_front() else {
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
            message.on_trial = on_trial;
            self.on_trial += usize::from(on_trial);
            self.attempt(key, target, message);
        }
    }

    /// How much may be under way at a time to endpoints that have not proved to answer: the rest is kept for those
    /// that do, however many others hang.
    const fn most_on_trial(&self) -> usize {
        self.options.in_flight.div_ceil(2)
    }

    /// Reads the endpoint and opens its secrets.
    pub(super) fn open(&mut self, key: Key) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        if lane.opening || lane.is_shut() {
            return;
        }
        lane.opening = true;
        let (board, vault) = (self.board.clone(), self.vault.clone());
        let fault = Note::Opened(key, Err(StoreError::Panicked.into()));
        self.start(fault, async move {
            let row = board
                .db()
                .read(move |conn| webhooks::by_number(conn, key.team, key.endpoint))
                .await;
            let outcome = row.map_err(CannotOpen::Store).and_then(|row| {
                row.filter(|row| row.enabled && row.deleted_at.is_none())
                    .map(|row| Target::open(&vault, &row))
                    .transpose()
                    .map_err(CannotOpen::Target)
            });
            Note::Opened(key, outcome)
        });
    }

    pub(super) fn opened(&mut self, key: Key, outcome: Result<Option<Target>, CannotOpen>) {
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
                let pause = match error {
                    CannotOpen::Store(_) => RETRY_MS,
                    CannotOpen::Target(_) => SHUT_MS,
                };
                lane.shut = Some((Stopwatch::start(), pause));
                tracing::error!(
                    team.key = key.team.0,
                    endpoint = key.endpoint,
                    error = %error,
                    "an endpoint cannot be used"
                );
            }
        }
    }

    pub(super) fn attempt(&self, key: Key, target: Arc<Target>, message: Claimed) {
        let (board, client) = (self.board.clone(), self.client.clone());
        let mut owed = OwedAttempt {
            notes: self.notes.clone(),
            key,
            at: board.now(),
            message: Some(Box::new(message)),
        };
        tokio::spawn(async move {
            if let Some(message) = &owed.message {
                let tried = make(&board, &client, key.team, &target, message).await;
                owed.pay(tried);
            }
        });
    }

    pub(super) fn tried(&mut self, key: Key, message: Claimed, tried: Tried) {
        self.in_flight -= 1;
        self.on_trial -= usize::from(message.on_trial);
        if tried.what == What::NotRead {
            self.postpone(key, &message);
        } else {
            self.settle(key, &message, tried);
        }
        self.pump(key);
        self.serve_the_waiting();
        let share = self.share();
        if self.lanes.get(&key).is_some_and(|lane| lane.is_hungry(share)) {
            self.claim();
        }
    }

    /// Has a message that was not sent tried a little later: this was no attempt.
    fn postpone(&mut self, key: Key, message: &Claimed) {
        let now = self.board.now();
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        lane.in_flight -= 1;
        self.busy -= usize::from(lane.in_flight == 0);
        if let Some(end) = lane.leases.remove(&message.event) {
            let postponed = Settled {
                endpoint: key.endpoint,
                event: message.event,
                lease: lease(end, now, self.stepped_back),
                state: DeliveryState::Pending,
                due_at: Some(now.plus(RETRY_MS)),
                tries: message.tries,
                attempts: message.attempts.clone().unwrap_or_else(|| "[]".to_owned()),
            };
            self.teams
                .entry(key.team)
                .or_default()
                .unstored
                .settled
                .push(postponed);
            self.record_soon(key.team);
        }
    }

    fn settle(&mut self, key: Key, message: &Claimed, tried: Tried) {
        let now = self.board.now();
        let tries = message.tries + 1;
        let Tried {
            at,
            ms,
            reply: Reply { outcome, body },
            what,
        } = tried;
        let made = u8::try_from(tries).unwrap_or(u8::MAX);
        let verdict = if what == What::Gone {
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
        let stepped_back = self.stepped_back;
        let team = self.teams.entry(key.team).or_default();
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.in_flight -= 1;
            self.busy -= usize::from(lane.in_flight == 0);
            lane.learn(outcome.status().is_some(), ms, self.options.concurrency);
            if let Some(end) = lane.leases.remove(&message.event) {
                let lease = lease(end, now, stepped_back);
                // What was answered may repeat what has been erased since.
                let erased = message.erasures != self.board.erasures();
                let attempt = Attempt::new(at, ms, &outcome, body);
                let attempts = attempt::append(message.attempts.as_deref(), attempt);
                team.unstored.settled.push(Settled {
                    endpoint: key.endpoint,
                    event: message.event,
                    lease,
                    state,
                    due_at,
                    tries,
                    attempts: if erased {
                        attempt::without_replies(&attempts)
                    } else {
                        attempts
                    },
                });
            }
            note_health(lane, team.unstored.health.entry(key.endpoint), &outcome, now);
        }
        self.record_soon(key.team);
    }

    /// Lets those who wait for their share have it, first come first served.
    fn serve_the_waiting(&mut self) {
        while self.in_flight < self.options.in_flight {
            let may_try = self.on_trial < self.most_on_trial();
            let next = match self.waiting.pop_front() {
                None if may_try => self.waiting_on_trial.pop_front(),
                next => next,
            };
            let Some(next) = next else { return };
            if let Some(lane) = self.lanes.get_mut(&next) {
                lane.waits = false;
            }
            self.pump(next);
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
        Some(body) if message.erasures == board.erasures() => Ok(Some(body.clone())),
        _ => {
            let event = message.event;
            let read = board.db().read(move |conn| events::get(conn, team, event)).await;
            read.and_then(|event| event.map(|event| fanout::body(&event)).transpose())
        }
    };
    let at = board.now();
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
                what: What::Message,
            }
        }
        Ok(None) => Tried::unsent(at, What::Gone, "the event is not kept any more"),
        Err(error) => {
            warn("an event could not be read", &error);
            let is_passing = error.is_retryable() || matches!(error, StoreError::Panicked);
            let what = if is_passing { What::NotRead } else { What::Message };
            Tried::unsent(at, what, "")
        }
    }
}
