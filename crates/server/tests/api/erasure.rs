//! Erasure of a person over HTTP: nothing of it is left in any file or table, and everybody else's is.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::events::Topic;
use trunkline_domain::{
    CallId, ContactId, DealId, Direction, ErrorCode, MediaId, MessageId, Millis, PhoneNumber, Speaker,
    SummaryTemplate,
};
use trunkline_store::{Conn, StoreError, params};
use trunkline_switchboard::calls::{Leftover, Step};
use trunkline_switchboard::notes::{self, Line};
use trunkline_switchboard::threads::{self, Entity};
use trunkline_switchboard::{audit, media};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Engine, TestDb, fr, marie, number, sarah, us};
use trunkline_webhooks::Options;

use crate::crm_people::{PEOPLE, person};
use crate::support::{
    assert_error, authorization, command, encoded, events_of, line, missed_call, record, sarahs_call,
    searchable, text_in, text_out, wait_for,
};
use crate::traces::{Kept, heap_files};
use crate::webhooks::make;

trunkline_testkit::on_both! {
    nothing_of_a_person_is_left,
    nothing_can_be_read_once_it_is_answered,
    others_stay_as_they_are,
    a_number_of_two_people_keeps_its_history_until_both_are_erased,
    an_opt_out_outlives_the_person,
    what_waits_to_be_sent_is_not,
    what_receivers_wait_for_comes_without_the_person,
    an_archived_person_is_erased_too,
    a_call_that_lasts_is_waited_for,
    erase_is_true_or_false,
    a_person_is_erased_once,
}

/// Of a person who is to be erased: one word for each place.
const WORDS: [&str; 26] = [
    "Quixzana",
    "Bromelgard",
    "zelkova@hyxtra.example",
    "Wuffletree",
    "Dravidist",
    "hyxtra-home.example",
    "prumblewick",
    "gorblaxian",
    "flumbertox",
    "snarkwhistle",
    "ploverquartz",
    "vexillumer",
    "tarkwibble",
    "oblongatus",
    "quaggamire",
    "zorptangle",
    "mirkwollop",
    "huzzlebunk",
    "yttrandelle",
    "pneumatoxin",
    "jabbercrust",
    "kwyjibolene",
    "grizzlewump",
    "12025550147",
    "12025550148",
    "fizzlebatch",
];

/// Her numbers: her own, and that of the person who was merged into her.
const OWN: &str = "+12025550147";
const MERGED: &str = "+12025550148";

struct Person {
    id: String,
    merged: String,
    call: CallId,
    text: MessageId,
    note: String,
}

async fn erase(app: &TestApp, id: &str) -> Reply {
    app.delete(&format!("{PEOPLE}/{id}?erase=true")).await
}

