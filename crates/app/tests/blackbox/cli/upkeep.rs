//! What keeps an installation going: configuration, checks, the index, bulk data.

use crate::support::api::{Api, client};
use crate::support::eventually;
use crate::support::load::{LINES, Team, close, database};
use crate::support::program::{Place, file, finish, text};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use trunkline_store::StoreError;

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
        "people",
        "media",
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

    let said = place.run(&["reindex", "--people"]).await;
    assert!(said.err.contains("computed anew: 0"), "{}", said.err);
    place
        .run(&["reindex", "--people", "--analytics"])
        .await
        .refused(2);

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
async fn the_doctor_finds_wrong_figures_and_reindex_mends_them_on_sqlite() {
    assert_figures_are_watched(Place::sqlite()).await;
}

#[tokio::test]
async fn the_doctor_finds_wrong_figures_and_reindex_mends_them_on_postgres() {
    assert_figures_are_watched(Place::postgres()).await;
}

async fn assert_figures_are_watched(place: Place) {
    place
        .run(&["seed", "--items", "400", "--days", "5", "--transcripts", "0.9"])
        .await
        .ok();
    let teams = place.run(&["teams", "list", "--json"]).await.json();
    let team = teams[0]["id"].as_str().expect("a team").to_owned();
    let told = async || {
        let said = place.run(&["doctor", "--json"]).await;
        let findings: Value = serde_json::from_str(&said.out).expect("JSON");
        let found = findings.as_array().expect("a list").iter();
        let found = found.clone().find(|finding| finding["check"] == "analytics");
        let found = found.expect("figures are looked at");
        (found["verdict"].clone(), found["detail"].to_string(), said.code)
    };
    let (verdict, detail, _) = told().await;
    assert_eq!(verdict, "ok", "{detail}");
    for plant in [
        "UPDATE call_slots SET talk_seconds = talk_seconds + 1 WHERE scope = ''",
        "UPDATE call_days SET calls = calls - 1",
        "UPDATE call_tags SET connected = connected + 1",
        "DELETE FROM call_days",
    ] {
        let db = database(&place);
        let planted: Result<u64, StoreError> = db.write(|tx| tx.execute(plant, &[])).await;
        assert!(planted.expect("a change") > 0, "{plant}");
        close(db).await;
        let (verdict, detail, code) = told().await;
        assert_eq!((verdict, code), (json!("failed"), 3), "{plant}: {detail}");
        assert!(
            detail.contains(&team) && detail.contains("trunkline reindex --analytics"),
            "{plant}: {detail}"
        );
        let said = place.run(&["reindex", "--analytics"]).await;
        assert!(said.err.contains("teams: 1"), "{}", said.err);
        said.ok();
        let (verdict, detail, _) = told().await;
        assert_eq!(verdict, "ok", "{plant}: {detail}");
    }
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
