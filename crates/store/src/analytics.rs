//! What calls came to, kept where reports read it.
//!
//! `call_slots`, `call_days` and `call_tags` hold every call that has ended, and nothing else: a call is entered with
//! the transaction that ends it, and moved with the one that changes its tags or corrects it. Calls that still last are
//! few, and are read from themselves. A report so costs what its days have of quarters of an hour, whatever the number
//! of calls in them, before them, or of other teams.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use trunkline_domain::analytics::{self, Span, Tally};
use trunkline_domain::call::Call;
use trunkline_domain::{Direction, ItemKind, MessageStatus, Millis, UserId};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::items::ItemRow;
use crate::{TeamKey, params};

/// The scope of all calls of the team.
pub(crate) const EVERYTHING: &str = "";

/// The scope of calls that nobody of the team handled.
pub(crate) const NOBODY: &str = "-";

/// The scope of the calls of a line.
pub(crate) fn scope_of_line(line: i64) -> String {
    format!("#{line}")
}

/// All tags of a call as they are kept: sorted, each between commas.
pub(crate) fn tag_set(tags: &[String]) -> String {
    let mut sorted: Vec<&str> = tags.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    format!(",{},", sorted.join(","))
}

/// Whose calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The whole team's.
    Everybodys,
    /// Those that these users handled.
    Users(Vec<UserId>),
    /// Those over these lines.
    Lines(Vec<i64>),
}

impl Whose {
    /// The scopes, as a list in JSON. None is in another: what is read can be added up.
    fn scopes(&self) -> Value<'static> {
        let scopes: Vec<String> = match self {
            Self::Everybodys => vec![EVERYTHING.to_owned()],
            Self::Users(users) => users.iter().map(ToString::to_string).collect(),
            Self::Lines(lines) => lines.iter().map(|line| scope_of_line(*line)).collect(),
        };
        Value::from(&Json(scopes))
    }

    /// Whether a call over `line` that `user` handled is one of them.
    #[must_use]
    pub fn includes(&self, line: i64, user: Option<UserId>) -> bool {
        match self {
            Self::Everybodys => true,
            Self::Users(users) => user.is_some_and(|user| users.contains(&user)),
            Self::Lines(lines) => lines.contains(&line),
        }
    }
}

/// A call as it is counted: one that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    direction: Direction,
    line: i64,
    user: Option<UserId>,
    at: Millis,
    day: i64,
    tally: Tally,
    tags: String,
}

impl Counted {
    /// The call of `item`; `None` while it lasts.
    #[must_use]
    pub fn of(item: &ItemRow, call: &Call) -> Option<Self> {
        let picked_up = call.answered_at.or(call.voicemail_at).or(call.ended_at);
        let ringing_ms = picked_up.map_or(0, |moment| moment.since(item.at));
        Self::with(item, ringing_ms)
    }

    fn with(item: &ItemRow, ringing_ms: i64) -> Option<Self> {
        let result = item.result.filter(|_| item.kind == ItemKind::Call)?;
        Some(Self {
            direction: item.direction,
            line: item.line,
            user: item.user_id,
            at: item.at,
            day: item.day,
            tally: Tally::of(result, item.duration.unwrap_or(0), ringing_ms),
            tags: if item.tags.is_empty() { String::new() } else { tag_set(&item.tags) },
        })
    }

    fn user(&self) -> String {
        self.user.map_or_else(|| NOBODY.to_owned(), |user| user.to_string())
    }
}

