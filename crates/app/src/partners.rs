//! What partners may do, and who decides about their bills: the section `partners` of the configuration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::json;
use trunkline_domain::{Millis, PhoneNumber};
use trunkline_messaging::{sandbox, twilio};
use trunkline_server::partners::{Allow, Billing, Decision, Partners, Refusal, Seat};
use trunkline_switchboard::partners::Policy;

/// How long the decision about a seat may take.
pub const BILLING_LIMIT: Duration = Duration::from_secs(10);

/// The section. Has no useful `Debug`: it may hold secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    pub numbers: Vec<String>,
    pub carrier: String,
    pub twilio_account_sid: String,
    pub twilio_auth_token: String,
    pub rest_days: u32,
    pub max_accounts: i64,
    pub billing_url: String,
    pub billing_token: String,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            numbers: Vec::new(),
            carrier: sandbox::NAME.into(),
            twilio_account_sid: String::new(),
            twilio_auth_token: String::new(),
            rest_days: 90,
            max_accounts: 0,
            billing_url: String::new(),
            billing_token: String::new(),
        }
    }
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partners {{ {} numbers, <hidden> }}", self.numbers.len())
    }
}

/// What the operator decides about partners.
///
/// # Errors
/// A number that is none or is there twice, a carrier that is not known or lacks its credentials, a negative limit, an
/// address that is none: each named.
pub fn policy(config: &Section) -> Result<Policy> {
    let mut pool = Vec::new();
    let mut known = BTreeSet::new();
    for text in &config.numbers {
        let number = PhoneNumber::parse(text).with_context(|| {
            format!("partners.numbers: {text:?} is not in E.164 form, such as +14155550100")
        })?;
        ensure!(known.insert(number), "partners.numbers: {number} is there twice");
        pool.push(number);
    }
    let credentials = [&config.twilio_account_sid, &config.twilio_auth_token];
    let given = credentials.iter().filter(|text| !text.is_empty()).count();
    let carrier_settings = match config.carrier.as_str() {
        sandbox::NAME if given == 0 => None,
        sandbox::NAME => bail!("partners.twilio_… is of use with partners.carrier = \"twilio\" only"),
        twilio::NAME if given == credentials.len() => {
            let settings = twilio::Settings {
                account_sid: config.twilio_account_sid.clone(),
                auth_token: config.twilio_auth_token.clone(),
            };
            Some(serde_json::to_string(&settings)?)
        }
        twilio::NAME => {
            bail!("partners.carrier twilio needs partners.twilio_account_sid and partners.twilio_auth_token")
        }
        other => bail!("partners.carrier: {other:?} is not known; use sandbox or twilio"),
    };
    ensure!(
        config.max_accounts >= 0,
        "partners.max_accounts must be a whole number from 0 (no limit)"
    );
    address(config)?;
    Ok(Policy {
        pool,
        carrier: config.carrier.clone(),
        carrier_settings,
        rest: i64::from(config.rest_days) * Millis::DAY,
        seats: (config.max_accounts > 0).then_some(config.max_accounts),
    })
}

/// Where the decision about a seat is asked for.
fn address(config: &Section) -> Result<Option<Url>> {
    if config.billing_url.is_empty() {
        ensure!(
            config.billing_token.is_empty(),
            "partners.billing_token is of use with partners.billing_url only"
        );
        return Ok(None);
    }
    let url: Url = config.billing_url.parse().context("partners.billing_url")?;
    ensure!(
        ["http", "https"].contains(&url.scheme()) && url.host().is_some(),
        "partners.billing_url must be an address such as https://billing.example.com/seats"
    );
    Ok(Some(url))
}

/// Everything about partners; `client` is what the decision about a seat is asked with.
///
/// # Errors
/// As [`policy`].
pub fn partners(config: &Section, client: Client) -> Result<Partners> {
    let billing: Arc<dyn Billing> = match address(config)? {
        Some(url) => Arc::new(Asked {
            client,
            url,
            token: config.billing_token.clone(),
        }),
        None => Arc::new(Allow),
    };
    Ok(Partners {
        policy: Arc::new(policy(config)?),
        billing,
    })
}

/// A service of the operator's decides.
struct Asked {
    client: Client,
    url: Url,
    token: String,
}

