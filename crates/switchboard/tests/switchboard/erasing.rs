//! Erasure of a person: in small transactions, which a crash does not end.

use std::time::Duration;

use trunkline_domain::events::Topic;
use trunkline_domain::{Direction, Millis};
use trunkline_store::StoreError;
use trunkline_switchboard::erasure::{self, erase_once};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
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

trunkline_testkit::on_both! {
    an_erasure_goes_on_after_a_crash,
    whoever_writes_does_not_wait_for_an_erasure,
}
