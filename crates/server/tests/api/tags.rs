//! Tags: the team's, and those put on calls and taken off.

use serde_json::{Value, json};
use trunkline_domain::CallId;
use trunkline_domain::events::Topic;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, us};

use crate::support::{World, assert_error, events_of, keys, missed_call, searchable, set_team};

trunkline_testkit::on_both! {
    tags_are_added_and_removed,
    keys_are_slugs,
    all_or_none,
    what_cannot_be_tagged,
    a_team_may_keep_its_tags_to_itself,
    a_call_has_so_many_tags_and_no_more,
    the_teams_tags_are_listed,
}

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
        assert_eq!(keys(tag), ["color", "id", "label", "name"]);
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
