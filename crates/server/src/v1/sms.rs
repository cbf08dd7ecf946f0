//! Sending texts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::sms::rules::{Fields, MAX_CHARACTERS, Outgoing};
use trunkline_domain::{Direction, ErrorCode, MessageId, MessageStatus, Millis, PhoneNumber};
use trunkline_switchboard::Error as CommandError;
use trunkline_switchboard::texts::{self, Submitted};

use crate::AppState;
use crate::http::auth::{Caller, SmsSend};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, Sent};
use crate::http::reply::Data;

/// The most media of one text.
const MAX_MEDIA: usize = 10;

/// The longest URL of a medium, in bytes.
const MAX_URL: usize = 2_000;

/// A text to be sent. The sender is `from` (or `allo_number`, which means the same) or `sender_id`, the text `message` (or
/// `content`, which means the same).
#[derive(utoipa::ToSchema)]
#[schema(as = SendSMSRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SendSms {
    /// A number of the team, in E.164.
    #[schema(example = "+14155550100")]
    from: Option<String>,
    /// Another name of `from`.
    allo_number: Option<String>,
    /// A sender id of the team, in place of a number.
    sender_id: Option<String>,
    /// The recipient in E.164, of the sender's country.
    #[schema(example = "+14155551234")]
    to: String,
    /// The text.
    #[schema(min_length = 1, max_length = 1_000, example = "Your order is ready.")]
    message: Option<String>,
    /// Another name of `message`.
    #[schema(max_length = 1_000)]
    content: Option<String>,
    /// Ours: media that go with the text, at most 10 URLs from which the carrier fetches them. The line needs the
    /// capability `MMS`.
    #[schema(max_items = 10)]
    media_urls: Option<Vec<String>>,
}

/// A text that was accepted.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TextMessage)]
pub struct SentView {
    /// The number it goes out from; `null` with a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    from_number: Option<PhoneNumber>,
    /// The sender id it goes out from; `null` with a number.
    sender_id: Option<String>,
    /// To whom.
    #[schema(value_type = String, example = "+14155551234")]
    to_number: PhoneNumber,
    /// `OUTBOUND`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "OUTBOUND")]
    direction: Direction,
    /// The text.
    #[schema(example = "Your order is ready.")]
    content: String,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    start_date: Millis,
    /// Ours: its id, as events and the timeline carry it.
    #[schema(value_type = String, example = "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: MessageId,
    /// Ours: `PENDING`. Events tell how it goes on: `sms.sent`, `sms.delivered`, `sms.failed`.
    #[schema(value_type = String, example = "PENDING")]
    status: MessageStatus,
    /// Ours: into how many parts it is cut on its way.
    #[schema(example = 1)]
    segments: usize,
    /// Ours: media that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    media_urls: Vec<String>,
}

/// Send a text
///
/// Answers as soon as the text is stored; it then goes to the carrier, in order within its conversation, and events tell
/// how it fares. A number sends within its own country; in the US and in Canada it must be registered for A2P.
#[utoipa::path(post, path = "/v1/api/sms", operation_id = "sendSMS", tag = "SMS", request_body = SendSms,
    responses((status = 200, description = "The text is on its way", body = Data<SentView>)))]
pub async fn send(
    caller: Caller<SmsSend>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let [from, allo_number, sender_id, to, message, content] =
        ["from", "allo_number", "sender_id", "to", "message", "content"]
            .map(|name| input.text(name, usize::MAX));
    let media = media_urls(&mut input);
    for (names, text) in [
        (
            &["from", "allo_number", "sender_id"][..],
            "Say in `from` or `sender_id` which line of the team sends the text",
        ),
        (&["to"], "Say in `to` who gets the text"),
        (&["message", "content"], "Say in `message` what the text is"),
    ] {
        if names.iter().all(|name| input.sent(name) != Sent::Value) {
            input.fault(ErrorCode::MissingParameter, names[0], text);
        }
    }
    input.finish()?;
    let fields = Fields {
        from: from.as_deref(),
        sender_id: sender_id.as_deref(),
        allo_number: allo_number.as_deref(),
        to: to.as_deref(),
        message: message.as_deref(),
        content: content.as_deref(),
    };
    let text = Outgoing::read(&fields).map_err(CommandError::from)?;
    let (policy, user) = (state.texts.clone(), caller.owner.user_id);
    commit(&state, &caller, StatusCode::OK, move |work| {
        let sent = texts::submit(work, &text, &media, Some(user), &policy)?;
        Ok(view(sent, &text, &media))
    })
    .await
}

fn view(sent: Submitted, text: &Outgoing, media: &[String]) -> SentView {
    SentView {
        from_number: sent.line.number,
        sender_id: sent.line.sender_id,
        to_number: sent.to,
        direction: Direction::Outbound,
        content: text.content.clone(),
        start_date: sent.at,
        id: sent.id,
        status: MessageStatus::Pending,
        segments: sent.segments.segments,
        media_urls: media.to_vec(),
    }
}

fn media_urls(input: &mut Input) -> Vec<String> {
    let urls = input.texts("media_urls", MAX_MEDIA).unwrap_or_default();
    let fetchable = |url: &String| {
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let whole =
            |host: &str| host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
        url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic()) && host.is_some_and(whole)
    };
    if let Some(place) = urls.iter().position(|url| !fetchable(url)) {
        let message = format!("media_urls[{place}] is no URL that a carrier can fetch");
        let suggestion = format!("Send https://…, percent-encoded, at most {MAX_URL} characters.");
        input.fault_with(ErrorCode::InvalidParameter, "media_urls", message, suggestion);
    }
    urls
}

const _: () = assert!(MAX_CHARACTERS == 1_000, "the description says so");
