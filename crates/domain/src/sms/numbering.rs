//! What the numbering plans say of a number: whether it is assigned, in which country, and whether it takes texts.
//!
//! The plans are those of the `phonenumber` crate, read directly: its parser takes national prefixes off numbers that are
//! written in full, and its notion of a type forgets the leading zero that Italian numbers have.

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use crate::PhoneNumber;

/// A number that a plan assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// ISO 3166-1 alpha-2; `None` for numbers of no country, such as +800.
    pub country: Option<&'static str>,
    /// Whether the plan gives the number to fixed lines and to nothing else. Where mobile and fixed lines share numbers,
    /// as in North America, it is not known and this is `false`.
    pub landline: bool,
}

/// What the plans say of `number`; `None` when none assigns it.
#[must_use]
pub fn assigned(number: PhoneNumber) -> Option<Assigned> {
    let digits = &number.as_str()[1..];
    // Country codes have one to three digits, and none is the beginning of another (ITU-T E.164).
    let (plans, national) = (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((DATABASE.by_code(&code.parse::<u16>().ok()?)?, national))
    })?;
    let shared = plans.len() > 1;
    let plan = plans.into_iter().find(|plan| !shared || covers(plan, national))?;
    Some(Assigned {
        country: Some(plan.id()).filter(|id| *id != "001"),
        landline: is_landline(plan, national)?,
    })
}

/// Whether a number of a country code that several regions share is one of this region.
fn covers(plan: &Metadata, national: &str) -> bool {
    match plan.leading_digits() {
        Some(leading) => leading.find(national).is_some_and(|found| found.start() == 0),
        None => is_landline(plan, national).is_some(),
    }
}

/// Whether the plan has the number for fixed lines alone; `None` when it does not have it.
fn is_landline(plan: &Metadata, national: &str) -> Option<bool> {
    let kinds = plan.descriptors();
    let is = |kind: Option<&Descriptor>| kind.is_some_and(|kind| kind.is_match(national));
    if !kinds.general().is_match(national) {
        return None;
    }
    let others = [
        kinds.mobile(),
        kinds.premium_rate(),
        kinds.toll_free(),
        kinds.shared_cost(),
        kinds.voip(),
        kinds.personal_number(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
    ];
    let (fixed, other) = (is(kinds.fixed_line()), others.into_iter().any(is));
    (fixed || other).then_some(fixed && !other)
}

/// The country whose carriers treat `country` as part of their own: territories that have a code of their own in ISO
/// 3166-1 and share the numbering plan of the state they belong to. Any other country is its own.
#[must_use]
pub fn state_of(country: &str) -> &str {
    match country {
        "AS" | "GU" | "MP" | "PR" | "VI" => "US",
        "AX" => "FI",
        "SJ" => "NO",
        "CC" | "CX" => "AU",
        "BL" | "MF" => "GP",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str) -> Option<(Option<&'static str>, bool)> {
        assigned(PhoneNumber::parse(number).unwrap()).map(|found| (found.country, found.landline))
    }

    #[test]
    fn numbers_are_what_people_know_them_to_be() {
        for (number, country, landline) in [
            ("+14155550100", Some("US"), false),
            ("+16045552345", Some("CA"), false),
            ("+17872345678", Some("PR"), false),
            ("+18002345678", Some("US"), false),
            ("+33612345678", Some("FR"), false),
            ("+33751234567", Some("FR"), false),
            ("+33142685300", Some("FR"), true),
            ("+33987654321", Some("FR"), false),
            ("+33800123456", Some("FR"), false),
            ("+262692123456", Some("RE"), false),
            ("+447400123456", Some("GB"), false),
            ("+442079460018", Some("GB"), true),
            ("+4915123456789", Some("DE"), false),
            ("+4930123456", Some("DE"), true),
            ("+393123456789", Some("IT"), false),
            ("+390236618300", Some("IT"), true),
            ("+390669812345", Some("VA"), true),
            ("+74951234567", Some("RU"), true),
            ("+79161234567", Some("RU"), false),
            ("+77012345678", Some("KZ"), false),
            ("+78001234567", Some("RU"), false),
            ("+80012345678", None, false),
        ] {
            assert_eq!(of(number), Some((country, landline)), "{number}");
        }
    }

    #[test]
    fn what_no_plan_has_is_unassigned() {
        for number in [
            "+1415555010",
            "+141555501001",
            "+10155550100",
            "+3361234567",
            "+336123456789",
            "+33012345678",
            "+999123456789",
            "+2101234567",
            "+4474001234",
        ] {
            assert_eq!(of(number), None, "{number}");
        }
    }

    /// The plans come with an example of each kind of number: all of them are found, each in its own country (or in one
    /// that shares its country code, where the same numbers are in several plans), and only those for fixed lines can
    /// be landlines.
    #[test]
    fn the_examples_of_all_plans_are_found() {
        let mut seen = 0;
        for plan in DATABASE.iter() {
            let kinds = plan.descriptors();
            for (kind, fixed) in [
                (kinds.fixed_line(), true),
                (kinds.mobile(), false),
                (kinds.toll_free(), false),
                (kinds.voip(), false),
            ] {
                let Some(example) = kind.and_then(Descriptor::example) else {
                    continue;
                };
                let number = format!("+{}{example}", plan.country_code());
                let Ok(number) = PhoneNumber::parse(&number) else {
                    continue;
                };
                seen += 1;
                let found =
                    assigned(number).unwrap_or_else(|| panic!("{number} of {} is unassigned", plan.id()));
                let country = found.country.unwrap_or("001");
                let sharing = DATABASE.region(&plan.country_code()).unwrap();
                assert!(sharing.contains(&country), "{number} is of {country}");
                if plan.is_main_country_for_code() {
                    assert_eq!(country, plan.id(), "{number}");
                }
                assert!(fixed || !found.landline, "{number} of {country} is a landline");
            }
        }
        assert!(seen > 600, "{seen}");
    }
}
