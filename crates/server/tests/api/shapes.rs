//! Items field for field: what is there, what is null, and when.

use serde_json::{Value, json};
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::{CallResult, Direction, Millis, NumberId, SummaryTemplate};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::people::{self, CreateContact};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{START, TestDb, fr, marie, nobody, number, sarah, us};

use crate::support::{
    World, answered_call, assert_error, command, ids, keys, missed_call, record, searchable, text_in,
    text_out, wait_for,
};
use trunkline_domain::events::Topic;

trunkline_testkit::on_both! {
    a_call_with_everything,
    transcripts_come_when_asked_for,
    a_text_has_what_texts_have,
    a_call_that_rings_has_no_result_yet,
    every_result_has_its_name,
    contacts_are_all_that_match,
    a_text_with_media_says_where_it_is,
    a_text_that_goes_out_tells_how_far_it_has_come,
    a_text_of_a_sender_id_has_no_number,
    every_surface_shows_the_same_item,
    the_short_summary_shows_until_there_is_a_full_one,
}

/// The published fields of an item, in the order of the alphabet; `transcript` comes when asked for, and ours
/// (`extracted_data`, `media_urls`, `segments`) when there is any.
const FIELDS: [&str; 16] = [
    "allo_number",
    "contact_number",
    "contacts",
    "content",
    "date",
    "direction",
    "duration",
    "id",
    "message_type",
    "recording_url",
    "result",
    "status",
    "summary",
    "tags",
    "type",
    "user",
];

/// Those of a text.
fn of_text() -> Vec<&'static str> {
    let mut fields = FIELDS.to_vec();
    fields.push("segments");
    fields.sort_unstable();
    fields
}

async fn get(app: &TestApp, id: impl std::fmt::Display, query: &str) -> Value {
    let reply = app.get(&format!("/v2/api/conversations/items/{id}{query}")).await;
    assert_eq!(keys(&reply.json), ["data"]);
    reply.data().clone()
}

fn sarahs_contact(world: &World, of: &Value) -> Value {
    json!([{
        "id": world.app.office.sarah,
        "name": "Sarah Johnson",
        "company": { "id": of[0]["company"]["id"], "name": "Johnson Bakery" },
        "deals": [{ "id": of[0]["deals"][0]["id"], "name": "Flour for a year", "status": "OPEN" }],
    }])
}

