//! Twilio, played by a server that takes only what Twilio's description of its Messages resource allows: path, basic
//! authentication, form fields and their values.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use trunkline_domain::{Capability, Clock, ItemId, MessageStatus, Millis, NumberId, PhoneNumber};
use trunkline_messaging::Carriers;
use trunkline_messaging::twilio::{Settings, Twilio};
use trunkline_messaging::worker::{Options, Worker};
use trunkline_store::crypto::Vault;
use trunkline_store::messages::{self as rows, MessageRow};
use trunkline_store::{items, text_queue};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::messages::{self, Send};
use trunkline_testkit::catcher::{Answer, Catcher, Received};
use trunkline_testkit::db::{Office, START, TestDb, number, sarah};

trunkline_testkit::on_both! {
    texts_are_handed_over_as_twilio_wants_them,
    what_twilio_refuses_fails_with_its_reason,
    too_many_requests_are_no_failure,
    an_answer_that_was_lost_sends_nothing_twice,
    what_twilio_never_got_is_sent_again,
    an_answer_that_was_lost_is_looked_for_behind_many_other_texts,
    where_too_many_texts_are_alike_nothing_is_sent_twice,
    a_twilio_that_is_away_is_waited_for,
}

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "the auth token of an account";

fn line() -> PhoneNumber {
    number("+14155550142")
}

/// How Twilio behaves for one request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It takes the text and then fails.
    FailsAfter,
    /// It fails at once.
    FailsBefore,
    TooMany,
    Refuses,
}

/// An account at Twilio.
struct Account {
    clock: Arc<dyn Clock>,
    moods: Mutex<Vec<Mood>>,
    /// The texts that were taken, in order.
    texts: Mutex<Vec<Taken>>,
    /// How often the list was asked for.
    lists: Mutex<usize>,
}

/// A text that Twilio has.
#[derive(Clone)]
struct Taken {
    at: Millis,
    form: Vec<(String, String)>,
}

impl Account {
    fn answer(&self, request: &Received) -> Answer {
        let (method, path) = request.request.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if path != format!("/2010-04-01/Accounts/{SID}/Messages.json") {
            return problem(404, 20_404, "The requested resource was not found");
        }
        let expected = format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
        if request.header("authorization") != expected {
            return problem(401, 20_003, "Authenticate");
        }
        match method {
            "POST" => self.create(request),
            "GET" => self.list(&pairs(query)),
            _ => problem(405, 20_004, "Method not allowed"),
        }
    }

    fn create(&self, request: &Received) -> Answer {
        let kind = request.header("content-type");
        assert_eq!(kind, "application/x-www-form-urlencoded");
        let form = pairs(std::str::from_utf8(&request.body).unwrap());
        check(&form);
        let mut moods = self.moods.lock();
        let mood = if moods.is_empty() {
            Mood::Well
        } else {
            moods.remove(0)
        };
        match mood {
            Mood::TooMany => return problem(429, 20_429, "Too Many Requests"),
            Mood::FailsBefore => return problem(500, 20_500, "Internal Server Error"),
            Mood::Refuses => return problem(400, 21_610, "Attempt to send to unsubscribed recipient"),
            Mood::Well | Mood::FailsAfter => {}
        }
        let mut texts = self.texts.lock();
        let at = self.clock.now();
        texts.push(Taken { at, form });
        if mood == Mood::FailsAfter {
            return problem(503, 20_503, "Service Unavailable");
        }
        let text = self.shown(texts.len() - 1, &texts[texts.len() - 1]);
        Answer::status(201).body(text.to_string())
    }

