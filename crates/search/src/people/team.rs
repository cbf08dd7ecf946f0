//! The people of one team: most of them laid out in segments, those who changed lately as they are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use trunkline_domain::{CompanyId, ContactId};
use trunkline_store::crm::{Place, Sort, SortBy, SortKey};
use trunkline_store::people::PeopleFilter;
use trunkline_store::people_changes::{self as changes, PersonTexts};
use trunkline_store::search::Order;
use trunkline_store::{Conn, StoreError, TeamKey};

use super::companies::Companies;
use super::segment::{NO_COMPANY, Segment, SegmentBuilder, merged};
use super::wanted::Wanted;

/// Changes that are read together.
const READ: usize = 2_000;
/// Segments of about one size before they are joined.
const ALIKE: usize = 4;

/// A page of people, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeoplePage {
    /// Exact.
    pub total: i64,
    /// Ids, with what they are sorted by.
    pub people: Vec<(ContactId, SortKey)>,
}

/// The people of a team as they were when its last event was `synced`, or a little later.
#[derive(Default)]
pub(super) struct Team {
    synced: i64,
    segments: Vec<Segment>,
    fresh: BTreeMap<ContactId, PersonTexts>,
    companies: Companies,
    hasher: RandomState,
}

/// What has changed in a team's people.
pub(super) struct Changes {
    /// The last event at this moment.
    pub(super) event: i64,
    companies: Vec<(CompanyId, String)>,
    /// Everybody who was written or removed, ascending, and those of them who are there.
    ids: Vec<ContactId>,
    people: Vec<PersonTexts>,
}

impl Changes {
    /// Reads what has changed behind event `since`; `None` if nothing has. All of it must be read in one moment.
    ///
    /// # Errors
    /// Of the engine.
    pub(super) fn read(
        conn: &mut Conn<'_>,
        key: TeamKey,
        since: i64,
    ) -> Result<(i64, Option<Self>), StoreError> {
        let (event, changed) = changes::standing(conn, key, since)?;
        if !changed {
            return Ok((event, None));
        }
        let companies = changes::companies(conn, key, since)?;
        let mut ids = changes::changed(conn, key, since)?;
        ids.sort_unstable();
        ids.dedup();
        let mut people = Vec::with_capacity(ids.len());
        for some in ids.chunks(READ) {
            people.extend(changes::texts(conn, key, some)?);
        }
        Ok((
            event,
            Some(Self {
                event,
                companies,
                ids,
                people,
            }),
        ))
    }
}

/// What upkeep there is to do.
pub(super) enum Chore {
    /// Lay these people out.
    LayOut(Vec<PersonTexts>),
    /// Join these segments.
    Join(Vec<Segment>),
}

/// What a chore came to.
pub(super) enum Done {
    LaidOut(Segment),
    Joined {
        parts: Vec<Segment>,
        whole: Segment,
        from: Vec<(u8, u32)>,
    },
}

impl Team {
    /// A team of which nothing is known but its companies, at a moment when its last event was `event`.
    pub(super) fn begin(conn: &mut Conn<'_>, key: TeamKey) -> Result<Self, StoreError> {
        let (event, _) = changes::standing(conn, key, i64::MAX)?;
        let mut team = Self {
            synced: event,
            ..Self::default()
        };
        team.companies.rename(changes::companies(conn, key, -1)?);
        Ok(team)
    }

    /// Adds people to what will be the first segment.
    pub(super) fn lay_out(&mut self, builder: &mut SegmentBuilder, people: &[PersonTexts]) {
        for person in people.iter().filter(|person| !person.archived) {
            let company = person.company.map_or(NO_COMPANY, |id| self.companies.number(id));
            let print = self.print(person);
            builder.push(person, company, print);
        }
    }

    /// The first segment is complete.
    pub(super) fn complete(&mut self, builder: SegmentBuilder) {
        self.segments = vec![builder.finish()];
    }

    /// The last event whose changes are here for certain.
    pub(super) const fn synced(&self) -> i64 {
        self.synced
    }

    /// How many people there are.
    pub(super) fn people(&self) -> usize {
        self.fresh.len()
            + self
                .segments
                .iter()
                .map(|segment| segment.alive.count_ones(..))
                .sum::<usize>()
    }

