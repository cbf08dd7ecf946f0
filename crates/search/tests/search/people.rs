//! The index of people against the walk over their rows, which it has to agree with to the letter.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;
use trunkline_domain::{CompanyId, ContactId, ErrorCode, Millis, PhoneNumber, text};
use trunkline_search::people::{Answer, PeopleIndex, PeopleOptions, PeoplePage};
use trunkline_store::crm::{Place, Sort, SortBy};
use trunkline_store::people::{self, PeopleFilter};
use trunkline_store::search::Order;
use trunkline_store::{Conn, Db, StoreError, TeamKey, Tx, contacts, params, people_upkeep, teams};
use trunkline_switchboard::companies::{self, CreateCompany, PatchCompany};
use trunkline_switchboard::deals::{self, CreateDeal};
use trunkline_switchboard::people::{self as commands, CreateContact, PatchContact};
use trunkline_switchboard::{Actor, Error, Work};
use trunkline_testkit::db::{Office, START, TestDb};

const FIRST: &[&str] = &[
    "Anna", "Ann", "Hannah", "José", "Jose", "Zoë", "zo", "Émile", "Jean-Luc", "42", "%", "O'Neil_",
];
const LAST: &[&str] = &[
    "Smith",
    "Smithson",
    "Goldsmith",
    "Dupont",
    "du Pont",
    "Straße",
    "Ng",
    "Ann",
    "1234 Main",
];
const TITLES: &[&str] = &["Engineer", "Lead engineer", "CEO", "ceo & founder", "Chef"];
const SITES: &[&str] = &[
    "https://www.acme.example",
    "acme.example/42",
    "www.bakery.example",
];
const COMPANIES: &[&str] = &["Acme", "Acme Smith", "Smith & Sons", "Bäckerei Jose", "Ann 4155"];
const EMAILS: &[&str] = &[
    "ann@acme.example",
    "a.smith@mail.example",
    "jose1234@mail.example",
    "x@y.example",
];
const STATUSES: &[&str] = &["Won", "Lost", "open"];
/// What is looked for, whole or cut somewhere.
const PARTS: &[&str] = &[
    "ann",
    "smith",
    "an",
    "a",
    "e",
    "jose",
    "straße",
    "engineer",
    "ceo founder",
    "acme example",
    "acme",
    "1234",
    "4155",
    "555",
    "1415555",
    "42",
    "dupont",
    "du pont",
    "mail.example",
    "@acme",
    "n@a",
    "smith.1",
    "jose1234an",
    "4@mail",
    "zzz",
    "z",
];

struct Dice(StdRng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(&mut self.0).unwrap()
    }

    fn maybe(&mut self, from: &[&str]) -> Option<String> {
        (!self.one_in(4)).then(|| self.pick(from).to_owned())
    }

    fn number(&mut self) -> String {
        format!("+1415555{:04}", 1_000 + self.below(400))
    }

    fn numbers(&mut self) -> Vec<String> {
        (0..self.below(3)).map(|_| self.number()).collect()
    }

    fn emails(&mut self) -> Vec<String> {
        (0..self.below(3)).map(|_| self.email()).collect()
    }

    fn email(&mut self) -> String {
        let some = self.pick(EMAILS);
        match some.split_once('@').filter(|_| self.one_in(2)) {
            Some((user, host)) => format!(
                "{user}{}{}@{host}",
                self.pick(&["-", ".", "an", "1"]),
                self.below(2_000)
            ),
            None => some.to_owned(),
        }
    }

    fn part(&mut self) -> String {
        let whole: Vec<char> = self.pick(PARTS).chars().collect();
        let from = if self.one_in(2) {
            0
        } else {
            self.below(whole.len())
        };
        let length = if self.one_in(2) {
            whole.len()
        } else {
            1 + self.below(whole.len() - from)
        };
        whole.into_iter().skip(from).take(length).collect()
    }

    /// A part as the server reads it.
    fn folded(&mut self) -> Option<String> {
        Some(text::fold(&self.part())).filter(|folded| !folded.is_empty())
    }

    fn filter(&mut self) -> PeopleFilter {
        let mut filter = PeopleFilter::default();
        for _ in 0..1 + self.below(2) {
            match self.below(10) {
                0 => filter.first_name = self.folded(),
                1 => filter.last_name = self.folded(),
                2 => filter.job_title = self.folded(),
                3 => filter.website = self.folded(),
                4 => filter.company = self.folded(),
                5 => filter.email = Some(self.part().to_lowercase()),
                6 => filter.deal_status = Some(text::fold(self.pick(STATUSES))),
                _ => {
                    filter.words = text::query_words(&format!(
                        "{} {}",
                        self.part(),
                        self.maybe(PARTS).unwrap_or_default()
                    ))
                }
            }
        }
        filter
    }

    fn sort(&mut self) -> Sort {
        Sort {
            by: self.pick(&[SortBy::Date, SortBy::Created, SortBy::Name]),
            order: self.pick(&[Order::NewestFirst, Order::OldestFirst]),
        }
    }
}

