//! A furnished team to call about, and what holds of every answer.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::Value;
use trunkline_domain::call::EndCause;
use trunkline_domain::error_code::Surface;
use trunkline_domain::events::{Topic, TranscriptLine};
use trunkline_domain::{
    ApiKeyId, CallId, CommentId, ContactId, DeliveryId, Direction, EndpointId, ErrorCode, ErrorType,
    ImportId, InvitationDelivery, MessageId, Millis, NoteId, PhoneNumber, QueueId, Role, ScopeSet, Speaker,
    SummaryTemplate, TemplateId, ThreadId, UserId,
};
use trunkline_store::crypto::Vault;
use trunkline_store::events::EventRow;
use trunkline_store::invitations::InvitationRow;
use trunkline_store::notes::NoteRow;
use trunkline_store::webhook_messages::{self, NewMessage};
use trunkline_store::{StoreError, Tx, params, teams};
use trunkline_switchboard::accounts::{self, Address};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step};
use trunkline_switchboard::dialer::{self, Target};
use trunkline_switchboard::invitations::{self, Invite, Invited, MailLimit};
use trunkline_switchboard::keys::Power;
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::notes::{self, Line};
use trunkline_switchboard::people_file::Parsed;
use trunkline_switchboard::templates::{self, Wording};
use trunkline_switchboard::threads::{self, Entity};
use trunkline_switchboard::webhooks::{self, CreateEndpoint};
use trunkline_switchboard::{Actor, Error, Work, people_import};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::operations::partner_account;

/// A server whose team has a finished call with everything, and a text.
pub struct World {
    pub app: TestApp,
    /// Sarah's call, which Ada answered: transcript, summary, recording, tag `vip`, extracted data.
    pub call: CallId,
    /// Sarah's text.
    pub message: MessageId,
    /// A webhook endpoint at which nobody answers.
    pub webhook: EndpointId,
    /// What it was told of Sarah's text, in vain.
    pub delivery: DeliveryId,
    /// What Ada wrote about Sarah and her call.
    pub said: Said,
    /// A summary template.
    pub template: TemplateId,
    /// An import of nobody.
    pub import: ImportId,
    /// Ada's dialing queue, which she made.
    pub queue: QueueId,
    /// A key that nobody uses.
    pub api_key: ApiKeyId,
    /// An invitation that nobody has accepted.
    pub invitation: InvitationRow,
    /// An account that Ada's key made for a customer.
    pub account: UserId,
    /// Notes that nobody has begun a thread about.
    notes: Mutex<Vec<NoteId>>,
}

/// What somebody of a team wrote.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// A note on the conversation.
    pub note: NoteId,
    /// A note on the contact.
    pub person_note: NoteId,
    /// A thread about the call.
    pub thread: ThreadId,
    /// Its comment.
    pub comment: CommentId,
}

/// A sender id of the world.
pub const SENDER_ID: &str = "FogOffice";

impl World {
    pub async fn open(db: TestDb) -> Self {
        let app = searchable(db).await;
        let call = sarahs_call(&app).await;
        let message = text_in(&app, us(), sarah(), "Is the flour on its way?").await;
        let vault = app.state.vault.clone();
        let (webhook, delivery) = command(&app, move |work| failed_webhook(work, &vault)).await;
        let (contact, by) = (app.office.sarah, app.office.by_ada());
        let write = move |work: &mut Work<'_, '_>| {
            let said = say(work, (us(), sarah()), contact, call, &by)?;
            let import = people_import::begin(work, &Parsed::default(), work.now)?.id;
            Ok((said, spare_notes(work, said.note)?, import))
        };
        let (said, notes, import) = command(&app, write).await;
        let ada = app.office.ada;
        let queue = move |work: &mut Work<'_, '_>| dialer::reset(work, &Target::User(ada), None, ada);
        let queue = command(&app, queue).await.id;
        let made = app
            .post("/v2/api/partner/accounts", &partner_account("world"))
            .await;
        let account = made.data()["id"].as_str().unwrap().parse().unwrap();
        let template = command(&app, |work| template(work, "Orders", &Actor::System)).await;
        let ben = app.office.ben;
        let api_key = command(&app, move |work| {
            let name = Address::SenderId(SENDER_ID.to_owned(), "FR".to_owned());
            crate::people::add_address(work, name, &[])?;
            accounts::create_key(work, ben, "spare", ScopeSet::ALL, true).map(|key| key.id)
        })
        .await;
        let invitation = command(&app, move |work| invite(work, ada)).await;
        Self {
            app,
            call,
            message,
            webhook,
            delivery,
            said,
            template,
            import,
            queue,
            api_key,
            invitation,
            account,
            notes: Mutex::new(notes),
        }
    }

