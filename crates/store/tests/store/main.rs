//! The store on both engines: what is promised of a write, of the event log, of totals and pages, and of what an
//! operator reads when the database cannot be used.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commit;
mod events;
mod jobs;
mod postgres_only;
mod pressure;
mod processes;
mod schema;
mod search;
mod startup;
mod steps;
mod support;
mod webhooks;
