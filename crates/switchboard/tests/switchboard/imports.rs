//! History in bulk: as it was, with one event, and totals as if it had happened here.

use serde_json::json;
use trunkline_domain::events::TranscriptLine;
use trunkline_domain::{CallResult, Direction, Millis, PhoneNumber, Speaker};
use trunkline_store::{conversations, events, items};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::tags;
use trunkline_testkit::db::{Office, START, TestDb, fr, marie, nobody, sarah, us};

use crate::support::{Diary, all_rows, payload, topics};

fn text(line: i64, contact: PhoneNumber, direction: Direction, at: Millis) -> ImportItem {
    ImportItem {
        line,
        contact,
        direction,
        user: None,
        at,
        body: ImportBody::Message {
            content: "Long ago.".into(),
        },
    }
}

fn call(line: i64, contact: PhoneNumber, direction: Direction, result: CallResult, at: Millis) -> ImportItem {
    let spoken = TranscriptLine {
        source: Speaker::External,
        time: at,
        text: "Long ago.".into(),
    };
    let body = ImportBody::Call {
        result,
        duration: 42,
        transcript: vec![spoken],
        summary: Some("It was long ago.".into()),
        tags: vec!["old".into()],
    };
    ImportItem {
        line,
        contact,
        direction,
        user: None,
        at,
        body,
    }
}

async fn bring(office: &Office, batch: Vec<ImportItem>) -> usize {
    office.run(move |work| import(work, &batch)).await.unwrap()
}

fn ago(days: i64) -> Millis {
    START.plus(-days * Millis::DAY)
}

async fn every_row_of_an_import(t: TestDb) {
    let office = t.office().await;
    office
        .run(|work| tags::define(work, "old", "Old", "#112233"))
        .await
        .unwrap();
    let mut diary = Diary::begin(&office).await;
    let mut answered = call(
        office.us_line,
        sarah(),
        Direction::Inbound,
        CallResult::Answered,
        ago(3),
    );
    answered.user = Some(office.ben);
    let batch = vec![
        answered,
        text(office.us_line, sarah(), Direction::Outbound, ago(2)),
        text(office.fr_line, marie(), Direction::Inbound, ago(1)),
    ];
    assert_eq!(bring(&office, batch).await, 3);
    diary.note(&office, "a batch of three").await;
    assert_eq!(bring(&office, vec![]).await, 0);
    diary.note(&office, "an empty batch").await;
    insta::assert_snapshot!("every_row_of_an_import", diary.text());
}

async fn an_import_tells_where_its_items_stand(t: TestDb) {
    let office = t.office().await;
    office
        .run(|work| tags::define(work, "old", "Old", "#112233"))
        .await
        .unwrap();
    let before = office.last_event().await;
    bring(
        &office,
        (0..5)
            .map(|n| text(office.us_line, sarah(), Direction::Inbound, ago(n + 1)))
            .collect(),
    )
    .await;
    let received = Receive {
        line: us(),
        from: marie(),
        content: "now".into(),
        media: vec![],
        carrier: "sandbox",
        carrier_ref: None,
        at: START,
    };
    office
        .run(move |work| messages::receive(work, &received))
        .await
        .unwrap();
    bring(
        &office,
        vec![call(
            office.us_line,
            nobody(),
            Direction::Outbound,
            CallResult::Missed,
            ago(9),
        )],
    )
    .await;
    let told = office.events_after(before).await;
    assert_eq!(
        topics(&told),
        ["items.imported", "sms.received", "items.imported"]
    );
    assert_eq!(payload(&told[0]), json!({"from": 1, "to": 5}));
    let team = office.team;
    let touched = office
        .board
        .db()
        .read(move |conn| events::touched(conn, team, before, 10))
        .await
        .unwrap();
    let touched: Vec<_> = touched.into_iter().map(|touched| touched.items).collect();
    assert_eq!(touched, [[(1, 5)], [(6, 6)], [(7, 7)]]);
    office.assert_sound().await;
}

