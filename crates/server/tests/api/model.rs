//! A state machine: random requests change conversations, tags, people, notes, a dialing queue and webhooks, and a model
//! of a few maps says what must come of each. Every answer is compared, and from time to time everything that can be read.
//! Both engines agree with the model, and so with each other.
//!
//! `TRUNKLINE_TEST_MODEL_STEPS` lets it go on longer, `TRUNKLINE_TEST_MODEL_SEED` take another way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, Millis, PhoneNumber};
use trunkline_switchboard::calls::Step;
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, number, us};

use crate::support::{encoded, record, searchable};
use crate::webhooks::NOBODY;

trunkline_testkit::on_both! {
    random_requests_have_the_effect_of_the_model,
}

/// Transitions on each engine: requests that change something, or are refused as they have to be.
const STEPS: usize = 20_000;
/// What the transitions are about: each of it many times.
const SURFACES: [&str; 6] = ["conversations", "tags", "people", "notes", "queues", "webhooks"];
/// So often everything is read and compared.
const LOOK_EVERY: usize = 100;
/// Outside numbers that call and text.
const OUTSIDE: usize = 6;
const TAGS: [&str; 4] = ["hot", "cold", "billing", "vip"];
/// What is refused on the way, in the order of the alphabet.
const REFUSALS: [&str; 7] = [
    "CONVERSATION_NOT_FOUND",
    "NOTE_NOT_FOUND",
    "NUMBER_ALREADY_ASSIGNED",
    "QUEUE_NUMBER_POSITION_NOT_FOUND",
    "TAG_ALREADY_EXISTS",
    "TAG_NOT_FOUND",
    "WEBHOOK_NOT_FOUND",
];
const SEARCH: &str = "/v2/api/conversations/items/search";

/// What everything between the team's number and an outside number is like.
#[derive(Clone, Debug, Default)]
struct Conversation {
    texts: usize,
    calls: usize,
    /// The step of its newest item.
    newest: usize,
    unread: bool,
    archived: bool,
    unresponded: bool,
}

#[derive(Clone, Debug)]
struct Person {
    name: String,
    numbers: Vec<PhoneNumber>,
    archived: bool,
}

/// What the team must look like.
#[derive(Debug, Default)]
struct Model {
    conversations: BTreeMap<PhoneNumber, Conversation>,
    calls: Vec<(String, Vec<&'static str>)>,
    people: BTreeMap<String, Person>,
    notes: BTreeMap<String, (PhoneNumber, String)>,
    queue: Vec<(i64, PhoneNumber)>,
    webhooks: BTreeMap<String, (String, bool)>,
}

impl Model {
    /// Whose number it is, among those who are not archived.
    fn owner(&self, number: PhoneNumber) -> Option<&String> {
        let mut people = self.people.iter();
        let owns = people.find(|(_, person)| !person.archived && person.numbers.contains(&number));
        owns.map(|(id, _)| id)
    }

    /// Whether somebody else than `id` has one of the numbers.
    fn taken(&self, numbers: &[PhoneNumber], id: Option<&String>) -> bool {
        numbers
            .iter()
            .any(|number| self.owner(*number).is_some_and(|owner| Some(owner) != id))
    }

