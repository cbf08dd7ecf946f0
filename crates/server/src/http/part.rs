//! Parts of files: players skip through a recording with them, and some play nothing without.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use range_requests::headers::range::HttpRange;
use range_requests::serve_file_with_http_range;

/// The part of a file that a client asks for. What cannot be read, and more than one part at once, is all of it
/// (RFC 9110, section 14.2); so is a part on condition, as our files have no validators (section 13.1.5).
#[derive(Clone, Copy, Debug)]
pub struct Part(Option<HttpRange>);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        if parts.headers.contains_key(header::IF_RANGE) {
            return Ok(Self(None));
        }
        let range = <HttpRange as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self(range))
    }
}

impl Part {
    /// Answers with the part of a file, or 416 where the file has no such part.
    pub fn of(self, file: Bytes, headers: HeaderMap) -> Response {
        let mut response = match serve_file_with_http_range(file, self.0) {
            Ok(part) => (headers, part).into_response(),
            Err(none) => none.into_response(),
        };
        let bytes = HeaderValue::from_static("bytes");
        response.headers_mut().insert(header::ACCEPT_RANGES, bytes);
        response
    }
}
