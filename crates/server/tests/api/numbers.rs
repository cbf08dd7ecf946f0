//! Numbers and sender ids: what a team sets about them, what is the carrier's word, and what becomes of those that go.

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::events::Topic;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{Capability, NumberId, Role, ScopeSet};
use trunkline_store::{StoreError, directory, numbers};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::lines::{self, UpdateNumber};
use trunkline_switchboard::{Actor, Refused, Work};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, number, sarah, us};

use crate::people::{World as Outside, key_of, neighbour, of_team};
use crate::support::{
    assert_common, assert_error, authorization, command, encoded, events_of, keys, missed_call, param,
    template, text_in,
};

trunkline_testkit::on_both! {
    a_number_is_shown_with_all_that_is_set,
    what_is_sent_is_changed,
    who_loses_access_loses_it_at_once,
    what_is_switched_off_is_off,
    registrations_are_the_carriers_word,
    faulty_changes_of_numbers_are_refused,
    sender_ids_come_and_go,
    a_sender_id_waits_for_its_carrier,
    of_two_sender_ids_of_a_name_one_is_made,
    there_is_a_limit_to_sender_ids,
    faulty_sender_ids_are_refused,
    a_number_that_goes_leaves_its_history,
    managers_manage_lines,
}

const SENDERS: &str = "/v2/api/sender_ids";

fn path() -> String {
    format!("/v2/api/numbers/{}", encoded(us()))
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str, field: &str) {
    assert_error(reply, code);
    assert_common(reply);
    assert_eq!(param(reply), field, "{}", reply.text);
}

