//! Whom the demo team deals with: invented before anything is stored.

use jiff::civil::Date;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use trunkline_domain::text::words;
use trunkline_domain::{DealStatus, PhoneNumber};
use trunkline_store::contacts::Properties;

use crate::corpus::{self, Company, ContactNames, DEAL_STAGES, Language, Person};
use crate::history::{Party, Relation};
use crate::numbers::Numbers;

/// How many contacts the demo team has.
pub(crate) const CONTACTS: usize = 300;

/// How many companies.
const COMPANIES: usize = 120;

/// How many deals.
const DEALS: usize = 96;

/// Numbers that call without being a contact: people, and nuisance callers.
const STRANGERS: (usize, usize) = (48, 10);

/// Everybody outside.
pub(crate) struct Cast {
    pub(crate) companies: Vec<String>,
    pub(crate) contacts: Vec<CastContact>,
    pub(crate) deals: Vec<CastDeal>,
    pub(crate) strangers: Vec<Party>,
}

/// A contact that will be stored.
pub(crate) struct CastContact {
    pub(crate) names: ContactNames,
    pub(crate) job_title: String,
    pub(crate) language: Language,
    /// Place among the companies.
    pub(crate) company: Option<usize>,
    /// The first takes texts.
    pub(crate) numbers: Vec<PhoneNumber>,
    pub(crate) emails: Vec<String>,
    pub(crate) properties: Properties,
}

/// A deal that will be stored.
pub(crate) struct CastDeal {
    pub(crate) name: String,
    pub(crate) status: DealStatus,
    pub(crate) value: u32,
    pub(crate) currency: &'static str,
    pub(crate) close_date: Option<Date>,
    /// Place among the companies.
    pub(crate) company: usize,
    /// Places among the contacts.
    pub(crate) contacts: Vec<usize>,
}

impl Cast {
    /// Invents everybody; `today` is the day by which deals and customers are dated.
    pub(crate) fn draw(rng: &mut StdRng, today: Date) -> Self {
        let mut numbers = Numbers::default();
        let companies: Vec<(Language, Company)> = (0..COMPANIES)
            .map(|place| {
                let language = if place % 2 == 0 {
                    Language::English
                } else {
                    Language::French
                };
                (language, corpus::company(rng, language, place / 2))
            })
            .collect();
        let contacts: Vec<CastContact> = (0..CONTACTS)
            .map(|_| contact(rng, &mut numbers, &companies, today))
            .collect();
        let deals = (0..DEALS)
            .filter_map(|_| deal(rng, &companies, &contacts, today))
            .collect();
        let strangers = (0..STRANGERS.0 + STRANGERS.1)
            .map(|place| {
                let language = language(rng);
                let Person { first, last, .. } = corpus::person(rng, language);
                Party {
                    names: ContactNames { first, last },
                    company: None,
                    language,
                    numbers: vec![numbers.mobile(rng, language)],
                    relation: if place < STRANGERS.0 {
                        Relation::Unknown
                    } else {
                        Relation::Blocked
                    },
                }
            })
            .collect();
        let companies = companies.into_iter().map(|(_, company)| company.name).collect();
        Self {
            companies,
            contacts,
            deals,
            strangers,
        }
    }

    /// Everybody who calls or is called: contacts first.
    pub(crate) fn parties(&self) -> Vec<Party> {
        let known = self.contacts.iter().map(|contact| Party {
            names: contact.names.clone(),
            company: contact.company.map(|place| self.companies[place].clone()),
            language: contact.language,
            numbers: contact.numbers.clone(),
            relation: Relation::Contact,
        });
        known.chain(self.strangers.iter().cloned()).collect()
    }
}

fn language<R: Rng + ?Sized>(rng: &mut R) -> Language {
    if rng.random_bool(0.55) {
        Language::English
    } else {
        Language::French
    }
}

