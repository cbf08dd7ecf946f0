//! Units of work: each succeeds or fails alone, whoever it shares a commit with.

use std::collections::BTreeSet;

use trunkline_store::{Conn, Db, StoreError, TeamKey, UnitError, events, params, teams};
use trunkline_testkit::db::{Engine, START, TestDb, assert_sound};

use crate::support::{Gate, NOTE, make_notes, note, one_at_a_time, scraps, until};

/// An error of a caller's own.
#[derive(Debug, thiserror::Error)]
enum Oops {
    #[error("unit {0} changed its mind")]
    Mine(i64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UnitError for Oops {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Mine(_) => None,
        }
    }
}

/// What a unit does after it has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    InAnError,
    InAPanic,
    /// With a statement that the engine refuses.
    Refused,
}

/// Writes `n`, ends as told, and tells how many rows there were.
async fn unit(db: Db, n: i64, end: End) -> Result<i64, Oops> {
    db.write(move |tx| {
        tx.execute(NOTE, params![n])?;
        match end {
            End::Well => Ok(tx
                .row("SELECT COUNT(*) FROM scraps", &[], |row| row.get(0))?
                .unwrap_or(0)),
            End::InAnError => Err(Oops::Mine(n)),
            End::InAPanic => panic!("unit {n} panics, as it should"),
            End::Refused => Ok(i64::try_from(tx.execute(NOTE, params![n])?).unwrap()),
        }
    })
    .await
}

fn as_planned(n: i64, end: End, outcome: &Result<i64, Oops>) -> bool {
    match (end, outcome) {
        (End::Well, Ok(_))
        | (End::InAPanic, Err(Oops::Store(StoreError::Panicked)))
        | (End::Refused, Err(Oops::Store(StoreError::Duplicate { .. }))) => true,
        (End::InAnError, Err(Oops::Mine(own))) => *own == n,
        _ => false,
    }
}

async fn each_unit_succeeds_or_fails_alone(t: TestDb) {
    make_notes(t.db()).await;
    let ends = [
        End::Well,
        End::InAnError,
        End::Well,
        End::InAPanic,
        End::Well,
        End::Refused,
    ];
    let plan: Vec<(i64, End)> = (0..300).zip(ends.into_iter().cycle()).collect();
    let running: Vec<_> = plan
        .iter()
        .map(|(n, end)| tokio::spawn(unit(t.db().clone(), *n, *end)))
        .collect();
    for ((n, end), running) in plan.iter().zip(running) {
        let outcome = running.await.unwrap();
        assert!(
            as_planned(*n, *end, &outcome),
            "unit {n} ends {end:?}: {outcome:?}"
        );
    }
    let kept: Vec<i64> = plan
        .iter()
        .filter(|(_, end)| *end == End::Well)
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(scraps(t.db()).await, kept);
    // What was acknowledged is in the file, not only in this process's view of it.
    t.db().close();
    assert_eq!(scraps(&t.open_again()).await, kept);
}

/// All of these wait while the writer is held, so that SQLite puts them into one commit.
async fn neighbours_of_a_failure_are_kept(t: TestDb) {
    let t = one_at_a_time(t.engine(), 64);
    let db = t.db().clone();
    make_notes(&db).await;
    let gate = Gate::hold(&db).await;
    let plan = [
        (1, End::Well),
        (2, End::InAnError),
        (3, End::Well),
        (4, End::InAPanic),
        (5, End::Refused),
        (6, End::Well),
    ];
    let mut running = Vec::new();
    for (n, end) in plan {
        running.push(tokio::spawn(unit(db.clone(), n, end)));
        until(|| db.waiting() == running.len()).await;
    }
    let (last, mut last_runs) = Gate::queue(&db);
    until(|| db.waiting() == running.len() + 1).await;
    gate.release();
    last_runs.recv().await.unwrap();
    if t.engine() == Engine::Sqlite {
        // All have run but the last, which holds the commit: nothing is acknowledged, and nobody sees anything.
        assert!(
            running.iter().all(|unit| !unit.is_finished()),
            "acknowledged before the commit"
        );
        assert_eq!(scraps(&db).await, [0i64; 0], "visible before the commit");
    }
    last.open().await;
    gate.done().await;
    let mut seen = Vec::new();
    for ((n, end), running) in plan.into_iter().zip(running) {
        let outcome = running.await.unwrap();
        assert!(as_planned(n, end, &outcome), "unit {n} ends {end:?}: {outcome:?}");
        seen.extend(outcome.ok());
    }
    assert_eq!(
        seen,
        [1, 2, 3],
        "a unit sees what those before it left, and nothing of those that failed"
    );
    assert_eq!(scraps(&db).await, [1, 3, 6]);
}

