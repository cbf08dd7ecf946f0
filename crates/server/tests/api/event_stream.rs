//! The live feed, read as a client reads it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{ErrorCode, Millis, Role, Scope, ScopeSet};
use trunkline_store::events;
use trunkline_switchboard::accounts;
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, sarah, us};
use trunkline_webhooks::Options;

use crate::operations::partner_account;
use crate::people::{key_of, new_key, of_team, revoke};
use crate::support::{World, assert_error, authorization, blamed, command, encoded, text_in};
use crate::webhooks::{NOBODY, make};

trunkline_testkit::on_both! {
    events_come_as_they_happen_in_the_form_of_webhooks,
    a_stream_begins_where_it_is_asked_to,
    topics_are_chosen,
    the_live_topics_are_in_it_and_internal_ones_are_not,
    a_stream_that_is_cut_again_and_again_has_no_gap_and_no_double,
    a_client_that_does_not_read_holds_nothing_up_and_loses_nothing,
    what_is_not_kept_any_more_is_told_as_a_gap,
    faulty_positions_and_topics_are_refused,
    a_key_has_twenty_streams,
    a_stream_ends_with_the_server,
    what_another_process_writes_comes_too,
    a_stream_is_not_compressed_and_not_cut_by_the_time_limit,
}

const PATH: &str = "/v2/api/events";

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sent {
    id: String,
    event: String,
    data: String,
}

impl Sent {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// A client of the feed.
struct Stream {
    response: reqwest::Response,
    unread: Vec<u8>,
}

fn client() -> reqwest::Client {
    trunkline_testkit::app::client_builder().build().unwrap()
}

async fn connect(app: &TestApp, key: &str, query: &str, last: Option<i64>) -> Stream {
    let request = client()
        .get(format!("{}{PATH}{query}", app.url))
        .header("Authorization", authorization(key));
    let request = match last {
        Some(last) => request.header("Last-Event-ID", last),
        None => request,
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Stream {
        response,
        unread: Vec::new(),
    }
}

impl Stream {
    /// The next block, comments and events alike; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let rest = self.unread.split_off(end + 2);
                let block = std::mem::replace(&mut self.unread, rest);
                return Some(String::from_utf8(block).unwrap());
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await;
            let chunk = chunk.expect("something comes in half a minute").ok().flatten()?;
            self.unread.extend_from_slice(&chunk);
        }
    }

    /// The next event with data; `None` at the end.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            let block = self.block().await?;
            let mut sent = Sent::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => sent.id = id.to_owned(),
                    Some(("event", event)) => sent.event = event.to_owned(),
                    Some(("data", data)) => sent.data = data.to_owned(),
                    _ => {}
                }
            }
            if !sent.data.is_empty() {
                return Some(sent);
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Sent> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await.expect("an event"));
        }
        all
    }
}

/// Everything behind an event that a stream has, which ends then.
async fn all_behind(app: &TestApp, last: i64, topics: &str) -> Vec<Sent> {
    let mut stream = connect(
        app,
        &app.key,
        &format!("?follow=false&last_event_id={last}{topics}"),
        None,
    )
    .await;
    let mut all = Vec::new();
    while let Some(sent) = stream.next().await {
        all.push(sent);
    }
    all
}

async fn events_come_as_they_happen_in_the_form_of_webhooks(db: TestDb) {
    let app = TestApp::start(db).await;
    text_in(&app, us(), sarah(), "Before").await;
    let mut stream = connect(&app, &app.key, "", None).await;
    let start = stream.block().await.unwrap();
    assert_eq!(
        start,
        format!("retry: 1000\nid: {}\n\n", app.office.last_event().await)
    );
    for content in ["One", "Two\nlines", "Zwölf Boxkämpfer \u{1f94a}\u{2028}"] {
        text_in(&app, us(), sarah(), content).await;
        let sent = stream.next().await.unwrap();
        let row = app
            .office
            .events_after(app.office.last_event().await - 1)
            .await
            .remove(0);
        assert_eq!(
            (sent.id.as_str(), sent.event.as_str()),
            (row.seq.to_string().as_str(), "sms.received")
        );
        assert_eq!(sent.data.as_bytes(), trunkline_webhooks::body(&row).unwrap());
        assert_eq!(sent.json()["data"]["content"], content);
    }
}

