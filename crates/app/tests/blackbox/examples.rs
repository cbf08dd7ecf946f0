//! The examples of the guides are run as they stand there, against the demo.
//!
//! A fenced block whose language is followed by `run` is an example. In Python, JavaScript and PHP it comes behind the
//! block of its language that is marked `helper`. Curl must be answered with success.

use std::fmt::Write;
use std::path::Path;

use tokio::process::Command;

use crate::support::program::{Place, demo, file, finish, text};
use crate::support::python::{piped, programs};

/// The guides, with how many runs each has at least.
const GUIDES: [(&str, usize); 8] = [
    ("api-guide.md", 4),
    ("coming-from-allo.md", 4),
    ("texts.md", 4),
    ("people.md", 4),
    ("notes.md", 3),
    ("analytics.md", 4),
    ("access.md", 4),
    ("dialer.md", 4),
];

const ADDRESS: &str = "https://phone.example.com";

/// A fenced block.
struct Block {
    language: String,
    mark: String,
    code: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_examples_work() {
    let place = Place::sqlite();
    let (server, key) = demo(&place).await;
    let helpers = blocks("api-guide.md");
    let python = programs().await.join("python");
    let mut failures = String::new();
    for (guide, at_least) in GUIDES {
        let mut runs = 0;
        for block in blocks(guide).iter().filter(|block| block.mark == "run") {
            let helper = helpers
                .iter()
                .find(|one| one.mark == "helper" && one.language == block.language);
            let helper = helper.map_or("", |helper| helper.code.as_str());
            let code = format!("{helper}\n{}", block.code);
            let (name, program) = match block.language.as_str() {
                "sh" => ("example.sh", Path::new("sh")),
                "python" => ("example.py", python.as_path()),
                "js" => ("example.mjs", Path::new("node")),
                "php" => ("example.php", Path::new("php")),
                other => panic!("{guide}: nothing runs {other}"),
            };
            let code = if block.language == "sh" {
                format!("set -eu\ncurl() {{ command curl --retry 5 --fail-with-body \"$@\"; }}\n{code}")
            } else {
                code
            };
            let (_folder, path) = file(name, &code.replace(ADDRESS, &server.url));
            let mut command = Command::new(program);
            command.arg(text(&path)).env("KEY", &key);
            command
                .env("TRUNKLINE_URL", &server.url)
                .env("TRUNKLINE_KEY", &key);
            let said = finish(piped(command), None).await;
            if said.code != 0 || said.out.trim().is_empty() {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    failures,
                    "{guide}, {}: code {}\n{}\n{}{}",
                    block.language, said.code, block.code, said.out, said.err
                );
            }
            runs += 1;
        }
        assert!(runs >= at_least, "{guide} has {runs} examples that are run");
    }
    assert!(failures.is_empty(), "{failures}");
    server.stop().await;
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