async fn a_number_is_shown_with_all_that_is_set(db: TestDb) {
    let app = TestApp::start(db).await;
    let reply = app.get(&path()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let data = reply.data();
    let person = |id: &dyn ToString, name: &str, email: &str| json!({ "id": id.to_string(), "name": name, "email": email });
    let expected = json!({
        "id": data["id"], "number": us(), "name": "Fog City", "country": "US", "type": "NUMBER",
        "capabilities": ["VOICE", "SMS"], "offered_capabilities": ["VOICE", "SMS"],
        "users": [
            person(&app.office.ada, "Ada Park", "ada@fogcity.example"),
            person(&app.office.ben, "Ben Ortiz", "ben@fogcity.example"),
        ],
        "carrier": "sandbox", "a2p_required": true, "a2p_registered": true, "time_zone": null,
        "default_summary_template_id": null, "texts_per_second": null, "texts_per_day": null,
        "created_at": data["created_at"],
    });
    assert_eq!(data, &expected);
    let by_id = app
        .get(&format!("/v2/api/numbers/{}", data["id"].as_str().unwrap()))
        .await;
    assert_eq!(by_id.data(), data);
    let french = app.get(&format!("/v2/api/numbers/{}", encoded(fr()))).await;
    assert_eq!(french.data()["a2p_required"], false);
    // The list is the published one.
    let list = app.get("/v2/api/numbers").await;
    assert_eq!(
        keys(&list.data()[0]),
        ["capabilities", "country", "name", "number", "type", "users"]
    );
}

async fn what_is_sent_is_changed(db: TestDb) {
    let app = TestApp::start(db).await;
    let template = command(&app, |work| template(work, "Orders", &Actor::System)).await;
    let before = app.get(&path()).await.data().clone();
    let (ada, ben) = (app.office.ada, app.office.ben);
    let all = json!({
        "name": " Front desk ", "user_ids": [ben, ada, ben], "capabilities": ["SMS"], "time_zone": "America/Denver",
        "default_summary_template_id": template, "a2p_registered": false,
    });
    let reply = app.patch(&path(), &all).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let after = reply.data();
    assert_eq!(after["name"], "Front desk");
    assert_eq!(after["users"][0]["id"], ben.to_string(), "the main one first");
    assert_eq!(after["users"].as_array().unwrap().len(), 2);
    assert_eq!(after["capabilities"], json!(["SMS"]));
    assert_eq!(after["offered_capabilities"], json!(["VOICE", "SMS"]));
    assert_eq!(after["time_zone"], "America/Denver");
    assert_eq!(after["default_summary_template_id"], template.to_string());
    assert_eq!(after["a2p_registered"], false);
    assert_eq!(app.get(&path()).await.data(), after);
    let entry = app.get("/v2/api/audit?action=number.updated").await.data()[0].clone();
    assert_eq!(entry["object"], after["id"]);
    assert_eq!(
        entry["fields"],
        json!([
            "user_ids",
            "default_summary_template_id",
            "name",
            "capabilities",
            "time_zone",
            "a2p_registered"
        ])
    );

    // Nothing sent, or all of it again: nothing is changed, and nothing written down.
    assert_eq!(app.patch(&path(), &json!({})).await.data(), after);
    assert_eq!(app.patch(&path(), &all).await.data(), after);
    let audit = app.get("/v2/api/audit?action=number.updated").await;
    assert_eq!(audit.data().as_array().unwrap().len(), 1);

    let back = json!({
        "name": null, "user_ids": [ada, ben], "capabilities": ["SMS", "VOICE"], "time_zone": null,
        "default_summary_template_id": null, "a2p_registered": true,
    });
    let mut expected = before;
    expected["name"] = Value::Null;
    assert_eq!(app.patch(&path(), &back).await.data(), &expected);
}

async fn who_loses_access_loses_it_at_once(db: TestDb) {
    let app = TestApp::start(db).await;
    let reply = app.patch(&path(), &json!({ "user_ids": [app.office.ben] })).await;
    let ben = json!([{ "id": app.office.ben, "name": "Ben Ortiz", "email": "ben@fogcity.example" }]);
    assert_eq!(reply.data()["users"], ben);
    let list = app.get("/v2/api/numbers").await;
    assert_eq!(list.data()[0]["users"], ben);
    // Whom events name when nobody has answered, in webhooks and in the live feed.
    let after = app.office.last_event().await;
    missed_call(&app, us(), sarah()).await;
    let rang = events_of(&app, Topic::CallReceived, after).await;
    let payload: Value = serde_json::from_str(&rang[0].payload).unwrap();
    assert_eq!(payload["user_email"], "ben@fogcity.example", "{payload}");
    let nobody = app.patch(&path(), &json!({ "user_ids": [] })).await;
    assert_eq!(nobody.data()["users"], json!([]));
    let after = app.office.last_event().await;
    missed_call(&app, us(), sarah()).await;
    let rang = events_of(&app, Topic::CallReceived, after).await;
    let payload: Value = serde_json::from_str(&rang[0].payload).unwrap();
    assert_eq!(payload["user_email"], Value::Null, "{payload}");
}

async fn what_is_switched_off_is_off(db: TestDb) {
    let app = TestApp::start(db).await;
    let text = json!({ "from": us(), "to": sarah(), "message": "Hello" });
    let call = json!({ "direction": "OUTBOUND", "from": us(), "to": sarah(), "user_id": app.office.ada });
    assert_eq!(
        app.patch(&path(), &json!({ "capabilities": [] })).await.status,
        200
    );
    assert_error(&app.post("/v1/api/sms", &text).await, "NUMBER_NOT_SMS_ENABLED");
    let refused = app.post("/sandbox/calls", &call).await;
    assert_error(&refused, "INVALID_PARAMETER");
    assert!(refused.text.contains("VOICE"), "{}", refused.text);
    // What comes in is kept.
    text_in(&app, us(), sarah(), "Are you there?").await;
    missed_call(&app, us(), sarah()).await;
    let on = app.patch(&path(), &json!({ "capabilities": ["SMS"] })).await;
    assert_eq!(on.data()["capabilities"], json!(["SMS"]));
    assert_eq!(app.post("/v1/api/sms", &text).await.status, 200);

    // What the carrier does not offer cannot be switched on, until the operator says that it does.
    let more = json!({ "capabilities": ["VOICE", "MMS"] });
    let refused = app.patch(&path(), &more).await;
    assert_refused(&refused, "INVALID_PARAMETER", "capabilities");
    assert!(refused.text.contains("VOICE, SMS"), "{}", refused.text);
    let line = app.office.us_line;
    let offer = move |work: &mut Work<'_, '_>| {
        let capabilities = Some(vec![Capability::Mms, Capability::Voice, Capability::Sms]);
        let changes = UpdateNumber {
            capabilities,
            ..UpdateNumber::default()
        };
        lines::update(work, line, &changes)
    };
    let row = command(&app, offer).await;
    assert_eq!(
        row.capabilities,
        [Capability::Voice, Capability::Sms, Capability::Mms]
    );
    let on = app.patch(&path(), &more).await;
    assert_eq!(on.data()["capabilities"], json!(["VOICE", "MMS"]));
    assert_eq!(on.data()["offered_capabilities"], json!(["VOICE", "SMS", "MMS"]));
}

/// A line through a carrier that is not the sandbox.
fn carried(work: &mut Work<'_, '_>, address: Address) -> Result<i64, trunkline_switchboard::Error> {
    let line = AddNumber {
        address,
        name: None,
        capabilities: vec![Capability::Sms],
        carrier: "twilio".to_owned(),
        carrier_settings: None,
        members: Vec::new(),
    };
    let id: NumberId = work.new_id(work.now);
    accounts::add_number(work, id, &line)
}

async fn registrations_are_the_carriers_word(db: TestDb) {
    let app = TestApp::start(db).await;
    let phone = number("+14155550111");
    let line = command(&app, move |work| carried(work, Address::Number(phone))).await;
    let path = format!("/v2/api/numbers/{}", encoded(phone));
    assert_eq!(app.get(&path).await.data()["a2p_registered"], false);
    let both = json!({ "name": "Campaign", "a2p_registered": true });
    let refused = app.patch(&path, &both).await;
    assert_refused(&refused, "FORBIDDEN", "a2p_registered");
    assert!(
        refused.text.contains("trunkline numbers update --a2p"),
        "{}",
        refused.text
    );
    assert_eq!(
        app.get(&path).await.data()["name"],
        Value::Null,
        "nothing half-done"
    );
    // To say what is so already is no change.
    let same = app.patch(&path, &json!({ "a2p_registered": false })).await;
    assert_eq!(same.status, 200);
    let register = move |work: &mut Work<'_, '_>| {
        let changes = UpdateNumber {
            a2p_registered: Some(true),
            ..UpdateNumber::default()
        };
        lines::update(work, line, &changes)
    };
    command(&app, register).await;
    assert_eq!(app.get(&path).await.data()["a2p_registered"], true);

    // Another carrier has not registered it.
    let moved = move |work: &mut Work<'_, '_>| {
        let changes = UpdateNumber {
            carrier: Some(("sandbox".to_owned(), None)),
            ..UpdateNumber::default()
        };
        lines::update(work, line, &changes)
    };
    app.office.clock.advance(1);
    command(&app, moved).await;
    assert_eq!(app.get(&path).await.data()["a2p_registered"], false);
    let entry = app.get("/v2/api/audit?action=number.updated").await.data()[0].clone();
    let details = entry["details"].as_str().unwrap();
    assert!(
        details.contains("carrier twilio") && details.contains("-> carrier sandbox"),
        "{details}"
    );

    let line = command(&app, |work| {
        carried(work, Address::SenderId("Carried".to_owned(), "FR".to_owned()))
    })
    .await;
    let path = format!("{SENDERS}/Carried");
    let set = |status: &'static str| {
        let (app, path) = (&app, path.clone());
        async move { app.patch(&path, &json!({ "status": status })).await }
    };
    let operator = |status: SenderIdStatus| {
        command(&app, move |work| {
            let changes = UpdateNumber {
                sender_id_status: Some(status),
                ..UpdateNumber::default()
            };
            lines::update(work, line, &changes)
        })
    };
    for (now, open, closed) in [
        (
            SenderIdStatus::Pending,
            ["PENDING", "SUSPENDED"],
            ["ACTIVE", "REJECTED"],
        ),
        (
            SenderIdStatus::Active,
            ["ACTIVE", "SUSPENDED"],
            ["PENDING", "REJECTED"],
        ),
        (
            SenderIdStatus::Rejected,
            ["REJECTED", "PENDING"],
            ["ACTIVE", "SUSPENDED"],
        ),
        (
            SenderIdStatus::Suspended,
            ["SUSPENDED", "PENDING"],
            ["ACTIVE", "REJECTED"],
        ),
    ] {
        for status in closed {
            operator(now).await;
            assert_refused(&set(status).await, "FORBIDDEN", "status");
            assert_eq!(app.get(&path).await.data()["status"], now.as_str());
        }
        for status in open {
            operator(now).await;
            assert_eq!(set(status).await.data()["status"], status);
        }
    }
}

