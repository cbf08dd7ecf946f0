//! The examples of the guides are run as they stand there, against the demo.
//!
//! A fenced block whose language is followed by `run` is an example. In Python, JavaScript and PHP it comes behind the
//! block of its language that is marked `helper`. Curl must be answered with success, and `$ID` is the first id in the
//! answer before.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use trunkline_testkit::catcher::Catcher;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::program::{Place, demo, file, finish, text};
use crate::support::python::{piped, programs};

/// The guides, with how many runs each has at least. Later ones build on what earlier ones made.
const GUIDES: [(&str, usize); 10] = [
    ("api-guide.md", 20),
    ("coming-from-allo.md", 4),
    ("texts.md", 4),
    ("people.md", 24),
    ("notes.md", 12),
    ("analytics.md", 16),
    ("access.md", 36),
    ("dialer.md", 8),
    ("webhooks.md", 12),
    ("partners.md", 4),
];

const ADDRESS: &str = "https://phone.example.com";

/// Where webhooks go in the guides.
const HOOK: &str = "https://example.com/hook";

/// What examples for curl begin with here.
const SHELL: &str = r#"set -eu
curl() {
  answer=$(command curl --retry 5 --fail-with-body "$@") || { code=$?; printf '%s\n' "$answer"; return $code; }
  printf '%s\n' "$answer"
  ID=$(printf '%s' "$answer" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
}"#;

/// A fenced block.
struct Block {
    language: String,
    mark: String,
    code: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_examples_work() {
    let place = Place::sqlite()
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1");
    let (server, key) = demo(&place).await;
    let receiver = Catcher::start().await;
    let helpers = blocks("api-guide.md");
    let python = programs().await.join("python");
    let mut failures = String::new();
    for (place_in_list, (guide, at_least)) in GUIDES.into_iter().enumerate() {
        if place_in_list == 1 {
            // The first guide has met with the limits of a key; the others would wait for a minute.
            lift_limits(&place, &Api::new(&server.url, &key)).await;
        }
        let examples: Vec<Block> = blocks(guide)
            .into_iter()
            .filter(|block| block.mark == "run")
            .collect();
        let runs = examples.len();
        assert!(runs >= at_least, "{guide} has {runs} examples that are run");
        for block in examples {
            let helper = helpers
                .iter()
                .find(|one| one.mark == "helper" && one.language == block.language);
            let before = helper.map_or(SHELL, |helper| helper.code.as_str());
            let code = format!("{before}\n{}", block.code)
                .replace(ADDRESS, &server.url)
                .replace(HOOK, receiver.url());
            let (name, program) = program(&block.language, &python);
            let (folder, path) = file(name, &code);
            let mut command = Command::new(program);
            command
                .arg(text(&path))
                .current_dir(folder.path())
                .env("KEY", &key)
                .env("TRUNKLINE_URL", &server.url)
                .env("TRUNKLINE_API_KEY", &key);
            let said = finish(piped(command), None).await;
            if said.code != 0 || said.out.trim().is_empty() {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    failures,
                    "{guide}, {}: code {}\n{}\n{}{}",
                    block.language, said.code, block.code, said.out, said.err
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    server.stop().await;
}

/// The name of an example's file, and what runs it.
fn program(language: &str, python: &Path) -> (&'static str, PathBuf) {
    match language {
        "sh" => ("example.sh", "sh".into()),
        "python" => ("example.py", python.to_owned()),
        "js" => ("example.mjs", "node".into()),
        "php" => ("example.php", "php".into()),
        other => panic!("nothing runs {other}"),
    }
}

/// Lets the demo's key ask as often as examples do that follow each other at once.
async fn lift_limits(place: &Place, api: &Api) {
    let arguments = "teams update --read-per-second 1000 --write-per-second 1000";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    place.run(&arguments).await.ok();
    eventually(Duration::from_secs(10), "the server knows", async || {
        let me = api.get("/v2/api/me").await;
        (me.header("x-ratelimit-limit") == "1000").then_some(())
    })
    .await;
}

/// The fenced blocks of a guide.
fn blocks(guide: &str) -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(guide);
    let content = std::fs::read_to_string(&path).expect("a guide");
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in content.lines() {
        if let Some(info) = line.strip_prefix("```") {
            if !open {
                let (language, mark) = info.split_once(' ').unwrap_or((info, ""));
                let [language, mark] = [language, mark].map(str::to_owned);
                blocks.push(Block {
                    language,
                    mark,
                    code: String::new(),
                });
            }
            open = !open;
        } else if let Some(block) = blocks.last_mut().filter(|_| open) {
            block.code.push_str(line);
            block.code.push('\n');
        }
    }
    assert!(!open, "{guide}: a block has no end");
    blocks
}
