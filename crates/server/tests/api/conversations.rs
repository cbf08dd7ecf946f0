//! The list of conversations, and what happens to a conversation's standing.

use serde_json::{Value, json};
use trunkline_domain::{Direction, Millis, PhoneNumber};
use trunkline_switchboard::calls::{self, Ring, Step};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, fr, marie, nobody, number, sarah, us};

use crate::people::{World as Outside, add_line, of_team, team};
use crate::support::{
    World, answered_call, assert_error, assert_page, command, missed_call, searchable, text_in, text_out,
};

trunkline_testkit::on_both! {
    a_conversation_with_everything,
    a_number_has_to_be_named,
    a_team_with_one_number_may_leave_it_out,
    newest_activity_comes_first,
    unread_and_archived_are_filters,
    since_is_strictly_after,
    pages_add_up,
    cursors_add_up_while_items_arrive,
    a_cursor_fits_its_own_list_only,
    a_conversation_is_unread_until_somebody_cares,
    blocked_callers_ask_for_nobodys_attention,
}

const PATH: &str = "/v2/api/conversations?allo_number=%2B14155550100";

async fn list(app: &TestApp, query: &str) -> Reply {
    let reply = app.get(&format!("{PATH}{query}")).await;
    assert_page(&reply);
    reply
}

fn numbers(reply: &Reply) -> Vec<String> {
    let list = reply.data().as_array().unwrap();
    list.iter()
        .map(|entry| entry["contact_number"].as_str().unwrap().to_owned())
        .collect()
}

/// The one conversation of the American line.
async fn only(app: &TestApp) -> Value {
    let reply = list(app, "").await;
    assert_eq!(reply.data().as_array().unwrap().len(), 1);
    reply.data()[0].clone()
}

/// `(unread, archived, unresponded)` of the one conversation.
async fn standing(app: &TestApp) -> (bool, bool, bool) {
    let one = only(app).await;
    let flag = |name: &str| one[name].as_bool().unwrap();
    (flag("unread"), flag("archived"), flag("unresponded"))
}

/// The `i`th of many outside numbers.
fn outside(i: usize) -> PhoneNumber {
    number(&format!("+1415555{:04}", 2_000 + i))
}

async fn a_conversation_with_everything(db: TestDb) {
    let world = World::open(db).await;
    let reply = list(&world.app, "").await;
    let one = &reply.data()[0];
    let item = world
        .app
        .get(&format!("/v2/api/conversations/items/{}", world.message))
        .await;
    let expected = json!({
        "contact_number": "+14155551234",
        "contacts": item.data()["contacts"],
        "last_activity": "2026-04-20T10:00:00.000Z",
        "last_item": item.data(),
        "unread": true,
        "archived": false,
        "unresponded": true,
    });
    assert_eq!(one, &expected);
    assert_eq!(item.data()["contacts"][0]["name"], "Sarah Johnson");
    let pagination = json!({
        "page": 1, "size": 20, "total_count": 1, "total_pages": 1, "has_more": false, "next_cursor": null,
    });
    assert_eq!(reply.json["pagination"], pagination);
    assert_eq!(reply.data()[0]["last_item"].get("transcript"), None);
    let with = list(&world.app, "&extend=transcript").await;
    assert_eq!(with.data()[0]["last_item"].get("transcript"), Some(&Value::Null));
}

