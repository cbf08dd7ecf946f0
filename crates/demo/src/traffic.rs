//! Live traffic: while it runs, people call and text the demo team, and the team calls and answers.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;
use trunkline_domain::{Direction, Millis, PhoneNumber};
use trunkline_messaging::play::{Outcome, Player, Script, Speech};
use trunkline_messaging::sandbox;
use trunkline_store::conversations::{self, ConversationFilter, Position};
use trunkline_switchboard::messages::{self, Receive, Send};
use trunkline_switchboard::{Error, Switchboard};

use crate::corpus::{self, CallText, ContactNames, Language, Speaker, TextLine};
use crate::history::speaker;
use crate::numbers::takes_texts;
use crate::world::{World, WorldContact, WorldUser, language_of};

/// The most calls at a time.
const MAX_CALLS: usize = 4;

/// The most exchanges of texts at a time.
const MAX_THREADS: usize = 5;

/// Traffic faster than one call or text in so long has shorter calls in proportion.
const USUAL_PACE: Duration = Duration::from_secs(4);

/// How many unread conversations are looked at when somebody answers one.
const UNREAD: i64 = 25;

/// Lets something happen about every `every`, until `stop` is cancelled: a text comes in or goes out, an unread one is
/// answered, a call is played by `player`. What fails is logged, and the next thing happens all the same. Recordings
/// are at `{public_url}/sandbox/recordings/{call id}.wav`.
pub async fn traffic(
    board: Switchboard,
    player: Player,
    world: World,
    stop: CancellationToken,
    every: Duration,
    public_url: String,
) {
    let mut seed = [0; 32];
    board.ids().fill(&mut seed);
    let mut street = Street {
        rng: StdRng::from_seed(seed),
        pace: every.as_secs_f64().min(USUAL_PACE.as_secs_f64()) / USUAL_PACE.as_secs_f64(),
        recordings: format!(
            "{}/sandbox/recordings/{{id}}.wav",
            public_url.trim_end_matches('/')
        ),
        board,
        player,
        world,
        threads: VecDeque::new(),
        calls: Vec::new(),
    };
    loop {
        let pause = every.mul_f64(street.rng.random_range(0.4..1.6));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = street.step().await {
            tracing::warn!(team.key = street.world.team.0, error = %error, "a piece of demo traffic was refused");
        }
    }
}

/// What goes on.
struct Street {
    board: Switchboard,
    player: Player,
    world: World,
    rng: StdRng,
    /// What lengths of calls are multiplied by.
    pace: f64,
    /// Where recordings are.
    recordings: String,
    threads: VecDeque<Thread>,
    /// When the calls that are being played will be over.
    calls: Vec<Millis>,
}

/// An exchange of texts that is not over.
struct Thread {
    with: With,
    lines: VecDeque<TextLine>,
}

/// Who deals with whom, over which number.
#[derive(Clone)]
struct With {
    contact: WorldContact,
    agent: WorldUser,
    line: PhoneNumber,
}

impl Street {
    async fn step(&mut self) -> Result<(), Error> {
        let now = self.board.now();
        self.calls.retain(|end| *end > now);
        match self.rng.random_range(0..100) {
            0..40 if self.calls.len() < MAX_CALLS => self.call(now).await,
            40..60 => self.answer().await,
            60..100 if self.threads.len() < MAX_THREADS && self.rng.random_bool(0.5) => self.open().await,
            _ => self.go_on().await,
        }
    }

    /// A contact and an agent who speak the same language; `None` in a team without people.
    fn with(&mut self) -> Option<With> {
        let contact = self.world.contacts.choose(&mut self.rng)?.clone();
        let agent = self.agent(contact.language)?;
        let fits = self
            .world
            .lines
            .iter()
            .filter(|line| line.language == contact.language);
        let line = fits.choose(&mut self.rng).or(self.world.lines.first())?.number;
        Some(With { contact, agent, line })
    }

    fn agent(&mut self, language: Language) -> Option<WorldUser> {
        let fits = self.world.users.iter().filter(|user| user.language == language);
        fits.choose(&mut self.rng).or(self.world.users.first()).cloned()
    }

