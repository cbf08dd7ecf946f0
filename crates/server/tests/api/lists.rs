//! Items by their ids; the people and the numbers of the team.

use serde_json::{Value, json};
use trunkline_domain::{CallId, Capability, NumberId, Role, SeededIds};
use trunkline_store::{StoreError, Tx};
use trunkline_switchboard::accounts::{self, AddNumber, Address};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, number, us};

use crate::support::{World, assert_error, command, ids, searchable, text_in};

trunkline_testkit::on_both! {
    a_batch_keeps_the_order_of_its_ids,
    a_batch_has_100_ids_at_most,
    malformed_ids_in_a_batch_are_named,
    an_item_that_is_not_there,
    users_are_listed,
    a_user_is_found_whatever_the_status,
    numbers_and_sender_ids_are_listed,
}

async fn batch(app: &TestApp, ids: Value) -> Reply {
    app.post("/v2/api/conversations/items/batch", &json!({ "ids": ids }))
        .await
}

async fn texts(app: &TestApp, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for i in 0..count {
        all.push(
            text_in(app, us(), number(&format!("+1415555{:04}", 3_000 + i)), "Hello")
                .await
                .to_string(),
        );
    }
    all
}

async fn a_batch_keeps_the_order_of_its_ids(db: TestDb) {
    let world = World::open(db).await;
    let mut wanted = texts(&world.app, 8).await;
    wanted.push(world.call.to_string());
    wanted.reverse();
    wanted.swap(2, 5);
    let reply = batch(&world.app, json!(wanted)).await;
    assert_eq!((reply.status, ids(&reply)), (200, wanted.clone()));
    // Unknown ids are left out, of whichever shape, and one that is asked for twice comes once.
    let mut more = wanted.clone();
    more.insert(1, "cll-abc123".to_owned());
    more.insert(
        4,
        CallId::new(&SeededIds::new(9), world.app.board.now()).to_string(),
    );
    more.push("msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD".to_owned());
    more.push(wanted[0].replace('-', "_"));
    assert_eq!(ids(&batch(&world.app, json!(more)).await), wanted);
    assert_eq!(batch(&world.app, json!([])).await.json, json!({ "data": [] }));
    assert_eq!(
        batch(&world.app, json!(["cll-1"])).await.json,
        json!({ "data": [] })
    );
}

async fn a_batch_has_100_ids_at_most(db: TestDb) {
    let app = searchable(db).await;
    let mut wanted = texts(&app, 101).await;
    let reply = batch(&app, json!(wanted)).await;
    assert_error(&reply, "BATCH_TOO_LARGE");
    assert_eq!(reply.json["error"]["param"], "ids");
    wanted.pop();
    assert_eq!(ids(&batch(&app, json!(wanted)).await), wanted);
    // Repeated and unknown ones count: what is sent is what is limited.
    assert_error(&batch(&app, json!(vec!["cll-1"; 101])).await, "BATCH_TOO_LARGE");
    assert_error(
        &batch(&app, json!(vec![wanted[0].clone(); 5_000])).await,
        "BATCH_TOO_LARGE",
    );
}

async fn malformed_ids_in_a_batch_are_named(db: TestDb) {
    let world = World::open(db).await;
    for wrong in [
        "",
        "x",
        "cll",
        "cll-",
        "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD",
        "cll-a b",
        "cll-é",
        "msgs-1",
    ] {
        let reply = batch(&world.app, json!([world.call, wrong])).await;
        assert_error(&reply, "INVALID_ITEM_ID");
        assert_eq!(reply.json["error"]["param"], "ids", "{wrong:?}");
    }
    let reply = batch(&world.app, json!(["one", world.call, "two"])).await;
    let errors = reply.json["error"]["errors"].as_array().unwrap();
    let told: Vec<&str> = errors
        .iter()
        .map(|fault| fault["message"].as_str().unwrap())
        .collect();
    assert!(
        told.len() == 2 && told[0].contains("one") && told[1].contains("two"),
        "{told:?}"
    );
    for wrong in [json!("cll-1"), json!([1]), json!([null]), json!({ "0": "cll-1" })] {
        assert_error(&batch(&world.app, wrong).await, "INVALID_PARAMETER");
    }
}