fn the_call(world: &World, contacts: &Value) -> Value {
    json!({
        "id": world.call,
        "type": "CALL",
        "direction": "INBOUND",
        "allo_number": "+14155550100",
        "contact_number": "+14155551234",
        "contacts": sarahs_contact(world, contacts),
        "user": { "id": world.app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example" },
        "date": "2026-04-20T09:50:00.000Z",
        "duration": 145,
        "result": "ANSWERED",
        "recording_url": "https://media.example/sarah.mp3",
        "summary": "Asked about the bill.",
        "tags": ["vip"],
        "extracted_data": { "name": "Sarah Johnson", "company": "Johnson Bakery" },
        "content": null,
        "status": null,
        "message_type": null,
    })
}

async fn a_call_with_everything(db: TestDb) {
    let world = World::open(db).await;
    let item = get(&world.app, world.call, "").await;
    assert_eq!(item, the_call(&world, &item["contacts"]));
    for (id, prefix) in [
        (&item["contacts"][0]["company"]["id"], "com-"),
        (&item["contacts"][0]["deals"][0]["id"], "dea-"),
    ] {
        assert!(
            id.as_str().unwrap().starts_with(prefix) && id.as_str().unwrap().len() == 31,
            "{id}"
        );
    }
    // An underscore is as good as a dash on the way in, and a dash comes back.
    let underscored = world.call.to_string().replace('-', "_");
    assert_eq!(get(&world.app, underscored, "").await, item);
}

async fn transcripts_come_when_asked_for(db: TestDb) {
    let world = World::open(db).await;
    let mut expected = the_call(&world, &get(&world.app, world.call, "").await["contacts"]);
    expected["transcript"] = json!([
        { "source": "EXTERNAL", "time": "2026-04-20T09:50:05.000Z", "text": "I have a question about my bill." },
        { "source": "USER", "time": "2026-04-20T09:50:09.000Z", "text": "Certainly." },
    ]);
    for query in [
        "?extend=transcript",
        "?extend=transcript,transcript",
        "?extend=%20transcript%20,",
    ] {
        assert_eq!(get(&world.app, world.call, query).await, expected, "{query}");
    }
    assert_eq!(
        get(&world.app, world.message, "?extend=transcript")
            .await
            .get("transcript"),
        Some(&Value::Null)
    );
    let silent = missed_call(&world.app, us(), nobody()).await;
    assert_eq!(
        get(&world.app, silent, "?extend=transcript").await["transcript"],
        json!([])
    );
    for query in ["", "?extend="] {
        assert_eq!(
            get(&world.app, world.call, query).await.get("transcript"),
            None,
            "{query:?}"
        );
    }
    for value in ["summary", "transcript,summary", "TRANSCRIPT", "transcripts"] {
        let reply = world
            .app
            .get(&format!(
                "/v2/api/conversations/items/{}?extend={value}",
                world.call
            ))
            .await;
        assert_error(&reply, "UNSUPPORTED_EXTEND_VALUE");
        assert_eq!(reply.json["error"]["param"], "extend");
    }
}

async fn a_text_has_what_texts_have(db: TestDb) {
    let world = World::open(db).await;
    let item = get(&world.app, world.message, "").await;
    let expected = json!({
        "id": world.message,
        "type": "SMS",
        "direction": "INBOUND",
        "allo_number": "+14155550100",
        "contact_number": "+14155551234",
        "contacts": sarahs_contact(&world, &item["contacts"]),
        "user": null,
        "date": "2026-04-20T10:00:00.000Z",
        "duration": null,
        "result": null,
        "recording_url": null,
        "summary": null,
        "tags": [],
        "content": "Is the flour on its way?",
        "status": "DELIVERED",
        "message_type": "SMS",
        "segments": 1,
    });
    assert_eq!(item, expected);
    assert_eq!(keys(&item), of_text());
}

async fn a_call_that_rings_has_no_result_yet(db: TestDb) {
    let app = searchable(db).await;
    let ring = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: nobody(),
        user: None,
        blocked: false,
        at: app.board.now(),
    };
    let call = command(&app, move |work| calls::ring(work, &ring)).await;
    let expected = json!({
        "id": call,
        "type": "CALL",
        "direction": "INBOUND",
        "allo_number": "+14155550100",
        "contact_number": "+14155559999",
        "contacts": [],
        "user": null,
        "date": "2026-04-20T10:00:00.000Z",
        "duration": null,
        "result": null,
        "recording_url": null,
        "summary": null,
        "tags": [],
        "content": null,
        "status": null,
        "message_type": null,
    });
    assert_eq!(get(&app, call, "").await, expected);
    let (ben, at) = (app.office.ben, app.board.now());
    command(&app, move |work| {
        calls::step(work, call, &Step::Answer(Some(ben), at))
    })
    .await;
    let item = get(&app, call, "").await;
    assert_eq!(
        (&item["result"], &item["duration"]),
        (&Value::Null, &Value::Null),
        "it lasts"
    );
    assert_eq!(item["user"]["name"], "Ben Ortiz");
    command(&app, move |work| {
        calls::step(work, call, &Step::End(EndCause::HungUp, None, at.plus(7_400)))
    })
    .await;
    let item = get(&app, call, "").await;
    assert_eq!(
        (&item["result"], &item["duration"]),
        (&json!("ANSWERED"), &json!(7))
    );
}

