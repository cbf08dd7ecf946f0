//! Hands texts to their carriers. Texts are claimed by lease, so that any number of nodes may do it, and a crash gives a
//! text back. A worker that is so slow that its lease has ended works for nothing: the text is somebody else's then.
//!
//! Every line has a lane of its own: as many texts under way as [`Options::per_line`], at the pace of the line and of
//! its carrier, one at a time for each conversation. A line whose carrier is down is tried with one text now and then
//! and holds up nobody else. Whoever comes after an attempt whose end nobody knows asks the carrier first, where it can
//! be asked.

mod lanes;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trunkline_domain::{MessageStatus, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::text_queue::{self, Allowance, LaneRow, QueuedText};
use trunkline_store::{StoreError, messages as rows};
use trunkline_switchboard::messages::{self, Outgoing, Report};
use trunkline_switchboard::{Error, Switchboard};

use self::lanes::Lanes;
use crate::carrier::{Accepted, Carrier, Carriers, FollowUp, Found, SendError};

/// The kind of job that brings what a carrier says later.
const REPORT_JOB: &str = "message.report";

/// The kinds of jobs of this worker; others are other workers'.
pub const KINDS: [&str; 1] = [REPORT_JOB];

/// For how long a claimed text or job is this process's: more than a carrier may take to answer twice.
const LEASE_MS: i64 = Millis::MINUTE;

/// The most jobs claimed at a time.
const CLAIM: i64 = 64;

/// The longest sleep between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How fast texts are handed over, and for how long it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The least time between two texts of a line that has none of its own, in microseconds; 0: none.
    pub line_interval_us: i64,
    /// The least time between two texts to one carrier from this process, in microseconds; 0: none.
    pub carrier_interval_us: i64,
    /// Texts under way at a time.
    pub in_flight: usize,
    /// Of these, of one line.
    pub per_line: usize,
    /// When a text that no carrier has taken fails, after it was accepted.
    pub give_up_after_ms: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            line_interval_us: 0,
            carrier_interval_us: 0,
            in_flight: 512,
            per_line: 64,
            give_up_after_ms: Millis::DAY,
        }
    }
}

/// Hands texts to their carriers.
#[derive(Clone)]
pub struct Worker(Arc<Shared>);

struct Shared {
    board: Switchboard,
    carriers: Carriers,
    vault: Vault,
    options: Options,
    places: Arc<Semaphore>,
    lanes: Lanes,
    tasks: TaskTracker,
}

/// What a report job carries.
#[derive(Debug, Serialize, Deserialize)]
struct Later {
    seq: i64,
    status: MessageStatus,
    failure_reason: Option<String>,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default)]
struct Looked {
    /// Texts and jobs that were begun.
    begun: usize,
    /// When there is more to do, as far as that is known.
    next: Option<Millis>,
}

/// Whose a text is, once it was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Ours.
    Held,
    /// Another worker's, who claimed it after our lease had ended; or nobody's, since its fate came to be known.
    Lost,
}

impl From<bool> for Standing {
    fn from(held: bool) -> Self {
        if held { Self::Held } else { Self::Lost }
    }
}

impl Worker {
    /// A worker for all teams of the database.
    #[must_use]
    pub fn new(board: Switchboard, carriers: Carriers, vault: Vault, options: Options) -> Self {
        Self(Arc::new(Shared {
            board,
            carriers,
            vault,
            places: Arc::new(Semaphore::new(options.in_flight.max(1))),
            lanes: Lanes::new(options.per_line.max(1)),
            options,
            tasks: TaskTracker::new(),
        }))
    }

    /// Works until `stop` is cancelled; what was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut appended = self.0.board.db().appended();
        while !stop.is_cancelled() {
            appended.mark_unchanged();
            let looked = self.look().await.unwrap_or_else(|error| {
                tracing::warn!(error = %error, "texts could not be looked for; trying again");
                Looked::default()
            });
            let pause = looked.next.map_or(LOOK_EVERY, |at| {
                let wait = u64::try_from(at.since(self.0.board.now())).unwrap_or(0);
                Duration::from_millis(wait).clamp(Duration::from_millis(1), LOOK_EVERY)
            });
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                _ = appended.changed() => {}
            }
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Works on what is due now, and waits until that is done. Returns how many texts and jobs there were.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn work_once(&self) -> Result<usize, StoreError> {
        let looked = self.look().await?;
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
        Ok(looked.begun)
    }

    /// Begins with what is due.
    async fn look(&self) -> Result<Looked, StoreError> {
        let mut looked = self.reports().await?;
        let lanes = self.0.board.db().read(text_queue::lanes).await?;
        self.0.lanes.forget_all_but(&lanes);
        for lane in lanes {
            let (begun, next) = self.look_at(&lane).await?;
            looked.begun += begun;
            looked.next = [looked.next, next].into_iter().flatten().min();
        }
        Ok(looked)
    }