async fn an_item_that_is_not_there(db: TestDb) {
    let world = World::open(db).await;
    for (id, code) in [
        ("cll-abc123", "CONVERSATION_ITEM_NOT_FOUND"),
        ("msg-abc123", "CONVERSATION_ITEM_NOT_FOUND"),
        ("cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "CONVERSATION_ITEM_NOT_FOUND"),
        ("msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "CONVERSATION_ITEM_NOT_FOUND"),
        ("cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "INVALID_ITEM_ID"),
    ] {
        assert_error(
            &world.app.get(&format!("/v2/api/conversations/items/{id}")).await,
            code,
        );
    }
    // The right characters with the other prefix are another id.
    let other = world.call.to_string().replace("cll-", "msg-");
    assert_error(
        &world
            .app
            .get(&format!("/v2/api/conversations/items/{other}"))
            .await,
        "CONVERSATION_ITEM_NOT_FOUND",
    );
}

/// Ben is blocked, and a manager has a picture.
async fn people(app: &TestApp) {
    app.office.clock.advance(60_000);
    command(app, |work| {
        accounts::create_user(work, "Cleo Manager", "cleo@fogcity.example", Role::Manager)
    })
    .await;
    let change = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(
            "UPDATE users SET image_url = 'https://media.example/cleo.jpg' WHERE name = 'Cleo Manager'",
            &[],
        )?;
        tx.execute(
            "UPDATE users SET status = 'BLOCKED' WHERE name = 'Ben Ortiz'",
            &[],
        )
    };
    assert_eq!(app.board.db().write(change).await.unwrap(), 1);
}

fn names(reply: &Reply) -> Vec<&str> {
    reply
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect()
}

async fn users_are_listed(db: TestDb) {
    let app = searchable(db).await;
    people(&app).await;
    let reply = app.get("/v2/api/users").await;
    let cleo = reply.data()[1]["id"].clone();
    let expected = json!({ "data": [
        {
            "id": app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example", "role": "ADMIN",
            "status": "ACTIVE", "image_url": null,
        },
        {
            "id": cleo, "name": "Cleo Manager", "email": "cleo@fogcity.example", "role": "MANAGER",
            "status": "ACTIVE", "image_url": "https://media.example/cleo.jpg",
        },
    ] });
    assert_eq!(reply.json, expected, "the active ones, oldest first");
    for (query, expected) in [
        ("status=ACTIVE", vec!["Ada Park", "Cleo Manager"]),
        ("status=BLOCKED", vec!["Ben Ortiz"]),
        ("role=ADMIN", vec!["Ada Park"]),
        ("role=MANAGER&status=ACTIVE", vec!["Cleo Manager"]),
        ("role=MEMBER", vec![]),
        ("role=MEMBER&status=BLOCKED", vec!["Ben Ortiz"]),
        ("role=ADMIN&status=BLOCKED", vec![]),
    ] {
        assert_eq!(
            names(&app.get(&format!("/v2/api/users?{query}")).await),
            expected,
            "{query}"
        );
    }
}

async fn a_user_is_found_whatever_the_status(db: TestDb) {
    let app = searchable(db).await;
    people(&app).await;
    let reply = app.get(&format!("/v2/api/users/{}", app.office.ben)).await;
    let expected = json!({ "data": {
        "id": app.office.ben, "name": "Ben Ortiz", "email": "ben@fogcity.example", "role": "MEMBER",
        "status": "BLOCKED", "image_url": null,
    } });
    assert_eq!(reply.json, expected);
    let underscored = app.office.ben.to_string().replace('-', "_");
    assert_eq!(
        app.get(&format!("/v2/api/users/{underscored}")).await.json,
        expected
    );
    for id in ["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", "usr-abc123", "abc"] {
        let reply = app.get(&format!("/v2/api/users/{id}")).await;
        assert_error(&reply, "MEMBER_NOT_FOUND");
        assert_eq!(reply.json["error"]["param"], "id");
    }
}

async fn numbers_and_sender_ids_are_listed(db: TestDb) {
    let app = searchable(db).await;
    command(&app, |work| {
        for (sender, name) in [("FOGCITY", None), ("FOG2", Some("Fog City promotions"))] {
            let line = AddNumber {
                address: Address::SenderId(sender.to_owned(), "FR".to_owned()),
                name: name.map(str::to_owned),
                capabilities: vec![Capability::Sms],
                carrier: "sandbox".to_owned(),
                carrier_settings: Some("sealed".to_owned()),
                members: Vec::new(),
            };
            let id: NumberId = work.new_id(work.now);
            accounts::add_number(work, id, &line)?;
        }
        Ok(())
    })
    .await;
    let reply = app.get("/v2/api/numbers").await;
    let ada = json!({ "id": app.office.ada, "name": "Ada Park", "email": "ada@fogcity.example" });
    let ben = json!({ "id": app.office.ben, "name": "Ben Ortiz", "email": "ben@fogcity.example" });
    let expected = json!({ "data": [
        {
            "number": "+14155550100", "name": "Fog City", "country": "US", "type": "NUMBER",
            "capabilities": ["VOICE", "SMS"], "users": [ada, ben],
        },
        {
            "number": "+33142685300", "name": "Fog City Paris", "country": "FR", "type": "NUMBER",
            "capabilities": ["VOICE", "SMS"], "users": [ben],
        },
        {
            "number": null, "name": "FOGCITY", "country": "FR", "type": "SENDER_ID",
            "capabilities": ["SMS"], "users": [],
        },
        {
            "number": null, "name": "Fog City promotions", "country": "FR", "type": "SENDER_ID",
            "capabilities": ["SMS"], "users": [],
        },
    ] });
    assert_eq!(reply.json, expected);
}
