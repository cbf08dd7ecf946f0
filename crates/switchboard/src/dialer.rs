//! Queues of the power dialer: filled, emptied, handed over.
//!
//! A user has one current queue: the one that was made for, or handed to, them last. A number keeps its position for as
//! long as it is queued, whatever is added or removed meanwhile, and no other number ever gets it.
//! What came of calling a number is noted by the calls themselves: see [`crate::calls`].

use trunkline_domain::dialer::{DoNotDisturb, MAX_ENTRIES, VoicemailHandling};
use trunkline_domain::{ContactId, ErrorCode, PhoneNumber, QueueId, Role, UserId, UserStatus};
use trunkline_store::dialing_queues::{self, EntryRow, QueueRow, Removal};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{Conn, TeamKey, contacts, teams};

use crate::audit::enter;
use crate::people::{self, CreateContact, PatchContact};
use crate::{Actor, Error, Refused, Work, companies};

/// How many queues of one user are kept, the current one included. Older ones are deleted with their numbers.
pub const MAX_QUEUES: i64 = 10;

/// Whose queue is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This user's.
    User(UserId),
    /// That of the user with this e-mail address.
    Email(String),
    /// That of somebody whose id was never given out.
    Nobody,
}

/// What of a queue is to change; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PatchQueue {
    /// Name; `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// What the dialer does at a voicemail.
    pub voicemail_handling: Option<VoicemailHandling>,
    /// Whether incoming calls are silenced meanwhile.
    pub do_not_disturb: Option<DoNotDisturb>,
}

/// A number to be queued, with what is known of whose it is. Texts were checked; e-mail addresses are such.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// The number in any formatting, read with the team's country.
    pub number: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Website.
    pub website: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// The name of the company.
    pub company: Option<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
}

/// What came of numbers to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Those in the queue now, in the order in which they were sent.
    pub added: Vec<EntryRow>,
    /// Those that are no numbers, as they were sent.
    pub skipped: Vec<String>,
}

/// The user of the team that is meant.
///
/// # Errors
/// `ASSIGNEE_NOT_FOUND`.
pub fn assignee(conn: &mut Conn<'_>, team: TeamKey, target: &Target) -> Result<UserRow, Error> {
    let (found, param) = match target {
        Target::User(id) => (users::get(conn, team, *id)?, "user_id"),
        Target::Email(email) => (
            users::by_email(conn, team, &email.trim().to_lowercase())?,
            "email",
        ),
        Target::Nobody => (None, "user_id"),
    };
    Ok(found.ok_or_else(|| Refused::new(ErrorCode::AssigneeNotFound).param(param))?)
}

/// The user of the team that is to get numbers to call.
fn caller(work: &mut Work<'_, '_>, target: &Target) -> Result<UserId, Error> {
    let user = assignee(work.tx, work.team, target)?;
    if user.status != UserStatus::Active {
        let param = if matches!(target, Target::Email(_)) {
            "email"
        } else {
            "user_id"
        };
        return Err(Refused::new(ErrorCode::AssigneeNotFound)
            .param(param)
            .because("this user is blocked, and calls nobody")
            .into());
    }
    Ok(user.id)
}

/// Makes a new, empty queue, which is the current one from now on.
///
/// # Errors
/// `ASSIGNEE_NOT_FOUND`.
pub fn reset(
    work: &mut Work<'_, '_>,
    target: &Target,
    name: Option<&str>,
    creator: UserId,
) -> Result<QueueRow, Error> {
    let assignee = caller(work, target)?;
    make(work, assignee, name, creator)
}

fn make(
    work: &mut Work<'_, '_>,
    assignee_id: UserId,
    name: Option<&str>,
    creator_id: UserId,
) -> Result<QueueRow, Error> {
    let queue = teams::next_entry(work.tx, work.team)?;
    let row = QueueRow {
        queue,
        id: work.new_id(work.now),
        name: people::tidy(name),
        creator_id,
        assignee_id,
        assigned: queue,
        voicemail_handling: VoicemailHandling::NoSkip,
        do_not_disturb: DoNotDisturb::Disabled,
        next_position: 0,
        created_at: work.now,
        updated_at: work.now,
    };
    dialing_queues::insert(work.tx, work.team, &row)?;
    dialing_queues::trim(work.tx, work.team, assignee_id, MAX_QUEUES)?;
    Ok(row)
}

/// The current queue; a new one where there is none.
fn current(work: &mut Work<'_, '_>, target: &Target, creator: UserId) -> Result<QueueRow, Error> {
    let assignee = caller(work, target)?;
    match dialing_queues::current(work.tx, work.team, assignee)? {
        Some(queue) => Ok(queue),
        None => make(work, assignee, None, creator),
    }
}

