//! `trunkline doctor`: checks what can be checked from outside, and says what to mend.

use std::path::Path;

use anyhow::Result;
use jiff::tz::TimeZone;
use serde::Serialize;
use trunkline_domain::analytics::{self, DateRange};
use trunkline_domain::{Clock, Millis, RandomIds, SystemClock};
use trunkline_search::{SearchError, SearchIndex};
use trunkline_store::installation::KeyState;
use trunkline_store::{Db, StoreError, Tx, analytics_upkeep, calls, nodes, people_upkeep, teams, transfer};

use crate::commands::transfer::import::is_abandoned;
use crate::commands::webhooks;
use crate::config::Config;
use crate::{media, open, output};

/// The name of the check of the secret key.
const SECRET_KEY: &str = "secret key";

/// Less room than this is worth a word, in bytes.
const LOW_DISK: u64 = 1 << 30;

/// Days of a team that are looked at.
const SAMPLES: i64 = 8;

/// People of a team that are looked at.
const PEOPLE: i64 = 500;

/// The most sick endpoints that are named.
const NAMED: usize = 5;

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
}

fn finding(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Finding {
    Finding {
        check,
        verdict,
        detail: detail.into(),
    }
}

/// Checks everything; `false` when something is to be mended.
pub async fn run(config: Result<Config>, as_json: bool) -> Result<bool> {
    let mut findings = Vec::new();
    match config {
        Ok(config) => {
            findings.push(finding(
                "configuration",
                Verdict::Ok,
                "every key is known and of the right type",
            ));
            let of_database = database(&config).await;
            if of_database.iter().all(|finding| finding.check != SECRET_KEY) {
                findings.push(secret(&config));
            }
            findings.extend(of_database);
            findings.push(kept(&config).await);
            findings.push(disk(&config.storage.data_dir));
            findings.push(index(&config));
            findings.push(clock(&config.storage.data_dir));
        }
        Err(error) => findings.push(finding("configuration", Verdict::Failed, output::explain(&error))),
    }
    let healthy = findings.iter().all(|finding| finding.verdict != Verdict::Failed);
    if as_json {
        output::json(&findings)?;
    } else {
        for Finding {
            check,
            verdict,
            detail,
        } in &findings
        {
            let mark = match verdict {
                Verdict::Ok => "ok     ",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED ",
            };
            output::line(format!("{mark}  {check:<14} {detail}"))?;
        }
    }
    Ok(healthy)
}

fn secret(config: &Config) -> Finding {
    match open::sealed(config) {
        Ok(Some(_)) => finding(SECRET_KEY, Verdict::Ok, "there is one"),
        Ok(None) => finding(
            SECRET_KEY,
            Verdict::Warning,
            "there is none yet; the first start of the server makes it",
        ),
        Err(error) => finding(SECRET_KEY, Verdict::Failed, output::explain(&error)),
    }
}

/// A database whose secrets are sealed with another key, or whose key is not here.
async fn another_key(config: &Config, db: &Db) -> Option<Finding> {
    let known = open::sealed(config).ok()?;
    let is_there = known.is_some();
    match open::key_state(db, known).await {
        Ok(KeyState::Foreign) => {
            let problem = open::foreign_key(config, is_there);
            Some(finding(SECRET_KEY, Verdict::Failed, problem))
        }
        Ok(KeyState::Ours | KeyState::Unknown) => None,
        Err(error) => Some(finding(SECRET_KEY, Verdict::Failed, error.to_string())),
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let opened = tokio::task::block_in_place(|| Db::open(&open::location(config), open::options(config)));
    let db = match opened {
        Ok(db) => db,
        Err(error) => return vec![finding("database", Verdict::Failed, error.to_string())],
    };
    let read = db
        .scan(|conn| -> Result<_, StoreError> {
            Ok((teams::list(conn)?.len(), calls::live(conn, None, 10_001)?))
        })
        .await;
    let now = SystemClock.now();
    // What changes nothing is not written: a row comes and goes in one transaction.
    let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        nodes::seen(tx, "doctor", now)?;
        nodes::gone(tx, "doctor")
    };
    let written = db.write(write).await;
    let mut findings = Vec::new();
    match read {
        Ok((teams, live)) => {
            findings.push(finding(
                "database",
                Verdict::Ok,
                format!("{} answers; teams: {teams}", db.engine()),
            ));
            let overdue = live
                .iter()
                .filter(|call| call.process_by.is_some_and(|limit| limit < SystemClock.now()))
                .count();
            findings.push(if overdue > 0 {
                finding(
                    "calls",
                    Verdict::Warning,
                    format!("{overdue} ended calls wait to be completed; a running server sweeps them"),
                )
            } else {
                finding("calls", Verdict::Ok, format!("{} live, none overdue", live.len()))
            });
        }
        Err(error) => findings.push(finding("database", Verdict::Failed, error.to_string())),
    }
    if let Err(error) = written {
        findings.push(finding("writing", Verdict::Failed, error.to_string()));
    } else {
        findings.push(finding("writing", Verdict::Ok, "a write was committed"));
    }
    findings.extend(another_key(config, &db).await);
    findings.push(figures(&db).await);
    findings.push(people(&db).await);
    findings.extend(leftovers(&db).await);
    findings.push(endpoints(&db).await);
    findings.extend(nodes_apart(config, &db).await);
    findings.extend(undeleted(&db).await);
    drop(tokio::task::spawn_blocking(move || db.close()).await);
    findings
}

/// Compares what reports read with the calls, on days of every team that lie evenly between its first and its last.
async fn figures(db: &Db) -> Finding {
    let compared = db
        .scan(|conn| -> Result<_, StoreError> {
            let (mut days, mut wrong, mut moving) = (0, Vec::new(), 0);
            for team in teams::list(conn)? {
                if teams::days(conn, team.key)?.is_some_and(|days| days.are_moving) {
                    moving += 1;
                    continue;
                }
                let zone = TimeZone::get(&team.time_zone).unwrap_or(TimeZone::UTC);
                let Some((first, last)) = analytics_upkeep::bounds(conn, team.key)? else {
                    continue;
                };
                let (first, last) = (i64::from(first.day_in(&zone)), i64::from(last.day_in(&zone)));
                let step = ((last - first) / (SAMPLES - 1)).max(1);
                let sample = (first..last)
                    .step_by(usize::try_from(step).unwrap_or(1))
                    .chain([last]);
                for day in sample {
                    let Some(date) = analytics::date_of(day) else {
                        continue;
                    };
                    let Ok(range) = DateRange::new(date, date) else {
                        continue;
                    };
                    let span = range.span(&zone);
                    days += 1;
                    if !conn.at_one_moment(|conn| analytics_upkeep::agrees(conn, team.key, &span))? {
                        wrong.push(format!("{date} of {}", team.id));
                    }
                }
            }
            Ok((days, wrong, moving))
        })
        .await;
    match compared {
        Ok((_, wrong, moving)) if wrong.is_empty() && moving > 0 => finding(
            "analytics",
            Verdict::Warning,
            format!("figures are being moved to another time zone by the server; teams: {moving}"),
        ),
        Ok((days, wrong, _)) if wrong.is_empty() => finding(
            "analytics",
            Verdict::Ok,
            format!("figures agree with the calls on {days} days looked at"),
        ),
        Ok((days, wrong, _)) => {
            let named: Vec<&str> = wrong.iter().take(NAMED).map(String::as_str).collect();
            let detail = format!(
                "on {} of {days} days looked at, figures differ from the calls ({}): run `trunkline reindex --analytics`",
                wrong.len(),
                named.join(", ")
            );
            finding("analytics", Verdict::Failed, detail)
        }
        Err(error) => finding("analytics", Verdict::Failed, error.to_string()),
    }
}

/// Compares what searches for people look into with the people: the oldest of each team, whom migrations have touched most.
async fn people(db: &Db) -> Finding {
    let looked = db
        .scan(|conn| -> Result<_, StoreError> {
            let (mut people, mut wrong) = (0, 0);
            for team in teams::list(conn)? {
                let looked = conn.at_one_moment(|conn| people_upkeep::look(conn, team.key, None, PEOPLE))?;
                (people, wrong) = (people + looked.people, wrong + looked.wrong.len());
            }
            Ok((people, wrong))
        })
        .await;
    match looked {
        Ok((people, 0)) => finding(
            "people",
            Verdict::Ok,
            format!("{people} looked at can be found as they are"),
        ),
        Ok((people, wrong)) => finding(
            "people",
            Verdict::Warning,
            format!(
                "{wrong} of {people} people looked at are not found by all they have: run `trunkline reindex --people`"
            ),
        ),
        Err(error) => finding("people", Verdict::Failed, error.to_string()),
    }
}

/// What imports of teams left behind whose process was killed: rows that nothing leads to.
async fn leftovers(db: &Db) -> Option<Finding> {
    let left = match db.scan(transfer::unfinished).await {
        Ok(left) => left,
        Err(error) => return Some(finding("imports", Verdict::Failed, error.to_string())),
    };
    let now = SystemClock.now();
    let abandoned = left.iter().filter(|(_, seen)| is_abandoned(*seen, now)).count();
    let detail = format!(
        "imports of teams that were interrupted: {abandoned}; the next `trunkline import team` deletes what they left"
    );
    (abandoned > 0).then(|| finding("imports", Verdict::Warning, detail))
}

/// Webhook endpoints that fail are their owners' to mend; the operator is told.
async fn endpoints(db: &Db) -> Finding {
    let all = match webhooks::glances(db, None).await {
        Ok(all) => all,
        Err(error) => return finding("webhooks", Verdict::Failed, error.to_string()),
    };
    let sick: Vec<&webhooks::Glance> = all.iter().filter(|endpoint| endpoint.is_sick()).collect();
    if sick.is_empty() {
        return finding(
            "webhooks",
            Verdict::Ok,
            format!("endpoints: {}, none fails", all.len()),
        );
    }
    let named: Vec<String> = sick.iter().take(NAMED).map(|endpoint| endpoint.brief()).collect();
    let more = if sick.len() > NAMED {
        "; `trunkline webhooks` shows all"
    } else {
        ""
    };
    let detail = format!(
        "{} of {} endpoints: {}{more}",
        sick.len(),
        all.len(),
        named.join("; ")
    );
    finding("webhooks", Verdict::Warning, detail)
}

/// Nodes that do not see each other's media.
async fn nodes_apart(config: &Config, db: &Db) -> Option<Finding> {
    match media::apart(config, db, SystemClock.now()).await {
        Ok(nodes) => (nodes > 1).then(|| finding("nodes", Verdict::Warning, media::APART)),
        Err(error) => Some(finding("nodes", Verdict::Failed, error.to_string())),
    }
}

/// Erasures that are not complete because where media are kept does not delete them.
async fn undeleted(db: &Db) -> Option<Finding> {
    match media::undeleted(db).await {
        Ok(0) => None,
        Ok(files) => {
            let detail = format!(
                "media of erased people that could not be deleted yet: {files}; the server tries again, and its log tells why \
                 it fails"
            );
            Some(finding("erasures", Verdict::Warning, detail))
        }
        Err(error) => Some(finding("erasures", Verdict::Failed, error.to_string())),
    }
}

/// Tries whether media can be kept.
async fn kept(config: &Config) -> Finding {
    match media::probe(config, &RandomIds, &SystemClock).await {
        Ok(Some(place)) => finding("media", Verdict::Ok, format!("kept in {place}, which was tried")),
        Ok(None) => finding(
            "media",
            Verdict::Ok,
            "the first start of the server makes their folder",
        ),
        Err(error) => finding("media", Verdict::Failed, output::explain(&error)),
    }
}

fn disk(dir: &Path) -> Finding {
    match open::free_room(dir) {
        Some(free) if free < LOW_DISK => finding(
            "disk",
            Verdict::Failed,
            format!(
                "only {} MiB are free under {}: make room",
                free >> 20,
                dir.display()
            ),
        ),
        Some(free) => finding("disk", Verdict::Ok, format!("{} GiB are free", free >> 30)),
        None => finding(
            "disk",
            Verdict::Warning,
            format!("the free room under {} could not be found out", dir.display()),
        ),
    }
}

fn index(config: &Config) -> Finding {
    let dir = open::index_dir(config);
    match SearchIndex::inspect(&dir) {
        Ok(Some(items)) => finding(
            "text index",
            Verdict::Ok,
            format!("{items} items, in {}", dir.display()),
        ),
        Ok(None) => finding(
            "text index",
            Verdict::Warning,
            "there is none yet; the next start of the server builds it",
        ),
        Err(SearchError::InUse { .. }) => {
            finding("text index", Verdict::Ok, "a running server has it in use")
        }
        Err(error) => finding(
            "text index",
            Verdict::Warning,
            format!(
                "{}; the next start of the server builds it anew",
                output::explain(&anyhow::Error::from(error))
            ),
        ),
    }
}

/// Compares the clock with the newest file the server wrote: a clock that fell back is a clock to mend.
fn clock(dir: &Path) -> Finding {
    let now = SystemClock.now();
    let newest = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let modified = entry.metadata().ok()?.modified().ok()?;
            let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_millis()).ok().map(Millis)
        });
    let ahead = newest.max().map_or(0, |newest| newest.since(now));
    if ahead > Millis::MINUTE || now < Millis(1_700_000_000_000) {
        let detail = format!(
            "the clock shows {now}, and files are newer by {} s: set the clock (NTP)",
            ahead / 1_000
        );
        return finding("clock", Verdict::Failed, detail);
    }
    finding("clock", Verdict::Ok, format!("{now}"))
}
