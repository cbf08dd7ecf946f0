//! The words of the free-text search: found by their beginning, those of digits by any four of them and more.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::grams::{Lists, ListsBuilder};
use super::postings::Postings;
use super::values::Values;

/// Digits that fit into a [`packed`] number; a phone number has 15 at most (E.164).
const MOST_DIGITS: usize = 16;
/// Bits of a digit.
const NIBBLE: usize = 4;
/// Digits that are looked up together; a part of a number has as many at least.
const RUN: usize = 4;

/// Which documents have which word.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Words of digits alone, packed and sorted.
    numbers: Vec<u64>,
    with_number: Postings,
    /// The places of the numbers that have these digits in a row.
    with_run: Lists,
    /// All others, sorted.
    tokens: Values,
    with_token: Postings,
    /// Those of them with [`RUN`] digits in a row, and their places.
    digital: (Values, Vec<u32>),
}

/// Digits as four bits each, the first in the highest, so that numbers sort as their texts do. A digit is never 0.
fn packed(digits: &[u8]) -> u64 {
    let pack = |sum, digit: &u8| sum << NIBBLE | u64::from(digit - b'0' + 1);
    let number = digits.iter().fold(0, pack);
    number << (NIBBLE * (MOST_DIGITS - digits.len()))
}

/// Every [`RUN`] digits in a row of a packed number, packed.
fn runs(number: u64) -> impl Iterator<Item = u32> {
    const BITS: usize = NIBBLE * RUN;
    (0..=MOST_DIGITS - RUN)
        .map(move |place| (number << (NIBBLE * place) >> (u64::BITS as usize - BITS)) as u32)
        .take_while(|run| run & 0xf > 0)
}

fn has_run(word: &str) -> bool {
    let is_run = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    word.as_bytes().windows(RUN).any(is_run)
}

fn unpacked(number: u64) -> String {
    let nibble = |place: usize| (number >> (NIBBLE * (MOST_DIGITS - 1 - place))) as u8 & 0xf;
    (0..MOST_DIGITS)
        .map(nibble)
        .take_while(|digit| *digit > 0)
        .map(|digit| char::from(b'0' + digit - 1))
        .collect()
}

fn is_number(word: &str) -> bool {
    (1..=MOST_DIGITS).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

impl Words {
    /// Adds the documents that have a word which begins with `word`.
    pub(super) fn add_beginning(&self, word: &str, set: &mut FixedBitSet) {
        if is_number(word) {
            let first = packed(word.as_bytes());
            let last = first | u64::MAX.checked_shr((NIBBLE * word.len()) as u32).unwrap_or(0);
            let from = self.numbers.partition_point(|number| *number < first);
            let to = self.numbers.partition_point(|number| *number <= last);
            self.with_number.add(from..to, set);
        }
        self.with_token.add(self.tokens.beginning(word), set);
    }

    /// Adds the documents that have a word with these digits, [`RUN`] or more, somewhere in it.
    pub(super) fn add_containing(&self, digits: &str, set: &mut FixedBitSet) {
        if is_number(digits) {
            let wanted = packed(digits.as_bytes()) >> (NIBBLE * (MOST_DIGITS - digits.len()));
            let away = NIBBLE * (MOST_DIGITS - digits.len());
            let has = |number: u64| {
                (0..=MOST_DIGITS - digits.len()).any(|place| number << (NIBBLE * place) >> away == wanted)
            };
            for place in self.with_run.in_all(runs(packed(digits.as_bytes()))) {
                let place = place as usize;
                if has(self.numbers[place]) {
                    self.with_number.add(place..place + 1, set);
                }
            }
        }
        let (texts, places) = &self.digital;
        texts.containing(digits, |text| {
            let token = places[text] as usize;
            self.with_token.add(token..token + 1, set);
        });
    }

    /// The words of each document, by number of the document.
    pub(super) fn by_document(&self, documents: usize) -> ByDocument<'_> {
        let (mut starts, mut words) = (vec![0_usize; documents + 1], Vec::new());
        for doc in self.with_number.docs.iter().chain(&self.with_token.docs) {
            starts[*doc as usize + 1] += 1;
        }
        for doc in 0..documents {
            starts[doc + 1] += starts[doc];
        }
        words.resize(starts[documents], 0_u32);
        let mut next = starts.clone();
        for (postings, offset) in [(&self.with_number, 0), (&self.with_token, self.numbers.len())] {
            for word in 0..postings.starts.len().saturating_sub(1) {
                for doc in &postings.docs[postings.starts[word]..postings.starts[word + 1]] {
                    words[next[*doc as usize]] = (word + offset) as u32;
                    next[*doc as usize] += 1;
                }
            }
        }
        ByDocument {
            of: self,
            starts,
            words,
        }
    }
}

/// Words the other way round.
pub(super) struct ByDocument<'w> {
    of: &'w Words,
    starts: Vec<usize>,
    words: Vec<u32>,
}

impl ByDocument<'_> {
    /// Puts the words of a document into `text`, a space before each.
    pub(super) fn write(&self, doc: usize, text: &mut String) {
        for word in &self.words[self.starts[doc]..self.starts[doc + 1]] {
            text.push(' ');
            match self.of.numbers.get(*word as usize) {
                Some(number) => text.push_str(&unpacked(*number)),
                None => text.push_str(self.of.tokens.text(*word as usize - self.of.numbers.len())),
            }
        }
    }
}

