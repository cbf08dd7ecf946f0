//! Every command, from its arguments to what it prints and what it leaves behind.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::api::{Api, client, in_query};
use crate::support::eventually;
use crate::support::load::{LINES, Team, close, database};
use crate::support::program::{Place, file, finish, text};
use crate::support::truth::{self, Live};

/// Every command with its options; `--help` of each mentions them.
const COMMANDS: [(&[&str], &[&str]); 18] = [
    (&["demo"], &["--listen", "--no-traffic", "--every"]),
    (&["serve"], &["--listen"]),
    (&["keys"], &["create", "list", "revoke"]),
    (&["keys", "create"], &["--name", "--team", "--user", "--scopes"]),
    (&["keys", "list"], &["--team", "--json"]),
    (&["keys", "revoke"], &["<ID>", "--team"]),
    (&["teams"], &["create", "update", "list"]),
    (
        &["teams", "create"],
        &["<NAME>", "--time-zone", "--country", "--sandbox", "--trial"],
    ),
    (
        &["teams", "update"],
        &[
            "--team",
            "--name",
            "--plan",
            "--read-per-second",
            "--write-per-second",
            "--create-tags",
        ],
    ),
    (&["users", "create"], &["<NAME>", "--email", "--role", "--team"]),
    (
        &["numbers", "add"],
        &[
            "[NUMBER]",
            "--sender-id",
            "--name",
            "--carrier",
            "--twilio-account-sid",
            "--twilio-auth-token-file",
            "--capabilities",
            "--members",
            "--team",
        ],
    ),
    (&["numbers", "list"], &["--team", "--json"]),
    (
        &["seed"],
        &["--items", "--teams", "--days", "--transcripts", "--random"],
    ),
    (&["reindex"], &["Delete the text index"]),
    (&["doctor"], &["--json"]),
    (&["migrate"], &["this program's version"]),
    (&["openapi"], &["OpenAPI"]),
    (
        &["trigger"],
        &["<TOPIC>", "--url", "--key", "--from", "--to", "--text"],
    ),
];

/// What every command understands.
const COMMON: [&str; 3] = ["--config", "--data-dir", "--database"];

#[tokio::test]
async fn help_mentions_every_option() {
    let place = Place::sqlite();
    let all = place.run(&["--help"]).await.ok();
    for (command, options) in COMMANDS {
        assert!(all.contains(command[0]), "--help does not mention {}", command[0]);
        let help = place.run(&[command, &["--help"]].concat()).await.ok();
        let missing: Vec<_> = options
            .iter()
            .chain(&COMMON)
            .filter(|option| !help.contains(**option))
            .collect();
        assert!(
            missing.is_empty(),
            "{command:?} --help lacks {missing:?}:\n{help}"
        );
    }
    assert!(all.contains("Exit codes"), "{all}");
    assert!(place.run(&["--version"]).await.ok().starts_with("trunkline "));
    assert!(!place.data.exists(), "asking for help makes a data folder");
}

