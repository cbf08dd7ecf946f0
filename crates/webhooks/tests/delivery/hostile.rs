//! Receivers that do what they should not, and names that lead where they should not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::schedule::AttemptError;
use trunkline_domain::{DeliveryState, Millis};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Office, TestDb};
use trunkline_webhooks::ClientOptions;
use trunkline_webhooks::address::AllowList;
use trunkline_webhooks::resolver::{Addresses, Resolve};

use crate::support::*;

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Answers 204.
    Well,
    /// Reads nothing and says nothing.
    Sleeps,
    /// Reads, and says nothing.
    Ignores,
    /// Closes at once.
    Closes,
    /// Reads, and resets the connection.
    Resets,
    /// Writes the status line, a byte every 50 ms.
    Drips,
    /// Says "go on" for ever.
    Continues,
    /// Answers 200 with a head that never ends.
    HeadWithoutEnd,
    /// Answers 200 with one header of 200 KB.
    LongHeader,
    /// Answers 200 with 400 headers.
    ManyHeaders,
    /// Speaks, but not HTTP.
    Greets,
    /// Answers with a version and a status that are none.
    Mumbles,
    /// Answers 302 to itself.
    Redirects,
    /// Answers 200 and 10 MB.
    Floods,
    /// Answers 200 and 10 MB, a little at a time.
    Trickles,
    /// Answers 200 and less than it promised.
    BreaksOff,
    /// Answers 200 in chunks that are none.
    BreaksChunks,
    /// Answers 503 with a body that never ends.
    FailsForEver,
}

impl Does {
    /// Each that is wrong, and what comes of it: how it failed, or that it is a success all the same.
    const WRONG: [(Self, Option<AttemptError>); 17] = [
        (Self::Sleeps, Some(AttemptError::Timeout)),
        (Self::Ignores, Some(AttemptError::Timeout)),
        (Self::Closes, Some(AttemptError::Reset)),
        (Self::Resets, Some(AttemptError::Reset)),
        (Self::Drips, Some(AttemptError::Timeout)),
        (Self::Continues, Some(AttemptError::Timeout)),
        (Self::HeadWithoutEnd, Some(AttemptError::TooLarge)),
        (Self::LongHeader, Some(AttemptError::TooLarge)),
        (Self::ManyHeaders, Some(AttemptError::TooLarge)),
        (Self::Greets, Some(AttemptError::Protocol)),
        (Self::Mumbles, Some(AttemptError::Protocol)),
        (Self::Redirects, Some(AttemptError::Redirect)),
        (Self::Floods, None),
        (Self::Trickles, None),
        (Self::BreaksOff, None),
        (Self::BreaksChunks, None),
        (Self::FailsForEver, Some(AttemptError::Status)),
    ];
}