    fn list(&self, query: &[(String, String)]) -> Answer {
        for (name, _) in query {
            let known = [
                "To",
                "From",
                "DateSent",
                "DateSent<",
                "DateSent>",
                "PageSize",
                "Page",
                "PageToken",
            ];
            assert!(
                known.contains(&name.as_str()),
                "{name} is no parameter of the list"
            );
        }
        *self.lists.lock() += 1;
        let size: usize = field(query, "PageSize").unwrap().parse().unwrap();
        assert!((1..=1_000).contains(&size));
        let page: usize = field(query, "Page").map_or(0, |page| page.parse().unwrap());
        let texts = self.texts.lock();
        let (to, from) = (field(query, "To").unwrap(), field(query, "From").unwrap());
        let of_pair = texts.iter().enumerate().filter(|(_, text)| {
            field(&text.form, "To") == Some(to) && field(&text.form, "From") == Some(from)
        });
        let newest_first = of_pair.rev().skip(page * size);
        let mut messages: Vec<Value> = newest_first
            .take(size + 1)
            .map(|(place, text)| self.shown(place, text))
            .collect();
        let next = (messages.len() > size).then(|| {
            let encode = |text: &str| text.replace('+', "%2B");
            format!(
                "/2010-04-01/Accounts/{SID}/Messages.json?To={}&From={}&PageSize={size}&Page={}&PageToken=PASM{page}",
                encode(to),
                encode(from),
                page + 1
            )
        });
        messages.truncate(size);
        let list = json!({ "messages": messages, "page": page, "page_size": size, "next_page_uri": next });
        Answer::status(200).body(list.to_string())
    }

    fn shown(&self, place: usize, text: &Taken) -> Value {
        let (at, text) = (text.at.timestamp(), &text.form);
        json!({
            "sid": format!("SM{place:032x}"), "account_sid": SID, "status": "queued", "direction": "outbound-api",
            "body": field(text, "Body"), "to": field(text, "To"), "from": field(text, "From"),
            "date_created": at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(), "date_sent": null,
            "error_code": null, "error_message": null, "num_segments": "1", "num_media": "0",
        })
    }
}

/// What Twilio asks of a text (Messages resource, "Create a Message").
fn check(form: &[(String, String)]) {
    for (name, value) in form {
        match name.as_str() {
            "To" => assert!(e164(value), "To is {value}"),
            "From" => assert!(e164(value) || value.len() <= 11, "From is {value}"),
            "Body" => assert!(value.chars().count() <= 1_600),
            "MediaUrl" => assert!(value.starts_with("https://")),
            "StatusCallback" => assert!(value.starts_with("https://phone.example/carriers/twilio/status")),
            other => panic!("{other} is no parameter that we send"),
        }
    }
    for required in ["To", "From", "Body"] {
        assert_eq!(
            form.iter().filter(|(name, _)| name == required).count(),
            1,
            "{required}"
        );
    }
    assert!(form.iter().filter(|(name, _)| name == "MediaUrl").count() <= 10);
}

fn e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn problem(status: u16, code: u16, message: &str) -> Answer {
    let body =
        json!({ "code": code, "message": message, "status": status, "more_info": "https://example.com" });
    Answer::status(status).body(body.to_string())
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    let all = text.split('&').filter_map(|pair| pair.split_once('='));
    all.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// An office with a line at Twilio, and the worker that hands texts over.
struct World {
    office: Office,
    account: Arc<Account>,
    catcher: Catcher,
    worker: Worker,
}

async fn world(t: &TestDb, moods: &[Mood]) -> World {
    let office = t.office().await;
    let account = Arc::new(Account {
        clock: office.clock.clone(),
        moods: Mutex::new(moods.to_vec()),
        texts: Mutex::default(),
        lists: Mutex::default(),
    });
    let catcher = Catcher::start().await;
    let played = account.clone();
    catcher.answer_with(move |request| played.answer(request));
    let vault = Vault::new("a secret of these tests");
    let sealing = vault.clone();
    let add = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        let id: NumberId = work.new_id(work.now);
        let settings = Settings {
            account_sid: SID.to_owned(),
            auth_token: TOKEN.to_owned(),
        };
        let settings = serde_json::to_string(&settings).unwrap();
        let number = AddNumber {
            address: Address::Number(line()),
            name: None,
            capabilities: vec![Capability::Sms, Capability::Mms],
            carrier: "twilio".to_owned(),
            carrier_settings: Some(sealing.seal(work.ids, &id.to_string(), &settings)),
            members: Vec::new(),
        };
        accounts::add_number(work, id, &number)
    };
    office.run(add).await.unwrap();
    let worker = to(&office, catcher.url().trim_end_matches("/hook"), vault);
    World {
        office,
        account,
        catcher,
        worker,
    }
}

