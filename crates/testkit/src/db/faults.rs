//! What a team's rows tell twice must be told alike.

use std::collections::BTreeMap;

use trunkline_store::{Conn, Db, Json, StoreError, TeamKey, params};

/// Fails unless everything that is kept beside the rows agrees with the rows: see [`faults`].
///
/// # Panics
/// When it does not.
pub async fn assert_sound(db: &Db, team: TeamKey) {
    // Whoever works behind the scenes of the test may be writing just now.
    let look = move |conn: &mut Conn<'_>| conn.at_one_moment(|conn| faults(conn, team));
    let found: Result<Vec<String>, StoreError> = db.scan(look).await;
    let found = found.expect("the rows of the team");
    assert!(
        found.is_empty(),
        "the store contradicts itself:\n{}",
        found.join("\n")
    );
}

/// What is kept twice: a name, the statement that reads what is kept, and the one that counts the rows.
const COUNTED: [(&str, &str, &str); 10] = [
    (
        "item_totals",
        "SELECT CAST(line AS TEXT) || ' ' || user_id || ' ' || kind || ' ' || direction || ' ' || result, n
           FROM item_totals WHERE team_id = $1 AND n <> 0",
        "SELECT CAST(line AS TEXT) || ' ' || COALESCE(user_id, '') || ' ' || kind || ' ' || direction || ' ' ||
                COALESCE(result, ''), COUNT(*)
           FROM items WHERE team_id = $1 GROUP BY 1",
    ),
    (
        "item_days",
        "SELECT CAST(day AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || user_id || ' ' || kind || ' ' || direction ||
                ' ' || result, n
           FROM item_days WHERE team_id = $1 AND n <> 0",
        "SELECT CAST(day AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || COALESCE(user_id, '') || ' ' || kind || ' ' ||
                direction || ' ' || COALESCE(result, ''), COUNT(*)
           FROM items WHERE team_id = $1 GROUP BY 1",
    ),
    (
        "conversation_counts",
        "SELECT CAST(line AS TEXT) || CASE WHEN unread THEN ' unread' ELSE ' read' END ||
                CASE WHEN archived THEN ' archived' ELSE '' END, n
           FROM conversation_counts WHERE team_id = $1 AND n <> 0",
        "SELECT CAST(line AS TEXT) || CASE WHEN unread THEN ' unread' ELSE ' read' END ||
                CASE WHEN archived THEN ' archived' ELSE '' END, COUNT(*)
           FROM conversations WHERE team_id = $1 GROUP BY 1",
    ),
    (
        "conversations.items",
        "SELECT CAST(conversation AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || contact_number, items
           FROM conversations WHERE team_id = $1",
        "SELECT CAST(conversation AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || contact_number, COUNT(*)
           FROM items WHERE team_id = $1 GROUP BY 1",
    ),
    (
        "contacts.interactions",
        "SELECT id || ' ' || CAST(COALESCE(last_at, 0) AS TEXT), interactions
           FROM contacts WHERE team_id = $1 AND archived_at IS NULL",
        "SELECT p.id || ' ' || CAST(COALESCE(MAX(c.last_at), 0) AS TEXT), CAST(COALESCE(SUM(c.items), 0) AS BIGINT)
           FROM contacts p
           LEFT JOIN contact_numbers n ON n.team_id = p.team_id AND n.contact_id = p.id
           LEFT JOIN conversations c ON c.team_id = n.team_id AND c.contact_number = n.number
          WHERE p.team_id = $1 AND p.archived_at IS NULL GROUP BY p.id",
    ),
    (
        "companies",
        "SELECT id || ' ' || CAST(person_count AS TEXT) || ' ' || CAST(COALESCE(last_at, 0) AS TEXT), interactions
           FROM companies WHERE team_id = $1",
        "SELECT o.id || ' ' || CAST(COUNT(p.id) AS TEXT) || ' ' || CAST(COALESCE(MAX(p.last_at), 0) AS TEXT),
                CAST(COALESCE(SUM(p.interactions), 0) AS BIGINT)
           FROM companies o
           LEFT JOIN contacts p ON p.team_id = o.team_id AND p.company_id = o.id AND p.archived_at IS NULL
          WHERE o.team_id = $1 GROUP BY o.id",
    ),
    (
        "crm_totals",
        "SELECT kind, n FROM crm_totals WHERE team_id = $1 AND n <> 0",
        "SELECT 'PERSON', COUNT(*) FROM contacts WHERE team_id = $1 AND archived_at IS NULL HAVING COUNT(*) > 0
          UNION ALL
         SELECT 'COMPANY', COUNT(*) FROM companies WHERE team_id = $1 HAVING COUNT(*) > 0
          UNION ALL
         SELECT 'DEAL', COUNT(*) FROM deals WHERE team_id = $1 HAVING COUNT(*) > 0",
    ),
    // Each figure has a place of its own in the number.
    (
        "call_slots",
        "SELECT scope || ' ' || direction || ' ' || CAST(slot AS TEXT),
                ((calls * 1000 + connected) * 1000 + voicemail) * 1000000 + talk_seconds * 100 + ringing_ms - waited_ms
           FROM call_slots WHERE team_id = $1 AND calls <> 0 AND (scope = '' OR scope LIKE '#%')",
        "SELECT s.scope || ' ' || i.direction || ' ' || CAST(i.at / 900000 AS TEXT),
                CAST(SUM((CAST(1000000 AS BIGINT)
                          + CASE WHEN i.result = 'ANSWERED' OR i.result LIKE 'TRANSFERRED%' THEN 1000 ELSE 0 END
                          + CASE WHEN i.result = 'VOICEMAIL' THEN 1 ELSE 0 END) * 1000000
                         + CASE WHEN i.result = 'ANSWERED' OR i.result LIKE 'TRANSFERRED%' THEN COALESCE(i.duration, 0) * 100
                                ELSE COALESCE(c.voicemail_at, c.ended_at, i.at) - i.at END) AS BIGINT)
           FROM items i JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
           JOIN (SELECT DISTINCT line, '' AS scope FROM items WHERE team_id = $1
                 UNION ALL SELECT DISTINCT line, '#' || CAST(line AS TEXT) FROM items WHERE team_id = $1) s
             ON s.line = i.line
          WHERE i.team_id = $1 AND i.result IS NOT NULL GROUP BY 1",
    ),
    (
        "call_days",
        "SELECT direction || ' ' || CAST(day AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || user_id,
                calls * 1000000 + talk_seconds
           FROM call_days WHERE team_id = $1 AND calls <> 0",
        "SELECT direction || ' ' || CAST(day AS TEXT) || ' ' || CAST(line AS TEXT) || ' ' || COALESCE(user_id, '-'),
                CAST(SUM(1000000 + CASE WHEN result = 'ANSWERED' OR result LIKE 'TRANSFERRED%' THEN COALESCE(duration, 0)
                                   ELSE 0 END)
                     AS BIGINT)
           FROM items WHERE team_id = $1 AND result IS NOT NULL GROUP BY 1",
    ),
    (
        "call_tags",
        "SELECT direction || ' ' || CAST(day AS TEXT), CAST(SUM(calls * (LENGTH(tags) - LENGTH(REPLACE(tags, ',', '')) - 1))
                AS BIGINT)
           FROM call_tags WHERE team_id = $1 AND calls <> 0 AND scope = '' GROUP BY 1",
        "SELECT i.direction || ' ' || CAST(i.day AS TEXT), COUNT(*)
           FROM item_tags t JOIN items i ON i.team_id = t.team_id AND i.seq = t.seq
          WHERE t.team_id = $1 AND i.result IS NOT NULL GROUP BY 1",
    ),
];

