//! The sweeper takes what is abandoned and nothing else; what is kept for a time is deleted after it and not before.

use trunkline_domain::call::{EndCause, Phase};
use trunkline_domain::events::Topic;
use trunkline_domain::{ApiKeyId, CallId, ItemId, Millis, SeededIds};
use trunkline_store::idempotency::{self, IdempotencyRow};
use trunkline_store::{Db, StoreError, TeamKey, calls as rows, items, nodes, params};
use trunkline_switchboard::calls::{self, PROCESSING_LIMIT, Step};
use trunkline_switchboard::sweeper::{self, HEARTBEAT, IDEMPOTENCY_WINDOW, NODE_TIMEOUT, Others};
use trunkline_switchboard::{Error, Switchboard};
use trunkline_testkit::db::{Office, START, TestDb, assert_sound, nobody, sarah, us};

use crate::support::{inbound, topics};

async fn ring(board: &Switchboard, office: &Office) -> CallId {
    let at = board.now();
    board
        .run::<_, Error, _>(office.team, move |work| calls::ring(work, &inbound(sarah(), at)))
        .await
        .unwrap()
}

async fn step(board: &Switchboard, office: &Office, call: CallId, step: Step) {
    board
        .run::<_, Error, _>(office.team, move |work| calls::step(work, call, &step))
        .await
        .unwrap();
}

async fn phase(office: &Office, call: CallId) -> Phase {
    let team = office.team;
    let found = office.board.db().read(move |conn| {
        let item = items::get(conn, team, ItemId::Call(call))?.unwrap();
        Ok::<_, StoreError>(rows::get(conn, team, item.seq)?.unwrap().call.phase)
    });
    found.await.unwrap()
}

async fn sweep(board: &Switchboard, others: Others) -> usize {
    sweeper::sweep_calls(board, others).await.unwrap()
}

/// Another node's calls are its own until it was silent for longer than the time-out, to the millisecond.
async fn a_silent_node_loses_its_calls_and_a_living_one_does_not(t: TestDb) {
    let office = t.office().await;
    let (other, living) = (office.node("node-2"), office.node("node-3"));
    for board in [&office.board, &other, &living] {
        sweeper::heartbeat(board).await.unwrap();
    }
    let rings = ring(&other, &office).await;
    let talks = ring(&other, &office).await;
    step(&other, &office, talks, Step::Answer(None, START)).await;
    let (alive, own) = (ring(&living, &office).await, ring(&office.board, &office).await);
    assert_eq!(sweep(&office.board, Others::Possible).await, 0);
    office.clock.advance(NODE_TIMEOUT);
    assert_eq!(
        sweep(&office.board, Others::Possible).await,
        0,
        "not longer than the time-out"
    );
    sweeper::heartbeat(&living).await.unwrap();
    office.clock.advance(1);
    assert_eq!(sweep(&office.board, Others::Possible).await, 2);
    for (call, expected) in [
        (rings, Phase::Completed),
        (talks, Phase::Completed),
        (alive, Phase::Ringing),
        (own, Phase::Ringing),
    ] {
        assert_eq!(phase(&office, call).await, expected);
    }
    assert_eq!(sweep(&office.board, Others::Possible).await, 0);
    // Alone with the data, a process takes all calls but its own.
    assert_eq!(sweep(&office.board, Others::None).await, 1);
    assert_eq!(
        (phase(&office, alive).await, phase(&office, own).await),
        (Phase::Completed, Phase::Ringing)
    );
    office.assert_sound().await;
}

async fn a_node_that_says_farewell_leaves_its_calls_at_once(t: TestDb) {
    let office = t.office().await;
    let (other, never_seen) = (office.node("node-2"), office.node("node-3"));
    sweeper::heartbeat(&other).await.unwrap();
    let call = ring(&other, &office).await;
    assert_eq!(sweep(&office.board, Others::Possible).await, 0);
    sweeper::farewell(&other).await.unwrap();
    assert_eq!(sweep(&office.board, Others::Possible).await, 1);
    assert_eq!(phase(&office, call).await, Phase::Completed);
    // Whoever rings without ever having been seen is nobody's.
    ring(&never_seen, &office).await;
    assert_eq!(sweep(&office.board, Others::Possible).await, 1);
    const { assert!(NODE_TIMEOUT >= 3 * HEARTBEAT, "a heartbeat or two may get lost") };
}

