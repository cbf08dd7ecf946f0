//! Twilio: texts and delivery receipts come in by its webhooks (form-encoded, signed with `X-Twilio-Signature`), texts go
//! out by its Messages resource.
//!
//! Twilio knows no idempotency key. So a text whose hand-over ended without an answer is looked for first, among the
//! texts between the two numbers; and the address for receipts names our id, so that a receipt finds its text even when
//! it overtakes the answer that would have told Twilio's.
//!
//! The signature is the base64 of an HMAC-SHA1, keyed with the account's auth token, over the URL that Twilio
//! called followed by every form field's name and value, sorted by name (Twilio, "Webhooks security").

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use trunkline_domain::{Clock, MessageId, MessageStatus, Millis, PhoneNumber};
use trunkline_switchboard::messages::{Outgoing, Receive, Report};

use crate::carrier::{Accepted, Carrier, Found, Inbound, InboundError, SendError, Webhook};

/// The carrier's name.
pub const NAME: &str = "twilio";

/// How long a request to Twilio may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The parameter of the address for receipts that holds our id.
const OWN_ID: &str = "text";

/// So many texts between two numbers are asked for at a time when one is looked for that may have been taken.
const PAGE_SIZE: &str = "200";

/// So many such pages are looked through.
const MAX_PAGES: usize = 50;

/// How long that may take. With the hand-over that follows it must stay within a worker's lease.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// How far Twilio's clock may be from ours, in milliseconds.
const CLOCKS_DIFFER: i64 = 2 * Millis::MINUTE;

/// The most media of one message, as Twilio documents it.
const MAX_MEDIA: usize = 10;

/// What a line stores for Twilio. Has no `Debug`: it holds the auth token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Settings {
    /// `AC…`.
    pub account_sid: String,
    /// The account's auth token.
    pub auth_token: String,
}

/// The carrier.
pub struct Twilio {
    http: reqwest::Client,
    base_url: String,
    status_callback: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Twilio {
    /// A carrier that speaks to `base_url` (normally `https://api.twilio.com`) and asks for receipts at
    /// `{public_url}/carriers/twilio/status`, if the public URL is one that Twilio can reach.
    #[must_use]
    pub fn new(http: reqwest::Client, base_url: &str, public_url: &str, clock: Arc<dyn Clock>) -> Self {
        let reachable = public_url.starts_with("https://");
        Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            status_callback: reachable.then(|| format!("{public_url}/carriers/twilio/status")),
            clock,
        }
    }

    async fn hand_over(&self, text: &Outgoing, settings: Option<&str>) -> Result<Accepted, SendError> {
        let settings = read_settings(settings)
            .ok_or_else(|| SendError::Refused("the line has no Twilio credentials".into()))?;
        let from = text.line.label();
        let mut form = vec![
            ("From", from.as_str()),
            ("To", text.to.as_str()),
            ("Body", text.content.as_str()),
        ];
        form.extend(text.media.iter().map(|url| ("MediaUrl", url.as_str())));
        let callback = self
            .status_callback
            .as_ref()
            .map(|url| format!("{url}?{OWN_ID}={}", text.id));
        form.extend(callback.iter().map(|url| ("StatusCallback", url.as_str())));
        let request = self.request(Method::POST, &settings).form(&form);
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let answer: Answer = response.json().await.unwrap_or_default();
        if status.is_success() {
            let carrier_ref = answer
                .sid
                .ok_or_else(|| SendError::Unknown("the answer names no message".into()))?;
            return Ok(Accepted {
                carrier_ref,
                follow_up: None,
            });
        }
        Err(refusal(status, answer))
    }

    async fn look_for(
        &self,
        text: &Outgoing,
        since: Millis,
        settings: Option<&str>,
    ) -> Result<Found, SendError> {
        let Some(settings) = read_settings(settings) else {
            return Ok(Found::CannotTell);
        };
        let (from, words) = (text.line.label(), text.content.trim());
        // Twilio's clock may differ from ours, and it tells whole seconds.
        let since = since.plus(-CLOCKS_DIFFER);
        let query = [
            ("From", from.as_str()),
            ("To", text.to.as_str()),
            ("PageSize", PAGE_SIZE),
        ];
        let mut request = self.request(Method::GET, &settings).query(&query);
        let mut like = Vec::new();
        for _ in 0..MAX_PAGES {
            let page = read_page(request).await?;
            let is_recent = |listed: &&Listed| listed.created().is_none_or(|at| at >= since);
            let mut any_recent = false;
            for listed in page.messages.iter().filter(is_recent) {
                any_recent = true;
                if listed.body.trim() == words {
                    like.push(listed.sid.clone());
                }
            }
            // They come with the newest first: behind a page of old ones there are only older ones.
            let next = page.next_page_uri.filter(|_| any_recent);
            let Some(next) = next.filter(|uri| !uri.is_empty()) else {
                like.reverse();
                return Ok(Found::Like(like));
            };
            if !next.starts_with('/') {
                return Err(SendError::Unknown("the list of texts goes on elsewhere".into()));
            }
            request = self.authorized(Method::GET, format!("{}{next}", self.base_url), &settings);
        }
        Err(SendError::Unknown(
            "there are too many texts between the two numbers to tell whether it is one of them".into(),
        ))
    }

