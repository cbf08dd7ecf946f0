//! Custom properties of people: which there are, and what values they take.

use serde_json::{Value, json};
use trunkline_domain::{ErrorCode, PropertyType};
use trunkline_store::contacts::Properties;
use trunkline_store::properties::{self, PropertyRow};

use crate::audit::{enter, enter_fields, enter_value};
use crate::people::{invalid, tidy};
use crate::{Actor, Error, Refused, Work};

/// The longest text a property may have, in characters.
pub const MAX_TEXT: usize = 4_000;

/// The longest name a property may have, in characters.
pub const MAX_NAME: usize = 100;

/// Keys with a meaning of their own in events and API.
const RESERVED_KEYS: [&str; 25] = [
    "id",
    "name",
    "last_name",
    "email",
    "emails",
    "numbers",
    "job_title",
    "website",
    "address",
    "company",
    "company_id",
    "deal",
    "deals",
    "status",
    "engagement",
    "interactions",
    "last_activity_at",
    "created_at",
    "updated_at",
    "archived",
    "archived_at",
    "is_archived",
    "allow_duplicate_number",
    "properties",
    "extend",
];

/// How many properties of a type a team may have.
#[must_use]
pub const fn most_of(property_type: PropertyType) -> usize {
    match property_type {
        PropertyType::Text => 150,
        PropertyType::Number => 50,
        PropertyType::Date | PropertyType::Boolean => 30,
    }
}

/// Defines a custom property of people.
///
/// # Errors
/// `INVALID_PARAMETER` for a key that is no slug, or reserved, or taken, and for an empty name, `TEAM_LIMIT_REACHED` when the
/// team has as many of the type as it may have.
pub fn define(
    work: &mut Work<'_, '_>,
    key: &str,
    name: &str,
    property_type: PropertyType,
) -> Result<PropertyRow, Error> {
    if trunkline_domain::tag::key(key).as_deref() != Some(key) || RESERVED_KEYS.contains(&key) {
        let message =
            format!("{key:?} cannot be the key of a property: use a lower-case slug that is not reserved");
        return Err(invalid("key", message));
    }
    let known = properties::list(work.tx, work.team)?;
    if known.iter().any(|property| property.key == key) {
        return Err(invalid("key", format!("the team has a property {key:?} already")));
    }
    let most = most_of(property_type);
    if known
        .iter()
        .filter(|known| known.property_type == property_type)
        .count()
        >= most
    {
        let message = format!("a team has at most {most} properties of type {property_type}");
        return Err(Refused::new(ErrorCode::TeamLimitReached)
            .param("type")
            .because(message)
            .into());
    }
    let row = PropertyRow {
        key: key.to_owned(),
        name: named(name)?,
        property_type,
        created_at: work.now,
    };
    properties::insert(work.tx, work.team, &row)?;
    Ok(row)
}

fn named(name: &str) -> Result<String, Error> {
    tidy(Some(name)).ok_or_else(|| invalid("name", "a property needs a name".into()))
}

fn find(work: &mut Work<'_, '_>, key: &str) -> Result<PropertyRow, Error> {
    let known = properties::list(work.tx, work.team)?.into_iter();
    let found = known.into_iter().find(|property| property.key == key);
    Ok(found.ok_or_else(|| Refused::new(ErrorCode::PropertyNotFound).param("key"))?)
}

/// As [`define`], by somebody: it is entered in the audit log.
///
/// # Errors
/// As [`define`].
pub fn define_by(
    work: &mut Work<'_, '_>,
    key: &str,
    name: &str,
    property_type: PropertyType,
    by: &Actor,
) -> Result<PropertyRow, Error> {
    let row = define(work, key, name, property_type)?;
    let detail = json!({ "type": property_type });
    enter_value(work, by, "property.created", key, Some(&detail))?;
    Ok(row)
}

/// Gives a property another name. Its key and type stay.
///
/// # Errors
/// `PROPERTY_NOT_FOUND`, `INVALID_PARAMETER` for an empty name.
pub fn rename(work: &mut Work<'_, '_>, key: &str, name: &str, by: &Actor) -> Result<PropertyRow, Error> {
    let before = find(work, key)?;
    let row = PropertyRow {
        name: named(name)?,
        ..before.clone()
    };
    if row != before {
        properties::rename(work.tx, work.team, key, &row.name)?;
        enter_fields(work, by, "property.updated", key, &["name"])?;
    }
    Ok(row)
}

/// Takes a property away. Its values are shown no more; they are back if it is defined again with the same type before
/// the person is changed.
///
/// # Errors
/// `PROPERTY_NOT_FOUND`.
pub fn delete(work: &mut Work<'_, '_>, key: &str, by: &Actor) -> Result<(), Error> {
    find(work, key)?;
    properties::delete(work.tx, work.team, key)?;
    enter(work, by, "property.deleted", key, None)
}

/// What a person has once `given` is written over `before`: null takes a value away.
///
/// # Errors
/// `INVALID_PARAMETER` for a property that is not defined, or a value of another type.
pub(crate) fn applied(
    work: &mut Work<'_, '_>,
    before: &Properties,
    given: &Properties,
) -> Result<Properties, Error> {
    if given.is_empty() {
        return Ok(before.clone());
    }
    let definitions = properties::list(work.tx, work.team)?;
    let mut after = trunkline_store::contacts::defined(&definitions, before.clone());
    for (key, value) in given {
        let property = definitions
            .iter()
            .find(|property| property.key == *key)
            .ok_or_else(|| invalid("properties", format!("the team has no property {key:?}")))?;
        if value.is_null() {
            after.remove(key);
        } else if fits(property.property_type, value) {
            after.insert(key.clone(), value.clone());
        } else {
            let wanted = wanted(property.property_type);
            return Err(invalid(
                "properties",
                format!("the property {key:?} takes {wanted}"),
            ));
        }
    }
    Ok(after)
}

/// Whether a value is one of the type.
#[must_use]
pub fn fits(property_type: PropertyType, value: &Value) -> bool {
    match (property_type, value) {
        (PropertyType::Text, Value::String(text)) => {
            text.chars().nth(MAX_TEXT).is_none() && !text.contains('\0')
        }
        (PropertyType::Number, Value::Number(_)) | (PropertyType::Boolean, Value::Bool(_)) => true,
        (PropertyType::Date, Value::String(text)) => {
            text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
        }
        _ => false,
    }
}

/// What values of a type look like, for people.
#[must_use]
pub const fn wanted(property_type: PropertyType) -> &'static str {
    match property_type {
        PropertyType::Text => "a text of at most 4,000 characters",
        PropertyType::Number => "a number",
        PropertyType::Date => "a date, YYYY-MM-DD",
        PropertyType::Boolean => "true or false",
    }
}
