//! Calls: their rows and their events.

use serde_json::json;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{IvrChoice, Topic, TranscriptLine};
use trunkline_domain::{Direction, Speaker, SummaryTemplate};
use trunkline_store::items;
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::tags;
use trunkline_testkit::db::{START, TestDb, fr, marie, nobody, number, sarah};

use crate::support::{Diary, inbound, item, leave, only, payload, ring, step, topics};

fn transcript() -> Vec<TranscriptLine> {
    let line = |source, after, text: &str| TranscriptLine {
        source,
        time: START.plus(after),
        text: text.to_owned(),
    };
    vec![
        line(Speaker::External, 6_000, "Bonjour, it's about the flour."),
        line(Speaker::User, 9_500, "Of course!"),
    ]
}

fn object(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

/// A whole life, command by command; the same on both engines to the letter.
async fn every_command_of_a_call(t: TestDb) {
    let office = t.office().await;
    let mut diary = Diary::begin(&office).await;
    let call = ring(&office, inbound(sarah(), START)).await;
    diary.note(&office, "ring").await;
    office.clock.set(START.plus(4_200));
    step(&office, call, Step::Answer(Some(office.ben), START.plus(4_200)))
        .await
        .unwrap();
    diary.note(&office, "answer by Ben").await;
    step(&office, call, Step::Answer(Some(office.ada), START.plus(5_000)))
        .await
        .unwrap();
    diary.note(&office, "answer once more").await;
    let choice = IvrChoice {
        dtmf_key: Some("2".into()),
        text_key: Some("Orders".into()),
    };
    leave(&office, call, Leftover::Choice(choice)).await.unwrap();
    leave(
        &office,
        call,
        Leftover::Collected(object(json!({"account": "12345"}))),
    )
    .await
    .unwrap();
    diary.note(&office, "menu choice and collected data").await;
    let to_ada = Transfer {
        kind: TransferKind::Colleague,
        to_user: Some(office.ada),
        to_number: None,
        at: START.plus(60_000),
    };
    step(&office, call, Step::Transfer(to_ada)).await.unwrap();
    diary.note(&office, "transfer to Ada").await;
    office.clock.set(START.plus(334_200));
    step(
        &office,
        call,
        Step::End(EndCause::HungUp, None, START.plus(334_200)),
    )
    .await
    .unwrap();
    diary.note(&office, "hang up").await;
    step(
        &office,
        call,
        Step::End(EndCause::Failed, Some("late".into()), START.plus(400_000)),
    )
    .await
    .unwrap();
    diary.note(&office, "hang up once more").await;
    office.clock.advance(20_000);
    let recording = Leftover::Recording {
        url: "https://phone.example/r/1.mp3".into(),
        seconds: 330,
    };
    leave(&office, call, recording.clone()).await.unwrap();
    leave(&office, call, recording).await.unwrap();
    diary.note(&office, "recording, twice").await;
    leave(&office, call, Leftover::Transcript(transcript()))
        .await
        .unwrap();
    leave(&office, call, Leftover::Transcript(transcript()))
        .await
        .unwrap();
    diary.note(&office, "transcript, twice").await;
    let short = Leftover::Summary(SummaryTemplate::ShortCall, "Flour.".into());
    leave(&office, call, short.clone()).await.unwrap();
    leave(&office, call, short).await.unwrap();
    diary.note(&office, "short summary, twice").await;
    let classic = Leftover::Summary(SummaryTemplate::Classic, "## Flour\nShe wants more.".into());
    leave(&office, call, classic).await.unwrap();
    diary.note(&office, "classic summary").await;
    leave(&office, call, Leftover::Tag("Repeat order".into()))
        .await
        .unwrap();
    leave(&office, call, Leftover::Tag("repeat_order".into()))
        .await
        .unwrap();
    diary.note(&office, "tag, twice").await;
    leave(
        &office,
        call,
        Leftover::Extracted(object(json!({"company": "Johnson Bakery"}))),
    )
    .await
    .unwrap();
    diary.note(&office, "extracted data").await;
    step(&office, call, Step::Complete(office.board.now()))
        .await
        .unwrap();
    diary.note(&office, "complete").await;
    office.clock.advance(1);
    step(&office, call, Step::Complete(office.board.now()))
        .await
        .unwrap();
    step(&office, call, Step::Abandon(office.board.now()))
        .await
        .unwrap();
    diary.note(&office, "complete and abandon once more").await;
    insta::assert_snapshot!("every_command_of_a_call", diary.text());
}

/// Each field of the published catalogue, and ours: the call's id and the reason of a failure.
async fn call_completed_has_every_field_of_the_catalogue(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    step(&office, call, Step::Answer(Some(office.ben), START.plus(4_200)))
        .await
        .unwrap();
    for name in ["Support", "Urgent"] {
        let by = office.by_ada();
        office
            .run(move |work| tags::add(work, call, &[name.to_owned()], &by))
            .await
            .unwrap();
    }
    leave(
        &office,
        call,
        Leftover::Choice(IvrChoice {
            dtmf_key: Some("2".into()),
            text_key: Some("Orders".into()),
        }),
    )
    .await
    .unwrap();
    leave(
        &office,
        call,
        Leftover::Choice(IvrChoice {
            dtmf_key: None,
            text_key: None,
        }),
    )
    .await
    .unwrap();
    leave(
        &office,
        call,
        Leftover::Collected(object(json!({"account_number": "12345", "n": 1}))),
    )
    .await
    .unwrap();
    leave(&office, call, Leftover::Collected(object(json!({"n": 2}))))
        .await
        .unwrap();
    let out = Transfer {
        kind: TransferKind::External,
        to_user: None,
        to_number: Some(number("+14155558888")),
        at: START.plus(9_000),
    };
    step(&office, call, Step::Transfer(out)).await.unwrap();
    step(
        &office,
        call,
        Step::End(EndCause::HungUp, None, START.plus(334_200)),
    )
    .await
    .unwrap();
    leave(
        &office,
        call,
        Leftover::Recording {
            url: "https://phone.example/r/1.mp3".into(),
            seconds: 330,
        },
    )
    .await
    .unwrap();
    leave(&office, call, Leftover::Transcript(transcript()))
        .await
        .unwrap();
    leave(
        &office,
        call,
        Leftover::Summary(SummaryTemplate::Classic, "She wants more.".into()),
    )
    .await
    .unwrap();
    let completed_at = office.clock.advance(400_000);
    step(&office, call, Step::Complete(completed_at)).await.unwrap();
    let events = office.events_after(before).await;
    let completed = only(&events, Topic::CallCompleted);
    let number_of_item = item(&office, call).await.seq;
    assert_eq!(
        (completed.at, completed.item),
        (completed_at, Some(number_of_item))
    );
    assert_eq!(
        payload(completed),
        json!({
            "id": call,
            "start_date": "2026-04-20T10:00:00.000Z",
            "recording_url": "https://phone.example/r/1.mp3",
            "from_number": "+14155551234",
            "from_name": "Sarah Johnson",
            "to": "+14155550100",
            "to_name": "Fog City",
            "length_in_minutes": 5.5,
            "length": "5m 30s",
            "tag": "support",
            "tags": ["support", "urgent"],
            "summary": "She wants more.",
            "transcriptions": [
                {"source": "EXTERNAL", "time": "2026-04-20T10:00:06.000Z", "text": "Bonjour, it's about the flour."},
                {"source": "USER", "time": "2026-04-20T10:00:09.500Z", "text": "Of course!"},
            ],
            "concatenated_transcript": "Bonjour, it's about the flour.\nOf course!",
            "data_collected": {"account_number": "12345", "n": 2},
            "type": "INBOUND",
            "result": "TRANSFERRED_EXTERNAL",
            "failure_reason": null,
            "integration_id": null,
            "transfer_from": {"number": "+14155550100", "user_email": "ben@fogcity.example", "user_name": "Ben Ortiz"},
            "transfer_to": {"number": "+14155558888", "user_email": null, "user_name": null},
            "user_email": "ben@fogcity.example",
            "original_to_number": null,
            "original_to_name": null,
            "transfer_original_call_id": null,
            "ivr_result": [
                {"dtmf_key": "2", "text_key": "Orders"},
                {"dtmf_key": null, "text_key": null},
            ],
        })
    );
    // Numbers are numbers and instants have milliseconds, to the byte.
    assert!(
        completed.payload.contains("\"length_in_minutes\":5.5,"),
        "{}",
        completed.payload
    );
}

/// The same fields when there is nothing to put into them.
async fn an_empty_call_completed_has_the_same_fields(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let outbound = Ring {
        direction: Direction::Outbound,
        line: fr(),
        user: Some(office.ada),
        ..inbound(nobody(), START)
    };
    let call = ring(&office, outbound).await;
    step(&office, call, Step::End(EndCause::Busy, None, START.plus(2_000)))
        .await
        .unwrap();
    step(&office, call, Step::Complete(START.plus(2_000)))
        .await
        .unwrap();
    let events = office.events_after(before).await;
    assert_eq!(
        topics(&events),
        ["call.triggered", "call.ended", "call.completed"]
    );
    let nowhere = json!({"number": null, "user_email": null, "user_name": null});
    assert_eq!(
        payload(&events[2]),
        json!({
            "id": call, "start_date": "2026-04-20T10:00:00.000Z", "recording_url": null,
            "from_number": "+33142685300", "from_name": "Fog City Paris", "to": "+14155559999", "to_name": null,
            "length_in_minutes": 0.0, "length": "0s", "tag": null, "tags": [], "summary": "", "transcriptions": [],
            "concatenated_transcript": "", "data_collected": {}, "type": "OUTBOUND", "result": "FAILED",
            "failure_reason": "busy", "integration_id": null, "transfer_from": nowhere, "transfer_to": nowhere,
            "user_email": "ada@fogcity.example", "original_to_number": null, "original_to_name": null,
            "transfer_original_call_id": null, "ivr_result": [],
        })
    );
}

async fn ringing_events_tell_whom_the_number_belongs_to(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let known = ring(&office, inbound(sarah(), START)).await;
    let out = Ring {
        direction: Direction::Outbound,
        line: fr(),
        user: Some(office.ada),
        ..inbound(marie(), START.plus(5))
    };
    let shared = ring(&office, out).await;
    let unknown = ring(&office, inbound(nobody(), START.plus(9))).await;
    step(&office, unknown, Step::Answer(None, START.plus(1_009)))
        .await
        .unwrap();
    let events = office.events_after(before).await;
    assert_eq!(
        topics(&events),
        [
            "call.received",
            "call.triggered",
            "call.received",
            "call.answered"
        ]
    );
    let team = office.team;
    let cards = office
        .board
        .db()
        .read(move |conn| trunkline_store::contacts::cards(conn, team, &[sarah()]))
        .await
        .unwrap();
    let card = &cards[&sarah()][0];
    assert_eq!(
        payload(&events[0]),
        json!({
            "id": known, "from_number": "+14155551234", "to_number": "+14155550100",
            "started_at": "2026-04-20T10:00:00.000Z", "user_email": "ada@fogcity.example",
            "person": {
                "id": office.sarah, "name": "Sarah", "last_name": "Johnson", "email": "sarah@bakery.example",
                "emails": ["sarah@bakery.example", "orders@bakery.example"], "numbers": ["+14155551234"],
                "job_title": "Owner", "lead_source": "Fair",
            },
            "company": {"id": card.company.as_ref().unwrap().0, "name": "Johnson Bakery"},
            "deals": [{
                "id": card.deals[0].0, "name": "Flour for a year", "status": "OPEN", "value": 12_500.5,
                "currency": "USD", "close_date": null,
            }],
        })
    );
    assert_eq!(
        payload(&events[1]),
        json!({
            "id": shared, "from_number": "+33142685300", "to_number": "+33612345678",
            "started_at": "2026-04-20T10:00:00.005Z", "user_email": "ada@fogcity.example",
            "person": {
                "id": office.marie, "name": "Marie", "last_name": "Dupont", "email": null, "emails": [],
                "numbers": ["+33612345678"], "job_title": null,
            },
            "company": null, "deals": null,
        }),
        "of two contacts with the number the older one"
    );
    let stranger = json!({
        "id": unknown, "from_number": "+14155559999", "to_number": "+14155550100",
        "started_at": "2026-04-20T10:00:00.009Z", "user_email": "ada@fogcity.example", "company": null, "deals": null,
    });
    assert_eq!(payload(&events[2]), stranger, "no `person` at all");
    let mut answered = stranger;
    answered["answered_at"] = json!("2026-04-20T10:00:01.009Z");
    assert_eq!((payload(&events[3]), events[3].at), (answered, START.plus(1_009)));
}

/// A call stored in one go leaves what the same call leaves step by step.
async fn a_recorded_call_is_a_call_like_any_other(t: TestDb) {
    let steps = vec![
        Step::Answer(None, START.plus(1_000)),
        Step::Leave(Leftover::Tag("Order".into())),
        Step::Leave(Leftover::Tag("order".into())),
        Step::End(EndCause::HungUp, None, START.plus(31_000)),
        Step::Leave(Leftover::Transcript(transcript())),
        Step::Leave(Leftover::Transcript(transcript())),
        Step::Leave(Leftover::Summary(SummaryTemplate::ShortCall, "Short.".into())),
        Step::Leave(Leftover::Summary(SummaryTemplate::ShortCall, "Late.".into())),
        Step::Leave(Leftover::Summary(SummaryTemplate::Classic, "Classic.".into())),
        Step::Leave(Leftover::Summary(SummaryTemplate::Classic, "Later.".into())),
        Step::Leave(Leftover::Recording {
            url: "https://phone.example/r/2.mp3".into(),
            seconds: 30,
        }),
        Step::Complete(START.plus(31_000)),
    ];
    let office = t.office().await;
    let before = office.last_event().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    for one in steps.clone() {
        step(&office, call, one).await.unwrap();
    }
    let apart = office.events_after(before).await;
    let before = office.last_event().await;
    let whole = office
        .run(move |work| calls::record(work, &inbound(sarah(), START), &steps))
        .await
        .unwrap();
    let at_once = office.events_after(before).await;
    assert_eq!(topics(&at_once), topics(&apart));
    for (one, other) in at_once.iter().zip(&apart) {
        let renamed = other.payload.replace(&call.to_string(), &whole.to_string());
        assert_eq!(
            payload(one),
            serde_json::from_str::<serde_json::Value>(&renamed).unwrap()
        );
        assert_eq!((one.at, one.item.is_some()), (other.at, true));
    }
    assert_eq!(
        payload(only(&at_once, Topic::CallCompleted))["summary"],
        "Classic."
    );
    let (one, other) = (item(&office, call).await, item(&office, whole).await);
    assert_eq!(
        items::ItemRow {
            seq: one.seq,
            id: one.id,
            ..other
        },
        one
    );
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_command_of_a_call,
    call_completed_has_every_field_of_the_catalogue,
    an_empty_call_completed_has_the_same_fields,
    ringing_events_tell_whom_the_number_belongs_to,
    a_recorded_call_is_a_call_like_any_other,
}
