//! Every error code of the page of error codes: given by a real request, or on the list of those that no request can bring
//! about. That list may only shrink.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, ErrorCode, Scope, ScopeSet, SummaryTemplate};
use trunkline_search::{SearchIndex, SearchOptions};
use trunkline_server::partners::Refusal;
use trunkline_store::{StoreError, Tx};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step};
use trunkline_switchboard::texts::Limits;
use trunkline_switchboard::{Error, Work, lines};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, nobody, sarah, us};

use crate::conformance::check_page;
use crate::document::{described, document};
use crate::operations::{Request, operation};
use crate::people::{self, new_key, revoke};
use crate::support::{
    SENDER_ID, World, assert_error, authorization, command, encoded, next_second, record, set_team,
};
use crate::surroundings::{serve, with_settings};
use crate::texts;

trunkline_testkit::on_both! {
    every_code_is_given_by_a_real_request,
}

/// Receptionists, call flows and live calls that are placed and steered over the API.
const TO_BE_BUILT: [(&str, &[&str]); 3] = [
    (
        "there are no receptionists of lines yet.",
        &["AGENT_LINE_NOT_ASSIGNED", "AGENT_NO_FORWARDING_NUMBER"],
    ),
    (
        "there are no call flows yet.",
        &[
            "CALL_FLOW_CONCURRENT_EDIT",
            "CALL_FLOW_CONTACT_PROPERTY_KEY_REQUIRED",
            "CALL_FLOW_DRAFT_NOT_FOUND",
            "CALL_FLOW_INVALID",
            "CALL_FLOW_ROOT_MENU_TOO_SMALL",
            "CALL_FLOW_SCHEMA_VERSION_MISMATCH",
            "CALL_FLOW_STALE_LOCK",
        ],
    ),
    ("no operation steers a live call yet.", &["CALL_STATE_CONFLICT"]),
];

/// Published codes whose situation this server does not have, each with the reason. The list may only shrink.
const NEVER: [(&str, &str); 3] = [
    (
        "BUSINESS_NOT_FOUND",
        "a team is set up in one step, with its name and country, and no operation needs more of its business than that.",
    ),
    (
        "DIALING_QUEUE_APPEND_CONFLICT",
        "requests of a team that write take turns, so that each append finds the place behind the one before it and both succeed.",
    ),
    (
        "TEAM_NOT_FOUND",
        "a team is never deleted: one that is closed keeps its row, and its keys are answered `API_KEY_REVOKED`.",
    ),
];

/// Why no request brings this code about.
pub fn not_given(code: &str) -> Option<&'static str> {
    let never = NEVER.iter().find(|(one, _)| *one == code);
    let later = TO_BE_BUILT.iter().find(|(_, codes)| codes.contains(&code));
    never
        .map(|(_, reason)| *reason)
        .or(later.map(|(reason, _)| *reason))
}

const SEARCH: &str = "/v2/api/conversations/items/search";

