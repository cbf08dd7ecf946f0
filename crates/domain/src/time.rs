//! Instants as epoch milliseconds, the one form in which both databases and all rules keep time.

use std::fmt;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: milliseconds since 1970-01-01T00:00:00Z. On the wire it is RFC 3339 in UTC with milliseconds and `Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// One second.
    pub const SECOND: i64 = 1_000;
    /// One minute.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// Twenty-four hours (a calendar day may differ: see [`Millis::date_in`]).
    pub const DAY: i64 = 24 * Self::HOUR;

    /// This instant moved by `ms` milliseconds (negative: earlier), stopping at the ends of the range.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant, negative if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The calendar day of this instant in `zone`, as the number of days since 1970-01-01.
    #[must_use]
    pub fn day_in(self, zone: &TimeZone) -> i32 {
        let seconds = i64::from(zone.to_offset(self.timestamp()).seconds());
        let day = (self.0 + seconds * 1_000).div_euclid(Self::DAY);
        i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
    }

    /// The calendar date of this instant in `zone`.
    #[must_use]
    pub fn date_in(self, zone: &TimeZone) -> jiff::civil::Date {
        zone.to_datetime(self.timestamp()).date()
    }

    /// The first instant of `date` in `zone` (the first one that exists, where midnight falls into a gap).
    ///
    /// # Errors
    /// When the date lies outside of what the calendar can express.
    pub fn start_of(date: jiff::civil::Date, zone: &TimeZone) -> Result<Self, jiff::Error> {
        Ok(Self(
            date.to_zoned(zone.clone())?
                .start_of_day()?
                .timestamp()
                .as_millisecond(),
        ))
    }

    /// The first instant of the day with this number (see [`Millis::day_in`]) in the time zone of this IANA name; UTC, where
    /// there is no such zone. `None` for a day outside of what the calendar can express.
    #[must_use]
    pub fn start_of_day(day: i64, zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let days = jiff::Span::new().try_days(day).ok()?;
        let date = jiff::civil::date(1970, 1, 1).checked_add(days).ok()?;
        Self::start_of(date, &zone).ok()
    }

    /// Reads RFC 3339 (any offset); a date and time without an offset is taken as UTC.
    ///
    /// # Errors
    /// When the text is no such instant.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        match text.parse::<Timestamp>() {
            Ok(timestamp) => Ok(Self(timestamp.as_millisecond())),
            Err(error) => match text.parse::<jiff::civil::DateTime>() {
                Ok(local) if text.len() > 10 => {
                    Ok(Self(local.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond()))
                }
                _ => Err(error),
            },
        }
    }

    /// This instant as jiff's type; what lies outside of jiff's range becomes its nearest end.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        let ends = (
            Timestamp::MIN.as_millisecond() + 1,
            Timestamp::MAX.as_millisecond() - 1,
        );
        Timestamp::UNIX_EPOCH
            .checked_add(SignedDuration::from_millis(self.0.clamp(ends.0, ends.1)))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Millis {
    /// Year, month and day in UTC, by the algorithm of H. Hinnant ("chrono-compatible low-level date algorithms");
    /// `None` far outside of any calendar.
    fn civil(self) -> Option<(i64, i64, i64)> {
        let days = i32::try_from(self.0.div_euclid(Self::DAY)).ok()?;
        let z = i64::from(days) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        Some((year_of_era + era * 400 + i64::from(month <= 2), month, day))
    }

    /// The text of an instant of the years 0 to 9999. Digit by digit: an instant is written several times in every
    /// answer, and a general formatter takes several times as long.
    fn text(self) -> Option<[u8; 24]> {
        let (year, month, day) = self.civil().filter(|(year, ..)| (0..=9_999).contains(year))?;
        let in_day = self.0.rem_euclid(Self::DAY);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |last: usize, digits: usize, mut number: i64| {
            for place in (last + 1 - digits..=last).rev() {
                text[place] = b"0123456789"[(number % 10) as usize];
                number /= 10;
            }
        };
        put(3, 4, year);
        put(6, 2, month);
        put(9, 2, day);
        put(12, 2, in_day / Self::HOUR);
        put(15, 2, in_day / Self::MINUTE % 60);
        put(18, 2, in_day / Self::SECOND % 60);
        put(22, 3, in_day % 1_000);
        Some(text)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text() {
            return f.write_str(std::str::from_utf8(&text).unwrap_or_default());
        }
        let Some((year, month, day)) = self.civil() else {
            return f.write_str("out of range");
        };
        let in_day = self.0.rem_euclid(Self::DAY);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            in_day / Self::HOUR,
            in_day / Self::MINUTE % 60,
            in_day / Self::SECOND % 60,
            in_day % 1_000
        )
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A length as people say it: `42s`, `5m 30s`, `1h 2m 3s`.
#[must_use]
pub fn spoken_length(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m {rest}s"),
        _ => format!("{hours}h {minutes}m {rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_jiff_writes() {
        for ms in [
            0,
            1,
            999,
            951_782_400_000,
            1_709_164_800_123,
            -1,
            -62_135_596_800_000,
            32_503_680_000_007,
        ] {
            let expected = Millis(ms)
                .timestamp()
                .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
                .to_string();
            assert_eq!(Millis(ms).to_string(), expected, "{ms}");
            assert_eq!(Millis::parse(&expected).unwrap(), Millis(ms));
        }
    }

    #[test]
    fn days_follow_the_time_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let at = Millis::parse("2026-03-28T23:30:00Z").unwrap();
        assert_eq!(at.date_in(&paris).to_string(), "2026-03-29");
        assert_eq!(at.day_in(&paris), at.day_in(&TimeZone::UTC) + 1);
        let start = Millis::start_of(jiff::civil::date(2026, 3, 29), &paris).unwrap();
        let next = Millis::start_of(jiff::civil::date(2026, 3, 30), &paris).unwrap();
        assert_eq!(
            next.since(start),
            23 * Millis::HOUR,
            "the day of the spring change is an hour short"
        );
    }

    #[test]
    fn days_begin_where_the_day_before_ends() {
        // The last begins its days of summer time at one o'clock: midnight does not exist on the first.
        for name in [
            "UTC",
            "Europe/Paris",
            "Pacific/Auckland",
            "America/Havana",
            "Nowhere",
        ] {
            let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
            for day in -400..25_000 {
                let start = Millis::start_of_day(day, name).unwrap();
                assert_eq!(i64::from(start.day_in(&zone)), day, "{name}");
                assert_eq!(i64::from(start.plus(-1).day_in(&zone)), day - 1, "{name}");
            }
        }
        assert_eq!(Millis::start_of_day(i64::MAX, "UTC"), None);
    }

    #[test]
    fn reads_offsets_and_bare_times_but_no_bare_dates() {
        assert_eq!(
            Millis::parse("2026-04-20T12:00:00+02:00").unwrap(),
            Millis::parse("2026-04-20T10:00:00Z").unwrap()
        );
        assert_eq!(
            Millis::parse("2026-04-20T10:00:00").unwrap(),
            Millis::parse("2026-04-20T10:00:00Z").unwrap()
        );
        assert!(Millis::parse("2026-04-20").is_err());
        assert!(Millis::parse("yesterday").is_err());
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        assert_eq!(spoken_length(0), "0s");
        assert_eq!(spoken_length(330), "5m 30s");
        assert_eq!(spoken_length(3_723), "1h 2m 3s");
    }
}
