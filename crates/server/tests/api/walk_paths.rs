//! Every path: with methods it does not have, with parameters that are none, and ids of the request.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use trunkline_testkit::db::TestDb;

use crate::operations::{Request, operations};
use crate::support::{World, advice, assert_common, assert_error, blamed};

trunkline_testkit::on_both! {
    a_wrong_method_is_told_the_right_ones,
    an_unknown_path_is_not_found,
    malformed_path_parameters_are_refused,
    the_clients_own_request_id_is_echoed,
}

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

async fn a_wrong_method_is_told_the_right_ones(db: TestDb) {
    let world = World::open(db).await;
    let mut paths: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for operation in operations() {
        let entry = paths
            .entry(operation.path.clone())
            .or_insert_with(|| (operation.filled(&world), BTreeSet::new()));
        entry.1.insert(operation.method.to_string());
    }
    for (path, (filled, allowed)) in paths {
        for method in METHODS.iter().filter(|method| !allowed.contains(method.as_str())) {
            let reply = world.app.send(method.clone(), &filled, None).await;
            assert_eq!(reply.status, 405, "{method} {path}: {}", reply.text);
            assert_error(&reply, "METHOD_NOT_ALLOWED");
            assert_common(&reply);
            let told: BTreeSet<String> = reply.header("allow").split(", ").map(str::to_owned).collect();
            assert_eq!(told, allowed, "{method} {path}");
            let suggestion = advice(&reply);
            assert!(
                allowed.iter().all(|name| suggestion.contains(name)),
                "{method} {path}: {suggestion}"
            );
        }
    }
}

async fn an_unknown_path_is_not_found(db: TestDb) {
    let world = World::open(db).await;
    let unknown = [
        "/v2/api",
        "/v2/api/",
        "/v2/api/mee",
        "/v2/api/me/",
        "/v2/api/conversations/",
        "/v3/api/me",
        "/nothing",
        "/v2/api/conversations/items",
        "/v2/api/tags/vip/calls",
        "/v2/api/conversations/items/a/b",
        "/V2/api/me",
    ];
    for path in unknown {
        for method in METHODS {
            let reply = world.app.send(method.clone(), path, None).await;
            assert_eq!(
                reply.code(),
                "ENDPOINT_NOT_FOUND",
                "{method} {path}: {} {}",
                reply.status,
                reply.text
            );
            assert_error(&reply, "ENDPOINT_NOT_FOUND");
            assert_common(&reply);
        }
    }
}

/// A path with what is no id in it, and the answer.
struct Malformed {
    operation: &'static str,
    values: &'static [&'static str],
    code: &'static str,
    param: &'static str,
}

/// What is no id of an endpoint, or one of nobody's.
const NO_WEBHOOKS: [&str; 8] = [
    "x",
    "ep_",
    "ep_1",
    "%FF",
    "%00",
    "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
    "ep_%C3%A9",
    "..%2f",
];

/// What is no id of a person, a company or a deal, or one of nobody's.
const NO_RECORDS: [&str; 8] = [
    "x",
    "per-",
    "com-1",
    "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
    "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
    "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
    "%FF",
    "%00",
];

