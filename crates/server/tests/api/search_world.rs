//! 300 random items of a team, and what a search must find among them: told by looking at every item.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use trunkline_domain::{CallResult, Direction, Millis, PhoneNumber, Speaker, UserId};
use trunkline_store::{StoreError, items};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::tags;
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, fr, marie, nobody, number, sarah, us};

use crate::support::{command, encoded, line, searchable};

/// How many items there are.
pub const ITEMS: usize = 300;

pub const TAGS: [&str; 4] = ["billing", "vip", "follow_up", "spam"];

/// Words as they are written, and what search makes of them.
const WORDS: [(&str, &str); 16] = [
    ("bill", "bill"),
    ("Billing", "billing"),
    ("bills,", "bills"),
    ("refund", "refund"),
    ("Été", "ete"),
    ("l'été", "l ete"),
    ("FAÇADE", "facade"),
    ("œuvre", "oeuvre"),
    ("Straße", "strasse"),
    ("naïve", "naive"),
    ("42", "42"),
    ("no-show", "no show"),
    ("flour", "flour"),
    ("Привет", "привет"),
    ("call—back", "call back"),
    ("ordered!", "ordered"),
];

/// What a client may ask for, and what is meant by it.
const QUERIES: [(&str, &str); 14] = [
    ("bill", "bill"),
    ("BILLI", "billi"),
    ("bill refund", "bill refund"),
    ("refund BILL bill", "refund bill"),
    ("ete", "ete"),
    ("ÉTÉ!", "ete"),
    ("facade flo", "facade flo"),
    ("Œuv", "oeuv"),
    ("stras 4", "stras 4"),
    ("при", "при"),
    ("no-show", "no show"),
    ("nothing-like-it", "nothing like it"),
    ("o", "o"),
    ("(refund) & [ordered]", "refund ordered"),
];

/// An item as the test knows it.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    pub seq: i64,
    pub line: PhoneNumber,
    pub contact: PhoneNumber,
    pub direction: Direction,
    pub user: Option<UserId>,
    pub at: Millis,
    /// `None`: a text.
    pub result: Option<CallResult>,
    pub tags: Vec<String>,
    /// Folded.
    pub words: Vec<String>,
}

/// A server with 300 items.
pub struct SearchWorld {
    pub app: TestApp,
    pub items: Vec<Item>,
    /// `(unread, unresponded)` by line and outside number.
    pub standings: BTreeMap<(PhoneNumber, PhoneNumber), (bool, bool)>,
}

/// The team's time zone.
pub fn zone() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap()
}

/// Days on which the random items are: around both changes of the clock.
pub const DAYS: [Date; 8] = [
    date(2025, 11, 1),
    date(2025, 11, 2),
    date(2025, 11, 3),
    date(2026, 3, 7),
    date(2026, 3, 8),
    date(2026, 3, 9),
    date(2026, 3, 10),
    date(2026, 4, 1),
];

fn random_items(rng: &mut StdRng, app: &TestApp) -> Vec<Item> {
    let contacts: Vec<PhoneNumber> = (0..6)
        .map(|i| number(&format!("+1212555010{i}")))
        .chain([sarah(), marie(), nobody()])
        .collect();
    let users = [None, None, Some(app.office.ada), Some(app.office.ben)];
    let moment = |rng: &mut StdRng| {
        let start = Millis::start_of(*DAYS.choose(rng).unwrap(), &zone()).unwrap();
        // The first and last moments of a day are where mistakes are.
        *[
            0,
            1,
            -1,
            Millis::HOUR,
            23 * Millis::HOUR,
            rng.random_range(0..Millis::DAY),
        ]
        .map(|ms| start.plus(ms))
        .choose(rng)
        .unwrap()
    };
    let mut moments: Vec<Millis> = (0..ITEMS).map(|_| moment(rng)).collect();
    moments.sort_unstable();
    moments
        .into_iter()
        .map(|at| {
            let is_call = rng.random_bool(0.6);
            let words = WORDS
                .sample(rng, 4)
                .map(|(written, _)| (*written).to_owned())
                .collect();
            let many = if is_call { rng.random_range(0..3) } else { 0 };
            let tags = TAGS.sample(rng, many).map(|tag| (*tag).to_owned()).collect();
            Item {
                id: String::new(),
                seq: 0,
                line: *[us(), fr()].choose(rng).unwrap(),
                contact: *contacts.choose(rng).unwrap(),
                direction: *Direction::ALL.choose(rng).unwrap(),
                user: *users.choose(rng).unwrap(),
                at,
                result: is_call.then(|| *CallResult::ALL.choose(rng).unwrap()),
                tags,
                // Written for now; folded once they are stored.
                words,
            }
        })
        .collect()
}

