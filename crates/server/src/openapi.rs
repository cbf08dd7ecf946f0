//! The OpenAPI document, made from the endpoint table.

use serde_json::{Value, json};
use trunkline_domain::analytics::{Granularity, GroupBy, Stage};
use trunkline_domain::dialer::{DoNotDisturb, NotReached, RoutingResult, VoicemailHandling};
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::webhook::{AttemptError, Health, topic};
use trunkline_domain::{
    AccountStatus, ApiKeyState, Capability, ConversationAction, DealStatus, DeliveryState, Direction,
    EntityType, InvitationDelivery, InvitationState, ItemKind, LineKind, MessageStatus, MessageType, Plan,
    PropertyType, Role, Speaker, SummaryTemplate, UserStatus,
};
use utoipa::openapi::{Components, Info, OpenApi, Paths, RefOr, Schema};

use crate::http::auth::{Callers, wanted};
use crate::http::context::CRM;
use crate::http::endpoint::Endpoint;
use crate::http::error::{V1Detail, V1Error, V2Detail, V2Error};
use crate::v2::{analytics, audit, crm, dialing_queues, search, webhooks};
use crate::{router, sandbox};

/// The document, as JSON. It depends on nothing but the program.
#[must_use]
pub fn document() -> Value {
    let table: Vec<Endpoint> = router::table().into_iter().chain(router::open_table()).collect();
    let mut components = Components::new();
    let mut paths = Paths::new();
    for endpoint in &table {
        for (name, schema) in &endpoint.schemas {
            components.schemas.insert(name.clone(), schema.clone());
        }
        paths.add_path_operation(
            &endpoint.path,
            vec![endpoint.method.clone()],
            endpoint.operation.clone(),
        );
    }
    add_schema::<V2Error>(&mut components);
    add_schema::<V2Detail>(&mut components);
    add_schema::<V1Error>(&mut components);
    add_schema::<V1Detail>(&mut components);
    let mut info = Info::new("Trunkline API", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    let mut json = serde_json::to_value(&document).unwrap_or_else(|_| json!({}));
    json["components"]["securitySchemes"] = json!({
        "ApiKey": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`Api-Key ak_live_…` (or `ak_test_…` of a sandbox team); the bare key is understood too."
        }
    });
    json["info"]["license"] = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
    json["servers"] = json!([{ "url": "/", "description": "This server" }]);
    json["tags"] = json!([
        { "name": "Conversations", "description": "Calls and texts, by line and outside number" },
        { "name": "SMS", "description": "Sending texts" },
        { "name": "Calls", "description": "Calls, as version 1 knows them" },
        { "name": "Contacts", "description": "Contacts, as version 1 knows them: the people of the CRM" },
        { "name": "Tags", "description": "The team's tags, and those of a call" },
        { "name": "CRM", "description": "People, companies and deals, and the properties that people have" },
        { "name": "Users", "description": "The key, and the people of the team" },
        { "name": "Team", "description": "What holds for the whole team, and who changed it" },
        { "name": "API Keys", "description": "The keys by which programs act for the team's users" },
        { "name": "Phone Numbers", "description": "The team's numbers and sender ids" },
        { "name": "Notes", "description": "What the team writes down about conversations and people" },
        { "name": "Threads", "description": "What the team says about a call, a text or a note" },
        { "name": "Partner", "description": "Accounts that a partner makes for its customers" },
        { "name": "Power Dialer", "description": "Who calls which numbers next, and what came of it" },
        { "name": "Summary Templates", "description": "How calls are to be summed up" },
        { "name": "Analytics", "description": "Calls and texts in figures" },
        { "name": "Webhooks", "description": "Endpoints that the team's events are sent to, and the live feed" },
        { "name": "Sandbox", "description": "The outside world in a box, for sandbox teams" },
    ]);
    for endpoint in &table {
        complete(
            &mut json["paths"][&endpoint.path][endpoint.method_name().to_lowercase()],
            endpoint,
        );
    }
    add_shared(&mut json["components"]);
    for (schema, field, names) in CLOSED_SETS {
        close(
            &mut json["components"]["schemas"][schema]["properties"][field],
            names,
        );
    }
    json
}

