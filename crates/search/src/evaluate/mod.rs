//! How a query is answered from one commit.
//!
//! In each segment a condition (a word, a line, any of some tags, …) is a [`Group`] of posting lists, and the set
//! of documents that fulfil all of them is found list by list, in a bit set. That costs the same per posting whether
//! a word begins three terms or ten thousand, so a search for "a" needs no bound on the terms it stands for, and
//! every total is exact. Relevance then reads the frequencies of the matching documents alone.

mod docs;
mod groups;
mod page;

use tantivy::schema::IndexRecordOption;

use self::docs::Docs;
use self::groups::Group;
use self::page::{Part, page};
use crate::SearchError;
use crate::query::{TextFilter, TextHits, TextOrder, TextQuery};
use crate::snapshot::{SegmentView, Snapshot};
use crate::terms::{Property, team_prefix};
use trunkline_domain::ItemKind;

/// How quickly further occurrences of a word stop to count: BM25's usual value.
const K1: f32 = 1.2;
/// How much long texts are held against their documents: BM25's usual value.
const B: f32 = 0.75;
/// The length that counts as neither short nor long, in words. A constant and not the mean of the index, because a
/// mean would let other teams, and versions of documents that were replaced, have a say in the order.
const PIVOT_WORDS: f32 = 200.0;
/// How much the very word of the query weighs beside words that begin with it.
const EXACT: u32 = 2;

/// Answers a query. The result depends on the documents of the team alone, not on how they are cut into segments.
pub(crate) fn evaluate(snapshot: &Snapshot, query: &TextQuery) -> Result<TextHits, SearchError> {
    let failed = || SearchError::index::<tantivy::TantivyError>("searching");
    let question = Question::new(query, snapshot);
    let parts = if query.order == TextOrder::Relevance && !query.words.is_empty() {
        let items = snapshot
            .payload
            .cursors
            .get(&query.team)
            .map_or(0, |cursor| cursor.items);
        ranked(
            snapshot,
            &question,
            query.max_seq.map_or(items, |max| max.min(items)),
        )
    } else {
        matching(snapshot, &question)
    };
    let parts = parts.map_err(|error| failed()(error))?;
    let total = parts.iter().map(|part| u64::from(part.docs.count())).sum();
    Ok(TextHits {
        total,
        hits: page(&parts, query),
        behind: 0,
    })
}

/// A query, made ready.
struct Question<'q> {
    /// Each word behind the team.
    words: Vec<String>,
    /// For each condition the terms of which one must be there.
    conditions: Vec<Vec<String>>,
    filter: &'q TextFilter,
    only_in: Option<Numbers>,
    not_in: Option<Numbers>,
    max_seq: Option<u64>,
}

impl<'q> Question<'q> {
    fn new(query: &'q TextQuery, snapshot: &Snapshot) -> Self {
        let prefix = team_prefix(query.team);
        let filter = &query.filter;
        let term = |property: Property<'_>| property.term(&prefix);
        let mut conditions: Vec<Vec<String>> = Vec::new();
        conditions.extend(filter.line.map(|line| vec![term(Property::Line(line))]));
        conditions.extend(filter.contact.map(|number| vec![term(Property::Contact(number))]));
        conditions.extend(filter.user.map(|user| vec![term(Property::User(user))]));
        conditions.extend(filter.kind.map(|kind| vec![term(Property::Kind(kind))]));
        conditions.extend(
            filter
                .direction
                .map(|direction| vec![term(Property::Direction(direction))]),
        );
        if !filter.results.is_empty() {
            conditions.push(
                filter
                    .results
                    .iter()
                    .map(|result| term(Property::Result(*result)))
                    .collect(),
            );
        }
        if !filter.tags.is_empty() {
            conditions.push(filter.tags.iter().map(|tag| term(Property::Tag(tag))).collect());
        }
        if conditions.is_empty() && query.words.is_empty() {
            conditions.push(
                ItemKind::ALL
                    .iter()
                    .map(|kind| term(Property::Kind(*kind)))
                    .collect(),
            );
        }
        let highest = snapshot
            .segments
            .iter()
            .map(|view| view.conversation.max_value())
            .max()
            .unwrap_or(0);
        let numbers = |list: &Option<Vec<i64>>| list.as_ref().map(|list| Numbers::new(list, highest));
        Self {
            words: query.words.iter().map(|word| format!("{prefix}{word}")).collect(),
            conditions,
            filter,
            only_in: numbers(&filter.conversations_in),
            not_in: numbers(&filter.conversations_not_in),
            max_seq: query.max_seq.map(|max| max.max(0).cast_unsigned()),
        }
    }

