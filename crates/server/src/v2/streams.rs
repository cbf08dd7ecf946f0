//! Answers that go on for long: how many a key may have open, and what ends them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use parking_lot::Mutex;
use trunkline_domain::error_code::Surface;
use trunkline_domain::{ApiKeyId, ErrorCode};

use crate::AppState;
use crate::http::auth::Access;
use crate::http::error::ApiError;

/// How often the key of an open stream is looked at again: with what the key is remembered for on other nodes, a key that
/// opens nothing any more ends its streams within 15 seconds.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Counts the streams of a kind that are open, by key.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<HashMap<ApiKeyId, usize>>>,
    kind: &'static Kind,
}

struct Kind {
    /// The most that are open with one key.
    limit: usize,
    /// What they are, in a refusal.
    name: &'static str,
    suggestion: &'static str,
    /// The gauge that counts them.
    gauge: &'static str,
}

const EVENTS: Kind = Kind {
    limit: 20,
    name: "streams of events",
    suggestion: "Close one of them, or share one stream between those who listen.",
    gauge: "trunkline_event_streams",
};

const EXPORTS: Kind = Kind {
    limit: 5,
    name: "exports",
    suggestion: "Wait until one of them has come to its end.",
    gauge: "trunkline_exports",
};

/// An open stream's place in the count.
pub struct Place {
    all: Streams,
    key: ApiKeyId,
}

impl Streams {
    /// Live feeds.
    #[must_use]
    pub fn of_events() -> Self {
        Self::new(&EVENTS)
    }

    /// Exports.
    #[must_use]
    pub fn of_exports() -> Self {
        Self::new(&EXPORTS)
    }

    fn new(kind: &'static Kind) -> Self {
        Self {
            open: Arc::default(),
            kind,
        }
    }

    /// Counts one more stream of the key until the place is dropped.
    pub(super) fn open(&self, key: ApiKeyId) -> Result<Place, ApiError> {
        let Kind {
            limit,
            name,
            suggestion,
            gauge,
        } = *self.kind;
        let mut open = self.open.lock();
        let count = open.entry(key).or_default();
        if *count >= limit {
            return Err(ApiError {
                retry_after: Some(5),
                ..ApiError::new(ErrorCode::RateLimitExceeded)
                    .message(format!("this key has {limit} {name} open"))
                    .suggestion(suggestion)
            });
        }
        *count += 1;
        metrics::gauge!(gauge).increment(1);
        Ok(Place {
            all: self.clone(),
            key,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.all.open.lock();
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
        metrics::gauge!(self.all.kind.gauge).decrement(1.0);
    }
}

/// Returns when the key does not open this endpoint any more.
pub(super) async fn refused(state: &AppState, headers: &HeaderMap, access: &Access) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = state.board.now();
        match state.keys.identify(state.board.db(), headers, now).await {
            Ok(owner) if access.check(&owner, state, Surface::V2).is_ok() => {}
            Err(error) if error.code.retryable() => {}
            _ => return,
        }
    }
}
