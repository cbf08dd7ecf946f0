//! Webhook endpoints: what each command leaves behind, what it refuses, from where on an endpoint hears, what a replay
//! may touch, and who is told when one is given up.

use std::collections::BTreeSet;

use trunkline_domain::events::Topic;
use trunkline_domain::webhook::Breaker;
use trunkline_domain::{DeliveryId, DeliveryState, EndpointId, ErrorCode, Millis, SeededIds};
use trunkline_store::crypto::Vault;
use trunkline_store::webhook_messages::{self, Lease, MessageRow, NewMessage, Settled};
use trunkline_store::webhooks::{self as rows, EndpointRow};
use trunkline_store::{StoreError, Tx, audit};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::webhooks::{
    self, BY_FAILURES, BY_OWNER, CreateEndpoint, Header, LEASE_MS, MAX_ENDPOINTS, MAX_OLD_SECRETS,
    OVERLAP_MS, PatchEndpoint, Replay, SigningSecret,
};
use trunkline_switchboard::{Actor, Error};
use trunkline_testkit::db::{Office, START, TestDb, sarah, us};

use crate::support::{assert_refused, payload, refusal};

fn vault() -> Vault {
    Vault::new("a key of tests")
}

fn wanted(url: &str) -> CreateEndpoint {
    CreateEndpoint {
        url: url.to_owned(),
        topics: vec![Topic::SmsReceived, Topic::CallCompleted],
        description: Some("Our CRM".to_owned()),
        lines: Some(vec![1]),
        headers: vec![Header {
            name: "x-team".to_owned(),
            value: "s3cret".to_owned(),
        }],
    }
}

async fn create(office: &Office) -> (EndpointRow, SigningSecret) {
    let by = office.by_ada();
    let made: Result<_, Error> = office
        .run(move |work| webhooks::create(work, &vault(), &wanted("https://crm.example/hook"), &by))
        .await;
    made.unwrap()
}

async fn update(office: &Office, id: EndpointId, patch: PatchEndpoint) -> Result<EndpointRow, Error> {
    let by = office.by_ada();
    office
        .run(move |work| webhooks::update(work, &vault(), id, &patch, &by))
        .await
}

async fn enable(office: &Office, id: EndpointId, enabled: bool, resume: bool) -> EndpointRow {
    let patch = PatchEndpoint {
        enabled: Some(enabled),
        resume,
        ..PatchEndpoint::default()
    };
    update(office, id, patch).await.unwrap()
}

async fn row(office: &Office, endpoint: i64) -> EndpointRow {
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| rows::by_number(conn, team, endpoint))
        .await;
    found.unwrap().unwrap()
}

async fn write<T: Send + 'static>(
    office: &Office,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    office.board.db().write(work).await.unwrap()
}

async fn texts(office: &Office, count: usize) {
    for _ in 0..count {
        let text = Receive {
            line: us(),
            from: sarah(),
            content: "hello".to_owned(),
            media: Vec::new(),
            carrier: "sandbox",
            carrier_ref: None,
            at: START,
        };
        office
            .run(move |work| messages::receive(work, &text).map(drop))
            .await
            .unwrap();
    }
}

/// Fanning out has come to this event.
async fn fanned_out_to(office: &Office, event: i64) {
    let team = office.team;
    write(office, move |tx| rows::set_cursor(tx, team, event)).await;
}

/// Stores a message that stands like this.
async fn message(office: &Office, event: i64, state: DeliveryState, due_at: Option<Millis>) -> DeliveryId {
    let (team, at) = (office.team, START.plus(event));
    let id = row(office, 1).await.id;
    write(office, move |tx| {
        let due = START.plus(event * 1_000_000);
        let new = NewMessage {
            endpoint: 1,
            event,
            topic: Topic::SmsReceived,
            at,
            due_at: due,
        };
        webhook_messages::insert(tx, team, &new, START)?;
        let settled = Settled {
            endpoint: 1,
            event,
            lease: Lease::until(due),
            state,
            due_at,
            tries: 3,
            attempts: "[]".to_owned(),
        };
        webhook_messages::settle(tx, team, &settled, START)
    })
    .await;
    DeliveryId::of(id, event, at)
}

