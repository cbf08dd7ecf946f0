//! Every operation that takes a body, given bodies that it does not take.

use serde_json::json;
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::TestDb;

use crate::operations::{Operation, Takes, operations};
use crate::support::{World, advice, assert_common, assert_error, authorization, next_second, param};

trunkline_testkit::on_both! {
    a_body_of_another_type_is_refused,
    json_is_recognised_in_every_spelling,
    a_compressed_body_is_refused,
    a_body_that_is_no_object_is_refused,
    an_empty_body_is_refused_where_something_is_needed,
    a_body_that_is_too_large_is_refused,
    a_refusal_reaches_a_client_that_is_still_sending,
}

fn with_bodies() -> Vec<Operation> {
    let all: Vec<Operation> = operations()
        .into_iter()
        .filter(|operation| operation.body.anything())
        .collect();
    assert!(all.len() >= 7);
    all
}

async fn post(world: &World, operation: &Operation, content_type: Option<&str>, body: &str) -> Reply {
    let own = authorization(&world.app.key);
    let mut headers = vec![("Authorization", own.as_str())];
    headers.extend(content_type.map(|value| ("Content-Type", value)));
    let path = operation.filled(world);
    let reply = world
        .app
        .send_with(operation.method.clone(), &path, &headers, Some(body.to_owned()))
        .await;
    assert_common(&reply);
    reply
}

async fn a_body_of_another_type_is_refused(db: TestDb) {
    let world = World::open(db).await;
    for operation in with_bodies() {
        let body = operation.request(&world).body.unwrap().to_string();
        let types = [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "json",
            "text/json",
            "",
        ];
        for content_type in types {
            let reply = post(&world, &operation, Some(content_type), &body).await;
            assert_error(&reply, "UNSUPPORTED_MEDIA_TYPE");
            assert_eq!(param(&reply), "Content-Type", "{}", operation.name());
            let suggestion = advice(&reply);
            assert!(
                suggestion.contains("application/json"),
                "{}: {suggestion}",
                operation.name()
            );
        }
    }
}

async fn json_is_recognised_in_every_spelling(db: TestDb) {
    let world = World::open(db).await;
    for operation in with_bodies() {
        for content_type in [
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
        ] {
            let body = operation.request(&world).body.unwrap().to_string();
            let reply = post(&world, &operation, Some(content_type), &body).await;
            assert!(
                (200..300).contains(&reply.status),
                "{}: {}",
                operation.name(),
                reply.text
            );
        }
    }
}

async fn a_compressed_body_is_refused(db: TestDb) {
    let world = World::open(db).await;
    let own = authorization(&world.app.key);
    for operation in with_bodies() {
        let request = operation.request(&world);
        for (coding, refused) in [
            ("gzip", true),
            ("br", true),
            ("GZIP, identity", true),
            ("identity", false),
        ] {
            let reply = request
                .with(
                    &world.app,
                    &[("Authorization", &own), ("Content-Encoding", coding)],
                )
                .await;
            assert_common(&reply);
            if refused {
                assert_error(&reply, "UNSUPPORTED_MEDIA_TYPE");
                assert_eq!(param(&reply), "Content-Encoding", "{}", operation.name());
            } else {
                assert!(
                    (200..300).contains(&reply.status),
                    "{}: {}",
                    operation.name(),
                    reply.text
                );
            }
        }
    }
}

async fn a_body_that_is_no_object_is_refused(db: TestDb) {
    let world = World::open(db).await;
    for operation in with_bodies() {
        for body in [
            "{",
            "{\"a\":1,}",
            "{'a':1}",
            "[]",
            "[{}]",
            "\"text\"",
            "1",
            "null",
            "true",
            "{} {}",
            "\u{feff}{}",
            " ",
        ] {
            let reply = post(&world, &operation, Some("application/json"), body).await;
            assert_eq!(
                reply.code(),
                "INVALID_REQUEST_BODY",
                "{} with {body:?}: {}",
                operation.name(),
                reply.text
            );
            assert_error(&reply, "INVALID_REQUEST_BODY");
        }
        // What is not UTF-8 is no JSON either; and nesting without end must not exhaust the stack.
        let deep = "[".repeat(200_000);
        let reply = post(
            &world,
            &operation,
            Some("application/json"),
            &format!("{{\"a\":{deep}"),
        )
        .await;
        assert_error(&reply, "INVALID_REQUEST_BODY");
    }
}

async fn an_empty_body_is_refused_where_something_is_needed(db: TestDb) {
    let world = World::open(db).await;
    for operation in with_bodies() {
        let reply = post(&world, &operation, Some("application/json"), "").await;
        let without = world
            .app
            .send(operation.method.clone(), &operation.filled(&world), None)
            .await;
        assert_common(&without);
        match operation.body {
            Takes::MaybeObject => {
                assert_eq!((reply.status, without.status), (200, 200), "{}", operation.name())
            }
            _ => {
                assert_error(&reply, "INVALID_REQUEST_BODY");
                assert!(
                    ["INVALID_REQUEST_BODY", "UNSUPPORTED_MEDIA_TYPE"].contains(&without.code()),
                    "{}: {}",
                    operation.name(),
                    without.text
                );
            }
        }
    }
}

async fn a_body_that_is_too_large_is_refused(db: TestDb) {
    const LIMIT: usize = 1 << 20;
    let world = World::open(db).await;
    for operation in with_bodies() {
        let mut body = operation.request(&world).body.unwrap();
        body["padding"] = json!("");
        let rest = LIMIT - body.to_string().len();
        body["padding"] = json!("x".repeat(rest));
        let fits = body.to_string();
        assert_eq!(fits.len(), LIMIT);
        let reply = post(&world, &operation, Some("application/json"), &fits).await;
        assert!(
            (200..300).contains(&reply.status),
            "{}: {}",
            operation.name(),
            reply.text
        );
        body["padding"] = json!("x".repeat(rest + 1));
        for too_large in [body.to_string(), "x".repeat(4 * LIMIT)] {
            let reply = post(&world, &operation, Some("application/json"), &too_large).await;
            assert_error(&reply, "PAYLOAD_TOO_LARGE");
        }
    }
}

async fn a_refusal_reaches_a_client_that_is_still_sending(db: TestDb) {
    let world = World::open(db).await;
    for operation in operations() {
        for size in [100_000, 900_000, 3_000_000] {
            let body = "x".repeat(size);
            let headers = [("Authorization", "Api-Key ak_test_unknown")];
            let path = operation.filled(&world);
            let reply = world
                .app
                .send_with(operation.method.clone(), &path, &headers, Some(body.clone()))
                .await;
            assert_error(&reply, "API_KEY_INVALID");
            let reply = world
                .app
                .send_with(operation.method.clone(), "/v2/api/nothing", &headers, Some(body))
                .await;
            assert_error(&reply, "ENDPOINT_NOT_FOUND");
            next_second(&world.app);
        }
    }
}
