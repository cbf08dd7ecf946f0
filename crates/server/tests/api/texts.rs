//! `POST /v1/api/sms`: what is sent, what is refused, and what becomes of it.

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::sms::ContentRules;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{Capability, ErrorCode, Millis, NumberId, PhoneNumber};
use trunkline_store::{StoreError, Tx, text_consents};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::lines::{self, UpdateNumber};
use trunkline_switchboard::texts::{Limits, Policy};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, number, sarah, us};

use crate::support::{
    assert_common, assert_error, authorization, command, encoded, events_of, keys, param, searchable,
    set_team, text_in, wait_for,
};
use crate::surroundings::serve;

trunkline_testkit::on_both! {
    all_forms_of_a_body_send,
    a_text_goes_out_and_arrives,
    a_text_that_fails_says_why,
    a_repeated_request_sends_once,
    every_refusal_has_its_condition,
    a_refused_text_leaves_nothing,
    the_days_limits_end_at_midnight,
    the_day_of_a_number_is_its_own,
    a_change_of_zone_gives_no_new_day,
    teams_on_trial_send_where_the_operator_lets_them,
    who_wrote_stop_is_left_alone_until_start,
    keywords_are_answered_once_in_their_language,
    marketing_keeps_to_its_hours_where_the_team_says_so,
    media_go_with_a_text,
    parts_are_counted,
}

pub const SMS: &str = "/v1/api/sms";

/// A French mobile number that has no contact.
fn paris() -> PhoneNumber {
    number("+33698765432")
}

async fn line(app: &TestApp, address: Address, capabilities: Vec<Capability>, carrier: &'static str) -> i64 {
    command(app, move |work| {
        let line = AddNumber {
            address: address.clone(),
            name: None,
            capabilities: capabilities.clone(),
            carrier: carrier.to_owned(),
            carrier_settings: None,
            members: Vec::new(),
        };
        let id: NumberId = work.new_id(work.now);
        accounts::add_number(work, id, &line)
    })
    .await
}

async fn update(app: &TestApp, line: i64, changes: UpdateNumber) {
    command(app, move |work| lines::update(work, line, &changes).map(drop)).await;
}

async fn sender(app: &TestApp, name: &str) -> i64 {
    let address = Address::SenderId(name.to_owned(), "FR".to_owned());
    line(app, address, vec![Capability::Sms], "sandbox").await
}

/// The same server with other rules.
pub async fn with_policy(app: &mut TestApp, change: impl FnOnce(&mut Policy)) {
    let mut policy = Policy::clone(&app.state.texts);
    change(&mut policy);
    let state = app.state.with(|shared| shared.texts = policy.into());
    app.state = state.clone();
    app.url = serve(trunkline_server::router(state)).await;
}

fn body(from: PhoneNumber, to: PhoneNumber, message: &str) -> Value {
    json!({ "from": from, "to": to, "message": message })
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str, field: &str) {
    assert_error(reply, code);
    assert_common(reply);
    assert_eq!(param(reply), field, "{}", reply.text);
}