/// Fields whose values are names of a closed set: schema, field, names.
const CLOSED_SETS: &[(&str, &str, &[&str])] = &[
    ("ApiKey", "state", ApiKeyState::NAMES),
    ("AuditActor", "type", audit::ACTORS),
    ("Team", "plan", Plan::NAMES),
    ("UpdateUserRequest", "role", Role::NAMES),
    ("CallSummaryEntry", "template_key", SummaryTemplate::NAMES),
    ("AnalyticsBaseRequest", "group_by", GroupBy::NAMES),
    ("AnalyticsSeriesRequest", "granularity", Granularity::NAMES),
    ("ConversationActionRequest", "action", ConversationAction::NAMES),
    ("ConversationActionResult", "action", ConversationAction::NAMES),
    ("ConversationItem", "type", ItemKind::NAMES),
    ("ConversationItem", "direction", Direction::NAMES),
    ("ConversationItem", "result", search::RESULTS),
    ("ConversationItem", "status", MessageStatus::NAMES),
    ("ConversationItem", "message_type", MessageType::NAMES),
    ("CreateThreadRequest", "entity_type", EntityType::NAMES),
    ("CreatePropertyRequest", "type", PropertyType::NAMES),
    ("CrmProperty", "type", PropertyType::NAMES),
    ("DealBrief", "status", DealStatus::NAMES),
    ("DialingQueueMeta", "do_not_disturb", DoNotDisturb::NAMES),
    ("DialingQueueMeta", "voicemail_handling", VoicemailHandling::NAMES),
    ("CreateInvitationRequest", "delivery", InvitationDelivery::NAMES),
    ("CreateInvitationRequest", "role", Role::NAMES),
    ("Invitation", "delivery", InvitationDelivery::NAMES),
    ("Invitation", "role", Role::NAMES),
    ("Invitation", "state", InvitationState::NAMES),
    ("ResendInvitationRequest", "delivery", InvitationDelivery::NAMES),
    ("HeatmapCell", "day", &analytics::WEEKDAYS),
    ("ItemSearchRequest", "direction", Direction::NAMES),
    ("ItemSearchRequest", "type", search::KINDS),
    ("ItemSearchRequest", "result", search::RESULTS),
    ("ItemSearchRequest", "sort", search::SORTS),
    ("OutboundAnalyticsRequest", "extend", analytics::outbound::EXTENDS),
    ("OutboundAnalyticsRequest", "granularity", Granularity::NAMES),
    ("OutboundAnalyticsRequest", "stage", Stage::NAMES),
    ("OutboundDrilldownItem", "stage", Stage::NAMES),
    ("PhoneNumber", "type", LineKind::NAMES),
    ("PhoneNumber", "capabilities", Capability::NAMES),
    ("PhoneNumberDetail", "type", LineKind::NAMES),
    ("PhoneNumberDetail", "capabilities", Capability::NAMES),
    ("PhoneNumberDetail", "offered_capabilities", Capability::NAMES),
    ("SenderId", "status", SenderIdStatus::NAMES),
    ("UpdatePhoneNumberRequest", "capabilities", Capability::NAMES),
    ("UpdateSenderIdRequest", "status", SenderIdStatus::NAMES),
    ("QueueNumber", "not_reached_destination_reason", NotReached::NAMES),
    ("QueueNumber", "routing_result", RoutingResult::NAMES),
    ("QueueNumber", "sync_status", dialing_queues::SYNC_STATES),
    ("SandboxCallLine", "source", Speaker::NAMES),
    ("SandboxCallRequest", "direction", Direction::NAMES),
    ("SandboxCallRequest", "outcome", sandbox::OUTCOMES),
    ("SandboxCallTransfer", "kind", sandbox::TRANSFERS),
    ("SearchCompaniesRequest", "sort", crm::SORTS),
    ("SearchDealsRequest", "sort", crm::SORTS),
    ("SearchPeopleRequest", "sort", crm::SORTS),
    ("SkippedQueueNumber", "reason", dialing_queues::SKIP_REASONS),
    ("TextMessage", "type", &["OUTBOUND"]),
    ("TextMessage", "status", MessageStatus::NAMES),
    ("PartnerAccount", "status", AccountStatus::NAMES),
    ("PeopleImport", "state", crm::import::STATES),
    ("Thread", "entity_type", EntityType::NAMES),
    ("TranscriptEntry", "source", Speaker::NAMES),
    ("UpdateSummaryRequest", "template_key", SummaryTemplate::NAMES),
    ("UpsertDialingQueueRequest", "do_not_disturb", DoNotDisturb::NAMES),
    (
        "UpsertDialingQueueRequest",
        "voicemail_handling",
        VoicemailHandling::NAMES,
    ),
    ("User", "role", Role::NAMES),
    ("TestWebhookRequest", "topic", topic::NAMES),
    ("User", "status", UserStatus::NAMES),
    ("Webhook", "topics", topic::NAMES),
    ("WebhookDelivery", "state", DeliveryState::NAMES),
    ("WebhookDelivery", "topic", topic::NAMES),
    ("WebhookFailure", "code", AttemptError::NAMES),
    ("WebhookHealth", "disabled_reason", webhooks::DISABLED_REASONS),
    ("WebhookHealth", "state", Health::NAMES),
];

