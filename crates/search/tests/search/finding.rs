//! What is found, and in which order.

use trunkline_domain::{CallResult, Millis};
use trunkline_search::{SearchError, TextOrder, TextQuery, TextStart};
use trunkline_testkit::db::TestDb;

use crate::oracle::{all_hits, page};
use crate::random::Dice;
use crate::world::{NewItem, Running, START, World, query, seed, seqs};

async fn every_word_of_the_query_begins_a_word_of_the_text(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let invoice = world
        .add(team, NewItem::message("La facture de l'Été est payée"))
        .await;
    let other = world
        .add(team, NewItem::call("facturation automatique en été"))
        .await;
    world.add(team, NewItem::message("rien")).await;
    world.summarise(team, other, "Paiement reçu").await;
    let running = world.start().await;
    let found = async |words: &str| seqs(&running.search(query(team, words)).await.hits);

    assert_eq!(found("ete").await, [other, invoice]);
    assert_eq!(found("ÉTÉ").await, [other, invoice]);
    assert_eq!(found("fact").await, [other, invoice]);
    assert_eq!(found("fact pa").await, [other, invoice]);
    assert_eq!(found("facture payee").await, [invoice]);
    assert_eq!(found("facturat").await, [other]);
    assert_eq!(found("recu auto").await, [other]);
    assert_eq!(found("acture").await, Vec::<i64>::new());
    assert_eq!(found("facture recu").await, Vec::<i64>::new());
    assert_eq!(running.search(query(team, "")).await.total, 3);
    running.stop().await;
}

async fn the_very_word_comes_before_its_continuations(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let exact = world.add(team, NewItem::message("car a b c d")).await;
    let longer = world.add(team, NewItem::message("carpet a b c d")).await;
    let twice = world.add(team, NewItem::message("car car b c d")).await;
    let long = world
        .add(team, NewItem::call(&format!("car {}", "noise ".repeat(300))))
        .await;
    let running = world.start().await;
    let hits = running
        .search(TextQuery {
            order: TextOrder::Relevance,
            ..query(team, "car")
        })
        .await;
    assert_eq!(seqs(&hits.hits), [twice, exact, longer, long]);
    assert!(hits.hits.iter().all(|hit| hit.score > 0.0));
    running.stop().await;
}

/// Compares an answer with the oracle's, and walks through all pages of the question.
async fn check(world: &World, running: &Running, asked: &TextQuery) {
    let expected = all_hits(&world.known[&asked.team], asked);
    let got = running.search(asked.clone()).await;
    assert_eq!(got.total, expected.len() as u64, "{asked:?}");
    assert_eq!(got.hits, page(&expected, asked), "{asked:?}");
    if asked.limit < 5 {
        return;
    }
    let mut walked = Vec::new();
    let mut start = TextStart::Offset(0);
    loop {
        let hits = running
            .search(TextQuery {
                start,
                ..asked.clone()
            })
            .await
            .hits;
        let Some(last) = hits.last() else { break };
        start = match asked.start {
            TextStart::Behind { .. } => TextStart::Behind {
                at: last.at,
                seq: last.seq,
            },
            TextStart::Offset(_) => TextStart::Offset(walked.len() + hits.len()),
        };
        walked.extend(hits);
    }
    assert_eq!(walked, expected, "{asked:?}");
}

async fn random_questions_have_the_answers_of_a_naive_search(t: TestDb) {
    let mut world = World::new(t);
    let mut dice = Dice::new(seed("questions", 1));
    let teams = [world.team().await, world.team().await, world.team().await];
    for _ in 0..150 {
        dice.change(&mut world, teams[0]).await;
    }
    let running = world.start().await;
    for round in 0..12 {
        for _ in 0..30 {
            let team = teams[dice.below(2)];
            dice.change(&mut world, team).await;
        }
        for _ in 0..50 {
            let team = teams[if dice.one_in(20) { 2 } else { dice.below(2) }];
            let asked = dice.query(team, world.known[&team].len() as i64);
            check(&world, &running, &asked).await;
        }
        if round % 4 == 3 {
            running.index.search(query(teams[2], "a")).await.unwrap();
        }
    }
    running.stop().await;
}

async fn what_was_just_written_is_found(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let running = world.start().await;
    for n in 0..40 {
        let seq = world.add(team, NewItem::message(&format!("word{n}x"))).await;
        let hits = running.search(query(team, &format!("word{n}x"))).await;
        assert_eq!(seqs(&hits.hits), [seq]);
        if n % 10 == 0 {
            let newcomer = world.team().await;
            let first = world.add(newcomer, NewItem::message("hello")).await;
            assert_eq!(seqs(&running.search(query(newcomer, "hel")).await.hits), [first]);
        }
    }
    running.stop().await;
}

async fn what_another_process_wrote_is_found(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let running = world.start().await;
    for n in 0..10 {
        let own = std::mem::replace(&mut world.db, world.test_db.open_again());
        let seq = world.add(team, NewItem::message(&format!("word{n}x"))).await;
        world.db = own;
        let hits = running.search(query(team, &format!("word{n}x"))).await;
        assert_eq!(seqs(&hits.hits), [seq]);
    }
    running.stop().await;
}

