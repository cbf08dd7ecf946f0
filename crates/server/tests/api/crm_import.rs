//! Bulk import of people: files over HTTP, worked on behind the scenes.

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::Millis;
use trunkline_domain::events::Topic;
use trunkline_switchboard::people_import::work_once;
use trunkline_switchboard::sweeper;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, number, sarah, us};

use crate::support::{assert_error, authorization, events_of, searchable, text_in};

trunkline_testkit::on_both! {
    a_file_becomes_people,
    the_same_file_once_more_changes_nothing,
    json_lines_are_as_good,
    faulty_rows_are_told_and_the_others_imported,
    what_is_no_file_is_refused,
    an_import_goes_on_where_it_stopped,
    a_repeated_upload_is_one_import,
    what_came_of_an_import_is_kept_for_a_month,
}

const IMPORT: &str = "/v2/api/crm/people/import";

/// Sends a file to be imported.
pub async fn upload(app: &TestApp, media_type: &str, file: &str) -> Reply {
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Content-Type", media_type)];
    app.send_with(Method::POST, IMPORT, &headers, Some(file.to_owned()))
        .await
}

/// Imports a file to the end.
async fn imported(app: &TestApp, media_type: &str, file: &str) -> Value {
    let begun = upload(app, media_type, file).await;
    assert_eq!(begun.status, 202, "{}", begun.text);
    while work_once(&app.board).await.unwrap() {}
    let id = begun.data()["id"].as_str().unwrap();
    let done = app.get(&format!("{IMPORT}/{id}")).await.data().clone();
    assert_eq!(done["state"], "DONE", "{done}");
    app.office.assert_sound().await;
    done
}

fn counts(import: &Value) -> [i64; 6] {
    ["total", "done", "created", "updated", "unchanged", "failed"].map(|name| import[name].as_i64().unwrap())
}

async fn find(app: &TestApp, search: &str) -> Value {
    let reply = app
        .post("/v2/api/crm/people/search", &json!({ "search": search }))
        .await;
    assert_eq!(
        reply.data().as_array().unwrap().len(),
        1,
        "{search}: {}",
        reply.text
    );
    reply.data()[0].clone()
}

const FILE: &str = "Name,Last Name,Numbers,Emails,Company,Lead_Source,Shoe Size\n\
    Nora,Lindqvist,+16285550199;(628) 555-0198,Nora@nora.example,ACME,Fair,43\n\
    \"Bob, Jr.\",,628-555-0197,,Acme,,\n\
    ,Johnson-Smith,415-555-1234,sally@bakery.example,johnson BAKERY,,\n";

async fn a_file_becomes_people(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), number("+16285550198"), "I was here before").await;
    let done = imported(&app, "text/csv", FILE).await;
    assert_eq!(counts(&done), [3, 3, 2, 1, 0, 0], "{done}");
    let nora = find(&app, "nora").await;
    for (field, value) in [
        ("last_name", json!("Lindqvist")),
        ("numbers", json!(["+16285550199", "+16285550198"])),
        ("emails", json!(["nora@nora.example"])),
        ("lead_source", json!("Fair")),
        ("interactions", json!(1)),
    ] {
        assert_eq!(nora[field], value, "{field}");
    }
    let bob = find(&app, "bob").await;
    assert_eq!(
        (&bob["name"], &bob["company"]),
        (&json!("Bob, Jr."), &nora["company"]),
        "one company, in any case"
    );
    // Who is there already has more afterwards, and nothing less.
    let sarahs = find(&app, sarah().as_str()).await;
    for (field, value) in [
        ("name", json!("Sarah")),
        ("last_name", json!("Johnson-Smith")),
        ("job_title", json!("Owner")),
        (
            "emails",
            json!([
                "sarah@bakery.example",
                "orders@bakery.example",
                "sally@bakery.example"
            ]),
        ),
    ] {
        assert_eq!(sarahs[field], value, "{field}");
    }
    assert_eq!(sarahs["company"]["id"], json!(app.office.bakery));
    let told = events_of(&app, Topic::ContactCreated, 0).await;
    assert!(told.last().unwrap().payload.contains("Bob, Jr."));
    assert_eq!(events_of(&app, Topic::ContactUpdated, 0).await.len(), 1);
}

