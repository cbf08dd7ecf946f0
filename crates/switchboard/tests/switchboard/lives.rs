//! Calls under random inputs in random orders, repeated, on several nodes, with crashes and sweeps at any moment: every
//! call that rang is ended once and completed once, in that order.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{IvrChoice, Topic, TranscriptLine};
use trunkline_domain::{CallId, Direction, ErrorCode, ItemId, Millis, Speaker, SummaryTemplate};
use trunkline_store::events::EventRow;
use trunkline_store::{StoreError, calls as rows, items};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::sweeper::{self, Others};
use trunkline_switchboard::{Error, Switchboard};
use trunkline_testkit::db::{Office, START, Seed, TestDb, fr, marie, nobody, sarah, us};

use crate::support::payload;

const CALLS: usize = 40;

fn any_ring(random: &mut StdRng, office: &Office) -> Ring {
    let direction = *Direction::ALL.choose(random).unwrap();
    Ring {
        direction,
        line: *[us(), fr()].choose(random).unwrap(),
        contact: *[sarah(), marie(), nobody()].choose(random).unwrap(),
        user: random.random_bool(0.3).then_some(office.ada),
        blocked: direction == Direction::Inbound && random.random_bool(0.1),
        at: office.board.now().plus(random.random_range(-3_000..100)),
    }
}

fn any_step(random: &mut StdRng, office: &Office) -> Step {
    let at = office.board.now().plus(random.random_range(-3_000..3_000));
    let user = random.random_bool(0.5).then_some(office.ben);
    match random.random_range(0..20) {
        0..=3 => Step::Answer(user, at),
        4..=5 => Step::Voicemail(at),
        6..=7 => {
            let kind = *[TransferKind::Colleague, TransferKind::External, TransferKind::Ai]
                .choose(random)
                .unwrap();
            Step::Transfer(Transfer {
                kind,
                to_user: user,
                to_number: None,
                at,
            })
        }
        8..=11 => {
            let causes = [
                EndCause::HungUp,
                EndCause::NoAnswer,
                EndCause::Busy,
                EndCause::Blocked,
                EndCause::Failed,
            ];
            let reason = random.random_bool(0.2).then(|| "SIP 500".to_owned());
            Step::End(*causes.choose(random).unwrap(), reason, at)
        }
        12..=13 => Step::Complete(at),
        14 => Step::Abandon(at),
        15 => Step::Leave(Leftover::Tag(["hot", "cold"].choose(random).unwrap().to_string())),
        16 => Step::Leave(Leftover::Recording {
            url: "https://phone.example/r.mp3".into(),
            seconds: 9,
        }),
        17 => {
            let line = TranscriptLine {
                source: Speaker::User,
                time: START,
                text: "Hello.".into(),
            };
            Step::Leave(Leftover::Transcript(vec![line]))
        }
        18 => Step::Leave(Leftover::Summary(
            *SummaryTemplate::ALL.choose(random).unwrap(),
            "Short.".into(),
        )),
        _ => Step::Leave(Leftover::Choice(IvrChoice {
            dtmf_key: Some("1".into()),
            text_key: None,
        })),
    }
}

/// A call, the node that runs it, and what will happen to it if the node lives.
struct Life {
    board: Switchboard,
    call: CallId,
    steps: Vec<Step>,
}

/// Steps in random order, each now and then more than once; and somewhere the crash, behind which nothing comes.
fn any_steps(random: &mut StdRng, office: &Office) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..random.random_range(0..14) {
        let step = any_step(random, office);
        for _ in 0..*[1, 1, 2, 3].choose(random).unwrap() {
            steps.insert(random.random_range(0..=steps.len()), step.clone());
        }
    }
    steps
}

async fn begin(board: &Switchboard, office: &Office, ring: Ring) -> CallId {
    board
        .run::<_, Error, _>(office.team, move |work| calls::ring(work, &ring))
        .await
        .unwrap()
}

