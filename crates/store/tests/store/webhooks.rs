//! Webhook endpoints and messages: one message for each endpoint and event, one holder at a time, small steps.

use std::collections::BTreeMap;

use trunkline_domain::events::Topic;
use trunkline_domain::{DeliveryState, EndpointId, Millis, SeededIds};
use trunkline_store::webhook_messages::{self, Lease, MessageRow, NewMessage, Settled};
use trunkline_store::webhooks::{self, EndpointRow};
use trunkline_store::{Db, StoreError, TeamKey, Tx, params};
use trunkline_testkit::db::{START, TestDb};

mod plans;

const LEASE: i64 = Millis::MINUTE;

/// An endpoint that hears of texts.
fn endpoint(number: i64) -> EndpointRow {
    let seed = u64::try_from(number).unwrap();
    EndpointRow {
        endpoint: number,
        id: EndpointId::new(&SeededIds::new(seed), START),
        url: format!("https://{number}.example/hook"),
        topics: vec![Topic::SmsReceived, Topic::SmsSent],
        description: Some("é \u{1F600}".to_owned()),
        lines: (number % 2 == 0).then(|| vec![1, 22]),
        headers: None,
        secrets: "sealed".to_owned(),
        enabled: true,
        disabled_reason: None,
        disabled_at: None,
        breaker: None,
        behind: None,
        skip_to: None,
        replay: None,
        last_success_at: None,
        last_failure_at: None,
        last_error: None,
        created_at: START,
        updated_at: START,
        deleted_at: None,
        version: 1,
    }
}

async fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    db.write(work).await.unwrap()
}

async fn add_endpoints(db: &Db, team: TeamKey, numbers: std::ops::RangeInclusive<i64>) {
    write(db, move |tx| {
        for number in numbers.clone() {
            webhooks::insert(tx, team, &endpoint(number))?;
        }
        Ok(())
    })
    .await;
}

fn message(endpoint: i64, event: i64, due_at: Millis) -> NewMessage {
    NewMessage {
        endpoint,
        event,
        topic: Topic::SmsReceived,
        at: START.plus(event),
        due_at,
    }
}

async fn insert(db: &Db, team: TeamKey, message: NewMessage) -> bool {
    write(db, move |tx| webhook_messages::insert(tx, team, &message, START)).await
}

async fn claim(db: &Db, team: TeamKey, endpoint: i64, now: Millis, limit: i64) -> Vec<MessageRow> {
    write(db, move |tx| {
        webhook_messages::claim(tx, team, endpoint, now, now.plus(LEASE), limit)
    })
    .await
}

async fn get(db: &Db, team: TeamKey, endpoint: i64, event: i64) -> MessageRow {
    let found = db
        .read(move |conn| webhook_messages::get(conn, team, endpoint, event))
        .await;
    found.unwrap().unwrap()
}

fn events(messages: &[MessageRow]) -> Vec<i64> {
    messages.iter().map(|message| message.event).collect()
}

fn settled(event: i64, lease: Millis, state: DeliveryState, due_at: Option<Millis>) -> Settled {
    Settled {
        endpoint: 1,
        event,
        lease: Lease::until(lease),
        state,
        due_at,
        tries: 1,
        attempts: format!("[{event}]"),
    }
}

async fn settle(db: &Db, team: TeamKey, what: Settled) -> bool {
    write(db, move |tx| {
        webhook_messages::settle(tx, team, &what, START.plus(77))
    })
    .await
}

