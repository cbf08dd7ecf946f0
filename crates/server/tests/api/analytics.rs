//! Reports: what they count, and how they are asked for.

use serde_json::{Value, json};
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::{CallId, Direction, Millis, PhoneNumber, UserId};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, nobody, number, sarah, us};

use crate::support::{assert_error, authorization, blamed, command, keys, set_team};

trunkline_testkit::on_both! {
    a_funnel_adds_up,
    the_calls_behind_a_stage,
    days_are_the_teams,
    a_tag_changes_the_day_of_its_call,
    a_call_counts_as_soon_as_it_rings,
    the_overview_names_who_it_is_due_to,
    inbound_calls_and_calls_back,
    texts_and_first_responses,
    figures_as_csv,
    faulty_requests_say_what_is_wrong,
    nothing_at_all_is_answered_with_zeros,
}

pub const OVERVIEW: &str = "/v2/api/analytics/overview";
pub const OUTBOUND: &str = "/v2/api/analytics/outbound";
const INBOUND: &str = "/v2/api/analytics/inbound";
const MESSAGES: &str = "/v2/api/analytics/messages";

/// A server whose team counts its days in UTC.
pub async fn in_utc(db: TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    set_team(&app, "time_zone", "'UTC'").await;
    app
}

/// An instant of 2026.
pub fn at(text: &str) -> Millis {
    Millis::parse(text).unwrap()
}

/// How a call goes on after the first ring.
#[derive(Clone, Copy)]
pub enum Course {
    /// Answered after so many seconds, for so many.
    Answered(i64, i64),
    Voicemail(i64, i64),
    Missed(i64),
    Transferred(i64, i64),
}

async fn call(
    app: &TestApp,
    way: Direction,
    who: UserId,
    line: PhoneNumber,
    at: Millis,
    course: Course,
    tags: &[&str],
) -> CallId {
    call_with(app, way, who, line, sarah(), at, course, tags).await
}

#[expect(clippy::too_many_arguments, reason = "a call in one line of a test")]
pub async fn call_with(
    app: &TestApp,
    direction: Direction,
    who: UserId,
    line: PhoneNumber,
    contact: PhoneNumber,
    at: Millis,
    course: Course,
    tags: &[&str],
) -> CallId {
    let user = (direction == Outbound).then_some(who);
    let after = |seconds: i64| at.plus(seconds * Millis::SECOND);
    let (mut steps, end) = match course {
        Course::Answered(ring, talk) => (vec![Step::Answer(Some(who), after(ring))], after(ring + talk)),
        Course::Voicemail(ring, talk) => (vec![Step::Voicemail(after(ring))], after(ring + talk)),
        Course::Missed(ring) => (vec![], after(ring)),
        Course::Transferred(ring, talk) => {
            let transfer = Transfer {
                kind: TransferKind::External,
                to_user: None,
                to_number: Some(nobody()),
                at: after(ring + 1),
            };
            let steps = vec![Step::Answer(Some(who), after(ring)), Step::Transfer(transfer)];
            (steps, after(ring + talk))
        }
    };
    steps.extend(
        tags.iter()
            .map(|tag| Step::Leave(Leftover::Tag((*tag).to_owned()))),
    );
    let cause = if matches!(course, Course::Missed(_)) {
        EndCause::NoAnswer
    } else {
        EndCause::HungUp
    };
    steps.extend([Step::End(cause, None, end), Step::Complete(end)]);
    let ring = Ring {
        direction,
        line,
        contact,
        user,
        blocked: false,
        at,
    };
    command(app, move |work| calls::record(work, &ring, &steps)).await
}

use Direction::{Inbound, Outbound};

pub fn days(from: &str, to: &str) -> Value {
    json!({ "from": from, "to": to })
}

pub async fn ask(app: &TestApp, path: &str, body: Value) -> Value {
    let reply = app.post(path, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("x-ignored-parameters"), "");
    reply.data().clone()
}

fn points(series: &Value) -> Vec<(&str, f64)> {
    let points = series.as_array().unwrap().iter();
    points
        .map(|point| (point["date"].as_str().unwrap(), point["value"].as_f64().unwrap()))
        .collect()
}

