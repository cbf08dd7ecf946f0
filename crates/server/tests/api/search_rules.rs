//! Search: days, words that are none, what was just written, and cursors that belong elsewhere.

use serde_json::{Value, json};
use trunkline_domain::call::EndCause;
use trunkline_domain::{Direction, Millis, PhoneNumber, Speaker, SummaryTemplate};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, marie, sarah, us};

use crate::support::{World, assert_error, blamed, command, ids, line, record, searchable, text_in};

trunkline_testkit::on_both! {
    days_are_the_teams_days,
    a_range_has_its_ends_in_order,
    words_are_needed_to_search_for_words,
    what_was_just_written_is_found,
    the_better_match_comes_first,
    texts_that_nobody_can_see_are_not_found,
    a_cursor_fits_its_own_search_only,
    filters_that_match_nothing_find_nothing,
}

const PATH: &str = "/v2/api/conversations/items/search";

/// The ids that a request finds, oldest first.
async fn found(app: &TestApp, body: Value) -> Vec<String> {
    let mut body = body;
    body["sort"] = json!("DATE_ASC");
    let reply = app.post(PATH, &body).await;
    assert_eq!(reply.status, 200, "{body}: {}", reply.text);
    assert_eq!(
        reply.json["pagination"]["total_count"],
        ids(&reply).len(),
        "{body}"
    );
    ids(&reply)
}

async fn text_at(app: &TestApp, from: PhoneNumber, at: &str) -> String {
    let text = Receive {
        line: us(),
        from,
        content: "When is this?".to_owned(),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at: Millis::parse(at).unwrap(),
    };
    command(app, move |work| messages::receive(work, &text))
        .await
        .to_string()
}

async fn days_are_the_teams_days(db: TestDb) {
    let app = searchable(db).await;
    // In San Francisco, 8 March 2026 has 23 hours: it begins at 08:00Z and ends at 07:00Z of the next day.
    let mut all = Vec::new();
    for at in [
        "2026-03-07T08:00:00.000Z",
        "2026-03-08T07:59:59.999Z",
        "2026-03-08T08:00:00.000Z",
        "2026-03-08T09:59:59.999Z",
        "2026-03-08T10:00:00.000Z",
        "2026-03-09T06:59:59.999Z",
        "2026-03-09T07:00:00.000Z",
        "2026-03-09T07:59:59.999Z",
        "2026-03-10T06:59:59.999Z",
        "2026-03-10T07:00:00.000Z",
    ] {
        all.push(text_at(&app, sarah(), at).await);
    }
    let of = |range: std::ops::Range<usize>| all[range].to_vec();
    let days = [
        (json!({ "from": "2026-03-08", "to": "2026-03-08" }), of(2..6)),
        (json!({ "from": "2026-03-07", "to": "2026-03-07" }), of(0..2)),
        (json!({ "from": "2026-03-09", "to": "2026-03-09" }), of(6..9)),
        (json!({ "from": "2026-03-07", "to": "2026-03-09" }), of(0..9)),
        (json!({ "from": "2026-03-08" }), of(2..10)),
        (json!({ "from": "2026-03-09" }), of(6..10)),
        (json!({ "from": "2026-03-11" }), of(10..10)),
        (json!({ "to": "2026-03-08" }), of(0..6)),
        (json!({ "to": "2026-03-07" }), of(0..2)),
        (json!({ "to": "2026-03-06" }), of(0..0)),
        (json!({ "from": "0001-01-01", "to": "9999-12-31" }), of(0..10)),
        (json!({ "from": "2026-03-08", "to": null }), of(2..10)),
        (json!({}), of(0..10)),
        (json!(null), of(0..10)),
    ];
    for (date, expected) in days {
        // The database, the database with a condition it does not count by, and the text index.
        for rest in [
            json!({}),
            json!({ "contact_number": sarah() }),
            json!({ "search": "when" }),
            json!({ "unread": true }),
        ] {
            let mut body = rest;
            body["date"] = date.clone();
            assert_eq!(found(&app, body.clone()).await, expected, "{body}");
        }
    }
}

async fn a_range_has_its_ends_in_order(db: TestDb) {
    let app = searchable(db).await;
    for date in [
        json!({ "from": "2026-03-09", "to": "2026-03-08" }),
        json!({ "from": "2026-02-30" }),
        json!({ "to": "2026-13-01" }),
        json!({ "from": "yesterday" }),
        json!({ "from": "2026-3-8" }),
        json!({ "from": "2026-03-08T00:00:00Z" }),
        json!({ "to": "20260308" }),
        json!({ "to": "" }),
        json!({ "from": 20_260_308 }),
    ] {
        let reply = app.post(PATH, &json!({ "date": date })).await;
        assert_error(&reply, "INVALID_DATE_RANGE");
        let end = if date.get("from").is_some() {
            "date.from"
        } else {
            "date.to"
        };
        assert!(blamed(&reply).contains(end), "{date}: {}", reply.text);
    }
}

