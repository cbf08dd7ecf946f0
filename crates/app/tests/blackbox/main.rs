//! The program from outside: the binary is started, spoken to over HTTP, killed, starved of its disk, and what it
//! acknowledged is looked for in its database.
//!
//! Every test has its own data folder and ends the processes it started. What loads the machine is in modules named
//! `heavy`, of which nextest runs one at a time.

mod analytics;
mod bucket;
mod characters;
mod cli;
mod disk;
mod examples;
mod hangup;
mod kill;
mod schemathesis;
mod segments;
mod soak;
mod support;
mod text_kill;
mod transfer;
mod twilio_signer;
mod webhook_judges;
mod webhook_kill;
mod webhooks;
