//! Durable writes: a completed call with transcript, summary, tags, conversation and events, by many clients.
//!
//! The baseline writes the same rows by the same statements with a bare group commit: one thread, prepared statements,
//! no reads, no JSON made, no rules.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::{Connection, params_from_iter, types::Value};
use trunkline_domain::call::EndCause;
use trunkline_domain::events::TranscriptLine;
use trunkline_domain::{
    Capability, Clock, Direction, Millis, PhoneNumber, Plan, RandomIds, Role, Speaker, SummaryTemplate,
    SystemClock,
};
use trunkline_store::{Db, DbOptions, Location, TeamKey, Tx};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step};
use trunkline_switchboard::{Error, Switchboard, Work};
use trunkline_testkit::db::us;
use trunkline_testkit::postgres::{Durability, PostgresServer};

use crate::Scale;
use crate::process::cpu_seconds;
use crate::report::{Goal, Report};

/// Clients that write at the same time.
pub const CLIENTS: usize = 64;

/// Measures against a bare group commit, one-by-one commits and PostgreSQL.
///
/// # Errors
/// When a database fails.
pub fn measure(scale: Scale, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let duration = Duration::from_secs(scale.write_seconds);
    let folder = std::env::current_exe()?
        .with_file_name("bench-data")
        .join("writes");
    let server = PostgresServer::private(Durability::Full).ok();
    let (mut bare, mut cpu, mut single, mut postgres) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder)?;
        let ours = runtime.block_on(product(
            Location::Sqlite(folder.join("product.db")),
            CLIENTS,
            duration,
        ))?;
        let rows = captured(&folder.join("product.db"))?;
        let theirs = bare_group_commit(&folder, &rows, CLIENTS, duration)?;
        bare.push((ours.per_second, theirs.per_second));
        cpu.push((ours.cpu_us, theirs.cpu_us));
        let alone = bare_group_commit(&folder, &rows, 1, duration / 2)?;
        single.push((ours.per_second, alone.per_second));
        if let Some(server) = &server {
            let url = server.fresh_database();
            let other = runtime.block_on(product(Location::Postgres(url), CLIENTS, duration))?;
            postgres.push((ours.per_second, other.per_second));
        }
    }
    drop(std::fs::remove_dir_all(&folder));
    report.pairs(
        "completed calls, 64 clients / bare group commit",
        "calls/s",
        &bare,
        Goal::AtLeast(0.7),
    );
    report.pairs("the same, CPU a call", "us", &cpu, Goal::None);
    report.pairs(
        "completed calls / bare one-by-one commits",
        "calls/s",
        &single,
        Goal::None,
    );
    if postgres.is_empty() {
        println!("PostgreSQL's programs are not installed: its row is left out");
    } else {
        report.pairs(
            "completed calls on SQLite / on PostgreSQL, one team",
            "calls/s",
            &postgres,
            Goal::None,
        );
    }
    Ok(())
}

/// What writing cost.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// How many a second.
    pub per_second: f64,
    /// CPU of one, in microseconds.
    pub cpu_us: f64,
}

/// CPU of this process so far, in seconds.
#[must_use]
pub fn own_cpu_seconds() -> f64 {
    cpu_seconds(std::process::id()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "some thousands of calls")]
fn speed(count: u64, began: Instant, cpu: f64) -> Speed {
    let per_second = count as f64 / began.elapsed().as_secs_f64();
    Speed {
        per_second,
        cpu_us: (own_cpu_seconds() - cpu) * 1e6 / count as f64,
    }
}

/// Records calls by the commands of the product, for `duration`, in a database that is made where there is none.
///
/// # Errors
/// When the database fails.
pub async fn product(location: Location, clients: usize, duration: Duration) -> Result<Speed> {
    let db = tokio::task::spawn_blocking(move || Db::migrate(&location, DbOptions::default())).await??;
    let board = Switchboard::new(db.clone(), Arc::new(SystemClock), Arc::new(RandomIds), "bench");
    let team = one_line_team(&board).await?;
    let (began, cpu) = (Instant::now(), own_cpu_seconds());
    let mut tasks = Vec::new();
    for client in 0..clients {
        let board = board.clone();
        tasks.push(tokio::spawn(async move {
            let mut count = 0u64;
            while began.elapsed() < duration {
                let (ring, steps) = call(client as u64 * 1_000 + count % 1_000, SystemClock.now());
                let outcome: Result<_, Error> = board
                    .run(team, move |work| calls::record(work, &ring, &steps))
                    .await;
                outcome?;
                count += 1;
            }
            Ok::<u64, Error>(count)
        }));
    }
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    let speed = speed(count, began, cpu);
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(speed)
}

