//! A client of the API.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use reqwest::Method;
use serde_json::Value;
use trunkline_testkit::app::Reply;

/// How long a request may take before the client gives up on it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client with a key. Clones share the address, which changes when the server is started anew.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    url: Arc<RwLock<String>>,
    key: Arc<str>,
}

impl Api {
    /// A client of the server at `url`.
    pub fn new(url: &str, key: &str) -> Self {
        Self {
            http: client(),
            url: Arc::new(RwLock::new(url.to_owned())),
            key: key.into(),
        }
    }

    /// The server is elsewhere now.
    pub fn moved(&self, url: &str) {
        url.clone_into(&mut self.url.write());
    }

    /// Where the server is.
    pub fn url(&self) -> String {
        self.url.read().clone()
    }

    /// Sends a request; an error is one of the connection.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> reqwest::Result<Reply> {
        let request = self.http.request(method, format!("{}{path}", self.url()));
        let request = request.header("Authorization", format!("Api-Key {}", self.key));
        let request = idempotency_key
            .into_iter()
            .fold(request, |request, key| request.header("Idempotency-Key", key));
        let request = body.into_iter().fold(request, |request, body| request.json(body));
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply {
            status,
            headers,
            text,
            json,
        })
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let shown = format!("{method} {path}");
        self.try_send(method, path, None, body)
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error:?}"))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Searches; must succeed.
    pub async fn search(&self, body: &Value) -> Value {
        let reply = self.post("/v2/api/conversations/items/search", body).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text);
        reply.json
    }

    /// How many items have these words.
    pub async fn count(&self, words: &str) -> i64 {
        let found = self
            .search(&serde_json::json!({ "search": words, "size": 1 }))
            .await;
        found["pagination"]["total_count"].as_i64().expect("total_count")
    }
}

/// A number as it stands in a query.
pub fn in_query(number: &str) -> String {
    number.replace('+', "%2B")
}

pub fn client() -> reqwest::Client {
    trunkline_testkit::app::client_builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .expect("an HTTP client")
}
