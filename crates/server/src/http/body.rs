//! Bodies: read up to their limit, and only those that are what they should be.

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use trunkline_domain::ErrorCode;

use super::error::ApiError;

/// The largest body a request may have.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Reads a whole body, up to the limit.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, `INVALID_REQUEST_BODY` when the client broke off.
pub(crate) async fn read_body(body: axum::body::Body) -> Result<Bytes, ApiError> {
    read_up_to(body, MAX_BODY_BYTES).await
}

/// As [`read_body`], up to a limit of the endpoint's own.
///
/// # Errors
/// As [`read_body`].
pub(crate) async fn read_up_to(body: axum::body::Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::new(ErrorCode::PayloadTooLarge)
            .message(format!("the body is larger than {limit} bytes"))),
        Err(_) => Err(ApiError::new(ErrorCode::InvalidRequestBody).message("the body broke off")),
    }
}

/// Refuses what is no JSON by its own account.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`.
pub(super) fn json_only(headers: &HeaderMap) -> Result<(), ApiError> {
    json_content_type(headers)?;
    no_content_encoding(headers)
}

fn json_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    {
        return Ok(());
    }
    let message = if value.is_empty() {
        "the body has no Content-Type".to_owned()
    } else {
        format!("the body has Content-Type {value:?}")
    };
    Err(ApiError::new(ErrorCode::UnsupportedMediaType)
        .message(message)
        .param("Content-Type")
        .suggestion("Send Content-Type: application/json."))
}

/// Compressed bodies are refused for what they are (RFC 9110, 8.4), not for being no JSON.
fn no_content_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(());
    };
    if coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedMediaType)
        .message(format!("the body has Content-Encoding {coding:?}"))
        .param("Content-Encoding")
        .suggestion("Send the body as it is, without Content-Encoding."))
}
