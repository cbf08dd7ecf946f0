//! Totals are exact and pages add up: against a plain filter over all rows, for random rows, changes and filters.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use trunkline_domain::conversation::Standing;
use trunkline_domain::{
    CallId, CallResult, Direction, ItemId, ItemKind, MessageId, MessageStatus, MessageType, Millis,
    PhoneNumber, SeededIds, UserId, call,
};
use trunkline_store::analytics::Counted;
use trunkline_store::calls::{CallDetails, CallRow};
use trunkline_store::conversations::{ConversationFilter, ConversationRow, Position};
use trunkline_store::items::ItemRow;
use trunkline_store::messages::MessageRow;
use trunkline_store::search::{DayRange, ItemFilter, Order};
use trunkline_store::teams::{self, Counters};
use trunkline_store::{
    Db, StoreError, TeamKey, Tx, analytics, calls, conversations, items, messages, params, search, tags,
};
use trunkline_testkit::db::{START, Seed, TestDb, assert_sound};

const ITEMS: i64 = 350;
const LINES: i64 = 3;
const TAGS: [&str; 4] = ["hot", "lost", "support", "vip"];

/// Everything a team has, as plain rows.
#[derive(Clone, Default)]
struct Model {
    items: Vec<ItemRow>,
    conversations: BTreeMap<(i64, PhoneNumber), ConversationRow>,
}

struct World {
    random: StdRng,
    ids: SeededIds,
    users: Vec<UserId>,
    contacts: Vec<PhoneNumber>,
    model: Model,
}

impl World {
    fn new(seed: u64) -> Self {
        let ids = SeededIds::new(seed);
        let users = (0..3).map(|n| UserId::new(&ids, START.plus(n))).collect();
        let contacts = (0..9)
            .map(|n| PhoneNumber::parse(&format!("+141555500{n:02}")).unwrap())
            .collect();
        Self {
            random: StdRng::seed_from_u64(seed),
            ids,
            users,
            contacts,
            model: Model::default(),
        }
    }

    fn user(&mut self) -> Option<UserId> {
        let user = self.users.choose(&mut self.random).copied();
        user.filter(|_| self.random.random_bool(0.7))
    }

    fn standing(&mut self) -> Standing {
        let mut coin = |share| self.random.random_bool(share);
        Standing {
            unread: coin(0.4),
            archived: coin(0.2),
            unresponded: coin(0.4),
        }
    }

    /// A new item, many of them at the same moment as others.
    fn item(&mut self) -> ItemRow {
        let seq = self.model.items.len() as i64 + 1;
        let at = START.plus(self.random.random_range(0..60i64) * 7 * Millis::HOUR);
        let call = self.random.random_bool(0.6);
        let result = call
            .then(|| CallResult::ALL.choose(&mut self.random).copied())
            .flatten();
        ItemRow {
            seq,
            id: if call {
                ItemId::Call(CallId::new(&self.ids, at))
            } else {
                ItemId::Message(MessageId::new(&self.ids, at))
            },
            kind: if call { ItemKind::Call } else { ItemKind::Message },
            direction: *Direction::ALL.choose(&mut self.random).unwrap(),
            line: self.random.random_range(1..=LINES),
            contact_number: *self.contacts.choose(&mut self.random).unwrap(),
            conversation: 0,
            user_id: self.user(),
            at,
            day: at.0.div_euclid(Millis::DAY),
            result: result.filter(|_| self.random.random_bool(0.9)),
            duration: None,
            tags: Vec::new(),
        }
    }

