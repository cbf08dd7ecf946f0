//! A real server on a fresh database, spoken to over HTTP.
//!
//! ```ignore
//! async fn a_key_knows_itself(db: TestDb) {
//!     let t = TestApp::start(db).await;
//!     let me = t.get("/v2/api/me").await;
//!     assert_eq!(me.status, 200);
//! }
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use trunkline_domain::{Clock, Millis, PhoneNumber, RandomIds, ScopeSet, SystemClock};
use trunkline_messaging::Carriers;
use trunkline_messaging::media::{Keeper, MediaStore};
use trunkline_messaging::play::Player;
use trunkline_messaging::sandbox::Sandbox;
use trunkline_messaging::twilio::Twilio;
use trunkline_messaging::worker::{self, Worker};
use trunkline_search::people::{PeopleIndex, PeopleOptions};
use trunkline_search::{SearchIndex, SearchOptions};
use trunkline_server::http::proxies::Proxies;
use trunkline_server::media::Guarded;
use trunkline_server::partners::Partners;
use trunkline_server::{AppState, Mails, Services, Settings, Webhooks};
use trunkline_store::crypto::Vault;
use trunkline_store::{StoreError, TeamKey, Tx, params};
use trunkline_switchboard::invitations::MailLimit;
use trunkline_switchboard::texts::Policy;
use trunkline_switchboard::{Error, Switchboard, accounts, erasure, partners};
use trunkline_webhooks::address::AllowList;
use trunkline_webhooks::resolver::SystemResolver;
use trunkline_webhooks::{self as webhooks, ClientOptions, Dispatcher};

use crate::db::{Office, TestDb};
use crate::http::client;

pub use crate::db::SECRET;
pub use crate::http::client_builder;

/// Which time the server goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The office's clock, which stands still until the test moves it.
    Manual,
    /// The machine's clock: for calls that are played.
    Real,
}

/// A server with an office, and a key that opens everything. Ends when dropped.
pub struct TestApp {
    /// Where it listens, `http://127.0.0.1:port`.
    pub url: String,
    /// The office's team.
    pub office: Office,
    /// Commands as the server runs them.
    pub board: Switchboard,
    /// What handlers share.
    pub state: AppState,
    /// A key of Ada's with all scopes.
    pub key: String,
    /// Where the text index is.
    pub index_dir: std::path::PathBuf,
    /// Where media are kept.
    pub media_dir: std::path::PathBuf,
    http: reqwest::Client,
    stop: CancellationToken,
    _index: TempDir,
    _db: TestDb,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Reply {
    /// The header of this name as text, empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// `error.code` of a failure, or `code` of one of v1.
    #[must_use]
    pub fn code(&self) -> &str {
        let code = self.json["error"]["code"].as_str();
        code.or_else(|| self.json["code"].as_str()).unwrap_or_default()
    }

    /// `data` of a success.
    ///
    /// # Panics
    /// When it is none, with the answer.
    #[must_use]
    pub fn data(&self) -> &Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        &self.json["data"]
    }
}