async fn all_forms_of_a_body_send(db: TestDb) {
    let app = searchable(db).await;
    sender(&app, "FogCity").await;
    let forms = [
        (body(us(), sarah(), "Hello"), json!(us()), json!(null)),
        (
            json!({ "allo_number": us(), "to": sarah(), "content": "Hello" }),
            json!(us()),
            json!(null),
        ),
        (
            json!({ "sender_id": "fogCITY", "to": marie(), "message": "Hello" }),
            json!(null),
            json!("FogCity"),
        ),
        // Mixed, with nulls and a field that nobody knows.
        (
            json!({ "from": us(), "sender_id": null, "to": sarah(), "content": "Hello", "message": null, "x": 1 }),
            json!(us()),
            json!(null),
        ),
    ];
    for (body, from, sender) in forms {
        let reply = app.post(SMS, &body).await;
        let data = reply.data();
        assert_eq!(reply.status, 200);
        assert_eq!(keys(&reply.json), ["data"]);
        let fields = [
            "content",
            "from_number",
            "id",
            "segments",
            "sender_id",
            "start_date",
            "status",
            "to_number",
            "type",
        ];
        assert_eq!(keys(data), fields);
        assert_eq!(
            (&data["from_number"], &data["sender_id"], &data["to_number"]),
            (&from, &sender, &body["to"])
        );
        assert_eq!(
            (&data["type"], &data["content"], &data["status"]),
            (&json!("OUTBOUND"), &json!("Hello"), &json!("PENDING"))
        );
        assert_eq!(data["start_date"], app.board.now().to_string());
        assert_eq!(
            reply.header("x-ignored-parameters"),
            if body["x"] == 1 { "x" } else { "" }
        );
        let item = app
            .get(&format!(
                "/v2/api/conversations/items/{}",
                data["id"].as_str().unwrap()
            ))
            .await;
        assert_eq!(item.data()["contact_number"], body["to"]);
        assert_eq!(item.data()["user"]["name"], "Ada Park");
    }
}

async fn a_text_goes_out_and_arrives(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    let reply = app.post(SMS, &body(us(), sarah(), "On its way")).await;
    let id = reply.data()["id"].as_str().unwrap().to_owned();
    let sent = wait_for(&app, Topic::SmsSent, before).await;
    app.office.clock.advance(Millis::SECOND);
    let arrived = wait_for(&app, Topic::SmsDelivered, before).await;
    for event in [&sent[0], &arrived[0]] {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        assert_eq!(
            (&payload["id"], &payload["to_number"]),
            (&json!(id), &json!(sarah()))
        );
        assert_eq!(payload["user_email"], "ada@fogcity.example");
    }
    let item = app.get(&format!("/v2/api/conversations/items/{id}")).await;
    assert_eq!(
        (&item.data()["status"], &item.data()["segments"]),
        (&json!("DELIVERED"), &json!(1))
    );
    // The answer comes into the same conversation.
    text_in(&app, us(), sarah(), "Thanks").await;
    let conversations = app
        .get(&format!("/v2/api/conversations?allo_number={}", encoded(us())))
        .await;
    let conversations = conversations.data().as_array().unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0]["last_item"]["content"], "Thanks");
    assert_eq!(app.office.last_event().await, before + 3);
}

async fn a_text_that_fails_says_why(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    let reply = app.post(SMS, &body(us(), number("+14155550001"), "Hello")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    wait_for(&app, Topic::SmsSent, before).await;
    app.office.clock.advance(Millis::SECOND);
    let failed = wait_for(&app, Topic::SmsFailed, before).await;
    let payload: Value = serde_json::from_str(&failed[0].payload).unwrap();
    assert_eq!(payload["failure_reason"], "the number cannot be reached");
    assert_eq!(payload["id"], reply.data()["id"]);
}

async fn a_repeated_request_sends_once(db: TestDb) {
    let app = std::sync::Arc::new(searchable(db).await);
    let before = app.office.last_event().await;
    let own = authorization(&app.key);
    let asked: Vec<_> = (0..6)
        .map(|_| {
            let (app, own) = (app.clone(), own.clone());
            tokio::spawn(async move {
                let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "order-7")];
                let text = body(us(), sarah(), "Your order is ready.").to_string();
                app.send_with(Method::POST, SMS, &headers, Some(text)).await
            })
        })
        .collect();
    for reply in asked {
        let reply = reply.await.unwrap();
        if reply.status != 200 {
            assert_error(&reply, "OTHER_TRANSACTION_IN_PROGRESS");
        }
    }
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "order-7")];
    let text = body(us(), sarah(), "Your order is ready.").to_string();
    let again = app.send_with(Method::POST, SMS, &headers, Some(text)).await;
    assert_eq!(again.header("idempotency-replayed"), "true", "{}", again.text);
    wait_for(&app, Topic::SmsSent, before).await;
    app.office.clock.advance(Millis::SECOND);
    wait_for(&app, Topic::SmsDelivered, before).await;
    assert_eq!(app.office.last_event().await, before + 2, "it was sent once");
    let other = body(us(), sarah(), "Another").to_string();
    let reused = app.send_with(Method::POST, SMS, &headers, Some(other)).await;
    assert_refused(&reused, "IDEMPOTENCY_KEY_REUSE", "Idempotency-Key");
}

