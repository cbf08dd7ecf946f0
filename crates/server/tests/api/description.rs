//! The OpenAPI document, and the pages for people.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;
use trunkline_domain::webhook::{samples, topic};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::TestDb;
use trunkline_webhooks::signature::{Secret, sign};

use crate::document::{body_schema, described, document, parameters, resolve};
use crate::operations::operations;
use crate::support::searchable;

trunkline_testkit::on_both! {
    the_server_hands_out_the_document,
    pages_for_people_answer,
    every_event_is_shown_with_a_sample,
    the_test_vector_is_handed_out,
    health_is_told,
    long_answers_are_compressed_for_who_asks,
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/trunkline.json");

/// Regenerate the file with `UPDATE_OPENAPI=1 cargo nextest run -p trunkline-server the_file_is_up_to_date`: its diff is
/// the change of the API.
#[test]
fn the_file_is_up_to_date() {
    let current = format!("{:#}\n", document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(FILE, &current).unwrap();
    }
    let file = std::fs::read_to_string(Path::new(FILE)).unwrap_or_default();
    assert!(
        file == current,
        "openapi/trunkline.json is not what the program describes: run this test with UPDATE_OPENAPI=1"
    );
}

#[test]
fn making_the_document_twice_gives_the_same() {
    assert_eq!(document().to_string(), document().to_string());
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(entries) => entries.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut all = BTreeSet::new();
    references(&document, &mut all);
    assert!(all.len() > 20);
    for reference in all {
        let pointer = reference
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(
            document.pointer(pointer).is_some_and(Value::is_object),
            "{reference}"
        );
    }
}

#[test]
fn every_operation_is_described_whole() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let (name, described) = (operation.name(), described(&document, &operation));
        assert!(
            ids.insert(described["operationId"].as_str().unwrap().to_owned()),
            "{name}: not the only one with its id"
        );
        let summary = described["summary"].as_str().unwrap_or_default();
        assert!(
            !summary.is_empty() && summary.len() < 80 && !summary.ends_with('.'),
            "{name}: {summary:?}"
        );
        let description = described["description"].as_str().unwrap_or_default();
        for scope in operation.scopes {
            assert!(description.contains(scope.as_str()), "{name}: {description:?}");
        }
        let scopes: Vec<&str> = operation.scopes.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(described["x-scopes"], serde_json::json!(scopes), "{name}");
        let class = if operation.method == Method::GET {
            "read"
        } else {
            "write"
        };
        assert_eq!(described["x-rate-class"], class, "{name}");
        assert_eq!(
            described["security"],
            serde_json::json!([{ "ApiKey": [] }]),
            "{name}"
        );
        let tag = &described["tags"][0];
        assert!(
            document["tags"]
                .as_array()
                .unwrap()
                .iter()
                .any(|known| known["name"] == *tag),
            "{name}: {tag}"
        );
        let successes: Vec<&String> = described["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|status| status.starts_with('2'))
            .collect();
        assert_eq!(successes.len(), 1, "{name}");
        let success = &described["responses"][successes[0]];
        let content = &success["content"];
        let says = match (successes[0].as_str(), operation.id.as_str()) {
            ("204", _) => content.is_null(),
            (_, "followEvents") => content["text/event-stream"]["schema"].is_object(),
            (_, "exportItems") => ["application/x-ndjson", "text/csv"]
                .iter()
                .all(|form| content[form]["schema"].is_object()),
            _ => content["application/json"]["schema"].is_object(),
        };
        assert!(says, "{name} says what it answers");
        assert!(success["headers"]["X-Request-Id"].is_object(), "{name}");
        for failure in ["400", "401", "403", "429", "500", "503"] {
            let answer = resolve(&document, &described["responses"][failure]);
            let schema = &answer["content"]["application/json"]["schema"]["$ref"];
            let form = if operation.path.starts_with("/v1/") {
                "#/components/schemas/ApiErrorV1"
            } else {
                "#/components/schemas/ApiError"
            };
            assert_eq!(schema, form, "{name} {failure}");
        }
    }
    let listed: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    let open = trunkline_server::open_table().len();
    assert_eq!(
        listed,
        operations().len() + open,
        "what is described is what there is"
    );
}

#[test]
fn parameters_in_a_path_and_bodies_have_examples() {
    let document = document();
    for operation in operations() {
        let placeholders: BTreeSet<&str> = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let told = parameters(&document, &operation, "path");
        assert_eq!(
            told.iter()
                .map(|field| field.name.as_str())
                .collect::<BTreeSet<_>>(),
            placeholders,
            "{}",
            operation.name()
        );
        let described = described(&document, &operation);
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{} {parameter}",
                operation.name()
            );
            assert!(
                parameter["in"] != "path" || parameter["example"].is_string(),
                "{} {parameter}",
                operation.name()
            );
        }
        if operation.body.anything() {
            let fields = &body_schema(&document, &operation)["properties"];
            let fields = fields.as_object().unwrap();
            assert!(
                fields.values().any(|field| !field["example"].is_null()),
                "{}: {fields:?}",
                operation.name()
            );
        }
    }
}

#[test]
fn writes_take_an_idempotency_key() {
    let document = document();
    for operation in operations() {
        let changes = operation.method != Method::GET
            && !trunkline_server::openapi::READ_BY_POST.contains(&operation.id.as_str());
        let takes = parameters(&document, &operation, "header")
            .iter()
            .any(|field| field.name == "Idempotency-Key");
        assert_eq!(takes, changes, "{}", operation.name());
    }
}

