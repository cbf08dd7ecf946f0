//! Summary templates: made, replaced, deleted, and chosen for the calls of a number.

use trunkline_domain::template::Section;
use trunkline_domain::{ErrorCode, PhoneNumber, TemplateId};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::templates::{self, TemplateRow};

use crate::audit::enter;
use crate::{Actor, Error, Refused, Work};

/// The most templates a team may have.
pub const MAX_TEMPLATES: i64 = 100;

/// What a template says. Everything in it was checked.
#[derive(Clone, Debug)]
pub struct Wording {
    /// Name.
    pub name: String,
    /// What is to be known of the calls beforehand.
    pub call_context: Option<String>,
    /// An emoji or the like.
    pub icon: Option<String>,
    /// What a summary is made of, in order.
    pub sections: Vec<Section>,
}

/// Makes a template.
///
/// # Errors
/// `TEAM_LIMIT_REACHED` when the team has as many as it may have.
pub fn create(work: &mut Work<'_, '_>, wording: &Wording, by: &Actor) -> Result<TemplateRow, Error> {
    if templates::count(work.tx, work.team)? >= MAX_TEMPLATES {
        let message =
            format!("a team has at most {MAX_TEMPLATES} summary templates; delete one that is not needed");
        return Err(Refused::new(ErrorCode::TeamLimitReached).because(message).into());
    }
    let row = TemplateRow {
        id: work.new_id(work.now),
        name: wording.name.clone(),
        call_context: wording.call_context.clone(),
        icon: wording.icon.clone(),
        sections: wording.sections.clone(),
        created_at: work.now,
        updated_at: work.now,
    };
    templates::insert(work.tx, work.team, &row)?;
    enter(
        work,
        by,
        "summary_template.created",
        &row.id.to_string(),
        Some(row.name.clone()),
    )?;
    Ok(row)
}

fn find(work: &mut Work<'_, '_>, id: TemplateId) -> Result<TemplateRow, Error> {
    Ok(templates::get(work.tx, work.team, id)?.ok_or(ErrorCode::SummaryTemplateNotFound)?)
}

/// Replaces everything that a template says.
///
/// # Errors
/// `SUMMARY_TEMPLATE_NOT_FOUND`.
pub fn replace(
    work: &mut Work<'_, '_>,
    id: TemplateId,
    wording: &Wording,
    by: &Actor,
) -> Result<TemplateRow, Error> {
    let row = TemplateRow {
        name: wording.name.clone(),
        call_context: wording.call_context.clone(),
        icon: wording.icon.clone(),
        sections: wording.sections.clone(),
        updated_at: work.now,
        ..find(work, id)?
    };
    templates::update(work.tx, work.team, &row)?;
    enter(
        work,
        by,
        "summary_template.updated",
        &id.to_string(),
        Some(row.name.clone()),
    )?;
    Ok(row)
}

/// Deletes a template: nobody sees or chooses it any more, and numbers that had it as default have none.
///
/// # Errors
/// `SUMMARY_TEMPLATE_NOT_FOUND`.
pub fn delete(work: &mut Work<'_, '_>, id: TemplateId, by: &Actor) -> Result<(), Error> {
    let name = find(work, id)?.name;
    templates::delete(work.tx, work.team, id, work.now)?;
    enter(work, by, "summary_template.deleted", &id.to_string(), Some(name))
}

/// Chooses by which template the calls of a number are summed up; `None`: by the usual one.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND`, `SUMMARY_TEMPLATE_NOT_FOUND`.
pub fn set_default(
    work: &mut Work<'_, '_>,
    number: PhoneNumber,
    template: Option<TemplateId>,
    by: &Actor,
) -> Result<(), Error> {
    let line = numbers::by_number(work.tx, work.team, number)?
        .ok_or_else(|| Refused::new(ErrorCode::PhoneNumberNotFound).param("number"))?;
    if !choose(work, &line, template)? {
        return Ok(());
    }
    let chosen = template.map_or_else(|| "none".to_owned(), |id| id.to_string());
    enter(
        work,
        by,
        "number.summary_template",
        &line.id.to_string(),
        Some(chosen),
    )
}

/// Chooses by which template the calls of a line are summed up; tells whether that changes anything.
pub(crate) fn choose(
    work: &mut Work<'_, '_>,
    line: &NumberRow,
    template: Option<TemplateId>,
) -> Result<bool, Error> {
    if let Some(id) = template {
        find(work, id)?;
    }
    if line.summary_template == template {
        return Ok(false);
    }
    templates::set_default(work.tx, work.team, line.line, template)?;
    Ok(true)
}