async fn faulty_changes_of_numbers_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    let before = app.get(&path()).await.data().clone();
    let stranger = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    let nothing = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    for (body, code, field) in [
        (json!({ "name": " " }), "INVALID_PARAMETER", "name"),
        (json!({ "name": "x".repeat(201) }), "INVALID_LENGTH", "name"),
        (
            json!({ "user_ids": [app.office.ben, stranger] }),
            "MEMBER_NOT_FOUND",
            "user_ids",
        ),
        (json!({ "user_ids": ["Ben"] }), "MEMBER_NOT_FOUND", "user_ids"),
        (
            json!({ "user_ids": vec![app.office.ben; 101] }),
            "INVALID_PARAMETER",
            "user_ids",
        ),
        (
            json!({ "capabilities": ["FAX"] }),
            "INVALID_PARAMETER",
            "capabilities",
        ),
        (json!({ "time_zone": "CEST" }), "UNKNOWN_TIME_ZONE", "time_zone"),
        (json!({ "time_zone": "" }), "UNKNOWN_TIME_ZONE", "time_zone"),
        (json!({ "time_zone": "../UTC" }), "UNKNOWN_TIME_ZONE", "time_zone"),
        (
            json!({ "default_summary_template_id": nothing }),
            "SUMMARY_TEMPLATE_NOT_FOUND",
            "default_summary_template_id",
        ),
        (
            json!({ "name": "Half", "default_summary_template_id": "x" }),
            "SUMMARY_TEMPLATE_NOT_FOUND",
            "default_summary_template_id",
        ),
        (
            json!({ "a2p_registered": "yes" }),
            "INVALID_PARAMETER",
            "a2p_registered",
        ),
    ] {
        assert_refused(&app.patch(&path(), &body).await, code, field);
        assert_eq!(app.get(&path()).await.data(), &before, "{body}");
    }
    for (number, code) in [
        ("%2B14155559999", "PHONE_NUMBER_NOT_FOUND"),
        ("num-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "PHONE_NUMBER_NOT_FOUND"),
        ("desk", "INVALID_PHONE_FORMAT"),
    ] {
        let path = format!("/v2/api/numbers/{number}");
        assert_refused(&app.get(&path).await, code, "number");
        assert_refused(&app.patch(&path, &json!({ "name": "x" })).await, code, "number");
    }
}

