//! Teams are apart: the ids of another team are to a key exactly what ids are that nobody has, in what is answered and in
//! what the database is asked to do for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trunkline_domain::{
    ApiKeyId, CallId, CommentId, CompanyId, ContactId, DealId, DeliveryId, EndpointId, ImportId,
    InvitationId, MessageId, NoteId, PhoneNumber, QueueId, SeededIds, TemplateId, ThreadId, UserId,
};
use trunkline_store::{StoreError, TeamKey, teams};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, number, sarah, us};

use crate::document::{Field, body_fields, document, parameters};
use crate::matrix::{Watched, headers_of};
use crate::operations::{Operation, Request, operations};
use crate::people::{NORA, Neighbour, World as Outside, neighbour};
use crate::support::{Said, World, authorization, encoded};

trunkline_testkit::on_both! {
    ids_of_another_team_are_like_ids_of_nobody,
    lists_hold_the_own_team_only,
}

/// Names of parameters and fields by which something is found: ids, numbers, addresses, words.
const ID_NAMES: &[&str] = &[
    "actor",
    "object",
    "company_id",
    "contact_id",
    "import_id",
    "person_id",
    "key",
    "id",
    "ids",
    "tag",
    "tags",
    "contact_number",
    "allo_number",
    "user_id",
    "from",
    "to",
    "transfer.user_id",
    "webhook_id",
    "message_id",
    "allo_numbers",
    "sender_id",
    "note_id",
    "thread_id",
    "comment_id",
    "entity_id",
    "number",
    "summary_template_id",
    "default_summary_template_id",
    "user_ids",
    "email",
    "emails",
    "numbers",
    "company",
    "search",
];

/// Where ids stand that are no ids: a day is nobody's, and a call may be handed on to any number.
const NO_IDS: &[&str] = &[
    "date.from",
    "date.to",
    "compare_date.from",
    "compare_date.to",
    "transfer.number",
];

/// What ids can point at.
struct Ids {
    call: CallId,
    company: CompanyId,
    import: ImportId,
    deal: DealId,
    property: String,
    message: MessageId,
    user: UserId,
    line: PhoneNumber,
    contact_number: PhoneNumber,
    tag: String,
    webhook: EndpointId,
    delivery: DeliveryId,
    contact: ContactId,
    said: Said,
    template: TemplateId,
    queue: QueueId,
    api_key: ApiKeyId,
    account: UserId,
    invitation: InvitationId,
    email: &'static str,
    first_name: &'static str,
    company_name: &'static str,
    deal_name: &'static str,
}

impl Ids {
    fn of(neighbour: &Neighbour) -> Self {
        Self {
            call: neighbour.call,
            company: neighbour.company,
            import: neighbour.import,
            deal: neighbour.deal,
            property: neighbour.property.clone(),
            message: neighbour.message,
            user: neighbour.user,
            line: neighbour.line,
            contact_number: neighbour.contact_number,
            tag: neighbour.tag.clone(),
            webhook: neighbour.webhook,
            delivery: neighbour.delivery,
            contact: neighbour.contact,
            said: neighbour.said,
            template: neighbour.template,
            queue: neighbour.queue,
            api_key: neighbour.api_key,
            account: neighbour.account,
            invitation: neighbour.invitation,
            email: NORA,
            first_name: "Noel",
            company_name: "Next Door",
            deal_name: "Fence",
        }
    }

    /// Ids of nobody's, each made like that of the neighbours.
    fn of_nobody(app: &TestApp, theirs: &Self) -> Self {
        let (ids, now) = (SeededIds::new(99), app.board.now());
        let event = theirs.delivery.event().unwrap();
        Self {
            call: CallId::new(&ids, now),
            company: CompanyId::new(&ids, now),
            import: ImportId::new(&ids, now),
            deal: DealId::new(&ids, now),
            property: "ghostly_spot".to_owned(),
            message: MessageId::new(&ids, now),
            user: UserId::new(&ids, now),
            line: number("+33142685398"),
            contact_number: number("+33698765431"),
            tag: "ghostlyones".to_owned(),
            webhook: EndpointId::new(&ids, now),
            delivery: DeliveryId::of(EndpointId::new(&ids, now), event, now),
            contact: ContactId::new(&ids, now),
            said: Said {
                note: NoteId::new(&ids, now),
                person_note: NoteId::new(&ids, now),
                thread: ThreadId::new(&ids, now),
                comment: CommentId::new(&ids, now),
            },
            template: TemplateId::new(&ids, now),
            queue: QueueId::new(&ids, now),
            api_key: ApiKeyId::new(&ids, now),
            account: UserId::new(&ids, now),
            invitation: InvitationId::new(&ids, now),
            email: "gwen@host.example",
            first_name: "Gwen",
            company_name: "Ghost Yard",
            deal_name: "Ghoul",
        }
    }
}