    fn interactions(&self, person: &Person) -> usize {
        let conversations = person
            .numbers
            .iter()
            .filter_map(|number| self.conversations.get(number));
        conversations.map(|one| one.texts + one.calls).sum()
    }
}

struct Machine {
    app: TestApp,
    model: Model,
    rng: StdRng,
    step: usize,
    /// How many transitions there were, by what they were about.
    done: BTreeMap<&'static str, usize>,
    /// The codes of refusals.
    refused: BTreeSet<String>,
    /// What was done last, for the report of a failure.
    log: VecDeque<String>,
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

async fn random_requests_have_the_effect_of_the_model(db: TestDb) {
    let app = searchable(db).await;
    app.set_limits(1_000_000, 1_000_000).await;
    let seed = from_environment("TRUNKLINE_TEST_MODEL_SEED", 1);
    let steps = from_environment("TRUNKLINE_TEST_MODEL_STEPS", STEPS as u64) as usize;
    let mut machine = Machine {
        app,
        model: Model::default(),
        rng: StdRng::seed_from_u64(seed),
        step: 0,
        done: BTreeMap::new(),
        refused: BTreeSet::new(),
        log: VecDeque::new(),
    };
    machine.begin().await;
    while machine.done() < steps {
        machine.step += 1;
        machine.app.office.clock.advance(Millis::MINUTE);
        machine.transition().await;
        if machine.step.is_multiple_of(LOOK_EVERY) {
            machine.look().await;
        }
    }
    machine.look().await;
    let refused: Vec<&str> = machine.refused.iter().map(String::as_str).collect();
    assert_eq!(refused, REFUSALS, "the machine has not gone everywhere");
    assert!(machine.done() >= steps, "{:?}", machine.done);
    for surface in SURFACES {
        let done = machine.done.get(surface).copied().unwrap_or(0);
        assert!(done >= steps / 50, "{surface} in {:?}", machine.done);
    }
}

impl Machine {
    /// Calls of every outside number but one, as tags need them.
    async fn begin(&mut self) {
        for which in 0..OUTSIDE - 1 {
            self.step += 1;
            self.app.office.clock.advance(Millis::MINUTE);
            let (outside, at) = (outside(which), self.app.board.now());
            let steps = vec![
                Step::Answer(Some(self.app.office.ada), at),
                Step::End(EndCause::HungUp, None, at.plus(30_000)),
                Step::Complete(at.plus(30_000)),
            ];
            let call = record(&self.app, Direction::Inbound, us(), outside, at, steps).await;
            self.model.calls.push((call.to_string(), Vec::new()));
            let conversation = Conversation {
                calls: 1,
                newest: self.step,
                ..Conversation::default()
            };
            self.model.conversations.insert(outside, conversation);
        }
    }

    fn done(&self) -> usize {
        self.done.values().sum()
    }

    async fn transition(&mut self) {
        match self.rng.random_range(0..16) {
            0 | 1 => self.text_comes_in().await,
            2 => self.text_goes_out().await,
            3 | 4 => self.act().await,
            5 | 6 => self.add_tags().await,
            7 => self.remove_tag().await,
            8 => self.create_person().await,
            9 | 10 => self.change_person().await,
            11 => self.delete_person().await,
            12 => self.write_note().await,
            13 => self.change_note().await,
            14 => self.change_queue().await,
            _ => self.change_webhooks().await,
        }
    }

    fn somebody(&mut self) -> PhoneNumber {
        outside(self.rng.random_range(0..OUTSIDE))
    }

    /// Also one who has never called or texted.
    fn anybody(&mut self) -> PhoneNumber {
        outside(self.rng.random_range(0..=OUTSIDE))
    }

    fn some_numbers(&mut self) -> Vec<PhoneNumber> {
        let all: Vec<PhoneNumber> = (0..OUTSIDE).map(outside).collect();
        let count = self.rng.random_range(1..3);
        all.sample(&mut self.rng, count).copied().collect()
    }

    /// Notes what is done, and holds the answer against what the model says of it.
    #[track_caller]
    fn expect(&mut self, surface: &'static str, what: String, reply: &Reply, status: u16, code: &str) {
        *self.done.entry(surface).or_default() += 1;
        self.compare(what, reply, status, code);
    }

    /// As [`Self::expect`], of an answer to a request that only reads.
    #[track_caller]
    fn compare(&mut self, what: String, reply: &Reply, status: u16, code: &str) {
        self.log
            .push_back(format!("{}: {what} -> {}", self.step, reply.status));
        if self.log.len() > 40 {
            self.log.pop_front();
        }
        if reply.status != status || (!code.is_empty() && reply.code() != code) {
            self.fail(&format!("{status} {code} was to be answered: {}", reply.text));
        }
        if !code.is_empty() {
            self.refused.insert(code.to_owned());
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        panic!(
            "{what}\nafter\n{}\nthe model is\n{:#?}",
            log.join("\n"),
            self.model
        );
    }

    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, there: &T, wanted: &T) {
        if there != wanted {
            self.fail(&format!("{what}: there is {there:?}, and not {wanted:?}"));
        }
    }

