//! Queues of the power dialer: filled, emptied, called, handed over.

use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::events::Topic;
use trunkline_domain::{CallId, Direction, Millis, PhoneNumber, ScopeSet, UserId};
use trunkline_store::audit;
use trunkline_switchboard::calls::{self, Ring, Step};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, number, sarah, us};

use crate::people::{self, neighbour};
use crate::support::{assert_error, assert_page, blamed, command, events_of, ids, keys, searchable};

trunkline_testkit::on_both! {
    who_has_no_queue_has_no_numbers,
    the_newest_queue_is_current,
    a_queue_is_made_by_whatever_comes_first,
    numbers_are_queued_in_any_formatting,
    whose_number_it_is_is_known_or_made,
    a_queue_holds_a_thousand_numbers,
    what_is_wrong_with_an_entry_is_named,
    numbers_are_removed_and_the_others_stay_where_they_are,
    pages_of_a_queue,
    a_call_is_noted_where_its_number_is_queued,
    a_queue_changes_hands,
    only_who_may_hands_a_queue_over,
    somebody_else_is_found_by_id_or_address,
    a_person_that_is_merged_keeps_its_places,
}

const CURRENT: &str = "/v2/api/dialing-queues/current";
const NUMBERS: &str = "/v2/api/dialing-queues/current/numbers";

async fn append(app: &TestApp, numbers: &[&str]) -> Reply {
    let numbers: Vec<Value> = numbers.iter().map(|number| json!({ "number": number })).collect();
    app.post(NUMBERS, &json!({ "numbers": numbers })).await
}

