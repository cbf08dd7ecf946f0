//! Fields that can be taken away with null, and fields whose names are not the program's: a team or a client chose them.

use std::borrow::Cow;

use serde_json::{Map, Value};
use trunkline_domain::ErrorCode;

use super::{Input, Sent};

impl Input {
    /// A text of at most `max` characters, of which nothing, null and a value are three things: `None` leaves what is
    /// there, `Some(None)` takes it away.
    pub fn text_or_null(&mut self, name: &'static str, max: usize) -> Option<Option<String>> {
        let text = self.text(name, max);
        self.or_null(name, text)
    }

    /// What was read of a field, of which nothing, null and a value are three things.
    pub fn or_null<T>(&self, name: &str, read: Option<T>) -> Option<Option<T>> {
        read.map(Some).or((self.sent(name) == Sent::Null).then_some(None))
    }

    /// An object with keys of the client's choice, whose values are texts.
    pub fn pairs(&mut self, name: &'static str, max: usize) -> Option<Vec<(String, String)>> {
        let Value::Object(fields) = self.take(name)? else {
            self.wrong_type(name, "an object");
            return None;
        };
        if fields.len() > max {
            self.too_many(name, max, ErrorCode::InvalidParameter);
            return None;
        }
        let mut all = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            if let Value::String(text) = value {
                all.push((key, text));
            } else {
                self.wrong_type(&format!("{name}.{key}"), "a text");
            }
        }
        Some(all)
    }

    /// The fields of these names that were sent, null or not. `check` says what is wrong with a value.
    pub fn defined<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        check: impl Fn(&str, &Value) -> Result<(), String>,
    ) -> Map<String, Value> {
        let mut found = Map::new();
        for name in names {
            self.asked.push(Cow::Owned(name.to_owned()));
            let Some(value) = self.fields.get(name).cloned() else {
                continue;
            };
            match check(name, &value) {
                Ok(()) => drop(found.insert(name.to_owned(), value)),
                Err(message) => self.fault(ErrorCode::InvalidParameter, name, message),
            }
        }
        found
    }

    /// Notes that a field is empty that must have something in it.
    pub fn empty(&mut self, name: &str) {
        let message = format!("{name} is empty");
        self.fault_with(
            ErrorCode::InvalidParameter,
            name,
            message,
            format!("Send {name} with something in it."),
        );
    }
}
