//! Reports, judged by DuckDB: it computes the same figures from an export of the rows.
//!
//! Teams in zones with odd clocks; calls that end long after others that began later, that are abandoned, tagged and
//! untagged later; texts in no order; and random requests. A thousand requests for each engine; `TRUNKLINE_ANALYTICS_QUERIES` says how many
//! others.

use serde_json::{Map, Value, json};
use tokio::process::Command;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::{CallId, Direction, Millis, PhoneNumber, Role, UserId};
use trunkline_store::{Conn, StoreError, Tx, analytics_upkeep, numbers, params};
use trunkline_switchboard::calls::{self, Ring, Step, Transfer};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::{Error, Work, accounts, tags};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{Engine, TestDb, fr, number, us};

use crate::support::program::{finish, text};
use crate::support::python::{piped, programs, script};
use crate::support::{Random, tell};

trunkline_testkit::on_both! { duckdb_computes_the_same, what_is_computed_anew_is_what_was_counted }

/// Zones, each with the first day of a fortnight in which its clocks change.
const ZONES: [(&str, &str); 6] = [
    ("America/Los_Angeles", "2026-03-02"),
    ("Europe/Paris", "2026-10-19"),
    ("Australia/Lord_Howe", "2026-03-30"),
    ("Asia/Kathmandu", "2026-05-25"),
    ("America/St_Johns", "2026-10-26"),
    ("America/Havana", "2026-03-02"),
];

const TAGS: [&str; 4] = ["won", "vip", "meeting_booked", "lost"];

/// Calls of a team.
const CALLS: u64 = 260;

/// Texts of a team.
const TEXTS: u64 = 160;

/// Requests about one team.
fn requests_a_team() -> u64 {
    let wanted = std::env::var("TRUNKLINE_ANALYTICS_QUERIES").ok();
    let all: u64 = wanted.and_then(|text| text.parse().ok()).unwrap_or(1_000);
    all.div_ceil(ZONES.len() as u64)
}

async fn duckdb_computes_the_same(db: TestDb) {
    let engine = db.engine();
    drop(db);
    let mut asked = 0;
    for (seed, (zone, first)) in (1_u64..).zip(ZONES) {
        let app = TestApp::start(TestDb::with(engine, trunkline_testkit::db::options())).await;
        let mut random = Random::new(seed * 7_919);
        let team = Team::furnish(&app, zone, first).await;
        // Half of them were elsewhere when it happened.
        let (elsewhere, _) = ZONES[usize::try_from(seed).expect("a small number") % ZONES.len()];
        let moves = seed % 2 == 0;
        if moves {
            move_to(&app, elsewhere).await;
        }
        team.live(&app, &mut random).await;
        team.text(&app, &mut random).await;
        if moves {
            move_to(&app, zone).await;
        }
        app.office.assert_sound().await;
        let queries: Vec<Value> = (0..requests_a_team()).map(|_| team.query(&mut random)).collect();
        let export = team.export(&app, zone, &queries).await;
        let judged = judge(&export).await;
        for (query, expected) in queries.iter().zip(&judged) {
            let path = format!("/v2/api/analytics/{}", query["report"].as_str().expect("a name"));
            let reply = app.post(&path, &query["body"]).await;
            assert_eq!(reply.status, 200, "{query}: {}", reply.text);
            let found = figures(query["report"].as_str().expect("a name"), reply.data());
            let difference = difference("", &found, expected);
            assert_eq!(
                difference, None,
                "{zone}, {query}\nours: {found}\nDuckDB: {expected}"
            );
            asked += 1;
        }
    }
    tell(format!("{asked} reports of {engine:?} are what DuckDB computes"));
}

