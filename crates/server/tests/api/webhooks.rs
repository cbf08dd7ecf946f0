//! Webhook endpoints: made, read, changed, deleted.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::webhook::topic;
use trunkline_domain::{Millis, ScopeSet};
use trunkline_store::{StoreError, audit};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::catcher::Catcher;
use trunkline_testkit::db::{TestDb, fr, sarah, us};
use trunkline_webhooks::Options;
use trunkline_webhooks::resolver::{Addresses, Resolve};

use crate::people::new_key;
use crate::support::{assert_error, authorization, blamed, text_in};

trunkline_testkit::on_both! {
    an_endpoint_is_made_read_changed_and_deleted,
    only_the_fields_that_are_sent_are_changed,
    urls_that_may_not_be_called_are_refused,
    names_are_resolved_when_they_are_saved,
    topics_are_checked,
    descriptions_have_a_limit,
    a_filter_names_numbers_and_sender_ids_of_the_team,
    headers_are_checked,
    a_team_has_at_most_a_hundred_endpoints,
    the_event_types_are_the_catalogue,
    health_tells_how_an_endpoint_is_doing,
    what_was_done_is_in_the_audit_log,
}

pub const PATH: &str = "/v2/api/webhooks";

/// A URL at which nobody answers.
pub const NOBODY: &str = "http://127.0.0.1:9/hook";

/// Makes an endpoint; `more` is added to the body.
pub async fn make(app: &TestApp, url: &str, topics: &[&str], more: Value) -> Value {
    let mut body = json!({ "url": url, "topics": topics });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let reply = app.post(PATH, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.data().clone()
}

/// The path of an endpoint.
pub fn at(endpoint: &Value) -> String {
    format!("{PATH}/{}", endpoint["id"].as_str().unwrap())
}

async fn an_endpoint_is_made_read_changed_and_deleted(db: TestDb) {
    let app = TestApp::start(db).await;
    assert_eq!(app.get(PATH).await.data(), &json!([]));
    let more = json!({ "description": "Production" });
    let made = make(&app, NOBODY, &["call.received", "sms.received"], more).await;
    let now = app.board.now().to_string();
    let expected = json!({
        "id": made["id"],
        "url": NOBODY,
        "topics": ["call.received", "sms.received"],
        "description": "Production",
        "enabled": true,
        "signing_secret": made["signing_secret"],
        "allo_numbers": null,
        "headers": {},
        "health": {
            "state": "HEALTHY", "failing_since": null, "disabled_reason": null, "disabled_at": null,
            "last_success_at": null, "last_failure_at": null, "last_error": null,
        },
        "created_at": now,
        "updated_at": now,
    });
    assert_eq!(made, expected);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("ep_") && id.len() == 30, "{id}");
    assert_eq!(app.get(&at(&made)).await.data(), &expected);
    assert_eq!(
        app.get(&format!("{PATH}/{}", id.replace('_', "-"))).await.data(),
        &expected,
        "a dash is as good as an underscore"
    );
    let mut shown = expected.clone();
    shown.as_object_mut().unwrap().remove("signing_secret");
    assert_eq!(app.get(PATH).await.data(), &json!([shown]));

    app.office.clock.advance(5_000);
    let change = json!({ "topics": ["call.completed"], "enabled": false });
    let changed = app.put(&at(&made), &change).await;
    let later = app.board.now().to_string();
    shown["topics"] = json!(["call.completed"]);
    shown["enabled"] = json!(false);
    shown["updated_at"] = json!(later);
    shown["health"]["state"] = json!("DISABLED");
    shown["health"]["disabled_reason"] = json!("OWNER");
    shown["health"]["disabled_at"] = json!(later);
    assert_eq!((changed.status, changed.data()), (200, &shown));
    assert_eq!(app.get(PATH).await.data(), &json!([shown]));

    let deleted = app.delete(&at(&made)).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(deleted.header("content-type"), "");
    for reply in [
        app.delete(&at(&made)).await,
        app.get(&at(&made)).await,
        app.put(&at(&made), &change).await,
    ] {
        assert_error(&reply, "WEBHOOK_NOT_FOUND");
        assert_eq!(reply.json["error"]["param"], "webhook_id");
    }
    assert_eq!(app.get(PATH).await.data(), &json!([]));
}

