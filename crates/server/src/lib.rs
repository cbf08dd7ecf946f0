//! The HTTP API.
//!
//! `router.rs` lists every route. A handler can be reached only through [`http::context::envelope`], which identifies
//! the key, counts the request and renders errors, and only with the scope that its first argument names.

mod carriers;
mod docs;
mod health;
pub mod http;
mod layers;
pub mod listen;
pub mod media;
pub mod openapi;
pub mod partners;
mod router;
mod sandbox;
pub mod v1;
pub mod v2;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trunkline_messaging::Carriers;
use trunkline_messaging::media::MediaStore;
use trunkline_messaging::play::Player;
use trunkline_search::SearchIndex;
use trunkline_search::people::PeopleIndex;
use trunkline_store::crypto::Vault;
use trunkline_store::{Conn, StoreError};
use trunkline_switchboard::Switchboard;
use trunkline_switchboard::invitations::MailLimit;
use trunkline_switchboard::texts::Policy;
use trunkline_webhooks::Client;
use trunkline_webhooks::address::AllowList;
use trunkline_webhooks::resolver::Resolve;

pub use layers::enveloped;
pub use router::{open_table, router, table};

use http::auth::{Access, KeyCache};
use http::endpoint::{Endpoint, EndpointView};
use http::error::ApiError;
use http::idempotency::InFlight;
use http::limits::Limiter;
use http::meters::Meters;
use http::proxies::Proxies;
use media::MediaLinks;
use partners::Partners;
use v2::streams::Streams;

// Nothing that people said may be in a log, whatever filter the operator sets. What libraries tell by the `log` crate in
// detail (tokio-postgres: every parameter of every statement) is therefore left out when the program is compiled.
const _: () = assert!(log::STATIC_MAX_LEVEL as usize <= log::LevelFilter::Info as usize);

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's address as the outside sees it, without a slash at the end.
    pub public_url: String,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Origins that browsers may call from; empty: none.
    pub cors_origins: Vec<String>,
    /// Whether mails can be sent.
    pub mails: Mails,
    /// How many mails with invitations a team may ask for on a day.
    pub invitation_mails: MailLimit,
    /// Who may say for whom a request is: proxies that are the operator's own.
    pub proxies: Proxies,
}

/// Whether mails can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mails {
    /// The operator has configured a mail server.
    Sent,
    /// There is none.
    Off,
}

/// An endpoint as `/v2/api/me` sees it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// To whom it is open.
    pub access: Access,
    /// How it is shown.
    pub view: EndpointView,
}

/// What the server works with; made elsewhere, and used by others too.
pub struct Services {
    /// Commands and the database.
    pub board: Switchboard,
    /// The text index; `None`: search by text is off.
    pub search: Option<SearchIndex>,
    /// The index of people.
    pub people: PeopleIndex,
    /// Carriers for texts.
    pub carriers: Carriers,
    /// Plays calls of the sandbox.
    pub player: Player,
    /// Opens sealed secrets.
    pub vault: Vault,
    /// Where webhooks may be sent, and with what.
    pub webhooks: Webhooks,
    /// What may be texted, and how much.
    pub texts: Arc<Policy>,
    /// Where media of texts are kept.
    pub media: MediaStore,
    /// What partners may do.
    pub partners: Partners,
    /// Cancelled when the server is to end: answers that go on and on come to theirs.
    pub stop: CancellationToken,
}

/// Where webhooks may be sent, and with what.
#[derive(Clone)]
pub struct Webhooks {
    /// Sends them. It dials public addresses and those of `allowed` only.
    pub client: Client,
    /// What the operator allows beyond public addresses.
    pub allowed: Arc<AllowList>,
    /// Knows the addresses of hosts.
    pub resolver: Arc<dyn Resolve>,
}

/// What handlers share. One counted pointer: every layer and every extractor of a request clones it.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What [`AppState`] points to.
#[derive(Clone)]
pub struct Shared {
    /// Commands and the database.
    pub board: Switchboard,
    /// The text index; `None`: search by text is off.
    pub search: Option<SearchIndex>,
    /// The index of people.
    pub people: PeopleIndex,
    /// Carriers for texts.
    pub carriers: Carriers,
    /// Plays calls of the sandbox.
    pub player: Player,
    /// Opens sealed secrets.
    pub vault: Vault,
    /// Where webhooks may be sent, and with what.
    pub webhooks: Webhooks,
    /// What may be texted, and how much.
    pub texts: Arc<Policy>,
    /// Where media of texts are kept.
    pub media: MediaStore,
    /// What partners may do.
    pub partners: Partners,
    /// Cancelled when the server is to end.
    pub stop: CancellationToken,
    /// What the operator decides.
    pub settings: Arc<Settings>,
    /// Known keys.
    pub keys: Arc<KeyCache>,
    /// Counts requests.
    pub limits: Arc<Limiter>,
    /// What `/metrics` tells of requests.
    pub meters: Arc<Meters>,
    /// Requests with an idempotency key that are being worked on.
    pub in_flight: InFlight,
    /// Streams of events that are open.
    pub streams: Streams,
    /// Exports that are under way.
    pub exports: Streams,
    /// The endpoint table, for `/v2/api/me`.
    pub endpoints: Arc<[Listed]>,
}

impl AppState {
    /// A state with nothing remembered yet.
    #[must_use]
    pub fn new(services: Services, settings: Settings) -> Self {
        let listed = |entry: &Endpoint| Listed {
            access: entry.access,
            view: entry.view(),
        };
        let endpoints = table().iter().map(listed).collect();
        Self(Arc::new(Shared {
            board: services.board,
            search: services.search,
            people: services.people,
            carriers: services.carriers,
            player: services.player,
            vault: services.vault,
            webhooks: services.webhooks,
            texts: services.texts,
            media: services.media,
            partners: services.partners,
            stop: services.stop,
            settings: Arc::new(settings),
            keys: Arc::default(),
            limits: Arc::default(),
            meters: Arc::default(),
            in_flight: InFlight::default(),
            streams: Streams::of_events(),
            exports: Streams::of_exports(),
            endpoints,
        }))
    }

    /// Reads a page of a list at one moment of the database, so that total and entries agree; on a thread of its own if
    /// that may take `long`.
    async fn read_page<T, E>(
        &self,
        long: bool,
        read: impl FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        ApiError: From<E>,
    {
        let db = self.board.db();
        let work = move |conn: &mut Conn<'_>| conn.at_one_moment(read);
        let page = if long {
            db.scan(work).await
        } else {
            db.read(work).await
        };
        Ok(page?)
    }

    /// Signs links to media, from now on.
    #[must_use]
    pub fn media_links(&self) -> MediaLinks {
        MediaLinks::new(self.vault.link_key(), self.board.now())
    }

    /// The same with something changed: for a second server beside this one.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared::clone(&self.0);
        change(&mut shared);
        Self(Arc::new(shared))
    }
}
