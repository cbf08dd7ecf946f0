//! Search: two-term prefix queries with an exact count, against raw Tantivy and FTS5 on the same texts; and how long
//! what is written stays unfound.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::Connection as Sqlite;
use serde_json::{Value, json};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, Order, Term, doc};
use trunkline_domain::text::words;

use crate::Scale;
use crate::data::{self, Seeded};
use crate::load::{Connection, Request};
use crate::process::Server;
use crate::report::{Goal, Report, percentile};

/// Queries that are rotated.
const QUERIES: usize = 40;

/// Measures queries and freshness.
///
/// # Errors
/// When the server or an index fails.
pub fn measure(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let seeded = data::seeded(program, "texts", scale.transcripts, 1.0)?;
    let server = Server::trunkline(program, &seeded.dir)?;
    wait_until_ready(&server, &seeded)?;
    let texts = texts(&seeded)?;
    let raw = Raw::build(&texts)?;
    let fts = Fts::build(&texts)?;
    let queries = queries(&texts);
    let mut connection = Connection::open(server.address)?;
    let mut counts = Vec::new();
    for (a, b) in &queries {
        let (status, body) = connection.send(&search(&seeded, a, b, "DATE_DESC"))?;
        anyhow::ensure!(
            status == 200,
            "status {status}: {}",
            String::from_utf8_lossy(&body)
        );
        let answer: Value = serde_json::from_slice(&body)?;
        let total = answer["pagination"]["total_count"].as_u64().context("no total")?;
        anyhow::ensure!(
            total == raw.run(a, b, false)?,
            "{a} {b}: the product and raw Tantivy count differently"
        );
        counts.push(total);
    }
    counts.sort_unstable();
    println!(
        "search: {} texts, {QUERIES} queries with {} to {} hits (median {})",
        texts.len(),
        counts[0],
        counts[QUERIES - 1],
        counts[QUERIES / 2]
    );
    for (sort, ranked) in [("DATE_DESC", false), ("RELEVANCE", true)] {
        let (mut against_raw, mut against_fts) = (Vec::new(), Vec::new());
        for _ in 0..scale.pairs {
            let (mut ours, mut theirs, mut fives) = (Vec::new(), Vec::new(), Vec::new());
            for (a, b) in &queries {
                let request = search(&seeded, a, b, sort);
                ours.push(time(|| connection.send(&request).map(drop))?);
                theirs.push(time(|| raw.run(a, b, ranked).map(drop))?);
                fives.push(time(|| fts.run(a, b, ranked))?);
            }
            let p95 = percentile(&mut ours, 0.95);
            against_raw.push((p95, percentile(&mut theirs, 0.95)));
            against_fts.push((p95, percentile(&mut fives, 0.95)));
        }
        report.pairs(
            &format!("search by {sort}, p95 over HTTP / raw Tantivy"),
            "ms",
            &against_raw,
            Goal::AtMost(1.5),
        );
        report.pairs(
            &format!("search by {sort}, p95 over HTTP / FTS5"),
            "ms",
            &against_fts,
            Goal::None,
        );
    }
    freshness(&server, &seeded, scale, report)
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

fn search(seeded: &Seeded, a: &str, b: &str, sort: &str) -> Request {
    let body = json!({ "search": format!("{a} {b}"), "sort": sort });
    Request::post(
        "/v2/api/conversations/items/search",
        &seeded.key,
        &body.to_string(),
    )
}

fn wait_until_ready(server: &Server, seeded: &Seeded) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(3_600);
    let mut connection = Connection::open(server.address)?;
    while Instant::now() < until {
        if connection.send(&search(seeded, "a", "b", "DATE_DESC"))?.0 == 200 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    anyhow::bail!("the text index did not get ready within an hour")
}

/// Every item's time and text, as the product indexes it.
fn texts(seeded: &Seeded) -> Result<Vec<(i64, String)>> {
    let connection = Sqlite::open(seeded.dir.join("trunkline.db"))?;
    let mut statement = connection.prepare(
        "SELECT i.at, m.content, t.lines, s.content FROM items i
           LEFT JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
           LEFT JOIN transcripts t ON t.team_id = i.team_id AND t.seq = i.seq
           LEFT JOIN summaries s ON s.team_id = i.team_id AND s.seq = i.seq
          WHERE i.team_id = (SELECT MIN(team_id) FROM teams)",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut text = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        if let Some(lines) = row.get::<_, Option<String>>(2)? {
            let lines: Vec<Value> = serde_json::from_str(&lines)?;
            for line in lines {
                text.push(' ');
                text.push_str(line["text"].as_str().unwrap_or_default());
            }
        }
        text.push(' ');
        text.push_str(&row.get::<_, Option<String>>(3)?.unwrap_or_default());
        all.push((row.get(0)?, words(&text).join(" ")));
    }
    Ok(all)
}