/// Waits until files, index and free space of the database have nothing more of it.
async fn until_scrubbed(app: &TestApp, erasures: usize) {
    let team = app.office.team;
    for _ in 0..2_000 {
        let read = app
            .board
            .db()
            .read(move |conn| trunkline_store::audit::list(conn, team, 100));
        let entries = read.await.unwrap();
        if entries
            .iter()
            .filter(|entry| entry.action == "person.erasure_completed")
            .count()
            >= erasures
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the erasure was never done");
}

fn quickly() -> Options {
    Options {
        poll: Duration::from_millis(20),
        ..Options::default()
    }
}

async fn keyed(app: &TestApp, method: Method, path: &str, key: &str, body: &Value) -> Reply {
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", key)];
    app.send_with(method, path, &headers, Some(body.to_string()))
        .await
}

/// A person with an unusual word in every place that can tell of one.
async fn unusual(app: &TestApp, catcher: &Catcher) -> Person {
    let (own, merged) = (number(OWN), number(MERGED));
    let property = json!({ "key": "hobby", "name": "Hobby", "type": "TEXT" });
    assert_eq!(app.post("/v2/api/crm/properties", &property).await.status, 201);
    let body = json!({
        "name": "Quixzana", "last_name": "Bromelgard", "emails": ["zelkova@hyxtra.example"], "numbers": [OWN],
        "address": "9 Wuffletree Lane", "job_title": "Dravidist", "website": "https://hyxtra-home.example",
        "hobby": "prumblewick", "company_id": app.office.bakery,
    });
    let made = keyed(app, Method::POST, PEOPLE, "make", &body).await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    let other = json!({ "name": "yttrandelle", "numbers": [MERGED] });
    let other = person(app, other).await["id"].as_str().unwrap().to_owned();
    missed_call(app, us(), merged).await;
    let merge = app
        .post(&format!("{PEOPLE}/{id}/merge"), &json!({ "person_id": other }))
        .await;
    assert_eq!(merge.status, 200, "{}", merge.text);
    let deal = json!({ "name": "Flour again" });
    let deal = app.post("/v2/api/crm/deals", &deal).await.data()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (deal, contact): (DealId, ContactId) =
        (deal.parse().unwrap(), id.replace("per-", "cnt-").parse().unwrap());
    command(app, move |work| {
        let sql = "INSERT INTO deal_contacts (team_id, contact_id, deal_id) VALUES ($1, $2, $3)";
        Ok(work.tx.execute(sql, params![work.team, contact, deal])?)
    })
    .await;
    let text = text_in(app, us(), own, "gorblaxian greetings").await;
    let sent = json!({ "from": us(), "to": OWN, "message": "flumbertox to you" });
    let reply = keyed(app, Method::POST, "/v1/api/sms", "send", &sent).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let call = long_call(app, own).await;
    let note = talk(app, own, &id, call).await;
    let medium: MediaId = command(app, |work| Ok(work.new_id(work.now))).await;
    let source = format!("{}/fizzlebatch.png", catcher.url());
    command(app, move |work| {
        media::note(work, text, &[(medium, source.clone())])
    })
    .await;
    faulty_import(app).await;
    Person {
        id,
        merged: other,
        call,
        text,
        note,
    }
}

async fn long_call(app: &TestApp, own: PhoneNumber) -> CallId {
    let at = app.board.now().plus(-Millis::MINUTE);
    let said = |text: &str| vec![line(Speaker::External, at.plus(5_000), text)];
    let mut extracted = serde_json::Map::new();
    extracted.insert("name".to_owned(), "vexillumer".into());
    let steps = vec![
        Step::Answer(Some(app.office.ada), at.plus(4_000)),
        Step::Leave(Leftover::Transcript(said("snarkwhistle is what I said"))),
        Step::Leave(Leftover::Summary(
            SummaryTemplate::Classic,
            "About ploverquartz.".to_owned(),
        )),
        Step::Leave(Leftover::Recording {
            url: "https://media.example/tarkwibble.mp3".to_owned(),
            seconds: 20,
        }),
        Step::Leave(Leftover::Extracted(extracted)),
        Step::End(EndCause::HungUp, None, at.plus(30_000)),
        Step::Complete(at.plus(31_000)),
    ];
    record(app, Direction::Inbound, us(), own, at, steps).await
}

/// What the team says of her. Returns the id of a note on her conversation.
async fn talk(app: &TestApp, own: PhoneNumber, id: &str, call: CallId) -> String {
    let (by, contact) = (app.office.by_ada(), id.replace("per-", "cnt-").parse().unwrap());
    let note = command(app, move |work| {
        let line = Line::Number(us());
        let note = notes::on_conversation(work, own, &line, "oblongatus noted", &by)?
            .row
            .id;
        notes::on_contact(work, contact, "quaggamire noted", &by)?;
        threads::create(work, Entity::Call(call), "zorptangle said", &by)?;
        threads::create(work, Entity::Note(note), "mirkwollop said", &by)?;
        Ok(note)
    })
    .await;
    let path = format!("/v2/api/conversations/{}/notes", encoded(own));
    let body = json!({ "content": "jabbercrust", "allo_number": us() });
    let reply = keyed(app, Method::POST, &path, "note", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let path = format!("{PEOPLE}/{id}/notes");
    let reply = keyed(
        app,
        Method::POST,
        &path,
        "person-note",
        &json!({ "content": "kwyjibolene" }),
    )
    .await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    note.to_string()
}

/// An import with a row that tells of her in its error, and one that is about her and still waits.
async fn faulty_import(app: &TestApp) {
    let file = "name,numbers,emails\nX,+14155550177,bromelgard huzzlebunk\n";
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Content-Type", "text/csv")];
    let path = format!("{PEOPLE}/import");
    let begun = app
        .send_with(Method::POST, &path, &headers, Some(file.to_owned()))
        .await;
    assert_eq!(begun.status, 202, "{}", begun.text);
    while trunkline_switchboard::people_import::work_once(&app.board)
        .await
        .unwrap()
    {}
    let rows = json!([[2, { "name": "Grizzlewump", "numbers": OWN }], [3, { "name": "Zoe", "numbers": "+14155550178" }]]);
    let (team, rows) = (app.office.team, rows.to_string());
    let waits = move |tx: &mut trunkline_store::Tx<'_>| {
        let sql = "INSERT INTO import_chunks (team_id, id, chunk, rows) VALUES ($1, 'imp-waits', 0, $2)";
        tx.execute(sql, params![team, &rows])
    };
    app.board.db().write::<_, StoreError, _>(waits).await.unwrap();
}

/// Waits until her picture is there.
async fn until_kept(app: &TestApp) {
    for _ in 0..500 {
        let kept = "SELECT COUNT(*) FROM media WHERE state = 'KEPT'";
        let read = app
            .board
            .db()
            .read(move |conn| conn.row(kept, &[], |row| row.get::<i64>(0)));
        if read.await.unwrap() == Some(1) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("her picture was never fetched");
}

async fn nothing_of_a_person_is_left(db: TestDb) {
    let (location, engine) = (db.location().clone(), db.engine());
    let app = searchable(db).await;
    let (pictures, hooks) = (Catcher::start().await, Catcher::start().await);
    pictures.answer(
        Answer::status(200)
            .header("content-type", "image/png")
            .body("pneumatoxin, not quite a picture"),
    );
    // A receiver that repeats whatever it is told.
    hooks.answer_with(|received| Answer::status(503).body(received.body.clone()));
    let topics = [
        "sms.received",
        "call.completed",
        "contact.created",
        "conversation_note.created",
    ];
    make(&app, hooks.url(), &topics, json!({})).await;
    app.deliver(quickly());
    let her = unusual(&app, &pictures).await;
    until_kept(&app).await;
    hooks
        .wait_until(|received| received.topic() == "conversation_note.created")
        .await;
    let call = her.call;
    let found = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "search": "snarkwhistle" }),
        )
        .await;
    assert_eq!(
        found.json["pagination"]["total_count"], 1,
        "{call}: {}",
        found.text
    );
    let before = Kept::read(&app, &location).await;
    for word in WORDS {
        assert!(
            !before.places_of(word).is_empty(),
            "{word} is nowhere, so that it cannot be missed"
        );
    }
    let reports = reports(&app).await;

    let reply = erase(&app, &her.id).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    // As the answer has it, nothing can be read any more; files and index follow.
    until_scrubbed(&app, 1).await;
    let after = Kept::read(&app, &location).await;
    assert_eq!(after.of(&WORDS), []);
    assert!(!after.places_of("999").is_empty() && !after.places_of("Johnson").is_empty());
    if engine == Engine::Postgres {
        // Pages have what was in them until they are filled again, or until the operator has them written anew.
        let full = |conn: &mut Conn<'_>| -> Result<(), StoreError> {
            for sql in ["VACUUM FULL", "CHECKPOINT"] {
                conn.execute(sql, &[])?;
            }
            Ok(())
        };
        app.board.db().scan(full).await.unwrap();
        if let Some(files) = heap_files(&app).await {
            assert!(!files.places_of("Johnson").is_empty());
            assert_eq!(files.of(&WORDS), []);
        }
    }
    assert_eq!(self::reports(&app).await, reports, "reports count the same");
    app.office.assert_sound().await;
    assert_eq!(
        std::fs::read_dir(app.media_dir.join(app.office.team.0.to_string()))
            .unwrap()
            .count(),
        0
    );
}

