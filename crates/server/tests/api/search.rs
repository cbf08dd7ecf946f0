//! Search against an oracle that looks at every item: filters, words, sorts, pages and cursors.

use jiff::civil::date;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{Seed, TestDb, sarah, us};

use crate::search_world::{DAYS, ITEMS, SearchWorld, Wanted};
use crate::support::{assert_error, assert_page, ids, text_in};

trunkline_testkit::on_both! {
    every_filter_alone,
    filters_together,
    relevance_pages_like_any_other_order,
    cursors_are_stable_while_items_arrive,
    the_count_recipe,
    tags_match_any_of_them,
}

const PATH: &str = "/v2/api/conversations/items/search";

async fn search(app: &TestApp, body: &Value) -> Reply {
    let reply = app.post(PATH, body).await;
    assert_page(&reply);
    reply
}

fn with(body: &Value, fields: &[(&str, Value)]) -> Value {
    let mut body = body.clone();
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    body
}

/// All ids that a request finds, page by page; every page describes itself truly.
async fn by_pages(app: &TestApp, body: &Value, size: usize, total: usize) -> Vec<String> {
    let pages = total.div_ceil(size);
    let mut found = Vec::new();
    for page in 1..=pages.max(1) + 1 {
        let reply = search(app, &with(body, &[("page", json!(page)), ("size", json!(size))])).await;
        let pagination = &reply.json["pagination"];
        let described = json!({
            "page": page, "size": size, "total_count": total, "total_pages": pages, "has_more": page < pages,
            "next_cursor": pagination["next_cursor"],
        });
        assert_eq!(pagination, &described, "{body}");
        assert_eq!(pagination["next_cursor"].is_string(), page < pages, "{body}");
        found.extend(ids(&reply));
    }
    found
}

/// All ids that a request finds, cursor by cursor.
async fn by_cursors(app: &TestApp, body: &Value, size: usize, total: usize) -> Vec<String> {
    let mut reply = search(app, &with(body, &[("size", json!(size))])).await;
    let mut found = ids(&reply);
    while let Some(cursor) = reply.json["pagination"]["next_cursor"].as_str() {
        assert_eq!(
            (ids(&reply).len(), &reply.json["pagination"]["has_more"]),
            (size, &json!(true)),
            "{body}"
        );
        reply = search(
            app,
            &with(body, &[("size", json!(size)), ("cursor", json!(cursor))]),
        )
        .await;
        assert_eq!(reply.json["pagination"]["total_count"], total, "{body}");
        assert!(!ids(&reply).is_empty(), "a cursor leads somewhere");
        found.extend(ids(&reply));
    }
    assert_eq!(reply.json["pagination"]["has_more"], false, "{body}");
    found
}

/// Compares what is found with the oracle, in both orders of time, by pages and by cursors.
async fn assert_found(world: &SearchWorld, wanted: &Wanted, size: usize) {
    let newest: Vec<String> = world
        .expected(wanted)
        .iter()
        .map(|item| item.id.clone())
        .collect();
    let oldest: Vec<String> = newest.iter().rev().cloned().collect();
    let total = newest.len();
    for (sort, expected) in [("DATE_DESC", newest), ("DATE_ASC", oldest)] {
        let body = with(&wanted.body(), &[("sort", json!(sort))]);
        // So many requests at most, however much there is.
        let size = size.max(total.div_ceil(5));
        let size = size.clamp(1, 100);
        assert_eq!(
            by_pages(&world.app, &body, size, total).await,
            expected,
            "pages of {size}: {body}"
        );
        assert_eq!(
            by_cursors(&world.app, &body, size, total).await,
            expected,
            "cursors of {size}: {body}"
        );
    }
}

async fn every_filter_alone(db: TestDb) {
    let world = SearchWorld::open(db).await;
    let mut found_something = 0;
    for wanted in Wanted::alone(&world.app) {
        assert_found(&world, &wanted, 100).await;
        found_something += usize::from(!world.expected(&wanted).is_empty());
    }
    assert!(found_something > 50, "the items are too alike");
    // The plainest request of all, and the other names of things.
    let all = world.app.send(reqwest::Method::POST, PATH, None).await;
    assert_eq!(all.json["pagination"]["total_count"], ITEMS);
    assert_eq!(
        ids(&all),
        ids(&search(&world.app, &json!({ "sort": "DATE" })).await)
    );
    let texts = search(&world.app, &json!({ "type": "TEXT_MESSAGE" })).await;
    assert_eq!(
        texts.json,
        search(&world.app, &json!({ "type": "SMS" })).await.json
    );
    assert!(
        texts
            .data()
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["type"] == "SMS")
    );
    world.app.office.assert_sound().await;
}

async fn filters_together(db: TestDb) {
    let world = SearchWorld::open(db).await;
    for seed in Seed::first(4) {
        let mut rng = StdRng::seed_from_u64(seed.get());
        let (mut empty, mut full) = (0, 0);
        for _ in 0..60 {
            let wanted = Wanted::random(&mut rng, &world.app);
            assert_found(&world, &wanted, rng.random_range(1..40)).await;
            *(if world.expected(&wanted).is_empty() {
                &mut empty
            } else {
                &mut full
            }) += 1;
        }
        assert!(full > 15, "{empty} of them found nothing");
    }
}

