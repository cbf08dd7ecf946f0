//! Why a command did nothing.

use trunkline_domain::ErrorCode;
use trunkline_domain::sms::rules;
use trunkline_store::{StoreError, UnitError};

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule forbids it.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A rule that forbids something, in the words of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", .message.as_deref().unwrap_or(.code.message()))]
pub struct Refused {
    /// Its code.
    pub code: ErrorCode,
    /// The parameter or field that is to blame.
    pub param: Option<&'static str>,
    /// What is wrong, where the code's own message is too general.
    pub message: Option<String>,
    /// Whole seconds until the same command can succeed, where that is known.
    pub retry_after: Option<u64>,
}

impl Refused {
    /// A refusal with the code's own message.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            param: None,
            message: None,
            retry_after: None,
        }
    }

    /// Names the parameter or field that is to blame.
    #[must_use]
    pub fn param(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
        }
    }

    /// Says what is wrong.
    #[must_use]
    pub fn because(self, message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..self
        }
    }
}

impl From<rules::Refused> for Error {
    fn from(refused: rules::Refused) -> Self {
        Self::Refused(Refused {
            code: refused.code,
            param: refused.param,
            message: (refused.message != refused.code.message()).then(|| refused.message.into_owned()),
            retry_after: refused.retry_after,
        })
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(Refused::new(code))
    }
}

impl UnitError for Error {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}
