//! When an endpoint that only fails is switched off.
//!
//! Several failures ([`SEVERAL`]) within 24 hours ([`WINDOW`]), the first and the last at least 12 hours apart
//! ([`SPREAD`]), start a clock of 5 days ([`LIMIT`]). An endpoint that has failed all the time when the clock runs out
//! is disabled and its owner told. One success at any moment makes everything good.
//!
//! What counts as a failure is a failed attempt, whichever message it was for. Two things keep this fair and cheap:
//!
//! - Failures less than a minute ([`BURST`]) after the last one that counted do not count. A burst is one failure, and
//!   the state of an endpoint has to be written once a minute at most, however much fails.
//! - Time in which nothing was tried proves nothing: of the time between two failures at most a day ([`QUIET`])
//!   counts towards the five.
//!
//! The wall clock may be set while all this goes on. Time that was counted is never counted again, so a clock that
//! jumps to and fro adds nothing; a jump forwards counts like a pause, for a day at most, so no jump opens the breaker
//! alone; and after a jump back, counting goes on as soon as the old time is reached again, or begins anew if that is
//! more than a day away.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// How many failures are several.
pub const SEVERAL: u8 = 3;

/// Within what time the several failures must lie, in milliseconds.
pub const WINDOW: i64 = 24 * Millis::HOUR;

/// How far apart the first and last of them must be, in milliseconds.
pub const SPREAD: i64 = 12 * Millis::HOUR;

/// For how long everything must fail from then on, in milliseconds.
pub const LIMIT: i64 = 5 * Millis::DAY;

/// Failures closer together than this count as one, in milliseconds.
pub const BURST: i64 = Millis::MINUTE;

/// The most that the time between two failures counts towards [`LIMIT`], in milliseconds.
pub const QUIET: i64 = Millis::DAY;

/// The circuit breaker of an endpoint: small enough for a column (JSON).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Breaker {
    /// All is well: nothing failed since the last success.
    #[default]
    Closed,
    /// Something failed, not yet enough to start the clock.
    Failing {
        /// The first failure of the last 24 hours.
        #[serde(with = "epoch")]
        first: Millis,
        /// The last but one; `first` again while there are fewer than three.
        #[serde(with = "epoch")]
        previous: Millis,
        /// The last.
        #[serde(with = "epoch")]
        last: Millis,
        /// How many of the last 24 hours, at most [`SEVERAL`].
        failures: u8,
    },
    /// The clock of five days runs.
    Counting {
        /// The first failure of those that started the clock.
        #[serde(with = "epoch")]
        first: Millis,
        /// When the clock started, moved on by the time that does not count.
        #[serde(with = "epoch")]
        since: Millis,
        /// The last failure.
        #[serde(with = "epoch")]
        last: Millis,
    },
    /// The clock has run out.
    Open {
        /// The first failure of those that started the clock.
        #[serde(with = "epoch")]
        first: Millis,
        /// When the breaker opened.
        #[serde(with = "epoch")]
        at: Millis,
    },
}

/// A breaker opened just now: the endpoint is to be disabled and its owner told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// Since when everything fails.
    pub failing_since: Millis,
    /// The failure that opened the breaker.
    pub at: Millis,
}