    /// A new exchange begins.
    async fn open(&mut self) -> Result<(), Error> {
        let Some(with) = self.with() else { return Ok(()) };
        let WorldContact {
            names,
            company,
            language,
            ..
        } = &with.contact;
        let (agent, company) = (with.agent.first_name(), company.as_deref());
        let lines = corpus::text_thread(&mut self.rng, *language, agent, names, company);
        self.threads.push_front(Thread {
            with,
            lines: lines.into(),
        });
        self.go_on().await
    }

    /// The next text of the exchange that has waited longest, or of the one that has just begun.
    async fn go_on(&mut self) -> Result<(), Error> {
        let Some(mut thread) = self.threads.pop_front() else {
            return Ok(());
        };
        let Some(TextLine { speaker, text, .. }) = thread.lines.pop_front() else {
            return Ok(());
        };
        let with = thread.with.clone();
        if !thread.lines.is_empty() {
            self.threads.push_back(thread);
        }
        match speaker {
            Speaker::User => self.send(with.line, with.contact.number, &with.agent, text).await,
            Speaker::External => {
                let team = self.world.team;
                let receive = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
                    let (line, from, at) = (with.line, with.contact.number, work.now);
                    let (content, media, carrier) = (text.clone(), Vec::new(), sandbox::NAME);
                    messages::receive(
                        work,
                        &Receive {
                            line,
                            from,
                            content,
                            media,
                            carrier,
                            carrier_ref: None,
                            at,
                        },
                    )
                };
                self.board.run(team, receive).await.map(drop)
            }
        }
    }

    async fn send(
        &self,
        line: PhoneNumber,
        to: PhoneNumber,
        by: &WorldUser,
        content: String,
    ) -> Result<(), Error> {
        let text = Send {
            line,
            to,
            content,
            media: Vec::new(),
            user: Some(by.id),
        };
        self.board
            .run(self.world.team, move |work| messages::send(work, &text))
            .await
            .map(drop)
    }

    /// Somebody answers an unread conversation with a text.
    async fn answer(&mut self) -> Result<(), Error> {
        let Some(line) = self.world.lines.choose(&mut self.rng).copied() else {
            return Ok(());
        };
        let team = self.world.team;
        let unread = ConversationFilter {
            unread: Some(true),
            ..ConversationFilter::default()
        };
        let found = self
            .board
            .db()
            .read(move |conn| conversations::list(conn, team, line.line, unread, Position::Offset(0), UNREAD))
            .await
            .map_err(Error::Store)?;
        // Those who are in the middle of an exchange get their answer there.
        let waits = |number: PhoneNumber| {
            !self
                .threads
                .iter()
                .any(|thread| thread.with.contact.number == number)
        };
        let numbers = found
            .iter()
            .map(|row| row.contact_number)
            .filter(|number| takes_texts(*number) && waits(*number));
        let Some(number) = numbers.choose(&mut self.rng) else {
            return self.go_on().await;
        };
        let known = self
            .world
            .contacts
            .iter()
            .find(|contact| contact.number == number)
            .cloned();
        let language = known
            .as_ref()
            .map_or_else(|| language_of(number), |contact| contact.language);
        let Some(agent) = self.agent(language) else {
            return Ok(());
        };
        let (names, company) = known.map_or_else(
            || {
                let stranger = corpus::person(&mut self.rng, language);
                (
                    ContactNames {
                        first: stranger.first,
                        last: stranger.last,
                    },
                    None,
                )
            },
            |contact| (contact.names, contact.company),
        );
        let text = corpus::single_text(
            &mut self.rng,
            language,
            Speaker::User,
            agent.first_name(),
            &names,
            company.as_deref(),
        );
        self.send(line.number, number, &agent, text).await
    }

    /// A call comes in or goes out.
    async fn call(&mut self, now: Millis) -> Result<(), Error> {
        let Some(with) = self.with() else { return Ok(()) };
        let inbound = self.rng.random_bool(0.6);
        let outcomes: &[(Outcome, u32)] = if inbound {
            &[
                (Outcome::Answered, 74),
                (Outcome::Voicemail, 12),
                (Outcome::Missed, 9),
                (Outcome::HungUp, 5),
            ]
        } else {
            &[
                (Outcome::Answered, 74),
                (Outcome::Missed, 15),
                (Outcome::Voicemail, 6),
                (Outcome::Busy, 5),
            ]
        };
        let drawn = outcomes.choose_weighted(&mut self.rng, |(_, weight)| *weight);
        let outcome = drawn.map_or(Outcome::Answered, |(outcome, _)| *outcome);
        let text = match outcome {
            Outcome::Answered => Some(short_call(&mut self.rng, &with, inbound)),
            Outcome::Voicemail if inbound => {
                let WorldContact {
                    names,
                    company,
                    language,
                    ..
                } = &with.contact;
                Some(corpus::voicemail(
                    &mut self.rng,
                    *language,
                    names,
                    company.as_deref(),
                ))
            }
            _ => None,
        };
        let direction = if inbound {
            Direction::Inbound
        } else {
            Direction::Outbound
        };
        let script = self.script(&with, direction, outcome, text);
        let end = now.plus(script.ring_ms + script.talk_ms + script.processing_ms);
        self.player.play(self.world.team, script).await?;
        self.calls.push(end);
        Ok(())
    }

    /// The script of a call of ten to forty seconds at the usual pace: what is said is spoken that much faster.
    fn script(
        &mut self,
        with: &With,
        direction: Direction,
        outcome: Outcome,
        text: Option<CallText>,
    ) -> Script {
        let picked_up = matches!(outcome, Outcome::Answered | Outcome::Voicemail);
        let said_ms = text.as_ref().map_or(12_000, |text| i64::from(text.duration_ms));
        let talk_ms = if picked_up {
            self.paced((said_ms / 3).clamp(10_000, 40_000))
        } else {
            0
        };
        let ring_ms = self.rng.random_range(2_000..6_000);
        let processing_ms = self.rng.random_range(1_000..2_500);
        let text = text.as_ref();
        Script {
            direction,
            line: with.line,
            contact: with.contact.number,
            user: Some(with.agent.id),
            ring_ms: self.paced(ring_ms),
            outcome,
            talk_ms,
            speech: text.map(|text| speech(text, talk_ms)).unwrap_or_default(),
            choices: Vec::new(),
            transfer: None,
            summary: text.map(|text| text.summary.clone()),
            tags: text
                .iter()
                .flat_map(|text| text.tags)
                .map(|tag| (*tag).to_owned())
                .collect(),
            recording_url: text.map(|_| self.recordings.clone()),
            processing_ms: self.paced(processing_ms),
            speed: 1.0,
        }
    }

    fn paced(&self, ms: i64) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most a minute"
        )]
        let paced = (ms as f64 * self.pace) as i64;
        paced.max(1)
    }
}

/// The shortest of several calls, since it will be spoken fast.
fn short_call<R: Rng + ?Sized>(rng: &mut R, with: &With, inbound: bool) -> CallText {
    let WorldContact {
        names,
        company,
        language,
        ..
    } = &with.contact;
    let agent = with.agent.first_name();
    let mut call = || corpus::call(rng, *language, inbound, agent, names, company.as_deref());
    let mut shortest = call();
    for _ in 0..4 {
        let other = call();
        if other.duration_ms < shortest.duration_ms {
            shortest = other;
        }
    }
    shortest
}

/// What is said, spoken in `talk_ms`.
fn speech(text: &CallText, talk_ms: i64) -> Vec<Speech> {
    let scaled = |offset_ms: u32| i64::from(offset_ms) * talk_ms / i64::from(text.duration_ms.max(1));
    let lines = text.lines.iter().map(|line| Speech {
        source: speaker(line.speaker),
        at_ms: scaled(line.offset_ms),
        text: line.text.clone(),
    });
    lines.collect()
}
