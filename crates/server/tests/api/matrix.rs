//! The access matrix: every operation of the table, asked by everybody who may and by everybody who may not. What is to
//! be answered follows from the operation's [`Access`] by one rule, [`expected`], without exceptions; whom the server does
//! not let in learns nothing else, and the database is asked for nothing but the key.
//!
//! The page `docs/access-matrix.md` shows the table:
//!
//!     UPDATE_CONFORMANCE=1 cargo nextest run -p trunkline-server -E 'test(the_page_shows)'

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use axum::extract::Request as HttpRequest;
use axum::middleware::{Next, from_fn};
use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::{ErrorCode, Millis, Role, Scope, ScopeSet};
use trunkline_server::http::auth::{Access, Callers, Reach, Teams};
use trunkline_store::{Steps, StoreError, Tx, params};
use trunkline_switchboard::accounts;
use trunkline_switchboard::dialer::{self, Target};
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::TestDb;

use crate::document::{described, document};
use crate::operations::{Operation, Request, open_operations, operations, partner_account};
use crate::people::{key_of, new_key, of_team, revoke};
use crate::support::{World, advice, assert_common, assert_error, authorization, next_second, set_team};
use crate::surroundings::serve;
use crate::texts::with_policy;

trunkline_testkit::on_both! {
    without_a_key_nothing_is_answered,
    keys_that_are_none_open_nothing,
    keys_that_are_not_valid_any_more_open_nothing,
    keys_of_accounts_that_are_closed_or_suspended_open_nothing,
    a_team_on_trial_has_what_the_operator_gives_it,
    each_scope_opens_its_operations,
    each_role_opens_its_operations,
    another_key_and_another_user_reach_what_is_theirs,
    a_team_of_the_real_world_has_no_sandbox,
    paths_that_are_none_are_so_for_everybody,
}

/// Who asks with a valid key.
#[derive(Clone, Copy, Debug)]
struct Asking {
    scopes: ScopeSet,
    role: Role,
    /// How many texts a day the team may send on trial, if it is on trial.
    trial: Option<u32>,
    sandbox: bool,
    /// Whether this key made what is asked for.
    own_key: bool,
    /// Whether its user did.
    own_user: bool,
}

/// The key and the user who made everything in the world, and may everything.
const ADA: Asking = Asking {
    scopes: ScopeSet::ALL,
    role: Role::Admin,
    trial: None,
    sandbox: true,
    own_key: true,
    own_user: true,
};

/// What the table says of somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It is done.
    Done,
    /// The server does not let them in.
    Closed(ErrorCode),
    /// They are let in, and what they ask for is not theirs.
    NotTheirs(ErrorCode),
}

/// The rule.
fn expected(access: &Access, asking: &Asking) -> Answer {
    let on_trial = asking.trial.is_some_and(|texts| !access.on_trial || texts == 0);
    let opens = |scope: &Scope| asking.scopes.contains(*scope);
    if access.callers == Callers::Anybody {
        Answer::Done
    } else if on_trial {
        Answer::Closed(ErrorCode::ApiKeyTrialNotAllowed)
    } else if !access.scopes.is_empty() && !access.scopes.iter().any(opens) {
        Answer::Closed(ErrorCode::ApiKeyInsufficientScope)
    } else if !asking.role.covers(access.role) {
        Answer::Closed(access.role_refused)
    } else if access.teams == Teams::Sandbox && !asking.sandbox {
        Answer::Closed(ErrorCode::SandboxOnly)
    } else {
        match access.reach {
            Reach::Key(code) if !asking.own_key => Answer::NotTheirs(code),
            Reach::User(code) if !asking.own_user => Answer::NotTheirs(code),
            _ => Answer::Done,
        }
    }
}

/// A world whose server tells which statements a request had run.
pub struct Watched {
    pub world: World,
    steps: Steps,
    document: Value,
    operations: Vec<Operation>,
}

impl Watched {
    pub async fn open(db: TestDb) -> Self {
        Self::of(World::open(db).await).await
    }

    async fn of(mut world: World) -> Self {
        let steps = Steps::default();
        let noted = steps.clone();
        let watch = from_fn(move |request: HttpRequest, next: Next| {
            let noted = noted.clone();
            async move { noted.watch(next.run(request)).await }
        });
        world.app.url = serve(trunkline_server::router(world.app.state.clone()).layer(watch)).await;
        Self {
            world,
            steps,
            document: document(),
            operations: operations(),
        }
    }

