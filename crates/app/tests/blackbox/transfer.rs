//! A team moves from one installation to another, and both answer alike.

mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trunkline_domain::{MediaId, Millis, RandomIds, TeamId};
use trunkline_store::transfer::TABLES;
use trunkline_store::{StoreError, Tx, params, transfer};

use self::world::{furnish, walk};
use crate::support::api::Api;
use crate::support::load::{LINES, Team, close, database};
use crate::support::program::{Place, text};

/// One key for all, so that what is sealed stays as it is.
const SECRET: &str = "a secret of tests, and of nothing else";

fn sealed_alike(place: Place) -> Place {
    hooked(place.with("TRUNKLINE_SECURITY_SECRET_KEY", SECRET))
}

/// Lets webhooks go to a port that nobody listens on.
fn hooked(place: Place) -> Place {
    place
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1")
}

/// Exports the team of a place into a new folder.
async fn exported(place: &Place, team: &str, into: &Path) -> PathBuf {
    let said = place.run(&["export", text(into), "--team", team]).await;
    assert!(said.err.contains("rows"), "{}", said.err);
    said.ok();
    into.to_owned()
}

/// The names and contents of the files with rows.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a file"))
        })
        .collect()
}

/// Serves a place until it was walked through.
async fn answers(place: &Place, key: &str) -> BTreeMap<String, String> {
    let server = place.serve().await;
    let told = walk(&server.url, key).await;
    server.stop().await;
    told
}

fn assert_alike(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (request, answer) in one {
        assert_eq!(*answer, other[request], "{request}");
    }
}

const MEDIUM: &[u8] = b"\xff\xd8 a picture";

/// Keeps a picture of the first team's first text.
async fn plant_medium(place: &Place) -> MediaId {
    let id = MediaId::new(&RandomIds, Millis(1_700_000_000_000));
    let db = database(place);
    let plant = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        let sql = "INSERT INTO media (team_id, id, seq, source, state, content_type, bytes)
                   SELECT team_id, $1, MIN(seq), 'https://carrier.example/1', 'KEPT', 'image/jpeg', 10
                     FROM messages WHERE team_id = 1 GROUP BY team_id";
        tx.execute(sql, params![id])
    };
    assert_eq!(db.write(plant).await.expect("a medium"), 1);
    close(db).await;
    let dir = place.data.join("media/1");
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join(id.to_string()), MEDIUM).expect("a picture");
    id
}

/// From one engine to the other and back: the same rows, and the same answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_team_moves_to_the_other_engine_and_back() {
    let (home, away, back) = (
        sealed_alike(Place::sqlite()),
        sealed_alike(Place::postgres()),
        sealed_alike(Place::sqlite()),
    );
    let team = furnish(&home).await;
    let medium = plant_medium(&home).await;
    let folder = tempfile::tempdir().expect("a folder");
    let first = exported(&home, &team.id, &folder.path().join("first")).await;
    away.run(&["import", "team", text(&first)]).await.ok();
    let second = exported(&away, &team.id, &folder.path().join("second")).await;
    back.run(&["import", "team", text(&second)]).await.ok();
    let third = exported(&back, &team.id, &folder.path().join("third")).await;
    let rows = files(&first);
    for table in [
        "items",
        "calls",
        "contacts",
        "events",
        "threads",
        "webhook_endpoints",
        "deals",
        "teams",
    ] {
        assert!(!rows[&format!("{table}.jsonl")].is_empty(), "{table} has rows");
    }
    assert_eq!(rows, files(&second));
    assert_eq!(rows, files(&third));

    for place in [&away, &back] {
        let kept = std::fs::read(place.data.join("media/1").join(medium.to_string()));
        assert_eq!(kept.expect("the medium"), MEDIUM);
    }

    let original = answers(&home, &team.key).await;
    assert!(original.len() > 80, "{} answers", original.len());
    assert_alike(&original, &answers(&away, &team.key).await);
    assert_alike(&original, &answers(&back, &team.key).await);
    assert_eq!(ways_to(&home, &team.id).await, ways_to(&away, &team.id).await);
    for place in [&home, &away, &back] {
        let findings = place.run(&["doctor", "--json"]).await.json();
        for finding in findings.as_array().expect("a list") {
            assert_ne!(finding["verdict"], "failed", "{finding}");
        }
    }
    let again = back.run(&["import", "team", text(&first)]).await.refused(1);
    assert!(
        again.contains("is here already") && again.contains(&team.id),
        "{again}"
    );
}