/// Gives the team another time zone, as its admin does.
async fn move_to(app: &TestApp, zone: &str) {
    // As soon as it may be changed again.
    app.office.clock.advance(accounts::BETWEEN_ZONES);
    let reply = app.patch("/v2/api/team", &json!({ "time_zone": zone })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What reports read, but for what has come to nothing.
type Sums = Vec<Vec<String>>;

fn sums(conn: &mut Conn<'_>) -> Result<Sums, StoreError> {
    let mut all = Vec::new();
    for (table, columns) in SUMS {
        let sql = format!("SELECT {columns} FROM {table} WHERE calls <> 0 ORDER BY {columns}");
        let count = columns.split(", ").count();
        all.extend(conn.rows(&sql, &[], |row| {
            (0..count)
                .map(|i| Ok(format!("{:?}", row.column(i)?)))
                .collect::<Result<Vec<_>, StoreError>>()
        })?);
    }
    Ok(all)
}

const SUMS: [(&str, &str); 3] = [
    (
        "call_slots",
        "team_id, scope, direction, slot, calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms, waited_ms",
    ),
    (
        "call_days",
        "team_id, direction, day, line, user_id, calls, connected, conversations, talk_seconds",
    ),
    (
        "call_tags",
        "team_id, scope, direction, day, tags, calls, connected, conversations, talk_seconds",
    ),
];

/// The migration that brought reports, by engine.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../../store/migrations/sqlite/0008_analytics.sql"),
    include_str!("../../../store/migrations/postgres/0008_analytics.sql"),
];

/// The sums that were moved call by call, those of a rebuild, and those that the migration makes of calls from before it.
async fn what_is_computed_anew_is_what_was_counted(db: TestDb) {
    let migration = MIGRATIONS[usize::from(db.engine() == Engine::Postgres)];
    let app = TestApp::start(db).await;
    let mut random = Random::new(4_711);
    let (zone, first) = ZONES[1];
    let team = Team::furnish(&app, zone, first).await;
    team.live(&app, &mut random).await;
    let counted = app.board.db().scan(sums).await.expect("sums");
    assert!(counted.len() > 300, "{} sums", counted.len());

    let key = app.office.team;
    let rebuild = move |tx: &mut Tx<'_>| -> Result<Sums, StoreError> {
        tx.execute("UPDATE call_slots SET calls = calls + 1", &[])?;
        analytics_upkeep::rebuild(tx, key)?;
        sums(tx)
    };
    assert_eq!(app.board.db().write(rebuild).await.expect("a rebuild"), counted);

    let lines = migration.lines().filter(|line| !line.starts_with("--"));
    let script = lines.collect::<Vec<_>>().join("\n");
    let migrate = move |tx: &mut Tx<'_>| -> Result<Sums, StoreError> {
        for (table, _) in SUMS {
            tx.execute(&format!("DROP TABLE {table}"), &[])?;
        }
        for statement in script.split(';').filter(|statement| !statement.trim().is_empty()) {
            tx.execute(statement, &[])?;
        }
        sums(tx)
    };
    assert_eq!(app.board.db().write(migrate).await.expect("a migration"), counted);
}

async fn judge(export: &Value) -> Vec<Value> {
    let mut python = Command::new(programs().await.join("python"));
    python.arg(text(&script("analytics_oracle.py")));
    let said = finish(piped(python), Some(&export.to_string())).await;
    assert_eq!(said.code, 0, "{}", said.err);
    said.json().as_array().expect("a list").clone()
}

/// What differs first, if anything does: figures agree to what four decimals can show.
fn difference(place: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            ((a - b).abs() > 6e-5 + 1e-9 * b.abs()).then(|| format!("{place}: {a}, not {b}"))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut both = a.iter().zip(b).enumerate();
            both.find_map(|(i, (a, b))| difference(&format!("{place}[{i}]"), a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let mut keys = a.keys().chain(b.keys());
            keys.find_map(|key| {
                difference(
                    &format!("{place}.{key}"),
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                )
            })
        }
        (a, b) => (a != b).then(|| format!("{place}: {a}, not {b}")),
    }
}

/// The figures of an answer in the form in which the oracle gives its own.
fn figures(report: &str, data: &Value) -> Value {
    let (metrics, mut found) = match report {
        "overview" => (overview_metrics(&data["summary"]), overview(data)),
        "outbound" => (outbound_metrics(data), outbound(data)),
        "messages" => (message_metrics(&data["summary"]), messages(&data["time_series"])),
        _ => (inbound_metrics(&data["summary"]), inbound(data)),
    };
    let of = |field: &str| -> Value { metrics.iter().map(|metric| metric[field].clone()).collect() };
    found["sums"] = of("value");
    if !data["compare_date"].is_null() {
        found["previous"] = of("previous");
        for metric in &metrics {
            assert_change(metric);
        }
    }
    found
}