    /// Sends a request in a second of its own: who has no valid key is counted by address.
    async fn send(&self, request: &Request, headers: &[(&str, &str)]) -> (Reply, Vec<String>) {
        next_second(&self.world.app);
        self.send_now(request, headers).await
    }

    /// Sends a request, and tells what the database had to do for it: nothing is remembered of the key.
    pub async fn send_now(&self, request: &Request, headers: &[(&str, &str)]) -> (Reply, Vec<String>) {
        self.world.app.state.keys.forget();
        drop(self.steps.take());
        let reply = request.with(&self.world.app, headers).await;
        assert_common(&reply);
        (reply, self.steps.take())
    }

    /// Asks for an operation, which is answered to somebody who is let in.
    async fn ask(&self, operation: &Operation, headers: &[(&str, &str)], not_theirs: Option<ErrorCode>) {
        let (reply, _) = self.send(&operation.request(&self.world), headers).await;
        match not_theirs {
            Some(code) => assert_error(&reply, code.as_str()),
            None => assert!(
                (200..300).contains(&reply.status),
                "{}: {}",
                operation.name(),
                reply.text
            ),
        }
    }

    /// What the database does for whoever asks with these headers, before it is known what they want.
    async fn key_alone(&self, headers: &[(&str, &str)]) -> Vec<String> {
        let nowhere = Request {
            method: Method::GET,
            path: "/v2/api/nothing".to_owned(),
            body: None,
        };
        self.send(&nowhere, headers).await.1
    }

    /// Whoever is not let in is told so, whatever they ask for: what is there, and `others`.
    async fn assert_closed(
        &self,
        (operation, own): (&Operation, &Request),
        others: &[Request],
        headers: &[(&str, &str)],
        (code, key_alone): (ErrorCode, &[String]),
    ) {
        let name = operation.name();
        let (reply, steps) = self.send(own, headers).await;
        assert_told(&self.document, operation, &reply, code);
        assert_eq!(steps, key_alone, "{name}");
        for other in others {
            let (answer, steps) = self.send(other, headers).await;
            assert_eq!(told(&answer), told(&reply), "{name}: {other:?}");
            assert_eq!(steps, key_alone, "{name}: {other:?}");
        }
    }

    /// Asks for every operation as somebody whom the server does not know, and changes nothing by it.
    async fn assert_all_closed(&self, headers: &[(&str, &str)], code: ErrorCode) {
        let before = self.world.app.office.last_event().await;
        let key_alone = self.key_alone(headers).await;
        for operation in &self.operations {
            let own = operation.request(&self.world);
            let others = senseless(operation, &own);
            self.assert_closed((operation, &own), &others, headers, (code, &key_alone))
                .await;
        }
        assert_eq!(
            self.world.app.office.last_event().await,
            before,
            "something was done"
        );
        self.assert_open(headers).await;
    }

    /// What needs no key is open to whoever asks with these headers: they are told what somebody without a key is told, and
    /// the database does nothing more for it than look for the key.
    async fn assert_open(&self, headers: &[(&str, &str)]) {
        let key_alone = self.key_alone(headers).await;
        for operation in open_operations() {
            let name = operation.name();
            assert_eq!(expected(&operation.access, &ADA), Answer::Done, "{name}");
            let request = operation.visit(&self.world).await;
            let body = Some(json!([1]));
            let senseless = Request {
                body,
                ..request.clone()
            };
            for faulty in [senseless, request.field("token", json!("x".repeat(43)))] {
                let (unknown, steps) = self.send(&faulty, &[]).await;
                let (reply, with_key) = self.send(&faulty, headers).await;
                assert!((400..500).contains(&unknown.status), "{name}: {}", unknown.text);
                assert_eq!(uncounted(&reply), uncounted(&unknown), "{name}: {faulty:?}");
                assert_eq!(
                    with_key,
                    [key_alone.as_slice(), &steps].concat(),
                    "{name}: {faulty:?}"
                );
            }
            let (reply, _) = self.send(&request, headers).await;
            assert!((200..300).contains(&reply.status), "{name}: {}", reply.text);
        }
    }

