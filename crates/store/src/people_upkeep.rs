//! What searches for people look into, computed anew from the people themselves.

use std::collections::HashMap;

use trunkline_domain::ContactId;

use crate::contacts::Keys;
use crate::engine::{Conn, StoreError, Tx};
use crate::people_changes::PersonTexts;
use crate::{TeamKey, params, people, people_changes};

statements! {
    REFOLD =
        "UPDATE contacts
            SET first_key = $1, last_key = $2, title_key = $3, site_key = $4, name_key = $5, words = $6,
                change = (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $7)
          WHERE team_id = $7 AND id = $8";
}

/// Some people that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many.
    pub people: usize,
    /// Those whose texts are not what they should be.
    pub wrong: Vec<ContactId>,
    /// The last of them; `None` when nobody was left.
    pub last: Option<ContactId>,
}

/// Compares what is kept of at most `limit` people, by id from behind `after` on, with what it should be.
///
/// # Errors
/// Of the engine.
pub fn look(
    conn: &mut Conn<'_>,
    team: TeamKey,
    after: Option<ContactId>,
    limit: i64,
) -> Result<Looked, StoreError> {
    let kept = people_changes::texts_behind(conn, team, after, limit)?;
    let ids: Vec<ContactId> = kept.iter().map(|texts| texts.id).collect();
    let keys = keys(conn, team, &ids)?;
    let is_wrong = |texts: &&PersonTexts| keys.get(&texts.id).is_some_and(|keys| !keys.are_those_of(texts));
    let wrong = kept.iter().filter(is_wrong).map(|texts| texts.id).collect();
    Ok(Looked { people: kept.len(), wrong, last: ids.last().copied() })
}

impl Keys {
    fn are_those_of(&self, kept: &PersonTexts) -> bool {
        let Self { first, last, title, site, name, words } = self;
        [first, last, title, site, name, words]
            == [&kept.first, &kept.last, &kept.title, &kept.site, &kept.name, &kept.words]
    }
}

fn keys(conn: &mut Conn<'_>, team: TeamKey, ids: &[ContactId]) -> Result<HashMap<ContactId, Keys>, StoreError> {
    let people = people::many(conn, team, ids)?;
    Ok(people.iter().map(|person| (person.contact.id, Keys::of(&person.contact))).collect())
}

/// Computes what is kept of these people anew. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn refold(tx: &mut Tx<'_>, team: TeamKey, ids: &[ContactId]) -> Result<(), StoreError> {
    for (id, keys) in keys(tx, team, ids)? {
        let Keys { first, last, title, site, name, words } = keys;
        tx.execute(REFOLD, params![first, last, title, site, name, words, team, id])?;
    }
    Ok(())
}
