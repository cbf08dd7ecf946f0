//! What surrounds routes: browsers of other origins, panics, time-outs, and the routes that need no key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trunkline_domain::ScopeSet;
use trunkline_server::{AppState, Settings, listen};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::TestDb;

use crate::operations::operations;
use crate::support::{World, assert_error, authorization, searchable};

trunkline_testkit::on_both! {
    browsers_of_other_origins_are_not_let_in_by_default,
    the_operator_lets_origins_in,
    routes_without_a_key_answer_in_the_common_form,
    a_route_that_panics_or_takes_too_long_answers_like_any_other,
    keys_that_were_made_just_now_work,
    silent_connections_are_closed,
    what_has_begun_is_answered_before_the_end,
}

async fn browsers_of_other_origins_are_not_let_in_by_default(db: TestDb) {
    let world = World::open(db).await;
    let own = authorization(&world.app.key);
    for operation in operations() {
        operation.prepare(&world).await;
        let headers = [
            ("Authorization", own.as_str()),
            ("Origin", "https://elsewhere.example"),
        ];
        let reply = operation.request(&world).with(&world.app, &headers).await;
        assert!((200..300).contains(&reply.status));
        let let_in = reply
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(let_in, None, "{}", operation.name());
        let asking = [
            ("Origin", "https://elsewhere.example"),
            ("Access-Control-Request-Method", operation.method.as_str()),
        ];
        let reply = world
            .app
            .send_with(Method::OPTIONS, &operation.filled(&world), &asking, None)
            .await;
        assert_eq!(reply.status, 405, "{}", operation.name());
        assert!(
            reply
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-"))
        );
        crate::support::next_second(&world.app);
    }
}

/// Serves `router` beside the test's server. Returns its address.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(listen::serve(
        listener,
        router,
        listen::PATIENCE,
        CancellationToken::new(),
    ));
    url
}

/// The state of a test's server, with other settings.
pub fn with_settings(app: &TestApp, change: impl FnOnce(&mut Settings)) -> AppState {
    let mut settings = (*app.state.settings).clone();
    change(&mut settings);
    app.state.with(|shared| shared.settings = Arc::new(settings))
}

fn client() -> reqwest::Client {
    trunkline_testkit::app::client_builder().build().unwrap()
}

async fn the_operator_lets_origins_in(db: TestDb) {
    let app = searchable(db).await;
    let state = with_settings(&app, |settings| {
        settings.cors_origins = vec!["https://crm.example".to_owned()]
    });
    let url = serve(trunkline_server::router(state)).await;
    for (origin, allowed) in [
        ("https://crm.example", Some("https://crm.example")),
        ("https://elsewhere.example", None),
    ] {
        for key in [app.key.as_str(), "ak_test_unknown"] {
            let request = client()
                .get(format!("{url}/v2/api/tags"))
                .header("Origin", origin);
            let reply = request
                .header("Authorization", authorization(key))
                .send()
                .await
                .unwrap();
            let headers = reply.headers();
            let told = headers
                .get("access-control-allow-origin")
                .map(|value| value.to_str().unwrap());
            assert_eq!(told, allowed, "{origin}, also with status {}", reply.status());
            let exposed = headers["access-control-expose-headers"]
                .to_str()
                .unwrap()
                .to_lowercase();
            for name in [
                "x-request-id",
                "x-ratelimit-remaining",
                "x-ignored-parameters",
                "idempotency-replayed",
                "retry-after",
            ] {
                assert!(exposed.contains(name), "{exposed}");
            }
        }
        let asking = client().request(
            Method::OPTIONS,
            format!("{url}/v2/api/conversations/items/search"),
        );
        let asking = asking
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST");
        let reply = asking
            .header("Access-Control-Request-Headers", "authorization,content-type")
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200);
        let told = reply
            .headers()
            .get("access-control-allow-origin")
            .map(|value| value.to_str().unwrap());
        assert_eq!(told, allowed);
        let headers = reply.headers()["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .to_lowercase();
        assert!(
            [
                "authorization",
                "content-type",
                "idempotency-key",
                "last-event-id"
            ]
            .iter()
            .all(|name| headers.contains(name))
        );
    }
}

