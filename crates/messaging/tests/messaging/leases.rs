//! A carrier that takes longer than the lease of a job: by then the job is another worker's, and nothing happens twice.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use trunkline_domain::{ItemId, MessageStatus, Millis};
use trunkline_messaging::worker::{Options, Worker};
use trunkline_messaging::{Accepted, Carrier, Carriers, FollowUp, Inbound, InboundError, SendError, Webhook};
use trunkline_store::crypto::Vault;
use trunkline_store::items;
use trunkline_store::messages::{self as rows, MessageRow};
use trunkline_switchboard::Switchboard;
use trunkline_switchboard::messages::{self, Outgoing, Report, Send};
use trunkline_testkit::db::{Office, TestDb, marie, sarah, us};

/// Longer than any lease.
const LONG: i64 = 10 * Millis::MINUTE;

/// A carrier that says what it is told to say. One that is slow says it when it is let go.
struct Fake {
    says: Result<(&'static str, bool), SendError>,
    slow: Option<Slow>,
    asked: Mutex<Vec<Outgoing>>,
}

#[derive(Default)]
struct Slow {
    asked: Notify,
    go: Notify,
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
            self.asked.lock().push(text.clone());
            if let Some(slow) = &self.slow {
                slow.asked.notify_one();
                slow.go.notified().await;
            }
            let (reference, arrives) = self.says.clone()?;
            let report = Report {
                status: MessageStatus::Delivered,
                carrier_ref: None,
                failure_reason: None,
            };
            Ok(Accepted {
                carrier_ref: format!("{reference}-{}", text.id),
                follow_up: arrives.then_some(FollowUp { after_ms: 0, report }),
            })
        })
    }

    fn inbound(&self, _: &Webhook<'_>, _: Option<&str>) -> Result<Inbound, InboundError> {
        Ok(Inbound::Nothing)
    }
}

fn quick(says: Result<&'static str, SendError>) -> Arc<Fake> {
    Arc::new(Fake {
        says: says.map(|reference| (reference, true)),
        slow: None,
        asked: Mutex::default(),
    })
}

fn slow(says: Result<&'static str, SendError>) -> Arc<Fake> {
    Arc::new(Fake {
        says: says.map(|reference| (reference, true)),
        slow: Some(Slow::default()),
        asked: Mutex::default(),
    })
}

async fn work(board: Switchboard, carrier: Arc<Fake>) -> usize {
    let carriers = Carriers::new(vec![carrier]);
    let vault = Vault::new("a secret of these tests");
    let worker = Worker::new(board, carriers, vault, Options::default());
    worker.work_once().await.unwrap()
}

/// A worker whose carrier has been asked and does not answer, while its lease ends.
async fn a_worker_that_is_too_slow(office: &Office, carrier: &Arc<Fake>) -> JoinHandle<usize> {
    let worker = tokio::spawn(work(office.node("slow"), carrier.clone()));
    carrier.slow.as_ref().unwrap().asked.notified().await;
    office.clock.advance(LONG);
    worker
}

async fn let_go(worker: JoinHandle<usize>, carrier: &Arc<Fake>) {
    carrier.slow.as_ref().unwrap().go.notify_one();
    worker.await.unwrap();
}

