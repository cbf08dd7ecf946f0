//! Media of texts that came in: fetched from the carrier, kept, and shown by links that are valid for a while.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::{Capability, Millis, NumberId};
use trunkline_messaging::twilio::signature;
use trunkline_store::crypto::Vault;
use trunkline_store::{StoreError, params};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::media::ERASE_JOB;
use trunkline_testkit::app::{Reply, SECRET, TestApp};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{TestDb, number, sarah};

use crate::support::{assert_error, command, events_of, searchable};

trunkline_testkit::on_both! {
    a_picture_is_fetched_kept_and_shown,
    what_is_told_twice_is_fetched_once,
    what_is_no_medium_is_not_kept,
    what_lies_within_is_not_fetched,
    a_carrier_that_is_not_ready_is_asked_again,
    links_are_valid_for_a_while,
    what_cannot_be_read_is_told_of,
    what_is_erased_is_deleted_after_it_was_fetched,
    an_erasure_does_not_wait_for_a_carrier_that_fails,
    an_erasure_that_waits_for_another_node_does_not_fail,
}

const TOKEN: &str = "the auth token of an account";
const LINE: &str = "+14155550142";

async fn start(db: TestDb) -> TestApp {
    let app = searchable(db).await;
    command(&app, |work| {
        let id: NumberId = work.new_id(work.now);
        let settings = json!({ "account_sid": "AC1", "auth_token": TOKEN }).to_string();
        let line = AddNumber {
            address: Address::Number(number(LINE)),
            name: None,
            capabilities: vec![Capability::Sms, Capability::Mms],
            carrier: "twilio".to_owned(),
            carrier_settings: Some(Vault::new(SECRET).seal(work.ids, &id.to_string(), &settings)),
            members: Vec::new(),
        };
        accounts::add_number(work, id, &line)
    })
    .await;
    app
}

/// Twilio reports a text with media. Returns the item's links.
async fn text_with(app: &TestApp, sid: &str, media: &[&str]) -> Vec<String> {
    let mut fields = vec![
        ("MessageSid".to_owned(), sid.to_owned()),
        ("From".to_owned(), sarah().to_string()),
        ("To".to_owned(), LINE.to_owned()),
        ("Body".to_owned(), "Look".to_owned()),
        ("NumMedia".to_owned(), media.len().to_string()),
    ];
    for (place, url) in media.iter().enumerate() {
        fields.push((format!("MediaUrl{place}"), (*url).to_owned()));
    }
    let path = "/carriers/twilio/messages";
    let signed = signature(TOKEN, &format!("{}{path}", app.url), &fields);
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Twilio-Signature", signed.as_str()),
    ];
    let reply = app
        .send_with(Method::POST, path, &headers, Some(body.join("&")))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    links(app).await
}

