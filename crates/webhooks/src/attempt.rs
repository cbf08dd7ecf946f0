//! One attempt, and the list of a message's attempts as it is stored.

use serde::{Deserialize, Serialize};
use trunkline_domain::Millis;
use trunkline_domain::webhook::schedule::{AttemptError, Outcome};

/// The attempts of a message that are kept: enough for a whole round and a replay.
const KEPT: usize = 20;

/// An attempt as it is stored, and shown to the endpoint's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Millis,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub ms: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<AttemptError>,
    /// The first kilobyte of the answer.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reply: String,
}

impl Attempt {
    /// What is stored of an attempt that began at `at` and took `ms`.
    #[must_use]
    pub fn new(at: Millis, ms: i64, outcome: &Outcome, reply: String) -> Self {
        Self {
            at,
            status: outcome.status(),
            ms,
            error: outcome.error(),
            reply,
        }
    }
}

/// Reads the stored list; one that cannot be read is taken for empty.
#[must_use]
pub fn read(stored: Option<&str>) -> Vec<Attempt> {
    stored
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The stored list with one more attempt.
#[must_use]
pub fn append(stored: Option<&str>, attempt: Attempt) -> String {
    let mut all = read(stored);
    if all.len() >= KEPT {
        all.drain(..=all.len() - KEPT);
    }
    all.push(attempt);
    // Texts, numbers and nothing else: it can be written.
    serde_json::to_string(&all).unwrap_or_default()
}

/// The stored list without what the receiver answered.
#[must_use]
pub fn without_replies(stored: &str) -> String {
    let mut all = read(Some(stored));
    all.iter_mut().for_each(|attempt| attempt.reply.clear());
    serde_json::to_string(&all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_attempts_are_kept() {
        let mut stored = None;
        for n in 0..50 {
            let attempt = Attempt::new(Millis(n), 1, &Outcome::answered(500), "no \u{1F600}".into());
            stored = Some(append(stored.as_deref(), attempt));
        }
        let all = read(stored.as_deref());
        assert_eq!(
            (all.len(), all[0].at, all[KEPT - 1].at),
            (KEPT, Millis(30), Millis(49))
        );
        assert_eq!(all[0].error, Some(AttemptError::Status));
        assert!(read(Some("nonsense")).is_empty());
    }
}
