//! A database with teams and items, a model of what is in it, and an index that follows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trunkline_domain::call::Call;
use trunkline_domain::events::{Topic, Transcript, TranscriptLine};
use trunkline_domain::{
    CallId, CallResult, Direction, Ids, ItemId, ItemKind, MessageId, MessageStatus, MessageType, Millis,
    PhoneNumber, Plan, SeededIds, Speaker, SummaryTemplate, TeamId, UserId,
};
use trunkline_search::{
    Hit, SearchError, SearchIndex, SearchOptions, TextFilter, TextHits, TextOrder, TextQuery, TextStart,
};
use trunkline_store::calls::{CallDetails, CallRow};
use trunkline_store::events::EventRow;
use trunkline_store::items::{ItemRow, SummaryRow};
use trunkline_store::messages::MessageRow;
use trunkline_store::teams::{Counters, TeamRow};
use trunkline_store::{Db, StoreError, TeamKey, Tx, calls, events, items, messages, tags, teams};
use trunkline_testkit::db::TestDb;

/// The first instant of the data.
pub const START: i64 = 1_760_000_000_000;

/// An item as it should be in the index.
#[derive(Clone, Debug)]
pub struct Known {
    pub row: ItemRow,
    pub texts: Vec<String>,
}

/// The items of a team by their numbers.
pub type Known1 = BTreeMap<i64, Known>;

/// A database and what is in it.
pub struct World {
    pub db: Db,
    pub ids: SeededIds,
    pub dir: tempfile::TempDir,
    pub test_db: TestDb,
    pub known: BTreeMap<TeamKey, Known1>,
    pub options: SearchOptions,
}

/// An index whose follower runs.
pub struct Running {
    pub index: SearchIndex,
    cancellation: CancellationToken,
    follower: JoinHandle<()>,
}

/// What is said of a new item; the rest is made up from its number.
#[derive(Clone, Debug)]
pub struct NewItem {
    pub kind: ItemKind,
    pub direction: Direction,
    pub line: i64,
    pub contact: PhoneNumber,
    pub user: Option<UserId>,
    pub at: Millis,
    pub result: Option<CallResult>,
    pub tags: Vec<String>,
    pub conversation: i64,
    pub text: String,
}

pub fn contact(n: i64) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1415555{n:04}")).unwrap()
}

pub fn user(n: u64) -> UserId {
    UserId::new(&SeededIds::new(n), Millis(START))
}

impl NewItem {
    pub fn message(text: &str) -> Self {
        Self {
            kind: ItemKind::Message,
            direction: Direction::Inbound,
            line: 1,
            contact: contact(1),
            user: None,
            at: Millis(START),
            result: None,
            tags: Vec::new(),
            conversation: 1,
            text: text.to_owned(),
        }
    }

    pub fn call(text: &str) -> Self {
        Self {
            kind: ItemKind::Call,
            result: Some(CallResult::Answered),
            user: Some(user(1)),
            ..Self::message(text)
        }
    }
}

/// What a query asks for, briefly.
pub fn query(team: TeamKey, words: &str) -> TextQuery {
    TextQuery {
        team,
        words: trunkline_domain::text::query_words(words),
        filter: TextFilter::default(),
        order: TextOrder::NewestFirst,
        start: TextStart::Offset(0),
        limit: 1_000,
        max_seq: None,
    }
}

pub fn seqs(hits: &[Hit]) -> Vec<i64> {
    hits.iter().map(|hit| hit.seq).collect()
}

impl World {
    pub fn new(test_db: TestDb) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = test_db.db().clone();
        let options = SearchOptions {
            wait: Duration::from_secs(60),
            gather: Duration::from_millis(5),
            poll: Duration::from_millis(20),
            ..SearchOptions::default()
        };
        Self {
            db,
            ids: SeededIds::new(7),
            dir,
            test_db,
            known: BTreeMap::new(),
            options,
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("search")
    }

    pub async fn team(&mut self) -> TeamKey {
        let id = TeamId::new(&self.ids, Millis(START));
        let team = TeamRow {
            key: TeamKey(0),
            id,
            name: "Team".into(),
            plan: Plan::Business,
            time_zone: "Europe/Paris".into(),
            country: "FR".into(),
            sandbox: true,
            read_per_second: 20,
            write_per_second: 5,
            create_tags: true,
            created_at: Millis(START),
            marketing_hours: false,
        };
        let key = self.db.write(move |tx| teams::insert(tx, &team)).await.unwrap();
        self.known.insert(key, Known1::new());
        key
    }

