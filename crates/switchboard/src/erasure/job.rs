//! The work of an erasure, a small transaction at a time, by a worker who holds its job. Whoever takes a job over begins
//! anew: what is erased already is found no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trunkline_domain::erasure::Erased;
use trunkline_domain::events::{ItemsErased, Topic};
use trunkline_domain::{ContactId, ItemId, Millis};
use trunkline_store::erasures::{self, Answer};
use trunkline_store::events::EventRow;
use trunkline_store::imports::RowError;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::{Conn, Scrubbed, StoreError, TeamKey, events, teams};

use super::{ERASE_JOB, Own, Plan, SCRUB_JOB, clear_chunk, unreadable, written};
use crate::{Actor, Error, Switchboard, Work, audit, media};

/// Calls and texts of one transaction.
const ITEMS: i64 = 100;

/// Events, answers and threads that are read or changed together.
const ROWS: usize = 200;

/// For how long a job is its worker's after each transaction.
const LEASE_MS: i64 = Millis::MINUTE;

/// A worker that only reads holds its job anew after so long.
const RENEW_MS: i64 = LEASE_MS / 4;

/// The most names that a person is looked for by.
const MOST_NAMES: usize = 100;

/// The same while the database is scrubbed.
const SCRUB_LEASE_MS: i64 = 10 * Millis::MINUTE;

/// What is left to be waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rest {
    person: ContactId,
    /// The last event that the text index must have read.
    event: i64,
}

/// Tells whether the text index of this process has nothing more of what was erased up to an event of a team.
pub type IndexPurged = Arc<dyn Fn(TeamKey, i64) -> bool + Send + Sync>;