/// Does it; a contradiction is refused, and that is all.
async fn take(board: &Switchboard, office: &Office, call: CallId, step: Step) {
    let told = format!("{step:?}");
    match board
        .run::<_, Error, _>(office.team, move |work| calls::step(work, call, &step))
        .await
    {
        Ok(()) => {}
        Err(Error::Refused(refused)) => {
            assert_eq!(refused.code, ErrorCode::CallStateConflict, "{told}: {refused}")
        }
        Err(Error::Store(error)) => panic!("{told}: {error}"),
    }
}

/// What every log must look like, whatever happened.
async fn assert_every_life_is_whole(office: &Office, calls: &[CallId]) {
    let mut lives: BTreeMap<CallId, Vec<EventRow>> = BTreeMap::new();
    for event in office.events_after(0).await {
        if let Some(id) = payload(&event)["id"]
            .as_str()
            .and_then(|id| CallId::parse(id).ok())
        {
            lives.entry(id).or_default().push(event);
        }
    }
    assert_eq!(lives.len(), calls.len());
    for (call, events) in &lives {
        let topics = crate::support::topics(events);
        let count = |topic: Topic| events.iter().filter(|event| event.topic == topic).count();
        let place = |topic: Topic| events.iter().position(|event| event.topic == topic);
        assert!(
            matches!(events[0].topic, Topic::CallReceived | Topic::CallTriggered),
            "{topics:?}"
        );
        assert_eq!(
            count(Topic::CallReceived) + count(Topic::CallTriggered),
            1,
            "{topics:?}"
        );
        assert_eq!(
            (count(Topic::CallEnded), count(Topic::CallCompleted)),
            (1, 1),
            "{call}: {topics:?}"
        );
        assert!(
            place(Topic::CallEnded) < place(Topic::CallCompleted),
            "{topics:?}"
        );
        assert!(
            count(Topic::CallAnswered) <= 1 && place(Topic::CallAnswered) < place(Topic::CallEnded),
            "{topics:?}"
        );
        for at_most_once in [
            Topic::VoicemailReceived,
            Topic::CallRecordingCompleted,
            Topic::CallTranscriptCompleted,
        ] {
            assert!(count(at_most_once) <= 1, "{topics:?}");
        }
        assert!(
            count(Topic::TagAdded) <= 2 && count(Topic::CallSummaryCompleted) <= 2,
            "{topics:?}"
        );
        let ended = payload(&events[place(Topic::CallEnded).unwrap()]);
        let completed = payload(&events[place(Topic::CallCompleted).unwrap()]);
        for (one, other) in [
            ("result", "result"),
            ("type", "type"),
            ("failure_reason", "failure_reason"),
        ] {
            assert_eq!(ended[one], completed[other]);
        }
        let seconds = ended["duration"].as_i64().unwrap();
        assert!(seconds >= 0);
        assert!((completed["length_in_minutes"].as_f64().unwrap() * 60.0 - seconds as f64).abs() < 0.5);
        assert_eq!(
            ended["answered_at"] == json!(null),
            count(Topic::CallAnswered) == 0,
            "{topics:?}"
        );

        let (team, id) = (office.team, *call);
        let (item, row) = office
            .board
            .db()
            .read(move |conn| {
                let item = items::get(conn, team, ItemId::Call(id))?.unwrap();
                let row = rows::get(conn, team, item.seq)?.unwrap();
                Ok::<_, StoreError>((item, row))
            })
            .await
            .unwrap();
        assert!(events.iter().all(|event| event.item == Some(item.seq)));
        assert_eq!(
            (json!(item.result), json!(item.duration)),
            (ended["result"].clone(), ended["duration"].clone())
        );
        assert_eq!(row.call.phase, trunkline_domain::call::Phase::Completed);
        assert!(row.completed_at.is_some() && row.process_by.is_none());
    }
    assert!(
        office
            .board
            .db()
            .read(|conn| rows::live(conn, None, 10))
            .await
            .unwrap()
            .is_empty()
    );
    office.assert_sound().await;
}

