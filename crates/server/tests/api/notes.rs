//! Notes: on conversations and on people, with mentions, changed by their authors alone.

use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{Capability, Millis, NumberId, ScopeSet};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, nobody, sarah, us};

use crate::people::key_of;
use crate::support::{
    assert_error, assert_page, authorization, command, encoded, events_of, ids, searchable, text_in,
};

trunkline_testkit::on_both! {
    a_note_is_written_read_changed_and_deleted,
    a_note_is_told_of_once,
    only_the_author_changes_a_note,
    mentions_are_of_users_of_the_team,
    a_note_has_limits,
    a_conversation_is_named_by_its_line,
    a_conversation_of_a_sender_id_has_notes_too,
    notes_are_listed_newest_first,
    a_person_has_notes_of_their_own,
    faulty_fields_on_a_person_are_a_422,
    a_place_has_so_many_notes_and_no_more,
}

fn on(number: trunkline_domain::PhoneNumber) -> String {
    format!("/v2/api/conversations/{}/notes", encoded(number))
}

fn one(id: &Value) -> String {
    format!("/v2/api/conversations/notes/{}", id.as_str().unwrap())
}

async fn write(app: &TestApp, content: &str) -> Reply {
    app.post(&on(sarah()), &json!({ "content": content, "allo_number": us() }))
        .await
}

/// An office to which Sarah has written.
async fn open(db: TestDb) -> TestApp {
    let app = searchable(db).await;
    text_in(&app, us(), sarah(), "Hello").await;
    app
}

async fn with_key(
    app: &TestApp,
    key: &str,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let own = authorization(key);
    app.send_with(
        method,
        path,
        &[("Authorization", &own)],
        body.map(|body| body.to_string()),
    )
    .await
}