/// Positions and numbers of the current queue.
async fn queued(app: &TestApp, query: &str) -> Vec<(i64, String)> {
    let reply = app.get(&format!("{CURRENT}{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let entries = reply.data().as_array().unwrap().iter();
    entries
        .map(|entry| {
            let number = entry["number_to"].as_str().unwrap().to_owned();
            (entry["position"].as_i64().unwrap(), number)
        })
        .collect()
}

async fn as_user(
    app: &TestApp,
    user: UserId,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let key = people::key_of(app, user, ScopeSet::ALL).await;
    let own = crate::support::authorization(&key);
    app.send_with(
        method,
        path,
        &[("Authorization", &own)],
        body.map(|body| body.to_string()),
    )
    .await
}

async fn who_has_no_queue_has_no_numbers(db: TestDb) {
    let app = searchable(db).await;
    let reply = app.get(CURRENT).await;
    let none = json!({
        "data": [],
        "pagination": {
            "page": 1, "size": 20, "total_count": 0, "total_pages": 0, "has_more": false, "next_cursor": null,
        },
    });
    assert_eq!((reply.status, &reply.json), (200, &none));
    assert_error(
        &app.delete(&format!("{NUMBERS}?unassigned=true")).await,
        "DIALING_QUEUE_NOT_FOUND",
    );
}

async fn the_newest_queue_is_current(db: TestDb) {
    let app = searchable(db).await;
    let first = app.post(CURRENT, &json!({ "name": " Monday " })).await;
    let expected = json!({
        "id": first.data()["id"], "name": "Monday", "creator_id": app.office.ada, "assignee_id": app.office.ada,
        "voicemail_handling": "NO_SKIP", "do_not_disturb": "DISABLED", "numbers": [],
        "created_at": "2026-04-20T10:00:00.000Z", "updated_at": "2026-04-20T10:00:00.000Z",
    });
    assert_eq!((first.status, first.data()), (200, &expected));
    assert!(expected["id"].as_str().unwrap().starts_with("pdl_"));
    assert_eq!(append(&app, &[sarah().as_str()]).await.status, 200);
    assert_eq!(queued(&app, "").await.len(), 1);
    // Without a body too; in the same moment, the later one is the newer.
    let second = app.send(reqwest::Method::POST, CURRENT, None).await;
    assert_eq!((second.status, &second.data()["name"]), (200, &Value::Null));
    let now = app.get(CURRENT).await;
    assert_eq!(keys(&now.json), ["data", "pagination", "queue"]);
    assert_eq!(
        (&now.json["queue"]["id"], now.data()),
        (&second.data()["id"], &json!([]))
    );
    assert_eq!(now.json["queue"].get("numbers"), None);
    // The ten newest are kept.
    for _ in 0..12 {
        assert_eq!(app.post(CURRENT, &json!({})).await.status, 200);
    }
    let count: Result<_, trunkline_store::StoreError> = app
        .board
        .db()
        .read(|conn| {
            let queues = conn.row("SELECT COUNT(*) FROM dialing_queues", &[], |row| {
                row.get::<i64>(0)
            })?;
            let entries = conn.row("SELECT COUNT(*) FROM dialing_entries", &[], |row| {
                row.get::<i64>(0)
            })?;
            Ok((queues, entries))
        })
        .await;
    assert_eq!(count.unwrap(), (Some(10), Some(0)));
}

async fn a_queue_is_made_by_whatever_comes_first(db: TestDb) {
    let app = searchable(db).await;
    let body = json!({ "voicemail_handling": "SKIP", "do_not_disturb": "ENABLED" });
    let made = app.patch(CURRENT, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let told = |reply: &Reply| {
        let queue = reply.data();
        ["name", "voicemail_handling", "do_not_disturb"].map(|field| queue[field].clone())
    };
    assert_eq!(told(&made), [json!(null), json!("SKIP"), json!("ENABLED")]);
    app.office.clock.advance(Millis::MINUTE);
    let named = app.patch(CURRENT, &json!({ "name": "Cold calls" })).await;
    assert_eq!(
        told(&named),
        [json!("Cold calls"), json!("SKIP"), json!("ENABLED")]
    );
    assert_eq!(named.data()["id"], made.data()["id"]);
    assert_eq!(named.data()["updated_at"], "2026-04-20T10:01:00.000Z");
    app.office.clock.advance(Millis::MINUTE);
    let same = app
        .patch(
            CURRENT,
            &json!({ "name": "Cold calls", "voicemail_handling": null }),
        )
        .await;
    assert_eq!(same.data(), named.data(), "nothing has changed");
    let nameless = app.patch(CURRENT, &json!({ "name": null })).await;
    assert_eq!(told(&nameless), [json!(null), json!("SKIP"), json!("ENABLED")]);
    for (name, code) in [
        (json!(" "), "INVALID_PARAMETER"),
        (json!("é".repeat(256)), "INVALID_LENGTH"),
    ] {
        let reply = app.patch(CURRENT, &json!({ "name": name })).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], "name");
    }
    // Ben's comes to be with his first number, and so is named whoever made it.
    let body = json!({ "numbers": [{ "number": "+14155551234" }], "user_id": app.office.ben });
    assert_eq!(app.post(NUMBERS, &body).await.status, 200);
    let bens = app.get(&format!("{CURRENT}?user_id={}", app.office.ben)).await;
    let queue = &bens.json["queue"];
    assert_eq!(queue["creator_id"], json!(app.office.ada));
    assert_eq!(queue["assignee_id"], json!(app.office.ben));
    assert_eq!(queue["voicemail_handling"], "NO_SKIP");
}

async fn numbers_are_queued_in_any_formatting(db: TestDb) {
    let app = searchable(db).await;
    let reply = append(
        &app,
        &[
            "+1 (415) 555-1234",
            "twelve",
            "(415) 555-9999",
            "00 33 6 12 34 56 78",
            "12",
            "+14155551234",
        ],
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(keys(reply.data()), ["added", "skipped"]);
    let reason = "INVALID_PHONE_NUMBER";
    let skipped = json!([
        { "number": "twelve", "reason": reason }, { "number": "00 33 6 12 34 56 78", "reason": reason },
        { "number": "12", "reason": reason },
    ]);
    // The team is American: there, international numbers begin with 011.
    assert_eq!(reply.data()["skipped"], skipped);
    let entry = json!({
        "number_to": "+14155551234", "position": 0, "created_at": "2026-04-20T10:00:00.000Z",
        "updated_at": "2026-04-20T10:00:00.000Z", "call_start_date": null, "call_id": null, "routing_result": null,
        "sync_status": "SYNCED", "detected_outbound_voicemail": null, "not_reached_destination_reason": null,
        "voicemail_left": null,
    });
    assert_eq!(reply.data()["added"][0], entry);
    let more = append(&app, &["011 33 6 12 34 56 78"]).await;
    assert_eq!(more.data()["added"][0]["position"], 3);
    let all = [
        (0, "+14155551234"),
        (1, "+14155559999"),
        (2, "+14155551234"),
        (3, "+33612345678"),
    ];
    let all: Vec<(i64, String)> = all
        .map(|(position, number)| (position, number.to_owned()))
        .to_vec();
    assert_eq!(queued(&app, "").await, all);
    // Where nothing is a number, nothing is queued, and that is told.
    let none = append(&app, &["x"]).await;
    assert_eq!((none.status, &none.data()["added"]), (200, &json!([])));
    assert_eq!(queued(&app, "").await, all);
}

async fn whose_number_it_is_is_known_or_made(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    let entry = |number: PhoneNumber, first: &str| {
        json!({
            "number": number, "name": first, "last_name": "Doe", "company": "JOHNSON bakery", "job_title": "Buyer",
            "website": "https://doe.example", "emails": ["Jo@Doe.example"], "addresses": [" ", "1 Main St", "2 Main St"],
        })
    };
    let fresh = number("+14155557777");
    let body = json!({ "numbers": [
        entry(sarah(), "Jo"), entry(fresh, "Jo"), entry(fresh, "Jane"), { "number": nobody() },
        { "number": "+14155558888", "company": "New Ltd" }, { "number": "+14155558889", "company": "new LTD" },
    ] });
    let reply = app.post(NUMBERS, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let created = events_of(&app, Topic::ContactCreated, before).await;
    assert_eq!(created.len(), 4, "one for each number that nobody had");
    let person = async |number: &str| {
        let found = app
            .post(
                "/v2/api/crm/people/search",
                &json!({ "filters": { "phone_number": number } }),
            )
            .await;
        let all = found.data().as_array().unwrap().clone();
        assert_eq!(all.len(), 1, "{}", found.text);
        all[0].clone()
    };
    let jo = person(fresh.as_str()).await;
    for (field, value) in [
        ("name", json!("Jo")),
        ("last_name", json!("Doe")),
        ("job_title", json!("Buyer")),
        ("website", json!("https://doe.example")),
        ("emails", json!(["jo@doe.example"])),
        ("address", json!("1 Main St")),
    ] {
        assert_eq!(jo[field], value, "{field}");
    }
    assert_eq!(
        jo["company"]["id"],
        json!(app.office.bakery),
        "matched whatever the case"
    );
    // Sarah keeps what she has, and gets what she lacked.
    let sarah = person(sarah().as_str()).await;
    assert_eq!(
        (&sarah["name"], &sarah["last_name"]),
        (&json!("Sarah"), &json!("Johnson"))
    );
    assert_eq!(sarah["address"], "1 Main St");
    let updated = events_of(&app, Topic::ContactUpdated, before).await;
    assert_eq!(updated.len(), 1, "Sarah's; Jo lacked nothing the second time");
    let companies = app.post("/v2/api/crm/companies/search", &json!({})).await;
    assert_eq!(
        companies.json["pagination"]["total_count"], 2,
        "{}",
        companies.text
    );
    app.office.assert_sound().await;
}

async fn a_queue_holds_a_thousand_numbers(db: TestDb) {
    let app = searchable(db).await;
    let many = |from: usize, count: usize| {
        let numbers = (from..from + count).map(|i| json!({ "number": format!("+1415555{:04}", i % 10_000) }));
        json!({ "numbers": numbers.collect::<Vec<_>>() })
    };
    assert_eq!(app.post(NUMBERS, &many(2_000, 600)).await.status, 200);
    let refused = app.post(NUMBERS, &many(3_000, 401)).await;
    assert_error(&refused, "DIALING_QUEUE_LIMIT_REACHED");
    assert_eq!(refused.json["error"]["param"], "numbers");
    let count = async || app.get(CURRENT).await.json["pagination"]["total_count"].clone();
    assert_eq!(count().await, 600, "none was queued");
    assert_error(
        &app.post(NUMBERS, &many(3_000, 1_001)).await,
        "DIALING_QUEUE_LIMIT_REACHED",
    );
    // What is no number takes no place.
    let mut exact = many(3_000, 400);
    exact["numbers"]
        .as_array_mut()
        .unwrap()
        .insert(7, json!({ "number": "twelve" }));
    let full = app.post(NUMBERS, &exact).await;
    assert_eq!(
        (full.status, full.data()["skipped"].as_array().unwrap().len()),
        (200, 1)
    );
    assert_eq!(count().await, 1_000);
    assert_error(
        &append(&app, &["+14155551234"]).await,
        "DIALING_QUEUE_LIMIT_REACHED",
    );
    assert_eq!(append(&app, &["twelve"]).await.status, 200);
    // A place that was freed is a place again, at the end.
    let removed = app.delete(&format!("{NUMBERS}?position=0")).await;
    assert_eq!(removed.data(), &json!({ "removed": 1 }));
    assert_eq!(
        append(&app, &["+14155551234"]).await.data()["added"][0]["position"],
        1_000
    );
    let whole = app.patch(CURRENT, &json!({ "name": "Full" })).await;
    assert_eq!(whole.data()["numbers"].as_array().unwrap().len(), 1_000);
}

async fn what_is_wrong_with_an_entry_is_named(db: TestDb) {
    let app = searchable(db).await;
    let before = app.office.last_event().await;
    let good = json!({ "number": "+14155557777", "name": "Jo" });
    for (entry, code, param) in [
        (json!({}), "MISSING_PARAMETER", "numbers[1].number"),
        (json!({ "number": 5 }), "INVALID_PARAMETER", "numbers[1].number"),
        (
            json!({ "number": "1".repeat(101) }),
            "INVALID_LENGTH",
            "numbers[1].number",
        ),
        (
            json!({ "number": "1", "name": "é".repeat(256) }),
            "INVALID_LENGTH",
            "numbers[1].name",
        ),
        (
            json!({ "number": "1", "emails": ["jo"] }),
            "INVALID_PARAMETER",
            "numbers[1].emails",
        ),
        (
            json!({ "number": "1", "emails": vec!["a@b"; 21] }),
            "INVALID_PARAMETER",
            "numbers[1].emails",
        ),
        (
            json!({ "number": "1", "addresses": ["é".repeat(1_001)] }),
            "INVALID_LENGTH",
            "numbers[1].addresses",
        ),
        (json!("+14155551234"), "INVALID_PARAMETER", "numbers"),
    ] {
        let reply = app.post(NUMBERS, &json!({ "numbers": [good, entry] })).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(param), "{}", reply.text);
    }
    for (numbers, code) in [
        (json!([]), "INVALID_PARAMETER"),
        (json!(null), "MISSING_PARAMETER"),
        (json!("x"), "INVALID_PARAMETER"),
    ] {
        let reply = app.post(NUMBERS, &json!({ "numbers": numbers })).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], "numbers");
    }
    assert_eq!(app.office.last_event().await, before, "nothing half-done");
    assert_eq!(app.get(CURRENT).await.json.get("queue"), None);
}

