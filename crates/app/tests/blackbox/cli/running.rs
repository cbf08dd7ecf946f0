//! Servers from their start to their end: the demo, what they tell machines, what can be triggered.

use crate::support::api::{Api, client};
use crate::support::eventually;
use crate::support::load::{LINES, Team, close, database};
use crate::support::program::Place;
use crate::support::truth::{self, Live};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn heavy_demo() {
    use crate::support::program::{Said, demo, finish};
    use crate::support::python::piped;

    let place = Place::sqlite();
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..2 {
        let (server, key) = demo(&place).await;
        let said = server.log();
        let commands = curls(&said);
        assert_eq!(commands.len(), 3, "{said}");
        for (number, command) in commands.iter().enumerate() {
            let mut sh = tokio::process::Command::new("sh");
            sh.args(["-c", command]);
            let Said { code, out, err } = finish(piped(sh), None).await;
            assert_eq!(
                code, 0,
                "is curl installed? `cargo xtask setup --install`\n{command}\n{err}"
            );
            let answer: Value =
                serde_json::from_str(&out).unwrap_or_else(|error| panic!("{command}: {error}: {out}"));
            let found = answer["data"].as_array().map(Vec::len);
            assert!(
                found == Some(3) || number == 2 && answer["data"]["id"].is_string(),
                "{command}\n{answer}"
            );
        }
        for key in &keys {
            assert_eq!(
                Api::new(&server.url, key).get("/v2/api/me").await.status,
                200,
                "the earlier key"
            );
        }
        assert!(
            Api::new(&server.url, &key).count("hello").await >= 1,
            "the text of the third command is not found"
        );
        keys.push(key);
        server.stop().await;
    }
    assert_ne!(keys[0], keys[1]);
    let teams = place.run(&["teams", "list", "--json"]).await.json();
    assert_eq!(
        teams.as_array().map(Vec::len),
        Some(1),
        "the second start made another team"
    );
}

#[tokio::test]
async fn heavy_demo_with_traffic_leaves_nothing_behind() {
    use crate::support::program::Starting;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut demo = Place::sqlite().command(&["demo", "--every", "1", "--listen", "127.0.0.1:0"]);
    demo.env_remove("TRUNKLINE_DATA_DIR").env("TMPDIR", folder.path());
    let mut starting = Starting::new(demo);
    starting.patience = Duration::from_secs(120);
    let mut server = starting.listening().await;
    let said = eventually(Duration::from_secs(5), "the demo introduces itself", async || {
        Some(server.log()).filter(|said| said.contains("Ctrl-C"))
    })
    .await;
    let key = said
        .split_whitespace()
        .find(|word| word.starts_with("ak_test_"))
        .expect("a key");
    let api = Api::new(&server.url, key);
    let total = async || {
        // The demo's keys have the usual limits.
        tokio::time::sleep(Duration::from_millis(500)).await;
        api.search(&json!({ "size": 1 })).await["pagination"]["total_count"]
            .as_i64()
            .expect("a count")
    };
    let account = json!({
        "email": "jo@customer.example", "name": "Jo Fielding", "personal_mobile": "+33639980001",
        "number_preference": { "country": "FR" },
    });
    let account = api.post("/v2/api/partner/accounts", &account).await;
    assert_eq!(account.status, 201, "{}", account.text);
    assert_eq!(account.json["data"]["phone_numbers"], json!(["+33199000210"]));
    let before = total().await;
    eventually(Duration::from_secs(60), "calls and texts come in", async || {
        (total().await >= before + 4).then_some(())
    })
    .await;
    let data = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(data, 1, "the data of the demo is in one temporary folder");
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let log = server.log();
    let complaint = log
        .lines()
        .find(|line| line.contains("WARN") || line.contains("ERROR"));
    assert!(complaint.is_none(), "{complaint:?}");
}

/// The commands that are printed to be tried.
fn curls(said: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut continues = false;
    for line in said.lines() {
        if line.trim_start().starts_with("curl ") {
            commands.push(String::new());
        }
        if let Some(command) = commands
            .last_mut()
            .filter(|_| continues || line.trim_start().starts_with("curl "))
        {
            command.push_str(line);
            command.push('\n');
            continues = line.ends_with('\\');
        }
    }
    commands
}

