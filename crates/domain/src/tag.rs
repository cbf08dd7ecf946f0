//! Tag keys: lower-case slugs.

/// The longest tag key, in bytes.
pub const MAX_KEY_BYTES: usize = 64;

/// The most tags one call may carry.
pub const MAX_TAGS_PER_ITEM: usize = 50;

/// The longest name that people give a tag, in characters.
pub const MAX_LABEL: usize = 100;

/// The longest description of when a call is to get a tag, in characters.
pub const MAX_PROMPT: usize = 2_000;

/// Reads a colour: `#` and six hexadecimal digits, as CSS has it. Letters become capitals.
///
/// ```
/// assert_eq!(trunkline_domain::tag::color("#00aa0f").as_deref(), Some("#00AA0F"));
/// assert_eq!(trunkline_domain::tag::color("green"), None);
/// ```
#[must_use]
pub fn color(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?;
    let shaped = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    shaped.then(|| text.to_ascii_uppercase())
}

/// Makes a tag key of what a client wrote: folded to lower-case ASCII letters and digits where the words are Latin,
/// words joined by `_`, existing `-` and `_` between letters kept. `None` when nothing usable is left or the key
/// would be longer than [`MAX_KEY_BYTES`].
///
/// ```
/// assert_eq!(trunkline_domain::tag::key("Follow up").as_deref(), Some("follow_up"));
/// assert_eq!(trunkline_domain::tag::key("meeting-booked").as_deref(), Some("meeting-booked"));
/// assert_eq!(trunkline_domain::tag::key(" !! "), None);
/// ```
#[must_use]
pub fn key(text: &str) -> Option<String> {
    if text.chars().count() > MAX_KEY_BYTES {
        return None;
    }
    let mut key = String::with_capacity(text.len());
    for part in text.split_inclusive(['-', '_']) {
        let joint = part.chars().next_back().filter(|c| matches!(c, '-' | '_'));
        let slug = crate::text::words(part).join("_");
        if slug.is_empty() {
            continue;
        }
        if !key.is_empty() && !key.ends_with(['-', '_']) {
            key.push('_');
        }
        key.push_str(&slug);
        key.extend(joint);
    }
    let key = key.trim_end_matches(['-', '_']).to_owned();
    (!key.is_empty() && key.len() <= MAX_KEY_BYTES).then_some(key)
}

/// A name for people, made of a key: `follow_up` becomes `Follow up`.
#[must_use]
pub fn name_of(key: &str) -> String {
    let spaced = key.replace(['-', '_'], " ");
    let mut characters = spaced.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// Colours for tags that come to be without one, picked by key so that a tag keeps its colour everywhere.
const COLORS: [&str; 10] = [
    "#2E7D32", "#C62828", "#1565C0", "#EF6C00", "#6A1B9A", "#00838F", "#AD1457", "#4E342E", "#558B2F",
    "#37474F",
];

/// The colour of a tag that nobody chose a colour for.
#[must_use]
pub fn color_of(key: &str) -> &'static str {
    let sum = key.bytes().fold(7usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    COLORS[sum % COLORS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_slugs() {
        for (text, expected) in [
            ("qualified", Some("qualified")),
            ("Été 2026", Some("ete_2026")),
            ("a__b", Some("a_b")),
            ("-x-", Some("x")),
            ("follow_up", Some("follow_up")),
            ("", None),
            ("___", None),
        ] {
            assert_eq!(key(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(key(&"x".repeat(65)), None);
        assert_eq!(name_of("follow_up"), "Follow up");
    }

    proptest::proptest! {
        #[test]
        fn a_key_is_its_own_key(text in "\\PC{0,40}") {
            if let Some(first) = key(&text) {
                proptest::prop_assert_eq!(key(&first), Some(first.clone()));
            }
        }
    }
}
