//! The envelope around every route of the API: request id, identity, rate limit, time-out, headers, errors.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use trunkline_domain::ErrorCode;
use trunkline_domain::error_code::Surface;
use trunkline_store::keys::KeyOwner;
use trunkline_switchboard::accounts::{READ_PER_SECOND, WRITE_PER_SECOND};

use super::error::ApiError;
use super::limits::{Class, Counted, Decision};
use super::rest::Rest;
use crate::AppState;
use crate::media::MediaLinks;

/// What is known of a request besides its parts.
pub struct Context {
    /// `X-Request-Id`.
    pub request_id: String,
    /// Whose key it carries, or why it carries none.
    pub identity: Result<Arc<KeyOwner>, ApiError>,
    /// Which form errors take.
    pub surface: Surface,
    /// Method and path.
    pub request: String,
    /// `Idempotency-Key`, if there is one.
    pub idempotency_key: Option<String>,
    /// Hash of the body, once it was read.
    pub fingerprint: OnceLock<String>,
    /// The query, as it was sent.
    pub query: String,
    /// Parameters that were sent and mean nothing here.
    pub ignored: Mutex<Vec<String>>,
    /// Signs links to media.
    pub links: MediaLinks,
}

/// What the paths of the CRM begin with.
pub const CRM: &str = "/v2/api/crm/";

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const X_IGNORED: HeaderName = HeaderName::from_static("x-ignored-parameters");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest list of ignored parameters that is told.
const MAX_IGNORED_BYTES: usize = 1_000;

/// Headers that every answer gets here.
const USUAL_HEADERS: usize = 5;

/// The context that the envelope put into the request.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` for a route outside of the envelope: a fault of the program.
pub fn context(parts: &Parts) -> Result<Arc<Context>, ApiError> {
    parts
        .extensions
        .get::<Arc<Context>>()
        .cloned()
        .ok_or_else(|| ErrorCode::InternalServerError.into())
}

/// Wraps a request of the API.
pub async fn envelope(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = state.board.now();
    let request_id = request_id(request.headers(), &state);
    let path = request.uri().path();
    let surface = match path {
        path if path.starts_with("/v1/") => Surface::V1,
        path if path.starts_with(CRM) => Surface::Crm,
        _ => Surface::V2,
    };
    let identity = state
        .keys
        .identify(state.board.db(), request.headers(), started)
        .await;
    let decision = decide(&state, &request, identity.as_ref().ok().map(Arc::as_ref));
    let key = idempotency_key(request.method(), request.headers());
    let context = Arc::new(Context {
        request: format!("{} {path}", request.method()),
        identity,
        surface,
        idempotency_key: key.as_ref().ok().cloned().flatten(),
        fingerprint: OnceLock::new(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        ignored: Mutex::new(Vec::new()),
        links: state.media_links(),
        request_id,
    });
    request.extensions_mut().insert(context.clone());
    let refused = too_many(decision, &context).or_else(|| key.err().filter(|_| context.identity.is_ok()));
    let response = run(&state, refused, request, next).await;
    finish(&state, &context, decision, response, started)
}

/// Lets the route answer within the time a request may take, unless the request is refused already, and reads the
/// body to its end.
async fn run(state: &AppState, refused: Option<ApiError>, request: Request, next: Next) -> Response {
    let mut time = pin!(tokio::time::sleep(state.settings.request_timeout));
    let (request, rest) = Rest::of(request);
    let response = match refused {
        Some(error) => error.into_response(),
        None => tokio::select! {
            biased;
            response = next.run(request) => response,
            () = &mut time => ApiError::new(ErrorCode::RequestTimeout).into_response(),
        },
    };
    if let Some(rest) = rest {
        // A client that does not come to an end within the time has had its chance.
        tokio::select! {
            biased;
            () = rest.discard() => {}
            () = &mut time => {}
        }
    }
    response
}

/// The refusal of a request beyond the limit. Version 1 has a code of its own for keys that ask too often; where there is no
/// valid key, none is to blame.
fn too_many(decision: Decision, context: &Context) -> Option<ApiError> {
    if decision.allowed {
        return None;
    }
    let limit = decision.limit;
    let error = if context.surface == Surface::V1 && context.identity.is_ok() {
        ApiError::new(ErrorCode::ApiKeyQuotaExceeded)
            .message(format!("limit={limit};type=SECOND;reset_in=1"))
            .param("SECOND")
    } else {
        ApiError::new(ErrorCode::RateLimitExceeded)
            .message(format!("more than {limit} such requests in this second"))
    };
    Some(ApiError {
        retry_after: Some(1),
        ..error
    })
}

fn decide(state: &AppState, request: &Request, owner: Option<&KeyOwner>) -> Decision {
    let class = Class::of(request.method());
    let (who, limit) = match (owner, class) {
        (Some(owner), Class::Read) => (Counted::Key(owner.key_id), owner.read_per_second),
        (Some(owner), Class::Write) => (Counted::Key(owner.key_id), owner.write_per_second),
        (None, _) => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
            (
                Counted::at(state.settings.proxies.visitor(peer, request.headers())),
                if class == Class::Read {
                    READ_PER_SECOND
                } else {
                    WRITE_PER_SECOND
                },
            )
        }
    };
    state.limits.decide(who, class, limit, state.board.now())
}

