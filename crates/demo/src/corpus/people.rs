//! The demo team's own people, and the people they talk to.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::Language;

/// What the demo team's company is called. Invented.
pub const TEAM_COMPANY: &str = "Calderwyn";

/// The domain of the team's e-mail addresses.
pub const TEAM_DOMAIN: &str = "calderwyn.example";

/// A user of the demo team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// Given name and family name.
    pub name: &'static str,
    /// Address under [`TEAM_DOMAIN`].
    pub email: &'static str,
    /// `ADMIN`, `MANAGER` or `MEMBER`.
    pub role: &'static str,
    /// The language this user sells and helps in.
    pub language: Language,
}

impl TeamMember {
    /// The given name, as used in conversations.
    pub fn first_name(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or(self.name)
    }
}

/// The sales and support team of Calderwyn, which sells telephony to small companies in the US and in France.
pub const TEAM: &[TeamMember] = &[
    TeamMember {
        name: "Maren Holloway",
        email: "maren@calderwyn.example",
        role: "ADMIN",
        language: Language::English,
    },
    TeamMember {
        name: "Solène Garrigue",
        email: "solene@calderwyn.example",
        role: "MANAGER",
        language: Language::French,
    },
    TeamMember {
        name: "Theo Brandt",
        email: "theo@calderwyn.example",
        role: "MEMBER",
        language: Language::English,
    },
    TeamMember {
        name: "Priya Nandakumar",
        email: "priya@calderwyn.example",
        role: "MEMBER",
        language: Language::English,
    },
    TeamMember {
        name: "Bastien Lacombe",
        email: "bastien@calderwyn.example",
        role: "MEMBER",
        language: Language::French,
    },
    TeamMember {
        name: "Maëlle Kerbrat",
        email: "maelle@calderwyn.example",
        role: "MEMBER",
        language: Language::French,
    },
];

/// Given names of the members who work in `language`.
pub(super) fn first_names(language: Language) -> Vec<&'static str> {
    TEAM.iter()
        .filter(|member| member.language == language)
        .map(TeamMember::first_name)
        .collect()
}

/// Somebody at a customer or prospect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub first: String,
    /// Family name.
    pub last: String,
    /// What the person does at the company.
    pub job_title: String,
    /// The language the person speaks with us.
    pub language: Language,
}

/// Invents a person who speaks `language`. Names repeat sooner or later, as they do.
pub fn person<R: Rng + ?Sized>(rng: &mut R, language: Language) -> Person {
    let draw = |rng: &mut R, choices: &[&str]| choices.choose(rng).copied().unwrap_or_default().to_owned();
    let feminine = rng.random_bool(0.5);
    let (first, last, job_title) = match (language, feminine) {
        (Language::English, true) => (ENGLISH_WOMEN, ENGLISH_LAST, ENGLISH_TITLES),
        (Language::English, false) => (ENGLISH_MEN, ENGLISH_LAST, ENGLISH_TITLES),
        (Language::French, true) => (FRENCH_WOMEN, FRENCH_LAST, FRENCH_TITLES_FEMININE),
        (Language::French, false) => (FRENCH_MEN, FRENCH_LAST, FRENCH_TITLES_MASCULINE),
    };
    Person {
        first: draw(rng, first),
        last: draw(rng, last),
        job_title: draw(rng, job_title),
        language,
    }
}

#[rustfmt::skip]
const ENGLISH_WOMEN: &[&str] = &[
    "Abigail", "Alma", "Amara", "Beatrice", "Bridget", "Carla", "Celeste", "Dana", "Daphne", "Della", "Edith", "Elena",
    "Esther", "Fiona", "Georgia", "Greta", "Hazel", "Imani", "Ingrid", "Jolene", "Josie", "Keisha", "Leah", "Lorna",
    "Mabel", "Marisol", "Meredith", "Nadia", "Noreen", "Odessa", "Paula", "Renee", "Rosalind", "Sadie", "Shauna",
    "Sylvia", "Tamsin", "Tessa", "Vera", "Wendy", "Winona", "Yolanda",
];

#[rustfmt::skip]
const ENGLISH_MEN: &[&str] = &[
    "Adrian", "Alvin", "Amos", "Barrett", "Brendan", "Callum", "Cedric", "Clark", "Curtis", "Damon", "Desmond", "Dwight",
    "Elliot", "Emmett", "Felix", "Gareth", "Glenn", "Hector", "Hugh", "Ivan", "Jasper", "Joel", "Julian", "Kendrick",
    "Lamar", "Leon", "Lionel", "Malcolm", "Mateo", "Nolan", "Omar", "Percy", "Quentin", "Rafael", "Reuben", "Roland",
    "Samir", "Silas", "Tobias", "Trevor", "Vikram", "Wesley",
];

#[rustfmt::skip]
const ENGLISH_LAST: &[&str] = &[
    "Abernathy", "Aldridge", "Alvarado", "Ashdown", "Banerjee", "Barlow", "Beckford", "Birch", "Blackwood", "Bramley",
    "Brightman", "Calloway", "Castellano", "Chadwick", "Copeland", "Cordova", "Crane", "Dalton", "Delgado", "Dunmore",
    "Eastman", "Ellsworth", "Fairchild", "Farrow", "Fenwick", "Figueroa", "Galloway", "Garside", "Goodwin", "Grantham",
    "Hadley", "Halvorsen", "Hargrove", "Hathorne", "Hollis", "Huxtable", "Ingram", "Iverson", "Jessup", "Kapoor",
    "Kellerman", "Kirkwood", "Langford", "Larkin", "Lindqvist", "Lockhart", "Maddox", "Marchetti", "Mayfield",
    "Merriweather", "Montoya", "Nakamura", "Norwood", "Oakley", "Okafor", "Orozco", "Overton", "Pemberton", "Penrose",
    "Pruitt", "Quimby", "Radford", "Redmond", "Rosario", "Rutledge", "Salinas", "Sheffield", "Sinclair", "Stanhope",
    "Thackeray", "Tillman", "Underhill", "Vance", "Vasquez", "Wakefield", "Waverly", "Whitlock", "Winslow", "Yamada",
    "Yardley",
];

