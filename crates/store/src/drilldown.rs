//! The calls behind the figures of a report.

use trunkline_domain::analytics::{self, Span, Stage};
use trunkline_domain::{CallResult, ItemId, Millis, PhoneNumber, UserId};

use crate::TeamKey;
use crate::analytics::Whose;
use crate::conversations::Position;
use crate::engine::{Conn, Json, StoreError, Value};

/// Which outbound calls of a funnel.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Whose.
    pub whose: Whose,
    /// When.
    pub span: Span,
    /// Those that are counted at this stage.
    pub stage: Stage,
    /// What makes a success: any of these tag keys.
    pub tags: Vec<String>,
}

/// An outbound call behind the figures of a funnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BehindCall {
    /// The team's number for it.
    pub seq: i64,
    /// Public id.
    pub id: ItemId,
    /// Who placed it: id, name and e-mail address.
    pub user: Option<(UserId, String, String)>,
    /// The team's number, and what people call it.
    pub line: (Option<PhoneNumber>, Option<String>),
    /// The number called.
    pub contact_number: PhoneNumber,
    /// When.
    pub at: Millis,
    /// How it ended.
    pub result: Option<CallResult>,
    /// Seconds it lasted.
    pub duration: Option<i64>,
    /// Tag keys.
    pub tags: Vec<String>,
}

/// A page of the calls behind a stage of a funnel, newest first.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    which: &Behind,
    position: Position,
    limit: i64,
) -> Result<Vec<BehindCall>, StoreError> {
    let (sql, values) = page_sql(team, which, position, limit);
    conn.rows(&sql, &values, |row| {
        let user = match (row.get(2)?, row.get(3)?, row.get(4)?) {
            (Some(id), Some(name), Some(email)) => Some((id, name, email)),
            _ => None,
        };
        Ok(BehindCall {
            seq: row.get(0)?,
            id: row.get(1)?,
            user,
            line: (row.get(5)?, row.get(6)?),
            contact_number: row.get(7)?,
            at: row.get(8)?,
            result: row.get(9)?,
            duration: row.get(10)?,
            tags: row
                .get::<Option<Json<_>>>(11)?
                .map(|json| json.0)
                .unwrap_or_default(),
        })
    })
}

fn page_sql(team: TeamKey, which: &Behind, position: Position, limit: i64) -> (String, Vec<Value<'static>>) {
    const CONNECTED: &str = "('ANSWERED', 'TRANSFERRED_AI', 'TRANSFERRED_EXTERNAL')";
    let mut values: Vec<Value<'static>> = vec![team.into(), which.span.from.into(), which.span.until.into()];
    let mut conditions = String::new();
    let mut list = |column: &str, entries: Vec<String>| {
        values.push(Value::from(&Json(entries)));
        let place = values.len();
        format!(" AND {column} IN (SELECT value FROM json_each(CAST(${place} AS TEXT)))")
    };
    match &which.whose {
        Whose::Everybodys => {}
        Whose::Users(users) => {
            conditions += &list("i.user_id", users.iter().map(ToString::to_string).collect());
        }
        Whose::Lines(lines) => {
            let lines = list("i.line", lines.iter().map(ToString::to_string).collect());
            conditions += &lines.replace("SELECT value", "SELECT CAST(value AS BIGINT)");
        }
    }
    let mut from = "items i";
    let (mut sort, mut distinct) = ("i", "");
    match which.stage {
        Stage::Dial => {}
        Stage::Connected => conditions += &format!(" AND i.result IN {CONNECTED}"),
        Stage::Conversation => {
            let longer = analytics::CONVERSATION_SECONDS;
            conditions += &format!(" AND i.result IN {CONNECTED} AND i.duration > {longer}");
        }
        Stage::Conversion => {
            from = "item_tags t JOIN items i ON i.team_id = t.team_id AND i.seq = t.seq";
            (sort, distinct) = ("t", "DISTINCT ");
            conditions += &list("t.tag", which.tags.clone());
        }
    }
    let mut sql = format!(
        "WITH page AS (
         SELECT {distinct}{sort}.at, {sort}.seq
           FROM {from}
          WHERE {sort}.team_id = $1 AND {sort}.at >= $2 AND {sort}.at < $3 AND i.team_id = $1
            AND i.kind = 'CALL' AND i.direction = 'OUTBOUND'{conditions}"
    );
    let mut bind = |sql: &mut String, text: &str, value: Value<'static>| {
        values.push(value);
        *sql += &format!("{text}${}", values.len());
    };
    if let Position::Behind(at, seq) = position {
        bind(&mut sql, &format!(" AND ({sort}.at, {sort}.seq) < ("), at.into());
        bind(&mut sql, ", ", seq.into());
        sql += ")";
    }
    sql += &format!(" ORDER BY {sort}.at DESC, {sort}.seq DESC");
    bind(&mut sql, " LIMIT ", limit.into());
    if let Position::Offset(offset) = position {
        bind(&mut sql, " OFFSET ", offset.into());
    }
    sql += ")
         SELECT i.seq, i.id, i.user_id, u.name, u.email, n.number, COALESCE(n.name, n.sender_id), i.contact_number, i.at,
                i.result, i.duration, i.tags
           FROM page p JOIN items i ON i.team_id = $1 AND i.seq = p.seq
           LEFT JOIN numbers n ON n.team_id = i.team_id AND n.line = i.line
           LEFT JOIN users u ON u.team_id = i.team_id AND u.id = i.user_id
          ORDER BY p.at DESC, p.seq DESC";
    (sql, values)
}

/// Every statement that pages behind figures can take, for the test that prepares all statements.
#[must_use]
pub fn all_statements() -> Vec<String> {
    let span = Span {
        first: 0,
        last: 0,
        from: Millis(0),
        until: Millis(1),
    };
    let user = UserId::parse(&format!("usr-{}", "0".repeat(27))).ok();
    let mut all = Vec::new();
    for whose in [
        Whose::Everybodys,
        Whose::Users(user.into_iter().collect()),
        Whose::Lines(vec![1]),
    ] {
        for stage in Stage::ALL {
            let which = Behind {
                whose: whose.clone(),
                span,
                stage: *stage,
                tags: vec!["tag".to_owned()],
            };
            for position in [Position::Offset(0), Position::Behind(Millis(0), 0)] {
                all.push(page_sql(TeamKey(1), &which, position, 1).0);
            }
        }
    }
    all
}