/// Changes the current queue; makes it where there is none.
///
/// # Errors
/// `ASSIGNEE_NOT_FOUND`.
pub fn upsert(
    work: &mut Work<'_, '_>,
    target: &Target,
    patch: &PatchQueue,
    creator: UserId,
) -> Result<QueueRow, Error> {
    let before = current(work, target, creator)?;
    let mut after = QueueRow {
        voicemail_handling: patch.voicemail_handling.unwrap_or(before.voicemail_handling),
        do_not_disturb: patch.do_not_disturb.unwrap_or(before.do_not_disturb),
        ..before.clone()
    };
    if let Some(name) = &patch.name {
        after.name.clone_from(name);
    }
    if after != before {
        after.updated_at = work.now;
        dialing_queues::update(work.tx, work.team, &after)?;
    }
    Ok(after)
}

/// Queues numbers behind those that are there, in their order; makes the queue where there is none. Whose a number is,
/// is looked up, or made: see [`owner`].
///
/// # Errors
/// `ASSIGNEE_NOT_FOUND`, `DIALING_QUEUE_LIMIT_REACHED`: then none was queued.
pub fn append(
    work: &mut Work<'_, '_>,
    target: &Target,
    wanted: &[Append],
    creator: UserId,
) -> Result<Appended, Error> {
    let mut queue = current(work, target, creator)?;
    let mut skipped = Vec::new();
    let mut readable: Vec<(PhoneNumber, &Append)> = Vec::new();
    for one in wanted {
        match PhoneNumber::parse_any(&one.number, &work.country) {
            Ok(number) => readable.push((number, one)),
            Err(_) => skipped.push(one.number.clone()),
        }
    }
    let there = dialing_queues::count(work.tx, work.team, queue.queue)?;
    let more = i64::try_from(readable.len()).unwrap_or(i64::MAX);
    if there.saturating_add(more) > MAX_ENTRIES {
        let message =
            format!("the queue has {there} numbers, and {more} more would exceed the limit of {MAX_ENTRIES}");
        return Err(Refused::new(ErrorCode::DialingQueueLimitReached)
            .param("numbers")
            .because(message)
            .into());
    }
    let mut added = Vec::with_capacity(readable.len());
    for (number, one) in readable {
        let entry = EntryRow {
            position: queue.next_position,
            number,
            contact_id: Some(owner(work, number, one)?),
            call_id: None,
            call_started_at: None,
            outcome: None,
            created_at: work.now,
            updated_at: work.now,
        };
        dialing_queues::insert_entry(work.tx, work.team, queue.queue, &entry)?;
        queue.next_position += 1;
        added.push(entry);
    }
    if !added.is_empty() {
        queue.updated_at = work.now;
        dialing_queues::update(work.tx, work.team, &queue)?;
    }
    Ok(Appended { added, skipped })
}

/// The contact with this number, of several the oldest; a new one where there is none. One that is there keeps what it has,
/// and gets what it does not have.
fn owner(work: &mut Work<'_, '_>, number: PhoneNumber, told: &Append) -> Result<ContactId, Error> {
    let company = match &told.company {
        Some(name) => Some(companies::find_or_create(work, name)?),
        None => None,
    };
    let Some(known) = contacts::by_number(work.tx, work.team, number)? else {
        let contact = CreateContact {
            first_name: told.first_name.clone(),
            last_name: told.last_name.clone(),
            job_title: told.job_title.clone(),
            website: told.website.clone(),
            address: told.address.clone(),
            company,
            numbers: vec![number.to_string()],
            emails: told.emails.clone(),
            ..CreateContact::default()
        };
        return people::create_contact(work, &contact);
    };
    // A name is one thing: a first name is not put before the last name of somebody else.
    let nameless = known.first_name.is_none() && known.last_name.is_none();
    let lacked = |there: bool, told: &Option<String>| told.clone().filter(|_| !there).map(Some);
    let patch = PatchContact {
        first_name: lacked(!nameless, &told.first_name),
        last_name: lacked(!nameless, &told.last_name),
        job_title: lacked(known.job_title.is_some(), &told.job_title),
        website: lacked(known.website.is_some(), &told.website),
        address: lacked(known.address.is_some(), &told.address),
        company: company.filter(|_| known.company_id.is_none()).map(Some),
        emails: (known.emails.is_empty() && !told.emails.is_empty()).then(|| told.emails.clone()),
        ..PatchContact::default()
    };
    people::update_contact(work, known.id, &patch)
}

