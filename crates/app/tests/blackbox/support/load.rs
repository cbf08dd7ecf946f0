//! A team, and clients that write to it: each write has an `Idempotency-Key` of its own and is repeated with it until
//! the server acknowledges it, whatever happens to the server meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use trunkline_store::{Db, StoreError, params};
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::{apart, options};

use super::api::Api;
use super::program::Place;
use super::{Random, now, since};

/// The team's lines.
pub const LINES: [&str; 2] = ["+14155550100", "+33142685300"];

/// How long a write may be repeated.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(120);

/// A sandbox team with two lines and no limits to speak of.
pub struct Team {
    pub id: String,
    pub key: String,
}

impl Team {
    /// Makes it with the program's own commands.
    pub async fn make(place: &Place) -> Self {
        let id = place
            .run(&["teams", "create", "Fog City Supplies", "--sandbox"])
            .await
            .ok()
            .trim()
            .to_owned();
        let ada = [
            "users",
            "create",
            "Ada Park",
            "--email",
            "ada@fogcity.example",
            "--role",
            "admin",
        ];
        place.run(&ada).await.ok();
        for line in LINES {
            place
                .run(&["numbers", "add", line, "--members", "ada@fogcity.example"])
                .await
                .ok();
        }
        let key = place.run(&["keys", "create"]).await.ok().trim().to_owned();
        lift_limits(place).await;
        Self { id, key }
    }
}

/// Opens the database of a place.
pub fn database(place: &Place) -> Db {
    let location = place.location();
    apart(|| Db::open(&location, options()))
        .unwrap_or_else(|error| panic!("the database cannot be opened: {error}"))
}

/// Closes a database that the test opened.
pub async fn close(db: Db) {
    tokio::task::spawn_blocking(move || db.close())
        .await
        .expect("a thread");
}

/// Takes the rate limits off all teams.
pub async fn lift_limits(place: &Place) {
    let db = database(place);
    let lifted: Result<u64, StoreError> = db
        .write(|tx| {
            let sql = "UPDATE teams SET read_per_second = $1, write_per_second = $2";
            tx.execute(sql, params![1_000_000_i64, 1_000_000_i64])
        })
        .await;
    lifted.expect("limits");
    close(db).await;
}

/// A write.
#[derive(Clone, Debug)]
pub enum Op {
    /// A text comes in; its first word is nobody else's.
    Text {
        content: String,
        reference: String,
        contact: String,
        line: &'static str,
    },
    /// A call rings; its contact is nobody else's.
    Call { contact: String, body: Value },
    /// A call gets a tag it does not have.
    Tag { call: String, tag: String },
    /// The summary of a call is written anew.
    Summary { call: String, content: String },
}

impl Op {
    fn request(&self) -> (Method, String, Value) {
        match self {
            Self::Text {
                content,
                reference,
                contact,
                line,
            } => {
                let body = json!({ "from": contact, "to": line, "content": content, "reference": reference });
                (Method::POST, "/sandbox/messages".to_owned(), body)
            }
            Self::Call { body, .. } => (Method::POST, "/sandbox/calls".to_owned(), body.clone()),
            Self::Tag { call, tag } => (
                Method::POST,
                format!("/v2/api/conversations/items/{call}/tags"),
                json!({ "tags": [tag] }),
            ),
            Self::Summary { call, content } => (
                Method::PATCH,
                format!("/v2/api/conversations/items/{call}/summary"),
                json!({ "content": content }),
            ),
        }
    }
}

/// A write that was acknowledged.
#[derive(Clone, Debug)]
pub struct Done {
    pub key: String,
    pub op: Op,
    pub status: u16,
    pub answer: String,
    /// The id in the answer.
    pub id: String,
}

impl Done {
    /// Whether it is a call that rings for two minutes.
    pub fn rings_long(&self) -> bool {
        matches!(&self.op, Op::Call { body, .. } if body["ring_seconds"] == 120)
    }
}

/// One attempt at a write.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub began: Instant,
    /// 0 without an answer.
    pub status: u16,
}

