//! Phone numbers in E.164 (ITU-T E.164: `+`, country code, at most 15 digits).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A phone number in E.164: a plus sign and 7 to 15 digits, the first not 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    length: u8,
    text: [u8; 16],
}

/// Why a text is no E.164 number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Not in the form `+14155551234`.
    #[error("not a phone number in E.164 form, such as +14155551234")]
    NotE164,
    /// No numbering plan makes a number of it, read with the given country.
    #[error("not a phone number of the numbering plan")]
    Unreadable,
}

impl PhoneNumber {
    /// Reads a number that must already be in E.164.
    ///
    /// # Errors
    /// [`PhoneError::NotE164`].
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::NotE164)?.as_bytes();
        let shaped =
            (7..=15).contains(&digits.len()) && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        if !shaped {
            return Err(PhoneError::NotE164);
        }
        let mut number = Self {
            length: u8::try_from(text.len()).unwrap_or(16),
            text: [0; 16],
        };
        number.text[..text.len()].copy_from_slice(text.as_bytes());
        Ok(number)
    }

    /// Reads a number in any formatting people use, national numbers by the plan of `country` (ISO 3166-1 alpha-2).
    ///
    /// # Errors
    /// [`PhoneError::Unreadable`] when no numbering plan makes a number of it.
    pub fn parse_any(text: &str, country: &str) -> Result<Self, PhoneError> {
        if let Ok(number) = Self::parse(text) {
            return Ok(number);
        }
        if text.len() > 64 {
            return Err(PhoneError::Unreadable);
        }
        // A number with its country code says all there is to say. (The library takes national prefixes off such
        // numbers too: "+33 1 …" read in the US loses its 1, "+7 800 …" its 8.)
        let plain: String = text
            .replace("(0)", "")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '＋'))
            .collect();
        let rest = plain
            .strip_prefix(['+', '＋'])
            .or_else(|| plain.strip_prefix(international_prefix(country)));
        if let Some(digits) = rest.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
            return Self::parse(&format!("+{digits}")).map_err(|_| PhoneError::Unreadable);
        }
        let region = country.parse::<phonenumber::country::Id>().ok();
        let parsed = phonenumber::parse(region, text).map_err(|_| PhoneError::Unreadable)?;
        Self::parse(&parsed.format().mode(phonenumber::Mode::E164).to_string())
            .map_err(|_| PhoneError::Unreadable)
    }

    /// The number as text, `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }

    /// The country (ISO 3166-1 alpha-2) whose numbering plan the number belongs to, if any does.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let parsed = phonenumber::parse(None, self.as_str()).ok()?;
        parsed.country().id().map(|id| format!("{id:?}"))
    }
}

/// What is dialled in `country` for the plus sign: 011 in North America, 00 in most of the world (ITU-T E.123, E.164).
fn international_prefix(country: &str) -> &'static str {
    if matches!(country, "US" | "CA" | "PR" | "DO" | "JM") {
        "011"
    } else {
        "00"
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        Self::parse(text)
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_e164() {
        assert_eq!(
            PhoneNumber::parse("+14155551234").unwrap().as_str(),
            "+14155551234"
        );
        for bad in [
            "",
            "+",
            "14155551234",
            "+0123456789",
            "+1415555",
            "+1415555123456789",
            "+1 415 555 1234",
            "+1415555123a",
        ] {
            if bad == "+1415555" {
                assert!(PhoneNumber::parse(bad).is_ok(), "seven digits are the shortest");
            } else {
                assert!(PhoneNumber::parse(bad).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn any_formatting_is_read_with_the_country() {
        for (text, country) in [
            ("(415) 555-1234", "US"),
            ("+1 415-555-1234", "FR"),
            ("1.415.555.1234", "US"),
        ] {
            assert_eq!(
                PhoneNumber::parse_any(text, country).unwrap().as_str(),
                "+14155551234",
                "{text}"
            );
        }
        assert_eq!(
            PhoneNumber::parse_any("06 12 34 56 78", "FR").unwrap().as_str(),
            "+33612345678"
        );
        assert_eq!(
            PhoneNumber::parse_any("+33 1 42 68 53 99", "US")
                .unwrap()
                .as_str(),
            "+33142685399"
        );
        assert!(PhoneNumber::parse_any("no number", "US").is_err());
        assert_eq!(
            PhoneNumber::parse("+33612345678").unwrap().country().as_deref(),
            Some("FR")
        );
    }
}
