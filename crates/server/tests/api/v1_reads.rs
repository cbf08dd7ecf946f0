//! Version 1 of the API: calls, contacts and numbers as its clients know them.

use serde_json::{Value, json};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, number, sarah, us};

use crate::support::{World, encoded};

trunkline_testkit::on_both! {
    calls_of_a_line,
    contacts_are_listed_read_and_counted_from_zero,
    a_contact_is_extended_by_what_is_asked_for,
    everything_between_a_contact_and_the_team,
    a_contact_is_made_and_changed,
    faults_have_the_form_of_version_1,
    numbers_tell_who_shares_them,
}

const CONTACTS: &str = "/v1/api/contacts";

fn results(reply: &Reply) -> &Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.data()["results"].as_array().unwrap()
}

fn contact(world: &World) -> String {
    format!("/v1/api/contact/{}", world.app.office.sarah)
}

#[track_caller]
fn assert_fault(reply: &Reply, status: u16, code: &str, field: Option<&str>) {
    assert_eq!(
        (reply.status, &reply.json["code"]),
        (status, &json!(code)),
        "{}",
        reply.text
    );
    let named = &reply.json["details"][0]["field"];
    assert_eq!(named.as_str(), field, "{}", reply.text);
    assert!(reply.json.get("error").is_none(), "{}", reply.text);
}