    /// Stores an item and what it does to its conversation.
    fn add(&mut self, tx: &mut Tx<'_>, team: TeamKey) -> Result<(), StoreError> {
        let mut item = self.item();
        let standing = self.standing();
        let next = self.model.conversations.len() as i64 + 1;
        let key = (item.line, item.contact_number);
        let before = self.model.conversations.get(&key).copied();
        let after = match before {
            None => ConversationRow {
                conversation: next,
                line: item.line,
                contact_number: item.contact_number,
                last_at: item.at,
                last_item: item.seq,
                items: 1,
                standing,
            },
            Some(row) => {
                let (last_at, last_item) = (row.last_at, row.last_item).max((item.at, item.seq));
                ConversationRow {
                    items: row.items + 1,
                    last_at,
                    last_item,
                    standing,
                    ..row
                }
            }
        };
        match before {
            None => conversations::insert(tx, team, &after)?,
            Some(before) => conversations::update(tx, team, &before, &after)?,
        }
        item.conversation = after.conversation;
        items::insert(tx, team, &item)?;
        analytics::count(tx, team, None, counted(&item).as_ref())?;
        match item.kind {
            ItemKind::Call => calls::insert(tx, team, &call_row(&item))?,
            ItemKind::Message => messages::insert(tx, team, &message_row(&item))?,
        }
        self.model.conversations.insert(key, after);
        self.model.items.push(item);
        Ok(())
    }

    /// Changes what may change of an item: who handled it, how it ended, its tags.
    fn change(&mut self, tx: &mut Tx<'_>, team: TeamKey) -> Result<(), StoreError> {
        let place = self.random.random_range(0..self.model.items.len());
        let before = self.model.items[place].clone();
        let mut after = before.clone();
        if self.random.random_bool(0.3) {
            after.user_id = self.user();
        }
        if before.kind == ItemKind::Call && self.random.random_bool(0.4) {
            after.result = CallResult::ALL.choose(&mut self.random).copied();
            after.duration = Some(self.random.random_range(0..600));
        }
        if self.random.random_bool(0.6) {
            let tag = (*TAGS.choose(&mut self.random).unwrap()).to_owned();
            if let Some(place) = after.tags.iter().position(|known| *known == tag) {
                after.tags.remove(place);
                assert!(tags::take_off(tx, team, &tag, after.at, after.seq)?);
                assert!(
                    !tags::take_off(tx, team, &tag, after.at, after.seq)?,
                    "taken off twice"
                );
            } else {
                tags::put_on(tx, team, &tag, after.at, after.seq)?;
                after.tags.push(tag);
            }
        }
        items::update(tx, team, &before, &after)?;
        analytics::count(tx, team, counted(&before).as_ref(), counted(&after).as_ref())?;
        self.model.items[place] = after;
        Ok(())
    }

    /// Stores everything that is made up, in several transactions of which some fail.
    async fn fill(mut self, db: &Db, team: TeamKey) -> Self {
        while (self.model.items.len() as i64) < ITEMS {
            let fails = self.random.random_bool(0.2);
            let count = self.random.random_range(1..40);
            let before = self.model.clone();
            let world = std::sync::Arc::new(std::sync::Mutex::new(Some(self)));
            let inside = world.clone();
            let outcome = db
                .write(move |tx| {
                    let mut world = inside.lock().unwrap();
                    let world = world.as_mut().unwrap();
                    teams::lock(tx, team)?.unwrap();
                    for _ in 0..count {
                        if world.model.items.is_empty() || world.random.random_bool(0.5) {
                            world.add(tx, team)?;
                        } else {
                            world.change(tx, team)?;
                        }
                    }
                    let (item, conversation) = (
                        world.model.items.len() as i64,
                        world.model.conversations.len() as i64,
                    );
                    teams::set_counters(
                        tx,
                        team,
                        Counters {
                            event: 0,
                            item,
                            conversation,
                            line: LINES,
                        },
                    )?;
                    if fails { Err(StoreError::Sealed) } else { Ok(()) }
                })
                .await;
            assert!(
                if fails {
                    matches!(outcome, Err(StoreError::Sealed))
                } else {
                    outcome.is_ok()
                },
                "{outcome:?}"
            );
            self = world.lock().unwrap().take().unwrap();
            if fails {
                self.model = before;
            }
            assert_sound(db, team).await;
        }
        self
    }

