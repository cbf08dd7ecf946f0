//! Media in a bucket: a picture that comes in is kept there, shown, exported to another bucket and erased; while the
//! bucket is down everything else goes on; and neither answers nor logs have the secret.

use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};
use trunkline_messaging::twilio::signature;

use crate::support::api::{Api, client};
use crate::support::eventually;
use crate::support::load::lift_limits;
use crate::support::program::{Place, Server, file, text};
use crate::support::storage::{ACCESS_KEY, REGION, SECRET, Storage};
use crate::support::twilio::{PUBLIC_URL, SID, TOKEN};

const LINE: &str = "+33612000001";
const CONTACT: &str = "+33670000001";
const PICTURE: &[u8] = b"\x89PNG, though not quite a picture";
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    lives_in_a_bucket(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    lives_in_a_bucket(Place::postgres()).await;
}

async fn lives_in_a_bucket(place: Place) {
    let (storage, carrier) = (Storage::start(&["pictures", "elsewhere"]).await, carrier().await);
    let (_folder, secret) = file("secret", &format!("{SECRET}\n"));
    let place = with_bucket(place, &storage.url, "pictures")
        .with("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY_FILE", text(&secret));
    let key = furnish(&place).await;
    let server = place.serve().await;
    eventually(PATIENCE, "the bucket is tried", async || {
        server.log().contains("which was tried").then_some(())
    })
    .await;
    let api = Api::new(&server.url, &key);
    let made = api
        .post(
            "/v2/api/crm/people",
            &json!({ "name": "Zoe", "numbers": [CONTACT] }),
        )
        .await;
    let person = made.data()["id"].as_str().expect("an id").to_owned();

    // Two refusals are got over within the attempt.
    storage.fail(2);
    picture_comes_in(&server, &carrier, "MM-one").await;
    let (name, bytes) = eventually(PATIENCE, "the picture is in the bucket", async || {
        storage.objects("pictures").pop()
    })
    .await;
    assert!(name.starts_with("1/med-"), "{name}");
    assert_eq!((&*bytes, storage.faults_left()), (PICTURE, 0));
    assert!(!place.data.join("media").exists(), "nothing is kept beside it");
    let shown = link(&api, &server).await;
    is_shown(&shown).await;
    let part = client().get(&shown).header(header::RANGE, "bytes=1-3");
    let part = part.send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.expect("bytes"), "PNG");
    let (verdict, detail) = verdict(&place, "media").await;
    assert!(verdict == "ok" && detail.contains("bucket pictures"), "{detail}");

    moves_to_another_bucket(&place, &storage).await;
    goes_on_without_it(&api, &server, &storage, &carrier, &shown).await;
    is_erased_when_it_is_back(&api, &place, &storage, &person).await;

    let log = server.log();
    server.stop().await;
    assert!(!log.contains(SECRET), "{log}");
    assert_eq!(storage.refused(), Vec::<String>::new());
}

/// The team is exported, and imported into an installation with a bucket of its own.
async fn moves_to_another_bucket(place: &Place, storage: &Storage) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("team");
    place.run(&["export", text(&dir)]).await.ok();
    let away = with_bucket(Place::sqlite(), &storage.url, "elsewhere")
        .with("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY", SECRET);
    away.run(&["import", "team", text(&dir), "--without-secrets"])
        .await
        .ok();
    let moved = storage.objects("elsewhere");
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(moved[0].1, PICTURE);
}

/// While the bucket is down, pictures are not shown, and those that come in wait; texts are there at once.
async fn goes_on_without_it(api: &Api, server: &Server, storage: &Storage, carrier: &str, shown: &str) {
    storage.set_down(true);
    let refused = client().get(shown).send().await.expect("an answer");
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(refused["error"]["code"], "SERVICE_UNAVAILABLE", "{refused}");
    assert_eq!(refused["error"]["message"], "media cannot be read at the moment");

    picture_comes_in(server, carrier, "MM-two").await;
    assert_eq!(api.search(&json!({})).await["pagination"]["total_count"], 2);
    let waits = link(api, server).await;
    eventually(PATIENCE, "it is told that it is not kept", async || {
        server.log().contains("a medium could not be kept").then_some(())
    })
    .await;
    assert_eq!(
        client().get(&waits).send().await.expect("an answer").status(),
        503
    );
    assert_eq!(storage.objects("pictures").len(), 1);
    storage.set_down(false);
    is_shown(&waits).await;
    is_shown(shown).await;
    assert_eq!(storage.objects("pictures").len(), 2);
}