async fn calls_of_a_line(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let path = format!("/v1/api/calls?allo_number={}", encoded(us()));
    let reply = app.get(&path).await;
    let all = results(&reply).clone();
    let call = all
        .iter()
        .find(|call| call["id"] == world.call.to_string().as_str())
        .unwrap();
    let v2 = app
        .get(&format!(
            "/v2/api/conversations/items/{}?extend=transcript",
            world.call
        ))
        .await;
    let item = v2.data();
    assert_eq!(
        (&call["from_number"], &call["to_number"]),
        (&json!(sarah()), &json!(us()))
    );
    assert_eq!(
        (&call["type"], &call["summary"]),
        (&json!("INBOUND"), &item["summary"])
    );
    assert_eq!((&call["tags"], &call["tag"]), (&item["tags"], &item["tags"][0]));
    assert_eq!(
        (&call["start_date"], &call["result"]),
        (&item["date"], &item["result"])
    );
    let minutes = item["duration"].as_f64().unwrap() / 60.0;
    assert!((call["length_in_minutes"].as_f64().unwrap() - minutes).abs() < 0.01);
    let (lines, theirs) = (&call["transcript"], &item["transcript"]);
    assert_eq!(lines.as_array().unwrap().len(), theirs.as_array().unwrap().len());
    assert_eq!(lines[0]["text"], theirs[0]["text"]);
    assert!(lines[0]["start_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(lines[0]["end_seconds"], lines[1]["start_seconds"]);

    // Newest first, in pages from 0, that add up.
    let mut walked = Vec::new();
    let pages = app.get(&format!("{path}&size=1")).await.data()["metadata"]["total_pages"]
        .as_i64()
        .unwrap();
    assert_eq!(usize::try_from(pages).unwrap(), all.len());
    for page in 0..=pages {
        let reply = app.get(&format!("{path}&size=1&page={page}")).await;
        assert_eq!(reply.data()["metadata"]["current_page"], page);
        walked.extend(results(&reply).clone());
    }
    assert_eq!(walked, all);
    let theirs = app
        .get(&format!("{path}&contact_number={}", encoded(sarah())))
        .await;
    assert!(
        results(&theirs)
            .iter()
            .all(|call| call["from_number"] == json!(sarah()))
    );
    let nobody = app
        .get(&format!(
            "{path}&contact_number={}",
            encoded(number("+14155559999"))
        ))
        .await;
    assert_eq!(
        nobody.data(),
        &json!({ "results": [], "metadata": { "total_pages": 0, "current_page": 0 } })
    );
}

async fn contacts_are_listed_read_and_counted_from_zero(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let people = app
        .post("/v2/api/crm/people/search", &json!({ "size": 100 }))
        .await;
    let people = people.data().as_array().unwrap().clone();
    let reply = app.get(&format!("{CONTACTS}?size=100")).await;
    let all = results(&reply).clone();
    let ids = |all: &[Value]| -> Vec<String> {
        let bare = |one: &Value| one["id"].as_str().unwrap()[4..].to_owned();
        all.iter().map(bare).collect()
    };
    assert_eq!(ids(&all), ids(&people));
    let counted = json!({ "pagination": { "total_pages": 1, "current_page": 0 } });
    assert_eq!(reply.data()["metadata"], counted);
    let known = all
        .iter()
        .find(|one| one["id"] == app.office.sarah.to_string().as_str())
        .unwrap();
    assert_eq!(known["engagement"], "ENGAGED");
    assert_eq!(
        (&known["is_archived"], &known["is_whitelisted"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(known["company"]["name"], "Johnson Bakery");
    assert!(known["last_activity_date"].is_string());
    for (page, expected) in all.iter().enumerate() {
        let one = app.get(&format!("{CONTACTS}?size=1&page={page}")).await;
        assert_eq!(results(&one)[0], *expected);
    }
    assert!(results(&app.get(&format!("{CONTACTS}?page=1000")).await).is_empty());
}

async fn a_contact_is_extended_by_what_is_asked_for(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let plain = app.get(&contact(&world)).await;
    let plain = plain.data();
    assert!(
        plain.get("engagement").is_none() && plain.get("activity").is_none(),
        "{plain}"
    );
    assert_eq!(
        (&plain["numbers"][0], &plain["integration_data"]),
        (&json!(sarah()), &json!({}))
    );
    let list = plain["conversation_url"].as_str().unwrap();
    assert_eq!(app.get(list).await.status, 200);

    let both = app
        .get(&format!("{}?extend=engagement,%20activity", contact(&world)))
        .await;
    let both = both.data();
    assert_eq!(both["engagement"], "ENGAGED");
    let activity = both["activity"].as_array().unwrap();
    let call = activity.iter().find(|one| one["type"] == "INBOUND_CALL").unwrap();
    assert_eq!(
        (&call["allo_number"], &call["content"]),
        (&json!(us()), &Value::Null)
    );
    let text = activity.iter().find(|one| one["type"] == "INBOUND_SMS").unwrap();
    assert!(
        text["content"].is_string() && text["allo_number"].is_null(),
        "{text}"
    );
    let made: Vec<&str> = activity
        .iter()
        .map(|one| one["made_at"].as_str().unwrap())
        .collect();
    assert!(made.is_sorted_by(|one, next| one >= next), "{made:?}");

    // Nothing was ever said to somebody new, and the team reaching out once is not yet being in touch.
    let fresh = app.post(CONTACTS, &json!({ "numbers": ["+16285550123"] })).await;
    assert_eq!(fresh.data()["engagement"], Value::Null);
    assert_eq!(fresh.data()["last_activity_date"], Value::Null);
    let wrong = app.get(&format!("{}?extend=transcript", contact(&world))).await;
    assert_fault(&wrong, 400, "UNSUPPORTED_EXTEND_VALUE", Some("extend"));
}

async fn everything_between_a_contact_and_the_team(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let path = format!("{}/conversation", contact(&world));
    let reply = app.get(&format!("{path}?size=100")).await;
    let all = results(&reply).clone();
    let search = json!({ "contact_number": sarah(), "size": 100 });
    let items = app.post("/v2/api/conversations/items/search", &search).await;
    let items = items.data().as_array().unwrap().clone();
    let id = |record: &Value| {
        let (is_call, is_text) = (record["call"].is_object(), record["message"].is_object());
        assert!(is_call != is_text, "{record}");
        let field = if record["type"] == "CALL" {
            "call"
        } else {
            "message"
        };
        record[field]["id"].clone()
    };
    assert_eq!(
        all.iter().map(id).collect::<Vec<_>>(),
        items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    );
    let text = all
        .iter()
        .find(|record| record["type"] == "TEXT_MESSAGE")
        .unwrap();
    assert_eq!(text["message"]["from_number"], json!(sarah()));
    let pages = json!({ "pagination": { "total_pages": all.len(), "current_page": 1 } });
    let second = app.get(&format!("{path}?size=1&page=1")).await;
    assert_eq!(
        (second.data()["metadata"].clone(), results(&second)[0].clone()),
        (pages, all[1].clone())
    );

    // A second number of the contact's belongs to it too; a line limits it.
    app.post(
        "/sandbox/messages",
        &json!({ "from": "+16285550124", "to": fr(), "content": "From my other phone" }),
    )
    .await;
    let numbers = json!({ "numbers": [sarah(), "+16285550124"] });
    let changed = app
        .put(&format!("{CONTACTS}/{}", app.office.sarah), &numbers)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let more = app.get(&format!("{path}?size=100")).await;
    assert_eq!(results(&more).len(), all.len() + 1);
    assert_eq!(results(&more)[0]["message"]["content"], "From my other phone");
    let there = app.get(&format!("{path}?allo_number={}", encoded(fr()))).await;
    assert!(results(&there).iter().all(|record| {
        let field = if record["type"] == "CALL" {
            "call"
        } else {
            "message"
        };
        record[field]["to_number"] == json!(fr()) || record[field]["from_number"] == json!(fr())
    }));
    assert!(!results(&there).is_empty());
}

async fn a_contact_is_made_and_changed(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let body = json!({
        "name": "John", "last_name": "Doe", "job_title": "CEO", "website": "https://acme.example",
        "emails": ["john@acme.example"], "numbers": ["+16285550125"],
    });
    let made = app.post(CONTACTS, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.data().clone();
    for field in ["name", "last_name", "job_title", "website", "numbers", "emails"] {
        assert_eq!(made[field], body[field], "{field}");
    }
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cnt-"), "{id}");
    let path = format!("{CONTACTS}/{id}");
    let changed = app
        .put(
            &path,
            &json!({ "last_name": "Smith", "website": null, "emails": [] }),
        )
        .await;
    let changed = changed.data();
    assert_eq!(
        (&changed["name"], &changed["last_name"]),
        (&json!("John"), &json!("Smith"))
    );
    assert_eq!(
        (&changed["website"], &changed["emails"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(changed["numbers"], body["numbers"]);
    let person = app.get(&format!("/v2/api/crm/people/{id}")).await;
    assert_eq!(person.data()["last_name"], "Smith", "one record");
}

async fn refused(app: &TestApp, path: &str, body: Value, code: &str, field: Option<&str>) {
    let reply = app.post(path, &body).await;
    let status = if code == "NUMBER_ALREADY_ASSIGNED" {
        409
    } else {
        400
    };
    assert_fault(&reply, status, code, field);
}

async fn faults_have_the_form_of_version_1(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    refused(app, CONTACTS, json!({}), "MISSING_PARAMETER", Some("numbers")).await;
    refused(
        app,
        CONTACTS,
        json!({ "numbers": ["0155"] }),
        "INVALID_PHONE_FORMAT",
        Some("numbers"),
    )
    .await;
    refused(
        app,
        CONTACTS,
        json!({ "numbers": [sarah()] }),
        "NUMBER_ALREADY_ASSIGNED",
        Some("numbers"),
    )
    .await;
    let unknown = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    for path in [unknown, "cnt-nonsense"] {
        let single = format!("/v1/api/contact/{path}");
        assert_fault(
            &app.get(&single).await,
            400,
            "CONTACT_NOT_FOUND",
            Some("contact_id"),
        );
        let list = format!("{single}/conversation");
        assert_fault(
            &app.get(&list).await,
            400,
            "CONTACT_NOT_FOUND",
            Some("contact_id"),
        );
        let reply = app
            .put(&format!("{CONTACTS}/{path}"), &json!({ "name": "X" }))
            .await;
        assert_fault(&reply, 400, "CONTACT_NOT_FOUND", Some("contact_id"));
    }
    let reply = app.get(&format!("{CONTACTS}?size=101")).await;
    assert_fault(&reply, 400, "INVALID_PAGE_SIZE", Some("size"));
    let reply = app.get(&format!("{CONTACTS}?page=-1")).await;
    assert_fault(&reply, 400, "INVALID_PARAMETER", Some("page"));
    let reply = app.get("/v1/api/calls").await;
    assert_fault(&reply, 400, "MISSING_ALLO_NUMBER", Some("allo_number"));
    let reply = app.get("/v1/api/calls?allo_number=%2B14155559999").await;
    assert_fault(&reply, 400, "PHONE_NUMBER_NOT_FOUND", Some("allo_number"));
}

async fn numbers_tell_who_shares_them(db: TestDb) {
    let world = World::open(db).await;
    let reply = world.app.get("/v1/api/numbers").await;
    let v2 = world.app.get("/v2/api/numbers").await;
    let numbers: Vec<&Value> = v2
        .data()
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["number"].is_string())
        .collect();
    let all = reply.data().as_array().unwrap();
    assert_eq!(all.len(), numbers.len());
    for (one, known) in all.iter().zip(numbers) {
        let shared = known["users"].as_array().unwrap().len() > 1;
        let expected = json!({
            "number": known["number"], "name": known["name"], "country": known["country"], "is_shared_number": shared,
        });
        assert_eq!(*one, expected);
    }
}