impl Billing for Asked {
    fn decide<'d>(&'d self, seat: &'d Seat) -> Decision<'d> {
        Box::pin(async move {
            let body = json!({
                "partner": seat.partner, "email": seat.email, "partner_client_ref": seat.client_ref,
            });
            let mut request = self.client.post(self.url.clone()).json(&body);
            if !self.token.is_empty() {
                request = request.bearer_auth(&self.token);
            }
            match request.send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                Ok(answer) if answer.status() == StatusCode::PAYMENT_REQUIRED => {
                    Err(Refusal::NotBillable(None))
                }
                Ok(answer) => {
                    tracing::warn!(http.status = answer.status().as_u16(), "no decision about a seat");
                    Err(Refusal::Failed(None))
                }
                Err(error) => {
                    let error = error.without_url();
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "no decision about a seat"
                    );
                    Err(Refusal::Failed(None))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use trunkline_domain::{Millis, SeededIds, TeamId};

    use super::*;
    use crate::outgoing;

    /// Answers one request with this status, and hands over what it was sent.
    async fn answering(status: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/seats", listener.local_addr().unwrap());
        let answered = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            while !got.ends_with(b"}") {
                stream.read_buf(&mut got).await.unwrap();
            }
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(got).unwrap()
        });
        (url, answered)
    }

    #[tokio::test]
    async fn a_service_decides_about_seats() {
        outgoing::choose_cryptography();
        let seat = Seat {
            partner: TeamId::new(&SeededIds::new(1), Millis(1_700_000_000_000)),
            email: "client@example.com".into(),
            client_ref: None,
        };
        let client = || outgoing::http(Some(BILLING_LIMIT), std::path::Path::new("")).unwrap();
        for (status, expected) in [
            ("204 No Content", Ok(())),
            ("402 Payment Required", Err(Refusal::NotBillable(None))),
            ("500 Internal Server Error", Err(Refusal::Failed(None))),
            ("302 Found", Err(Refusal::Failed(None))),
        ] {
            let (billing_url, answered) = answering(status).await;
            let section = Section {
                billing_url,
                billing_token: "secret".into(),
                ..Section::default()
            };
            let partners = partners(&section, client()).unwrap();
            assert_eq!(partners.billing.decide(&seat).await, expected, "{status}");
            let sent = answered.await.unwrap();
            assert!(sent.starts_with("POST /seats "), "{sent}");
            assert!(
                sent.to_lowercase().contains("authorization: bearer secret"),
                "{sent}"
            );
            assert!(sent.contains("\"email\":\"client@example.com\""), "{sent}");
        }
        let section = Section {
            // Nobody listens there.
            billing_url: "http://127.0.0.1:9/".into(),
            ..Section::default()
        };
        let partners = partners(&section, client()).unwrap();
        assert_eq!(partners.billing.decide(&seat).await, Err(Refusal::Failed(None)));
    }

    #[test]
    fn mistakes_are_named() {
        type Change = fn(&mut Section);
        let with = |change: Change| {
            let mut section = Section::default();
            change(&mut section);
            policy(&section).map(drop)
        };
        with(|_| ()).unwrap();
        let cases: [(Change, &str); 8] = [
            (|s| s.numbers = vec!["12".into()], "partners.numbers: \"12\""),
            (
                |s| s.numbers = vec!["+14155550100".into(), "+14155550100".into()],
                "+14155550100 is there twice",
            ),
            (|s| s.carrier = "pigeon".into(), "partners.carrier: \"pigeon\""),
            (|s| s.carrier = "twilio".into(), "partners.twilio_account_sid"),
            (
                |s| s.twilio_auth_token = "x".into(),
                "partners.carrier = \"twilio\" only",
            ),
            (|s| s.max_accounts = -1, "partners.max_accounts"),
            (|s| s.billing_url = "ftp://x/".into(), "partners.billing_url must"),
            (|s| s.billing_token = "x".into(), "partners.billing_token"),
        ];
        for (change, told) in cases {
            let error = with(change).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
        let hidden = Section {
            billing_token: "secret".into(),
            ..Section::default()
        };
        assert!(!format!("{hidden:?}").contains("secret"));
    }
}
