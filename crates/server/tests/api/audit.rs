//! The audit log: what is written down, what is not, and how it is read.

use serde_json::{Value, json};
use trunkline_domain::{Millis, ScopeSet};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::TestDb;

use crate::people::{World as Outside, neighbour};
use crate::support::{assert_error, authorization, ids, keys};

trunkline_testkit::on_both! {
    a_change_says_who_when_and_what,
    what_the_operator_did_is_there_too,
    it_is_filtered,
    a_walk_misses_nothing_and_repeats_nothing,
    each_team_has_its_own,
    people_and_properties_leave_entries,
    an_id_has_many_spellings_and_one_entry,
}

const AUDIT: &str = "/v2/api/audit";

async fn newest(app: &TestApp) -> Value {
    app.get(AUDIT).await.data()[0].clone()
}

/// Renames Ben, a moment after what was before.
async fn rename(app: &TestApp, name: &str) -> Reply {
    app.office.clock.advance(1);
    let path = format!("/v2/api/users/{}", app.office.ben);
    app.patch(&path, &json!({ "name": name })).await
}

async fn a_change_says_who_when_and_what(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = app.get("/v2/api/me").await.data()["api_key_id"].clone();
    let (ada, ben) = (app.office.ada, app.office.ben);
    rename(&app, "Benedict Onyx").await;
    let entry = newest(&app).await;
    assert_eq!(
        keys(&entry),
        ["action", "actor", "at", "details", "fields", "id", "object"]
    );
    let user = json!({ "id": ada, "name": "Ada Park", "email": "ada@fogcity.example" });
    assert_eq!(
        entry["actor"],
        json!({ "type": "USER", "user": user, "api_key_id": own })
    );
    assert_eq!(entry["at"], app.board.now().to_string());
    assert_eq!(entry["action"], "user.updated");
    assert_eq!(entry["object"], ben.to_string());
    assert_eq!(entry["fields"], json!(["name"]));
    assert_eq!(entry["details"], Value::Null);
    let log = app.get(AUDIT).await;
    assert!(
        !log.text.contains("Onyx"),
        "values are not written down: {}",
        log.text
    );

    // What changes nothing is no entry.
    rename(&app, "Benedict Onyx").await;
    assert_eq!(newest(&app).await, entry);

    for (path, action) in [("block", "user.blocked"), ("unblock", "user.unblocked")] {
        for _ in 0..2 {
            app.office.clock.advance(1);
            app.post(&format!("/v2/api/users/{ben}/{path}"), &json!({})).await;
        }
        let listed = app.get(&format!("{AUDIT}?action={action}")).await;
        assert_eq!(listed.data().as_array().unwrap().len(), 1, "{action}");
        assert_eq!(listed.data()[0]["object"], ben.to_string());
    }
    app.office.clock.advance(1);
    let hook = json!({ "url": "http://127.0.0.1:9/hook", "topics": ["sms.sent"] });
    let made = app.post("/v2/api/webhooks", &hook).await;
    let entry = newest(&app).await;
    assert_eq!(entry["action"], "webhook.created");
    assert_eq!(entry["object"], made.data()["id"]);
    assert_eq!(entry["actor"]["api_key_id"], own);
    assert!(!app.get(AUDIT).await.text.contains("whsec_"));

    app.office.clock.advance(1);
    let (path, sam) = (
        format!("/v2/api/crm/people/{}/merge", app.office.sarah),
        app.office.sam,
    );
    let merged = app.post(&path, &json!({ "person_id": sam })).await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    let entry = newest(&app).await;
    assert_eq!(entry["action"], "person.merged");
    assert_eq!(entry["actor"]["api_key_id"], own);
    assert_eq!(entry["details"], format!("merged: {sam}"));
}

async fn what_the_operator_did_is_there_too(db: TestDb) {
    let app = TestApp::start(db).await;
    let listed = app.get(&format!("{AUDIT}?action=key.created")).await;
    let entry = &listed.data()[0];
    let operator = json!({ "type": "OPERATOR", "user": null, "api_key_id": null });
    assert_eq!(entry["actor"], operator);
    assert_eq!(entry["fields"], json!([]));
    let details = format!("name: test, scopes: {}", ScopeSet::ALL);
    assert_eq!(entry["details"], details);
    let by = app.get(&format!("{AUDIT}?actor=operator&size=100")).await;
    assert!(
        by.data()
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["actor"] == operator)
    );
    assert!(
        by.data().as_array().unwrap().len() >= 5,
        "the office was furnished by it"
    );
}

