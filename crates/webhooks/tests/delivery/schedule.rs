//! When what fails is tried again, when it is given up, and how it is sent once more.

use trunkline_domain::events::Topic;
use trunkline_domain::webhook::schedule::{ATTEMPTS, PAUSES};
use trunkline_domain::{DeliveryId, DeliveryState, Millis};
use trunkline_store::params;
use trunkline_switchboard::Error;
use trunkline_switchboard::webhooks as commands;
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Office, TestDb};

use crate::support::*;

async fn a_message_is_tried_for_more_than_a_day(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(Answer::status(500).body("broken \u{1F4A5}"));
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let start = office.board.now();
    let event = emit(&office, &[Topic::CallEnded]).await;
    let mut due = vec![start];
    for made in 1..ATTEMPTS {
        let message = until_message(&office, (1, event), "it is tried", |m| m.tries == i64::from(made)).await;
        assert_eq!(message.state, DeliveryState::Pending);
        let (now, next) = (office.board.now(), message.due_at.unwrap());
        let pause = PAUSES[usize::from(made)];
        let shortest = now.plus(pause - pause / 5);
        assert!(
            (shortest..=now.plus(pause + pause / 5)).contains(&next),
            "after {made}: {}",
            next.since(now)
        );
        due.push(next);
        // Not a moment earlier: the attempt says when it was made.
        office.clock.set(next.plus(-1));
        emit(&office, &[Topic::TagAdded]).await;
        until_message(&office, (1, event + i64::from(made)), "another is tried", |m| {
            m.tries == 1
        })
        .await;
        office.clock.set(next);
    }
    let message = until_message(&office, (1, event), "it is given up", |m| {
        m.state == DeliveryState::Failed
    })
    .await;
    running.end().await;
    assert_eq!((message.tries, message.due_at), (i64::from(ATTEMPTS), None));
    let made = attempts(&message);
    let at: Vec<Millis> = made.iter().map(|attempt| attempt.at).collect();
    assert_eq!(at, due);
    assert!(
        made.iter()
            .all(|attempt| attempt.status == Some(500) && attempt.reply == "broken \u{1F4A5}")
    );
    let hours = office.board.now().since(start) / Millis::HOUR;
    assert!((21..=34).contains(&hours), "{hours} hours");
    let posted = catcher
        .received()
        .iter()
        .filter(|r| r.topic() == "call.ended")
        .count();
    assert_eq!(posted, usize::from(ATTEMPTS));
    let row = row(&office, 1).await;
    assert_eq!(row.last_error.as_deref(), Some("STATUS 500"));
    assert!(row.breaker.is_some() && row.enabled);
}

async fn a_receiver_may_ask_for_a_longer_pause(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let now = office.board.now();
    let date = httpdate::fmt_http_date(
        std::time::UNIX_EPOCH + std::time::Duration::from_millis(now.0.unsigned_abs() + 150_000),
    );
    // The next step of the schedule is five seconds, the one after it five minutes.
    let cases = [
        (429, "120".to_owned(), 120_000..=144_000),
        (503, date, 148_000..=180_000),
        (503, "86400".to_owned(), 300_000..=300_000),
        (429, "1".to_owned(), 4_000..=6_000),
        (500, "120".to_owned(), 4_000..=6_000),
        (429, "soon".to_owned(), 4_000..=6_000),
        (503, "-5".to_owned(), 4_000..=6_000),
    ];
    for (status, asked, expected) in cases {
        catcher.answer(Answer::status(status).header("retry-after", &asked));
        let event = emit(&office, &[Topic::TagAdded]).await;
        let message = until_message(&office, (1, event), "it is tried", |m| m.tries == 1).await;
        let pause = message.due_at.unwrap().since(now);
        assert!(expected.contains(&pause), "{status} and {asked}: {pause}");
    }
    running.end().await;
}

/// Marks what was delivered as failed, as eight attempts would.
async fn let_fail(office: &Office, endpoint: i64) -> u64 {
    let team = office.team;
    let fail = "UPDATE webhook_messages SET state = 'FAILED', tries = 8 WHERE team_id = $1 AND endpoint = $2";
    write(office.board.db(), move |tx| {
        tx.execute(fail, params![team, endpoint])
    })
    .await
}

