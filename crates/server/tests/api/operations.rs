//! The operations of the endpoint table, and for each a request that works. An operation that is added to the table
//! gets its request here, and every walk covers it from then on.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Method;
use serde_json::{Map, Value, json};
use trunkline_domain::{ContactId, PropertyType, Role, Scope, UserId};
use trunkline_server::http::auth::Access;
use trunkline_server::http::endpoint::Endpoint;
use trunkline_server::openapi::BODY_NOT_NEEDED;
use trunkline_store::contacts::{self, ContactRow};
use trunkline_store::deals::{self, DealRow};
use trunkline_store::notes::{self, NoteRow};
use trunkline_store::{StoreError, Tx, invitations, merges, params, teams};
use trunkline_switchboard::people::{self, PatchContact};
use trunkline_switchboard::{Error, Work, accounts, properties, tags};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{sarah, us};

use crate::support::{SENDER_ID, Said, World, authorization, command, encoded, invite_to};
use crate::webhooks::NOBODY;

/// One operation of the API.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`.
    pub id: String,
    pub method: Method,
    /// With `{parameters}`.
    pub path: String,
    /// Any of these opens it.
    pub scopes: &'static [Scope],
    /// To whom it is open.
    pub access: Access,
    pub body: Takes,
}

/// What body an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// An object, or nothing at all.
    MaybeObject,
    Object,
}