    /// A note that nobody has begun a thread about, another one each time.
    pub fn fresh_note(&self) -> NoteId {
        self.notes
            .lock()
            .unwrap()
            .pop()
            .expect("more notes than these are needed")
    }
}

/// Writes notes about a conversation and its contact, and begins a thread about a call.
pub fn say(
    work: &mut Work<'_, '_>,
    (line, number): (PhoneNumber, PhoneNumber),
    contact: ContactId,
    call: CallId,
    by: &Actor,
) -> Result<Said, Error> {
    let note = notes::on_conversation(work, number, &Line::Number(line), "Prefers mornings.", by)?;
    let person_note = notes::on_contact(work, contact, "Met at the fair.", by)?;
    let thread = threads::create(work, Entity::Call(call), "Who calls back?", by)?;
    let comment = threads::comment(work, thread.row.id, "I do.", by)?;
    Ok(Said {
        note: note.row.id,
        person_note: person_note.row.id,
        thread: thread.row.id,
        comment: comment.row.id,
    })
}

/// Invites somebody in the name of an admin, with no scopes to give.
pub fn invite(work: &mut Work<'_, '_>, by: UserId) -> Result<InvitationRow, Error> {
    Ok(invite_to(work, by, "open@invited.example")?.row)
}

/// As [`invite`], with the token of the link.
pub fn invite_to(work: &mut Work<'_, '_>, by: UserId, email: &str) -> Result<Invited, Error> {
    let invite = Invite {
        email: email.to_owned(),
        name: Some("Olga Open".to_owned()),
        role: Role::Member,
        scopes: None,
        delivery: InvitationDelivery::Link,
    };
    let power = Power {
        user: by,
        role: Role::Admin,
        scopes: ScopeSet::EMPTY,
        expires_at: None,
    };
    let by = Actor::User {
        id: by,
        email: "ada@fogcity.example".to_owned(),
        name: "Ada Park".to_owned(),
    };
    invitations::create(work, &invite, MailLimit::default(), &power, &by)
}

/// Makes a summary template.
pub fn template(work: &mut Work<'_, '_>, name: &str, by: &Actor) -> Result<TemplateId, Error> {
    let wording = Wording {
        name: name.to_owned(),
        call_context: None,
        icon: None,
        sections: Vec::new(),
    };
    Ok(templates::create(work, &wording, by)?.id)
}

/// More notes like this one, without a word to anybody.
fn spare_notes(work: &mut Work<'_, '_>, like: NoteId) -> Result<Vec<NoteId>, Error> {
    let like = trunkline_store::notes::get(work.tx, work.team, like)?
        .unwrap()
        .row;
    let mut all = Vec::new();
    for _ in 0..48 {
        let row = NoteRow {
            note: teams::next_entry(work.tx, work.team)?,
            id: work.new_id(work.now),
            ..like.clone()
        };
        trunkline_store::notes::insert(work.tx, work.team, &row)?;
        all.push(row.id);
    }
    Ok(all)
}

