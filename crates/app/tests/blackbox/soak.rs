//! Readers and writers at once: every answer fits together, and at the end every total is what the rows say.

mod heavy {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::task::JoinSet;

    use crate::support::api::{Api, in_query};
    use crate::support::load::{LINES, Load, Pace, Team};
    use crate::support::program::Place;
    use crate::support::{Random, eventually, now, since, tell, truth};

    const PACE: Pace = Pace {
        clients: 3,
        pause_ms: 12,
        long_calls: 1_000,
    };

    /// Contacts that nobody writes to while the others write.
    const QUIET: u64 = 130;

    /// What each kind of reader does, so often.
    const WALKS: u64 = 12;
    const FRIENDS: u64 = 60;
    const LOOKS: u64 = 300;
    const CROWD: u64 = 900;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        soak(Place::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        soak(Place::postgres()).await;
    }

    async fn soak(place: Place) {
        let team = Team::make(&place).await;
        let server = place.serve().await;
        let api = Api::new(&server.url, &team.key);
        let quiet = Arc::new(write_to_the_quiet(&api).await);
        let load = Load::start(api.clone(), PACE, 3);
        eventually(Duration::from_secs(30), "writes", async || {
            (load.acknowledged() > 100).then_some(())
        })
        .await;
        let start = now();

        let mut readers = JoinSet::new();
        readers.spawn(walk_items(api.clone(), quiet.clone(), "DATE_DESC"));
        readers.spawn(walk_items(api.clone(), quiet.clone(), "DATE_ASC"));
        readers.spawn(walk_items(api.clone(), quiet.clone(), "RELEVANCE"));
        readers.spawn(walk_conversations(api.clone(), quiet.clone()));
        readers.spawn(befriend(api.clone(), 1));
        readers.spawn(befriend(api.clone(), 2));
        readers.spawn(look_around(api.clone(), 3));
        readers.spawn(look_around(api.clone(), 4));
        let crowd = Arc::new(AtomicU64::new(0));
        for reader in 0..3 {
            readers.spawn(write_to_a_crowd(api.clone(), crowd.clone()));
            readers.spawn(watch_the_crowd(api.clone(), crowd.clone(), reader));
        }
        readers.join_all().await;
        let acknowledged = load.acknowledged();
        drop(load.finish().await);
        let elapsed = since(start);

        let everything = api.search(&json!({ "size": 1 })).await["pagination"]["total_count"].clone();
        let by_text = api.count("words found again").await;
        server.stop().await;
        let truth = truth::read(&place).await;
        truth.assert_sound();
        assert_eq!(everything, truth.texts.len() + truth.calls.len());
        let by_rows = truth
            .texts
            .iter()
            .filter(|text| text.content.ends_with("words to be found again"))
            .count();
        assert_eq!(by_text, i64::try_from(by_rows).expect("a count"));
        tell(format!(
            "{acknowledged} writes beside all readers, {} ms",
            elapsed.as_millis()
        ));
    }

