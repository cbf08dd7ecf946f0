//! A team changes its time zone: whatever is written meanwhile and whoever crashes on the way, in the end everything is
//! counted by the days that a team would have counted by which had that zone from the start.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use trunkline_domain::call::EndCause;
use trunkline_domain::{CallId, CallResult, Direction, ItemId, Millis};
use trunkline_store::{Conn, StoreError, TeamKey, Tx, params, teams, usage};
use trunkline_switchboard::accounts::{self, UpdateTeam};
use trunkline_switchboard::calls::{self, Step};
use trunkline_switchboard::counting::{self, AT_ONCE};
use trunkline_switchboard::import::{ImportBody, ImportItem, import};
use trunkline_switchboard::{Actor, Error, Switchboard, tags};
use trunkline_testkit::db::{Office, START, TestDb, assert_sound, marie, nobody, sarah};

use crate::support::inbound;

/// Calls and texts every twenty minutes, so many that they reach over the changes of clocks of both continents.
async fn remember(office: &Office, many: i64) {
    let kinds = [
        (office.us_line, sarah(), Direction::Inbound, CallResult::Answered),
        (office.fr_line, marie(), Direction::Inbound, CallResult::Missed),
        (
            office.us_line,
            nobody(),
            Direction::Outbound,
            CallResult::Answered,
        ),
        (
            office.fr_line,
            marie(),
            Direction::Outbound,
            CallResult::Voicemail,
        ),
    ];
    let items: Vec<ImportItem> = (1..=many)
        .map(|n| {
            let (line, contact, direction, result) = kinds[usize::try_from(n % 4).unwrap()];
            let body = if n % 3 == 0 {
                ImportBody::Message {
                    content: "Long ago. ".repeat(usize::try_from(n % 30).unwrap()),
                }
            } else {
                ImportBody::Call {
                    result,
                    duration: n % 200,
                    transcript: Vec::new(),
                    summary: None,
                    tags: if n % 5 == 0 {
                        vec!["won".into(), "vip".into()]
                    } else {
                        Vec::new()
                    },
                }
            };
            let user = (n % 2 == 0).then_some(office.ben);
            let at = START.plus(-n * 20 * Millis::MINUTE);
            ImportItem {
                line,
                contact,
                direction,
                user,
                at,
                body,
            }
        })
        .collect();
    for name in ["won", "vip", "lost"] {
        office
            .run(move |work| tags::define(work, name, name, "#112233"))
            .await
            .unwrap();
    }
    for batch in items.chunks(1_000) {
        let batch = batch.to_vec();
        office.run(move |work| import(work, &batch)).await.unwrap();
    }
}

async fn settle_in(office: &Office, zone: &str) {
    let changes = UpdateTeam {
        time_zone: Some(zone.to_owned()),
        ..UpdateTeam::default()
    };
    office
        .run(move |work| accounts::update_team(work, &changes))
        .await
        .unwrap();
}

async fn are_moving(office: &Office) -> bool {
    let team = office.team;
    let days = office.board.db().read(move |conn| teams::days(conn, team)).await;
    days.unwrap().unwrap().are_moving
}

/// Fails unless every item is counted on its day in `zone`, and what is counted by days is what the items come to.
async fn assert_counted_in(office: &Office, zone: &str) {
    assert!(!are_moving(office).await);
    let (team, zone) = (office.team, TimeZone::get(zone).unwrap());
    let astray = move |conn: &mut Conn<'_>| -> Result<Vec<i64>, StoreError> {
        let items = conn.rows(
            "SELECT seq, at, day FROM items WHERE team_id = $1",
            params![team],
            |row| Ok((row.get::<i64>(0)?, row.get::<Millis>(1)?, row.get::<i64>(2)?)),
        )?;
        let wrong = |(_, at, day): &&(i64, Millis, i64)| i64::from(at.day_in(&zone)) != *day;
        Ok(items.iter().filter(wrong).map(|(seq, ..)| *seq).collect())
    };
    assert_eq!(office.board.db().scan(astray).await.unwrap(), Vec::<i64>::new());
    // The sums by days, held against the items by the test kit.
    assert_sound(office.board.db(), office.team).await;
}

/// Fails if a report could name somebody for a day on which they did nothing.
async fn assert_nothing_is_left_behind(office: &Office) {
    let team = office.team;
    let empty = move |conn: &mut Conn<'_>| -> Result<i64, StoreError> {
        let mut empty = 0;
        for sql in [
            "SELECT COUNT(*) FROM item_days WHERE team_id = $1 AND n = 0",
            "SELECT COUNT(*) FROM call_days WHERE team_id = $1 AND calls = 0",
            "SELECT COUNT(*) FROM call_tags WHERE team_id = $1 AND calls = 0",
            "SELECT COUNT(*) FROM text_days WHERE team_id = $1 AND texts = 0",
        ] {
            empty += conn
                .row(sql, params![team], |row| row.get::<i64>(0))?
                .unwrap_or(0);
        }
        Ok(empty)
    };
    assert_eq!(
        office.board.db().scan(empty).await.unwrap(),
        0,
        "days on which nothing was"
    );
}

