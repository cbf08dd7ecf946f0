//! Every operation and its key: the forms in which it is understood, and the scopes that the contract asks for. (What
//! other keys are told is in `matrix.rs`.)

use std::collections::BTreeSet;

use trunkline_domain::ErrorCode;
use trunkline_testkit::db::TestDb;

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
