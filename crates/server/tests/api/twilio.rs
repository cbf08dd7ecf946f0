//! Webhooks of Twilio: what is signed happens, once; what is not signed never.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{Capability, MessageId, MessageStatus, NumberId, PhoneNumber};
use trunkline_messaging::twilio::signature;
use trunkline_store::crypto::Vault;
use trunkline_store::items;
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::messages::{self, Report};
use trunkline_testkit::app::{Reply, SECRET, TestApp};
use trunkline_testkit::db::{TestDb, number, sarah, us};

use crate::support::{assert_error, command, events_of, searchable, text_out, wait_for};

trunkline_testkit::on_both! {
    a_text_comes_in_once,
    the_same_text_at_the_same_time_comes_in_once,
    media_come_with_it,
    receipts_move_a_text_on,
    what_is_not_signed_is_refused,
    what_is_signed_for_something_else_is_refused,
    what_cannot_be_read_is_refused,
    whatsapp_addresses_are_numbers,
}

const TOKEN: &str = "the auth token of an account";
const MESSAGES: &str = "/carriers/twilio/messages";
const STATUS: &str = "/carriers/twilio/status";

fn line() -> PhoneNumber {
    number("+14155550142")
}

/// A server whose team has a line at Twilio.
async fn start(db: TestDb) -> TestApp {
    let app = searchable(db).await;
    command(&app, |work| {
        let id: NumberId = work.new_id(work.now);
        let settings = json!({ "account_sid": "AC1", "auth_token": TOKEN }).to_string();
        let number = AddNumber {
            address: Address::Number(line()),
            name: Some("Twilio".to_owned()),
            capabilities: vec![Capability::Sms, Capability::Mms],
            carrier: "twilio".to_owned(),
            carrier_settings: Some(Vault::new(SECRET).seal(work.ids, &id.to_string(), &settings)),
            members: Vec::new(),
        };
        accounts::add_number(work, id, &number)
    })
    .await;
    app
}

type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn text(sid: &str, body: &str) -> Fields {
    fields(&[
        ("MessageSid", sid),
        ("SmsSid", sid),
        ("AccountSid", "AC1"),
        ("From", sarah().as_str()),
        ("To", line().as_str()),
        ("Body", body),
        ("NumMedia", "0"),
        ("FromCity", ""),
    ])
}

fn receipt(sid: &str, status: &str) -> Fields {
    fields(&[
        ("MessageSid", sid),
        ("MessageStatus", status),
        ("From", line().as_str()),
        ("To", sarah().as_str()),
        ("ErrorCode", if status == "undelivered" { "30003" } else { "" }),
    ])
}

/// Posts a form with this signature.
async fn post_as(app: &TestApp, path: &str, fields: &Fields, signature: Option<&str>) -> Reply {
    let encode = |text: &str| {
        utf8_percent_encode(text, NON_ALPHANUMERIC)
            .to_string()
            .replace("%20", "+")
    };
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
    headers.extend(signature.map(|value| ("X-Twilio-Signature", value)));
    let reply = app
        .send_with(Method::POST, path, &headers, Some(body.join("&")))
        .await;
    assert!(!reply.header("x-request-id").is_empty());
    reply
}

/// Posts a form as Twilio does.
async fn post(app: &TestApp, path: &str, fields: &Fields) -> Reply {
    let signature = signature(TOKEN, &format!("{}{path}", app.url), fields);
    post_as(app, path, fields, Some(&signature)).await
}

#[track_caller]
fn assert_taken(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/xml"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.ends_with("<Response></Response>"),
        "nothing is sent back: {}",
        reply.text
    );
}

/// The texts of the Twilio line, newest first.
async fn timeline(app: &TestApp) -> Vec<Value> {
    let reply = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "allo_number": line() }),
        )
        .await;
    reply.data().as_array().unwrap().clone()
}

async fn a_text_comes_in_once(db: TestDb) {
    let app = start(db).await;
    let before = app.office.last_event().await;
    let words = "Ça va? 100% & more = \"fine\" + 🙂\nsecond line";
    for _ in 0..2 {
        assert_taken(&post(&app, MESSAGES, &text("SM1", words)).await);
        app.office.clock.advance(1_000);
    }
    let all = timeline(&app).await;
    assert_eq!(all.len(), 1);
    let told = (
        &all[0]["content"],
        &all[0]["contact_number"],
        &all[0]["direction"],
        &all[0]["message_type"],
    );
    assert_eq!(
        told,
        (&json!(words), &json!(sarah()), &json!("INBOUND"), &json!("SMS"))
    );
    assert_eq!(
        (&all[0]["contacts"][0]["name"], &all[0]["status"]),
        (&json!("Sarah Johnson"), &json!("DELIVERED"))
    );
    let events = events_of(&app, Topic::SmsReceived, before).await;
    assert_eq!(events.len(), 1);
    let payload: Value = serde_json::from_str(&events[0].payload).unwrap();
    assert_eq!(
        (&payload["content"], &payload["to_number"]),
        (&json!(words), &json!(line()))
    );
    // Another text with the same words is another text.
    assert_taken(&post(&app, MESSAGES, &text("SM2", words)).await);
    assert_eq!(timeline(&app).await.len(), 2);
    // The URL that is signed is the whole one.
    assert_taken(&post(&app, &format!("{MESSAGES}?account=1&x=%20"), &text("SM3", "")).await);
    assert_eq!(timeline(&app).await.len(), 3);
}

