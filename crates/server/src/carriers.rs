//! Webhooks of carriers.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trunkline_domain::{ErrorCode, MediaId, PhoneNumber};
use trunkline_messaging::{Inbound, InboundError, Webhook, twilio};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{StoreError, TeamKey, directory};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::{Error as CommandError, Refused, Work, media as noted_media};

use crate::AppState;
use crate::http::body::read_body;
use crate::http::error::ApiError;
use crate::http::input::form_pairs;

/// An empty answer in TwiML: nothing is sent back to the person who texted.
const TWIML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>";

/// Twilio reports a text that came in: `To` is the team's number.
pub async fn twilio_messages(
    state: State<AppState>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(twilio(state, uri, headers, body, "To").await)
}

/// Twilio reports how a text that went out is doing: `From` is the team's number.
pub async fn twilio_status(
    state: State<AppState>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(twilio(state, uri, headers, body, "From").await)
}

fn answer(outcome: Result<(), ApiError>) -> Response {
    match outcome {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, "text/xml")], TWIML).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn twilio(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
    own: &str,
) -> Result<(), ApiError> {
    let bytes = read_body(body).await?;
    let fields = form_pairs(&String::from_utf8_lossy(&bytes));
    let url = format!(
        "{}{}",
        state.settings.public_url,
        uri.path_and_query().map_or("/", |path| path.as_str())
    );
    let signature = headers
        .get("x-twilio-signature")
        .and_then(|value| value.to_str().ok());
    let webhook = Webhook {
        url: &url,
        fields: &fields,
        signature,
    };
    // A number that is not ours has no token to check with: the same answer as a wrong signature.
    let forbidden = || ApiError::new(ErrorCode::CarrierSignatureInvalid);
    let number = webhook
        .field(own)
        .map(|text| text.strip_prefix("whatsapp:").unwrap_or(text));
    let number = number
        .and_then(|text| PhoneNumber::parse(text).ok())
        .ok_or_else(forbidden)?;
    let (team, line) = find_line(&state, number).await?.ok_or_else(forbidden)?;
    let settings = match &line.carrier_settings {
        Some(sealed) if line.carrier == twilio::NAME => Some(state.vault.open(&line.id.to_string(), sealed)?),
        _ => return Err(forbidden()),
    };
    let carrier = state.carriers.get(twilio::NAME).ok_or_else(forbidden)?;
    let inbound = carrier
        .inbound(&webhook, settings.as_deref())
        .map_err(|error| match error {
            InboundError::Signature => {
                tracing::warn!(
                    carrier = twilio::NAME,
                    "a webhook with a wrong signature was refused"
                );
                forbidden()
            }
            InboundError::Malformed(message) => {
                tracing::warn!(carrier = twilio::NAME, problem = %message, "a webhook of a carrier was refused");
                let suggestion = "Send the fields as the carrier describes them; texts of short codes and names are not taken.";
                ApiError::new(ErrorCode::InvalidRequestBody).message(message).suggestion(suggestion)
            }
        })?;
    match inbound {
        Inbound::Nothing => Ok(()),
        Inbound::Text(text) => take(&state, team, text).await,
        Inbound::Receipt {
            carrier_ref,
            text,
            report,
        } => {
            let outcome: Result<bool, CommandError> = state
                .board
                .run(team, move |work| {
                    messages::receipt(work, (twilio::NAME, &carrier_ref), text, &report)
                })
                .await;
            match outcome {
                // A receipt for a text that this server did not send.
                Err(CommandError::Refused(Refused {
                    code: ErrorCode::TextMessageNotFound,
                    ..
                })) => Ok(()),
                other => Ok(other.map(drop)?),
            }
        }
    }
}

/// Stores a text that came in. What it has of media is fetched and kept: the carrier would ask for credentials, and delete
/// it some day.
async fn take(state: &AppState, team: TeamKey, text: Receive) -> Result<(), ApiError> {
    let (links, public_url) = (state.media_links(), &state.settings.public_url);
    let media: Vec<(MediaId, String)> = text
        .media
        .iter()
        .map(|source| {
            (
                MediaId::new(state.board.ids().as_ref(), state.board.now()),
                source.clone(),
            )
        })
        .collect();
    let text = Receive {
        media: media
            .iter()
            .map(|(id, _)| links.for_event(public_url, team, *id))
            .collect(),
        ..text
    };
    let command = move |work: &mut Work<'_, '_>| -> Result<(), CommandError> {
        let id = messages::receive(work, &text)?;
        noted_media::note(work, id, &media)
    };
    Ok(state.board.run(team, command).await?)
}

async fn find_line(state: &AppState, number: PhoneNumber) -> Result<Option<(TeamKey, NumberRow)>, ApiError> {
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        let Some(team) = directory::find(conn, &directory::Entry::Number(number))? else {
            return Ok(None);
        };
        Ok(numbers::by_number(conn, team, number)?.map(|line| (team, line)))
    });
    Ok(read.await?)
}