/// Last week and the week before, of Ada's and Ben's.
pub async fn two_weeks(app: &TestApp) {
    let (ada, ben) = (app.office.ada, app.office.ben);
    for (who, day, course, tags) in [
        (ada, "2026-04-13T10:00:00Z", Course::Answered(4, 60), &[][..]),
        (
            ada,
            "2026-04-13T10:20:00Z",
            Course::Answered(6, 61),
            &["meeting_booked"],
        ),
        (ada, "2026-04-14T10:59:59Z", Course::Voicemail(10, 90), &[]),
        (
            ben,
            "2026-04-15T16:00:00Z",
            Course::Missed(20),
            &["meeting_booked", "vip"],
        ),
        (ben, "2026-04-19T23:59:59Z", Course::Transferred(2, 300), &["vip"]),
        // The week before.
        (
            ben,
            "2026-04-12T23:59:59Z",
            Course::Answered(8, 120),
            &["meeting_booked"],
        ),
        (ada, "2026-04-06T00:00:00Z", Course::Missed(30), &[]),
    ] {
        call(app, Outbound, who, us(), at(day), course, tags).await;
    }
    // Of another day, another way.
    call(
        app,
        Outbound,
        ada,
        us(),
        at("2026-04-20T00:00:00Z"),
        Course::Answered(1, 99),
        &[],
    )
    .await;
    call(
        app,
        Inbound,
        ada,
        us(),
        at("2026-04-14T09:00:00Z"),
        Course::Answered(1, 99),
        &["vip"],
    )
    .await;
}

