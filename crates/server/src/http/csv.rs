//! Answers as CSV (RFC 4180) for clients that ask for it.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};

/// The media type of CSV whose first line names the columns (RFC 7111).
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// Whether CSV is what the client would rather have (RFC 9110, section 12.5.1; weights decide, then the order).
pub(crate) fn wants_csv(headers: &HeaderMap) -> bool {
    let mut best: Option<(f32, bool)> = None;
    let values = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let is_csv = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "text/csv" | "text/*" => true,
            "application/json" | "application/x-ndjson" | "application/*" | "*/*" => false,
            _ => continue,
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, is_csv));
        }
    }
    best.is_some_and(|(_, is_csv)| is_csv)
}

/// What people wrote is their own: a text that a sheet would take for a formula is given as a text, behind an
/// apostrophe.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}
