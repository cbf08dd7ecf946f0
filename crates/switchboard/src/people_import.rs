//! Imports of people: a file becomes chunks of rows, and each chunk is applied in a transaction of its own, in which it
//! also goes. So an import that was interrupted goes on where it stopped, and no row is applied twice.
//!
//! A row is about the person who has one of its numbers, or about a new one. It adds: what is empty in it stays as it is,
//! numbers and e-mail addresses come to those that are there. So the same file once more changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Map, Value};
use trunkline_domain::events::{ContactState, Topic};
use trunkline_domain::{CompanyId, ContactId, ErrorCode, ImportId, Millis, PhoneNumber, PropertyType, text};
use trunkline_store::contacts::{self, ContactRow, Properties};
use trunkline_store::crm::{self, Kind};
use trunkline_store::imports::{self, ImportRow, RowError};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::properties::{self, PropertyRow};
use trunkline_store::{StoreError, TeamKey, companies, people};

use crate::people::{MAX_PER_CONTACT, is_email, tidy};
use crate::people_file::{FileRow, Parsed, list};
use crate::properties::{fits, wanted};
use crate::{Error, Refused, Switchboard, Work};

/// The kind of job that works on an import.
pub const IMPORT_JOB: &str = "people.import";

/// Rows that are applied in one transaction. Each writes nearly every page of the indexes by name and by company, so fewer
/// write less; but while it lasts, some tens of milliseconds, everybody else's changes wait.
const CHUNK: usize = 2_000;

/// Rows that were not imported of which it is told why.
pub const MAX_ERRORS: usize = 1_000;

/// The longest text of a field, in characters; an address and a website may be longer.
const MAX_TEXT: usize = 255;

/// For how long an import is its worker's after each chunk.
const LEASE_MS: i64 = Millis::MINUTE;

/// Stores an import with its rows. It is worked on from `at` on by whoever runs [`run`].
///
/// # Errors
/// The store's failure.
pub fn begin(work: &mut Work<'_, '_>, file: &Parsed, at: Millis) -> Result<ImportRow, Error> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut import = ImportRow {
        id: work.new_id(work.now),
        total: count(file.total()),
        done: count(file.errors.len()),
        created: 0,
        updated: 0,
        unchanged: 0,
        failed: count(file.errors.len()),
        errors: file.errors.iter().take(MAX_ERRORS).cloned().collect(),
        created_at: work.now,
        finished_at: None,
    };
    imports::insert(work.tx, work.team, &import)?;
    for (number, rows) in (0..).zip(file.rows.chunks(CHUNK)) {
        let rows = serde_json::to_string(rows).map_err(unreadable)?;
        imports::insert_chunk(work.tx, work.team, import.id, number, &rows)?;
    }
    if file.rows.is_empty() {
        import.finished_at = Some(work.now);
        imports::update(work.tx, work.team, &import)?;
        return Ok(import);
    }
    let job = JobRow {
        team: work.team,
        id: import.id.to_string(),
        kind: IMPORT_JOB.to_owned(),
        run_at: at,
        attempts: 0,
        payload: String::new(),
    };
    jobs::insert(work.tx, &job)?;
    Ok(import)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Column {
        column: 0,
        problem: format!("rows of an import: {error}"),
    }
}

/// The import with this id.
///
/// # Errors
/// `IMPORT_NOT_FOUND`.
pub fn find(work: &mut Work<'_, '_>, id: ImportId) -> Result<ImportRow, Error> {
    Ok(imports::get(work.tx, work.team, id)?.ok_or_else(|| Refused::new(ErrorCode::ImportNotFound))?)
}

/// Applies the next chunk of an import. Returns how far it has come: when nothing is left, it is finished.
///
/// # Errors
/// `IMPORT_NOT_FOUND`, the store's failure.
pub fn step(work: &mut Work<'_, '_>, id: ImportId) -> Result<ImportRow, Error> {
    let mut import = find(work, id)?;
    let Some((chunk, rows)) = imports::next_chunk(work.tx, work.team, id)? else {
        if import.finished_at.is_none() {
            import.finished_at = Some(work.now);
            imports::update(work.tx, work.team, &import)?;
        }
        return Ok(import);
    };
    let rows: Vec<FileRow> = serde_json::from_str(&rows).map_err(unreadable)?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let applied = apply(work, &rows)?;
    import.done += count(rows.len());
    import.created += applied.created;
    import.updated += applied.updated;
    import.unchanged += applied.unchanged;
    import.failed += count(applied.errors.len());
    let room = MAX_ERRORS.saturating_sub(import.errors.len());
    import.errors.extend(applied.errors.into_iter().take(room));
    imports::delete_chunk(work.tx, work.team, id, chunk)?;
    imports::update(work.tx, work.team, &import)?;
    Ok(import)
}

