//! Order, pace and doubt: what goes out when, when a carrier is down, slow or silent.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use trunkline_domain::{ItemId, MessageStatus, Millis, PhoneNumber};
use trunkline_messaging::worker::{Options, Worker};
use trunkline_messaging::{Accepted, Carrier, Carriers, Found, Inbound, InboundError, SendError, Webhook};
use trunkline_store::crypto::Vault;
use trunkline_store::messages::{self as rows, MessageRow};
use trunkline_store::{items, text_queue};
use trunkline_switchboard::lines::{self, UpdateNumber};
use trunkline_switchboard::messages::{self, Outgoing, Report, Send};
use trunkline_testkit::db::{Office, TestDb, fr, marie, nobody, sarah, us};

trunkline_testkit::on_both! {
    texts_of_a_conversation_go_out_one_after_the_other,
    a_carrier_that_is_down_delays_in_order_and_recovers,
    a_text_that_is_refused_lets_the_next_go,
    a_text_that_nobody_takes_for_a_day_fails,
    without_an_answer_the_carrier_is_asked_first,
    what_the_carrier_does_not_have_is_sent_again,
    the_same_words_twice_are_two_texts,
    a_text_that_was_under_way_in_a_crash_is_asked_for,
    a_receipt_settles_a_text_in_doubt,
    a_number_keeps_its_pace_on_all_nodes,
    a_carrier_keeps_its_pace,
    a_slow_number_holds_up_nobody,
}

/// How one attempt goes.
#[derive(Clone)]
enum Turn {
    Takes,
    Refuses,
    Down,
    /// It takes the text, and its answer is lost.
    Silent,
    /// It does not take the text, and its answer is lost.
    Deaf,
}

/// A carrier that does what it is told, and takes every text after that.
#[derive(Default)]
struct Fake {
    turns: Mutex<VecDeque<Turn>>,
    taken: Mutex<Vec<Outgoing>>,
    asked: Mutex<usize>,
    found: Mutex<usize>,
    /// Something was asked or taken.
    moved: Notify,
    /// Texts from this line wait until they are let go.
    held: Option<(PhoneNumber, Notify)>,
}

impl Fake {
    fn new(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        Arc::new(Self {
            turns: Mutex::new(turns.into_iter().collect()),
            ..Self::default()
        })
    }

    fn taken(&self) -> Vec<String> {
        self.taken
            .lock()
            .iter()
            .map(|text| text.content.clone())
            .collect()
    }

    fn take(&self, text: &Outgoing) -> String {
        let mut taken = self.taken.lock();
        taken.push(text.clone());
        self.moved.notify_one();
        format!("ref-{}", taken.len())
    }
}

impl Carrier for Fake {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn send<'s>(
        &'s self,
        text: &'s Outgoing,
        _: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + std::marker::Send + 's>> {
        Box::pin(async move {
            *self.asked.lock() += 1;
            self.moved.notify_one();
            if let Some((line, go)) = &self.held
                && text.line.number == Some(*line)
            {
                go.notified().await;
            }
            let turn = self.turns.lock().pop_front().unwrap_or(Turn::Takes);
            match turn {
                Turn::Takes => Ok(Accepted {
                    carrier_ref: self.take(text),
                    follow_up: None,
                }),
                Turn::Refuses => Err(SendError::Refused("no".to_owned())),
                Turn::Down => Err(SendError::Down("nobody there".to_owned())),
                Turn::Silent => {
                    self.take(text);
                    Err(SendError::Unknown("the connection broke".to_owned()))
                }
                Turn::Deaf => Err(SendError::Unknown("the connection broke".to_owned())),
            }
        })
    }

    fn find<'s>(
        &'s self,
        text: &'s Outgoing,
        _: Millis,
        _: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Found, SendError>> + std::marker::Send + 's>> {
        *self.found.lock() += 1;
        let taken = self.taken.lock();
        let like = taken.iter().enumerate().filter(|(_, other)| {
            (other.to, &other.content, other.line.line) == (text.to, &text.content, text.line.line)
        });
        let like = like.map(|(place, _)| format!("ref-{}", place + 1)).collect();
        Box::pin(std::future::ready(Ok(Found::Like(like))))
    }

    fn inbound(&self, _: &Webhook<'_>, _: Option<&str>) -> Result<Inbound, InboundError> {
        Ok(Inbound::Nothing)
    }
}

