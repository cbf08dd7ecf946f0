//! What several of these tests need.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use standardwebhooks::Webhook;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::{samples, topic};
use trunkline_domain::{Clock as _, DeliveryState, EndpointId, SystemClock};
use trunkline_store::crypto::Vault;
use trunkline_store::webhook_messages::{self, MessageRow};
use trunkline_store::webhooks::{self as rows, EndpointRow};
use trunkline_store::{Conn, StoreError, TeamKey, Tx, params, teams};
use trunkline_switchboard::webhooks::{
    self as commands, CreateEndpoint, LEASE_MS, PatchEndpoint, SigningSecret,
};
use trunkline_switchboard::{Actor, Error, Switchboard};
use trunkline_testkit::catcher::Received;
use trunkline_testkit::db::{Office, TestDb};
use trunkline_webhooks::address::AllowList;
use trunkline_webhooks::attempt::{self, Attempt};
use trunkline_webhooks::{Client, ClientOptions, Dispatcher, Options};

/// How long a test waits for what must come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key of the tests' secrets.
pub fn vault() -> Vault {
    Vault::new("a key of tests")
}

/// Looks at the database often.
pub fn options() -> Options {
    Options {
        poll: Duration::from_millis(10),
        ..Options::default()
    }
}

/// May call this machine; gives up after a second.
pub fn impatient() -> Client {
    client(ClientOptions {
        time_limit: Duration::from_secs(1),
        ..local()
    })
}

/// May call this machine.
pub fn local() -> ClientOptions {
    ClientOptions {
        allowed: AllowList::loopback(),
        ..ClientOptions::default()
    }
}

pub fn client(options: ClientOptions) -> Client {
    Client::with(options).unwrap()
}

/// A dispatcher that runs. It is told to end when this is dropped.
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(board: &Switchboard, client: Client, options: Options) -> Self {
        let stop = CancellationToken::new();
        let dispatcher = Dispatcher::new(board.clone(), vault(), client, options);
        Self {
            task: tokio::spawn(dispatcher.run(stop.clone())),
            stop,
        }
    }

    /// As tests mostly want it.
    pub fn usual(board: &Switchboard) -> Self {
        Self::start(board, client(local()), options())
    }

    /// Ends it in order.
    pub async fn end(mut self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, &mut self.task)
            .await
            .expect("the dispatcher ends")
            .unwrap();
    }

    /// Ends it as a crash does: nothing is stored or given back.
    pub fn crash(&self) {
        self.task.abort();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An endpoint for these topics; none: for all.
pub fn wanted(url: &str, topics: &[Topic]) -> CreateEndpoint {
    let all = topic::CATALOGUE.iter().map(|info| info.topic);
    CreateEndpoint {
        url: url.to_owned(),
        topics: if topics.is_empty() {
            all.collect()
        } else {
            topics.to_vec()
        },
        description: None,
        lines: None,
        headers: Vec::new(),
    }
}

pub async fn create(office: &Office, endpoint: CreateEndpoint) -> (EndpointRow, SigningSecret) {
    create_of(&office.board, office.team, endpoint).await
}

pub async fn create_of(
    board: &Switchboard,
    team: TeamKey,
    endpoint: CreateEndpoint,
) -> (EndpointRow, SigningSecret) {
    let made: Result<_, Error> = board
        .run(team, move |work| {
            commands::create(work, &vault(), &endpoint, &Actor::System)
        })
        .await;
    made.unwrap()
}

/// An endpoint of the office that hears of everything.
pub async fn listen(office: &Office, url: &str) -> (EndpointRow, SigningSecret) {
    create(office, wanted(url, &[])).await
}

pub async fn update(office: &Office, id: EndpointId, patch: PatchEndpoint) -> EndpointRow {
    let changed: Result<_, Error> = office
        .run(move |work| commands::update(work, &vault(), id, &patch, &Actor::System))
        .await;
    changed.unwrap()
}

pub async fn enable(office: &Office, id: EndpointId, enabled: bool, resume: bool) {
    let patch = PatchEndpoint {
        enabled: Some(enabled),
        resume,
        ..PatchEndpoint::default()
    };
    update(office, id, patch).await;
}

/// Appends events with the samples of these topics, in one transaction; returns the number of the last.
pub async fn emit(office: &Office, topics: &[Topic]) -> i64 {
    emit_of(&office.board, office.team, topics).await
}

pub async fn emit_of(board: &Switchboard, team: TeamKey, topics: &[Topic]) -> i64 {
    let topics = topics.to_vec();
    let emitted: Result<(), Error> = board
        .run(team, move |work| {
            for topic in &topics {
                let data = samples::body(*topic).unwrap().data;
                work.emit(*topic, work.now, None, &data)?;
            }
            Ok(())
        })
        .await;
    emitted.unwrap();
    let last: Result<_, StoreError> = board.db().read(move |conn| teams::last_event(conn, team)).await;
    last.unwrap()
}

/// Appends as many events about texts, 200 a transaction.
pub async fn texts(office: &Office, count: usize) {
    texts_of(&office.board, office.team, count).await;
}

pub async fn texts_of(board: &Switchboard, team: TeamKey, count: usize) {
    let data = serde_json::to_string(&samples::body(Topic::SmsReceived).unwrap().data).unwrap();
    let data: Arc<RawValue> = RawValue::from_string(data).unwrap().into();
    for first in (0..count).step_by(200) {
        let (many, data) = ((count - first).min(200), data.clone());
        let emitted: Result<(), Error> = board
            .run(team, move |work| {
                for _ in 0..many {
                    work.emit(Topic::SmsReceived, work.now, None, &data)?;
                }
                Ok(())
            })
            .await;
        emitted.unwrap();
    }
}

pub async fn write<T: Send + 'static>(
    db: &trunkline_store::Db,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    db.write(work).await.unwrap()
}