/// What reports, lists and totals say.
async fn reports(app: &TestApp) -> Vec<Value> {
    let range = json!({ "date": { "from": "2026-04-01", "to": "2026-04-30" } });
    let mut all = Vec::new();
    for path in ["overview", "inbound", "outbound", "messages"] {
        let reply = app.post(&format!("/v2/api/analytics/{path}"), &range).await;
        all.push(reply.data().clone());
    }
    let items = app.post("/v2/api/conversations/items/search", &json!({})).await;
    all.push(items.json["pagination"]["total_count"].clone());
    let lists = app
        .get(&format!("/v2/api/conversations?allo_number={}", encoded(us())))
        .await;
    all.push(lists.json["pagination"]["total_count"].clone());
    all
}

async fn nothing_can_be_read_once_it_is_answered(db: TestDb) {
    let app = searchable(db).await;
    let pictures = Catcher::start().await;
    let her = unusual(&app, &pictures).await;
    let reply = erase(&app, &her.id).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    let conversation = encoded(number(OWN));
    for (path, code) in [
        (format!("{PEOPLE}/{}", her.id), ErrorCode::PersonNotFound),
        (format!("{PEOPLE}/{}", her.merged), ErrorCode::PersonNotFound),
        (format!("{PEOPLE}/{}/notes", her.id), ErrorCode::PersonNotFound),
        (
            format!("/v2/api/conversations/notes/{}", her.note),
            ErrorCode::NoteNotFound,
        ),
        (
            format!("/v2/api/threads?entity_type=CALL&entity_id={}", her.call),
            ErrorCode::ThreadNotFound,
        ),
    ] {
        assert_error(&app.get(&path).await, code.as_str());
    }
    let back = app
        .put(&format!("{PEOPLE}/{}", her.id), &json!({ "archived": false }))
        .await;
    assert_error(&back, "PERSON_NOT_FOUND");
    let call = app
        .get(&format!(
            "/v2/api/conversations/items/{}?extend=transcript",
            her.call
        ))
        .await;
    let call = call.data();
    assert_eq!(
        (
            &call["result"],
            &call["duration"],
            &call["summary"],
            &call["recording_url"],
            &call["contacts"]
        ),
        (
            &json!("ANSWERED"),
            &json!(26),
            &Value::Null,
            &Value::Null,
            &json!([])
        ),
        "{call}"
    );
    assert_eq!(call["user"]["id"], json!(app.office.ada), "{call}");
    let text = app
        .get(&format!("/v2/api/conversations/items/{}", her.text))
        .await
        .data()
        .clone();
    assert_eq!(
        (&text["content"], &text["status"]),
        (&json!(""), &json!("DELIVERED")),
        "{text}"
    );
    let nobodys = text["contact_number"].as_str().unwrap();
    assert!(
        nobodys.starts_with("+999") && call["contact_number"] == nobodys,
        "{nobodys}"
    );
    for words in ["gorblaxian", "flumbertox", "snarkwhistle", "ploverquartz"] {
        let found = app
            .post("/v2/api/conversations/items/search", &json!({ "search": words }))
            .await;
        assert_eq!(
            found.json["pagination"]["total_count"], 0,
            "{words}: {}",
            found.text
        );
    }
    for search in [OWN, "quixzana", "zelkova", "yttrandelle"] {
        let found = app
            .post(&format!("{PEOPLE}/search"), &json!({ "search": search }))
            .await;
        assert_eq!(found.data(), &json!([]), "{search}");
    }
    assert_eq!(
        app.get(&format!(
            "/v2/api/conversations/{conversation}/notes?allo_number={}",
            encoded(us())
        ))
        .await
        .status,
        404
    );
    for event in app.office.events_after(0).await {
        let told = WORDS.iter().find(|word| event.payload.contains(*word));
        assert_eq!(told, None, "{} {}", event.topic, event.payload);
    }
    // Who repeats a request gets an answer without her, and sends nothing twice.
    let before = app.office.last_event().await;
    let sent = json!({ "from": us(), "to": OWN, "message": "flumbertox to you" });
    let again = keyed(&app, Method::POST, "/v1/api/sms", "send", &sent).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (200, "true"),
        "{}",
        again.text
    );
    assert!(
        !again.text.contains("flumbertox") && !again.text.contains(OWN),
        "{}",
        again.text
    );
    assert_eq!(app.office.last_event().await, before);
    app.office.assert_sound().await;
    // Her number is one like any other: who calls from it begins anew.
    missed_call(&app, us(), number(OWN)).await;
    let search = json!({ "contact_number": OWN });
    let fresh = app.post("/v2/api/conversations/items/search", &search).await;
    assert_eq!(fresh.json["pagination"]["total_count"], 1, "{}", fresh.text);
}

