//! The two folders of migrations make the same schema, and both engines understand every statement.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_store::{
    Conn, StoreError, Value, audit, companies, conversations, deals, drilldown, params, people, search,
    statements, transfer,
};
use trunkline_testkit::db::{Engine, TestDb};

/// A column: type (as far as both engines can say it) and whether it may be NULL.
type Columns = BTreeMap<String, (String, bool)>;

/// An index or key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Index {
    /// `None` for keys, which each engine names its own way.
    name: Option<String>,
    primary: bool,
    unique: bool,
    columns: Vec<String>,
    condition: Option<String>,
}

type Schema = BTreeMap<String, (Columns, BTreeSet<Index>)>;

fn of_sqlite(conn: &mut Conn<'_>) -> Result<Schema, StoreError> {
    let mut schema = Schema::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in conn.rows(tables, &[], |row| row.get::<String>(0))? {
        let mut keys: Vec<(i64, String)> = Vec::new();
        let columns: Columns = conn
            .rows(
                "SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)",
                params![&table],
                |row| {
                    let (name, kind, not_null, place): (String, String, bool, i64) =
                        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                    if place > 0 {
                        keys.push((place, name.clone()));
                    }
                    // A key column is never NULL, whether or not the table says so.
                    Ok((name, (kind.replace("BIGINT", "INTEGER"), !not_null && place == 0)))
                },
            )?
            .into_iter()
            .collect();
        let mut indexes = BTreeSet::new();
        keys.sort();
        let columns_of_key: Vec<String> = keys.into_iter().map(|(_, name)| name).collect();
        if !columns_of_key.is_empty() {
            let (name, condition) = (None, None);
            indexes.insert(Index {
                name,
                primary: true,
                unique: true,
                columns: columns_of_key,
                condition,
            });
        }
        let list = "SELECT l.name, l.\"unique\", l.origin, m.sql
                      FROM pragma_index_list($1) l LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name
                     WHERE l.origin <> 'pk'";
        let found = conn.rows(list, params![&table], |row| {
            Ok((
                row.get::<String>(0)?,
                row.get::<bool>(1)?,
                row.get::<String>(2)?,
                row.get::<Option<String>>(3)?,
            ))
        })?;
        for (name, unique, origin, sql) in found {
            let columns = "SELECT name FROM pragma_index_info($1) ORDER BY seqno";
            let columns = conn.rows(columns, params![&name], |row| row.get(0))?;
            let condition =
                sql.and_then(|sql| sql.split_once(" WHERE ").map(|(_, condition)| plain(condition)));
            let name = (origin == "c").then_some(name);
            indexes.insert(Index {
                name,
                primary: false,
                unique,
                columns,
                condition,
            });
        }
        schema.insert(table, (columns, indexes));
    }
    Ok(schema)
}

fn of_postgres(conn: &mut Conn<'_>) -> Result<Schema, StoreError> {
    let mut schema = Schema::new();
    let columns = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT),
                          is_nullable = 'YES', COALESCE(CAST(collation_name AS TEXT), '')
                     FROM information_schema.columns WHERE table_schema = current_schema()";
    conn.for_each(columns, &[], |row| {
        let (table, column, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let kind = match kind.as_str() {
            "bigint" | "boolean" => "INTEGER".to_owned(),
            "double precision" => "REAL".to_owned(),
            // Sorted by bytes, as SQLite does: pages and comparisons come out the same.
            "text" if row.get::<String>(4)? == "C" => "TEXT".to_owned(),
            other => format!("{other}, sorted by {:?}", row.get::<String>(4)?),
        };
        schema
            .entry(table)
            .or_default()
            .0
            .insert(column, (kind, row.get(3)?));
        Ok(true)
    })?;
    let indexes = "SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT), x.indisprimary, x.indisunique,
                          k.conname IS NOT NULL,
                          (SELECT string_agg(CAST(a.attname AS TEXT), ',' ORDER BY c.place)
                             FROM unnest(x.indkey) WITH ORDINALITY AS c (number, place)
                             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.number),
                          pg_get_expr(x.indpred, x.indrelid)
                     FROM pg_index x
                     JOIN pg_class t ON t.oid = x.indrelid
                     JOIN pg_class i ON i.oid = x.indexrelid
                     LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid
                    WHERE t.relnamespace = CAST(current_schema() AS REGNAMESPACE)";
    conn.for_each(indexes, &[], |row| {
        let (table, name, columns): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(5)?);
        let index = Index {
            name: (!row.get::<bool>(4)?).then_some(name),
            primary: row.get(2)?,
            unique: row.get(3)?,
            columns: columns.split(',').map(str::to_owned).collect(),
            condition: row.get::<Option<String>>(6)?.map(|condition| plain(&condition)),
        };
        schema.entry(table).or_default().1.insert(index);
        Ok(true)
    })?;
    Ok(schema)
}

/// A condition without what only one engine writes.
fn plain(condition: &str) -> String {
    condition.replace("::text", "").replace(['(', ')'], "")
}

