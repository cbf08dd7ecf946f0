//! Invitations: handed on as links or mailed, accepted once, and worth nothing after their end, or when who invited may
//! not invite any more.

use serde_json::{Value, json};
use trunkline_domain::{Millis, Role, Scope, ScopeSet, UserId};
use trunkline_server::Mails;
use trunkline_store::{StoreError, invitations as stored, jobs, params, users};
use trunkline_switchboard::accounts;
use trunkline_switchboard::invitations::{
    self, INVITATION_MAIL_JOB, MAX_INVITATIONS, MAX_USERS, MailLimit, VALID_FOR,
};
use trunkline_switchboard::sweeper::{self, KEEP_INVITATIONS};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::TestDb;

use crate::people::{key_of, new_key};
use crate::support::{
    assert_common, assert_error, assert_page, authorization, blamed, command, keys, param, set_team,
};
use crate::surroundings::{serve, with_settings};

trunkline_testkit::on_both! {
    a_link_makes_a_user_once,
    whatever_opens_nothing_is_answered_alike,
    of_two_who_accept_at_once_one_joins,
    who_invited_must_still_be_one_to_invite,
    a_revoked_key_takes_its_invitations_along,
    nobody_invites_beyond_their_own_power,
    an_address_is_invited_once,
    an_invitation_is_sent_again_and_withdrawn,
    mails_are_a_job,
    mails_of_a_day_have_a_limit,
    what_expired_long_ago_is_forgotten,
    faulty_invitations_are_refused,
    there_is_an_end_to_invitations,
    a_repeated_request_invites_once,
    the_audit_log_tells_of_it,
    the_page_tells_nobody_the_token,
}

const INVITATIONS: &str = "/v2/api/users/invitations";
const ACCEPT: &str = "/v2/api/invitations/accept";

async fn with_key(app: &TestApp, key: &str, path: &str, body: Value) -> Reply {
    let own = authorization(key);
    let headers = [("Authorization", own.as_str())];
    app.send_with(reqwest::Method::POST, path, &headers, Some(body.to_string()))
        .await
}

async fn invite(app: &TestApp, email: &str, role: &str) -> Reply {
    let body = json!({ "email": email, "role": role, "name": "Dana Lee" });
    app.post(INVITATIONS, &body).await
}

/// The token in the link of an answer.
fn token(app: &TestApp, reply: &Reply) -> String {
    let link = reply.data()["link"].as_str().unwrap();
    let (page, token) = link.split_once('#').unwrap();
    assert_eq!(page, format!("{}/invitation", app.url));
    assert_eq!(token.len(), 43);
    token.to_owned()
}

/// Accepts without any key, in a second of its own: visitors are counted by address.
async fn accept(app: &TestApp, token: &str) -> Reply {
    app.office.clock.advance(Millis::SECOND);
    let body = json!({ "token": token }).to_string();
    let reply = app
        .send_with(reqwest::Method::POST, ACCEPT, &[], Some(body))
        .await;
    assert_common(&reply);
    reply
}

