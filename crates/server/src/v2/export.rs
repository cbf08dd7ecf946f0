//! The timeline as a file: JSON lines or CSV, as long as it takes.
//!
//! An export is of the items that there are when it begins, oldest first. Each line carries a cursor, from which an
//! export that was cut off goes on: without gap and without repetition, whatever was stored meanwhile. It is read page
//! by page, each at a moment of its own, so that a client that reads slowly holds one page in memory and nothing of the
//! database. An answer that does not come to its end is cut off without the last chunk (RFC 9112, section 7.1), which
//! every client notices.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::sync::mpsc;
use trunkline_domain::analytics::date_of;
use trunkline_domain::{ErrorCode, Millis, PhoneNumber};
use trunkline_store::conversations::Position;
use trunkline_store::items::{self, Course};
use trunkline_store::search::{self, DayRange, ItemFilter, Order};
use trunkline_store::{Conn, TeamKey, numbers, teams};

use super::cursor::Exported;
use super::read_extend;
use super::search::{Kind, read_days};
use super::streams::{Place, refused};
use super::views::{self, Extend, ItemView};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead, Required};
use crate::http::csv::{self, harmless};
use crate::http::error::ApiError;
use crate::http::input::Query;

/// Items that are read at a time.
const PAGE: i64 = 200;

/// The same with transcripts, which may be long.
const PAGE_WITH_TRANSCRIPTS: i64 = 20;

/// How long a client may leave what it is sent before it is taken to be gone. It can go on from its cursor.
const PATIENCE: Duration = Duration::from_secs(300);

/// A call or a message, as it is exported.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ExportedItem)]
pub struct LineView {
    #[serde(flatten)]
    item: ItemView,
    /// The day it began on, in the team's time zone: the one that reports count it on.
    #[schema(value_type = String, format = Date, example = "2026-04-13")]
    day: Option<Date>,
    /// Calls: when somebody picked up; `null` where nobody did. `null` on messages.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Millis>,
    /// Calls: when it ended, `null` while it lasts. `null` on messages.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Millis>,
    /// Calls: seconds until somebody or the voicemail picked up, or until the end; `null` while it lasts. `null` on
    /// messages.
    #[schema(example = 7.25)]
    ringing_seconds: Option<f64>,
    /// Calls: seconds for which both sides spoke, 0 for voicemails; `null` while it lasts. `null` on messages.
    #[schema(example = 145)]
    talk_seconds: Option<i64>,
    /// Send it as `cursor` to go on behind this line.
    cursor: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    JsonLines,
    Csv,
}

/// An export, and how far it has come.
#[derive(Clone, Debug)]
struct Export {
    team: TeamKey,
    line: Option<PhoneNumber>,
    /// Without the line: that is looked up.
    filter: ItemFilter,
    extend: Extend,
    format: Format,
    /// What cursors belong to.
    of: String,
    /// `None`: it has not begun.
    position: Option<Exported>,
}

