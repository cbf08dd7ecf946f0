//! Webhook delivery: a follower of the event log that fans events out to endpoints, signs, sends, and tries again.
//!
//! What must be true is in the database: one message for each endpoint and event, claimed by lease, so that any
//! number of nodes may deliver and a crash gives back what was claimed. What is in memory ([`Dispatcher`]) is a queue
//! for each endpoint, bounded in length, and each endpoint has its own share of what is sent at a time, so that one
//! that is slow or dead holds up nobody else.

pub mod address;
pub mod attempt;
mod chores;
mod client;
mod clock_watch;
mod dispatcher;
mod fanout;
mod lane;
pub mod mail;
mod recording;
pub mod resolver;
pub mod signature;
mod target;

pub use chores::prune;
pub use client::{Client, ClientError, ClientOptions, Got, KEEP_LIMIT, Reply};
pub use dispatcher::{Dispatcher, Options};
pub use fanout::body;
pub use target::{Target, TargetError};
