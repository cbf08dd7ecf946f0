//! What the dispatcher is told by the tasks it starts.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use trunkline_domain::Millis;
use trunkline_store::webhook_messages::MessageRow;
use trunkline_store::webhooks::NextDue;
use trunkline_store::{StoreError, TeamKey};

use super::sending::{CannotOpen, Tried};
use crate::fanout::FanOut;
use crate::lane::{Claimed, Key};
use crate::recording::Batch;
use crate::target::Target;

/// A report.
pub(super) enum Note {
    /// The teams that have events to be fanned out, with their last event.
    Ahead(Result<Vec<(TeamKey, i64)>, StoreError>),
    /// A batch was stored; on SQLite its commit may still be under way.
    Stored(TeamKey, Millis, Box<FanOut>),
    /// The commit of a batch is over. Tells whether there are more events.
    FannedOut(TeamKey, Result<bool, StoreError>),
    /// The end of the lease, the count of erasures before, what was asked for each endpoint, and what was got.
    Claimed(
        TeamKey,
        (Millis, u64),
        Vec<(i64, usize)>,
        Result<Vec<(i64, Vec<MessageRow>)>, StoreError>,
    ),
    Opened(Key, Result<Option<Target>, CannotOpen>),
    Tried(Key, Box<Claimed>, Box<Tried>),
    Recorded(TeamKey, Arc<Batch>, Result<Vec<i64>, StoreError>),
    /// Which look it was, and what was seen.
    Due(u64, Result<Vec<NextDue>, StoreError>),
    Flush(TeamKey),
    /// By how many milliseconds retries have still to be brought forward.
    ChoresDone(i64),
    Done,
}

/// A report that is sent when this is dropped: also when the task that owes it panics, so that nothing is waited for in
/// vain.
pub(super) struct Owed {
    notes: UnboundedSender<Note>,
    note: Option<Note>,
}

impl Owed {
    /// Owes at least `fault`.
    pub(super) const fn new(notes: UnboundedSender<Note>, fault: Note) -> Self {
        Self {
            notes,
            note: Some(fault),
        }
    }

    /// Sends what the task has to say instead.
    pub(super) fn pay(&mut self, note: Note) {
        self.note = None;
        drop(self.notes.send(note));
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(note) = self.note.take() {
            drop(self.notes.send(note));
        }
    }
}