/// A team with one line.
///
/// # Errors
/// The store's failure.
pub async fn one_line_team(board: &Switchboard) -> Result<TeamKey, Error> {
    let now = SystemClock.now();
    let make = move |tx: &mut Tx<'_>| -> Result<_, Error> {
        let team = CreateTeam {
            name: "Bench".into(),
            plan: Plan::Business,
            time_zone: "UTC".into(),
            country: "US".into(),
            sandbox: true,
        };
        accounts::create_team(tx, &RandomIds, now, &team)
    };
    let (team, _) = board.db().write(make).await?;
    let add = move |work: &mut Work<'_, '_>| -> Result<i64, Error> {
        let user = accounts::create_user(work, "Ada", "ada@bench.example", Role::Admin)?;
        let number = AddNumber {
            address: Address::Number(us()),
            name: Some("Bench".into()),
            capabilities: vec![Capability::Voice],
            carrier: "sandbox".into(),
            carrier_settings: None,
            members: vec![user],
        };
        let id = work.new_id(work.now);
        accounts::add_number(work, id, &number)
    };
    board.run(team, add).await?;
    Ok(team)
}

/// A call of two minutes with 24 lines of transcript, a summary and two tags.
fn call(n: u64, now: Millis) -> (Ring, Vec<Step>) {
    let contact = PhoneNumber::parse(&format!("+1415{:07}", 2_000_000 + n % 50_000)).unwrap_or_else(|_| us());
    let line = |i: i64| TranscriptLine {
        source: if i % 2 == 0 {
            Speaker::External
        } else {
            Speaker::User
        },
        time: now.plus(i * 5_000),
        text: format!(
            "This is line {i} of what was said about invoice {n}, the refund and the next delivery date."
        ),
    };
    let ring = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact,
        user: None,
        blocked: false,
        at: now,
    };
    let steps = vec![
        Step::Answer(None, now.plus(4_000)),
        Step::End(EndCause::HungUp, None, now.plus(124_000)),
        Step::Leave(Leftover::Transcript((0..24).map(line).collect())),
        Step::Leave(Leftover::Summary(
            SummaryTemplate::Classic,
            format!("Asked about invoice {n}; a refund was promised."),
        )),
        Step::Leave(Leftover::Tag("billing".into())),
        Step::Leave(Leftover::Tag("refund".into())),
        Step::Complete(now.plus(125_000)),
    ];
    (ring, steps)
}

/// The rows one call leaves in each table, as the product wrote them.
struct Rows {
    tables: Vec<(String, Vec<Vec<Value>>)>,
}

/// Tables of which every call adds rows.
const ADDED: [&str; 6] = [
    "items",
    "calls",
    "transcripts",
    "summaries",
    "item_tags",
    "events",
];

/// Reads the rows of one call (the third of the team) from the product's database.
fn captured(file: &Path) -> Result<Rows> {
    let connection = Connection::open(file)?;
    let mut tables = Vec::new();
    for table in ADDED {
        let filter = if table == "events" { "item = 3" } else { "seq = 3" };
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} WHERE {filter}"))?;
        let columns = statement.column_count();
        let rows: Vec<Vec<Value>> = statement
            .query_map([], |row| (0..columns).map(|i| row.get(i)).collect())?
            .collect::<Result<_, _>>()?;
        anyhow::ensure!(!rows.is_empty(), "no rows in {table}");
        tables.push((table.to_owned(), rows));
    }
    Ok(Rows { tables })
}

