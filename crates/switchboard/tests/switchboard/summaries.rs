//! Summaries that people edit: versions, and which of several is meant.

use serde_json::json;
use trunkline_domain::call::EndCause;
use trunkline_domain::events::Topic;
use trunkline_domain::{CallId, ErrorCode, ItemId, SeededIds, SummaryTemplate};
use trunkline_store::items::{self, SummaryRow};
use trunkline_switchboard::calls::{Leftover, Step};
use trunkline_switchboard::summaries::{self, MAX_CHARACTERS};
use trunkline_switchboard::{Actor, Error};
use trunkline_testkit::db::{Office, START, TestDb, sarah};

use crate::support::{Diary, assert_refused, inbound, leave, only, payload, ring, step, topics};

use SummaryTemplate::{Classic, ShortCall};

async fn edit(
    office: &Office,
    call: CallId,
    template: Option<SummaryTemplate>,
    content: &'static str,
) -> Result<SummaryRow, Error> {
    let by = office.by_ada();
    office
        .run(move |work| summaries::edit(work, call, template, content, &by))
        .await
}

async fn write(office: &Office, call: CallId, template: SummaryTemplate, content: &str) {
    leave(office, call, Leftover::Summary(template, content.to_owned()))
        .await
        .unwrap();
}

async fn shown(office: &Office, call: CallId) -> Option<String> {
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| items::detail(conn, team, ItemId::Call(call)))
        .await;
    found.unwrap().unwrap().summary
}

async fn every_edit_of_a_summary(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    write(&office, call, ShortCall, "Short.").await;
    let mut diary = Diary::begin(&office).await;
    office.clock.advance(1_000);
    assert_eq!(edit(&office, call, None, "Shorter.").await.unwrap().version, 2);
    diary.note(&office, "edit the only one").await;
    let by = Actor::System;
    office
        .run(move |work| summaries::edit(work, call, Some(ShortCall), "", &by))
        .await
        .unwrap();
    diary.note(&office, "empty it, by the product itself").await;
    insta::assert_snapshot!("every_edit_of_a_summary", diary.text());
}

async fn versions_grow_and_events_tell_them(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let before = office.last_event().await;
    for version in 1..=3 {
        let now = office.clock.advance(1_000);
        let edited = edit(&office, call, None, "By hand.").await.unwrap();
        assert_eq!(
            (edited.version, edited.template, edited.updated_at),
            (version, Classic, now)
        );
        assert_eq!(edited.updated_by, Some(office.ada));
    }
    let events = office.events_after(before).await;
    assert_eq!(topics(&events), ["summary.updated"; 3]);
    assert_eq!(
        payload(&events[2]),
        json!({
            "id": call, "summary": "By hand.", "template_key": "MARKDOWN_CLASSIC", "version": 3,
            "user_email": "ada@fogcity.example",
        })
    );
    assert_eq!(shown(&office, call).await.as_deref(), Some("By hand."));
    // The product comes late: what a person wrote stays, and is what the completion tells.
    write(&office, call, Classic, "By the product.").await;
    step(&office, call, Step::End(EndCause::HungUp, None, START))
        .await
        .unwrap();
    step(&office, call, Step::Complete(START)).await.unwrap();
    let events = office.events_after(before).await;
    assert_eq!(
        payload(only(&events, Topic::CallCompleted))["summary"],
        "By hand."
    );
    assert!(!topics(&events).contains(&"call.summary.completed"));
    assert_eq!(shown(&office, call).await.as_deref(), Some("By hand."));
}

