//! What messages add to items.

use trunkline_domain::{MessageStatus, MessageType, Millis};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::{TeamKey, params};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The team's number for the item.
    pub seq: i64,
    /// The text.
    pub content: String,
    /// How far it has come.
    pub status: MessageStatus,
    /// What kind of text it is.
    pub message_type: MessageType,
    /// The carrier it came from or goes to.
    pub carrier: String,
    /// The carrier's id for it, unique with the carrier.
    pub carrier_ref: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// URLs of media.
    pub media: Vec<String>,
    /// When it was first known that the carrier had taken it, which was told then.
    pub taken_at: Option<Millis>,
    /// Into how many parts it is cut on its way; `None` where nobody counted them.
    pub segments: Option<i64>,
}

statements! {
    INSERT =
        "INSERT INTO messages (team_id, seq, content, status, message_type, carrier, carrier_ref, failure_reason, media,
                               taken_at, segments)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE =
        "UPDATE messages SET status = $1, carrier_ref = $2, failure_reason = $3, taken_at = $4
          WHERE team_id = $5 AND seq = $6";
    GET =
        "SELECT seq, content, status, message_type, carrier, carrier_ref, failure_reason, media, taken_at, segments
           FROM messages WHERE team_id = $1 AND seq = $2";
    BY_REF =
        "SELECT seq, content, status, message_type, carrier, carrier_ref, failure_reason, media, taken_at, segments
           FROM messages WHERE team_id = $1 AND carrier = $2 AND carrier_ref = $3";
}

/// Stores what a new message adds to its item.
///
/// # Errors
/// [`StoreError::Duplicate`] when the carrier's id is known.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, message: &MessageRow) -> Result<(), StoreError> {
    let media = (!message.media.is_empty()).then(|| Value::from(&Json(&message.media)));
    tx.execute(
        INSERT,
        params![
            team,
            message.seq,
            &message.content,
            message.status,
            message.message_type,
            &message.carrier,
            message.carrier_ref.as_deref(),
            message.failure_reason.as_deref(),
            media,
            message.taken_at,
            message.segments
        ],
    )
    .map(drop)
}

/// Replaces status, carrier's id, reason of failure and when the carrier took it.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, message: &MessageRow) -> Result<(), StoreError> {
    let (reference, reason) = (message.carrier_ref.as_deref(), message.failure_reason.as_deref());
    tx.execute(UPDATE, params![message.status, reference, reason, message.taken_at, team, message.seq]).map(drop)
}

fn map(row: &Row<'_>) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        seq: row.get(0)?,
        content: row.get(1)?,
        status: row.get(2)?,
        message_type: row.get(3)?,
        carrier: row.get(4)?,
        carrier_ref: row.get(5)?,
        failure_reason: row.get(6)?,
        media: row.get::<Option<Json<Vec<String>>>>(7)?.map(|json| json.0).unwrap_or_default(),
        taken_at: row.get(8)?,
        segments: row.get(9)?,
    })
}

/// The message of this item.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<MessageRow>, StoreError> {
    conn.row(GET, params![team, seq], map)
}

/// The message that the carrier knows by this id.
///
/// # Errors
/// Of the engine.
pub fn by_ref(
    conn: &mut Conn<'_>,
    team: TeamKey,
    carrier: &str,
    reference: &str,
) -> Result<Option<MessageRow>, StoreError> {
    conn.row(BY_REF, params![team, carrier, reference], map)
}
