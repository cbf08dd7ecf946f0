//! Deals.

use trunkline_domain::{CompanyId, ContactId, DealId, ErrorCode, Millis};
use trunkline_store::deals::{self, DealDetail, DealRow};
use trunkline_store::{companies, contacts};

use crate::people::{invalid, known_company, tidy};
use crate::{Error, Refused, Work};

/// A deal to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateDeal {
    /// Name.
    pub name: String,
    /// Where it stands, in the team's own word.
    pub status: Option<String>,
    /// What it is worth.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// When it should close.
    pub close_date: Option<jiff::civil::Date>,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// Its company.
    pub company: Option<CompanyId>,
    /// Whom it is with, beside everybody of the company.
    pub contacts: Vec<ContactId>,
}

/// What to change about a deal: `None` leaves it as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
pub struct PatchDeal {
    /// Name.
    pub name: Option<String>,
    /// Where it stands.
    pub status: Option<Option<String>>,
    /// What it is worth.
    pub value: Option<Option<f64>>,
    /// ISO 4217.
    pub currency: Option<Option<String>>,
    /// When it was closed.
    pub closed_at: Option<Option<Millis>>,
    /// Its company.
    pub company: Option<Option<CompanyId>>,
}

/// Makes a deal.
///
/// # Errors
/// `COMPANY_NOT_FOUND`, `PERSON_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn create(work: &mut Work<'_, '_>, deal: &CreateDeal) -> Result<DealId, Error> {
    for contact in &deal.contacts {
        if contacts::get(work.tx, work.team, *contact)?.is_none() {
            return Err(Refused::new(ErrorCode::PersonNotFound).param("contacts").into());
        }
    }
    let row = DealRow {
        id: work.new_id(work.now),
        name: named(&deal.name)?,
        status: tidy(deal.status.as_deref()),
        value: finite(deal.value)?,
        currency: deal.currency.clone(),
        close_date: deal.close_date.map(|date| date.to_string()),
        closed_at: deal.closed_at,
        company_id: known_company(work, deal.company)?,
        created_at: work.now,
        updated_at: work.now,
    };
    deals::insert(work.tx, work.team, &row, &deal.contacts)?;
    Ok(row.id)
}

fn named(name: &str) -> Result<String, Error> {
    tidy(Some(name)).ok_or_else(|| invalid("name", "a deal needs a name".into()))
}

fn finite(value: Option<f64>) -> Result<Option<f64>, Error> {
    if value.is_some_and(|value| !value.is_finite()) {
        return Err(invalid("amount", "the amount must be a finite number".into()));
    }
    Ok(value)
}

/// The deal with this id.
///
/// # Errors
/// `DEAL_NOT_FOUND`.
pub fn find(work: &mut Work<'_, '_>, id: DealId) -> Result<DealDetail, Error> {
    Ok(deals::get(work.tx, work.team, id)?.ok_or_else(|| Refused::new(ErrorCode::DealNotFound))?)
}

/// Changes a deal. What rings and conversations say of it changes with it.
///
/// # Errors
/// `DEAL_NOT_FOUND`, `COMPANY_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn update(work: &mut Work<'_, '_>, id: DealId, patch: &PatchDeal) -> Result<DealDetail, Error> {
    let before = find(work, id)?.deal;
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = named(name)?;
    }
    if let Some(status) = &patch.status {
        after.status = tidy(status.as_deref());
    }
    if let Some(value) = patch.value {
        after.value = finite(value)?;
    }
    if let Some(currency) = &patch.currency {
        after.currency.clone_from(currency);
    }
    if let Some(closed_at) = patch.closed_at {
        after.closed_at = closed_at;
    }
    if let Some(company) = patch.company {
        after.company_id = known_company(work, company)?;
    }
    if after != before {
        after.updated_at = work.now;
        deals::update(work.tx, work.team, &before, &after)?;
    }
    let company = match after.company_id {
        Some(id) => companies::get(work.tx, work.team, id)?.map(|row| row.name),
        None => None,
    };
    Ok(DealDetail { deal: after, company })
}

/// Deletes a deal.
///
/// # Errors
/// `DEAL_NOT_FOUND`.
pub fn delete(work: &mut Work<'_, '_>, id: DealId) -> Result<(), Error> {
    let found = find(work, id)?;
    Ok(deals::delete(work.tx, work.team, &found.deal)?)
}
