//! The half of the index that writes it: reads the event log of every team, commits, and mends what fails.

use std::sync::Arc;
use std::time::Duration;

use tantivy::Index;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use trunkline_store::StoreError;

use crate::SearchError;
use crate::cursors::Payload;
use crate::index::{Progress, Shared};
use crate::reading::{Advance, Reading};
use crate::writing::{Writing, blocking};

/// The pause after a first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the end waits for segments that are being joined.
const LAST_MERGE: Duration = Duration::from_secs(5);

/// The half of the index that writes it; see [`crate::SearchIndex::open`].
pub struct Follower {
    shared: Arc<Shared>,
    published: watch::Sender<u64>,
    writing: Writing,
    reading: Reading,
    /// Whether the index was complete once.
    ready: bool,
    trouble: Trouble,
}

/// What has to be made good before anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Something failed: the last commit must be looked up, for the failure may have come after it was made.
    Lost,
    /// The index failed: its files must be checked too.
    Doubtful,
}

/// Why the follower stopped waiting.
enum Wake {
    Cancelled,
    /// This process committed events.
    Appended,
    /// A search waits, or it is time to look for what other processes did.
    Look,
    /// Nothing has come for a while.
    Idle,
}

impl Follower {
    pub(crate) fn new(shared: Arc<Shared>, index: Index, published: watch::Sender<u64>) -> Self {
        let snapshot = shared.snapshot();
        let writing = Writing::new(shared.folder.clone(), index, shared.options.bulk_memory);
        let reading = Reading::new(shared.db.clone(), &snapshot.payload);
        Self {
            published,
            writing,
            reading,
            ready: snapshot.payload.ready,
            trouble: Trouble::None,
            shared,
        }
    }

