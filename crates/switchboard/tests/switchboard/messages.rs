//! Texts: what is stored and told of them, and that reports which come late, twice or in disorder tell nothing twice.

use serde_json::json;
use trunkline_domain::events::Topic;
use trunkline_domain::{ErrorCode, ItemId, MessageId, MessageStatus, Millis, PhoneNumber};
use trunkline_store::messages as rows;
use trunkline_store::text_queue::{self, Allowance, QueuedText};
use trunkline_switchboard::accounts::{AddNumber, Address, add_number};
use trunkline_switchboard::messages::{self, Receive, Report, Send};
use trunkline_testkit::db::{Office, START, TestDb, fr, marie, nobody, number, sarah, us};

use crate::support::{Diary, all_rows, assert_refused, payload, topics};

fn incoming(from: PhoneNumber, reference: Option<&str>) -> Receive {
    Receive {
        line: us(),
        from,
        content: "Hi, I'd like to order. 🥐".to_owned(),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: reference.map(str::to_owned),
        at: START,
    }
}

fn outgoing(to: PhoneNumber) -> Send {
    Send {
        line: us(),
        to,
        content: "Your order is ready.".to_owned(),
        media: Vec::new(),
        user: None,
    }
}

fn says(status: MessageStatus, reference: Option<&str>, reason: Option<&str>) -> Report {
    Report {
        status,
        carrier_ref: reference.map(str::to_owned),
        failure_reason: reason.map(str::to_owned),
    }
}

async fn receive(office: &Office, text: Receive) -> MessageId {
    office
        .run(move |work| messages::receive(work, &text))
        .await
        .unwrap()
}

async fn send(office: &Office, text: Send) -> (MessageId, i64) {
    let id = office.run(move |work| messages::send(work, &text)).await.unwrap();
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| trunkline_store::items::get(conn, team, ItemId::Message(id)))
        .await;
    (id, found.unwrap().unwrap().seq)
}

async fn report(office: &Office, seq: i64, what: Report) -> bool {
    office
        .run(move |work| messages::report(work, seq, &what))
        .await
        .unwrap()
}

async fn row(office: &Office, seq: i64) -> rows::MessageRow {
    let team = office.team;
    office
        .board
        .db()
        .read(move |conn| rows::get(conn, team, seq))
        .await
        .unwrap()
        .unwrap()
}

async fn every_command_of_a_text(t: TestDb) {
    use MessageStatus::{Delivered, Sent};
    let office = t.office().await;
    let mut diary = Diary::begin(&office).await;
    receive(&office, incoming(sarah(), Some("in-1"))).await;
    diary.note(&office, "a text comes in").await;
    office.clock.advance(60_000);
    let reply = Send {
        user: Some(office.ben),
        media: vec!["https://phone.example/m/1.png".into()],
        ..outgoing(sarah())
    };
    let (_, seq) = send(&office, reply).await;
    diary.note(&office, "Ben replies with a picture").await;
    office.clock.advance(500);
    assert!(report(&office, seq, says(Sent, Some("out-1"), None)).await);
    diary.note(&office, "the carrier has it").await;
    office.clock.advance(500);
    let arrived = says(Delivered, None, None);
    assert!(
        office
            .run(move |work| messages::receipt(work, ("sandbox", "out-1"), None, &arrived))
            .await
            .unwrap()
    );
    diary.note(&office, "it arrived").await;
    let (_, seq) = send(
        &office,
        Send {
            line: fr(),
            ..outgoing(marie())
        },
    )
    .await;
    report(&office, seq, says(Sent, Some("out-2"), None)).await;
    report(
        &office,
        seq,
        says(MessageStatus::Failed, Some("out-2"), Some("landline")),
    )
    .await;
    diary.note(&office, "another one that fails").await;
    insta::assert_snapshot!("every_command_of_a_text", diary.text());
}

