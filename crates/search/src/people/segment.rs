//! Some people of a team, laid out by field instead of by person. Who they are never changes; who of them still counts and
//! when each was last active does.

use std::cmp::Ordering;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use trunkline_domain::ContactId;
use trunkline_store::crm::{Place, Sort, SortBy, SortKey};
use trunkline_store::people_changes::PersonTexts;
use trunkline_store::search::Order;

use super::emails::{Emails, EmailsBuilder};
use super::select::{self, Entry};
use super::values::{Column, ColumnBuilder, Values, partition_point, retain};
use super::wanted::Wanted;
use super::words::{Words, WordsBuilder};

/// The company of a person without one.
pub(super) const NO_COMPANY: u32 = 0;

/// What does not change. Documents are people, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Frozen {
    ids: Vec<ContactId>,
    created: Vec<i64>,
    /// What each person's texts come to.
    prints: Vec<u64>,
    names: Values,
    /// The place of each document when sorted by name and id, and the documents in this order.
    rank: Vec<u32>,
    by_rank: Vec<u32>,
    first: Column,
    last: Column,
    title: Column,
    site: Column,
    /// The team's number for the company.
    company: Vec<u32>,
    emails: Emails,
    words: Words,
}

/// People laid out, with what changes about them.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) frozen: Arc<Frozen>,
    /// Who is as it says here.
    pub(super) alive: FixedBitSet,
    /// The last activity of each, epoch milliseconds.
    pub(super) active: Vec<i64>,
}

impl Segment {
    /// The document of a person who is as it says here.
    pub(super) fn find(&self, id: ContactId) -> Option<usize> {
        let doc = self.frozen.ids.binary_search(&id).ok()?;
        self.alive.contains(doc).then_some(doc)
    }

    /// Who a document is.
    pub(super) fn id(&self, doc: usize) -> ContactId {
        self.frozen.ids[doc]
    }

    /// What a person's texts come to.
    pub(super) fn print(&self, doc: usize) -> u64 {
        self.frozen.prints[doc]
    }

    /// How many people there are, those included who are not as it says here.
    pub(super) fn documents(&self) -> usize {
        self.frozen.ids.len()
    }

    /// The documents that are wanted.
    pub(super) fn search(&self, wanted: &Wanted<'_>) -> FixedBitSet {
        let (frozen, filter) = (&self.frozen, wanted.filter);
        let mut found = self.alive.clone();
        for (column, part) in [
            (&frozen.first, &filter.first_name),
            (&frozen.last, &filter.last_name),
            (&frozen.title, &filter.job_title),
            (&frozen.site, &filter.website),
        ] {
            if let Some(part) = part {
                column.keep_containing(part, &mut found);
            }
        }
        if let Some(companies) = &wanted.companies {
            retain(&mut found, |doc| companies.contains(frozen.company[doc] as usize));
        }
        if let Some(part) = &filter.email {
            let mut with = FixedBitSet::with_capacity(frozen.ids.len());
            frozen.emails.add_containing(part, &mut with);
            found.intersect_with(&with);
        }
        if let Some((people, companies)) = &wanted.with_deal {
            let mut with = self.of_companies(companies);
            for id in people {
                if let Ok(doc) = frozen.ids.binary_search(id) {
                    with.insert(doc);
                }
            }
            found.intersect_with(&with);
        }
        for word in &wanted.words {
            let mut with = self.of_companies(&word.companies);
            if word.anywhere {
                frozen.words.add_containing(word.text, &mut with);
            } else {
                frozen.words.add_beginning(word.text, &mut with);
            }
            found.intersect_with(&with);
        }
        found
    }

    fn of_companies(&self, companies: &FixedBitSet) -> FixedBitSet {
        let mut with = FixedBitSet::with_capacity(self.frozen.ids.len());
        if !companies.is_clear() {
            with.insert_range(..);
            retain(&mut with, |doc| {
                companies.contains(self.frozen.company[doc] as usize)
            });
        }
        with
    }

    /// The first `limit` of `found` in this order, from `place` on; an offset is left to the caller.
    pub(super) fn page(
        &self,
        found: &FixedBitSet,
        sort: Sort,
        place: &Place,
        limit: usize,
    ) -> Vec<(ContactId, SortKey)> {
        let frozen = &self.frozen;
        let first = self.first_behind(sort, place);
        let chosen = match sort.by {
            SortBy::Date => select::first(found, |doc| self.active[doc], sort.order, first, limit),
            SortBy::Created => select::first(found, |doc| frozen.created[doc], sort.order, first, limit),
            SortBy::Name => select::first(found, |doc| i64::from(frozen.rank[doc]), sort.order, first, limit),
        };
        let entry = |doc: usize| {
            let key = match sort.by {
                SortBy::Date => SortKey::Time(self.active[doc]),
                SortBy::Created => SortKey::Time(frozen.created[doc]),
                SortBy::Name => SortKey::Name(frozen.names.text(doc).to_owned()),
            };
            (frozen.ids[doc], key)
        };
        chosen.into_iter().map(entry).collect()
    }