/// Export calls and texts
///
/// Every call and text of a range of days, oldest first, one a line: JSON objects (`application/x-ndjson`), or CSV with
/// `Accept: text/csv`. The export is of what there is when it begins; what is stored later is not in it. An answer that
/// is cut off has no last chunk: go on with the `cursor` of the last whole line. At most five exports run with one key.
#[utoipa::path(get, path = "/v2/api/export/items", operation_id = "exportItems", tag = "Analytics",
    params(
        ("from" = Option<String>, Query, description = "First day, in the team's time zone; without it, from the beginning", example = "2026-03-25"),
        ("to" = Option<String>, Query, description = "Last day, included; without it, to the end", example = "2026-04-21"),
        ("type" = Option<String>, Query, description = "`CALL`, `SMS` or `ALL` (default)", example = "CALL"),
        ("allo_number" = Option<String>, Query, description = "Only of this number of the team, in E.164 (`+` as `%2B`)", example = "+14155550100"),
        ("extend" = Option<String>, Query, description = "`transcript`: with the transcripts (JSON lines only)", example = "transcript"),
        ("cursor" = Option<String>, Query, description = "`cursor` of a line: go on behind it, with the same filters"),
    ),
    responses((status = 200, description = "Items, one a line", content(
        (LineView = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn items(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let mut export = read(query, &caller, csv::wants_csv(&headers))?;
    let place = state.exports.open(caller.owner.key_id)?;
    // What is wrong at the start is told as an error; later there is only the end of the connection.
    let is_new = export.position.is_none();
    let page = export.next(&state).await?;
    let format = export.format;
    let (sender, receiver) = mpsc::channel(1);
    let head = (is_new && format == Format::Csv).then(head);
    let run = run(export, state, headers, sender, head, page);
    tokio::spawn(async move {
        run.await;
        drop::<Place>(place);
    });
    let mut response = Response::new(Body::new(Parts {
        receiver,
        is_whole: false,
    }));
    let (content_type, disposition) = match format {
        Format::JsonLines => ("application/x-ndjson", "attachment; filename=\"items.jsonl\""),
        Format::Csv => (csv::CONTENT_TYPE, "attachment; filename=\"items.csv\""),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    // Proxies of nginx's kind would put all of it on their disk first.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

fn read(query: Query, caller: &Caller<ConversationsRead>, wants_csv: bool) -> Result<Export, ApiError> {
    let Query(mut input) = query;
    let team = caller.owner.team;
    let days = read_days(&mut input, &caller.owner.time_zone);
    let kind = input.name::<Kind>("type").and_then(|kind| kind.0);
    let line = input.phone("allo_number");
    let extend = read_extend(&mut input);
    if wants_csv && extend.transcript {
        let message = "CSV has no transcripts".to_owned();
        let suggestion =
            "Leave `extend` out, or ask for JSON lines (Accept: application/x-ndjson).".to_owned();
        input.fault_with(ErrorCode::UnsupportedExtendValue, "extend", message, suggestion);
    }
    let cursor = input.cursor();
    input.finish()?;
    let filter = ItemFilter {
        kind,
        days,
        ..ItemFilter::default()
    };
    let of = format!("export {team:?} {line:?} {filter:?}");
    let position = cursor.map(|text| Exported::read(&text, &of)).transpose()?;
    let format = if wants_csv { Format::Csv } else { Format::JsonLines };
    Ok(Export {
        team,
        line,
        filter,
        extend,
        format,
        of,
        position,
    })
}

/// Lines, and whether they are the last.
struct Page {
    bytes: Bytes,
    is_last: bool,
}

impl Export {
    /// Reads the next page and moves behind it.
    async fn next(&mut self, state: &AppState) -> Result<Page, ApiError> {
        self.extend.links = Some(state.media_links().of(self.team));
        let mut export = self.clone();
        let read = move |conn: &mut Conn<'_>| {
            conn.at_one_moment(|conn| {
                let page = export.read(conn)?;
                Ok::<_, ApiError>((page, export.position))
            })
        };
        let (page, position) = state.board.db().scan(read).await?;
        self.position = position;
        Ok(page)
    }

    fn read(&mut self, conn: &mut Conn<'_>) -> Result<Page, ApiError> {
        let start = match self.position {
            Some(position) => position,
            None => Exported {
                at: Millis(i64::MIN),
                seq: 0,
                last: items::last_seq(conn, self.team)?,
            },
        };
        let filter = self.filter_behind(conn, start)?;
        let size = if self.extend.transcript {
            PAGE_WITH_TRANSCRIPTS
        } else {
            PAGE
        };
        let behind = Position::Behind(start.at, start.seq);
        let seqs = search::page(conn, self.team, &filter, Order::OldestFirst, behind, size)?;
        let is_last = i64::try_from(seqs.len()).is_ok_and(|found| found < size);
        let details = items::details_by_seq(conn, self.team, &seqs)?;
        let courses = items::courses(conn, self.team, &seqs)?;
        let days = teams::days(conn, self.team)?;
        let zone = days.and_then(|days| TimeZone::get(&days.time_zone).ok());
        let zone = zone.unwrap_or(TimeZone::UTC);
        let mut position = start;
        let mut known = Vec::with_capacity(details.len());
        for detail in details {
            (position.at, position.seq) = (detail.at, detail.seq);
            // What came later is in no page, though it may belong before what is still to come.
            if detail.seq <= start.last
                && let Some(course) = courses.get(&detail.seq)
            {
                let day = date_of(detail.at.day_in(&zone).into());
                known.push((detail, (day, *course, position.write(&self.of))));
            }
        }
        self.position = Some(position);
        let mut rest = Vec::with_capacity(known.len());
        let mut details = Vec::with_capacity(known.len());
        for (detail, other) in known {
            details.push(detail);
            rest.push(other);
        }
        let views = views::items(conn, self.team, details, self.extend)?;
        let lines = views
            .into_iter()
            .zip(rest)
            .map(|(item, (day, course, cursor))| LineView::new(item, day, course, cursor));
        let bytes = match self.format {
            Format::JsonLines => json_lines(lines),
            Format::Csv => csv_lines(lines),
        };
        Ok(Page {
            bytes: bytes.map_err(|error| unwritable(&*error))?,
            is_last,
        })
    }

    /// The filter with its line looked up, and from where the last page ended: an index is entered there.
    fn filter_behind(&self, conn: &mut Conn<'_>, start: Exported) -> Result<ItemFilter, ApiError> {
        let mut filter = self.filter.clone();
        if let Some(number) = self.line {
            let line = numbers::line_of(conn, self.team, number)?;
            let unknown = || ApiError::new(ErrorCode::PhoneNumberNotFound).param("allo_number");
            filter.line = Some(line.ok_or_else(unknown)?);
        }
        let days = filter.days.unwrap_or(DayRange {
            first: i64::from(i32::MIN),
            last: i64::from(i32::MAX),
            from: Millis(i64::MIN),
            until: Millis(i64::MAX),
        });
        filter.days = Some(DayRange {
            from: days.from.max(start.at),
            ..days
        });
        Ok(filter)
    }
}

fn unwritable(error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::error!(error, "a line of an export could not be written");
    ApiError::new(ErrorCode::InternalServerError)
}

impl LineView {
    fn new(item: ItemView, day: Option<Date>, course: Course, cursor: String) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one call")]
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        Self {
            item,
            day,
            answered_at: course.answered_at,
            ended_at: course.ended_at,
            ringing_seconds: course.ringing_ms.map(seconds),
            talk_seconds: course.talk_seconds,
            cursor,
        }
    }
}

type Unwritable = Box<dyn std::error::Error + Send + Sync>;

fn json_lines(lines: impl Iterator<Item = LineView>) -> Result<Bytes, Unwritable> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, &line)?;
        bytes.push(b'\n');
    }
    Ok(bytes.into())
}

/// The columns of CSV.
const COLUMNS: [&str; 27] = [
    "id",
    "type",
    "direction",
    "date",
    "day",
    "allo_number",
    "contact_number",
    "contact_ids",
    "contact_names",
    "companies",
    "user_id",
    "user_name",
    "user_email",
    "result",
    "duration",
    "answered_at",
    "ended_at",
    "ringing_seconds",
    "talk_seconds",
    "tags",
    "summary",
    "recording_url",
    "content",
    "status",
    "message_type",
    "segments",
    "cursor",
];

/// The first line of CSV.
fn head() -> Bytes {
    Bytes::from(format!("{}\r\n", COLUMNS.join(",")))
}

fn csv_lines(lines: impl Iterator<Item = LineView>) -> Result<Bytes, Unwritable> {
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(cells(&line))?;
    }
    Ok(writer.into_inner()?.into())
}

