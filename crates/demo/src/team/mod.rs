//! Builds the demo team and its ninety days of history.

mod cast;

use std::sync::Arc;

use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{
    Capability, CompanyId, ContactId, Ids, ManualClock, Millis, NumberId, Plan, PropertyType, Role, UserId,
};
use trunkline_messaging::sandbox;
use trunkline_store::{Db, StoreError, Tx, items, teams};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::companies::{self, CreateCompany};
use trunkline_switchboard::deals::{self, CreateDeal};
use trunkline_switchboard::lines::{UpdateNumber, update};
use trunkline_switchboard::people::{self, CreateContact};
use trunkline_switchboard::properties;
use trunkline_switchboard::{Error, Switchboard, Work, tags};

use crate::corpus::{self, Language};
use crate::hours::zone_of;
use crate::numbers::fixed;
use crate::world::{World, WorldContact, WorldLine, WorldUser};
use crate::{history, world};
use cast::Cast;

/// Items that are stored in one transaction.
const ITEMS_PER_UNIT: usize = 100;

/// How long before its first call the team was founded, in days.
const PREPARED: i64 = 7;

/// The team's numbers: number, name, and who works with it, by place in [`corpus::TEAM`].
const LINES: [(&str, &str, &[usize]); 4] = [
    ("+14155550100", "Calderwyn Sales", &[0, 2, 3]),
    ("+14155550142", "Calderwyn Support", &[3, 2, 0]),
    ("+33199000110", "Calderwyn Ventes", &[1, 4, 5, 0]),
    ("+33639980120", "Calderwyn Assistance", &[5, 4, 1]),
];

/// The one of them in the US whose registration for texts of applications is not there yet.
const NOT_REGISTERED: &str = "+14155550142";

/// The team's sender ids: one that can be used, and one that waits for its carrier.
const SENDER_IDS: [(&str, SenderIdStatus); 2] = [
    ("Calderwyn", SenderIdStatus::Active),
    ("CWNews", SenderIdStatus::Pending),
];

/// The team's custom properties: key, name, type.
const PROPERTIES: [(&str, &str, PropertyType); 4] = [
    ("linkedin_url", "LinkedIn", PropertyType::Text),
    ("lead_source", "Lead source", PropertyType::Text),
    ("customer_since", "Customer since", PropertyType::Date),
    ("vip", "VIP", PropertyType::Boolean),
];

/// What the demo team is built with.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where the server is reached from outside, without a slash at the end; recordings are at
    /// `{public_url}/sandbox/recordings/{call id}.wav`.
    pub public_url: String,
    /// The same seed (with the same ids and the same time) gives the same data.
    pub seed: u64,
    /// Calls and texts.
    pub items: usize,
    /// The days before now that they are spread over, at least 1.
    pub days: u32,
}

impl BuildOptions {
    /// 5,000 items over the last 90 days.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            seed: 1,
            items: 5_000,
            days: 90,
        }
    }
}