/// Removes numbers from the current queue, and tells how many. The others keep their positions.
///
/// # Errors
/// `ASSIGNEE_NOT_FOUND`, `DIALING_QUEUE_NOT_FOUND`, `QUEUE_NUMBER_POSITION_NOT_FOUND`, `INVALID_PHONE_NUMBER`.
pub fn remove(work: &mut Work<'_, '_>, target: &Target, clear: &Clear) -> Result<u64, Error> {
    let removal = clear.read(&work.country)?;
    let assignee = assignee(work.tx, work.team, target)?.id;
    let queue = dialing_queues::current(work.tx, work.team, assignee)?
        .ok_or_else(|| Refused::new(ErrorCode::DialingQueueNotFound))?;
    let removed = dialing_queues::remove(work.tx, work.team, queue.queue, removal)?;
    match removal {
        Removal::Position(position) | Removal::Both(_, position) if removed == 0 => {
            let message = if matches!(removal, Removal::Both(..)) {
                format!("the queue has no entry at position {position} with this number")
            } else {
                format!("the queue has no entry at position {position}")
            };
            return Err(Refused::new(ErrorCode::QueueNumberPositionNotFound)
                .param("position")
                .because(message)
                .into());
        }
        _ => {}
    }
    if removed > 0 {
        let after = QueueRow {
            updated_at: work.now,
            ..queue
        };
        dialing_queues::update(work.tx, work.team, &after)?;
    }
    Ok(removed)
}

/// Which numbers to remove, as a client says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// All entries with this number, in any formatting; with a position, the entry there if it has this number.
    Number(String, Option<i64>),
    /// The entry at this position.
    Position(i64),
    /// All that were not called yet.
    Uncalled,
}

impl Clear {
    fn read(&self, country: &str) -> Result<Removal, Error> {
        let number = |text: &str| {
            PhoneNumber::parse_any(text, country).map_err(|_| {
                let shown: String = text.chars().take(40).collect();
                Refused::new(ErrorCode::InvalidPhoneNumber)
                    .param("number")
                    .because(format!("{shown:?} is not a phone number"))
            })
        };
        Ok(match self {
            Self::Number(text, None) => Removal::Number(number(text)?),
            Self::Number(text, Some(position)) => Removal::Both(number(text)?, *position),
            Self::Position(position) => Removal::Position(*position),
            Self::Uncalled => Removal::Uncalled,
        })
    }
}

/// Hands a queue over: it is the new assignee's current one from now on. Admins and managers do it, with a queue that they
/// made or own.
///
/// # Errors
/// `DIALING_QUEUE_ASSIGN_FORBIDDEN`, `DIALING_QUEUE_NOT_FOUND`, `ASSIGNEE_NOT_FOUND`, `DIALING_QUEUE_SESSION_ACTIVE`.
pub fn assign(
    work: &mut Work<'_, '_>,
    id: Option<QueueId>,
    target: &Target,
    by: &Actor,
) -> Result<QueueRow, Error> {
    let by_id = by.user_id();
    let role = match by_id {
        Some(id) => users::get(work.tx, work.team, id)?.map(|user| user.role),
        None => None,
    };
    if !matches!(role, Some(Role::Admin | Role::Manager)) {
        return Err(ErrorCode::DialingQueueAssignForbidden.into());
    }
    let found = match id {
        Some(id) => dialing_queues::get(work.tx, work.team, id)?,
        None => None,
    };
    let queue = found.ok_or_else(|| Refused::new(ErrorCode::DialingQueueNotFound).param("id"))?;
    if by_id != Some(queue.creator_id) && by_id != Some(queue.assignee_id) {
        let message = "this queue was made by somebody else and is somebody else's";
        return Err(Refused::new(ErrorCode::DialingQueueAssignForbidden)
            .because(message)
            .into());
    }
    let assignee_id = caller(work, target)?;
    if dialing_queues::is_dialled(work.tx, work.team, queue.queue)? {
        return Err(ErrorCode::DialingQueueSessionActive.into());
    }
    let after = QueueRow {
        assignee_id,
        assigned: teams::next_entry(work.tx, work.team)?,
        updated_at: work.now,
        ..queue.clone()
    };
    dialing_queues::update(work.tx, work.team, &after)?;
    dialing_queues::trim(work.tx, work.team, assignee_id, MAX_QUEUES)?;
    let detail = format!("{} -> {assignee_id}", queue.assignee_id);
    enter(
        work,
        by,
        "dialing_queue.assigned",
        &queue.id.to_string(),
        Some(detail),
    )?;
    Ok(after)
}