    /// Takes out documents that were replaced or are numbered too high.
    fn keep_valid(&self, view: &SegmentView, docs: &mut Docs) {
        if let Some(alive) = &view.alive {
            docs.retain(|doc| alive.is_alive(doc));
        }
        if let Some(max_seq) = self.max_seq.filter(|max_seq| view.seq.max_value() > *max_seq) {
            docs.retain(|doc| view.seq.get_val(doc) <= max_seq);
        }
    }

    /// Takes out documents by what is kept in columns.
    fn keep_columns(&self, view: &SegmentView, docs: &mut Docs) {
        if let Some(from) = self.filter.from.filter(|from| view.at.min_value() < from.0) {
            docs.retain(|doc| view.at.get_val(doc) >= from.0);
        }
        if let Some(until) = self.filter.until.filter(|until| view.at.max_value() >= until.0) {
            docs.retain(|doc| view.at.get_val(doc) < until.0);
        }
        if let Some(numbers) = &self.only_in {
            docs.retain(|doc| numbers.contains(view.conversation.get_val(doc)));
        }
        if let Some(numbers) = &self.not_in {
            docs.retain(|doc| !numbers.contains(view.conversation.get_val(doc)));
        }
    }

    fn conditions<'v>(&self, view: &'v SegmentView) -> tantivy::Result<Vec<Group<'v>>> {
        self.conditions
            .iter()
            .map(|terms| Group::any_of(&view.filters, terms))
            .collect()
    }

    fn words<'v>(&self, view: &'v SegmentView) -> tantivy::Result<Vec<Group<'v>>> {
        self.words
            .iter()
            .map(|word| Group::beginning_with(&view.words, word))
            .collect()
    }
}

/// The documents that match, segment by segment.
fn matching<'s>(snapshot: &'s Snapshot, question: &Question<'_>) -> tantivy::Result<Vec<Part<'s>>> {
    let mut parts = Vec::new();
    for view in &snapshot.segments {
        let mut groups = question.words(view)?;
        groups.extend(question.conditions(view)?);
        // The rarest first: what follows then only has to be looked at where it can still match.
        groups.sort_by_key(Group::postings);
        let mut docs: Option<Docs> = None;
        for group in &groups {
            let so_far = match docs {
                Some(docs) => group.within(&docs)?,
                None => group.all(view.max_doc)?,
            };
            let done = so_far.is_empty();
            docs = Some(so_far);
            if done {
                break;
            }
        }
        let Some(mut docs) = docs.filter(|docs| !docs.is_empty()) else {
            continue;
        };
        question.keep_valid(view, &mut docs);
        question.keep_columns(view, &mut docs);
        if !docs.is_empty() {
            parts.push(Part {
                view,
                docs,
                scores: Vec::new(),
            });
        }
    }
    Ok(parts)
}

