//! The timeline by filters, answered by the database alone.
//!
//! Pages come from an index in time proportional to the page. Totals are exact: what the counting tables know
//! (`item_totals`, `item_days`) is read from them; tags, contacts and unread conversations are counted on an index. A page
//! with a high number begins in a day that the counting tables tell; only what is before it on that day is walked over.

use trunkline_domain::{CallResult, Direction, ItemKind, Millis, PhoneNumber, UserId};

use crate::engine::{Conn, StoreError, Value};
use crate::{TeamKey, conversations::Position, params, teams};

/// What a search is limited to; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// The team's line.
    pub line: Option<i64>,
    /// The outside number.
    pub contact: Option<PhoneNumber>,
    /// Who handled or sent it.
    pub user: Option<UserId>,
    /// Calls or messages.
    pub kind: Option<ItemKind>,
    /// Which way.
    pub direction: Option<Direction>,
    /// How calls ended: any of these. Empty: no limit.
    pub results: Vec<CallResult>,
    /// Any of these tag keys. Empty: no limit.
    pub tags: Vec<String>,
    /// In conversations that are unread, or read.
    pub unread: Option<bool>,
    /// In conversations whose contact spoke last, or not.
    pub unresponded: Option<bool>,
    /// Days in the team's time zone.
    pub days: Option<DayRange>,
}

/// A range of days, and the instants it spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// First day, since 1970-01-01.
    pub first: i64,
    /// Last day, included.
    pub last: i64,
    /// The first instant of the first day.
    pub from: Millis,
    /// The first instant after the last day.
    pub until: Millis,
}

/// The order of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    NewestFirst,
    /// Oldest first.
    OldestFirst,
}

impl ItemFilter {
    /// Whether the counting tables know the total.
    const fn is_tallied(&self) -> bool {
        self.contact.is_none() && self.tags.is_empty() && self.unread.is_none() && self.unresponded.is_none()
    }

    /// Whether only a tag (and perhaps the days) limits: then the items need not be looked at.
    fn is_one_tag(&self) -> bool {
        let rest = Self { tags: Vec::new(), days: None, ..self.clone() };
        self.tags.len() == 1 && rest == Self::default()
    }

    /// Whether only the contact (and perhaps the line) limits.
    fn is_whole_conversation(&self) -> bool {
        let rest = Self { contact: None, line: None, ..self.clone() };
        self.contact.is_some() && rest == Self::default()
    }
}

statements! {
    CONVERSATION_ITEMS =
        "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT) FROM conversations WHERE team_id = $1 AND contact_number = $2";
    CONVERSATION_ITEMS_OF_LINE =
        "SELECT items FROM conversations WHERE team_id = $1 AND contact_number = $2 AND line = $3";
    UNREAD_CONVERSATIONS = "SELECT conversation FROM conversations WHERE team_id = $1 AND unread ORDER BY conversation";
    UNRESPONDED_CONVERSATIONS =
        "SELECT conversation FROM conversations WHERE team_id = $1 AND unresponded ORDER BY conversation";
    MOMENT = "SELECT at FROM items WHERE team_id = $1 AND seq = $2";
}

/// A statement under construction.
pub(crate) struct Builder {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value<'static>>,
}

impl Builder {
    pub(crate) fn new(start: &str) -> Self {
        Self { sql: start.to_owned(), values: Vec::new() }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    pub(crate) fn bind(&mut self, value: impl Into<Value<'static>>) -> &mut Self {
        self.values.push(value.into());
        let place = self.values.len();
        self.sql.push_str(&format!("${place}"));
        self
    }

    pub(crate) fn any_of<T: Into<Value<'static>>>(&mut self, column: &str, values: impl ExactSizeIterator<Item = T>) -> &mut Self {
        let single = values.len() == 1;
        self.push(column).push(if single { " = " } else { " IN (" });
        for (i, value) in values.enumerate() {
            self.push(if i > 0 { ", " } else { "" }).bind(value);
        }
        self.push(if single { "" } else { ")" })
    }
}

