//! Conversations: what items and clients do to them.

use serde_json::json;
use trunkline_domain::call::EndCause;
use trunkline_domain::{Clock, ConversationAction, Direction, ErrorCode, Millis, PhoneNumber};
use trunkline_store::conversations::{self as rows, ConversationRow};
use trunkline_store::items;
use trunkline_switchboard::calls::{self, Ring, Step};
use trunkline_switchboard::messages::{self, Receive, Send};
use trunkline_switchboard::{Actor, conversations};
use trunkline_testkit::db::{Office, START, TestDb, fr, marie, nobody, number, sarah, us};

use crate::support::{Diary, assert_refused, inbound, payload, ring, step, topics};

use ConversationAction::{Archive, Read, Unarchive, Unread};

fn text(line: PhoneNumber, from: PhoneNumber, at: Millis) -> Receive {
    let content = "Hello?".to_owned();
    Receive {
        line,
        from,
        content,
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at,
    }
}

/// Receives a text no sooner than it was sent.
async fn receive(office: &Office, text: Receive) {
    office.clock.set(office.clock.now().max(text.at));
    receive_now(office, text).await;
}

async fn receive_now(office: &Office, text: Receive) {
    office
        .run(move |work| messages::receive(work, &text))
        .await
        .unwrap();
}

async fn reply(office: &Office, to: PhoneNumber) {
    let send = Send {
        line: us(),
        to,
        content: "Yes.".to_owned(),
        media: Vec::new(),
        user: None,
    };
    office.run(move |work| messages::send(work, &send)).await.unwrap();
}

async fn act(office: &Office, with: PhoneNumber, line: Option<PhoneNumber>, action: ConversationAction) {
    let by = office.by_ada();
    office
        .run(move |work| conversations::act(work, with, line, action, &by))
        .await
        .unwrap();
}

async fn all(office: &Office, with: PhoneNumber) -> Vec<ConversationRow> {
    let team = office.team;
    office
        .board
        .db()
        .read(move |conn| rows::of_number(conn, team, with))
        .await
        .unwrap()
}

/// Unread, archived and unresponded of the only conversation, as letters.
async fn standing(office: &Office, with: PhoneNumber) -> String {
    let found = all(office, with).await;
    assert_eq!(found.len(), 1);
    let standing = found[0].standing;
    let letters = [
        (standing.unread, 'u'),
        (standing.archived, 'a'),
        (standing.unresponded, 'r'),
    ];
    letters
        .into_iter()
        .filter_map(|(is, letter)| is.then_some(letter))
        .collect()
}

async fn every_action(t: TestDb) {
    let office = t.office().await;
    receive(&office, text(us(), marie(), START)).await;
    receive(&office, text(fr(), marie(), START)).await;
    let mut diary = Diary::begin(&office).await;
    act(&office, marie(), Some(us()), Read).await;
    diary.note(&office, "read on one line").await;
    act(&office, marie(), None, Archive).await;
    diary.note(&office, "archive on all").await;
    act(&office, marie(), None, Archive).await;
    act(&office, marie(), Some(fr()), Read).await;
    diary.note(&office, "what is so already").await;
    let by = Actor::System;
    office
        .run(move |work| conversations::act(work, marie(), None, Unarchive, &by))
        .await
        .unwrap();
    diary
        .note(&office, "take out of the archive, by the product")
        .await;
    act(&office, marie(), None, Unread).await;
    diary.note(&office, "unread on all").await;
    insta::assert_snapshot!("every_action", diary.text());
}

async fn actions_tell_what_was_done(t: TestDb) {
    let office = t.office().await;
    receive(&office, text(us(), sarah(), START)).await;
    let before = office.last_event().await;
    for _ in 0..2 {
        act(&office, sarah(), None, Archive).await;
        act(&office, sarah(), Some(us()), Read).await;
    }
    act(&office, sarah(), Some(us()), Unread).await;
    let events = office.events_after(before).await;
    assert_eq!(
        topics(&events),
        ["conversation.updated"; 2],
        "doing it again tells nobody"
    );
    let told = |line, action| json!({"contact_number": "+14155551234", "allo_number": line, "action": action, "user_id": office.ada});
    assert_eq!(payload(&events[0]), told(None, "ARCHIVE"));
    assert_eq!(payload(&events[1]), told(Some("+14155550100"), "UNREAD"));
    assert_eq!(events[0].item, None);
}

async fn actions_on_nothing_are_refused(t: TestDb) {
    let office = t.office().await;
    receive(&office, text(us(), sarah(), START)).await;
    for (with, line, code, param) in [
        (nobody(), None, ErrorCode::ConversationNotFound, "contact_number"),
        (
            sarah(),
            Some(fr()),
            ErrorCode::ConversationNotFound,
            "contact_number",
        ),
        (
            sarah(),
            Some(number("+14155550199")),
            ErrorCode::PhoneNumberNotFound,
            "allo_number",
        ),
    ] {
        let by = office.by_ada();
        assert_refused(&office, code, Some(param), move |work| {
            conversations::act(work, with, line, Read, &by)
        })
        .await;
    }
}

