//! The delivery log over HTTP, and sending again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_domain::DeliveryState::{self, Delivered, Failed, Pending, Skipped};
use trunkline_domain::webhook::schedule::PAUSES;
use trunkline_domain::{DeliveryId, EndpointId, Millis};
use trunkline_store::webhook_messages::{self, NewMessage};
use trunkline_store::{StoreError, Tx, webhooks};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{TestDb, fr, marie, sarah, us};
use trunkline_webhooks::Options;

use crate::support::{assert_error, blamed, command, ids, keys, text_in};
use crate::webhooks::{NOBODY, at, make, until};

trunkline_testkit::on_both! {
    a_delivery_is_logged_with_its_attempts,
    deliveries_come_by_pages_newest_first,
    pending_ones_come_in_the_order_in_which_they_are_due,
    delivered_ones_are_found_among_others,
    faulty_filters_are_refused,
    one_message_is_sent_again,
    what_failed_since_a_time_is_sent_again,
    faulty_replays_are_refused,
    a_disabled_endpoint_replays_nothing,
    what_was_missed_is_sent_when_asked_for,
    a_filter_lets_pass_what_is_about_its_numbers,
    a_change_holds_for_the_next_attempt,
}

/// Looks often, so that tests need not wait.
fn quickly() -> Options {
    Options {
        poll: Duration::from_millis(20),
        ..Options::default()
    }
}

