//! The writing half: reads the event log of every team and keeps the index up to date.
//!
//! Work on a team is a [`Backlog`]: ranges of timeline numbers to be read from the database and put into the index,
//! and the event that the cursor stands on when all of them are in. Following makes one from the events behind the
//! cursor; the first reading of a team makes one of all its items. Both go on in portions, so that one team's
//! backlog does not keep the others waiting, and a commit may fall between any two portions: the cursor says how
//! high the numbers in the index go, and what lies at or below is replaced and never added twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tantivy::Index;
use tantivy::indexer::UserOperation;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use trunkline_domain::ItemKind;
use trunkline_store::{StoreError, TeamKey, events, items, teams};

use crate::SearchError;
use crate::cursors::{Cursor, Cursors, Payload};
use crate::index::{Progress, Shared};
use crate::schema::{Entry, Fields, schema};
use crate::terms::{Property, team_prefix};
use crate::writing::{Load, Writing, blocking};

/// Events that are looked at together.
const EVENTS: i64 = 1_000;
/// The most items that are read at a time.
const MOST_ITEMS: i64 = 1_000;
/// The least.
const LEAST_ITEMS: i64 = 16;
/// How many bytes of documents a portion should come to.
const PORTION_BYTES: usize = 2_000_000;
/// Items to be read that make a load a bulk load.
const BULK_ITEMS: i64 = 20_000;
/// The pause after a first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the end waits for segments that are being joined.
const LAST_MERGE: Duration = Duration::from_secs(5);

/// The half of the index that writes it; see [`crate::SearchIndex::open`].
pub struct Follower {
    shared: Arc<Shared>,
    published: watch::Sender<u64>,
    fields: Fields,
    writing: Writing,
    teams: BTreeMap<TeamKey, Team>,
    /// How many items there were in each team that is read for the first time.
    building: BTreeMap<TeamKey, i64>,
    /// Whether the teams in the index were compared with those in the database.
    compared: bool,
    trouble: Trouble,
    ready: bool,
    portion: i64,
}

struct Team {
    cursor: Cursor,
    backlog: Option<Backlog>,
}

/// What is to be done for a team before its cursor may stand on `event`.
struct Backlog {
    event: i64,
    /// Timeline numbers, both ends included, ascending.
    ranges: VecDeque<(i64, i64)>,
}

impl Backlog {
    fn items(&self) -> i64 {
        self.ranges.iter().map(|(from, to)| to - from + 1).sum()
    }

    /// Takes ranges of at most `most` items together.
    fn take(&mut self, most: i64) -> Vec<(i64, i64)> {
        let (mut taken, mut left) = (Vec::new(), most);
        while left > 0
            && let Some((from, to)) = self.ranges.pop_front()
        {
            let end = to.min(from.saturating_add(left - 1));
            if end < to {
                self.ranges.push_front((end + 1, to));
            }
            taken.push((from, end));
            left -= end - from + 1;
        }
        taken
    }
}

/// What has to be made good before anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Something failed: the last commit must be looked up, for the failure may have come after it was made.
    Lost,
    /// The index failed: its files must be checked too.
    Doubtful,
}

/// What a round of work came to.
struct Advance {
    /// There is more to do.
    more: bool,
    /// The cursor of some team has moved.
    arrived: bool,
}

/// Why the follower stopped waiting.
enum Wake {
    Cancelled,
    /// This process committed events.
    Appended,
    /// A search waits, or it is time to look for what other processes did.
    Look,
    /// Nothing has come for a while.
    Idle,
}

impl Follower {
    pub(crate) fn new(shared: Arc<Shared>, index: Index, published: watch::Sender<u64>) -> Self {
        let snapshot = shared.snapshot();
        let writing = Writing::new(shared.folder.clone(), index, shared.options.bulk_memory);
        let mut follower = Self {
            published,
            fields: schema().1,
            writing,
            teams: BTreeMap::new(),
            building: BTreeMap::new(),
            compared: false,
            trouble: Trouble::None,
            ready: snapshot.payload.ready,
            portion: MOST_ITEMS / 4,
            shared,
        };
        follower.return_to(&snapshot.payload.cursors);
        follower
    }

