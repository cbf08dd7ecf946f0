//! Reading: what the log of each team has behind its cursor, and the documents that come of it.
//!
//! Work on a team is a [`Backlog`]: ranges of timeline numbers to be read from the database and put into the index,
//! and the event that the cursor stands on when all of them are in. Following makes one from the events behind the
//! cursor; the first reading of a team makes one of all its items. Both go on in portions, so that one team's
//! backlog does not keep the others waiting, and a commit may fall between any two portions: the cursor says how
//! high the numbers in the index go, and what lies at or below is replaced and never added twice.

use std::collections::{BTreeMap, VecDeque};

use tantivy::indexer::UserOperation;
use trunkline_domain::ItemKind;
use trunkline_store::{Db, StoreError, TeamKey, events, items, teams};

use crate::SearchError;
use crate::cursors::{Cursor, Cursors, Payload};
use crate::schema::{Entry, Fields, schema};
use crate::terms::{Property, team_prefix};
use crate::writing::{Load, Writing};

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

/// The reading side: every team, how far it has been read, and what is still to be read.
pub(crate) struct Reading {
    db: Db,
    fields: Fields,
    teams: BTreeMap<TeamKey, Team>,
    /// How many items there were in each team that is, or was, read for the first time.
    totals: BTreeMap<TeamKey, i64>,
    /// Whether the teams in the index were compared with those in the database.
    compared: bool,
    portion: i64,
    /// Whether something was erased since segments were last rid of what they had of it.
    unpurged: bool,
}

/// What a round of work came to.
pub(crate) struct Advance {
    /// There is more to do.
    pub more: bool,
    /// The cursor of some team has moved.
    pub arrived: bool,
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

impl Reading {
    /// Goes on from what a commit says.
    pub(crate) fn new(db: Db, payload: &Payload) -> Self {
        let teams = payload.cursors.iter().map(|(key, cursor)| {
            (
                *key,
                Team {
                    cursor: *cursor,
                    backlog: None,
                },
            )
        });
        let (teams, totals) = (teams.collect(), BTreeMap::new());
        Self {
            db,
            fields: schema().1,
            teams,
            totals,
            compared: false,
            portion: MOST_ITEMS / 4,
            unpurged: payload.unpurged,
        }
    }

    /// Whether segments may hold what was erased.
    pub(crate) const fn is_unpurged(&self) -> bool {
        self.unpurged
    }

    /// They do not any more.
    pub(crate) const fn purged(&mut self) {
        self.unpurged = false;
    }

    /// How far each team has been read.
    pub(crate) fn cursors(&self) -> Cursors {
        self.teams.iter().map(|(key, team)| (*key, team.cursor)).collect()
    }

    /// Whether the teams are known to be those of the database.
    pub(crate) const fn is_compared(&self) -> bool {
        self.compared
    }

    /// Of the teams that are, or were, read for the first time: items that were read, and items there were.
    pub(crate) fn first_readings(&self) -> (u64, u64) {
        let done = |(team, all): (&TeamKey, &i64)| {
            self.teams.get(team).map_or(0, |team| team.cursor.items.min(*all))
        };
        let done: i64 = self.totals.iter().map(done).sum();
        let total: i64 = self.totals.values().sum();
        (done.unsigned_abs(), total.unsigned_abs())
    }

    /// Whether some team has events that were not read.
    pub(crate) async fn is_behind(&mut self) -> Result<bool, SearchError> {
        let heads = self.db.read(teams::last_events).await?;
        Ok(heads.iter().any(|(team, head)| {
            self.teams
                .get(team)
                .is_none_or(|known| known.cursor.event != *head)
        }))
    }

    /// Does a portion of work for every team that has some.
    pub(crate) async fn advance(&mut self, writing: &mut Writing) -> Result<Advance, SearchError> {
        let heads = self.db.read(teams::last_events).await?;
        if !self.compared {
            self.compare(writing, &heads).await?;
        }
        for (team, head) in &heads {
            self.find_work(writing, *team, *head).await?;
        }
        let busy: Vec<TeamKey> = self
            .teams
            .iter()
            .filter(|(_, team)| team.backlog.is_some())
            .map(|(key, _)| *key)
            .collect();
        let ahead: i64 = self
            .teams
            .values()
            .filter_map(|team| team.backlog.as_ref())
            .map(Backlog::items)
            .sum();
        let load = if ahead >= BULK_ITEMS {
            Load::Bulk
        } else {
            Load::Following
        };
        let mut arrived = false;
        for team in busy {
            self.work(writing, team, load).await?;
            arrived |= self.teams.get(&team).is_some_and(|team| team.backlog.is_none());
        }
        self.measure(&heads);
        let read = |(team, head): &(TeamKey, i64)| {
            self.teams
                .get(team)
                .is_some_and(|known| known.backlog.is_none() && known.cursor.event >= *head)
        };
        Ok(Advance {
            more: !heads.iter().all(read),
            arrived,
        })
    }

