//! People over HTTP: made, read, changed, archived, with the properties that a team gives them.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use trunkline_domain::events::Topic;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, number, sarah, us};

use crate::support::{
    World, assert_error, blamed, events_of, ignored, keys, missed_call, searchable, text_in,
};

trunkline_testkit::on_both! {
    a_person_is_made_and_read,
    numbers_belong_to_one_person_unless_told_otherwise,
    nothing_null_and_a_value_are_three_things,
    what_is_too_much_is_refused_with_its_limit,
    faulty_people_are_refused,
    interactions_are_counted_as_they_happen,
    many_at_once_are_counted_right,
    a_new_name_or_number_shows_at_once,
    an_archived_person_is_put_away_and_comes_back,
    properties_are_fields_of_people_and_events,
    properties_have_types_and_bounds,
    every_change_is_told_once,
    two_people_become_one,
    what_cannot_be_merged,
}

pub const PEOPLE: &str = "/v2/api/crm/people";

pub async fn person(app: &TestApp, body: Value) -> Value {
    app.post(PEOPLE, &body).await.data().clone()
}

fn path(person: &Value) -> String {
    format!("{PEOPLE}/{}", person["id"].as_str().unwrap())
}

async fn change(app: &TestApp, person: &Value, body: Value) -> Reply {
    app.put(&path(person), &body).await
}

async fn a_person_is_made_and_read(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let full = json!({
        "name": "  Nora ", "last_name": "Lindqvist", "job_title": "Buyer", "website": "https://nora.example",
        "address": "1 Main St", "numbers": ["+16285550199", "+46701234567", "+16285550199"],
        "emails": ["Nora@Nora.example", "n@nora.example"], "company_id": app.office.bakery,
    });
    let reply = app.post(PEOPLE, &full).await;
    assert_eq!(reply.status, 200, "as the description has it: {}", reply.text);
    let made = reply.data();
    let expected = json!({
        "id": made["id"], "name": "Nora", "last_name": "Lindqvist", "job_title": "Buyer",
        "website": "https://nora.example", "address": "1 Main St", "numbers": ["+16285550199", "+46701234567"],
        "emails": ["nora@nora.example", "n@nora.example"],
        "company": { "id": app.office.bakery, "name": "Johnson Bakery" }, "interactions": 0,
        "last_activity_at": null, "created_at": "2026-04-20T10:00:00.000Z", "updated_at": "2026-04-20T10:00:00.000Z",
    });
    assert_eq!(*made, expected);
    assert!(made["id"].as_str().unwrap().starts_with("per-"));
    assert_eq!(*app.get(&path(made)).await.data(), expected);
    // One record, whichever name its id goes by.
    for prefix in ["cnt-", "con_", "per_"] {
        let other = made["id"].as_str().unwrap().replace("per-", prefix);
        assert_eq!(*app.get(&format!("{PEOPLE}/{other}")).await.data(), expected);
    }
    let least = person(
        app,
        json!({ "numbers": ["+16285550198"], "emails": null, "name": null }),
    )
    .await;
    for name in [
        "name",
        "last_name",
        "job_title",
        "website",
        "address",
        "company",
        "last_activity_at",
    ] {
        assert_eq!(least[name], Value::Null, "{name}");
    }
    assert_eq!(least["emails"], json!([]));
    app.office.assert_sound().await;
}

async fn numbers_belong_to_one_person_unless_told_otherwise(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let before = app.office.last_event().await;
    let reply = app
        .post(PEOPLE, &json!({ "numbers": ["+16285550199", sarah()] }))
        .await;
    assert_error(&reply, "NUMBER_ALREADY_ASSIGNED");
    assert_eq!(
        (reply.status, &reply.json["error"]["param"]),
        (409, &json!("numbers"))
    );
    let message = reply.json["error"]["message"].as_str().unwrap();
    let sarahs = format!("per-{}", app.office.sarah.ksuid());
    assert!(
        message.contains(sarah().as_str()) && message.contains(&sarahs),
        "{message}"
    );
    assert_eq!(app.office.last_event().await, before, "nothing was done");
    let twin = person(
        app,
        json!({ "numbers": [sarah()], "name": "Twin", "allow_duplicate_number": true }),
    )
    .await;
    assert_eq!(twin["interactions"], 2, "what the number has had already");
    let other = person(app, json!({ "numbers": ["+16285550199"] })).await;
    let reply = change(app, &other, json!({ "numbers": [marie()] })).await;
    assert_error(&reply, "NUMBER_ALREADY_ASSIGNED");
    let body =
        json!({ "numbers": ["+16285550199", "+16285550197"], "job_title": "Own numbers are no duplicates" });
    assert_eq!(change(app, &other, body).await.status, 200);
    let body = json!({ "numbers": [marie()], "allow_duplicate_number": true });
    assert_eq!(
        change(app, &other, body).await.data()["numbers"],
        json!([marie()])
    );
    assert_eq!(
        change(app, &twin, json!({ "name": "Still a twin" })).await.status,
        200
    );
    app.office.assert_sound().await;
}

