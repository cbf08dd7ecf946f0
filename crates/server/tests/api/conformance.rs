//! The published contract, operation by operation: `tests/conformance/contract.json` has it as facts. Each operation is
//! there, takes what is published, and answers with the published status, fields and types. What each was seen to answer
//! is written down in `docs/conformance.md`, which is made here and must be as it would be made anew:
//!
//!     UPDATE_CONFORMANCE=1 cargo nextest run -p trunkline-server -E 'test(conformance) | test(every_code)'

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, ErrorCode, Scope, ScopeSet, Speaker};
use trunkline_switchboard::calls::{Leftover, Step};
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::codes::not_given;
use crate::document::{body_fields, described, document, parameters};
use crate::operations::{Operation, Request, operation, operations};
use crate::people::new_key;
use crate::support::{World, assert_common, line, next_second, record};

trunkline_testkit::on_both! {
    answers_are_as_published,
    scopes_open_what_is_published,
}

/// Operations that do not exist yet. The list may only shrink.
const LATER: [&str; 0] = [];

/// Names beyond the published ones: what became of calls, texts that came in, methods of our own operations.
const OUR_NAMES: [&str; 5] = ["MISSED", "BLOCKED", "FAILED", "INBOUND", "PATCH"];

/// Fields that are only there for who asks for them by `extend`, and a secret that is shown where an endpoint is made or
/// read by its id.
const ON_REQUEST: [&str; 5] = ["transcript", "items", "activity", "engagement", "signing_secret"];

/// What a single request cannot show, and why.
const NOT_SHOWN: [(&str, &str, &str); 4] = [
    ("listWebhooks", "data[].signing_secret", "lists have no secrets"),
    (
        "resetCurrentDialingQueue",
        "data.numbers[]",
        "the new queue is empty",
    ),
    (
        "createContact",
        "data.company.",
        "contacts of v1 are made without a company",
    ),
    (
        "updateWebhook",
        "data.signing_secret",
        "changing an endpoint does not show its secret",
    ),
];

/// Rates of a heatmap are shares, although whole numbers are published.
const SHARES: &str = "data.heatmap.connection_rate[].value";

/// What is required here although it is not said to be: a section without a title could not be told from others.
const STRICTER: [&str; 1] = ["sections[0].title"];

#[derive(Deserialize)]
struct Contract {
    operations: BTreeMap<String, Published>,
}

/// What is published of an operation.
#[derive(Deserialize)]
struct Published {
    scopes: Vec<String>,
    parameters: BTreeMap<String, Fact>,
    body: BTreeMap<String, Fact>,
    statuses: Vec<u16>,
    success: u16,
    answer: BTreeMap<String, Fact>,
}

/// What is published of a parameter or a field.
#[derive(Deserialize)]
struct Fact {
    #[serde(rename = "in", default)]
    place: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    required: bool,
    #[serde(rename = "enum", default)]
    names: Vec<Value>,
}

/// The operations of the contract, each with ours.
fn contract() -> Vec<(Operation, Published)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/contract.json");
    let contract: Contract = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        contract.operations.len() >= 50,
        "the contract has lost operations"
    );
    let nameless = |name: &str| {
        let parts = name
            .split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let mut ours: BTreeMap<String, Operation> = BTreeMap::new();
    for operation in operations() {
        ours.insert(nameless(&operation.name()), operation);
    }
    let mut missing = Vec::new();
    let mut all = Vec::new();
    for (name, published) in contract.operations {
        match ours.get(&nameless(&name)) {
            Some(operation) => all.push((operation.clone(), published)),
            None => missing.push(name),
        }
    }
    assert_eq!(missing, LATER, "published, and not there");
    all
}

