//! Accounts that a partner makes for its customers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{Capability, ErrorCode, Millis, PhoneNumber, Scope, ScopeSet};
use trunkline_server::partners::{Billing, Decision, Partners, Refusal, Seat};
use trunkline_store::{Conn, StoreError, audit, directory, numbers};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::partners::Policy;
use trunkline_switchboard::{Actor, Error, lines};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, number};

use crate::operations::partner_account;
use crate::people::{self, new_key};
use crate::support::{assert_error, authorization, blamed, events_of, param, searchable};
use crate::surroundings::serve;

trunkline_testkit::on_both! {
    an_account_is_a_team_of_its_own,
    only_the_key_that_made_an_account_sees_it,
    a_suspended_account_opens_nothing_until_it_is_resumed,
    a_deactivated_account_is_over,
    a_number_is_given_once,
    a_number_rests_before_it_is_given_again,
    what_is_wrong_with_an_account_is_named,
    billing_decides,
    a_partner_has_so_many_accounts_and_no_more,
    an_account_is_made_once_for_each_key,
}

const ACCOUNTS: &str = "/v2/api/partner/accounts";

/// A second server with another policy, and another who decides about bills.
async fn beside(
    app: &TestApp,
    change: impl FnOnce(&mut Policy),
    billing: Option<Arc<dyn Billing>>,
) -> String {
    let mut policy = Policy::clone(&app.state.partners.policy);
    change(&mut policy);
    let billing = billing.unwrap_or_else(|| app.state.partners.billing.clone());
    let partners = Partners {
        policy: Arc::new(policy),
        billing,
    };
    let state = app.state.with(|shared| shared.partners = partners);
    serve(trunkline_server::router(state)).await
}

/// Decides always alike, and remembers what it was asked.
struct Always {
    decision: Result<(), Refusal>,
    asked: AtomicUsize,
    last: Mutex<Option<Seat>>,
}