async fn the_server_hands_out_the_document(db: TestDb) {
    let app = searchable(db).await;
    let reply = app.send_with(Method::GET, "/openapi.json", &[], None).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(reply.json, document());
    assert_eq!(reply.json["openapi"], "3.1.0");
}

async fn open(app: &TestApp, path: &str) -> (String, String) {
    let reply = app.send_with(Method::GET, path, &[], None).await;
    assert_eq!(reply.status, 200, "{path}");
    let content_type = reply.header("content-type").split(';').next().unwrap().to_owned();
    (content_type, reply.text)
}

async fn pages_for_people_answer(db: TestDb) {
    let app = searchable(db).await;
    for (path, holds) in [
        ("/docs/", "API reference · Trunkline"),
        ("/docs/errors", "API_KEY_INVALID"),
        ("/docs/guide", "Guide"),
        ("/docs/notes", "@[all](all)"),
        ("/docs/access", "TEAM_MANAGE"),
        ("/docs/people", "allow_duplicate_number"),
        ("/docs/analytics", "funnel"),
        ("/docs/webhooks", "rotate_secret"),
        ("/docs/operations", "href=\"/docs/people#erasing-a-person\""),
        ("/docs/configuration", "TRUNKLINE_SERVER_LISTEN"),
        ("/docs/texts", "STOP"),
        ("/docs/events", "call.completed"),
        ("/docs/coming-from-allo", "What differs"),
        ("/docs/search?q=rotate", "/docs/webhooks#change-the-secret"),
        ("/docs/search?q=%FF", "Nothing has"),
    ] {
        let (content_type, page) = open(&app, path).await;
        assert_eq!(content_type, "text/html", "{path}");
        assert!(page.contains(holds), "{path}");
        // Nothing comes from elsewhere: the pages work without a way to the internet.
        for elsewhere in ["src=\"http", "src=\"//", "href=\"//", "@import"] {
            assert!(!page.contains(elsewhere), "{path} has {elsewhere}");
        }
    }
    let home = app.send_with(Method::GET, "/", &[], None).await;
    assert_eq!((home.status, home.header("location")), (307, "/docs/"));
    let (_, script) = open(&app, "/docs/swagger-initializer.js").await;
    assert!(script.contains("/openapi.json"), "{script}");
    for part in ["swagger-ui.css", "swagger-ui-bundle.js"] {
        assert!(open(&app, &format!("/docs/{part}")).await.1.len() > 10_000);
    }
}

async fn every_event_is_shown_with_a_sample(db: TestDb) {
    let app = searchable(db).await;
    let (_, page) = open(&app, "/docs/events").await;
    for info in topic::CATALOGUE {
        let name = info.topic.as_str();
        assert_eq!(page.matches(&format!("<h2 id=\"{name}\">")).count(), 1, "{name}");
        let sample = serde_json::to_string_pretty(&samples::body(info.topic).unwrap()).unwrap();
        let sample = sample
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        assert!(page.contains(&sample), "{name}");
    }
}

async fn the_test_vector_is_handed_out(db: TestDb) {
    let app = searchable(db).await;
    let vector = app
        .send_with(Method::GET, "/docs/webhooks/test-vector.json", &[], None)
        .await;
    let text = |name: &str| vector.json[name].as_str().unwrap().to_owned();
    let secret = Secret::parse(&text("secret")).unwrap();
    let at = vector.json["timestamp"].as_i64().unwrap();
    let signature = sign([&secret], &text("id"), at, text("body").as_bytes());
    assert_eq!(signature, text("signature"));
    let (_, guide) = open(&app, "/docs/webhooks").await;
    assert!(
        guide.contains(&text("id")) && guide.contains(&signature),
        "the guide shows the same one"
    );
}

async fn health_is_told(db: TestDb) {
    let app = searchable(db).await;
    assert_eq!(open(&app, "/healthz").await.1, "ok\n");
    let (content_type, ready) = open(&app, "/readyz").await;
    assert_eq!(
        (content_type.as_str(), ready.as_str()),
        ("application/json", r#"{"database":"ok","search":"ok"}"#)
    );
}

async fn long_answers_are_compressed_for_who_asks(db: TestDb) {
    let app = searchable(db).await;
    let own = crate::support::authorization(&app.key);
    let encoding = async |path: &str, accepted: &str| {
        let headers = [("Authorization", own.as_str()), ("Accept-Encoding", accepted)];
        let reply = app.send_with(Method::GET, path, &headers, None).await;
        assert_eq!(reply.status, 200);
        (
            reply.header("content-encoding").to_owned(),
            reply.header("vary").to_lowercase(),
            reply.text,
        )
    };
    for path in ["/openapi.json", "/docs/errors", "/v2/api/me"] {
        let (coding, vary, text) = encoding(path, "gzip, deflate, br").await;
        assert_eq!(coding, "gzip", "{path}");
        assert!(
            vary.contains("accept-encoding"),
            "{path}: a cache must tell them apart: {vary:?}"
        );
        assert_eq!(
            text.as_bytes().first(),
            Some(&0x1f),
            "{path}: a gzip file begins so"
        );
        let (coding, _, plain) = encoding(path, "identity").await;
        assert_eq!(coding, "", "{path}");
        assert!(plain.len() > text.len(), "{path}");
    }
    assert_eq!(
        encoding("/v2/api/tags", "gzip").await.0,
        "",
        "a few bytes are not worth it"
    );
}
