//! Erasure of a person: which stored texts tell of it, and what is left of them.
//!
//! Events and answers are JSON of many shapes. What may stay is therefore listed, and what is not listed goes: a field
//! that comes to a payload later is erased until somebody decides otherwise.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::events::Topic;
use crate::{PhoneNumber, full_name};

/// What the ids of all kinds have behind their prefix.
const KSUID: usize = 27;

/// Fields that tell of the team, of the course of things, or of nothing: they stay.
const KEPT: [&str; 40] = [
    "action",
    "allo_number",
    "answered_at",
    "call_id",
    "contact_number",
    "created_at",
    "direction",
    "duration",
    "ended_at",
    "entity_id",
    "entity_type",
    "from_number",
    "id",
    "length",
    "length_in_minutes",
    "message_type",
    "resolved_at",
    "result",
    "segments",
    "sender_id",
    "sent_at",
    "start_date",
    "started_at",
    "status",
    "tag",
    "tag_key",
    "tag_name",
    "tags",
    "template_key",
    "thread_id",
    "timestamp",
    "to",
    "to_number",
    "topic",
    "transfer_original_call_id",
    "type",
    "updated_at",
    "user_email",
    "user_id",
    "version",
];

/// Objects with properties of a contact, or with what an assistant has asked for: fields that teams name.
const FREE: [&str; 2] = ["person", "data_collected"];

/// What stays even there: no field that a team names is called so.
const NEVER_CUSTOM: [&str; 3] = ["id", "created_at", "updated_at"];

/// Fields that are always a text: empty where others are null.
const TEXTS: [&str; 3] = ["concatenated_transcript", "content", "summary"];

/// The field of a transcript's line with what was said.
const SPOKEN: &str = "text";

/// Fields with the name of whoever is at one end of a call or text.
const NAMES: [&str; 3] = ["from_name", "original_to_name", "to_name"];

/// What is looked for in a text: ids (without their prefixes) and numbers.
#[derive(Clone, Debug, Default)]
pub struct Marks(HashSet<Box<str>>);

impl Marks {
    /// Looks for the id whose part behind the prefix this is, or for the number.
    pub fn add(&mut self, mark: &str) {
        self.0.insert(mark.trim_start_matches('+').into());
    }

    /// Whether there is nothing to be looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them stands in `text`, as a word of its own.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let known = |word: &str| (7..=KSUID).contains(&word.len()) && self.0.contains(word);
        text.split(|c: char| !c.is_ascii_alphanumeric())
            // In a path the plus sign of a number is `%2B`.
            .any(|word| known(word) || word.strip_prefix("2B").is_some_and(known))
    }

    /// Whether a field is one of them. What somebody said or wrote is none, whatever stands in it: to mention a number is
    /// not to have it.
    fn are_fields_of(&self, name: &str, value: &Value) -> bool {
        match value {
            Value::Object(fields) => fields.iter().any(|(name, value)| self.are_fields_of(name, value)),
            Value::Array(entries) => entries.iter().any(|entry| self.are_fields_of(name, entry)),
            Value::String(text) if !TEXTS.contains(&name) && name != SPOKEN => {
                let id = text.rsplit_once(['-', '_']).map_or(text.as_str(), |(_, id)| id);
                self.0.contains(id.trim_start_matches('+'))
            }
            _ => false,
        }
    }
}

/// A person that is erased, as events and answers know it.
#[derive(Clone, Debug, Default)]
pub struct Erased {
    /// The person's ids, those of people that were merged into it included, and numbers that it shares with somebody.
    pub person: Marks,
    /// Its own numbers, its calls and texts, notes and threads.
    pub history: Marks,
    /// Its names, first and last together.
    pub names: Vec<String>,
    /// Names that it had before: they go from what tells of a number that it shares with somebody.
    pub former: Vec<String>,
    /// What stands in the place of its own numbers.
    pub numbers: HashMap<String, PhoneNumber>,
}

impl Erased {
    /// The payload of an event without the person; `None` if it tells nothing of it.
    ///
    /// An event about the person, or about a call or text of its own number, keeps its shape, its ids and what the team
    /// did. One that tells of somebody else beside the person loses the person only.
    #[must_use]
    pub fn event(&self, topic: Topic, payload: &str) -> Option<String> {
        if !self.history.are_in(payload)
            && !self.person.are_in(payload)
            && !self.names.iter().any(|name| payload.contains(name.as_str()))
        {
            return None;
        }
        let before: Value = serde_json::from_str(payload).ok()?;
        let of_history = self.history.are_fields_of("", &before);
        let of_contact = matches!(topic, Topic::ContactCreated | Topic::ContactUpdated);
        let id = before.get("id").and_then(Value::as_str).unwrap_or_default();
        let after = match (of_contact, of_history) {
            (true, _) if self.person.are_in(id) => self.nameless("", &before, true),
            (false, true) => self.nameless("", &before, false),
            _ => {
                let mut after = before.clone();
                let is_shared = self.person.are_fields_of("", &before);
                let former = if is_shared { self.former.as_slice() } else { &[] };
                self.leave_out(&mut after, former);
                after
            }
        };
        (after != before).then(|| after.to_string())
    }

