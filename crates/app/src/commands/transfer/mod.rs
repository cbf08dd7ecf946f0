//! Taking a team out of an installation, and bringing it into another: a folder of JSON lines with a manifest.
//!
//! `docs/operations.md` describes the folder. A line is a row: the table's columns by name, those that are NULL left out,
//! truth values as 0 and 1. The manifest tells the length and hash of each file, so that what was cut short or changed is
//! noticed before anything is brought in.

pub mod export;
pub mod import;
mod lines;
mod secrets;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

/// The version of the folder's format.
pub const FORMAT: u32 = 1;

/// The name of the manifest: it is written last.
pub const MANIFEST: &str = "manifest.json";

/// The folder of media within the folder.
pub const MEDIA: &str = "media";

/// What is in the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The program that wrote it.
    pub program: String,
    /// The version of the database's schema, which the tables' columns are of.
    pub schema: i64,
    /// When, in UTC.
    pub exported_at: String,
    pub team: TeamEntry,
    pub files: Vec<FileEntry>,
    pub media: Vec<MediaEntry>,
}

/// The team.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamEntry {
    pub id: String,
    pub name: String,
    /// The key it had where it comes from: links to media have it.
    pub key: i64,
}

/// The rows of a table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub table: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
}

/// A file in the folder of media.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaEntry {
    pub id: String,
    pub bytes: u64,
    pub sha256: String,
}

/// The name of the file with a table's rows.
pub fn file_name(table: &str) -> String {
    format!("{table}.jsonl")
}

/// A bar on a terminal; nothing elsewhere.
fn bar(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    let template = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
