//! SIGKILL at any moment, while clients write: nothing acknowledged is lost, nothing happens twice, no call is left
//! hanging, and the next start answers at once.

mod heavy {
    use std::time::Duration;

    use serde_json::{Value, json};
    use trunkline_testkit::db::Seed;

    use crate::support::api::{Api, in_query};
    use crate::support::load::{Done, LINES, Load, Pace, Team, close, database, repeat_some};
    use crate::support::program::{Place, Server, Starting};
    use crate::support::truth::{self, Live, Truth};
    use crate::support::{Random, eventually, since, tell};

    /// How often the server is killed on SQLite, unless this variable says otherwise.
    const ROUNDS: (&str, u32) = ("TRUNKLINE_TEST_KILL_ROUNDS", 20);

    /// A server that needs longer until its first answer is not one that recovers.
    const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

    const PACE: Pace = Pace {
        clients: 8,
        pause_ms: 20,
        long_calls: 6,
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let asked = std::env::var(ROUNDS.0).ok().and_then(|text| text.parse().ok());
        for seed in Seed::first(1) {
            survive(Place::sqlite(), asked.unwrap_or(ROUNDS.1), seed.get()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        for seed in Seed::first(1) {
            survive(Place::postgres(), 3, seed.get()).await;
        }
    }

    /// A demo that was killed while its history was written is whole the next time.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn demo() {
        let (place, mut random) = (Place::sqlite(), Random::new(1));
        let demo = async || {
            let mut starting =
                Starting::new(place.command(&["demo", "--no-traffic", "--listen", "127.0.0.1:0"]));
            starting.patience = Duration::from_secs(120);
            starting.listening().await
        };
        for _ in 0..4 {
            let server = demo().await;
            tokio::time::sleep(random.millis(50, 700)).await;
            server.kill().await;
        }
        let server = demo().await;
        let said = eventually(
            Duration::from_secs(120),
            "the demo introduces itself",
            async || Some(server.log()).filter(|said| said.contains("Ctrl-C")),
        )
        .await;
        let key = said
            .split_whitespace()
            .find(|word| word.starts_with("ak_test_"))
            .expect("a key");
        let everything = Api::new(&server.url, key).search(&json!({})).await;
        assert_eq!(everything["pagination"]["total_count"], 5_000);
        server.stop().await;
        truth::read(&place).await.assert_sound();
        let teams = place.run(&["teams", "list", "--json"]).await.json();
        assert_eq!(teams.as_array().map(Vec::len), Some(1));
    }

    async fn survive(place: Place, rounds: u32, seed: u64) {
        let team = Team::make(&place).await;
        let mut random = Random::new(seed);
        let load = Load::start(Api::new("http://127.0.0.1:9", &team.key), PACE, seed);
        let mut recoveries = Vec::new();
        for round in 0..rounds {
            let starting = place.begin(&[]);
            if round % 4 == 3 {
                // While it starts, or has just begun to answer.
                tokio::time::sleep(random.millis(5, 400)).await;
                starting.kill().await;
                continue;
            }
            let server = starting.listening().await;
            recoveries.push(first_answer(&load, &server).await);
            tokio::time::sleep(random.millis(150, 1_200)).await;
            if round % 5 == 1 {
                // While it ends in order.
                server.terminate();
                tokio::time::sleep(random.millis(0, 40)).await;
            }
            server.kill().await;
        }
        let server = place.serve().await;
        recoveries.push(first_answer(&load, &server).await);
        let api = load.api.clone();
        let done = load.finish().await;
        assert!(done.len() > 50, "only {} writes were acknowledged", done.len());
        repeat_some(&api, &done, 200).await;

        // On PostgreSQL another node may be alive, so abandoned calls are swept after its silence only.
        let db = database(&place);
        eventually(
            Duration::from_secs(60),
            "every call of a killed server is completed",
            async || (truth::live(&db, Live::Abandoned).await == 0).then_some(()),
        )
        .await;
        close(db).await;
        assert_searches_agree(&api, &truth::read(&place).await).await;
        server.stop().await;
        truth::read(&place).await.assert_agrees_with(&done);
        report(rounds, &done, &mut recoveries);
    }

    /// Waits for the first answer after a start, checks that the others come too, and sends the clients there.
    /// Returns the time from the start of the process to the first answer.
    async fn first_answer(load: &Load, server: &Server) -> Duration {
        let api = load.api.clone();
        api.moved(&server.url);
        let me = api.get("/v2/api/me").await;
        let took = since(server.since);
        assert_eq!(me.status, 200, "{}", me.text);
        assert!(took < RECOVERED_WITHIN, "the first answer took {took:?}");
        // It answers while it recovers: sweeps calls, catches up with the index.
        let list = api
            .get(&format!(
                "/v2/api/conversations?allo_number={}",
                in_query(LINES[0])
            ))
            .await;
        assert_eq!(list.status, 200, "{}", list.text);
        let found = api
            .post(
                "/v2/api/conversations/items/search",
                &json!({ "search": "bucket01" }),
            )
            .await;
        assert!(
            found.status == 200 || found.code() == "SEARCH_NOT_READY",
            "{} {}",
            found.status,
            found.text
        );
        took
    }

    /// The text index finds every text by its own word, and as many transcripts as there are.
    async fn assert_searches_agree(api: &Api, truth: &Truth) {
        let mut tasks = tokio::task::JoinSet::new();
        for part in truth.texts.chunks(truth.texts.len().div_ceil(4).max(1)) {
            let (api, words) = (
                api.clone(),
                part.iter()
                    .map(|text| text.content[..9].to_owned())
                    .collect::<Vec<_>>(),
            );
            tasks.spawn(async move {
                for word in words {
                    assert_eq!(api.count(&word).await, 1, "items with the word {word}");
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(
            api.count("words found again").await,
            i64::try_from(truth.texts.len()).expect("a count")
        );
        let mut found = every_id(api, &json!({ "search": "let me look", "size": 100 })).await;
        let mut transcribed = truth.transcribed.clone();
        found.sort();
        transcribed.sort();
        assert_eq!(
            found, transcribed,
            "calls with these words, and calls with a transcript"
        );
        assert_eq!(
            api.count("let me look").await,
            i64::try_from(found.len()).expect("a count")
        );
        let all = api.search(&json!({ "size": 1 })).await;
        assert_eq!(
            all["pagination"]["total_count"],
            truth.texts.len() + truth.calls.len()
        );
    }

    /// The ids of everything that is found.
    async fn every_id(api: &Api, wanted: &Value) -> Vec<String> {
        let (mut ids, mut wanted, mut total) = (Vec::new(), wanted.clone(), None);
        loop {
            let page = api.search(&wanted).await;
            let data = page["data"].as_array().expect("data");
            ids.extend(
                data.iter()
                    .map(|item| item["id"].as_str().expect("an id").to_owned()),
            );
            wanted["cursor"] = page["pagination"]["next_cursor"].clone();
            let count = page["pagination"]["total_count"].as_u64();
            assert_eq!(
                *total.get_or_insert(count),
                count,
                "the total changes from page to page"
            );
            if wanted["cursor"].is_null() {
                assert_eq!(count, Some(ids.len() as u64), "the total, and what is found");
                return ids;
            }
        }
    }

    fn report(rounds: u32, done: &[Done], recoveries: &mut [Duration]) {
        recoveries.sort();
        let at = |share: usize| recoveries[(recoveries.len() - 1) * share / 100].as_millis();
        tell(format!(
            "{rounds} kills, {} acknowledged writes; from exec to the first answer: median {} ms, longest {} ms",
            done.len(),
            at(50),
            at(100)
        ));
    }
}