fn to(office: &Office, base_url: &str, vault: Vault) -> Worker {
    let http = trunkline_testkit::http::client();
    let twilio = Twilio::new(http, base_url, "https://phone.example", office.clock.clone());
    let carriers = Carriers::new(vec![Arc::new(twilio)]);
    Worker::new(office.board.clone(), carriers, vault, Options::default())
}

impl World {
    async fn send(&self, content: &str, media: &[&str]) -> i64 {
        let text = Send {
            line: line(),
            to: sarah(),
            content: content.to_owned(),
            media: media.iter().map(|url| (*url).to_owned()).collect(),
            user: None,
        };
        let id = self
            .office
            .run(move |work| messages::send(work, &text))
            .await
            .unwrap();
        let team = self.office.team;
        let found = self
            .office
            .board
            .db()
            .read(move |conn| items::get(conn, team, ItemId::Message(id)));
        found.await.unwrap().unwrap().seq
    }

    async fn row(&self, seq: i64) -> MessageRow {
        let team = self.office.team;
        let found = self
            .office
            .board
            .db()
            .read(move |conn| rows::get(conn, team, seq));
        found.await.unwrap().unwrap()
    }

    async fn work_off(&self) {
        for _ in 0..200 {
            self.worker.work_once().await.unwrap();
            if self
                .office
                .board
                .db()
                .read(text_queue::lanes)
                .await
                .unwrap()
                .is_empty()
            {
                return;
            }
            self.office.clock.advance(Millis::SECOND);
        }
        panic!("texts wait for ever");
    }

    /// Another program sends this between the same numbers.
    fn others(&self, count: usize, body: &str) {
        let at = self.office.clock.now();
        let form = [("From", line().to_string()), ("To", sarah().to_string())];
        let mut form: Vec<(String, String)> = form.map(|(name, value)| (name.to_owned(), value)).into();
        form.push(("Body".to_owned(), body.to_owned()));
        let taken = Taken { at, form };
        self.account.texts.lock().extend(vec![taken; count]);
    }

    fn bodies(&self) -> Vec<String> {
        let texts = self.account.texts.lock();
        texts
            .iter()
            .map(|text| field(&text.form, "Body").unwrap().to_owned())
            .collect()
    }
}

async fn texts_are_handed_over_as_twilio_wants_them(t: TestDb) {
    let world = world(&t, &[]).await;
    let words = "100% & more = \"fine\" + 🙂\nsecond line";
    let seq = world
        .send(words, &["https://shop.example/a?b=c&d", "https://shop.example/2"])
        .await;
    world.work_off().await;
    let known = world.row(seq).await;
    assert_eq!(known.status, MessageStatus::Sent);
    assert_eq!(
        known.carrier_ref.as_deref(),
        Some("SM00000000000000000000000000000000")
    );
    let texts = world.account.texts.lock().clone();
    let text = &texts[0].form;
    assert_eq!(
        (field(text, "Body"), field(text, "From")),
        (Some(words), Some(line().as_str()))
    );
    let media: Vec<&str> = text
        .iter()
        .filter(|(name, _)| name == "MediaUrl")
        .map(|(_, url)| url.as_str())
        .collect();
    assert_eq!(media, ["https://shop.example/a?b=c&d", "https://shop.example/2"]);
    let callback = field(text, "StatusCallback").unwrap();
    assert!(
        callback.starts_with("https://phone.example/carriers/twilio/status?text=msg-"),
        "{callback}"
    );
    assert_eq!(world.catcher.count(), 1, "nothing was in doubt");
}

async fn what_twilio_refuses_fails_with_its_reason(t: TestDb) {
    let world = world(&t, &[Mood::Refuses]).await;
    let seq = world.send("Hello", &[]).await;
    world.work_off().await;
    let known = world.row(seq).await;
    assert_eq!(known.status, MessageStatus::Failed);
    let reason = known.failure_reason.unwrap();
    assert_eq!(reason, "21610: Attempt to send to unsubscribed recipient");
}

