//! How the terms of the index are written.
//!
//! Every term begins with its team, in a code of which no value is the beginning of another: a letter that tells
//! the number of digits, then the key in base 36. The terms of a team are therefore one range of the dictionary.

use trunkline_domain::{CallResult, Direction, ItemKind, PhoneNumber, UserId};
use trunkline_store::TeamKey;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// What every term of the team begins with.
pub(crate) fn team_prefix(team: TeamKey) -> String {
    let mut rest = team.0.cast_unsigned();
    let mut digits = Vec::with_capacity(13);
    loop {
        digits.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    // A 64-bit number has at most 13 digits in base 36.
    let length = char::from(b'a' + digits.len() as u8);
    std::iter::once(length).chain(digits.into_iter().rev()).collect()
}

/// A property of an item that can be asked for exactly.
#[derive(Clone, Copy)]
pub(crate) enum Property<'a> {
    /// The item itself, by its number.
    Item(i64),
    Kind(ItemKind),
    Direction(Direction),
    Line(i64),
    Contact(PhoneNumber),
    User(UserId),
    Result(CallResult),
    Tag(&'a str),
}

impl Property<'_> {
    /// The term for it: team, letter, value.
    pub(crate) fn term(self, team_prefix: &str) -> String {
        match self {
            Self::Item(seq) => format!("{team_prefix}i{seq}"),
            Self::Kind(kind) => format!("{team_prefix}k{kind}"),
            Self::Direction(direction) => format!("{team_prefix}d{direction}"),
            Self::Line(line) => format!("{team_prefix}l{line}"),
            Self::Contact(number) => format!("{team_prefix}n{}", number.as_str()),
            Self::User(user) => format!("{team_prefix}u{}", user.ksuid()),
            Self::Result(result) => format!("{team_prefix}r{result}"),
            Self::Tag(key) => format!("{team_prefix}t{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_prefix_begins_another() {
        let keys = [
            0,
            1,
            9,
            10,
            35,
            36,
            37,
            1_295,
            1_296,
            46_655,
            46_656,
            i64::MAX,
            -1,
            i64::MIN,
        ];
        let prefixes: Vec<String> = keys.iter().map(|key| team_prefix(TeamKey(*key))).collect();
        for (i, one) in prefixes.iter().enumerate() {
            for other in &prefixes[i + 1..] {
                assert!(
                    !one.starts_with(other.as_str()) && !other.starts_with(one.as_str()),
                    "{one} {other}"
                );
            }
        }
        assert_eq!(prefixes[1], "b1");
        assert_eq!(prefixes[5], "c10");
    }
}