/// Makes an endpoint for texts at which nobody answers, which was told of the team's last event in vain.
pub fn failed_webhook(work: &mut Work<'_, '_>, vault: &Vault) -> Result<(EndpointId, DeliveryId), Error> {
    let endpoint = CreateEndpoint {
        url: "http://127.0.0.1:9/hook".to_owned(),
        topics: vec![Topic::SmsReceived],
        description: None,
        lines: None,
        headers: Vec::new(),
    };
    let (row, _) = webhooks::create(work, vault, &endpoint, &Actor::System)?;
    let event = teams::last_event(work.tx, work.team)?;
    let message = NewMessage {
        endpoint: row.endpoint,
        event,
        topic: Topic::SmsReceived,
        at: work.now,
        due_at: Millis(0),
    };
    webhook_messages::insert(work.tx, work.team, &message, work.now)?;
    let failed = "UPDATE webhook_messages SET state = 'FAILED', due_at = NULL WHERE team_id = $1";
    work.tx.execute(failed, params![work.team])?;
    Ok((row.id, DeliveryId::of(row.id, event, work.now)))
}

/// A server that answers searches by text: not before the index is built.
pub async fn searchable(db: TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let mut progress = app.state.search.as_ref().unwrap().progress();
    progress.wait_for(|progress| progress.ready).await.unwrap();
    app
}

/// A call of ten minutes ago that Ada answered, with all that a call can leave behind.
pub async fn sarahs_call(app: &TestApp) -> CallId {
    let at = app.board.now().plus(-10 * Millis::MINUTE);
    let mut extracted = serde_json::Map::new();
    extracted.insert("name".to_owned(), "Sarah Johnson".into());
    extracted.insert("company".to_owned(), "Johnson Bakery".into());
    let steps = vec![
        Step::Answer(Some(app.office.ada), at.plus(4_000)),
        Step::Leave(Leftover::Transcript(vec![
            line(
                Speaker::External,
                at.plus(5_000),
                "I have a question about my bill.",
            ),
            line(Speaker::User, at.plus(9_000), "Certainly."),
        ])),
        Step::Leave(Leftover::Summary(
            SummaryTemplate::Classic,
            "Asked about the bill.".to_owned(),
        )),
        Step::Leave(Leftover::Recording {
            url: "https://media.example/sarah.mp3".to_owned(),
            seconds: 145,
        }),
        Step::Leave(Leftover::Tag("vip".to_owned())),
        Step::Leave(Leftover::Extracted(extracted)),
        Step::End(EndCause::HungUp, None, at.plus(149_000)),
        Step::Complete(at.plus(150_000)),
    ];
    record(app, Direction::Inbound, us(), sarah(), at, steps).await
}

pub fn line(source: Speaker, time: Millis, text: &str) -> TranscriptLine {
    TranscriptLine {
        source,
        time,
        text: text.to_owned(),
    }
}

/// Stores a call with everything that happened to it.
pub async fn record(
    app: &TestApp,
    direction: Direction,
    line: PhoneNumber,
    contact: PhoneNumber,
    at: Millis,
    steps: Vec<Step>,
) -> CallId {
    let user = (direction == Direction::Outbound).then_some(app.office.ada);
    let ring = Ring {
        direction,
        line,
        contact,
        user,
        blocked: false,
        at,
    };
    command(app, move |work| calls::record(work, &ring, &steps)).await
}

/// A call that nobody answered.
pub async fn missed_call(app: &TestApp, line: PhoneNumber, contact: PhoneNumber) -> CallId {
    let at = app.board.now();
    let steps = vec![Step::End(EndCause::NoAnswer, None, at), Step::Complete(at)];
    record(app, Direction::Inbound, line, contact, at, steps).await
}

/// A call that somebody answered, without anything left behind.
pub async fn answered_call(app: &TestApp, line: PhoneNumber, contact: PhoneNumber, by: UserId) -> CallId {
    let at = app.board.now();
    let steps = vec![
        Step::Answer(Some(by), at),
        Step::End(EndCause::HungUp, None, at.plus(30_000)),
        Step::Complete(at.plus(30_000)),
    ];
    record(app, Direction::Inbound, line, contact, at, steps).await
}

/// A text from the outside.
pub async fn text_in(app: &TestApp, line: PhoneNumber, from: PhoneNumber, content: &str) -> MessageId {
    let text = Receive {
        line,
        from,
        content: content.to_owned(),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at: app.board.now(),
    };
    command(app, move |work| messages::receive(work, &text)).await
}