impl Breaker {
    /// The breaker as it is stored (JSON): at rest where nothing is, or nothing that can be read.
    #[must_use]
    pub fn read(stored: Option<&str>) -> Self {
        stored
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// The breaker after an attempt that failed at `at`, and whether it opened with it. A state that equals the one
    /// before need not be stored.
    #[must_use]
    pub fn on_failure(self, at: Millis) -> (Self, Option<Tripped>) {
        match self {
            Self::Closed => (Self::first(at), None),
            Self::Failing { last, .. } | Self::Counting { last, .. } if at.since(last) < -QUIET => {
                (Self::first(at), None)
            }
            Self::Failing { last, .. } | Self::Counting { last, .. } if at.since(last) < BURST => {
                (self, None)
            }
            Self::Failing {
                first,
                previous,
                last,
                failures,
            } => (Self::watch((first, previous, last, failures), at), None),
            Self::Counting { first, since, last } => {
                let since = since.plus((at.since(last) - QUIET).max(0));
                if at.since(since) < LIMIT {
                    return (
                        Self::Counting {
                            first,
                            since,
                            last: at,
                        },
                        None,
                    );
                }
                let tripped = Tripped {
                    failing_since: first,
                    at,
                };
                (Self::Open { first, at }, Some(tripped))
            }
            Self::Open { .. } => (self, None),
        }
    }

    /// The breaker after a success.
    #[must_use]
    pub const fn on_success(self) -> Self {
        Self::Closed
    }

    /// Since when everything fails; `None` while all is well.
    #[must_use]
    pub const fn failing_since(&self) -> Option<Millis> {
        match self {
            Self::Closed => None,
            Self::Failing { first, .. } | Self::Counting { first, .. } | Self::Open { first, .. } => {
                Some(*first)
            }
        }
    }

    /// When the breaker opens if everything goes on failing; `None` unless the clock runs.
    #[must_use]
    pub const fn opens_at(&self) -> Option<Millis> {
        match self {
            Self::Counting { since, .. } => Some(since.plus(LIMIT)),
            _ => None,
        }
    }

    /// Whether it has opened.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    const fn first(at: Millis) -> Self {
        Self::Failing {
            first: at,
            previous: at,
            last: at,
            failures: 1,
        }
    }

    /// One more failure before the clock runs. Three instants and a count are exactly enough for a window that
    /// slides: when its first failure leaves it without having started the clock, then those in the following twelve
    /// hours were the last ones, and of these the last two decide.
    fn watch((first, previous, last, failures): (Millis, Millis, Millis, u8), at: Millis) -> Self {
        let in_window = |failure: Millis| at.since(failure) <= WINDOW;
        let (first, failures) = if in_window(first) {
            (first, failures.saturating_add(1).min(SEVERAL))
        } else if failures >= SEVERAL && in_window(previous) {
            (previous, SEVERAL)
        } else if failures > 1 && in_window(last) {
            (last, 2)
        } else {
            return Self::first(at);
        };
        if failures >= SEVERAL && at.since(first) >= SPREAD {
            return Self::Counting {
                first,
                since: at,
                last: at,
            };
        }
        Self::Failing {
            first,
            previous: last,
            last: at,
            failures,
        }
    }
}

/// Instants as epoch milliseconds: shorter than text, and what the column is for is read by programs only.
mod epoch {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Millis;

    pub(super) fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        i64::deserialize(deserializer).map(Millis)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::webhook::{Delivery, Jitter, Outcome};

    const START: Millis = Millis(1_773_153_000_000);
    const HOUR: i64 = Millis::HOUR;
    const DAY: i64 = Millis::DAY;

    /// What happens to an endpoint, step by step.
    #[derive(Default)]
    struct Run {
        breaker: Breaker,
        tripped: Option<Tripped>,
    }

    impl Run {
        fn fail(&mut self, at: i64) {
            let (breaker, tripped) = self.breaker.on_failure(START.plus(at));
            assert!(tripped.is_none() || self.tripped.is_none(), "opens once");
            assert_eq!(tripped.is_some(), breaker.is_open() && !self.breaker.is_open());
            self.breaker = stored(breaker);
            self.tripped = self.tripped.or(tripped);
        }

        fn fail_at(&mut self, all: &[i64]) -> &mut Self {
            all.iter().for_each(|at| self.fail(*at));
            self
        }

        fn opened(&self) -> Option<i64> {
            self.tripped.map(|tripped| tripped.at.since(START))
        }
    }

    /// The breaker, written to a column and read again.
    fn stored(breaker: Breaker) -> Breaker {
        let text = serde_json::to_string(&breaker).unwrap();
        assert!(text.len() <= 120, "{text}");
        let read: Breaker = serde_json::from_str(&text).unwrap();
        assert_eq!(read, breaker);
        read
    }

