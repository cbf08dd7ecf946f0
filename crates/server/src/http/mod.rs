//! What every route shares: identity, limits, errors, input, answers, idempotency.

pub mod auth;
pub(crate) mod body;
pub mod context;
pub(crate) mod csv;
pub mod endpoint;
pub mod error;
pub mod idempotency;
pub mod input;
pub mod limits;
pub mod meters;
pub(crate) mod part;
pub mod proxies;
pub mod reply;
mod rest;
