//! Summaries of calls, edited by people.

use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::events::Topic;
use trunkline_domain::{CallId, Direction, SummaryTemplate};
use trunkline_switchboard::calls::{Leftover, Step};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, us};

use crate::support::{World, assert_error, events_of, missed_call, record, searchable};

trunkline_testkit::on_both! {
    every_edit_is_a_version,
    a_call_without_a_summary_gets_one,
    a_call_with_several_needs_to_know_which,
    what_cannot_be_summed_up,
    the_text_may_be_long,
}

async fn edit(app: &TestApp, call: impl std::fmt::Display, body: &Value) -> Reply {
    app.patch(&format!("/v2/api/conversations/items/{call}/summary"), body)
        .await
}

async fn shown(app: &TestApp, call: CallId) -> Value {
    app.get(&format!("/v2/api/conversations/items/{call}"))
        .await
        .data()["summary"]
        .clone()
}

async fn every_edit_is_a_version(db: TestDb) {
    let world = World::open(db).await;
    let (app, call) = (&world.app, world.call);
    for (version, content) in [
        (2, "# Summary\n\nAsked about the Pro plan."),
        (3, "Shorter."),
        (4, "Shorter."),
        (5, ""),
    ] {
        app.office.clock.advance(60_000);
        let before = app.office.last_event().await;
        let reply = edit(app, call, &json!({ "content": content })).await;
        let expected = json!({ "data": {
            "id": call,
            "content": content,
            "version": version,
            "updated_at": app.board.now(),
            "updated_by": { "id": app.office.ada, "name": "Ada Park" },
        } });
        assert_eq!((reply.status, &reply.json), (200, &expected));
        assert_eq!(shown(app, call).await, content);
        let told = events_of(app, Topic::SummaryUpdated, before).await;
        let payload: Value = serde_json::from_str(&told[0].payload).unwrap();
        let expected = json!({
            "id": call, "summary": content, "template_key": "MARKDOWN_CLASSIC", "version": version,
            "user_email": "ada@fogcity.example",
        });
        assert_eq!((told.len(), payload), (1, expected));
    }
    let named = edit(
        app,
        call,
        &json!({ "content": "By name.", "template_key": "MARKDOWN_CLASSIC" }),
    )
    .await;
    assert_eq!(named.data()["version"], 6);
    let other = edit(
        app,
        call,
        &json!({ "content": "x", "template_key": "MARKDOWN_SHORT_CALL" }),
    )
    .await;
    assert_error(&other, "SUMMARY_TEMPLATE_NOT_FOUND");
    assert_eq!(other.json["error"]["param"], "template_key");
    assert_eq!(shown(app, call).await, "By name.");
}

async fn a_call_without_a_summary_gets_one(db: TestDb) {
    let app = searchable(db).await;
    for (template, key) in [
        (None, "MARKDOWN_CLASSIC"),
        (Some("MARKDOWN_CLASSIC"), "MARKDOWN_CLASSIC"),
        (Some("MARKDOWN_SHORT_CALL"), "MARKDOWN_SHORT_CALL"),
    ] {
        let call = missed_call(&app, us(), nobody()).await;
        assert_eq!(shown(&app, call).await, Value::Null);
        let mut body = json!({ "content": "Called about nothing." });
        body["template_key"] = json!(template);
        let before = app.office.last_event().await;
        assert_eq!(edit(&app, call, &body).await.data()["version"], 1, "{template:?}");
        assert_eq!(shown(&app, call).await, "Called about nothing.", "{template:?}");
        let told = events_of(&app, Topic::SummaryUpdated, before).await;
        assert!(told[0].payload.contains(key), "{}", told[0].payload);
    }
}

async fn a_call_with_several_needs_to_know_which(db: TestDb) {
    let app = searchable(db).await;
    let at = app.board.now();
    let summary = |template, text: &str| Step::Leave(Leftover::Summary(template, text.to_owned()));
    let steps = vec![
        Step::Answer(None, at),
        summary(SummaryTemplate::Classic, "Full."),
        summary(SummaryTemplate::ShortCall, "Short."),
        Step::End(EndCause::HungUp, None, at.plus(9_000)),
    ];
    let call = record(&app, Direction::Inbound, us(), nobody(), at, steps).await;
    let reply = edit(&app, call, &json!({ "content": "Which?" })).await;
    assert_error(&reply, "SUMMARY_TEMPLATE_KEY_REQUIRED");
    assert_eq!(reply.json["error"]["param"], "template_key");
    assert_eq!(shown(&app, call).await, "Full.");
    let short = edit(
        &app,
        call,
        &json!({ "content": "Shorter.", "template_key": "MARKDOWN_SHORT_CALL" }),
    )
    .await;
    assert_eq!(
        (&short.data()["version"], &short.data()["content"]),
        (&json!(2), &json!("Shorter."))
    );
    assert_eq!(
        shown(&app, call).await,
        "Shorter.",
        "what a person wrote last is shown"
    );
    let full = edit(
        &app,
        call,
        &json!({ "content": "Fuller.", "template_key": "MARKDOWN_CLASSIC" }),
    )
    .await;
    assert_eq!(full.data()["version"], 2, "each has versions of its own");
    assert_eq!(shown(&app, call).await, "Fuller.");
}

async fn what_cannot_be_summed_up(db: TestDb) {
    let world = World::open(db).await;
    let before = world.app.office.last_event().await;
    for (id, code) in [
        (world.message.to_string(), "INVALID_ITEM_ID"),
        ("msg-1".to_owned(), "INVALID_ITEM_ID"),
        ("com-1".to_owned(), "INVALID_ITEM_ID"),
        ("cll-abc123".to_owned(), "CALL_NOT_FOUND"),
        ("cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD".to_owned(), "CALL_NOT_FOUND"),
    ] {
        assert_error(&edit(&world.app, &id, &json!({ "content": "x" })).await, code);
    }
    assert_eq!(world.app.office.last_event().await, before);
}

async fn the_text_may_be_long(db: TestDb) {
    let world = World::open(db).await;
    // Characters count, not bytes.
    let long = "é".repeat(100_000);
    assert_eq!(
        edit(&world.app, world.call, &json!({ "content": long }))
            .await
            .data()["content"],
        long
    );
    let reply = edit(&world.app, world.call, &json!({ "content": format!("{long}x") })).await;
    assert_error(&reply, "INVALID_LENGTH");
    assert_eq!(reply.json["error"]["param"], "content");
}