/// The links of the newest item.
async fn links(app: &TestApp) -> Vec<String> {
    let found = app.post("/v2/api/conversations/items/search", &json!({})).await;
    let urls = found.data()[0]["media_urls"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    urls.iter().map(|url| url.as_str().unwrap().to_owned()).collect()
}

/// Follows a link, as a browser does: without a key.
async fn open(app: &TestApp, link: &str) -> Reply {
    let path = link
        .strip_prefix(&app.url)
        .unwrap_or_else(|| panic!("{link} leads elsewhere"));
    app.send_with(Method::GET, path, &[], None).await
}

/// Waits until no medium is to be fetched any more, moving the clock where it is waited for.
async fn until_settled(app: &TestApp) {
    for _ in 0..600 {
        let sql = "SELECT COUNT(*) FROM media WHERE state = 'PENDING'";
        let read = app
            .board
            .db()
            .read(move |conn| -> Result<_, StoreError> { conn.row(sql, &[], |row| row.get::<i64>(0)) });
        if read.await.unwrap() == Some(0) {
            return;
        }
        app.office.clock.advance(Millis::SECOND);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a medium is fetched for ever");
}

fn picture() -> Answer {
    Answer::status(200)
        .header("content-type", "image/png")
        .body("not quite a picture")
}

async fn a_picture_is_fetched_kept_and_shown(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    let base = carrier.url().trim_end_matches("/hook").to_owned();
    let elsewhere = format!("{base}/kept/1");
    carrier.answer_with(move |request| match request.request.as_str() {
        "GET /media/1" => Answer::status(307).header("location", &elsewhere),
        "GET /kept/1" => picture(),
        other => panic!("{other} was not told of"),
    });
    let before = app.office.last_event().await;
    let links = text_with(&app, "MM1", &[&format!("{base}/media/1")]).await;
    assert_eq!(links.len(), 1);
    until_settled(&app).await;
    let reply = open(&app, &links[0]).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "not quite a picture"));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "inline"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(reply.header(name), value);
    }
    let (path, range) = (&links[0][app.url.len()..], [("Range", "bytes=4-8")]);
    let part = app.send_with(Method::GET, path, &range, None).await;
    assert_eq!((part.status, part.text.as_str()), (206, "quite"));
    assert_eq!(part.header("content-type"), "image/png");
    // The event has a link of its own, which is valid for longer and leads to the same.
    let told = events_of(&app, Topic::SmsReceived, before).await;
    let payload: Value = serde_json::from_str(&told[0].payload).unwrap();
    let of_event = payload["media_urls"][0].as_str().unwrap();
    assert_eq!(open(&app, of_event).await.text, reply.text);
    // The credentials go to the carrier's own address only.
    for request in carrier.received() {
        assert_eq!(request.header("authorization"), "");
    }
}

async fn what_is_told_twice_is_fetched_once(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|_| picture());
    let first = text_with(&app, "MM1", &[carrier.url()]).await;
    let again = text_with(&app, "MM1", &[carrier.url()]).await;
    let address = |link: &str| link.split('?').next().unwrap().to_owned();
    assert_eq!(address(&first[0]), address(&again[0]));
    until_settled(&app).await;
    assert_eq!(carrier.count(), 1);
}

async fn what_is_no_medium_is_not_kept(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|request| match request.request.as_str() {
        "GET /html" => Answer::status(200)
            .header("content-type", "text/html")
            .body("<script>"),
        "GET /svg" => Answer::status(200)
            .header("content-type", "image/svg+xml")
            .body("<svg/>"),
        "GET /large" => Answer::status(200)
            .header("content-type", "image/png")
            .body(vec![0_u8; (16 << 20) + 1]),
        "GET /circle" => Answer::status(302).header("location", "/circle"),
        _ => Answer::status(403),
    });
    let base = carrier.url().trim_end_matches("/hook");
    for (path, why) in [
        ("html", "text/html"),
        ("svg", "image/svg+xml"),
        ("large", "too large"),
        ("circle", "again and again"),
        ("secret", "403"),
    ] {
        let links = text_with(&app, path, &[&format!("{base}/{path}")]).await;
        until_settled(&app).await;
        let reply = open(&app, &links[0]).await;
        assert_error(&reply, "TEXT_MESSAGE_NOT_FOUND");
        let message = reply.json["error"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{path}: {message}");
        app.office.clock.advance(Millis::SECOND);
    }
}

/// Loopback is allowed for these tests; nothing else within is.
async fn what_lies_within_is_not_fetched(db: TestDb) {
    let app = start(db).await;
    for (sid, url) in [
        ("a", "http://169.254.169.254/latest"),
        ("b", "http://10.0.0.1/x"),
        ("c", "file:///etc/passwd"),
    ] {
        let links = text_with(&app, sid, &[url]).await;
        until_settled(&app).await;
        let reply = open(&app, &links[0]).await;
        assert_error(&reply, "TEXT_MESSAGE_NOT_FOUND");
        assert!(
            !reply.text.contains("passwd") && !reply.text.contains("169.254"),
            "{}",
            reply.text
        );
        app.office.clock.advance(Millis::SECOND);
    }
}