/// A receiver that does as it is told, and counts connections.
struct Receiver {
    address: SocketAddr,
    does: Arc<Mutex<Does>>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let does = Arc::new(Mutex::new(does));
        let connections = Arc::new(AtomicUsize::new(0));
        let (now, count) = (does.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let now = now.clone();
                tokio::spawn(async move { drop(serve(stream, &now, address).await) });
            }
        });
        Self {
            address,
            does,
            connections,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

async fn serve(mut stream: TcpStream, does: &Mutex<Does>, address: SocketAddr) -> std::io::Result<()> {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    loop {
        let before = *does.lock();
        match before {
            Does::Sleeps => return std::future::pending().await,
            Does::Closes => return Ok(()),
            _ => {}
        }
        if !read_request(&mut stream).await? {
            return Ok(());
        }
        // A connection that was kept may have waited long for this request.
        let does_now = *does.lock();
        match does_now {
            Does::Well => {
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                continue;
            }
            Does::Closes => return Ok(()),
            Does::Sleeps | Does::Ignores => return std::future::pending().await,
            Does::Resets => {
                // Closed with something unsent, which is a reset.
                stream.set_zero_linger()?;
                return Ok(());
            }
            Does::Drips => {
                for byte in OK.bytes().cycle() {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Does::Continues => loop {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            },
            Does::HeadWithoutEnd => {
                stream.write_all(OK.as_bytes()).await?;
                for n in 0_u64.. {
                    stream
                        .write_all(format!("x-{}: {}\r\n", n % 50, "a".repeat(2_000)).as_bytes())
                        .await?;
                }
            }
            Does::LongHeader => {
                let long = format!("{OK}x-long: {}\r\n\r\n", "a".repeat(200_000));
                stream.write_all(long.as_bytes()).await?;
            }
            Does::ManyHeaders => {
                let many: String = (0..400).map(|n| format!("x-{n}: a\r\n")).collect();
                stream.write_all(format!("{OK}{many}\r\n").as_bytes()).await?;
            }
            Does::Greets => {
                stream
                    .write_all(b"220 mail.example ESMTP at your service\r\n")
                    .await?
            }
            Does::Mumbles => stream.write_all(b"HTTP/7.9 2000 YES\r\n\r\n").await?,
            Does::Redirects => {
                let to = format!(
                    "HTTP/1.1 302 Found\r\nlocation: http://{address}/other\r\ncontent-length: 0\r\n\r\n"
                );
                stream.write_all(to.as_bytes()).await?;
            }
            Does::Floods | Does::Trickles => {
                stream
                    .write_all(format!("{OK}content-length: 10485760\r\n\r\n").as_bytes())
                    .await?;
                for _ in 0..640 {
                    stream.write_all(&[b'a'; 16_384]).await?;
                    if does_now == Does::Trickles {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
            Does::BreaksOff => {
                stream
                    .write_all(format!("{OK}content-length: 1000\r\n\r\nhello").as_bytes())
                    .await?;
                return Ok(());
            }
            Does::BreaksChunks => {
                stream
                    .write_all(format!("{OK}transfer-encoding: chunked\r\n\r\nnonsense").as_bytes())
                    .await?;
            }
            Does::FailsForEver => {
                stream
                    .write_all(b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n")
                    .await?;
                loop {
                    stream.write_all(b"4\r\nno! \r\n").await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

/// Reads a request to its end; tells whether there was one.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut read = Vec::new();
    loop {
        if let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next());
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if read.len() >= head + 4 + length {
                return Ok(true);
            }
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(false);
        }
    }
}

async fn whatever_a_receiver_does_is_told_and_hurts_nobody(t: TestDb) {
    let office = office(&t).await;
    let well = Catcher::start().await;
    let mut receivers = BTreeMap::new();
    for (number, (does, expected)) in (1..).zip(Does::WRONG) {
        let receiver = Receiver::start(does).await;
        listen(&office, &receiver.url()).await;
        receivers.insert(number, (receiver, does, expected));
    }
    listen(&office, well.url()).await;
    let running = Running::start(&office.board, impatient(), options());
    let event = emit(&office, &[Topic::SmsReceived]).await;
    well.wait_for(1).await;
    for (number, (_, does, expected)) in &receivers {
        let message = until_message(&office, (*number, event), "it is tried", |m| m.tries == 1).await;
        let attempt = attempts(&message).remove(0);
        assert_eq!(attempt.error, *expected, "{does:?}: {attempt:?}");
        let state = if expected.is_none() {
            DeliveryState::Delivered
        } else {
            DeliveryState::Pending
        };
        assert_eq!(message.state, state, "{does:?}");
        assert!(attempt.ms < 5_000, "{does:?} took {} ms", attempt.ms);
        assert!(attempt.reply.len() <= 1_024, "{does:?}");
        match does {
            Does::Floods | Does::Trickles => assert_eq!(attempt.reply, "a".repeat(1_024)),
            Does::BreaksOff => assert_eq!(attempt.reply, "hello"),
            Does::FailsForEver => assert!(attempt.reply.starts_with("no! no!"), "{attempt:?}"),
            _ => {}
        }
    }
    let redirected = &receivers
        .values()
        .find(|(_, does, _)| *does == Does::Redirects)
        .unwrap()
        .0;
    assert_eq!(
        redirected.connections.load(Ordering::SeqCst),
        1,
        "a redirect is not followed"
    );

    // They come to their senses: what failed arrives at its next attempt, and what comes then at once.
    for (receiver, ..) in receivers.values() {
        *receiver.does.lock() = Does::Well;
    }
    office.clock.advance(10 * Millis::SECOND);
    texts(&office, 20).await;
    until_settled(&office).await;
    running.end().await;
    for number in 1..=18 {
        assert_delivered(&office, number, 21).await;
    }
}

/// Comes and goes: what it refused arrives in the end, all of it.
async fn a_receiver_that_flaps_gets_everything(t: TestDb) {
    let office = office(&t).await;
    let receiver = Receiver::start(Does::Well).await;
    let catcher = Catcher::start().await;
    catcher.answer_with(|request| {
        if request.number % 7 < 3 {
            Answer::status(502)
        } else {
            Answer::ok()
        }
    });
    listen(&office, &receiver.url()).await;
    listen(&office, catcher.url()).await;
    let running = Running::start(&office.board, impatient(), options());
    for does in [
        Does::Closes,
        Does::Well,
        Does::Resets,
        Does::Greets,
        Does::Well,
        Does::Closes,
    ] {
        *receiver.does.lock() = does;
        texts(&office, 60).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        office.clock.advance(3 * Millis::MINUTE);
    }
    *receiver.does.lock() = Does::Well;
    catcher.answer(204);
    for _ in 0..8 {
        let due = |endpoint| {
            let office = &office;
            async move {
                let all = messages(office, endpoint).await;
                all.iter()
                    .filter(|m| m.due_at.is_some_and(|due| due <= office.board.now()))
                    .count()
            }
        };
        eventually("what is due is tried", || async {
            (due(1).await + due(2).await == 0).then_some(())
        })
        .await;
        office.clock.advance(3 * Millis::HOUR);
    }
    until_settled(&office).await;
    running.end().await;
    assert_eq!(catcher.ids().len(), 360);
    assert_delivered(&office, 1, 360).await;
    assert_delivered(&office, 2, 360).await;
}

/// Leads names where the test says.
#[derive(Default)]
struct Names(Mutex<Vec<SocketAddr>>, AtomicUsize);

impl Names {
    fn lead_to(&self, addresses: &[SocketAddr]) {
        *self.0.lock() = addresses.to_vec();
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str, port: u16) -> Addresses {
        self.1.fetch_add(1, Ordering::SeqCst);
        let found = self.0.lock().clone();
        match host {
            "unknown.example" => Box::pin(async { Err(std::io::Error::other("no such name")) }),
            "slow.example" => Box::pin(std::future::pending()),
            "empty.example" => Box::pin(async { Ok(Vec::new()) }),
            "panics.example" => panic!("a test of panics"),
            _ => Box::pin(async move {
                Ok(found
                    .into_iter()
                    .map(|address| {
                        SocketAddr::new(
                            address.ip(),
                            if address.port() == 0 { port } else { address.port() },
                        )
                    })
                    .collect())
            }),
        }
    }
}

async fn first_attempt(office: &Office, endpoint: i64, event: i64) -> (Option<u16>, Option<AttemptError>) {
    let message = until_message(office, (endpoint, event), "it is tried", |m| m.tries == 1).await;
    let attempt = attempts(&message).remove(0);
    (attempt.status, attempt.error)
}

async fn a_name_may_not_lead_inside(t: TestDb) {
    let office = office(&t).await;
    let inside = Receiver::start(Does::Well).await;
    let names = Arc::new(Names::default());
    let options_of_client = ClientOptions {
        resolver: names.clone(),
        time_limit: Duration::from_secs(2),
        ..ClientOptions::default()
    };
    let port = inside.address.port();
    listen(&office, &format!("https://hooks.example:{port}/hook")).await;
    let running = Running::start(&office.board, client(options_of_client), options());
    let inner = [
        "127.0.0.1:0",
        "127.9.9.9:0",
        "[::1]:0",
        "[::ffff:127.0.0.1]:0",
        "10.0.0.1:0",
        "192.168.1.1:0",
        "172.16.0.1:0",
        "169.254.169.254:0",
        "100.64.0.1:0",
        "0.0.0.0:0",
        "224.0.0.1:0",
        "255.255.255.255:0",
        "[fd00::1]:0",
        "[fe80::1]:0",
        "[64:ff9b::7f00:1]:0",
        "[2002:7f00:1::]:0",
        "192.0.2.1:0",
        "198.18.0.1:0",
    ];
    for address in inner {
        names.lead_to(&[address.parse().unwrap()]);
        let event = emit(&office, &[Topic::TagAdded]).await;
        let outcome = first_attempt(&office, 1, event).await;
        assert_eq!(outcome, (None, Some(AttemptError::ForbiddenAddress)), "{address}");
    }
    running.end().await;
    assert_eq!(
        inside.connections.load(Ordering::SeqCst),
        0,
        "nothing was dialled"
    );
    assert!(names.1.load(Ordering::SeqCst) >= inner.len(), "asked each time");
}

/// The operator allows 127.0.0.2: of several addresses that one is dialled, and a connection that is vetted is used on,
/// while a new one asks anew.
async fn what_is_dialled_is_what_was_checked(t: TestDb) {
    let office = office(&t).await;
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let allowed = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let does = Arc::new(Mutex::new(Does::Well));
    let (count, now) = (accepted.clone(), does.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let now = now.clone();
            tokio::spawn(async move { drop(serve(stream, &now, allowed).await) });
        }
    });
    let inside = Receiver::start(Does::Well).await;
    let names = Arc::new(Names::default());
    names.lead_to(&[inside.address, allowed]);
    let allow = AllowList {
        http: true,
        hosts: vec!["127.0.0.2".parse().unwrap(), "hooks.example:1".parse().unwrap()],
    };
    let options_of_client = ClientOptions {
        allowed: allow,
        resolver: names.clone(),
        time_limit: Duration::from_secs(2),
        ..ClientOptions::default()
    };
    listen(&office, &format!("http://hooks.example:{}/hook", allowed.port())).await;
    let running = Running::start(&office.board, client(options_of_client), options());
    let event = emit(&office, &[Topic::TagAdded]).await;
    assert_eq!(first_attempt(&office, 1, event).await, (Some(204), None));
    names.lead_to(&[inside.address]);
    let event = emit(&office, &[Topic::TagAdded]).await;
    assert_eq!(
        first_attempt(&office, 1, event).await,
        (Some(204), None),
        "the connection is kept"
    );
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    *does.lock() = Does::Closes;
    let event = emit(&office, &[Topic::TagAdded]).await;
    until_message(&office, (1, event), "it is tried", |m| m.tries == 1).await;
    let event = emit(&office, &[Topic::TagAdded]).await;
    let outcome = first_attempt(&office, 1, event).await;
    assert_eq!(outcome, (None, Some(AttemptError::ForbiddenAddress)));
    running.end().await;
    assert_eq!(inside.connections.load(Ordering::SeqCst), 0);
}

async fn names_that_cannot_be_resolved_hold_up_nobody(t: TestDb) {
    let office = office(&t).await;
    let well = Catcher::start().await;
    let expected = [
        ("unknown.example", AttemptError::Dns),
        ("empty.example", AttemptError::Dns),
        ("slow.example", AttemptError::Timeout),
        // A fault of this program: the attempt has failed, and nothing else.
        ("panics.example", AttemptError::Internal),
    ];
    for (host, _) in expected {
        listen(&office, &format!("https://{host}/hook")).await;
    }
    listen(&office, well.url()).await;
    let options_of_client = ClientOptions {
        resolver: Arc::new(Names::default()),
        time_limit: Duration::from_millis(500),
        ..local()
    };
    let running = Running::start(&office.board, client(options_of_client), options());
    let event = emit(&office, &[Topic::TagAdded]).await;
    well.wait_for(1).await;
    for (endpoint, (host, error)) in (1..).zip(expected) {
        assert_eq!(
            first_attempt(&office, endpoint, event).await,
            (None, Some(error)),
            "{host}"
        );
    }
    texts(&office, 30).await;
    well.wait_for(31).await;
    running.end().await;
}

async fn nobody_at_home_is_told(t: TestDb) {
    let office = office(&t).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    listen(&office, &format!("http://{address}/hook")).await;
    let running = Running::start(&office.board, impatient(), options());
    let event = emit(&office, &[Topic::TagAdded]).await;
    assert_eq!(
        first_attempt(&office, 1, event).await,
        (None, Some(AttemptError::Connect))
    );
    running.end().await;
}

trunkline_testkit::on_both! {
    whatever_a_receiver_does_is_told_and_hurts_nobody,
    a_receiver_that_flaps_gets_everything,
    a_name_may_not_lead_inside,
    what_is_dialled_is_what_was_checked,
    names_that_cannot_be_resolved_hold_up_nobody,
    nobody_at_home_is_told,
}