async fn a_note_is_written_read_changed_and_deleted(db: TestDb) {
    let app = open(db).await;
    let made = write(&app, "Prefers mornings.").await;
    let ada = json!({ "id": app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example" });
    let mut expected = json!({ "data": {
        "id": made.data()["id"], "contact_number": "+14155551234", "allo_number": "+14155550100", "sender_id": null,
        "content": "Prefers mornings.", "mentions": [], "author": ada,
        "created_at": "2026-04-20T10:00:00.000Z", "updated_at": "2026-04-20T10:00:00.000Z",
    } });
    assert_eq!((made.status, &made.json), (201, &expected));
    let path = one(&made.data()["id"]);
    assert!(path.ends_with(made.data()["id"].as_str().unwrap()) && path.contains("/not-"));
    assert_eq!(app.get(&path).await.json, expected);

    app.office.clock.advance(Millis::MINUTE);
    let changed = app
        .patch(&path, &json!({ "content": "Prefers afternoons." }))
        .await;
    expected["data"]["content"] = json!("Prefers afternoons.");
    expected["data"]["updated_at"] = json!("2026-04-20T10:01:00.000Z");
    assert_eq!((changed.status, &changed.json), (200, &expected));
    app.office.clock.advance(Millis::MINUTE);
    let again = app
        .patch(&path, &json!({ "content": "Prefers afternoons." }))
        .await;
    assert_eq!(again.json, expected, "what is the same was not changed");
    assert_eq!(app.get(&path).await.json, expected);

    let gone = app.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for reply in [app.get(&path).await, app.delete(&path).await] {
        assert_error(&reply, "NOTE_NOT_FOUND");
        assert_eq!(reply.json["error"]["param"], "id");
    }
    let list = app
        .get(&format!("{}?allo_number=%2B14155550100", on(sarah())))
        .await;
    assert_eq!(list.data(), &json!([]));
}

async fn a_note_is_told_of_once(db: TestDb) {
    let app = open(db).await;
    let before = app.office.last_event().await;
    let content = format!("@[Ben]({}) knows.", app.office.ben);
    let made = write(&app, &content).await;
    app.patch(&one(&made.data()["id"]), &json!({ "content": "Nobody knows." }))
        .await;
    app.delete(&one(&made.data()["id"])).await;
    let told = events_of(&app, Topic::NoteCreated, before).await;
    assert_eq!(told.len(), 1);
    let payload: Value = serde_json::from_str(&told[0].payload).unwrap();
    let expected = json!({
        "id": made.data()["id"], "contact_number": "+14155551234", "allo_number": "+14155550100", "sender_id": null,
        "content": content, "mentions": [{ "user_id": app.office.ben, "name": "Ben" }],
        "created_at": "2026-04-20T10:00:00.000Z", "user_id": app.office.ada, "user_email": "ada@fogcity.example",
    });
    assert_eq!(payload, expected);
    assert_eq!(told[0].item, Some(1), "the item that stands for its line");
    assert_eq!(app.office.last_event().await, told[0].seq, "and of nothing else");
}

async fn only_the_author_changes_a_note(db: TestDb) {
    let app = open(db).await;
    let made = write(&app, "Mine.").await;
    let path = one(&made.data()["id"]);
    let bens = key_of(&app, app.office.ben, ScopeSet::ALL).await;
    let read = with_key(&app, &bens, reqwest::Method::GET, &path, None).await;
    assert_eq!(read.json, made.json, "everybody of the team reads it");
    let change = Some(json!({ "content": "His." }));
    for reply in [
        with_key(&app, &bens, reqwest::Method::PATCH, &path, change).await,
        with_key(&app, &bens, reqwest::Method::DELETE, &path, None).await,
    ] {
        assert_error(&reply, "NOT_NOTE_AUTHOR");
        assert_eq!(reply.json["error"]["param"], "id");
    }
    assert_eq!(app.get(&path).await.json, made.json);
    // Another key of the author's is as good as the one it was written with.
    let other = key_of(&app, app.office.ada, ScopeSet::ALL).await;
    let deleted = with_key(&app, &other, reqwest::Method::DELETE, &path, None).await;
    assert_eq!(deleted.status, 204);
}

async fn mentions_are_of_users_of_the_team(db: TestDb) {
    let app = open(db).await;
    let (ben, stranger) = (app.office.ben, "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD");
    let content = format!(
        "@[all](all): @[Ben Ortiz]({ben}) and @[Ben]({ben}), not @[Eve]({stranger}) or @[Old](usr-1); see [this](all)"
    );
    let made = write(&app, &content).await;
    let kept =
        format!("@[all](all): @[Ben Ortiz]({ben}) and @[Ben]({ben}), not @Eve or @Old; see [this](all)");
    assert_eq!(made.data()["content"], kept);
    let expected = json!([{ "user_id": null, "name": "all" }, { "user_id": ben, "name": "Ben Ortiz" }]);
    assert_eq!(made.data()["mentions"], expected);
    let changed = app
        .patch(&one(&made.data()["id"]), &json!({ "content": "@[Eve](usr-1)" }))
        .await;
    assert_eq!(
        (&changed.data()["content"], &changed.data()["mentions"]),
        (&json!("@Eve"), &json!([]))
    );
}

async fn a_note_has_limits(db: TestDb) {
    let app = open(db).await;
    let mention = format!("@[B]({})", app.office.ben);
    for fits in ["é".repeat(4_000), mention.repeat(15), " x ".to_owned()] {
        assert_eq!(write(&app, &fits).await.data()["content"], fits);
    }
    let made = write(&app, "short").await;
    for (content, code) in [
        (json!("é".repeat(4_001)), "NOTE_CONTENT_TOO_LONG"),
        (json!(mention.repeat(16)), "TOO_MANY_MENTIONS"),
        // Those that become plain text count too: it is what was sent that is limited.
        (json!("@[Eve](usr-1)".repeat(16)), "TOO_MANY_MENTIONS"),
        (json!(""), "EMPTY_NOTE_CONTENT"),
        (json!(" \n\t\u{a0}"), "EMPTY_NOTE_CONTENT"),
        (json!(null), "EMPTY_NOTE_CONTENT"),
        (json!(5), "INVALID_PARAMETER"),
        (json!("a\u{0}b"), "INVALID_PARAMETER"),
    ] {
        let body = json!({ "content": content, "allo_number": us() });
        for reply in [
            app.post(&on(sarah()), &body).await,
            app.patch(&one(&made.data()["id"]), &body).await,
        ] {
            assert_error(&reply, code);
            assert_eq!(reply.json["error"]["param"], "content");
        }
    }
    assert_eq!(app.get(&one(&made.data()["id"])).await.json, made.json);
}

async fn a_conversation_is_named_by_its_line(db: TestDb) {
    let app = open(db).await;
    text_in(&app, fr(), marie(), "Bonjour").await;
    let post = async |number, body: Value| app.post(&on(number), &body).await;
    for (number, body, code, param) in [
        (
            sarah(),
            json!({ "content": "x" }),
            "MISSING_ALLO_NUMBER_OR_SENDER_ID",
            "allo_number",
        ),
        (
            sarah(),
            json!({ "content": "x", "allo_number": "+14155550177" }),
            "PHONE_NUMBER_NOT_FOUND",
            "allo_number",
        ),
        (
            sarah(),
            json!({ "content": "x", "allo_number": "12" }),
            "INVALID_PHONE_FORMAT",
            "allo_number",
        ),
        (
            sarah(),
            json!({ "content": "x", "sender_id": "GHOST" }),
            "SENDER_ID_NOT_FOUND",
            "sender_id",
        ),
        (
            sarah(),
            json!({ "content": "x", "sender_id": "GHOST", "allo_number": us() }),
            "INVALID_PARAMETER",
            "sender_id",
        ),
        (
            nobody(),
            json!({ "content": "x", "allo_number": us() }),
            "CONVERSATION_NOT_FOUND",
            "contact_number",
        ),
        // On the other line there is none.
        (
            sarah(),
            json!({ "content": "x", "allo_number": fr() }),
            "CONVERSATION_NOT_FOUND",
            "contact_number",
        ),
    ] {
        let reply = post(number, body.clone()).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param, "{body}");
        let mut query = String::from("?size=5");
        for (name, value) in body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "content")
        {
            query.push_str(&format!(
                "&{name}={}",
                value.as_str().unwrap().replace('+', "%2B")
            ));
        }
        let reply = app.get(&format!("{}{query}", on(number))).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param, "{query}");
    }
    let made = post(marie(), json!({ "content": "x", "allo_number": fr() })).await;
    assert_eq!(made.data()["allo_number"], "+33142685300");
}

