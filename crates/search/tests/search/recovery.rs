//! What the index survives: its deletion, damage, an abrupt end, and a log that does not go back far enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trunkline_search::{SearchError, SearchIndex, TextHits, TextOrder, TextQuery};
use trunkline_store::{StoreError, TeamKey, events, teams};
use trunkline_testkit::db::TestDb;

use crate::oracle::all_hits;
use crate::random::Dice;
use crate::world::{NewItem, Running, World, query, seed};

async fn filled(t: TestDb, name: &str, changes: usize) -> (World, Vec<TeamKey>) {
    let mut world = World::new(t);
    let mut dice = Dice::new(seed(name, 0));
    let teams = vec![world.team().await, world.team().await];
    for _ in 0..changes {
        let team = teams[dice.below(2)];
        dice.change(&mut world, team).await;
    }
    (world, teams)
}

/// Every item of every team exactly once, and nothing else.
async fn assert_complete(world: &World, running: &Running) {
    for (team, known) in &world.known {
        for order in [TextOrder::OldestFirst, TextOrder::Relevance] {
            for words in ["", "a", "fa b"] {
                let asked = TextQuery {
                    order,
                    limit: 100_000,
                    ..query(*team, words)
                };
                let got = running.search(asked.clone()).await;
                assert_eq!(got.hits, all_hits(known, &asked), "{asked:?}");
                assert_eq!(got.total, got.hits.len() as u64);
            }
        }
    }
}

/// The answers to a few hundred questions.
async fn answers(world: &World, running: &Running, teams: &[TeamKey]) -> Vec<TextHits> {
    let mut dice = Dice::new(seed("answers", 0));
    let mut all = Vec::new();
    for _ in 0..200 {
        let team = teams[dice.below(teams.len())];
        all.push(
            running
                .search(dice.query(team, world.known[&team].len() as i64))
                .await,
        );
    }
    all
}

async fn a_deleted_index_is_built_anew_and_answers_alike(t: TestDb) {
    let (mut world, teams) = filled(t, "deleted", 100).await;
    let running = world.start().await;
    let mut dice = Dice::new(seed("deleted", 1));
    for _ in 0..60 {
        // One by one, so that there are many segments with old versions in them.
        let team = teams[dice.below(2)];
        dice.change(&mut world, team).await;
        running.search(query(team, "a")).await;
    }
    let before = answers(&world, &running, &teams).await;
    assert!(matches!(
        SearchIndex::delete_everything(&world.folder()),
        Err(SearchError::InUse { .. })
    ));
    running.stop().await;
    SearchIndex::delete_everything(&world.folder()).unwrap();

    let running = world.start().await;
    assert_eq!(answers(&world, &running, &teams).await, before);
    running.stop().await;
    fs::remove_dir_all(world.folder()).unwrap();
    SearchIndex::delete_everything(&world.folder()).unwrap();
    assert!(!world.folder().exists());

    let running = world.start().await;
    assert_eq!(answers(&world, &running, &teams).await, before);
    running.stop().await;
}

async fn an_index_goes_on_where_it_stopped(t: TestDb) {
    let (mut world, teams) = filled(t, "stopped", 60).await;
    let mut dice = Dice::new(seed("stopped", 1));
    for _ in 0..4 {
        let running = world.start().await;
        assert_complete(&world, &running).await;
        running.stop().await;
        assert!(
            !world.folder().join("unsettled").exists(),
            "all files are on the disk"
        );
        for _ in 0..15 {
            let team = teams[dice.below(2)];
            dice.change(&mut world, team).await;
        }
    }
}

async fn a_follower_that_dies_leaves_no_gaps_and_no_doubles(t: TestDb) {
    let (mut world, teams) = filled(t, "killed", 80).await;
    let mut dice = Dice::new(seed("killed", 1));
    for _ in 0..30 {
        let (index, follower) = world.open().await;
        let follower = tokio::spawn(follower.run(tokio_util::sync::CancellationToken::new()));
        for _ in 0..dice.below(8) {
            let team = teams[dice.below(2)];
            dice.change(&mut world, team).await;
            // Some searches make it commit, others only let it begin to.
            let asked = query(team, "a");
            let searching = tokio::spawn({
                let index = index.clone();
                async move { index.search(asked).await }
            });
            tokio::time::sleep(Duration::from_millis(dice.below(12) as u64)).await;
            if dice.one_in(2) {
                drop(searching.await);
            } else {
                searching.abort();
            }
        }
        follower.abort();
        drop(follower.await);
    }
    let running = world.start().await;
    assert_complete(&world, &running).await;
    running.stop().await;
}

