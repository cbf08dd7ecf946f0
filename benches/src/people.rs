//! Searches for people in a team that has a million, against a walk over the rows; and imports, against bare inserts.

mod crowd;
mod import;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection as Sqlite;
use serde_json::{Value, json};

use crate::Scale;
use crate::data::Seeded;
use crate::load::{Connection, Request};
use crate::process::Server;
use crate::report::{Goal, Report, percentile};

/// What 19 of 20 searches may take, in milliseconds.
const GOAL_MS: f64 = 10.0;

/// Searches that are rotated, of each kind.
const QUERIES: usize = 60;

/// Walks over the rows are slow: so many are enough.
const WALKS: usize = 4;

/// The orders of a list.
const SORTS: [&str; 6] = [
    "DATE_DESC",
    "DATE_ASC",
    "NAME_ASC",
    "NAME_DESC",
    "CREATED_DESC",
    "CREATED_ASC",
];

/// A kind of search: its name, the body without the order, and what a walk by hand compares with.
struct Kind {
    name: &'static str,
    bodies: Vec<Value>,
    /// The condition of a statement that finds the same.
    walk: fn(&Value) -> String,
}

/// A server and a connection to it.
struct Asking<'s> {
    connection: Connection,
    server: &'s Server,
}

/// Measures searches and imports.
///
/// # Errors
/// When the server or a statement fails.
pub fn measure(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let seeded = crowd::crowded(program, scale.people)?;
    let samples = crowd::samples(&seeded, QUERIES)?;
    let server = Server::trunkline(program, &seeded.dir)?;
    let began = Instant::now();
    wait_until_ready(&server, &seeded)?;
    println!(
        "people: {}; the index was there {:.1} s after the start, {:.0} MiB resident",
        scale.people,
        began.elapsed().as_secs_f64(),
        server.resident_mib()?
    );
    server.settle()?;
    let walk = Sqlite::open(seeded.dir.join("trunkline.db"))?;
    walk.execute_batch("PRAGMA cache_size = -4096")?;
    let mut asking = Asking {
        connection: Connection::open(server.address)?,
        server: &server,
    };
    for kind in kinds(&samples) {
        measure_kind(&mut asking, &seeded, &walk, scale, &kind, report)?;
    }
    drop(server);
    import::measure(program, scale, report)
}

fn kinds(samples: &[crowd::Sample]) -> Vec<Kind> {
    let with = |body: fn(&crowd::Sample, usize) -> Value| {
        samples
            .iter()
            .enumerate()
            .map(|(i, sample)| body(sample, i))
            .collect::<Vec<_>>()
    };
    vec![
        Kind {
            name: "phone",
            bodies: with(|sample, i| {
                let digits = &sample.number[2..];
                let (area, rest) = digits.split_at(3);
                let (front, back) = rest.split_at(3);
                let spelled = match i % 3 {
                    0 => sample.number.clone(),
                    1 => format!("({area}) {front}-{back}"),
                    _ => format!("+1 {area} {front} {back}"),
                };
                json!({ "filters": { "phone_number": spelled } })
            }),
            walk: |_| String::new(),
        },
        Kind {
            name: "beginning of a last name",
            bodies: with(|sample, i| json!({ "filters": { "last_name": &sample.last[..3 + i % 3] } })),
            walk: |body| like("last_key", &body["filters"]["last_name"]),
        },
        Kind {
            name: "any part of a first name",
            bodies: with(|sample, i| {
                let from = i % 3;
                json!({ "filters": { "name": &sample.first[from..(from + 1 + i % 4).min(sample.first.len())] } })
            }),
            walk: |body| like("first_key", &body["filters"]["name"]),
        },
        Kind {
            name: "any part of an e-mail address",
            bodies: with(|sample, i| {
                let from = i % 4;
                let part = match i % 5 {
                    0 => "@mail1.example".to_owned(),
                    1 => sample.email.clone(),
                    n => sample.email[from..from + 2 + n].to_owned(),
                };
                json!({ "filters": { "email": part } })
            }),
            walk: |body| {
                let part = body["filters"]["email"].as_str().unwrap_or_default();
                format!(
                    "AND c.id IN (SELECT e.contact_id FROM contact_emails e WHERE e.team_id = 1 AND e.email LIKE '%{part}%')"
                )
            },
        },
        Kind {
            name: "free text",
            bodies: with(|sample, i| {
                let search = match i % 4 {
                    0 => sample.first[..2].to_owned(),
                    1 => format!("{} {}", sample.first, &sample.last[..2]),
                    2 => sample.last.clone(),
                    _ => format!("{} {}", &sample.number[5..9], &sample.first[..1]),
                };
                json!({ "search": search })
            }),
            walk: |body| {
                let words = body["search"].as_str().unwrap_or_default().split(' ');
                let one = |word: &str| {
                    let anywhere = word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
                    let space = if anywhere { "" } else { " " };
                    format!(
                        "AND (c.words LIKE '%{space}{word}%' OR EXISTS (SELECT 1 FROM companies o WHERE o.team_id = c.team_id
                          AND o.id = c.company_id AND ' ' || o.name_key LIKE '% {word}%'))"
                    )
                };
                words.map(one).collect()
            },
        },
    ]
}

fn like(column: &str, part: &Value) -> String {
    format!("AND c.{column} LIKE '%{}%'", part.as_str().unwrap_or_default())
}

