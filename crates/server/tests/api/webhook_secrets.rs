//! Secrets of webhook endpoints: shown to few, sealed, rotated, and what is signed with them: the test button.

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::Millis;
use trunkline_domain::webhook::topic;
use trunkline_store::{StoreError, Tx};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::catcher::{Answer, Catcher, Received};
use trunkline_testkit::db::TestDb;
use trunkline_webhooks::signature::{Secret, sign};

use crate::support::{authorization, keys};
use crate::webhooks::{NOBODY, PATH, assert_refused, at, make};

trunkline_testkit::on_both! {
    secrets_are_shown_to_who_made_it_and_to_who_asks_by_id,
    secrets_are_sealed_wherever_they_are_stored,
    a_secret_is_rotated_with_an_overlap,
    a_test_is_a_signed_sample_of_any_topic,
    a_test_tells_what_is_wrong_with_the_receiver,
    a_test_with_an_idempotency_key_is_sent_once,
}

async fn secrets_are_shown_to_who_made_it_and_to_who_asks_by_id(db: TestDb) {
    let app = TestApp::start(db).await;
    let headers = json!({ "Authorization": "Bearer of-the-receiver", "x-tenant": "north" });
    let made = make(&app, NOBODY, &["sms.sent"], json!({ "headers": headers })).await;
    assert_eq!(made["headers"], headers);
    let secret = made["signing_secret"].as_str().unwrap();
    Secret::parse(secret).unwrap();
    let got = app.get(&at(&made)).await;
    assert_eq!(
        (&got.data()["signing_secret"], &got.data()["headers"]),
        (&made["signing_secret"], &headers)
    );
    let names_only = json!({ "Authorization": null, "x-tenant": null });
    for reply in [app.get(PATH).await, app.put(&at(&made), &json!({})).await] {
        let data = reply.data();
        let shown = if data.is_array() { &data[0] } else { data };
        assert_eq!(shown["headers"], names_only);
        assert!(
            !reply.text.contains("whsec_") && !reply.text.contains("of-the-receiver"),
            "{}",
            reply.text
        );
    }
}

async fn secrets_are_sealed_wherever_they_are_stored(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "make")];
    let body = json!({ "url": NOBODY, "topics": ["sms.sent"], "headers": { "X-Token": "hush-hush" } });
    let send = async || {
        app.send_with(Method::POST, PATH, &headers, Some(body.to_string()))
            .await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.status, 201);
    assert_eq!(
        (&again.text, again.header("idempotency-replayed")),
        (&first.text, "true")
    );
    let secret = first.data()["signing_secret"].as_str().unwrap().to_owned();
    let rotated = app
        .post(&format!("{}/rotate_secret", at(first.data())), &json!({}))
        .await;
    let new = rotated.data()["signing_secret"].as_str().unwrap().to_owned();
    let stored = |tx: &mut Tx<'_>| -> Result<Vec<String>, StoreError> {
        let mut all = tx.rows("SELECT body FROM idempotency", &[], |row| row.get::<String>(0))?;
        all.extend(tx.rows("SELECT secrets FROM webhook_endpoints", &[], |row| row.get(0))?);
        all.extend(tx.rows("SELECT headers FROM webhook_endpoints", &[], |row| row.get(0))?);
        Ok(all)
    };
    let stored = app.board.db().write(stored).await.unwrap();
    assert_eq!(stored.len(), 3, "{stored:?}");
    for hidden in [secret.as_str(), new.as_str(), "whsec_", "hush-hush"] {
        assert!(stored.iter().all(|text| !text.contains(hidden)), "{stored:?}");
    }
}

async fn a_secret_is_rotated_with_an_overlap(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    let path = format!("{}/rotate_secret", at(&made));
    let rotated = app.post(&path, &json!({})).await;
    assert_eq!(
        keys(rotated.data()),
        ["id", "previous_secret_expires_at", "signing_secret"]
    );
    let until = app.board.now().plus(Millis::DAY).to_string();
    assert_eq!(rotated.data()["previous_secret_expires_at"], until);
    assert_ne!(rotated.data()["signing_secret"], made["signing_secret"]);
    let got = app.get(&at(&made)).await;
    assert_eq!(got.data()["signing_secret"], rotated.data()["signing_secret"]);

    let test = format!("{}/test", at(&made));
    let signatures = async || {
        let before = catcher.count();
        assert_eq!(app.post(&test, &json!({})).await.data()["delivered"], true);
        let received = catcher.wait_for(before + 1).await.pop().unwrap();
        let verified = |secret: &Value| verifies(secret.as_str().unwrap(), &received);
        let count = received.header("webhook-signature").split(' ').count();
        (
            count,
            verified(&rotated.data()["signing_secret"]),
            verified(&made["signing_secret"]),
        )
    };
    assert_eq!(signatures().await, (2, true, true), "both are good for a day");
    app.office.clock.advance(Millis::DAY - 1);
    assert_eq!(signatures().await, (2, true, true));
    app.office.clock.advance(1);
    assert_eq!(signatures().await, (1, true, false));
    for _ in 0..12 {
        assert_eq!(app.post(&path, &json!({})).await.status, 200);
    }
    assert_eq!(app.post(&test, &json!({})).await.data()["delivered"], true);
    let last = catcher.received().pop().unwrap();
    let count = last.header("webhook-signature").split(' ').count();
    assert_eq!(count, 11, "the new one and ten old ones");
}

