//! Endpoints that are switched off: by their breaker, by their owner, for good.

use trunkline_domain::events::Topic;
use trunkline_domain::{DeliveryState, Millis};
use trunkline_store::{StoreError, webhook_messages, webhooks as rows};
use trunkline_switchboard::webhooks as commands;
use trunkline_switchboard::{Actor, Error};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Office, TestDb};
use trunkline_webhooks::prune;

use crate::support::*;

/// Lets an endpoint fail for days, with an event every six hours, until it is given up. Returns the day.
async fn fail_until_disabled(office: &Office, endpoint: i64) -> i64 {
    let start = office.board.now();
    for _ in 0..40 {
        let event = emit(office, &[Topic::SmsReceived]).await;
        let settled = eventually("the event is tried, or the endpoint given up", || async {
            let team = office.team;
            let found: Result<_, StoreError> = office
                .board
                .db()
                .read(move |conn| webhook_messages::get(conn, team, endpoint, event))
                .await;
            let is_tried = found.unwrap().is_some_and(|message| message.tries > 0);
            let row = row(office, endpoint).await;
            (is_tried || !row.enabled).then_some(row.enabled)
        });
        if !settled.await {
            return office.board.now().since(start) / Millis::DAY;
        }
        office.clock.advance(6 * Millis::HOUR);
    }
    panic!("it was not given up: {:?}", row(office, endpoint).await.breaker);
}

async fn an_endpoint_that_fails_for_days_is_disabled(t: TestDb) {
    let office = office(&t).await;
    let [sick, well] = [Catcher::start().await, Catcher::start().await];
    sick.answer(Answer::status(410));
    listen(&office, sick.url()).await;
    listen(&office, well.url()).await;
    let before = office.last_event().await;
    let running = Running::usual(&office.board);
    let day = fail_until_disabled(&office, 1).await;
    assert!((5..=6).contains(&day), "day {day}");
    let events = office.events_after(before).await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.topic == Topic::EndpointDisabled)
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].payload.contains("STATUS 410"), "{}", told[0].payload);
    let off = row(&office, 1).await;
    assert_eq!(off.disabled_reason.as_deref(), Some(commands::BY_FAILURES));

    // Nothing more is sent to it, whatever becomes due; the other one is as well as ever.
    texts(&office, 20).await;
    office.clock.advance(11 * Millis::HOUR);
    texts(&office, 20).await;
    until_settled(&office).await;
    let (calls, last) = (sick.count(), office.last_event().await);
    eventually("what was on its way has come", || async {
        texts(&office, 1).await;
        until_settled(&office).await;
        (sick.count() == calls).then_some(())
    })
    .await;
    let told_to_the_other = messages(&office, 2).await;
    assert!(
        told_to_the_other
            .iter()
            .all(|message| message.state == DeliveryState::Delivered)
    );

    // Enabled again, it resumes from where it stopped; what was given up is replayed when asked for.
    sick.answer(204);
    enable(&office, off.id, true, true).await;
    // What was on its way when it was disabled is tried again later than the rest.
    let_time_pass(&office, Millis::HOUR).await;
    until_level(&office, 1).await;
    let failed = count(&office, 1, DeliveryState::Failed).await;
    assert!(failed > 0, "some had all their attempts");
    assert_eq!(count(&office, 1, DeliveryState::Skipped).await, 0);
    let id = off.id;
    let replay: Result<(), Error> = office
        .run(move |work| commands::replay_failed(work, id, Millis(0), &[]))
        .await;
    replay.unwrap();
    eventually("the replay is done", || async {
        row(&office, 1).await.replay.is_none().then_some(())
    })
    .await;
    until_settled(&office).await;
    running.end().await;
    let (mine, others) = (messages(&office, 1).await, messages(&office, 2).await);
    assert!(
        mine.len() > 60
            && mine
                .iter()
                .all(|message| message.state == DeliveryState::Delivered)
    );
    let numbers = |all: &[webhook_messages::MessageRow]| all.iter().map(|m| m.event).collect::<Vec<_>>();
    assert_eq!(numbers(&mine), numbers(&others));
    assert!(row(&office, 1).await.breaker.is_none() && last > 40);
}

async fn until_level(office: &Office, endpoint: i64) {
    eventually("the endpoint is level", || async {
        let row = row(office, endpoint).await;
        (row.behind.is_none() && row.skip_to.is_none()).then_some(())
    })
    .await;
    until_settled(office).await;
}

async fn count(office: &Office, endpoint: i64, state: DeliveryState) -> usize {
    let all = messages(office, endpoint).await;
    all.iter().filter(|message| message.state == state).count()
}

