//! Starts the server, keeps it going, ends it in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::routing::get;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trunkline_domain::{Ids, Millis, RandomIds, SystemClock};
use trunkline_messaging::Carriers;
use trunkline_messaging::media::Keeper;
use trunkline_messaging::play::Player;
use trunkline_messaging::sandbox::Sandbox;
use trunkline_messaging::twilio::Twilio;
use trunkline_messaging::worker::Worker;
use trunkline_search::people::{PeopleIndex, PeopleOptions};
use trunkline_search::{Follower, SearchIndex, SearchOptions};
use trunkline_server::http::auth::keep_uses;
use trunkline_server::http::proxies::Proxies;
use trunkline_server::media::Guarded;
use trunkline_server::{AppState, Mails, Services, Settings};
use trunkline_switchboard::invitations::MailLimit;
use trunkline_switchboard::sweeper::{self, HEARTBEAT, Others};
use trunkline_switchboard::{Switchboard, counting, erasure, people_import};
use trunkline_webhooks::mail::{self, Mailer};
use trunkline_webhooks::{Dispatcher, Options};

use crate::config::Config;
use crate::{media, open, outgoing, output, partners, texts};

/// How often what is kept for a time only is deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// How long a carrier may take to answer.
const CARRIER_LIMIT: Duration = Duration::from_secs(30);

/// A server is not started with less room than this on the disk, in bytes.
const MIN_FREE: u64 = 1 << 20;

/// How often abandoned calls are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// A server that is up.
pub struct Running {
    /// Commands and the database.
    pub board: Switchboard,
    /// Plays calls of the sandbox.
    pub player: Player,
    /// The address under which this machine reaches it.
    pub local_url: String,
    /// The address under which the outside reaches it.
    pub public_url: String,
    /// Cancelled when SIGINT or SIGTERM has come.
    pub asked_to_end: CancellationToken,
    /// Cancelled when the server ends.
    pub stop: CancellationToken,
    tasks: TaskTracker,
    http: TaskTracker,
    search: SearchIndex,
    grace: Duration,
    _lock: std::fs::File,
}

/// Starts everything; requests are answered when this returns.
pub async fn start(config: &Config) -> Result<Running> {
    outgoing::raise_open_files();
    let dir = open::data_dir(config)?;
    room(dir)?;
    let lock = lock(dir)?;
    let (listener, address) = listen(&config.server.listen, "--listen or server.listen").await?;
    let metrics = install_metrics(config).await?;
    let db = open::database(config)?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let vault = open::vault(config, &db).await?;
    let media = media::store(config)?;
    let node = format!("node-{}", ids.token(16));
    let board =
        Switchboard::new(db.clone(), clock.clone(), ids, &node).with_fingerprints(vault.fingerprints());
    sweeper::heartbeat(&board)
        .await
        .context("the database cannot be written")?;

    let options = SearchOptions {
        wait: Duration::from_millis(config.search.wait_ms),
        bulk_memory: config.search.memory_mib.clamp(16, 4_096) * 1_048_576,
        ..SearchOptions::default()
    };
    let (search, follower) = SearchIndex::open(&open::index_dir(config), db.clone(), options)?;
    let options = PeopleOptions {
        most: config.search.people,
        ..PeopleOptions::default()
    };
    let people = PeopleIndex::new(db, options);
    let local_url = local_url(address);
    let public_url = public_url(config, &local_url)?;
    let http_client = outgoing::http(Some(CARRIER_LIMIT), &config.webhooks.ca_file)?;
    let twilio = Twilio::new(http_client, &config.twilio.base_url, &public_url, clock);
    let carriers = Carriers::new(vec![Arc::new(Sandbox), Arc::new(twilio)]);
    let (stop, tasks, http) = (CancellationToken::new(), TaskTracker::new(), TaskTracker::new());
    let player = Player::new(board.clone(), stop.clone());
    let settings = Settings {
        public_url: public_url.clone(),
        request_timeout: Duration::from_secs(config.server.request_timeout_seconds.max(1)),
        cors_origins: config.server.cors_origins.clone(),
        mails: if config.mail.url.is_empty() {
            Mails::Off
        } else {
            Mails::Sent
        },
        invitation_mails: MailLimit(config.mail.invitations_per_day.into()),
        proxies: Proxies::parse(&config.server.trusted_proxies).context("server.trusted_proxies")?,
    };
    let webhooks = outgoing::webhooks(&config.webhooks)?;
    let client = webhooks.client.clone();
    let mailer = mailer(config)?;
    let services = Services {
        board: board.clone(),
        search: Some(search.clone()),
        people: people.clone(),
        carriers: carriers.clone(),
        player: player.clone(),
        vault: vault.clone(),
        webhooks,
        texts: Arc::new(texts::policy(&config.texts, carriers.known())?),
        media: media.clone(),
        partners: partners(config)?,
        stop: stop.clone(),
    };
    let keeper = Keeper {
        board: board.clone(),
        carriers: carriers.clone(),
        vault: vault.clone(),
        fetch: Arc::new(Guarded(client.clone())),
        store: media,
        outage: Arc::default(),
    };
    let state = AppState::new(services, settings);

    tasks.spawn(keep_uses(state.clone(), stop.clone()));
    spawn_http(&http, listener, trunkline_server::router(state), stop.clone());
    if let Some((listener, router)) = metrics {
        spawn_http(&http, listener, router, stop.clone());
    }
    tasks.spawn(follow(follower, search.clone(), stop.clone()));
    tasks.spawn(people.run(stop.clone()));
    let worker = Worker::new(
        board.clone(),
        carriers,
        vault.clone(),
        texts::worker(&config.texts),
    );
    tasks.spawn(worker.run(stop.clone()));
    tasks.spawn(keeper.run(stop.clone()));
    let stopped = stop.clone().cancelled_owned();
    tasks.spawn(people_import::run(board.clone(), stopped));
    let stopped = stop.clone().cancelled_owned();
    tasks.spawn(counting::run(board.clone(), stopped));
    let (index, stopped) = (search.clone(), stop.clone().cancelled_owned());
    let purged = Arc::new(move |team, event| index.has_purged(team, event));
    tasks.spawn(erasure::run(board.clone(), purged, stopped));
    let sender = Dispatcher::new(board.clone(), vault, client, dispatching(config));
    tasks.spawn(sender.run(stop.clone()));
    tasks.spawn(mail::run(board.clone(), mailer, public_url.clone(), stop.clone()));
    let (configured, apart, stopped) = (config.clone(), board.db().clone(), stop.clone());
    tasks.spawn(async move {
        let told = media::tell_apart(configured, apart, &SystemClock);
        stopped.run_until_cancelled(told).await;
    });
    let (configured, stopped) = (config.clone(), stop.clone());
    tasks.spawn(async move {
        let told = media::tell(configured, &RandomIds, &SystemClock);
        stopped.run_until_cancelled(told).await;
    });
    keep_up(&tasks, &board, config, &stop);
    let asked_to_end = listen_to_signals()?;
    tracing::info!(listen = %address, node = %node, engine = board.db().engine(), "the server is up");
    let grace = Duration::from_secs(config.server.shutdown_timeout_seconds);
    Ok(Running {
        board,
        player,
        local_url,
        public_url,
        asked_to_end,
        stop,
        tasks,
        http,
        search,
        grace,
        _lock: lock,
    })
}

