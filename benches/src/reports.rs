//! Reports over many calls, against DuckDB on the same rows; and what keeping their figures costs those who write.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection as Sqlite, params};
use serde_json::{Value, json};
use trunkline_store::{Db, DbOptions, Location};

use crate::data::{self, Seeded};
use crate::load::{Connection, Request};
use crate::process::Server;
use crate::report::{Goal, Report, median};
use crate::{Scale, writes};

/// What is reported on: 28 days, and the 28 before them.
const RANGES: [(&str, &str); 2] = [("2026-06-01", "2026-06-28"), ("2026-05-04", "2026-05-31")];
/// The first instant after the last day.
const END: i64 = 1_782_691_200_000;
const DAY: i64 = 86_400_000;
/// Days of a range.
const DAYS: i64 = 28;
/// Reports whose median is taken.
const REPORTS: usize = 15;
/// The tables that reports read.
const TABLES: [&str; 3] = ["call_slots", "call_days", "call_tags"];
/// What answers as DuckDB does.
const JUDGE: &str = include_str!("reports.py");

/// Calls that a team has had.
#[derive(Clone, Copy)]
struct Past {
    /// Outbound calls in each range of 28 days.
    calls: i64,
    /// How many such ranges it goes back.
    ranges: i64,
    /// How many other teams have had the same.
    others: i64,
}

/// What a report took, in milliseconds: until the answer was read, and of the server's CPU.
struct Cost {
    wall: f64,
    cpu: f64,
}