async fn an_endpoint_may_leave_behind_what_it_missed(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(503);
    let (endpoint, _) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 1_200).await;
    let last = office.last_event().await;
    // Whatever is still on its way when the answer changes would be delivered.
    eventually("all were tried", || async {
        let tries: i64 = messages(&office, 1)
            .await
            .iter()
            .map(|message| message.tries)
            .sum();
        (tries == 1_200).then_some(())
    })
    .await;
    enable(&office, endpoint.id, false, false).await;
    texts(&office, 300).await;
    office.clock.advance(Millis::HOUR);
    // Everything is due at the moment in which it is enabled: nothing of it is sent.
    catcher.answer(204);
    catcher.clear();
    enable(&office, endpoint.id, true, false).await;
    texts(&office, 50).await;
    until_level(&office, 1).await;
    running.end().await;
    let all = messages(&office, 1).await;
    let (old, new): (Vec<_>, Vec<_>) = all.into_iter().partition(|message| message.event <= last + 300);
    assert!(
        old.iter().all(|m| matches!(m.state, DeliveryState::Skipped)),
        "{:?}",
        old.iter().find(|m| m.state != DeliveryState::Skipped)
    );
    assert_eq!(
        old.len(),
        1_200,
        "of what happened meanwhile there is no message at all"
    );
    assert!(
        new.len() == 50
            && new
                .iter()
                .all(|message| message.state == DeliveryState::Delivered)
    );
    assert_eq!((catcher.count(), catcher.ids().len()), (50, 50));
}

async fn an_endpoint_switched_off_and_on_misses_nothing(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (endpoint, _) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    for _ in 0..8 {
        texts(&office, 40).await;
        enable(&office, endpoint.id, false, false).await;
        texts(&office, 20).await;
        enable(&office, endpoint.id, true, true).await;
    }
    until_level(&office, 1).await;
    running.end().await;
    assert_eq!(catcher.ids().len(), 480);
    assert_delivered(&office, 1, 480).await;
}

async fn a_deleted_endpoint_hears_no_more_and_goes_with_its_messages(t: TestDb) {
    let office = office(&t).await;
    let [gone, stays] = [Catcher::start().await, Catcher::start().await];
    gone.answer(500);
    let (endpoint, _) = listen(&office, gone.url()).await;
    listen(&office, stays.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 1_100).await;
    eventually("it was tried", || async { (gone.count() > 500).then_some(()) }).await;
    let id = endpoint.id;
    let deleted: Result<(), Error> = office
        .run(move |work| commands::delete(work, id, &Actor::System))
        .await;
    deleted.unwrap();
    until_settled(&office).await;
    let calls = gone.count();
    office.clock.advance(Millis::DAY);
    texts(&office, 10).await;
    until_settled(&office).await;
    // At most what was on its way when it was deleted.
    assert!(gone.count() <= calls + 8, "{} and {calls}", gone.count());
    let kept = messages(&office, 1).await.len();
    assert!(kept <= 1_100);
    assert_eq!(
        prune(&office.board, 30 * Millis::DAY).await.unwrap(),
        u64::try_from(kept).unwrap()
    );
    let team = office.team;
    let found: Result<_, StoreError> = office
        .board
        .db()
        .read(move |conn| rows::by_number(conn, team, 1))
        .await;
    assert!(found.unwrap().is_none());
    assert_delivered(&office, 2, 1_110).await;
    running.end().await;
}

/// What is pruned while it is sent is gone, and nothing waits for it.
async fn pruning_and_delivering_do_not_meet(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (_, _) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let pruning = {
        let board = office.board.clone();
        tokio::spawn(async move {
            let mut deleted = 0;
            for _ in 0..60 {
                deleted += prune(&board, -1).await.unwrap();
                tokio::task::yield_now().await;
            }
            deleted
        })
    };
    texts(&office, 3_000).await;
    let deleted = pruning.await.unwrap();
    until_settled(&office).await;
    running.end().await;
    let left = messages(&office, 1).await;
    assert_eq!(u64::try_from(left.len()).unwrap() + deleted, 3_000);
    assert!(
        left.iter()
            .all(|message| message.state == DeliveryState::Delivered)
    );
}

trunkline_testkit::on_both! {
    an_endpoint_that_fails_for_days_is_disabled,
    an_endpoint_may_leave_behind_what_it_missed,
    an_endpoint_switched_off_and_on_misses_nothing,
    a_deleted_endpoint_hears_no_more_and_goes_with_its_messages,
    pruning_and_delivering_do_not_meet,
}
