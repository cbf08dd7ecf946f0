//! API keys: made, listed, revoked; what nobody can give; when they end, and when they were used.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trunkline_domain::{Millis, Role, Scope, ScopeSet, UserId};
use trunkline_store::{StoreError, audit};
use trunkline_switchboard::accounts;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::TestDb;

use crate::people::{key_of, new_key};
use crate::support::{assert_error, assert_page, authorization, blamed, command, ids, keys as fields, param};

trunkline_testkit::on_both! {
    a_key_is_shown_once_and_works,
    nobody_gives_more_than_they_have,
    a_member_manages_no_keys,
    a_manager_has_no_power_over_admins,
    faulty_keys_are_refused,
    an_expired_key_opens_nothing,
    revoked_means_at_once,
    a_use_is_noted_once_a_minute,
    the_list_is_paged_and_filtered,
    there_is_an_end_to_keys,
    who_made_a_key_is_written_down,
    a_repeated_request_makes_one_key,
}

const KEYS: &str = "/v2/api/keys";

async fn with_key(
    app: &TestApp,
    key: &str,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let headers = [("Authorization", authorization(key))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    app.send_with(method, path, &headers, body.map(|body| body.to_string()))
        .await
}

async fn me(app: &TestApp, key: &str) -> Reply {
    with_key(app, key, reqwest::Method::GET, "/v2/api/me", None).await
}

/// A user of the office with this role, and a key of theirs with all scopes.
async fn somebody(app: &TestApp, role: Role) -> (UserId, String) {
    let email = format!("{role}@fogcity.example");
    let user = command(app, move |work| accounts::create_user(work, "Dana", &email, role)).await;
    (user, key_of(app, user, ScopeSet::ALL).await)
}

async fn a_key_is_shown_once_and_works(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = app
        .post(
            KEYS,
            &json!({ "name": " CRM sync ", "scopes": ["TAGS_WRITE", "TAGS_READ"] }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let key = made.data();
    assert_eq!(
        fields(key),
        [
            "created_at",
            "expires_at",
            "hint",
            "id",
            "last_used_at",
            "name",
            "revoked_at",
            "scopes",
            "secret",
            "state",
            "user"
        ]
    );
    assert_eq!(key["name"], "CRM sync");
    assert_eq!(key["scopes"], json!(["TAGS_READ", "TAGS_WRITE"]));
    assert_eq!(key["state"], "ACTIVE");
    assert_eq!(key["user"]["id"], app.office.ada.to_string());
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with("ak_test_") && secret.ends_with(key["hint"].as_str().unwrap()));
    let opened = me(&app, secret).await;
    assert_eq!(opened.data()["api_key_id"], key["id"]);
    assert_eq!(opened.data()["scopes"], key["scopes"]);

    let id = key["id"].as_str().unwrap();
    let got = app.get(&format!("{KEYS}/{id}")).await;
    let mut shown = key.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(got.data(), &shown);
    let listed = app.get(KEYS).await;
    assert_page(&listed);
    assert!(
        !listed.text.contains(secret) && !listed.text.contains("hash"),
        "{}",
        listed.text
    );
    assert!(ids(&listed).contains(&id.to_owned()));
}

async fn nobody_gives_more_than_they_have(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = ScopeSet::of(&[Scope::TeamManage, Scope::ContactsReadWrite]);
    let (_, key) = new_key(&app, own).await;
    let make = async |scopes: Value| {
        let body = json!({ "name": "Another", "scopes": scopes });
        with_key(&app, &key, reqwest::Method::POST, KEYS, Some(body)).await
    };
    let refused = make(json!(["TEAM_MANAGE", "SMS_SEND", "TAGS_READ"])).await;
    assert_error(&refused, "API_KEY_INSUFFICIENT_SCOPE");
    assert_eq!(param(&refused), "scopes");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("SMS_SEND, TAGS_READ") && !message.contains("TEAM_MANAGE"),
        "{message}"
    );
    // What contains a scope gives it.
    assert_eq!(make(json!(["CONTACTS_READ"])).await.status, 201);
    assert_eq!(
        make(json!(["CONTACTS_READ_WRITE", "TEAM_MANAGE"])).await.status,
        201
    );
}

async fn a_member_manages_no_keys(db: TestDb) {
    let app = TestApp::start(db).await;
    let key = key_of(&app, app.office.ben, ScopeSet::ALL).await;
    for (method, path) in [
        (reqwest::Method::GET, KEYS.to_owned()),
        (reqwest::Method::POST, KEYS.to_owned()),
        (reqwest::Method::GET, format!("{KEYS}/api-1")),
        (reqwest::Method::DELETE, format!("{KEYS}/api-1")),
    ] {
        let reply = with_key(&app, &key, method, &path, Some(json!({}))).await;
        assert_error(&reply, "FORBIDDEN");
        let message = reply.json["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("ADMIN or MANAGER") && message.contains("MEMBER"),
            "{message}"
        );
    }
    let listed = me(&app, &key).await;
    assert!(!listed.text.contains(KEYS), "what is forbidden is not listed");
}

async fn a_manager_has_no_power_over_admins(db: TestDb) {
    let app = TestApp::start(db).await;
    let (_, manager) = somebody(&app, Role::Manager).await;
    let (admins, _) = new_key(&app, ScopeSet::ALL).await;
    let body = |user: UserId| json!({ "name": "Another", "scopes": ["TAGS_READ"], "user_id": user });
    let post = async |user| with_key(&app, &manager, reqwest::Method::POST, KEYS, Some(body(user))).await;
    let refused = post(app.office.ada).await;
    assert_error(&refused, "FORBIDDEN");
    assert_eq!(param(&refused), "user_id");
    // Ben could become an admin one day.
    assert_error(&post(app.office.ben).await, "FORBIDDEN");
    let made = app.post(KEYS, &body(app.office.ben)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.data()["user"]["id"], app.office.ben.to_string());

    let path = format!("{KEYS}/{admins}");
    let refused = with_key(&app, &manager, reqwest::Method::DELETE, &path, None).await;
    assert_error(&refused, "FORBIDDEN");
    assert_eq!(app.get(&path).await.data()["state"], "ACTIVE");
    let path = format!("{KEYS}/{}", made.data()["id"].as_str().unwrap());
    let done = with_key(&app, &manager, reqwest::Method::DELETE, &path, None).await;
    assert_eq!(done.status, 204);
}

async fn faulty_keys_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let nobody = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    for (field, value, code) in [
        ("name", json!(""), "INVALID_PARAMETER"),
        ("name", json!(null), "MISSING_PARAMETER"),
        ("name", json!("x".repeat(201)), "INVALID_LENGTH"),
        ("scopes", json!([]), "MISSING_PARAMETER"),
        ("scopes", json!(["EVERYTHING"]), "INVALID_PARAMETER"),
        ("user_id", json!("Ada"), "MEMBER_NOT_FOUND"),
        ("user_id", json!(nobody), "MEMBER_NOT_FOUND"),
        ("expires_at", json!("soon"), "INVALID_PARAMETER"),
        ("expires_at", json!("2001-01-01T00:00:00Z"), "INVALID_PARAMETER"),
    ] {
        let mut body = json!({ "name": "CI", "scopes": ["TAGS_READ"] });
        body[field] = value;
        let reply = app.post(KEYS, &body).await;
        assert_eq!(reply.code(), code, "{body}: {}", reply.text);
        assert_error(&reply, code);
        assert_eq!(blamed(&reply), BTreeSet::from([field.to_owned()]), "{body}");
    }
    let ben = app.office.ben;
    let block = move |tx: &mut trunkline_store::Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(
            "UPDATE users SET status = 'BLOCKED' WHERE id = $1",
            trunkline_store::params![ben],
        )
    };
    assert_eq!(app.board.db().write(block).await.unwrap(), 1);
    let body = json!({ "name": "CI", "scopes": ["TAGS_READ"], "user_id": ben });
    let refused = app.post(KEYS, &body).await;
    assert_error(&refused, "INVALID_PARAMETER");
    assert_eq!(param(&refused), "user_id");
    assert_eq!(
        app.get(KEYS).await.json["pagination"]["total_count"],
        1,
        "nothing was made"
    );
}