async fn what_failed_is_sent_again(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (endpoint, _) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    // More than the steps of a replay, in three times and two topics.
    texts(&office, 700).await;
    office.clock.advance(Millis::MINUTE);
    let since = office.board.now();
    texts(&office, 650).await;
    for _ in 0..20 {
        emit(&office, &[Topic::TagAdded; 10]).await;
    }
    office.clock.advance(Millis::MINUTE);
    texts(&office, 5).await;
    until_settled(&office).await;
    assert_eq!(let_fail(&office, 1).await, 1_555);
    catcher.clear();

    let id = endpoint.id;
    let replay = |since: Millis, topics: &'static [Topic]| {
        let office = &office;
        async move {
            let asked: Result<(), Error> = office
                .run(move |work| commands::replay_failed(work, id, since, topics))
                .await;
            asked.unwrap();
            eventually("the replay is done", || async {
                row(office, 1).await.replay.is_none().then_some(())
            })
            .await;
            until_settled(office).await;
        }
    };
    replay(since, &[Topic::TagAdded, Topic::CallEnded]).await;
    assert_eq!(catcher.ids().len(), 200);
    assert!(
        catcher
            .received()
            .iter()
            .all(|received| received.topic() == "tag.added")
    );
    replay(since, &[]).await;
    assert_eq!(
        (catcher.count(), catcher.ids().len()),
        (855, 855),
        "what has arrived is not sent again"
    );
    replay(Millis(0), &[]).await;
    running.end().await;
    assert_eq!((catcher.count(), catcher.ids().len()), (1_555, 1_555));
    assert_delivered(&office, 1, 1_555).await;
    let replayed = &messages(&office, 1).await[0];
    assert_eq!(
        (replayed.tries, attempts(replayed).len()),
        (1, 2),
        "a new round, an old history"
    );
}

async fn one_message_is_sent_again_whatever_it_was(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(400);
    let (endpoint, _) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let event = emit(&office, &[Topic::ContactUpdated]).await;
    let mut message = until_message(&office, (1, event), "it is tried", |m| m.tries == 1).await;
    let replay = |at| {
        let message = DeliveryId::of(endpoint.id, event, at);
        office.run(move |work| commands::replay_one(work, endpoint.id, message))
    };
    // Due in a few seconds: it comes by itself.
    replay(message.at).await.unwrap();
    office.clock.advance(10 * Millis::SECOND);
    message = until_message(&office, (1, event), "it is tried twice", |m| m.tries == 2).await;
    // Due in minutes: it comes at once, and begins anew.
    replay(message.at).await.unwrap();
    message = until_message(&office, (1, event), "it is tried at once", |m| m.tries == 1).await;
    assert_eq!(attempts(&message).len(), 3);
    let_fail(&office, 1).await;
    let gone = "UPDATE webhook_messages SET due_at = NULL WHERE state = 'FAILED'";
    write(office.board.db(), move |tx| tx.execute(gone, &[])).await;
    catcher.answer(200);
    for _ in 0..2 {
        replay(message.at).await.unwrap();
        message = until_message(&office, (1, event), "it arrives", |m| {
            m.state == DeliveryState::Delivered && attempts(m).len() > attempts(&message).len()
        })
        .await;
    }
    running.end().await;
    assert_eq!((catcher.count(), catcher.ids().len()), (5, 1));
}

/// A message whose event is not kept any more cannot be made: it fails, and says why.
async fn what_is_not_kept_any_more_fails(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(500);
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let event = emit(&office, &[Topic::ContactUpdated]).await;
    until_message(&office, (1, event), "it is tried", |m| m.tries == 1).await;
    let team = office.team;
    emit(&office, &[Topic::TagAdded]).await;
    write(office.board.db(), move |tx| {
        trunkline_store::events::prune(tx, team, 0, event)
    })
    .await;
    office.clock.advance(Millis::MINUTE);
    let message = until_message(&office, (1, event), "it is given up", |m| {
        m.state == DeliveryState::Failed
    })
    .await;
    running.end().await;
    let made = attempts(&message);
    assert_eq!(made.len(), 2);
    assert!(made[1].reply.contains("not kept"), "{made:?}");
}

trunkline_testkit::on_both! {
    a_message_is_tried_for_more_than_a_day,
    a_receiver_may_ask_for_a_longer_pause,
    what_failed_is_sent_again,
    one_message_is_sent_again_whatever_it_was,
    what_is_not_kept_any_more_fails,
}