/// An erasure waits for the bucket, and says so.
async fn is_erased_when_it_is_back(api: &Api, place: &Place, storage: &Storage, person: &str) {
    storage.set_down(true);
    let path = format!("/v2/api/crm/people/{person}?erase=true");
    let erased = api.try_send(Method::DELETE, &path, None, None).await;
    assert_eq!(erased.expect("an answer").status, 204);
    let (verdict, detail) = eventually(PATIENCE, "the doctor knows that it waits", async || {
        let said = findings(place).await;
        finding(&said, "erasures")
    })
    .await;
    assert!(
        verdict == "warning" && detail.contains("could not be deleted yet"),
        "{detail}"
    );
    let (verdict, detail) = self::verdict(place, "media").await;
    assert!(verdict == "failed" && detail.contains("SlowDown"), "{detail}");
    let is_complete = async || {
        let audit = api.get("/v2/api/audit?action=person.erasure_completed").await;
        audit.data().as_array().is_some_and(|entries| !entries.is_empty())
    };
    assert!(!is_complete().await && storage.objects("pictures").len() == 2);
    storage.set_down(false);
    eventually(PATIENCE, "the pictures are gone", async || {
        storage.objects("pictures").is_empty().then_some(())
    })
    .await;
    eventually(PATIENCE, "the erasure is complete", async || {
        is_complete().await.then_some(())
    })
    .await;
}

/// A server whose bucket does not take its key, is not there, or does not answer, says so and does everything else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_bucket_is_told() {
    let storage = Storage::start(&["pictures"]).await;
    let other = "another+secret/altogether";
    for (bucket, url, secret, told) in [
        ("pictures", storage.url.as_str(), other, "SignatureDoesNotMatch"),
        ("nowhere", &storage.url, SECRET, "NoSuchBucket"),
        ("pictures", "http://127.0.0.1:9", SECRET, "refused"),
    ] {
        let place =
            with_bucket(Place::sqlite(), url, bucket).with("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY", secret);
        let key = furnish(&place).await;
        let (verdict, detail) = verdict(&place, "media").await;
        assert!(verdict == "failed" && detail.contains(told), "{detail}");
        assert!(detail.contains(&format!("bucket {bucket}")), "{detail}");
        let server = place.serve().await;
        eventually(PATIENCE, "the server tells", async || {
            let log = server.log();
            (log.contains("ERROR") && log.contains(told)).then_some(())
        })
        .await;
        assert_eq!(Api::new(&server.url, &key).get("/v2/api/me").await.status, 200);
        let said = format!("{detail}{}", server.log());
        server.stop().await;
        assert!(!said.contains(secret), "{said}");
    }
    assert!(storage.objects("pictures").is_empty());
    assert!(
        storage
            .refused()
            .iter()
            .all(|refused| refused.starts_with("PUT /"))
    );

    let place = with_bucket(Place::sqlite(), &storage.url, "pictures")
        .with("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY_FILE", "/nowhere/secret");
    let told = place.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused(1);
    assert!(
        told.contains("/nowhere/secret (media.secret_access_key_file)"),
        "{told}"
    );
}

/// A bucket that is part of the host: the storage is the proxy on the way to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_may_be_in_the_host() {
    let storage = Storage::start(&["pictures"]).await;
    let place = with_bucket(Place::sqlite(), "http://s3.example.com", "pictures")
        .with("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY", SECRET)
        .with("TRUNKLINE_MEDIA_ADDRESSING", "virtual-host")
        .with("HTTP_PROXY", &storage.url)
        .with("http_proxy", &storage.url)
        .with("NO_PROXY", "")
        .with("no_proxy", "");
    let (verdict, detail) = verdict(&place, "media").await;
    assert_eq!(verdict, "ok", "{detail}: {:?}", storage.refused());
    let requests = ["PUT", "GET", "DELETE"].map(|method| format!("{method} pictures.s3.example.com"));
    assert_eq!(storage.asked(), requests);
}

