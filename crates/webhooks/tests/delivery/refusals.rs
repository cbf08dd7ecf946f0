//! The database refuses work for a while, and tasks of the dispatcher fail: what was accepted is delivered all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trunkline_domain::{Clock, ManualClock, Millis, SeededIds};
use trunkline_store::{DbOptions, PostgresOptions, SqliteOptions, StoreError};
use trunkline_switchboard::Switchboard;
use trunkline_switchboard::webhooks::LEASE_MS;
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Engine, Office, TestDb};

use crate::support::*;

/// Has the database refuse every change of messages, or accept them again.
async fn refuse(office: &Office, engine: Engine, refuses: bool) {
    let statements: &[&str] = match (engine, refuses) {
        (Engine::Sqlite, true) => &[
            "CREATE TRIGGER no_change BEFORE UPDATE ON webhook_messages BEGIN SELECT RAISE(ABORT, 'refused'); END",
            "CREATE TRIGGER no_more BEFORE INSERT ON webhook_messages BEGIN SELECT RAISE(ABORT, 'refused'); END",
        ],
        (Engine::Sqlite, false) => &["DROP TRIGGER no_change", "DROP TRIGGER no_more"],
        (Engine::Postgres, true) => &[
            "CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'",
            "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON webhook_messages EXECUTE FUNCTION refuse()",
        ],
        (Engine::Postgres, false) => &["DROP TRIGGER no ON webhook_messages", "DROP FUNCTION refuse()"],
    };
    for statement in statements {
        write(office.board.db(), |tx| tx.execute(statement, &[]).map(drop)).await;
    }
}

async fn what_could_not_be_stored_is_stored_later(t: TestDb) {
    let office = office(&t).await;
    let [quick, fails] = [Catcher::start().await, Catcher::start().await];
    quick.answer(Answer::ok().delay(Duration::from_millis(5)));
    fails.answer(500);
    listen(&office, quick.url()).await;
    listen(&office, fails.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 400).await;
    quick.wait_for(100).await;
    refuse(&office, t.engine(), true).await;
    // What is on its way comes back and cannot be stored; what happens cannot be fanned out; leases end.
    for _ in 0..10 {
        texts(&office, 10).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    office.clock.advance(2 * Millis::MINUTE);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let unanswered = quick.count();
    refuse(&office, t.engine(), false).await;
    fails.answer(204);
    quick.wait_for(500).await;
    let_time_pass(&office, Millis::HOUR).await;
    running.end().await;
    assert!(unanswered < 500);
    for endpoint in [1, 2] {
        assert_delivered(&office, endpoint, 500).await;
    }
    assert_eq!(quick.ids().len(), 500);
    let twice = quick.count() - 500;
    assert!(
        twice <= 8,
        "{twice} were sent twice: what had been sent was known here"
    );
}

/// The end of the program comes while the database is refusing: what was sent is known in the end.
async fn at_the_end_it_is_tried_for_a_moment(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 1).await;
    until_settled(&office).await;
    catcher.answer(Answer::ok().delay(Duration::from_millis(50)));
    texts(&office, 8).await;
    catcher.wait_for(9).await;
    refuse(&office, t.engine(), true).await;
    let ending = tokio::spawn(running.end());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!ending.is_finished());
    refuse(&office, t.engine(), false).await;
    ending.await.unwrap();
    assert_delivered(&office, 1, 9).await;

    // One that refuses for good does not keep the program from ending.
    catcher.answer(204);
    let running = Running::usual(&office.board);
    texts(&office, 1).await;
    until_settled(&office).await;
    refuse(&office, t.engine(), true).await;
    texts(&office, 5).await;
    running.end().await;
    refuse(&office, t.engine(), false).await;
}

/// The queue of the writer is full again and again.
async fn a_busy_database_delays_and_loses_nothing(t: TestDb) {
    let few = DbOptions {
        sqlite: SqliteOptions {
            queue: 2,
            ..SqliteOptions::default()
        },
        postgres: PostgresOptions {
            connections: 1,
            scan_connections: 1,
            queue: 3,
        },
    };
    let busy = TestDb::with(t.engine(), few);
    let office = office(&busy).await;
    let catcher = Catcher::start().await;
    for n in 0..5 {
        listen(&office, &format!("{}/{n}", catcher.url())).await;
    }
    texts(&office, 300).await;
    let running = Running::usual(&office.board);
    let db = office.board.db().clone();
    let crowd = tokio::spawn(async move {
        let mut refused = 0;
        for _ in 0..150 {
            let holds = |_: &mut trunkline_store::Tx<'_>| {
                std::thread::sleep(Duration::from_millis(2));
                Ok::<_, StoreError>(())
            };
            let (a, b, c) = tokio::join!(db.write(holds), db.write(holds), db.write(holds));
            refused += [a, b, c].iter().filter(|answer| answer.is_err()).count();
        }
        refused
    });
    let refused = crowd.await.unwrap();
    let_time_pass(&office, Millis::MINUTE).await;
    running.end().await;
    assert!(refused > 0, "it was never busy");
    assert_eq!(catcher.ids().len(), 1_500);
    for endpoint in 1..=5 {
        assert_delivered(&office, endpoint, 300).await;
    }
}

/// Panics when it is asked for the time, once after it was armed.
struct Fragile {
    clock: Arc<ManualClock>,
    armed: AtomicBool,
}

impl Clock for Fragile {
    fn now(&self) -> Millis {
        assert!(!self.armed.swap(false, Ordering::SeqCst), "a test of panics");
        self.clock.now()
    }
}

/// A panic in whatever task asks for the time next, the dispatcher's own included: deliveries go on.
async fn a_fault_of_the_program_does_not_end_deliveries(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(Answer::ok().delay(Duration::from_millis(3)));
    listen(&office, catcher.url()).await;
    let clock = Arc::new(Fragile {
        clock: office.clock.clone(),
        armed: AtomicBool::new(false),
    });
    let board = Switchboard::new(
        t.db().clone(),
        clock.clone(),
        Arc::new(SeededIds::new(9)),
        "fragile",
    );
    let running = Running::usual(&board);
    for round in 0..6 {
        texts(&office, 50).await;
        catcher.wait_for(round * 20 + 1).await;
        clock.armed.store(true, Ordering::SeqCst);
        eventually("somebody asks for the time", || async {
            (!clock.armed.load(Ordering::SeqCst)).then_some(())
        })
        .await;
    }
    // What those held that are gone is due when their leases end.
    eventually("everything arrives", || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        office.clock.advance(LEASE_MS);
        (catcher.ids().len() == 300).then_some(())
    })
    .await;
    until_quiet(&office).await;
    until_settled(&office).await;
    running.end().await;
    assert_delivered(&office, 1, 300).await;
}

trunkline_testkit::on_both! {
    what_could_not_be_stored_is_stored_later,
    at_the_end_it_is_tried_for_a_moment,
    a_busy_database_delays_and_loses_nothing,
    a_fault_of_the_program_does_not_end_deliveries,
}
