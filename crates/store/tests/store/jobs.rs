//! Jobs are begun by one worker at a time; an idempotency key stands for one answer.

use std::collections::BTreeMap;

use trunkline_domain::{ApiKeyId, Millis, SeededIds};
use trunkline_store::idempotency::{self, IdempotencyRow};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::{Db, StoreError, TeamKey};
use trunkline_testkit::db::{START, TestDb};

const LEASE: i64 = 30_000;

const KINDS: [&str; 1] = ["test.job"];

async fn insert(db: &Db, team: TeamKey, id: &str, run_at: Millis) -> Result<(), StoreError> {
    let (id, kind, payload) = (id.to_owned(), "test.job".to_owned(), "{}".to_owned());
    let job = JobRow {
        team,
        id,
        kind,
        run_at,
        attempts: 0,
        payload,
    };
    db.write(move |tx| jobs::insert(tx, &job)).await
}

async fn claim(db: &Db, now: Millis, limit: i64) -> Vec<JobRow> {
    db.write(move |tx| jobs::claim(tx, &KINDS, now, LEASE, limit))
        .await
        .unwrap()
}

async fn finish(db: &Db, job: &JobRow) -> bool {
    let job = job.clone();
    db.write(move |tx| jobs::finish(tx, job.team, &job.id, job.attempts))
        .await
        .unwrap()
}

async fn renew(db: &Db, job: &JobRow, until: Millis) -> bool {
    let job = job.clone();
    db.write(move |tx| jobs::renew(tx, job.team, &job.id, job.attempts, until))
        .await
        .unwrap()
}

async fn postpone(db: &Db, job: &JobRow, run_at: Millis) -> bool {
    let job = job.clone();
    db.write(move |tx| jobs::postpone(tx, job.team, &job.id, job.attempts, run_at))
        .await
        .unwrap()
}

fn ids(claimed: &[JobRow]) -> Vec<&str> {
    claimed.iter().map(|job| job.id.as_str()).collect()
}

async fn a_job_is_claimed_by_lease(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("leases").await);
    for (id, after) in [("later", 5_000), ("first", -2_000), ("second", 0)] {
        insert(db, team, id, START.plus(after)).await.unwrap();
    }
    assert!(matches!(
        insert(db, team, "first", START).await,
        Err(StoreError::Duplicate { .. })
    ));
    assert_eq!(
        db.read(|conn| jobs::next_due(conn, &KINDS, START)).await.unwrap(),
        Some(START.plus(-2_000))
    );

    let one = claim(db, START, 1).await;
    assert_eq!(
        (ids(&one), one[0].attempts, one[0].team),
        (vec!["first"], 1, team)
    );
    let rest = claim(db, START, 10).await;
    assert_eq!(ids(&rest), ["second"], "what is due, and nobody holds");
    assert!(claim(db, START, 10).await.is_empty());
    assert_eq!(
        db.read(|conn| jobs::next_due(conn, &KINDS, START)).await.unwrap(),
        Some(START.plus(5_000))
    );

    // Held until the lease ends, to the millisecond.
    let later = claim(db, START.plus(LEASE - 1), 10).await;
    assert_eq!(ids(&later), ["later"]);
    assert!(finish(db, &later[0]).await && !finish(db, &later[0]).await);
    let again = claim(db, START.plus(LEASE), 10).await;
    assert_eq!(ids(&again), ["first", "second"]);
    assert_eq!(again.iter().map(|job| job.attempts).collect::<Vec<_>>(), [2, 2]);

    // Whoever held them before has lost them.
    assert!(!finish(db, &one[0]).await && !postpone(db, &rest[0], START).await);
    assert!(!renew(db, &one[0], START.plus(10 * LEASE)).await);
    assert!(claim(db, START.plus(2 * LEASE - 1), 10).await.is_empty());

    // Whoever holds one may hold it longer.
    assert!(renew(db, &again[0], START.plus(2 * LEASE + 1)).await);
    let second = claim(db, START.plus(2 * LEASE), 10).await;
    assert_eq!(ids(&second), ["second"]);

    // Given back: nobody's, but not due before its time.
    let retry = START.plus(3 * LEASE + 1);
    assert!(postpone(db, &again[0], retry).await);
    let second = claim(db, retry.plus(-1), 10).await;
    assert_eq!(ids(&second), ["second"]);
    let first = claim(db, retry, 10).await;
    assert_eq!(ids(&first), ["first"]);
    assert!(!finish(db, &again[0]).await && !finish(db, &again[1]).await);
    assert!(finish(db, &first[0]).await && finish(db, &second[0]).await);
    assert!(claim(db, retry.plus(1_000_000), 10).await.is_empty());
    assert_eq!(
        db.read(move |conn| jobs::next_due(conn, &KINDS, retry))
            .await
            .unwrap(),
        None
    );
}

async fn no_job_is_claimed_twice(t: TestDb) {
    let teams = [t.bare_team("one").await, t.bare_team("two").await];
    for n in 0..120 {
        insert(
            t.db(),
            teams[n % 2],
            &format!("job-{}", n / 2),
            START.plus(-(n as i64 % 7)),
        )
        .await
        .unwrap();
    }
    let nodes = [t.db().clone(), t.open_again()];
    let workers: Vec<_> = (0..8)
        .map(|worker: usize| {
            let db = nodes[worker % 2].clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&db, START, 3).await;
                    // Others may have been faster with all that was seen due: then there may be more.
                    let left = db.read(|conn| jobs::next_due(conn, &KINDS, START)).await.unwrap();
                    mine.extend(claimed);
                    if left.is_none() {
                        return mine;
                    }
                }
            })
        })
        .collect();
    let mut claims: BTreeMap<(TeamKey, String), i64> = BTreeMap::new();
    for worker in workers {
        for job in worker.await.unwrap() {
            *claims.entry((job.team, job.id)).or_default() += 1;
            assert_eq!(job.attempts, 1);
        }
    }
    assert_eq!(claims.len(), 120);
    assert!(claims.values().all(|claims| *claims == 1), "{claims:?}");
}