async fn an_endpoint_is_kept_as_it_is(t: TestDb) {
    let (db, team, other) = (t.db(), t.bare_team("one").await, t.bare_team("two").await);
    for number in 1..=3 {
        assert_eq!(write(db, move |tx| webhooks::next_number(tx, team)).await, number);
    }
    add_endpoints(db, team, 1..=3).await;
    let twice = db
        .write(move |tx| {
            webhooks::insert(
                tx,
                team,
                &EndpointRow {
                    endpoint: 9,
                    ..endpoint(1)
                },
            )
        })
        .await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");

    let mut row = EndpointRow {
        url: "https://new.example/".to_owned(),
        topics: vec![Topic::CallReceived],
        description: None,
        lines: None,
        headers: Some("sealed headers".to_owned()),
        secrets: "sealed anew".to_owned(),
        enabled: false,
        disabled_reason: Some("OWNER".to_owned()),
        disabled_at: Some(START.plus(1)),
        breaker: Some("{}".to_owned()),
        behind: Some(7),
        skip_to: Some(9),
        replay: Some("{\"before\":1}".to_owned()),
        updated_at: START.plus(2),
        ..endpoint(2)
    };
    let wanted = row.clone();
    write(db, move |tx| webhooks::update(tx, team, &wanted)).await;
    row.version = 2;
    let id = row.id;
    assert_eq!(
        db.read(move |conn| webhooks::get(conn, team, id)).await.unwrap(),
        Some(row.clone())
    );
    assert_eq!(
        db.read(move |conn| webhooks::by_number(conn, team, 2))
            .await
            .unwrap(),
        Some(row.clone())
    );
    assert_eq!(
        db.read(move |conn| webhooks::get(conn, other, id)).await.unwrap(),
        None
    );
    let listed = db.read(move |conn| webhooks::list(conn, team)).await.unwrap();
    assert_eq!(listed, [endpoint(1), row.clone(), endpoint(3)]);
    let listening = db
        .read(move |conn| webhooks::listening(conn, team))
        .await
        .unwrap();
    assert_eq!(listening.iter().map(|e| e.endpoint).collect::<Vec<_>>(), [1, 3]);
    assert!(listening[0].wants(Topic::SmsSent) && !listening[0].wants(Topic::SmsFailed));

    row.deleted_at = Some(START);
    write(db, move |tx| webhooks::update(tx, team, &row)).await;
    assert_eq!(
        db.read(move |conn| webhooks::get(conn, team, id)).await.unwrap(),
        None
    );
    assert_eq!(write(db, move |tx| webhooks::lock(tx, team, id)).await, None);
    assert_eq!(db.read(move |conn| webhooks::count(conn, team)).await.unwrap(), 2);
    assert!(
        write(db, move |tx| webhooks::lock_by_number(tx, team, 2))
            .await
            .is_some()
    );
    assert!(db.read(webhooks::all).await.unwrap().contains(&(team, 2, true)));

    let close = "UPDATE teams SET closed_at = $1 WHERE team_id = $2";
    write(db, move |tx| tx.execute(close, params![START, team])).await;
    let listening = db.read(move |conn| webhooks::listening(conn, team)).await;
    assert_eq!(
        listening.unwrap(),
        [],
        "nobody is told of what comes in for a closed account"
    );
}

async fn the_cursor_starts_once_and_tells_who_is_ahead(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("cursor").await);
    let ahead = || async { db.read(webhooks::ahead).await.unwrap() };
    assert_eq!(
        db.read(move |conn| webhooks::cursor(conn, team)).await.unwrap(),
        None
    );
    assert_eq!(write(db, move |tx| webhooks::lock_cursor(tx, team)).await, None);
    write(db, move |tx| {
        tx.execute(
            "UPDATE teams SET last_event = 5 WHERE team_id = $1",
            params![team],
        )
        .map(drop)
    })
    .await;
    assert!(ahead().await.is_empty(), "a team that never had an endpoint");
    write(db, move |tx| webhooks::start_cursor(tx, team, 3)).await;
    write(db, move |tx| webhooks::start_cursor(tx, team, 1)).await;
    assert_eq!(
        write(db, move |tx| webhooks::lock_cursor(tx, team)).await,
        Some(3)
    );
    assert_eq!(ahead().await, [(team, 5)]);
    write(db, move |tx| webhooks::set_cursor(tx, team, 5)).await;
    assert!(ahead().await.is_empty());

    // One endpoint that has not kept up is enough, if it is sent anything.
    add_endpoints(db, team, 1..=1).await;
    write(db, move |tx| webhooks::set_behind(tx, team, 1, Some(4))).await;
    assert_eq!(ahead().await, [(team, 5)]);
    for (enabled, deleted_at) in [(false, None), (true, Some(START))] {
        let row = EndpointRow {
            enabled,
            deleted_at,
            behind: Some(4),
            ..endpoint(1)
        };
        write(db, move |tx| webhooks::update(tx, team, &row)).await;
        assert!(ahead().await.is_empty());
    }
}