async fn a_link_makes_a_user_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = invite(&app, " Dana@FogCity.example ", "MEMBER").await;
    assert_eq!(made.status, 201, "{}", made.text);
    let shown = made.data().clone();
    let fields = [
        "created_at",
        "delivery",
        "email",
        "expires_at",
        "id",
        "invited_by",
        "link",
        "mailed_at",
        "name",
        "role",
        "scopes",
        "state",
    ];
    assert_eq!(keys(&shown), fields);
    assert_eq!(shown["email"], "dana@fogcity.example");
    assert_eq!(shown["state"], "PENDING");
    assert_eq!(shown["delivery"], "LINK");
    assert_eq!(shown["invited_by"]["id"], app.office.ada.to_string());
    assert_eq!(shown["expires_at"], json!(app.board.now().plus(VALID_FOR)));
    let scopes = shown["scopes"].as_array().unwrap();
    for closed in ["TEAM_MANAGE", "BILLING", "PARTNER"] {
        assert!(
            !scopes.contains(&json!(closed)),
            "{closed} is nothing for a member"
        );
    }
    assert!(scopes.contains(&json!("CONVERSATIONS_READ")));

    let listed = app.get(INVITATIONS).await;
    assert_page(&listed);
    let mut without = shown.clone();
    without.as_object_mut().unwrap().remove("link");
    assert_eq!(listed.json["data"], json!([without]));
    let token = token(&app, &made);
    assert!(!listed.text.contains(&token));

    let joined = accept(&app, &token).await;
    assert_eq!(joined.status, 201, "{}", joined.text);
    let joined = joined.data();
    assert_eq!(joined["user"]["name"], "Dana Lee");
    assert_eq!(joined["user"]["email"], "dana@fogcity.example");
    assert_eq!(joined["user"]["role"], "MEMBER");
    assert_eq!(joined["team"]["id"], app.office.team_id.to_string());
    assert_eq!(joined["api_key"]["scopes"], shown["scopes"]);
    let key = authorization(joined["api_key"]["secret"].as_str().unwrap());
    let me = app
        .send_with(
            reqwest::Method::GET,
            "/v2/api/me",
            &[("Authorization", &key)],
            None,
        )
        .await;
    assert_eq!(me.data()["api_key_id"], joined["api_key"]["id"]);
    let users = app.get("/v2/api/users").await;
    assert!(users.data().as_array().unwrap().contains(&joined["user"]));
    assert_eq!(app.get(INVITATIONS).await.json["pagination"]["total_count"], 0);
    assert_error(&accept(&app, &token).await, "INVITATION_NOT_FOUND");
}

