//! Text messages: short exchanges and single messages.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::facts::Facts;
use super::script::{self, Beat, Step};
use super::{ContactNames, Language, Speaker, template, texts_en, texts_fr};

/// One message of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLine {
    /// Who wrote it.
    pub speaker: Speaker,
    /// What it says.
    pub text: String,
    /// How long after the message before it was sent, in seconds; 0 for the first.
    pub gap_seconds: u32,
}

/// What text messages of one language are made of.
pub(super) struct Messages {
    /// Exchanges of one to six messages.
    pub exchanges: &'static [&'static [Step]],
    /// Messages of ours that stand alone.
    pub ours: &'static [&'static str],
    /// Messages of contacts that stand alone.
    pub theirs: &'static [&'static str],
}

/// Writes one exchange of 1 to 6 messages between the team's `agent_first_name` and `contact`.
pub fn text_thread<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    agent_first_name: &str,
    contact: &ContactNames,
    company: Option<&str>,
) -> Vec<TextLine> {
    let facts = Facts::draw(rng, language, agent_first_name, contact, company);
    let exchange = messages(language)
        .exchanges
        .choose(rng)
        .copied()
        .unwrap_or_default();
    let mut beats = Vec::new();
    script::play(rng, &facts, exchange, &mut beats);

    let mut lines: Vec<TextLine> = Vec::with_capacity(beats.len());
    for beat in beats {
        if let Beat::Said(speaker, text) = beat {
            let gap_seconds = lines
                .last()
                .map_or(0, |before| gap(rng, before.speaker == speaker));
            lines.push(TextLine {
                speaker,
                text,
                gap_seconds,
            });
        }
    }
    lines
}

/// Writes one message by `speaker` that needs no context: a confirmation, a reminder, a short question.
pub fn single_text<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    speaker: Speaker,
    agent_first_name: &str,
    contact: &ContactNames,
    company: Option<&str>,
) -> String {
    let facts = Facts::draw(rng, language, agent_first_name, contact, company);
    let phrases = match speaker {
        Speaker::User => messages(language).ours,
        Speaker::External => messages(language).theirs,
    };
    let phrase = phrases.choose(rng).copied().unwrap_or_default();
    template::render(rng, &facts, phrase)
}

fn messages(language: Language) -> &'static Messages {
    match language {
        Language::English => &texts_en::MESSAGES,
        Language::French => &texts_fr::MESSAGES,
    }
}

/// Who writes twice in a row does so at once; answers take minutes, sometimes hours.
fn gap<R: Rng + ?Sized>(rng: &mut R, same_speaker: bool) -> u32 {
    if same_speaker {
        return rng.random_range(6..=90);
    }
    match rng.random_range(0..10) {
        0..=5 => rng.random_range(20..=240),
        6..=8 => rng.random_range(240..=1_800),
        _ => rng.random_range(1_800..=10_800),
    }
}
