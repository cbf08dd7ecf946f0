//! Hands texts to their carriers: jobs are claimed by lease, so that any number of nodes may do it, and a crash gives a
//! job back. A worker that is so slow that its lease has ended works for nothing: the job is somebody else's then.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use trunkline_domain::{MessageStatus, Millis};
use trunkline_store::StoreError;
use trunkline_store::crypto::Vault;
use trunkline_store::jobs::{self, JobRow};
use trunkline_switchboard::messages::{self, Report, SEND_JOB};
use trunkline_switchboard::{Error, Switchboard};

use crate::carrier::{Accepted, Carriers, SendError};

/// The kind of job that brings what a carrier says later.
const REPORT_JOB: &str = "message.report";

/// What this worker does; other kinds of jobs are other workers'.
pub const KINDS: [&str; 2] = [SEND_JOB, REPORT_JOB];

/// For how long a claimed job is this process's. Work on it begins with at least half of that left, which is more than a
/// carrier may take to answer.
const LEASE_MS: i64 = Millis::MINUTE;

/// The most jobs claimed at a time.
const CLAIM: i64 = 64;

/// How often a text is offered to its carrier before it fails.
const MAX_ATTEMPTS: i64 = 8;

/// The longest sleep between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a report job carries.
#[derive(Debug, Serialize, Deserialize)]
struct Later {
    seq: i64,
    status: MessageStatus,
    failure_reason: Option<String>,
}

/// Works until `stop` is cancelled; what was begun is finished.
pub async fn run(board: Switchboard, carriers: Carriers, vault: Vault, stop: CancellationToken) {
    let mut appended = board.db().appended();
    while !stop.is_cancelled() {
        match work_once(&board, &carriers, &vault).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(error = %error, "jobs could not be worked on; trying again"),
        }
        let pause = sleep_ms(&board).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            _ = appended.changed() => {}
        }
    }
}

async fn sleep_ms(board: &Switchboard) -> Duration {
    let now = board.now();
    let next = board
        .db()
        .read(move |conn| jobs::next_due(conn, &KINDS, now))
        .await
        .ok()
        .flatten();
    let until = next.map_or(LOOK_EVERY, |at| {
        Duration::from_millis(u64::try_from(at.since(now)).unwrap_or(0))
    });
    until.clamp(Duration::from_millis(5), LOOK_EVERY)
}

/// Works on what is due now. Returns how many jobs there were.
///
/// # Errors
/// The store's failure.
pub async fn work_once(board: &Switchboard, carriers: &Carriers, vault: &Vault) -> Result<usize, StoreError> {
    let now = board.now();
    // Looking costs nothing on disk; claiming does.
    if board
        .db()
        .read(move |conn| jobs::next_due(conn, &KINDS, now))
        .await?
        .is_none_or(|at| at > now)
    {
        return Ok(0);
    }
    let claimed = board
        .db()
        .write(move |tx| jobs::claim(tx, &KINDS, now, LEASE_MS, CLAIM))
        .await?;
    let count = claimed.len();
    for job in claimed {
        let (team, id) = (job.team, job.id.clone());
        let outcome = match hold(board, &job, now.plus(LEASE_MS)).await {
            Ok(true) => work_on(board, carriers, vault, job).await,
            Ok(false) => Ok(Standing::Lost),
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(Standing::Held) => {}
            Ok(Standing::Lost) => {
                tracing::info!(job.id = %id, team.key = team.0, "a job took so long that another worker has it now");
            }
            Err(error) => {
                tracing::warn!(job.id = %id, team.key = team.0, error = %error, "a job failed; it will be tried again");
            }
        }
    }
    Ok(count)
}

/// Whose a job is, once it was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Ours.
    Held,
    /// Another worker's, who claimed it after our lease had ended.
    Lost,
}

impl From<bool> for Standing {
    fn from(held: bool) -> Self {
        if held { Self::Held } else { Self::Lost }
    }
}

/// Makes sure that a claimed job is ours for long enough to work on it: those before it may have taken their time.
async fn hold(board: &Switchboard, job: &JobRow, leased_until: Millis) -> Result<bool, StoreError> {
    let now = board.now();
    if leased_until.since(now) >= LEASE_MS / 2 {
        return Ok(true);
    }
    let job = job.clone();
    board
        .db()
        .write(move |tx| jobs::renew(tx, job.team, &job.id, job.attempts, now.plus(LEASE_MS)))
        .await
}

