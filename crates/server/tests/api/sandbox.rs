//! The sandbox: the outside world texts and rings, and every script ends as it says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_store::events::EventRow;
use trunkline_testkit::app::{Reply, TestApp, Time};
use trunkline_testkit::db::{TestDb, fr, marie, nobody, sarah, us};

use crate::people::{World as Outside, neighbour};
use crate::support::{World, assert_error, authorization, blamed, events_of, wait_for};

trunkline_testkit::on_both! {
    a_text_comes_in,
    the_same_reference_is_the_same_text,
    texts_that_cannot_be,
    inbound_calls_end_as_the_script_says,
    outbound_calls_end_as_the_number_says,
    a_call_leaves_behind_what_the_script_says,
    a_call_is_handed_on,
    scripts_that_cannot_be_played,
    only_sandbox_teams_have_one,
    recordings_are_there,
}

async fn message(app: &TestApp, body: Value) -> Reply {
    app.post("/sandbox/messages", &body).await
}

/// A script with these fields, which takes a few milliseconds to play.
fn script(fields: &Value) -> Value {
    let mut body =
        json!({ "from": sarah(), "to": us(), "ring_seconds": 1, "talk_seconds": 5, "speed": 1_000 });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Plays a script to its end. Returns the call as the API shows it, and its events.
async fn play(app: &TestApp, fields: Value) -> (Value, Vec<EventRow>) {
    let before = app.office.last_event().await;
    let reply = app.post("/sandbox/calls", &script(&fields)).await;
    assert_eq!(reply.status, 201, "{fields}: {}", reply.text);
    let id = reply.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.json, json!({ "data": { "id": id } }));
    wait_for(app, Topic::CallCompleted, before).await;
    let events = app.office.events_after(before).await;
    assert!(
        events.iter().all(|event| event.payload.contains(&id)),
        "one call is played at a time"
    );
    let item = app
        .get(&format!("/v2/api/conversations/items/{id}?extend=transcript"))
        .await
        .data()
        .clone();
    (item, events)
}

fn topics(events: &[EventRow]) -> Vec<&str> {
    events.iter().map(|event| event.topic.as_str()).collect()
}

fn payload(events: &[EventRow], topic: Topic) -> Value {
    let found: Vec<&EventRow> = events.iter().filter(|event| event.topic == topic).collect();
    assert_eq!(found.len(), 1, "{topic} once: {:?}", topics(events));
    serde_json::from_str(&found[0].payload).unwrap()
}

async fn a_text_comes_in(db: TestDb) {
    let world = World::open(db).await;
    let (app, before) = (&world.app, world.app.office.last_event().await);
    let urls = json!(["https://media.example/1.jpg"]);
    for (body, kind) in [
        (
            json!({ "from": nobody(), "to": fr(), "content": "Bonjour" }),
            "SMS",
        ),
        (
            json!({ "from": nobody(), "to": fr(), "content": "Regardez", "media_urls": urls }),
            "MMS",
        ),
        (
            json!({ "from": nobody(), "to": fr(), "content": "", "media_urls": urls }),
            "MMS",
        ),
    ] {
        let reply = message(app, body.clone()).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.data()["id"].as_str().unwrap();
        assert_eq!(reply.json, json!({ "data": { "id": id } }));
        let item = app
            .get(&format!("/v2/api/conversations/items/{id}"))
            .await
            .data()
            .clone();
        let told = (
            &item["content"],
            &item["message_type"],
            &item["allo_number"],
            &item["direction"],
        );
        assert_eq!(
            told,
            (&body["content"], &json!(kind), &json!(fr()), &json!("INBOUND"))
        );
        assert_eq!(item.get("media_urls"), body.get("media_urls"));
    }
    let told = events_of(app, Topic::SmsReceived, before).await;
    assert_eq!(told.len(), 3);
    let first: Value = serde_json::from_str(&told[0].payload).unwrap();
    assert_eq!(
        (&first["content"], &first["from_number"], &first["to_number"]),
        (&json!("Bonjour"), &json!(nobody()), &json!(fr()))
    );
    let list = app.get("/v2/api/conversations?allo_number=%2B33142685300").await;
    assert_eq!(
        (&list.data()[0]["unread"], &list.json["pagination"]["total_count"]),
        (&json!(true), &json!(1))
    );
}