impl Running {
    /// Waits for SIGINT or SIGTERM, then finishes what was accepted and ends.
    pub async fn until_stopped(self) {
        self.asked_to_end.cancelled().await;
        tracing::info!("shutting down: finishing what was accepted");
        self.finish().await;
    }

    async fn finish(self) {
        self.stop.cancel();
        self.http.close();
        if tokio::time::timeout(self.grace, self.http.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        self.player.finish().await;
        self.tasks.close();
        if tokio::time::timeout(self.grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("some background work did not finish in time; it goes on at the next start");
        }
        drop(self.search);
        if let Err(error) = sweeper::farewell(&self.board).await {
            tracing::warn!(error = %error, "the node could not say good-bye");
        }
        let db = self.board.db().clone();
        drop(tokio::task::spawn_blocking(move || db.close()).await);
    }
}

/// What partners may do, and who decides about their bills.
fn partners(config: &Config) -> Result<trunkline_server::partners::Partners> {
    let client = outgoing::http(Some(partners::BILLING_LIMIT), &config.webhooks.ca_file)?;
    partners::partners(&config.partners, client)
}

/// Refuses a disk that is full. Opening the database may give a page or two back, so that the first write would succeed or
/// not by chance; and a server that cannot write is better not started than found out later.
fn room(dir: &Path) -> Result<()> {
    match open::free_room(dir) {
        Some(free) if free < MIN_FREE => bail!(
            "the disk is full: only {} KiB are free under {}; make room, and start again",
            free >> 10,
            dir.display()
        ),
        _ => Ok(()),
    }
}

/// One server a data folder: two would both write the text index and take each other's calls for abandoned.
fn lock(dir: &Path) -> Result<std::fs::File> {
    let path = dir.join("server.lock");
    let file =
        std::fs::File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "another server runs on the data folder {}; stop it, or name another folder with --data-dir",
                dir.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// Listens on `address`; `setting` is what names it.
async fn listen(address: &str, setting: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{address} is taken by another program; stop that one, or name another address by {setting}"
            ),
            std::io::ErrorKind::PermissionDenied => {
                format!("this user may not listen on {address}; use a port above 1023")
            }
            _ => format!(
                "cannot listen on {address}: {error}; {setting} must be an address such as 127.0.0.1:8080"
            ),
        };
        anyhow::anyhow!(what)
    })?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

fn local_url(address: SocketAddr) -> String {
    let host = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        address.ip().to_string()
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    format!("http://{host}:{}", address.port())
}

