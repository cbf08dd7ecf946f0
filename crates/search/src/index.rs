//! The reading side: what the rest of the program holds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::{Notify, Semaphore, watch};
use trunkline_store::{Db, TeamKey, teams};

use crate::cursors::Payload;
use crate::evaluate::evaluate;
use crate::folder::Folder;
use crate::snapshot::Snapshot;
use crate::writing::blocking;
use crate::{Follower, SearchError, TextHits, TextOrder, TextQuery, TextStart};

/// What may be adjusted.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions {
    /// How long a search waits at most for what was committed to the database before it began.
    pub wait: Duration,
    /// How long the follower lets changes gather before it commits, as long as no search waits for them.
    pub gather: Duration,
    /// How often the follower looks for commits of other processes.
    pub poll: Duration,
    /// After this time without changes the follower lets go of its threads and memory.
    pub idle: Duration,
    /// Memory for documents that are not written out yet, in bytes, while the index is built or much is imported.
    /// Following takes 15 MB at most, whatever this is.
    pub bulk_memory: usize,
    /// Documents after which a commit is made although there is more to do; what is committed need not be done again
    /// when the process ends.
    pub commit_documents: u64,
    /// Searches that run at a time; each occupies a blocking thread.
    pub searches: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(1),
            gather: Duration::from_millis(150),
            poll: Duration::from_millis(250),
            idle: Duration::from_secs(5),
            bulk_memory: 64_000_000,
            commit_documents: 100_000,
            searches: 4,
        }
    }
}

/// How far the building of an index has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether searches are answered.
    pub ready: bool,
    /// Items that are in.
    pub done: u64,
    /// Items there are, once that is known.
    pub total: u64,
}

/// The text index of a node. Cheap to clone.
#[derive(Clone)]
pub struct SearchIndex {
    shared: Arc<Shared>,
    commits: watch::Receiver<u64>,
}

/// What both halves know.
pub(crate) struct Shared {
    pub db: Db,
    pub options: SearchOptions,
    pub folder: Arc<Folder>,
    pub progress: watch::Sender<Progress>,
    /// Asks the follower to look at the log and to commit at once.
    pub nudge: Notify,
    waiting: AtomicUsize,
    /// Whether the index was found to belong to this database.
    trusted: AtomicBool,
    snapshot: RwLock<Arc<Snapshot>>,
    searches: Arc<Semaphore>,
}

impl Shared {
    /// The newest commit.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().clone()
    }

    /// Replaces the newest commit.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        *self.snapshot.write() = Arc::new(snapshot);
    }

    /// Whether the index was found to belong to this database.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted.load(Ordering::SeqCst)
    }

    /// Says that it does.
    pub(crate) fn trust(&self) {
        self.trusted.store(true, Ordering::SeqCst);
    }

    /// Whether searches wait for the next commit.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }
}

struct Waiting<'s>(&'s AtomicUsize);

impl<'s> Waiting<'s> {
    fn new(count: &'s AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SearchIndex {
    /// Opens the index in the folder `dir`, which is made where there is none, and takes the folder for this
    /// process. An index that is damaged or of another version is deleted, with a warning in the log. Blocks.
    ///
    /// The [`Follower`] must be run: it is what fills the index and keeps it up to date.
    ///
    /// # Errors
    /// [`SearchError::InUse`] when another process has the folder, [`SearchError::Folder`] or
    /// [`SearchError::Index`] when not even an empty index can be made in it.
    pub fn open(dir: &Path, db: Db, options: SearchOptions) -> Result<(Self, Follower), SearchError> {
        let folder = Arc::new(Folder::claim(dir)?);
        let (index, snapshot) = folder.open_index()?;
        let progress = Progress {
            ready: snapshot.payload.ready,
            ..Progress::default()
        };
        let shared = Arc::new(Shared {
            db,
            options,
            folder,
            progress: watch::Sender::new(progress),
            nudge: Notify::new(),
            waiting: AtomicUsize::new(0),
            trusted: AtomicBool::new(false),
            snapshot: RwLock::new(Arc::new(snapshot)),
            searches: Arc::new(Semaphore::new(options.searches.max(1))),
        });
        let (published, commits) = watch::channel(0);
        let follower = Follower::new(shared.clone(), index, published);
        Ok((Self { shared, commits }, follower))
    }

    /// Deletes the index in the folder `dir`, so that the next start builds it anew. A folder that does not exist is
    /// none to delete from. Blocks.
    ///
    /// # Errors
    /// [`SearchError::InUse`] when a process works with the index, [`SearchError::Folder`] when files cannot be
    /// deleted.
    pub fn delete_everything(dir: &Path) -> Result<(), SearchError> {
        if dir.exists() {
            Folder::claim(dir)?.wipe()
        } else {
            Ok(())
        }
    }

    /// How many items are in the index of the folder `dir`, once all its files were compared with their checksums;
    /// `None` where there is no index yet, or one of another version. Leaves the folder as it is. Blocks.
    ///
    /// # Errors
    /// [`SearchError::InUse`] when a process works with the index, [`SearchError::Folder`] and
    /// [`SearchError::Index`] when the next start will have to build it anew.
    pub fn inspect(dir: &Path) -> Result<Option<u64>, SearchError> {
        Folder::inspect(dir)
    }

    /// Whether searches are answered: not while the index is built.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.progress.borrow().ready
    }

