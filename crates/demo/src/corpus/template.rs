//! The template language of the corpus: `{slot}` is replaced by a fact, `[a|b|c]` by one of its alternatives,
//! which may be empty and may hold slots and further alternatives.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::facts::Facts;

/// Fills a template: one alternative of each group is drawn, slots are replaced, spaces are tidied and
/// sentences begin with a capital. A slot that `facts` does not know stays as written, braces included.
pub(super) fn render<R: Rng + ?Sized>(rng: &mut R, facts: &Facts, template: &str) -> String {
    let mut expanded = String::with_capacity(template.len() + 32);
    expand(rng, facts, template, &mut expanded);
    tidy(&expanded)
}

fn expand<R: Rng + ?Sized>(rng: &mut R, facts: &Facts, template: &str, out: &mut String) {
    let mut rest = template;
    while let Some(start) = rest.find(['{', '[']) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = matching_close(rest) else { break };
        let inner = &rest[1..end];
        if rest.starts_with('{') {
            out.push_str(facts.get(inner).unwrap_or(&rest[..=end]));
        } else if let Some(alternative) = alternatives(inner).choose(rng) {
            expand(rng, facts, alternative, out);
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
}

/// The position of the bracket that closes the one at the start of `text`.
fn matching_close(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Splits at the `|` that stand in no inner group.
fn alternatives(group: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    group
        .split(|character| {
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == '|' && depth == 0
        })
        .collect()
}

/// Removes the spaces that empty alternatives leave behind and begins every sentence with a capital, except
/// after an ellipsis.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for character in text.trim().chars() {
        if matches!(character, '.' | ',' | ' ') && tidied.ends_with(' ') {
            tidied.pop();
        }
        let begins_sentence = match tidied.strip_suffix(' ') {
            None => tidied.is_empty(),
            Some(before) => before.ends_with(['.', '?', '!']) && !before.ends_with("..."),
        };
        if begins_sentence {
            tidied.extend(character.to_uppercase());
        } else {
            tidied.push(character);
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn slots_and_groups_are_replaced() {
        let facts = Facts::from_pairs(vec![("name", "Ada".into()), ("amount", "$20".into())]);
        let mut rng = StdRng::seed_from_u64(1);
        let seen: BTreeSet<String> = (0..50)
            .map(|_| render(&mut rng, &facts, "[hi|hello[ there|]] {name}, [|it is ]{amount}."))
            .collect();
        let expected = [
            "Hello Ada, $20.",
            "Hello Ada, it is $20.",
            "Hello there Ada, $20.",
            "Hello there Ada, it is $20.",
            "Hi Ada, $20.",
            "Hi Ada, it is $20.",
        ];
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn empty_alternatives_leave_no_stray_spaces() {
        let facts = Facts::from_pairs(Vec::new());
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(
            render(&mut rng, &facts, " [] so [] be it [] , then [] ."),
            "So be it, then."
        );
    }

    #[test]
    fn sentences_begin_with_a_capital() {
        let facts = Facts::from_pairs(vec![("day", "lundi".into())]);
        let mut rng = StdRng::seed_from_u64(1);
        let rendered = render(&mut rng, &facts, "{day} ? {day}... {day}, à 9.30. {day}.");
        assert_eq!(rendered, "Lundi ? Lundi... lundi, à 9.30. Lundi.");
    }

    #[test]
    fn an_unknown_slot_stays_visible() {
        let facts = Facts::from_pairs(Vec::new());
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(render(&mut rng, &facts, "a {nothing} b"), "A {nothing} b");
    }
}
