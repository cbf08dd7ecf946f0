//! When people call: by the hour of the day and the day of the week, where they are.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use rand::{Rng, RngExt};
use trunkline_domain::Millis;

use crate::corpus::Language;

/// How busy each hour of a weekday is, relative to the others.
#[rustfmt::skip]
const WEEKDAY: [f64; 24] = [
    0.02, 0.01, 0.01, 0.01, 0.01, 0.02, 0.1, 0.6, 3.0, 14.0, 16.0, 14.0,
    5.0, 5.0, 14.0, 15.0, 14.0, 11.0, 4.0, 1.5, 0.8, 0.4, 0.1, 0.04,
];

/// How busy Saturday and Sunday are, relative to a weekday.
const WEEKEND: (f64, f64) = (0.05, 0.02);

/// The time zone of the offices that speak `language`: the American numbers are Californian.
pub(crate) const fn zone_of(language: Language) -> &'static str {
    match language {
        Language::English => "America/Los_Angeles",
        Language::French => "Europe/Paris",
    }
}

/// The hours between two instants, each as busy as it is.
#[derive(Clone, Debug)]
pub(crate) struct OfficeHours {
    zone: TimeZone,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    from: Millis,
    ms: i64,
    /// The weight of all slots up to the end of this one.
    up_to: f64,
}

impl OfficeHours {
    /// The hours from `from` to `to` (excluded; at least a millisecond later) in the time zone of this name.
    pub(crate) fn new(zone: &str, from: Millis, to: Millis) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let to = to.max(from.plus(1));
        let (mut slots, mut up_to, mut begin) = (Vec::new(), 0.0, from);
        while begin < to {
            let end = Millis((begin.0.div_euclid(Millis::HOUR) + 1) * Millis::HOUR).min(to);
            let ms = end.since(begin);
            #[expect(clippy::cast_precision_loss, reason = "at most an hour")]
            let share = ms as f64 / Millis::HOUR as f64;
            up_to += busy(local(&zone, begin)) * share;
            slots.push(Slot {
                from: begin,
                ms,
                up_to,
            });
            begin = end;
        }
        Self { zone, slots }
    }

    /// The instant by which `share` (0 to 1) of everything has happened.
    pub(crate) fn at(&self, share: f64) -> Millis {
        let total = self.slots.last().map_or(0.0, |slot| slot.up_to);
        let wanted = share.clamp(0.0, 1.0) * total;
        let place = self
            .slots
            .partition_point(|slot| slot.up_to <= wanted)
            .min(self.slots.len() - 1);
        let slot = self.slots[place];
        let before = if place == 0 {
            0.0
        } else {
            self.slots[place - 1].up_to
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most an hour"
        )]
        let into = ((wanted - before) / (slot.up_to - before) * slot.ms as f64) as i64;
        slot.from.plus(into.clamp(0, slot.ms - 1))
    }

    /// An instant, drawn by how busy the hours are.
    pub(crate) fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Millis {
        self.at(rng.random())
    }

    /// Whether somebody sits at the phone.
    pub(crate) fn is_open(&self, at: Millis) -> bool {
        let local = local(&self.zone, at);
        !matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday) && (9..18).contains(&local.hour())
    }

    /// `at`, if the office is open then, or else the next time it opens.
    pub(crate) fn open_from(&self, at: Millis) -> Millis {
        // A weekend and a night have fewer than a hundred hours.
        let hours = (0..100).map(|hour| match hour {
            0 => at,
            hours => Millis((at.0.div_euclid(Millis::HOUR) + hours) * Millis::HOUR),
        });
        hours.into_iter().find(|at| self.is_open(*at)).unwrap_or(at)
    }
}

fn local(zone: &TimeZone, at: Millis) -> DateTime {
    zone.to_datetime(at.timestamp())
}

fn busy(local: DateTime) -> f64 {
    let weight = WEEKDAY[usize::try_from(local.hour()).unwrap_or_default()];
    match local.weekday() {
        Weekday::Saturday => weight * WEEKEND.0,
        Weekday::Sunday => weight * WEEKEND.1,
        _ => weight,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse(text).unwrap()
    }

    #[test]
    fn shares_run_through_the_hours_in_order() {
        let (from, to) = (at("2026-03-02T07:20:00Z"), at("2026-03-30T16:40:00Z"));
        let hours = OfficeHours::new("Europe/Paris", from, to);
        let moments: Vec<Millis> = (0..=1_000).map(|i| hours.at(f64::from(i) / 1_000.0)).collect();
        assert!(moments.is_sorted() && moments[0] >= from && moments[1_000] < to);
        let open = moments.iter().filter(|at| hours.is_open(**at)).count();
        assert!(open > 850, "{open} of 1001 in office hours");
        let mut rng = StdRng::seed_from_u64(1);
        assert!(
            (0..1_000)
                .map(|_| hours.sample(&mut rng))
                .all(|at| (from..to).contains(&at))
        );
    }

    #[test]
    fn the_office_opens_where_it_is() {
        let hours = OfficeHours::new("America/Los_Angeles", Millis(0), Millis(0));
        let monday = at("2026-03-02T17:00:00Z");
        assert_eq!(
            hours.open_from(at("2026-02-28T02:30:00Z")),
            monday,
            "Friday evening"
        );
        assert_eq!(hours.open_from(monday.plus(5)), monday.plus(5));
        assert!(
            (0..50)
                .map(|i| hours.at(f64::from(i) / 50.0))
                .all(|at| at == Millis(0))
        );
    }
}
