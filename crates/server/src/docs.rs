//! Pages for people: the API reference, the events, the error codes, guides. All of it is in the program; nothing comes from a CDN.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use trunkline_domain::webhook::{samples, topic};
use trunkline_domain::{ErrorCode, ErrorType};
use utoipa_swagger_ui::Config;

use crate::{AppState, openapi};

/// `/` leads to the reference.
pub async fn home() -> Redirect {
    Redirect::temporary("/docs/")
}

/// The OpenAPI document.
pub async fn openapi_json() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| openapi::document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The API reference, rendered from the OpenAPI document: our page around the viewer's scripts.
pub fn reference() -> Router<AppState> {
    Router::new()
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(async || Html(VIEWER)))
        .route("/docs/{*file}", get(viewer_file))
}

/// The viewer keeps the key that was typed in between visits.
async fn viewer_file(Path(file): Path<String>) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::new(["/openapi.json"]).use_base_layout();
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

const VIEWER: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>API reference · Trunkline</title>\
    <link rel=\"icon\" href=\"favicon-32x32.png\"><link rel=\"stylesheet\" href=\"swagger-ui.css\"></head><body>\
    <div id=\"swagger-ui\"></div><script src=\"swagger-ui-bundle.js\"></script>\
    <script src=\"swagger-ui-standalone-preset.js\"></script><script src=\"swagger-initializer.js\"></script></body></html>";

/// Every error code: meaning, cause, what to do.
pub async fn errors() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(error_page);
    Html(PAGE.as_str())
}

/// The guide: how to authenticate, page, search, retry.
pub async fn guide() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("Guide", &markdown(include_str!("../../../docs/api-guide.md"))));
    Html(PAGE.as_str())
}

/// What the reports count, and how to ask for them.
pub async fn analytics() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let text = include_str!("../../../docs/analytics.md");
        page("Analytics", &markdown(text))
    });
    Html(PAGE.as_str())
}

/// How to receive webhooks.
pub async fn webhooks() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("Webhooks", &markdown(include_str!("../../../docs/webhooks.md"))));
    Html(PAGE.as_str())
}

/// How to write notes, discuss things and have calls summed up.
pub async fn notes() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("Notes", &markdown(include_str!("../../../docs/notes.md"))));
    Html(PAGE.as_str())
}

/// How to keep people, companies and deals.
pub async fn people() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("People", &markdown(include_str!("../../../docs/people.md"))));
    Html(PAGE.as_str())
}

/// How to fill queues of the power dialer.
pub async fn dialer() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("Power dialer", &markdown(include_str!("../../../docs/dialer.md"))));
    Html(PAGE.as_str())
}

/// How to send texts.
pub async fn texts() -> Html<&'static str> {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page("Texts", &markdown(include_str!("../../../docs/texts.md"))));
    Html(PAGE.as_str())
}

/// What a receiver's own verification can be tried with.
pub async fn test_vector() -> Response {
    let text = include_str!("../../../docs/webhooks/test-vector.json");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Every event: when it is sent, and what it looks like.
pub async fn events() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(event_page);
    Html(PAGE.as_str())
}

const STYLE: &str = "body{font:16px/1.55 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1.2rem;color:#1d2433}\
    h1{font-size:1.7rem}h2{margin-top:2.6rem;border-bottom:1px solid #d9dee8}h3{margin-bottom:.2rem}\
    code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f5f9;border-radius:4px}code{padding:.1em .3em}\
    pre{padding:.8rem;overflow:auto}pre code{padding:0}dt{font-weight:600}dd{margin:0 0 .4rem}a{color:#1c5fd1}\
    table{border-collapse:collapse}td,th{border:1px solid #d9dee8;padding:.3rem .6rem;text-align:left}\
    .status{color:#5a6478;font-weight:400}:target{background:#fff6d6}\
    @media(prefers-color-scheme:dark){body{background:#12151c;color:#dfe4ee}code,pre{background:#1e2430}a{color:#7fb0ff}\
    h2,td,th{border-color:#333c4d}:target{background:#3a3417}}";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Trunkline</title><style>{STYLE}</style></head><body>\
         <p><a href=\"/docs/\">API reference</a> · <a href=\"/docs/guide\">Guide</a> · <a href=\"/docs/analytics\">Analytics</a> · <a href=\"/docs/texts\">Texts</a> · <a href=\"/docs/people\">People</a> · <a href=\"/docs/dialer\">Power dialer</a> · <a href=\"/docs/notes\">Notes</a> · <a href=\"/docs/webhooks\">Webhooks</a> · <a href=\"/docs/events\">Events</a> · <a href=\"/docs/errors\">Error codes</a></p>\
         {body}</body></html>"
    )
}