    /// Asks for every operation as somebody, and tells how many are closed to them: those are what `GET /v2/api/me` does
    /// not list.
    async fn walk(&self, key: &str, asking: &Asking) -> usize {
        let own = authorization(key);
        let headers = [("Authorization", own.as_str())];
        let (listed, key_alone) = (self.listed(&headers).await, self.key_alone(&headers).await);
        let mut closed = 0;
        for operation in &self.operations {
            let answer = expected(&operation.access, asking);
            if let Some(listed) = &listed {
                let one = (operation.method.to_string(), operation.path.clone());
                let is_open = !matches!(answer, Answer::Closed(_));
                assert_eq!(
                    listed.contains(&one),
                    is_open,
                    "{} in /v2/api/me",
                    operation.name()
                );
            }
            if let Answer::Closed(code) = answer {
                let own = operation.request(&self.world);
                // One of them here, another one with the next operation.
                let others = senseless(operation, &own);
                let other = &others[closed % others.len()..][..1];
                self.assert_closed((operation, &own), other, &headers, (code, &key_alone))
                    .await;
                closed += 1;
                continue;
            }
            operation.prepare(&self.world).await;
            self.set_role(asking.role).await;
            let not_theirs = match answer {
                Answer::NotTheirs(code) => Some(code),
                _ => None,
            };
            self.ask(operation, &headers, not_theirs).await;
        }
        self.assert_open(&headers).await;
        closed
    }

    /// Method and path of every operation that `GET /v2/api/me` lists, if it answers.
    async fn listed(&self, headers: &[(&str, &str)]) -> Option<BTreeSet<(String, String)>> {
        let me = crate::operations::operation("getMe");
        let (reply, _) = self.send(&me.request(&self.world), headers).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let endpoints = reply.json["data"]["endpoints"].as_array()?;
        let one = |entry: &Value| (text(&entry["method"]), text(&entry["path"]));
        Some(endpoints.iter().map(one).collect())
    }

    /// Gives Ada another role.
    async fn set_role(&self, role: Role) {
        let ada = self.world.app.office.ada;
        let change = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            tx.execute("UPDATE users SET role = $1 WHERE id = $2", params![role, ada])
        };
        assert_eq!(self.world.app.board.db().write(change).await.unwrap(), 1);
    }
}

/// The same operation asked for what is nobody's, and in ways that make no sense.
fn senseless(operation: &Operation, own: &Request) -> Vec<Request> {
    let mut others = vec![own.parameter("size", "x").parameter("page", "-1")];
    if operation.path.contains('{') {
        let parts = operation.path.split('/');
        let nobodys = parts.map(|part| if part.starts_with('{') { "x" } else { part });
        let path = nobodys.collect::<Vec<_>>().join("/");
        others.push(Request { path, ..own.clone() });
    }
    if own.body.is_some() {
        let body = Some(json!([1]));
        others.push(Request { body, ..own.clone() });
    }
    others
}

/// The answer, but for what differs between any two.
pub fn told(reply: &Reply) -> (u16, Vec<(String, String)>, Value) {
    let mut json = reply.json.clone();
    if json["error"].is_object() {
        json["error"]["request_id"] = Value::Null;
    }
    (reply.status, headers_of(reply), json)
}

/// The answer, but for the limit too: without a key it is the address whose requests are counted.
fn uncounted(reply: &Reply) -> (u16, Vec<(String, String)>, Value) {
    let (status, mut headers, body) = told(reply);
    headers.retain(|(name, _)| name != "x-ratelimit-limit");
    (status, headers, body)
}

/// The headers, but for those that differ between any two answers.
pub fn headers_of(reply: &Reply) -> Vec<(String, String)> {
    let own = [
        "x-request-id",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "date",
    ];
    let headers = reply.headers.iter();
    let headers = headers.filter(|(name, _)| !own.contains(&name.as_str()));
    let mut all: Vec<(String, String)> = headers
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    all.sort();
    all
}