async fn events_have_the_fields_of_the_catalogue(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let id = receive(
        &office,
        Receive {
            at: START.plus(-3_000),
            ..incoming(marie(), None)
        },
    )
    .await;
    let (sent, seq) = send(
        &office,
        Send {
            user: Some(office.ben),
            ..outgoing(sarah())
        },
    )
    .await;
    office.clock.advance(1_000);
    report(&office, seq, says(MessageStatus::Sent, Some("r"), None)).await;
    report(
        &office,
        seq,
        says(MessageStatus::Failed, None, Some("unreachable")),
    )
    .await;
    let with_picture = Receive {
        media: vec!["https://carrier.example/1".into()],
        content: String::new(),
        ..incoming(nobody(), None)
    };
    let picture = receive(&office, with_picture).await;
    let events = office.events_after(before).await;
    assert_eq!(
        topics(&events),
        ["sms.received", "sms.sent", "sms.failed", "sms.received"]
    );
    assert_eq!(
        payload(&events[0]),
        json!({
            "id": id, "direction": "INBOUND", "type": "SMS", "content": "Hi, I'd like to order. 🥐",
            "sent_at": "2026-04-20T09:59:57.000Z", "from_number": "+33612345678", "to_number": "+14155550100",
            "from_name": "Marie Dupont", "to_name": "Fog City", "user_email": "ada@fogcity.example",
        })
    );
    assert_eq!(
        (events[0].at, events[1].at),
        (START.plus(-3_000), START.plus(1_000))
    );
    let told = json!({
        "id": sent, "direction": "OUTBOUND", "type": "SMS", "content": "Your order is ready.",
        "sent_at": "2026-04-20T10:00:00.000Z", "from_number": "+14155550100", "to_number": "+14155551234",
        "from_name": "Fog City", "to_name": "Sarah Johnson", "user_email": "ben@fogcity.example",
    });
    assert_eq!(payload(&events[1]), told);
    let mut failed = told;
    failed["failure_reason"] = json!("unreachable");
    assert_eq!(payload(&events[2]), failed);
    let received = payload(&events[3]);
    assert_eq!(
        (&received["id"], &received["type"], &received["from_name"]),
        (&json!(picture), &json!("MMS"), &json!(null))
    );
    assert_eq!(received["media_urls"], json!(["https://carrier.example/1"]));
}