statements! {
    ADD_TO_SLOT =
        "INSERT INTO call_slots AS t (team_id, scope, direction, slot, calls, connected, conversations, voicemail,
                                      missed, talk_seconds, ringing_ms, waited_ms)
         VALUES ($1, '', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11),
                ($1, $12, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11),
                ($1, $13, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (team_id, scope, direction, slot) DO UPDATE
                SET calls = t.calls + excluded.calls, connected = t.connected + excluded.connected,
                    conversations = t.conversations + excluded.conversations,
                    voicemail = t.voicemail + excluded.voicemail, missed = t.missed + excluded.missed,
                    talk_seconds = t.talk_seconds + excluded.talk_seconds,
                    ringing_ms = t.ringing_ms + excluded.ringing_ms, waited_ms = t.waited_ms + excluded.waited_ms";
    ADD_TO_DAY =
        "INSERT INTO call_days AS t (team_id, direction, day, line, user_id, calls, connected, conversations,
                                     talk_seconds)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (team_id, direction, day, line, user_id) DO UPDATE
                SET calls = t.calls + excluded.calls, connected = t.connected + excluded.connected,
                    conversations = t.conversations + excluded.conversations,
                    talk_seconds = t.talk_seconds + excluded.talk_seconds";
    ADD_TO_TAGS =
        "INSERT INTO call_tags AS t (team_id, scope, direction, day, tags, calls, connected, conversations,
                                     talk_seconds)
         VALUES ($1, '', $2, $3, $4, $5, $6, $7, $8),
                ($1, $9, $2, $3, $4, $5, $6, $7, $8),
                ($1, $10, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (team_id, scope, direction, day, tags) DO UPDATE
                SET calls = t.calls + excluded.calls, connected = t.connected + excluded.connected,
                    conversations = t.conversations + excluded.conversations,
                    talk_seconds = t.talk_seconds + excluded.talk_seconds";
    EMPTY_DAYS =
        "DELETE FROM call_days
          WHERE team_id = $1 AND direction = $2
            AND day IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($3 AS TEXT))) AND calls = 0";
    EMPTY_TAGS =
        "DELETE FROM call_tags
          WHERE team_id = $1 AND scope = $2 AND direction = $3
            AND day IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($4 AS TEXT))) AND calls = 0";
    SLOTS =
        "SELECT slot, calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms, waited_ms
           FROM call_slots
          WHERE team_id = $1 AND scope IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND direction = $3
            AND slot >= $4 AND slot < $5";
    SUM =
        "SELECT CAST(SUM(calls) AS BIGINT), CAST(SUM(connected) AS BIGINT), CAST(SUM(conversations) AS BIGINT),
                CAST(SUM(voicemail) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(talk_seconds) AS BIGINT),
                CAST(SUM(ringing_ms) AS BIGINT), CAST(SUM(waited_ms) AS BIGINT)
           FROM call_slots
          WHERE team_id = $1 AND scope IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND direction = $3
            AND slot >= $4 AND slot < $5
         HAVING COUNT(*) > 0";
    DAYS =
        "SELECT line, user_id, calls, connected, conversations, talk_seconds
           FROM call_days WHERE team_id = $1 AND direction = $2 AND day >= $3 AND day <= $4";
    TAGS =
        "SELECT day, tags, calls, connected, conversations, talk_seconds
           FROM call_tags
          WHERE team_id = $1 AND scope IN (SELECT value FROM json_each(CAST($2 AS TEXT))) AND direction = $3
            AND day >= $4 AND day <= $5";
    LASTING =
        "SELECT i.direction, i.at, i.day, i.line, i.user_id, i.tags
           FROM calls c JOIN items i ON i.team_id = c.team_id AND i.seq = c.seq
          WHERE c.phase <> 'COMPLETED' AND c.team_id = $1 AND c.phase IN ('RINGING', 'IN_PROGRESS')";
    UNANSWERED =
        "SELECT i.line, i.user_id, i.at,
                (SELECT o.at FROM items o
                  WHERE o.team_id = i.team_id AND o.contact_number = i.contact_number AND o.at > i.at
                    AND o.kind = 'CALL' AND o.direction = 'OUTBOUND' ORDER BY o.at, o.seq LIMIT 1)
           FROM items i
          WHERE i.team_id = $1 AND i.result IN ('MISSED', 'VOICEMAIL') AND i.at >= $2 AND i.at < $3
            AND i.direction = 'INBOUND'";
    TEXTS =
        "SELECT i.direction, i.at, i.line, i.user_id, m.status, m.content,
                CASE WHEN i.direction = 'INBOUND' THEN
                (SELECT p.direction FROM items p
                  WHERE p.team_id = i.team_id AND p.contact_number = i.contact_number AND (p.at, p.seq) < (i.at, i.seq)
                    AND p.conversation = i.conversation AND p.kind = 'SMS' ORDER BY p.at DESC, p.seq DESC LIMIT 1) END,
                CASE WHEN i.direction = 'INBOUND' THEN
                (SELECT o.at FROM items o
                  WHERE o.team_id = i.team_id AND o.contact_number = i.contact_number AND (o.at, o.seq) > (i.at, i.seq)
                    AND o.conversation = i.conversation AND o.kind = 'SMS' AND o.direction = 'OUTBOUND'
                  ORDER BY o.at, o.seq LIMIT 1) END
           FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
          WHERE i.team_id = $1 AND i.at >= $2 AND i.at < $3 AND i.kind = 'SMS'";
}

