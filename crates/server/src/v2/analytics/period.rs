//! The figures of a range of days: sums, a series, a grid of weekdays and hours.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use trunkline_domain::Direction;
use trunkline_domain::analytics::{self, DateRange, Granularity, LocalHours, Span, Tally};
use trunkline_store::analytics::{self as store, Whose};
use trunkline_store::{Conn, StoreError, TeamKey};

use super::{Number, PointView};

/// Names of weekdays, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = [
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
];

/// What is wanted of a period.
#[derive(Clone, Copy)]
pub(super) struct Want<'w> {
    pub(super) team: TeamKey,
    pub(super) whose: &'w Whose,
    pub(super) direction: Direction,
    pub(super) zone: &'w TimeZone,
    pub(super) granularity: Granularity,
    /// What makes a success: any of these tags.
    pub(super) tags: &'w [String],
}

/// The figures of one place: a bucket, an hour.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// Calls, those that still last included.
    pub(super) calls: i64,
    pub(super) connected: i64,
    pub(super) voicemail: i64,
    pub(super) missed: i64,
    /// Calls with one of the tags.
    pub(super) conversions: i64,
}

/// The figures of a period.
pub(super) struct Period {
    /// Calls that still last.
    pub(super) lasting: i64,
    /// Calls that have ended.
    pub(super) ended: Tally,
    /// Calls with one of the tags.
    pub(super) conversions: i64,
    /// One place for each bucket of the range.
    pub(super) series: Vec<(Date, Cell)>,
    /// By weekday, Monday first, and hour.
    pub(super) grid: [[Cell; 24]; 7],
    /// For each day of the range, its place in the series.
    places: Vec<usize>,
    span: Span,
}

impl Period {
    /// Reads the figures of `range`.
    pub(super) fn read(conn: &mut Conn<'_>, want: Want<'_>, range: DateRange) -> Result<Self, StoreError> {
        let mut period = Self::empty(range, want.granularity, want.zone);
        let span = period.span;
        let mut hours = LocalHours::new(want.zone);
        store::slots(conn, want.team, want.whose, want.direction, &span, |at, tally| {
            let (day, hour) = hours.of(at);
            period.ended += tally;
            period.enter(day, hour, |cell| {
                cell.calls += tally.calls;
                cell.connected += tally.connected;
                cell.voicemail += tally.voicemail;
                cell.missed += tally.missed;
            });
        })?;
        period.read_others(conn, want)?;
        Ok(period)
    }

    /// Reads what `range` came to in all: its series and its grid do not show calls that have ended.
    pub(super) fn read_sums(
        conn: &mut Conn<'_>,
        want: Want<'_>,
        range: DateRange,
    ) -> Result<Self, StoreError> {
        let mut period = Self::empty(range, want.granularity, want.zone);
        period.ended = store::sum(conn, want.team, want.whose, want.direction, &period.span)?;
        period.read_others(conn, want)?;
        Ok(period)
    }

    /// Reads successes, and calls that still last.
    fn read_others(&mut self, conn: &mut Conn<'_>, want: Want<'_>) -> Result<(), StoreError> {
        let Want {
            team,
            whose,
            direction,
            zone,
            tags,
            ..
        } = want;
        let span = self.span;
        if !tags.is_empty() {
            store::by_tags(conn, team, whose, direction, &span, |day, own, tally| {
                if store::keys(own).any(|tag| tags.binary_search_by(|known| known.as_str().cmp(tag)).is_ok())
                {
                    self.convert(day, tally.calls);
                }
            })?;
        }
        let mut hours = LocalHours::new(zone);
        for call in store::lasting(conn, team)? {
            let is_in = (span.from..span.until).contains(&call.at);
            if is_in && call.direction == direction && whose.includes(call.line, call.user) {
                let (day, hour) = hours.of(call.at);
                self.lasting += 1;
                self.enter(day, hour, |cell| cell.calls += 1);
                if call.tags.iter().any(|tag| tags.binary_search(tag).is_ok()) {
                    self.convert(day, 1);
                }
            }
        }
        Ok(())
    }

    fn empty(range: DateRange, granularity: Granularity, zone: &TimeZone) -> Self {
        let span = range.span(zone);
        let buckets = range.buckets(granularity);
        let mut places = Vec::new();
        for day in span.first..=span.last {
            let own = analytics::date_of(day).map(|date| analytics::bucket(date, granularity));
            let place = own.and_then(|own| buckets.binary_search(&own).ok());
            places.push(place.unwrap_or(0));
        }
        Self {
            lasting: 0,
            ended: Tally::default(),
            conversions: 0,
            series: buckets.into_iter().map(|date| (date, Cell::default())).collect(),
            grid: [[Cell::default(); 24]; 7],
            places,
            span,
        }
    }

    fn of_day(&mut self, day: i64) -> Option<&mut Cell> {
        let place = *self.places.get(usize::try_from(day - self.span.first).ok()?)?;
        self.series.get_mut(place).map(|(_, cell)| cell)
    }

    fn enter(&mut self, day: i64, hour: usize, add: impl Fn(&mut Cell)) {
        if let Some(cell) = self.of_day(day) {
            add(cell);
        }
        add(&mut self.grid[analytics::weekday(day)][hour]);
    }

    fn convert(&mut self, day: i64, calls: i64) {
        self.conversions += calls;
        if let Some(cell) = self.of_day(day) {
            cell.conversions += calls;
        }
    }

    /// All calls.
    pub(super) const fn calls(&self) -> i64 {
        self.ended.calls + self.lasting
    }

    /// One figure of the series.
    pub(super) fn points<N: Into<Number>>(&self, of: impl Fn(&Cell) -> N) -> Vec<PointView> {
        self.series
            .iter()
            .map(|(date, cell)| PointView {
                date: *date,
                value: of(cell).into().shown(),
            })
            .collect()
    }

    /// By hour, whatever the weekday.
    pub(super) fn by_hour(&self) -> [Cell; 24] {
        let mut hours = [Cell::default(); 24];
        for day in &self.grid {
            for (sum, cell) in hours.iter_mut().zip(day) {
                sum.calls += cell.calls;
                sum.connected += cell.connected;
                sum.voicemail += cell.voicemail;
                sum.missed += cell.missed;
            }
        }
        hours
    }
}
