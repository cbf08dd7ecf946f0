//! Searches of the CRM: filters, free text, orders, pages and cursors.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::{TestDb, number, us};

use crate::crm_people::person;
use crate::support::{assert_error, assert_page, searchable, text_in};

trunkline_testkit::on_both! {
    every_filter_of_people_filters,
    a_number_is_found_in_any_formatting,
    free_text_looks_into_name_mail_number_and_company,
    people_are_sorted_six_ways,
    pages_and_cursors_cover_everybody_once,
    cursors_belong_to_their_list,
    faulty_searches_are_refused,
    companies_are_searched,
    deals_are_searched,
}

async fn search(app: &TestApp, what: &str, body: Value) -> Value {
    let reply = app.post(&format!("/v2/api/crm/{what}/search"), &body).await;
    assert_page(&reply);
    reply.json
}

/// The names of what was found, and whether the total says as many.
async fn names(app: &TestApp, what: &str, body: Value) -> Vec<String> {
    let found = search(app, what, body.clone()).await;
    let all = found["data"].as_array().unwrap();
    assert_eq!(found["pagination"]["total_count"], all.len(), "{body}");
    all.iter()
        .map(|one| one["name"].as_str().unwrap_or("-").to_owned())
        .collect()
}

async fn company(app: &TestApp, body: Value) -> Value {
    app.post("/v2/api/crm/companies", &body).await.data()["id"].clone()
}

/// Five people beside the three of the office.
async fn crowd(app: &TestApp) {
    // Behind what the office has, whatever the ids.
    app.office.clock.advance(1_000);
    let acme = company(
        app,
        json!({ "name": "Acmé Corp", "website": "https://acme.example", "industry": "Tech" }),
    )
    .await;
    let others = company(app, json!({ "name": "Beta Bakers", "industry": "Food" })).await;
    let deal = json!({ "name": "Ovens", "status": "Négociation", "company_id": others });
    assert_eq!(app.post("/v2/api/crm/deals", &deal).await.status, 201);
    for body in [
        json!({ "name": "Élodie", "last_name": "Marchand", "job_title": "Software engineer", "numbers": ["+33612345670"],
                "emails": ["elodie.m@acme.example"], "company_id": acme, "website": "https://elodie.example/about" }),
        json!({ "name": "Bob", "last_name": "O'Neil", "job_title": "Engineer", "numbers": ["+16285550101", "+16285550102"],
                "emails": ["bob_100%@beta.example"], "company_id": others }),
        json!({ "name": "bobby", "last_name": "Zhang", "job_title": "Baker", "numbers": ["+16285550103"], "company_id": others }),
        json!({ "last_name": "Solo", "numbers": ["+16285550104"], "emails": ["solo@mail.example"] }),
        json!({ "numbers": ["+16285550105"] }),
    ] {
        app.office.clock.advance(1_000);
        person(app, body).await;
    }
}

async fn every_filter_of_people_filters(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    for (filters, expected) in [
        (
            json!({}),
            vec!["-", "-", "bobby", "Bob", "Élodie", "Sam", "Marie", "Sarah"],
        ),
        (json!({ "name": "BOB" }), vec!["bobby", "Bob"]),
        (json!({ "name": "lodi" }), vec!["Élodie"]),
        (json!({ "name": "élo" }), vec!["Élodie"]),
        (json!({ "last_name": "o'n" }), vec!["Bob"]),
        (json!({ "last_name": "solo" }), vec!["-"]),
        (json!({ "job_title": "engineer" }), vec!["Bob", "Élodie"]),
        (json!({ "website": "elodie.example" }), vec!["Élodie"]),
        (json!({ "company": "acme" }), vec!["Élodie"]),
        (json!({ "company": "BAK" }), vec!["bobby", "Bob", "Sarah"]),
        (json!({ "email": "@beta" }), vec!["Bob"]),
        (json!({ "email": "100%@" }), vec!["Bob"]),
        (json!({ "email": "_100" }), vec!["Bob"]),
        (json!({ "email": "b_b" }), vec![]),
        (json!({ "deal_status": "negociation" }), vec!["bobby", "Bob"]),
        (json!({ "deal_status": "OPEN" }), vec!["Sarah"]),
        (json!({ "deal_status": "nego" }), vec![]),
        (
            json!({ "company": "bak", "job_title": "engineer", "name": "b" }),
            vec!["Bob"],
        ),
        (json!({ "name": "nobody" }), vec![]),
    ] {
        assert_eq!(
            names(&app, "people", json!({ "filters": filters })).await,
            expected,
            "{filters}"
        );
    }
}

