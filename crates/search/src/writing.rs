//! The writing side of the index: documents in, commits and joined segments out.
//!
//! A writer of the library holds threads and memory. It is made when there is something to write and let go when
//! nothing has come for a while.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy, UserOperation};
use tantivy::{Index, IndexWriter};
use tokio::sync::Semaphore;

use crate::SearchError;
use crate::cursors::Payload;
use crate::folder::Folder;
use crate::merging::{Candidate, next_merge, quiet_merge};
use crate::schema::Entry;
use crate::snapshot::Snapshot;

/// Memory of a writer that follows: the least the library takes. Larger ones make every commit slower.
const FOLLOWING_BYTES: usize = 15_000_000;
/// The least and the most memory the library lets a writer have.
const BYTES: std::ops::RangeInclusive<usize> = 15_000_000..=4_000_000_000;
/// Documents on their way to the indexing thread, in KiB.
const IN_FLIGHT_KIB: u32 = 16 * 1024;

/// What a writer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A few documents now and then.
    Following,
    /// Very many at once.
    Bulk,
}

type Merge = Pin<Box<dyn Future<Output = tantivy::Result<Option<SegmentMeta>>> + Send>>;

/// The writing side.
pub(crate) struct Writing {
    folder: Arc<Folder>,
    index: Index,
    bulk_bytes: usize,
    writer: Option<(IndexWriter<Entry>, Load)>,
    merge: Option<Merge>,
    flight: Arc<Semaphore>,
    /// Documents taken in and out since the last commit.
    pub uncommitted: u64,
}

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SearchError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SearchError::Panicked)
}

impl Writing {
    pub(crate) fn new(folder: Arc<Folder>, index: Index, bulk_bytes: usize) -> Self {
        let flight = Arc::new(Semaphore::new(IN_FLIGHT_KIB as usize));
        let bulk_bytes = bulk_bytes.clamp(*BYTES.start(), *BYTES.end());
        Self {
            folder,
            index,
            bulk_bytes,
            writer: None,
            merge: None,
            flight,
            uncommitted: 0,
        }
    }

    /// Takes documents in and old ones out, in this order. Returns at once unless the indexing thread is far behind.
    pub(crate) async fn put(
        &mut self,
        load: Load,
        mut batch: Vec<UserOperation<Entry>>,
    ) -> Result<(), SearchError> {
        let size = |operation: &UserOperation<Entry>| match operation {
            UserOperation::Add(entry) => entry.size(),
            UserOperation::Delete(_) => 0,
        };
        let (bytes, operations) = (batch.iter().map(size).sum::<usize>(), batch.len() as u64);
        let kib = u32::try_from(bytes / 1024 + 1)
            .unwrap_or(u32::MAX)
            .min(IN_FLIGHT_KIB);
        if let Ok(permit) = self.flight.clone().acquire_many_owned(kib).await {
            let permit = Arc::new(permit);
            for operation in &mut batch {
                if let UserOperation::Add(entry) = operation {
                    entry.hold(permit.clone());
                }
            }
        }
        let writer = self.writer(load).await?;
        writer
            .run(batch)
            .map_err(SearchError::index("taking documents in"))?;
        self.uncommitted += operations;
        Ok(())
    }

    async fn writer(&mut self, load: Load) -> Result<&mut IndexWriter<Entry>, SearchError> {
        let misfit = self.writer.as_ref().is_some_and(|(_, present)| *present != load);
        if misfit && self.uncommitted == 0 && !self.is_merging() {
            self.rest().await?;
        }
        let (writer, load) = match self.writer.take() {
            Some(present) => present,
            None => {
                let bytes = if load == Load::Bulk {
                    self.bulk_bytes
                } else {
                    FOLLOWING_BYTES
                };
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .num_merge_threads(1)
                    .memory_budget_per_thread(bytes)
                    .build();
                let index = self.index.clone();
                let made = blocking(move || index.writer_with_options(options)).await?;
                let writer: IndexWriter<Entry> = made.map_err(SearchError::index("starting a writer"))?;
                // Segments are joined by the rule in `merging`, one join at a time, so that it is known when none runs.
                writer.set_merge_policy(Box::new(NoMergePolicy));
                (writer, load)
            }
        };
        Ok(&mut self.writer.insert((writer, load)).0)
    }

