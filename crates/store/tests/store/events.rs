//! The event log: numbered per team without gaps, in the order of commits, so that no follower misses an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use trunkline_domain::events::Topic;
use trunkline_store::{Conn, Db, Location, StoreError, TeamKey, events, teams};
use trunkline_testkit::db::{START, Seed, TestDb, assert_sound};

use crate::support::until;

/// Appends `count` events in one transaction, which then fails if it is told to. Returns the number of the last.
async fn append(db: &Db, team: TeamKey, writer: usize, count: i64, fail: bool) -> Result<i64, StoreError> {
    db.write(move |tx| {
        let mut counters = teams::lock(tx, team)?.unwrap().counters;
        for nth in 1..=count {
            counters.event += 1;
            let payload = format!("[{writer},{nth},{count}]");
            let event = events::EventRow {
                seq: counters.event,
                topic: Topic::SmsSent,
                at: START,
                item: None,
                payload,
            };
            events::append(tx, team, &event)?;
        }
        teams::set_counters(tx, team, counters)?;
        if fail {
            Err(StoreError::Sealed)
        } else {
            Ok(counters.event)
        }
    })
    .await
}

/// Reads the log again and again, as long as anything may still come. What it has seen is checked as it sees it:
/// every number is the last one plus one.
async fn follow(db: Db, team: TeamKey, page: i64, done: Arc<AtomicBool>) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        // Asked before reading: what is committed until then is in what is read now.
        let last_round = done.load(Ordering::SeqCst);
        let cursor = seen.len() as i64;
        let new = db
            .read(move |conn| events::after(conn, team, cursor, page))
            .await
            .unwrap();
        for event in &new {
            assert_eq!(
                event.seq,
                seen.len() as i64 + 1,
                "a follower of {team:?} missed an event"
            );
            seen.push(event.payload.clone());
        }
        if new.is_empty() && last_round {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

/// Events of one transaction stand together and in their order.
fn whole_transactions(seen: &[String]) -> bool {
    let mut rest = seen;
    while let Some(first) = rest.first() {
        let [writer, nth, count]: [usize; 3] = serde_json::from_str(first).unwrap();
        if nth != 1 || rest.len() < count {
            return false;
        }
        let expected = (1..=count).map(|nth| format!("[{writer},{nth},{count}]"));
        if !expected.eq(rest[..count].iter().cloned()) {
            return false;
        }
        rest = &rest[count..];
    }
    true
}

async fn no_follower_misses_an_event(t: TestDb) {
    for seed in Seed::first(3) {
        let mut random = StdRng::seed_from_u64(seed.get());
        let mut all_teams = Vec::new();
        for i in 0..3 {
            all_teams.push(t.bare_team(&format!("team {} {i}", seed.get())).await);
        }
        // Another node takes part, with its own connections.
        let nodes = [t.db().clone(), t.open_again()];
        let done = Arc::new(AtomicBool::new(false));
        let followers: Vec<_> = all_teams
            .iter()
            .flat_map(|team| [(*team, 1), (*team, 7), (*team, 1_000)])
            .enumerate()
            .map(|(i, (team, page))| {
                (
                    team,
                    tokio::spawn(follow(nodes[i % 2].clone(), team, page, done.clone())),
                )
            })
            .collect();
        let mut expected = vec![0i64; all_teams.len()];
        let mut writers = Vec::new();
        for writer in 0..400usize {
            let (place, count, fail) = (
                random.random_range(0..all_teams.len()),
                random.random_range(1..4i64),
                random.random_bool(0.2),
            );
            let (db, team) = (nodes[random.random_range(0..2)].clone(), all_teams[place]);
            expected[place] += if fail { 0 } else { count };
            writers.push((
                fail,
                tokio::spawn(async move { append(&db, team, writer, count, fail).await }),
            ));
        }
        for (fail, writer) in writers {
            let outcome = writer.await.unwrap();
            assert!(
                if fail {
                    matches!(outcome, Err(StoreError::Sealed))
                } else {
                    outcome.is_ok()
                },
                "{outcome:?}"
            );
        }
        done.store(true, Ordering::SeqCst);
        for (team, follower) in followers {
            let seen = follower.await.unwrap();
            let place = all_teams.iter().position(|known| *known == team).unwrap();
            assert_eq!(
                seen.len() as i64,
                expected[place],
                "a follower of {team:?} saw another number of events"
            );
            assert!(whole_transactions(&seen), "a transaction was torn: {seen:?}");
        }
        for (team, expected) in all_teams.iter().zip(expected) {
            let team = *team;
            assert_eq!(
                t.db()
                    .read(move |conn| teams::last_event(conn, team))
                    .await
                    .unwrap(),
                expected
            );
            assert_sound(t.db(), team).await;
        }
    }
}

trunkline_testkit::on_both! { no_follower_misses_an_event, a_page_ends_when_it_is_large_enough }

async fn a_page_ends_when_it_is_large_enough(t: TestDb) {
    let team = t.bare_team("paged").await;
    // Payloads of seven bytes each.
    append(t.db(), team, 1, 9, false).await.unwrap();
    let page = async |after, limit, bytes| {
        let read = move |conn: &mut Conn<'_>| events::page(conn, team, after, limit, bytes);
        let rows: Vec<events::EventRow> = t.db().read(read).await.unwrap();
        rows.iter().map(|row| row.seq).collect::<Vec<i64>>()
    };
    assert_eq!(page(0, 100, 1_000).await, (1..=9).collect::<Vec<_>>());
    assert_eq!(page(2, 3, 1_000).await, [3, 4, 5]);
    assert_eq!(page(2, 100, 14).await, [3, 4]);
    assert_eq!(
        page(2, 100, 15).await,
        [3, 4, 5],
        "the one that makes it large is the last"
    );
    assert_eq!(page(2, 100, 0).await, [3], "one there always is");
    assert!(page(9, 100, 1_000).await.is_empty());
}

/// How many sessions of this database wait for a lock.
async fn waiting_for_locks(db: &Db) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    db.read(move |conn| conn.row(sql, &[], |row| row.get(0)))
        .await
        .unwrap()
        .unwrap()
}