async fn only_the_fields_that_are_sent_are_changed(db: TestDb) {
    let app = TestApp::start(db).await;
    let more = json!({ "description": "One", "allo_numbers": [us()], "headers": { "X-A": "1" } });
    let made = make(&app, NOBODY, &["sms.sent", "sms.failed"], more).await;
    let mut expected = app.get(&at(&made)).await.data().clone();
    let changes = [
        json!({}),
        json!({ "url": null, "topics": null, "enabled": null, "resume": null }),
        json!({ "url": "http://127.0.0.1:10/other" }),
        json!({ "topics": ["tag.added"] }),
        json!({ "description": "Two" }),
        json!({ "description": null }),
        json!({ "description": "" }),
        json!({ "allo_numbers": [us(), fr()] }),
        json!({ "allo_numbers": null }),
        json!({ "headers": { "X-B": "2", "X-C": "" } }),
        json!({ "headers": {} }),
        json!({ "headers": { "X-D": "4" } }),
        json!({ "headers": null }),
    ];
    for change in changes {
        app.office.clock.advance(1_000);
        let reply = app.put(&at(&made), &change).await;
        assert_eq!(reply.status, 200, "{change}: {}", reply.text);
        for (name, value) in change.as_object().unwrap() {
            let kept = value.is_null() && ["url", "topics", "enabled", "resume"].contains(&name.as_str());
            if !kept {
                expected[name] = value.clone();
            }
        }
        if expected["headers"].is_null() {
            expected["headers"] = json!({});
        }
        expected["updated_at"] = json!(app.board.now().to_string());
        assert_eq!(app.get(&at(&made)).await.data(), &expected, "{change}");
    }
}

#[track_caller]
pub fn assert_refused(reply: &Reply, code: &str, param: &str, says: &str) {
    assert_error(reply, code);
    assert!(blamed(reply).contains(param), "{}", reply.text);
    let error = &reply.json["error"];
    let told = format!("{} {}", error["message"], error["suggestion"]);
    assert!(told.contains(says), "{says:?} is not in {told}");
}

async fn urls_that_may_not_be_called_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.sent"], json!({})).await;
    let long = format!("https://example.com/{}", "x".repeat(2_040));
    for (url, code, says) in [
        ("", "INVALID_PARAMETER", "complete URL"),
        ("example.com/hook", "INVALID_PARAMETER", "complete URL"),
        ("https://exa mple.com/", "INVALID_PARAMETER", "complete URL"),
        (
            "https://user:secret@example.com/",
            "INVALID_PARAMETER",
            "user name",
        ),
        ("https://example.com/#part", "INVALID_PARAMETER", "fragment"),
        (long.as_str(), "INVALID_LENGTH", "2,048"),
        ("http://example.com/", "WEBHOOK_URL_NOT_ALLOWED", "https"),
        ("ftp://example.com/", "WEBHOOK_URL_NOT_ALLOWED", "https"),
        ("https://10.0.0.1/", "WEBHOOK_URL_NOT_ALLOWED", "private"),
        ("https://0xA000001/", "WEBHOOK_URL_NOT_ALLOWED", "private"),
        ("https://[::ffff:10.0.0.1]/", "WEBHOOK_URL_NOT_ALLOWED", "private"),
        (
            "https://169.254.169.254/latest",
            "WEBHOOK_URL_NOT_ALLOWED",
            "metadata",
        ),
        ("https://[fd00::1]/", "WEBHOOK_URL_NOT_ALLOWED", "unique local"),
        (
            "https://printer.local/",
            "WEBHOOK_URL_NOT_ALLOWED",
            "local network",
        ),
        (
            "https://nobody-has-this-name.invalid/",
            "WEBHOOK_URL_NOT_ALLOWED",
            "local network",
        ),
    ] {
        let body = json!({ "url": url, "topics": ["sms.sent"] });
        assert_refused(&app.post(PATH, &body).await, code, "url", says);
        assert_refused(
            &app.put(&at(&made), &json!({ "url": url })).await,
            code,
            "url",
            says,
        );
    }
    assert_eq!(
        app.get(&at(&made)).await.data()["url"],
        NOBODY,
        "nothing was changed"
    );
    // What is stored is the one spelling that the standard gives it.
    let reply = app
        .put(&at(&made), &json!({ "url": "HTTP://0177.1:3000/a/../b?c=%20d" }))
        .await;
    assert_eq!(reply.data()["url"], "http://127.0.0.1:3000/b?c=%20d");
}