async fn a_number_is_found_in_any_formatting(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    for spelling in [
        "+14155551234",
        "(415) 555-1234",
        "415.555.1234",
        "1-415-555-1234",
        "011 1 415 555 1234",
        " +1 415 5551234 ",
    ] {
        assert_eq!(
            names(&app, "people", json!({ "filters": { "phone_number": spelling } })).await,
            ["Sarah"],
            "{spelling}"
        );
        assert_eq!(
            names(&app, "people", json!({ "search": spelling })).await,
            ["Sarah"],
            "{spelling}"
        );
    }
    let shared = json!({ "filters": { "phone_number": "+33 6 12 34 56 78" } });
    assert_eq!(
        names(&app, "people", shared).await,
        ["Sam", "Marie"],
        "everybody who has it"
    );
    let second = json!({ "filters": { "phone_number": "(628) 555-0102", "name": "bob" } });
    assert_eq!(names(&app, "people", second).await, ["Bob"]);
    let nobody = json!({ "filters": { "phone_number": "(628) 555-0199" } });
    assert_eq!(names(&app, "people", nobody).await, Vec::<String>::new());
    let both = json!({ "filters": { "phone_number": "(628) 555-0102" }, "search": "(628) 555-0103" });
    assert_eq!(names(&app, "people", both).await, Vec::<String>::new());
}

async fn free_text_looks_into_name_mail_number_and_company(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    for (words, expected) in [
        ("sar", vec!["Sarah"]),
        ("SARAH john", vec!["Sarah"]),
        ("john sar", vec!["Sarah"]),
        ("elod", vec!["Élodie"]),
        ("acme", vec!["Élodie"]),
        ("bob bak", vec!["bobby", "Bob"]),
        ("orders@bakery", vec!["Sarah"]),
        ("solo mail", vec!["-"]),
        ("5550104", vec!["-"]),
        ("0104", vec!["-"]),
        ("628555", vec!["-", "-", "bobby", "Bob"]),
        ("arah", vec![]),
        ("bob acme", vec![]),
    ] {
        assert_eq!(
            names(&app, "people", json!({ "search": words })).await,
            expected,
            "{words}"
        );
    }
    let narrowed = json!({ "search": "bob", "filters": { "job_title": "baker" } });
    assert_eq!(names(&app, "people", narrowed).await, ["bobby"]);
}

async fn people_are_sorted_six_ways(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    app.office.clock.advance(1_000);
    text_in(&app, us(), number("+16285550101"), "Bob is back").await;
    for (sort, expected) in [
        (
            "DATE_DESC",
            vec!["Bob", "-", "-", "bobby", "Élodie", "Sam", "Marie", "Sarah"],
        ),
        (
            "DATE_ASC",
            vec!["Sarah", "Marie", "Sam", "Élodie", "bobby", "-", "-", "Bob"],
        ),
        (
            "NAME_ASC",
            vec!["Bob", "bobby", "Élodie", "Marie", "Sam", "Sarah", "-", "-"],
        ),
        (
            "NAME_DESC",
            vec!["-", "-", "Sarah", "Sam", "Marie", "Élodie", "bobby", "Bob"],
        ),
        (
            "CREATED_ASC",
            vec!["Sarah", "Marie", "Sam", "Élodie", "Bob", "bobby", "-", "-"],
        ),
        (
            "CREATED_DESC",
            vec!["-", "-", "bobby", "Bob", "Élodie", "Sam", "Marie", "Sarah"],
        ),
    ] {
        let mut found = names(&app, "people", json!({ "sort": sort })).await;
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        // Sarah and Marie came at the same instant: their ids decide.
        for list in [&mut found, &mut expected] {
            if let Some(at) = list
                .windows(2)
                .position(|pair| pair.iter().all(|name| name == "Sarah" || name == "Marie"))
            {
                list[at..at + 2].sort();
            }
        }
        assert_eq!(found, expected, "{sort}");
    }
}