async fn nothing_null_and_a_value_are_three_things(db: TestDb) {
    let app = searchable(db).await;
    let full = json!({
        "name": "Nora", "last_name": "Lindqvist", "job_title": "Buyer", "website": "https://nora.example",
        "address": "1 Main St", "numbers": ["+16285550199"], "emails": ["nora@nora.example"],
        "company_id": app.office.bakery, "lead_source": "Fair",
    });
    let made = person(&app, full).await;
    assert_eq!(made["lead_source"], "Fair");
    app.office.clock.advance(1_000);
    let same = change(&app, &made, json!({})).await;
    assert_eq!(
        *same.data(),
        made,
        "nothing sent, nothing changed, the time of the change least of all"
    );
    let mut expected = made.clone();
    for (field, value) in [
        ("name", json!("Norah")),
        ("last_name", json!("L.")),
        ("job_title", json!("CEO")),
        ("website", json!("https://n.example")),
        ("address", json!("2 Main St")),
        ("lead_source", json!("Web")),
        ("emails", json!(["n@n.example"])),
        ("numbers", json!(["+16285550155"])),
    ] {
        app.office.clock.advance(1_000);
        let reply = change(&app, &made, json!({ field: value })).await;
        expected[field] = value;
        expected["updated_at"] = reply.data()["updated_at"].clone();
        assert_eq!(*reply.data(), expected, "{field}");
    }
    for field in [
        "name",
        "last_name",
        "job_title",
        "website",
        "address",
        "emails",
        "numbers",
        "lead_source",
    ] {
        let reply = change(&app, &made, json!({ field: null })).await;
        expected[field] = if ["emails", "numbers"].contains(&field) {
            json!([])
        } else {
            Value::Null
        };
        if field == "lead_source" {
            expected.as_object_mut().unwrap().remove(field);
        }
        expected["updated_at"] = reply.data()["updated_at"].clone();
        assert_eq!(*reply.data(), expected, "{field}");
    }
    let reply = change(&app, &made, json!({ "company_id": null })).await;
    assert_eq!(reply.data()["company"], Value::Null);
    let reply = change(&app, &made, json!({ "name": "  " })).await;
    assert_eq!(reply.data()["name"], Value::Null, "blank is none");
    app.office.assert_sound().await;
}

async fn what_is_too_much_is_refused_with_its_limit(db: TestDb) {
    let app = searchable(db).await;
    let numbers: Vec<String> = (0..21).map(|i| format!("+1628555{i:04}")).collect();
    let emails: Vec<String> = (0..21).map(|i| format!("a{i}@b.example")).collect();
    for (field, value, limit) in [
        ("numbers", json!(numbers), "20"),
        ("emails", json!(emails), "20"),
        ("name", json!("é".repeat(256)), "255"),
        ("last_name", json!("x".repeat(256)), "255"),
        ("job_title", json!("x".repeat(256)), "255"),
        ("website", json!("x".repeat(2_049)), "2048"),
        ("address", json!("x".repeat(1_001)), "1000"),
        ("lead_source", json!("x".repeat(4_001)), "4,000"),
    ] {
        let mut body = json!({ "numbers": ["+16285550199"] });
        body[field] = value;
        let reply = app.post(PEOPLE, &body).await;
        assert_eq!(reply.status, 422, "{field}: {}", reply.text);
        assert!(blamed(&reply).contains(field), "{}", reply.text);
        let message = reply.json["error"]["message"].as_str().unwrap();
        assert!(message.contains(limit), "{field}: {message}");
    }
    let body = json!({ "numbers": &numbers[..20], "emails": &emails[..20], "name": "é".repeat(255) });
    assert_eq!(app.post(PEOPLE, &body).await.status, 200);
}