async fn a_number_has_to_be_named(db: TestDb) {
    let world = World::open(db).await;
    let reply = world.app.get("/v2/api/conversations").await;
    assert_error(&reply, "MISSING_ALLO_NUMBER");
    assert_eq!(reply.json["error"]["param"], "allo_number");
    let reply = world
        .app
        .get("/v2/api/conversations?allo_number=%2B14155550199")
        .await;
    assert_error(&reply, "PHONE_NUMBER_NOT_FOUND");
    assert_eq!(reply.json["error"]["param"], "allo_number");
    // A plus sign that was not encoded is a space by the time it arrives.
    let reply = world
        .app
        .get("/v2/api/conversations?allo_number=+14155550100")
        .await;
    assert_error(&reply, "INVALID_PHONE_FORMAT");
    assert!(
        reply.json["error"]["suggestion"]
            .as_str()
            .unwrap()
            .contains("%2B"),
        "{}",
        reply.text
    );
    let french = world
        .app
        .get("/v2/api/conversations?allo_number=%2B33142685300")
        .await;
    assert_eq!(
        french.data(),
        &json!([]),
        "the other line has its own conversations"
    );
}

async fn a_team_with_one_number_may_leave_it_out(db: TestDb) {
    let app = searchable(db).await;
    let solo = team(&app, "Solo", Outside::Sandbox).await;
    let key = of_team(&app, solo, |work| {
        let user = trunkline_switchboard::accounts::create_user(
            work,
            "Sol",
            "sol@solo.example",
            trunkline_domain::Role::Admin,
        )?;
        trunkline_switchboard::accounts::create_key(work, user, "sol", trunkline_domain::ScopeSet::ALL, true)
    })
    .await
    .secret;
    let ask = async || {
        let headers = [("Authorization", key.as_str())];
        app.send_with(reqwest::Method::GET, "/v2/api/conversations", &headers, None)
            .await
    };
    assert_error(&ask().await, "MISSING_ALLO_NUMBER");
    of_team(&app, solo, |work| add_line(work, number("+33142685311"), &[])).await;
    assert_eq!(ask().await.status, 200);
    of_team(&app, solo, |work| {
        let sender = trunkline_switchboard::accounts::AddNumber {
            address: trunkline_switchboard::accounts::Address::SenderId("SOLO".to_owned(), "FR".to_owned()),
            name: None,
            capabilities: vec![trunkline_domain::Capability::Sms],
            carrier: "sandbox".to_owned(),
            carrier_settings: None,
            members: Vec::new(),
        };
        let id: trunkline_domain::NumberId = work.new_id(work.now);
        trunkline_switchboard::accounts::add_number(work, id, &sender)
    })
    .await;
    assert_eq!(ask().await.status, 200, "a sender id is no number");
    of_team(&app, solo, |work| add_line(work, number("+33142685312"), &[])).await;
    assert_error(&ask().await, "MISSING_ALLO_NUMBER");
}

async fn newest_activity_comes_first(db: TestDb) {
    let app = searchable(db).await;
    for i in 0..5 {
        text_in(&app, us(), outside(i), "Hello").await;
        app.office.clock.advance(Millis::MINUTE);
    }
    // Another line's activity with the same number is another conversation's.
    text_in(&app, fr(), outside(2), "Bonjour").await;
    app.office.clock.advance(Millis::MINUTE);
    text_out(&app, us(), outside(1), "Hello to you").await;
    let order: Vec<String> = [1, 4, 3, 2, 0].map(|i| outside(i).to_string()).to_vec();
    assert_eq!(numbers(&list(&app, "").await), order);
    // An old call that is told of late does not make its conversation new.
    let at = app.board.now().plus(-Millis::HOUR);
    let steps = [
        Step::End(trunkline_domain::call::EndCause::NoAnswer, None, at),
        Step::Complete(at),
    ];
    let ring = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: outside(0),
        user: None,
        blocked: false,
        at,
    };
    command(&app, move |work| calls::record(work, &ring, &steps)).await;
    assert_eq!(numbers(&list(&app, "").await), order);
}

