//! Teams, users, numbers and keys.

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::load::Team;
use crate::support::program::{Place, file, text};
use serde_json::{Value, json};
use std::time::Duration;

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
        "--time-zone",
        "asia/tokyo",
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
    assert_eq!(listed[0]["time_zone"], "Asia/Tokyo");
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
async fn accounts_of_partners_are_listed_and_handed_over() {
    let place = Place::sqlite().with("TRUNKLINE_PARTNERS_NUMBERS", "+33199000210");
    let team = place.run(&["teams", "create", "Partner", "--sandbox"]).await.ok();
    let ada = [
        "users",
        "create",
        "Ada",
        "--email",
        "ada@partner.example",
        "--role",
        "admin",
    ];
    place.run(&ada).await.ok();
    let make = ["keys", "create", "--scopes", "PARTNER"];
    let (old, new) = (place.run(&make).await.ok(), place.run(&make).await.ok());
    let other = place.run(&["keys", "create", "--scopes", "BILLING"]).await.ok();
    let keys = place.run(&["keys", "list", "--json"]).await.json();
    let id = |secret: &str| {
        let hint = &secret.trim()[secret.trim().len() - 4..];
        let all = keys.as_array().expect("a list");
        let key = all.iter().find(|key| key["hint"] == hint).expect("the key");
        key["id"].as_str().expect("an id").to_owned()
    };
    let server = place.serve().await;
    let api = Api::new(&server.url, old.trim());
    let account = json!({
        "email": "jo@customer.example", "name": "Jo Fielding", "personal_mobile": "+33639980001",
        "number_preference": { "country": "FR" },
    });
    let made = api.post("/v2/api/partner/accounts", &account).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!(
        "/v2/api/partner/accounts/{}",
        made.json["data"]["id"].as_str().expect("an id")
    );

    // The account is a team too.
    let (from, to, team) = (id(&old), id(&new), team.trim());
    place.run(&["keys", "revoke", &from, "--team", team]).await.ok();
    let hand_over = async |from: &str, to: &str| {
        place
            .run(&[
                "partners",
                "hand-over",
                "--from",
                from,
                "--to",
                to,
                "--team",
                team,
            ])
            .await
    };
    let refused = hand_over(&from, &id(&other)).await.refused(1);
    assert!(refused.contains("PARTNER"), "{refused}");
    let refused = hand_over(&to, &from).await.refused(1);
    assert!(refused.contains("no valid key"), "{refused}");
    let refused = hand_over(&to, &to).await.refused(1);
    assert!(refused.contains("was made by"), "{refused}");
    assert_eq!(hand_over(&from, &to).await.ok().trim(), "1");
    let listed = place
        .run(&["partners", "list", "--team", team, "--json"])
        .await
        .json();
    assert_eq!(
        (
            &listed[0]["email"],
            &listed[0]["api_key_id"],
            &listed[0]["status"]
        ),
        (&json!("jo@customer.example"), &json!(to), &json!("ACTIVE"))
    );
    let seen = Api::new(&server.url, new.trim()).get(&path).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    server.stop().await;
}