async fn the_same_file_once_more_changes_nothing(db: TestDb) {
    let app = searchable(db).await;
    imported(&app, "text/csv", FILE).await;
    app.office.clock.advance(60_000);
    let before = app.office.last_event().await;
    let again = imported(&app, "text/csv", FILE).await;
    assert_eq!(counts(&again), [3, 3, 0, 0, 3, 0], "{again}");
    assert_eq!(app.office.last_event().await, before, "nothing is told");
    let companies = app.post("/v2/api/crm/companies/search", &json!({})).await;
    assert_eq!(companies.json["pagination"]["total_count"], 2);
}

async fn json_lines_are_as_good(db: TestDb) {
    let app = searchable(db).await;
    let property = json!({ "key": "size", "name": "Size", "type": "NUMBER" });
    assert_eq!(app.post("/v2/api/crm/properties", &property).await.status, 201);
    let file = "{\"name\": \"Nora\", \"numbers\": [\"+16285550199\"], \"size\": 4.5}\n\n\
                {\"name\": \"Bob\", \"phone\": \"(628) 555-0198\", \"size\": \"7\", \"email\": null}\n";
    let done = imported(&app, "application/x-ndjson", file).await;
    assert_eq!(counts(&done), [2, 2, 2, 0, 0, 0], "{done}");
    assert_eq!(find(&app, "nora").await["size"], json!(4.5));
    assert_eq!(find(&app, "bob").await["size"], json!(7.0));
    // A number twice in a file is one person.
    let twice = "{\"name\": \"Ann\", \"numbers\": [\"+16285550177\"]}\n{\"last_name\": \"Lee\", \"numbers\": [\"+16285550177\"]}\n";
    let done = imported(&app, "application/x-ndjson", twice).await;
    assert_eq!(counts(&done), [2, 2, 1, 1, 0, 0], "{done}");
    assert_eq!(find(&app, "ann lee").await["last_name"], "Lee");
}

