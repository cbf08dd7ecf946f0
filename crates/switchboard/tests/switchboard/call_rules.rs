//! Calls: how they end, what contradicts what happened, and when they were.

use serde_json::json;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{Topic, TranscriptLine};
use trunkline_domain::{CallId, CallResult, ErrorCode, Millis, SeededIds, Speaker, UserId};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_testkit::db::{START, TestDb, nobody, number, sarah, us};

use crate::support::{assert_refused, inbound, item, only, payload, ring, step, topics};

async fn results_durations_and_reasons(t: TestDb) {
    let office = t.office().await;
    let at = |seconds: i64| START.plus(seconds * 1_000);
    let end = |cause, reason: Option<&str>, seconds| Step::End(cause, reason.map(str::to_owned), at(seconds));
    let transfer = |kind| {
        Step::Transfer(Transfer {
            kind,
            to_user: None,
            to_number: None,
            at: at(5),
        })
    };
    let answer = Step::Answer(None, at(3));
    for (steps, result, duration, reason) in [
        (
            vec![answer.clone(), end(EndCause::HungUp, None, 63)],
            CallResult::Answered,
            60,
            None,
        ),
        (
            vec![
                answer.clone(),
                transfer(TransferKind::Colleague),
                end(EndCause::HungUp, None, 63),
            ],
            CallResult::Answered,
            60,
            None,
        ),
        (
            vec![
                answer.clone(),
                transfer(TransferKind::Ai),
                end(EndCause::HungUp, None, 63),
            ],
            CallResult::TransferredAi,
            60,
            None,
        ),
        (
            vec![
                answer,
                transfer(TransferKind::External),
                end(EndCause::Failed, Some("x"), 63),
            ],
            CallResult::TransferredExternal,
            60,
            None,
        ),
        (
            vec![Step::Voicemail(at(20)), end(EndCause::HungUp, None, 45)],
            CallResult::Voicemail,
            25,
            None,
        ),
        (vec![end(EndCause::HungUp, None, 9)], CallResult::Missed, 0, None),
        (
            vec![end(EndCause::NoAnswer, Some("rang out"), 30)],
            CallResult::Missed,
            0,
            None,
        ),
        (
            vec![end(EndCause::Blocked, None, 0)],
            CallResult::Blocked,
            0,
            None,
        ),
        (
            vec![end(EndCause::Busy, None, 2)],
            CallResult::Failed,
            0,
            Some("busy"),
        ),
        (
            vec![end(EndCause::Failed, None, 2)],
            CallResult::Failed,
            0,
            Some("not connected"),
        ),
        (
            vec![end(EndCause::Failed, Some("SIP 503"), 2)],
            CallResult::Failed,
            0,
            Some("SIP 503"),
        ),
        (
            vec![Step::Abandon(at(2))],
            CallResult::Failed,
            0,
            Some("interrupted"),
        ),
    ] {
        let before = office.last_event().await;
        let call = ring(&office, inbound(nobody(), START)).await;
        for one in steps.clone() {
            step(&office, call, one).await.unwrap();
        }
        let events = office.events_after(before).await;
        let ended = payload(only(&events, Topic::CallEnded));
        assert_eq!(ended["result"], json!(result), "{steps:?}");
        assert_eq!(
            (&ended["duration"], &ended["failure_reason"]),
            (&json!(duration), &json!(reason)),
            "{steps:?}"
        );
        let voicemails = events
            .iter()
            .filter(|event| event.topic == Topic::VoicemailReceived)
            .count();
        assert_eq!(voicemails, usize::from(result == CallResult::Voicemail));
        let stored = item(&office, call).await;
        assert_eq!(
            (stored.result, stored.duration),
            (Some(result), Some(duration)),
            "{steps:?}"
        );
    }
    office.assert_sound().await;
}