async fn sender_ids_come_and_go(db: TestDb) {
    let app = TestApp::start(db).await;
    assert_eq!(app.get(SENDERS).await.data(), &json!([]));
    app.office.clock.advance(1);
    let wanted =
        json!({ "sender_id": "FogCity", "name": "News", "country": "FR", "user_ids": [app.office.ben] });
    let made = app.post(SENDERS, &wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let expected = json!({
        "id": made.data()["id"], "sender_id": "FogCity", "name": "News", "country": "FR", "status": "ACTIVE",
        "users": [{ "id": app.office.ben, "name": "Ben Ortiz", "email": "ben@fogcity.example" }],
        "carrier": "sandbox", "created_at": app.board.now().to_string(),
    });
    assert_eq!(made.data(), &expected);
    let by_id = format!("{SENDERS}/{}", made.data()["id"].as_str().unwrap());
    for path in [&by_id, "/v2/api/sender_ids/fogCITY"] {
        assert_eq!(app.get(path).await.data(), &expected);
    }
    assert_eq!(app.get(SENDERS).await.data(), &json!([expected]));
    let published = app.get("/v2/api/numbers").await;
    assert_eq!(
        published.data()[2],
        json!({ "number": null, "name": "News", "country": "FR", "type": "SENDER_ID", "capabilities": ["SMS"],
                "users": expected["users"] })
    );
    let entry = app.get("/v2/api/audit?action=number.added").await.data()[0].clone();
    assert_eq!(entry["actor"]["user"]["id"], app.office.ada.to_string());
    assert_eq!(entry["details"], "FogCity");

    let text = json!({ "sender_id": "FogCity", "to": marie(), "message": "Bonjour" });
    assert_eq!(app.post("/v1/api/sms", &text).await.status, 200);
    // In the sandbox the team plays the carrier.
    for status in ["PENDING", "REJECTED", "SUSPENDED"] {
        let reply = app.patch(&by_id, &json!({ "status": status })).await;
        assert_eq!(reply.data()["status"], status, "{}", reply.text);
        assert_error(&app.post("/v1/api/sms", &text).await, "SENDER_ID_NOT_ACTIVE");
    }
    let reply = app
        .patch(
            &by_id,
            &json!({ "status": "ACTIVE", "name": null, "user_ids": [] }),
        )
        .await;
    assert_eq!(
        (&reply.data()["name"], &reply.data()["users"]),
        (&Value::Null, &json!([]))
    );

    let notes = format!(
        "/v2/api/conversations/{}/notes?sender_id=FogCity",
        encoded(marie())
    );
    let gone = app.delete(&by_id).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(app.get(SENDERS).await.data(), &json!([]));
    assert_eq!(
        app.get("/v2/api/numbers").await.data().as_array().unwrap().len(),
        2
    );
    for reply in [
        app.get(&by_id).await,
        app.delete(&by_id).await,
        app.patch(&by_id, &json!({})).await,
    ] {
        assert_refused(&reply, "SENDER_ID_NOT_FOUND", "sender_id");
    }
    assert_error(&app.post("/v1/api/sms", &text).await, "SENDER_ID_NOT_FOUND");
    assert_eq!(app.get(&notes).await.status, 200, "its conversations are there");
    let again = app.post(SENDERS, &json!({ "sender_id": "FOGCITY" })).await;
    assert_eq!(again.status, 201, "{}", again.text);
    assert_eq!(again.data()["sender_id"], "FOGCITY");
    assert_ne!(again.data()["id"], expected["id"]);
    let team = app.office.team;
    let lines: Result<_, StoreError> = app.board.db().read(move |conn| numbers::all(conn, team)).await;
    assert_eq!(lines.unwrap().len(), 3, "it is the line that it was");
    app.office.assert_sound().await;
}

async fn a_sender_id_waits_for_its_carrier(db: TestDb) {
    let app = TestApp::start(db).await;
    let live = neighbour(&app, Outside::Live).await;
    let own = authorization(&live.key);
    let headers = [("Authorization", own.as_str())];
    let body = Some(json!({ "sender_id": "NextDoor" }).to_string());
    let made = app.send_with(Method::POST, SENDERS, &headers, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.data()["status"], "PENDING");
    assert_eq!(made.data()["carrier"], Value::Null);
    assert_eq!(made.data()["country"], "FR", "the team's");
    let text = json!({ "sender_id": "NextDoor", "to": marie(), "message": "Bonjour" }).to_string();
    let refused = app
        .send_with(Method::POST, "/v1/api/sms", &headers, Some(text))
        .await;
    assert_error(&refused, "SENDER_ID_NOT_ACTIVE");

    // The operator says through whom it goes.
    let activate = |carrier: Option<&'static str>| {
        let (board, team) = (app.board.clone(), live.team);
        async move {
            let done: Result<_, trunkline_switchboard::Error> = board
                .run(team, move |work| {
                    let sender = "NextDoor".parse().unwrap();
                    let line = numbers::by_sender_id(work.tx, work.team, sender)?.unwrap();
                    let changes = UpdateNumber {
                        sender_id_status: Some(SenderIdStatus::Active),
                        carrier: carrier.map(|carrier| (carrier.to_owned(), None)),
                        ..UpdateNumber::default()
                    };
                    lines::update(work, line.line, &changes)
                })
                .await;
            done
        }
    };
    let refused = activate(None).await.unwrap_err();
    let expected = Refused::new(trunkline_domain::ErrorCode::InvalidParameter).param("carrier");
    let trunkline_switchboard::Error::Refused(refused) = refused else {
        panic!("{refused}");
    };
    assert_eq!((refused.code, refused.param), (expected.code, expected.param));
    activate(Some("sandbox")).await.unwrap();
    let shown = app
        .send_with(Method::GET, &format!("{SENDERS}/NextDoor"), &headers, None)
        .await;
    assert_eq!(
        (&shown.data()["status"], &shown.data()["carrier"]),
        (&json!("ACTIVE"), &json!("sandbox"))
    );
}