    async fn text_comes_in(&mut self) {
        let from = self.somebody();
        let body = json!({ "from": from, "to": us(), "content": format!("Text {}", self.step) });
        let reply = self.app.post("/sandbox/messages", &body).await;
        self.expect("conversations", format!("text from {from}"), &reply, 201, "");
        let (step, conversation) = (self.step, self.model.conversations.entry(from).or_default());
        conversation.texts += 1;
        conversation.newest = step;
        (
            conversation.unread,
            conversation.unresponded,
            conversation.archived,
        ) = (true, true, false);
    }

    async fn text_goes_out(&mut self) {
        let to = self.somebody();
        let body = json!({ "from": us(), "to": to, "message": format!("Text {}", self.step) });
        let reply = self.app.post("/v1/api/sms", &body).await;
        self.expect("conversations", format!("text to {to}"), &reply, 200, "");
        let (step, conversation) = (self.step, self.model.conversations.entry(to).or_default());
        conversation.texts += 1;
        conversation.newest = step;
        (
            conversation.unread,
            conversation.unresponded,
            conversation.archived,
        ) = (false, false, false);
    }

    async fn act(&mut self) {
        let contact = self.anybody();
        let action = *["READ", "UNREAD", "ARCHIVE", "UNARCHIVE"]
            .choose(&mut self.rng)
            .unwrap();
        let mut body = json!({ "action": action });
        if self.rng.random_bool(0.5) {
            body["allo_number"] = json!(us());
        }
        let path = format!("/v2/api/conversations/{}/action", encoded(contact));
        let reply = self.app.put(&path, &body).await;
        let what = format!("{action} {contact}");
        let Some(conversation) = self.model.conversations.get_mut(&contact) else {
            return self.expect("conversations", what, &reply, 404, "CONVERSATION_NOT_FOUND");
        };
        match action {
            "READ" => conversation.unread = false,
            "UNREAD" => conversation.unread = true,
            "ARCHIVE" => (conversation.archived, conversation.unread) = (true, false),
            _ => conversation.archived = false,
        }
        self.expect("conversations", what, &reply, 200, "");
    }

    fn some_call(&mut self) -> usize {
        self.rng.random_range(0..self.model.calls.len())
    }

    async fn add_tags(&mut self) {
        let (which, count) = (self.some_call(), self.rng.random_range(1..3));
        let tags: Vec<&'static str> = TAGS.sample(&mut self.rng, count).copied().collect();
        let id = self.model.calls[which].0.clone();
        let path = format!("/v2/api/conversations/items/{id}/tags");
        let reply = self.app.post(&path, &json!({ "tags": tags })).await;
        let there = &mut self.model.calls[which].1;
        if tags.iter().any(|tag| there.contains(tag)) {
            return self.expect(
                "tags",
                format!("tag {id} {tags:?}"),
                &reply,
                409,
                "TAG_ALREADY_EXISTS",
            );
        }
        there.extend(&tags);
        self.expect("tags", format!("tag {id} {tags:?}"), &reply, 200, "");
    }

    async fn remove_tag(&mut self) {
        let which = self.some_call();
        let tag = *TAGS.choose(&mut self.rng).unwrap();
        let id = self.model.calls[which].0.clone();
        let reply = self
            .app
            .delete(&format!("/v2/api/conversations/items/{id}/tags/{tag}"))
            .await;
        let there = &mut self.model.calls[which].1;
        if !there.contains(&tag) {
            return self.expect("tags", format!("untag {id} {tag}"), &reply, 404, "TAG_NOT_FOUND");
        }
        there.retain(|one| *one != tag);
        self.expect("tags", format!("untag {id} {tag}"), &reply, 200, "");
    }

    async fn create_person(&mut self) {
        let (name, numbers) = (format!("Person {}", self.step), self.some_numbers());
        let reply = self
            .app
            .post("/v2/api/crm/people", &json!({ "name": name, "numbers": numbers }))
            .await;
        let what = format!("person with {numbers:?}");
        if self.model.taken(&numbers, None) {
            return self.expect("people", what, &reply, 409, "NUMBER_ALREADY_ASSIGNED");
        }
        self.expect("people", what, &reply, 200, "");
        let person = Person {
            name,
            numbers,
            archived: false,
        };
        self.model.people.insert(text(reply.data(), "id"), person);
    }