async fn schema_of(t: &TestDb) -> Schema {
    let read = match t.engine() {
        Engine::Sqlite => of_sqlite,
        Engine::Postgres => of_postgres,
    };
    t.db().read(read).await.unwrap()
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let (sqlite, postgres) = (
        schema_of(&TestDb::sqlite()).await,
        schema_of(&TestDb::postgres()).await,
    );
    let names = |schema: &Schema| schema.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sqlite), names(&postgres), "tables");
    assert!(sqlite.len() > 25, "a schema of {} tables was read", sqlite.len());
    for (table, (columns, indexes)) in &sqlite {
        assert_eq!(*columns, postgres[table].0, "columns of {table}");
        assert_eq!(*indexes, postgres[table].1, "indexes of {table}");
    }
    // The reading itself: what is known to be there was seen.
    let items = &sqlite["items"];
    assert_eq!(items.0["tags"], ("TEXT".to_owned(), true));
    assert_eq!(items.0["at"], ("INTEGER".to_owned(), false));
    assert!(items.1.contains(&Index {
        name: Some("items_user".to_owned()),
        primary: false,
        unique: false,
        columns: ["team_id", "user_id", "at", "seq"].map(str::to_owned).to_vec(),
        condition: Some("user_id IS NOT NULL".to_owned()),
    }));
}

/// Nothing of a team is forgotten when it moves to another installation.
#[tokio::test]
async fn every_table_has_its_fate_when_a_team_moves() {
    let schema = schema_of(&TestDb::sqlite()).await;
    let known: Vec<&str> = transfer::TABLES.iter().map(|(name, _)| *name).collect();
    for table in schema.keys().map(String::as_str) {
        let places = known.iter().filter(|name| **name == table).count();
        let expected = usize::from(!transfer::WITHOUT_TEAM.contains(&table));
        assert_eq!(
            places, expected,
            "{table}: say once in trunkline_store::transfer::TABLES what becomes of it when a team moves to another \
             installation (Moves, unless it follows from other tables: then Derived, and computed in `derive`)"
        );
    }
    for table in known {
        assert!(schema.contains_key(table), "there is no table {table} any more");
    }
    for (table, column, subject) in transfer::SEALED {
        let (columns, _) = &schema[*table];
        assert!(
            columns.contains_key(*column) && columns.contains_key(*subject),
            "{table}.{column}"
        );
    }
}

/// Both engines describe tables alike, but for truth values.
#[tokio::test]
async fn both_engines_describe_tables_alike() {
    let mut told = Vec::new();
    for t in [TestDb::sqlite(), TestDb::postgres()] {
        let describe = |conn: &mut Conn<'_>| {
            let tables = transfer::TABLES.iter().map(|(name, _)| *name).chain(["teams"]);
            tables
                .map(|name| transfer::describe(conn, name))
                .collect::<Result<Vec<_>, StoreError>>()
        };
        let mut tables = t.db().read(describe).await.unwrap();
        for column in tables.iter_mut().flat_map(|table| &mut table.columns) {
            if column.kind == transfer::Kind::Bool {
                column.kind = transfer::Kind::Int;
            }
        }
        told.push(tables);
    }
    assert_eq!(told[0], told[1]);
    let items = told[0].iter().find(|table| table.name == "items").unwrap();
    assert_eq!((items.key, items.columns[0].name.as_str()), (1, "seq"));
    let days = told[0].iter().find(|table| table.name == "call_days").unwrap();
    let names: Vec<&str> = days.columns[..days.key]
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["direction", "day", "line", "user_id"]);
}

/// What belongs to no team, or leads to one.
const WITHOUT_TEAM: &[&str] = transfer::WITHOUT_TEAM;

#[tokio::test]
async fn the_team_leads_every_key() {
    let schema = schema_of(&TestDb::sqlite()).await;
    for table in WITHOUT_TEAM.iter().copied() {
        assert!(
            schema.contains_key(table),
            "{table} is an exception that is not needed any more"
        );
    }
    for (table, (columns, indexes)) in &schema {
        if WITHOUT_TEAM.contains(&table.as_str()) {
            continue;
        }
        assert_eq!(
            columns.get("team_id"),
            Some(&("INTEGER".to_owned(), false)),
            "{table}"
        );
        assert!(
            indexes.iter().any(|index| index.primary),
            "{table} has no primary key"
        );
        for index in indexes {
            assert_eq!(index.columns[0], "team_id", "{table}: {index:?}");
        }
    }
}

/// Every statement that filters of a request can make.
fn made_by_filters() -> Vec<String> {
    [
        conversations::all_list_statements(),
        search::all_search_statements(),
        people::all_people_statements(),
        companies::all_company_statements(),
        deals::all_deal_statements(),
        drilldown::all_statements(),
        audit::all_page_statements(),
    ]
    .concat()
}

