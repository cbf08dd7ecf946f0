//! `Idempotency-Key`: a write that is sent again is the same write.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{Millis, ScopeSet};
use trunkline_store::{StoreError, Tx};
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::TestDb;

use crate::operations::{Request, operation, operations};
use crate::people::new_key;
use crate::support::{World, assert_common, assert_error, authorization, events_of, ignored, param};

trunkline_testkit::on_both! {
    every_write_is_replayed_byte_for_byte,
    what_was_ignored_is_told_again,
    a_failure_does_not_use_up_the_key,
    the_same_key_for_something_else_is_refused,
    concurrent_requests_with_one_key_run_once,
    a_key_is_forgotten_after_an_hour,
    keys_have_1_to_255_characters,
    api_keys_do_not_share_idempotency_keys,
    another_server_on_the_same_database_replays_too,
    an_answer_is_stored_with_the_write_or_not_at_all,
    without_a_key_every_request_is_one,
}

async fn with_key(world: &World, request: &Request, key: &str) -> Reply {
    let own = authorization(&world.app.key);
    let reply = request
        .with(&world.app, &[("Authorization", &own), ("Idempotency-Key", key)])
        .await;
    assert_common(&reply);
    reply
}

fn is_replayed(reply: &Reply) -> bool {
    match reply.header("idempotency-replayed") {
        "" => false,
        "true" => true,
        other => panic!("Idempotency-Replayed: {other}"),
    }
}

fn tagging(world: &World, tag: &str) -> Request {
    Request {
        body: Some(json!({ "tags": [tag] })),
        ..operation("addTags").request(world)
    }
}

async fn tags_added(world: &World) -> usize {
    events_of(&world.app, Topic::TagAdded, 0).await.len()
}

/// Events and items, but for what a carrier tells in its own time of texts that are on their way.
async fn done(world: &World) -> (usize, i64) {
    let team = world.app.office.team;
    let last: Result<_, StoreError> = world
        .app
        .board
        .db()
        .read(move |conn| trunkline_store::items::last_seq(conn, team))
        .await;
    let told_later = [Topic::SmsSent, Topic::SmsDelivered, Topic::SmsFailed];
    let events = world.app.office.events_after(0).await;
    let told = events
        .iter()
        .filter(|event| !told_later.contains(&event.topic))
        .count();
    (told, last.unwrap())
}

async fn every_write_is_replayed_byte_for_byte(db: TestDb) {
    let world = World::open(db).await;
    // A search changes nothing: its key is nobody's.
    let reads = trunkline_server::openapi::READ_BY_POST;
    let writes = operations()
        .into_iter()
        .filter(|operation| operation.method != Method::GET);
    let mut tried = 0;
    for operation in writes.filter(|operation| !reads.contains(&operation.id.as_str())) {
        let name = operation.name();
        operation.prepare(&world).await;
        let mut request = operation.request(&world).parameter("unknown", "1");
        if operation.id == "sandboxCall" {
            // One that goes on for the rest of the test: what is played on does not disturb the count of events.
            request = request.field("ring_seconds", json!(120)).field("speed", json!(1));
        }
        let first = with_key(&world, &request, &operation.id).await;
        assert!((200..300).contains(&first.status), "{name}: {}", first.text);
        assert!(!is_replayed(&first), "{name}");
        let after = done(&world).await;
        for _ in 0..2 {
            world.app.office.clock.advance(Millis::MINUTE);
            let again = with_key(&world, &request, &operation.id).await;
            assert!(is_replayed(&again), "{name}");
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{name}");
            assert_eq!(
                again.header("content-type"),
                first.header("content-type"),
                "{name}"
            );
            assert_eq!(ignored(&again), ["unknown"], "{name}");
            assert_ne!(
                again.header("x-request-id"),
                first.header("x-request-id"),
                "{name}"
            );
        }
        assert_eq!(done(&world).await, after, "{name} was done again");
        tried += 1;
    }
    assert!(tried >= 6);
}

/// A repeated request may come without what was ignored of the first, or with something more: the answer is the first.
async fn what_was_ignored_is_told_again(db: TestDb) {
    let world = World::open(db).await;
    let odd = "a%2C%20b%C3%A9";
    let first = tagging(&world, "told")
        .parameter("per_page", "1")
        .parameter(odd, "2");
    let bare = tagging(&world, "told");
    for request in [&first, &first, &bare, &bare.clone().parameter("other", "3")] {
        let reply = with_key(&world, request, "told").await;
        assert_eq!(ignored(&reply), ["per_page", "a??b?"], "{}", reply.text);
    }
    for request in [&bare, &first] {
        let reply = with_key(
            &world,
            &Request {
                body: Some(json!({ "tags": ["quiet"] })),
                ..request.clone()
            },
            "quiet",
        )
        .await;
        assert_eq!(ignored(&reply), Vec::<&str>::new());
    }
}