/// A team, the people and companies that were made in it, and chance.
struct World {
    office: Office,
    people: Vec<ContactId>,
    companies: Vec<CompanyId>,
    dice: Dice,
}

impl World {
    async fn new(t: &TestDb, seed: u64) -> Self {
        let office = t.office().await;
        let people = vec![office.sarah, office.marie, office.sam];
        let companies = vec![office.bakery];
        Self {
            office,
            people,
            companies,
            dice: Dice(StdRng::seed_from_u64(seed)),
        }
    }

    fn team(&self) -> TeamKey {
        self.office.team
    }

    /// A random change of the team's people.
    async fn change(&mut self) {
        let dice = &mut self.dice;
        self.office.clock.advance(dice.below(3) as i64 * Millis::SECOND);
        let (person, company) = (dice.pick(&self.people), dice.pick(&self.companies));
        let (company_wanted, name) = (
            (!dice.one_in(3)).then_some(company),
            dice.pick(COMPANIES).to_owned(),
        );
        match dice.below(12) {
            0..=4 => {
                let new = CreateContact {
                    first_name: dice.maybe(FIRST),
                    last_name: dice.maybe(LAST),
                    job_title: dice.maybe(TITLES),
                    website: dice.maybe(SITES),
                    company: company_wanted,
                    numbers: dice.numbers(),
                    emails: dice.emails(),
                    ..CreateContact::default()
                };
                let made = self
                    .office
                    .run(move |work| commands::create_contact(work, &new))
                    .await
                    .unwrap();
                self.people.push(made);
            }
            5 | 6 => {
                let patch = PatchContact {
                    first_name: dice.one_in(2).then(|| dice.maybe(FIRST)),
                    last_name: dice.one_in(2).then(|| dice.maybe(LAST)),
                    job_title: dice.one_in(3).then(|| dice.maybe(TITLES)),
                    company: dice.one_in(3).then_some(company_wanted),
                    numbers: dice.one_in(3).then(|| dice.numbers()),
                    emails: dice.one_in(3).then(|| dice.emails()),
                    archived: dice.one_in(3).then(|| dice.one_in(2)),
                    ..PatchContact::default()
                };
                let done = self
                    .office
                    .run(move |work| commands::update_contact(work, person, &patch))
                    .await;
                done.unwrap();
            }
            7 => {
                let other = dice.pick(&self.people);
                let merge = move |work: &mut Work<'_, '_>| {
                    commands::merge_contacts(work, person, other, &Actor::System)
                };
                // Somebody with itself, or too many numbers: refused, and nothing happened.
                drop(self.office.run(merge).await);
            }
            8 | 9 => {
                let number = PhoneNumber::parse(&dice.number()).unwrap();
                let at = Millis(START.0 + dice.below(100_000) as i64);
                let touch = move |work: &mut Work<'_, '_>| {
                    Ok::<_, Error>(contacts::touch(work.tx, work.team, number, 1, at)?)
                };
                self.office.run(touch).await.unwrap();
            }
            10 => {
                let patch = PatchCompany {
                    name: Some(name.clone()),
                    ..PatchCompany::default()
                };
                let new = CreateCompany {
                    name,
                    ..CreateCompany::default()
                };
                if dice.one_in(2) {
                    let made = self
                        .office
                        .run(move |work| companies::create(work, &new))
                        .await
                        .unwrap();
                    self.companies.push(made.id);
                } else {
                    self.office
                        .run(move |work| companies::update(work, company, &patch))
                        .await
                        .unwrap();
                }
            }
            _ => {
                let deal = CreateDeal {
                    name: "Flour".to_owned(),
                    status: Some(dice.pick(STATUSES).to_owned()),
                    company: company_wanted,
                    contacts: if dice.one_in(2) { vec![person] } else { Vec::new() },
                    ..CreateDeal::default()
                };
                // Of somebody who was merged into another: refused.
                let done = self.office.run(move |work| deals::create(work, &deal)).await;
                assert!(
                    done.is_ok()
                        || matches!(&done, Err(Error::Refused(refused)) if refused.code == ErrorCode::PersonNotFound)
                );
            }
        }
    }