async fn a_carrier_that_is_not_ready_is_asked_again(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|request| match request.number {
        0 => Answer::status(404),
        1 => Answer::status(503),
        _ => picture(),
    });
    let links = text_with(&app, "MM1", &[carrier.url()]).await;
    carrier.wait_for(1).await;
    let waiting = open(&app, &links[0]).await;
    assert_error(&waiting, "SERVICE_UNAVAILABLE");
    until_settled(&app).await;
    assert_eq!((open(&app, &links[0]).await.status, carrier.count()), (200, 3));
}

async fn links_are_valid_for_a_while(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|_| picture());
    let old = text_with(&app, "MM1", &[carrier.url()]).await;
    until_settled(&app).await;
    let forged = old[0].replace("/media/1/", "/media/2/");
    assert_ne!(forged, old[0]);
    let bare = old[0].split('?').next().unwrap();
    for link in [
        forged.as_str(),
        bare,
        &format!("{bare}?expires=9999999999&signature=AAAA"),
    ] {
        assert_error(&open(&app, link).await, "FORBIDDEN");
    }
    assert_eq!(open(&app, &old[0]).await.status, 200);
    app.office.clock.advance(2 * Millis::DAY);
    assert_error(&open(&app, &old[0]).await, "FORBIDDEN");
    let fresh = links(&app).await;
    assert_eq!(
        open(&app, &fresh[0]).await.status,
        200,
        "read again, it opens again"
    );
    // So do those that version 1 shows.
    let path = format!("/v1/api/contact/{}/conversation", app.office.sarah);
    let reply = app.get(&path).await;
    let message = &reply.data()["results"][0]["message"];
    assert_eq!(message["media_urls"], json!(fresh), "{}", reply.text);
}

async fn what_cannot_be_read_is_told_of(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|_| picture());
    let links = text_with(&app, "MM1", &[carrier.url()]).await;
    until_settled(&app).await;
    assert_eq!(open(&app, &links[0]).await.status, 200);
    let folder = app.media_dir.join(app.office.team.0.to_string());
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(file.path()).unwrap();
    let reply = open(&app, &links[0]).await;
    assert_error(&reply, "TEXT_MESSAGE_NOT_FOUND");
    assert_eq!(reply.json["error"]["message"], "the medium is not kept any more");
    // The storage fails.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let reply = open(&app, &links[0]).await;
    assert_error(&reply, "SERVICE_UNAVAILABLE");
    assert_eq!(reply.header("retry-after"), "1");
    assert!(!reply.text.contains("in the way") && !reply.text.contains("med-"));
}

async fn erase_sarah(app: &TestApp) {
    let person = app.office.sarah.to_string().replace("cnt-", "per-");
    let path = format!("/v2/api/crm/people/{person}?erase=true");
    assert_eq!(app.delete(&path).await.status, 204);
}

/// The kinds of the jobs with media that there are.
async fn jobs(app: &TestApp) -> Vec<String> {
    let sql = "SELECT kind FROM jobs WHERE kind IN ('media.fetch', 'media.erase') ORDER BY kind";
    let read = app
        .board
        .db()
        .read(move |conn| -> Result<_, StoreError> { conn.rows(sql, &[], |row| row.get::<String>(0)) });
    read.await.unwrap()
}

/// How many media could not be deleted yet.
async fn failing(app: &TestApp) -> i64 {
    let read = app
        .board
        .db()
        .scan(|conn| trunkline_store::jobs::failing(conn, ERASE_JOB));
    read.await.unwrap()
}