/// Makes [`Words`], document by document.
#[derive(Default)]
pub(super) struct WordsBuilder {
    tokens: HashMap<Box<str>, u32>,
    with_token: Vec<(u32, u32)>,
    with_number: Vec<(u64, u32)>,
}

impl WordsBuilder {
    /// `text` is what [`trunkline_store::people_changes::PersonTexts::words`] holds.
    pub(super) fn push(&mut self, doc: u32, text: &str) {
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if is_number(word) {
                self.with_number.push((packed(word.as_bytes()), doc));
                continue;
            }
            let token = match self.tokens.get(word) {
                Some(token) => *token,
                None => {
                    let token = self.tokens.len() as u32;
                    self.tokens.insert(word.into(), token);
                    token
                }
            };
            self.with_token.push((token, doc));
        }
    }

    pub(super) fn finish(mut self) -> Words {
        let mut sorted: Vec<(Box<str>, u32)> = self.tokens.into_iter().collect();
        sorted.sort_unstable();
        let (mut tokens, mut places) = (Values::default(), vec![0_u32; sorted.len()]);
        let mut digital = (Values::default(), Vec::new());
        for (place, (text, token)) in sorted.into_iter().enumerate() {
            tokens.push(&text);
            if has_run(&text) {
                digital.0.push(&text);
                digital.1.push(place as u32);
            }
            places[token as usize] = place as u32;
        }
        for (token, _) in &mut self.with_token {
            *token = places[*token as usize];
        }
        self.with_token.sort_unstable();
        self.with_token.dedup();
        self.with_number.sort_unstable();
        self.with_number.dedup();
        let mut numbers: Vec<u64> = Vec::new();
        let mut pairs = Vec::with_capacity(self.with_number.len());
        let mut with_run = ListsBuilder::default();
        for (number, doc) in self.with_number {
            if numbers.last() != Some(&number) {
                runs(number).for_each(|run| with_run.push(run, numbers.len() as u32));
                numbers.push(number);
            }
            pairs.push((numbers.len() as u32 - 1, doc));
        }
        let with_number = Postings::new(numbers.len(), &pairs);
        let with_token = Postings::new(tokens.len(), &self.with_token);
        Words {
            numbers,
            with_number,
            with_run: with_run.finish(),
            tokens,
            with_token,
            digital,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let mut builder = WordsBuilder::default();
        builder.push(0, " anna smith 14155551234 42 a1234b");
        builder.push(1, " ann 4155559999 annette smithson 1234567890123456789");
        builder.push(2, "  élan 0012 0012 123456789012345 1234567890123456");
        builder.finish()
    }

    fn found(add: impl Fn(&mut FixedBitSet)) -> Vec<usize> {
        let mut set = FixedBitSet::with_capacity(3);
        add(&mut set);
        set.ones().collect()
    }

    #[test]
    fn words_are_found_by_their_beginning() {
        let words = words();
        let beginning = |word: &str| found(|set| words.add_beginning(word, set));
        assert_eq!(beginning("ann"), [0, 1]);
        assert_eq!(beginning("anna"), [0]);
        assert_eq!(beginning("smith"), [0, 1]);
        assert_eq!(beginning("1"), [0, 1, 2]);
        assert_eq!(beginning("415"), [1]);
        assert_eq!(beginning("42"), [0]);
        assert_eq!(beginning("001"), [2]);
        assert_eq!(beginning("0012"), [2]);
        assert!(beginning("00120").is_empty());
        assert_eq!(beginning("1234567890123456"), [1, 2]);
        assert_eq!(beginning("él"), [2]);
    }

    #[test]
    fn digits_are_found_anywhere() {
        let words = words();
        let containing = |digits: &str| found(|set| words.add_containing(digits, set));
        assert_eq!(containing("1234"), [0, 1, 2]);
        assert!(containing("99990").is_empty());
        assert_eq!(containing("5551234"), [0]);
        assert_eq!(containing("5555"), [0, 1]);
        assert_eq!(containing("55559"), [1]);
        assert_eq!(containing("3456789"), [1, 2]);
        assert_eq!(containing("0012"), [2]);
        assert!(containing("0124").is_empty());
        assert_eq!(containing("1234567890123456"), [1, 2]);
        assert_eq!(containing("12345678901234567"), [1]);
    }

    #[test]
    fn documents_have_their_words_back() {
        let words = words();
        let mut text = String::new();
        words.by_document(3).write(2, &mut text);
        assert_eq!(text, " 0012 123456789012345 1234567890123456 élan");
    }

    #[test]
    fn numbers_sort_as_their_texts() {
        let texts = ["0", "00", "01", "1", "10", "14155550100", "2", "9999999999999999"];
        let numbers: Vec<u64> = texts.iter().map(|text| packed(text.as_bytes())).collect();
        assert!(numbers.is_sorted());
        assert!(
            texts
                .iter()
                .zip(&numbers)
                .all(|(text, number)| unpacked(*number) == *text)
        );
    }
}
