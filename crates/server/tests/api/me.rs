//! `GET /v2/api/me`: who asks, and how often they may. (The access matrix compares what it lists with what the key can do.)

use trunkline_domain::{Scope, ScopeSet};
use trunkline_testkit::db::TestDb;

use crate::people::new_key;
use crate::support::{World, keys};

trunkline_testkit::on_both! {
    it_tells_who_and_how_often,
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
        ["api_key_id", "endpoints", "rate_limits", "scopes", "team", "user"]
    );
    assert_eq!(me["api_key_id"], id.to_string());
    assert_eq!(
        me["scopes"],
        serde_json::json!(["CONVERSATIONS_READ", "TAGS_WRITE"])
    );
    let user = serde_json::json!({
        "id": world.app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example", "role": "ADMIN",
    });
    assert_eq!(me["user"], user);
    let team = serde_json::json!({
        "id": world.app.office.team_id, "name": "Fog City Supplies", "time_zone": "America/Los_Angeles",
    });
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