/// Measures reports and what they cost writers.
///
/// # Errors
/// When a server, a statement or DuckDB fails.
pub fn measure(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    million(program, scale, report)?;
    let past = |calls, ranges, others| Past {
        calls,
        ranges,
        others,
    };
    let mut small = Asking::start(program, &team(program, "reports-small", past(5_000, 2, 0))?)?;
    let costs: Vec<Cost> = (0..scale.pairs).map(|_| small.time()).collect::<Result<_>>()?;
    figures(report, "28-day report, 10,000 calls", &costs, Goal::AtMost(2.0));
    drop(small);
    let alone = team(program, "reports-young", past(50_000, 2, 0))?;
    for (name, what, other) in [
        ("reports-old", "five times older history", past(50_000, 12, 0)),
        ("reports-crowd", "ten other teams like it", past(50_000, 2, 10)),
    ] {
        let (mut other, mut alone) = (
            Asking::start(program, &team(program, name, other)?)?,
            Asking::start(program, &alone)?,
        );
        let (mut wall, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..scale.pairs {
            let (other, alone) = (other.time()?, alone.time()?);
            wall.push((other.wall, alone.wall));
            cpu.push((other.cpu, alone.cpu));
        }
        let name = format!("28-day report, {what} / none");
        report.pairs(&name, "ms", &wall, Goal::AtMost(1.2));
        report.pairs("the same, CPU", "ms", &cpu, Goal::AtMost(1.2));
    }
    writing(scale, report)
}

fn figures(report: &mut Report, name: &str, costs: &[Cost], goal: Goal) {
    report.figure(name, "ms", median(costs.iter().map(|cost| cost.wall)), goal);
    report.figure(
        "the same, CPU",
        "ms",
        median(costs.iter().map(|cost| cost.cpu)),
        Goal::None,
    );
}

fn million(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let past = Past {
        calls: 1_000_000,
        ranges: 2,
        others: 0,
    };
    let seeded = team(program, "reports-million", past)?;
    let mut judge = Judge::start(&seeded)?;
    if judge.is_none() {
        println!(
            "DuckDB's package for Python is not installed: its row is left out (BENCH_PYTHON names a python)"
        );
    }
    let mut server = Asking::start(program, &seeded)?;
    let dials = server.ask()?["data"]["funnel"]["dials"]["count"]["value"]
        .as_i64()
        .context("no dials")?;
    ensure!(dials == past.calls, "{dials} dials");
    let (mut ours, mut wall, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let cost = server.time()?;
        if let Some(judge) = &mut judge {
            let (baseline, counted) = judge.ask()?;
            ensure!(
                counted == dials,
                "DuckDB counts {counted} dials, the product {dials}"
            );
            wall.push((cost.wall, baseline.wall));
            cpu.push((cost.cpu, baseline.cpu));
        }
        ours.push(cost);
    }
    let name = "28-day report, 1,000,000 calls in range";
    figures(report, name, &ours, Goal::AtMost(25.0));
    if judge.is_some() {
        let name = "28-day report, 1,000,000 calls in range / DuckDB";
        report.pairs(name, "ms", &wall, Goal::AtMost(1.0));
        report.pairs("the same, CPU", "ms", &cpu, Goal::None);
    }
    Ok(())
}

/// Completed calls a second as they are, and with everything ignored that is written to the tables of reports. (The
/// statements themselves are still run.)
fn writing(scale: Scale, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let duration = std::time::Duration::from_secs(scale.write_seconds);
    let folder = std::env::current_exe()?
        .with_file_name("bench-data")
        .join("reports-writes");
    let (mut speeds, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let mut measured = Vec::new();
        for skip in [false, true] {
            drop(std::fs::remove_dir_all(&folder));
            std::fs::create_dir_all(&folder)?;
            let file = folder.join("product.db");
            let location = Location::Sqlite(file.clone());
            Db::migrate(&location, DbOptions::default())?.close();
            for table in TABLES.iter().filter(|_| skip) {
                Sqlite::open(&file)?.execute_batch(&format!(
                    "CREATE TRIGGER skip_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END"
                ))?;
            }
            measured.push(runtime.block_on(writes::product(location, writes::CLIENTS, duration))?);
        }
        speeds.push((measured[0].per_second, measured[1].per_second));
        cpu.push((measured[0].cpu_us, measured[1].cpu_us));
    }
    drop(std::fs::remove_dir_all(&folder));
    report.pairs(
        "completed calls with figures for reports / without",
        "calls/s",
        &speeds,
        Goal::AtLeast(0.85),
    );
    report.pairs("the same, CPU a call", "us", &cpu, Goal::None);
    Ok(())
}

/// A server, and the report that is asked of it.
struct Asking {
    server: Server,
    connection: Connection,
    request: Request,
}

impl Asking {
    fn start(program: &Path, seeded: &Seeded) -> Result<Self> {
        let server = Server::trunkline(program, &seeded.dir)?;
        let range = |(from, to): (&str, &str)| json!({ "from": from, "to": to });
        let body = json!({ "date": range(RANGES[0]), "compare_date": range(RANGES[1]), "tags": ["won"] });
        let request = Request::post("/v2/api/analytics/outbound", &seeded.key, &body.to_string());
        let connection = Connection::open(server.address)?;
        server.settle()?;
        let mut asking = Self {
            server,
            connection,
            request,
        };
        asking.ask()?;
        Ok(asking)
    }

    fn ask(&mut self) -> Result<Value> {
        let (status, body) = self.connection.send(&self.request)?;
        ensure!(
            status == 200,
            "status {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(serde_json::from_slice(&body)?)
    }

    /// What the median of some reports took, and their mean CPU.
    fn time(&mut self) -> Result<Cost> {
        let mut times = Vec::with_capacity(REPORTS);
        let before = self.server.cpu_seconds()?;
        for _ in 0..REPORTS {
            let began = Instant::now();
            self.ask()?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Cost {
            wall: median(times.into_iter()),
            cpu: (self.server.cpu_seconds()? - before) * 1e3 / REPORTS as f64,
        })
    }
}

/// A data folder whose team has had these calls, and nothing else.
fn team(program: &Path, name: &str, past: Past) -> Result<Seeded> {
    let seeded = data::seeded(program, name, 200, 0.0)?;
    let done = seeded.dir.join("called");
    if !done.exists() {
        eprintln!(
            "making {} calls for {name} …",
            past.calls * past.ranges * (1 + past.others)
        );
        let mut connection = Sqlite::open(seeded.dir.join("trunkline.db"))?;
        fill(&mut connection, past).context("calls could not be made")?;
        drop(connection);
        data::run(program, &seeded.dir, &["reindex", "--analytics"])?;
        // Of others the rows are enough, and commands need not be told whom they are about.
        Sqlite::open(seeded.dir.join("trunkline.db"))?.execute("DELETE FROM teams WHERE team_id > 1", [])?;
        std::fs::write(&done, "")?;
    }
    Ok(seeded)
}

fn fill(connection: &mut Sqlite, past: Past) -> Result<()> {
    let Past {
        calls,
        ranges,
        others,
    } = past;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
         DELETE FROM items; DELETE FROM calls; DELETE FROM messages; DELETE FROM item_tags;
         UPDATE teams SET time_zone = 'UTC';",
    )?;
    let indexes: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('items', 'item_tags') AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let users: Vec<String> = column(connection, "SELECT id FROM users WHERE team_id = 1 ORDER BY id")?;
    let lines: Vec<i64> = column(
        connection,
        "SELECT line FROM numbers WHERE team_id = 1 ORDER BY line",
    )?;
    let transaction = connection.transaction()?;
    let mut item = transaction.prepare(
        "INSERT INTO items (team_id, seq, id, kind, direction, line, contact_number, conversation, user_id, at, day, result,
                            duration, tags)
         VALUES (1, ?1, ?2, 'CALL', 'OUTBOUND', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let mut call = transaction.prepare(
        "INSERT INTO calls (team_id, seq, phase, answered_at, ended_at, completed_at, cause, node)
         VALUES (1, ?1, 'COMPLETED', ?2, ?3, ?3, 'HUNG_UP', '')",
    )?;
    let mut tag =
        transaction.prepare("INSERT INTO item_tags (team_id, tag, at, seq) VALUES (1, ?1, ?2, ?3)")?;
    let (all, span) = (calls * ranges, DAYS * ranges * DAY);
    for n in 0..all {
        let seq = n + 1;
        // Some order that no two neighbours share, the same in every run.
        let chance = n * 2_654_435_761 % 1_000_003;
        let at = END - span + i64::try_from(i128::from(span) * i128::from(n) / i128::from(all))?;
        let picked =
            |count: usize, salt: i64| usize::try_from((chance + salt) % i64::try_from(count).unwrap_or(1));
        let (result, talked) = match chance % 10 {
            0..4 => ("ANSWERED", Some(chance % 400)),
            4 => ("VOICEMAIL", Some(20)),
            _ => ("FAILED", None),
        };
        let answered = (result == "ANSWERED").then_some(at + 4_000 + chance % 9_000);
        let ended = at + 20_000 + talked.unwrap_or(0) * 1_000;
        let won = result == "ANSWERED" && chance % 7 == 0;
        item.execute(params![
            seq,
            format!("cll-{seq:027}"),
            lines[picked(lines.len(), 1)?],
            format!("+1415{:07}", 2_000_000 + chance % 50_000),
            1 + chance % 50_000,
            users[picked(users.len(), 2)?],
            at,
            at.div_euclid(DAY),
            result,
            talked,
            won.then_some("[\"won\"]"),
        ])?;
        call.execute(params![seq, answered, ended])?;
        if won {
            tag.execute(params!["won", at, seq])?;
        }
    }
    drop((item, call, tag));
    for team in 2..2 + others {
        transaction.execute_batch(&copies(&transaction, team)?)?;
    }
    transaction.commit()?;
    for (_, sql) in &indexes {
        connection.execute_batch(sql)?;
    }
    connection.execute_batch(&format!(
        "UPDATE teams SET last_item = {all} WHERE team_id = 1; ANALYZE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    ))?;
    Ok(())
}

/// Statements that give another team what the first has.
fn copies(connection: &Sqlite, team: i64) -> Result<String> {
    let mut all = String::new();
    for table in ["teams", "items", "calls", "item_tags"] {
        let names: Vec<String> = column(
            connection,
            &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
        )?;
        let values = names.iter().map(|name| match (table, name.as_str()) {
            (_, "team_id") => team.to_string(),
            ("teams", "id") => format!("substr(id, 1, length(id) - 2) || '{team:02}'"),
            _ => name.clone(),
        });
        let (names, values): (Vec<_>, Vec<_>) = (names.clone(), values.collect());
        writeln!(
            all,
            "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE team_id = 1;",
            names.join(", "),
            values.join(", ")
        )?;
    }
    Ok(all)
}

fn column<T: rusqlite::types::FromSql>(connection: &Sqlite, sql: &str) -> Result<Vec<T>> {
    Ok(connection
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// DuckDB with the same calls in memory, in a process of its own.
struct Judge {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Judge {
    /// `None` where DuckDB is not installed.
    fn start(seeded: &Seeded) -> Result<Option<Self>> {
        let Some(python) = python() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let (script, calls) = (folder.path().join("reports.py"), folder.path().join("calls.csv"));
        std::fs::write(&script, JUDGE)?;
        export(seeded, &calls)?;
        let mut child = Command::new(python)
            .arg(script)
            .arg(calls)
            .args(RANGES.iter().flat_map(|(from, to)| [*from, *to]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (
            child.stdin.take().context("no input")?,
            child.stdout.take().context("no output")?,
        );
        let mut judge = Self {
            child,
            input,
            output: BufReader::new(output),
            _folder: folder,
        };
        // The first answer comes when everything is read.
        judge.ask()?;
        Ok(Some(judge))
    }

    /// What some answers took, and the dials of the range.
    fn ask(&mut self) -> Result<(Cost, i64)> {
        writeln!(self.input, "{REPORTS}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("DuckDB did not answer")?;
        let cost = Cost {
            wall: said["ms"].as_f64().context("no time")?,
            cpu: said["cpu_ms"].as_f64().context("no CPU time")?,
        };
        Ok((cost, said["dials"].as_i64().context("no dials")?))
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A Python that has DuckDB: the one that `BENCH_PYTHON` names, the tests' own, or the machine's.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("BENCH_PYTHON").map(PathBuf::from);
    let made = std::fs::read_dir("target/tmp").into_iter().flatten().flatten();
    let made = made.map(|entry| entry.path().join("bin/python"));
    named
        .into_iter()
        .chain(made)
        .chain([PathBuf::from("python3")])
        .find(|python| {
            let tried = Command::new(python)
                .args(["-c", "import duckdb"])
                .stderr(Stdio::null())
                .status();
            tried.is_ok_and(|status| status.success())
        })
}

fn export(seeded: &Seeded, to: &Path) -> Result<()> {
    let connection = Sqlite::open(seeded.dir.join("trunkline.db"))?;
    let mut statement = connection.prepare(
        "SELECT i.seq, i.at, i.user_id, i.result, COALESCE(i.duration, 0), COALESCE(c.answered_at, c.ended_at) - i.at,
                i.tags IS NOT NULL
           FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq WHERE i.team_id = 1",
    )?;
    let mut rows = statement.query([])?;
    let mut text = String::from("seq,began,user_id,result,duration,ringing,won\n");
    while let Some(row) = rows.next()? {
        let (user, result): (String, String) = (row.get(2)?, row.get(3)?);
        let number = |column| row.get::<_, i64>(column);
        writeln!(
            text,
            "{},{},{user},{result},{},{},{}",
            number(0)?,
            number(1)?,
            number(4)?,
            number(5)?,
            number(6)?
        )?;
    }
    Ok(std::fs::write(to, text)?)
}