/// A text to the outside, of Ada's.
pub async fn text_out(app: &TestApp, line: PhoneNumber, to: PhoneNumber, content: &str) -> MessageId {
    let text = messages::Send {
        line,
        to,
        content: content.to_owned(),
        media: Vec::new(),
        user: Some(app.office.ada),
    };
    command(app, move |work| messages::send(work, &text)).await
}

/// Runs a command of the office's team.
pub async fn command<T, F>(app: &TestApp, command: F) -> T
where
    T: Send + 'static,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, Error> + Send + 'static,
{
    let done: Result<T, Error> = app.board.run(app.office.team, command).await;
    done.unwrap()
}

/// Changes a setting of the office's team for which there is no command.
pub async fn set_team(app: &TestApp, column: &'static str, value: &'static str) {
    let team = app.office.team;
    let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(
            &format!("UPDATE teams SET {column} = {value} WHERE team_id = $1"),
            params![team],
        )
    };
    assert_eq!(app.board.db().write(work).await.unwrap(), 1);
    app.state.keys.forget();
}

/// Events of the office's team with this topic, behind number `after`.
pub async fn events_of(app: &TestApp, topic: Topic, after: i64) -> Vec<EventRow> {
    let all = app.office.events_after(after).await;
    all.into_iter().filter(|event| event.topic == topic).collect()
}

/// The headers that identify with `key`.
pub fn authorization(key: &str) -> String {
    format!("Api-Key {key}")
}

/// A number as it stands in a path or query.
pub fn encoded(number: PhoneNumber) -> String {
    number.as_str().replace('+', "%2B")
}

/// The next second begins, with nothing counted yet.
pub fn next_second(app: &TestApp) {
    app.office.clock.advance(Millis::SECOND);
}

/// What holds of every answer of the API: its request id, and the state of the rate limit.
#[track_caller]
pub fn assert_common(reply: &Reply) {
    let id = reply.header("x-request-id");
    let token = id.strip_prefix("req_").unwrap_or_default();
    assert!(
        token.len() == 12 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "request id {id:?} of {} {}",
        reply.status,
        reply.text
    );
    assert_limits(reply);
}

#[track_caller]
fn assert_limits(reply: &Reply) {
    let number = |name: &str| -> i64 {
        reply
            .header(name)
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {:?}", reply.header(name)))
    };
    let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
    assert!(
        limit > 0 && (0..limit).contains(&remaining) || reply.status == 429,
        "{remaining} of {limit}"
    );
    assert!(number("x-ratelimit-reset") > 1_700_000_000);
}

/// The answer is this failure, and whole: every field of the envelope is there and agrees with the others.
#[track_caller]
pub fn assert_error(reply: &Reply, code: &str) {
    let known: ErrorCode = code.parse().unwrap();
    if is_v1(reply) {
        return assert_error_v1(reply, known);
    }
    assert_eq!(reply.code(), code, "{}", reply.text);
    // Which of them is for which paths is told by the tests of the CRM.
    let statuses = [known.http_status(), known.http_status_on(Surface::Crm)];
    assert!(
        statuses.contains(&reply.status),
        "{} {}",
        reply.status,
        reply.text
    );
    assert_eq!(reply.header("content-type"), "application/json");
    let error = &reply.json["error"];
    assert_eq!(error["type"], ErrorType::from_status(reply.status).as_str());
    assert_eq!(error["retryable"], known.retryable());
    assert_eq!(error["request_id"], reply.header("x-request-id"));
    assert!(!error["message"].as_str().unwrap().is_empty());
    let suggestion = error["suggestion"].as_str().unwrap();
    assert!(
        !suggestion.is_empty() && !suggestion.contains("`suggestion`"),
        "advice that helps: {error}"
    );
    // Who may come back is told when.
    let later = reply.header("retry-after");
    assert_eq!(!later.is_empty(), known.retryable(), "{error}");
    assert_eq!(
        error["retry_after_seconds"].as_u64(),
        later.parse().ok(),
        "{error}"
    );
    assert!(
        error["doc_url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/docs/errors#{code}")),
        "{error}"
    );
    let fields: BTreeSet<&str> = error.as_object().unwrap().keys().map(String::as_str).collect();
    let known_fields = BTreeSet::from([
        "type",
        "code",
        "message",
        "retryable",
        "request_id",
        "doc_url",
        "param",
        "suggestion",
        "errors",
        "retry_after_seconds",
    ]);
    assert!(fields.is_subset(&known_fields), "{error}");
    assert_eq!(
        reply.json.as_object().unwrap().len(),
        1,
        "an error is all there is: {}",
        reply.text
    );
}

