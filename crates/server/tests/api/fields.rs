//! Parameters and fields: every fault is named. Walked over the OpenAPI document, so that a new field is tried as soon
//! as it is described.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::TestDb;

use crate::document::{Field, body_fields, body_schema, document, parameters, put};
use crate::operations::{Operation, Request, full_bodies, operation, operations};
use crate::support::{World, advice, assert_common, assert_error, authorization, blamed, ignored};

trunkline_testkit::on_both! {
    every_described_field_is_known,
    fields_of_another_type_are_refused,
    whole_numbers_have_many_spellings,
    fields_outside_of_their_range_are_refused,
    names_outside_of_a_closed_set_are_refused,
    faulty_query_parameters_are_refused,
    required_fields_are_missed,
    null_is_the_same_as_nothing,
    several_faults_are_listed,
    the_null_character_is_refused,
}

/// Sends a request whose body has `value` where `name` says.
async fn with_value(world: &World, request: &Request, name: &str, value: &Value) -> Reply {
    let mut body = request.body.clone().unwrap();
    put(&mut body, name, value.clone());
    let reply = Request {
        body: Some(body),
        ..request.clone()
    }
    .send(&world.app)
    .await;
    assert_common(&reply);
    reply
}

#[track_caller]
fn assert_refused(operation: &Operation, reply: &Reply, name: &str, value: &Value) {
    let what = format!(
        "{} with {name} = {}: {}",
        operation.name(),
        value.to_string().chars().take(80).collect::<String>(),
        reply.text
    );
    let faulty = if operation.path.starts_with("/v2/api/crm/") {
        422
    } else {
        400
    };
    assert_eq!(reply.status, faulty, "{what}");
    assert_error(reply, reply.code());
    assert!(blamed(reply).contains(name), "{what}");
}

async fn every_described_field_is_known(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    for (operation, request) in full_bodies(&world) {
        let body = request.body.clone().unwrap();
        // A cursor comes from an earlier answer; a replay is of one message or of many; a text has one sender; a report
        // is of users or of numbers.
        let elsewhere = |name: &str| {
            let other_names: &[&str] = match operation.id.as_str() {
                "replayWebhook" => &["since", "topics"],
                "getTeamMetrics"
                | "getAnalyticsOutbound"
                | "getAnalyticsInbound"
                | "getAnalyticsMessages" => &["allo_numbers"],
                // A conversation is on one line.
                "createConversationNote" => &["sender_id"],
                "sendSMS" => &["allo_number", "sender_id", "content", "media_urls"],
                _ => &[],
            };
            name == "cursor" || other_names.contains(&name)
        };
        for field in body_fields(&document, &operation)
            .iter()
            .filter(|field| !elsewhere(&field.name))
        {
            let pointer = format!(
                "/{}",
                field.name.replace('[', "/").replace(']', "").replace('.', "/")
            );
            assert!(
                body.pointer(&pointer).is_some(),
                "{}: {} is new: add it to the full body",
                operation.name(),
                field.name
            );
        }
        let reply = request.send(&world.app).await;
        assert!(
            (200..300).contains(&reply.status),
            "{}: {}",
            operation.name(),
            reply.text
        );
        assert_eq!(ignored(&reply), Vec::<&str>::new(), "{}", operation.name());
    }
}

async fn fields_of_another_type_are_refused(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    for (operation, request) in full_bodies(&world) {
        for field in body_fields(&document, &operation) {
            let wrong: &[Value] = match field.kind() {
                "string" => &[json!(5), json!(true), json!({}), json!([]), json!(["x"])],
                "integer" => &[
                    json!("5"),
                    json!(1.5),
                    json!(true),
                    json!({}),
                    json!([1]),
                    json!(1e30),
                ],
                "number" => &[json!("5"), json!(true), json!({}), json!([1])],
                "boolean" => &[json!("true"), json!(1), json!(0), json!({})],
                "array" => &[json!("x"), json!({}), json!(5), json!([5]), json!([null])],
                "object" => &[json!("x"), json!([]), json!(5), json!(true)],
                other => panic!("a field of type {other}"),
            };
            for value in wrong {
                let reply = with_value(&world, &request, &field.name, value).await;
                assert_refused(&operation, &reply, &field.name, value);
            }
        }
    }
}