async fn there_is_one_message_for_an_endpoint_and_an_event(t: TestDb) {
    let (db, team, other) = (t.db(), t.bare_team("one").await, t.bare_team("two").await);
    assert!(insert(db, team, message(1, 5, Millis(0))).await);
    assert!(!insert(db, team, message(1, 5, START)).await);
    assert!(insert(db, team, message(2, 5, Millis(0))).await);
    assert!(insert(db, other, message(1, 5, Millis(0))).await);
    assert_eq!(
        get(db, team, 1, 5).await.due_at,
        Some(Millis(0)),
        "the first one stays"
    );

    // Whoever is quicker: also when both are at it at the same time.
    let nodes = [t.db().clone(), t.open_again()];
    let inserting: Vec<_> = (0..6usize)
        .map(|node| {
            let db = nodes[node % 2].clone();
            tokio::spawn(async move {
                let mut new = 0;
                for event in 100..160 {
                    new += usize::from(insert(&db, team, message(1, event, Millis(0))).await);
                }
                new
            })
        })
        .collect();
    let mut new = 0;
    for task in inserting {
        new += task.await.unwrap();
    }
    assert_eq!(new, 60);
}

async fn a_message_has_one_holder_at_a_time(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("leases").await);
    add_endpoints(db, team, 1..=2).await;
    for (event, due_at) in [(1, 500), (2, 0), (3, -1_000), (4, 1), (5, 0)] {
        insert(db, team, message(1, event, START.plus(due_at))).await;
    }
    insert(db, team, message(2, 1, Millis(0))).await;

    // The one due first is first in line; what is claimed comes in the order of events.
    assert_eq!(events(&claim(db, team, 1, START, 2).await), [2, 3]);
    assert_eq!(events(&claim(db, team, 1, START, 9).await), [5]);
    assert!(claim(db, team, 1, START, 9).await.is_empty());
    assert_eq!(
        events(&claim(db, team, 1, START.plus(1), 9).await),
        [4],
        "due to the millisecond"
    );
    assert_eq!(events(&claim(db, team, 1, START.plus(LEASE - 1), 9).await), [1]);
    assert_eq!(events(&claim(db, team, 1, START.plus(LEASE), 9).await), [2, 3, 5]);
    assert_eq!(events(&claim(db, team, 2, START, 9).await), [1]);
}

async fn many_claim_and_nobody_twice(t: TestDb) {
    const MESSAGES: i64 = 600;
    let team = t.bare_team("many").await;
    add_endpoints(t.db(), team, 1..=1).await;
    write(t.db(), move |tx| {
        for event in 1..=MESSAGES {
            webhook_messages::insert(tx, team, &message(1, event, START.plus(-(event % 7))), START)?;
        }
        Ok(())
    })
    .await;
    let nodes = [t.db().clone(), t.open_again(), t.open_again()];
    let claiming: Vec<_> = (0..9usize)
        .map(|worker| {
            let db = nodes[worker % nodes.len()].clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&db, team, 1, START, 7).await;
                    assert!(claimed.len() <= 7, "{} at once", claimed.len());
                    mine.extend(events(&claimed));
                    let next = db.read(webhooks::due).await.unwrap()[0].due_at;
                    if next.is_none_or(|due| due > START) {
                        return mine;
                    }
                }
            })
        })
        .collect();
    let mut claims: BTreeMap<i64, usize> = BTreeMap::new();
    for worker in claiming {
        for event in worker.await.unwrap() {
            *claims.entry(event).or_default() += 1;
        }
    }
    assert_eq!(claims.len(), usize::try_from(MESSAGES).unwrap());
    assert!(claims.values().all(|times| *times == 1), "{claims:?}");
}

async fn nothing_is_claimed_for_who_is_sent_nothing(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("off").await);
    add_endpoints(db, team, 1..=1).await;
    insert(db, team, message(1, 1, Millis(0))).await;
    let off = [
        EndpointRow {
            enabled: false,
            ..endpoint(1)
        },
        EndpointRow {
            deleted_at: Some(START),
            ..endpoint(1)
        },
        EndpointRow {
            skip_to: Some(9),
            ..endpoint(1)
        },
    ];
    for row in off {
        write(db, move |tx| webhooks::update(tx, team, &row)).await;
        assert!(claim(db, team, 1, START, 9).await.is_empty());
    }
    assert_eq!(
        db.read(webhooks::due).await.unwrap()[0].due_at,
        Some(Millis(0)),
        "it waits"
    );
    write(db, move |tx| webhooks::end_skip(tx, team, 1)).await;
    assert_eq!(events(&claim(db, team, 1, START, 9).await), [1]);
    assert!(
        claim(db, team, 2, START, 9).await.is_empty(),
        "an endpoint that does not exist"
    );
}

