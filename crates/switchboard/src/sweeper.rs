//! Nothing is left hanging: calls whose process is gone are ended and completed, calls whose processing takes too
//! long are completed, and what is kept for a time only is deleted.

use trunkline_domain::Millis;
use trunkline_domain::call::Phase;
use trunkline_store::calls::LiveCall;
use trunkline_store::{
    Conn, StoreError, TeamKey, calls, events, idempotency, imports, invitations, nodes, people_changes,
    teams, text_counts,
};

use crate::{Error, Switchboard, calls as commands, invitations as inviting};

/// A process that was not seen for so long has abandoned its calls.
pub const NODE_TIMEOUT: i64 = 30 * Millis::SECOND;

/// How often a process says that it is alive.
pub const HEARTBEAT: i64 = 5 * Millis::SECOND;

/// Answers to requests with an idempotency key are kept so long.
pub const IDEMPOTENCY_WINDOW: i64 = Millis::HOUR;

/// What came of an import can be asked for so long after it was finished.
pub const KEEP_IMPORTS: i64 = 30 * Millis::DAY;

/// Invitations are remembered, and listed as expired, for so long after their end.
pub const KEEP_INVITATIONS: i64 = 30 * Millis::DAY;

/// The most live calls that are read at a time.
const LIVE_PAGE: i64 = 1_000;

/// The most events deleted in one transaction.
const PRUNE_STEP: i64 = 2_000;

/// Who else may be running calls on this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// Nobody: this process holds the data folder, so calls of any other process are abandoned.
    None,
    /// Other nodes may be alive: their calls are theirs until they are silent for [`NODE_TIMEOUT`].
    Possible,
}

/// Says that this process is alive. Must be called before its first call rings, and every [`HEARTBEAT`].
///
/// # Errors
/// The store's failure.
pub async fn heartbeat(board: &Switchboard) -> Result<(), StoreError> {
    let (node, now) = (board.node().to_owned(), board.now());
    board.db().write(move |tx| nodes::seen(tx, &node, now)).await
}

/// Says that this process has ended.
///
/// # Errors
/// The store's failure.
pub async fn farewell(board: &Switchboard) -> Result<(), StoreError> {
    let node = board.node().to_owned();
    board.db().write(move |tx| nodes::gone(tx, &node)).await
}

/// Ends and completes abandoned calls, completes those whose processing took too long. Returns how many.
///
/// # Errors
/// The store's failure; what was swept before it stays swept.
pub async fn sweep_calls(board: &Switchboard, others: Others) -> Result<usize, Error> {
    let (mut swept, mut after) = (0, None);
    loop {
        let live = board
            .db()
            .scan(move |conn| calls::live(conn, after, LIVE_PAGE))
            .await?;
        let now = board.now();
        for call in live
            .iter()
            .filter(|call| is_abandoned(call, board.node(), now, others))
        {
            swept += usize::from(sweep(board, call).await?);
        }
        after = live.last().map(|call| (call.team, call.seq));
        if after.is_none() {
            break;
        }
    }
    if swept > 0 {
        tracing::info!(calls = swept, "abandoned calls were ended and completed");
    }
    Ok(swept)
}

/// Ends and completes one call. One that cannot be swept does not keep the others hanging: tells whether it could.
async fn sweep(board: &Switchboard, call: &LiveCall) -> Result<bool, Error> {
    let (team, seq) = (call.team, call.seq);
    match board.run(team, move |work| commands::give_up(work, seq)).await {
        Ok(()) => Ok(true),
        Err(Error::Refused(refused)) => {
            tracing::error!(team.key = team.0, call.seq = seq, error = %refused, "a call could not be swept");
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

fn is_abandoned(call: &LiveCall, own: &str, now: Millis, others: Others) -> bool {
    if call.phase == Phase::Ended && call.process_by.is_some_and(|limit| limit <= now) {
        return true;
    }
    if call.node == own {
        return false;
    }
    match others {
        Others::None => true,
        Others::Possible => call.seen_at.is_none_or(|seen| now.since(seen) > NODE_TIMEOUT),
    }
}

/// Deletes what is kept for a time only: idempotency records, counts of days that are over, invitations that expired long ago,
/// processes long gone, and events older than `keep_events_ms`, in small steps.
///
/// # Errors
/// The store's failure; what was deleted before it stays deleted.
pub async fn prune(board: &Switchboard, keep_events_ms: i64) -> Result<u64, Error> {
    let now = board.now();
    let mut deleted = board
        .db()
        .write(move |tx| nodes::prune(tx, now.plus(-Millis::DAY)))
        .await?;
    for team in board
        .db()
        .scan(teams::list)
        .await?
        .into_iter()
        .map(|team| team.key)
    {
        deleted += board
            .db()
            .write(move |tx| idempotency::prune(tx, team, now.plus(-IDEMPOTENCY_WINDOW)))
            .await?;
        // A day that is two days ago in UTC is over everywhere.
        let over = now.0.div_euclid(Millis::DAY) - 2;
        deleted += board
            .db()
            .write(move |tx| text_counts::prune(tx, team, over))
            .await?;
        deleted += board
            .db()
            .write(move |tx| imports::prune(tx, team, now.plus(-KEEP_IMPORTS)))
            .await?;
        let ended = now.plus(-KEEP_INVITATIONS);
        // Nothing is locked where there is nothing to do.
        let expired = move |conn: &mut Conn<'_>| invitations::has_expired(conn, team, ended);
        if board.db().read(expired).await? {
            deleted += board.run(team, move |work| inviting::prune(work, ended)).await?;
        }
    }
    for (team, last) in board.db().scan(teams::last_events).await? {
        deleted += prune_events(board, team, last, now.plus(-keep_events_ms)).await?;
    }
    Ok(deleted)
}

async fn prune_events(
    board: &Switchboard,
    team: TeamKey,
    last: i64,
    before: Millis,
) -> Result<u64, StoreError> {
    let Some((first, _)) = board.db().read(move |conn| events::oldest(conn, team)).await? else {
        return Ok(0);
    };
    // It walks over all that is old, so it is asked once, and off the async threads.
    let young = board
        .db()
        .scan(move |conn| events::first_since(conn, team, first - 1, before))
        .await?;
    // The newest event always stays: it tells followers where the log stands.
    let until = young.unwrap_or(last).min(last) - 1;
    let (mut deleted, mut from) = (0, first - 1);
    while from < until {
        let to = (from + PRUNE_STEP).min(until);
        deleted += board
            .db()
            // An index of people reads what has changed within seconds, and all when its process starts.
            .write(move |tx| Ok::<_, StoreError>(events::prune(tx, team, from, to)? + people_changes::prune(tx, team, to)?))
            .await?;
        from = to;
    }
    Ok(deleted)
}
