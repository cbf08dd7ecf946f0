//! Mails: admins are told that an endpoint was disabled, invitations get to whom they are for. Only where the operator has
//! configured an SMTP server.
//!
//! The command that gives occasion to a mail stores a job with it; so a mail is neither forgotten nor sent for something
//! that was rolled back. A server that cannot be reached is tried again, with growing pauses, for about two days.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio_util::sync::CancellationToken;
use trunkline_domain::events::EndpointDisabled;
use trunkline_domain::{InvitationId, Millis, Role, UserStatus};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::{StoreError, TeamKey, teams, users};
use trunkline_switchboard::invitations::{self, INVITATION_MAIL_JOB, Letter};
use trunkline_switchboard::webhooks::DISABLED_MAIL_JOB;
use trunkline_switchboard::{Error as CommandError, Switchboard};

const KINDS: [&str; 2] = [DISABLED_MAIL_JOB, INVITATION_MAIL_JOB];

/// How often jobs are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long handing a mail to the server may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// For how long a claimed job is this process's: longer than its mails may take.
const LEASE_MS: i64 = 30 * Millis::MINUTE;

/// The most recipients of one notice.
const MOST_ADMINS: usize = 50;

/// How often a mail is tried: after 1, 2, 4, … minutes, at most 6 hours apart.
const ATTEMPTS: i64 = 16;
const LONGEST_PAUSE_MS: i64 = 6 * Millis::HOUR;

/// An SMTP server, and from whom mails come. Has no `Debug`: the URL may hold a password.
#[derive(Clone)]
pub struct Mailer {
    transport: Arc<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
}

/// Why no mail can be sent with this configuration. Never tells the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The URL is none.
    #[error("the SMTP URL cannot be used ({0}); write smtps://user:password@host or smtp://host:25")]
    Url(String),
    /// The sender is no address.
    #[error("{0:?} is no sender; write an address such as Trunkline <phone@example.com>")]
    From(String),
}

impl Mailer {
    /// A mailer for `url` (`smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://host:25`).
    ///
    /// # Errors
    /// [`MailerError`].
    pub fn new(url: &str, from: &str) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|error| MailerError::Url(error.to_string()))?
            .timeout(Some(TIME_LIMIT))
            .build();
        Ok(Self {
            transport: Arc::new(transport),
            from: from.parse().map_err(|_| MailerError::From(from.to_owned()))?,
        })
    }

    async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), String> {
        let to: Mailbox = to
            .parse()
            .map_err(|_| "the recipient's address cannot be used".to_owned())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(|error| error.to_string())?;
        match tokio::time::timeout(TIME_LIMIT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            // What the server says may hold the recipient's address, which is for no log.
            Ok(Err(error)) => Err(match error.status() {
                Some(code) => format!("the mail server answered {code}"),
                None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
                None => error.to_string(),
            }),
            Err(_) => Err("the server did not answer in time".to_owned()),
        }
    }
}

/// Sends what is to be mailed until `stop` is cancelled. Without a mailer, jobs are done by dropping them.
pub async fn run(board: Switchboard, mailer: Option<Mailer>, public_url: String, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(look.tick()).await.is_some() {
        let work = work_once(&board, mailer.as_ref(), &public_url);
        if let Some(Err(error)) = stop.run_until_cancelled(work).await {
            tracing::warn!(error = %error, "mails could not be looked for; trying again");
        }
    }
}

/// Sends what is due now. Returns how many notices there were.
///
/// # Errors
/// The store's failure.
pub async fn work_once(
    board: &Switchboard,
    mailer: Option<&Mailer>,
    public_url: &str,
) -> Result<usize, StoreError> {
    let now = board.now();
    let due = board
        .db()
        .read(move |conn| jobs::next_due(conn, &KINDS, now))
        .await?;
    if due.is_none_or(|at| at > now) {
        return Ok(0);
    }
    let claimed = board
        .db()
        .write(move |tx| jobs::claim(tx, &KINDS, now, LEASE_MS, 8))
        .await?;
    let count = claimed.len();
    for job in claimed {
        let outcome = match mailer {
            Some(mailer) if job.kind == INVITATION_MAIL_JOB => {
                invite(board, mailer, public_url, &job).await?
            }
            Some(mailer) => notify(board, mailer, public_url, &job).await?,
            None => Ok(()),
        };
        let (team, id, attempts) = (job.team, job.id, job.attempts);
        if let Err(error) = &outcome {
            tracing::warn!(team.key = team.0, error, job.kind, "a mail could not be sent");
        }
        let pause = (Millis::MINUTE << attempts.clamp(1, 16).saturating_sub(1)).min(LONGEST_PAUSE_MS);
        let again = outcome.is_err() && attempts < ATTEMPTS;
        let at = board.now().plus(pause);
        board
            .db()
            .write(move |tx| {
                if again {
                    jobs::postpone(tx, team, &id, attempts, at)
                } else {
                    jobs::finish(tx, team, &id, attempts)
                }
            })
            .await?;
    }
    Ok(count)
}