impl Takes {
    pub const fn anything(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// A request that is ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

/// All that need a key, in the order of the table.
pub fn operations() -> Vec<Operation> {
    let all: Vec<Operation> = trunkline_server::table().iter().map(Operation::of).collect();
    assert!(all.len() >= 15, "the table has lost operations");
    all
}

/// All that need none.
pub fn open_operations() -> Vec<Operation> {
    trunkline_server::open_table().iter().map(Operation::of).collect()
}

/// The operation with this `operationId`.
pub fn operation(id: &str) -> Operation {
    operations()
        .into_iter()
        .find(|operation| operation.id == id)
        .unwrap()
}

static TAGS: AtomicU64 = AtomicU64::new(0);

impl Operation {
    fn of(endpoint: &Endpoint) -> Self {
        let id = endpoint.operation.operation_id.clone().unwrap();
        let body = match (&endpoint.operation.request_body, id.as_str()) {
            (None, _) => Takes::Nothing,
            (Some(_), id) if BODY_NOT_NEEDED.contains(&id) => Takes::MaybeObject,
            (Some(_), _) => Takes::Object,
        };
        Self {
            id,
            method: endpoint.method_name().parse().unwrap(),
            path: endpoint.path.clone(),
            scopes: endpoint.access.scopes,
            access: endpoint.access,
            body,
        }
    }

    /// A request without a key that works, once.
    pub async fn visit(&self, world: &World) -> Request {
        let body = match self.id.as_str() {
            "acceptInvitation" => {
                let number = TAGS.fetch_add(1, Ordering::SeqCst);
                // By somebody who may, whatever became of Ada.
                let invite = move |work: &mut Work<'_, '_>| {
                    let host = format!("host-{number}@fogcity.example");
                    let host = accounts::create_user(work, "A host", &host, Role::Admin)?;
                    invite_to(work, host, &format!("guest-{number}@invited.example"))
                };
                let invited = command(&world.app, invite).await;
                json!({ "token": invited.token })
            }
            other => panic!("{other} is new: give it a request that works"),
        };
        Request {
            method: self.method.clone(),
            path: self.filled(world),
            body: Some(body),
        }
    }

    /// `GET /v2/api/me`, for the report of a test that fails.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A request that the office's team can make with success, any number of times.
    pub fn request(&self, world: &World) -> Request {
        let line = encoded(us());
        let fresh = || TAGS.fetch_add(1, Ordering::SeqCst);
        let (query, body) = match self.id.as_str() {
            "getMe"
            | "getConversationItem"
            | "exportItems"
            | "listUsers"
            | "getUser"
            | "listTags"
            | "getTag"
            | "deleteTag"
            | "listNumbers"
            | "getNumber"
            | "listSenderIds"
            | "getSenderId"
            | "deleteSenderId"
            | "removeTag"
            | "listWebhooks"
            | "listWebhookEventTypes"
            | "getWebhook"
            | "deleteWebhook"
            | "rotateWebhookSecret"
            | "listWebhookDeliveries"
            | "getConversationNote"
            | "deleteConversationNote"
            | "listPersonNotes"
            | "deletePersonNote"
            | "getThread"
            | "listCallSummaries"
            | "listSummaryTemplates"
            | "getSummaryTemplate"
            | "deleteSummaryTemplate"
            | "resolveThread"
            | "unresolveThread"
            | "getPeopleImport"
            | "getPerson"
            | "deletePerson"
            | "getCompany"
            | "getDeal"
            | "deleteDeal"
            | "listProperties"
            | "searchContacts"
            | "getContact"
            | "searchConversations"
            | "getNumbers"
            | "deleteProperty"
            | "blockUser"
            | "unblockUser"
            | "listAuditLog"
            | "getTeam"
            | "listApiKeys"
            | "getApiKey"
            | "revokeApiKey"
            | "listInvitations"
            | "getUsage"
            | "revokeInvitation" => (String::new(), None),
            "resendInvitation" => (String::new(), Some(json!({}))),
            "createInvitation" => (
                String::new(),
                Some(json!({ "email": format!("dana-{}@fogcity.example", fresh()), "role": "MEMBER" })),
            ),
            "updateTeam" => (String::new(), Some(json!({ "create_tags": true }))),
            // A file, and no JSON.
            "importPeople" => (String::new(), Some(json!("name,numbers\n"))),
            "createTag" => (String::new(), Some(json!({ "name": format!("new-{}", fresh()) }))),
            "updateTag" => (String::new(), Some(json!({ "color": "#00AA00" }))),
            "updateNumber" => (String::new(), Some(json!({ "time_zone": "America/Denver" }))),
            "createSenderId" => (
                String::new(),
                Some(json!({ "sender_id": format!("Fog{}", fresh()) })),
            ),
            "updateSenderId" => (String::new(), Some(json!({ "status": "ACTIVE" }))),
            "updateUser" => (String::new(), Some(json!({ "role": "MEMBER" }))),
            // No key can give a scope that it does not have.
            "createApiKey" => (
                String::new(),
                Some(json!({ "name": "CRM sync", "scopes": ["TEAM_MANAGE"] })),
            ),
            "createSummaryTemplate" | "updateSummaryTemplate" => {
                (String::new(), Some(json!({ "name": "Sales call" })))
            }
            "getCurrentDialingQueue" => (String::new(), None),
            "getPartnerAccount"
            | "deletePartnerAccount"
            | "suspendPartnerAccount"
            | "resumePartnerAccount" => (String::new(), None),
            "createPartnerAccount" => (
                String::new(),
                Some(partner_account(&format!("client-{}", fresh()))),
            ),
            // Of Ben: the office's queue stays Ada's current one.
            "resetCurrentDialingQueue" => (
                String::new(),
                Some(json!({ "name": "Monday", "user_id": world.app.office.ben })),
            ),
            "upsertCurrentDialingQueue" => (String::new(), Some(json!({ "name": "Cold calls" }))),
            "appendDialingQueueNumbers" => {
                (String::new(), Some(json!({ "numbers": [{ "number": sarah() }] })))
            }
            "clearDialingQueueNumbers" => ("?unassigned=true".to_owned(), None),
            "assignDialingQueue" => (String::new(), Some(json!({ "user_id": world.app.office.ada }))),
            "setNumberDefaultSummaryTemplate" => (
                String::new(),
                Some(json!({ "summary_template_id": world.template })),
            ),
            "listConversationNotes" => (format!("?allo_number={line}"), None),
            "createConversationNote" => (
                String::new(),
                Some(json!({ "content": "Prefers mornings.", "allo_number": us() })),
            ),
            "updateConversationNote"
            | "createPersonNote"
            | "updatePersonNote"
            | "createThreadComment"
            | "updateThreadComment" => (String::new(), Some(json!({ "content": "As it is now." }))),
            "findThread" => (format!("?entity_type=CALL&entity_id={}", world.call), None),
            "createThread" => (
                String::new(),
                Some(json!({
                    "entity_type": "CONVERSATION_NOTE", "entity_id": world.fresh_note(), "content": "Is that so?",
                })),
            ),
            "createPerson" => (
                String::new(),
                Some(
                    json!({ "numbers": [format!("+1628555{:04}", fresh() % 10_000)], "allow_duplicate_number": true }),
                ),
            ),
            "searchCalls" => (format!("?allo_number={line}"), None),
            "createContact" => (
                String::new(),
                Some(
                    json!({ "numbers": [format!("+1628555{:04}", fresh() % 10_000)], "allow_duplicate_number": true }),
                ),
            ),
            "updateContact" => (String::new(), Some(json!({ "job_title": "Baker" }))),
            "mergePerson" => (String::new(), Some(json!({ "person_id": world.app.office.sam }))),
            "updatePerson" => (String::new(), Some(json!({ "job_title": "Baker" }))),
            "searchPeople" | "searchCompanies" | "searchDeals" => (String::new(), Some(json!({}))),
            "createCompany" => (String::new(), Some(json!({ "name": "Acme Corp" }))),
            "updateCompany" => (String::new(), Some(json!({ "industry": "Food" }))),
            "createDeal" => (String::new(), Some(json!({ "name": "Shelves" }))),
            "updateDeal" => (String::new(), Some(json!({ "status": "negotiation" }))),
            "createProperty" => (
                String::new(),
                Some(json!({ "key": format!("property-{}", fresh()), "name": "Property", "type": "TEXT" })),
            ),
            "updateProperty" => (String::new(), Some(json!({ "name": "Source" }))),
            // Otherwise the answer goes on for ever.
            "followEvents" => ("?follow=false".to_owned(), None),
            "createWebhook" => (
                String::new(),
                Some(json!({ "url": NOBODY, "topics": ["sms.received"] })),
            ),
            "updateWebhook" => (String::new(), Some(json!({ "description": "Ours" }))),
            "testWebhook" => (String::new(), Some(json!({}))),
            "replayWebhook" => (String::new(), Some(json!({ "message_id": world.delivery }))),
            "listConversations" => (format!("?allo_number={line}"), None),
            "searchAllConversations" => (String::new(), Some(json!({}))),
            "getTeamMetrics" | "getAnalyticsOutbound" | "getAnalyticsInbound" | "getAnalyticsMessages" => (
                String::new(),
                Some(json!({ "date": { "from": "2026-03-25", "to": "2026-04-21" } })),
            ),
            "batchGetConversationItems" => (String::new(), Some(json!({ "ids": [world.call] }))),
            "updateCallSummary" => (
                String::new(),
                Some(json!({ "content": "Asked about the bill, twice." })),
            ),
            "addTags" => (
                String::new(),
                Some(json!({ "tags": [format!("tag-{}", fresh())] })),
            ),
            "executeConversationAction" => (String::new(), Some(json!({ "action": "READ" }))),
            "sendSMS" => (
                String::new(),
                Some(json!({ "from": us(), "to": sarah(), "message": "Hello" })),
            ),
            "sandboxMessage" => (
                String::new(),
                Some(json!({ "from": sarah(), "to": us(), "content": "Hello" })),
            ),
            "sandboxCall" => (
                String::new(),
                Some(
                    json!({ "from": sarah(), "to": us(), "outcome": "MISSED", "ring_seconds": 0, "speed": 1_000 }),
                ),
            ),
            other => panic!("{other} is new: give it a request that works"),
        };
        Request {
            method: self.method.clone(),
            path: format!("{}{query}", self.filled(world)),
            body,
        }
    }

    /// The path with ids of the office's.
    pub fn filled(&self, world: &World) -> String {
        self.fill(self.path.clone(), world)
    }

    /// The rest of a path of this operation with ids of the office's.
    pub fn fill(&self, mut path: String, world: &World) -> String {
        let id = match self.path.as_str() {
            path if path.contains("/keys/") => world.api_key.to_string(),
            path if path.contains("/invitations/") => world.invitation.id.to_string(),
            // Ada is the only admin, and has to stay one.
            path if path.contains("/users/") && self.id != "getUser" => world.app.office.ben.to_string(),
            path if path.contains("/users/") => world.app.office.ada.to_string(),
            path if path.contains("/people/") => format!("per-{}", world.app.office.sarah.ksuid()),
            path if path.contains("/companies/") => world.app.office.bakery.to_string(),
            path if path.contains("/deals/") => world.app.office.deal.to_string(),
            path if path.contains("/summary_templates/") => world.template.to_string(),
            path if path.contains("/partner/") => world.account.to_string(),
            path if path.contains("/dialing-queues/") => world.queue.to_string(),
            path if path.contains("/notes/{id}") => world.said.note.to_string(),
            _ => world.call.to_string(),
        };
        for (name, value) in [
            ("{key}", "lead_source".to_owned()),
            ("{contact_id}", world.app.office.sarah.to_string()),
            ("{import_id}", world.import.to_string()),
            ("{id}", id),
            ("{contact_number}", encoded(sarah())),
            ("{tag}", "vip".to_owned()),
            ("{webhook_id}", world.webhook.to_string()),
            ("{number}", encoded(us())),
            ("{sender_id}", SENDER_ID.to_owned()),
            ("{note_id}", world.said.person_note.to_string()),
            ("{thread_id}", world.said.thread.to_string()),
            ("{comment_id}", world.said.comment.to_string()),
        ] {
            path = path.replace(name, &value);
        }
        assert!(
            !path.contains('{'),
            "{path} has a parameter that is new: give it a value that works"
        );
        path
    }

    /// Makes the next request of this kind work again.
    pub async fn prepare(&self, world: &World) {
        if self.path.contains("{webhook_id}") {
            let bring_back = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                tx.execute("UPDATE webhook_endpoints SET deleted_at = NULL", &[])
            };
            world.app.board.db().write(bring_back).await.unwrap();
        }
        if self.path.contains("/partner/") {
            let bring_back = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                tx.execute("UPDATE partner_accounts SET status = 'ACTIVE'", &[])
            };
            world.app.board.db().write(bring_back).await.unwrap();
        }
        if self.path.contains("dialing-queues") {
            let empty = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                tx.execute("UPDATE dialing_queues SET next_position = 0", &[])?;
                tx.execute("DELETE FROM dialing_entries", &[])
            };
            world.app.board.db().write(empty).await.unwrap();
        }
        if self.path.contains("/invitations") {
            let (team, row) = (world.app.office.team, world.invitation.clone());
            let bring_back = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                for open in invitations::list(tx, team)? {
                    invitations::delete(tx, team, &open)?;
                }
                invitations::insert(tx, team, &row)
            };
            world.app.board.db().write(bring_back).await.unwrap();
        }
        if self.path.contains("/users/") {
            let (ada, ben) = (world.app.office.ada, world.app.office.ben);
            let bring_back = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                let status = "UPDATE users SET status = 'ACTIVE', role = $1 WHERE id = $2";
                tx.execute(status, params![Role::Admin, ada])?;
                tx.execute(status, params![Role::Member, ben])
            };
            world.app.board.db().write(bring_back).await.unwrap();
            world.app.state.keys.forget();
        }
        if self.path.starts_with("/v2/api/tags") {
            let by = world.app.office.by_ada();
            let bring_back = move |work: &mut Work<'_, '_>| {
                if tags::find(work.tx, work.team, "vip")?.is_none() {
                    tags::define(work, "vip", "Vip", "#00AA00")?;
                }
                if tags::find(work.tx, work.team, "full_tag")?.is_some() {
                    tags::delete(work, "full_tag", &by)?;
                }
                Ok(())
            };
            command(&world.app, bring_back).await;
        }
        if self.path.contains("/sender_ids") {
            let bring_back = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                let others = "DELETE FROM numbers WHERE sender_id LIKE 'Fog%' AND sender_id <> $1";
                tx.execute(others, params![SENDER_ID])?;
                let back = "UPDATE numbers SET removed_at = NULL WHERE sender_id = $1";
                tx.execute(back, params![SENDER_ID])
            };
            world.app.board.db().write(bring_back).await.unwrap();
        }
        if self.path.contains("/keys/") {
            let bring_back = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                tx.execute("UPDATE api_keys SET revoked_at = NULL WHERE name = 'spare'", &[])
            };
            world.app.board.db().write(bring_back).await.unwrap();
            world.app.state.keys.forget();
        }
        if self.path.contains("template") {
            let bring_back = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
                tx.execute("UPDATE summary_templates SET deleted_at = NULL", &[])
            };
            world.app.board.db().write(bring_back).await.unwrap();
        }
        if self.path.contains("/notes/") {
            let (said, on_contact) = (world.said, self.path.contains("{note_id}"));
            let (contact, by) = (world.app.office.sarah, world.app.office.ada);
            command(&world.app, move |work| {
                write_again(work, said, on_contact.then_some(contact), by)
            })
            .await;
        }
        if [
            "deletePerson",
            "mergePerson",
            "deleteDeal",
            "createProperty",
            "updateProperty",
            "deleteProperty",
        ]
        .contains(&self.id.as_str())
        {
            bring_back_crm(world).await;
        }
        if self.path.contains("/items/{id}/tags") {
            let (call, by) = (world.call, world.app.office.by_ada());
            let take_off = move |work: &mut Work<'_, '_>| {
                let all = trunkline_store::tags::list(work.tx, work.team)?;
                for tag in all.iter().filter(|tag| tag.key != "vip") {
                    match tags::remove(work, call, &tag.key, &by) {
                        Err(Error::Refused(_)) | Ok(_) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            };
            command(&world.app, take_off).await;
        }
        if self.id == "removeTag" {
            let (call, by) = (world.call, world.app.office.by_ada());
            let put_back =
                move |work: &mut Work<'_, '_>| match tags::add(work, call, &["vip".to_owned()], &by) {
                    Err(Error::Refused(_)) | Ok(_) => Ok(()),
                    Err(error) => Err(error),
                };
            command(&world.app, put_back).await;
        }
    }
}

