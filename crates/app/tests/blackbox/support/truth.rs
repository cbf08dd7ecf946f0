//! What is in the database, held against what was acknowledged.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use trunkline_store::{Conn, Db, Json, StoreError, TeamKey, params, teams};
use trunkline_testkit::db::faults;

use super::load::{Done, Op, close, database};
use super::program::Place;

/// What a team has.
pub struct Truth {
    pub texts: Vec<Text>,
    pub calls: Vec<Call>,
    /// Topic, timeline number, payload.
    events: Vec<(String, Option<i64>, Value)>,
    summaries: HashMap<i64, (String, i64)>,
    /// The ids of calls with a transcript.
    pub transcribed: Vec<String>,
    faults: Vec<String>,
}

pub struct Text {
    seq: i64,
    pub id: String,
    pub content: String,
    reference: Option<String>,
}

pub struct Call {
    seq: i64,
    id: String,
    contact: String,
    tags: Vec<String>,
    phase: String,
}

/// Reads everything of the only team; on SQLite, the file is checked too.
pub async fn read(place: &Place) -> Truth {
    let db = database(place);
    let truth = all(&db).await;
    close(db).await;
    truth
}

/// Whose calls are not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Anybody's.
    Any,
    /// Those of processes that are gone: all but the one that was started last.
    Abandoned,
}

/// Counts calls that are not completed.
pub async fn live(db: &Db, whose: Live) -> i64 {
    let sql = match whose {
        Live::Any => "SELECT COUNT(*) FROM calls WHERE phase <> 'COMPLETED'",
        Live::Abandoned => {
            "SELECT COUNT(*) FROM calls WHERE phase <> 'COMPLETED'
                AND node <> (SELECT node FROM nodes ORDER BY started_at DESC LIMIT 1)"
        }
    };
    let count: Result<Option<i64>, StoreError> =
        db.scan(move |conn| conn.row(sql, &[], |row| row.get(0))).await;
    count.expect("calls").unwrap_or(0)
}

async fn all(db: &Db) -> Truth {
    let has_file = db.engine() == "SQLite";
    let read: Result<Truth, StoreError> = db
        .scan(move |conn| {
            let team = teams::list(conn)?
                .first()
                .map(|team| team.key)
                .unwrap_or(TeamKey(0));
            let mut faults = faults(conn, team)?;
            if has_file {
                let checked = conn.rows("PRAGMA integrity_check", &[], |row| row.get::<String>(0))?;
                faults.extend(checked.into_iter().filter(|line| line != "ok"));
            }
            Ok(Truth {
                texts: texts(conn, team)?,
                calls: calls(conn, team)?,
                events: events(conn, team)?,
                summaries: summaries(conn, team)?,
                transcribed: conn.rows(TRANSCRIBED, params![team], |row| row.get(0))?,
                faults,
            })
        })
        .await;
    read.expect("the rows of the team")
}

const TRANSCRIBED: &str = "SELECT i.id FROM items i
    JOIN transcripts t ON t.team_id = i.team_id AND t.seq = i.seq WHERE i.team_id = $1";

fn texts(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<Text>, StoreError> {
    let sql = "SELECT i.seq, i.id, m.content, m.carrier_ref FROM items i
                 JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq WHERE i.team_id = $1";
    conn.rows(sql, params![team], |row| {
        Ok(Text {
            seq: row.get(0)?,
            id: row.get(1)?,
            content: row.get(2)?,
            reference: row.get(3)?,
        })
    })
}

fn calls(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<Call>, StoreError> {
    let sql = "SELECT i.seq, i.id, i.contact_number, i.tags, c.phase FROM items i
                 JOIN calls c ON c.team_id = i.team_id AND c.seq = i.seq WHERE i.team_id = $1";
    conn.rows(sql, params![team], |row| {
        let tags: Option<Json<Vec<String>>> = row.get(3)?;
        Ok(Call {
            seq: row.get(0)?,
            id: row.get(1)?,
            contact: row.get(2)?,
            tags: tags.map(|tags| tags.0).unwrap_or_default(),
            phase: row.get(4)?,
        })
    })
}

fn events(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<(String, Option<i64>, Value)>, StoreError> {
    let sql = "SELECT topic, item, payload FROM events WHERE team_id = $1 ORDER BY seq";
    conn.rows(sql, params![team], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<Json<Value>>(2)?.0))
    })
}