/// A line as CSV has it. Several of a kind stand in one cell, with semicolons between them.
fn cells(line: &LineView) -> [String; COLUMNS.len()] {
    fn shown<T: ToString>(value: Option<T>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    fn text(value: Option<&str>) -> String {
        harmless(value.unwrap_or_default()).into_owned()
    }
    let item = &line.item;
    let of_contacts = |part: &dyn Fn(&views::ContactView) -> String| {
        let parts: Vec<String> = item.contacts.iter().map(part).collect();
        parts.join("; ")
    };
    let user = item.user.as_ref();
    [
        item.id.to_string(),
        item.kind.as_str().to_owned(),
        item.direction.as_str().to_owned(),
        item.date.timestamp().to_string(),
        shown(line.day),
        shown(item.allo_number),
        item.contact_number.to_string(),
        of_contacts(&|contact| contact.id.to_string()),
        text(Some(&of_contacts(&|contact| contact.name.clone()))),
        text(Some(&of_contacts(&|contact| {
            contact
                .company
                .as_ref()
                .map(|company| company.name.clone())
                .unwrap_or_default()
        }))),
        shown(user.map(|user| user.id)),
        text(user.map(|user| user.name.as_str())),
        text(user.map(|user| user.email.as_str())),
        shown(item.result),
        shown(item.duration),
        shown(line.answered_at.map(Millis::timestamp)),
        shown(line.ended_at.map(Millis::timestamp)),
        shown(line.ringing_seconds),
        shown(line.talk_seconds),
        text(Some(&item.tags.join("; "))),
        text(item.summary.as_deref()),
        shown(item.recording_url.as_ref()),
        text(item.content.as_deref()),
        shown(item.status.map(trunkline_domain::MessageStatus::as_str)),
        shown(item.message_type.map(trunkline_domain::MessageType::as_str)),
        shown(item.segments),
        line.cursor.clone(),
    ]
}

/// What the body is made of.
enum Part {
    Lines(Bytes),
    /// Everything was sent.
    End,
}

/// A body that fails where its end does not come.
struct Parts {
    receiver: mpsc::Receiver<Part>,
    is_whole: bool,
}

/// The export was given up; its client can go on from the last line.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        self.receiver.poll_recv(cx).map(|part| match part {
            Some(Part::Lines(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Part::End) => {
                self.is_whole = true;
                None
            }
            None => Some(Err(CutOff)),
        })
    }
}