/// How many items the filter lets through: exact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, filter: &ItemFilter) -> Result<i64, StoreError> {
    if filter.is_whole_conversation()
        && let Some(contact) = filter.contact
    {
        let total = match filter.line {
            Some(line) => conn.row(CONVERSATION_ITEMS_OF_LINE, params![team, contact, line], |row| row.get(0))?,
            None => conn.row(CONVERSATION_ITEMS, params![team, contact], |row| row.get(0))?,
        };
        return Ok(total.unwrap_or(0));
    }
    let is_tallied = filter.is_tallied() && filter.days.map_or(Ok(true), |days| are_counted(conn, team, days))?;
    let Builder { sql, values } = if is_tallied { tally_sql(team, filter) } else { scan_sql(team, filter, None) };
    Ok(conn.row(&sql, &values, |row| row.get(0))?.unwrap_or(0))
}

/// Whether `item_days` counts by these days: not while the team's time zone is being changed, nor for who asked in the one
/// that it had before.
fn are_counted(conn: &mut Conn<'_>, team: TeamKey, range: DayRange) -> Result<bool, StoreError> {
    let Some(days) = teams::days(conn, team)? else { return Ok(true) };
    let begins = |day: i64, at: Millis| {
        at == Millis(i64::MIN) || at == Millis(i64::MAX) || Millis::start_of_day(day, &days.time_zone) == Some(at)
    };
    Ok(!days.are_moving && begins(range.first, range.from) && begins(range.last.saturating_add(1), range.until))
}

fn tally_sql(team: TeamKey, filter: &ItemFilter) -> Builder {
    let table = if filter.days.is_some() { "item_days" } else { "item_totals" };
    let mut builder = Builder::new("SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM ");
    builder.push(table).push(" WHERE team_id = ").bind(team);
    tally_conditions(&mut builder, filter);
    builder
}

fn tally_conditions(builder: &mut Builder, filter: &ItemFilter) {
    if let Some(days) = filter.days {
        builder.push(" AND day >= ").bind(days.first).push(" AND day <= ").bind(days.last);
    }
    if let Some(line) = filter.line {
        builder.push(" AND line = ").bind(line);
    }
    if let Some(user) = filter.user {
        builder.push(" AND user_id = ").bind(user);
    }
    scalar_conditions(builder, filter, "");
}

fn scalar_conditions(builder: &mut Builder, filter: &ItemFilter, alias: &str) {
    if let Some(kind) = filter.kind {
        builder.push(&format!(" AND {alias}kind = ")).bind(kind);
    }
    if let Some(direction) = filter.direction {
        builder.push(&format!(" AND {alias}direction = ")).bind(direction);
    }
    if !filter.results.is_empty() {
        builder.push(" AND ").any_of(&format!("{alias}result"), filter.results.iter().copied());
    }
}

/// Beyond so many rows, summing up the days before a page is cheaper than walking over the rows.
const SEEK_BEYOND: i64 = 20_000;

/// The numbers of a page of items, in `order`.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &ItemFilter,
    order: Order,
    position: Position,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let found = match position {
        Position::Offset(offset) if offset > SEEK_BEYOND && filter.is_tallied() => {
            seek(conn, team, filter, order, offset)?
        }
        _ => Found::Unknown,
    };
    let (narrowed, position) = match found {
        Found::Nowhere => return Ok(Vec::new()),
        Found::Unknown => (None, position),
        Found::On { days, offset } => {
            (Some(ItemFilter { days: Some(days), ..filter.clone() }), Position::Offset(offset))
        }
    };
    let filter = narrowed.as_ref().unwrap_or(filter);
    let Builder { sql, values } = scan_sql(team, filter, Some((order, position, limit)));
    conn.rows(&sql, &values, |row| row.get(0))
}

/// Where a page begins.
enum Found {
    /// Behind the last row.
    Nowhere,
    /// It must be walked to.
    Unknown,
    /// So many rows behind the first of these days, in the order of the page.
    On { days: DayRange, offset: i64 },
}

