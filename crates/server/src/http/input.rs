//! What clients send: read field by field, every fault named, nothing ignored in silence.

mod open;

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use serde_json::{Map, Value};
use trunkline_domain::{ErrorCode, Millis, PhoneNumber, UnknownName};
use trunkline_store::crypto;

use super::body::{json_only, read_body};
use super::context::{Context, context};
use super::error::{ApiError, Fault};
use crate::AppState;
use crate::media::TeamLinks;

/// Fields by name, with the faults found so far. Faults are collected, so that a client learns of all at once.
pub struct Input {
    fields: Map<String, Value>,
    source: Source,
    prefix: String,
    asked: Vec<Cow<'static, str>>,
    faults: Vec<(Fault, Option<String>)>,
    context: Arc<Context>,
}

/// What a client sent for a field, where nothing and null are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The field is not there.
    Nothing,
    /// Null.
    Null,
    /// A value, of whatever type.
    Value,
}

/// Where fields come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A query, where everything is text.
    Query,
    /// A JSON body, where a number is a number.
    Body,
}

/// The `N` parameters in the path of a route, in order, percent-decoded. What is not UTF-8 becomes a character that
/// no id and no number has.
pub struct PathParams<const N: usize>(pub [String; N]);

impl<const N: usize> FromRequestParts<AppState> for PathParams<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        // Not axum's own `Path`: it refuses what is not UTF-8 in words of its own, past the common form of errors.
        let route = parts
            .extensions
            .get::<MatchedPath>()
            .map(MatchedPath::as_str)
            .unwrap_or_default();
        let pairs = route.split('/').zip(parts.uri.path().split('/'));
        let values = pairs.filter(|(name, _)| name.starts_with('{'));
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let all: Vec<String> = values.map(|(_, text)| decode(text)).collect();
        all.try_into()
            .map(Self)
            .map_err(|_| ErrorCode::InternalServerError.into())
    }
}

/// The query of a request.
pub struct Query(pub Input);

/// The JSON object in the body of a request.
pub struct Body(pub Input);

/// The JSON object in the body, or nothing: an empty body is an empty object.
pub struct OptionalBody(pub Input);

impl FromRequestParts<AppState> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let context = context(parts)?;
        // From here on it is known which of them are asked for.
        context.ignored.lock().clear();
        let mut fields = Map::new();
        for (name, value) in form_pairs(parts.uri.query().unwrap_or_default()) {
            let value = Value::String(value);
            let before = fields.insert(name.clone(), value.clone());
            // The last one counts; that another was there is told.
            let mut told = context.ignored.lock();
            if before.is_some_and(|before| before != value) && !told.contains(&name) {
                told.push(name);
            }
        }
        Ok(Self(Input::new(fields, Source::Query, context)))
    }
}

/// The names of all parameters in the query.
pub(crate) fn query_names(parts: &Parts) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in form_pairs(parts.uri.query().unwrap_or_default()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The pairs of a query or form, percent-decoded (`+` is a space).
pub(crate) fn form_pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        if !part.contains(['+', '%']) {
            return part.to_owned();
        }
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            pair.split_once('=')
                .map_or_else(|| (decode(pair), String::new()), |(n, v)| (decode(n), decode(v)))
        })
        .collect()
}

impl FromRequest<AppState> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        Ok(Self(read_json(request, false).await?))
    }
}

impl FromRequest<AppState> for OptionalBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        Ok(Self(read_json(request, true).await?))
    }
}