async fn only_the_holder_says_what_became_of_it(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("fence").await);
    add_endpoints(db, team, 1..=1).await;
    for event in 1..=4 {
        insert(db, team, message(1, event, Millis(0))).await;
    }
    claim(db, team, 1, START, 9).await;
    let (mine, later) = (START.plus(LEASE), START.plus(2 * LEASE));
    assert!(settle(db, team, settled(1, mine, DeliveryState::Delivered, None)).await);
    assert!(
        !settle(db, team, settled(1, mine, DeliveryState::Failed, None)).await,
        "it is settled"
    );
    let row = get(db, team, 1, 1).await;
    assert_eq!(
        (
            row.state,
            row.due_at,
            row.tries,
            row.attempts.as_deref(),
            row.updated_at
        ),
        (DeliveryState::Delivered, None, 1, Some("[1]"), START.plus(77))
    );

    // Its lease ended, and somebody else has it.
    assert_eq!(events(&claim(db, team, 1, mine, 9).await), [2, 3, 4]);
    assert!(!settle(db, team, settled(2, mine, DeliveryState::Delivered, None)).await);
    write(db, move |tx| {
        webhook_messages::give_back(tx, team, 1, 2, Lease::until(mine))
    })
    .await;
    assert_eq!(get(db, team, 1, 2).await.due_at, Some(later));

    // The holder gives one back, and has one tried again.
    write(db, move |tx| {
        webhook_messages::give_back(tx, team, 1, 2, Lease::until(later))
    })
    .await;
    assert_eq!(events(&claim(db, team, 1, mine, 9).await), [2]);
    let retry = Some(later.plus(5));
    assert!(settle(db, team, settled(3, later, DeliveryState::Pending, retry)).await);
    let row = get(db, team, 1, 3).await;
    assert_eq!((row.state, row.due_at), (DeliveryState::Pending, retry));
    assert!(
        !settle(db, team, settled(9, later, DeliveryState::Delivered, None)).await,
        "there is none"
    );
}

async fn a_message_is_renewed_unless_it_may_be_on_its_way(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("renew").await);
    let soon = START.plus(LEASE);
    let renew = |event| async move {
        write(db, move |tx| {
            webhook_messages::renew(tx, team, 1, event, START.plus(1), soon)
        })
        .await
    };
    for (event, due_at) in [
        (1, Millis(0)),
        (2, soon),
        (3, soon.plus(1)),
        (4, START),
        (5, START),
    ] {
        insert(db, team, message(1, event, due_at)).await;
    }
    for (event, state) in [(4, DeliveryState::Delivered), (5, DeliveryState::Failed)] {
        assert!(settle(db, team, settled(event, START, state, None)).await);
    }
    for (event, renewed) in [
        (1, false),
        (2, false),
        (3, true),
        (4, true),
        (5, true),
        (6, false),
    ] {
        assert_eq!(renew(event).await, renewed, "{event}");
    }
    let row = get(db, team, 1, 5).await;
    assert_eq!(
        (row.state, row.due_at, row.tries, row.attempts.as_deref()),
        (DeliveryState::Pending, Some(Millis(0)), 0, Some("[5]"))
    );
    assert_eq!(get(db, team, 1, 2).await.due_at, Some(soon));
}

async fn what_was_missed_is_skipped_in_steps(t: TestDb) {
    use DeliveryState::{Delivered, Failed, Pending, Skipped};
    let (db, team) = (t.db(), t.bare_team("skip").await);
    add_endpoints(db, team, 1..=2).await;
    for event in 1..=10 {
        insert(db, team, message(1, event, Millis(0))).await;
        insert(db, team, message(2, event, Millis(0))).await;
    }
    settle(db, team, settled(1, Millis(0), Delivered, None)).await;
    settle(db, team, settled(2, Millis(0), Failed, None)).await;
    claim(db, team, 1, START, 1).await;
    let skip = || async { write(db, move |tx| webhook_messages::skip(tx, team, 1, 8, 4, START)).await };
    assert_eq!((skip().await, skip().await, skip().await), (4, 2, 0));
    let mut states = Vec::new();
    for event in 1..=10 {
        states.push(get(db, team, 1, event).await.state);
    }
    let skipped = [Skipped; 6];
    assert_eq!(states[..2], [Delivered, Failed]);
    assert_eq!(states[2..8], skipped, "also the one that was claimed");
    assert_eq!(states[8..], [Pending, Pending]);
    assert_eq!(get(db, team, 2, 5).await.state, Pending);
}

