//! The live feed: the team's events as server-sent events, each in the form of a webhook's body.
//!
//! A stream is a task that follows the event log with a cursor and hands its client what it can take: it holds one
//! page at most, and none while the client does not read. It ends when the client hangs up, when the server is to end,
//! and when the key is revoked. The format is that of the HTML standard, section 9.2
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;
use trunkline_domain::ErrorCode;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::topic;
use trunkline_store::events::{self, EventRow};
use trunkline_store::{Conn, StoreError, TeamKey, teams};

use super::streams::{Place, refused};
use crate::AppState;
use crate::http::auth::{Caller, Required, Webhooks};
use crate::http::error::ApiError;
use crate::http::input::{Input, Query};

/// The most events that are read at a time, and about how many bytes of them.
const PAGE: i64 = 200;
const PAGE_BYTES: usize = 256 << 10;

/// About how much is handed over at a time.
const CHUNK_BYTES: usize = 16 << 10;

/// How long a client may leave what it is sent before what was read for it is forgotten, to be read again later.
const SLOW: Duration = Duration::from_secs(1);

/// How often the log is looked at for what other nodes have written.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The shortest time between two looks that found nothing.
const BREATH: Duration = Duration::from_millis(2);

/// How often a silent stream says that it lives, and its key is looked at again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a client is to wait before it connects again, in milliseconds.
const RETRY_MS: u32 = 1_000;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Topics of the feed that nobody is sent webhooks of.
const LIVE_ONLY: [Topic; 2] = [Topic::ConversationUpdated, Topic::EndpointDisabled];

/// Follow the team's events
///
/// Server-sent events, as they are committed: `id` is the event's number in the team, `event` its topic, `data` the
/// body that a webhook of it has. Beside the topics of webhooks there are `conversation.updated` and
/// `webhook.disabled`. A stream begins with what happens next, or behind the event that `Last-Event-ID` names, without
/// gap or repetition. Where events in between are not kept any more, an event `gap` comes first, whose data has `from`
/// and `to`, the numbers of the first and last event that are gone. A comment comes every 15 seconds of silence. At
/// most 20 streams are open with one key.
#[utoipa::path(get, path = "/v2/api/events", operation_id = "followEvents", tag = "Webhooks",
    params(
        ("topics" = Option<String>, Query, description = "Only these topics, separated by commas; all by default", example = "call.completed,sms.received"),
        ("last_event_id" = Option<i64>, Query, description = "Begin behind the event with this number (0: with the oldest that is kept); the header `Last-Event-ID` goes before it", minimum = 0),
        ("follow" = Option<bool>, Query, description = "`false`: end when everything that is there was sent, instead of waiting for more"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Begin behind the event with this number, as browsers send it when they connect again", minimum = 0),
    ),
    responses((status = 200, description = "Events, one after the other", content_type = "text/event-stream", body = String)))]
