//! Messages are claimed.

use std::collections::BTreeMap;

use trunkline_domain::Millis;
use trunkline_store::webhook_messages::{self, MessageRow};
use trunkline_store::{StoreError, TeamKey};

use super::{Dispatcher, Note, warn};
use crate::lane::{Claimed, Key};

/// For how long a claimed message is this process's.
pub(super) const LEASE_MS: i64 = Millis::MINUTE;

/// The most messages held in memory.
pub(super) const MOST_HELD: usize = 8_192;

/// The most messages claimed in one transaction.
const CLAIM: usize = 512;

impl Dispatcher {
    pub(super) fn claim(&mut self) {
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

    pub(super) fn claimed(
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
}