fn measure_kind(
    asking: &mut Asking<'_>,
    seeded: &Seeded,
    walk: &Sqlite,
    scale: Scale,
    kind: &Kind,
    report: &mut Report,
) -> Result<()> {
    let body = |i: usize| {
        let mut body = kind.bodies[i % kind.bodies.len()].clone();
        body["sort"] = SORTS[i % SORTS.len()].into();
        body
    };
    let (mut first_requests, mut deep_requests, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..kind.bodies.len() {
        let mut body = body(i);
        first_requests.push(request(seeded, &body));
        let answer = ask(&mut asking.connection, &request(seeded, &body))?;
        let total = answer["pagination"]["total_count"].as_i64().context("no total")?;
        totals.push(total);
        if total > 60 {
            // The page in the middle tells the cursor that leads on from there.
            body["page"] = (total / 40).max(1).into();
            let middle = ask(&mut asking.connection, &request(seeded, &body))?;
            let cursor = middle["pagination"]["next_cursor"].clone();
            ensure!(cursor.is_string(), "no cursor in the middle of {total}: {body}");
            body.as_object_mut().context("no object")?.remove("page");
            body["cursor"] = cursor;
            deep_requests.push(request(seeded, &body));
        }
    }
    check(walk, kind, &totals, &body)?;
    totals.sort_unstable();
    println!(
        "people by {}: {} to {} hits, median {}",
        kind.name,
        totals[0],
        totals[totals.len() - 1],
        totals[totals.len() / 2]
    );
    let (mut first, mut deep, mut against_walk) = (Vec::new(), Vec::new(), Vec::new());
    let mut cpu = Vec::new();
    for round in 0..scale.pairs {
        let page_one = asking.time(&first_requests)?;
        first.push(page_one.wall);
        cpu.push(page_one.cpu);
        if !deep_requests.is_empty() {
            deep.push((asking.time(&deep_requests)?.wall, page_one.wall));
        }
        let mut walks = Vec::new();
        for i in (0..WALKS).map(|i| round * WALKS + i) {
            let condition = (kind.walk)(&body(i));
            if !condition.is_empty() {
                let began = Instant::now();
                by_hand(walk, &condition)?;
                walks.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
        if !walks.is_empty() {
            against_walk.push((page_one.wall, percentile(&mut walks, 0.5)));
        }
    }
    let p95 = crate::report::median(first.into_iter());
    report.figure(
        &format!("people by {}, page 1, p95", kind.name),
        "ms",
        p95,
        Goal::AtMost(GOAL_MS),
    );
    let name = format!("people by {}, page 1, p95 of CPU", kind.name);
    report.figure(&name, "ms", crate::report::median(cpu.into_iter()), Goal::None);
    if !deep.is_empty() {
        let p95 = crate::report::median(deep.iter().map(|pair| pair.0));
        report.figure(
            &format!("people by {}, deep, p95", kind.name),
            "ms",
            p95,
            Goal::AtMost(GOAL_MS),
        );
        report.pairs(
            &format!("people by {}, deep / page 1", kind.name),
            "ms",
            &deep,
            Goal::None,
        );
    }
    if !against_walk.is_empty() {
        let name = format!("people by {}, p95 / a walk over the rows", kind.name);
        report.pairs(&name, "ms", &against_walk, Goal::None);
    }
    Ok(())
}

/// Some totals against a count by hand.
fn check(walk: &Sqlite, kind: &Kind, totals: &[i64], body: &dyn Fn(usize) -> Value) -> Result<()> {
    for i in (0..totals.len()).step_by(totals.len() / 6 + 1) {
        let condition = (kind.walk)(&body(i));
        if condition.is_empty() {
            ensure!(totals[i] >= 1, "nobody has the number of {}", body(i));
            continue;
        }
        let counted = by_hand(walk, &condition)?;
        ensure!(
            counted == totals[i],
            "{}: {} and not {counted}",
            body(i),
            totals[i]
        );
    }
    Ok(())
}

fn by_hand(walk: &Sqlite, condition: &str) -> Result<i64> {
    let sql =
        format!("SELECT COUNT(*) FROM contacts c WHERE c.team_id = 1 AND c.archived_at IS NULL {condition}");
    Ok(walk.query_row(&sql, [], |row| row.get(0))?)
}

/// What 19 of 20 requests stay below, in milliseconds: until the answer was read, and of the server's CPU.
struct Costs {
    wall: f64,
    cpu: f64,
}

impl Asking<'_> {
    fn time(&mut self, requests: &[Request]) -> Result<Costs> {
        let (mut wall, mut cpu) = (Vec::with_capacity(requests.len()), Vec::new());
        for request in requests {
            let (used, began) = (self.server.cpu_seconds()?, Instant::now());
            let (status, _) = self.connection.send(request)?;
            wall.push(began.elapsed().as_secs_f64() * 1e3);
            cpu.push((self.server.cpu_seconds()? - used) * 1e3);
            ensure!(status == 200, "status {status}");
        }
        Ok(Costs {
            wall: percentile(&mut wall, 0.95),
            cpu: percentile(&mut cpu, 0.95),
        })
    }
}

fn request(seeded: &Seeded, body: &Value) -> Request {
    Request::post("/v2/api/crm/people/search", &seeded.key, &body.to_string())
}

fn ask(connection: &mut Connection, request: &Request) -> Result<Value> {
    let (status, body) = connection.send(request)?;
    ensure!(
        status == 200,
        "status {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(serde_json::from_slice(&body)?)
}

/// Until the team is in the index, searches walk.
fn wait_until_ready(server: &Server, seeded: &Seeded) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(600);
    let mut connection = Connection::open(server.address)?;
    let probe = request(seeded, &json!({ "filters": { "last_name": "zzzzzz" } }));
    while Instant::now() < until {
        let began = Instant::now();
        // A walk may take longer than the server allows.
        let (status, _) = connection.send(&probe)?;
        if status == 200 && began.elapsed() < Duration::from_millis(30) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    anyhow::bail!("the index of people did not get ready within ten minutes")
}
