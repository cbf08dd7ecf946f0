//! A fresh database for each test, on either engine, and a small office to try things in.
//!
//! A test is an `async fn` that takes a [`TestDb`]; [`on_both!`](crate::on_both) runs it once an engine:
//!
//! ```ignore
//! async fn a_call_rings(t: TestDb) {
//!     let office = t.office().await;
//!     …
//! }
//!
//! trunkline_testkit::on_both! { a_call_rings }
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use trunkline_domain::{
    Capability, CompanyId, ContactId, DealId, ManualClock, Millis, NumberId, PhoneNumber, Plan, PropertyType,
    Role, SeededIds, TeamId, UserId,
};
use trunkline_store::crypto::{Fingerprints, Vault};
use trunkline_store::events::{self, EventRow};
use trunkline_store::teams::{self, TeamRow};
use trunkline_store::{Db, DbOptions, Location, PostgresOptions, StoreError, TeamKey};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::companies::{self, CreateCompany};
use trunkline_switchboard::deals::{self, CreateDeal};
use trunkline_switchboard::people::{self, CreateContact};
use trunkline_switchboard::properties;
use trunkline_switchboard::{Actor, Error, Switchboard, Work};

use crate::postgres::PostgresServer;

mod faults;

pub use faults::{assert_sound, faults};

/// Makes of each named `async fn(TestDb)` two tests, `sqlite::name` and `postgres::name`. Once a module.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $crate::on_both!(@engine sqlite $($name)*);
        $crate::on_both!(@engine postgres $($name)*);
    };
    (@engine $engine:ident $($name:ident)*) => {
        mod $engine {
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::db::TestDb::$engine()).await;
                }
            )*
        }
    };
}

/// One of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// What tests open databases with: as in production, but with few connections to PostgreSQL, since many tests share
/// one server.
#[must_use]
pub fn options() -> DbOptions {
    let postgres = PostgresOptions {
        connections: 4,
        scan_connections: 1,
        ..PostgresOptions::default()
    };
    DbOptions {
        postgres,
        ..DbOptions::default()
    }
}

/// Runs `work` on a thread of its own and waits for it: what PostgreSQL's blocking client needs, since it must not
/// start its runtime inside of an async test.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(work)
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A database of this program's version with nothing in it, gone when dropped.
pub struct TestDb {
    db: Db,
    engine: Engine,
    location: Location,
    // Behind the database: its files are deleted when nobody uses them any more.
    _folder: Option<TempDir>,
}

impl TestDb {
    /// On SQLite, in a folder of its own.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::with(Engine::Sqlite, options())
    }

    /// On PostgreSQL, a database of its own on the server that all tests share.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn postgres() -> Self {
        Self::with(Engine::Postgres, options())
    }

    /// On either, with options of the test's own.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn with(engine: Engine, options: DbOptions) -> Self {
        let (location, folder) = empty(engine);
        let db = match apart(|| Db::migrate(&location, options)) {
            Ok(db) => db,
            Err(error) => panic!("no database for the test: {error}"),
        };
        Self {
            db,
            engine,
            location,
            _folder: folder,
        }
    }

    /// The database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Which engine it is on.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Where it is.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// The file of a SQLite database.
    ///
    /// # Panics
    /// On PostgreSQL.
    #[must_use]
    pub fn file(&self) -> &Path {
        match &self.location {
            Location::Sqlite(path) => path,
            Location::Postgres(_) => panic!("a PostgreSQL database has no file"),
        }
    }

    /// Opens the same database once more, as another process or node does.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn open_again(&self) -> Db {
        match apart(|| Db::open(&self.location, options())) {
            Ok(db) => db,
            Err(error) => panic!("cannot open the database once more: {error}"),
        }
    }

    /// A team with no users, no lines and no contacts.
    ///
    /// # Panics
    /// When it cannot be stored.
    pub async fn bare_team(&self, name: &str) -> TeamKey {
        let id = TeamId::new(
            &SeededIds::new(name.bytes().fold(7, |sum, b| sum * 31 + u64::from(b))),
            START,
        );
        let row = TeamRow {
            key: TeamKey(0),
            id,
            name: name.to_owned(),
            plan: Plan::Business,
            time_zone: "UTC".to_owned(),
            country: "US".to_owned(),
            sandbox: true,
            read_per_second: accounts::READ_PER_SECOND,
            write_per_second: accounts::WRITE_PER_SECOND,
            create_tags: true,
            created_at: START,
            marketing_hours: false,
        };
        let made: Result<TeamKey, StoreError> = self.db.write(move |tx| teams::insert(tx, &row)).await;
        made.expect("a team for the test")
    }

    /// A team with what calls and texts need.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn office(&self) -> Office {
        Office::open(self.db.clone()).await
    }
}

