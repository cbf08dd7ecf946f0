//! What can go wrong in the store.

/// An error of the store. What a caller may do about it is told by [`StoreError::is_retryable`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The queue of writes (or of PostgreSQL work) is full: the caller should come back in a moment.
    #[error("the store has more work than it can take just now")]
    Busy,
    /// The database cannot be used just now (full disk, failing device, locked file or row, server gone).
    #[error("the database is not available: {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the engine said.
        #[source]
        source: EngineError,
    },
    /// A row with this key exists already.
    #[error("a row with this key exists already ({constraint})")]
    Duplicate {
        /// The constraint, as the engine names it.
        constraint: String,
    },
    /// A column holds what no version of the program wrote there.
    #[error("column {column}: {problem}")]
    Column {
        /// Zero-based position in the row.
        column: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A read or a unit of work panicked; the unit was rolled back.
    #[error("work on the database panicked")]
    Panicked,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A secret cannot be opened: the key is another one than it was sealed with.
    #[error("a stored secret cannot be opened with the configured key")]
    Sealed,
    /// Any other failure of the engine.
    #[error("the database failed: {0}")]
    Engine(#[source] EngineError),
}

/// What an engine said.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// SQLite.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL, with the server's message where there is one.
    #[error("PostgreSQL: {}", postgres_message(.0))]
    Postgres(#[from] postgres::Error),
    /// A failure remembered from an earlier attempt.
    #[error("{0}")]
    Earlier(String),
}

fn postgres_message(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || {
            let source = std::error::Error::source(error).map(|source| format!(": {source}"));
            format!("{error}{}", source.unwrap_or_default())
        },
        |db| format!("{} ({})", db.message(), db.code().code()),
    )
}

impl StoreError {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable { .. } | Self::Closed)
    }

    /// Whether PostgreSQL asks to run the transaction again (SQLSTATE 40001, 40P01).
    pub(crate) fn is_serialization_failure(&self) -> bool {
        use postgres::error::SqlState;
        matches!(self, Self::Unavailable { source: EngineError::Postgres(error), .. }
            if matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match &error {
            rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
                Code::ConstraintViolation
                    if matches!(
                        failure.extended_code,
                        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    ) =>
                {
                    Self::Duplicate {
                        constraint: message.clone().unwrap_or_default(),
                    }
                }
                Code::DatabaseBusy | Code::DatabaseLocked => Self::Unavailable {
                    doing: "another process holds the database",
                    source: error.into(),
                },
                Code::DiskFull => Self::Unavailable {
                    doing: "the disk is full",
                    source: error.into(),
                },
                Code::SystemIoFailure => Self::Unavailable {
                    doing: "the disk failed",
                    source: error.into(),
                },
                Code::CannotOpen => Self::Unavailable {
                    doing: "opening the database file",
                    source: error.into(),
                },
                Code::ReadOnly => Self::Unavailable {
                    doing: "the database is read-only",
                    source: error.into(),
                },
                _ => Self::Engine(error.into()),
            },
            _ => Self::Engine(error.into()),
        }
    }
}

/// Whether the connection is gone, or goes with this error.
pub(crate) fn ends_connection(error: &postgres::Error) -> bool {
    use postgres::error::SqlState as State;
    let ends = [
        State::ADMIN_SHUTDOWN,
        State::CRASH_SHUTDOWN,
        State::CANNOT_CONNECT_NOW,
    ];
    error.is_closed()
        || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
        || error.code().is_some_and(|code| ends.contains(code))
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState;
        if let Some(db) = error.as_db_error() {
            if db.code() == &SqlState::UNIQUE_VIOLATION {
                return Self::Duplicate {
                    constraint: db.constraint().unwrap_or_default().to_owned(),
                };
            }
            let class = &db.code().code()[..2];
            // 53: insufficient resources, 57: operator intervention, 58: system error.
            if matches!(class, "53" | "57" | "58") || db.code() == &SqlState::READ_ONLY_SQL_TRANSACTION {
                return Self::Unavailable {
                    doing: "the server refuses work",
                    source: error.into(),
                };
            }
            if class == "40" {
                return Self::Unavailable {
                    doing: "transactions are in each other's way",
                    source: error.into(),
                };
            }
            if db.code() == &SqlState::LOCK_NOT_AVAILABLE {
                return Self::Unavailable {
                    doing: "another transaction holds the row",
                    source: error.into(),
                };
            }
            return Self::Engine(error.into());
        }
        if ends_connection(&error) {
            return Self::Unavailable {
                doing: "the connection to the server broke",
                source: error.into(),
            };
        }
        Self::Engine(error.into())
    }
}
