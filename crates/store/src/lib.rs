//! The store: what the product remembers, on SQLite or PostgreSQL.
//!
//! [`Db`] is the engine; every other module is one aggregate with its SQL beside its functions. Reading functions
//! take a [`Conn`], writing functions a [`Tx`]. A unit of work never awaits and never does network I/O; whoever
//! changes something of a team holds that team's row first ([`teams::lock`]), so that on both engines the writes of
//! one team happen one after the other.

mod engine;
#[macro_use]
mod statements;

pub mod crypto;
pub mod drilldown;

aggregates!(
    analytics,
    analytics_upkeep,
    audit,
    calls,
    companies,
    contacts,
    conversations,
    crm,
    deals,
    dialing_queues,
    directory,
    erasures,
    events,
    histories,
    idempotency,
    imports,
    installation,
    invitations,
    items,
    jobs,
    keys,
    merges,
    media,
    messages,
    nodes,
    notes,
    numbers,
    partner_accounts,
    people,
    people_changes,
    people_upkeep,
    properties,
    rezoning,
    search,
    tags,
    teams,
    templates,
    text_consents,
    text_counts,
    text_queue,
    threads,
    transfer,
    usage,
    users,
    webhook_messages,
    webhooks
);

pub use engine::{
    Column, Conn, Db, DbOptions, EngineError, FromColumn, Json, Location, MigrateError, PostgresOptions, Row,
    Schema, Scrubbed, SqliteOptions, Steps, StoreError, Tx, UnitError, Value, schema_version,
};
pub use statements::Statement;

/// The internal key of a team: it leads every primary key and every index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamKey(pub i64);

impl From<TeamKey> for Value<'_> {
    fn from(team: TeamKey) -> Self {
        Self::Int(team.0)
    }
}

impl FromColumn for TeamKey {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        i64::from_column(column).map(Self)
    }
}