/// Operations that have a body and need none: a search without one finds everything, a test has a topic of its own, a
/// number without a default template has the usual one, a new queue needs no name, an invitation is sent as before.
pub const BODY_NOT_NEEDED: [&str; 8] = [
    "resendInvitation",
    "resetCurrentDialingQueue",
    "searchAllConversations",
    "searchCompanies",
    "searchDeals",
    "searchPeople",
    "setNumberDefaultSummaryTemplate",
    "testWebhook",
];

/// Operations that only read, although they are POSTs.
pub const READ_BY_POST: [&str; 9] = [
    "batchGetConversationItems",
    "getAnalyticsInbound",
    "getAnalyticsMessages",
    "getAnalyticsOutbound",
    "getTeamMetrics",
    "searchAllConversations",
    "searchCompanies",
    "searchDeals",
    "searchPeople",
];

/// Says which names a text may be (or the texts of a list).
fn close(schema: &mut Value, names: &[&str]) {
    if !schema["items"].is_null() {
        return close(&mut schema["items"], names);
    }
    let nullable = schema["type"]
        .as_array()
        .is_some_and(|types| types.contains(&json!("null")));
    let names = names.iter().map(|name| json!(name));
    schema["enum"] = names.chain(nullable.then_some(Value::Null)).collect();
}

const DESCRIPTION: &str = "A business phone system that a team runs itself. Compatible with the Allo API v2: \
    what was written for it works here by changing the base URL. Unknown fields are ignored and named in \
    `X-Ignored-Parameters`. Every answer carries `X-Request-Id` and the rate-limit headers. \
    The [guide](/docs/guide) tells what all operations share, the [page of error codes](/docs/errors) what can go wrong.";

fn add_schema<T: utoipa::ToSchema>(components: &mut Components) {
    let mut referenced: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut referenced);
    components.schemas.extend(referenced);
    components.schemas.insert(T::name().into_owned(), T::schema());
}

