//! What can go wrong in the index.

use std::path::{Path, PathBuf};

use trunkline_store::StoreError;

/// An error of the index.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index is being built; searches are answered when it is done.
    #[error("the text index is being built: {done} of {total} items are in")]
    Rebuilding {
        /// Items that are in.
        done: u64,
        /// Items there are.
        total: u64,
    },
    /// Another process works with the folder.
    #[error("the folder of the text index is in use by another process: {}", .dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder cannot be used.
    #[error("the folder of the text index cannot be used: {doing} {}", .path.display())]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The index itself failed.
    #[error("the text index failed: {doing}")]
    Index {
        /// What was being done.
        doing: &'static str,
        /// What the library said.
        #[source]
        source: tantivy::TantivyError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A page by relevance cannot begin behind an instant: see [`crate::TextStart::Behind`].
    #[error("a page by relevance begins at an offset, not behind an instant")]
    NoInstantInRelevance,
    /// Work on another thread panicked; the panic is in the log.
    #[error("a thread of the text index panicked")]
    Panicked,
}

impl SearchError {
    pub(crate) fn folder(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Folder {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn index<E: Into<tantivy::TantivyError>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Index {
            doing,
            source: source.into(),
        }
    }
}
