//! Every operation, asked with every kind of key that must not open it.

use std::collections::BTreeSet;

use serde_json::json;
use trunkline_domain::{ErrorCode, Millis, Role, Scope, ScopeSet};
use trunkline_switchboard::accounts;
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::TestDb;

use crate::document::{described, document};
use crate::operations::operations;
use crate::people::{all_but, key_of, new_key, revoke};
use crate::support::{
    World, advice, assert_common, assert_error, authorization, command, next_second, set_team,
};

trunkline_testkit::on_both! {
    without_a_key_nothing_is_answered,
    a_key_that_does_not_exist_opens_nothing,
    a_revoked_key_opens_nothing,
    a_key_in_the_wrong_form_is_told_the_right_one,
    a_key_without_the_prefix_is_understood,
    a_trial_team_has_no_api,
    a_key_needs_the_scope,
    a_key_of_a_blocked_user_opens_nothing,
    an_expired_key_opens_nothing,
    a_key_needs_the_role,
    errors_link_to_their_explanation,
}

/// An unknown key of the right shape.
const UNKNOWN: &str = "ak_test_0123456789012345678901234567890123456789012";

/// Asks every operation with these headers. Each in a second of its own: who has no valid key is counted by address.
async fn ask_all(world: &World, headers: &[(&str, &str)]) -> Vec<(String, Reply)> {
    let mut replies = Vec::new();
    let document = document();
    for operation in operations() {
        next_second(&world.app);
        let reply = operation.request(world).with(&world.app, headers).await;
        assert_common(&reply);
        let described = &described(&document, &operation)["responses"][reply.status.to_string()];
        assert!(
            !described.is_null(),
            "{} {} is not described",
            operation.name(),
            reply.status
        );
        replies.push((operation.name(), reply));
    }
    replies
}

async fn assert_all(world: &World, headers: &[(&str, &str)], code: &str) -> Vec<(String, Reply)> {
    let before = world.app.office.last_event().await;
    let replies = ask_all(world, headers).await;
    for (name, reply) in &replies {
        assert_eq!(reply.code(), code, "{name}: {}", reply.text);
        assert_error(reply, code);
    }
    assert_eq!(world.app.office.last_event().await, before, "something was done");
    replies
}

async fn without_a_key_nothing_is_answered(db: TestDb) {
    let world = World::open(db).await;
    for headers in [
        &[][..],
        &[("Authorization", "")],
        &[("Authorization", "Api-Key ")],
    ] {
        for (name, reply) in assert_all(&world, headers, "UNAUTHORIZED").await {
            assert!(advice(&reply).contains("Api-Key ak_"), "{name}");
            assert_eq!(reply.header("www-authenticate"), "Api-Key", "{name}");
        }
    }
}

async fn a_key_that_does_not_exist_opens_nothing(db: TestDb) {
    let world = World::open(db).await;
    let nearly = format!("{}x", world.app.key);
    let cut = &world.app.key[..world.app.key.len() - 1];
    for key in [
        UNKNOWN,
        "ak_",
        "no key at all",
        &nearly,
        cut,
        &world.app.key.to_uppercase(),
    ] {
        assert_all(
            &world,
            &[("Authorization", &authorization(key))],
            "API_KEY_INVALID",
        )
        .await;
    }
}

async fn a_revoked_key_opens_nothing(db: TestDb) {
    let world = World::open(db).await;
    let (id, key) = new_key(&world.app, ScopeSet::ALL).await;
    let me = crate::operations::operation("getMe");
    assert_eq!(me.request(&world).with_key(&world.app, &key).await.status, 200);
    revoke(&world.app, id).await;
    assert_all(
        &world,
        &[("Authorization", &authorization(&key))],
        "API_KEY_REVOKED",
    )
    .await;
    assert_eq!(
        me.request(&world).send(&world.app).await.status,
        200,
        "other keys are as good as before"
    );
}

