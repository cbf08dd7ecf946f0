//! Sets of documents of one segment.

/// A set of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Docs {
    bits: Vec<u64>,
}

impl Docs {
    /// The empty set, for documents numbered below `max_doc`.
    pub(super) fn none(max_doc: u32) -> Self {
        Self {
            bits: vec![0; max_doc.div_ceil(64) as usize],
        }
    }

    /// The empty set, for the documents that this one is for.
    pub(super) fn none_of(&self) -> Self {
        Self {
            bits: vec![0; self.bits.len()],
        }
    }

    pub(super) fn insert(&mut self, doc: u32) {
        if let Some(word) = self.bits.get_mut((doc / 64) as usize) {
            *word |= 1 << (doc % 64);
        }
    }

    pub(super) fn contains(&self, doc: u32) -> bool {
        self.bits
            .get((doc / 64) as usize)
            .is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    pub(super) fn count(&self) -> u32 {
        self.bits.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// What is in both.
    pub(super) fn and(mut self, other: &Self) -> Self {
        for (word, other) in self.bits.iter_mut().zip(&other.bits) {
            *word &= other;
        }
        self
    }

    /// The documents in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.bits.iter().zip(0u32..).flat_map(|(word, place)| Bits {
            rest: *word,
            first: place * 64,
        })
    }

    /// Keeps the documents that `keep` says so of.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (word, place) in self.bits.iter_mut().zip(0u32..) {
            for doc in (Bits {
                rest: *word,
                first: place * 64,
            }) {
                if !keep(doc) {
                    *word &= !(1 << (doc % 64));
                }
            }
        }
    }
}

struct Bits {
    rest: u64,
    first: u32,
}

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.rest == 0 {
            return None;
        }
        let lowest = self.rest.trailing_zeros();
        self.rest &= self.rest - 1;
        Some(self.first + lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(docs: &[u32]) -> Docs {
        let mut set = Docs::none(300);
        docs.iter().for_each(|doc| set.insert(*doc));
        set
    }

    #[test]
    fn sets_behave_as_sets() {
        let numbers = [0, 1, 63, 64, 127, 128, 299];
        let mut docs = set(&numbers);
        assert_eq!(docs.iter().collect::<Vec<_>>(), numbers);
        assert_eq!(docs.count(), 7);
        assert_eq!(docs.clone().and(&set(&[1, 2, 128])), set(&[1, 128]));
        docs.retain(|doc| doc % 2 == 0);
        assert_eq!(docs, set(&[0, 64, 128]));
        assert!(docs.contains(64) && !docs.contains(63) && !docs.contains(5_000));
        assert!(docs.none_of().is_empty() && !docs.is_empty());
    }
}