async fn words_are_needed_to_search_for_words(db: TestDb) {
    let app = searchable(db).await;
    for search in ["", " ", "!!!", "… — €", "\u{301}"] {
        let reply = app.post(PATH, &json!({ "search": search })).await;
        assert_error(&reply, "INVALID_SEARCH_QUERY");
        assert_eq!(reply.json["error"]["param"], "search", "{search:?}");
    }
    let many = |words: usize| (0..words).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
    assert_eq!(app.post(PATH, &json!({ "search": many(20) })).await.status, 200);
    assert_error(
        &app.post(PATH, &json!({ "search": many(21) })).await,
        "INVALID_SEARCH_QUERY",
    );
    assert_error(
        &app.post(PATH, &json!({ "search": "x".repeat(1_001) })).await,
        "INVALID_LENGTH",
    );
    assert_eq!(
        app.post(PATH, &json!({ "search": "x".repeat(1_000) }))
            .await
            .status,
        200
    );
    let reply = app.post(PATH, &json!({ "sort": "RELEVANCE" })).await;
    assert_error(&reply, "INVALID_PARAMETER");
    assert_eq!(
        reply.json["error"]["param"], "sort",
        "there is nothing to rank by"
    );
}

/// Everything that a search looks into, found by the very next request.
async fn what_was_just_written_is_found(db: TestDb) {
    let app = searchable(db).await;
    for i in 0..10 {
        let text = text_in(&app, us(), sarah(), &format!("flour{i} für Überraschungen")).await;
        assert_eq!(
            found(&app, json!({ "search": format!("FLOUR{i} uberrasch") })).await,
            [text.to_string()]
        );
    }
    let at = app.board.now();
    let ring = Ring {
        direction: Direction::Inbound,
        line: us(),
        contact: sarah(),
        user: None,
        blocked: false,
        at,
    };
    let call = command(&app, move |work| calls::ring(work, &ring)).await;
    let own = vec![call.to_string()];
    assert_eq!(
        found(&app, json!({ "type": "CALL", "unread": true })).await,
        own,
        "while it rings"
    );
    let steps = [
        Step::Answer(Some(app.office.ben), at),
        Step::Leave(Leftover::Transcript(vec![line(
            Speaker::External,
            at,
            "About the croissants",
        )])),
        Step::Leave(Leftover::Summary(
            SummaryTemplate::Classic,
            "Wants brioche".to_owned(),
        )),
        Step::End(EndCause::HungUp, None, at.plus(5_000)),
    ];
    for step in steps {
        command(&app, move |work| calls::step(work, call, &step)).await;
    }
    for body in [
        json!({ "search": "croissant" }),
        json!({ "search": "brioch" }),
        json!({ "search": "croissant wants" }),
        json!({ "search": "about", "user_id": app.office.ben, "result": "ANSWERED" }),
    ] {
        assert_eq!(found(&app, body).await, own);
    }
    // What is written over the API is found, and what it replaced is not.
    let path = format!("/v2/api/conversations/items/{call}");
    assert_eq!(
        app.patch(
            &format!("{path}/summary"),
            &json!({ "content": "Wants pretzels" })
        )
        .await
        .status,
        200
    );
    assert_eq!(found(&app, json!({ "search": "pretzel" })).await, own);
    assert_eq!(
        found(&app, json!({ "search": "brioche" })).await,
        Vec::<String>::new()
    );
    assert_eq!(
        app.post(&format!("{path}/tags"), &json!({ "tags": ["bakery"] }))
            .await
            .status,
        200
    );
    assert_eq!(
        found(&app, json!({ "search": "pretzel", "tags": ["bakery"] })).await,
        own
    );
    assert_eq!(found(&app, json!({ "tags": ["bakery"] })).await, own);
    assert_eq!(app.delete(&format!("{path}/tags/bakery")).await.status, 200);
    assert_eq!(
        found(&app, json!({ "search": "pretzel", "tags": ["bakery"] })).await,
        Vec::<String>::new()
    );
    let read = json!({ "action": "UNREAD" });
    assert_eq!(
        app.put("/v2/api/conversations/%2B14155551234/action", &read)
            .await
            .status,
        200
    );
    assert_eq!(
        found(&app, json!({ "search": "pretzel", "unread": true })).await,
        own
    );
    assert_eq!(
        found(&app, json!({ "search": "pretzel", "unread": false })).await,
        Vec::<String>::new()
    );
}

