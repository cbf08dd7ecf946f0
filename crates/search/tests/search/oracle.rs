//! The answer to a query found by looking at every item.

use tantivy::fieldnorm::FieldNormReader;
use trunkline_domain::text::words;
use trunkline_search::{Hit, TextOrder, TextQuery, TextStart};

use crate::world::{Known, Known1};

fn passes(known: &Known, query: &TextQuery) -> bool {
    let (row, filter) = (&known.row, &query.filter);
    query.max_seq.is_none_or(|max| row.seq <= max)
        && filter.line.is_none_or(|line| row.line == line)
        && filter.contact.is_none_or(|contact| row.contact_number == contact)
        && filter.user.is_none_or(|user| row.user_id == Some(user))
        && filter.kind.is_none_or(|kind| row.kind == kind)
        && filter
            .direction
            .is_none_or(|direction| row.direction == direction)
        && (filter.results.is_empty() || row.result.is_some_and(|result| filter.results.contains(&result)))
        && (filter.tags.is_empty() || row.tags.iter().any(|tag| filter.tags.contains(tag)))
        && filter
            .conversations_in
            .as_ref()
            .is_none_or(|list| list.contains(&row.conversation))
        && filter
            .conversations_not_in
            .as_ref()
            .is_none_or(|list| !list.contains(&row.conversation))
        && filter.from.is_none_or(|from| row.at >= from)
        && filter.until.is_none_or(|until| row.at < until)
}

fn folded(known: &Known) -> Vec<String> {
    known.texts.iter().flat_map(|text| words(text)).collect()
}

/// All hits of a query in order, wherever its page begins, and however long it is.
pub fn all_hits(items: &Known1, query: &TextQuery) -> Vec<Hit> {
    let folded: Vec<(&Known, Vec<String>)> = items.values().map(|known| (known, folded(known))).collect();
    let has = |words: &[String], word: &String| words.iter().any(|own| own.starts_with(word.as_str()));
    let counted = |known: &Known| query.max_seq.is_none_or(|max| known.row.seq <= max);
    let having: Vec<usize> = query
        .words
        .iter()
        .map(|word| {
            folded
                .iter()
                .filter(|(known, words)| counted(known) && has(words, word))
                .count()
        })
        .collect();
    let count = folded.iter().filter(|(known, _)| counted(known)).count();
    let matching = folded
        .iter()
        .filter(|(known, words)| passes(known, query) && query.words.iter().all(|word| has(words, word)));
    let mut hits: Vec<Hit> = matching
        .map(|(known, words)| {
            let score = if query.order == TextOrder::Relevance {
                score(query, words, &having, count)
            } else {
                0.0
            };
            Hit {
                seq: known.row.seq,
                at: known.row.at,
                score,
            }
        })
        .collect();
    hits.sort_by(|a, b| match query.order {
        TextOrder::NewestFirst => (b.at, b.seq).cmp(&(a.at, a.seq)),
        TextOrder::OldestFirst => (a.at, a.seq).cmp(&(b.at, b.seq)),
        TextOrder::Relevance => b
            .score
            .total_cmp(&a.score)
            .then((b.at, b.seq).cmp(&(a.at, a.seq))),
    });
    hits
}

fn score(query: &TextQuery, words: &[String], having: &[usize], items: usize) -> f32 {
    // Lengths are kept coarsely, as the library does it.
    let length = FieldNormReader::id_to_fieldnorm(FieldNormReader::fieldnorm_to_id(words.len() as u32));
    let norm = 1.2 * (1.0 - 0.75 + 0.75 * length as f32 / 200.0);
    let mut score = 0.0f32;
    for (word, having) in query.words.iter().zip(having) {
        let weight = (1.0 + ((items - having) as f32 + 0.5) / (*having as f32 + 0.5)).ln();
        let exact = words.iter().filter(|own| *own == word).count();
        let longer = words.iter().filter(|own| own.starts_with(word.as_str())).count() - exact;
        let count = (2 * exact + longer) as f32;
        score += weight * (count * (1.2 + 1.0) / (count + norm));
    }
    score
}

/// The part of all hits that a query's page is.
pub fn page(all: &[Hit], query: &TextQuery) -> Vec<Hit> {
    let rest: Vec<Hit> = match query.start {
        TextStart::Offset(offset) => all.iter().skip(offset).copied().collect(),
        TextStart::Behind { at, seq } => {
            let is_behind = |hit: &&Hit| match query.order {
                TextOrder::OldestFirst => (hit.at, hit.seq) > (at, seq),
                _ => (hit.at, hit.seq) < (at, seq),
            };
            all.iter().filter(is_behind).copied().collect()
        }
    };
    rest.into_iter().take(query.limit).collect()
}