/// Rows that must not be, with what is wrong with them.
const STRAY: [(&str, &str); 3] = [
    (
        "an item without its call or message, or with both",
        "SELECT i.seq FROM items i
           LEFT JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq
           LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
          WHERE i.team_id = $1 AND NOT (CASE WHEN i.kind = 'CALL' THEN c.seq IS NOT NULL AND m.seq IS NULL
                                             ELSE c.seq IS NULL AND m.seq IS NOT NULL END)",
    ),
    (
        "a call without its item",
        "SELECT c.seq FROM calls c LEFT JOIN items i ON i.team_id = c.team_id AND i.seq = c.seq
          WHERE c.team_id = $1 AND i.seq IS NULL",
    ),
    (
        "a message without its item",
        "SELECT m.seq FROM messages m LEFT JOIN items i ON i.team_id = m.team_id AND i.seq = m.seq
          WHERE m.team_id = $1 AND i.seq IS NULL",
    ),
];

/// Whatever contradicts itself in what a team has: totals that are not the number of rows, conversations whose count
/// or last item is not that of their items, tags that items and tags table tell differently, gaps in the numbers of
/// events or items. Empty when all is well. Nobody may write meanwhile.
///
/// # Errors
/// Of the engine.
pub fn faults(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    for (name, kept, true_) in COUNTED {
        let mut read = |sql: &str| -> Result<BTreeMap<String, i64>, StoreError> {
            Ok(conn
                .rows(sql, params![team], |row| Ok((row.get(0)?, row.get(1)?)))?
                .into_iter()
                .collect())
        };
        let (kept, counted) = (read(kept)?, read(true_)?);
        let keys = kept
            .keys()
            .chain(counted.keys().filter(|key| !kept.contains_key(*key)));
        for key in keys.filter(|key| kept.get(*key) != counted.get(*key)) {
            faults.push(format!(
                "{name} [{key}]: kept {:?}, counted {:?}",
                kept.get(key),
                counted.get(key)
            ));
        }
    }
    for (what, sql) in STRAY {
        faults.extend(
            conn.rows(sql, params![team], |row| row.get::<i64>(0))?
                .iter()
                .map(|seq| format!("{seq}: {what}")),
        );
    }
    last_items(conn, team, &mut faults)?;
    tags(conn, team, &mut faults)?;
    numbering(conn, team, &mut faults)?;
    Ok(faults)
}

