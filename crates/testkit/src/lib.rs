//! What the tests share.

pub mod app;
pub mod catcher;
pub mod db;
pub mod postgres;