    /// Sends a message every `every` milliseconds for `days` days and tries each by the schedule, until the breaker
    /// opens. `works` tells whether the endpoint answers at an instant (milliseconds from the start).
    fn simulate(every: i64, days: i64, works: impl Fn(i64) -> bool) -> Run {
        let mut due: std::collections::BinaryHeap<std::cmp::Reverse<(i64, u8)>> = (0..days * DAY / every)
            .map(|place| std::cmp::Reverse((place * every, 0)))
            .collect();
        let mut run = Run::default();
        while let Some(std::cmp::Reverse((at, attempts))) = due.pop() {
            if works(at) {
                run.breaker = run.breaker.on_success();
                continue;
            }
            run.fail(at);
            if run.tripped.is_some() {
                break;
            }
            let message = Delivery {
                attempts,
                ..Delivery::new(START)
            };
            let after = message.after_attempt(&Outcome::answered(500), START.plus(at), Jitter::NONE);
            due.extend(
                after
                    .due
                    .map(|due| std::cmp::Reverse((due.since(START), after.attempts))),
            );
        }
        run
    }

    #[test]
    fn an_endpoint_that_always_fails_is_given_up_after_five_days_and_a_half() {
        for every in [Millis::MINUTE, HOUR] {
            let opened = simulate(every, 8, |_| false).opened().unwrap();
            assert!(
                (12 * HOUR..12 * HOUR + HOUR).contains(&(opened - LIMIT)),
                "{opened}"
            );
        }
        // With a message a day the twelve hours end with its seventh attempt, and so do the five days.
        let run = simulate(DAY, 8, |_| false);
        assert!((17 * HOUR..18 * HOUR).contains(&(run.opened().unwrap() - LIMIT)));
        assert_eq!(run.tripped.unwrap().failing_since, START);
        assert_eq!(run.breaker.failing_since(), Some(START));
    }

    #[test]
    fn one_message_alone_gives_up_on_nobody() {
        let run = simulate(DAY, 1, |_| false);
        assert_eq!(
            run.opened(),
            None,
            "all eight attempts fail, and the clock has just begun"
        );
        assert!(matches!(run.breaker, Breaker::Counting { .. }));
    }

    #[test]
    fn an_endpoint_that_flaps_is_never_given_up() {
        for every in [Millis::MINUTE, HOUR] {
            let flaps = |at: i64| (at / HOUR) % 5 == 4;
            assert_eq!(simulate(every, 20, flaps).opened(), None);
        }
        let one_success_a_day = |at: i64| at % DAY == 0;
        assert_eq!(simulate(HOUR, 20, one_success_a_day).opened(), None);
    }

    #[test]
    fn recovery_at_day_4_9_makes_everything_good() {
        let back = 12 * HOUR + LIMIT / 50 * 49;
        let run = simulate(HOUR, 20, |at| at >= back);
        assert_eq!((run.opened(), run.breaker), (None, Breaker::Closed));
        let again = simulate(HOUR, 20, |at| (back..back + HOUR).contains(&at));
        let opened = again.opened().unwrap();
        assert!(
            opened > back + LIMIT + SPREAD,
            "the five days begin anew: {opened}"
        );
    }

    #[test]
    fn the_clock_needs_three_failures_twelve_hours_apart_within_a_day() {
        let counts = |failures: &[i64]| {
            let mut run = Run::default();
            run.fail_at(failures);
            matches!(run.breaker, Breaker::Counting { .. })
        };
        assert!(!counts(&[0, 12 * HOUR]), "two are not several");
        assert!(counts(&[0, HOUR, 12 * HOUR]));
        assert!(!counts(&[0, HOUR, 12 * HOUR - 1]));
        assert!(counts(&[0, 11 * HOUR, 24 * HOUR]));
        assert!(!counts(&[0, 11 * HOUR, 24 * HOUR + 1]), "not within a day");
        assert!(counts(&[0, 11 * HOUR, 25 * HOUR, 35 * HOUR]), "the day slides");
        assert!(
            counts(&[0, 2 * HOUR, 3 * HOUR, 25 * HOUR]),
            "after a gap the last two and the new one"
        );
        assert!(
            !counts(&[0, 30_000, 12 * HOUR]),
            "what is less than a minute apart is one failure"
        );
        assert!(!counts(&[0, 25 * HOUR, 50 * HOUR, 75 * HOUR]));
        let mut run = Run::default();
        run.fail_at(&[0, 2 * HOUR, 3 * HOUR, 25 * HOUR]);
        assert_eq!(run.breaker.failing_since(), Some(START.plus(2 * HOUR)));
    }

