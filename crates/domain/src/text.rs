//! Text as search sees it: words of letters and digits, folded so that case and accents do not matter.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest word that is told apart, in bytes after folding; what is longer is cut.
pub const MAX_WORD_BYTES: usize = 64;

/// The most words one query may have; further ones are refused by the caller.
pub const MAX_QUERY_WORDS: usize = 20;

/// Calls `each` with every folded word of `text`, in order: lower case, compatibility forms resolved, combining
/// marks dropped ("Été" becomes "ete", "ﬁn" becomes "fin"), everything but letters and digits separating words.
pub fn for_each_word(text: &str, mut each: impl FnMut(&str)) {
    let mut word = String::with_capacity(MAX_WORD_BYTES);
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            each(word);
            word.clear();
        }
    };
    let push = |word: &mut String, folded: char| {
        if word.len() + folded.len_utf8() <= MAX_WORD_BYTES {
            word.push(folded);
        }
    };
    for character in text.chars() {
        if character.is_ascii() {
            if character.is_ascii_alphanumeric() {
                push(&mut word, character.to_ascii_lowercase());
            } else {
                flush(&mut word);
            }
            continue;
        }
        let mut any = false;
        for part in character.nfkd().filter(|part| !is_combining_mark(*part)) {
            if part.is_alphanumeric() {
                any = true;
                match part {
                    'ß' | 'ẞ' => "ss".chars().for_each(|c| push(&mut word, c)),
                    'œ' | 'Œ' => "oe".chars().for_each(|c| push(&mut word, c)),
                    'æ' | 'Æ' => "ae".chars().for_each(|c| push(&mut word, c)),
                    _ => part
                        .to_lowercase()
                        .filter(|c| !is_combining_mark(*c))
                        .for_each(|c| push(&mut word, c)),
                }
            }
        }
        if !any && !is_combining_mark(character) {
            flush(&mut word);
        }
    }
    flush(&mut word);
}

/// The folded words of `text`, in order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for_each_word(text, |word| all.push(word.to_owned()));
    all
}

/// The form in which texts are compared and sorted: folded, words joined by single spaces.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for_each_word(text, |word| {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(word);
    });
    all
}

/// The distinct words of a query, in the order of their first appearance. A word that is a prefix of another one of
/// the query adds nothing, since every match of the longer word matches the shorter one, and is kept all the same: it
/// counts for relevance.
#[must_use]
pub fn query_words(query: &str) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for_each_word(query, |word| {
        if !distinct.iter().any(|known| known == word) {
            distinct.push(word.to_owned());
        }
    });
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded() {
        assert_eq!(
            words("L'Été à Nîmes — ŒUVRE, Straße & ﬁn 42"),
            ["l", "ete", "a", "nimes", "oeuvre", "strasse", "fin", "42"]
        );
        assert_eq!(words("E\u{301}te\u{301}"), ["ete"]);
        assert!(words("!!! … —").is_empty());
        assert_eq!(fold("  Jean-Pierre  L'Été "), "jean pierre l ete");
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        assert_eq!(words(&"é".repeat(100)), ["e".repeat(64)]);
        assert_eq!(words(&"я".repeat(100)), ["я".repeat(32)]);
    }

    #[test]
    fn query_words_are_distinct() {
        assert_eq!(query_words("Bill REF bill, réf"), ["bill", "ref"]);
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,60}") {
            for word in words(&text) {
                proptest::prop_assert!(!word.is_empty() && word.len() <= MAX_WORD_BYTES);
                proptest::prop_assert_eq!(words(&word).concat(), word);
            }
        }
    }
}