/// Processing that takes too long is given up on, by whichever node notices, its own included; the call keeps what it
/// got.
async fn processing_is_given_up_on_in_time(t: TestDb) {
    let office = t.office().await;
    let other = office.node("node-2");
    for board in [&office.board, &other] {
        sweeper::heartbeat(board).await.unwrap();
    }
    let before = office.last_event().await;
    let calls = [ring(&office.board, &office).await, ring(&other, &office).await];
    for (board, call) in [&office.board, &other].into_iter().zip(calls) {
        step(board, &office, call, Step::Answer(None, START)).await;
        step(
            board,
            &office,
            call,
            Step::End(EndCause::HungUp, None, START.plus(30_000)),
        )
        .await;
    }
    // From the end of the call on, although that is in the future here.
    office.clock.set(START.plus(30_000 + PROCESSING_LIMIT - 1));
    sweeper::heartbeat(&other).await.unwrap();
    assert_eq!(sweep(&office.board, Others::Possible).await, 0);
    let now = office.clock.advance(1);
    assert_eq!(sweep(&office.board, Others::Possible).await, 2);
    let events = office.events_after(before).await;
    assert_eq!(topics(&events)[6..], ["call.completed", "call.completed"]);
    for event in &events[6..] {
        assert_eq!(event.at, now);
        let told = crate::support::payload(event);
        assert_eq!(
            (&told["result"], &told["length"]),
            (&"ANSWERED".into(), &"30s".into())
        );
    }
    office.assert_sound().await;
}

/// A call that cannot be swept (its line is gone, say) must not keep the others hanging.
async fn one_bad_call_does_not_keep_the_others_hanging(t: TestDb) {
    let office = t.office().await;
    let other = office.node("node-2");
    let bad = ring(&other, &office).await;
    let good = office
        .run(move |work| {
            work.node = "node-2";
            calls::ring(
                work,
                &calls::Ring {
                    line: trunkline_testkit::db::fr(),
                    ..inbound(nobody(), START)
                },
            )
        })
        .await
        .unwrap();
    office
        .board
        .db()
        .write(|tx| tx.execute("DELETE FROM numbers WHERE number = '+14155550100'", &[]))
        .await
        .unwrap();
    assert_eq!(us().to_string(), "+14155550100");
    assert_eq!(sweep(&office.board, Others::None).await, 1);
    assert_eq!(
        (phase(&office, bad).await, phase(&office, good).await),
        (Phase::Ringing, Phase::Completed)
    );
}

/// However many calls are alive: the abandoned ones behind them are found.
async fn no_number_of_living_calls_hides_an_abandoned_one(t: TestDb) {
    let office = t.office().await;
    let abandoned = ring(&office.node("node-2"), &office).await;
    let (team, own) = (office.team, office.board.node().to_owned());
    let many = "INSERT INTO calls (team_id, seq, phase, node)
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10050)
                SELECT CAST($1 AS BIGINT), -n, 'RINGING', CAST($2 AS TEXT) FROM numbers";
    office
        .board
        .db()
        .write(move |tx| tx.execute(many, params![team, &own]))
        .await
        .unwrap();
    assert_eq!(sweep(&office.board, Others::None).await, 1);
    assert_eq!(phase(&office, abandoned).await, Phase::Completed);
}

async fn answer(db: &Db, team: TeamKey, key: &str, created_at: Millis) {
    let row = IdempotencyRow {
        api_key: ApiKeyId::new(&SeededIds::new(3), START),
        key: key.to_owned(),
        request: "POST /v1/api/sms".into(),
        fingerprint: "f00d".into(),
        status: 200,
        ignored: None,
        body: "{}".into(),
        created_at,
    };
    db.write(move |tx| idempotency::put(tx, team, &row, Millis(0)))
        .await
        .unwrap();
}

