//! SIGKILL at any moment, while clients write and webhooks are delivered: every event reaches every endpoint that asked
//! for it, and nothing is stuck.

mod heavy {
    use std::collections::{BTreeSet, HashSet};
    use std::sync::Arc;
    use std::time::Duration;

    use parking_lot::Mutex;
    use serde_json::json;
    use trunkline_domain::events::Topic;
    use trunkline_domain::{DeliveryId, DeliveryState, EndpointId};
    use trunkline_store::{Db, StoreError, TeamKey, events, teams, webhook_messages, webhooks};
    use trunkline_testkit::catcher::{Answer, Catcher};
    use trunkline_testkit::db::Seed;

    use crate::support::api::Api;
    use crate::support::load::{Load, Pace, Team, close, database};
    use crate::support::program::Place;
    use crate::support::{Random, eventually, tell};

    /// How often the server is killed on SQLite, unless this variable says otherwise.
    const ROUNDS: (&str, u32) = ("TRUNKLINE_TEST_KILL_ROUNDS", 20);

    /// What a killed process had claimed is due again after a minute, and what failed once after five seconds.
    const PATIENCE: Duration = Duration::from_secs(180);

    const PACE: Pace = Pace {
        clients: 6,
        pause_ms: 20,
        long_calls: 4,
    };

    const TOPICS: [Topic; 5] = [
        Topic::CallReceived,
        Topic::CallEnded,
        Topic::CallCompleted,
        Topic::SmsReceived,
        Topic::TagAdded,
    ];

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

    /// A receiver, and the endpoint that leads to it.
    struct Receiver {
        catcher: Catcher,
        id: EndpointId,
        number: i64,
        /// The team's last event when it was made.
        since: i64,
    }

    async fn survive(place: Place, rounds: u32, seed: u64) {
        let place = place
            .with("TRUNKLINE_WEBHOOKS_ALLOW_HTTP", "true")
            .with("TRUNKLINE_WEBHOOKS_ALLOW_HOSTS", "127.0.0.1");
        let team = Team::make(&place).await;
        let db = database(&place);
        let receivers = make_receivers(&place, &team, &db).await;
        let mut random = Random::new(seed);
        let load = Load::start(Api::new("http://127.0.0.1:9", &team.key), PACE, seed);
        for _ in 0..rounds {
            let server = place.serve().await;
            load.api.moved(&server.url);
            tokio::time::sleep(random.millis(150, 1_200)).await;
            server.kill().await;
        }
        let server = place.serve().await;
        load.api.moved(&server.url);
        let written = load.finish().await.len();

        // Calls of servers that are gone are ended even later: what that tells is not waited for.
        let until = eventually(PATIENCE, "every message is settled", async || settled(&db).await).await;
        server.stop().await;
        let (mut messages, mut repeated) = (0, 0);
        for receiver in &receivers {
            let (sent, more) = assert_everything_arrived(&db, receiver, until).await;
            messages += sent;
            repeated += more;
        }
        close(db).await;
        assert!(messages > 100, "only {messages} messages");
        tell(format!(
            "{rounds} kills, {written} acknowledged writes, {messages} messages; {repeated} were sent more than once \
             ({:.2} %)",
            100.0 * repeated as f64 / messages as f64
        ));
    }

    /// Two receivers that take everything, and one that refuses every third message the first time.
    async fn make_receivers(place: &Place, team: &Team, db: &Db) -> Vec<Receiver> {
        let server = place.serve().await;
        let api = Api::new(&server.url, &team.key);
        let key = team_key(db).await;
        let mut receivers = Vec::new();
        for flaps in [false, false, true] {
            let catcher = Catcher::start().await;
            if flaps {
                let seen = Arc::new(Mutex::new(HashSet::new()));
                catcher.answer_with(move |request| {
                    let is_new = seen.lock().insert(request.id().to_owned());
                    if is_new && request.number.is_multiple_of(3) {
                        Answer::status(503)
                    } else {
                        Answer::ok()
                    }
                });
            }
            let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.as_str()).collect();
            let made = api
                .post(
                    "/v2/api/webhooks",
                    &json!({ "url": catcher.url(), "topics": topics }),
                )
                .await;
            assert_eq!(made.status, 201, "{}", made.text);
            let id = made.data()["id"]
                .as_str()
                .and_then(|id| EndpointId::parse(id).ok());
            let id = id.expect("the id of an endpoint");
            let read: Result<_, StoreError> = db
                .read(move |conn| Ok((webhooks::get(conn, key, id)?, teams::last_event(conn, key)?)))
                .await;
            let (row, since) = read.expect("the endpoint");
            let number = row.expect("the endpoint").endpoint;
            receivers.push(Receiver {
                catcher,
                id,
                number,
                since,
            });
        }
        server.stop().await;
        receivers
    }

    async fn team_key(db: &Db) -> TeamKey {
        let all: Result<_, StoreError> = db.read(teams::list).await;
        all.expect("teams").first().expect("a team").key
    }

    /// The team's last event, if everything up to it was fanned out and no message is to be sent.
    async fn settled(db: &Db) -> Option<i64> {
        let team = team_key(db).await;
        let read: Result<_, StoreError> = db
            .read(move |conn| {
                let last = teams::last_event(conn, team)?;
                let is_settled = webhooks::ahead(conn)?.is_empty()
                    && webhooks::due(conn)?.iter().all(|next| next.due_at.is_none());
                Ok(is_settled.then_some(last))
            })
            .await;
        read.expect("the state of the messages")
    }

    /// Returns how many messages there are for the receiver, and how many of them came more than once.
    /// What happened after event `until` may have arrived or not.
    async fn assert_everything_arrived(db: &Db, receiver: &Receiver, until: i64) -> (usize, usize) {
        let (team, number, since) = (team_key(db).await, receiver.number, receiver.since);
        let read: Result<_, StoreError> = db
            .read(move |conn| {
                let log = events::after(conn, team, since, i64::MAX)?;
                Ok((
                    log,
                    webhook_messages::page(conn, team, number, i64::MAX, i64::MAX)?,
                ))
            })
            .await;
        let (log, mut messages) = read.expect("the event log");
        let (expected, later): (Vec<_>, Vec<_>) = log
            .iter()
            .filter(|event| TOPICS.contains(&event.topic))
            .map(|event| {
                (
                    event.seq,
                    DeliveryId::of(receiver.id, event.seq, event.at).to_string(),
                )
            })
            .partition(|(event, _)| *event <= until);
        let [expected, later] =
            [expected, later].map(|all| all.into_iter().map(|(_, id)| id).collect::<BTreeSet<_>>());
        messages.retain(|message| message.event <= until);
        let (all, ids) = (receiver.catcher.received(), receiver.catcher.ids());
        let lost: Vec<&String> = expected.difference(&ids).take(10).collect();
        assert!(lost.is_empty(), "these never arrived: {lost:?}");
        let strange: Vec<&String> = ids
            .difference(&expected)
            .filter(|id| !later.contains(*id))
            .take(10)
            .collect();
        assert!(strange.is_empty(), "nobody asked for these: {strange:?}");
        assert_eq!(
            messages.len(),
            expected.len(),
            "messages, and events that were asked for"
        );
        for message in &messages {
            assert_eq!(message.state, DeliveryState::Delivered, "{message:?}");
        }
        let mut seen = HashSet::new();
        let repeated: HashSet<&str> = all
            .iter()
            .map(|received| received.id())
            .filter(|id| !seen.insert(*id))
            .collect();
        (expected.len(), repeated.len())
    }
}