    /// Asks the index and walks over the rows, at one moment, page after page.
    async fn compare(&mut self, index: &PeopleIndex) -> usize {
        let (filter, sort, team) = (self.dice.filter(), self.dice.sort(), self.team());
        let limit = 1 + self.dice.below(9) as i64;
        let mut place = Place::Offset(if self.dice.one_in(3) {
            self.dice.below(30) as i64
        } else {
            0
        });
        let mut seen = 0;
        loop {
            let (answer, walk) =
                both(self.office.board.db(), index, team, &filter, sort, &place, limit).await;
            assert_eq!(
                answer,
                Answer::Page(walk.clone()),
                "{filter:?} {sort:?} {place:?} {limit}"
            );
            seen += walk.people.len();
            match walk.people.last() {
                Some((id, key)) if walk.people.len() as i64 == limit && seen < 60 => {
                    place = Place::Behind(key.clone(), id.to_string());
                }
                _ => return seen,
            }
        }
    }
}

async fn both(
    db: &Db,
    index: &PeopleIndex,
    team: TeamKey,
    filter: &PeopleFilter,
    sort: Sort,
    place: &Place,
    limit: i64,
) -> (Answer, PeoplePage) {
    let (index, filter, place) = (index.clone(), filter.clone(), place.clone());
    let read = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
        conn.at_one_moment(|conn| {
            let answer = index.search(conn, team, &filter, sort, &place, limit)?;
            let total = people::count(conn, team, &filter)?;
            let people = people::page(conn, team, &filter, sort, &place, limit)?;
            Ok((answer, PeoplePage { total, people }))
        })
    };
    db.scan(read).await.unwrap()
}

fn options() -> PeopleOptions {
    PeopleOptions {
        from: 0,
        fresh: 7,
        gather: Duration::from_millis(1),
        poll: Duration::from_millis(5),
        ..PeopleOptions::default()
    }
}

async fn random_questions_have_the_answers_of_a_walk(t: TestDb) {
    let mut world = World::new(&t, 11).await;
    for _ in 0..60 {
        world.change().await;
    }
    let index = PeopleIndex::new(t.db().clone(), options());
    assert!(index.read(world.team()).await.unwrap());
    let mut seen = 0;
    for round in 0..250 {
        for _ in 0..world.dice.below(4) {
            world.change().await;
        }
        // Between changes people are laid out and segments joined, or not.
        if world.dice.one_in(3) {
            index.keep_up().await.unwrap();
        }
        if round == 125 {
            // As a restart does.
            let anew = PeopleIndex::new(t.db().clone(), options());
            anew.read(world.team()).await.unwrap();
            for _ in 0..20 {
                world.compare(&anew).await;
            }
        }
        seen += world.compare(&index).await;
    }
    assert!(seen > 500, "the questions found {seen} people only");
}