fn summaries(conn: &mut Conn<'_>, team: TeamKey) -> Result<HashMap<i64, (String, i64)>, StoreError> {
    let sql = "SELECT seq, content, version FROM summaries WHERE team_id = $1";
    let rows = conn.rows(sql, params![team], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    Ok(rows.into_iter().collect())
}

impl Truth {
    /// Everything at once: see the other assertions.
    pub fn assert_agrees_with(&self, done: &[Done]) {
        self.assert_sound();
        self.assert_texts(done);
        let calls = self.assert_calls(done);
        self.assert_tags(done, &calls);
        self.assert_summaries(done, &calls);
    }

    /// What is kept twice agrees, the file is whole, and every call lived its life.
    pub fn assert_sound(&self) {
        assert!(
            self.faults.is_empty(),
            "the store contradicts itself:\n{}",
            self.faults.join("\n")
        );
        self.assert_lives();
    }

    /// Each acknowledged text is there once, nothing else is, and it was told of once.
    fn assert_texts(&self, done: &[Done]) {
        let mut expected = HashMap::new();
        for done in done {
            if let Op::Text {
                content, reference, ..
            } = &done.op
            {
                assert!(
                    expected.insert(done.id.clone(), (content, reference)).is_none(),
                    "{} twice",
                    done.id
                );
            }
        }
        let received = self.events_of("sms.received");
        let mut contents = HashMap::new();
        for Text {
            seq,
            id,
            content,
            reference,
        } in &self.texts
        {
            assert!(
                contents.insert(content, id).is_none(),
                "{content:?} is there twice"
            );
            let (sent, known_as) = expected
                .remove(id)
                .unwrap_or_else(|| panic!("nobody was told of {id}: {content:?}"));
            assert_eq!((sent, Some(known_as)), (content, reference.as_ref()), "{id}");
            assert_eq!(received.get(seq), Some(&1), "sms.received of {id}");
        }
        assert!(expected.is_empty(), "acknowledged and lost: {expected:?}");
    }

    /// Each acknowledged call is there once, and nothing else is.
    fn assert_calls<'t>(&'t self, done: &[Done]) -> HashMap<&'t str, &'t Call> {
        let mut expected = HashMap::new();
        for done in done {
            if let Op::Call { contact, .. } = &done.op {
                assert!(
                    expected.insert(done.id.clone(), contact.clone()).is_none(),
                    "{} twice",
                    done.id
                );
            }
        }
        let mut contacts = HashMap::new();
        for Call { id, contact, .. } in &self.calls {
            assert!(
                contacts.insert(contact, id).is_none(),
                "{contact} rang twice for one request"
            );
            let called = expected
                .remove(id)
                .unwrap_or_else(|| panic!("nobody was told of {id} with {contact}"));
            assert_eq!(&called, contact);
        }
        assert!(expected.is_empty(), "acknowledged and lost: {expected:?}");
        self.calls.iter().map(|call| (call.id.as_str(), call)).collect()
    }

    /// Each acknowledged tag is on its call, and was told of once.
    fn assert_tags(&self, done: &[Done], calls: &HashMap<&str, &Call>) {
        let mut added: HashMap<(String, String), usize> = HashMap::new();
        for (topic, _, payload) in &self.events {
            if topic == "tag.added" {
                let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
                *added.entry((text("call_id"), text("tag_key"))).or_default() += 1;
            }
        }
        for done in done {
            if let Op::Tag { call, tag } = &done.op {
                assert!(
                    calls[call.as_str()].tags.contains(tag),
                    "{call} lost the tag {tag}"
                );
                assert_eq!(
                    added.get(&(call.clone(), tag.clone())),
                    Some(&1),
                    "tag.added of {tag} on {call}"
                );
            }
        }
        let on_calls: usize = self.calls.iter().map(|call| call.tags.len()).sum();
        assert_eq!(
            added.values().sum::<usize>(),
            on_calls,
            "tag.added, and tags on calls"
        );
    }

    /// Each call has the summary that was acknowledged last, in as many versions as were acknowledged.
    fn assert_summaries(&self, done: &[Done], calls: &HashMap<&str, &Call>) {
        let mut written: HashMap<&str, (&str, i64)> = HashMap::new();
        for done in done {
            if let Op::Summary { call, content } = &done.op {
                let version = written.get(call.as_str()).map_or(0, |(_, version)| *version) + 1;
                written.insert(call, (content, version));
            }
        }
        assert_eq!(self.summaries.len(), written.len());
        let told = self.events_of("summary.updated");
        for (call, (content, version)) in written {
            let seq = calls[call].seq;
            let (kept, kept_version) = &self.summaries[&seq];
            assert_eq!(
                (kept.as_str(), *kept_version),
                (content, version),
                "the summary of {call}"
            );
            assert_eq!(
                told.get(&seq).copied(),
                usize::try_from(version).ok(),
                "summary.updated of {call}"
            );
        }
    }

    /// Each call began, ended and was completed once, in this order.
    fn assert_lives(&self) {
        let mut lives: HashMap<i64, Vec<&str>> = HashMap::new();
        for (topic, item, _) in &self.events {
            let step = match topic.as_str() {
                "call.received" | "call.triggered" => "rings",
                "call.answered" => "is answered",
                "call.ended" => "ends",
                "call.completed" => "is complete",
                _ => continue,
            };
            lives
                .entry(item.expect("the item of an event about a call"))
                .or_default()
                .push(step);
        }
        assert_eq!(lives.len(), self.calls.len());
        for Call { seq, id, phase, .. } in &self.calls {
            let life: Vec<&str> = lives[seq]
                .iter()
                .copied()
                .filter(|step| *step != "is answered")
                .collect();
            assert_eq!(life, ["rings", "ends", "is complete"], "{id}: {:?}", lives[seq]);
            assert!(lives[seq].len() <= 4, "{id}: {:?}", lives[seq]);
            assert_eq!(phase, "COMPLETED", "{id}");
        }
    }

    /// What happened.
    pub fn topics(&self) -> HashSet<&str> {
        self.events.iter().map(|(topic, ..)| topic.as_str()).collect()
    }

    /// How often this happened.
    pub fn count_of(&self, wanted: &str) -> usize {
        self.events.iter().filter(|(topic, ..)| topic == wanted).count()
    }

    fn events_of(&self, wanted: &str) -> HashMap<i64, usize> {
        let mut counts = HashMap::new();
        for (_, item, _) in self.events.iter().filter(|(topic, ..)| topic == wanted) {
            *counts.entry(item.expect("the item of an event")).or_default() += 1;
        }
        counts
    }
}