async fn retries_are_brought_forward_once_each(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("back").await);
    let now = START.plus(-Millis::HOUR);
    // Ties across the end of a step, one that is due already, one that is not pending, one of another endpoint.
    let due = [-7_200_000, 1, 5, 5, 5, 5, 5, 9, 3_600_000, 36_000_000];
    for (event, due) in (1..).zip(due) {
        insert(db, team, message(1, event, START.plus(due))).await;
    }
    insert(db, team, message(1, 90, START.plus(5))).await;
    settle(db, team, settled(90, START.plus(5), DeliveryState::Failed, None)).await;
    insert(db, team, message(2, 1, START.plus(5))).await;

    let (mut border, mut steps) = (Some(now), 0);
    while let Some(after) = border {
        border = write(db, move |tx| {
            webhook_messages::bring_forward(tx, team, 1, Millis::HOUR, after, 3)
        })
        .await;
        steps += 1;
    }
    assert!(steps <= 4, "{steps} steps");
    let mut moved = Vec::new();
    for event in 1..=10 {
        let row = get(db, team, 1, event).await;
        moved.push(row.due_at.unwrap().since(START));
    }
    let expected = due.map(|due| if due < -3_600_000 { due } else { due - Millis::HOUR });
    assert_eq!(moved, expected);
    assert_eq!(get(db, team, 1, 90).await.due_at, None);
    assert_eq!(get(db, team, 2, 1).await.due_at, Some(START.plus(5)));

    // What was on its way when it was moved is still its holder's.
    let (end, moved) = (START.plus(9), START.plus(9 - Millis::HOUR));
    let done = Settled {
        lease: Lease { end, moved },
        ..settled(8, end, DeliveryState::Delivered, None)
    };
    assert!(!settle(db, team, settled(8, end, DeliveryState::Delivered, None)).await);
    assert!(settle(db, team, done).await);
    let (end, moved) = (START.plus(1), START.plus(1 - Millis::HOUR));
    write(db, move |tx| {
        webhook_messages::give_back(tx, team, 1, 2, Lease { end, moved })
    })
    .await;
    assert_eq!(get(db, team, 1, 2).await.due_at, Some(Millis(0)));
}

async fn old_messages_go_in_steps(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("prune").await);
    for event in 1..=10 {
        insert(db, team, message(1, event, Millis(0))).await;
        insert(db, team, message(2, event, Millis(0))).await;
    }
    let prune = |until: i64| async move {
        write(db, move |tx| {
            webhook_messages::prune(tx, team, 1, START.plus(until), 3)
        })
        .await
    };
    assert_eq!(prune(1).await, (0, false), "what happened at that instant stays");
    assert_eq!(
        (prune(8).await, prune(8).await, prune(8).await),
        ((3, true), (3, true), (1, false))
    );
    assert_eq!(prune(8).await, (0, false));
    let left = db
        .read(move |conn| webhook_messages::page(conn, team, 1, i64::MAX, 99))
        .await
        .unwrap();
    assert_eq!(events(&left), [10, 9, 8]);
    let others = db
        .read(move |conn| webhook_messages::page(conn, team, 2, i64::MAX, 99))
        .await
        .unwrap();
    assert_eq!(others.len(), 10);
    // What settles a message that is gone changes nothing.
    assert!(!settle(db, team, settled(1, Millis(0), DeliveryState::Delivered, None)).await);
    assert_eq!(
        (prune(i64::from(u32::MAX)).await, prune(i64::from(u32::MAX)).await),
        ((3, true), (0, false))
    );
}

