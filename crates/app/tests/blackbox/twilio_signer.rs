//! Texts by Twilio, signed by Twilio's own library: what comes in is in the timeline, what goes out is followed to its
//! receipt, replays are harmless and forgeries are refused.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::process::Command;
use trunkline_domain::{PhoneNumber, RandomIds, SystemClock};
use trunkline_switchboard::messages::{self, Send};
use trunkline_switchboard::{Error, Switchboard};

use crate::support::api::{Api, in_query};
use crate::support::eventually;
use crate::support::load::{close, database, lift_limits};
use crate::support::program::{Place, file, finish, text};
use crate::support::python::{piped, programs, script};
use crate::support::truth;

const LINE: &str = "+14155550111";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PUBLIC_URL: &str = "https://phone.example/pbx";

/// What Twilio was asked to send.
type Outbox = Arc<Mutex<Vec<(String, Vec<(String, String)>)>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_come_in_and_receipts_are_followed() {
    let programs = programs().await;
    let (twilio, outbox) = pretend_twilio().await;
    let place = Place::sqlite()
        .with("TRUNKLINE_TWILIO_BASE_URL", twilio)
        .with("TRUNKLINE_SERVER_PUBLIC_URL", PUBLIC_URL);
    let key = furnish(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &key);
    let sign = async |what: &str, fields: Value| -> Value {
        let mut python = Command::new(programs.join("python"));
        python.args([
            text(&script("twilio_signer.py")),
            &server.url,
            PUBLIC_URL,
            TOKEN,
            what,
            &fields.to_string(),
        ]);
        finish(piped(python), None).await.json()
    };

    // A text, its replay, and three forgeries.
    let fields = |sid: &str, body: &str| {
        json!({
            "MessageSid": sid, "SmsSid": sid, "AccountSid": "AC1", "From": "+14155551234", "To": LINE, "Body": body,
            "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received", "ApiVersion": "2010-04-01",
        })
    };
    let text = fields("SM-one", "Où est ma commande ? 50% & more +=");
    for _ in 0..2 {
        let answer = sign("messages", text.clone()).await;
        assert_eq!(answer["status"], 200, "{answer}");
        assert!(
            answer["body"]
                .as_str()
                .is_some_and(|body| body.contains("<Response></Response>")),
            "{answer}"
        );
    }
    let list = format!("/v2/api/conversations?allo_number={}", in_query(LINE));
    let item = eventually(
        Duration::from_secs(1),
        "the text is in the timeline",
        async || api.get(&list).await.data()[0]["last_item"].as_object().cloned(),
    )
    .await;
    assert_eq!(item["content"], text["Body"]);
    assert_eq!(
        (&item["message_type"], &item["contact_number"]),
        (&json!("SMS"), &json!("+14155551234"))
    );
    for forged in [
        "messages:tampered",
        "messages:unsigned",
        "messages:other-token",
        "messages:other-url",
    ] {
        let answer = sign(forged, fields("SM-forged", "never to be seen")).await;
        assert_eq!(answer["status"], 403, "{forged}: {answer}");
        assert!(
            answer["body"]
                .as_str()
                .is_some_and(|body| body.contains("CARRIER_SIGNATURE_INVALID")),
            "{answer}"
        );
    }
    let mut foreign = fields("SM-foreign", "never to be seen");
    foreign["To"] = json!("+14155550119");
    assert_eq!(
        sign("messages", foreign).await["status"],
        403,
        "a number that is nobody's"
    );

    // A picture without words.
    let mut picture = fields("MM-one", "");
    picture["NumMedia"] = json!("2");
    picture["MediaUrl0"] = json!("https://api.twilio.com/media/0");
    picture["MediaUrl1"] = json!("https://api.twilio.com/media/1");
    picture["MediaContentType0"] = json!("image/jpeg");
    assert_eq!(sign("messages", picture).await["status"], 200);
    let page = api.get(&list).await;
    let item = &page.data()[0]["last_item"];
    assert_eq!(item["message_type"], "MMS");
    // Links of our own: what the carrier has is fetched and kept here.
    let links = item["media_urls"].as_array().expect("links");
    assert_eq!(links.len(), 2, "{links:?}");
    for link in links {
        let link = link.as_str().expect("a link");
        assert!(link.starts_with("https://phone.example/pbx/media/"), "{link}");
        assert!(link.contains("signature="), "{link}");
    }
    assert_eq!(api.search(&json!({})).await["pagination"]["total_count"], 2);

    // A text goes out and is followed: receipts may come in any order and more than once.
    let id = send_out(&place).await;
    let sid = eventually(
        Duration::from_secs(10),
        "the text is handed to Twilio",
        async || outbox.lock().first().map(|(sid, _)| sid.clone()),
    )
    .await;
    let status =
        async || api.get(&format!("/v2/api/conversations/items/{id}")).await.data()["status"].clone();
    eventually(Duration::from_secs(5), "the text is sent", async || {
        (status().await == "SENT").then_some(())
    })
    .await;
    assert_eq!(
        outbox.lock()[0].1[..3],
        pairs(&[("From", LINE), ("To", "+14155551234"), ("Body", "On its way")])
    );
    let receipt = |sid: &str, status: &str| {
        json!({
            "MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status, "From": LINE, "To": "+14155551234",
            "AccountSid": "AC1", "ApiVersion": "2010-04-01",
        })
    };
    for (what, code) in [
        ("queued", 200),
        ("delivered", 200),
        ("sent", 200),
        ("delivered", 200),
        ("failed", 200),
    ] {
        assert_eq!(
            sign("status", receipt(&sid, what)).await["status"],
            code,
            "{what}"
        );
    }
    assert_eq!(status().await, "DELIVERED");
    assert_eq!(
        sign("status:tampered", receipt(&sid, "failed")).await["status"],
        403
    );
    assert_eq!(
        sign("status", receipt("SM-unknown", "delivered")).await["status"],
        200,
        "a receipt of somebody else's text"
    );
    server.stop().await;

    let truth = truth::read(&place).await;
    truth.assert_sound();
    let counts =
        ["sms.received", "sms.sent", "sms.delivered", "sms.failed"].map(|topic| truth.count_of(topic));
    assert_eq!(counts, [2, 1, 1, 0]);
    assert_eq!(outbox.lock().len(), 1, "the text was handed over more than once");
}

