//! The process that sends: a database of its own, endpoints, events, and the dispatcher of the product.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::ValueEnum;
use http::{HeaderMap, HeaderValue};
use tokio_util::sync::CancellationToken;
use trunkline_domain::events::Topic;
use trunkline_domain::{Clock, Millis, RandomIds, SystemClock};
use trunkline_store::crypto::Vault;
use trunkline_store::{Db, DbOptions, Location, StoreError, TeamKey, teams, webhooks};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::webhooks::{self as commands, CreateEndpoint};
use trunkline_switchboard::{Actor, Error, Switchboard};
use trunkline_testkit::db::us;
use trunkline_webhooks::address::AllowList;
use trunkline_webhooks::signature::{Secret, sign};
use trunkline_webhooks::{Client, Dispatcher, Options};

use super::Sent;
use super::sink::micros;
use crate::process::status_mib;
use crate::writes::{one_line_team, own_cpu_seconds};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Events that are there when the dispatcher starts.
    Drain,
    /// Texts that come in while the dispatcher runs.
    Live,
    /// Texts that come in at a rate.
    Rate,
    /// Events that are there when the dispatcher starts, for endpoints that never answer: all is fanned out, nothing done.
    Backlog,
    /// The same posts, signed, with nothing stored.
    Bare,
    /// The same at a rate.
    BareRate,
}

/// What a sender is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    mode: Mode,
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    sink: String,
    #[arg(long, default_value_t = 1)]
    endpoints: u64,
    #[arg(long, default_value_t = 0)]
    hanging: u64,
    #[arg(long, default_value_t = 1_000)]
    messages: u64,
    #[arg(long, default_value_t = 100)]
    rate: u64,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long)]
    commits: Option<PathBuf>,
}

/// Sends, and prints what it cost.
///
/// # Errors
/// When anything fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sent = runtime.block_on(async {
        match arguments.mode {
            Mode::Bare => bare(arguments).await,
            Mode::BareRate => bare_at_a_rate(arguments).await,
            _ => product(arguments).await,
        }
    })?;
    println!("{}", serde_json::to_string(&sent)?);
    Ok(())
}