async fn read_json(request: Request, may_be_empty: bool) -> Result<Input, ApiError> {
    let (parts, body) = request.into_parts();
    let context = context(&parts)?;
    let bytes = read_body(body).await?;
    if context.idempotency_key.is_some() {
        drop(context.fingerprint.set(crypto::sha256_hex(&bytes)));
    }
    if bytes.is_empty() && may_be_empty {
        return Ok(Input::new(Map::new(), Source::Body, context));
    }
    json_only(&parts.headers)?;
    let malformed = |message: String| {
        ApiError::new(ErrorCode::InvalidRequestBody)
            .message(message)
            .suggestion("Send one JSON object.")
    };
    if bytes.is_empty() {
        return Err(malformed("the body is empty".into()));
    }
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(fields)) => Ok(Input::new(fields, Source::Body, context)),
        Ok(_) => Err(malformed("the body is JSON, but not an object".into())),
        Err(error) => Err(malformed(format!("the body is not JSON: {error}"))),
    }
}

/// `5.0` is a whole number too, by JSON Schema's reading of "integer".
fn whole(number: f64) -> Option<i64> {
    /// Up to here a double holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number, and within what i64 holds"
    )]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

impl Input {
    fn new(fields: Map<String, Value>, source: Source, context: Arc<Context>) -> Self {
        Self {
            fields,
            source,
            prefix: String::new(),
            asked: Vec::new(),
            faults: Vec::new(),
            context,
        }
    }