fn stored(item: &Item, app: &TestApp, i: usize) -> ImportItem {
    let line_number = if item.line == us() {
        app.office.us_line
    } else {
        app.office.fr_line
    };
    let text = item.words.join(" ");
    let body = match item.result {
        None => ImportBody::Message { content: text },
        Some(result) => {
            // What is said and what is summed up are both searched; some calls have one of them only.
            let (said, summary) = item.words.split_at(if i.is_multiple_of(3) { 4 } else { i % 3 });
            let spoken = said
                .iter()
                .map(|word| line(Speaker::External, item.at, word))
                .collect();
            let summary = (!summary.is_empty()).then(|| summary.join(" "));
            ImportBody::Call {
                result,
                duration: 60,
                transcript: spoken,
                summary,
                tags: item.tags.clone(),
            }
        }
    };
    ImportItem {
        line: line_number,
        contact: item.contact,
        direction: item.direction,
        user: item.user,
        at: item.at,
        body,
    }
}

fn folded(written: &str) -> Vec<String> {
    let known = WORDS.iter().find(|(own, _)| *own == written).unwrap().1;
    known.split(' ').map(str::to_owned).collect()
}

impl SearchWorld {
    pub async fn open(db: TestDb) -> Self {
        let app = searchable(db).await;
        let mut items = random_items(&mut StdRng::seed_from_u64(17), &app);
        let batch: Vec<ImportItem> = items
            .iter()
            .enumerate()
            .map(|(i, item)| stored(item, &app, i))
            .collect();
        command(&app, move |work| {
            for tag in TAGS {
                tags::define(work, tag, tag, "#000000")?;
            }
            import(work, &batch)
        })
        .await;
        let team = app.office.team;
        let read = move |conn: &mut trunkline_store::Conn<'_>| -> Result<Vec<String>, StoreError> {
            (1..=ITEMS as i64)
                .map(|seq| {
                    Ok(items::by_seq(conn, team, seq)?
                        .map(|row| row.id.to_string())
                        .unwrap())
                })
                .collect()
        };
        let ids = app.board.db().read(read).await.unwrap();
        for (i, (item, id)) in items.iter_mut().zip(ids).enumerate() {
            (item.id, item.seq) = (id, i as i64 + 1);
            item.words = item.words.iter().flat_map(|word| folded(word)).collect();
        }
        let standings = standings(&items);
        let mut world = Self {
            app,
            items,
            standings,
        };
        world.read_some().await;
        world
    }

    /// Marks some conversations read, over the API and in the test's own book.
    async fn read_some(&mut self) {
        let all: Vec<(PhoneNumber, PhoneNumber)> = self.standings.keys().copied().collect();
        for (line, contact) in all.into_iter().step_by(3) {
            let path = format!("/v2/api/conversations/{}/action", encoded(contact));
            let reply = self
                .app
                .put(&path, &json!({ "action": "READ", "allo_number": line }))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            self.standings.get_mut(&(line, contact)).unwrap().0 = false;
        }
        let count = |flag: bool| {
            self.standings
                .values()
                .filter(|standing| standing.0 == flag)
                .count()
        };
        assert!(
            count(true) > 2 && count(false) > 2,
            "both kinds are there: {:?}",
            self.standings
        );
    }

    /// The items a request must find, newest first.
    pub fn expected(&self, wanted: &Wanted) -> Vec<&Item> {
        let mut found: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| self.passes(item, wanted))
            .collect();
        found.sort_by_key(|item| std::cmp::Reverse((item.at, item.seq)));
        found
    }

    fn passes(&self, item: &Item, wanted: &Wanted) -> bool {
        let (unread, unresponded) = self.standings[&(item.line, item.contact)];
        let day = item.at.date_in(&zone());
        let has = |prefix: &String| item.words.iter().any(|word| word.starts_with(prefix.as_str()));
        wanted.line.is_none_or(|line| line == item.line)
            && wanted.contact.is_none_or(|contact| contact == item.contact)
            && wanted.user.is_none_or(|user| Some(user) == item.user)
            && wanted
                .direction
                .is_none_or(|direction| direction == item.direction)
            && wanted
                .kind
                .is_none_or(|kind| kind == "ALL" || (kind == "CALL") == item.result.is_some())
            && wanted
                .result
                .is_none_or(|name| item.result.is_some_and(|result| v2(result) == name))
            && (wanted.tags.is_empty() || item.tags.iter().any(|tag| wanted.tags.contains(tag)))
            && wanted.unread.is_none_or(|flag| flag == unread)
            && wanted.unresponded.is_none_or(|flag| flag == unresponded)
            && wanted.from.is_none_or(|from| day >= from)
            && wanted.to.is_none_or(|to| day <= to)
            && wanted.meaning.iter().all(has)
    }
}

/// The results of v2, written down a second time.
fn v2(result: CallResult) -> &'static str {
    match result {
        CallResult::Answered => "ANSWERED",
        CallResult::Voicemail => "VOICEMAIL",
        CallResult::TransferredAi | CallResult::TransferredExternal => "TRANSFERRED",
        CallResult::Blocked => "BLOCKED",
        CallResult::Failed => "FAILED",
        CallResult::Missed => "MISSED",
    }
}

