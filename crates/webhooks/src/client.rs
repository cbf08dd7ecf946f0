//! The HTTP client of deliveries: dials vetted addresses only, follows nothing, reads little, waits 20 seconds.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;
use trunkline_domain::Millis;
use trunkline_domain::webhook::schedule::{AttemptError, Outcome, TIME_LIMIT_MS};

use crate::address::AllowList;
use crate::resolver::{Resolve, SystemResolver};

/// How much of a reply is read at all.
const READ_LIMIT: usize = 64 * 1024;

/// How much of a reply is kept for its owner.
pub const KEEP_LIMIT: usize = 1_024;

/// How long dialling one address may take; a host may have several.
const DIAL_LIMIT: Duration = Duration::from_secs(5);

/// The most addresses of one host that are dialled.
const ADDRESSES: usize = 4;

/// Idle connections kept for one host, and for how long.
const IDLE_CONNECTIONS: usize = 32;
const IDLE_TIME: Duration = Duration::from_secs(60);

/// What came back from a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub outcome: Outcome,
    /// The first kilobyte of the reply's body; bytes that are no UTF-8 are shown as U+FFFD.
    pub body: String,
}

/// Posts to receivers. Cheap to clone; connections are kept and used again.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<Dialler>, Full<Bytes>>,
    time_limit: Duration,
}

/// What a client goes by.
pub struct ClientOptions {
    /// Hosts that may be called though they are not public.
    pub allowed: AllowList,
    /// Certificates that are trusted beside the machine's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Who knows the addresses of hosts.
    pub resolver: Arc<dyn Resolve>,
    /// How long an attempt may take.
    pub time_limit: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            allowed: AllowList::default(),
            extra_roots: Vec::new(),
            resolver: Arc::new(SystemResolver::default()),
            time_limit: Duration::from_millis(TIME_LIMIT_MS.unsigned_abs()),
        }
    }
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("no TLS client can be made: {0}")]
pub struct ClientError(#[from] rustls::Error);

impl Client {
    /// A client that trusts the machine's certificates and `extra` ones, and dials public addresses and those of
    /// `allowed` only.
    ///
    /// # Errors
    /// When the TLS library refuses its own defaults.
    pub fn new(allowed: AllowList, extra: Vec<CertificateDer<'static>>) -> Result<Self, ClientError> {
        Self::with(ClientOptions {
            allowed,
            extra_roots: extra,
            ..ClientOptions::default()
        })
    }

    /// A client that goes by `options`.
    ///
    /// # Errors
    /// When the TLS library refuses its own defaults.
    pub fn with(options: ClientOptions) -> Result<Self, ClientError> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(error = %error, "a certificate of this machine cannot be read");
        }
        let (known, _) = roots.add_parsable_certificates(native.certs.into_iter().chain(options.extra_roots));
        if known == 0 {
            tracing::warn!(
                "this machine trusts no certificate authority: webhooks to https addresses will fail"
            );
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let dialler = Dialler {
            allowed: Arc::new(options.allowed),
            resolver: options.resolver,
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(dialler);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(READ_LIMIT)
            .build(connector);
        Ok(Self {
            pool,
            time_limit: options.time_limit,
        })
    }

    /// Posts `body` and tells what came of it. Everything together, the reply's body included, takes no longer than
    /// the time limit of an attempt; a reply whose body does not end in time counts by its status.
    pub async fn post(&self, url: Uri, headers: HeaderMap, body: Bytes, now: Millis) -> Reply {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        let deadline = tokio::time::sleep(self.time_limit);
        tokio::pin!(deadline);
        let broken = |error| Reply {
            outcome: Outcome::Broken(error),
            body: String::new(),
        };
        let response = tokio::select! {
            biased;
            answer = self.pool.request(request) => match answer {
                Ok(response) => response,
                Err(error) => return broken(reason(&error)),
            },
            () = &mut deadline => return broken(AttemptError::Timeout),
        };
        let (parts, mut rest) = response.into_parts();
        let (mut kept, mut read) = (Vec::new(), 0);
        loop {
            let frame = tokio::select! {
                biased;
                frame = rest.frame() => frame,
                () = &mut deadline => break,
            };
            let Some(Ok(frame)) = frame else { break };
            let Some(data) = frame.data_ref() else { continue };
            kept.extend_from_slice(&data[..data.len().min(KEEP_LIMIT - kept.len())]);
            read += data.len();
            if read > READ_LIMIT {
                break;
            }
        }
        let outcome = Outcome::Answered {
            status: parts.status.as_u16(),
            retry_after_ms: retry_after(parts.status, &parts.headers, now),
        };
        Reply {
            outcome,
            body: String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}"),
        }
    }
}