    fn some_person(&mut self) -> Option<String> {
        let ids: Vec<&String> = self.model.people.keys().collect();
        ids.choose(&mut self.rng).map(|id| (*id).clone())
    }

    /// A new name, new numbers, or back from where the archived are.
    async fn change_person(&mut self) {
        let Some(id) = self.some_person() else { return };
        let mut person = self.model.people[&id].clone();
        let mut body = json!({});
        if person.archived {
            person.archived = false;
            body["archived"] = json!(false);
        } else if self.rng.random_bool(0.5) {
            person.name = format!("Renamed {}", self.step);
            body["name"] = json!(person.name);
        } else {
            person.numbers = self.some_numbers();
            body["numbers"] = json!(person.numbers);
        }
        let reply = self.app.put(&format!("/v2/api/crm/people/{id}"), &body).await;
        let what = format!("change {id} {body}");
        if body["name"].is_null() && self.model.taken(&person.numbers, Some(&id)) {
            return self.expect("people", what, &reply, 409, "NUMBER_ALREADY_ASSIGNED");
        }
        self.expect("people", what, &reply, 200, "");
        self.model.people.insert(id, person);
    }

    async fn delete_person(&mut self) {
        let Some(id) = self.some_person() else { return };
        let Some(person) = self.model.people.get_mut(&id).filter(|person| !person.archived) else {
            return;
        };
        person.archived = true;
        let reply = self.app.delete(&format!("/v2/api/crm/people/{id}")).await;
        self.expect("people", format!("delete {id}"), &reply, 204, "");
    }

    async fn write_note(&mut self) {
        let (contact, content) = (self.anybody(), format!("Note {}", self.step));
        let path = format!("/v2/api/conversations/{}/notes", encoded(contact));
        let reply = self
            .app
            .post(&path, &json!({ "content": content, "allo_number": us() }))
            .await;
        if !self.model.conversations.contains_key(&contact) {
            return self.expect(
                "notes",
                format!("note on {contact}"),
                &reply,
                404,
                "CONVERSATION_NOT_FOUND",
            );
        }
        self.expect("notes", format!("note on {contact}"), &reply, 201, "");
        self.model
            .notes
            .insert(text(reply.data(), "id"), (contact, content));
    }

    async fn change_note(&mut self) {
        let ids: Vec<&String> = self.model.notes.keys().collect();
        let Some(id) = ids.choose(&mut self.rng).map(|id| (*id).clone()) else {
            return;
        };
        let path = format!("/v2/api/conversations/notes/{id}");
        if self.rng.random_bool(0.5) {
            let reply = self.app.delete(&path).await;
            self.expect("notes", format!("delete {id}"), &reply, 204, "");
            self.model.notes.remove(&id);
            let gone = self.app.get(&path).await;
            return self.compare(format!("read {id}"), &gone, 404, "NOTE_NOT_FOUND");
        }
        let content = format!("Changed {}", self.step);
        let reply = self.app.patch(&path, &json!({ "content": content })).await;
        self.expect("notes", format!("change {id}"), &reply, 200, "");
        if let Some(note) = self.model.notes.get_mut(&id) {
            note.1 = content;
        }
    }

    async fn change_queue(&mut self) {
        let path = "/v2/api/dialing-queues/current/numbers";
        let last = self.model.queue.last().map(|(position, _)| *position);
        match self.rng.random_range(0..8) {
            0 if last.is_some() => {
                let reply = self.app.delete(&format!("{path}?unassigned=true")).await;
                self.expect("queues", "clear the queue".to_owned(), &reply, 200, "");
                self.model.queue.clear();
            }
            1 | 2 if last.is_some() => {
                let position = self.rng.random_range(0..=last.unwrap_or(0) + 1);
                let reply = self.app.delete(&format!("{path}?position={position}")).await;
                let there = self.model.queue.len();
                self.model.queue.retain(|(one, _)| *one != position);
                let what = format!("remove position {position}");
                if self.model.queue.len() == there {
                    return self.expect("queues", what, &reply, 404, "QUEUE_NUMBER_POSITION_NOT_FOUND");
                }
                self.expect("queues", what, &reply, 200, "");
            }
            _ if self.model.queue.len() < 60 => {
                let lead = lead(self.rng.random_range(0..50));
                let spelled = format!(
                    "({}) {}-{}",
                    &lead.as_str()[2..5],
                    &lead.as_str()[5..8],
                    &lead.as_str()[8..]
                );
                let reply = self
                    .app
                    .post(path, &json!({ "numbers": [{ "number": spelled }] }))
                    .await;
                self.expect("queues", format!("queue {spelled}"), &reply, 200, "");
                let position = reply.data()["added"][0]["position"].as_i64().unwrap_or(-1);
                if last.is_some_and(|last| position <= last) {
                    self.fail(&format!("position {position} was given before"));
                }
                self.model.queue.push((position, lead));
            }
            _ => {}
        }
    }