async fn keys(db: &Db) -> Vec<String> {
    db.read(|conn| conn.rows("SELECT key FROM idempotency ORDER BY key", &[], |row| row.get(0)))
        .await
        .unwrap()
}

async fn only_what_is_old_is_deleted(t: TestDb) {
    let office = t.office().await;
    let (db, quiet) = (office.board.db(), t.bare_team("no events").await);
    let now = office.clock.advance(100 * Millis::DAY);
    for (team, name) in [(office.team, "busy"), (quiet, "quiet")] {
        answer(db, team, &format!("{name} old"), now.plus(-IDEMPOTENCY_WINDOW)).await;
        answer(
            db,
            team,
            &format!("{name} young"),
            now.plus(1 - IDEMPOTENCY_WINDOW),
        )
        .await;
    }
    for (node, ago) in [("long gone", Millis::DAY), ("silent", Millis::DAY - 1)] {
        db.write(move |tx| nodes::seen(tx, node, now.plus(-ago)))
            .await
            .unwrap();
    }
    let kept_days = 30 * Millis::DAY;
    let base = office.last_event().await;
    // More than one step of pruning, and among the young ones some that happened long ago and were told late.
    let edge = now.plus(-kept_days);
    office
        .run(move |work| {
            for n in 0..4_500i64 {
                let at = if n < 4_400 {
                    edge.plus(-1)
                } else if n % 2 == 0 {
                    edge
                } else {
                    edge.plus(-1)
                };
                work.emit(Topic::ConversationUpdated, at, None, &n)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let removed = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        let sql = "INSERT INTO removed_contacts (team_id, change, id) VALUES ($1, $2, $3), ($1, $4, $5)";
        let (old, young) = (base + 4_400, base + 4_401);
        Ok(work
            .tx
            .execute(sql, params![work.team, old, "cnt-old", young, "cnt-young"])?)
    };
    office.run(removed).await.unwrap();
    let deleted = sweeper::prune(&office.board, kept_days).await.unwrap();
    let people = "SELECT id FROM removed_contacts";
    let read = db.read(move |conn| conn.rows(people, &[], |row| row.get::<String>(0)));
    let people: Vec<String> = read.await.unwrap();
    assert_eq!(people, ["cnt-young"], "whom an index of people may not know yet");
    let left = office.events_after(0).await;
    assert_eq!(
        left.first().unwrap().seq,
        base + 4_401,
        "the first that is young, and all behind it"
    );
    assert_eq!(left.len(), 100);
    assert_eq!(deleted as i64, base + 4_400 + 2 + 1 + 1);
    assert_eq!(keys(db).await, ["busy young", "quiet young"]);
    let seen = db
        .read(|conn| conn.rows("SELECT node FROM nodes", &[], |row| row.get::<String>(0)))
        .await
        .unwrap();
    assert_eq!(seen, ["silent"]);
    assert_eq!(
        sweeper::prune(&office.board, kept_days).await.unwrap(),
        0,
        "nothing is old any more"
    );
    assert_sound(db, office.team).await;

    // However old all of them are: the newest stays, so that followers see where the log stands.
    office.clock.advance(1_000 * Millis::DAY);
    sweeper::prune(&office.board, kept_days).await.unwrap();
    let left = office.events_after(0).await;
    assert_eq!(
        left.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [base + 4_500]
    );
    assert_eq!(office.last_event().await, base + 4_500);
    office
        .run(|work| Ok(work.emit(Topic::ConversationUpdated, START, None, &1)?))
        .await
        .unwrap();
    assert_eq!(office.last_event().await, base + 4_501, "the numbers go on");
    assert_sound(db, office.team).await;
}

trunkline_testkit::on_both! {
    a_silent_node_loses_its_calls_and_a_living_one_does_not,
    a_node_that_says_farewell_leaves_its_calls_at_once,
    processing_is_given_up_on_in_time,
    one_bad_call_does_not_keep_the_others_hanging,
    no_number_of_living_calls_hides_an_abandoned_one,
    only_what_is_old_is_deleted,
}
