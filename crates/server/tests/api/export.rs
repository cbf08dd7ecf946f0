//! Exports of the timeline, read as a script reads them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_domain::{Direction, Millis, Scope, ScopeSet};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, sarah, us};

use crate::analytics::{Course, OUTBOUND, OVERVIEW, ask, at, call_with, days, in_utc, two_weeks};
use crate::people::{new_key, revoke};
use crate::support::{
    World, assert_common, assert_error, authorization, blamed, command, encoded, ids, set_team, text_in,
};

trunkline_testkit::on_both! {
    lines_are_items_with_what_reports_count,
    csv_has_the_same_lines_and_no_formulas,
    days_are_the_teams_own_and_both_included,
    an_export_goes_on_from_any_line,
    what_is_written_meanwhile_is_left_out,
    figures_add_up_to_those_of_reports,
    faulty_requests_are_refused,
    a_key_has_five_exports,
    an_export_that_is_cut_off_is_not_taken_for_whole,
}

const PATH: &str = "/v2/api/export/items";

async fn export(app: &TestApp, query: &str) -> Vec<Value> {
    let reply = app.get(&format!("{PATH}{query}")).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/x-ndjson"),
        "{}",
        reply.text
    );
    assert_common(&reply);
    lines(&reply.text)
}

fn lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

async fn as_csv(app: &TestApp, query: &str) -> Reply {
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Accept", "text/csv")];
    app.send_with(Method::GET, &format!("{PATH}{query}"), &headers, None)
        .await
}

fn ids_of(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["id"].as_str().unwrap()).collect()
}

/// Texts of Sarah's, one a second.
async fn texts(app: &TestApp, count: i64, from: Millis) {
    let write = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        for i in 0..count {
            let text = Receive {
                line: us(),
                from: sarah(),
                content: format!("number {i}"),
                media: Vec::new(),
                carrier: "sandbox",
                carrier_ref: None,
                at: from.plus(i * Millis::SECOND),
            };
            messages::receive(work, &text)?;
        }
        Ok(())
    };
    command(app, write).await;
}

async fn lines_are_items_with_what_reports_count(db: TestDb) {
    let world = World::open(db).await;
    let app = &world.app;
    let all = export(app, "").await;
    let found = app
        .post(
            "/v2/api/conversations/items/search",
            &json!({ "sort": "DATE_ASC" }),
        )
        .await;
    assert_eq!(ids_of(&all), ids(&found), "all of them, oldest first");
    let shown = app
        .get(&format!("/v2/api/conversations/items/{}", world.call))
        .await;
    let mut line = all
        .iter()
        .find(|line| line["id"] == json!(world.call))
        .unwrap()
        .clone();
    let own = line.as_object_mut().unwrap();
    assert_eq!(own.remove("day"), Some(json!("2026-04-20")));
    assert_eq!(own.remove("answered_at"), Some(json!("2026-04-20T09:50:04.000Z")));
    assert_eq!(own.remove("ended_at"), Some(json!("2026-04-20T09:52:29.000Z")));
    assert_eq!(own.remove("ringing_seconds"), Some(json!(4.0)));
    assert_eq!(own.remove("talk_seconds"), Some(json!(145)));
    assert!(own.remove("cursor").unwrap().is_string());
    assert_eq!(line, *shown.data(), "the rest is the item as it is shown");
    let text = all
        .iter()
        .find(|line| line["id"] == json!(world.message))
        .unwrap();
    for field in ["answered_at", "ended_at", "ringing_seconds", "talk_seconds"] {
        assert_eq!(text[field], Value::Null, "{field}");
    }
    let with = export(app, "?type=CALL&extend=transcript").await;
    assert_eq!(ids_of(&with), [world.call.to_string()]);
    assert!(!with[0]["transcript"].as_array().unwrap().is_empty());
    let other = export(app, &format!("?allo_number={}", encoded(fr()))).await;
    assert_eq!(other, Vec::<Value>::new());
}

async fn csv_has_the_same_lines_and_no_formulas(db: TestDb) {
    let world = World::open(db).await;
    text_in(
        &world.app,
        us(),
        marie(),
        "=HYPERLINK(\"https://evil.example\", \"a, b\")",
    )
    .await;
    let reply = as_csv(&world.app, "").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/csv; charset=utf-8; header=present")
    );
    assert!(reply.header("content-disposition").contains("items.csv"));
    let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let all = export(&world.app, "").await;
    assert_eq!(rows.len(), all.len());
    let cell = |row: &csv::StringRecord, name: &str| {
        let place = columns.iter().position(|column| column == name).unwrap();
        row[place].to_owned()
    };
    for (row, line) in rows.iter().zip(&all) {
        for name in [
            "id",
            "type",
            "direction",
            "day",
            "contact_number",
            "cursor",
            "talk_seconds",
            "duration",
        ] {
            let value = match &line[name] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            assert_eq!(cell(row, name), value, "{name}");
        }
    }
    let call = rows
        .iter()
        .find(|row| cell(row, "id") == world.call.to_string())
        .unwrap();
    assert_eq!(cell(call, "user_name"), "Ada Park");
    assert_eq!(cell(call, "contact_names"), "Sarah Johnson");
    assert_eq!(cell(call, "companies"), "Johnson Bakery");
    assert_eq!(cell(call, "tags"), "vip");
    let formula = cell(rows.last().unwrap(), "content");
    assert!(formula.starts_with("'=HYPERLINK("), "{formula}");
    let behind = as_csv(&world.app, &format!("?cursor={}", cell(&rows[0], "cursor"))).await;
    assert!(
        behind.text.starts_with(&cell(&rows[1], "id")),
        "what goes on has no second header: {}",
        behind.text
    );
    assert_error(
        &as_csv(&world.app, "?extend=transcript").await,
        "UNSUPPORTED_EXTEND_VALUE",
    );
}

