//! Tests of the worker that hands texts to carriers, over a real database of either engine.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bucket;
mod handing_over;
mod leases;
mod twilio;
