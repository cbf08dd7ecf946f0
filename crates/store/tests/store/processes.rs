//! Several processes on one database: their writes neither get lost nor mixed up, and one that holds the file for
//! long makes the others come back later, not wait for ever.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use trunkline_domain::events::Topic;
use trunkline_store::{Db, Location, StoreError, TeamKey, events, teams};
use trunkline_testkit::db::{START, TestDb, apart, assert_sound, options};

use crate::support::{make_notes, note, scraps};

/// Appends an event that says who wrote it, and returns its number.
async fn append(db: &Db, team: TeamKey, who: &str) -> Result<i64, StoreError> {
    let payload = format!("{who:?}");
    db.write(move |tx| {
        let mut counters = teams::lock(tx, team)?.unwrap().counters;
        counters.event += 1;
        let (seq, payload) = (counters.event, payload.clone());
        events::append(
            tx,
            team,
            &events::EventRow {
                seq,
                topic: Topic::SmsSent,
                at: START,
                item: None,
                payload,
            },
        )?;
        teams::set_counters(tx, team, counters)?;
        Ok(seq)
    })
    .await
}

async fn writers(db: &Db, team: TeamKey) -> Vec<String> {
    db.read(move |conn| events::after(conn, team, 0, 10_000))
        .await
        .unwrap()
        .into_iter()
        .map(|e| e.payload)
        .collect()
}

async fn two_processes_take_turns(t: TestDb) {
    let team = t.bare_team("turns").await;
    let (one, two) = (t.db().clone(), t.open_again());
    for round in 0..20i64 {
        assert_eq!(append(&one, team, "one").await.unwrap(), round * 2 + 1);
        assert_eq!(append(&two, team, "two").await.unwrap(), round * 2 + 2);
        assert_eq!(
            one.read(move |conn| teams::last_event(conn, team)).await.unwrap(),
            round * 2 + 2
        );
    }
    assert_eq!(writers(&two, team).await, ["\"one\"", "\"two\""].repeat(20));
    assert_sound(&one, team).await;
}

async fn two_processes_write_at_once(t: TestDb) {
    let teams = [t.bare_team("first").await, t.bare_team("second").await];
    let processes = [t.db().clone(), t.open_again(), t.open_again()];
    let mut running = Vec::new();
    for i in 0..300 {
        let (db, team) = (processes[i % 3].clone(), teams[i % 2]);
        running.push(tokio::spawn(async move { append(&db, team, "any").await }));
    }
    for append in running {
        append.await.unwrap().unwrap();
    }
    for team in teams {
        assert_eq!(writers(t.db(), team).await.len(), 150);
        assert_sound(t.db(), team).await;
    }
}

trunkline_testkit::on_both! { two_processes_take_turns, two_processes_write_at_once }

/// Environment variables that tell the child below what to do.
const CHILD_FILE: &str = "TRUNKLINE_TEST_CHILD_FILE";
const CHILD_TEAM: &str = "TRUNKLINE_TEST_CHILD_TEAM";

/// What the other process does: appends an event to the team, or adds a number to the scraps, and says so, for as
/// long as it lives.
#[tokio::test]
#[ignore = "no test of its own: others run it as another process"]
async fn child() {
    let file = std::env::var_os(CHILD_FILE).expect("run by another test");
    let team = std::env::var(CHILD_TEAM)
        .ok()
        .map(|key| TeamKey(key.parse().unwrap()));
    let db = apart(|| Db::open(&Location::Sqlite(file.into()), options())).unwrap();
    for n in 1.. {
        match team {
            Some(team) => drop(append(&db, team, "child").await.unwrap()),
            None => note(&db, n).await.unwrap(),
        }
        println!("\nwrote {n}");
    }
}

/// The other process; ended when dropped.
struct Other {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Other {
    fn start(t: &TestDb, team: Option<TeamKey>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "processes::child", "--ignored", "--nocapture"]);
        command
            .env(CHILD_FILE, t.file())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.envs(team.map(|team| (CHILD_TEAM, team.0.to_string())));
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The number of the next write that it says was acknowledged; `None` when it has ended.
    fn next(&mut self) -> Option<i64> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("wrote ")?.parse().ok())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn a_real_other_process_writes_to_the_same_file() {
    let t = TestDb::sqlite();
    let team = t.bare_team("shared").await;
    let mut other = Other::start(&t, Some(team));
    assert_eq!(other.next(), Some(1), "the other process does not write");
    let mut own = Vec::new();
    while own.len() < 50 {
        own.push(append(t.db(), team, "parent").await.unwrap());
        other.next().unwrap();
    }
    drop(other);
    let all = writers(t.db(), team).await;
    assert_eq!(all.iter().filter(|who| *who == "\"parent\"").count(), 50);
    assert!(all.iter().filter(|who| *who == "\"child\"").count() >= 51);
    for number in own {
        assert_eq!(all[usize::try_from(number).unwrap() - 1], "\"parent\"");
    }
    assert_sound(t.db(), team).await;
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_it_acknowledged() {
    let t = TestDb::sqlite();
    make_notes(t.db()).await;
    let mut other = Other::start(&t, None);
    let mut acknowledged = 0;
    while acknowledged < 100 {
        acknowledged = other.next().expect("the other process writes");
    }
    other.child.kill().unwrap();
    // What it still said before it died.
    while let Some(n) = other.next() {
        acknowledged = n;
    }
    other.child.wait().unwrap();
    let kept = scraps(t.db()).await;
    assert!(
        kept.len() as i64 >= acknowledged,
        "{acknowledged} acknowledged, {} kept",
        kept.len()
    );
    assert_eq!(kept, (1..=kept.len() as i64).collect::<Vec<_>>());
    note(t.db(), 0).await.unwrap();
}

/// Waits out SQLite's time-out for busy files once (5 s), for all writes that wait together.
#[tokio::test]
async fn a_file_that_another_process_holds_is_to_be_tried_again() {
    let t = TestDb::sqlite();
    make_notes(t.db()).await;
    note(t.db(), 0).await.unwrap();
    let other = rusqlite::Connection::open(t.file()).unwrap();
    other
        .execute_batch("BEGIN EXCLUSIVE; INSERT INTO scraps VALUES (1000)")
        .unwrap();
    let waiting: Vec<_> = (1..50)
        .map(|n| {
            let db = t.db().clone();
            tokio::spawn(async move { note(&db, n).await })
        })
        .collect();
    assert_eq!(
        scraps(t.db()).await,
        [0],
        "readers go on, and see nothing uncommitted"
    );
    for waiting in waiting {
        let error = waiting.await.unwrap().unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the database is not available: another process holds the database"
        );
    }
    other.execute_batch("COMMIT").unwrap();
    note(t.db(), 1).await.unwrap();
    assert_eq!(scraps(t.db()).await, [0, 1, 1000]);
}