async fn too_many_requests_are_no_failure(t: TestDb) {
    let world = world(&t, &[Mood::TooMany, Mood::TooMany]).await;
    for n in 0..3 {
        world.send(&n.to_string(), &[]).await;
    }
    world.work_off().await;
    assert_eq!(world.bodies(), ["0", "1", "2"]);
    assert_eq!(world.catcher.count(), 5);
}

async fn an_answer_that_was_lost_sends_nothing_twice(t: TestDb) {
    let world = world(&t, &[Mood::Well, Mood::FailsAfter, Mood::FailsAfter]).await;
    let sent = [
        world.send("ok", &[]).await,
        world.send("ok", &[]).await,
        world.send("ok", &[]).await,
    ];
    world.work_off().await;
    assert_eq!(world.bodies(), ["ok", "ok", "ok"]);
    for (place, seq) in sent.into_iter().enumerate() {
        let known = world.row(seq).await;
        assert_eq!(known.carrier_ref, Some(format!("SM{place:032x}")));
        assert_eq!(known.status, MessageStatus::Sent);
    }
}

async fn what_twilio_never_got_is_sent_again(t: TestDb) {
    let world = world(&t, &[Mood::Well, Mood::FailsBefore, Mood::FailsBefore]).await;
    world.send("ok", &[]).await;
    let seq = world.send("ok", &[]).await;
    world.work_off().await;
    assert_eq!(world.bodies(), ["ok", "ok"]);
    assert_eq!(world.row(seq).await.carrier_ref, Some(format!("SM{:032x}", 1)));
}

async fn an_answer_that_was_lost_is_looked_for_behind_many_other_texts(t: TestDb) {
    let world = world(&t, &[Mood::FailsAfter]).await;
    world.others(300, "long ago");
    world.office.clock.advance(Millis::HOUR);
    let seq = world.send("ok", &[]).await;
    world.worker.work_once().await.unwrap();
    assert_eq!(world.row(seq).await.status, MessageStatus::Pending);
    world.others(450, "in between");
    world.work_off().await;
    let known = world.row(seq).await;
    assert_eq!(known.carrier_ref, Some(format!("SM{:032x}", 300)));
    assert_eq!(known.status, MessageStatus::Sent);
    assert_eq!(world.bodies().len(), 300 + 1 + 450, "it was sent once");
    assert_eq!(
        *world.account.lists.lock(),
        4,
        "no further than the first page with nothing but old texts"
    );
}

async fn where_too_many_texts_are_alike_nothing_is_sent_twice(t: TestDb) {
    let world = world(&t, &[Mood::FailsAfter]).await;
    let seq = world.send("ok", &[]).await;
    world.worker.work_once().await.unwrap();
    world.others(10_000, "in between");
    for _ in 0..3 {
        world.office.clock.advance(Millis::MINUTE);
        world.worker.work_once().await.unwrap();
    }
    assert_eq!(world.bodies().len(), 10_001);
    assert_eq!(
        *world.account.lists.lock(),
        3 * 50,
        "so many pages are looked through"
    );
    assert_eq!(world.row(seq).await.status, MessageStatus::Pending);
    // It is not waited for for ever: whoever sent it is told that nobody knows.
    world.office.clock.advance(Millis::DAY);
    world.worker.work_once().await.unwrap();
    let known = world.row(seq).await;
    assert_eq!(known.status, MessageStatus::Failed);
    let reason = known.failure_reason.unwrap();
    assert!(
        reason.contains("too many texts between the two numbers"),
        "{reason}"
    );
    assert_eq!(world.bodies().len(), 10_001);
}

async fn a_twilio_that_is_away_is_waited_for(t: TestDb) {
    let world = world(&t, &[]).await;
    let seq = world.send("Hello", &[]).await;
    let vault = Vault::new("a secret of these tests");
    // Nobody listens there.
    let away = to(&world.office, "http://127.0.0.1:9", vault);
    away.work_once().await.unwrap();
    assert_eq!(world.row(seq).await.status, MessageStatus::Pending);
    assert!(world.office.clock.advance(Millis::MINUTE) > START);
    world.work_off().await;
    assert_eq!(world.bodies(), ["Hello"]);
    assert_eq!(
        world.catcher.count(),
        1,
        "a connection that was refused leaves no doubt"
    );
}
