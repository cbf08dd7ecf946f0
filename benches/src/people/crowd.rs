//! A team with very many people. They are written by hand, for the program makes some ten thousand a second; rows and
//! indexes are what it would have written.

use std::path::Path;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rusqlite::{Connection, params};

use crate::data::{self, Seeded};

/// Companies; each has some fifty people of a million.
const COMPANIES: usize = 20_000;

const TITLES: [&str; 8] = [
    "engineer",
    "sales manager",
    "head of purchasing",
    "owner",
    "chief financial officer",
    "assistant",
    "site manager",
    "buyer",
];

/// Area codes: a number must be one to be looked for.
const AREAS: [u64; 10] = [212, 213, 305, 310, 312, 404, 415, 512, 617, 702];

/// The first instant at which somebody was made.
const START: i64 = 1_700_000_000_000;

/// Somebody to search for.
pub struct Sample {
    /// Folded.
    pub first: String,
    /// Folded.
    pub last: String,
    /// In E.164.
    pub number: String,
    /// E-mail address.
    pub email: String,
}

/// A data folder whose team has `people` people more than the program made.
///
/// # Errors
/// When the program or a statement fails.
pub fn crowded(program: &Path, people: u64) -> Result<Seeded> {
    let seeded = data::seeded(program, &format!("people-{people}"), 2_000, 0.0)?;
    let done = seeded.dir.join("crowded");
    if !done.exists() {
        eprintln!("making {people} people …");
        let mut connection = Connection::open(seeded.dir.join("trunkline.db"))?;
        crowd(&mut connection, people).context("people could not be made")?;
        std::fs::write(&done, "")?;
    }
    Ok(seeded)
}

/// People from all over the crowd.
///
/// # Errors
/// When a statement fails.
pub fn samples(seeded: &Seeded, count: usize) -> Result<Vec<Sample>> {
    let connection = Connection::open(seeded.dir.join("trunkline.db"))?;
    let all: i64 = connection.query_row(
        "SELECT n FROM crm_totals WHERE team_id = 1 AND kind = 'PERSON'",
        [],
        |row| row.get(0),
    )?;
    let sql = "SELECT c.first_key, c.last_key, n.number, e.email
                 FROM contacts c
                 JOIN contact_numbers n ON n.team_id = c.team_id AND n.contact_id = c.id
                 JOIN contact_emails e ON e.team_id = c.team_id AND e.contact_id = c.id
                WHERE c.team_id = 1 AND c.id >= ?1 AND length(c.first_key) >= 4 AND length(c.last_key) >= 5
                ORDER BY c.id LIMIT 1";
    let mut statement = connection.prepare(sql)?;
    let step = all / 2 / i64::try_from(count)?;
    (0..count)
        .map(|i| {
            let found = statement.query_row([id(i as u64 * step.unsigned_abs())], |row| {
                Ok(Sample {
                    first: row.get(0)?,
                    last: row.get(1)?,
                    number: row.get(2)?,
                    email: row.get(3)?,
                })
            });
            Ok(found?)
        })
        .collect()
}

fn id(n: u64) -> String {
    format!("cnt-1{n:026}")
}

/// Names of a few syllables, the first of them given to more people than the later ones.
fn names(dice: &mut StdRng, count: usize, syllables: usize) -> Vec<String> {
    const SYLLABLES: [&str; 24] = [
        "an", "ber", "cla", "do", "el", "fran", "ga", "ho", "is", "jo", "ka", "lin", "mar", "na", "ol", "pe",
        "ri", "sa", "ta", "ul", "vi", "wil", "son", "ez",
    ];
    let one = |dice: &mut StdRng| {
        (0..syllables + dice.random_range(0..2_usize))
            .filter_map(|_| SYLLABLES.choose(dice))
            .copied()
            .collect::<String>()
    };
    (0..count).map(|_| one(dice)).collect()
}

