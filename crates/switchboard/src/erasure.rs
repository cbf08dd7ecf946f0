//! Erasure of a person: for good, from everywhere.
//!
//! One transaction takes the person out of the CRM, gives its conversations a number that nobody has, enters who wanted
//! it, and leaves a job. The job goes through what was said, through the event log and through whatever else is stored, a
//! small transaction at a time, so that nobody who writes waits for long; a crash does not end it. When it is over
//! nothing that can be read tells of the person, and a second job remains until files, text index and the free space of
//! the database have nothing either.
//!
//! Of calls and texts it stays that they were: when, which way, by whom of the team, with what result. So reports and
//! totals do not change.

mod job;

use serde::{Deserialize, Serialize};
use trunkline_domain::conversation::Standing;
use trunkline_domain::{ContactId, ErrorCode, PhoneNumber, full_name};
use trunkline_store::contacts::{self, ContactRow};
use trunkline_store::conversations::{self, ConversationRow};
use trunkline_store::erasures;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::{Conn, StoreError, TeamKey, merges};

pub use self::job::{IndexPurged, erase_once, run, scrub_once};
use crate::people_file::{FileRow, Whose, is_about};
use crate::{Actor, Error, Refused, Work, audit, people};

/// The kind of job that erases what is stored.
pub const ERASE_JOB: &str = "person.erase";

/// The kind of job that waits until files, index and free space have nothing of it.
pub const SCRUB_JOB: &str = "person.scrub";

/// What is to be erased. It is part of the job, and goes with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plan {
    /// The person, and those that were merged into it.
    people: Vec<ContactId>,
    /// First and last name, apart.
    names: Vec<String>,
    /// First and last name together.
    full_names: Vec<String>,
    /// E-mail addresses that nobody else has.
    emails: Vec<String>,
    /// Those that somebody else has too: whoever is written to there is the person only by the same name.
    #[serde(default)]
    shared_emails: Vec<String>,
    numbers: Vec<Own>,
    /// Numbers that somebody else has too: what was said with them stays.
    shared: Vec<PhoneNumber>,
    /// Names that the event log gives the person, read before it forgets them.
    #[serde(default)]
    former: Option<Vec<String>>,
}

/// A number that nobody else has.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Own {
    number: PhoneNumber,
    /// What stands in its place.
    nobodys: PhoneNumber,
    conversations: Vec<i64>,
}

impl Plan {
    fn conversations(&self) -> Vec<i64> {
        self.numbers
            .iter()
            .flat_map(|own| own.conversations.iter().copied())
            .collect()
    }
}

fn job_id(person: ContactId) -> String {
    format!("{ERASE_JOB}-{person}")
}

fn written<T: Serialize>(payload: &T) -> Result<String, StoreError> {
    serde_json::to_string(payload).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Column {
        column: 0,
        problem: format!("an erasure: {error}"),
    }
}

/// Erases a person, archived or not. From the commit on it is not there any more; what else is stored of it goes with
/// the job, see [`is_under_way`]. For a person whose job is not done yet, nothing is done.
///
/// # Errors
/// `PERSON_NOT_FOUND`; `OTHER_TRANSACTION_IN_PROGRESS` while a call with one of its numbers lasts.
pub fn erase(work: &mut Work<'_, '_>, id: ContactId, by: &Actor) -> Result<ContactId, Error> {
    let contact = match people::find(work, id) {
        Err(_) if is_under_way(work.tx, work.team, id)? => return Ok(id),
        found => found?,
    };
    let plan = plan(work, &contact)?;
    must_be_quiet(work, &plan)?;
    for own in &plan.numbers {
        put_away(work, own)?;
    }
    erasures::unqueue(work.tx, work.team, &plan.conversations())?;
    // Rows of an import that waits would make the person again.
    let mut chunk = (String::new(), 0);
    while let Some(last) = clear_chunk(work, &plan, &chunk)? {
        chunk = last;
    }
    merges::forget(work.tx, work.team, contact.id)?;
    merges::remove(work.tx, work.team, &contact)?;
    audit::enter(work, by, "person.erased", &contact.id.to_string(), None)?;
    let job = JobRow {
        team: work.team,
        id: job_id(contact.id),
        kind: ERASE_JOB.to_owned(),
        run_at: work.now,
        attempts: 0,
        payload: written(&plan)?,
    };
    jobs::insert(work.tx, &job)?;
    Ok(contact.id)
}

