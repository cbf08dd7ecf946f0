//! Erasure of a person: in small transactions, which a crash does not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use trunkline_domain::events::Topic;
use trunkline_domain::{Clock, Direction, MediaId, Millis, SeededIds};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::{StoreError, params};
use trunkline_switchboard::erasure::{self, erase_once};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::media::{self, FETCH_JOB, Fetched};
use trunkline_switchboard::{Switchboard, Work};
use trunkline_testkit::db::{Office, START, TestDb, sarah};

/// So many texts of Sarah's that an erasure takes many transactions.
const TEXTS: i64 = 6_000;

async fn filled(office: &Office) {
    let us_line = office.us_line;
    let texts: Vec<ImportItem> = (0..TEXTS)
        .map(|n| ImportItem {
            line: us_line,
            contact: sarah(),
            direction: Direction::Inbound,
            user: None,
            at: START.plus(-n * Millis::MINUTE),
            body: ImportBody::Message {
                content: "gorblaxian".into(),
            },
        })
        .collect();
    office
        .run(move |work| import(work, &texts).map(drop))
        .await
        .unwrap();
}

async fn begin(office: &Office) {
    let (sarah, by) = (office.sarah, office.by_ada());
    office
        .run(move |work| erasure::erase(work, sarah, &by).map(drop))
        .await
        .unwrap();
}

/// How many texts still say something.
async fn words(office: &Office) -> i64 {
    let sql = "SELECT COUNT(*) FROM messages WHERE content <> ''";
    let read = office
        .board
        .db()
        .read(move |conn| conn.row(sql, &[], |row| row.get::<i64>(0)));
    let found: Result<_, StoreError> = read.await;
    found.unwrap().unwrap()
}

async fn under_way(office: &Office) -> bool {
    let (team, sarah) = (office.team, office.sarah);
    let read = office
        .board
        .db()
        .read(move |conn| erasure::is_under_way(conn, team, sarah));
    read.await.unwrap()
}

async fn an_erasure_goes_on_after_a_crash(t: TestDb) {
    let office = t.office().await;
    filled(&office).await;
    begin(&office).await;
    assert_eq!(words(&office).await, TEXTS, "what was said is the job's to erase");
    // A worker that dies after some of its transactions, each time. One that is through before is none.
    let mut died = 0;
    for round in 0..3 {
        let node = office.node(&format!("worker-{round}"));
        let mut appended = node.db().appended();
        let before = words(&office).await;
        let worker = tokio::spawn({
            let node = node.clone();
            async move { erase_once(&node).await }
        });
        // What was appended before may be told of only now.
        while before > 0 && words(&office).await == before {
            appended.changed().await.unwrap();
        }
        worker.abort();
        drop(worker.await);
        // A transaction that it has handed over is still made: this one is behind it.
        office.run(|_| Ok(())).await.unwrap();
        if !under_way(&office).await {
            break;
        }
        let after = words(&office).await;
        assert!(after < before, "round {round}: {before} -> {after}");
        died += 1;
        // Nobody else takes it while it is the dead worker's.
        assert!(!erase_once(&office.board).await.unwrap());
        office.clock.advance(2 * Millis::MINUTE);
    }
    assert!(died > 0, "no worker died halfway");
    while under_way(&office).await {
        assert!(erase_once(&office.board).await.unwrap());
    }
    assert_eq!(words(&office).await, 0);
    assert!(!under_way(&office).await);
    assert!(
        !erase_once(&office.board).await.unwrap(),
        "there is nothing left to do"
    );
    office.assert_sound().await;
    let log = office.events_after(0).await;
    assert!(log.iter().any(|event| event.topic == Topic::ItemsErased));
    assert!(
        log.iter()
            .all(|event| !event.payload.contains("gorblaxian") && !event.payload.contains(sarah().as_str()))
    );
}