async fn relevance_pages_like_any_other_order(db: TestDb) {
    let world = SearchWorld::open(db).await;
    let mut rng = StdRng::seed_from_u64(5);
    let mut tried = 0;
    while tried < 25 {
        let wanted = Wanted::random(&mut rng, &world.app);
        if wanted.search.is_none() {
            continue;
        }
        tried += 1;
        let body = with(&wanted.body(), &[("sort", json!("RELEVANCE"))]);
        let mut expected: Vec<String> = world
            .expected(&wanted)
            .iter()
            .map(|item| item.id.clone())
            .collect();
        let (total, size) = (expected.len(), expected.len().div_ceil(4).clamp(1, 100));
        let pages = by_pages(&world.app, &body, size, total).await;
        assert_eq!(by_cursors(&world.app, &body, size, total).await, pages, "{body}");
        let mut found = pages.clone();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{body}");
    }
}

async fn cursors_are_stable_while_items_arrive(db: TestDb) {
    let world = SearchWorld::open(db).await;
    let app = &world.app;
    let bodies = [
        json!({ "sort": "DATE_DESC" }),
        json!({ "sort": "DATE_DESC", "search": "bill" }),
        json!({ "sort": "RELEVANCE", "search": "bill" }),
        json!({ "sort": "DATE_ASC", "contact_number": sarah() }),
    ];
    for (round, body) in bodies.into_iter().enumerate() {
        let newest = if body["sort"] == "DATE_ASC" {
            None
        } else {
            Some(())
        };
        let mut reply = search(app, &with(&body, &[("size", json!(10))])).await;
        let total = reply.json["pagination"]["total_count"].as_u64().unwrap();
        let before = by_pages(app, &body, 100, total as usize).await;
        let mut found = ids(&reply);
        let mut pages = 1;
        while let Some(cursor) = reply.json["pagination"]["next_cursor"]
            .as_str()
            .map(str::to_owned)
        {
            if pages < 4 {
                app.office.clock.advance(1_000);
                text_in(app, us(), sarah(), &format!("A new bill {round} {pages}")).await;
            }
            reply = search(
                app,
                &with(&body, &[("size", json!(10)), ("cursor", json!(cursor))]),
            )
            .await;
            found.extend(ids(&reply));
            pages += 1;
        }
        assert!(pages > 2, "{body} has too little to page through");
        match newest {
            Some(()) => assert_eq!(
                found, before,
                "{body}: what was there is seen once, what is new not at all"
            ),
            // The oldest first: what is new comes last.
            None => assert_eq!(
                (&found[..before.len()], found.len()),
                (&before[..], before.len() + (pages - 1).min(3)),
                "{body}"
            ),
        }
    }
}

async fn the_count_recipe(db: TestDb) {
    let world = SearchWorld::open(db).await;
    let wanted = Wanted {
        result: Some("VOICEMAIL"),
        kind: Some("CALL"),
        from: Some(DAYS[0]),
        to: Some(date(2026, 3, 8)),
        ..Wanted::default()
    };
    let expected = world.expected(&wanted);
    assert!(expected.len() > 3);
    let reply = search(&world.app, &with(&wanted.body(), &[("size", json!(1))])).await;
    let described = json!({
        "page": 1, "size": 1, "total_count": expected.len(), "total_pages": expected.len(), "has_more": true,
        "next_cursor": reply.json["pagination"]["next_cursor"],
    });
    assert_eq!(
        (&reply.json["pagination"], ids(&reply)),
        (&described, vec![expected[0].id.clone()])
    );
    for wrong in [json!(0), json!(101), json!(-1)] {
        assert_error(
            &world
                .app
                .post(PATH, &with(&wanted.body(), &[("size", wrong)]))
                .await,
            "INVALID_PAGE_SIZE",
        );
    }
    for wrong in [json!(0), json!(-1), json!(1_000_000_001)] {
        assert_error(
            &world.app.post(PATH, &json!({ "page": wrong })).await,
            "INVALID_PARAMETER",
        );
    }
    let beyond = search(&world.app, &json!({ "page": 1_000_000_000, "size": 100 })).await;
    assert_eq!(
        (beyond.data(), &beyond.json["pagination"]["total_count"]),
        (&json!([]), &json!(ITEMS))
    );
    let beyond = search(
        &world.app,
        &json!({ "page": 1_000_000, "size": 100, "search": "bill" }),
    )
    .await;
    assert_eq!(
        (beyond.data(), &beyond.json["pagination"]["has_more"]),
        (&json!([]), &json!(false))
    );
}

async fn tags_match_any_of_them(db: TestDb) {
    let world = SearchWorld::open(db).await;
    for tags in [
        vec!["vip", "billing"],
        vec!["vip", "vip"],
        vec!["vip", "nobody_has_it"],
        vec!["VIP", "Follow up"],
    ] {
        for words in [None, Some(("bill", "bill"))] {
            let meant = tags
                .iter()
                .map(|tag| tag.to_lowercase().replace(' ', "_"))
                .collect();
            let base = words
                .map(|(search, meaning)| Wanted::words(search, meaning))
                .unwrap_or_default();
            let wanted = Wanted { tags: meant, ..base };
            let expected: Vec<String> = world
                .expected(&wanted)
                .iter()
                .map(|item| item.id.clone())
                .collect();
            assert!(!expected.is_empty());
            let body = with(&wanted.body(), &[("tags", json!(tags)), ("size", json!(100))]);
            let reply = search(&world.app, &body).await;
            assert_eq!(reply.json["pagination"]["total_count"], expected.len(), "{body}");
            assert_eq!(ids(&reply), expected[..expected.len().min(100)], "{body}");
        }
    }
    for tags in [json!(["nobody_has_it"]), json!(["!!"]), json!([""])] {
        assert_eq!(
            search(&world.app, &json!({ "tags": tags })).await.json["pagination"]["total_count"],
            0,
            "{tags}"
        );
    }
    assert_eq!(
        search(&world.app, &json!({ "tags": [] })).await.json["pagination"]["total_count"],
        ITEMS
    );
}