fn last_items(conn: &mut Conn<'_>, team: TeamKey, faults: &mut Vec<String>) -> Result<(), StoreError> {
    let mut newest: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    conn.for_each(
        "SELECT conversation, at, seq FROM items WHERE team_id = $1",
        params![team],
        |row| {
            let place = newest.entry(row.get(0)?).or_insert((i64::MIN, 0));
            *place = (*place).max((row.get(1)?, row.get(2)?));
            Ok(true)
        },
    )?;
    let sql = "SELECT conversation, last_at, last_item FROM conversations WHERE team_id = $1";
    for (conversation, kept) in conn.rows(sql, params![team], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    })? {
        let found = newest.get(&conversation);
        if found != Some(&kept) {
            faults.push(format!(
                "conversation {conversation}: last item kept {kept:?}, found {found:?}"
            ));
        }
    }
    Ok(())
}

fn tags(conn: &mut Conn<'_>, team: TeamKey, faults: &mut Vec<String>) -> Result<(), StoreError> {
    let mut on_items: Vec<(String, i64, i64)> = Vec::new();
    conn.for_each(
        "SELECT tags, at, seq FROM items WHERE team_id = $1 AND tags IS NOT NULL",
        params![team],
        |row| {
            let (at, seq) = (row.get(1)?, row.get(2)?);
            on_items.extend(
                row.get::<Json<Vec<String>>>(0)?
                    .0
                    .into_iter()
                    .map(|tag| (tag, at, seq)),
            );
            Ok(true)
        },
    )?;
    let sql = "SELECT tag, at, seq FROM item_tags WHERE team_id = $1";
    let mut in_table = conn.rows(sql, params![team], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    on_items.sort();
    in_table.sort();
    if on_items != in_table {
        faults.push(format!(
            "tags: on items {on_items:?}, in their table {in_table:?}"
        ));
    }
    Ok(())
}

fn numbering(conn: &mut Conn<'_>, team: TeamKey, faults: &mut Vec<String>) -> Result<(), StoreError> {
    for (table, column) in [
        ("events", "last_event"),
        ("items", "last_item"),
        ("conversations", "last_conversation"),
    ] {
        let key = if table == "conversations" {
            "conversation"
        } else {
            "seq"
        };
        let sql = format!("SELECT {key} FROM {table} WHERE team_id = $1 ORDER BY {key}");
        let all = conn.rows(&sql, params![team], |row| row.get::<i64>(0))?;
        let sql = format!("SELECT {column} FROM teams WHERE team_id = $1");
        let last = conn
            .row(&sql, params![team], |row| row.get::<i64>(0))?
            .unwrap_or(0);
        if let Some(gap) = all.windows(2).find(|pair| pair[1] != pair[0] + 1) {
            faults.push(format!("{table}: a gap between {} and {}", gap[0], gap[1]));
        }
        if all.last().copied().unwrap_or(0) != last {
            faults.push(format!(
                "{table}: the last is {:?}, the team says {last}",
                all.last()
            ));
        }
    }
    Ok(())
}