/// A failure in the form of v1.
fn is_v1(reply: &Reply) -> bool {
    reply.json["error"].is_null()
}

#[track_caller]
fn assert_error_v1(reply: &Reply, code: ErrorCode) {
    let status = code.http_status_on(Surface::V1);
    assert_eq!(
        (reply.status, reply.code()),
        (status, code.as_str()),
        "{}",
        reply.text
    );
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(keys(&reply.json), ["code", "details"]);
    for detail in reply.json["details"].as_array().into_iter().flatten() {
        assert_eq!(keys(detail), ["field", "message"], "{}", reply.text);
        let message = detail["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{}", reply.text);
    }
    assert_eq!(
        !reply.header("retry-after").is_empty(),
        code.retryable(),
        "{}",
        reply.text
    );
}

/// What an answer advises: v1 has no field for it, there it follows what is wrong.
pub fn advice(reply: &Reply) -> &str {
    let told = if is_v1(reply) {
        &reply.json["details"][0]["message"]
    } else {
        &reply.json["error"]["suggestion"]
    };
    told.as_str()
        .unwrap_or_else(|| panic!("no advice in {}", reply.text))
}

/// The parameter, field or header that an answer blames.
pub fn param(reply: &Reply) -> &str {
    let told = if is_v1(reply) {
        &reply.json["details"][0]["field"]
    } else {
        &reply.json["error"]["param"]
    };
    told.as_str()
        .unwrap_or_else(|| panic!("nothing is blamed in {}", reply.text))
}

/// The faulty parameters that an answer names.
pub fn blamed(reply: &Reply) -> BTreeSet<String> {
    if is_v1(reply) {
        let details = reply.json["details"].as_array().into_iter().flatten();
        let fields = details.filter_map(|detail| detail["field"].as_str());
        return fields.map(str::to_owned).collect();
    }
    let error = &reply.json["error"];
    let listed = error["errors"].as_array().into_iter().flatten();
    let mut all: BTreeSet<String> = listed
        .map(|fault| fault["param"].as_str().unwrap_or_default().to_owned())
        .collect();
    all.extend(error["param"].as_str().map(str::to_owned));
    all
}

/// The names in `X-Ignored-Parameters`.
pub fn ignored(reply: &Reply) -> Vec<&str> {
    reply
        .header("x-ignored-parameters")
        .split(", ")
        .filter(|name| !name.is_empty())
        .collect()
}

/// The ids of the entries of a list.
pub fn ids(reply: &Reply) -> Vec<String> {
    let list = reply.data().as_array().unwrap();
    list.iter()
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The answer is a page of a list, whole.
#[track_caller]
pub fn assert_page(reply: &Reply) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(keys(&reply.json), ["data", "pagination"]);
    let pagination = [
        "has_more",
        "next_cursor",
        "page",
        "size",
        "total_count",
        "total_pages",
    ];
    assert_eq!(keys(&reply.json["pagination"]), pagination);
}

/// `[…]` as a value's keys, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
        .keys()
        .map(String::as_str)
        .collect()
}

/// Waits until an event of this topic is there behind number `after`, and returns all of them.
pub async fn wait_for(app: &TestApp, topic: Topic, after: i64) -> Vec<EventRow> {
    let mut appended = app.board.db().appended();
    loop {
        appended.mark_unchanged();
        let events = events_of(app, topic, after).await;
        if !events.is_empty() {
            return events;
        }
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), appended.changed()).await;
        waited.unwrap_or_else(|_| panic!("no {topic} came")).unwrap();
    }
}