async fn product(arguments: &Arguments) -> Result<Sent> {
    let location = Location::Sqlite(arguments.folder.join("webhooks.db"));
    let db = tokio::task::spawn_blocking(move || Db::migrate(&location, DbOptions::default())).await??;
    let board = Switchboard::new(db.clone(), Arc::new(SystemClock), Arc::new(RandomIds), "bench");
    let team = one_line_team(&board).await?;
    let vault = Vault::new("bench");
    make_endpoints(&board, &vault, team, arguments).await?;
    let events = arguments.messages / arguments.endpoints;
    if matches!(arguments.mode, Mode::Drain | Mode::Backlog) {
        texts(&board, team, 0..events, 64).await?;
    }
    let client = Client::new(AllowList::loopback(), Vec::new())?;
    let dispatcher = Dispatcher::new(board.clone(), vault, client, Options::default());
    let stop = CancellationToken::new();
    forget_peak()?;
    let (began, cpu) = (Instant::now(), own_cpu_seconds());
    let running = tokio::spawn(dispatcher.run(stop.clone()));
    match arguments.mode {
        Mode::Live => texts(&board, team, 0..events, 64).await?,
        Mode::Rate => {
            at_a_rate(&board, team, arguments).await?;
            // What hangs never ends.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        _ => {}
    }
    match arguments.mode {
        Mode::Rate => {}
        Mode::Backlog => until_fanned_out(&db).await?,
        _ => until_recorded(&db, team).await?,
    }
    let sent = Sent {
        messages: events * arguments.endpoints,
        seconds: began.elapsed().as_secs_f64(),
        cpu_us: (own_cpu_seconds() - cpu) * 1e6,
        peak_mib: status_mib(std::process::id(), "VmHWM:")?,
    };
    if arguments.hanging == 0 {
        stop.cancel();
        running.await?;
        tokio::task::spawn_blocking(move || db.close()).await?;
    }
    Ok(sent)
}

async fn make_endpoints(
    board: &Switchboard,
    vault: &Vault,
    team: TeamKey,
    arguments: &Arguments,
) -> Result<()> {
    for n in 0..arguments.endpoints {
        let kind = if n < arguments.hanging { "hang" } else { "take" };
        let endpoint = CreateEndpoint {
            url: format!("{}/{kind}/{n}", arguments.sink),
            topics: vec![Topic::SmsReceived],
            description: None,
            lines: None,
            headers: Vec::new(),
        };
        let vault = vault.clone();
        board
            .run(team, move |work| {
                commands::create(work, &vault, &endpoint, &Actor::System).map(drop)
            })
            .await?;
    }
    Ok(())
}

fn text(n: u64) -> Receive {
    let contact = format!("+1415{:07}", 2_000_000 + n % 5_000);
    Receive {
        line: us(),
        from: trunkline_domain::PhoneNumber::parse(&contact).unwrap_or_else(|_| us()),
        content: format!(
            "#{n}# Could you move my appointment to next Tuesday, please? Any time before noon works."
        ),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at: SystemClock.now(),
    }
}

async fn texts(
    board: &Switchboard,
    team: TeamKey,
    numbers: std::ops::Range<u64>,
    clients: u64,
) -> Result<()> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (board, next, end) = (board.clone(), next.clone(), numbers.end);
        tasks.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= end {
                    return Ok::<_, Error>(());
                }
                let text = text(n);
                board
                    .run(team, move |work| messages::receive(work, &text).map(drop))
                    .await?;
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn at_a_rate(board: &Switchboard, team: TeamKey, arguments: &Arguments) -> Result<()> {
    let mut every = tokio::time::interval(Duration::from_micros(1_000_000 / arguments.rate));
    let mut tasks = Vec::new();
    for n in 0..arguments.rate * arguments.seconds {
        every.tick().await;
        let (board, text) = (board.clone(), text(n));
        tasks.push(tokio::spawn(async move {
            board
                .run(team, move |work| messages::receive(work, &text).map(drop))
                .await?;
            Ok::<_, Error>((n, micros()))
        }));
    }
    let file = arguments.commits.as_deref().unwrap_or(Path::new("/dev/null"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for task in tasks {
        let (n, at) = task.await??;
        writeln!(out, "{n} {at}")?;
    }
    Ok(out.flush()?)
}

/// Has the kernel take the peak of this process's memory anew (proc(5), `clear_refs`).
fn forget_peak() -> Result<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

async fn until_fanned_out(db: &Db) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(600);
    while Instant::now() < until {
        if db.read(webhooks::ahead).await?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the events were not fanned out within ten minutes")
}

async fn until_recorded(db: &Db, team: TeamKey) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(120);
    while Instant::now() < until {
        let done = db
            .read(move |conn| {
                let cursor = webhooks::cursor(conn, team)?;
                let last = teams::last_event(conn, team)?;
                let due = webhooks::due(conn)?;
                Ok::<_, StoreError>(cursor == Some(last) && due.iter().all(|next| next.due_at.is_none()))
            })
            .await?;
        if done {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("the messages were not delivered within two minutes")
}

/// A body as long as the product's, about text number `n`.
fn body(n: u64) -> Result<Bytes> {
    let data = serde_json::json!({
        "topic": "sms.received", "version": "2.0", "timestamp": "2026-01-01T00:00:00.000Z",
        "data": {
            "id": "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "direction": "INBOUND", "type": "SMS", "content": text(n).content,
            "sent_at": "2026-01-01T00:00:00.000Z", "from_number": "+14152000001", "to_number": us().as_str(),
            "from_name": null, "to_name": "Bench", "user_email": "ada@bench.example"
        }
    });
    Ok(Bytes::from(serde_json::to_vec(&data)?))
}

async fn post(client: &Client, secret: &Secret, url: &http::Uri, n: u64, body: Bytes) -> Result<()> {
    let now: Millis = SystemClock.now();
    let id = format!("msg_{n:027}");
    let signature = sign([secret], &id, now.unix_seconds(), &body);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::try_from(id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(now.unix_seconds()));
    headers.insert("webhook-signature", HeaderValue::try_from(signature)?);
    let reply = client.post(url.clone(), headers, body, now).await;
    anyhow::ensure!(reply.outcome.is_success(), "{reply:?}");
    Ok(())
}

/// The same bytes, signed and posted by the same client with the same number at a time, and nothing stored.
async fn bare(arguments: &Arguments) -> Result<Sent> {
    let client = Client::new(AllowList::loopback(), Vec::new())?;
    let secret = Arc::new(Secret::generate(&RandomIds));
    let (body, next) = (body(1)?, Arc::new(AtomicU64::new(0)));
    let (began, cpu) = (Instant::now(), own_cpu_seconds());
    let mut tasks = Vec::new();
    for n in 0..arguments.endpoints * 8 {
        let url: http::Uri = format!("{}/take/{}", arguments.sink, n % arguments.endpoints).parse()?;
        let (client, secret, body, next) = (client.clone(), secret.clone(), body.clone(), next.clone());
        let messages = arguments.messages;
        tasks.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return Ok::<_, anyhow::Error>(());
                }
                post(&client, &secret, &url, n, body.clone()).await?;
            }
        }));
    }
    for task in tasks {
        task.await?.context("a post failed")?;
    }
    Ok(Sent {
        messages: arguments.messages,
        seconds: began.elapsed().as_secs_f64(),
        cpu_us: (own_cpu_seconds() - cpu) * 1e6,
        peak_mib: 0.0,
    })
}

/// The same at a rate: what the machine and the network stack alone make of the time to the receiver.
async fn bare_at_a_rate(arguments: &Arguments) -> Result<Sent> {
    let client = Client::new(AllowList::loopback(), Vec::new())?;
    let secret = Arc::new(Secret::generate(&RandomIds));
    let url: http::Uri = format!("{}/take/0", arguments.sink).parse()?;
    let mut every = tokio::time::interval(Duration::from_micros(1_000_000 / arguments.rate));
    let file = arguments.commits.as_deref().unwrap_or(Path::new("/dev/null"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut tasks = Vec::new();
    for n in 0..arguments.rate * arguments.seconds {
        every.tick().await;
        let (client, secret, url, body) = (client.clone(), secret.clone(), url.clone(), body(n)?);
        writeln!(out, "{n} {}", micros())?;
        tasks.push(tokio::spawn(async move {
            post(&client, &secret, &url, n, body).await
        }));
    }
    for task in tasks {
        task.await??;
    }
    out.flush()?;
    Ok(Sent::default())
}