/// Where an operation takes ids.
fn places(document: &Value, operation: &Operation) -> BTreeSet<String> {
    let mut all = parameters(document, operation, "path");
    all.extend(parameters(document, operation, "query"));
    if operation.body.anything() {
        all.extend(body_fields(document, operation));
    }
    let is_id = |field: &Field| {
        let named_so = ID_NAMES.contains(&field.name.rsplit('.').next().unwrap());
        // The name of a new tag is its key.
        let is_key = operation.id == "createTag" && field.name == "name";
        named_so || is_key || field.name.starts_with("filters.")
    };
    for field in all.iter().filter(|field| !is_id(field)) {
        let example = field.schema["example"].as_str().unwrap_or_default();
        let (kind, ksuid) = example.split_once(['-', '_']).unwrap_or_default();
        let is_one = kind.len() <= 4 && ksuid.len() == 27;
        assert!(!is_one, "{} takes an id as {}", operation.name(), field.name);
    }
    let names = all.iter().filter(|field| is_id(field));
    let names = names.map(|field| field.name.clone());
    names.filter(|name| !NO_IDS.contains(&name.as_str())).collect()
}

/// What differs between two answers, with what the database did for them.
fn difference<T: PartialEq + std::fmt::Debug>(theirs: T, nobodys: T) -> Option<String> {
    (theirs != nobodys).then(|| format!("{theirs:?}\n{nobodys:?}"))
}

