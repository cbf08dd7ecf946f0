//! Texts: how many are accepted by the rules and handed to a carrier a second, each once.
//!
//! The carrier is a process of its own ([`carrier`]) that answers as Twilio does. The baseline hands it the same texts
//! with the same number of connections, and stores nothing.

pub mod carrier;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trunkline_domain::sms::rules::{Fields, Outgoing};
use trunkline_domain::{Capability, Clock, NumberId, PhoneNumber, Plan, RandomIds, SystemClock};
use trunkline_messaging::twilio::{Settings, Twilio};
use trunkline_messaging::worker::{Options, Worker};
use trunkline_messaging::{Carriers, twilio};
use trunkline_store::crypto::Vault;
use trunkline_store::{Db, DbOptions, Location, TeamKey, Tx};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::lines::{self, UpdateNumber};
use trunkline_switchboard::texts::{self, Policy};
use trunkline_switchboard::{Error, Switchboard, Work};
use trunkline_testkit::http::client;

use crate::Scale;
use crate::process::{Server, cpu_seconds, free_address};
use crate::report::{Goal, Report, median};

/// Clients that ask at the same time.
const CLIENTS: u64 = 64;

/// Numbers that texts go out from.
const LINES: u64 = 4;

/// The account at the carrier.
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy)]
struct Speed {
    per_second: f64,
    cpu_us: f64,
}

/// Measures texts.
///
/// # Errors
/// When a process fails, or the carrier was handed a text twice or not at all.
pub fn measure(scale: Scale, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = std::env::current_exe()?
        .with_file_name("bench-data")
        .join("texts");
    let count: u64 = if scale.write_seconds > 2 { 60_000 } else { 15_000 };
    let (mut rate, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder)?;
        let ours = runtime.block_on(product(&folder.join("texts.db"), count))?;
        let bare = runtime.block_on(bare(count))?;
        rate.push((ours.per_second, bare.per_second));
        cpu.push((ours.cpu_us, bare.cpu_us));
    }
    report.pairs(
        "texts accepted and handed over / only posted",
        "texts/s",
        &rate,
        Goal::None,
    );
    report.figure(
        "texts a second, accepted and handed over, none twice",
        "texts/s",
        median(rate.iter().map(|pair| pair.0)),
        Goal::AtLeast(3_000.0),
    );
    report.pairs("CPU a text / only posted", "us", &cpu, Goal::None);
    Ok(())
}

fn start_carrier() -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["carrier", &address.to_string()])
        .stdin(Stdio::null());
    Server::start(command, address)
}

/// What the carrier was handed: texts, and how many different ones.
async fn handed_over(http: &reqwest::Client, url: &str) -> Result<(u64, u64)> {
    let text = http.get(format!("{url}/count")).send().await?.text().await?;
    let (all, different) = text.split_once(' ').context("the carrier counts")?;
    Ok((all.parse()?, different.parse()?))
}

async fn until_handed_over(http: &reqwest::Client, url: &str, count: u64, began: Instant) -> Result<()> {
    loop {
        let (all, different) = handed_over(http, url).await?;
        ensure!(
            all == different,
            "{} texts were handed over twice",
            all - different
        );
        if all >= count {
            ensure!(all == count, "{all} of {count} texts were handed over");
            return Ok(());
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "{all} of {count} texts in {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands of texts")]
fn speed(count: u64, began: Instant, cpu: f64) -> Result<Speed> {
    let used = cpu_seconds(std::process::id())? - cpu;
    Ok(Speed {
        per_second: count as f64 / began.elapsed().as_secs_f64(),
        cpu_us: used * 1e6 / count as f64,
    })
}

async fn product(file: &Path, count: u64) -> Result<Speed> {
    let carrier = start_carrier()?;
    let (url, http) = (format!("http://{}", carrier.address), client());
    let location = Location::Sqlite(file.to_owned());
    let db = tokio::task::spawn_blocking(move || Db::migrate(&location, DbOptions::default())).await??;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let board = Switchboard::new(db.clone(), clock.clone(), Arc::new(RandomIds), "bench");
    let vault = Vault::new("a secret of the benchmark");
    let team = team(&board, &vault).await?;
    let carriers = Carriers::new(vec![Arc::new(Twilio::new(
        client(),
        &url,
        "https://bench.example",
        clock,
    ))]);
    let policy = Arc::new(Policy {
        carriers: carriers.known(),
        ..Policy::default()
    });
    let stop = CancellationToken::new();
    let worker = Worker::new(board.clone(), carriers, vault, Options::default());
    let working = tokio::spawn(worker.run(stop.clone()));
    let (began, cpu, next) = (
        Instant::now(),
        cpu_seconds(std::process::id())?,
        Arc::new(AtomicU64::new(0)),
    );
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (board, policy, next) = (board.clone(), policy.clone(), next.clone());
        clients.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok::<_, Error>(());
                }
                let (text, policy) = (text(n)?, policy.clone());
                board
                    .run(team, move |work| {
                        texts::submit(work, &text, &[], None, &policy).map(drop)
                    })
                    .await?;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    until_handed_over(&http, &url, count, began).await?;
    let speed = speed(count, began, cpu)?;
    stop.cancel();
    working.await?;
    // The last reports are stored by now: none may have gone out once more.
    let (all, different) = handed_over(&http, &url).await?;
    ensure!(
        (all, different) == (count, count),
        "{all} texts, {different} different ones"
    );
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(speed)
}

