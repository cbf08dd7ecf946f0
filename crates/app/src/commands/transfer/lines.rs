//! Rows as lines of JSON, and back.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Number, Value as Json};
use sha2::{Digest, Sha256};
use trunkline_store::Value;
use trunkline_store::transfer::{Kind, Table, Values};

use super::{FileEntry, file_name};

/// The longest line that is read: no row comes near it.
const MAX_LINE: u64 = 256 << 20;

/// The hash as the manifest has it.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new file that only its owner may read.
pub fn create(path: &Path) -> Result<File> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes the rows of a table.
pub struct Writer<'t> {
    table: &'t Table,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    line: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl<'t> Writer<'t> {
    pub fn create(dir: &Path, table: &'t Table) -> Result<Self> {
        let path = dir.join(file_name(table.name));
        Ok(Self {
            table,
            file: BufWriter::new(create(&path)?),
            path,
            hash: Sha256::new(),
            line: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    pub fn write(&mut self, row: &Values) -> Result<()> {
        self.line.clear();
        write_row(self.table, row, &mut self.line)?;
        self.hash.update(&self.line);
        self.rows += 1;
        self.bytes += self.line.len() as u64;
        self.file
            .write_all(&self.line)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// Brings the file to the disk.
    pub fn finish(self) -> Result<FileEntry> {
        let file = self
            .file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .with_context(|| format!("{} cannot be written", self.path.display()))?;
        Ok(FileEntry {
            table: self.table.name.to_owned(),
            rows: self.rows,
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize()),
        })
    }
}

fn write_row(table: &Table, row: &Values, line: &mut Vec<u8>) -> Result<()> {
    line.push(b'{');
    for (column, value) in table.columns.iter().zip(row) {
        if *value == Value::Null {
            continue;
        }
        if line.len() > 1 {
            line.push(b',');
        }
        serde_json::to_writer(&mut *line, &column.name)?;
        line.push(b':');
        match value {
            Value::Null => {}
            Value::Int(number) => serde_json::to_writer(&mut *line, number)?,
            Value::Bool(truth) => serde_json::to_writer(&mut *line, &u8::from(*truth))?,
            Value::Real(number) => serde_json::to_writer(&mut *line, number)?,
            Value::Text(text) => serde_json::to_writer(&mut *line, text)?,
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

/// Reads the rows of a table. What is wrong is told with file, line, and column or field.
pub struct Reader<'t> {
    table: &'t Table,
    name: String,
    file: BufReader<File>,
    hash: Sha256,
    line: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl<'t> Reader<'t> {
    pub fn open(dir: &Path, table: &'t Table) -> Result<Self> {
        let name = file_name(table.name);
        let file = File::open(dir.join(&name)).with_context(|| format!("{name} cannot be read"))?;
        Ok(Self {
            table,
            name,
            file: BufReader::with_capacity(1 << 16, file),
            hash: Sha256::new(),
            line: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    /// The next row; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Values>> {
        self.line.clear();
        let name = &self.name;
        let read = (&mut self.file).take(MAX_LINE).read_until(b'\n', &mut self.line);
        if read.with_context(|| format!("{name} cannot be read"))? == 0 {
            return Ok(None);
        }
        self.rows += 1;
        let number = self.rows;
        self.bytes += self.line.len() as u64;
        self.hash.update(&self.line);
        ensure!(
            self.line.last() == Some(&b'\n'),
            "{name}, line {number}: the file ends in the middle of the line"
        );
        let map: Map<String, Json> = serde_json::from_slice(&self.line).map_err(|error| {
            let column = error.column();
            anyhow::anyhow!("{name}, line {number}, column {column}: this is no JSON object of a row")
        })?;
        let row = read_row(self.table, map).with_context(|| format!("{name}, line {number}"))?;
        Ok(Some(row))
    }

    /// Whether all of it was read and is as it was written.
    pub fn check(self, entry: &FileEntry) -> Result<()> {
        let name = &self.name;
        ensure!(
            self.rows == entry.rows,
            "{name} has {} lines where the manifest tells of {}",
            self.rows,
            entry.rows
        );
        ensure!(
            self.bytes == entry.bytes && hex(&self.hash.finalize()) == entry.sha256,
            "{name} is not as it was exported: its hash differs from the manifest's"
        );
        Ok(())
    }
}

fn read_row(table: &Table, mut map: Map<String, Json>) -> Result<Values> {
    let mut row = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let name = &column.name;
        let value = match map.remove(name) {
            None | Some(Json::Null) if column.nullable => Value::Null,
            None | Some(Json::Null) => bail!("field {name:?} is missing"),
            Some(value) => read_value(column.kind, value).with_context(|| format!("field {name:?}"))?,
        };
        row.push(value);
    }
    if let Some(unknown) = map.keys().next() {
        bail!("field {unknown:?} is not one of the table {}", table.name);
    }
    Ok(row)
}

fn read_value(kind: Kind, value: Json) -> Result<Value<'static>> {
    Ok(match (kind, value) {
        (Kind::Text, Json::String(text)) => {
            ensure!(!text.contains('\0'), "a text with a NUL character");
            Value::Text(text.into())
        }
        (Kind::Int, Json::Number(number)) => Value::Int(whole(&number)?),
        (Kind::Bool, Json::Number(number)) => match whole(&number)? {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            other => bail!("expected 0 or 1, found {other}"),
        },
        (Kind::Real, Json::Number(number)) => Value::Real(number.as_f64().context("a number too large")?),
        (kind, other) => {
            let wanted = match kind {
                Kind::Text => "a text",
                Kind::Int => "a whole number",
                Kind::Bool => "0 or 1",
                Kind::Real => "a number",
            };
            let shown: String = other.to_string().chars().take(40).collect();
            bail!("expected {wanted}, found {shown}")
        }
    })
}

fn whole(number: &Number) -> Result<i64> {
    number
        .as_i64()
        .with_context(|| format!("expected a whole number, found {number}"))
}
