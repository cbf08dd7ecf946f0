//! A bare handler as one would write it by hand: the product's rows, plain SQL, serde, the same bytes.
//!
//! It knows the team, the line and what follows the entries (the totals and the cursor) beforehand; it asks nobody who
//! is calling. It reads the page with its items, people, contacts and companies in one statement.

use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::response::Response;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use trunkline_domain::sms::segments;
use trunkline_domain::{CallResult, Millis};

use super::{Twin, answer};

/// The columns of an item.
macro_rules! item_columns {
    () => {
        "i.id, i.kind, i.direction, n.number, i.contact_number, i.user_id, u.name, u.email, i.at, i.duration, i.result,
         c.recording_url, s.content, i.tags, c.extracted_data, m.content, m.status, m.message_type, m.media,
         p.id, p.first_name, p.last_name, p.company_id, o.name, m.segments"
    };
}

/// What belongs to an item.
macro_rules! item_joins {
    () => {
        "LEFT JOIN numbers n ON n.team_id = i.team_id AND n.line = i.line
         LEFT JOIN users u ON u.team_id = i.team_id AND u.id = i.user_id
         LEFT JOIN calls c ON c.team_id = i.team_id AND c.seq = CASE WHEN i.kind = 'CALL' THEN i.seq END
         LEFT JOIN summaries s ON s.team_id = i.team_id AND s.seq = i.seq AND s.template = c.summary_template
         LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = CASE WHEN i.kind = 'SMS' THEN i.seq END
         LEFT JOIN contact_numbers k ON k.team_id = i.team_id AND k.number = i.contact_number
         LEFT JOIN contacts p ON p.team_id = k.team_id AND p.id = k.contact_id
         LEFT JOIN companies o ON o.team_id = p.team_id AND o.id = p.company_id"
    };
}

const ITEM: &str = concat!(
    "SELECT ",
    item_columns!(),
    " FROM items i ",
    item_joins!(),
    " WHERE i.team_id = ?1 AND i.id = ?2"
);

const LIST: &str = concat!(
    "SELECT ",
    item_columns!(),
    ", v.contact_number, v.last_at, v.unread, v.archived, v.unresponded
       FROM (SELECT contact_number, last_at, last_item, unread, archived, unresponded
               FROM conversations WHERE team_id = ?1 AND line = ?2
              ORDER BY last_at DESC, conversation DESC LIMIT 20) v
       JOIN items i ON i.team_id = ?1 AND i.seq = v.last_item ",
    item_joins!()
);

#[derive(Serialize)]
struct Company {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Contact {
    id: String,
    name: String,
    company: Option<Company>,
    deals: [(); 0],
}

#[derive(Serialize)]
struct User {
    id: String,
    name: String,
    email: String,
}

#[derive(Serialize)]
struct Item {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    direction: String,
    allo_number: Option<String>,
    contact_number: String,
    contacts: Arc<Vec<Contact>>,
    user: Option<User>,
    date: Millis,
    duration: Option<i64>,
    result: Option<&'static str>,
    recording_url: Option<String>,
    summary: Option<String>,
    tags: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extracted_data: Option<Box<RawValue>>,
    content: Option<String>,
    status: Option<String>,
    message_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_urls: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<i64>,
}

#[derive(Serialize)]
struct Conversation {
    contact_number: String,
    contacts: Arc<Vec<Contact>>,
    last_activity: Millis,
    last_item: Item,
    unread: bool,
    archived: bool,
    unresponded: bool,
}

#[derive(Serialize)]
struct Page<'p> {
    data: Vec<Conversation>,
    pagination: &'p RawValue,
}

#[derive(Serialize)]
struct Data {
    data: Item,
}

/// `/rows/items/{id}`.
pub(super) async fn item(State(twin): State<Twin>, UrlPath(id): UrlPath<String>) -> Response {
    answer(twin.with(&twin.product, |connection| {
        let mut statement = connection.prepare_cached(ITEM)?;
        let data = statement.query_row((twin.team, &id), read_item)?;
        json(&Data { data })
    }))
}

/// `/rows/list`.
pub(super) async fn list(State(twin): State<Twin>) -> Response {
    answer(twin.with(&twin.product, |connection| {
        let data = read_list(connection, twin.team, twin.line)?;
        json(&Page {
            data,
            pagination: &twin.pagination,
        })
    }))
}

fn json<T: Serialize>(body: &T) -> rusqlite::Result<String> {
    serde_json::to_string(body).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The data that is measured has one contact a number at most, and no deals.
fn read_list(connection: &Connection, team: i64, line: i64) -> rusqlite::Result<Vec<Conversation>> {
    let mut statement = connection.prepare_cached(LIST)?;
    let rows = statement.query_map((team, line), |row| {
        let last_item = read_item(row)?;
        Ok(Conversation {
            contact_number: row.get(25)?,
            contacts: last_item.contacts.clone(),
            last_activity: Millis(row.get(26)?),
            last_item,
            unread: row.get(27)?,
            archived: row.get(28)?,
            unresponded: row.get(29)?,
        })
    })?;
    rows.collect()
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let contact_number: String = row.get(4)?;
    let contact = match row.get(19)? {
        Some(id) => Some(read_contact(row, id, &contact_number)?),
        None => None,
    };
    let user = match row.get(5)? {
        Some(id) => Some(User {
            id,
            name: row.get(6)?,
            email: row.get(7)?,
        }),
        None => None,
    };
    let result = row.get_ref(10)?.as_str_or_null()?;
    let result: Option<CallResult> = result.and_then(|name| name.parse().ok());
    let content: Option<String> = row.get(15)?;
    let count = |text: &String| i64::try_from(segments::count(text).segments).ok();
    let segments = row
        .get::<_, Option<i64>>(24)?
        .or_else(|| content.as_ref().and_then(count));
    Ok(Item {
        id: row.get(0)?,
        kind: row.get(1)?,
        direction: row.get(2)?,
        allo_number: row.get(3)?,
        contact_number,
        contacts: Arc::new(contact.into_iter().collect()),
        user,
        date: Millis(row.get(8)?),
        duration: row.get(9)?,
        result: result.map(CallResult::as_v2),
        recording_url: row.get(11)?,
        summary: row.get(12)?,
        tags: match raw(row, 13)? {
            Some(tags) => tags,
            None => to_raw_value(&[(); 0])
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
        },
        extracted_data: raw(row, 14)?,
        content,
        status: row.get(16)?,
        message_type: row.get(17)?,
        media_urls: raw(row, 18)?,
        segments,
    })
}

fn read_contact(row: &Row<'_>, id: String, number: &str) -> rusqlite::Result<Contact> {
    let (first, last): (Option<String>, Option<String>) = (row.get(20)?, row.get(21)?);
    let name = match (first, last) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        (Some(name), None) | (None, Some(name)) => name,
        (None, None) => number.to_owned(),
    };
    let company = match row.get(22)? {
        Some(id) => Some(Company {
            id,
            name: row.get(23)?,
        }),
        None => None,
    };
    Ok(Contact {
        id,
        name,
        company,
        deals: [],
    })
}

/// A column of JSON text, as it is.
fn raw(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Box<RawValue>>> {
    let text: Option<String> = row.get(column)?;
    let fault = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    text.map(|text| RawValue::from_string(text).map_err(fault))
        .transpose()
}
