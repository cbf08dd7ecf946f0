//! Twilio, played by a server that takes only what the description of its Messages resource allows, and that has bad
//! moments: it takes texts and says that it failed, fails before it took them, has too many requests, is slow. It
//! reports every text that it took, in any order and more than once, until it is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use trunkline_domain::{Clock, Millis, SystemClock};
use trunkline_messaging::twilio::signature;

use super::{Random, api, now, since};

/// The account.
pub const SID: &str = "AC0123456789abcdef0123456789abcdef";

/// Its auth token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Where the server says that it is reached.
pub const PUBLIC_URL: &str = "https://phone.example";

/// `{SID}:{TOKEN}` in base64.
const AUTHORIZATION: &str =
    "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

/// How long a receipt is repeated.
const PATIENCE: Duration = Duration::from_secs(60);

type Fields = Vec<(String, String)>;

/// A text that Twilio has.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Twilio's id.
    pub sid: String,
    /// The server's, as the address for receipts names it.
    pub own_id: String,
    pub words: String,
    /// Whether it reaches its recipient.
    pub arrives: bool,
    from: String,
    to: String,
    at: Millis,
}

/// An account at Twilio.
#[derive(Clone)]
pub struct Twilio {
    /// Where it is.
    pub url: Arc<str>,
    shared: Arc<Shared>,
}

struct Shared {
    refuses: fn(&str) -> bool,
    random: Mutex<Random>,
    texts: Mutex<Vec<Taken>>,
    lists: AtomicUsize,
    lost_answers: AtomicUsize,
    receipts: Mutex<JoinSet<()>>,
    server: Mutex<String>,
    http: reqwest::Client,
}

impl Twilio {
    /// Starts it. It refuses texts with words that are so.
    pub async fn start(seed: u64, refuses: fn(&str) -> bool) -> Self {
        let shared = Arc::new(Shared {
            refuses,
            random: Mutex::new(Random::new(seed ^ 0x7717)),
            texts: Mutex::default(),
            lists: AtomicUsize::new(0),
            lost_answers: AtomicUsize::new(0),
            receipts: Mutex::default(),
            server: Mutex::default(),
            http: api::client(),
        });
        let router = Router::new()
            .route(
                &format!("/2010-04-01/Accounts/{SID}/Messages.json"),
                post(create).get(list),
            )
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: url.into(),
            shared,
        }
    }

    /// Where the server that it knows by its public URL is now.
    pub fn calls_back_to(&self, url: &str) {
        url.clone_into(&mut self.shared.server.lock());
    }

    /// Waits until every receipt was brought.
    pub async fn receipts_are_brought(&self) {
        let mut receipts = std::mem::take(&mut *self.shared.receipts.lock());
        while let Some(brought) = receipts.join_next().await {
            brought.expect("a receipt that is taken");
        }
    }

    /// The texts that it has, in the order in which it took them.
    pub fn texts(&self) -> Vec<Taken> {
        self.shared.texts.lock().clone()
    }

    /// How often it was asked what it has.
    pub fn lists(&self) -> usize {
        self.shared.lists.load(Ordering::SeqCst)
    }

    /// How often it took a text and said that it had failed.
    pub fn lost_answers(&self) -> usize {
        self.shared.lost_answers.load(Ordering::SeqCst)
    }
}

type Reply = (StatusCode, String);

fn problem(status: StatusCode, code: u16, message: &str) -> Reply {
    let body = json!({ "code": code, "message": message, "status": status.as_u16() });
    (status, body.to_string())
}

fn is_known(headers: &HeaderMap) -> bool {
    headers
        .get("authorization")
        .is_some_and(|given| given == AUTHORIZATION)
}

fn e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(fields): Form<Fields>) -> Reply {
    if !is_known(&headers) {
        return problem(StatusCode::UNAUTHORIZED, 20_003, "Authenticate");
    }
    let only = |name: &str| {
        let mut values = fields.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.clone());
        value.filter(|_| values.next().is_none())
    };
    let (Some(from), Some(to), Some(words), Some(callback)) =
        (only("From"), only("To"), only("Body"), only("StatusCallback"))
    else {
        return problem(
            StatusCode::BAD_REQUEST,
            21_602,
            "a parameter is missing or there twice",
        );
    };
    if fields.len() != 4 || !e164(&from) || !e164(&to) || words.is_empty() || words.chars().count() > 1_600 {
        return problem(StatusCode::BAD_REQUEST, 21_604, "a parameter is not valid");
    }
    let Some((_, own_id)) = callback.split_once("/carriers/twilio/status?text=") else {
        return problem(
            StatusCode::BAD_REQUEST,
            21_609,
            "the status callback is not valid",
        );
    };
    if (shared.refuses)(&words) {
        return problem(
            StatusCode::BAD_REQUEST,
            21_610,
            "Attempt to send to unsubscribed recipient",
        );
    }
    let (mood, pause, arrives) = {
        let mut random = shared.random.lock();
        (random.below(40), random.millis(0, 60), random.below(8) > 0)
    };
    match mood {
        0 => return problem(StatusCode::INTERNAL_SERVER_ERROR, 20_500, "Internal Server Error"),
        1 => return problem(StatusCode::TOO_MANY_REQUESTS, 20_429, "Too Many Requests"),
        _ => {}
    }
    let text = take(&shared, from, to, words, own_id, arrives);
    shared
        .receipts
        .lock()
        .spawn(report(shared.clone(), text.clone(), callback));
    tokio::time::sleep(pause).await;
    if mood == 2 {
        shared.lost_answers.fetch_add(1, Ordering::SeqCst);
        return problem(StatusCode::SERVICE_UNAVAILABLE, 20_503, "Service Unavailable");
    }
    (StatusCode::CREATED, shown(&text).to_string())
}

