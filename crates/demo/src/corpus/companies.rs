//! The companies the demo team sells to, and its deals with them.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::Language;

/// A customer or prospect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// What it is called.
    pub name: String,
    /// Its web domain, under `.example`.
    pub domain: String,
    /// What it does, in the language it was invented in.
    pub industry: &'static str,
    /// Where it is.
    pub city: &'static str,
}

/// A stage of the sales pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DealStage {
    /// The stage as the CRM stores it.
    pub key: &'static str,
    /// Whether the deal is closed in this stage.
    pub closed: bool,
    /// How many of a hundred deals are in this stage.
    pub share: u32,
}

/// The sales pipeline of the demo team in order; the shares add up to 100.
pub const DEAL_STAGES: &[DealStage] = &[
    DealStage {
        key: "lead",
        closed: false,
        share: 18,
    },
    DealStage {
        key: "qualified",
        closed: false,
        share: 17,
    },
    DealStage {
        key: "demo",
        closed: false,
        share: 13,
    },
    DealStage {
        key: "proposal",
        closed: false,
        share: 13,
    },
    DealStage {
        key: "negotiation",
        closed: false,
        share: 9,
    },
    DealStage {
        key: "won",
        closed: true,
        share: 19,
    },
    DealStage {
        key: "lost",
        closed: true,
        share: 11,
    },
];

/// Invents a company. Names and domains differ for different indexes below 300, also across languages; the
/// industry and the city are drawn.
pub fn company<R: Rng + ?Sized>(rng: &mut R, language: Language, index: usize) -> Company {
    let (heads, tails, trades, cities) = match language {
        Language::English => (ENGLISH_HEADS, ENGLISH_TAILS, ENGLISH_TRADES, ENGLISH_CITIES),
        Language::French => (FRENCH_HEADS, FRENCH_TAILS, FRENCH_TRADES, FRENCH_CITIES),
    };
    // Indexes with the same head have different tails: the tail moves on by one per round.
    let (head, round) = (index % heads.len(), index / heads.len());
    let root = format!("{}{}", heads[head], tails[(head + round) % tails.len()]);
    let (industry, patterns) = *trades.choose(rng).unwrap_or(&trades[0]);
    let pattern = patterns.choose(rng).copied().unwrap_or("{}");
    let name = pattern.replace("{}", &root);
    Company {
        domain: format!("{}.example", domain_label(&name)),
        name,
        industry,
        city: cities.choose(rng).copied().unwrap_or_default(),
    }
}

/// A name for a deal with `company`, such as “Thornmere Dental – 24 seats Pro”.
pub fn deal_name<R: Rng + ?Sized>(rng: &mut R, language: Language, company: &Company) -> String {
    let seats = rng.random_range(4..=80);
    let plan = ["Start", "Team", "Pro", "Scale"]
        .choose(rng)
        .copied()
        .unwrap_or_default();
    let subjects = match language {
        Language::English => [
            format!("{seats} seats {plan}"),
            format!("Upgrade to {plan}"),
            "Annual renewal".to_owned(),
            format!("{seats} desk phones"),
            "Number porting and onboarding".to_owned(),
            format!("{} office rollout", company.city),
        ],
        Language::French => [
            format!("{seats} postes {plan}"),
            format!("Passage à l'offre {plan}"),
            "Renouvellement annuel".to_owned(),
            format!("{seats} téléphones de bureau"),
            "Portabilité et mise en service".to_owned(),
            format!("Déploiement {}", company.city),
        ],
    };
    let subject = subjects.choose(rng).map_or("", String::as_str);
    format!("{} – {subject}", company.name)
}

/// The value of a deal in whole units of the currency: mostly some thousands, seldom tens of thousands.
pub fn deal_value<R: Rng + ?Sized>(rng: &mut R) -> u32 {
    let tens = match rng.random_range(0..10) {
        0..=5 => rng.random_range(60..=480),
        6..=8 => rng.random_range(480..=1_800),
        _ => rng.random_range(1_800..=6_000),
    };
    tens * 10
}

