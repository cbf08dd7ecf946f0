//! Usage by month: the team's own months, who and what there was at their ends, and sums that are those of the export.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, Millis, Role, ScopeSet};
use trunkline_store::params;
use trunkline_switchboard::accounts;
use trunkline_switchboard::calls::Step;
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, fr, sarah, us};

use crate::people::key_of;
use crate::support::{assert_error, authorization, command, param, record, text_in, text_out};

trunkline_testkit::on_both! {
    the_months_are_those_of_the_export,
    seats_and_numbers_are_those_at_the_end_of_a_month,
    months_are_asked_for,
    bills_are_for_admins,
}

const USAGE: &str = "/v2/api/usage";

/// A call of so many seconds that Ada answered; nobody answers one of none.
async fn call(app: &TestApp, direction: Direction, at: Millis, seconds: i64) {
    let end = at.plus(4_000 + seconds * 1_000);
    let mut steps = Vec::new();
    if seconds > 0 {
        steps.push(Step::Answer(Some(app.office.ada), at.plus(4_000)));
    }
    let cause = if seconds > 0 {
        EndCause::HungUp
    } else {
        EndCause::NoAnswer
    };
    steps.extend([Step::End(cause, None, end), Step::Complete(end)]);
    record(app, direction, us(), sarah(), at, steps).await;
}

/// What the lines of an export come to, by month of the office (Los Angeles) and direction: calls, seconds, texts, parts.
async fn exported(app: &TestApp) -> BTreeMap<(String, String), [i64; 4]> {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let mut sums: BTreeMap<(String, String), [i64; 4]> = BTreeMap::new();
    for line in app.get("/v2/api/export/items").await.text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let at = Millis::parse(line["date"].as_str().unwrap()).unwrap();
        let month = at.date_in(&zone).strftime("%Y-%m").to_string();
        let direction = line["direction"].as_str().unwrap().to_lowercase();
        let sum = sums.entry((month, direction)).or_default();
        if line["type"] == "CALL" {
            sum[0] += 1;
            if line["result"] == "ANSWERED" {
                sum[1] += line["duration"].as_i64().unwrap();
            }
        } else {
            sum[2] += 1;
            sum[3] += line["segments"].as_i64().unwrap();
        }
    }
    sums
}

async fn the_months_are_those_of_the_export(db: TestDb) {
    let app = TestApp::start(db).await;
    let now = app.board.now();
    for (days, seconds) in [(0, 61), (1, 0), (31, 3_600), (62, 1), (200, 59), (360, 7)] {
        let at = now.plus(-days * Millis::DAY - 2 * Millis::HOUR);
        call(&app, Direction::Inbound, at, seconds).await;
        call(&app, Direction::Outbound, at.plus(Millis::HOUR), seconds * 2).await;
    }
    // Around the end of a month, in the office's days and not in those of UTC: 2026-03-31 23:30 and 2026-04-01 00:30.
    let border = Millis::parse("2026-04-01T07:00:00Z").unwrap();
    for at in [
        border.plus(-30 * Millis::MINUTE),
        border.plus(30 * Millis::MINUTE),
    ] {
        call(&app, Direction::Inbound, at, 30).await;
    }
    text_in(&app, us(), sarah(), &"long ".repeat(80)).await;
    text_out(&app, us(), sarah(), "é€").await;
    app.office.clock.advance(40 * Millis::DAY);
    text_in(&app, us(), sarah(), "short").await;
    let expected = exported(&app).await;
    assert!(expected.len() >= 8, "{expected:?}");
    let usage = app.get(&format!("{USAGE}?from=2025-01")).await;
    let usage = usage.data();
    assert_eq!(usage["time_zone"], "America/Los_Angeles");
    let mut found = BTreeMap::new();
    for month in usage["months"].as_array().unwrap() {
        for direction in ["inbound", "outbound"] {
            let figure = |name: &str| month[name][direction].as_i64().unwrap();
            let sums = ["calls", "talk_seconds", "texts", "segments"].map(figure);
            assert_eq!(figure("minutes"), (sums[1] + 59) / 60);
            if sums != [0; 4] {
                let name = month["month"].as_str().unwrap().to_owned();
                found.insert((name, direction.to_owned()), sums);
            }
        }
    }
    assert_eq!(found, expected);
}

