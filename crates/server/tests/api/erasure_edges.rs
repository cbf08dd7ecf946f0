//! Erasure where it touches somebody else's rights: archived people with the same number, merged people, imports that
//! wait, repeated requests.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::Millis;
use trunkline_store::{StoreError, params};
use trunkline_switchboard::erasure;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, marie, sarah, us};

use crate::crm_import::upload;
use crate::crm_people::PEOPLE;
use crate::support::{assert_error, authorization, command, encoded, searchable, text_in};

trunkline_testkit::on_both! {
    an_archived_persons_history_stays,
    one_who_was_merged_leads_to_the_person,
    the_query_is_part_of_what_a_key_was_sent_for,
    a_file_with_too_many_columns_is_refused,
    a_key_that_names_the_person_still_stands_for_its_answer,
    rows_of_others_with_the_same_address_stay,
    a_server_that_ends_says_what_is_done,
    who_asks_by_a_merged_id_waits_too,
}

fn sarahs(app: &TestApp) -> String {
    app.office.sarah.to_string().replace("cnt-", "per-")
}

async fn make(app: &TestApp, name: &str, numbers: &Value) -> String {
    let body = json!({ "name": name, "numbers": numbers });
    let made = app.post(PEOPLE, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.data()["id"].as_str().unwrap().to_owned()
}

async fn an_archived_persons_history_stays(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), sarah(), "Hello there").await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    assert_eq!(app.delete(&path).await.status, 204);
    let next = make(&app, "Next", &json!([sarah()])).await;
    assert_eq!(
        app.delete(&format!("{PEOPLE}/{next}?erase=true")).await.status,
        204
    );
    assert_error(&app.get(&format!("{PEOPLE}/{next}")).await, "PERSON_NOT_FOUND");
    let back = app.put(&path, &json!({ "archived": false })).await;
    assert_eq!(back.status, 200, "{}", back.text);
    let item = app.get(&format!("/v2/api/conversations/items/{text}")).await;
    assert_eq!(item.data()["content"], "Hello there", "{}", item.text);
    assert_eq!(
        item.data()["contacts"][0]["name"],
        "Sarah Johnson",
        "{}",
        item.text
    );
    app.office.assert_sound().await;
}

async fn one_who_was_merged_leads_to_the_person(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), sarah(), "Hello there").await;
    let other = make(&app, "Other", &json!(["+14155551399"])).await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    let merged = app
        .post(&format!("{path}/merge"), &json!({ "person_id": other }))
        .await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    assert_eq!(
        app.delete(&format!("{PEOPLE}/{other}?erase=true")).await.status,
        204
    );
    assert_error(&app.get(&path).await, "PERSON_NOT_FOUND");
    let item = app.get(&format!("/v2/api/conversations/items/{text}")).await;
    assert_eq!(
        item.data()["content"],
        "",
        "all of it is done when it is answered"
    );
}

async fn the_query_is_part_of_what_a_key_was_sent_for(db: TestDb) {
    let app = searchable(db).await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "away")];
    let delete = async |path: &str| -> Reply { app.send_with(Method::DELETE, path, &headers, None).await };
    assert_eq!(delete(&path).await.status, 204);
    let replayed = delete(&path).await;
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (204, "true")
    );
    assert_error(
        &delete(&format!("{path}?erase=true")).await,
        "IDEMPOTENCY_KEY_REUSE",
    );
    assert!(
        app.get(&path).await.data()["archived_at"].is_string(),
        "archived, not erased"
    );
}

async fn a_file_with_too_many_columns_is_refused(db: TestDb) {
    let app = searchable(db).await;
    let columns: Vec<String> = (0..600).map(|number| format!("column_{number}")).collect();
    let refused = upload(&app, "text/csv", &format!("{}\n", columns.join(","))).await;
    assert_error(&refused, "INVALID_REQUEST_BODY");
    assert!(refused.text.contains("600 columns"), "{}", refused.text);
}

async fn a_key_that_names_the_person_still_stands_for_its_answer(db: TestDb) {
    let app = searchable(db).await;
    let own = authorization(&app.key);
    let (key, number) = (format!("order 17 to {}", sarah()), sarah().to_string());
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", key.as_str())];
    let text = json!({ "from": us(), "to": number, "message": "Your order is ready" });
    let send = async |text: &Value| -> Reply {
        app.send_with(Method::POST, "/v1/api/sms", &headers, Some(text.to_string()))
            .await
    };
    let noting = [("Authorization", own.as_str()), ("Idempotency-Key", "a note")];
    let path = format!("/v2/api/conversations/{}/notes", encoded(sarah()));
    let body = json!({ "content": "Wants flour", "allo_number": us() });
    let note = async || -> Reply {
        app.send_with(Method::POST, &path, &noting, Some(body.to_string()))
            .await
    };
    let (sent, noted) = (send(&text).await, note().await);
    assert_eq!((sent.status, noted.status), (200, 201), "{}", noted.text);
    let erased = format!("{PEOPLE}/{}?erase=true", sarahs(&app));
    assert_eq!(app.delete(&erased).await.status, 204);

    let before = app.office.last_event().await;
    for (again, status) in [(send(&text).await, 200), (note().await, 201)] {
        assert_eq!(
            (again.status, again.header("idempotency-replayed")),
            (status, "true"),
            "{}",
            again.text
        );
        for gone in [number.as_str(), "order is ready", "flour"] {
            assert!(!again.text.contains(gone), "{}", again.text);
        }
    }
    assert_eq!(
        app.office.last_event().await,
        before,
        "nothing was done once more"
    );
    let other = json!({ "from": us(), "to": number, "message": "Something else" });
    assert_error(&send(&other).await, "IDEMPOTENCY_KEY_REUSE");
    let elsewhere = format!("/v2/api/conversations/{}/notes", encoded(marie()));
    let elsewhere = app
        .send_with(Method::POST, &elsewhere, &noting, Some(body.to_string()))
        .await;
    assert_error(&elsewhere, "IDEMPOTENCY_KEY_REUSE");
    let stored = "SELECT key || request || body FROM idempotency";
    let read = app
        .board
        .db()
        .read(move |conn| conn.rows(stored, &[], |row| row.get::<String>(0)));
    let stored: Vec<String> = read.await.unwrap();
    assert_eq!(stored.len(), 2);
    for row in stored {
        assert!(
            !row.contains(&number[1..]) && !row.contains("flour"),
            "{row} is still there"
        );
    }
}