#[rustfmt::skip]
const ENGLISH_TITLES: &[&str] = &[
    "Office Manager", "Operations Manager", "IT Manager", "Head of IT", "IT Support Specialist", "Owner", "Co-founder",
    "Managing Director", "Finance Manager", "Accountant", "Accounts Payable Clerk", "Purchasing Manager",
    "Customer Service Manager", "Head of Sales", "Sales Manager", "Practice Manager", "Executive Assistant",
    "Front Desk Supervisor", "Branch Manager", "Project Manager", "Marketing Manager", "HR Manager", "Systems Administrator",
    "Store Manager",
];

#[rustfmt::skip]
const FRENCH_WOMEN: &[&str] = &[
    "Adèle", "Agathe", "Aïcha", "Amandine", "Anaïs", "Apolline", "Aurélie", "Bérénice", "Blandine", "Capucine", "Cécile",
    "Clémence", "Coralie", "Diane", "Elsa", "Émeline", "Estelle", "Fanny", "Faustine", "Gaëlle", "Garance", "Hélène",
    "Inès", "Jeanne", "Joséphine", "Laure", "Léonie", "Leïla", "Lucile", "Margaux", "Maud", "Mélanie", "Nadège", "Noémie",
    "Océane", "Ophélie", "Pauline", "Rosalie", "Salomé", "Sixtine", "Solveig", "Valentine",
];

#[rustfmt::skip]
const FRENCH_MEN: &[&str] = &[
    "Adrien", "Amaury", "Anatole", "Antonin", "Arnaud", "Aurélien", "Baptiste", "Benoît", "Cédric", "Clovis", "Corentin",
    "Côme", "Damien", "Édouard", "Émile", "Étienne", "Fabrice", "Félix", "Florian", "Gaspard", "Gaëtan", "Gauthier",
    "Guilhem", "Hakim", "Ismaël", "Jérémie", "Joachim", "Karim", "Léandre", "Loïc", "Lucien", "Malo", "Matthieu", "Mehdi",
    "Noé", "Octave", "Quentin", "Rémi", "Rodolphe", "Tanguy", "Thibault", "Ulysse",
];

#[rustfmt::skip]
const FRENCH_LAST: &[&str] = &[
    "Alazard", "Amsellem", "Aubertin", "Barbier", "Beauvallet", "Bellanger", "Benhaddou", "Berthelot", "Besançon",
    "Blanchet", "Bonnafous", "Boucheron", "Bréhier", "Cardinal", "Castagnier", "Chabrol", "Champetier", "Chauvin",
    "Clavel", "Corbin", "Courtois", "Cazenave", "Daubigné", "Delcourt", "Delmas", "Descombes", "Diallo", "Dufresne",
    "Duvivier", "Escoffier", "Estève", "Fabre", "Fauvel", "Ferrand", "Fontanel", "Fournel", "Garnier", "Gauthrin",
    "Géraud", "Gosselin", "Grandjean", "Guérin", "Haddad", "Hamelin", "Hervieu", "Jacquemin", "Jolivet", "Kermarec",
    "Labrousse", "Lacroix", "Lagarde", "Lemercier", "Lesueur", "Loiseau", "Maillard", "Malherbe", "Marchal", "Mercadier",
    "Monnier", "Montagnac", "Nguyen", "Normand", "Ollivier", "Pasquier", "Péchard", "Perrin", "Poulain", "Prigent",
    "Quéméner", "Rambert", "Renouard", "Rigaud", "Rouvière", "Salvetat", "Sauvage", "Savary", "Tavernier", "Thévenot",
    "Traoré", "Vasseur", "Vidalie",
];

#[rustfmt::skip]
const FRENCH_TITLES_FEMININE: &[&str] = &[
    "Directrice générale", "Gérante", "Directrice administrative et financière", "Responsable informatique",
    "Technicienne informatique", "Comptable", "Responsable achats", "Acheteuse", "Assistante de direction",
    "Office manager", "Responsable du service client", "Directrice commerciale", "Responsable des ventes",
    "Cheffe de projet", "Responsable marketing", "Responsable des ressources humaines", "Cofondatrice",
    "Chargée d'accueil", "Directrice d'agence", "Administratrice systèmes",
];

#[rustfmt::skip]
const FRENCH_TITLES_MASCULINE: &[&str] = &[
    "Directeur général", "Gérant", "Directeur administratif et financier", "Responsable informatique",
    "Technicien informatique", "Comptable", "Responsable achats", "Acheteur", "Assistant de direction",
    "Office manager", "Responsable du service client", "Directeur commercial", "Responsable des ventes",
    "Chef de projet", "Responsable marketing", "Responsable des ressources humaines", "Cofondateur",
    "Chargé d'accueil", "Directeur d'agence", "Administrateur systèmes",
];