async fn a_failure_does_not_use_up_the_key(db: TestDb) {
    let world = World::open(db).await;
    let request = tagging(&world, "vip");
    for _ in 0..2 {
        let reply = with_key(&world, &request, "once").await;
        assert_error(&reply, "TAG_ALREADY_EXISTS");
        assert!(!is_replayed(&reply));
    }
    let faulty = Request {
        body: Some(json!({ "tags": 5 })),
        ..request.clone()
    };
    assert_error(&with_key(&world, &faulty, "once").await, "INVALID_PARAMETER");
    let malformed = Request {
        path: request.path.replace("cll-", "xyz-"),
        ..request.clone()
    };
    assert_error(&with_key(&world, &malformed, "once").await, "INVALID_ITEM_ID");
    // The reason is gone: the very same request goes through, and is replayed from now on.
    operation("removeTag").request(&world).send(&world.app).await;
    assert_eq!(with_key(&world, &request, "once").await.status, 200);
    assert!(is_replayed(&with_key(&world, &request, "once").await));
}

async fn the_same_key_for_something_else_is_refused(db: TestDb) {
    let world = World::open(db).await;
    let request = tagging(&world, "first");
    assert_eq!(with_key(&world, &request, "one").await.status, 200);
    let before = world.app.office.last_event().await;
    let remove = operation("removeTag").request(&world);
    let others = [
        ("another body", tagging(&world, "second")),
        ("the same body in another spelling", {
            let mut body = request.body.clone().unwrap();
            body["note"] = Value::Null;
            Request {
                body: Some(body),
                ..request.clone()
            }
        }),
        ("another method", remove),
        ("another path", operation("updateCallSummary").request(&world)),
        ("another path and the same body", {
            let other = operation("executeConversationAction").request(&world);
            Request {
                body: request.body.clone().map(|mut body| {
                    body["action"] = json!("READ");
                    body
                }),
                ..other
            }
        }),
    ];
    for (what, other) in others {
        let reply = with_key(&world, &other, "one").await;
        assert_error(&reply, "IDEMPOTENCY_KEY_REUSE");
        assert_eq!(param(&reply), "Idempotency-Key", "{what}");
        assert!(!is_replayed(&reply));
    }
    assert_eq!(world.app.office.last_event().await, before, "nothing was done");
    assert!(
        is_replayed(&with_key(&world, &request, "one").await),
        "the first request stands"
    );
}

async fn concurrent_requests_with_one_key_run_once(db: TestDb) {
    let world = Arc::new(World::open(db).await);
    for round in 0..8 {
        let before = tags_added(&world).await;
        let asked: Vec<_> = (0..8)
            .map(|_| {
                let (world, tag) = (world.clone(), format!("round-{round}"));
                tokio::spawn(async move { with_key(&world, &tagging(&world, &tag), &tag).await })
            })
            .collect();
        let mut own = 0;
        let mut bodies = Vec::new();
        for task in asked {
            let reply = task.await.unwrap();
            match reply.status {
                200 => {
                    own += usize::from(!is_replayed(&reply));
                    bodies.push(reply.text);
                }
                _ => {
                    assert_error(&reply, "OTHER_TRANSACTION_IN_PROGRESS");
                    assert_eq!(reply.json["error"]["retryable"], true);
                }
            }
        }
        bodies.dedup();
        assert_eq!((own, bodies.len()), (1, 1), "round {round}");
        assert_eq!(tags_added(&world).await, before + 1, "round {round}");
        assert!(is_replayed(
            &with_key(
                &world,
                &tagging(&world, &format!("round-{round}")),
                &format!("round-{round}")
            )
            .await
        ));
    }
}

async fn a_key_is_forgotten_after_an_hour(db: TestDb) {
    let world = World::open(db).await;
    let request = tagging(&world, "hourly");
    assert_eq!(with_key(&world, &request, "hour").await.status, 200);
    world.app.office.clock.advance(Millis::HOUR - 1);
    assert!(is_replayed(&with_key(&world, &request, "hour").await));
    world.app.office.clock.advance(1);
    // Now it is a request like any other, and the tag is there already.
    assert_error(&with_key(&world, &request, "hour").await, "TAG_ALREADY_EXISTS");
    let other = tagging(&world, "other");
    assert_eq!(
        with_key(&world, &other, "hour").await.status,
        200,
        "the key is free for something else"
    );
    assert!(is_replayed(&with_key(&world, &other, "hour").await));
}