    #[test]
    fn the_clock_runs_for_exactly_five_days() {
        let started: Vec<i64> = (0..=12).map(|hour| hour * HOUR).collect();
        for (last, opens) in [(LIMIT - 1, false), (LIMIT, true)] {
            let mut run = Run::default();
            run.fail_at(&started);
            assert_eq!(run.breaker.opens_at(), Some(START.plus(12 * HOUR + LIMIT)));
            let daily: Vec<i64> = (1..5).map(|day| 12 * HOUR + day * DAY).collect();
            run.fail_at(&daily).fail(12 * HOUR + last);
            assert_eq!(run.tripped.is_some(), opens);
        }
    }

    #[test]
    fn quiet_time_counts_for_a_day_at_most() {
        let mut run = Run::default();
        run.fail_at(&[0, 6 * HOUR, 12 * HOUR]);
        run.fail(12 * HOUR + 40 * DAY);
        assert_eq!(
            run.opened(),
            None,
            "nobody knows what the endpoint was doing meanwhile"
        );
        assert_eq!(run.breaker.opens_at(), Some(START.plus(12 * HOUR + 44 * DAY)));
        run.fail(12 * HOUR + 41 * DAY);
        run.fail(12 * HOUR + 42 * DAY);
        run.fail(12 * HOUR + 43 * DAY);
        assert_eq!(run.opened(), None);
        run.fail(12 * HOUR + 44 * DAY);
        assert_eq!(run.opened(), Some(12 * HOUR + 44 * DAY));
    }

    #[test]
    fn bursts_change_nothing() {
        let (breaker, _) = Breaker::Closed.on_failure(START);
        for ms in 0..BURST {
            assert_eq!(breaker.on_failure(START.plus(ms)), (breaker, None));
        }
        assert_ne!(breaker.on_failure(START.plus(BURST)).0, breaker);
        for ms in [1, HOUR, QUIET] {
            assert_eq!(
                breaker.on_failure(START.plus(-ms)),
                (breaker, None),
                "the clock was set back"
            );
        }
    }

    #[test]
    fn one_that_is_open_stays_so_until_a_success() {
        let run = simulate(HOUR, 8, |_| false);
        let opened = run.breaker;
        assert!(opened.is_open());
        assert_eq!(
            opened.on_failure(START.plus(30 * DAY)),
            (opened, None),
            "its owner is told once"
        );
        assert_eq!(opened.on_success(), Breaker::Closed);
    }

    /// Hourly failures on a clock that `shows` something else than the time that passes.
    fn opened_by(shows: impl Fn(i64) -> i64) -> Option<i64> {
        let mut run = Run::default();
        (0..24 * 20).map(|hour| hour * HOUR).find(|at| {
            run.fail(shows(*at));
            run.tripped.is_some()
        })
    }

    #[test]
    fn a_clock_that_jumps_an_hour_moves_the_end_by_an_hour_at_most() {
        let straight = opened_by(|at| at).unwrap();
        for jump in [-HOUR, HOUR] {
            for when in (0..24 * 6).map(|hour| hour * HOUR) {
                let opened = opened_by(|at| if at >= when { at + jump } else { at }).unwrap();
                assert!((opened - straight).abs() <= HOUR, "{jump} at {when}: {opened}");
            }
        }
    }

    #[test]
    fn a_clock_that_swings_to_and_fro_adds_nothing() {
        let straight = opened_by(|at| at).unwrap();
        let swung = opened_by(|at| {
            if (at / HOUR) % 2 == 0 {
                at + HOUR
            } else {
                at - HOUR
            }
        })
        .unwrap();
        assert!((swung - straight).abs() <= 2 * HOUR, "{swung}");
    }

