//! `trunkline trigger`: lets something happen in a running sandbox server, by its own API.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::cli::Trigger;
use crate::{outgoing, output};

/// What can be triggered.
const TOPICS: [&str; 12] = [
    "call.received",
    "call.triggered",
    "call.answered",
    "call.ended",
    "call.completed",
    "voicemail.received",
    "call.recording.completed",
    "call.transcript.completed",
    "call.summary.completed",
    "tag.added",
    "tag.removed",
    "sms.received",
];

/// How often a request is sent before giving up on a busy server.
const RETRIES: usize = 10;

/// How long a call that is played a thousand times faster than life may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub async fn run(arguments: &Trigger) -> Result<()> {
    if !TOPICS.contains(&arguments.topic.as_str()) {
        bail!(
            "{:?} cannot be triggered; one of: {}",
            arguments.topic,
            TOPICS.join(", ")
        );
    }
    let api = Api {
        http: outgoing::http(Some(Duration::from_secs(15)), Path::new(""))?,
        url: arguments.url.trim_end_matches('/').to_owned(),
        key: arguments.key.clone(),
    };
    let to = match &arguments.to {
        Some(number) => number.clone(),
        None => api.first_number().await?,
    };
    if arguments.topic == "sms.received" {
        let body = json!({ "from": arguments.from, "to": to, "content": arguments.text });
        return output::json(&api.send(Method::POST, "/sandbox/messages", Some(body)).await?);
    }
    let call = api
        .send(Method::POST, "/sandbox/calls", Some(script(arguments, &to)))
        .await?;
    let id = call["data"]["id"]
        .as_str()
        .context("the answer names no call")?
        .to_owned();
    if !["call.received", "call.triggered"].contains(&arguments.topic.as_str()) {
        api.wait_for_result(&id).await?;
    }
    let tags = format!("/v2/api/conversations/items/{id}/tags");
    if arguments.topic.starts_with("tag.") {
        api.send(Method::POST, &tags, Some(json!({ "tags": ["triggered"] })))
            .await?;
    }
    if arguments.topic == "tag.removed" {
        api.send(Method::DELETE, &format!("{tags}/triggered"), None)
            .await?;
    }
    output::json(
        &api.send(
            Method::GET,
            &format!("/v2/api/conversations/items/{id}?extend=transcript"),
            None,
        )
        .await?,
    )
}

fn script(arguments: &Trigger, team: &str) -> Value {
    let outbound = arguments.topic == "call.triggered";
    let (from, to) = if outbound {
        (team, arguments.from.as_str())
    } else {
        (arguments.from.as_str(), team)
    };
    let ringing_only = ["call.received", "call.triggered"].contains(&arguments.topic.as_str());
    json!({
        "direction": if outbound { "OUTBOUND" } else { "INBOUND" },
        "from": from,
        "to": to,
        "outcome": if arguments.topic == "voicemail.received" { "VOICEMAIL" } else { "ANSWERED" },
        "ring_seconds": if ringing_only { 5 } else { 2 },
        "speed": if ringing_only { 1 } else { 1_000 },
        "lines": [
            { "source": "EXTERNAL", "at": 1, "text": arguments.text },
            { "source": "USER", "at": 6, "text": "Thank you for calling. Let me look into that for you." },
        ],
        "summary": format!("The caller said: {}", arguments.text),
    })
}

struct Api {
    http: Client,
    url: String,
    key: String,
}

impl Api {
    /// Sends a request; waits where the server asks to.
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        for _ in 0..RETRIES {
            let request = self.http.request(method.clone(), format!("{}{path}", self.url));
            let request = request.header("Authorization", format!("Api-Key {}", self.key));
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
            };
            let response = request
                .send()
                .await
                .with_context(|| format!("{} does not answer; is the server running?", self.url))?;
            let status = response.status();
            let answer: Value = response
                .json()
                .await
                .context("the answer is not JSON; is this a Trunkline server?")?;
            if status.is_success() {
                return Ok(answer);
            }
            let error = &answer["error"];
            match error["retry_after_seconds"].as_u64() {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds.min(5))).await,
                None => bail!(
                    "{status}, {}: {}\n{}",
                    text(&error["code"]),
                    text(&error["message"]),
                    text(&error["suggestion"])
                ),
            }
        }
        bail!("{} is too busy", self.url)
    }

    async fn first_number(&self) -> Result<String> {
        let numbers = self.send(Method::GET, "/v2/api/numbers", None).await?;
        let first = numbers["data"]
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|number| number["number"].as_str());
        Ok(first.context("the team has no number")?.to_owned())
    }

    async fn wait_for_result(&self, id: &str) -> Result<()> {
        let tries = PATIENCE.as_millis() / 250;
        for _ in 0..tries {
            let item = self
                .send(Method::GET, &format!("/v2/api/conversations/items/{id}"), None)
                .await?;
            if !item["data"]["result"].is_null() && !item["data"]["summary"].is_null() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        bail!("the call {id} did not complete within {} s", PATIENCE.as_secs())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
