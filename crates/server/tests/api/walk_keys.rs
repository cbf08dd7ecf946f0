//! Every operation and its key: the forms in which it is understood, and the scopes of what is not published. (Those of what
//! is published are in `conformance.rs`, and what other keys are told is in `matrix.rs`.)

use std::collections::BTreeSet;

use trunkline_domain::ErrorCode;
use trunkline_testkit::db::TestDb;

use crate::conformance::published;
use crate::operations::operations;
use crate::support::{World, assert_common};

trunkline_testkit::on_both! {
    a_key_without_the_prefix_is_understood,
    errors_link_to_their_explanation,
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

/// The scopes of our own operations, written down a second time.
#[test]
fn the_table_asks_for_the_scopes_of_our_own() {
    let expected: BTreeSet<(&str, Vec<&str>)> = BTreeSet::from([
        ("getTag", vec!["TAGS_READ"]),
        ("createTag", vec!["TEAM_MANAGE"]),
        ("updateTag", vec!["TEAM_MANAGE"]),
        ("deleteTag", vec!["TEAM_MANAGE"]),
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
        ("suspendPartnerAccount", vec!["PARTNER"]),
        ("resumePartnerAccount", vec!["PARTNER"]),
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
        ("deletePerson", vec!["CRM_DELETE"]),
        ("mergePerson", vec!["CRM_WRITE"]),
        ("importPeople", vec!["CRM_WRITE"]),
        ("getPeopleImport", vec!["CRM_READ"]),
        ("listProperties", vec!["CRM_READ"]),
        ("createProperty", vec!["CRM_WRITE"]),
        ("updateProperty", vec!["CRM_WRITE"]),
        ("deleteProperty", vec!["CRM_DELETE"]),
        ("getAnalyticsInbound", vec!["CONVERSATIONS_READ"]),
        ("getAnalyticsMessages", vec!["CONVERSATIONS_READ"]),
        ("exportItems", vec!["CONVERSATIONS_READ"]),
        ("rotateWebhookSecret", vec!["WEBHOOKS_READ_WRITE"]),
        ("testWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("listWebhookDeliveries", vec!["WEBHOOKS_READ_WRITE"]),
        ("replayWebhook", vec!["WEBHOOKS_READ_WRITE"]),
        ("followEvents", vec!["WEBHOOKS_READ_WRITE"]),
        ("sandboxMessage", vec!["CALLS_CONTROL", "SMS_SEND"]),
        ("sandboxCall", vec!["CALLS_CONTROL", "SMS_SEND"]),
    ]);
    let (mut all, published) = (operations(), published());
    all.retain(|operation| !published.contains(&operation.id));
    let scopes =
        |operation: &crate::operations::Operation| operation.scopes.iter().map(|s| s.as_str()).collect();
    let found: BTreeSet<(&str, Vec<&str>)> = all
        .iter()
        .map(|operation| (operation.id.as_str(), scopes(operation)))
        .collect();
    assert_eq!(found, expected);
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