async fn keys_have_1_to_255_characters(db: TestDb) {
    let world = World::open(db).await;
    for operation in operations()
        .into_iter()
        .filter(|operation| operation.method != Method::GET)
    {
        let request = operation.request(&world);
        for key in ["", &"k".repeat(256), "é", " "] {
            let reply = with_key(&world, &request, key).await;
            assert_error(&reply, "INVALID_HEADER");
            assert_eq!(param(&reply), "Idempotency-Key", "{}", operation.name());
        }
    }
    for (i, key) in ["k", "!", &"k".repeat(255)].into_iter().enumerate() {
        let request = tagging(&world, &format!("t{i}"));
        assert!(!is_replayed(&with_key(&world, &request, key).await));
        assert!(is_replayed(&with_key(&world, &request, key).await));
    }
    // Who has no valid key learns that first; a read has no use for one.
    let request = tagging(&world, "x");
    let reply = request.with(&world.app, &[("Idempotency-Key", "")]).await;
    assert_error(&reply, "UNAUTHORIZED");
    assert_eq!(
        with_key(&world, &operation("listTags").request(&world), "")
            .await
            .status,
        200
    );
}

async fn api_keys_do_not_share_idempotency_keys(db: TestDb) {
    let world = World::open(db).await;
    let (_, other) = new_key(&world.app, ScopeSet::ALL).await;
    assert_eq!(
        with_key(&world, &tagging(&world, "mine"), "shared").await.status,
        200
    );
    let headers = [
        ("Authorization", authorization(&other)),
        ("Idempotency-Key", "shared".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let reply = tagging(&world, "theirs").with(&world.app, &headers).await;
    assert_eq!(
        (reply.status, is_replayed(&reply)),
        (200, false),
        "{}",
        reply.text
    );
    assert!(is_replayed(
        &tagging(&world, "theirs").with(&world.app, &headers).await
    ));
    assert!(is_replayed(
        &with_key(&world, &tagging(&world, "mine"), "shared").await
    ));
}

/// Two nodes do not know what the other is working on: the database decides.
async fn another_server_on_the_same_database_replays_too(db: TestDb) {
    let world = World::open(db).await;
    let other = world
        .app
        .state
        .with(|shared| shared.in_flight = Default::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service =
        trunkline_server::router(other).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let client = trunkline_testkit::app::client_builder().build().unwrap();
    for round in 0..6 {
        let (before, tag) = (tags_added(&world).await, format!("node-{round}"));
        let request = tagging(&world, &tag);
        let there = client
            .post(format!("{url}{}", request.path))
            .header("Authorization", authorization(&world.app.key))
            .header("Idempotency-Key", &tag)
            .header("Content-Type", "application/json")
            .body(request.body.clone().unwrap().to_string());
        let (here, there) = tokio::join!(with_key(&world, &request, &tag), there.send());
        let there = there.unwrap();
        assert_eq!(
            (here.status, there.status().as_u16()),
            (200, 200),
            "{}",
            here.text
        );
        assert_ne!(
            is_replayed(&here),
            there.headers().contains_key("idempotency-replayed"),
            "one of them ran"
        );
        assert_eq!(here.text, there.text().await.unwrap());
        assert_eq!(tags_added(&world).await, before + 1);
    }
}

/// Where the answer cannot be stored, nothing is done; and the next request may do it.
async fn an_answer_is_stored_with_the_write_or_not_at_all(db: TestDb) {
    let world = World::open(db).await;
    let before = tags_added(&world).await;
    let request = tagging(&world, "whole");
    let broken = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        // The look-up works, storing does not.
        tx.execute(
            "ALTER TABLE idempotency ADD COLUMN extra INTEGER NOT NULL DEFAULT 0 CHECK (extra > 0)",
            &[],
        )
    };
    world.app.board.db().write(broken).await.unwrap();
    let reply = with_key(&world, &request, "whole").await;
    assert_error(&reply, "INTERNAL_SERVER_ERROR");
    assert_eq!(
        tags_added(&world).await,
        before,
        "the write was taken back with it"
    );
    let mended = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute("ALTER TABLE idempotency DROP COLUMN extra", &[])
    };
    world.app.board.db().write(mended).await.unwrap();
    assert_eq!(with_key(&world, &request, "whole").await.status, 200);
    assert_eq!(tags_added(&world).await, before + 1);
}

async fn without_a_key_every_request_is_one(db: TestDb) {
    let world = World::open(db).await;
    let request = tagging(&world, "twice");
    assert_eq!(request.send(&world.app).await.status, 200);
    assert_error(&request.send(&world.app).await, "TAG_ALREADY_EXISTS");
}
