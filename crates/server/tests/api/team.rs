//! The team's settings: who reads and changes them, and what stays.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use trunkline_domain::{Direction, Millis, Role, ScopeSet};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::{accounts, counting};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::people::key_of;
use crate::support::{assert_error, authorization, command, ignored, keys, param, text_in};

trunkline_testkit::on_both! {
    settings_are_read_and_changed,
    managers_read_and_admins_change,
    the_time_zone_can_be_changed_at_any_time,
    reports_wait_until_the_days_are_those_of_the_zone,
}

const TEAM: &str = "/v2/api/team";

async fn settings_are_read_and_changed(db: TestDb) {
    let app = TestApp::start(db).await;
    let before = app.get(TEAM).await;
    assert_eq!(before.status, 200, "{}", before.text);
    let fields = [
        "country",
        "create_tags",
        "created_at",
        "id",
        "marketing_hours",
        "name",
        "plan",
        "sandbox",
        "time_zone",
    ];
    assert_eq!(keys(before.data()), fields);
    assert_eq!(before.data()["id"], app.office.team_id.to_string());
    assert_eq!(before.data()["time_zone"], "America/Los_Angeles");
    assert_eq!(before.data()["create_tags"], true);

    app.office.clock.advance(1);
    let changes =
        json!({ "name": " Fog City ", "create_tags": false, "marketing_hours": true, "country": "FR" });
    let after = app.patch(TEAM, &changes).await;
    assert_eq!(after.status, 200, "{}", after.text);
    assert_eq!(ignored(&after), ["country"]);
    let mut expected = before.data().clone();
    expected["name"] = json!("Fog City");
    expected["create_tags"] = json!(false);
    expected["marketing_hours"] = json!(true);
    assert_eq!(after.data(), &expected);
    assert_eq!(app.get(TEAM).await.data(), &expected);
    let me = app.get("/v2/api/me").await;
    assert_eq!(me.data()["team"]["name"], "Fog City", "at once");
    let entry = app.get("/v2/api/audit?action=team.updated").await.data()[0].clone();
    assert_eq!(entry["actor"]["user"]["id"], app.office.ada.to_string());
    assert_eq!(entry["fields"], json!(["name", "create_tags", "marketing_hours"]));
    assert_eq!(entry["details"], Value::Null);

    assert_eq!(app.patch(TEAM, &json!({})).await.data(), &expected);
    for (body, code, field) in [
        (json!({ "name": "" }), "INVALID_PARAMETER", "name"),
        (json!({ "name": "x".repeat(201) }), "INVALID_LENGTH", "name"),
        (json!({ "create_tags": "no" }), "INVALID_PARAMETER", "create_tags"),
    ] {
        let reply = app.patch(TEAM, &body).await;
        assert_error(&reply, code);
        assert_eq!(param(&reply), field);
    }
    assert_eq!(app.get(TEAM).await.data(), &expected, "nothing half-done");
}

async fn the_time_zone_can_be_changed_at_any_time(db: TestDb) {
    let app = TestApp::start(db).await;
    let zone = async |name: &str| app.patch(TEAM, &json!({ "time_zone": name })).await;
    // 3:00 in San Francisco.
    app.office
        .clock
        .set(Millis::parse("2026-04-30T10:00:00Z").unwrap());
    text_in(&app, us(), sarah(), "Hello").await;
    app.office
        .clock
        .set(Millis::parse("2026-04-30T16:00:00Z").unwrap());
    text_in(&app, us(), sarah(), "Hello?").await;
    for name in ["Mars/Base", "", "+02:00", "europe/parys"] {
        let reply = zone(name).await;
        assert_error(&reply, "UNKNOWN_TIME_ZONE");
        assert_eq!(param(&reply), "time_zone", "{name}");
    }
    app.office.clock.advance(1);
    let months = async || {
        let usage = app.get("/v2/api/usage?from=2026-04&to=2026-05").await;
        let usage = usage.data();
        let texts = |month: usize| usage["months"][month]["texts"]["inbound"].clone();
        (
            usage["time_zone"].as_str().unwrap().to_owned(),
            texts(0),
            texts(1),
        )
    };
    assert_eq!(months().await, ("America/Los_Angeles".into(), json!(2), json!(0)));
    // It is the first of May there by the second text.
    assert_eq!(zone("asia/tokyo").await.data()["time_zone"], "Asia/Tokyo");
    assert_eq!(
        months().await,
        ("Asia/Tokyo".into(), json!(1), json!(1)),
        "at once"
    );
    let entry = app.get("/v2/api/audit?action=team.updated").await.data()[0].clone();
    assert_eq!(entry["fields"], json!(["time_zone"]));
    assert_eq!(zone("Asia/Tokyo").await.status, 200, "it is so already");
    app.office.clock.advance(100);
    let soon = zone("Europe/Paris").await;
    assert_error(&soon, "RATE_LIMIT_EXCEEDED");
    assert_eq!((soon.status, soon.header("retry-after")), (429, "60"));
    assert_eq!(param(&soon), "time_zone");
    app.office.clock.advance(Millis::MINUTE - 101);
    assert_eq!(zone("Europe/Paris").await.header("retry-after"), "1");
    assert_eq!(app.get(TEAM).await.data()["time_zone"], "Asia/Tokyo");
    assert_eq!(
        app.patch(TEAM, &json!({ "name": "Bay Supplies" })).await.status,
        200
    );
    app.office.clock.advance(1);
    let entries = app.get("/v2/api/audit?action=team.updated").await;
    assert_eq!(entries.data().as_array().unwrap().len(), 2);
    assert_eq!(zone("Europe/Paris").await.data()["time_zone"], "Europe/Paris");
    app.office.assert_sound().await;
}