/// The answer is this refusal, is described, and says what to do.
#[track_caller]
fn assert_told(document: &Value, operation: &Operation, reply: &Reply, code: ErrorCode) {
    let name = operation.name();
    assert_eq!(reply.code(), code.as_str(), "{name}: {}", reply.text);
    assert_error(reply, code.as_str());
    let responses = &described(document, operation)["responses"];
    assert!(
        !responses[reply.status.to_string()].is_null(),
        "{name} {}",
        reply.status
    );
    match code {
        ErrorCode::Unauthorized => {
            assert!(advice(reply).contains("Authorization: Api-Key ak_"), "{name}");
            assert_eq!(reply.header("www-authenticate"), "Api-Key", "{name}");
        }
        ErrorCode::ApiKeyInsufficientScope if operation.path.starts_with("/v1/") => {
            let told = json!([{ "message": format!("required={}", operation.scopes[0]), "field": "scope" }]);
            assert_eq!(reply.json["details"], told, "{name}");
        }
        ErrorCode::ApiKeyInsufficientScope => {
            let message = reply.json["error"]["message"].as_str().unwrap();
            for scope in operation.scopes {
                assert!(message.contains(&format!("'{scope}'")), "{name}: {message}");
            }
        }
        _ => {}
    }
}

/// An unknown key of the right shape.
const UNKNOWN: &str = "ak_test_0123456789012345678901234567890123456789012";

async fn without_a_key_nothing_is_answered(db: TestDb) {
    let watched = Watched::open(db).await;
    for headers in [
        &[][..],
        &[("Authorization", "")],
        &[("Authorization", "Api-Key ")],
    ] {
        watched.assert_all_closed(headers, ErrorCode::Unauthorized).await;
    }
}

async fn keys_that_are_none_open_nothing(db: TestDb) {
    let watched = Watched::open(db).await;
    let key = watched.world.app.key.clone();
    let cut = &key[..key.len() - 1];
    for value in [
        authorization(UNKNOWN),
        authorization(&format!("{key}x")),
        authorization(cut),
        authorization(&key.to_uppercase()),
        authorization("no key at all"),
        authorization("ak_"),
    ] {
        let headers = [("Authorization", value.as_str())];
        watched
            .assert_all_closed(&headers, ErrorCode::ApiKeyInvalid)
            .await;
    }
    // In the wrong form, which is told the right one, and does not repeat the key.
    for value in [
        format!("Bearer {key}"),
        format!("bearer {key}"),
        format!("Basic {key}"),
        format!("Token {key}"),
    ] {
        let headers = [("Authorization", value.as_str())];
        for operation in &watched.operations {
            let (reply, steps) = watched.send(&operation.request(&watched.world), &headers).await;
            assert_told(&watched.document, operation, &reply, ErrorCode::ApiKeyInvalid);
            assert!(
                advice(&reply).contains("Authorization: Api-Key ak_"),
                "{}",
                operation.name()
            );
            assert!(!reply.text.contains(&key), "{}", operation.name());
            assert_eq!(steps, [""; 0], "{}", operation.name());
        }
    }
}

async fn keys_that_are_not_valid_any_more_open_nothing(db: TestDb) {
    let watched = Watched::open(db).await;
    let app = &watched.world.app;
    let (id, revoked) = new_key(app, ScopeSet::ALL).await;
    let end = app.board.now().plus(Millis::DAY);
    let body = json!({ "name": "For a day", "scopes": ScopeSet::ALL, "expires_at": end });
    let made = app.post("/v2/api/keys", &body).await;
    let expired = made.data()["secret"].as_str().unwrap().to_owned();
    let bens = key_of(app, app.office.ben, ScopeSet::ALL).await;
    let all = [revoked, expired, bens].map(|key| authorization(&key));
    let me = crate::operations::operation("getMe");
    for value in &all {
        let headers = [("Authorization", value.as_str())];
        watched.ask(&me, &headers, None).await;
    }
    revoke(app, id).await;
    app.office.clock.advance(Millis::DAY);
    let block = format!("/v2/api/users/{}/block", app.office.ben);
    assert_eq!(app.post(&block, &json!({})).await.status, 200);
    let codes = [
        ErrorCode::ApiKeyRevoked,
        ErrorCode::ApiKeyInvalid,
        ErrorCode::UserNotFound,
    ];
    for (value, code) in all.iter().zip(codes) {
        let headers = [("Authorization", value.as_str())];
        watched.assert_all_closed(&headers, code).await;
        let (reply, _) = watched.send(&me.request(&watched.world), &headers).await;
        let is_told_when = reply.text.contains(&end.to_string());
        assert_eq!(is_told_when, code == ErrorCode::ApiKeyInvalid, "{}", reply.text);
    }
    let own = authorization(&app.key);
    watched.ask(&me, &[("Authorization", &own)], None).await;
}

