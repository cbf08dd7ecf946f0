//! The use cases: each a transaction over the store by the rules of the domain. The one place where something
//! *happens*.
//!
//! A command is a function over [`Work`], a transaction that holds the team's row. It changes rows and appends the
//! events that tell of it; both are committed together or not at all. A command never awaits and never does network
//! I/O, and it may be run again when the engine asks for it.

pub mod accounts;
pub mod audit;
pub mod calls;
pub mod companies;
mod consent;
pub mod conversations;
pub mod counting;
pub mod deals;
pub mod dialer;
pub mod erasure;
mod error;
pub mod import;
pub mod invitations;
pub mod keys;
pub mod lines;
pub mod media;
pub mod members;
pub mod messages;
pub mod notes;
pub mod partners;
pub mod people;
pub mod people_file;
pub mod people_import;
pub mod properties;
pub mod summaries;
pub mod sweeper;
pub mod tags;
pub mod templates;
pub mod texts;
pub mod threads;
pub mod webhooks;
mod work;

pub use error::{Error, Refused};
pub use work::{Actor, Switchboard, Work};
