//! What `/metrics` tells of requests.

use axum::http::StatusCode;
use metrics::{Counter, Histogram};

/// Meters that are looked up once: each look-up builds and hashes a name with its labels.
pub struct Meters {
    fine: Counter,
    seconds: Histogram,
}

impl Default for Meters {
    /// The recorder must be installed before; what is made without one measures nothing.
    fn default() -> Self {
        Self {
            fine: requests(StatusCode::OK),
            seconds: metrics::histogram!("trunkline_http_request_seconds"),
        }
    }
}

impl Meters {
    /// Counts an answer that took `ms` milliseconds.
    pub fn answered(&self, status: StatusCode, ms: i64) {
        if status == StatusCode::OK {
            self.fine.increment(1);
        } else {
            requests(status).increment(1);
        }
        self.seconds.record(ms as f64 / 1_000.0);
    }
}

fn requests(status: StatusCode) -> Counter {
    metrics::counter!("trunkline_http_requests_total", "status" => status.as_str().to_owned())
}