/// An account for a customer, as a partner asks for it.
pub fn partner_account(name: &str) -> Value {
    json!({
        "email": format!("{name}@client.example"), "name": "Jane Doe", "personal_mobile": "+33612345678",
        "partner_client_ref": "crm-1", "number_preference": { "country": "FR" },
    })
}

/// Writes the note again that a test has deleted, under its old id.
fn write_again(
    work: &mut Work<'_, '_>,
    said: Said,
    contact_id: Option<ContactId>,
    author: UserId,
) -> Result<(), Error> {
    let id = if contact_id.is_some() {
        said.person_note
    } else {
        said.note
    };
    if notes::get(work.tx, work.team, id)?.is_some() {
        return Ok(());
    }
    let row = NoteRow {
        note: teams::next_entry(work.tx, work.team)?,
        id,
        conversation: contact_id.is_none().then_some(1),
        contact_id,
        author,
        content: "Prefers mornings.".to_owned(),
        created_at: work.now,
        updated_at: work.now,
    };
    Ok(notes::insert(work.tx, work.team, &row)?)
}

/// The office's property and deal are there, Sarah is not archived, and the team may define more properties.
async fn bring_back_crm(world: &World) {
    let office = &world.app.office;
    let (sarah, sam, deal, bakery) = (office.sarah, office.sam, office.deal, office.bakery);
    let bring_back = move |work: &mut Work<'_, '_>| {
        let (team, now) = (work.team, work.now);
        work.tx.execute(
            "DELETE FROM property_definitions WHERE team_id = $1",
            params![team],
        )?;
        properties::define(work, "lead_source", "Lead source", PropertyType::Text)?;
        let back = PatchContact {
            archived: Some(false),
            ..PatchContact::default()
        };
        people::update_contact(work, sarah, &back)?;
        if merges::into(work.tx, team, sam)?.is_some() {
            work.tx
                .execute("DELETE FROM merged_contacts WHERE team_id = $1", params![team])?;
            let row = ContactRow {
                id: sam,
                numbers: Vec::new(),
                emails: Vec::new(),
                interactions: 0,
                last_at: None,
                ..contacts::get(work.tx, team, sarah)?.unwrap()
            };
            contacts::insert(work.tx, team, &row)?;
        }
        if deals::get(work.tx, team, deal)?.is_none() {
            let row = DealRow {
                id: deal,
                name: "Flour for a year".to_owned(),
                status: Some("OPEN".to_owned()),
                value: Some(12_500.5),
                currency: Some("USD".to_owned()),
                close_date: None,
                closed_at: None,
                company_id: Some(bakery),
                created_at: now,
                updated_at: now,
            };
            deals::insert(work.tx, team, &row, &[sarah])?;
        }
        Ok(())
    };
    command(&world.app, bring_back).await;
}