/// `change` follows from the other two.
fn assert_change(metric: &Value) {
    let number = |field: &str| metric[field].as_f64();
    let (value, previous) = (
        number("value").expect("a value"),
        number("previous").expect("a previous value"),
    );
    match number("change") {
        None => assert!(previous == 0.0, "{metric}"),
        // Both may be rounded, by half of the last place each.
        Some(change) => {
            let slack = 1e-4 * (1.0 + change.abs()) / previous.abs() + 1e-4;
            assert!(
                (change - (value - previous) / previous).abs() <= slack,
                "{metric}"
            );
        }
    }
}

fn overview_metrics(summary: &Value) -> Vec<Value> {
    [
        "total_calls",
        "talk_time_seconds",
        "calls_over_1_min",
        "answer_rate",
    ]
    .map(|name| summary[name].clone())
    .into()
}

fn overview(data: &Value) -> Value {
    let mut by = Map::new();
    for entry in data["breakdown"].as_array().expect("a list") {
        let named = [&entry["user"]["id"], &entry["allo_number"], &entry["tag"]];
        let key = named
            .iter()
            .find_map(|key| key.as_str())
            .expect("a name")
            .to_owned();
        let sums: Vec<Value> = ["calls", "talk_time_seconds", "calls_over_1_min", "answer_rate"]
            .map(|name| entry[name]["value"].clone())
            .into();
        // Those who are named for their calls in the other range, or because they were asked for.
        if sums[0] != 0 {
            by.insert(key, sums.into());
        }
    }
    json!({ "by": by })
}

fn outbound_metrics(data: &Value) -> Vec<Value> {
    let funnel =
        ["dials", "connected", "conversations", "conversions"].map(|stage| &data["funnel"][stage]["count"]);
    let time = [
        "avg_ringing_time_seconds",
        "avg_conversation_time_seconds",
        "total_conversation_time_seconds",
    ]
    .map(|name| &data["time_spent"][name]);
    funnel.into_iter().chain(time).cloned().collect()
}

fn outbound(data: &Value) -> Value {
    let series = &data["time_series"];
    let mut by_date = Map::new();
    for (i, point) in series["dials"].as_array().expect("a list").iter().enumerate() {
        let figures = ["dials", "connected", "conversions"].map(|name| series[name][i]["value"].clone());
        by_date.insert(
            point["date"].as_str().expect("a date").to_owned(),
            figures.to_vec().into(),
        );
        assert_rate(&series["connection_rate"][i], &figures[1], &figures[0]);
    }
    let mut heat = Map::new();
    for (i, cell) in data["heatmap"]["dials"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let connected = &data["heatmap"]["connected"][i]["value"];
        assert_rate(&data["heatmap"]["connection_rate"][i], connected, &cell["value"]);
        if cell["value"] != 0 {
            heat.insert(i.to_string(), json!([cell["value"], connected]));
        }
    }
    for stage in ["dials", "connected", "conversations", "conversions"] {
        let (stage, dials) = (&data["funnel"][stage], &data["funnel"]["dials"]["count"]["value"]);
        match stage["rate"].as_f64() {
            Some(_) => assert_rate(
                &json!({ "value": stage["rate"] }),
                &stage["count"]["value"],
                dials,
            ),
            None => assert_eq!(*dials, 0),
        }
    }
    let leaders = data["leaderboard"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|leader| {
            let id = leader["user"]["id"].as_str().expect("an id").to_owned();
            (id, json!([leader["connected"]]))
        });
    let items = data["items"]["data"].as_array().expect("a list").iter();
    json!({
        "series": by_date, "heat": heat, "leaders": leaders.collect::<Map<_, _>>(),
        "items": items.map(|item| item["id"].clone()).collect::<Vec<_>>(),
    })
}

fn assert_rate(point: &Value, part: &Value, whole: &Value) {
    let (rate, part, whole) = (point["value"].as_f64(), part.as_f64(), whole.as_f64());
    let (rate, part, whole) = (
        rate.expect("a rate"),
        part.expect("a part"),
        whole.expect("a whole"),
    );
    let expected = if whole == 0.0 { 0.0 } else { part / whole };
    assert!((rate - expected).abs() < 6e-5, "{point} of {part} / {whole}");
}

