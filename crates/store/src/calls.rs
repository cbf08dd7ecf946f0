//! What calls add to items.

use trunkline_domain::call::{Call, EndCause, Phase, TransferKind};
use trunkline_domain::events::{IvrChoice, TransferEnd};
use trunkline_domain::{CallId, Direction, Millis, SummaryTemplate};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::{TeamKey, params};

/// The details few calls have; stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct CallDetails {
    /// Who handed the call on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_from: Option<TransferEnd>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_to: Option<TransferEnd>,
    /// Choices in menus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ivr: Vec<IvrChoice>,
    /// What the call flow or an agent asked for.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub data_collected: serde_json::Map<String, serde_json::Value>,
    /// The number dialled, if the call was routed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_to_number: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_to_name: Option<String>,
    /// The call that this one continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_original_call_id: Option<CallId>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// The team's number for the item.
    pub seq: i64,
    /// Where its life stands.
    pub call: Call,
    /// Why it did not connect.
    pub failure_reason: Option<String>,
    /// Where the recording is.
    pub recording_url: Option<String>,
    /// Its length.
    pub recording_seconds: Option<i64>,
    /// Which summary is shown.
    pub summary_template: Option<SummaryTemplate>,
    /// The rest.
    pub details: CallDetails,
    /// What the call revealed of the contact: JSON text.
    pub extracted_data: Option<String>,
    /// The process that runs it.
    pub node: String,
    /// When processing is given up on, for a call that has ended.
    pub process_by: Option<Millis>,
    /// When everything was in.
    pub completed_at: Option<Millis>,
}

/// A call that is not completed, as the sweeper sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCall {
    /// The team.
    pub team: TeamKey,
    /// The team's number for the item.
    pub seq: i64,
    /// How far it has come.
    pub phase: Phase,
    /// The process that runs it.
    pub node: String,
    /// When processing is given up on.
    pub process_by: Option<Millis>,
    /// When that process was seen last; `None` if it never was.
    pub seen_at: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO calls (team_id, seq, phase, answered_at, voicemail_at, ended_at, completed_at, cause,
                            failure_reason, transfer, recording_url, recording_seconds, summary_template, details,
                            extracted_data, node, process_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    UPDATE =
        "UPDATE calls SET phase = $1, answered_at = $2, voicemail_at = $3, ended_at = $4, completed_at = $5, cause = $6,
                          failure_reason = $7, transfer = $8, recording_url = $9, recording_seconds = $10,
                          summary_template = $11, details = $12, extracted_data = $13, node = $14, process_by = $15
          WHERE team_id = $16 AND seq = $17";
    GET =
        "SELECT i.direction, i.at, c.phase, c.answered_at, c.voicemail_at, c.ended_at, c.completed_at, c.cause,
                c.failure_reason, c.transfer, c.recording_url, c.recording_seconds, c.summary_template, c.details,
                c.extracted_data, c.node, c.process_by, c.seq
           FROM calls c JOIN items i ON i.team_id = c.team_id AND i.seq = c.seq
          WHERE c.team_id = $1 AND c.seq = $2";
    LIVE =
        "SELECT c.team_id, c.seq, c.phase, c.node, c.process_by, n.seen_at
           FROM calls c LEFT JOIN nodes n ON n.node = c.node
          WHERE c.phase <> 'COMPLETED' AND (c.team_id, c.seq) > ($1, $2) ORDER BY c.team_id, c.seq LIMIT $3";
}

fn name<T: serde::Serialize>(value: Option<T>) -> Value<'static> {
    match value.map(|value| serde_json::to_value(value)) {
        Some(Ok(serde_json::Value::String(text))) => Value::from(text),
        _ => Value::Null,
    }
}

fn named<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.get(index)?;
    text.map(|text| {
        serde_json::from_value(serde_json::Value::String(text))
            .map_err(|error| StoreError::Column { column: index, problem: error.to_string() })
    })
    .transpose()
}

fn details_value(details: &CallDetails) -> Value<'static> {
    if *details == CallDetails::default() { Value::Null } else { Value::from(&Json(details)) }
}

/// Stores what a new call adds to its item.
///
/// # Errors
/// [`StoreError::Duplicate`] when it is there.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &CallRow) -> Result<(), StoreError> {
    let call = row.call;
    tx.execute(
        INSERT,
        params![
            team,
            row.seq,
            call.phase,
            call.answered_at,
            call.voicemail_at,
            call.ended_at,
            row.completed_at,
            name(call.cause),
            row.failure_reason.as_deref(),
            name(call.transfer),
            row.recording_url.as_deref(),
            row.recording_seconds,
            row.summary_template,
            details_value(&row.details),
            row.extracted_data.as_deref(),
            &row.node,
            row.process_by
        ],
    )
    .map(drop)
}

/// Replaces what a call adds to its item.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, row: &CallRow) -> Result<(), StoreError> {
    let call = row.call;
    tx.execute(
        UPDATE,
        params![
            call.phase,
            call.answered_at,
            call.voicemail_at,
            call.ended_at,
            row.completed_at,
            name(call.cause),
            row.failure_reason.as_deref(),
            name(call.transfer),
            row.recording_url.as_deref(),
            row.recording_seconds,
            row.summary_template,
            details_value(&row.details),
            row.extracted_data.as_deref(),
            &row.node,
            row.process_by,
            team,
            row.seq
        ],
    )
    .map(drop)
}

/// The call of this item.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<CallRow>, StoreError> {
    conn.row(GET, params![team, seq], |row| {
        let call = Call {
            direction: row.get::<Direction>(0)?,
            rang_at: row.get(1)?,
            phase: row.get(2)?,
            answered_at: row.get(3)?,
            voicemail_at: row.get(4)?,
            ended_at: row.get(5)?,
            cause: named::<EndCause>(row, 7)?,
            transfer: named::<TransferKind>(row, 9)?,
        };
        Ok(CallRow {
            seq: row.get(17)?,
            call,
            completed_at: row.get(6)?,
            failure_reason: row.get(8)?,
            recording_url: row.get(10)?,
            recording_seconds: row.get(11)?,
            summary_template: row.get(12)?,
            details: row.get::<Option<Json<CallDetails>>>(13)?.map(|json| json.0).unwrap_or_default(),
            extracted_data: row.get(14)?,
            node: row.get(15)?,
            process_by: row.get(16)?,
        })
    })
}

/// At most `limit` calls of all teams that are not completed, by team and number; those behind `after`, if it is given.
///
/// # Errors
/// Of the engine.
pub fn live(
    conn: &mut Conn<'_>,
    after: Option<(TeamKey, i64)>,
    limit: i64,
) -> Result<Vec<LiveCall>, StoreError> {
    let (team, seq) = after.unwrap_or((TeamKey(i64::MIN), i64::MIN));
    conn.rows(LIVE, params![team, seq, limit], |row| {
        Ok(LiveCall {
            team: row.get(0)?,
            seq: row.get(1)?,
            phase: row.get(2)?,
            node: row.get(3)?,
            process_by: row.get(4)?,
            seen_at: row.get(5)?,
        })
    })
}