    /// Runs a unit under the team's lock. It returns which items it touched: one event for each.
    async fn unit<F>(&self, team: TeamKey, mut work: F)
    where
        F: FnMut(&mut Tx<'_>, &mut Counters) -> Result<Vec<i64>, StoreError> + Send + 'static,
    {
        let unit = move |tx: &mut Tx<'_>| {
            let mut counters = teams::lock(tx, team)?.unwrap().counters;
            for item in work(tx, &mut counters)? {
                counters.event += 1;
                let (seq, payload) = (counters.event, "{}".to_owned());
                let event = EventRow {
                    seq,
                    topic: Topic::SmsReceived,
                    at: Millis(START),
                    item: Some(item),
                    payload,
                };
                events::append(tx, team, &event)?;
            }
            teams::set_counters(tx, team, counters)
        };
        self.db.write::<_, StoreError, _>(unit).await.unwrap();
    }

    /// Stores a new item, with its event, and returns its number.
    pub async fn add(&mut self, team: TeamKey, new: NewItem) -> i64 {
        let seq = self.known[&team].keys().last().map_or(1, |last| last + 1);
        let known = self.known_from(seq, &new);
        let stored = known.clone();
        self.unit(team, move |tx, counters| {
            counters.item += 1;
            assert_eq!(counters.item, seq);
            store(tx, team, &stored, true)?;
            Ok(vec![seq])
        })
        .await;
        self.known.get_mut(&team).unwrap().insert(seq, known);
        seq
    }

    /// Stores many items with one event for all, as an import does.
    pub async fn import(&mut self, team: TeamKey, new: impl Iterator<Item = NewItem>) {
        let first = self.known[&team].keys().last().map_or(1, |last| last + 1);
        let all: Vec<Known> = (first..)
            .zip(new)
            .map(|(seq, new)| self.known_from(seq, &new))
            .collect();
        let last = first + all.len() as i64 - 1;
        let stored = all.clone();
        let unit = move |tx: &mut Tx<'_>| {
            let mut counters = teams::lock(tx, team)?.unwrap().counters;
            for known in &stored {
                store(tx, team, known, false)?;
            }
            counters.item = last;
            counters.event += 1;
            let payload = format!(r#"{{"from":{first},"to":{last}}}"#);
            let at = Millis(START);
            events::append(
                tx,
                team,
                &EventRow {
                    seq: counters.event,
                    topic: Topic::ItemsImported,
                    at,
                    item: None,
                    payload,
                },
            )?;
            teams::set_counters(tx, team, counters)
        };
        self.db.write::<_, StoreError, _>(unit).await.unwrap();
        self.known
            .get_mut(&team)
            .unwrap()
            .extend(all.into_iter().map(|known| (known.row.seq, known)));
    }

    fn known_from(&self, seq: i64, new: &NewItem) -> Known {
        let id = match new.kind {
            ItemKind::Call => ItemId::Call(CallId::new(&self.ids, new.at)),
            ItemKind::Message => ItemId::Message(MessageId::new(&self.ids, new.at)),
        };
        let row = ItemRow {
            seq,
            id,
            kind: new.kind,
            direction: new.direction,
            line: new.line,
            contact_number: new.contact,
            conversation: new.conversation,
            user_id: new.user,
            at: new.at,
            day: new.at.0 / Millis::DAY,
            result: new.result,
            duration: None,
            tags: new.tags.clone(),
        };
        Known {
            row,
            texts: vec![new.text.clone()],
        }
    }

    /// Changes tags, result or user of an item.
    pub async fn change(&mut self, team: TeamKey, seq: i64, change: impl Fn(&mut ItemRow)) {
        let known = self.known.get_mut(&team).unwrap().get_mut(&seq).unwrap();
        let before = known.row.clone();
        change(&mut known.row);
        let after = known.row.clone();
        self.unit(team, move |tx, _| {
            items::update(tx, team, &before, &after)?;
            for tag in before.tags.iter().filter(|tag| !after.tags.contains(tag)) {
                tags::take_off(tx, team, tag, before.at, seq)?;
            }
            for tag in after.tags.iter().filter(|tag| !before.tags.contains(tag)) {
                tags::put_on(tx, team, tag, after.at, seq)?;
            }
            Ok(vec![seq])
        })
        .await;
    }

    /// Writes or replaces the summary of a call that is shown.
    pub async fn summarise(&mut self, team: TeamKey, seq: i64, content: &str) {
        let texts = &mut self.known.get_mut(&team).unwrap().get_mut(&seq).unwrap().texts;
        texts.truncate(1);
        texts.push(content.to_owned());
        self.summarise_as(SummaryTemplate::Classic, team, seq, content)
            .await;
    }

