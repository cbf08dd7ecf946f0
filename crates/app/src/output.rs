//! What commands print: results to stdout, everything else to stderr.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// A line on stdout.
///
/// # Errors
/// When it cannot be written, on a full disk for example. Whoever closed the pipe has seen enough: that is no error.
pub fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the result cannot be written to stdout"),
    }
}

/// A line on stderr; where nobody can be told, nobody is.
pub fn note(text: impl AsRef<str>) {
    drop(writeln!(std::io::stderr().lock(), "{}", text.as_ref()));
}

/// An error with its causes in one line. A cause that the text before it tells already is left out.
pub fn explain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let text = text.trim();
        if told.is_empty() {
            text.clone_into(&mut told);
        } else if !told.contains(text) {
            told.push_str(": ");
            told.push_str(text);
        }
    }
    told
}

/// JSON on stdout.
///
/// # Errors
/// What cannot be JSON (a fault of the program), and those of [`line`].
pub fn json<T: Serialize>(value: &T) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// A table: columns as wide as their longest cell.
///
/// # Errors
/// Those of [`line`].
pub fn table(head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([head[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let write = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(cells.join("  ").trim_end())
    };
    write(head.to_vec())?;
    rows.iter()
        .try_for_each(|row| write(row.iter().map(String::as_str).collect()))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_is_told_once() {
        let error = anyhow!("connection refused")
            .context("the server: connection refused")
            .context("no database");
        assert_eq!(explain(&error), "no database: the server: connection refused");
        assert_eq!(explain(&anyhow!("line one\n")), "line one");
    }
}