async fn furnished(db: TestDb) -> TestApp {
    let mut app = searchable(db).await;
    furnish(&mut app).await;
    app
}

/// Gives the team a line of every kind that cannot send, and the server rules for what is sent.
pub async fn furnish(app: &mut TestApp) {
    let voice = Address::Number(number("+14155550150"));
    line(app, voice, vec![Capability::Voice], "sandbox").await;
    let unregistered = Address::Number(number("+14155550151"));
    line(app, unregistered, vec![Capability::Sms], "twilio").await;
    let bare = Address::Number(number("+33639981234"));
    line(app, bare, vec![Capability::Sms], "twilio").await;
    let unknown = Address::Number(number("+33639981235"));
    line(app, unknown, vec![Capability::Sms], "pigeons").await;
    sender(app, "FogCity").await;
    let pending = sender(app, "Pending").await;
    let changes = UpdateNumber {
        sender_id_status: Some(SenderIdStatus::Pending),
        ..UpdateNumber::default()
    };
    update(app, pending, changes).await;
    let rules = |policy: &mut Policy| policy.content = ContentRules::new(["casino"], ["bit.ly"]).unwrap();
    with_policy(app, rules).await;
}

/// Bodies that are refused once the team is furnished, each with its code and the field that is to blame.
pub fn refused() -> Vec<(Value, &'static str, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut body = body(us(), sarah(), "Hello");
        body[field] = value;
        body
    };
    let by_sender = |name: &str| json!({ "sender_id": name, "to": marie(), "message": "Hello" });
    vec![
        (
            json!({ "to": sarah(), "message": "x" }),
            "MISSING_PARAMETER",
            "from",
        ),
        (with("to", json!(null)), "MISSING_PARAMETER", "to"),
        (with("message", json!(null)), "MISSING_PARAMETER", "message"),
        (
            with("sender_id", json!("FogCity")),
            "INVALID_PARAMETER",
            "sender_id",
        ),
        (with("content", json!("x")), "INVALID_PARAMETER", "content"),
        (with("message", json!(7)), "INVALID_PARAMETER", "message"),
        (with("message", json!("a\0b")), "INVALID_PARAMETER", "message"),
        (with("message", json!(" \n")), "INVALID_LENGTH", "message"),
        (
            with("message", json!("é".repeat(1_001))),
            "INVALID_LENGTH",
            "message",
        ),
        (
            with("from", json!("(415) 555-0100")),
            "INVALID_PHONE_FORMAT",
            "from",
        ),
        (with("to", json!("4155551234")), "INVALID_PHONE_FORMAT", "to"),
        (by_sender("a name with spaces"), "INVALID_SENDER_ID", "sender_id"),
        (
            with("from", json!("+14155550199")),
            "FROM_NUMBER_NOT_FOUND",
            "from",
        ),
        (by_sender("Nobody"), "SENDER_ID_NOT_FOUND", "sender_id"),
        (by_sender("Pending"), "SENDER_ID_NOT_ACTIVE", "sender_id"),
        (
            with("from", json!("FogCity")),
            "SENDER_ID_INBOX_CANNOT_SEND_SMS",
            "from",
        ),
        (
            with("to", json!("FogCity")),
            "SENDER_ID_INBOX_CANNOT_SEND_SMS",
            "to",
        ),
        (
            with("from", json!("+14155550150")),
            "NUMBER_NOT_SMS_ENABLED",
            "from",
        ),
        (
            with("media_urls", json!(["https://a.example/1"])),
            "NUMBER_NOT_SMS_ENABLED",
            "media_urls",
        ),
        (
            with("media_urls", json!(["file:///etc/passwd"])),
            "INVALID_PARAMETER",
            "media_urls",
        ),
        (with("from", json!("+14155550151")), "A2P_NOT_ENABLED", "from"),
        (
            body(number("+33639981234"), marie(), "x"),
            "PROVIDER_NOT_SUPPORTED",
            "from",
        ),
        (
            body(number("+33639981235"), marie(), "x"),
            "PROVIDER_NOT_SUPPORTED",
            "from",
        ),
        (with("to", json!("+14150000000")), "INVALID_TO_NUMBER", "to"),
        (with("to", json!(us())), "INVALID_TO_NUMBER", "to"),
        (with("to", json!(marie())), "TO_NUMBER_COUNTRY_MISMATCH", "to"),
        (
            body(fr(), number("+33142685301"), "x"),
            "LANDLINE_NUMBER_NOT_SUPPORTED",
            "to",
        ),
        (
            with("message", json!("Win at the CASINO!")),
            "MESSAGE_NOT_COMPLIANT",
            "message",
        ),
        (
            with("message", json!("See https://bit.ly/x")),
            "MESSAGE_NOT_COMPLIANT",
            "message",
        ),
    ]
}

