//! Clients that hang up before they are answered: what they asked for happens once and comes to its end, or not at all.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::load::{LINES, Team, close, database};
use crate::support::program::Place;
use crate::support::shim::Shim;
use crate::support::truth::{self, Live};
use crate::support::{Random, eventually};

/// How many clients hang up.
const CLIENTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_left_ringing() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    // A disk slow enough for clients to be gone between the request and its answer.
    let shim = Shim::compile().await;
    let place = shim.around(place).with("TRUNKLINE_TEST_FSYNC_TAKES_MS", "10");
    let server = place.serve().await;
    let (address, mut random) = (
        server.url.trim_start_matches("http://").to_owned(),
        Random::new(1),
    );
    for _ in 0..CLIENTS {
        let call = json!({
            "from": "+14155551234", "to": LINES[0], "speed": 1_000, "lines": [{ "source": "USER", "at": 1, "text": "hello" }],
        })
        .to_string();
        let request = format!(
            "POST /sandbox/calls HTTP/1.1\r\nHost: {address}\r\nAuthorization: Api-Key {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{call}",
            team.key,
            call.len()
        );
        let mut connection = TcpStream::connect(&address).await.expect("a connection");
        connection
            .write_all(request.as_bytes())
            .await
            .expect("the request");
        connection.set_zero_linger().expect("a connection that breaks");
        tokio::time::sleep(random.millis(1, 10)).await;
    }
    let db = database(&place);
    eventually(
        Duration::from_secs(15),
        "every call comes to its end",
        async || (truth::live(&db, Live::Any).await == 0).then_some(()),
    )
    .await;
    close(db).await;
    server.stop().await;
    let truth = truth::read(&place).await;
    truth.assert_sound();
    let rang = truth.calls.len();
    assert!(
        (CLIENTS / 10..=CLIENTS).contains(&rang),
        "{rang} of {CLIENTS} requests were read"
    );
}