    fn filter(&mut self) -> ItemFilter {
        let random = &mut self.random;
        let mut some = |share| random.random_bool(share);
        let set = [
            some(0.3),
            some(0.3),
            some(0.25),
            some(0.3),
            some(0.25),
            some(0.25),
            some(0.3),
            some(0.2),
            some(0.2),
            some(0.3),
        ];
        let few = random.random_range(1..=3);
        let first = START.0.div_euclid(Millis::DAY) + random.random_range(-2..20);
        let last = first + random.random_range(0..12);
        let day = |day: i64| Millis(day * Millis::DAY);
        let names = |random: &mut StdRng| {
            TAGS.sample(random, few)
                .map(|tag| (*tag).to_owned())
                .collect::<Vec<_>>()
        };
        ItemFilter {
            line: set[0].then(|| random.random_range(1..=LINES + 1)),
            contact: set[1].then(|| *self.contacts.choose(random).unwrap()),
            user: set[2].then(|| *self.users.choose(random).unwrap()),
            kind: set[3].then(|| *ItemKind::ALL.choose(random).unwrap()),
            direction: set[4].then(|| *Direction::ALL.choose(random).unwrap()),
            results: if set[5] {
                CallResult::ALL.sample(random, few).copied().collect()
            } else {
                Vec::new()
            },
            tags: if set[6] { names(random) } else { Vec::new() },
            unread: set[7].then(|| random.random()),
            unresponded: set[8].then(|| random.random()),
            days: set[9].then(|| DayRange {
                first,
                last,
                from: day(first),
                until: day(last + 1),
            }),
        }
    }

    /// What the filter says, said as plainly as possible; oldest first.
    fn matching(&self, filter: &ItemFilter) -> Vec<(Millis, i64)> {
        let lets_through = |item: &&ItemRow| {
            let standing = self.model.conversations[&(item.line, item.contact_number)].standing;
            filter.line.is_none_or(|line| line == item.line)
                && filter
                    .contact
                    .is_none_or(|contact| contact == item.contact_number)
                && filter.user.is_none_or(|user| Some(user) == item.user_id)
                && filter.kind.is_none_or(|kind| kind == item.kind)
                && filter
                    .direction
                    .is_none_or(|direction| direction == item.direction)
                && (filter.results.is_empty()
                    || item.result.is_some_and(|result| filter.results.contains(&result)))
                && (filter.tags.is_empty() || filter.tags.iter().any(|tag| item.tags.contains(tag)))
                && filter.unread.is_none_or(|unread| unread == standing.unread)
                && filter
                    .unresponded
                    .is_none_or(|unresponded| unresponded == standing.unresponded)
                && filter
                    .days
                    .is_none_or(|days| (days.first..=days.last).contains(&item.day))
        };
        let mut all: Vec<_> = self
            .model
            .items
            .iter()
            .filter(lets_through)
            .map(|item| (item.at, item.seq))
            .collect();
        all.sort_unstable();
        all
    }
}

fn counted(item: &ItemRow) -> Option<Counted> {
    Counted::of(item, &call_row(item).call)
}

fn call_row(item: &ItemRow) -> CallRow {
    CallRow {
        seq: item.seq,
        call: call::Call::ring(item.direction, item.at),
        failure_reason: None,
        recording_url: None,
        recording_seconds: None,
        summary_template: None,
        details: CallDetails::default(),
        extracted_data: None,
        node: "node-1".to_owned(),
        process_by: None,
        completed_at: None,
    }
}

fn message_row(item: &ItemRow) -> MessageRow {
    MessageRow {
        seq: item.seq,
        content: "hello".to_owned(),
        status: MessageStatus::Delivered,
        message_type: MessageType::Sms,
        carrier: "sandbox".to_owned(),
        carrier_ref: None,
        failure_reason: None,
        media: Vec::new(),
        taken_at: None,
        segments: None,
    }
}

/// How pages follow each other.
#[derive(Clone, Copy, Debug)]
enum Turn {
    ByNumber,
    ByCursor,
}