async fn run(
    export: Export,
    state: AppState,
    headers: HeaderMap,
    sender: mpsc::Sender<Part>,
    head: Option<Bytes>,
    first: Page,
) {
    tokio::select! {
        () = send_all(export, &state, &sender, head, first) => {}
        () = sender.closed() => {}
        () = state.stop.cancelled() => {}
        () = refused(&state, &headers, &ConversationsRead::ACCESS) => {}
    }
}

/// Sends all pages, and the end.
async fn send_all(
    mut export: Export,
    state: &AppState,
    sender: &mpsc::Sender<Part>,
    head: Option<Bytes>,
    first: Page,
) {
    let mut page = first;
    if let Some(head) = head
        && !send(sender, Part::Lines(head)).await
    {
        return;
    }
    loop {
        if !page.bytes.is_empty() && !send(sender, Part::Lines(page.bytes)).await {
            return;
        }
        if page.is_last {
            send(sender, Part::End).await;
            return;
        }
        page = match export.next(state).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(error.code = error.code.as_str(), "an export is cut off");
                return;
            }
        };
    }
}

/// Hands a part over when the client is ready for it; tells whether it was.
async fn send(sender: &mpsc::Sender<Part>, part: Part) -> bool {
    matches!(
        tokio::time::timeout(PATIENCE, sender.send(part)).await,
        Ok(Ok(()))
    )
}
