//! Conversations: per line and outside number, with exact totals kept beside them.

use trunkline_domain::conversation::Standing;
use trunkline_domain::{Millis, PhoneNumber};

use crate::engine::{Conn, Row, StoreError, Tx, Value};
use crate::{TeamKey, params};

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// The team's number for it.
    pub conversation: i64,
    /// The team's line.
    pub line: i64,
    /// The outside number.
    pub contact_number: PhoneNumber,
    /// When its newest item was.
    pub last_at: Millis,
    /// Its newest item.
    pub last_item: i64,
    /// How many items it has.
    pub items: i64,
    /// Unread, archived, unresponded.
    pub standing: Standing,
}

/// What a list is limited to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Activity strictly after.
    pub since: Option<Millis>,
    /// Unread or read.
    pub unread: Option<bool>,
    /// Archived or not.
    pub archived: Option<bool>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// So many rows from the start.
    Offset(i64),
    /// Behind the row with this time and number, in the direction of the list.
    Behind(Millis, i64),
}

statements! {
    GET =
        "SELECT conversation, line, contact_number, last_at, last_item, items, unread, archived, unresponded
           FROM conversations WHERE team_id = $1 AND conversation = $2";
    OF_PAIR =
        "SELECT conversation, line, contact_number, last_at, last_item, items, unread, archived, unresponded
           FROM conversations WHERE team_id = $1 AND contact_number = $2 AND line = $3";
    OF_NUMBER =
        "SELECT conversation, line, contact_number, last_at, last_item, items, unread, archived, unresponded
           FROM conversations WHERE team_id = $1 AND contact_number = $2 ORDER BY line";
    INSERT =
        "INSERT INTO conversations (team_id, conversation, line, contact_number, last_at, last_item, items, unread,
                                    archived, unresponded)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    UPDATE =
        "UPDATE conversations SET last_at = $1, last_item = $2, items = $3, unread = $4, archived = $5, unresponded = $6
          WHERE team_id = $7 AND conversation = $8";
    COUNT_BY =
        "INSERT INTO conversation_counts AS c (team_id, line, unread, archived, n) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (team_id, line, unread, archived) DO UPDATE SET n = c.n + excluded.n";
    COUNTS = "SELECT unread, archived, n FROM conversation_counts WHERE team_id = $1 AND line = $2";
}

fn map(row: &Row<'_>) -> Result<ConversationRow, StoreError> {
    Ok(ConversationRow {
        conversation: row.get(0)?,
        line: row.get(1)?,
        contact_number: row.get(2)?,
        last_at: row.get(3)?,
        last_item: row.get(4)?,
        items: row.get(5)?,
        standing: Standing { unread: row.get(6)?, archived: row.get(7)?, unresponded: row.get(8)? },
    })
}

/// The conversation with this number.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, conversation: i64) -> Result<Option<ConversationRow>, StoreError> {
    conn.row(GET, params![team, conversation], map)
}

/// The conversation of a line with an outside number.
///
/// # Errors
/// Of the engine.
pub fn of_pair(
    conn: &mut Conn<'_>,
    team: TeamKey,
    number: PhoneNumber,
    line: i64,
) -> Result<Option<ConversationRow>, StoreError> {
    conn.row(OF_PAIR, params![team, number, line], map)
}

/// All conversations with an outside number, by line.
///
/// # Errors
/// Of the engine.
pub fn of_number(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Vec<ConversationRow>, StoreError> {
    conn.rows(OF_NUMBER, params![team, number], map)
}

/// Stores a new conversation and counts it. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &ConversationRow) -> Result<(), StoreError> {
    let Standing { unread, archived, unresponded } = row.standing;
    let (conversation, line, number) = (row.conversation, row.line, row.contact_number);
    tx.execute(
        INSERT,
        params![team, conversation, line, number, row.last_at, row.last_item, row.items, unread, archived, unresponded],
    )?;
    tx.execute(COUNT_BY, params![team, line, unread, archived, 1]).map(drop)
}

