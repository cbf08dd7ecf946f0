//! A believable body for each topic, always the same: for documentation, the test button and tests.
//!
//! They are made of the structs that the commands fill, so they cannot have other fields than real events have. All
//! of them belong to one small story: Nora Lindqvist of Harbor Bakery calls the team's line "Orders", is answered by
//! Ben, and is called and texted later.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Body;
use crate::events::{
    Artefact, CallCompleted, CallEnded, CallRinging, CompanyRef, ContactState, ConversationNote, DealRef,
    IvrChoice, MentionRef, PartnerAccount, Person, Sms, TagChange, ThreadComment, ThreadState, Topic,
    Transcript, TranscriptLine, TransferEnd,
};
use crate::time::spoken_length;
use crate::{
    AccountStatus, CallId, CallResult, DealStatus, Direction, EntityType, Id, Ids, MessageType, Millis,
    PhoneNumber, Speaker, SummaryTemplate, UserId,
};

/// The payload of a sample.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Sample {
    /// `call.received`, `call.triggered`, `call.answered`.
    Ringing(Box<CallRinging>),
    /// `call.ended`.
    Ended(CallEnded),
    /// `call.completed`.
    Completed(Box<CallCompleted>),
    /// What a call leaves behind.
    Artefact(Artefact),
    /// `tag.…`.
    Tag(TagChange),
    /// `sms.…`.
    Sms(Sms),
    /// `contact.…`.
    Contact(ContactState),
    /// `conversation_note.…`.
    Note(ConversationNote),
    /// `thread.created`, `thread.resolved`.
    Thread(ThreadState),
    /// `thread.comment.…`.
    Comment(ThreadComment),
    /// `partner.account.…`.
    Account(PartnerAccount),
}

/// The sample of a topic, with the instant of its story; `None` for the internal topics, which nobody can subscribe
/// to.
#[must_use]
pub fn body(topic: Topic) -> Option<Body<Sample>> {
    let (at, data) = match topic {
        Topic::CallReceived => (RINGS, Sample::Ringing(Box::new(inbound()))),
        Topic::CallTriggered => (CALLED_BACK, Sample::Ringing(Box::new(outbound()))),
        Topic::CallAnswered => {
            let answered = CallRinging {
                answered_at: Some(ANSWERED),
                ..inbound()
            };
            (ANSWERED, Sample::Ringing(Box::new(answered)))
        }
        Topic::CallEnded => (ENDED, Sample::Ended(ended())),
        Topic::CallCompleted => (COMPLETED, Sample::Completed(Box::new(completed()))),
        Topic::VoicemailReceived => (VOICEMAIL_LEFT, Sample::Artefact(voicemail())),
        Topic::CallRecordingCompleted => (RECORDED, Sample::Artefact(recording())),
        Topic::CallTranscriptCompleted => (TRANSCRIBED, Sample::Artefact(transcript())),
        Topic::CallSummaryCompleted => (SUMMARISED, Sample::Artefact(summary(SUMMARY, 1, None))),
        Topic::SummaryUpdated => {
            let edited = summary(EDITED_SUMMARY, 2, Some(BEN));
            (EDITED, Sample::Artefact(edited))
        }
        Topic::TagAdded => (TAGGED, Sample::Tag(tag(("urgent", "Urgent")))),
        Topic::TagRemoved => (UNTAGGED, Sample::Tag(tag(("urgent", "Urgent")))),
        Topic::SmsReceived => (TEXTED, Sample::Sms(sms_in())),
        Topic::SmsSent => (REPLIED, Sample::Sms(sms_out())),
        Topic::SmsDelivered => (DELIVERED, Sample::Sms(sms_out())),
        Topic::SmsFailed => (FAILED, Sample::Sms(sms_failed())),
        Topic::ContactCreated => (FIRST_CONTACT, Sample::Contact(contact(&[NORA], &[NORA_MOBILE]))),
        Topic::ContactUpdated => {
            let changed = contact(&[NORA, NORA_PRIVATE], &[NORA_MOBILE, NORA_OFFICE]);
            (CONTACT_CHANGED, Sample::Contact(changed))
        }
        Topic::NoteCreated => (NOTED, Sample::Note(note())),
        Topic::ThreadCreated => (DISCUSSED, Sample::Thread(thread(None))),
        Topic::CommentCreated => (DISCUSSED, Sample::Comment(comment(QUESTION, DISCUSSED))),
        Topic::CommentUpdated => (REPHRASED, Sample::Comment(comment(BETTER_QUESTION, REPHRASED))),
        Topic::ThreadResolved => (RESOLVED, Sample::Thread(thread(Some(RESOLVED)))),
        Topic::AccountCreated => (JOINED, Sample::Account(account(AccountStatus::Active))),
        Topic::AccountUpdated => (RESOLVED, Sample::Account(account(AccountStatus::Suspended))),
        Topic::ConversationUpdated | Topic::EndpointDisabled | Topic::ItemsImported | Topic::ItemsErased => {
            return None;
        }
    };
    Some(Body::new(topic, at, data))
}

