//! Several processes on one database, and what the end of one leaves to the others.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_domain::Millis;
use trunkline_switchboard::webhooks::LEASE_MS;
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::TestDb;

use crate::support::*;

async fn two_nodes_deliver_without_doubling(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer_with(|request| {
        let delay = Duration::from_millis(request.number as u64 % 4);
        if request.number % 50 == 49 {
            Answer::status(500)
        } else {
            Answer::ok().delay(delay)
        }
    });
    for n in 0..10 {
        listen(&office, &format!("{}/{n}", catcher.url())).await;
    }
    // A backlog, and events that both nodes append while both deliver.
    texts(&office, 150).await;
    let boards = [
        office.node_on(t.open_again(), "node-2"),
        office.node_on(t.open_again(), "node-3"),
    ];
    let running = [Running::usual(&boards[0]), Running::usual(&boards[1])];
    let writers: Vec<_> = boards
        .iter()
        .map(|board| {
            let (board, team) = (board.clone(), office.team);
            tokio::spawn(async move {
                for _ in 0..25 {
                    texts_of(&board, team, 3).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let_time_pass(&office, Millis::HOUR).await;
    for running in running {
        running.end().await;
    }
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for received in catcher.received() {
        *outcomes.entry(received.id().to_owned()).or_default() += 1;
    }
    assert_eq!(outcomes.len(), 3_000);
    let failed = catcher
        .received()
        .iter()
        .filter(|received| received.number % 50 == 49)
        .count();
    assert_eq!(
        catcher.count(),
        3_000 + failed,
        "each once, but for those that failed"
    );
    for endpoint in 1..=10 {
        assert_delivered(&office, endpoint, 300).await;
    }
}

async fn what_a_dead_node_held_is_sent_when_its_leases_end(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer(Answer::never());
    listen(&office, catcher.url()).await;
    let dead = Running::usual(&office.node_on(t.open_again(), "node-2"));
    texts(&office, 100).await;
    catcher.wait_for(8).await;
    dead.crash();
    catcher.answer(204);
    let running = Running::usual(&office.board);
    eventually("what nobody held is settled", || async {
        let all = messages(&office, 1).await;
        let settled = all.iter().filter(|message| message.due_at.is_none()).count();
        (all.len() == 100 && settled >= 84).then_some(())
    })
    .await;
    office.clock.advance(LEASE_MS);
    until_settled(&office).await;
    running.end().await;
    assert_delivered(&office, 1, 100).await;
    assert_eq!(catcher.ids().len(), 100);
    assert!(
        catcher.count() <= 116,
        "only what was on its way is sent twice: {}",
        catcher.count()
    );
}

async fn what_was_held_is_given_back_at_the_end(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    listen(&office, catcher.url()).await;
    for round in 1..=5 {
        catcher.answer(Answer::ok().delay(Duration::from_millis(2)));
        let first = Running::usual(&office.board);
        let (board, team) = (office.board.clone(), office.team);
        let writer = tokio::spawn(async move { texts_of(&board, team, 600).await });
        catcher.wait_for(600 * round - 550).await;
        // Fanning out, claiming and sending are all under way.
        first.end().await;
        writer.await.unwrap();
        let held = messages(&office, 1).await;
        let now = office.board.now();
        let held = held
            .iter()
            .filter(|message| message.due_at.is_some_and(|due| due > now))
            .count();
        assert_eq!(held, 0, "held by nobody");
        // The clock stands still: no lease ends.
        let second = Running::usual(&office.board);
        until_settled(&office).await;
        second.end().await;
        assert_eq!((catcher.count(), catcher.ids().len()), (600 * round, 600 * round));
    }
    assert_delivered(&office, 1, 3_000).await;
}

trunkline_testkit::on_both! {
    two_nodes_deliver_without_doubling,
    what_a_dead_node_held_is_sent_when_its_leases_end,
    what_was_held_is_given_back_at_the_end,
}