async fn others_stay_as_they_are(db: TestDb) {
    let app = searchable(db).await;
    let call = sarahs_call(&app).await;
    let said = text_in(&app, us(), sarah(), "Quixzana Bromelgard says hello").await;
    let other = person(&app, json!({ "name": "Zora", "numbers": ["+12025550149"] })).await;
    let see = async || {
        let mut all = Vec::new();
        for path in [
            format!("/v2/api/conversations/items/{call}?extend=transcript"),
            format!("/v2/api/conversations/items/{said}"),
            format!(
                "{PEOPLE}/{}",
                app.office.sarah.to_string().replace("cnt-", "per-")
            ),
            format!("{PEOPLE}/{}", other["id"].as_str().unwrap()),
            format!("/v2/api/crm/deals/{}", app.office.deal),
            format!("/v2/api/crm/companies/{}", app.office.bakery),
        ] {
            let reply = app.get(&path).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
            all.push(reply.json);
        }
        all
    };
    let (before, log) = (see().await, app.office.events_after(0).await);
    let pictures = Catcher::start().await;
    let her = unusual(&app, &pictures).await;
    assert_eq!(erase(&app, &her.id).await.status, 204);
    assert_eq!(see().await, before);
    let after = app.office.events_after(0).await;
    for (before, after) in log.iter().zip(&after) {
        assert_eq!(before, after);
    }
    let found = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "search": "quixzana" }),
        )
        .await;
    assert_eq!(
        found.json["pagination"]["total_count"], 1,
        "what somebody else said of her stays: {}",
        found.text
    );
    app.office.assert_sound().await;
}