async fn whoever_was_written_is_found_as_it_is_now(t: TestDb) {
    let world = World::new(&t, 12).await;
    let index = PeopleIndex::new(t.db().clone(), options());
    let stop = CancellationToken::new();
    let upkeep = tokio::spawn(index.clone().run(stop.clone()));
    index.read(world.team()).await.unwrap();
    let clients = (0..4_u64).map(|client| {
        let (board, team, index) = (
            world.office.node(&format!("node-{client}")),
            world.team(),
            index.clone(),
        );
        tokio::spawn(async move {
            for round in 0..25 {
                let name = format!("Robin{client}x{round}");
                let new = CreateContact {
                    first_name: Some(name.clone()),
                    ..CreateContact::default()
                };
                let id = board
                    .run(team, move |work| commands::create_contact(work, &new))
                    .await
                    .unwrap();
                assert_eq!(found(&board, &index, team, &name).await, [id], "{name} was made");
                let other = format!("Kim{client}y{round}");
                let patch = PatchContact {
                    first_name: Some(Some(other.clone())),
                    ..PatchContact::default()
                };
                board
                    .run(team, move |work| commands::update_contact(work, id, &patch))
                    .await
                    .unwrap();
                assert_eq!(
                    found(&board, &index, team, &other).await,
                    [id],
                    "{name} is {other} now"
                );
                assert!(
                    found(&board, &index, team, &name).await.is_empty(),
                    "{name} is {other} now"
                );
                board
                    .run(team, move |work| {
                        commands::archive_contact(work, id, &Actor::System)
                    })
                    .await
                    .unwrap();
                assert!(
                    found(&board, &index, team, &other).await.is_empty(),
                    "{other} is archived"
                );
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    stop.cancel();
    upkeep.await.unwrap();
}

/// Who has this first name, by the index.
async fn found(
    board: &trunkline_switchboard::Switchboard,
    index: &PeopleIndex,
    team: TeamKey,
    name: &str,
) -> Vec<ContactId> {
    let filter = PeopleFilter {
        first_name: Some(text::fold(name)),
        ..PeopleFilter::default()
    };
    let sort = Sort {
        by: SortBy::Name,
        order: Order::OldestFirst,
    };
    loop {
        let (index, filter) = (index.clone(), filter.clone());
        let read = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
            conn.at_one_moment(|conn| index.search(conn, team, &filter, sort, &Place::Offset(0), 10))
        };
        match board.db().scan(read).await.unwrap() {
            Answer::Page(page) => {
                assert_eq!(page.total, page.people.len() as i64);
                return page.people.into_iter().map(|(id, _)| id).collect();
            }
            Answer::Later => {}
            Answer::Absent => panic!("the team is in the index"),
        }
    }
}

async fn teams_do_not_meet_and_bounds_are_kept(t: TestDb) {
    let mut world = World::new(&t, 13).await;
    for _ in 0..20 {
        world.change().await;
    }
    let other = t.bare_team("Others").await;
    let team = world.team();
    let index = PeopleIndex::new(t.db().clone(), PeopleOptions { from: 1, ..options() });
    assert!(!index.read(other).await.unwrap(), "nobody is there to be read");
    assert!(index.read(team).await.unwrap());
    let everybody = index.people();
    let all = PeopleFilter {
        words: vec![String::new()],
        ..PeopleFilter::default()
    };
    let sort = Sort {
        by: SortBy::Created,
        order: Order::NewestFirst,
    };
    let ask =
        async |index: &PeopleIndex, team| both(t.db(), index, team, &all, sort, &Place::Offset(0), 100).await;
    assert_eq!(ask(&index, other).await.0, Answer::Absent);
    let roomy = PeopleIndex::new(t.db().clone(), PeopleOptions { from: 0, ..options() });
    assert!(roomy.read(other).await.unwrap() && roomy.read(team).await.unwrap());
    assert_eq!(
        ask(&roomy, other).await.0,
        Answer::Page(PeoplePage {
            total: 0,
            people: Vec::new()
        })
    );
    assert_eq!(roomy.people(), everybody);
    let narrow = PeopleOptions {
        most: everybody as u64 - 1,
        ..options()
    };
    let narrow = PeopleIndex::new(t.db().clone(), narrow);
    assert!(!narrow.read(team).await.unwrap(), "there is no room for it");
    assert_eq!(ask(&narrow, team).await.0, Answer::Absent);
}

async fn a_team_that_outgrows_the_bound_leaves(t: TestDb) {
    let mut world = World::new(&t, 15).await;
    for _ in 0..20 {
        world.change().await;
    }
    let team = world.team();
    let index = |most: usize| {
        let options = PeopleOptions {
            most: most as u64,
            ..options()
        };
        PeopleIndex::new(t.db().clone(), options)
    };
    let roomy = index(1_000);
    assert!(roomy.read(team).await.unwrap());
    let everybody = roomy.people();
    let tight = index(everybody);
    assert!(tight.read(team).await.unwrap());
    tight.keep_up().await.unwrap();
    assert_eq!(tight.people(), everybody, "as many as may be");
    let new = CreateContact {
        first_name: Some("One more".to_owned()),
        ..CreateContact::default()
    };
    let add = move |work: &mut Work<'_, '_>| commands::create_contact(work, &new);
    world.office.node("node").run(team, add).await.unwrap();
    tight.keep_up().await.unwrap();
    assert_eq!(tight.people(), 0);
    assert!(
        !tight.read(team).await.unwrap(),
        "there is no room for it any more"
    );
    roomy.keep_up().await.unwrap();
    assert_eq!(roomy.people(), everybody + 1);
}

async fn what_searches_look_into_can_be_mended(t: TestDb) {
    let world = World::new(&t, 14).await;
    let (team, marie) = (world.team(), world.office.marie);
    let index = PeopleIndex::new(t.db().clone(), options());
    index.read(team).await.unwrap();
    let look = async || {
        let read = move |conn: &mut Conn<'_>| people_upkeep::look(conn, team, None, 100);
        t.db().scan(read).await.unwrap()
    };
    assert_eq!((look().await.people, look().await.wrong), (3, Vec::new()));
    let damage = move |tx: &mut Tx<'_>| {
        let sql = "UPDATE contacts SET first_key = 'MARIE', words = ' x', change = 1000000 WHERE team_id = $1 AND id = $2";
        tx.execute(sql, params![team, marie])
    };
    let damaged: Result<u64, StoreError> = t.db().write(damage).await;
    assert_eq!(damaged.unwrap(), 1);
    assert_eq!(look().await.wrong, [marie]);
    assert!(found(&world.office.board, &index, team, "Marie").await.is_empty());
    let mend = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        teams::lock(tx, team)?;
        people_upkeep::refold(tx, team, &[marie])
    };
    t.db().write(mend).await.unwrap();
    assert!(look().await.wrong.is_empty());
    assert_eq!(found(&world.office.board, &index, team, "Marie").await, [marie]);
}

trunkline_testkit::on_both! {
    what_searches_look_into_can_be_mended,
    random_questions_have_the_answers_of_a_walk,
    whoever_was_written_is_found_as_it_is_now,
    teams_do_not_meet_and_bounds_are_kept,
    a_team_that_outgrows_the_bound_leaves,
}