    /// The least entry that may be on the page, in the terms of [`select::first`].
    fn first_behind(&self, sort: Sort, place: &Place) -> Option<Entry> {
        let Place::Behind(key, last) = place else {
            return None;
        };
        let frozen = &self.frozen;
        let to_last = |doc: usize| frozen.ids[doc].to_string().as_str().cmp(last.as_str());
        // The documents before the last entry's id, with that id itself where they come first.
        let is_before = |order: Ordering| match sort.order {
            Order::NewestFirst => order.is_lt(),
            Order::OldestFirst => order.is_le(),
        };
        match key {
            SortKey::Time(at) => {
                let docs = partition_point(0..frozen.ids.len(), |doc| is_before(to_last(doc)));
                Some(Entry { key: *at, docs })
            }
            SortKey::Name(name) => {
                let place = partition_point(0..frozen.ids.len(), |rank| {
                    let doc = frozen.by_rank[rank] as usize;
                    is_before(
                        frozen
                            .names
                            .bytes(doc)
                            .cmp(name.as_bytes())
                            .then_with(|| to_last(doc)),
                    )
                });
                // Ranks are distinct: behind `place` are those from it on, or up to it.
                Some(match sort.order {
                    Order::NewestFirst => Entry {
                        key: place as i64,
                        docs: 0,
                    },
                    Order::OldestFirst => Entry {
                        key: place as i64 - 1,
                        docs: frozen.ids.len(),
                    },
                })
            }
        }
    }
}

/// Makes a [`Frozen`], person by person in the order of their ids.
#[derive(Default)]
pub(super) struct SegmentBuilder {
    frozen: Frozen,
    active: Vec<i64>,
    first: ColumnBuilder,
    last: ColumnBuilder,
    title: ColumnBuilder,
    site: ColumnBuilder,
    emails: EmailsBuilder,
    words: WordsBuilder,
}

impl SegmentBuilder {
    /// How many people there are.
    pub(super) fn len(&self) -> usize {
        self.frozen.ids.len()
    }

    /// Adds a person. `company` is the team's number for its company, `print` what its texts come to.
    pub(super) fn push(&mut self, person: &PersonTexts, company: u32, print: u64) {
        let doc = self.frozen.ids.len() as u32;
        self.frozen.ids.push(person.id);
        self.frozen.created.push(person.created_at.0);
        self.frozen.prints.push(print);
        self.frozen.names.push(&person.name);
        self.frozen.company.push(company);
        self.active.push(person.active_at.0);
        self.first.push(&person.first);
        self.last.push(&person.last);
        self.title.push(&person.title);
        self.site.push(&person.site);
        for email in &person.emails {
            self.emails.push(doc, email);
        }
        self.words.push(doc, &person.words);
    }

    /// What was made, everybody alive.
    pub(super) fn finish(self) -> Segment {
        let mut frozen = self.frozen;
        frozen.first = self.first.finish();
        frozen.last = self.last.finish();
        frozen.title = self.title.finish();
        frozen.site = self.site.finish();
        frozen.emails = self.emails.finish();
        frozen.words = self.words.finish();
        let mut by_rank: Vec<u32> = (0..frozen.ids.len() as u32).collect();
        // Documents are sorted by id, and a stable sort leaves them so where names are the same.
        by_rank.sort_by(|a, b| {
            frozen
                .names
                .bytes(*a as usize)
                .cmp(frozen.names.bytes(*b as usize))
        });
        frozen.rank = vec![0; by_rank.len()];
        for (rank, doc) in by_rank.iter().enumerate() {
            frozen.rank[*doc as usize] = rank as u32;
        }
        frozen.by_rank = by_rank;
        let mut alive = FixedBitSet::with_capacity(frozen.ids.len());
        alive.insert_range(..);
        Segment {
            frozen: Arc::new(frozen),
            alive,
            active: self.active,
        }
    }
}

/// One segment of several, of who is alive in them; and where each of its people was: which segment, which document.
pub(super) fn merged(segments: &[Segment]) -> (Segment, Vec<(u8, u32)>) {
    let mut from: Vec<(u8, u32)> = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        from.extend(segment.alive.ones().map(|doc| (place as u8, doc as u32)));
    }
    from.sort_unstable_by_key(|(place, doc)| segments[*place as usize].frozen.ids[*doc as usize]);
    let words: Vec<_> = segments
        .iter()
        .map(|segment| segment.frozen.words.by_document(segment.documents()))
        .collect();
    let mut emails: Vec<_> = segments
        .iter()
        .map(|segment| segment.frozen.emails.by_document())
        .collect();
    let mut builder = SegmentBuilder::default();
    for (place, doc) in &from {
        let (place, doc) = (*place as usize, *doc as usize);
        let frozen = &segments[place].frozen;
        let mut text = String::new();
        words[place].write(doc, &mut text);
        let person = PersonTexts {
            id: frozen.ids[doc],
            first: frozen.first.text(doc).to_owned(),
            last: frozen.last.text(doc).to_owned(),
            title: frozen.title.text(doc).to_owned(),
            site: frozen.site.text(doc).to_owned(),
            name: frozen.names.text(doc).to_owned(),
            words: text,
            company: None,
            emails: emails[place](doc),
            active_at: trunkline_domain::Millis(segments[place].active[doc]),
            created_at: trunkline_domain::Millis(frozen.created[doc]),
            archived: false,
        };
        builder.push(&person, frozen.company[doc], frozen.prints[doc]);
    }
    (builder.finish(), from)
}