fn worker(office: &Office, node: &str, carrier: &Arc<Fake>, options: Options) -> Worker {
    let carriers = Carriers::new(vec![carrier.clone()]);
    Worker::new(
        office.node(node),
        carriers,
        Vault::new("a secret of these tests"),
        options,
    )
}

/// Works, with pauses as long as they have to be, until nothing waits any more.
async fn work_off(office: &Office, worker: &Worker) {
    for _ in 0..200 {
        worker.work_once().await.unwrap();
        let lanes = office.board.db().read(text_queue::lanes).await.unwrap();
        if lanes.is_empty() {
            return;
        }
        office.clock.advance(Millis::SECOND);
    }
    panic!("texts wait for ever");
}

async fn send(office: &Office, line: PhoneNumber, to: PhoneNumber, content: &str) -> i64 {
    let text = Send {
        line,
        to,
        content: content.to_owned(),
        media: Vec::new(),
        user: None,
    };
    let id = office.run(move |work| messages::send(work, &text)).await.unwrap();
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| items::get(conn, team, ItemId::Message(id)));
    found.await.unwrap().unwrap().seq
}

async fn row(office: &Office, seq: i64) -> MessageRow {
    let team = office.team;
    let found = office.board.db().read(move |conn| rows::get(conn, team, seq));
    found.await.unwrap().unwrap()
}

async fn told(office: &Office, since: i64) -> Vec<&'static str> {
    let events = office.events_after(since).await;
    events.iter().map(|event| event.topic.as_str()).collect()
}

async fn texts_of_a_conversation_go_out_one_after_the_other(t: TestDb) {
    let office = t.office().await;
    for n in 0..3 {
        send(&office, us(), sarah(), &format!("to Sarah {n}")).await;
        send(&office, us(), nobody(), &format!("to nobody {n}")).await;
    }
    let carrier = Fake::new([]);
    let worker = worker(&office, "one", &carrier, Options::default());
    for n in 0..3 {
        assert_eq!(
            worker.work_once().await.unwrap(),
            2,
            "the oldest of each conversation"
        );
        let mut both = carrier.taken().split_off(2 * n);
        both.sort();
        assert_eq!(both, [format!("to Sarah {n}"), format!("to nobody {n}")]);
    }
    assert_eq!(worker.work_once().await.unwrap(), 0);
    office.assert_sound().await;
}

async fn a_carrier_that_is_down_delays_in_order_and_recovers(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(send(&office, us(), sarah(), &format!("{n}")).await);
    }
    let carrier = Fake::new(vec![Turn::Down; 12]);
    let worker = worker(&office, "one", &carrier, Options::default());
    let began = office.clock.advance(0);
    for _ in 0..5 {
        worker.work_once().await.unwrap();
    }
    assert_eq!(*carrier.asked.lock(), 1, "it is not asked again at once");
    for seq in &sent {
        assert_eq!(row(&office, *seq).await.status, MessageStatus::Pending);
    }
    // 12 failures: after half a second, one, two, … and then every minute.
    for _ in 0..12 {
        office.clock.advance(Millis::MINUTE);
        worker.work_once().await.unwrap();
    }
    assert!(office.clock.advance(0).since(began) < Millis::HOUR);
    work_off(&office, &worker).await;
    assert_eq!(carrier.taken(), ["0", "1", "2", "3"]);
    assert_eq!(*carrier.found.lock(), 0, "nothing was in doubt");
    assert_eq!(told(&office, before).await, ["sms.sent"; 4]);
}

async fn a_text_that_is_refused_lets_the_next_go(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let first = send(&office, us(), sarah(), "1").await;
    send(&office, us(), sarah(), "2").await;
    let carrier = Fake::new([Turn::Refuses]);
    let worker = worker(&office, "one", &carrier, Options::default());
    work_off(&office, &worker).await;
    assert_eq!(row(&office, first).await.failure_reason.as_deref(), Some("no"));
    assert_eq!(carrier.taken(), ["2"]);
    assert_eq!(told(&office, before).await, ["sms.failed", "sms.sent"]);
}

