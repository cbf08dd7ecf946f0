//! Marking conversations read, unread, archived or not.

use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, nobody, us};

use crate::support::{assert_error, encoded, events_of, searchable, text_in};

trunkline_testkit::on_both! {
    each_action_does_its_own,
    actions_are_idempotent,
    without_a_number_every_line_is_meant,
    what_cannot_be_acted_on,
}

const PATH: &str = "/v2/api/conversations/%2B33612345678/action";

async fn act(app: &TestApp, action: &str, line: Option<&str>) -> Reply {
    app.put(PATH, &json!({ "action": action, "allo_number": line }))
        .await
}

/// `(unread, archived)` of Marie's conversation on a line.
async fn standing(app: &TestApp, line: trunkline_domain::PhoneNumber) -> (bool, bool) {
    let reply = app
        .get(&format!("/v2/api/conversations?allo_number={}", encoded(line)))
        .await;
    let one = &reply.data()[0];
    (
        one["unread"].as_bool().unwrap(),
        one["archived"].as_bool().unwrap(),
    )
}

async fn each_action_does_its_own(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), marie(), "Hello").await;
    for (action, after) in [
        ("READ", (false, false)),
        ("UNREAD", (true, false)),
        ("ARCHIVE", (false, true)),
        ("UNARCHIVE", (false, false)),
        ("UNREAD", (true, false)),
        ("UNARCHIVE", (true, false)),
        ("ARCHIVE", (false, true)),
        ("UNREAD", (true, true)),
        ("READ", (false, true)),
    ] {
        let reply = act(&app, action, None).await;
        let expected =
            json!({ "data": { "contact_number": marie(), "allo_number": null, "action": action } });
        assert_eq!((reply.status, &reply.json), (200, &expected));
        assert_eq!(standing(&app, us()).await, after, "{action}");
    }
    let named = act(&app, "READ", Some(us().as_str())).await;
    let expected = json!({ "data": { "contact_number": marie(), "allo_number": us(), "action": "READ" } });
    assert_eq!(named.json, expected);
    app.office.assert_sound().await;
}

async fn actions_are_idempotent(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), marie(), "Hello").await;
    for action in ["READ", "ARCHIVE", "UNREAD", "UNARCHIVE"] {
        act(&app, action, None).await;
        let (before, was) = (app.office.last_event().await, standing(&app, us()).await);
        for _ in 0..2 {
            assert_eq!(act(&app, action, None).await.status, 200, "{action} again");
        }
        assert_eq!(standing(&app, us()).await, was, "{action}");
        assert_eq!(
            app.office.last_event().await,
            before,
            "{action}: nobody is told twice"
        );
    }
    let told = events_of(&app, Topic::ConversationUpdated, 0).await;
    let told: Vec<Value> = told
        .iter()
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .collect();
    let actions: Vec<&str> = told
        .iter()
        .map(|payload| payload["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["READ", "ARCHIVE", "UNREAD", "UNARCHIVE"]);
    let expected = json!({
        "contact_number": marie(), "allo_number": null, "action": "READ", "user_id": app.office.ada,
    });
    assert_eq!(told[0], expected);
}

async fn without_a_number_every_line_is_meant(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), marie(), "Hello").await;
    text_in(&app, fr(), marie(), "Bonjour").await;
    text_in(&app, us(), nobody(), "Somebody else's").await;
    act(&app, "READ", Some(fr().as_str())).await;
    assert_eq!(
        (standing(&app, fr()).await, unread(&app).await),
        ((false, false), 2)
    );
    act(&app, "ARCHIVE", None).await;
    assert_eq!(
        (standing(&app, fr()).await, unread(&app).await),
        ((false, true), 1),
        "somebody else's is as it was"
    );
    act(&app, "UNARCHIVE", Some(us().as_str())).await;
    assert_eq!(standing(&app, fr()).await, (false, true));
    let archived = app
        .get("/v2/api/conversations?allo_number=%2B14155550100&archived=true")
        .await;
    assert_eq!(archived.data(), &json!([]));
}

/// Unread conversations of the American line.
async fn unread(app: &TestApp) -> u64 {
    let reply = app
        .get("/v2/api/conversations?allo_number=%2B14155550100&unread=true")
        .await;
    reply.json["pagination"]["total_count"].as_u64().unwrap()
}

async fn what_cannot_be_acted_on(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), marie(), "Hello").await;
    let before = app.office.last_event().await;
    for wrong in ["read", "DELETE", ""] {
        let reply = act(&app, wrong, None).await;
        assert_error(&reply, "INVALID_ACTION");
        assert_eq!(reply.json["error"]["param"], "action");
        let suggestion = reply.json["error"]["suggestion"].as_str().unwrap();
        assert!(
            ["READ", "UNREAD", "ARCHIVE", "UNARCHIVE"]
                .iter()
                .all(|name| suggestion.contains(name)),
            "{suggestion}"
        );
    }
    let none = app
        .put(
            "/v2/api/conversations/%2B14155550177/action",
            &json!({ "action": "READ" }),
        )
        .await;
    assert_error(&none, "CONVERSATION_NOT_FOUND");
    assert_eq!(none.json["error"]["param"], "contact_number");
    // Marie has texted one line only, and this team has no third one.
    assert_error(
        &act(&app, "READ", Some(fr().as_str())).await,
        "CONVERSATION_NOT_FOUND",
    );
    let foreign = act(&app, "READ", Some("+14155550199")).await;
    assert_error(&foreign, "PHONE_NUMBER_NOT_FOUND");
    assert_eq!(foreign.json["error"]["param"], "allo_number");
    assert_error(&act(&app, "READ", Some("555-1234")).await, "INVALID_PHONE_FORMAT");
    // A plus sign in a path is a plus sign.
    assert_eq!(
        app.put(&PATH.replace("%2B", "+"), &json!({ "action": "UNREAD" }))
            .await
            .status,
        200
    );
    assert_eq!(app.office.last_event().await, before, "it was unread already");
}