async fn faulty_people_are_refused(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    for (body, code, param) in [
        (json!({}), "MISSING_PARAMETER", "numbers"),
        (json!({ "numbers": null }), "MISSING_PARAMETER", "numbers"),
        (json!({ "numbers": [] }), "INVALID_PARAMETER", "numbers"),
        (
            json!({ "numbers": ["(415) 555-0188"] }),
            "INVALID_PHONE_FORMAT",
            "numbers",
        ),
        (
            json!({ "numbers": ["+16285550199", ""] }),
            "INVALID_PHONE_FORMAT",
            "numbers",
        ),
        (
            json!({ "numbers": ["+16285550199"], "emails": ["nobody"] }),
            "INVALID_PARAMETER",
            "emails",
        ),
        (
            json!({ "numbers": ["+16285550199"], "company_id": "com-x" }),
            "COMPANY_NOT_FOUND",
            "company_id",
        ),
        (
            json!({ "numbers": ["+16285550199"], "lead_source": 5 }),
            "INVALID_PARAMETER",
            "lead_source",
        ),
    ] {
        let reply = app.post(PEOPLE, &body).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param, "{}", reply.text);
    }
    let several = json!({ "numbers": "x", "name": 5, "emails": {}, "lead_source": [] });
    let reply = app.post(PEOPLE, &several).await;
    let all = ["emails", "lead_source", "name", "numbers"].map(str::to_owned);
    assert_eq!(blamed(&reply).into_iter().collect::<Vec<_>>(), all);
    let reply = app
        .post(PEOPLE, &json!({ "numbers": ["+16285550199"], "nickname": "N" }))
        .await;
    assert_eq!((reply.status, ignored(&reply)), (200, vec!["nickname"]));
    assert_eq!(app.office.last_event().await, before + 1);
}

async fn activity(app: &TestApp, id: impl std::fmt::Display) -> (i64, Value) {
    let reply = app.get(&format!("{PEOPLE}/{id}")).await;
    (
        reply.data()["interactions"].as_i64().unwrap(),
        reply.data()["last_activity_at"].clone(),
    )
}

async fn interactions_are_counted_as_they_happen(db: TestDb) {
    let app = searchable(db).await;
    let (office, id) = (&app.office, app.office.sarah);
    assert_eq!(activity(&app, id).await, (0, Value::Null));
    text_in(&app, us(), sarah(), "One").await;
    missed_call(&app, fr(), sarah()).await;
    assert_eq!(activity(&app, id).await, (2, json!("2026-04-20T10:00:00.000Z")));
    office.clock.advance(60_000);
    text_in(&app, us(), sarah(), "Three").await;
    assert_eq!(activity(&app, id).await, (3, json!("2026-04-20T10:01:00.000Z")));
    let bakery = app.get(&format!("/v2/api/crm/companies/{}", office.bakery)).await;
    let told = [
        ("person_count", json!(1)),
        ("interactions", json!(3)),
        ("last_activity_at", json!("2026-04-20T10:01:00.000Z")),
    ];
    for (field, value) in told {
        assert_eq!(bakery.data()[field], value, "{field}");
    }
    // A second number brings its own history along, and takes it away again.
    text_in(&app, us(), number("+16285550199"), "A stranger").await;
    let both = json!({ "numbers": [sarah(), "+16285550199"] });
    assert_eq!(
        app.put(&format!("{PEOPLE}/{id}"), &both).await.data()["interactions"],
        4
    );
    office.assert_sound().await;
    let other = json!({ "numbers": ["+16285550199"] });
    assert_eq!(
        app.put(&format!("{PEOPLE}/{id}"), &other).await.data()["interactions"],
        1
    );
    office.assert_sound().await;
}