/// What is no id of a note, or one of nobody's; and so on.
const NO_INVITATIONS: [&str; 6] = [
    "x",
    "inv-",
    "inv-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
    "%FF",
    "%00",
    "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_NOTES: [&str; 6] = [
    "x",
    "not-",
    "not-1",
    "%FF",
    "%00",
    "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_PEOPLE: [&str; 6] = [
    "x",
    "per-",
    "per-1",
    "%FF",
    "%00",
    "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_THREADS: [&str; 6] = [
    "x",
    "thr-",
    "thr-1",
    "%FF",
    "%00",
    "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_COMMENTS: [&str; 6] = [
    "x",
    "cmt-",
    "cmt-1",
    "%FF",
    "%00",
    "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_TEMPLATES: [&str; 6] = [
    "x",
    "tst-",
    "tst-1",
    "%FF",
    "%00",
    "tag-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_ACCOUNTS: [&str; 6] = [
    "x",
    "usr-",
    "usr-1",
    "%FF",
    "%00",
    "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];
const NO_NUMBERS: [&str; 7] = [
    "x",
    "14155551234",
    "%2B",
    "%2B1415",
    "%2B1%20415%20555%201234",
    "%FF",
    "+1-415-555-1234",
];

/// What is no key of a tag, no id of one, or one of nobody's.
const NO_TAGS: [&str; 8] = [
    "x",
    "!!",
    "tag-",
    "tag-1",
    "tag-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
    "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
    "%FF",
    "%00",
];

/// What is no sender id, no id of one, or one of nobody's.
const NO_SENDER_IDS: [&str; 8] = [
    "x",
    "Nobodys",
    "num-",
    "num-1",
    "num-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
    "%2B14155550100",
    "%FF",
    "%00",
];

/// What is no id of a key, or one of nobody's.
const NO_KEYS: [&str; 6] = [
    "x",
    "api-",
    "api-1",
    "%FF",
    "%00",
    "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];

/// What is no id of a user, or one of nobody's.
const NO_USERS: [&str; 6] = [
    "x",
    "usr-",
    "usr-1",
    "%FF",
    "%00",
    "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
];

const MALFORMED: &[Malformed] = &[
    Malformed {
        operation: "updateUser",
        values: &NO_USERS,
        code: "MEMBER_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "blockUser",
        values: &NO_USERS,
        code: "MEMBER_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "unblockUser",
        values: &NO_USERS,
        code: "MEMBER_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getApiKey",
        values: &NO_KEYS,
        code: "API_KEY_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "revokeApiKey",
        values: &NO_KEYS,
        code: "API_KEY_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getWebhook",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "updateWebhook",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "deleteWebhook",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "rotateWebhookSecret",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "testWebhook",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "listWebhookDeliveries",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "replayWebhook",
        values: &NO_WEBHOOKS,
        code: "WEBHOOK_NOT_FOUND",
        param: "webhook_id",
    },
    Malformed {
        operation: "getConversationItem",
        values: &[
            "x",
            "cll",
            "cll-",
            "cll-%20",
            "usr-1",
            "cll-a.b",
            "%FF",
            "cll-%C3%A9",
            "..%2f",
            "%00",
            "0",
            "-",
        ],
        code: "INVALID_ITEM_ID",
        param: "id",
    },
    Malformed {
        operation: "updateCallSummary",
        values: &["x", "cll-", "%FF", "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "msg-1"],
        code: "INVALID_ITEM_ID",
        param: "id",
    },
    Malformed {
        operation: "addTags",
        values: &["x", "cll-", "%FF", "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "msg-1"],
        code: "INVALID_ITEM_ID",
        param: "id",
    },
    Malformed {
        operation: "removeTag",
        values: &["x", "cll-", "%FF", "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "msg-1"],
        code: "INVALID_ITEM_ID",
        param: "id",
    },
    Malformed {
        operation: "executeConversationAction",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "contact_number",
    },
    Malformed {
        operation: "updateContact",
        values: &NO_PEOPLE,
        code: "CONTACT_NOT_FOUND",
        param: "contact_id",
    },
    Malformed {
        operation: "getContact",
        values: &NO_PEOPLE,
        code: "CONTACT_NOT_FOUND",
        param: "contact_id",
    },
    Malformed {
        operation: "searchConversations",
        values: &NO_PEOPLE,
        code: "CONTACT_NOT_FOUND",
        param: "contact_id",
    },
    Malformed {
        operation: "getPerson",
        values: &NO_RECORDS,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updatePerson",
        values: &NO_RECORDS,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deletePerson",
        values: &NO_RECORDS,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "mergePerson",
        values: &NO_RECORDS,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getPeopleImport",
        values: &[
            "x",
            "imp-",
            "imp-1",
            "%FF",
            "%00",
            "imp-2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
        ],
        code: "IMPORT_NOT_FOUND",
        param: "import_id",
    },
    Malformed {
        operation: "getCompany",
        values: &NO_RECORDS,
        code: "COMPANY_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updateCompany",
        values: &NO_RECORDS,
        code: "COMPANY_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getDeal",
        values: &NO_RECORDS,
        code: "DEAL_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updateDeal",
        values: &NO_RECORDS,
        code: "DEAL_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deleteDeal",
        values: &NO_RECORDS,
        code: "DEAL_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updateProperty",
        values: &["x", "Lead%20Source", "%FF", "%00", "name"],
        code: "PROPERTY_NOT_FOUND",
        param: "key",
    },
    Malformed {
        operation: "deleteProperty",
        values: &["x", "Lead%20Source", "%FF", "%00", "name"],
        code: "PROPERTY_NOT_FOUND",
        param: "key",
    },
    Malformed {
        operation: "getUser",
        values: &[
            "x",
            "usr-",
            "usr-1",
            "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
            "%FF",
            "usr-%C3%A9",
        ],
        code: "MEMBER_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getConversationNote",
        values: &NO_NOTES,
        code: "NOTE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updateConversationNote",
        values: &NO_NOTES,
        code: "NOTE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deleteConversationNote",
        values: &NO_NOTES,
        code: "NOTE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updatePersonNote",
        values: &NO_NOTES,
        code: "NOTE_NOT_FOUND",
        param: "note_id",
    },
    Malformed {
        operation: "deletePersonNote",
        values: &NO_NOTES,
        code: "NOTE_NOT_FOUND",
        param: "note_id",
    },
    Malformed {
        operation: "listPersonNotes",
        values: &NO_PEOPLE,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "createPersonNote",
        values: &NO_PEOPLE,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updatePersonNote",
        values: &NO_PEOPLE,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deletePersonNote",
        values: &NO_PEOPLE,
        code: "PERSON_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "listConversationNotes",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "contact_number",
    },
    Malformed {
        operation: "createConversationNote",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "contact_number",
    },
    Malformed {
        operation: "getThread",
        values: &NO_THREADS,
        code: "THREAD_NOT_FOUND",
        param: "thread_id",
    },
    Malformed {
        operation: "createThreadComment",
        values: &NO_THREADS,
        code: "THREAD_NOT_FOUND",
        param: "thread_id",
    },
    Malformed {
        operation: "updateThreadComment",
        values: &NO_THREADS,
        code: "THREAD_NOT_FOUND",
        param: "thread_id",
    },
    Malformed {
        operation: "resolveThread",
        values: &NO_THREADS,
        code: "THREAD_NOT_FOUND",
        param: "thread_id",
    },
    Malformed {
        operation: "unresolveThread",
        values: &NO_THREADS,
        code: "THREAD_NOT_FOUND",
        param: "thread_id",
    },
    Malformed {
        operation: "updateThreadComment",
        values: &NO_COMMENTS,
        code: "THREAD_COMMENT_NOT_FOUND",
        param: "comment_id",
    },
    Malformed {
        operation: "listCallSummaries",
        values: &["x", "cll-", "%FF", "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "msg-1"],
        code: "INVALID_ITEM_ID",
        param: "id",
    },
    Malformed {
        operation: "getSummaryTemplate",
        values: &NO_TEMPLATES,
        code: "SUMMARY_TEMPLATE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "updateSummaryTemplate",
        values: &NO_TEMPLATES,
        code: "SUMMARY_TEMPLATE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deleteSummaryTemplate",
        values: &NO_TEMPLATES,
        code: "SUMMARY_TEMPLATE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "getPartnerAccount",
        values: &NO_ACCOUNTS,
        code: "PARTNER_ACCOUNT_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "deletePartnerAccount",
        values: &NO_ACCOUNTS,
        code: "PARTNER_ACCOUNT_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "suspendPartnerAccount",
        values: &NO_ACCOUNTS,
        code: "PARTNER_ACCOUNT_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "revokeInvitation",
        values: &NO_INVITATIONS,
        code: "INVITATION_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "resendInvitation",
        values: &NO_INVITATIONS,
        code: "INVITATION_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "resumePartnerAccount",
        values: &NO_ACCOUNTS,
        code: "PARTNER_ACCOUNT_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "assignDialingQueue",
        values: &[
            "x",
            "pdl_",
            "pdl_1",
            "pdl_2Hk9GqkQe7b1T4yVnUo3xZ0aBcE",
            "%FF",
            "%00",
            "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
        ],
        code: "DIALING_QUEUE_NOT_FOUND",
        param: "id",
    },
    Malformed {
        operation: "setNumberDefaultSummaryTemplate",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "number",
    },
    Malformed {
        operation: "getNumber",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "number",
    },
    Malformed {
        operation: "updateNumber",
        values: &NO_NUMBERS,
        code: "INVALID_PHONE_FORMAT",
        param: "number",
    },
    Malformed {
        operation: "getTag",
        values: &NO_TAGS,
        code: "TAG_NOT_FOUND",
        param: "tag",
    },
    Malformed {
        operation: "updateTag",
        values: &NO_TAGS,
        code: "TAG_NOT_FOUND",
        param: "tag",
    },
    Malformed {
        operation: "deleteTag",
        values: &NO_TAGS,
        code: "TAG_NOT_FOUND",
        param: "tag",
    },
    Malformed {
        operation: "getSenderId",
        values: &NO_SENDER_IDS,
        code: "SENDER_ID_NOT_FOUND",
        param: "sender_id",
    },
    Malformed {
        operation: "updateSenderId",
        values: &NO_SENDER_IDS,
        code: "SENDER_ID_NOT_FOUND",
        param: "sender_id",
    },
    Malformed {
        operation: "deleteSenderId",
        values: &NO_SENDER_IDS,
        code: "SENDER_ID_NOT_FOUND",
        param: "sender_id",
    },
];

async fn malformed_path_parameters_are_refused(db: TestDb) {
    let world = World::open(db).await;
    let with_parameters = operations()
        .into_iter()
        .filter(|operation| operation.path.contains('{'));
    for operation in with_parameters {
        let cases = MALFORMED.iter().filter(|case| case.operation == operation.id);
        let cases: Vec<_> = cases
            .flat_map(|case| case.values.iter().map(move |value| (case, value)))
            .collect();
        assert!(
            !cases.is_empty(),
            "{} has no malformed parameter to be tried with",
            operation.id
        );
        for (case, value) in cases {
            let path = operation.path.replace(&format!("{{{}}}", case.param), value);
            let path = operation.fill(path, &world);
            let reply = Request {
                path,
                ..operation.request(&world)
            }
            .send(&world.app)
            .await;
            assert_eq!(
                reply.code(),
                case.code,
                "{} with {value}: {}",
                operation.name(),
                reply.text
            );
            assert_error(&reply, case.code);
            assert_common(&reply);
            assert_eq!(
                blamed(&reply),
                BTreeSet::from([case.param.to_owned()]),
                "{} with {value}",
                operation.name()
            );
        }
    }
    // The second parameter of the one path that has two.
    let path = format!("/v2/api/conversations/items/{}/tags/%FF", world.call);
    assert_error(&world.app.delete(&path).await, "TAG_NOT_FOUND");
}

async fn the_clients_own_request_id_is_echoed(db: TestDb) {
    let world = World::open(db).await;
    let long = "x".repeat(128);
    let too_long = "x".repeat(129);
    for operation in operations() {
        operation.prepare(&world).await;
        let request = operation.request(&world);
        let authorization = crate::support::authorization(&world.app.key);
        for own in ["my-id-1", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", &long] {
            let reply = request
                .with(
                    &world.app,
                    &[("Authorization", &authorization), ("X-Request-Id", own)],
                )
                .await;
            assert_eq!(reply.header("x-request-id"), own, "{}", operation.name());
            let reply = request.with(&world.app, &[("X-Request-Id", own)]).await;
            assert_eq!(reply.header("x-request-id"), own, "{}", operation.name());
            if !operation.path.starts_with("/v1/") {
                assert_eq!(reply.json["error"]["request_id"], own, "{}", operation.name());
            }
            crate::support::next_second(&world.app);
        }
        let one = request.with(&world.app, &[("X-Request-Id", "")]).await;
        for insane in ["two words", "tab\tbed", "é", &too_long] {
            let reply = request.with(&world.app, &[("X-Request-Id", insane)]).await;
            assert_common(&reply);
            assert_ne!(
                reply.header("x-request-id"),
                one.header("x-request-id"),
                "ids are new for each request"
            );
            crate::support::next_second(&world.app);
        }
    }
}