/// 2026-03-10T14:30:00.000Z.
const RINGS: Millis = Millis(1_773_153_000_000);
const ANSWERED: Millis = RINGS.plus(8 * Millis::SECOND);
const ENDED: Millis = ANSWERED.plus(LENGTH * Millis::SECOND);
const RECORDED: Millis = ENDED.plus(4_120);
const TRANSCRIBED: Millis = ENDED.plus(15_305);
const SUMMARISED: Millis = ENDED.plus(18_460);
const COMPLETED: Millis = ENDED.plus(18_475);
const TAGGED: Millis = ENDED.plus(6 * Millis::MINUTE);
const EDITED: Millis = ENDED.plus(9 * Millis::MINUTE);
const UNTAGGED: Millis = ENDED.plus(3 * Millis::HOUR);
const CONTACT_CHANGED: Millis = ENDED.plus(10 * Millis::MINUTE);
const FIRST_CONTACT: Millis = RINGS.plus(-41 * Millis::DAY);
const CALLED_BACK: Millis = RINGS.plus(Millis::DAY);
const VOICEMAIL_LEFT: Millis = RINGS.plus(2 * Millis::DAY);
const TEXTED: Millis = RINGS.plus(Millis::HOUR);
const REPLIED: Millis = TEXTED.plus(150 * Millis::SECOND);
const DELIVERED: Millis = REPLIED.plus(2_840);
const FAILED: Millis = REPLIED.plus(35_210);
const NOTED: Millis = ENDED.plus(12 * Millis::MINUTE);
const DISCUSSED: Millis = ENDED.plus(15 * Millis::MINUTE);
const REPHRASED: Millis = ENDED.plus(16 * Millis::MINUTE);
const RESOLVED: Millis = ENDED.plus(47 * Millis::MINUTE);
const JOINED: Millis = RINGS.plus(-400 * Millis::DAY);

/// Seconds from pick-up to hang-up of the call.
const LENGTH: i64 = 330;

// Numbers that are set aside for stories (NANP 555-0100 to 555-0199), addresses likewise (RFC 2606).
const LINE: &str = "+14155550100";
const NORA_MOBILE: &str = "+14155550132";
const NORA_OFFICE: &str = "+14155550177";
const BEN: &str = "ben@example.com";
const NORA: &str = "nora@harborbakery.example";
const NORA_PRIVATE: &str = "nora.lindqvist@example.org";
const LINE_NAME: &str = "Orders";
const NORA_NAME: &str = "Nora Lindqvist";
const COMPANY: &str = "Harbor Bakery";
const RECORDING: &str = "https://trunkline.example.com/recordings/nora-2026-03-10.mp3";
const SUMMARY: &str = "Nora asked to move Friday's flour delivery to Thursday morning. Ben confirmed 7 a.m. and will send the new delivery note by text.";
const EDITED_SUMMARY: &str = "Nora asked to move Friday's flour delivery to Thursday morning. Ben confirmed 7 a.m., north gate, and sent the new delivery note by text.";

const NOTE: &str = "Nora prefers deliveries before 8 a.m.";
const QUESTION: &str = "Do we have a driver on Thursday?";
const BETTER_QUESTION: &str = "Do we have a driver on Thursday at 7?";

/// Makes the same ids again and again: believable, and independent of any random number generator's version.
struct Fixed(u8);

impl Ids for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0;
        for byte in bytes {
            state = state.wrapping_mul(77).wrapping_add(151);
            *byte = state;
        }
    }
}

/// The id of thing number `which` of the story, which came to be at `at`.
fn id<K: crate::ids::IdKind>(which: u8, at: Millis) -> Id<K> {
    Id::new(&Fixed(which), at)
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("numbers written in this file are E.164")
}