pub async fn row(office: &Office, endpoint: i64) -> EndpointRow {
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| rows::by_number(conn, team, endpoint))
        .await;
    found.unwrap().unwrap()
}

/// The messages of an endpoint, oldest first.
pub async fn messages(office: &Office, endpoint: i64) -> Vec<MessageRow> {
    let team = office.team;
    let found = office
        .board
        .db()
        .scan(move |conn| webhook_messages::page(conn, team, endpoint, i64::MAX, i64::MAX))
        .await;
    let mut found: Vec<MessageRow> = found.unwrap();
    found.reverse();
    found
}

/// The attempts of a message.
pub fn attempts(message: &MessageRow) -> Vec<Attempt> {
    attempt::read(message.attempts.as_deref())
}

/// Asks again and again until there is an answer.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("it did not come about that {what}"))
}

/// Waits until every event was fanned out and no message of the team is to be sent.
pub async fn until_settled(office: &Office) {
    until_settled_of(&office.board, office.team).await;
}

pub async fn until_settled_of(board: &Switchboard, team: TeamKey) {
    eventually("everything is settled", || async {
        let (cursor, last, due) = board
            .db()
            .scan(move |conn| {
                Ok::<_, StoreError>((
                    rows::cursor(conn, team)?,
                    teams::last_event(conn, team)?,
                    rows::due(conn)?,
                ))
            })
            .await
            .unwrap();
        let is_settled = due
            .iter()
            .filter(|next| next.team == team)
            .all(|next| next.due_at.is_none());
        (cursor == Some(last) && is_settled).then_some(())
    })
    .await;
}

/// Waits until every event was fanned out, nothing is due, and nothing that was claimed at this time of the clock is on
/// its way.
pub async fn until_quiet(office: &Office) {
    const DUE: &str = "SELECT COUNT(*) FROM webhook_messages WHERE due_at <= $1 OR due_at = $2";
    let team = office.team;
    eventually("what is due is tried", || async {
        let now = office.board.now();
        let ask = move |conn: &mut Conn<'_>| {
            let due: Option<i64> = conn.row(DUE, params![now, now.plus(LEASE_MS)], |row| row.get(0))?;
            let is_fanned_out = rows::cursor(conn, team)? == Some(teams::last_event(conn, team)?);
            Ok::<_, StoreError>(is_fanned_out && due == Some(0))
        };
        office.board.db().scan(ask).await.unwrap().then_some(())
    })
    .await;
}

/// Lets time pass, in steps and no faster than messages are sent, until every message is settled.
pub async fn let_time_pass(office: &Office, step: i64) {
    for _ in 0..1_000 {
        until_quiet(office).await;
        let due = office.board.db().scan(rows::due).await.unwrap();
        if due.iter().all(|next| next.due_at.is_none()) {
            return until_settled(office).await;
        }
        office.clock.advance(step);
    }
    panic!("there is no end of it");
}

/// Waits until a message stands like this, and returns it.
pub async fn until_message(
    office: &Office,
    (endpoint, event): (i64, i64),
    what: &str,
    is: impl Fn(&MessageRow) -> bool,
) -> MessageRow {
    let (team, is) = (office.team, &is);
    eventually(what, || async move {
        let found = office
            .board
            .db()
            .read(move |conn| webhook_messages::get(conn, team, endpoint, event))
            .await;
        let found: Option<MessageRow> = found.unwrap();
        found.filter(is)
    })
    .await
}

/// Fails unless every message of the endpoint was delivered, and there are as many.
pub async fn assert_delivered(office: &Office, endpoint: i64, count: usize) {
    let all = messages(office, endpoint).await;
    let wrong = all
        .iter()
        .find(|message| message.state != DeliveryState::Delivered);
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(all.len(), count);
}

/// Fails unless the official library accepts the signature. The clock must be about right.
pub fn assert_signed(secret: &SigningSecret, received: &Received) {
    let verifier = Webhook::new(&secret.secret).unwrap();
    if let Err(error) = verifier.verify(&received.body, &received.headers) {
        panic!("{error}: {:?}", received.headers);
    }
}

/// An office whose clock shows the machine's time, and stands still.
pub async fn office(t: &TestDb) -> Office {
    let office = t.office().await;
    office.clock.set(SystemClock.now());
    office
}