async fn a_funnel_adds_up(db: TestDb) {
    let app = in_utc(db).await;
    two_weeks(&app).await;
    let body = json!({
        "date": days("2026-04-13", "2026-04-19"), "compare_date": days("2026-04-06", "2026-04-12"),
        "tags": ["Meeting booked"], "granularity": "DAY",
    });
    let data = ask(&app, OUTBOUND, body.clone()).await;
    assert_eq!(
        keys(&data),
        [
            "compare_date",
            "date",
            "funnel",
            "heatmap",
            "last_updated",
            "leaderboard",
            "time_series",
            "time_spent"
        ]
    );
    assert_eq!(
        data["funnel"],
        json!({
            "dials": { "count": { "value": 5, "previous": 2, "change": 1.5 }, "rate": 1.0 },
            "connected": { "count": { "value": 3, "previous": 1, "change": 2.0 }, "rate": 0.6 },
            "conversations": { "count": { "value": 2, "previous": 1, "change": 1.0 }, "rate": 0.4 },
            "conversions": { "count": { "value": 2, "previous": 1, "change": 1.0 }, "rate": 0.4 },
        })
    );
    let series = &data["time_series"];
    assert_eq!(
        points(&series["dials"]),
        [
            ("2026-04-13", 2.0),
            ("2026-04-14", 1.0),
            ("2026-04-15", 1.0),
            ("2026-04-16", 0.0),
            ("2026-04-17", 0.0),
            ("2026-04-18", 0.0),
            ("2026-04-19", 1.0)
        ]
    );
    assert_eq!(
        points(&series["connection_rate"])[..3],
        [("2026-04-13", 1.0), ("2026-04-14", 0.0), ("2026-04-15", 0.0)]
    );
    assert_eq!(points(&series["conversions"])[0].1, 1.0);
    assert_eq!(points(&series["connected"]).len(), 7);
    let heat = |what: &str| data["heatmap"][what].as_array().unwrap().clone();
    assert_eq!(heat("dials").len(), 168);
    assert!(heat("dials").contains(&json!({ "day": "MONDAY", "hour": 10, "value": 2 })));
    assert!(heat("connected").contains(&json!({ "day": "SUNDAY", "hour": 23, "value": 1 })));
    assert!(heat("connection_rate").contains(&json!({ "day": "TUESDAY", "hour": 10, "value": 0.0 })));
    let leaders: Vec<(&str, i64)> = data["leaderboard"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["user"]["email"].as_str().unwrap(),
                entry["connected"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(leaders.len(), 2);
    assert_eq!(leaders[0], ("ada@fogcity.example", 2));
    assert_eq!(leaders[1].1, 1);
    assert_eq!(
        data["time_spent"],
        json!({
            "avg_ringing_time_seconds": { "value": 8.4, "previous": 19.0, "change": -0.5579 },
            "avg_conversation_time_seconds": { "value": 140.3333, "previous": 120.0, "change": 0.1694 },
            "total_conversation_time_seconds": { "value": 421, "previous": 120, "change": 2.5083 },
        })
    );
    let mut narrow = body;
    narrow["user_ids"] = json!([app.office.ben]);
    let data = ask(&app, OUTBOUND, narrow.clone()).await;
    assert_eq!(
        data["funnel"]["dials"]["count"],
        json!({ "value": 2, "previous": 1, "change": 1.0 })
    );
    narrow["user_ids"] = json!([]);
    narrow["allo_numbers"] = json!([fr()]);
    let data = ask(&app, OUTBOUND, narrow).await;
    assert_eq!(
        data["funnel"]["dials"],
        json!({ "count": { "value": 0, "previous": 0, "change": null }, "rate": null })
    );
}

async fn the_calls_behind_a_stage(db: TestDb) {
    let app = in_utc(db).await;
    two_weeks(&app).await;
    let list = async |stage: &str, more: Value| {
        let mut body = json!({
            "date": days("2026-04-13", "2026-04-19"), "tags": ["meeting_booked"], "extend": "items", "stage": stage,
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let data = ask(&app, OUTBOUND, body).await;
        let counted = match stage {
            "DIAL" => "dials",
            "CONNECTED" => "connected",
            "CONVERSATION" => "conversations",
            _ => "conversions",
        };
        let items = data["items"].clone();
        assert_eq!(
            items["pagination"]["total_count"],
            data["funnel"][counted]["count"]["value"]
        );
        items
    };
    for (stage, expected) in [
        (
            "DIAL",
            &["CONVERSATION", "CONVERSION", "DIAL", "CONVERSION", "CONNECTED"][..],
        ),
        ("CONNECTED", &["CONVERSATION", "CONVERSION", "CONNECTED"]),
        ("CONVERSATION", &["CONVERSATION", "CONVERSION"]),
        ("CONVERSION", &["CONVERSION", "CONVERSION"]),
    ] {
        let items = list(stage, json!({})).await;
        let found: Vec<&str> = items["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["stage"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{stage}");
    }
    let items = list("DIAL", json!({ "size": 2 })).await;
    let first = &items["data"][0];
    assert_eq!(
        keys(first),
        [
            "allo_number",
            "allo_number_label",
            "contact_number",
            "date",
            "duration",
            "id",
            "stage",
            "user",
            "voicemail"
        ]
    );
    assert_eq!(
        (&first["duration"], &first["voicemail"]),
        (&json!(300), &json!(false))
    );
    assert_eq!(first["date"], "2026-04-19T23:59:59.000Z");
    // The same by pages and by cursors.
    let mut seen = Vec::new();
    let mut next = json!({ "size": 2 });
    loop {
        let items = list("DIAL", next.clone()).await;
        let page = items["data"].as_array().unwrap().clone();
        let number = seen.len() / 2 + 1;
        assert_eq!(
            list("DIAL", json!({ "size": 2, "page": number })).await["data"],
            items["data"]
        );
        seen.extend(page);
        let cursor = &items["pagination"]["next_cursor"];
        assert_eq!(
            cursor.is_null(),
            !items["pagination"]["has_more"].as_bool().unwrap()
        );
        if cursor.is_null() {
            break;
        }
        next = json!({ "size": 2, "cursor": cursor });
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.iter().filter(|item| item["voicemail"] == true).count(), 1);
    for narrow in [
        json!({ "user_ids": [app.office.ben] }),
        json!({ "allo_numbers": [us()], "size": 1, "page": 2 }),
        json!({ "allo_numbers": [us(), fr()] }),
    ] {
        for stage in ["DIAL", "CONNECTED", "CONVERSATION", "CONVERSION"] {
            list(stage, narrow.clone()).await;
        }
    }
    let body = json!({ "date": days("2026-04-13", "2026-04-19"), "stage": "DIAL" });
    assert_eq!(
        ask(&app, OUTBOUND, body).await.get("items"),
        None,
        "only when asked for"
    );
    let body = json!({ "date": days("2026-04-13", "2026-04-19"), "extend": "items" });
    let reply = app.post(OUTBOUND, &body).await;
    assert_error(&reply, "MISSING_PARAMETER");
    assert_eq!(reply.json["error"]["param"], "stage");
}

async fn days_are_the_teams(db: TestDb) {
    let app = in_utc(db).await;
    set_team(&app, "time_zone", "'Europe/Paris'").await;
    let ada = app.office.ada;
    // Clocks go from 2 to 3 on March 29.
    for instant in [
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T00:59:59Z",
        "2026-03-29T01:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
    ] {
        call(
            &app,
            Outbound,
            ada,
            us(),
            at(instant),
            Course::Answered(1, 5),
            &["vip"],
        )
        .await;
    }
    let data = ask(
        &app,
        OUTBOUND,
        json!({ "date": days("2026-03-29", "2026-03-29"), "compare_date": days("2026-03-28", "2026-03-28"), "tags": ["vip"] }),
    )
    .await;
    assert_eq!(
        data["funnel"]["dials"]["count"],
        json!({ "value": 4, "previous": 1, "change": 3.0 })
    );
    assert_eq!(data["funnel"]["conversions"]["count"]["value"], 4);
    assert_eq!(data["funnel"]["dials"]["rate"], 1.0);
    let dials = data["heatmap"]["dials"].as_array().unwrap();
    let busy: Vec<(i64, i64)> = dials
        .iter()
        .filter(|cell| cell["value"] != 0)
        .map(|cell| (cell["hour"].as_i64().unwrap(), cell["value"].as_i64().unwrap()))
        .collect();
    assert_eq!(busy, [(0, 1), (1, 1), (3, 1), (23, 1)], "there is no two o'clock");
    let data = ask(
        &app,
        OUTBOUND,
        json!({ "date": days("2026-03-25", "2026-04-01"), "granularity": "WEEK" }),
    )
    .await;
    assert_eq!(
        points(&data["time_series"]["dials"]),
        [("2026-03-23", 5.0), ("2026-03-30", 1.0)]
    );
    let data = ask(
        &app,
        OUTBOUND,
        json!({ "date": days("2026-01-31", "2026-03-31"), "granularity": "MONTH" }),
    )
    .await;
    assert_eq!(
        points(&data["time_series"]["dials"]),
        [("2026-01-01", 0.0), ("2026-02-01", 0.0), ("2026-03-01", 6.0)]
    );
}

async fn a_tag_changes_the_day_of_its_call(db: TestDb) {
    let app = in_utc(db).await;
    let ada = app.office.ada;
    let call = call(
        &app,
        Outbound,
        ada,
        us(),
        at("2026-01-05T10:00:00Z"),
        Course::Answered(1, 5),
        &[],
    )
    .await;
    let body = json!({ "date": days("2026-01-05", "2026-01-06"), "tags": ["vip", "won"] });
    let conversions = async || {
        let data = ask(&app, OUTBOUND, body.clone()).await;
        let series = points(&data["time_series"]["conversions"])
            .iter()
            .map(|point| point.1)
            .sum::<f64>();
        let count = data["funnel"]["conversions"]["count"]["value"].as_f64().unwrap();
        assert_eq!(series.to_bits(), count.to_bits());
        count as i64
    };
    assert_eq!(conversions().await, 0);
    let path = format!("/v2/api/conversations/items/{call}/tags");
    assert_eq!(
        app.post(&path, &json!({ "tags": ["vip", "won", "other"] }))
            .await
            .status,
        200
    );
    assert_eq!(
        conversions().await,
        1,
        "one call, however many of the tags it has"
    );
    app.delete(&format!("{path}/vip")).await;
    assert_eq!(conversions().await, 1);
    app.delete(&format!("{path}/won")).await;
    assert_eq!(conversions().await, 0);
    let data = ask(
        &app,
        OVERVIEW,
        json!({ "date": days("2026-01-05", "2026-01-05"), "group_by": "TAG" }),
    )
    .await;
    assert_eq!(data["breakdown"].as_array().unwrap().len(), 1);
    assert_eq!(data["breakdown"][0]["tag"], "other");
    assert_eq!(data["breakdown"][0]["tag_label"], "Other");
    assert_eq!(data["breakdown"][0]["calls"]["value"], 1);
}

async fn a_call_counts_as_soon_as_it_rings(db: TestDb) {
    let app = in_utc(db).await;
    let now = app.board.now();
    let today = now.date_in(&jiff::tz::TimeZone::UTC).to_string();
    let ring = Ring {
        direction: Outbound,
        line: us(),
        contact: sarah(),
        user: Some(app.office.ada),
        blocked: false,
        at: now,
    };
    let call = command(&app, move |work| calls::ring(work, &ring)).await;
    let funnel = async || {
        let body =
            json!({ "date": days(&today, &today), "tags": ["vip"], "extend": "items", "stage": "DIAL" });
        let data = ask(&app, OUTBOUND, body).await;
        assert_eq!(data["items"]["data"].as_array().unwrap().len(), 1);
        let count = |stage: &str| data["funnel"][stage]["count"]["value"].as_i64().unwrap();
        [
            count("dials"),
            count("connected"),
            count("conversations"),
            count("conversions"),
        ]
    };
    let step = async |step: Step| command(&app, move |work| calls::step(work, call, &step)).await;
    assert_eq!(funnel().await, [1, 0, 0, 0]);
    step(Step::Answer(None, now.plus(3_000))).await;
    assert_eq!(
        funnel().await,
        [1, 0, 0, 0],
        "what comes of it is counted at its end"
    );
    step(Step::Leave(Leftover::Tag("vip".to_owned()))).await;
    assert_eq!(funnel().await, [1, 0, 0, 1]);
    step(Step::End(EndCause::HungUp, None, now.plus(90_000))).await;
    assert_eq!(funnel().await, [1, 1, 1, 1], "not only when it is completed");
    step(Step::Complete(now.plus(100_000))).await;
    assert_eq!(funnel().await, [1, 1, 1, 1]);
}

async fn the_overview_names_who_it_is_due_to(db: TestDb) {
    let app = in_utc(db).await;
    two_weeks(&app).await;
    call(
        &app,
        Inbound,
        app.office.ben,
        fr(),
        at("2026-04-16T09:00:00Z"),
        Course::Missed(9),
        &[],
    )
    .await;
    let body =
        json!({ "date": days("2026-04-13", "2026-04-19"), "compare_date": days("2026-04-06", "2026-04-12") });
    let data = ask(&app, OVERVIEW, body.clone()).await;
    assert_eq!(
        keys(&data),
        ["breakdown", "compare_date", "date", "last_updated", "summary"]
    );
    assert_eq!(
        data["summary"],
        json!({
            "total_calls": { "value": 7, "previous": 2, "change": 2.5 },
            "talk_time_seconds": { "value": 520, "previous": 120, "change": 3.3333 },
            "calls_over_1_min": { "value": 3, "previous": 1, "change": 2.0 },
            "answer_rate": { "value": 0.5714, "previous": 0.5, "change": 0.1429 },
        })
    );
    let entries = data["breakdown"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "nobody's call is in nobody's entry");
    assert_eq!(entries[0]["user"]["id"], json!(app.office.ada));
    assert_eq!(
        entries[0]["calls"],
        json!({ "value": 4, "previous": 1, "change": 3.0 })
    );
    assert_eq!(
        keys(&entries[0]),
        [
            "answer_rate",
            "calls",
            "calls_over_1_min",
            "talk_time_seconds",
            "user"
        ]
    );
    assert_eq!(entries[1]["calls"]["value"], 2);
    let with = async |name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        ask(&app, OVERVIEW, body).await
    };
    let numbers = with("group_by", json!("ALLO_NUMBER")).await;
    let found: Vec<(&str, i64)> = numbers["breakdown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["allo_number"].as_str().unwrap(),
                entry["calls"]["value"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [(us().as_str(), 6), (fr().as_str(), 1)]);
    let tags = with("group_by", json!("TAG")).await;
    let found: Vec<(&str, i64)> = tags["breakdown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["tag"].as_str().unwrap(),
                entry["calls"]["value"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [("vip", 3), ("meeting_booked", 2)]);
    let one = with("user_ids", json!([app.office.ben, "usr-x"])).await;
    assert_eq!(one["summary"]["total_calls"]["value"], 2);
    assert_eq!(one["breakdown"].as_array().unwrap().len(), 1);
    let line = with("allo_numbers", json!([fr(), fr()])).await;
    assert_eq!(line["summary"]["total_calls"]["value"], 1);
    let idle =
        json!({ "date": days("2026-01-01", "2026-01-02"), "user_ids": [app.office.ada, app.office.ben] });
    let idle = ask(&app, OVERVIEW, idle).await;
    assert_eq!(
        idle["breakdown"].as_array().unwrap().len(),
        2,
        "those who were asked for are there"
    );
    assert_eq!(
        idle["breakdown"][0]["calls"],
        json!({ "value": 0, "previous": null, "change": null })
    );
    assert_eq!(idle["compare_date"], Value::Null);
}

async fn inbound_calls_and_calls_back(db: TestDb) {
    let app = in_utc(db).await;
    let ada = app.office.ada;
    let other = number("+14155557777");
    for (contact, instant, course) in [
        (sarah(), "2026-04-13T09:00:00Z", Course::Missed(20)),
        (sarah(), "2026-04-13T09:10:00Z", Course::Voicemail(15, 30)),
        (marie(), "2026-04-13T09:30:00Z", Course::Missed(20)),
        (other, "2026-04-14T11:00:00Z", Course::Answered(6, 90)),
    ] {
        call_with(&app, Inbound, ada, us(), contact, at(instant), course, &[]).await;
    }
    // Sarah is called back; what was before her calls is no call back, and neither is her own next call.
    for (contact, instant) in [
        (sarah(), "2026-04-13T08:00:00Z"),
        (sarah(), "2026-04-13T09:20:00Z"),
        (other, "2026-04-15T08:00:00Z"),
    ] {
        call_with(
            &app,
            Outbound,
            ada,
            us(),
            contact,
            at(instant),
            Course::Missed(5),
            &[],
        )
        .await;
    }
    let data = ask(&app, INBOUND, json!({ "date": days("2026-04-13", "2026-04-14") })).await;
    let value = |name: &str| data["summary"][name]["value"].as_f64().unwrap();
    let found: Vec<f64> = [
        "received",
        "answered",
        "missed",
        "voicemail",
        "answer_rate",
        "returned",
        "return_rate",
        "avg_time_to_answer_seconds",
        "avg_time_to_call_back_seconds",
    ]
    .into_iter()
    .map(value)
    .collect();
    assert_eq!(found, [4.0, 1.0, 2.0, 1.0, 0.25, 2.0, 0.6667, 6.0, 900.0]);
    assert_eq!(
        points(&data["time_series"]["received"]),
        [("2026-04-13", 3.0), ("2026-04-14", 1.0)]
    );
    assert_eq!(data["by_hour"].as_array().unwrap().len(), 24);
    assert_eq!(
        data["by_hour"][9],
        json!({ "hour": 9, "received": 3, "answered": 0, "missed": 2, "voicemail": 1 })
    );
    let data = ask(
        &app,
        INBOUND,
        json!({ "date": days("2026-04-13", "2026-04-14"), "user_ids": [ada] }),
    )
    .await;
    assert_eq!(
        data["summary"]["received"]["value"], 1,
        "what nobody answered is nobody's"
    );
    let body = json!({ "date": days("2026-04-13", "2026-04-14"), "allo_numbers": [us()], "compare_date": days("2026-04-11", "2026-04-12") });
    let data = ask(&app, INBOUND, body).await;
    assert_eq!(
        data["summary"]["returned"],
        json!({ "value": 2, "previous": 0, "change": null })
    );
}

async fn texts_and_first_responses(db: TestDb) {
    let app = in_utc(db).await;
    let start = app.board.now();
    let receive = async |from: PhoneNumber| {
        let text = Receive {
            line: us(),
            from,
            content: "Hello?".to_owned(),
            media: Vec::new(),
            carrier: "sandbox",
            carrier_ref: None,
            at: app.board.now(),
        };
        command(&app, move |work| messages::receive(work, &text)).await;
    };
    let send = async |to: PhoneNumber, content: &str| {
        let text = messages::Send {
            line: us(),
            to,
            content: content.to_owned(),
            media: Vec::new(),
            user: Some(app.office.ada),
        };
        command(&app, move |work| messages::send(work, &text)).await;
    };
    receive(sarah()).await;
    app.office.clock.advance(30_000);
    receive(sarah()).await;
    app.office.clock.advance(30_000);
    send(sarah(), &"a".repeat(161)).await;
    app.office.clock.advance(1_000);
    send(sarah(), "One more thing.").await;
    app.office.clock.advance(1_000);
    receive(sarah()).await;
    receive(nobody()).await;
    app.office.clock.advance(10_000);
    send(sarah(), "Done.").await;
    let day = |at: Millis| at.date_in(&jiff::tz::TimeZone::UTC).to_string();
    let body = json!({ "date": days(&day(start), &day(app.board.now())), "granularity": "MONTH" });
    let data = ask(&app, MESSAGES, body.clone()).await;
    let value = |name: &str| data["summary"][name]["value"].as_f64().unwrap();
    let found: Vec<f64> = [
        "sent",
        "received",
        "failed",
        "segments",
        "answered",
        "avg_first_response_seconds",
    ]
    .into_iter()
    .map(value)
    .collect();
    assert_eq!(found, [3.0, 4.0, 0.0, 4.0, 2.0, 35.0]);
    assert_eq!(points(&data["time_series"]["segments"])[0].1, 4.0);
    let mut ours = body;
    ours["user_ids"] = json!([app.office.ada]);
    let data = ask(&app, MESSAGES, ours).await;
    assert_eq!(data["summary"]["sent"]["value"], 3);
    assert_eq!(data["summary"]["received"]["value"], 0);
}

async fn accepting(app: &TestApp, path: &str, accept: &str, body: &Value) -> Reply {
    let key = authorization(&app.key);
    let headers = [
        ("Authorization", key.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", accept),
    ];
    app.send_with(reqwest::Method::POST, path, &headers, Some(body.to_string()))
        .await
}

async fn figures_as_csv(db: TestDb) {
    let app = in_utc(db).await;
    two_weeks(&app).await;
    set_name(&app, "=1+1, \"Ada\"").await;
    let body = json!({
        "date": days("2026-04-13", "2026-04-19"), "compare_date": days("2026-04-06", "2026-04-12"),
        "tags": ["meeting_booked"], "extend": "items", "stage": "DIAL",
    });
    for path in [OVERVIEW, OUTBOUND, INBOUND, MESSAGES] {
        let reply = accepting(&app, path, "text/csv, application/json;q=0.5", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(
            reply
                .header("content-type")
                .starts_with("text/csv; charset=utf-8"),
            "{path}"
        );
        assert!(reply.header("content-disposition").contains(".csv"));
        let lines: Vec<&str> = reply.text.split("\r\n").collect();
        assert_eq!(lines[0], "part,key,name,metric,value,previous,change");
        assert_eq!(lines.last(), Some(&""));
        assert!(lines.len() > 8, "{}", reply.text);
    }
    let reply = accepting(&app, OUTBOUND, "text/csv", &body).await;
    for line in [
        "funnel,,,dials,5,2,1.5",
        "funnel_rate,,,connected,0.6,,",
        "time_series,2026-04-16,,dials,0,,",
        "heatmap,MONDAY 10,,dials,2,,",
        &format!(
            "leaderboard,{},\"'=1+1, \"\"Ada\"\"\",connected,2,,",
            app.office.ada
        ),
    ] {
        assert!(
            reply.text.contains(&format!("{line}\r\n")),
            "{line} in {}",
            reply.text
        );
    }
    assert_eq!(reply.text.matches("\r\nitems,cll-").count(), 5);
    for accept in [
        "application/json",
        "*/*",
        "text/csv;q=0.1, */*",
        "text/csv;q=0",
        "text/html",
    ] {
        let reply = accepting(&app, OVERVIEW, accept, &body).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, "application/json"),
            "{accept}"
        );
    }
    let reply = accepting(&app, OVERVIEW, "text/csv", &json!({})).await;
    assert_error(&reply, "MISSING_PARAMETER");
}

async fn set_name(app: &TestApp, name: &'static str) {
    let (team, ada) = (app.office.team, app.office.ada);
    let rename = move |tx: &mut trunkline_store::Tx<'_>| -> Result<u64, trunkline_store::StoreError> {
        let sql = "UPDATE users SET name = $1 WHERE team_id = $2 AND id = $3";
        tx.execute(sql, trunkline_store::params![name, team, ada])
    };
    assert_eq!(app.board.db().write(rename).await.unwrap(), 1);
}

async fn faulty_requests_say_what_is_wrong(db: TestDb) {
    let app = in_utc(db).await;
    let fine = days("2026-04-01", "2026-04-02");
    for (path, body, code, param) in [
        (OVERVIEW, json!({}), "MISSING_PARAMETER", "date"),
        (OVERVIEW, json!({ "date": null }), "MISSING_PARAMETER", "date"),
        (
            OVERVIEW,
            json!({ "date": { "from": "2026-04-01" } }),
            "MISSING_PARAMETER",
            "date.to",
        ),
        (
            OUTBOUND,
            json!({ "date": days("2026-04-31", "2026-05-01") }),
            "INVALID_DATE_RANGE",
            "date.from",
        ),
        (
            OUTBOUND,
            json!({ "date": days("2026-04-02", "2026-04-01") }),
            "INVALID_DATE_RANGE",
            "date.from",
        ),
        (
            OUTBOUND,
            json!({ "date": days("2025-04-01", "2026-04-02") }),
            "DATE_RANGE_TOO_WIDE",
            "date.from",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "compare_date": days("2020-01-01", "2026-04-02") }),
            "DATE_RANGE_TOO_WIDE",
            "compare_date.from",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "compare_date": {} }),
            "MISSING_PARAMETER",
            "compare_date.from",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "granularity": "HOUR" }),
            "INVALID_GRANULARITY",
            "granularity",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "extend": "transcript" }),
            "UNSUPPORTED_EXTEND_VALUE",
            "extend",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "stage": "TALK" }),
            "INVALID_PARAMETER",
            "stage",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "size": 101 }),
            "INVALID_PAGE_SIZE",
            "size",
        ),
        (
            OUTBOUND,
            json!({ "date": fine, "extend": "items", "stage": "DIAL", "cursor": "abc" }),
            "INVALID_CURSOR",
            "cursor",
        ),
        (
            OVERVIEW,
            json!({ "date": fine, "group_by": "TEAM" }),
            "INVALID_GROUP_BY",
            "group_by",
        ),
        (
            INBOUND,
            json!({ "date": fine, "granularity": "day" }),
            "INVALID_GRANULARITY",
            "granularity",
        ),
        (
            MESSAGES,
            json!({ "date": fine, "allo_numbers": ["12"] }),
            "INVALID_PHONE_FORMAT",
            "allo_numbers",
        ),
        (
            MESSAGES,
            json!({ "date": fine, "allo_numbers": [nobody()] }),
            "PHONE_NUMBER_NOT_FOUND",
            "allo_numbers",
        ),
        (
            OVERVIEW,
            json!({ "date": fine, "allo_numbers": [us()], "user_ids": [app.office.ada] }),
            "INVALID_PARAMETER",
            "allo_numbers",
        ),
    ] {
        let reply = app.post(path, &body).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(param), "{body}: {}", reply.text);
    }
    let ends =
        json!({ "date": days("9999-12-31", "9999-12-31"), "compare_date": days("0001-01-01", "0001-12-31") });
    for path in [OVERVIEW, OUTBOUND, INBOUND, MESSAGES] {
        assert_eq!(
            app.post(path, &ends).await.status,
            200,
            "the ends of the calendar"
        );
    }
    let reply = app
        .post(
            OVERVIEW,
            &json!({ "date": fine, "stage": "DIAL", "date_from": "x" }),
        )
        .await;
    assert_eq!(reply.header("x-ignored-parameters"), "date_from, stage");
}

async fn nothing_at_all_is_answered_with_zeros(db: TestDb) {
    let app = in_utc(db).await;
    let body =
        json!({ "date": days("2026-04-01", "2026-04-30"), "compare_date": days("2026-03-01", "2026-03-31") });
    let data = ask(&app, OUTBOUND, body.clone()).await;
    assert_eq!(data["leaderboard"], json!([]));
    assert_eq!(
        data["funnel"]["dials"],
        json!({ "count": { "value": 0, "previous": 0, "change": null }, "rate": null })
    );
    assert_eq!(points(&data["time_series"]["connection_rate"]).len(), 30);
    let data = ask(&app, OVERVIEW, body.clone()).await;
    assert_eq!(data["breakdown"], json!([]));
    assert_eq!(
        data["summary"]["answer_rate"],
        json!({ "value": 0.0, "previous": 0.0, "change": null })
    );
    for path in [INBOUND, MESSAGES] {
        ask(&app, path, body.clone()).await;
    }
}
