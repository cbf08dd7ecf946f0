//! A team with something of everything, and all that can be asked about it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::{Clock, Millis, SystemClock};

use crate::support::api::{Api, in_query};
use crate::support::eventually;
use crate::support::load::{LINES, Team};
use crate::support::program::Place;

const CONTACTS: [&str; 4] = ["+14155551234", "+14155551235", "+33612345678", "+14155551236"];

/// A team that has something of everything, and another one.
pub async fn furnish(place: &Place) -> Team {
    let team = Team::make(place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    make_people(&api).await;
    let hook = make(
        &api,
        "/v2/api/webhooks",
        json!({ "url": "http://127.0.0.1:9/hook", "topics": ["sms.received"], "headers": { "X-Own": "secret" } }),
    )
    .await;
    let calls = make_traffic(&api).await;
    write_notes(&api, &calls[0]).await;
    // Each place would go on trying.
    put(
        &api,
        &format!("/v2/api/webhooks/{}", id(&hook)),
        json!({ "enabled": false }),
    )
    .await;
    // Two texts go out: one of ours, and what answers STOP.
    eventually(Duration::from_secs(30), "calls and texts are over", async || {
        let done = api
            .get("/v2/api/events?follow=false&last_event_id=0&topics=call.completed,sms.delivered")
            .await;
        (done.text.matches("\nevent: ").count() == calls.len() + 2).then_some(())
    })
    .await;
    server.stop().await;
    // A second team, which stays where it is.
    place.run(&["seed", "--items", "300", "--teams", "1"]).await.ok();
    team
}

async fn make(api: &Api, path: &str, body: Value) -> Value {
    let reply = api.post(path, &body).await;
    assert!(
        reply.status < 300,
        "{path} {body}: {} {}",
        reply.status,
        reply.text
    );
    reply.json["data"].clone()
}

async fn put(api: &Api, path: &str, body: Value) {
    let reply = api.put(path, &body).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
}

fn id(of: &Value) -> &str {
    of["id"].as_str().expect("an id")
}

async fn make_people(api: &Api) {
    let company = make(api, "/v2/api/crm/companies", json!({ "name": "Johnson Bakery" })).await;
    let property = json!({ "key": "source", "name": "Source", "type": "TEXT" });
    make(api, "/v2/api/crm/properties", property).await;
    let mut people = Vec::new();
    for (i, number) in CONTACTS.iter().enumerate() {
        let person = json!({
            "name": format!("Zoë {i}"), "last_name": "Johnson \u{1f968}\n\"quoted\"", "numbers": [number],
            "emails": [format!("zoe{i}@johnson.example")], "company_id": company["id"], "source": "fair",
        });
        people.push(make(api, "/v2/api/crm/people", person).await);
    }
    let merge = format!("/v2/api/crm/people/{}/merge", id(&people[0]));
    make(api, &merge, json!({ "person_id": people[3]["id"] })).await;
    let deal = json!({ "name": "Flour", "amount": 12.5, "currency": "EUR", "company_id": company["id"] });
    make(api, "/v2/api/crm/deals", deal).await;
}

/// Calls and texts. Returns the ids of the calls.
async fn make_traffic(api: &Api) -> Vec<String> {
    let mut calls = Vec::new();
    for (i, outcome) in ["ANSWERED", "VOICEMAIL", "MISSED", "ANSWERED"].iter().enumerate() {
        let call = json!({
            "from": CONTACTS[i], "to": LINES[i % 2], "outcome": outcome, "speed": 1_000, "ring_seconds": 2,
            "lines": [{ "source": "EXTERNAL", "at": 1, "text": "The flour was late, as été." }],
            "summary": "Asked about flour.", "tags": ["vip", format!("tag-{i}")],
        });
        calls.push(id(&make(api, "/sandbox/calls", call).await).to_owned());
    }
    for i in 0..30 {
        let content = format!("number {i}: =1+1, \"flour\" \u{1f600}");
        let text = json!({ "from": CONTACTS[i % 4], "to": LINES[i % 2], "content": content });
        make(api, "/sandbox/messages", text).await;
    }
    let send = json!({ "from": LINES[0], "to": CONTACTS[1], "message": "On its way" });
    let sent = api
        .try_send(Method::POST, "/v1/api/sms", Some("once"), Some(&send))
        .await;
    assert!(sent.expect("an answer").status < 300);
    let stop = json!({ "from": CONTACTS[2], "to": LINES[0], "content": "STOP" });
    make(api, "/sandbox/messages", stop).await;
    calls
}

async fn write_notes(api: &Api, call: &str) {
    make(api, "/v2/api/summary_templates", json!({ "name": "Orders" })).await;
    let thread = json!({ "entity_type": "CALL", "entity_id": call, "content": "Who calls back?" });
    make(api, "/v2/api/threads", thread).await;
    let of = |contact: &str| format!("/v2/api/conversations/{}", in_query(contact));
    let note = json!({ "content": "Prefers mornings.", "allo_number": LINES[0] });
    make(api, &format!("{}/notes", of(CONTACTS[0])), note).await;
    put(
        api,
        &format!("{}/action", of(CONTACTS[1])),
        json!({ "action": "ARCHIVE" }),
    )
    .await;
}

/// An answer without what differs between any two: the present, and how long links are valid.
fn settled(text: &str) -> String {
    without(&without(text, "?expires="), "\"last_updated\":\"")
}

/// The text without what stands between the marker and the next quote.
fn without(text: &str, marker: &str) -> String {
    let mut parts = text.split(marker);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        made.push_str(part.find('"').map_or("", |end| &part[end..]));
    }
    made
}