/// JSON has one kind of number: what is whole is whole in every spelling.
async fn whole_numbers_have_many_spellings(db: TestDb) {
    let world = World::open(db).await;
    for (size, page) in [("5", "1"), ("5.0", "1.0"), ("0.5e1", "1e0"), ("50E-1", "1.000")] {
        let headers = [("Authorization", authorization(&world.app.key))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let body = format!("{{\"size\": {size}, \"page\": {page}}}");
        let path = "/v2/api/conversations/items/search";
        let reply = world
            .app
            .send_with(Method::POST, path, &headers, Some(body))
            .await;
        assert_eq!(reply.json["pagination"]["size"], 5, "{size}: {}", reply.text);
    }
}

/// What lies just outside of a field's range.
fn outside(field: &Field) -> Vec<Value> {
    let schema = &field.schema;
    let mut values = Vec::new();
    values.extend(schema["minimum"].as_i64().map(|minimum| json!(minimum - 1)));
    values.extend(schema["maximum"].as_i64().map(|maximum| json!(maximum + 1)));
    values.extend(
        schema["maxLength"]
            .as_u64()
            .map(|length| json!("é".repeat(length as usize + 1))),
    );
    values.extend(schema["maxItems"].as_u64().map(|items| {
        let ids = (0..=items).map(|i| format!("cll-{i:0>27}"));
        json!(ids.collect::<Vec<_>>())
    }));
    values
}

async fn fields_outside_of_their_range_are_refused(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    let mut tried = 0;
    for (operation, request) in full_bodies(&world) {
        for field in body_fields(&document, &operation) {
            for value in outside(&field) {
                let reply = with_value(&world, &request, &field.name, &value).await;
                assert_refused(&operation, &reply, &field.name, &value);
                tried += 1;
            }
        }
    }
    assert!(tried >= 10, "the document has lost its ranges");
}

async fn names_outside_of_a_closed_set_are_refused(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    let mut tried = 0;
    for (operation, request) in full_bodies(&world) {
        for field in body_fields(&document, &operation)
            .iter()
            .filter(|field| !field.names().is_empty())
        {
            let names = field.names();
            let spellings = [
                names[0].to_lowercase(),
                names[0].to_uppercase(),
                format!("{} ", names[0]),
            ];
            let misspelt = spellings
                .iter()
                .map(String::as_str)
                .filter(|wrong| !names.contains(wrong));
            for wrong in misspelt.chain(["NOT_ONE", ""]) {
                let reply = with_value(&world, &request, &field.name, &json!(wrong)).await;
                assert_refused(&operation, &reply, &field.name, &json!(wrong));
                let suggestion = advice(&reply);
                assert!(
                    names.iter().all(|name| suggestion.contains(name)),
                    "{}: {suggestion}",
                    field.name
                );
            }
            for name in names {
                let reply = with_value(&world, &request, &field.name, &json!(name)).await;
                // Understood, and then there is no such summary, or no such line.
                let refused_later = [
                    "SUMMARY_TEMPLATE_NOT_FOUND",
                    "PHONE_NUMBER_NOT_FOUND",
                    "INVALID_ITEM_ID",
                ]
                .contains(&reply.code())
                    // Of one key there is one property.
                    || operation.id == "createProperty" && blamed(&reply).contains("key")
                    // Of one address there is one invitation, and this server sends no mails.
                    || operation.id == "createInvitation" && blamed(&reply).contains("email")
                    || name == "MAIL" && blamed(&reply).contains("delivery");
                assert!(
                    reply.status < 300 || refused_later,
                    "{} {name}: {}",
                    field.name,
                    reply.text
                );
            }
            tried += 1;
        }
    }
    assert!(tried >= 9, "the document has lost its closed sets");
}

async fn faulty_query_parameters_are_refused(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    let mut tried = 0;
    for operation in operations() {
        for field in parameters(&document, &operation, "query") {
            let wrong: &[&str] = match (field.name.as_str(), field.kind()) {
                ("last_event_id", _) => &["abc", "1.5", "", "-1", "1e2", "99999999999999999999", "%2B"],
                // Version 1 counts pages from 0.
                ("page", _) if operation.path.starts_with("/v1/") => &["abc", "1.5", "", "-1", "1e2", "%2B"],
                ("position", _) => &["abc", "1.5", "", "-1", "1e2", "99999999999999999999", "%2B"],
                // Somebody who is not there is not found; what is too long for an id is refused.
                ("user_id", _) if operation.id == "listApiKeys" => &["x", "usr-", "ada", ""],
                ("actor", _) => &["x", "usr-", "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "", LONG],
                ("user_id" | "email" | "action" | "object", _) => &[LONG],
                ("since" | "until", _) => &["yesterday", "2026-04-20", "", "2026-13-01T00:00:00Z"],
                ("number", _) => &["twelve", "12", "", "%2B", LONG],
                (_, "integer") => &["abc", "1.5", "", "0", "-1", "1e2", "99999999999999999999", "%2B"],
                (_, "boolean") => &["yes", "1", "TRUE", ""],
                ("allo_number", _) => &["14155550100", "+14155550100", "%2B1", "x", ""],
                ("contact_number", _) => &["14155551234", "%2B1", "x", ""],
                ("last_activity_since", _) => &[
                    "yesterday",
                    "2026-04-20",
                    "1776679200",
                    "",
                    "2026-13-01T00:00:00Z",
                ],
                ("extend", _) => &["transcripts", "transcript,summary", "TRANSCRIPT"],
                ("cursor", _) => &["x", "", "Yi4xLjIuMw"],
                ("topics", _) => &["sms", "SMS.RECEIVED", "sms.received;sms.sent", ""],
                ("state", _) => &["LOST", "failed", ""],
                ("from" | "to", _) if operation.id == "getUsage" => {
                    &["yesterday", "2026-13", "2026-4", "2026-04-01", ""]
                }
                ("from" | "to", _) => &["yesterday", "2026-02-30", "2026-4-1", "2026-04-20T00:00:00Z", ""],
                ("type", _) => &["FAX", "call", ""],
                ("role", _) => &["BOSS", "admin", ""],
                // Beside the number that is there already.
                ("sender_id", _) => &["ACME", ""],
                ("entity_type", _) => &["MAIL", "call", ""],
                ("entity_id", _) => &["x", "cll-", "", "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"],
                ("status", _) => &["GONE", "active", ""],
                (other, _) => panic!("{other} is new: say what is wrong for it"),
            };
            for value in wrong {
                // The parameter takes the place of one that works.
                let request = without(&operation.request(&world), &field.name);
                // All uncalled numbers, or certain ones.
                let request = match field.name.as_str() {
                    "number" | "position" => without(&request, "unassigned"),
                    _ => request,
                };
                let reply = request.parameter(&field.name, value).send(&world.app).await;
                assert_refused(&operation, &reply, &field.name, &json!(value));
                tried += 1;
            }
            for name in field.names() {
                let suggestion = operation
                    .request(&world)
                    .parameter(&field.name, "X")
                    .send(&world.app)
                    .await;
                let suggestion = advice(&suggestion).to_owned();
                assert!(suggestion.contains(name), "{}: {suggestion}", field.name);
            }
        }
    }
    assert!(tried >= 40);
}

/// Longer than any id, number or e-mail address.
const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// The same request without a parameter of its query.
fn without(request: &Request, name: &str) -> Request {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let others: Vec<&str> = pairs
        .filter(|pair| pair.split('=').next() != Some(name))
        .collect();
    let path = if others.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", others.join("&"))
    };
    Request {
        path,
        ..request.clone()
    }
}

/// How an operation calls it that a field is not there.
fn missing(operation: &Operation, field: &str) -> &'static str {
    match (operation.id.as_str(), field) {
        ("addTags", _) => "TAGS_REQUIRED",
        ("createConversationNote", "allo_number") => "MISSING_ALLO_NUMBER_OR_SENDER_ID",
        (id, "content") if id.contains("Note") || id.contains("Thread") => "EMPTY_NOTE_CONTENT",
        _ => "MISSING_PARAMETER",
    }
}

