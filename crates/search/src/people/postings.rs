//! Which documents have which of some things, such as words.

use fixedbitset::FixedBitSet;

/// The documents of each, behind one another in their order.
#[derive(Debug, Default)]
pub(super) struct Postings {
    pub(super) starts: Vec<usize>,
    pub(super) docs: Vec<u32>,
}

impl Postings {
    /// Of (thing, document), sorted; things are numbered from 0.
    pub(super) fn new(things: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0; things + 1];
        for (thing, _) in pairs {
            starts[*thing as usize + 1] += 1;
        }
        for thing in 0..things {
            starts[thing + 1] += starts[thing];
        }
        Self {
            starts,
            docs: pairs.iter().map(|(_, doc)| *doc).collect(),
        }
    }

    /// Adds the documents of these.
    pub(super) fn add(&self, things: std::ops::Range<usize>, set: &mut FixedBitSet) {
        if !things.is_empty() {
            for doc in &self.docs[self.starts[things.start]..self.starts[things.end]] {
                set.insert(*doc as usize);
            }
        }
    }
}
