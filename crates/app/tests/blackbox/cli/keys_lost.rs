//! A secret key that is lost, or another one's.

use crate::support::load::{close, database};
use crate::support::program::{Place, file, text};
use trunkline_store::{StoreError, Tx};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
const SECRET_KEY: &str = "TRUNKLINE_SECURITY_SECRET_KEY";
const OTHER: &str = "a key that sealed nothing in here";

#[tokio::test]
async fn another_secret_key_is_noticed_on_sqlite() {
    assert_noticed(Place::sqlite()).await;
}

#[tokio::test]
async fn another_secret_key_is_noticed_on_postgres() {
    assert_noticed(Place::postgres()).await;
}

async fn assert_noticed(place: Place) {
    place.serve().await.stop().await;
    let key = place.data.join("secret.key");
    let first = std::fs::read_to_string(&key).expect("the key");
    place.run(&["doctor"]).await.ok();

    std::fs::remove_file(&key).expect("the key");
    let said = place.run(&SERVE).await.refused(1);
    assert!(
        said.contains("there is no") && said.contains("--new-secret-key"),
        "{said}"
    );
    assert!(
        !key.exists(),
        "no key is made for secrets that are sealed already"
    );
    let shown = place.run(&["doctor"]).await;
    assert!(
        shown.out.contains("FAILED") && shown.out.contains("--new-secret-key"),
        "{}",
        shown.out
    );
    shown.refused(3);

    std::fs::write(&key, OTHER).expect("a key");
    let (_folder, token) = file("token", "a token");
    let add = [
        "numbers",
        "add",
        "+14155550199",
        "--carrier",
        "twilio",
        "--twilio-account-sid",
        "AC1",
    ];
    place.run(&["teams", "create", "Acme"]).await.ok();
    let add = [&add[..], &["--twilio-auth-token-file", text(&token)]].concat();
    for command in [&SERVE[..], &add] {
        let said = place.run(command).await.refused(1);
        assert!(
            said.contains("secret.key is not the key") && !said.contains(OTHER),
            "{said}"
        );
    }
    assert_eq!(
        place.run(&["numbers", "list", "--json"]).await.json(),
        serde_json::json!([])
    );
    let place = place.with(SECRET_KEY, OTHER);
    let said = place.run(&SERVE).await.refused(1);
    assert!(
        said.contains("security.secret_key is not the key") && !said.contains(OTHER),
        "{said}"
    );

    let place = place.with(SECRET_KEY, first.trim());
    let running = place.serve().await;
    let said = place.run(&["migrate", "--new-secret-key"]).await.refused(1);
    assert!(said.contains("stop every server first"), "{said}");
    running.stop().await;
    let place = place.with(SECRET_KEY, OTHER);
    let said = place.run(&["migrate", "--new-secret-key"]).await;
    assert!(said.err.contains("numbers update"), "{}", said.err);
    said.ok();
    place.run(&add).await.ok();
    place.run(&["doctor"]).await.ok();
    place.serve().await.stop().await;

    // A database of before keys were known: its secrets tell.
    let db = database(&place);
    let forget = |tx: &mut Tx<'_>| tx.execute("DELETE FROM installation", &[]).map(drop);
    db.write::<_, StoreError, _>(forget).await.expect("a row deleted");
    close(db).await;
    let place = place.with(SECRET_KEY, first.trim());
    let said = place.run(&SERVE).await.refused(1);
    assert!(said.contains("security.secret_key is not the key"), "{said}");
    place.with(SECRET_KEY, OTHER).serve().await.stop().await;
}