/// All pages one after the other, as a client reads them.
async fn read_through(
    db: &Db,
    team: TeamKey,
    filter: &ItemFilter,
    order: Order,
    turn: Turn,
    size: i64,
) -> Vec<i64> {
    let filter = filter.clone();
    let pages = db.scan(move |conn| {
        let mut all: Vec<i64> = Vec::new();
        loop {
            let position = match (turn, all.last()) {
                (Turn::ByNumber, _) | (Turn::ByCursor, None) => Position::Offset(all.len() as i64),
                (Turn::ByCursor, Some(last)) => {
                    Position::Behind(search::moment(conn, team, *last)?.unwrap(), *last)
                }
            };
            let page = search::page(conn, team, &filter, order, position, size)?;
            let done = (page.len() as i64) < size;
            all.extend(page);
            if done {
                return Ok::<_, StoreError>(all);
            }
        }
    });
    pages.await.unwrap()
}

async fn totals_are_exact_and_pages_add_up(t: TestDb) {
    for seed in Seed::first(2) {
        let team = t.bare_team(&format!("team {}", seed.get())).await;
        let mut world = World::new(seed.get()).fill(t.db(), team).await;
        // Another team's rows must not show.
        let foreign = t.bare_team(&format!("foreign {}", seed.get())).await;
        World::new(seed.get() + 1_000).fill(t.db(), foreign).await;
        let mut most = 0;
        for round in 0..200 {
            let filter = if round == 0 {
                ItemFilter::default()
            } else {
                world.filter()
            };
            let mut expected = world.matching(&filter);
            most = most.max(expected.len());
            let asked = filter.clone();
            let count = t
                .db()
                .read(move |conn| search::count(conn, team, &asked))
                .await
                .unwrap();
            assert_eq!(count, expected.len() as i64, "{filter:?}");
            let order = *[Order::NewestFirst, Order::OldestFirst]
                .choose(&mut world.random)
                .unwrap();
            if order == Order::NewestFirst {
                expected.reverse();
            }
            let expected: Vec<i64> = expected.into_iter().map(|(_, seq)| seq).collect();
            let size = world.random.random_range(1..=60).max(expected.len() as i64 / 20);
            for turn in [Turn::ByNumber, Turn::ByCursor] {
                let read = read_through(t.db(), team, &filter, order, turn, size).await;
                assert_eq!(read, expected, "{order:?} {turn:?} by {size}: {filter:?}");
            }
        }
        assert_eq!(most as i64, world.model.items.len() as i64);
    }
}

async fn lists_of_conversations_are_exact_and_add_up(t: TestDb) {
    for seed in Seed::first(2) {
        let team = t.bare_team(&format!("team {}", seed.get())).await;
        let mut world = World::new(seed.get()).fill(t.db(), team).await;
        for _ in 0..150 {
            let random = &mut world.random;
            let mut flag = || [None, Some(true), Some(false)].choose(random).copied().flatten();
            let (unread, archived) = (flag(), flag());
            let line = world.random.random_range(1..=LINES);
            let since = world
                .random
                .random_bool(0.4)
                .then(|| START.plus(world.random.random_range(0..60i64) * 7 * Millis::HOUR));
            let filter = ConversationFilter {
                since,
                unread,
                archived,
            };
            let mut expected: Vec<ConversationRow> = world
                .model
                .conversations
                .values()
                .filter(|row| {
                    row.line == line
                        && since.is_none_or(|since| row.last_at > since)
                        && unread.is_none_or(|unread| row.standing.unread == unread)
                        && archived.is_none_or(|archived| row.standing.archived == archived)
                })
                .copied()
                .collect();
            expected.sort_by_key(|row| std::cmp::Reverse((row.last_at, row.conversation)));
            let count = t
                .db()
                .read(move |conn| conversations::count(conn, team, line, filter))
                .await
                .unwrap();
            assert_eq!(count, expected.len() as i64, "{filter:?}");
            let size = world.random.random_range(1..=7);
            for turn in [Turn::ByNumber, Turn::ByCursor] {
                let mut read: Vec<ConversationRow> = Vec::new();
                loop {
                    let position = match (turn, read.last()) {
                        (Turn::ByCursor, Some(last)) => Position::Behind(last.last_at, last.conversation),
                        _ => Position::Offset(read.len() as i64),
                    };
                    let page = t
                        .db()
                        .read(move |conn| conversations::list(conn, team, line, filter, position, size));
                    let page = page.await.unwrap();
                    let done = (page.len() as i64) < size;
                    read.extend(page);
                    if done {
                        break;
                    }
                }
                assert_eq!(read, expected, "{turn:?} by {size}: {filter:?}");
            }
        }
    }
}