async fn what_contradicts_a_call_is_refused(t: TestDb) {
    let office = t.office().await;
    let stranger = UserId::new(&SeededIds::new(99), START);
    let never = CallId::new(&SeededIds::new(99), START);
    let missing = number("+14155550199");
    assert_refused(
        &office,
        ErrorCode::PhoneNumberNotFound,
        Some("allo_number"),
        move |work| {
            calls::ring(
                work,
                &Ring {
                    line: missing,
                    ..inbound(sarah(), START)
                },
            )
        },
    )
    .await;
    assert_refused(&office, ErrorCode::MemberNotFound, Some("user_id"), move |work| {
        calls::ring(
            work,
            &Ring {
                user: Some(stranger),
                ..inbound(sarah(), START)
            },
        )
    })
    .await;
    assert_refused(&office, ErrorCode::CallNotFound, None, move |work| {
        calls::step(work, never, &Step::Complete(START))
    })
    .await;
    let to = |user| Transfer {
        kind: TransferKind::Colleague,
        to_user: user,
        to_number: None,
        at: START,
    };

    let call = ring(&office, inbound(sarah(), START)).await;
    let refused = async |code, param, one: Step| {
        assert_refused(&office, code, param, move |work| calls::step(work, call, &one)).await;
    };
    let conflict = ErrorCode::CallStateConflict;
    refused(conflict, None, Step::Complete(START)).await;
    refused(conflict, None, Step::Transfer(to(None))).await;
    refused(
        ErrorCode::MemberNotFound,
        Some("user_id"),
        Step::Answer(Some(stranger), START),
    )
    .await;
    step(&office, call, Step::Voicemail(START)).await.unwrap();
    refused(conflict, None, Step::Answer(None, START)).await;
    refused(conflict, None, Step::Transfer(to(None))).await;
    let too_long = vec![TranscriptLine {
        source: Speaker::User,
        time: START,
        text: "x".repeat(calls::MAX_TRANSCRIPT.1 + 1),
    }];
    refused(
        ErrorCode::InvalidLength,
        Some("transcript"),
        Step::Leave(Leftover::Transcript(too_long)),
    )
    .await;
    refused(
        ErrorCode::InvalidParameter,
        Some("tags"),
        Step::Leave(Leftover::Tag("!!!".into())),
    )
    .await;
    step(&office, call, Step::Abandon(START)).await.unwrap();
    refused(conflict, None, Step::Answer(None, START)).await;
    refused(conflict, None, Step::Voicemail(START)).await;
    refused(conflict, None, Step::Transfer(to(None))).await;

    let answered = ring(&office, inbound(sarah(), START)).await;
    step(&office, answered, Step::Answer(None, START)).await.unwrap();
    assert_refused(&office, ErrorCode::MemberNotFound, Some("user_id"), move |work| {
        calls::step(work, answered, &Step::Transfer(to(Some(stranger))))
    })
    .await;
    assert_refused(&office, conflict, None, move |work| {
        calls::step(work, answered, &Step::Voicemail(START))
    })
    .await;
    // Of a whole call none of it stays when one step is refused.
    assert_refused(&office, conflict, None, move |work| {
        let steps = [
            Step::Answer(None, START),
            Step::Leave(Leftover::Tag("new tag".into())),
            Step::Complete(START),
        ];
        calls::record(work, &inbound(nobody(), START), &steps)
    })
    .await;
}

/// Times that run backwards, as reports that arrive late do, make no negative lengths.
async fn late_reports_do_not_turn_time_back(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    step(&office, call, Step::Answer(None, START.plus(-5_000)))
        .await
        .unwrap();
    step(
        &office,
        call,
        Step::End(EndCause::HungUp, None, START.plus(-9_000)),
    )
    .await
    .unwrap();
    step(&office, call, Step::Complete(START.plus(-10_000)))
        .await
        .unwrap();
    let events = office.events_after(before).await;
    assert!(events.iter().all(|event| event.at == START), "{events:?}");
    let ended = payload(only(&events, Topic::CallEnded));
    assert_eq!(
        (&ended["duration"], &ended["ended_at"]),
        (&json!(0), &json!(START))
    );
}

/// Days are the team's: evening in San Francisco is the next day in Greenwich.
async fn a_call_belongs_to_the_day_of_the_team(t: TestDb) {
    let office = t.office().await;
    let at = Millis::parse("2026-03-08T07:59:59.999Z").unwrap();
    let seventh = ring(&office, inbound(sarah(), at)).await;
    let eighth = ring(&office, inbound(sarah(), at.plus(1))).await;
    // In the night to the 8th the clocks go forward: the day is an hour shorter.
    let end_of_eighth = Millis::parse("2026-03-09T06:59:59.999Z").unwrap();
    let still_eighth = ring(&office, inbound(sarah(), end_of_eighth)).await;
    let ninth = ring(&office, inbound(sarah(), end_of_eighth.plus(1))).await;
    let mut days = Vec::new();
    for call in [seventh, eighth, still_eighth, ninth] {
        days.push(item(&office, call).await.day);
    }
    let first = 20_519;
    assert_eq!(days, [first, first + 1, first + 1, first + 2]);
}

/// A blocked caller's call is kept, but nobody is bothered.
async fn a_blocked_call_asks_for_nobodys_attention(t: TestDb) {
    let office = t.office().await;
    let before = office.last_event().await;
    let blocked = Ring {
        blocked: true,
        ..inbound(nobody(), START)
    };
    let steps = [Step::End(EndCause::Blocked, None, START), Step::Complete(START)];
    office
        .run(move |work| calls::record(work, &blocked, &steps))
        .await
        .unwrap();
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| trunkline_store::conversations::of_number(conn, team, nobody()))
        .await;
    let standing = found.unwrap()[0].standing;
    assert!(!standing.unread && !standing.unresponded && !standing.archived);
    let events = office.events_after(before).await;
    assert_eq!(topics(&events), ["call.received", "call.ended", "call.completed"]);
    assert_eq!(payload(&events[2])["result"], "BLOCKED");
    assert_eq!(us().to_string(), payload(&events[2])["to"]);
}

trunkline_testkit::on_both! {
    results_durations_and_reasons,
    what_contradicts_a_call_is_refused,
    late_reports_do_not_turn_time_back,
    a_call_belongs_to_the_day_of_the_team,
    a_blocked_call_asks_for_nobodys_attention,
}