async fn an_expired_key_opens_nothing(db: TestDb) {
    let app = TestApp::start(db).await;
    let end = app.board.now().plus(Millis::HOUR);
    let body = json!({ "name": "For today", "scopes": ["TEAM_MANAGE", "TAGS_READ"], "expires_at": end });
    let made = app.post(KEYS, &body).await;
    assert_eq!(made.data()["expires_at"], end.to_string());
    let secret = made.data()["secret"].as_str().unwrap();

    // What it makes ends with it, or before.
    let later = json!({ "name": "x", "scopes": ["TAGS_READ"], "expires_at": end.plus(1) });
    let refused = with_key(&app, secret, reqwest::Method::POST, KEYS, Some(later)).await;
    assert_error(&refused, "INVALID_PARAMETER");
    assert_eq!(param(&refused), "expires_at");
    let silent = json!({ "name": "x", "scopes": ["TAGS_READ"] });
    let child = with_key(&app, secret, reqwest::Method::POST, KEYS, Some(silent)).await;
    assert_eq!(child.data()["expires_at"], end.to_string());

    app.office.clock.advance(Millis::HOUR - 1);
    assert_eq!(me(&app, secret).await.status, 200);
    app.office.clock.advance(1);
    let refused = me(&app, secret).await;
    assert_error(&refused, "API_KEY_INVALID");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains(&end.to_string()), "{message}");
    assert_error(
        &me(&app, child.data()["secret"].as_str().unwrap()).await,
        "API_KEY_INVALID",
    );
    let path = format!("{KEYS}/{}", made.data()["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.data()["state"], "EXPIRED");
}

async fn revoked_means_at_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let (id, key) = new_key(&app, ScopeSet::of(&[Scope::TagsRead])).await;
    assert_eq!(me(&app, &key).await.status, 200);
    let path = format!("{KEYS}/{id}");
    let first = app.delete(&path).await;
    assert_eq!((first.status, first.text.as_str()), (204, ""));
    assert_error(&me(&app, &key).await, "API_KEY_REVOKED");
    let shown = app.get(&path).await;
    assert_eq!(shown.data()["state"], "REVOKED");
    let at = shown.data()["revoked_at"].clone();
    app.office.clock.advance(Millis::SECOND);
    assert_eq!(app.delete(&path).await.status, 204, "it is already so");
    assert_eq!(app.get(&path).await.data()["revoked_at"], at);
}