/// So many items that pages with high numbers begin where the counting tables say, over forty days of a team that is
/// five hours ahead.
const MANY: &str = "
    INSERT INTO items (team_id, seq, id, kind, direction, line, contact_number, conversation, at, day, result)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60000),
         moments (n, at) AS (SELECT n, CAST($1 AS BIGINT) + n * 7919 % 60000 / 3 * CAST(172800 AS BIGINT) FROM numbers)
    SELECT CAST($2 AS BIGINT), n, 'id-' || n, CASE WHEN n % 3 = 0 THEN 'SMS' ELSE 'CALL' END,
           CASE WHEN n % 5 = 0 THEN 'OUTBOUND' ELSE 'INBOUND' END, CASE WHEN n % 7 = 0 THEN 2 ELSE 1 END,
           '+14155551234', 1, at, (at + 18000000) / 86400000, CASE WHEN n % 3 = 0 THEN NULL ELSE 'MISSED' END
      FROM moments";

const TALLY: &str = "
    INSERT INTO item_days (team_id, day, line, user_id, kind, direction, result, n)
    SELECT team_id, day, line, '', kind, direction, COALESCE(result, ''), COUNT(*)
      FROM items WHERE team_id = $1 GROUP BY team_id, day, line, kind, direction, COALESCE(result, '')";

async fn pages_with_high_numbers_are_the_same_rows(t: TestDb) {
    let team = t.bare_team("many").await;
    let made = t.db().write(move |tx| {
        tx.execute(
            "UPDATE teams SET time_zone = 'Etc/GMT-5' WHERE team_id = $1",
            params![team],
        )?;
        tx.execute(MANY, params![START, team])?;
        tx.execute(TALLY, params![team])
    });
    made.await.unwrap();
    let first = START.plus(5 * Millis::HOUR).0.div_euclid(Millis::DAY) + 3;
    let start = |day: i64| Millis(day * Millis::DAY - 5 * Millis::HOUR);
    let days = DayRange {
        first,
        last: first + 33,
        from: start(first),
        until: start(first + 34),
    };
    let filters = [
        ItemFilter::default(),
        ItemFilter {
            line: Some(1),
            ..ItemFilter::default()
        },
        ItemFilter {
            kind: Some(ItemKind::Call),
            direction: Some(Direction::Inbound),
            ..ItemFilter::default()
        },
        ItemFilter {
            results: vec![CallResult::Missed],
            days: Some(days),
            ..ItemFilter::default()
        },
        ItemFilter {
            days: Some(days),
            ..ItemFilter::default()
        },
    ];
    for filter in filters {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            // One page with everything is read without any seeking.
            let of = filter.clone();
            let page = async |offset: i64, limit: i64| {
                let of = of.clone();
                t.db()
                    .scan(move |conn| search::page(conn, team, &of, order, Position::Offset(offset), limit))
                    .await
                    .unwrap()
            };
            let all = page(0, 100_000).await;
            let total = all.len() as i64;
            assert!(total > 25_000, "{total}");
            for offset in [20_001, 20_002, 23_456, total - 1, total, total + 9, 90_000] {
                let from = usize::try_from(offset.min(total)).unwrap();
                let until = (from + 2_000).min(all.len());
                assert_eq!(
                    page(offset, 2_000).await,
                    all[from..until],
                    "{order:?} {offset} {filter:?}"
                );
            }
        }
    }
}

trunkline_testkit::on_both! {
    totals_are_exact_and_pages_add_up,
    pages_with_high_numbers_are_the_same_rows,
    lists_of_conversations_are_exact_and_add_up,
}
