//! Phone numbers in E.164 (ITU-T E.164: `+`, country code, at most 15 digits).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sms::numbering::assigned;

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
    /// A number with its country code is taken as it is; a national one must be one that the plan assigns.
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
        Self::parse_national(text, &plain, country)
    }

    /// Reads a number without a country code: one that the plan of `country` assigns. The library reads any run of
    /// digits as a national number, so that one of another country would become somebody's here; and it takes digits
    /// like the country's own code off numbers that are whole (390 … in Italy), so the number as it stands comes first.
    fn parse_national(text: &str, plain: &str, country: &str) -> Result<Self, PhoneError> {
        let region = country.parse::<phonenumber::country::Id>().ok();
        let code = region
            .and_then(|id| phonenumber::metadata::DATABASE.by_id(id.as_ref()))
            .filter(|_| plain.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|plan| format!("+{}{plain}", plan.country_code()));
        let parsed = [code.as_deref(), Some(text)]
            .into_iter()
            .flatten()
            .filter_map(|text| phonenumber::parse(region, text).ok())
            .find(phonenumber::is_valid)
            .ok_or(PhoneError::Unreadable)?;
        Self::parse(&parsed.format().mode(phonenumber::Mode::E164).to_string())
            .map_err(|_| PhoneError::Unreadable)
    }

    /// A number that nobody has, of any twelve digits: what stands in the place of a number that was erased. The country
    /// code 999 is one that the ITU keeps in reserve (list of E.164 country codes), so no call and no text can lead to it.
    #[must_use]
    pub fn nobodys(seed: u64) -> Self {
        let text = format!("+999{:012}", seed % 1_000_000_000_000);
        let mut number = Self {
            length: 16,
            text: [0; 16],
        };
        number.text.copy_from_slice(text.as_bytes());
        number
    }

    /// The number as text, `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }

    /// The country (ISO 3166-1 alpha-2) whose numbering plan the number belongs to, if any does.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        // The plans are asked first: the library drops leading zeros, which Italian numbers have.
        if let Some(country) = assigned(*self).and_then(|known| known.country) {
            return Some(country.to_owned());
        }
        let parsed = phonenumber::parse(None, self.as_str()).ok()?;
        parsed.country().id().map(|id| format!("{id:?}"))
    }
}