/// How a group of clients behaves.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub clients: u64,
    /// The longest pause between two writes of a client, in milliseconds.
    pub pause_ms: u64,
    /// One call in so many rings for two minutes.
    pub long_calls: u64,
}

/// Writes that are going on.
pub struct Load {
    pub api: Api,
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    numbers: AtomicU64,
    stop: AtomicBool,
    done: Mutex<Vec<Done>>,
    attempts: Mutex<Vec<Attempt>>,
}

impl Load {
    /// Starts clients.
    pub fn start(api: Api, pace: Pace, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            numbers: AtomicU64::new(1),
            stop: AtomicBool::new(false),
            done: Mutex::default(),
            attempts: Mutex::default(),
        });
        let client = |n: u64| {
            let random = Random::new(seed.wrapping_mul(1_000) + n);
            let client = Client {
                api: api.clone(),
                shared: shared.clone(),
                random,
                pace,
                calls: Vec::new(),
            };
            tokio::spawn(client.run())
        };
        Self {
            clients: (0..pace.clients).map(client).collect(),
            api,
            shared,
        }
    }

    /// Lets a call ring beside those of the clients, one that lives for five seconds of the real time.
    pub async fn slow_call(&self) {
        let number = self.shared.numbers.fetch_add(1, Ordering::SeqCst);
        let contact = format!("+336{number:08}");
        let body = json!({
            "from": contact, "to": LINES[0], "ring_seconds": 2, "talk_seconds": 1, "tags": ["slow"],
            "lines": [{ "source": "EXTERNAL", "at": 1, "text": format!("said {} slowly", word(number)) }],
        });
        let op = Op::Call { contact, body };
        let done = insist(&self.api, &format!("key-{number}"), op, &self.shared.attempts).await;
        self.shared.done.lock().push(done);
    }

    /// How many writes were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.done.lock().len()
    }

    /// The attempts that began at or after `from`.
    pub fn attempts(&self, from: Instant) -> Vec<Attempt> {
        self.shared
            .attempts
            .lock()
            .iter()
            .filter(|attempt| attempt.began >= from)
            .cloned()
            .collect()
    }

    /// No new writes; those that were begun are repeated until they are acknowledged. Returns all that were.
    pub async fn finish(self) -> Vec<Done> {
        self.shared.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.expect("a client that met what it must not meet");
        }
        std::mem::take(&mut *self.shared.done.lock())
    }
}

struct Client {
    api: Api,
    shared: Arc<Shared>,
    random: Random,
    pace: Pace,
    calls: Vec<(String, HashSet<u64>)>,
}

impl Client {
    async fn run(mut self) {
        while !self.shared.stop.load(Ordering::SeqCst) {
            let number = self.shared.numbers.fetch_add(1, Ordering::SeqCst);
            let op = self.choose(number);
            let done = insist(&self.api, &format!("key-{number}"), op, &self.shared.attempts).await;
            if let Op::Call { .. } = done.op {
                self.calls.push((done.id.clone(), HashSet::new()));
            }
            if self.random.below(20) == 0 {
                repeat(&self.api, &done).await;
            }
            self.shared.done.lock().push(done);
            tokio::time::sleep(self.random.millis(0, self.pace.pause_ms + 1)).await;
        }
    }

    fn choose(&mut self, number: u64) -> Op {
        let line = LINES[usize::from(self.random.below(3) == 0)];
        match self.random.below(100) {
            0..25 => call(&mut self.random, number, line, self.pace.long_calls),
            kind @ 25..55 if !self.calls.is_empty() => {
                let at = usize::try_from(self.random.below(self.calls.len() as u64)).expect("an index");
                let (call, tags) = &mut self.calls[at];
                let tag = self.random.below(40);
                if kind < 40 && tags.len() < 20 && tags.insert(tag) {
                    Op::Tag {
                        call: call.clone(),
                        tag: format!("tag-{tag}"),
                    }
                } else {
                    Op::Summary {
                        call: call.clone(),
                        content: format!("version {number} of what was said"),
                    }
                }
            }
            _ => Op::Text {
                content: format!("{} {} some words to be found again", word(number), bucket(number)),
                reference: format!("reference-{number}"),
                contact: format!("+1415555{:04}", 1_000 + self.random.below(150)),
                line,
            },
        }
    }
}

