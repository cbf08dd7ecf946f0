//! Threads: one for each call, text or note, with comments, resolved and taken back.

use serde_json::{Value, json};
use trunkline_domain::{Millis, ScopeSet};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, us};

use crate::people::key_of;
use crate::support::{World, assert_error, authorization, missed_call, searchable, text_in};

trunkline_testkit::on_both! {
    a_thread_begins_with_its_first_comment,
    calls_texts_and_notes_have_one_thread_each,
    what_is_not_there_cannot_be_discussed,
    comments_are_written_and_changed_by_their_authors,
    resolving_does_not_lock,
    every_step_is_told_of,
    a_comment_has_limits,
    a_thread_outlives_its_note,
    threads_begun_at_once_are_one,
}

const ALL: &str = "/v2/api/threads";

async fn begin(app: &TestApp, kind: &str, id: impl serde::Serialize, content: &str) -> Reply {
    app.post(
        ALL,
        &json!({ "entity_type": kind, "entity_id": id, "content": content }),
    )
    .await
}

fn path_of(thread: &Reply) -> String {
    format!("{ALL}/{}", thread.data()["id"].as_str().unwrap())
}

async fn as_ben(app: &TestApp, method: reqwest::Method, path: &str, body: Option<Value>) -> Reply {
    let key = key_of(app, app.office.ben, ScopeSet::ALL).await;
    let own = authorization(&key);
    app.send_with(
        method,
        path,
        &[("Authorization", &own)],
        body.map(|body| body.to_string()),
    )
    .await
}