    /// Takes in what has changed. What is known already, and perhaps better, stays.
    pub(super) fn sync(&mut self, changes: Changes) {
        if changes.event < self.synced {
            return;
        }
        self.companies.rename(changes.companies);
        let mut people = changes.people.into_iter().peekable();
        for id in changes.ids {
            let person = people.next_if(|person| person.id == id);
            self.apply(id, person);
        }
        self.synced = changes.event;
    }

    /// A person is like this now, or is no more.
    fn apply(&mut self, id: ContactId, person: Option<PersonTexts>) {
        let person = person.filter(|person| !person.archived);
        if let Some(company) = person.as_ref().and_then(|person| person.company) {
            self.companies.number(company);
        }
        let known = self.segments.iter().enumerate();
        let known = known
            .filter_map(|(place, segment)| Some((place, segment.find(id)?)))
            .next();
        if let Some((place, doc)) = known {
            let segment = &mut self.segments[place];
            if let Some(person) = &person
                && print(&self.hasher, person) == segment.print(doc)
            {
                // As with every call: nothing but the last activity has changed.
                segment.active[doc] = person.active_at.0;
                return;
            }
            segment.alive.remove(doc);
        }
        match person {
            Some(person) => self.fresh.insert(id, person),
            None => self.fresh.remove(&id),
        };
    }

    fn print(&self, person: &PersonTexts) -> u64 {
        print(&self.hasher, person)
    }

    fn company(&self, person: &PersonTexts) -> u32 {
        person
            .company
            .and_then(|id| self.companies.known(id))
            .unwrap_or(NO_COMPANY)
    }

    /// Finds people.
    pub(super) fn search(
        &self,
        conn: &mut Conn<'_>,
        key: TeamKey,
        filter: &PeopleFilter,
        sort: Sort,
        place: &Place,
        limit: i64,
    ) -> Result<PeoplePage, StoreError> {
        let with_deal = match &filter.deal_status {
            Some(status) => Some(self.with_deal(conn, key, status)?),
            None => None,
        };
        let wanted = Wanted::new(filter, &self.companies, with_deal);
        let (skip, limit) = match place {
            Place::Offset(offset) => (
                to_usize(*offset),
                to_usize(*offset).saturating_add(to_usize(limit)),
            ),
            Place::Behind(..) => (0, to_usize(limit)),
        };
        let (mut total, mut people) = (0, Vec::new());
        for segment in &self.segments {
            let found = segment.search(&wanted);
            total += found.count_ones(..);
            people.extend(segment.page(&found, sort, place, limit));
        }
        for person in self
            .fresh
            .values()
            .filter(|person| wanted.is_met_by(person, self.company(person)))
        {
            total += 1;
            let entry = (person.id, key_of(person, sort.by));
            if is_behind(&entry, sort.order, place) {
                people.push(entry);
            }
        }
        people.sort_unstable_by(|a, b| in_order(a, b, sort.order));
        let people = people.into_iter().skip(skip).take(limit - skip).collect();
        Ok(PeoplePage {
            total: total as i64,
            people,
        })
    }

    fn with_deal(
        &self,
        conn: &mut Conn<'_>,
        key: TeamKey,
        status: &str,
    ) -> Result<(BTreeSet<ContactId>, FixedBitSet), StoreError> {
        let (people, companies) = changes::with_deal(conn, key, status)?;
        let mut set = FixedBitSet::with_capacity(self.companies.len());
        for number in companies.into_iter().filter_map(|id| self.companies.known(id)) {
            set.insert(number as usize);
        }
        Ok((people.into_iter().collect(), set))
    }

    /// What is to be done so that searches stay quick: at most `fresh` people are looked at one by one.
    pub(super) fn chore(&self, fresh: usize) -> Option<Chore> {
        if self.fresh.len() >= fresh {
            return Some(Chore::LayOut(self.fresh.values().cloned().collect()));
        }
        to_join(&self.segments).map(Chore::Join)
    }

    /// Does it, beside searches. `company` tells what number a person's company has.
    pub(super) fn work(&self, people: &[PersonTexts]) -> SegmentBuilder {
        let mut builder = SegmentBuilder::default();
        for person in people {
            builder.push(person, self.company(person), self.print(person));
        }
        builder
    }