/// Mails every admin of the team. The outer error is the store's, the inner one the mail server's.
async fn notify(
    board: &Switchboard,
    mailer: &Mailer,
    public_url: &str,
    job: &JobRow,
) -> Result<Result<(), String>, StoreError> {
    let Ok(told) = serde_json::from_str::<EndpointDisabled>(&job.payload) else {
        tracing::error!(job.id = %job.id, "a mail job cannot be read and is dropped");
        return Ok(Ok(()));
    };
    let (name, admins) = recipients(board, job.team).await?;
    let host = told.url.split('/').nth(2).unwrap_or(&told.url).to_owned();
    let subject = format!("Webhook endpoint {host} of {name} was disabled");
    let text = text(&told, &name, public_url);
    for admin in admins {
        if let Err(error) = mailer.send(&admin, &subject, &text).await {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// Mails an invitation, with a link that is made for this attempt. The outer error is the store's, the inner one the mail
/// server's.
async fn invite(
    board: &Switchboard,
    mailer: &Mailer,
    public_url: &str,
    job: &JobRow,
) -> Result<Result<(), String>, StoreError> {
    let Ok(id) = InvitationId::parse(&job.payload) else {
        tracing::error!(job.id = %job.id, "a mail job cannot be read and is dropped");
        return Ok(Ok(()));
    };
    let letter = board
        .run(job.team, move |work| invitations::letter(work, id))
        .await;
    let Some(letter) = known(letter)?.flatten() else {
        return Ok(Ok(()));
    };
    let subject = format!("Join {} on its phone system", letter.team);
    if let Err(error) = mailer
        .send(&letter.email, &subject, &invitation(&letter, public_url))
        .await
    {
        return Ok(Err(error));
    }
    known(
        board
            .run(job.team, move |work| invitations::mailed(work, id))
            .await,
    )?;
    Ok(Ok(()))
}

/// What a command came to; `None` where the team is gone.
fn known<T>(outcome: Result<T, CommandError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(CommandError::Store(error)) => Err(error),
        Err(CommandError::Refused(_)) => Ok(None),
    }
}

fn invitation(letter: &Letter, public_url: &str) -> String {
    let hello = letter
        .name
        .as_deref()
        .map_or_else(|| "Hello".to_owned(), |name| format!("Hello {name}"));
    let invites = letter.from.as_deref().unwrap_or("The operator");
    format!(
        "{hello},\n\n{invites} invites you to join {team} on its phone system as {role}. Open this link to accept:\n\
         \n    {public_url}/invitation#{token}\n\n\
         It works once, and until {end}. Keep it to yourself: whoever opens it joins in your place. If you do not know what\n\
         this is about, nothing happens when you do nothing.\n",
        team = letter.team,
        role = letter.role,
        token = letter.token,
        end = letter.expires_at,
    )
}

async fn recipients(board: &Switchboard, team: TeamKey) -> Result<(String, Vec<String>), StoreError> {
    board
        .db()
        .read(move |conn| {
            let name = teams::get(conn, team)?.map_or_else(String::new, |team| team.name);
            let admins = users::list(conn, team)?
                .into_iter()
                .filter(|user| user.role == Role::Admin && user.status == UserStatus::Active)
                .map(|user| user.email)
                .take(MOST_ADMINS)
                .collect();
            Ok((name, admins))
        })
        .await
}

fn text(told: &EndpointDisabled, team: &str, public_url: &str) -> String {
    let since = told
        .failing_since
        .map_or_else(|| "five days ago".to_owned(), |at| at.to_string());
    let how = told.last_error.as_deref().unwrap_or("unknown");
    let called = told
        .description
        .as_deref()
        .map_or_else(String::new, |text| format!(" ({text})"));
    format!(
        "Every delivery to this webhook endpoint of {team} has failed since {since}, so nothing is sent to it any more:\n\
         \n    {url}{called}\n    id {id}\n    last failure: {how}\n\n\
         Mend the receiver, then enable the endpoint again. With \"resume\": true it is sent everything it has missed:\n\
         \n    curl -X PUT {public_url}/v2/api/webhooks/{id} -H 'Authorization: Api-Key ak_...' \\\n\
         \x20        -H 'Content-Type: application/json' -d '{{\"enabled\": true, \"resume\": true}}'\n",
        url = told.url,
        id = told.id,
    )
}
