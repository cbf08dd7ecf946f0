//! What the operator does at the command line.

pub mod accounts;
pub mod doctor;
pub mod import;
pub mod listen;
mod listen_stream;
mod lists;
pub mod maintenance;
pub mod partners;
pub mod transfer;
pub mod trigger;
pub mod webhooks;