/// Finds the day on which a page begins by what the counting tables say of the days before it.
fn seek(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &ItemFilter,
    order: Order,
    offset: i64,
) -> Result<Found, StoreError> {
    let Some(zone) = teams::days(conn, team)? else { return Ok(Found::Nowhere) };
    if zone.are_moving || !filter.days.map_or(Ok(true), |days| are_counted(conn, team, days))? {
        return Ok(Found::Unknown);
    }
    let Builder { sql, values } = days_sql(team, filter, order);
    let (mut left, mut on) = (offset, None);
    conn.for_each(&sql, &values, |row| {
        let (day, n): (i64, i64) = (row.get(0)?, row.get(1)?);
        if n > left {
            on = Some(day);
        } else {
            left -= n;
        }
        Ok(on.is_none())
    })?;
    let Some(day) = on else { return Ok(Found::Nowhere) };
    let everything = DayRange { first: i64::MIN, last: i64::MAX, from: Millis(i64::MIN), until: Millis(i64::MAX) };
    let wanted = filter.days.unwrap_or(everything);
    let edge = match order {
        Order::NewestFirst => day + 1,
        Order::OldestFirst => day,
    };
    let Some(edge) = Millis::start_of_day(edge, &zone.time_zone) else { return Ok(Found::Unknown) };
    let days = match order {
        Order::NewestFirst => DayRange { until: edge.min(wanted.until), ..wanted },
        Order::OldestFirst => DayRange { from: edge.max(wanted.from), ..wanted },
    };
    Ok(Found::On { days, offset: left })
}

fn days_sql(team: TeamKey, filter: &ItemFilter, order: Order) -> Builder {
    let mut builder = Builder::new("SELECT day, CAST(SUM(n) AS BIGINT) FROM item_days WHERE team_id = ");
    builder.bind(team);
    tally_conditions(&mut builder, filter);
    builder.push(match order {
        Order::NewestFirst => " GROUP BY day ORDER BY day DESC",
        Order::OldestFirst => " GROUP BY day ORDER BY day",
    });
    builder
}

/// The statement of a page, or of a count where `page` is `None`.
fn scan_sql(team: TeamKey, filter: &ItemFilter, page: Option<(Order, Position, i64)>) -> Builder {
    let counting = page.is_none();
    if filter.is_one_tag() {
        let mut builder = Builder::new(if counting { "SELECT COUNT(*)" } else { "SELECT t.seq, t.at" });
        builder.push(" FROM item_tags t WHERE t.team_id = ").bind(team);
        builder.push(" AND ").any_of("t.tag", filter.tags.iter().cloned());
        range(&mut builder, filter, "t", page);
        return builder;
    }
    let tagged = !filter.tags.is_empty();
    // The table that leads: tags and unread conversations are few beside all items, so they come first where they
    // limit, and hand over time and number of the items.
    let from_conversations = filter.unread == Some(true) || filter.unresponded == Some(true);
    let mut builder = Builder::new(match (counting, tagged && filter.tags.len() > 1) {
        (true, false) => "SELECT COUNT(*) FROM ",
        (true, true) => "SELECT COUNT(DISTINCT i.seq) FROM ",
        (false, false) => "SELECT i.seq, i.at FROM ",
        (false, true) => "SELECT DISTINCT i.seq, i.at FROM ",
    });
    if tagged {
        builder.push("item_tags t JOIN items i ON i.team_id = t.team_id AND i.seq = t.seq");
    } else if from_conversations {
        builder.push("conversations l JOIN items i ON i.team_id = l.team_id AND i.contact_number = l.contact_number AND i.conversation = l.conversation");
    } else {
        builder.push("items i");
    }
    builder.push(" WHERE i.team_id = ").bind(team);
    let mut sort = "i";
    if tagged {
        builder.push(" AND t.team_id = ").bind(team);
        builder.push(" AND ").any_of("t.tag", filter.tags.iter().cloned());
        if filter.tags.len() == 1 {
            sort = "t";
        }
    } else if from_conversations {
        builder.push(" AND l.team_id = ").bind(team);
    }
    standing_conditions(&mut builder, team, filter, from_conversations && !tagged);
    if let Some(line) = filter.line {
        builder.push(" AND i.line = ").bind(line);
    }
    if let Some(contact) = filter.contact {
        builder.push(" AND i.contact_number = ").bind(contact);
    }
    if let Some(user) = filter.user {
        builder.push(" AND i.user_id = ").bind(user);
    }
    scalar_conditions(&mut builder, filter, "i.");
    range(&mut builder, filter, sort, page);
    builder
}

