//! What is erased is gone from the files, and not merely marked as replaced.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tantivy::Index;
use trunkline_domain::Millis;
use trunkline_domain::events::{ItemsErased, Topic};
use trunkline_store::events::EventRow;
use trunkline_store::{StoreError, TeamKey, Tx, events, params, teams};
use trunkline_testkit::db::TestDb;

use crate::world::{NewItem, Running, World, query};

/// All terms in all files of the index, and how many files of segments there are.
fn terms(folder: &Path) -> (BTreeSet<String>, usize) {
    let dir = folder.join("index");
    let index = Index::open_in_dir(&dir).unwrap();
    let mut found = BTreeSet::new();
    for name in ["text", "filter"] {
        let field = index.schema().get_field(name).unwrap();
        for meta in index.searchable_segment_metas().unwrap() {
            let reader = tantivy::SegmentReader::open(&index.segment(meta)).unwrap();
            let inverted = reader.inverted_index(field).unwrap();
            let mut stream = inverted.terms().stream().unwrap();
            while stream.advance() {
                found.insert(String::from_utf8_lossy(stream.key()).into_owned());
            }
        }
    }
    let segments: BTreeSet<String> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.split_once('.').map(|(segment, _)| segment.to_owned()))
        .filter(|segment| segment.len() == 32)
        .collect();
    (found, segments.len())
}

fn has(terms: &BTreeSet<String>, word: &str) -> bool {
    terms.iter().any(|term| term.contains(word))
}

/// Empties texts and tells of it, as the erasure of a person does. Returns the event.
async fn erase(world: &World, team: TeamKey, ranges: Vec<(i64, i64)>) -> i64 {
    let unit = move |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
        let mut counters = teams::lock(tx, team)?.unwrap().counters;
        for (from, to) in &ranges {
            let sql = "UPDATE messages SET content = '' WHERE team_id = $1 AND seq >= $2 AND seq <= $3";
            tx.execute(sql, params![team, *from, *to])?;
            let sql = "UPDATE items SET contact_number = '+999000000000001'
                        WHERE team_id = $1 AND seq >= $2 AND seq <= $3";
            tx.execute(sql, params![team, *from, *to])?;
        }
        counters.event += 1;
        let payload = ItemsErased {
            ranges: ranges.clone(),
        };
        let event = EventRow {
            seq: counters.event,
            topic: Topic::ItemsErased,
            at: Millis(0),
            item: None,
            payload: serde_json::to_string(&payload).unwrap(),
        };
        events::append(tx, team, &event)?;
        teams::set_counters(tx, team, counters)?;
        Ok(counters.event)
    };
    world.db.write(unit).await.unwrap()
}

async fn until_purged(running: &Running, team: TeamKey, event: i64) {
    let purged = async {
        while !running.index.has_purged(team, event) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), purged)
        .await
        .expect("a purge in time");
}

/// Items in many segments, two of them with unusual words. Returns the team and the numbers of the two.
async fn filled(world: &mut World, running: &Running) -> (TeamKey, [i64; 2]) {
    let team = world.team().await;
    let mut unusual = Vec::new();
    for n in 0..12 {
        let text = if n % 6 == 3 {
            "quixotic zymurgy"
        } else {
            "plain words"
        };
        let seq = world.add(team, NewItem::message(text)).await;
        if n % 6 == 3 {
            unusual.push(seq);
        }
        // A commit, and so a segment, each.
        assert_eq!(
            running.search(query(team, "plain")).await.total as usize,
            (n + 1) as usize - unusual.len()
        );
    }
    (team, [unusual[0], unusual[1]])
}

async fn erased_words_leave_the_files(t: TestDb) {
    let mut world = World::new(t);
    let running = world.start().await;
    let (team, [first, second]) = filled(&mut world, &running).await;
    let (before, _) = terms(&world.folder());
    assert!(has(&before, "quixotic") && has(&before, "zymurgy") && has(&before, "plain"));
    let event = erase(&world, team, vec![(first, first), (second, second)]).await;
    until_purged(&running, team, event).await;
    let (after, segments) = terms(&world.folder());
    assert!(
        !has(&after, "quixotic") && !has(&after, "zymurgy") && has(&after, "plain"),
        "{after:?}"
    );
    assert!(has(&after, "999000000000001"), "the nameless items are in");
    assert_eq!(running.search(query(team, "quixotic")).await.total, 0);
    assert_eq!(running.search(query(team, "")).await.total, 12);
    running.stop().await;
    assert!(segments >= 1);
    assert!(!running_files_hold(&world.folder(), b"quixotic"));
}

fn running_files_hold(folder: &Path, word: &[u8]) -> bool {
    let files = std::fs::read_dir(folder.join("index")).unwrap();
    files
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(word.len()).any(|window| window == word))
}

async fn a_purge_goes_on_after_a_crash(t: TestDb) {
    let mut world = World::new(t);
    let running = world.start().await;
    let (team, [first, second]) = filled(&mut world, &running).await;
    let event = erase(&world, team, vec![(first, first), (second, second)]).await;
    // The index has read of it, and dies wherever it stands then.
    assert_eq!(running.search(query(team, "quixotic")).await.total, 0);
    running.kill().await;
    for _ in 0..3 {
        let again = world.start().await;
        again.kill().await;
    }
    let running = world.start().await;
    until_purged(&running, team, event).await;
    running.stop().await;
    let (after, _) = terms(&world.folder());
    assert!(!has(&after, "quixotic") && has(&after, "plain"), "{after:?}");
}

trunkline_testkit::on_both! {
    erased_words_leave_the_files,
    a_purge_goes_on_after_a_crash,
}