/// Where a database may come to be: on SQLite a file that does not exist yet and its folder, on PostgreSQL an empty
/// database.
///
/// # Panics
/// When there is no room for it.
#[must_use]
pub fn empty(engine: Engine) -> (Location, Option<TempDir>) {
    match engine {
        Engine::Sqlite => {
            let folder = tempfile::tempdir().expect("a folder for the database");
            let file: PathBuf = folder.path().join("trunkline.db");
            (Location::Sqlite(file), Some(folder))
        }
        Engine::Postgres => (
            Location::Postgres(PostgresServer::shared().fresh_database()),
            None,
        ),
    }
}

/// The key that seals the test server's secrets.
pub const SECRET: &str = "a secret of tests, and of nothing else";

fn fingerprints() -> Fingerprints {
    Vault::new(SECRET).fingerprints()
}

/// The instant at which every office opens: a Monday, 12:00 in Paris and 3:00 in San Francisco.
pub const START: Millis = Millis(1_776_679_200_000);

/// A phone number in E.164.
///
/// # Panics
/// When it is not.
#[must_use]
pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a phone number")
}

/// The office's American line.
#[must_use]
pub fn us() -> PhoneNumber {
    number("+14155550100")
}

/// The office's French line.
#[must_use]
pub fn fr() -> PhoneNumber {
    number("+33142685300")
}

/// Sarah Johnson's number.
#[must_use]
pub fn sarah() -> PhoneNumber {
    number("+14155551234")
}

/// Marie Dupont's number, which Sam has too.
#[must_use]
pub fn marie() -> PhoneNumber {
    number("+33612345678")
}

/// A number that no contact has.
#[must_use]
pub fn nobody() -> PhoneNumber {
    number("+14155559999")
}

/// A team in San Francisco: Ada and Ben, an American line (Ada, then Ben) and a French one (Ben), Sarah Johnson with
/// company, deal and a custom property, Marie Dupont, and Sam, who came later and shares Marie's number. Time and ids
/// are the test's.
pub struct Office {
    /// Where commands are run.
    pub board: Switchboard,
    /// The time, which stands still until the test moves it.
    pub clock: Arc<ManualClock>,
    /// The team.
    pub team: TeamKey,
    /// Its public id.
    pub team_id: TeamId,
    /// Ada Park, admin.
    pub ada: UserId,
    /// Ben Ortiz, member.
    pub ben: UserId,
    /// The number of the American line among the team's.
    pub us_line: i64,
    /// The number of the French line among the team's.
    pub fr_line: i64,
    /// Sarah Johnson of Johnson Bakery.
    pub sarah: ContactId,
    /// Marie Dupont.
    pub marie: ContactId,
    /// Sam.
    pub sam: ContactId,
    /// Johnson Bakery, Sarah's.
    pub bakery: CompanyId,
    /// "Flour for a year", with Sarah.
    pub deal: DealId,
}

/// What an [`Office`] has, beside the office itself.
type Furniture = (
    UserId,
    UserId,
    i64,
    i64,
    ContactId,
    ContactId,
    ContactId,
    CompanyId,
    DealId,
);

impl Office {
    async fn open(db: Db) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let ids = Arc::new(SeededIds::new(1));
        let board =
            Switchboard::new(db, clock.clone(), ids.clone(), "node-1").with_fingerprints(fingerprints());
        let made: Result<(TeamKey, TeamId), Error> = board
            .db()
            .write(move |tx| {
                let team = CreateTeam {
                    name: "Fog City Supplies".to_owned(),
                    plan: Plan::Business,
                    time_zone: "America/Los_Angeles".to_owned(),
                    country: "US".to_owned(),
                    sandbox: true,
                };
                accounts::create_team(tx, ids.as_ref(), START, &team)
            })
            .await;
        let (team, team_id) = made.expect("a team for the test");
        let furnished: Result<Furniture, Error> = board.run(team, furnish).await;
        let (ada, ben, us_line, fr_line, sarah, marie, sam, bakery, deal) =
            furnished.expect("an office for the test");
        Self {
            board,
            clock,
            team,
            team_id,
            ada,
            ben,
            us_line,
            fr_line,
            sarah,
            marie,
            sam,
            bakery,
            deal,
        }
    }

    /// Runs a command of the office's team.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run<T, F>(&self, command: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Error> + Send + 'static,
    {
        self.board.run(self.team, command).await
    }

    /// Ada, doing something.
    #[must_use]
    pub fn by_ada(&self) -> Actor {
        Actor::User {
            id: self.ada,
            email: "ada@fogcity.example".to_owned(),
            name: "Ada Park".to_owned(),
        }
    }

    /// The same team through another process, which shares database connections and clock, but not the ids.
    #[must_use]
    pub fn node(&self, name: &str) -> Switchboard {
        self.node_on(self.board.db().clone(), name)
    }

    /// The same team through another process with connections of its own: see [`TestDb::open_again`].
    #[must_use]
    pub fn node_on(&self, db: Db, name: &str) -> Switchboard {
        let seed = name.bytes().fold(11, |sum: u64, byte| sum * 31 + u64::from(byte));
        Switchboard::new(db, self.clock.clone(), Arc::new(SeededIds::new(seed)), name)
            .with_fingerprints(fingerprints())
    }

    /// All events of the team behind number `after`, in order.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn events_after(&self, after: i64) -> Vec<EventRow> {
        let team = self.team;
        let all: Result<_, StoreError> = self
            .board
            .db()
            .read(move |conn| events::after(conn, team, after, 1_000_000))
            .await;
        all.expect("the events")
    }

    /// The number of the team's last event.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn last_event(&self) -> i64 {
        let team = self.team;
        let last: Result<_, StoreError> = self
            .board
            .db()
            .read(move |conn| teams::last_event(conn, team))
            .await;
        last.expect("the number of the last event")
    }

    /// Fails unless everything that is kept beside the rows agrees with the rows: see [`faults`].
    ///
    /// # Panics
    /// When it does not.
    pub async fn assert_sound(&self) {
        assert_sound(self.board.db(), self.team).await;
    }
}

