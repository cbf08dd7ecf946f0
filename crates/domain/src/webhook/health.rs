//! How an endpoint is doing, in a word.

use super::Breaker;
use crate::model::named;

named! {
    /// How an endpoint is doing.
    Health {
        /// Nothing has failed since the last success.
        Healthy = "HEALTHY",
        /// Something has.
        Failing = "FAILING",
        /// It is sent nothing: its owner wants it so, or it was given up.
        Disabled = "DISABLED",
    }
}

impl Health {
    /// The health of an endpoint that is enabled or not, with its breaker.
    #[must_use]
    pub const fn of(enabled: bool, breaker: &Breaker) -> Self {
        match breaker {
            _ if !enabled => Self::Disabled,
            Breaker::Closed => Self::Healthy,
            _ => Self::Failing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Millis;

    #[test]
    fn one_failure_is_enough_to_be_failing_and_one_success_to_be_healthy() {
        let well = Breaker::default();
        let (failing, _) = well.on_failure(Millis(1_773_153_000_000));
        assert_eq!(Health::of(true, &well), Health::Healthy);
        assert_eq!(Health::of(true, &failing), Health::Failing);
        assert_eq!(Health::of(true, &failing.on_success()), Health::Healthy);
        assert_eq!(Health::of(false, &well), Health::Disabled);
        assert_eq!(Health::of(false, &failing), Health::Disabled);
    }
}
