//! What may be texted, and how fast: the section `texts` of the configuration.

use anyhow::{Context, Result, ensure};
use trunkline_domain::Millis;
use trunkline_domain::sms::ContentRules;
use trunkline_messaging::worker;
use trunkline_switchboard::lines::interval_us;
use trunkline_switchboard::texts::{KnownCarrier, Limits, Policy};

use crate::config::Texts;

/// What may be texted, and how much.
///
/// # Errors
/// A rule that no text could break, a limit below nothing: each named.
pub fn policy(config: &Texts, carriers: Vec<KnownCarrier>) -> Result<Policy> {
    let per_day = [
        ("texts.trial_per_day", config.trial_per_day),
        ("texts.api_per_day", config.api_per_day),
        ("texts.number_per_day", config.number_per_day),
    ];
    for (key, limit) in per_day {
        ensure!(limit >= 0, "{key} must be a whole number from 0 (no limit)");
    }
    let per_second = [
        ("texts.number_per_second", config.number_per_second),
        ("texts.carrier_per_second", config.carrier_per_second),
    ];
    for (key, rate) in per_second {
        ensure!(
            rate.is_finite() && rate >= 0.0,
            "{key} must be a number from 0 (no limit)"
        );
    }
    let none: [&String; 0] = [];
    ContentRules::new(&config.forbidden_words, none).context("texts.forbidden_words")?;
    ContentRules::new(none, &config.forbidden_links).context("texts.forbidden_links")?;
    let limit = |limit: i64| (limit > 0).then_some(limit);
    Ok(Policy {
        content: ContentRules::new(&config.forbidden_words, &config.forbidden_links)?,
        limits: Limits {
            trial: config.trial_per_day,
            api: limit(config.api_per_day),
            line: limit(config.number_per_day),
        },
        carriers,
    })
}

/// How fast texts are handed over, and for how long it is tried.
pub fn worker(config: &Texts) -> worker::Options {
    worker::Options {
        line_interval_us: interval_us(config.number_per_second),
        carrier_interval_us: interval_us(config.carrier_per_second),
        in_flight: config.in_flight,
        give_up_after_ms: i64::from(config.give_up_after_hours) * Millis::HOUR,
        ..worker::Options::default()
    }
}