/// Knows three names.
struct Names;

impl Resolve for Names {
    fn resolve(&self, host: &str, port: u16) -> Addresses {
        let found = match host {
            "public.example" => Ok(vec!["93.184.215.14", "2606:2800:21f:cb07::1"]),
            "rebound.example" => Ok(vec!["93.184.215.14", "10.0.0.7"]),
            "empty.example" => Ok(Vec::new()),
            _ => Err(std::io::Error::other("no such name")),
        };
        let found = found.map(|all| {
            let address = |ip: &str| std::net::SocketAddr::new(ip.parse().unwrap(), port);
            all.into_iter().map(address).collect()
        });
        Box::pin(std::future::ready(found))
    }
}

async fn names_are_resolved_when_they_are_saved(db: TestDb) {
    let app = TestApp::start(db).await;
    let state = app
        .state
        .with(|shared| shared.webhooks.resolver = Arc::new(Names));
    let url = crate::surroundings::serve(trunkline_server::router(state)).await;
    let http = trunkline_testkit::app::client_builder().build().unwrap();
    let send = async |host: &str| {
        let request = http
            .post(format!("{url}{PATH}"))
            .header("Authorization", authorization(&app.key));
        let body = json!({ "url": format!("https://{host}/hook"), "topics": ["sms.sent"] });
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    assert_eq!(send("public.example").await.0, 201);
    for host in ["rebound.example", "empty.example", "unknown.example"] {
        let (status, answer) = send(host).await;
        let error = &answer["error"];
        assert_eq!(
            (status, &error["code"], &error["param"]),
            (400, &json!("WEBHOOK_URL_NOT_ALLOWED"), &json!("url")),
            "{answer}"
        );
        assert!(error["message"].as_str().unwrap().contains(host), "{answer}");
        assert!(
            !answer.to_string().contains("10.0.0.7"),
            "where a name leads is nobody's business"
        );
    }
    assert_eq!(app.get(PATH).await.data().as_array().unwrap().len(), 1);
}

async fn topics_are_checked(db: TestDb) {
    let app = TestApp::start(db).await;
    let twice = ["sms.sent", "call.received", "sms.sent"];
    let made = make(&app, NOBODY, &twice, json!({})).await;
    assert_eq!(made["topics"], json!(["sms.sent", "call.received"]));
    for unknown in [
        "call",
        "CALL.RECEIVED",
        "call.received ",
        "items.imported",
        "webhook.disabled",
        "",
    ] {
        let topics = json!(["sms.sent", unknown]);
        let body = json!({ "url": NOBODY, "topics": topics });
        for reply in [
            app.post(PATH, &body).await,
            app.put(&at(&made), &json!({ "topics": topics })).await,
        ] {
            assert_refused(&reply, "INVALID_EVENT_TYPE", "topics", unknown.trim());
            let suggestion = reply.json["error"]["suggestion"].as_str().unwrap();
            assert!(
                topic::NAMES.iter().all(|name| suggestion.contains(name)),
                "{suggestion}"
            );
        }
    }
    for reply in [
        app.post(PATH, &json!({ "url": NOBODY, "topics": [] })).await,
        app.put(&at(&made), &json!({ "topics": [] })).await,
    ] {
        assert_refused(&reply, "MISSING_PARAMETER", "topics", "call.completed");
    }
    let all = make(&app, NOBODY, topic::NAMES, json!({})).await;
    assert_eq!(all["topics"], json!(topic::NAMES));
}

async fn descriptions_have_a_limit(db: TestDb) {
    let app = TestApp::start(db).await;
    let longest = "é".repeat(500);
    let made = make(&app, NOBODY, &["sms.sent"], json!({ "description": longest })).await;
    assert_eq!(made["description"], longest);
    let reply = app
        .put(&at(&made), &json!({ "description": format!("{longest}x") }))
        .await;
    assert_refused(&reply, "INVALID_LENGTH", "description", "500");
}

async fn a_filter_names_numbers_and_sender_ids_of_the_team(db: TestDb) {
    let app = TestApp::start(db).await;
    let numbers = json!([fr(), us(), fr()]);
    let made = make(&app, NOBODY, &["sms.sent"], json!({ "allo_numbers": numbers })).await;
    assert_eq!(
        made["allo_numbers"],
        json!([us(), fr()]),
        "each once, in the order of the team's"
    );
    for (value, code, says) in [
        (json!([sarah()]), "PHONE_NUMBER_NOT_FOUND", "no number"),
        (json!([us(), "nonsense"]), "PHONE_NUMBER_NOT_FOUND", "nonsense"),
        (json!([]), "INVALID_PARAMETER", "null"),
        (json!([5]), "INVALID_PARAMETER", "texts"),
        (json!("all"), "INVALID_PARAMETER", "texts"),
    ] {
        let reply = app.put(&at(&made), &json!({ "allo_numbers": value })).await;
        assert_refused(&reply, code, "allo_numbers", says);
    }
    assert_eq!(
        app.get(&at(&made)).await.data()["allo_numbers"],
        json!([us(), fr()])
    );
}

async fn headers_are_checked(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = make(&app, NOBODY, &["sms.sent"], json!({})).await;
    let put = async |headers: Value| app.put(&at(&made), &json!({ "headers": headers })).await;
    for name in [
        "Connection",
        "keep-alive",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "upgrade",
        "Host",
        "HOST",
        "User-Agent",
        "Expect",
        "Content-Type",
        "content-length",
        "Content-Anything",
        "webhook-id",
        "Webhook-Signature",
        "WEBHOOK-anything",
        "Date",
    ] {
        let reply = put(json!({ name: "x" })).await;
        assert_refused(&reply, "INVALID_PARAMETER", "headers", "server itself");
    }
    for (headers, says) in [
        (json!({ "": "x" }), "name that is none"),
        (json!({ "two words": "x" }), "name that is none"),
        (json!({ "größe": "x" }), "name that is none"),
        (json!({ "a:b": "x" }), "name that is none"),
        (json!({ "X-A": "line\r\nX-B: 1" }), "cannot have"),
        (json!({ "X-A": "größe" }), "cannot have"),
        (json!({ "X-A": " x" }), "cannot have"),
        (json!({ "X-A": "x".repeat(1_001) }), "1,000"),
        (json!({ "x".repeat(1_001): "x" }), "1,000"),
        (json!({ "X-A": "1", "x-a": "2" }), "twice"),
    ] {
        assert_refused(&put(headers).await, "INVALID_PARAMETER", "headers", says);
    }
    assert_refused(
        &put(json!({ "X-A": 5 })).await,
        "INVALID_PARAMETER",
        "headers.X-A",
        "text",
    );
    let many = |count: usize| -> Value {
        let pairs = (0..count).map(|i| (format!("X-{i}"), json!("x".repeat(1_000))));
        Value::Object(pairs.collect())
    };
    assert_refused(&put(many(21)).await, "INVALID_PARAMETER", "headers", "20");
    assert_eq!(put(many(20)).await.status, 200);
    assert_eq!(app.get(&at(&made)).await.data()["headers"], many(20));
}

async fn a_team_has_at_most_a_hundred_endpoints(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut first = Value::Null;
    for i in 0..100 {
        let made = make(
            &app,
            NOBODY,
            &["sms.sent"],
            json!({ "description": i.to_string() }),
        )
        .await;
        if i == 0 {
            first = made;
        }
    }
    let body = json!({ "url": NOBODY, "topics": ["sms.sent"] });
    assert_error(&app.post(PATH, &body).await, "WEBHOOK_LIMIT_REACHED");
    let listed = app.get(PATH).await;
    let order: Vec<&str> = listed
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["description"].as_str().unwrap())
        .collect();
    assert_eq!(
        order,
        (0..100).map(|i| i.to_string()).collect::<Vec<_>>(),
        "oldest first"
    );
    assert_eq!(app.delete(&at(&first)).await.status, 204);
    assert_eq!(app.post(PATH, &body).await.status, 201, "there is room again");
}

