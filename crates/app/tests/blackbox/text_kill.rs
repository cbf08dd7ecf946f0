//! SIGKILL at any moment, while texts are accepted and handed to a carrier that loses answers, refuses and limps: each
//! that was accepted reaches the carrier once, its fate is known in the end, and each fact is told once.

mod heavy {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    use reqwest::Method;
    use serde_json::json;
    use tokio::task::JoinSet;
    use trunkline_store::{Db, StoreError, params};
    use trunkline_testkit::db::Seed;

    use crate::support::api::Api;
    use crate::support::load::{close, database, lift_limits};
    use crate::support::program::{Place, file, text};
    use crate::support::truth;
    use crate::support::twilio::{PUBLIC_URL, SID, TOKEN, Twilio};
    use crate::support::{Random, eventually, now, since, tell};

    /// Lines that text within France, where no registration is asked for.
    const LINES: [&str; 3] = ["+33612000001", "+33612000002", "+33612000003"];

    /// Clients that send texts.
    const CLIENTS: u64 = 6;

    /// How long a text may wait for its acknowledgement, and for its fate.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// What a text says that the carrier refuses.
    const REFUSED: &str = "refused, whoever asks";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        for seed in Seed::first(1) {
            survive(Place::sqlite(), 12, seed.get()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        for seed in Seed::first(1) {
            survive(Place::postgres(), 5, seed.get()).await;
        }
    }

    /// What a text has come to.
    struct Fate {
        status: String,
        carrier_ref: Option<String>,
        /// How often `sms.sent`, `sms.delivered` and `sms.failed` told of it.
        told: [usize; 3],
    }

    async fn survive(place: Place, rounds: u32, seed: u64) {
        let twilio = Twilio::start(seed, |words| words.starts_with(REFUSED)).await;
        let place = place
            .with("TRUNKLINE_TWILIO_BASE_URL", &*twilio.url)
            .with("TRUNKLINE_SERVER_PUBLIC_URL", PUBLIC_URL)
            .with("TRUNKLINE_TEXTS_NUMBER_PER_SECOND", "0")
            .with("TRUNKLINE_TEXTS_CARRIER_PER_SECOND", "0");
        let key = furnish(&place).await;
        let (db, mut random) = (database(&place), Random::new(seed));
        let api = Api::new("http://127.0.0.1:9", &key);
        let stop = Arc::new(AtomicBool::new(false));
        let numbers = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let random = Random::new(seed.wrapping_mul(1_000) + client);
            clients.spawn(send_texts(api.clone(), stop.clone(), numbers.clone(), random));
        }
        // More rounds where the machine is so slow that nothing has gone wrong yet.
        let has_suffered = || twilio.lost_answers() > 0 && numbers.load(Ordering::SeqCst) > 100;
        for _ in (0..4 * rounds).take_while(|round| *round < rounds || !has_suffered()) {
            let server = place.serve().await;
            api.moved(&server.url);
            twilio.calls_back_to(&server.url);
            tokio::time::sleep(random.millis(150, 1_000)).await;
            server.kill().await;
            a_lease_passes(&db).await;
        }
        let server = place.serve().await;
        api.moved(&server.url);
        twilio.calls_back_to(&server.url);
        stop.store(true, Ordering::SeqCst);
        let accepted: Vec<(String, String)> = clients.join_all().await.concat();
        eventually(PATIENCE, "no text waits any more", async || {
            (waiting(&db).await == 0).then_some(())
        })
        .await;
        twilio.receipts_are_brought().await;
        server.stop().await;

        truth::read(&place).await.assert_sound();
        assert!(accepted.len() > 50, "only {} texts were accepted", accepted.len());
        let taken = assert_each_once(&accepted, fates(&db).await, &twilio);
        close(db).await;
        let (lost, asked) = (twilio.lost_answers(), twilio.lists());
        assert!(
            lost > 0 && asked > 0,
            "{lost} answers lost, the carrier asked {asked} times"
        );
        tell(format!(
            "{rounds} kills, {} texts accepted, {taken} taken by the carrier, {lost} answers of it lost on purpose, \
             asked {asked} times what it has",
            accepted.len()
        ));
    }

    /// A team with lines at the carrier. Returns a key.
    async fn furnish(place: &Place) -> String {
        place
            .run(&["teams", "create", "Live", "--country", "FR"])
            .await
            .ok();
        let ada = [
            "users",
            "create",
            "Ada",
            "--email",
            "ada@live.example",
            "--role",
            "admin",
        ];
        place.run(&ada).await.ok();
        let (_folder, path) = file("token", TOKEN);
        for line in LINES {
            let add = [
                "numbers",
                "add",
                line,
                "--carrier",
                "twilio",
                "--twilio-account-sid",
                SID,
            ];
            let token = ["--twilio-auth-token-file", text(&path)];
            place.run(&[&add[..], &token].concat()).await.ok();
        }
        lift_limits(place).await;
        place.run(&["keys", "create"]).await.ok().trim().to_owned()
    }