/// Enters what a call came to, in place of what it came to before; both are `None` while it lasts. The team's row must
/// be locked.
///
/// # Errors
/// Of the engine.
pub fn count(tx: &mut Tx<'_>, team: TeamKey, before: Option<&Counted>, after: Option<&Counted>) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let is_same = before.zip(after).is_some_and(|(before, after)| {
        let tags = before.tags.clone();
        *before == Counted { tags, ..after.clone() }
    });
    for (call, sign) in [(before, -1), (after, 1)] {
        let Some(call) = call else { continue };
        let tally = if sign < 0 { call.tally.taken_back() } else { call.tally };
        if !is_same {
            add(tx, team, call, tally)?;
        }
        add_tags(tx, team, call, tally)?;
    }
    Ok(())
}

/// Moves a call whose tags alone have changed. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn retag(tx: &mut Tx<'_>, team: TeamKey, before: &ItemRow, after: &ItemRow) -> Result<(), StoreError> {
    // How long it rang is not kept by tags.
    count(tx, team, Counted::with(before, 0).as_ref(), Counted::with(after, 0).as_ref())
}

/// What calls of a batch have in common where they are entered together.
type Alike = (Direction, i64, Option<UserId>, i64, String);

/// Enters calls in bulk, as an import does.
///
/// # Errors
/// Of the engine.
pub fn count_many(tx: &mut Tx<'_>, team: TeamKey, calls: impl Iterator<Item = Counted>) -> Result<(), StoreError> {
    let mut slots: HashMap<Alike, (Counted, Tally)> = HashMap::new();
    for call in calls {
        let key = (call.direction, call.line, call.user, analytics::slot(call.at), call.tags.clone());
        let tally = call.tally;
        slots.entry(key).or_insert_with(|| (call, Tally::default())).1 += tally;
    }
    for (call, tally) in slots.values() {
        add(tx, team, call, *tally)?;
        add_tags(tx, team, call, *tally)?;
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, team: TeamKey, call: &Counted, tally: Tally) -> Result<(), StoreError> {
    let Tally { calls, connected, conversations, voicemail, missed, talk_seconds, ringing_ms, waited_ms } = tally;
    let user = call.user();
    tx.execute(
        ADD_TO_SLOT,
        params![
            team,
            call.direction,
            analytics::slot(call.at),
            calls,
            connected,
            conversations,
            voicemail,
            missed,
            talk_seconds,
            ringing_ms,
            waited_ms,
            &user,
            scope_of_line(call.line)
        ],
    )?;
    add_to_day(tx, team, call, tally)
}

fn add_to_day(tx: &mut Tx<'_>, team: TeamKey, call: &Counted, tally: Tally) -> Result<(), StoreError> {
    let Tally { calls, connected, conversations, talk_seconds, .. } = tally;
    let user = call.user();
    let values = params![team, call.direction, call.day, call.line, &user, calls, connected, conversations, talk_seconds];
    tx.execute(ADD_TO_DAY, values).map(drop)
}

/// Moves items to other days, each with its new one, and forgets the days that nothing is left on. Those that are no calls
/// that have ended are passed over. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub(crate) fn move_days(tx: &mut Tx<'_>, team: TeamKey, moved: &[(&ItemRow, i64)]) -> Result<(), StoreError> {
    let mut sums: HashMap<Alike, (Counted, Tally)> = HashMap::new();
    for (item, day) in moved {
        // How long it rang is not kept by days.
        let Some(before) = Counted::with(item, 0) else { continue };
        let (tally, after) = (before.tally, Counted { day: *day, ..before.clone() });
        for (call, tally) in [(before, tally.taken_back()), (after, tally)] {
            let key = (call.direction, call.line, call.user, call.day, call.tags.clone());
            sums.entry(key).or_insert_with(|| (call, Tally::default())).1 += tally;
        }
    }
    for (call, tally) in sums.values() {
        add_to_day(tx, team, call, *tally)?;
        add_tags(tx, team, call, *tally)?;
    }
    let counted = |(item, _): &(&ItemRow, i64)| Counted::with(item, 0);
    forget_empty(tx, team, &moved.iter().filter_map(counted).collect::<Vec<_>>())
}