async fn seats_and_numbers_are_those_at_the_end_of_a_month(db: TestDb) {
    let app = TestApp::start(db).await;
    let ben = app.office.ben;
    app.office.clock.advance(40 * Millis::DAY);
    command(&app, |work| {
        accounts::create_user(work, "Dana", "dana@fogcity.example", Role::Member)?;
        accounts::create_user(work, "Eve", "eve@fogcity.example", Role::Member)
    })
    .await;
    let seats = async || {
        let usage = app.get(USAGE).await;
        let months = usage.data()["months"].as_array().unwrap().clone();
        assert_eq!(months.len(), 12);
        let of = |name: &str| {
            let last = months[8..].iter().map(|month| month[name].as_i64().unwrap());
            last.collect::<Vec<_>>()
        };
        assert_eq!(months.last().unwrap()["month"], "2026-05");
        (of("seats"), of("numbers"))
    };
    assert_eq!(seats().await, (vec![0, 0, 2, 4], vec![0, 0, 2, 2]));
    let block = app.post(&format!("/v2/api/users/{ben}/block"), &json!({})).await;
    assert_eq!(block.status, 200);
    let (now, fr) = (app.board.now(), fr());
    command(&app, move |work| {
        let remove = "UPDATE numbers SET removed_at = $1 WHERE number = $2";
        Ok(work.tx.execute(remove, params![now, fr])?)
    })
    .await;
    assert_eq!(seats().await, (vec![0, 0, 2, 3], vec![0, 0, 2, 1]));
}

async fn months_are_asked_for(db: TestDb) {
    let app = TestApp::start(db).await;
    let months = async |query: &str| {
        let usage = app.get(&format!("{USAGE}{query}")).await;
        let months = usage.data()["months"].as_array().unwrap().clone();
        let names = months
            .iter()
            .map(|month| month["month"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let usual = months("").await;
    assert_eq!(
        (usual.len(), usual[0].as_str(), usual[11].as_str()),
        (12, "2025-05", "2026-04")
    );
    assert_eq!(months("?from=2026-03").await, ["2026-03", "2026-04"]);
    assert_eq!(months("?from=2025-12&to=2026-01").await, ["2025-12", "2026-01"]);
    assert_eq!(months("?to=2020-02").await.len(), 12);
    assert_eq!(months("?from=2030-01").await, ["2030-01"]);
    assert_eq!(months("?from=2024-01&to=2026-12").await.len(), 36);
    for (query, code, field) in [
        ("?from=2026-04&to=2026-03", "INVALID_DATE_RANGE", "from"),
        ("?from=2024-01&to=2027-01", "DATE_RANGE_TOO_WIDE", "from"),
        ("?from=2026-13", "INVALID_DATE_RANGE", "from"),
        ("?to=2026-4", "INVALID_DATE_RANGE", "to"),
        ("?to=2026-04-01", "INVALID_DATE_RANGE", "to"),
        ("?to=%2B026-04", "INVALID_DATE_RANGE", "to"),
    ] {
        let reply = app.get(&format!("{USAGE}{query}")).await;
        assert_error(&reply, code);
        assert_eq!(param(&reply), field, "{query}");
    }
}

async fn bills_are_for_admins(db: TestDb) {
    let app = TestApp::start(db).await;
    let mona = command(&app, |work| {
        accounts::create_user(work, "Mona", "mona@fogcity.example", Role::Manager)
    })
    .await;
    let own = authorization(&key_of(&app, mona, ScopeSet::ALL).await);
    let headers = [("Authorization", own.as_str())];
    let reply = app.send_with(reqwest::Method::GET, USAGE, &headers, None).await;
    assert_error(&reply, "FORBIDDEN");
}