    /// Texts of contacts that are left alone afterwards: their ids, by contact.
    async fn write_to_the_quiet(api: &Api) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for number in 0..QUIET {
            let contact = format!("+49301234{number:04}");
            let text = json!({ "from": contact, "to": LINES[0], "content": "quiet words to be found again" });
            let id = api.post("/sandbox/messages", &text).await.data()["id"]
                .as_str()
                .expect("an id")
                .to_owned();
            all.push((contact, id));
        }
        all
    }

    /// What holds of every page.
    fn assert_fits(page: &Value, size: usize) -> (Vec<String>, Option<String>) {
        let entries = page["data"].as_array().expect("data");
        let paging = &page["pagination"];
        let (total, more) = (
            paging["total_count"].as_u64().expect("total_count"),
            paging["has_more"].as_bool(),
        );
        assert!(
            entries.len() <= size,
            "{} entries on a page of {size}",
            entries.len()
        );
        assert!(
            total >= entries.len() as u64,
            "{} entries of {total}: {paging}",
            entries.len()
        );
        let next = paging["next_cursor"].as_str().map(str::to_owned);
        assert_eq!(more, Some(next.is_some()), "{paging}");
        assert!(
            next.is_none() || entries.len() == size,
            "a short page in the middle: {paging}"
        );
        assert!(
            next.is_none() || total > entries.len() as u64,
            "something follows, but: {paging}"
        );
        let key = if entries.iter().any(|entry| entry["id"].is_null()) {
            "contact_number"
        } else {
            "id"
        };
        let keys = entries
            .iter()
            .map(|entry| entry[key].as_str().expect("an id or a number").to_owned());
        (keys.collect(), next)
    }

    /// Pages through everything, again and again: nothing comes twice, and what was there before is never left out.
    async fn walk_items(api: Api, quiet: Arc<Vec<(String, String)>>, sort: &str) {
        for round in 0..WALKS {
            let (size, mut cursor, mut seen) = (
                23 + usize::try_from(round).expect("a size") * 6,
                None,
                HashSet::new(),
            );
            loop {
                let mut wanted = json!({ "sort": sort, "size": size, "cursor": cursor });
                if sort == "RELEVANCE" {
                    wanted["search"] = "words".into();
                }
                let (ids, next) = assert_fits(&api.search(&wanted).await, size);
                for id in ids {
                    assert!(seen.insert(id.clone()), "{id} came twice, by {sort}");
                }
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            let missing: Vec<_> = quiet.iter().filter(|(_, id)| !seen.contains(id)).collect();
            assert!(missing.is_empty(), "left out by {sort}: {missing:?}");
        }
    }

    async fn walk_conversations(api: Api, quiet: Arc<Vec<(String, String)>>) {
        for round in 0..WALKS {
            let (size, mut cursor, mut seen) = (
                11 + usize::try_from(round).expect("a size"),
                String::new(),
                HashSet::new(),
            );
            loop {
                let path = format!(
                    "/v2/api/conversations?allo_number={}&size={size}{cursor}",
                    in_query(LINES[0])
                );
                let reply = api.get(&path).await;
                assert_eq!(reply.status, 200, "{}", reply.text);
                let (contacts, next) = assert_fits(&reply.json, size);
                for contact in contacts {
                    assert!(seen.insert(contact.clone()), "{contact} came twice");
                }
                let Some(next) = next else { break };
                cursor = format!("&cursor={next}");
            }
            let missing: Vec<_> = quiet
                .iter()
                .filter(|(contact, _)| !seen.contains(contact))
                .collect();
            assert!(missing.is_empty(), "left out: {missing:?}");
        }
    }

    /// A contact of its own: what was just written is what is read.
    async fn befriend(api: Api, number: u64) {
        let contact = format!("+4420794600{number:02}");
        let list = format!("/v2/api/conversations?allo_number={}", in_query(LINES[1]));
        let action = format!("/v2/api/conversations/{}/action", in_query(&contact));
        let standing = async |path: String| {
            let page = api.get(&path).await;
            let found = page
                .data()
                .as_array()
                .expect("data")
                .iter()
                .find(|one| one["contact_number"] == contact.as_str());
            found.map(|one| {
                (
                    one["unread"] == true,
                    one["archived"] == true,
                    one["last_item"]["id"].clone(),
                )
            })
        };
        for round in 1..=FRIENDS {
            let text = json!({ "from": contact, "to": LINES[1], "content": format!("friend{number}at{round} is here") });
            let id = api.post("/sandbox/messages", &text).await.data()["id"].clone();
            let (unread, archived, last) = standing(format!("{list}&size=100"))
                .await
                .expect("the conversation");
            assert_eq!((unread, archived, &last), (true, false, &id));
            assert_eq!(api.count(&format!("friend{number}at{round}")).await, 1);
            let with = api
                .search(&json!({ "contact_number": contact, "size": 100 }))
                .await;
            assert_eq!(with["pagination"]["total_count"], round);
            assert_fits(&with, 100);
            let item = api
                .get(&format!(
                    "/v2/api/conversations/items/{}",
                    id.as_str().expect("an id")
                ))
                .await;
            assert_eq!(item.data()["content"], text["content"]);

            let (action_name, unread) = [("READ", false), ("ARCHIVE", false), ("UNREAD", true)]
                [usize::try_from(round % 3).expect("an index")];
            let body = json!({ "action": action_name, "allo_number": LINES[1] });
            assert_eq!(api.put(&action, &body).await.status, 200);
            let filtered = format!("{list}&unread={unread}&size=100");
            let (is_unread, ..) = standing(filtered)
                .await
                .unwrap_or_else(|| panic!("not among unread={unread}"));
            assert_eq!(is_unread, unread);
            let others = standing(format!("{list}&unread={}&size=100", !unread)).await;
            assert!(others.is_none(), "both read and unread");
        }
    }

    /// Few texts each to many contacts, one after the other, by several writers at once: totals change while they are
    /// counted.
    async fn write_to_a_crowd(api: Api, crowd: Arc<AtomicU64>) {
        loop {
            let number = crowd.fetch_add(1, Ordering::SeqCst);
            if number >= CROWD {
                return;
            }
            let text = json!({ "from": member(number), "to": LINES[1], "content": "one of many" });
            assert_eq!(api.post("/sandbox/messages", &text).await.status, 201);
        }
    }

    fn member(number: u64) -> String {
        format!("+3491234{:05}", number / 30)
    }

    async fn watch_the_crowd(api: Api, crowd: Arc<AtomicU64>, reader: u64) {
        loop {
            let number = crowd.load(Ordering::SeqCst);
            if number >= CROWD {
                return;
            }
            let path = format!(
                "/v2/api/conversations?allo_number={}&unread=true&size=100",
                in_query(LINES[1])
            );
            match reader {
                0 => drop(assert_fits(&api.get(&path).await.json, 100)),
                _ => drop(assert_fits(
                    &api.search(&json!({ "contact_number": member(number), "size": 100 }))
                        .await,
                    100,
                )),
            }
        }
    }

    /// Small answers that change at every moment.
    async fn look_around(api: Api, seed: u64) {
        let mut random = Random::new(seed);
        let mut known: Vec<String> = Vec::new();
        for _ in 0..LOOKS {
            match random.below(4) {
                0 => {
                    let contact = format!("+1415555{:04}", 1_000 + random.below(150));
                    assert_fits(
                        &api.search(&json!({ "contact_number": contact, "size": 100 }))
                            .await,
                        100,
                    );
                }
                1 => {
                    let tag = format!("tag-{}", random.below(40));
                    let found = api.search(&json!({ "tags": [tag], "size": 100 })).await;
                    let (ids, _) = assert_fits(&found, 100);
                    for item in found["data"].as_array().into_iter().flatten() {
                        assert!(
                            item["tags"]
                                .as_array()
                                .is_some_and(|tags| tags.contains(&tag.as_str().into())),
                            "{item}"
                        );
                    }
                    known.extend(ids);
                }
                2 => {
                    let unread = random.below(2) == 0;
                    let path = format!(
                        "/v2/api/conversations?allo_number={}&unread={unread}&size=100",
                        in_query(LINES[0])
                    );
                    let page = api.get(&path).await;
                    assert_fits(&page.json, 100);
                    let wrong = page
                        .data()
                        .as_array()
                        .into_iter()
                        .flatten()
                        .find(|one| one["unread"] != unread);
                    assert!(wrong.is_none(), "asked for unread={unread}: {wrong:?}");
                }
                _ => {
                    let start = known.len().saturating_sub(50);
                    let mut ids: Vec<String> = Vec::new();
                    for id in &known[start..] {
                        if !ids.contains(id) {
                            ids.push(id.clone());
                        }
                    }
                    let reply = api
                        .post("/v2/api/conversations/items/batch", &json!({ "ids": ids }))
                        .await;
                    let items = reply.data().as_array().expect("data");
                    assert_eq!(
                        items
                            .iter()
                            .map(|item| item["id"].as_str().expect("an id"))
                            .collect::<Vec<_>>(),
                        ids
                    );
                }
            }
        }
    }
}