/// A word that only the write of this number has.
pub fn word(number: u64) -> String {
    format!("w{number:07}x")
}

fn bucket(number: u64) -> String {
    format!("bucket{:02}", number % 20)
}

fn call(random: &mut Random, number: u64, line: &'static str, long_calls: u64) -> Op {
    let contact = format!("+336{number:08}");
    let outcome = [
        "ANSWERED",
        "ANSWERED",
        "ANSWERED",
        "VOICEMAIL",
        "MISSED",
        "HUNG_UP",
        "BLOCKED",
        "FAILED",
        "BUSY",
    ][usize::try_from(random.below(9)).expect("an index")];
    let outbound = random.below(4) == 0;
    let (from, to) = if outbound {
        (line, contact.as_str())
    } else {
        (contact.as_str(), line)
    };
    let long = random.below(long_calls) == 0;
    let body = json!({
        "direction": if outbound { "OUTBOUND" } else { "INBOUND" },
        "from": from,
        "to": to,
        "outcome": outcome,
        "ring_seconds": if long { 120 } else { 3 },
        "speed": if long { 1 } else { 1_000 },
        "lines": [
            { "source": "EXTERNAL", "at": 1, "text": format!("said {} about the bill", word(number)) },
            { "source": "USER", "at": 4, "text": "let me look" },
        ],
        "tags": if random.below(5) == 0 { json!(["from-the-script"]) } else { json!([]) },
    });
    Op::Call { contact, body }
}

/// Repeats a write until it is acknowledged. The only answers that are allowed meanwhile are none at all, and 503 with
/// everything that a client needs to come back.
async fn insist(api: &Api, key: &str, op: Op, attempts: &Mutex<Vec<Attempt>>) -> Done {
    let (method, path, body) = op.request();
    let start = now();
    loop {
        assert!(since(start) < ACKNOWLEDGED_WITHIN, "{op:?} is not acknowledged");
        let began = now();
        let outcome = api.try_send(method.clone(), &path, Some(key), Some(&body)).await;
        attempts.lock().push(Attempt {
            began,
            status: outcome.as_ref().map_or(0, |reply| reply.status),
        });
        match outcome {
            Ok(reply) if (200..300).contains(&reply.status) => {
                let id = reply.data()["id"].as_str().unwrap_or_default().to_owned();
                return Done {
                    key: key.to_owned(),
                    op,
                    status: reply.status,
                    answer: reply.text,
                    id,
                };
            }
            Ok(reply) => {
                assert_may_be_repeated(&reply, &op);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn assert_may_be_repeated(reply: &Reply, op: &Op) {
    let shown = || format!("{op:?}: {} {}", reply.status, reply.text);
    if reply.code() == "OTHER_TRANSACTION_IN_PROGRESS" {
        return;
    }
    assert_eq!(reply.status, 503, "{}", shown());
    assert_eq!(reply.json["error"]["retryable"], true, "{}", shown());
    assert!(
        reply
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1),
        "{}",
        shown()
    );
}

/// Sends an acknowledged write once more: the answer is the same, byte for byte. While the server is away, nothing is
/// learned.
async fn repeat(api: &Api, done: &Done) {
    let (method, path, body) = done.op.request();
    if let Ok(reply) = api.try_send(method, &path, Some(&done.key), Some(&body)).await
        && reply.status != 503
    {
        assert_eq!(
            (reply.status, &reply.text),
            (done.status, &done.answer),
            "{:?}",
            done.op
        );
        assert_eq!(reply.header("idempotency-replayed"), "true", "{:?}", done.op);
    }
}

/// Sends `count` of the acknowledged writes once more, picked evenly.
pub async fn repeat_some(api: &Api, done: &[Done], count: usize) {
    for done in done.iter().step_by((done.len() / count).max(1)) {
        repeat(api, done).await;
    }
}
