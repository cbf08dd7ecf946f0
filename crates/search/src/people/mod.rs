//! The index of people: who has some text somewhere, in which order, and how many, without walking over a team's rows.
//!
//! It is a copy in memory of what searches look into, laid out by field, and never on the disk: a person that is erased is
//! gone from it with the next search, and a restart makes it anew from the rows. Before a search is answered, whoever was
//! written since the last one is read from the database, in the same moment of it as the rest of the answer; so what a client
//! just wrote is found. Teams with few people have none, and those beyond the bound of all together: their searches walk.

mod companies;
mod emails;
mod grams;
mod postings;
mod segment;
mod select;
mod team;
mod values;
mod wanted;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trunkline_store::crm::{self, Kind, Place, Sort};
use trunkline_store::people::PeopleFilter;
use trunkline_store::{Conn, Db, StoreError, TeamKey, people_changes as changes, teams};

use crate::SearchError;
use crate::writing::blocking;
use segment::SegmentBuilder;
use team::{Changes, Chore, Done, Team};

pub use team::PeoplePage;

/// People that are read together while a team is read.
const READ: i64 = 4_000;

/// The pause after a first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What may be adjusted.
#[derive(Clone, Copy, Debug)]
pub struct PeopleOptions {
    /// Teams with fewer people are not in the index.
    pub from: u64,
    /// The most people of all teams together that are in the index; about 350 bytes each. When teams outgrow it, one
    /// leaves, and comes back once an eighth of it is free beside it.
    pub most: u64,
    /// So many people who changed lately are looked at one by one before they are laid out.
    pub fresh: usize,
    /// How long changes gather before they are read although nobody searches.
    pub gather: Duration,
    /// How often changes of other processes are looked for.
    pub poll: Duration,
}

impl Default for PeopleOptions {
    fn default() -> Self {
        Self {
            from: 2_000,
            most: 2_000_000,
            fresh: 4_096,
            gather: Duration::from_millis(100),
            poll: Duration::from_secs(1),
        }
    }
}

/// What the index says to a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This.
    Page(PeoplePage),
    /// It knows what came after this moment of the database: ask again in a later one.
    Later,
    /// The team is not in it.
    Absent,
}

/// The index of people. Cheap to clone.
#[derive(Clone)]
pub struct PeopleIndex(Arc<Shared>);

struct Shared {
    db: Db,
    options: PeopleOptions,
    teams: RwLock<HashMap<TeamKey, Arc<RwLock<Team>>>>,
    /// Teams that were searched though they are not in the index.
    missed: Mutex<BTreeSet<TeamKey>>,
    /// Teams that found no room. Told once each.
    refused: Mutex<BTreeSet<TeamKey>>,
    /// Wakes the upkeep.
    wake: Notify,
}

impl PeopleIndex {
    /// An index of nobody yet; [`PeopleIndex::run`] fills it.
    #[must_use]
    pub fn new(db: Db, options: PeopleOptions) -> Self {
        Self(Arc::new(Shared {
            db,
            options,
            teams: RwLock::default(),
            missed: Mutex::default(),
            refused: Mutex::default(),
            wake: Notify::new(),
        }))
    }

    /// Finds the people of a team that the filter lets through, numbers left aside: what they are at the moment of the
    /// database that `conn` reads.
    ///
    /// # Errors
    /// Of the engine.
    pub fn search(
        &self,
        conn: &mut Conn<'_>,
        key: TeamKey,
        filter: &PeopleFilter,
        sort: Sort,
        place: &Place,
        limit: i64,
    ) -> Result<Answer, StoreError> {
        let known = self.0.teams.read().get(&key).cloned();
        let Some(team) = known else {
            if self.0.missed.lock().insert(key) {
                self.0.wake.notify_one();
            }
            return Ok(Answer::Absent);
        };
        let since = team.read().synced();
        let (event, changes) = Changes::read(conn, key, since)?;
        let guard = match changes {
            None => team.read(),
            Some(changes) => {
                let mut writing = team.write();
                writing.sync(changes);
                RwLockWriteGuard::downgrade(writing)
            }
        };
        if guard.synced() > event {
            return Ok(Answer::Later);
        }
        guard
            .search(conn, key, filter, sort, place, limit)
            .map(Answer::Page)
    }

    /// How many people are in the index.
    #[must_use]
    pub fn people(&self) -> usize {
        let teams: Vec<_> = self.0.teams.read().values().cloned().collect();
        teams.iter().map(|team| team.read().people()).sum()
    }