    /// Writes or replaces a summary of a call that is not shown.
    pub async fn summarise_aside(&mut self, team: TeamKey, seq: i64, content: &str) {
        self.summarise_as(SummaryTemplate::ShortCall, team, seq, content)
            .await;
    }

    async fn summarise_as(&self, template: SummaryTemplate, team: TeamKey, seq: i64, content: &str) {
        let content = content.to_owned();
        let summary = SummaryRow {
            template,
            content,
            version: 1,
            updated_at: Millis(START),
            updated_by: None,
        };
        self.unit(team, move |tx, _| {
            items::set_summary(tx, team, seq, &summary)?;
            Ok(vec![seq])
        })
        .await;
    }

    /// An event that touches no item.
    pub async fn bare_event(&self, team: TeamKey) {
        let unit = move |tx: &mut Tx<'_>| {
            let mut counters = teams::lock(tx, team)?.unwrap().counters;
            counters.event += 1;
            let (seq, payload) = (counters.event, "{}".to_owned());
            events::append(
                tx,
                team,
                &EventRow {
                    seq,
                    topic: Topic::ContactCreated,
                    at: Millis(START),
                    item: None,
                    payload,
                },
            )?;
            teams::set_counters(tx, team, counters)
        };
        self.db.write::<_, StoreError, _>(unit).await.unwrap();
    }

    /// Opens the index. A commit of an index that was just dropped may still hold the folder for a moment.
    pub async fn open(&self) -> (SearchIndex, trunkline_search::Follower) {
        loop {
            match SearchIndex::open(&self.folder(), self.db.clone(), self.options) {
                Err(SearchError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                opened => return opened.unwrap(),
            }
        }
    }

    /// Opens the index and runs its follower until it is ready.
    pub async fn start(&self) -> Running {
        let (index, follower) = self.open().await;
        let cancellation = CancellationToken::new();
        let follower = tokio::spawn(follower.run(cancellation.clone()));
        let running = Running {
            index,
            cancellation,
            follower,
        };
        running
            .index
            .progress()
            .wait_for(|progress| progress.ready)
            .await
            .unwrap();
        running
    }
}

impl Running {
    /// Answers that are complete.
    pub async fn search(&self, query: TextQuery) -> TextHits {
        let hits = self.index.search(query).await.unwrap();
        assert_eq!(hits.behind, 0);
        hits
    }

    pub async fn stop(self) {
        self.cancellation.cancel();
        self.follower.await.unwrap();
    }

    /// As if the process died: whatever the follower was about to do is not done.
    pub async fn kill(self) {
        self.follower.abort();
        let ended = self.follower.await;
        assert!(ended.is_ok() || ended.unwrap_err().is_cancelled());
    }
}

fn store(tx: &mut Tx<'_>, team: TeamKey, known: &Known, counted: bool) -> Result<(), StoreError> {
    let row = &known.row;
    if counted {
        items::insert(tx, team, row)?
    } else {
        items::insert_uncounted(tx, team, row)?
    }
    for tag in &row.tags {
        tags::put_on(tx, team, tag, row.at, row.seq)?;
    }
    let text = known.texts[0].clone();
    match row.kind {
        ItemKind::Call => {
            // A line of a transcript for every few words.
            let words: Vec<&str> = text.split(' ').collect();
            let lines = words.chunks(4).map(|words| words.join(" "));
            let line = |text| TranscriptLine {
                source: Speaker::External,
                time: row.at,
                text,
            };
            items::set_transcript(
                tx,
                team,
                row.seq,
                &Transcript::new(&lines.map(line).collect::<Vec<_>>()),
            )?;
            let call = CallRow {
                seq: row.seq,
                call: Call::ring(row.direction, row.at),
                failure_reason: None,
                recording_url: None,
                recording_seconds: None,
                summary_template: Some(SummaryTemplate::Classic),
                details: CallDetails::default(),
                extracted_data: None,
                node: "tests".into(),
                process_by: None,
                completed_at: None,
            };
            calls::insert(tx, team, &call)
        }
        ItemKind::Message => {
            let message = MessageRow {
                seq: row.seq,
                content: text,
                status: MessageStatus::Delivered,
                message_type: MessageType::Sms,
                carrier: "sandbox".into(),
                carrier_ref: None,
                failure_reason: None,
                media: Vec::new(),
                taken_at: None,
                segments: None,
            };
            messages::insert(tx, team, &message)
        }
    }
}

/// A seed that differs by name and number, the same in every run.
pub fn seed(name: &str, number: u64) -> u64 {
    let mut bytes = [0; 8];
    SeededIds::new(name.bytes().fold(number, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    }))
    .fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
