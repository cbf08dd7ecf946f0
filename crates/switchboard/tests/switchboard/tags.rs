//! Tags: put on and taken off calls, made on the fly or not, all or none.

use serde_json::json;
use trunkline_domain::tag::MAX_TAGS_PER_ITEM;
use trunkline_domain::{CallId, ErrorCode, SeededIds};
use trunkline_store::tags as rows;
use trunkline_switchboard::calls::Leftover;
use trunkline_switchboard::{Actor, Error, tags};
use trunkline_testkit::db::{Office, START, TestDb, nobody, sarah};

use crate::support::{Diary, all_rows, assert_refused, inbound, leave, payload, refusal, ring, topics};

async fn add(office: &Office, call: CallId, names: &[&str]) -> Result<Vec<String>, Error> {
    let (names, by) = (
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        office.by_ada(),
    );
    office.run(move |work| tags::add(work, call, &names, &by)).await
}

async fn defined(office: &Office) -> Vec<String> {
    let team = office.team;
    let all = office
        .board
        .db()
        .read(move |conn| rows::list(conn, team))
        .await
        .unwrap();
    all.into_iter().map(|tag| tag.key).collect()
}

async fn every_command_of_tags(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let mut diary = Diary::begin(&office).await;
    office
        .run(|work| tags::define(work, "vip", "Very important", "#112233"))
        .await
        .unwrap();
    diary.note(&office, "define").await;
    office.clock.advance(1_000);
    assert_eq!(
        add(&office, call, &["VIP", "Follow up", "follow_up"])
            .await
            .unwrap(),
        ["vip", "follow_up"]
    );
    diary.note(&office, "add two, one of them new").await;
    office
        .run(move |work| tags::remove(work, call, "Vip", &Actor::System))
        .await
        .unwrap();
    diary.note(&office, "remove one").await;
    assert_eq!(add(&office, call, &["vip"]).await.unwrap(), ["follow_up", "vip"]);
    diary.note(&office, "add it again").await;
    insta::assert_snapshot!("every_command_of_tags", diary.text());
}

async fn events_have_the_fields_of_the_catalogue(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let before = office.last_event().await;
    add(&office, call, &["Follow up"]).await.unwrap();
    office
        .run(move |work| tags::remove(work, call, "follow_up", &Actor::System))
        .await
        .unwrap();
    leave(&office, call, Leftover::Tag("spam".into())).await.unwrap();
    let events = office.events_after(before).await;
    assert_eq!(topics(&events), ["tag.added", "tag.removed", "tag.added"]);
    let added = json!({
        "call_id": call, "id": call, "tag_key": "follow_up", "tag_name": "Follow up",
        "user_email": "ada@fogcity.example",
    });
    assert_eq!(payload(&events[0]), added);
    let mut removed = added;
    removed["user_email"] = json!(null);
    assert_eq!(payload(&events[1]), removed);
    assert_eq!(payload(&events[2])["user_email"], json!(null));
    assert!(events.iter().all(|event| event.item == Some(1)));
}

async fn faulty_tags_are_refused_all_or_none(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    add(&office, call, &["known", "other"]).await.unwrap();
    let never = CallId::new(&SeededIds::new(55), START);
    let refused = async |code, param, call, names: &[&str]| {
        let (names, by) = (
            names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
            office.by_ada(),
        );
        assert_refused(&office, code, param, move |work| {
            tags::add(work, call, &names, &by)
        })
        .await;
    };
    let tags_ = Some("tags");
    refused(ErrorCode::CallNotFound, None, never, &["new"]).await;
    refused(ErrorCode::CallNotFound, None, never, &[]).await;
    refused(ErrorCode::TagsRequired, tags_, call, &[]).await;
    refused(ErrorCode::TagAlreadyExists, tags_, call, &["new", "Known"]).await;
    refused(ErrorCode::InvalidParameter, tags_, call, &["new", "!!"]).await;
    refused(ErrorCode::InvalidParameter, tags_, call, &["new", ""]).await;
    refused(
        ErrorCode::InvalidParameter,
        tags_,
        call,
        &["new", &"x".repeat(65)],
    )
    .await;
    let remove = async |code, param, call, name: &'static str| {
        assert_refused(&office, code, param, move |work| {
            tags::remove(work, call, name, &Actor::System)
        })
        .await;
    };
    remove(ErrorCode::CallNotFound, None, never, "known").await;
    remove(ErrorCode::TagNotFound, Some("tag"), call, "unknown").await;
    remove(ErrorCode::TagNotFound, Some("tag"), call, "!!").await;
    // Defined, but on another call.
    let other = ring(&office, inbound(nobody(), START)).await;
    remove(ErrorCode::TagNotFound, Some("tag"), other, "known").await;
    assert_eq!(
        defined(&office).await,
        ["known", "other"],
        "nothing came to be by what was refused"
    );
}