#[derive(Default)]
struct Applied {
    created: i64,
    updated: i64,
    unchanged: i64,
    errors: Vec<RowError>,
}

/// A row that was understood.
struct Person {
    line: u64,
    first_name: Option<String>,
    last_name: Option<String>,
    job_title: Option<String>,
    website: Option<String>,
    address: Option<String>,
    company: Option<String>,
    numbers: Vec<PhoneNumber>,
    emails: Vec<String>,
    properties: Properties,
}

/// What the rows of a chunk need to know of what is there.
struct Known {
    /// Who has a number.
    holders: HashMap<PhoneNumber, ContactId>,
    /// Those people.
    people: HashMap<ContactId, ContactRow>,
    /// Calls and texts of numbers.
    activities: HashMap<PhoneNumber, (i64, Millis)>,
    /// Companies by their folded names.
    companies: HashMap<String, (CompanyId, String)>,
    /// Names of companies.
    names: HashMap<CompanyId, String>,
    /// People who came to companies, with their interactions.
    joined: BTreeMap<CompanyId, (i64, i64)>,
}

fn apply(work: &mut Work<'_, '_>, rows: &[FileRow]) -> Result<Applied, Error> {
    let definitions = properties::list(work.tx, work.team)?;
    let mut applied = Applied::default();
    let mut understood = Vec::with_capacity(rows.len());
    for (line, fields) in rows {
        match read(*line, fields, &definitions, &work.country) {
            Ok(person) => understood.push(person),
            Err(error) => applied.errors.push(error),
        }
    }
    let mut known = look_up(work, &understood)?;
    for person in understood {
        match store(work, person, &mut known)? {
            Ok(Done::Created) => applied.created += 1,
            Ok(Done::Updated) => applied.updated += 1,
            Ok(Done::Unchanged) => applied.unchanged += 1,
            Err(error) => applied.errors.push(error),
        }
    }
    crm::add(work.tx, work.team, Kind::Person, applied.created)?;
    for (company, (people, interactions)) in known.joined {
        companies::shift(work.tx, work.team, company, people, interactions)?;
    }
    Ok(applied)
}

fn look_up(work: &mut Work<'_, '_>, rows: &[Person]) -> Result<Known, Error> {
    let numbers: Vec<PhoneNumber> = rows.iter().flat_map(|row| row.numbers.iter().copied()).collect();
    let mut holders = HashMap::new();
    for (number, holder) in contacts::holders(work.tx, work.team, &numbers)? {
        let first = holders.entry(number).or_insert(holder);
        // Of several the oldest: ids sort by time.
        *first = holder.min(*first);
    }
    let mut ids: Vec<ContactId> = holders.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut known = Known {
        holders,
        people: HashMap::with_capacity(ids.len()),
        activities: contacts::activities(work.tx, work.team, &numbers)?,
        companies: HashMap::new(),
        names: HashMap::new(),
        joined: BTreeMap::new(),
    };
    for detail in people::many(work.tx, work.team, &ids)? {
        if let (Some(id), Some(name)) = (detail.contact.company_id, detail.company) {
            known.names.insert(id, name);
        }
        known.people.insert(detail.contact.id, detail.contact);
    }
    Ok(known)
}

enum Done {
    Created,
    Updated,
    Unchanged,
}