    /// Throws out teams that are others, or none, in this database, or have not begun in it.
    async fn compare(&mut self, writing: &mut Writing, heads: &[(TeamKey, i64)]) -> Result<(), SearchError> {
        let present = self.db.read(teams::list).await?;
        let is_same = |team: &TeamKey, cursor: &Cursor| {
            present.iter().any(|row| row.key == *team && row.id == cursor.id)
                && heads.iter().any(|(key, _)| key == team)
        };
        let strangers: Vec<TeamKey> = self
            .teams
            .iter()
            .filter(|(key, team)| !is_same(key, &team.cursor))
            .map(|(key, _)| *key)
            .collect();
        for team in strangers {
            tracing::warn!(
                team.key = team.0,
                "the text index was made from another database; the team is read anew"
            );
            self.forget(writing, team).await?;
        }
        self.compared = true;
        Ok(())
    }

    /// Takes all documents of a team out.
    async fn forget(&mut self, writing: &mut Writing, team: TeamKey) -> Result<(), SearchError> {
        let prefix = team_prefix(team);
        let kinds = ItemKind::ALL.iter();
        let batch =
            kinds.map(|kind| UserOperation::Delete(self.fields.filter_term(Property::Kind(*kind), &prefix)));
        writing.put(Load::Following, batch.collect()).await?;
        // What was erased may be among what its log does not tell any more.
        self.unpurged = true;
        self.teams.remove(&team);
        Ok(())
    }

    /// Makes a backlog of what the team's log has behind the cursor.
    async fn find_work(&mut self, writing: &mut Writing, key: TeamKey, head: i64) -> Result<(), SearchError> {
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
                let touched = self
                    .db
                    .read(move |conn| events::touched(conn, key, after, EVENTS))
                    .await?;
                let complete = touched.first().is_some_and(|first| first.seq == after + 1);
                match touched.last().filter(|_| complete) {
                    Some(last) => {
                        let ranges = touched
                            .iter()
                            .flat_map(|event| event.items.iter().copied())
                            .collect();
                        self.unpurged |= touched.iter().any(|event| event.erased);
                        let backlog = Backlog {
                            event: last.seq,
                            ranges: joined(ranges),
                        };
                        self.teams.insert(
                            key,
                            Team {
                                cursor,
                                backlog: Some(backlog),
                            },
                        );
                        Ok(())
                    }
                    None => {
                        tracing::warn!(
                            team.key = key.0,
                            "events were deleted before the text index read them; the team is read anew"
                        );
                        self.forget(writing, key).await?;
                        self.read_all(key, None, head).await
                    }
                }
            }
            Some(_) => {
                tracing::warn!(
                    team.key = key.0,
                    "the text index is ahead of the database; the team is read anew"
                );
                self.forget(writing, key).await?;
                self.read_all(key, None, head).await
            }
            None => self.read_all(key, None, head).await,
        }
    }

    /// Makes a backlog of all items of a team that are not in yet. `event` was the last one before they are counted,
    /// so that whatever changes afterwards is followed.
    async fn read_all(&mut self, key: TeamKey, begun: Option<Cursor>, event: i64) -> Result<(), SearchError> {
        let found = self.db.read(move |conn| {
            let id = teams::get(conn, key)?.map(|team| team.id);
            Ok::<_, StoreError>(id.zip(Some(items::last_seq(conn, key)?)))
        });
        let Some((id, last)) = found.await? else {
            return Ok(());
        };
        let items = begun.map_or(0, |cursor| cursor.items);
        let ranges = if items < last {
            VecDeque::from([(items + 1, last)])
        } else {
            VecDeque::new()
        };
        let cursor = Cursor {
            id,
            event,
            items,
            target: Some(last.max(items)),
        };
        self.totals.insert(key, last);
        self.teams.insert(
            key,
            Team {
                cursor,
                backlog: Some(Backlog { event, ranges }),
            },
        );
        Ok(())
    }

    /// Does a portion of a team's backlog.
    async fn work(&mut self, writing: &mut Writing, key: TeamKey, load: Load) -> Result<(), SearchError> {
        let Some(team) = self.teams.get_mut(&key) else {
            return Ok(());
        };
        let Some(backlog) = &mut team.backlog else {
            return Ok(());
        };
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
            let mut batch: Vec<UserOperation<Entry>> = replaced
                .map(|seq| UserOperation::Delete(self.fields.item_term(&prefix, seq)))
                .collect();
            let entries = self.read_items(key, prefix, ranges).await?;
            metrics::counter!("trunkline_search_documents_total").increment(entries.len() as u64);
            batch.extend(entries.into_iter().map(UserOperation::Add));
            writing.put(load, batch).await?;
        }
        Ok(())
    }

    /// Reads items and makes documents of them, and learns how many to read next time.
    async fn read_items(
        &mut self,
        key: TeamKey,
        prefix: String,
        ranges: Vec<(i64, i64)>,
    ) -> Result<Vec<Entry>, SearchError> {
        let fields = self.fields;
        let entries: Vec<Entry> = self
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

    /// Tells how far behind the index is.
    fn measure(&self, heads: &[(TeamKey, i64)]) {
        let event = |team: &TeamKey| self.teams.get(team).map_or(0, |team| team.cursor.event);
        let lag: i64 = heads.iter().map(|(team, head)| (head - event(team)).max(0)).sum();
        metrics::gauge!("trunkline_search_lag_events").set(lag as f64);
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
