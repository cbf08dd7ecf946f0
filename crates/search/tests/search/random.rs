//! Random items and random questions about them.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use trunkline_domain::{CallResult, Direction, ItemKind, Millis};
use trunkline_search::{TextFilter, TextOrder, TextQuery, TextStart};
use trunkline_store::TeamKey;

use crate::world::{NewItem, START, World, contact, user};

const WORDS: &[&str] = &[
    "a",
    "à",
    "au",
    "aube",
    "auto",
    "automne",
    "Été",
    "étage",
    "ETAGES",
    "et",
    "bill",
    "Billing",
    "bills",
    "ballon",
    "Œuvre",
    "oeuf",
    "Straße",
    "strasse",
    "naïve",
    "nage",
    "42",
    "421",
    "+33",
    "café",
    "CAFÉ",
    "cafard",
    "rendez-vous",
    "rendez",
    "vous",
    "l'eau",
    "eaux",
    "facture",
    "factures",
    "facturation",
    "fa",
    "z",
    "zèbre",
    "Ärger",
    "arg",
    "ﬁn",
    "final",
];
const TAGS: &[&str] = &["vip", "sales", "support", "refund"];

/// Where the questions come from.
pub struct Dice(pub StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(&mut self.0).unwrap()
    }

    pub fn text(&mut self) -> String {
        let length = if self.one_in(8) {
            self.below(120)
        } else {
            self.below(9)
        };
        // The square makes some words frequent and others rare.
        let words = (0..length).map(|_| {
            let place = self.below(WORDS.len()) * self.below(WORDS.len()) / WORDS.len();
            WORDS[place]
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn tags(&mut self) -> Vec<String> {
        let keep = |_: &&&str| self.one_in(4);
        TAGS.iter().filter(keep).map(|tag| (*tag).to_owned()).collect()
    }

    pub fn item(&mut self) -> NewItem {
        let kind = self.pick(ItemKind::ALL);
        NewItem {
            kind,
            direction: self.pick(Direction::ALL),
            line: 1 + self.below(3) as i64,
            contact: contact(self.below(6) as i64),
            user: self.one_in(2).then(|| user(self.below(3) as u64)),
            // Few instants, so that many items share one.
            at: Millis(START + self.below(40) as i64 * Millis::HOUR),
            result: (kind == ItemKind::Call).then(|| self.pick(CallResult::ALL)),
            tags: self.tags(),
            conversation: 1 + self.below(18) as i64,
            text: self.text(),
        }
    }

    /// A random change of the world.
    pub async fn change(&mut self, world: &mut World, team: TeamKey) {
        let last = world.known[&team].keys().last().copied().unwrap_or(0);
        if last == 0 || self.below(10) < 4 {
            world.add(team, self.item()).await;
            return;
        }
        let seq = 1 + self.below(last as usize) as i64;
        match self.below(6) {
            0 => {
                let items: Vec<NewItem> = (0..1 + self.below(12)).map(|_| self.item()).collect();
                world.import(team, items.into_iter()).await;
            }
            1 => world.bare_event(team).await,
            2 if world.known[&team][&seq].row.kind == ItemKind::Call => {
                let text = self.text();
                world.summarise(team, seq, &text).await;
            }
            3 => {
                let (user, result) = (user(self.below(3) as u64), self.pick(CallResult::ALL));
                world
                    .change(team, seq, |row| {
                        (row.user_id, row.result) = (Some(user), Some(result))
                    })
                    .await;
            }
            _ => {
                let tags = self.tags();
                world.change(team, seq, |row| row.tags.clone_from(&tags)).await;
            }
        }
    }

    fn filter(&mut self) -> TextFilter {
        let conversations = |dice: &mut Self| {
            let picked = (0..dice.below(12)).map(|_| 1 + dice.below(20) as i64);
            picked.collect::<Vec<_>>()
        };
        let mut filter = TextFilter::default();
        for _ in 0..self.below(4) {
            match self.below(11) {
                0 => filter.line = Some(1 + self.below(4) as i64),
                1 => filter.contact = Some(contact(self.below(7) as i64)),
                2 => filter.user = Some(user(self.below(4) as u64)),
                3 => filter.kind = Some(self.pick(ItemKind::ALL)),
                4 => filter.direction = Some(self.pick(Direction::ALL)),
                5 => {
                    filter.results = (0..1 + self.below(3))
                        .map(|_| self.pick(CallResult::ALL))
                        .collect()
                }
                6 => {
                    filter.tags = (0..1 + self.below(3))
                        .map(|_| self.pick(TAGS).to_owned())
                        .collect()
                }
                7 => filter.conversations_in = Some(conversations(self)),
                8 => filter.conversations_not_in = Some(conversations(self)),
                9 => filter.from = Some(Millis(START + self.below(42) as i64 * Millis::HOUR)),
                _ => filter.until = Some(Millis(START + self.below(42) as i64 * Millis::HOUR)),
            }
        }
        filter
    }

    /// A question about the items numbered up to `last`, with a page anywhere.
    pub fn query(&mut self, team: TeamKey, last: i64) -> TextQuery {
        let words: String = (0..self.below(4))
            .map(|_| format!("{} ", self.pick(WORDS)))
            .collect();
        let mut words = trunkline_domain::text::query_words(&words);
        for word in &mut words {
            if self.one_in(2) {
                let characters = word.chars().count();
                *word = word.chars().take(1 + self.below(characters)).collect();
            }
        }
        let order = self.pick(&[
            TextOrder::NewestFirst,
            TextOrder::OldestFirst,
            TextOrder::Relevance,
        ]);
        let start = if order != TextOrder::Relevance && self.one_in(3) {
            let at = Millis(START + self.below(42) as i64 * Millis::HOUR);
            TextStart::Behind {
                at,
                seq: self.below(last.max(1) as usize) as i64,
            }
        } else {
            TextStart::Offset(if self.one_in(2) { 0 } else { self.below(30) })
        };
        let max_seq = self.one_in(4).then(|| self.below(last.max(1) as usize) as i64);
        TextQuery {
            team,
            words,
            filter: self.filter(),
            order,
            start,
            limit: self.below(25),
            max_seq,
        }
    }
}
