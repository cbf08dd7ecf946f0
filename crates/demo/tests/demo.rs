//! The demo team, its traffic, and seeded teams, on SQLite.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use trunkline_demo::corpus::{self, Language};
use trunkline_demo::{BuildOptions, SeedOptions, World};
use trunkline_domain::events::Topic;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::text::words;
use trunkline_domain::{
    CallResult, Clock, Direction, ErrorCode, ItemKind, ManualClock, MessageStatus, Millis, PhoneNumber,
    SeededIds, SystemClock,
};
use trunkline_messaging::play::Player;
use trunkline_store::conversations::{self, ConversationFilter, ConversationRow, Position};
use trunkline_store::events::{self, EventRow};
use trunkline_store::items::{self, ItemRow, ItemTexts};
use trunkline_store::numbers::NumberRow;
use trunkline_store::{
    Conn, Db, DbOptions, Location, StoreError, TeamKey, calls, contacts, directory, jobs, messages, numbers,
    tags, teams, text_consents, text_queue,
};
use trunkline_switchboard::{Error, Switchboard};

const PUBLIC_URL: &str = "https://phone.example/";

/// A Thursday, late in the morning in Paris.
fn now() -> Millis {
    Millis::parse("2026-03-12T10:30:00Z").unwrap()
}

struct Fresh {
    db: Db,
    _folder: TempDir,
}

impl Fresh {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("demo.db"));
        Self {
            db: Db::migrate(&location, DbOptions::default()).unwrap(),
            _folder: folder,
        }
    }

    async fn build(&self, options: &BuildOptions) -> World {
        let mut told = Vec::new();
        let ids = Arc::new(SeededIds::new(7));
        let world = trunkline_demo::build(&self.db, ids, now(), options, |done, all| told.push((done, all)))
            .await
            .unwrap();
        assert!(told.is_sorted());
        assert_eq!(
            (told[0], *told.last().unwrap()),
            ((0, options.items), (options.items, options.items))
        );
        world
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Conn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.db.scan(read).await.unwrap()
    }

    async fn items(&self, team: TeamKey) -> Vec<ItemTexts> {
        self.read(move |conn| {
            let last = items::last_seq(conn, team)?;
            items::texts(conn, team, 1, last)
        })
        .await
    }

    async fn events(&self, team: TeamKey) -> Vec<EventRow> {
        self.read(move |conn| events::after(conn, team, 0, 1_000_000))
            .await
    }

    async fn conversations(&self, team: TeamKey) -> Vec<ConversationRow> {
        self.read(move |conn| {
            let mut all = Vec::new();
            for line in numbers::list(conn, team)? {
                let filter = ConversationFilter::default();
                all.extend(conversations::list(
                    conn,
                    team,
                    line.line,
                    filter,
                    Position::Offset(0),
                    1_000_000,
                )?);
            }
            Ok(all)
        })
        .await
    }
}

