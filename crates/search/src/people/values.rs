//! Texts behind one another in one piece of memory, so that all of them are looked through at the speed of memory.

use fixedbitset::FixedBitSet;
use memchr::memmem::Finder;

/// Behind every text, so that nothing is found across two of them.
pub(super) const END: u8 = 0;
/// So many texts are passed over one by one before the place of a match is looked up.
const STEPS: usize = 8;

/// Texts by number.
#[derive(Debug)]
pub(super) struct Values {
    bytes: Vec<u8>,
    /// Where each begins, and where the next one would.
    starts: Vec<usize>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            starts: vec![0],
        }
    }
}

impl Values {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Adds one; its number is the next.
    pub(super) fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(END);
        self.starts.push(self.bytes.len());
    }

    /// The bytes of the text with this number.
    pub(super) fn bytes(&self, number: usize) -> &[u8] {
        &self.bytes[self.starts[number]..self.starts[number + 1] - 1]
    }

    /// The text with this number.
    pub(super) fn text(&self, number: usize) -> &str {
        std::str::from_utf8(self.bytes(number)).unwrap_or_default()
    }

    /// Hands over the number of each text that has `part` somewhere, ascending.
    pub(super) fn containing(&self, part: &str, mut each: impl FnMut(usize)) {
        if part.is_empty() {
            (0..self.len()).for_each(each);
            return;
        }
        if part.as_bytes().contains(&END) {
            return;
        }
        let finder = Finder::new(part.as_bytes());
        let (mut from, mut number) = (0, 0);
        while let Some(found) = finder.find(&self.bytes[from..]) {
            number = self.number_at(from + found, number);
            each(number);
            number += 1;
            from = self.starts[number];
        }
    }

    /// The numbers of the texts that have `part` somewhere.
    pub(super) fn set_containing(&self, part: &str) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.len());
        self.containing(part, |number| set.insert(number));
        set
    }

    /// The text that position `at` is in, which is `from` or a later one.
    fn number_at(&self, at: usize, from: usize) -> usize {
        let near = (from..self.len())
            .take(STEPS)
            .find(|number| self.starts[number + 1] > at);
        near.unwrap_or_else(|| from + self.starts[from + 1..].partition_point(|start| *start <= at))
    }

    /// Of texts in ascending order, the numbers of those that begin with `part`.
    pub(super) fn beginning(&self, part: &str) -> std::ops::Range<usize> {
        let part = part.as_bytes();
        let first = partition_point(0..self.len(), |number| self.bytes(number) < part);
        let behind = partition_point(first..self.len(), |number| self.bytes(number).starts_with(part));
        first..behind
    }
}

/// The first of `range` that `is_before` does not hold for, which holds for a beginning of it; its end if there is none.
pub(super) fn partition_point(range: std::ops::Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// A text of each document, kept once however many have it.
#[derive(Debug, Default)]
pub(super) struct Column {
    values: Values,
    of: Vec<u32>,
}

impl Column {
    /// The text of a document.
    pub(super) fn text(&self, doc: usize) -> &str {
        self.values.text(self.of[doc] as usize)
    }

    /// Leaves in `set` the documents whose text has `part` somewhere.
    pub(super) fn keep_containing(&self, part: &str, set: &mut FixedBitSet) {
        let hits = self.values.set_containing(part);
        if hits.is_clear() {
            set.clear();
        } else {
            retain(set, |doc| hits.contains(self.of[doc] as usize));
        }
    }
}

/// Makes a [`Column`], document by document.
#[derive(Default)]
pub(super) struct ColumnBuilder {
    known: std::collections::HashMap<Box<str>, u32>,
    column: Column,
}

impl ColumnBuilder {
    pub(super) fn push(&mut self, text: &str) {
        let number = match self.known.get(text) {
            Some(number) => *number,
            None => {
                let number = self.known.len() as u32;
                self.known.insert(text.into(), number);
                self.column.values.push(text);
                number
            }
        };
        self.column.of.push(number);
    }

    pub(super) fn finish(self) -> Column {
        self.column
    }
}

/// Takes out of `set` what `test` does not hold for.
pub(super) fn retain(set: &mut FixedBitSet, test: impl Fn(usize) -> bool) {
    const BITS: usize = usize::BITS as usize;
    let length = set.len();
    for (place, block) in set.as_mut_slice().iter_mut().enumerate() {
        let first = place * BITS;
        if block.count_ones() as usize > BITS / 4 && first + BITS <= length {
            // Nearly all are asked: without a branch for each it is several times as fast.
            let kept = (0..BITS).fold(0, |kept, bit| kept | usize::from(test(first + bit)) << bit);
            *block &= kept;
            continue;
        }
        let mut left = *block;
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            if !test(first + bit) {
                *block &= !(1 << bit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Values {
        let mut values = Values::default();
        texts.iter().for_each(|text| values.push(text));
        values
    }

    fn found(values: &Values, part: &str) -> Vec<usize> {
        values.set_containing(part).ones().collect()
    }

    #[test]
    fn texts_are_found_by_any_part_and_never_across_two() {
        let values = values(&["anna", "", "hanna", "nan", "an", "b"]);
        assert_eq!(found(&values, "an"), [0, 2, 3, 4]);
        assert_eq!(found(&values, "ann"), [0, 2]);
        assert!(found(&values, "ah").is_empty());
        assert!(found(&values, "\0").is_empty());
        assert_eq!(found(&values, ""), [0, 1, 2, 3, 4, 5]);
        assert_eq!(values.text(2), "hanna");
        let many: Vec<String> = (0..1_000).map(|n| format!("v{n}")).collect();
        let many = self::values(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(
            found(&many, "v99"),
            [99, 990, 991, 992, 993, 994, 995, 996, 997, 998, 999]
        );
    }

    #[test]
    fn sorted_texts_are_found_by_their_beginning() {
        let values = values(&["a", "ab", "abc", "abd", "b"]);
        assert_eq!(values.beginning("ab"), 1..4);
        assert_eq!(values.beginning("b"), 4..5);
        assert_eq!(values.beginning("c"), 5..5);
        assert_eq!(values.beginning("aa"), 1..1);
    }

    #[test]
    fn what_is_not_wanted_goes() {
        let mut set = FixedBitSet::with_capacity(200);
        set.insert_range(..);
        retain(&mut set, |doc| doc % 3 == 0);
        retain(&mut set, |doc| doc % 5 == 0);
        let wanted: Vec<usize> = (0..200).filter(|doc| doc % 15 == 0).collect();
        assert_eq!(set.ones().collect::<Vec<_>>(), wanted);
    }
}