async fn a_number_of_two_people_keeps_its_history_until_both_are_erased(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, fr(), marie(), "Bonjour de nous deux").await;
    let at = app.board.now();
    let steps = vec![Step::End(EndCause::NoAnswer, None, at), Step::Complete(at)];
    record(&app, Direction::Inbound, fr(), marie(), at, steps).await;
    let rang = &events_of(&app, Topic::CallReceived, 0).await[0];
    assert!(
        rang.payload.contains("Dupont"),
        "the older of the two is told of: {}",
        rang.payload
    );
    let (marie_id, sam_id) = (app.office.marie, app.office.sam);
    // What was told before has the name that she had then.
    let renamed = json!({ "last_name": "Durand" });
    let path = format!("{PEOPLE}/{}", marie_id.to_string().replace("cnt-", "per-"));
    assert_eq!(app.put(&path, &renamed).await.status, 200);
    assert_eq!(erase(&app, &marie_id.to_string()).await.status, 204);
    let path = format!("/v2/api/conversations/items/{text}");
    let left = app.get(&path).await.data().clone();
    assert_eq!(
        (&left["content"], &left["contact_number"]),
        (&json!("Bonjour de nous deux"), &json!(marie())),
        "{left}"
    );
    assert_eq!(
        left["contacts"].as_array().unwrap().len(),
        1,
        "Sam is left: {left}"
    );
    for event in app.office.events_after(0).await {
        assert!(
            !event.payload.contains("Dupont") && !event.payload.contains("Durand"),
            "{} {}",
            event.topic,
            event.payload
        );
    }
    assert_eq!(erase(&app, &sam_id.to_string()).await.status, 204);
    let left = app.get(&path).await.data().clone();
    assert_eq!(
        (&left["content"], &left["contacts"]),
        (&json!(""), &json!([])),
        "{left}"
    );
    assert!(
        left["contact_number"].as_str().unwrap().starts_with("+999"),
        "{left}"
    );
    app.office.assert_sound().await;
}