    /// Fills the index and keeps it quick until `cancellation`. Failures are logged and tried again, with growing pauses.
    pub async fn run(self, cancellation: CancellationToken) {
        let PeopleOptions { gather, poll, .. } = self.0.options;
        let mut appended = self.0.db.appended();
        let mut teams = self
            .0
            .db
            .scan(teams::list)
            .await
            .unwrap_or_default()
            .into_iter()
            .map(|team| team.key)
            .collect();
        let mut pause = FIRST_PAUSE;
        loop {
            let done = cancellation.run_until_cancelled(self.look_after(teams)).await;
            let Some(done) = done else { return };
            let waiting = async {
                match done {
                    Ok(()) => {
                        pause = FIRST_PAUSE;
                        tokio::select! {
                            () = self.0.wake.notified() => {}
                            Ok(()) = appended.changed() => tokio::time::sleep(gather).await,
                            () = tokio::time::sleep(poll) => {}
                        }
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the index of people could not be kept up; it will be tried again"
                        );
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            };
            if cancellation.run_until_cancelled(waiting).await.is_none() {
                return;
            }
            teams = std::mem::take(&mut *self.0.missed.lock())
                .into_iter()
                .collect::<Vec<_>>();
        }
    }

    /// Reads teams into the index, and keeps up with those that are in it.
    async fn look_after(&self, teams: Vec<TeamKey>) -> Result<(), SearchError> {
        let mut failure = Ok(());
        for key in teams {
            if let Err(error) = self.read(key).await {
                self.0.missed.lock().insert(key);
                failure = Err(error);
            }
        }
        self.keep_up().await.and(failure)
    }

    /// Reads a team into the index, unless it is in already, has few people, or there are too many in all. Tells whether it
    /// is in.
    ///
    /// # Errors
    /// [`SearchError::Store`] when the database cannot be read.
    pub async fn read(&self, key: TeamKey) -> Result<bool, SearchError> {
        if self.0.teams.read().contains_key(&key) {
            return Ok(true);
        }
        let db = &self.0.db;
        let count = db
            .read(move |conn| crm::total(conn, key, Kind::Person))
            .await?
            .unsigned_abs();
        if count < self.0.options.from {
            return Ok(false);
        }
        let most = self.0.options.most;
        let room = if self.0.refused.lock().contains(&key) {
            most - most / 8
        } else {
            most
        };
        if self.people() as u64 + count > room {
            self.refuse(key, count);
            return Ok(false);
        }
        let mut team = db.scan(move |conn| Team::begin(conn, key)).await?;
        let (mut builder, mut after) = (SegmentBuilder::default(), None);
        loop {
            let people = db
                .scan(move |conn| changes::texts_behind(conn, key, after, READ))
                .await?;
            let Some(last) = people.last() else { break };
            after = Some(last.id);
            (team, builder) = blocking(move || {
                team.lay_out(&mut builder, &people);
                (team, builder)
            })
            .await?;
        }
        let people = builder.len();
        let team = blocking(move || {
            team.complete(builder);
            team
        })
        .await?;
        self.0.teams.write().insert(key, Arc::new(RwLock::new(team)));
        self.0.refused.lock().remove(&key);
        tracing::debug!(team.key = key.0, people, "a team is in the index of people");
        Ok(true)
    }

    fn refuse(&self, key: TeamKey, people: u64) {
        if self.0.refused.lock().insert(key) {
            tracing::warn!(
                team.key = key.0,
                people,
                "the index of people has no room for this team; its searches walk over its rows: see search.people"
            );
        }
    }

    /// Lets teams go that have outgrown the bound: the smallest whose leaving is enough, for the walks of large ones are
    /// the slowest.
    fn make_room(&self) {
        loop {
            let mut sizes: Vec<(u64, TeamKey)> = self
                .0
                .teams
                .read()
                .iter()
                .map(|(key, team)| (team.read().people() as u64, *key))
                .collect();
            sizes.sort_unstable();
            let all: u64 = sizes.iter().map(|(people, _)| people).sum();
            let Some(excess) = all.checked_sub(self.0.options.most).filter(|excess| *excess > 0) else {
                return;
            };
            let enough = sizes.iter().find(|(people, _)| *people >= excess);
            let Some((people, key)) = enough.or(sizes.last()).copied() else {
                return;
            };
            self.0.teams.write().remove(&key);
            self.refuse(key, people);
        }
    }

    /// Reads what has changed, lays out anew what searches would be slow in, and lets teams go that have no room any more.
    ///
    /// # Errors
    /// [`SearchError::Store`] when the database cannot be read.
    pub async fn keep_up(&self) -> Result<(), SearchError> {
        let teams: Vec<(TeamKey, Arc<RwLock<Team>>)> = self
            .0
            .teams
            .read()
            .iter()
            .map(|(key, team)| (*key, team.clone()))
            .collect();
        for (key, team) in teams {
            let since = team.read().synced();
            let catch_up = move |conn: &mut Conn<'_>| {
                conn.at_one_moment(|conn| Changes::read(conn, key, since))
                    .map(|(_, changes)| changes)
            };
            let standing = self.0.db.read(move |conn| changes::standing(conn, key, since));
            if standing.await.map_err(SearchError::Store)?.1
                && let Some(changes) = self.0.db.scan(catch_up).await.map_err(SearchError::Store)?
            {
                team.write().sync(changes);
            }
            let fresh = self.0.options.fresh.max(1);
            blocking(move || tidy(&team, fresh)).await?;
        }
        self.make_room();
        metrics::gauge!("trunkline_people_index_people").set(self.people() as f64);
        Ok(())
    }
}

/// Does what there is to do, beside searches.
fn tidy(team: &RwLock<Team>, fresh: usize) {
    loop {
        let chore = team.read().chore(fresh);
        let done = match chore {
            None => return,
            Some(Chore::LayOut(people)) => {
                let builder = team.read().work(&people);
                Done::LaidOut(builder.finish())
            }
            Some(Chore::Join(parts)) => Chore::join(parts),
        };
        team.write().put(done);
    }
}