/// What leads to a team.
async fn ways_to(place: &Place, team: &str) -> Vec<(String, String)> {
    let (db, team) = (database(place), team.to_owned());
    let sql = "SELECT d.kind, d.key FROM directory d JOIN teams t ON t.team_id = d.team_id WHERE t.id = $1 ORDER BY 1, 2";
    let read = move |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> {
        conn.rows(sql, params![&team], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let ways: Vec<_> = db.scan(read).await.expect("the directory");
    close(db).await;
    assert!(ways.len() > 2, "{ways:?}");
    ways
}

/// Every table of the schema that a team has rows in, with how many.
async fn rows_everywhere(place: &Place) -> BTreeMap<&'static str, i64> {
    let db = database(place);
    let count = |conn: &mut trunkline_store::Conn<'_>| -> Result<_, StoreError> {
        let tables = TABLES
            .iter()
            .map(|(table, _)| *table)
            .chain(["teams", "directory"]);
        let mut counts = BTreeMap::new();
        for table in tables {
            let n = conn.row(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.get(0))?;
            counts.insert(table, n.unwrap_or(0));
        }
        Ok(counts)
    };
    let counts = db.scan(count).await.expect("counts");
    close(db).await;
    counts
}

/// Changes the file of a table, and tells the manifest nothing.
fn edit(dir: &Path, table: &str, change: impl FnOnce(String) -> String) {
    let path = dir.join(format!("{table}.jsonl"));
    let before = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(&path, change(before)).expect("a file");
}

/// Changes the manifest.
fn edit_manifest(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("manifest.json");
    let mut manifest = serde_json::from_slice(&std::fs::read(&path).expect("a manifest")).expect("JSON");
    change(&mut manifest);
    std::fs::write(&path, manifest.to_string()).expect("a file");
}

/// Makes the manifest true again for a file.
fn vouch(dir: &Path, table: &str) {
    let bytes = std::fs::read(dir.join(format!("{table}.jsonl"))).expect("a file");
    edit_manifest(dir, |manifest| {
        let files = manifest["files"].as_array_mut().expect("files");
        let entry = files
            .iter_mut()
            .find(|file| file["table"] == table)
            .expect("the file");
        entry["rows"] = json!(bytes.iter().filter(|byte| **byte == b'\n').count());
        entry["bytes"] = json!(bytes.len());
        let digest = Sha256::digest(&bytes);
        entry["sha256"] = json!(
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        );
    });
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            copied(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).expect("a copy");
        }
    }
}

