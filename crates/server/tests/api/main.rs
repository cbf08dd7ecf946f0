//! The HTTP API as clients see it: every test speaks HTTP to a real server, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod actions;
mod codes;
mod conversations;
mod description;
mod document;
mod event_stream;
mod fields;
mod idempotency;
mod ignored;
mod limits;
mod lists;
mod logs;
mod me;
mod notes;
mod operations;
mod people;
mod sandbox;
mod search;
mod search_rules;
mod search_world;
mod shapes;
mod summaries;
mod support;
mod surroundings;
mod tags;
mod tenants;
mod threads;
mod twilio;
mod walk_bodies;
mod walk_keys;
mod walk_paths;
mod webhook_deliveries;
mod webhook_secrets;
mod webhooks;
