//! Tags: the team's, and those put on calls and taken off.

use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{CallId, ScopeSet};
use trunkline_switchboard::tags::{self as commands, MAX_TAGS_PER_TEAM};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, us};

use crate::people::key_of;
use crate::support::{
    World, assert_error, authorization, command, events_of, ignored, keys, missed_call, searchable, set_team,
};

trunkline_testkit::on_both! {
    tags_are_added_and_removed,
    keys_are_slugs,
    all_or_none,
    what_cannot_be_tagged,
    a_team_may_keep_its_tags_to_itself,
    a_call_has_so_many_tags_and_no_more,
    the_teams_tags_are_listed,
    a_tag_is_defined_and_changed,
    a_key_like_an_id_hides_no_tag,
    of_two_tags_of_a_key_one_is_made,
    a_deleted_tag_stays_on_its_calls,
    faulty_tags_are_refused,
    a_team_has_so_many_tags_and_no_more,
    managers_define_tags,
}

const TAGS: &str = "/v2/api/tags";

async fn add(app: &TestApp, call: impl std::fmt::Display, tags: Value) -> Reply {
    app.post(
        &format!("/v2/api/conversations/items/{call}/tags"),
        &json!({ "tags": tags }),
    )
    .await
}

async fn remove(app: &TestApp, call: impl std::fmt::Display, tag: &str) -> Reply {
    app.delete(&format!("/v2/api/conversations/items/{call}/tags/{tag}"))
        .await
}

async fn on_call(app: &TestApp, call: CallId) -> Value {
    app.get(&format!("/v2/api/conversations/items/{call}"))
        .await
        .data()["tags"]
        .clone()
}

async fn tags_are_added_and_removed(db: TestDb) {
    let world = World::open(db).await;
    let (app, call, before) = (&world.app, world.call, world.app.office.last_event().await);
    let reply = add(app, call, json!(["qualified", "billing"])).await;
    let now = json!({ "data": { "id": call, "tags": ["vip", "qualified", "billing"] } });
    assert_eq!(
        (reply.status, &reply.json),
        (200, &now),
        "in the order they were added"
    );
    assert_eq!(on_call(app, call).await, now["data"]["tags"]);
    let reply = remove(app, call, "qualified").await;
    let now = json!({ "data": { "id": call, "tags": ["vip", "billing"] } });
    assert_eq!((reply.status, &reply.json), (200, &now));
    assert_eq!(on_call(app, call).await, now["data"]["tags"]);
    let told = app.office.events_after(before).await;
    let told: Vec<(Topic, Value)> = told
        .iter()
        .map(|event| (event.topic, serde_json::from_str(&event.payload).unwrap()))
        .collect();
    let change = |topic, key: &str, name: &str| {
        let payload = json!({
            "call_id": call, "id": call, "tag_key": key, "tag_name": name, "user_email": "ada@fogcity.example",
        });
        (topic, payload)
    };
    let expected = [
        change(Topic::TagAdded, "qualified", "Qualified"),
        change(Topic::TagAdded, "billing", "Billing"),
        change(Topic::TagRemoved, "qualified", "Qualified"),
    ];
    assert_eq!(told, expected);
    assert_error(&remove(app, call, "qualified").await, "TAG_NOT_FOUND");
    assert_error(&remove(app, call, "never_heard_of").await, "TAG_NOT_FOUND");
    assert_eq!(app.office.last_event().await, before + 3);
    app.office.assert_sound().await;
}

async fn keys_are_slugs(db: TestDb) {
    let world = World::open(db).await;
    let reply = add(
        &world.app,
        world.call,
        json!(["Follow Up", "follow_up", "Été 2026", "meeting-booked"]),
    )
    .await;
    let now = json!(["vip", "follow_up", "ete_2026", "meeting-booked"]);
    assert_eq!(reply.data()["tags"], now, "the same key twice is one tag");
    for again in ["FOLLOW up", "été-2026", "vip"] {
        let reply = add(&world.app, world.call, json!([again])).await;
        let known = if again == "été-2026" {
            ""
        } else {
            "TAG_ALREADY_EXISTS"
        };
        assert_eq!(reply.code(), known, "{again}: {}", reply.text);
    }
    for (tag, left) in [("Follow%20Up", 4), ("%C3%89t%C3%A9%202026", 3)] {
        assert_eq!(
            remove(&world.app, world.call, tag).await.data()["tags"]
                .as_array()
                .unwrap()
                .len(),
            left,
            "{tag}"
        );
    }
    for wrong in ["", " ", "!!", "___", &"x".repeat(65)] {
        let reply = add(&world.app, world.call, json!(["fine", wrong])).await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert_eq!(reply.json["error"]["param"], "tags", "{wrong:?}");
    }
    assert!(
        !on_call(&world.app, world.call)
            .await
            .as_array()
            .unwrap()
            .contains(&json!("fine"))
    );
    assert_eq!(
        add(&world.app, world.call, json!(["x".repeat(64)])).await.status,
        200
    );
}

