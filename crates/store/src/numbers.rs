//! A team's lines: phone numbers and sender ids, and who works with them. A line that is taken out of service stays
//! for its history, and comes back as the same line when it is added again.

use trunkline_domain::sms::SenderId;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{Capability, LineKind, Millis, NumberId, PhoneNumber, TemplateId, UserId};

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
    /// What the carrier lets it do, where the team has switched something off.
    pub offered: Option<Vec<Capability>>,
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
    /// IANA name of the time zone in which its texts of a day are counted; `None`: the team's.
    pub time_zone: Option<String>,
    /// By which template its calls are summed up; changed by [`crate::templates::set_default`] only.
    pub summary_template: Option<TemplateId>,
    /// Since when it is out of service. Its history stays.
    pub removed_at: Option<Millis>,
}

impl NumberRow {
    /// What its carrier lets it do.
    #[must_use]
    pub fn offered(&self) -> &[Capability] {
        self.offered.as_deref().unwrap_or(&self.capabilities)
    }

    /// The number, or the sender id, as events write it.
    #[must_use]
    pub fn label(&self) -> String {
        self.number.map(|number| number.to_string()).or_else(|| self.sender_id.clone()).unwrap_or_default()
    }
}

/// Who works with a line.
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
                              texts_per_day, offered, time_zone)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    UPDATE =
        "UPDATE numbers
            SET id = $1, sender_id = $2, name = $3, country = $4, capabilities = $5, carrier = $6,
                carrier_settings = $7, created_at = $8, a2p_registered = $9, sender_id_status = $10,
                text_interval_us = $11, texts_per_day = $12, offered = $13, time_zone = $14, removed_at = $15
          WHERE team_id = $16 AND line = $17";
    DELETE_MEMBERS = "DELETE FROM number_members WHERE team_id = $1 AND line = $2";
    INSERT_MEMBER = "INSERT INTO number_members (team_id, line, position, user_id) VALUES ($1, $2, $3, $4)";
    LIST =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND removed_at IS NULL ORDER BY line";
    ALL =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 ORDER BY line";
    BY_ID =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND id = $2 AND removed_at IS NULL";
    EVER_OF_NUMBER =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND number = $2";
    EVER_OF_SENDER =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND LOWER(sender_id) = $2 ORDER BY line LIMIT 1";
    SENDERS =
        "SELECT COUNT(*), COUNT(CASE WHEN removed_at IS NULL THEN 1 END)
           FROM numbers WHERE team_id = $1 AND kind = $2";
    BY_NUMBER =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND number = $2 AND removed_at IS NULL";
    BY_LINE =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND line = $2";
    BY_SENDER_ID =
        "SELECT line, id, kind, number, sender_id, name, country, capabilities, carrier, carrier_settings, created_at,
                a2p_registered, sender_id_status, text_interval_us, texts_per_day, offered, time_zone, summary_template,
                removed_at
           FROM numbers WHERE team_id = $1 AND LOWER(sender_id) = $2 AND removed_at IS NULL ORDER BY line LIMIT 1";
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
    MEMBERS_OF =
        "SELECT m.line, m.user_id, u.name, u.email
           FROM number_members m JOIN users u ON u.team_id = m.team_id AND u.id = m.user_id
          WHERE m.team_id = $1 AND m.line = $2 ORDER BY m.position";
}

/// Stores a new line and its members.
///
/// # Errors
/// [`StoreError::Duplicate`] when the team has this number.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, number: &NumberRow, members: &[UserId]) -> Result<(), StoreError> {
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
            names(&number.capabilities),
            &number.carrier,
            number.carrier_settings.as_deref(),
            number.created_at,
            number.a2p_registered,
            number.sender_id_status,
            number.text_interval_us,
            number.texts_per_day,
            number.offered.as_deref().map(names),
            number.time_zone.as_deref()
        ],
    )?;
    insert_members(tx, team, number.line, members)
}

fn insert_members(tx: &mut Tx<'_>, team: TeamKey, line: i64, members: &[UserId]) -> Result<(), StoreError> {
    for (position, user) in members.iter().enumerate() {
        tx.execute(INSERT_MEMBER, params![team, line, position as i64, *user])?;
    }
    Ok(())
}

/// Replaces who works with a line, the main one first.
///
/// # Errors
/// Of the engine.
pub fn set_members(tx: &mut Tx<'_>, team: TeamKey, line: i64, members: &[UserId]) -> Result<(), StoreError> {
    tx.execute(DELETE_MEMBERS, params![team, line])?;
    insert_members(tx, team, line, members)
}

fn names(capabilities: &[Capability]) -> String {
    let names: Vec<&str> = capabilities.iter().map(|capability| capability.as_str()).collect();
    names.join(",")
}