async fn pages_and_cursors_cover_everybody_once(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    for (body, total) in [
        (json!({ "sort": "NAME_ASC" }), 8),
        (json!({ "sort": "DATE_DESC" }), 8),
        (json!({ "sort": "CREATED_ASC" }), 8),
        (json!({ "sort": "NAME_DESC", "search": "b" }), 3),
        (json!({ "filters": { "phone_number": "+33612345678" } }), 2),
    ] {
        let mut body = body;
        body["size"] = json!(100);
        let all = search(&app, "people", body.clone()).await["data"].clone();
        assert_eq!(all.as_array().unwrap().len(), total, "{body}");
        body["size"] = json!(3);
        let (mut by_page, mut by_cursor, mut page) = (Vec::new(), Vec::new(), 1);
        loop {
            body["page"] = json!(page);
            let found = search(&app, "people", body.clone()).await;
            by_page.extend(found["data"].as_array().unwrap().clone());
            assert_eq!(found["pagination"]["total_count"], total);
            assert_eq!(found["pagination"]["total_pages"], total.div_ceil(3));
            if found["pagination"]["has_more"] == false {
                assert_eq!(found["pagination"]["next_cursor"], Value::Null);
                break;
            }
            page += 1;
        }
        body.as_object_mut().unwrap().remove("page");
        loop {
            let found = search(&app, "people", body.clone()).await;
            by_cursor.extend(found["data"].as_array().unwrap().clone());
            let next = &found["pagination"]["next_cursor"];
            if next.is_null() {
                break;
            }
            body["cursor"] = next.clone();
        }
        assert_eq!((&json!(by_page), &json!(by_cursor)), (&all, &all), "{body}");
    }
    let beyond = search(&app, "people", json!({ "page": 1_000_000, "size": 100 })).await;
    assert_eq!(
        (&beyond["data"], &beyond["pagination"]["total_count"]),
        (&json!([]), &json!(8))
    );
}

async fn cursors_belong_to_their_list(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    let first = search(&app, "people", json!({ "size": 1, "sort": "NAME_ASC" })).await;
    let cursor = &first["pagination"]["next_cursor"];
    for (what, body) in [
        (
            "people",
            json!({ "size": 1, "sort": "NAME_DESC", "cursor": cursor }),
        ),
        (
            "people",
            json!({ "size": 1, "sort": "NAME_ASC", "search": "b", "cursor": cursor }),
        ),
        (
            "companies",
            json!({ "size": 1, "sort": "NAME_ASC", "cursor": cursor }),
        ),
        (
            "deals",
            json!({ "size": 1, "sort": "NAME_ASC", "cursor": cursor }),
        ),
        ("people", json!({ "size": 1, "sort": "NAME_ASC", "cursor": "x" })),
    ] {
        let reply = app.post(&format!("/v2/api/crm/{what}/search"), &body).await;
        assert_error(&reply, "INVALID_CURSOR");
    }
}

async fn faulty_searches_are_refused(db: TestDb) {
    let app = searchable(db).await;
    for (what, body, code, param) in [
        (
            "people",
            json!({ "search": "?!" }),
            "INVALID_SEARCH_QUERY",
            "search",
        ),
        (
            "people",
            json!({ "search": "a ".repeat(21).replace('a', "ab") + "b c d e f g h i j k l m n o p q r s t u" }),
            "INVALID_SEARCH_QUERY",
            "search",
        ),
        (
            "people",
            json!({ "filters": { "name": "--" } }),
            "INVALID_SEARCH_QUERY",
            "filters.name",
        ),
        (
            "people",
            json!({ "filters": { "phone_number": "12" } }),
            "INVALID_PHONE_NUMBER",
            "filters.phone_number",
        ),
        (
            "people",
            json!({ "filters": { "email": "x".repeat(256) } }),
            "INVALID_LENGTH",
            "filters.email",
        ),
        ("people", json!({ "sort": "name" }), "INVALID_PARAMETER", "sort"),
        ("people", json!({ "size": 101 }), "INVALID_PAGE_SIZE", "size"),
        ("people", json!({ "page": 0 }), "INVALID_PARAMETER", "page"),
        (
            "companies",
            json!({ "filters": [] }),
            "INVALID_PARAMETER",
            "filters",
        ),
        (
            "deals",
            json!({ "filters": { "stage": 1 } }),
            "INVALID_PARAMETER",
            "filters.stage",
        ),
        (
            "deals",
            json!({ "search": " " }),
            "INVALID_SEARCH_QUERY",
            "search",
        ),
    ] {
        let reply = app.post(&format!("/v2/api/crm/{what}/search"), &body).await;
        assert_error(&reply, code);
        assert_eq!(
            (reply.status, &reply.json["error"]["param"]),
            (422, &json!(param)),
            "{}",
            reply.text
        );
    }
}

