//! A team that is about to be filled: its users, numbers, tags and contacts.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use trunkline_domain::{
    Capability, CompanyId, ErrorCode, Ids, Millis, NumberId, PhoneNumber, Plan, Role, TeamId, UserId,
};
use trunkline_messaging::sandbox;
use trunkline_store::directory::{self, Entry};
use trunkline_store::{TeamKey, Tx};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::people::{self, CreateContact};
use trunkline_switchboard::{Error, Switchboard, Work, companies, tags};

use super::SeedOptions;
use crate::corpus::{self, ContactNames, Language};
use crate::hours::OfficeHours;
use crate::numbers::Numbers;

/// The time zone of seeded teams.
const ZONE: &str = "America/New_York";

/// Users of a team.
const USERS: usize = 8;

/// Numbers of a team.
const LINES: usize = 4;

/// Numbers that are tried until enough are free.
const CANDIDATES: usize = 64;

/// The most contacts of a team, and of how many items each has one on average.
const CONTACTS: (u64, u64) = (20_000, 50);

/// The most companies of a team.
const COMPANIES: usize = 300;

/// Contacts that are stored in one transaction.
const CONTACTS_PER_UNIT: usize = 500;

/// A team that is about to be filled.
pub(super) struct Office {
    pub(super) team: TeamKey,
    pub(super) team_id: TeamId,
    pub(super) lines: Vec<i64>,
    pub(super) users: Vec<UserId>,
    /// Whom it talks to: its contacts, then numbers that nobody knows.
    pub(super) outside: Vec<Outside>,
    contacts: usize,
    pub(super) hours: OfficeHours,
    /// Items it will have.
    pub(super) items: u64,
    pub(super) transcripts_share: f64,
    /// From which the randomness of each batch is drawn.
    pub(super) seed: u64,
}

/// A number outside.
#[derive(Clone, Copy)]
pub(super) struct Outside {
    pub(super) number: PhoneNumber,
    pub(super) language: Language,
}

impl Office {
    /// Makes the `place`-th team of a seed.
    pub(super) async fn open(
        board: &Switchboard,
        place: u64,
        items: u64,
        now: Millis,
        options: &SeedOptions,
    ) -> Result<Self, Error> {
        let seed = options
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(place);
        let mut rng = StdRng::seed_from_u64(seed);
        let (name, users) = (
            corpus::company(&mut rng, Language::English, 0).name,
            users(&mut rng),
        );
        // The numbers of teams must differ in the whole database, also from those of an earlier run.
        let mut fresh = [0; 32];
        board.ids().fill(&mut fresh);
        let (mut fresh, mut drawn) = (StdRng::from_seed(fresh), Numbers::default());
        let numbers: Arc<[PhoneNumber]> = (0..CANDIDATES).map(|_| drawn.expansion(&mut fresh)).collect();

        let ids = board.ids().clone();
        let team = CreateTeam {
            name: format!("{name} (seed {}, team {})", options.seed, place + 1),
            plan: Plan::Business,
            time_zone: ZONE.to_owned(),
            country: "US".to_owned(),
            sandbox: true,
        };
        let found = move |tx: &mut Tx<'_>| found(tx, ids.as_ref(), now, &team, &users, &numbers);
        let (team, team_id, users, lines) = board.db().write(found).await?;

        let contacts = usize::try_from((items / CONTACTS.1).clamp(10, CONTACTS.0)).unwrap_or(10);
        let outside = meet(board, team, &mut rng, contacts).await?;
        let from = now.plus(-i64::from(options.days.max(1)) * Millis::DAY);
        Ok(Self {
            team,
            team_id,
            lines,
            users,
            outside,
            contacts,
            hours: OfficeHours::new(ZONE, from, now),
            items,
            transcripts_share: options.transcripts_share.clamp(0.0, 1.0),
            seed,
        })
    }

    /// How many contacts it has.
    pub(super) const fn contacts(&self) -> usize {
        self.contacts
    }
}

/// Names and e-mail addresses.
fn users(rng: &mut StdRng) -> Vec<(String, String)> {
    let user = |place| {
        let person = corpus::person(
            rng,
            if place % 3 == 2 {
                Language::French
            } else {
                Language::English
            },
        );
        (
            format!("{} {}", person.first, person.last),
            format!("user{}@seeded.example", place + 1),
        )
    };
    (0..USERS).map(user).collect()
}