    /// Begins with what is due of a line. Returns with how many texts, and when to look again, where that is known.
    async fn look_at(&self, lane: &LaneRow) -> Result<(usize, Option<Millis>), StoreError> {
        let shared = &self.0;
        let now = shared.board.now();
        let room = match shared.lanes.room(lane, now) {
            Ok(room) => room.min(shared.places.available_permits()),
            Err(until) => return Ok((0, Some(until))),
        };
        if room == 0 {
            return Ok((0, None));
        }
        let paced = shared
            .carriers
            .get(&lane.carrier)
            .is_none_or(|carrier| carrier.is_paced());
        let (line, carrier) = match (paced, lane.interval_us) {
            (_, Some(own)) => (own, shared.options.carrier_interval_us),
            (true, None) => (
                shared.options.line_interval_us,
                shared.options.carrier_interval_us,
            ),
            (false, None) => (0, 0),
        };
        let now_us = now.0.saturating_mul(1_000);
        if line > 0 && lane.ready_us > now_us {
            return Ok((0, Some(instant(lane.ready_us))));
        }
        let granted = match shared.lanes.ask_carrier(&lane.carrier, now_us, carrier, room) {
            Ok(granted) => granted,
            Err(ready_us) => return Ok((0, Some(instant(ready_us)))),
        };
        let allowance = Allowance {
            limit: i64::try_from(granted).unwrap_or(i64::MAX),
            interval_us: line,
            lease_ms: LEASE_MS,
        };
        let (team, number) = (lane.team, lane.line);
        let claim =
            move |tx: &mut trunkline_store::Tx<'_>| text_queue::claim(tx, team, number, now, allowance);
        let (claimed, ready_us) = shared.board.db().write(claim).await?;
        shared
            .lanes
            .give_back(&lane.carrier, carrier, granted - claimed.len());
        let next = (line > 0 && ready_us > 0).then(|| instant(ready_us));
        let count = claimed.len();
        for text in claimed {
            // There is room: nobody else takes places.
            let place = shared.places.clone().try_acquire_owned().ok();
            shared.lanes.begin(team, number);
            let worker = self.clone();
            shared
                .tasks
                .spawn(async move { worker.hand_over(text, place).await });
        }
        Ok((count, next))
    }

    async fn hand_over(&self, text: QueuedText, place: Option<OwnedSemaphorePermit>) {
        let outcome = self.send(&text).await;
        self.0.lanes.end(text.team, text.line);
        drop(place);
        match outcome {
            Ok(Standing::Held) => {}
            Ok(Standing::Lost) => {
                tracing::info!(
                    team.key = text.team.0,
                    item.seq = text.seq,
                    "a text was settled by somebody else meanwhile"
                );
            }
            Err(error) => {
                tracing::warn!(team.key = text.team.0, item.seq = text.seq, error = %error, "a text could not be worked on; it will be tried again");
            }
        }
    }

    async fn send(&self, queued: &QueuedText) -> Result<Standing, Error> {
        let board = &self.0.board;
        let (team, seq) = (queued.team, queued.seq);
        let read = board
            .db()
            .read(move |conn| messages::outgoing(conn, team, seq))
            .await?;
        let Some(mut text) = read.filter(|text| text.status == MessageStatus::Pending) else {
            return self.finish(queued, None, None).await;
        };
        text.attempts = queued.attempts;
        let begun = board.now();
        let settings = match &text.line.carrier_settings {
            Some(sealed) => Some(self.0.vault.open(&text.line.id.to_string(), sealed)?),
            None => None,
        };
        let outcome = match self.0.carriers.get(&text.line.carrier) {
            Some(carrier) => {
                self.offer(carrier.as_ref(), queued, &text, settings.as_deref())
                    .await?
            }
            None => Err(SendError::Refused(format!(
                "this server has no carrier named {}",
                text.line.carrier
            ))),
        };
        let now = board.now();
        let pause = match &outcome {
            Err(SendError::Down(_) | SendError::Unknown(_)) => self.0.lanes.failed(team, queued.line, now),
            Err(SendError::Later(_)) => lanes::pause(queued.attempts),
            Ok(_) | Err(SendError::Refused(_)) => {
                self.0.lanes.answered(team, queued.line);
                0
            }
        };
        let late = now.since(text.accepted_at) >= self.0.options.give_up_after_ms;
        match outcome {
            Ok(Accepted {
                carrier_ref,
                follow_up,
            }) => {
                let report = Report {
                    status: MessageStatus::Sent,
                    carrier_ref: Some(carrier_ref),
                    failure_reason: None,
                };
                self.finish(queued, Some(report), follow_up).await
            }
            Err(SendError::Refused(reason)) => self.finish(queued, Some(failure(reason)), None).await,
            Err(error) if late => self.finish(queued, Some(failure(error.to_string())), None).await,
            Err(error) => {
                let asked_at = match error {
                    SendError::Unknown(_) => Some(queued.asked_at.unwrap_or(begun)),
                    _ => None,
                };
                tracing::info!(team.key = team.0, message.id = %text.id, error = %error, "a text waits for its carrier");
                let (queued, at) = (*queued, now.plus(pause));
                let postpone =
                    move |tx: &mut trunkline_store::Tx<'_>| text_queue::postpone(tx, &queued, at, asked_at);
                Ok(board.db().write(postpone).await?.into())
            }
        }
    }

