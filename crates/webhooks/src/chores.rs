//! What is done to many messages at once, in small steps, so that nobody else waits: skipping, replaying, pruning, and
//! putting retries right after the clock was set back.

use tokio_util::sync::CancellationToken;
use trunkline_domain::{DeliveryState, Millis};
use trunkline_store::{StoreError, TeamKey, Tx, webhook_messages, webhooks};
use trunkline_switchboard::Switchboard;
use trunkline_switchboard::webhooks::Replay;

/// Messages touched in one transaction.
const STEP: i64 = 500;

/// Finishes what endpoints were asked for: skipping what they missed, replaying what failed. One step for each in turn,
/// so that none waits for another's end.
///
/// # Errors
/// The store's failure; what was done stays done, and the rest is done the next time.
pub(crate) async fn catch_up(board: &Switchboard, stop: &CancellationToken) -> Result<(), StoreError> {
    let mut left = board.db().read(webhooks::chores).await?;
    while !left.is_empty() {
        let mut unfinished = Vec::new();
        for (team, endpoint) in left {
            if stop.is_cancelled() {
                return Ok(());
            }
            let now = board.now();
            if board.db().write(move |tx| step(tx, team, endpoint, now)).await? {
                unfinished.push((team, endpoint));
            }
        }
        left = unfinished;
    }
    Ok(())
}

/// One step for one endpoint. Returns whether there is more to do.
fn step(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, now: Millis) -> Result<bool, StoreError> {
    let Some(row) = webhooks::by_number(tx, team, endpoint)?.filter(|row| row.deleted_at.is_none()) else {
        return Ok(false);
    };
    if let Some(to) = row.skip_to {
        let skipped = webhook_messages::skip(tx, team, endpoint, to, STEP, now)?;
        if skipped == 0 {
            webhooks::end_skip(tx, team, endpoint)?;
        }
        return Ok(skipped > 0 || row.replay.is_some());
    }
    let Some(text) = row.replay else { return Ok(false) };
    let Ok(mut replay) = serde_json::from_str::<Replay>(&text) else {
        webhooks::set_replay(tx, team, endpoint, None)?;
        return Ok(false);
    };
    let failed = webhook_messages::given_up(tx, team, endpoint, DeliveryState::Failed, replay.before, STEP)?;
    for message in &failed {
        let wanted = replay.topics.is_empty() || replay.topics.contains(&message.topic);
        if wanted && message.at >= replay.since {
            webhook_messages::renew(tx, team, endpoint, message.event, now, Millis(i64::MAX))?;
        }
    }
    let rest = failed.last().map(|oldest| oldest.event);
    let next = rest.and_then(|before| {
        replay.before = before;
        serde_json::to_string(&replay).ok()
    });
    webhooks::set_replay(tx, team, endpoint, next.as_deref())?;
    Ok(next.is_some())
}

/// Deletes messages of events older than `keep_ms`, and everything of endpoints that were deleted. Returns how many.
///
/// # Errors
/// The store's failure; what was deleted stays deleted.
pub async fn prune(board: &Switchboard, keep_ms: i64) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for (team, endpoint, is_gone) in board.db().scan(webhooks::all).await? {
        let until = if is_gone {
            Millis(i64::MAX)
        } else {
            board.now().plus(-keep_ms)
        };
        loop {
            let step = board
                .db()
                .write(move |tx| {
                    let (count, more) = webhook_messages::prune(tx, team, endpoint, until, STEP)?;
                    if is_gone && !more {
                        webhooks::remove(tx, team, endpoint)?;
                    }
                    Ok::<_, StoreError>((count, more))
                })
                .await?;
            deleted += step.0;
            if !step.1 {
                break;
            }
        }
    }
    Ok(deleted)
}

/// Brings every message that is due later than now forward by `by` milliseconds: the clock was set back by as much.
///
/// # Errors
/// The store's failure; endpoints that were done stay done.
pub(crate) async fn clock_was_set_back(board: &Switchboard, by: i64) -> Result<(), StoreError> {
    for (team, endpoint, is_gone) in board.db().scan(webhooks::all).await? {
        if is_gone {
            continue;
        }
        // What was brought forward lies behind the border, so nothing is moved twice.
        let mut border = Some(board.now());
        while let Some(after) = border {
            border = board
                .db()
                .write(move |tx| webhook_messages::bring_forward(tx, team, endpoint, by, after, STEP))
                .await?;
        }
    }
    Ok(())
}