async fn changes_replace_what_was_there(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let seq = world.add(team, NewItem::call("bonjour")).await;
    let running = world.start().await;
    let tagged = |tag: &str| {
        let mut asked = query(team, "bonjour");
        asked.filter.tags = vec![tag.to_owned()];
        asked
    };
    assert_eq!(running.search(tagged("vip")).await.total, 0);
    world.change(team, seq, |row| row.tags = vec!["vip".into()]).await;
    assert_eq!(running.search(tagged("vip")).await.total, 1);
    world
        .change(team, seq, |row| {
            (row.tags, row.result) = (vec!["sales".into()], Some(CallResult::Voicemail))
        })
        .await;
    assert_eq!(running.search(tagged("vip")).await.total, 0);
    assert_eq!(running.search(tagged("sales")).await.total, 1);
    world.summarise(team, seq, "premier").await;
    world.summarise(team, seq, "second").await;
    assert_eq!(running.search(query(team, "bonjour second")).await.total, 1);
    assert_eq!(running.search(query(team, "premier")).await.total, 0);
    // A call may have two summaries, and one is shown: nobody would see why the other one's words lead here.
    world.summarise_aside(team, seq, "tertium").await;
    assert_eq!(running.search(query(team, "tertium")).await.total, 0);
    assert_eq!(running.search(query(team, "second")).await.total, 1);
    assert_eq!(running.search(query(team, "")).await.total, 1);
    running.stop().await;
}

async fn teams_have_no_part_in_each_other(t: TestDb) {
    let mut world = World::new(t);
    let (one, two) = (world.team().await, world.team().await);
    for n in 0..30 {
        let text = ["tango", "tango fox", "fox golf hotel"][n % 3];
        world
            .add(
                one,
                NewItem {
                    at: Millis(START + n as i64),
                    ..NewItem::message(text)
                },
            )
            .await;
    }
    let running = world.start().await;
    let asked = TextQuery {
        order: TextOrder::Relevance,
        ..query(one, "tan f")
    };
    let before = running.search(asked.clone()).await;
    assert_eq!(before.total, 10);
    assert_eq!(running.search(query(two, "tango")).await.total, 0);
    for n in 0..50 {
        world
            .add(two, NewItem::message(&"fox tango ".repeat(n % 40)))
            .await;
    }
    assert_eq!(running.search(query(two, "tango")).await.total, 48);
    assert_eq!(running.search(asked).await, before, "scores included");
    running.stop().await;
}

async fn pages_by_relevance_stay_as_they_were_while_items_arrive(t: TestDb) {
    let mut world = World::new(t);
    let mut dice = Dice::new(seed("arrivals", 1));
    let team = world.team().await;
    for _ in 0..120 {
        world.add(team, dice.item()).await;
    }
    let running = world.start().await;
    let asked = TextQuery {
        order: TextOrder::Relevance,
        max_seq: Some(120),
        limit: 7,
        ..query(team, "a b")
    };
    let whole = running
        .search(TextQuery {
            limit: 1_000,
            ..asked.clone()
        })
        .await;
    assert!(whole.total > 15);
    let mut walked = Vec::new();
    for offset in (0..).step_by(7) {
        let part = running
            .search(TextQuery {
                start: TextStart::Offset(offset),
                ..asked.clone()
            })
            .await;
        assert_eq!(part.total, whole.total);
        if part.hits.is_empty() {
            break;
        }
        walked.extend(part.hits);
        for _ in 0..5 {
            world.add(team, dice.item()).await;
        }
    }
    assert_eq!(walked, whole.hits);
    running.stop().await;
}

async fn a_page_by_relevance_cannot_begin_behind_an_instant(t: TestDb) {
    let mut world = World::new(t);
    let team = world.team().await;
    let running = world.start().await;
    let start = TextStart::Behind {
        at: Millis(START),
        seq: 1,
    };
    let asked = TextQuery {
        order: TextOrder::Relevance,
        start,
        ..query(team, "a")
    };
    assert!(matches!(
        running.index.search(asked).await,
        Err(SearchError::NoInstantInRelevance)
    ));
    running.stop().await;
}

/// More items than are sorted at a time, and enough for the way of loading that is meant for very many.
async fn heavy_deep_pages_of_a_large_import(t: TestDb) {
    const ITEMS: i64 = 140_000;
    let mut world = World::new(t);
    let team = world.team().await;
    let new = |n: i64| NewItem {
        at: Millis(START + n * 7_919 % 100_003),
        ..NewItem::message(if n % 2 == 0 { "odd" } else { "even" })
    };
    world.import(team, (0..ITEMS / 2).map(new)).await;
    let running = world.start().await;
    world.import(team, (ITEMS / 2..ITEMS).map(new)).await;
    let all = all_hits(&world.known[&team], &query(team, ""));
    for offset in [0, 65_535, 65_536, 131_072, 139_990, 140_000, 1_000_000] {
        let asked = TextQuery {
            start: TextStart::Offset(offset),
            limit: 20,
            ..query(team, "")
        };
        let got = running.search(asked.clone()).await;
        assert_eq!(got.total, ITEMS as u64);
        assert_eq!(got.hits, page(&all, &asked), "offset {offset}");
    }
    assert_eq!(running.search(query(team, "od")).await.total, ITEMS as u64 / 2);
    running.stop().await;
}

trunkline_testkit::on_both! {
    every_word_of_the_query_begins_a_word_of_the_text,
    the_very_word_comes_before_its_continuations,
    random_questions_have_the_answers_of_a_naive_search,
    what_was_just_written_is_found,
    what_another_process_wrote_is_found,
    changes_replace_what_was_there,
    teams_have_no_part_in_each_other,
    pages_by_relevance_stay_as_they_were_while_items_arrive,
    a_page_by_relevance_cannot_begin_behind_an_instant,
    heavy_deep_pages_of_a_large_import,
}