pub async fn follow(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let wanted = read_topics(&mut input);
    let asked = input.integer("last_event_id", 0..=i64::MAX, ErrorCode::InvalidParameter);
    let follow = input.flag("follow").unwrap_or(true);
    input.finish()?;
    let (asked, named) = match header_id(&headers)? {
        Some(id) => (Some(id), "Last-Event-ID"),
        None => (asked, "last_event_id"),
    };
    let team = caller.owner.team;
    let last = state
        .board
        .db()
        .read(move |conn| teams::last_event(conn, team))
        .await;
    let last = last.map_err(|error: StoreError| ApiError::from(error))?;
    if asked.is_some_and(|asked| asked > last) {
        return Err(ApiError::new(ErrorCode::InvalidCursor)
            .param(named)
            .message(format!(
                "the team's last event is number {last}; this one is yet to come"
            ))
            .suggestion(
                "Send the id of an event of this team's stream, or none to begin with what happens next.",
            ));
    }
    let place = state.streams.open(caller.owner.key_id)?;
    let (sender, receiver) = mpsc::channel(1);
    let feed = Feed {
        state,
        team,
        wanted,
        follow,
        sender,
        cursor: asked.unwrap_or(last),
        told: asked.unwrap_or(last),
        silence: tokio::time::interval(KEEP_ALIVE),
    };
    tokio::spawn(run(feed, headers, place));
    let mut response = Response::new(Body::new(Chunks(receiver)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of nginx's kind would keep events back until they have a buffer full of them.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// Reads `topics`; `None` for all of the feed's.
fn read_topics(input: &mut Input) -> Option<Vec<Topic>> {
    let text = input.text("topics", 2_000)?;
    let mut wanted = Vec::new();
    for name in text.split(',').map(str::trim) {
        let live = LIVE_ONLY.into_iter().find(|topic| topic.as_str() == name);
        match live.map_or_else(|| topic::parse(name), Ok) {
            Ok(topic) => wanted.push(topic),
            Err(unknown) => {
                let live = LIVE_ONLY.map(Topic::as_str);
                let allowed: Vec<&str> = unknown.allowed.iter().copied().chain(live).collect();
                let message = format!("there is no event {name:?}");
                let suggestion = format!("Use some of: {}.", allowed.join(", "));
                input.fault_with(ErrorCode::InvalidEventType, "topics", message, suggestion);
                return None;
            }
        }
    }
    Some(wanted)
}

fn header_id(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(&LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    match id.filter(|id| *id >= 0) {
        Some(id) => Ok(Some(id)),
        None => Err(ApiError::new(ErrorCode::InvalidHeader)
            .param("Last-Event-ID")
            .message("Last-Event-ID is not the number of an event")
            .suggestion("Send the id of the last event you had, or leave the header out.")),
    }
}

/// What a client is sent, as it is ready.
struct Chunks(mpsc::Receiver<Bytes>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(cx)
            .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

struct Feed {
    state: AppState,
    team: TeamKey,
    /// `None`: all topics of the feed.
    wanted: Option<Vec<Topic>>,
    follow: bool,
    sender: mpsc::Sender<Bytes>,
    /// The last event that was looked at.
    cursor: i64,
    /// The last event that the client has heard the number of.
    told: i64,
    /// Ticks when nothing was sent for a while.
    silence: tokio::time::Interval,
}

/// The client has hung up.
struct Gone;

/// Why a page was not sent to its end.
enum Halt {
    Gone,
    /// The client does not read. The number of the last event it was sent.
    Slow(i64),
}

async fn run(feed: Feed, headers: HeaderMap, place: Place) {
    let (state, sender) = (feed.state.clone(), feed.sender.clone());
    tokio::select! {
        _ = feed.feed() => {}
        () = sender.closed() => {}
        () = state.stop.cancelled() => {}
        () = refused(&state, &headers, &Webhooks::ACCESS) => {}
    }
    drop(place);
}

impl Feed {
    async fn feed(mut self) -> Result<(), Gone> {
        let mut appended = self.state.board.db().appended();
        self.send(format!("retry: {RETRY_MS}\nid: {}\n\n", self.told))
            .await?;
        loop {
            appended.mark_unchanged();
            let (team, cursor) = (self.team, self.cursor);
            let read = move |conn: &mut Conn<'_>| events::page(conn, team, cursor, PAGE, PAGE_BYTES);
            let rows = match self.state.board.db().read(read).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a stream of events ends early"
                    );
                    return Ok(());
                }
            };
            if rows.is_empty() {
                if !self.follow {
                    return self.tell_cursor("").await;
                }
                self.wait(&mut appended).await?;
                continue;
            }
            match self.hand_over(rows).await {
                Ok(()) => {}
                Err(Halt::Gone) => return Err(Gone),
                Err(Halt::Slow(sent)) => {
                    (self.cursor, self.told) = (sent, sent);
                    drop(self.sender.reserve().await.map_err(|_| Gone)?);
                }
            }
        }
    }

    /// Waits until there may be something new.
    async fn wait(&mut self, appended: &mut tokio::sync::watch::Receiver<u64>) -> Result<(), Gone> {
        tokio::time::sleep(BREATH).await;
        tokio::select! {
            changed = appended.changed() => changed.map_err(|_| Gone),
            () = tokio::time::sleep(LOOK_EVERY) => Ok(()),
            _ = self.silence.tick() => self.tell_cursor(": alive\n").await,
        }
    }

    /// Sends the events of a page that are wanted, and moves the cursor behind it.
    async fn hand_over(&mut self, rows: Vec<EventRow>) -> Result<(), Halt> {
        let mut chunk = String::new();
        let mut sent = self.cursor;
        for row in rows {
            if row.seq > self.cursor + 1 {
                let (from, to) = (self.cursor + 1, row.seq - 1);
                // Writing to a String cannot fail.
                let _ = write!(
                    chunk,
                    "id: {to}\nevent: gap\ndata: {{\"from\":{from},\"to\":{to}}}\n\n"
                );
                self.told = to;
            }
            self.cursor = row.seq;
            if self.wants(row.topic) {
                write_event(&mut chunk, &row);
                self.told = row.seq;
            }
            if chunk.len() >= CHUNK_BYTES {
                self.send_in_time(std::mem::take(&mut chunk), sent).await?;
                sent = self.cursor;
            }
        }
        if chunk.is_empty() {
            return Ok(());
        }
        self.send_in_time(chunk, sent).await
    }

    fn wants(&self, topic: Topic) -> bool {
        match &self.wanted {
            Some(wanted) => wanted.contains(&topic),
            None => topic::info(topic).is_some() || LIVE_ONLY.contains(&topic),
        }
    }

    async fn send_in_time(&mut self, chunk: String, sent: i64) -> Result<(), Halt> {
        self.silence.reset();
        match tokio::time::timeout(SLOW, self.sender.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(Bytes::from(chunk));
                Ok(())
            }
            Ok(Err(_)) => Err(Halt::Gone),
            Err(_) => Err(Halt::Slow(sent)),
        }
    }

    /// Sends `head`, and how far the stream has come without anything for this client: when it connects again, it need
    /// not go through all that once more.
    async fn tell_cursor(&mut self, head: &str) -> Result<(), Gone> {
        let mut chunk = head.to_owned();
        if self.cursor > self.told {
            self.told = self.cursor;
            let _ = writeln!(chunk, "id: {}", self.told);
        }
        if chunk.is_empty() {
            return Ok(());
        }
        chunk.push('\n');
        self.send(chunk).await
    }

    async fn send(&mut self, chunk: String) -> Result<(), Gone> {
        self.silence.reset();
        self.sender.send(Bytes::from(chunk)).await.map_err(|_| Gone)
    }
}

/// An event as its stream has it. A body is one line: JSON writes line breaks as `\n`.
fn write_event(chunk: &mut String, row: &EventRow) {
    match trunkline_webhooks::body(row) {
        Ok(body) => {
            let body = String::from_utf8_lossy(&body);
            let _ = write!(chunk, "id: {}\nevent: {}\ndata: {body}\n\n", row.seq, row.topic);
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                event.seq = row.seq,
                "an event cannot be shown"
            );
        }
    }
}