async fn many_at_once_are_counted_right(db: TestDb) {
    let app = Arc::new(searchable(db).await);
    let mut all = JoinSet::new();
    for i in 0..40 {
        let app = app.clone();
        all.spawn(async move {
            let line = if i % 2 == 0 { us() } else { fr() };
            text_in(&app, line, sarah(), &format!("Text {i}")).await;
        });
    }
    for i in 0..10 {
        let app = app.clone();
        all.spawn(async move {
            let body = json!({ "numbers": [sarah(), format!("+1628555010{i}")] });
            let reply = app.put(&format!("{PEOPLE}/{}", app.office.sarah), &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        });
    }
    all.join_all().await;
    assert_eq!(activity(&app, app.office.sarah).await.0, 40);
    app.office.assert_sound().await;
}

async fn contacts_of(app: &TestApp, contact: &str) -> Value {
    let body = json!({ "contact_number": contact });
    let reply = app.post("/v2/api/conversations/items/search", &body).await;
    reply.data()[0]["contacts"].clone()
}

async fn a_new_name_or_number_shows_at_once(db: TestDb) {
    let world = World::open(db).await;
    let (app, id) = (&world.app, world.app.office.sarah);
    let sarahs = json!({ "id": format!("per-{}", id.ksuid()) });
    change(app, &sarahs, json!({ "name": "Sally" })).await;
    assert_eq!(
        contacts_of(app, sarah().as_str()).await[0]["name"],
        "Sally Johnson"
    );
    let company = format!("/v2/api/crm/companies/{}", app.office.bakery);
    assert_eq!(app.put(&company, &json!({ "name": "Sally's" })).await.status, 200);
    assert_eq!(
        contacts_of(app, sarah().as_str()).await[0]["company"]["name"],
        "Sally's"
    );
    text_in(app, us(), number("+16285550199"), "Hello").await;
    assert_eq!(contacts_of(app, "+16285550199").await, json!([]));
    change(app, &sarahs, json!({ "numbers": ["+16285550199"] })).await;
    assert_eq!(contacts_of(app, "+16285550199").await[0]["name"], "Sally Johnson");
    assert_eq!(contacts_of(app, sarah().as_str()).await, json!([]));
    app.office.assert_sound().await;
}

async fn an_archived_person_is_put_away_and_comes_back(db: TestDb) {
    let world = World::open(db).await;
    let (app, id) = (&world.app, world.app.office.sarah);
    let sarahs = json!({ "id": format!("per-{}", id.ksuid()) });
    let found = async || {
        app.post(&format!("{PEOPLE}/search"), &json!({})).await.json["pagination"]["total_count"].clone()
    };
    assert_eq!(found().await, 3);
    let reply = app.delete(&path(&sarahs)).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    assert_eq!(
        app.delete(&path(&sarahs)).await.status,
        204,
        "again changes nothing"
    );
    assert_eq!(events_of(app, Topic::ContactUpdated, 0).await.len(), 1);
    assert_eq!(found().await, 2);
    assert_eq!(contacts_of(app, sarah().as_str()).await, json!([]));
    let away = app.get(&path(&sarahs)).await.data().clone();
    assert_eq!(
        (&away["numbers"], &away["name"]),
        (&json!([sarah()]), &json!("Sarah"))
    );
    assert!(away["archived_at"].is_string());
    let bakery = app
        .get(&format!("/v2/api/crm/companies/{}", app.office.bakery))
        .await;
    assert_eq!(
        (&bakery.data()["person_count"], &bakery.data()["interactions"]),
        (&json!(0), &json!(0))
    );
    app.office.assert_sound().await;
    // Its number is free meanwhile, and then it is not.
    let next = person(app, json!({ "numbers": [sarah()] })).await;
    let reply = change(app, &sarahs, json!({ "archived": false })).await;
    assert_error(&reply, "NUMBER_ALREADY_ASSIGNED");
    assert_eq!(app.delete(&path(&next)).await.status, 204);
    text_in(app, us(), sarah(), "Are you there?").await;
    let back = change(app, &sarahs, json!({ "archived": false })).await;
    assert_eq!(
        (&back.data()["interactions"], back.data().get("archived_at")),
        (&json!(3), None)
    );
    assert_eq!(
        contacts_of(app, sarah().as_str()).await[0]["name"],
        "Sarah Johnson"
    );
    assert_eq!(found().await, 3);
    app.office.assert_sound().await;
}

async fn properties_are_fields_of_people_and_events(db: TestDb) {
    let app = searchable(db).await;
    let all = "/v2/api/crm/properties";
    for (key, kind) in [("size", "NUMBER"), ("since", "DATE"), ("vip", "BOOLEAN")] {
        let body = json!({ "key": key, "name": format!("The {key}"), "type": kind });
        let reply = app.post(all, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(keys(reply.data()), ["created_at", "key", "name", "type"]);
    }
    let listed = app.get(all).await;
    let names: Vec<&Value> = listed
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["key"])
        .collect();
    assert_eq!(names, ["lead_source", "since", "size", "vip"]);
    let body = json!({
        "numbers": ["+16285550199"], "size": 12.5, "since": "2024-02-29", "vip": false, "lead_source": "Web",
    });
    let made = person(&app, body).await;
    let told = events_of(&app, Topic::ContactCreated, 0).await.pop().unwrap();
    let told: Value = serde_json::from_str(&told.payload).unwrap();
    missed_call(&app, us(), number("+16285550199")).await;
    let rang = events_of(&app, Topic::CallReceived, 0).await.pop().unwrap();
    let rang: Value = serde_json::from_str(&rang.payload).unwrap();
    for (key, value) in [
        ("size", json!(12.5)),
        ("since", json!("2024-02-29")),
        ("vip", json!(false)),
        ("lead_source", json!("Web")),
    ] {
        assert_eq!(
            (&made[key], &told[key], &rang["person"][key]),
            (&value, &value, &value),
            "{key}"
        );
    }
    let reply = app
        .put(&format!("{all}/size"), &json!({ "name": "Head count" }))
        .await;
    assert_eq!(
        (&reply.data()["name"], &reply.data()["type"]),
        (&json!("Head count"), &json!("NUMBER"))
    );
    // What is no longer defined is no longer shown, with whatever type it comes back.
    assert_eq!(app.delete(&format!("{all}/size")).await.status, 204);
    assert_eq!(app.get(&path(&made)).await.data().get("size"), None);
    assert_eq!(
        app.post(all, &json!({ "key": "size", "name": "Size", "type": "TEXT" }))
            .await
            .status,
        201
    );
    assert_eq!(app.get(&path(&made)).await.data().get("size"), None);
    assert_error(
        &app.put(&format!("{all}/gone"), &json!({ "name": "x" })).await,
        "PROPERTY_NOT_FOUND",
    );
}

async fn properties_have_types_and_bounds(db: TestDb) {
    let app = searchable(db).await;
    let all = "/v2/api/crm/properties";
    let define = async |key: &str, kind: &str| {
        app.post(all, &json!({ "key": key, "name": "X", "type": kind }))
            .await
    };
    for key in ["Lead Source", "", "numbers", "lead_source", "archived_at", "été"] {
        let reply = define(key, "TEXT").await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert_eq!(reply.json["error"]["param"], "key", "{key}");
    }
    for (kind, most) in [("TEXT", 150), ("NUMBER", 50), ("DATE", 30), ("BOOLEAN", 30)] {
        // The office has a text already.
        let first = usize::from(kind == "TEXT");
        for i in first..most {
            assert_eq!(
                define(&format!("{}_{i}", kind.to_lowercase()), kind).await.status,
                201
            );
        }
        let reply = define("one_more", kind).await;
        assert_error(&reply, "TEAM_LIMIT_REACHED");
        assert!(
            reply.json["error"]["message"]
                .as_str()
                .unwrap()
                .contains(&most.to_string()),
            "{}",
            reply.text
        );
    }
    for (key, wrong) in [
        ("number_1", json!("3")),
        ("date_1", json!("yesterday")),
        ("date_1", json!("2026-02-30")),
        ("date_1", json!(20_260_420)),
        ("boolean_1", json!("true")),
        ("text_1", json!({})),
    ] {
        let reply = app
            .post(PEOPLE, &json!({ "numbers": ["+16285550199"], key: wrong }))
            .await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert_eq!(reply.json["error"]["param"], key);
    }
}

async fn every_change_is_told_once(db: TestDb) {
    let app = searchable(db).await;
    let made = person(
        &app,
        json!({ "numbers": ["+16285550199"], "name": "Nora", "lead_source": "Web" }),
    )
    .await;
    change(&app, &made, json!({ "name": "Nora" })).await;
    change(
        &app,
        &made,
        json!({ "emails": ["n@n.example"], "company_id": app.office.bakery }),
    )
    .await;
    let told = events_of(&app, Topic::ContactUpdated, 0).await;
    assert_eq!(told.len(), 1, "what changes nothing is not told");
    let told: Value = serde_json::from_str(&told[0].payload).unwrap();
    let id = made["id"].as_str().unwrap().replace("per-", "cnt-");
    let expected = json!({
        "id": id, "name": "Nora", "last_name": null, "company": "Johnson Bakery", "emails": ["n@n.example"],
        "numbers": ["+16285550199"], "lead_source": "Web",
    });
    assert_eq!(told, expected);
}

async fn merge(app: &TestApp, person: &Value, other: &Value) -> Reply {
    app.post(&format!("{}/merge", path(person)), &json!({ "person_id": other }))
        .await
}

async fn two_people_become_one(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let sarahs = json!({ "id": format!("per-{}", app.office.sarah.ksuid()) });
    let other = json!({
        "name": "Sally", "address": "1 Main St", "numbers": ["+16285550199", sarah()], "emails": ["sally@bakery.example"],
        "lead_source": "Web", "allow_duplicate_number": true,
    });
    let other = person(app, other).await;
    text_in(app, us(), number("+16285550199"), "It is me, Sarah").await;
    let note = json!({ "content": "Prefers mornings." });
    let written = app.post(&format!("{}/notes", path(&other)), &note).await;
    assert!(written.status < 300, "{}", written.text);
    let before = app.office.last_event().await;
    let reply = merge(app, &sarahs, &other["id"]).await;
    let one = reply.data();
    for (field, value) in [
        ("id", sarahs["id"].clone()),
        ("name", json!("Sarah")),
        ("address", json!("1 Main St")),
        ("numbers", json!([sarah(), "+16285550199"])),
        (
            "emails",
            json!([
                "sarah@bakery.example",
                "orders@bakery.example",
                "sally@bakery.example"
            ]),
        ),
        ("lead_source", json!("Fair")),
        ("interactions", json!(3)),
    ] {
        assert_eq!(one[field], value, "{field}");
    }
    let told = app.office.events_after(before).await;
    assert_eq!(
        told.iter().map(|event| event.topic).collect::<Vec<_>>(),
        [Topic::ContactUpdated]
    );
    let contacts = contacts_of(app, "+16285550199").await;
    assert_eq!(contacts.as_array().unwrap().len(), 1);
    assert_eq!(contacts[0]["name"], "Sarah Johnson");
    let notes = app.get(&format!("{}/notes", path(&sarahs))).await;
    assert!(notes.text.contains("Prefers mornings."), "{}", notes.text);
    // The other id leads here, also once more.
    assert_eq!(app.get(&path(&other)).await.data()["id"], sarahs["id"]);
    let changed = change(app, &other, json!({ "job_title": "Baker" })).await;
    assert_eq!(changed.data()["id"], sarahs["id"]);
    let third = person(app, json!({ "numbers": ["+16285550155"] })).await;
    let reply = merge(app, &third, &sarahs["id"]).await;
    assert_eq!(reply.data()["interactions"], 3);
    for id in [&sarahs, &other] {
        assert_eq!(app.get(&path(id)).await.data()["id"], third["id"]);
    }
    app.office.assert_sound().await;
}

async fn what_cannot_be_merged(db: TestDb) {
    let app = searchable(db).await;
    let full = |from: usize| {
        let numbers: Vec<String> = (from..from + 11).map(|i| format!("+1628555{i:04}")).collect();
        json!({ "numbers": numbers })
    };
    let (one, two) = (person(&app, full(0)).await, person(&app, full(100)).await);
    let before = app.office.last_event().await;
    let reply = merge(&app, &one, &two["id"]).await;
    assert_error(&reply, "INVALID_PARAMETER");
    let message = reply.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("22 numbers"), "{message}");
    for (other, code) in [
        (one["id"].clone(), "INVALID_PARAMETER"),
        (json!("per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE"), "PERSON_NOT_FOUND"),
        (json!("x"), "PERSON_NOT_FOUND"),
        (Value::Null, "MISSING_PARAMETER"),
    ] {
        let reply = merge(&app, &one, &other).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], "person_id", "{}", reply.text);
    }
    assert_eq!(app.office.last_event().await, before, "nothing was done");
    app.office.assert_sound().await;
}