/// Unknown, used, expired, withdrawn, sent again, of a team that is closed: nobody learns which.
async fn whatever_opens_nothing_is_answered_alike(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut dead = vec!["x".to_owned(), String::new(), "y".repeat(43), "é".to_owned()];
    let used = token(&app, &invite(&app, "used@fogcity.example", "MEMBER").await);
    assert!(accept(&app, &used).await.data().is_object());
    let withdrawn = invite(&app, "withdrawn@fogcity.example", "MEMBER").await;
    let path = format!("{INVITATIONS}/{}", withdrawn.data()["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await.status, 204);
    let again = invite(&app, "again@fogcity.example", "MEMBER").await;
    let path = format!("{INVITATIONS}/{}/resend", again.data()["id"].as_str().unwrap());
    assert!(app.post(&path, &json!({})).await.data().is_object());
    // Made a user in another way.
    let made = invite(&app, "made@fogcity.example", "MEMBER").await;
    command(&app, |work| {
        accounts::create_user(work, "Made", "made@fogcity.example", Role::Member)
    })
    .await;
    let expired = invite(&app, "expired@fogcity.example", "MEMBER").await;
    dead.extend([
        used,
        token(&app, &withdrawn),
        token(&app, &again),
        token(&app, &made),
    ]);
    dead.push(token(&app, &expired));
    app.office.clock.advance(VALID_FOR);
    assert_eq!(app.get(INVITATIONS).await.data()[1]["state"], "EXPIRED");
    let closed = token(&app, &invite(&app, "closed@fogcity.example", "MEMBER").await);
    let mut answers = Vec::new();
    for token in &dead {
        answers.push(accept(&app, token).await);
    }
    for standing in ["suspended_at", "closed_at"] {
        set_team(&app, standing, "1").await;
        answers.push(accept(&app, &closed).await);
        set_team(&app, standing, "NULL").await;
    }
    for reply in &answers {
        assert_error(reply, "INVITATION_NOT_FOUND");
        let mut error = reply.json["error"].clone();
        error["request_id"] = Value::Null;
        let mut first = answers[0].json["error"].clone();
        first["request_id"] = Value::Null;
        assert_eq!(error, first);
    }
    assert_eq!(accept(&app, &closed).await.status, 201, "open again");
}

async fn of_two_who_accept_at_once_one_joins(db: TestDb) {
    let app = TestApp::start(db).await;
    let token = token(&app, &invite(&app, "dana@fogcity.example", "MEMBER").await);
    let body = json!({ "token": token }).to_string();
    let send = || app.send_with(reqwest::Method::POST, ACCEPT, &[], Some(body.clone()));
    let (one, other, third) = tokio::join!(send(), send(), send());
    let mut statuses = [one.status, other.status, third.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 404, 404]);
    let team = app.office.team;
    let count: Result<_, StoreError> = app.board.db().read(move |conn| users::count(conn, team)).await;
    assert_eq!(count.unwrap(), 3);
}

async fn somebody(app: &TestApp, role: Role) -> (UserId, String) {
    let email = format!("{role}@fogcity.example");
    let user = command(app, move |work| accounts::create_user(work, "Mona", &email, role)).await;
    (user, key_of(app, user, ScopeSet::ALL).await)
}

async fn who_invited_must_still_be_one_to_invite(db: TestDb) {
    let app = TestApp::start(db).await;
    let (mona, key) = somebody(&app, Role::Manager).await;
    let body = json!({ "email": "dana@fogcity.example", "role": "MANAGER", "name": "Dana" });
    let token = token(&app, &with_key(&app, &key, INVITATIONS, body).await);
    let user = format!("/v2/api/users/{mona}");
    assert!(
        app.post(&format!("{user}/block"), &json!({}))
            .await
            .data()
            .is_object()
    );
    assert_error(&accept(&app, &token).await, "INVITATION_NOT_FOUND");
    assert!(
        app.post(&format!("{user}/unblock"), &json!({}))
            .await
            .data()
            .is_object()
    );
    assert!(
        app.patch(&user, &json!({ "role": "MEMBER" }))
            .await
            .data()
            .is_object()
    );
    assert_error(&accept(&app, &token).await, "INVITATION_NOT_FOUND");
    // Somebody else answers for it now, and the first link has ended.
    let id = app.get(INVITATIONS).await.data()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = app.post(&format!("{INVITATIONS}/{id}/resend"), &json!({})).await;
    assert_eq!(again.data()["invited_by"]["id"], app.office.ada.to_string());
    assert_error(&accept(&app, &token).await, "INVITATION_NOT_FOUND");
    let link = again.data()["link"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap()
        .1
        .to_owned();
    let joined = accept(&app, &link).await;
    assert_eq!(joined.data()["user"]["role"], "MANAGER");
}

async fn a_revoked_key_takes_its_invitations_along(db: TestDb) {
    let app = TestApp::start(db).await;
    let (_, key) = somebody(&app, Role::Admin).await;
    let body = json!({ "email": "dana@fogcity.example", "role": "ADMIN", "delivery": "LINK" });
    let made = with_key(&app, &key, INVITATIONS, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let own = invite(&app, "eve@fogcity.example", "MEMBER").await;
    let keys = app.get("/v2/api/keys").await;
    let of_key = |of: &&Value| key.ends_with(of["hint"].as_str().unwrap());
    let id = keys.data().as_array().unwrap().iter().find(of_key).unwrap()["id"].clone();
    assert_eq!(
        app.delete(&format!("/v2/api/keys/{}", id.as_str().unwrap()))
            .await
            .status,
        204
    );
    assert_error(&accept(&app, &token(&app, &made)).await, "INVITATION_NOT_FOUND");
    let open = app.get(INVITATIONS).await;
    assert_eq!(open.data().as_array().unwrap().len(), 1);
    assert_eq!(open.data()[0]["id"], own.data()["id"]);
}

async fn nobody_invites_beyond_their_own_power(db: TestDb) {
    let app = TestApp::start(db).await;
    let (_, member) = somebody(&app, Role::Member).await;
    let (_, manager) = somebody(&app, Role::Manager).await;
    let body = |role: &str, more: Value| {
        let mut body = json!({ "email": format!("{role}-2@fogcity.example"), "role": role });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    assert_error(
        &with_key(&app, &member, INVITATIONS, body("MEMBER", json!({}))).await,
        "FORBIDDEN",
    );
    let refused = with_key(&app, &manager, INVITATIONS, body("ADMIN", json!({}))).await;
    assert_error(&refused, "FORBIDDEN");
    assert_eq!(param(&refused), "role");
    let own = ScopeSet::of(&[Scope::TeamManage, Scope::TagsRead]);
    let (_, narrow) = new_key(&app, own).await;
    let wide = body("ADMIN", json!({ "scopes": ["TAGS_READ", "SMS_SEND"] }));
    let refused = with_key(&app, &narrow, INVITATIONS, wide).await;
    assert_error(&refused, "API_KEY_INSUFFICIENT_SCOPE");
    assert_eq!(param(&refused), "scopes");
    let made = with_key(&app, &narrow, INVITATIONS, body("ADMIN", json!({}))).await;
    assert_eq!(made.data()["scopes"], json!(["TAGS_READ", "TEAM_MANAGE"]));
    let admins = format!("{INVITATIONS}/{}", made.data()["id"].as_str().unwrap());
    // A manager neither withdraws nor takes over what admins have done.
    let resend = format!("{admins}/resend");
    assert_error(&with_key(&app, &manager, &resend, json!({})).await, "FORBIDDEN");
    let own = authorization(&manager);
    let headers = [("Authorization", own.as_str())];
    let reply = app
        .send_with(reqwest::Method::DELETE, &admins, &headers, None)
        .await;
    assert_error(&reply, "FORBIDDEN");
    let rich = invite(&app, "rich@fogcity.example", "MEMBER").await;
    let resend = format!("{INVITATIONS}/{}/resend", rich.data()["id"].as_str().unwrap());
    let refused = with_key(&app, &narrow, &resend, json!({})).await;
    assert_error(&refused, "API_KEY_INSUFFICIENT_SCOPE");

    // The first key ends with the one by which it was given.
    let end = app.board.now().plus(Millis::HOUR);
    let until = json!({ "name": "For an hour", "scopes": ScopeSet::ALL, "expires_at": end });
    let short = app.post("/v2/api/keys", &until).await.data()["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let invited = async |email: &str| {
        let body = json!({ "email": email, "role": "MEMBER", "name": "Dana" });
        token(&app, &with_key(&app, &short, INVITATIONS, body).await)
    };
    let (early, late) = (
        invited("early@fogcity.example").await,
        invited("late@fogcity.example").await,
    );
    assert_eq!(
        accept(&app, &early).await.data()["api_key"]["expires_at"],
        json!(end)
    );
    app.office.clock.advance(Millis::HOUR);
    let joined = accept(&app, &late).await;
    assert_eq!((joined.status, &joined.data()["api_key"]), (201, &Value::Null));
}

async fn an_address_is_invited_once(db: TestDb) {
    let app = TestApp::start(db).await;
    assert_error(
        &invite(&app, "BEN@fogcity.example", "MEMBER").await,
        "USER_ALREADY_EXISTS",
    );
    let first = invite(&app, "dana@fogcity.example", "MEMBER").await;
    let second = invite(&app, "DANA@fogcity.example", "ADMIN").await;
    assert_error(&second, "INVITATION_ALREADY_EXISTS");
    assert_eq!(param(&second), "email");
    app.office.clock.advance(VALID_FOR);
    let third = invite(&app, "dana@fogcity.example", "MANAGER").await;
    assert_eq!(third.status, 201, "the first has expired: {}", third.text);
    assert_eq!(app.get(INVITATIONS).await.data().as_array().unwrap().len(), 1);
    assert_error(&accept(&app, &token(&app, &first)).await, "INVITATION_NOT_FOUND");
    // In another team the same address is somebody else.
    let theirs = crate::people::neighbour(&app, crate::people::World::Sandbox).await;
    let body = json!({ "email": "dana@fogcity.example", "role": "MEMBER", "name": "Dana" });
    let other = with_key(&app, &theirs.key, INVITATIONS, body).await;
    let theirs = accept(&app, &token(&app, &other)).await;
    assert_eq!(theirs.data()["team"]["name"], "The Neighbours");
    let ours = accept(&app, &token(&app, &third)).await;
    assert_eq!(ours.data()["user"]["role"], "MANAGER");
}

async fn an_invitation_is_sent_again_and_withdrawn(db: TestDb) {
    let app = TestApp::start(db).await;
    let first = invite(&app, "dana@fogcity.example", "MEMBER").await;
    let path = format!("{INVITATIONS}/{}", first.data()["id"].as_str().unwrap());
    app.office.clock.advance(VALID_FOR + Millis::DAY);
    let again = app
        .post(&format!("{path}/resend"), &json!({ "delivery": "LINK" }))
        .await;
    assert_eq!(again.status, 200, "{}", again.text);
    for same in ["id", "email", "role", "scopes", "created_at", "name"] {
        assert_eq!(again.data()[same], first.data()[same], "{same}");
    }
    assert_eq!(again.data()["state"], "PENDING");
    assert_ne!(again.data()["link"], first.data()["link"]);
    assert_eq!(app.delete(&path).await.status, 204);
    assert_error(&app.delete(&path).await, "INVITATION_NOT_FOUND");
    assert_error(
        &app.post(&format!("{path}/resend"), &json!({})).await,
        "INVITATION_NOT_FOUND",
    );
    assert_error(&accept(&app, &token(&app, &again)).await, "INVITATION_NOT_FOUND");
}

async fn mails_are_a_job(db: TestDb) {
    let app = TestApp::start(db).await;
    let state = with_settings(&app, |settings| settings.mails = Mails::Sent);
    let url = serve(trunkline_server::router(state)).await;
    let send = async |path: &str, body: Value| {
        let request = trunkline_testkit::app::client_builder().build().unwrap();
        let request = request.post(format!("{url}{path}")).json(&body);
        let reply = request
            .header("Authorization", authorization(&app.key))
            .send()
            .await
            .unwrap();
        let wait = reply
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        (
            reply.status().as_u16(),
            wait,
            reply.json::<Value>().await.unwrap(),
        )
    };
    let body = json!({ "email": "dana@fogcity.example", "role": "MEMBER" });
    let (status, _, made) = send(INVITATIONS, body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["data"]["delivery"], "MAIL");
    assert_eq!(
        made["data"]["link"],
        Value::Null,
        "whom it is for gets it, and nobody else"
    );
    let team = app.office.team;
    let due = async || {
        let waiting: Result<_, StoreError> = app
            .board
            .db()
            .read(move |conn| {
                let sql = "SELECT payload FROM jobs WHERE team_id = $1 AND kind = $2";
                conn.rows(sql, params![team, INVITATION_MAIL_JOB], |row| {
                    row.get::<String>(0)
                })
            })
            .await;
        waiting.unwrap()
    };
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(due().await, std::slice::from_ref(&id));
    let resend = format!("{INVITATIONS}/{id}/resend");
    let (status, wait, refused) = send(&resend, json!({})).await;
    assert_eq!((status, wait.as_deref()), (429, Some("60")), "{refused}");
    app.office.clock.advance(Millis::MINUTE);
    assert_eq!(send(&resend, json!({})).await.0, 200);
    assert_eq!(due().await, std::slice::from_ref(&id), "one mail at a time");
    // What failed waits for hours, but not when it is asked for again; and the attempt that failed is not the job's any more.
    let (now, job) = (app.board.now(), format!("{INVITATION_MAIL_JOB} {id}"));
    let failed = command(&app, move |work| {
        let of = [INVITATION_MAIL_JOB];
        let claimed = jobs::claim(work.tx, &of, now, Millis::MINUTE, 1)?.remove(0);
        jobs::postpone(
            work.tx,
            work.team,
            &claimed.id,
            claimed.attempts,
            now.plus(6 * Millis::HOUR),
        )?;
        Ok(claimed.attempts)
    })
    .await;
    app.office.clock.advance(Millis::MINUTE);
    assert_eq!(send(&resend, json!({})).await.0, 200);
    let now = app.board.now();
    let (is_due, is_gone) = command(&app, move |work| {
        let due = jobs::next_due(work.tx, &[INVITATION_MAIL_JOB], now)?;
        Ok((
            due.is_some_and(|at| at <= now),
            jobs::finish(work.tx, work.team, &job, failed)?,
        ))
    })
    .await;
    assert!(is_due && !is_gone);
    // What is mailed is known to the mail alone; a later mail ends the link of an earlier one.
    let parsed = id.parse().unwrap();
    let letter = command(&app, move |work| invitations::letter(work, parsed))
        .await
        .unwrap();
    assert_eq!(
        (letter.email.as_str(), letter.from.as_deref()),
        ("dana@fogcity.example", Some("Ada Park"))
    );
    let second = command(&app, move |work| invitations::letter(work, parsed))
        .await
        .unwrap();
    assert_error(&accept(&app, &letter.token).await, "INVITATION_NOT_FOUND");
    // Nobody has said a name yet.
    let nameless = accept(&app, &second.token).await;
    assert_error(&nameless, "MISSING_PARAMETER");
    assert_eq!(param(&nameless), "name");
    let body = json!({ "token": second.token, "name": " Dana " }).to_string();
    let joined = app
        .send_with(reqwest::Method::POST, ACCEPT, &[], Some(body))
        .await;
    assert_eq!(joined.data()["user"]["name"], "Dana");
    assert!(
        command(&app, move |work| invitations::letter(work, parsed))
            .await
            .is_none()
    );
    // Who is to hand on the link gets it, and no mail is sent for it any more.
    let body = json!({ "email": "eve@fogcity.example", "role": "MEMBER", "delivery": "LINK" });
    let (_, _, made) = send(INVITATIONS, body).await;
    assert!(made["data"]["link"].is_string());
    let parsed = made["data"]["id"].as_str().unwrap().parse().unwrap();
    assert!(
        command(&app, move |work| invitations::letter(work, parsed))
            .await
            .is_none()
    );
    let done = command(&app, move |work| Ok(jobs::finish(work.tx, work.team, "none", 0)?)).await;
    assert!(!done);
}

async fn mails_of_a_day_have_a_limit(db: TestDb) {
    let app = TestApp::start(db).await;
    let limited = |most: i64| {
        with_settings(&app, |settings| {
            settings.mails = Mails::Sent;
            settings.invitation_mails = MailLimit(most);
        })
    };
    let url = serve(trunkline_server::router(limited(3))).await;
    let own = authorization(&app.key);
    let send = async |url: &str, path: &str, body: Value| {
        let headers = [("Authorization", own.as_str())];
        app.send_to(
            reqwest::Method::POST,
            &format!("{url}{path}"),
            &headers,
            Some(body.to_string()),
        )
        .await
    };
    let ask = async |url: &str, n: i64, delivery: &str| {
        let body = json!({ "email": format!("{n}@fogcity.example"), "role": "MEMBER", "delivery": delivery });
        send(url, INVITATIONS, body).await
    };
    let first = ask(&url, 1, "MAIL").await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(ask(&url, 2, "MAIL").await.status, 201);
    app.office.clock.advance(Millis::MINUTE);
    let again = format!("{INVITATIONS}/{}/resend", first.data()["id"].as_str().unwrap());
    assert_eq!(send(&url, &again, json!({})).await.status, 200, "it counts too");
    app.office.clock.advance(Millis::MINUTE);
    for refused in [ask(&url, 3, "MAIL").await, send(&url, &again, json!({})).await] {
        assert_error(&refused, "RATE_LIMIT_EXCEEDED");
        assert!(
            refused.text.contains("3 are the most of a day"),
            "{}",
            refused.text
        );
        // 10:02 in UTC.
        assert_eq!(refused.header("retry-after"), (14 * 3_600 - 120).to_string());
    }
    assert_eq!(ask(&url, 3, "LINK").await.status, 201, "links are no mails");
    let listed = app.get(INVITATIONS).await;
    assert_eq!(listed.json["pagination"]["total_count"], 3, "{}", listed.text);
    // Who has no limit has none.
    let open = serve(trunkline_server::router(limited(0))).await;
    assert_eq!(ask(&open, 4, "MAIL").await.status, 201);
    app.office.clock.advance(14 * Millis::HOUR - 2 * Millis::MINUTE);
    for n in 5..8 {
        assert_eq!(ask(&url, n, "MAIL").await.status, 201, "a new day");
    }
    assert_error(&ask(&url, 8, "MAIL").await, "RATE_LIMIT_EXCEEDED");
}

async fn what_expired_long_ago_is_forgotten(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = invite(&app, "dana@fogcity.example", "MEMBER").await;
    let link = token(&app, &made);
    app.office.clock.advance(VALID_FOR + KEEP_INVITATIONS);
    sweeper::prune(&app.board, Millis::DAY).await.unwrap();
    assert_eq!(app.get(INVITATIONS).await.data()[0]["state"], "EXPIRED");
    app.office.clock.advance(1);
    let later = invite(&app, "omar@fogcity.example", "MEMBER").await;
    assert!(sweeper::prune(&app.board, Millis::DAY).await.unwrap() > 0);
    let left = app.get(INVITATIONS).await;
    assert_eq!(left.data().as_array().unwrap().len(), 1, "{}", left.text);
    assert_eq!(left.data()[0]["id"], later.data()["id"]);
    assert_error(&accept(&app, &link).await, "INVITATION_NOT_FOUND");
    assert_eq!(accept(&app, &token(&app, &later)).await.status, 201);
}

async fn faulty_invitations_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    for (body, code, field) in [
        (json!({ "role": "MEMBER" }), "MISSING_PARAMETER", "email"),
        (json!({ "email": "a@b.example" }), "MISSING_PARAMETER", "role"),
        (
            json!({ "email": "nobody", "role": "MEMBER" }),
            "INVALID_PARAMETER",
            "email",
        ),
        (
            json!({ "email": "a b@c.example", "role": "MEMBER" }),
            "INVALID_PARAMETER",
            "email",
        ),
        (
            json!({ "email": "x<y@z.example", "role": "MEMBER" }),
            "INVALID_PARAMETER",
            "email",
        ),
        (
            json!({ "email": "a@b.example,c@d.example", "role": "MEMBER" }),
            "INVALID_PARAMETER",
            "email",
        ),
        (
            json!({ "email": "a@b.example", "role": "OWNER" }),
            "INVALID_PARAMETER",
            "role",
        ),
        (
            json!({ "email": "a@b.example", "role": "MEMBER", "name": " " }),
            "INVALID_PARAMETER",
            "name",
        ),
        (
            json!({ "email": "a@b.example", "role": "MEMBER", "scopes": [] }),
            "MISSING_PARAMETER",
            "scopes",
        ),
        (
            json!({ "email": "a@b.example", "role": "MEMBER", "scopes": ["NOPE"] }),
            "INVALID_PARAMETER",
            "scopes",
        ),
        (
            json!({ "email": "a@b.example", "role": "MEMBER", "delivery": "MAIL" }),
            "INVALID_PARAMETER",
            "delivery",
        ),
        (
            json!({ "email": "a@b.example", "role": "MEMBER", "delivery": "FAX" }),
            "INVALID_PARAMETER",
            "delivery",
        ),
    ] {
        let reply = app.post(INVITATIONS, &body).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(field), "{body}: {}", reply.text);
    }
    assert_eq!(app.get(INVITATIONS).await.json["pagination"]["total_count"], 0);
    for (body, code, field) in [
        (json!({}), "MISSING_PARAMETER", "token"),
        (json!({ "token": 5 }), "INVALID_PARAMETER", "token"),
        (json!({ "token": "x".repeat(201) }), "INVALID_LENGTH", "token"),
        (
            json!({ "token": "x", "name": "x".repeat(201) }),
            "INVALID_LENGTH",
            "name",
        ),
    ] {
        app.office.clock.advance(Millis::SECOND);
        let reply = app
            .send_with(reqwest::Method::POST, ACCEPT, &[], Some(body.to_string()))
            .await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(field), "{body}: {}", reply.text);
    }
    app.office.clock.advance(Millis::SECOND);
    let reply = app.send_with(reqwest::Method::GET, ACCEPT, &[], None).await;
    assert_error(&reply, "METHOD_NOT_ALLOWED");
    let unused = json!({ "token": "x", "colour": "red" }).to_string();
    let mut last = None;
    for _ in 0..6 {
        last = Some(
            app.send_with(reqwest::Method::POST, ACCEPT, &[], Some(unused.clone()))
                .await,
        );
    }
    assert_error(&last.unwrap(), "RATE_LIMIT_EXCEEDED");
}

async fn there_is_an_end_to_invitations(db: TestDb) {
    let app = TestApp::start(db).await;
    let first = invite(&app, "dana@fogcity.example", "MEMBER").await;
    let id = first.data()["id"].as_str().unwrap().parse().unwrap();
    command(&app, move |work| {
        let row = stored::get(work.tx, work.team, id)?.unwrap();
        for i in 1..MAX_INVITATIONS {
            let more = stored::InvitationRow {
                id: work.new_id(work.now),
                email: format!("{i}@fogcity.example"),
                hash: i.to_string(),
                ..row.clone()
            };
            stored::insert(work.tx, work.team, &more)?;
        }
        Ok(())
    })
    .await;
    let refused = invite(&app, "one@toomany.example", "MEMBER").await;
    assert_error(&refused, "TEAM_LIMIT_REACHED");
    assert!(refused.text.contains("at most 100"), "{}", refused.text);
    command(&app, |work| {
        for row in stored::list(work.tx, work.team)? {
            stored::delete(work.tx, work.team, &row)?;
        }
        for i in users::count(work.tx, work.team)?..MAX_USERS {
            accounts::create_user(work, "Dana", &format!("{i}@fogcity.example"), Role::Member)?;
        }
        Ok(())
    })
    .await;
    let refused = invite(&app, "one@toomany.example", "MEMBER").await;
    assert_error(&refused, "TEAM_LIMIT_REACHED");
    assert!(refused.text.contains("at most 1000 users"), "{}", refused.text);
}

async fn a_repeated_request_invites_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "once")];
    let body = json!({ "email": "dana@fogcity.example", "role": "MEMBER", "name": "Dana" }).to_string();
    let send = || app.send_with(reqwest::Method::POST, INVITATIONS, &headers, Some(body.clone()));
    let (first, second) = (send().await, send().await);
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.header("idempotency-replayed"), "true");
    let token = token(&app, &first);
    let stored: Result<_, StoreError> = app
        .board
        .db()
        .read(|conn| conn.rows("SELECT body FROM idempotency", &[], |row| row.get::<String>(0)))
        .await;
    assert!(
        stored.unwrap().iter().all(|body| !body.contains(&token)),
        "it is sealed"
    );
    assert_eq!(accept(&app, &token).await.status, 201);
}