async fn companies_are_searched(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    for (body, expected) in [
        (
            json!({ "sort": "NAME_ASC" }),
            vec!["Acmé Corp", "Beta Bakers", "Johnson Bakery"],
        ),
        (
            json!({ "sort": "NAME_DESC" }),
            vec!["Johnson Bakery", "Beta Bakers", "Acmé Corp"],
        ),
        (json!({ "filters": { "name": "ACME" } }), vec!["Acmé Corp"]),
        (
            json!({ "filters": { "name": "bak" }, "sort": "NAME_ASC" }),
            vec!["Beta Bakers", "Johnson Bakery"],
        ),
        (json!({ "filters": { "industry": "tech" } }), vec!["Acmé Corp"]),
        (json!({ "filters": { "website": "acme.ex" } }), vec!["Acmé Corp"]),
        (
            json!({ "filters": { "name": "bak", "industry": "tech" } }),
            vec![],
        ),
    ] {
        assert_eq!(names(&app, "companies", body.clone()).await, expected, "{body}");
    }
    app.office.clock.advance(1_000);
    text_in(&app, us(), number("+16285550101"), "Hello").await;
    let recent = search(&app, "companies", json!({ "size": 1 })).await;
    assert_eq!(recent["data"][0]["name"], "Beta Bakers", "by the last activity");
    let next = json!({ "size": 1, "cursor": recent["pagination"]["next_cursor"] });
    assert_ne!(
        search(&app, "companies", next).await["data"][0]["name"],
        "Beta Bakers"
    );
}

async fn deals_are_searched(db: TestDb) {
    let app = searchable(db).await;
    crowd(&app).await;
    let shelves = json!({ "name": "Big shelves", "status": "won" });
    app.office.clock.advance(1_000);
    assert_eq!(app.post("/v2/api/crm/deals", &shelves).await.status, 201);
    for (body, expected) in [
        (json!({}), vec!["Big shelves", "Ovens", "Flour for a year"]),
        (
            json!({ "sort": "NAME_ASC" }),
            vec!["Big shelves", "Flour for a year", "Ovens"],
        ),
        (
            json!({ "sort": "CREATED_ASC" }),
            vec!["Flour for a year", "Ovens", "Big shelves"],
        ),
        (json!({ "search": "bak" }), vec!["Ovens", "Flour for a year"]),
        (json!({ "search": "she big" }), vec!["Big shelves"]),
        (json!({ "search": "helves" }), vec![]),
        (json!({ "filters": { "stage": "WON" } }), vec!["Big shelves"]),
        (json!({ "filters": { "stage": "wo" } }), vec![]),
        (
            json!({ "filters": { "stage": "negociation" }, "search": "beta" }),
            vec!["Ovens"],
        ),
    ] {
        assert_eq!(names(&app, "deals", body.clone()).await, expected, "{body}");
    }
    let mut seen = BTreeSet::new();
    let mut body = json!({ "size": 1, "sort": "NAME_DESC" });
    for _ in 0..3 {
        let found = search(&app, "deals", body.clone()).await;
        seen.insert(found["data"][0]["name"].to_string());
        body["cursor"] = found["pagination"]["next_cursor"].clone();
    }
    assert_eq!((seen.len(), &body["cursor"]), (3, &Value::Null));
}