async fn a_key_in_the_wrong_form_is_told_the_right_one(db: TestDb) {
    let world = World::open(db).await;
    let key = world.app.key.clone();
    for value in [
        format!("Bearer {key}"),
        format!("bearer {key}"),
        format!("Basic {key}"),
        format!("Token {key}"),
    ] {
        for (name, reply) in assert_all(&world, &[("Authorization", &value)], "API_KEY_INVALID").await {
            let suggestion = advice(&reply);
            assert!(
                suggestion.contains("Authorization: Api-Key ak_"),
                "{name}: {suggestion}"
            );
            assert!(!reply.text.contains(&key), "the key is not repeated");
        }
    }
}

async fn a_key_without_the_prefix_is_understood(db: TestDb) {
    let world = World::open(db).await;
    let key = world.app.key.clone();
    for value in [
        key.clone(),
        format!("api-key {key}"),
        format!("API-KEY {key}"),
        format!("Api-Key  {key}"),
    ] {
        for operation in operations() {
            operation.prepare(&world).await;
            let reply = operation
                .request(&world)
                .with(&world.app, &[("Authorization", &value)])
                .await;
            assert!(
                (200..300).contains(&reply.status),
                "{}: {}",
                operation.name(),
                reply.text
            );
            assert_common(&reply);
        }
    }
}

async fn a_trial_team_has_no_api(db: TestDb) {
    let world = World::open(db).await;
    set_team(&world.app, "plan", "'TRIAL'").await;
    assert_all(
        &world,
        &[("Authorization", &authorization(&world.app.key))],
        "API_KEY_TRIAL_NOT_ALLOWED",
    )
    .await;
}

async fn a_key_needs_the_scope(db: TestDb) {
    let world = World::open(db).await;
    for operation in operations()
        .into_iter()
        .filter(|operation| !operation.scopes.is_empty())
    {
        let name = operation.name();
        let (_, without) = new_key(&world.app, all_but(operation.scopes)).await;
        operation.prepare(&world).await;
        let reply = operation.request(&world).with_key(&world.app, &without).await;
        assert_error(&reply, "API_KEY_INSUFFICIENT_SCOPE");
        assert_common(&reply);
        for scope in operation.scopes {
            if operation.path.starts_with("/v1/") {
                let told = json!([{ "message": format!("required={scope}"), "field": "scope" }]);
                assert_eq!(reply.json["details"], told, "{name}");
            } else {
                let message = reply.json["error"]["message"].as_str().unwrap();
                assert!(message.contains(&format!("'{scope}'")), "{name}: {message}");
            }
            let (_, with) = new_key(&world.app, ScopeSet::of(&[*scope])).await;
            let reply = operation.request(&world).with_key(&world.app, &with).await;
            // An account is seen by the key that made it.
            let not_this_ones = reply.code() == "PARTNER_ACCOUNT_NOT_FOUND";
            assert!(
                (200..300).contains(&reply.status) || not_this_ones,
                "{name} with {scope} alone: {}",
                reply.text
            );
            operation.prepare(&world).await;
        }
    }
    let (_, other) = new_key(&world.app, ScopeSet::of(&[Scope::Partner])).await;
    for operation in operations()
        .into_iter()
        .filter(|operation| operation.scopes.is_empty())
    {
        let reply = operation.request(&world).with_key(&world.app, &other).await;
        assert_eq!(reply.status, 200, "{} is for any key", operation.name());
    }
}

