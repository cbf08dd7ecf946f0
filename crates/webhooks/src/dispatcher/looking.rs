//! The database is looked at for what nobody told: events of other nodes, retries, disabled endpoints, chores.

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::Poll;

use trunkline_domain::Millis;
use trunkline_store::webhooks::NextDue;
use trunkline_store::{StoreError, TeamKey, webhooks};

use super::reports::Note;
use super::{Dispatcher, warn};
use crate::chores;
use crate::lane::Key;

/// For how long an empty queue is kept.
const KEEP_IDLE_MS: i64 = Millis::MINUTE;

impl Dispatcher {
    pub(super) async fn look_around(&mut self) {
        if let Some(by) = self.clock.step_back(self.board.now()) {
            self.set_back += by;
            self.stepped_back = by;
        }
        self.do_chores();
        let stored: Vec<TeamKey> = self.teams.keys().copied().collect();
        stored.into_iter().for_each(|team| self.record(team));
        self.look_for_events().await;
        if !self.looking {
            self.looking = true;
            self.looks += 1;
            let (board, look) = (self.board.clone(), self.looks);
            self.start(Note::Due(look, Err(StoreError::Panicked)), async move {
                Note::Due(look, board.db().scan(webhooks::due).await)
            });
        }
        metrics::gauge!("trunkline_webhook_in_flight").set(self.in_flight as f64);
        metrics::gauge!("trunkline_webhook_held").set(self.held() as f64);
    }

    fn do_chores(&mut self) {
        if self.chores {
            return;
        }
        self.chores = true;
        let by = std::mem::take(&mut self.set_back);
        let (board, stop) = (self.board.clone(), self.stop.clone());
        self.start(Note::ChoresDone(by), async move {
            let mut left = by;
            if by > 0 {
                tracing::warn!(ms = by, "the clock was set back; retries are brought forward");
                match chores::clock_was_set_back(&board, by).await {
                    Ok(()) => left = 0,
                    Err(error) => warn(
                        "retries could not be brought forward; it will be tried again",
                        &error,
                    ),
                }
            }
            if let Err(error) = chores::catch_up(&board, &stop).await {
                warn("skipping or replaying failed; it goes on later", &error);
            }
            Note::ChoresDone(left)
        });
    }

    /// Asks who has events to be fanned out. A read of SQLite is done at once; one of PostgreSQL takes its time, in
    /// which everything else goes on.
    pub(super) async fn look_for_events(&mut self) {
        if self.seeking {
            self.seek_again = true;
            return;
        }
        let board = self.board.clone();
        let mut ask = Box::pin(async move { board.db().read(webhooks::ahead).await });
        match poll_fn(|context| Poll::Ready(ask.as_mut().poll(context))).await {
            Poll::Ready(outcome) => self.fan_out_all(outcome),
            Poll::Pending => {
                self.seeking = true;
                self.start(Note::Ahead(Err(StoreError::Panicked)), async move {
                    Note::Ahead(ask.await)
                });
            }
        }
    }

    pub(super) fn ahead(&mut self, outcome: Result<Vec<(TeamKey, i64)>, StoreError>) {
        self.seeking = false;
        self.fan_out_all(outcome);
        if std::mem::take(&mut self.seek_again) && !self.stopping {
            self.seeking = true;
            let board = self.board.clone();
            self.start(Note::Ahead(Err(StoreError::Panicked)), async move {
                Note::Ahead(board.db().read(webhooks::ahead).await)
            });
        }
    }

    fn fan_out_all(&mut self, ahead: Result<Vec<(TeamKey, i64)>, StoreError>) {
        match ahead {
            Ok(teams) => {
                for (key, last_event) in teams {
                    let team = self.teams.entry(key).or_default();
                    team.last_event = team.last_event.max(last_event);
                    self.fan_out(key);
                }
            }
            Err(error) => warn("events could not be looked up", &error),
        }
    }

    pub(super) fn due(&mut self, look: u64, outcome: Result<Vec<NextDue>, StoreError>) {
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
        // Disabled or deleted: what was claimed and not sent is not sent. What was enabled, or made, after the look
        // was begun and has got something since is neither.
        let is_off = |key: &Key, fed_at: u64| !enabled.contains_key(key) && fed_at < look;
        let off: Vec<Key> = self
            .lanes
            .iter()
            .filter(|(key, lane)| is_off(key, lane.fed_at))
            .map(|(key, _)| *key)
            .collect();
        self.give_back_of(&off);
        self.lanes.retain(|key, lane| {
            lane.version = lane.version.max(enabled.get(key).copied().unwrap_or(0));
            if is_off(key, lane.fed_at) {
                lane.backlog = false;
                return lane.in_flight > 0 || lane.claiming || lane.opening;
            }
            let idle_for = now.since(lane.used_at);
            !lane.is_idle() || lane.opening || (0..KEEP_IDLE_MS).contains(&idle_for)
        });
        self.teams.retain(|_, team| {
            team.fanning || team.storing || team.again || team.flushing || !team.unstored.is_empty()
        });
        let keys: Vec<Key> = self.lanes.keys().copied().collect();
        keys.into_iter().for_each(|key| self.pump(key));
        self.claim();
    }
}