/// Texts of the past, one an hour.
async fn many_texts(app: &TestApp, many: i64) -> Vec<Millis> {
    let (line, start) = (app.office.us_line, app.board.now());
    let moments: Vec<Millis> = (1..=many).map(|n| start.plus(-n * Millis::HOUR)).collect();
    let item = |at: &Millis| ImportItem {
        line,
        contact: sarah(),
        direction: Direction::Inbound,
        user: None,
        at: *at,
        body: ImportBody::Message {
            content: "Long ago.".to_owned(),
        },
    };
    let items: Vec<ImportItem> = moments.iter().map(item).collect();
    command(app, move |work| import(work, &items)).await;
    moments
}

async fn reports_wait_until_the_days_are_those_of_the_zone(db: TestDb) {
    let app = TestApp::start(db).await;
    let moments = many_texts(&app, 3_500).await;
    let name = "Pacific/Auckland";
    assert_eq!(app.patch(TEAM, &json!({ "time_zone": name })).await.status, 200);
    assert_eq!(app.get(TEAM).await.data()["time_zone"], name);
    let range = json!({ "date": { "from": "2026-03-01", "to": "2026-04-15" } });
    let report = "/v2/api/analytics/messages";
    for refused in [app.get("/v2/api/usage").await, app.post(report, &range).await] {
        assert_error(&refused, "SERVICE_UNAVAILABLE");
        assert_eq!(refused.header("retry-after"), "5");
        assert!(refused.text.contains("time zone was changed"), "{}", refused.text);
    }
    // Searches and the export go by the new days, whatever is counted already.
    let zone = TimeZone::get(name).unwrap();
    let on = |date: &str| {
        moments
            .iter()
            .filter(|at| at.date_in(&zone).to_string() == date)
            .count()
    };
    let search = async |date: &str, page: i64| {
        let body = json!({ "date": { "from": date, "to": date }, "size": 20, "page": page });
        app.post("/v2/api/conversations/items/search", &body).await
    };
    let dates = ["2025-12-01", "2026-02-14", "2026-04-05", "2026-04-18"];
    let look = async || {
        for date in dates {
            let found = search(date, 1).await;
            assert_eq!(found.json["pagination"]["total_count"], on(date), "{date}");
        }
        let export = app
            .get("/v2/api/export/items?from=2026-04-05&to=2026-04-05")
            .await;
        let days: Vec<Value> = export
            .text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(days.len(), on("2026-04-05"));
        assert!(
            days.iter().all(|line| line["day"] == "2026-04-05"),
            "{}",
            export.text
        );
    };
    assert_eq!(on("2026-04-05"), 25, "the day on which clocks go back");
    look().await;
    assert!(counting::work_once(&app.board).await.unwrap() > 0);
    look().await;
    let usage = app.get("/v2/api/usage").await;
    let counted: i64 = usage.data()["months"]
        .as_array()
        .unwrap()
        .iter()
        .map(|month| month["texts"]["inbound"].as_i64().unwrap())
        .sum();
    assert_eq!(counted, 3_500);
    assert_eq!(app.post(report, &range).await.status, 200);
    app.office.assert_sound().await;
}

async fn managers_read_and_admins_change(db: TestDb) {
    let app = TestApp::start(db).await;
    let create = |work: &mut trunkline_switchboard::Work<'_, '_>| {
        accounts::create_user(work, "Mona", "mona@fogcity.example", Role::Manager)
    };
    let mona = command(&app, create).await;
    for (user, read, change) in [
        (mona, 200, 403),
        (app.office.ben, 403, 403),
        (app.office.ada, 200, 200),
    ] {
        let own = authorization(&key_of(&app, user, ScopeSet::ALL).await);
        let headers = [("Authorization", own.as_str())];
        let reply = app.send_with(reqwest::Method::GET, TEAM, &headers, None).await;
        assert_eq!(reply.status, read, "{}", reply.text);
        let body = Some(json!({ "create_tags": true }).to_string());
        let reply = app.send_with(reqwest::Method::PATCH, TEAM, &headers, body).await;
        assert_eq!(reply.status, change, "{}", reply.text);
    }
}