/// Pairs of prefixes, from rare to common words.
fn queries(texts: &[(i64, String)]) -> Vec<(String, String)> {
    let mut counts: std::collections::HashMap<&str, u64> = std::collections::HashMap::new();
    for (_, text) in texts.iter().step_by(texts.len() / 5_000 + 1) {
        for word in text.split(' ').filter(|word| word.len() >= 4) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut ranked: Vec<(&str, u64)> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let prefix = |place: usize| {
        let word = ranked[place % ranked.len()].0;
        word.chars().take(4).collect::<String>()
    };
    (0..QUERIES).map(|i| (prefix(i * i), prefix(i * 7 + 3))).collect()
}

/// Raw Tantivy over the same words: one field of text, one fast field of time.
struct Raw {
    reader: IndexReader,
    text: Field,
    _folder: tempfile::TempDir,
}

impl Raw {
    fn build(texts: &[(i64, String)]) -> Result<Self> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_index_option(IndexRecordOption::WithFreqs);
        let text = schema.add_text_field("text", TextOptions::default().set_indexing_options(indexing));
        let at = schema.add_i64_field("at", FAST | INDEXED);
        let folder = tempfile::tempdir()?;
        let index = Index::create_in_dir(folder.path(), schema.build())?;
        let mut writer = index.writer_with_num_threads(1, 100_000_000)?;
        for (moment, words) in texts {
            writer.add_document(doc!(text => words.as_str(), at => *moment))?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader()?;
        Ok(Self {
            reader,
            text,
            _folder: folder,
        })
    }

    /// Counts, and gets the newest 20 or the best 20.
    fn run(&self, a: &str, b: &str, ranked: bool) -> Result<u64> {
        let searcher = self.reader.searcher();
        let both = [self.prefix(a)?, self.prefix(b)?]
            .into_iter()
            .map(|one| (Occur::Must, one))
            .collect();
        let query = BooleanQuery::new(both);
        let count = if ranked {
            let (count, _) = searcher.search(&query, &(Count, TopDocs::with_limit(20).order_by_score()))?;
            count
        } else {
            let newest = TopDocs::with_limit(20).order_by_fast_field::<i64>("at", Order::Desc);
            let (count, _) = searcher.search(&query, &(Count, newest))?;
            count
        };
        Ok(count as u64)
    }

    /// A prefix as the union of its terms.
    fn prefix(&self, prefix: &str) -> Result<Box<dyn Query>> {
        let searcher = self.reader.searcher();
        let mut terms = std::collections::BTreeSet::new();
        let mut end = prefix.as_bytes().to_vec();
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        for segment in searcher.segment_readers() {
            let inverted = segment.inverted_index(self.text)?;
            let mut stream = inverted
                .terms()
                .range()
                .ge(prefix.as_bytes())
                .lt(&end)
                .into_stream()?;
            while stream.advance() {
                terms.insert(stream.key().to_vec());
            }
        }
        let any = terms.into_iter().map(|bytes| {
            let term = Term::from_field_text(self.text, &String::from_utf8_lossy(&bytes));
            let query: Box<dyn Query> = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
            (Occur::Should, query)
        });
        Ok(Box::new(BooleanQuery::new(any.collect())))
    }
}

/// SQLite's own text index over the same words.
struct Fts(
    Sqlite,
    #[expect(dead_code, reason = "kept until the database is closed")] tempfile::TempDir,
);

impl Fts {
    fn build(texts: &[(i64, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut connection = Sqlite::open(folder.path().join("fts.db"))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE items (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
             CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', prefix = '3 4');",
        )?;
        let transaction = connection.transaction()?;
        for (i, (at, words)) in texts.iter().enumerate() {
            let id = i64::try_from(i)? + 1;
            transaction
                .prepare_cached("INSERT INTO items VALUES (?1, ?2)")?
                .execute((id, at))?;
            transaction
                .prepare_cached("INSERT INTO texts (rowid, text) VALUES (?1, ?2)")?
                .execute((id, words))?;
        }
        transaction.commit()?;
        connection.execute_batch("CREATE INDEX items_at ON items (at)")?;
        Ok(Self(connection, folder))
    }

    fn run(&self, a: &str, b: &str, ranked: bool) -> Result<()> {
        let query = format!("{a}* AND {b}*");
        let count = "SELECT COUNT(*) FROM texts WHERE texts MATCH ?1";
        let page = if ranked {
            "SELECT rowid FROM texts WHERE texts MATCH ?1 ORDER BY rank LIMIT 20"
        } else {
            "SELECT i.id FROM texts t JOIN items i ON i.id = t.rowid WHERE texts MATCH ?1 ORDER BY i.at DESC LIMIT 20"
        };
        let _: i64 = self
            .0
            .prepare_cached(count)?
            .query_row([&query], |row| row.get(0))?;
        let mut statement = self.0.prepare_cached(page)?;
        let mut rows = statement.query([&query])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

/// How long after its acknowledgement a text is found, while 500 are written a second.
fn freshness(server: &Server, seeded: &Seeded, scale: Scale, report: &mut Report) -> Result<()> {
    let seconds = scale.write_seconds * 3;
    let began = Instant::now();
    let mut delays = std::thread::scope(|scope| -> Result<Vec<f64>> {
        let writer = scope.spawn(|| -> Result<u64> {
            let mut written = 0u64;
            let mut connections = Vec::new();
            for _ in 0..4 {
                connections.push(Connection::open(server.address)?);
            }
            while began.elapsed().as_secs() < seconds {
                for connection in &mut connections {
                    let (status, body) = connection.send(&text(seeded, written, "background noise"))?;
                    anyhow::ensure!(
                        status == 201,
                        "status {status}: {}",
                        String::from_utf8_lossy(&body)
                    );
                    written += 1;
                }
                let due = Duration::from_micros(written * 2_000);
                if let Some(early) = due.checked_sub(began.elapsed()) {
                    std::thread::sleep(early);
                }
            }
            Ok(written)
        });
        let mut connection = Connection::open(server.address)?;
        let mut delays = Vec::new();
        let mut n = 0u64;
        while began.elapsed().as_secs() < seconds {
            n += 1;
            let word = format!("fresh{}x{n}", std::process::id());
            let (status, _) = connection.send(&text(seeded, 1_000_000 + n, &word))?;
            anyhow::ensure!(status == 201, "status {status}");
            let acknowledged = Instant::now();
            loop {
                let (_, body) = connection.send(&Request::post(
                    "/v2/api/conversations/items/search",
                    &seeded.key,
                    &json!({ "search": word }).to_string(),
                ))?;
                let answer: Value = serde_json::from_slice(&body)?;
                if answer["pagination"]["total_count"] == 1 {
                    break;
                }
            }
            delays.push(acknowledged.elapsed().as_secs_f64() * 1e3);
        }
        let written = writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        println!(
            "freshness: {written} texts in {seconds} s beside {} probes",
            delays.len()
        );
        Ok(delays)
    })?;
    report.figure(
        "written -> found, p50 under 500 writes/s",
        "ms",
        percentile(&mut delays, 0.5),
        Goal::None,
    );
    report.figure(
        "written -> found, p99 under 500 writes/s",
        "ms",
        percentile(&mut delays, 0.99),
        Goal::AtMost(1_000.0),
    );
    Ok(())
}

fn text(seeded: &Seeded, n: u64, content: &str) -> Request {
    let body =
        json!({ "from": format!("+1628555{:04}", n % 10_000), "to": seeded.number, "content": content });
    Request::post("/sandbox/messages", &seeded.key, &body.to_string())
}
