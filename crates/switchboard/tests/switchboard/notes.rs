//! Notes and threads: what each command writes and tells, and that a refusal writes nothing.

use trunkline_domain::{CallId, ErrorCode, NoteId, SeededIds, ThreadId};
use trunkline_store::{StoreError, notes as rows};
use trunkline_switchboard::notes::{Line, On};
use trunkline_switchboard::threads::Entity;
use trunkline_switchboard::{Actor, notes, threads};
use trunkline_testkit::db::{Office, START, TestDb, sarah, us};

use crate::support::{Diary, assert_refused, inbound, ring};

fn by_ben(office: &Office) -> Actor {
    Actor::User {
        id: office.ben,
        email: "ben@fogcity.example".to_owned(),
        name: "Ben Ortiz".to_owned(),
    }
}

async fn write(office: &Office, content: &str) -> NoteId {
    let (content, by) = (content.to_owned(), office.by_ada());
    let written = office
        .run(move |work| notes::on_conversation(work, sarah(), &Line::Number(us()), &content, &by))
        .await;
    written.unwrap().row.id
}

async fn begin(office: &Office, entity: Entity) -> ThreadId {
    let by = office.by_ada();
    let begun = office
        .run(move |work| threads::create(work, entity, "So?", &by))
        .await;
    begun.unwrap().row.id
}

async fn every_command_of_notes_and_threads(t: TestDb) {
    let office = t.office().await;
    ring(&office, inbound(sarah(), START)).await;
    let mut diary = Diary::begin(&office).await;
    let note = write(&office, "Prefers mornings. @[all](all) @[Eve](usr-1)").await;
    diary.note(&office, "write on a conversation").await;
    office.clock.advance(1_000);
    let by = office.by_ada();
    let changed = office.run({
        let by = by.clone();
        move |work| notes::update(work, On::AnyConversation, note, "Prefers afternoons.", &by)
    });
    changed.await.unwrap();
    diary.note(&office, "change").await;
    let (contact, on_contact) = (office.sarah, by.clone());
    let written = office.run(move |work| notes::on_contact(work, contact, "Met at the fair.", &on_contact));
    written.await.unwrap();
    diary.note(&office, "write on a contact").await;
    let thread = begin(&office, Entity::Note(note)).await;
    diary.note(&office, "begin a thread").await;
    let ben = by_ben(&office);
    let commented = office.run({
        let ben = ben.clone();
        move |work| threads::comment(work, thread, "So it is.", &ben)
    });
    let comment = commented.await.unwrap().row.id;
    diary.note(&office, "comment").await;
    let changed = office.run({
        let ben = ben.clone();
        move |work| threads::update_comment(work, thread, comment, "It is.", &ben)
    });
    changed.await.unwrap();
    diary.note(&office, "change the comment").await;
    office
        .run(move |work| threads::resolve(work, thread, &ben))
        .await
        .unwrap();
    diary.note(&office, "resolve").await;
    office
        .run(move |work| threads::unresolve(work, thread))
        .await
        .unwrap();
    diary.note(&office, "unresolve").await;
    office
        .run(move |work| notes::delete(work, On::AnyConversation, note, &by))
        .await
        .unwrap();
    diary.note(&office, "delete").await;
    insta::assert_snapshot!("every_command_of_notes_and_threads", diary.text());
}

async fn refusals_write_nothing(t: TestDb) {
    let office = t.office().await;
    let call = ring(&office, inbound(sarah(), START)).await;
    let note = write(&office, "Ada's.").await;
    let thread = begin(&office, Entity::Call(call)).await;
    let never = CallId::new(&SeededIds::new(55), START);
    let (ada, ben) = (office.by_ada(), by_ben(&office));
    let mine = ada.clone();
    assert_refused(
        &office,
        ErrorCode::ThreadAlreadyExists,
        Some("entity_id"),
        move |work| threads::create(work, Entity::Call(call), "Again?", &mine),
    )
    .await;
    let mine = ada.clone();
    assert_refused(&office, ErrorCode::CallNotFound, Some("entity_id"), move |work| {
        threads::create(work, Entity::Call(never), "So?", &mine)
    })
    .await;
    // The thread is begun before its comment is looked at, and goes with it.
    let mine = ada.clone();
    assert_refused(
        &office,
        ErrorCode::EmptyNoteContent,
        Some("content"),
        move |work| threads::create(work, Entity::Note(note), " ", &mine),
    )
    .await;
    let his = ben.clone();
    assert_refused(&office, ErrorCode::NotNoteAuthor, None, move |work| {
        notes::update(work, On::AnyConversation, note, "Ben's.", &his)
    })
    .await;
    assert_refused(&office, ErrorCode::NotNoteAuthor, None, move |work| {
        notes::delete(work, On::AnyConversation, note, &ben)
    })
    .await;
    let contact = office.sarah;
    assert_refused(&office, ErrorCode::NoteNotFound, None, move |work| {
        notes::delete(work, On::Contact(contact), note, &ada)
    })
    .await;
    // Who is no user writes nothing.
    assert_refused(&office, ErrorCode::Forbidden, None, move |work| {
        threads::comment(work, thread, "Beep.", &Actor::System)
    })
    .await;
}

/// Two processes write at once: every note has a number of its own, and none is lost.
async fn notes_written_at_once_are_all_there(t: TestDb) {
    let office = t.office().await;
    ring(&office, inbound(sarah(), START)).await;
    let nodes = [office.board.clone(), office.node("node-2")];
    let running: Vec<_> = (0..40usize)
        .map(|n| {
            let (board, team, by) = (nodes[n % 2].clone(), office.team, office.by_ada());
            tokio::spawn(async move {
                let write = board.run::<_, trunkline_switchboard::Error, _>(team, move |work| {
                    notes::on_conversation(work, sarah(), &Line::Number(us()), &format!("{n}"), &by)
                });
                write.await.unwrap().row.note
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for write in running {
        numbers.push(write.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<i64>>());
    let team = office.team;
    let count: Result<i64, StoreError> = office
        .board
        .db()
        .read(move |conn| rows::count(conn, team, rows::Place::Conversation(1)))
        .await;
    assert_eq!(count.unwrap(), 40);
    office.assert_sound().await;
}

trunkline_testkit::on_both! {
    every_command_of_notes_and_threads,
    refusals_write_nothing,
    notes_written_at_once_are_all_there,
}