/// 12 conversations, all combinations of unread and archived, some several times; by number what each is.
async fn mixed(app: &TestApp) -> Vec<(PhoneNumber, bool, bool)> {
    let mut all = Vec::new();
    for i in 0..12 {
        let (unread, archived) = (i % 2 == 0, i % 3 == 0);
        let contact = outside(i);
        text_in(app, us(), contact, "Hello").await;
        let path = format!(
            "/v2/api/conversations/{}/action",
            crate::support::encoded(contact)
        );
        for (wanted, action) in [(archived, "ARCHIVE"), (!unread, "READ"), (unread, "UNREAD")] {
            if wanted {
                assert_eq!(app.put(&path, &json!({ "action": action })).await.status, 200);
            }
        }
        all.push((contact, unread, archived));
        app.office.clock.advance(Millis::MINUTE);
    }
    all
}

async fn unread_and_archived_are_filters(db: TestDb) {
    let app = searchable(db).await;
    let all = mixed(&app).await;
    for unread in [None, Some(true), Some(false)] {
        for archived in [None, Some(true), Some(false)] {
            for since in [None, Some(Millis(app.board.now().0 - 5 * Millis::MINUTE - 1))] {
                let mut query = String::new();
                query.extend(unread.map(|flag| format!("&unread={flag}")));
                query.extend(archived.map(|flag| format!("&archived={flag}")));
                query.extend(since.map(|since| format!("&last_activity_since={since}")));
                let newest = all.iter().rev().take(if since.is_some() { 5 } else { 12 });
                let expected: Vec<String> = newest
                    .filter(|(_, is_unread, is_archived)| {
                        unread.is_none_or(|flag| flag == *is_unread)
                            && archived.is_none_or(|flag| flag == *is_archived)
                    })
                    .map(|(contact, ..)| contact.to_string())
                    .collect();
                let reply = list(&app, &query).await;
                assert_eq!(numbers(&reply), expected, "{query}");
                assert_eq!(reply.json["pagination"]["total_count"], expected.len(), "{query}");
            }
        }
    }
    app.office.assert_sound().await;
}

async fn since_is_strictly_after(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), sarah(), "Hello").await;
    // START is 2026-04-20T10:00:00.000Z.
    for (since, found) in [
        ("2026-04-20T10:00:00Z", 0),
        ("2026-04-20T10:00:00.000Z", 0),
        ("2026-04-20T09:59:59.999Z", 1),
        ("2026-04-20T10:00:00.001Z", 0),
        ("2026-04-20T12:00:00%2B02:00", 0),
        ("2026-04-20T11:59:59%2B02:00", 1),
        ("2026-04-20T11:59:59+02:00", 1),
        ("2026-04-20T03:00:00-07:00", 0),
        ("2026-04-20T09:59:59", 1),
        ("1999-01-01T00:00:00Z", 1),
        ("2999-01-01T00:00:00Z", 0),
    ] {
        let reply = list(&app, &format!("&last_activity_since={since}")).await;
        assert_eq!(reply.json["pagination"]["total_count"], found, "{since}");
        assert_eq!(numbers(&reply).len(), found, "{since}");
    }
    // What a list returned as `last_activity` is what the next synchronisation asks with.
    let seen = only(&app).await["last_activity"].as_str().unwrap().to_owned();
    assert_eq!(
        numbers(&list(&app, &format!("&last_activity_since={seen}")).await),
        Vec::<String>::new()
    );
    app.office.clock.advance(1);
    text_in(&app, us(), nobody(), "New").await;
    assert_eq!(
        numbers(&list(&app, &format!("&last_activity_since={seen}")).await),
        [nobody().to_string()]
    );
}

/// 45 conversations, many of the same instant.
async fn many(app: &TestApp) -> Vec<String> {
    for i in 0..45 {
        text_in(app, us(), outside(i), "Hello").await;
        if i % 4 == 0 {
            app.office.clock.advance(Millis::SECOND);
        }
    }
    (0..45).rev().map(|i| outside(i).to_string()).collect()
}

