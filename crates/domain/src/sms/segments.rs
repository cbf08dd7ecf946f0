//! How many messages of the radio network one text takes.
//!
//! A text in the GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1) is
//! counted in septets: 160 in one message, 153 in each part of a longer one. Any other text is sent in UCS-2 and
//! counted in UTF-16 code units: 70, and 67 in each part. The parts are shorter by their header of six octets
//! (3GPP TS 23.040, section 9.2.3.24.1).
//!
//! A character that takes two units is never split between parts; a unit that it would not fit into stays empty.

use crate::model::named;

named! {
    /// How a text travels.
    Encoding {
        /// The GSM 7-bit default alphabet.
        Gsm7 = "GSM7",
        /// UTF-16 code units.
        Ucs2 = "UCS2",
    }
}

/// The size of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segments {
    /// How it travels.
    pub encoding: Encoding,
    /// Septets or UTF-16 code units, without headers and without what stays empty at the end of a part.
    pub units: usize,
    /// Messages that carriers deliver and charge. An empty text takes one.
    pub segments: usize,
}

impl Encoding {
    /// The units of a text that travels as one message.
    #[must_use]
    pub const fn single(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// The units of each part of a longer text.
    #[must_use]
    pub const fn part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// The size of `text`, in GSM-7 where all of its characters are of that alphabet.
#[must_use]
pub fn count(text: &str) -> Segments {
    if text.chars().all(|character| septets(character).is_some()) {
        fill(Encoding::Gsm7, text.chars().filter_map(septets))
    } else {
        fill(Encoding::Ucs2, text.chars().map(char::len_utf16))
    }
}

/// Puts characters of these widths into parts, as many into each as fit.
fn fill(encoding: Encoding, widths: impl Iterator<Item = usize>) -> Segments {
    let (mut units, mut parts, mut room) = (0, 0, 0);
    for width in widths {
        if width > room {
            parts += 1;
            room = encoding.part();
        }
        units += width;
        room -= width;
    }
    let segments = if units <= encoding.single() { 1 } else { parts };
    Segments {
        encoding,
        units,
        segments,
    }
}

/// The septets of a character: one in the default alphabet, two (the escape and a code) in the extension table, whose
/// page break is U+000C; `None` for one that is in neither, as the escape itself is.
const fn septets(character: char) -> Option<usize> {
    match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '\n' | '\r' | ' '..='#' | '%'..='?' => Some(1),
        '@' | '£' | '$' | '¥' | '_' | '¤' | '¡' | '¿' | '§' => Some(1),
        'è' | 'é' | 'ù' | 'ì' | 'ò' | 'à' | 'Ç' | 'É' | 'ß' => Some(1),
        'Ø' | 'ø' | 'Å' | 'å' | 'Æ' | 'æ' | 'Ä' | 'ä' | 'Ö' | 'ö' | 'Ñ' | 'ñ' | 'Ü' | 'ü' => {
            Some(1)
        }
        'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The default alphabet in the order of its codes; the escape, code 27, is left out.
    const DEFAULT: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                           ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";

    fn segments(text: &str) -> (Encoding, usize, usize) {
        let size = count(text);
        (size.encoding, size.units, size.segments)
    }

    #[test]
    fn the_alphabet_is_the_standards() {
        assert_eq!(DEFAULT.chars().count(), 127);
        assert_eq!(segments(DEFAULT), (Encoding::Gsm7, 127, 1));
        assert_eq!(segments(EXTENSION), (Encoding::Gsm7, 20, 1));
        let known = |character: char| DEFAULT.contains(character) || EXTENSION.contains(character);
        for character in '\0'..='\u{ffff}' {
            assert_eq!(septets(character).is_some(), known(character), "{character:?}");
        }
    }

    #[test]
    fn the_limits_are_kept_to_the_unit() {
        use Encoding::{Gsm7, Ucs2};
        for (character, encoding, lengths) in [
            (
                "a",
                Gsm7,
                [(160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)],
            ),
            (
                "ê",
                Ucs2,
                [(70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)],
            ),
        ] {
            for (length, parts) in lengths {
                assert_eq!(segments(&character.repeat(length)), (encoding, length, parts));
            }
        }
        assert_eq!(segments(""), (Gsm7, 0, 1));
    }

    #[test]
    fn what_takes_two_units_is_not_split() {
        use Encoding::{Gsm7, Ucs2};
        assert_eq!(segments(&"€".repeat(80)), (Gsm7, 160, 1));
        assert_eq!(segments(&"€".repeat(81)), (Gsm7, 162, 2));
        // 76 fit into 153 septets, so that two parts hold 152 and not 153.
        assert_eq!(segments(&"€".repeat(152)), (Gsm7, 304, 2));
        assert_eq!(segments(&"€".repeat(153)), (Gsm7, 306, 3));
        assert_eq!(segments(&format!("a{}", "€".repeat(152))), (Gsm7, 305, 2));
        assert_eq!(segments(&"😀".repeat(35)), (Ucs2, 70, 1));
        assert_eq!(segments(&"😀".repeat(66)), (Ucs2, 132, 2));
        assert_eq!(segments(&"😀".repeat(67)), (Ucs2, 134, 3));
    }

    #[test]
    fn one_character_outside_changes_the_whole_text() {
        for outside in ["`", "ê", "ç", "\t", "\u{1b}", "\0", "’", "…", "Α", "я", "中"] {
            let text = format!("{}{outside}", "a".repeat(70));
            assert_eq!(segments(&text), (Encoding::Ucs2, 71, 2), "{outside:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_filled(text in "([ -~€é]{0,500}|\\PC{0,300})") {
            let size = count(&text);
            let (single, part) = (size.encoding.single(), size.encoding.part());
            if size.units <= single {
                prop_assert_eq!(size.segments, 1);
            } else {
                prop_assert!(size.segments >= size.units.div_ceil(part));
                prop_assert!(size.segments <= size.units.div_ceil(part - 1));
            }
            if size.encoding == Encoding::Ucs2 {
                prop_assert_eq!(size.units, text.encode_utf16().count());
            }
        }

        #[test]
        fn more_text_is_never_less(head in "[a-z€]{0,400}", tail in "[a-z€]{0,40}") {
            let (short, long) = (count(&head), count(&format!("{head}{tail}")));
            prop_assert!(short.segments <= long.segments && short.units <= long.units);
        }
    }
}