/// The requests of an operation with such an id at one place; none: the place is new and needs its request here.
fn requests(operation: &Operation, place: &str, world: &World, ids: &Ids) -> Vec<Request> {
    let own = operation.request(world);
    let in_path = |value: String| {
        let path = operation.path.replace(&format!("{{{place}}}"), &value);
        let rest = own.path.split_once('?').map(|(_, query)| format!("?{query}"));
        let path = operation.fill(path, world) + rest.as_deref().unwrap_or_default();
        Request { path, ..own.clone() }
    };
    let query = |name: &str, value: String| {
        let path = own.path.split('?').next().unwrap().to_owned();
        Request { path, ..own.clone() }.parameter(name, &value)
    };
    let outbound = || {
        own.field("direction", json!("OUTBOUND"))
            .field("to", json!(sarah()))
    };
    match (operation.id.as_str(), place) {
        ("getConversationItem", "id") => {
            vec![in_path(ids.call.to_string()), in_path(ids.message.to_string())]
        }
        ("listCallSummaries" | "updateCallSummary" | "addTags" | "removeTag", "id") => {
            vec![in_path(ids.call.to_string()), in_path(ids.message.to_string())]
        }
        ("getTag" | "updateTag" | "deleteTag" | "removeTag", "tag") => vec![in_path(ids.tag.clone())],
        ("mergePerson", "person_id") => vec![own.field("person_id", json!(ids.contact))],
        ("getPerson" | "updatePerson" | "deletePerson" | "mergePerson", "id") => {
            vec![
                in_path(format!("per-{}", ids.contact.ksuid())),
                in_path(ids.contact.to_string()),
            ]
        }
        ("getCompany" | "updateCompany", "id") => vec![in_path(ids.company.to_string())],
        ("getDeal" | "updateDeal" | "deleteDeal", "id") => vec![in_path(ids.deal.to_string())],
        (_, "import_id") => vec![in_path(ids.import.to_string())],
        (_, "company_id") => vec![own.field("company_id", json!(ids.company))],
        ("createProperty", "key") => vec![own.field("key", json!(ids.property))],
        (_, "key") => vec![in_path(ids.property.clone())],
        ("getUser" | "updateUser" | "blockUser" | "unblockUser", "id") => vec![in_path(ids.user.to_string())],
        ("executeConversationAction", "contact_number") => vec![
            in_path(encoded(ids.contact_number)),
            in_path(encoded(ids.contact_number)).field("allo_number", json!(us())),
            in_path(encoded(ids.contact_number)).field("allo_number", json!(ids.line)),
        ],
        ("executeConversationAction" | "searchAllConversations", "allo_number") => {
            let words = own
                .field("search", json!("secret"))
                .field("allo_number", json!(ids.line));
            vec![own.field("allo_number", json!(ids.line)), words]
        }
        ("listConversations", "allo_number") => vec![query("allo_number", encoded(ids.line))],
        ("searchAllConversations", "contact_number") => vec![
            own.field("contact_number", json!(ids.contact_number)),
            own.field("contact_number", json!(ids.contact_number))
                .field("search", json!("secret")),
        ],
        ("searchAllConversations", "user_id") => {
            vec![
                own.field("user_id", json!(ids.user)),
                own.field("user_id", json!(ids.user)).field("search", json!("a")),
            ]
        }
        ("searchAllConversations" | "getAnalyticsOutbound", "tags") => {
            vec![own.field("tags", json!([ids.tag]))]
        }
        (_, "user_ids") => vec![
            own.field("user_ids", json!([ids.user])),
            own.field("user_ids", json!([world.app.office.ada, ids.user])),
        ],
        ("batchGetConversationItems", "ids") => {
            vec![
                own.field("ids", json!([ids.call, world.call, ids.message])),
                own.field("ids", json!([ids.message])),
            ]
        }
        // Tagging with a key that another team has makes a tag of the own team.
        ("addTags", "tags") => vec![own.field("tags", json!([ids.tag]))],
        ("sendSMS", "from" | "allo_number") => {
            vec![own.field("from", json!(null)).field(place, json!(ids.line))]
        }
        ("sendSMS", "sender_id") => {
            vec![own.field("from", json!(null)).field("sender_id", json!(ids.tag))]
        }
        ("sendSMS", "to") => vec![own.field("to", json!(ids.contact_number))],
        ("sandboxMessage", "from") => vec![own.field("from", json!(ids.contact_number))],
        ("sandboxMessage" | "sandboxCall", "to") => vec![own.field("to", json!(ids.line))],
        ("sandboxCall", "from") => vec![
            own.field("from", json!(ids.contact_number)),
            outbound().field("from", json!(ids.line)),
        ],
        ("sandboxCall", "user_id") => vec![
            own.field("user_id", json!(ids.user)),
            outbound()
                .field("from", json!(us()))
                .field("user_id", json!(ids.user)),
        ],
        ("sandboxCall", "transfer.user_id") => {
            vec![own.field("transfer", json!({ "kind": "COLLEAGUE", "user_id": ids.user }))]
        }
        ("sandboxCall", "tags") => vec![own.field("tags", json!([ids.tag]))],
        ("listConversationNotes" | "createConversationNote", "contact_number") => {
            vec![in_path(encoded(ids.contact_number))]
        }
        ("listConversationNotes", "allo_number") => vec![query("allo_number", encoded(ids.line))],
        ("createConversationNote", "allo_number") => vec![own.field("allo_number", json!(ids.line))],
        ("listConversationNotes", "sender_id") => vec![query("sender_id", ids.tag.clone())],
        ("createConversationNote", "sender_id") => {
            vec![
                own.field("allo_number", json!(null))
                    .field("sender_id", json!(ids.tag)),
            ]
        }
        ("getConversationNote" | "updateConversationNote" | "deleteConversationNote", "id") => vec![
            in_path(ids.said.note.to_string()),
            in_path(ids.said.person_note.to_string()),
        ],
        ("getSummaryTemplate" | "updateSummaryTemplate" | "deleteSummaryTemplate", "id") => {
            vec![in_path(ids.template.to_string())]
        }
        (
            "getPartnerAccount" | "deletePartnerAccount" | "suspendPartnerAccount" | "resumePartnerAccount",
            "id",
        ) => vec![in_path(ids.account.to_string()), in_path(ids.user.to_string())],
        ("assignDialingQueue", "id") => vec![in_path(ids.queue.to_string())],
        ("getCurrentDialingQueue" | "clearDialingQueueNumbers", "user_id") => {
            vec![own.parameter("user_id", &ids.user.to_string())]
        }
        (
            "resetCurrentDialingQueue"
            | "upsertCurrentDialingQueue"
            | "appendDialingQueueNumbers"
            | "assignDialingQueue",
            "user_id",
        ) => vec![own.field("user_id", json!(ids.user))],
        // Queueing a number that is a contact of another team makes a contact of the own team.
        ("appendDialingQueueNumbers", "numbers[0].number") => {
            vec![own.field("numbers", json!([{ "number": ids.contact_number }]))]
        }
        ("clearDialingQueueNumbers", "number") => vec![query("number", encoded(ids.contact_number))],
        ("setNumberDefaultSummaryTemplate", "number") => vec![in_path(encoded(ids.line))],
        ("getNumber" | "updateNumber", "number") => vec![in_path(encoded(ids.line))],
        (_, "default_summary_template_id") => {
            vec![own.field("default_summary_template_id", json!(ids.template))]
        }
        // A name that another team has is free for the own.
        ("createSenderId", "sender_id") => vec![own.field("sender_id", json!(ids.tag))],
        ("getSenderId" | "updateSenderId" | "deleteSenderId", "sender_id") => vec![in_path(ids.tag.clone())],
        (_, "summary_template_id") => vec![own.field("summary_template_id", json!(ids.template))],
        (_, "note_id") => vec![in_path(ids.said.person_note.to_string())],
        ("listPersonNotes" | "createPersonNote" | "updatePersonNote" | "deletePersonNote", "id") => {
            vec![in_path(format!("per-{}", ids.contact.ksuid()))]
        }
        ("searchCalls" | "searchConversations" | "exportItems", "allo_number") => {
            vec![query("allo_number", encoded(ids.line))]
        }
        ("searchCalls", "contact_number") => vec![query("contact_number", encoded(ids.contact_number))],
        (_, "contact_id") => vec![in_path(ids.contact.to_string())],
        (_, "thread_id") => vec![in_path(ids.said.thread.to_string())],
        (_, "comment_id") => vec![in_path(ids.said.comment.to_string())],
        ("findThread", "entity_id") => {
            let about =
                |kind: &str, id: String| query("entity_type", kind.to_owned()).parameter("entity_id", &id);
            vec![
                about("CALL", ids.call.to_string()),
                about("TEXT_MESSAGE", ids.message.to_string()),
                about("CONVERSATION_NOTE", ids.said.note.to_string()),
            ]
        }
        ("createThread", "entity_id") => {
            let about = |kind: &str, id: String| {
                own.field("entity_type", json!(kind))
                    .field("entity_id", json!(id))
            };
            vec![
                about("CALL", ids.call.to_string()),
                about("TEXT_MESSAGE", ids.message.to_string()),
                about("CONVERSATION_NOTE", ids.said.note.to_string()),
            ]
        }
        (_, "webhook_id") => vec![in_path(ids.webhook.to_string())],
        ("replayWebhook", "message_id") => vec![own.field("message_id", json!(ids.delivery))],
        (_, "allo_numbers") => vec![
            own.field("allo_numbers", json!([ids.line])),
            own.field("allo_numbers", json!([us(), ids.line])),
        ],
        // Days, not numbers.
        ("exportItems" | "getUsage", "from" | "to") => vec![own.clone()],
        ("getApiKey" | "revokeApiKey", "id") => vec![in_path(ids.api_key.to_string())],
        ("revokeInvitation" | "resendInvitation", "id") => vec![in_path(ids.invitation.to_string())],
        ("listApiKeys", "user_id") => vec![query("user_id", ids.user.to_string())],
        ("listAuditLog", "actor") => vec![query("actor", ids.user.to_string())],
        ("listAuditLog", "object") => vec![
            query("object", ids.api_key.to_string()),
            query("object", ids.webhook.to_string()),
        ],
        ("createApiKey", "user_id") => vec![own.field("user_id", json!(ids.user))],
        ("createTag", "name") => vec![own.field("name", json!(ids.tag))],
        (_, "email") if own.body.is_none() => vec![own.parameter("email", &ids.email.replace('@', "%40"))],
        (_, "email") => vec![own.field("email", json!(ids.email))],
        ("createPerson" | "createContact", "emails") => {
            let numbers = json!([ids.contact_number]);
            vec![own.field("numbers", numbers).field("emails", json!([ids.email]))]
        }
        ("updatePerson" | "updateContact", "emails") => vec![own.field("emails", json!([ids.email]))],
        ("appendDialingQueueNumbers", _) => {
            let number = json!({ "number": sarah(), "emails": [ids.email], "company": ids.company_name });
            vec![own.field("numbers", json!([number]))]
        }
        ("updatePerson" | "updateContact", "numbers") => {
            vec![own.field("numbers", json!([sarah(), ids.contact_number]))]
        }
        (_, "numbers") => vec![own.field("numbers", json!([ids.contact_number]))],
        ("searchAllConversations", "search") => vec![own.field("search", json!(ids.tag))],
        ("searchDeals", "search") => vec![own.field("search", json!(ids.deal_name))],
        (_, "search") => vec![own.field("search", json!(ids.first_name))],
        (_, place) if place.starts_with("filters.") => {
            let name = place.trim_start_matches("filters.");
            let value = match (operation.id.as_str(), name) {
                (_, "phone_number") => json!(ids.contact_number),
                (_, "email") => json!(ids.email),
                (_, "company") | ("searchCompanies", _) => json!(ids.company_name),
                ("searchDeals", _) => json!(ids.deal_name),
                _ => json!(ids.first_name),
            };
            vec![own.field("filters", json!({ name: value }))]
        }
        (id, place) => panic!("{id} takes an id as {place}: say how to ask for one that is not the team's"),
    }
}