/// Writes the same rows by a bare group commit: `clients` threads hand units to one writer, which commits what waits.
fn bare_group_commit(folder: &Path, rows: &Rows, clients: usize, duration: Duration) -> Result<Speed> {
    let file = folder.join("bare.db");
    for name in ["bare.db", "bare.db-wal", "bare.db-shm"] {
        drop(std::fs::remove_file(folder.join(name)));
    }
    let db = Db::migrate(&Location::Sqlite(file.clone()), DbOptions::default())?;
    db.close();
    let connection = Connection::open(&file)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;
         INSERT INTO teams (team_id, id, name, plan, time_zone, country, sandbox, read_per_second, write_per_second,
                            create_tags, last_event, last_item, last_conversation, last_line, created_at)
         VALUES (1, 'team-x', 'x', 'BUSINESS', 'UTC', 'US', 1, 20, 5, 1, 0, 0, 0, 0, 0);",
    )?;
    let (units, waiting) = std::sync::mpsc::sync_channel::<std::sync::mpsc::SyncSender<()>>(4_096);
    let (began, cpu) = (Instant::now(), own_cpu_seconds());
    let count = AtomicU64::new(0);
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..clients {
            let (units, count) = (units.clone(), &count);
            scope.spawn(move || {
                let (reply, answer) = std::sync::mpsc::sync_channel(1);
                while began.elapsed() < duration && units.send(reply.clone()).is_ok() && answer.recv().is_ok()
                {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        drop(units);
        let mut seq = 0i64;
        while let Ok(first) = waiting.recv() {
            let mut replies = vec![first];
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            write_call(&connection, rows, &mut seq)?;
            while replies.len() < 512 {
                let Ok(next) = waiting.try_recv() else { break };
                write_call(&connection, rows, &mut seq)?;
                replies.push(next);
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
            for reply in replies {
                let _ = reply.send(());
            }
        }
        Ok(())
    })?;
    Ok(speed(count.load(Ordering::Relaxed), began, cpu))
}

/// One call: its rows with numbers of their own, the counters, the conversation, the team.
fn write_call(connection: &Connection, rows: &Rows, seq: &mut i64) -> Result<()> {
    *seq += 1;
    let mut event = *seq * 16;
    for (table, all) in &rows.tables {
        for row in all {
            let marks: Vec<String> = (1..=row.len()).map(|i| format!("?{i}")).collect();
            let sql = format!("INSERT INTO {table} VALUES ({})", marks.join(","));
            let mut values = row.clone();
            match table.as_str() {
                "events" => {
                    event += 1;
                    values[1] = Value::Integer(event);
                    values[4] = Value::Integer(*seq);
                }
                "item_tags" => values[3] = Value::Integer(*seq),
                "items" => {
                    values[1] = Value::Integer(*seq);
                    values[2] = Value::Text(format!("cll-{seq:027}"));
                    values[6] = Value::Text(format!("+1415{:07}", 2_000_000 + *seq % 50_000));
                }
                _ => values[1] = Value::Integer(*seq),
            }
            connection
                .prepare_cached(&sql)?
                .execute(params_from_iter(values))?;
        }
    }
    let totals = "INSERT INTO item_totals AS t (team_id, line, user_id, kind, direction, result, n)
                  VALUES (1, 1, '', 'CALL', 'INBOUND', 'ANSWERED', 1)
                      ON CONFLICT DO UPDATE SET n = t.n + excluded.n";
    let days = "INSERT INTO item_days AS t (team_id, day, line, user_id, kind, direction, result, n)
                VALUES (1, 20000, 1, '', 'CALL', 'INBOUND', 'ANSWERED', 1)
                    ON CONFLICT DO UPDATE SET n = t.n + excluded.n";
    connection.prepare_cached(totals)?.execute([])?;
    connection.prepare_cached(days)?.execute([])?;
    let number = format!("+1415{:07}", 2_000_000 + *seq % 50_000);
    let conversation =
        "INSERT INTO conversations (team_id, conversation, line, contact_number, last_at, last_item, items,
                                                   unread, archived, unresponded)
                        VALUES (1, ?1, 1, ?2, ?3, ?4, 1, 0, 0, 0)
                            ON CONFLICT DO UPDATE SET last_at = ?3, last_item = ?4, items = items + 1";
    connection
        .prepare_cached(conversation)?
        .execute((*seq % 50_000, number, *seq, *seq))?;
    let team = "UPDATE teams SET last_event = ?1, last_item = ?2, last_conversation = ?2 WHERE team_id = 1";
    connection
        .prepare_cached(team)?
        .execute((event, *seq))
        .context("the team")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A migration that adds a column, and nobody remembers the baseline.
    #[test]
    fn the_baseline_writes_what_the_product_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("product.db");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let duration = Duration::from_millis(200);
        let ours = runtime.block_on(product(Location::Sqlite(file.clone()), 4, duration));
        assert!(ours.unwrap().per_second > 0.0);
        let rows = captured(&file).unwrap();
        let theirs = bare_group_commit(folder.path(), &rows, 2, duration).unwrap();
        assert!(theirs.per_second > 0.0);
    }
}