async fn a_use_is_noted_once_a_minute(db: TestDb) {
    let app = TestApp::start(db).await;
    let (id, key) = new_key(&app, ScopeSet::of(&[Scope::TagsRead])).await;
    let state = &app.state;
    let used = async || {
        let row = app.get(&format!("{KEYS}/{id}")).await;
        row.data()["last_used_at"].clone()
    };
    assert_eq!(used().await, Value::Null, "never yet");
    let begun = app.board.now();
    for _ in 0..3 {
        assert_eq!(me(&app, &key).await.status, 200);
    }
    assert_eq!(used().await, Value::Null, "not in the request's path");
    // This key, and that of the office.
    assert_eq!(state.keys.keep_uses(&app.board).await.unwrap(), 2);
    assert_eq!(used().await, begun.to_string());
    assert_eq!(state.keys.keep_uses(&app.board).await.unwrap(), 0);

    app.office.clock.advance(Millis::MINUTE - 1);
    state.keys.forget();
    assert_eq!(me(&app, &key).await.status, 200);
    assert_eq!(
        state.keys.keep_uses(&app.board).await.unwrap(),
        0,
        "not a minute ago"
    );
    let later = app.office.clock.advance(1);
    assert_eq!(me(&app, &key).await.status, 200);
    assert_eq!(state.keys.keep_uses(&app.board).await.unwrap(), 1);
    assert_eq!(used().await, later.to_string());

    // Who is refused has not used it.
    app.office.clock.advance(Millis::MINUTE);
    state.keys.keep_uses(&app.board).await.unwrap();
    app.delete(&format!("{KEYS}/{id}")).await;
    assert_error(&me(&app, &key).await, "API_KEY_REVOKED");
    state.keys.keep_uses(&app.board).await.unwrap();
    assert_eq!(used().await, later.to_string());
}

async fn the_list_is_paged_and_filtered(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut made = Vec::new();
    for number in 0..5 {
        app.office.clock.advance(1);
        let user = if number % 2 == 0 {
            app.office.ada
        } else {
            app.office.ben
        };
        let body = json!({ "name": format!("Key {number}"), "scopes": ["TAGS_READ"], "user_id": user });
        let reply = app.post(KEYS, &body).await;
        made.push(reply.data()["id"].as_str().unwrap().to_owned());
    }
    let all = app.get(KEYS).await;
    assert_eq!(ids(&all)[1..], made, "oldest first, behind the office's own");
    assert_eq!(all.json["pagination"]["total_count"], 6);
    assert_eq!(ids(&app.get(&format!("{KEYS}?size=2&page=2")).await), made[1..3]);
    let (mut walked, mut path) = (Vec::new(), format!("{KEYS}?size=4"));
    loop {
        let part = app.get(&path).await;
        assert_page(&part);
        walked.extend(ids(&part));
        let next = &part.json["pagination"]["next_cursor"];
        assert_eq!(part.json["pagination"]["has_more"], json!(!next.is_null()));
        let Some(cursor) = next.as_str() else { break };
        path = format!("{KEYS}?size=4&cursor={cursor}");
    }
    assert_eq!(walked, ids(&all));
    let other = app.get(&format!("{path}&state=ACTIVE")).await;
    assert_error(&other, "INVALID_CURSOR");

    let of_ben = app.get(&format!("{KEYS}?user_id={}", app.office.ben)).await;
    assert_eq!(ids(&of_ben), [made[1].clone(), made[3].clone()]);
    app.delete(&format!("{KEYS}/{}", made[1])).await;
    for (state, count) in [("ACTIVE", 5), ("REVOKED", 1), ("EXPIRED", 0)] {
        let reply = app.get(&format!("{KEYS}?state={state}")).await;
        assert_eq!(reply.json["pagination"]["total_count"], count, "{state}");
    }
    assert_error(&app.get(&format!("{KEYS}?state=LOST")).await, "INVALID_PARAMETER");
    assert_error(
        &app.get(&format!("{KEYS}?user_id=ben")).await,
        "INVALID_PARAMETER",
    );
}

