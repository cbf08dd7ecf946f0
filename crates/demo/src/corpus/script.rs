//! How a conversation is written down ([`Scenario`]) and how it becomes lines with times ([`Timeline`]).

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::facts::Facts;
use super::tags::Topic;
use super::{Language, Line, Speaker, template};

/// Everything that calls of one language are made of.
pub(super) struct Phrasebook {
    /// How an inbound call begins; ends with our side asking what it is about.
    pub answer: &'static [Step],
    /// How an outbound call begins; ends with the contact ready to listen.
    pub dial: &'static [Step],
    /// Side questions of customers before the end; each begins with our side and ends with the contact.
    pub asides: &'static [&'static [Step]],
    /// Our side asks whether that was all, and it was.
    pub wrap_up: &'static [Step],
    /// How any call ends; begins with our side.
    pub farewell: &'static [Step],
    /// What calls can be about.
    pub scenarios: &'static [&'static Scenario],
}

/// One thing a call can be about. The two sides alternate across all parts: either lead ends with the
/// contact, the body begins with our side, each ending continues the body and leaves the last word to the
/// contact.
pub(super) struct Scenario {
    /// What it is about.
    pub topic: Topic,
    /// How often it is drawn, relative to the others.
    pub weight: u32,
    /// How it comes up when the contact calls; empty if that does not happen.
    pub inbound: &'static [Step],
    /// How it comes up when we call; empty if that does not happen.
    pub outbound: &'static [Step],
    /// The part common to all endings.
    pub body: &'static [Step],
    /// The ways it can turn out.
    pub endings: &'static [Ending],
}

/// One way a conversation can turn out, with what is noted about it.
pub(super) struct Ending {
    /// Keys out of [`super::TAGS`].
    pub tags: &'static [&'static str],
    /// The last part of the talk.
    pub steps: &'static [Step],
    /// What was said, a template per sentence. It may only rely on steps that are always performed.
    pub summary: &'static [&'static str],
    /// What happens next, a template; empty if nothing does.
    pub next_step: &'static str,
    /// All of it in one sentence, a template.
    pub short_summary: &'static str,
}

/// A message left on the voicemail.
pub(super) struct Message {
    /// What it is about.
    pub topic: Topic,
    /// The message itself; only the contact speaks.
    pub ending: Ending,
}

/// A part of a conversation. Phrases are templates of which one is drawn.
pub(super) enum Step {
    /// Our side says one of these.
    Us(&'static [&'static str]),
    /// The contact says one of these.
    Them(&'static [&'static str]),
    /// Said in half of all conversations.
    Maybe(&'static [Step]),
    /// One of these is performed.
    OneOf(&'static [&'static [Step]]),
    /// Silence of some seconds while somebody looks something up.
    Hold,
}

/// What is said: the outcome of drawing among the phrases of [`Step`]s.
pub(super) enum Beat {
    /// A line.
    Said(Speaker, String),
    /// A silence.
    Silence,
}

/// Draws one course through `steps` and appends it to `beats`.
pub(super) fn play<R: Rng + ?Sized>(rng: &mut R, facts: &Facts, steps: &[Step], beats: &mut Vec<Beat>) {
    for step in steps {
        let (speaker, phrases) = match step {
            Step::Us(phrases) => (Speaker::User, phrases),
            Step::Them(phrases) => (Speaker::External, phrases),
            Step::Maybe(inner) => {
                if rng.random_bool(0.5) {
                    play(rng, facts, inner, beats);
                }
                continue;
            }
            Step::OneOf(courses) => {
                if let Some(course) = courses.choose(rng) {
                    play(rng, facts, course, beats);
                }
                continue;
            }
            Step::Hold => {
                beats.push(Beat::Silence);
                continue;
            }
        };
        if let Some(phrase) = phrases.choose(rng) {
            beats.push(Beat::Said(speaker, template::render(rng, facts, phrase)));
        }
    }
}

/// Lines laid out in time, at about two and a half words a second with pauses between them; some people leave
/// longer pauses than others.
pub(super) struct Timeline<'a> {
    facts: &'a Facts,
    lines: Vec<Line>,
    now_ms: u32,
    longest_pause_ms: u32,
}

impl<'a> Timeline<'a> {
    /// An empty timeline; the first word follows the answer by up to a second.
    pub(super) fn new<R: Rng + ?Sized>(rng: &mut R, facts: &'a Facts) -> Self {
        Self {
            facts,
            lines: Vec::new(),
            now_ms: rng.random_range(300..=1_000),
            longest_pause_ms: rng.random_range(500..=2_400),
        }
    }

    /// Lets `steps` be spoken after what is there.
    pub(super) fn perform<R: Rng + ?Sized>(&mut self, rng: &mut R, steps: &[Step]) {
        let mut beats = Vec::new();
        play(rng, self.facts, steps, &mut beats);
        for beat in beats {
            match beat {
                Beat::Silence => self.now_ms += rng.random_range(3_500..=22_000),
                Beat::Said(speaker, text) => {
                    let offset_ms = self.now_ms;
                    let speech_ms = speech_ms(&text, rng.random_range(900..=1_150));
                    self.now_ms += speech_ms + rng.random_range(200..=self.longest_pause_ms);
                    self.lines.push(Line {
                        speaker,
                        offset_ms,
                        text,
                    });
                }
            }
        }
    }

    /// The lines and the duration of the whole, in milliseconds.
    pub(super) fn finish<R: Rng + ?Sized>(self, rng: &mut R) -> (Vec<Line>, u32) {
        (self.lines, self.now_ms + rng.random_range(200..=1_500))
    }
}

/// How long it takes to say `text` at `pace` per mille of 400 ms a word.
fn speech_ms(text: &str, pace: u32) -> u32 {
    let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
    (words.saturating_mul(400).saturating_mul(pace) / 1_000).max(500)
}

/// The Markdown summary of a conversation that ended in `ending`: bullets or a paragraph, then the next step.
pub(super) fn summary<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    facts: &Facts,
    ending: &Ending,
) -> String {
    let sentences: Vec<String> = ending
        .summary
        .iter()
        .map(|sentence| template::render(rng, facts, sentence))
        .collect();
    let mut summary = if rng.random_bool(0.6) {
        let bullets: Vec<String> = sentences.iter().map(|sentence| format!("- {sentence}")).collect();
        bullets.join("\n")
    } else {
        sentences.join(" ")
    };
    if !ending.next_step.is_empty() {
        let label = match language {
            Language::English => "**Next step:**",
            Language::French => "**Prochaine étape :**",
        };
        let next_step = template::render(rng, facts, ending.next_step);
        summary.push_str(&format!("\n\n{label} {next_step}"));
    }
    summary
}
