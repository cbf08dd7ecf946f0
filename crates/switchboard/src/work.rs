//! The transaction a command runs in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use serde::Serialize;
use trunkline_domain::events::Topic;
use trunkline_domain::{ApiKeyId, Clock, ErrorCode, Id, Ids, Millis, Plan, UserId, ids::IdKind};
use trunkline_store::crypto::Fingerprints;
use trunkline_store::events::EventRow;
use trunkline_store::teams::{self, Counters};
use trunkline_store::{Db, StoreError, TeamKey, Tx, UnitError};

/// Where commands are run.
#[derive(Clone)]
pub struct Switchboard {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    node: Arc<str>,
    fingerprints: Option<Fingerprints>,
    erasures: Arc<AtomicU64>,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user of the team.
    User {
        /// Who.
        id: UserId,
        /// E-mail address.
        email: String,
        /// Name.
        name: String,
    },
    /// The product itself, or the operator at the command line.
    System,
}

impl Actor {
    /// The user, if it is one.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::System => None,
        }
    }

    /// The user's e-mail address, if it is a user.
    #[must_use]
    pub fn email(&self) -> Option<String> {
        match self {
            Self::User { email, .. } => Some(email.clone()),
            Self::System => None,
        }
    }
}

impl Switchboard {
    /// Commands over `db`; `node` names this process among those that run calls.
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, node: &str) -> Self {
        Self {
            db,
            clock,
            ids,
            node: node.into(),
            fingerprints: None,
            erasures: Arc::default(),
        }
    }

    /// The same with the key by which erased numbers are known again. Without it nobody can be erased.
    #[must_use]
    pub fn with_fingerprints(self, fingerprints: Fingerprints) -> Self {
        Self {
            fingerprints: Some(fingerprints),
            ..self
        }
    }

    /// A number that grows with every erasure of this process: what was read from the event log before it grew must be
    /// read again before it is sent to anybody.
    #[must_use]
    pub fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::SeqCst)
    }

    /// Says that stored events were changed.
    pub(crate) fn count_erasure(&self) {
        self.erasures.fetch_add(1, Ordering::SeqCst);
    }

    /// The database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The source of ids and secrets.
    #[must_use]
    pub fn ids(&self) -> &Arc<dyn Ids> {
        &self.ids
    }

    /// The name of this process among those that run calls.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Runs `command` in one transaction that holds the team's row. When this returns `Ok`, rows and events are on
    /// disk; when it returns an error, nothing happened.
    ///
    /// # Errors
    /// What `command` returned, `TEAM_NOT_FOUND`, or the store's failure.
    pub async fn run<T, E, F>(&self, team: TeamKey, mut command: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<crate::Error> + From<StoreError> + UnitError,
        F: FnMut(&mut Work<'_, '_>) -> Result<T, E> + Send + 'static,
    {
        let (clock, ids, node) = (self.clock.clone(), self.ids.clone(), self.node.clone());
        let fingerprints = self.fingerprints;
        self.db
            .write(move |tx| {
                let mut work = Work::begin(tx, team, clock.now(), ids.as_ref(), &node)?;
                work.fingerprints = fingerprints;
                let outcome = command(&mut work)?;
                work.finish()?;
                Ok(outcome)
            })
            .await
    }
}

/// A transaction that holds a team's row, with what commands need besides it.
pub struct Work<'w, 'c> {
    /// The transaction.
    pub tx: &'w mut Tx<'c>,
    /// The team.
    pub team: TeamKey,
    /// The instant at which the command runs.
    pub now: Millis,
    /// The source of ids.
    pub ids: &'w dyn Ids,
    /// The name of this process.
    pub node: &'w str,
    /// The team's country, by which national numbers are read.
    pub country: String,
    /// Whether tagging with an unknown tag creates the tag.
    pub create_tags: bool,
    /// What the team pays for.
    pub plan: Plan,
    /// Whether the team keeps to the French hours for marketing texts.
    pub marketing_hours: bool,
    /// The API key by which it is done; `None` for the command line and the product itself.
    pub key: Option<ApiKeyId>,
    /// What erased numbers are known by again.
    pub fingerprints: Option<Fingerprints>,
    zone: TimeZone,
    before: Counters,
    counters: Counters,
}

impl<'w, 'c> Work<'w, 'c> {
    /// Takes the team's row.
    ///
    /// # Errors
    /// `TEAM_NOT_FOUND`, or the store's failure.
    pub fn begin(
        tx: &'w mut Tx<'c>,
        team: TeamKey,
        now: Millis,
        ids: &'w dyn Ids,
        node: &'w str,
    ) -> Result<Self, crate::Error> {
        let locked = teams::lock(tx, team)?.ok_or(ErrorCode::TeamNotFound)?;
        Ok(Self {
            tx,
            team,
            now,
            ids,
            node,
            country: locked.country,
            create_tags: locked.create_tags,
            plan: locked.plan,
            marketing_hours: locked.marketing_hours,
            key: None,
            fingerprints: None,
            zone: TimeZone::get(&locked.time_zone).unwrap_or(TimeZone::UTC),
            before: locked.counters,
            counters: locked.counters,
        })
    }

    /// Keeps the counters. Called once, when the command has succeeded.
    ///
    /// # Errors
    /// The store's failure.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        if self.counters != self.before {
            teams::set_counters(self.tx, self.team, self.counters)?;
        }
        Ok(())
    }

    /// Appends an event with the team's next number. `item` is the timeline number it is about.
    ///
    /// # Errors
    /// The store's failure.
    pub fn emit<P: Serialize>(
        &mut self,
        topic: Topic,
        at: Millis,
        item: Option<i64>,
        payload: &P,
    ) -> Result<(), StoreError> {
        self.counters.event += 1;
        let payload = serde_json::to_string(payload).map_err(|error| StoreError::Column {
            column: 0,
            problem: format!("an event payload: {error}"),
        })?;
        let event = EventRow {
            seq: self.counters.event,
            topic,
            at,
            item,
            payload,
        };
        trunkline_store::events::append(self.tx, self.team, &event)
    }

    /// The team's next timeline number.
    pub const fn next_item(&mut self) -> i64 {
        self.counters.item += 1;
        self.counters.item
    }

    /// The team's next number for a conversation.
    pub const fn next_conversation(&mut self) -> i64 {
        self.counters.conversation += 1;
        self.counters.conversation
    }

    /// The team's next number for a line.
    pub const fn next_line(&mut self) -> i64 {
        self.counters.line += 1;
        self.counters.line
    }

    /// The team's time zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day of `at` in the team's time zone, since 1970-01-01.
    #[must_use]
    pub fn day(&self, at: Millis) -> i64 {
        at.day_in(&self.zone).into()
    }

    /// A new id for something that came to be at `at`.
    #[must_use]
    pub fn new_id<K: IdKind>(&self, at: Millis) -> Id<K> {
        Id::new(self.ids, at)
    }
}
