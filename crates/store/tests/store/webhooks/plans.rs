//! However many messages there are, an index answers.

use super::*;
use trunkline_store::{Value, statements};
use trunkline_testkit::db::Engine;

const MESSAGES: i64 = 100_000;
const ENDPOINTS: i64 = 100;

/// A backlog of one endpoint in a hundred, and a long history of all of them.
async fn fill(db: &Db, team: TeamKey) {
    add_endpoints(db, team, 1..=ENDPOINTS).await;
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
        INSERT INTO webhook_messages (team_id, endpoint, event, topic, at, state, due_at, tries, updated_at)
        SELECT $2, n % 100 + 1, n, 'sms.received', n,
               CASE WHEN n % 100 = 0 THEN 'PENDING' WHEN n % 1000 = 1 THEN 'FAILED' ELSE 'DELIVERED' END,
               CASE WHEN n % 100 = 0 THEN n END, 1, n FROM n";
    write(db, move |tx| tx.execute(fill, params![MESSAGES, team]).map(drop)).await;
    let analyze = |tx: &mut Tx<'_>| tx.execute("ANALYZE webhook_messages", &[]).map(drop);
    write(db, analyze).await;
}

/// What the engine says it does for each statement of these modules that looks for messages.
async fn plans(db: &Db, engine: Engine) -> BTreeMap<&'static str, String> {
    let mut plans = BTreeMap::new();
    for statement in statements() {
        let is_ours =
            statement.name.contains("::webhook_messages::") || statement.name.ends_with("::webhooks::DUE");
        if !is_ours || statement.name.ends_with("::INSERT") {
            continue;
        }
        let sql = match engine {
            Engine::Sqlite => format!("EXPLAIN QUERY PLAN {}", statement.sql),
            // Numbers in place of the parameters: plans of PostgreSQL depend on them.
            Engine::Postgres => {
                let state = if statement.name.ends_with("GIVEN_UP") {
                    "'FAILED'"
                } else {
                    "5"
                };
                let text = statement
                    .sql
                    .replace("state = $1", "state = 'x'")
                    .replace("attempts = $4", "attempts = ''");
                let text = text.replace("$1", "1").replace("$2", "1").replace("$3", state);
                let text = text.replace("endpoint = 'FAILED'", "endpoint = 1");
                format!(
                    "EXPLAIN {}",
                    (4..=9)
                        .rev()
                        .fold(text, |text, n| text.replace(&format!("${n}"), "7"))
                )
            }
        };
        let column = if engine == Engine::Sqlite { 3 } else { 0 };
        let lines = db
            .scan(move |conn| conn.rows(&sql, &[] as &[Value<'_>], |row| row.get::<String>(column)))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{}: {error}", statement.name));
        plans.insert(statement.name.rsplit("::").next().unwrap(), lines.join("\n"));
    }
    plans
}

async fn an_index_answers_whatever_is_asked(t: TestDb) {
    let team = t.bare_team("plans").await;
    fill(t.db(), team).await;
    let plans = plans(t.db(), t.engine()).await;
    assert!(plans.len() > 12, "{:?}", plans.keys());
    for (name, plan) in &plans {
        let whole = match t.engine() {
            // Only of the hundred endpoints.
            Engine::Sqlite => plan
                .lines()
                .any(|line| line.starts_with("SCAN") && line != "SCAN e" && line != "SCAN pending"),
            Engine::Postgres => plan.contains("Seq Scan on webhook_messages"),
        };
        assert!(!whole, "{name} reads everything:\n{plan}");
        assert!(!plan.contains("USE TEMP B-TREE"), "{name} sorts:\n{plan}");
    }
    for name in ["DUE", "CLAIM", "SKIP", "PENDING", "BACKLOG", "NTH_DUE", "SHIFT"] {
        assert!(
            plans[name].contains("webhook_messages_due"),
            "{name}:\n{}",
            plans[name]
        );
    }
    assert!(
        plans["GIVEN_UP"].contains("webhook_messages_given_up"),
        "{}",
        plans["GIVEN_UP"]
    );
}

trunkline_testkit::on_both! { an_index_answers_whatever_is_asked }
