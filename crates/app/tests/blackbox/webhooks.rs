//! Webhooks of the program itself: delivered by a server that was configured for it, and forwarded by `listen`.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};
use trunkline_testkit::catcher::{Catcher, Received};
use trunkline_webhooks::signature::{Secret, sign};

use crate::support::api::Api;
use crate::support::load::{LINES, Team};
use crate::support::program::{Place, Server, Starting};

/// A place whose webhooks may go to this machine.
fn open_minded() -> Place {
    Place::sqlite()
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1")
}

async fn text(api: &Api, content: &str) {
    let body = json!({ "from": "+14155551234", "to": LINES[0], "content": content });
    assert_eq!(api.post("/sandbox/messages", &body).await.status, 201);
}

fn content(received: &Received) -> String {
    received.json()["data"]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[track_caller]
fn assert_signed(received: &Received, secret: &str) {
    let secret = Secret::parse(secret).expect("a signing secret");
    let at = received.header("webhook-timestamp").parse().expect("a time");
    let own = sign([&secret], received.id(), at, &received.body);
    assert_eq!(received.header("webhook-signature"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_delivers_to_whom_its_operator_allows() {
    let (place, catcher) = (open_minded(), Catcher::start().await);
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let endpoint = json!({ "url": catcher.url(), "topics": ["sms.received"] });
    let made = api.post("/v2/api/webhooks", &endpoint).await;
    assert_eq!(made.status, 201, "{}", made.text);
    text(&api, "Hello").await;
    let received = catcher.wait_for(1).await.remove(0);
    assert_eq!(content(&received), "Hello");
    assert_signed(
        &received,
        made.json["data"]["signing_secret"].as_str().expect("a secret"),
    );
    // What is delivered but not recorded when the server ends would be delivered twice.
    server.stop().await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    text(&api, "Hello again").await;
    let all = catcher.wait_for(2).await;
    assert_eq!(
        all.iter().map(content).collect::<Vec<_>>(),
        ["Hello", "Hello again"]
    );
    server.stop().await;

    // By default, nobody's machine is called.
    let mut place = place;
    place.environment.clear();
    let server = place.serve().await;
    let refused = Api::new(&server.url, &team.key)
        .post("/v2/api/webhooks", &endpoint)
        .await;
    assert_eq!(refused.code(), "WEBHOOK_URL_NOT_ALLOWED", "{}", refused.text);
    server.stop().await;
}

/// `trunkline listen`.
struct Listener {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Listener {
    /// Starts one; returns it with its signing secret.
    async fn start(
        place: &Place,
        server: &str,
        key: &str,
        catcher: &Catcher,
        flags: &[&str],
    ) -> (Self, String) {
        let mut arguments = vec![
            "listen",
            "--url",
            server,
            "--api-key",
            key,
            "--forward-to",
            catcher.url(),
        ];
        arguments.extend(flags);
        let mut command = place.command(&arguments);
        command.stdin(Stdio::null());
        let mut child = command.spawn().expect("listen starts");
        let out = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let err = BufReader::new(child.stderr.take().expect("stderr")).lines();
        let mut listener = Self { child, out, err };
        let secret = loop {
            let line = listener.complaint().await;
            if let Some((_, rest)) = line.split_once("Signing secret: ") {
                break rest.split_whitespace().next().expect("a secret").to_owned();
            }
        };
        (listener, secret)
    }

    /// The next line on stderr.
    async fn complaint(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(30), self.err.next_line()).await;
        line.expect("a line in time")
            .expect("stderr")
            .expect("it goes on")
    }

    /// The next line on stdout.
    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(30), self.out.next_line()).await;
        line.expect("a line in time")
            .expect("stdout")
            .expect("it goes on")
    }
}

async fn serve_at(place: &Place, address: &str) -> Server {
    Starting::new(place.command(&["serve", "--listen", address]))
        .listening()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_forwards_every_event_once_whatever_becomes_of_the_server() {
    let (place, catcher) = (Place::sqlite(), Catcher::start().await);
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let url = server.url.clone();
    let address = url.trim_start_matches("http://").to_owned();
    let api = Api::new(&url, &team.key);
    text(&api, "Before").await;
    let flags = [
        "--json",
        "--since",
        "0",
        "--topics",
        "sms.received,call.completed",
    ];
    let (mut listener, secret) = Listener::start(&place, &url, &team.key, &catcher, &flags).await;
    assert_eq!(content(&catcher.wait_for(1).await[0]), "Before");
    let told: Value = serde_json::from_str(&listener.line().await).expect("JSON");
    let first = &catcher.received()[0];
    assert_signed(first, &secret);
    assert_eq!(
        (&told["topic"], &told["status"]),
        (&json!("sms.received"), &json!(204))
    );
    assert_eq!(told["id"], first.id());

    // A stream that is open does not hold the end up, and what happens meanwhile is not lost.
    server.stop().await;
    catcher.answer(500);
    let server = serve_at(&place, &address).await;
    for i in 0..20 {
        text(&api, &i.to_string()).await;
    }
    let all = catcher.wait_for(21).await;
    let contents: Vec<String> = all[1..].iter().map(content).collect();
    assert_eq!(contents, (0..20).map(|i| i.to_string()).collect::<Vec<_>>());
    let told: Value = serde_json::from_str(&listener.line().await).expect("JSON");
    assert_eq!(told["status"], 500);
    server.kill().await;
    let server = serve_at(&place, &address).await;
    text(&api, "After").await;
    assert_eq!(content(catcher.wait_for(22).await.last().expect("one")), "After");
    listener.child.kill().await.expect("listen is killed");
    assert!(
        !server.log().contains("did not finish in time"),
        "{}",
        server.log()
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_begins_now_and_shows_a_line_for_each_event() {
    let (place, catcher) = (Place::sqlite(), Catcher::start().await);
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    text(&api, "Before").await;
    let own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let (mut listener, secret) =
        Listener::start(&place, &server.url, &team.key, &catcher, &["--secret", own]).await;
    assert_eq!(secret, own);
    // It is not known when it is connected: texts are sent until one comes.
    let mut sent = 0;
    while catcher.count() == 0 {
        text(&api, &sent.to_string()).await;
        sent += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let first = catcher.received().remove(0);
    assert_ne!(content(&first), "Before");
    assert_signed(&first, own);
    let line = listener.line().await;
    assert!(
        line.contains("sms.received") && line.contains(first.id()) && line.contains("-> 204"),
        "{line}"
    );
    listener.child.kill().await.expect("listen is killed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_says_what_is_wrong_with_its_arguments() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let without = place.run(&["keys", "create", "--scopes", "TAGS_READ"]).await.ok();
    let run = async |key: &str, more: &[&str]| {
        let mut arguments = vec!["listen", "--url", &server.url, "--api-key", key];
        arguments.extend(more);
        place.run(&arguments).await.refused(1)
    };
    let forward = ["--forward-to", "http://127.0.0.1:9/"];
    for (key, more, told) in [
        ("ak_live_nobodys", &forward[..], "API_KEY_INVALID"),
        (without.trim(), &forward[..], "WEBHOOKS_READ_WRITE"),
        (&team.key, &["--forward-to", "nowhere"][..], "nowhere"),
        (
            &team.key,
            &["--forward-to", "http://127.0.0.1:9/", "--topics", "sms"][..],
            "INVALID_EVENT_TYPE",
        ),
        (
            &team.key,
            &["--forward-to", "http://127.0.0.1:9/", "--secret", "hush"][..],
            "whsec_",
        ),
        (
            &team.key,
            &["--forward-to", "http://127.0.0.1:9/", "--since", "1000000"][..],
            "INVALID_CURSOR",
        ),
    ] {
        let complaint = run(key, more).await;
        assert!(complaint.contains(told), "{told}: {complaint}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_at_a_glance_which_endpoints_are_sick() {
    let (place, well, sick) = (open_minded(), Catcher::start().await, Catcher::start().await);
    let team = Team::make(&place).await;
    let said = place.run(&["webhooks"]).await.ok();
    assert_eq!(
        said.trim_end(),
        "id  team  host  state  failing since  last error  waiting"
    );
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    sick.answer(503);
    let mut ids = Vec::new();
    for catcher in [&well, &sick] {
        let body = json!({ "url": format!("{}?token=hush", catcher.url()), "topics": ["sms.received"] });
        let made = api.post("/v2/api/webhooks", &body).await;
        ids.push(made.json["data"]["id"].as_str().expect("an id").to_owned());
    }
    let body = json!({ "url": "http://127.0.0.1:9/", "topics": ["sms.sent"] });
    let idle = api.post("/v2/api/webhooks", &body).await.json["data"]["id"].clone();
    let path = format!("/v2/api/webhooks/{}", idle.as_str().expect("an id"));
    assert_eq!(api.put(&path, &json!({ "enabled": false })).await.status, 200);
    text(&api, "Hello").await;
    let listed = crate::support::eventually(Duration::from_secs(20), "both have been tried", async || {
        let listed = place.run(&["webhooks", "--json"]).await.json();
        let tried = !listed[0]["last_success_at"].is_null() && listed[1]["state"] == "FAILING";
        tried.then_some(listed)
    })
    .await;
    assert_eq!(
        (&listed[0]["id"], &listed[0]["state"], &listed[0]["backlog"]),
        (&json!(ids[0]), &json!("HEALTHY"), &json!(0))
    );
    let second = &listed[1];
    assert_eq!(
        (&second["id"], &second["last_error"], &second["backlog"]),
        (&json!(ids[1]), &json!("STATUS 503"), &json!(1))
    );
    assert_eq!(listed[2]["disabled_reason"], "OWNER");
    assert_eq!(
        place
            .run(&["webhooks", "--team", &team.id, "--json"])
            .await
            .json(),
        listed
    );
    assert!(
        place
            .run(&["webhooks", "--team", "team-1"])
            .await
            .refused(1)
            .contains("team-1")
    );
    let table = place.run(&["webhooks"]).await.ok();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(!table.contains("hush"), "{table}");

    let doctor = place.run(&["doctor"]).await.ok();
    let line = doctor
        .lines()
        .find(|line| line.contains("webhooks"))
        .expect("a line about webhooks");
    assert!(
        line.starts_with("warning") && line.contains(&ids[1]) && line.contains("STATUS 503"),
        "{line}"
    );
    assert!(
        !line.contains(&ids[0]) && !line.contains(idle.as_str().expect("an id")),
        "{line}"
    );
    server.stop().await;
}
