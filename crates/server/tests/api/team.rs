//! The team's settings: who reads and changes them, and what stays.

use serde_json::{Value, json};
use trunkline_domain::{Role, ScopeSet};
use trunkline_switchboard::accounts;
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::people::key_of;
use crate::support::{assert_error, authorization, command, ignored, keys, param, text_in};

trunkline_testkit::on_both! {
    settings_are_read_and_changed,
    managers_read_and_admins_change,
    the_time_zone_is_chosen_before_anything_is_counted,
}

const TEAM: &str = "/v2/api/team";

async fn settings_are_read_and_changed(db: TestDb) {
    let app = TestApp::start(db).await;
    let before = app.get(TEAM).await;
    assert_eq!(before.status, 200, "{}", before.text);
    let fields = [
        "country",
        "create_tags",
        "created_at",
        "id",
        "marketing_hours",
        "name",
        "plan",
        "sandbox",
        "time_zone",
    ];
    assert_eq!(keys(before.data()), fields);
    assert_eq!(before.data()["id"], app.office.team_id.to_string());
    assert_eq!(before.data()["time_zone"], "America/Los_Angeles");
    assert_eq!(before.data()["create_tags"], true);

    app.office.clock.advance(1);
    let changes =
        json!({ "name": " Fog City ", "create_tags": false, "marketing_hours": true, "country": "FR" });
    let after = app.patch(TEAM, &changes).await;
    assert_eq!(after.status, 200, "{}", after.text);
    assert_eq!(ignored(&after), ["country"]);
    let mut expected = before.data().clone();
    expected["name"] = json!("Fog City");
    expected["create_tags"] = json!(false);
    expected["marketing_hours"] = json!(true);
    assert_eq!(after.data(), &expected);
    assert_eq!(app.get(TEAM).await.data(), &expected);
    let me = app.get("/v2/api/me").await;
    assert_eq!(me.data()["team"]["name"], "Fog City", "at once");
    let entry = app.get("/v2/api/audit?action=team.updated").await.data()[0].clone();
    assert_eq!(entry["actor"]["user"]["id"], app.office.ada.to_string());
    assert_eq!(entry["fields"], json!(["name", "create_tags", "marketing_hours"]));
    assert_eq!(entry["details"], Value::Null);

    assert_eq!(app.patch(TEAM, &json!({})).await.data(), &expected);
    for (body, code, field) in [
        (json!({ "name": "" }), "INVALID_PARAMETER", "name"),
        (json!({ "name": "x".repeat(201) }), "INVALID_LENGTH", "name"),
        (json!({ "create_tags": "no" }), "INVALID_PARAMETER", "create_tags"),
    ] {
        let reply = app.patch(TEAM, &body).await;
        assert_error(&reply, code);
        assert_eq!(param(&reply), field);
    }
    assert_eq!(app.get(TEAM).await.data(), &expected, "nothing half-done");
}

async fn the_time_zone_is_chosen_before_anything_is_counted(db: TestDb) {
    let app = TestApp::start(db).await;
    let zone = async |name: &str| app.patch(TEAM, &json!({ "time_zone": name })).await;
    for name in ["Mars/Base", "", "+02:00", "europe/parys"] {
        let reply = zone(name).await;
        assert_error(&reply, "UNKNOWN_TIME_ZONE");
        assert_eq!(param(&reply), "time_zone", "{name}");
    }
    assert_eq!(zone("europe/paris").await.data()["time_zone"], "Europe/Paris");
    let usage = app.get("/v2/api/usage").await;
    assert_eq!(usage.data()["time_zone"], "Europe/Paris", "at once");
    // From the first text on, days are counted.
    text_in(&app, us(), sarah(), "Hello").await;
    let refused = zone("UTC").await;
    assert_error(&refused, "INVALID_PARAMETER");
    assert_eq!(param(&refused), "time_zone");
    assert!(refused.text.contains("Europe/Paris"), "{}", refused.text);
    assert_eq!(zone("Europe/Paris").await.status, 200, "it is so already");
    assert_eq!(app.get(TEAM).await.data()["time_zone"], "Europe/Paris");
}

async fn managers_read_and_admins_change(db: TestDb) {
    let app = TestApp::start(db).await;
    let create = |work: &mut trunkline_switchboard::Work<'_, '_>| {
        accounts::create_user(work, "Mona", "mona@fogcity.example", Role::Manager)
    };
    let mona = command(&app, create).await;
    for (user, read, change) in [
        (mona, 200, 403),
        (app.office.ben, 403, 403),
        (app.office.ada, 200, 200),
    ] {
        let own = authorization(&key_of(&app, user, ScopeSet::ALL).await);
        let headers = [("Authorization", own.as_str())];
        let reply = app.send_with(reqwest::Method::GET, TEAM, &headers, None).await;
        assert_eq!(reply.status, read, "{}", reply.text);
        let body = Some(json!({ "create_tags": true }).to_string());
        let reply = app.send_with(reqwest::Method::PATCH, TEAM, &headers, body).await;
        assert_eq!(reply.status, change, "{}", reply.text);
    }
}
