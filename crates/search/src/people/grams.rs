//! Which texts have which three bytes in a row, so that only those are looked at that may have a longer part.

use std::collections::HashMap;

/// Bytes that are looked up together.
pub(super) const GRAM: usize = 3;
/// So few candidates are looked at one by one rather than held against another list.
const FEW: usize = 500;
/// Bits of a number in a byte; the highest bit tells that more follow.
const PART: u32 = 7;
const MORE: u8 = 0x80;

/// Ascending numbers under keys. A number is stored as its distance from the one before it.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Sorted.
    keys: Vec<u32>,
    /// Where each list begins, and where the next one would.
    starts: Vec<usize>,
    bytes: Vec<u8>,
}

impl Lists {
    /// Of lists under the [`keys_of`] texts: hands over all texts that have `part` somewhere, which is not empty; those of
    /// a part of up to [`GRAM`] bytes perhaps more than once, with a longer one also some that do not have it. A zero stands
    /// for the end of a text.
    pub(super) fn with_part(&self, part: &[u8], each: impl FnMut(u32)) {
        if part.len() > GRAM {
            let keys = part.windows(GRAM).map(|bytes| key(bytes, 0));
            self.in_all(keys).into_iter().for_each(each);
        } else {
            let from = self.keys.partition_point(|known| *known < key(part, 0));
            let to = self.keys.partition_point(|known| *known <= key(part, u8::MAX));
            (from..to).flat_map(|list| self.list(list)).for_each(each);
        }
    }

    /// Numbers among which are all that are under every one of these keys, ascending; none without keys.
    pub(super) fn in_all(&self, keys: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut lists = Vec::new();
        for key in keys {
            let Ok(list) = self.keys.binary_search(&key) else {
                return Vec::new();
            };
            lists.push(list);
        }
        lists.sort_unstable_by_key(|list| (self.starts[list + 1] - self.starts[*list], *list));
        lists.dedup();
        let mut lists = lists.into_iter();
        let mut found: Vec<u32> = lists
            .next()
            .into_iter()
            .flat_map(|list| self.list(list))
            .collect();
        for list in lists {
            if found.len() <= FEW {
                break;
            }
            let mut others = self.list(list);
            let mut other = others.next();
            found.retain(|number| {
                while other.is_some_and(|other| other < *number) {
                    other = others.next();
                }
                other == Some(*number)
            });
        }
        found
    }

    fn list(&self, list: usize) -> impl Iterator<Item = u32> + '_ {
        let mut rest = self.bytes[self.starts[list]..self.starts[list + 1]].iter();
        let mut next = 0;
        std::iter::from_fn(move || {
            let (mut distance, mut shift) = (0, 0);
            loop {
                let byte = *rest.next()?;
                distance |= u32::from(byte & !MORE) << shift;
                if byte & MORE == 0 {
                    break;
                }
                shift += PART;
            }
            let number = next + distance;
            next = number + 1;
            Some(number)
        })
    }
}

/// Makes [`Lists`].
#[derive(Default)]
pub(super) struct ListsBuilder(HashMap<u32, List>);

#[derive(Default)]
struct List {
    /// The least number that may come next.
    next: u32,
    bytes: Vec<u8>,
}

impl ListsBuilder {
    /// Puts a number under a key, unless it is there already. It must not be less than those that are.
    pub(super) fn push(&mut self, key: u32, number: u32) {
        let list = self.0.entry(key).or_default();
        let Some(mut distance) = number.checked_sub(list.next) else {
            return;
        };
        while distance >= u32::from(MORE) {
            list.bytes.push(distance as u8 | MORE);
            distance >>= PART;
        }
        list.bytes.push(distance as u8);
        list.next = number + 1;
    }

    pub(super) fn finish(self) -> Lists {
        let mut all: Vec<(u32, List)> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        let mut lists = Lists {
            starts: vec![0],
            ..Lists::default()
        };
        lists
            .bytes
            .reserve_exact(all.iter().map(|(_, list)| list.bytes.len()).sum());
        for (key, list) in all {
            lists.keys.push(key);
            lists.bytes.extend_from_slice(&list.bytes);
            lists.starts.push(lists.bytes.len());
        }
        lists
    }
}

/// The keys of a text: the bytes from each of its places on, filled up with zeros at its end.
pub(super) fn keys_of(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    (0..text.len()).map(|place| key(&text[place..(place + GRAM).min(text.len())], 0))
}

fn key(bytes: &[u8], filling: u8) -> u32 {
    (0..GRAM).fold(0, |key, place| {
        key << u8::BITS | u32::from(*bytes.get(place).unwrap_or(&filling))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(texts: &[String]) -> Lists {
        let mut builder = ListsBuilder::default();
        for (number, text) in texts.iter().enumerate() {
            keys_of(text.as_bytes()).for_each(|key| builder.push(key, number as u32));
        }
        builder.finish()
    }

    fn found(lists: &Lists, part: &str) -> Vec<u32> {
        let mut found = Vec::new();
        lists.with_part(part.as_bytes(), |number| found.push(number));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn short_parts_are_found_by_themselves_and_long_ones_among_few() {
        let texts: Vec<String> = (0..40_000_u32)
            .map(|n| format!("a{}é{}", n * 7_919 % 39_989, n % 300))
            .collect();
        let lists = lists(&texts);
        for part in ["a", "7", "é", "12", "a9", "999", "8é2", "99\0", "1\0", "x", "xyz"] {
            let ended: Vec<String> = texts.iter().map(|text| format!("{text}\0")).collect();
            let wanted: Vec<u32> = (0..texts.len() as u32)
                .filter(|n| ended[*n as usize].contains(part))
                .collect();
            assert_eq!(found(&lists, part), wanted, "{part:?}");
        }
        for part in ["a123", "1234", "9é29", "7é299", "a38117é", "12345x"] {
            let found = found(&lists, part);
            let wanted = |n: &usize| texts[*n].contains(part);
            assert!(
                (0..texts.len())
                    .filter(wanted)
                    .all(|n| found.contains(&(n as u32))),
                "{part:?}"
            );
            assert!(found.len() <= FEW + texts.len() / 10, "{part:?}: {}", found.len());
        }
    }

    #[test]
    fn an_empty_list_has_nothing() {
        let lists = Lists::default();
        assert!(found(&lists, "a").is_empty());
        assert!(found(&lists, "abcd").is_empty());
        assert!(lists.in_all(std::iter::empty()).is_empty());
    }
}
