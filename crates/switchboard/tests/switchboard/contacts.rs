//! Contacts: found by number in any formatting, with everything the events say of them.

use serde_json::json;
use trunkline_domain::{CompanyId, ContactId, DealStatus, ErrorCode, PropertyType, SeededIds};
use trunkline_store::contacts::{self, ContactRow};
use trunkline_switchboard::companies::{self, CreateCompany};
use trunkline_switchboard::deals::{self, CreateDeal};
use trunkline_switchboard::people::{self, CreateContact, MAX_PER_CONTACT};
use trunkline_switchboard::properties;
use trunkline_testkit::db::{Office, START, TestDb, marie, number, sarah};

use crate::support::{Diary, assert_refused, inbound, payload, ring, topics};

fn named(first: &str, numbers: &[&str]) -> CreateContact {
    CreateContact {
        first_name: Some(first.to_owned()),
        numbers: numbers.iter().map(|text| (*text).to_owned()).collect(),
        ..CreateContact::default()
    }
}

fn company(name: &str) -> CreateCompany {
    CreateCompany {
        name: name.to_owned(),
        ..CreateCompany::default()
    }
}

async fn create(office: &Office, contact: CreateContact) -> ContactId {
    office
        .run(move |work| people::create_contact(work, &contact))
        .await
        .unwrap()
}

async fn get(office: &Office, id: ContactId) -> ContactRow {
    let team = office.team;
    office
        .board
        .db()
        .read(move |conn| contacts::get(conn, team, id))
        .await
        .unwrap()
        .unwrap()
}

async fn every_command_of_contacts(t: TestDb) {
    let office = t.office().await;
    let mut diary = Diary::begin(&office).await;
    let company = office
        .run(|work| companies::create(work, &company("  Épicerie du Parc ")).map(|row| row.id))
        .await
        .unwrap();
    diary.note(&office, "a company").await;
    office
        .run(|work| properties::define(work, "vip", "VIP", PropertyType::Boolean))
        .await
        .unwrap();
    diary.note(&office, "a property").await;
    let zoe = CreateContact {
        last_name: Some(" Martin ".into()),
        job_title: Some("  ".into()),
        company: Some(company),
        numbers: vec![
            "(628) 555-0170".into(),
            "+1 628 555 0170".into(),
            "+33 6 42 68 53 99".into(),
        ],
        emails: vec![
            "Zoe@Parc.example".into(),
            "zoe@parc.example".into(),
            "shop@parc.example".into(),
        ],
        properties: [
            ("vip".to_owned(), json!(true)),
            ("lead_source".to_owned(), json!(null)),
        ]
        .into_iter()
        .collect(),
        ..named("Zoé", &[])
    };
    let zoe = create(&office, zoe).await;
    diary.note(&office, "a contact").await;
    let deal = CreateDeal {
        name: "Shelves".into(),
        status: Some("WON".to_owned()),
        value: Some(990.0),
        currency: Some("EUR".into()),
        close_date: Some("2026-06-15".parse().unwrap()),
        closed_at: None,
        company: None,
        contacts: vec![zoe, office.marie],
    };
    office.run(move |work| deals::create(work, &deal)).await.unwrap();
    diary.note(&office, "a deal with two contacts").await;
    insta::assert_snapshot!("every_command_of_contacts", diary.text());
}

/// Events name a deal's day by its midnight, in the form of the catalogue.
async fn deals_say_when_they_should_close(t: TestDb) {
    let office = t.office().await;
    let deal = CreateDeal {
        name: "Shelves".into(),
        status: Some("OPEN".to_owned()),
        value: None,
        currency: None,
        close_date: Some("2026-06-15".parse().unwrap()),
        closed_at: None,
        company: None,
        contacts: vec![office.marie],
    };
    office.run(move |work| deals::create(work, &deal)).await.unwrap();
    let before = office.last_event().await;
    ring(&office, inbound(marie(), START)).await;
    let rang = payload(&office.events_after(before).await[0]);
    assert_eq!(rang["deals"][0]["close_date"], "2026-06-15T00:00:00");
}

async fn contact_created_has_the_fields_of_the_catalogue(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let company = get(&office, office.sarah).await.company_id;
    let whole = CreateContact {
        last_name: Some("Dubois".into()),
        company,
        emails: vec!["a@b.example".into()],
        ..named("Paul", &["+33612345670", "+33612345671"])
    };
    let paul = create(&office, whole).await;
    let bare = create(&office, CreateContact::default()).await;
    let events = office.events_after(before).await;
    assert_eq!(topics(&events), ["contact.created", "contact.created"]);
    assert_eq!(
        payload(&events[0]),
        json!({
            "id": paul, "name": "Paul", "last_name": "Dubois", "company": "Johnson Bakery",
            "emails": ["a@b.example"], "numbers": ["+33612345670", "+33612345671"],
        })
    );
    assert_eq!(
        payload(&events[1]),
        json!({"id": bare, "name": null, "last_name": null, "company": null, "emails": null, "numbers": []})
    );
    assert_eq!((events[0].item, events[0].at), (None, START));
}