/// The answer without what differs between any two answers, and with the ids that were asked for masked.
fn masked(reply: &Reply, ids: &Ids) -> Value {
    let mut text = reply.text.clone();
    let known = [
        ids.call.to_string(),
        ids.property.clone(),
        ids.message.to_string(),
        ids.user.to_string(),
        ids.line.to_string(),
        ids.contact_number.to_string(),
        ids.tag.clone(),
        ids.webhook.to_string(),
        ids.delivery.to_string(),
        ids.contact.ksuid().to_owned(),
        ids.said.note.to_string(),
        ids.said.person_note.to_string(),
        ids.said.thread.to_string(),
        ids.said.comment.to_string(),
        ids.template.to_string(),
        ids.queue.to_string(),
        ids.api_key.to_string(),
        ids.account.to_string(),
        ids.invitation.to_string(),
        ids.email.to_owned(),
        ids.first_name.to_owned(),
        ids.company_name.to_owned(),
        ids.deal_name.to_owned(),
    ];
    for id in known {
        text = text.replace(&id, "(id)");
    }
    if reply.header("content-type") == "application/x-ndjson" {
        let lines = text.lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        return json!([reply.status, lines.collect::<Value>()]);
    }
    let mut json: Value = serde_json::from_str(&text).unwrap();
    if json["error"].is_object() {
        json["error"]["request_id"] = Value::Null;
    } else if let Some(data) = json["data"].as_object_mut() {
        // What is made is another one each time.
        for own in ["id", "link", "api_key", "phone_numbers"] {
            data.remove(own);
        }
    }
    json!([reply.status, json])
}

