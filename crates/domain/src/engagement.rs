//! How close a contact is, as version 1 of the API shows it.

use crate::Millis;
use crate::model::named;

named! {
    /// How close a contact is.
    Engagement {
        /// In touch.
        Engaged = "ENGAGED",
        /// Losing touch.
        Cooling = "COOLING",
        /// Out of touch.
        Cold = "COLD",
    }
}

/// What a contact and the team have had with each other.
///
/// The contact *speaks* by calling, by texting, and by answering a call of the team. The team *reaches out* by
/// texting and calling, answered or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the contact last spoke.
    pub spoke_at: Option<Millis>,
    /// How often the contact has ever spoken.
    pub spoken: i64,
    /// When the team last reached out.
    pub reached_at: Option<Millis>,
    /// How often the team has ever reached out.
    pub reached: i64,
}

/// Up to so long after speaking, a contact is in touch.
const IN_TOUCH: i64 = 30 * Millis::DAY;

/// Up to so long after speaking, a contact is still losing touch.
const LOSING_TOUCH: i64 = 90 * Millis::DAY;

/// Whoever has spoken this often is a regular, and has twice the time.
const REGULAR: i64 = 5;

/// Whoever was reached out to this often and has never spoken is not interested.
const PATIENCE: i64 = 5;

impl History {
    /// The engagement at the instant `now`; `None` while there was no contact at all.
    ///
    /// | the contact last spoke | up to four times in all | five times or more |
    /// |---|---|---|
    /// | at most 30 days ago | `ENGAGED` | `ENGAGED` |
    /// | at most 60 days ago | `COOLING` | `ENGAGED` |
    /// | at most 90 days ago | `COOLING` | `COOLING` |
    /// | at most 180 days ago | `COLD` | `COOLING` |
    /// | earlier | `COLD` | `COLD` |
    ///
    /// A contact who by this table is `COLD`, or who has never spoken, is `COOLING` for 30 days after the team reached
    /// out: the answer may be under way. Not so after five attempts at somebody who has never spoken. An instant that
    /// lies after `now` counts as `now`.
    #[must_use]
    pub fn engagement(&self, now: Millis) -> Option<Engagement> {
        let within = |instant: Option<Millis>, limit: i64| instant.is_some_and(|at| now.since(at) <= limit);
        if self.spoke_at.is_none() && self.reached_at.is_none() {
            return None;
        }
        let time = if self.spoken >= REGULAR { 2 } else { 1 };
        let ignored = self.spoke_at.is_none() && self.reached >= PATIENCE;
        Some(if within(self.spoke_at, time * IN_TOUCH) {
            Engagement::Engaged
        } else if within(self.spoke_at, time * LOSING_TOUCH)
            || (within(self.reached_at, IN_TOUCH) && !ignored)
        {
            Engagement::Cooling
        } else {
            Engagement::Cold
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn ago(days: i64) -> Option<Millis> {
        Some(NOW.plus(-days * Millis::DAY))
    }

    fn spoke(days: i64, spoken: i64) -> History {
        History {
            spoke_at: ago(days),
            spoken,
            ..History::default()
        }
    }

    #[test]
    fn the_table_holds_to_the_millisecond() {
        use Engagement::{Cold, Cooling, Engaged};
        for (days, few, many) in [
            (30, Engaged, Engaged),
            (60, Cooling, Engaged),
            (90, Cooling, Cooling),
            (180, Cold, Cooling),
        ] {
            for (spoken, wanted) in [(1, few), (4, few), (5, many), (900, many)] {
                let history = spoke(days, spoken);
                assert_eq!(
                    history.engagement(NOW),
                    Some(wanted),
                    "{days} days, {spoken} times"
                );
                if (spoken < 5 && days <= 90 && days != 60) || (spoken >= 5 && days != 30 && days != 90) {
                    let later = history.engagement(NOW.plus(1));
                    assert!(
                        later > Some(wanted),
                        "a millisecond after {days} days, {spoken} times: {later:?}"
                    );
                }
            }
        }
        assert_eq!(
            spoke(-1, 1).engagement(NOW),
            Some(Engaged),
            "a clock that is ahead"
        );
    }

    #[test]
    fn reaching_out_keeps_from_cold_for_a_while() {
        use Engagement::{Cold, Cooling, Engaged};
        let reached = |days: i64, reached: i64, of: History| History {
            reached_at: ago(days),
            reached,
            ..of
        };
        let never = History::default();
        assert_eq!(never.engagement(NOW), None);
        assert_eq!(reached(1, 1, never).engagement(NOW), Some(Cooling));
        assert_eq!(reached(30, 4, never).engagement(NOW), Some(Cooling));
        assert_eq!(reached(31, 1, never).engagement(NOW), Some(Cold));
        assert_eq!(
            reached(1, 5, never).engagement(NOW),
            Some(Cold),
            "five attempts in vain"
        );
        assert_eq!(
            reached(1, 5, spoke(400, 1)).engagement(NOW),
            Some(Cooling),
            "once spoke"
        );
        assert_eq!(reached(1, 50, spoke(3, 1)).engagement(NOW), Some(Engaged));
    }

    proptest! {
        #[test]
        fn silence_never_brings_closer(
            spoke_at in prop::option::of(0..400i64),
            reached_at in prop::option::of(0..400i64),
            spoken in 0..9i64,
            reached in 0..9i64,
            wait in 0..400i64,
        ) {
            let at = |days: Option<i64>| days.and_then(ago);
            let history = History { spoke_at: at(spoke_at), spoken, reached_at: at(reached_at), reached };
            let later = NOW.plus(wait * Millis::DAY);
            prop_assert!(history.engagement(NOW) <= history.engagement(later));
            let speaks = History { spoke_at: Some(NOW), spoken: spoken + 1, ..history };
            prop_assert_eq!(speaks.engagement(NOW), Some(Engagement::Engaged));
        }
    }
}