async fn numbers_are_removed_and_the_others_stay_where_they_are(db: TestDb) {
    let app = searchable(db).await;
    let (a, b, c) = ("+14155550001", "+14155550002", "+14155550003");
    append(&app, &[a, b, a, c, a, b]).await;
    let remove = async |query: &str| app.delete(&format!("{NUMBERS}?{query}")).await;
    let positions = async || -> Vec<i64> {
        queued(&app, "")
            .await
            .iter()
            .map(|(position, _)| *position)
            .collect()
    };
    // One of several; the number is read as people write it.
    let one = remove("position=2&number=(415)%20555-0001").await;
    assert_eq!((one.status, one.data()), (200, &json!({ "removed": 1 })));
    assert_eq!(positions().await, [0, 1, 3, 4, 5]);
    for (query, param) in [
        ("position=2", "position"),
        ("position=6", "position"),
        ("position=3&number=%2B14155550001", "position"),
        ("position=9223372036854775807", "position"),
    ] {
        let reply = remove(query).await;
        assert_error(&reply, "QUEUE_NUMBER_POSITION_NOT_FOUND");
        assert_eq!(reply.json["error"]["param"], param);
    }
    for (query, code) in [
        ("", "DIALING_QUEUE_DELETE_FILTER_REQUIRED"),
        ("unassigned=false", "DIALING_QUEUE_DELETE_FILTER_REQUIRED"),
        (
            "unassigned=true&number=%2B14155550001",
            "DIALING_QUEUE_DELETE_FILTER_CONFLICT",
        ),
        (
            "unassigned=true&position=0",
            "DIALING_QUEUE_DELETE_FILTER_CONFLICT",
        ),
        ("number=%2B1415", "INVALID_PHONE_NUMBER"),
        ("number=%2B1415&position=0", "INVALID_PHONE_NUMBER"),
    ] {
        assert_error(&remove(query).await, code);
    }
    assert_eq!(positions().await, [0, 1, 3, 4, 5]);
    assert_eq!(remove("number=%2B14155550001").await.data()["removed"], 2);
    assert_eq!(remove("number=%2B14155550001").await.data()["removed"], 0);
    assert_eq!(remove("position=3").await.data()["removed"], 1);
    assert_eq!(positions().await, [1, 5]);
    // No position is given twice, not even that of the last one.
    assert_eq!(remove("position=5").await.data()["removed"], 1);
    assert_eq!(append(&app, &[c]).await.data()["added"][0]["position"], 6);
    // What was called is kept by the third kind.
    let called = call(&app, app.office.ada, number(b)).await;
    assert_eq!(remove("unassigned=true").await.data()["removed"], 1);
    let left = app.get(CURRENT).await;
    assert_eq!(left.data()[0]["call_id"], json!(called));
    assert_eq!(positions().await, [1]);
}

