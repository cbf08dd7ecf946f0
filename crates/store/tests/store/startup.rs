//! What an operator reads when the database cannot be used: what is wrong, where, and what to do. Never a password.

use std::error::Error as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use trunkline_store::{Db, Location, MigrateError, Schema};
use trunkline_testkit::db::{Engine, TestDb, apart, empty, options};
use trunkline_testkit::postgres::PostgresServer;

fn open(location: &Location) -> Result<Db, MigrateError> {
    apart(|| Db::open(location, options()))
}

fn migrate(location: &Location) -> Result<Db, MigrateError> {
    apart(|| Db::migrate(location, options()))
}

fn error(result: Result<Db, MigrateError>) -> MigrateError {
    result.err().expect("an error at start-up")
}

/// Everything that may come out of an error: what the operator reads, what is written for developers, and its causes.
fn everything(error: &MigrateError) -> String {
    let mut all = format!("{error}\n{error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    all
}

fn says(error: &MigrateError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

fn file(path: &Path) -> Location {
    Location::Sqlite(path.to_owned())
}

fn name(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(_) => String::new(),
    }
}

async fn run(t: &TestDb, sql: &'static str) {
    t.db()
        .write(move |tx| tx.execute(sql, &[]).map(drop))
        .await
        .unwrap();
}

async fn a_database_of_a_newer_program_is_refused(t: TestDb) {
    run(&t, "UPDATE schema_version SET version = 999").await;
    for refused in [open(t.location()), migrate(t.location())] {
        let error = error(refused);
        assert!(
            matches!(error, MigrateError::Newer { found: 999, .. }),
            "{error:?}"
        );
        says(
            &error,
            &[
                "schema version 999",
                "a newer Trunkline has used it",
                "restore a backup",
            ],
        );
    }
}

async fn an_outdated_database_asks_for_its_migration(t: TestDb) {
    run(&t, "UPDATE schema_version SET version = 0").await;
    let behind = error(open(t.location()));
    assert!(
        matches!(
            behind,
            MigrateError::Outdated {
                schema: Schema::Behind { version: 0 }
            }
        ),
        "{behind:?}"
    );
    says(&behind, &["not up to date (version ", "trunkline migrate"]);

    let (location, _folder) = empty(t.engine());
    let nothing = error(open(&location));
    assert!(
        matches!(
            nothing,
            MigrateError::Outdated {
                schema: Schema::Empty
            }
        ),
        "{nothing:?}"
    );
    says(&nothing, &["trunkline migrate"]);
    if let Location::Sqlite(path) = &location {
        assert!(!path.exists(), "looking made a file");
    }
    migrate(&location).unwrap();
    migrate(&location).unwrap();
    open(&location).unwrap();
}

async fn a_migration_that_fails_leaves_nothing_behind(t: TestDb) {
    // All tables are there, and the version does not say so: the first migration meets them.
    run(&t, "UPDATE schema_version SET version = 0").await;
    let failed = error(migrate(t.location()));
    assert!(
        matches!(
            failed,
            MigrateError::Failed {
                name: "0001_spine",
                ..
            }
        ),
        "{failed:?}"
    );
    says(&failed, &["0001_spine", "rolled back", "exists"]);
    assert!(matches!(
        open(t.location()),
        Err(MigrateError::Outdated {
            schema: Schema::Behind { version: 0 }
        })
    ));
}

/// Tables that stand in our way: another program's, or ours without a version.
async fn a_database_with_foreign_tables_is_refused(t: TestDb) {
    run(&t, "DROP TABLE schema_version").await;
    let (theirs, _folder) = empty(t.engine());
    execute(
        &theirs,
        "CREATE TABLE schema_version (v INTEGER); INSERT INTO schema_version VALUES (3)",
    );
    let (same_name, _folder) = empty(t.engine());
    execute(
        &same_name,
        "CREATE TABLE messages (n INTEGER); INSERT INTO messages VALUES (3)",
    );
    for (location, table) in [
        (t.location(), "api_keys"),
        (&theirs, "schema_version"),
        (&same_name, "messages"),
    ] {
        for refused in [open(location), migrate(location)] {
            let error = error(refused);
            assert!(matches!(error, MigrateError::Foreign { .. }), "{error:?}");
            says(
                &error,
                &[&name(location), table, "another program's", "nothing was changed"],
            );
        }
    }
    execute(
        &theirs,
        "UPDATE schema_version SET v = 4; DROP TABLE schema_version",
    );
    execute(&same_name, "UPDATE messages SET n = 4; DROP TABLE messages");
    drop(migrate(&theirs).unwrap());
    drop(migrate(&same_name).unwrap());
}

fn execute(location: &Location, sql: &str) {
    apart(|| match location {
        Location::Sqlite(path) => rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap(),
        Location::Postgres(url) => ::postgres::Client::connect(url, ::postgres::NoTls)
            .unwrap()
            .batch_execute(sql)
            .unwrap(),
    });
}

async fn several_processes_may_start_at_once_on_an_empty_database(t: TestDb) {
    for _ in 0..3 {
        let (location, _folder) = empty(t.engine());
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..6)
                .map(|_| scope.spawn(|| Db::migrate(&location, options())))
                .collect();
            for process in started {
                let db = process.join().unwrap();
                assert!(db.is_ok(), "{}", db.err().unwrap());
            }
        });
        let db = open(&location).unwrap();
        let versions =
            db.read(|conn| conn.rows("SELECT version FROM schema_version", &[], |row| row.get::<i64>(0)));
        assert_eq!(versions.await.unwrap().len(), 1);
    }
}