async fn a_few_are_moved_with_the_change(t: TestDb) {
    let office = t.office().await;
    settle_in(&office, "Asia/Tokyo").await;
    assert_counted_in(&office, "Asia/Tokyo").await;
    remember(&office, AT_ONCE).await;
    assert_counted_in(&office, "Asia/Tokyo").await;
    for zone in ["America/New_York", "Pacific/Kiritimati", "Europe/Paris"] {
        settle_in(&office, zone).await;
        assert_counted_in(&office, zone).await;
        assert_nothing_is_left_behind(&office).await;
        assert_eq!(counting::work_once(&office.board).await.unwrap(), 0);
    }
}

/// Calls that ring, end and are tagged, and old ones whose tags change, while their days do.
async fn go_on(board: Switchboard, office: &Office, seed: i64) {
    for n in 0..30 {
        let at = START.plus((seed * 30 + n) * Millis::SECOND);
        let call = board
            .run::<_, Error, _>(office.team, move |work| calls::ring(work, &inbound(nobody(), at)))
            .await
            .unwrap();
        let old = 1 + (seed * 977 + n * 131) % 4_000;
        board
            .run::<_, Error, _>(office.team, move |work| {
                calls::step(work, call, &Step::Answer(None, at))?;
                let sql = "SELECT id FROM items WHERE team_id = $1 AND seq >= $2 AND kind = 'CALL' ORDER BY seq LIMIT 1";
                let id = work.tx.row(sql, params![work.team, old], |row| row.get::<ItemId>(0))?;
                if let Some(ItemId::Call(id)) = id {
                    tag(work, id)?;
                }
                Ok(())
            })
            .await
            .unwrap();
        board
            .run::<_, Error, _>(office.team, move |work| {
                calls::step(
                    work,
                    call,
                    &Step::End(EndCause::HungUp, None, at.plus(90 * Millis::SECOND)),
                )?;
                tag(work, call)
            })
            .await
            .unwrap();
    }
}

fn tag(work: &mut trunkline_switchboard::Work<'_, '_>, call: CallId) -> Result<(), Error> {
    match tags::add(work, call, &["won".to_owned(), "lost".to_owned()], &Actor::System) {
        // It carries one of them.
        Err(Error::Refused(_)) => tags::remove(work, call, "won", &Actor::System).map(drop),
        outcome => outcome.map(drop),
    }
}

async fn many_are_moved_beside_whatever_happens(t: TestDb) {
    let office = t.office().await;
    remember(&office, 4_200).await;
    settle_in(&office, "Europe/Paris").await;
    assert!(are_moving(&office).await, "what is left is moved by and by");
    let (one, other) = (office.node("node-2"), office.node("node-3"));
    let (first, second, ..) = tokio::join!(
        counting::work_once(&one),
        counting::work_once(&other),
        go_on(office.node("node-4"), &office, 1),
        go_on(office.node("node-5"), &office, 2),
        go_on(office.node("node-6"), &office, 3),
    );
    assert!(first.unwrap() + second.unwrap() >= 3);
    assert_counted_in(&office, "Europe/Paris").await;
}

async fn a_crash_or_a_second_change_on_the_way_does_no_harm(t: TestDb) {
    let office = t.office().await;
    remember(&office, 4_200).await;
    settle_in(&office, "Asia/Kolkata").await;
    // A process does one part more, and is gone.
    let crashed = office.node("node-2");
    assert!(crashed.run(office.team, counting::step).await.unwrap());
    drop(crashed);
    assert!(are_moving(&office).await);
    go_on(office.node("node-3"), &office, 4).await;
    assert_sound(office.board.db(), office.team).await;
    // What was decided anew begins anew.
    settle_in(&office, "Australia/Lord_Howe").await;
    assert!(office.board.run(office.team, counting::step).await.unwrap());
    assert_eq!(counting::work_once(&office.node("node-4")).await.unwrap(), 2);
    assert_counted_in(&office, "Australia/Lord_Howe").await;
    assert_eq!(counting::work_once(&office.board).await.unwrap(), 0);
}

async fn set(db: &trunkline_store::Db, sql: &'static str, team: TeamKey) {
    let write = move |tx: &mut Tx<'_>| tx.execute(sql, params![team]);
    assert!(db.write(write).await.unwrap() > 0);
}

