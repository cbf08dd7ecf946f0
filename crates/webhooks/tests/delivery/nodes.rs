//! Several processes on one database, and what the end of one leaves to the others.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_domain::Millis;
use trunkline_domain::events::Topic;
use trunkline_switchboard::messages::{self as messages_of, Receive};
use trunkline_switchboard::webhooks::LEASE_MS;
use trunkline_switchboard::{Error, erasure};
use trunkline_testkit::catcher::{Answer, Catcher, Received};
use trunkline_testkit::db::{TestDb, sarah, us};

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

/// A receiver repeats what it is told; meanwhile another node erases who said it.
async fn what_was_told_before_an_erasure_elsewhere_is_not_kept(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let slowly = |received: &Received| {
        Answer::status(503)
            .body(received.body.clone())
            .delay(Duration::from_secs(2))
    };
    catcher.answer_with(slowly);
    create(&office, wanted(catcher.url(), &[Topic::SmsReceived])).await;
    let text = Receive {
        line: us(),
        from: sarah(),
        content: "gorblaxian greetings".to_owned(),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at: office.board.now(),
    };
    let received: Result<_, Error> = office
        .board
        .run(office.team, move |work| messages_of::receive(work, &text))
        .await;
    received.unwrap();
    let running = Running::usual(&office.node_on(t.open_again(), "node-2"));
    let told = catcher.wait_for(1).await;
    assert!(told[0].json().to_string().contains("gorblaxian"));
    let (by, person) = (office.by_ada(), office.sarah);
    let erased: Result<_, Error> = office
        .board
        .run(office.team, move |work| erasure::erase(work, person, &by))
        .await;
    erased.unwrap();
    assert!(erasure::erase_once(&office.board).await.unwrap());
    // What is on its way comes to its end.
    running.end().await;
    let stored = messages(&office, 1).await;
    assert!(!format!("{stored:?}").contains("gorblaxian"), "{stored:?}");
    // It was no attempt that counts: the text is told of once more, without its words.
    catcher.clear();
    catcher.answer(204);
    office.clock.advance(LEASE_MS + 1_000);
    let running = Running::usual(&office.node_on(t.open_again(), "node-3"));
    until_settled(&office).await;
    running.end().await;
    assert_delivered(&office, 1, 1).await;
    let told = catcher.received();
    assert_eq!(told.len(), 1);
    assert!(!told[0].json().to_string().contains("gorblaxian"));
}

trunkline_testkit::on_both! {
    two_nodes_deliver_without_doubling,
    what_was_told_before_an_erasure_elsewhere_is_not_kept,
    what_a_dead_node_held_is_sent_when_its_leases_end,
    what_was_held_is_given_back_at_the_end,
}
