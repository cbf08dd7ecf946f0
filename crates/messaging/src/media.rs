//! Fetches the media of texts that came in, and keeps them: carriers delete theirs, and ask for credentials. What is
//! erased is deleted here.
//!
//! What is fetched has a limit of size and time, and is of a type that people send each other; it is fetched by a client
//! that dials public addresses only, since its URL comes from outside.

mod bucket;
mod store;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::Url;
use tokio_util::sync::CancellationToken;
use trunkline_domain::{MediaId, MediaState, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::numbers::NumberRow;
use trunkline_store::{StoreError, TeamKey, items, media as rows, numbers};
use trunkline_switchboard::media::{self, ERASE_JOB, FETCH_JOB, Fetched};
use trunkline_switchboard::{Error, Switchboard};

pub use self::bucket::{Addressing, Bucket};
pub use self::store::{MediaError, MediaStore};
use crate::carrier::Carriers;

/// The largest medium that is kept, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// How often a carrier is asked for a medium before it is given up.
const MAX_ATTEMPTS: i64 = 8;

/// How often it is tried to keep a medium in a storage that fails: for almost six days.
const MAX_KEEPING: i64 = 2_000;

/// The first pause of a storage that fails; it doubles up to the longest.
const FIRST_PAUSE_MS: i64 = Millis::SECOND;
const LONGEST_PAUSE_MS: i64 = 30 * Millis::SECOND;

/// Redirects that are followed: carriers hand out links to where they keep things.
const MAX_REDIRECTS: usize = 3;

/// For how long a claimed job is this process's: longer than a fetch with all its redirects, and keeping it, take.
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

/// How the storage has fared of late: while it fails it is tried with one job at a time, after growing pauses.
#[derive(Debug, Default)]
pub struct Outage(Mutex<(u32, Millis)>);

impl Outage {
    /// How many jobs may be begun now.
    fn room(&self, now: Millis) -> i64 {
        let (failures, until) = *self.0.lock();
        match failures {
            0 => CLAIM,
            _ if now < until => 0,
            _ => 1,
        }
    }

    /// Notes how the storage did.
    fn note<T>(&self, kept: &Result<T, MediaError>, now: Millis) {
        let mut state = self.0.lock();
        *state = if kept.is_ok() {
            (0, now)
        } else {
            let pause = LONGEST_PAUSE_MS.min(FIRST_PAUSE_MS << state.0.min(10));
            (state.0.saturating_add(1), now.plus(pause))
        };
    }
}

/// The work of a fetch or an erasure: which medium, and how often the storage failed to keep or to delete it. That is no
/// fault of the carrier's, and does not count as an attempt to ask it; nor is waiting for a fetch a fault of the storage's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Task {
    id: MediaId,
    failures: i64,
}

impl Task {
    fn read(payload: &str) -> Option<Self> {
        let (id, failures) = payload.split_once(' ').unwrap_or((payload, "0"));
        Some(Self {
            id: MediaId::parse(id).ok()?,
            failures: failures.parse().ok()?,
        })
    }

    fn written(self) -> String {
        format!("{} {}", self.id, self.failures)
    }
}

/// Why a medium is not kept.
enum Unkept {
    Never(String),
    /// The carrier may have it later.
    Carrier(String),
    /// The storage may have room for it later.
    Storage(MediaError),
}

impl From<FetchError> for Unkept {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Never(reason) => Self::Never(reason),
            FetchError::Later(reason) => Self::Carrier(reason),
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
    /// How that has fared of late.
    pub outage: Arc<Outage>,
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
        let room = self.outage.room(now);
        if room == 0 {
            return Ok(0);
        }
        let next = db.read(move |conn| jobs::next_due(conn, &KINDS, now)).await?;
        if next.is_none_or(|at| at > now) {
            return Ok(0);
        }
        let claim = move |tx: &mut trunkline_store::Tx<'_>| jobs::claim(tx, &KINDS, now, LEASE_MS, room);
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