/// However a number was typed in: a call from it finds the contact.
async fn contacts_match_by_number_in_any_formatting(t: TestDb) {
    let office = t.office().await;
    for (n, (typed, called)) in [
        ("(628) 555-0100", "+16285550100"),
        ("628.555.0101", "+16285550101"),
        ("628 555 0102", "+16285550102"),
        ("6285550103", "+16285550103"),
        ("1-628-555-0104", "+16285550104"),
        ("+1 (628) 555 0105", "+16285550105"),
        (" +16285550106 ", "+16285550106"),
        ("+1.628.555.0107", "+16285550107"),
        ("tel:+1-628-555-0108", "+16285550108"),
        ("+33 6 98 76 54 32", "+33698765432"),
        ("011 33 6 98 76 54 34", "+33698765434"),
        ("＋1 628 555 0109", "+16285550109"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+49 30/901820", "+4930901820"),
    ]
    .into_iter()
    .enumerate()
    {
        let typed_in = named(&format!("Contact {n}"), &[typed]);
        let contact = office
            .run(move |work| people::create_contact(work, &typed_in))
            .await;
        let contact = contact.unwrap_or_else(|refused| panic!("{typed:?}: {refused}"));
        let before = office.last_event().await;
        let call = ring(&office, inbound(number(called), START)).await;
        let told = payload(&office.events_after(before).await[0]);
        assert_eq!(
            (&told["id"], &told["person"]["id"]),
            (&json!(call), &json!(contact)),
            "{typed:?} against {called}"
        );
        let team = office.team;
        let name = office
            .board
            .db()
            .read(move |conn| contacts::name_by_number(conn, team, number(called)))
            .await;
        assert_eq!(name.unwrap(), Some(format!("Contact {n}")));
    }
}

/// With its country code a number says all there is to say: what numbers begin with in the team's own country has no
/// part in it. (The 1 that begins a Paris number is no American trunk prefix.)
async fn an_international_number_means_the_same_in_every_team(t: TestDb) {
    let office = t.office().await;
    for (typed, called) in [
        ("+33 1 42 68 53 99", "+33142685399"),
        ("(+33) 1.42.68.53.98", "+33142685398"),
        ("+33 (0)6 98 76 54 33", "+33698765433"),
        ("011 33 1 42 68 53 97", "+33142685397"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+7 800 555 35 35", "+78005553535"),
        ("+39 06 698 1234", "+39066981234"),
        ("+52 1 55 1234 5678", "+5215512345678"),
    ] {
        let contact = create(&office, named("Far away", &[typed])).await;
        assert_eq!(get(&office, contact).await.numbers, [number(called)], "{typed:?}");
    }
}

/// A number that several contacts have: lists show them all, oldest first; where there is room for one, the oldest.
async fn a_shared_number_shows_all_its_contacts(t: TestDb) {
    let office = t.office().await;
    let team = office.team;
    let numbers = [marie(), sarah(), number("+14155550188")];
    let cards = office
        .board
        .db()
        .read(move |conn| contacts::cards(conn, team, &numbers))
        .await
        .unwrap();
    let names = |n| {
        cards.get(&n).map(|cards| {
            cards
                .iter()
                .map(|card| card.name.clone().unwrap())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        names(marie()),
        Some(vec!["Marie Dupont".to_owned(), "Sam".to_owned()])
    );
    assert_eq!(names(sarah()), Some(vec!["Sarah Johnson".to_owned()]));
    assert_eq!(names(number("+14155550188")), None);
    let bakery = &cards[&sarah()][0];
    assert_eq!(bakery.company.as_ref().unwrap().1, "Johnson Bakery");
    assert_eq!(
        bakery
            .deals
            .iter()
            .map(|(_, name, status)| (name.as_str(), *status))
            .collect::<Vec<_>>(),
        [("Flour for a year", DealStatus::Open)]
    );
    let one = office
        .board
        .db()
        .read(move |conn| contacts::cards(conn, team, &[marie()]))
        .await
        .unwrap();
    assert_eq!(one[&marie()], cards[&marie()]);
    let first = office
        .board
        .db()
        .read(move |conn| contacts::by_number(conn, team, marie()))
        .await
        .unwrap();
    assert_eq!(first.unwrap().id, office.marie);
}

async fn another_team_has_other_contacts(t: TestDb) {
    let office = t.office().await;
    let foreign = t.bare_team("foreign").await;
    let found = office
        .board
        .db()
        .read(move |conn| contacts::by_number(conn, foreign, sarah()))
        .await
        .unwrap();
    assert!(found.is_none());
    let id = office.sarah;
    let found = office
        .board
        .db()
        .read(move |conn| contacts::get(conn, foreign, id))
        .await
        .unwrap();
    assert!(found.is_none());
}

async fn faulty_contacts_are_refused(t: TestDb) {
    let office = t.office().await;
    office
        .run(|work| properties::define(work, "since", "Since", PropertyType::Date))
        .await
        .unwrap();
    office
        .run(|work| properties::define(work, "size", "Size", PropertyType::Number))
        .await
        .unwrap();
    let refused = async |code, param, contact: CreateContact| {
        assert_refused(&office, code, Some(param), move |work| {
            people::create_contact(work, &contact)
        })
        .await;
    };
    for typed in [
        "",
        "phone",
        "+",
        "12",
        "+1 415 555 1234 5678 9012",
        "415-CALL-ME-NOW-PLEASE",
        &"1".repeat(70),
    ] {
        refused(
            ErrorCode::InvalidPhoneFormat,
            "numbers",
            named("X", &["+14155550177", typed]),
        )
        .await;
    }
    let nowhere = CompanyId::new(&SeededIds::new(77), START);
    refused(
        ErrorCode::CompanyNotFound,
        "company_id",
        CreateContact {
            company: Some(nowhere),
            ..named("X", &[])
        },
    )
    .await;
    let invalid = ErrorCode::InvalidParameter;
    let many = vec!["+14155550177"; MAX_PER_CONTACT + 1];
    refused(invalid, "numbers", named("X", &many)).await;
    for email in [
        "",
        "nobody",
        "@b.example",
        "a@",
        "a b@c.example",
        &format!("{}@b.example", "a".repeat(250)),
    ] {
        refused(
            invalid,
            "emails",
            CreateContact {
                emails: vec![email.to_owned()],
                ..named("X", &[])
            },
        )
        .await;
    }
    for (key, value) in [
        ("unheard_of", json!("x")),
        ("lead_source", json!(1)),
        ("lead_source", json!("x".repeat(4_001))),
        ("size", json!("3")),
        ("since", json!("yesterday")),
        ("since", json!(20_260_420)),
    ] {
        let properties = [(key.to_owned(), value)].into_iter().collect();
        refused(
            invalid,
            "properties",
            CreateContact {
                properties,
                ..named("X", &[])
            },
        )
        .await;
    }
    for key in ["Lead Source", "", "email", "numbers", "lead_source"] {
        assert_refused(&office, invalid, Some("key"), move |work| {
            properties::define(work, key, "X", PropertyType::Text)
        })
        .await;
    }
    assert_refused(&office, invalid, Some("name"), |work| {
        companies::create(work, &company("  ")).map(|row| row.id)
    })
    .await;
    let deal = CreateDeal {
        name: "X".into(),
        status: Some("OPEN".to_owned()),
        value: None,
        currency: None,
        close_date: None,
        closed_at: None,
        company: None,
        contacts: vec![],
    };
    let unknown = ContactId::new(&SeededIds::new(77), START);
    for (code, param, deal) in [
        (
            invalid,
            "name",
            CreateDeal {
                name: " ".into(),
                ..deal.clone()
            },
        ),
        (
            invalid,
            "amount",
            CreateDeal {
                value: Some(f64::NAN),
                ..deal.clone()
            },
        ),
        (
            ErrorCode::PersonNotFound,
            "contacts",
            CreateDeal {
                contacts: vec![office.sarah, unknown],
                ..deal.clone()
            },
        ),
        (
            ErrorCode::CompanyNotFound,
            "company_id",
            CreateDeal {
                company: Some(nowhere),
                ..deal
            },
        ),
    ] {
        assert_refused(&office, code, Some(param), move |work| deals::create(work, &deal)).await;
    }
}

trunkline_testkit::on_both! {
    every_command_of_contacts,
    deals_say_when_they_should_close,
    contact_created_has_the_fields_of_the_catalogue,
    contacts_match_by_number_in_any_formatting,
    an_international_number_means_the_same_in_every_team,
    a_shared_number_shows_all_its_contacts,
    another_team_has_other_contacts,
    faulty_contacts_are_refused,
}