async fn the_template_tells_which_of_several(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let never = CallId::new(&SeededIds::new(44), START);
    let refused = async |code, param, call, template, content: String| {
        let by = office.by_ada();
        assert_refused(&office, code, param, move |work| {
            summaries::edit(work, call, template, &content, &by)
        })
        .await;
    };
    refused(ErrorCode::CallNotFound, None, never, None, "x".into()).await;
    refused(
        ErrorCode::InvalidLength,
        Some("content"),
        call,
        None,
        "é".repeat(MAX_CHARACTERS + 1),
    )
    .await;
    write(&office, call, Classic, "Classic.").await;
    let key = Some("template_key");
    refused(
        ErrorCode::SummaryTemplateNotFound,
        key,
        call,
        Some(ShortCall),
        "x".into(),
    )
    .await;
    assert_eq!(
        edit(&office, call, Some(Classic), "Classic 2.")
            .await
            .unwrap()
            .version,
        2
    );
    write(&office, call, ShortCall, "Short.").await;
    assert_eq!(
        shown(&office, call).await.as_deref(),
        Some("Classic 2."),
        "the classic one is shown"
    );
    refused(ErrorCode::SummaryTemplateKeyRequired, key, call, None, "x".into()).await;
    assert_eq!(
        edit(&office, call, Some(ShortCall), "Short 2.")
            .await
            .unwrap()
            .version,
        2
    );
    assert_eq!(
        edit(&office, call, Some(Classic), "Classic 3.")
            .await
            .unwrap()
            .version,
        3
    );
    let team = office.team;
    let all = office
        .board
        .db()
        .read(move |conn| items::summaries(conn, team, 1))
        .await
        .unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|row| (row.template, row.content.as_str(), row.version))
        .collect();
    assert_eq!(all, [(Classic, "Classic 3.", 3), (ShortCall, "Short 2.", 2)]);
    // One that has none yet gets the one that is named.
    let other = ring(&office, inbound(sarah(), START)).await;
    assert_eq!(
        edit(&office, other, Some(ShortCall), "Mine.")
            .await
            .unwrap()
            .template,
        ShortCall
    );
    assert_eq!(shown(&office, other).await.as_deref(), Some("Mine."));
    // The longest there may be.
    let (by, long) = (office.by_ada(), "é".repeat(MAX_CHARACTERS));
    office
        .run(move |work| summaries::edit(work, other, None, &long, &by))
        .await
        .unwrap();
}

/// What is shown: of several summaries the one a person wrote last; of the product's own the classic one.
async fn what_a_person_wrote_is_not_hidden(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    write(&office, call, ShortCall, "Short.").await;
    assert_eq!(shown(&office, call).await.as_deref(), Some("Short."));
    write(&office, call, Classic, "Classic.").await;
    assert_eq!(shown(&office, call).await.as_deref(), Some("Classic."));
    edit(&office, call, Some(ShortCall), "Short, by Ada.")
        .await
        .unwrap();
    assert_eq!(shown(&office, call).await.as_deref(), Some("Short, by Ada."));
    edit(&office, call, Some(Classic), "Classic, by Ada.")
        .await
        .unwrap();
    assert_eq!(shown(&office, call).await.as_deref(), Some("Classic, by Ada."));

    // The product writes the classic one when the short one was edited already.
    let late = ring(&office, inbound(sarah(), START)).await;
    write(&office, late, ShortCall, "Short.").await;
    edit(&office, late, None, "By Ada.").await.unwrap();
    write(&office, late, Classic, "Classic.").await;
    assert_eq!(shown(&office, late).await.as_deref(), Some("By Ada."));
    let before = office.last_event().await;
    step(&office, late, Step::End(EndCause::HungUp, None, START))
        .await
        .unwrap();
    step(&office, late, Step::Complete(START)).await.unwrap();
    let events = office.events_after(before).await;
    assert_eq!(payload(only(&events, Topic::CallCompleted))["summary"], "By Ada.");
}

/// Edits at the same time: each gets a version of its own.
async fn no_two_edits_get_the_same_version(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let nodes = [office.board.clone(), office.node("node-2")];
    let running: Vec<_> = (0..30usize)
        .map(|n| {
            let (board, team, by) = (nodes[n % 2].clone(), office.team, office.by_ada());
            tokio::spawn(async move {
                let content = n.to_string();
                board
                    .run::<_, Error, _>(team, move |work| summaries::edit(work, call, None, &content, &by))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut edits = Vec::new();
    for edit in running {
        edits.push(edit.await.unwrap());
    }
    edits.sort_by_key(|edit| edit.version);
    assert_eq!(
        edits.iter().map(|edit| edit.version).collect::<Vec<_>>(),
        (1..=30).collect::<Vec<_>>()
    );
    assert_eq!(
        shown(&office, call).await,
        edits.last().map(|last| last.content.clone())
    );
}

trunkline_testkit::on_both! {
    every_edit_of_a_summary,
    versions_grow_and_events_tell_them,
    the_template_tells_which_of_several,
    what_a_person_wrote_is_not_hidden,
    no_two_edits_get_the_same_version,
}