    async fn change_webhooks(&mut self) {
        let ids: Vec<&String> = self.model.webhooks.keys().collect();
        let chosen = ids.choose(&mut self.rng).map(|id| (*id).clone());
        let description = format!("Endpoint {}", self.step);
        match (self.rng.random_range(0..3), chosen) {
            (0, Some(id)) => {
                let reply = self.app.delete(&format!("/v2/api/webhooks/{id}")).await;
                self.expect("webhooks", format!("delete {id}"), &reply, 204, "");
                self.model.webhooks.remove(&id);
                let gone = self.app.get(&format!("/v2/api/webhooks/{id}")).await;
                self.compare(format!("read {id}"), &gone, 404, "WEBHOOK_NOT_FOUND");
            }
            (1, Some(id)) => {
                let enabled = self.rng.random_bool(0.5);
                let body = json!({ "description": description, "enabled": enabled });
                let reply = self.app.put(&format!("/v2/api/webhooks/{id}"), &body).await;
                self.expect("webhooks", format!("change {id}"), &reply, 200, "");
                self.model.webhooks.insert(id, (description, enabled));
            }
            _ if self.model.webhooks.len() < 6 => {
                let body = json!({ "url": NOBODY, "topics": ["tag.added"], "description": description });
                let reply = self.app.post("/v2/api/webhooks", &body).await;
                self.expect("webhooks", "make an endpoint".to_owned(), &reply, 201, "");
                self.model
                    .webhooks
                    .insert(text(reply.data(), "id"), (description, true));
            }
            _ => {}
        }
    }

    /// Reads all there is, and compares.
    async fn look(&self) {
        self.look_at_conversations().await;
        self.look_at_items().await;
        self.look_at_people().await;
        self.look_at_notes().await;
        let queue = self.app.get("/v2/api/dialing-queues/current?size=100").await;
        let entries = queue.data().as_array().cloned().unwrap_or_default();
        let there: Vec<(i64, String)> = entries
            .iter()
            .map(|entry| (entry["position"].as_i64().unwrap_or(-1), text(entry, "number_to")))
            .collect();
        let wanted: Vec<(i64, String)> = self
            .model
            .queue
            .iter()
            .map(|(position, number)| (*position, number.to_string()))
            .collect();
        self.same("the queue", &there, &wanted);
        let webhooks = self.app.get("/v2/api/webhooks").await;
        let all = webhooks.data().as_array().cloned().unwrap_or_default();
        let there: BTreeMap<String, (String, bool)> = all
            .iter()
            .map(|one| {
                (
                    text(one, "id"),
                    (text(one, "description"), one["enabled"] == true),
                )
            })
            .collect();
        self.same("webhooks", &there, &self.model.webhooks);
    }

    async fn look_at_conversations(&self) {
        let path = format!("/v2/api/conversations?allo_number={}&size=100", encoded(us()));
        let list = self.app.get(&path).await;
        let all = list.data().as_array().cloned().unwrap_or_default();
        let flag = |one: &Value, name: &str| one[name] == true;
        let there: Vec<(String, [bool; 3])> = all
            .iter()
            .map(|one| {
                let flags = ["unread", "archived", "unresponded"].map(|name| flag(one, name));
                (text(one, "contact_number"), flags)
            })
            .collect();
        let mut wanted: Vec<_> = self.model.conversations.iter().collect();
        wanted.sort_by_key(|(_, one)| std::cmp::Reverse(one.newest));
        let wanted: Vec<(String, [bool; 3])> = wanted
            .into_iter()
            .map(|(number, one)| (number.to_string(), [one.unread, one.archived, one.unresponded]))
            .collect();
        self.same("conversations", &there, &wanted);
    }