async fn keys_of_accounts_that_are_closed_or_suspended_open_nothing(db: TestDb) {
    let watched = Watched::open(db).await;
    let (app, accounts) = (&watched.world.app, "/v2/api/partner/accounts");
    let made = app.post(accounts, &partner_account("closing")).await;
    let account = format!("{accounts}/{}", made.data()["id"].as_str().unwrap());
    let value = authorization(made.data()["api_key"].as_str().unwrap());
    let headers = [("Authorization", value.as_str())];
    let me = crate::operations::operation("getMe");
    watched.ask(&me, &headers, None).await;
    for (action, code) in [("suspend", ErrorCode::Forbidden), ("", ErrorCode::ApiKeyRevoked)] {
        let reply = match action {
            "" => app.delete(&account).await,
            action => app.post(&format!("{account}/{action}"), &json!({})).await,
        };
        assert!((200..300).contains(&reply.status), "{}", reply.text);
        watched.assert_all_closed(&headers, code).await;
    }
}

async fn a_team_on_trial_has_what_the_operator_gives_it(db: TestDb) {
    let mut watched = Watched::open(db).await;
    set_team(&watched.world.app, "plan", "'TRIAL'").await;
    let key = watched.world.app.key.clone();
    let all = operations().len();
    for texts in [0, 1_000] {
        with_policy(&mut watched.world.app, |policy| {
            policy.limits.trial = texts.into()
        })
        .await;
        // The server with these rules, and watched.
        let Watched { world, .. } = watched;
        watched = Watched::of(world).await;
        let asking = Asking {
            trial: Some(texts),
            ..ADA
        };
        let closed = watched.walk(&key, &asking).await;
        assert!(
            if texts == 0 { closed == all } else { closed < all },
            "{closed} of {all}"
        );
    }
}

async fn each_scope_opens_its_operations(db: TestDb) {
    let watched = Watched::open(db).await;
    let mut sets: Vec<ScopeSet> = Scope::all().iter().map(|scope| ScopeSet::of(&[*scope])).collect();
    let some = [Scope::TagsRead, Scope::UsersRead, Scope::ConversationsWrite];
    sets.push(ScopeSet::of(&some));
    for scopes in sets {
        let (_, key) = new_key(&watched.world.app, scopes).await;
        let asking = Asking {
            scopes,
            own_key: false,
            ..ADA
        };
        assert!(watched.walk(&key, &asking).await > 0, "{scopes} opens everything");
    }
}

async fn each_role_opens_its_operations(db: TestDb) {
    let watched = Watched::open(db).await;
    let key = watched.world.app.key.clone();
    let mut closed = Vec::new();
    for role in Role::ALL {
        watched.set_role(*role).await;
        let asking = Asking { role: *role, ..ADA };
        closed.push(watched.walk(&key, &asking).await);
    }
    assert!(
        closed.contains(&0) && closed.iter().any(|one| *one > 5),
        "{closed:?}"
    );
}

async fn another_key_and_another_user_reach_what_is_theirs(db: TestDb) {
    let watched = Watched::open(db).await;
    let app = &watched.world.app;
    let other_key = app.make_key(ScopeSet::ALL).await;
    let eve = of_team(app, app.office.team, |work| {
        let eve = accounts::create_user(work, "Eve", "eve@fogcity.example", Role::Admin)?;
        dialer::reset(work, &Target::User(eve), None, eve)?;
        Ok(eve)
    });
    let eves = key_of(app, eve.await, ScopeSet::ALL).await;
    let asking = Asking {
        own_key: false,
        ..ADA
    };
    assert_eq!(watched.walk(&other_key, &asking).await, 0);
    let asking = Asking {
        own_user: false,
        ..asking
    };
    assert_eq!(watched.walk(&eves, &asking).await, 0);
}