async fn every_statement_is_understood(t: TestDb) {
    let mut all: Vec<(String, String)> = statements()
        .into_iter()
        .map(|s| (s.name.to_owned(), s.sql.to_owned()))
        .collect();
    let named: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named.len(), all.len(), "two statements share a name");
    assert!(all.len() > 80, "only {} statements are registered", all.len());
    let lists = made_by_filters();
    assert!(
        lists.len() > 1_000,
        "only {} statements are made by filters",
        lists.len()
    );
    all.extend(lists.into_iter().map(|sql| ("made by a filter".to_owned(), sql)));
    let faulty: Vec<String> = t
        .db()
        .scan(move |conn| {
            let check = |(name, sql): (String, String)| {
                conn.check(&sql)
                    .err()
                    .map(|error| format!("{name}: {error}\n{sql}"))
            };
            Ok::<_, StoreError>(all.into_iter().filter_map(check).collect())
        })
        .await
        .unwrap();
    assert!(
        faulty.is_empty(),
        "{} statements were refused, such as\n{}",
        faulty.len(),
        faulty[0]
    );
}

/// The check can fail: it is no use otherwise.
async fn a_wrong_statement_is_noticed(t: TestDb) {
    let check = |sql: &'static str| t.db().read(move |conn| conn.check(sql));
    for wrong in [
        "SELECT nothing FROM items",
        "SELECT seq FROM items WHERE team_id = $1 AND",
        "SELECT 1 FROM nowhere",
    ] {
        assert!(check(wrong).await.is_err(), "{wrong}");
    }
    if t.engine() == Engine::Sqlite {
        // PostgreSQL binds by number, SQLite in the order of appearance: only statements that say both alike pass.
        assert!(
            check("SELECT seq FROM items WHERE seq = $2 AND team_id = $1")
                .await
                .is_err()
        );
    }
    check("SELECT seq FROM items WHERE team_id = $1 AND seq = $2")
        .await
        .unwrap();
}

trunkline_testkit::on_both! { every_statement_is_understood, a_wrong_statement_is_noticed }

/// Whole tables that a statement may walk over, and why.
const WALKS: [(&str, &str); 5] = [
    ("jobs", "waiting work only: what is done is deleted"),
    ("nodes", "a handful"),
    ("teams", "the followers ask which teams are ahead"),
    ("text_lanes", "as many as there are lines"),
    ("webhook_endpoints", "at most a hundred a team"),
];

/// Every list and look-up is answered from an index: SQLite's planner names each table that is walked instead.
#[tokio::test]
async fn nothing_walks_over_a_whole_table() {
    let t = TestDb::sqlite();
    let mut all: Vec<String> = statements().into_iter().map(|s| s.sql.to_owned()).collect();
    all.extend(made_by_filters());
    let plans: Vec<(String, Vec<String>)> = t
        .db()
        .scan(move |conn| {
            let mut plans = Vec::new();
            for sql in all {
                let unbound = vec![Value::Null; parameters(&sql)];
                let plan = conn.rows(&format!("EXPLAIN QUERY PLAN {sql}"), &unbound, |row| row.get(3))?;
                plans.push((sql, plan));
            }
            Ok::<_, StoreError>(plans)
        })
        .await
        .unwrap();
    let mut walked = BTreeSet::new();
    for (sql, plan) in &plans {
        for step in plan
            .iter()
            .filter(|step| step.starts_with("SCAN ") && !step.contains("json_each"))
            // Rows that the statement itself brings.
            .filter(|step| !step.contains("-ROW VALUES"))
        {
            let alias = step.split_whitespace().nth(1).unwrap();
            let table = table_of(sql, alias);
            if table == "AS"
                || [alias, &table]
                    .iter()
                    .any(|name| sql.contains(&format!("{name} AS (")))
            {
                // A subquery, whose own steps are told too.
                continue;
            }
            assert!(WALKS.iter().any(|(known, _)| *known == table), "{step} in\n{sql}");
            walked.insert(table);
        }
    }
    for (table, reason) in WALKS {
        assert!(
            walked.contains(table),
            "nothing walks over {table} any more ({reason}): take it off the list"
        );
    }
}

/// Nothing has told PostgreSQL yet how many rows there are.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_looks_up_what_is_in_a_list() {
    let t = TestDb::postgres();
    let of_lists: Vec<&'static str> = statements()
        .into_iter()
        .map(|statement| statement.sql)
        .filter(|sql| sql.starts_with("SELECT i.") && sql.contains("json_each"))
        .collect();
    assert!(of_lists.len() >= 2, "{of_lists:?}");
    for sql in of_lists {
        let plan: Vec<String> = t
            .db()
            .scan(move |conn| {
                let asked = sql.replace("$1", "1").replace("$2", "'[\"1\", \"2\"]'");
                conn.rows(&format!("EXPLAIN {asked}"), &[], |row| row.get(0))
            })
            .await
            .map_err(|error: StoreError| error)
            .unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("= ANY ($0)"), "not by an index:\n{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("Hash"), "{plan}");
    }
}

/// How many parameters a statement has.
fn parameters(sql: &str) -> usize {
    let numbers = sql
        .split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    numbers
        .filter_map(|digits| digits.parse().ok())
        .max()
        .unwrap_or(0)
}

/// The table that a statement calls `alias`.
fn table_of(sql: &str, alias: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let place = words
        .windows(2)
        .position(|pair| pair[1] == alias && !["FROM", "JOIN"].contains(&pair[0]));
    place.map_or(alias, |place| words[place]).to_owned()
}