async fn pages_add_up(db: TestDb) {
    let app = searchable(db).await;
    let expected = many(&app).await;
    for size in [1, 7, 9, 20, 44, 45, 46, 100] {
        let pages = 45_usize.div_ceil(size);
        let mut found = Vec::new();
        for page in 1..=pages {
            let reply = list(&app, &format!("&page={page}&size={size}")).await;
            let pagination = &reply.json["pagination"];
            let cursor = pagination["next_cursor"].clone();
            let described = json!({
                "page": page, "size": size, "total_count": 45, "total_pages": pages, "has_more": page < pages,
                "next_cursor": cursor,
            });
            assert_eq!(pagination, &described);
            assert_eq!(cursor.is_string(), page < pages);
            found.extend(numbers(&reply));
        }
        assert_eq!(found, expected, "pages of {size}");
        for beyond in [pages + 1, pages + 1_000, 1_000_000_000] {
            let reply = list(&app, &format!("&page={beyond}&size={size}")).await;
            let described = json!({
                "page": beyond, "size": size, "total_count": 45, "total_pages": pages, "has_more": false,
                "next_cursor": null,
            });
            assert_eq!(
                (reply.data(), &reply.json["pagination"]),
                (&json!([]), &described)
            );
        }
    }
    assert_eq!(numbers(&list(&app, "").await).len(), 20);
    for wrong in ["0", "101", "-1", "x", "1.5", ""] {
        assert_error(
            &app.get(&format!("{PATH}&size={wrong}")).await,
            "INVALID_PAGE_SIZE",
        );
    }
    let empty = app.get("/v2/api/conversations?allo_number=%2B33142685300").await;
    let described = json!({
        "page": 1, "size": 20, "total_count": 0, "total_pages": 0, "has_more": false, "next_cursor": null,
    });
    assert_eq!(empty.json["pagination"], described);
}

async fn cursors_add_up_while_items_arrive(db: TestDb) {
    let app = searchable(db).await;
    let expected = many(&app).await;
    for size in [1, 7, 44, 100] {
        let mut reply = list(&app, &format!("&size={size}")).await;
        let mut found = numbers(&reply);
        while let Some(cursor) = reply.json["pagination"]["next_cursor"].as_str() {
            assert_eq!(reply.json["pagination"]["has_more"], true);
            reply = list(&app, &format!("&size={size}&cursor={cursor}")).await;
            assert_eq!(reply.json["pagination"]["total_count"], 45);
            found.extend(numbers(&reply));
        }
        assert_eq!(reply.json["pagination"]["has_more"], false);
        assert_eq!(found, expected, "cursors of {size}");
    }
    // Meanwhile new conversations come in front: none of the old ones is seen twice or not at all.
    let mut reply = list(&app, "&size=10").await;
    let mut found = numbers(&reply);
    let mut round = 0;
    while let Some(cursor) = reply.json["pagination"]["next_cursor"]
        .as_str()
        .map(str::to_owned)
    {
        app.office.clock.advance(Millis::SECOND);
        for i in 0..11 {
            text_in(&app, us(), outside(100 + round * 11 + i), "Me too").await;
        }
        round += 1;
        reply = list(&app, &format!("&size=10&cursor={cursor}")).await;
        assert_eq!(
            reply.json["pagination"]["total_count"],
            45 + 11 * round,
            "the total is that of now"
        );
        found.extend(numbers(&reply));
    }
    assert_eq!(found, expected);
}