trunkline_testkit::on_both! {
    a_database_of_a_newer_program_is_refused,
    an_outdated_database_asks_for_its_migration,
    a_migration_that_fails_leaves_nothing_behind,
    a_database_with_foreign_tables_is_refused,
    several_processes_may_start_at_once_on_an_empty_database,
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let (location, _folder) = empty(Engine::Sqlite);
    let Location::Sqlite(path) = &location else {
        unreachable!()
    };
    let page_of_text = "Once upon a time there was a phone. ".repeat(200);
    for content in ["short", &page_of_text] {
        fs::write(path, content).unwrap();
        for refused in [open(&location), migrate(&location)] {
            let error = error(refused);
            assert!(matches!(error, MigrateError::Corrupt { .. }), "{error:?}");
            says(
                &error,
                &[
                    &name(&location),
                    "not a Trunkline database, or it is damaged",
                    "restore it from a backup",
                ],
            );
        }
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            content,
            "somebody's file was changed"
        );
    }
}

/// Whatever its journal mode: not a byte of it changes, and no file appears beside it.
#[test]
fn a_file_of_another_program_is_left_alone() {
    for mode in ["DELETE", "WAL"] {
        let (location, _folder) = empty(Engine::Sqlite);
        let sql =
            "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('https://bakery.example')";
        execute(&location, &format!("PRAGMA journal_mode = {mode}; {sql}"));
        let Location::Sqlite(path) = &location else {
            unreachable!()
        };
        let before = fs::read(path).unwrap();
        for refused in [open(&location), migrate(&location)] {
            says(&error(refused), &[&name(&location), "bookmarks", "--data-dir"]);
        }
        assert!(
            fs::read(path).unwrap() == before,
            "somebody's database was changed"
        );
    }
}

/// A PostgreSQL schema may be shared with others who do not use our names.
#[test]
fn tables_of_others_do_not_matter_where_several_programs_share_a_server() {
    let (location, _folder) = empty(Engine::Postgres);
    execute(&location, "CREATE TABLE bookmarks (url TEXT)");
    migrate(&location).unwrap();
}

#[test]
fn a_damaged_database_is_named() {
    let (location, _folder) = empty(Engine::Sqlite);
    migrate(&location).unwrap().close();
    let Location::Sqlite(path) = &location else {
        unreachable!()
    };
    let mut bytes = fs::read(path).unwrap();
    // The rest of the first page is the root of the table of all tables.
    bytes[100..4_096].fill(0xa5);
    fs::write(path, bytes).unwrap();
    for refused in [open(&location), migrate(&location)] {
        let error = error(refused);
        assert!(matches!(error, MigrateError::Corrupt { .. }), "{error:?}");
        says(&error, &[&name(&location), "damaged", "malformed"]);
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("not/there/trunkline.db"),
        folder.path().to_owned(),
    ] {
        let error = error(migrate(&file(&path)));
        assert!(matches!(error, MigrateError::File { .. }), "{error:?}");
        says(
            &error,
            &[
                &path.display().to_string(),
                "check that the folder exists",
                "may write to it",
            ],
        );
    }
}

/// Waits out SQLite's time-out for busy files (5 s).
#[test]
fn a_file_that_another_process_holds_is_named() {
    let (location, _folder) = empty(Engine::Sqlite);
    let other = rusqlite::Connection::open(name(&location)).unwrap();
    other
        .execute_batch("CREATE TABLE own (n INTEGER); BEGIN EXCLUSIVE")
        .unwrap();
    let error = error(migrate(&location));
    assert!(matches!(error, MigrateError::File { .. }), "{error:?}");
    says(&error, &[&name(&location), "another process holds it"]);
}

