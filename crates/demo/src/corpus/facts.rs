//! The facts of one conversation: who talks, about which invoice, amount, quantity, day and hour.
//!
//! Amounts agree with each other (seats × price = monthly amount, and so on). Nothing names a month, a year
//! or a season that could contradict the time at which the conversation is placed.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::people::{TEAM_COMPANY, first_names};
use super::{ContactNames, Language};

/// The values of all slots that templates may use.
pub(super) struct Facts {
    values: Vec<(&'static str, String)>,
}

impl Facts {
    /// Draws the facts of a conversation between `agent` and `contact`.
    pub(super) fn draw<R: Rng + ?Sized>(
        rng: &mut R,
        language: Language,
        agent: &str,
        contact: &ContactNames,
        company: Option<&str>,
    ) -> Self {
        let mut values = people_facts(rng, language, agent, contact, company);
        values.extend(subscription_facts(rng, language));
        values.extend(order_facts(rng, language));
        values.extend(time_facts(rng, language));
        Self { values }
    }

    /// Facts with exactly these values.
    #[cfg(test)]
    pub(super) fn from_pairs(values: Vec<(&'static str, String)>) -> Self {
        Self { values }
    }

    /// The value of a slot; `None` if there is no such slot.
    pub(super) fn get(&self, slot: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(name, _)| *name == slot)
            .map(|(_, value)| value.as_str())
    }
}

type Values = Vec<(&'static str, String)>;

/// `us`, `agent`, `colleague`; `first`, `last`, `name`; `caller` as one introduces oneself, `who` as one
/// notes it, `account` as we say it, `party` for the company or else the person, `pickup` as the phone is
/// answered there.
fn people_facts<R: Rng + ?Sized>(
    rng: &mut R,
    language: Language,
    agent: &str,
    contact: &ContactNames,
    company: Option<&str>,
) -> Values {
    let name = format!("{} {}", contact.first, contact.last);
    let mut colleagues = first_names(language);
    colleagues.retain(|colleague| *colleague != agent);
    let colleague = colleagues.choose(rng).copied().unwrap_or("Robin");
    let (caller, account, pickup) = match (language, company) {
        (Language::English, None) => (name.clone(), "your account".to_owned(), "Yes, hello".to_owned()),
        (Language::French, None) => (name.clone(), "votre compte".to_owned(), "Oui, bonjour".to_owned()),
        (Language::English, Some(company)) => {
            let link = pick(rng, &["from", "from", "at", "over at"]);
            (
                format!("{name} {link} {company}"),
                format!("the {company} account"),
                format!("{company}, hello"),
            )
        }
        (Language::French, Some(company)) => {
            let link = pick(rng, &[", de la société", " de chez", ", société"]);
            (
                format!("{name}{link} {company}"),
                format!("le compte {company}"),
                format!("{company}, bonjour"),
            )
        }
    };
    vec![
        ("us", TEAM_COMPANY.to_owned()),
        ("agent", agent.to_owned()),
        ("colleague", colleague.to_owned()),
        ("first", contact.first.clone()),
        ("last", contact.last.clone()),
        (
            "who",
            company.map_or_else(|| name.clone(), |company| format!("{name} ({company})")),
        ),
        ("party", company.unwrap_or(&name).to_owned()),
        ("caller", caller),
        ("pickup", pickup),
        ("account", account),
        ("name", name),
    ]
}

/// Plan, seats and everything that follows from their prices; discounts; invoice and quote numbers.
fn subscription_facts<R: Rng + ?Sized>(rng: &mut R, language: Language) -> Values {
    let money = |amount| money(language, amount);
    let (plan, price, plan_up, price_up) = *[
        ("Start", 15_u32, "Team", 24_u32),
        ("Start", 16, "Pro", 35),
        ("Team", 24, "Pro", 35),
        ("Team", 25, "Pro", 36),
        ("Pro", 35, "Scale", 48),
    ]
    .choose(rng)
    .unwrap_or(&("Team", 24, "Pro", 35));
    let seats: u32 = rng.random_range(8..=64);
    let extra: u32 = rng.random_range(2..=6);
    let monthly = seats * price;
    let monthly_up = seats * price_up;
    let discount: u32 = pick(rng, &[10, 12, 15, 20]);
    let discounted = monthly * (100 - discount) / 100;
    let percent = match language {
        Language::English => format!("{discount}%"),
        Language::French => format!("{discount} %"),
    };
    let quote_letter = match language {
        Language::English => 'Q',
        Language::French => 'D',
    };
    vec![
        ("plan", plan.to_owned()),
        ("plan_up", plan_up.to_owned()),
        ("price", money(price)),
        ("price_up", money(price_up)),
        ("seats", seats.to_string()),
        ("extra", extra.to_string()),
        ("total_seats", (seats + extra).to_string()),
        ("fewer_seats", (seats - extra).to_string()),
        ("monthly", money(monthly)),
        ("monthly_total", money(monthly + extra * price)),
        ("monthly_fewer", money(monthly - extra * price)),
        ("overcharge", money(extra * price)),
        ("monthly_up", money(monthly_up)),
        ("difference", money(monthly_up - monthly)),
        ("yearly", money(monthly * 12)),
        ("discount", percent),
        ("monthly_discounted", money(discounted)),
        ("yearly_discounted", money(discounted * 12)),
        ("saving", money((monthly - discounted) * 12)),
        ("prepaid_months", rng.random_range(2..=5).to_string()),
        ("credit", money(rng.random_range(2..=9) * 10)),
        ("invoice", format!("CW-{}", rng.random_range(10_240..=98_750))),
        (
            "quote",
            format!("{quote_letter}-{}", rng.random_range(1_020..=9_870)),
        ),
        ("lines", rng.random_range(2..=14).to_string()),
    ]
}

/// Devices, orders, support tickets, faults and other systems.
fn order_facts<R: Rng + ?Sized>(rng: &mut R, language: Language) -> Values {
    let english = [
        ("Desk 20 phone", "Desk 20 phones", 89_u32),
        ("Tarn 5 headset", "Tarn 5 headsets", 64),
        ("Round 60 conference phone", "Round 60 conference phones", 240),
        ("Stroll cordless handset", "Stroll cordless handsets", 112),
    ];
    let french = [
        ("téléphone Desk 20", "téléphones Desk 20", 89_u32),
        ("casque Tarn 5", "casques Tarn 5", 64),
        (
            "poste de conférence Round 60",
            "postes de conférence Round 60",
            240,
        ),
        ("combiné sans fil Stroll", "combinés sans fil Stroll", 112),
    ];
    let (catalogue, symptoms, crms) = match language {
        Language::English => (
            english,
            [
                "incoming calls go straight to voicemail",
                "callers can't hear us",
                "calls drop after about thirty seconds",
                "the desk phones all show “not registered”",
                "outgoing calls fail with a busy tone",
            ],
            ["Pipemoor", "Ledgerloom", "Kundora", "Dealwick"],
        ),
        Language::French => (
            french,
            [
                "les appels entrants partent directement sur la messagerie",
                "nos correspondants ne nous entendent pas",
                "les appels coupent au bout d'une trentaine de secondes",
                "tous les postes affichent « non enregistré »",
                "les appels sortants tombent sur une tonalité occupée",
            ],
            ["Pipemoor", "Ledgerloom", "Kundora", "Dealwick"],
        ),
    };
    let (device, devices, unit) = pick(rng, &catalogue);
    let quantity: u32 = rng.random_range(7..=24);
    vec![
        ("device", device.to_owned()),
        ("devices", devices.to_owned()),
        ("device_price", money(language, unit)),
        ("qty", quantity.to_string()),
        ("devices_total", money(language, unit * quantity)),
        ("order", format!("A-{}", rng.random_range(20_110..=89_960))),
        ("ticket", format!("T-{}", rng.random_range(31_000..=79_999))),
        ("symptom", pick(rng, &symptoms).to_owned()),
        ("crm", pick(rng, &crms).to_owned()),
    ]
}

/// Weekdays, hours, days of the month and lengths of time. `day` and `day2` differ and `date` precedes
/// `date2`.
fn time_facts<R: Rng + ?Sized>(rng: &mut R, language: Language) -> Values {
    let weekdays = match language {
        Language::English => ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        Language::French => ["lundi", "mardi", "mercredi", "jeudi", "vendredi"],
    };
    let first: usize = rng.random_range(0..5);
    let second = (first + rng.random_range(1..5)) % 5;
    let date: u32 = rng.random_range(2..=14);
    vec![
        ("day", weekdays[first].to_owned()),
        ("day2", weekdays[second].to_owned()),
        ("time", hour(language, rng.random_range(18..=23))),
        ("time2", hour(language, rng.random_range(28..=34))),
        ("date", day_of_month(language, date)),
        ("date2", day_of_month(language, date + rng.random_range(3..=14))),
        ("minutes", (rng.random_range(3..=9) * 5).to_string()),
        ("hours", rng.random_range(2..=5).to_string()),
        ("days", rng.random_range(3..=6).to_string()),
        ("weeks", rng.random_range(2..=4).to_string()),
        ("overdue", rng.random_range(6..=24).to_string()),
    ]
}

fn pick<T: Copy, R: Rng + ?Sized, const N: usize>(rng: &mut R, choices: &[T; N]) -> T {
    choices[rng.random_range(0..N)]
}

/// `$1,085` or `1 085 euros`.
fn money(language: Language, amount: u32) -> String {
    let separator = match language {
        Language::English => ",",
        Language::French => " ",
    };
    let digits = if amount < 1_000 {
        amount.to_string()
    } else {
        format!("{}{separator}{:03}", amount / 1_000, amount % 1_000)
    };
    match language {
        Language::English => format!("${digits}"),
        Language::French => format!("{digits} euros"),
    }
}

/// An hour of the day, counted in half hours from midnight.
fn hour(language: Language, half_hours: u32) -> String {
    let (hour, half) = (half_hours / 2, half_hours % 2 == 1);
    match (language, half) {
        (Language::French, false) => format!("{hour}h"),
        (Language::French, true) => format!("{hour}h30"),
        (Language::English, _) => {
            let period = if hour < 12 { "AM" } else { "PM" };
            let minutes = if half { ":30" } else { "" };
            format!("{}{minutes} {period}", (hour + 11) % 12 + 1)
        }
    }
}

/// `the 14th` or `le 14`.
fn day_of_month(language: Language, day: u32) -> String {
    match language {
        Language::French => format!("le {day}"),
        Language::English => {
            let ending = match (day / 10, day % 10) {
                (1, _) => "th",
                (_, 1) => "st",
                (_, 2) => "nd",
                (_, 3) => "rd",
                _ => "th",
            };
            format!("the {day}{ending}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_say_them() {
        assert_eq!(money(Language::English, 1_085), "$1,085");
        assert_eq!(money(Language::English, 64), "$64");
        assert_eq!(money(Language::French, 12_005), "12 005 euros");
        assert_eq!(hour(Language::English, 24), "12 PM");
        assert_eq!(hour(Language::English, 29), "2:30 PM");
        assert_eq!(hour(Language::French, 19), "9h30");
        assert_eq!(day_of_month(Language::English, 12), "the 12th");
        assert_eq!(day_of_month(Language::English, 23), "the 23rd");
        assert_eq!(day_of_month(Language::French, 3), "le 3");
    }
}