fn options(items: usize) -> BuildOptions {
    BuildOptions {
        items,
        ..BuildOptions::new(PUBLIC_URL)
    }
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

/// The newest item and the count of each conversation are what its items say.
fn assert_conversations(conversations: &[ConversationRow], items: &[ItemTexts]) {
    let mut told: HashMap<i64, (Millis, i64, i64)> = HashMap::new();
    for ItemRow {
        conversation,
        at,
        seq,
        ..
    } in items.iter().map(|with| &with.item)
    {
        let newest = told.entry(*conversation).or_insert((*at, *seq, 0));
        (newest.0, newest.1) = (newest.0, newest.1).max((*at, *seq));
        newest.2 += 1;
    }
    assert_eq!(told.len(), conversations.len());
    for row in conversations {
        assert_eq!(
            told[&row.conversation],
            (row.last_at, row.last_item, row.items),
            "{row:?}"
        );
    }
}

/// Every call rang, ended and was completed, each once.
fn assert_calls_are_over(events: &[EventRow]) -> usize {
    let mut per_item: BTreeMap<i64, [usize; 3]> = BTreeMap::new();
    for event in events {
        let place = match event.topic {
            Topic::CallReceived | Topic::CallTriggered => 0,
            Topic::CallEnded => 1,
            Topic::CallCompleted => 2,
            _ => continue,
        };
        per_item.entry(event.item.unwrap()).or_default()[place] += 1;
    }
    assert!(
        per_item.values().all(|counts| *counts == [1, 1, 1]),
        "{per_item:?}"
    );
    per_item.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_team_is_what_the_product_would_have_written() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(1_500)).await;
    let team = world.team;
    assert_eq!(
        (world.users.len(), world.lines.len(), world.contacts.len()),
        (6, 4, 300)
    );

    let items = fresh.items(team).await;
    let count = items.len();
    assert_eq!(count, 1_500);
    let rows: Vec<&ItemRow> = items.iter().map(|with| &with.item).collect();
    assert!(
        rows.iter()
            .all(|row| row.at > now().plus(-90 * Millis::DAY) && row.at < now())
    );
    assert!(
        rows.iter().map(|row| (row.at, row.seq)).is_sorted(),
        "stored in the order they happened"
    );

    let in_calls = rows.iter().filter(|row| row.kind == ItemKind::Call).count();
    assert!((0.5..0.6).contains(&share(in_calls, count)), "{in_calls} calls");
    for direction in [Direction::Inbound, Direction::Outbound] {
        let that_way = rows.iter().filter(|row| row.direction == direction).count();
        assert!(share(that_way, count) > 0.35, "{that_way} {direction}");
    }
    for result in CallResult::ALL {
        assert!(
            rows.iter().any(|row| row.result == Some(*result)),
            "no call was {result}"
        );
    }
    let answered = rows
        .iter()
        .filter(|row| row.result == Some(CallResult::Answered))
        .count();
    assert!(
        share(answered, in_calls) > 0.5,
        "{answered} of {in_calls} answered"
    );

    let events = fresh.events(team).await;
    assert!(
        events
            .iter()
            .all(|event| event.at < now() && event.at > now().plus(-100 * Millis::DAY))
    );
    assert_eq!(assert_calls_are_over(&events), in_calls);
    assert_eq!(fresh.read(|conn| calls::live(conn, None, 10)).await, []);
    assert_eq!(fresh.read(text_queue::lanes).await, []);
    assert_eq!(
        fresh
            .read(|conn| jobs::next_due(conn, &trunkline_messaging::worker::KINDS, Millis(i64::MAX)))
            .await,
        None
    );
    assert_conversations(&fresh.conversations(team).await, &items);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_one_line_of_each_state_and_some_who_opted_out() {
    let fresh = Fresh::new();
    let team = fresh.build(&options(1_500)).await.team;
    let lines = fresh.read(move |conn| numbers::list(conn, team)).await;
    let status = |status| {
        lines
            .iter()
            .filter(|line| line.sender_id_status == Some(status))
            .count()
    };
    assert_eq!(
        (status(SenderIdStatus::Active), status(SenderIdStatus::Pending)),
        (1, 1)
    );
    let american = |registered| {
        let of_us = |line: &&NumberRow| line.number.is_some() && line.country.as_deref() == Some("US");
        lines
            .iter()
            .filter(of_us)
            .filter(|line| line.a2p_registered == registered)
            .count()
    };
    assert_eq!((american(true), american(false)), (1, 1));

    let items = fresh.items(team).await;
    let registered = lines[0].line;
    let mut opted_out = 0;
    for with in &items {
        let keyword = with
            .texts
            .iter()
            .any(|text| ["STOP", "ARRET"].contains(&text.as_str()));
        if !keyword || with.item.direction != Direction::Inbound {
            continue;
        }
        let (contact, line, seq) = (with.item.contact_number, with.item.line, with.item.seq);
        let consent = fresh
            .read(move |conn| text_consents::get(conn, team, contact, line))
            .await
            .unwrap();
        assert!(consent.opted_out && consent.item == Some(seq), "{consent:?}");
        assert_eq!(
            line, registered,
            "who texts them is told of their word, and of nothing else"
        );
        let later = items[usize::try_from(seq).unwrap()..].iter();
        let later: Vec<_> = later
            .filter(|other| other.item.conversation == with.item.conversation)
            .collect();
        assert_eq!(later.len(), 1, "they are told that it is so, and then left alone");
        opted_out += 1;
    }
    assert_eq!(opted_out, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_can_be_searched_and_tagged() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(1_500)).await;
    let team = world.team;
    let items = fresh.items(team).await;
    let found = |prefixes: &[&str]| {
        let has = |with: &&ItemTexts| {
            let all = words(&with.texts.join(" "));
            prefixes
                .iter()
                .all(|prefix| all.iter().any(|word| word.starts_with(prefix)))
        };
        items.iter().filter(has).count()
    };
    assert!(found(&["bill", "ref"]) >= 5, "{}", found(&["bill", "ref"]));
    assert!(found(&["bonjour"]) > 100 && found(&["hello"]) > 100);

    let known: HashSet<&str> = corpus::TAGS.iter().map(|(key, ..)| *key).collect();
    assert!(
        items
            .iter()
            .flat_map(|with| &with.item.tags)
            .all(|tag| known.contains(tag.as_str()))
    );
    assert_eq!(
        fresh.read(move |conn| tags::list(conn, team)).await.len(),
        known.len()
    );

    let answered: Vec<i64> = items
        .iter()
        .filter(|with| {
            with.item.result == Some(CallResult::Answered) && with.item.direction == Direction::Inbound
        })
        .map(|with| with.item.seq)
        .collect();
    let details = fresh
        .read(move |conn| items::details_by_seq(conn, team, &answered))
        .await;
    for detail in &details {
        if let Some(url) = &detail.recording_url {
            assert_eq!(
                *url,
                format!("https://phone.example/sandbox/recordings/{}.wav", detail.id)
            );
        }
    }
    let summed_up = details
        .iter()
        .filter(|detail| detail.summary.is_some() && detail.recording_url.is_some())
        .count();
    assert!(share(summed_up, details.len()) > 0.85);
    assert!(
        details.iter().all(|detail| detail.user.is_some()),
        "somebody answered"
    );

    let texts: Vec<i64> = items
        .iter()
        .filter(|with| with.item.kind == ItemKind::Message)
        .map(|with| with.item.seq)
        .collect();
    let statuses = fresh
        .read(move |conn| {
            texts
                .iter()
                .map(|seq| Ok(messages::get(conn, team, *seq)?.unwrap().status))
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .await;
    assert!(
        statuses
            .iter()
            .all(|status| matches!(status, MessageStatus::Delivered | MessageStatus::Failed))
    );
    assert!(statuses.contains(&MessageStatus::Failed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_call_in_office_hours_and_some_wait_for_an_answer() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(2_000)).await;
    let items = fresh.items(world.team).await;
    let languages: HashMap<i64, Language> = world
        .lines
        .iter()
        .map(|line| (line.line, line.language))
        .collect();
    let zones = ["America/Los_Angeles", "Europe/Paris"].map(|name| TimeZone::get(name).unwrap());
    let (mut weekend, mut office, mut busy, mut french) = (0, 0, 0, 0);
    for ItemRow {
        line,
        at,
        contact_number,
        ..
    } in items.iter().map(|with| &with.item)
    {
        let language = languages[line];
        assert_eq!(
            contact_number.as_str().starts_with("+33"),
            language == Language::French
        );
        let local = zones[language as usize].to_datetime(at.timestamp());
        let off = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        weekend += usize::from(off);
        office += usize::from(!off && (8..19).contains(&local.hour()));
        busy += usize::from(!off && matches!(local.hour(), 9..12 | 14..18));
        french += usize::from(language == Language::French);
    }
    assert!(share(weekend, 2_000) < 0.04, "{weekend}");
    assert!(share(office, 2_000) > 0.9, "{office}");
    assert!(share(busy, 2_000) > 0.7, "{busy}");
    assert!((0.3..0.6).contains(&share(french, 2_000)), "{french}");

    let conversations = fresh.conversations(world.team).await;
    let unread: Vec<&ConversationRow> = conversations.iter().filter(|row| row.standing.unread).collect();
    let lately = unread
        .iter()
        .filter(|row| row.last_at > now().plus(-3 * Millis::DAY))
        .count();
    assert!(lately >= 5, "{lately} of {} unread are new", unread.len());
    assert!(
        share(unread.len(), conversations.len()) < 0.25,
        "{} of {}",
        unread.len(),
        conversations.len()
    );
    assert!(conversations.iter().any(|row| row.standing.archived));
    let known: HashSet<PhoneNumber> = world.contacts.iter().map(|contact| contact.number).collect();
    assert!(
        conversations
            .iter()
            .any(|row| !known.contains(&row.contact_number)),
        "strangers call, too"
    );

    let missed = items.iter().filter(|with| {
        with.item.result == Some(CallResult::Missed) && with.item.direction == Direction::Inbound
    });
    let called_back = |missed: &&ItemTexts| {
        items.iter().any(|with| {
            with.item.conversation == missed.item.conversation
                && with.item.direction == Direction::Outbound
                && with.item.kind == ItemKind::Call
                && with.item.at > missed.item.at
                && with.item.at < missed.item.at.plus(4 * Millis::DAY)
        })
    };
    let (missed, back) = (missed.clone().count(), missed.filter(called_back).count());
    assert!(
        share(back, missed) > 0.6,
        "{back} of {missed} missed calls were returned"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_builds_the_same_team_and_it_is_found() {
    let (one, two) = (Fresh::new(), Fresh::new());
    assert_eq!(trunkline_demo::find(&one.db).await.unwrap(), None);
    let (world, again) = (one.build(&options(400)).await, two.build(&options(400)).await);
    assert_eq!(world, again);
    assert_eq!(one.events(world.team).await, two.events(again.team).await);
    assert_eq!(trunkline_demo::find(&one.db).await.unwrap(), Some(world.clone()));

    let other = BuildOptions {
        seed: 2,
        ..options(400)
    };
    let third = Fresh::new();
    assert_ne!(third.build(&other).await.contacts, world.contacts);

    // Once there, it stays as it is.
    let (events, later) = (one.events(world.team).await, now().plus(Millis::DAY));
    let unheard = |_, _| panic!("progress, with nothing to do");
    let ids = Arc::new(SeededIds::new(8));
    let twice = trunkline_demo::build(&one.db, ids, later, &options(400), unheard).await;
    assert_eq!(twice.unwrap(), world);
    assert_eq!(one.events(world.team).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_with_the_numbers_of_the_demo_is_in_its_way() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(10)).await;
    let rename = "UPDATE teams SET name = 'Others'";
    fresh.db.write(|tx| tx.execute(rename, &[])).await.unwrap();
    let ids = Arc::new(SeededIds::new(8));
    let built = trunkline_demo::build(&fresh.db, ids, now(), &options(10), |_, _| {}).await;
    assert!(
        matches!(built, Err(Error::Refused(refused)) if refused.code == ErrorCode::NumberAlreadyAssigned)
    );
    let teams = fresh.read(teams::list).await;
    assert_eq!(
        teams.iter().map(|team| team.key).collect::<Vec<_>>(),
        [world.team],
        "a build that is refused leaves nothing"
    );
}

/// A future that is dropped after so many looks at it, if it has not ended by then.
async fn interrupted<F: Future>(future: F, looks: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = looks;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// What is the same of two teams whose ids differ.
async fn alike(of: &Fresh, team: TeamKey) -> impl PartialEq + use<> {
    let (items, events) = (of.items(team).await, of.events(team).await);
    let item = |with: &ItemTexts| {
        let ItemRow {
            seq,
            kind,
            direction,
            line,
            contact_number,
            conversation,
            at,
            result,
            duration,
            tags,
            ..
        } = with.item.clone();
        let who = (line, contact_number, conversation);
        (
            seq,
            kind,
            direction,
            who,
            at,
            (result, duration, tags),
            with.texts.clone(),
        )
    };
    let items: Vec<_> = items.iter().map(item).collect();
    let events: Vec<_> = events
        .iter()
        .map(|event| (event.seq, event.topic, event.at, event.item))
        .collect();
    (items, events)
}

/// Wherever the building of the team was interrupted, the next start finishes it, a day later too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_was_built_in_part_is_built_to_its_end() {
    let whole = Fresh::new();
    let world = whole.build(&options(400)).await;
    let expected = alike(&whole, world.team).await;
    let mut stages = HashSet::new();
    for looks in 1..30 {
        let fresh = Fresh::new();
        let ids = Arc::new(SeededIds::new(7));
        let options = options(400);
        let begun = trunkline_demo::build(&fresh.db, ids, now(), &options, |_, _| {});
        let ended = interrupted(begun, looks).await.is_some();
        // What was on its way to the disk arrives there.
        fresh.db.write(|_| Ok::<_, StoreError>(())).await.unwrap();
        let found = trunkline_demo::find(&fresh.db).await.unwrap();
        let stage = match &found {
            None => (false, false, 0),
            Some(world) => (
                true,
                !world.contacts.is_empty(),
                fresh.items(world.team).await.len(),
            ),
        };
        if !stages.insert(stage) {
            continue;
        }
        let (ids, later) = (Arc::new(SeededIds::new(8)), now().plus(Millis::DAY));
        let at = if found.is_none() { now() } else { later };
        let resumed = trunkline_demo::build(&fresh.db, ids, at, &options, |done, _| assert!(done >= stage.2))
            .await
            .unwrap();
        assert_eq!(resumed.contacts, world.contacts);
        assert_eq!(
            trunkline_demo::find(&fresh.db).await.unwrap(),
            Some(resumed.clone())
        );
        let is = alike(&fresh, resumed.team).await;
        assert!(is == expected, "interrupted at {stage:?}");
        assert_conversations(
            &fresh.conversations(resumed.team).await,
            &fresh.items(resumed.team).await,
        );
        if ended {
            break;
        }
    }
    // Which stages are met depends on how quickly the disk answers; some before the history and some within it always are.
    let is_within = |stage: &&(bool, bool, usize)| stage.2 > 0;
    let within = stages.iter().filter(is_within).count();
    assert!(
        within > 0 && stages.len() - within > 0 && stages.len() > 3,
        "interrupted at {stages:?} only"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_number_is_fictional() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(1_000)).await;
    let team = world.team;
    let lines = fresh.read(move |conn| numbers::list(conn, team)).await;
    let numbers = lines.iter().filter(|line| line.number.is_some());
    let countries: Vec<&str> = numbers.filter_map(|line| line.country.as_deref()).collect();
    assert_eq!(countries, ["US", "US", "FR", "FR"]);
    assert!(lines.iter().all(|line| line.carrier == "sandbox"));
    let partners = ["+14155550187", "+33199000187"].map(|text| PhoneNumber::parse(text).unwrap());
    let items = fresh.items(team).await;
    let outside = items
        .iter()
        .map(|with| with.item.contact_number)
        .chain(world.contacts.iter().map(|contact| contact.number));
    for number in outside
        .chain(lines.iter().filter_map(|line| line.number))
        .chain(partners)
    {
        let text = number.as_str();
        let us = text.len() == 12 && text.starts_with("+1") && &text[5..10] == "55501";
        let french = [
            "+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998",
        ];
        assert!(
            us || (text.len() == 12 && french.iter().any(|range| text.starts_with(range))),
            "{number}"
        );
    }
    for number in world.contacts.iter().map(|contact| contact.number) {
        let contact = fresh
            .read(move |conn| contacts::by_number(conn, team, number))
            .await
            .unwrap();
        assert!(contact.emails.iter().all(|email| email.ends_with(".example")) && !contact.emails.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_leaves_no_call_hanging() {
    let fresh = Fresh::new();
    let world = fresh.build(&options(100)).await;
    let team = world.team;
    let before = fresh.events(team).await.len();
    let board = Switchboard::new(
        fresh.db.clone(),
        Arc::new(SystemClock),
        Arc::new(SeededIds::new(3)),
        "test",
    );
    let stop = CancellationToken::new();
    let player = Player::new(board.clone(), stop.clone());
    let every = Duration::from_millis(10);
    let traffic = trunkline_demo::traffic(
        board,
        player.clone(),
        world,
        stop.clone(),
        every,
        PUBLIC_URL.to_owned(),
    );
    let traffic = tokio::spawn(traffic);
    let wanted = [
        Topic::CallReceived,
        Topic::CallTriggered,
        Topic::CallAnswered,
        Topic::CallTranscriptCompleted,
        Topic::CallSummaryCompleted,
        Topic::CallRecordingCompleted,
        Topic::TagAdded,
        Topic::SmsReceived,
    ];
    // A second is plenty, but not on a machine that is busy with something else.
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let live: HashSet<Topic> = fresh.events(team).await[before..]
            .iter()
            .map(|event| event.topic)
            .collect();
        if wanted.iter().all(|topic| live.contains(topic)) {
            break;
        }
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), traffic)
        .await
        .unwrap()
        .unwrap();
    player.finish().await;

    assert_eq!(fresh.read(|conn| calls::live(conn, None, 10)).await, []);
    let events = fresh.events(team).await;
    assert_calls_are_over(&events);
    let live: HashSet<Topic> = events[before..].iter().map(|event| event.topic).collect();
    assert!(wanted.iter().all(|topic| live.contains(topic)), "{live:?}");
    let items = fresh.items(team).await;
    assert_conversations(&fresh.conversations(team).await, &items);
    let sent = items[100..]
        .iter()
        .filter(|with| with.item.kind == ItemKind::Message && with.item.direction == Direction::Outbound);
    assert!(sent.count() > 0, "texts go out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_can_be_seeded_twice() {
    let fresh = Fresh::new();
    let clock = Arc::new(ManualClock::new(now()));
    let options = SeedOptions {
        items: 2_001,
        teams: 2,
        ..SeedOptions::default()
    };
    let mut teams = Vec::new();
    for run in 0..2 {
        let mut told = Vec::new();
        let ids = Arc::new(SeededIds::new(run));
        let report = trunkline_demo::seed(&fresh.db, ids, clock.clone(), options, |done, all| {
            told.push((done, all))
        });
        let report = report.await.unwrap();
        assert_eq!(
            (report.items, report.contacts, report.teams.len()),
            (2_001, 40, 2)
        );
        assert_eq!(told, [(0, 2_001), (1_000, 2_001), (1_001, 2_001), (2_001, 2_001)]);
        teams.extend(report.teams);
    }
    assert_eq!(
        trunkline_demo::find(&fresh.db).await.unwrap(),
        None,
        "no seeded team is taken for the demo"
    );

    let mut texts = Vec::new();
    for (place, (team, _)) in teams.into_iter().enumerate() {
        let items = fresh.items(team).await;
        assert_eq!(items.len(), if place % 2 == 0 { 1_001 } else { 1_000 });
        assert!(items.iter().map(|with| with.item.at).is_sorted());
        assert!(
            items
                .iter()
                .all(|with| with.item.at > now().plus(-365 * Millis::DAY) && with.item.at < clock.now())
        );
        assert_conversations(&fresh.conversations(team).await, &items);
        let (spoken, tagged) = items.iter().fold((0, 0), |(spoken, tagged), with| {
            (
                spoken + usize::from(with.texts.len() > 1),
                tagged + usize::from(!with.item.tags.is_empty()),
            )
        });
        assert!(
            (0.45..0.55).contains(&share(spoken, items.len())),
            "{spoken} transcripts"
        );
        assert!(share(tagged, items.len()) > 0.4);
        let lines = fresh.read(move |conn| numbers::list(conn, team)).await;
        assert_eq!(lines.len(), 4);
        for number in lines.into_iter().filter_map(|line| line.number) {
            let leads_to = fresh
                .read(move |conn| directory::find(conn, &directory::Entry::Number(number)))
                .await;
            assert_eq!(leads_to, Some(team));
        }
        texts.push(items.into_iter().map(|with| with.texts).collect::<Vec<_>>());
    }
    assert_eq!(
        (&texts[0], &texts[1]),
        (&texts[2], &texts[3]),
        "the same seed gives the same items"
    );
    assert_ne!(texts[0], texts[1]);
}