async fn the_better_match_comes_first(db: TestDb) {
    let app = searchable(db).await;
    let rare = text_in(&app, us(), sarah(), "An invoice invoice invoice").await;
    app.office.clock.advance(1_000);
    let passing = text_in(
        &app,
        us(),
        marie(),
        "Somewhere in this long text of many other words there is an invoice too",
    )
    .await;
    app.office.clock.advance(1_000);
    let longer = text_in(&app, us(), marie(), "Invoices").await;
    let reply = app
        .post(PATH, &json!({ "search": "invoice", "sort": "RELEVANCE" }))
        .await;
    let ranked = ids(&reply);
    assert_eq!(ranked.len(), 3);
    assert_eq!(ranked[0], rare.to_string(), "who says it three times means it");
    let newest = app.post(PATH, &json!({ "search": "invoice" })).await;
    assert_eq!(
        ids(&newest),
        [longer.to_string(), passing.to_string(), rare.to_string()]
    );
}

async fn texts_that_nobody_can_see_are_not_found(db: TestDb) {
    let world = World::open(db).await;
    // Names of contacts, numbers and tags are not text of an item.
    for search in ["Johnson", "14155551234", "vip", "sarah"] {
        assert_eq!(
            found(&world.app, json!({ "search": search })).await,
            Vec::<String>::new(),
            "{search}"
        );
    }
    let call = vec![world.call.to_string()];
    assert_eq!(
        found(&world.app, json!({ "search": "question asked" })).await,
        call,
        "transcript and summary together"
    );
}

async fn a_cursor_fits_its_own_search_only(db: TestDb) {
    let app = searchable(db).await;
    for i in 0..5 {
        app.office.clock.advance(1_000);
        let at = app.board.now();
        let steps = vec![
            Step::Answer(None, at),
            Step::Leave(Leftover::Transcript(vec![line(
                Speaker::User,
                at,
                &format!("hello {i}"),
            )])),
            Step::End(EndCause::HungUp, None, at),
        ];
        record(&app, Direction::Inbound, us(), sarah(), at, steps).await;
    }
    let cursor = async |body: Value| {
        let reply = app.post(PATH, &body).await;
        reply.json["pagination"]["next_cursor"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", reply.text))
            .to_owned()
    };
    let bodies = [
        json!({ "size": 2 }),
        json!({ "size": 2, "sort": "DATE_ASC" }),
        json!({ "size": 2, "type": "CALL" }),
        json!({ "size": 2, "contact_number": sarah() }),
        json!({ "size": 2, "date": { "from": "2026-04-01" } }),
        json!({ "size": 2, "search": "hello" }),
        json!({ "size": 2, "search": "hell" }),
        json!({ "size": 2, "search": "hello", "sort": "DATE_ASC" }),
        json!({ "size": 2, "search": "hello", "sort": "RELEVANCE" }),
    ];
    for (i, own) in bodies.iter().enumerate() {
        let cursor = cursor(own.clone()).await;
        for (j, other) in bodies.iter().enumerate() {
            let mut body = other.clone();
            body["cursor"] = json!(cursor);
            let reply = app.post(PATH, &body).await;
            if i == j {
                assert_eq!((reply.status, ids(&reply).len()), (200, 2), "{body}");
                // The size and what is shown may change on the way.
                body["size"] = json!(1);
                body["extend"] = json!("transcript");
                assert_eq!(ids(&app.post(PATH, &body).await).len(), 1);
            } else {
                assert_eq!(reply.code(), "INVALID_CURSOR", "{own} -> {other}");
                assert_error(&reply, "INVALID_CURSOR");
                assert_eq!(reply.json["error"]["param"], "cursor");
            }
        }
    }
    for garbage in ["", "x", "Yi4xLjIuMw", "é", &"A".repeat(500)] {
        assert_error(
            &app.post(PATH, &json!({ "cursor": garbage })).await,
            "INVALID_CURSOR",
        );
    }
}

async fn filters_that_match_nothing_find_nothing(db: TestDb) {
    let world = World::open(db).await;
    for body in [
        json!({ "contact_number": "+12125550000" }),
        json!({ "user_id": "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD" }),
        json!({ "user_id": "usr-1" }),
        json!({ "user_id": "nobody" }),
        json!({ "type": "SMS", "result": "ANSWERED" }),
        json!({ "result": "TRANSFERRED" }),
        json!({ "search": "zebra" }),
        json!({ "search": "bill", "type": "SMS" }),
    ] {
        assert_eq!(
            found(&world.app, body.clone()).await,
            Vec::<String>::new(),
            "{body}"
        );
    }
    let reply = world
        .app
        .post(PATH, &json!({ "allo_number": "+14155550199" }))
        .await;
    assert_error(&reply, "PHONE_NUMBER_NOT_FOUND");
    assert_eq!(reply.json["error"]["param"], "allo_number");
    let reply = world
        .app
        .post(PATH, &json!({ "allo_number": "+14155550199", "search": "bill" }))
        .await;
    assert_error(&reply, "PHONE_NUMBER_NOT_FOUND");
}