/// Replaces `before` by `after` and keeps the totals right. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, before: &ConversationRow, after: &ConversationRow) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let Standing { unread, archived, unresponded } = after.standing;
    tx.execute(
        UPDATE,
        params![after.last_at, after.last_item, after.items, unread, archived, unresponded, team, after.conversation],
    )?;
    let was = before.standing;
    if (was.unread, was.archived) != (unread, archived) {
        tx.execute(COUNT_BY, params![team, before.line, was.unread, was.archived, -1])?;
        tx.execute(COUNT_BY, params![team, before.line, unread, archived, 1])?;
    }
    Ok(())
}

/// A page of a line's conversations, newest activity first.
///
/// # Errors
/// Of the engine.
pub fn list(
    conn: &mut Conn<'_>,
    team: TeamKey,
    line: i64,
    filter: ConversationFilter,
    position: Position,
    limit: i64,
) -> Result<Vec<ConversationRow>, StoreError> {
    let (sql, mut values) = list_sql(team, line, filter, Some(position));
    values.push(Value::Int(limit));
    if let Position::Offset(offset) = position {
        values.push(Value::Int(offset));
    }
    conn.rows(&sql, &values, map)
}

/// How many conversations of a line the filter lets through: exact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, line: i64, filter: ConversationFilter) -> Result<i64, StoreError> {
    if filter.since.is_none() {
        let mut total = 0;
        conn.for_each(COUNTS, params![team, line], |row| {
            let (unread, archived): (bool, bool) = (row.get(0)?, row.get(1)?);
            if filter.unread.is_none_or(|wanted| wanted == unread) && filter.archived.is_none_or(|wanted| wanted == archived) {
                total += row.get::<i64>(2)?;
            }
            Ok(true)
        })?;
        return Ok(total);
    }
    let (sql, values) = list_sql(team, line, filter, None);
    Ok(conn.row(&sql, &values, |row| row.get(0))?.unwrap_or(0))
}

/// The statement of a page, or of the count where `position` is `None`.
pub(crate) fn list_sql(
    team: TeamKey,
    line: i64,
    filter: ConversationFilter,
    position: Option<Position>,
) -> (String, Vec<Value<'static>>) {
    let columns = if position.is_some() {
        "conversation, line, contact_number, last_at, last_item, items, unread, archived, unresponded"
    } else {
        "COUNT(*)"
    };
    let mut sql = format!("SELECT {columns} FROM conversations WHERE team_id = $1 AND line = $2");
    let mut values: Vec<Value<'static>> = vec![team.into(), line.into()];
    let mut bind = |sql: &mut String, before: &str, value: Value<'static>| {
        values.push(value);
        sql.push_str(before);
        sql.push_str(&format!("${}", values.len()));
    };
    if let Some(since) = filter.since {
        bind(&mut sql, " AND last_at > ", since.into());
    }
    match filter.unread {
        Some(true) => sql.push_str(" AND unread"),
        Some(false) => sql.push_str(" AND NOT unread"),
        None => {}
    }
    match filter.archived {
        Some(true) => sql.push_str(" AND archived"),
        Some(false) => sql.push_str(" AND NOT archived"),
        None => {}
    }
    if let Some(Position::Behind(at, conversation)) = position {
        bind(&mut sql, " AND (last_at, conversation) < (", at.into());
        bind(&mut sql, ", ", conversation.into());
        sql.push(')');
    }
    if let Some(position) = position {
        let next = values.len() + 1;
        sql.push_str(&format!(" ORDER BY last_at DESC, conversation DESC LIMIT ${next}"));
        if matches!(position, Position::Offset(_)) {
            sql.push_str(&format!(" OFFSET ${}", next + 1));
        }
    }
    (sql, values)
}

/// Every statement the filters can make, for the test that prepares all statements.
#[must_use]
pub fn all_list_statements() -> Vec<String> {
    let flags = [None, Some(true), Some(false)];
    let mut all = Vec::new();
    for since in [None, Some(Millis(0))] {
        for unread in flags {
            for archived in flags {
                for position in [None, Some(Position::Offset(0)), Some(Position::Behind(Millis(0), 0))] {
                    let filter = ConversationFilter { since, unread, archived };
                    all.push(list_sql(TeamKey(1), 1, filter, position).0);
                }
            }
        }
    }
    all
}