/// Builds the demo team with a history that ends at `now`, unless the database has it. One whose building was
/// interrupted is built to its end, with the history that was begun: that it ends when it was to end is told by when the
/// team was founded. `progress` is told how many items are stored, and of how many; never, if the team was whole.
///
/// # Errors
/// `NUMBER_ALREADY_ASSIGNED` when another team of this database has one of the demo's numbers, or the store's failure;
/// what was stored until then stays.
pub async fn build(
    db: &Db,
    ids: Arc<dyn Ids>,
    now: Millis,
    options: &BuildOptions,
    mut progress: impl FnMut(usize, usize),
) -> Result<World, Error> {
    let before_now = (i64::from(options.days.max(1)) + PREPARED) * Millis::DAY;
    let begun = begun(db).await?;
    let (founded, stored) = match &begun {
        Some(begun) if begun.items >= options.items => return Ok(begun.world.clone()),
        Some(begun) => (begun.founded, begun.items),
        None => (now.plus(-before_now), 0),
    };
    progress(stored, options.items);
    let (from, now) = (founded.plus(PREPARED * Millis::DAY), founded.plus(before_now));
    let mut rng = StdRng::seed_from_u64(options.seed);
    let cast = Arc::new(Cast::draw(&mut rng, now.date_in(&TimeZone::UTC)));

    let mut world = match begun {
        Some(begun) => begun.world,
        None => found(db, ids.clone(), founded).await?,
    };
    let clock = Arc::new(ManualClock::new(founded.plus(Millis::DAY)));
    let board = Switchboard::new(db.clone(), clock.clone(), ids, "demo");
    let parties = cast.parties();
    if world.contacts.is_empty() {
        let met = cast.clone();
        board.run(world.team, move |work| meet(work, &met)).await?;
    }
    world.contacts = parties[..cast.contacts.len()]
        .iter()
        .map(|party| WorldContact {
            number: party.numbers[0],
            names: party.names.clone(),
            company: party.company.clone(),
            language: party.language,
        })
        .collect();

    let span = history::Span {
        from,
        to: now,
        items: options.items,
    };
    let mut planned = history::plan(&mut rng, &world, &parties, span);
    leave_out(&mut planned, stored);
    let public_url: Arc<str> = options.public_url.trim_end_matches('/').into();
    let mut done = stored;
    while !planned.is_empty() {
        let later = planned.split_off(planned.len().min(ITEMS_PER_UNIT));
        let (batch, url) = (std::mem::replace(&mut planned, later), public_url.clone());
        done += batch.iter().map(history::Entry::items).sum::<usize>();
        if let Some(first) = batch.first() {
            clock.set(first.at);
        }
        board
            .run(world.team, move |work| {
                batch
                    .iter()
                    .try_for_each(|entry| history::write(work, entry, &url))
            })
            .await?;
        progress(done, options.items);
    }
    Ok(world)
}

/// A demo team that is there, whole or not.
struct Begun {
    world: World,
    founded: Millis,
    /// How many calls and texts it has.
    items: usize,
}

async fn begun(db: &Db) -> Result<Option<Begun>, Error> {
    let Some(world) = world::find(db).await? else {
        return Ok(None);
    };
    let team = world.team;
    let read = db.scan(move |conn| -> Result<_, StoreError> {
        Ok((teams::get(conn, team)?, items::last_seq(conn, team)?))
    });
    let (row, last) = read.await?;
    Ok(row.map(|row| Begun {
        world,
        founded: row.created_at,
        items: usize::try_from(last).unwrap_or(0),
    }))
}

/// Leaves out what is stored: so many items, and what people did between them. What they did after the last of them is
/// done once more, which changes nothing.
fn leave_out(planned: &mut Vec<history::Entry>, stored: usize) {
    let mut items = 0;
    let until = planned.iter().position(|entry| {
        items += entry.items();
        items >= stored
    });
    if let Some(place) = until.filter(|_| stored > 0) {
        planned.drain(..=place);
    }
}

/// Stores the team with its users, numbers, tags and properties, in one transaction.
async fn found(db: &Db, ids: Arc<dyn Ids>, at: Millis) -> Result<World, Error> {
    db.write(move |tx| found_in(tx, ids.as_ref(), at)).await
}