async fn the_audit_log_tells_of_it(db: TestDb) {
    let app = TestApp::start(db).await;
    let made = invite(&app, "dana@fogcity.example", "MEMBER").await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    app.office.clock.advance(1);
    let again = app.post(&format!("{INVITATIONS}/{id}/resend"), &json!({})).await;
    let joined = accept(&app, &token(&app, &again)).await.data().clone();
    let log = app.get(&format!("/v2/api/audit?object={id}")).await;
    let told: Vec<(&str, &str)> = log
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["actor"]["user"]["id"].as_str().unwrap(),
            )
        })
        .collect();
    let (ada, dana) = (app.office.ada.to_string(), joined["user"]["id"].as_str().unwrap());
    assert_eq!(
        told,
        [
            ("invitation.accepted", dana),
            ("invitation.sent_again", &ada),
            ("invitation.created", &ada),
        ]
    );
    for object in [dana, joined["api_key"]["id"].as_str().unwrap()] {
        let log = app
            .get(&format!("/v2/api/audit?object={object}&actor={dana}"))
            .await;
        assert_eq!(log.data().as_array().unwrap().len(), 1, "{}", log.text);
    }
    let gone = invite(&app, "gone@fogcity.example", "MEMBER").await;
    let gone = gone.data()["id"].as_str().unwrap();
    app.delete(&format!("{INVITATIONS}/{gone}")).await;
    let log = app.get("/v2/api/audit?action=invitation.revoked").await;
    assert_eq!(log.data()[0]["object"], gone);
}

async fn the_page_tells_nobody_the_token(db: TestDb) {
    let app = TestApp::start(db).await;
    let page = app
        .send_with(reqwest::Method::GET, "/invitation", &[], None)
        .await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(page.text.contains(ACCEPT) && page.text.contains("history.replaceState"));
    assert!(!page.text.contains("src=\"http"), "nothing comes from elsewhere");
}
