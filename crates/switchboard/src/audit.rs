//! Who changed keys and settings: each change writes its entry in its own transaction.

use serde_json::{Value, json};
use trunkline_store::audit::{self, AuditRow};

use crate::{Actor, Error, Work};

/// The name under which what the operator does at the command line is entered.
pub const OPERATOR: &str = "operator";

/// Enters that `by` did `action` to `subject`, with more in words if there is more to be said; never a secret.
///
/// # Errors
/// The store's failure.
pub(crate) fn enter(
    work: &mut Work<'_, '_>,
    by: &Actor,
    action: &str,
    subject: &str,
    detail: Option<String>,
) -> Result<(), Error> {
    enter_value(work, by, action, subject, detail.map(Value::String).as_ref())
}

/// Enters that `by` changed these fields of `subject`, which says nothing of their values.
///
/// # Errors
/// The store's failure.
pub(crate) fn enter_fields(
    work: &mut Work<'_, '_>,
    by: &Actor,
    action: &str,
    subject: &str,
    fields: &[&str],
) -> Result<(), Error> {
    enter_value(work, by, action, subject, Some(&json!({ "fields": fields })))
}

/// As [`enter`], with any JSON. Its `fields`, if it has any, are the names of what was changed.
///
/// # Errors
/// The store's failure.
pub(crate) fn enter_value(
    work: &mut Work<'_, '_>,
    by: &Actor,
    action: &str,
    subject: &str,
    detail: Option<&Value>,
) -> Result<(), Error> {
    let entry = AuditRow {
        id: format!("aud-{}", String::from_utf8_lossy(&work.ids.ksuid(work.now))),
        at: work.now,
        actor: by
            .user_id()
            .map_or_else(|| OPERATOR.to_owned(), |id| id.to_string()),
        api_key: work.key,
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.map(Value::to_string),
    };
    Ok(audit::insert(work.tx, work.team, &entry)?)
}