async fn a_team_of_the_real_world_has_no_sandbox(db: TestDb) {
    let watched = Watched::open(db).await;
    set_team(&watched.world.app, "sandbox", "FALSE").await;
    let key = watched.world.app.key.clone();
    let asking = Asking {
        sandbox: false,
        ..ADA
    };
    assert!(watched.walk(&key, &asking).await > 0);
}

/// What is no operation is no secret: the description of the API has them all.
async fn paths_that_are_none_are_so_for_everybody(db: TestDb) {
    let watched = Watched::open(db).await;
    let own = authorization(&watched.world.app.key);
    for (method, path, code) in [
        (Method::GET, "/v2/api/nothing", "ENDPOINT_NOT_FOUND"),
        (Method::POST, "/v1/api/nothing", "ENDPOINT_NOT_FOUND"),
        (Method::PUT, "/v2/api/me", "METHOD_NOT_ALLOWED"),
        (Method::DELETE, "/v2/api/tags", "METHOD_NOT_ALLOWED"),
    ] {
        let (path, body) = (path.to_owned(), None);
        let request = Request { method, path, body };
        let (known, _) = watched.send(&request, &[("Authorization", &own)]).await;
        assert_error(&known, code);
        for headers in [&[][..], &[("Authorization", UNKNOWN)]] {
            let (unknown, _) = watched.send(&request, headers).await;
            assert_eq!(uncounted(&unknown), uncounted(&known));
        }
    }
}

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access-matrix.md");
    let mut page = String::from(INTRODUCTION);
    for endpoint in trunkline_server::table()
        .iter()
        .chain(&trunkline_server::open_table())
    {
        let Access {
            callers,
            scopes,
            teams,
            role,
            on_trial,
            reach,
            ..
        } = endpoint.access;
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let scopes = match callers {
            Callers::Anybody => "needs no key".to_owned(),
            Callers::Keyed if scopes.is_empty() => "none".to_owned(),
            Callers::Keyed => scopes.join(" or "),
        };
        let roles = Role::ALL.iter().filter(|other| other.covers(role));
        let roles: Vec<&str> = roles.map(|role| role.as_str()).collect();
        let roles = if role == Role::Member {
            "any".to_owned()
        } else {
            roles.join(", ")
        };
        let plans = if on_trial || callers == Callers::Anybody {
            "any"
        } else {
            "paid"
        };
        let mut of = match reach {
            Reach::Team => "the team's".to_owned(),
            Reach::Key(code) => format!("this key's own (else `{code}`)"),
            Reach::User(code) => format!("the user's own (else `{code}`)"),
        };
        if teams == Teams::Sandbox {
            of.push_str("; sandbox teams only");
        }
        let (method, path) = (endpoint.method_name(), &endpoint.path);
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{method} {path}` | {scopes} | {roles} | {plans} | {of} |"
        );
    }
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        there, page,
        "docs/access-matrix.md is not as the table is; UPDATE_CONFORMANCE=1 makes it anew"
    );
}

const INTRODUCTION: &str = "# Access matrix

Who may call what. The page is made from the table that the server itself goes by, and a run of the tests fails when it is out of
date. They ask for every operation without a key; with one that is malformed, unknown, revoked, expired, of a blocked user, of an
account that is suspended or closed, of a team on trial, of another team; with each scope alone; in each role; and with another
key and as another user of the team: what is answered follows from a row of this table, for all operations alike.

- **Scopes:** the key has one of them, else 403 `API_KEY_INSUFFICIENT_SCOPE`. A scope `…_READ_WRITE` contains `…_READ`.
- **Roles:** the key's user has one of them, else 403 `FORBIDDEN` (or the code of the last column).
- **Plans:** `paid` is every plan but the trial, else 403 `API_KEY_TRIAL_NOT_ALLOWED`; `any` has the trial too, where the operator
  gives it texts.
- **Needs no key:** open to everybody. Whatever key comes along, valid or not, the answer is the one without a key.
- **Reaches:** whose things the operation is about. What another team has is answered like what nobody has: same status, same
  body, same headers, and the database does the same for it.

Whoever is not let in learns nothing more: the answer is the same whatever is asked for, and nothing but the key is looked up.
[Access](access.md) tells how keys, scopes and roles are managed.

| operation | scopes | roles | plans | reaches |
|---|---|---|---|---|
";
