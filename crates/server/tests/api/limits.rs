//! Rate limits, by the manual clock: a second is over when the test says so.

use reqwest::Method;
use serde_json::json;
use trunkline_domain::ScopeSet;
use trunkline_server::http::proxies::Proxies;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::TestDb;

use crate::people::new_key;
use crate::support::{assert_error, authorization, searchable};
use crate::surroundings::{serve, with_settings};

trunkline_testkit::on_both! {
    so_many_pass_in_a_second_and_no_more,
    reads_and_writes_are_counted_apart,
    keys_are_counted_apart,
    concurrent_requests_share_the_limit,
    without_a_valid_key_the_address_is_counted,
    version_1_blames_a_key_only_where_there_is_one,
    behind_a_proxy_each_visitor_is_counted,
    a_refused_request_changes_nothing,
}

async fn ask(app: &TestApp, method: Method, key: &str) -> Reply {
    let path = if method == Method::GET {
        "/v2/api/tags"
    } else {
        "/v2/api/conversations/items/search"
    };
    let body = (method != Method::GET).then(|| "{}".to_owned());
    app.send_with(method, path, &[("Authorization", &authorization(key))], body)
        .await
}

#[track_caller]
fn assert_state(app: &TestApp, reply: &Reply, limit: i64, remaining: i64) {
    let number = |name: &str| reply.header(name).parse::<i64>().unwrap();
    assert_eq!(
        (number("x-ratelimit-limit"), number("x-ratelimit-remaining")),
        (limit, remaining),
        "{}",
        reply.text
    );
    assert_eq!(number("x-ratelimit-reset"), app.board.now().unix_seconds() + 1);
}

#[track_caller]
fn assert_too_many(app: &TestApp, reply: &Reply, limit: i64) {
    assert_error(reply, "RATE_LIMIT_EXCEEDED");
    assert_eq!(reply.json["error"]["type"], "rate_limit_error");
    assert_eq!(reply.json["error"]["retryable"], true);
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.json["error"]["retry_after_seconds"], 1);
    assert_state(app, reply, limit, 0);
}

async fn so_many_pass_in_a_second_and_no_more(db: TestDb) {
    let app = searchable(db).await;
    // The limits of a team that nobody has changed.
    app.set_limits(20, 5).await;
    for (method, limit) in [(Method::GET, 20), (Method::POST, 5)] {
        for second in 0..3 {
            for i in 1..=limit {
                let reply = ask(&app, method.clone(), &app.key).await;
                assert_eq!(
                    reply.status, 200,
                    "request {i} of second {second}: {}",
                    reply.text
                );
                assert_state(&app, &reply, limit, limit - i);
            }
            for _ in 0..3 {
                assert_too_many(&app, &ask(&app, method.clone(), &app.key).await, limit);
            }
            // Not the time since the first request counts, but the second that the clock shows.
            app.office.clock.advance(999);
            assert_too_many(&app, &ask(&app, method.clone(), &app.key).await, limit);
            app.office.clock.advance(1);
        }
    }
}

async fn reads_and_writes_are_counted_apart(db: TestDb) {
    let app = searchable(db).await;
    app.set_limits(2, 3).await;
    for _ in 0..2 {
        assert_eq!(ask(&app, Method::GET, &app.key).await.status, 200);
    }
    assert_too_many(&app, &ask(&app, Method::GET, &app.key).await, 2);
    // A POST that only searches is a write all the same; so are PUT, PATCH and DELETE, even where nothing is.
    for (i, method) in [Method::POST, Method::PUT, Method::DELETE]
        .into_iter()
        .enumerate()
    {
        let reply = ask(&app, method, &app.key).await;
        assert_state(&app, &reply, 3, 2 - i as i64);
    }
    assert_too_many(&app, &ask(&app, Method::PATCH, &app.key).await, 3);
    assert_too_many(&app, &ask(&app, Method::GET, &app.key).await, 2);
}

async fn keys_are_counted_apart(db: TestDb) {
    let app = searchable(db).await;
    app.set_limits(1, 1).await;
    let (_, other) = new_key(&app, ScopeSet::ALL).await;
    for method in [Method::GET, Method::POST] {
        for key in [&app.key, &other] {
            assert_eq!(ask(&app, method.clone(), key).await.status, 200);
            assert_too_many(&app, &ask(&app, method.clone(), key).await, 1);
        }
    }
}

async fn concurrent_requests_share_the_limit(db: TestDb) {
    let app = std::sync::Arc::new(searchable(db).await);
    app.set_limits(10, 5).await;
    let asked: Vec<_> = (0..30)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { ask(&app, Method::GET, &app.key).await.status })
        })
        .collect();
    let mut passed = 0;
    for task in asked {
        match task.await.unwrap() {
            200 => passed += 1,
            429 => {}
            other => panic!("status {other}"),
        }
    }
    assert_eq!(passed, 10);
}

