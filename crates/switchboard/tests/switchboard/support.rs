//! What several of these tests need.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use trunkline_domain::events::Topic;
use trunkline_domain::{CallId, Direction, ErrorCode, ItemId, Millis, PhoneNumber};
use trunkline_store::events::EventRow;
use trunkline_store::items::{self, ItemRow};
use trunkline_store::{Conn, StoreError, params};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step};
use trunkline_switchboard::{Error, Refused};
use trunkline_testkit::db::{Office, us};

/// The columns of a row that hold anything, as text that both engines write alike.
pub type Row = BTreeMap<String, String>;

/// Every row of the database, by table and key.
pub type Rows = BTreeMap<(String, String), Row>;

/// Reads every row of every table.
pub async fn all_rows(office: &Office) -> Rows {
    office.board.db().scan(rows).await.unwrap()
}

fn rows(conn: &mut Conn<'_>) -> Result<Rows, StoreError> {
    let sqlite = conn
        .row("SELECT 1 FROM sqlite_master LIMIT 1", &[], |row| {
            row.get::<i64>(0)
        })
        .is_ok();
    let (tables, keys) = if sqlite {
        (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
        )
    } else {
        (
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()",
            "SELECT CAST(column_name AS TEXT) FROM information_schema.key_column_usage
              WHERE CAST(table_name AS TEXT) = $1 AND CAST(constraint_name AS TEXT) = $1 || '_pkey'
              ORDER BY ordinal_position",
        )
    };
    let mut all = Rows::new();
    for table in conn.rows(tables, &[], |row| row.get::<String>(0))? {
        let keys = conn.rows(keys, params![&table], |row| row.get::<String>(0))?;
        let object = if sqlite {
            let columns = "SELECT '''' || name || ''', ' || name FROM pragma_table_info($1)";
            let columns = conn.rows(columns, params![&table], |row| row.get::<String>(0))?;
            format!("json_object({})", columns.join(", "))
        } else {
            "CAST(row_to_json(t) AS TEXT)".to_owned()
        };
        for text in conn.rows(&format!("SELECT {object} FROM {table} t"), &[], |row| {
            row.get::<String>(0)
        })? {
            let row = plain(&text);
            let key: Vec<&str> = keys
                .iter()
                .filter_map(|key| row.get(key).map(String::as_str))
                .collect();
            all.insert((table.clone(), key.join(" ")), row);
        }
    }
    Ok(all)
}

/// A row without NULLs, truth values as numbers.
fn plain(row: &str) -> Row {
    let row: serde_json::Map<String, Json> = serde_json::from_str(row).unwrap();
    let text = |value: Json| match value {
        Json::Bool(value) => i64::from(value).to_string(),
        Json::String(text) => text.replace('\n', "\\n"),
        // PostgreSQL writes 990, SQLite 990.0.
        Json::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    };
    row.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// What is different: new rows, rows that are gone, and of others the columns that changed.
pub fn changes(before: &Rows, after: &Rows) -> String {
    let mut text = String::new();
    let keys = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    let keys: std::collections::BTreeSet<_> = keys.collect();
    for key in keys {
        let (table, name) = key;
        match (before.get(key), after.get(key)) {
            (None, Some(row)) => text.push_str(&format!("+ {table} [{name}]{}\n", columns(row))),
            (Some(row), None) => text.push_str(&format!("- {table} [{name}]{}\n", columns(row))),
            (Some(was), Some(is)) if was != is => {
                text.push_str(&format!("~ {table} [{name}]"));
                let of_both = was
                    .keys()
                    .chain(is.keys().filter(|column| !was.contains_key(*column)));
                for column in of_both.filter(|column| was.get(*column) != is.get(*column)) {
                    let value = |row: &Row| row.get(column).cloned().unwrap_or_else(|| "NULL".to_owned());
                    text.push_str(&format!(" {column}={} -> {}", value(was), value(is)));
                }
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

fn columns(row: &Row) -> String {
    let shown = row.iter().filter(|(column, _)| *column != "team_id");
    shown
        .map(|(column, value)| format!(" {column}={value}"))
        .collect()
}

/// Writes down what one command after the other changes, for a snapshot.
pub struct Diary {
    rows: Rows,
    text: String,
}

impl Diary {
    /// Begins with what there is.
    pub async fn begin(office: &Office) -> Self {
        Self {
            rows: all_rows(office).await,
            text: String::new(),
        }
    }

    /// Notes what has changed since the last note.
    pub async fn note(&mut self, office: &Office, what: &str) {
        let now = all_rows(office).await;
        self.text
            .push_str(&format!("# {what}\n{}\n", changes(&self.rows, &now)));
        self.rows = now;
        office.assert_sound().await;
    }

    /// All notes.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Fails unless the command was refused with this code and parameter, and left everything as it was.
pub async fn assert_refused<T: std::fmt::Debug + Send + 'static>(
    office: &Office,
    code: ErrorCode,
    param: Option<&str>,
    command: impl FnMut(&mut trunkline_switchboard::Work<'_, '_>) -> Result<T, Error> + Send + 'static,
) {
    let before = all_rows(office).await;
    let refused = refusal(office.run(command).await);
    assert_eq!((refused.code, refused.param), (code, param), "{refused}");
    let changes = changes(&before, &all_rows(office).await);
    assert!(
        changes.is_empty(),
        "refused with {code:?}, but changed\n{changes}"
    );
}

/// The refusal that a command ended with.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refused {
    match outcome {
        Err(Error::Refused(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

/// The payload of an event.
pub fn payload(event: &EventRow) -> Json {
    serde_json::from_str(&event.payload).unwrap()
}

/// The topics of events, in order.
pub fn topics(events: &[EventRow]) -> Vec<&'static str> {
    events.iter().map(|event| event.topic.as_str()).collect()
}

/// The one event of this topic.
pub fn only(events: &[EventRow], topic: Topic) -> &EventRow {
    let found: Vec<&EventRow> = events.iter().filter(|event| event.topic == topic).collect();
    assert_eq!(found.len(), 1, "{topic} among {:?}", topics(events));
    found[0]
}

/// An inbound call to the American line.
pub fn inbound(contact: PhoneNumber, at: Millis) -> Ring {
    Ring {
        direction: Direction::Inbound,
        line: us(),
        contact,
        user: None,
        blocked: false,
        at,
    }
}

/// Lets a call ring.
pub async fn ring(office: &Office, ring: Ring) -> CallId {
    office.run(move |work| calls::ring(work, &ring)).await.unwrap()
}

/// Lets something happen to a call.
pub async fn step(office: &Office, call: CallId, step: Step) -> Result<(), Error> {
    office.run(move |work| calls::step(work, call, &step)).await
}

/// Leaves something behind.
pub async fn leave(office: &Office, call: CallId, leftover: Leftover) -> Result<(), Error> {
    step(office, call, Step::Leave(leftover)).await
}

/// The item of a call.
pub async fn item(office: &Office, call: CallId) -> ItemRow {
    let team = office.team;
    office
        .board
        .db()
        .read(move |conn| items::get(conn, team, ItemId::Call(call)))
        .await
        .unwrap()
        .unwrap()
}