async fn the_same_text_at_the_same_time_comes_in_once(db: TestDb) {
    let app = Arc::new(start(db).await);
    for round in 0..5 {
        let before = app.office.last_event().await;
        let posts: Vec<_> = (0..6)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { post(&app, MESSAGES, &text(&format!("SM{round}"), "Hello")).await })
            })
            .collect();
        for post in posts {
            assert_taken(&post.await.unwrap());
        }
        assert_eq!(
            events_of(&app, Topic::SmsReceived, before).await.len(),
            1,
            "round {round}"
        );
    }
}

async fn media_come_with_it(db: TestDb) {
    let app = start(db).await;
    let mut form = text("MM1", "Look");
    form.retain(|(name, _)| name != "NumMedia");
    form.extend(fields(&[
        ("NumMedia", "2"),
        ("MediaUrl0", "https://api.twilio.example/a?b=c"),
        ("MediaContentType0", "image/jpeg"),
        ("MediaUrl1", "https://api.twilio.example/b"),
        ("MediaUrl2", "https://api.twilio.example/not-counted"),
    ]));
    assert_taken(&post(&app, MESSAGES, &form).await);
    let all = timeline(&app).await;
    // They are shown by links of ours: see the tests of media.
    assert_eq!(all[0]["message_type"], "MMS");
    let urls = all[0]["media_urls"].as_array().unwrap();
    assert_eq!(urls.len(), 2);
    let own = format!("{}/media/", app.url);
    assert!(
        urls.iter().all(|url| url.as_str().unwrap().starts_with(&own)),
        "{urls:?}"
    );
}

/// A text that Twilio has taken under this id.
async fn sent(app: &TestApp, sid: &'static str) -> MessageId {
    let before = app.office.last_event().await;
    let id = text_out(app, line(), sarah(), "On its way").await;
    command(app, move |work| {
        let item = items::get(work.tx, work.team, trunkline_domain::ItemId::Message(id))?.unwrap();
        let report = Report {
            status: MessageStatus::Sent,
            carrier_ref: Some(sid.to_owned()),
            failure_reason: None,
        };
        messages::report(work, item.seq, &report)
    })
    .await;
    wait_for(app, Topic::SmsSent, before).await;
    id
}