fn plan(work: &mut Work<'_, '_>, contact: &ContactRow) -> Result<Plan, Error> {
    let mut people = vec![contact.id];
    people.extend(erasures::merged_into(work.tx, work.team, contact.id)?);
    let mut holders = contacts::holders(work.tx, work.team, &contact.numbers)?;
    // Who is archived can be brought back, with the history of the number.
    holders.extend(contacts::former_holders(work.tx, work.team, &contact.numbers)?);
    let is_shared = |number: &PhoneNumber| {
        let others = |(held, by): &(PhoneNumber, ContactId)| held == number && *by != contact.id;
        holders.iter().any(others)
    };
    let (shared, own): (Vec<PhoneNumber>, Vec<PhoneNumber>) =
        contact.numbers.iter().copied().partition(is_shared);
    let mut numbers = Vec::with_capacity(own.len());
    for number in own {
        let found = conversations::of_number(work.tx, work.team, number)?;
        let mut seed = [0; 8];
        work.ids.fill(&mut seed);
        numbers.push(Own {
            number,
            nobodys: PhoneNumber::nobodys(u64::from_le_bytes(seed)),
            conversations: found.iter().map(|row| row.conversation).collect(),
        });
    }
    let of_others = erasures::emails_of_others(work.tx, work.team, &contact.emails, contact.id)?;
    let (shared_emails, emails) = contact
        .emails
        .iter()
        .cloned()
        .partition(|email| of_others.contains(email));
    let (first, last) = (contact.first_name.as_deref(), contact.last_name.as_deref());
    Ok(Plan {
        people,
        names: [first, last].into_iter().flatten().map(str::to_owned).collect(),
        full_names: full_name(first, last).into_iter().collect(),
        emails,
        shared_emails,
        numbers,
        shared,
        former: None,
    })
}

/// Empties the rows about the person in the first waiting chunk of imports behind `after`. Returns which one that was.
fn clear_chunk(
    work: &mut Work<'_, '_>,
    plan: &Plan,
    after: &(String, i64),
) -> Result<Option<(String, i64)>, Error> {
    let found = erasures::import_chunk(work.tx, work.team, (&after.0, after.1))?;
    let Some((id, chunk, rows)) = found else {
        return Ok(None);
    };
    let mut rows: Vec<FileRow> = serde_json::from_str(&rows).map_err(unreadable)?;
    let whose = Whose {
        numbers: plan.numbers.iter().map(|own| own.number).collect(),
        emails: &plan.emails,
        shared_numbers: &plan.shared,
        shared_emails: &plan.shared_emails,
        names: &plan.full_names,
    };
    let mut changed = false;
    for (_, fields) in &mut rows {
        if is_about(fields, &whose, &work.country) {
            // It is told of then as a row without a number.
            fields.clear();
            changed = true;
        }
    }
    if changed {
        erasures::set_import_chunk(work.tx, work.team, (&id, chunk), &written(&rows)?)?;
    }
    Ok(Some((id, chunk)))
}

/// What a call will have said is not known before it is over.
fn must_be_quiet(work: &mut Work<'_, '_>, plan: &Plan) -> Result<(), Error> {
    let live = erasures::live_numbers(work.tx, work.team)?;
    if plan.numbers.iter().any(|own| live.contains(&own.number)) {
        return Err(Refused::new(ErrorCode::OtherTransactionInProgress)
            .param("id")
            .because("a call with the person lasts, or is still being processed".to_owned())
            .into());
    }
    Ok(())
}

/// Gives the conversations of a number one that nobody has, read and archived.
fn put_away(work: &mut Work<'_, '_>, own: &Own) -> Result<(), Error> {
    for before in conversations::of_number(work.tx, work.team, own.number)? {
        let standing = Standing {
            unread: false,
            archived: true,
            unresponded: false,
        };
        let after = ConversationRow { standing, ..before };
        conversations::update(work.tx, work.team, &before, &after)?;
        erasures::rename(work.tx, work.team, before.conversation, own.nobodys)?;
    }
    let fingerprints = work.fingerprints.ok_or(StoreError::Sealed)?;
    let fingerprint = fingerprints.of(work.team, own.number);
    Ok(erasures::forget_number(
        work.tx,
        work.team,
        own.number,
        &fingerprint,
    )?)
}

/// Whether something can still be read of a person that was erased, by its id or one that was merged into it.
///
/// # Errors
/// The store's failure.
pub fn is_under_way(conn: &mut Conn<'_>, team: TeamKey, person: ContactId) -> Result<bool, StoreError> {
    if jobs::payload(conn, team, &job_id(person))?.is_some() {
        return Ok(true);
    }
    // Which ids were merged is forgotten, except by the job.
    for payload in jobs::payloads(conn, team, ERASE_JOB)? {
        let plan: Plan = serde_json::from_str(&payload).map_err(unreadable)?;
        if plan.people.contains(&person) {
            return Ok(true);
        }
    }
    Ok(false)
}
