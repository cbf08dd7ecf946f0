//! The program as a child: commands that are run to their end, and servers.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use trunkline_store::Location;

use super::{eventually, now, tell};

/// The binary under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_trunkline");

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// How long a server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a server may take to end in order.
const END_LIMIT: Duration = Duration::from_secs(60);

/// Where a Trunkline lives: its data folder, its database, its environment.
pub struct Place {
    /// Its folder.
    pub data: PathBuf,
    /// `postgres://…`; `None`: SQLite.
    pub database: Option<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    _folder: Option<TempDir>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The output of a command that must succeed.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.out, self.err);
        self.out
    }

    /// The output as JSON.
    pub fn json(self) -> serde_json::Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("not JSON ({error}): {out}"))
    }

    /// The complaint of a command that must fail, in the way of `code`.
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self.err
    }
}

impl Place {
    /// A data folder that does not exist yet.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        Self {
            _folder: Some(folder),
            ..Self::at(data)
        }
    }

    /// A data folder, and an empty database on the PostgreSQL of the tests.
    pub fn postgres() -> Self {
        let database = trunkline_testkit::postgres::PostgresServer::shared().fresh_database();
        Self {
            database: Some(database),
            ..Self::sqlite()
        }
    }

    /// A data folder somewhere.
    pub fn at(data: PathBuf) -> Self {
        Self {
            data,
            database: None,
            environment: Vec::new(),
            _folder: None,
        }
    }

    /// Sets an environment variable for the program.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Where the database is, for the test.
    pub fn location(&self) -> Location {
        match &self.database {
            Some(url) => Location::Postgres(url.clone()),
            None => Location::Sqlite(self.data.join("trunkline.db")),
        }
    }

    /// The program with these arguments, none of the test's own configuration, and no metrics.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(PROGRAM);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRUNKLINE_"))
        {
            command.env_remove(name);
        }
        command
            .env("TRUNKLINE_METRICS_LISTEN", "")
            .env("TRUNKLINE_DATA_DIR", &self.data);
        if let Some(url) = &self.database {
            command.env("TRUNKLINE_DATABASE", url);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Said {
        finish(self.command(arguments), None).await
    }

    /// Runs a command to its end, with something on its stdin.
    pub async fn run_with_input<A: AsRef<OsStr>>(&self, arguments: &[A], input: &str) -> Said {
        finish(self.command(arguments), Some(input)).await
    }

    /// Starts the server.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[]).await
    }

    /// Starts the server with further flags.
    pub async fn serve_with(&self, flags: &[&str]) -> Server {
        self.begin(flags).listening().await
    }

    /// Starts the server and does not wait for it.
    pub fn begin(&self, flags: &[&str]) -> Starting {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(flags);
        Starting::new(self.command(&arguments))
    }
}

/// Runs any command to its end, for at most two minutes.
pub async fn finish(mut command: Command, input: Option<&str>) -> Said {
    let shown = format!("{:?}", command.as_std());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{shown} cannot be started: {error}"));
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin
            .write_all(text.as_bytes())
            .await
            .expect("stdin of the command");
    }
    let ended = tokio::time::timeout(COMMAND_LIMIT, child.wait_with_output()).await;
    let output = ended
        .unwrap_or_else(|_| panic!("{shown} did not end"))
        .expect("the output of the command");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The demo without new calls, with the key that it prints.
pub async fn demo(place: &Place) -> (Server, String) {
    let mut starting = Starting::new(place.command(&["demo", "--no-traffic", "--listen", "127.0.0.1:0"]));
    starting.patience = Duration::from_secs(120);
    let server = starting.listening().await;
    eventually(Duration::from_secs(5), "the demo introduces itself", async || {
        server.log().contains("Ctrl-C").then_some(())
    })
    .await;
    let said = server.log();
    let mut words = said.split_whitespace();
    let key = words.find(|word| word.starts_with("ak_test_")).expect("a key");
    (server, key.to_owned())
}

/// A server that was started and may not listen yet.
pub struct Starting {
    /// When.
    pub since: Instant,
    /// How long it may take until it listens.
    pub patience: Duration,
    child: Child,
    log: Log,
    listens: mpsc::UnboundedReceiver<String>,
}

/// What a server wrote to stdout and stderr.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Starting {
    /// Starts a command that is a server and says where it listens.
    pub fn new(mut command: Command) -> Self {
        let since = now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", command.as_std()));
        let (log, (heard, listens)) = (Log::default(), mpsc::unbounded_channel());
        let (out, err) = (
            child.stdout.take().expect("stdout"),
            child.stderr.take().expect("stderr"),
        );
        tokio::spawn(read(out, log.clone(), heard.clone()));
        tokio::spawn(read(err, log.clone(), heard));
        Self {
            since,
            patience: START_LIMIT,
            child,
            log,
            listens,
        }
    }

    /// Waits until it listens.
    pub async fn listening(mut self) -> Server {
        let heard = tokio::time::timeout(self.patience, self.listens.recv()).await;
        match heard {
            Ok(Some(url)) => Server {
                since: self.since,
                url,
                child: self.child,
                log: self.log,
            },
            Ok(None) => panic!("the server ended at once:\n{}", self.log.text()),
            Err(_) => panic!("the server does not listen:\n{}", self.log.text()),
        }
    }

    /// Kills it, wherever it has come to.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the server is killed");
    }
}

impl Log {
    fn text(&self) -> String {
        self.0.lock().join("\n")
    }
}

async fn read(from: impl AsyncRead + Unpin, log: Log, heard: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // "Trunkline listens on http://…", or "Trunkline runs at  http://…" of the demo.
        if let Some((before, rest)) = line.split_once("http://")
            && before.trim_start().starts_with("Trunkline ")
        {
            let address = rest.split_whitespace().next().unwrap_or_default();
            drop(heard.send(format!("http://{address}")));
        }
        log.0.lock().push(line);
    }
}

/// A server that listens.
pub struct Server {
    /// When it was started.
    pub since: Instant,
    /// `http://127.0.0.1:…`
    pub url: String,
    child: Child,
    log: Log,
}

impl Server {
    /// What it wrote so far, to stdout and stderr.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .expect("a running server")
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the server is killed");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid()).expect("the server's process");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server is told to end");
    }

    /// Waits for the end that was asked for.
    pub async fn ended(&mut self) -> ExitStatus {
        match tokio::time::timeout(END_LIMIT, self.child.wait()).await {
            Ok(status) => status.expect("the end of the server"),
            Err(_) => panic!("the server does not end:\n{}", self.log()),
        }
    }

    /// SIGTERM, and waits for an end that must be in order.
    pub async fn stop(mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Says what the server wrote, for a test that is about to fail.
    pub fn explain(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        tell(format!(
            "--- the server's last lines\n{}",
            lines[lines.len().saturating_sub(60)..].join("\n")
        ));
    }
}

/// Writes a file in a new temporary folder.
pub fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a temporary file");
    (folder, path)
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
