//! Conversations under concurrent writes. Many clients on two nodes do random things to few conversations at once; then
//! what they did is played again, in the order in which it was committed, on the plainest model of the rules there is.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use trunkline_domain::call::EndCause;
use trunkline_domain::{CallId, ConversationAction, Direction, ItemId, Millis, PhoneNumber};
use trunkline_store::conversations::{self as rows, ConversationFilter, ConversationRow, Position};
use trunkline_store::{Conn, StoreError, TeamKey, events, items, numbers, search, teams};
use trunkline_switchboard::calls::{self, Ring, Step};
use trunkline_switchboard::messages::{self, Receive, Send};
use trunkline_switchboard::{Error, Switchboard, Work, conversations};
use trunkline_testkit::db::{Office, Seed, TestDb, fr, marie, nobody, sarah, us};

const CLIENTS: u64 = 24;
const DEEDS: usize = 25;

/// What a command did, as far as conversations care.
#[derive(Clone, Debug)]
enum Deed {
    /// An item came to be.
    Item {
        line: i64,
        with: PhoneNumber,
        seq: i64,
        at: Millis,
        inbound: bool,
        effect: Effect,
    },
    /// Somebody answered a call.
    Answered {
        line: i64,
        with: PhoneNumber,
        seq: i64,
        at: Millis,
    },
    /// A client acted, on one line or on all.
    Acted {
        line: Option<i64>,
        with: PhoneNumber,
        action: ConversationAction,
    },
}

/// What an item does to its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    AsksForAttention,
    Settles,
    None,
}

/// Where in the order of commits: events and items that the team had before. Whatever changes anything adds to one.
type Place = i64;

fn place(work: &mut Work<'_, '_>) -> Result<Place, Error> {
    let counters = teams::lock(work.tx, work.team)?.unwrap().counters;
    Ok(counters.event + counters.item)
}

fn stored(work: &mut Work<'_, '_>, id: ItemId, effect: Effect) -> Result<Deed, Error> {
    let item = items::get(work.tx, work.team, id)?.unwrap();
    Ok(Deed::Item {
        line: item.line,
        with: item.contact_number,
        seq: item.seq,
        at: item.at,
        inbound: item.direction == Direction::Inbound,
        effect,
    })
}

struct Client {
    random: StdRng,
    board: Switchboard,
    team: TeamKey,
    ringing: Vec<CallId>,
    done: Vec<(Place, Deed)>,
}

impl Client {
    async fn run<F>(&mut self, command: F)
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<Option<(Place, Deed)>, Error> + std::marker::Send + 'static,
    {
        match self.board.run(self.team, command).await {
            Ok(done) => self.done.extend(done),
            // Somebody else was faster, or there is nothing to act on: then nothing has happened.
            Err(Error::Refused(_)) => {}
            Err(Error::Store(error)) => panic!("the store failed: {error}"),
        }
    }

    async fn do_something(&mut self) {
        let line = *[us(), fr()].choose(&mut self.random).unwrap();
        let with = *[sarah(), marie(), nobody()].choose(&mut self.random).unwrap();
        let at = self.board.now().plus(self.random.random_range(-2_000..2_000));
        match self.random.random_range(0..10) {
            0..=2 => self.receive(line, with, at).await,
            3 => self.send(line, with).await,
            4..=5 => self.ring(line, with, at).await,
            6..=7 => self.answer().await,
            _ => self.act(line, with).await,
        }
    }

    async fn receive(&mut self, line: PhoneNumber, from: PhoneNumber, at: Millis) {
        let content = "Hello?".to_owned();
        let text = Receive {
            line,
            from,
            content,
            media: Vec::new(),
            carrier: "sandbox",
            carrier_ref: None,
            at,
        };
        self.run(move |work| {
            let place = place(work)?;
            let id = messages::receive(work, &text)?;
            Ok(Some((
                place,
                stored(work, ItemId::Message(id), Effect::AsksForAttention)?,
            )))
        })
        .await;
    }

    async fn send(&mut self, line: PhoneNumber, to: PhoneNumber) {
        let text = Send {
            line,
            to,
            content: "Yes.".to_owned(),
            media: Vec::new(),
            user: None,
        };
        self.run(move |work| {
            let place = place(work)?;
            let id = messages::send(work, &text)?;
            Ok(Some((place, stored(work, ItemId::Message(id), Effect::Settles)?)))
        })
        .await;
    }