async fn a_stream_begins_where_it_is_asked_to(db: TestDb) {
    let app = TestApp::start(db).await;
    for i in 0..5 {
        text_in(&app, us(), sarah(), &i.to_string()).await;
    }
    let last = app.office.last_event().await;
    let texts = async |query: &str, header: Option<i64>, count: usize| -> Vec<String> {
        let sent = connect(&app, &app.key, query, header).await.take(count).await;
        sent.iter()
            .map(|sent| sent.json()["data"]["content"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(texts("", Some(last - 2), 2).await, ["3", "4"]);
    let query = format!("?last_event_id={}", last - 3);
    assert_eq!(texts(&query, None, 3).await, ["2", "3", "4"]);
    assert_eq!(
        texts(&query, Some(last - 1), 1).await,
        ["4"],
        "a client that comes back knows better"
    );
    let everything = all_behind(&app, 0, "").await;
    assert_eq!(everything.len(), app.office.events_after(0).await.len());
    assert_eq!(all_behind(&app, last, "").await, []);
}

async fn topics_are_chosen(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    for (topics, expected) in [
        (vec!["sms.received"], 1),
        (vec!["call.received", "sms.received", "call.received"], 2),
        (vec!["tag.removed"], 0),
    ] {
        let all = all_behind(app, 0, &format!("&topics={}", topics.join(","))).await;
        assert_eq!(all.len(), expected, "{all:?}");
        assert!(all.iter().all(|sent| topics.contains(&sent.event.as_str())));
    }
    // Who is told of nothing is told how far nothing goes.
    let mut stream = connect(
        app,
        &app.key,
        "?follow=false&last_event_id=0&topics=tag.removed",
        None,
    )
    .await;
    stream.block().await.unwrap();
    assert_eq!(
        stream.block().await.unwrap(),
        format!("id: {}\n\n", app.office.last_event().await)
    );
    assert_eq!(stream.block().await, None);
}

async fn the_live_topics_are_in_it_and_internal_ones_are_not(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let before = app.office.last_event().await;
    app.post(
        &format!("/v2/api/conversations/{}/actions", encoded(sarah())),
        &json!({ "action": "READ" }),
    )
    .await;
    command(app, |work| {
        let imported = trunkline_domain::events::ItemsImported { from: 1, to: 2 };
        work.emit(Topic::ItemsImported, work.now, None, &imported)?;
        let disabled = json!({ "id": "ep_1" });
        work.emit(Topic::EndpointDisabled, work.now, None, &disabled)?;
        Ok(())
    })
    .await;
    let all = all_behind(app, before, "").await;
    let topics: Vec<&str> = all.iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(topics.last(), Some(&"webhook.disabled"), "{all:?}");
    assert!(!topics.contains(&"items.imported"), "{topics:?}");
    let chosen = all_behind(app, before, "&topics=webhook.disabled,conversation.updated").await;
    assert!(!chosen.is_empty());
}

async fn a_stream_that_is_cut_again_and_again_has_no_gap_and_no_double(db: TestDb) {
    let app = std::sync::Arc::new(TestApp::start(db).await);
    let (before, total) = (app.office.last_event().await, 300);
    let writer = tokio::spawn({
        let app = app.clone();
        async move {
            for i in 0..total {
                text_in(&app, us(), sarah(), &i.to_string()).await;
            }
        }
    });
    let (mut last, mut got) = (before, Vec::new());
    let mut connections = 0;
    while got.len() < total {
        let mut stream = connect(&app, &app.key, "", Some(last)).await;
        connections += 1;
        // Cut after a few, in the middle of whatever comes then.
        for sent in stream.take((connections % 13 + 1).min(total - got.len())).await {
            last = sent.id.parse().unwrap();
            got.push(last);
        }
    }
    writer.await.unwrap();
    let expected: Vec<i64> = app
        .office
        .events_after(before)
        .await
        .iter()
        .map(|row| row.seq)
        .collect();
    assert_eq!(got, expected);
    assert!(connections > 20);
}

async fn a_client_that_does_not_read_holds_nothing_up_and_loses_nothing(db: TestDb) {
    let app = TestApp::start(db).await;
    let before = app.office.last_event().await;
    let mut slow = connect(&app, &app.key, "", None).await;
    // More than the buffers of both ends hold.
    let long = "x".repeat(900);
    for i in 0..12 {
        command(&app, {
            let long = long.clone();
            move |work| {
                for j in 0..200 {
                    let payload = json!({ "content": format!("{i} {j} {}", long.repeat(3)) });
                    work.emit(Topic::SmsReceived, work.now, None, &payload)?;
                }
                Ok(())
            }
        })
        .await;
    }
    // Long enough for the stream to find out that nobody reads.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let all = slow.take(2_400).await;
    let seen: Vec<i64> = all.iter().map(|sent| sent.id.parse().unwrap()).collect();
    assert_eq!(seen, (before + 1..=before + 2_400).collect::<Vec<_>>());
}

async fn what_is_not_kept_any_more_is_told_as_a_gap(db: TestDb) {
    let app = TestApp::start(db).await;
    let before = app.office.last_event().await;
    for i in 0..6 {
        text_in(&app, us(), sarah(), &i.to_string()).await;
    }
    let team = app.office.team;
    let prune = move |tx: &mut trunkline_store::Tx<'_>| events::prune(tx, team, 0, before + 4);
    app.board.db().write(prune).await.unwrap();
    let all = all_behind(&app, before + 1, "").await;
    assert_eq!(
        (all[0].event.as_str(), all[0].id.as_str()),
        ("gap", (before + 4).to_string().as_str())
    );
    assert_eq!(all[0].json(), json!({ "from": before + 2, "to": before + 4 }));
    let rest: Vec<&str> = all[1..].iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(rest, ["sms.received", "sms.received"]);
    let none = all_behind(&app, before + 4, "").await;
    assert!(
        none.iter().all(|sent| sent.event != "gap"),
        "nothing is missing behind it"
    );
}

async fn faulty_positions_and_topics_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let own = authorization(&app.key);
    let ahead = app.office.last_event().await + 1;
    for value in ["x", "-1", "1.5", "9".repeat(30).as_str()] {
        let headers = [("Authorization", own.as_str()), ("Last-Event-ID", value)];
        let reply = app.send_with(Method::GET, PATH, &headers, None).await;
        assert_error(&reply, "INVALID_HEADER");
        assert!(blamed(&reply).contains("Last-Event-ID"));
    }
    for (query, code, param) in [
        (
            format!("last_event_id={ahead}"),
            "INVALID_CURSOR",
            "last_event_id",
        ),
        (
            "last_event_id=-1".to_owned(),
            "INVALID_PARAMETER",
            "last_event_id",
        ),
        ("last_event_id=x".to_owned(), "INVALID_PARAMETER", "last_event_id"),
        ("follow=no".to_owned(), "INVALID_PARAMETER", "follow"),
        ("topics=sms".to_owned(), "INVALID_EVENT_TYPE", "topics"),
        ("topics=items.imported".to_owned(), "INVALID_EVENT_TYPE", "topics"),
        ("topics=".to_owned(), "INVALID_EVENT_TYPE", "topics"),
    ] {
        let reply = app.get(&format!("{PATH}?{query}")).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(param), "{query}: {}", reply.text);
    }
    let reply = app.get(&format!("{PATH}?topics=sms")).await;
    let suggestion = reply.json["error"]["suggestion"].as_str().unwrap();
    for name in ["sms.received", "conversation.updated", "webhook.disabled"] {
        assert!(suggestion.contains(name), "{suggestion}");
    }
    let headers = [
        ("Authorization", own.as_str()),
        ("Last-Event-ID", &ahead.to_string()),
    ];
    let reply = app.send_with(Method::GET, PATH, &headers, None).await;
    assert_error(&reply, "INVALID_CURSOR");
    assert_eq!(reply.json["error"]["param"], "Last-Event-ID");
}

async fn a_key_has_twenty_streams(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(connect(&app, &app.key, "", None).await);
    }
    let refused = app.get(PATH).await;
    assert_error(&refused, "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused.header("retry-after"), "5");
    let (_, other) = new_key(&app, ScopeSet::of(&[Scope::WebhooksReadWrite])).await;
    connect(&app, &other, "", None).await;
    streams.pop();
    // The server learns of it when it has something to say.
    for _ in 0..200 {
        text_in(&app, us(), sarah(), "Hello").await;
        let again = app.get(&format!("{PATH}?follow=false")).await;
        if again.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a stream that was closed is still counted");
}

async fn a_stream_ends_with_the_server(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut stream = connect(&app, &app.key, "", None).await;
    stream.block().await.unwrap();
    app.state.stop.cancel();
    assert_eq!(stream.block().await, None);
}

async fn what_another_process_writes_comes_too(db: TestDb) {
    let other = db.open_again();
    let app = TestApp::start(db).await;
    let mut stream = connect(&app, &app.key, "", None).await;
    let node = app.office.node_on(other.clone(), "another");
    let written: Result<(), trunkline_switchboard::Error> = node
        .run(app.office.team, |work| {
            let payload = json!({ "content": "from elsewhere" });
            work.emit(Topic::SmsReceived, work.now, None, &payload)?;
            Ok(())
        })
        .await;
    written.unwrap();
    assert_eq!(
        stream.next().await.unwrap().json()["data"]["content"],
        "from elsewhere"
    );
    tokio::task::spawn_blocking(move || other.close()).await.unwrap();
}

async fn a_stream_is_not_compressed_and_not_cut_by_the_time_limit(db: TestDb) {
    let app = TestApp::start(db).await;
    let mut settings = (*app.state.settings).clone();
    settings.request_timeout = Duration::from_millis(100);
    let state = app
        .state
        .with(|shared| shared.settings = std::sync::Arc::new(settings));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let service =
        trunkline_server::router(state).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let request = client().get(url).header("Authorization", authorization(&app.key));
    let response = request.header("Accept-Encoding", "gzip").send().await.unwrap();
    assert_eq!(response.headers().get("content-encoding"), None);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut stream = Stream {
        response,
        unread: Vec::new(),
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    text_in(&app, us(), sarah(), "Late").await;
    assert_eq!(stream.next().await.unwrap().json()["data"]["content"], "Late");
}

/// A stream that nobody reads from ends when its key is revoked: a test of the machine's clock, a quarter of a minute.
mod heavy {
    use super::*;

    trunkline_testkit::on_both! {
        a_silent_stream_says_that_it_lives_and_ends_with_its_key,
        streams_end_with_what_opened_them,
    }

    async fn a_silent_stream_says_that_it_lives_and_ends_with_its_key(db: TestDb) {
        let app = TestApp::start(db).await;
        make(&app, NOBODY, &["sms.received"], json!({})).await;
        app.deliver(Options::default());
        let (id, key) = new_key(&app, ScopeSet::ALL).await;
        let mut stream = connect(&app, &key, "", None).await;
        stream.block().await.unwrap();
        assert_eq!(stream.block().await.unwrap(), ": alive\n\n");
        revoke(&app, id).await;
        app.office.clock.advance(2 * Millis::SECOND);
        while let Some(block) = stream.block().await {
            assert_eq!(block, ": alive\n\n");
        }
        assert_eq!(ErrorCode::ApiKeyRevoked.http_status(), 401);
    }

    /// A key that is revoked or has expired, a user who is blocked and an account that is suspended end their streams; what
    /// opens the feed all the same ends none: a lesser role, which the feed does not ask for.
    async fn streams_end_with_what_opened_them(db: TestDb) {
        let world = World::open(db).await;
        let app = &world.app;
        let scopes = ScopeSet::of(&[Scope::WebhooksReadWrite]);
        let (revoked, key) = new_key(app, scopes).await;
        let end = app.board.now().plus(Millis::MINUTE);
        let body = json!({ "name": "A minute", "scopes": ["WEBHOOKS_READ_WRITE"], "expires_at": end });
        let expiring = app.post("/v2/api/keys", &body).await;
        let account = app
            .post("/v2/api/partner/accounts", &partner_account("streaming"))
            .await;
        let ben = app.office.ben;
        let eve = of_team(app, app.office.team, |work| {
            accounts::create_user(work, "Eve", "eve@fogcity.example", Role::Admin)
        });
        let eve = eve.await;
        let doomed = [
            key,
            expiring.data()["secret"].as_str().unwrap().to_owned(),
            key_of(app, ben, scopes).await,
            account.data()["api_key"].as_str().unwrap().to_owned(),
        ];
        let staying = [app.key.clone(), key_of(app, eve, scopes).await];
        let (mut ending, mut open) = (Vec::new(), Vec::new());
        for (keys, streams) in [(&doomed[..], &mut ending), (&staying[..], &mut open)] {
            for key in keys {
                let mut stream = connect(app, key, "?topics=sms.received", None).await;
                stream.block().await.unwrap();
                streams.push(stream);
            }
        }
        revoke(app, revoked).await;
        let account = account.data()["id"].as_str().unwrap().to_owned();
        for path in [
            format!("/v2/api/users/{ben}/block"),
            format!("/v2/api/partner/accounts/{account}/suspend"),
        ] {
            let done = app.post(&path, &json!({})).await;
            assert!((200..300).contains(&done.status), "{path}: {}", done.text);
        }
        let lesser = app
            .patch(&format!("/v2/api/users/{eve}"), &json!({ "role": "MEMBER" }))
            .await;
        assert_eq!(lesser.status, 200, "{}", lesser.text);
        app.office.clock.advance(Millis::MINUTE);
        for mut stream in ending {
            while let Some(block) = stream.block().await {
                assert_eq!(block, ": alive\n\n");
            }
        }
        text_in(app, us(), sarah(), "Still there?").await;
        for mut stream in open {
            assert_eq!(
                stream.next().await.unwrap().json()["data"]["content"],
                "Still there?"
            );
        }
    }
}
