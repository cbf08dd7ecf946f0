//! The order of an answer, and the page of it that is asked for.

use trunkline_domain::Millis;

use super::docs::Docs;
use crate::query::{Hit, TextOrder, TextQuery, TextStart};
use crate::snapshot::SegmentView;

/// The most hits that are sorted at a time: an offset beyond is reached in several rounds, each of which begins
/// where the last one ended, so that memory is bounded however deep the page.
const ROUND: usize = 65_536;

/// The matching documents of a segment.
pub(super) struct Part<'s> {
    pub view: &'s SegmentView,
    pub docs: Docs,
    /// By relevance: a score for each document, in their order.
    pub scores: Vec<f32>,
}

/// What hits are ordered by; the highest comes first. No two hits of a team have the same.
type Key = (u32, i64, i64);

/// The key of a hit. Scores are not negative, so their bits are in the order of the numbers.
fn key(order: TextOrder, score: f32, at: i64, seq: i64) -> Key {
    match order {
        TextOrder::NewestFirst => (0, at, seq),
        TextOrder::OldestFirst => (0, !at, !seq),
        TextOrder::Relevance => (score.to_bits(), at, seq),
    }
}

fn hit(order: TextOrder, (score, at, seq): Key) -> Hit {
    let (at, seq) = if order == TextOrder::OldestFirst {
        (!at, !seq)
    } else {
        (at, seq)
    };
    Hit {
        seq,
        at: Millis(at),
        score: f32::from_bits(score),
    }
}

/// The page that the query asks for.
pub(super) fn page(parts: &[Part<'_>], query: &TextQuery) -> Vec<Hit> {
    let total: usize = parts.iter().map(|part| part.docs.count() as usize).sum();
    let (mut behind, mut skip) = match query.start {
        TextStart::Offset(offset) => (None, offset),
        TextStart::Behind { at, seq } => (Some(key(query.order, 0.0, at.0, seq)), 0),
    };
    if query.limit == 0 || skip >= total {
        return Vec::new();
    }
    while skip >= ROUND {
        behind = first(parts, query.order, behind, ROUND).pop();
        skip -= ROUND;
    }
    let wanted = skip.saturating_add(query.limit).min(total);
    let found = first(parts, query.order, behind, wanted);
    found
        .into_iter()
        .skip(skip)
        .map(|key| hit(query.order, key))
        .collect()
}

/// The first `wanted` keys behind `behind`, in order.
fn first(parts: &[Part<'_>], order: TextOrder, behind: Option<Key>, wanted: usize) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(2 * wanted);
    let mut lowest: Option<Key> = None;
    for Part { view, docs, scores } in parts {
        for (place, doc) in docs.iter().enumerate() {
            let score = scores.get(place).copied().unwrap_or_default();
            // Most documents are out of the question by their score, or before their number is looked up.
            if order == TextOrder::Relevance && lowest.is_some_and(|lowest| score.to_bits() < lowest.0) {
                continue;
            }
            let at = view.at.get_val(doc);
            if lowest.is_some_and(|lowest| {
                (key(order, score, at, 0).0, key(order, score, at, 0).1) < (lowest.0, lowest.1)
            }) {
                continue;
            }
            let key = key(order, score, at, view.seq.get_val(doc).cast_signed());
            if behind.is_some_and(|behind| key >= behind) || lowest.is_some_and(|lowest| key < lowest) {
                continue;
            }
            keys.push(key);
            if keys.len() == 2 * wanted {
                let (_, last, _) = keys.select_nth_unstable_by(wanted - 1, |a, b| b.cmp(a));
                lowest = Some(*last);
                keys.truncate(wanted);
            }
        }
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.truncate(wanted);
    keys
}