    async fn ring(&mut self, line: PhoneNumber, contact: PhoneNumber, at: Millis) {
        let direction = *Direction::ALL.choose(&mut self.random).unwrap();
        let blocked = direction == Direction::Inbound && self.random.random_bool(0.2);
        let effect = match (direction, blocked) {
            (Direction::Outbound, _) => Effect::Settles,
            (Direction::Inbound, true) => Effect::None,
            (Direction::Inbound, false) => Effect::AsksForAttention,
        };
        let ring = Ring {
            direction,
            line,
            contact,
            user: None,
            blocked,
            at,
        };
        let call = std::sync::Arc::new(std::sync::Mutex::new(None));
        let made = call.clone();
        self.run(move |work| {
            let place = place(work)?;
            let id = calls::ring(work, &ring)?;
            *made.lock().unwrap() = Some(id);
            Ok(Some((place, stored(work, ItemId::Call(id), effect)?)))
        })
        .await;
        self.ringing.extend(call.lock().unwrap().take());
    }

    /// Answers a call that rings, or hangs it up.
    async fn answer(&mut self) {
        if self.ringing.is_empty() {
            return;
        }
        let call = self
            .ringing
            .swap_remove(self.random.random_range(0..self.ringing.len()));
        let (answers, now) = (self.random.random_bool(0.7), self.board.now());
        self.run(move |work| {
            let place = place(work)?;
            let item = items::get(work.tx, work.team, ItemId::Call(call))?.unwrap();
            let step = if answers {
                Step::Answer(None, now)
            } else {
                Step::End(EndCause::HungUp, None, now)
            };
            calls::step(work, call, &step)?;
            // Nobody answers before it rings.
            let at = now.max(item.at);
            let answered = Deed::Answered {
                line: item.line,
                with: item.contact_number,
                seq: item.seq,
                at,
            };
            Ok((answers && item.direction == Direction::Inbound).then_some((place, answered)))
        })
        .await;
    }

    async fn act(&mut self, line: PhoneNumber, with: PhoneNumber) {
        let action = *ConversationAction::ALL.choose(&mut self.random).unwrap();
        let line = self.random.random_bool(0.5).then_some(line);
        self.run(move |work| {
            let before = teams::lock(work.tx, work.team)?.unwrap().counters.event;
            let place = place(work)?;
            conversations::act(work, with, line, action, &trunkline_switchboard::Actor::System)?;
            // What was so already has no place in the order, and does not need one.
            let changed = !events::after(work.tx, work.team, before, 1)?.is_empty();
            let line = match line {
                Some(line) => numbers::line_of(work.tx, work.team, line)?,
                None => None,
            };
            Ok(changed.then_some((place, Deed::Acted { line, with, action })))
        })
        .await;
    }
}

/// A conversation as the rules of the issue put it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    items: i64,
    /// When what came in was, by number.
    came_in: BTreeMap<i64, Millis>,
    last: (Millis, i64),
    unread: bool,
    archived: bool,
    unresponded: bool,
}

fn play(deeds: &[(Place, Deed)]) -> BTreeMap<(i64, PhoneNumber), Model> {
    let mut all: BTreeMap<(i64, PhoneNumber), Model> = BTreeMap::new();
    for (_, deed) in deeds {
        match deed {
            Deed::Item {
                line,
                with,
                seq,
                at,
                inbound,
                effect,
            } => {
                let last = (Millis(i64::MIN), 0);
                let fresh = Model {
                    items: 0,
                    came_in: BTreeMap::new(),
                    last,
                    unread: false,
                    archived: false,
                    unresponded: false,
                };
                let model = all.entry((*line, *with)).or_insert(fresh);
                model.items += 1;
                model.last = model.last.max((*at, *seq));
                if *inbound {
                    model.came_in.insert(*seq, *at);
                }
                if *effect != Effect::None {
                    let asks = *effect == Effect::AsksForAttention;
                    (model.unread, model.archived, model.unresponded) = (asks, false, asks);
                }
            }
            Deed::Answered { line, with, seq, at } => {
                let model = all.get_mut(&(*line, *with)).unwrap();
                if model.came_in.range(seq + 1..).all(|(_, came_in)| came_in <= at) {
                    (model.unread, model.archived, model.unresponded) = (false, false, false);
                }
            }
            Deed::Acted { line, with, action } => {
                for (_, model) in all
                    .iter_mut()
                    .filter(|(key, _)| key.1 == *with && line.is_none_or(|line| line == key.0))
                {
                    match action {
                        ConversationAction::Read => model.unread = false,
                        ConversationAction::Unread => model.unread = true,
                        ConversationAction::Archive => (model.archived, model.unread) = (true, false),
                        ConversationAction::Unarchive => model.archived = false,
                    }
                }
            }
        }
    }
    all
}