async fn nested_work_is_undone_alone(t: TestDb) {
    make_notes(t.db()).await;
    let outcome: Result<(), Oops> = t
        .db()
        .write(|tx| {
            tx.execute(NOTE, params![1i64])?;
            let failed = tx.nested(|tx| {
                tx.execute(NOTE, params![2i64])?;
                tx.nested(|tx| tx.execute(NOTE, params![3i64]))?;
                Err::<(), _>(Oops::Mine(2))
            });
            assert!(matches!(failed, Err(Oops::Mine(2))));
            let kept: Result<(), Oops> = tx.nested(|tx| {
                tx.execute(NOTE, params![4i64])?;
                let inner = tx.nested(|tx| tx.execute(NOTE, params![4i64]));
                assert!(matches!(inner, Err(StoreError::Duplicate { .. })), "{inner:?}");
                tx.execute(NOTE, params![5i64])?;
                Ok(())
            });
            kept?;
            tx.execute(NOTE, params![6i64])?;
            Ok(())
        })
        .await;
    outcome.unwrap();
    assert_eq!(scraps(t.db()).await, [1, 4, 5, 6]);

    let panicked: Result<(), Oops> = t
        .db()
        .write(|tx| {
            tx.execute(NOTE, params![7i64])?;
            tx.nested(|tx| {
                tx.execute(NOTE, params![8i64])?;
                panic!("a nested unit panics, as it should")
            })
        })
        .await;
    assert!(
        matches!(panicked, Err(Oops::Store(StoreError::Panicked))),
        "{panicked:?}"
    );
    note(t.db(), 9).await.unwrap();
    assert_eq!(scraps(t.db()).await, [1, 4, 5, 6, 9]);
}

/// A read that panics is an error to whoever asked, and nobody else notices: not the next reader of the connection
/// either, which was at one moment.
async fn a_read_that_panics_is_an_error(t: TestDb) {
    make_notes(t.db()).await;
    note(t.db(), 1).await.unwrap();
    let read = |conn: &mut Conn<'_>| -> Result<i64, StoreError> {
        conn.row("SELECT n FROM scraps", &[], |_| -> Result<i64, StoreError> {
            panic!("a read panics, as it should")
        })?;
        Ok(1)
    };
    for _ in 0..20 {
        let outcomes = [
            t.db().read(read).await,
            t.db().scan(read).await,
            t.db().read(move |conn| conn.at_one_moment(read)).await,
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(StoreError::Panicked)), "{outcome:?}");
        }
    }
    note(t.db(), 2).await.unwrap();
    for _ in 0..20 {
        assert_eq!(scraps(t.db()).await, [1, 2]);
    }
}

