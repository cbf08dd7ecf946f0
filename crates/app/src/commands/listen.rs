//! `trunkline listen`: forwards a running server's events to a local URL, signed as webhooks are.
//!
//! It reads the live feed by its API and goes on where it stopped when the connection breaks. An event is posted once:
//! what the local program answers is shown, not acted on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use trunkline_domain::webhook::schedule::TIME_LIMIT_MS;
use trunkline_domain::{Clock, DeliveryId, EndpointId, Millis, RandomIds, SystemClock};
use trunkline_webhooks::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER, sign};

use super::listen_stream::{Event, Parser};
use crate::cli::Listen;
use crate::{outgoing, output};

/// The server says something every 15 seconds; a connection on which three times nothing came is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// How long the local program may take to answer, as for webhooks.
const LIMIT: Duration = Duration::from_millis(TIME_LIMIT_MS.unsigned_abs());

/// Pauses before connecting again: 1 s, 2 s, 4 s, …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub async fn run(arguments: &Listen) -> Result<()> {
    let secret = match &arguments.secret {
        Some(text) => Secret::parse(text).context("--secret")?,
        None => Secret::generate(&RandomIds),
    };
    let local: reqwest::Url = arguments
        .forward_to
        .parse()
        .with_context(|| format!("--forward-to {:?} is no URL", arguments.forward_to))?;
    let forward = Forward {
        http: outgoing::http(Some(LIMIT), Path::new(""))?,
        url: local,
        endpoint: EndpointId::new(&RandomIds, SystemClock.now()),
        json: arguments.json,
        secret,
    };
    output::note(format!(
        "Forwarding events of {} to {}\nSigning secret: {}  (verify with it; stop with Ctrl-C)",
        arguments.url,
        forward.url,
        forward.secret.reveal()
    ));
    tokio::select! {
        outcome = follow(arguments, &forward) => outcome,
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

/// Follows the feed, for ever: a connection that ends is made anew.
async fn follow(arguments: &Listen, forward: &Forward) -> Result<()> {
    // A feed never ends by itself; its silence is what is watched.
    let http = outgoing::http(None, Path::new(""))?;
    let (mut after, mut pause) = (arguments.since, FIRST_PAUSE);
    loop {
        let before = after;
        let why = match connect(&http, arguments, after).await? {
            Ok(mut feed) => {
                let why = read(&mut feed, &mut after, forward).await?;
                format!("the connection ended ({why})")
            }
            Err(why) => why,
        };
        if after != before {
            pause = FIRST_PAUSE;
        }
        output::note(format!("{why}; connecting again in {} s", pause.as_secs()));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Opens the feed. The inner error may pass, the outer one does not.
async fn connect(http: &Client, arguments: &Listen, after: Option<i64>) -> Result<Result<Response, String>> {
    let url = format!("{}/v2/api/events", arguments.url.trim_end_matches('/'));
    let mut url: reqwest::Url = url
        .parse()
        .with_context(|| format!("--url {:?} is no URL", arguments.url))?;
    if !arguments.topics.is_empty() {
        url.query_pairs_mut()
            .append_pair("topics", &arguments.topics.join(","));
    }
    let mut request = http
        .get(url)
        .header("Authorization", format!("Api-Key {}", arguments.api_key));
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(_) => return Ok(Err(format!("{} does not answer", arguments.url))),
    };
    let status = response.status();
    if status.is_success() {
        return Ok(Ok(response));
    }
    let answer: serde_json::Value = response.json().await.unwrap_or_default();
    let told = format!(
        "{status}, {}: {} {}",
        answer["error"]["code"].as_str().unwrap_or("no Trunkline server?"),
        answer["error"]["message"].as_str().unwrap_or_default(),
        answer["error"]["suggestion"].as_str().unwrap_or_default()
    );
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(Err(told));
    }
    bail!("{}", told.trim())
}

/// Forwards what comes until the connection ends; tells why it did.
async fn read(feed: &mut Response, after: &mut Option<i64>, forward: &Forward) -> Result<String> {
    let mut parser = Parser::default();
    loop {
        let chunk = match tokio::time::timeout(SILENCE, feed.chunk()).await {
            Err(_) => return Ok("silence".to_owned()),
            Ok(Err(error)) => return Ok(error.without_url().to_string()),
            Ok(Ok(None)) => return Ok("the server closed it".to_owned()),
            Ok(Ok(Some(chunk))) => chunk,
        };
        for event in parser.feed(&chunk)? {
            let Some(id) = event.id else { continue };
            if event.name == "gap" {
                output::note(format!("some events are not kept any more: {}", event.data));
            } else if !event.data.is_empty() {
                forward.post(id, &event).await?;
            }
            *after = Some(id);
        }
    }
}

/// Where events go.
struct Forward {
    http: Client,
    url: reqwest::Url,
    endpoint: EndpointId,
    secret: Secret,
    json: bool,
}

/// What is needed of a body.
#[derive(Deserialize)]
struct Head {
    timestamp: Millis,
}

impl Forward {
    async fn post(&self, number: i64, event: &Event) -> Result<()> {
        let head: Head =
            serde_json::from_str(&event.data).context("the server sent an event that is no JSON")?;
        let (id, now) = (
            DeliveryId::of(self.endpoint, number, head.timestamp),
            SystemClock.now(),
        );
        let outcome = self
            .http
            .post(self.url.clone())
            .headers(self.headers(id, now, event.data.as_bytes())?)
            .body(event.data.clone())
            .send()
            .await;
        let ms = SystemClock.now().since(now).max(0);
        let (status, error) = match outcome {
            Ok(response) => (Some(response.status().as_u16()), None),
            Err(error) if error.is_connect() => (None, Some("nothing listens there".to_owned())),
            Err(error) if error.is_timeout() => (None, Some("no answer in 20 s".to_owned())),
            Err(error) => (None, Some(error.without_url().to_string())),
        };
        if self.json {
            let told = json!({
                "event": number, "topic": event.name, "timestamp": head.timestamp, "id": id, "status": status, "ms": ms,
                "error": error,
            });
            return output::line(told.to_string());
        }
        let time = head.timestamp.to_string();
        let time = time.get(11..23).unwrap_or(&time).to_owned();
        let answer = status.map_or_else(|| error.unwrap_or_default(), |status| status.to_string());
        output::line(format!("{time}  {:<26} {id}  -> {answer} ({ms} ms)", event.name))
    }

    fn headers(&self, id: DeliveryId, now: Millis, body: &[u8]) -> Result<HeaderMap> {
        let (id, seconds) = (id.to_string(), now.unix_seconds());
        let signature = sign([&self.secret], &id, seconds, body);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("trunkline/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(ID_HEADER, HeaderValue::try_from(id)?);
        headers.insert(TIMESTAMP_HEADER, HeaderValue::from(seconds));
        headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(signature)?);
        Ok(headers)
    }
}