async fn a_conversation_of_a_sender_id_has_notes_too(db: TestDb) {
    let app = searchable(db).await;
    command(&app, |work| {
        let sender = AddNumber {
            address: Address::SenderId("FOGCITY".to_owned(), "FR".to_owned()),
            name: None,
            capabilities: vec![Capability::Sms],
            carrier: "sandbox".to_owned(),
            carrier_settings: None,
            members: Vec::new(),
        };
        let id: NumberId = work.new_id(work.now);
        let line = accounts::add_number(work, id, &sender)?;
        let text = ImportItem {
            line,
            contact: marie(),
            direction: trunkline_domain::Direction::Outbound,
            user: None,
            at: work.now,
            body: ImportBody::Message {
                content: "Votre commande est prête".to_owned(),
            },
        };
        import(work, &[text])
    })
    .await;
    // In upper or lower case.
    let made = app
        .post(
            &on(marie()),
            &json!({ "content": "Told.", "sender_id": "FogCity" }),
        )
        .await;
    let of = |name: &str| made.data()[name].clone();
    assert_eq!(
        (of("allo_number"), of("sender_id")),
        (Value::Null, json!("FOGCITY"))
    );
    let list = app.get(&format!("{}?sender_id=FOGCITY", on(marie()))).await;
    assert_eq!(list.data(), &json!([made.data()]));
}

