//! The queue of one endpoint in this process: what was claimed for it, how much is sent at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use trunkline_domain::Millis;
use trunkline_store::TeamKey;

use crate::clock_watch::Stopwatch;
use crate::target::Target;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Its team.
    pub team: TeamKey,
    /// Its number there.
    pub endpoint: i64,
}

/// A message that this process has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// Its event's number.
    pub event: i64,
    /// When the event happened.
    pub at: Millis,
    /// Attempts in the present round, before this one.
    pub tries: i64,
    /// The attempts so far, as they are stored.
    pub attempts: Option<String>,
    /// What is to be posted, where it is at hand.
    pub body: Option<Bytes>,
    /// How often something had been erased when this was read, see `Switchboard::erasures`.
    pub erasures: u64,
    /// Whether it counts among what is sent to endpoints that have not proved to answer.
    pub on_trial: bool,
}

/// Attempts that came back quickly, one after the other, before the queue grows.
pub(crate) const FEWEST_AHEAD: usize = 16;
/// The longest queue of an endpoint in memory.
pub(crate) const MOST_AHEAD: usize = 512;

/// The queue of an endpoint.
pub(crate) struct Lane {
    /// What is known of the endpoint; `None` until it was read.
    pub target: Option<Arc<Target>>,
    /// The newest version of the endpoint that was heard of.
    pub version: i64,
    /// Claimed, not yet sent.
    pub ready: VecDeque<Claimed>,
    /// Every message that is claimed and not settled, and the end of its lease.
    pub leases: HashMap<i64, Millis>,
    /// Attempts under way.
    pub in_flight: usize,
    /// Whether the database has due messages that were not claimed.
    pub backlog: bool,
    /// Whether a claim is under way.
    pub claiming: bool,
    /// Whether the endpoint is being read.
    pub opening: bool,
    /// Since when and for how many milliseconds it is not read again, because it could not be used.
    pub shut: Option<(Stopwatch, i64)>,
    /// How much may be sent at a time: less while nothing is answered in time.
    pub width: usize,
    /// How many messages may be held.
    pub ahead: usize,
    /// Whether the last attempt was answered.
    pub answers: bool,
    /// The last look at the database before which it got something.
    pub fed_at: u64,
    /// When a success was stored last, if nothing failed since.
    pub at_rest_since: Option<Millis>,
    /// When something was sent last.
    pub used_at: Millis,
    /// Whether it stands in line for its share.
    pub waits: bool,
}

impl Lane {
    /// An empty queue.
    pub(crate) fn new(version: i64, width: usize) -> Self {
        Self {
            target: None,
            version,
            ready: VecDeque::new(),
            leases: HashMap::new(),
            in_flight: 0,
            backlog: false,
            claiming: false,
            opening: false,
            shut: None,
            width,
            ahead: FEWEST_AHEAD,
            answers: false,
            fed_at: 0,
            at_rest_since: None,
            used_at: Millis(0),
            waits: false,
        }
    }

    /// Whether there is nothing in it and nothing known to come.
    pub(crate) fn is_idle(&self) -> bool {
        self.leases.is_empty() && !self.backlog && !self.claiming
    }

    /// How many more messages it may hold when its share is `share`.
    pub(crate) fn room(&self, share: usize) -> usize {
        self.ahead.min(share).saturating_sub(self.leases.len())
    }

    /// Whether it is time to claim: half of the queue, or of its share, is empty.
    pub(crate) fn is_hungry(&self, share: usize) -> bool {
        self.backlog && !self.claiming && self.leases.len() * 2 <= self.ahead.min(share)
    }

    /// Whether it is not to be read again yet.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.as_ref().is_some_and(|(since, ms)| since.ms() < *ms)
    }

    /// Takes a message in. One that is held already, because its lease ran out while it was here, only gets its new
    /// lease.
    pub(crate) fn take(&mut self, message: Claimed, lease: Millis) {
        if self.leases.insert(message.event, lease).is_none() {
            self.ready.push_back(message);
        }
    }

    /// Learns from an attempt: what answers quickly is sent more, what does not answer at all is sent less.
    pub(crate) fn learn(&mut self, answered: bool, ms: i64, most: usize) {
        self.answers = answered;
        if answered {
            self.width = (self.width + 1).min(most);
        } else {
            self.width = (self.width / 2).max(1);
        }
        // What is held must be sent well within its lease.
        let seconds_of_work = 10_000 * i64::try_from(self.width).unwrap_or(1) / ms.max(1);
        let target = usize::try_from(seconds_of_work)
            .unwrap_or(MOST_AHEAD)
            .clamp(1, MOST_AHEAD);
        self.ahead = if target > self.ahead {
            (self.ahead + 4).min(target)
        } else {
            target
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: i64) -> Claimed {
        Claimed {
            event,
            at: Millis(0),
            tries: 0,
            attempts: None,
            body: None,
            erasures: 0,
            on_trial: false,
        }
    }

    #[test]
    fn a_message_is_held_once() {
        let mut lane = Lane::new(1, 8);
        lane.take(message(5), Millis(10));
        lane.take(message(5), Millis(20));
        assert_eq!((lane.ready.len(), lane.leases[&5]), (1, Millis(20)));
    }

    #[test]
    fn what_hangs_gets_one_at_a_time_and_what_answers_gets_all_again() {
        let mut lane = Lane::new(1, 8);
        for _ in 0..5 {
            lane.learn(false, 20_000, 8);
        }
        assert_eq!((lane.width, lane.ahead), (1, 1));
        for _ in 0..300 {
            lane.learn(true, 2, 8);
        }
        assert_eq!((lane.width, lane.ahead), (8, MOST_AHEAD));
    }
}
