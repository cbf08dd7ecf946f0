//! The clock is set while messages are on their way: nothing is lost, nothing waits for the old time.

use std::time::Duration;

use trunkline_domain::events::Topic;
use trunkline_domain::{DeliveryState, Millis};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::TestDb;

use crate::support::*;

async fn retries_do_not_wait_for_the_old_time(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(500);
    listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    texts(&office, 700).await;
    let last = office.last_event().await;
    until_message(&office, (1, last), "it is tried", |m| m.tries == 1).await;
    eventually("each is tried", || async {
        (catcher.count() >= 700).then_some(())
    })
    .await;
    // What failed now is due in seconds; what failed twice, in minutes.
    catcher.answer(204);
    let now = office.clock.advance(-Millis::HOUR);
    eventually("retries are brought forward", || async {
        let all = messages(&office, 1).await;
        let latest = all.iter().filter_map(|message| message.due_at).max();
        latest
            .is_none_or(|due| due <= now.plus(10 * Millis::SECOND))
            .then_some(())
    })
    .await;
    office.clock.advance(10 * Millis::SECOND);
    until_settled(&office).await;
    running.end().await;
    assert_delivered(&office, 1, 700).await;
    assert_eq!(catcher.ids().len(), 700);
}

async fn an_hour_to_and_fro_breaks_nothing(t: TestDb) {
    let office = office(&t).await;
    let [steady, slow, flaps] = [
        Catcher::start().await,
        Catcher::start().await,
        Catcher::start().await,
    ];
    slow.answer(Answer::ok().delay(Duration::from_millis(25)));
    flaps.answer_with(|request| {
        if request.number % 2 == 0 {
            Answer::status(500)
        } else {
            Answer::ok()
        }
    });
    for catcher in [&steady, &slow, &flaps] {
        listen(&office, catcher.url()).await;
    }
    let running = Running::usual(&office.board);
    for jump in [1, -1, -1, 1, 1, 1, -2] {
        texts(&office, 60).await;
        flaps.wait_for(10).await;
        office.clock.advance(jump * Millis::HOUR);
        texts(&office, 40).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    flaps.answer(204);
    let mut last = office.last_event().await;
    for _ in 0..30 {
        office.clock.advance(5 * Millis::SECOND);
        last = emit(&office, &[Topic::TagAdded]).await;
        steady
            .wait_until(|received| received.topic() == "tag.added")
            .await;
    }
    until_message(&office, (1, last), "the last arrives", |m| {
        m.state == DeliveryState::Delivered
    })
    .await;
    // Some have failed often, half of the time as they were.
    let_time_pass(&office, Millis::HOUR).await;
    running.end().await;
    for (endpoint, catcher) in (1..).zip([&steady, &slow, &flaps]) {
        assert_delivered(&office, endpoint, 730).await;
        assert_eq!(catcher.ids().len(), 730);
    }
}

/// An endpoint that could not be used is not shut until the old time comes again, or while the clock stands still.
async fn a_pause_ends_though_the_clock_was_set_back(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (endpoint, _) = listen(&office, catcher.url()).await;
    let team = office.team;
    let (sealed, id) = (row(&office, 1).await.secrets, endpoint.id);
    let spoil = move |secrets: String| {
        let sql =
            "UPDATE webhook_endpoints SET secrets = $1, version = version + 1 WHERE team_id = $2 AND id = $3";
        move |tx: &mut trunkline_store::Tx<'_>| {
            tx.execute(
                sql,
                trunkline_store::params![secrets.as_str(), team, id.to_string()],
            )
        }
    };
    write(office.board.db(), spoil("00".to_owned())).await;
    let running = Running::usual(&office.board);
    let event = emit(&office, &[Topic::TagAdded]).await;
    until_message(&office, (1, event), "it is claimed", |m| {
        m.due_at > Some(Millis(0))
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    write(office.board.db(), spoil(sealed)).await;
    office.clock.advance(-Millis::HOUR);
    catcher.wait_for(1).await;
    until_settled(&office).await;
    running.end().await;
}

trunkline_testkit::on_both! {
    retries_do_not_wait_for_the_old_time,
    an_hour_to_and_fro_breaks_nothing,
    a_pause_ends_though_the_clock_was_set_back,
}
