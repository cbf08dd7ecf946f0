//! What the demo team says and writes, and whom it talks to.
//!
//! Every function is pure: the words follow from the arguments and from the random numbers drawn from `rng`,
//! so the same seed gives the same corpus. The texts are written for this crate; persons, companies, products
//! and domains are invented, and every e-mail address and web domain lies under `.example`.
//!
//! A conversation is a `script::Scenario` (what happens) that is performed with one set of `facts::Facts`
//! (who, how much, which invoice, which day). Transcript, summary, short summary and tags come from the same
//! facts and the same ending, so they never contradict each other. Phrases stay on one line each, whatever
//! their length.

mod calls_en;
mod calls_fr;
mod companies;
mod facts;
mod people;
mod script;
mod tags;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod texts_en;
mod texts_fr;
mod voicemails_en;
mod voicemails_fr;

use rand::Rng;
use rand::seq::IndexedRandom;

pub use companies::{Company, DEAL_STAGES, DealStage, company, deal_name, deal_value};
pub use people::{Person, TEAM, TEAM_COMPANY, TEAM_DOMAIN, TeamMember, person};
pub use tags::{TAGS, Topic};
pub use texts::{TextLine, single_text, text_thread};

use facts::Facts;
use script::{Ending, Scenario, Timeline};

/// The language a conversation is held in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// American English; amounts in dollars.
    English,
    /// French as spoken in France; amounts in euros.
    French,
}

impl Language {
    /// The ISO 639-1 code, `en` or `fr`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The ISO 4217 code of the currency in which amounts are spoken.
    pub fn currency(self) -> &'static str {
        match self {
            Self::English => "USD",
            Self::French => "EUR",
        }
    }
}

/// Who says a line or writes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// A user of the team: our side.
    User,
    /// The contact outside.
    External,
}

/// The name of the person at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactNames {
    /// Given name.
    pub first: String,
    /// Family name.
    pub last: String,
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who speaks.
    pub speaker: Speaker,
    /// When the line begins, in milliseconds after the call was answered.
    pub offset_ms: u32,
    /// What is said.
    pub text: String,
}

/// A call or a voicemail as it was spoken, with what is written about it afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallText {
    /// The transcript in order of time.
    pub lines: Vec<Line>,
    /// From the answer to the end of the call, in milliseconds; a little after the last word.
    pub duration_ms: u32,
    /// The summary in Markdown: bullets or short paragraphs.
    pub summary: String,
    /// The summary in one sentence.
    pub short_summary: String,
    /// Tag keys that fit the call; each is in [`TAGS`].
    pub tags: &'static [&'static str],
    /// What the call is about.
    pub topic: Topic,
}

/// Writes an answered call between the team's `agent_first_name` and `contact`.
///
/// `direction_is_inbound` decides who called whom; some topics exist in one direction only. The two sides
/// take turns strictly, and a call has between 8 and 40 lines.
pub fn call<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    direction_is_inbound: bool,
    agent_first_name: &str,
    contact: &ContactNames,
    company: Option<&str>,
) -> CallText {
    let facts = Facts::draw(rng, language, agent_first_name, contact, company);
    let phrases = match language {
        Language::English => &calls_en::PHRASEBOOK,
        Language::French => &calls_fr::PHRASEBOOK,
    };
    let scenario = pick_scenario(rng, phrases.scenarios, direction_is_inbound);
    let ending = scenario
        .endings
        .choose(rng)
        .expect("every scenario has an ending, as a test asserts");

    let mut timeline = Timeline::new(rng, &facts);
    if direction_is_inbound {
        timeline.perform(rng, phrases.answer);
        timeline.perform(rng, scenario.inbound);
    } else {
        timeline.perform(rng, phrases.dial);
        timeline.perform(rng, scenario.outbound);
    }
    timeline.perform(rng, scenario.body);
    timeline.perform(rng, ending.steps);
    if scenario.topic.is_with_customer() {
        // Most calls have no side question, some one, few two.
        let asides = [0, 0, 0, 1, 1, 2].choose(rng).copied().unwrap_or_default();
        for aside in phrases.asides.sample(rng, asides) {
            timeline.perform(rng, aside);
        }
    }
    if scenario.topic != Topic::Prospecting {
        timeline.perform(rng, phrases.wrap_up);
    }
    timeline.perform(rng, phrases.farewell);
    finish(rng, language, &facts, timeline, ending, scenario.topic)
}

/// Writes a voicemail that `contact` leaves for the team: 8 to 40 seconds, spoken by the contact alone.
pub fn voicemail<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    contact: &ContactNames,
    company: Option<&str>,
) -> CallText {
    let members = people::first_names(language);
    let agent = members.choose(rng).copied().unwrap_or_default();
    let facts = Facts::draw(rng, language, agent, contact, company);
    let messages = match language {
        Language::English => voicemails_en::MESSAGES,
        Language::French => voicemails_fr::MESSAGES,
    };
    let message = messages
        .choose(rng)
        .expect("there are voicemails in every language");

    let mut timeline = Timeline::new(rng, &facts);
    timeline.perform(rng, message.ending.steps);
    finish(rng, language, &facts, timeline, &message.ending, message.topic)
}

fn pick_scenario<R: Rng + ?Sized>(
    rng: &mut R,
    scenarios: &'static [&'static Scenario],
    direction_is_inbound: bool,
) -> &'static Scenario {
    scenarios
        .choose_weighted(rng, |scenario| {
            let lead = if direction_is_inbound {
                scenario.inbound
            } else {
                scenario.outbound
            };
            if lead.is_empty() { 0 } else { scenario.weight }
        })
        .expect("both directions have scenarios, as a test asserts")
}

fn finish<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    facts: &Facts,
    timeline: Timeline<'_>,
    ending: &Ending,
    topic: Topic,
) -> CallText {
    let summary = script::summary(rng, language, facts, ending);
    let short_summary = template::render(rng, facts, ending.short_summary);
    let (lines, duration_ms) = timeline.finish(rng);
    CallText {
        lines,
        duration_ms,
        summary,
        short_summary,
        tags: ending.tags,
        topic,
    }
}
