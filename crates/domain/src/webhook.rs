//! The rules of webhooks as plain data: what can be subscribed to, when a delivery is tried again, when an endpoint
//! is given up on, and what the topics look like.
//!
//! Nothing here sends anything. The engine hands in what happened and when, and is told what follows.

pub mod body;
pub mod breaker;
pub mod health;
pub mod samples;
pub mod schedule;
pub mod topic;

pub use body::Body;
pub use breaker::{Breaker, Tripped};
pub use health::Health;
pub use schedule::{AttemptError, Delivery, Jitter, Outcome, Verdict, after_attempt};
pub use topic::{Origin, TopicInfo};
