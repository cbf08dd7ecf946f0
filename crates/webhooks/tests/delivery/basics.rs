//! What a receiver gets: every topic once, signed, the same bytes on every attempt, and only what it asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline_domain::events::Topic;
use trunkline_domain::webhook::{samples, topic};
use trunkline_domain::{DeliveryId, Millis};
use trunkline_store::teams;
use trunkline_switchboard::messages::{self as commands_of_texts, Receive};
use trunkline_switchboard::webhooks::{self as commands, CreateEndpoint, Header, PatchEndpoint};
use trunkline_switchboard::{Actor, Error};
use trunkline_testkit::catcher::{Answer, Catcher};
use trunkline_testkit::db::{Office, TestDb, fr, sarah, us};

use crate::support::*;

fn every_topic() -> Vec<Topic> {
    topic::CATALOGUE.iter().map(|info| info.topic).collect()
}

async fn every_topic_comes_once_and_signed(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (endpoint, secret) = listen(&office, catcher.url()).await;
    let before = office.last_event().await;
    let running = Running::usual(&office.board);
    emit(&office, &every_topic()).await;
    // What nobody can subscribe to is told to nobody.
    let internal: Result<(), Error> = office
        .run(|work| Ok(work.emit(Topic::EndpointDisabled, work.now, None, &serde_json::json!({}))?))
        .await;
    internal.unwrap();
    emit(&office, &every_topic()).await;
    until_settled(&office).await;
    running.end().await;

    let received = catcher.received();
    assert_eq!(received.len(), 2 * topic::CATALOGUE.len());
    assert_eq!(catcher.ids().len(), received.len(), "each by its own id");
    let events = office.events_after(before).await;
    for received in &received {
        assert_signed(&secret, received);
        assert_eq!(received.request, "POST /hook");
        assert_eq!(received.header("content-type"), "application/json");
        assert!(received.header("user-agent").starts_with("trunkline/"));
        assert_eq!(
            received.header("webhook-timestamp"),
            office.board.now().unix_seconds().to_string()
        );
        let id = DeliveryId::parse(received.id()).unwrap();
        let event = events.iter().find(|event| Some(event.seq) == id.event()).unwrap();
        assert_eq!(id, DeliveryId::of(endpoint.id, event.seq, event.at));
        let expected = samples::body(event.topic).unwrap();
        let expected = trunkline_domain::webhook::body::Body::new(event.topic, event.at, expected.data);
        assert_eq!(
            String::from_utf8_lossy(&received.body),
            serde_json::to_string(&expected).unwrap()
        );
    }
    assert_delivered(&office, 1, received.len()).await;
    for message in messages(&office, 1).await {
        let made = attempts(&message);
        assert_eq!((made.len(), made[0].status, made[0].error), (1, Some(204), None));
        assert_eq!(made[0].at, office.board.now());
        assert_eq!((message.tries, message.due_at), (1, None));
    }
    let row = row(&office, 1).await;
    assert_eq!(
        (row.last_success_at, row.last_failure_at),
        (Some(office.board.now()), None)
    );
}

async fn every_attempt_has_the_same_bytes_and_id(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    catcher.answer_with(|request| {
        if request.number % 3 < 2 {
            Answer::status(500).body("not now")
        } else {
            Answer::ok()
        }
    });
    let (endpoint, secret) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    let event = emit(&office, &[Topic::CallCompleted]).await;
    for tries in 1..=2 {
        until_message(&office, (1, event), "an attempt failed", |m| m.tries == tries).await;
        office.clock.advance(6 * Millis::MINUTE);
    }
    let message = until_message(&office, (1, event), "it arrived", |m| m.due_at.is_none()).await;
    // A replay is the same message too.
    let id = DeliveryId::of(endpoint.id, event, message.at);
    let replayed: Result<(), Error> = office
        .run(move |work| commands::replay_one(work, endpoint.id, id))
        .await;
    replayed.unwrap();
    catcher.answer(200);
    let received = catcher.wait_for(4).await;
    until_settled(&office).await;
    running.end().await;

    assert!(
        received
            .iter()
            .all(|r| r.id() == id.to_string() && r.body == received[0].body)
    );
    let times: BTreeSet<&str> = received.iter().map(|r| r.header("webhook-timestamp")).collect();
    let signatures: BTreeSet<&str> = received.iter().map(|r| r.header("webhook-signature")).collect();
    assert_eq!((times.len(), signatures.len()), (3, 3), "signed when it is sent");
    let verifier = standardwebhooks::Webhook::new(&secret.secret).unwrap();
    for received in &received {
        let at: i64 = received.header("webhook-timestamp").parse().unwrap();
        let expected = verifier.sign(received.id(), at, &received.body).unwrap();
        assert_eq!(received.header("webhook-signature"), expected);
    }
    let made = attempts(&messages(&office, 1).await[0]);
    let statuses: Vec<_> = made.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(500), Some(204), Some(200)]);
    assert_eq!((made[0].reply.as_str(), made[2].reply.as_str()), ("not now", ""));
}