/// A unit that goes on after a refused statement: PostgreSQL has given the transaction up and would answer its COMMIT
/// with a silent ROLLBACK. Whatever an engine does, it must not say "kept" of what is not.
async fn nothing_is_acknowledged_that_was_not_kept(t: TestDb) {
    make_notes(t.db()).await;
    note(t.db(), 1).await.unwrap();
    let outcome: Result<(), StoreError> = t
        .db()
        .write(|tx| {
            tx.execute(NOTE, params![2i64])?;
            assert!(tx.execute(NOTE, params![1i64]).is_err());
            Ok(())
        })
        .await;
    assert_eq!(scraps(t.db()).await.contains(&2), outcome.is_ok(), "{outcome:?}");
    if let Err(error) = &outcome {
        assert!(error.to_string().contains("nothing of it was kept"), "{error}");
    }
    note(t.db(), 3).await.unwrap();
    assert!(
        scraps(t.db()).await.ends_with(&[3]),
        "the next unit is not touched by it"
    );
}

async fn followers_are_woken_by_commits_with_events_only(t: TestDb) {
    make_notes(t.db()).await;
    let team = t.bare_team("woken").await;
    let mut appended = t.db().appended();
    let before = *appended.borrow_and_update();
    note(t.db(), 1).await.unwrap();
    let refused: Result<(), Oops> = t
        .db()
        .write(move |tx| {
            append(tx, team, 1)?;
            Err(Oops::Mine(1))
        })
        .await;
    assert!(refused.is_err());
    assert!(!appended.has_changed().unwrap(), "nothing was appended");
    let told: Result<(), StoreError> = t.db().write(move |tx| append(tx, team, 1)).await;
    told.unwrap();
    appended.changed().await.unwrap();
    assert!(*appended.borrow() > before);
    assert_sound(t.db(), team).await;
}

fn append(tx: &mut trunkline_store::Tx<'_>, team: TeamKey, count: i64) -> Result<(), StoreError> {
    let mut counters = teams::lock(tx, team)?.unwrap().counters;
    for _ in 0..count {
        counters.event += 1;
        let topic = trunkline_domain::events::Topic::ContactCreated;
        let event = events::EventRow {
            seq: counters.event,
            topic,
            at: START,
            item: None,
            payload: "{}".into(),
        };
        events::append(tx, team, &event)?;
    }
    teams::set_counters(tx, team, counters)
}

