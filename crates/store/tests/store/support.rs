//! What several of these tests need.

use std::sync::mpsc;

use tokio::task::JoinHandle;
use trunkline_store::{Db, DbOptions, PostgresOptions, SqliteOptions, StoreError, params};
use trunkline_testkit::db::{Engine, TestDb};

/// A database on which writes happen strictly one after the other on both engines, with room for `queue` that wait.
pub fn one_at_a_time(engine: Engine, queue: usize) -> TestDb {
    let sqlite = SqliteOptions {
        queue,
        ..SqliteOptions::default()
    };
    let postgres = PostgresOptions {
        connections: 1,
        scan_connections: 1,
        queue,
    };
    TestDb::with(engine, DbOptions { sqlite, postgres })
}

/// A unit of work that holds the writer until it is told to go on (or until this is dropped).
pub struct Gate {
    go: mpsc::Sender<()>,
    held: JoinHandle<Result<(), StoreError>>,
}

impl Gate {
    /// Submits the unit and waits until it runs.
    pub async fn hold(db: &Db) -> Self {
        let (gate, mut running) = Self::queue(db);
        running.recv().await.unwrap();
        gate
    }

    /// Submits the unit; the receiver hears when it runs.
    pub fn queue(db: &Db) -> (Self, tokio::sync::mpsc::Receiver<()>) {
        let (go, wait) = mpsc::channel();
        let (entered, running) = tokio::sync::mpsc::channel(1);
        let db = db.clone();
        let held = tokio::spawn(async move {
            db.write(move |_| {
                entered.blocking_send(()).unwrap();
                // An error says that the gate was dropped: then nobody waits for anything any more.
                let _ = wait.recv();
                Ok(())
            })
            .await
        });
        (Self { go, held }, running)
    }

    /// Lets the unit end; what runs in the same commit goes on.
    pub fn release(&self) {
        self.go.send(()).unwrap();
    }

    /// Lets the unit end, and waits for its commit.
    pub async fn open(self) {
        self.release();
        self.done().await;
    }

    /// Waits for the commit of the unit, which was released.
    pub async fn done(self) {
        self.held.await.unwrap().unwrap();
    }
}

/// Waits for something that will come about by itself.
pub async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}

/// Makes a table of whole numbers.
pub async fn make_notes(db: &Db) {
    let made: Result<u64, StoreError> = db
        .write(|tx| tx.execute("CREATE TABLE scraps (n BIGINT NOT NULL PRIMARY KEY)", &[]))
        .await;
    made.unwrap();
}

/// The statement that adds to the table.
pub const NOTE: &str = "INSERT INTO scraps (n) VALUES ($1)";

/// Adds a number to the table.
pub async fn note(db: &Db, n: i64) -> Result<(), StoreError> {
    db.write(move |tx| tx.execute(NOTE, params![n]).map(drop)).await
}

/// The numbers in the table.
pub async fn scraps(db: &Db) -> Vec<i64> {
    let all: Result<_, StoreError> = db
        .read(|conn| conn.rows("SELECT n FROM scraps ORDER BY n", &[], |row| row.get(0)))
        .await;
    all.unwrap()
}