    /// Hands a text over, unless an earlier attempt did: then the carrier says so.
    async fn offer(
        &self,
        carrier: &dyn Carrier,
        queued: &QueuedText,
        text: &Outgoing,
        settings: Option<&str>,
    ) -> Result<Result<Accepted, SendError>, Error> {
        let Some(since) = queued.asked_at else {
            return Ok(carrier.send(text, settings).await);
        };
        let like = match carrier.find(text, since, settings).await {
            Ok(Found::Like(like)) => like,
            Ok(Found::CannotTell) => Vec::new(),
            // What is not known before is not known after it.
            Err(error) => return Ok(Err(SendError::Unknown(error.to_string()))),
        };
        let (team, seq, name) = (queued.team, queued.seq, carrier.name());
        let read = move |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> {
            for carrier_ref in like {
                let known = rows::by_ref(conn, team, name, &carrier_ref)?;
                if known.is_none_or(|known| known.seq == seq) {
                    return Ok(Some(carrier_ref));
                }
            }
            Ok(None)
        };
        if let Some(carrier_ref) = self.0.board.db().read(read).await? {
            let follow_up = None;
            return Ok(Ok(Accepted {
                carrier_ref,
                follow_up,
            }));
        }
        Ok(carrier.send(text, settings).await)
    }

    /// Reports, schedules what comes later and takes the text out of the queue, all in one transaction. Of a text that is
    /// another worker's by now only this is kept: what a carrier has taken is taken, whoever asked it to.
    async fn finish(
        &self,
        queued: &QueuedText,
        report: Option<Report>,
        later: Option<FollowUp>,
    ) -> Result<Standing, Error> {
        let queued = *queued;
        let command = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
            let held = text_queue::finish(work.tx, &queued)?;
            let told = match &report {
                Some(report) if held || report.status == MessageStatus::Sent => {
                    messages::report(work, queued.seq, report)?
                }
                _ => false,
            };
            if let Some(FollowUp { after_ms, report }) = later.as_ref().filter(|_| told) {
                let later = Later {
                    seq: queued.seq,
                    status: report.status,
                    failure_reason: report.failure_reason.clone(),
                };
                let job = JobRow {
                    team: queued.team,
                    id: format!("{REPORT_JOB}-{}", queued.seq),
                    kind: REPORT_JOB.to_owned(),
                    run_at: work.now.plus(*after_ms),
                    attempts: 0,
                    payload: serde_json::to_string(&later).unwrap_or_default(),
                };
                jobs::insert(work.tx, &job)?;
            }
            Ok(held.into())
        };
        self.0.board.run(queued.team, command).await
    }

    /// Brings what carriers say later.
    async fn reports(&self) -> Result<Looked, StoreError> {
        let (db, now) = (self.0.board.db(), self.0.board.now());
        // Looking costs nothing on disk; claiming does.
        let next = db.read(move |conn| jobs::next_due(conn, &KINDS, now)).await?;
        if next.is_none_or(|at| at > now) {
            return Ok(Looked { begun: 0, next });
        }
        let claimed = db
            .write(move |tx| jobs::claim(tx, &KINDS, now, LEASE_MS, CLAIM))
            .await?;
        let begun = claimed.len();
        for job in claimed {
            let (team, id) = (job.team, job.id.clone());
            if let Err(error) = self.bring(job).await {
                tracing::warn!(job.id = %id, team.key = team.0, error = %error, "a job failed; it will be tried again");
            }
        }
        let next = (begun > 0).then_some(now);
        Ok(Looked { begun, next })
    }

    async fn bring(&self, job: JobRow) -> Result<(), Error> {
        let team = job.team;
        let command = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
            let held = jobs::finish(work.tx, job.team, &job.id, job.attempts)?;
            if let Some(later) = serde_json::from_str::<Later>(&job.payload).ok().filter(|_| held) {
                let report = Report {
                    status: later.status,
                    carrier_ref: None,
                    failure_reason: later.failure_reason,
                };
                messages::report(work, later.seq, &report)?;
            }
            Ok(())
        };
        self.0.board.run(team, command).await
    }
}

fn failure(reason: String) -> Report {
    Report {
        status: MessageStatus::Failed,
        carrier_ref: None,
        failure_reason: Some(reason),
    }
}

/// The first whole millisecond at which `micros` have come.
const fn instant(micros: i64) -> Millis {
    Millis(micros.div_euclid(1_000) + (micros.rem_euclid(1_000) > 0) as i64)
}