    async fn count(&self, filter: Value) -> usize {
        let reply = self.app.post(SEARCH, &filter).await;
        let count = reply.json["pagination"]["total_count"].as_u64();
        count.map_or_else(|| self.fail(&reply.text), |count| count as usize)
    }

    async fn look_at_items(&self) {
        let all = &self.model.conversations;
        for (number, one) in all {
            let there = self.count(json!({ "contact_number": number })).await;
            self.same("items", &there, &(one.texts + one.calls));
        }
        for (field, flag) in [("unread", true), ("unresponded", false)] {
            let there = self.count(json!({ field: flag, "type": "SMS" })).await;
            let wanted = all.values().filter(|one| {
                flag == if field == "unread" {
                    one.unread
                } else {
                    one.unresponded
                }
            });
            self.same(field, &there, &wanted.map(|one| one.texts).sum());
        }
        for tag in TAGS {
            let there = self.count(json!({ "tags": [tag] })).await;
            let wanted = self
                .model
                .calls
                .iter()
                .filter(|(_, tags)| tags.contains(&tag))
                .count();
            self.same(tag, &there, &wanted);
        }
        for (id, tags) in &self.model.calls {
            let reply = self.app.get(&format!("/v2/api/conversations/items/{id}")).await;
            let there: BTreeSet<String> = list(&reply.data()["tags"]);
            self.same(id, &there, &tags.iter().map(|tag| (*tag).to_owned()).collect());
        }
    }

    async fn look_at_people(&self) {
        for (id, person) in self.model.people.iter().rev().take(20) {
            let reply = self.app.get(&format!("/v2/api/crm/people/{id}")).await;
            let there = reply.data();
            self.same("archived", &there["archived_at"].is_string(), &person.archived);
            self.same("name", &text(there, "name"), &person.name);
            if !person.archived {
                let numbers: Vec<String> = person.numbers.iter().map(ToString::to_string).collect();
                let shown: Vec<&str> = there["numbers"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                self.same("numbers", &shown, &numbers.iter().map(String::as_str).collect());
                let count = there["interactions"].as_u64().unwrap_or(0) as usize;
                self.same(
                    &format!("interactions of {id}"),
                    &count,
                    &self.model.interactions(person),
                );
            }
        }
        for number in (0..OUTSIDE).map(outside) {
            let filter = json!({ "filters": { "phone_number": number } });
            let reply = self.app.post("/v2/api/crm/people/search", &filter).await;
            let found: Vec<String> = reply
                .data()
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| text(one, "id"))
                .collect();
            self.same(
                "people by number",
                &found,
                &self.model.owner(number).cloned().into_iter().collect(),
            );
        }
    }

    async fn look_at_notes(&self) {
        for contact in self.model.conversations.keys() {
            let path = format!(
                "/v2/api/conversations/{}/notes?allo_number={}&size=100",
                encoded(*contact),
                encoded(us())
            );
            let reply = self.app.get(&path).await;
            let all = self.model.notes.values().filter(|(of, _)| of == contact);
            let wanted: BTreeSet<String> = all.map(|(_, content)| content.clone()).collect();
            let total = reply.json["pagination"]["total_count"].as_u64().unwrap_or(0) as usize;
            self.same("notes", &total, &wanted.len());
            let shown = reply
                .data()
                .as_array()
                .into_iter()
                .flatten()
                .map(|note| text(note, "content"));
            if let Some(strange) = shown.into_iter().find(|content| !wanted.contains(content)) {
                self.fail(&format!("{contact} has the note {strange:?}"));
            }
        }
    }
}

/// An outside number that is nobody's at first.
fn outside(which: usize) -> PhoneNumber {
    number(&format!("+1415555{:04}", 1_300 + which))
}

/// A number that is only ever queued.
fn lead(which: usize) -> PhoneNumber {
    number(&format!("+1415555{:04}", 1_400 + which))
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