/// The longest sleep between two looks for erasures.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The pause before files and index are looked at again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Works on erasures until `stop` is over. What it is at then goes on at the next start.
pub async fn run(board: Switchboard, purged: IndexPurged, stop: impl Future<Output = ()>) {
    let rows = async {
        let mut appended = board.db().appended();
        loop {
            appended.mark_unchanged();
            match erase_once(&board).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(error = %error, "an erasure failed; it will be tried again"),
            }
            drop(tokio::time::timeout(LOOK_EVERY, appended.changed()).await);
        }
    };
    let rest = async {
        let (mut appended, mut pause) = (board.db().appended(), FIRST_PAUSE);
        loop {
            appended.mark_unchanged();
            match scrub_once(&board, &purged).await {
                Ok(0) => {
                    pause = FIRST_PAUSE;
                    drop(tokio::time::timeout(LOOK_EVERY, appended.changed()).await);
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "erased data could not be scrubbed; trying again")
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    tokio::select! {
        () = stop => {}
        () = rows => {}
        () = rest => {}
    }
}

/// Works on the next erasure that is due. Returns whether there was one.
///
/// # Errors
/// The store's failure; the job is given back.
pub async fn erase_once(board: &Switchboard) -> Result<bool, Error> {
    let Some(job) = claim(board, ERASE_JOB, LEASE_MS, 1).await?.pop() else {
        return Ok(false);
    };
    let worker = Worker {
        board: board.clone(),
        job: job.clone(),
        held_at: AtomicI64::new(board.now().0),
    };
    let outcome = worker.erase().await;
    if outcome.is_err() {
        let now = board.now();
        let give_back =
            move |tx: &mut trunkline_store::Tx<'_>| jobs::postpone(tx, job.team, &job.id, job.attempts, now);
        drop(board.db().write(give_back).await);
    }
    outcome.map(|()| true)
}

async fn claim(
    board: &Switchboard,
    kind: &'static str,
    lease_ms: i64,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let (db, now) = (board.db(), board.now());
    // Looking costs nothing on disk; claiming does.
    let next = db.read(move |conn| jobs::next_due(conn, &[kind], now)).await?;
    if next.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    db.write(move |tx| jobs::claim(tx, &[kind], now, lease_ms, limit))
        .await
}

/// Looks after erasures of which nothing can be read any more: once their files are deleted and the text index is
/// written anew, what is free in the database is overwritten, and they are done. Returns how many are not yet.
///
/// # Errors
/// The store's failure.
pub async fn scrub_once(board: &Switchboard, purged: &IndexPurged) -> Result<usize, Error> {
    let claimed = claim(board, SCRUB_JOB, SCRUB_LEASE_MS, 64).await?;
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    for job in claimed {
        let rest: Rest = serde_json::from_str(&job.payload).map_err(unreadable)?;
        let team = job.team;
        let has_files = board
            .db()
            .read(move |conn| jobs::has_any(conn, team, media::ERASE_JOB))
            .await?;
        if has_files || !purged(team, rest.event) {
            waiting.push(job);
        } else {
            ready.push((job, rest));
        }
    }
    if !ready.is_empty() {
        match board.db().scrub().await {
            Ok(scrubbed @ (Scrubbed::Whole | Scrubbed::Rows)) => {
                for (job, rest) in ready {
                    finish(board, job, &rest, scrubbed).await?;
                }
            }
            Ok(Scrubbed::Busy) => waiting.extend(ready.into_iter().map(|(job, _)| job)),
            Err(error) => {
                tracing::warn!(error = %error, "the database could not be scrubbed; trying again");
                waiting.extend(ready.into_iter().map(|(job, _)| job));
            }
        }
    }
    let (count, now) = (waiting.len(), board.now());
    let give_back = move |tx: &mut trunkline_store::Tx<'_>| -> Result<(), StoreError> {
        for job in &waiting {
            jobs::postpone(tx, job.team, &job.id, job.attempts, now)?;
        }
        Ok(())
    };
    if count > 0 {
        board.db().write(give_back).await?;
    }
    Ok(count)
}

async fn finish(board: &Switchboard, job: JobRow, rest: &Rest, scrubbed: Scrubbed) -> Result<(), Error> {
    let (team, subject) = (job.team, rest.person.to_string());
    let how = match scrubbed {
        Scrubbed::Whole => "the database was written anew",
        _ => "erased rows were overwritten; the database was not written anew",
    };
    let command = move |work: &mut Work<'_, '_>| -> Result<(), Error> {
        if jobs::finish(work.tx, work.team, &job.id, job.attempts)? {
            audit::enter(
                work,
                &Actor::System,
                "person.erasure_completed",
                &subject,
                Some(how.to_owned()),
            )?;
        }
        Ok(())
    };
    board.run(team, command).await
}

/// Works on one erasure.
struct Worker {
    board: Switchboard,
    job: JobRow,
    /// When the job was held last.
    held_at: AtomicI64,
}

/// What a transaction of a worker came to.
enum Step<T> {
    Done(T),
    /// The job is another worker's by now.
    Lost,
}

impl Worker {
    async fn erase(&self) -> Result<(), Error> {
        let Some(plan) = self.plan().await? else {
            return Ok(());
        };
        for own in &plan.numbers {
            if !self.items(own).await? {
                return Ok(());
            }
        }
        let Some((erased, threads)) = self.erased(&plan).await? else {
            return Ok(());
        };
        let erased = Arc::new(erased);
        let Some(told) = self.events(&erased).await? else {
            return Ok(());
        };
        // From here on what was read before is not sent, and what was answered to it not stored. What was stored until
        // now goes with the attempts below.
        self.board.count_erasure();
        let through = self.answers(&erased).await?
            && self.imports(&plan).await?
            && self.talk(&plan, threads).await?
            && self.attempts(told).await?;
        if through {
            self.pass_on(plan.people.first().copied()).await?;
        }
        Ok(())
    }

    /// Runs `command` unless the job is another worker's by now.
    async fn step<T, F>(&self, mut command: F) -> Result<Step<T>, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut Work<'_, '_>) -> Result<T, Error> + Send + 'static,
    {
        let (id, attempts, now) = (self.job.id.clone(), self.job.attempts, self.board.now());
        let run = self
            .board
            .run(self.job.team, move |work| -> Result<Step<T>, Error> {
                if !jobs::renew(work.tx, work.team, &id, attempts, work.now.plus(LEASE_MS))? {
                    return Ok(Step::Lost);
                }
                command(work).map(Step::Done)
            });
        let step = run.await?;
        self.held_at.store(now.0, Ordering::Relaxed);
        Ok(step)
    }

    /// Holds the job while there is nothing to be written, so that nobody else takes it. `false`: the job is lost.
    async fn hold(&self) -> Result<bool, Error> {
        if self.board.now().0 - self.held_at.load(Ordering::Relaxed) < RENEW_MS {
            return Ok(true);
        }
        Ok(matches!(self.step(|_| Ok(())).await?, Step::Done(())))
    }

    /// What is to be erased. Names that the person had before are read from the event log and put beside it: a worker
    /// who takes over halfway would find them no more. `None`: the job is lost.
    async fn plan(&self) -> Result<Option<Arc<Plan>>, Error> {
        let mut plan: Plan = serde_json::from_str(&self.job.payload).map_err(unreadable)?;
        if plan.former.is_some() || plan.shared.is_empty() {
            return Ok(Some(Arc::new(plan)));
        }
        let mut erased = Erased::default();
        plan.people.iter().for_each(|id| erased.person.add(id.ksuid()));
        let (erased, last) = (Arc::new(erased), self.last_event().await?);
        let (mut after, mut former) = (0, Vec::new());
        while after < last {
            let known = erased.clone();
            let (reached, told) = self
                .read(after, last, move |row| Some(known.told_names(&row.payload)))
                .await?;
            after = reached;
            for name in told.into_iter().flatten() {
                if !former.contains(&name) && former.len() < MOST_NAMES {
                    former.push(name);
                }
            }
            if !self.hold().await? {
                return Ok(None);
            }
        }
        plan.former = Some(former);
        let (id, payload) = (self.job.id.clone(), written(&plan)?);
        let step = self.step(move |work| Ok(jobs::set_payload(work.tx, work.team, &id, &payload)?));
        Ok(matches!(step.await?, Step::Done(())).then(|| Arc::new(plan)))
    }

    async fn last_event(&self) -> Result<i64, StoreError> {
        let team = self.job.team;
        let read = self.board.db().read(move |conn| teams::last_event(conn, team));
        read.await
    }

    /// Reads the next events behind `after`, `last` at most. Returns which was the last, and what `find` made of them.
    async fn read<T, F>(&self, after: i64, last: i64, find: F) -> Result<(i64, Vec<T>), StoreError>
    where
        T: Send + 'static,
        F: Fn(&EventRow) -> Option<T> + Send + 'static,
    {
        let team = self.job.team;
        let look = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
            let rows = events::after(conn, team, after, ROWS as i64)?;
            let reached = rows
                .last()
                .filter(|_| rows.len() == ROWS)
                .map_or(last, |row| row.seq);
            Ok((reached, rows.iter().filter_map(&find).collect()))
        };
        self.board.db().scan(look).await
    }

    /// Leaves of the calls and texts with a number that they were. `false`: the job is lost.
    async fn items(&self, own: &Own) -> Result<bool, Error> {
        loop {
            let own = own.clone();
            let step = self.step(move |work| {
                let items = erasures::items(work.tx, work.team, own.number, &own.conversations, ITEMS)?;
                if items.is_empty() {
                    return Ok(false);
                }
                for medium in erasures::forget_items(work.tx, work.team, &items, own.nobodys)? {
                    media::erase(work, medium)?;
                }
                let ranges = ranges(items);
                work.emit(Topic::ItemsErased, work.now, None, &ItemsErased { ranges })?;
                Ok(true)
            });
            match step.await? {
                Step::Done(true) => {}
                Step::Done(false) => return Ok(true),
                Step::Lost => return Ok(false),
            }
        }
    }

    /// What events and answers know the person by, and the threads about it. `None`: the job is lost.
    async fn erased(&self, plan: &Arc<Plan>) -> Result<Option<(Erased, Vec<i64>)>, Error> {
        let mut erased = Erased {
            names: plan.full_names.clone(),
            former: plan.former.clone().unwrap_or_default(),
            ..Erased::default()
        };
        plan.people.iter().for_each(|id| erased.person.add(id.ksuid()));
        plan.shared
            .iter()
            .for_each(|number| erased.person.add(number.as_str()));
        for own in &plan.numbers {
            erased.history.add(own.number.as_str());
            erased.numbers.insert(own.number.to_string(), own.nobodys);
        }
        let (team, known) = (self.job.team, plan.clone());
        let look = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
            let mut about = erasures::note_ids(conn, team, &known.people, &known.conversations())?;
            for own in &known.numbers {
                let items = erasures::item_ids(conn, team, own.nobodys)?;
                about.extend(items.iter().map(ItemId::to_string));
            }
            Ok(about)
        };
        let about: Vec<String> = self.board.db().scan(look).await?;
        let mut threads = Vec::new();
        for some in about.chunks(ROWS) {
            let some = some.to_vec();
            let look = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
                let mut found = Vec::new();
                for (thread, id) in erasures::threads(conn, team, &some)? {
                    found.push((thread, id, erasures::comment_ids(conn, team, thread)?));
                }
                Ok(found)
            };
            for (thread, id, comments) in self.board.db().scan(look).await? {
                threads.push(thread);
                erased.history.add(behind_prefix(&id));
                for comment in comments {
                    erased.history.add(behind_prefix(&comment));
                }
            }
            if !self.hold().await? {
                return Ok(None);
            }
        }
        about.iter().for_each(|id| erased.history.add(behind_prefix(id)));
        Ok(Some((erased, threads)))
    }

    /// Goes through the event log, and through what receivers answered to what they were told of it. Returns the events
    /// that were changed; `None`: the job is lost.
    async fn events(&self, erased: &Arc<Erased>) -> Result<Option<Vec<i64>>, Error> {
        let last = self.last_event().await?;
        let (mut after, mut told) = (0, Vec::new());
        while after < last {
            let known = erased.clone();
            let look = move |row: &EventRow| Some((row.seq, known.event(row.topic, &row.payload)?));
            let (reached, left) = self.read(after, last, look).await?;
            after = reached;
            if left.is_empty() {
                if !self.hold().await? {
                    return Ok(None);
                }
                continue;
            }
            told.extend(left.iter().map(|(event, _)| *event));
            let step = self.step(move |work| {
                for (event, payload) in &left {
                    erasures::set_payload(work.tx, work.team, *event, payload)?;
                }
                let events: Vec<i64> = left.iter().map(|(event, _)| *event).collect();
                forget_replies(work, &events)
            });
            if matches!(step.await?, Step::Lost) {
                return Ok(None);
            }
        }
        Ok(Some(told))
    }

    /// Goes once more through what receivers answered: what was fanned out when its event was changed is stored by now, or
    /// never will be.
    async fn attempts(&self, told: Vec<i64>) -> Result<bool, Error> {
        for some in told.chunks(ROWS) {
            let some = some.to_vec();
            if matches!(
                self.step(move |work| forget_replies(work, &some)).await?,
                Step::Lost
            ) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through the answers that are kept for clients that repeat a request.
    async fn answers(&self, erased: &Arc<Erased>) -> Result<bool, Error> {
        let mut after = Answer::default();
        loop {
            let (erased, from) = (erased.clone(), after.clone());
            let step = self.step(move |work| {
                let found = erasures::answers(work.tx, work.team, &from, ROWS as i64)?;
                for answer in &found {
                    let left = without(answer, &erased, work)?;
                    if left != *answer {
                        erasures::set_answer(work.tx, work.team, &answer.key, &left)?;
                    }
                }
                Ok(found.into_iter().next_back())
            });
            match step.await? {
                Step::Done(Some(last)) => after = last,
                Step::Done(None) => return Ok(true),
                Step::Lost => return Ok(false),
            }
        }
    }

    /// Goes through what was wrong with rows of imports, and through rows that wait.
    async fn imports(&self, plan: &Arc<Plan>) -> Result<bool, Error> {
        let known = plan.clone();
        let step = self.step(move |work| {
            for (id, errors) in erasures::import_errors(work.tx, work.team)? {
                let mut errors: Vec<RowError> = serde_json::from_str(&errors).map_err(unreadable)?;
                let mut changed = false;
                for error in errors.iter_mut().filter(|error| names(&error.message, &known)) {
                    (error.message, changed) = ("what was wrong was erased".to_owned(), true);
                }
                if changed {
                    erasures::set_import_errors(work.tx, work.team, &id, &written(&errors)?)?;
                }
            }
            Ok(())
        });
        if matches!(step.await?, Step::Lost) {
            return Ok(false);
        }
        let mut after = (String::new(), 0);
        loop {
            let (known, from) = (plan.clone(), after.clone());
            let step = self.step(move |work| clear_chunk(work, &known, &from));
            match step.await? {
                Step::Done(Some(last)) => after = last,
                Step::Done(None) => return Ok(true),
                Step::Lost => return Ok(false),
            }
        }
    }

    /// Deletes what the team said about the person.
    async fn talk(&self, plan: &Arc<Plan>, threads: Vec<i64>) -> Result<bool, Error> {
        for some in threads.chunks(ROWS) {
            let some = some.to_vec();
            let step = self.step(move |work| {
                for thread in &some {
                    erasures::forget_thread(work.tx, work.team, *thread)?;
                }
                Ok(())
            });
            if matches!(step.await?, Step::Lost) {
                return Ok(false);
            }
        }
        let plan = plan.clone();
        let step = self.step(move |work| {
            let conversations = plan.conversations();
            Ok(erasures::forget_notes(
                work.tx,
                work.team,
                &plan.people,
                &conversations,
            )?)
        });
        Ok(matches!(step.await?, Step::Done(())))
    }

    /// Puts the job that looks after files, index and free space in the place of this one, which knows what was erased.
    async fn pass_on(&self, person: Option<ContactId>) -> Result<(), Error> {
        let Some(person) = person else { return Ok(()) };
        let (id, attempts) = (self.job.id.clone(), self.job.attempts);
        let command = move |work: &mut Work<'_, '_>| -> Result<(), Error> {
            if !jobs::finish(work.tx, work.team, &id, attempts)? {
                return Ok(());
            }
            let event = teams::last_event(work.tx, work.team)?;
            let job = JobRow {
                team: work.team,
                id: format!("{SCRUB_JOB}-{person}"),
                kind: SCRUB_JOB.to_owned(),
                run_at: work.now,
                attempts: 0,
                payload: written(&Rest { person, event })?,
            };
            Ok(jobs::insert(work.tx, &job)?)
        };
        self.board.run(self.job.team, command).await
    }
}

/// Forgets what receivers answered to what they were told of events, and what they are answering.
fn forget_replies(work: &mut Work<'_, '_>, events: &[i64]) -> Result<(), Error> {
    erasures::fence_attempts(work.tx, work.team, events)?;
    for (endpoint, event, attempts) in erasures::attempts(work.tx, work.team, events)? {
        let left = unanswered(&attempts);
        if left != attempts {
            erasures::set_attempts(work.tx, work.team, (endpoint, event), &left)?;
        }
    }
    Ok(())
}

/// Runs of timeline numbers.
fn ranges(mut items: Vec<i64>) -> Vec<(i64, i64)> {
    items.sort_unstable();
    let mut all: Vec<(i64, i64)> = Vec::new();
    for item in items {
        match all.last_mut() {
            Some((_, last)) if *last + 1 == item => *last = item,
            _ => all.push((item, item)),
        }
    }
    all
}

fn behind_prefix(id: &str) -> &str {
    id.split_once(['-', '_']).map_or(id, |(_, ksuid)| ksuid)
}

/// The attempts to deliver a message, without what the receiver answered: it may repeat what it was told.
fn unanswered(attempts: &str) -> String {
    let mut all: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(attempts).unwrap_or_default();
    for attempt in &mut all {
        attempt.remove("reply");
    }
    serde_json::to_string(&all).unwrap_or_default()
}

/// A stored answer without the person. It stays known by the client's key, so that whoever repeats the request is still
/// answered, and nothing is done once more: under the fingerprint of the key, if the key itself tells of the person.
fn without(answer: &Answer, erased: &Erased, work: &Work<'_, '_>) -> Result<Answer, Error> {
    let mut left = answer.clone();
    let hidden = |text: &str| -> Result<String, Error> {
        let fingerprints = work.fingerprints.ok_or(StoreError::Sealed)?;
        Ok(fingerprints.of_key(work.team, text))
    };
    if erased.history.are_in(&answer.key) || erased.person.are_in(&answer.key) {
        left.key = hidden(&answer.key)?;
    }
    if let Some(body) = erased.answer(&answer.request, &answer.body) {
        left.body = body;
    }
    let is_named = |number: &String| answer.request.contains(number.trim_start_matches('+'));
    if erased.numbers.keys().any(is_named) {
        left.request = hidden(&answer.request)?;
    }
    Ok(left)
}

/// Whether a message about a row of a file names the person.
fn names(message: &str, plan: &Plan) -> bool {
    let message = message.to_lowercase();
    let is_word = |name: &String| {
        let name = name.to_lowercase();
        message
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == name)
    };
    plan.names
        .iter()
        .flat_map(|name| name.split_whitespace().map(str::to_owned))
        .any(|name| is_word(&name))
        || plan.emails.iter().any(|email| message.contains(email))
        || plan
            .people
            .iter()
            .any(|id| message.contains(&id.ksuid().to_lowercase()))
        || plan
            .numbers
            .iter()
            .any(|own| message.contains(own.number.as_str()))
}