async fn rows_of_others_with_the_same_address_stay(db: TestDb) {
    let app = searchable(db).await;
    let (shared, desk) = ("sarah@bakery.example", "+12025550152");
    let numbers = json!({ "numbers": [sarah(), desk] });
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    assert_eq!(app.put(&path, &numbers).await.status, 200);
    let body = json!({
        "name": "Bob", "numbers": ["+12025550151", desk], "emails": [shared], "allow_duplicate_number": true,
    });
    assert_eq!(app.post(PEOPLE, &body).await.status, 200);
    let rows = json!([
        [2, { "name": "Carol", "emails": shared }],
        [3, { "name": "sarah", "last_name": "Johnson", "emails": shared }],
        [4, { "name": "Sam", "numbers": sarah(), "emails": shared }],
        [5, { "name": "Bob", "numbers": desk }],
        [6, { "name": "Sarah", "last_name": "Johnson", "numbers": desk }],
    ]);
    let (team, rows) = (app.office.team, rows.to_string());
    let waits = move |tx: &mut trunkline_store::Tx<'_>| {
        let sql = "INSERT INTO import_chunks (team_id, id, chunk, rows) VALUES ($1, 'imp-waits', 0, $2)";
        tx.execute(sql, params![team, &rows])
    };
    app.board.db().write::<_, StoreError, _>(waits).await.unwrap();
    let erased = format!("{PEOPLE}/{}?erase=true", sarahs(&app));
    assert_eq!(app.delete(&erased).await.status, 204);
    let sql = "SELECT rows FROM import_chunks";
    let read = app
        .board
        .db()
        .read(move |conn| conn.row(sql, &[], |row| row.get::<String>(0)));
    let left: Option<String> = read.await.unwrap();
    let left: Value = serde_json::from_str(&left.unwrap()).unwrap();
    let expected = json!([
        [2, { "name": "Carol", "emails": shared }],
        [3, {}],
        [4, {}],
        [5, { "name": "Bob", "numbers": desk }],
        [6, {}],
    ]);
    assert_eq!(left, expected);
}

/// Another node works on the erasure of Sarah, and takes its time.
async fn erased_elsewhere(app: &TestApp) {
    let (team, id, by) = (app.office.team, app.office.sarah, app.office.by_ada());
    command(app, move |work| {
        erasure::erase(work, id, &by)?;
        let sql =
            "UPDATE jobs SET lease_until = $1, attempts = attempts + 1 WHERE kind = $2 AND team_id = $3";
        let until = work.now.plus(Millis::HOUR);
        Ok(work.tx.execute(sql, params![until, erasure::ERASE_JOB, team])?)
    })
    .await;
}

async fn who_asks_by_a_merged_id_waits_too(db: TestDb) {
    let app = searchable(db).await;
    let made = app
        .post(
            PEOPLE,
            &json!({ "name": "Sarah again", "numbers": ["+33687654321"] }),
        )
        .await;
    let other = made.data()["id"].as_str().unwrap().to_owned();
    let merge = format!("{PEOPLE}/{}/merge", sarahs(&app));
    assert_eq!(app.post(&merge, &json!({ "person_id": other })).await.status, 200);
    erased_elsewhere(&app).await;
    let path = format!("{PEOPLE}/{other}?erase=true");
    let own = authorization(&app.key);
    let keyed = [("Authorization", own.as_str()), ("Idempotency-Key", "one")];
    let ask = || app.send_with(Method::DELETE, &path, &keyed, None);
    let stored = "SELECT COUNT(*) FROM idempotency";
    let count = async || -> Result<Option<i64>, StoreError> {
        let db = app.board.db();
        db.read(move |conn| conn.row(stored, &[], |row| row.get(0))).await
    };
    // The first one, the same request again, and one without a key.
    let first = ask();
    let (first, again, unkeyed, ()) = tokio::join!(
        first,
        async {
            while count().await.unwrap() == Some(0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            ask().await
        },
        app.delete(&path),
        async {
            // Nobody is answered before the person is gone.
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.state.stop.cancel();
        }
    );
    for answer in [first, again, unkeyed] {
        assert_error(&answer, "SERVICE_UNAVAILABLE");
        assert!(answer.text.contains("the person is erased"), "{}", answer.text);
    }
}

async fn a_server_that_ends_says_what_is_done(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), sarah(), "Hello there").await;
    erased_elsewhere(&app).await;
    let path = format!("{PEOPLE}/{}?erase=true", sarahs(&app));
    let stop = app.state.stop.clone();
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "away")];
    let (answer, ()) = tokio::join!(app.send_with(Method::DELETE, &path, &headers, None), async {
        let stored = "SELECT COUNT(*) FROM idempotency";
        let count = async || -> Result<Option<i64>, StoreError> {
            let db = app.board.db();
            db.read(move |conn| conn.row(stored, &[], |row| row.get(0))).await
        };
        while count().await.unwrap() == Some(0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    });
    assert_error(&answer, "SERVICE_UNAVAILABLE");
    assert!(answer.text.contains("the person is erased"), "{}", answer.text);
    assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
}
