//! The rules of analytics: which days a range has, where a call stands in the funnel, what rates and changes are.
//!
//! A call is counted as a dial from its first ring on; what came of it is counted once it has ended. Days, weeks and
//! hours are those of the team's time zone; how many seconds a day has is the zone's affair.

use std::ops::AddAssign;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::named;
use crate::{CallResult, Millis};

/// The most days a range may have, both ends included.
pub const MAX_DAYS: i64 = 366;

/// A connected call that lasts longer than this many seconds is a conversation.
pub const CONVERSATION_SECONDS: i64 = 60;

/// The grain in which calls are counted: every time zone's hours and days begin on a multiple of it.
pub const SLOT: i64 = 15 * Millis::MINUTE;

named! {
    /// The steps of a series.
    Granularity {
        /// Days.
        Day = "DAY",
        /// ISO weeks, from Monday.
        Week = "WEEK",
        /// Calendar months.
        Month = "MONTH",
    }
}

named! {
    /// What a breakdown is made by.
    GroupBy {
        /// Who of the team handled the calls.
        User = "USER",
        /// The team's number.
        Number = "ALLO_NUMBER",
        /// The tags on the calls.
        Tag = "TAG",
    }
}

named! {
    /// How far an outbound call came, each stage counting what the next ones count of it.
    Stage {
        /// It was placed.
        Dial = "DIAL",
        /// The other side picked up; a voicemail is no pick-up.
        Connected = "CONNECTED",
        /// Connected, and longer than a minute.
        Conversation = "CONVERSATION",
        /// It carries one of the tags that count as a success.
        Conversion = "CONVERSION",
    }
}

impl Stage {
    /// The furthest stage of a call: `result` and `seconds` as they stand, `converted` if it has one of the tags.
    #[must_use]
    pub fn of(result: Option<CallResult>, seconds: Option<i64>, converted: bool) -> Self {
        match result {
            _ if converted => Self::Conversion,
            Some(result) if is_connected(result) => {
                if is_conversation(result, seconds.unwrap_or(0)) {
                    Self::Conversation
                } else {
                    Self::Connected
                }
            }
            _ => Self::Dial,
        }
    }
}

/// Whether somebody picked up: the call was answered, or handed on after it was.
#[must_use]
pub const fn is_connected(result: CallResult) -> bool {
    matches!(
        result,
        CallResult::Answered | CallResult::TransferredAi | CallResult::TransferredExternal
    )
}

/// Whether people spoke for longer than a minute.
#[must_use]
pub const fn is_conversation(result: CallResult, seconds: i64) -> bool {
    is_connected(result) && seconds > CONVERSATION_SECONDS
}

/// Why two dates make no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It ends before it begins.
    #[error("from ({from}) is after to ({to})")]
    Backwards {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// It has more than [`MAX_DAYS`] days.
    #[error("from {from} to {to} are {days} days; at most {MAX_DAYS} are answered at once")]
    TooWide {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
        /// How many.
        days: i64,
    },
}

/// Days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateRange {
    from: Date,
    to: Date,
}

/// The instants a range of days spans in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First day, since 1970-01-01.
    pub first: i64,
    /// Last day, included.
    pub last: i64,
    /// The first instant of the first day.
    pub from: Millis,
    /// The first instant after the last day.
    pub until: Millis,
}

impl DateRange {
    /// The days `from` to `to`.
    ///
    /// # Errors
    /// A [`RangeError`] when it runs backwards or is too wide.
    pub fn new(from: Date, to: Date) -> Result<Self, RangeError> {
        if from > to {
            return Err(RangeError::Backwards { from, to });
        }
        let days = day_number(to) - day_number(from) + 1;
        if days > MAX_DAYS {
            return Err(RangeError::TooWide { from, to, days });
        }
        Ok(Self { from, to })
    }

    /// First day.
    #[must_use]
    pub const fn from(self) -> Date {
        self.from
    }

    /// Last day, included.
    #[must_use]
    pub const fn to(self) -> Date {
        self.to
    }

    /// What the range spans in `zone`. At the ends of the calendar, where there is no such instant, it is open.
    #[must_use]
    pub fn span(self, zone: &TimeZone) -> Span {
        let start = |date: Date| Millis::start_of(date, zone).ok();
        Span {
            first: day_number(self.from),
            last: day_number(self.to),
            from: start(self.from).unwrap_or(Millis(i64::MIN)),
            until: self
                .to
                .tomorrow()
                .ok()
                .and_then(start)
                .unwrap_or(Millis(i64::MAX)),
        }
    }

    /// The first day of every bucket of the range, in order. The first bucket may begin before the range does: a week
    /// is named by its Monday, a month by its first day.
    #[must_use]
    pub fn buckets(self, granularity: Granularity) -> Vec<Date> {
        let mut all = Vec::new();
        let mut next = Some(bucket(self.from, granularity));
        while let Some(date) = next.filter(|date| *date <= self.to) {
            all.push(date);
            next = after(date, granularity);
        }
        all
    }
}