    /// Deletes the file of a medium that was erased, however often it takes. Whoever fetches it yet may keep it yet, so
    /// that is waited for.
    async fn erase(&self, job: JobRow) -> Result<(), Error> {
        let Some(Task { id, failures }) = Task::read(&job.payload) else {
            return self.settle(job, None).await;
        };
        let (team, now) = (job.team, self.board.now());
        let look = move |tx: &mut trunkline_store::Tx<'_>| media::is_being_fetched(tx, team, id, now);
        if self.board.db().write(look).await? {
            return self.postpone(job, FIRST_PAUSE_MS, None).await;
        }
        let deleted = self.store.delete(team, id).await;
        self.outage.note(&deleted, self.board.now());
        if let Err(error) = deleted {
            tracing::warn!(media.id = %id, team.key = team.0, error = %error, "an erased medium could not be deleted; it will be tried again");
            let failures = failures + 1;
            let payload = Task { id, failures }.written();
            return self
                .postpone(job, 500 << failures.clamp(1, 9), Some(payload))
                .await;
        }
        self.settle(job, None).await
    }

    /// Gives a job back for a while, with another payload if there is one.
    async fn postpone(&self, job: JobRow, pause_ms: i64, payload: Option<String>) -> Result<(), Error> {
        let at = self.board.now().plus(pause_ms);
        let postpone = move |tx: &mut trunkline_store::Tx<'_>| -> Result<(), StoreError> {
            if jobs::postpone(tx, job.team, &job.id, job.attempts, at)?
                && let Some(payload) = &payload
            {
                jobs::set_payload(tx, job.team, &job.id, payload)?;
            }
            Ok(())
        };
        Ok(self.board.db().write(postpone).await?)
    }

    async fn keep(&self, job: JobRow) -> Result<(), Error> {
        let Some(task) = Task::read(&job.payload) else {
            return self.settle(job, None).await;
        };
        let (team, db, id) = (job.team, self.board.db(), task.id);
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
            Err(error) => Err(error.into()),
        };
        let asked = job.attempts - task.failures;
        let fetched = match outcome {
            Ok(fetched) => fetched,
            Err(Unkept::Carrier(reason)) if asked < MAX_ATTEMPTS => {
                tracing::info!(media.id = %id, team.key = team.0, error = %reason, "a medium is waited for");
                return self.postpone(job, 500 << asked.clamp(1, 8), None).await;
            }
            Err(Unkept::Storage(error)) if task.failures < MAX_KEEPING => {
                tracing::warn!(media.id = %id, team.key = team.0, error = %error, "a medium could not be kept; it will be tried again");
                let failures = task.failures + 1;
                let pause = 500 << failures.clamp(1, 9);
                let payload = Task { id, failures }.written();
                return self.postpone(job, pause, Some(payload)).await;
            }
            Err(Unkept::Never(reason) | Unkept::Carrier(reason)) => Fetched::Failed(reason),
            Err(Unkept::Storage(_)) => Fetched::Failed("it could not be kept for days".to_owned()),
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

    async fn put(&self, team: TeamKey, id: MediaId, answer: Answer) -> Result<Fetched, Unkept> {
        let kind = answer.content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        if !is_kept(&kind) {
            let shown: String = kind.chars().take(60).collect();
            return Err(Unkept::Never(format!("media of the type {shown:?} are not kept")));
        }
        let bytes = i64::try_from(answer.body.len()).unwrap_or(i64::MAX);
        let kept = self.store.put(team, id, answer.body).await;
        self.outage.note(&kept, self.board.now());
        kept.map_err(Unkept::Storage)?;
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

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    #[test]
    fn a_storage_that_fails_is_tried_with_one_job_after_growing_pauses() {
        let (outage, now) = (Outage::default(), Millis(1_776_679_200_000));
        assert_eq!(outage.room(now), CLAIM);
        let failed: Result<(), _> = Err(MediaError::Missing);
        let mut waited = 0;
        for pause in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            outage.note(&failed, now.plus(waited));
            assert_eq!(outage.room(now.plus(waited + pause - 1)), 0, "{pause}");
            waited += pause;
            assert_eq!(outage.room(now.plus(waited)), 1, "{pause}");
        }
        outage.note(&Ok(()), now.plus(waited));
        assert_eq!(outage.room(now.plus(waited)), CLAIM);
    }

    #[test]
    fn failures_of_the_storage_are_part_of_the_work() {
        let id = MediaId::new(&SeededIds::new(4), Millis(5));
        let fresh = Task { id, failures: 0 };
        assert_eq!(Task::read(&id.to_string()), Some(fresh));
        let tried = Task { id, failures: 7 };
        assert_eq!(Task::read(&tried.written()), Some(tried));
        assert_eq!(Task::read("nonsense"), None);
        assert_eq!(Task::read(&format!("{id} often")), None);
    }
}
