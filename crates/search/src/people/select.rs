//! The first few of many, without sorting the rest.

use fixedbitset::FixedBitSet;
use trunkline_store::search::Order;

/// Candidates that are gathered before the worst of them are dropped.
const GATHERED: usize = 1_024;

/// What a page begins behind: upwards, entries with a greater key, and of those with this key the documents from `docs` on;
/// downwards, entries with a lesser key, and of those with this key the documents before `docs`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) key: i64,
    pub(super) docs: usize,
}

/// The first `limit` documents of `found` in the order of their keys, then of their numbers; both upwards or both downwards.
pub(super) fn first(
    found: &FixedBitSet,
    key: impl Fn(usize) -> i64,
    order: Order,
    behind: Option<Entry>,
    limit: usize,
) -> Vec<usize> {
    match order {
        Order::OldestFirst => {
            let is_behind = |entry: (i64, usize)| behind.is_none_or(|b| entry >= (b.key, b.docs));
            gather(
                found
                    .ones()
                    .map(|doc| (key(doc), doc))
                    .filter(|entry| is_behind(*entry)),
                limit,
            )
            .into_iter()
            .map(|(_, doc)| doc)
            .collect()
        }
        // Later documents have greater keys as a rule: begun from the end, most are dropped at a glance.
        Order::NewestFirst => {
            let is_behind = |entry: (i64, usize)| behind.is_none_or(|b| entry < (b.key, b.docs));
            let entries = found
                .ones()
                .rev()
                .map(|doc| (key(doc), doc))
                .filter(|entry| is_behind(*entry));
            gather(entries.map(|(key, doc)| (!key, !doc)), limit)
                .into_iter()
                .map(|(_, doc)| !doc)
                .collect()
        }
    }
}

/// The least `limit` entries, in order.
fn gather(entries: impl Iterator<Item = (i64, usize)>, limit: usize) -> Vec<(i64, usize)> {
    if limit == 0 {
        return Vec::new();
    }
    let room = GATHERED.max(limit.saturating_mul(2));
    let mut least: Vec<(i64, usize)> = Vec::new();
    let mut bound = (i64::MAX, usize::MAX);
    for entry in entries {
        if entry > bound {
            continue;
        }
        least.push(entry);
        if least.len() >= room {
            bound = *least.select_nth_unstable(limit - 1).1;
            least.truncate(limit);
        }
    }
    least.sort_unstable();
    least.truncate(limit);
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_everything_sorted() {
        let keys: Vec<i64> = (0..5_000).map(|n: i64| (n * 7_919) % 97 - 40).collect();
        let mut found = FixedBitSet::with_capacity(keys.len());
        (0..keys.len())
            .filter(|doc| doc % 3 != 0)
            .for_each(|doc| found.insert(doc));
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let mut sorted: Vec<(i64, usize)> = found.ones().map(|doc| (keys[doc], doc)).collect();
            sorted.sort_unstable();
            if order == Order::NewestFirst {
                sorted.reverse();
            }
            let (mut behind, mut seen) = (None, Vec::new());
            loop {
                let page = first(&found, |doc| keys[doc], order, behind, 700);
                let Some(last) = page.last() else { break };
                let docs = if order == Order::OldestFirst {
                    last + 1
                } else {
                    *last
                };
                behind = Some(Entry {
                    key: keys[*last],
                    docs,
                });
                seen.extend(page);
            }
            assert_eq!(seen, sorted.iter().map(|(_, doc)| *doc).collect::<Vec<_>>());
        }
        assert!(first(&found, |doc| keys[doc], Order::OldestFirst, None, 0).is_empty());
    }
}