/// `Cœur & Étoile` becomes `coeur-etoile`.
fn domain_label(name: &str) -> String {
    let mut label = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        match character {
            'a'..='z' | '0'..='9' => label.push(character),
            'à' | 'â' | 'ä' => label.push('a'),
            'é' | 'è' | 'ê' | 'ë' => label.push('e'),
            'î' | 'ï' => label.push('i'),
            'ô' | 'ö' => label.push('o'),
            'ù' | 'û' | 'ü' => label.push('u'),
            'ç' => label.push('c'),
            'œ' => label.push_str("oe"),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label
}

type Trade = (&'static str, &'static [&'static str]);

#[rustfmt::skip]
const ENGLISH_HEADS: &[&str] = &[
    "Thorn", "Harrow", "Pell", "Quill", "Bram", "Dray", "Fern", "Glaze", "Hollow", "Juniper", "Kettle", "Larch", "Marl",
    "Nettle", "Otter", "Plover", "Rook", "Sable", "Tansy", "Umber", "Vetch", "Wren", "Yarrow", "Cobble", "Drift", "Ember",
    "Flint", "Gorse", "Heron", "Ivory",
];

const ENGLISH_TAILS: &[&str] = &[
    "mere", "wick", "gate", "barrow", "stead", "brook", "fold", "cairn", "lea", "haven",
];

const ENGLISH_TRADES: &[Trade] = &[
    ("Dental care", &["{} Dental", "{} Dental Group"]),
    ("Logistics", &["{} Freight", "{} Logistics", "{} Haulage"]),
    ("Architecture", &["{} Architects", "Studio {}"]),
    ("Legal services", &["{} Legal", "{} & Partners"]),
    ("Real estate", &["{} Realty", "{} Homes"]),
    ("Accounting", &["{} Accounting", "{} Tax Advisors"]),
    ("Food wholesale", &["{} Foods", "{} Provisions"]),
    ("Veterinary care", &["{} Animal Clinic", "{} Vets"]),
    ("Construction", &["{} Builders", "{} Roofing"]),
    ("Travel", &["{} Travel", "{} Tours"]),
    ("Insurance brokerage", &["{} Insurance", "{} Cover"]),
    ("Furniture retail", &["{} Interiors", "{} Furniture"]),
    ("Recruitment", &["{} Staffing", "{} Talent"]),
    ("Software", &["{} Software", "{} Systems"]),
    ("Education", &["{} Academy", "{} Language School"]),
    ("Event services", &["{} Events", "{} Catering"]),
    ("Printing", &["{} Print Works", "{} Press"]),
    ("Automotive repair", &["{} Motors", "{} Auto Repair"]),
];

#[rustfmt::skip]
const ENGLISH_CITIES: &[&str] = &[
    "Portland", "Denver", "Austin", "Boston", "Madison", "Raleigh", "Tucson", "Columbus", "Sacramento", "Omaha",
    "Pittsburgh", "Savannah", "Spokane", "Buffalo", "Boise", "Richmond", "Louisville", "Albuquerque",
];

#[rustfmt::skip]
const FRENCH_HEADS: &[&str] = &[
    "Val", "Roche", "Clair", "Aube", "Haute", "Belle", "Chante", "Aigue", "Brise", "Ombre", "Fleur", "Grande", "Lande",
    "Neuve", "Noire", "Orme", "Mousse", "Quatre", "Rive", "Sauve", "Tourne", "Verte", "Boise", "Combe", "Douce", "Froide",
    "Garde", "Longue", "Mire", "Pierre",
];

const FRENCH_TAILS: &[&str] = &[
    "court", "vigne", "mont", "fontaine", "lune", "caze", "plane", "source", "feuille", "marche",
];

const FRENCH_TRADES: &[Trade] = &[
    ("Cabinet dentaire", &["Cabinet dentaire {}", "Centre dentaire {}"]),
    ("Transport et logistique", &["Transports {}", "{} Logistique"]),
    ("Architecture", &["Atelier {}", "{} Architectes"]),
    ("Services juridiques", &["{} Avocats", "Étude {}"]),
    ("Immobilier", &["{} Immobilier", "Agence {}"]),
    ("Expertise comptable", &["{} Expertise", "Cabinet {}"]),
    ("Commerce alimentaire", &["Épicerie {}", "Primeurs {}"]),
    (
        "Clinique vétérinaire",
        &["Clinique vétérinaire {}", "Vétérinaires {}"],
    ),
    ("Bâtiment", &["{} Bâtiment", "Couverture {}"]),
    ("Voyage", &["{} Voyages", "Évasion {}"]),
    ("Courtage en assurances", &["{} Assurances", "Courtage {}"]),
    ("Ameublement", &["Maison {}", "Meubles {}"]),
    ("Recrutement", &["{} Recrutement", "Intérim {}"]),
    ("Édition de logiciels", &["{} Logiciels", "{} Numérique"]),
    ("Formation", &["{} Formation", "École {}"]),
    ("Événementiel", &["{} Événements", "Traiteur {}"]),
    ("Imprimerie", &["Imprimerie {}", "{} Impression"]),
    ("Automobile", &["Garage {}", "{} Automobiles"]),
];

#[rustfmt::skip]
const FRENCH_CITIES: &[&str] = &[
    "Lyon", "Nantes", "Bordeaux", "Lille", "Rennes", "Toulouse", "Grenoble", "Dijon", "Angers", "Tours", "Metz",
    "Clermont-Ferrand", "Saint-Étienne", "Besançon", "Orléans", "Montpellier", "Nîmes", "Annecy",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn names_and_domains_are_distinct() {
        let mut rng = StdRng::seed_from_u64(3);
        let (mut names, mut domains) = (BTreeSet::new(), BTreeSet::new());
        for index in 0..300 {
            for language in [Language::English, Language::French] {
                let company = company(&mut rng, language, index);
                assert!(names.insert(company.name.clone()), "{} repeats", company.name);
                assert!(
                    domains.insert(company.domain.clone()),
                    "{} repeats",
                    company.domain
                );
            }
        }
    }

    #[test]
    fn domains_are_plain_labels() {
        assert_eq!(domain_label("Étude Brisefontaine"), "etude-brisefontaine");
        assert_eq!(domain_label("Thornmere & Partners"), "thornmere-partners");
    }

    #[test]
    fn deals_name_their_company_and_have_a_value() {
        let mut rng = StdRng::seed_from_u64(4);
        let company = company(&mut rng, Language::English, 7);
        for _ in 0..100 {
            assert!(deal_name(&mut rng, Language::English, &company).starts_with(&company.name));
            assert!((600..=60_000).contains(&deal_value(&mut rng)));
        }
        assert_eq!(DEAL_STAGES.iter().map(|stage| stage.share).sum::<u32>(), 100);
    }
}