#[tokio::test]
async fn teams_users_and_numbers_are_made_and_listed() {
    let place = Place::sqlite();
    let none = place.run(&["users", "list"]).await.refused(1);
    assert!(none.contains("trunkline teams create"), "{none}");
    let team = [
        "teams",
        "create",
        "Le Phare",
        "--time-zone",
        "Europe/Paris",
        "--country",
        "fr",
        "--sandbox",
    ];
    let team = place.run(&team).await.ok();
    let team = team.trim();
    assert!(team.starts_with("team-") && !team.contains('\n'), "{team:?}");
    let listed = place.run(&["teams", "list", "--json"]).await.json();
    let expected = json!({ "id": team, "name": "Le Phare", "time_zone": "Europe/Paris", "country": "FR", "sandbox": true });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&listed[0][name], value, "{name}");
    }

    let user = place
        .run(&[
            "users",
            "create",
            "Zoé",
            "--email",
            "zoe@phare.example",
            "--role",
            "manager",
        ])
        .await
        .ok();
    let listed = place.run(&["users", "list", "--json"]).await.json();
    assert_eq!(listed[0]["id"], user.trim());
    assert_eq!(
        (&listed[0]["email"], &listed[0]["role"]),
        (&json!("zoe@phare.example"), &json!("MANAGER"))
    );
    let again = place
        .run(&["users", "create", "Zoé", "--email", "zoe@phare.example"])
        .await
        .refused(1);
    assert!(again.contains("error: "), "{again}");

    let number = [
        "numbers",
        "add",
        "+33142685300",
        "--name",
        "Paris",
        "--members",
        "zoe@phare.example",
    ];
    let number = place.run(&number).await.ok();
    assert!(
        number.starts_with("num-") || number.starts_with("pn-") || number.contains('-'),
        "{number}"
    );
    let sender = place.run(&["numbers", "add", "--sender-id", "PHARE"]).await.ok();
    let voice = [
        "numbers",
        "add",
        "--sender-id",
        "RADIO",
        "--capabilities",
        "VOICE",
    ];
    let said = place.run(&voice).await.refused(1);
    assert!(said.contains("nobody can call"), "{said}");
    let listed = place.run(&["numbers", "list", "--json"]).await.json();
    assert_eq!(listed[0]["capabilities"], json!(["VOICE", "SMS"]));
    assert_eq!(listed[1]["capabilities"], json!(["SMS"]));
    let twice = [
        "numbers",
        "add",
        "+33142685301",
        "--members",
        "zoe@phare.example,zoe@phare.example",
    ];
    place.run(&twice).await.ok();
    let idle = ["numbers", "add", "+33142685302", "--twilio-account-sid", "AC1"];
    let said = place.run(&idle).await.refused(1);
    assert!(said.contains("--carrier twilio"), "{said}");
    assert_eq!(
        (&listed[0]["id"], &listed[0]["number"]),
        (&json!(number.trim()), &json!("+33142685300"))
    );
    assert_eq!(
        (&listed[1]["id"], &listed[1]["sender_id"]),
        (&json!(sender.trim()), &json!("PHARE"))
    );
    for list in ["teams", "users", "numbers"] {
        let table = place.run(&[list, "list"]).await.ok();
        assert!(table.starts_with("ID ") && table.lines().count() >= 2, "{table}");
    }

    for wrong in [
        &["numbers", "add", "0142685300"][..],
        &["numbers", "add", "+33142685300"],
        &["users", "create", "A", "--email", "no"],
    ] {
        let said = place.run(wrong).await.refused(1);
        assert!(said.starts_with("error: "), "{said}");
        let (first, rest) = said.trim_end().split_at(said.len() / 2);
        assert!(!first.contains(rest), "it is said once: {said}");
    }
    place.run(&["numbers", "add"]).await.refused(2);
    for wrong in [["--teams", "0"], ["--days", "0"], ["--items", "-1"]] {
        place.run(&["seed", wrong[0], wrong[1]]).await.refused(2);
    }
    place.run(&["teams", "create", "Second"]).await.ok();
    let which = place.run(&["keys", "create"]).await.refused(1);
    assert!(which.contains("--team"), "{which}");
    place.run(&["keys", "create", "--team", team]).await.ok();
    let unknown = place
        .run(&["keys", "create", "--team", "team-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"])
        .await
        .refused(1);
    assert!(unknown.contains("team-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"), "{unknown}");
}

#[tokio::test]
async fn settings_of_a_team_change_beside_a_running_server() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let update = [
        "teams",
        "update",
        "--read-per-second",
        "7",
        "--write-per-second",
        "3",
        "--create-tags",
        "false",
    ];
    place.run(&update).await.ok();
    eventually(
        Duration::from_secs(10),
        "the server knows the limits",
        async || {
            let me = api.get("/v2/api/me").await;
            let limits = &me.json["data"]["rate_limits"];
            (limits == &json!({ "read_per_second": 7, "write_per_second": 3 })).then_some(())
        },
    )
    .await;
    let listed = place.run(&["teams", "list", "--json"]).await.json();
    assert_eq!(
        (&listed[0]["read_per_second"], &listed[0]["create_tags"]),
        (&json!(7), &json!(false))
    );
    let said = place
        .run(&["teams", "update", "--write-per-second", "0"])
        .await
        .refused(1);
    assert!(said.contains("write_per_second"), "{said}");
    place.run(&["teams", "update", "--plan", "gold"]).await.refused(2);
    place.run(&["teams", "update", "--plan", "trial"]).await.ok();
    eventually(Duration::from_secs(10), "a trial has no API", async || {
        (api.get("/v2/api/me").await.code() == "API_KEY_TRIAL_NOT_ALLOWED").then_some(())
    })
    .await;
    server.stop().await;
    let said = place
        .run(&["teams", "create", "Nowhere", "--country", "ZZ"])
        .await
        .refused(1);
    assert!(said.contains("no country"), "{said}");
}