/// A team that is no sandbox, with a line at Twilio. Returns a key.
async fn furnish(place: &Place) -> String {
    place.run(&["teams", "create", "Live"]).await.ok();
    place
        .run(&[
            "users",
            "create",
            "Ada",
            "--email",
            "ada@live.example",
            "--role",
            "admin",
        ])
        .await
        .ok();
    let (_folder, path) = file("token", TOKEN);
    let add = [
        "numbers",
        "add",
        LINE,
        "--carrier",
        "twilio",
        "--twilio-account-sid",
        "AC1",
        "--capabilities",
        "SMS,MMS",
    ];
    place
        .run(&[&add[..], &["--twilio-auth-token-file", text(&path)]].concat())
        .await
        .ok();
    lift_limits(place).await;
    place.run(&["keys", "create"]).await.ok().trim().to_owned()
}

/// Puts a text into the database as the API will, from another process. Returns its id.
async fn send_out(place: &Place) -> String {
    let db = database(place);
    let board = Switchboard::new(
        db.clone(),
        Arc::new(SystemClock),
        Arc::new(RandomIds),
        "another process",
    );
    let teams: Result<_, trunkline_store::StoreError> = db.read(trunkline_store::teams::list).await;
    let team = teams.expect("the team")[0].key;
    let number = |text: &str| PhoneNumber::parse(text).expect("a number");
    let out = Send {
        line: number(LINE),
        to: number("+14155551234"),
        content: "On its way".to_owned(),
        media: Vec::new(),
        user: None,
    };
    let id: Result<_, Error> = board.run(team, move |work| messages::send(work, &out)).await;
    let id = id.expect("a text that goes out").to_string();
    close(db).await;
    id
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Twilio's Messages resource, as far as it is needed. Returns its address and what it was asked to send.
async fn pretend_twilio() -> (String, Outbox) {
    async fn create(
        State(outbox): State<Outbox>,
        headers: HeaderMap,
        Form(fields): Form<Vec<(String, String)>>,
    ) -> (StatusCode, String) {
        let authorization = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // AC1:0123456789abcdef0123456789abcdef
        if authorization != "Basic QUMxOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm" {
            return (
                StatusCode::UNAUTHORIZED,
                json!({ "code": 20_003, "message": "Authenticate" }).to_string(),
            );
        }
        let mut outbox = outbox.lock();
        let sid = format!("SM-out-{}", outbox.len());
        outbox.push((sid.clone(), fields));
        (
            StatusCode::CREATED,
            json!({ "sid": sid, "status": "queued" }).to_string(),
        )
    }
    let outbox = Outbox::default();
    let router = Router::new()
        .route("/2010-04-01/Accounts/AC1/Messages.json", post(create))
        .with_state(outbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, outbox)
}
