//! The text index: a follower of the event log that answers searches in messages, transcripts and summaries.
//!
//! The index is a cache. Everything in it comes from the database and can be deleted at any time: the next start
//! builds it anew. One folder holds the items of all teams of a node; every term begins with its team, so that a
//! look-up can only ever meet that team's documents.
//!
//! [`SearchIndex::open`] returns two halves. The [`Follower`] reads the event log and writes the index, as one task;
//! how far it has read each team's log is part of every commit, so index and cursor cannot disagree. The
//! [`SearchIndex`] answers queries, and before it does it waits, briefly, until the follower has applied what was
//! committed before the search began: what a client just wrote, it finds.
//!
//! The order of an answer is a function of the data alone: it does not depend on how the index happens to be cut
//! into segments, on documents that were replaced but not yet cleaned out, or on other teams. So every node, and
//! an index that was built anew, gives the same answer, and pages fit together.

mod cursors;
mod directory;
mod error;
mod evaluate;
mod folder;
mod follower;
mod index;
mod merging;
pub mod people;
mod query;
mod reading;
mod schema;
mod snapshot;
mod terms;
mod writing;

pub use error::SearchError;
pub use follower::Follower;
pub use index::{Progress, SearchIndex, SearchOptions};
pub use query::{Hit, TextFilter, TextHits, TextOrder, TextQuery, TextStart};
