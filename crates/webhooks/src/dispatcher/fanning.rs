//! Events become messages.

use trunkline_domain::Millis;
use trunkline_store::{StoreError, TeamKey};
use trunkline_switchboard::webhooks::LEASE_MS;

use super::claiming::MOST_HELD;
use super::reports::Note;
use super::{Dispatcher, warn};
use crate::fanout::{self, FanOut, Room};
use crate::lane::{Claimed, FEWEST_AHEAD, Key, Lane};

impl Dispatcher {
    pub(super) fn fan_out(&mut self, key: TeamKey) {
        let team = self.teams.entry(key).or_default();
        if team.fanning || self.stopping {
            team.again = true;
            return;
        }
        (team.fanning, team.again) = (true, false);
        // None that a transaction just now under way has appended: it may yet fail.
        let to = team.last_event;
        let room = self.room_for(key);
        let (board, notes, now) = (self.board.clone(), self.notes.clone(), self.board.now());
        let lease = now.plus(LEASE_MS);
        // On SQLite this process alone fans out, and events up to `to` are on the disk: what is stored is sent while the
        // commit is under way. If that fails, the batch is stored and sent once more, as after a crash. On PostgreSQL
        // another node may be about to store the same, so the commit decides.
        let is_alone = board.db().is_sqlite();
        let erasures = board.erasures();
        self.start(Note::FannedOut(key, Err(StoreError::Panicked)), async move {
            let told = notes.clone();
            let outcome = board
                .db()
                .write(move |tx| {
                    let mut batch = Box::new(fanout::fan_out(tx, key, to, &room, now, lease)?);
                    batch.erasures = erasures;
                    if !is_alone {
                        return Ok((batch.more, Some(batch)));
                    }
                    let more = batch.more;
                    drop(told.send(Note::Stored(key, lease, batch)));
                    Ok::<_, StoreError>((more, None))
                })
                .await;
            let outcome = outcome.map(|(more, batch)| {
                if let Some(batch) = batch {
                    drop(notes.send(Note::Stored(key, lease, batch)));
                }
                more
            });
            Note::FannedOut(key, outcome)
        });
    }

    /// How many new messages may be claimed as they are stored. Endpoints with older messages that wait get none.
    pub(super) fn room_for(&self, team: TeamKey) -> Room {
        let (free, share) = (MOST_HELD.saturating_sub(self.held()), self.share());
        let lanes = self.lanes.iter().filter(|(key, _)| key.team == team);
        let of = lanes
            .map(|(key, lane)| {
                let room = if lane.backlog || lane.claiming {
                    0
                } else {
                    lane.room(share)
                };
                (key.endpoint, room.min(free))
            })
            .collect();
        let other = FEWEST_AHEAD.min(share).min(free);
        Room { of, other }
    }

    pub(super) fn held(&self) -> usize {
        self.lanes.values().map(|lane| lane.leases.len()).sum()
    }

    pub(super) fn fanned_out(&mut self, key: TeamKey, outcome: Result<bool, StoreError>) {
        let team = self.teams.entry(key).or_default();
        team.fanning = false;
        let again = std::mem::take(&mut team.again);
        match outcome {
            Ok(more) if more || again => self.fan_out(key),
            Ok(_) => {}
            Err(error) => warn("events could not be fanned out; it will be tried again", &error),
        }
    }

    /// Takes in what was stored and claimed.
    pub(super) fn take_in(&mut self, key: TeamKey, lease: Millis, batch: FanOut) {
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
                body: fresh.body,
                erasures: batch.erasures,
                on_trial: false,
            };
            let looks = self.looks;
            let lane = self.lane(lane_key, version);
            lane.fed_at = looks;
            lane.take(message, lease);
            if touched.last() != Some(&lane_key) {
                touched.push(lane_key);
            }
        }
        for endpoint in batch.left {
            let version = batch.versions.get(&endpoint).copied().unwrap_or(0);
            let looks = self.looks;
            let lane = self.lane(Key { team: key, endpoint }, version);
            (lane.backlog, lane.fed_at) = (true, looks);
        }
        touched.into_iter().for_each(|key| self.pump(key));
        self.claim();
    }

    pub(super) fn lane(&mut self, key: Key, version: i64) -> &mut Lane {
        let width = self.options.concurrency;
        let lane = self.lanes.entry(key).or_insert_with(|| Lane::new(version, width));
        lane.version = lane.version.max(version);
        lane
    }
}
