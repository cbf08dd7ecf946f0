//! Fetches the media of texts that came in, and keeps them: carriers delete theirs, and ask for credentials. What is
//! erased is deleted here.
//!
//! What is fetched has a limit of size and time, and is of a type that people send each other; it is fetched by a client
//! that dials public addresses only, since its URL comes from outside.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use reqwest::Url;
use tokio_util::sync::CancellationToken;
use trunkline_domain::{MediaId, MediaState, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::numbers::NumberRow;
use trunkline_store::{StoreError, TeamKey, items, media as rows, numbers};
use trunkline_switchboard::media::{self, ERASE_JOB, FETCH_JOB, Fetched};
use trunkline_switchboard::{Error, Switchboard};

use crate::carrier::Carriers;

/// The largest medium that is kept, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// How often a medium is asked for before it is given up.
const MAX_ATTEMPTS: i64 = 8;

/// Redirects that are followed: carriers hand out links to where they keep things.
const MAX_REDIRECTS: usize = 3;

/// For how long a claimed job is this process's: longer than a fetch with all its redirects takes.
const LEASE_MS: i64 = 3 * Millis::MINUTE;

/// The most fetched at a time.
const CLAIM: i64 = 8;

/// The jobs that are worked on here.
const KINDS: [&str; 2] = [FETCH_JOB, ERASE_JOB];

/// The longest sleep between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An answer to a fetch.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty if there is none.
    pub content_type: String,
    /// `Location`, empty if there is none.
    pub location: String,
    /// The body, at most as long as was asked for.
    pub body: Bytes,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There never will be: the address is not public, or the answer is too large.
    #[error("{0}")]
    Never(String),
    /// There may be one later.
    #[error("{0}")]
    Later(String),
}

/// Fetches what is at a URL, from public addresses only, without following redirects.
pub trait Fetch: Send + Sync + 'static {
    /// Fetches at most `limit` bytes; more is [`FetchError::Never`].
    fn get<'f>(
        &'f self,
        url: &'f str,
        authorization: Option<&'f str>,
        limit: usize,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, FetchError>> + Send + 'f>>;
}

/// Whether there is no such medium in the storage.
#[must_use]
pub const fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}

/// Where media are kept.
#[derive(Clone)]
pub struct MediaStore(Arc<dyn ObjectStore>);

impl MediaStore {
    /// Keeps them in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Keeps them in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn folder(folder: &std::path::Path) -> Result<Self, object_store::Error> {
        std::fs::create_dir_all(folder).map_err(|source| object_store::Error::Generic {
            store: "folder",
            source: Box::new(source),
        })?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder)?;
        Ok(Self(Arc::new(store)))
    }

    fn place(team: TeamKey, id: MediaId) -> Path {
        Path::from(format!("{}/{id}", team.0))
    }

    /// The bytes of a medium.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn get(&self, team: TeamKey, id: MediaId) -> Result<Bytes, object_store::Error> {
        self.0.get(&Self::place(team, id)).await?.bytes().await
    }

    /// Keeps a medium.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn put(&self, team: TeamKey, id: MediaId, bytes: Bytes) -> Result<(), object_store::Error> {
        self.0.put(&Self::place(team, id), bytes.into()).await.map(drop)
    }

    /// Deletes a medium; one that is not there is no error.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn delete(&self, team: TeamKey, id: MediaId) -> Result<(), object_store::Error> {
        match self.0.delete(&Self::place(team, id)).await {
            Err(error) if is_missing(&error) => Ok(()),
            deleted => deleted,
        }
    }
}

/// Fetches media and keeps them.
#[derive(Clone)]
pub struct Keeper {
    /// Commands and the database.
    pub board: Switchboard,
    /// Who knows what a carrier asks for.
    pub carriers: Carriers,
    /// Opens credentials.
    pub vault: Vault,
    /// Fetches.
    pub fetch: Arc<dyn Fetch>,
    /// Where media are kept.
    pub store: MediaStore,
}