impl TestApp {
    /// A server that goes by the office's clock.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(db: TestDb) -> Self {
        Self::start_at(db, Time::Manual).await
    }

    /// A server that goes by the time of the test's choice.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_at(db: TestDb, time: Time) -> Self {
        let office = db.office().await;
        set_limits(office.board.db(), office.team, 1_000_000, 1_000_000).await;
        let clock: Arc<dyn Clock> = match time {
            Time::Manual => office.clock.clone(),
            Time::Real => Arc::new(SystemClock),
        };
        let vault = Vault::new(SECRET);
        let board = Switchboard::new(db.db().clone(), clock.clone(), Arc::new(RandomIds), "test-server")
            .with_fingerprints(vault.fingerprints());
        let index = tempfile::tempdir().expect("a folder for the index");
        let index_dir = index.path().join("index");
        let options = SearchOptions {
            gather: Duration::from_millis(20),
            ..SearchOptions::default()
        };
        let (search, follower) =
            SearchIndex::open(&index_dir, db.db().clone(), options).expect("a text index");
        // However few people there are.
        let options = PeopleOptions {
            from: 0,
            gather: Duration::from_millis(20),
            ..PeopleOptions::default()
        };
        let people = PeopleIndex::new(db.db().clone(), options);
        let stop = CancellationToken::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let twilio = Twilio::new(client(), "http://127.0.0.1:9", &url, clock);
        let carriers = Carriers::new(vec![Arc::new(Sandbox), Arc::new(twilio)]);
        let player = Player::new(board.clone(), stop.clone());
        let settings = Settings {
            public_url: url.clone(),
            request_timeout: Duration::from_secs(30),
            cors_origins: Vec::new(),
            mails: Mails::Off,
            invitation_mails: MailLimit::default(),
            proxies: Proxies::default(),
        };
        let media = MediaStore::folder(&index.path().join("media")).expect("a folder for media");
        let texts = Policy {
            carriers: carriers.known(),
            ..Policy::default()
        };
        let (allowed, resolver) = (AllowList::loopback(), Arc::new(SystemResolver::default()));
        let options = ClientOptions {
            allowed: allowed.clone(),
            resolver: resolver.clone(),
            ..ClientOptions::default()
        };
        let webhooks = Webhooks {
            client: webhooks::Client::with(options).expect("a client for webhooks"),
            allowed: Arc::new(allowed),
            resolver,
        };
        let services = Services {
            board: board.clone(),
            search: Some(search.clone()),
            people: people.clone(),
            carriers: carriers.clone(),
            player,
            vault: vault.clone(),
            webhooks,
            texts: Arc::new(texts),
            media: media.clone(),
            partners: Partners {
                policy: Arc::new(pool()),
                ..Partners::default()
            },
            stop: stop.clone(),
        };
        let keeper = Keeper {
            board: board.clone(),
            carriers: carriers.clone(),
            vault: vault.clone(),
            fetch: Arc::new(Guarded(services.webhooks.client.clone())),
            store: media,
            outage: Arc::default(),
        };
        tokio::spawn(keeper.run(stop.clone()));
        tokio::spawn(people.run(stop.clone()));
        let purged = Arc::new(move |team, event| search.has_purged(team, event));
        tokio::spawn(erasure::run(
            board.clone(),
            purged,
            stop.clone().cancelled_owned(),
        ));
        let state = AppState::new(services, settings);
        let service =
            trunkline_server::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let ended = stop.clone();
        tokio::spawn(async move {
            let serve =
                axum::serve(listener, service).with_graceful_shutdown(async move { ended.cancelled().await });
            serve.await.expect("the test server");
        });
        tokio::spawn(follower.run(stop.clone()));
        let worker = Worker::new(board.clone(), carriers, vault, worker::Options::default());
        tokio::spawn(worker.run(stop.clone()));
        let mut app = Self {
            url,
            key: String::new(),
            http: client(),
            office,
            board,
            state,
            index_dir,
            media_dir: index.path().join("media"),
            stop,
            _index: index,
            _db: db,
        };
        app.key = app.make_key(ScopeSet::ALL).await;
        app
    }

    /// Makes a key of Ada's.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn make_key(&self, scopes: ScopeSet) -> String {
        let ada = self.office.ada;
        let made: Result<accounts::NewKey, Error> = self
            .board
            .run(self.office.team, move |work| {
                accounts::create_key(work, ada, "test", scopes, true)
            })
            .await;
        made.unwrap_or_else(|error| panic!("no key for the test: {error}"))
            .secret
    }

    /// Delivers webhooks from now on, to loopback addresses too, until the server ends or what is returned is cancelled.
    pub fn deliver(&self, options: webhooks::Options) -> CancellationToken {
        let (board, vault) = (self.board.clone(), self.state.vault.clone());
        let dispatcher = Dispatcher::new(board, vault, self.state.webhooks.client.clone(), options);
        let stop = self.stop.child_token();
        tokio::spawn(dispatcher.run(stop.clone()));
        stop
    }

    /// Sends a request with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let authorization = format!("Api-Key {}", self.key);
        self.send_with(
            method,
            path,
            &[("Authorization", &authorization)],
            body.map(Value::to_string),
        )
        .await
    }

    /// Sends a request with headers of the test's own. A body is sent as `application/json` unless the headers say
    /// otherwise.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        self.send_to(method, &format!("{}{path}", self.url), headers, body)
            .await
    }

    /// As [`Self::send_with`], to a server beside this one.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn send_to(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            if !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            {
                request = request.header("Content-Type", "application/json");
            }
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer of the test server");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the body of the answer");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status,
            headers,
            text,
            json,
        }
    }

    /// GET with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// POST with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PUT with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// PATCH with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// DELETE with the office's key.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Sets the rate limits of the office's team, from now on.
    ///
    /// # Panics
    /// When they cannot be stored.
    pub async fn set_limits(&self, read: i64, write: i64) {
        set_limits(self.board.db(), self.office.team, read, write).await;
        self.state.keys.forget();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The numbers of accounts that partners make: French mobiles and American numbers.
fn pool() -> partners::Policy {
    let numbers = (0..1_000).flat_map(|i| [format!("+33712{i:06}"), format!("+1212555{i:04}")]);
    partners::Policy {
        pool: numbers
            .filter_map(|text| PhoneNumber::parse(&text).ok())
            .collect(),
        rest: 90 * Millis::DAY,
        ..partners::Policy::default()
    }
}

async fn set_limits(db: &trunkline_store::Db, team: TeamKey, read: i64, write: i64) {
    let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(
            "UPDATE teams SET read_per_second = $1, write_per_second = $2 WHERE team_id = $3",
            params![read, write, team],
        )
    };
    db.write(work).await.expect("limits for the test");
}