    /// The time for which a killed server had claimed texts passes.
    async fn a_lease_passes(db: &Db) {
        let passed: Result<u64, StoreError> = db
            .write(|tx| {
                let sql = "UPDATE text_queue SET lease_until = $1 WHERE lease_until > $1";
                tx.execute(sql, params![0_i64])
            })
            .await;
        passed.expect("leases");
    }

    async fn waiting(db: &Db) -> i64 {
        let sql = "SELECT COUNT(*) FROM text_queue";
        let count: Result<Option<i64>, StoreError> =
            db.read(move |conn| conn.row(sql, &[], |row| row.get(0))).await;
        count.expect("texts that wait").unwrap_or(0)
    }

    /// Sends texts until it is told to stop, each with a key of its own and repeated until it is acknowledged. Returns
    /// their ids and words.
    async fn send_texts(
        api: Api,
        stop: Arc<AtomicBool>,
        numbers: Arc<AtomicU64>,
        mut random: Random,
    ) -> Vec<(String, String)> {
        let mut accepted = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let number = numbers.fetch_add(1, Ordering::SeqCst);
            let words = match random.below(10) {
                // Many to one person that nothing tells apart.
                0..4 => "ok".to_owned(),
                4 => format!("{REFUSED} {number}"),
                _ => format!("text {number}"),
            };
            let from = LINES[usize::try_from(random.below(LINES.len() as u64)).expect("an index")];
            let to = format!("+336700000{:02}", random.below(12));
            let body = json!({ "from": from, "to": to, "message": words });
            let (key, begun) = (format!("text-{number}"), now());
            let id = loop {
                assert!(since(begun) < PATIENCE, "{body} is not acknowledged");
                match api
                    .try_send(Method::POST, "/v1/api/sms", Some(&key), Some(&body))
                    .await
                {
                    Ok(reply) if reply.status == 200 => {
                        break reply.data()["id"].as_str().expect("an id").to_owned();
                    }
                    Ok(reply) if reply.status == 503 || reply.code() == "OTHER_TRANSACTION_IN_PROGRESS" => {}
                    Ok(reply) => panic!("{body}: {} {}", reply.status, reply.text),
                    Err(_) => {}
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            accepted.push((id, words));
            tokio::time::sleep(random.millis(0, 30)).await;
        }
        accepted
    }

    /// What became of every text that the database has, by its id.
    async fn fates(db: &Db) -> HashMap<String, Fate> {
        let read: Result<Vec<(String, Fate)>, StoreError> = db
            .scan(|conn| {
                let count = |topic: &str| {
                    format!(
                        "(SELECT COUNT(*) FROM events e
                           WHERE e.team_id = i.team_id AND e.item = i.seq AND e.topic = 'sms.{topic}')"
                    )
                };
                let sql = format!(
                    "SELECT i.id, m.status, m.carrier_ref, {}, {}, {}
                       FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq",
                    count("sent"),
                    count("delivered"),
                    count("failed")
                );
                conn.rows(&sql, &[], |row| {
                    let mut told = [0; 3];
                    for (place, count) in told.iter_mut().enumerate() {
                        *count = usize::try_from(row.get::<i64>(3 + place)?).unwrap_or(usize::MAX);
                    }
                    let fate = Fate {
                        status: row.get(1)?,
                        carrier_ref: row.get(2)?,
                        told,
                    };
                    Ok((row.get(0)?, fate))
                })
            })
            .await;
        read.expect("texts").into_iter().collect()
    }

    /// Every accepted text is there, and nothing else; the carrier has those once that it does not refuse, and what it
    /// said of them is what is known and told. Returns how many the carrier has.
    fn assert_each_once(
        accepted: &[(String, String)],
        mut fates: HashMap<String, Fate>,
        twilio: &Twilio,
    ) -> usize {
        let mut taken = HashMap::new();
        for text in twilio.texts() {
            let before = taken.insert(text.own_id.clone(), text);
            assert!(before.is_none(), "the carrier was given {:?} twice", before);
        }
        let count = taken.len();
        for (id, words) in accepted {
            let fate = fates
                .remove(id)
                .unwrap_or_else(|| panic!("{id} was accepted and is lost"));
            let Some(text) = taken.remove(id) else {
                assert!(words.starts_with(REFUSED), "the carrier never got {id}: {words}");
                assert_eq!((fate.status.as_str(), fate.told), ("FAILED", [0, 0, 1]), "{id}");
                continue;
            };
            assert_eq!(&text.words, words, "{id}");
            assert_eq!(
                fate.carrier_ref.as_deref(),
                Some(text.sid.as_str()),
                "{id}, {words}"
            );
            let (status, told) = if text.arrives {
                ("DELIVERED", [1, 1, 0])
            } else {
                ("FAILED", [1, 0, 1])
            };
            assert_eq!((fate.status.as_str(), fate.told), (status, told), "{id}, {words}");
        }
        assert!(fates.is_empty(), "nobody was told of {:?}", fates.keys());
        assert!(taken.is_empty(), "the carrier has what nobody sent: {taken:?}");
        count
    }
}