    /// Follows the log until `cancellation`, then commits what was read and brings the files to the disk. Failures
    /// are logged and tried again, with growing pauses.
    pub async fn run(mut self, cancellation: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut appended = self.shared.db.appended();
        loop {
            if cancellation.is_cancelled() {
                break;
            }
            match self.step(&cancellation, &mut appended).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(SearchError::Store(StoreError::Closed)) => break,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the text index cannot follow; it will be tried again"
                    );
                    self.give_up(&error).await;
                    if cancellation
                        .run_until_cancelled(tokio::time::sleep(pause))
                        .await
                        .is_none()
                    {
                        break;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        if let Err(error) = self.end().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the text index was not closed cleanly; its files are checked at the next start"
            );
        }
    }

    /// Does what there is to do, or waits until there is something.
    async fn step(
        &mut self,
        cancellation: &CancellationToken,
        appended: &mut watch::Receiver<u64>,
    ) -> Result<(), SearchError> {
        if self.trouble != Trouble::None {
            self.find_back().await?;
        }
        // Asked before the log is: whoever waits now is served by what is read now.
        let waited_for = self.shared.is_waited_for();
        appended.mark_unchanged();
        let Advance { more, arrived } = self.reading.advance(&mut self.writing).await?;
        self.report();
        let completed = !more && !self.ready;
        let due = !more
            || waited_for && arrived
            || self.writing.uncommitted >= self.shared.options.commit_documents;
        if completed || due && self.is_dirty() {
            self.ready |= completed;
            self.commit().await?;
            if completed {
                tracing::debug!(
                    items = self.reading.first_readings().1,
                    "the text index is complete"
                );
            }
        }
        if self.reading.is_compared() && !self.shared.is_trusted() && !self.is_dirty() {
            self.shared.trust();
            self.published.send_modify(|commits| *commits += 1);
        }
        if more {
            return Ok(());
        }
        if self.reading.is_unpurged() && !self.is_dirty() {
            self.purge().await?;
        }
        match self.wait(cancellation, appended).await? {
            Wake::Appended if !self.shared.is_waited_for() => {
                // More will come: what comes together is read and committed together.
                let gathering = async {
                    tokio::select! {
                        () = self.shared.nudge.notified() => {}
                        () = tokio::time::sleep(self.shared.options.gather) => {}
                    }
                };
                cancellation.run_until_cancelled(gathering).await;
            }
            Wake::Cancelled | Wake::Appended | Wake::Look => {}
            Wake::Idle => {
                let snapshot = self.shared.snapshot();
                self.writing.begin_merge(&snapshot, true);
                if !self.writing.is_merging() {
                    self.writing.rest().await?;
                }
            }
        }
        Ok(())
    }

    async fn wait(
        &mut self,
        cancellation: &CancellationToken,
        appended: &mut watch::Receiver<u64>,
    ) -> Result<Wake, SearchError> {
        let options = self.shared.options;
        let idle = tokio::time::sleep(options.idle);
        tokio::pin!(idle);
        loop {
            let resting = !self.writing.is_awake() || self.writing.is_merging();
            tokio::select! {
                biased;
                () = cancellation.cancelled() => return Ok(Wake::Cancelled),
                () = self.shared.nudge.notified() => return Ok(Wake::Look),
                changed = appended.changed() => return Ok(if changed.is_ok() { Wake::Appended } else { Wake::Cancelled }),
                () = self.writing.merged() => {
                    let snapshot = self.writing.reopen(self.shared.snapshot()).await?;
                    if !self.reading.is_unpurged() {
                        self.writing.begin_merge(&snapshot, false);
                    }
                    self.shared.publish(snapshot);
                    if self.reading.is_unpurged() {
                        return Ok(Wake::Look);
                    }
                }
                () = &mut idle, if !resting => return Ok(Wake::Idle),
                () = tokio::time::sleep(options.poll) => {
                    if self.reading.is_behind().await? || self.reading.is_unpurged() && !self.writing.is_merging() {
                        return Ok(Wake::Look);
                    }
                }
            }
        }
    }

    fn payload(&self) -> Payload {
        Payload {
            ready: self.ready,
            cursors: self.reading.cursors(),
            unpurged: self.reading.is_unpurged(),
        }
    }

    /// Has the segments that hold replaced documents written anew, so that nothing of what was erased is in the files
    /// any more. It goes on when they are; what is left to be done is part of every commit, so it survives a crash.
    async fn purge(&mut self) -> Result<(), SearchError> {
        if self.writing.is_merging() {
            return Ok(());
        }
        let snapshot = self.writing.reopen(self.shared.snapshot()).await?;
        let stale = snapshot.stale();
        let living = snapshot.segments.iter().map(|view| view.id).collect();
        self.shared.publish(snapshot);
        if !stale.is_empty() {
            return self.writing.rewrite(&stale).await;
        }
        self.writing.tidy(living).await?;
        tracing::debug!("the text index has nothing more of what was erased");
        self.reading.purged();
        self.commit().await
    }

    /// Whether there is something to commit.
    fn is_dirty(&self) -> bool {
        let committed = self.shared.snapshot();
        self.writing.uncommitted > 0 || self.payload() != committed.payload
    }

    async fn commit(&mut self) -> Result<(), SearchError> {
        let payload = self.payload();
        let stopwatch = Stopwatch::start();
        let snapshot = self.writing.commit(&payload, self.shared.snapshot()).await?;
        metrics::histogram!("trunkline_search_commit_seconds").record(stopwatch.seconds());
        metrics::gauge!("trunkline_search_segments").set(snapshot.segments.len() as f64);
        if !self.reading.is_unpurged() {
            self.writing.begin_merge(&snapshot, false);
        }
        self.shared.publish(snapshot);
        if self.ready {
            self.shared.progress.send_modify(|progress| progress.ready = true);
        }
        self.published.send_modify(|commits| *commits += 1);
        Ok(())
    }

    /// Tells how far the building has come.
    fn report(&self) {
        if !self.ready {
            let (done, total) = self.reading.first_readings();
            let now = Progress {
                ready: false,
                done,
                total,
            };
            self.shared
                .progress
                .send_if_modified(|progress| std::mem::replace(progress, now) != now);
        }
    }

    /// Lets go of everything since the last commit.
    async fn give_up(&mut self, error: &SearchError) {
        if let Err(error) = self.writing.rest().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a writer of the text index ended badly"
            );
        }
        let of_store = matches!(error, SearchError::Store(_));
        if !of_store {
            self.shared.folder.suspect();
        }
        self.trouble = if of_store && self.trouble != Trouble::Doubtful {
            Trouble::Lost
        } else {
            Trouble::Doubtful
        };
    }

    /// Begins again at the last commit, as it is in the folder, or with an empty index if that cannot be used.
    async fn find_back(&mut self) -> Result<(), SearchError> {
        let snapshot = if self.trouble == Trouble::Doubtful {
            let folder = self.shared.folder.clone();
            let (index, snapshot) = blocking(move || folder.open_index()).await??;
            self.writing = Writing::new(self.shared.folder.clone(), index, self.shared.options.bulk_memory);
            snapshot
        } else {
            self.writing.reopen(self.shared.snapshot()).await?
        };
        self.ready = snapshot.payload.ready;
        self.shared
            .progress
            .send_modify(|progress| progress.ready = self.ready);
        self.reading = Reading::new(self.shared.db.clone(), &snapshot.payload);
        self.shared.publish(snapshot);
        self.trouble = Trouble::None;
        Ok(())
    }

    /// The orderly end.
    async fn end(&mut self) -> Result<(), SearchError> {
        if self.trouble == Trouble::None && self.writing.is_awake() && self.is_dirty() {
            self.commit().await?;
        }
        if self.writing.is_merging()
            && tokio::time::timeout(LAST_MERGE, self.writing.merged())
                .await
                .is_ok()
        {
            self.shared
                .publish(self.writing.reopen(self.shared.snapshot()).await?);
        }
        self.writing.rest().await?;
        let folder = self.shared.folder.clone();
        blocking(move || folder.settle()).await?
    }
}

/// Measures how long something takes, for a metric; no rule depends on it.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a duration for a metric; nothing is decided by it"
    )]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a duration for a metric; nothing is decided by it"
    )]
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
