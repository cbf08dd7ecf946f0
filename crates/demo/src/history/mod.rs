//! What happened between the demo team and the people outside: planned first, then written.
//!
//! People do not call at random: a missed call is returned, a call is followed by a text, a text is answered. So the
//! plan is made of episodes, each with one person, that begin in office hours and go on for minutes or hours.

mod calls;
mod write;

use std::collections::{HashMap, HashSet};

use rand::RngExt;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::StdRng;
use trunkline_domain::{ConversationAction, Direction, Millis, PhoneNumber, UserId};

use crate::corpus::{self, ContactNames, Language, Speaker};
use crate::hours::{OfficeHours, zone_of};
use crate::world::{World, WorldUser, language_of};

pub(crate) use calls::speaker;
use calls::{Outcome, PlannedCall};
pub(crate) use write::write;

/// Somebody outside.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) names: ContactNames,
    pub(crate) company: Option<String>,
    pub(crate) language: Language,
    /// The first takes texts.
    pub(crate) numbers: Vec<PhoneNumber>,
    pub(crate) relation: Relation,
}

/// How the team knows somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// As a contact.
    Contact,
    /// Not at all.
    Unknown,
    /// As a nuisance.
    Blocked,
}

/// What is to be planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Millis,
    pub(crate) to: Millis,
    /// Calls and texts.
    pub(crate) items: usize,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Millis,
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A call.
    Call(Box<PlannedCall>),
    /// A text that came in.
    Received(Text),
    /// A text that went out: by whom, and whether it arrived.
    Sent(Text, UserId, bool),
    /// A keyword that came in, by which somebody wants no more texts; it is answered.
    OptedOut(Text),
    /// A user marked a conversation.
    Marked(Pair, WorldUser, ConversationAction),
}

/// A line and an outside number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    pub(crate) line: PhoneNumber,
    pub(crate) number: PhoneNumber,
}

/// A text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) pair: Pair,
    pub(crate) content: String,
}

impl Entry {
    /// How many calls and texts come of it.
    pub(crate) const fn items(&self) -> usize {
        match self.what {
            What::Call(_) | What::Received(_) | What::Sent(..) => 1,
            // With the answer.
            What::OptedOut(_) => 2,
            What::Marked(..) => 0,
        }
    }
}

/// Plans exactly `span.items` calls and texts, oldest first, and what people did with the conversations.
pub(crate) fn plan(rng: &mut StdRng, world: &World, parties: &[Party], span: Span) -> Vec<Entry> {
    let opted_out = if span.items < FEW { 0 } else { OPTED_OUT };
    let span = Span {
        items: span.items - 2 * opted_out,
        ..span
    };
    let mut planner = Planner::new(rng, world, parties, span);
    let open = (span.items / 200).max(span.items.min(4));
    planner.limit = span.items - open;
    while planner.items < planner.limit {
        planner.episode();
    }
    planner.limit = span.items;
    while planner.items < planner.limit {
        planner.open_end();
    }
    planner.opt_outs(opted_out);
    let mut entries = planner.entries;
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// How many people want no more texts from a line.
const OPTED_OUT: usize = 3;

/// A history with fewer items is too short for that.
const FEW: usize = 400;

/// How long after the last that happened between the two they say so.
const OPTS_OUT_AFTER: i64 = Millis::HOUR;

/// How many of a hundred items are calls.
const CALL_SHARE: usize = 55;

/// How long ago what nobody has answered yet may have come in.
const OPEN_SINCE: i64 = 3 * Millis::DAY;

struct Planner<'p> {
    rng: &'p mut StdRng,
    world: &'p World,
    parties: &'p [Party],
    span: Span,
    popularity: Option<WeightedIndex<f64>>,
    hours: [OfficeHours; 2],
    recent: [OfficeHours; 2],
    limit: usize,
    items: usize,
    calls: usize,
    entries: Vec<Entry>,
    /// When something happened last in a conversation.
    last: HashMap<Pair, Millis>,
}