#[tokio::test]
async fn metrics_and_logs_for_machines() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    let place = Place::sqlite()
        .with("TRUNKLINE_METRICS_LISTEN", &address)
        .with("TRUNKLINE_LOG_FORMAT", "json");
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused(1);
    assert!(
        said.contains(&address) && said.contains("metrics.listen"),
        "{said}"
    );
    drop(free);
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let me = Api::new(&server.url, &team.key).get("/v2/api/me").await;
    assert_eq!(me.status, 200);
    let page = client()
        .get(format!("http://{address}/metrics"))
        .send()
        .await
        .expect("an answer")
        .text()
        .await;
    let page = page.expect("the metrics");
    for name in [
        "trunkline_http_requests_total",
        "trunkline_http_request_seconds_bucket",
        "trunkline_search_lag_events",
    ] {
        assert!(page.contains(name), "{name} is missing:\n{page}");
    }
    let kept_apart = client()
        .get(format!("{}/metrics", server.url))
        .send()
        .await
        .expect("an answer")
        .status();
    assert_eq!(kept_apart, 404, "metrics are served to everybody");
    server.terminate();
    let mut server = server;
    server.ended().await;
    let log = server.log();
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let request = lines
        .iter()
        .find(|line| line["fields"]["http.request"] == "GET /v2/api/me")
        .unwrap_or_else(|| panic!("{log}"));
    assert_eq!(request["fields"]["http.status"], 200);
    assert_eq!(request["fields"]["api_key.id"], me.json["data"]["api_key_id"]);
    assert!(
        request["fields"]["request.id"]
            .as_str()
            .is_some_and(|id| id.starts_with("req_")),
        "{request}"
    );
    assert_eq!(
        lines.len() + 1,
        log.lines().count(),
        "more than the greeting is not JSON:\n{log}"
    );
}

#[tokio::test]
async fn sigterm_finishes_what_was_accepted() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let mut server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let ring = json!({ "from": "+14155551234", "to": LINES[0], "ring_seconds": 100 });
    let call = api.post("/sandbox/calls", &ring).await.data()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    // Connections that wait for their next request must not keep the server.
    let address = server.url.trim_start_matches("http://").to_owned();
    let _idle = TcpStream::connect(&address).await.expect("a connection");

    let mut accepted = Vec::new();
    for number in 0..5 {
        let body = json!({ "from": "+14155551234", "to": LINES[0], "content": format!("accepted {number}") })
            .to_string();
        let head = format!(
            "POST /sandbox/messages HTTP/1.1\r\nHost: {address}\r\nAuthorization: Api-Key {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            team.key,
            body.len()
        );
        let mut connection = TcpStream::connect(&address).await.expect("a connection");
        let (begin, rest) = body.split_at(10);
        connection
            .write_all(format!("{head}{begin}").as_bytes())
            .await
            .expect("the first half");
        accepted.push((connection, rest.to_owned()));
    }
    // An answer to a later request: the halves have arrived.
    assert_eq!(api.get("/v2/api/me").await.status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.terminate();
    eventually(Duration::from_secs(5), "nothing new is accepted", async || {
        TcpStream::connect(&address).await.err().map(drop)
    })
    .await;
    for (connection, rest) in &mut accepted {
        connection
            .write_all(rest.as_bytes())
            .await
            .expect("the second half");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    let status = server.ended().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());

    let truth = truth::read(&place).await;
    truth.assert_sound();
    assert_eq!(truth.texts.len(), 5);
    let db = database(&place);
    assert_eq!(truth::live(&db, Live::Any).await, 0, "the call {call} hangs");
    close(db).await;
}

#[tokio::test]
async fn trigger() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let run = async |topic: &str| {
        let arguments = [
            "trigger",
            topic,
            "--url",
            &server.url,
            "--key",
            &team.key,
            "--text",
            "a giraffe called",
        ];
        place.run(&arguments).await
    };
    let topics = [
        "call.received",
        "call.triggered",
        "call.answered",
        "call.ended",
        "call.completed",
        "voicemail.received",
        "call.recording.completed",
        "call.transcript.completed",
        "call.summary.completed",
        "tag.added",
        "tag.removed",
        "sms.received",
    ];
    for topic in topics {
        let shown = run(topic).await.json();
        assert!(shown["data"]["id"].is_string(), "{topic}: {shown}");
        match topic {
            "voicemail.received" => assert_eq!(shown["data"]["result"], "VOICEMAIL"),
            "call.completed" => {
                assert_eq!(shown["data"]["result"], "ANSWERED");
                assert!(shown.to_string().contains("giraffe"), "{shown}");
            }
            "tag.added" => assert_eq!(shown["data"]["tags"], json!(["triggered"])),
            "tag.removed" => assert_eq!(shown["data"]["tags"], json!([])),
            _ => {}
        }
    }
    let truth = truth::read(&place).await;
    let happened = truth.topics();
    for topic in topics {
        assert!(happened.contains(topic), "{topic} did not happen: {happened:?}");
    }
    let unknown = run("call.dropped").await.refused(1);
    assert!(unknown.contains("call.completed"), "{unknown}");
    let wrong = [
        "trigger",
        "sms.received",
        "--url",
        &server.url,
        "--key",
        "ak_test_wrong",
    ];
    let wrong = place.run(&wrong).await.refused(1);
    assert!(wrong.contains("API_KEY_INVALID"), "{wrong}");
    let nobody = [
        "trigger",
        "sms.received",
        "--url",
        "http://127.0.0.1:9",
        "--key",
        &team.key,
    ];
    let nobody = place.run(&nobody).await.refused(1);
    assert!(nobody.contains("http://127.0.0.1:9 does not answer"), "{nobody}");
    server.stop().await;
}
