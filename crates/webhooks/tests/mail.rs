//! Mails: admins are told that an endpoint was disabled, invitations get to whom they are for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use trunkline_domain::events::EndpointDisabled;
use trunkline_domain::{EndpointId, InvitationDelivery, InvitationId, Millis, Role, ScopeSet};
use trunkline_store::crypto::sha256_hex;
use trunkline_store::invitations as stored;
use trunkline_store::jobs::{self, JobRow};
use trunkline_switchboard::accounts;
use trunkline_switchboard::invitations::{self, Invite, MailLimit};
use trunkline_switchboard::keys::Power;
use trunkline_switchboard::webhooks::DISABLED_MAIL_JOB;
use trunkline_testkit::db::{Office, TestDb};
use trunkline_webhooks::mail::{Mailer, work_once};

/// A mail as it came in: the recipients and the text.
type Mail = (Vec<String>, String);

/// An SMTP server (RFC 5321) that takes everything, or refuses recipients.
struct Post {
    url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
    refuses: Arc<Mutex<bool>>,
}

impl Post {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (mails, refuses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
        let (kept, refusing) = (mails.clone(), refuses.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(session(stream, kept.clone(), refusing.clone()));
            }
        });
        Self { url, mails, refuses }
    }
}

async fn session(stream: TcpStream, mails: Arc<Mutex<Vec<Mail>>>, refuses: Arc<Mutex<bool>>) {
    let mut stream = BufReader::new(stream);
    let (mut recipients, mut text, mut in_text) = (Vec::new(), String::new(), false);
    stream.write_all(b"220 ready\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let answer = if in_text {
            if line == ".\r\n" {
                in_text = false;
                mails
                    .lock()
                    .push((std::mem::take(&mut recipients), std::mem::take(&mut text)));
                "250 taken\r\n"
            } else {
                text.push_str(&line);
                ""
            }
        } else if line.starts_with("RCPT") {
            recipients.push(line.trim().to_owned());
            if *refuses.lock() {
                "451 later\r\n"
            } else {
                "250 ok\r\n"
            }
        } else if line.starts_with("DATA") {
            in_text = true;
            "354 go on\r\n"
        } else {
            "250 ok\r\n"
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        line.clear();
    }
}

async fn told(office: &Office) -> EndpointDisabled {
    let told = EndpointDisabled {
        id: EndpointId::new(office.board.ids().as_ref(), office.board.now()),
        url: "https://crm.example.com/hook".into(),
        description: Some("The CRM".into()),
        failing_since: Some(Millis(1_700_000_000_000)),
        last_error: Some("STATUS 500".into()),
    };
    let (team, payload) = (office.team, serde_json::to_string(&told).unwrap());
    let job = move |run_at| JobRow {
        team,
        id: "one".into(),
        kind: DISABLED_MAIL_JOB.into(),
        run_at,
        attempts: 0,
        payload: payload.clone(),
    };
    office
        .run(move |work| Ok(jobs::insert(work.tx, &job(work.now))?))
        .await
        .unwrap();
    told
}

async fn every_admin_is_told_once(t: TestDb) {
    let (office, post) = (t.office().await, Post::start().await);
    office
        .run(|work| accounts::create_user(work, "Member", "member@office.example", Role::Member))
        .await
        .unwrap();
    let told = told(&office).await;
    let mailer = Mailer::new(&post.url, "Trunkline <phone@example.com>").unwrap();
    assert_eq!(
        work_once(&office.board, Some(&mailer), "https://phone.example.com")
            .await
            .unwrap(),
        1
    );
    let mails = post.mails.lock().clone();
    assert!(!mails.is_empty());
    for (recipients, text) in &mails {
        assert!(
            recipients.iter().all(|to| !to.contains("member@")),
            "{recipients:?}"
        );
        let text = text.replace("=\r\n", "").replace("=3D", "=");
        assert!(
            text.contains(&told.id.to_string()) && text.contains("STATUS 500"),
            "{text}"
        );
        assert!(text.contains("2023-11-14T22:13:20.000Z"), "{text}");
    }
    assert_eq!(work_once(&office.board, Some(&mailer), "").await.unwrap(), 0);
}