/// The codes that were given so far.
struct Given {
    document: Value,
    codes: BTreeSet<&'static str>,
    /// By operation and status, for the page of the documentation.
    seen: BTreeSet<(String, u16, &'static str)>,
}

impl Given {
    /// Notes a failure. The description of the operation, if it is one, knows that it fails with this status.
    #[track_caller]
    fn note(&mut self, of: &str, reply: &Reply, code: &'static str) {
        assert_error(reply, code);
        if !of.is_empty() {
            let described = described(&self.document, &operation(of));
            let status = reply.status.to_string();
            assert!(
                !described["responses"][&status].is_null(),
                "{of} answers {status}"
            );
        }
        self.seen.insert((of.to_owned(), reply.status, code));
        self.codes.insert(code);
    }
}

async fn every_code_is_given_by_a_real_request(db: TestDb) {
    let mut world = World::open(db).await;
    let mut given = Given {
        document: document(),
        codes: BTreeSet::new(),
        seen: BTreeSet::new(),
    };
    faulty_requests(&world, &mut given).await;
    what_is_not_there(&world, &mut given).await;
    notes(&world, &mut given).await;
    webhooks(&world, &mut given).await;
    crm(&world, &mut given).await;
    queues(&world, &mut given).await;
    partners(&world, &mut given).await;
    keys(&world, &mut given).await;
    twice_at_once(&world, &mut given).await;
    texts(&mut world, &mut given).await;
    not_now(&mut world, &mut given).await;
    let all: BTreeSet<&str> = ErrorCode::all().iter().map(|code| code.as_str()).collect();
    let (later, now): (BTreeSet<&str>, BTreeSet<&str>) =
        all.iter().partition(|code| not_given(code).is_some());
    let both: Vec<_> = later.intersection(&given.codes).collect();
    assert!(
        both.is_empty(),
        "these are given now: take them off the list: {both:?}"
    );
    let missed: Vec<_> = now.difference(&given.codes).collect();
    assert!(missed.is_empty(), "no request here is answered with {missed:?}");
    let listed = NEVER.len() + TO_BE_BUILT.iter().map(|(_, codes)| codes.len()).sum::<usize>();
    assert_eq!(later.len(), listed, "the lists name a code that is none");
    check_page(&given.seen);
}

/// What is wrong with the request itself.
async fn faulty_requests(world: &World, given: &mut Given) {
    let app = &world.app;
    let list = format!("/v2/api/conversations?allo_number={}", encoded(us()));
    let nobody = app.get("/v1/api/contact/cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD").await;
    given.note("getContact", &nobody, "CONTACT_NOT_FOUND");
    for (query, code) in [
        ("&size=0", "INVALID_PAGE_SIZE"),
        ("&cursor=x", "INVALID_CURSOR"),
        ("&extend=all", "UNSUPPORTED_EXTEND_VALUE"),
        ("&unread=perhaps", "INVALID_PARAMETER"),
    ] {
        given.note(
            "listConversations",
            &app.get(&format!("{list}{query}")).await,
            code,
        );
    }
    given.note(
        "listConversations",
        &app.get("/v2/api/conversations").await,
        "MISSING_ALLO_NUMBER",
    );
    for (body, code) in [
        (json!({ "contact_number": "12" }), "INVALID_PHONE_FORMAT"),
        (json!({ "search": "?!" }), "INVALID_SEARCH_QUERY"),
        (
            json!({ "date": { "from": "2026-04-02", "to": "2026-04-01" } }),
            "INVALID_DATE_RANGE",
        ),
        (json!({ "search": "x".repeat(1_001) }), "INVALID_LENGTH"),
        (json!({ "search": "x".repeat(2 << 20) }), "PAYLOAD_TOO_LARGE"),
        (json!([]), "INVALID_REQUEST_BODY"),
    ] {
        given.note("searchAllConversations", &app.post(SEARCH, &body).await, code);
    }
    let many = vec![world.call; 101];
    for (id, body, code) in [
        ("batchGetConversationItems", json!({}), "MISSING_PARAMETER"),
        (
            "batchGetConversationItems",
            json!({ "ids": ["x"] }),
            "INVALID_ITEM_ID",
        ),
        (
            "batchGetConversationItems",
            json!({ "ids": many }),
            "BATCH_TOO_LARGE",
        ),
        ("addTags", json!({ "tags": [] }), "TAGS_REQUIRED"),
        ("addTags", json!({ "tags": ["vip"] }), "TAG_ALREADY_EXISTS"),
        (
            "executeConversationAction",
            json!({ "action": "SHRED" }),
            "INVALID_ACTION",
        ),
    ] {
        let request = Request {
            body: Some(body),
            ..operation(id).request(world)
        };
        given.note(id, &request.send(app).await, code);
    }
    for (id, field, value, code) in [
        ("getTeamMetrics", "group_by", json!("TEAM"), "INVALID_GROUP_BY"),
        (
            "getAnalyticsOutbound",
            "granularity",
            json!("HOUR"),
            "INVALID_GRANULARITY",
        ),
        (
            "getAnalyticsOutbound",
            "extend",
            json!("transcript"),
            "UNSUPPORTED_EXTEND_VALUE",
        ),
        (
            "getAnalyticsInbound",
            "allo_numbers",
            json!([sarah()]),
            "PHONE_NUMBER_NOT_FOUND",
        ),
        (
            "getAnalyticsMessages",
            "date",
            json!({ "from": "2025-01-01", "to": "2026-01-02" }),
            "DATE_RANGE_TOO_WIDE",
        ),
    ] {
        given.note(
            id,
            &operation(id).request(world).field(field, value).send(app).await,
            code,
        );
    }
    let own = authorization(&app.key);
    let (tagging, own) = (
        operation("addTags").request(world),
        ("Authorization", own.as_str()),
    );
    let reply = tagging.with(app, &[own, ("Content-Type", "text/plain")]).await;
    given.note("addTags", &reply, "UNSUPPORTED_MEDIA_TYPE");
    let reply = tagging.with(app, &[own, ("Idempotency-Key", "")]).await;
    given.note("addTags", &reply, "INVALID_HEADER");
    assert_eq!(
        tagging
            .with(app, &[own, ("Idempotency-Key", "once")])
            .await
            .status,
        200
    );
    let other = operation("executeConversationAction").request(world);
    let reply = other.with(app, &[own, ("Idempotency-Key", "once")]).await;
    given.note("executeConversationAction", &reply, "IDEMPOTENCY_KEY_REUSE");
    given.note(
        "",
        &app.post("/v2/api/me", &json!({})).await,
        "METHOD_NOT_ALLOWED",
    );
}

/// What the request names and the team does not have.
async fn what_is_not_there(world: &World, given: &mut Given) {
    let app = &world.app;
    let item = "/v2/api/conversations/items/cll-000000000000000000000000000";
    given.note("", &app.get("/v2/api/nothing").await, "ENDPOINT_NOT_FOUND");
    given.note("", &app.get("/media/1/med-1").await, "FORBIDDEN");
    given.note(
        "getConversationItem",
        &app.get(item).await,
        "CONVERSATION_ITEM_NOT_FOUND",
    );
    let reply = app.delete(&format!("{item}/tags/vip")).await;
    given.note("removeTag", &reply, "CALL_NOT_FOUND");
    let reply = app
        .delete(&format!("/v2/api/conversations/items/{}/tags/none", world.call))
        .await;
    given.note("removeTag", &reply, "TAG_NOT_FOUND");
    given.note(
        "getUser",
        &app.get("/v2/api/users/nobody").await,
        "MEMBER_NOT_FOUND",
    );
    let reply = app.get("/v2/api/conversations?allo_number=%2B14155550177").await;
    given.note("listConversations", &reply, "PHONE_NUMBER_NOT_FOUND");
    let path = format!("/v2/api/conversations/{}/action", encoded(nobody()));
    let reply = app.put(&path, &json!({ "action": "READ" })).await;
    given.note("executeConversationAction", &reply, "CONVERSATION_NOT_FOUND");
    let at = app.board.now();
    let summary = |template| Step::Leave(Leftover::Summary(template, "Short.".to_owned()));
    let steps = vec![
        Step::Answer(None, at),
        summary(SummaryTemplate::Classic),
        summary(SummaryTemplate::ShortCall),
        Step::End(EndCause::HungUp, None, at.plus(9_000)),
    ];
    let call = record(app, Direction::Inbound, us(), nobody(), at, steps).await;
    for (call, key, code) in [
        (call, Value::Null, "SUMMARY_TEMPLATE_KEY_REQUIRED"),
        (
            world.call,
            json!("MARKDOWN_SHORT_CALL"),
            "SUMMARY_TEMPLATE_NOT_FOUND",
        ),
    ] {
        let body = json!({ "content": "Longer.", "template_key": key });
        let reply = app
            .patch(&format!("/v2/api/conversations/items/{call}/summary"), &body)
            .await;
        given.note("updateCallSummary", &reply, code);
    }
}

/// What notes and threads refuse.
async fn notes(world: &World, given: &mut Given) {
    let app = &world.app;
    let note = operation("createConversationNote").request(world);
    let mentions = "@[all](all)".repeat(16);
    for (field, value, code) in [
        ("content", json!(" "), "EMPTY_NOTE_CONTENT"),
        ("content", json!("x".repeat(4_001)), "NOTE_CONTENT_TOO_LONG"),
        ("content", json!(mentions), "TOO_MANY_MENTIONS"),
        ("allo_number", json!(null), "MISSING_ALLO_NUMBER_OR_SENDER_ID"),
    ] {
        let reply = note.field(field, value).send(app).await;
        given.note("createConversationNote", &reply, code);
    }
    let sender = note
        .field("allo_number", json!(null))
        .field("sender_id", json!("GHOST"));
    given.note(
        "createConversationNote",
        &sender.send(app).await,
        "SENDER_ID_NOT_FOUND",
    );
    let nowhere = app.get("/v2/api/conversations/notes/not-1").await;
    given.note("getConversationNote", &nowhere, "NOTE_NOT_FOUND");
    given.note(
        "listPersonNotes",
        &app.get("/v2/api/crm/people/per-1/notes").await,
        "PERSON_NOT_FOUND",
    );
    let bens = people::key_of(app, app.office.ben, ScopeSet::ALL).await;
    for (id, code) in [
        ("updateConversationNote", "NOT_NOTE_AUTHOR"),
        ("updateThreadComment", "NOT_COMMENT_AUTHOR"),
    ] {
        given.note(id, &operation(id).request(world).with_key(app, &bens).await, code);
    }
    let begin = operation("createThread").request(world);
    for (kind, thing, code) in [
        ("CALL", json!(world.call), "THREAD_ALREADY_EXISTS"),
        ("TEXT_MESSAGE", json!("msg-1"), "TEXT_MESSAGE_NOT_FOUND"),
    ] {
        let request = begin.field("entity_type", json!(kind)).field("entity_id", thing);
        given.note("createThread", &request.send(app).await, code);
    }
    given.note(
        "getThread",
        &app.get("/v2/api/threads/thr-1").await,
        "THREAD_NOT_FOUND",
    );
    let comment = format!("/v2/api/threads/{}/comments/cmt-1", world.said.thread);
    let reply = app.patch(&comment, &json!({ "content": "x" })).await;
    given.note("updateThreadComment", &reply, "THREAD_COMMENT_NOT_FOUND");
    sql(app, "UPDATE threads SET comments = 500".to_owned()).await;
    let reply = operation("createThreadComment").request(world).send(app).await;
    given.note("createThreadComment", &reply, "NOTE_LIMIT_REACHED");
}

/// What webhooks refuse.
async fn webhooks(world: &World, given: &mut Given) {
    let (app, all) = (&world.app, "/v2/api/webhooks");
    let endpoint = |url: &str, topic: &str| json!({ "url": url, "topics": [topic] });
    let refused = app
        .post(all, &endpoint("https://10.0.0.1/hook", "sms.sent"))
        .await;
    given.note("createWebhook", &refused, "WEBHOOK_URL_NOT_ALLOWED");
    let taken = endpoint("http://127.0.0.1:9/hook", "sms.sent");
    let refused = app
        .post(all, &endpoint("http://127.0.0.1:9/hook", "sms.lost"))
        .await;
    given.note("createWebhook", &refused, "INVALID_EVENT_TYPE");
    let id = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    given.note(
        "getWebhook",
        &app.get(&format!("{all}/{id}")).await,
        "WEBHOOK_NOT_FOUND",
    );

    let made = app.post(all, &taken).await;
    let one = format!("{all}/{}", made.data()["id"].as_str().unwrap());
    let replay = json!({ "message_id": "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD" });
    let refused = app.post(&format!("{one}/replay"), &replay).await;
    given.note("replayWebhook", &refused, "WEBHOOK_MESSAGE_NOT_FOUND");
    assert_eq!(app.put(&one, &json!({ "enabled": false })).await.status, 200);
    let refused = app.post(&format!("{one}/replay"), &replay).await;
    given.note("replayWebhook", &refused, "WEBHOOK_DISABLED");

    let mut last = made;
    for _ in 0..=100 {
        last = app.post(all, &taken).await;
        if last.status != 201 {
            break;
        }
    }
    given.note("createWebhook", &last, "WEBHOOK_LIMIT_REACHED");
}

/// What the CRM refuses.
async fn crm(world: &World, given: &mut Given) {
    let app = &world.app;
    for (id, path, code) in [
        (
            "getPerson",
            "people/per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
            "PERSON_NOT_FOUND",
        ),
        (
            "getCompany",
            "companies/com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
            "COMPANY_NOT_FOUND",
        ),
        (
            "getPeopleImport",
            "people/import/imp-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
            "IMPORT_NOT_FOUND",
        ),
        (
            "getDeal",
            "deals/dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
            "DEAL_NOT_FOUND",
        ),
    ] {
        given.note(id, &app.get(&format!("/v2/api/crm/{path}")).await, code);
    }
    let taken = json!({ "numbers": [sarah()] });
    let refused = app.post("/v2/api/crm/people", &taken).await;
    given.note("createPerson", &refused, "NUMBER_ALREADY_ASSIGNED");
    given.note("importPeople", &nameless_upload(app).await, "MISSING_HEADER");
    let unreadable = json!({ "filters": { "phone_number": "twelve" } });
    let refused = app.post("/v2/api/crm/people/search", &unreadable).await;
    given.note("searchPeople", &refused, "INVALID_PHONE_NUMBER");
    let unknown = app.delete("/v2/api/crm/properties/unknown").await;
    given.note("deleteProperty", &unknown, "PROPERTY_NOT_FOUND");
}

/// Uploads a file without saying what it is made of.
async fn nameless_upload(app: &TestApp) -> Reply {
    let client = trunkline_testkit::app::client_builder().build().unwrap();
    let upload = client
        .post(format!("{}/v2/api/crm/people/import", app.url))
        .header("Authorization", authorization(&app.key))
        .body("name\nNora\n");
    let response = upload.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Reply {
        status,
        headers,
        json: serde_json::from_str(&text).unwrap(),
        text,
    }
}

/// What queues of the power dialer refuse.
async fn queues(world: &World, given: &mut Given) {
    let app = &world.app;
    let (current, numbers) = (
        "/v2/api/dialing-queues/current",
        "/v2/api/dialing-queues/current/numbers",
    );
    for (query, code) in [
        ("", "DIALING_QUEUE_DELETE_FILTER_REQUIRED"),
        (
            "?unassigned=true&position=1",
            "DIALING_QUEUE_DELETE_FILTER_CONFLICT",
        ),
        ("?position=7", "QUEUE_NUMBER_POSITION_NOT_FOUND"),
        (
            "?unassigned=true&email=ben%40fogcity.example",
            "DIALING_QUEUE_NOT_FOUND",
        ),
    ] {
        given.note(
            "clearDialingQueueNumbers",
            &app.delete(&format!("{numbers}{query}")).await,
            code,
        );
    }
    let reply = app.get(&format!("{current}?user_id=usr-1")).await;
    given.note("getCurrentDialingQueue", &reply, "ASSIGNEE_NOT_FOUND");
    let many = json!({ "numbers": vec![json!({ "number": nobody() }); 1_001] });
    given.note(
        "appendDialingQueueNumbers",
        &app.post(numbers, &many).await,
        "DIALING_QUEUE_LIMIT_REACHED",
    );
    let handing_over = operation("assignDialingQueue").request(world);
    let to_nobody = Request {
        body: Some(json!({})),
        ..handing_over.clone()
    };
    given.note(
        "assignDialingQueue",
        &to_nobody.send(app).await,
        "DIALING_QUEUE_ASSIGNEE_REQUIRED",
    );
    let bens = people::key_of(app, app.office.ben, ScopeSet::ALL).await;
    let reply = handing_over.with_key(app, &bens).await;
    given.note("assignDialingQueue", &reply, "DIALING_QUEUE_ASSIGN_FORBIDDEN");
    let one = json!({ "numbers": [{ "number": nobody() }] });
    assert_eq!(app.post(numbers, &one).await.status, 200);
    let ring = Ring {
        direction: Direction::Outbound,
        line: us(),
        contact: nobody(),
        user: Some(app.office.ada),
        blocked: false,
        at: app.board.now(),
    };
    command(app, move |work| calls::ring(work, &ring)).await;
    given.note(
        "assignDialingQueue",
        &handing_over.send(app).await,
        "DIALING_QUEUE_SESSION_ACTIVE",
    );
}

/// What partners are refused.
async fn partners(world: &World, given: &mut Given) {
    let app = &world.app;
    let making = operation("createPartnerAccount").request(world);
    let gone = app.get("/v2/api/partner/accounts/usr-1").await;
    given.note("getPartnerAccount", &gone, "PARTNER_ACCOUNT_NOT_FOUND");
    for (field, value, code) in [
        (
            "email",
            json!("world@client.example"),
            "PARTNER_ACCOUNT_ALREADY_EXISTS",
        ),
        (
            "number_preference",
            json!({ "country": "DE" }),
            "NO_NUMBER_AVAILABLE",
        ),
    ] {
        given.note(
            "createPartnerAccount",
            &making.field(field, value).send(app).await,
            code,
        );
    }
    for (refusal, code) in [
        (Refusal::NotBillable(None), "PARTNER_SUBSCRIPTION_NOT_BILLABLE"),
        (Refusal::Failed(None), "PARTNER_BILLING_FAILED"),
    ] {
        let url = crate::partners::billed(app, Err(refusal)).await;
        let reply = crate::partners::post_to(app, &url, making.body.as_ref().unwrap(), None).await;
        given.note("createPartnerAccount", &reply, code);
    }
}

/// Who asks.
async fn keys(world: &World, given: &mut Given) {
    let app = &world.app;
    let me = operation("getMe").request(world);
    given.note("getMe", &me.with(app, &[]).await, "UNAUTHORIZED");
    given.note(
        "getMe",
        &me.with_key(app, "ak_test_unknown").await,
        "API_KEY_INVALID",
    );
    let (id, key) = new_key(app, ScopeSet::of(&[Scope::TagsRead])).await;
    let users = operation("listUsers").request(world);
    given.note(
        "listUsers",
        &users.with_key(app, &key).await,
        "API_KEY_INSUFFICIENT_SCOPE",
    );
    let unknown = app.get("/v2/api/keys/api-1").await;
    given.note("getApiKey", &unknown, "API_KEY_NOT_FOUND");
    let bens = people::key_of(app, app.office.ben, ScopeSet::ALL).await;
    let list = operation("listApiKeys").request(world);
    given.note("listApiKeys", &list.with_key(app, &bens).await, "FORBIDDEN");
    let unknown = app.delete("/v2/api/users/invitations/inv-1").await;
    given.note("revokeInvitation", &unknown, "INVITATION_NOT_FOUND");
    let invite = operation("createInvitation").request(world);
    for (email, code) in [
        ("ben@fogcity.example", "USER_ALREADY_EXISTS"),
        ("open@invited.example", "INVITATION_ALREADY_EXISTS"),
    ] {
        let reply = invite.field("email", json!(email)).send(app).await;
        given.note("createInvitation", &reply, code);
    }
    let number = format!("/v2/api/numbers/{}", encoded(us()));
    let nowhere = app.patch(&number, &json!({ "time_zone": "Mars/Olympus" })).await;
    given.note("updateNumber", &nowhere, "UNKNOWN_TIME_ZONE");
    let again = json!({ "sender_id": SENDER_ID.to_lowercase() });
    let taken = app.post("/v2/api/sender_ids", &again).await;
    given.note("createSenderId", &taken, "SENDER_ID_ALREADY_EXISTS");
    let mut last = taken;
    for n in 0..=lines::MAX_SENDER_IDS {
        let wanted = json!({ "sender_id": format!("Code{n}") });
        last = app.post("/v2/api/sender_ids", &wanted).await;
        if last.status != 201 {
            break;
        }
    }
    given.note("createSenderId", &last, "TEAM_LIMIT_REACHED");
    let elsewhere = app
        .patch("/v2/api/team", &json!({ "time_zone": "Mars/Base" }))
        .await;
    given.note("updateTeam", &elsewhere, "UNKNOWN_TIME_ZONE");
    let ada = format!("/v2/api/users/{}/block", app.office.ada);
    given.note("blockUser", &app.post(&ada, &json!({})).await, "LAST_ADMIN");
    revoke(app, id).await;
    given.note("listUsers", &users.with_key(app, &key).await, "API_KEY_REVOKED");
    let live = people::neighbour(app, people::World::Live).await;
    let text = operation("sandboxMessage").request(world);
    given.note(
        "sandboxMessage",
        &text.with_key(app, &live.key).await,
        "SANDBOX_ONLY",
    );
    set_team(app, "plan", "'TRIAL'").await;
    given.note("getMe", &me.send(app).await, "API_KEY_TRIAL_NOT_ALLOWED");
    set_team(app, "plan", "'BUSINESS'").await;
    for (status, blocked) in [("BLOCKED", true), ("ACTIVE", false)] {
        sql(
            app,
            format!("UPDATE users SET status = '{status}' WHERE email = 'ada@fogcity.example'"),
        )
        .await;
        app.state.keys.forget();
        if blocked {
            given.note("getMe", &me.send(app).await, "USER_NOT_FOUND");
        }
    }
    let form = Some("To=%2B14155550100".to_owned());
    let reply = app
        .send_with(Method::POST, "/carriers/twilio/messages", &[], form)
        .await;
    given.note("", &reply, "CARRIER_SIGNATURE_INVALID");
}

async fn sql(app: &TestApp, text: String) {
    let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> { tx.execute(&text, &[]) };
    app.board.db().write(work).await.unwrap();
}

/// The same write twice, while the database is busy with the first one.
async fn twice_at_once(world: &World, given: &mut Given) {
    let app = &world.app;
    let (told, begun) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let (board, team, mut told) = (app.board.clone(), app.office.team, Some(told));
    let busy = tokio::spawn(async move {
        let hold = move |_: &mut Work<'_, '_>| -> Result<(), Error> {
            let _ = told.take().map(|told| told.send(()));
            let _ = released.recv();
            Ok(())
        };
        board.run(team, hold).await.unwrap();
    });
    begun.await.unwrap();
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "at once")];
    let tagging = operation("addTags").request(world);
    let (first, second) = (tagging.with(app, &headers), tagging.with(app, &headers));
    let (mut first, mut second) = (std::pin::pin!(first), std::pin::pin!(second));
    // One of them waits for the database; it is the other that is answered.
    let reply = tokio::select! {
        reply = &mut first => reply,
        reply = &mut second => reply,
    };
    given.note("addTags", &reply, "OTHER_TRANSACTION_IN_PROGRESS");
    drop(release);
    busy.await.unwrap();
}