async fn pages_of_a_queue(db: TestDb) {
    let app = searchable(db).await;
    let numbers: Vec<String> = (0..7).map(|i| format!("+1415555200{i}")).collect();
    append(&app, &numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let first = app.get(&format!("{CURRENT}?size=3")).await;
    let pagination = &first.json["pagination"];
    assert_eq!(
        (&pagination["total_count"], &pagination["total_pages"]),
        (&json!(7), &json!(3))
    );
    assert_eq!(pagination["has_more"], true);
    assert_eq!(queued(&app, "?size=3&page=3").await, [(6, numbers[6].clone())]);
    assert_eq!(queued(&app, "?size=3&page=4").await, []);
    // A cursor goes on where the page ended, whatever was removed before it.
    let cursor = pagination["next_cursor"].as_str().unwrap();
    app.delete(&format!("{NUMBERS}?position=0")).await;
    let rest = queued(&app, &format!("?size=100&cursor={cursor}")).await;
    assert_eq!(
        rest.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        [3, 4, 5, 6]
    );
    let last = app.get(&format!("{CURRENT}?size=100&cursor={cursor}")).await;
    assert_eq!(
        (
            &last.json["pagination"]["has_more"],
            &last.json["pagination"]["next_cursor"]
        ),
        (&json!(false), &json!(null))
    );
    // It belongs to its queue.
    app.post(CURRENT, &json!({})).await;
    assert_error(
        &app.get(&format!("{CURRENT}?cursor={cursor}")).await,
        "INVALID_CURSOR",
    );
    assert_error(
        &app.get(&format!("{CURRENT}?size=101")).await,
        "INVALID_PAGE_SIZE",
    );
    let notes = app.get("/v2/api/users").await;
    assert_eq!(ids(&notes).len(), 2);
    let list = app.post("/v2/api/crm/people/search", &json!({})).await;
    assert_page(&list);
}

/// Lets a call of `user` to `contact` ring.
async fn call(app: &TestApp, user: UserId, contact: PhoneNumber) -> CallId {
    let ring = Ring {
        direction: Direction::Outbound,
        line: us(),
        contact,
        user: Some(user),
        blocked: false,
        at: app.board.now(),
    };
    command(app, move |work| calls::ring(work, &ring)).await
}

async fn step(app: &TestApp, call: CallId, step: Step) {
    command(app, move |work| calls::step(work, call, &step)).await;
}

async fn a_call_is_noted_where_its_number_is_queued(db: TestDb) {
    let app = searchable(db).await;
    let (ada, ben) = (app.office.ada, app.office.ben);
    // Before it was queued, and of somebody else: neither is a call of the queue.
    call(&app, ada, sarah()).await;
    app.office.clock.advance(Millis::SECOND);
    let other = number("+14155550077");
    append(
        &app,
        &[
            sarah().as_str(),
            nobody().as_str(),
            sarah().as_str(),
            other.as_str(),
        ],
    )
    .await;
    call(&app, ben, sarah()).await;
    let entry = async |position: usize| app.get(CURRENT).await.data()[position].clone();
    for position in 0..4 {
        assert_eq!(entry(position).await["call_id"], Value::Null);
    }
    app.office.clock.advance(Millis::SECOND);
    // Two of the same number: the first call is the first one's.
    let first = call(&app, ada, sarah()).await;
    let ringing = entry(0).await;
    assert_eq!(ringing["call_id"], json!(first));
    assert_eq!(ringing["call_start_date"], "2026-04-20T10:00:02.000Z");
    assert_eq!(ringing["routing_result"], Value::Null);
    assert_eq!(entry(2).await["call_id"], Value::Null);
    let second = call(&app, ada, sarah()).await;
    assert_eq!(entry(2).await["call_id"], json!(second));
    let third = call(&app, ada, nobody()).await;
    let fourth = call(&app, ada, other).await;
    app.office.clock.advance(Millis::SECOND);
    let now = app.board.now();
    step(&app, first, Step::Answer(None, now)).await;
    step(&app, first, Step::End(EndCause::HungUp, None, now.plus(5_000))).await;
    step(&app, second, Step::Voicemail(now)).await;
    step(&app, second, Step::End(EndCause::HungUp, None, now.plus(5_000))).await;
    step(&app, third, Step::End(EndCause::Busy, None, now)).await;
    step(&app, fourth, Step::Abandon(now)).await;
    let told = async |position: usize| {
        let entry = entry(position).await;
        [
            "routing_result",
            "detected_outbound_voicemail",
            "not_reached_destination_reason",
            "voicemail_left",
            "updated_at",
        ]
        .map(|field| entry[field].clone())
    };
    let at = json!("2026-04-20T10:00:03.000Z");
    let (yes, no, null) = (json!(true), json!(false), Value::Null);
    assert_eq!(
        told(0).await,
        [
            json!("ANSWERED"),
            no.clone(),
            null.clone(),
            no.clone(),
            at.clone()
        ]
    );
    assert_eq!(
        told(2).await,
        [json!("VOICEMAIL"), yes, null.clone(), null, at.clone()]
    );
    assert_eq!(
        told(1).await,
        [json!("FAILED"), no.clone(), json!("BUSY"), no.clone(), at.clone()]
    );
    assert_eq!(
        told(3).await,
        [json!("FAILED"), no.clone(), json!("NETWORK_ERROR"), no, at]
    );
    // What comes after the end changes nothing, and a further call finds no entry.
    step(&app, first, Step::Complete(now.plus(9_000))).await;
    let late = call(&app, ada, sarah()).await;
    let all = app.get(CURRENT).await;
    assert!(!all.text.contains(&late.to_string()), "{}", all.text);
    // A call that comes in is none of the queue's, and one of a queue that is not current either.
    append(&app, &["+14155550088"]).await;
    let inbound = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: number("+14155550088"),
        user: Some(ada),
        blocked: false,
        at: app.board.now(),
    };
    command(&app, move |work| calls::ring(work, &inbound)).await;
    assert_eq!(entry(4).await["call_id"], Value::Null);
    app.post(CURRENT, &json!({})).await;
    call(&app, ada, number("+14155550088")).await;
    let uncalled: Result<_, trunkline_store::StoreError> = app
        .board
        .db()
        .read(|conn| {
            let sql = "SELECT COUNT(*) FROM dialing_entries WHERE call_id IS NULL";
            conn.row(sql, &[], |row| row.get::<i64>(0))
        })
        .await;
    assert_eq!(uncalled.unwrap(), Some(1));
}