    fn request(&self, method: Method, settings: &Settings) -> RequestBuilder {
        let url = format!(
            "{}/2010-04-01/Accounts/{}/Messages.json",
            self.base_url, settings.account_sid
        );
        self.authorized(method, url, settings)
    }

    fn authorized(&self, method: Method, url: String, settings: &Settings) -> RequestBuilder {
        self.http
            .request(method, url)
            .basic_auth(&settings.account_sid, Some(&settings.auth_token))
            .timeout(TIMEOUT)
    }
}

/// A page of Twilio's list of messages.
async fn read_page(request: RequestBuilder) -> Result<List, SendError> {
    let response = request.send().await.map_err(unanswered)?;
    let status = response.status();
    if !status.is_success() {
        return Err(refusal(status, response.json().await.unwrap_or_default()));
    }
    let unreadable = |error: reqwest::Error| SendError::Unknown(error.without_url().to_string());
    response.json().await.map_err(unreadable)
}

/// No answer came. Without a connection nothing was asked either.
fn unanswered(error: reqwest::Error) -> SendError {
    let refused = error.is_connect();
    let reason = error.without_url().to_string();
    if refused {
        SendError::Down(reason)
    } else {
        SendError::Unknown(reason)
    }
}

/// Twilio said no. "Too many requests" passes, and 5xx may have come after the text was taken; everything else is about
/// the text or the account.
fn refusal(status: StatusCode, answer: Answer) -> SendError {
    let reason = match (answer.code, answer.message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => format!("status {status}"),
    };
    if status == StatusCode::TOO_MANY_REQUESTS {
        SendError::Down(reason)
    } else if status.is_server_error() {
        SendError::Unknown(reason)
    } else {
        SendError::Refused(reason)
    }
}

/// `Fri, 24 May 2019 17:44:46 +0000`.
fn rfc_2822(text: &str) -> Option<Millis> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Millis(zoned.timestamp().as_millisecond()))
}

#[derive(Default, Deserialize)]
struct Answer {
    sid: Option<String>,
    code: Option<i64>,
    message: Option<String>,
}

/// A page of Twilio's list of messages.
#[derive(Deserialize)]
struct List {
    messages: Vec<Listed>,
    /// Path and query of the next page; nothing on the last.
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    #[serde(default)]
    body: String,
    date_created: Option<String>,
}

impl Listed {
    fn created(&self) -> Option<Millis> {
        self.date_created.as_deref().and_then(rfc_2822)
    }
}

fn read_settings(settings: Option<&str>) -> Option<Settings> {
    serde_json::from_str(settings?).ok()
}

/// The signature of a request.
#[must_use]
pub fn signature(auth_token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    // A key of any length is a key of HMAC: making one cannot fail.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else {
        return String::new();
    };
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

impl Carrier for Twilio {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs_settings(&self) -> bool {
        true
    }

    fn media_authorization(&self, url: &Url, settings: &str) -> Option<String> {
        let settings = read_settings(Some(settings))?;
        let own = Url::parse(&self.base_url).ok()?;
        let named = format!("{}:{}", settings.account_sid, settings.auth_token);
        (url.origin() == own.origin()).then(|| format!("Basic {}", STANDARD.encode(named)))
    }

    fn find<'s>(
        &'s self,
        text: &'s Outgoing,
        since: Millis,
        settings: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Found, SendError>> + Send + 's>> {
        Box::pin(async move {
            let look = self.look_for(text, since, settings);
            let slow = || SendError::Unknown("the list of texts did not come in time".into());
            tokio::time::timeout(LOOK_TIMEOUT, look)
                .await
                .map_err(|_| slow())?
        })
    }

    fn send<'s>(
        &'s self,
        text: &'s Outgoing,
        settings: Option<&'s str>,
    ) -> Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + Send + 's>> {
        Box::pin(self.hand_over(text, settings))
    }

    fn inbound(&self, webhook: &Webhook<'_>, settings: Option<&str>) -> Result<Inbound, InboundError> {
        let settings = read_settings(settings).ok_or(InboundError::Signature)?;
        let given = webhook.signature.ok_or(InboundError::Signature)?;
        let expected = signature(&settings.auth_token, webhook.url, webhook.fields);
        if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
            return Err(InboundError::Signature);
        }
        read(webhook, self.clock.as_ref())
    }
}

