//! Recording: what attempts came to, in one transaction a batch.

use std::collections::BTreeMap;

use trunkline_domain::Millis;
use trunkline_domain::webhook::Breaker;
use trunkline_store::webhook_messages::{self, Settled};
use trunkline_store::{StoreError, TeamKey, Tx, webhooks};

use crate::attempt;

/// What a batch says of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// The last success, if there was one that is to be stored.
    pub success: Option<Millis>,
    /// The last failure behind the last success, and how it failed.
    pub failure: Option<(Millis, String)>,
}

/// What is to be stored of a team.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Messages.
    pub settled: Vec<Settled>,
    /// Endpoints, by number.
    pub health: BTreeMap<i64, Health>,
}

impl Batch {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.health.is_empty()
    }

    /// Takes at most `most` messages out, and all that is to be said of endpoints.
    pub(crate) fn take(&mut self, most: usize) -> Self {
        let rest = self.settled.split_off(most.min(self.settled.len()));
        Self {
            settled: std::mem::replace(&mut self.settled, rest),
            health: std::mem::take(&mut self.health),
        }
    }

    /// Forgets what receivers answered: it may repeat what was erased since.
    pub(crate) fn forget_replies(&mut self) {
        for settled in &mut self.settled {
            settled.attempts = attempt::without_replies(&settled.attempts);
        }
    }

    /// Puts what could not be stored before what came later.
    pub(crate) fn put_back(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        self.settled.extend(later.settled);
        for (endpoint, health) in later.health {
            let mine = self.health.entry(endpoint).or_default();
            if health.success.is_some() {
                *mine = health;
            } else {
                mine.failure = health.failure.or(mine.failure.take());
            }
        }
    }
}

/// Stores a batch. Returns the endpoints whose breaker has opened.
///
/// # Errors
/// The store's failure.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    team: TeamKey,
    batch: &Batch,
    now: Millis,
) -> Result<Vec<i64>, StoreError> {
    for settled in &batch.settled {
        // A message that somebody else has claimed since is theirs to settle.
        webhook_messages::settle(tx, team, settled, now)?;
    }
    let mut opened = Vec::new();
    for (endpoint, health) in &batch.health {
        if let Some(at) = health.success {
            webhooks::succeeded(tx, team, *endpoint, at)?;
        }
        let Some((at, error)) = &health.failure else {
            continue;
        };
        let Some(stored) = webhooks::breaker(tx, team, *endpoint)? else {
            continue;
        };
        let before: Breaker = stored
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let (after, tripped) = before.on_failure(*at);
        let text = serde_json::to_string(&after).unwrap_or_default();
        webhooks::failed(tx, team, *endpoint, *at, error, &text)?;
        // One that is open already and still enabled was opened by a process that did not come to disable it.
        if tripped.is_some() || after.is_open() {
            opened.push(*endpoint);
        }
    }
    Ok(opened)
}