async fn a_server_that_says_later_is_tried_later(t: TestDb) {
    let (office, post) = (t.office().await, Post::start().await);
    told(&office).await;
    *post.refuses.lock() = true;
    let mailer = Mailer::new(&post.url, "phone@example.com").unwrap();
    assert_eq!(work_once(&office.board, Some(&mailer), "").await.unwrap(), 1);
    assert_eq!(
        work_once(&office.board, Some(&mailer), "").await.unwrap(),
        0,
        "not at once"
    );
    assert!(post.mails.lock().is_empty());
    *post.refuses.lock() = false;
    office.clock.advance(Millis::MINUTE);
    assert_eq!(work_once(&office.board, Some(&mailer), "").await.unwrap(), 1);
    assert!(!post.mails.lock().is_empty());
}

/// Somebody is invited by mail, in the name of Ada.
async fn invited(office: &Office) -> InvitationId {
    let invite = Invite {
        email: "dana@office.example".to_owned(),
        name: Some("Dana".to_owned()),
        role: Role::Member,
        scopes: None,
        delivery: InvitationDelivery::Mail,
    };
    let (ada, by) = (office.ada, office.by_ada());
    let power = Power {
        user: ada,
        role: Role::Admin,
        scopes: ScopeSet::ALL,
        expires_at: None,
    };
    office
        .run(move |work| {
            let created = invitations::create(work, &invite, MailLimit::default(), &power, &by)?;
            Ok(created.row.id)
        })
        .await
        .unwrap()
}

async fn an_invitation_is_mailed_until_it_is_taken(t: TestDb) {
    let (office, post) = (t.office().await, Post::start().await);
    let id = invited(&office).await;
    let mailer = Mailer::new(&post.url, "phone@example.com").unwrap();
    let look = async || {
        work_once(&office.board, Some(&mailer), "https://phone.example.com")
            .await
            .unwrap()
    };
    *post.refuses.lock() = true;
    assert_eq!((look().await, look().await), (1, 0), "tried later, not at once");
    *post.refuses.lock() = false;
    office.clock.advance(Millis::MINUTE);
    assert_eq!((look().await, look().await), (1, 0));
    let (recipients, text) = post.mails.lock().pop().unwrap();
    assert_eq!(recipients.len(), 1);
    assert!(recipients[0].contains("<dana@office.example>"), "{recipients:?}");
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    assert!(
        text.contains("Hello Dana") && text.contains("Ada Park invites you"),
        "{text}"
    );
    let token = text
        .split_once("https://phone.example.com/invitation#")
        .unwrap()
        .1;
    let token = token.split_whitespace().next().unwrap().to_owned();
    let hash = sha256_hex(token.as_bytes());
    let row = office
        .run(move |work| Ok(stored::by_hash(work.tx, work.team, &hash)?))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.id, row.mailed_at), (id, Some(office.board.now())));
    let joined = office
        .run(move |work| {
            Ok(invitations::accept(work, &sha256_hex(token.as_bytes()), None)?
                .user
                .name)
        })
        .await
        .unwrap();
    assert_eq!(joined, "Dana");
}

async fn what_was_withdrawn_is_not_mailed(t: TestDb) {
    let (office, post) = (t.office().await, Post::start().await);
    let id = invited(&office).await;
    office
        .run(move |work| {
            let row = stored::get(work.tx, work.team, id)?.unwrap();
            Ok(stored::delete(work.tx, work.team, &row)?)
        })
        .await
        .unwrap();
    let mailer = Mailer::new(&post.url, "phone@example.com").unwrap();
    assert_eq!(work_once(&office.board, Some(&mailer), "").await.unwrap(), 1);
    assert_eq!(work_once(&office.board, Some(&mailer), "").await.unwrap(), 0);
    assert!(post.mails.lock().is_empty());
}

async fn without_a_server_nothing_waits(t: TestDb) {
    let office = t.office().await;
    told(&office).await;
    assert_eq!(work_once(&office.board, None, "").await.unwrap(), 1);
    assert_eq!(work_once(&office.board, None, "").await.unwrap(), 0);
}

#[test]
fn an_unusable_configuration_is_named_without_its_password() {
    for url in ["smtp//user:pa55@host", "http://user:pa55@host", ""] {
        let error = Mailer::new(url, "phone@example.com").err().unwrap().to_string();
        assert!(!error.contains("pa55"), "{error}");
    }
    let error = Mailer::new("smtp://127.0.0.1:25", "nobody")
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("nobody"), "{error}");
}

trunkline_testkit::on_both! {
    every_admin_is_told_once,
    a_server_that_says_later_is_tried_later,
    an_invitation_is_mailed_until_it_is_taken,
    what_was_withdrawn_is_not_mailed,
    without_a_server_nothing_waits,
}
