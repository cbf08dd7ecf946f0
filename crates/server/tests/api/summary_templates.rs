//! Summary templates: made, replaced, deleted, chosen for a number; and the several summaries of a call.

use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, Millis, SummaryTemplate};
use trunkline_store::audit;
use trunkline_switchboard::calls::{Leftover, Step};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, nobody, us};

use crate::support::{World, assert_error, ids, missed_call, record, searchable};

trunkline_testkit::on_both! {
    a_template_is_made_read_replaced_and_deleted,
    sections_are_in_their_order,
    a_template_has_limits,
    a_team_has_so_many_templates_and_no_more,
    a_number_has_a_default,
    what_happens_to_templates_is_audited,
    a_call_tells_all_its_summaries,
}

const ALL: &str = "/v2/api/summary_templates";
const DEFAULT: &str = "/v2/api/numbers/%2B14155550100/default_summary_template";

fn one(id: &Value) -> String {
    format!("{ALL}/{}", id.as_str().unwrap())
}

async fn a_template_is_made_read_replaced_and_deleted(db: TestDb) {
    let app = searchable(db).await;
    let body = json!({
        "name": " Sales call ", "call_context": "We sell flour.", "icon": "📞",
        "sections": [
            { "title": "Pain points", "instructions": "What hurts", "order": 0 },
            { "title": "Next steps", "instructions": "Who does what", "order": 1 },
        ],
    });
    let made = app.post(ALL, &body).await;
    let mut expected = body.clone();
    expected["id"] = made.data()["id"].clone();
    expected["name"] = json!("Sales call");
    expected["created_at"] = json!("2026-04-20T10:00:00.000Z");
    expected["updated_at"] = json!("2026-04-20T10:00:00.000Z");
    assert_eq!((made.status, made.data()), (201, &expected));
    assert!(expected["id"].as_str().unwrap().starts_with("tst-"));
    let path = one(&made.data()["id"]);
    assert_eq!(app.get(&path).await.data(), &expected);
    assert_eq!(app.get(ALL).await.json, json!({ "data": [expected] }));

    // What is left out of a PUT is taken away.
    app.office.clock.advance(Millis::MINUTE);
    let put = app.put(&path, &json!({ "name": "Order" })).await;
    let replaced = json!({
        "id": expected["id"], "name": "Order", "call_context": null, "icon": null, "sections": [],
        "created_at": expected["created_at"], "updated_at": "2026-04-20T10:01:00.000Z",
    });
    assert_eq!((put.status, put.data()), (200, &replaced));
    assert_eq!(app.get(&path).await.data(), &replaced);

    let gone = app.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(app.get(ALL).await.data(), &json!([]));
    for reply in [
        app.get(&path).await,
        app.delete(&path).await,
        app.put(&path, &json!({ "name": "x" })).await,
    ] {
        assert_error(&reply, "SUMMARY_TEMPLATE_NOT_FOUND");
        assert_eq!(reply.json["error"]["param"], "id");
    }
    // It is still there for the summaries that were made by it.
    let kept = "SELECT COUNT(*) FROM summary_templates WHERE deleted_at IS NOT NULL";
    let count: Result<_, trunkline_store::StoreError> = app
        .board
        .db()
        .read(move |conn| conn.row(kept, &[], |row| row.get::<i64>(0)))
        .await;
    assert_eq!(count.unwrap(), Some(1));
}