type Damage = (&'static str, fn(&Path), &'static [&'static str]);

/// What can be wrong with a folder, and what is said of it.
const DAMAGES: [Damage; 13] = [
    (
        "cut short",
        |dir| edit(dir, "items", |text| text[..text.len() - 30].to_owned()),
        &["items.jsonl, line ", "ends in the middle"],
    ),
    (
        "a line less",
        |dir| {
            edit(dir, "items", |text| {
                text[text.find('\n').unwrap_or(0) + 1..].to_owned()
            })
        },
        &["items.jsonl has ", "lines where the manifest"],
    ),
    (
        "no JSON",
        |dir| edit(dir, "tags", |text| text.replacen("\"color\":", "\"color\";", 1)),
        &["tags.jsonl, line 1, column "],
    ),
    (
        "another type",
        |dir| {
            edit(dir, "items", |text| {
                text.replacen("\"at\":", "\"at\":\"x\",\"at2\":", 1)
            })
        },
        &["items.jsonl, line 1", "field \"at\"", "expected a whole number"],
    ),
    (
        "an unknown field",
        |dir| edit(dir, "users", |text| text.replacen('{', "{\"salary\":1,", 1)),
        &["users.jsonl, line 1", "\"salary\""],
    ),
    (
        "a missing field",
        |dir| {
            edit(dir, "users", |text| {
                text.replacen("\"email\"", "\"image_url\"", 1)
            })
        },
        &["users.jsonl, line 1", "\"email\" is missing"],
    ),
    (
        "another word",
        |dir| edit(dir, "messages", |text| text.replacen("flour", "flood", 1)),
        &["messages.jsonl", "not as it was exported"],
    ),
    (
        "a file that is gone",
        |dir| std::fs::remove_file(dir.join("notes.jsonl")).expect("a file"),
        &["notes.jsonl cannot be read"],
    ),
    (
        "no manifest",
        |dir| std::fs::remove_file(dir.join("manifest.json")).expect("a file"),
        &["manifest.json cannot be read"],
    ),
    (
        "a newer format",
        |dir| edit_manifest(dir, |manifest| manifest["format"] = json!(2)),
        &["format 2", "format 1"],
    ),
    (
        "a newer schema",
        |dir| edit_manifest(dir, |manifest| manifest["schema"] = json!(99_999)),
        &["schema version 99999"],
    ),
    (
        "an unknown table",
        |dir| {
            edit_manifest(dir, |manifest| {
                let files = manifest["files"].as_array_mut().expect("files");
                files.push(json!({ "table": "wages", "rows": 0, "bytes": 0, "sha256": "" }));
            })
        },
        &["\"wages\""],
    ),
    // All is as the manifest says, and yet it cannot be stored: that shows only when half of it is.
    (
        "a row twice",
        |dir| {
            edit(dir, "messages", |text| {
                format!("{text}{}\n", text.lines().next().unwrap_or_default())
            });
            vouch(dir, "messages");
        },
        &["messages.jsonl, lines ", "nothing of it is left"],
    ),
];

async fn assert_faults_are_named(target: Place) {
    let home = sealed_alike(Place::sqlite());
    let team = furnish(&home).await;
    let folder = tempfile::tempdir().expect("a folder");
    let good = exported(&home, &team.id, &folder.path().join("good")).await;
    let target = sealed_alike(target);
    target.run(&["migrate"]).await.ok();
    let empty = rows_everywhere(&target).await;
    for (name, damage, wanted) in DAMAGES {
        let bad = folder.path().join(name);
        copied(&good, &bad);
        damage(&bad);
        let said = target.run(&["import", "team", text(&bad)]).await.refused(1);
        for part in wanted {
            assert!(said.contains(part), "{name}: {part:?} is not in {said:?}");
        }
        assert_eq!(rows_everywhere(&target).await, empty, "{name}");
    }
    // What is left of an import whose process was killed is undone by the next one.
    let db = database(&target);
    let long_ago = Millis(1_000);
    let id = TeamId::new(&RandomIds, long_ago);
    let leave = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let key = transfer::reserve(tx, id, long_ago)?;
        let row =
            "INSERT INTO tags (team_id, key, id, name, color, created_at) VALUES ($1, 'a', 'b', 'c', 'd', 1)";
        tx.execute(row, params![key]).map(drop)
    };
    db.write(leave).await.expect("what is left");
    close(db).await;
    let said = target.run(&["doctor"]).await;
    assert!(said.out.contains("interrupted: 1"), "{}", said.out);
    let said = target.run(&["import", "team", text(&good)]).await;
    assert!(said.err.contains("is undone"), "{}", said.err);
    said.ok();
    let (here, there) = (rows_everywhere(&target).await, files(&good));
    assert_eq!(here["teams"], 1);
    assert_eq!(
        here["tags"],
        i64::try_from(there["tags.jsonl"].lines().count()).expect("a count")
    );
    let other = target.run(&["teams", "list", "--json"]).await.json();
    assert_eq!(other[0]["id"], json!(team.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_folder_changes_nothing_on_sqlite() {
    assert_faults_are_named(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_folder_changes_nothing_on_postgres() {
    assert_faults_are_named(Place::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_along_with_their_key_or_not_at_all() {
    let home = hooked(Place::sqlite());
    let team = Team::make(&home).await;
    let server = home.serve().await;
    let api = Api::new(&server.url, &team.key);
    let hook = json!({ "url": "http://127.0.0.1:9/hook", "topics": ["sms.received"] });
    let hook = api.post("/v2/api/webhooks", &hook).await;
    assert_eq!(hook.status, 201, "{}", hook.text);
    server.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let export = exported(&home, &team.id, &folder.path().join("export")).await;
    let secret = hook.json["data"]["signing_secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    for (name, text) in files(&export) {
        assert!(!text.contains(&secret), "{name} tells a secret");
    }

    let place = hooked(Place::sqlite());
    let said = place.run(&["import", "team", text(&export)]).await.refused(1);
    assert!(
        said.contains("webhook_endpoints.jsonl, line 1")
            && said.contains("--secret-key-file")
            && said.contains("--without-secrets"),
        "{said}"
    );
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "another secret of another place").expect("a file");
    let with = ["import", "team", text(&export), "--secret-key-file"];
    let said = place.run(&[&with[..], &[text(&wrong)]].concat()).await.refused(1);
    assert!(said.contains("another key"), "{said}");
    let key = home.data.join("secret.key");
    place.run(&[&with[..], &[text(&key)]].concat()).await.ok();
    let endpoint = of_place(&place, &team.key).await;
    assert_eq!(
        (&endpoint["enabled"], &endpoint["signing_secret"]),
        (&json!(true), &json!(secret))
    );

    let copy = hooked(Place::sqlite());
    copy.run(&["import", "team", text(&export), "--without-secrets"])
        .await
        .ok();
    let endpoint = of_place(&copy, &team.key).await;
    assert_eq!(endpoint["enabled"], false, "{endpoint}");
    assert_ne!(endpoint["signing_secret"], json!(secret), "{endpoint}");
}

/// The team's endpoint, with its secret.
async fn of_place(place: &Place, key: &str) -> Value {
    let server = place.serve().await;
    let api = Api::new(&server.url, key);
    let list = api.get("/v2/api/webhooks").await;
    let id = list.json["data"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", list.text));
    let endpoint = api.get(&format!("/v2/api/webhooks/{id}")).await;
    assert_eq!(endpoint.status, 200, "{}", endpoint.text);
    server.stop().await;
    endpoint.json["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_and_installations_that_are_taken_are_refused() {
    let home = Place::sqlite();
    let team = Team::make(&home).await;
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).expect("a folder");
    // An empty one will do.
    exported(&home, &team.id, &taken).await;
    let said = home.run(&["export", text(&taken)]).await.refused(1);
    assert!(said.contains("is not empty"), "{said}");
    std::fs::create_dir(folder.path().join("new.part")).expect("a folder");
    let said = home
        .run(&["export", text(&folder.path().join("new"))])
        .await
        .refused(1);
    assert!(said.contains("new.part") && said.contains("delete it"), "{said}");
    let said = home.run(&["export", "/nowhere/at/all"]).await.refused(1);
    assert!(said.contains("/nowhere/at/all.part"), "{said}");
    let nobody = format!("tea-{}", "0".repeat(27));
    home.run(&["export", text(&folder.path().join("x")), "--team", &nobody])
        .await
        .refused(1);
    assert!(!folder.path().join("x.part").exists(), "nothing is left behind");

    let other = Place::sqlite();
    Team::make(&other).await;
    let said = other.run(&["import", "team", text(&taken)]).await.refused(1);
    assert!(said.contains(LINES[0]) && said.contains("another team"), "{said}");
}
