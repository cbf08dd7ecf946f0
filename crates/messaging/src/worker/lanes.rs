//! What a process remembers of lines and carriers while texts are handed over: how many are under way, who is down, and
//! how fast carriers are spoken to. Nothing of it must be true: it is lost with the process, and learnt anew.

use std::collections::HashMap;

use parking_lot::Mutex;
use trunkline_domain::Millis;
use trunkline_store::TeamKey;
use trunkline_store::text_queue::LaneRow;

/// The longest pause before a carrier is tried again, in milliseconds.
const LONGEST_PAUSE: i64 = Millis::MINUTE;

/// How late a look may be and still make up for it, in microseconds.
const LATE_US: i64 = 100_000;

/// Lines and carriers.
pub(super) struct Lanes {
    per_line: usize,
    lines: Mutex<HashMap<(TeamKey, i64), Line>>,
    /// When each carrier may be handed the next text, in microseconds since 1970.
    carriers: Mutex<HashMap<String, i64>>,
}

#[derive(Clone, Copy)]
struct Line {
    /// Texts under way.
    under_way: usize,
    /// Times in a row that the carrier did not answer.
    failures: i64,
    /// Until then nothing is tried.
    rests_until: Millis,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            under_way: 0,
            failures: 0,
            rests_until: Millis(0),
        }
    }
}

/// The pause after so many failures, in milliseconds: half a second, one, two, up to a minute.
pub(super) fn pause(failures: i64) -> i64 {
    (500_i64 << failures.clamp(1, 8).saturating_sub(1)).min(LONGEST_PAUSE)
}

impl Lanes {
    pub(super) fn new(per_line: usize) -> Self {
        Self {
            per_line,
            lines: Mutex::default(),
            carriers: Mutex::default(),
        }
    }

    /// Forgets lines that have nothing to send.
    pub(super) fn forget_all_but(&self, lanes: &[LaneRow]) {
        let mut lines = self.lines.lock();
        if lines.len() > lanes.len() {
            let waits = |key: &(TeamKey, i64)| {
                lanes
                    .binary_search_by_key(key, |lane| (lane.team, lane.line))
                    .is_ok()
            };
            lines.retain(|key, line| line.under_way > 0 || waits(key));
        }
    }

    /// How many more texts of a line may be begun at `now`; errs with when to ask again.
    pub(super) fn room(&self, lane: &LaneRow, now: Millis) -> Result<usize, Millis> {
        let known = self.lines.lock().get(&(lane.team, lane.line)).copied();
        let line = known.unwrap_or_default();
        if line.rests_until > now {
            return Err(line.rests_until);
        }
        // While a carrier is down, one text at a time finds out whether it is back.
        let most = if line.failures > 0 { 1 } else { self.per_line };
        let waiting = usize::try_from(lane.waiting).unwrap_or(0);
        Ok(most.min(waiting).saturating_sub(line.under_way))
    }

    /// A text of the line is under way.
    pub(super) fn begin(&self, team: TeamKey, line: i64) {
        self.lines.lock().entry((team, line)).or_default().under_way += 1;
    }

    /// It is no more.
    pub(super) fn end(&self, team: TeamKey, line: i64) {
        if let Some(line) = self.lines.lock().get_mut(&(team, line)) {
            line.under_way = line.under_way.saturating_sub(1);
        }
    }

    /// The line's carrier answered.
    pub(super) fn answered(&self, team: TeamKey, line: i64) {
        if let Some(line) = self.lines.lock().get_mut(&(team, line)) {
            line.failures = 0;
            line.rests_until = Millis(0);
        }
    }

    /// The line's carrier did not answer. Returns for how long nothing is tried, in milliseconds.
    pub(super) fn failed(&self, team: TeamKey, line: i64, now: Millis) -> i64 {
        let mut lines = self.lines.lock();
        let line = lines.entry((team, line)).or_default();
        // Those that were under way together fail together: that is one failure.
        if line.rests_until <= now {
            line.failures += 1;
            line.rests_until = now.plus(pause(line.failures));
        }
        line.rests_until.since(now)
    }