async fn teams_take_turns_and_days_come_first(t: TestDb) {
    let office = t.office().await;
    remember(&office, 4_200).await;
    settle_in(&office, "Europe/Paris").await;
    let db = office.board.db();
    let (small, parts) = (t.bare_team("Small").await, t.bare_team("Parts").await);
    assert!(office.team < small, "the one with much to do is the first");
    set(db, "UPDATE teams SET days_after = 0 WHERE team_id = $1", small).await;
    set(db, "UPDATE teams SET parts_after = 0 WHERE team_id = $1", parts).await;
    let waiting = async || {
        let all = db.read(teams::all_counting).await.unwrap();
        all.into_iter().map(|(team, _)| team).collect::<Vec<_>>()
    };
    let mut failed = BTreeSet::new();
    assert_eq!(counting::round(&office.board, &mut failed).await.unwrap(), 2);
    assert_eq!(
        waiting().await,
        [office.team, parts],
        "nobody waited for the first"
    );
    while are_moving(&office).await {
        assert!(waiting().await.contains(&parts), "days come first");
        counting::round(&office.board, &mut failed).await.unwrap();
    }
    assert_eq!(counting::work_once(&office.board).await.unwrap(), 1);
    assert_eq!(waiting().await, []);
    assert!(failed.is_empty());
}

async fn a_team_that_fails_holds_up_nobody(t: TestDb) {
    let office = t.office().await;
    remember(&office, 20).await;
    let (db, small) = (office.board.db(), t.bare_team("Small").await);
    for (sql, team) in [
        (
            "UPDATE items SET direction = 'SIDEWAYS' WHERE seq = 7 AND team_id = $1",
            office.team,
        ),
        ("UPDATE teams SET days_after = 0 WHERE team_id = $1", office.team),
        ("UPDATE teams SET days_after = 0 WHERE team_id = $1", small),
    ] {
        set(db, sql, team).await;
    }
    assert_eq!(counting::work_once(&office.board).await.unwrap(), 1);
    let waiting = db.read(teams::all_counting).await.unwrap();
    let waiting: Vec<TeamKey> = waiting.into_iter().map(|(team, _)| team).collect();
    assert_eq!(waiting, [office.team], "it is tried again");
}

/// What the migration leaves of texts of before parts were counted.
async fn parts_of_old_texts_are_counted_by_and_by(t: TestDb) {
    let office = t.office().await;
    remember(&office, 2_700).await;
    let team = office.team;
    let parts = move |conn: &mut Conn<'_>| -> Result<Vec<_>, StoreError> {
        Ok(usage::by_day(conn, team, 0, 1_000_000)?
            .into_iter()
            .map(|(day, used)| (day, used.segments))
            .collect())
    };
    let expected = office.board.db().scan(parts).await.unwrap();
    let forget = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for sql in [
            "UPDATE messages SET segments = NULL WHERE team_id = $1 AND seq % 2 = 0",
            "DELETE FROM text_days WHERE team_id = $1",
            "INSERT INTO text_days (team_id, day, direction, texts, segments)
             SELECT i.team_id, i.day, i.direction, COUNT(*), CAST(SUM(COALESCE(m.segments, 0)) AS BIGINT)
               FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
              WHERE i.kind = 'SMS' AND i.team_id = $1 GROUP BY 1, 2, 3",
            "UPDATE teams SET parts_after = 0 WHERE team_id = $1",
        ] {
            tx.execute(sql, params![team])?;
        }
        Ok(())
    };
    office.board.db().write(forget).await.unwrap();
    assert_ne!(office.board.db().scan(parts).await.unwrap(), expected);
    assert!(!are_moving(&office).await, "reports are not held up by it");
    // A part is so many texts, whether anything is to be counted of them or not.
    assert!(office.board.run(team, counting::step).await.unwrap());
    let come_to = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
        let sql = "SELECT seq FROM messages WHERE team_id = $1 ORDER BY seq LIMIT 1 OFFSET 499";
        let expected = conn.row(sql, params![team], |row| row.get::<i64>(0))?;
        Ok((teams::counting(conn, team)?.parts_after, expected))
    };
    let (after, five_hundredth) = office.board.db().scan(come_to).await.unwrap();
    assert!(after.is_some());
    assert_eq!(after, five_hundredth);
    assert!(counting::work_once(&office.board).await.unwrap() > 0);
    assert_eq!(office.board.db().scan(parts).await.unwrap(), expected);
    assert_eq!(counting::work_once(&office.board).await.unwrap(), 0);
}

trunkline_testkit::on_both! {
    a_few_are_moved_with_the_change,
    many_are_moved_beside_whatever_happens,
    a_crash_or_a_second_change_on_the_way_does_no_harm,
    teams_take_turns_and_days_come_first,
    a_team_that_fails_holds_up_nobody,
    parts_of_old_texts_are_counted_by_and_by,
}