async fn without_a_valid_key_the_address_is_counted(db: TestDb) {
    let app = searchable(db).await;
    for i in 0..20 {
        let reply = ask(&app, Method::GET, &format!("ak_test_guess{i}")).await;
        assert_error(&reply, "API_KEY_INVALID");
        assert_state(&app, &reply, 20, 19 - i);
    }
    assert_too_many(&app, &ask(&app, Method::GET, "ak_test_guess").await, 20);
    assert_eq!(
        ask(&app, Method::GET, &app.key).await.status,
        200,
        "who has a key is not held up by who has none"
    );
}

async fn version_1_blames_a_key_only_where_there_is_one(db: TestDb) {
    let app = searchable(db).await;
    app.set_limits(1, 1).await;
    let path = "/v1/api/numbers";
    assert_eq!(app.get(path).await.status, 200);
    let refused = app.get(path).await;
    assert_error(&refused, "API_KEY_QUOTA_EXCEEDED");
    let told = json!([{ "message": "limit=1;type=SECOND;reset_in=1", "field": "SECOND" }]);
    assert_eq!(refused.json["details"], told);
    assert_eq!(refused.header("retry-after"), "1");
    assert_state(&app, &refused, 1, 0);
    for guess in 0..=20 {
        let headers = [("Authorization", authorization("ak_test_guess"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = app.send_with(Method::GET, path, &headers, None).await;
        let too_many = guess == 20;
        assert_error(
            &reply,
            if too_many {
                "RATE_LIMIT_EXCEEDED"
            } else {
                "API_KEY_INVALID"
            },
        );
        assert_eq!(reply.header("retry-after"), if too_many { "1" } else { "" });
    }
}

/// The answer to a request without a key that proxies say is for somebody.
async fn forwarded(app: &TestApp, url: &str, lines: &[&str]) -> Reply {
    let headers: Vec<(&str, &str)> = lines.iter().map(|line| ("X-Forwarded-For", *line)).collect();
    let path = format!("{url}/v2/api/me");
    app.send_to(Method::GET, &path, &headers, None).await
}

async fn behind_a_proxy_each_visitor_is_counted(db: TestDb) {
    let app = searchable(db).await;
    let trusting = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        with_settings(&app, |settings| {
            settings.proxies = Proxies::parse(&texts).unwrap()
        })
    };
    let url = serve(trunkline_server::router(trusting(&["127.0.0.1", "10.0.0.0/8"]))).await;
    for i in 0..20 {
        // Whoever tries to look like somebody else each time is counted by what the proxy has seen.
        let forged = format!("192.0.2.{i}, 198.51.100.7");
        let reply = forwarded(&app, &url, &[&forged]).await;
        assert_error(&reply, "UNAUTHORIZED");
        assert_state(&app, &reply, 20, 19 - i);
    }
    for lines in [
        vec!["198.51.100.7"],
        vec!["203.0.113.1", "198.51.100.7"],
        vec!["198.51.100.7, 10.0.0.8"],
    ] {
        assert_too_many(&app, &forwarded(&app, &url, &lines).await, 20);
    }
    let another = forwarded(&app, &url, &["198.51.100.7, 198.51.100.8"]).await;
    assert_state(&app, &another, 20, 19);
    let none = forwarded(&app, &url, &[]).await;
    assert_state(&app, &none, 20, 19);
    // What is no address is the proxy's own request.
    assert_state(&app, &forwarded(&app, &url, &["198.51.100.9, me"]).await, 20, 18);

    // Where nobody is trusted, or somebody else, everybody is whom the connection is from.
    app.office.clock.advance(1_000);
    let url = serve(trunkline_server::router(trusting(&["10.0.0.0/8"]))).await;
    for i in 0..20 {
        let reply = forwarded(&app, &url, &[&format!("192.0.2.{i}")]).await;
        assert_state(&app, &reply, 20, 19 - i);
    }
    assert_too_many(&app, &forwarded(&app, &app.url, &["192.0.2.77"]).await, 20);
}

async fn a_refused_request_changes_nothing(db: TestDb) {
    let app = searchable(db).await;
    app.set_limits(1, 1).await;
    let call = crate::support::sarahs_call(&app).await;
    let path = format!("/v2/api/conversations/items/{call}/tags");
    assert_eq!(app.post(&path, &json!({ "tags": ["one"] })).await.status, 200);
    let before = app.office.last_event().await;
    assert_too_many(&app, &app.post(&path, &json!({ "tags": ["two"] })).await, 1);
    assert_eq!(app.office.last_event().await, before);
    app.office.clock.advance(1_000);
    assert_eq!(app.post(&path, &json!({ "tags": ["two"] })).await.status, 200);
}
