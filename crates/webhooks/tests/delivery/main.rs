//! The dispatcher on both engines, against receivers on this machine: good ones, slow ones and hostile ones; with a clock
//! that the test moves, databases that refuse work, and nodes that come and go.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod basics;
mod clocks;
mod fairness;
mod hostile;
mod nodes;
mod refusals;
mod schedule;
mod support;
mod switching;
mod tls;