/// What came back from a fetch.
#[derive(Clone, Debug)]
pub struct Got {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Client {
    /// Fetches what is at `url`, at most `limit` bytes, within the time limit of an attempt. Redirects are not followed.
    ///
    /// # Errors
    /// Why there is no whole answer; `TOO_LARGE` for a body above the limit.
    pub async fn get(&self, url: Uri, headers: HeaderMap, limit: usize) -> Result<Got, AttemptError> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        let fetch = async {
            let response = self.pool.request(request).await.map_err(|error| reason(&error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, limit).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    AttemptError::TooLarge
                } else {
                    AttemptError::Reset
                }
            })?;
            Ok(Got {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.to_bytes(),
            })
        };
        tokio::time::timeout(self.time_limit, fetch)
            .await
            .unwrap_or(Err(AttemptError::Timeout))
    }
}

/// What `Retry-After` asks for, in milliseconds from now: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(status: StatusCode, headers: &HeaderMap, now: Millis) -> Option<i64> {
    if status.is_success() {
        return None;
    }
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * Millis::SECOND);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Millis(i64::try_from(date.as_millis()).ok()?).since(now).max(0))
}

/// What went wrong, from what the libraries say.
fn reason(error: &PoolError) -> AttemptError {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(refused) = cause.downcast_ref::<DialError>() {
            return match refused {
                DialError::Dns(_) | DialError::NoAddress => AttemptError::Dns,
                DialError::Forbidden => AttemptError::ForbiddenAddress,
                DialError::Connect(_) | DialError::TimedOut => AttemptError::Connect,
            };
        }
        if cause.downcast_ref::<rustls::Error>().is_some() {
            return AttemptError::Tls;
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && (error.is_parse() || error.is_parse_status())
        {
            // The library tells the two apart in words only.
            let is_large = error.to_string().contains("too large");
            return if is_large {
                AttemptError::TooLarge
            } else {
                AttemptError::Protocol
            };
        }
        // An I/O error hides the TLS library's own one inside of itself.
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    if error.is_connect() {
        // Dialling tells its own errors, so what is left is the handshake.
        AttemptError::Tls
    } else {
        AttemptError::Reset
    }
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error("the name cannot be resolved: {0}")]
    Dns(#[source] io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("the address is not public")]
    Forbidden,
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    #[error("no connection in time")]
    TimedOut,
}

/// Dials the addresses of a host, but none that may not be called: what is checked is what is dialled, so a name that
/// changes its address after it was checked gains nothing.
#[derive(Clone)]
struct Dialler {
    allowed: Arc<AllowList>,
    resolver: Arc<dyn Resolve>,
}

impl Service<Uri> for Dialler {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { dial(&this, &uri).await.map(TokioIo::new) })
    }
}

async fn dial(Dialler { allowed, resolver }: &Dialler, uri: &Uri) -> Result<TcpStream, DialError> {
    let host = uri.host().unwrap_or_default();
    let port = uri
        .port_u16()
        .unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = match bare.parse() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => resolver.resolve(bare, port).await.map_err(DialError::Dns)?,
    };
    if found.is_empty() {
        return Err(DialError::NoAddress);
    }
    // The operator may have withdrawn plain http since the endpoint was saved.
    if uri.scheme_str() == Some("http") && !allowed.http {
        return Err(DialError::Forbidden);
    }
    let mut last = DialError::Forbidden;
    for address in found
        .into_iter()
        .filter(|address| allowed.permits(bare, *address))
        .take(ADDRESSES)
    {
        match tokio::time::timeout(DIAL_LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are written at once; waiting for more to send only delays them.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) => last = DialError::Connect(error),
            Err(_) => last = DialError::TimedOut,
        }
    }
    Err(last)
}