fn found(
    tx: &mut Tx<'_>,
    ids: &dyn Ids,
    now: Millis,
    team: &CreateTeam,
    people: &[(String, String)],
    numbers: &[PhoneNumber],
) -> Result<(TeamKey, TeamId, Vec<UserId>, Vec<i64>), Error> {
    let mut free = Vec::with_capacity(LINES);
    for number in numbers {
        if free.len() < LINES && directory::find(tx, &Entry::Number(*number))?.is_none() {
            free.push(*number);
        }
    }
    if free.len() < LINES {
        return Err(ErrorCode::NumberAlreadyAssigned.into());
    }
    let (team, team_id) = accounts::create_team(tx, ids, now, team)?;
    let mut work = Work::begin(tx, team, now, ids, "seed")?;
    let mut users = Vec::with_capacity(people.len());
    for (place, (name, email)) in people.iter().enumerate() {
        let role = if place == 0 { Role::Admin } else { Role::Member };
        users.push(accounts::create_user(&mut work, name, email, role)?);
    }
    let mut lines = Vec::with_capacity(LINES);
    for (place, number) in free.into_iter().enumerate() {
        let id: NumberId = work.new_id(now);
        let add = AddNumber {
            address: Address::Number(number),
            name: Some(format!("Line {}", place + 1)),
            capabilities: vec![Capability::Voice, Capability::Sms],
            carrier: sandbox::NAME.to_owned(),
            carrier_settings: None,
            members: users.iter().copied().skip(place).step_by(2).collect(),
        };
        lines.push(accounts::add_number(&mut work, id, &add)?);
    }
    for (key, name, color) in corpus::TAGS {
        tags::define(&mut work, key, name, color)?;
    }
    work.finish()?;
    Ok((team, team_id, users, lines))
}

/// Stores the contacts and returns them, with a few numbers that nobody knows.
async fn meet(
    board: &Switchboard,
    team: TeamKey,
    rng: &mut StdRng,
    contacts: usize,
) -> Result<Vec<Outside>, Error> {
    let names: Vec<String> = (0..contacts.div_ceil(3).min(COMPANIES))
        .map(|place| {
            let language = if place % 3 == 2 {
                Language::French
            } else {
                Language::English
            };
            corpus::company(rng, language, place).name
        })
        .collect();
    let companies: Vec<CompanyId> = board
        .run::<_, Error, _>(team, move |work| {
            names
                .iter()
                .map(|name| companies::find_or_create(work, name))
                .collect()
        })
        .await?;
    let mut numbers = Numbers::default();
    let outside: Vec<Outside> = (0..contacts + contacts / 4)
        .map(|_| {
            let french = rng.random_bool(0.3);
            let language = if french {
                Language::French
            } else {
                Language::English
            };
            let number = match language {
                Language::English => numbers.expansion(rng),
                // There are fewer than ten thousand mobile numbers to be had.
                Language::French if rng.random_bool(0.2) => numbers.mobile(rng, language),
                Language::French => numbers.landline(rng),
            };
            Outside { number, language }
        })
        .collect();
    for known in outside[..contacts].chunks(CONTACTS_PER_UNIT) {
        let unit: Vec<CreateContact> = known
            .iter()
            .map(|known| contact(rng, known, &companies))
            .collect();
        let store = move |work: &mut Work<'_, '_>| {
            unit.iter()
                .try_for_each(|contact| people::create_contact(work, contact).map(drop))
        };
        board.run(team, store).await?;
    }
    Ok(outside)
}

fn contact(rng: &mut StdRng, known: &Outside, companies: &[CompanyId]) -> CreateContact {
    let person = corpus::person(rng, known.language);
    let names = ContactNames {
        first: person.first,
        last: person.last,
    };
    let mailbox = trunkline_domain::text::words(&format!("{} {}", names.first, names.last)).join(".");
    CreateContact {
        company: rng
            .random_bool(0.7)
            .then(|| companies[rng.random_range(0..companies.len())]),
        numbers: vec![known.number.to_string()],
        emails: vec![format!("{mailbox}@mailbox.example")],
        first_name: Some(names.first),
        last_name: Some(names.last),
        job_title: Some(person.job_title),
        ..CreateContact::default()
    }
}