/// Whether a signature of the request is by this secret.
fn verifies(secret: &str, received: &Received) -> bool {
    let secret = Secret::parse(secret).unwrap();
    let at: i64 = received.header("webhook-timestamp").parse().unwrap();
    let own = sign([&secret], received.id(), at, &received.body);
    received
        .header("webhook-signature")
        .split(' ')
        .any(|signature| signature == own)
}

async fn a_test_is_a_signed_sample_of_any_topic(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let more = json!({ "headers": { "X-Tenant": "north" } });
    let made = make(&app, catcher.url(), &["sms.received", "call.completed"], more).await;
    let path = format!("{}/test", at(&made));
    catcher.answer_with(|request| Answer::status(202).body(format!("got {}", request.topic())));
    let before = app.office.last_event().await;
    let mut ids = Vec::new();
    for name in topic::NAMES {
        let reply = app.post(&path, &json!({ "topic": name })).await;
        let told = reply.data();
        let received = catcher.wait_for(ids.len() + 1).await.pop().unwrap();
        assert_eq!(received.request, "POST /hook");
        assert_eq!(received.id(), told["id"].as_str().unwrap());
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!(received.header("x-tenant"), "north");
        assert_eq!(
            received.header("webhook-timestamp"),
            app.board.now().unix_seconds().to_string()
        );
        assert!(
            verifies(made["signing_secret"].as_str().unwrap(), &received),
            "{name}"
        );
        let body = received.json();
        assert_eq!(keys(&body), ["data", "timestamp", "topic", "version"]);
        assert_eq!((&body["topic"], &body["version"]), (&json!(name), &json!("2.0")));
        assert_eq!(body["timestamp"], app.board.now().to_string());
        let expected = json!({
            "id": told["id"], "topic": name, "sent_at": app.board.now().to_string(), "delivered": true, "status": 202,
            "latency_ms": told["latency_ms"], "error": null, "reply": format!("got {name}"),
        });
        assert_eq!(told, &expected);
        ids.push(received.id().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), topic::NAMES.len(), "each test is a message of its own");
    for (body, text) in [
        (json!({}), "sms.received"),
        (json!({ "topic": null }), "sms.received"),
    ] {
        assert_eq!(app.post(&path, &body).await.data()["topic"], text);
    }
    assert_eq!(
        app.send(Method::POST, &path, None).await.data()["topic"],
        "sms.received",
        "no body at all"
    );
    app.put(&at(&made), &json!({ "enabled": false })).await;
    assert_eq!(
        app.post(&path, &json!({})).await.data()["delivered"],
        true,
        "also while it is disabled"
    );
    assert_eq!(app.office.last_event().await, before, "a test is no event");
    let log = app.get(&format!("{}/deliveries", at(&made))).await;
    assert_eq!(log.data(), &json!([]), "and not in the log");
    for topic in ["call", "items.imported", ""] {
        let reply = app.post(&path, &json!({ "topic": topic })).await;
        assert_refused(&reply, "INVALID_EVENT_TYPE", "topic", "call.completed");
    }
}

async fn a_test_tells_what_is_wrong_with_the_receiver(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    let path = format!("{}/test", at(&made));
    let test = async || app.post(&path, &json!({})).await.data().clone();
    for (status, code) in [
        (500, "STATUS"),
        (404, "STATUS"),
        (302, "REDIRECT"),
        (304, "STATUS"),
    ] {
        catcher.answer(Answer::status(status).header("location", NOBODY));
        let told = test().await;
        assert_eq!(
            (&told["delivered"], &told["status"], &told["error"]["code"]),
            (&json!(false), &json!(status), &json!(code))
        );
        assert!(told["error"]["message"].as_str().unwrap().ends_with('.'));
    }
    catcher.answer(Answer::status(503).body("ö".repeat(2_000)));
    let told = test().await;
    assert_eq!(told["reply"], "ö".repeat(512), "a kilobyte of it");
    app.put(&at(&made), &json!({ "url": NOBODY })).await;
    let told = test().await;
    assert_eq!(
        (
            &told["delivered"],
            &told["status"],
            &told["error"]["code"],
            &told["reply"]
        ),
        (&json!(false), &Value::Null, &json!("CONNECT"), &json!(""))
    );
    let tls = catcher.url().replace("http://", "https://");
    app.put(&at(&made), &json!({ "url": tls })).await;
    assert_eq!(test().await["error"]["code"], "TLS");
}

async fn a_test_with_an_idempotency_key_is_sent_once(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    let (path, own) = (format!("{}/test", at(&made)), authorization(&app.key));
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "try")];
    let send = async || {
        app.send_with(Method::POST, &path, &headers, Some("{}".to_owned()))
            .await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, &again.text), (200, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(catcher.count(), 1);
}
