//! Files of people, CSV or JSON lines, read into rows.

use serde_json::{Map, Value};
use trunkline_domain::{ErrorCode, PhoneNumber, full_name, text};
use trunkline_store::imports::RowError;

/// The most rows a file may have.
pub const MAX_ROWS: usize = 100_000;

/// The most columns of a file, and fields of a row: more than a team can have properties.
const MAX_COLUMNS: usize = 512;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// A JSON object a line.
    JsonLines,
}

/// A row: its line in the file, and its fields.
pub type FileRow = (u64, Map<String, Value>);

/// What a file has.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Rows that could be read.
    pub rows: Vec<FileRow>,
    /// Those that could not.
    pub errors: Vec<RowError>,
}

/// Why a file is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It has more than [`MAX_ROWS`] rows.
    #[error("the file has more than {MAX_ROWS} rows; split it")]
    TooManyRows,
    /// The header cannot be read.
    #[error("the header of the file cannot be read: {0}")]
    Header(String),
}

impl Parsed {
    /// How many rows the file has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.rows.len() + self.errors.len()
    }
}

/// Reads a file. What is wrong with a row is told of that row, and the others are read all the same.
///
/// # Errors
/// [`FileError`].
pub fn parse(bytes: &[u8], format: Format) -> Result<Parsed, FileError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(FileError::Empty);
    }
    match format {
        Format::Csv => csv_rows(bytes),
        Format::JsonLines => json_rows(bytes),
    }
}

fn csv_rows(bytes: &[u8]) -> Result<Parsed, FileError> {
    let mut parsed = Parsed::default();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let names: Vec<String> = match reader.headers() {
        Ok(header) => header
            .iter()
            .map(|name| name.to_lowercase().replace([' ', '-'], "_"))
            .collect(),
        Err(error) => return Err(FileError::Header(error.to_string())),
    };
    if names.len() > MAX_COLUMNS {
        let message = format!(
            "it has {} columns, and at most {MAX_COLUMNS} are read",
            names.len()
        );
        return Err(FileError::Header(message));
    }
    for record in reader.records() {
        if parsed.total() >= MAX_ROWS {
            return Err(FileError::TooManyRows);
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                parsed.errors.push(unreadable(line, &error.to_string()));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > names.len() {
            let message = format!("the row has {} fields, the header {}", record.len(), names.len());
            parsed.errors.push(unreadable(line, &message));
            continue;
        }
        // An empty cell says nothing: what is there stays.
        let cells = names
            .iter()
            .zip(record.iter())
            .filter(|(_, cell)| !cell.is_empty());
        let fields = cells
            .map(|(name, cell)| (name.clone(), Value::from(cell)))
            .collect();
        parsed.rows.push((line, fields));
    }
    Ok(parsed)
}

fn json_rows(bytes: &[u8]) -> Result<Parsed, FileError> {
    let mut parsed = Parsed::default();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if parsed.total() >= MAX_ROWS {
            return Err(FileError::TooManyRows);
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(fields)) if fields.len() > MAX_COLUMNS => {
                let message = format!(
                    "the row has {} fields, and at most {MAX_COLUMNS} are read",
                    fields.len()
                );
                parsed.errors.push(unreadable(line, &message));
            }
            Ok(Value::Object(fields)) => parsed.rows.push((line, fields)),
            Ok(_) => parsed
                .errors
                .push(unreadable(line, "the line is JSON, but no object")),
            Err(error) => parsed
                .errors
                .push(unreadable(line, &format!("the line is no JSON: {error}"))),
        }
    }
    Ok(parsed)
}

fn unreadable(line: u64, message: &str) -> RowError {
    RowError::new(line, None, ErrorCode::InvalidRequestBody, message)
}

/// What a person is known by.
pub(crate) struct Whose<'k> {
    /// Numbers that nobody else has.
    pub(crate) numbers: Vec<PhoneNumber>,
    /// Numbers that somebody else has too.
    pub(crate) shared_numbers: &'k [PhoneNumber],
    /// E-mail addresses that nobody else has, in lower case.
    pub(crate) emails: &'k [String],
    /// E-mail addresses that somebody else has too.
    pub(crate) shared_emails: &'k [String],
    /// First and last name together.
    pub(crate) names: &'k [String],
}