async fn a_thread_begins_with_its_first_comment(db: TestDb) {
    let app = searchable(db).await;
    let call = missed_call(&app, us(), nobody()).await;
    let content = format!("@[Ben]({}), who calls back?", app.office.ben);
    let made = begin(&app, "CALL", call, &content).await;
    let ada = json!({ "id": app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example" });
    let expected = json!({ "data": {
        "id": made.data()["id"], "entity_type": "CALL", "entity_id": call, "resolved": false, "resolved_at": null,
        "resolved_by": null, "created_at": "2026-04-20T10:00:00.000Z", "created_by": ada,
        "comments": [{
            "id": made.data()["comments"][0]["id"], "content": content,
            "mentions": [{ "user_id": app.office.ben, "name": "Ben" }], "author": ada,
            "created_at": "2026-04-20T10:00:00.000Z", "updated_at": "2026-04-20T10:00:00.000Z",
        }],
    } });
    assert_eq!((made.status, &made.json), (201, &expected));
    let starts = |id: &Value, prefix: &str| id.as_str().unwrap().starts_with(prefix);
    assert!(starts(&made.data()["id"], "thr-") && starts(&made.data()["comments"][0]["id"], "cmt-"));
    assert_eq!(app.get(&path_of(&made)).await.json, expected);
    for spelling in [call.to_string(), call.to_string().replace('-', "_")] {
        let found = app
            .get(&format!("{ALL}?entity_type=CALL&entity_id={spelling}"))
            .await;
        assert_eq!(found.json, expected);
    }
}

async fn calls_texts_and_notes_have_one_thread_each(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let call = missed_call(app, us(), nobody()).await;
    for (kind, id) in [
        ("CALL", call.to_string()),
        ("TEXT_MESSAGE", world.message.to_string()),
        ("CONVERSATION_NOTE", world.said.note.to_string()),
    ] {
        let missing = app.get(&format!("{ALL}?entity_type={kind}&entity_id={id}")).await;
        assert_error(&missing, "THREAD_NOT_FOUND");
        assert_eq!(missing.json["error"]["param"], "entity_id");
        let made = begin(app, kind, &id, "So?").await;
        assert_eq!((made.status, &made.data()["entity_id"]), (201, &json!(id)));
        let before = app.office.last_event().await;
        let again = begin(app, kind, &id, "Once more?").await;
        assert_error(&again, "THREAD_ALREADY_EXISTS");
        assert_eq!(again.json["error"]["param"], "entity_id");
        assert_eq!(app.office.last_event().await, before);
        let found = app.get(&format!("{ALL}?entity_type={kind}&entity_id={id}")).await;
        assert_eq!(found.json, made.json);
    }
}

async fn what_is_not_there_cannot_be_discussed(db: TestDb) {
    let world = World::open(db).await;
    let (app, never) = (&world.app, "2Hk9GqkQe7b1T4yVnUo3xZ0aBcD");
    let before = app.office.last_event().await;
    for (kind, id, code) in [
        ("CALL", format!("cll-{never}"), "CALL_NOT_FOUND"),
        ("CALL", "cll-1".to_owned(), "CALL_NOT_FOUND"),
        ("CALL", world.message.to_string(), "INVALID_ITEM_ID"),
        ("CALL", "x".to_owned(), "INVALID_ITEM_ID"),
        ("TEXT_MESSAGE", format!("msg-{never}"), "TEXT_MESSAGE_NOT_FOUND"),
        ("TEXT_MESSAGE", world.call.to_string(), "INVALID_ITEM_ID"),
        ("CONVERSATION_NOTE", format!("not-{never}"), "NOTE_NOT_FOUND"),
        ("CONVERSATION_NOTE", world.call.to_string(), "NOTE_NOT_FOUND"),
        // A note on a person is no note of a conversation.
        (
            "CONVERSATION_NOTE",
            world.said.person_note.to_string(),
            "NOTE_NOT_FOUND",
        ),
        ("PERSON", world.call.to_string(), "INVALID_PARAMETER"),
    ] {
        let reply = begin(app, kind, &id, "So?").await;
        assert_error(&reply, code);
        let param = if kind == "PERSON" {
            "entity_type"
        } else {
            "entity_id"
        };
        assert_eq!(reply.json["error"]["param"], param, "{kind} {id}");
    }
    assert_eq!(app.office.last_event().await, before);
    for query in ["", "?entity_type=CALL", "?entity_id=cll-1"] {
        assert_error(&app.get(&format!("{ALL}{query}")).await, "MISSING_PARAMETER");
    }
}

async fn comments_are_written_and_changed_by_their_authors(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let thread = format!("{ALL}/{}", world.said.thread);
    let comments = format!("{thread}/comments");
    let bens = as_ben(
        app,
        reqwest::Method::POST,
        &comments,
        Some(json!({ "content": "I did." })),
    )
    .await;
    assert_eq!(
        (bens.status, &bens.data()["author"]["name"]),
        (201, &json!("Ben Ortiz"))
    );
    let all = app.get(&thread).await;
    let texts: Vec<&str> = all.data()["comments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["content"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["Who calls back?", "I do.", "I did."], "oldest first");

    let one = format!("{comments}/{}", bens.data()["id"].as_str().unwrap());
    let change = json!({ "content": "I have." });
    let refused = app.patch(&one, &change).await;
    assert_error(&refused, "NOT_COMMENT_AUTHOR");
    assert_eq!(refused.json["error"]["param"], "comment_id");
    app.office.clock.advance(Millis::SECOND);
    let changed = as_ben(app, reqwest::Method::PATCH, &one, Some(change)).await;
    let of = |name: &str| changed.data()[name].clone();
    assert_eq!((changed.status, of("content")), (200, json!("I have.")));
    assert_ne!(of("created_at"), of("updated_at"));

    // A comment is looked for in its own thread.
    let other = begin(app, "TEXT_MESSAGE", world.message, "Another.").await;
    let elsewhere = format!("{}/comments/{}", path_of(&other), world.said.comment);
    let reply = app.patch(&elsewhere, &json!({ "content": "x" })).await;
    assert_error(&reply, "THREAD_COMMENT_NOT_FOUND");
    assert_eq!(reply.json["error"]["param"], "comment_id");
    let nowhere = app
        .post(
            &format!("{ALL}/thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD/comments"),
            &json!({ "content": "x" }),
        )
        .await;
    assert_error(&nowhere, "THREAD_NOT_FOUND");
    assert_eq!(nowhere.json["error"]["param"], "thread_id");
}

async fn resolving_does_not_lock(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let thread = format!("{ALL}/{}", world.said.thread);
    let step = async |name: &str| {
        app.send(reqwest::Method::POST, &format!("{thread}/{name}"), None)
            .await
    };
    app.office.clock.advance(Millis::MINUTE);
    let resolved = as_ben(app, reqwest::Method::POST, &format!("{thread}/resolve"), None).await;
    let of = |reply: &Reply, name: &str| reply.data()[name].clone();
    assert_eq!(
        (
            of(&resolved, "resolved"),
            of(&resolved, "resolved_at"),
            of(&resolved, "resolved_by")["name"].clone()
        ),
        (json!(true), json!("2026-04-20T10:01:00.000Z"), json!("Ben Ortiz"))
    );
    app.office.clock.advance(Millis::MINUTE);
    assert_eq!(
        step("resolve").await.json,
        resolved.json,
        "who was first has resolved it"
    );
    assert_eq!(
        app.post(&format!("{thread}/comments"), &json!({ "content": "By the way" }))
            .await
            .status,
        201
    );
    let still = app.get(&thread).await;
    assert_eq!(
        (
            of(&still, "resolved"),
            still.data()["comments"].as_array().unwrap().len()
        ),
        (json!(true), 3)
    );
    for _ in 0..2 {
        let open = step("unresolve").await;
        assert_eq!(
            (
                of(&open, "resolved"),
                of(&open, "resolved_at"),
                of(&open, "resolved_by")
            ),
            (json!(false), Value::Null, Value::Null)
        );
    }
    assert_eq!(of(&step("resolve").await, "resolved_by")["name"], "Ada Park");
    let nowhere = app
        .send(reqwest::Method::POST, &format!("{ALL}/thr-1/resolve"), None)
        .await;
    assert_error(&nowhere, "THREAD_NOT_FOUND");
}

async fn every_step_is_told_of(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), nobody(), "Hello").await;
    let before = app.office.last_event().await;
    let made = begin(&app, "TEXT_MESSAGE", text, "Who is it?").await;
    let (path, first) = (
        path_of(&made),
        made.data()["comments"][0]["id"].as_str().unwrap().to_owned(),
    );
    app.post(&format!("{path}/comments"), &json!({ "content": "Nobody." }))
        .await;
    for content in ["Who is that?", "Who is that?"] {
        app.patch(
            &format!("{path}/comments/{first}"),
            &json!({ "content": content }),
        )
        .await;
    }
    for step in ["resolve", "resolve", "unresolve", "resolve"] {
        app.send(reqwest::Method::POST, &format!("{path}/{step}"), None)
            .await;
    }
    let events = app.office.events_after(before).await;
    let topics: Vec<&str> = events.iter().map(|event| event.topic.as_str()).collect();
    let expected = [
        "thread.created",
        "thread.comment.created",
        "thread.comment.created",
        "thread.comment.updated",
        "thread.resolved",
        "thread.resolved",
    ];
    assert_eq!(topics, expected);
    assert!(
        events.iter().all(|event| event.item == Some(1)),
        "they are about the text"
    );
    let payload = |place: usize| serde_json::from_str::<Value>(&events[place].payload).unwrap();
    let thread = json!({
        "id": made.data()["id"], "entity_type": "TEXT_MESSAGE", "entity_id": text,
        "created_at": "2026-04-20T10:00:00.000Z", "resolved_at": null, "user_id": app.office.ada,
        "user_email": "ada@fogcity.example",
    });
    assert_eq!(payload(0), thread);
    let comment = json!({
        "id": first, "thread_id": made.data()["id"], "entity_type": "TEXT_MESSAGE", "entity_id": text,
        "content": "Who is that?", "mentions": [], "created_at": "2026-04-20T10:00:00.000Z",
        "updated_at": "2026-04-20T10:00:00.000Z", "user_id": app.office.ada, "user_email": "ada@fogcity.example",
    });
    assert_eq!(payload(3), comment);
    let mut expected = thread;
    expected["resolved_at"] = json!("2026-04-20T10:00:00.000Z");
    assert_eq!(payload(4), expected);
}

async fn a_comment_has_limits(db: TestDb) {
    let world = World::open(db).await;
    let comments = format!("{ALL}/{}/comments", world.said.thread);
    let own = format!("{comments}/{}", world.said.comment);
    for (content, code) in [
        (json!("x".repeat(4_001)), "NOTE_CONTENT_TOO_LONG"),
        (json!("@[all](all)".repeat(16)), "TOO_MANY_MENTIONS"),
        (json!("  "), "EMPTY_NOTE_CONTENT"),
    ] {
        let body = json!({ "content": content });
        for reply in [
            world.app.post(&comments, &body).await,
            world.app.patch(&own, &body).await,
        ] {
            assert_error(&reply, code);
            assert_eq!(reply.json["error"]["param"], "content");
        }
        // A thread whose first comment is refused does not come to be.
        assert_error(
            &begin(
                &world.app,
                "TEXT_MESSAGE",
                world.message,
                content.as_str().unwrap(),
            )
            .await,
            code,
        );
    }
    let missing = format!("{ALL}?entity_type=TEXT_MESSAGE&entity_id={}", world.message);
    assert_error(&world.app.get(&missing).await, "THREAD_NOT_FOUND");
}

async fn a_thread_outlives_its_note(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let made = begin(app, "CONVERSATION_NOTE", world.said.note, "Is that so?").await;
    assert_eq!(
        app.delete(&format!("/v2/api/conversations/notes/{}", world.said.note))
            .await
            .status,
        204
    );
    assert_eq!(app.get(&path_of(&made)).await.json, made.json);
    let found = app
        .get(&format!(
            "{ALL}?entity_type=CONVERSATION_NOTE&entity_id={}",
            world.said.note
        ))
        .await;
    assert_eq!(found.json, made.json);
}

async fn threads_begun_at_once_are_one(db: TestDb) {
    let app = std::sync::Arc::new(searchable(db).await);
    let call = missed_call(&app, us(), nobody()).await;
    let tasks: Vec<_> = (0..8)
        .map(|i| {
            let app = app.clone();
            tokio::spawn(async move { begin(&app, "CALL", call, &format!("Number {i}")).await })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let reply = task.await.unwrap();
        if reply.status == 201 {
            made += 1;
        } else {
            assert_error(&reply, "THREAD_ALREADY_EXISTS");
        }
    }
    assert_eq!(made, 1);
}