/// Adds what every operation has: security, headers, error answers, what its errors can be.
fn complete(operation: &mut Value, endpoint: &Endpoint) {
    let access = &endpoint.access;
    let scopes: Vec<&str> = access.scopes.iter().map(|scope| scope.as_str()).collect();
    operation["security"] = match access.callers {
        Callers::Keyed => json!([{ "ApiKey": [] }]),
        Callers::Anybody => json!([]),
    };
    operation["x-scopes"] = json!(scopes);
    operation["x-rate-class"] = json!(if endpoint.method_name() == "GET" {
        "read"
    } else {
        "write"
    });
    let needs = match scopes.as_slice() {
        [] if access.callers == Callers::Anybody => "Needs no key.".to_owned(),
        [] => "Needs a valid key; no scope.".to_owned(),
        scopes => format!("Needs the scope `{}`.", scopes.join("` or `")),
    };
    let needs = if access.role == Role::Member {
        needs
    } else {
        operation["x-role"] = json!(access.role);
        format!(
            "{needs} The key's user must have the role {}.",
            wanted(access.role)
        )
    };
    let described = operation["description"]
        .as_str()
        .map(|text| format!("{text}\n\n{needs}"));
    operation["description"] = Value::String(described.unwrap_or(needs));
    if operation["operationId"] == "importPeople" {
        operation["requestBody"] = json!({ "content": {
            "text/csv": { "schema": { "type": "string", "example": "name,last_name,numbers\nSarah,Johnson,+14155551234\n" } },
            "application/x-ndjson": { "schema": { "type": "string", "example": "{\"name\": \"Sarah\", \"numbers\": [\"+14155551234\"]}\n" } },
        }});
    }
    let has_body = !operation["requestBody"].is_null();
    let writes = endpoint.method_name() != "GET";
    let read_by_post = READ_BY_POST.contains(&operation["operationId"].as_str().unwrap_or_default());
    if writes && !read_by_post && access.callers == Callers::Keyed {
        let header = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key within an hour gives the same answer and changes nothing twice",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 }
        });
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(header),
            None => operation["parameters"] = json!([header]),
        }
    }
    // 404 everywhere: what is asked for may not be there, or the user whose key it is.
    let mut failures = vec![400, 404, 429, 500, 503];
    if access.callers == Callers::Keyed {
        failures.extend([401, 403]);
    }
    for parameter in operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        match parameter["name"].as_str() {
            Some("role") => close(&mut parameter["schema"], Role::NAMES),
            Some("status") => close(&mut parameter["schema"], UserStatus::NAMES),
            Some("entity_type") => close(&mut parameter["schema"], EntityType::NAMES),
            Some("type") => close(&mut parameter["schema"], search::KINDS),
            Some("state") if endpoint.path.contains("/keys") => {
                close(&mut parameter["schema"], ApiKeyState::NAMES);
            }
            Some("state") => close(&mut parameter["schema"], DeliveryState::NAMES),
            _ => {}
        }
    }
    if has_body {
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["requestBody"]["required"] = json!(!BODY_NOT_NEEDED.contains(&id));
        failures.extend([413, 415]);
    }
    if endpoint.path == "/v2/api/partner/accounts" {
        failures.push(402);
    }
    if writes {
        failures.push(409);
    }
    if endpoint.path.starts_with(CRM) {
        failures.push(422);
    }
    for response in operation["responses"]
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        response["headers"] = headers();
    }
    for (status, name, _) in FAILURES.iter().filter(|(status, ..)| failures.contains(status)) {
        let of_v1 = if endpoint.path.starts_with("/v1/") {
            "V1"
        } else {
            ""
        };
        operation["responses"][status.to_string()] =
            json!({ "$ref": format!("#/components/responses/{name}{of_v1}") });
    }
}

/// How requests fail: status, name, description.
const FAILURES: &[(u16, &str, &str)] = &[
    (400, "Faulty", "A parameter, field or header is faulty"),
    (401, "Unauthorized", "No valid key"),
    (402, "NotPaid", "Nobody pays for it"),
    (403, "Forbidden", "The key may not do this"),
    (404, "NotFound", "There is no such thing"),
    (409, "Conflict", "It contradicts what is there"),
    (413, "TooLarge", "The body is too large"),
    (415, "UnsupportedMediaType", "The body is not application/json"),
    (422, "FaultyFields", "A field or parameter is faulty"),
    (429, "TooManyRequests", "Too many requests in this second"),
    (500, "ServerError", "A fault of the server"),
    (503, "NotNow", "Not now; come back after `Retry-After`"),
];

/// Headers of every answer: name, type, description.
const HEADERS: &[(&str, &str, &str)] = &[
    (
        "X-Request-Id",
        "string",
        "The client's own id of the request, or a new one",
    ),
    (
        "X-RateLimit-Limit",
        "integer",
        "How many such requests a key may make in a second",
    ),
    (
        "X-RateLimit-Remaining",
        "integer",
        "How many are left in this second",
    ),
    (
        "X-RateLimit-Reset",
        "integer",
        "When the next second begins, in Unix seconds",
    ),
    (
        "X-Ignored-Parameters",
        "string",
        "Parameters and fields that were sent and mean nothing here, if there are any",
    ),
];

fn headers() -> Value {
    let refer = |(name, ..): &(&str, &str, &str)| {
        (
            (*name).to_owned(),
            json!({ "$ref": format!("#/components/headers/{name}") }),
        )
    };
    Value::Object(HEADERS.iter().map(refer).collect())
}

/// What operations share: their headers and failures.
fn add_shared(components: &mut Value) {
    for (name, kind, description) in HEADERS {
        components["headers"][name] = json!({ "description": description, "schema": { "type": kind } });
    }
    for (_, name, description) in FAILURES {
        for (name, schema) in [
            ((*name).to_owned(), "ApiError"),
            (format!("{name}V1"), "ApiErrorV1"),
        ] {
            let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
            components["responses"][name] = json!({
                "description": description,
                "headers": headers(),
                "content": { "application/json": { "schema": schema } }
            });
        }
    }
}