/// Operations with a body, and for each a body with every field there is.
pub fn full_bodies(world: &World) -> Vec<(Operation, Request)> {
    let (ada, ben) = (world.app.office.ada, world.app.office.ben);
    let full = |operation: &Operation| match operation.id.as_str() {
        "searchAllConversations" => json!({
            "allo_number": us(), "contact_number": sarah(), "user_id": ada, "direction": "INBOUND", "type": "CALL",
            "result": "ANSWERED", "tags": ["vip"], "unread": true, "unresponded": true, "search": "bill",
            "sort": "DATE_DESC", "extend": "transcript", "page": 1, "size": 20,
            "date": { "from": "2026-04-01", "to": "2026-04-30" },
        }),
        "getTeamMetrics" => json!({
            "date": { "from": "2026-03-25", "to": "2026-04-21" }, "user_ids": [ada], "group_by": "USER",
            "compare_date": { "from": "2026-02-25", "to": "2026-03-24" },
        }),
        "getAnalyticsOutbound" => json!({
            "date": { "from": "2026-03-25", "to": "2026-04-21" }, "user_ids": [ada], "granularity": "DAY",
            "compare_date": { "from": "2026-02-25", "to": "2026-03-24" }, "tags": ["vip"], "extend": "items",
            "stage": "CONVERSION", "page": 1, "size": 20,
        }),
        "getAnalyticsInbound" | "getAnalyticsMessages" => json!({
            "date": { "from": "2026-03-25", "to": "2026-04-21" }, "user_ids": [ada], "granularity": "DAY",
            "compare_date": { "from": "2026-02-25", "to": "2026-03-24" },
        }),
        "batchGetConversationItems" => json!({ "ids": [world.call], "extend": "transcript" }),
        "updateCallSummary" => json!({ "content": "All is well.", "template_key": "MARKDOWN_CLASSIC" }),
        "addTags"
        | "mergePerson"
        | "createProperty"
        | "updateProperty"
        | "createConversationNote"
        | "updateConversationNote"
        | "createPersonNote"
        | "updatePersonNote"
        | "createThread"
        | "createThreadComment"
        | "updateThreadComment" => operation.request(world).body.unwrap(),
        "createPerson" => json!({
            "name": "Nora", "last_name": "Lindqvist", "job_title": "Buyer", "website": "https://nora.example",
            "address": "1 Main St", "numbers": ["+16285550199"], "emails": ["nora@nora.example"],
            "company_id": world.app.office.bakery, "allow_duplicate_number": true,
        }),
        "updatePerson" => json!({
            "name": "Sarah", "last_name": "Johnson", "job_title": "Owner", "website": "https://bakery.example",
            "address": "1 Main St", "numbers": [sarah()], "emails": ["sarah@bakery.example"],
            "company_id": world.app.office.bakery, "allow_duplicate_number": true, "archived": false,
        }),
        "createContact" | "updateContact" => {
            let fresh = operation.id == "createContact";
            let number = if fresh {
                json!("+16285550198")
            } else {
                json!(sarah())
            };
            json!({
                "name": "John", "last_name": "Doe", "job_title": "CEO", "website": "https://acme.example",
                "emails": ["john@acme.example"], "numbers": [number], "allow_duplicate_number": true,
            })
        }
        "searchPeople" => json!({
            "filters": {
                "name": "sar", "last_name": "john", "job_title": "own", "website": "bakery", "company": "bakery",
                "phone_number": "(415) 555-1234", "email": "sarah@", "deal_status": "open",
            },
            "search": "sarah bak", "sort": "NAME_ASC", "page": 1, "size": 20,
        }),
        "createCompany" | "updateCompany" => {
            json!({ "name": "Acme Corp", "website": "https://acme.example", "industry": "Technology" })
        }
        "searchCompanies" => json!({
            "filters": { "name": "bak", "website": "x", "industry": "food" }, "sort": "NAME_DESC", "page": 1, "size": 20,
        }),
        "createDeal" | "updateDeal" => json!({
            "name": "Enterprise Plan", "status": "negotiation", "amount": 50_000, "currency": "USD",
            "closed_at": "2026-04-28T12:00:00", "company_id": world.app.office.bakery,
        }),
        "searchDeals" => json!({
            "filters": { "stage": "negotiation" }, "search": "Enterprise", "sort": "CREATED_ASC", "page": 1, "size": 20,
        }),
        "createPartnerAccount" => {
            let mut body = operation.request(world).body.unwrap();
            body["number_preference"]["prefix"] = json!("+337");
            body
        }
        "resetCurrentDialingQueue" => json!({
            "name": "Monday", "user_id": ben, "email": "ben@fogcity.example",
        }),
        "upsertCurrentDialingQueue" => json!({
            "name": "Cold calls", "voicemail_handling": "SKIP", "do_not_disturb": "ENABLED", "user_id": ada,
            "email": "ada@fogcity.example",
        }),
        "appendDialingQueueNumbers" => json!({
            "numbers": [{
                "number": "(415) 555-1234", "name": "Sarah", "last_name": "Johnson", "company": "Johnson Bakery",
                "website": "https://bakery.example", "job_title": "Owner", "emails": ["sarah@bakery.example"],
                "addresses": ["1 Main St"],
            }],
            "user_id": ada, "email": "ada@fogcity.example",
        }),
        "assignDialingQueue" => json!({ "user_id": ada, "email": "ada@fogcity.example" }),
        "setNumberDefaultSummaryTemplate" => operation.request(world).body.unwrap(),
        "createSummaryTemplate" | "updateSummaryTemplate" => json!({
            "name": "Sales call", "call_context": "Flour.", "icon": "📞",
            "sections": [{ "title": "Next steps", "instructions": "Who does what", "order": 0 }],
        }),
        "createWebhook" => json!({
            "url": NOBODY, "topics": ["sms.received"], "description": "Ours", "allo_numbers": [us()],
            "headers": { "X-Tenant": "north" },
        }),
        "updateWebhook" => json!({
            "url": NOBODY, "topics": ["sms.received"], "description": "Ours", "allo_numbers": [us()],
            "headers": { "X-Tenant": "north" }, "enabled": true, "resume": false,
        }),
        "testWebhook" => json!({ "topic": "sms.received" }),
        "updateTeam" => {
            json!({ "time_zone": "America/Los_Angeles", "name": "Fog City Supplies", "create_tags": true, "marketing_hours": false })
        }
        "updateUser" => json!({ "name": "Ben Ortiz", "role": "MEMBER" }),
        "createInvitation" => json!({
            "email": format!("dana-{}@fogcity.example", TAGS.fetch_add(1, Ordering::SeqCst)), "role": "MEMBER",
            "name": "Dana Lee", "scopes": ["TAGS_READ"], "delivery": "LINK",
        }),
        "resendInvitation" => json!({ "delivery": "LINK" }),
        "createTag" => json!({
            "name": "Full tag", "label": "All of it", "color": "#ff8800", "prompt": "The caller wants all of it",
        }),
        "updateTag" => {
            json!({ "label": "VIP", "color": "#00AA00", "prompt": "The caller says who they are" })
        }
        "updateNumber" => json!({
            "name": "Main", "user_ids": [ada, ben], "capabilities": ["VOICE", "SMS"], "time_zone": "America/Denver",
            "default_summary_template_id": world.template, "a2p_registered": true,
        }),
        "createSenderId" => json!({
            "sender_id": "FogFull", "name": "Newsletter", "country": "FR", "user_ids": [ada, ben],
        }),
        "updateSenderId" => json!({ "name": "Newsletter", "user_ids": [ada], "status": "ACTIVE" }),
        "createApiKey" => json!({
            "name": "CRM sync", "scopes": ["TAGS_READ"], "user_id": ben, "expires_at": "2126-04-20T10:00:00Z",
        }),
        "replayWebhook" => operation.request(world).body.unwrap(),
        "executeConversationAction" => json!({ "action": "READ", "allo_number": us() }),
        "sendSMS" => operation.request(world).body.unwrap(),
        "sandboxMessage" => json!({
            "from": sarah(), "to": us(), "content": "Hello", "media_urls": ["https://media.example/1.jpg"],
            "reference": "one",
        }),
        "sandboxCall" => json!({
            "direction": "INBOUND", "from": sarah(), "to": us(), "user_id": ada, "outcome": "ANSWERED",
            "ring_seconds": 0, "talk_seconds": 1, "speed": 1_000, "recording": true, "summary": "Short.",
            "tags": ["vip"], "lines": [{ "source": "USER", "at": 0.5, "text": "Hello" }],
            "ivr": [{ "dtmf_key": "2", "text_key": "Support" }],
            "transfer": { "kind": "COLLEAGUE", "user_id": ben, "number": sarah(), "at": 1 },
        }),
        other => panic!("{other} is new: give it a body with every field"),
    };
    let with_bodies = operations()
        .into_iter()
        .filter(|operation| operation.body.anything());
    with_bodies
        .map(|operation| {
            let body = full(&operation);
            let request = Request {
                body: Some(body),
                ..operation.request(world)
            };
            (operation, request)
        })
        .collect()
}

