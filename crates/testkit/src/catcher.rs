//! A receiver of webhooks that remembers what it got and answers as the test tells it.
//!
//! ```ignore
//! let catcher = Catcher::start().await;
//! catcher.answer(503);
//! catcher.answer_with(|request| match request.number {
//!     0 => Answer::status(429).header("retry-after", "30"),
//!     1 => Answer::never(),
//!     _ => Answer::ok().delay(Duration::from_millis(50)).body("thanks"),
//! });
//! // … make an endpoint with `catcher.url()` …
//! let requests = catcher.wait_for(3).await;
//! assert_eq!(requests[0].json()["topic"], "call.received");
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use trunkline_domain::{Clock, Millis, SystemClock};

/// How long a test waits for requests before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// How many came before it.
    pub number: usize,
    /// Method and path, such as `POST /hook`.
    pub request: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// When its body was in, by the machine's clock.
    pub at: Millis,
}

impl Received {
    /// The header of this name as text, empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The id of the message: the header `webhook-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The topic of the event in it, empty if there is none.
    #[must_use]
    pub fn topic(&self) -> String {
        self.json()["topic"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a request is answered. A number is an answer with that status.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    /// `None`: there never is an answer, and the connection stays open.
    delay: Option<Duration>,
}

impl Answer {
    /// 204, at once.
    #[must_use]
    pub fn ok() -> Self {
        Self::status(204)
    }

    /// This status, at once, with nothing in it.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Some(Duration::ZERO),
        }
    }

    /// No answer at all: the connection stays open.
    #[must_use]
    pub fn never() -> Self {
        Self {
            delay: None,
            ..Self::ok()
        }
    }

    /// With this body. A status that may have none (204) becomes 200.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self {
            status: if self.status == 204 { 200 } else { self.status },
            body: body.into(),
            ..self
        }
    }

    /// With one more header.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("the value of a header");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// After so long.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self {
            delay: Some(delay),
            ..self
        }
    }
}

impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        Self::status(status)
    }
}

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A receiver on a port of its own on 127.0.0.1, which answers 204 until it is told otherwise. It ends when dropped.
pub struct Catcher {
    url: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl Catcher {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port for the receiver");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(|_| Answer::ok())),
            received: Mutex::default(),
            count: watch::Sender::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(catch).with_state(shared.clone());
        let stop = CancellationToken::new();
        let ended = stop.clone();
        tokio::spawn(async move {
            let serve =
                axum::serve(listener, router).with_graceful_shutdown(async move { ended.cancelled().await });
            serve.await.expect("the receiver of the test");
        });
        Self { url, shared, stop }
    }

    /// Where it is: `http://127.0.0.1:port/hook`. It answers at every other path too.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers every request from now on like this.
    pub fn answer(&self, answer: impl Into<Answer>) {
        let answer = answer.into();
        self.answer_with(move |_| answer.clone());
    }

    /// Answers every request from now on by what `script` makes of it.
    pub fn answer_with<A: Into<Answer>>(&self, script: impl Fn(&Received) -> A + Send + Sync + 'static) {
        *self.shared.script.lock() = Arc::new(move |request| script(request).into());
    }

    /// What came in so far, in that order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    /// How many came in so far.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// The ids of the messages that came in so far, each once.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        let received = self.shared.received.lock();
        received.iter().map(|request| request.id().to_owned()).collect()
    }

    /// The most requests that were unanswered at a time.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// Waits until at least `count` requests are in, and returns all there are.
    ///
    /// # Panics
    /// When they do not come within half a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut counted = self.shared.count.subscribe();
        let waited = tokio::time::timeout(PATIENCE, counted.wait_for(|now| *now >= count));
        // What it comes to holds the count: whoever comes in meanwhile would wait for it, and be waited for.
        let came = matches!(waited.await, Ok(Ok(_)));
        if !came {
            panic!("{} of {count} webhooks came", self.count());
        }
        self.received()
    }

    /// Waits until a request is in for which `wanted` is true, and returns the first.
    ///
    /// # Panics
    /// When none comes within half a minute.
    pub async fn wait_until(&self, wanted: impl Fn(&Received) -> bool) -> Received {
        let mut counted = self.shared.count.subscribe();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                counted.mark_unchanged();
                if let Some(found) = self.received().into_iter().find(&wanted) {
                    return found;
                }
                counted.changed().await.expect("the receiver is there");
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("none of {} webhooks is the one", self.count()))
    }

    /// Forgets what came in so far; numbers begin at 0 again.
    pub fn clear(&self) {
        let mut received = self.shared.received.lock();
        received.clear();
        self.shared.count.send_replace(0);
    }

    /// Takes no connections any more, and closes those that nothing is under way on.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Counts a request as unanswered while it lives, also when its client has hung up.
struct Unanswered(Arc<Shared>);

impl Unanswered {
    fn begin(shared: Arc<Shared>) -> Self {
        let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(now, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn catch(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let unanswered = Unanswered::begin(shared.clone());
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let request = {
        let mut received = shared.received.lock();
        let request = Received {
            number: received.len(),
            request: format!("{} {}", parts.method, parts.uri),
            headers: parts.headers,
            body,
            at: SystemClock.now(),
        };
        received.push(request.clone());
        shared.count.send_replace(received.len());
        request
    };
    let script = shared.script.lock().clone();
    let answer = script(&request);
    match answer.delay {
        None => std::future::pending().await,
        Some(Duration::ZERO) => {}
        Some(delay) => tokio::time::sleep(delay).await,
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status.try_into().expect("a status of HTTP");
    *response.headers_mut() = answer.headers;
    drop(unanswered);
    response
}