    /// The field, if it is there and not null.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(Cow::Borrowed(name));
        self.fields.get(name).filter(|value| !value.is_null()).cloned()
    }

    /// Signs links to media of the caller's team.
    pub(crate) fn media_links(&self) -> Option<TeamLinks> {
        let owner = self.context.identity.as_ref().ok()?;
        Some(self.context.links.of(owner.team))
    }

    /// Notes a fault of a field.
    pub fn fault(&mut self, code: ErrorCode, name: &str, message: impl Into<String>) {
        let fault = Fault {
            param: format!("{}{name}", self.prefix),
            code,
            message: message.into(),
        };
        self.faults.push((fault, None));
    }

    /// Notes a fault of a field, with what to do where the code's own advice is too general.
    pub fn fault_with(&mut self, code: ErrorCode, name: &str, message: String, suggestion: String) {
        let fault = Fault {
            param: format!("{}{name}", self.prefix),
            code,
            message,
        };
        self.faults.push((fault, Some(suggestion)));
    }

    fn wrong_type(&mut self, name: &str, wanted: &str) {
        self.fault_with(
            ErrorCode::InvalidParameter,
            name,
            format!("{name} must be {wanted}"),
            format!("Send {wanted}."),
        );
    }

    fn too_many(&mut self, name: &str, max: usize, code: ErrorCode) {
        let message = format!("{name} has more than {max} entries");
        let suggestion = format!("Send at most {max}.");
        self.fault_with(code, name, message, suggestion);
    }

    /// PostgreSQL stores no NUL, and SQLite's functions see a text end there.
    fn nul(&mut self, name: &str) {
        let message = format!("{name} has a NUL character (U+0000), which cannot be stored");
        self.fault_with(
            ErrorCode::InvalidParameter,
            name,
            message,
            "Leave the character out.".to_owned(),
        );
    }

    /// Whether the client sent the field, and whether as null.
    #[must_use]
    pub fn sent(&self, name: &str) -> Sent {
        match self.fields.get(name) {
            None => Sent::Nothing,
            Some(Value::Null) => Sent::Null,
            Some(_) => Sent::Value,
        }
    }

    /// A text of at most `max` characters.
    pub fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if text.contains('\0') => {
                self.nul(name);
                None
            }
            Value::String(text) if text.chars().nth(max).is_none() => Some(text),
            Value::String(_) => {
                let message = format!("{name} has more than {max} characters");
                let suggestion = format!("Send at most {max} characters.");
                self.fault_with(ErrorCode::InvalidLength, name, message, suggestion);
                None
            }
            _ => {
                self.wrong_type(name, "a text");
                None
            }
        }
    }

    /// A cursor, as the server gave it out: whatever else is sent is none.
    pub fn cursor(&mut self) -> Option<String> {
        match self.take("cursor")? {
            Value::String(text) if text.len() <= 500 => Some(text),
            _ => {
                self.fault(
                    ErrorCode::InvalidCursor,
                    "cursor",
                    ErrorCode::InvalidCursor.message(),
                );
                None
            }
        }
    }

    /// True or false (`true`/`false` as text in a query).
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            Value::String(text) if text == "true" && self.source == Source::Query => Some(true),
            Value::String(text) if text == "false" && self.source == Source::Query => Some(false),
            _ => {
                self.wrong_type(name, "true or false");
                None
            }
        }
    }

    /// A whole number within `range`; `code` is the fault of one that is not.
    pub fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
        code: ErrorCode,
    ) -> Option<i64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) if self.source == Source::Query => text.parse().ok(),
            _ => None,
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let wanted = if *range.end() == i64::MAX {
            format!("a whole number from {}", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        self.fault_with(
            code,
            name,
            format!("{name} must be {wanted}"),
            format!("Send {wanted}."),
        );
        None
    }

    /// A number within `range`, fractions included.
    pub fn decimal(&mut self, name: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.take(name)?.as_f64().filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong_type(
                name,
                &format!("a number from {} to {}", range.start(), range.end()),
            );
        }
        number
    }

    /// A phone number in E.164.
    pub fn phone(&mut self, name: &'static str) -> Option<PhoneNumber> {
        let text = match self.take(name)? {
            Value::String(text) => text,
            _ => {
                self.wrong_type(name, "a phone number in E.164 form, such as +14155551234");
                return None;
            }
        };
        // A plus sign that was not encoded in a query arrives as a space: a classic worth a hint of its own.
        let number = PhoneNumber::parse(&text).ok();
        if number.is_none() {
            let hint = if text.starts_with(' ') {
                "Encode the plus sign of the number as %2B in a URL.".to_owned()
            } else {
                "Send it as + followed by country code and number, without spaces: +14155551234.".to_owned()
            };
            self.fault_with(
                ErrorCode::InvalidPhoneFormat,
                name,
                format!("{name} is not a phone number in E.164 form"),
                hint,
            );
        }
        number
    }

    /// A name of a closed set.
    pub fn name<T: FromStr<Err = UnknownName>>(&mut self, name: &'static str) -> Option<T> {
        self.name_or(name, ErrorCode::InvalidParameter)
    }

    /// A name of a closed set; `code` is the fault of one that is not.
    pub fn name_or<T: FromStr<Err = UnknownName>>(
        &mut self,
        name: &'static str,
        code: ErrorCode,
    ) -> Option<T> {
        match self.take(name)? {
            Value::String(text) => match text.parse() {
                Ok(known) => Some(known),
                Err(UnknownName { allowed }) => {
                    self.fault_with(
                        code,
                        name,
                        format!("{name} has a value that is not known"),
                        format!("Use one of: {}.", allowed.join(", ")),
                    );
                    None
                }
            },
            _ => {
                self.wrong_type(name, "a text");
                None
            }
        }
    }

    /// An instant in RFC 3339.
    pub fn instant(&mut self, name: &'static str) -> Option<Millis> {
        match self.take(name)? {
            // In a query, the plus sign of an offset arrives as a space.
            Value::String(text) => Millis::parse(&text.replace(' ', "+"))
                .or_else(|_| Millis::parse(&text))
                .map_or_else(
                    |_| {
                        let message = format!("{name} is not an instant");
                        let suggestion = "Send RFC 3339, such as 2026-04-20T10:00:00Z.".to_owned();
                        self.fault_with(ErrorCode::InvalidParameter, name, message, suggestion);
                        None
                    },
                    Some,
                ),
            _ => {
                self.wrong_type(name, "an instant in RFC 3339, such as 2026-04-20T10:00:00Z");
                None
            }
        }
    }

    /// A calendar date; `code` is the fault of what is none.
    pub fn date(&mut self, name: &'static str, code: ErrorCode) -> Option<jiff::civil::Date> {
        let value = self.take(name)?;
        let date = value
            .as_str()
            .filter(|text| text.len() == 10)
            .and_then(|text| text.parse().ok());
        if date.is_none() {
            self.fault_with(
                code,
                name,
                format!("{name} is not a date"),
                "Send YYYY-MM-DD.".to_owned(),
            );
        }
        date
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &'static str, max: usize) -> Option<Vec<String>> {
        let Value::Array(values) = self.take(name)? else {
            self.wrong_type(name, "a list of texts");
            return None;
        };
        if values.len() > max {
            self.too_many(name, max, ErrorCode::InvalidParameter);
            return None;
        }
        let texts: Option<Vec<String>> = values
            .into_iter()
            .map(|value| {
                if let Value::String(text) = value {
                    Some(text)
                } else {
                    None
                }
            })
            .collect();
        match &texts {
            None => self.wrong_type(name, "a list of texts"),
            Some(texts) if texts.iter().any(|text| text.contains('\0')) => {
                self.nul(name);
                return None;
            }
            Some(_) => {}
        }
        texts
    }

    /// An object within the object.
    pub fn object(&mut self, name: &'static str) -> Option<Self> {
        match self.take(name)? {
            Value::Object(fields) => Some(Self {
                prefix: format!("{}{name}.", self.prefix),
                ..Self::new(fields, self.source, self.context.clone())
            }),
            _ => {
                self.wrong_type(name, "an object");
                None
            }
        }
    }

    /// A list of objects.
    pub fn objects(&mut self, name: &'static str, max: usize) -> Vec<Self> {
        self.objects_or(name, max, ErrorCode::InvalidParameter)
            .unwrap_or_default()
    }

    /// A list of objects; `code` is the fault of one that is too long. `None` where there is none.
    pub fn objects_or(&mut self, name: &'static str, max: usize, code: ErrorCode) -> Option<Vec<Self>> {
        let Value::Array(values) = self.take(name)? else {
            self.wrong_type(name, "a list of objects");
            return None;
        };
        if values.len() > max {
            self.too_many(name, max, code);
            return None;
        }
        let mut all = Vec::with_capacity(values.len());
        for (i, value) in values.into_iter().enumerate() {
            if let Value::Object(fields) = value {
                let prefix = format!("{}{name}[{i}].", self.prefix);
                all.push(Self {
                    prefix,
                    ..Self::new(fields, self.source, self.context.clone())
                });
            } else {
                self.wrong_type(name, "a list of objects");
                return None;
            }
        }
        Some(all)
    }

    /// Notes that a required field is missing.
    pub fn missing(&mut self, name: &str) {
        if !self
            .faults
            .iter()
            .any(|(fault, _)| fault.param == format!("{}{name}", self.prefix))
        {
            self.fault(ErrorCode::MissingParameter, name, format!("{name} is required"));
        }
    }

    /// Ends the reading of an object within the object: its faults and ignored fields become this one's.
    pub fn absorb(&mut self, inner: Self) {
        inner.note_ignored();
        self.faults.extend(inner.faults);
    }

    fn note_ignored(&self) {
        let unknown = self
            .fields
            .keys()
            .filter(|name| !self.asked.iter().any(|asked| asked == *name));
        let names: Vec<String> = unknown.map(|name| format!("{}{name}", self.prefix)).collect();
        if !names.is_empty() {
            let mut told = self.context.ignored.lock();
            for name in names {
                if !told.contains(&name) {
                    told.push(name);
                }
            }
        }
    }

    /// Ends the reading: fails with what was found, and notes what was sent and never asked for.
    ///
    /// # Errors
    /// The first fault, with all of them listed where there are several.
    pub fn finish(self) -> Result<(), ApiError> {
        self.note_ignored();
        let Some((first, suggestion)) = self.faults.first().cloned() else {
            return Ok(());
        };
        let faults = self.faults.into_iter().map(|(fault, _)| fault).collect();
        Err(ApiError {
            faults,
            suggestion,
            ..ApiError::new(first.code)
                .message(first.message)
                .param(first.param)
        })
    }
}