async fn what_is_erased_is_deleted_after_it_was_fetched(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer_with(|_| picture().delay(Duration::from_secs(2)));
    text_with(&app, "MM1", &[carrier.url()]).await;
    carrier.wait_for(1).await;
    erase_sarah(&app).await;
    for _ in 0..600 {
        let left = jobs(&app).await;
        if left.is_empty() {
            let folder = app.media_dir.join(app.office.team.0.to_string());
            let files = std::fs::read_dir(folder).unwrap().count();
            assert_eq!(files, 0, "what was fetched while it was erased is left");
            return;
        }
        // Whoever fetches may keep it yet: somebody must be left to delete it.
        assert!(left.iter().any(|kind| kind == "media.erase"), "{left:?}");
        app.office.clock.advance(Millis::SECOND);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("an erasure takes for ever");
}

async fn an_erasure_does_not_wait_for_a_carrier_that_fails(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer(Answer::status(503));
    text_with(&app, "MM1", &[carrier.url()]).await;
    // It is asked again after a second, two, four, and so on: now it is left alone for half a minute.
    for asked in 1..6 {
        carrier.wait_for(asked).await;
        until_postponed(&app).await;
        app.office.clock.advance(Millis::SECOND << (asked - 1));
    }
    carrier.wait_for(6).await;
    until_postponed(&app).await;
    // The storage fails at first.
    let folder = app.media_dir.join(app.office.team.0.to_string());
    std::fs::write(&folder, "in the way").unwrap();
    erase_sarah(&app).await;
    let mut has_failed = false;
    for look in 0..600 {
        if jobs(&app).await.is_empty() {
            break;
        }
        if !has_failed && failing(&app).await == 1 {
            has_failed = true;
            std::fs::remove_file(&folder).unwrap();
        }
        // Ten seconds in all: the carrier would not be asked again by then.
        if look % 20 == 0 && look < 200 {
            app.office.clock.advance(Millis::SECOND);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(jobs(&app).await, Vec::<String>::new());
    assert!(has_failed, "what is in the way was not noticed");
    assert_eq!(carrier.count(), 6, "what is erased is not asked for");
}

async fn an_erasure_that_waits_for_another_node_does_not_fail(db: TestDb) {
    let (app, carrier) = (start(db).await, Catcher::start().await);
    carrier.answer(Answer::status(503));
    text_with(&app, "MM1", &[carrier.url()]).await;
    carrier.wait_for(1).await;
    until_postponed(&app).await;
    command(&app, |work| {
        let sql = "UPDATE jobs SET lease_until = $1, attempts = attempts + 1 WHERE kind = 'media.fetch'";
        Ok(work.tx.execute(sql, params![work.now.plus(Millis::MINUTE)])?)
    })
    .await;
    erase_sarah(&app).await;
    let looks = async || {
        let sql =
            "SELECT COALESCE(MAX(attempts), 0) FROM jobs WHERE kind = 'media.erase' AND lease_until = 0";
        let read = app
            .board
            .db()
            .read(move |conn| -> Result<_, StoreError> { conn.row(sql, &[], |row| row.get::<i64>(0)) });
        read.await.unwrap().unwrap()
    };
    // It looks three times, once a second.
    for look in 1..=3 {
        until(async || looks().await == look).await;
        app.office.clock.advance(Millis::SECOND);
    }
    assert_eq!(failing(&app).await, 0, "it only waits");
    assert_eq!(jobs(&app).await, ["media.erase", "media.fetch"]);
    app.office.clock.advance(Millis::MINUTE);
    until(async || {
        app.office.clock.advance(Millis::SECOND);
        jobs(&app).await.is_empty()
    })
    .await;
    assert_eq!(carrier.count(), 1);
}

async fn until(wanted: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if wanted().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("an erasure takes for ever");
}

/// Waits until nobody works on a medium.
async fn until_postponed(app: &TestApp) {
    for _ in 0..600 {
        let sql = "SELECT COUNT(*) FROM jobs WHERE kind = 'media.fetch' AND lease_until = 0 AND run_at > $1";
        let now = app.board.now();
        let read = app.board.db().read(move |conn| -> Result<_, StoreError> {
            conn.row(sql, params![now], |row| row.get::<i64>(0))
        });
        if read.await.unwrap() == Some(1) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a medium is fetched for ever");
}
