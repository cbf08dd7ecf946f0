//! What surrounds routes: the envelope of the API; panics, compression, CORS around everything.

use std::any::Any;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use trunkline_domain::ErrorCode;
use trunkline_domain::error_code::Surface;

use crate::http::context::envelope;
use crate::http::error::ApiError;
use crate::{AppState, Settings};

/// Answers smaller than this are not compressed.
const COMPRESS_ABOVE: u64 = 1_024;

/// Puts the envelope of the API around routes: identity, limits, request id, time-out, errors. A route that panics
/// answers like one that failed.
pub fn enveloped(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let catch = CatchPanicLayer::custom(|panic| {
        tell(panic);
        ApiError::new(ErrorCode::InternalServerError).into_response()
    });
    let envelope = from_fn_with_state(state.clone(), envelope);
    routes.layer(ServiceBuilder::new().layer(envelope).layer(catch))
}

/// Puts the layers around the router.
pub(crate) fn around(router: Router<AppState>, settings: &Settings) -> Router<AppState> {
    let public_url = settings.public_url.clone();
    let compress = SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::SSE);
    let catch = CatchPanicLayer::custom(move |panic| {
        tell(panic);
        ApiError::new(ErrorCode::InternalServerError)
            .render(Surface::V2, "", &public_url)
            .into_response()
    });
    let compress = CompressionLayer::new().gzip(true).compress_when(compress);
    // Together: each `layer` of a router puts its services into boxes, and every request clones each box.
    let layers = ServiceBuilder::new().layer(compress).layer(catch);
    match cors(&settings.cors_origins) {
        Some(cors) => router.layer(layers).layer(cors),
        None => router.layer(layers),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn tell(panic: Box<dyn Any + Send>) {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("without a text"), "a request panicked");
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        )
    };
    let exposed = [
        "x-request-id",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ignored-parameters",
        "idempotency-replayed",
        "retry-after",
    ];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                HeaderName::from_static("idempotency-key"),
                HeaderName::from_static("last-event-id"),
                HeaderName::from_static("x-request-id"),
            ])
            .expose_headers(exposed.map(HeaderName::from_static)),
    )
}
