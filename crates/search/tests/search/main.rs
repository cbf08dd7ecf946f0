//! The index against a database: what it finds, in which order, and what it survives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod finding;
mod oracle;
mod people;
mod purging;
mod random;
mod recovery;
mod world;
