//! Where a server is, and what it is asked.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use postgres::{Client, Config, NoTls};

use super::files::is_locked;
use super::{PostgresError, SUPERUSER};

/// How often, and how long, to look whether a server answers: 30 seconds in all.
pub(super) const ANSWER_ATTEMPTS: u32 = 300;
pub(super) const ANSWER_PAUSE: Duration = Duration::from_millis(100);

/// Where a server is, as its state file says.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) run: PathBuf,
    pub(super) port: u16,
    pub(super) password: String,
}

impl Address {
    /// The server that runs in `folder`, or `None` when one has to be started.
    pub(super) fn of_running(folder: &Path) -> Result<Option<Self>, PostgresError> {
        let state = match fs::read_to_string(folder.join("state")) {
            Ok(state) => state,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(PostgresError::Io {
                    doing: "read the state of the PostgreSQL for tests",
                    source,
                });
            }
        };
        let mut lines = state.lines();
        let (Some(run), Some(Ok(port)), Some(password)) =
            (lines.next(), lines.next().map(str::parse), lines.next())
        else {
            return Ok(None);
        };
        let address = Self {
            run: folder.join(run),
            port,
            password: password.to_owned(),
        };
        match address.wait() {
            Ok(()) => Ok(Some(address)),
            Err(Absent::Ended) => Ok(None),
            Err(Absent::Silent(source)) => Err(PostgresError::Query {
                doing: "answer",
                source,
            }),
        }
    }

    /// Waits until the server answers, as long as its watchdog lives.
    pub(super) fn wait(&self) -> Result<(), Absent> {
        let mut attempts = 0;
        loop {
            if !is_locked(&self.run.join("watchdog.lock")) {
                return Err(Absent::Ended);
            }
            attempts += 1;
            // Its name tells it from any other server that came to have this port.
            match self.ask(|connection| connection.query_one("SHOW cluster_name", &[])) {
                Ok(row) if row.get::<_, String>(0) == self.cluster_name() => return Ok(()),
                Ok(_) => return Err(Absent::Ended),
                Err(error) if attempts >= ANSWER_ATTEMPTS => return Err(Absent::Silent(error)),
                Err(_) => thread::sleep(ANSWER_PAUSE),
            }
        }
    }

    pub(super) fn cluster_name(&self) -> String {
        let run = self.run.file_name().unwrap_or_default().to_string_lossy();
        format!("trunkline-test-{run}")
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Does something as superuser, on a thread of its own: the blocking client drives an async runtime, which
    /// must not be started inside the one of an async test.
    pub(super) fn ask<T: Send>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, postgres::Error> + Send,
    ) -> Result<T, postgres::Error> {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(SUPERUSER)
            .password(&self.password)
            .dbname("postgres")
            .connect_timeout(Duration::from_secs(5));
        thread::scope(|scope| {
            let asking = scope.spawn(move || work(&mut config.connect(NoTls)?));
            asking
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Why a server does not answer.
pub(super) enum Absent {
    Ended,
    Silent(postgres::Error),
}