async fn a_queue_changes_hands(db: TestDb) {
    let app = searchable(db).await;
    let (ada, ben) = (app.office.ada, app.office.ben);
    let old = app.post(CURRENT, &json!({ "name": "Old", "user_id": ben })).await;
    let made = app.post(CURRENT, &json!({ "name": "Leads" })).await;
    append(&app, &[sarah().as_str()]).await;
    let path = format!(
        "/v2/api/dialing-queues/{}/assignee",
        made.data()["id"].as_str().unwrap()
    );
    let newer = app
        .post(CURRENT, &json!({ "name": "Newer", "user_id": ben }))
        .await;
    app.office.clock.advance(Millis::MINUTE);
    let given = app
        .patch(&path, &json!({ "email": " BEN@fogcity.example" }))
        .await;
    assert_eq!(given.status, 200, "{}", given.text);
    assert_eq!(given.data()["assignee_id"], json!(ben));
    assert_eq!(given.data()["creator_id"], json!(ada));
    assert_eq!(given.data()["updated_at"], "2026-04-20T10:01:00.000Z");
    assert_eq!(given.data()["numbers"][0]["number_to"], "+14155551234");
    // What was handed over last is current, even if another queue is younger.
    let bens = app.get(&format!("{CURRENT}?user_id={ben}")).await;
    assert_eq!(bens.json["queue"]["id"], made.data()["id"]);
    assert_eq!(
        app.get(CURRENT).await.json.get("queue"),
        None,
        "Ada has none left"
    );
    // Calls of Ben's are now those of the queue; while one lasts it stays with him.
    let call = call(&app, ben, sarah()).await;
    let refused = app.patch(&path, &json!({ "user_id": ada })).await;
    assert_error(&refused, "DIALING_QUEUE_SESSION_ACTIVE");
    step(&app, call, Step::End(EndCause::NoAnswer, None, app.board.now())).await;
    let back = app.patch(&path, &json!({ "user_id": ada })).await;
    assert_eq!(
        (back.status, &back.data()["numbers"][0]["routing_result"]),
        (200, &json!("FAILED"))
    );
    let bens = app.get(&format!("{CURRENT}?user_id={ben}")).await;
    assert_eq!(bens.json["queue"]["id"], newer.data()["id"], "what he had before");
    assert_ne!(newer.data()["id"], old.data()["id"]);
    let team = app.office.team;
    let entries = app
        .board
        .db()
        .read(move |conn| audit::list(conn, team, 100))
        .await
        .unwrap();
    let handed: Vec<_> = entries
        .iter()
        .filter(|entry| entry.action == "dialing_queue.assigned")
        .collect();
    assert_eq!(handed.len(), 2);
    assert!(handed.iter().all(|entry| entry.actor == ada.to_string()));
}