async fn all_or_none(db: TestDb) {
    let world = World::open(db).await;
    let before = world.app.office.last_event().await;
    let reply = add(&world.app, world.call, json!(["one", "vip", "two"])).await;
    assert_error(&reply, "TAG_ALREADY_EXISTS");
    assert_eq!(reply.json["error"]["param"], "tags");
    assert!(
        reply.json["error"]["message"].as_str().unwrap().contains("vip"),
        "{}",
        reply.text
    );
    assert_eq!(on_call(&world.app, world.call).await, json!(["vip"]));
    assert_eq!(world.app.office.last_event().await, before);
    let all = world.app.get("/v2/api/tags").await;
    assert_eq!(all.data().as_array().unwrap().len(), 1, "and no tag came to be");
    for (tags, code) in [
        (json!([]), "TAGS_REQUIRED"),
        (json!(null), "TAGS_REQUIRED"),
        (json!("vip"), "INVALID_PARAMETER"),
    ] {
        assert_error(&add(&world.app, world.call, tags).await, code);
    }
    let too_many: Vec<String> = (0..101).map(|i| format!("t{i}")).collect();
    assert_error(
        &add(&world.app, world.call, json!(too_many)).await,
        "INVALID_PARAMETER",
    );
}

async fn what_cannot_be_tagged(db: TestDb) {
    let world = World::open(db).await;
    let (app, message) = (&world.app, world.message);
    for (id, code) in [
        (message.to_string(), "INVALID_ITEM_ID"),
        ("msg-1".to_owned(), "INVALID_ITEM_ID"),
        ("usr-1".to_owned(), "INVALID_ITEM_ID"),
        ("nonsense".to_owned(), "INVALID_ITEM_ID"),
        ("cll-abc123".to_owned(), "CALL_NOT_FOUND"),
        ("cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD".to_owned(), "CALL_NOT_FOUND"),
    ] {
        assert_error(&add(app, &id, json!(["x"])).await, code);
        assert_error(&remove(app, &id, "vip").await, code);
    }
    // The other spelling of the id is the same call.
    let underscored = world.call.to_string().replace('-', "_");
    assert_eq!(
        add(app, underscored, json!(["x"])).await.data()["id"],
        world.call.to_string()
    );
}

async fn a_team_may_keep_its_tags_to_itself(db: TestDb) {
    let world = World::open(db).await;
    set_team(&world.app, "create_tags", "FALSE").await;
    let call = missed_call(&world.app, us(), nobody()).await;
    assert_eq!(
        add(&world.app, call, json!(["vip"])).await.status,
        200,
        "one that is defined"
    );
    let before = events_of(&world.app, Topic::TagAdded, 0).await.len();
    let other = missed_call(&world.app, us(), nobody()).await;
    let reply = add(&world.app, other, json!(["vip", "brand_new"])).await;
    assert_error(&reply, "TAG_NOT_FOUND");
    assert_eq!(reply.json["error"]["param"], "tags");
    assert_eq!(on_call(&world.app, other).await, json!([]), "all or none");
    assert_eq!(events_of(&world.app, Topic::TagAdded, 0).await.len(), before);
    world.app.office.assert_sound().await;
}

async fn a_call_has_so_many_tags_and_no_more(db: TestDb) {
    let app = searchable(db).await;
    let call = missed_call(&app, us(), nobody()).await;
    let fifty: Vec<String> = (0..50).map(|i| format!("t{i}")).collect();
    assert_eq!(add(&app, call, json!(fifty)).await.data()["tags"], json!(fifty));
    assert_error(&add(&app, call, json!(["one_more"])).await, "INVALID_PARAMETER");
    assert_eq!(remove(&app, call, "t7").await.status, 200);
    assert_eq!(add(&app, call, json!(["one_more"])).await.status, 200);
}