/// One step after the other, of random calls on two nodes; then both nodes are gone, and a third one finds what they
/// left behind.
async fn every_call_that_rang_ends_once_and_is_completed_once(t: TestDb) {
    for seed in Seed::first(4) {
        let t = TestDb::with(t.engine(), trunkline_testkit::db::options());
        let office = t.office().await;
        let random = &mut StdRng::seed_from_u64(seed.get());
        let nodes = [office.board.clone(), office.node("node-2")];
        let mut lives = Vec::new();
        for _ in 0..CALLS {
            let board = nodes.choose(random).unwrap().clone();
            let call = begin(&board, &office, any_ring(random, &office)).await;
            lives.push(Life {
                board,
                call,
                steps: any_steps(random, &office),
            });
        }
        let calls: Vec<CallId> = lives.iter().map(|life| life.call).collect();
        while !lives.is_empty() {
            let chosen = random.random_range(0..lives.len());
            office.clock.advance(random.random_range(0..500));
            match lives[chosen].steps.pop() {
                Some(step) => take(&lives[chosen].board, &office, lives[chosen].call, step).await,
                None => drop(lives.swap_remove(chosen)),
            }
        }
        let third = office.node("node-3");
        let swept = sweeper::sweep_calls(&third, Others::None).await.unwrap();
        assert!(swept > 0, "none was left behind: the test tests nothing");
        assert_eq!(
            sweeper::sweep_calls(&third, Others::None).await.unwrap(),
            0,
            "swept twice"
        );
        assert_every_life_is_whole(&office, &calls).await;
    }
}

/// All calls at once, while another node sweeps away what is still going on: whoever is first ends and completes.
async fn sweeps_in_the_middle_of_life_do_no_harm(t: TestDb) {
    let office = std::sync::Arc::new(t.office().await);
    let nodes = [office.board.clone(), office.node_on(t.open_again(), "node-2")];
    let random = &mut StdRng::seed_from_u64(1);
    let running: Vec<_> = (0..CALLS)
        .map(|n| {
            let (board, office) = (nodes[n % 2].clone(), office.clone());
            let (ring, steps) = (any_ring(random, &office), any_steps(random, &office));
            tokio::spawn(async move {
                let call = begin(&board, &office, ring).await;
                for step in steps {
                    take(&board, &office, call, step).await;
                }
                call
            })
        })
        .collect();
    let sweeping: Vec<_> = (3..5)
        .map(|n| {
            let sweeper = office.node(&format!("node-{n}"));
            tokio::spawn(async move {
                let mut swept = 0;
                for _ in 0..20 {
                    swept += sweeper::sweep_calls(&sweeper, Others::None).await.unwrap();
                }
                swept
            })
        })
        .collect();
    let mut calls = Vec::new();
    for life in running {
        calls.push(life.await.unwrap());
    }
    for sweeper in sweeping {
        sweeper.await.unwrap();
    }
    sweeper::sweep_calls(&office.node("node-9"), Others::None)
        .await
        .unwrap();
    assert_every_life_is_whole(&office, &calls).await;
}

/// The steps of one call by several clients at once: each fact once.
async fn rivals_for_one_call_make_each_fact_once(t: TestDb) {
    let office = std::sync::Arc::new(t.office().await);
    let node = office.node_on(t.open_again(), "node-2");
    let mut calls = Vec::new();
    for round in 0..10 {
        let call = begin(
            &office.board,
            &office,
            Ring {
                user: None,
                ..any_ring(&mut StdRng::seed_from_u64(round), &office)
            },
        )
        .await;
        calls.push(call);
        let end = Step::End(EndCause::HungUp, None, START.plus(5_000));
        let steps = [
            Step::Answer(Some(office.ada), START),
            Step::Voicemail(START),
            end,
            Step::Complete(Millis(START.0)),
            Step::Abandon(START),
        ];
        let running: Vec<_> = steps
            .iter()
            .cycle()
            .take(20)
            .enumerate()
            .map(|(n, step)| {
                let board = if n % 2 == 0 {
                    office.board.clone()
                } else {
                    node.clone()
                };
                let (office, step) = (office.clone(), step.clone());
                tokio::spawn(async move { take(&board, &office, call, step).await })
            })
            .collect();
        for rival in running {
            rival.await.unwrap();
        }
    }
    assert_every_life_is_whole(&office, &calls).await;
}

trunkline_testkit::on_both! {
    every_call_that_rang_ends_once_and_is_completed_once,
    sweeps_in_the_middle_of_life_do_no_harm,
    rivals_for_one_call_make_each_fact_once,
}