fn all_rows(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<ConversationRow>, StoreError> {
    let mut all = Vec::new();
    for with in [sarah(), marie(), nobody()] {
        all.extend(rows::of_number(conn, team, with)?);
    }
    Ok(all)
}

async fn clients_at_once(t: &TestDb, office: &Office, seed: u64) -> Vec<(Place, Deed)> {
    let boards = [office.board.clone(), office.node_on(t.open_again(), "node-2")];
    let running: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let mut client = Client {
                random: StdRng::seed_from_u64(seed * 1_000 + n),
                board: boards[n as usize % 2].clone(),
                team: office.team,
                ringing: Vec::new(),
                done: Vec::new(),
            };
            let clock = office.clock.clone();
            tokio::spawn(async move {
                for _ in 0..DEEDS {
                    client.do_something().await;
                    clock.advance(client.random.random_range(0..300));
                }
                client.done
            })
        })
        .collect();
    let mut done = Vec::new();
    for client in running {
        done.extend(client.await.unwrap());
    }
    done.sort_by_key(|(place, _)| *place);
    done
}

async fn conversations_stay_right_under_concurrent_writes(t: TestDb) {
    let office = t.office().await;
    for seed in Seed::first(1) {
        let done = clients_at_once(&t, &office, seed.get()).await;
        assert!(
            done.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "two commands had the same place: the lock does not hold"
        );
        assert!(done.len() > 300, "only {} commands did anything", done.len());
        let expected = play(&done);
        let team = office.team;
        let found = office
            .board
            .db()
            .read(move |conn| all_rows(conn, team))
            .await
            .unwrap();
        assert_eq!(found.len(), expected.len());
        for row in &found {
            let (standing, expected) = (row.standing, &expected[&(row.line, row.contact_number)]);
            let model = Model {
                items: row.items,
                came_in: expected.came_in.clone(),
                last: (row.last_at, row.last_item),
                unread: standing.unread,
                archived: standing.archived,
                unresponded: standing.unresponded,
            };
            assert_eq!(&model, expected, "line {} with {}", row.line, row.contact_number);
        }
        // Items alone tell the same: count, last item, and the totals kept beside them.
        office.assert_sound().await;
        lists_tell_the_same(&office, &found).await;
    }
}

/// Lists and counts over the same conversations, as clients see them.
async fn lists_tell_the_same(office: &Office, found: &[ConversationRow]) {
    let team = office.team;
    for line in [office.us_line, office.fr_line] {
        for unread in [None, Some(true), Some(false)] {
            let filter = ConversationFilter {
                unread,
                ..ConversationFilter::default()
            };
            let mut expected: Vec<ConversationRow> = found
                .iter()
                .filter(|row| row.line == line && unread.is_none_or(|unread| unread == row.standing.unread))
                .copied()
                .collect();
            expected.sort_by_key(|row| std::cmp::Reverse((row.last_at, row.conversation)));
            let (listed, counted) = office
                .board
                .db()
                .read(move |conn| {
                    let listed = rows::list(conn, team, line, filter, Position::Offset(0), 100)?;
                    Ok::<_, StoreError>((listed, rows::count(conn, team, line, filter)?))
                })
                .await
                .unwrap();
            assert_eq!((listed.len() as i64, listed), (counted, expected));
        }
    }
    for row in found {
        let filter = search::ItemFilter {
            contact: Some(row.contact_number),
            line: Some(row.line),
            ..Default::default()
        };
        let count = office
            .board
            .db()
            .read(move |conn| search::count(conn, team, &filter))
            .await
            .unwrap();
        assert_eq!(count, row.items);
    }
}

trunkline_testkit::on_both! { conversations_stay_right_under_concurrent_writes }