async fn a_text_that_nobody_takes_for_a_day_fails(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let seq = send(&office, us(), sarah(), "1").await;
    let carrier = Fake::new(vec![Turn::Down; 1_000]);
    let worker = worker(&office, "one", &carrier, Options::default());
    worker.work_once().await.unwrap();
    office.clock.advance(Millis::DAY - 1);
    worker.work_once().await.unwrap();
    assert_eq!(row(&office, seq).await.status, MessageStatus::Pending);
    office.clock.advance(Millis::MINUTE);
    worker.work_once().await.unwrap();
    let failed = row(&office, seq).await;
    assert_eq!(failed.status, MessageStatus::Failed);
    assert!(failed.failure_reason.unwrap().contains("nobody there"));
    assert_eq!(told(&office, before).await, ["sms.failed"]);
    assert_eq!(worker.work_once().await.unwrap(), 0);
}

async fn without_an_answer_the_carrier_is_asked_first(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let seq = send(&office, us(), sarah(), "once").await;
    let carrier = Fake::new([Turn::Silent]);
    let worker = worker(&office, "one", &carrier, Options::default());
    worker.work_once().await.unwrap();
    assert_eq!(row(&office, seq).await.status, MessageStatus::Pending);
    work_off(&office, &worker).await;
    assert_eq!((carrier.taken().len(), *carrier.found.lock()), (1, 1));
    let known = row(&office, seq).await;
    assert_eq!(
        (known.status, known.carrier_ref.as_deref()),
        (MessageStatus::Sent, Some("ref-1"))
    );
    assert_eq!(told(&office, before).await, ["sms.sent"]);
}

async fn what_the_carrier_does_not_have_is_sent_again(t: TestDb) {
    let office = t.office().await;
    send(&office, us(), sarah(), "first").await;
    send(&office, us(), sarah(), "second").await;
    let carrier = Fake::new([Turn::Deaf, Turn::Deaf, Turn::Down, Turn::Takes, Turn::Silent]);
    let worker = worker(&office, "one", &carrier, Options::default());
    work_off(&office, &worker).await;
    assert_eq!(carrier.taken(), ["first", "second"]);
    // After "nobody there" nothing was in doubt any more.
    assert_eq!(*carrier.found.lock(), 3);
}

/// The one that the carrier has must not be taken for the one that it does not have.
async fn the_same_words_twice_are_two_texts(t: TestDb) {
    let office = t.office().await;
    let (first, second) = (
        send(&office, us(), sarah(), "ok").await,
        send(&office, us(), sarah(), "ok").await,
    );
    let carrier = Fake::new([Turn::Takes, Turn::Deaf]);
    let worker = worker(&office, "one", &carrier, Options::default());
    work_off(&office, &worker).await;
    assert_eq!(carrier.taken(), ["ok", "ok"]);
    assert_eq!(row(&office, first).await.carrier_ref.as_deref(), Some("ref-1"));
    assert_eq!(row(&office, second).await.carrier_ref.as_deref(), Some("ref-2"));
}