fn store(work: &mut Work<'_, '_>, row: Person, known: &mut Known) -> Result<Result<Done, RowError>, Error> {
    let holder = row
        .numbers
        .iter()
        .find_map(|number| known.holders.get(number).copied());
    let strangers = row
        .numbers
        .iter()
        .find(|number| known.holders.get(*number).is_some_and(|of| Some(*of) != holder));
    if let Some(number) = strangers {
        let message = format!("{number} is the number of another person than the row's other numbers");
        return Ok(Err(RowError::new(
            row.line,
            Some("numbers"),
            ErrorCode::NumberAlreadyAssigned,
            message,
        )));
    }
    let before = holder.and_then(|id| known.people.get(&id).cloned());
    let mut after = before.clone().unwrap_or_else(|| blank(work));
    for (field, value) in [
        (&mut after.first_name, row.first_name),
        (&mut after.last_name, row.last_name),
        (&mut after.job_title, row.job_title),
        (&mut after.website, row.website),
        (&mut after.address, row.address),
    ] {
        *field = value.or(field.take());
    }
    after.properties.extend(row.properties);
    for number in &row.numbers {
        if !after.numbers.contains(number) {
            after.numbers.push(*number);
        }
    }
    for email in row.emails {
        if !after.emails.contains(&email) {
            after.emails.push(email);
        }
    }
    for (count, what) in [(after.numbers.len(), "numbers"), (after.emails.len(), "emails")] {
        if count > MAX_PER_CONTACT {
            let message =
                format!("the person would have {count} {what}; at most {MAX_PER_CONTACT} are possible");
            return Ok(Err(RowError::new(
                row.line,
                Some(what),
                ErrorCode::InvalidParameter,
                message,
            )));
        }
    }
    if let Some(name) = row.company {
        after.company_id = Some(company(work, known, name)?);
    }
    if before.as_ref() == Some(&after) {
        return Ok(Ok(Done::Unchanged));
    }
    count_activity(&mut after, before.as_ref(), known);
    after.updated_at = work.now;
    let (topic, done) = match &before {
        Some(before) => {
            contacts::update(work.tx, work.team, before, &after)?;
            (Topic::ContactUpdated, Done::Updated)
        }
        None => {
            contacts::insert_uncounted(work.tx, work.team, &after)?;
            if let Some(company) = after.company_id {
                let joined = known.joined.entry(company).or_default();
                *joined = (joined.0 + 1, joined.1 + after.interactions);
            }
            (Topic::ContactCreated, Done::Created)
        }
    };
    work.emit(topic, work.now, None, &state(&after, known))?;
    for number in &after.numbers {
        known.holders.insert(*number, after.id);
    }
    known.people.insert(after.id, after);
    Ok(Ok(done))
}

fn blank(work: &Work<'_, '_>) -> ContactRow {
    ContactRow {
        id: work.new_id(work.now),
        first_name: None,
        last_name: None,
        job_title: None,
        website: None,
        address: None,
        company_id: None,
        properties: Properties::new(),
        numbers: Vec::new(),
        emails: Vec::new(),
        interactions: 0,
        last_at: None,
        archived_at: None,
        created_at: work.now,
        updated_at: work.now,
    }
}

/// Counts the calls and texts of numbers that are new to a person.
fn count_activity(after: &mut ContactRow, before: Option<&ContactRow>, known: &Known) {
    let is_new = |number: &&PhoneNumber| before.is_none_or(|before| !before.numbers.contains(number));
    for number in after.numbers.clone().iter().filter(is_new) {
        if let Some((n, at)) = known.activities.get(number) {
            after.interactions += n;
            after.last_at = after.last_at.max(Some(*at));
        }
    }
}

fn company(work: &mut Work<'_, '_>, known: &mut Known, name: String) -> Result<CompanyId, Error> {
    let key = text::fold(&name);
    if let Some((id, _)) = known.companies.get(&key) {
        return Ok(*id);
    }
    let id = crate::companies::find_or_create(work, &name)?;
    let name = companies::get(work.tx, work.team, id)?.map_or(name, |row| row.name);
    known.names.insert(id, name.clone());
    known.companies.insert(key, (id, name));
    Ok(id)
}

fn state(contact: &ContactRow, known: &Known) -> ContactState {
    ContactState {
        id: contact.id,
        name: contact.first_name.clone(),
        last_name: contact.last_name.clone(),
        company: contact.company_id.and_then(|id| known.names.get(&id).cloned()),
        emails: (!contact.emails.is_empty()).then(|| contact.emails.clone()),
        numbers: contact.numbers.clone(),
        properties: contact.properties.clone(),
    }
}

/// Reads the fields of a row, or says what is wrong with it.
fn read(
    line: u64,
    fields: &Map<String, Value>,
    definitions: &[PropertyRow],
    country: &str,
) -> Result<Person, RowError> {
    let fault = |param: &str, code, message: String| RowError::new(line, Some(param), code, message);
    let wrong = |param: &str, what: &str| {
        fault(
            param,
            ErrorCode::InvalidParameter,
            format!("{param} must be {what}"),
        )
    };
    let text = |name: &str, most: usize| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.contains('\0') => Err(wrong(name, "a text without NUL characters")),
        Some(Value::String(text)) if text.chars().nth(most).is_none() => Ok(tidy(Some(text))),
        Some(Value::String(_)) => Err(fault(
            name,
            ErrorCode::InvalidLength,
            format!("{name} has more than {most} characters"),
        )),
        Some(_) => Err(wrong(name, "a text")),
    };
    let mut numbers = Vec::new();
    for written in list(fields, &["numbers", "number", "phone_number", "phone"])
        .map_err(|name| wrong(name, "a list of texts"))?
    {
        let number = PhoneNumber::parse_any(&written, country).map_err(|error| {
            fault(
                "numbers",
                ErrorCode::InvalidPhoneFormat,
                format!("{written:?} is {error}"),
            )
        })?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    if numbers.is_empty() {
        return Err(fault(
            "numbers",
            ErrorCode::MissingParameter,
            "the row has no number".to_owned(),
        ));
    }
    let mut emails = Vec::new();
    for written in list(fields, &["emails", "email"]).map_err(|name| wrong(name, "a list of texts"))? {
        let email = written.to_lowercase();
        if !is_email(&email) {
            return Err(fault(
                "emails",
                ErrorCode::InvalidParameter,
                format!("{written:?} is no e-mail address"),
            ));
        }
        if !emails.contains(&email) {
            emails.push(email);
        }
    }
    let mut values = Properties::new();
    for property in definitions {
        let Some(value) = fields.get(&property.key).filter(|value| !value.is_null()) else {
            continue;
        };
        let value = typed(property.property_type, value);
        if !fits(property.property_type, &value) {
            return Err(wrong(&property.key, wanted(property.property_type)));
        }
        values.insert(property.key.clone(), value);
    }
    Ok(Person {
        line,
        first_name: text("name", MAX_TEXT)?,
        last_name: text("last_name", MAX_TEXT)?,
        job_title: text("job_title", MAX_TEXT)?,
        website: text("website", 2_048)?,
        address: text("address", 1_000)?,
        company: text("company", MAX_TEXT)?.filter(|name| !text::fold(name).is_empty()),
        numbers,
        emails,
        properties: values,
    })
}

