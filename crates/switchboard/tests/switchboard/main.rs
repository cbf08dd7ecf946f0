//! The use cases on both engines: what each command leaves in the rows and tells in the events, what it refuses, and
//! that all of it stays true under concurrent writes, repeats, crashes and late sweeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod call_rules;
mod calls;
mod concurrent;
mod contacts;
mod conversations;
mod counting;
mod dialing;
mod erasing;
mod imports;
mod lives;
mod messages;
mod notes;
mod summaries;
mod support;
mod sweeping;
mod tags;
mod webhooks;
