//! `GET /v2/api/me`: what it promises is what the key can do.

use std::collections::BTreeSet;

use trunkline_domain::{Scope, ScopeSet};
use trunkline_testkit::db::TestDb;

use crate::operations::operations;
use crate::people::{World as Outside, neighbour, new_key};
use crate::support::{World, keys};

trunkline_testkit::on_both! {
    it_lists_exactly_what_the_key_can_call,
    a_key_of_a_live_team_has_no_sandbox,
    it_tells_who_and_how_often,
}

/// Method and path of every endpoint that `/me` lists to this key.
async fn listed(world: &World, key: &str) -> BTreeSet<(String, String)> {
    let reply = crate::operations::operation("getMe")
        .request(world)
        .with_key(&world.app, key)
        .await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let endpoints = reply.data()["endpoints"].as_array().unwrap();
    endpoints
        .iter()
        .map(|entry| (text(&entry["method"]), text(&entry["path"])))
        .collect()
}

async fn it_lists_exactly_what_the_key_can_call(db: TestDb) {
    let world = World::open(db).await;
    let mut sets: Vec<ScopeSet> = Scope::all().iter().map(|scope| ScopeSet::of(&[*scope])).collect();
    sets.push(ScopeSet::ALL);
    sets.push(ScopeSet::of(&[
        Scope::TagsRead,
        Scope::UsersRead,
        Scope::ConversationsWrite,
    ]));
    let mut ever = 0;
    for scopes in sets {
        let (_, key) = new_key(&world.app, scopes).await;
        let listed = listed(&world, &key).await;
        for operation in operations() {
            operation.prepare(&world).await;
            let reply = operation.request(&world).with_key(&world.app, &key).await;
            // An account of a partner is there for the key alone that made it: another one is let in, and finds none.
            let can = (200..300).contains(&reply.status)
                || (reply.status == 404 && reply.code() == "PARTNER_ACCOUNT_NOT_FOUND");
            let is_listed = listed.contains(&(operation.method.to_string(), operation.path.clone()));
            assert_eq!(
                can,
                is_listed,
                "{} with {scopes}: {}",
                operation.name(),
                reply.text
            );
            assert!(
                can || reply.status == 403,
                "{} with {scopes}: {}",
                operation.name(),
                reply.text
            );
            ever += usize::from(can);
        }
        assert!(listed.len() <= operations().len());
    }
    assert!(ever > operations().len());
}

async fn a_key_of_a_live_team_has_no_sandbox(db: TestDb) {
    let world = World::open(db).await;
    let live = neighbour(&world.app, Outside::Live).await;
    let listed = listed(&world, &live.key).await;
    for operation in operations() {
        let is_listed = listed.contains(&(operation.method.to_string(), operation.path.clone()));
        let reply = operation.request(&world).with_key(&world.app, &live.key).await;
        assert_eq!(
            is_listed,
            reply.status != 403,
            "{}: {}",
            operation.name(),
            reply.text
        );
        assert_eq!(
            is_listed,
            !operation.path.starts_with("/sandbox/"),
            "{}",
            operation.name()
        );
        if !is_listed {
            assert_eq!(reply.code(), "SANDBOX_ONLY", "{}", operation.name());
        }
    }
}

async fn it_tells_who_and_how_often(db: TestDb) {
    let world = World::open(db).await;
    let (id, key) = new_key(
        &world.app,
        ScopeSet::of(&[Scope::TagsWrite, Scope::ConversationsRead]),
    )
    .await;
    world.app.set_limits(7, 3).await;
    let reply = crate::operations::operation("getMe")
        .request(&world)
        .with_key(&world.app, &key)
        .await;
    let me = reply.data();
    assert_eq!(
        keys(me),
        ["api_key_id", "endpoints", "rate_limits", "scopes", "team"]
    );
    assert_eq!(me["api_key_id"], id.to_string());
    assert_eq!(
        me["scopes"],
        serde_json::json!(["CONVERSATIONS_READ", "TAGS_WRITE"])
    );
    let team = serde_json::json!({ "id": world.app.office.team_id, "name": "Fog City Supplies" });
    assert_eq!(me["team"], team);
    assert_eq!(
        me["rate_limits"],
        serde_json::json!({ "read_per_second": 7, "write_per_second": 3 })
    );
    for endpoint in me["endpoints"].as_array().unwrap() {
        assert_eq!(keys(endpoint), ["description", "method", "path", "scope"]);
        assert!(!endpoint["description"].as_str().unwrap().is_empty());
        let any_key = endpoint["path"] == "/v2/api/me";
        assert_eq!(endpoint["scope"].is_null(), any_key, "{endpoint}");
    }
}