async fn the_event_types_are_the_catalogue(db: TestDb) {
    let app = TestApp::start(db).await;
    let reply = app.get(&format!("{PATH}/event_types")).await;
    let listed = reply.data().as_array().unwrap();
    assert_eq!(listed.len(), topic::CATALOGUE.len());
    for (view, info) in listed.iter().zip(topic::CATALOGUE) {
        let expected = json!({
            "name": info.topic.as_str(), "description": info.description, "when": info.when,
            "deduplicated": info.deduplicated,
        });
        assert_eq!(view, &expected);
    }
}

/// Waits until the endpoint is as it should be.
pub async fn until(app: &TestApp, endpoint: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1_000 {
        last = app.get(&at(endpoint)).await.data().clone();
        if wanted(&last) {
            return last;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it never came to that: {last}");
}

async fn health_tells_how_an_endpoint_is_doing(db: TestDb) {
    let (app, catcher) = (TestApp::start(db).await, Catcher::start().await);
    let made = make(&app, catcher.url(), &["sms.received"], json!({})).await;
    app.deliver(Options::default());
    text_in(&app, us(), sarah(), "One").await;
    let well = until(&app, &made, |endpoint| {
        !endpoint["health"]["last_success_at"].is_null()
    })
    .await;
    assert_eq!(well["health"]["state"], "HEALTHY");
    catcher.answer(503);
    app.office.clock.advance(Millis::HOUR);
    text_in(&app, us(), sarah(), "Two").await;
    let failing = until(&app, &made, |endpoint| endpoint["health"]["state"] == "FAILING").await;
    let now = app.board.now().to_string();
    let health = &failing["health"];
    assert_eq!(
        (
            &health["failing_since"],
            &health["last_failure_at"],
            &health["last_error"]
        ),
        (&json!(now), &json!(now), &json!("STATUS 503"))
    );
    assert_eq!(
        (&failing["enabled"], &health["disabled_at"]),
        (&json!(true), &Value::Null)
    );
    catcher.answer(200);
    app.office.clock.advance(10_000);
    let again = until(&app, &made, |endpoint| endpoint["health"]["state"] == "HEALTHY").await;
    assert_eq!(again["health"]["failing_since"], Value::Null);
    assert_eq!(
        again["health"]["last_error"], "STATUS 503",
        "what went wrong last stays to be seen"
    );
}

async fn what_was_done_is_in_the_audit_log(db: TestDb) {
    let app = TestApp::start(db).await;
    let (_, other) = new_key(&app, ScopeSet::ALL).await;
    let made = make(&app, NOBODY, &["sms.sent"], json!({})).await;
    app.put(&at(&made), &json!({ "description": "x" })).await;
    app.post(&format!("{}/rotate_secret", at(&made)), &json!({}))
        .await;
    let own = authorization(&other);
    app.send_with(Method::DELETE, &at(&made), &[("Authorization", &own)], None)
        .await;
    let team = app.office.team;
    let entries = app
        .board
        .db()
        .read(move |conn| audit::list(conn, team, 100))
        .await;
    let entries: Result<Vec<audit::AuditRow>, StoreError> = entries;
    let of_it = entries
        .unwrap()
        .into_iter()
        .filter(|entry| made["id"] == entry.subject);
    let mut actions: Vec<String> = of_it.map(|entry| entry.action).collect();
    actions.sort();
    assert_eq!(
        actions,
        [
            "webhook.created",
            "webhook.deleted",
            "webhook.secret_rotated",
            "webhook.updated"
        ]
    );
}
