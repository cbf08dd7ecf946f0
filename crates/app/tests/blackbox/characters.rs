//! Characters that a database may not be able to store: answered alike on both, and never by a fault of the server.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Api, in_query};
use crate::support::load::{LINES, Team};
use crate::support::program::Place;

#[tokio::test]
async fn sqlite_and_postgres_answer_alike() {
    let (sqlite, postgres) = (answers(Place::sqlite()).await, answers(Place::postgres()).await);
    for ((what, on_sqlite), (_, on_postgres)) in sqlite.into_iter().zip(postgres) {
        assert_eq!(on_sqlite, on_postgres, "{what}");
        assert!(on_sqlite.0 < 500, "{what}: {on_sqlite:?}");
    }
}

/// Status, and what was kept of it.
async fn answers(place: Place) -> Vec<(String, (u16, Value))> {
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let ring = json!({ "from": "+14155551234", "to": LINES[0], "speed": 1_000 });
    let call = api.post("/sandbox/calls", &ring).await.data()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let items = "/v2/api/conversations/items";
    let mut all = Vec::new();
    for odd in [
        "nul \u{0} within",
        "\u{0}",
        "\u{fffe}\u{ffff}",
        "\u{1F600}\u{200D}",
        "\r\n\t\u{1b}\u{7f}",
        "%00",
        "\\u0000",
    ] {
        let text = json!({
            "from": "+14155551234", "to": LINES[0], "content": odd, "reference": odd, "media_urls": [odd],
        });
        let script = json!({
            "from": "+14155551234", "to": LINES[0], "speed": 1_000, "summary": odd, "tags": [odd],
            "lines": [{ "source": "USER", "at": 1, "text": odd }], "ivr": [{ "dtmf_key": odd, "text_key": odd }],
        });
        let requests = [
            (Method::POST, "/sandbox/messages".to_owned(), Some(text)),
            (Method::POST, "/sandbox/calls".to_owned(), Some(script)),
            (
                Method::PATCH,
                format!("{items}/{call}/summary"),
                Some(json!({ "content": odd })),
            ),
            (
                Method::POST,
                format!("{items}/{call}/tags"),
                Some(json!({ "tags": [odd] })),
            ),
            (
                Method::POST,
                format!("{items}/search"),
                Some(json!({ "search": odd })),
            ),
            (
                Method::POST,
                format!("{items}/search"),
                Some(json!({ "tags": [odd] })),
            ),
            (
                Method::POST,
                format!("{items}/search"),
                Some(json!({ "user_id": odd, "contact_number": odd })),
            ),
            (
                Method::POST,
                format!("{items}/batch"),
                Some(json!({ "ids": [odd] })),
            ),
        ];
        for (method, path, body) in requests {
            let reply = api
                .try_send(method, &path, None, body.as_ref())
                .await
                .expect("an answer");
            let kept = if reply.status == 200 && reply.json["data"]["content"].is_string() {
                reply.json["data"]["content"].clone()
            } else {
                reply.json["error"]["code"].clone()
            };
            all.push((format!("{path} with {odd:?}"), (reply.status, kept)));
        }
    }
    for path in [
        format!("{items}/%00"),
        format!("{items}/cll-%00"),
        format!("/v2/api/conversations?allo_number=%00{}", in_query(LINES[0])),
        format!(
            "/v2/api/conversations?allo_number={}&cursor=%00",
            in_query(LINES[0])
        ),
        "/v2/api/users/%00".to_owned(),
    ] {
        let reply = api.get(&path).await;
        all.push((path, (reply.status, reply.json["error"]["code"].clone())));
    }
    let newest = api
        .search(&json!({ "type": "SMS", "size": 100, "sort": "DATE_ASC" }))
        .await;
    let contents = newest["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|item| item["content"].clone())
        .collect();
    all.push(("texts".to_owned(), (200, Value::Array(contents))));
    server.stop().await;
    all
}