/// Pages, health and the webhooks of carriers need no key; what fails there fails like everything else.
async fn routes_without_a_key_answer_in_the_common_form(db: TestDb) {
    let app = searchable(db).await;
    let pages = [
        "/",
        "/docs/",
        "/docs/errors",
        "/docs/guide",
        "/openapi.json",
        "/healthz",
        "/readyz",
    ];
    let recording = "/sandbox/recordings/x.wav";
    for path in pages.into_iter().chain([recording]) {
        let reply = app
            .send_with(Method::GET, path, &[("X-Request-Id", "mine")], None)
            .await;
        assert!(reply.status < 400, "{path} {}", reply.status);
        assert_eq!(reply.header("x-request-id"), "mine", "{path}");
        let reply = app.send_with(Method::DELETE, path, &[], None).await;
        assert_error(&reply, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("allow"), "GET,HEAD", "{path}");
    }
    for path in [
        "/docs/nowhere",
        "/docs/errors/",
        "/docs/guide/x",
        "/carriers/nobody",
    ] {
        assert_error(
            &app.send_with(Method::GET, path, &[], None).await,
            "ENDPOINT_NOT_FOUND",
        );
    }
    for path in ["/carriers/twilio/messages", "/carriers/twilio/status"] {
        let reply = app.send_with(Method::GET, path, &[], None).await;
        assert_error(&reply, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("allow"), "POST", "{path}");
        let reply = app
            .send_with(Method::POST, path, &[], Some("To=%2B14155550100".to_owned()))
            .await;
        assert_error(&reply, "CARRIER_SIGNATURE_INVALID");
    }
}

async fn a_route_that_panics_or_takes_too_long_answers_like_any_other(db: TestDb) {
    let app = searchable(db).await;
    let state = with_settings(&app, |settings| {
        settings.request_timeout = Duration::from_millis(50)
    });
    let routes: Router<AppState> = Router::new()
        .route(
            "/v2/api/panic",
            get(async || -> &str { panic!("a fault of the program") }),
        )
        .route(
            "/v2/api/forever",
            get(async || std::future::pending::<()>().await),
        );
    let url = serve(trunkline_server::enveloped(routes, &state).with_state(state)).await;
    for (path, status, code) in [
        ("panic", 500, "INTERNAL_SERVER_ERROR"),
        ("forever", 503, "REQUEST_TIMEOUT"),
    ] {
        let request = client()
            .get(format!("{url}/v2/api/{path}"))
            .header("Authorization", authorization(&app.key));
        let reply = request.header("X-Request-Id", "mine").send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(reply.headers()["x-request-id"], "mine");
        assert!(reply.headers().contains_key("x-ratelimit-remaining"));
        let text = reply.text().await.unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let error = &json["error"];
        assert_eq!(
            (&error["code"], &error["request_id"]),
            (&serde_json::json!(code), &serde_json::json!("mine"))
        );
        assert_eq!(
            (&error["type"], &error["retryable"]),
            (&serde_json::json!("server_error"), &serde_json::json!(true))
        );
        assert!(
            !text.contains("a fault of the program"),
            "the cause is in the log, not in the answer"
        );
    }
}

/// A key is believed for a moment without asking the database; one that is new is not mistaken for unknown.
async fn keys_that_were_made_just_now_work(db: TestDb) {
    let app = searchable(db).await;
    for _ in 0..5 {
        let (_, key) = crate::people::new_key(&app, ScopeSet::ALL).await;
        let reply = app
            .send_with(
                Method::GET,
                "/v2/api/me",
                &[("Authorization", &authorization(&key))],
                None,
            )
            .await;
        assert_eq!(reply.status, 200);
    }
}

/// Whatever a connection says to a server, in whole, once the server has closed it.
async fn said(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// The test's server once more, with a patience of its own: where it is, what ends it, and itself.
async fn beside(app: &TestApp, patience: Duration) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, stop) = (
        trunkline_server::router(app.state.clone()),
        CancellationToken::new(),
    );
    let server = tokio::spawn(listen::serve(listener, router, patience, stop.clone()));
    (address, stop, server)
}

/// A client that never says what it wants, or never again, does not hold a connection for ever.
async fn silent_connections_are_closed(db: TestDb) {
    let app = searchable(db).await;
    let (address, _stop, _server) = beside(&app, Duration::from_millis(100)).await;
    for (words, answered) in [
        ("", false),
        ("GET /healthz HTTP/1.1\r\nHo", false),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", true),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        assert_eq!(said(&mut stream).await.contains("200 OK"), answered, "{words:?}");
    }
}

async fn what_has_begun_is_answered_before_the_end(db: TestDb) {
    let app = searchable(db).await;
    let (address, stop, server) = beside(&app, listen::PATIENCE).await;
    let (mut idle, mut busy) = (
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    );
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let head = format!(
        "POST /v2/api/conversations/items/search HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        authorization(&app.key)
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 25];
    busy.read_exact(&mut begun).await.unwrap();
    assert!(
        begun.starts_with(b"HTTP/1.1 100 Continue"),
        "the handler waits for the body"
    );
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    stop.cancel();
    assert!(said(&mut idle).await.ends_with("ok\n"));
    assert!(!server.is_finished(), "a request is still being read");
    busy.write_all(b"{}").await.unwrap();
    assert!(said(&mut busy).await.contains("200 OK"));
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