async fn the_teams_tags_are_listed(db: TestDb) {
    let app = searchable(db).await;
    assert_eq!(app.get("/v2/api/tags").await.json, json!({ "data": [] }));
    let call = missed_call(&app, us(), nobody()).await;
    for (i, tag) in ["zebra", "alpha", "Follow Up"].into_iter().enumerate() {
        app.office.clock.advance(1_000 * i as i64);
        assert_eq!(add(&app, call, json!([tag])).await.status, 200);
    }
    let reply = app.get("/v2/api/tags").await;
    let tags = reply.data().as_array().unwrap();
    let told: Vec<(&str, &str)> = tags
        .iter()
        .map(|tag| (tag["name"].as_str().unwrap(), tag["label"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("zebra", "Zebra"), ("alpha", "Alpha"), ("follow_up", "Follow up")],
        "the oldest first"
    );
    for tag in tags {
        assert_eq!(keys(tag), ["color", "id", "label", "name", "prompt"]);
        let color = tag["color"].as_str().unwrap();
        assert!(color.len() == 7 && color.starts_with('#'), "{color}");
        assert!(tag["id"].as_str().unwrap().starts_with("tag-"));
    }
    remove(&app, call, "zebra").await;
    assert_eq!(
        app.get("/v2/api/tags").await.json,
        reply.json,
        "a tag stays when no call has it any more"
    );
}

async fn a_tag_is_defined_and_changed(db: TestDb) {
    let app = searchable(db).await;
    app.office.clock.advance(1);
    let wanted = json!({
        "name": "Follow up!", "label": " Call back ", "color": "#ff8800", "prompt": "The caller wants to be called back",
    });
    let made = app.post(TAGS, &wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let expected = json!({
        "id": made.data()["id"], "name": "follow_up", "label": "Call back", "color": "#FF8800",
        "prompt": "The caller wants to be called back",
    });
    assert_eq!(made.data(), &expected);
    assert_eq!(app.get(TAGS).await.data(), &json!([expected]));
    let id = made.data()["id"].as_str().unwrap();
    for name in ["follow_up", "Follow%20Up", id] {
        assert_eq!(
            app.get(&format!("{TAGS}/{name}")).await.data(),
            &expected,
            "{name}"
        );
    }
    let entry = app.get("/v2/api/audit?action=tag.created").await.data()[0].clone();
    assert_eq!(
        (&entry["object"], &entry["details"]),
        (&json!(id), &json!("follow_up"))
    );

    let by_id = format!("{TAGS}/{id}");
    let changes = json!({ "label": "Return the call", "color": "#112233", "prompt": null, "name": "other" });
    let changed = app.patch(&by_id, &changes).await;
    let expected = json!({
        "id": id, "name": "follow_up", "label": "Return the call", "color": "#112233", "prompt": null,
    });
    assert_eq!(changed.data(), &expected, "{}", changed.text);
    assert_eq!(ignored(&changed), ["name"], "a key stays");
    let entry = app.get("/v2/api/audit?action=tag.updated").await.data()[0].clone();
    assert_eq!(entry["fields"], json!(["label", "color", "prompt"]));
    for nothing in [
        json!({}),
        json!({ "label": null, "color": null }),
        json!({ "color": "#112233" }),
    ] {
        assert_eq!(app.patch(&by_id, &nothing).await.data(), &expected);
    }
    let entries = app.get("/v2/api/audit?action=tag.updated").await;
    assert_eq!(entries.data().as_array().unwrap().len(), 1, "nothing was changed");
    // Events have the new name.
    let call = missed_call(&app, us(), nobody()).await;
    let before = app.office.last_event().await;
    add(&app, call, json!(["follow_up"])).await;
    let told = events_of(&app, Topic::TagAdded, before).await;
    let payload: Value = serde_json::from_str(&told[0].payload).unwrap();
    assert_eq!(payload["tag_name"], "Return the call");

    // A name that is a key gets a label, and every tag a colour.
    let plain = app.post(TAGS, &json!({ "name": "meeting-booked" })).await;
    assert_eq!(plain.data()["label"], "Meeting booked");
    let worded = app.post(TAGS, &json!({ "name": "Été 2026" })).await;
    assert_eq!(
        (&worded.data()["name"], &worded.data()["label"]),
        (&json!("ete_2026"), &json!("Été 2026"))
    );
    assert!(worded.data()["color"].as_str().unwrap().starts_with('#'));
}

async fn a_key_like_an_id_hides_no_tag(db: TestDb) {
    let app = searchable(db).await;
    let made = app.post(TAGS, &json!({ "name": "Billing" })).await;
    let id = made.data()["id"].as_str().unwrap();
    let like = app.post(TAGS, &json!({ "name": id })).await;
    assert_eq!(like.status, 201, "{}", like.text);
    assert_eq!(app.get(&format!("{TAGS}/{id}")).await.data(), made.data());
    let key = like.data()["name"].as_str().unwrap();
    assert_eq!(app.get(&format!("{TAGS}/{key}")).await.data(), like.data());
}

async fn of_two_tags_of_a_key_one_is_made(db: TestDb) {
    let app = searchable(db).await;
    for round in 0..5 {
        let (one, other) = (format!("Same key {round}"), format!("SAME_key {round}"));
        let (one, other) = (json!({ "name": one }), json!({ "name": other }));
        let (first, second) = tokio::join!(app.post(TAGS, &one), app.post(TAGS, &other));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", first.text, second.text);
        let (won, lost) = if first.status == 409 {
            (&second, &first)
        } else {
            (&first, &second)
        };
        assert_error(lost, "TAG_ALREADY_EXISTS");
        assert_eq!(lost.json["error"]["param"], "name");
        let id = won.data()["id"].as_str().unwrap();
        assert_eq!(app.get(&format!("{TAGS}/{id}")).await.data(), won.data());
    }
    assert_eq!(app.get(TAGS).await.data().as_array().unwrap().len(), 5);
}

async fn a_deleted_tag_stays_on_its_calls(db: TestDb) {
    let world = World::open(db).await;
    let (app, call) = (&world.app, world.call);
    let report = json!({
        "date": { "from": "2026-03-25", "to": "2026-04-21" }, "group_by": "TAG",
    });
    let conversions = json!({ "date": { "from": "2026-03-25", "to": "2026-04-21" }, "tags": ["vip"] });
    let by_tag = app.post("/v2/api/analytics/overview", &report).await.data()["breakdown"].clone();
    let converted = app
        .post("/v2/api/analytics/outbound", &conversions)
        .await
        .data()
        .clone();
    let found = json!({ "tags": ["vip"] });
    let search = "/v2/api/conversations/items/search";
    let items = app.post(search, &found).await;
    assert_eq!(items.json["pagination"]["total_count"], 1);

    let gone = app.delete(&format!("{TAGS}/vip")).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(app.get(TAGS).await.data(), &json!([]));
    assert_error(&app.get(&format!("{TAGS}/vip")).await, "TAG_NOT_FOUND");
    assert_error(&app.delete(&format!("{TAGS}/vip")).await, "TAG_NOT_FOUND");
    assert_error(
        &app.patch(&format!("{TAGS}/vip"), &json!({})).await,
        "TAG_NOT_FOUND",
    );
    let entry = app.get("/v2/api/audit?action=tag.deleted").await.data()[0].clone();
    assert_eq!(entry["details"], "vip");

    assert_eq!(on_call(app, call).await, json!(["vip"]));
    assert_eq!(app.post(search, &found).await.json, items.json);
    let words = json!({ "tags": ["vip"], "search": "bill" });
    assert_eq!(
        app.post(search, &words).await.json["pagination"]["total_count"],
        1
    );
    let after = app.post("/v2/api/analytics/overview", &report).await.data()["breakdown"].clone();
    assert_eq!(after[0]["tag"], by_tag[0]["tag"]);
    assert_eq!(after[0]["calls"], by_tag[0]["calls"]);
    assert_eq!(
        after[0]["tag_label"],
        Value::Null,
        "nobody calls it anything any more"
    );
    assert_eq!(
        app.post("/v2/api/analytics/outbound", &conversions).await.data(),
        &converted
    );

    // It can be taken off, and comes back by being put on, unless the team keeps its tags to itself.
    let before = app.office.last_event().await;
    assert_eq!(remove(app, call, "vip").await.data()["tags"], json!([]));
    let told = events_of(app, Topic::TagRemoved, before).await;
    let payload: Value = serde_json::from_str(&told[0].payload).unwrap();
    assert_eq!(
        (&payload["tag_key"], &payload["tag_name"]),
        (&json!("vip"), &json!("Vip"))
    );
    set_team(app, "create_tags", "FALSE").await;
    assert_error(&add(app, call, json!(["vip"])).await, "TAG_NOT_FOUND");
    set_team(app, "create_tags", "TRUE").await;
    assert_eq!(add(app, call, json!(["vip"])).await.status, 200);
    assert_eq!(app.get(&format!("{TAGS}/vip")).await.data()["label"], "Vip");
    app.office.assert_sound().await;
}

async fn faulty_tags_are_refused(db: TestDb) {
    let app = searchable(db).await;
    for (body, code, field) in [
        (json!({}), "MISSING_PARAMETER", "name"),
        (json!({ "name": null, "label": "x" }), "MISSING_PARAMETER", "name"),
        (json!({ "name": "!!" }), "INVALID_PARAMETER", "name"),
        (json!({ "name": "x".repeat(65) }), "INVALID_LENGTH", "name"),
        (json!({ "name": "x", "label": " " }), "INVALID_PARAMETER", "label"),
        (
            json!({ "name": "x", "label": "é".repeat(101) }),
            "INVALID_LENGTH",
            "label",
        ),
        (
            json!({ "name": "x", "color": "green" }),
            "INVALID_PARAMETER",
            "color",
        ),
        (
            json!({ "name": "x", "color": "#12345" }),
            "INVALID_PARAMETER",
            "color",
        ),
        (
            json!({ "name": "x", "color": "#1234567" }),
            "INVALID_LENGTH",
            "color",
        ),
        (
            json!({ "name": "x", "color": "#GGGGGG" }),
            "INVALID_PARAMETER",
            "color",
        ),
        (
            json!({ "name": "x", "prompt": "" }),
            "INVALID_PARAMETER",
            "prompt",
        ),
        (
            json!({ "name": "x", "prompt": "é".repeat(2_001) }),
            "INVALID_LENGTH",
            "prompt",
        ),
    ] {
        let reply = app.post(TAGS, &body).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], field, "{body}");
    }
    assert_eq!(app.get(TAGS).await.data(), &json!([]), "nothing half-done");
    let longest = json!({ "name": "x".repeat(64), "label": "é".repeat(100), "prompt": "é".repeat(2_000) });
    assert_eq!(app.post(TAGS, &longest).await.status, 201);
    let path = format!("{TAGS}/{}", "x".repeat(64));
    for (body, field) in [
        (json!({ "label": "" }), "label"),
        (json!({ "label": "Fine", "color": "red" }), "color"),
        (json!({ "prompt": " " }), "prompt"),
    ] {
        let reply = app.patch(&path, &body).await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert_eq!(reply.json["error"]["param"], field, "{body}");
    }
    assert_eq!(app.get(&path).await.data()["label"], "é".repeat(100));
}

async fn a_team_has_so_many_tags_and_no_more(db: TestDb) {
    let app = searchable(db).await;
    command(&app, |work| {
        for i in 0..MAX_TAGS_PER_TEAM {
            commands::define(work, &format!("t{i}"), "T", "#000000")?;
        }
        Ok(())
    })
    .await;
    let reply = app.post(TAGS, &json!({ "name": "one_more" })).await;
    assert_error(&reply, "TEAM_LIMIT_REACHED");
    assert!(reply.text.contains("1000"), "{}", reply.text);
    assert_eq!(app.delete(&format!("{TAGS}/t7")).await.status, 204);
    assert_eq!(app.post(TAGS, &json!({ "name": "one_more" })).await.status, 201);
}

async fn managers_define_tags(db: TestDb) {
    let app = searchable(db).await;
    let own = authorization(&key_of(&app, app.office.ben, ScopeSet::ALL).await);
    let headers = [("Authorization", own.as_str())];
    let body = Some(json!({ "name": "mine" }).to_string());
    let reply = app.send_with(reqwest::Method::POST, TAGS, &headers, body).await;
    assert_error(&reply, "FORBIDDEN");
    assert_eq!(app.get(TAGS).await.data(), &json!([]));
}