/// A client that goes away does not take its request back.
async fn work_of_a_caller_that_went_away_is_done(t: TestDb) {
    let t = one_at_a_time(t.engine(), 64);
    make_notes(t.db()).await;
    let gate = Gate::hold(t.db()).await;
    let db = t.db().clone();
    let gone = tokio::spawn(async move { note(&db, 1).await });
    until(|| t.db().waiting() == 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    gate.open().await;
    note(t.db(), 2).await.unwrap();
    assert_eq!(scraps(t.db()).await, [1, 2]);
}

async fn closing_finishes_what_was_accepted(t: TestDb) {
    let t = one_at_a_time(t.engine(), 64);
    make_notes(t.db()).await;
    let (gate, mut runs) = Gate::queue(t.db());
    runs.recv().await.unwrap();
    let mut accepted = Vec::new();
    for n in 0..20 {
        let db = t.db().clone();
        accepted.push(tokio::spawn(async move { note(&db, n).await }));
    }
    until(|| t.db().waiting() == 20).await;
    let db = t.db().clone();
    let closed = tokio::task::spawn_blocking(move || db.close());
    gate.open().await;
    closed.await.unwrap();
    for note in accepted {
        note.await.unwrap().unwrap();
    }
    assert!(matches!(note(t.db(), 99).await, Err(StoreError::Closed)));
    let read: Result<(), StoreError> = t.db().read(|_| Ok(())).await;
    assert!(matches!(read, Err(StoreError::Closed)), "{read:?}");
    let scan: Result<(), StoreError> = t.db().scan(|_| Ok(())).await;
    assert!(matches!(scan, Err(StoreError::Closed)), "{scan:?}");
    assert_eq!(scraps(&t.open_again()).await, (0..20).collect::<Vec<_>>());
}

trunkline_testkit::on_both! {
    each_unit_succeeds_or_fails_alone,
    neighbours_of_a_failure_are_kept,
    nested_work_is_undone_alone,
    a_read_that_panics_is_an_error,
    nothing_is_acknowledged_that_was_not_kept,
    followers_are_woken_by_commits_with_events_only,
    work_of_a_caller_that_went_away_is_done,
    closing_finishes_what_was_accepted,
}

/// A disk that is full, as far as SQLite can tell: it may not have another page.
#[tokio::test]
async fn a_full_disk_is_said_and_got_over() {
    let t = one_at_a_time(Engine::Sqlite, 64);
    let db = t.db();
    let made: Result<u64, StoreError> = db
        .write(|tx| {
            tx.execute(
                "CREATE TABLE texts (n BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL)",
                &[],
            )
        })
        .await;
    made.unwrap();
    let write = |n: i64, length: usize| {
        db.write(move |tx| {
            let text = "x".repeat(length);
            tx.execute("INSERT INTO texts (n, text) VALUES ($1, $2)", params![n, &text])
                .map(drop)
        })
    };
    let pages = |most: &'static str| {
        db.write(move |tx| {
            tx.row(&format!("PRAGMA max_page_count = {most}"), &[], |row| {
                row.get::<i64>(0)
            })
            .map(Option::unwrap)
        })
    };
    write(1, 10).await.unwrap();
    // Less than there are already: SQLite takes it to mean "no more than now".
    let _: i64 = pages("1").await.unwrap();
    for _ in 0..3 {
        let (small, big, other) = tokio::join!(write(2, 1), write(3, 5_000_000), write(4, 1));
        let error = big.unwrap_err();
        assert!(
            error.is_retryable() && error.to_string().contains("the disk is full"),
            "{error}"
        );
        // Whoever shared the commit is either kept or told; nobody is left without an answer.
        let kept: Result<Vec<i64>, StoreError> = db
            .read(|conn| conn.rows("SELECT n FROM texts ORDER BY n", &[], |row| row.get(0)))
            .await;
        let kept: BTreeSet<i64> = kept.unwrap().into_iter().collect();
        assert!(kept.contains(&1) && !kept.contains(&3));
        for (n, outcome) in [(2, small), (4, other)] {
            assert!(
                outcome.is_ok()
                    || matches!(
                        &outcome,
                        Err(StoreError::Unavailable { .. } | StoreError::Duplicate { .. })
                    ),
                "{outcome:?}"
            );
            assert!(
                outcome.is_err() || kept.contains(&n),
                "{n} was acknowledged and is not there"
            );
        }
    }
    let _: i64 = pages("1000000").await.unwrap();
    write(3, 5_000_000).await.unwrap();
}

/// A unit that leaves the transaction in disorder fails its batch, not those to come.
#[tokio::test]
async fn the_writer_recovers_from_a_broken_transaction() {
    let t = TestDb::sqlite();
    make_notes(t.db()).await;
    for meddling in ["RELEASE unit", "COMMIT", "ROLLBACK"] {
        let outcome: Result<u64, StoreError> = t.db().write(move |tx| tx.execute(meddling, &[])).await;
        assert!(outcome.is_err(), "{meddling} went unnoticed");
        note(t.db(), 1).await.unwrap();
        let cleared: Result<u64, StoreError> = t.db().write(|tx| tx.execute("DELETE FROM scraps", &[])).await;
        cleared.unwrap();
    }
}

/// Whoever copies the file after an orderly end has everything.
#[tokio::test]
async fn nothing_is_left_beside_a_file_that_was_closed() {
    let t = TestDb::sqlite();
    make_notes(t.db()).await;
    for n in 0..20 {
        note(t.db(), n).await.unwrap();
        assert_eq!(scraps(t.db()).await.len() as i64, n + 1);
    }
    t.db().close();
    let folder = std::fs::read_dir(t.file().parent().unwrap()).unwrap();
    let left: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [t.file().file_name().unwrap()]);
}
