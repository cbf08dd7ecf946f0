//! Texts made once and used many times, with rare words mixed in.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::corpus::{self, CallText, ContactNames, Language, Speaker, TEAM};

/// How many rare words there are.
const VOCABULARY: f64 = 60_000.0;

/// Syllables of rare words.
#[rustfmt::skip]
const SYLLABLES: [&str; 60] = [
    "ba", "be", "bi", "bo", "bu", "da", "de", "di", "do", "du", "fa", "fe", "fi", "fo", "fu", "ga", "ge", "gi", "go",
    "gu", "ka", "ke", "ki", "ko", "ku", "la", "le", "li", "lo", "lu", "ma", "me", "mi", "mo", "mu", "na", "ne", "ni",
    "no", "nu", "ra", "re", "ri", "ro", "ru", "sa", "se", "si", "so", "su", "ta", "te", "ti", "to", "tu", "va", "ve",
    "vi", "vo", "vu",
];

/// Conversations in both languages.
pub(super) struct Pool {
    english: Shelf,
    french: Shelf,
}

/// Conversations in one language.
pub(super) struct Shelf {
    /// Calls that came in, then calls that went out: half and half.
    calls: Vec<CallText>,
    voicemails: Vec<CallText>,
    /// Texts of ours, and of theirs.
    texts: [Vec<String>; 2],
}

impl Pool {
    /// `size` calls in each language, and as many texts of either side.
    pub(super) fn new(seed: u64, size: u64) -> Self {
        // Either language has a thread to itself: this is most of the work of a small seed.
        std::thread::scope(|scope| {
            let french = scope.spawn(move || Shelf::new(Language::French, seed ^ 0x66_72, size));
            let english = Shelf::new(Language::English, seed ^ 0x65_6e, size);
            let french = french
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Self { english, french }
        })
    }

    pub(super) const fn shelf(&self, language: Language) -> &Shelf {
        match language {
            Language::English => &self.english,
            Language::French => &self.french,
        }
    }
}

impl Shelf {
    fn new(language: Language, seed: u64, size: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let agents: Vec<&str> = TEAM
            .iter()
            .filter(|member| member.language == language)
            .map(|member| member.first_name())
            .collect();
        let people = |rng: &mut StdRng| {
            let person = corpus::person(rng, language);
            let place = rng.random_range(0..300);
            let company = corpus::company(rng, language, place);
            let agent = agents[rng.random_range(0..agents.len())];
            (
                ContactNames {
                    first: person.first,
                    last: person.last,
                },
                company.name,
                agent,
            )
        };
        let calls = (0..size).map(|place| {
            let (names, company, agent) = people(&mut rng);
            corpus::call(
                &mut rng,
                language,
                place < size / 2,
                agent,
                &names,
                Some(&company),
            )
        });
        let calls = calls.collect();
        let voicemails = (0..size.div_ceil(4)).map(|_| {
            let (names, company, _) = people(&mut rng);
            corpus::voicemail(&mut rng, language, &names, Some(&company))
        });
        let voicemails = voicemails.collect();
        let texts = [Speaker::User, Speaker::External].map(|speaker| {
            let texts = (0..size).map(|_| {
                let (names, company, agent) = people(&mut rng);
                corpus::single_text(&mut rng, language, speaker, agent, &names, Some(&company))
            });
            texts.collect()
        });
        Self {
            calls,
            voicemails,
            texts,
        }
    }

    /// A call of this direction.
    pub(super) fn call<R: Rng + ?Sized>(&self, rng: &mut R, inbound: bool) -> &CallText {
        let (came_in, went_out) = self.calls.split_at(self.calls.len() / 2);
        let calls = if inbound { came_in } else { went_out };
        &calls[rng.random_range(0..calls.len())]
    }

    /// A voicemail that a contact left.
    pub(super) fn voicemail<R: Rng + ?Sized>(&self, rng: &mut R) -> &CallText {
        &self.voicemails[rng.random_range(0..self.voicemails.len())]
    }

    /// A text of ours or theirs.
    pub(super) fn text<R: Rng + ?Sized>(&self, rng: &mut R, inbound: bool) -> &str {
        let texts = &self.texts[usize::from(inbound)];
        &texts[rng.random_range(0..texts.len())]
    }
}

/// `text` with one more word somewhere: common or rare, by Zipf's law.
pub(super) fn varied<R: Rng + ?Sized>(rng: &mut R, text: &str) -> String {
    let mut varied = String::with_capacity(text.len() + 12);
    let from = text.floor_char_boundary(rng.random_range(0..=text.len()));
    match text[from..].find(' ') {
        Some(space) => {
            varied.push_str(&text[..=from + space]);
            push_word(&mut varied, rank(rng));
            varied.push_str(&text[from + space..]);
        }
        None => {
            varied.push_str(text);
            varied.push(' ');
            push_word(&mut varied, rank(rng));
        }
    }
    varied
}

/// The place of a word in the vocabulary: the k-th is drawn in proportion to 1/k.
fn rank<R: Rng + ?Sized>(rng: &mut R) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to the size of the vocabulary"
    )]
    let rank = VOCABULARY.powf(rng.random::<f64>()) as usize;
    rank
}

/// Writes the word of this rank; every rank has its own, of two syllables or more.
fn push_word(text: &mut String, rank: usize) {
    let mut rest = rank + SYLLABLES.len();
    while rest > 0 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn every_rank_has_its_word() {
        let words: HashSet<String> = (1..=60_000)
            .map(|rank| {
                let mut word = String::new();
                push_word(&mut word, rank);
                word
            })
            .collect();
        assert_eq!(words.len(), 60_000);
        assert!(words.iter().all(|word| (4..=6).contains(&word.len())));
    }

    #[test]
    fn words_are_common_to_rare() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for _ in 0..50_000 {
            *counts.entry(rank(&mut rng)).or_default() += 1;
        }
        let once = counts.values().filter(|count| **count == 1).count();
        assert!(
            counts[&1] > 2_000 && once > 2_000,
            "{} of the first, {once} seen once",
            counts[&1]
        );
    }

    #[test]
    fn one_word_is_added_and_nothing_lost() {
        let mut rng = StdRng::seed_from_u64(2);
        for text in [
            "",
            "été",
            "Ça va être réglé dès demain, à Nîmes.",
            "one two  three",
        ] {
            for _ in 0..50 {
                let varied = varied(&mut rng, text);
                let (before, after) = (text.split_whitespace().count(), varied.split_whitespace().count());
                assert_eq!(before + 1, after, "{text:?} became {varied:?}");
            }
        }
    }
}