    /// Asks for leave to hand up to `wanted` texts to a carrier that takes one in `interval` microseconds. Errs with when
    /// to ask again.
    pub(super) fn ask_carrier(
        &self,
        carrier: &str,
        now_us: i64,
        interval: i64,
        wanted: usize,
    ) -> Result<usize, i64> {
        if interval == 0 {
            return Ok(wanted);
        }
        let mut carriers = self.carriers.lock();
        let ready = carriers.entry(carrier.to_owned()).or_default();
        // A look that comes a little late makes up for it; a carrier that rested gets no burst.
        if *ready < now_us - LATE_US {
            *ready = now_us;
        }
        if *ready > now_us {
            return Err(*ready);
        }
        let slots = usize::try_from((now_us - *ready) / interval + 1).unwrap_or(usize::MAX);
        let granted = wanted.min(slots);
        *ready += i64::try_from(granted)
            .unwrap_or(i64::MAX)
            .saturating_mul(interval);
        Ok(granted)
    }

    /// Gives back what was granted and not used.
    pub(super) fn give_back(&self, carrier: &str, interval: i64, unused: usize) {
        if let Some(ready) = self.carriers.lock().get_mut(carrier) {
            *ready -= i64::try_from(unused).unwrap_or(0).saturating_mul(interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(waiting: i64) -> LaneRow {
        LaneRow {
            team: TeamKey(1),
            line: 2,
            waiting,
            ready_us: 0,
            carrier: "c".to_owned(),
            interval_us: None,
        }
    }

    #[test]
    fn a_line_that_is_down_is_tried_with_one_text_after_a_growing_pause() {
        let (lanes, team, mut now) = (Lanes::new(64), TeamKey(1), Millis(1_000_000));
        assert_eq!(lanes.room(&lane(100), now), Ok(64));
        for pause in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            lanes.begin(team, 2);
            lanes.begin(team, 2);
            // Two that fail together are one failure.
            assert_eq!(
                (lanes.failed(team, 2, now), lanes.failed(team, 2, now)),
                (pause, pause)
            );
            lanes.end(team, 2);
            lanes.end(team, 2);
            assert_eq!(lanes.room(&lane(100), now), Err(now.plus(pause)));
            now = now.plus(pause);
            assert_eq!(lanes.room(&lane(100), now), Ok(1));
        }
        lanes.answered(team, 2);
        assert_eq!(lanes.room(&lane(100), now), Ok(64));
        assert_eq!(lanes.room(&lane(3), now), Ok(3));
    }

    #[test]
    fn a_carrier_gets_its_texts_at_its_pace() {
        let lanes = Lanes::new(64);
        let mut sent = 0;
        // Looks at odd times, for ten seconds, at ten texts a second.
        for look in 0..1_000_i64 {
            let now_us = 1_000_000_000 + look * 10_007;
            if let Ok(granted) = lanes.ask_carrier("c", now_us, 100_000, 5) {
                sent += granted.min(2);
                lanes.give_back("c", 100_000, granted.saturating_sub(2));
            }
        }
        assert!((100..=101).contains(&sent), "{sent}");
        // After a rest there is no burst.
        assert_eq!(lanes.ask_carrier("c", 9_000_000_000, 100_000, 5), Ok(1));
        assert_eq!(
            lanes.ask_carrier("c", 9_000_000_001, 100_000, 5),
            Err(9_000_100_000)
        );
        assert_eq!(lanes.ask_carrier("free", 0, 0, 5), Ok(5));
    }

    #[test]
    fn lines_without_work_are_forgotten() {
        let (lanes, now) = (Lanes::new(64), Millis(5));
        lanes.failed(TeamKey(1), 2, now);
        lanes.failed(TeamKey(1), 3, now);
        lanes.forget_all_but(&[lane(1)]);
        assert_eq!(lanes.lines.lock().len(), 1);
        assert!(lanes.room(&lane(1), now).is_err());
    }
}