/// The documents that match, with their scores.
///
/// It is BM25 with each word of the query taken as one term, whatever it stands for: its frequency in a document is
/// that of all words that begin with it, and its rarity is counted over the documents that have any of them. (To
/// add up the scores of the single terms would let the rarest continuation of a word win over the word itself.)
/// Rarity is counted over documents that are not replaced, and sums are made in the order of the query.
fn ranked<'s>(snapshot: &'s Snapshot, question: &Question<'_>, items: i64) -> tantivy::Result<Vec<Part<'s>>> {
    let mut frequencies = vec![0u64; question.words.len()];
    let mut found = Vec::new();
    for view in &snapshot.segments {
        let words = question.words(view)?;
        let mut docs: Option<Docs> = None;
        for (group, frequency) in words.iter().zip(&mut frequencies) {
            let mut having = group.all(view.max_doc)?;
            question.keep_valid(view, &mut having);
            *frequency += u64::from(having.count());
            docs = Some(match docs {
                Some(docs) => docs.and(&having),
                None => having,
            });
        }
        let Some(mut docs) = docs else { continue };
        let mut conditions = question.conditions(view)?;
        conditions.sort_by_key(Group::postings);
        for group in &conditions {
            docs = group.within(&docs)?;
        }
        question.keep_columns(view, &mut docs);
        if !docs.is_empty() {
            found.push((view, words, docs));
        }
    }
    let weights: Vec<f32> = frequencies
        .iter()
        .map(|frequency| weight(*frequency, items.unsigned_abs()))
        .collect();
    let norms: Vec<f32> = (0..=u8::MAX).map(norm).collect();
    let mut parts = Vec::with_capacity(found.len());
    for (view, words, docs) in found {
        let mut scores = vec![0f32; docs.count() as usize];
        // By document and not by place among the matches: finding that place costs more than the memory, of which only
        // what matches is ever touched.
        let mut occurrences = vec![0u32; view.max_doc as usize];
        for (group, weight) in words.iter().zip(&weights) {
            group.each_within(&docs, IndexRecordOption::WithFreqs, |doc, frequency, exact| {
                if let Some(count) = occurrences.get_mut(doc as usize) {
                    *count += if exact { EXACT * frequency } else { frequency };
                }
            })?;
            for (doc, score) in docs.iter().zip(&mut scores) {
                let count = occurrences.get_mut(doc as usize).map(std::mem::take);
                let count = count.unwrap_or_default() as f32;
                let norm = norms[usize::from(view.lengths.fieldnorm_id(doc))];
                *score += weight * (count * (K1 + 1.0) / (count + norm));
            }
        }
        parts.push(Part { view, docs, scores });
    }
    Ok(parts)
}

/// What a word weighs that `having` of `items` items have.
fn weight(having: u64, items: u64) -> f32 {
    let rest = items.saturating_sub(having) as f32;
    (1.0 + (rest + 0.5) / (having as f32 + 0.5)).ln()
}

/// What a document's length, in its coarse code, does to the frequencies of words.
fn norm(length: u8) -> f32 {
    let words = tantivy::fieldnorm::FieldNormReader::id_to_fieldnorm(length) as f32;
    K1 * (1.0 - B + B * words / PIVOT_WORDS)
}

/// A set of small numbers.
struct Numbers(Vec<u64>);

impl Numbers {
    /// The set of those numbers that are no higher than `highest`.
    fn new(list: &[i64], highest: u64) -> Self {
        let highest = list
            .iter()
            .filter_map(|number| u64::try_from(*number).ok())
            .filter(|n| *n <= highest)
            .max();
        let mut bits = vec![0u64; highest.map_or(0, |highest| (highest / 64 + 1) as usize)];
        for number in list {
            if let Some(word) = usize::try_from(number / 64)
                .ok()
                .filter(|_| *number >= 0)
                .and_then(|i| bits.get_mut(i))
            {
                *word |= 1 << (number % 64);
            }
        }
        Self(bits)
    }

    fn contains(&self, number: u64) -> bool {
        self.0
            .get((number / 64) as usize)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers() {
        let numbers = Numbers::new(&[0, 63, 64, 200, -1, 5_000_000_000], 1_000);
        for number in 0..2_000 {
            assert_eq!(
                numbers.contains(number),
                [0, 63, 64, 200].contains(&number),
                "{number}"
            );
        }
        assert!(!Numbers::new(&[], 10).contains(0));
    }

    #[test]
    fn rare_words_weigh_more() {
        assert!(weight(1, 1_000) > weight(10, 1_000) && weight(999, 1_000) > 0.0 && weight(5, 0) > 0.0);
    }
}