async fn stored(office: &Office, event: i64) -> MessageRow {
    let team = office.team;
    let found = office
        .board
        .db()
        .read(move |conn| webhook_messages::get(conn, team, 1, event))
        .await;
    found.unwrap().unwrap()
}

async fn an_endpoint_is_made_changed_and_deleted(t: TestDb) {
    let office = t.office().await;
    let (made, secret) = create(&office).await;
    assert_eq!((made.endpoint, made.version, made.enabled), (1, 1, true));
    let shown = row(&office, 1).await;
    assert_eq!(shown, made);
    assert!(secret.secret.starts_with("whsec_") && secret.until.is_none());
    for hidden in [&shown.secrets, shown.headers.as_ref().unwrap()] {
        assert!(
            !hidden.contains("whsec_") && !hidden.contains("s3cret"),
            "sealed: {hidden}"
        );
    }
    let opened = webhooks::open_secrets(&vault(), &shown).unwrap();
    assert!(opened.len() == 1 && opened[0] == secret);
    assert!(webhooks::open_headers(&vault(), &shown).unwrap() == wanted("").headers);
    assert!(matches!(
        webhooks::open_secrets(&Vault::new("another key"), &shown),
        Err(StoreError::Sealed)
    ));

    office.clock.advance(1_000);
    let patch = PatchEndpoint {
        url: Some("https://new.example/".to_owned()),
        description: Some(None),
        lines: Some(None),
        headers: Some(Vec::new()),
        ..PatchEndpoint::default()
    };
    let changed = update(&office, made.id, patch).await.unwrap();
    let expected = EndpointRow {
        url: "https://new.example/".to_owned(),
        description: None,
        lines: None,
        headers: None,
        updated_at: START.plus(1_001),
        version: 2,
        ..made.clone()
    };
    let now = row(&office, 1).await;
    assert_eq!((now.version, now.updated_at >= START.plus(1_000)), (2, true));
    assert_eq!(
        EndpointRow {
            updated_at: expected.updated_at,
            ..now
        },
        expected
    );
    assert_eq!(changed.topics, made.topics, "what is not said stays");

    let (by, id) = (office.by_ada(), made.id);
    office
        .run(move |work| webhooks::delete(work, id, &by))
        .await
        .unwrap();
    let refused = refusal(update(&office, id, PatchEndpoint::default()).await);
    assert_eq!(refused.code, ErrorCode::WebhookNotFound);
    let team = office.team;
    let entries = office
        .board
        .db()
        .read(move |conn| audit::list(conn, team, 100))
        .await
        .unwrap();
    let entries: BTreeSet<_> = entries
        .iter()
        .filter(|entry| entry.action.starts_with("webhook."))
        .map(|entry| (entry.action.as_str(), entry.actor.clone(), entry.subject.clone()))
        .collect();
    let entry = |action| (action, office.ada.to_string(), id.to_string());
    let expected = ["webhook.created", "webhook.updated", "webhook.deleted"].map(entry);
    assert_eq!(entries, expected.into());
    // Its number is never another's: messages of it may still be there.
    assert_eq!(create(&office).await.0.endpoint, 2);
    office.assert_sound().await;
}

async fn what_does_not_exist_is_not_found(t: TestDb) {
    let office = t.office().await;
    let (made, _) = create(&office).await;
    let id = EndpointId::new(&SeededIds::new(99), START);
    let code = ErrorCode::WebhookNotFound;
    assert_refused(&office, code, None, move |work| webhooks::find(work, id)).await;
    let by = Actor::System;
    assert_refused(&office, code, None, move |work| webhooks::delete(work, id, &by)).await;
    assert_refused(&office, code, None, move |work| {
        webhooks::rotate_secret(work, &vault(), id, &Actor::System).map(drop)
    })
    .await;
    assert_refused(&office, code, None, move |work| {
        webhooks::replay_failed(work, id, START, &[])
    })
    .await;
    let event = message(&office, 3, DeliveryState::Failed, None).await;
    assert_refused(&office, code, None, move |work| {
        webhooks::replay_one(work, id, event)
    })
    .await;
    // Messages that are none: no such event, another time, another endpoint's.
    let none = [
        DeliveryId::of(made.id, 4, START.plus(4)),
        DeliveryId::of(made.id, 3, START.plus(5_000)),
        DeliveryId::of(id, 3, START.plus(3)),
    ];
    for message in none {
        let code = ErrorCode::WebhookMessageNotFound;
        assert_refused(&office, code, None, move |work| {
            webhooks::replay_one(work, made.id, message)
        })
        .await;
    }
}