async fn it_is_filtered(db: TestDb) {
    let app = TestApp::start(db).await;
    let begun = app.office.clock.advance(Millis::MINUTE);
    for name in ["B. One", "B. Two", "B. Three"] {
        rename(&app, name).await;
    }
    let (ada, ben) = (app.office.ada, app.office.ben);
    let (second, third) = (begun.plus(2), begun.plus(3));
    for (query, count) in [
        (format!("actor={ada}"), 3),
        (format!("actor={ben}"), 0),
        (format!("actor={ada}&action=user.updated&object={ben}"), 3),
        (format!("object={ben}&since={begun}"), 3),
        (format!("since={second}"), 2),
        (format!("since={second}&until={third}"), 1),
        (format!("action=user.updated&until={second}"), 1),
        ("action=user.deleted".to_owned(), 0),
        (format!("since={third}&until={second}"), 0),
    ] {
        let reply = app.get(&format!("{AUDIT}?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        assert_eq!(reply.data().as_array().unwrap().len(), count, "{query}");
    }
}

async fn a_walk_misses_nothing_and_repeats_nothing(db: TestDb) {
    let app = TestApp::start(db).await;
    // Many at one instant: their ids decide.
    let all = ids(&app.get(&format!("{AUDIT}?size=100")).await);
    assert!(all.len() >= 5, "{}", all.len());
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = app.get(&format!("{AUDIT}?size=2{cursor}")).await;
        assert_eq!(part.status, 200, "{}", part.text);
        walked.extend(ids(&part));
        rename(&app, &format!("Ben {}", walked.len())).await;
        let next = &part.json["pagination"]["next_cursor"];
        assert_eq!(part.json["pagination"]["has_more"], json!(!next.is_null()));
        let Some(next) = next.as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(walked, all, "what was written meanwhile is in front of it");
    let other = app
        .get(&format!("{AUDIT}?size=2&action=user.updated{cursor}"))
        .await;
    assert_error(&other, "INVALID_CURSOR");
}

async fn people_and_properties_leave_entries(db: TestDb) {
    let app = TestApp::start(db).await;
    let sarah = app.office.sarah;
    let person = format!("/v2/api/crm/people/{sarah}");
    let property = "/v2/api/crm/properties";
    let told = async |action: &str, object: &str| {
        let log = app.get(&format!("{AUDIT}?action={action}&object={object}")).await;
        let all = log.data().as_array().unwrap().clone();
        assert_eq!(all.len(), 1, "{action}: {}", log.text);
        assert_eq!(
            all[0]["actor"]["user"]["id"],
            app.office.ada.to_string(),
            "{action}"
        );
        all[0].clone()
    };
    for _ in 0..2 {
        assert_eq!(app.delete(&person).await.status, 204);
    }
    told("person.archived", &sarah.to_string()).await;
    for _ in 0..2 {
        assert_eq!(app.put(&person, &json!({ "archived": false })).await.status, 200);
    }
    told("person.restored", &sarah.to_string()).await;
    let size = json!({ "key": "size", "name": "Size", "type": "NUMBER" });
    assert_eq!(app.post(property, &size).await.status, 201);
    assert_eq!(told("property.created", "size").await["details"], "type: NUMBER");
    for _ in 0..2 {
        let renamed = app
            .put(&format!("{property}/size"), &json!({ "name": "Staff" }))
            .await;
        assert_eq!(renamed.status, 200, "{}", renamed.text);
    }
    assert_eq!(told("property.updated", "size").await["fields"], json!(["name"]));
    assert_eq!(app.delete(&format!("{property}/size")).await.status, 204);
    told("property.deleted", "size").await;
    let end = "2099-12-31T23:00:00.000Z";
    let key = json!({ "name": "CI", "scopes": ["TAGS_READ"], "expires_at": end });
    let made = app.post("/v2/api/keys", &key).await;
    let entry = told("key.created", made.data()["id"].as_str().unwrap()).await;
    assert_eq!(
        entry["details"],
        format!("expires_at: {end}, name: CI, scopes: TAGS_READ")
    );
    assert!(
        !entry
            .to_string()
            .contains(made.data()["secret"].as_str().unwrap())
    );
}

async fn an_id_has_many_spellings_and_one_entry(db: TestDb) {
    let app = TestApp::start(db).await;
    rename(&app, "Benedict").await;
    let (ada, ben) = (app.office.ada.to_string(), app.office.ben.to_string());
    for (actor, object) in [
        (ada.clone(), ben.clone()),
        (ada.replace('-', "_"), ben.replace('-', "_")),
    ] {
        let query = format!("{AUDIT}?action=user.updated&actor={actor}&object={object}");
        assert_eq!(
            app.get(&query).await.data().as_array().unwrap().len(),
            1,
            "{query}"
        );
    }
    for actor in ["x", "usr-", "nobody", &app.office.sarah.to_string()] {
        let reply = app.get(&format!("{AUDIT}?actor={actor}")).await;
        assert_error(&reply, "INVALID_PARAMETER");
    }
    assert_eq!(app.get(&format!("{AUDIT}?actor=usr-1")).await.data(), &json!([]));
}

async fn each_team_has_its_own(db: TestDb) {
    let app = TestApp::start(db).await;
    let theirs = neighbour(&app, Outside::Sandbox).await;
    let own = authorization(&theirs.key);
    let headers = [("Authorization", own.as_str())];
    let log = app
        .send_with(reqwest::Method::GET, &format!("{AUDIT}?size=100"), &headers, None)
        .await;
    assert_eq!(log.status, 200);
    let (log, ours) = (ids(&log), ids(&app.get(&format!("{AUDIT}?size=100")).await));
    assert!(!log.is_empty() && !ours.is_empty());
    assert!(log.iter().all(|id| !ours.contains(id)));
    for query in [
        format!("actor={}", theirs.user),
        format!("object={}", theirs.api_key),
    ] {
        let reply = app.get(&format!("{AUDIT}?{query}")).await;
        assert_eq!(reply.data(), &json!([]), "{query}");
    }
}