    /// Follows the log until `cancellation`, then commits what was read and brings the files to the disk. Failures
    /// are logged and tried again, with growing pauses.
    pub async fn run(mut self, cancellation: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut appended = self.shared.db.appended();
        loop {
            if cancellation.is_cancelled() {
                break;
            }
            match self.step(&cancellation, &mut appended).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(SearchError::Store(StoreError::Closed)) => break,
                Err(error) => {
                    tracing::error!(error = ?error, "the text index cannot follow; it will be tried again");
                    self.give_up(&error).await;
                    if cancellation.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                        break;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        if let Err(error) = self.end().await {
            tracing::warn!(error = ?error, "the text index was not closed cleanly; its files are checked at the next start");
        }
    }

    /// Does what there is to do, or waits until there is something.
    async fn step(&mut self, cancellation: &CancellationToken, appended: &mut watch::Receiver<u64>) -> Result<(), SearchError> {
        if self.trouble != Trouble::None {
            self.find_back().await?;
        }
        // Asked before the log is: whoever waits now is served by what is read now.
        let waited_for = self.shared.is_waited_for();
        appended.mark_unchanged();
        let Advance { more, arrived } = self.advance().await?;
        let completed = !more && !self.ready;
        let due = !more || waited_for && arrived || self.writing.uncommitted >= self.shared.options.commit_documents;
        if completed || due && self.is_dirty() {
            self.ready |= completed;
            self.commit().await?;
            if completed {
                tracing::info!(teams = self.teams.len(), "the text index is complete");
            }
        }
        if self.compared && !self.shared.is_trusted() && !self.is_dirty() {
            self.shared.trust();
            self.published.send_modify(|commits| *commits += 1);
        }
        if more {
            return Ok(());
        }
        match self.wait(cancellation, appended).await? {
            Wake::Appended if !self.shared.is_waited_for() => {
                // More will come: what comes together is read and committed together.
                let gathering = async {
                    tokio::select! {
                        () = self.shared.nudge.notified() => {}
                        () = tokio::time::sleep(self.shared.options.gather) => {}
                    }
                };
                cancellation.run_until_cancelled(gathering).await;
            }
            Wake::Cancelled | Wake::Appended | Wake::Look => {}
            Wake::Idle => {
                let snapshot = self.shared.snapshot();
                self.writing.begin_merge(&snapshot, true);
                if !self.writing.is_merging() {
                    self.writing.rest().await?;
                }
            }
        }
        Ok(())
    }

    async fn wait(&mut self, cancellation: &CancellationToken, appended: &mut watch::Receiver<u64>) -> Result<Wake, SearchError> {
        let options = self.shared.options;
        let idle = tokio::time::sleep(options.idle);
        tokio::pin!(idle);
        loop {
            let resting = !self.writing.is_awake() || self.writing.is_merging();
            tokio::select! {
                biased;
                () = cancellation.cancelled() => return Ok(Wake::Cancelled),
                () = self.shared.nudge.notified() => return Ok(Wake::Look),
                changed = appended.changed() => return Ok(if changed.is_ok() { Wake::Appended } else { Wake::Cancelled }),
                () = self.writing.merged() => {
                    let snapshot = self.writing.reopen(self.shared.snapshot()).await?;
                    self.writing.begin_merge(&snapshot, false);
                    self.shared.publish(snapshot);
                }
                () = &mut idle, if !resting => return Ok(Wake::Idle),
                () = tokio::time::sleep(options.poll) => {
                    if self.is_behind().await? {
                        return Ok(Wake::Look);
                    }
                }
            }
        }
    }

    /// Whether some team has events that were not read.
    async fn is_behind(&mut self) -> Result<bool, SearchError> {
        let heads = self.shared.db.read(teams::last_events).await?;
        Ok(heads.iter().any(|(team, head)| self.teams.get(team).is_none_or(|known| known.cursor.event != *head)))
    }

    /// Does a portion of work for every team that has some.
    async fn advance(&mut self) -> Result<Advance, SearchError> {
        let heads = self.shared.db.read(teams::last_events).await?;
        if !self.compared {
            self.compare(&heads).await?;
        }
        for (team, head) in &heads {
            self.find_work(*team, *head).await?;
        }
        self.report(&heads);
        let busy: Vec<TeamKey> =
            self.teams.iter().filter(|(_, team)| team.backlog.is_some()).map(|(key, _)| *key).collect();
        let ahead: i64 = self.teams.values().filter_map(|team| team.backlog.as_ref()).map(Backlog::items).sum();
        let load = if ahead >= BULK_ITEMS { Load::Bulk } else { Load::Following };
        let mut arrived = false;
        for team in busy {
            self.work(team, load).await?;
            arrived |= self.teams.get(&team).is_some_and(|team| team.backlog.is_none());
        }
        self.report(&heads);
        let read = |(team, head): &(TeamKey, i64)| {
            self.teams.get(team).is_some_and(|known| known.backlog.is_none() && known.cursor.event >= *head)
        };
        Ok(Advance { more: !heads.iter().all(read), arrived })
    }

    /// Throws out teams that are others, or none, in this database, or have not begun in it.
    async fn compare(&mut self, heads: &[(TeamKey, i64)]) -> Result<(), SearchError> {
        let present = self.shared.db.read(teams::list).await?;
        let is_same = |team: &TeamKey, cursor: &Cursor| {
            present.iter().any(|row| row.key == *team && row.id == cursor.id) && heads.iter().any(|(key, _)| key == team)
        };
        let strangers: Vec<TeamKey> =
            self.teams.iter().filter(|(key, team)| !is_same(key, &team.cursor)).map(|(key, _)| *key).collect();
        for team in strangers {
            tracing::warn!(team.key = team.0, "the text index was made from another database; the team is read anew");
            self.forget(team).await?;
        }
        self.compared = true;
        Ok(())
    }

    /// Takes all documents of a team out.
    async fn forget(&mut self, team: TeamKey) -> Result<(), SearchError> {
        let prefix = team_prefix(team);
        let kinds = ItemKind::ALL.iter();
        let batch = kinds.map(|kind| UserOperation::Delete(self.fields.filter_term(Property::Kind(*kind), &prefix)));
        self.writing.put(Load::Following, batch.collect()).await?;
        self.teams.remove(&team);
        Ok(())
    }

    /// Makes a backlog of what the team's log has behind the cursor.
    async fn find_work(&mut self, key: TeamKey, head: i64) -> Result<(), SearchError> {
        let cursor = match self.teams.get(&key) {
            Some(team) if team.backlog.is_some() => return Ok(()),
            Some(team) => Some(team.cursor),
            None => None,
        };
        match cursor {
            Some(cursor) if cursor.target.is_some() => self.read_all(key, Some(cursor), cursor.event).await,
            Some(cursor) if cursor.event == head => Ok(()),
            Some(cursor) if cursor.event < head => {
                let after = cursor.event;
                let touched = self.shared.db.read(move |conn| events::touched(conn, key, after, EVENTS)).await?;
                let complete = touched.first().is_some_and(|first| first.seq == after + 1);
                match touched.last().filter(|_| complete) {
                    Some(last) => {
                        let ranges = touched.iter().filter_map(|event| event.items).collect();
                        let backlog = Backlog { event: last.seq, ranges: joined(ranges) };
                        self.teams.insert(key, Team { cursor, backlog: Some(backlog) });
                        Ok(())
                    }
                    None => {
                        tracing::warn!(team.key = key.0, "events were deleted before the text index read them; the team is read anew");
                        self.forget(key).await?;
                        self.read_all(key, None, head).await
                    }
                }
            }
            Some(_) => {
                tracing::warn!(team.key = key.0, "the text index is ahead of the database; the team is read anew");
                self.forget(key).await?;
                self.read_all(key, None, head).await
            }
            None => self.read_all(key, None, head).await,
        }
    }

    /// Makes a backlog of all items of a team that are not in yet. `event` was the last one before they are counted,
    /// so that whatever changes afterwards is followed.
    async fn read_all(&mut self, key: TeamKey, begun: Option<Cursor>, event: i64) -> Result<(), SearchError> {
        let found = self.shared.db.read(move |conn| {
            let id = teams::get(conn, key)?.map(|team| team.id);
            Ok::<_, StoreError>(id.zip(Some(items::last_seq(conn, key)?)))
        });
        let Some((id, last)) = found.await? else { return Ok(()) };
        if self.building.is_empty() && !self.ready {
            tracing::info!("the text index is being built");
        }
        let items = begun.map_or(0, |cursor| cursor.items);
        let ranges = if items < last { VecDeque::from([(items + 1, last)]) } else { VecDeque::new() };
        let cursor = Cursor { id, event, items, target: Some(last.max(items)) };
        self.building.insert(key, last);
        self.teams.insert(key, Team { cursor, backlog: Some(Backlog { event, ranges }) });
        Ok(())
    }

    /// Does a portion of a team's backlog.
    async fn work(&mut self, key: TeamKey, load: Load) -> Result<(), SearchError> {
        let Some(team) = self.teams.get_mut(&key) else { return Ok(()) };
        let Some(backlog) = &mut team.backlog else { return Ok(()) };
        let known = team.cursor.items;
        let ranges = backlog.take(self.portion);
        if ranges.is_empty() || backlog.ranges.is_empty() {
            team.cursor.event = backlog.event;
            team.cursor.target = None;
            team.backlog = None;
        }
        if let Some((_, last)) = ranges.last() {
            team.cursor.items = known.max(*last);
            let prefix = team_prefix(key);
            // What is above the cursor is not in the index, so there is nothing to take out.
            let replaced = ranges.iter().flat_map(|(from, to)| *from..=(*to).min(known));
            let mut batch: Vec<UserOperation<Entry>> =
                replaced.map(|seq| UserOperation::Delete(self.fields.item_term(&prefix, seq))).collect();
            let entries = self.read_items(key, prefix, ranges).await?;
            metrics::counter!("trunkline_search_documents_total").increment(entries.len() as u64);
            batch.extend(entries.into_iter().map(UserOperation::Add));
            self.writing.put(load, batch).await?;
        }
        Ok(())
    }

    /// Reads items and makes documents of them, and learns how many to read next time.
    async fn read_items(&mut self, key: TeamKey, prefix: String, ranges: Vec<(i64, i64)>) -> Result<Vec<Entry>, SearchError> {
        let fields = self.fields;
        let entries: Vec<Entry> = self
            .shared
            .db
            .scan(move |conn| {
                let mut entries = Vec::new();
                for (from, to) in ranges {
                    let found = items::texts(conn, key, from, to)?;
                    entries.extend(found.iter().map(|item| fields.entry(&prefix, item)));
                }
                Ok::<_, StoreError>(entries)
            })
            .await?;
        let bytes: usize = entries.iter().map(Entry::size).sum();
        if bytes > PORTION_BYTES {
            self.portion = (self.portion / 2).max(LEAST_ITEMS);
        } else if bytes < PORTION_BYTES / 4 && entries.len() as i64 >= self.portion / 2 {
            self.portion = (self.portion * 2).min(MOST_ITEMS);
        }
        Ok(entries)
    }

    fn payload(&self) -> Payload {
        Payload { ready: self.ready, cursors: self.teams.iter().map(|(key, team)| (*key, team.cursor)).collect() }
    }

    /// Whether there is something to commit.
    fn is_dirty(&self) -> bool {
        let committed = self.shared.snapshot();
        self.writing.uncommitted > 0 || self.payload() != committed.payload
    }

    async fn commit(&mut self) -> Result<(), SearchError> {
        let payload = self.payload();
        let stopwatch = Stopwatch::start();
        let snapshot = self.writing.commit(&payload, self.shared.snapshot()).await?;
        metrics::histogram!("trunkline_search_commit_seconds").record(stopwatch.seconds());
        metrics::gauge!("trunkline_search_segments").set(snapshot.segments.len() as f64);
        self.writing.begin_merge(&snapshot, false);
        self.shared.publish(snapshot);
        if self.ready {
            self.building.clear();
            self.shared.progress.send_modify(|progress| progress.ready = true);
        }
        self.published.send_modify(|commits| *commits += 1);
        Ok(())
    }

    /// Tells how far everything is.
    fn report(&self, heads: &[(TeamKey, i64)]) {
        let event = |team: &TeamKey| self.teams.get(team).map_or(0, |team| team.cursor.event);
        let lag: i64 = heads.iter().map(|(team, head)| (head - event(team)).max(0)).sum();
        metrics::gauge!("trunkline_search_lag_events").set(lag as f64);
        if !self.ready {
            let done = |(team, all): (&TeamKey, &i64)| self.teams.get(team).map_or(0, |team| team.cursor.items.min(*all));
            let done: i64 = self.building.iter().map(done).sum();
            let total: i64 = self.building.values().sum();
            let now = Progress { ready: false, done: done.unsigned_abs(), total: total.unsigned_abs() };
            self.shared.progress.send_if_modified(|progress| std::mem::replace(progress, now) != now);
        }
    }

    /// Lets go of everything since the last commit.
    async fn give_up(&mut self, error: &SearchError) {
        if let Err(error) = self.writing.rest().await {
            tracing::warn!(error = ?error, "a writer of the text index ended badly");
        }
        let of_store = matches!(error, SearchError::Store(_));
        if !of_store {
            self.shared.folder.suspect();
        }
        self.trouble = if of_store && self.trouble != Trouble::Doubtful { Trouble::Lost } else { Trouble::Doubtful };
    }

    /// Begins again at the last commit, as it is in the folder, or with an empty index if that cannot be used.
    async fn find_back(&mut self) -> Result<(), SearchError> {
        let snapshot = if self.trouble == Trouble::Doubtful {
            let folder = self.shared.folder.clone();
            let (index, snapshot) = blocking(move || folder.open_index()).await??;
            self.writing = Writing::new(self.shared.folder.clone(), index, self.shared.options.bulk_memory);
            snapshot
        } else {
            self.writing.reopen(self.shared.snapshot()).await?
        };
        self.ready = snapshot.payload.ready;
        self.shared.progress.send_modify(|progress| progress.ready = self.ready);
        self.return_to(&snapshot.payload.cursors);
        self.shared.publish(snapshot);
        self.building.clear();
        self.compared = false;
        self.trouble = Trouble::None;
        Ok(())
    }

    fn return_to(&mut self, cursors: &Cursors) {
        self.teams = cursors.iter().map(|(key, cursor)| (*key, Team { cursor: *cursor, backlog: None })).collect();
    }

    /// The orderly end.
    async fn end(&mut self) -> Result<(), SearchError> {
        if self.trouble == Trouble::None && self.writing.is_awake() && self.is_dirty() {
            self.commit().await?;
        }
        if self.writing.is_merging() && tokio::time::timeout(LAST_MERGE, self.writing.merged()).await.is_ok() {
            self.shared.publish(self.writing.reopen(self.shared.snapshot()).await?);
        }
        self.writing.rest().await?;
        let folder = self.shared.folder.clone();
        blocking(move || folder.settle()).await?
    }
}

/// The ranges in ascending order, with those that touch or overlap joined.
fn joined(mut ranges: Vec<(i64, i64)>) -> VecDeque<(i64, i64)> {
    ranges.sort_unstable();
    let mut all: VecDeque<(i64, i64)> = VecDeque::new();
    for (from, to) in ranges {
        match all.back_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = to.max(*end),
            _ => all.push_back((from, to)),
        }
    }
    all
}

/// Measures how long something takes, for a metric; no rule depends on it.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a duration for a metric; nothing is decided by it")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "a duration for a metric; nothing is decided by it")]
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_and_taken_in_portions() {
        let ranges = joined(vec![(7, 7), (1, 3), (4, 4), (2, 3), (20, 29)]);
        assert_eq!(ranges, [(1, 4), (7, 7), (20, 29)]);
        let mut backlog = Backlog { event: 1, ranges };
        assert_eq!(backlog.items(), 15);
        assert_eq!(backlog.take(6), [(1, 4), (7, 7), (20, 20)]);
        assert_eq!(backlog.take(5), [(21, 25)]);
        assert_eq!(backlog.take(5), [(26, 29)]);
        assert!(backlog.take(5).is_empty());
    }
}