impl Planner<'_> {
    /// Lets so many people who are no contacts opt out, each after everything else that happened between the two.
    fn opt_outs(&mut self, count: usize) {
        let strangers = self
            .parties
            .iter()
            .filter(|party| party.relation == Relation::Unknown);
        let numbers: HashSet<PhoneNumber> = strangers
            .flat_map(|party| party.numbers.iter().copied())
            .collect();
        let ends = self.span.to.plus(-OPEN_SINCE);
        let mut quiet: Vec<(Millis, Pair)> = self
            .last
            .iter()
            .filter(|(pair, at)| numbers.contains(&pair.number) && **at < ends)
            .map(|(pair, at)| (*at, *pair))
            .collect();
        // Where texts of applications go out at all, so that the first thing that stands against one is their word.
        let first = self.world.lines.first().map(|line| line.number);
        quiet.sort_by_key(|(at, pair)| (Some(pair.line) == first, *at, pair.number, pair.line));
        for (at, pair) in quiet.into_iter().rev().take(count) {
            let content = match language_of(pair.number) {
                Language::English => "STOP",
                Language::French => "ARRET",
            };
            let text = Text {
                pair,
                content: content.to_owned(),
            };
            self.entries.push(Entry {
                at: at.plus(OPTS_OUT_AFTER),
                what: What::OptedOut(text),
            });
        }
    }
}

/// An episode's people.
#[derive(Clone, Copy)]
struct With<'p> {
    party: &'p Party,
    agent: &'p WorldUser,
    line: PhoneNumber,
    /// The number the party calls from and is called at.
    number: PhoneNumber,
}

impl With<'_> {
    const fn pair(&self) -> Pair {
        Pair {
            line: self.line,
            number: self.number,
        }
    }
}

impl<'p> Planner<'p> {
    fn new(rng: &'p mut StdRng, world: &'p World, parties: &'p [Party], span: Span) -> Self {
        let weights = parties
            .iter()
            .enumerate()
            .map(|(place, party)| match party.relation {
                // Some contacts are on the phone every other day, most once in a while.
                Relation::Contact => {
                    1.0 / (f64::from(u32::try_from(place).unwrap_or(u32::MAX)) + 4.0).powf(0.65)
                }
                Relation::Unknown => 0.022,
                Relation::Blocked => 0.03,
            });
        let popularity = WeightedIndex::new(weights).ok();
        let languages = [Language::English, Language::French];
        let since = span.from.max(span.to.plus(-OPEN_SINCE));
        Self {
            rng,
            world,
            parties,
            span,
            popularity,
            hours: languages.map(|language| OfficeHours::new(zone_of(language), span.from, span.to)),
            recent: languages.map(|language| OfficeHours::new(zone_of(language), since, span.to)),
            limit: 0,
            items: 0,
            calls: 0,
            entries: Vec::with_capacity(span.items * 5 / 4),
            last: HashMap::new(),
        }
    }

    const fn hours(&self, language: Language) -> &OfficeHours {
        &self.hours[language as usize]
    }