async fn whoever_writes_does_not_wait_for_an_erasure(t: TestDb) {
    let office = t.office().await;
    filled(&office).await;
    begin(&office).await;
    let before = office.last_event().await;
    let worker = tokio::spawn({
        let board = office.board.clone();
        async move { erase_once(&board).await }
    });
    let mut between = 0;
    while !worker.is_finished() {
        let write = office.run(|work| Ok(work.emit(Topic::ContactUpdated, work.now, None, &())?));
        tokio::time::timeout(Duration::from_secs(10), write)
            .await
            .expect("a turn")
            .unwrap();
        between += 1;
    }
    assert!(worker.await.unwrap().unwrap());
    let steps = office.events_after(before).await;
    let steps = steps
        .iter()
        .filter(|event| event.topic == Topic::ItemsErased)
        .count();
    assert!(
        steps >= 10 && between >= 5,
        "{steps} transactions, {between} of others between them"
    );
    assert_eq!(words(&office).await, 0);
}

/// A clock on which ten seconds pass whenever it is read, and that breaks after some readings.
struct Hurried {
    readings: AtomicI64,
    most: i64,
}

impl Clock for Hurried {
    fn now(&self) -> Millis {
        let reading = self.readings.fetch_add(1, Ordering::SeqCst);
        assert!(reading < self.most, "the worker dies here");
        START.plus(reading * 10 * Millis::SECOND)
    }
}

async fn a_worker_that_finds_nothing_keeps_its_job(t: TestDb) {
    let office = t.office().await;
    // A long log that tells nothing of her.
    office
        .run(|work| {
            for n in 0..8_000_i64 {
                work.emit(Topic::ConversationUpdated, work.now, None, &n)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    begin(&office).await;
    let clock = Hurried {
        readings: AtomicI64::new(0),
        most: 30,
    };
    let (db, ids) = (office.board.db().clone(), Arc::new(SeededIds::new(77)));
    let hurried = Switchboard::new(db, Arc::new(clock), ids, "hurried");
    let worker = tokio::spawn(async move { erase_once(&hurried).await });
    assert!(worker.await.is_err(), "it died halfway");
    let team = office.team;
    let sql = "SELECT lease_until FROM jobs WHERE team_id = $1 AND kind = 'person.erase'";
    let read = office
        .board
        .db()
        .read(move |conn| conn.row(sql, params![team], |row| row.get::<i64>(0)));
    let lease: Result<_, StoreError> = read.await;
    let held_for = lease.unwrap().unwrap() - START.0;
    assert!(
        held_for > 4 * Millis::MINUTE,
        "it died after five minutes, and held its job for {held_for} ms only"
    );
}

/// Workers whose lease is over put files of an erased medium where they are kept, the second while the first is deleted.
async fn what_a_late_worker_keeps_is_deleted_after_it(t: TestDb) {
    let office = t.office().await;
    let id = MediaId::new(&SeededIds::new(5), START);
    let keeps = async || {
        let settle = move |work: &mut Work<'_, '_>| {
            let late = JobRow {
                team: work.team,
                id: format!("{FETCH_JOB}-{id}"),
                kind: FETCH_JOB.to_owned(),
                run_at: work.now,
                attempts: 1,
                payload: id.to_string(),
            };
            let kept = Fetched::Kept {
                content_type: "image/png".to_owned(),
                bytes: 3,
            };
            media::settle(work, &late, id, &kept)
        };
        assert!(!office.run(settle).await.unwrap(), "it is nobody's job any more");
    };
    let claim = async || {
        let claim = |work: &mut Work<'_, '_>| {
            Ok(jobs::claim(
                work.tx,
                &[media::ERASE_JOB],
                work.now,
                Millis::MINUTE,
                8,
            )?)
        };
        office.run(claim).await.unwrap().pop()
    };
    let finish = async |job: JobRow| {
        let finish =
            move |work: &mut Work<'_, '_>| Ok(jobs::finish(work.tx, job.team, &job.id, job.attempts)?);
        office.run(finish).await.unwrap()
    };
    keeps().await;
    let first = claim().await.expect("a job that deletes");
    assert_eq!(claim().await, None);
    keeps().await;
    assert!(!finish(first).await, "there is a file again");
    let second = claim().await.expect("a job that deletes that too");
    assert!(finish(second).await);
}

trunkline_testkit::on_both! {
    a_worker_that_finds_nothing_keeps_its_job,
    an_erasure_goes_on_after_a_crash,
    what_a_late_worker_keeps_is_deleted_after_it,
    whoever_writes_does_not_wait_for_an_erasure,
}