async fn a_team_has_at_most_a_hundred(t: TestDb) {
    let office = t.office().await;
    let mut made = Vec::new();
    for _ in 0..MAX_ENDPOINTS {
        made.push(create(&office).await.0);
    }
    let code = ErrorCode::WebhookLimitReached;
    let one_more = |work: &mut trunkline_switchboard::Work<'_, '_>| {
        webhooks::create(
            work,
            &vault(),
            &wanted("https://one.more.example"),
            &Actor::System,
        )
        .map(drop)
    };
    assert_refused(&office, code, None, one_more).await;
    let id = made[7].id;
    office
        .run(move |work| webhooks::delete(work, id, &Actor::System))
        .await
        .unwrap();
    assert_eq!(create(&office).await.0.endpoint, MAX_ENDPOINTS + 1);
    assert_refused(&office, code, None, one_more).await;
}

async fn replaced_secrets_sign_for_a_day(t: TestDb) {
    let office = t.office().await;
    let (made, first) = create(&office).await;
    let id = made.id;
    let rotate = || async {
        let by = office.by_ada();
        office
            .run(move |work| webhooks::rotate_secret(work, &vault(), id, &by))
            .await
            .unwrap()
    };
    let now = office.board.now();
    let (changed, second, until) = rotate().await;
    assert_eq!((changed.id, until), (id, now.plus(OVERLAP_MS)));
    let secrets = || async { webhooks::open_secrets(&vault(), &row(&office, 1).await).unwrap() };
    let kept = secrets().await;
    assert!(kept[0] == second && second.until.is_none() && second.secret != first.secret);
    assert!(kept[1].secret == first.secret && kept[1].until == Some(now.plus(OVERLAP_MS)));

    // The first one ends when it was said to, not a day after the next.
    office.clock.advance(OVERLAP_MS / 2);
    let (_, third, _) = rotate().await;
    let kept = secrets().await;
    assert_eq!(kept.len(), 3);
    assert!(kept[0] == third && kept[1].secret == second.secret);
    assert_eq!(kept[1].until, Some(now.plus(OVERLAP_MS / 2 + OVERLAP_MS)));
    assert_eq!(kept[2].until, Some(now.plus(OVERLAP_MS)));
    office.clock.advance(OVERLAP_MS / 2);
    rotate().await;
    let kept = secrets().await;
    assert!(
        kept.len() == 3 && kept.iter().all(|secret| secret.secret != first.secret),
        "it has ended"
    );

    let mut newest = Vec::new();
    for _ in 0..15 {
        newest.push(rotate().await.1.secret);
    }
    newest.reverse();
    let kept: Vec<String> = secrets().await.into_iter().map(|secret| secret.secret).collect();
    assert_eq!(kept.len(), 1 + MAX_OLD_SECRETS);
    assert!(kept == newest[..=MAX_OLD_SECRETS], "the newest ones");
    assert_eq!(row(&office, 1).await.version, 19, "whoever sends learns of each");
}

async fn a_new_endpoint_hears_of_what_comes_later(t: TestDb) {
    let office = t.office().await;
    texts(&office, 3).await;
    let last = office.last_event().await;
    let (first, _) = create(&office).await;
    let team = office.team;
    let cursor = || async {
        office
            .board
            .db()
            .read(move |conn| rows::cursor(conn, team))
            .await
            .unwrap()
    };
    assert_eq!((cursor().await, first.behind), (Some(last), None));

    // Fanning out lags behind: the second endpoint joins at the present, the first one misses nothing.
    texts(&office, 2).await;
    create(&office).await;
    assert_eq!(cursor().await, Some(last));
    assert_eq!(
        (row(&office, 1).await.behind, row(&office, 2).await.behind),
        (None, Some(last + 2))
    );
}

