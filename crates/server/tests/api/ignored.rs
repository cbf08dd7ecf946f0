//! Unknown parameters and fields: ignored, but never in silence.

use std::collections::BTreeSet;

use serde_json::json;
use trunkline_testkit::db::TestDb;

use crate::document::put;
use crate::operations::{Request, full_bodies, operation, operations};
use crate::support::{World, assert_error, ignored};

trunkline_testkit::on_both! {
    unknown_parameters_are_named,
    a_parameter_that_is_there_twice_is_named,
    unknown_fields_are_named,
    unknown_fields_deep_inside_are_named,
    what_is_unknown_is_told_with_failures_too,
    names_are_told_as_far_as_a_header_can_carry_them,
}

async fn unknown_parameters_are_named(db: TestDb) {
    let world = World::open(db).await;
    for operation in operations() {
        operation.prepare(&world).await;
        let reply = operation.request(&world).send(&world.app).await;
        assert_eq!(ignored(&reply), Vec::<&str>::new(), "{}", operation.name());
        operation.prepare(&world).await;
        let request = operation
            .request(&world)
            .parameter("date_from", "2026-01-01")
            .parameter("per_page", "5");
        let reply = request
            .parameter("date_from", "2026-02-02")
            .send(&world.app)
            .await;
        assert!(
            (200..300).contains(&reply.status),
            "{}: {}",
            operation.name(),
            reply.text
        );
        let told: BTreeSet<&str> = ignored(&reply).into_iter().collect();
        assert_eq!(
            told,
            BTreeSet::from(["date_from", "per_page"]),
            "{}",
            operation.name()
        );
        assert_eq!(
            ignored(&reply).len(),
            2,
            "each is named once: {}",
            operation.name()
        );
    }
    // What another operation knows is not known here.
    let request = operation("searchAllConversations")
        .request(&world)
        .parameter("page", "2");
    assert_eq!(ignored(&request.send(&world.app).await), ["page"]);
}

/// The last value counts; that there was another is told.
async fn a_parameter_that_is_there_twice_is_named(db: TestDb) {
    let world = World::open(db).await;
    let request = operation("listConversations").request(&world);
    for (values, told) in [
        (["5", "7"].as_slice(), ["size"].as_slice()),
        (&["5", "6", "7"], &["size"]),
        (&["7", "7"], &[]),
    ] {
        let request = values
            .iter()
            .fold(request.clone(), |request, value| request.parameter("size", value));
        let reply = request.send(&world.app).await;
        assert_eq!(reply.json["pagination"]["size"], 7, "{}", reply.text);
        assert_eq!(ignored(&reply), told, "{values:?}");
    }
    let reply = request
        .parameter("size", "x")
        .parameter("size", "7")
        .send(&world.app)
        .await;
    assert_eq!(
        (reply.status, ignored(&reply)),
        (200, vec!["size"]),
        "{}",
        reply.text
    );
}

async fn unknown_fields_are_named(db: TestDb) {
    let world = World::open(db).await;
    for (operation, request) in full_bodies(&world) {
        let reply = request
            .field("date_from", json!("2026-01-01"))
            .field("Type", json!(null))
            .send(&world.app)
            .await;
        assert!(
            (200..300).contains(&reply.status),
            "{}: {}",
            operation.name(),
            reply.text
        );
        let told: BTreeSet<&str> = ignored(&reply).into_iter().collect();
        assert_eq!(
            told,
            BTreeSet::from(["date_from", "Type"]),
            "{}",
            operation.name()
        );
    }
}

async fn unknown_fields_deep_inside_are_named(db: TestDb) {
    let world = World::open(db).await;
    let search = operation("searchAllConversations").request(&world);
    let reply = search
        .field("date", json!({ "fro": "2026-01-01", "to": "2026-12-31" }))
        .send(&world.app)
        .await;
    assert_eq!((reply.status, ignored(&reply)), (200, vec!["date.fro"]));
    let (_, call) = full_bodies(&world)
        .into_iter()
        .find(|(operation, _)| operation.id == "sandboxCall")
        .unwrap();
    let mut body = call.body.clone().unwrap();
    for name in ["lines[0].speaker", "ivr[0].key", "transfer.to"] {
        put(&mut body, name, json!("x"));
    }
    let reply = Request {
        body: Some(body),
        ..call
    }
    .send(&world.app)
    .await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let told: BTreeSet<&str> = ignored(&reply).into_iter().collect();
    assert_eq!(
        told,
        BTreeSet::from(["lines[0].speaker", "ivr[0].key", "transfer.to"])
    );
}

async fn what_is_unknown_is_told_with_failures_too(db: TestDb) {
    let world = World::open(db).await;
    let reply = world
        .app
        .post("/v2/api/conversations/items/batch", &json!({ "id": ["cll-1"] }))
        .await;
    assert_error(&reply, "MISSING_PARAMETER");
    assert_eq!(
        (reply.json["error"]["param"].as_str(), ignored(&reply)),
        (Some("ids"), vec!["id"])
    );
    let reply = world.app.get("/v2/api/conversations?size=0&per_page=5").await;
    assert_error(&reply, "INVALID_PAGE_SIZE");
    assert_eq!(ignored(&reply), ["per_page"]);
    // Without a valid key, nobody is told what this server knows.
    let headers = [("Authorization", "Api-Key ak_test_unknown")];
    let reply = world
        .app
        .send_with(reqwest::Method::GET, "/v2/api/tags?x=1", &headers, None)
        .await;
    assert_eq!((reply.status, ignored(&reply)), (401, vec![]));
}

async fn names_are_told_as_far_as_a_header_can_carry_them(db: TestDb) {
    let world = World::open(db).await;
    let search = operation("searchAllConversations").request(&world);
    let reply = search
        .field("two words", json!(1))
        .field("a,b", json!(1))
        .field("größe\r\nX-Evil: 1", json!(1))
        .send(&world.app)
        .await;
    let told: BTreeSet<&str> = ignored(&reply).into_iter().collect();
    assert_eq!(told, BTreeSet::from(["two?words", "a?b", "gr??e??X-Evil:?1"]));
    assert_eq!(reply.header("x-evil"), "");
    let mut many = search.clone();
    for i in 0..500 {
        many = many.field(&format!("unknown_{i}"), json!(1));
    }
    let reply = many.send(&world.app).await;
    assert_eq!(reply.status, 200);
    assert!(
        ignored(&reply).len() > 50 && ignored(&reply).last() == Some(&"..."),
        "{}",
        reply.header("x-ignored-parameters")
    );
}