async fn required_fields_are_missed(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    for (operation, request) in full_bodies(&world) {
        let required: BTreeSet<String> = body_schema(&document, &operation)["required"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        let reply = Request {
            body: Some(json!({})),
            ..request.clone()
        }
        .send(&world.app)
        .await;
        if operation.id == "replayWebhook" {
            // One of two.
            assert_error(&reply, "MISSING_PARAMETER");
            assert_eq!(
                blamed(&reply),
                BTreeSet::from(["message_id".to_owned(), "since".to_owned()])
            );
            continue;
        }
        if operation.id == "assignDialingQueue" {
            // One of two.
            assert_error(&reply, "DIALING_QUEUE_ASSIGNEE_REQUIRED");
            continue;
        }
        if operation.id == "sendSMS" {
            // `from` and `message` have other names.
            assert_error(&reply, "MISSING_PARAMETER");
            let all = ["from", "message", "to"].map(str::to_owned);
            assert_eq!(blamed(&reply), BTreeSet::from(all));
            continue;
        }
        if required.is_empty() {
            assert!(
                (200..300).contains(&reply.status),
                "{}: {}",
                operation.name(),
                reply.text
            );
            continue;
        }
        let mut needed = required.clone();
        if operation.id == "createConversationNote" {
            // Or the other of two.
            needed.insert("allo_number".to_owned());
        }
        assert_eq!(blamed(&reply), needed, "{}", operation.name());
        for name in &needed {
            let mut body = request.body.clone().unwrap();
            body.as_object_mut().unwrap().remove(name);
            // A text with media needs no words.
            body.as_object_mut().unwrap().remove("media_urls");
            let reply = Request {
                body: Some(body),
                ..request.clone()
            }
            .send(&world.app)
            .await;
            assert_error(&reply, missing(&operation, name));
            assert_eq!(
                blamed(&reply),
                BTreeSet::from([name.clone()]),
                "{}",
                operation.name()
            );
        }
    }
    let call = operation("sandboxCall").request(&world);
    let template = operation("createSummaryTemplate").request(&world);
    let reply = template
        .field("sections", json!([{ "title": "a" }, { "instructions": "b" }]))
        .send(&world.app)
        .await;
    assert_error(&reply, "MISSING_PARAMETER");
    assert_eq!(blamed(&reply), BTreeSet::from(["sections[1].title".to_owned()]));
    for (field, value, missing) in [
        ("lines", json!([{ "source": "USER" }]), "lines[0].text"),
        (
            "lines",
            json!([{ "source": "USER", "text": "a" }, { "text": "b" }]),
            "lines[1].source",
        ),
        ("transfer", json!({}), "transfer.kind"),
    ] {
        let reply = call.field(field, value).send(&world.app).await;
        assert_error(&reply, "MISSING_PARAMETER");
        assert_eq!(blamed(&reply), BTreeSet::from([missing.to_owned()]));
    }
}

async fn null_is_the_same_as_nothing(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    for (operation, request) in full_bodies(&world) {
        for field in body_fields(&document, &operation) {
            if ["createSenderId", "createTag"].contains(&operation.id.as_str()) {
                // Of one name there is one.
                operation.prepare(&world).await;
            }
            let reply = with_value(&world, &request, &field.name, &Value::Null).await;
            // A text with media needs no words.
            let wordless = operation.id == "sandboxMessage" && field.name == "content";
            let one_of_several = [
                ("replayWebhook", "message_id"),
                ("sendSMS", "from"),
                ("sendSMS", "message"),
            ];
            if one_of_several.contains(&(operation.id.as_str(), field.name.as_str())) {
                assert_error(&reply, "MISSING_PARAMETER");
            } else if operation.id == "createPartnerAccount" && !field.required {
                // The first of them has made the account.
                assert!(
                    reply.status == 201 || reply.code() == "PARTNER_ACCOUNT_ALREADY_EXISTS",
                    "{}",
                    reply.text
                );
            } else if operation.id == "createInvitation" && !field.required {
                // The first of them has invited.
                assert!(
                    reply.status == 201 || reply.code() == "INVITATION_ALREADY_EXISTS",
                    "{}",
                    reply.text
                );
            } else if operation.id == "createPerson" && field.name == "allow_duplicate_number" {
                // The others have made the same person.
                assert_error(&reply, "NUMBER_ALREADY_ASSIGNED");
            } else if field.required && !wordless
                || operation.id == "createConversationNote" && field.name == "allo_number"
                // Whoever wants the calls behind the figures says which.
                || operation.id == "getAnalyticsOutbound" && field.name == "stage"
            {
                assert_error(&reply, missing(&operation, &field.name));
                let missed = BTreeSet::from([field.name.clone()]);
                assert_eq!(blamed(&reply), missed, "{}", operation.name());
            } else {
                assert!(
                    (200..300).contains(&reply.status),
                    "{} {}: {}",
                    operation.name(),
                    field.name,
                    reply.text
                );
            }
        }
    }
}

async fn several_faults_are_listed(db: TestDb) {
    let world = World::open(db).await;
    let body = json!({
        "allo_number": "one", "direction": "UP", "size": 0, "date": { "from": "May" }, "extend": "all", "unread": "no",
    });
    let reply = world.app.post("/v2/api/conversations/items/search", &body).await;
    assert_eq!(reply.status, 400);
    let listed = reply.json["error"]["errors"].as_array().unwrap();
    let faults: BTreeSet<(&str, &str)> = listed
        .iter()
        .map(|fault| (fault["param"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    let expected = BTreeSet::from([
        ("allo_number", "INVALID_PHONE_FORMAT"),
        ("direction", "INVALID_PARAMETER"),
        ("size", "INVALID_PAGE_SIZE"),
        ("date.from", "INVALID_DATE_RANGE"),
        ("extend", "UNSUPPORTED_EXTEND_VALUE"),
        ("unread", "INVALID_PARAMETER"),
    ]);
    assert_eq!(faults, expected, "{}", reply.text);
    assert_eq!(listed.len(), expected.len());
    for fault in listed {
        assert_eq!(fault.as_object().unwrap().len(), 3);
        assert!(!fault["message"].as_str().unwrap().is_empty());
    }
    assert_error(&reply, reply.code());
    assert!(expected.contains(&(reply.json["error"]["param"].as_str().unwrap(), reply.code())));
    // One fault stands for itself.
    let reply = world
        .app
        .post("/v2/api/conversations/items/search", &json!({ "size": 101 }))
        .await;
    assert_error(&reply, "INVALID_PAGE_SIZE");
    assert_eq!(reply.json["error"].get("errors"), None);
}

/// PostgreSQL cannot store this character, and nobody types it: it is refused where it comes in.
async fn the_null_character_is_refused(db: TestDb) {
    let world = World::open(db).await;
    let document = document();
    for (operation, request) in full_bodies(&world) {
        for field in body_fields(&document, &operation) {
            let value = match field.kind() {
                "string" => json!("a\u{0}b"),
                "array" if field.schema["items"]["type"] == "string" => json!(["a\u{0}b"]),
                _ => continue,
            };
            let reply = with_value(&world, &request, &field.name, &value).await;
            assert_ne!(
                reply.status,
                500,
                "{} {}: {}",
                operation.name(),
                field.name,
                reply.text
            );
            assert!(
                [400, 404, 422].contains(&reply.status),
                "{} {}: {}",
                operation.name(),
                field.name,
                reply.text
            );
        }
    }
    for path in [
        "/v2/api/users/%00",
        "/v2/api/conversations/items/%00",
        "/v2/api/users?role=%00",
        "/v2/api/conversations?cursor=%00",
    ] {
        let reply = world.app.get(path).await;
        assert!(
            reply.status == 400 || reply.status == 404,
            "{path}: {}",
            reply.text
        );
    }
    let path = format!("/v2/api/conversations/items/{}/tags/%00", world.call);
    assert_error(&world.app.delete(&path).await, "TAG_NOT_FOUND");
}
