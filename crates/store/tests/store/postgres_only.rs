//! What only PostgreSQL does: ask for a transaction again, make it wait for a row, end its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trunkline_store::{Db, Location, StoreError, params, teams};
use trunkline_testkit::db::{TestDb, apart, assert_sound, options};

use crate::support::{NOTE, make_notes, note, scraps};

/// Fails as the server does when transactions collide.
const COLLIDE: &str = "DO $$ BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '40001'; END $$";

/// Writes `n`, and collides the first `collisions` times. Returns how often it ran.
async fn collide(db: &Db, n: i64, collisions: i64) -> (i64, Result<(), StoreError>) {
    let runs = Arc::new(AtomicI64::new(0));
    let counted = runs.clone();
    let outcome = db
        .write(move |tx| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            tx.execute(NOTE, params![n])?;
            if run < collisions {
                tx.execute(COLLIDE, &[]).map(drop)
            } else {
                Ok(())
            }
        })
        .await;
    (runs.load(Ordering::SeqCst), outcome)
}

#[tokio::test]
async fn a_transaction_that_collides_is_run_again() {
    let t = TestDb::postgres();
    make_notes(t.db()).await;
    let (runs, outcome) = collide(t.db(), 1, 3).await;
    outcome.unwrap();
    assert_eq!((runs, scraps(t.db()).await), (4, vec![1]));

    let (runs, outcome) = collide(t.db(), 2, i64::MAX).await;
    let error = outcome.unwrap_err();
    assert!((5..50).contains(&runs), "it was run {runs} times");
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(scraps(t.db()).await, [1]);
}

/// Two transactions that take two teams' rows in opposite order: the server ends one of them, which is run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_resolved_by_running_again() {
    let t = TestDb::postgres();
    let teams = [t.bare_team("left").await, t.bare_team("right").await];
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let running = [[0, 1], [1, 0]].map(|order| {
        let (db, barrier) = (t.db().clone(), barrier.clone());
        let mut first_run = true;
        tokio::spawn(async move {
            db.write(move |tx| {
                for (step, place) in order.into_iter().enumerate() {
                    let mut counters = teams::lock(tx, teams[place])?.unwrap().counters;
                    counters.line += 1;
                    teams::set_counters(tx, teams[place], counters)?;
                    if step == 0 && first_run {
                        first_run = false;
                        barrier.wait();
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await
        })
    });
    for running in running {
        running.await.unwrap().unwrap();
    }
    for team in teams {
        let line = t
            .db()
            .write(move |tx| teams::lock(tx, team))
            .await
            .unwrap()
            .unwrap()
            .counters
            .line;
        assert_eq!(line, 2);
        assert_sound(t.db(), team).await;
    }
}

#[tokio::test]
async fn a_row_that_is_held_for_long_is_to_be_tried_again() {
    let t = TestDb::postgres();
    let team = t.bare_team("held").await;
    let Location::Postgres(url) = t.location().clone() else {
        unreachable!()
    };
    let held = apart(move || {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client.batch_execute("BEGIN").unwrap();
        client
            .execute("SELECT 1 FROM teams WHERE team_id = $1 FOR UPDATE", &[&team.0])
            .unwrap();
        client
    });
    let lock = || {
        t.db().write(move |tx| {
            // As the store's own limit, but short.
            tx.execute("SET LOCAL lock_timeout = '20ms'", &[])?;
            teams::lock(tx, team)
        })
    };
    let error = lock().await.unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().contains("holds the row"),
        "{error:?}"
    );
    apart(move || drop(held));
    assert!(lock().await.unwrap().is_some());
}

#[tokio::test]
async fn connections_that_the_server_ended_are_made_anew() {
    let t = TestDb::postgres();
    make_notes(t.db()).await;
    let Location::Postgres(url) = t.location().clone() else {
        unreachable!()
    };
    for round in 0..3i64 {
        let url = url.clone();
        let ended = apart(move || {
            let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
            let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.query(all, &[]).unwrap().len()
        });
        assert!(ended >= 1);
        // A unit of work has not begun when it notices: it is begun on a new connection, and nobody is told.
        if round < 2 {
            for n in 0..20 {
                note(t.db(), round * 100 + n).await.unwrap();
            }
            continue;
        }
        // A read has: its caller is told to come back, at most once for each connection.
        let (mut told, mut counted) = (0, Vec::new());
        while counted.len() < 20 {
            let count = t
                .db()
                .read(|conn| conn.row("SELECT COUNT(*) FROM scraps", &[], |row| row.get::<i64>(0)))
                .await;
            match count {
                Ok(count) => counted.extend(count),
                Err(error) => {
                    assert!(error.is_retryable(), "{error:?}");
                    told += 1;
                    assert!(told <= options().postgres.connections, "told {told} times");
                }
            }
        }
        assert_eq!(counted, [40; 20]);
    }
}