async fn every_refusal_has_its_condition(db: TestDb) {
    let app = furnished(db).await;
    let before = app.office.last_event().await;
    for (body, code, field) in refused() {
        let reply = app.post(SMS, &body).await;
        assert_eq!(
            (reply.code(), param(&reply)),
            (code, field),
            "{body}: {}",
            reply.text
        );
        assert_refused(&reply, code, field);
        // v1 answers 400 to what v2 does not find.
        let known: ErrorCode = code.parse().unwrap();
        let status = if known.http_status() == 404 {
            400
        } else {
            known.http_status()
        };
        assert_eq!(reply.status, status, "{code}");
    }
    assert_eq!(app.office.last_event().await, before);
    // What was wrong with them is all that was wrong.
    assert_eq!(app.post(SMS, &body(us(), sarah(), "Hello")).await.status, 200);
    let by_sender = json!({ "sender_id": "FogCity", "to": marie(), "message": "Hello" });
    assert_eq!(app.post(SMS, &by_sender).await.status, 200);
    let registered = UpdateNumber {
        a2p_registered: Some(true),
        ..UpdateNumber::default()
    };
    update(&app, app.office.us_line + 3, registered).await;
    let reply = app
        .post(SMS, &body(number("+14155550151"), sarah(), "Hello"))
        .await;
    assert_refused(&reply, "PROVIDER_NOT_SUPPORTED", "from");
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let count = move |conn: &mut trunkline_store::Conn<'_>| conn.row(&sql, &[], |row| row.get(0));
    app.board.db().read(count).await.unwrap().unwrap()
}