async fn a_tag_is_defined_once(t: TestDb) {
    let office = t.office().await;
    office
        .run(|work| tags::define(work, "vip", "Very important", "#112233"))
        .await
        .unwrap();
    assert_refused(&office, ErrorCode::TagAlreadyExists, Some("name"), |work| {
        tags::define(work, "vip", "Another", "#445566")
    })
    .await;
}

async fn tags_are_not_made_where_the_team_turned_that_off(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    office
        .run(|work| tags::define(work, "known", "Known", "#112233"))
        .await
        .unwrap();
    let team = office.team;
    let off = "UPDATE teams SET create_tags = FALSE WHERE team_id = $1";
    office
        .board
        .db()
        .write(move |tx| tx.execute(off, trunkline_store::params![team]))
        .await
        .unwrap();
    let by = office.by_ada();
    assert_refused(&office, ErrorCode::TagNotFound, Some("tags"), move |work| {
        tags::add(work, call, &["known".to_owned(), "new".to_owned()], &by)
    })
    .await;
    assert_eq!(add(&office, call, &["known"]).await.unwrap(), ["known"]);
}

async fn a_call_carries_so_many_tags_and_no_more(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let names: Vec<String> = (0..=MAX_TAGS_PER_ITEM).map(|n| format!("tag-{n}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = all_rows(&office).await;
    assert_eq!(
        refusal(add(&office, call, &all).await).code,
        ErrorCode::InvalidParameter
    );
    assert_eq!(all_rows(&office).await, before);
    add(&office, call, &all[1..]).await.unwrap();
    assert_eq!(
        refusal(add(&office, call, &all[..1]).await).code,
        ErrorCode::InvalidParameter
    );
    // Nor by the product itself, whose repeats are no errors.
    assert_eq!(
        refusal(leave(&office, call, Leftover::Tag("tag-0".into())).await).code,
        ErrorCode::InvalidParameter
    );
    leave(&office, call, Leftover::Tag("tag-1".into())).await.unwrap();
    office.assert_sound().await;
}

/// Many clients tag one call at once: each new tag is made once, and nobody's tag gets lost.
async fn tags_put_on_at_once_are_all_there(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let nodes = [office.board.clone(), office.node("node-2")];
    let running: Vec<_> = (0..40usize)
        .map(|n| {
            let (board, team, by) = (nodes[n % 2].clone(), office.team, office.by_ada());
            tokio::spawn(async move {
                let name = format!("tag-{}", n / 2);
                board
                    .run::<_, Error, _>(team, move |work| {
                        tags::add(work, call, std::slice::from_ref(&name), &by)
                    })
                    .await
            })
        })
        .collect();
    let mut added = 0;
    for add in running {
        match add.await.unwrap() {
            Ok(_) => added += 1,
            Err(error) => assert_eq!(refusal::<()>(Err(error)).code, ErrorCode::TagAlreadyExists),
        }
    }
    assert_eq!((added, defined(&office).await.len()), (20, 20));
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_command_of_tags,
    events_have_the_fields_of_the_catalogue,
    faulty_tags_are_refused_all_or_none,
    a_tag_is_defined_once,
    tags_are_not_made_where_the_team_turned_that_off,
    a_call_carries_so_many_tags_and_no_more,
    tags_put_on_at_once_are_all_there,
}
