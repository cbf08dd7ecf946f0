//! When marketing texts may go out in France.
//!
//! Not from 20:00 to 08:00, not on Sundays and not on public holidays, by the clock of Paris: the hours that French
//! senders keep to. The charter of the French operators (af2m, Business Messaging, 2026) allows more, 08:00 to 21:30, and
//! advises against Sundays and holidays where it once forbade them; whoever keeps to these hours keeps to both.
//!
//! Holidays are the eleven of article L3133-1 of the labour code. The two that only Alsace and Moselle have (Good Friday
//! and 26 December) and those of the overseas departments are left out: a number does not tell where in France somebody
//! lives.

use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::Millis;

/// The first hour in which marketing texts may go out.
const OPENS: i8 = 8;

/// The hour from which on they may not.
const CLOSES: i8 = 20;

static PARIS: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Europe/Paris").expect("the time zones that are compiled in have Europe/Paris")
});

/// Marketing texts may not go out now, but from this instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("marketing texts may go out again at {0}")]
pub struct NextAllowed(pub Millis);

/// Whether a marketing text may go out to France at the instant `at`.
///
/// # Errors
/// [`NextAllowed`] with the next instant at which it may.
pub fn may_send(at: Millis) -> Result<(), NextAllowed> {
    let local = PARIS.to_datetime(at.timestamp());
    let (today, hour) = (local.date(), local.hour());
    if is_working_day(today) && (OPENS..CLOSES).contains(&hour) {
        return Ok(());
    }
    let mut day = today;
    if hour >= OPENS {
        day = day.tomorrow().unwrap_or(day);
    }
    while !is_working_day(day) {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    let opening = day.at(OPENS, 0, 0, 0).to_zoned(PARIS.clone());
    Err(NextAllowed(opening.map_or(at, |opening| {
        Millis(opening.timestamp().as_millisecond())
    })))
}

fn is_working_day(date: Date) -> bool {
    date.weekday() != Weekday::Sunday && !is_public_holiday(date)
}

/// Whether `date` is a public holiday in all of metropolitan France.
#[must_use]
pub fn is_public_holiday(date: Date) -> bool {
    let fixed = matches!(
        (date.month(), date.day()),
        (1, 1) | (5, 1) | (5, 8) | (7, 14) | (8, 15) | (11, 1) | (11, 11) | (12, 25)
    );
    // Easter Monday, Ascension Day, Whit Monday.
    fixed || matches!(days_after_easter(date), Some(1 | 39 | 50))
}

/// Days from the Easter Sunday of its year to `date`, by the Gregorian calendar (the algorithm of Meeus, Jones and
/// Butcher: J. Meeus, "Astronomical Algorithms", chapter 8); `None` in months that no movable holiday falls into.
fn days_after_easter(date: Date) -> Option<i32> {
    let before_month = match date.month() {
        3 => 0,
        4 => 31,
        5 => 61,
        6 => 92,
        _ => return None,
    };
    let year = i32::from(date.year());
    let (a, b, c) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    // As a day of March, beyond its end in April.
    let easter = h + l - 7 * m + 22;
    Some(before_month + i32::from(date.day()) - easter)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const HOLIDAYS: &str = include_str!("../../tests/fixtures/french-holidays.txt");

    fn at(local: &str) -> Millis {
        let local: jiff::civil::DateTime = local.parse().unwrap();
        Millis(
            local
                .to_zoned(PARIS.clone())
                .unwrap()
                .timestamp()
                .as_millisecond(),
        )
    }

    #[test]
    fn holidays_are_those_of_the_calendar() {
        let known: Vec<Date> = HOLIDAYS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.parse().unwrap())
            .collect();
        assert_eq!(known.len(), 12 * 11);
        let mut day = date(2024, 1, 1);
        while day.year() < 2036 {
            assert_eq!(is_public_holiday(day), known.contains(&day), "{day}");
            day = day.tomorrow().unwrap();
        }
        // The extremes of Easter: 22 March 1818 and 2285, 25 April 1943 and 2038.
        for easter_monday in [
            date(1818, 3, 23),
            date(2285, 3, 23),
            date(1943, 4, 26),
            date(2038, 4, 26),
        ] {
            assert!(is_public_holiday(easter_monday), "{easter_monday}");
        }
    }

    #[test]
    fn hours_are_local_and_to_the_millisecond() {
        for (now, next) in [
            // A Tuesday in summer, and one in winter.
            ("2026-07-07T08:00:00", None),
            ("2026-07-07T07:59:59.999", Some("2026-07-07T08:00:00")),
            ("2026-07-07T19:59:59.999", None),
            ("2026-07-07T20:00:00", Some("2026-07-08T08:00:00")),
            ("2026-01-13T07:59:59.999", Some("2026-01-13T08:00:00")),
            ("2026-01-13T08:00:00", None),
            ("2026-01-13T23:59:59", Some("2026-01-14T08:00:00")),
            ("2026-01-14T00:00:00", Some("2026-01-14T08:00:00")),
            // Saturday evening and Sunday.
            ("2026-07-11T19:00:00", None),
            ("2026-07-11T20:30:00", Some("2026-07-13T08:00:00")),
            ("2026-07-12T12:00:00", Some("2026-07-13T08:00:00")),
            // Before and on holidays, alone and beside a Sunday.
            ("2026-07-13T20:00:00", Some("2026-07-15T08:00:00")),
            ("2026-07-14T10:00:00", Some("2026-07-15T08:00:00")),
            ("2026-04-04T21:00:00", Some("2026-04-07T08:00:00")),
            ("2026-05-14T09:00:00", Some("2026-05-15T08:00:00")),
            ("2027-12-24T20:00:00", Some("2027-12-27T08:00:00")),
            ("2026-12-31T20:00:00", Some("2027-01-02T08:00:00")),
            // Good Friday and 26 December are holidays in Alsace and Moselle alone.
            ("2026-04-03T10:00:00", None),
            ("2026-12-26T10:00:00", None),
            // Clocks go forward on 29 March 2026 and back on 25 October 2026.
            ("2026-03-28T20:00:00", Some("2026-03-30T08:00:00")),
            ("2026-03-29T03:30:00", Some("2026-03-30T08:00:00")),
            ("2026-10-24T22:00:00", Some("2026-10-26T08:00:00")),
            ("2026-10-25T02:30:00", Some("2026-10-26T08:00:00")),
        ] {
            let expected = next.map_or(Ok(()), |next| Err(NextAllowed(at(next))));
            assert_eq!(may_send(at(now)), expected, "{now}");
        }
    }

    #[test]
    fn the_clock_change_moves_the_hours_in_utc() {
        let utc = |text: &str| Millis::parse(text).unwrap();
        for (evening, opening) in [
            ("2026-03-27T20:00:00Z", "2026-03-28T07:00:00Z"),
            ("2026-03-28T20:00:00Z", "2026-03-30T06:00:00Z"),
            ("2026-10-23T20:00:00Z", "2026-10-24T06:00:00Z"),
            ("2026-10-24T20:00:00Z", "2026-10-26T07:00:00Z"),
        ] {
            assert_eq!(
                may_send(utc(evening)),
                Err(NextAllowed(utc(opening))),
                "{evening}"
            );
        }
        assert_eq!(may_send(utc("2026-03-28T07:30:00Z")), Ok(()));
        assert!(may_send(utc("2026-03-28T06:30:00Z")).is_err());
        assert_eq!(may_send(utc("2026-03-30T06:30:00Z")), Ok(()));
    }

    #[test]
    fn every_quarter_of_an_hour_of_twelve_years_knows_when_it_goes_on() {
        let (mut now, end) = (at("2024-01-01T00:00:00").0, at("2036-01-01T00:00:00").0);
        let mut next = None;
        while now < end {
            match (may_send(Millis(now)), next) {
                (Ok(()), Some(promised)) => {
                    assert_eq!(now, promised, "open before or after the promised instant");
                    assert!(may_send(Millis(promised - 1)).is_err());
                    next = None;
                }
                (Err(NextAllowed(Millis(opening))), Some(promised)) => assert_eq!(opening, promised),
                (Err(NextAllowed(Millis(opening))), None) => {
                    assert!(opening > now);
                    next = Some(opening);
                }
                (Ok(()), None) => {}
            }
            now += 15 * Millis::MINUTE;
        }
    }

    proptest! {
        #[test]
        fn any_instant_has_an_answer(at in any::<i64>()) {
            if let Err(NextAllowed(next)) = may_send(Millis(at)) {
                let century = -50_000_000_000_000..50_000_000_000_000;
                prop_assert!(!century.contains(&at) || (next.0 > at && may_send(next).is_ok()));
            }
        }
    }
}