async fn every_result_has_its_name(db: TestDb) {
    let app = searchable(db).await;
    let (at, ada, ben) = (app.board.now(), app.office.ada, app.office.ben);
    let transfer = |kind| {
        Step::Transfer(Transfer {
            kind,
            to_user: Some(ben),
            to_number: None,
            at: at.plus(5_000),
        })
    };
    let answer = || Step::Answer(Some(ada), at.plus(2_000));
    let end = |cause| Step::End(cause, None, at.plus(12_000));
    let hung_up = || end(EndCause::HungUp);
    let cases = [
        (vec![answer(), hung_up()], "ANSWERED", 10, json!("Ada Park")),
        (
            vec![answer(), transfer(TransferKind::Colleague), hung_up()],
            "ANSWERED",
            10,
            json!("Ben Ortiz"),
        ),
        (
            vec![answer(), transfer(TransferKind::External), hung_up()],
            "TRANSFERRED",
            10,
            json!("Ada Park"),
        ),
        (
            vec![answer(), transfer(TransferKind::Ai), hung_up()],
            "TRANSFERRED",
            10,
            json!("Ada Park"),
        ),
        (
            vec![Step::Voicemail(at.plus(2_000)), hung_up()],
            "VOICEMAIL",
            10,
            Value::Null,
        ),
        (vec![end(EndCause::NoAnswer)], "MISSED", 0, Value::Null),
        (vec![hung_up()], "MISSED", 0, Value::Null),
        (vec![end(EndCause::Blocked)], "BLOCKED", 0, Value::Null),
        (vec![end(EndCause::Busy)], "FAILED", 0, Value::Null),
        (vec![end(EndCause::Failed)], "FAILED", 0, Value::Null),
        (vec![Step::Abandon(at.plus(1_000))], "FAILED", 0, Value::Null),
    ];
    for (steps, result, duration, user) in cases {
        let what = format!("{steps:?}");
        let call = record(&app, Direction::Inbound, us(), nobody(), at, steps).await;
        let item = get(&app, call, "").await;
        assert_eq!(
            (&item["result"], &item["duration"]),
            (&json!(result), &json!(duration)),
            "{what}"
        );
        assert_eq!(item["user"]["name"], user, "{what}");
    }
}

async fn contacts_are_all_that_match(db: TestDb) {
    let app = searchable(db).await;
    let shared = text_in(&app, fr(), marie(), "Bonjour").await;
    let contacts = &get(&app, shared, "").await["contacts"];
    let expected = json!([
        { "id": app.office.marie, "name": "Marie Dupont", "company": null, "deals": [] },
        { "id": app.office.sam, "name": "Sam", "company": null, "deals": [] },
    ]);
    assert_eq!(contacts, &expected, "the oldest first");
    let unknown = text_in(&app, us(), nobody(), "Hello").await;
    assert_eq!(get(&app, unknown, "").await["contacts"], json!([]));
    // A contact that is known by its number only.
    let nameless = command(&app, |work| {
        people::create_contact(
            work,
            &CreateContact {
                numbers: vec![nobody().to_string()],
                ..CreateContact::default()
            },
        )
    })
    .await;
    let expected = json!([{ "id": nameless, "name": "+14155559999", "company": null, "deals": [] }]);
    assert_eq!(
        get(&app, unknown, "").await["contacts"],
        expected,
        "contacts are matched when they are shown"
    );
}

async fn a_text_with_media_says_where_it_is(db: TestDb) {
    let app = searchable(db).await;
    let urls = ["https://media.example/1.jpg", "https://media.example/2.jpg"];
    let text = Receive {
        line: us(),
        from: sarah(),
        content: String::new(),
        media: urls.map(str::to_owned).to_vec(),
        carrier: "sandbox",
        carrier_ref: None,
        at: app.board.now(),
    };
    let id = command(&app, move |work| messages::receive(work, &text)).await;
    let item = get(&app, id, "").await;
    assert_eq!(item["media_urls"], json!(urls));
    assert_eq!(
        (&item["message_type"], &item["content"]),
        (&json!("MMS"), &json!(""))
    );
}

