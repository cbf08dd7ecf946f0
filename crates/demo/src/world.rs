//! The demo team as the rest of this crate knows it, whether it was just built or found in a database.

use trunkline_domain::{PhoneNumber, TeamId, UserId};
use trunkline_store::{Db, StoreError, TeamKey, contacts, numbers, teams, users};

use crate::corpus::{self, ContactNames, Language};

/// A demo team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Internal key.
    pub team: TeamKey,
    /// Public id.
    pub team_id: TeamId,
    /// Its people, oldest first.
    pub users: Vec<WorldUser>,
    /// Its numbers, in the order they were added.
    pub lines: Vec<WorldLine>,
    /// Whom it knows, oldest first.
    pub contacts: Vec<WorldContact>,
}

/// A user of the demo team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldUser {
    /// Public id.
    pub id: UserId,
    /// Given name and family name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// The language this user works in.
    pub language: Language,
}

impl WorldUser {
    /// The given name, as used in conversations.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.name.split(' ').next().unwrap_or(&self.name)
    }
}

/// A number of the demo team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldLine {
    /// The number.
    pub number: PhoneNumber,
    /// The language it is answered in.
    pub language: Language,
    /// The team's number for the line.
    pub line: i64,
}

/// A contact of the demo team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldContact {
    /// The main number.
    pub number: PhoneNumber,
    /// Given name and family name.
    pub names: ContactNames,
    /// The name of the company.
    pub company: Option<String>,
    /// The language the contact speaks.
    pub language: Language,
}

/// The demo team of this database, if it has one: a sandbox team with the demo team's name. Its history may be missing, in
/// part or altogether, where its building was interrupted: see [`crate::build`].
///
/// # Errors
/// The store's failure.
pub async fn find(db: &Db) -> Result<Option<World>, StoreError> {
    db.scan(|conn| {
        let all = teams::list(conn)?;
        let Some(team) = all
            .into_iter()
            .find(|team| team.sandbox && team.name == corpus::TEAM_COMPANY)
        else {
            return Ok(None);
        };
        let users = users::list(conn, team.key)?.into_iter().map(|user| {
            let member = corpus::TEAM.iter().find(|member| member.email == user.email);
            let language = member.map_or(Language::English, |member| member.language);
            WorldUser {
                id: user.id,
                name: user.name,
                email: user.email,
                language,
            }
        });
        let users = users.collect();
        let lines = numbers::list(conn, team.key)?.into_iter().filter_map(|row| {
            let number = row.number?;
            Some(WorldLine {
                number,
                language: language_of(number),
                line: row.line,
            })
        });
        let lines = lines.collect();
        let contacts = contacts::main_numbers(conn, team.key)?
            .into_iter()
            .map(|row| WorldContact {
                number: row.number,
                names: ContactNames {
                    first: row.first_name.unwrap_or_default(),
                    last: row.last_name.unwrap_or_default(),
                },
                company: row.company,
                language: language_of(row.number),
            });
        Ok(Some(World {
            team: team.key,
            team_id: team.id,
            users,
            lines,
            contacts: contacts.collect(),
        }))
    })
    .await
}

/// The language spoken at a number.
pub(crate) fn language_of(number: PhoneNumber) -> Language {
    if number.as_str().starts_with("+33") {
        Language::French
    } else {
        Language::English
    }
}
