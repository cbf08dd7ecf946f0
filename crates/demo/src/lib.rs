//! Data to try the product with: a demo team with ninety days of calls and texts ([`build`]), live traffic for it
//! ([`traffic`]), and items in bulk for load tests ([`seed`]).
//!
//! Everything is invented, and every number is one that nobody can have. The demo's history goes through the
//! commands of the switchboard, one item after the other and with the clock set back, so that rows and events are
//! what the product itself would have written at the time.

pub mod corpus;
mod history;
mod hours;
mod numbers;
mod seed;
mod team;
mod traffic;
mod world;

pub use seed::{SeedOptions, SeedReport, seed};
pub use team::{BuildOptions, build};
pub use traffic::traffic;
pub use world::{World, WorldContact, WorldLine, WorldUser, find};
