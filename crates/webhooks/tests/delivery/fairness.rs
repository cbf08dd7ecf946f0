//! Nobody waits for somebody else's receiver, and what is under way has a bound.

use std::time::Duration;

use trunkline_domain::events::Topic;
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::TestDb;
use trunkline_webhooks::{Client, ClientOptions, Options};

use crate::support::*;

/// Waits for an answer as long as a test may take: what hangs holds what it has got.
fn patient() -> Client {
    client(ClientOptions {
        time_limit: Duration::from_secs(600),
        ..local()
    })
}

async fn an_endpoint_gets_eight_at_a_time(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(Answer::ok().delay(Duration::from_millis(15)));
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 200).await;
    until_settled(&office).await;
    running.end().await;
    assert_eq!((catcher.count(), catcher.ids().len()), (200, 200));
    assert_eq!(catcher.most_at_once(), 8);
}

async fn all_together_have_a_bound(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(Answer::ok().delay(Duration::from_millis(10)));
    for n in 0..30 {
        listen(&office, &format!("{}/{n}", catcher.url())).await;
    }
    let options = Options {
        in_flight: 24,
        concurrency: 3,
        ..options()
    };
    let running = Running::start(&office.board, client(local()), options);
    texts(&office, 40).await;
    until_settled(&office).await;
    running.end().await;
    assert_eq!((catcher.count(), catcher.ids().len()), (1_200, 1_200));
    let most = catcher.most_at_once();
    assert!((13..=24).contains(&most), "{most} at once");
}

async fn one_that_hangs_holds_up_nobody(t: TestDb) {
    let office = office(&t).await;
    let [dead, alive] = [Catcher::start().await, Catcher::start().await];
    dead.answer(Answer::never());
    listen(&office, dead.url()).await;
    for n in 1..20 {
        listen(&office, &format!("{}/{n}", alive.url())).await;
    }
    let running = Running::start(&office.board, patient(), options());
    texts(&office, 100).await;
    alive.wait_for(1_900).await;
    assert_eq!(alive.ids().len(), 1_900);
    assert!(dead.count() <= 8, "{} are under way", dead.count());
    // The dead one wakes up: what was under way is lost with its connection only if it is ended; here it goes on.
    for endpoint in 2..=20 {
        eventually("the others' messages are settled", || async {
            let all = messages(&office, endpoint).await;
            all.iter().all(|message| message.due_at.is_none()).then_some(())
        })
        .await;
        assert_delivered(&office, endpoint, 100).await;
    }
    drop(running);
}

/// Many more hang than may be under way at a time: those that have proved to answer keep their half.
async fn a_crowd_that_hangs_holds_up_nobody_who_answers(t: TestDb) {
    let office = office(&t).await;
    let [dead, alive] = [Catcher::start().await, Catcher::start().await];
    dead.answer(Answer::never());
    listen(&office, alive.url()).await;
    let options = Options {
        in_flight: 32,
        ..options()
    };
    let running = Running::start(&office.board, patient(), options);
    texts(&office, 1).await;
    alive.wait_for(1).await;
    until_settled(&office).await;
    for n in 0..60 {
        listen(&office, &format!("{}/{n}", dead.url())).await;
    }
    for _ in 0..10 {
        texts(&office, 30).await;
        tokio::task::yield_now().await;
    }
    alive.wait_for(301).await;
    assert_eq!(alive.ids().len(), 301);
    assert!(dead.count() <= 16, "{} of 32", dead.count());
    drop(running);
}

/// One after the other hangs until its time is over, and all get their turn.
async fn those_on_trial_take_turns(t: TestDb) {
    let office = office(&t).await;
    let (dead, late) = (Catcher::start().await, Catcher::start().await);
    dead.answer(Answer::never());
    for n in 0..25 {
        listen(&office, &format!("{}/{n}", dead.url())).await;
    }
    listen(&office, late.url()).await;
    let options = Options {
        in_flight: 8,
        concurrency: 2,
        ..options()
    };
    let limit = ClientOptions {
        time_limit: Duration::from_millis(60),
        ..local()
    };
    let running = Running::start(&office.board, client(limit), options);
    emit(&office, &[Topic::TagAdded, Topic::SmsSent]).await;
    for endpoint in 1..=25 {
        eventually("each was tried", || async {
            let all = messages(&office, endpoint).await;
            (all.len() == 2 && all.iter().all(|message| message.tries == 1)).then_some(())
        })
        .await;
    }
    late.wait_for(2).await;
    assert_eq!(dead.ids().len(), 50);
    running.end().await;
}

/// Busy endpoints with long queues do not hold up a quiet one.
async fn a_quiet_endpoint_is_served_beside_busy_ones(t: TestDb) {
    let office = office(&t).await;
    let [busy, quiet] = [Catcher::start().await, Catcher::start().await];
    busy.answer(Answer::ok().delay(Duration::from_millis(100)));
    for n in 0..20 {
        create(
            &office,
            wanted(&format!("{}/{n}", busy.url()), &[Topic::SmsReceived]),
        )
        .await;
    }
    create(&office, wanted(quiet.url(), &[Topic::TagAdded])).await;
    texts(&office, 300).await;
    let running = Running::usual(&office.board);
    eventually("everything is fanned out", || async {
        let ahead = office
            .board
            .db()
            .read(trunkline_store::webhooks::ahead)
            .await
            .unwrap();
        ahead.is_empty().then_some(())
    })
    .await;
    emit(&office, &[Topic::TagAdded]).await;
    quiet.wait_for(1).await;
    assert!(busy.count() < 6_000, "the quiet one waited for the busy ones");
    until_settled(&office).await;
    running.end().await;
    assert_eq!((busy.count(), busy.ids().len()), (6_000, 6_000));
}

trunkline_testkit::on_both! {
    an_endpoint_gets_eight_at_a_time,
    all_together_have_a_bound,
    one_that_hangs_holds_up_nobody,
    a_crowd_that_hangs_holds_up_nobody_who_answers,
    those_on_trial_take_turns,
    a_quiet_endpoint_is_served_beside_busy_ones,
}
