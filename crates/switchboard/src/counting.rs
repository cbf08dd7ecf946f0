//! What is counted behind the scenes: items by the days of another time zone, when a team has changed it, and the parts of
//! texts that were stored before parts were counted.
//!
//! A team with few calls and texts is moved in the transaction that changes the time zone. What is left of one with many is
//! moved by whoever runs [`run`], a small transaction at a time, beside whatever else the team does. How far it has come is
//! in the team's row, so a crash does not end it, and it does not matter how many nodes are at it. Until it is done
//! [`teams::days`] says so, and reports by day have to wait; searches count the rows meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use trunkline_domain::Millis;
use trunkline_domain::analytics::LocalHours;
use trunkline_store::{TeamKey, rezoning, teams, usage};

use crate::{Error, Switchboard, Work};

/// Items that are moved in the transaction that changes the time zone.
pub const AT_ONCE: i64 = 2_000;

/// Items that are looked at in one transaction after that.
const ITEMS: i64 = 1_000;

/// Texts that are looked at in one transaction, to count the parts of those of which nobody has.
const TEXTS: i64 = 500;

/// The pause between two looks for what is to be counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Begins to count the team's items by the days of another time zone, which the team has from now on.
///
/// # Errors
/// The store's failure.
pub(crate) fn begin(work: &mut Work<'_, '_>, zone: &str) -> Result<(), Error> {
    move_days(work, zone, 0, AT_ONCE)
}

fn move_days(work: &mut Work<'_, '_>, zone: &str, after: i64, limit: i64) -> Result<(), Error> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let mut hours = LocalHours::new(&zone);
    let day_of = |at: Millis| hours.of(at).0;
    let last = rezoning::step(work.tx, work.team, day_of, after, limit)?;
    Ok(teams::set_days_after(work.tx, work.team, last)?)
}

/// Does the next small part of what is to be counted for the team. Tells whether there is more.
///
/// # Errors
/// The store's failure.
pub fn step(work: &mut Work<'_, '_>) -> Result<bool, Error> {
    let counting = teams::counting(work.tx, work.team)?;
    if let Some(after) = counting.days_after {
        let days = teams::days(work.tx, work.team)?;
        let zone = days.map(|days| days.time_zone).unwrap_or_default();
        move_days(work, &zone, after, ITEMS)?;
    } else if let Some(after) = counting.parts_after {
        let last = usage::count_parts(work.tx, work.team, after, TEXTS)?;
        teams::set_parts_after(work.tx, work.team, last)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Does one small part for each team of which something is to be counted, so that no team waits for all of another. Reports
/// wait for days and for nothing else: parts have their turn when no team's days are moved any more. A team that fails is
/// told in the log and put into `failed`, and those in it are passed over. Returns how many parts were done.
///
/// # Errors
/// The store's failure to say which teams there are.
pub async fn round(board: &Switchboard, failed: &mut BTreeSet<TeamKey>) -> Result<usize, Error> {
    let mut all = board.db().read(teams::all_counting).await?;
    all.retain(|(team, _)| !failed.contains(team));
    if all.iter().any(|(_, counting)| counting.days_after.is_some()) {
        all.retain(|(_, counting)| counting.days_after.is_some());
    }
    let mut steps = 0;
    for (team, _) in all {
        match board.run::<_, Error, _>(team, step).await {
            Ok(did) => steps += usize::from(did),
            Err(error) => {
                tracing::warn!(team = team.0, error = %error, "counting anew failed; it will be tried again");
                failed.insert(team);
            }
        }
    }
    Ok(steps)
}

/// Counts what is to be counted for all teams, but for those that fail. Returns in how many transactions.
///
/// # Errors
/// As [`round`]; what was counted before it stays counted.
pub async fn work_once(board: &Switchboard) -> Result<usize, Error> {
    let (mut steps, mut failed) = (0, BTreeSet::new());
    loop {
        let (before, tried) = (steps, failed.len());
        steps += round(board, &mut failed).await?;
        if (steps, failed.len()) == (before, tried) {
            return Ok(steps);
        }
    }
}

/// Counts what is to be counted until `stop` is over. What it is at then goes on at the next start.
pub async fn run(board: Switchboard, stop: impl Future<Output = ()>) {
    let work = async {
        loop {
            match work_once(&board).await {
                Ok(0) => {}
                Ok(steps) => tracing::info!(steps, "calls and texts are counted anew"),
                Err(error) => tracing::warn!(error = %error, "counting anew failed; it will be tried again"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = work => {}
    }
}