/// A disk of 64 KiB, in a mount namespace of its own. Where the machine does not allow that, nothing can be tested,
/// and the test says so.
#[test]
fn a_full_disk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        "mount -t tmpfs -o size=64k none \"$1\" && export TRUNKLINE_TEST_CHILD_FILE=\"$1/trunkline.db\" &&
                  echo mounted && \"$2\" --exact startup::child --ignored --nocapture";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    let output = command
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .output();
    let said = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    if !said.contains("mounted") {
        println!("not tested: this machine allows no mount");
        return;
    }
    for word in ["File {", "trunkline.db cannot be used", "make room on the disk"] {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

/// What another user sees of the file that the variable names.
#[test]
#[ignore = "no test of its own: others run it as another user, or on another disk"]
fn child() {
    let path = std::env::var_os("TRUNKLINE_TEST_CHILD_FILE").expect("run by another test");
    match Db::migrate(&Location::Sqlite(path.into()), options()) {
        Ok(_) => println!("\nit was opened"),
        Err(error) => println!("\n{error}\n{error:?}"),
    }
}

/// What this user, or `nobody` if this is root, whom no permission stops, hears of the file.
fn as_a_common_user(folder: &Path, path: &Path) -> String {
    let program = folder.join("program");
    // Nobody may not reach the folder in which this program was built.
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(program);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    command
        .args(["--exact", "startup::child", "--ignored", "--nocapture"])
        .current_dir("/");
    let output = command.env("TRUNKLINE_TEST_CHILD_FILE", path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_file_or_folder_that_may_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("data");
    fs::create_dir(&own).unwrap();
    let path = own.join("trunkline.db");
    migrate(&file(&path)).unwrap().close();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for (of_file, of_folder) in [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)] {
        for left in ["trunkline.db-wal", "trunkline.db-shm"] {
            drop(fs::remove_file(own.join(left)));
        }
        fs::set_permissions(&path, Permissions::from_mode(of_file)).unwrap();
        fs::set_permissions(&own, Permissions::from_mode(of_folder)).unwrap();
        let said = as_a_common_user(folder.path(), &path);
        for word in ["File {", "trunkline.db cannot be used", "write to"] {
            assert!(
                said.contains(word),
                "{of_file:o} in {of_folder:o}: {word:?} is not in: {said}"
            );
        }
    }
    fs::set_permissions(&own, Permissions::from_mode(0o777)).unwrap();
    let said = as_a_common_user(folder.path(), &path);
    assert!(said.contains("it was opened"), "the test itself is wrong: {said}");
}

const PASSWORD: &str = "correct-horse";

#[test]
fn an_unreachable_server_is_said() {
    // A port on which nobody listens any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let location = Location::Postgres(format!(
        "postgres://trunkline:{PASSWORD}@127.0.0.1:{port}/trunkline"
    ));
    for refused in [open(&location), migrate(&location)] {
        let error = error(refused);
        assert!(matches!(error, MigrateError::Server(_)), "{error:?}");
        says(
            &error,
            &[
                "PostgreSQL",
                "onnection refused",
                "check --database",
                "that the server runs",
            ],
        );
        assert!(!everything(&error).contains(PASSWORD), "{error:?}");
    }
}

#[test]
fn a_wrong_password_or_database_is_said() {
    let url = PostgresServer::shared().fresh_database();
    let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once(':').unwrap();
    let (password, address) = rest.split_once('@').unwrap();
    for (url, words) in [
        (
            format!("postgres://{user}:{PASSWORD}@{address}"),
            "password authentication failed for user",
        ),
        (format!("{url}_gone"), "does not exist"),
    ] {
        let location = Location::Postgres(url);
        for refused in [open(&location), migrate(&location)] {
            let error = error(refused);
            assert!(matches!(error, MigrateError::Server(_)), "{error:?}");
            says(
                &error,
                &["PostgreSQL", words, "check --database", "the user's rights"],
            );
            let all = everything(&error) + &format!("{location:?}");
            assert!(!all.contains(PASSWORD) && !all.contains(password), "{all}");
        }
    }
}

#[test]
fn missing_rights_are_said() {
    let url = PostgresServer::shared().fresh_database();
    let role = format!("common_{}", url.rsplit('_').take(2).collect::<String>());
    apart(|| {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"))
            .unwrap();
        client
            .batch_execute("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC")
            .unwrap();
    });
    let address = url.rsplit('@').next().unwrap();
    let error = error(migrate(&Location::Postgres(format!(
        "postgres://{role}:{PASSWORD}@{address}"
    ))));
    apart(|| {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client.batch_execute(&format!("DROP ROLE {role}")).unwrap();
    });
    assert!(matches!(error, MigrateError::Server(_)), "{error:?}");
    says(
        &error,
        &["permission denied for schema public", "the user's rights"],
    );
    assert!(!everything(&error).contains(PASSWORD));
}

#[test]
fn no_url_that_cannot_be_read_gives_its_password_away() {
    for url in [
        format!("postgres://trunkline:{PASSWORD}@127.0.0.1:port/trunkline"),
        format!("postgres://trunkline:{PASSWORD}@127.0.0.1:99999/trunkline"),
        format!("postgres://trunkline:{PASSWORD}@127.0.0.1/trunkline?unheard_of=1"),
        format!("postgres://trunkline:{PASSWORD}@127.0.0.1/trunkline?sslmode=perhaps"),
        format!("postgres:/trunkline:{PASSWORD}@127.0.0.1/trunkline"),
        format!("host=127.0.0.1 password={PASSWORD} prot=1"),
        format!("host=127.0.0.1 password='{PASSWORD}"),
    ] {
        let error = error(open(&Location::Postgres(url.clone())));
        assert!(matches!(error, MigrateError::Server(_)), "{error:?}");
        says(&error, &["the database URL cannot be read", "check --database"]);
        assert!(!everything(&error).contains(PASSWORD), "{url}: {error:?}");
    }
}
