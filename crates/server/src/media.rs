//! Media of texts that came in: links that are valid for a while, and what they lead to.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trunkline_domain::webhook::AttemptError;
use trunkline_domain::{ErrorCode, MediaId, MediaState, Millis};
use trunkline_messaging::media::{Answer, Fetch, FetchError, MediaError};
use trunkline_store::{StoreError, TeamKey, media};
use trunkline_webhooks::Client;

use crate::AppState;
use crate::http::error::ApiError;
use crate::http::input::{PathParams, form_pairs};
use crate::http::part::Part;

/// For how long a link in an answer is valid.
const IN_ANSWERS: i64 = Millis::DAY;

/// For how long a link in an event is valid: longer than the event is delivered again.
const IN_EVENTS: i64 = 30 * Millis::DAY;

/// How long the storage may take to give a medium.
const READ_LIMIT: Duration = Duration::from_secs(15);

/// Signs links to media. Shows nothing of its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MediaLinks {
    key: [u8; 32],
    now: Millis,
}

impl fmt::Debug for MediaLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaLinks")
    }
}

impl MediaLinks {
    /// Links that are made at `now`.
    #[must_use]
    pub const fn new(key: [u8; 32], now: Millis) -> Self {
        Self { key, now }
    }

    /// A link for an event.
    #[must_use]
    pub fn for_event(&self, public_url: &str, team: TeamKey, id: MediaId) -> String {
        self.link(&format!("{public_url}/media/{}/{id}", team.0), IN_EVENTS)
    }

    /// The links that this team may have renewed.
    #[must_use]
    pub const fn of(self, team: TeamKey) -> TeamLinks {
        TeamLinks { links: self, team }
    }

    fn link(&self, address: &str, valid_for: i64) -> String {
        let expires = self.now.plus(valid_for).unix_seconds();
        let signature = self
            .signature(address, expires)
            .map(|mac| mac.finalize().into_bytes());
        let signature = signature
            .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
            .unwrap_or_default();
        format!("{address}?expires={expires}&signature={signature}")
    }

    /// What is signed is the path, so that links survive another public address.
    fn signature(&self, address: &str, expires: i64) -> Option<Hmac<Sha256>> {
        let path = &address[address.rfind("/media/")?..];
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(format!("{path}?{expires}").as_bytes());
        Some(mac)
    }

    fn is_signed(&self, address: &str, query: &str) -> bool {
        let pairs = form_pairs(query);
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let (Some(expires), Some(signature)) = (expires(query), field("signature")) else {
            return false;
        };
        let Ok(given) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        self.signature(address, expires)
            .is_some_and(|mac| mac.verify_slice(&given).is_ok())
    }

    /// Whether a link leads anywhere now.
    fn opens(&self, path: &str, query: &str) -> bool {
        self.is_signed(path, query) && expires(query).is_some_and(|at| at > self.now.unix_seconds())
    }
}

fn expires(query: &str) -> Option<i64> {
    let pairs = form_pairs(query);
    pairs.iter().find(|(key, _)| key == "expires")?.1.parse().ok()
}

/// Signs links for those who may read what a team has: links to media of that team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamLinks {
    links: MediaLinks,
    team: TeamKey,
}

impl TeamLinks {
    /// The same link, valid from now on; `None` for what is no link of ours, or leads to another team's media: a text
    /// may be sent with any link in it.
    #[must_use]
    pub fn renewed(&self, url: &str) -> Option<String> {
        let (address, query) = url.split_once('?')?;
        let path = &address[address.rfind("/media/")?..];
        let is_own = path.starts_with(&format!("/media/{}/", self.team.0));
        (is_own && self.links.is_signed(address, query)).then(|| self.links.link(address, IN_ANSWERS))
    }
}

/// A medium, to whoever has a link that is valid.
pub async fn serve(
    State(state): State<AppState>,
    path: PathParams<2>,
    uri: Uri,
    part: Part,
) -> Result<Response, ApiError> {
    let PathParams([team, id]) = path;
    let links = state.media_links();
    if !links.opens(uri.path(), uri.query().unwrap_or_default()) {
        return Err(ApiError::new(ErrorCode::Forbidden)
            .message("this link is not valid, or not any more")
            .suggestion("Read the text once more: its `media_urls` are valid for a day."));
    }
    let gone = || ApiError::new(ErrorCode::TextMessageNotFound).message("there is no such medium");
    let team = TeamKey(team.parse().map_err(|_| gone())?);
    let id = MediaId::parse(&id).map_err(|_| gone())?;
    let read =
        move |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> { media::get(conn, team, id) };
    let row = state.board.db().read(read).await?.ok_or_else(gone)?;
    match row.state {
        MediaState::Pending => {
            return Err(ApiError::new(ErrorCode::ServiceUnavailable)
                .message("the medium is being fetched from the carrier"));
        }
        MediaState::Failed => {
            let reason = row.failure_reason.unwrap_or_default();
            return Err(gone().message(format!("the medium could not be fetched: {reason}")));
        }
        MediaState::Kept => {}
    }
    let bytes = match tokio::time::timeout(READ_LIMIT, state.media.get(team, id)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(MediaError::Missing)) => {
            tracing::error!(media.id = %id, team.key = team.0, "a medium that was kept is not in the storage any more");
            return Err(gone().message("the medium is not kept any more"));
        }
        Ok(Err(MediaError::Failed(error))) => return Err(unreadable(team, id, &error)),
        Err(_) => return Err(unreadable(team, id, "the storage takes too long")),
    };
    Ok(part.of(bytes, headers(row.content_type.as_deref(), id)))
}