async fn an_endpoint_that_is_enabled_again_resumes_or_skips(t: TestDb) {
    let office = t.office().await;
    let (made, _) = create(&office).await;
    let id = made.id;
    texts(&office, 3).await;
    let stopped = office.last_event().await;
    fanned_out_to(&office, stopped).await;
    let off = enable(&office, id, false, false).await;
    assert_eq!(
        (off.enabled, off.disabled_reason.as_deref(), off.behind),
        (false, Some(BY_OWNER), Some(stopped))
    );
    assert!(off.disabled_at.is_some());
    // Once more changes nothing.
    texts(&office, 2).await;
    let last = office.last_event().await;
    fanned_out_to(&office, last).await;
    office.clock.advance(5);
    let off_again = enable(&office, id, false, false).await;
    assert_eq!(
        (off_again.behind, off_again.disabled_at),
        (Some(stopped), off.disabled_at)
    );

    let on = enable(&office, id, true, true).await;
    assert_eq!(
        (on.enabled, on.disabled_reason, on.disabled_at),
        (true, None, None)
    );
    assert_eq!(
        (on.behind, on.skip_to),
        (Some(stopped), None),
        "from where it stopped"
    );

    enable(&office, id, false, false).await;
    let on = enable(&office, id, true, false).await;
    assert_eq!(
        (on.behind, on.skip_to),
        (None, Some(last)),
        "as if nothing had happened"
    );
    enable(&office, id, false, false).await;
    texts(&office, 1).await;
    let on = enable(&office, id, true, false).await;
    assert_eq!(
        (on.behind, on.skip_to),
        (Some(last + 1), Some(last + 1)),
        "also when fanning out lags behind"
    );
}

async fn one_message_is_sent_again(t: TestDb) {
    let office = t.office().await;
    let (made, _) = create(&office).await;
    let id = made.id;
    let now = office.board.now();
    let (soon, later) = (now.plus(LEASE_MS), now.plus(LEASE_MS + 1));
    use DeliveryState::{Delivered, Failed, Pending, Skipped};
    let cases = [
        (1, Delivered, None, true),
        (2, Failed, None, true),
        (3, Skipped, None, true),
        (4, Pending, Some(later), true),
        // It may be on its way.
        (5, Pending, Some(soon), false),
        (6, Pending, Some(Millis(0)), false),
    ];
    for (event, state, due_at, renewed) in cases {
        let message = message(&office, event, state, due_at).await;
        office
            .run(move |work| webhooks::replay_one(work, id, message))
            .await
            .unwrap();
        let row = stored(&office, event).await;
        let expected = if renewed {
            (Pending, Some(Millis(0)), 0)
        } else {
            (state, due_at, 3)
        };
        assert_eq!((row.state, row.due_at, row.tries), expected, "{event}");
    }
    let before = row(&office, 1).await;
    assert_eq!(before.version, 1, "nothing about the endpoint has changed");

    // While what was missed is skipped, this would be skipped with it.
    let team = office.team;
    write(&office, move |tx| {
        rows::update(
            tx,
            team,
            &EndpointRow {
                skip_to: Some(2),
                ..before.clone()
            },
        )
    })
    .await;
    let (two, three) = (
        DeliveryId::of(id, 2, START.plus(2)),
        DeliveryId::of(id, 3, START.plus(3)),
    );
    let code = ErrorCode::OtherTransactionInProgress;
    assert_refused(&office, code, None, move |work| {
        webhooks::replay_one(work, id, two)
    })
    .await;
    office
        .run(move |work| webhooks::replay_one(work, id, three))
        .await
        .unwrap();

    enable(&office, id, false, false).await;
    let code = ErrorCode::WebhookDisabled;
    assert_refused(&office, code, None, move |work| {
        webhooks::replay_one(work, id, three)
    })
    .await;
    assert_refused(&office, code, None, move |work| {
        webhooks::replay_failed(work, id, START, &[])
    })
    .await;
}

async fn one_replay_at_a_time(t: TestDb) {
    let office = t.office().await;
    let id = create(&office).await.0.id;
    let replay = move |work: &mut trunkline_switchboard::Work<'_, '_>| {
        webhooks::replay_failed(work, id, START, &[Topic::SmsReceived])
    };
    office.run(replay).await.unwrap();
    let under_way: Replay = serde_json::from_str(row(&office, 1).await.replay.as_deref().unwrap()).unwrap();
    let expected = Replay {
        since: START,
        topics: vec![Topic::SmsReceived],
        before: i64::MAX,
    };
    assert_eq!(under_way, expected);
    assert_refused(&office, ErrorCode::OtherTransactionInProgress, None, replay).await;
    let team = office.team;
    write(&office, move |tx| rows::set_replay(tx, team, 1, None)).await;
    office.run(replay).await.unwrap();
}