async fn a_text_that_is_reported_twice_is_one_text(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let first = receive(&office, incoming(sarah(), Some("same"))).await;
    let kept = all_rows(&office).await;
    office.clock.advance(10_000);
    let again = Receive {
        content: "other words".into(),
        at: START.plus(9_000),
        ..incoming(nobody(), Some("same"))
    };
    assert_eq!(receive(&office, again).await, first);
    assert_eq!(all_rows(&office).await, kept);
    // Many at once, through two nodes.
    let nodes = [office.board.clone(), office.node("node-2")];
    let running: Vec<_> = (0..20usize)
        .map(|n| {
            let (board, team) = (nodes[n % 2].clone(), office.team);
            tokio::spawn(async move {
                let text = incoming(sarah(), Some(if n < 10 { "tenfold" } else { "same" }));
                board
                    .run::<_, trunkline_switchboard::Error, _>(team, move |work| {
                        messages::receive(work, &text)
                    })
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut ids = Vec::new();
    for receive in running {
        ids.push(receive.await.unwrap());
    }
    assert!(ids[..10].iter().all(|id| *id == ids[0] && *id != first));
    assert!(ids[10..].iter().all(|id| *id == first));
    // Another carrier's "same" is another text, and so is each that has no reference.
    assert_ne!(
        receive(
            &office,
            Receive {
                carrier: "other",
                ..incoming(sarah(), Some("same"))
            }
        )
        .await,
        first
    );
    assert_ne!(
        receive(&office, incoming(sarah(), None)).await,
        receive(&office, incoming(sarah(), None)).await
    );
    let events = office.events_after(before).await;
    assert_eq!(topics(&events), ["sms.received"; 5]);
    office.assert_sound().await;
}

/// All orders of all receipts, each up to four times: every fact is told once, when it is learnt, "sent" before
/// "delivered"; and what was delivered stays delivered.
async fn receipts_in_any_order_tell_each_fact_once(t: TestDb) {
    use MessageStatus::{Delivered, Failed, Pending, Sent};
    let office = t.office().await;
    let all = [Sent, Delivered, Failed, Pending];
    let mut orders: Vec<Vec<MessageStatus>> = vec![vec![]];
    for _ in 0..4 {
        let longer = orders
            .iter()
            .flat_map(|order| all.map(|next| [order.as_slice(), &[next]].concat()));
        orders = longer.collect();
    }
    assert_eq!(orders.len(), 256);
    for (n, order) in orders.into_iter().enumerate() {
        let before = office.last_event().await;
        let (_, seq) = send(&office, outgoing(sarah())).await;
        let reference = format!("ref-{n}");
        let mut due = Vec::new();
        for status in &order {
            let was = row(&office, seq).await.status;
            let reason = (*status == Failed).then_some("why");
            let news = match status {
                Sent => vec!["sms.sent"],
                Delivered => vec!["sms.sent", "sms.delivered"],
                Failed if was != Delivered => vec!["sms.failed"],
                Failed | Pending => vec![],
            };
            let known = due.len();
            due.extend(
                news.into_iter()
                    .filter(|topic| !due.contains(topic))
                    .collect::<Vec<_>>(),
            );
            let changed = report(&office, seq, says(*status, Some(&reference), reason)).await;
            let is = row(&office, seq).await;
            assert_eq!(changed, due.len() > known, "{order:?}");
            assert_eq!(is.carrier_ref.as_deref(), Some(reference.as_str()));
            assert_eq!(is.failure_reason.is_some(), is.status == Failed, "{order:?}");
            assert!(was != Delivered || is.status == Delivered, "{order:?}");
        }
        let events = office.events_after(before).await;
        assert_eq!(topics(&events), due, "{order:?}");
        for event in &events {
            assert_eq!(
                payload(event)["failure_reason"].is_string(),
                event.topic == Topic::SmsFailed,
                "{order:?}"
            );
        }
    }
    office.assert_sound().await;
}

/// A database of the version before: what failed with a carrier's id had been taken, and that was told.
async fn texts_of_before_are_not_told_again(t: TestDb) {
    use MessageStatus::{Delivered, Failed, Sent};
    let office = t.office().await;
    let (_, taken) = send(&office, outgoing(sarah())).await;
    let before = office.last_event().await;
    report(&office, taken, says(Sent, Some("old"), None)).await;
    office
        .board
        .db()
        .write(move |tx| tx.execute("UPDATE messages SET taken_at = NULL", &[]))
        .await
        .unwrap();
    report(&office, taken, says(Delivered, Some("old"), None)).await;
    report(&office, taken, says(Failed, Some("old"), None)).await;
    report(&office, taken, says(Sent, Some("old"), None)).await;
    assert_eq!(
        topics(&office.events_after(before).await),
        ["sms.sent", "sms.delivered"]
    );
}

async fn a_text_waits_for_its_carrier(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let now = office.clock.advance(5_000);
    let (id, seq) = send(
        &office,
        Send {
            user: Some(office.ada),
            ..outgoing(marie())
        },
    )
    .await;
    assert!(
        office.events_after(before).await.is_empty(),
        "nothing was sent yet"
    );
    let (team, line) = (office.team, office.us_line);
    let allowance = Allowance {
        limit: 10,
        interval_us: 0,
        lease_ms: 1_000,
    };
    let claimed = office
        .board
        .db()
        .write(move |tx| text_queue::claim(tx, team, line, now, allowance))
        .await
        .unwrap();
    let queued = QueuedText {
        team,
        line,
        seq,
        attempts: 1,
        asked_at: None,
    };
    assert_eq!(claimed, (vec![queued], 0));
    let waiting = office
        .board
        .db()
        .read(move |conn| messages::outgoing(conn, team, seq))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (waiting.id, waiting.seq, waiting.to, waiting.status),
        (id, seq, marie(), MessageStatus::Pending)
    );
    assert_eq!(
        (waiting.line.number, waiting.content.as_str()),
        (Some(us()), "Your order is ready.")
    );
    let none = office
        .board
        .db()
        .read(move |conn| messages::outgoing(conn, team, seq + 1))
        .await
        .unwrap();
    assert!(none.is_none());
}

async fn what_cannot_be_sent_or_received_is_refused(t: TestDb) {
    let office = t.office().await;
    let foreign = number("+14155550199");
    let from = Some("from");
    assert_refused(&office, ErrorCode::FromNumberNotFound, from, move |work| {
        messages::send(
            work,
            &Send {
                line: foreign,
                ..outgoing(sarah())
            },
        )
    })
    .await;
    assert_refused(
        &office,
        ErrorCode::PhoneNumberNotFound,
        Some("allo_number"),
        move |work| {
            messages::receive(
                work,
                &Receive {
                    line: foreign,
                    ..incoming(sarah(), None)
                },
            )
        },
    )
    .await;
    let voice_only = AddNumber {
        address: Address::Number(foreign),
        name: None,
        capabilities: vec![trunkline_domain::Capability::Voice],
        carrier: "sandbox".into(),
        carrier_settings: None,
        members: vec![],
    };
    office
        .run(move |work| {
            let id = work.new_id(work.now);
            add_number(work, id, &voice_only)
        })
        .await
        .unwrap();
    assert_refused(&office, ErrorCode::NumberNotSmsEnabled, from, move |work| {
        messages::send(
            work,
            &Send {
                line: foreign,
                ..outgoing(sarah())
            },
        )
    })
    .await;
    for content in [String::new(), "é".repeat(messages::MAX_CHARACTERS + 1)] {
        assert_refused(&office, ErrorCode::InvalidLength, Some("message"), move |work| {
            messages::send(
                work,
                &Send {
                    content: content.clone(),
                    ..outgoing(sarah())
                },
            )
        })
        .await;
    }
    let nothing = says(MessageStatus::Sent, None, None);
    let same = nothing.clone();
    assert_refused(&office, ErrorCode::TextMessageNotFound, None, move |work| {
        messages::report(work, 9_999, &nothing)
    })
    .await;
    assert_refused(&office, ErrorCode::TextMessageNotFound, None, move |work| {
        messages::receipt(work, ("sandbox", "unheard-of"), None, &same)
    })
    .await;
    // The longest that goes; what comes in longer is cut, not lost.
    let (_, seq) = send(
        &office,
        Send {
            content: "é".repeat(messages::MAX_CHARACTERS),
            ..outgoing(sarah())
        },
    )
    .await;
    assert_eq!(
        row(&office, seq).await.content.chars().count(),
        messages::MAX_CHARACTERS
    );
    receive(
        &office,
        Receive {
            content: "é".repeat(messages::MAX_CHARACTERS + 7),
            ..incoming(sarah(), None)
        },
    )
    .await;
    assert_eq!(
        row(&office, seq + 1).await.content.chars().count(),
        messages::MAX_CHARACTERS
    );
    // A call is no text.
    let call = crate::support::ring(&office, crate::support::inbound(sarah(), Millis(START.0))).await;
    let team = office.team;
    let of_call = office
        .board
        .db()
        .read(move |conn| trunkline_store::items::get(conn, team, ItemId::Call(call)))
        .await;
    let seq = of_call.unwrap().unwrap().seq;
    let sent = says(MessageStatus::Sent, None, None);
    assert_refused(&office, ErrorCode::TextMessageNotFound, None, move |work| {
        messages::report(work, seq, &sent)
    })
    .await;
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_command_of_a_text,
    events_have_the_fields_of_the_catalogue,
    a_text_that_is_reported_twice_is_one_text,
    receipts_in_any_order_tell_each_fact_once,
    texts_of_before_are_not_told_again,
    a_text_waits_for_its_carrier,
    what_cannot_be_sent_or_received_is_refused,
}