async fn send(office: &Office, content: &str) -> i64 {
    let text = Send {
        line: us(),
        to: if content == "to Marie" { marie() } else { sarah() },
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

async fn jobs(office: &Office) -> Vec<String> {
    let ids = "SELECT id FROM jobs UNION ALL SELECT CAST(seq AS TEXT) FROM text_queue ORDER BY 1";
    office
        .board
        .db()
        .read(move |conn| conn.rows(ids, &[], |row| row.get(0)))
        .await
        .unwrap()
}

async fn told(office: &Office, since: i64) -> Vec<&'static str> {
    let events = office.events_after(since).await;
    events.iter().map(|event| event.topic.as_str()).collect()
}

async fn what_both_workers_sent_is_told_once(t: TestDb) {
    let office = t.office().await;
    let (seq, before) = (send(&office, "hello").await, office.last_event().await);
    let late = slow(Ok("late"));
    let worker = a_worker_that_is_too_slow(&office, &late).await;
    assert_eq!(work(office.node("quick"), quick(Ok("quick"))).await, 1);
    let known = row(&office, seq).await;
    let_go(worker, &late).await;
    assert_eq!(row(&office, seq).await, known, "the quick one was first");
    assert_eq!(told(&office, before).await, ["sms.sent"]);
    // What the carrier says later comes once, too.
    assert_eq!(jobs(&office).await.len(), 1);
    work(office.node("quick"), quick(Ok("quick"))).await;
    assert_eq!(told(&office, before).await, ["sms.sent", "sms.delivered"]);
    assert!(jobs(&office).await.is_empty());
}

async fn a_refusal_that_comes_too_late_is_nobodys(t: TestDb) {
    let office = t.office().await;
    for refusal in [
        SendError::Refused("no".to_owned()),
        SendError::Later("not now".to_owned()),
    ] {
        let (seq, before) = (send(&office, "hello").await, office.last_event().await);
        let (first, second) = (slow(Err(refusal)), slow(Ok("second")));
        let too_slow = a_worker_that_is_too_slow(&office, &first).await;
        let at_work = tokio::spawn(work(office.node("at work"), second.clone()));
        second.slow.as_ref().unwrap().asked.notified().await;
        let_go(too_slow, &first).await;
        assert_eq!(row(&office, seq).await.status, MessageStatus::Pending);
        assert_eq!(
            work(office.node("third"), quick(Ok("third"))).await,
            0,
            "the job is still with the second"
        );
        let_go(at_work, &second).await;
        assert_eq!(told(&office, before).await, ["sms.sent"]);
        work(office.node("third"), quick(Ok("third"))).await;
        assert_eq!(row(&office, seq).await.status, MessageStatus::Delivered);
    }
}

/// The carrier took it from the slow one while the other is still asking: that is told, and not sent a third time.
async fn what_was_taken_is_taken(t: TestDb) {
    let office = t.office().await;
    let (seq, before) = (send(&office, "hello").await, office.last_event().await);
    let (first, second) = (slow(Ok("first")), slow(Err(SendError::Later("busy".to_owned()))));
    let too_slow = a_worker_that_is_too_slow(&office, &first).await;
    let at_work = tokio::spawn(work(office.node("at work"), second.clone()));
    second.slow.as_ref().unwrap().asked.notified().await;
    let_go(too_slow, &first).await;
    assert!(row(&office, seq).await.carrier_ref.unwrap().starts_with("first-"));
    let_go(at_work, &second).await;
    office.clock.advance(LONG);
    let third = quick(Ok("third"));
    while work(office.node("third"), third.clone()).await > 0 {}
    assert!(third.asked.lock().is_empty(), "it was sent already");
    assert_eq!(told(&office, before).await, ["sms.sent", "sms.delivered"]);
    assert!(jobs(&office).await.is_empty());
}

/// Two texts to two people are under way at the same time, and each is its worker's.
async fn what_was_claimed_together_is_given_up_together(t: TestDb) {
    let office = t.office().await;
    send(&office, "hello").await;
    let seq = send(&office, "to Marie").await;
    let late = slow(Ok("late"));
    let worker = tokio::spawn(work(office.node("slow"), late.clone()));
    for _ in 0..2 {
        late.slow.as_ref().unwrap().asked.notified().await;
    }
    office.clock.advance(LONG);
    let other = quick(Ok("quick"));
    assert_eq!(work(office.node("quick"), other.clone()).await, 2);
    assert_eq!(other.asked.lock().len(), 2);
    let known = row(&office, seq).await;
    late.slow.as_ref().unwrap().go.notify_one();
    late.slow.as_ref().unwrap().go.notify_one();
    let_go(worker, &late).await;
    assert_eq!(row(&office, seq).await, known);
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    what_both_workers_sent_is_told_once,
    a_refusal_that_comes_too_late_is_nobodys,
    what_was_taken_is_taken,
    what_was_claimed_together_is_given_up_together,
}