fn furnish(work: &mut Work<'_, '_>) -> Result<Furniture, Error> {
    let ada = accounts::create_user(work, "Ada Park", "ada@fogcity.example", Role::Admin)?;
    let ben = accounts::create_user(work, "Ben Ortiz", "ben@fogcity.example", Role::Member)?;
    let line = |work: &mut Work<'_, '_>, phone, name: &str, members: &[UserId]| {
        let line = AddNumber {
            address: Address::Number(phone),
            name: Some(name.to_owned()),
            capabilities: vec![Capability::Voice, Capability::Sms],
            carrier: "sandbox".to_owned(),
            carrier_settings: None,
            members: members.to_vec(),
        };
        let id: NumberId = work.new_id(work.now);
        accounts::add_number(work, id, &line)
    };
    let us_line = line(work, us(), "Fog City", &[ada, ben])?;
    let fr_line = line(work, fr(), "Fog City Paris", &[ben])?;
    properties::define(work, "lead_source", "Lead source", PropertyType::Text)?;
    let bakery = companies::create(
        work,
        &CreateCompany {
            name: "Johnson Bakery".to_owned(),
            ..CreateCompany::default()
        },
    )?
    .id;
    let mut properties = serde_json::Map::new();
    properties.insert("lead_source".to_owned(), "Fair".into());
    let sarah = people::create_contact(
        work,
        &CreateContact {
            first_name: Some("Sarah".to_owned()),
            last_name: Some("Johnson".to_owned()),
            job_title: Some("Owner".to_owned()),
            company: Some(bakery),
            numbers: vec!["(415) 555-1234".to_owned()],
            emails: vec![
                "sarah@bakery.example".to_owned(),
                "orders@bakery.example".to_owned(),
            ],
            properties,
            ..CreateContact::default()
        },
    )?;
    let deal = deals::create(
        work,
        &CreateDeal {
            name: "Flour for a year".to_owned(),
            status: Some("OPEN".to_owned()),
            value: Some(12_500.5),
            currency: Some("USD".to_owned()),
            company: Some(bakery),
            contacts: vec![sarah],
            ..CreateDeal::default()
        },
    )?;
    let french = |work: &mut Work<'_, '_>, first: &str, last: Option<&str>, later: i64| {
        work.now = work.now.plus(later);
        let contact = CreateContact {
            first_name: Some(first.to_owned()),
            last_name: last.map(str::to_owned),
            numbers: vec!["+33 6 12 34 56 78".to_owned()],
            ..CreateContact::default()
        };
        people::create_contact(work, &contact)
    };
    let marie = french(work, "Marie", Some("Dupont"), 0)?;
    let sam = french(work, "Sam", None, 1)?;
    Ok((ada, ben, us_line, fr_line, sarah, marie, sam, bakery, deal))
}

/// Environment variable with the one seed that random tests are to run with, to repeat a failure.
pub const SEED_VARIABLE: &str = "TRUNKLINE_TEST_SEED";

/// The seed of a random test, which a failure tells.
pub struct Seed(u64);

impl Seed {
    /// The seeds 1 to `count`, or the one that [`SEED_VARIABLE`] names.
    pub fn first(count: u64) -> impl Iterator<Item = Self> {
        let only = std::env::var(SEED_VARIABLE)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        only.map_or(1..=count, |seed| seed..=seed).map(Self)
    }

    /// The seed.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.0
    }
}

impl Drop for Seed {
    #[expect(clippy::print_stderr, reason = "part of the report of a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "this was seed {}: repeat it with {SEED_VARIABLE}={}",
                self.0, self.0
            );
        }
    }
}