/// A transaction that takes its numbers early and commits late, while others come and go: where numbers came from a
/// sequence, a follower would read past it and never see its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_follower_reads_past_a_slow_transaction() {
    let t = TestDb::postgres();
    let (slow, other) = (t.bare_team("slow").await, t.bare_team("other").await);
    append(t.db(), slow, 1, 1, false).await.unwrap();

    // Another program altogether, in the middle of a transaction that has appended two events.
    let Location::Postgres(url) = t.location().clone() else {
        unreachable!()
    };
    let (step, steps) = std::sync::mpsc::channel::<()>();
    let (reached, mut reach) = tokio::sync::mpsc::channel(1);
    let program = std::thread::spawn(move || {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        let mut transaction = client.transaction().unwrap();
        let key = slow.0;
        let last: i64 = transaction
            .query_one(
                "SELECT last_event FROM teams WHERE team_id = $1 FOR UPDATE",
                &[&key],
            )
            .unwrap()
            .get(0);
        for nth in 1..=2i64 {
            let sql =
                "INSERT INTO events (team_id, seq, topic, at, payload) VALUES ($1, $2, 'sms.sent', 0, $3)";
            transaction
                .execute(sql, &[&key, &(last + nth), &format!("[2,{nth},2]")])
                .unwrap();
        }
        transaction
            .execute(
                "UPDATE teams SET last_event = last_event + 2 WHERE team_id = $1",
                &[&key],
            )
            .unwrap();
        reached.blocking_send(()).unwrap();
        steps.recv().unwrap();
        transaction.commit().unwrap();
    });
    reach.recv().await.unwrap();

    let done = Arc::new(AtomicBool::new(false));
    let followers = [slow, other].map(|team| tokio::spawn(follow(t.db().clone(), team, 100, done.clone())));
    // Of the same team: it must wait, for its number is not known yet.
    let db = t.db().clone();
    let waiting = tokio::spawn(async move { append(&db, slow, 3, 1, false).await });
    while waiting_for_locks(t.db()).await == 0 {
        tokio::task::yield_now().await;
    }
    // Of another team: the slow transaction is none of its business.
    for writer in 0..20 {
        append(t.db(), other, writer, 1, false).await.unwrap();
    }
    assert!(!waiting.is_finished());
    let heads = t.db().read(teams::last_events).await.unwrap();
    assert_eq!(
        heads,
        [(slow, 1), (other, 20)],
        "nothing of the slow transaction shows"
    );
    assert_eq!(
        t.db()
            .read(move |conn| events::after(conn, slow, 0, 10))
            .await
            .unwrap()
            .len(),
        1
    );

    step.send(()).unwrap();
    assert_eq!(
        waiting.await.unwrap().unwrap(),
        4,
        "behind the two of the slow transaction"
    );
    until(|| program.is_finished()).await;
    program.join().unwrap();
    done.store(true, Ordering::SeqCst);
    let [of_slow, of_other] = followers;
    assert_eq!(
        of_slow.await.unwrap(),
        ["[1,1,1]", "[2,1,2]", "[2,2,2]", "[3,1,1]"]
    );
    assert_eq!(of_other.await.unwrap().len(), 20);
    assert_sound(t.db(), slow).await;
}
