//! A team's lines: phone numbers and sender ids, and who has access to them.

use trunkline_domain::sms::SenderId;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{Capability, LineKind, Millis, NumberId, PhoneNumber, UserId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRow {
    /// The team's number for the line.
    pub line: i64,
    /// Public id.
    pub id: NumberId,
    /// Phone number or sender id.
    pub kind: LineKind,
    /// The number; `None` for a sender id.
    pub number: Option<PhoneNumber>,
    /// The sender id; `None` for a number.
    pub sender_id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// The name of the carrier it is reached through.
    pub carrier: String,
    /// What the carrier needs for it, sealed (see [`crate::crypto`]).
    pub carrier_settings: Option<String>,
    /// When it was added.
    pub created_at: Millis,
    /// Whether it is registered for texts of applications; asked for in the US and in Canada.
    pub a2p_registered: bool,
    /// Whether the sender id may be used; `None` for a number.
    pub sender_id_status: Option<SenderIdStatus>,
    /// The least time between two texts, in microseconds; `None`: as the operator has it for all lines.
    pub text_interval_us: Option<i64>,
    /// The most texts of a day; `None`: as the operator has it for all lines.
    pub texts_per_day: Option<i64>,
}

impl NumberRow {
    /// The number, or the sender id, as events write it.
    #[must_use]
    pub fn label(&self) -> String {
        self.number.map(|number| number.to_string()).or_else(|| self.sender_id.clone()).unwrap_or_default()
    }
}

/// Who has access to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The line.
    pub line: i64,
    /// The user.
    pub user_id: UserId,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

statements! {
    INSERT =
        "INSERT INTO numbers (team_id, line, id, kind, number, sender_id, name, country, capabilities, carrier,
                              carrier_settings, created_at, a2p_registered, sender_id_status, text_interval_us,
                              texts_per_day)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    UPDATE =
        "UPDATE numbers SET a2p_registered = $1, sender_id_status = $2, text_interval_us = $3, texts_per_day = $4
          WHERE team_id = $5 AND line = $6";
    INSERT_MEMBER = "INSERT INTO number_members (team_id, line, position, user_id) VALUES ($1, $2, $3, $4)";
    LIST =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day
           FROM numbers WHERE team_id = $1 ORDER BY line";
    BY_NUMBER =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day
           FROM numbers WHERE team_id = $1 AND number = $2";
    BY_LINE =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day
           FROM numbers WHERE team_id = $1 AND line = $2";
    BY_SENDER_ID =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day
           FROM numbers WHERE team_id = $1 AND lower(sender_id) = $2 ORDER BY line LIMIT 1";
    LINE_OF = "SELECT line FROM numbers WHERE team_id = $1 AND number = $2";
    LINE_OF_SENDER =
        "SELECT line FROM numbers WHERE team_id = $1 AND LOWER(sender_id) = LOWER($2) ORDER BY line LIMIT 1";
    MEMBERS =
        "SELECT m.line, m.user_id, u.name, u.email
           FROM number_members m JOIN users u ON u.team_id = m.team_id AND u.id = m.user_id
          WHERE m.team_id = $1 ORDER BY m.line, m.position";
    FIRST_MEMBER =
        "SELECT m.line, m.user_id, u.name, u.email
           FROM number_members m JOIN users u ON u.team_id = m.team_id AND u.id = m.user_id
          WHERE m.team_id = $1 AND m.line = $2 ORDER BY m.position LIMIT 1";
}

/// Stores a new line and its members.
///
/// # Errors
/// [`StoreError::Duplicate`] when the team has this number.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, number: &NumberRow, members: &[UserId]) -> Result<(), StoreError> {
    let capabilities: Vec<&str> = number.capabilities.iter().map(|capability| capability.as_str()).collect();
    tx.execute(
        INSERT,
        params![
            team,
            number.line,
            number.id,
            number.kind,
            number.number,
            number.sender_id.as_deref(),
            number.name.as_deref(),
            number.country.as_deref(),
            capabilities.join(","),
            &number.carrier,
            number.carrier_settings.as_deref(),
            number.created_at,
            number.a2p_registered,
            number.sender_id_status,
            number.text_interval_us,
            number.texts_per_day
        ],
    )?;
    for (position, user) in members.iter().enumerate() {
        tx.execute(INSERT_MEMBER, params![team, number.line, position as i64, *user])?;
    }
    Ok(())
}

fn map(row: &Row<'_>) -> Result<NumberRow, StoreError> {
    let capabilities: String = row.get(7)?;
    Ok(NumberRow {
        line: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        number: row.get(3)?,
        sender_id: row.get(4)?,
        name: row.get(5)?,
        country: row.get(6)?,
        capabilities: capabilities.split(',').filter_map(|name| name.parse().ok()).collect(),
        carrier: row.get(8)?,
        carrier_settings: row.get(9)?,
        created_at: row.get(10)?,
        a2p_registered: row.get(11)?,
        sender_id_status: row.get(12)?,
        text_interval_us: row.get(13)?,
        texts_per_day: row.get(14)?,
    })
}

/// Changes what a line may send: its registrations and its limits.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, number: &NumberRow) -> Result<(), StoreError> {
    let NumberRow { line, a2p_registered, sender_id_status, text_interval_us, texts_per_day, .. } = number;
    tx.execute(UPDATE, params![*a2p_registered, *sender_id_status, *text_interval_us, *texts_per_day, team, *line])
        .map(drop)
}

fn map_member(row: &Row<'_>) -> Result<MemberRow, StoreError> {
    Ok(MemberRow { line: row.get(0)?, user_id: row.get(1)?, name: row.get(2)?, email: row.get(3)? })
}

/// All lines of the team, in the order they were added.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<NumberRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// The team's line with this number.
///
/// # Errors
/// Of the engine.
pub fn by_number(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_NUMBER, params![team, number], map)
}

/// The team's line with this sender id, without regard to case.
///
/// # Errors
/// Of the engine.
pub fn by_sender_id(conn: &mut Conn<'_>, team: TeamKey, sender: SenderId) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_SENDER_ID, params![team, sender.as_str().to_ascii_lowercase()], map)
}

/// The team's line of this number.
///
/// # Errors
/// Of the engine.
pub fn by_line(conn: &mut Conn<'_>, team: TeamKey, line: i64) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_LINE, params![team, line], map)
}

/// The line that has this number, and nothing more of it.
///
/// # Errors
/// Of the engine.
pub fn line_of(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<i64>, StoreError> {
    conn.row(LINE_OF, params![team, number], |row| row.get(0))
}

/// The line that has this sender id, in upper or lower case, and nothing more of it.
///
/// # Errors
/// Of the engine.
pub fn line_of_sender(conn: &mut Conn<'_>, team: TeamKey, sender_id: &str) -> Result<Option<i64>, StoreError> {
    conn.row(LINE_OF_SENDER, params![team, sender_id], |row| row.get(0))
}

/// Who has access to which line, by line.
///
/// # Errors
/// Of the engine.
pub fn members(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<MemberRow>, StoreError> {
    conn.rows(MEMBERS, params![team], map_member)
}

/// The first member of a line: whom events name when nobody has answered yet.
///
/// # Errors
/// Of the engine.
pub fn first_member(conn: &mut Conn<'_>, team: TeamKey, line: i64) -> Result<Option<MemberRow>, StoreError> {
    conn.row(FIRST_MEMBER, params![team, line], map_member)
}