async fn an_opt_out_outlives_the_person(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), sarah(), "STOP").await;
    assert_eq!(erase(&app, &app.office.sarah.to_string()).await.status, 204);
    let rows = "SELECT contact_number FROM text_consents";
    let read = app
        .board
        .db()
        .read(move |conn| conn.rows(rows, &[], |row| row.get::<String>(0)));
    let kept: Vec<String> = read.await.unwrap();
    assert!(
        kept.len() == 1 && kept[0].starts_with('#'),
        "the number itself is not there: {kept:?}"
    );
    let body = json!({ "from": us(), "to": sarah(), "message": "News!" });
    let refused = app.post("/v1/api/sms", &body).await;
    assert_error(&refused, "MESSAGE_NOT_COMPLIANT");
    app.office.clock.advance(Millis::MINUTE);
    text_in(&app, us(), sarah(), "START").await;
    let sent = app.post("/v1/api/sms", &body).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
}

async fn what_waits_to_be_sent_is_not(db: TestDb) {
    let app = searchable(db).await;
    // The line sends a text an hour.
    command(&app, |work| {
        let sql = "UPDATE numbers SET text_interval_us = 3600000000 WHERE team_id = $1";
        Ok(work.tx.execute(sql, params![work.team])?)
    })
    .await;
    let before = app.office.last_event().await;
    text_out(&app, us(), number("+14155559997"), "At once").await;
    wait_for(&app, Topic::SmsSent, before).await;
    let first = text_out(&app, us(), sarah(), "One").await;
    let second = text_out(&app, us(), sarah(), "Two").await;
    let others = text_out(&app, us(), number("+14155559998"), "Three").await;
    assert_eq!(erase(&app, &app.office.sarah.to_string()).await.status, 204);
    for (id, content, status) in [
        (first, "", "FAILED"),
        (second, "", "FAILED"),
        (others, "Three", "PENDING"),
    ] {
        let text = app
            .get(&format!("/v2/api/conversations/items/{id}"))
            .await
            .data()
            .clone();
        assert_eq!(
            (&text["content"], &text["status"]),
            (&json!(content), &json!(status)),
            "{text}"
        );
    }
    let waiting = "SELECT CAST(SUM(waiting) AS BIGINT) FROM text_lanes";
    let read = app
        .board
        .db()
        .read(move |conn| conn.row(waiting, &[], |row| row.get::<i64>(0)));
    assert_eq!(read.await.unwrap(), Some(1));
    app.office.assert_sound().await;
}