async fn faulty_rows_are_told_and_the_others_imported(db: TestDb) {
    let app = searchable(db).await;
    let many = (0..21)
        .map(|i| format!("+1628555{i:04}"))
        .collect::<Vec<_>>()
        .join(";");
    let file = format!(
        "name,numbers,emails,company\n\
         Fine,+16285550199,,\n\
         NoNumber,,,\n\
         BadNumber,12,,\n\
         BadMail,+16285550198,nobody,\n\
         {},+16285550197,,\n\
         Many,{many},,\n\
         TwoOwners,+14155551234;+33612345678,,\n\
         Too,many,fields,in,this\n\
         AlsoFine,+16285550196,,\n",
        "x".repeat(256)
    );
    let done = imported(&app, "text/csv; charset=utf-8", &file).await;
    assert_eq!(counts(&done), [9, 9, 2, 0, 0, 7], "{done}");
    let errors = done["errors"].as_array().unwrap();
    let mut told: Vec<(u64, &str, &str)> = errors
        .iter()
        .map(|error| {
            assert!(!error["message"].as_str().unwrap().is_empty());
            (
                error["row"].as_u64().unwrap(),
                error["code"].as_str().unwrap(),
                error["param"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    told.sort_unstable();
    let expected = [
        (3, "MISSING_PARAMETER", "numbers"),
        (4, "INVALID_PHONE_FORMAT", "numbers"),
        (5, "INVALID_PARAMETER", "emails"),
        (6, "INVALID_LENGTH", "name"),
        (7, "INVALID_PARAMETER", "numbers"),
        (8, "NUMBER_ALREADY_ASSIGNED", "numbers"),
        (9, "INVALID_REQUEST_BODY", "-"),
    ];
    assert_eq!(told, expected);
}

async fn what_is_no_file_is_refused(db: TestDb) {
    let app = searchable(db).await;
    for media_type in ["application/json", "text/plain", ""] {
        assert_error(
            &upload(&app, media_type, "name\nx\n").await,
            "UNSUPPORTED_MEDIA_TYPE",
        );
    }
    for (media_type, nothing) in [
        ("text/csv", ""),
        ("application/x-ndjson", ""),
        ("application/json", ""),
        ("text/csv", "\r\n"),
        ("application/x-ndjson", "\n\n"),
    ] {
        let reply = upload(&app, media_type, nothing).await;
        assert_error(&reply, "INVALID_REQUEST_BODY");
        assert_eq!(reply.json["error"]["message"], "the file is empty");
    }
    let many = format!("name\n{}", "x\n".repeat(100_001));
    let reply = upload(&app, "text/csv", &many).await;
    assert_error(&reply, "PAYLOAD_TOO_LARGE");
    assert!(
        reply.json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("100000"),
        "{}",
        reply.text
    );
    assert!(!work_once(&app.board).await.unwrap(), "nothing was begun");
    let nothing = imported(&app, "text/csv", "name,numbers\n").await;
    assert_eq!(counts(&nothing), [0; 6]);
}

async fn an_import_goes_on_where_it_stopped(db: TestDb) {
    let app = searchable(db).await;
    let rows: String = (0..2_500).map(|i| format!("P{i},+1628556{i:04}\n")).collect();
    let begun = upload(&app, "text/csv", &format!("name,numbers\n{rows}")).await;
    assert_eq!(
        (&begun.data()["state"], &begun.data()["total"]),
        (&json!("RUNNING"), &json!(2_500))
    );
    let id = begun.data()["id"].as_str().unwrap().to_owned();
    // One chunk by somebody who then is gone.
    let import = id.parse().unwrap();
    crate::support::command(&app, move |work| {
        trunkline_switchboard::people_import::step(work, import)
    })
    .await;
    let half = app.get(&format!("{IMPORT}/{id}")).await.data().clone();
    assert_eq!(
        (half["state"].as_str(), counts(&half)),
        (Some("RUNNING"), [2_500, 2_000, 2_000, 0, 0, 0])
    );
    assert!(work_once(&app.board).await.unwrap());
    let done = app.get(&format!("{IMPORT}/{id}")).await.data().clone();
    assert_eq!(
        (done["state"].as_str(), counts(&done)),
        (Some("DONE"), [2_500, 2_500, 2_500, 0, 0, 0])
    );
    assert!(!work_once(&app.board).await.unwrap());
    app.office.assert_sound().await;
}

async fn a_repeated_upload_is_one_import(db: TestDb) {
    let app = searchable(db).await;
    let own = authorization(&app.key);
    let headers = [
        ("Authorization", own.as_str()),
        ("Content-Type", "text/csv"),
        ("Idempotency-Key", "once"),
    ];
    let first = app
        .send_with(Method::POST, IMPORT, &headers, Some(FILE.to_owned()))
        .await;
    let again = app
        .send_with(Method::POST, IMPORT, &headers, Some(FILE.to_owned()))
        .await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.text),
        ("true", &first.text)
    );
    let other = app
        .send_with(Method::POST, IMPORT, &headers, Some("name\n".to_owned()))
        .await;
    assert_error(&other, "IDEMPOTENCY_KEY_REUSE");
}

async fn what_came_of_an_import_is_kept_for_a_month(db: TestDb) {
    let app = searchable(db).await;
    let id = imported(&app, "text/csv", FILE).await["id"].clone();
    let path = format!("{IMPORT}/{}", id.as_str().unwrap());
    for (days, status) in [(29, 200), (2, 404)] {
        app.office.clock.advance(days * Millis::DAY);
        sweeper::prune(&app.board, 365 * Millis::DAY).await.unwrap();
        assert_eq!(app.get(&path).await.status, status);
    }
}