#[tokio::test]
async fn keys_are_shown_once_and_refused_soon_after_they_are_revoked() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    // Made beside a running server, it works at once.
    let said = place
        .run(&[
            "keys",
            "create",
            "--name",
            "reader",
            "--scopes",
            "conversations_read,tags_read",
        ])
        .await;
    let note = said.err.clone();
    let out = said.ok();
    let key = out.trim_end();
    assert!(
        key.starts_with("ak_test_") && out == format!("{key}\n"),
        "stdout is more than the key: {out:?}"
    );
    assert!(note.contains("api-") && !note.contains(key), "{note}");
    let api = Api::new(&server.url, key);
    let me = api.get("/v2/api/me").await;
    assert_eq!(me.data()["scopes"], json!(["CONVERSATIONS_READ", "TAGS_READ"]));
    let id = me.data()["api_key_id"].as_str().expect("an id").to_owned();

    let listed = place.run(&["keys", "list", "--json"]).await;
    assert!(
        !listed.out.contains(key) && !listed.out.contains(&team.key),
        "a key is shown again"
    );
    let listed = listed.json();
    let entry = listed
        .as_array()
        .expect("a list")
        .iter()
        .find(|entry| entry["id"] == id.as_str())
        .expect("the key");
    assert_eq!(
        (&entry["name"], &entry["revoked_at"]),
        (&json!("reader"), &Value::Null)
    );
    assert!(!place.run(&["keys", "list"]).await.ok().contains(key));

    place.run(&["keys", "revoke", &id]).await.ok();
    let refused = eventually(Duration::from_secs(2), "the key is refused", async || {
        let reply = api.get("/v2/api/me").await;
        (reply.status == 401).then_some(reply)
    });
    assert_eq!(refused.await.code(), "API_KEY_REVOKED");
    assert_eq!(
        Api::new(&server.url, &team.key).get("/v2/api/me").await.status,
        200,
        "another key is refused too"
    );
    let again = place.run(&["keys", "revoke", &id]).await.refused(1);
    assert!(again.contains(&id), "{again}");
    let malformed = place.run(&["keys", "revoke", "nonsense"]).await.refused(1);
    assert!(malformed.contains("keys list"), "{malformed}");
    let scope = place
        .run(&["keys", "create", "--scopes", "EVERYTHING"])
        .await
        .refused(1);
    assert!(scope.contains("EVERYTHING"), "{scope}");
    server.stop().await;
}

#[tokio::test]
async fn carrier_tokens_come_from_files_and_are_sealed() {
    let place = Place::sqlite();
    place
        .run(&["teams", "create", "Live", "--country", "US"])
        .await
        .ok();
    let (_folder, path) = file("token", "token-from-a-file\n");
    let add = [
        "numbers",
        "add",
        "+14155550111",
        "--carrier",
        "twilio",
        "--twilio-account-sid",
        "AC1",
    ];
    place
        .run(&[&add[..], &["--twilio-auth-token-file", text(&path)]].concat())
        .await
        .ok();
    let mut other = add;
    other[2] = "+14155550112";
    let stdin = [&other[..], &["--twilio-auth-token-file", "-"]].concat();
    place.run_with_input(&stdin, "token-from-stdin\n").await.ok();
    other[2] = "+14155550113";
    let stdin = [&other[..], &["--twilio-auth-token-file", "-"]].concat();
    let empty = place.run_with_input(&stdin, "\n").await.refused(1);
    assert!(empty.contains("token"), "{empty}");
    let missing = place.run(&other).await.refused(2);
    assert!(missing.contains("--twilio-auth-token-file"), "{missing}");
    let nowhere = place
        .run(&[&other[..], &["--twilio-auth-token-file", "/nowhere"]].concat())
        .await
        .refused(1);
    assert!(nowhere.contains("/nowhere"), "{nowhere}");

    let listed = place.run(&["numbers", "list", "--json"]).await.ok();
    assert_eq!(
        serde_json::from_str::<Value>(&listed)
            .expect("JSON")
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    for token in ["token-from-a-file", "token-from-stdin"] {
        assert!(!listed.contains(token));
        for entry in std::fs::read_dir(&place.data).expect("the data folder").flatten() {
            let bytes = if entry.path().is_file() {
                std::fs::read(entry.path()).expect("a file")
            } else {
                Vec::new()
            };
            let found = bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes());
            assert!(
                !found,
                "{} holds a carrier's token in the clear",
                entry.path().display()
            );
        }
    }
    let key = std::fs::metadata(place.data.join("secret.key")).expect("the secret key");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o077,
        0,
        "others may read secret.key"
    );
}