/// Asks for everything there is, and for what it leads to.
pub async fn walk(url: &str, key: &str) -> BTreeMap<String, String> {
    let api = Api::new(url, key);
    let mut told = BTreeMap::new();
    let mut get = async |path: String| {
        let reply = api.get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        told.insert(path, settled(&reply.text));
        reply.json
    };
    let strings = |list: &Value, field: &str| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|one| one[field].as_str().map(str::to_owned))
            .collect()
    };
    for path in [
        "/v2/api/me",
        "/v2/api/users",
        "/v2/api/tags",
        "/v2/api/numbers",
        "/v2/api/summary_templates",
        "/v2/api/crm/properties",
        "/v2/api/export/items?extend=transcript",
        "/v2/api/events?follow=false&last_event_id=0",
        "/v1/api/numbers",
        "/v1/api/contacts",
    ] {
        get(path.to_owned()).await;
    }
    for line in LINES {
        let line = in_query(line);
        let page = get(format!(
            "/v2/api/conversations?allo_number={line}&extend=transcript&size=100"
        ))
        .await;
        for number in strings(&page["data"], "contact_number") {
            let number = in_query(&number);
            get(format!("/v2/api/conversations/{number}/notes?allo_number={line}")).await;
        }
        get(format!("/v1/api/calls?allo_number={line}")).await;
    }
    let endpoints = get("/v2/api/webhooks".to_owned()).await;
    for id in strings(&endpoints["data"], "id") {
        get(format!("/v2/api/webhooks/{id}")).await;
        get(format!("/v2/api/webhooks/{id}/deliveries")).await;
    }
    let items = api.search(&json!({ "size": 100 })).await;
    for id in strings(&items["data"], "id") {
        get(format!("/v2/api/conversations/items/{id}?extend=transcript")).await;
        if id.starts_with("cll-") {
            get(format!("/v2/api/conversations/items/{id}/summaries")).await;
        }
    }
    let people = api.post("/v2/api/crm/people/search", &json!({})).await;
    for id in strings(&people.json["data"], "id") {
        get(format!("/v2/api/crm/people/{id}")).await;
        get(format!("/v2/api/crm/people/{id}/notes")).await;
        get(format!("/v1/api/contact/{id}?extend=engagement,activity")).await;
        get(format!("/v1/api/contact/{id}/conversation")).await;
    }
    searches(&api, &mut told).await;
    told
}

async fn searches(api: &Api, told: &mut BTreeMap<String, String>) {
    let today = SystemClock.now();
    let day = |at: Millis| at.timestamp().to_string()[..10].to_owned();
    let date = json!({ "from": day(today.plus(-300 * Millis::DAY)), "to": day(today) });
    let mut all = vec![
        ("/v2/api/crm/people/search", json!({ "search": "zoe", "size": 2 })),
        ("/v2/api/crm/people/search", json!({ "sort": "NAME_ASC" })),
        ("/v2/api/crm/companies/search", json!({})),
        ("/v2/api/crm/deals/search", json!({})),
    ];
    for body in [
        json!({ "search": "flour" }),
        json!({ "search": "ete late", "sort": "RELEVANCE", "extend": "transcript" }),
        json!({ "tags": ["vip"] }),
        json!({ "type": "SMS", "direction": "INBOUND", "size": 3 }),
        json!({ "result": "MISSED" }),
        json!({ "unread": true }),
        json!({ "unresponded": true }),
        json!({ "date": date }),
    ] {
        all.push(("/v2/api/conversations/items/search", body));
    }
    for group in ["USER", "ALLO_NUMBER", "TAG"] {
        all.push((
            "/v2/api/analytics/overview",
            json!({ "date": date, "group_by": group, "compare_date": date }),
        ));
    }
    for path in ["outbound", "inbound", "messages"] {
        let path: &'static str = Box::leak(format!("/v2/api/analytics/{path}").into_boxed_str());
        all.push((path, json!({ "date": date, "granularity": "WEEK" })));
    }
    for (path, body) in all {
        let reply = eventually(Duration::from_secs(60), "an answer", async || {
            let reply = api.post(path, &body).await;
            // The text index is being built.
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text);
        told.insert(format!("{path} {body}"), settled(&reply.text));
    }
}
