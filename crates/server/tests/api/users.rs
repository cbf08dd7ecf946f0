//! Users: renamed, given roles, blocked and let in again; what managers cannot do, and the last admin.

use serde_json::{Value, json};
use trunkline_domain::{Millis, Role, ScopeSet, UserId};
use trunkline_store::{StoreError, users};
use trunkline_switchboard::accounts;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::TestDb;

use crate::people::key_of;
use crate::support::{assert_error, authorization, command, param};

trunkline_testkit::on_both! {
    what_is_sent_is_changed,
    a_role_counts_at_once,
    a_blocked_users_keys_stop_at_once,
    a_manager_has_no_power_over_admin_users,
    there_is_always_an_admin,
    faulty_changes_are_refused,
}

async fn post(app: &TestApp, key: &str, path: &str) -> Reply {
    let own = authorization(key);
    app.send_with(reqwest::Method::POST, path, &[("Authorization", &own)], None)
        .await
}

async fn patch(app: &TestApp, key: &str, user: UserId, body: Value) -> Reply {
    let (own, path) = (authorization(key), format!("/v2/api/users/{user}"));
    let headers = [("Authorization", own.as_str())];
    app.send_with(reqwest::Method::PATCH, &path, &headers, Some(body.to_string()))
        .await
}

async fn add(app: &TestApp, email: &'static str, role: Role) -> UserId {
    command(app, move |work| accounts::create_user(work, "Dana", email, role)).await
}

async fn what_is_sent_is_changed(db: TestDb) {
    let app = TestApp::start(db).await;
    let ben = app.office.ben;
    let reply = patch(
        &app,
        &app.key,
        ben,
        json!({ "name": " Benjamin Ortiz ", "role": "MANAGER" }),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.data()["name"], "Benjamin Ortiz");
    assert_eq!(reply.data()["role"], "MANAGER");
    assert_eq!(
        app.get(&format!("/v2/api/users/{ben}")).await.data(),
        reply.data()
    );
    let silent = patch(&app, &app.key, ben, json!({ "name": null })).await;
    assert_eq!(silent.data(), reply.data());
    let email = patch(&app, &app.key, ben, json!({ "email": "x@y.example" })).await;
    assert_eq!(email.header("x-ignored-parameters"), "email");
    assert_eq!(email.data(), reply.data());
}

async fn a_role_counts_at_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let (ben, keys) = (app.office.ben, "/v2/api/keys");
    let key = key_of(&app, ben, ScopeSet::ALL).await;
    let own = authorization(&key);
    let list = async || {
        app.send_with(reqwest::Method::GET, keys, &[("Authorization", &own)], None)
            .await
    };
    assert_error(&list().await, "FORBIDDEN");
    patch(&app, &app.key, ben, json!({ "role": "MANAGER" })).await;
    assert_eq!(list().await.status, 200);
    patch(&app, &app.key, ben, json!({ "role": "MEMBER" })).await;
    assert_error(&list().await, "FORBIDDEN");
}

async fn a_blocked_users_keys_stop_at_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let ben = app.office.ben;
    let key = key_of(&app, ben, ScopeSet::ALL).await;
    let own = authorization(&key);
    let me = async || {
        app.send_with(
            reqwest::Method::GET,
            "/v2/api/me",
            &[("Authorization", &own)],
            None,
        )
        .await
    };
    assert_eq!(me().await.status, 200);
    let block = format!("/v2/api/users/{ben}/block");
    let blocked = post(&app, &app.key, &block).await;
    assert_eq!(blocked.status, 200, "{}", blocked.text);
    assert_eq!(blocked.data()["status"], "BLOCKED");
    assert_error(&me().await, "USER_NOT_FOUND");
    let since = async || {
        let team = app.office.team;
        let row: Result<_, StoreError> = app.board.db().read(move |conn| users::get(conn, team, ben)).await;
        row.unwrap().unwrap().blocked_at
    };
    let at = since().await;
    assert_eq!(at, Some(app.board.now()));
    app.office.clock.advance(Millis::MINUTE);
    assert_eq!(
        post(&app, &app.key, &block).await.data()["status"],
        "BLOCKED",
        "it is already so"
    );
    assert_eq!(since().await, at);
    let open = post(&app, &app.key, &format!("/v2/api/users/{ben}/unblock")).await;
    assert_eq!(open.data()["status"], "ACTIVE");
    assert_eq!(since().await, None);
    assert_eq!(me().await.status, 200);
}