/// The life of a conversation, activity by activity: u(nread), a(rchived), (un)r(esponded).
async fn standing_follows_what_happens(t: TestDb) {
    let office = t.office().await;
    receive(&office, text(us(), sarah(), START)).await;
    assert_eq!(standing(&office, sarah()).await, "ur");
    act(&office, sarah(), None, Read).await;
    assert_eq!(standing(&office, sarah()).await, "r", "reading is not answering");
    act(&office, sarah(), None, Archive).await;
    assert_eq!(standing(&office, sarah()).await, "ar");
    let call = ring(&office, inbound(sarah(), START.plus(1_000))).await;
    assert_eq!(
        standing(&office, sarah()).await,
        "ur",
        "new activity takes it out of the archive"
    );
    step(&office, call, Step::Answer(None, START.plus(2_000)))
        .await
        .unwrap();
    assert_eq!(standing(&office, sarah()).await, "");
    step(
        &office,
        call,
        Step::End(EndCause::HungUp, None, START.plus(3_000)),
    )
    .await
    .unwrap();
    step(&office, call, Step::Complete(START.plus(3_000)))
        .await
        .unwrap();
    assert_eq!(standing(&office, sarah()).await, "");
    let texted_meanwhile = ring(&office, inbound(sarah(), START.plus(3_100))).await;
    receive(&office, text(us(), sarah(), START.plus(3_200))).await;
    assert_eq!(standing(&office, sarah()).await, "ur");
    step(&office, texted_meanwhile, Step::Answer(None, START.plus(3_300)))
        .await
        .unwrap();
    assert_eq!(standing(&office, sarah()).await, "", "answered since");
    let texted_later = ring(&office, inbound(sarah(), START.plus(3_400))).await;
    receive(&office, text(us(), sarah(), START.plus(3_600))).await;
    step(&office, texted_later, Step::Answer(None, START.plus(3_500)))
        .await
        .unwrap();
    assert_eq!(
        standing(&office, sarah()).await,
        "ur",
        "the answer, reported late, was before the text"
    );
    let missed = ring(&office, inbound(sarah(), START.plus(4_000))).await;
    step(
        &office,
        missed,
        Step::End(EndCause::NoAnswer, None, START.plus(9_000)),
    )
    .await
    .unwrap();
    assert_eq!(standing(&office, sarah()).await, "ur", "a missed call");
    act(&office, sarah(), None, Archive).await;
    office.clock.advance(10_000);
    reply(&office, sarah()).await;
    assert_eq!(standing(&office, sarah()).await, "", "the team's reply");
    act(&office, sarah(), None, Unread).await;
    let blocked = Ring {
        blocked: true,
        ..inbound(sarah(), START.plus(11_000))
    };
    ring(&office, blocked).await;
    assert_eq!(
        standing(&office, sarah()).await,
        "u",
        "a blocked call changes nothing"
    );
    let voicemail = ring(&office, inbound(sarah(), START.plus(12_000))).await;
    step(&office, voicemail, Step::Voicemail(START.plus(20_000)))
        .await
        .unwrap();
    step(
        &office,
        voicemail,
        Step::End(EndCause::HungUp, None, START.plus(30_000)),
    )
    .await
    .unwrap();
    assert_eq!(standing(&office, sarah()).await, "ur", "a voicemail is no answer");
    let out = Ring {
        direction: Direction::Outbound,
        ..inbound(sarah(), START.plus(31_000))
    };
    ring(&office, out).await;
    assert_eq!(standing(&office, sarah()).await, "", "the team calls back");
    let conversation = all(&office, sarah()).await[0];
    assert_eq!(
        (conversation.items, conversation.last_at),
        (11, START.plus(31_000))
    );
    office.assert_sound().await;
}

/// A call of Sarah's that rang at `at`, as a carrier reports it when it is over.
async fn record(office: &Office, direction: Direction, at: Millis, answered: bool) {
    let ring = Ring {
        direction,
        ..inbound(sarah(), at)
    };
    let answer = answered.then(|| Step::Answer(None, at.plus(1_000)));
    let cause = if answered {
        EndCause::HungUp
    } else {
        EndCause::NoAnswer
    };
    let rest = [
        Step::End(cause, None, at.plus(2_000)),
        Step::Complete(at.plus(3_000)),
    ];
    let steps: Vec<Step> = answer.into_iter().chain(rest).collect();
    office
        .run(move |work| calls::record(work, &ring, &steps))
        .await
        .unwrap();
}