#[test]
fn what_is_published_is_described() {
    let document = document();
    let mut faults = Vec::new();
    for (operation, published) in contract() {
        let name = operation.name();
        let mut fault = |what: String| faults.push(format!("{name}: {what}"));
        let places: BTreeMap<&str, _> = ["query", "path"]
            .into_iter()
            .map(|place| (place, parameters(&document, &operation, place)))
            .collect();
        for (parameter, fact) in &published.parameters {
            let Some(ours) = places.get(fact.place.as_str()) else {
                continue;
            };
            // Names of parameters in a path are nobody's business but the description's.
            let same = |field: &&crate::document::Field| field.name == *parameter || fact.place == "path";
            match ours.iter().find(same) {
                None => fault(format!("takes no {parameter} in its {}", fact.place)),
                Some(field) if field.required && !fact.required => fault(format!("{parameter} is required")),
                Some(field) => lacking(fact, &field.names(), &mut |one| {
                    fault(format!("{parameter} cannot be {one}"))
                }),
            }
        }
        let fields = if published.body.is_empty() {
            Vec::new()
        } else {
            body_fields(&document, &operation)
        };
        for (own, fact) in &published.body {
            // A list of texts is described by its list.
            if own.ends_with("[]") {
                continue;
            }
            let own = own.replace("[]", "[0]");
            let stricter = STRICTER.contains(&own.as_str());
            match fields.iter().find(|field| field.name == own) {
                None => fault(format!("takes no field {own}")),
                Some(field) if field.required && !fact.required && !stricter => {
                    fault(format!("{own} is required"));
                }
                Some(field) => lacking(fact, &field.names(), &mut |one| {
                    fault(format!("{own} cannot be {one}"))
                }),
            }
        }
        let responses = described(&document, &operation)["responses"].clone();
        for status in &published.statuses {
            if responses[status.to_string()].is_null() {
                fault(format!("is not described to answer {status}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The operations of the contract, by id.
pub fn published() -> BTreeSet<String> {
    contract()
        .into_iter()
        .map(|(operation, _)| operation.id)
        .collect()
}

/// `…_READ_WRITE` contains `…_READ`.
fn contains(scope: &str, other: &str) -> bool {
    scope == other
        || scope
            .strip_suffix("_WRITE")
            .is_some_and(|read| read == other && read.ends_with("_READ"))
}

/// The table asks for the published scopes, and `GET /v2/api/me` tells each key what these open.
async fn scopes_open_what_is_published(db: TestDb) {
    let world = World::open(db).await;
    let contract = contract();
    for (operation, published) in &contract {
        let asked: Vec<&str> = operation.scopes.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(asked, published.scopes, "{}", operation.name());
    }
    for scope in Scope::all() {
        let (_, key) = new_key(&world.app, ScopeSet::of(&[*scope])).await;
        let me = operation("getMe")
            .request(&world)
            .with_key(&world.app, &key)
            .await;
        let endpoints = me.data()["endpoints"].as_array().unwrap();
        for (operation, published) in &contract {
            let is_it = |entry: &&Value| {
                entry["method"] == operation.method.as_str() && entry["path"] == operation.path.as_str()
            };
            let listed = endpoints.iter().find(is_it);
            let opens = |wanted: &String| contains(scope.as_str(), wanted);
            let is_open = published.scopes.is_empty() || published.scopes.iter().any(opens);
            assert_eq!(listed.is_some(), is_open, "{} with {scope}", operation.name());
            if let Some(entry) = listed {
                assert_eq!(
                    entry["scope"].as_str(),
                    published.scopes.first().map(String::as_str)
                );
            }
        }
    }
}

/// Tells the published names that a closed set of ours lacks.
fn lacking(fact: &Fact, ours: &[&str], each: &mut dyn FnMut(&str)) {
    let names = fact.names.iter().filter_map(Value::as_str);
    names
        .filter(|name| !ours.is_empty() && !ours.contains(name))
        .for_each(each);
}

/// The requests that together show all that an operation can answer.
fn requests(operation: &Operation, world: &World) -> Vec<Request> {
    let plain = operation.request(world);
    let with = |query: &str| Request {
        path: format!(
            "{}{}{query}",
            plain.path,
            if plain.path.contains('?') { '&' } else { '?' }
        ),
        ..plain.clone()
    };
    let sections = json!([{ "title": "Next steps", "instructions": "What was agreed", "order": 0 }]);
    let compared = json!({ "from": "2026-02-25", "to": "2026-03-24" });
    let more = match operation.id.as_str() {
        "getConversationItem" | "listConversations" => vec![with("extend=transcript")],
        "getContact" => vec![with("extend=engagement,activity")],
        "getAnalyticsOutbound" => vec![
            plain
                .field("extend", json!("items"))
                .field("stage", json!("DIAL")),
            plain.field("compare_date", compared),
        ],
        "getTeamMetrics" => vec![plain.field("compare_date", compared)],
        "batchGetConversationItems" | "searchAllConversations" => {
            vec![plain.field("extend", json!("transcript"))]
        }
        "appendDialingQueueNumbers" => {
            vec![plain.field("numbers", json!([{ "number": sarah() }, { "number": "x" }]))]
        }
        "createSummaryTemplate" | "updateSummaryTemplate" => vec![plain.field("sections", sections)],
        "createDeal" => vec![plain.field("company_id", json!(world.app.office.bakery))],
        "createPerson" => vec![
            plain
                .field("emails", json!(["new@bakery.example"]))
                .field("company_id", json!(world.app.office.bakery)),
        ],
        _ => Vec::new(),
    };
    std::iter::once(plain).chain(more).collect()
}

/// What makes the next request of this kind show something again. What is read shows what was written before.
async fn prepare(operation: &Operation, world: &World) {
    let fills = operation.path.contains("dialing-queues") && operation.method != Method::DELETE;
    if operation.method != Method::GET && !fills {
        operation.prepare(world).await;
    }
}

/// Adds to the office what it lacks for every field to have a value: a call that went out, and is tagged, as the newest.
async fn furnish(world: &World) {
    let app = &world.app;
    let at = app.board.now();
    let steps = vec![
        Step::Answer(None, at.plus(4_000)),
        Step::Leave(Leftover::Transcript(vec![line(
            Speaker::User,
            at.plus(5_000),
            "Good morning.",
        )])),
        Step::End(EndCause::HungUp, None, at.plus(90_000)),
        Step::Complete(at.plus(90_000)),
    ];
    let call = record(app, Direction::Outbound, us(), sarah(), at, steps).await;
    let tags = app
        .post(
            &format!("/v2/api/conversations/items/{call}/tags"),
            &json!({ "tags": ["vip"] }),
        )
        .await;
    assert_eq!(tags.status, 200, "{}", tags.text);
}

async fn answers_are_as_published(db: TestDb) {
    let world = World::open(db).await;
    furnish(&world).await;
    let mut faults = Vec::new();
    let mut contract = contract();
    // Deleting comes last, so that the others find something.
    let turn = |method: &Method| {
        ["POST", "PUT", "PATCH", "GET"]
            .iter()
            .position(|one| method == one)
    };
    contract.sort_by_key(|(operation, _)| turn(&operation.method).unwrap_or(usize::MAX));
    let mut reading = false;
    for (operation, published) in contract {
        if operation.method == Method::GET && !std::mem::replace(&mut reading, true) {
            // Once more the newest thing of its conversation.
            furnish(&world).await;
        }
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        for request in requests(&operation, &world) {
            prepare(&operation, &world).await;
            next_second(&world.app);
            let reply = request.send(&world.app).await;
            assert_common(&reply);
            if reply.status != published.success {
                faults.push(format!(
                    "{}: {} and not {}: {}",
                    operation.name(),
                    reply.status,
                    published.success,
                    reply.text
                ));
                continue;
            }
            for (path, fact) in &published.answer {
                let values = values(&reply.json, path);
                if values.iter().any(|value| value.is_some()) {
                    shown.insert(path);
                }
                let own = path.rsplit('.').next().unwrap_or(path);
                for value in values {
                    if value.is_none() && ON_REQUEST.contains(&own) {
                        continue;
                    }
                    if let Err(fault) = fits(path, value, fact) {
                        faults.push(format!("{}: {path} {fault}", operation.name()));
                    }
                }
            }
        }
        let excused = |path: &str| {
            let mut reasons = NOT_SHOWN.iter();
            reasons.any(|(of, what, _)| *of == operation.id && path.starts_with(what))
        };
        let hidden = published.answer.keys();
        let hidden = hidden.filter(|path| !shown.contains(path.as_str()) && !excused(path));
        faults.extend(hidden.map(|path| format!("{}: {path} was never shown", operation.name())));
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// What an answer has at a path; `None` where the key is missing in an object that is there.
fn values<'a>(answer: &'a Value, path: &str) -> Vec<Option<&'a Value>> {
    let mut here: Vec<&Value> = vec![answer];
    let parts: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let (key, list) = part.strip_suffix("[]").map_or((*part, false), |key| (key, true));
        let last = place + 1 == parts.len();
        let mut next: Vec<&Value> = Vec::new();
        for object in here.into_iter().filter(|value| value.is_object()) {
            match object.get(key) {
                None if last => found.push(None),
                None => {}
                Some(value) if list => next.extend(value.as_array().into_iter().flatten()),
                Some(value) => next.push(value),
            }
        }
        here = next;
    }
    found.extend(here.into_iter().map(Some));
    found
}

fn fits(path: &str, value: Option<&Value>, fact: &Fact) -> Result<(), String> {
    let value = value.ok_or("is missing")?;
    let right = match fact.kind.as_str() {
        "string" => value.is_string(),
        "integer" if path != SHARES => value.is_i64() || value.is_u64(),
        "integer" => value.is_number(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if !right && !value.is_null() {
        return Err(format!("is no {}: {value}", fact.kind));
    }
    let known = fact.names.is_empty() || value.is_null() || fact.names.contains(value);
    if known || value.as_str().is_some_and(|name| OUR_NAMES.contains(&name)) {
        Ok(())
    } else {
        Err(format!("is {value}, none of the published names"))
    }
}

/// Checks the page of the documentation against what was seen: which operation gave which code, and with which status.
pub fn check_page(seen: &BTreeSet<(String, u16, &'static str)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let page = page(seen);
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        there, page,
        "docs/conformance.md is not as the tests see it; UPDATE_CONFORMANCE=1 makes it anew"
    );
}

fn page(seen: &BTreeSet<(String, u16, &'static str)>) -> String {
    let mut page = String::from(INTRODUCTION);
    for (operation, published) in contract() {
        let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for (_, status, code) in seen.iter().filter(|(of, _, _)| *of == operation.id) {
            by_status.entry(*status).or_default().push(format!("`{code}`"));
        }
        let codes: Vec<String> = by_status
            .iter()
            .map(|(status, codes)| format!("{status} {}", codes.join(", ")))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            operation.name(),
            published.success,
            published.answer.len(),
            codes.join("; ")
        );
    }
    page.push_str(CODES);
    for code in ErrorCode::all() {
        let of: BTreeSet<&str> = seen
            .iter()
            .filter(|(_, _, one)| *one == code.as_str())
            .map(|(of, _, _)| of.as_str())
            .collect();
        let of: Vec<String> = of
            .into_iter()
            .map(|of| {
                if of.is_empty() {
                    "no operation".to_owned()
                } else {
                    format!("`{}`", operation(of).name())
                }
            })
            .collect();
        let by = if of.is_empty() {
            format!("none: {}", not_given(code.as_str()).unwrap_or_default())
        } else {
            of.join(", ")
        };
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{code}` | {} | {by} |", code.http_status());
    }
    page
}

const INTRODUCTION: &str = "# Conformance

How this server keeps the published contract. The page is made by the tests, from requests that they really sent, on both
databases, and a run of the tests fails when it is out of date.

## Operations

Each was asked with all its published parameters known, answered with the published status, and showed every published field
with its published type (or `null`). The last column has the error codes that were brought about at this very operation, by
status; beyond them all operations were asked without a key, with one that is unknown, revoked, of a blocked user, of a team on
trial, and without the scope (`UNAUTHORIZED`, `API_KEY_INVALID`, `API_KEY_REVOKED`, `API_KEY_TRIAL_NOT_ALLOWED`,
`API_KEY_INSUFFICIENT_SCOPE`).

| operation | status | fields | error codes |
|---|---|---|---|
";

const CODES: &str = "
## Error codes

Every code of `/docs/errors`, and the operations at which a real request met with it; of those that no request meets with, the
reason.

| code | status | met at |
|---|---|---|
";
