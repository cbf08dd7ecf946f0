//! What the tests share.

pub mod api;
pub mod load;
pub mod program;
pub mod python;
pub mod shim;
pub mod storage;
pub mod truth;
pub mod twilio;

use std::time::{Duration, Instant};

/// The time, for deadlines and figures of the tests themselves.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of a running program live in real time"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// How long ago that was.
pub fn since(start: Instant) -> Duration {
    now().duration_since(start)
}

/// A figure for whoever reads the output of the test.
#[expect(clippy::print_stderr, reason = "figures are part of what these tests are for")]
pub fn tell(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Asks again and again, for at most `limit`, until there is an answer.
///
/// Panics with `what` when there is none in time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let start = now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(since(start) < limit, "not within {} s: {what}", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Random numbers that a seed repeats (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    /// A duration of at least `from` and less than `to` milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}
