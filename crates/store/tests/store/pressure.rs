//! What waits is bounded: beyond it callers are told at once to come back.

use trunkline_store::StoreError;
use trunkline_testkit::db::{Engine, TestDb};

use crate::support::{Gate, make_notes, note, one_at_a_time, scraps, until};

const QUEUE: usize = 4;

async fn a_full_queue_refuses_at_once_and_recovers(t: TestDb) {
    let t = one_at_a_time(t.engine(), QUEUE);
    make_notes(t.db()).await;
    let gate = Gate::hold(t.db()).await;
    let mut accepted = Vec::new();
    for n in 0..4 {
        let db = t.db().clone();
        accepted.push(tokio::spawn(async move { note(&db, n).await }));
        until(|| t.db().waiting() == accepted.len()).await;
    }
    // The gate is not open yet: an answer at all is an answer at once.
    for n in 10..30 {
        let refused = note(t.db(), n).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Busy) && refused.is_retryable(),
            "{refused:?}"
        );
    }
    if t.engine() == Engine::Sqlite {
        assert_eq!(scraps(t.db()).await, [0i64; 0], "readers wait for no writer");
    }
    gate.open().await;
    for note in accepted {
        note.await.unwrap().unwrap();
    }
    note(t.db(), 4).await.unwrap();
    assert_eq!(scraps(t.db()).await, [0, 1, 2, 3, 4]);
    assert_eq!(t.db().waiting(), 0);
}

/// Many more at a time than may wait: each is either kept or told, and the store never stops.
async fn a_storm_loses_nothing_that_was_acknowledged(t: TestDb) {
    let t = one_at_a_time(t.engine(), QUEUE);
    make_notes(t.db()).await;
    let running: Vec<_> = (0..400)
        .map(|n| {
            let db = t.db().clone();
            tokio::spawn(async move { (n, note(&db, n).await) })
        })
        .collect();
    let mut kept = Vec::new();
    for running in running {
        match running.await.unwrap() {
            (n, Ok(())) => kept.push(n),
            (_, Err(error)) => assert!(matches!(error, StoreError::Busy), "{error:?}"),
        }
    }
    assert!(!kept.is_empty());
    assert_eq!(scraps(t.db()).await, kept);
}

trunkline_testkit::on_both! { a_full_queue_refuses_at_once_and_recovers, a_storm_loses_nothing_that_was_acknowledged }
