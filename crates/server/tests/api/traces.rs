//! Which words are anywhere in what a server keeps: every byte of its files, every text of its database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tantivy::{Index, SegmentReader};
use trunkline_store::{Conn, Location, StoreError};
use trunkline_testkit::app::TestApp;

/// Everything that is kept, in lower case, as one run of bytes for each place.
pub struct Kept(Vec<(String, Vec<u8>)>);

impl Kept {
    /// Reads it all.
    pub async fn read(app: &TestApp, location: &Location) -> Self {
        let mut all = Vec::new();
        if let Location::Sqlite(file) = location {
            let folder = file.parent().unwrap();
            read_files(folder, &mut all);
        }
        let columns = if app.board.db().is_sqlite() {
            OF_SQLITE
        } else {
            OF_POSTGRES
        };
        let tables = app
            .board
            .db()
            .scan(move |conn| tables(conn, columns))
            .await
            .unwrap();
        all.extend(tables);
        read_files(&app.index_dir, &mut all);
        read_files(&app.media_dir, &mut all);
        all.push(("the terms of the index".to_owned(), terms(&app.index_dir)));
        for (_, bytes) in &mut all {
            bytes.make_ascii_lowercase();
        }
        Self(all)
    }

    /// Where a word stands.
    pub fn places_of(&self, word: &str) -> Vec<&str> {
        let wanted = word.to_lowercase();
        let has = |bytes: &[u8]| {
            let mut rest = bytes;
            // By the first byte, which is faster than comparing everywhere.
            while let Some(at) = rest.iter().position(|byte| *byte == wanted.as_bytes()[0]) {
                rest = &rest[at..];
                if rest.starts_with(wanted.as_bytes()) {
                    return true;
                }
                rest = &rest[1..];
            }
            false
        };
        let places = self.0.iter().filter(|(_, bytes)| has(bytes));
        places.map(|(place, _)| place.as_str()).collect()
    }

    /// Of these words, those that are somewhere, with where.
    pub fn of<'w>(&self, words: &[&'w str]) -> Vec<(&'w str, Vec<String>)> {
        let found = words.iter().map(|word| (*word, self.places_of(word)));
        let found = found.filter(|(_, places)| !places.is_empty());
        found
            .map(|(word, places)| (word, places.into_iter().map(str::to_owned).collect()))
            .collect()
    }
}

fn read_files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_files(&path, all);
        } else if let Ok(bytes) = std::fs::read(&path) {
            all.push((path.display().to_string(), bytes));
        }
    }
}

const OF_SQLITE: &str = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
   WHERE m.type = 'table' AND c.type = 'TEXT'";

const OF_POSTGRES: &str =
    "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
   WHERE table_schema = current_schema() AND data_type = 'text'";

/// Every text of every table.
fn tables(conn: &mut Conn<'_>, columns: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let columns: Vec<(String, String)> = conn.rows(columns, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    assert!(columns.len() > 100, "every text of the database");
    let mut all = Vec::new();
    for (table, column) in columns {
        let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
        let mut bytes = Vec::new();
        conn.for_each(&sql, &[], |row| {
            bytes.extend_from_slice(row.column(0)?.text().unwrap_or_default().as_bytes());
            bytes.push(b'\n');
            Ok(true)
        })?;
        all.push((format!("{table}.{column}"), bytes));
    }
    Ok(all)
}

/// All terms of the text index, which its files hold as automata.
fn terms(folder: &Path) -> Vec<u8> {
    let index = Index::open_in_dir(folder.join("index")).unwrap();
    let mut all = BTreeSet::new();
    for name in ["text", "filter"] {
        let field = index.schema().get_field(name).unwrap();
        for meta in index.searchable_segment_metas().unwrap() {
            let reader = SegmentReader::open(&index.segment(meta)).unwrap();
            let inverted = reader.inverted_index(field).unwrap();
            let mut stream = inverted.terms().stream().unwrap();
            while stream.advance() {
                all.insert(stream.key().to_vec());
            }
        }
    }
    all.into_iter().collect::<Vec<_>>().join(&b'\n')
}

/// The files of all tables and indexes of a PostgreSQL database, rewritten as an operator does who wants its free space
/// empty too. `None` where this user may not read them.
pub async fn heap_files(app: &TestApp) -> Option<Kept> {
    let look = |conn: &mut Conn<'_>| -> Result<(String, Vec<String>), StoreError> {
        let of_server = "SELECT current_setting('data_directory')";
        let directory = conn.row(of_server, &[], |row| row.get::<String>(0))?;
        let of_tables = "SELECT pg_relation_filepath(c.oid) FROM pg_class c
                           JOIN pg_namespace n ON n.oid = c.relnamespace
                          WHERE pg_relation_filepath(c.oid) IS NOT NULL
                            AND (n.nspname = current_schema() OR n.nspname = 'pg_toast')";
        Ok((
            directory.unwrap_or_default(),
            conn.rows(of_tables, &[], |row| row.get(0))?,
        ))
    };
    let (directory, files) = app.board.db().scan(look).await.unwrap();
    let mut all = Vec::new();
    for file in files {
        let path = PathBuf::from(&directory).join(&file);
        let mut bytes = std::fs::read(path).ok()?;
        bytes.make_ascii_lowercase();
        all.push((file, bytes));
    }
    Some(Kept(all))
}