/// The newest item decides how the conversation stands, in whatever order the batch brings them.
async fn history_stands_as_it_ended(t: TestDb) {
    let office = t.office().await;
    office
        .run(|work| tags::define(work, "old", "Old", "#112233"))
        .await
        .unwrap();
    let line = office.us_line;
    let last_word = |direction, result| call(line, nobody(), direction, result, ago(1));
    let inbound = Direction::Inbound;
    for (n, (last, stands)) in [
        (text(line, nobody(), inbound, ago(1)), (true, true)),
        (text(line, nobody(), Direction::Outbound, ago(1)), (false, false)),
        (last_word(inbound, CallResult::Answered), (false, false)),
        (
            last_word(inbound, CallResult::TransferredExternal),
            (false, false),
        ),
        (last_word(inbound, CallResult::Missed), (true, true)),
        (last_word(inbound, CallResult::Voicemail), (true, true)),
        (last_word(Direction::Outbound, CallResult::Failed), (false, false)),
    ]
    .into_iter()
    .enumerate()
    {
        let contact = PhoneNumber::parse(&format!("+1415555030{n}")).unwrap();
        let opposite = if stands.0 { Direction::Outbound } else { inbound };
        let mut batch = vec![
            last,
            text(line, contact, opposite, ago(5)),
            text(line, contact, opposite, ago(4)),
        ];
        batch.iter_mut().for_each(|item| item.contact = contact);
        bring(&office, batch).await;
        let team = office.team;
        let found = office
            .board
            .db()
            .read(move |conn| conversations::of_pair(conn, team, contact, line))
            .await;
        let row = found.unwrap().unwrap();
        assert_eq!(
            (row.standing.unread, row.standing.unresponded),
            stands,
            "case {n}"
        );
        assert_eq!((row.items, row.last_at), (3, ago(1)));
    }
    office.assert_sound().await;
}

async fn history_behind_the_present_makes_nothing_unread(t: TestDb) {
    let office = t.office().await;
    let sent = messages::Send {
        line: fr(),
        to: marie(),
        content: "Here.".into(),
        media: vec![],
        user: None,
    };
    office.run(move |work| messages::send(work, &sent)).await.unwrap();
    bring(
        &office,
        (1..4)
            .map(|n| text(office.fr_line, marie(), Direction::Inbound, ago(n)))
            .collect(),
    )
    .await;
    let (team, line) = (office.team, office.fr_line);
    let found = office
        .board
        .db()
        .read(move |conn| conversations::of_pair(conn, team, marie(), line))
        .await;
    let row = found.unwrap().unwrap();
    assert_eq!(
        (
            row.items,
            row.last_item,
            row.standing.unread,
            row.standing.unresponded
        ),
        (4, 1, false, false)
    );
    office.assert_sound().await;
}

/// A batch that cannot be stored leaves nothing.
async fn a_faulty_batch_leaves_nothing(t: TestDb) {
    let office = t.office().await;
    let before = all_rows(&office).await;
    let mut twice = call(
        office.us_line,
        sarah(),
        Direction::Inbound,
        CallResult::Answered,
        ago(1),
    );
    if let ImportBody::Call { tags, .. } = &mut twice.body {
        *tags = vec!["old".into(), "old".into()];
    }
    let batch = vec![text(office.us_line, sarah(), Direction::Inbound, ago(2)), twice];
    assert!(office.run(move |work| import(work, &batch)).await.is_err());
    assert_eq!(all_rows(&office).await, before);
}

/// Thousands in batches, while others work: numbers and totals stay exact.
async fn imports_and_live_work_share_a_team(t: TestDb) {
    let office = t.office().await;
    let node = office.node("node-2");
    let importing: Vec<_> = (0..6i64)
        .map(|n| {
            let (board, team, line) = (node.clone(), office.team, office.us_line);
            tokio::spawn(async move {
                let contact = |i: i64| if i % 2 == 0 { sarah() } else { marie() };
                let batch: Vec<_> = (0..200)
                    .map(|i| text(line, contact(i), Direction::Inbound, ago(n * 200 + i)))
                    .collect();
                board
                    .run::<_, trunkline_switchboard::Error, _>(team, move |work| import(work, &batch))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let received = Receive {
        line: us(),
        from: sarah(),
        content: "now".into(),
        media: vec![],
        carrier: "sandbox",
        carrier_ref: None,
        at: START,
    };
    for _ in 0..30 {
        let received = received.clone();
        office
            .run(move |work| messages::receive(work, &received))
            .await
            .unwrap();
    }
    for batch in importing {
        assert_eq!(batch.await.unwrap(), 200);
    }
    let team = office.team;
    let last = office
        .board
        .db()
        .read(move |conn| items::by_seq(conn, team, 1_230))
        .await
        .unwrap();
    assert!(last.is_some());
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_row_of_an_import,
    an_import_tells_where_its_items_stand,
    history_stands_as_it_ended,
    history_behind_the_present_makes_nothing_unread,
    a_faulty_batch_leaves_nothing,
    imports_and_live_work_share_a_team,
}
