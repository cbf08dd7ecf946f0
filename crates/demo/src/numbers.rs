//! Phone numbers that belong to nobody.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use trunkline_domain::PhoneNumber;

use crate::corpus::Language;

/// Area codes of the US without 415, where the demo team has its own numbers. In each, NANPA keeps
/// 555-0100 to 555-0199 for fiction.
const AREA_CODES: [u16; 40] = [
    205, 206, 212, 213, 214, 216, 267, 303, 305, 312, 313, 314, 317, 360, 401, 404, 412, 503, 504, 505, 512,
    513, 515, 602, 612, 615, 617, 619, 702, 704, 713, 716, 718, 720, 801, 804, 808, 816, 901, 919,
];

/// What ARCEP's numbering plan (decision 2018-0881) keeps for works of fiction: four more digits follow.
const FRENCH_LANDLINES: [&str; 5] = ["+3319900", "+3326191", "+3335301", "+3346571", "+3353649"];
const FRENCH_MOBILE: &str = "+3363998";

/// Draws numbers of people outside, each once.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    drawn: HashSet<PhoneNumber>,
}

impl Numbers {
    /// A number that takes texts.
    pub(crate) fn mobile<R: Rng + ?Sized>(&mut self, rng: &mut R, language: Language) -> PhoneNumber {
        self.once(|| match language {
            Language::English => {
                let area = AREA_CODES[rng.random_range(0..AREA_CODES.len())];
                format!("+1{area}55501{:02}", rng.random_range(0..100))
            }
            Language::French => format!("{FRENCH_MOBILE}{:04}", french_tail(rng)),
        })
    }

    /// A French landline.
    pub(crate) fn landline<R: Rng + ?Sized>(&mut self, rng: &mut R) -> PhoneNumber {
        self.once(|| {
            let range = FRENCH_LANDLINES[rng.random_range(0..FRENCH_LANDLINES.len())];
            format!("{range}{:04}", french_tail(rng))
        })
    }

    /// A number under an area code with a 9 in the middle: the North American plan keeps those for its expansion, so
    /// there are plenty and nobody has one.
    pub(crate) fn expansion<R: Rng + ?Sized>(&mut self, rng: &mut R) -> PhoneNumber {
        self.once(|| {
            let (first, last) = (rng.random_range(2..=9), rng.random_range(0..=8));
            format!(
                "+1{first}9{last}{}{:06}",
                rng.random_range(2..=9),
                rng.random_range(0..1_000_000)
            )
        })
    }

    fn once(&mut self, mut draw: impl FnMut() -> String) -> PhoneNumber {
        loop {
            let number = fixed(&draw());
            if self.drawn.insert(number) {
                return number;
            }
        }
    }
}

/// From 1000 on: below are the demo team's own numbers, and those for which the sandbox has a fate.
fn french_tail<R: Rng + ?Sized>(rng: &mut R) -> u16 {
    rng.random_range(1_000..10_000)
}

/// A number that this crate itself writes.
pub(crate) fn fixed(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("numbers written in this crate are E.164")
}

/// Whether a number takes texts: all but French landlines do.
pub(crate) fn takes_texts(number: PhoneNumber) -> bool {
    let text = number.as_str();
    !text.starts_with("+33") || text.starts_with("+336") || text.starts_with("+337")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn numbers_are_drawn_once_and_are_fictional() {
        let (mut rng, mut numbers, mut all) = (StdRng::seed_from_u64(1), Numbers::default(), HashSet::new());
        for _ in 0..500 {
            let us = numbers.mobile(&mut rng, Language::English);
            assert!(
                us.as_str()[5..].starts_with("55501") && us.as_str().len() == 12,
                "{us}"
            );
            assert_eq!(us.country().as_deref(), Some("US"), "{us}");
            let french = [
                numbers.mobile(&mut rng, Language::French),
                numbers.landline(&mut rng),
            ];
            assert!(takes_texts(us) && takes_texts(french[0]) && !takes_texts(french[1]));
            for number in french {
                assert_eq!(number.country().as_deref(), Some("FR"), "{number}");
            }
            let expansion = numbers.expansion(&mut rng);
            assert_eq!(
                (expansion.as_str().len(), &expansion.as_str()[3..4]),
                (12, "9"),
                "{expansion}"
            );
            all.extend([us, french[0], french[1], expansion]);
        }
        assert_eq!(all.len(), 2_000);
    }
}