/// Operations that make or change what others find, in the order in which they do not disturb each other.
const MAKING: [&str; 10] = [
    "updatePerson",
    "updateContact",
    "createInvitation",
    "createPartnerAccount",
    "appendDialingQueueNumbers",
    "createPerson",
    "createContact",
    "addTags",
    "createTag",
    "createSenderId",
];

/// Makes the next request of this kind meet what the one before met.
async fn again(operation: &Operation, world: &World) {
    operation.prepare(world).await;
    if MAKING.contains(&operation.id.as_str()) {
        let path = format!("/v2/api/crm/people/per-{}", world.app.office.sarah.ksuid());
        let before = json!({ "numbers": [sarah()], "emails": [] });
        assert_eq!(world.app.put(&path, &before).await.status, 200);
    }
}

async fn last_event(app: &TestApp, team: TeamKey) -> i64 {
    let last: Result<_, StoreError> = app
        .board
        .db()
        .read(move |conn| teams::last_event(conn, team))
        .await;
    last.unwrap()
}

async fn ids_of_another_team_are_like_ids_of_nobody(db: TestDb) {
    let watched = Watched::open(db).await;
    let world = &watched.world;
    let theirs = neighbour(&world.app, Outside::Sandbox).await;
    let before = last_event(&world.app, theirs.team).await;
    let foreign = Ids::of(&theirs);
    let nobody = Ids::of_nobody(&world.app, &foreign);
    let own = authorization(&world.app.key);
    let headers = [("Authorization", own.as_str())];
    let document = document();
    let (mut tried, mut faults) = (0, Vec::new());
    let mut all = operations();
    // Last, so that no other request meets what they make.
    all.sort_by_key(|operation| MAKING.iter().position(|id| *id == operation.id));
    for operation in all {
        let places = places(&document, &operation);
        for place in places {
            let what = format!("{} with another's {place}", operation.name());
            let pairs = requests(&operation, &place, world, &foreign);
            for (one, other) in pairs
                .into_iter()
                .zip(requests(&operation, &place, world, &nobody))
            {
                again(&operation, world).await;
                let (theirs, steps) = watched.send_now(&one, &headers).await;
                again(&operation, world).await;
                let (nobodys, same_steps) = watched.send_now(&other, &headers).await;
                let bodies = [masked(&theirs, &foreign), masked(&nobodys, &nobody)];
                assert!(
                    !bodies[0].to_string().contains("secret of the neighbours"),
                    "{what}: {bodies:?}"
                );
                let [their_body, nobodys_body] = bodies;
                let found = difference(their_body, nobodys_body)
                    .or_else(|| difference(headers_of(&theirs), headers_of(&nobodys)))
                    .or_else(|| difference(steps, same_steps));
                faults.extend(found.map(|found| format!("{what}:\n{found}")));
                tried += 1;
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tried > 25, "{tried} places");
    assert_eq!(
        last_event(&world.app, theirs.team).await,
        before,
        "nothing happened at the neighbours'"
    );
}

async fn lists_hold_the_own_team_only(db: TestDb) {
    let world = World::open(db).await;
    let theirs = neighbour(&world.app, Outside::Sandbox).await;
    let headers = [("Authorization", authorization(&theirs.key))];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let search = "/v2/api/conversations/items/search";
    for (body, own, their) in [
        (json!({}), 2, 2),
        (json!({ "search": "secret" }), 0, 1),
        (json!({ "search": "bill" }), 1, 0),
    ] {
        let reply = world.app.post(search, &body).await;
        assert_eq!(reply.json["pagination"]["total_count"], own, "{}", reply.text);
        let reply = world
            .app
            .send_with(reqwest::Method::POST, search, &headers, Some(body.to_string()))
            .await;
        assert_eq!(reply.json["pagination"]["total_count"], their, "{}", reply.text);
    }
    for (path, own, their) in [("people", 3, 1), ("companies", 1, 1), ("deals", 1, 1)] {
        let path = format!("/v2/api/crm/{path}/search");
        let reply = world.app.post(&path, &json!({})).await;
        assert_eq!(reply.json["pagination"]["total_count"], own, "{}", reply.text);
        let reply = world
            .app
            .send_with(reqwest::Method::POST, &path, &headers, Some("{}".to_owned()))
            .await;
        assert_eq!(reply.json["pagination"]["total_count"], their, "{}", reply.text);
    }
    for (path, own, their) in [
        ("/v2/api/users", 2, 1),
        ("/v2/api/tags", 1, 1),
        ("/v2/api/numbers", 3, 2),
        ("/v2/api/sender_ids", 1, 1),
        ("/v2/api/webhooks", 1, 1),
        ("/v2/api/crm/properties", 1, 1),
        ("/v2/api/summary_templates", 1, 1),
    ] {
        assert_eq!(
            world.app.get(path).await.data().as_array().unwrap().len(),
            own,
            "{path}"
        );
        let reply = world
            .app
            .send_with(reqwest::Method::GET, path, &headers, None)
            .await;
        assert_eq!(reply.data().as_array().unwrap().len(), their, "{path}");
    }
    // The neighbours have one number, and may leave it out; the contact of that name is theirs.
    let reply = world
        .app
        .send_with(reqwest::Method::GET, "/v2/api/conversations", &headers, None)
        .await;
    assert_eq!(reply.data()[0]["contacts"][0]["id"], theirs.contact.to_string());
}
