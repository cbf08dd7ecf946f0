//! Companies and deals over HTTP.

use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::crm_people::person;
use crate::support::{World, assert_error, events_of, keys, missed_call, searchable};

trunkline_testkit::on_both! {
    a_company_is_made_read_and_changed,
    a_deal_is_made_read_changed_and_deleted,
    deals_are_shown_with_everybody_of_the_company,
    faulty_records_are_refused,
}

const COMPANIES: &str = "/v2/api/crm/companies";
const DEALS: &str = "/v2/api/crm/deals";

async fn a_company_is_made_read_and_changed(db: TestDb) {
    let app = searchable(db).await;
    let body = json!({ "name": " Acme Corp ", "website": "https://acme.example", "industry": "Technology" });
    let reply = app.post(COMPANIES, &body).await;
    assert_eq!(reply.status, 201, "as the description has it");
    let mut expected = json!({
        "id": reply.data()["id"], "name": "Acme Corp", "website": "https://acme.example", "industry": "Technology",
        "person_count": 0, "interactions": 0, "last_activity_at": null, "created_at": "2026-04-20T10:00:00.000Z",
        "updated_at": "2026-04-20T10:00:00.000Z",
    });
    assert_eq!(*reply.data(), expected);
    let path = format!("{COMPANIES}/{}", expected["id"].as_str().unwrap());
    assert_eq!(*app.get(&path).await.data(), expected);
    let mut people = Vec::new();
    for i in 0..3 {
        let body = json!({ "numbers": [format!("+1628555020{i}")], "company_id": expected["id"] });
        people.push(person(&app, body).await);
    }
    missed_call(&app, us(), "+16285550201".parse().unwrap()).await;
    for (field, value) in [
        ("person_count", json!(3)),
        ("interactions", json!(1)),
        ("last_activity_at", json!("2026-04-20T10:00:00.000Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!(*app.get(&path).await.data(), expected);
    app.office.clock.advance(1_000);
    let reply = app.put(&path, &json!({ "industry": null, "name": "Acme" })).await;
    for (field, value) in [
        ("industry", Value::Null),
        ("name", json!("Acme")),
        ("updated_at", json!("2026-04-20T10:00:01.000Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!((reply.status, reply.data()), (200, &expected));
    app.office.clock.advance(1_000);
    assert_eq!(
        *app.put(&path, &json!({ "name": null })).await.data(),
        expected,
        "a name cannot be taken away"
    );
    // Who leaves takes calls and texts along.
    let gone = format!("/v2/api/crm/people/{}", people[1]["id"].as_str().unwrap());
    app.put(&gone, &json!({ "company_id": null })).await;
    let left = app.get(&path).await;
    let told = (
        &left.data()["person_count"],
        &left.data()["interactions"],
        &left.data()["last_activity_at"],
    );
    assert_eq!(told, (&json!(2), &json!(0), &Value::Null));
    app.office.assert_sound().await;
}

async fn a_deal_is_made_read_changed_and_deleted(db: TestDb) {
    let app = searchable(db).await;
    let body = json!({
        "name": "Enterprise Plan", "status": "negotiation", "amount": 50_000.25, "currency": "usd",
        "closed_at": "2026-04-28T12:00:00", "company_id": app.office.bakery,
    });
    let reply = app.post(DEALS, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let mut expected = json!({
        "id": reply.data()["id"], "name": "Enterprise Plan", "status": "negotiation", "amount": 50_000.25,
        "currency": "USD", "closed_at": "2026-04-28T12:00:00.000Z",
        "company": { "id": app.office.bakery, "name": "Johnson Bakery" }, "created_at": "2026-04-20T10:00:00.000Z",
        "updated_at": "2026-04-20T10:00:00.000Z",
    });
    assert_eq!(*reply.data(), expected);
    let path = format!("{DEALS}/{}", expected["id"].as_str().unwrap());
    assert_eq!(*app.get(&path).await.data(), expected);
    app.office.clock.advance(1_000);
    let reply = app.patch(&path, &json!({ "status": "won" })).await;
    expected["status"] = json!("won");
    expected["updated_at"] = json!("2026-04-20T10:00:01.000Z");
    assert_eq!((reply.status, reply.data()), (200, &expected));
    for (field, shown) in [
        ("status", "status"),
        ("amount", "amount"),
        ("currency", "currency"),
        ("closed_at", "closed_at"),
        ("company_id", "company"),
    ] {
        let reply = app.patch(&path, &json!({ field: null })).await;
        expected[shown] = Value::Null;
        assert_eq!(*reply.data(), expected, "{field}");
    }
    let reply = app.delete(&path).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    for gone in [
        app.get(&path).await,
        app.delete(&path).await,
        app.patch(&path, &json!({})).await,
    ] {
        assert_error(&gone, "DEAL_NOT_FOUND");
    }
    app.office.assert_sound().await;
}

async fn deals_are_shown_with_everybody_of_the_company(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    app.office.clock.advance(1_000);
    let body = json!({ "name": "Ovens", "status": "Closed Won", "amount": 9_000, "currency": "USD", "company_id": app.office.bakery });
    let made = app.post(DEALS, &body).await.data().clone();
    let shown = async || {
        let reply = app
            .get(&format!("/v2/api/conversations/items/{}", world.call))
            .await;
        let deals = reply.data()["contacts"][0]["deals"].as_array().unwrap().clone();
        deals
            .iter()
            .map(|deal| (deal["name"].clone(), deal["status"].clone()))
            .collect::<Vec<_>>()
    };
    let flour = (json!("Flour for a year"), json!("OPEN"));
    assert_eq!(
        shown().await,
        [flour.clone(), (json!("Ovens"), json!("WON"))],
        "once each"
    );
    missed_call(app, us(), sarah()).await;
    let rang = events_of(app, Topic::CallReceived, 0).await.pop().unwrap();
    let rang: Value = serde_json::from_str(&rang.payload).unwrap();
    let ovens = &rang["deals"][1];
    assert_eq!(
        keys(ovens),
        ["close_date", "currency", "id", "name", "status", "value"]
    );
    assert_eq!(
        (&ovens["status"], &ovens["value"]),
        (&json!("Closed Won"), &json!(9_000.0))
    );
    let search = json!({ "filters": { "deal_status": "closed won" } });
    let found = app.post("/v2/api/crm/people/search", &search).await;
    assert_eq!(
        (found.data().as_array().unwrap().len(), &found.data()[0]["name"]),
        (1, &json!("Sarah"))
    );
    assert_eq!(
        app.delete(&format!("{DEALS}/{}", made["id"].as_str().unwrap()))
            .await
            .status,
        204
    );
    assert_eq!(shown().await, [flour]);
    app.office.assert_sound().await;
}

async fn faulty_records_are_refused(db: TestDb) {
    let app = searchable(db).await;
    for (path, body, code, param) in [
        (COMPANIES, json!({}), "MISSING_PARAMETER", "name"),
        (COMPANIES, json!({ "name": " " }), "INVALID_PARAMETER", "name"),
        (
            COMPANIES,
            json!({ "name": "x".repeat(256) }),
            "INVALID_LENGTH",
            "name",
        ),
        (DEALS, json!({ "name": null }), "MISSING_PARAMETER", "name"),
        (DEALS, json!({ "name": "" }), "INVALID_PARAMETER", "name"),
        (
            DEALS,
            json!({ "name": "x", "amount": -1 }),
            "INVALID_PARAMETER",
            "amount",
        ),
        (
            DEALS,
            json!({ "name": "x", "amount": 1e300 }),
            "INVALID_PARAMETER",
            "amount",
        ),
        (
            DEALS,
            json!({ "name": "x", "amount": "5" }),
            "INVALID_PARAMETER",
            "amount",
        ),
        (
            DEALS,
            json!({ "name": "x", "currency": "US" }),
            "INVALID_PARAMETER",
            "currency",
        ),
        (
            DEALS,
            json!({ "name": "x", "currency": "€€€" }),
            "INVALID_PARAMETER",
            "currency",
        ),
        (
            DEALS,
            json!({ "name": "x", "closed_at": "soon" }),
            "INVALID_PARAMETER",
            "closed_at",
        ),
        (
            DEALS,
            json!({ "name": "x", "company_id": "com-1" }),
            "COMPANY_NOT_FOUND",
            "company_id",
        ),
    ] {
        let reply = app.post(path, &body).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param, "{}", reply.text);
        let status = if code == "COMPANY_NOT_FOUND" { 404 } else { 422 };
        assert_eq!(reply.status, status);
    }
    let counted = app.post(&format!("{COMPANIES}/search"), &json!({})).await;
    assert_eq!(counted.json["pagination"]["total_count"], 1, "nothing was made");
}