/// The storage has it, and does not give it now.
fn unreadable(team: TeamKey, id: MediaId, error: &str) -> ApiError {
    tracing::warn!(media.id = %id, team.key = team.0, error, "a medium could not be read");
    ApiError::new(ErrorCode::ServiceUnavailable).message("media cannot be read at the moment")
}

/// It comes from a stranger: browsers must show it as what it is, run nothing of it, and save what is no picture, sound
/// or film.
fn headers(content_type: Option<&str>, id: MediaId) -> HeaderMap {
    let kind = content_type.unwrap_or("application/octet-stream");
    let shown = ["image/", "audio/", "video/"]
        .iter()
        .any(|family| kind.starts_with(family));
    let disposition = if shown {
        "inline".to_owned()
    } else {
        format!("attachment; filename=\"{id}\"")
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Fetches with the client of webhooks, which dials public addresses and those that the operator allows.
pub struct Guarded(pub Client);

impl Fetch for Guarded {
    fn get<'f>(
        &'f self,
        url: &'f str,
        authorization: Option<&'f str>,
        limit: usize,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, FetchError>> + Send + 'f>> {
        Box::pin(async move {
            let uri: Uri = url
                .parse()
                .map_err(|_| FetchError::Never("the carrier gave no URL".to_owned()))?;
            let mut headers = HeaderMap::new();
            if let Some(value) = authorization.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(header::AUTHORIZATION, value);
            }
            let got = self
                .0
                .get(uri, headers, limit)
                .await
                .map_err(|error| match error {
                    AttemptError::ForbiddenAddress => {
                        FetchError::Never("the carrier's address is not public".to_owned())
                    }
                    AttemptError::TooLarge => {
                        FetchError::Never("the medium is too large to be kept".to_owned())
                    }
                    other => FetchError::Later(format!("the carrier could not be reached: {other}")),
                })?;
            let text = |name: header::HeaderName| {
                let value = got.headers.get(name).and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            Ok(Answer {
                status: got.status,
                content_type: text(header::CONTENT_TYPE),
                location: text(header::LOCATION),
                body: got.body,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    #[test]
    fn a_link_opens_what_it_was_made_for_until_it_expires() {
        let (now, id) = (
            Millis(1_776_679_200_000),
            MediaId::new(&SeededIds::new(1), Millis(5)),
        );
        let links = MediaLinks::new([7; 32], now);
        let link = links.for_event("https://phone.example", TeamKey(3), id);
        let opens = |links: MediaLinks, link: &str| {
            let (path, query) = link
                .strip_prefix("https://phone.example")
                .unwrap()
                .split_once('?')
                .unwrap();
            links.opens(path, query)
        };
        let at = |ms| MediaLinks::new([7; 32], now.plus(ms));
        assert!(opens(links, &link) && opens(at(IN_EVENTS - 1_000), &link));
        assert!(!opens(at(IN_EVENTS), &link), "it has expired");
        assert!(!opens(MediaLinks::new([8; 32], now), &link), "another key");
        assert!(
            !opens(links, &link.replace("/media/3/", "/media/4/")),
            "another team"
        );
        assert!(
            !opens(links, &link.replace("expires=1", "expires=2")),
            "another time"
        );
        assert!(!opens(links, &link[..link.len() - 1]));
        // The public address may have such a part of its own.
        let nested = links.for_event("https://phone.example/media/pbx", TeamKey(3), id);
        assert!(opens(links, &nested.replace("/media/pbx", "")));
        // Renewed when it is read again, however old it is.
        let later = at(400 * Millis::DAY);
        let renewed = later.of(TeamKey(3)).renewed(&link).unwrap();
        assert!(opens(later, &renewed) && !opens(at(402 * Millis::DAY), &renewed));
        assert_eq!(later.of(TeamKey(4)).renewed(&link), None, "another team's");
        for foreign in [
            "https://elsewhere.example/a.png",
            "https://x.example/media/1/2?expires=9&signature=AA",
            "",
        ] {
            assert_eq!(links.of(TeamKey(1)).renewed(foreign), None);
        }
        assert_eq!(format!("{links:?}"), "MediaLinks");
    }
}
