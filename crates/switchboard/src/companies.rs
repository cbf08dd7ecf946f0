//! Companies.

use trunkline_domain::{CompanyId, ErrorCode};
use trunkline_store::companies::{self, CompanyRow};

use crate::people::{invalid, tidy};
use crate::{Error, Refused, Work};

/// A company to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateCompany {
    /// Name.
    pub name: String,
    /// Website.
    pub website: Option<String>,
    /// Industry.
    pub industry: Option<String>,
}

/// What to change about a company: `None` leaves it as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
pub struct PatchCompany {
    /// Name.
    pub name: Option<String>,
    /// Website.
    pub website: Option<Option<String>>,
    /// Industry.
    pub industry: Option<Option<String>>,
}

/// Makes a company.
///
/// # Errors
/// `INVALID_PARAMETER` for an empty name.
pub fn create(work: &mut Work<'_, '_>, company: &CreateCompany) -> Result<CompanyRow, Error> {
    let row = CompanyRow {
        id: work.new_id(work.now),
        name: named(&company.name)?,
        website: tidy(company.website.as_deref()),
        industry: tidy(company.industry.as_deref()),
        person_count: 0,
        interactions: 0,
        last_at: None,
        created_at: work.now,
        updated_at: work.now,
    };
    companies::insert(work.tx, work.team, &row)?;
    Ok(row)
}

fn named(name: &str) -> Result<String, Error> {
    tidy(Some(name)).ok_or_else(|| invalid("name", "a company needs a name".into()))
}

/// The company of this name, whatever its case and accents; it is made where there is none.
///
/// # Errors
/// `INVALID_PARAMETER` for an empty name.
pub fn find_or_create(work: &mut Work<'_, '_>, name: &str) -> Result<CompanyId, Error> {
    if let Some(known) = companies::by_name(work.tx, work.team, name)? {
        return Ok(known.id);
    }
    let company = CreateCompany {
        name: name.to_owned(),
        ..CreateCompany::default()
    };
    create(work, &company).map(|row| row.id)
}

/// The company with this id.
///
/// # Errors
/// `COMPANY_NOT_FOUND`.
pub fn find(work: &mut Work<'_, '_>, id: CompanyId) -> Result<CompanyRow, Error> {
    Ok(companies::get(work.tx, work.team, id)?.ok_or_else(|| Refused::new(ErrorCode::CompanyNotFound))?)
}

/// Changes a company. People and conversations show its new name at once.
///
/// # Errors
/// `COMPANY_NOT_FOUND`, `INVALID_PARAMETER` for an empty name.
pub fn update(work: &mut Work<'_, '_>, id: CompanyId, patch: &PatchCompany) -> Result<CompanyRow, Error> {
    let before = find(work, id)?;
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = named(name)?;
    }
    if let Some(website) = &patch.website {
        after.website = tidy(website.as_deref());
    }
    if let Some(industry) = &patch.industry {
        after.industry = tidy(industry.as_deref());
    }
    if after != before {
        after.updated_at = work.now;
        companies::update(work.tx, work.team, &after)?;
    }
    Ok(after)
}
