//! The same figures as lines: one figure a line, so that a sheet or a script can filter and pivot them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use trunkline_domain::ErrorCode;

use super::{MetricView, Number, PointView};
use crate::http::csv::{CONTENT_TYPE, harmless};
use crate::http::error::ApiError;

/// One figure.
pub(super) struct Row {
    part: &'static str,
    key: String,
    name: String,
    metric: &'static str,
    value: Option<Number>,
    previous: Option<Number>,
    change: Option<f64>,
}

impl Row {
    /// A figure that has nothing to be compared with. `key` and `name` tell whose or which one it is.
    pub(super) fn new(
        part: &'static str,
        key: String,
        name: String,
        metric: &'static str,
        value: Option<Number>,
    ) -> Self {
        let (previous, change) = (None, None);
        Self {
            part,
            key,
            name,
            metric,
            value,
            previous,
            change,
        }
    }

    /// A figure with its comparison.
    pub(super) fn metric(
        part: &'static str,
        key: &str,
        name: &str,
        metric: &'static str,
        view: MetricView,
    ) -> Self {
        let MetricView {
            value,
            previous,
            change,
        } = view;
        Self {
            previous,
            change,
            ..Self::new(part, key.to_owned(), name.to_owned(), metric, Some(value))
        }
    }
}

/// A series, a line for each bucket.
pub(super) fn series(metric: &'static str, points: &[PointView]) -> impl Iterator<Item = Row> {
    points.iter().map(move |point| {
        Row::new(
            "time_series",
            point.date.to_string(),
            String::new(),
            metric,
            Some(point.value),
        )
    })
}

/// 200 with the lines (RFC 4180), to be saved as `name`.csv.
pub(super) fn answer(name: &str, rows: &[Row]) -> Response {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(64 * rows.len()));
    let written = write(&mut writer, rows)
        .and_then(|()| writer.into_inner().map_err(|error| error.into_error().into()));
    match written {
        Ok(body) => {
            let disposition = format!("attachment; filename=\"{name}.csv\"");
            let headers = [
                (header::CONTENT_TYPE, CONTENT_TYPE),
                (header::CONTENT_DISPOSITION, disposition.as_str()),
                (header::VARY, "accept"),
            ];
            (StatusCode::OK, headers, body).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "an answer could not be written");
            ApiError::new(ErrorCode::InternalServerError).into_response()
        }
    }
}

fn write(writer: &mut csv::Writer<Vec<u8>>, rows: &[Row]) -> Result<(), csv::Error> {
    writer.write_record(["part", "key", "name", "metric", "value", "previous", "change"])?;
    for row in rows {
        writer.write_record([
            row.part,
            &row.key,
            &harmless(&row.name),
            row.metric,
            &text(row.value),
            &text(row.previous),
            &text(row.change.map(Number::Real)),
        ])?;
    }
    Ok(())
}

fn text(number: Option<Number>) -> String {
    match number {
        Some(Number::Whole(number)) => number.to_string(),
        Some(Number::Real(number)) => number.to_string(),
        None => String::new(),
    }
}
