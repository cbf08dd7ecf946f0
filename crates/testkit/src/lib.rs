//! What the tests share.

#[cfg(feature = "server")]
pub mod app;
pub mod catcher;
pub mod db;
pub mod http;
pub mod postgres;