/// A worker that was killed between the carrier's yes and its own commit.
async fn a_text_that_was_under_way_in_a_crash_is_asked_for(t: TestDb) {
    let office = t.office().await;
    send(&office, us(), sarah(), "once").await;
    let held = Arc::new(Fake {
        held: Some((us(), Notify::new())),
        ..Fake::default()
    });
    let killed = worker(&office, "killed", &held, Options::default());
    let attempt = tokio::spawn(async move { killed.work_once().await });
    while *held.asked.lock() == 0 {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    // The carrier had it all the same.
    let carrier = Fake::new([]);
    let outgoing = {
        let team = office.team;
        let read = office
            .board
            .db()
            .read(move |conn| messages::outgoing(conn, team, 1));
        read.await.unwrap().unwrap()
    };
    carrier.take(&outgoing);
    let other = worker(&office, "other", &carrier, Options::default());
    assert_eq!(other.work_once().await.unwrap(), 0, "it is leased");
    office.clock.advance(Millis::MINUTE);
    work_off(&office, &other).await;
    assert_eq!((carrier.taken().len(), *carrier.asked.lock()), (1, 0));
}

async fn a_receipt_settles_a_text_in_doubt(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let seq = send(&office, us(), sarah(), "once").await;
    send(&office, us(), sarah(), "next").await;
    let carrier = Fake::new([Turn::Silent]);
    let worker = worker(&office, "one", &carrier, Options::default());
    worker.work_once().await.unwrap();
    let arrived = Report {
        status: MessageStatus::Delivered,
        carrier_ref: Some("ref-1".to_owned()),
        failure_reason: None,
    };
    let settled = office
        .run(move |work| messages::report(work, seq, &arrived))
        .await;
    assert!(settled.unwrap());
    work_off(&office, &worker).await;
    assert_eq!(
        (carrier.taken(), *carrier.found.lock()),
        (vec!["once".to_owned(), "next".to_owned()], 0)
    );
    assert_eq!(
        told(&office, before).await,
        ["sms.sent", "sms.delivered", "sms.sent"]
    );
}

async fn a_number_keeps_its_pace_on_all_nodes(t: TestDb) {
    let office = t.office().await;
    let line = office.us_line;
    let changes = UpdateNumber {
        texts_per_second: Some(2.0),
        ..UpdateNumber::default()
    };
    let update = office.run(move |work| lines::update(work, line, &changes).map(drop));
    update.await.unwrap();
    for n in 0..40 {
        let to = format!("+1415555{:04}", 2_000 + n).parse_number();
        send(&office, us(), to, "paced").await;
    }
    let carrier = Fake::new([]);
    let nodes = ["one", "two"].map(|node| worker(&office, node, &carrier, Options::default()));
    let mut by_second: HashMap<i64, usize> = HashMap::new();
    let began = office.clock.advance(0);
    for _ in 0..200 {
        let mut sent = 0;
        for node in &nodes {
            sent += node.work_once().await.unwrap();
        }
        let now = office.clock.advance(50);
        *by_second.entry(now.plus(-50).since(began) / 1_000).or_default() += sent;
    }
    for second in 0..10 {
        assert_eq!(by_second[&second], 2, "{by_second:?}");
    }
    assert_eq!(carrier.taken().len(), 20);
}

/// `"+1…".parse_number()` reads better than a function around a format.
trait ParseNumber {
    fn parse_number(&self) -> PhoneNumber;
}

impl ParseNumber for String {
    fn parse_number(&self) -> PhoneNumber {
        trunkline_testkit::db::number(self)
    }
}

async fn a_carrier_keeps_its_pace(t: TestDb) {
    let office = t.office().await;
    for n in 0..30 {
        let to = format!("+1415555{:04}", 2_000 + n).parse_number();
        send(&office, us(), to, "paced").await;
        let to = format!("+336123456{n:02}").parse_number();
        send(&office, fr(), to, "paced").await;
    }
    let carrier = Fake::new([]);
    let options = Options {
        carrier_interval_us: 100_000,
        ..Options::default()
    };
    let worker = worker(&office, "one", &carrier, options);
    for tenth in 0..30 {
        worker.work_once().await.unwrap();
        assert_eq!(carrier.taken().len(), tenth + 1);
        office.clock.advance(100);
    }
}

/// One number's carrier does not answer; the other number's texts go out meanwhile.
async fn a_slow_number_holds_up_nobody(t: TestDb) {
    let office = t.office().await;
    for n in 0..20 {
        let to = format!("+1415555{:04}", 2_000 + n).parse_number();
        send(&office, us(), to, "slow").await;
    }
    for n in 0..10 {
        send(&office, fr(), marie(), &format!("{n}")).await;
    }
    let carrier = Arc::new(Fake {
        held: Some((us(), Notify::new())),
        ..Fake::default()
    });
    let options = Options {
        in_flight: 8,
        per_line: 4,
        ..Options::default()
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(worker(&office, "one", &carrier, options).run(stop.clone()));
    while carrier.taken().len() < 10 || *carrier.asked.lock() < 14 {
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), carrier.moved.notified()).await;
        waited.expect("the other number's texts go out, and four of the slow one are under way");
    }
    assert_eq!(
        carrier.taken(),
        (0..10).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(*carrier.asked.lock(), 14, "four of the slow number are under way");
    stop.cancel();
    let (_, go) = carrier.held.as_ref().unwrap();
    while !running.is_finished() {
        go.notify_waiters();
        tokio::task::yield_now().await;
    }
}