/// Two nodes on one database, with a folder each, and with one for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_folders_of_their_own_are_told_of() {
    let first = Place::postgres();
    let server = first.serve().await;
    let mut second = Place::sqlite();
    second.database.clone_from(&first.database);
    let secret = std::fs::read_to_string(first.data.join("secret.key")).expect("the secret of the first");
    let second = second.with("TRUNKLINE_SECURITY_SECRET_KEY", secret.trim());
    let apart = second.serve().await;
    let (verdict, detail) = verdict(&second, "nodes").await;
    assert!(
        verdict == "warning" && detail.contains("media.bucket"),
        "{detail}"
    );
    // Both say so, once those that are gone are known to be.
    for node in [&server, &apart] {
        eventually(2 * PATIENCE, "it is told", async || {
            node.log().contains("media.bucket").then_some(())
        })
        .await;
    }
    apart.stop().await;
    let share = tempfile::tempdir().expect("a temporary folder");
    let folder = share.path().join("shared");
    let together = second.with("TRUNKLINE_MEDIA_FOLDER", text(&folder));
    // The share is not mounted.
    let (verdict, detail) = self::verdict(&together, "media").await;
    assert!(verdict == "failed" && detail.contains("media.folder"), "{detail}");
    let refused = together
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .await
        .refused(1);
    assert!(refused.contains("(media.folder) is not there"), "{refused}");
    assert!(!folder.exists(), "it is not made");
    std::fs::create_dir(&folder).expect("a folder in the share");
    let shared = together.serve().await;
    assert_eq!(finding(&findings(&together).await, "nodes"), None);
    let (verdict, detail) = self::verdict(&together, "media").await;
    assert!(verdict == "ok" && detail.contains("shared"), "{detail}");
    shared.stop().await;
    server.stop().await;
}

fn with_bucket(place: Place, storage: &str, bucket: &str) -> Place {
    place
        .with("TRUNKLINE_MEDIA_BUCKET", bucket)
        .with("TRUNKLINE_MEDIA_ENDPOINT", storage)
        .with("TRUNKLINE_MEDIA_REGION", REGION)
        .with("TRUNKLINE_MEDIA_ACCESS_KEY_ID", ACCESS_KEY)
        .with("TRUNKLINE_SERVER_PUBLIC_URL", PUBLIC_URL)
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
        .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1")
}

/// A carrier that has one picture. Returns its address.
async fn carrier() -> String {
    let picture = get(async || ([(header::CONTENT_TYPE, "image/png")], PICTURE));
    let router = Router::new().route("/picture", picture);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/picture", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A team with a line at Twilio. Returns a key.
async fn furnish(place: &Place) -> String {
    let ada = [
        "users",
        "create",
        "Ada",
        "--email",
        "ada@live.example",
        "--role",
        "admin",
    ];
    place
        .run(&["teams", "create", "Live", "--country", "FR"])
        .await
        .ok();
    place.run(&ada).await.ok();
    let (_folder, path) = file("token", TOKEN);
    let add = [
        "numbers",
        "add",
        LINE,
        "--carrier",
        "twilio",
        "--capabilities",
        "SMS,MMS",
    ];
    let account = [
        "--twilio-account-sid",
        SID,
        "--twilio-auth-token-file",
        text(&path),
    ];
    place.run(&[&add[..], &account].concat()).await.ok();
    lift_limits(place).await;
    place.run(&["keys", "create"]).await.ok().trim().to_owned()
}

/// Twilio reports a text with a picture.
async fn picture_comes_in(server: &Server, carrier: &str, sid: &str) {
    let fields = [
        ("MessageSid", sid),
        ("From", CONTACT),
        ("To", LINE),
        ("Body", "Look"),
        ("NumMedia", "1"),
        ("MediaUrl0", carrier),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let path = "/carriers/twilio/messages";
    let signed = signature(TOKEN, &format!("{PUBLIC_URL}{path}"), &fields);
    let request = client()
        .post(format!("{}{path}", server.url))
        .form(&fields)
        .header("X-Twilio-Signature", signed);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

/// Where the picture of the newest text is shown.
async fn link(api: &Api, server: &Server) -> String {
    let found = api.search(&json!({})).await;
    let link = found["data"][0]["media_urls"][0].as_str().expect("a link");
    link.replace(PUBLIC_URL, &server.url)
}

async fn is_shown(link: &str) {
    let shown = eventually(PATIENCE, "the picture is shown", async || {
        let answer = client().get(link).send().await.ok()?;
        answer.status().is_success().then_some(answer)
    });
    let shown = shown.await;
    assert_eq!(shown.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(shown.bytes().await.expect("bytes"), PICTURE);
}

async fn findings(place: &Place) -> Vec<Value> {
    let said = place.run(&["doctor", "--json"]).await;
    serde_json::from_str(&said.out).expect("findings")
}

/// What the doctor says of something, and how bad that is.
fn finding(findings: &[Value], check: &str) -> Option<(String, String)> {
    let found = findings.iter().find(|finding| finding["check"] == check)?;
    let part = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    Some((part("verdict"), part("detail")))
}

async fn verdict(place: &Place, check: &str) -> (String, String) {
    finding(&findings(place).await, check).expect("it is looked at")
}