fn read_names(names: &str) -> Vec<Capability> {
    names.split(',').filter_map(|name| name.parse().ok()).collect()
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
        capabilities: read_names(&capabilities),
        offered: row.get::<Option<String>>(15)?.as_deref().map(read_names),
        carrier: row.get(8)?,
        carrier_settings: row.get(9)?,
        created_at: row.get(10)?,
        a2p_registered: row.get(11)?,
        sender_id_status: row.get(12)?,
        text_interval_us: row.get(13)?,
        texts_per_day: row.get(14)?,
        time_zone: row.get(16)?,
        summary_template: row.get(17)?,
        removed_at: row.get(18)?,
    })
}

/// Changes everything about a line but what it is reached by, its members and its summary template.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, number: &NumberRow) -> Result<(), StoreError> {
    let values = params![
        number.id,
        number.sender_id.as_deref(),
        number.name.as_deref(),
        number.country.as_deref(),
        names(&number.capabilities),
        &number.carrier,
        number.carrier_settings.as_deref(),
        number.created_at,
        number.a2p_registered,
        number.sender_id_status,
        number.text_interval_us,
        number.texts_per_day,
        number.offered.as_deref().map(names),
        number.time_zone.as_deref(),
        number.removed_at,
        team,
        number.line
    ];
    tx.execute(UPDATE, values).map(drop)
}

fn map_member(row: &Row<'_>) -> Result<MemberRow, StoreError> {
    Ok(MemberRow { line: row.get(0)?, user_id: row.get(1)?, name: row.get(2)?, email: row.get(3)? })
}

/// The lines of the team that are in service, in the order they were added.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<NumberRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// All lines that the team ever had, in the order they were added.
///
/// # Errors
/// Of the engine.
pub fn all(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<NumberRow>, StoreError> {
    conn.rows(ALL, params![team], map)
}

/// The team's line with this id, if it is in service.
///
/// # Errors
/// Of the engine.
pub fn by_id(conn: &mut Conn<'_>, team: TeamKey, id: NumberId) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_ID, params![team, id], map)
}

/// The line that has this number or had it, in service or not.
///
/// # Errors
/// Of the engine.
pub fn ever_of_number(
    conn: &mut Conn<'_>,
    team: TeamKey,
    number: PhoneNumber,
) -> Result<Option<NumberRow>, StoreError> {
    conn.row(EVER_OF_NUMBER, params![team, number], map)
}

/// The line that has this sender id or had it, in service or not, without regard to case.
///
/// # Errors
/// Of the engine.
pub fn ever_of_sender(
    conn: &mut Conn<'_>,
    team: TeamKey,
    sender: SenderId,
) -> Result<Option<NumberRow>, StoreError> {
    conn.row(EVER_OF_SENDER, params![team, sender.as_str().to_ascii_lowercase()], map)
}

/// How many sender ids the team ever had, and how many of them are in service.
///
/// # Errors
/// Of the engine.
pub fn count_sender_ids(conn: &mut Conn<'_>, team: TeamKey) -> Result<(i64, i64), StoreError> {
    let counted = conn.row(SENDERS, params![team, LineKind::SenderId], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counted.unwrap_or_default())
}

/// The team's line with this number, if it is in service.
///
/// # Errors
/// Of the engine.
pub fn by_number(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_NUMBER, params![team, number], map)
}

/// The team's line with this sender id, without regard to case, if it is in service.
///
/// # Errors
/// Of the engine.
pub fn by_sender_id(conn: &mut Conn<'_>, team: TeamKey, sender: SenderId) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_SENDER_ID, params![team, sender.as_str().to_ascii_lowercase()], map)
}

/// The team's line of this number, in service or not.
///
/// # Errors
/// Of the engine.
pub fn by_line(conn: &mut Conn<'_>, team: TeamKey, line: i64) -> Result<Option<NumberRow>, StoreError> {
    conn.row(BY_LINE, params![team, line], map)
}

/// The line that has this number or had it, and nothing more of it: what it has said and heard can still be read.
///
/// # Errors
/// Of the engine.
pub fn line_of(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<i64>, StoreError> {
    conn.row(LINE_OF, params![team, number], |row| row.get(0))
}

/// The same for a sender id, in upper or lower case.
///
/// # Errors
/// Of the engine.
pub fn line_of_sender(conn: &mut Conn<'_>, team: TeamKey, sender_id: &str) -> Result<Option<i64>, StoreError> {
    conn.row(LINE_OF_SENDER, params![team, sender_id], |row| row.get(0))
}

/// Who works with which line, by line.
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

/// Who works with a line, the main one first.
///
/// # Errors
/// Of the engine.
pub fn members_of(conn: &mut Conn<'_>, team: TeamKey, line: i64) -> Result<Vec<MemberRow>, StoreError> {
    conn.rows(MEMBERS_OF, params![team, line], map_member)
}