fn event_page() -> String {
    let mut body = markdown(EVENTS_INTRODUCTION);
    for info in topic::CATALOGUE {
        let name = info.topic.as_str();
        let once = if info.deduplicated {
            "told once, however often it is reported"
        } else {
            "told each time"
        };
        let sample = samples::body(info.topic).and_then(|sample| serde_json::to_string_pretty(&sample).ok());
        // Writing to a String cannot fail.
        let _ = write!(
            body,
            "<h2 id=\"{name}\"><code>{name}</code></h2><p><b>{}</b> <span class=\"status\">({once})</span></p><p>{}</p>\
             <pre><code>{}</code></pre>",
            inline(info.description),
            inline(info.when),
            inline(&sample.unwrap_or_default()),
        );
    }
    body.push_str(&markdown(LIVE_EVENTS));
    page("Events", &body)
}

const EVENTS_INTRODUCTION: &str = "# Events

What a webhook or the live feed can tell of, each with an example that the program itself makes. The body is always
`topic`, `version`, `timestamp` (when it happened, in UTC with milliseconds) and `data`. How to receive, verify and replay
them is told under [Webhooks](/docs/webhooks).

A field without a value is `null`. Two are left out instead: `person`, where no contact has the number, and `answered_at`
before somebody answered. The properties that a team has defined for its contacts stand beside the others in `person`,
those with a value. Every event about a call has the call's `id`, from the first ring on. Delivery is at least once: the
header `webhook-id` tells whether you had a message before.
";

const LIVE_EVENTS: &str = "## Of the live feed only

`GET /v2/api/events` has two more, which nobody is sent webhooks of: `conversation.updated` (a conversation was read,
archived and the like: `contact_number`, `allo_number` if it was about one number, `action`, `user_id`) and
`webhook.disabled` (an endpoint was switched off because everything sent to it failed: `id`, `url`, `description`,
`failing_since`, `last_error`).
";

fn error_page() -> String {
    let mut body = String::from(
        "<h1>Error codes</h1><p>Every failed request answers with <code>error.code</code>; branch on it. \
         <code>error.retryable</code> tells whether the same request may succeed later.</p>",
    );
    for kind in ErrorType::all() {
        let codes: Vec<&ErrorCode> = ErrorCode::all()
            .iter()
            .filter(|code| code.kind() == *kind)
            .collect();
        if codes.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(body, "<h2><code>{}</code></h2>", kind.as_str());
        for code in codes {
            let retry = if code.retryable() { ", may be retried" } else { "" };
            let _ = write!(
                body,
                "<h3 id=\"{code}\"><code>{code}</code> <span class=\"status\">{}{retry}</span></h3>\
                 <p>{}</p><dl><dt>Why</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd></dl>",
                code.http_status(),
                inline(code.meaning()),
                inline(code.cause()),
                inline(code.remedy())
            );
        }
    }
    page("Error codes", &body)
}

/// Escapes HTML, and turns `code` into code.
fn inline(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut out = String::with_capacity(escaped.len());
    for (i, part) in escaped.split('`').enumerate() {
        if i % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(part);
        }
    }
    out
}

fn markdown(text: &str) -> String {
    let mut options = pulldown_cmark::Options::empty();
    options.insert(pulldown_cmark::Options::ENABLE_TABLES);
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new_ext(text, options));
    html
}