/// The end of a statement: the days, and the page. `sort` is the table that has time and number.
fn range(builder: &mut Builder, filter: &ItemFilter, sort: &str, page: Option<(Order, Position, i64)>) {
    if let Some(days) = filter.days {
        builder.push(&format!(" AND {sort}.at >= ")).bind(days.from);
        builder.push(&format!(" AND {sort}.at < ")).bind(days.until);
    }
    if let Some((order, position, limit)) = page {
        let (compare, direction) = match order {
            Order::NewestFirst => ("<", "DESC"),
            Order::OldestFirst => (">", "ASC"),
        };
        if let Position::Behind(at, seq) = position {
            builder.push(&format!(" AND ({sort}.at, {sort}.seq) {compare} (")).bind(at).push(", ").bind(seq).push(")");
        }
        builder.push(&format!(" ORDER BY {sort}.at {direction}, {sort}.seq {direction} LIMIT ")).bind(limit);
        if let Position::Offset(offset) = position {
            builder.push(" OFFSET ").bind(offset);
        }
    }
}

/// Conditions on the conversation an item is part of.
fn standing_conditions(builder: &mut Builder, team: TeamKey, filter: &ItemFilter, leads: bool) {
    for (column, wanted) in [("unread", filter.unread), ("unresponded", filter.unresponded)] {
        match wanted {
            Some(true) if leads => {
                builder.push(&format!(" AND l.{column}"));
            }
            Some(wanted) => {
                builder.push(if wanted { " AND i.conversation IN (" } else { " AND i.conversation NOT IN (" });
                builder.push("SELECT conversation FROM conversations WHERE team_id = ").bind(team);
                builder.push(&format!(" AND {column})"));
            }
            None => {}
        }
    }
}

/// Every statement the filters can make, for the test that prepares all statements.
#[must_use]
pub fn all_search_statements() -> Vec<String> {
    let number = PhoneNumber::parse("+14155550100").ok();
    let user = UserId::parse(&format!("usr-{}", "0".repeat(27))).ok();
    let flags = [None, Some(true), Some(false)];
    let mut all = Vec::new();
    for bits in 0u32..128 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        for tags in 0..3usize {
            for unread in flags {
                for unresponded in flags {
                    let filter = ItemFilter {
                        line: on(0).then_some(1),
                        contact: number.filter(|_| on(1)),
                        user: user.filter(|_| on(2)),
                        kind: on(3).then_some(ItemKind::Call),
                        direction: on(4).then_some(Direction::Inbound),
                        results: if on(5) { vec![CallResult::TransferredAi, CallResult::TransferredExternal] } else { vec![] },
                        tags: vec!["tag".to_owned(); tags],
                        unread,
                        unresponded,
                        days: on(6).then_some(DayRange { first: 1, last: 2, from: Millis(0), until: Millis(1) }),
                    };
                    let order = if on(0) { Order::NewestFirst } else { Order::OldestFirst };
                    let position = if on(1) { Position::Offset(0) } else { Position::Behind(Millis(0), 0) };
                    all.push(scan_sql(TeamKey(1), &filter, None).sql);
                    all.push(scan_sql(TeamKey(1), &filter, Some((order, position, 1))).sql);
                    if filter.is_tallied() {
                        all.push(tally_sql(TeamKey(1), &filter).sql);
                        all.push(days_sql(TeamKey(1), &filter, order).sql);
                    }
                }
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The conversations that are unread: the text index knows items by their conversation, not by who has read it.
///
/// # Errors
/// Of the engine.
pub fn unread_conversations(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<i64>, StoreError> {
    conn.rows(UNREAD_CONVERSATIONS, params![team], |row| row.get(0))
}

/// The conversations whose contact spoke last.
///
/// # Errors
/// Of the engine.
pub fn unresponded_conversations(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<i64>, StoreError> {
    conn.rows(UNRESPONDED_CONVERSATIONS, params![team], |row| row.get(0))
}

/// When the item with this number was.
///
/// # Errors
/// Of the engine.
pub fn moment(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<Millis>, StoreError> {
    conn.row(MOMENT, params![team, seq], |row| row.get(0))
}