#[tokio::test]
async fn the_openapi_document_is_the_one_that_is_served() {
    let place = Place::sqlite();
    let printed = place.run(&["openapi"]).await.json();
    assert!(!place.data.exists(), "printing the document needs no data folder");
    let server = place.serve().await;
    let served = client()
        .get(format!("{}/openapi.json", server.url))
        .send()
        .await
        .expect("an answer");
    let served: Value = served.json().await.expect("JSON");
    assert_eq!(printed, served);
    assert_eq!(
        printed["openapi"].as_str().map(|version| &version[..2]),
        Some("3.")
    );
    server.stop().await;
}

#[tokio::test]
async fn migrate_and_doctor() {
    let place = Place::sqlite();
    place.run(&["doctor"]).await.refused(3);
    assert!(!place.data.exists(), "a doctor who looks leaves nothing behind");
    for _ in 0..2 {
        let said = place.run(&["migrate"]).await;
        assert!(said.err.contains("up to date"), "{}", said.err);
        said.ok();
    }
    assert!(place.data.join("trunkline.db").exists());
    let shown = place.run(&["doctor"]).await.ok();
    assert!(shown.contains("ok ") && !shown.contains("FAILED"), "{shown}");
    let findings = place.run(&["doctor", "--json"]).await.json();
    let findings = findings.as_array().expect("a list");
    for check in [
        "configuration",
        "secret key",
        "database",
        "writing",
        "disk",
        "text index",
        "clock",
    ] {
        let found = findings
            .iter()
            .find(|finding| finding["check"] == check)
            .unwrap_or_else(|| panic!("no check of {check}"));
        assert_ne!(found["verdict"], "failed", "{found}");
    }

    let of_index = async || {
        let findings = place.run(&["doctor", "--json"]).await.json();
        let findings = findings.as_array().cloned().unwrap_or_default();
        let found = findings
            .into_iter()
            .find(|finding| finding["check"] == "text index");
        let found = found.expect("the index is looked at");
        (found["verdict"].clone(), found["detail"].to_string())
    };
    let (verdict, detail) = of_index().await;
    assert!(verdict == "warning" && detail.contains("none yet"), "{detail}");
    let server = place.serve().await;
    let (verdict, detail) = of_index().await;
    assert!(verdict == "ok" && detail.contains("in use"), "{detail}");
    server.stop().await;
    let (verdict, detail) = of_index().await;
    assert!(verdict == "ok" && detail.contains("0 items"), "{detail}");
    std::fs::write(place.data.join("index/index/meta.json"), "{").expect("a file");
    let (verdict, detail) = of_index().await;
    assert!(
        verdict == "warning" && detail.contains("builds it anew"),
        "{detail}"
    );

    let garbage = Place::sqlite();
    std::fs::create_dir_all(&garbage.data).expect("a data folder");
    std::fs::write(
        garbage.data.join("trunkline.db"),
        "this is no database ".repeat(1_000),
    )
    .expect("a file");
    let shown = garbage.run(&["doctor"]).await;
    assert!(
        shown.out.contains("FAILED") && shown.out.contains("trunkline.db"),
        "{}",
        shown.out
    );
    shown.refused(3);
    let said = garbage.run(&["doctor", "--json"]).await;
    let findings: Value = serde_json::from_str(&said.out).expect("JSON");
    let database = findings
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["check"] == "database");
    assert_eq!(database.expect("the database is checked")["verdict"], "failed");
    said.refused(3);
    let said = garbage.run(&["migrate"]).await.refused(1);
    assert!(said.contains("not a Trunkline database"), "{said}");
    let said = garbage
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .await
        .refused(1);
    assert!(said.contains("not a Trunkline database"), "{said}");
    let kept = std::fs::read(garbage.data.join("trunkline.db")).expect("the file");
    assert!(
        kept.starts_with(b"this is no database"),
        "the file of somebody else was changed"
    );

    let (_folder, path) = file("trunkline.toml", "[server]\nlistn = \"127.0.0.1:1\"\n");
    let shown = place.run(&["doctor", "--config", text(&path)]).await;
    assert!(shown.out.contains("listn"), "{}", shown.out);
    shown.refused(3);
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    let place = Place::sqlite();
    let (_folder, path) = file("trunkline.toml", "[server]\nlistn = \"127.0.0.1:1\"\n");
    let said = place.run(&["serve", "--config", text(&path)]).await.refused(1);
    assert!(said.contains("listn") && said.contains(text(&path)), "{said}");
    let said = Place::sqlite()
        .with("TRUNKLINE_SERVER_LISTN", "x")
        .run(&["migrate"])
        .await
        .refused(1);
    assert!(said.contains("TRUNKLINE_SERVER_LISTN"), "{said}");
    let said = Place::sqlite()
        .with("TRUNKLINE_SEARCH_WAIT_MS", "soon")
        .run(&["migrate"])
        .await
        .refused(1);
    assert!(said.contains("TRUNKLINE_SEARCH_WAIT_MS"), "{said}");
    let said = Place::sqlite()
        .with("TRUNKLINE_LOG_FILTER", "trunkline=loud")
        .run(&["serve"])
        .await
        .refused(1);
    assert!(said.contains("log.filter"), "{said}");
    let said = place
        .run(&["migrate", "--config", "/nowhere/trunkline.toml"])
        .await
        .refused(1);
    assert!(said.contains("/nowhere/trunkline.toml"), "{said}");
    let said = place
        .run(&["migrate", "--database", "mysql://x:secret@y/z"])
        .await
        .refused(1);
    assert!(said.contains("postgres://") && !said.contains("secret"), "{said}");
    let said = place
        .run(&["migrate", "--database", "postgres://x:hidden@127.0.0.1:9/z"])
        .await
        .refused(1);
    assert!(said.contains("--database") && !said.contains("hidden"), "{said}");
    let said = place.run(&["srve"]).await.refused(2);
    assert!(said.contains("serve"), "{said}");
}