/// What is not texted.
async fn texts(world: &mut World, given: &mut Given) {
    let app = &mut world.app;
    texts::furnish(app).await;
    for (body, code, _) in texts::refused() {
        given.note("sendSMS", &app.post(texts::SMS, &body).await, code);
    }
    let text = json!({ "from": us(), "to": nobody(), "message": "Hello" });
    assert_eq!(app.post(texts::SMS, &text).await.status, 200);
    let limits = [
        (
            Limits {
                line: Some(1),
                ..Limits::default()
            },
            "DAILY_SMS_LIMIT_REACHED",
        ),
        (
            Limits {
                api: Some(1),
                ..Limits::default()
            },
            "SMS_LIMIT_REACHED",
        ),
        (
            Limits {
                trial: 1,
                ..Limits::default()
            },
            "TRIAL_SMS_LIMIT_REACHED",
        ),
    ];
    for (limits, code) in limits {
        texts::with_policy(app, |policy| policy.limits = limits).await;
        let plan = if limits.trial > 0 { "'TRIAL'" } else { "'BUSINESS'" };
        set_team(app, "plan", plan).await;
        given.note("sendSMS", &app.post(texts::SMS, &text).await, code);
    }
    set_team(app, "plan", "'BUSINESS'").await;
}

/// What is no fault of the request. At the end the server is of no more use.
async fn not_now(world: &mut World, given: &mut Given) {
    let search = operation("searchAllConversations").request(world);
    let me = operation("getMe").request(world);
    world.app.set_limits(1, 1).await;
    next_second(&world.app);
    assert_eq!(me.send(&world.app).await.status, 200);
    given.note("getMe", &me.send(&world.app).await, "RATE_LIMIT_EXCEEDED");
    let numbers = operation("getNumbers").request(world);
    let refused = numbers.send(&world.app).await;
    given.note("getNumbers", &refused, "API_KEY_QUOTA_EXCEEDED");
    world.app.set_limits(1_000_000, 1_000_000).await;

    // Nobody fills this index.
    let folder = tempfile::tempdir().unwrap();
    let db = world.app.board.db().clone();
    let (index, _follower) = SearchIndex::open(folder.path(), db, SearchOptions::default()).unwrap();
    let state = world.app.state.with(|shared| shared.search = Some(index));
    let whole = std::mem::replace(&mut world.app.url, serve(trunkline_server::router(state)).await);
    let words = search.field("search", json!("bill"));
    given.note(
        "searchAllConversations",
        &words.send(&world.app).await,
        "SEARCH_NOT_READY",
    );
    world.app.url = whole;

    given.note(
        "searchAllConversations",
        &half_a_body(&world.app).await,
        "REQUEST_TIMEOUT",
    );
    sql(&world.app, "ALTER TABLE tags RENAME TO labels".to_owned()).await;
    let tags = operation("listTags").request(world);
    given.note("listTags", &tags.send(&world.app).await, "INTERNAL_SERVER_ERROR");
    sql(&world.app, "ALTER TABLE labels RENAME TO tags".to_owned()).await;

    let db = world.app.board.db().clone();
    tokio::task::spawn_blocking(move || db.close()).await.unwrap();
    given.note(
        "searchAllConversations",
        &search.send(&world.app).await,
        "SERVICE_UNAVAILABLE",
    );
}

/// Sends a server that has little patience the beginning of a body, and no more.
async fn half_a_body(app: &TestApp) -> Reply {
    let state = with_settings(app, |settings| {
        settings.request_timeout = Duration::from_millis(50)
    });
    let url = serve(trunkline_server::router(state)).await;
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "POST {SEARCH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\
         Content-Type: application/json\r\nAuthorization: {}\r\n\r\n{{",
        authorization(&app.key)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    Reply {
        status,
        headers,
        text: body.to_owned(),
        json: serde_json::from_str(body).unwrap(),
    }
}