/// Forgets what is counted of the days of calls that were there, where nothing is left on them.
fn forget_empty(tx: &mut Tx<'_>, team: TeamKey, were: &[Counted]) -> Result<(), StoreError> {
    let mut days: BTreeMap<Direction, BTreeSet<i64>> = BTreeMap::new();
    let mut tagged: BTreeMap<(String, Direction), BTreeSet<i64>> = BTreeMap::new();
    for call in were {
        days.entry(call.direction).or_default().insert(call.day);
        if !call.tags.is_empty() {
            for scope in [EVERYTHING.to_owned(), call.user(), scope_of_line(call.line)] {
                tagged.entry((scope, call.direction)).or_default().insert(call.day);
            }
        }
    }
    let list = |days: &BTreeSet<i64>| days.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (direction, days) in &days {
        tx.execute(EMPTY_DAYS, params![team, *direction, &Json(list(days))])?;
    }
    for ((scope, direction), days) in &tagged {
        tx.execute(EMPTY_TAGS, params![team, scope, *direction, &Json(list(days))])?;
    }
    Ok(())
}

fn add_tags(tx: &mut Tx<'_>, team: TeamKey, call: &Counted, tally: Tally) -> Result<(), StoreError> {
    if call.tags.is_empty() {
        return Ok(());
    }
    let Tally { calls, connected, conversations, talk_seconds, .. } = tally;
    let (user, line) = (call.user(), scope_of_line(call.line));
    let values =
        params![team, call.direction, call.day, &call.tags, calls, connected, conversations, talk_seconds, &user, &line];
    tx.execute(ADD_TO_TAGS, values).map(drop)
}

/// Hands over what the calls of one direction came to, by quarters of an hour, in no promised order.
///
/// # Errors
/// Of the engine.
pub fn slots(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    direction: Direction,
    span: &Span,
    mut each: impl FnMut(Millis, Tally),
) -> Result<(), StoreError> {
    let (first, last) = (analytics::slot(span.from), analytics::slot(span.until));
    conn.for_each(SLOTS, params![team, whose.scopes(), direction, first, last], |row| {
        let slot: i64 = row.get(0)?;
        each(Millis(slot * analytics::SLOT), tally(row, 1)?);
        Ok(true)
    })
}

/// What all calls of one direction that began in the span came to: what adding up [`slots`] gives, without a row for each.
///
/// # Errors
/// Of the engine.
pub fn sum(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    direction: Direction,
    span: &Span,
) -> Result<Tally, StoreError> {
    let (first, last) = (analytics::slot(span.from), analytics::slot(span.until));
    let sum = conn.row(SUM, params![team, whose.scopes(), direction, first, last], |row| tally(row, 0))?;
    Ok(sum.unwrap_or_default())
}

fn tally(row: &Row<'_>, at: usize) -> Result<Tally, StoreError> {
    Ok(Tally {
        calls: row.get(at)?,
        connected: row.get(at + 1)?,
        conversations: row.get(at + 2)?,
        voicemail: row.get(at + 3)?,
        missed: row.get(at + 4)?,
        talk_seconds: row.get(at + 5)?,
        ringing_ms: row.get(at + 6)?,
        waited_ms: row.get(at + 7)?,
    })
}

fn small_tally(row: &Row<'_>, at: usize) -> Result<Tally, StoreError> {
    Ok(Tally {
        calls: row.get(at)?,
        connected: row.get(at + 1)?,
        conversations: row.get(at + 2)?,
        talk_seconds: row.get(at + 3)?,
        ..Tally::default()
    })
}