async fn there_is_an_end_to_keys(db: TestDb) {
    let app = TestApp::start(db).await;
    let (oldest, oldest_key) = new_key(&app, ScopeSet::of(&[Scope::TagsRead])).await;
    app.delete(&format!("{KEYS}/{oldest}")).await;
    app.office.clock.advance(1);
    let ada = app.office.ada;
    let fill = async |count: usize| {
        command(&app, move |work| {
            for _ in 0..count {
                accounts::create_key(work, ada, "one of many", ScopeSet::ALL, true)?;
            }
            Ok(())
        })
        .await;
    };
    let body = json!({ "name": "One more", "scopes": ["TAGS_READ"] });
    fill(999).await;
    let refused = app.post(KEYS, &body).await;
    assert_error(&refused, "TEAM_LIMIT_REACHED");
    assert!(
        refused.json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("1000"),
        "{}",
        refused.text
    );

    // Revoked ones are no burden, and those that were revoked first are forgotten first.
    let revoke = |work: &mut trunkline_switchboard::Work<'_, '_>| {
        let at = work.now;
        let many = "UPDATE api_keys SET revoked_at = $1 WHERE team_id = $2 AND name = 'one of many'";
        Ok(work.tx.execute(many, trunkline_store::params![at, work.team])?)
    };
    assert_eq!(command(&app, revoke).await, 999);
    assert_eq!(app.post(KEYS, &body).await.status, 201);
    assert_eq!(app.get(&format!("{KEYS}/{oldest}")).await.status, 200);
    fill(1).await;
    assert_eq!(command(&app, revoke).await, 1_000);
    assert_eq!(app.post(KEYS, &body).await.status, 201);
    assert_error(&app.get(&format!("{KEYS}/{oldest}")).await, "API_KEY_NOT_FOUND");
    app.state.keys.forget();
    assert_error(&me(&app, &oldest_key).await, "API_KEY_INVALID");
}

async fn who_made_a_key_is_written_down(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = me(&app, &app.key).await.data()["api_key_id"].clone();
    app.office.clock.advance(1);
    let made = app
        .post(KEYS, &json!({ "name": "Secret plans", "scopes": ["TAGS_READ"] }))
        .await;
    let id = made.data()["id"].as_str().unwrap();
    app.office.clock.advance(1);
    app.delete(&format!("{KEYS}/{id}")).await;
    app.delete(&format!("{KEYS}/{id}")).await;
    let team = app.office.team;
    let log: Result<_, StoreError> = app.board.db().read(move |conn| audit::list(conn, team, 3)).await;
    let log = log.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions[..2], ["key.revoked", "key.created"], "each once");
    for entry in &log[..2] {
        assert_eq!(entry.subject, id);
        assert_eq!(entry.actor, app.office.ada.to_string());
        assert_eq!(json!(entry.api_key), own);
        let secret = made.data()["secret"].as_str().unwrap();
        assert!(!format!("{entry:?}").contains(secret));
    }
    assert_eq!(log[2].api_key, None, "the office's own key was made by nobody's");
}

async fn a_repeated_request_makes_one_key(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "once")];
    let body = json!({ "name": "CI", "scopes": ["TAGS_READ"] }).to_string();
    let first = app
        .send_with(reqwest::Method::POST, KEYS, &headers, Some(body.clone()))
        .await;
    let again = app
        .send_with(reqwest::Method::POST, KEYS, &headers, Some(body))
        .await;
    assert_eq!((first.status, &first.text), (201, &again.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(app.get(KEYS).await.json["pagination"]["total_count"], 2);
    let secret = first.data()["secret"].as_str().unwrap().to_owned();
    let read = |conn: &mut trunkline_store::Conn<'_>| -> Result<Vec<String>, StoreError> {
        conn.rows("SELECT body FROM idempotency", &[], |row| row.get(0))
    };
    let stored = app.board.db().read(read).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(!stored[0].contains(&secret), "sealed");
}