impl Keeper {
    /// Works until `stop` is cancelled; what was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut appended = self.board.db().appended();
        while !stop.is_cancelled() {
            appended.mark_unchanged();
            match self.work_once().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(error = %error, "media could not be looked for; trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = appended.changed() => {}
            }
        }
    }

    /// Fetches, or deletes, what is due now. Returns how many media there were.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn work_once(&self) -> Result<usize, StoreError> {
        let (db, now) = (self.board.db(), self.board.now());
        let next = db.read(move |conn| jobs::next_due(conn, &KINDS, now)).await?;
        if next.is_none_or(|at| at > now) {
            return Ok(0);
        }
        let claim = move |tx: &mut trunkline_store::Tx<'_>| jobs::claim(tx, &KINDS, now, LEASE_MS, CLAIM);
        let claimed = db.write(claim).await?;
        let (count, mut under_way) = (claimed.len(), tokio::task::JoinSet::new());
        for job in claimed {
            let keeper = self.clone();
            under_way.spawn(async move {
                let (team, id) = (job.team, job.id.clone());
                let outcome = if job.kind == ERASE_JOB {
                    keeper.erase(job).await
                } else {
                    keeper.keep(job).await
                };
                if let Err(error) = outcome {
                    tracing::warn!(job.id = %id, team.key = team.0, error = %error, "a medium could not be seen to; it will be tried again");
                }
            });
        }
        while under_way.join_next().await.is_some() {}
        Ok(count)
    }

    /// Deletes the file of a medium that was erased, however often it takes.
    async fn erase(&self, job: JobRow) -> Result<(), Error> {
        let team = job.team;
        if let Ok(id) = MediaId::parse(&job.payload)
            && let Err(error) = self.store.delete(team, id).await
        {
            tracing::warn!(media.id = %id, team.key = team.0, error = %error, "an erased medium could not be deleted; it will be tried again");
            let at = self.board.now().plus(500 << job.attempts.clamp(1, 9));
            let postpone =
                move |tx: &mut trunkline_store::Tx<'_>| jobs::postpone(tx, team, &job.id, job.attempts, at);
            self.board.db().write(postpone).await?;
            return Ok(());
        }
        self.settle(job, None).await
    }

    async fn keep(&self, job: JobRow) -> Result<(), Error> {
        let Ok(id) = MediaId::parse(&job.payload) else {
            return self.settle(job, None).await;
        };
        let (team, db) = (job.team, self.board.db());
        let look = move |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> {
            let row = rows::get(conn, team, id)?.filter(|row| row.state == MediaState::Pending);
            let Some(row) = row else { return Ok(None) };
            let line = match items::line(conn, team, row.seq)? {
                Some(line) => numbers::by_line(conn, team, line)?,
                None => None,
            };
            Ok(Some((row, line)))
        };
        let Some((row, line)) = db.read(look).await? else {
            return self.settle(job, None).await;
        };
        let outcome = match self.fetch(&row.source, line.as_ref()).await {
            Ok(answer) => self.put(team, id, answer).await,
            Err(error) => Err(error),
        };
        let fetched = match outcome {
            Ok(fetched) => fetched,
            Err(FetchError::Later(reason)) if job.attempts < MAX_ATTEMPTS => {
                tracing::info!(media.id = %id, team.key = team.0, error = %reason, "a medium is waited for");
                let at = self.board.now().plus(500 << job.attempts.clamp(1, 8));
                let postpone = move |tx: &mut trunkline_store::Tx<'_>| {
                    jobs::postpone(tx, team, &job.id, job.attempts, at)
                };
                db.write(postpone).await?;
                return Ok(());
            }
            Err(error) => Fetched::Failed(error.to_string()),
        };
        self.settle(job, Some((id, fetched))).await
    }

    async fn fetch(&self, source: &str, line: Option<&NumberRow>) -> Result<Answer, FetchError> {
        let never = |problem: &str| FetchError::Never(problem.to_owned());
        let mut url = Url::parse(source).map_err(|_| never("the carrier gave no URL"))?;
        for _ in 0..=MAX_REDIRECTS {
            if !["https", "http"].contains(&url.scheme()) {
                return Err(never("the carrier's URL is not one of the web"));
            }
            let authorization = self.authorization(&url, line);
            let answer = self
                .fetch
                .get(url.as_str(), authorization.as_deref(), MAX_BYTES)
                .await?;
            match answer.status {
                200..=299 => return Ok(answer),
                300..=399 => {
                    url = url
                        .join(&answer.location)
                        .map_err(|_| never("the carrier's redirect leads nowhere"))?;
                }
                // A medium may be told of a moment before it is there.
                404 | 408 | 425 | 429 | 500..=599 => {
                    return Err(FetchError::Later(format!(
                        "the carrier answered {}",
                        answer.status
                    )));
                }
                status => return Err(FetchError::Never(format!("the carrier answered {status}"))),
            }
        }
        Err(never("the carrier redirects again and again"))
    }

    /// What the carrier asks for; only it is told.
    fn authorization(&self, url: &Url, line: Option<&NumberRow>) -> Option<String> {
        let line = line?;
        let sealed = line.carrier_settings.as_ref()?;
        let settings = self.vault.open(&line.id.to_string(), sealed).ok()?;
        self.carriers
            .get(&line.carrier)?
            .media_authorization(url, &settings)
    }

    async fn put(&self, team: TeamKey, id: MediaId, answer: Answer) -> Result<Fetched, FetchError> {
        let kind = answer.content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        if !is_kept(&kind) {
            let shown: String = kind.chars().take(60).collect();
            return Err(FetchError::Never(format!(
                "media of the type {shown:?} are not kept"
            )));
        }
        let bytes = i64::try_from(answer.body.len()).unwrap_or(i64::MAX);
        let stored = self.store.put(team, id, answer.body).await;
        stored.map_err(|error| FetchError::Later(format!("the media store failed: {error}")))?;
        Ok(Fetched::Kept {
            content_type: kind,
            bytes,
        })
    }

    async fn settle(&self, job: JobRow, fetched: Option<(MediaId, Fetched)>) -> Result<(), Error> {
        let team = job.team;
        let command = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
            match &fetched {
                Some((id, fetched)) => media::settle(work, &job, *id, fetched)?,
                None => jobs::finish(work.tx, job.team, &job.id, job.attempts)?,
            };
            Ok(())
        };
        self.board.run(team, command).await
    }
}

/// What people send each other: pictures, sounds, films, documents, contacts, dates.
fn is_kept(kind: &str) -> bool {
    const OTHERS: [&str; 6] = [
        "application/pdf",
        "text/plain",
        "text/vcard",
        "text/x-vcard",
        "text/calendar",
        "application/vcard",
    ];
    // A picture that holds scripts is none.
    let seen_or_heard = ["image/", "audio/", "video/"]
        .iter()
        .any(|family| kind.starts_with(family));
    (seen_or_heard && kind != "image/svg+xml") || OTHERS.contains(&kind)
}