    /// Puts what was made in its place. What has changed meanwhile stays as it is now.
    pub(super) fn put(&mut self, done: Done) {
        match done {
            Done::LaidOut(mut segment) => {
                for doc in 0..segment.documents() {
                    let is_as_now = |person: &PersonTexts| print(&self.hasher, person) == segment.print(doc);
                    let id = segment.id(doc);
                    match self.fresh.get(&id).filter(|person| is_as_now(person)) {
                        Some(person) => {
                            segment.active[doc] = person.active_at.0;
                            self.fresh.remove(&id);
                        }
                        None => segment.alive.remove(doc),
                    }
                }
                self.segments.push(segment);
            }
            Done::Joined {
                parts,
                mut whole,
                from,
            } => {
                let is_part = |segment: &Segment| {
                    parts
                        .iter()
                        .position(|part| Arc::ptr_eq(&part.frozen, &segment.frozen))
                };
                let (mut now, mut others): (Vec<Option<Segment>>, Vec<Segment>) =
                    (vec![None; parts.len()], Vec::new());
                for segment in std::mem::take(&mut self.segments) {
                    match is_part(&segment) {
                        Some(place) => now[place] = Some(segment),
                        None => others.push(segment),
                    }
                }
                for (doc, (place, old)) in from.iter().enumerate() {
                    let part = now[*place as usize].as_ref();
                    match part.filter(|part| part.alive.contains(*old as usize)) {
                        Some(part) => whole.active[doc] = part.active[*old as usize],
                        None => whole.alive.remove(doc),
                    }
                }
                self.segments = others;
                if whole.documents() > 0 {
                    self.segments.push(whole);
                }
            }
        }
    }
}

impl Chore {
    /// Does what needs no team.
    pub(super) fn join(parts: Vec<Segment>) -> Done {
        let (whole, from) = merged(&parts);
        Done::Joined { parts, whole, from }
    }
}

/// The segments to join: as soon as there are [`ALIKE`] of about one size, these and all smaller ones; and one of which half
/// are others now, by itself.
fn to_join(segments: &[Segment]) -> Option<Vec<Segment>> {
    let stale = |segment: &&Segment| segment.alive.count_ones(..) * 2 < segment.documents();
    if let Some(stale) = segments.iter().find(stale) {
        return Some(vec![stale.clone()]);
    }
    let mut sorted: Vec<&Segment> = segments.iter().collect();
    sorted.sort_by_key(|segment| segment.documents());
    let mut end = None;
    for last in (ALIKE - 1)..sorted.len() {
        let smallest = sorted[last + 1 - ALIKE].documents();
        if sorted[last].documents() < smallest * ALIKE {
            end = Some(last);
        }
    }
    end.map(|end| sorted[..=end].iter().copied().cloned().collect())
}

/// What a person's texts come to. Two that differ have the same one time in 2^64.
fn print(hasher: &RandomState, person: &PersonTexts) -> u64 {
    let PersonTexts {
        first,
        last,
        title,
        site,
        name,
        words,
        company,
        emails,
        created_at,
        ..
    } = person;
    hasher.hash_one((
        (first, last, title, site),
        (name, words, emails),
        (company.map(|id| id.to_string()), created_at.0),
    ))
}

fn key_of(person: &PersonTexts, by: SortBy) -> SortKey {
    match by {
        SortBy::Date => SortKey::Time(person.active_at.0),
        SortBy::Created => SortKey::Time(person.created_at.0),
        SortBy::Name => SortKey::Name(person.name.clone()),
    }
}

fn by_key(a: &SortKey, b: &SortKey) -> Ordering {
    match (a, b) {
        (SortKey::Time(a), SortKey::Time(b)) => a.cmp(b),
        (SortKey::Name(a), SortKey::Name(b)) => a.cmp(b),
        // A list has keys of one kind.
        (SortKey::Time(_), SortKey::Name(_)) => Ordering::Less,
        (SortKey::Name(_), SortKey::Time(_)) => Ordering::Greater,
    }
}

fn in_order(a: &(ContactId, SortKey), b: &(ContactId, SortKey), order: Order) -> Ordering {
    let upwards = by_key(&a.1, &b.1).then_with(|| a.0.cmp(&b.0));
    match order {
        Order::OldestFirst => upwards,
        Order::NewestFirst => upwards.reverse(),
    }
}

fn is_behind(entry: &(ContactId, SortKey), order: Order, place: &Place) -> bool {
    let Place::Behind(key, last) = place else {
        return true;
    };
    let upwards = by_key(&entry.1, key).then_with(|| entry.0.to_string().as_str().cmp(last.as_str()));
    match order {
        Order::OldestFirst => upwards.is_gt(),
        Order::NewestFirst => upwards.is_lt(),
    }
}

fn to_usize(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