/// Whether a row of a file is about this person.
pub(crate) fn is_about(fields: &Map<String, Value>, whose: &Whose<'_>, country: &str) -> bool {
    let written = |names: &[&'static str]| list(fields, names).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim);
    let name = full_name(text("name"), text("last_name")).map(|name| text::fold(&name));
    let is_named = whose
        .names
        .iter()
        .any(|own| name.as_ref() == Some(&text::fold(own)));
    let same = |text: &String| {
        let number = PhoneNumber::parse_any(text, country);
        number.is_ok_and(|number| {
            whose.numbers.contains(&number) || is_named && whose.shared_numbers.contains(&number)
        })
    };
    if written(&["numbers", "number", "phone_number", "phone"])
        .iter()
        .any(same)
    {
        return true;
    }
    written(&["emails", "email"]).iter().any(|email| {
        let email = email.to_lowercase();
        whose.emails.contains(&email) || is_named && whose.shared_emails.contains(&email)
    })
}

/// A list, or one text with semicolons (or bars) between its entries, under the first of these names that is there.
pub(crate) fn list<'n>(fields: &Map<String, Value>, names: &[&'n str]) -> Result<Vec<String>, &'n str> {
    for name in names {
        return match fields.get(*name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => Ok(text
                .split([';', '|'])
                .map(|entry| entry.trim().to_owned())
                .filter(|entry| !entry.is_empty())
                .collect()),
            Some(Value::Array(entries)) => entries
                .iter()
                .map(|entry| entry.as_str().map(|text| text.trim().to_owned()).ok_or(*name))
                .collect(),
            Some(_) => Err(*name),
        };
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_with_nothing_in_it_is_none() {
        for nothing in ["", " \n\r\n", "\u{feff}", "\u{feff}\n"] {
            for format in [Format::Csv, Format::JsonLines] {
                let refused = parse(nothing.as_bytes(), format).unwrap_err();
                assert_eq!(refused, FileError::Empty, "{nothing:?}");
            }
        }
        assert_eq!(parse(b"name,numbers\n", Format::Csv).unwrap().total(), 0);
    }

    #[test]
    fn csv_is_read_by_its_header() {
        let file =
            "\u{feff}Name, Last Name ,numbers\nNora,\"Lind\nqvist\",+1\n,,\nBob\nToo,many,fields,here\n";
        let parsed = parse(file.as_bytes(), Format::Csv).unwrap();
        let rows: Vec<(u64, Value)> = parsed
            .rows
            .into_iter()
            .map(|(line, fields)| (line, fields.into()))
            .collect();
        let nora = json!({ "name": "Nora", "last_name": "Lind\nqvist", "numbers": "+1" });
        assert_eq!(rows, [(2, nora), (4, json!({})), (5, json!({ "name": "Bob" }))]);
        assert_eq!(
            parsed.errors.iter().map(|error| error.row).collect::<Vec<_>>(),
            [6]
        );
    }

    #[test]
    fn json_is_read_line_by_line() {
        let file = "{\"name\": \"Nora\"}\r\n\n[]\n{\"name\": }\n{}";
        let parsed = parse(file.as_bytes(), Format::JsonLines).unwrap();
        assert_eq!(parsed.rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(
            parsed.errors.iter().map(|error| error.row).collect::<Vec<_>>(),
            [3, 4]
        );
        assert_eq!(parse(b"name\n\xff\xfe\n", Format::Csv).unwrap().errors.len(), 1);
    }

    #[test]
    fn a_file_has_so_many_rows_and_no_more() {
        let most = format!("name\n{}", "x\n".repeat(MAX_ROWS));
        assert_eq!(parse(most.as_bytes(), Format::Csv).unwrap().total(), MAX_ROWS);
        assert_eq!(
            parse(format!("{most}x\n").as_bytes(), Format::Csv).unwrap_err(),
            FileError::TooManyRows
        );
        let most = "{}\n".repeat(MAX_ROWS + 1);
        assert_eq!(
            parse(most.as_bytes(), Format::JsonLines).unwrap_err(),
            FileError::TooManyRows
        );
    }
}