async fn days_are_the_teams_own_and_both_included(db: TestDb) {
    let app = TestApp::start(db).await;
    set_team(&app, "time_zone", "'America/New_York'").await;
    let mut told = Vec::new();
    // The night in which clocks went forward, and its neighbours.
    for moment in [
        "2026-03-08T04:59:59.999Z",
        "2026-03-08T05:00:00Z",
        "2026-03-09T03:59:59.999Z",
        "2026-03-09T04:00:00Z",
    ] {
        let course = Course::Missed(10);
        let id = call_with(
            &app,
            Direction::Inbound,
            app.office.ada,
            us(),
            sarah(),
            at(moment),
            course,
            &[],
        )
        .await;
        told.push(id.to_string());
    }
    app.state.keys.forget();
    let sunday = export(&app, "?from=2026-03-08&to=2026-03-08").await;
    assert_eq!(ids_of(&sunday), told[1..3]);
    for line in &sunday {
        assert_eq!(line["day"], "2026-03-08");
        assert_eq!(line["talk_seconds"], 0);
        assert_eq!(line["ringing_seconds"], 10.0);
    }
    assert_eq!(ids_of(&export(&app, "?from=2026-03-08").await), told[1..]);
    assert_eq!(ids_of(&export(&app, "?to=2026-03-07").await), told[..1]);
}

/// Two pages and a bit.
const MANY: i64 = 450;

async fn an_export_goes_on_from_any_line(db: TestDb) {
    let app = in_utc(db).await;
    texts(&app, MANY, at("2026-04-13T10:00:00Z")).await;
    let all = export(&app, "").await;
    assert_eq!(all.len(), usize::try_from(MANY).unwrap());
    let distinct: BTreeSet<&str> = ids_of(&all).into_iter().collect();
    assert_eq!(distinct.len(), all.len());
    for place in [0, 1, 198, 199, 200, 399, 400, 448, 449] {
        let cursor = all[place]["cursor"].as_str().unwrap();
        let rest = export(&app, &format!("?cursor={cursor}")).await;
        assert_eq!(rest, all[place + 1..], "behind line {place}");
    }
}

async fn what_is_written_meanwhile_is_left_out(db: TestDb) {
    let app = in_utc(db).await;
    texts(&app, MANY, at("2026-04-13T10:00:00Z")).await;
    let all = export(&app, "").await;
    // One that lies before the cursor, one in the middle of what is still to come, one behind it.
    for moment in [
        "2026-04-13T09:00:00Z",
        "2026-04-13T10:06:00.5Z",
        "2026-04-14T10:00:00Z",
    ] {
        texts(&app, 1, at(moment)).await;
    }
    let cursor = all[200]["cursor"].as_str().unwrap();
    let rest = export(&app, &format!("?cursor={cursor}")).await;
    assert_eq!(ids_of(&rest), ids_of(&all[201..]));
    assert_eq!(rest, all[201..]);
    assert_eq!(
        export(&app, "").await.len(),
        usize::try_from(MANY + 3).unwrap(),
        "the next export has them"
    );
}

async fn figures_add_up_to_those_of_reports(db: TestDb) {
    let app = in_utc(db).await;
    two_weeks(&app).await;
    let range = days("2026-04-06", "2026-04-19");
    let all = export(&app, "?from=2026-04-06&to=2026-04-19&type=CALL").await;
    assert!(all.len() > 5);
    let sum = |of: &dyn Fn(&Value) -> f64| all.iter().map(of).sum::<f64>();
    let overview = ask(&app, OVERVIEW, json!({ "date": range })).await;
    let talk = sum(&|line| line["talk_seconds"].as_f64().unwrap());
    assert_eq!(overview["summary"]["total_calls"]["value"], json!(all.len()));
    assert_eq!(
        overview["summary"]["talk_time_seconds"]["value"].as_f64(),
        Some(talk)
    );
    let outbound = ask(&app, OUTBOUND, json!({ "date": range })).await;
    let dials = all.iter().filter(|line| line["direction"] == "OUTBOUND");
    let ringing: Vec<f64> = dials
        .map(|dial| dial["ringing_seconds"].as_f64().unwrap())
        .collect();
    assert_eq!(
        outbound["funnel"]["dials"]["count"]["value"],
        json!(ringing.len())
    );
    let average = ringing.iter().sum::<f64>() / ringing.len() as f64;
    let told = outbound["time_spent"]["avg_ringing_time_seconds"]["value"]
        .as_f64()
        .unwrap();
    assert!((told - average).abs() < 0.0001, "{told} and {average}");
}