/// What the calls of one direction came to, by line and user: calls, connected, conversations and seconds of talk.
///
/// # Errors
/// Of the engine.
pub fn by_handler(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    direction: Direction,
    span: &Span,
) -> Result<Vec<(i64, Option<UserId>, Tally)>, StoreError> {
    let mut sums: HashMap<i64, HashMap<String, Tally>> = HashMap::new();
    conn.for_each(DAYS, params![team, direction, span.first, span.last], |row| {
        let of_line = sums.entry(row.get(0)?).or_default();
        let (user, tally) = (row.column(1)?, small_tally(row, 2)?);
        let user = user.text().unwrap_or(NOBODY);
        // Rows are many, and handlers are few: only a new one costs a text of its own.
        match of_line.get_mut(user) {
            Some(sum) => *sum += tally,
            None => drop(of_line.insert(user.to_owned(), tally)),
        }
        Ok(true)
    })?;
    let all = sums.into_iter().flat_map(|(line, users)| {
        users.into_iter().map(move |(user, tally)| (line, UserId::parse(&user).ok(), tally))
    });
    Ok(all.filter(|(line, user, _)| whose.includes(*line, *user)).collect())
}

/// The keys in what [`by_tags`] hands over.
pub fn keys(tags: &str) -> impl Iterator<Item = &str> {
    tags.split(',').filter(|key| !key.is_empty())
}

/// Hands over what the tagged calls of one direction came to, by day and by all the tags that a call carries (see
/// [`keys`]).
///
/// # Errors
/// Of the engine.
pub fn by_tags(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    direction: Direction,
    span: &Span,
    mut each: impl FnMut(i64, &str, Tally),
) -> Result<(), StoreError> {
    conn.for_each(TAGS, params![team, whose.scopes(), direction, span.first, span.last], |row| {
        let tags = row.column(1)?;
        each(row.get(0)?, tags.text().unwrap_or_default(), small_tally(row, 2)?);
        Ok(true)
    })
}

/// A call that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Which way it goes.
    pub direction: Direction,
    /// When it began.
    pub at: Millis,
    /// The day of `at` in the team's time zone, since 1970-01-01.
    pub day: i64,
    /// The team's line.
    pub line: i64,
    /// Who handles it.
    pub user: Option<UserId>,
    /// Tag keys.
    pub tags: Vec<String>,
}

/// The team's calls that have not ended.
///
/// # Errors
/// Of the engine.
pub fn lasting(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<Lasting>, StoreError> {
    conn.rows(LASTING, params![team], |row| {
        Ok(Lasting {
            direction: row.get(0)?,
            at: row.get(1)?,
            day: row.get(2)?,
            line: row.get(3)?,
            user: row.get(4)?,
            tags: row.get::<Option<Json<_>>>(5)?.map(|json| json.0).unwrap_or_default(),
        })
    })
}

/// Hands over, for every inbound call of the span that nobody of the team answered, how many milliseconds later the
/// team called the number back, if it has.
///
/// # Errors
/// Of the engine.
pub fn unanswered(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    span: &Span,
    mut each: impl FnMut(Option<i64>),
) -> Result<(), StoreError> {
    conn.for_each(UNANSWERED, params![team, span.from, span.until], |row| {
        if whose.includes(row.get(0)?, row.get(1)?) {
            let at: Millis = row.get(2)?;
            each(row.get::<Option<Millis>>(3)?.map(|back| back.since(at)));
        }
        Ok(true)
    })
}

/// A text as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedText<'t> {
    /// Which way it went.
    pub direction: Direction,
    /// When.
    pub at: Millis,
    /// How far it has come.
    pub status: MessageStatus,
    /// What it says.
    pub content: &'t str,
    /// Of a contact's text that opens or resumes the exchange: when the team answered it by a text, if it has. `None`
    /// for all others: texts of the team's, and those that came while the contact waited already.
    pub answered: Option<Option<Millis>>,
}

/// Hands over every text of the span.
///
/// # Errors
/// Of the engine.
pub fn texts(
    conn: &mut Conn<'_>,
    team: TeamKey,
    whose: &Whose,
    span: &Span,
    mut each: impl FnMut(CountedText<'_>),
) -> Result<(), StoreError> {
    conn.for_each(TEXTS, params![team, span.from, span.until], |row| {
        if !whose.includes(row.get(2)?, row.get(3)?) {
            return Ok(true);
        }
        let direction: Direction = row.get(0)?;
        let before: Option<Direction> = row.get(6)?;
        let opens = direction == Direction::Inbound && before != Some(Direction::Inbound);
        let content = row.column(5)?;
        each(CountedText {
            direction,
            at: row.get(1)?,
            status: row.get(4)?,
            content: content.text().unwrap_or_default(),
            answered: if opens { Some(row.get(7)?) } else { None },
        });
        Ok(true)
    })
}