    /// The names that the payload of an event gives the person, first and last together.
    #[must_use]
    pub fn told_names(&self, payload: &str) -> Vec<String> {
        if !self.person.are_in(payload) {
            return Vec::new();
        }
        let told: Value = serde_json::from_str(payload).unwrap_or_default();
        let name = |fields: &Value| {
            let field = |name: &str| fields.get(name).and_then(Value::as_str);
            let id = field("id").filter(|id| self.person.are_in(id));
            id.and_then(|_| full_name(field("name"), field("last_name")))
        };
        let person = told.get("person").and_then(name);
        [name(&told), person].into_iter().flatten().collect()
    }

    /// An answer to a request without the person; `None` if it tells nothing of it.
    #[must_use]
    pub fn answer(&self, request: &str, body: &str) -> Option<String> {
        let tells = |text: &str| self.history.are_in(text) || self.person.are_in(text);
        if !tells(request) && !tells(body) {
            return None;
        }
        let free = ["/crm/", "/contact"].iter().any(|part| request.contains(part));
        let nameless = serde_json::from_str(body).map(|before| self.nameless("", &before, free).to_string());
        Some(nameless.unwrap_or_default()).filter(|after| after != body)
    }

    /// `free`: the names of fields may be the team's own, so that they say nothing of what they hold.
    fn nameless(&self, name: &str, value: &Value, free: bool) -> Value {
        let kept = if free {
            NEVER_CUSTOM.contains(&name)
        } else {
            KEPT.contains(&name)
        };
        match value {
            Value::Object(fields) => {
                let free = free || FREE.contains(&name);
                let nameless =
                    |(name, value): (&String, &Value)| (name.clone(), self.nameless(name, value, free));
                Value::Object(fields.iter().map(nameless).collect::<Map<_, _>>())
            }
            Value::String(text) if self.numbers.contains_key(text) => self.numbers[text].as_str().into(),
            Value::Array(_) if kept => value.clone(),
            Value::Array(_) => Value::Array(Vec::new()),
            Value::String(_) if TEXTS.contains(&name) => "".into(),
            _ if kept => value.clone(),
            _ => Value::Null,
        }
    }