fn contact_properties() -> Map<String, Value> {
    let properties = [
        ("customer_since", Value::from("2023-09-01")),
        ("delivery_stops", Value::from(3)),
        ("lead_source", Value::from("Trade fair")),
    ];
    properties
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn person() -> Person {
    Person {
        id: Some(id(2, FIRST_CONTACT)),
        name: Some("Nora".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        email: Some(NORA.to_owned()),
        emails: vec![NORA.to_owned()],
        numbers: vec![number(NORA_MOBILE)],
        job_title: Some("Head of Purchasing".to_owned()),
        properties: contact_properties(),
    }
}

fn inbound() -> CallRinging {
    let deal = DealRef {
        id: id(4, FIRST_CONTACT),
        name: Some("Flour for 2026".to_owned()),
        status: Some(DealStatus::Open.to_string()),
        value: Some(18_400.0),
        currency: Some("USD".to_owned()),
        close_date: Some("2026-06-30T00:00:00".to_owned()),
    };
    CallRinging {
        id: id(1, RINGS),
        from_number: NORA_MOBILE.to_owned(),
        to_number: LINE.to_owned(),
        started_at: RINGS,
        answered_at: None,
        user_email: Some(BEN.to_owned()),
        person: Some(person()),
        company: Some(CompanyRef {
            id: id(3, FIRST_CONTACT),
            name: Some(COMPANY.to_owned()),
        }),
        deals: Some(vec![deal]),
    }
}

fn outbound() -> CallRinging {
    CallRinging {
        id: id(5, CALLED_BACK),
        from_number: LINE.to_owned(),
        to_number: NORA_MOBILE.to_owned(),
        started_at: CALLED_BACK,
        deals: None,
        ..inbound()
    }
}

fn ended() -> CallEnded {
    CallEnded {
        id: id(1, RINGS),
        from_number: NORA_MOBILE.to_owned(),
        to_number: LINE.to_owned(),
        direction: Direction::Inbound,
        started_at: RINGS,
        answered_at: Some(ANSWERED),
        ended_at: ENDED,
        duration: LENGTH,
        result: CallResult::Answered,
        failure_reason: None,
        user_email: Some(BEN.to_owned()),
    }
}

fn lines() -> Transcript {
    let line = |source, after, text: &str| TranscriptLine {
        source,
        time: ANSWERED.plus(after),
        text: text.to_owned(),
    };
    Transcript::new(&[
        line(Speaker::User, 900, "Orders, this is Ben."),
        line(
            Speaker::External,
            3_400,
            "Hi Ben, it's Nora from Harbor Bakery. Can we have Friday's flour a day earlier?",
        ),
        line(
            Speaker::User,
            9_700,
            "Thursday at seven works. I'll text you the new delivery note.",
        ),
    ])
}

fn completed() -> CallCompleted {
    let transcriptions = lines();
    let collected = [("order_number".to_owned(), Value::from("HB-20418"))];
    CallCompleted {
        id: id(1, RINGS),
        start_date: RINGS,
        recording_url: Some(RECORDING.to_owned()),
        from_number: NORA_MOBILE.to_owned(),
        from_name: Some(NORA_NAME.to_owned()),
        to: LINE.to_owned(),
        to_name: Some(LINE_NAME.to_owned()),
        length_in_minutes: 5.5,
        length: spoken_length(LENGTH),
        tag: Some("delivery".to_owned()),
        tags: vec!["delivery".to_owned(), "regular_customer".to_owned()],
        summary: SUMMARY.to_owned(),
        concatenated_transcript: transcriptions.concatenated(),
        transcriptions,
        data_collected: Map::from_iter(collected),
        direction: Direction::Inbound,
        result: CallResult::Answered,
        failure_reason: None,
        integration_id: None,
        transfer_from: TransferEnd::default(),
        transfer_to: TransferEnd::default(),
        user_email: Some(BEN.to_owned()),
        original_to_number: None,
        original_to_name: None,
        transfer_original_call_id: None,
        ivr_result: vec![IvrChoice {
            dtmf_key: Some("1".to_owned()),
            text_key: Some("Deliveries".to_owned()),
        }],
    }
}

fn voicemail() -> Artefact {
    Artefact::Recording {
        id: id(6, VOICEMAIL_LEFT.plus(-64 * Millis::SECOND)),
        recording_url: None,
        duration: Some(42),
        from_number: NORA_MOBILE.to_owned(),
        to_number: LINE.to_owned(),
    }
}

fn recording() -> Artefact {
    Artefact::Recording {
        id: id(1, RINGS),
        recording_url: Some(RECORDING.to_owned()),
        duration: Some(LENGTH),
        from_number: NORA_MOBILE.to_owned(),
        to_number: LINE.to_owned(),
    }
}

fn transcript() -> Artefact {
    let transcriptions = lines();
    Artefact::Transcript {
        id: id(1, RINGS),
        concatenated_transcript: transcriptions.concatenated(),
        transcriptions,
    }
}

fn summary(text: &str, version: i64, by: Option<&str>) -> Artefact {
    Artefact::Summary {
        id: id(1, RINGS),
        summary: text.to_owned(),
        template_key: SummaryTemplate::Classic,
        version,
        user_email: by.map(str::to_owned),
    }
}

fn tag((key, name): (&str, &str)) -> TagChange {
    TagChange {
        call_id: id(1, RINGS),
        id: id(1, RINGS),
        tag_key: key.to_owned(),
        tag_name: name.to_owned(),
        user_email: Some(BEN.to_owned()),
    }
}

fn sms_in() -> Sms {
    Sms {
        id: id(7, TEXTED),
        direction: Direction::Inbound,
        message_type: MessageType::Sms,
        content: "Thanks Ben! Please use the north gate on Thursday.".to_owned(),
        sent_at: TEXTED,
        from_number: NORA_MOBILE.to_owned(),
        to_number: LINE.to_owned(),
        from_name: Some(NORA_NAME.to_owned()),
        to_name: Some(LINE_NAME.to_owned()),
        user_email: Some(BEN.to_owned()),
        media_urls: Vec::new(),
        failure_reason: None,
    }
}

fn sms_out() -> Sms {
    Sms {
        id: id(8, REPLIED),
        direction: Direction::Outbound,
        content: "North gate it is: Thursday, 7 a.m. The delivery note is on its way.".to_owned(),
        sent_at: REPLIED,
        from_number: LINE.to_owned(),
        to_number: NORA_MOBILE.to_owned(),
        from_name: Some(LINE_NAME.to_owned()),
        to_name: Some(NORA_NAME.to_owned()),
        ..sms_in()
    }
}

fn sms_failed() -> Sms {
    Sms {
        failure_reason: Some("The recipient's phone could not be reached".to_owned()),
        ..sms_out()
    }
}

fn contact(emails: &[&str], numbers: &[&str]) -> ContactState {
    ContactState {
        id: id(2, FIRST_CONTACT),
        name: Some("Nora".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        company: Some(COMPANY.to_owned()),
        emails: Some(emails.iter().map(|&email| email.to_owned()).collect()),
        numbers: numbers.iter().map(|text| number(text)).collect(),
        properties: contact_properties(),
    }
}

/// Ben.
fn ben() -> UserId {
    id(9, JOINED)
}

fn note() -> ConversationNote {
    // Ben's own id, so that the sample holds together.
    let mention = MentionRef {
        user_id: Some(ben()),
        name: "Ben".to_owned(),
    };
    ConversationNote {
        id: id(10, NOTED),
        contact_number: number(NORA_MOBILE),
        allo_number: Some(number(LINE)),
        sender_id: None,
        content: format!("{NOTE} @[{}]({}), please tell the drivers.", mention.name, ben()),
        mentions: vec![mention],
        created_at: NOTED,
        user_id: ben(),
        user_email: Some(BEN.to_owned()),
    }
}

fn account(status: AccountStatus) -> PartnerAccount {
    PartnerAccount {
        id: ben(),
        status,
        email: BEN.to_owned(),
        phone_numbers: PhoneNumber::parse(LINE).into_iter().collect(),
        partner_client_ref: Some("crm-12345".to_owned()),
        created_at: JOINED,
    }
}

fn thread(resolved_at: Option<Millis>) -> ThreadState {
    let call: CallId = id(1, RINGS);
    ThreadState {
        id: id(11, DISCUSSED),
        entity_type: EntityType::Call,
        entity_id: call.to_string(),
        created_at: DISCUSSED,
        resolved_at,
        user_id: Some(ben()),
        user_email: Some(BEN.to_owned()),
    }
}

fn comment(content: &str, updated_at: Millis) -> ThreadComment {
    let thread = thread(None);
    ThreadComment {
        id: id(12, DISCUSSED),
        thread_id: thread.id,
        entity_type: thread.entity_type,
        entity_id: thread.entity_id,
        content: content.to_owned(),
        mentions: Vec::new(),
        created_at: DISCUSSED,
        updated_at,
        user_id: ben(),
        user_email: thread.user_email,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::topic::CATALOGUE;

    /// What each topic's `data` has: names, types and null rules. `?` behind a name: may be null. `~`: may be absent.
    /// `*`: further keys. A list in brackets has elements of the one kind that it names.
    const CATALOGUE_FIXTURE: &str = include_str!("../../tests/fixtures/webhook-catalogue.json");

    fn check(path: &str, expected: &Value, value: &Value) {
        match (expected, value) {
            (Value::Object(fields), Value::Object(found)) => check_object(path, fields, found),
            (Value::Array(kind), Value::Array(elements)) => {
                for element in elements {
                    check(&format!("{path}[]"), &kind[0], element);
                }
            }
            (Value::String(kind), _) => {
                let fits = match kind.as_str() {
                    "any" => !value.is_null(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64(),
                    "number" => value.is_number(),
                    "instant" => value
                        .as_str()
                        .is_some_and(|text| Millis::parse(text).is_ok_and(|at| at.to_string() == text)),
                    other => panic!("{path}: no such type: {other}"),
                };
                assert!(fits, "{path}: {value} is no {kind}");
            }
            _ => panic!("{path}: {value} does not fit {expected}"),
        }
    }

    fn check_object(path: &str, fields: &Map<String, Value>, found: &Map<String, Value>) {
        let plain = |key: &str| key.trim_end_matches(['?', '~']).to_owned();
        for (key, expected) in fields.iter().filter(|(key, _)| *key != "*") {
            let name = plain(key);
            match found.get(&name) {
                None => assert!(key.contains('~'), "{path}.{name} is missing"),
                Some(Value::Null) => assert!(key.contains('?'), "{path}.{name} is null"),
                Some(value) => check(&format!("{path}.{name}"), expected, value),
            }
        }
        for (name, value) in found {
            if fields.keys().any(|key| plain(key) == *name) {
                continue;
            }
            let further = fields
                .get("*")
                .unwrap_or_else(|| panic!("{path}.{name} is not in the catalogue"));
            check(&format!("{path}.{name}"), further, value);
        }
    }

    #[test]
    fn every_sample_has_the_fields_of_the_catalogue() {
        let catalogue: Map<String, Value> = serde_json::from_str(CATALOGUE_FIXTURE).unwrap();
        assert_eq!(catalogue.len(), CATALOGUE.len());
        for info in CATALOGUE {
            let name = info.topic.as_str();
            let facts = catalogue
                .get(name)
                .unwrap_or_else(|| panic!("{name} is not in the fixture"));
            let mut fields = facts["published"].as_object().unwrap().clone();
            fields.extend(facts["ours"].as_object().unwrap().clone());
            let body = serde_json::to_value(body(info.topic).unwrap()).unwrap();
            check(name, &Value::Object(fields), &body["data"]);
        }
    }

    #[test]
    fn the_whole_body_is_always_the_same() {
        let one = serde_json::to_string(&body(Topic::TagAdded).unwrap()).unwrap();
        assert_eq!(
            one,
            concat!(
                r#"{"topic":"tag.added","version":"2.0","timestamp":"2026-03-10T14:41:38.000Z","data":{"#,
                r#""call_id":"cll-3Al2n6uMrKecir8e16JfWXjK0Be","id":"cll-3Al2n6uMrKecir8e16JfWXjK0Be","tag_key":"urgent","tag_name":"Urgent","user_email":"ben@example.com"}}"#,
            )
        );
        for info in CATALOGUE {
            let written = || serde_json::to_string(&body(info.topic).unwrap()).unwrap();
            assert_eq!(written(), written());
        }
    }

    #[test]
    fn internal_topics_have_none() {
        for topic in Topic::ALL {
            assert_eq!(
                body(*topic).is_some(),
                crate::webhook::topic::info(*topic).is_some(),
                "{topic}"
            );
        }
    }

    #[test]
    fn every_event_names_what_it_is_about() {
        for info in CATALOGUE {
            let body = serde_json::to_value(body(info.topic).unwrap()).unwrap();
            let id = body["data"]["id"].as_str().unwrap();
            let prefix = match info.topic.as_str() {
                name if name.starts_with("sms.") => "msg-",
                name if name.starts_with("contact.") => "cnt-",
                "conversation_note.created" => "not-",
                name if name.starts_with("thread.comment.") => "cmt-",
                name if name.starts_with("thread.") => "thr-",
                name if name.starts_with("partner.account.") => "usr-",
                _ => "cll-",
            };
            assert!(
                id.starts_with(prefix) && id.len() == prefix.len() + 27,
                "{}: {id}",
                info.topic
            );
        }
    }
}
