//! Cursors: wherever the description has one, that of another team and that of another list are answered like a text that is
//! none, and the database does the same for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trunkline_domain::Direction;
use trunkline_domain::call::EndCause;
use trunkline_domain::events::Topic;
use trunkline_store::webhook_messages::{self, NewMessage};
use trunkline_store::{teams, webhooks};
use trunkline_switchboard::calls::Step;
use trunkline_testkit::app::Reply;
use trunkline_testkit::db::{TestDb, nobody, sarah, us};

use crate::document::{body_fields, document, parameters};
use crate::matrix::{Watched, told};
use crate::operations::{Operation, Request, operations};
use crate::people::{World as Outside, neighbour};
use crate::support::{World, assert_error, authorization, command, missed_call, record};

trunkline_testkit::on_both! {
    cursors_of_others_are_like_none,
}

/// Operations that take a cursor, each with a request of its first entry.
fn with_cursors(world: &World) -> Vec<(Operation, Request)> {
    let document = document();
    let mut all = Vec::new();
    for operation in operations() {
        let request = operation.request(world);
        let named = |fields: &[crate::document::Field]| fields.iter().any(|field| field.name == "cursor");
        if named(&parameters(&document, &operation, "query")) {
            // An export has no pages, and a cursor in every line.
            let first = match operation.id.as_str() {
                "exportItems" => request,
                _ => request.parameter("size", "1"),
            };
            all.push((operation, first));
        } else if operation.body.anything() && named(&body_fields(&document, &operation)) {
            let first = match operation.id.as_str() {
                "getAnalyticsOutbound" => request
                    .field("extend", json!("items"))
                    .field("stage", json!("DIAL")),
                _ => request,
            };
            all.push((operation, first.field("size", json!(1))));
        }
    }
    assert!(all.len() >= 14, "{} operations take cursors", all.len());
    all
}

/// What the request is continued with.
fn cursor(operation: &Operation, reply: &Reply) -> String {
    let told = match operation.id.as_str() {
        "exportItems" => {
            let line: Value = serde_json::from_str(reply.text.lines().next().unwrap()).unwrap();
            line["cursor"].clone()
        }
        "getAnalyticsOutbound" => reply.data()["items"]["pagination"]["next_cursor"].clone(),
        _ => reply.json["pagination"]["next_cursor"].clone(),
    };
    let cursor = told.as_str().map(str::to_owned);
    cursor.unwrap_or_else(|| panic!("{} has one page only: {}", operation.name(), reply.text))
}

fn continued(first: &Request, cursor: &str) -> Request {
    match first.body {
        None => first.parameter("cursor", cursor),
        Some(_) => first.field("cursor", json!(cursor)),
    }
}

/// Adds to the world until every list has a second entry.
async fn furnish(world: &World) {
    let app = &world.app;
    missed_call(app, us(), nobody()).await;
    let at = app.board.now();
    for _ in 0..2 {
        let steps = vec![Step::End(EndCause::NoAnswer, None, at), Step::Complete(at)];
        record(app, Direction::Outbound, us(), sarah(), at, steps).await;
    }
    for (path, body) in [
        ("/v2/api/crm/companies", json!({ "name": "Mill" })),
        ("/v2/api/crm/deals", json!({ "name": "Millstones" })),
        (
            "/v2/api/users/invitations",
            json!({ "email": "second@invited.example", "role": "MEMBER" }),
        ),
        (
            "/v2/api/dialing-queues/current/numbers",
            json!({ "numbers": [{ "number": sarah() }, { "number": nobody() }] }),
        ),
    ] {
        let made = app.post(path, &body).await;
        assert!((200..300).contains(&made.status), "{path}: {}", made.text);
    }
    let note = crate::operations::operation("createPersonNote");
    assert_eq!(note.request(world).send(app).await.status, 201);
    let id = world.webhook;
    command(app, move |work| {
        let endpoint = webhooks::get(work.tx, work.team, id)?.unwrap().endpoint;
        let message = NewMessage {
            endpoint,
            event: teams::last_event(work.tx, work.team)?,
            topic: Topic::SmsReceived,
            at: work.now,
            due_at: work.now,
        };
        webhook_messages::insert(work.tx, work.team, &message, work.now)?;
        Ok(())
    })
    .await;
}

async fn cursors_of_others_are_like_none(db: TestDb) {
    let watched = Watched::open(db).await;
    let world = &watched.world;
    furnish(world).await;
    let theirs = authorization(&neighbour(&world.app, Outside::Sandbox).await.key);
    let own = authorization(&world.app.key);
    let all = with_cursors(world);
    let mut cursors = BTreeMap::new();
    for (operation, first) in &all {
        let cursor = cursor(operation, &first.send(&world.app).await);
        let next = continued(first, &cursor).send(&world.app).await;
        assert_eq!(next.status, 200, "{}: {}", operation.name(), next.text);
        cursors.insert(operation.id.clone(), cursor);
    }
    for (operation, first) in &all {
        let name = operation.name();
        let own_cursor = &cursors[&operation.id];
        let altered = own_cursor.chars().rev().collect::<String>();
        let others = cursors.iter().filter(|(id, _)| **id != operation.id);
        let others = others.map(|(_, cursor)| (&own, cursor.as_str()));
        let strange = others.chain([(&own, altered.as_str()), (&theirs, own_cursor)]);
        for (key, cursor) in strange {
            let headers = [("Authorization", key.as_str())];
            let (none, steps) = watched.send_now(&continued(first, "x"), &headers).await;
            assert_error(&none, "INVALID_CURSOR");
            let (reply, same_steps) = watched.send_now(&continued(first, cursor), &headers).await;
            assert_eq!(told(&reply), told(&none), "{name} with {cursor}");
            assert_eq!(same_steps, steps, "{name} with {cursor}");
        }
    }
}