fn take(shared: &Shared, from: String, to: String, words: String, own_id: &str, arrives: bool) -> Taken {
    let mut texts = shared.texts.lock();
    let text = Taken {
        sid: format!("SM{:032x}", texts.len()),
        own_id: own_id.to_owned(),
        words,
        arrives,
        from,
        to,
        at: SystemClock.now(),
    };
    texts.push(text.clone());
    text
}

fn shown(text: &Taken) -> Value {
    let created = text.at.timestamp().strftime("%a, %d %b %Y %H:%M:%S +0000");
    json!({
        "sid": text.sid, "account_sid": SID, "status": "queued", "direction": "outbound-api", "body": text.words,
        "to": text.to, "from": text.from, "date_created": created.to_string(), "date_sent": null, "error_code": null,
        "error_message": null, "num_segments": "1", "num_media": "0",
    })
}

/// The texts between two numbers, the newest first, a page at a time.
async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Reply {
    if !is_known(&headers) {
        return problem(StatusCode::UNAUTHORIZED, 20_003, "Authenticate");
    }
    shared.lists.fetch_add(1, Ordering::SeqCst);
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let (Some(from), Some(to), Some(size)) = (query.get("From"), query.get("To"), number("PageSize")) else {
        return problem(StatusCode::BAD_REQUEST, 20_001, "a parameter is missing");
    };
    let texts = shared.texts.lock();
    let between: Vec<&Taken> = texts
        .iter()
        .rev()
        .filter(|text| &text.from == from && &text.to == to)
        .collect();
    let page = number("Page").unwrap_or(0);
    let messages: Vec<Value> = between
        .iter()
        .skip(page * size)
        .take(size)
        .map(|text| shown(text))
        .collect();
    let next = ((page + 1) * size < between.len()).then(|| {
        let encode = |text: &str| text.replace('+', "%2B");
        let (from, to, next) = (encode(from), encode(to), page + 1);
        format!(
            "/2010-04-01/Accounts/{SID}/Messages.json?From={from}&To={to}&PageSize={size}&Page={next}&PageToken=PA"
        )
    });
    let list = json!({ "messages": messages, "page": page, "page_size": size, "next_page_uri": next });
    (StatusCode::OK, list.to_string())
}

/// Reports a text, in one of several orders, signed, each until it is answered.
async fn report(shared: Arc<Shared>, text: Taken, callback: String) {
    let end = if text.arrives { "delivered" } else { "undelivered" };
    let orders = [
        ["queued", "sent", end, end],
        ["sent", "queued", "sent", end],
        [end, "sent", end, "queued"],
        ["sent", end, "sent", end],
    ];
    let (order, begun) = {
        let mut random = shared.random.lock();
        (
            orders[usize::try_from(random.below(4)).expect("an index")],
            random.millis(0, 150),
        )
    };
    tokio::time::sleep(begun).await;
    for status in order {
        let code = if status == "undelivered" { "30003" } else { "" };
        let fields = [
            ("MessageSid", text.sid.as_str()),
            ("SmsSid", &text.sid),
            ("MessageStatus", status),
            ("SmsStatus", status),
            ("ErrorCode", code),
            ("From", &text.from),
            ("To", &text.to),
            ("AccountSid", SID),
        ];
        let fields: Fields = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        bring(&shared, &callback, &fields).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn bring(shared: &Shared, callback: &str, fields: &Fields) {
    let signed = signature(TOKEN, callback, fields);
    let path = callback
        .strip_prefix(PUBLIC_URL)
        .expect("a callback to the public URL");
    let start = now();
    loop {
        let url = format!("{}{path}", shared.server.lock());
        let request = shared.http.post(url).form(fields);
        match request.header("X-Twilio-Signature", &signed).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => assert_eq!(answer.status(), 503, "a receipt was refused"),
            Err(_) => {}
        }
        assert!(since(start) < PATIENCE, "a receipt is not taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
