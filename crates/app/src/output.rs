//! What commands print: results to stdout, everything else to stderr.

use serde::Serialize;

/// A line on stdout.
#[expect(clippy::print_stdout, reason = "the one place that prints results")]
pub fn line(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// A line on stderr.
#[expect(
    clippy::print_stderr,
    reason = "the one place that talks to the person at the terminal"
)]
pub fn note(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// JSON on stdout.
///
/// # Errors
/// What cannot be JSON: a fault of the program.
pub fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table: columns as wide as their longest cell.
pub fn table(head: &[&str], rows: &[Vec<String>]) {
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
        line(cells.join("  ").trim_end());
    };
    write(head.to_vec());
    for row in rows {
        write(row.iter().map(String::as_str).collect());
    }
}