fn found_in(tx: &mut Tx<'_>, ids: &dyn Ids, at: Millis) -> Result<World, Error> {
    let team = CreateTeam {
        name: corpus::TEAM_COMPANY.to_owned(),
        plan: Plan::Business,
        time_zone: zone_of(Language::English).to_owned(),
        country: "US".to_owned(),
        sandbox: true,
    };
    let (team, team_id) = accounts::create_team(tx, ids, at, &team)?;
    let mut work = Work::begin(tx, team, at, ids, "demo")?;
    let mut users = Vec::with_capacity(corpus::TEAM.len());
    for member in corpus::TEAM {
        // A minute each, so that the order in which users were made is the order in which they are listed.
        work.now = work.now.plus(Millis::MINUTE);
        let role = member.role.parse().unwrap_or(Role::Member);
        let id = accounts::create_user(&mut work, member.name, member.email, role)?;
        let (name, email) = (member.name.to_owned(), member.email.to_owned());
        users.push(WorldUser {
            id,
            name,
            email,
            language: member.language,
        });
    }
    let mut lines = Vec::with_capacity(LINES.len());
    for (number, name, members) in LINES {
        work.now = work.now.plus(Millis::MINUTE);
        lines.push(add_line(
            &mut work,
            number,
            name,
            members.iter().map(|place| users[*place].id).collect(),
        )?);
    }
    for (name, status) in SENDER_IDS {
        work.now = work.now.plus(Millis::MINUTE);
        let address = Address::SenderId(name.to_owned(), "FR".to_owned());
        let line = add(&mut work, address, None, vec![Capability::Sms], Vec::new())?;
        let changes = UpdateNumber {
            sender_id_status: Some(status),
            ..UpdateNumber::default()
        };
        update(&mut work, line, &changes)?;
    }
    for (key, name, color) in corpus::TAGS {
        work.now = work.now.plus(Millis::SECOND);
        tags::define(&mut work, key, name, color)?;
    }
    for (key, name, property_type) in PROPERTIES {
        work.now = work.now.plus(Millis::SECOND);
        properties::define(&mut work, key, name, property_type)?;
    }
    work.finish()?;
    Ok(World {
        team,
        team_id,
        users,
        lines,
        contacts: Vec::new(),
    })
}

fn add_line(
    work: &mut Work<'_, '_>,
    number: &str,
    name: &str,
    members: Vec<UserId>,
) -> Result<WorldLine, Error> {
    let number = fixed(number);
    let language = world::language_of(number);
    let mut capabilities = vec![Capability::Voice, Capability::Sms];
    if language == Language::English {
        capabilities.push(Capability::Mms);
    }
    let address = Address::Number(number);
    let line = add(work, address, Some(name), capabilities, members)?;
    if number == fixed(NOT_REGISTERED) {
        let changes = UpdateNumber {
            a2p_registered: Some(false),
            ..UpdateNumber::default()
        };
        update(work, line, &changes)?;
    }
    Ok(WorldLine {
        number,
        language,
        line,
    })
}

fn add(
    work: &mut Work<'_, '_>,
    address: Address,
    name: Option<&str>,
    capabilities: Vec<Capability>,
    members: Vec<UserId>,
) -> Result<i64, Error> {
    let line = AddNumber {
        address,
        name: name.map(str::to_owned),
        capabilities,
        carrier: sandbox::NAME.to_owned(),
        carrier_settings: None,
        members,
    };
    let id: NumberId = work.new_id(work.now);
    accounts::add_number(work, id, &line)
}

/// Stores companies, contacts and deals, over the days before the first call.
fn meet(work: &mut Work<'_, '_>, cast: &Cast) -> Result<(), Error> {
    let mut companies: Vec<CompanyId> = Vec::with_capacity(cast.companies.len());
    for name in &cast.companies {
        work.now = work.now.plus(Millis::MINUTE);
        let company = CreateCompany {
            name: name.clone(),
            ..CreateCompany::default()
        };
        companies.push(companies::create(work, &company)?.id);
    }
    let mut contacts: Vec<ContactId> = Vec::with_capacity(cast.contacts.len());
    for contact in &cast.contacts {
        work.now = work.now.plus(11 * Millis::MINUTE);
        let create = CreateContact {
            first_name: Some(contact.names.first.clone()),
            last_name: Some(contact.names.last.clone()),
            job_title: Some(contact.job_title.clone()),
            company: contact.company.map(|place| companies[place]),
            numbers: contact.numbers.iter().map(ToString::to_string).collect(),
            emails: contact.emails.clone(),
            properties: contact.properties.clone(),
            ..CreateContact::default()
        };
        contacts.push(people::create_contact(work, &create)?);
    }
    for deal in &cast.deals {
        work.now = work.now.plus(7 * Millis::MINUTE);
        let create = CreateDeal {
            name: deal.name.clone(),
            status: Some(deal.status.to_string()),
            value: Some(f64::from(deal.value)),
            currency: Some(deal.currency.to_owned()),
            close_date: deal.close_date,
            company: Some(companies[deal.company]),
            contacts: deal.contacts.iter().map(|place| contacts[*place]).collect(),
            ..CreateDeal::default()
        };
        deals::create(work, &create)?;
    }
    Ok(())
}