    /// Takes the person out of what is about somebody else too.
    fn leave_out(&self, value: &mut Value, former: &[String]) {
        match value {
            Value::Object(fields) => {
                let person = fields
                    .get("person")
                    .and_then(|person| person.get("id"))
                    .and_then(Value::as_str);
                if person.is_some_and(|id| self.person.are_in(id)) {
                    fields.remove("person");
                    for name in ["company", "deals"] {
                        fields.insert(name.to_owned(), Value::Null);
                    }
                }
                for name in NAMES {
                    let known = |text: &str| self.names.iter().chain(former).any(|own| own == text);
                    if let Some(field) = fields
                        .get_mut(name)
                        .filter(|field| field.as_str().is_some_and(known))
                    {
                        *field = Value::Null;
                    }
                }
                fields
                    .values_mut()
                    .for_each(|field| self.leave_out(field, former));
            }
            Value::Array(entries) => entries.iter_mut().for_each(|entry| self.leave_out(entry, former)),
            Value::String(text) => {
                if let Some(number) = self.numbers.get(text.as_str()) {
                    *text = number.to_string();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PERSON: &str = "2Hk9GqkQe7b1T4yVnUo3xZ0aBcD";
    const OTHER: &str = "2Hk9GqkQe7b1T4yVnUo3xZ0aBcE";
    const CALL: &str = "2Hk9GqkQe7b1T4yVnUo3xZ0aBcF";
    const NUMBER: &str = "+33612345678";

    fn erased() -> Erased {
        let mut erased = Erased {
            names: vec!["Ada Byron".to_owned()],
            numbers: [(NUMBER.to_owned(), PhoneNumber::nobodys(5))].into(),
            ..Erased::default()
        };
        erased.person.add(PERSON);
        erased.history.add(NUMBER);
        erased.history.add(CALL);
        erased
    }

    fn event(topic: Topic, payload: &Value) -> Option<Value> {
        let left = erased().event(topic, &payload.to_string())?;
        Some(serde_json::from_str(&left).unwrap())
    }

    /// A team may call its own properties, and what an assistant asks for, as we call other things.
    #[test]
    fn names_that_teams_give_keep_nothing() {
        let ada = format!("cnt-{}", "A".repeat(KSUID));
        let call = format!("cll-{}", "C".repeat(KSUID));
        let mut erased = Erased::default();
        erased.person.add(&"A".repeat(KSUID));
        erased.history.add(&"C".repeat(KSUID));
        let contact =
            format!(r#"{{"id":"{ada}","name":"Ada","type":"gout","tags":["gout"],"duration":"gout"}}"#);
        let left = erased
            .event(Topic::ContactUpdated, &contact)
            .expect("it is about Ada");
        assert!(
            left.contains(&ada) && !left.contains("gout") && !left.contains("Ada"),
            "{left}"
        );
        let completed = format!(
            r#"{{"id":"{call}","result":"ANSWERED","data_collected":{{"result":"gout"}},"person":{{"id":"{ada}","status":"gout"}}}}"#
        );
        let left = erased
            .event(Topic::CallCompleted, &completed)
            .expect("it is of Ada's call");
        assert!(
            left.contains("ANSWERED") && left.contains(&ada) && !left.contains("gout"),
            "{left}"
        );
        let answer = format!(r#"{{"data":{{"id":"{ada}","start_date":"gout"}}}}"#);
        let left = erased
            .answer("PUT /v2/api/crm/people/x", &answer)
            .expect("it is about Ada");
        assert!(left.contains(&ada) && !left.contains("gout"), "{left}");
    }

    #[test]
    fn marks_are_whole_words() {
        let mut marks = Marks::default();
        assert!(marks.is_empty());
        marks.add(NUMBER);
        marks.add(CALL);
        for text in [
            "+33612345678",
            "GET /conversations/%2B33612345678/notes",
            r#"{"id":"cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcF"}"#,
            "cll_2Hk9GqkQe7b1T4yVnUo3xZ0aBcF?",
        ] {
            assert!(marks.are_in(text), "{text}");
        }
        for text in [
            "",
            "+336123456789",
            "+3361234567",
            "2Hk9GqkQe7b1T4yVnUo3xZ0aBcFa",
            "2B",
        ] {
            assert!(!marks.are_in(text), "{text}");
        }
    }

    #[test]
    fn a_call_keeps_its_course_and_loses_its_words() {
        let call = json!({
            "id": format!("cll-{CALL}"), "from_number": NUMBER, "to_number": "+14155550100", "from_name": "Ada Byron",
            "type": "INBOUND", "result": "ANSWERED", "length_in_minutes": 1.5, "tags": ["vip"], "summary": "Words",
            "transcriptions": [{ "text": "Words", "time": 1 }], "concatenated_transcript": "Words",
            "recording_url": "https://x.example/1", "user_email": "ben@office.example",
            "data_collected": { "wish": "Words" }, "transfer_to": { "number": "+1", "user_email": "b@office.example" },
            "something_new": "Words", "a_flag": true,
        });
        let expected = json!({
            "id": format!("cll-{CALL}"), "from_number": "+999000000000005", "to_number": "+14155550100",
            "from_name": null, "type": "INBOUND", "result": "ANSWERED", "length_in_minutes": 1.5, "tags": ["vip"],
            "summary": "", "transcriptions": [], "concatenated_transcript": "", "recording_url": null,
            "user_email": "ben@office.example", "data_collected": { "wish": null },
            "transfer_to": { "number": null, "user_email": "b@office.example" }, "something_new": null, "a_flag": null,
        });
        assert_eq!(event(Topic::CallCompleted, &call), Some(expected.clone()));
        assert_eq!(
            event(Topic::CallCompleted, &expected),
            None,
            "there is nothing left to be erased"
        );
    }

    #[test]
    fn a_contact_keeps_its_id() {
        let contact =
            json!({ "id": format!("cnt-{PERSON}"), "name": "Ada", "numbers": [NUMBER], "shoe_size": 37 });
        let expected =
            json!({ "id": format!("cnt-{PERSON}"), "name": null, "numbers": [], "shoe_size": null });
        assert_eq!(event(Topic::ContactUpdated, &contact), Some(expected));
    }

    #[test]
    fn who_mentions_a_number_keeps_the_own_words() {
        let words = format!("my wife is at {NUMBER}");
        let text = json!({ "id": format!("msg-{OTHER}"), "from_number": "+14155551234", "content": words });
        assert_eq!(event(Topic::SmsReceived, &text), None);
        let only_the_number =
            json!({ "id": format!("msg-{OTHER}"), "from_number": "+14155551234", "content": NUMBER });
        let left = event(Topic::SmsReceived, &only_the_number);
        assert_eq!(
            left.map(|left| left["from_number"].clone()),
            Some(json!("+14155551234"))
        );
        let call = json!({
            "id": format!("cll-{OTHER}"), "from_number": "+14155551234", "concatenated_transcript": words,
            "transcriptions": [{ "text": words, "time": 1 }],
        });
        assert_eq!(event(Topic::CallCompleted, &call), None);
    }

    #[test]
    fn what_is_about_others_keeps_them() {
        let contact =
            json!({ "id": format!("cnt-{OTHER}"), "name": "Bob", "numbers": [NUMBER, "+14155551234"] });
        let left = json!({ "id": format!("cnt-{OTHER}"), "name": "Bob", "numbers": ["+999000000000005", "+14155551234"] });
        assert_eq!(event(Topic::ContactUpdated, &contact), Some(left));
        let rings = json!({
            "id": format!("cll-{OTHER}"), "from_number": "+14155551234", "company": { "name": "Bakery" }, "deals": [1],
            "person": { "id": format!("cnt-{PERSON}"), "name": "Ada" },
        });
        let left = json!({ "id": format!("cll-{OTHER}"), "from_number": "+14155551234", "company": null, "deals": null });
        assert_eq!(event(Topic::CallReceived, &rings), Some(left));
        let text =
            |name: Value| json!({ "id": format!("msg-{OTHER}"), "content": "Hi Ada Byron", "to_name": name });
        assert_eq!(
            event(Topic::SmsSent, &text("Ada Byron".into())),
            Some(text(Value::Null))
        );
        assert_eq!(
            event(
                Topic::SmsSent,
                &json!({ "id": format!("msg-{OTHER}"), "content": "Hello" })
            ),
            None
        );
    }

    #[test]
    fn former_names_go_where_a_shared_number_stands() {
        const SHARED: &str = "+33987654321";
        let mut erased = erased();
        erased.person.add(SHARED);
        let contact =
            json!({ "id": format!("cnt-{PERSON}"), "name": "Ada", "last_name": "King", "numbers": [SHARED] });
        let rings =
            json!({ "id": format!("cll-{CALL}"), "person": { "id": format!("cnt-{PERSON}"), "name": "A." } });
        let of_another = json!({ "id": format!("cnt-{OTHER}"), "name": "Bob", "numbers": [SHARED] });
        assert_eq!(erased.told_names(&contact.to_string()), ["Ada King"]);
        assert_eq!(erased.told_names(&rings.to_string()), ["A."]);
        assert_eq!(erased.told_names(&of_another.to_string()), [""; 0]);
        erased.former = vec!["Ada King".to_owned()];
        let text = |number: &str, name: Value| json!({ "id": format!("msg-{OTHER}"), "from_number": number, "from_name": name });
        let event = |payload: &Value| {
            let left = erased.event(Topic::SmsReceived, &payload.to_string());
            left.map(|left| serde_json::from_str::<Value>(&left).unwrap())
        };
        assert_eq!(
            event(&text(SHARED, "Ada King".into())),
            Some(text(SHARED, Value::Null))
        );
        // Somebody else may be called so.
        assert_eq!(event(&text("+14155551234", "Ada King".into())), None);
        assert_eq!(event(&text(SHARED, "Bob".into())), None);
    }

    #[test]
    fn answers_are_erased_by_what_was_asked_or_answered() {
        let erased = erased();
        let body =
            json!({ "data": { "id": format!("msg-{OTHER}"), "content": "Words", "to": NUMBER } }).to_string();
        let left =
            json!({ "data": { "id": format!("msg-{OTHER}"), "content": "", "to": "+999000000000005" } });
        assert_eq!(erased.answer("POST /v1/api/sms", &body), Some(left.to_string()));
        let note = r#"{"data":{"content":"Words"}}"#;
        assert_eq!(erased.answer("POST /v1/api/sms", note), None);
        let request = format!("POST /v2/api/crm/people/per-{PERSON}/notes");
        assert_eq!(
            erased.answer(&request, note),
            Some(r#"{"data":{"content":""}}"#.to_owned())
        );
        assert_eq!(erased.answer(&request, ""), None);
        assert_eq!(erased.answer(&request, "no JSON"), Some(String::new()));
    }
}