async fn the_same_reference_is_the_same_text(db: TestDb) {
    let world = World::open(db).await;
    let before = world.app.office.last_event().await;
    let text = json!({ "from": sarah(), "to": us(), "content": "Once", "reference": "outside-1" });
    let first = message(&world.app, text.clone()).await;
    let again = message(&world.app, text).await;
    assert_eq!((first.status, again.status, &first.json), (201, 201, &again.json));
    let other = json!({ "from": sarah(), "to": us(), "content": "Once", "reference": "outside-2" });
    assert_ne!(message(&world.app, other).await.json, first.json);
    assert_eq!(events_of(&world.app, Topic::SmsReceived, before).await.len(), 2);
}

async fn texts_that_cannot_be(db: TestDb) {
    let world = World::open(db).await;
    let before = world.app.office.last_event().await;
    let text = |fields: Value| {
        let mut body = json!({ "from": sarah(), "to": us(), "content": "Hello" });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (fields, code, param) in [
        (json!({ "to": "+14155550199" }), "PHONE_NUMBER_NOT_FOUND", "to"),
        (json!({ "to": "4155550100" }), "INVALID_PHONE_FORMAT", "to"),
        (
            json!({ "from": "(415) 555-1234" }),
            "INVALID_PHONE_FORMAT",
            "from",
        ),
        (json!({ "content": "" }), "MISSING_PARAMETER", "content"),
        (
            json!({ "content": "", "media_urls": [] }),
            "MISSING_PARAMETER",
            "content",
        ),
        (
            json!({ "content": "é".repeat(10_001) }),
            "INVALID_LENGTH",
            "content",
        ),
        (
            json!({ "media_urls": vec!["https://media.example/1"; 11] }),
            "INVALID_PARAMETER",
            "media_urls",
        ),
        (
            json!({ "reference": "x".repeat(201) }),
            "INVALID_LENGTH",
            "reference",
        ),
    ] {
        let reply = message(&world.app, text(fields)).await;
        assert_error(&reply, code);
        assert_eq!(
            blamed(&reply),
            BTreeSet::from([param.to_owned()]),
            "{}",
            reply.text
        );
    }
    assert_eq!(world.app.office.last_event().await, before);
    assert_eq!(
        message(&world.app, text(json!({ "content": "é".repeat(10_000) })))
            .await
            .status,
        201
    );
}

async fn inbound_calls_end_as_the_script_says(db: TestDb) {
    let app = TestApp::start_at(db, Time::Real).await;
    let ended = ["call.received", "call.ended", "call.completed"];
    let answered = [
        "call.received",
        "call.answered",
        "call.ended",
        "call.recording.completed",
        "call.completed",
    ];
    let voicemail = [
        "call.received",
        "call.ended",
        "voicemail.received",
        "call.recording.completed",
        "call.completed",
    ];
    for (outcome, result, reason, expected) in [
        (None, "ANSWERED", Value::Null, &answered[..]),
        (Some("ANSWERED"), "ANSWERED", Value::Null, &answered[..]),
        (Some("MISSED"), "MISSED", Value::Null, &ended[..]),
        (Some("HUNG_UP"), "MISSED", Value::Null, &ended[..]),
        (Some("VOICEMAIL"), "VOICEMAIL", Value::Null, &voicemail[..]),
        (Some("BLOCKED"), "BLOCKED", Value::Null, &ended[..]),
        (Some("FAILED"), "FAILED", json!("not connected"), &ended[..]),
        (Some("BUSY"), "FAILED", json!("busy"), &ended[..]),
    ] {
        let (item, events) = play(&app, json!({ "outcome": outcome })).await;
        assert_eq!(topics(&events), expected, "{outcome:?}");
        assert_eq!(
            (&item["result"], &item["direction"]),
            (&json!(result), &json!("INBOUND")),
            "{outcome:?}"
        );
        let over = payload(&events, Topic::CallEnded);
        assert_eq!(
            (&over["result"], &over["failure_reason"]),
            (&json!(result), &reason),
            "{outcome:?}"
        );
        let whole = payload(&events, Topic::CallCompleted);
        assert_eq!(
            (&whole["result"], &whole["failure_reason"]),
            (&json!(result), &reason),
            "{outcome:?}"
        );
        let picked_up = ["ANSWERED", "VOICEMAIL"].contains(&result);
        assert_eq!(item["recording_url"].is_string(), picked_up, "{outcome:?}");
        assert!(events.is_sorted_by_key(|event| event.seq));
    }
    app.office.assert_sound().await;
}

async fn outbound_calls_end_as_the_number_says(db: TestDb) {
    let app = TestApp::start_at(db, Time::Real).await;
    for (to, outcome, result, reason) in [
        ("+14155550001", None, "MISSED", Value::Null),
        ("+14155550002", None, "FAILED", json!("busy")),
        ("+14155550003", None, "VOICEMAIL", Value::Null),
        ("+14155550004", None, "FAILED", json!("not connected")),
        ("+14155550005", None, "ANSWERED", Value::Null),
        ("+14155550001", Some("ANSWERED"), "ANSWERED", Value::Null),
        ("+14155550005", Some("BUSY"), "FAILED", json!("busy")),
    ] {
        let fields = json!({ "direction": "OUTBOUND", "from": us(), "to": to, "outcome": outcome, "user_id": app.office.ben });
        let (item, events) = play(&app, fields).await;
        assert_eq!(item["result"], result, "{to} {outcome:?}");
        assert_eq!(
            (&item["direction"], &item["contact_number"]),
            (&json!("OUTBOUND"), &json!(to))
        );
        assert_eq!(item["user"]["id"], app.office.ben.to_string(), "who places it");
        assert_eq!(topics(&events)[0], "call.triggered");
        assert_eq!(
            payload(&events, Topic::CallEnded)["failure_reason"],
            reason,
            "{to} {outcome:?}"
        );
        assert!(
            !topics(&events).contains(&"voicemail.received"),
            "the voicemail is the other side's"
        );
        let list = app.get("/v2/api/conversations?allo_number=%2B14155550100").await;
        assert_eq!(list.data()[0]["unread"], false, "the team's own activity");
    }
    // An inbound call from such a number is like any other.
    let (item, _) = play(&app, json!({ "from": "+14155550002" })).await;
    assert_eq!(item["result"], "ANSWERED");
}

async fn a_call_leaves_behind_what_the_script_says(db: TestDb) {
    let app = TestApp::start_at(db, Time::Real).await;
    let fields = json!({
        "from": marie(), "to": fr(), "user_id": app.office.ben,
        "lines": [
            { "source": "EXTERNAL", "at": 2.5, "text": "Second" },
            { "source": "USER", "at": 0.5, "text": "First" },
        ],
        "ivr": [{ "dtmf_key": "2", "text_key": "Support" }, { "dtmf_key": "1" }],
        "summary": "Two lines.", "tags": ["vip", "Follow Up"], "recording": true,
    });
    let (item, events) = play(&app, fields).await;
    let expected = [
        "call.received",
        "call.answered",
        "call.ended",
        "call.recording.completed",
        "call.transcript.completed",
        "call.summary.completed",
        "tag.added",
        "tag.added",
        "call.completed",
    ];
    assert_eq!(topics(&events), expected);
    assert_eq!(
        (&item["summary"], &item["tags"]),
        (&json!("Two lines."), &json!(["vip", "follow_up"]))
    );
    assert_eq!(item["user"]["id"], app.office.ben.to_string());
    let said = item["transcript"].as_array().unwrap();
    let told: Vec<(&str, &str)> = said
        .iter()
        .map(|line| (line["source"].as_str().unwrap(), line["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("USER", "First"), ("EXTERNAL", "Second")],
        "in the order of time"
    );
    let whole = payload(&events, Topic::CallCompleted);
    assert_eq!(whole["concatenated_transcript"], "First\nSecond");
    let choices = json!([{ "dtmf_key": "2", "text_key": "Support" }, { "dtmf_key": "1", "text_key": null }]);
    assert_eq!((&whole["ivr_result"], &whole["tag"]), (&choices, &json!("vip")));
    assert_eq!(whole["recording_url"], item["recording_url"]);
    let quiet = play(&app, json!({ "recording": false })).await.0;
    assert_eq!(
        (&quiet["recording_url"], &quiet["summary"]),
        (&Value::Null, &Value::Null)
    );
}

async fn a_call_is_handed_on(db: TestDb) {
    let app = TestApp::start_at(db, Time::Real).await;
    let (ada, ben) = (app.office.ada, app.office.ben);
    for (transfer, result, event, user) in [
        (
            json!({ "kind": "COLLEAGUE", "user_id": ben, "at": 2 }),
            "ANSWERED",
            "ANSWERED",
            ben,
        ),
        (
            json!({ "kind": "EXTERNAL", "number": nobody(), "at": 2 }),
            "TRANSFERRED",
            "TRANSFERRED_EXTERNAL",
            ada,
        ),
        (
            json!({ "kind": "AI", "at": 2 }),
            "TRANSFERRED",
            "TRANSFERRED_AI",
            ada,
        ),
        (
            json!({ "kind": "AI", "at": 14_400 }),
            "TRANSFERRED",
            "TRANSFERRED_AI",
            ada,
        ),
    ] {
        let (item, events) = play(&app, json!({ "user_id": ada, "transfer": transfer })).await;
        assert_eq!(
            (&item["result"], &item["user"]["id"]),
            (&json!(result), &json!(user)),
            "{transfer}"
        );
        let whole = payload(&events, Topic::CallCompleted);
        assert_eq!(whole["result"], event, "{transfer}");
        assert_eq!(
            whole["transfer_from"]["user_email"], "ada@fogcity.example",
            "{transfer}"
        );
        assert_eq!(whole["transfer_to"]["number"], transfer["number"], "{transfer}");
        let to = if transfer["user_id"].is_null() {
            Value::Null
        } else {
            json!("ben@fogcity.example")
        };
        assert_eq!(whole["transfer_to"]["user_email"], to, "{transfer}");
    }
}

async fn scripts_that_cannot_be_played(db: TestDb) {
    let world = World::open(db).await;
    let before = world.app.office.last_event().await;
    let unknown = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    for (fields, code, param) in [
        (json!({ "to": "+14155550199" }), "PHONE_NUMBER_NOT_FOUND", "to"),
        (
            json!({ "direction": "OUTBOUND", "from": "+14155550199", "to": sarah() }),
            "PHONE_NUMBER_NOT_FOUND",
            "from",
        ),
        (
            json!({ "direction": "SIDEWAYS" }),
            "INVALID_PARAMETER",
            "direction",
        ),
        (json!({ "outcome": "BORED" }), "INVALID_PARAMETER", "outcome"),
        (json!({ "user_id": unknown }), "MEMBER_NOT_FOUND", "user_id"),
        (json!({ "user_id": "ada" }), "MEMBER_NOT_FOUND", "user_id"),
        (
            json!({ "outcome": "MISSED", "user_id": unknown }),
            "MEMBER_NOT_FOUND",
            "user_id",
        ),
        (
            json!({ "transfer": { "kind": "COLLEAGUE", "user_id": unknown } }),
            "MEMBER_NOT_FOUND",
            "transfer.user_id",
        ),
        (
            json!({ "transfer": { "kind": "COLLEAGUE", "user_id": "ben" } }),
            "MEMBER_NOT_FOUND",
            "transfer.user_id",
        ),
        (
            json!({ "transfer": { "kind": "UPSTAIRS" } }),
            "INVALID_PARAMETER",
            "transfer.kind",
        ),
        (
            json!({ "transfer": { "kind": "EXTERNAL", "number": "555" } }),
            "INVALID_PHONE_FORMAT",
            "transfer.number",
        ),
        (
            json!({ "lines": [{ "source": "NOBODY", "text": "x" }] }),
            "INVALID_PARAMETER",
            "lines[0].source",
        ),
        (
            json!({ "lines": [{ "source": "USER", "at": -1, "text": "x" }] }),
            "INVALID_PARAMETER",
            "lines[0].at",
        ),
        (
            json!({ "lines": [{ "source": "USER", "text": "x".repeat(10_001) }] }),
            "INVALID_LENGTH",
            "lines[0].text",
        ),
        (
            json!({ "lines": vec![json!({ "source": "USER", "text": "x" }); 2_001] }),
            "INVALID_PARAMETER",
            "lines",
        ),
        (json!({ "speed": 0 }), "INVALID_PARAMETER", "speed"),
        (
            json!({ "ring_seconds": 121 }),
            "INVALID_PARAMETER",
            "ring_seconds",
        ),
        (json!({ "tags": ["fine", "!!"] }), "INVALID_PARAMETER", "tags"),
    ] {
        let reply = world.app.post("/sandbox/calls", &script(&fields)).await;
        assert_eq!(reply.code(), code, "{fields}: {}", reply.text);
        assert_error(&reply, code);
        assert_eq!(blamed(&reply), BTreeSet::from([param.to_owned()]), "{fields}");
    }
    crate::support::set_team(&world.app, "create_tags", "FALSE").await;
    let reply = world
        .app
        .post(
            "/sandbox/calls",
            &script(&json!({ "tags": ["vip", "unheard_of"] })),
        )
        .await;
    assert_error(&reply, "TAG_NOT_FOUND");
    assert_eq!(world.app.office.last_event().await, before, "nothing rang");
}

async fn only_sandbox_teams_have_one(db: TestDb) {
    let world = World::open(db).await;
    let live = neighbour(&world.app, Outside::Live).await;
    let own = authorization(&live.key);
    let text = json!({ "from": nobody(), "to": live.line, "content": "Hello" });
    for (path, body) in [
        ("/sandbox/messages", text),
        ("/sandbox/calls", json!({ "from": nobody(), "to": live.line })),
    ] {
        // Whatever the body: who may not come in is not told what is wrong with the parcel.
        for body in [body.to_string(), "{".to_owned()] {
            let reply = world
                .app
                .send_with(Method::POST, path, &[("Authorization", &own)], Some(body))
                .await;
            assert_error(&reply, "SANDBOX_ONLY");
        }
    }
}

async fn recordings_are_there(db: TestDb) {
    let app = TestApp::start_at(db, Time::Real).await;
    let (item, _) = play(&app, json!({})).await;
    let url = item["recording_url"].as_str().unwrap();
    let path = url
        .strip_prefix(&app.url)
        .unwrap_or_else(|| panic!("{url} is not this server's"));
    assert_eq!(
        path,
        format!("/sandbox/recordings/{}.wav", item["id"].as_str().unwrap())
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "a recording is fetched without a key, by anybody"
    )]
    let reply = reqwest::get(url).await.unwrap();
    assert_eq!(
        (
            reply.status().as_u16(),
            reply.headers()["content-type"].to_str().unwrap()
        ),
        (200, "audio/wav")
    );
    let bytes = reply.bytes().await.unwrap();
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    let told = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    assert_eq!(
        told as usize + 8,
        bytes.len(),
        "the length in the header is the file's"
    );
    let all = bytes.len();
    for (range, status, told, length) in [
        ("bytes=0-99", 206, format!("bytes 0-99/{all}"), 100),
        (
            "bytes=24000-",
            206,
            format!("bytes 24000-{}/{all}", all - 1),
            all - 24_000,
        ),
        (
            "bytes=-10",
            206,
            format!("bytes {}-{}/{all}", all - 10, all - 1),
            10,
        ),
        ("bytes=90000-", 416, format!("bytes */{all}"), 0),
        ("bytes=0-1,5-6", 200, String::new(), all),
        ("seconds=1-2", 200, String::new(), all),
    ] {
        let reply = app.send_with(Method::GET, path, &[("Range", range)], None).await;
        let of = (reply.header("content-range"), reply.header("content-length"));
        assert_eq!(
            (reply.status, of),
            (status, (told.as_str(), length.to_string().as_str())),
            "{range}"
        );
        assert_eq!(reply.header("accept-ranges"), "bytes", "{range}");
    }
    let condition = [("Range", "bytes=0-99"), ("If-Range", "\"x\"")];
    let reply = app.send_with(Method::GET, path, &condition, None).await;
    assert_eq!(reply.status, 200);
}