async fn only_who_may_hands_a_queue_over(db: TestDb) {
    let app = searchable(db).await;
    let (ada, ben) = (app.office.ada, app.office.ben);
    let path = |reply: &Reply| {
        format!(
            "/v2/api/dialing-queues/{}/assignee",
            reply.data()["id"].as_str().unwrap()
        )
    };
    let own = as_user(&app, ben, reqwest::Method::POST, CURRENT, Some(json!({}))).await;
    assert_eq!(own.data()["creator_id"], json!(ben));
    let to_ada = || Some(json!({ "user_id": ada }));
    // Ben is a member: not even his own queue.
    let refused = as_user(&app, ben, reqwest::Method::PATCH, &path(&own), to_ada()).await;
    assert_error(&refused, "DIALING_QUEUE_ASSIGN_FORBIDDEN");
    // Ada may, but not with what she neither made nor owns.
    assert_error(
        &app.patch(&path(&own), &json!({ "user_id": ada })).await,
        "DIALING_QUEUE_ASSIGN_FORBIDDEN",
    );
    let made = app.post(CURRENT, &json!({ "user_id": ben })).await;
    for (body, code, param) in [
        (json!({}), "DIALING_QUEUE_ASSIGNEE_REQUIRED", "user_id"),
        (
            json!({ "user_id": null, "email": null }),
            "DIALING_QUEUE_ASSIGNEE_REQUIRED",
            "user_id",
        ),
        (json!({ "user_id": "usr-1" }), "ASSIGNEE_NOT_FOUND", "user_id"),
        (
            json!({ "email": "nora@next.example" }),
            "ASSIGNEE_NOT_FOUND",
            "email",
        ),
    ] {
        let reply = app.patch(&path(&made), &body).await;
        assert_error(&reply, code);
        assert_eq!(reply.json["error"]["param"], param);
    }
    let gone = app
        .patch(
            "/v2/api/dialing-queues/pdl_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD/assignee",
            &json!({ "user_id": ada }),
        )
        .await;
    assert_error(&gone, "DIALING_QUEUE_NOT_FOUND");
    assert_eq!(
        app.patch(&path(&made), &json!({ "user_id": ada })).await.status,
        200
    );
}