async fn a_cursor_fits_its_own_list_only(db: TestDb) {
    let app = searchable(db).await;
    many(&app).await;
    let reply = list(&app, "&size=5&unread=true").await;
    let cursor = reply.json["pagination"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        list(&app, &format!("&size=9&unread=true&cursor={cursor}"))
            .await
            .data()
            .as_array()
            .unwrap()
            .len(),
        9
    );
    let search = app
        .post("/v2/api/conversations/items/search", &json!({ "size": 5 }))
        .await;
    let of_search = search.json["pagination"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut altered = cursor.clone();
    altered.pop();
    let foreign = [
        format!("{PATH}&cursor={cursor}"),
        format!("{PATH}&unread=false&cursor={cursor}"),
        format!("{PATH}&unread=true&archived=false&cursor={cursor}"),
        format!("{PATH}&unread=true&last_activity_since=2020-01-01T00:00:00Z&cursor={cursor}"),
        format!("/v2/api/conversations?allo_number=%2B33142685300&unread=true&cursor={cursor}"),
        format!("{PATH}&unread=true&cursor={altered}"),
        format!("{PATH}&unread=true&cursor={cursor}A"),
        format!("{PATH}&cursor={of_search}"),
        format!("{PATH}&cursor="),
        format!("{PATH}&cursor=%00"),
        format!("{PATH}&cursor={}", "A".repeat(400)),
    ];
    for path in foreign {
        let reply = app.get(&path).await;
        assert_eq!(reply.code(), "INVALID_CURSOR", "{path}: {}", reply.text);
        assert_error(&reply, "INVALID_CURSOR");
        assert_eq!(reply.json["error"]["param"], "cursor");
    }
    let body = json!({ "size": 5, "cursor": cursor });
    assert_error(
        &app.post("/v2/api/conversations/items/search", &body).await,
        "INVALID_CURSOR",
    );
}

async fn a_conversation_is_unread_until_somebody_cares(db: TestDb) {
    let app = searchable(db).await;
    let path = "/v2/api/conversations/%2B14155551234/action";
    let act = async |action: &str| assert_eq!(app.put(path, &json!({ "action": action })).await.status, 200);
    let later = || app.office.clock.advance(Millis::MINUTE);
    text_in(&app, us(), sarah(), "Hello").await;
    assert_eq!(standing(&app).await, (true, false, true));
    act("READ").await;
    assert_eq!(
        standing(&app).await,
        (false, false, true),
        "reading is not answering"
    );
    later();
    missed_call(&app, us(), sarah()).await;
    assert_eq!(standing(&app).await, (true, false, true));
    later();
    text_out(&app, us(), sarah(), "I'll call you").await;
    assert_eq!(standing(&app).await, (false, false, false), "a reply settles it");
    later();
    answered_call(&app, us(), sarah(), app.office.ada).await;
    assert_eq!(
        standing(&app).await,
        (false, false, false),
        "a call that was answered asks for nothing"
    );
    act("UNREAD").await;
    act("ARCHIVE").await;
    assert_eq!(standing(&app).await, (false, true, false), "archiving reads");
    later();
    text_in(&app, us(), sarah(), "And another thing").await;
    assert_eq!(
        standing(&app).await,
        (true, false, true),
        "new activity takes it out of the archive"
    );
    act("ARCHIVE").await;
    later();
    text_out(&app, us(), sarah(), "Yes?").await;
    assert_eq!(
        standing(&app).await,
        (false, false, false),
        "so does the team's own"
    );
    assert_eq!(only(&app).await["last_item"]["content"], "Yes?");
    app.office.assert_sound().await;
}

async fn blocked_callers_ask_for_nobodys_attention(db: TestDb) {
    let app = searchable(db).await;
    text_in(&app, us(), marie(), "Hello").await;
    let path = "/v2/api/conversations/%2B33612345678/action";
    assert_eq!(app.put(path, &json!({ "action": "ARCHIVE" })).await.status, 200);
    let before = standing(&app).await;
    app.office.clock.advance(Millis::MINUTE);
    let at = app.board.now();
    let ring = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: marie(),
        user: None,
        blocked: true,
        at,
    };
    let steps = [
        Step::End(trunkline_domain::call::EndCause::Blocked, None, at),
        Step::Complete(at),
    ];
    command(&app, move |work| calls::record(work, &ring, &steps)).await;
    assert_eq!(standing(&app).await, before);
    assert_eq!(
        only(&app).await["last_item"]["result"],
        "BLOCKED",
        "it is kept all the same"
    );
}
