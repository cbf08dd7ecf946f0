//! What attempts came to is stored.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use trunkline_domain::Millis;
use trunkline_domain::webhook::schedule::{AttemptError, Outcome};
use trunkline_store::webhook_messages::{self, Lease};
use trunkline_store::{StoreError, TeamKey};
use trunkline_switchboard::webhooks::{self as commands, LEASE_MS};

use super::reports::Note;
use super::{Dispatcher, warn};
use crate::lane::{Key, Lane};
use crate::recording::{self, Batch, Health};

/// The most results of a team that wait to be stored; beyond that nothing more is sent for it.
pub(super) const MOST_UNSTORED: usize = 2_048;

/// The most results stored in one transaction.
const BATCH: usize = 512;

/// How often a success is stored of an endpoint that has not failed.
const SUCCESS_EVERY_MS: i64 = Millis::SECOND;

/// How long results gather before they are stored: a crash repeats what was sent in that time, and nobody else's commit
/// waits for many small ones.
const GATHER: Duration = Duration::from_millis(20);

/// How often in a row results may be refused at the end of the program before they are given up, and the pause
/// between. What was sent is then sent again after its lease.
const LAST_REFUSALS: u32 = 20;
const LAST_PAUSE: Duration = Duration::from_millis(100);

impl Dispatcher {
    /// Has results stored soon.
    pub(super) fn record_soon(&mut self, key: TeamKey) {
        let Some(team) = self.teams.get_mut(&key) else {
            return;
        };
        if self.stopping || team.unstored.settled.len() >= BATCH / 2 {
            return self.record(key);
        }
        if !std::mem::replace(&mut team.flushing, true) {
            self.record_in(key, GATHER);
        }
    }

    fn record_in(&mut self, key: TeamKey, pause: Duration) {
        self.start(Note::Flush(key), async move {
            tokio::time::sleep(pause).await;
            Note::Flush(key)
        });
    }

    pub(super) fn record(&mut self, key: TeamKey) {
        let erasures = self.board.erasures();
        if std::mem::replace(&mut self.erasures, erasures) != erasures {
            self.teams
                .values_mut()
                .for_each(|team| team.unstored.forget_replies());
        }
        let Some(team) = self.teams.get_mut(&key) else {
            return;
        };
        if team.storing || team.unstored.is_empty() {
            return;
        }
        team.storing = true;
        let batch = team.unstored.take(BATCH);
        let (board, now) = (self.board.clone(), self.board.now());
        let batch = Arc::new(batch);
        let fault = Note::Recorded(key, batch.clone(), Err(StoreError::Panicked));
        self.start(fault, async move {
            let stored = batch.clone();
            let outcome = board
                .db()
                .write(move |tx| recording::record(tx, key, &stored, now))
                .await;
            Note::Recorded(key, batch, outcome)
        });
    }

    pub(super) fn recorded(&mut self, key: TeamKey, batch: &Batch, outcome: Result<Vec<i64>, StoreError>) {
        let team = self.teams.entry(key).or_default();
        team.storing = false;
        let opened = match outcome {
            Ok(opened) => opened,
            Err(error) => {
                team.refusals += 1;
                if self.stopping && team.refusals > LAST_REFUSALS {
                    team.unstored = Batch::default();
                    return warn("what attempts came to is not stored", &error);
                }
                team.unstored.put_back(batch.clone());
                team.owed = team.unstored.settled.len();
                if self.stopping {
                    self.record_in(key, LAST_PAUSE);
                }
                return warn(
                    "what attempts came to could not be stored; it will be tried again",
                    &error,
                );
            }
        };
        team.refusals = 0;
        team.owed = team.owed.saturating_sub(batch.settled.len());
        let resumes = team.stalled && team.unstored.settled.len() < MOST_UNSTORED / 2;
        team.stalled &= !resumes;
        if !team.unstored.is_empty() {
            self.record_soon(key);
        }
        if resumes {
            let keys: Vec<Key> = self
                .lanes
                .keys()
                .copied()
                .filter(|lane| lane.team == key)
                .collect();
            keys.into_iter().for_each(|key| self.pump(key));
        }
        opened
            .into_iter()
            .for_each(|endpoint| self.give_up(key, endpoint));
    }

    /// Switches off an endpoint whose breaker has opened.
    pub(super) fn give_up(&mut self, team: TeamKey, endpoint: i64) {
        let board = self.board.clone();
        self.start(Note::Done, async move {
            match board.run(team, move |work| commands::give_up(work, endpoint)).await {
                Ok(true) => tracing::warn!(team.key = team.0, endpoint, "an endpoint that failed for days was disabled"),
                Ok(false) => {}
                Err(error) => tracing::warn!(error = %error, "an endpoint could not be disabled; it will be tried again"),
            }
            Note::Done
        });
    }

    /// Gives back what was claimed and not sent, so that the next process need not wait for the leases to end.
    pub(super) fn give_back(&mut self) {
        let all: Vec<Key> = self.lanes.keys().copied().collect();
        self.give_back_of(&all);
    }

    /// Gives back what was claimed and not sent of these endpoints.
    pub(super) fn give_back_of(&mut self, keys: &[Key]) {
        let (now, stepped_back) = (self.board.now(), self.stepped_back);
        let mut unsent: BTreeMap<TeamKey, Vec<(i64, i64, Lease)>> = BTreeMap::new();
        for key in keys {
            let Some(lane) = self.lanes.get_mut(key) else {
                continue;
            };
            for message in lane.ready.drain(..) {
                if let Some(end) = lane.leases.remove(&message.event) {
                    let lease = lease(end, now, stepped_back);
                    unsent
                        .entry(key.team)
                        .or_default()
                        .push((key.endpoint, message.event, lease));
                }
            }
        }
        for (team, messages) in unsent {
            let board = self.board.clone();
            self.start(Note::Done, async move {
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

/// A lease that ends at `end`. One that is longer than any was taken by a clock that was set back since, and may have
/// been brought forward by as much.
pub(super) fn lease(end: Millis, now: Millis, stepped_back: i64) -> Lease {
    let is_older = end.since(now) > LEASE_MS;
    Lease {
        end,
        moved: if is_older { end.plus(-stepped_back) } else { end },
    }
}

/// Notes how an endpoint did. A success is stored at most once a second unless something had failed.
pub(super) fn note_health(lane: &mut Lane, entry: Entry<'_, i64, Health>, outcome: &Outcome, now: Millis) {
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
