//! People that were found to be one: what one of them had becomes the other's, and its id is remembered.

use trunkline_domain::ContactId;

use crate::contacts::ContactRow;
use crate::crm::{self, Kind};
use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, companies, dialing_queues, params};

statements! {
    INTO = "SELECT into_id FROM merged_contacts WHERE team_id = $1 AND id = $2";
    REMEMBER = "INSERT INTO merged_contacts (team_id, id, into_id) VALUES ($1, $2, $3)";
    LEAD_ON = "UPDATE merged_contacts SET into_id = $1 WHERE team_id = $2 AND into_id = $3";
    FORGET = "DELETE FROM merged_contacts WHERE team_id = $1 AND into_id = $2";
    GIVE_DEALS =
        "INSERT INTO deal_contacts (team_id, contact_id, deal_id)
         SELECT l.team_id, $1, l.deal_id FROM deal_contacts l WHERE l.team_id = $2 AND l.contact_id = $3
             ON CONFLICT DO NOTHING";
    DELETE_DEALS = "DELETE FROM deal_contacts WHERE team_id = $1 AND contact_id = $2";
    MARK_DEALS =
        "UPDATE contacts SET has_deals = EXISTS (SELECT 1 FROM deal_contacts l WHERE l.team_id = $1 AND l.contact_id = $2)
          WHERE team_id = $1 AND id = $2";
    GIVE_NOTES = "UPDATE notes SET contact_id = $1 WHERE team_id = $2 AND contact_id = $3";
    DELETE_NUMBERS = "DELETE FROM contact_numbers WHERE team_id = $1 AND contact_id = $2";
    DELETE_EMAILS = "DELETE FROM contact_emails WHERE team_id = $1 AND contact_id = $2";
    DELETE = "DELETE FROM contacts WHERE team_id = $1 AND id = $2";
    TELL_REMOVAL =
        "INSERT INTO removed_contacts (team_id, change, id)
         SELECT t.team_id, t.last_event + 1, $1 FROM teams t WHERE t.team_id = $2
             ON CONFLICT DO NOTHING";
}

/// The person that the one with this id was merged into, if it was.
///
/// # Errors
/// Of the engine.
pub fn into(conn: &mut Conn<'_>, team: TeamKey, id: ContactId) -> Result<Option<ContactId>, StoreError> {
    conn.row(INTO, params![team, id], |row| row.get(0))
}

/// Gives deals, notes, places in dialing queues and the id of one person to another, and removes the one. What else it had the caller has taken
/// over. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn merge(tx: &mut Tx<'_>, team: TeamKey, from: &ContactRow, to: ContactId) -> Result<(), StoreError> {
    tx.execute(GIVE_DEALS, params![to, team, from.id])?;
    tx.execute(MARK_DEALS, params![team, to])?;
    tx.execute(GIVE_NOTES, params![to, team, from.id])?;
    dialing_queues::give(tx, team, from.id, to)?;
    tx.execute(LEAD_ON, params![to, team, from.id])?;
    tx.execute(REMEMBER, params![team, from.id, to])?;
    remove(tx, team, from)
}

/// Removes a person with its numbers, e-mail addresses and links to deals, and keeps totals and its company right. The
/// team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn remove(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    for sql in [DELETE_DEALS, DELETE_NUMBERS, DELETE_EMAILS, DELETE] {
        tx.execute(sql, params![team, contact.id])?;
    }
    tx.execute(TELL_REMOVAL, params![contact.id, team])?;
    if contact.archived_at.is_some() {
        return Ok(());
    }
    if let Some(company) = contact.company_id {
        companies::shift(tx, team, company, -1, -contact.interactions)?;
    }
    crm::add(tx, team, Kind::Person, -1)
}

/// Forgets the ids that were merged into this person.
///
/// # Errors
/// Of the engine.
pub fn forget(tx: &mut Tx<'_>, team: TeamKey, id: ContactId) -> Result<(), StoreError> {
    tx.execute(FORGET, params![team, id]).map(drop)
}