async fn somebody_else_is_found_by_id_or_address(db: TestDb) {
    let app = searchable(db).await;
    let ben = app.office.ben;
    let theirs = neighbour(&app, people::World::Sandbox).await;
    let body = json!({ "name": "Ben's", "user_id": ben, "email": "nobody@fogcity.example" });
    assert_eq!(
        app.post(CURRENT, &body).await.status,
        200,
        "the id goes before the address"
    );
    for query in [format!("user_id={ben}"), "email=BEN%40fogcity.example".to_owned()] {
        assert_eq!(
            app.get(&format!("{CURRENT}?{query}")).await.json["queue"]["name"],
            "Ben's"
        );
    }
    for (query, param) in [
        ("user_id=usr-1".to_owned(), "user_id"),
        ("user_id=x&email=ben%40fogcity.example".to_owned(), "user_id"),
        (format!("user_id={}", theirs.user), "user_id"),
        ("email=nora%40next.example".to_owned(), "email"),
        ("email=nobody%40fogcity.example".to_owned(), "email"),
    ] {
        for reply in [
            app.get(&format!("{CURRENT}?{query}")).await,
            app.delete(&format!("{NUMBERS}?unassigned=true&{query}")).await,
        ] {
            assert_error(&reply, "ASSIGNEE_NOT_FOUND");
            assert_eq!(reply.json["error"]["param"], param, "{query}");
        }
    }
    // Who is blocked gets nothing to call, but what they had can be read, emptied and handed on.
    let blocked = "UPDATE users SET status = 'BLOCKED' WHERE email = 'ben@fogcity.example'";
    let block = move |tx: &mut trunkline_store::Tx<'_>| -> Result<u64, trunkline_store::StoreError> {
        tx.execute(blocked, &[])
    };
    assert_eq!(app.board.db().write(block).await.unwrap(), 1);
    for (param, value) in [("user_id", json!(ben)), ("email", json!("ben@fogcity.example"))] {
        for reply in [
            app.post(CURRENT, &json!({ param: value })).await,
            app.patch(CURRENT, &json!({ param: value })).await,
            app.post(
                NUMBERS,
                &json!({ "numbers": [{ "number": "+14155551234" }], param: value }),
            )
            .await,
        ] {
            assert_error(&reply, "ASSIGNEE_NOT_FOUND");
            assert_eq!(reply.json["error"]["param"], param);
        }
    }
    let read = app.get(&format!("{CURRENT}?user_id={ben}")).await;
    let path = format!(
        "/v2/api/dialing-queues/{}/assignee",
        read.json["queue"]["id"].as_str().unwrap()
    );
    assert_eq!(
        app.patch(&path, &json!({ "user_id": app.office.ada }))
            .await
            .status,
        200
    );
}

async fn a_person_that_is_merged_keeps_its_places(db: TestDb) {
    let app = searchable(db).await;
    append(&app, &["+14155557777", sarah().as_str()]).await;
    let found = app
        .post(
            "/v2/api/crm/people/search",
            &json!({ "filters": { "phone_number": "+14155557777" } }),
        )
        .await;
    let other = found.data()[0]["id"].clone();
    let path = format!("/v2/api/crm/people/{}/merge", app.office.sarah);
    assert_eq!(app.post(&path, &json!({ "person_id": other })).await.status, 200);
    let owners: Result<Vec<String>, trunkline_store::StoreError> = app
        .board
        .db()
        .read(|conn| {
            conn.rows(
                "SELECT contact_id FROM dialing_entries ORDER BY position",
                &[],
                |row| row.get(0),
            )
        })
        .await;
    assert_eq!(owners.unwrap(), vec![app.office.sarah.to_string(); 2]);
}
