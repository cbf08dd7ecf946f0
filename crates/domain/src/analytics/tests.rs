use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Zones that change their clocks at odd hours, by odd amounts, or skipped a day.
const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Havana",
    "Pacific/Chatham",
    "Africa/Cairo",
];

fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(&ZONES[..]).prop_map(|name| TimeZone::get(name).expect("a zone"))
}

fn day() -> impl Strategy<Value = i64> {
    // 2009 to 2033.
    14_300i64..23_100
}

fn range(first: i64, days: i64) -> DateRange {
    DateRange::new(
        date_of(first).expect("a day"),
        date_of(first + days - 1).expect("a day"),
    )
    .expect("a range")
}

proptest! {
    #[test]
    fn days_follow_each_other_without_a_gap(zone in zone(), first in day(), days in 1i64..=366) {
        let whole = range(first, days).span(&zone);
        let mut at = whole.from;
        for day in first..first + days {
            let one = range(day, 1).span(&zone);
            prop_assert_eq!(one.from, at);
            prop_assert_eq!((one.first, one.last), (day, day));
            at = one.until;
        }
        prop_assert_eq!(at, whole.until);
        prop_assert_eq!(whole.from.0 % SLOT, 0, "days begin on a slot");
    }

    #[test]
    fn an_instant_is_in_the_day_that_clocks_show(zone in zone(), first in day(), days in 1i64..40, part in 0.0f64..1.0) {
        let span = range(first, days).span(&zone);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a place in the range")]
        let at = span.from.plus(((span.until.0 - span.from.0) as f64 * part) as i64);
        let (day, hour) = LocalHours::new(&zone).of(at);
        prop_assert_eq!(day, i64::from(at.day_in(&zone)));
        if at < span.until {
            prop_assert!((span.first..=span.last).contains(&day));
        }
        let shown = zone.to_datetime(at.timestamp());
        prop_assert_eq!(hour, usize::try_from(shown.hour()).expect("an hour"));
        prop_assert_eq!(weekday(day), usize::try_from(shown.weekday().to_monday_zero_offset()).expect("a day"));
        // The whole slot shows the same day and hour.
        let begins = Millis(slot(at) * SLOT);
        prop_assert_eq!(LocalHours::new(&zone).of(begins), (day, hour));
    }

    #[test]
    fn remembered_offsets_are_the_right_ones(zone in zone(), first in day(), steps in prop::collection::vec(-400i64..800, 1..60)) {
        let mut hours = LocalHours::new(&zone);
        let mut at = range(first, 1).span(&zone).from;
        for step in steps {
            at = at.plus(step * 6 * Millis::HOUR + step * SLOT);
            prop_assert_eq!(hours.of(at), LocalHours::new(&zone).of(at));
        }
    }

    #[test]
    fn every_day_is_in_one_bucket(first in day(), days in 1i64..=366, granularity in prop::sample::select(Granularity::ALL)) {
        let range = range(first, days);
        let buckets = range.buckets(granularity);
        prop_assert!(buckets.windows(2).all(|pair| pair[0] < pair[1]));
        for day in first..first + days {
            let own = bucket(date_of(day).expect("a day"), granularity);
            prop_assert_eq!(buckets.iter().filter(|date| **date == own).count(), 1);
        }
        let used: std::collections::BTreeSet<Date> =
            (first..first + days).map(|day| bucket(date_of(day).expect("a day"), granularity)).collect();
        prop_assert_eq!(used.len(), buckets.len(), "no bucket without a day");
    }

    #[test]
    fn what_is_taken_back_is_gone(result in prop::sample::select(CallResult::ALL), seconds in 0i64..10_000, ringing in 0i64..60_000) {
        let one = Tally::of(result, seconds, ringing);
        let mut sum = Tally::default();
        sum += one;
        sum += one.taken_back();
        prop_assert_eq!(sum, Tally::default());
        prop_assert!(one.conversations <= one.connected && one.connected <= one.calls);
        prop_assert!(one.connected + one.voicemail + one.missed <= one.calls);
        prop_assert!(one.waited_ms <= one.ringing_ms);
    }

    #[test]
    fn stages_agree_with_what_is_counted(result in prop::sample::select(CallResult::ALL), seconds in 0i64..200, converted in any::<bool>()) {
        let stage = Stage::of(Some(result), Some(seconds), converted);
        let one = Tally::of(result, seconds, 0);
        if converted {
            prop_assert_eq!(stage, Stage::Conversion);
        } else {
            prop_assert_eq!(stage >= Stage::Connected, one.connected == 1);
            prop_assert_eq!(stage >= Stage::Conversation, one.conversations == 1);
        }
    }
}

#[test]
fn ranges_have_a_year_at_most() {
    let from = date(2024, 1, 1);
    assert!(DateRange::new(from, date(2024, 12, 31)).is_ok(), "a leap year");
    assert_eq!(
        DateRange::new(from, date(2025, 1, 1)),
        Err(RangeError::TooWide {
            from,
            to: date(2025, 1, 1),
            days: 367
        })
    );
    assert!(DateRange::new(from, from).is_ok());
    assert!(matches!(
        DateRange::new(from, date(2023, 12, 31)),
        Err(RangeError::Backwards { .. })
    ));
    assert!(DateRange::new(Date::MIN, Date::MAX).is_err());
    let end = DateRange::new(Date::MAX, Date::MAX).unwrap();
    assert_eq!(end.span(&TimeZone::UTC).until, Millis(i64::MAX));
    for granularity in Granularity::ALL {
        assert_eq!(end.buckets(*granularity).len(), 1);
        assert_eq!(
            DateRange::new(Date::MIN, Date::MIN)
                .unwrap()
                .buckets(*granularity)
                .len(),
            1
        );
    }
}

#[test]
fn a_day_of_the_change_has_23_or_25_hours() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    for (day, hours) in [
        (date(2026, 3, 29), 23),
        (date(2026, 10, 25), 25),
        (date(2026, 7, 1), 24),
    ] {
        let span = DateRange::new(day, day).unwrap().span(&paris);
        assert_eq!(span.until.since(span.from), hours * Millis::HOUR, "{day}");
    }
}

#[test]
fn weeks_are_iso_weeks() {
    let range = DateRange::new(date(2026, 4, 1), date(2026, 4, 14)).unwrap();
    assert_eq!(
        range.buckets(Granularity::Week),
        [date(2026, 3, 30), date(2026, 4, 6), date(2026, 4, 13)]
    );
    assert_eq!(range.buckets(Granularity::Month), [date(2026, 4, 1)]);
    assert_eq!(weekday(day_number(date(2026, 11, 20))), 4, "a Friday");
}

#[test]
fn shares_and_changes() {
    assert_eq!(share(1, 4), Some(0.25));
    assert_eq!(share(0, 0), None);
    assert_eq!(change(150.0, 100.0), Some(0.5));
    assert_eq!(change(0.0, 100.0), Some(-1.0));
    assert_eq!(change(1.0, 0.0), None);
    assert!((rounded(1.0 / 3.0) - 0.3333).abs() < 1e-12);
}