fn message_metrics(summary: &Value) -> Vec<Value> {
    let names = [
        "sent",
        "received",
        "delivered",
        "failed",
        "delivery_rate",
        "segments",
        "answered",
        "avg_first_response_seconds",
    ];
    names.map(|name| summary[name].clone()).into()
}

fn messages(series: &Value) -> Value {
    let mut by_date = Map::new();
    for (i, point) in series["sent"].as_array().expect("a list").iter().enumerate() {
        let names = ["sent", "received", "delivered", "failed", "segments"];
        by_date.insert(
            point["date"].as_str().expect("a date").to_owned(),
            names.map(|name| series[name][i]["value"].clone()).to_vec().into(),
        );
    }
    json!({ "series": by_date })
}

fn inbound_metrics(summary: &Value) -> Vec<Value> {
    let names = [
        "received",
        "answered",
        "missed",
        "voicemail",
        "avg_time_to_answer_seconds",
        "returned",
        "avg_time_to_call_back_seconds",
    ];
    names.map(|name| summary[name].clone()).into()
}

fn inbound(data: &Value) -> Value {
    let mut hours = Map::new();
    for hour in data["by_hour"].as_array().expect("a list") {
        if hour["received"] != 0 {
            let figures = ["received", "answered", "missed", "voicemail"].map(|name| hour[name].clone());
            hours.insert(hour["hour"].to_string(), figures.to_vec().into());
        }
    }
    json!({ "hours": hours })
}

/// A team that lives through a change of clocks.
struct Team {
    users: Vec<UserId>,
    lines: [PhoneNumber; 2],
    first: jiff::civil::Date,
    from: Millis,
}