async fn faulty_requests_are_refused(db: TestDb) {
    let app = TestApp::start(db).await;
    texts(&app, 2, at("2026-04-13T10:00:00Z")).await;
    let cursor = export(&app, "").await[0]["cursor"].as_str().unwrap().to_owned();
    for (query, code, param) in [
        ("from=yesterday", "INVALID_DATE_RANGE", "from"),
        ("to=2026-02-30", "INVALID_DATE_RANGE", "to"),
        ("from=2026-04-14&to=2026-04-13", "INVALID_DATE_RANGE", "from"),
        ("type=FAX", "INVALID_PARAMETER", "type"),
        ("allo_number=12", "INVALID_PHONE_FORMAT", "allo_number"),
        (
            "allo_number=%2B14155550999",
            "PHONE_NUMBER_NOT_FOUND",
            "allo_number",
        ),
        ("extend=everything", "UNSUPPORTED_EXTEND_VALUE", "extend"),
        ("cursor=x", "INVALID_CURSOR", "cursor"),
        (&format!("type=SMS&cursor={cursor}"), "INVALID_CURSOR", "cursor"),
    ] {
        let reply = app.get(&format!("{PATH}?{query}")).await;
        assert_error(&reply, code);
        assert!(blamed(&reply).contains(param), "{query}: {}", reply.text);
    }
    let page = app
        .post("/v2/api/conversations/items/search", &json!({ "size": 1 }))
        .await;
    let of_a_page = page.json["pagination"]["next_cursor"].as_str().unwrap();
    assert_error(
        &app.get(&format!("{PATH}?cursor={of_a_page}")).await,
        "INVALID_CURSOR",
    );
    let reply = app.get(&format!("{PATH}?fields=id")).await;
    assert_eq!(reply.header("x-ignored-parameters"), "fields");
}

/// A client that reads the head of the answer and then nothing.
async fn stalled(app: &TestApp, key: &str) -> reqwest::Response {
    let request = trunkline_testkit::app::client_builder()
        .build()
        .unwrap()
        .get(format!("{}{PATH}", app.url))
        .header("Authorization", authorization(key));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// How many texts there are in [`much`].
const MUCH: i64 = 1_200;

/// More than the buffers of two sockets take.
async fn much(app: &TestApp) {
    let from = at("2026-04-13T10:00:00Z");
    let write = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        for i in 0..MUCH {
            let text = Receive {
                line: us(),
                from: sarah(),
                content: "much ado about nothing ".repeat(800),
                media: Vec::new(),
                carrier: "sandbox",
                carrier_ref: None,
                at: from.plus(i * Millis::SECOND),
            };
            messages::receive(work, &text)?;
        }
        Ok(())
    };
    command(app, write).await;
}

async fn a_key_has_five_exports(db: TestDb) {
    let app = TestApp::start(db).await;
    much(&app).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(stalled(&app, &app.key).await);
    }
    let refused = app.get(PATH).await;
    assert_error(&refused, "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused.header("retry-after"), "5");
    let (_, other) = new_key(&app, ScopeSet::of(&[Scope::ConversationsRead])).await;
    drop(stalled(&app, &other).await);
    open.pop();
    // The server learns of it when it has something to say.
    for _ in 0..500 {
        let again = app.get(&format!("{PATH}?type=CALL")).await;
        if again.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("an export that was given up is still counted");
}

async fn an_export_that_is_cut_off_is_not_taken_for_whole(db: TestDb) {
    let app = TestApp::start(db).await;
    much(&app).await;
    let mut response = stalled(&app, &app.key).await;
    let mut text = String::new();
    let first = response.chunk().await.unwrap().unwrap();
    text.push_str(std::str::from_utf8(&first).unwrap());
    app.state.stop.cancel();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text.push_str(&String::from_utf8_lossy(&chunk)),
            Ok(None) => panic!("half an export was taken for a whole one"),
            Err(error) => break error,
        }
    };
    assert!(
        error.is_body() || error.is_decode() || error.is_request(),
        "{error:?}"
    );
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let last: Value = serde_json::from_str(whole.lines().last().unwrap()).unwrap();
    assert!(last["cursor"].is_string());
    assert!(whole.lines().count() < usize::try_from(MUCH).unwrap());
}

mod heavy {
    use super::*;

    trunkline_testkit::on_both! { an_export_ends_with_its_key }

    /// A test of the machine's clock, a quarter of a minute.
    async fn an_export_ends_with_its_key(db: TestDb) {
        let app = TestApp::start(db).await;
        much(&app).await;
        let (id, key) = new_key(&app, ScopeSet::ALL).await;
        let mut response = stalled(&app, &key).await;
        revoke(&app, id).await;
        app.state.keys.forget();
        tokio::time::sleep(std::time::Duration::from_secs(16)).await;
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the export went on"),
                Err(_) => return,
            }
        }
    }
}