fn contact(
    rng: &mut StdRng,
    numbers: &mut Numbers,
    companies: &[(Language, Company)],
    today: Date,
) -> CastContact {
    let language = language(rng);
    let Person {
        first,
        last,
        job_title,
        ..
    } = corpus::person(rng, language);
    let company = rng.random_bool(0.88).then(|| {
        // Even places are American, odd ones French; the lower ones have more people.
        let place = rng
            .random_range(0..COMPANIES / 2)
            .min(rng.random_range(0..COMPANIES / 2));
        place * 2 + usize::from(language == Language::French)
    });
    let mut own = vec![numbers.mobile(rng, language)];
    match language {
        Language::English if rng.random_bool(0.12) => own.push(numbers.mobile(rng, language)),
        Language::French if rng.random_bool(0.4) => own.push(numbers.landline(rng)),
        _ => {}
    }
    let (slug, mailbox) = (slug(&first, &last, '-'), slug(&first, &last, '.'));
    let mut emails = Vec::new();
    if let Some(place) = company {
        emails.push(format!("{mailbox}@{}", companies[place].1.domain));
    }
    if company.is_none() || rng.random_bool(0.1) {
        let host = if language == Language::French {
            "courriel.example"
        } else {
            "mailbox.example"
        };
        emails.push(format!("{mailbox}@{host}"));
    }
    let names = ContactNames { first, last };
    let properties = properties(rng, &slug, today);
    CastContact {
        names,
        job_title,
        language,
        company,
        numbers: own,
        emails,
        properties,
    }
}

/// `Anaïs`, `Le Gall` become `anais-le-gall`.
fn slug(first: &str, last: &str, joint: char) -> String {
    [words(first), words(last)].concat().join(&joint.to_string())
}

fn properties(rng: &mut StdRng, slug: &str, today: Date) -> Properties {
    let mut properties = Properties::new();
    let mut set = |key: &str, value: Value| drop(properties.insert(key.to_owned(), value));
    if rng.random_bool(0.6) {
        set(
            "linkedin_url",
            json!(format!("https://linkedin.example/in/{slug}")),
        );
    }
    if rng.random_bool(0.8) {
        let sources = [
            "Website",
            "Referral",
            "Trade fair",
            "Cold call",
            "Partner",
            "Webinar",
        ];
        set(
            "lead_source",
            json!(sources.choose(rng).copied().unwrap_or_default()),
        );
    }
    if rng.random_bool(0.55) {
        set(
            "customer_since",
            json!(shifted(today, -rng.random_range(100..2_200)).to_string()),
        );
        set("vip", json!(rng.random_bool(0.15)));
    }
    properties
}

fn shifted(date: Date, days: i64) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}

fn deal(
    rng: &mut StdRng,
    companies: &[(Language, Company)],
    contacts: &[CastContact],
    today: Date,
) -> Option<CastDeal> {
    let first = rng.random_range(0..contacts.len());
    let company = contacts[first].company?;
    let (language, known) = &companies[company];
    let stage = DEAL_STAGES.choose_weighted(rng, |stage| stage.share).ok()?;
    let (status, close_in) = match (stage.closed, stage.key) {
        (true, "won") => (DealStatus::Won, -rng.random_range(2..120)),
        (true, _) => (DealStatus::Lost, -rng.random_range(2..120)),
        (false, _) => (DealStatus::Open, rng.random_range(5..90)),
    };
    let colleagues =
        (0..contacts.len()).filter(|place| *place != first && contacts[*place].company == Some(company));
    let mut with = vec![first];
    with.extend(colleagues.filter(|_| rng.random_bool(0.3)).take(2));
    Some(CastDeal {
        name: corpus::deal_name(rng, *language, known),
        status,
        value: corpus::deal_value(rng),
        currency: language.currency(),
        close_date: rng.random_bool(0.9).then(|| shifted(today, close_in)),
        company,
        contacts: with,
    })
}