async fn sections_are_in_their_order(db: TestDb) {
    let app = searchable(db).await;
    let titles = async |sections: Value| {
        let made = app.post(ALL, &json!({ "name": "x", "sections": sections })).await;
        let all = made.data()["sections"].as_array().unwrap().clone();
        for (i, section) in all.iter().enumerate() {
            assert_eq!(section["order"], json!(i));
        }
        all.iter()
            .map(|section| section["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let section = |title: &str, order: Value| json!({ "title": title, "order": order });
    let three = |a, b, c| json!([section("a", a), section("b", b), section("c", c)]);
    assert_eq!(titles(three(json!(2), json!(0), json!(1))).await, ["b", "c", "a"]);
    assert_eq!(
        titles(three(json!(null), json!(null), json!(null))).await,
        ["a", "b", "c"]
    );
    assert_eq!(
        titles(three(json!(7), json!(7), json!(7))).await,
        ["a", "b", "c"],
        "the order of the list decides"
    );
    assert_eq!(
        titles(three(json!(1_000), json!(5), json!(null))).await,
        ["c", "b", "a"]
    );
}

async fn a_template_has_limits(db: TestDb) {
    let app = searchable(db).await;
    let sections = |count: usize| {
        json!(vec![
            json!({ "title": "é".repeat(200), "instructions": "é".repeat(2_000) });
            count
        ])
    };
    let whole = json!({
        "name": "é".repeat(200), "call_context": "é".repeat(4_000), "icon": "👩‍👩‍👧‍👦", "sections": sections(10),
    });
    let made = app.post(ALL, &whole).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = one(&made.data()["id"]);
    for (field, value, code, param) in [
        ("name", json!("é".repeat(201)), "INVALID_LENGTH", "name"),
        ("name", json!("  "), "MISSING_PARAMETER", "name"),
        ("name", json!(null), "MISSING_PARAMETER", "name"),
        (
            "call_context",
            json!("é".repeat(4_001)),
            "INVALID_LENGTH",
            "call_context",
        ),
        ("icon", json!("x".repeat(21)), "INVALID_LENGTH", "icon"),
        ("sections", sections(11), "INVALID_PARAMETER", "sections"),
        (
            "sections",
            json!([{ "title": " " }]),
            "MISSING_PARAMETER",
            "sections[0].title",
        ),
        (
            "sections",
            json!([{ "title": "é".repeat(201) }]),
            "INVALID_LENGTH",
            "sections[0].title",
        ),
        (
            "sections",
            json!([{ "title": "x", "instructions": "é".repeat(2_001) }]),
            "INVALID_LENGTH",
            "sections[0].instructions",
        ),
        (
            "sections",
            json!([{ "title": "x", "order": -1 }]),
            "INVALID_PARAMETER",
            "sections[0].order",
        ),
    ] {
        let mut body = whole.clone();
        body[field] = value;
        for reply in [app.post(ALL, &body).await, app.put(&path, &body).await] {
            assert_error(&reply, code);
            assert_eq!(reply.json["error"]["param"], param);
        }
    }
    assert_eq!(
        app.get(&path).await.data(),
        made.data(),
        "what was refused changed nothing"
    );
}

async fn a_team_has_so_many_templates_and_no_more(db: TestDb) {
    let app = searchable(db).await;
    for i in 0..100 {
        assert_eq!(
            app.post(ALL, &json!({ "name": format!("Number {i}") }))
                .await
                .status,
            201
        );
    }
    let refused = app.post(ALL, &json!({ "name": "One more" })).await;
    assert_error(&refused, "TEAM_LIMIT_REACHED");
    let all = app.get(ALL).await;
    assert_eq!(ids(&all).len(), 100);
    app.delete(&one(&all.data()[0]["id"])).await;
    assert_eq!(app.post(ALL, &json!({ "name": "One more" })).await.status, 201);
}

/// By which template the calls of the American line are summed up.
async fn default(app: &TestApp) -> Option<String> {
    let (team, line) = (app.office.team, app.office.us_line);
    let read = app
        .board
        .db()
        .read(move |conn| trunkline_store::templates::default_of(conn, team, line));
    let found: Result<_, trunkline_store::StoreError> = read.await;
    found.unwrap().map(|id| id.to_string())
}

async fn a_number_has_a_default(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let id = world.template.to_string();
    let set = app.put(DEFAULT, &json!({ "summary_template_id": id })).await;
    let expected = json!({ "data": { "number": "+14155550100", "default_summary_template_id": id } });
    assert_eq!((set.status, &set.json), (200, &expected));
    assert_eq!(default(app).await, Some(id.clone()));
    for (clear, body) in [
        ("null", Some(json!({ "summary_template_id": null }))),
        ("{}", Some(json!({}))),
        ("", None),
    ] {
        app.put(DEFAULT, &json!({ "summary_template_id": id })).await;
        let cleared = app.send(reqwest::Method::PUT, DEFAULT, body.as_ref()).await;
        let expected = json!({ "data": { "number": "+14155550100", "default_summary_template_id": null } });
        assert_eq!((cleared.status, &cleared.json), (200, &expected), "{clear}");
        assert_eq!(default(app).await, None, "{clear}");
    }
    for (path, template, code, param) in [
        (
            DEFAULT,
            "tst-1",
            "SUMMARY_TEMPLATE_NOT_FOUND",
            "summary_template_id",
        ),
        (
            DEFAULT,
            "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
            "SUMMARY_TEMPLATE_NOT_FOUND",
            "summary_template_id",
        ),
        (
            "/v2/api/numbers/%2B14155550177/default_summary_template",
            &id,
            "PHONE_NUMBER_NOT_FOUND",
            "number",
        ),
        (
            "/v2/api/numbers/14155550100/default_summary_template",
            &id,
            "INVALID_PHONE_FORMAT",
            "number",
        ),
    ] {
        let reply = app.put(path, &json!({ "summary_template_id": template })).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param);
    }
    // A template that is deleted is no number's default any more.
    app.put(DEFAULT, &json!({ "summary_template_id": id })).await;
    app.delete(&format!("{ALL}/{id}")).await;
    assert_eq!(default(app).await, None);
    assert_error(
        &app.put(DEFAULT, &json!({ "summary_template_id": id })).await,
        "SUMMARY_TEMPLATE_NOT_FOUND",
    );
}

async fn what_happens_to_templates_is_audited(db: TestDb) {
    let app = searchable(db).await;
    app.office.clock.advance(Millis::SECOND);
    let made = app.post(ALL, &json!({ "name": "Order" })).await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        app.office.clock.advance(Millis::SECOND);
        app.put(DEFAULT, &json!({ "summary_template_id": id })).await;
    }
    app.office.clock.advance(Millis::SECOND);
    app.delete(&one(&made.data()["id"])).await;
    let team = app.office.team;
    let read: Result<_, trunkline_store::StoreError> =
        app.board.db().read(move |conn| audit::list(conn, team, 3)).await;
    let mut all = read.unwrap();
    all.reverse();
    let told: Vec<(&str, &str)> = all
        .iter()
        .map(|entry| (entry.action.as_str(), entry.actor.as_str()))
        .collect();
    let ada = app.office.ada.to_string();
    let expected = [
        "summary_template.created",
        "number.summary_template",
        "summary_template.deleted",
    ];
    assert_eq!(
        told,
        expected.map(|action| (action, ada.as_str())),
        "what changed nothing is not told"
    );
    assert_eq!(all[0].subject, id);
    assert_eq!(all[1].detail, Some(format!("{id:?}")));
}

async fn a_call_tells_all_its_summaries(db: TestDb) {
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
    let path = format!("/v2/api/conversations/items/{call}");
    app.office.clock.advance(Millis::MINUTE);
    let body = json!({ "content": "Shorter.", "template_key": "MARKDOWN_SHORT_CALL" });
    app.patch(&format!("{path}/summary"), &body).await;
    let ada = json!({ "id": app.office.ada, "name": "Ada Park" });
    let expected = json!({ "data": [
        {
            "template_key": "MARKDOWN_CLASSIC", "content": "Full.", "version": 1,
            "updated_at": "2026-04-20T10:00:00.000Z", "updated_by": null,
        },
        {
            "template_key": "MARKDOWN_SHORT_CALL", "content": "Shorter.", "version": 2,
            "updated_at": "2026-04-20T10:01:00.000Z", "updated_by": ada,
        },
    ] });
    assert_eq!(app.get(&format!("{path}/summaries")).await.json, expected);
    let silent = missed_call(&app, us(), nobody()).await;
    let path = format!("/v2/api/conversations/items/{silent}/summaries");
    assert_eq!(app.get(&path).await.json, json!({ "data": [] }));
    let nowhere = "/v2/api/conversations/items/cll-1/summaries";
    assert_error(&app.get(nowhere).await, "CALL_NOT_FOUND");
}