async fn a_refused_text_leaves_nothing(db: TestDb) {
    let app = furnished(db).await;
    let refused = app.post(SMS, &body(us(), sarah(), "casino")).await;
    assert_error(&refused, "MESSAGE_NOT_COMPLIANT");
    for table in [
        "items",
        "conversations",
        "messages",
        "text_counts",
        "line_text_counts",
        "text_queue",
    ] {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
}

async fn the_days_limits_end_at_midnight(db: TestDb) {
    let mut app = searchable(db).await;
    with_policy(&mut app, |policy| {
        policy.limits = Limits {
            trial: 0,
            api: Some(3),
            line: Some(2),
        };
    })
    .await;
    let (american, french) = (body(us(), sarah(), "Hello"), body(fr(), marie(), "Salut"));
    for _ in 0..2 {
        assert_eq!(app.post(SMS, &american).await.status, 200);
    }
    let reply = app.post(SMS, &american).await;
    assert_refused(&reply, "DAILY_SMS_LIMIT_REACHED", "from");
    // 3:00 in San Francisco: 21 hours to midnight.
    assert_eq!(reply.header("retry-after"), "75600");
    assert_eq!(app.post(SMS, &french).await.status, 200, "another number");
    let reply = app.post(SMS, &french).await;
    assert_error(&reply, "SMS_LIMIT_REACHED");
    assert_eq!(reply.header("retry-after"), "75600");
    // A number with a limit of its own; the day in the team's time zone is what counts.
    let more = UpdateNumber {
        texts_per_day: Some(3),
        ..UpdateNumber::default()
    };
    update(&app, app.office.us_line, more).await;
    assert_error(&app.post(SMS, &american).await, "SMS_LIMIT_REACHED");
    app.office.clock.advance(21 * Millis::HOUR - 1);
    let reply = app.post(SMS, &american).await;
    assert_error(&reply, "SMS_LIMIT_REACHED");
    assert_eq!(reply.header("retry-after"), "1");
    app.office.clock.advance(1);
    for status in [200, 200, 200, 429] {
        assert_eq!(app.post(SMS, &american).await.status, status);
    }
}

async fn the_day_of_a_number_is_its_own(db: TestDb) {
    let mut app = searchable(db).await;
    with_policy(&mut app, |policy| policy.limits.line = Some(1)).await;
    let path = format!("/v2/api/numbers/{}", us().as_str().replace('+', "%2B"));
    let zone =
        async |zone: Value| assert_eq!(app.patch(&path, &json!({ "time_zone": zone })).await.status, 200);
    let american = body(us(), sarah(), "Hello");
    let refused = async |wait: &str| {
        let reply = app.post(SMS, &american).await;
        assert_refused(&reply, "DAILY_SMS_LIMIT_REACHED", "from");
        assert_eq!(reply.header("retry-after"), wait);
    };
    // 19:00 in Tokyo, 3:00 in San Francisco.
    zone(json!("Asia/Tokyo")).await;
    assert_eq!(app.post(SMS, &american).await.status, 200);
    refused("18000").await;
    // The same date elsewhere is no other day.
    zone(Value::Null).await;
    refused("75600").await;
    zone(json!("Asia/Tokyo")).await;
    app.office.clock.advance(5 * Millis::HOUR - 1);
    refused("1").await;
    app.office.clock.advance(1);
    assert_eq!(app.post(SMS, &american).await.status, 200);
    refused("86400").await;
    // The French line goes by the team's day, on which it has not sent anything.
    assert_eq!(app.post(SMS, &body(fr(), marie(), "Salut")).await.status, 200);
}

async fn a_change_of_zone_gives_no_new_day(db: TestDb) {
    let mut app = searchable(db).await;
    with_policy(&mut app, |policy| {
        policy.limits = Limits {
            trial: 0,
            api: Some(3),
            line: Some(2),
        };
    })
    .await;
    let path = format!("/v2/api/numbers/{}", us().as_str().replace('+', "%2B"));
    let own =
        async |zone: Value| assert_eq!(app.patch(&path, &json!({ "time_zone": zone })).await.status, 200);
    let team = async |zone: &str| {
        app.office.clock.advance(Millis::MINUTE);
        let reply = app.patch("/v2/api/team", &json!({ "time_zone": zone })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    let (american, french) = (body(us(), sarah(), "Hello"), body(fr(), marie(), "Salut"));
    // The 20th in San Francisco (3:00), the 21st on Kiritimati (0:00), and before 12:00 UTC the 19th in the far west.
    for status in [200, 200, 429] {
        assert_eq!(app.post(SMS, &american).await.status, status);
    }
    let far = ["Pacific/Kiritimati", "Etc/GMT+12"];
    for zone in [json!(far[0]), json!(far[1]), json!(far[0]), Value::Null] {
        own(zone).await;
        assert_error(&app.post(SMS, &american).await, "DAILY_SMS_LIMIT_REACHED");
    }
    for zone in far {
        team(zone).await;
        assert_error(&app.post(SMS, &american).await, "DAILY_SMS_LIMIT_REACHED");
    }
    assert_eq!(app.post(SMS, &french).await.status, 200, "another number");
    for zone in ["Pacific/Kiritimati", "America/Los_Angeles", "Etc/GMT+12"] {
        team(zone).await;
        assert_error(&app.post(SMS, &french).await, "SMS_LIMIT_REACHED");
    }
    // The date that was furthest on counts for the team until it is over there, and not a day longer.
    app.office.clock.advance(2 * Millis::DAY);
    assert_error(&app.post(SMS, &french).await, "SMS_LIMIT_REACHED");
    app.office.clock.advance(2 * Millis::HOUR);
    assert_eq!(app.post(SMS, &french).await.status, 200);
}

async fn teams_on_trial_send_where_the_operator_lets_them(db: TestDb) {
    let mut app = searchable(db).await;
    set_team(&app, "plan", "'TRIAL'").await;
    let text = body(us(), sarah(), "Hello");
    assert_error(&app.post(SMS, &text).await, "API_KEY_TRIAL_NOT_ALLOWED");
    with_policy(&mut app, |policy| policy.limits.trial = 1).await;
    assert_eq!(app.post(SMS, &text).await.status, 200);
    let reply = app.post(SMS, &body(fr(), marie(), "Salut")).await;
    assert_error(&reply, "TRIAL_SMS_LIMIT_REACHED");
    assert_eq!(reply.header("retry-after"), "75600");
    // Nothing else is open to them.
    assert_error(&app.get("/v2/api/me").await, "API_KEY_TRIAL_NOT_ALLOWED");
    set_team(&app, "plan", "'BUSINESS'").await;
    assert_eq!(app.post(SMS, &text).await.status, 200);
}

/// The texts that went out to a number, oldest first.
async fn sent_to(app: &TestApp, to: PhoneNumber) -> Vec<String> {
    let search = json!({ "contact_number": to, "direction": "OUTBOUND", "sort": "DATE_ASC" });
    let reply = app.post("/v2/api/conversations/items/search", &search).await;
    let items = reply.data().as_array().unwrap().clone();
    let content = |item: &Value| item["content"].as_str().unwrap().to_owned();
    items.iter().map(content).collect()
}

async fn who_wrote_stop_is_left_alone_until_start(db: TestDb) {
    let app = searchable(db).await;
    let text = body(us(), sarah(), "News!");
    assert_eq!(app.post(SMS, &text).await.status, 200);
    let before = app.office.last_event().await;
    app.office.clock.advance(Millis::MINUTE);
    text_in(&app, us(), sarah(), "Stop.").await;
    let reply = app.post(SMS, &text).await;
    assert_refused(&reply, "MESSAGE_NOT_COMPLIANT", "to");
    // Another number of the team may still write to her, and this one to others.
    let team = app.office.team;
    let (us_line, fr_line) = (app.office.us_line, app.office.fr_line);
    let read = move |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> {
        Ok((
            text_consents::get(conn, team, sarah(), us_line)?,
            text_consents::get(conn, team, sarah(), fr_line)?,
        ))
    };
    let (here, there) = app.board.db().read(read).await.unwrap();
    assert!(here.unwrap().opted_out && there.is_none());
    assert_eq!(
        app.post(SMS, &body(us(), number("+14155551235"), "x"))
            .await
            .status,
        200
    );
    // The conversation waits for somebody: that the program answered is no reply.
    let list = format!("/v2/api/conversations?allo_number={}&unread=true", encoded(us()));
    assert_eq!(app.get(&list).await.data().as_array().unwrap().len(), 1);
    app.office.clock.advance(Millis::MINUTE);
    text_in(&app, us(), sarah(), "START").await;
    assert_eq!(app.post(SMS, &text).await.status, 200);
    let told = sent_to(&app, sarah()).await;
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told[1].contains("no more texts") && told[2].contains("our texts again"),
        "{told:?}"
    );
    let received = events_of(&app, Topic::SmsReceived, before).await;
    assert_eq!(received.len(), 2, "keywords are texts that came in, like others");
}

async fn keywords_are_answered_once_in_their_language(db: TestDb) {
    let app = searchable(db).await;
    let answers = async |from: PhoneNumber, words: &[&str]| {
        let before = sent_to(&app, from).await.len();
        for word in words {
            app.office.clock.advance(Millis::SECOND);
            text_in(&app, fr(), from, word).await;
        }
        sent_to(&app, from).await.split_off(before)
    };
    // YES and START mean nothing to who did not opt out.
    assert_eq!(
        answers(marie(), &["yes", "START", "merci", "stop by at noon"]).await,
        [""; 0]
    );
    let stopped = answers(marie(), &["ARRÊT", "stop", "Désabonner"]).await;
    assert_eq!(stopped.len(), 1);
    assert!(
        stopped[0].starts_with("Fog City Supplies : vous ne recevrez plus"),
        "{stopped:?}"
    );
    // Help is given to who opted out, too, once an hour.
    assert_eq!(answers(marie(), &["AIDE", "aide !", "help"]).await.len(), 1);
    app.office.clock.advance(Millis::HOUR);
    let helped = answers(marie(), &["HELP"]).await;
    assert!(helped[0].contains("write to this number"), "{helped:?}");
    assert_eq!(answers(marie(), &["START", "start"]).await.len(), 1);
    assert_eq!(answers(paris(), &["STOP au 36200"]).await.len(), 1);
    assert_eq!(app.post(SMS, &body(fr(), marie(), "Bonjour")).await.status, 200);
    assert_error(
        &app.post(SMS, &body(fr(), paris(), "Bonjour")).await,
        "MESSAGE_NOT_COMPLIANT",
    );
    app.office.assert_sound().await;
}

async fn marketing_keeps_to_its_hours_where_the_team_says_so(db: TestDb) {
    let app = searchable(db).await;
    sender(&app, "FogCity").await;
    let text = json!({ "sender_id": "FogCity", "to": marie(), "message": "Soldes !" });
    // Monday, 20:00 in Paris.
    app.office.clock.advance(8 * Millis::HOUR);
    assert_eq!(app.post(SMS, &text).await.status, 200);
    set_team(&app, "marketing_hours", "TRUE").await;
    assert_refused(&app.post(SMS, &text).await, "MESSAGE_NOT_COMPLIANT", "sender_id");
    assert_eq!(
        app.post(SMS, &body(fr(), marie(), "Soldes !")).await.status,
        200,
        "a number is not held to them"
    );
    app.office.clock.advance(12 * Millis::HOUR);
    assert_eq!(app.post(SMS, &text).await.status, 200, "Tuesday, 8:00");
}

async fn media_go_with_a_text(db: TestDb) {
    let app = searchable(db).await;
    let sql = "UPDATE numbers SET capabilities = 'VOICE,SMS,MMS'";
    let able = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> { tx.execute(sql, &[]) };
    app.board.db().write(able).await.unwrap();
    let mut text = body(us(), sarah(), "Look");
    text["media_urls"] = json!(["https://shop.example/a.png", "https://shop.example/b.png"]);
    let reply = app.post(SMS, &text).await;
    assert_eq!(reply.data()["media_urls"], text["media_urls"]);
    let id = reply.data()["id"].as_str().unwrap();
    let item = app.get(&format!("/v2/api/conversations/items/{id}")).await;
    assert_eq!(
        (&item.data()["message_type"], &item.data()["media_urls"]),
        (&json!("MMS"), &text["media_urls"])
    );
    text["media_urls"] = json!(vec!["https://shop.example/a.png"; 11]);
    assert_refused(&app.post(SMS, &text).await, "INVALID_PARAMETER", "media_urls");
}

async fn parts_are_counted(db: TestDb) {
    let app = searchable(db).await;
    for (text, parts) in [
        ("a".repeat(160), 1),
        ("a".repeat(161), 2),
        ("€".repeat(80), 1),
        ("é".repeat(1_000), 7),
        ("ж".repeat(71), 2),
    ] {
        let reply = app.post(SMS, &body(us(), sarah(), &text)).await;
        assert_eq!(reply.data()["segments"], parts);
        let id = reply.data()["id"].as_str().unwrap();
        let item = app.get(&format!("/v2/api/conversations/items/{id}")).await;
        assert_eq!(item.data()["segments"], parts);
    }
}