/// What is made and cannot be told is an error; whoever has read enough is none.
#[tokio::test]
async fn results_that_cannot_be_written() {
    let place = Place::sqlite();
    let full = || std::fs::File::create("/dev/full").expect("a full device");
    let mut command = place.command(&["teams", "create", "Acme"]);
    command.stdout(full());
    let said = finish(command, None).await.refused(1);
    assert!(said.contains("stdout") && !said.contains("panicked"), "{said}");
    let mut command = place.command(&["openapi"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer);
    let said = finish(command, None).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[tokio::test]
async fn a_taken_port_and_a_taken_folder_are_named() {
    let place = Place::sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = place.run(&["serve", "--listen", &address]).await.refused(1);
    assert!(
        said.contains(&address) && said.contains("taken") && said.contains("--listen"),
        "{said}"
    );
    let said = place.run(&["serve", "--listen", "nonsense"]).await.refused(1);
    assert!(said.contains("nonsense"), "{said}");
    let other = Place::sqlite().with("TRUNKLINE_METRICS_LISTEN", &address);
    let said = other.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused(1);
    assert!(
        said.contains(&address) && said.contains("metrics.listen") && !said.contains("--listen"),
        "{said}"
    );

    let server = place.serve().await;
    for command in ["serve", "demo"] {
        let said = place.run(&[command, "--listen", "127.0.0.1:0"]).await.refused(1);
        assert!(
            said.contains("another server") && said.contains(text(&place.data)),
            "{said}"
        );
    }
    assert_eq!(
        client()
            .get(format!("{}/readyz", server.url))
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
    server.stop().await;
    place.serve().await.stop().await;
}

#[tokio::test]
async fn reindex() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    for number in 0..40 {
        let text = json!({ "from": format!("+1415555{number:04}"), "to": LINES[0], "content": format!("refund number {number}") });
        assert_eq!(api.post("/sandbox/messages", &text).await.status, 201);
    }
    let wanted = json!({ "search": "refund num", "size": 50 });
    let before = api.search(&wanted).await;
    assert_eq!(before["pagination"]["total_count"], 40);
    let said = place.run(&["reindex"]).await.refused(1);
    assert!(said.contains("in use"), "{said}");
    assert_eq!(
        api.search(&wanted).await,
        before,
        "a refused reindex disturbs the running server"
    );
    server.stop().await;

    place.run(&["reindex"]).await.ok();
    let server = place.serve().await;
    api.moved(&server.url);
    let after = eventually(Duration::from_secs(30), "the index is built", async || {
        let reply = api.post("/v2/api/conversations/items/search", &wanted).await;
        match reply.status {
            200 => Some(reply.json),
            status => {
                assert_eq!(
                    (status, reply.code()),
                    (503, "SEARCH_NOT_READY"),
                    "{}",
                    reply.text
                );
                assert!(!reply.header("retry-after").is_empty(), "{}", reply.text);
                None
            }
        }
    });
    assert_eq!(after.await, before);
    server.stop().await;
}

#[tokio::test]
async fn heavy_seed_beside_a_running_server() {
    let place = Place::sqlite();
    let team = Team::make(&place).await;
    let server = place.serve().await;
    let own = Api::new(&server.url, &team.key);
    let text = json!({ "from": "+14155551234", "to": LINES[0], "content": "from before" });
    assert_eq!(own.post("/sandbox/messages", &text).await.status, 201);
    let said = place.run(&["seed", "--items", "2000", "--teams", "2"]).await;
    assert!(said.err.contains("2000 items"), "{}", said.err);
    said.ok();

    let teams = place.run(&["teams", "list", "--json"]).await.json();
    let seeded: Vec<&str> = teams
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .filter(|id| *id != team.id)
        .collect();
    assert_eq!(seeded.len(), 2, "{teams}");
    let mut total = 0;
    for id in seeded {
        let key = place.run(&["keys", "create", "--team", id]).await.ok();
        let api = Api::new(&server.url, key.trim());
        let page = api.search(&json!({ "type": "SMS", "size": 1 })).await;
        let content = page["data"][0]["content"].as_str().expect("a text");
        let word = content
            .split(|c: char| !c.is_alphanumeric())
            .max_by_key(|word| word.len())
            .expect("a word");
        let everything = api.search(&json!({ "size": 1 })).await;
        total += everything["pagination"]["total_count"].as_i64().expect("a count");
        eventually(
            Duration::from_secs(30),
            "the running server finds what was seeded",
            async || {
                let reply = api
                    .post("/v2/api/conversations/items/search", &json!({ "search": word }))
                    .await;
                (reply.status == 200 && reply.json["pagination"]["total_count"].as_i64() > Some(0))
                    .then_some(())
            },
        )
        .await;
    }
    assert_eq!(total, 2_000);
    assert_eq!(own.count("before").await, 1);
    assert_eq!(
        own.search(&json!({})).await["pagination"]["total_count"],
        1,
        "teams are mixed up"
    );
    server.stop().await;
}

#[tokio::test]
async fn heavy_demo() {
    use crate::support::program::{Said, Starting, finish};
    use crate::support::python::piped;

    let place = Place::sqlite();
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..2 {
        let demo = place.command(&["demo", "--no-traffic", "--listen", "127.0.0.1:0"]);
        let mut starting = Starting::new(demo);
        starting.patience = Duration::from_secs(120);
        let server = starting.listening().await;
        eventually(Duration::from_secs(5), "the demo introduces itself", async || {
            server.log().contains("Ctrl-C").then_some(())
        })
        .await;
        let said = server.log();
        let key = said
            .split_whitespace()
            .find(|word| word.starts_with("ak_test_"))
            .expect("a key")
            .to_owned();
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
    assert_eq!(
        Api::new(&server.url, &team.key).get("/v2/api/me").await.status,
        200
    );
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

#[tokio::test]
async fn no_secret_is_logged_on_sqlite() {
    assert_logs_keep_secrets(Place::sqlite()).await;
}

#[tokio::test]
async fn no_secret_is_logged_on_postgres() {
    assert_logs_keep_secrets(Place::postgres()).await;
}

async fn assert_logs_keep_secrets(place: Place) {
    let team = Team::make(&place).await;
    let token = "giraffe-token-of-the-carrier";
    let (_folder, path) = file("token", token);
    let add = [
        "numbers",
        "add",
        "+14155550199",
        "--carrier",
        "twilio",
        "--twilio-account-sid",
        "AC1",
    ];
    place
        .run(&[&add[..], &["--twilio-auth-token-file", text(&path)]].concat())
        .await
        .ok();
    let place = place.with("TRUNKLINE_LOG_FILTER", "trace");
    let server = place.serve().await;
    let api = Api::new(&server.url, &team.key);
    let text = json!({ "from": "+14155551234", "to": LINES[0], "content": "giraffetext in the clear" });
    let sent = api
        .try_send(
            Method::POST,
            "/sandbox/messages",
            Some("giraffe-idempotency"),
            Some(&text),
        )
        .await;
    assert_eq!(sent.expect("an answer").status, 201);
    let call = json!({
        "from": "+14155551234", "to": LINES[0], "speed": 1_000, "summary": "giraffesummary",
        "lines": [{ "source": "EXTERNAL", "at": 1, "text": "giraffespeech" }],
    });
    let id = api.post("/sandbox/calls", &call).await.data()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    eventually(Duration::from_secs(10), "the call is over", async || {
        let item = api
            .get(&format!("/v2/api/conversations/items/{id}?extend=transcript"))
            .await;
        item.data()["summary"].is_string().then_some(())
    })
    .await;
    let edited = json!({ "content": "giraffeedited" });
    let path = format!("/v2/api/conversations/items/{id}/summary");
    assert_eq!(
        api.try_send(Method::PATCH, &path, None, Some(&edited))
            .await
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(api.count("giraffespeech").await, 1);
    assert_eq!(api.count("giraffetext").await, 1);
    let list = format!(
        "/v2/api/conversations?allo_number={}&extend=transcript",
        in_query(LINES[0])
    );
    assert_eq!(api.get(&list).await.status, 200);
    let wrong = Api::new(&server.url, "ak_live_giraffewrong")
        .get("/v2/api/me")
        .await;
    assert_eq!(wrong.status, 401);
    for signed in [true, false] {
        let url = format!("{}/carriers/twilio/messages", server.url);
        let fields = [
            ("MessageSid", "SM1"),
            ("From", "+14155551234"),
            ("To", "+14155550199"),
            ("Body", "giraffebody"),
        ];
        let pairs: Vec<(String, String)> = fields
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let signature =
            trunkline_messaging::twilio::signature(if signed { token } else { "other" }, &url, &pairs);
        let request = client()
            .post(&url)
            .header("X-Twilio-Signature", &signature)
            .form(&fields);
        let status = request.send().await.expect("an answer").status().as_u16();
        assert_eq!(status, if signed { 200 } else { 403 });
    }
    server.terminate();
    let mut server = server;
    server.ended().await;

    let log = server.log();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "this was not logged at TRACE:\n{log}"
    );
    let mut secrets = vec![
        team.key.clone(),
        team.key.trim_start_matches("ak_test_").to_owned(),
        "giraffe".to_owned(),
    ];
    secrets.extend(
        std::fs::read_to_string(place.data.join("secret.key"))
            .ok()
            .map(|key| key.trim().to_owned()),
    );
    let password = place
        .database
        .as_deref()
        .and_then(|url| url.split(['@', ':']).nth(2))
        .map(str::to_owned);
    secrets.extend(password);
    for line in log.lines() {
        let found = secrets.iter().find(|secret| line.contains(secret.as_str()));
        assert!(found.is_none(), "the log tells {found:?}: {line}");
    }
}