fn read(webhook: &Webhook<'_>, clock: &dyn Clock) -> Result<Inbound, InboundError> {
    let malformed = |what: &str| InboundError::Malformed(what.to_owned());
    let reference = webhook
        .field("MessageSid")
        .or_else(|| webhook.field("SmsSid"))
        .filter(|sid| !sid.is_empty());
    let reference = reference.ok_or_else(|| malformed("there is no MessageSid"))?;
    // Receipts and texts share fields; a receipt has a status other than "received".
    let status = webhook
        .field("MessageStatus")
        .or_else(|| webhook.field("SmsStatus"))
        .unwrap_or("received");
    if status != "received" && status != "receiving" {
        let Some(status) = receipt_status(status) else {
            return Ok(Inbound::Nothing);
        };
        let failure_reason = webhook
            .field("ErrorCode")
            .filter(|code| !code.is_empty())
            .map(|code| format!("Twilio error {code}"));
        let report = Report {
            status,
            carrier_ref: Some(reference.to_owned()),
            failure_reason,
        };
        return Ok(Inbound::Receipt {
            carrier_ref: reference.to_owned(),
            text: own_id(webhook.url),
            report,
        });
    }
    let number = |field: &str| -> Result<PhoneNumber, InboundError> {
        let text = webhook
            .field(field)
            .ok_or_else(|| InboundError::Malformed(format!("there is no {field}")))?;
        // WhatsApp addresses are numbers with a prefix.
        let text = text.strip_prefix("whatsapp:").unwrap_or(text);
        PhoneNumber::parse(text).map_err(|error| InboundError::Malformed(format!("{field}: {error}")))
    };
    let count: usize = webhook
        .field("NumMedia")
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    let media = (0..count.min(MAX_MEDIA))
        .filter_map(|i| webhook.field(&format!("MediaUrl{i}")).map(str::to_owned))
        .collect();
    Ok(Inbound::Text(Receive {
        line: number("To")?,
        from: number("From")?,
        content: webhook.field("Body").unwrap_or_default().to_owned(),
        media,
        carrier: NAME,
        carrier_ref: Some(reference.to_owned()),
        at: clock.now(),
    }))
}

/// Our id of a text, in the address that a receipt was sent to.
fn own_id(url: &str) -> Option<MessageId> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, id) = pairs.find(|(name, _)| *name == OWN_ID)?;
    MessageId::parse(id).ok()
}

/// What a status of Twilio's is to us; `None` for one that says nothing new.
fn receipt_status(status: &str) -> Option<MessageStatus> {
    match status {
        "sent" => Some(MessageStatus::Sent),
        "delivered" | "read" => Some(MessageStatus::Delivered),
        "failed" | "undelivered" | "canceled" => Some(MessageStatus::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::{ManualClock, Millis};

    use super::*;

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Worked out independently with Python's hmac module over the same URL, fields and token.
    #[test]
    fn the_signature_covers_url_and_sorted_fields() {
        let fields = pairs(&[
            ("To", "+18005551212"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
        ]);
        let url = "https://example.com/myapp.php?foo=1&bar=2";
        assert_eq!(signature("12345", url, &fields), "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    }

    #[test]
    fn texts_media_and_receipts_are_read() {
        let clock = ManualClock::new(Millis(5));
        let fields = pairs(&[
            ("MessageSid", "SM1"),
            ("From", "+14155551234"),
            ("To", "+14155550100"),
            ("Body", "hello"),
            ("NumMedia", "2"),
            ("MediaUrl0", "https://a.example/0"),
            ("MediaUrl1", "https://a.example/1"),
        ]);
        let webhook = Webhook {
            url: "",
            fields: &fields,
            signature: None,
        };
        let Ok(Inbound::Text(text)) = read(&webhook, &clock) else {
            panic!("a text")
        };
        assert_eq!(
            (text.content.as_str(), text.media.len(), text.at),
            ("hello", 2, Millis(5))
        );
        let fields = pairs(&[
            ("MessageSid", "SM1"),
            ("MessageStatus", "undelivered"),
            ("ErrorCode", "30003"),
        ]);
        let webhook = Webhook {
            url: "",
            fields: &fields,
            signature: None,
        };
        let Ok(Inbound::Receipt { report, .. }) = read(&webhook, &clock) else {
            panic!("a receipt")
        };
        assert_eq!(
            (report.status, report.failure_reason.as_deref()),
            (MessageStatus::Failed, Some("Twilio error 30003"))
        );
        let fields = pairs(&[("MessageSid", "SM1"), ("MessageStatus", "queued")]);
        assert!(matches!(
            read(
                &Webhook {
                    url: "",
                    fields: &fields,
                    signature: None
                },
                &clock
            ),
            Ok(Inbound::Nothing)
        ));
        assert!(matches!(
            read(
                &Webhook {
                    url: "",
                    fields: &[],
                    signature: None
                },
                &clock
            ),
            Err(InboundError::Malformed(_))
        ));
    }
}