async fn a_manager_has_no_power_over_admin_users(db: TestDb) {
    let app = TestApp::start(db).await;
    let (mona, ada) = (
        add(&app, "mona@fogcity.example", Role::Manager).await,
        app.office.ada,
    );
    let key = key_of(&app, mona, ScopeSet::ALL).await;
    for path in ["block", "unblock"] {
        let reply = post(&app, &key, &format!("/v2/api/users/{ada}/{path}")).await;
        assert_error(&reply, "FORBIDDEN");
    }
    assert_error(&patch(&app, &key, ada, json!({ "name": "A" })).await, "FORBIDDEN");
    for user in [mona, app.office.ben] {
        let reply = patch(&app, &key, user, json!({ "role": "ADMIN" })).await;
        assert_error(&reply, "FORBIDDEN");
        assert_eq!(param(&reply), "role");
    }
    let reply = patch(&app, &key, app.office.ben, json!({ "role": "MANAGER" })).await;
    assert_eq!(reply.data()["role"], "MANAGER");
    let shown = app.get(&format!("/v2/api/users/{ada}")).await;
    assert_eq!(
        (&shown.data()["name"], &shown.data()["role"]),
        (&json!("Ada Park"), &json!("ADMIN"))
    );
}

async fn there_is_always_an_admin(db: TestDb) {
    let app = TestApp::start(db).await;
    let ada = app.office.ada;
    let (block, demote) = (format!("/v2/api/users/{ada}/block"), json!({ "role": "MEMBER" }));
    assert_error(&post(&app, &app.key, &block).await, "LAST_ADMIN");
    assert_error(&patch(&app, &app.key, ada, demote.clone()).await, "LAST_ADMIN");
    // Another one who is blocked is of no use.
    let dana = add(&app, "dana@fogcity.example", Role::Admin).await;
    let other = format!("/v2/api/users/{dana}");
    assert_eq!(post(&app, &app.key, &format!("{other}/block")).await.status, 200);
    assert_error(&patch(&app, &app.key, ada, demote.clone()).await, "LAST_ADMIN");
    assert_eq!(
        post(&app, &app.key, &format!("{other}/unblock")).await.status,
        200
    );
    assert_eq!(
        patch(&app, &app.key, ada, json!({ "role": "ADMIN" }))
            .await
            .status,
        200
    );
    assert_eq!(patch(&app, &app.key, ada, demote).await.status, 200);
    let danas = key_of(&app, dana, ScopeSet::ALL).await;
    assert_error(&post(&app, &danas, &format!("{other}/block")).await, "LAST_ADMIN");
}

async fn faulty_changes_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let ben = app.office.ben;
    for (body, code, field) in [
        (json!({ "name": " " }), "INVALID_PARAMETER", "name"),
        (json!({ "name": "x".repeat(201) }), "INVALID_LENGTH", "name"),
        (json!({ "role": "OWNER" }), "INVALID_PARAMETER", "role"),
        (json!({ "role": 1 }), "INVALID_PARAMETER", "role"),
    ] {
        let reply = patch(&app, &app.key, ben, body.clone()).await;
        assert_error(&reply, code);
        assert_eq!(param(&reply), field, "{body}");
    }
    let nobody = UserId::parse("usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD").unwrap();
    let reply = patch(&app, &app.key, nobody, json!({ "name": "x" })).await;
    assert_error(&reply, "MEMBER_NOT_FOUND");
    assert_eq!(param(&reply), "id");
}