async fn receipts_move_a_text_on(db: TestDb) {
    let app = start(db).await;
    let status = async |id: MessageId| {
        app.get(&format!("/v2/api/conversations/items/{id}")).await.data()["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (good, bad) = (sent(&app, "SMgood").await, sent(&app, "SMbad").await);
    let before = app.office.last_event().await;
    for (sid, told, good_is, bad_is) in [
        ("SMgood", "queued", "SENT", "SENT"),
        ("SMgood", "sent", "SENT", "SENT"),
        ("SMgood", "delivered", "DELIVERED", "SENT"),
        ("SMgood", "delivered", "DELIVERED", "SENT"),
        ("SMgood", "undelivered", "DELIVERED", "SENT"),
        ("SMbad", "undelivered", "DELIVERED", "FAILED"),
        ("SMbad", "failed", "DELIVERED", "FAILED"),
        ("SMnever", "delivered", "DELIVERED", "FAILED"),
        ("SMgood", "something new", "DELIVERED", "FAILED"),
    ] {
        assert_taken(&post(&app, STATUS, &receipt(sid, told)).await);
        assert_eq!(
            (status(good).await, status(bad).await),
            (good_is.to_owned(), bad_is.to_owned()),
            "{sid} {told}"
        );
    }
    assert_eq!(events_of(&app, Topic::SmsDelivered, before).await.len(), 1);
    let failed = events_of(&app, Topic::SmsFailed, before).await;
    assert_eq!(failed.len(), 1);
    assert!(failed[0].payload.contains("30003"), "{}", failed[0].payload);
    assert_eq!(
        app.office.last_event().await,
        before + 2,
        "each fact is told once"
    );
}

/// Nothing was stored, and the answer does not tell why.
async fn assert_forbidden(app: &TestApp, reply: &Reply, before: i64) {
    assert_error(reply, "CARRIER_SIGNATURE_INVALID");
    assert_eq!(app.office.last_event().await, before);
}

async fn what_is_not_signed_is_refused(db: TestDb) {
    let app = start(db).await;
    let (before, form) = (app.office.last_event().await, text("SM1", "Hello"));
    let url = format!("{}{MESSAGES}", app.url);
    let right = signature(TOKEN, &url, &form);
    let mut flipped = right.clone().into_bytes();
    flipped[3] = if flipped[3] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let by_another = signature("the token of another account", &url, &form);
    let empty_key = signature("", &url, &form);
    let wrong = [
        None,
        Some(""),
        Some("x"),
        Some(flipped.as_str()),
        Some(&by_another),
        Some(&empty_key),
        Some(&right[..27]),
    ];
    for signature in wrong {
        assert_forbidden(&app, &post_as(&app, MESSAGES, &form, signature).await, before).await;
        assert_forbidden(
            &app,
            &post_as(&app, STATUS, &receipt("SM1", "delivered"), signature).await,
            before,
        )
        .await;
    }
    assert_eq!(timeline(&app).await, Vec::<Value>::new());
    // The same form with the right signature goes through: nothing else was wrong with it.
    assert_taken(&post_as(&app, MESSAGES, &form, Some(&right)).await);
}

async fn what_is_signed_for_something_else_is_refused(db: TestDb) {
    let app = start(db).await;
    let (before, form) = (app.office.last_event().await, text("SM1", "Hello"));
    let right = signature(TOKEN, &format!("{}{MESSAGES}", app.url), &form);
    // Another body, a field more, a field less, another path, another host.
    let mut more = form.clone();
    more.push(("Extra".to_owned(), "1".to_owned()));
    for other in [text("SM1", "Hello!"), more, form[1..].to_vec()] {
        assert_forbidden(&app, &post_as(&app, MESSAGES, &other, Some(&right)).await, before).await;
    }
    assert_forbidden(
        &app,
        &post_as(&app, &format!("{MESSAGES}?x=1"), &form, Some(&right)).await,
        before,
    )
    .await;
    let elsewhere = signature(TOKEN, &format!("https://elsewhere.example{MESSAGES}"), &form);
    assert_forbidden(
        &app,
        &post_as(&app, MESSAGES, &form, Some(&elsewhere)).await,
        before,
    )
    .await;
    // Numbers that are nobody's here, or not at Twilio, or no numbers: signed as well as can be.
    for to in ["+14155550199", us().as_str(), "FOGCITY", "", "whatsapp:"] {
        let mut form = form.clone();
        form.iter_mut().find(|(name, _)| name == "To").unwrap().1 = to.to_owned();
        assert_forbidden(&app, &post(&app, MESSAGES, &form).await, before).await;
    }
    let without: Fields = form.iter().filter(|(name, _)| name != "To").cloned().collect();
    assert_forbidden(&app, &post(&app, MESSAGES, &without).await, before).await;
    assert_forbidden(&app, &post(&app, MESSAGES, &Vec::new()).await, before).await;
}

async fn what_cannot_be_read_is_refused(db: TestDb) {
    let app = start(db).await;
    let before = app.office.last_event().await;
    let without = |missing: &str| -> Fields {
        text("SM1", "Hello")
            .into_iter()
            .filter(|(name, _)| name != missing && !name.starts_with("Sms"))
            .collect()
    };
    for form in [without("MessageSid"), without("From")] {
        assert_error(&post(&app, MESSAGES, &form).await, "INVALID_REQUEST_BODY");
    }
    let mut nobody = text("SM1", "Hello");
    nobody.iter_mut().find(|(name, _)| name == "From").unwrap().1 = "Anonymous".to_owned();
    assert_error(&post(&app, MESSAGES, &nobody).await, "INVALID_REQUEST_BODY");
    assert_error(
        &post(&app, MESSAGES, &text("SM1", &"x".repeat(1 << 20))).await,
        "PAYLOAD_TOO_LARGE",
    );
    assert_eq!(app.office.last_event().await, before);
}

async fn whatsapp_addresses_are_numbers(db: TestDb) {
    let app = start(db).await;
    let mut form = text("SM1", "Hello");
    for (name, value) in &mut form {
        if name == "From" || name == "To" {
            *value = format!("whatsapp:{value}");
        }
    }
    assert_taken(&post(&app, MESSAGES, &form).await);
    let all = timeline(&app).await;
    assert_eq!((all.len(), &all[0]["contact_number"]), (1, &json!(sarah())));
}