    /// Whether what was erased up to the team's event `event` is gone from the files of this index, and not merely from
    /// what is found.
    #[must_use]
    pub fn has_purged(&self, team: TeamKey, event: i64) -> bool {
        let Payload {
            cursors, unpurged, ..
        } = &self.shared.snapshot().payload;
        let read = cursors
            .get(&team)
            .is_some_and(|cursor| cursor.event >= event && cursor.target.is_none());
        read && !unpurged && self.shared.is_trusted()
    }

    /// How far the building of the index has come, and how it goes on.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Searches. What was committed to the database before this was called is found, unless the follower cannot
    /// apply it within [`SearchOptions::wait`]; then [`TextHits::behind`] is not 0.
    ///
    /// # Errors
    /// [`SearchError::Rebuilding`] while the index is built, [`SearchError::NoInstantInRelevance`] for a page that
    /// cannot be, [`SearchError::Store`] when the database cannot be asked, [`SearchError::Index`] or
    /// [`SearchError::Panicked`] when the index is damaged; it is then checked at the next start.
    pub async fn search(&self, query: TextQuery) -> Result<TextHits, SearchError> {
        if query.order == TextOrder::Relevance && matches!(query.start, TextStart::Behind { .. }) {
            return Err(SearchError::NoInstantInRelevance);
        }
        let Progress { ready, done, total } = *self.shared.progress.borrow();
        if !ready {
            return Err(SearchError::Rebuilding { done, total });
        }
        let team = query.team;
        let head = self
            .shared
            .db
            .read(move |conn| teams::last_event(conn, team))
            .await?;
        let snapshot = self.applied(team, head).await;
        let cursor = snapshot.payload.cursors.get(&team);
        if let Some((done, total)) = cursor.and_then(|cursor| Some((cursor.items, cursor.target?))) {
            return Err(SearchError::Rebuilding {
                done: done.unsigned_abs(),
                total: total.unsigned_abs(),
            });
        }
        let behind = (head - cursor.map_or(0, |cursor| cursor.event))
            .max(0)
            .unsigned_abs();
        let Ok(permit) = self.shared.searches.clone().acquire_owned().await else {
            return Err(SearchError::Panicked);
        };
        let evaluated = blocking(move || {
            let _permit = permit;
            evaluate(&snapshot, &query)
        });
        let outcome = evaluated.await.flatten();
        match outcome {
            Ok(hits) => Ok(TextHits { behind, ..hits }),
            Err(error) => {
                self.shared.folder.suspect();
                Err(error)
            }
        }
    }

    /// The newest commit, as soon as it has the team's event `head` or the time for waiting is over.
    async fn applied(&self, team: TeamKey, head: i64) -> Arc<Snapshot> {
        let caught_up = || {
            // Asked before the commit is taken: a commit that is older than the trust need not deserve it.
            let trusted = self.shared.is_trusted();
            let snapshot = self.shared.snapshot();
            let cursor = snapshot.payload.cursors.get(&team);
            let has_all = cursor.map_or(head == 0, |cursor| {
                cursor.event >= head && cursor.target.is_none()
            });
            (trusted && has_all).then_some(snapshot)
        };
        if let Some(snapshot) = caught_up() {
            return snapshot;
        }
        let _waiting = Waiting::new(&self.shared.waiting);
        let mut commits = self.commits.clone();
        let catching_up = async {
            loop {
                self.shared.nudge.notify_one();
                // Before the look, so that no commit falls between the look and the waiting.
                commits.mark_unchanged();
                // A follower that is gone will not commit any more.
                if caught_up().is_some() || commits.changed().await.is_err() {
                    break;
                }
            }
        };
        // Whether it came to an end or ran out of time, the newest commit is the answer.
        drop(tokio::time::timeout(self.shared.options.wait, catching_up).await);
        self.shared.snapshot()
    }
}