async fn a_text_that_goes_out_tells_how_far_it_has_come(db: TestDb) {
    let app = searchable(db).await;
    let fates = [
        ("+14155550001", "FAILED", Topic::SmsFailed),
        ("+14155557777", "DELIVERED", Topic::SmsDelivered),
    ];
    for (to, status, topic) in fates {
        let before = app.office.last_event().await;
        let id = text_out(&app, us(), number(to), "On its way").await;
        wait_for(&app, Topic::SmsSent, before).await;
        let item = get(&app, id, "").await;
        assert_eq!(
            (&item["status"], &item["direction"]),
            (&json!("SENT"), &json!("OUTBOUND"))
        );
        assert_eq!(item["user"]["email"], "ada@fogcity.example");
        app.office.clock.advance(Millis::SECOND);
        wait_for(&app, topic, before).await;
        assert_eq!(get(&app, id, "").await["status"], status);
    }
}

async fn a_text_of_a_sender_id_has_no_number(db: TestDb) {
    let app = searchable(db).await;
    command(&app, |work| {
        let sender = AddNumber {
            address: Address::SenderId("FOGCITY".to_owned(), "FR".to_owned()),
            name: None,
            capabilities: vec![trunkline_domain::Capability::Sms],
            carrier: "sandbox".to_owned(),
            carrier_settings: None,
            members: Vec::new(),
        };
        let id: NumberId = work.new_id(work.now);
        let line = accounts::add_number(work, id, &sender)?;
        let text = ImportItem {
            line,
            contact: marie(),
            direction: Direction::Outbound,
            user: None,
            at: START,
            body: ImportBody::Message {
                content: "Votre commande est prête".to_owned(),
            },
        };
        import(work, &[text])
    })
    .await;
    let reply = app.post("/v2/api/conversations/items/search", &json!({})).await;
    let item = &reply.data()[0];
    assert_eq!(
        (&item["allo_number"], &item["content"]),
        (&Value::Null, &json!("Votre commande est prête"))
    );
    assert_eq!(keys(item), of_text());
}

async fn every_surface_shows_the_same_item(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    answered_call(app, fr(), marie(), app.office.ben).await;
    let search = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "extend": "transcript" }),
        )
        .await;
    assert_eq!(ids(&search).len(), 3);
    let batch = json!({ "ids": ids(&search), "extend": "transcript" });
    let batch = app.post("/v2/api/conversations/items/batch", &batch).await;
    assert_eq!(batch.data(), search.data());
    let words = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "search": "flour", "extend": "transcript" }),
        )
        .await;
    assert_eq!(
        words.data(),
        &json!([get(app, world.message, "?extend=transcript").await])
    );
    for item in search.data().as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        assert_eq!(&get(app, id, "?extend=transcript").await, item);
    }
    let list = app
        .get("/v2/api/conversations?allo_number=%2B33142685300&extend=transcript")
        .await;
    assert_eq!(list.data()[0]["last_item"], search.data()[0]);
}

async fn the_short_summary_shows_until_there_is_a_full_one(db: TestDb) {
    let app = searchable(db).await;
    let at = app.board.now();
    let summary = |template, text: &str| Step::Leave(Leftover::Summary(template, text.to_owned()));
    let end = || Step::End(EndCause::HungUp, None, at.plus(9_000));
    let short = || summary(SummaryTemplate::ShortCall, "Short.");
    let full = || summary(SummaryTemplate::Classic, "Full.");
    for (steps, expected) in [
        (vec![short()], "Short."),
        (vec![full()], "Full."),
        (vec![short(), full()], "Full."),
        (vec![full(), short()], "Full."),
    ] {
        let steps = [vec![Step::Answer(None, at), end()], steps].concat();
        let call = record(&app, Direction::Inbound, us(), nobody(), at, steps).await;
        assert_eq!(get(&app, call, "").await["summary"], expected);
    }
}

#[test]
fn both_transfers_are_one_result_here() {
    let names: std::collections::BTreeSet<&str> =
        CallResult::ALL.iter().map(|result| result.as_v2()).collect();
    let expected = [
        "ANSWERED",
        "BLOCKED",
        "FAILED",
        "MISSED",
        "TRANSFERRED",
        "VOICEMAIL",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
}
