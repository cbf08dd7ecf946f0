//! What people of the team write for each other: notes and comments, and whom they mention.
//!
//! A mention is written `@[Name](usr-…)`, or `@[all](all)` for everybody. The text keeps it as it was written.

use std::ops::Range;

use crate::UserId;

/// The longest note or comment, in characters.
pub const MAX_CHARACTERS: usize = 4_000;

/// The most mentions of a note or comment.
pub const MAX_MENTIONS: usize = 15;

/// The most notes of a conversation or a contact.
pub const MAX_NOTES: i64 = 10_000;

/// The most comments of a thread.
pub const MAX_COMMENTS: i64 = 500;

/// Whom a mention is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody.
    All,
    /// A user.
    User(UserId),
    /// Nobody: what stands there has the form of a user's id, and was never given out.
    Nobody,
}

/// A mention in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'t> {
    /// Where it stands, in bytes.
    pub place: Range<usize>,
    /// As the text calls them.
    pub name: &'t str,
    /// Whom.
    pub whom: Whom,
}

/// The mentions of a text, in order. What only looks similar, such as a link, is none.
///
/// ```
/// use trunkline_domain::note::{Whom, mentions};
///
/// let found = mentions("Ask @[everybody](all), not [here](https://example.com)");
/// assert_eq!((found.len(), found[0].name, found[0].whom), (1, "everybody", Whom::All));
/// ```
#[must_use]
pub fn mentions(text: &str) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("@[").map(|offset| at + offset) {
        match mention(&text[start..]) {
            Some((length, name, whom)) => {
                let place = start..start + length;
                at = place.end;
                found.push(Mention { place, name, whom });
            }
            None => at = start + 1,
        }
    }
    found
}

/// The mention that `text` begins with: its length in bytes, its name, and whom it is of.
fn mention(text: &str) -> Option<(usize, &str, Whom)> {
    let (name, rest) = text.strip_prefix("@[")?.split_once(']')?;
    let (target, _) = rest.strip_prefix('(')?.split_once(')')?;
    if name.is_empty() || name.contains(['[', '\n']) {
        return None;
    }
    let whom = match target {
        "all" => Whom::All,
        _ => match UserId::parse(target) {
            Ok(user) => Whom::User(user),
            Err(crate::IdError::NeverIssued) => Whom::Nobody,
            Err(crate::IdError::Malformed { .. }) => return None,
        },
    };
    Some(("@[](".len() + name.len() + target.len() + ")".len(), name, whom))
}

/// The text with the mentions that `known` does not let through turned into plain text: `@Name`.
#[must_use]
pub fn with_known(text: &str, known: impl Fn(Whom) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    for mention in mentions(text) {
        if !known(mention.whom) {
            plain.push_str(&text[at..mention.place.start]);
            plain.push('@');
            plain.push_str(mention.name);
            at = mention.place.end;
        }
    }
    plain.push_str(&text[at..]);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Millis, SeededIds};

    fn ada() -> UserId {
        UserId::new(&SeededIds::new(1), Millis(1_700_000_000_000))
    }

    #[test]
    fn mentions_are_found_and_what_looks_similar_is_not() {
        let text = format!("@[Ada Park]({0}) and @[all](all), @[Ada]({0})", ada());
        let found: Vec<(&str, Whom)> = mentions(&text).iter().map(|m| (m.name, m.whom)).collect();
        let user = Whom::User(ada());
        assert_eq!(found, [("Ada Park", user), ("all", Whom::All), ("Ada", user)]);
        let underscored = format!("@[A]({})", ada().to_string().replace('-', "_"));
        assert_eq!(mentions(&underscored)[0].whom, user);
        assert_eq!(mentions("@[Gone](usr-abc)")[0].whom, Whom::Nobody);
        for none in [
            "",
            "@",
            "@[",
            "@[]",
            "@[a]",
            "@[a](",
            "@[a](b)",
            "@[a](cll-1)",
            "@[](all)",
            "@[a\nb](all)",
            "@[a] (all)",
            "[a](all)",
            "@[a](ALL)",
            "@(all)",
        ] {
            assert!(mentions(none).is_empty(), "{none:?}");
        }
        // A bracket that was left open does not swallow what follows.
        assert_eq!(mentions("@[a @[b](all)").len(), 1);
    }

    #[test]
    fn who_is_not_known_becomes_plain_text() {
        let text = format!("é @[Ada]({}) @[Bo](usr-1)@[all](all)!", ada());
        let known = |whom| whom == Whom::All;
        assert_eq!(with_known(&text, known), "é @Ada @Bo@[all](all)!");
        assert_eq!(with_known(&text, |_| true), text);
        assert_eq!(with_known("", known), "");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(\\PC|@\\[|\\]\\(|\\)|all|usr-1){0,40}") {
            for mention in mentions(&text) {
                proptest::prop_assert!(text[mention.place.clone()].contains(mention.name));
            }
            proptest::prop_assert_eq!(with_known(&text, |_| true), text.clone());
            // Turning them all into plain text may make new ones of what stood around them, but never grows the text.
            proptest::prop_assert!(with_known(&text, |_| false).len() <= text.len());
        }
    }
}
