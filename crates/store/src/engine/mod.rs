//! The engine: SQLite or PostgreSQL behind one small [`Db`].

mod conn;
mod db;
mod error;
mod migrate;
mod pg;
mod sqlite;
mod steps;
mod unit;
mod value;

pub use conn::{Conn, Tx};
pub use db::{Db, DbOptions, Location};
pub use error::{EngineError, StoreError};
pub use migrate::{MigrateError, Schema, schema_version};
pub use pg::PostgresOptions;
pub use sqlite::{Scrubbed, SqliteOptions};
pub use steps::Steps;
pub use unit::UnitError;
pub use value::{Column, FromColumn, Json, Row, Value};