async fn deliveries(app: &TestApp, endpoint: &Value, query: &str) -> Value {
    let reply = app.get(&format!("{}/deliveries{query}", at(endpoint))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(keys(&reply.json), ["data", "pagination"]);
    assert_eq!(
        keys(&reply.json["pagination"]),
        ["has_more", "next_cursor", "size"]
    );
    reply.json
}

/// Waits until the newest message of the log is as it should be.
async fn newest(app: &TestApp, endpoint: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1_000 {
        last = deliveries(app, endpoint, "?size=1").await["data"][0].clone();
        if wanted(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to that: {last}");
}

async fn a_delivery_is_logged_with_its_attempts(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    catcher.answer(Answer::status(503).body("out of order"));
    app.deliver(quickly());
    let happened = app.board.now();
    text_in(&app, us(), sarah(), "Hello").await;
    let first = newest(&app, &made, |message| {
        message["attempts"].as_array().is_some_and(|all| !all.is_empty())
    })
    .await;
    let received = &catcher.received()[0];
    let attempt = json!({
        "at": happened.to_string(),
        "status": 503,
        "latency_ms": first["attempts"][0]["latency_ms"],
        "error": { "code": "STATUS", "message": "The receiver answered with a status that is not 2xx." },
        "reply": "out of order",
    });
    let expected = json!({
        "id": received.id(), "topic": "sms.received", "state": "PENDING", "timestamp": happened.to_string(),
        "next_attempt_at": first["next_attempt_at"], "attempts": [attempt],
    });
    assert_eq!(first, expected);
    let due = Millis::parse(first["next_attempt_at"].as_str().unwrap()).unwrap();
    let pause = due.since(happened);
    assert!(
        (PAUSES[1] * 4 / 5..=PAUSES[1] * 6 / 5).contains(&pause),
        "{pause}"
    );
    catcher.answer(Answer::ok().body("thanks"));
    app.office.clock.advance(PAUSES[1] * 6 / 5);
    let again = newest(&app, &made, |message| message["state"] == "DELIVERED").await;
    assert_eq!(
        (&again["id"], &again["next_attempt_at"]),
        (&first["id"], &Value::Null)
    );
    assert_eq!(again["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(again["attempts"][0], attempt);
    let second = &again["attempts"][1];
    assert_eq!(
        (&second["status"], &second["error"], &second["reply"]),
        (&json!(200), &Value::Null, &json!("thanks"))
    );
    let all = catcher.received();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (&all[0].body, all[0].id()),
        (&all[1].body, all[1].id()),
        "the bytes are the same"
    );
    assert_ne!(
        all[0].header("webhook-signature"),
        all[1].header("webhook-signature")
    );
}

/// Stores messages without a dispatcher: one for each state, event 1 first.
async fn store(app: &TestApp, endpoint: &Value, states: &'static [DeliveryState]) -> Vec<DeliveryId> {
    let (team, id, now) = (app.office.team, endpoint_id(endpoint), app.board.now());
    for _ in 0..states.len() {
        text_in(app, us(), sarah(), "Hello").await;
    }
    let last = app.office.last_event().await;
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<DeliveryId>, StoreError> {
        let endpoint = webhooks::get(tx, team, id)?
            .map(|row| row.endpoint)
            .unwrap_or_default();
        let mut all = Vec::new();
        for (event, state) in (last - states.len() as i64 + 1..).zip(states) {
            let at = now.plus(event * 1_000);
            let message = NewMessage {
                endpoint,
                event,
                topic: trunkline_domain::events::Topic::SmsReceived,
                at,
                // The younger, the sooner.
                due_at: now.plus(-event),
            };
            webhook_messages::insert(tx, team, &message, now)?;
            if *state != Pending {
                let sql = format!(
                    "UPDATE webhook_messages SET due_at = NULL, state = '{state}' WHERE event = {event} AND endpoint = {endpoint}"
                );
                tx.execute(&sql, &[])?;
            }
            all.push(DeliveryId::of(id, event, at));
        }
        Ok(all)
    };
    app.board.db().write(work).await.unwrap()
}

fn endpoint_id(endpoint: &Value) -> EndpointId {
    EndpointId::parse(endpoint["id"].as_str().unwrap()).unwrap()
}

fn texts(ids: &[DeliveryId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn shown(page: &Value) -> Vec<String> {
    let all = page["data"].as_array().unwrap();
    all.iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Goes through a list by its cursor; returns the ids, and in how many parts they came.
async fn walk(app: &TestApp, endpoint: &Value, query: &str) -> (Vec<String>, usize) {
    let (mut all, mut parts) = (Vec::new(), 1);
    let mut page = deliveries(app, endpoint, query).await;
    loop {
        all.extend(shown(&page));
        let Some(cursor) = page["pagination"]["next_cursor"].as_str() else {
            assert_eq!(page["pagination"]["has_more"], false);
            return (all, parts);
        };
        assert_eq!(page["pagination"]["has_more"], true);
        page = deliveries(app, endpoint, &format!("{query}&cursor={cursor}")).await;
        parts += 1;
    }
}

async fn deliveries_come_by_pages_newest_first(db: TestDb) {
    let app = TestApp::start(db).await;
    let (one, other) = (
        make(&app, NOBODY, &["sms.received"], json!({})).await,
        make(&app, NOBODY, &["sms.received"], json!({})).await,
    );
    let mut stored = store(
        &app,
        &one,
        &[Delivered, Failed, Pending, Skipped, Delivered, Failed, Failed],
    )
    .await;
    store(&app, &other, &[Delivered, Failed]).await;
    stored.reverse();
    assert_eq!(walk(&app, &one, "?size=100").await, (texts(&stored), 1));
    assert_eq!(walk(&app, &one, "?size=2").await, (texts(&stored), 4));
    assert_eq!(walk(&app, &one, "?size=7").await, (texts(&stored), 1));
    let failed = [stored[0], stored[1], stored[5]];
    assert_eq!(
        walk(&app, &one, "?state=FAILED&size=1").await,
        (texts(&failed), 3)
    );
    assert_eq!(
        walk(&app, &one, "?state=SKIPPED&size=1").await,
        (texts(&[stored[3]]), 1)
    );
    assert_eq!(deliveries(&app, &one, "").await["pagination"]["size"], 20);
}

async fn pending_ones_come_in_the_order_in_which_they_are_due(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let stored = store(&app, &made, &[Pending, Delivered, Pending, Pending, Failed]).await;
    let due = [stored[3], stored[2], stored[0]];
    for size in 1..=4 {
        let (all, _) = walk(&app, &made, &format!("?state=PENDING&size={size}")).await;
        assert_eq!(all, texts(&due), "by {size}");
    }
    for message in deliveries(&app, &made, "?state=PENDING").await["data"]
        .as_array()
        .unwrap()
    {
        assert!(message["next_attempt_at"].is_string());
    }
}

async fn delivered_ones_are_found_among_others(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let mut stored = store(
        &app,
        &made,
        &[Delivered, Failed, Delivered, Pending, Delivered, Skipped],
    )
    .await;
    stored.reverse();
    let delivered = [stored[1], stored[3], stored[5]];
    for size in 1..=4 {
        let (all, _) = walk(&app, &made, &format!("?state=DELIVERED&size={size}")).await;
        assert_eq!(all, texts(&delivered), "by {size}");
    }
}

async fn faulty_filters_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let other = make(&app, NOBODY, &["sms.received"], json!({})).await;
    store(&app, &made, &[Delivered, Failed]).await;
    let path = format!("{}/deliveries", at(&made));
    for (query, code, param) in [
        ("state=LOST", "INVALID_PARAMETER", "state"),
        ("state=failed", "INVALID_PARAMETER", "state"),
        ("size=0", "INVALID_PAGE_SIZE", "size"),
        ("size=101", "INVALID_PAGE_SIZE", "size"),
        ("cursor=x", "INVALID_CURSOR", "cursor"),
    ] {
        let reply = app.get(&format!("{path}?{query}")).await;
        assert_error(&reply, code);
        assert_eq!(blamed(&reply), BTreeSet::from([param.to_owned()]));
    }
    let cursor = deliveries(&app, &made, "?size=1").await["pagination"]["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    for reply in [
        app.get(&format!("{path}?state=FAILED&cursor={cursor}")).await,
        app.get(&format!("{}/deliveries?cursor={cursor}", at(&other)))
            .await,
    ] {
        assert_error(&reply, "INVALID_CURSOR");
    }
}

async fn one_message_is_sent_again(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    app.deliver(quickly());
    text_in(&app, us(), sarah(), "Hello").await;
    let first = newest(&app, &made, |message| message["state"] == "DELIVERED").await;
    app.office.clock.advance(Millis::HOUR);
    let path = format!("{}/replay", at(&made));
    let reply = app.post(&path, &json!({ "message_id": first["id"] })).await;
    let accepted = json!({ "id": made["id"], "message_id": first["id"], "since": null, "topics": null });
    assert_eq!((reply.status, reply.data()), (202, &accepted));
    let all = catcher.wait_for(2).await;
    assert_eq!(
        (&all[0].body, all[0].id()),
        (&all[1].body, all[1].id()),
        "the same message"
    );
    let again = newest(&app, &made, |message| message["state"] == "DELIVERED").await;
    assert_eq!(
        again["attempts"].as_array().unwrap().len(),
        2,
        "the old attempt stays to be seen"
    );
}

async fn what_failed_since_a_time_is_sent_again(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    let stored = store(&app, &made, &[Failed, Failed, Skipped, Failed, Delivered]).await;
    app.office.clock.advance(Millis::HOUR);
    // The second has the first instant that counts.
    let log = deliveries(&app, &made, "").await;
    let since = log["data"][3]["timestamp"].as_str().unwrap();
    let path = format!("{}/replay", at(&made));
    let none = app
        .post(&path, &json!({ "since": since, "topics": ["call.received"] }))
        .await;
    assert_eq!(none.status, 202);
    assert_eq!(
        none.data(),
        &json!({ "id": made["id"], "message_id": null, "since": since, "topics": ["call.received"] })
    );
    let busy = app.post(&path, &json!({ "since": since })).await;
    assert_error(&busy, "OTHER_TRANSACTION_IN_PROGRESS");
    app.deliver(quickly());
    let accepted = loop {
        let reply = app
            .post(&path, &json!({ "since": since, "topics": ["sms.received"] }))
            .await;
        if reply.code() != "OTHER_TRANSACTION_IN_PROGRESS" {
            break reply;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    catcher.wait_for(2).await;
    until(&app, &made, |endpoint| {
        !endpoint["health"]["last_success_at"].is_null()
    })
    .await;
    let expected: BTreeSet<String> = texts(&[stored[1], stored[3]]).into_iter().collect();
    assert_eq!(catcher.ids(), expected, "failed, and not before that time");
    assert_eq!(catcher.count(), 2);
}

async fn faulty_replays_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let other = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let stored = store(&app, &made, &[Failed]).await;
    let message = stored[0].to_string();
    let tomorrow = app.board.now().plus(Millis::DAY).to_string();
    let path = format!("{}/replay", at(&made));
    for (body, code, param) in [
        (json!({}), "MISSING_PARAMETER", "message_id"),
        (json!({}), "MISSING_PARAMETER", "since"),
        (
            json!({ "topics": ["sms.received"] }),
            "MISSING_PARAMETER",
            "since",
        ),
        (
            json!({ "message_id": null, "since": null }),
            "MISSING_PARAMETER",
            "since",
        ),
        (
            json!({ "message_id": message, "since": "2026-01-01T00:00:00Z" }),
            "INVALID_PARAMETER",
            "message_id",
        ),
        (
            json!({ "message_id": message, "topics": ["sms.sent"] }),
            "INVALID_PARAMETER",
            "message_id",
        ),
        (
            json!({ "message_id": "x" }),
            "WEBHOOK_MESSAGE_NOT_FOUND",
            "message_id",
        ),
        (
            json!({ "message_id": "msg-1" }),
            "WEBHOOK_MESSAGE_NOT_FOUND",
            "message_id",
        ),
        (
            json!({ "message_id": made["id"] }),
            "WEBHOOK_MESSAGE_NOT_FOUND",
            "message_id",
        ),
        (json!({ "message_id": 5 }), "INVALID_PARAMETER", "message_id"),
        (json!({ "since": "yesterday" }), "INVALID_PARAMETER", "since"),
        (json!({ "since": "2026-01-01" }), "INVALID_PARAMETER", "since"),
        (json!({ "since": tomorrow }), "INVALID_PARAMETER", "since"),
        (
            json!({ "since": "2026-01-01T00:00:00Z", "topics": ["sms"] }),
            "INVALID_EVENT_TYPE",
            "topics",
        ),
        (
            json!({ "since": "2026-01-01T00:00:00Z", "topics": [] }),
            "MISSING_PARAMETER",
            "topics",
        ),
    ] {
        let reply = app.post(&path, &body).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(param), "{body}: {}", reply.text);
    }
    // The message of one endpoint is not the other's.
    let reply = app
        .post(
            &format!("{}/replay", at(&other)),
            &json!({ "message_id": message }),
        )
        .await;
    assert_error(&reply, "WEBHOOK_MESSAGE_NOT_FOUND");
    assert_eq!(
        app.post(&path, &json!({ "message_id": message })).await.status,
        202
    );
    assert_eq!(
        app.post(&path, &json!({ "message_id": message })).await.status,
        202,
        "it waits already"
    );
}

async fn a_disabled_endpoint_replays_nothing(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.received"], json!({})).await;
    let stored = store(&app, &made, &[Failed]).await;
    app.put(&at(&made), &json!({ "enabled": false })).await;
    let path = format!("{}/replay", at(&made));
    for body in [
        json!({ "message_id": stored[0].to_string() }),
        json!({ "since": "2026-01-01T00:00:00Z" }),
    ] {
        assert_error(&app.post(&path, &body).await, "WEBHOOK_DISABLED");
    }
}

async fn what_was_missed_is_sent_when_asked_for(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let resumed = make(
        &app,
        catcher.url(),
        &["sms.received"],
        json!({ "headers": { "X-Who": "resumed" } }),
    )
    .await;
    let skipped = make(
        &app,
        catcher.url(),
        &["sms.received"],
        json!({ "headers": { "X-Who": "skipped" } }),
    )
    .await;
    app.deliver(quickly());
    for endpoint in [&resumed, &skipped] {
        assert_eq!(
            app.put(&at(endpoint), &json!({ "enabled": false })).await.status,
            200
        );
    }
    for content in ["One", "Two"] {
        text_in(&app, us(), sarah(), content).await;
    }
    let reply = app.put(&at(&skipped), &json!({ "enabled": true })).await;
    assert_eq!(reply.data()["health"]["state"], "HEALTHY");
    app.put(&at(&resumed), &json!({ "enabled": true, "resume": true }))
        .await;
    text_in(&app, us(), sarah(), "Three").await;
    let all = catcher.wait_for(4).await;
    let got = |who: &str| -> BTreeSet<String> {
        let of_it = all.iter().filter(|request| request.header("x-who") == who);
        of_it
            .map(|request| request.json()["data"]["content"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        got("resumed"),
        BTreeSet::from(["One".to_owned(), "Two".to_owned(), "Three".to_owned()])
    );
    assert_eq!(got("skipped"), BTreeSet::from(["Three".to_owned()]));
    for body in [
        json!({ "resume": true }),
        json!({ "resume": true, "enabled": false }),
    ] {
        let reply = app.put(&at(&resumed), &body).await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert_eq!(blamed(&reply), BTreeSet::from(["resume".to_owned()]));
    }
}

async fn a_filter_lets_pass_what_is_about_its_numbers(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    make(
        &app,
        catcher.url(),
        &["sms.received", "contact.created"],
        json!({ "allo_numbers": [fr()] }),
    )
    .await;
    app.deliver(quickly());
    text_in(&app, us(), sarah(), "Hello").await;
    let paris = text_in(&app, fr(), marie(), "Bonjour").await;
    let contact = command(&app, |work| {
        let contact = trunkline_switchboard::people::CreateContact {
            first_name: Some("Noel".to_owned()),
            ..Default::default()
        };
        trunkline_switchboard::people::create_contact(work, &contact)
    });
    let contact = contact.await;
    let all = catcher.wait_for(2).await;
    let about: BTreeSet<String> = all
        .iter()
        .map(|request| request.json()["data"]["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(about, BTreeSet::from([paris.to_string(), contact.to_string()]));
}

async fn a_change_holds_for_the_next_attempt(db: TestDb) {
    let (app, old, new) = (
        TestApp::start(db).await,
        Catcher::start().await,
        Catcher::start().await,
    );
    let made = make(&app, old.url(), &["sms.received"], json!({})).await;
    old.answer(500);
    app.deliver(quickly());
    text_in(&app, us(), sarah(), "Hello").await;
    newest(&app, &made, |message| {
        message["attempts"].as_array().is_some_and(|all| all.len() == 1)
    })
    .await;
    let change = json!({ "url": new.url(), "headers": { "X-New": "1" } });
    assert_eq!(app.put(&at(&made), &change).await.status, 200);
    app.office.clock.advance(PAUSES[1] * 6 / 5);
    let got = new.wait_for(1).await.pop().unwrap();
    assert_eq!((got.id(), got.header("x-new")), (old.received()[0].id(), "1"));
    assert_eq!(old.count(), 1);
    assert_eq!(ids(&app.get(crate::webhooks::PATH).await).len(), 1);
}
