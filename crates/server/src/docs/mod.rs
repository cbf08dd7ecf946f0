//! Pages for people: the API reference, the guides, the events, the error codes, and a search over all of them. All of
//! it is in the program; nothing comes from a CDN.

mod errors;
mod events;
mod pages;
mod render;
mod search;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use utoipa_swagger_ui::Config;

use self::pages::GUIDES;
use self::render::{guide, page};
use crate::{AppState, openapi};

/// Everything under `/docs`, and the description of the API.
pub fn routes() -> Router<AppState> {
    let mut routes = Router::new()
        .route("/", get(async || Redirect::temporary("/docs/")))
        .route("/openapi.json", get(openapi_json))
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(async || Html(VIEWER)))
        .route("/docs/errors", get(error_codes))
        .route("/docs/events", get(every_event))
        .route("/docs/search", get(search))
        .route("/docs/webhooks/test-vector.json", get(test_vector))
        .route("/docs/{*file}", get(viewer_file));
    for (place, one) in GUIDES.iter().enumerate() {
        routes = routes.route(
            &format!("/docs/{}", one.path),
            get(async move || Html(rendered(place))),
        );
    }
    routes
}

/// A guide's page, rendered when it is first asked for.
fn rendered(place: usize) -> &'static str {
    static PAGES: LazyLock<Vec<String>> =
        LazyLock::new(|| GUIDES.iter().map(|one| guide(one.title, one.text)).collect());
    PAGES.get(place).map_or("", String::as_str)
}

async fn openapi_json() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| openapi::document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The viewer keeps the key that was typed in between visits.
async fn viewer_file(Path(file): Path<String>) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::new(["/openapi.json"])
            .use_base_layout()
            .deep_linking(true);
        Arc::new(config.try_it_out_enabled(true).persist_authorization(true))
    });
    match utoipa_swagger_ui::serve(&file, CONFIG.clone()) {
        Ok(Some(file)) => (
            [(header::CONTENT_TYPE, file.content_type)],
            file.bytes.into_owned(),
        )
            .into_response(),
        _ => (
            StatusCode::NOT_FOUND,
            Html(page("Not found", "<h1>There is no such page</h1>")),
        )
            .into_response(),
    }
}

/// The API reference, rendered from the OpenAPI document: our page around the viewer's scripts.
const VIEWER: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>API reference · Trunkline</title>\
    <link rel=\"icon\" href=\"favicon-32x32.png\"><link rel=\"stylesheet\" href=\"swagger-ui.css\"></head><body>\
    <p style=\"font:16px system-ui,sans-serif;margin:1rem 1.25rem\"><a href=\"/docs/guide\">Guides</a> · \
    <a href=\"/docs/events\">Events</a> · <a href=\"/docs/errors\">Error codes</a></p>\
    <div id=\"swagger-ui\"></div><script src=\"swagger-ui-bundle.js\"></script>\
    <script src=\"swagger-ui-standalone-preset.js\"></script><script src=\"swagger-initializer.js\"></script></body></html>";

/// Every error code: meaning, cause, what to do.
async fn error_codes() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(|| page("Error codes", &errors::body()));
    Html(PAGE.as_str())
}

/// Every event: when it is sent, and what it looks like.
async fn every_event() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(|| page("Events", &events::body()));
    Html(PAGE.as_str())
}

/// What was typed into the field of the search.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
}

/// The search over all pages.
async fn search(asked: Result<Query<Asked>, QueryRejection>) -> Html<String> {
    let asked = asked.map(|Query(asked)| asked.q).unwrap_or_default();
    let query: String = asked.trim().chars().take(200).collect();
    Html(search::answer(&query))
}

/// What a receiver's own verification can be tried with.
async fn test_vector() -> Response {
    let text = include_str!("../../../../docs/webhooks/test-vector.json");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
