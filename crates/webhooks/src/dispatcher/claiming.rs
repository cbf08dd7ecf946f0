//! Messages are claimed.

use std::collections::BTreeMap;

use trunkline_domain::Millis;
use trunkline_store::webhook_messages::{self, MessageRow};
use trunkline_store::{StoreError, TeamKey};
use trunkline_switchboard::webhooks::LEASE_MS;

use super::reports::Note;
use super::{Dispatcher, warn};
use crate::lane::{Claimed, Key, MOST_AHEAD};

/// The most messages held in memory.
pub(super) const MOST_HELD: usize = 8_192;

/// The most messages claimed in one transaction.
const CLAIM: usize = 512;

impl Dispatcher {
    pub(super) fn claim(&mut self) {
        if self.stopping {
            return;
        }
        let share = self.share();
        let mut free = MOST_HELD.saturating_sub(self.held());
        let mut wanted: BTreeMap<TeamKey, Vec<(i64, usize)>> = BTreeMap::new();
        for (key, lane) in &mut self.lanes {
            // What could not be stored may be due again: it would be sent twice.
            let is_refused = self.teams.get(&key.team).is_some_and(|team| team.owed > 0);
            if !lane.is_hungry(share) || is_refused {
                continue;
            }
            let team = wanted.entry(key.team).or_default();
            let taken: usize = team.iter().map(|(_, count)| count).sum();
            let count = lane.room(share).min(free).min(CLAIM.saturating_sub(taken));
            if count > 0 {
                // Whatever is heard of from now on may come too late for this claim.
                (lane.claiming, lane.backlog) = (true, false);
                free -= count;
                team.push((key.endpoint, count));
            }
        }
        for (team, endpoints) in wanted.into_iter().filter(|(_, endpoints)| !endpoints.is_empty()) {
            let (board, now) = (self.board.clone(), self.board.now());
            let lease = now.plus(LEASE_MS);
            let read = (lease, board.erasures());
            let fault = Note::Claimed(team, read, endpoints.clone(), Err(StoreError::Panicked));
            self.start(fault, async move {
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
                Note::Claimed(team, read, endpoints, outcome)
            });
        }
    }

    /// The most messages that an endpoint may hold, so that there is room for all.
    pub(super) fn share(&self) -> usize {
        (MOST_HELD / self.lanes.len().max(1)).clamp(1, MOST_AHEAD)
    }

    pub(super) fn claimed(
        &mut self,
        team: TeamKey,
        (lease, erasures): (Millis, u64),
        asked: &[(i64, usize)],
        outcome: Result<Vec<(i64, Vec<MessageRow>)>, StoreError>,
    ) {
        let failed = outcome.is_err();
        for (endpoint, _) in asked {
            let lane = self.lane(
                Key {
                    team,
                    endpoint: *endpoint,
                },
                0,
            );
            lane.claiming = false;
            lane.backlog |= failed;
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
            let looks = self.looks;
            let lane = self.lane(key, 0);
            lane.backlog |= messages.len() >= count;
            if !messages.is_empty() {
                lane.fed_at = looks;
            }
            for row in messages {
                let message = Claimed {
                    event: row.event,
                    at: row.at,
                    tries: row.tries,
                    attempts: row.attempts,
                    body: None,
                    erasures,
                    on_trial: false,
                };
                lane.take(message, lease);
            }
            self.pump(key);
        }
        self.claim();
    }
}
