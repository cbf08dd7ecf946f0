//! What clients send about an endpoint, checked.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderName;
use trunkline_domain::ErrorCode;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::topic;
use trunkline_store::numbers::NumberRow;
use trunkline_switchboard::webhooks::Header;
use trunkline_webhooks::address::{EndpointUrl, UrlFault};

use crate::Webhooks;
use crate::http::error::ApiError;
use crate::http::input::Input;

/// The longest description, in characters.
pub(super) const MAX_DESCRIPTION: usize = 500;

/// The most entries in a filter on numbers.
const MAX_LINES: usize = 100;

/// The most extra headers, and the most characters of a name or value.
const MAX_HEADERS: usize = 20;
const MAX_HEADER: usize = 1_000;

/// How long a name may take to be resolved.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Longer than any list of topics without repetitions.
const MAX_TOPICS: usize = 200;

/// Headers that are not the client's to set: those of a connection (RFC 9110, section 7.6.1), and those that every
/// delivery has.
const OWN_HEADERS: [&str; 13] = [
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "date",
];

/// What names of headers must not begin with: what belongs to the body, and to Standard Webhooks.
const OWN_PREFIXES: [&str; 2] = ["content-", "webhook-"];

/// Reads `url`, if it is there.
pub(super) fn read_url(input: &mut Input, webhooks: &Webhooks) -> Option<EndpointUrl> {
    let text = input.text("url", usize::MAX)?;
    match EndpointUrl::parse(&text, &webhooks.allowed) {
        Ok(url) => Some(url),
        Err(fault) => {
            let code = match fault {
                UrlFault::TooLong => ErrorCode::InvalidLength,
                UrlFault::Unreadable | UrlFault::Credentials | UrlFault::Fragment => {
                    ErrorCode::InvalidParameter
                }
                UrlFault::NotHttps | UrlFault::LocalName | UrlFault::Address(_) => {
                    ErrorCode::WebhookUrlNotAllowed
                }
            };
            let suggestion = fault.suggestion().to_owned();
            input.fault_with(code, "url", fault.to_string(), suggestion);
            None
        }
    }
}

/// Refuses a URL whose host has no address, or one that may not be called. Names change their addresses, so each
/// delivery looks again; this is for telling whoever saves the endpoint.
pub(super) async fn resolve(url: &EndpointUrl, webhooks: &Webhooks) -> Result<(), ApiError> {
    let refused = |message: String, suggestion: &str| {
        Err(ApiError::new(ErrorCode::WebhookUrlNotAllowed)
            .param("url")
            .message(message)
            .suggestion(suggestion))
    };
    let host = url.host();
    let spelling = "Check the spelling of the host, and that its name is published.";
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let looked_up = tokio::time::timeout(RESOLVE_LIMIT, webhooks.resolver.resolve(bare, url.port())).await;
    let addresses: Vec<SocketAddr> = match looked_up {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the host of a webhook is not known"
            );
            return refused(format!("the host {host} cannot be resolved"), spelling);
        }
        Err(_) => {
            let seconds = RESOLVE_LIMIT.as_secs();
            return refused(
                format!("the host {host} could not be resolved within {seconds} seconds"),
                spelling,
            );
        }
    };
    if addresses.is_empty() {
        return refused(format!("the host {host} has no address"), spelling);
    }
    for address in addresses {
        if let Err(why) = webhooks.allowed.may_dial(host, address) {
            // Not where it leads: what a name means inside of the operator's network is not for clients to learn.
            let message = format!("the host {host} may not be called: {why}");
            return refused(message, UrlFault::Address(why).suggestion());
        }
    }
    Ok(())
}

/// Reads `topics`, if it is there; each once.
pub(super) fn read_topics(input: &mut Input) -> Option<Vec<Topic>> {
    let names = input.texts("topics", MAX_TOPICS)?;
    let allowed = || format!("Use some of: {}.", topic::NAMES.join(", "));
    if names.is_empty() {
        let message = "topics must name at least one event".to_owned();
        input.fault_with(ErrorCode::MissingParameter, "topics", message, allowed());
        return None;
    }
    let mut topics: Vec<Topic> = Vec::with_capacity(names.len());
    for name in names {
        match topic::parse(&name) {
            Ok(topic) if topics.contains(&topic) => {}
            Ok(topic) => topics.push(topic),
            Err(_) => {
                let name: String = name.chars().take(100).collect();
                let message = format!("there is no event {name:?}");
                input.fault_with(ErrorCode::InvalidEventType, "topics", message, allowed());
                return None;
            }
        }
    }
    Some(topics)
}

/// Reads `allo_numbers`, if it is there: numbers and sender ids among `lines`, the team's.
pub(super) fn read_lines(input: &mut Input, lines: &[NumberRow]) -> Option<Vec<i64>> {
    let names = input.texts("allo_numbers", MAX_LINES)?;
    if names.is_empty() {
        let message = "allo_numbers is empty, so nothing would pass".to_owned();
        let suggestion = "Name some of the team's numbers, or send null for all of them.".to_owned();
        input.fault_with(ErrorCode::InvalidParameter, "allo_numbers", message, suggestion);
        return None;
    }
    let mut chosen = Vec::with_capacity(names.len());
    for name in names {
        match lines.iter().find(|line| line.label() == name) {
            Some(line) if chosen.contains(&line.line) => {}
            Some(line) => chosen.push(line.line),
            None => {
                let name: String = name.chars().take(100).collect();
                let message = format!("{name:?} is no number and no sender id of the team");
                let suggestion = "Take them from GET /v2/api/numbers.".to_owned();
                input.fault_with(
                    ErrorCode::PhoneNumberNotFound,
                    "allo_numbers",
                    message,
                    suggestion,
                );
                return None;
            }
        }
    }
    Some(chosen)
}

/// Reads `headers`, if it is there.
pub(super) fn read_headers(input: &mut Input) -> Option<Vec<Header>> {
    let pairs = input.pairs("headers", MAX_HEADERS)?;
    let mut headers: Vec<Header> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let again = headers.iter().any(|known| known.name.eq_ignore_ascii_case(&name));
        let fault = if again {
            Some("is there twice; upper and lower case are the same in names of headers")
        } else {
            header_fault(&name, &value)
        };
        if let Some(fault) = fault {
            let shown: String = name.chars().take(100).collect();
            let message = format!("the header {shown:?} {fault}");
            let suggestion = "Use names such as X-Tenant, and values of visible ASCII characters.".to_owned();
            input.fault_with(ErrorCode::InvalidParameter, "headers", message, suggestion);
            return None;
        }
        headers.push(Header { name, value });
    }
    Some(headers)
}

fn header_fault(name: &str, value: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if name.len() > MAX_HEADER || value.len() > MAX_HEADER {
        return Some("has a name or a value of more than 1,000 characters");
    }
    if HeaderName::try_from(name).is_err() {
        return Some("has a name that is none");
    }
    if OWN_HEADERS.contains(&lower.as_str()) || OWN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Some("is set by the server itself");
    }
    let visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !value.bytes().all(visible) || value.trim() != value {
        return Some("has a value that a header cannot have");
    }
    None
}