    /// Commits, and opens what was committed for reading. After an error the writer is gone, and the index is as it
    /// was at the commit before.
    pub(crate) async fn commit(
        &mut self,
        payload: &Payload,
        last: Arc<Snapshot>,
    ) -> Result<Snapshot, SearchError> {
        if self.writer.is_none() {
            self.writer(Load::Following).await?;
        }
        let Some((mut writer, load)) = self.writer.take() else {
            return Err(SearchError::Panicked);
        };
        let (payload, folder) = (payload.write(), self.folder.clone());
        let committed = blocking(move || {
            // Whatever becomes of the caller, nobody else gets the folder before the commit is over.
            let _folder = folder;
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&payload);
            prepared.commit()?;
            Ok::<_, tantivy::TantivyError>(writer)
        });
        let writer = committed.await?.map_err(SearchError::index("committing"))?;
        self.writer = Some((writer, load));
        self.uncommitted = 0;
        self.reopen(last).await
    }

    /// Opens the newest commit for reading.
    pub(crate) async fn reopen(&mut self, last: Arc<Snapshot>) -> Result<Snapshot, SearchError> {
        let index = self.index.clone();
        blocking(move || last.next(&index)).await?
    }

    /// Begins to join segments if some should be and none are being joined.
    pub(crate) fn begin_merge(&mut self, snapshot: &Snapshot, quiet: bool) {
        if self.is_merging() {
            return;
        }
        let Some((writer, _)) = &mut self.writer else {
            return;
        };
        let candidates: Vec<Candidate> = snapshot
            .segments
            .iter()
            .map(|view| Candidate {
                id: view.id,
                docs: view.alive_docs,
                replaced: view.max_doc - view.alive_docs,
            })
            .collect();
        let chosen = next_merge(&candidates).or_else(|| if quiet { quiet_merge(&candidates) } else { None });
        if let Some(ids) = chosen {
            tracing::debug!(segments = ids.len(), "joining segments of the text index");
            self.merge = Some(Box::pin(writer.merge(&ids)));
        }
    }

    /// Begins to write segments anew, as one, without what was replaced in them.
    pub(crate) async fn rewrite(&mut self, ids: &[SegmentId]) -> Result<(), SearchError> {
        let writer = self.writer(Load::Following).await?;
        let merge = writer.merge(ids);
        tracing::debug!(segments = ids.len(), "rewriting segments of the text index");
        self.merge = Some(Box::pin(merge));
        Ok(())
    }

    /// Deletes files of segments that are none of `living`. Nothing may be uncommitted, and no segments being joined.
    pub(crate) async fn tidy(&mut self, living: Vec<SegmentId>) -> Result<(), SearchError> {
        let writer = self.writer(Load::Following).await?;
        let collected = writer.garbage_collect_files().await;
        collected.map_err(SearchError::index("deleting files of old segments"))?;
        let folder = self.folder.clone();
        blocking(move || folder.keep_only(&living)).await?
    }

    /// Whether segments are being joined.
    pub(crate) fn is_merging(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let outcome = self.merge.as_mut().map(|merge| merge.as_mut().poll(&mut context));
        if let Some(Poll::Ready(outcome)) = outcome {
            self.merge_ended(outcome);
        }
        self.merge.is_some()
    }

    /// Waits until the segments that are being joined are one; for ever if there are none. May be given up and
    /// called again.
    pub(crate) async fn merged(&mut self) {
        let Some(merge) = &mut self.merge else {
            return std::future::pending().await;
        };
        let outcome = merge.await;
        self.merge_ended(outcome);
    }

    fn merge_ended(&mut self, outcome: tantivy::Result<Option<SegmentMeta>>) {
        self.merge = None;
        if let Err(error) = outcome {
            // The segments stay as they are; another commit will have them joined.
            tracing::warn!(error = %error, "segments of the text index could not be joined");
        }
    }

    /// Whether threads and memory are held.
    pub(crate) const fn is_awake(&self) -> bool {
        self.writer.is_some()
    }

    /// Lets the writer go, with what is not committed and the join that is not finished.
    pub(crate) async fn rest(&mut self) -> Result<(), SearchError> {
        self.uncommitted = 0;
        let merging = self.merge.take().is_some();
        let Some((writer, _)) = self.writer.take() else {
            return Ok(());
        };
        // Dropping a writer abandons what its threads do; without a join there is nothing to abandon, and its
        // threads are waited for.
        let ended = blocking(move || {
            if merging {
                drop(writer);
                return Ok(());
            }
            writer.wait_merging_threads()
        });
        ended.await?.map_err(SearchError::index("ending a writer"))
    }
}