async fn of_two_sender_ids_of_a_name_one_is_made(db: TestDb) {
    let app = TestApp::start(db).await;
    for round in 0..5 {
        let (one, other) = (format!("Twice{round}"), format!("tWICE{round}"));
        let (one, other) = (json!({ "sender_id": one }), json!({ "sender_id": other }));
        let (first, second) = tokio::join!(app.post(SENDERS, &one), app.post(SENDERS, &other));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", first.text, second.text);
        let lost = if first.status == 409 { &first } else { &second };
        assert_refused(lost, "SENDER_ID_ALREADY_EXISTS", "sender_id");
    }
    assert_eq!(app.get(SENDERS).await.data().as_array().unwrap().len(), 5);
}

async fn there_is_a_limit_to_sender_ids(db: TestDb) {
    let app = TestApp::start(db).await;
    for i in 0..lines::MAX_SENDER_IDS {
        let made = app
            .post(SENDERS, &json!({ "sender_id": format!("Fog{i}") }))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let one_more = json!({ "sender_id": "FogMore" });
    let refused = app.post(SENDERS, &one_more).await;
    assert_refused(&refused, "TEAM_LIMIT_REACHED", "sender_id");
    assert!(refused.text.contains("50"), "{}", refused.text);
    assert_eq!(app.delete(&format!("{SENDERS}/Fog0")).await.status, 204);
    assert_eq!(app.post(SENDERS, &one_more).await.status, 201);
}

async fn faulty_sender_ids_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    for (body, code, field) in [
        (json!({}), "MISSING_PARAMETER", "sender_id"),
        (json!({ "sender_id": null }), "MISSING_PARAMETER", "sender_id"),
        (json!({ "sender_id": 12345 }), "INVALID_PARAMETER", "sender_id"),
        (json!({ "sender_id": "ab" }), "INVALID_SENDER_ID", "sender_id"),
        (
            json!({ "sender_id": "TwelveLetter" }),
            "INVALID_SENDER_ID",
            "sender_id",
        ),
        (json!({ "sender_id": "12345" }), "INVALID_SENDER_ID", "sender_id"),
        (
            json!({ "sender_id": "Fog City" }),
            "INVALID_SENDER_ID",
            "sender_id",
        ),
        (
            json!({ "sender_id": "FogCity", "country": "ZZ" }),
            "INVALID_PARAMETER",
            "country",
        ),
        (
            json!({ "sender_id": "FogCity", "country": "France" }),
            "INVALID_LENGTH",
            "country",
        ),
        (
            json!({ "sender_id": "FogCity", "name": "" }),
            "INVALID_PARAMETER",
            "name",
        ),
        (
            json!({ "sender_id": "FogCity", "user_ids": ["x"] }),
            "MEMBER_NOT_FOUND",
            "user_ids",
        ),
    ] {
        assert_refused(&app.post(SENDERS, &body).await, code, field);
    }
    assert_eq!(app.get(SENDERS).await.data(), &json!([]));
    assert_eq!(
        app.post(SENDERS, &json!({ "sender_id": "FogCity" })).await.status,
        201
    );
    for (body, code, field) in [
        (json!({ "status": "active" }), "INVALID_PARAMETER", "status"),
        (json!({ "name": " " }), "INVALID_PARAMETER", "name"),
        (
            json!({ "user_ids": ["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"] }),
            "MEMBER_NOT_FOUND",
            "user_ids",
        ),
    ] {
        assert_refused(
            &app.patch(&format!("{SENDERS}/FogCity"), &body).await,
            code,
            field,
        );
    }
}