impl Team {
    async fn furnish(app: &TestApp, zone: &'static str, first: &str) -> Self {
        let team = app.office.team;
        let set = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            tx.execute(
                "UPDATE teams SET time_zone = $1 WHERE team_id = $2",
                params![zone, team],
            )
        };
        assert_eq!(app.board.db().write(set).await.expect("a zone"), 1);
        app.state.keys.forget();
        let hire = |work: &mut Work<'_, '_>| {
            ["Cleo", "Dan"]
                .into_iter()
                .map(|name| {
                    accounts::create_user(work, name, &format!("{name}@fogcity.example"), Role::Member)
                })
                .collect::<Result<Vec<_>, Error>>()
        };
        let hired = run(app, hire).await;
        let users = [app.office.ada, app.office.ben].into_iter().chain(hired);
        let first: jiff::civil::Date = first.parse().expect("a date");
        let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
        Self {
            users: users.collect(),
            lines: [us(), fr()],
            first,
            from: Millis::start_of(first, &zone).expect("an instant"),
        }
    }

    /// Lets calls ring, in no order; ends most of them, in another order; tags and untags them.
    async fn live(&self, app: &TestApp, random: &mut Random) {
        let mut begun = Vec::new();
        for _ in 0..CALLS {
            let ring = self.ring(random);
            let at = ring.at;
            begun.push((run(app, move |work| calls::ring(work, &ring)).await, at));
        }
        shuffle(&mut begun, random);
        for (call, at) in &begun {
            for step in self.course(*at, random) {
                let call = *call;
                run(app, move |work| calls::step(work, call, &step)).await;
            }
        }
        for _ in 0..CALLS {
            let call = begun[pick(random, begun.len())].0;
            let tag = TAGS[pick(random, TAGS.len())].to_owned();
            let by = app.office.by_ada();
            let off = random.below(4) == 0;
            run(app, move |work| retag(work, call, &tag, off, &by)).await;
        }
    }

    /// Texts, in no order; some at one moment; of one part and of several.
    async fn text(&self, app: &TestApp, random: &mut Random) {
        let mut texts = Vec::new();
        for i in 0..TEXTS {
            let Ring {
                line,
                contact,
                at,
                direction,
                ..
            } = self.ring(random);
            let direction = if i % 2 == 0 {
                Direction::Outbound
            } else {
                direction
            };
            let user = (direction == Direction::Outbound && random.below(5) > 0)
                .then(|| self.users[pick(random, 4)]);
            let filling = ["Hello €", "{flour}", "été ça", "Привет", "😀"][pick(random, 5)];
            let content = filling.repeat(1 + pick(random, 60));
            texts.push((line, contact, direction, user, at, content));
        }
        let import_all = move |work: &mut Work<'_, '_>| {
            let mut items = Vec::new();
            for (line, contact, direction, user, at, content) in texts.clone() {
                let line = numbers::line_of(work.tx, work.team, line)?.expect("a line of the team");
                let body = ImportBody::Message { content };
                items.push(ImportItem {
                    line,
                    contact,
                    direction,
                    user,
                    at,
                    body,
                });
            }
            import(work, &items)
        };
        run(app, import_all).await;
        // What became of them: the import takes all for delivered.
        let team = app.office.team;
        let fail = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            let sql = "UPDATE messages SET status = CASE WHEN seq % 3 = 0 THEN 'FAILED' ELSE 'SENT' END
                        WHERE team_id = $1 AND seq % 5 < 3";
            tx.execute(sql, params![team])
        };
        assert!(app.board.db().write(fail).await.expect("statuses") > 0);
    }

    fn ring(&self, random: &mut Random) -> Ring {
        let direction = if random.below(3) == 0 {
            Direction::Inbound
        } else {
            Direction::Outbound
        };
        // Most within the fortnight, some before and after it; many on the hour or next to it.
        let hours = i64::try_from(random.below(24 * 24)).expect("a small number") - 5 * 24;
        let within = [0, 1, -1, 1_799_999, 900_000, 123_456][pick(random, 6)];
        Ring {
            direction,
            line: self.lines[pick(random, 2)],
            contact: number(["+14155551234", "+14155557777", "+33612345678"][pick(random, 3)]),
            user: (direction == Direction::Outbound && random.below(10) > 0)
                .then(|| self.users[pick(random, 4)]),
            blocked: false,
            at: self.from.plus(hours * Millis::HOUR + within),
        }
    }

    fn course(&self, at: Millis, random: &mut Random) -> Vec<Step> {
        let rang = at.plus(i64::try_from(random.below(40_000)).expect("a small number"));
        let talk = [0, 1_000, 59_499, 60_000, 60_499, 60_500, 61_000, 300_000][pick(random, 8)];
        let over = rang.plus(talk);
        let user = self.users[pick(random, 4)];
        let end = |at| Step::End(EndCause::HungUp, None, at);
        match random.below(10) {
            0 => vec![],
            1 => vec![Step::Answer(Some(user), rang)],
            2 => vec![Step::Abandon(rang)],
            3 => vec![Step::Voicemail(rang), end(over)],
            4 => vec![end(rang)],
            5 => vec![Step::End(EndCause::Busy, None, rang)],
            6 => {
                let (kind, to_user) = match random.below(3) {
                    0 => (TransferKind::Colleague, Some(self.users[pick(random, 4)])),
                    1 => (TransferKind::External, None),
                    _ => (TransferKind::Ai, None),
                };
                let transfer = Transfer {
                    kind,
                    to_user,
                    to_number: None,
                    at: rang,
                };
                vec![
                    Step::Answer(Some(user), rang),
                    Step::Transfer(transfer),
                    end(over),
                    Step::Complete(over),
                ]
            }
            _ => vec![Step::Answer(Some(user), rang), end(over), Step::Complete(over)],
        }
    }

    /// A request to one of the reports.
    fn query(&self, random: &mut Random) -> Value {
        let report = ["overview", "outbound", "outbound", "inbound", "messages"][pick(random, 5)];
        let mut body = json!({ "date": self.days(random) });
        if random.below(2) == 0 {
            body["compare_date"] = self.days(random);
        }
        match random.below(4) {
            0 => {
                let count = 1 + pick(random, 3);
                body["user_ids"] = (0..count).map(|_| json!(self.users[pick(random, 4)])).collect();
            }
            1 => body["allo_numbers"] = json!([self.lines[pick(random, 2)]]),
            _ => {}
        }
        if report == "overview" {
            body["group_by"] = json!(["USER", "ALLO_NUMBER", "TAG"][pick(random, 3)]);
            return json!({ "report": report, "body": body });
        }
        body["granularity"] = json!(["DAY", "WEEK", "MONTH"][pick(random, 3)]);
        if report == "outbound" {
            body["tags"] = TAGS
                .into_iter()
                .filter(|_| random.below(2) == 0)
                .map(Value::from)
                .collect();
            body["extend"] = json!("items");
            body["stage"] = json!(["DIAL", "CONNECTED", "CONVERSATION", "CONVERSION"][pick(random, 4)]);
        }
        json!({ "report": report, "body": body })
    }

    fn days(&self, random: &mut Random) -> Value {
        let plus = |days: i64| {
            self.first
                .checked_add(jiff::Span::new().days(days))
                .expect("a date")
        };
        let begin = i64::try_from(random.below(24)).expect("a small number") - 6;
        let length = [0, 0, 1, 6, 13, 27, 300][pick(random, 7)];
        json!({ "from": plus(begin), "to": plus(begin + length) })
    }

    async fn export(&self, app: &TestApp, zone: &str, queries: &[Value]) -> Value {
        let team = app.office.team;
        let read = move |conn: &mut Conn<'_>| -> Result<[Vec<Value>; 3], StoreError> {
            let sql = "SELECT i.seq, i.id, i.direction, n.number, i.contact_number, i.user_id, i.at, i.result, i.duration,
                              c.answered_at, c.voicemail_at, c.ended_at
                         FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
                         JOIN numbers n ON n.team_id = i.team_id AND n.line = i.line WHERE i.team_id = $1";
            let calls = conn.rows(sql, params![team], |row| {
                Ok(json!([
                    row.get::<i64>(0)?,
                    row.get::<String>(1)?,
                    row.get::<String>(2)?,
                    row.get::<String>(3)?,
                    row.get::<String>(4)?,
                    row.get::<Option<String>>(5)?,
                    row.get::<i64>(6)?,
                    row.get::<Option<String>>(7)?,
                    row.get::<Option<i64>>(8)?,
                    row.get::<Option<i64>>(9)?,
                    row.get::<Option<i64>>(10)?,
                    row.get::<Option<i64>>(11)?
                ]))
            })?;
            let sql = "SELECT seq, tag FROM item_tags WHERE team_id = $1";
            let tags = conn.rows(sql, params![team], |row| {
                Ok(json!([row.get::<i64>(0)?, row.get::<String>(1)?]))
            })?;
            let sql =
                "SELECT i.seq, i.direction, n.number, i.contact_number, i.user_id, i.at, m.status, m.content
                         FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
                         JOIN numbers n ON n.team_id = i.team_id AND n.line = i.line WHERE i.team_id = $1";
            let texts = conn.rows(sql, params![team], |row| {
                Ok(json!([
                    row.get::<i64>(0)?,
                    row.get::<String>(1)?,
                    row.get::<String>(2)?,
                    row.get::<String>(3)?,
                    row.get::<Option<String>>(4)?,
                    row.get::<i64>(5)?,
                    row.get::<String>(6)?,
                    row.get::<String>(7)?
                ]))
            })?;
            Ok([calls, tags, texts])
        };
        let [calls, tags, texts] = app.board.db().scan(read).await.expect("the rows");
        json!({ "zone": zone, "calls": calls, "tags": tags, "texts": texts, "queries": queries })
    }
}

/// Puts a tag on a call, or takes it off; what is so already stays.
fn retag(
    work: &mut Work<'_, '_>,
    call: CallId,
    tag: &str,
    off: bool,
    by: &trunkline_switchboard::Actor,
) -> Result<(), Error> {
    let done = if off {
        tags::remove(work, call, tag, by)
    } else {
        tags::add(work, call, &[tag.to_owned()], by)
    };
    match done {
        Ok(_) | Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn run<T, F>(app: &TestApp, command: F) -> T
where
    T: Send + 'static,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, Error> + Send + 'static,
{
    let done: Result<T, Error> = app.board.run(app.office.team, command).await;
    done.expect("a command")
}

fn pick(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).expect("a small number")
}

fn shuffle<T>(all: &mut [T], random: &mut Random) {
    for i in (1..all.len()).rev() {
        all.swap(i, pick(random, i + 1));
    }
}