async fn a_first_reading_that_was_cut_off_is_finished(t: TestDb) {
    let mut world = World::new(t);
    world.options.commit_documents = 300;
    let mut dice = Dice::new(seed("cut off", 0));
    let (large, small) = (world.team().await, world.team().await);
    let items: Vec<NewItem> = (0..4_000).map(|_| dice.item()).collect();
    world.import(large, items.into_iter()).await;
    for _ in 0..5 {
        dice.change(&mut world, small).await;
        let (index, follower) = world.open().await;
        let follower = tokio::spawn(follower.run(tokio_util::sync::CancellationToken::new()));
        let mut progress = index.progress();
        let wanted = dice.below(4_000) as u64;
        drop(
            progress
                .wait_for(|progress| progress.ready || progress.done >= wanted)
                .await,
        );
        if let Err(error) = index.search(query(large, "a")).await {
            assert!(
                matches!(error, SearchError::Rebuilding { done, total } if done <= total),
                "{error}"
            );
        }
        follower.abort();
        drop(follower.await);
        for _ in 0..5 {
            dice.change(&mut world, large).await;
        }
    }
    let running = world.start().await;
    assert_complete(&world, &running).await;
    running.stop().await;
}

async fn searches_are_refused_until_the_index_is_built(t: TestDb) {
    let (mut world, teams) = filled(t, "refused", 20).await;
    let (index, follower) = world.open().await;
    assert!(!index.is_ready());
    assert!(matches!(
        index.search(query(teams[0], "a")).await,
        Err(SearchError::Rebuilding { .. })
    ));
    drop((index, follower));
    let running = world.start().await;
    let progress = *running.index.progress().borrow();
    assert!(running.index.is_ready() && progress.ready);
    running.stop().await;

    let (index, follower) = world.open().await;
    assert!(index.is_ready(), "it was built once");
    drop(follower);
    let before = index.search(query(teams[0], "")).await.unwrap();
    assert_eq!(before.behind, 0);
    for _ in 0..3 {
        world.add(teams[0], NewItem::message("a")).await;
    }
    let after = index.search(query(teams[0], "")).await.unwrap();
    assert_eq!(
        (after.behind, after.total),
        (3, before.total),
        "it says what it does not know"
    );
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder.join("index"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

async fn a_damaged_index_is_built_anew(t: TestDb) {
    let (world, _) = filled(t, "damaged", 60).await;
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x55;
        fs::write(path, bytes).unwrap();
    };
    let damages: [&dyn Fn(&Path); 7] = [
        &|folder| fs::write(folder.join("index/meta.json"), "{").unwrap(),
        &|folder| fs::remove_file(folder.join("index/meta.json")).unwrap(),
        &|folder| fs::write(folder.join("format"), "another one").unwrap(),
        &|folder| fs::remove_file(&files(folder, ".term")[0]).unwrap(),
        &|folder| {
            let path = &files(folder, ".idx")[0];
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        &|folder| fs::write(&files(folder, ".fast")[0], "").unwrap(),
        // What no opening notices, a check after the machine stopped does.
        &|folder| {
            flip(&files(folder, ".idx")[0]);
            fs::write(folder.join("unsettled"), "an earlier run of the machine").unwrap();
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let running = world.start().await;
        assert_complete(&world, &running).await;
        running.stop().await;
        damage(&world.folder());
        let (index, follower) = world.open().await;
        assert!(!index.is_ready(), "damage {number} was noticed");
        drop((index, follower));
    }
    let running = world.start().await;
    assert_complete(&world, &running).await;
    running.stop().await;
}

async fn an_index_that_breaks_while_it_is_used_is_mended(t: TestDb) {
    let (mut world, teams) = filled(t, "broken", 40).await;
    let running = world.start().await;
    let breaks: [&dyn Fn(&Path); 3] = [
        &|folder| fs::remove_dir_all(folder.join("index")).unwrap(),
        &|folder| fs::write(folder.join("index/meta.json"), "{").unwrap(),
        &|folder| fs::rename(folder, folder.with_extension("away")).unwrap(),
    ];
    for breaks in breaks {
        breaks(&world.folder());
        world.add(teams[0], NewItem::message("a fa b")).await;
        // The first search may meet the index on its way back.
        while running.index.search(query(teams[0], "a")).await.is_err() {
            running
                .index
                .progress()
                .wait_for(|progress| progress.ready)
                .await
                .unwrap();
        }
        assert_complete(&world, &running).await;
    }
    running.stop().await;
}

async fn files_that_are_sound_survive_a_stop_of_the_machine(t: TestDb) {
    let (world, _) = filled(t, "sound", 40).await;
    let running = world.start().await;
    running.kill().await;
    drop(world.open().await);
    fs::write(world.folder().join("unsettled"), "an earlier run of the machine").unwrap();
    let (index, follower) = world.open().await;
    assert!(index.is_ready());
    drop((index, follower));
    let running = world.start().await;
    assert_complete(&world, &running).await;
    running.stop().await;
}

async fn a_log_that_was_pruned_too_far_means_reading_the_team_anew(t: TestDb) {
    let (mut world, teams) = filled(t, "pruned", 40).await;
    world.start().await.stop().await;
    let mut dice = Dice::new(seed("pruned", 1));
    for _ in 0..30 {
        dice.change(&mut world, teams[0]).await;
        dice.change(&mut world, teams[1]).await;
    }
    let pruned = teams[0];
    let prune = move |tx: &mut trunkline_store::Tx<'_>| {
        let last = teams::last_event(tx, pruned)?;
        events::prune(tx, pruned, 0, last - 3)
    };
    world.db.write::<_, StoreError, _>(prune).await.unwrap();
    let running = world.start().await;
    assert_complete(&world, &running).await;
    running.stop().await;
}

/// So many items are loaded in another way; what was taken out before that must not come back.
async fn heavy_a_large_team_is_read_anew_without_doubles(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    world
        .import(
            team,
            (0..20_500).map(|n| NewItem::message(if n % 2 == 0 { "odd" } else { "even" })),
        )
        .await;
    world.start().await.stop().await;
    for _ in 0..5 {
        world.add(team, NewItem::message("odd")).await;
    }
    let prune = move |tx: &mut trunkline_store::Tx<'_>| events::prune(tx, team, 0, 4);
    world.db.write::<_, StoreError, _>(prune).await.unwrap();
    let running = world.start().await;
    assert_eq!(running.search(query(team, "")).await.total, 20_505);
    assert_eq!(running.search(query(team, "odd")).await.total, 10_255);
    running.stop().await;
}

async fn another_database_means_reading_everything_anew(t: TestDb) {
    let engine = t.engine();
    let (world, _) = filled(t, "first database", 80).await;
    world.start().await.stop().await;
    for same_ids in [true, false] {
        let mut other = World::new(TestDb::with(engine, trunkline_testkit::db::options()));
        if !same_ids {
            other.ids = trunkline_domain::SeededIds::new(99);
        }
        // The same keys; the first team has not begun, the second has fewer events (as after a backup was brought
        // back) or is another one with more.
        let teams = [other.team().await, other.team().await, other.team().await];
        let mut dice = Dice::new(seed("second database", 1));
        for _ in 0..if same_ids { 5 } else { 200 } {
            dice.change(&mut other, teams[1]).await;
            dice.change(&mut other, teams[2]).await;
        }
        let copy = std::process::Command::new("cp")
            .arg("-r")
            .args([world.folder(), other.folder()])
            .status();
        assert!(copy.unwrap().success());
        let running = other.start().await;
        assert_complete(&other, &running).await;
        running.stop().await;
    }
}

trunkline_testkit::on_both! {
    a_deleted_index_is_built_anew_and_answers_alike,
    an_index_goes_on_where_it_stopped,
    a_follower_that_dies_leaves_no_gaps_and_no_doubles,
    a_first_reading_that_was_cut_off_is_finished,
    searches_are_refused_until_the_index_is_built,
    a_damaged_index_is_built_anew,
    an_index_that_breaks_while_it_is_used_is_mended,
    files_that_are_sound_survive_a_stop_of_the_machine,
    a_log_that_was_pruned_too_far_means_reading_the_team_anew,
    heavy_a_large_team_is_read_anew_without_doubles,
    another_database_means_reading_everything_anew,
}
