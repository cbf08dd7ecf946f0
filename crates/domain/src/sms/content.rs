//! What the operator of a server does not let out: words and links.

use std::collections::{HashMap, HashSet};
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::text::words;

/// The operator's rules for the content of texts. Empty, they let everything out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentRules {
    /// Phrases by their first word, folded.
    phrases: HashMap<String, Vec<Vec<String>>>,
    hosts: HashSet<String>,
}

/// A rule that could never be broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A phrase without letters and digits.
    #[error("`{0}` holds no word to look for")]
    NoWord(String),
    /// A link that is no host name.
    #[error("`{0}` is no host name, such as example.com")]
    NoHost(String),
}

/// What a text breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A word or phrase, folded.
    Words(String),
    /// A host.
    Link(String),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(phrase) => write!(f, "the words `{phrase}`"),
            Self::Link(host) => write!(f, "a link to `{host}`"),
        }
    }
}

impl ContentRules {
    /// Rules from a configuration. A phrase of `words` is one or more whole words, whose case and accents do not matter;
    /// an entry of `links` is a host name (`bit.ly`), which covers its subdomains.
    ///
    /// # Errors
    /// [`RuleError`] for an entry that no text could break.
    pub fn new<S: AsRef<str>>(
        phrases: impl IntoIterator<Item = S>,
        links: impl IntoIterator<Item = S>,
    ) -> Result<Self, RuleError> {
        let mut rules = Self::default();
        for phrase in phrases {
            let folded = words(&plain(phrase.as_ref()));
            let first = folded
                .first()
                .cloned()
                .ok_or_else(|| RuleError::NoWord(phrase.as_ref().to_owned()))?;
            rules.phrases.entry(first).or_default().push(folded);
        }
        for link in links {
            let text = plain(link.as_ref());
            let mut found = hosts(&text);
            match (found.next(), found.next()) {
                (Some(host), None) => rules.hosts.insert(host.to_owned()),
                _ => return Err(RuleError::NoHost(link.as_ref().to_owned())),
            };
        }
        Ok(rules)
    }

    /// The first rule that `text` breaks.
    #[must_use]
    pub fn breach(&self, text: &str) -> Option<Breach> {
        if self.phrases.is_empty() && self.hosts.is_empty() {
            return None;
        }
        let text = plain(text);
        self.link_in(&text).or_else(|| self.phrase_in(&text))
    }

    fn link_in(&self, text: &str) -> Option<Breach> {
        let parents = |host: &str| -> Option<String> {
            let ends = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
            std::iter::once(host)
                .chain(ends)
                .find(|end| self.hosts.contains(*end))
                .map(str::to_owned)
        };
        hosts(text).find_map(parents).map(Breach::Link)
    }

    fn phrase_in(&self, text: &str) -> Option<Breach> {
        let words = words(text);
        let starts = (0..words.len()).filter_map(|start| Some((start, self.phrases.get(&words[start])?)));
        starts
            .flat_map(|(start, phrases)| phrases.iter().map(move |phrase| (start, phrase)))
            .find(|(start, phrase)| words[*start..].starts_with(phrase))
            .map(|(_, phrase)| Breach::Words(phrase.join(" ")))
    }
}

/// The text in lower case and without what hides a word from a filter but not from a reader: compatibility forms of
/// letters and dots, and characters of no width.
fn plain(text: &str) -> String {
    text.nfkc()
        .filter(|character| {
            !matches!(
                character,
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            )
        })
        .map(|character| if character == '。' { '.' } else { character })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whatever may be the name of a host in a text: labels of letters, digits and hyphens with dots between them.
fn hosts(plain: &str) -> impl Iterator<Item = &str> {
    plain
        .split(|character: char| !(character.is_alphanumeric() || matches!(character, '.' | '-')))
        .map(|run| run.trim_matches(['.', '-']))
        .filter(|run| run.contains('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> ContentRules {
        ContentRules::new(["Casino", "crédit facile", "crédit"], ["bit.ly", "Example.COM"]).unwrap()
    }

    #[test]
    fn whole_words_are_found_in_any_dress() {
        for (text, words) in [
            ("Come to our CASINO!", "casino"),
            ("casino", "casino"),
            ("ｃａｓｉｎｏ", "casino"),
            ("ca\u{200b}sino", "casino"),
            ("Un credit, facile", "credit facile"),
            ("CRÉDIT\nFACILE", "credit facile"),
            ("Crédit rapide", "credit"),
        ] {
            assert_eq!(
                rules().breach(text),
                Some(Breach::Words(words.to_owned())),
                "{text:?}"
            );
        }
        for text in ["casinos", "cas ino", "facile", "accredit", "", "Bonjour"] {
            assert_eq!(rules().breach(text), None, "{text:?}");
        }
    }

    #[test]
    fn links_are_found_with_their_subdomains() {
        for (text, host) in [
            ("https://bit.ly/abc", "bit.ly"),
            ("see BIT.LY/x", "bit.ly"),
            ("bit.ly.", "bit.ly"),
            ("(www.bit.ly)", "bit.ly"),
            ("https://shop.example.com:8443/?a=b#c", "example.com"),
            ("https://good.org@bit.ly/", "bit.ly"),
            ("https://good.org/?to=bit.ly", "bit.ly"),
            ("bit．ly", "bit.ly"),
            ("bit。ly", "bit.ly"),
        ] {
            assert_eq!(
                rules().breach(text),
                Some(Breach::Link(host.to_owned())),
                "{text:?}"
            );
        }
        for text in [
            "rabbit.ly",
            "bit.lyon.fr",
            "example.community",
            "bit ly",
            "bit",
            "example.org",
        ] {
            assert_eq!(rules().breach(text), None, "{text:?}");
        }
    }

    #[test]
    fn rules_that_say_nothing_are_refused() {
        let none: [&str; 0] = [];
        assert_eq!(
            ContentRules::new(["!!"], none),
            Err(RuleError::NoWord("!!".to_owned()))
        );
        for link in ["", "bitly", "bit.ly and example.com", "..."] {
            assert_eq!(
                ContentRules::new(none, [link]),
                Err(RuleError::NoHost(link.to_owned()))
            );
        }
        assert!(ContentRules::new(none, ["bit.ly."]).is_ok());
        assert_eq!(ContentRules::default().breach("casino bit.ly"), None);
    }

    proptest! {
        #[test]
        fn a_phrase_breaks_its_own_rule(phrase in "\\PC{1,30}", before in "[a-z]{0,8}", after in "[a-z]{0,8}") {
            let none: [&str; 0] = [];
            if let Ok(rules) = ContentRules::new([phrase.as_str()], none) {
                let text = format!("{before} {phrase} {after}");
                prop_assert!(rules.breach(&text).is_some());
            }
        }
    }
}