impl Always {
    fn new(decision: Result<(), Refusal>) -> Arc<Self> {
        Arc::new(Self {
            decision,
            asked: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }
}

impl Billing for Always {
    fn decide<'d>(&'d self, seat: &'d Seat) -> Decision<'d> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap() = Some(seat.clone());
        Box::pin(std::future::ready(self.decision.clone()))
    }
}

/// A second server where every seat is decided about alike.
pub async fn billed(app: &TestApp, decision: Result<(), Refusal>) -> String {
    beside(app, |_| (), Some(Always::new(decision))).await
}

/// Asks another server for an account, with the office's key.
pub async fn post_to(app: &TestApp, url: &str, body: &Value, idempotency_key: Option<&str>) -> Reply {
    let mut headers = vec![("Authorization", authorization(&app.key))];
    headers.extend(idempotency_key.map(|key| ("Idempotency-Key", key.to_owned())));
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let whole = format!("{url}{ACCOUNTS}");
    app.send_to(Method::POST, &whole, &headers, Some(body.to_string()))
        .await
}

async fn with_key(app: &TestApp, key: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
    let own = authorization(key);
    app.send_with(
        method,
        path,
        &[("Authorization", &own)],
        body.map(|body| body.to_string()),
    )
    .await
}

fn one(reply: &Reply) -> String {
    format!("{ACCOUNTS}/{}", reply.data()["id"].as_str().unwrap())
}

async fn an_account_is_a_team_of_its_own(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    let mut body = partner_account("client");
    body["email"] = json!(" Client@Client.example ");
    let made = app.post(ACCOUNTS, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut expected = json!({
        "id": made.data()["id"], "api_key": made.data()["api_key"], "phone_numbers": ["+33712000000"],
        "status": "ACTIVE", "activated": false, "partner_client_ref": "crm-1",
    });
    assert_eq!(made.data(), &expected);
    let key = made.data()["api_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("ak_test_"), "the pool is on the sandbox");
    // The key is shown once.
    expected["api_key"] = Value::Null;
    assert_eq!(app.get(&one(&made)).await.data(), &expected);

    let me = with_key(&app, &key, Method::GET, "/v2/api/me", None).await;
    assert_eq!((me.status, &me.data()["team"]["name"]), (200, &json!("Jane Doe")));
    let scopes = me.data()["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!("SMS_SEND")));
    for kept in ["PARTNER", "BILLING"] {
        assert!(!scopes.contains(&json!(kept)), "{kept}");
    }
    let users = with_key(&app, &key, Method::GET, "/v2/api/users", None).await;
    assert_eq!(users.data().as_array().unwrap().len(), 1);
    let user = &users.data()[0];
    assert_eq!(user["id"], made.data()["id"]);
    assert_eq!(
        (&user["email"], &user["role"]),
        (&json!("client@client.example"), &json!("ADMIN"))
    );
    let numbers = with_key(&app, &key, Method::GET, "/v2/api/numbers", None).await;
    assert_eq!(numbers.data()[0]["number"], "+33712000000");
    let text = json!({ "from": "+33612345678", "to": "+33712000000", "content": "Hello" });
    let came = with_key(&app, &key, Method::POST, "/sandbox/messages", Some(text)).await;
    assert_eq!(came.status, 201, "{}", came.text);

    let events = events_of(&app, Topic::AccountCreated, before).await;
    let payload: Value = serde_json::from_str(&events[0].payload).unwrap();
    let told = json!({
        "id": made.data()["id"], "status": "ACTIVE", "email": "client@client.example",
        "phone_numbers": ["+33712000000"], "partner_client_ref": "crm-1", "created_at": "2026-04-20T10:00:00.000Z",
    });
    assert_eq!((events.len(), payload), (1, told));
    assert_eq!(
        app.office.last_event().await,
        before + 1,
        "what happens in the account is the account's"
    );
    let team = app.office.team;
    let entries: Result<_, StoreError> = app.board.db().read(move |conn| audit::list(conn, team, 10)).await;
    assert!(
        entries
            .unwrap()
            .iter()
            .any(|entry| entry.action == "partner_account.created")
    );
    app.office.assert_sound().await;
}

async fn only_the_key_that_made_an_account_sees_it(db: TestDb) {
    let app = searchable(db).await;
    let made = app.post(ACCOUNTS, &partner_account("client")).await;
    let (_, colleague) = new_key(&app, ScopeSet::of(&[Scope::Partner])).await;
    let theirs = people::neighbour(&app, people::World::Sandbox).await;
    for key in [&colleague, &theirs.key] {
        for (method, path) in [
            (Method::GET, one(&made)),
            (Method::DELETE, one(&made)),
            (Method::POST, format!("{}/suspend", one(&made))),
            (Method::POST, format!("{}/resume", one(&made))),
        ] {
            assert_error(
                &with_key(&app, key, method, &path, None).await,
                "PARTNER_ACCOUNT_NOT_FOUND",
            );
        }
    }
    assert_eq!(app.get(&one(&made)).await.data()["status"], "ACTIVE");
    // The users of one's own team are no accounts.
    let ada = format!("{ACCOUNTS}/{}", app.office.ada);
    assert_error(&app.get(&ada).await, "PARTNER_ACCOUNT_NOT_FOUND");
}

async fn a_suspended_account_opens_nothing_until_it_is_resumed(db: TestDb) {
    let app = searchable(db).await;
    let made = app.post(ACCOUNTS, &partner_account("client")).await;
    let before = app.office.last_event().await;
    let key = made.data()["api_key"].as_str().unwrap();
    for _ in 0..2 {
        let done = app
            .send(Method::POST, &format!("{}/suspend", one(&made)), None)
            .await;
        assert_eq!((done.status, &done.data()["status"]), (200, &json!("SUSPENDED")));
        assert_eq!(done.data()["phone_numbers"], json!(["+33712000000"]));
    }
    for path in ["/v2/api/me", "/v2/api/users", "/v1/api/numbers"] {
        let refused = with_key(&app, key, Method::GET, path, None).await;
        assert_error(&refused, "FORBIDDEN");
        assert!(refused.text.contains("suspended"), "{}", refused.text);
    }
    for _ in 0..2 {
        let done = app
            .send(Method::POST, &format!("{}/resume", one(&made)), None)
            .await;
        assert_eq!((done.status, &done.data()["status"]), (200, &json!("ACTIVE")));
    }
    assert_eq!(
        with_key(&app, key, Method::GET, "/v2/api/me", None).await.status,
        200
    );
    let statuses: Vec<Value> = events_of(&app, Topic::AccountUpdated, before)
        .await
        .iter()
        .map(|event| serde_json::from_str::<Value>(&event.payload).unwrap()["status"].clone())
        .collect();
    assert_eq!(
        statuses,
        ["SUSPENDED", "ACTIVE"],
        "what is so already is not told"
    );
}

async fn a_deactivated_account_is_over(db: TestDb) {
    let app = searchable(db).await;
    let made = app.post(ACCOUNTS, &partner_account("client")).await;
    let key = made.data()["api_key"].as_str().unwrap();
    for _ in 0..2 {
        let done = app.delete(&one(&made)).await;
        assert_eq!((done.status, done.text.as_str()), (204, ""));
    }
    assert_error(
        &with_key(&app, key, Method::GET, "/v2/api/me", None).await,
        "API_KEY_REVOKED",
    );
    let now = app.get(&one(&made)).await;
    assert_eq!(
        (&now.data()["status"], &now.data()["phone_numbers"]),
        (&json!("DEACTIVATED"), &json!([]))
    );
    for action in ["suspend", "resume"] {
        let refused = app
            .send(Method::POST, &format!("{}/{action}", one(&made)), None)
            .await;
        assert_error(&refused, "PARTNER_ACCOUNT_NOT_FOUND");
        assert_eq!(param(&refused), "id");
    }
    let again = app.post(ACCOUNTS, &partner_account("client")).await;
    assert_eq!(again.status, 201, "the login is free: {}", again.text);
    assert_eq!(
        again.data()["phone_numbers"],
        json!(["+33712000001"]),
        "the number is not"
    );
}

/// Many at once, of two partners, on two servers.
async fn a_number_is_given_once(db: TestDb) {
    let app = searchable(db).await;
    let theirs = people::neighbour(&app, people::World::Sandbox).await;
    let pool: Vec<PhoneNumber> = (0..6).map(|i| number(&format!("+3371299000{i}"))).collect();
    let few = pool.clone();
    let url = beside(&app, move |policy| policy.pool = few, None).await;
    let mut asked = Vec::new();
    for i in 0..10 {
        let key = if i % 2 == 0 { &app.key } else { &theirs.key };
        let (own, whole) = (authorization(key), format!("{url}{ACCOUNTS}"));
        let body = partner_account(&format!("client-{i}")).to_string();
        let app = &app;
        asked.push(async move {
            app.send_to(Method::POST, &whole, &[("Authorization", &own)], Some(body))
                .await
        });
    }
    let mut given = BTreeSet::new();
    for reply in all_at_once(asked).await {
        if reply.status == 201 {
            let number = reply.data()["phone_numbers"][0].as_str().unwrap().to_owned();
            assert!(given.insert(number), "given twice: {}", reply.text);
        } else {
            assert_error(&reply, "NO_NUMBER_AVAILABLE");
        }
    }
    let all: BTreeSet<String> = pool.iter().map(ToString::to_string).collect();
    assert_eq!(given, all);
}

/// Polls all of them until each has its answer.
async fn all_at_once<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(|cx| {
        for (future, answer) in &mut waiting {
            if answer.is_none()
                && let std::task::Poll::Ready(found) = future.as_mut().poll(cx)
            {
                *answer = Some(found);
            }
        }
        if waiting.iter().all(|(_, answer)| answer.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}

async fn a_number_rests_before_it_is_given_again(db: TestDb) {
    let app = searchable(db).await;
    let only = number("+33712990000");
    let url = beside(&app, move |policy| policy.pool = vec![only], None).await;
    let made = post_to(&app, &url, &partner_account("first"), None).await;
    assert_eq!(
        (made.status, &made.data()["phone_numbers"]),
        (201, &json!([only]))
    );
    let key = made.data()["api_key"].as_str().unwrap().to_owned();
    assert_error(
        &post_to(&app, &url, &partner_account("second"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
    assert_eq!(app.delete(&one(&made)).await.status, 204);
    app.office.clock.advance(90 * Millis::DAY - 1);
    assert_error(
        &post_to(&app, &url, &partner_account("second"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
    app.office.clock.advance(1);
    let next = post_to(&app, &url, &partner_account("second"), None).await;
    assert_eq!(
        (next.status, &next.data()["phone_numbers"]),
        (201, &json!([only]))
    );
    // What comes in now is the new one's, and the old one is still closed.
    let text = json!({ "from": "+33612345678", "to": only, "content": "Hello" });
    let second = next.data()["api_key"].as_str().unwrap();
    assert_eq!(
        with_key(&app, second, Method::POST, "/sandbox/messages", Some(text))
            .await
            .status,
        201
    );
    assert_error(
        &with_key(&app, &key, Method::GET, "/v2/api/me", None).await,
        "API_KEY_REVOKED",
    );
    assert_error(
        &post_to(&app, &url, &partner_account("third"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
    // It rests as well when the operator takes it out of service before the account is over.
    remove(&app, only).await;
    app.office.clock.advance(90 * Millis::DAY - 1);
    assert_error(
        &post_to(&app, &url, &partner_account("third"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
    app.office.clock.advance(1);
    assert_eq!(
        post_to(&app, &url, &partner_account("third"), None).await.status,
        201
    );
    // The operator may give it to whomever they like at once, and then it is taken.
    remove(&app, only).await;
    let back = AddNumber {
        address: Address::Number(only),
        name: None,
        capabilities: vec![Capability::Sms],
        carrier: "sandbox".to_owned(),
        carrier_settings: None,
        members: Vec::new(),
    };
    let add = async || {
        let back = back.clone();
        let done: Result<i64, Error> = app
            .board
            .run(app.office.team, move |work| {
                accounts::add_number(work, work.new_id(work.now), &back)
            })
            .await;
        done
    };
    add().await.unwrap();
    match add().await.unwrap_err() {
        Error::Refused(refused) => assert_eq!(refused.code, ErrorCode::NumberAlreadyAssigned),
        Error::Store(error) => panic!("{error}"),
    }
    app.office.clock.advance(90 * Millis::DAY);
    assert_error(
        &post_to(&app, &url, &partner_account("fourth"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
}

/// Takes a number out of service, whosever it is.
async fn remove(app: &TestApp, number: PhoneNumber) {
    let find = move |conn: &mut Conn<'_>| {
        let team = directory::find(conn, &directory::Entry::Number(number))?.unwrap();
        Ok::<_, StoreError>((team, numbers::line_of(conn, team, number)?.unwrap()))
    };
    let (team, line) = app.board.db().read(find).await.unwrap();
    let removed: Result<(), Error> = app
        .board
        .run(team, move |work| lines::remove(work, line, &Actor::System))
        .await;
    removed.unwrap();
}

async fn what_is_wrong_with_an_account_is_named(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    for (field, value, code, blames) in [
        ("email", json!("client"), "INVALID_PARAMETER", "email"),
        ("email", json!(" "), "MISSING_PARAMETER", "email"),
        (
            "email",
            json!(format!("{}@b.c", "a".repeat(200))),
            "INVALID_LENGTH",
            "email",
        ),
        ("name", json!("é".repeat(201)), "INVALID_LENGTH", "name"),
        (
            "personal_mobile",
            json!("0612345678"),
            "INVALID_PHONE_FORMAT",
            "personal_mobile",
        ),
        (
            "partner_client_ref",
            json!("x".repeat(256)),
            "INVALID_LENGTH",
            "partner_client_ref",
        ),
        (
            "number_preference",
            json!({}),
            "MISSING_PARAMETER",
            "number_preference.country",
        ),
        (
            "number_preference",
            json!({ "country": "XX" }),
            "INVALID_PARAMETER",
            "number_preference.country",
        ),
        (
            "number_preference",
            json!({ "country": "fr" }),
            "INVALID_PARAMETER",
            "number_preference.country",
        ),
        (
            "number_preference",
            json!({ "country": "FRA" }),
            "INVALID_LENGTH",
            "number_preference.country",
        ),
        (
            "number_preference",
            json!({ "country": "FR", "prefix": "06" }),
            "INVALID_PARAMETER",
            "number_preference.prefix",
        ),
        (
            "number_preference",
            json!({ "country": "FR", "prefix": "+336" }),
            "NO_NUMBER_AVAILABLE",
            "number_preference",
        ),
        (
            "number_preference",
            json!({ "country": "US", "prefix": "+337" }),
            "NO_NUMBER_AVAILABLE",
            "number_preference",
        ),
    ] {
        let mut body = partner_account("client");
        body[field] = value;
        let reply = app.post(ACCOUNTS, &body).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(blames), "{}", reply.text);
    }
    assert_eq!(app.office.last_event().await, before, "nothing half-done");
    // Nobody has set a pool up.
    let url = beside(&app, |policy| *policy = Policy::default(), None).await;
    assert_error(
        &post_to(&app, &url, &partner_account("client"), None).await,
        "NO_NUMBER_AVAILABLE",
    );
    let american = json!({ "country": "US", "prefix": "+1212" });
    let mut body = partner_account("client");
    body["number_preference"] = american;
    assert_eq!(
        app.post(ACCOUNTS, &body).await.data()["phone_numbers"],
        json!(["+12125550000"])
    );
}

async fn billing_decides(db: TestDb) {
    let app = searchable(db).await;
    let refusing = Always::new(Err(Refusal::NotBillable(Some("your plan has ended".to_owned()))));
    let url = beside(&app, |_| (), Some(refusing.clone())).await;
    // What cannot be made anyway is not asked about.
    let mut elsewhere = partner_account("client");
    elsewhere["number_preference"]["country"] = json!("DE");
    assert_error(
        &post_to(&app, &url, &elsewhere, None).await,
        "NO_NUMBER_AVAILABLE",
    );
    assert_eq!(refusing.asked.load(Ordering::SeqCst), 0);
    let refused = post_to(&app, &url, &partner_account("client"), Some("once")).await;
    assert_error(&refused, "PARTNER_SUBSCRIPTION_NOT_BILLABLE");
    assert_eq!(
        (refused.status, refused.json["error"]["type"].as_str()),
        (402, Some("billing_error"))
    );
    assert_eq!(refused.json["error"]["message"], "your plan has ended");
    let seat = refusing.last.lock().unwrap().clone().unwrap();
    assert_eq!(
        (seat.partner, seat.email.as_str()),
        (app.office.team_id, "client@client.example")
    );
    let failing = billed(&app, Err(Refusal::Failed(None))).await;
    assert_error(
        &post_to(&app, &failing, &partner_account("client"), None).await,
        "PARTNER_BILLING_FAILED",
    );
    assert!(events_of(&app, Topic::AccountCreated, 0).await.is_empty());
    // A refusal does not use up the key; a stored answer is not asked about again.
    let allowing = Always::new(Ok(()));
    let url = beside(&app, |_| (), Some(allowing.clone())).await;
    for _ in 0..3 {
        assert_eq!(
            post_to(&app, &url, &partner_account("client"), Some("once"))
                .await
                .status,
            201
        );
    }
    assert_eq!(allowing.asked.load(Ordering::SeqCst), 1);
}

async fn a_partner_has_so_many_accounts_and_no_more(db: TestDb) {
    let app = searchable(db).await;
    let url = beside(&app, |policy| policy.seats = Some(2), None).await;
    let first = post_to(&app, &url, &partner_account("a"), None).await;
    assert_eq!(post_to(&app, &url, &partner_account("b"), None).await.status, 201);
    let refused = post_to(&app, &url, &partner_account("c"), None).await;
    assert_error(&refused, "PARTNER_SUBSCRIPTION_NOT_BILLABLE");
    // One that is suspended keeps its seat, one that is over does not.
    app.send(Method::POST, &format!("{}/suspend", one(&first)), None)
        .await;
    let refused = post_to(&app, &url, &partner_account("c"), None).await;
    assert_error(&refused, "PARTNER_SUBSCRIPTION_NOT_BILLABLE");
    app.delete(&one(&first)).await;
    assert_eq!(post_to(&app, &url, &partner_account("c"), None).await.status, 201);
}

async fn an_account_is_made_once_for_each_key(db: TestDb) {
    let app = searchable(db).await;
    let body = partner_account("client");
    let first = post_to(&app, &app.url.clone(), &body, Some("one")).await;
    let again = post_to(&app, &app.url.clone(), &body, Some("one")).await;
    assert_eq!((again.status, &again.text), (201, &first.text), "the key too");
    let refused = app.post(ACCOUNTS, &body).await;
    assert_error(&refused, "PARTNER_ACCOUNT_ALREADY_EXISTS");
    assert_eq!(param(&refused), "email");
    let key = first.data()["api_key"].as_str().unwrap().to_owned();
    let stored: Result<Vec<String>, StoreError> = app
        .board
        .db()
        .read(|conn| conn.rows("SELECT body FROM idempotency", &[], |row| row.get(0)))
        .await;
    assert!(
        stored.unwrap().iter().all(|body| !body.contains(&key)),
        "it does not lie open"
    );
}