async fn work_on(
    board: &Switchboard,
    carriers: &Carriers,
    vault: &Vault,
    job: JobRow,
) -> Result<Standing, Error> {
    match job.kind.as_str() {
        SEND_JOB => send(board, carriers, vault, job).await,
        REPORT_JOB => {
            let later: Option<Later> = serde_json::from_str(&job.payload).ok();
            let report = later.map(|later| {
                let report = Report {
                    status: later.status,
                    carrier_ref: None,
                    failure_reason: later.failure_reason,
                };
                (later.seq, report)
            });
            finish(board, job, report, None).await
        }
        // Never claimed.
        _ => Ok(Standing::Held),
    }
}

async fn send(
    board: &Switchboard,
    carriers: &Carriers,
    vault: &Vault,
    job: JobRow,
) -> Result<Standing, Error> {
    let (team, seq) = (job.team, job.payload.parse::<i64>().unwrap_or(0));
    let read = board
        .db()
        .read(move |conn| messages::outgoing(conn, team, seq))
        .await?;
    let Some(mut text) = read.filter(|text| text.status == MessageStatus::Pending) else {
        return finish(board, job, None, None).await;
    };
    text.attempts = job.attempts;
    let settings = match &text.line.carrier_settings {
        Some(sealed) => Some(vault.open(&text.line.id.to_string(), sealed)?),
        None => None,
    };
    let outcome = match carriers.get(&text.line.carrier) {
        Some(carrier) => carrier.send(&text, settings.as_deref()).await,
        None => Err(SendError::Refused(format!(
            "this server has no carrier named {}",
            text.line.carrier
        ))),
    };
    let failed = |reason: String| Report {
        status: MessageStatus::Failed,
        carrier_ref: None,
        failure_reason: Some(reason),
    };
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
            let later = follow_up.map(|follow_up| {
                let Report {
                    status,
                    failure_reason,
                    ..
                } = follow_up.report;
                (
                    follow_up.after_ms,
                    Later {
                        seq,
                        status,
                        failure_reason,
                    },
                )
            });
            finish(board, job, Some((seq, report)), later).await
        }
        Err(SendError::Refused(reason)) => finish(board, job, Some((seq, failed(reason))), None).await,
        Err(SendError::Later(reason)) if job.attempts >= MAX_ATTEMPTS => {
            finish(board, job, Some((seq, failed(reason))), None).await
        }
        Err(SendError::Later(_)) => {
            // 0.5 s, 1 s, 2 s, … 64 s.
            let pause = 500 << job.attempts.clamp(1, 8).saturating_sub(1);
            let at = board.now().plus(pause);
            let held = board
                .db()
                .write(move |tx| jobs::postpone(tx, team, &job.id, job.attempts, at))
                .await?;
            Ok(held.into())
        }
    }
}

/// Reports, schedules what comes later and removes the job, all in one transaction. Of a job that is another worker's by
/// now only this is kept: a text that a carrier has taken is taken, whoever asked it to.
async fn finish(
    board: &Switchboard,
    job: JobRow,
    report: Option<(i64, Report)>,
    later: Option<(i64, Later)>,
) -> Result<Standing, Error> {
    board
        .run(job.team, move |work| {
            let held = jobs::finish(work.tx, job.team, &job.id, job.attempts)?;
            let told = match &report {
                Some((seq, report)) if held || report.status == MessageStatus::Sent => {
                    messages::report(work, *seq, report)?
                }
                _ => false,
            };
            if let Some((after_ms, later)) = later.as_ref().filter(|_| told) {
                let later = JobRow {
                    team: job.team,
                    id: format!("{}-report", job.id),
                    kind: REPORT_JOB.to_owned(),
                    run_at: work.now.plus(*after_ms),
                    attempts: 0,
                    payload: serde_json::to_string(later).unwrap_or_default(),
                };
                jobs::insert(work.tx, &later)?;
            }
            Ok(held.into())
        })
        .await
}