    #[test]
    fn a_clock_set_far_wrong_and_back_begins_anew() {
        let mut run = Run::default();
        run.fail_at(&[0, 6 * HOUR, 12 * HOUR, 12 * HOUR + 3_650 * DAY]);
        assert_eq!(run.opened(), None);
        run.fail(13 * HOUR);
        assert_eq!(run.breaker.failing_since(), Some(START.plus(13 * HOUR)));
        let later: Vec<i64> = (13..13 + 12 + 24 * 5).map(|hour| hour * HOUR).collect();
        assert_eq!(run.fail_at(&later).opened(), None);
        run.fail((13 + 12 + 24 * 5) * HOUR);
        assert!(run.tripped.is_some());
    }

    /// The rules once more, without economy: every failure that counts is remembered. Only for clocks that run
    /// forwards.
    #[derive(Default)]
    struct Naive {
        failures: Vec<i64>,
        clock: Option<(i64, i64)>,
        open: bool,
    }

    impl Naive {
        fn fail(&mut self, at: i64) -> bool {
            let burst = self.failures.last().is_some_and(|last| at - last < BURST);
            if self.open || burst {
                return false;
            }
            let quiet = self.failures.last().map_or(0, |last| at - last);
            self.failures.push(at);
            match &mut self.clock {
                Some((_, counted)) => {
                    *counted += quiet.min(QUIET);
                    self.open = *counted >= LIMIT;
                }
                None => {
                    let window: Vec<i64> = self
                        .failures
                        .iter()
                        .copied()
                        .filter(|failure| at - failure <= WINDOW)
                        .collect();
                    if window.len() >= usize::from(SEVERAL) && at - window[0] >= SPREAD {
                        self.clock = Some((at, 0));
                    }
                }
            }
            self.open
        }
    }

    /// Pauses between attempts: bursts, minutes, hours, days.
    fn gaps() -> impl Strategy<Value = i64> {
        prop_oneof![
            2 => 0..2 * BURST,
            3 => 0..3 * HOUR,
            6 => 0..14 * HOUR,
            3 => 0..60 * HOUR,
            1 => proptest::sample::select(vec![0, BURST, SPREAD, WINDOW, SPREAD - 1, WINDOW + 1, QUIET + 1]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Three instants decide as the whole history does.
        #[test]
        fn the_small_state_is_exact(steps in proptest::collection::vec((gaps(), 0_u8..100), 1..120), works in 0_u8..8) {
            let (mut run, mut naive, mut at) = (Run::default(), Naive::default(), 0);
            for (gap, dice) in steps {
                at += gap;
                if dice < works {
                    (run.breaker, naive) = (run.breaker.on_success(), Naive::default());
                    run.tripped = None;
                    continue;
                }
                run.fail(at);
                naive.fail(at);
                prop_assert_eq!(run.breaker.is_open(), naive.open);
                let counting = matches!(run.breaker, Breaker::Counting { .. });
                prop_assert_eq!(counting, naive.clock.is_some() && !naive.open);
                if let (Some(opens), Some((_, counted))) = (run.breaker.opens_at(), naive.clock) {
                    let last = naive.failures.last().copied().unwrap_or_default();
                    prop_assert_eq!(opens.since(START), last + LIMIT - counted);
                }
            }
        }

        /// Whatever a clock shows: no panic, and never open before the clock was started and went on for five days.
        #[test]
        fn no_clock_opens_it_early(readings in proptest::collection::vec(any::<i64>(), 0..12)) {
            let mut breaker = Breaker::Closed;
            for (place, at) in readings.into_iter().enumerate() {
                breaker = breaker.on_failure(Millis(at)).0;
                // Three to start the clock, and five days of at most one a failure.
                prop_assert!(place >= 7 || !breaker.is_open());
                let _ = (breaker.opens_at(), breaker.failing_since());
            }
        }

        /// A single jump of any size, whenever it comes, shortens the five days by its size and by a day at most.
        #[test]
        fn a_jump_alone_never_opens_it(when in 0_i64..140, jump in prop_oneof![-2 * HOUR..2 * HOUR, -400 * DAY..400 * DAY]) {
            let straight = opened_by(|at| at).unwrap_or_default();
            let opened = opened_by(|at| if at >= when * HOUR { at + jump } else { at }).unwrap_or(i64::MAX);
            prop_assert!(opened >= straight - jump.clamp(0, QUIET));
        }
    }
}
