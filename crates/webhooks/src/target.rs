//! What is known of an endpoint while messages go to it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use trunkline_domain::{DeliveryId, EndpointId, Millis};
use trunkline_store::StoreError;
use trunkline_store::crypto::Vault;
use trunkline_store::webhooks::EndpointRow;
use trunkline_switchboard::webhooks::{self as commands, Header, SigningSecret};

use crate::signature::{Secret, sign};

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Who sends, as receivers see it.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("trunkline/", env!("CARGO_PKG_VERSION")));

/// An endpoint with its secrets opened. Has no `Debug`: it holds them.
pub struct Target {
    /// The endpoint.
    pub id: EndpointId,
    /// Where messages go.
    pub url: Uri,
    /// The version of the row it was made from.
    pub version: i64,
    headers: HeaderMap,
    /// Newest first, each with the instant from which it signs no more.
    secrets: Vec<(Secret, Option<Millis>)>,
}

/// Why an endpoint cannot be sent anything, whoever answers at its URL.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Its secrets cannot be opened or read.
    #[error("the secrets of endpoint {0} cannot be opened with the configured key")]
    Sealed(EndpointId),
    /// The URL is none.
    #[error("the URL of endpoint {0} cannot be used")]
    Url(EndpointId),
}

impl Target {
    /// Opens the secrets of an endpoint.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn open(vault: &Vault, row: &EndpointRow) -> Result<Self, TargetError> {
        let sealed = |_: StoreError| TargetError::Sealed(row.id);
        let secrets: Vec<SigningSecret> = commands::open_secrets(vault, row).map_err(sealed)?;
        let mut opened = Vec::with_capacity(secrets.len());
        for SigningSecret { secret, until } in secrets {
            let secret = Secret::parse(&secret).map_err(|_| TargetError::Sealed(row.id))?;
            opened.push((secret, until));
        }
        let mut headers = HeaderMap::with_capacity(8);
        for Header { name, value } in commands::open_headers(vault, row).map_err(sealed)? {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, USER_AGENT);
        Ok(Self {
            id: row.id,
            url: row.url.parse().map_err(|_| TargetError::Url(row.id))?,
            version: row.version,
            headers,
            secrets: opened,
        })
    }

    /// The headers of an attempt at `now`: those of Standard Webhooks, signed with every secret that is still valid,
    /// and the endpoint's own.
    #[must_use]
    pub fn headers(&self, id: DeliveryId, body: &Bytes, now: Millis) -> HeaderMap {
        let valid = self
            .secrets
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            .map(|(secret, _)| secret);
        let (id_text, seconds) = (id.to_string(), now.unix_seconds());
        let signature = sign(valid, &id_text, seconds, body);
        let mut headers = self.headers.clone();
        // Ids and base64 are visible ASCII.
        if let (Ok(id), Ok(signature)) = (HeaderValue::try_from(id_text), HeaderValue::try_from(signature)) {
            headers.insert(WEBHOOK_ID, id);
            headers.insert(WEBHOOK_SIGNATURE, signature);
        }
        headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(seconds));
        headers
    }
}
