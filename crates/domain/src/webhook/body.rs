//! What is posted to an endpoint.

use serde::Serialize;

use crate::Millis;
use crate::events::Topic;

/// The version that every body names.
pub const VERSION: &str = "2.0";

/// The body of a delivery. Written once, when an event is fanned out: the bytes that are signed are the bytes that
/// are sent, on every attempt and every replay.
#[derive(Clone, Debug, Serialize)]
pub struct Body<D> {
    /// What happened.
    pub topic: Topic,
    /// Always [`VERSION`].
    pub version: &'static str,
    /// When it happened.
    pub timestamp: Millis,
    /// The payload of the topic; a `RawValue` where it is already written.
    pub data: D,
}

impl<D: Serialize> Body<D> {
    /// The body that tells of `data`, which happened at `timestamp`.
    #[must_use]
    pub const fn new(topic: Topic, timestamp: Millis, data: D) -> Self {
        Self {
            topic,
            version: VERSION,
            timestamp,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn fields_come_in_the_published_order() {
        let data = RawValue::from_string(r#"{"b":1,"a":2.50}"#.to_owned()).unwrap();
        let body = Body::new(Topic::CallReceived, Millis(1_742_049_000_000), data);
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"topic":"call.received","version":"2.0","timestamp":"2025-03-15T14:30:00.000Z","data":{"b":1,"a":2.50}}"#
        );
    }
}