/// The same requests to the carrier, and nothing else.
async fn bare(count: u64) -> Result<Speed> {
    let carrier = start_carrier()?;
    let url = format!("http://{}", carrier.address);
    let http = client();
    let (began, cpu, next) = (
        Instant::now(),
        cpu_seconds(std::process::id())?,
        Arc::new(AtomicU64::new(0)),
    );
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS * LINES {
        let (http, next) = (http.clone(), next.clone());
        let messages = format!("{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
        clients.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok::<_, reqwest::Error>(());
                }
                let callback = format!("https://bench.example/carriers/twilio/status?text={n}");
                let (from, to, body) = (line(n % LINES), recipient(n), words(n));
                let form = [
                    ("From", from.as_str()),
                    ("To", to.as_str()),
                    ("Body", body.as_str()),
                    ("StatusCallback", callback.as_str()),
                ];
                let request = http
                    .post(&messages)
                    .basic_auth(ACCOUNT, Some("token"))
                    .form(&form);
                request.send().await?.bytes().await?;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    until_handed_over(&http, &url, count, began).await?;
    speed(count, began, cpu)
}

fn line(n: u64) -> String {
    format!("+1415555{:04}", 100 + n)
}

fn recipient(n: u64) -> String {
    format!("+1415{:07}", 2_000_000 + n % 50_000)
}

fn words(n: u64) -> String {
    format!("Your order {n} is ready: pick it up today until 18:00, or tell us when it suits you.")
}

fn text(n: u64) -> Result<Outgoing, Error> {
    let (from, to, message) = (line(n % LINES), recipient(n), words(n));
    let fields = Fields {
        from: Some(&from),
        to: Some(&to),
        message: Some(&message),
        ..Fields::default()
    };
    Ok(Outgoing::read(&fields)?)
}

/// A team with lines at the carrier.
async fn team(board: &Switchboard, vault: &Vault) -> Result<TeamKey> {
    let now = board.now();
    let make = move |tx: &mut Tx<'_>| -> Result<_, Error> {
        let team = CreateTeam {
            name: "Bench".into(),
            plan: Plan::Business,
            time_zone: "UTC".into(),
            country: "US".into(),
            sandbox: false,
        };
        accounts::create_team(tx, &RandomIds, now, &team)
    };
    let (team, _) = board.db().write(make).await?;
    let vault = vault.clone();
    let settings = serde_json::to_string(&Settings {
        account_sid: ACCOUNT.to_owned(),
        auth_token: "token".to_owned(),
    })?;
    let add = move |work: &mut Work<'_, '_>| -> Result<(), Error> {
        for n in 0..LINES {
            let id: NumberId = work.new_id(work.now);
            let number = AddNumber {
                address: Address::Number(
                    PhoneNumber::parse(&line(n))
                        .map_err(|_| trunkline_domain::ErrorCode::InvalidPhoneFormat)?,
                ),
                name: None,
                capabilities: vec![Capability::Sms],
                carrier: twilio::NAME.to_owned(),
                carrier_settings: Some(vault.seal(work.ids, &id.to_string(), &settings)),
                members: Vec::new(),
            };
            let line = accounts::add_number(work, id, &number)?;
            let registered = UpdateNumber {
                a2p_registered: Some(true),
                ..UpdateNumber::default()
            };
            lines::update(work, line, &registered)?;
        }
        Ok(())
    };
    board.run(team, add).await?;
    Ok(team)
}