/// What the last item that counts says of each conversation: the items are in the order of time.
fn standings(items: &[Item]) -> BTreeMap<(PhoneNumber, PhoneNumber), (bool, bool)> {
    let mut all = BTreeMap::new();
    for item in items {
        let standing = all.entry((item.line, item.contact)).or_insert((false, false));
        let waits = match (item.direction, item.result) {
            (Direction::Outbound, _) => false,
            (
                Direction::Inbound,
                None | Some(CallResult::Voicemail | CallResult::Missed | CallResult::Failed),
            ) => true,
            (Direction::Inbound, Some(CallResult::Blocked)) => continue,
            (Direction::Inbound, Some(_)) => false,
        };
        *standing = (waits, waits);
    }
    all
}

/// A request for a search.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub line: Option<PhoneNumber>,
    pub contact: Option<PhoneNumber>,
    pub user: Option<UserId>,
    pub direction: Option<Direction>,
    pub kind: Option<&'static str>,
    pub result: Option<&'static str>,
    pub tags: Vec<String>,
    pub unread: Option<bool>,
    pub unresponded: Option<bool>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// As the client writes it.
    pub search: Option<&'static str>,
    /// What must be found of it.
    pub meaning: Vec<String>,
}

impl Wanted {
    /// A request for these words.
    pub fn words(search: &'static str, meaning: &str) -> Self {
        Self {
            search: Some(search),
            meaning: meaning.split(' ').map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// The body to be sent.
    pub fn body(&self) -> Value {
        let mut body = json!({});
        let mut set = |name: &str, value: Value| {
            if !value.is_null() {
                body[name] = value;
            }
        };
        set("allo_number", json!(self.line));
        set("contact_number", json!(self.contact));
        set("user_id", json!(self.user));
        set("direction", json!(self.direction));
        set("type", json!(self.kind));
        set("result", json!(self.result));
        set("unread", json!(self.unread));
        set("unresponded", json!(self.unresponded));
        set("search", json!(self.search));
        if !self.tags.is_empty() {
            set("tags", json!(self.tags));
        }
        let mut date = serde_json::Map::new();
        date.extend(self.from.map(|day| ("from".to_owned(), json!(day.to_string()))));
        date.extend(self.to.map(|day| ("to".to_owned(), json!(day.to_string()))));
        if !date.is_empty() {
            set("date", Value::Object(date));
        }
        body
    }

    /// Every filter alone, with every value worth trying.
    pub fn alone(app: &TestApp) -> Vec<Self> {
        let mut all = vec![Self::default()];
        let none = Self::default;
        all.extend([us(), fr()].map(|line| Self {
            line: Some(line),
            ..none()
        }));
        all.extend(
            [sarah(), marie(), number("+12125550103"), number("+12125559999")].map(|contact| Self {
                contact: Some(contact),
                ..none()
            }),
        );
        all.extend([app.office.ada, app.office.ben].map(|user| Self {
            user: Some(user),
            ..none()
        }));
        all.extend(Direction::ALL.iter().map(|direction| Self {
            direction: Some(*direction),
            ..none()
        }));
        all.extend(["CALL", "SMS", "ALL"].map(|kind| Self {
            kind: Some(kind),
            ..none()
        }));
        all.extend(RESULTS.map(|result| Self {
            result: Some(result),
            ..none()
        }));
        all.extend(TAGS.map(|tag| Self {
            tags: vec![tag.to_owned()],
            ..none()
        }));
        all.extend([true, false].map(|flag| Self {
            unread: Some(flag),
            ..none()
        }));
        all.extend([true, false].map(|flag| Self {
            unresponded: Some(flag),
            ..none()
        }));
        all.extend(QUERIES.map(|(search, meaning)| Self::words(search, meaning)));
        for day in DAYS {
            all.push(Self {
                from: Some(day),
                ..none()
            });
            all.push(Self {
                to: Some(day),
                ..none()
            });
            all.push(Self {
                from: Some(day),
                to: Some(day),
                ..none()
            });
        }
        all
    }

    /// Some filters at once.
    pub fn random(rng: &mut StdRng, app: &TestApp) -> Self {
        let mut all = Self::default();
        let singles = Self::alone(app);
        for _ in 0..rng.random_range(2..5) {
            let one = singles.choose(rng).unwrap().clone();
            all.line = one.line.or(all.line);
            all.contact = one.contact.or(all.contact);
            all.user = one.user.or(all.user);
            all.direction = one.direction.or(all.direction);
            all.kind = one.kind.or(all.kind);
            all.result = one.result.or(all.result);
            all.tags.extend(one.tags);
            all.unread = one.unread.or(all.unread);
            all.unresponded = one.unresponded.or(all.unresponded);
            if one.from.is_some() || one.to.is_some() {
                (all.from, all.to) = (one.from, one.to);
            }
            if one.search.is_some() {
                (all.search, all.meaning) = (one.search, one.meaning);
            }
        }
        all
    }
}

const RESULTS: [&str; 6] = [
    "ANSWERED",
    "VOICEMAIL",
    "TRANSFERRED",
    "MISSED",
    "BLOCKED",
    "FAILED",
];