/// Whether `country` (ISO 3166-1 alpha-2) has a numbering plan.
#[must_use]
pub fn has_plan(country: &str) -> bool {
    country.parse::<phonenumber::country::Id>().is_ok()
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_for_an_erased_number_is_a_number_of_nobody() {
        for seed in [0, 7, 999_999_999_999, u64::MAX] {
            let number = PhoneNumber::nobodys(seed);
            assert_eq!(PhoneNumber::parse(number.as_str()), Ok(number));
            assert_eq!(number.as_str().len(), 16);
            assert!(
                number.as_str().starts_with("+999") && number.country().is_none(),
                "{number}"
            );
        }
    }

    #[test]
    fn numbers_belong_to_the_country_of_their_plan() {
        for (number, country) in [
            ("+14155550100", Some("US")),
            ("+16135550100", Some("CA")),
            ("+33612345678", Some("FR")),
            ("+390236618300", Some("IT")),
            ("+78005553535", Some("RU")),
            ("+447400123456", Some("GB")),
            ("+447911123456", Some("GG")),
            ("+9999999999", None),
        ] {
            let parsed = PhoneNumber::parse(number).unwrap();
            assert_eq!(parsed.country().as_deref(), country, "{number}");
        }
    }

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

    /// Countries, with national numbers as people write them there, and what they are.
    const NATIONAL: [(&str, &[&str], &str); 14] = [
        (
            "US",
            &["(415) 555-1234", "415.555.1234", "1 415 555 1234", "4155551234"],
            "+14155551234",
        ),
        ("CA", &["(604) 555-2345", "1-604-555-2345"], "+16045552345"),
        (
            "FR",
            &["06 12 34 56 78", "0612345678", "06.12.34.56.78", "33612345678"],
            "+33612345678",
        ),
        ("FR", &["01 42 68 53 00", "(01) 42-68-53-00"], "+33142685300"),
        ("GB", &["020 7946 0018", "(020) 7946 0018"], "+442079460018"),
        ("GB", &["07400 123456", "07400-123-456"], "+447400123456"),
        ("DE", &["030 123456", "(030) 123456", "030/123456"], "+4930123456"),
        ("DE", &["0151 23456789", "0151-2345 6789"], "+4915123456789"),
        ("CH", &["044 668 18 00", "0446681800"], "+41446681800"),
        ("BE", &["0470 12 34 56", "0470/12.34.56"], "+32470123456"),
        ("BE", &["02 512 34 56"], "+3225123456"),
        ("ES", &["612 34 56 78", "612345678"], "+34612345678"),
        ("IT", &["06 6982 1234", "0669821234"], "+390669821234"),
        ("IT", &["312 345 6789", "3123456789"], "+393123456789"),
    ];

    #[test]
    fn national_numbers_are_read_by_the_plan_of_the_country() {
        for (country, texts, number) in NATIONAL {
            for text in texts {
                let read = PhoneNumber::parse_any(text, country);
                assert_eq!(
                    read.map(|read| read.to_string()).as_deref(),
                    Ok(number),
                    "{text:?} in {country}"
                );
            }
        }
    }

    #[test]
    fn what_no_plan_has_is_refused() {
        for (text, country) in [
            ("06 12 34 56 78", "US"),
            ("(020) 7946 0018", "US"),
            ("0033 6 12 34 56 78", "US"),
            ("(015) 555-1234", "US"),
            ("(415) 055-1234", "CA"),
            ("555-1234", "US"),
            ("911", "US"),
            ("(415) 555-1234", "FR"),
            ("06 12 34 56 7", "FR"),
            ("06 12 34 56 78 9", "FR"),
            ("00 00 00 00 00", "FR"),
            ("112", "FR"),
            ("07400 12345", "GB"),
            ("01 42 68 53 00", "GB"),
            ("030 1", "DE"),
            ("0", "DE"),
            ("(415) 555-1234", "CH"),
            ("044 668 18 0", "CH"),
            ("06 12 34 56 78", "BE"),
            ("0470 12 34", "BE"),
            ("06 12 34 56 78", "ES"),
            ("112 34 56 78", "ES"),
            ("912 345 6789 0123", "IT"),
            ("12", "IT"),
        ] {
            assert_eq!(
                PhoneNumber::parse_any(text, country),
                Err(PhoneError::Unreadable),
                "{text:?} in {country}"
            );
        }
    }

    proptest! {
        /// Whatever the library prints of a valid number, in any of its formats, is read as that number.
        #[test]
        fn what_is_printed_is_read(
            (country, plan) in prop::sample::select(vec![
                ("US", "[2-9][0-9]{2}[2-9][0-9]{6}"),
                ("CA", "(204|416|514|604)[2-9][0-9]{6}"),
                ("FR", "[1-9][0-9]{8}"),
                ("GB", "(20[0-9]{8}|7[0-9]{9}|1[0-9]{9}|800[0-9]{6,7})"),
                ("DE", "(30[0-9]{4,8}|1[567][0-9]{8,9}|89[0-9]{5,8}|800[0-9]{7})"),
                ("CH", "[2-9][0-9]{8}"),
                ("BE", "(4[0-9]{8}|[1-9][0-9]{7})"),
                ("ES", "[6-9][0-9]{8}"),
                ("IT", "(0[0-9]{5,10}|3[0-9]{8,9}|800[0-9]{6})"),
            ])
            .prop_flat_map(|(country, plan)| (Just(country), plan)),
        ) {
            use phonenumber::Mode;
            let id: phonenumber::country::Id = country.parse().unwrap();
            let Ok(number) = phonenumber::parse(Some(id), format!("+{}{plan}", code(country))) else {
                return Ok(());
            };
            if !number.is_valid() || number.country().id() != Some(id) {
                return Ok(());
            }
            let wanted = number.format().mode(Mode::E164).to_string();
            for mode in [Mode::E164, Mode::International, Mode::National, Mode::Rfc3966] {
                let text = number.format().mode(mode).to_string();
                let read = PhoneNumber::parse_any(&text, country);
                prop_assert_eq!(read.map(|read| read.to_string()), Ok(wanted.clone()), "{:?} in {}", text, country);
            }
        }
    }

    fn code(country: &str) -> u16 {
        let id: phonenumber::country::Id = country.parse().unwrap();
        phonenumber::metadata::DATABASE
            .by_id(id.as_ref())
            .unwrap()
            .country_code()
    }
}
