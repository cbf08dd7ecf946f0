//! What a clock that can be set cannot tell: how long something took, and that it was set.

use trunkline_domain::Millis;

/// A step of the clock that is more than the machine's own correction.
const JUMP_MS: i64 = 5 * Millis::SECOND;

/// Notices when the clock is set back, by a timer that knows no clock.
pub(crate) struct ClockWatch {
    wall: Millis,
    stopwatch: Stopwatch,
}

impl ClockWatch {
    /// Begins to watch a clock that shows `wall`.
    pub(crate) fn start(wall: Millis) -> Self {
        Self {
            wall,
            stopwatch: Stopwatch::start(),
        }
    }

    /// By how many milliseconds the clock was set back since this was asked last, if it was.
    pub(crate) fn step_back(&mut self, now: Millis) -> Option<i64> {
        let expected = self.wall.plus(self.stopwatch.ms());
        *self = Self::start(now);
        Some(expected.since(now)).filter(|back| *back > JUMP_MS)
    }
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a duration, which the clock that can be set cannot tell"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a duration, which the clock that can be set cannot tell"
    )]
    pub(crate) fn ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_back_is_noticed() {
        let mut watch = ClockWatch::start(Millis(1_000_000));
        assert_eq!(watch.step_back(Millis(1_001_000)), None, "a little forward");
        assert_eq!(watch.step_back(Millis(9_000_000)), None, "an hour forward");
        assert_eq!(
            watch.step_back(Millis(8_999_000)),
            None,
            "a second back is a correction"
        );
        let back = watch.step_back(Millis(5_399_000)).unwrap();
        assert!((3_600_000..3_601_000).contains(&back), "{back}");
        assert_eq!(watch.step_back(Millis(5_399_500)), None);
    }
}