/// The contract's table of scopes (behaviour.md, section 1), written down a second time.
#[test]
fn the_table_asks_for_the_scopes_of_the_contract() {
    let expected: BTreeSet<(&str, Vec<&str>)> = BTreeSet::from([
        ("getMe", vec![]),
        ("listConversations", vec!["CONVERSATIONS_READ"]),
        ("searchAllConversations", vec!["CONVERSATIONS_READ"]),
        ("batchGetConversationItems", vec!["CONVERSATIONS_READ"]),
        ("getConversationItem", vec!["CONVERSATIONS_READ"]),
        (
            "executeConversationAction",
            vec!["CONVERSATIONS_READ", "CONVERSATIONS_WRITE"],
        ),
        ("updateCallSummary", vec!["CONVERSATIONS_WRITE"]),
        ("addTags", vec!["TAGS_WRITE"]),
        ("removeTag", vec!["TAGS_WRITE"]),
        ("listTags", vec!["TAGS_READ"]),
        ("getTag", vec!["TAGS_READ"]),
        ("createTag", vec!["TEAM_MANAGE"]),
        ("updateTag", vec!["TEAM_MANAGE"]),
        ("deleteTag", vec!["TEAM_MANAGE"]),
        ("listUsers", vec!["USERS_READ"]),
        ("getUser", vec!["USERS_READ"]),
        ("listNumbers", vec!["PHONE_NUMBERS_READ"]),
        ("updateUser", vec!["TEAM_MANAGE"]),
        ("getNumber", vec!["TEAM_MANAGE"]),
        ("updateNumber", vec!["TEAM_MANAGE"]),
        ("listSenderIds", vec!["TEAM_MANAGE"]),
        ("createSenderId", vec!["TEAM_MANAGE"]),
        ("getSenderId", vec!["TEAM_MANAGE"]),
        ("updateSenderId", vec!["TEAM_MANAGE"]),
        ("deleteSenderId", vec!["TEAM_MANAGE"]),
        ("blockUser", vec!["TEAM_MANAGE"]),
        ("unblockUser", vec!["TEAM_MANAGE"]),
        ("listAuditLog", vec!["TEAM_MANAGE"]),
        ("getTeam", vec!["TEAM_MANAGE"]),
        ("updateTeam", vec!["TEAM_MANAGE"]),
        ("getUsage", vec!["BILLING"]),
        ("listInvitations", vec!["TEAM_MANAGE"]),
        ("createInvitation", vec!["TEAM_MANAGE"]),
        ("revokeInvitation", vec!["TEAM_MANAGE"]),
        ("resendInvitation", vec!["TEAM_MANAGE"]),
        ("listApiKeys", vec!["TEAM_MANAGE"]),
        ("createApiKey", vec!["TEAM_MANAGE"]),
        ("getApiKey", vec!["TEAM_MANAGE"]),
        ("revokeApiKey", vec!["TEAM_MANAGE"]),
        ("listCallSummaries", vec!["CONVERSATIONS_READ"]),
        ("listSummaryTemplates", vec!["SUMMARY_TEMPLATES_READ"]),
        ("createSummaryTemplate", vec!["SUMMARY_TEMPLATES_WRITE"]),
        ("getSummaryTemplate", vec!["SUMMARY_TEMPLATES_READ"]),
        ("updateSummaryTemplate", vec!["SUMMARY_TEMPLATES_WRITE"]),
        ("deleteSummaryTemplate", vec!["SUMMARY_TEMPLATES_WRITE"]),
        ("setNumberDefaultSummaryTemplate", vec!["SUMMARY_TEMPLATES_WRITE"]),
        ("createPartnerAccount", vec!["PARTNER"]),
        ("getPartnerAccount", vec!["PARTNER"]),
        ("deletePartnerAccount", vec!["PARTNER"]),
        ("suspendPartnerAccount", vec!["PARTNER"]),
        ("resumePartnerAccount", vec!["PARTNER"]),
        ("getCurrentDialingQueue", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("resetCurrentDialingQueue", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("upsertCurrentDialingQueue", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("appendDialingQueueNumbers", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("clearDialingQueueNumbers", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("assignDialingQueue", vec!["DIALING_QUEUE_READ_WRITE"]),
        ("listConversationNotes", vec!["NOTES_READ"]),
        ("createConversationNote", vec!["NOTES_WRITE"]),
        ("getConversationNote", vec!["NOTES_READ"]),
        ("updateConversationNote", vec!["NOTES_WRITE"]),
        ("deleteConversationNote", vec!["NOTES_WRITE"]),
        ("listPersonNotes", vec!["NOTES_READ"]),
        ("createPersonNote", vec!["NOTES_WRITE"]),
        ("updatePersonNote", vec!["NOTES_WRITE"]),
        ("deletePersonNote", vec!["NOTES_WRITE"]),
        ("findThread", vec!["THREADS_READ"]),
        ("createThread", vec!["THREADS_WRITE"]),
        ("getThread", vec!["THREADS_READ"]),
        ("createThreadComment", vec!["THREADS_WRITE"]),
        ("updateThreadComment", vec!["THREADS_WRITE"]),
        ("resolveThread", vec!["THREADS_WRITE"]),
        ("unresolveThread", vec!["THREADS_WRITE"]),
        ("createPerson", vec!["CRM_WRITE"]),
        ("searchPeople", vec!["CRM_READ"]),
        ("getPerson", vec!["CRM_READ"]),
        ("updatePerson", vec!["CRM_WRITE"]),
        ("deletePerson", vec!["CRM_DELETE"]),
        ("mergePerson", vec!["CRM_WRITE"]),
        ("importPeople", vec!["CRM_WRITE"]),
        ("getPeopleImport", vec!["CRM_READ"]),
        ("createCompany", vec!["CRM_WRITE"]),
        ("searchCompanies", vec!["CRM_READ"]),
        ("getCompany", vec!["CRM_READ"]),
        ("updateCompany", vec!["CRM_WRITE"]),
        ("createDeal", vec!["CRM_WRITE"]),
        ("searchDeals", vec!["CRM_READ"]),
        ("getDeal", vec!["CRM_READ"]),
        ("updateDeal", vec!["CRM_WRITE"]),
        ("deleteDeal", vec!["CRM_DELETE"]),
        ("listProperties", vec!["CRM_READ"]),
        ("createProperty", vec!["CRM_WRITE"]),
        ("updateProperty", vec!["CRM_WRITE"]),
        ("deleteProperty", vec!["CRM_DELETE"]),
        ("getTeamMetrics", vec!["CONVERSATIONS_READ"]),
        ("getAnalyticsOutbound", vec!["CONVERSATIONS_READ"]),
        ("getAnalyticsInbound", vec!["CONVERSATIONS_READ"]),
        ("getAnalyticsMessages", vec!["CONVERSATIONS_READ"]),
        ("exportItems", vec!["CONVERSATIONS_READ"]),
        ("searchCalls", vec!["CONVERSATIONS_READ"]),
        ("searchContacts", vec!["CONTACTS_READ"]),
        ("createContact", vec!["CONTACTS_READ_WRITE"]),
        ("updateContact", vec!["CONTACTS_READ_WRITE"]),
        ("getContact", vec!["CONTACTS_READ"]),
        ("searchConversations", vec!["CONVERSATIONS_READ"]),
        ("getNumbers", vec!["PHONE_NUMBERS_READ"]),
        ("listWebhooks", vec!["WEBHOOKS_READ_WRITE"]),
        ("createWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("listWebhookEventTypes", vec!["WEBHOOKS_READ_WRITE"]),
        ("getWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("updateWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("deleteWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("rotateWebhookSecret", vec!["WEBHOOKS_READ_WRITE"]),
        ("testWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("listWebhookDeliveries", vec!["WEBHOOKS_READ_WRITE"]),
        ("replayWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("followEvents", vec!["WEBHOOKS_READ_WRITE"]),
        ("sendSMS", vec!["SMS_SEND"]),
        ("sandboxMessage", vec!["CALLS_CONTROL", "SMS_SEND"]),
        ("sandboxCall", vec!["CALLS_CONTROL", "SMS_SEND"]),
    ]);
    let all = operations();
    let scopes =
        |operation: &crate::operations::Operation| operation.scopes.iter().map(|s| s.as_str()).collect();
    let found: BTreeSet<(&str, Vec<&str>)> = all
        .iter()
        .map(|operation| (operation.id.as_str(), scopes(operation)))
        .collect();
    assert_eq!(found, expected);
}

async fn a_key_of_a_blocked_user_opens_nothing(db: TestDb) {
    let world = World::open(db).await;
    let block = |tx: &mut trunkline_store::Tx<'_>| -> Result<u64, trunkline_store::StoreError> {
        tx.execute(
            "UPDATE users SET status = 'BLOCKED' WHERE email = 'ada@fogcity.example'",
            &[],
        )
    };
    assert_eq!(world.app.board.db().write(block).await.unwrap(), 1);
    world.app.state.keys.forget();
    assert_all(
        &world,
        &[("Authorization", &authorization(&world.app.key))],
        "USER_NOT_FOUND",
    )
    .await;
}

async fn an_expired_key_opens_nothing(db: TestDb) {
    let world = World::open(db).await;
    let end = world.app.board.now().plus(Millis::HOUR);
    let body = json!({ "name": "For an hour", "scopes": ScopeSet::ALL, "expires_at": end });
    let made = world.app.post("/v2/api/keys", &body).await;
    let key = made.data()["secret"].as_str().unwrap().to_owned();
    let me = crate::operations::operation("getMe");
    assert_eq!(me.request(&world).with_key(&world.app, &key).await.status, 200);
    world.app.office.clock.advance(Millis::HOUR);
    for (name, reply) in assert_all(
        &world,
        &[("Authorization", &authorization(&key))],
        "API_KEY_INVALID",
    )
    .await
    {
        assert!(reply.text.contains(&end.to_string()), "{name}: {}", reply.text);
    }
}

/// Every operation, asked by each role with all scopes: the table's role decides, and nothing else.
async fn a_key_needs_the_role(db: TestDb) {
    let world = World::open(db).await;
    let mut refused = 0;
    for role in Role::ALL {
        let email = format!("{role}@fogcity.example");
        let user = command(&world.app, move |work| {
            accounts::create_user(work, "Dana", &email, *role)
        })
        .await;
        let key = key_of(&world.app, user, ScopeSet::ALL).await;
        let me = crate::operations::operation("getMe");
        let me = me.request(&world).with_key(&world.app, &key).await;
        let endpoints = me.data()["endpoints"].as_array().unwrap().clone();
        for operation in operations() {
            operation.prepare(&world).await;
            let reply = operation.request(&world).with_key(&world.app, &key).await;
            assert_common(&reply);
            let may = role.covers(operation.role);
            assert_eq!(
                reply.code() == "FORBIDDEN",
                !may,
                "{role}: {} {}",
                operation.name(),
                reply.text
            );
            let listed = endpoints
                .iter()
                .any(|entry| entry["method"] == operation.method.as_str() && entry["path"] == operation.path);
            assert_eq!(listed, may, "{role}: {} in /v2/api/me", operation.name());
            if !may {
                assert_error(&reply, "FORBIDDEN");
                refused += 1;
            }
        }
    }
    assert!(refused >= 5, "the table has lost its roles");
}

async fn errors_link_to_their_explanation(db: TestDb) {
    let world = World::open(db).await;
    let reply = world
        .app
        .send_with(reqwest::Method::GET, "/v2/api/me", &[], None)
        .await;
    let url = reply.json["error"]["doc_url"].as_str().unwrap();
    let (page, anchor) = url.strip_prefix(&world.app.url).unwrap().split_once('#').unwrap();
    assert_eq!((page, anchor), ("/docs/errors", "UNAUTHORIZED"));
    let page = world.app.get(page).await;
    assert_eq!(page.status, 200);
    for code in ErrorCode::all() {
        assert_eq!(
            page.text.matches(&format!("id=\"{code}\"")).count(),
            1,
            "{code} is explained once"
        );
    }
}