/// A value as its type has it, where the file has texts only.
fn typed(property_type: PropertyType, value: &Value) -> Value {
    let Value::String(text) = value else {
        return value.clone();
    };
    match property_type {
        PropertyType::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Value::from),
        PropertyType::Boolean => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true.into()),
            "false" | "no" | "0" => Some(false.into()),
            _ => None,
        },
        PropertyType::Text | PropertyType::Date => None,
    }
    .unwrap_or_else(|| value.clone())
}

/// The longest sleep between two looks for imports.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Works on imports until `stop` is over; a chunk that was begun is finished.
pub async fn run(board: Switchboard, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut appended = board.db().appended();
    loop {
        let outcome = tokio::select! {
            biased;
            () = &mut stop => return,
            outcome = work_once(&board) => outcome,
        };
        match outcome {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(error = %error, "an import could not be worked on; trying again"),
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = appended.changed() => {}
        }
    }
}

/// Works on the next import that is due, to its end. Returns whether there was one.
///
/// # Errors
/// The store's failure.
pub async fn work_once(board: &Switchboard) -> Result<bool, Error> {
    let (kinds, now) = ([IMPORT_JOB], board.now());
    let due = board
        .db()
        .read(move |conn| jobs::next_due(conn, &kinds, now))
        .await?;
    if due.is_none_or(|at| at > now) {
        return Ok(false);
    }
    let claimed = board
        .db()
        .write(move |tx| jobs::claim(tx, &kinds, now, LEASE_MS, 1))
        .await?;
    let Some(job) = claimed.into_iter().next() else {
        return Ok(false);
    };
    let Ok(id) = ImportId::parse(&job.id) else {
        return Ok(false);
    };
    let (team, attempts) = (job.team, job.attempts);
    while chunk(board, team, id, attempts)
        .await?
        .is_some_and(|import| import.finished_at.is_none())
    {}
    Ok(true)
}

/// Applies a chunk for the worker that has the job; `None`: it is somebody else's by now.
async fn chunk(
    board: &Switchboard,
    team: TeamKey,
    id: ImportId,
    attempts: i64,
) -> Result<Option<ImportRow>, Error> {
    let apply = move |work: &mut Work<'_, '_>| -> Result<Option<ImportRow>, Error> {
        let until = work.now.plus(LEASE_MS);
        if !jobs::renew(work.tx, team, &id.to_string(), attempts, until)? {
            return Ok(None);
        }
        let import = step(work, id)?;
        if import.finished_at.is_some() {
            jobs::finish(work.tx, team, &id.to_string(), attempts)?;
        }
        Ok(Some(import))
    };
    board.run(team, apply).await
}

/// Works on one import to its end, for whoever waits for it: `each` hears how far it has come.
///
/// # Errors
/// The store's failure.
pub async fn finish(
    board: &Switchboard,
    team: TeamKey,
    id: ImportId,
    mut each: impl FnMut(&ImportRow),
) -> Result<ImportRow, Error> {
    loop {
        let apply = move |work: &mut Work<'_, '_>| -> Result<ImportRow, Error> {
            let import = step(work, id)?;
            if import.finished_at.is_some() {
                jobs::finish(work.tx, team, &id.to_string(), 0)?;
            }
            Ok(import)
        };
        let import = board.run(team, apply).await?;
        each(&import);
        if import.finished_at.is_some() {
            return Ok(import);
        }
    }
}