async fn receive(office: &Office, line: trunkline_domain::PhoneNumber, content: &str) {
    let text = Receive {
        line,
        from: sarah(),
        content: content.to_owned(),
        media: Vec::new(),
        carrier: "sandbox",
        carrier_ref: None,
        at: office.board.now(),
    };
    let received: Result<(), Error> = office
        .run(move |work| commands_of_texts::receive(work, &text).map(drop))
        .await;
    received.unwrap();
}

async fn an_endpoint_gets_what_it_asked_for(t: TestDb) {
    let office = office(&t).await;
    let [all, french, tags] = [
        Catcher::start().await,
        Catcher::start().await,
        Catcher::start().await,
    ];
    listen(&office, all.url()).await;
    let on_line = CreateEndpoint {
        lines: Some(vec![office.fr_line]),
        ..wanted(french.url(), &[])
    };
    create(&office, on_line).await;
    create(&office, wanted(tags.url(), &[Topic::TagAdded, Topic::SmsSent])).await;
    let running = Running::usual(&office.board);
    receive(&office, us(), "in English").await;
    receive(&office, fr(), "en français").await;
    // About no line: it passes the filter.
    emit(&office, &[Topic::ContactCreated, Topic::TagAdded]).await;
    until_settled(&office).await;
    running.end().await;
    let topics = |catcher: &Catcher| {
        let mut topics: Vec<String> = catcher.received().iter().map(|r| r.topic()).collect();
        topics.sort();
        topics
    };
    assert_eq!(
        topics(&all),
        ["contact.created", "sms.received", "sms.received", "tag.added"]
    );
    assert_eq!(topics(&french), ["contact.created", "sms.received", "tag.added"]);
    let text = french
        .received()
        .into_iter()
        .find(|r| r.topic() == "sms.received")
        .unwrap();
    assert_eq!(text.json()["data"]["content"], "en français");
    assert_eq!(topics(&tags), ["tag.added"]);
}

async fn static_headers_go_along_and_cannot_pretend(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let endpoint = CreateEndpoint {
        headers: vec![
            header("authorization", "Bearer t0ken"),
            header("x-team", "fog"),
            header("x-team", "city"),
            header("webhook-id", "msg_of_somebody_else"),
            header("content-type", "text/plain"),
        ],
        ..wanted(catcher.url(), &[])
    };
    let (_, secret) = create(&office, endpoint).await;
    let running = Running::usual(&office.board);
    emit(&office, &[Topic::TagAdded]).await;
    let received = catcher.wait_for(1).await.remove(0);
    running.end().await;
    assert_eq!(received.header("authorization"), "Bearer t0ken");
    let teams: Vec<_> = received.headers.get_all("x-team").iter().collect();
    assert_eq!(teams, ["fog", "city"]);
    assert_eq!(received.headers.get_all("webhook-id").iter().count(), 1);
    assert_eq!(received.header("content-type"), "application/json");
    assert_signed(&secret, &received);
}

async fn a_rotated_secret_signs_beside_the_new_one(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (endpoint, first) = listen(&office, catcher.url()).await;
    let running = Running::usual(&office.board);
    emit(&office, &[Topic::TagAdded]).await;
    catcher.wait_for(1).await;
    let id = endpoint.id;
    let rotated: Result<_, Error> = office
        .run(move |work| commands::rotate_secret(work, &vault(), id, &Actor::System))
        .await;
    let (_, second, _) = rotated.unwrap();
    // Whoever sends learns of it within a moment.
    let both = eventually("two signatures come", || async {
        let received = catcher.received().pop().unwrap();
        if received.header("webhook-signature").contains(' ') {
            return Some(received);
        }
        emit(&office, &[Topic::TagRemoved]).await;
        until_settled(&office).await;
        None
    })
    .await;
    assert_signed(&first, &both);
    assert_signed(&second, &both);
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);

    office.clock.advance(Millis::DAY);
    catcher.clear();
    emit(&office, &[Topic::TagRemoved]).await;
    let received = catcher.wait_for(1).await.remove(0);
    running.end().await;
    assert!(
        !received.header("webhook-signature").contains(' '),
        "the day is over"
    );
}

