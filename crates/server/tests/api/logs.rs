//! Logs: whatever is asked and done, no secret and nothing that people said is in them.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, Once};

use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use trunkline_domain::events::Topic;
use trunkline_testkit::app::{TestApp, Time};
use trunkline_testkit::db::{TestDb, number, sarah, us};

use crate::support::{answered_call, authorization, text_in, text_out, wait_for};

trunkline_testkit::on_both! {
    nothing_that_people_said_is_in_the_log,
}

/// All that was logged in this process.
static LOG: LazyLock<Buffer> = LazyLock::new(Buffer::default);

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Buffer {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Keeps everything that is logged, at any level, also what libraries tell by the `log` crate: as the program does it,
/// with the noisiest filter an operator can set.
fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let all = tracing_subscriber::filter::LevelFilter::TRACE;
        tracing_subscriber::fmt()
            .with_max_level(all)
            .with_ansi(false)
            .with_writer(LOG.clone())
            .init();
    });
}

/// What is said, written and typed in this test: each a word that nothing else has.
const SAID: [&str; 8] = [
    "xylophone-text-in",
    "xylophone-text-out",
    "xylophone-by-api",
    "xylophone-spoken",
    "xylophone-summary",
    "xylophone-edited",
    "xylophone-sought",
    "xylophone-faulty",
];

/// All a team does in a day, failures included.
async fn a_day(app: &TestApp) -> Vec<String> {
    let own = authorization(&app.key);
    let before = app.office.last_event().await;
    text_in(app, us(), sarah(), SAID[0]).await;
    text_out(app, us(), number("+14155550001"), SAID[1]).await;
    wait_for(app, Topic::SmsFailed, before).await;
    let message = json!({ "from": sarah(), "to": us(), "content": SAID[2], "reference": "one" });
    for _ in 0..2 {
        assert_eq!(app.post("/sandbox/messages", &message).await.status, 201);
    }
    let call = json!({
        "from": sarah(), "to": us(), "speed": 1_000, "lines": [{ "source": "USER", "text": SAID[3] }],
        "summary": SAID[4], "talk_seconds": 1, "tags": ["vip"],
    });
    assert_eq!(app.post("/sandbox/calls", &call).await.status, 201);
    wait_for(app, Topic::CallCompleted, before).await;
    let call = answered_call(app, us(), sarah(), app.office.ada).await;
    let path = format!("/v2/api/conversations/items/{call}/summary");
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "the-day")];
    let body = json!({ "content": SAID[5] }).to_string();
    for _ in 0..2 {
        assert_eq!(
            app.send_with(Method::PATCH, &path, &headers, Some(body.clone()))
                .await
                .status,
            200
        );
    }
    for body in [
        json!({ "search": SAID[6], "extend": "transcript" }),
        json!({ "search": "xylophone", "extend": "transcript" }),
        json!({}),
    ] {
        assert_eq!(
            app.post("/v2/api/conversations/items/search", &body).await.status,
            200
        );
    }
    // Failures too: faulty bodies and fields, and a store that fails.
    let faulty = format!("{{\"content\": \"{}\"", SAID[7]);
    assert_eq!(
        app.send_with(Method::POST, "/sandbox/messages", &headers, Some(faulty))
            .await
            .status,
        400
    );
    for body in [
        json!({ "content": { "text": SAID[7] } }),
        json!({ "from": SAID[7], "to": us(), "content": SAID[7] }),
    ] {
        assert_eq!(app.post("/sandbox/messages", &body).await.status, 400);
    }
    let body = json!({ "email": "dana@fogcity.example", "role": "MEMBER", "name": "Dana" });
    let made = app.post("/v2/api/users/invitations", &body).await;
    let link = made.data()["link"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap()
        .1
        .to_owned();
    let mut joined = Vec::new();
    for _ in 0..2 {
        let body = json!({ "token": link }).to_string();
        joined.push(
            app.send_with(Method::POST, "/v2/api/invitations/accept", &[], Some(body))
                .await,
        );
    }
    assert_eq!((joined[0].status, joined[1].status), (201, 404));
    let joined = joined[0].data()["api_key"]["secret"].as_str().unwrap().to_owned();
    let break_it = |tx: &mut trunkline_store::Tx<'_>| -> Result<u64, trunkline_store::StoreError> {
        tx.execute("ALTER TABLE messages RENAME COLUMN content TO gone", &[])
    };
    app.board.db().write(break_it).await.unwrap();
    let text = json!({ "from": sarah(), "to": us(), "content": SAID[7] });
    assert_eq!(app.post("/sandbox/messages", &text).await.status, 500);
    let unknown = format!("ak_live_{}", "s3cr3t".repeat(6));
    for value in [
        authorization(&unknown),
        format!("Bearer {unknown}"),
        unknown.clone(),
        format!("Bearer {}", app.key),
    ] {
        assert_eq!(
            app.send_with(Method::GET, "/v2/api/me", &[("Authorization", &value)], None)
                .await
                .status,
            401
        );
    }
    vec![app.key.clone(), unknown, format!("ak_test_{link}"), joined]
}

async fn nothing_that_people_said_is_in_the_log(db: TestDb) {
    capture();
    let app = TestApp::start_at(db, Time::Real).await;
    app.state
        .search
        .as_ref()
        .unwrap()
        .progress()
        .wait_for(|progress| progress.ready)
        .await
        .unwrap();
    let keys = a_day(&app).await;
    let log = String::from_utf8_lossy(&LOG.0.lock().unwrap()).into_owned();
    for line in [
        "http.request=POST /sandbox/messages http.status=201",
        "http.status=401",
        "a request failed",
    ] {
        assert!(
            log.contains(line),
            "{line} is not in the log of {} bytes",
            log.len()
        );
    }
    let secrets = keys.iter().map(|key| &key["ak_test_".len()..]);
    for secret in SAID.into_iter().chain(secrets) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