/// The first day of the bucket that `date` falls into.
#[must_use]
pub fn bucket(date: Date, granularity: Granularity) -> Date {
    match granularity {
        Granularity::Day => date,
        Granularity::Week => {
            let back = i64::from(date.weekday().to_monday_zero_offset());
            date_of(day_number(date) - back).unwrap_or(date)
        }
        Granularity::Month => date.first_of_month(),
    }
}

fn after(date: Date, granularity: Granularity) -> Option<Date> {
    match granularity {
        Granularity::Day => date.tomorrow().ok(),
        Granularity::Week => date_of(day_number(date) + 7),
        Granularity::Month => date.last_of_month().tomorrow().ok(),
    }
}

/// The number of a day since 1970-01-01.
#[must_use]
pub fn day_number(date: Date) -> i64 {
    Date::constant(1970, 1, 1)
        .until(date)
        .map_or(0, |span| i64::from(span.get_days()))
}

/// The day with this number since 1970-01-01; `None` outside of the calendar.
#[must_use]
pub fn date_of(day: i64) -> Option<Date> {
    let days = jiff::Span::new().try_days(day).ok()?;
    Date::constant(1970, 1, 1).checked_add(days).ok()
}

/// Tells the local day and hour of instants; fast for instants that come in order.
#[derive(Debug)]
pub struct LocalHours<'z> {
    zone: &'z TimeZone,
    offset_ms: i64,
    /// The offset holds from here …
    from: i64,
    /// … to before here.
    until: i64,
}

impl<'z> LocalHours<'z> {
    /// Hours in `zone`.
    #[must_use]
    pub const fn new(zone: &'z TimeZone) -> Self {
        Self {
            zone,
            offset_ms: 0,
            from: 0,
            until: 0,
        }
    }

    /// The day (since 1970-01-01) and the hour (0 to 23) that clocks show at `at`.
    pub fn of(&mut self, at: Millis) -> (i64, usize) {
        if at.0 < self.from || at.0 >= self.until {
            let instant = at.timestamp();
            self.offset_ms = i64::from(self.zone.to_offset(instant).seconds()) * Millis::SECOND;
            self.from = at.0;
            let next = self.zone.following(instant).next();
            self.until = next.map_or(i64::MAX, |next| next.timestamp().as_millisecond());
        }
        let local = at.0.saturating_add(self.offset_ms);
        let hour = local.rem_euclid(Millis::DAY) / Millis::HOUR;
        (local.div_euclid(Millis::DAY), usize::try_from(hour).unwrap_or(0))
    }
}

/// The weekday of a day since 1970-01-01 (a Thursday): 0 is Monday.
#[must_use]
pub fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}

/// The quarter of an hour that an instant falls into, counted from 1970-01-01T00:00:00Z.
#[must_use]
pub const fn slot(at: Millis) -> i64 {
    at.0.div_euclid(SLOT)
}

/// What calls came to, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that have ended.
    pub calls: i64,
    /// Those that somebody picked up.
    pub connected: i64,
    /// Those in which people spoke for longer than a minute.
    pub conversations: i64,
    /// Those that the voicemail took.
    pub voicemail: i64,
    /// Those that rang in vain, without a message.
    pub missed: i64,
    /// Seconds that connected calls lasted.
    pub talk_seconds: i64,
    /// Milliseconds that all of them rang.
    pub ringing_ms: i64,
    /// Milliseconds that connected calls rang.
    pub waited_ms: i64,
}

impl Tally {
    /// What one call that has ended counts: `seconds` from the pick-up to the end, `ringing_ms` from the first ring to
    /// the pick-up, or to the end where nobody picked up.
    #[must_use]
    pub const fn of(result: CallResult, seconds: i64, ringing_ms: i64) -> Self {
        let connected = is_connected(result);
        Self {
            calls: 1,
            connected: connected as i64,
            conversations: is_conversation(result, seconds) as i64,
            voicemail: matches!(result, CallResult::Voicemail) as i64,
            missed: matches!(result, CallResult::Missed) as i64,
            talk_seconds: if connected { seconds } else { 0 },
            ringing_ms,
            waited_ms: if connected { ringing_ms } else { 0 },
        }
    }

    /// The same with the other sign: what is taken back when a call is corrected.
    #[must_use]
    pub const fn taken_back(self) -> Self {
        Self {
            calls: -self.calls,
            connected: -self.connected,
            conversations: -self.conversations,
            voicemail: -self.voicemail,
            missed: -self.missed,
            talk_seconds: -self.talk_seconds,
            ringing_ms: -self.ringing_ms,
            waited_ms: -self.waited_ms,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.connected += other.connected;
        self.conversations += other.conversations;
        self.voicemail += other.voicemail;
        self.missed += other.missed;
        self.talk_seconds += other.talk_seconds;
        self.ringing_ms += other.ringing_ms;
        self.waited_ms += other.waited_ms;
    }
}

/// `part` of `whole`, 0 to 1; `None` when there is nothing to have a share of.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn share(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| part as f64 / whole as f64)
}

/// By how much `value` differs from `previous`, as a share of `previous`; `None` when that is 0.
#[must_use]
pub fn change(value: f64, previous: f64) -> Option<f64> {
    (previous != 0.0).then(|| (value - previous) / previous)
}

/// A figure with four decimals at most, as it is shown.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests;
