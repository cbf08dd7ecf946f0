//! Whether the server is up, and whether it can work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trunkline_store::{StoreError, teams};

use crate::AppState;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Readiness {
    database: &'static str,
    search: &'static str,
}

/// The process can work: the database answers. A text index that is being rebuilt is told, and does not count.
pub async fn readyz(State(state): State<AppState>) -> Response {
    let read = state
        .board
        .db()
        .read(|conn| -> Result<_, StoreError> { teams::last_events(conn) });
    let database = match read.await {
        Ok(_) => "ok",
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the database does not answer"
            );
            "not available"
        }
    };
    let search = match &state.search {
        Some(index) if index.is_ready() => "ok",
        Some(_) => "being rebuilt",
        None => "off",
    };
    let status = if database == "ok" {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { database, search })).into_response()
}