async fn a_new_address_is_used_soon(t: TestDb) {
    let office = office(&t).await;
    let [old, new] = [Catcher::start().await, Catcher::start().await];
    let (endpoint, _) = listen(&office, old.url()).await;
    let running = Running::usual(&office.board);
    emit(&office, &[Topic::TagAdded]).await;
    old.wait_for(1).await;
    let patch = PatchEndpoint {
        url: Some(new.url().to_owned()),
        ..PatchEndpoint::default()
    };
    update(&office, endpoint.id, patch).await;
    eventually("the new address is used", || async {
        emit(&office, &[Topic::TagAdded]).await;
        until_settled(&office).await;
        (new.count() > 0).then_some(())
    })
    .await;
    running.end().await;
}

async fn a_new_endpoint_hears_of_what_comes_later(t: TestDb) {
    let office = office(&t).await;
    let [first, second] = [Catcher::start().await, Catcher::start().await];
    listen(&office, first.url()).await;
    // Nothing is fanned out yet: the log is ahead when the second endpoint comes.
    emit(&office, &every_topic()).await;
    listen(&office, second.url()).await;
    let running = Running::usual(&office.board);
    let later = emit(&office, &[Topic::SmsSent, Topic::SmsFailed]).await;
    until_settled(&office).await;
    eventually("the second is level", || async {
        row(&office, 2).await.behind.is_none().then_some(())
    })
    .await;
    until_settled(&office).await;
    running.end().await;
    assert_eq!(first.ids().len(), topic::CATALOGUE.len() + 2);
    let events: Vec<_> = messages(&office, 2).await.iter().map(|m| m.event).collect();
    assert_eq!(events, [later - 1, later]);
    assert_eq!(second.ids().len(), 2);
}

async fn teams_hear_of_their_own_events(t: TestDb) {
    let office = office(&t).await;
    let other = t.bare_team("other").await;
    let [ours, theirs] = [Catcher::start().await, Catcher::start().await];
    listen(&office, ours.url()).await;
    create_of(&office.board, other, wanted(theirs.url(), &[])).await;
    let running = Running::usual(&office.board);
    texts_of(&office.board, other, 30).await;
    texts(&office, 20).await;
    until_settled(&office).await;
    until_settled_of(&office.board, other).await;
    running.end().await;
    assert_eq!((ours.count(), theirs.count()), (20, 30));
    assert_eq!(ours.ids().intersection(&theirs.ids()).count(), 0);
}

/// Bodies too large to be kept in memory are read when they are sent; one that cannot be read holds up nobody.
async fn large_and_broken_payloads_hold_up_nobody(t: TestDb) {
    let office = office(&t).await;
    let catcher = Catcher::start().await;
    let (_, secret) = listen(&office, catcher.url()).await;
    let long: Arc<str> = "é".repeat(200_000).into();
    let text = long.clone();
    let emitted: Result<(), Error> = office
        .run(move |work| {
            let data = serde_json::json!({ "content": &*text });
            work.emit(Topic::SmsReceived, work.now, None, &data)?;
            work.emit(Topic::SmsSent, work.now, None, &data)?;
            Ok(work.emit(Topic::TagAdded, work.now, None, &serde_json::json!({}))?)
        })
        .await;
    emitted.unwrap();
    let (team, last) = (office.team, office.last_event().await);
    let broken = "UPDATE events SET payload = '{broken' WHERE team_id = $1 AND seq = $2";
    write(office.board.db(), move |tx| {
        tx.execute(broken, trunkline_store::params![team, last - 1])
    })
    .await;
    let running = Running::usual(&office.board);
    let received = catcher.wait_for(2).await;
    let message = until_message(&office, (1, last - 1), "it has failed", |m| m.tries == 1).await;
    running.end().await;
    assert_eq!(attempts(&message)[0].error.unwrap().as_str(), "INTERNAL");
    assert_eq!(
        row(&office, 1).await.last_failure_at,
        None,
        "the receiver is not to blame"
    );
    let text = received.iter().find(|r| r.topic() == "sms.received").unwrap();
    assert_signed(&secret, text);
    assert_eq!(text.json()["data"]["content"], *long);
    let read: Result<i64, trunkline_store::StoreError> = office
        .board
        .db()
        .read(move |conn| teams::last_event(conn, team))
        .await;
    assert_eq!(read.unwrap(), last);
}

trunkline_testkit::on_both! {
    every_topic_comes_once_and_signed,
    every_attempt_has_the_same_bytes_and_id,
    an_endpoint_gets_what_it_asked_for,
    static_headers_go_along_and_cannot_pretend,
    a_rotated_secret_signs_beside_the_new_one,
    a_new_address_is_used_soon,
    a_new_endpoint_hears_of_what_comes_later,
    teams_hear_of_their_own_events,
    large_and_broken_payloads_hold_up_nobody,
}