async fn an_endpoint_whose_breaker_opened_is_given_up_once(t: TestDb) {
    let office = t.office().await;
    let (made, _) = create(&office).await;
    let team = office.team;
    let give_up = || async { office.run(|work| webhooks::give_up(work, 1)).await.unwrap() };
    let breaker = |breaker: Breaker| {
        let text = serde_json::to_string(&breaker).unwrap();
        write(&office, move |tx| {
            rows::failed(tx, team, 1, START.plus(7), "STATUS 500", &text)
        })
    };
    assert!(!give_up().await, "nothing is wrong");
    breaker(Breaker::default().on_failure(START).0).await;
    assert!(!give_up().await, "it has failed once");
    assert!(
        !office.run(|work| webhooks::give_up(work, 2)).await.unwrap(),
        "there is none"
    );

    texts(&office, 2).await;
    let cursor = office.last_event().await - 1;
    fanned_out_to(&office, cursor).await;
    let open = Breaker::Open {
        first: START,
        at: START.plus(7),
    };
    breaker(open).await;
    let before = office.last_event().await;
    assert!(give_up().await);
    assert!(!give_up().await, "somebody was quicker");
    let off = row(&office, 1).await;
    assert_eq!(
        (off.enabled, off.disabled_reason.as_deref(), off.behind),
        (false, Some(BY_FAILURES), Some(cursor))
    );
    let told = office.events_after(before).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].topic, told[0].item), (Topic::EndpointDisabled, None));
    let expected = serde_json::json!({
        "id": made.id.to_string(),
        "url": "https://crm.example/hook",
        "description": "Our CRM",
        "failing_since": "2026-04-20T10:00:00.000Z",
        "last_error": "STATUS 500",
    });
    assert_eq!(payload(&told[0]), expected);

    // Enabled again, it begins anew.
    let on = enable(&office, made.id, true, true).await;
    assert_eq!((on.breaker, on.behind), (None, Some(cursor)));
    assert!(!give_up().await);
    breaker(open).await;
    let id = made.id;
    office
        .run(move |work| webhooks::delete(work, id, &Actor::System))
        .await
        .unwrap();
    assert!(!give_up().await, "it is gone");
}

/// Commands and deliveries change the same row at the same time: neither undoes the other.
async fn what_deliveries_note_is_not_undone(t: TestDb) {
    const ROUNDS: i64 = 60;
    let office = t.office().await;
    let id = create(&office).await.0.id;
    let (team, other) = (office.team, t.open_again());
    let notes = tokio::spawn(async move {
        for n in 1..=ROUNDS {
            let noted = other.write(move |tx| {
                rows::lock_cursor(tx, team)?;
                rows::set_behind(tx, team, 1, Some(n))?;
                rows::set_replay(tx, team, 1, Some(&n.to_string()))
            });
            noted.await.unwrap();
        }
    });
    for n in 0..ROUNDS {
        let patch = PatchEndpoint {
            description: Some(Some(format!("change {n}"))),
            ..PatchEndpoint::default()
        };
        update(&office, id, patch).await.unwrap();
        let now = row(&office, 1).await;
        assert_eq!(now.behind.map(|n| n.to_string()), now.replay, "of one moment");
    }
    notes.await.unwrap();
    let now = row(&office, 1).await;
    assert_eq!((now.behind, now.replay.as_deref()), (Some(ROUNDS), Some("60")));
    assert_eq!(now.description.as_deref(), Some("change 59"));
}

trunkline_testkit::on_both! {
    an_endpoint_is_made_changed_and_deleted,
    what_does_not_exist_is_not_found,
    a_team_has_at_most_a_hundred,
    replaced_secrets_sign_for_a_day,
    a_new_endpoint_hears_of_what_comes_later,
    an_endpoint_that_is_enabled_again_resumes_or_skips,
    one_message_is_sent_again,
    one_replay_at_a_time,
    an_endpoint_whose_breaker_opened_is_given_up_once,
    what_deliveries_note_is_not_undone,
}