/// The client's own id if it is a sane one, else a new one.
fn request_id(headers: &HeaderMap, state: &AppState) -> String {
    let own = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane =
        own.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    sane.map_or_else(|| format!("req_{}", state.board.ids().token(12)), str::to_owned)
}

/// The key of a write; reads have no use for one.
fn idempotency_key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let value = headers
        .get(&IDEMPOTENCY_KEY)
        .filter(|_| Class::of(method) == Class::Write);
    let Some(value) = value else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(ApiError::new(ErrorCode::InvalidHeader)
            .param("Idempotency-Key")
            .message("an idempotency key has 1 to 255 visible ASCII characters"));
    }
    Ok(Some(key.to_owned()))
}

/// Renders errors and sets the headers every answer has.
fn finish(
    state: &AppState,
    context: &Context,
    decision: Decision,
    mut response: Response,
    started: trunkline_domain::Millis,
) -> Response {
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let extra = std::mem::take(response.headers_mut());
        response = error.render(context.surface, &context.request_id, &state.settings.public_url);
        for (name, value) in extra {
            if let Some(name) = name.filter(|name| name.as_str().starts_with("access-control-")) {
                response.headers_mut().insert(name, value);
            }
        }
        metrics::counter!("trunkline_http_errors_total", "code" => error.code.as_str()).increment(1);
    }
    let headers = response.headers_mut();
    headers.reserve(USUAL_HEADERS);
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_LIMIT, HeaderValue::from(decision.limit));
    headers.insert(X_REMAINING, HeaderValue::from(decision.remaining));
    headers.insert(X_RESET, HeaderValue::from(decision.reset));
    let ignored = context.ignored.lock();
    if !ignored.is_empty()
        && let Ok(value) = HeaderValue::from_str(&told(&ignored))
    {
        headers.insert(X_IGNORED, value);
    }
    drop(ignored);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let status = response.status();
    let elapsed = state.board.now().since(started);
    state.meters.answered(status, elapsed);
    tracing::info!(
        http.request = %context.request,
        http.status = status.as_u16(),
        request.id = %context.request_id,
        api_key.id = context.identity.as_ref().ok().map(|owner| tracing::field::display(owner.key_id)),
        duration_ms = elapsed,
        "request"
    );
    response
}

/// Wraps a route that is not for API keys (webhooks of carriers, pages, health): request id, time-out, errors in the
/// common form.
pub async fn plain_envelope(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let request_id = request_id(request.headers(), &state);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let reads = Class::of(&method) == Class::Read;
    let mut response = run(&state, None, request, next).await;
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = error.or_else(|| bare(response.status(), &method, &uri)) {
        response = error.render(Surface::V2, &request_id, &state.settings.public_url);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    // Who looks at a page or asks for the health does so often, and changes nothing.
    if !reads {
        tracing::info!(
            http.request = %format_args!("{method} {}", uri.path()),
            http.status = response.status().as_u16(),
            request.id = %request_id,
            "request"
        );
    }
    response
}

/// What the router answers without a word: a path below a page that is not there, another method. (It adds `Allow`
/// later.)
fn bare(status: StatusCode, method: &Method, uri: &Uri) -> Option<ApiError> {
    match status {
        StatusCode::NOT_FOUND => Some(nothing_at(method, uri)),
        StatusCode::METHOD_NOT_ALLOWED => Some(
            ApiError::new(ErrorCode::MethodNotAllowed)
                .suggestion("Use one of the methods that the header Allow names."),
        ),
        _ => None,
    }
}

/// The names of ignored parameters, as far as a header can carry them.
pub(super) fn told(ignored: &[String]) -> String {
    let mut all = String::new();
    for name in ignored {
        let name: String = name
            .chars()
            .take(100)
            .map(|c| if c.is_ascii_graphic() && c != ',' { c } else { '?' })
            .collect();
        if all.len() + name.len() > MAX_IGNORED_BYTES {
            all.push_str(", ...");
            break;
        }
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&name);
    }
    all
}

/// The answer for a path that nothing is at.
pub async fn no_such_path(method: Method, uri: Uri) -> ApiError {
    nothing_at(&method, &uri)
}

fn nothing_at(method: &Method, uri: &Uri) -> ApiError {
    ApiError::new(ErrorCode::EndpointNotFound)
        .message(format!("there is nothing at {method} {}", uri.path()))
        .suggestion(
            "GET /v2/api/me lists the endpoints that your key can call; GET /docs describes all of them.",
        )
}