async fn a_number_that_goes_leaves_its_history(db: TestDb) {
    let app = TestApp::start(db).await;
    missed_call(&app, us(), sarah()).await;
    let (team, line, ada) = (app.office.team, app.office.us_line, app.office.ada);
    let list = format!("/v2/api/conversations?allo_number={}", encoded(us()));
    let before = app.get(&list).await.data().clone();
    command(&app, move |work| lines::remove(work, line, &Actor::System)).await;
    let again: Result<(), trunkline_switchboard::Error> = app
        .board
        .run(team, move |work| lines::remove(work, line, &Actor::System))
        .await;
    let again = again.unwrap_err().to_string();
    assert!(again.contains("PHONE_NUMBER_NOT_FOUND"), "{again}");
    assert_eq!(app.get(&list).await.data(), &before, "what was said is there");
    assert_refused(&app.get(&path()).await, "PHONE_NUMBER_NOT_FOUND", "number");
    assert_eq!(
        app.get("/v2/api/numbers").await.data().as_array().unwrap().len(),
        1
    );
    let text = json!({ "from": us(), "to": sarah(), "message": "Hello" });
    assert_error(&app.post("/v1/api/sms", &text).await, "FROM_NUMBER_NOT_FOUND");
    let call = json!({ "from": sarah(), "to": us() });
    assert_error(&app.post("/sandbox/calls", &call).await, "PHONE_NUMBER_NOT_FOUND");
    let entry = app.get("/v2/api/audit?action=number.removed").await.data()[0].clone();
    assert_eq!(
        (&entry["actor"]["type"], &entry["details"]),
        (&json!("OPERATOR"), &json!(us()))
    );
    let leads = app.board.db().read(move |conn| -> Result<_, StoreError> {
        directory::find(conn, &directory::Entry::Number(us()))
    });
    assert_eq!(leads.await.unwrap(), None);

    // Another team may have it now, and then it is not to be had back.
    let live = neighbour(&app, Outside::Live).await;
    let add = move |work: &mut Work<'_, '_>| carried(work, Address::Number(us()));
    of_team(&app, live.team, add).await;
    let refused: Result<i64, trunkline_switchboard::Error> = app.board.run(team, add).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("NUMBER_ALREADY_ASSIGNED")
    );
    of_team(&app, live.team, |work| {
        let row = numbers::by_number(work.tx, work.team, us())?.unwrap();
        lines::remove(work, row.line, &Actor::System)
    })
    .await;
    let back = command(&app, move |work| crate::people::add_line(work, us(), &[ada])).await;
    assert_eq!(back, line, "it is the line that it was");
    assert_eq!(app.get(&list).await.data(), &before);
    assert_eq!(app.get(&path()).await.data()["users"][0]["id"], ada.to_string());
    missed_call(&app, us(), sarah()).await;
    app.office.assert_sound().await;
}

async fn managers_manage_lines(db: TestDb) {
    let app = TestApp::start(db).await;
    let create =
        |work: &mut Work<'_, '_>| accounts::create_user(work, "Mona", "mona@fogcity.example", Role::Manager);
    let mona = command(&app, create).await;
    for (user, status) in [(mona, 200), (app.office.ben, 403)] {
        let own = authorization(&key_of(&app, user, ScopeSet::ALL).await);
        let headers = [("Authorization", own.as_str())];
        let body = Some(json!({ "name": "Desk" }).to_string());
        let reply = app.send_with(Method::PATCH, &path(), &headers, body).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
}