fn public_url(config: &Config, local_url: &str) -> Result<String> {
    let given = config.server.public_url.trim_end_matches('/');
    if given.is_empty() {
        return Ok(local_url.to_owned());
    }
    if !given.starts_with("http://") && !given.starts_with("https://") {
        bail!("server.public_url must begin with https:// or http://");
    }
    Ok(given.to_owned())
}

fn dispatching(config: &Config) -> Options {
    Options {
        concurrency: config.webhooks.concurrency,
        in_flight: config.webhooks.in_flight,
        ..Options::default()
    }
}

/// Who sends mails; `None` where the operator has configured none.
fn mailer(config: &Config) -> Result<Option<Mailer>> {
    if config.mail.url.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        Mailer::new(&config.mail.url, &config.mail.from).context("mail")?,
    ))
}

const fn others(config: &Config) -> Others {
    if config.database.url.is_empty() {
        Others::None
    } else {
        Others::Possible
    }
}

/// The recorder of metrics, and the page it is served on; `None` when metrics are off.
async fn install_metrics(config: &Config) -> Result<Option<(TcpListener, Router)>> {
    if config.metrics.listen.is_empty() {
        return Ok(None);
    }
    let setting = "metrics.listen (TRUNKLINE_METRICS_LISTEN; empty: no metrics)";
    let (listener, _) = listen(&config.metrics.listen, setting).await?;
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_buckets(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        ])?
        .install_recorder()
        .context("metrics cannot be recorded")?;
    let router = Router::new().route("/metrics", get(move || async move { handle.render() }));
    Ok(Some((listener, router)))
}

fn spawn_http(tracker: &TaskTracker, listener: TcpListener, router: Router, stop: CancellationToken) {
    let patience = trunkline_server::listen::PATIENCE;
    tracker.spawn(trunkline_server::listen::serve(listener, router, patience, stop));
}

/// Follows the event log into the text index, with a progress bar while it is being rebuilt.
async fn follow(follower: Follower, search: SearchIndex, stop: CancellationToken) {
    let bar = tokio::spawn(show_progress(search, stop.clone()));
    follower.run(stop).await;
    bar.abort();
}

async fn show_progress(search: SearchIndex, stop: CancellationToken) {
    if search.is_ready() {
        return;
    }
    let bar = ProgressBar::new(0).with_message("building the text index");
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    while !search.is_ready() && !stop.is_cancelled() {
        let progress = *search.progress().borrow();
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bar.finish_and_clear();
    tracing::info!("the text index is ready");
}

/// Does something again and again until stopped. Each such task has a loop of its own: pruning much must not hold up the
/// heartbeat, or other nodes would take this one's calls for abandoned.
async fn regularly<F, R>(every: Duration, stop: CancellationToken, what: F)
where
    F: Fn() -> R + Send,
    R: Future<Output = Result<()>> + Send,
{
    let mut interval = tokio::time::interval(every);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(what()).await {
            tracing::warn!(error = %output::explain(&error), "upkeep failed; it will be tried again");
        }
    }
}

/// Starts heartbeats, sweeping and pruning.
fn keep_up(tasks: &TaskTracker, board: &Switchboard, config: &Config, stop: &CancellationToken) {
    let (others, keep_events_ms) = (others(config), i64::from(config.events.keep_days) * Millis::DAY);
    let keep_messages_ms = i64::from(config.webhooks.keep_days) * Millis::DAY;
    let (beating, sweeping, pruning) = (board.clone(), board.clone(), board.clone());
    let delivered = board.clone();
    let beat_every = Duration::from_millis(HEARTBEAT.unsigned_abs());
    tasks.spawn(regularly(beat_every, stop.clone(), move || {
        let board = beating.clone();
        async move { Ok(sweeper::heartbeat(&board).await?) }
    }));
    tasks.spawn(regularly(SWEEP_EVERY, stop.clone(), move || {
        let board = sweeping.clone();
        async move { Ok(sweeper::sweep_calls(&board, others).await.map(drop)?) }
    }));
    tasks.spawn(regularly(PRUNE_EVERY, stop.clone(), move || {
        let board = pruning.clone();
        async move { Ok(sweeper::prune(&board, keep_events_ms).await.map(drop)?) }
    }));
    tasks.spawn(regularly(PRUNE_EVERY, stop.clone(), move || {
        let board = delivered.clone();
        async move {
            Ok(trunkline_webhooks::prune(&board, keep_messages_ms)
                .await
                .map(drop)?)
        }
    }));
}

/// From here on SIGINT and SIGTERM ask for the end instead of being it. Returns what is cancelled when they come.
fn listen_to_signals() -> Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let asked = CancellationToken::new();
    let told = asked.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(asked)
}

/// `trunkline serve`.
pub async fn run(config: &Config) -> Result<()> {
    let running = start(config).await?;
    output::note(format!(
        "Trunkline listens on {} (documentation: {}/docs/)",
        running.local_url, running.public_url
    ));
    running.until_stopped().await;
    Ok(())
}