fn answer(key: &str, body: &str, created_at: Millis) -> IdempotencyRow {
    IdempotencyRow {
        api_key: ApiKeyId::new(&SeededIds::new(3), START),
        key: key.to_owned(),
        request: "POST /v1/api/sms".to_owned(),
        fingerprint: "f00d".to_owned(),
        status: 201,
        ignored: Some("per_page".to_owned()),
        body: body.to_owned(),
        created_at,
    }
}

const WINDOW: i64 = Millis::HOUR;

async fn put(db: &Db, team: TeamKey, row: IdempotencyRow) -> Result<(), StoreError> {
    let since = row.created_at.plus(-WINDOW);
    db.write(move |tx| idempotency::put(tx, team, &row, since)).await
}

async fn get(db: &Db, team: TeamKey, key: &'static str, now: Millis) -> Option<IdempotencyRow> {
    let api_key = answer(key, "", now).api_key;
    db.read(move |conn| idempotency::get(conn, team, api_key, (key, ""), now.plus(-WINDOW)))
        .await
        .unwrap()
}

async fn a_key_stands_for_one_answer_for_an_hour(t: TestDb) {
    let (db, team, other) = (t.db(), t.bare_team("keys").await, t.bare_team("other").await);
    let body = "{\"data\":{\"text\":\"é\\u0000\\n \"}}";
    let first = answer("k1", body, START);
    put(db, team, first.clone()).await.unwrap();
    assert_eq!(
        get(db, team, "k1", START).await,
        Some(first.clone()),
        "every byte of it"
    );
    assert_eq!(get(db, team, "k2", START).await, None);
    assert_eq!(get(db, other, "k1", START).await, None, "another team's key");

    let just_before = START.plus(WINDOW - 1);
    let second = put(db, team, answer("k1", "second", just_before)).await;
    assert!(matches!(second, Err(StoreError::Duplicate { .. })), "{second:?}");
    assert_eq!(get(db, team, "k1", just_before).await, Some(first));

    let later = START.plus(WINDOW);
    assert_eq!(get(db, team, "k1", later).await, None, "too old to be an answer");
    put(db, team, answer("k1", "later", later)).await.unwrap();
    assert_eq!(get(db, team, "k1", later).await.unwrap().body, "later");
    put(db, other, answer("k1", "other", later)).await.unwrap();

    put(db, team, answer("k2", "", later.plus(1))).await.unwrap();
    assert_eq!(
        db.write(move |tx| idempotency::prune(tx, team, later))
            .await
            .unwrap(),
        1
    );
    assert_eq!(get(db, team, "k1", later).await, None);
    assert!(get(db, team, "k2", later).await.is_some() && get(db, other, "k1", later).await.is_some());
}

/// Two requests with one key at the same time: one answer is stored, and the write of the other does not happen.
async fn of_two_requests_with_one_key_one_wins(t: TestDb) {
    let team = t.bare_team("race").await;
    let nodes = [t.db().clone(), t.open_again()];
    for round in 0..20 {
        let running: Vec<_> = (0..4usize)
            .map(|request| {
                let (db, row) = (
                    nodes[request % 2].clone(),
                    answer(&format!("k{round}"), &request.to_string(), START),
                );
                tokio::spawn(async move {
                    db.write(move |tx| {
                        let id = format!("write-{round}-{request}");
                        let (kind, payload) = ("test.job".to_owned(), "{}".to_owned());
                        jobs::insert(
                            tx,
                            &JobRow {
                                team,
                                id,
                                kind,
                                run_at: START,
                                attempts: 0,
                                payload,
                            },
                        )?;
                        idempotency::put(tx, team, &row, START.plus(-WINDOW))
                    })
                    .await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (request, running) in running.into_iter().enumerate() {
            match running.await.unwrap() {
                Ok(()) => winners.push(format!("write-{round}-{request}")),
                Err(error) => assert!(matches!(error, StoreError::Duplicate { .. }), "{error:?}"),
            }
        }
        assert_eq!(winners.len(), 1);
        let written = claim(t.db(), START, 100).await;
        assert_eq!(
            ids(&written),
            winners.iter().map(String::as_str).collect::<Vec<_>>()
        );
    }
}

async fn a_worker_gets_its_own_kinds_only(t: TestDb) {
    let team = t.bare_team("One").await;
    insert(t.db(), team, "one", START).await.unwrap();
    let others = t
        .db()
        .write(|tx| jobs::claim(tx, &["test.other", "test"], START, LEASE, 10))
        .await;
    assert_eq!(others.unwrap(), []);
    assert_eq!(
        t.db()
            .read(|conn| jobs::next_due(conn, &["test.other"], START))
            .await
            .unwrap(),
        None
    );
    assert_eq!(claim(t.db(), START, 10).await.len(), 1);
}

trunkline_testkit::on_both! {
    a_job_is_claimed_by_lease,
    no_job_is_claimed_twice,
    a_worker_gets_its_own_kinds_only,
    a_key_stands_for_one_answer_for_an_hour,
    of_two_requests_with_one_key_one_wins,
}
