//! What texts are handed to: answers as Twilio does, and counts texts and different texts (by our own id, which the
//! address for receipts has).

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};

#[derive(Default)]
struct Handed {
    all: u64,
    different: HashSet<String>,
}

type Shared = Arc<Mutex<Handed>>;

/// Serves until it is killed.
///
/// # Errors
/// When the address is taken.
pub fn serve(address: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let router = Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(message))
        .route("/count", get(count))
        .with_state(Shared::default());
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok(axum::serve(listener, router).await?)
    })
}

async fn message(State(shared): State<Shared>, body: Bytes) -> (StatusCode, String) {
    let form = String::from_utf8_lossy(&body);
    // `text=` of the address, percent-encoded within the form.
    let own = form.split("text%3D").nth(1).unwrap_or_default();
    let own = own.split('&').next().unwrap_or_default().to_owned();
    let mut handed = shared.lock().unwrap_or_else(PoisonError::into_inner);
    handed.all += 1;
    handed.different.insert(own);
    let answer = format!("{{\"sid\":\"SM{:032x}\",\"status\":\"queued\"}}", handed.all);
    (StatusCode::CREATED, answer)
}

async fn count(State(shared): State<Shared>) -> String {
    let handed = shared.lock().unwrap_or_else(PoisonError::into_inner);
    format!("{} {}", handed.all, handed.different.len())
}
