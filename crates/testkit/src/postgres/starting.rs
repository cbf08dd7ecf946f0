//! Starts a server.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::account::Account;
use super::address::{ANSWER_ATTEMPTS, ANSWER_PAUSE, Absent, Address};
use super::files::{is_locked, random_hex, write_private};
use super::{Durability, PostgresError, SUPERUSER, WATCHDOG, programs};

/// Settings of every server, whatever its durability.
pub(super) const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
checkpoint_timeout = 30min
timezone = 'UTC'
# Databases live for seconds; a worker that visits them all would only disturb.
autovacuum = off
# What a client is told need not be logged as well.
log_min_messages = fatal
";

/// Starts a server in `folder`, whose start lock the caller holds. Tries again when somebody else takes the port
/// between choosing and using it.
pub(super) fn start(
    folder: &Path,
    idle_seconds: u32,
    durability: Durability,
) -> Result<Address, PostgresError> {
    remove_leftovers(folder);
    let mut attempts = 0;
    loop {
        attempts += 1;
        match start_once(folder, idle_seconds, durability) {
            Err(PostgresError::Start(log)) if attempts < 5 && log.contains("Address already in use") => {}
            result => return result,
        }
    }
}

fn start_once(folder: &Path, idle_seconds: u32, durability: Durability) -> Result<Address, PostgresError> {
    let (programs, account) = (programs()?, Account::for_server()?);
    let password = random_hex();
    let run = make_folder(folder, &account, &password)?;
    make_cluster(&run, &account, &programs)?;
    let address = announce(folder, run, password)?;
    write_settings(&address, durability)?;
    let started = start_watchdog(&address, &account, |watchdog| {
        watchdog
            .args([
                address.run.as_os_str(),
                programs.as_os_str(),
                folder.join("users.lock").as_os_str(),
            ])
            .arg(idle_seconds.to_string());
    })?;
    let watched = || is_locked(&address.run.join("watchdog.lock")) || address.run.join("ended").exists();
    let mut attempts = 0;
    while started && !watched() && attempts < ANSWER_ATTEMPTS {
        attempts += 1;
        thread::sleep(ANSWER_PAUSE / 10);
    }
    match address.wait() {
        Ok(()) => Ok(address),
        Err(Absent::Ended) => {
            let log = fs::read_to_string(address.run.join("log")).unwrap_or_default();
            Err(PostgresError::Start(log.trim().to_owned()))
        }
        Err(Absent::Silent(source)) => Err(PostgresError::Query {
            doing: "answer",
            source,
        }),
    }
}

/// What could not be done, of an error of the system.
fn io(doing: &'static str) -> impl Fn(io::Error) -> PostgresError {
    move |source| PostgresError::Io { doing, source }
}

/// Makes a server's own folder, with what `initdb` and the clients need in it.
fn make_folder(folder: &Path, account: &Account, password: &str) -> Result<PathBuf, PostgresError> {
    let run = tempfile::Builder::new()
        .prefix("run-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)
        .map_err(io("make the folder of the PostgreSQL for tests"))?
        .keep();
    write_private(&run.join("password"), password)
        .map_err(io("write the password of the PostgreSQL for tests"))?;
    DirBuilder::new()
        .mode(0o700)
        .create(run.join("clients"))
        .map_err(io("make the folder of the clients"))?;
    for path in [run.clone(), run.join("password"), run.join("clients")] {
        account.own(&path).map_err(io("give the server its files"))?;
    }
    Ok(run)
}

fn make_cluster(run: &Path, account: &Account, programs: &Path) -> Result<(), PostgresError> {
    let initdb = account
        .command(programs.join("initdb"))
        .args([
            "--encoding=UTF8",
            "--locale=C",
            "--auth=password",
            "--no-sync",
            "--username",
            SUPERUSER,
        ])
        .arg("--pwfile")
        .arg(run.join("password"))
        .arg("--pgdata")
        .arg(run.join("data"))
        .output()
        .map_err(io("run initdb"))?;
    if initdb.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&initdb.stderr).trim().to_owned();
    Err(PostgresError::Initdb(complaint))
}

/// Chooses a port and says in the state file where the server will be: before it is there, so that the next process
/// finds it if this one is killed now.
fn announce(folder: &Path, run: PathBuf, password: String) -> Result<Address, PostgresError> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(io("choose a port for the PostgreSQL for tests"))?
        .port();
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    write_private(
        &folder.join("state.new"),
        &format!("{name}\n{port}\n{password}\n"),
    )
    .and_then(|()| fs::rename(folder.join("state.new"), folder.join("state")))
    .map_err(io("write the state of the PostgreSQL for tests"))?;
    Ok(Address { run, port, password })
}

fn write_settings(address: &Address, durability: Durability) -> Result<(), PostgresError> {
    OpenOptions::new()
        .append(true)
        .open(address.run.join("data/postgresql.conf"))
        .and_then(|mut settings| {
            settings.write_all(SETTINGS.as_bytes())?;
            settings.write_all(durability.settings().as_bytes())?;
            let (port, name) = (address.port, address.cluster_name());
            writeln!(settings, "port = {port}\ncluster_name = '{name}'")
        })
        .map_err(io("write the settings of the PostgreSQL for tests"))
}

/// Starts the server's parent. Tells whether that worked.
fn start_watchdog(
    address: &Address,
    account: &Account,
    arguments: impl FnOnce(&mut Command),
) -> Result<bool, PostgresError> {
    let run = &address.run;
    let script = run.join("watchdog.sh");
    fs::write(&script, WATCHDOG).map_err(io("write the watchdog of the PostgreSQL for tests"))?;
    account.own(&script).map_err(io("give the server its files"))?;
    let logging = || io("make the log of the PostgreSQL for tests");
    let log = File::create(run.join("log")).map_err(logging())?;
    let log_too = log.try_clone().map_err(logging())?;
    let mut watchdog = account.command("sh");
    watchdog.arg(script);
    arguments(&mut watchdog);
    // The outer shell returns at once; what stays is nobody's child, and in a process group of its own, so that
    // neither Ctrl-C nor the end of this test reaches it.
    let status = watchdog
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", address.port.to_string())
        .env("PGUSER", SUPERUSER)
        .env("PGPASSWORD", &address.password)
        .stdout(log)
        .stderr(log_too)
        .process_group(0)
        .status()
        .map_err(io("start the PostgreSQL for tests"))?;
    Ok(status.success())
}

/// Deletes what earlier servers left in `folder`, except for one that is still looked after.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let run = entry.path();
        if entry.file_name().to_string_lossy().starts_with("run-") && !is_locked(&run.join("watchdog.lock")) {
            // What cannot be deleted does not hinder the next server.
            let _ = fs::remove_dir_all(run);
        }
    }
}