async fn what_receivers_wait_for_comes_without_the_person(db: TestDb) {
    let (app, catcher) = (searchable(db).await, Catcher::start().await);
    catcher.answer(Answer::status(503));
    make(&app, catcher.url(), &["sms.received"], json!({})).await;
    app.deliver(quickly());
    text_in(&app, us(), sarah(), "Only once").await;
    let first = catcher.wait_for(1).await.remove(0);
    assert_eq!(first.json()["data"]["content"], "Only once");
    assert_eq!(erase(&app, &app.office.sarah.to_string()).await.status, 204);
    catcher.answer(Answer::status(204));
    // Where the first answer came after the erasure, it is not stored, and the lease has to end first.
    for _ in 0..300 {
        app.office.clock.advance(Millis::MINUTE);
        if catcher.count() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let second = catcher.wait_for(2).await.remove(1);
    assert_eq!(second.id(), first.id(), "it is the same message");
    let (before, after) = (&first.json()["data"], &second.json()["data"]);
    assert_eq!(
        (&after["id"], &after["to_number"]),
        (&before["id"], &before["to_number"])
    );
    assert_eq!(
        (&after["content"], &after["from_name"]),
        (&json!(""), &Value::Null),
        "{after}"
    );
    assert!(
        after["from_number"].as_str().unwrap().starts_with("+999"),
        "{after}"
    );
}

async fn an_archived_person_is_erased_too(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), sarah(), "Hello there").await;
    let path = format!(
        "{PEOPLE}/{}",
        app.office.sarah.to_string().replace("cnt-", "per-")
    );
    assert_eq!(app.delete(&path).await.status, 204);
    assert!(
        app.get(&path).await.data()["archived_at"].is_string(),
        "without `erase` it is archived"
    );
    assert_eq!(app.delete(&format!("{path}?erase=false")).await.status, 204);
    assert_eq!(app.get(&path).await.status, 200);
    assert_eq!(app.delete(&format!("{path}?erase=true")).await.status, 204);
    assert_error(&app.get(&path).await, "PERSON_NOT_FOUND");
    let left = app
        .get(&format!("/v2/api/conversations/items/{text}"))
        .await
        .data()
        .clone();
    assert_eq!(left["content"], "", "{left}");
    app.office.assert_sound().await;
}

async fn a_call_that_lasts_is_waited_for(db: TestDb) {
    let app = searchable(db).await;
    let ring = trunkline_switchboard::calls::Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: sarah(),
        user: None,
        blocked: false,
        at: app.board.now(),
    };
    let call = command(&app, move |work| trunkline_switchboard::calls::ring(work, &ring)).await;
    let id = app.office.sarah.to_string();
    let refused = erase(&app, &id).await;
    assert_error(&refused, "OTHER_TRANSACTION_IN_PROGRESS");
    assert_eq!(
        app.get(&format!("{PEOPLE}/{id}")).await.status,
        200,
        "nothing was done"
    );
    let at = app.board.now();
    for step in [Step::End(EndCause::NoAnswer, None, at), Step::Complete(at)] {
        command(&app, move |work| {
            trunkline_switchboard::calls::step(work, call, &step)
        })
        .await;
    }
    assert_eq!(erase(&app, &id).await.status, 204);
}

async fn erase_is_true_or_false(db: TestDb) {
    let app = searchable(db).await;
    let path = format!("{PEOPLE}/{}", app.office.sarah);
    for wrong in ["1", "yes", "TRUE", ""] {
        let reply = app.delete(&format!("{path}?erase={wrong}")).await;
        assert_error(&reply, "INVALID_PARAMETER");
        assert!(reply.text.contains("erase"), "{}", reply.text);
    }
    assert!(
        app.get(&path).await.data()["archived_at"].is_null(),
        "nothing was done"
    );
}

async fn a_person_is_erased_once(db: TestDb) {
    let app = searchable(db).await;
    let id = app.office.sarah.to_string();
    let path = format!("{PEOPLE}/{id}?erase=true");
    let first = keyed(&app, Method::DELETE, &path, "erase", &Value::Null).await;
    let again = keyed(&app, Method::DELETE, &path, "erase", &Value::Null).await;
    assert_eq!(
        (first.status, again.status),
        (204, 204),
        "{} {}",
        first.text,
        again.text
    );
    assert_error(&erase(&app, &id).await, "PERSON_NOT_FOUND");
    let team = app.office.team;
    until_scrubbed(&app, 1).await;
    let read = app
        .board
        .db()
        .read(move |conn| trunkline_store::audit::list(conn, team, 100));
    let entries: Vec<_> = read
        .await
        .unwrap()
        .into_iter()
        .filter(|entry| entry.action.starts_with("person."))
        .collect();
    let told: BTreeSet<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.action.as_str(),
                entry.actor.as_str(),
                entry.subject.as_str(),
            )
        })
        .collect();
    let ada = app.office.ada.to_string();
    let expected = [
        ("person.erased", ada.as_str(), id.as_str()),
        ("person.erasure_completed", audit::OPERATOR, id.as_str()),
    ];
    assert_eq!((entries.len(), told), (2, expected.into()));
}