async fn notes_are_listed_newest_first(db: TestDb) {
    let app = open(db).await;
    let mut all = Vec::new();
    for i in 0..5 {
        // The clock stands still: it is the order of writing that counts.
        all.insert(
            0,
            write(&app, &format!("Number {i}")).await.data()["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let path = format!("{}?allo_number=%2B14155550100", on(sarah()));
    let reply = app.get(&path).await;
    assert_page(&reply);
    assert_eq!(ids(&reply), all);
    let pages = async |page: i64| app.get(&format!("{path}&size=2&page={page}")).await;
    for (page, expected, more) in [
        (1, &all[..2], true),
        (2, &all[2..4], true),
        (3, &all[4..], false),
        (4, &[], false),
    ] {
        let reply = pages(page).await;
        assert_page(&reply);
        assert_eq!(ids(&reply), expected, "page {page}");
        let told = &reply.json["pagination"];
        assert_eq!(
            (&told["total_count"], &told["has_more"]),
            (&json!(5), &json!(more)),
            "page {page}"
        );
    }
    let cursor = pages(1).await.json["pagination"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    // What is written meanwhile moves nothing.
    write(&app, "Newer").await;
    let next = app.get(&format!("{path}&size=2&cursor={cursor}")).await;
    assert_eq!(ids(&next), all[2..4]);
    let cursor = next.json["pagination"]["next_cursor"].as_str().unwrap();
    let last = app.get(&format!("{path}&size=2&cursor={cursor}")).await;
    assert_eq!(
        (ids(&last), &last.json["pagination"]["next_cursor"]),
        (all[4..].to_vec(), &Value::Null)
    );
    text_in(&app, us(), marie(), "Bonjour").await;
    let other = format!("{}?allo_number=%2B14155550100&cursor={cursor}", on(marie()));
    assert_error(&app.get(&other).await, "INVALID_CURSOR");
}

async fn a_person_has_notes_of_their_own(db: TestDb) {
    let app = open(db).await;
    write(&app, "On the conversation.").await;
    let people = |id: trunkline_domain::ContactId| format!("/v2/api/crm/people/per-{}/notes", id.ksuid());
    let path = people(app.office.sarah);
    let before = app.office.last_event().await;
    let made = app
        .post(&path, &json!({ "content": "Met at the fair. @[all](all)" }))
        .await;
    let expected = json!({ "data": {
        "id": made.data()["id"], "person_id": format!("per-{}", app.office.sarah.ksuid()),
        "content": "Met at the fair. @[all](all)", "mentions": [{ "user_id": null, "name": "all" }],
        "author": { "id": app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example" },
        "created_at": "2026-04-20T10:00:00.000Z", "updated_at": "2026-04-20T10:00:00.000Z",
    } });
    assert_eq!((made.status, &made.json), (201, &expected));
    // Every spelling of the person is the same person.
    for spelling in [
        path.clone(),
        path.replace("per-", "cnt-"),
        path.replace("per-", "con_"),
    ] {
        let list = app.get(&spelling).await;
        assert_page(&list);
        assert_eq!(list.data(), &json!([made.data()]));
    }
    assert_eq!(app.get(&people(app.office.marie)).await.data(), &json!([]));

    let id = made.data()["id"].as_str().unwrap();
    let (own, others) = (
        format!("{path}/{id}"),
        format!("{}/{id}", people(app.office.marie)),
    );
    let change = json!({ "content": "Met twice." });
    assert_error(&app.patch(&others, &change).await, "NOTE_NOT_FOUND");
    assert_error(&app.delete(&others).await, "NOTE_NOT_FOUND");
    // Nor is it a note of a conversation.
    assert_error(&app.get(&one(&made.data()["id"])).await, "NOTE_NOT_FOUND");
    assert_error(
        &app.patch(&one(&made.data()["id"]), &change).await,
        "NOTE_NOT_FOUND",
    );
    let bens = key_of(&app, app.office.ben, ScopeSet::ALL).await;
    let refused = with_key(&app, &bens, reqwest::Method::PATCH, &own, Some(change.clone())).await;
    assert_error(&refused, "NOT_NOTE_AUTHOR");
    assert_eq!(app.patch(&own, &change).await.data()["content"], "Met twice.");
    assert_eq!(app.delete(&own).await.status, 204);
    assert_error(&app.delete(&own).await, "NOTE_NOT_FOUND");
    assert_eq!(
        app.office.last_event().await,
        before,
        "nobody is told of notes on people"
    );
}

async fn faulty_fields_on_a_person_are_a_422(db: TestDb) {
    let app = open(db).await;
    let path = format!("/v2/api/crm/people/per-{}/notes", app.office.sarah.ksuid());
    for (body, status, code) in [
        (json!({}), 422, "EMPTY_NOTE_CONTENT"),
        (json!({ "content": 5 }), 422, "INVALID_PARAMETER"),
        (
            json!({ "content": "x".repeat(4_001) }),
            422,
            "NOTE_CONTENT_TOO_LONG",
        ),
        (json!([]), 400, "INVALID_REQUEST_BODY"),
    ] {
        let reply = app.post(&path, &body).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
        assert_eq!(reply.json["error"]["type"], "validation_error");
    }
    let reply = app.get(&format!("{path}?size=0")).await;
    assert_eq!((reply.status, reply.code()), (422, "INVALID_PAGE_SIZE"));
    let reply = app.get("/v2/api/crm/people/per-1/notes").await;
    assert_eq!((reply.status, reply.code()), (404, "PERSON_NOT_FOUND"));
}

async fn a_place_has_so_many_notes_and_no_more(db: TestDb) {
    let app = open(db).await;
    let made = write(&app, "The first.").await;
    let team = app.office.team;
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
        INSERT INTO notes (team_id, note, id, conversation, author, content, created_at, updated_at)
        SELECT team_id, -n, id || CAST(n AS TEXT), conversation, author, content, created_at, updated_at
          FROM notes, n WHERE team_id = $1";
    let filled = app
        .board
        .db()
        .write(move |tx| tx.execute(fill, trunkline_store::params![team]))
        .await;
    let filled: Result<u64, trunkline_store::StoreError> = filled;
    assert_eq!(filled.unwrap(), 9_999);
    let refused = write(&app, "One more.").await;
    assert_error(&refused, "NOTE_LIMIT_REACHED");
    // Elsewhere there is room, and again here once one is deleted.
    let path = format!("/v2/api/crm/people/per-{}/notes", app.office.sarah.ksuid());
    assert_eq!(app.post(&path, &json!({ "content": "x" })).await.status, 201);
    app.delete(&one(&made.data()["id"])).await;
    assert_eq!(write(&app, "One more.").await.status, 201);
}