    /// Somebody outside, and who of the team usually deals with them.
    fn with(&mut self) -> With<'p> {
        let place = self
            .popularity
            .as_ref()
            .map_or(0, |popularity| popularity.sample(self.rng));
        let party = &self.parties[place];
        let lines: Vec<PhoneNumber> = self
            .world
            .lines
            .iter()
            .filter(|line| line.language == party.language)
            .map(|line| line.number)
            .collect();
        let agents: Vec<&WorldUser> = self
            .world
            .users
            .iter()
            .filter(|user| user.language == party.language)
            .collect();
        // The same line and the same agent most of the time.
        let usual = |rng: &mut StdRng, most: f64, of: usize| {
            if rng.random_bool(most) {
                place % of
            } else {
                rng.random_range(0..of)
            }
        };
        let line = lines[usual(self.rng, 0.75, lines.len())];
        let agent = agents[usual(self.rng, 0.6, agents.len())];
        let second = party.numbers.len() > 1 && self.rng.random_bool(0.3);
        With {
            party,
            agent,
            line,
            number: party.numbers[usize::from(second)],
        }
    }

    fn episode(&mut self) {
        let with = self.with();
        let at = self.hours[with.party.language as usize].sample(self.rng);
        if with.party.relation == Relation::Blocked {
            self.call(with, at, Direction::Inbound, Outcome::Blocked);
            return;
        }
        // A text exchange has more items than a call: this keeps the share where it belongs.
        let short_of_calls = self.calls * 100 < self.items * CALL_SHARE;
        if self.rng.random_bool(if short_of_calls { 0.9 } else { 0.6 }) {
            if with.party.relation == Relation::Unknown || self.rng.random_bool(0.58) {
                self.inbound(with, at);
            } else {
                // Nobody of the team calls out at night.
                let at = self.in_hours(with, at, 0..1);
                self.outbound(with, at, 0);
            }
        } else {
            self.texts(with, at);
        }
    }

    /// The party calls; if nobody gets it, it is called back, mostly.
    fn inbound(&mut self, with: With<'p>, at: Millis) {
        let open = self.hours(with.party.language).is_open(at);
        let known = with.party.relation == Relation::Contact;
        let outcome = Outcome::inbound(self.rng, open, known);
        let Some(end) = self.call(with, at, Direction::Inbound, outcome) else {
            return;
        };
        match outcome {
            Outcome::Missed | Outcome::HungUp | Outcome::Voicemail => {
                let share = if outcome == Outcome::HungUp { 0.55 } else { 0.82 };
                if self.rng.random_bool(share) {
                    let back = self.in_hours(with, end, 2..110);
                    self.outbound(with, back, 1);
                } else {
                    self.read(with, end);
                }
            }
            Outcome::Assistant if self.rng.random_bool(0.4) => {
                let back = self.in_hours(with, end, 10..240);
                self.outbound(with, back, 1);
            }
            Outcome::Answered if self.rng.random_bool(0.12) => self.note(with, end),
            _ => {}
        }
    }

    /// The team calls; whoever is not reached may call back, or is tried again. `tries` counts what led here.
    fn outbound(&mut self, with: With<'p>, at: Millis, tries: u32) {
        let outcome = Outcome::outbound(self.rng);
        let Some(end) = self.call(with, at, Direction::Outbound, outcome) else {
            return;
        };
        match outcome {
            Outcome::Answered if self.rng.random_bool(0.14) => self.note(with, end),
            Outcome::Missed | Outcome::Busy | Outcome::Voicemail | Outcome::Failed if tries < 3 => {
                match self.rng.random_range(0..10) {
                    0..=2 => {
                        let back = end.plus(self.rng.random_range(2..150) * Millis::MINUTE);
                        self.inbound(with, back);
                    }
                    3..=5 => {
                        let again = self.in_hours(with, end, 30..1_500);
                        self.outbound(with, again, tries + 1);
                    }
                    6 => self.note(with, end),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// An exchange of texts.
    fn texts(&mut self, with: With<'p>, at: Millis) {
        let with = With {
            number: with.party.numbers[0],
            ..with
        };
        let Party {
            names,
            company,
            language,
            ..
        } = with.party;
        let (agent, company) = (with.agent.first_name(), company.as_deref());
        let (mut at, mut unread) = (at, false);
        if self.rng.random_bool(0.2) {
            let ours = self.rng.random_bool(0.5);
            let speaker = if ours { Speaker::User } else { Speaker::External };
            let content = corpus::single_text(self.rng, *language, speaker, agent, names, company);
            unread = self.text(with, at, content, ours) && !ours;
        } else {
            for line in corpus::text_thread(self.rng, *language, agent, names, company) {
                at = at.plus(i64::from(line.gap_seconds) * Millis::SECOND + self.rng.random_range(0..1_000));
                let ours = line.speaker == Speaker::User;
                unread = self.text(with, at, line.text, ours) && !ours;
            }
        }
        if unread {
            self.read(with, at);
        }
    }

    /// The team sends a text after a call.
    fn note(&mut self, with: With<'p>, after: Millis) {
        let with = With {
            number: with.party.numbers[0],
            ..with
        };
        let Party {
            names,
            company,
            language,
            ..
        } = with.party;
        let agent = with.agent.first_name();
        let content = corpus::single_text(
            self.rng,
            *language,
            Speaker::User,
            agent,
            names,
            company.as_deref(),
        );
        let at = after.plus(self.rng.random_range(1..15) * Millis::MINUTE);
        self.text(with, at, content, true);
    }

    /// Something that came in lately and that nobody has seen yet.
    fn open_end(&mut self) {
        // Of several moments and people the first where nothing happened afterwards.
        for attempt in 0..40 {
            let with = self.with();
            let at = self.recent[with.party.language as usize].sample(self.rng);
            let with = With {
                number: with.party.numbers[0],
                ..with
            };
            let quiet = self.last.get(&with.pair()).is_none_or(|last| *last < at);
            if with.party.relation == Relation::Blocked || (!quiet && attempt < 39) {
                continue;
            }
            match self.rng.random_range(0..4) {
                0 => drop(self.call(with, at, Direction::Inbound, Outcome::Missed)),
                1 => drop(self.call(with, at, Direction::Inbound, Outcome::Voicemail)),
                _ => {
                    let Party {
                        names,
                        company,
                        language,
                        ..
                    } = with.party;
                    let (agent, company) = (with.agent.first_name(), company.as_deref());
                    let content =
                        corpus::single_text(self.rng, *language, Speaker::External, agent, names, company);
                    self.text(with, at, content, false);
                }
            }
            return;
        }
    }

    /// Somebody reads what came in at `at`, and may put the conversation away; sometimes nobody does.
    fn read(&mut self, with: With<'p>, at: Millis) {
        if self.rng.random_bool(0.06) {
            return;
        }
        let read_at = self.in_hours(with, at, 1..90);
        let archive = self.rng.random_bool(0.12);
        let action = if archive {
            ConversationAction::Archive
        } else {
            ConversationAction::Read
        };
        if read_at < self.span.to {
            self.happened(with.pair(), read_at);
            let what = What::Marked(with.pair(), with.agent.clone(), action);
            self.entries.push(Entry { at: read_at, what });
        }
    }

    /// Plans a call and returns when it ends; `None` if it does not fit any more.
    fn call(&mut self, with: With<'p>, at: Millis, direction: Direction, outcome: Outcome) -> Option<Millis> {
        if self.items >= self.limit || at >= self.span.to {
            return None;
        }
        let call = calls::plan(self.rng, self.world, with, at, direction, outcome);
        if call.completed_at() >= self.span.to {
            return None;
        }
        let end = call.ended_at;
        self.items += 1;
        self.calls += 1;
        self.happened(with.pair(), at);
        self.entries.push(Entry {
            at,
            what: What::Call(Box::new(call)),
        });
        Some(end)
    }

    /// Plans a text; `false` if it does not fit any more.
    fn text(&mut self, with: With<'p>, at: Millis, content: String, ours: bool) -> bool {
        if self.items >= self.limit || at.plus(write::DELIVERED_AFTER) >= self.span.to {
            return false;
        }
        let text = Text {
            pair: with.pair(),
            content,
        };
        let arrives = !ours || self.rng.random_bool(0.985);
        let what = if ours {
            What::Sent(text, with.agent.id, arrives)
        } else {
            What::Received(text)
        };
        self.items += 1;
        self.happened(with.pair(), at);
        self.entries.push(Entry { at, what });
        true
    }

    fn happened(&mut self, pair: Pair, at: Millis) {
        let last = self.last.entry(pair).or_insert(at);
        *last = (*last).max(at);
    }

    /// Some minutes after `at`, when the office is open.
    fn in_hours(&mut self, with: With<'p>, at: Millis, minutes: std::ops::Range<i64>) -> Millis {
        let later = at
            .plus(self.rng.random_range(minutes) * Millis::MINUTE + self.rng.random_range(0..Millis::MINUTE));
        let opens = self.hours(with.party.language).open_from(later);
        if opens == later {
            later
        } else {
            opens.plus(self.rng.random_range(Millis::MINUTE..100 * Millis::MINUTE))
        }
    }
}