/// What the team took part in and is stored late, behind something newer, is counted and changes nothing else; what
/// nobody answered is news.
async fn calls_that_are_reported_late(t: TestDb) {
    use Direction::{Inbound, Outbound};
    let office = t.office().await;
    receive(&office, text(us(), sarah(), START)).await;
    let newest = all(&office, sarah()).await[0];
    record(&office, Inbound, START.plus(-60_000), true).await;
    record(&office, Outbound, START.plus(-60_000), true).await;
    record(&office, Outbound, START.plus(-60_000), false).await;
    assert_eq!(
        all(&office, sarah()).await,
        [ConversationRow { items: 4, ..newest }],
        "the text came after"
    );
    act(&office, sarah(), None, Read).await;
    record(&office, Inbound, START.plus(-60_000), true).await;
    assert_eq!(standing(&office, sarah()).await, "r");
    record(&office, Inbound, START.plus(-60_000), false).await;
    assert_eq!(standing(&office, sarah()).await, "ur", "a missed call");
    record(&office, Inbound, START.plus(-500), true).await;
    assert_eq!(standing(&office, sarah()).await, "", "answered after the text");
    let after = all(&office, sarah()).await[0];
    assert_eq!(
        (after.items, after.last_at, after.last_item),
        (7, START, newest.last_item)
    );
    office.assert_sound().await;
}

/// Clocks of carriers lag, and ours may be set back: what comes in now is unread, what the team does now settles it.
async fn what_comes_in_now_is_news_whatever_its_time(t: TestDb) {
    let office = t.office().await;
    let sarahs = |at: i64| text(us(), sarah(), START.plus(at));
    reply(&office, sarah()).await;
    let newest = all(&office, sarah()).await[0];
    receive(&office, sarahs(-60_000)).await;
    assert_eq!(standing(&office, sarah()).await, "ur");
    act(&office, sarah(), None, Archive).await;
    receive(&office, sarahs(-50_000)).await;
    assert_eq!(standing(&office, sarah()).await, "ur", "out of the archive");
    let lagging = ring(&office, inbound(sarah(), START.plus(-40_000))).await;
    step(&office, lagging, Step::Answer(None, START.plus(-30_000)))
        .await
        .unwrap();
    assert_eq!(standing(&office, sarah()).await, "", "answered");
    let after = all(&office, sarah()).await[0];
    assert_eq!(
        after,
        ConversationRow { items: 4, ..newest },
        "the newest item stays it"
    );
    // At the very same moment the one stored later is the newer one.
    receive(&office, sarahs(0)).await;
    let after = all(&office, sarah()).await[0];
    assert_eq!(
        (after.items, after.last_at, after.last_item),
        (5, START, newest.last_item + 4)
    );
    office.clock.set(START.plus(-3_600_000));
    reply(&office, sarah()).await;
    assert_eq!(standing(&office, sarah()).await, "");
    receive_now(&office, sarahs(7_200_000)).await;
    assert_eq!(standing(&office, sarah()).await, "ur");
    // Nothing was sent later than now.
    let (team, late) = (office.team, after.last_item + 2);
    let found = office
        .board
        .db()
        .read(move |conn| items::by_seq(conn, team, late))
        .await;
    assert_eq!(found.unwrap().unwrap().at, START.plus(-3_600_000));
    office.assert_sound().await;
}

/// One line with one number is one conversation, however much begins it at once.
async fn a_pair_of_numbers_is_one_conversation(t: TestDb) {
    let office = t.office().await;
    let nodes = [office.board.clone(), office.node("node-2")];
    let running: Vec<_> = (0..40usize)
        .map(|n| {
            let (board, team) = (nodes[n % 2].clone(), office.team);
            tokio::spawn(async move {
                let line = if n % 4 < 2 { us() } else { fr() };
                let begun: Result<(), trunkline_switchboard::Error> = board
                    .run(team, move |work| {
                        if n % 3 == 0 {
                            calls::ring(
                                work,
                                &Ring {
                                    line,
                                    ..inbound(marie(), START)
                                },
                            )
                            .map(drop)
                        } else {
                            messages::receive(work, &text(line, marie(), START)).map(drop)
                        }
                    })
                    .await;
                begun.unwrap();
            })
        })
        .collect();
    for begun in running {
        begun.await.unwrap();
    }
    let found = all(&office, marie()).await;
    assert_eq!(
        found.iter().map(|row| (row.line, row.items)).collect::<Vec<_>>(),
        [(office.us_line, 20), (office.fr_line, 20)]
    );
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_action,
    actions_tell_what_was_done,
    actions_on_nothing_are_refused,
    standing_follows_what_happens,
    calls_that_are_reported_late,
    what_comes_in_now_is_news_whatever_its_time,
    a_pair_of_numbers_is_one_conversation,
}
