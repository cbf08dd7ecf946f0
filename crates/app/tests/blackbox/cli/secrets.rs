//! What may not be in a log.

use crate::support::api::{Api, client, in_query};
use crate::support::eventually;
use crate::support::load::{LINES, Team};
use crate::support::program::{Place, file, text};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn no_secret_is_logged_on_sqlite() {
    assert_logs_keep_secrets(Place::sqlite()).await;
}

#[tokio::test]
async fn no_secret_is_logged_on_postgres() {
    assert_logs_keep_secrets(Place::postgres()).await;
}

async fn assert_logs_keep_secrets(place: Place) {
    let team = Team::make(&place).await;
    let token = "giraffe-token-of-the-carrier";
    let (_folder, path) = file("token", token);
    let add = [
        "numbers",
        "add",
        "+14155550199",
        "--carrier",
        "twilio",
        "--twilio-account-sid",
        "AC1",
    ];
    place
        .run(&[&add[..], &["--twilio-auth-token-file", text(&path)]].concat())
        .await
        .ok();
    let place = place.with("TRUNKLINE_LOG_FILTER", "trace");
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let text = json!({ "from": "+14155551234", "to": LINES[0], "content": "giraffetext in the clear" });
    let sent = api
        .try_send(
            Method::POST,
            "/sandbox/messages",
            Some("giraffe-idempotency"),
            Some(&text),
        )
        .await;
    assert_eq!(sent.expect("an answer").status, 201);
    let call = json!({
        "from": "+14155551234", "to": LINES[0], "speed": 1_000, "summary": "giraffesummary",
        "lines": [{ "source": "EXTERNAL", "at": 1, "text": "giraffespeech" }],
    });
    let id = api.post("/sandbox/calls", &call).await.data()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    eventually(Duration::from_secs(10), "the call is over", async || {
        let item = api
            .get(&format!("/v2/api/conversations/items/{id}?extend=transcript"))
            .await;
        item.data()["summary"].is_string().then_some(())
    })
    .await;
    let edited = json!({ "content": "giraffeedited" });
    let path = format!("/v2/api/conversations/items/{id}/summary");
    assert_eq!(
        api.try_send(Method::PATCH, &path, None, Some(&edited))
            .await
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(api.count("giraffespeech").await, 1);
    assert_eq!(api.count("giraffetext").await, 1);
    let list = format!(
        "/v2/api/conversations?allo_number={}&extend=transcript",
        in_query(LINES[0])
    );
    assert_eq!(api.get(&list).await.status, 200);
    let wrong = Api::new(&server.url, "ak_live_giraffewrong")
        .get("/v2/api/me")
        .await;
    assert_eq!(wrong.status, 401);
    for signed in [true, false] {
        let url = format!("{}/carriers/twilio/messages", server.url);
        let fields = [
            ("MessageSid", "SM1"),
            ("From", "+14155551234"),
            ("To", "+14155550199"),
            ("Body", "giraffebody"),
        ];
        let pairs: Vec<(String, String)> = fields
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let signature =
            trunkline_messaging::twilio::signature(if signed { token } else { "other" }, &url, &pairs);
        let request = client()
            .post(&url)
            .header("X-Twilio-Signature", &signature)
            .form(&fields);
        let status = request.send().await.expect("an answer").status().as_u16();
        assert_eq!(status, if signed { 200 } else { 403 });
    }
    server.terminate();
    let mut server = server;
    server.ended().await;

    let log = server.log();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "this was not logged at TRACE:\n{log}"
    );
    let mut secrets = vec![
        team.key.clone(),
        team.key.trim_start_matches("ak_test_").to_owned(),
        "giraffe".to_owned(),
    ];
    secrets.extend(
        std::fs::read_to_string(place.data.join("secret.key"))
            .ok()
            .map(|key| key.trim().to_owned()),
    );
    let password = place
        .database
        .as_deref()
        .and_then(|url| url.split(['@', ':']).nth(2))
        .map(str::to_owned);
    secrets.extend(password);
    for line in log.lines() {
        let found = secrets.iter().find(|secret| line.contains(secret.as_str()));
        assert!(found.is_none(), "the log tells {found:?}: {line}");
    }
}