async fn pages_follow_each_other(t: TestDb) {
    use DeliveryState::{Failed, Skipped};
    let (db, team) = (t.db(), t.bare_team("pages").await);
    for event in 1..=12 {
        insert(db, team, message(1, event, START.plus(event % 3))).await;
        insert(db, team, message(2, event, Millis(0))).await;
    }
    for (event, state) in [(2, Failed), (5, Failed), (6, Skipped), (8, Failed)] {
        settle(db, team, settled(event, START.plus(event % 3), state, None)).await;
    }
    let page = |before| async move {
        events(
            &db.read(move |conn| webhook_messages::page(conn, team, 1, before, 5))
                .await
                .unwrap(),
        )
    };
    assert_eq!(page(i64::MAX).await, [12, 11, 10, 9, 8]);
    assert_eq!(page(8).await, [7, 6, 5, 4, 3]);
    assert_eq!(page(3).await, [2, 1]);
    let given_up = |state, before| async move {
        let found = db
            .read(move |conn| webhook_messages::given_up(conn, team, 1, state, before, 2))
            .await;
        events(&found.unwrap())
    };
    assert_eq!(given_up(Failed, i64::MAX).await, [8, 5]);
    assert_eq!(given_up(Failed, 5).await, [2]);
    assert_eq!(given_up(Skipped, i64::MAX).await, [6]);
    assert!(given_up(DeliveryState::Pending, i64::MAX).await.is_empty());
    // Eight are left: due at +0 (3, 9, 12), at +1 (1, 4, 7, 10), at +2 (11).
    let (mut all, mut after) = (Vec::new(), (Millis(-1), 0));
    loop {
        let found = db
            .read(move |conn| webhook_messages::pending(conn, team, 1, after, 3))
            .await
            .unwrap();
        let Some(last) = found.last() else { break };
        after = (last.due_at.unwrap(), last.event);
        all.extend(events(&found));
    }
    assert_eq!(all, [3, 9, 12, 1, 4, 7, 10, 11]);
    let backlog = |limit| async move {
        db.read(move |conn| webhook_messages::backlog(conn, team, 1, limit))
            .await
            .unwrap()
    };
    assert_eq!((backlog(100).await, backlog(5).await), (8, 5));
}

async fn who_is_due_is_told_for_each_endpoint(t: TestDb) {
    let (db, one, two) = (t.db(), t.bare_team("one").await, t.bare_team("two").await);
    add_endpoints(db, one, 1..=3).await;
    add_endpoints(db, two, 1..=1).await;
    write(db, move |tx| {
        webhooks::update(
            tx,
            one,
            &EndpointRow {
                enabled: false,
                ..endpoint(3)
            },
        )
    })
    .await;
    insert(db, one, message(1, 1, START)).await;
    insert(db, one, message(1, 2, START.plus(-5))).await;
    insert(db, one, message(3, 1, START)).await;
    insert(db, two, message(1, 1, Millis(0))).await;
    let due = db.read(webhooks::due).await.unwrap();
    let mut due: Vec<_> = due
        .iter()
        .map(|next| (next.team, next.endpoint, next.version, next.due_at))
        .collect();
    due.sort();
    let expected = [
        (one, 1, 1, Some(START.plus(-5))),
        (one, 2, 1, None),
        (two, 1, 1, Some(Millis(0))),
    ];
    assert_eq!(due, expected);
}

async fn what_attempts_came_to_is_noted(t: TestDb) {
    let (db, team) = (t.db(), t.bare_team("health").await);
    add_endpoints(db, team, 1..=1).await;
    let breaker = || async { write(db, move |tx| webhooks::breaker(tx, team, 1)).await };
    assert_eq!(breaker().await, Some(None));
    write(db, move |tx| {
        webhooks::failed(tx, team, 1, START, "STATUS 500", "{\"a\":1}")
    })
    .await;
    assert_eq!(breaker().await, Some(Some("{\"a\":1}".to_owned())));
    write(db, move |tx| webhooks::succeeded(tx, team, 1, START.plus(1))).await;
    assert_eq!(breaker().await, Some(None));
    let row = db
        .read(move |conn| webhooks::by_number(conn, team, 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            row.last_failure_at,
            row.last_error.as_deref(),
            row.last_success_at,
            row.version
        ),
        (Some(START), Some("STATUS 500"), Some(START.plus(1)), 1),
        "the owner has changed nothing"
    );
    write(db, move |tx| {
        webhooks::update(
            tx,
            team,
            &EndpointRow {
                enabled: false,
                ..endpoint(1)
            },
        )
    })
    .await;
    assert_eq!(breaker().await, None);
}

trunkline_testkit::on_both! {
    an_endpoint_is_kept_as_it_is,
    the_cursor_starts_once_and_tells_who_is_ahead,
    there_is_one_message_for_an_endpoint_and_an_event,
    a_message_has_one_holder_at_a_time,
    many_claim_and_nobody_twice,
    nothing_is_claimed_for_who_is_sent_nothing,
    only_the_holder_says_what_became_of_it,
    a_message_is_renewed_unless_it_may_be_on_its_way,
    what_was_missed_is_skipped_in_steps,
    retries_are_brought_forward_once_each,
    old_messages_go_in_steps,
    pages_follow_each_other,
    who_is_due_is_told_for_each_endpoint,
    what_attempts_came_to_is_noted,
}