impl Request {
    /// With this key.
    pub async fn with_key(&self, app: &TestApp, key: &str) -> Reply {
        self.with(app, &[("Authorization", &authorization(key))]).await
    }

    /// With these headers.
    pub async fn with(&self, app: &TestApp, headers: &[(&str, &str)]) -> Reply {
        let body = match &self.body {
            Some(Value::String(file)) => {
                let headers = [headers, &[("Content-Type", "text/csv")]].concat();
                let file = Some(file.clone());
                return app
                    .send_with(self.method.clone(), &self.path, &headers, file)
                    .await;
            }
            body => body.as_ref().map(Value::to_string),
        };
        app.send_with(self.method.clone(), &self.path, headers, body)
            .await
    }

    /// With the office's key.
    pub async fn send(&self, app: &TestApp) -> Reply {
        self.with_key(app, &app.key).await
    }

    /// The same with another field in the body.
    pub fn field(&self, name: &str, value: Value) -> Self {
        let mut body = self.body.clone().unwrap_or_else(|| Value::Object(Map::new()));
        body[name] = value;
        Self {
            body: Some(body),
            ..self.clone()
        }
    }

    /// The same with another parameter in the query.
    pub fn parameter(&self, name: &str, value: &str) -> Self {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        Self {
            path: format!("{}{joint}{name}={value}", self.path),
            ..self.clone()
        }
    }
}