/// One of them; earlier ones are more frequent.
fn pick<'n>(dice: &mut StdRng, names: &'n [String]) -> &'n str {
    let share: f64 = dice.random_range(0.0..1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let place = (share * share * names.len() as f64) as usize;
    names.get(place).map_or("", String::as_str)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn crowd(connection: &mut Connection, people: u64) -> Result<()> {
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")?;
    let indexes: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'contact%' AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let transaction = connection.transaction()?;
    let mut dice = StdRng::seed_from_u64(1);
    let (firsts, lasts) = (names(&mut dice, 4_000, 2), names(&mut dice, 80_000, 3));
    let companies = companies(&transaction, &mut dice, &lasts)?;
    let mut person = transaction.prepare(
        "INSERT INTO contacts (team_id, id, first_name, last_name, job_title, company_id, properties, has_deals, created_at,
                               updated_at, website, first_key, last_key, title_key, site_key, name_key, words, interactions,
                               last_at, active_at)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, NULL, 0, ?6, ?6, ?7, ?8, ?9, ?4, ?10, ?11, ?12, 0, NULL, ?13)",
    )?;
    let mut number = transaction.prepare(
        "INSERT INTO contact_numbers (team_id, number, contact_id, position) VALUES (1, ?1, ?2, 0)",
    )?;
    let mut email = transaction
        .prepare("INSERT INTO contact_emails (team_id, email, contact_id, position) VALUES (1, ?1, ?2, 0)")?;
    for n in 0..people {
        let (first, last) = (pick(&mut dice, &firsts), pick(&mut dice, &lasts));
        let (company, host) = match companies.choose(&mut dice) {
            Some(company) if dice.random_range(0..10) < 6 => {
                (Some(&company.0), format!("{}.example", company.1))
            }
            _ => (None, format!("mail{}.example", dice.random_range(0..9))),
        };
        let title = TITLES.choose(&mut dice);
        let address = format!("{first}.{last}{}@{host}", dice.random_range(0..100));
        let area = AREAS[usize::try_from(n)? % AREAS.len()];
        let phone = format!("1{area}{:07}", 2_000_000 + n * 7_919 % 7_999_999);
        let created = START + i64::try_from(n)? * 40_000;
        let active = created + dice.random_range(0..40_000_000_000_i64);
        let name = format!("{first} {last}");
        let words = format!(" {name} {phone} {}", address.replace(['@', '.'], " "));
        let (site, site_key) = (
            format!("https://www.{host}"),
            format!("https www {}", host.replace('.', " ")),
        );
        let id = id(n);
        person.execute(params![
            id,
            capital(first),
            capital(last),
            title,
            company,
            created,
            site,
            first,
            last,
            site_key,
            name,
            words,
            active
        ])?;
        number.execute(params![format!("+{phone}"), id])?;
        email.execute(params![address, id])?;
    }
    drop((person, number, email));
    transaction.commit()?;
    for (_, sql) in &indexes {
        connection.execute_batch(sql)?;
    }
    connection.execute_batch(&format!(
        "UPDATE crm_totals SET n = n + {people} WHERE team_id = 1 AND kind = 'PERSON';
         UPDATE crm_totals SET n = n + {COMPANIES} WHERE team_id = 1 AND kind = 'COMPANY';
         PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    ))?;
    Ok(())
}

/// Ids and names.
fn companies(connection: &Connection, dice: &mut StdRng, names: &[String]) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "INSERT INTO companies (team_id, id, name, name_key, created_at, updated_at) VALUES (1, ?1, ?2, ?3, ?4, ?4)",
    )?;
    let mut all = Vec::with_capacity(COMPANIES);
    for n in 0..COMPANIES {
        let (id, name) = (format!("com-1{n:026}"), pick(dice, names));
        statement.execute(params![
            id,
            format!("{} Ltd", capital(name)),
            format!("{name} ltd"),
            START
        ])?;
        all.push((id, name.to_owned()));
    }
    Ok(all)
}
