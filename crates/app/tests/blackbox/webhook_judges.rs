//! Real deliveries, verified by programs that others wrote: the packages of Standard Webhooks for Python and Node, and
//! Svix's.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;
use trunkline_testkit::catcher::{Catcher, Received};

use crate::support::api::Api;
use crate::support::load::{LINES, Team};
use crate::support::program::{Place, file, finish, text};
use crate::support::python::{piped, programs, script};

/// The npm package, and its version.
const NPM_PACKAGE: &str = "standardwebhooks@1.1.1";

const TEXTS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_accept_our_deliveries_and_no_forgeries() {
    let place = Place::sqlite()
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1");
    let (catcher, team) = (Catcher::start().await, Team::make(&place).await);
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let endpoint = json!({ "url": catcher.url(), "topics": ["sms.received"] });
    let made = api.post("/v2/api/webhooks", &endpoint).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.data()["id"].as_str().expect("an id").to_owned();
    for number in 0..TEXTS / 2 {
        send(&api, number).await;
    }
    let before = catcher.wait_for(TEXTS / 2).await;
    // From here on there are two signatures: the old secret and the new one are both accepted.
    let old = made.data()["signing_secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let rotated = api
        .post(&format!("/v2/api/webhooks/{id}/rotate_secret"), &json!({}))
        .await;
    let new = rotated.data()["signing_secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let shown = api.get(&format!("/v2/api/webhooks/{id}")).await;
    assert_eq!(shown.data()["signing_secret"], new.as_str());
    // A sender learns of the change within a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    for number in TEXTS / 2..TEXTS {
        send(&api, number).await;
    }
    let all = catcher.wait_for(TEXTS).await;
    let after = &all[TEXTS / 2..];
    server.stop().await;

    let node = node_modules().await;
    for (secret, deliveries) in [(&old, before.as_slice()), (&old, after), (&new, after)] {
        let recorded = record(secret, deliveries);
        let (_folder, path) = file("deliveries.json", &recorded.to_string());
        let mut python = Command::new(programs().await.join("python"));
        python.args([text(&script("webhook_judges.py")), text(&path)]);
        let said = finish(piped(python), None).await;
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(
            said.json(),
            json!({ "standardwebhooks": TEXTS / 2, "svix": TEXTS / 2 })
        );
        let mut js = Command::new("node");
        js.args([text(&script("webhook_judge.mjs")), text(&path)])
            .current_dir(&node);
        let said = finish(piped(js), None).await;
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.json(), json!({ "standardwebhooks": TEXTS / 2 }));
    }
}

async fn send(api: &Api, number: usize) {
    let content = format!("Où est la commande {number} ? \u{1F600} \"50 %\" & more");
    let body = json!({ "from": "+14155551234", "to": LINES[0], "content": content });
    assert_eq!(api.post("/sandbox/messages", &body).await.status, 201);
}

fn record(secret: &str, deliveries: &[Received]) -> Value {
    let delivery = |received: &Received| {
        let header = |name: &str| (name.to_owned(), Value::from(received.header(name)));
        let headers: serde_json::Map<String, Value> =
            ["webhook-id", "webhook-timestamp", "webhook-signature"]
                .into_iter()
                .map(header)
                .collect();
        json!({ "headers": headers, "body": String::from_utf8_lossy(&received.body) })
    };
    json!({ "secret": secret, "deliveries": deliveries.iter().map(delivery).collect::<Vec<_>>() })
}

/// A folder under `target/` with the npm package in it, made once.
async fn node_modules() -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("npm-{}", NPM_PACKAGE.replace('@', "-")));
    let complete = folder.join("complete");
    if !complete.exists() {
        fs::create_dir_all(&folder).expect("a folder under target/");
        fs::write(folder.join("package.json"), "{ \"private\": true }").expect("a file under target/");
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            NPM_PACKAGE,
        ])
        .current_dir(&folder);
        let said = finish(piped(npm), None).await;
        assert_eq!(
            said.code, 0,
            "npm could not install {NPM_PACKAGE}; `cargo xtask setup --install` installs npm: {}",
            said.err
        );
        fs::write(&complete, "").expect("a file under target/");
    }
    folder
}
