//! Summary templates: how the team wants its calls summed up.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::template::{
    MAX_CONTEXT, MAX_ICON, MAX_INSTRUCTIONS, MAX_NAME, MAX_SECTIONS, MAX_TITLE, Section,
};
use trunkline_domain::{ErrorCode, Millis, PhoneNumber, TemplateId};
use trunkline_store::templates::{self, TemplateRow};
use trunkline_switchboard::templates::{self as commands, Wording};

use crate::AppState;
use crate::http::auth::{Caller, TemplatesRead, TemplatesWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, OptionalBody, PathParams};
use crate::http::reply::{self, Data};

/// A summary template.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SummaryTemplate)]
pub struct TemplateView {
    #[schema(value_type = String, example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: TemplateId,
    #[schema(example = "Sales call")]
    name: String,
    /// What is to be known of the calls beforehand.
    #[schema(example = "We sell flour to bakeries.")]
    call_context: Option<String>,
    #[schema(example = "📞")]
    icon: Option<String>,
    /// What a summary is made of, in order.
    sections: Vec<SectionView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

/// A section of a summary.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SummaryTemplateSection)]
pub struct SectionView {
    #[schema(example = "Next steps")]
    title: String,
    #[schema(example = "What was agreed, and who does it")]
    instructions: String,
    /// Its place, from 0.
    #[schema(example = 0)]
    order: usize,
}

impl From<TemplateRow> for TemplateView {
    fn from(row: TemplateRow) -> Self {
        let sections = row.sections.into_iter().enumerate();
        Self {
            id: row.id,
            name: row.name,
            call_context: row.call_context,
            icon: row.icon,
            sections: sections
                .map(|(order, section)| SectionView {
                    title: section.title,
                    instructions: section.instructions,
                    order,
                })
                .collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What a template says.
#[derive(utoipa::ToSchema)]
#[schema(as = SummaryTemplateRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct WriteTemplate {
    #[schema(max_length = 200, example = "Sales call")]
    name: String,
    /// What is to be known of the calls beforehand.
    #[schema(max_length = 4_000, example = "We sell flour to bakeries.")]
    call_context: Option<String>,
    /// An emoji or the like.
    #[schema(max_length = 20, example = "📞")]
    icon: Option<String>,
    /// What a summary is made of: at most 10 sections.
    #[schema(max_items = 10)]
    sections: Option<Vec<WriteSection>>,
}

/// A section of a template.
#[derive(utoipa::ToSchema)]
#[schema(as = SummaryTemplateSectionRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct WriteSection {
    #[schema(max_length = 200, example = "Next steps")]
    title: String,
    #[schema(max_length = 2_000, example = "What was agreed, and who does it")]
    instructions: Option<String>,
    /// Its place, from 0. Sections without it stay where they stand in the list.
    #[schema(minimum = 0, maximum = 1_000, example = 0)]
    order: Option<i64>,
}

fn read_wording(input: &mut Input) -> Wording {
    let name = input.text("name", MAX_NAME);
    let name = name
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    if name.is_none() {
        input.missing("name");
    }
    let (call_context, icon) = (
        input.text("call_context", MAX_CONTEXT),
        input.text("icon", MAX_ICON),
    );
    let mut placed: Vec<(usize, Section)> = Vec::new();
    for (i, mut section) in input.objects("sections", MAX_SECTIONS).into_iter().enumerate() {
        let title = section.text("title", MAX_TITLE);
        if title.as_deref().is_none_or(|title| title.trim().is_empty()) {
            section.missing("title");
        }
        let instructions = section.text("instructions", MAX_INSTRUCTIONS);
        let order = section.integer("order", 0..=1_000, ErrorCode::InvalidParameter);
        let place = order.and_then(|order| usize::try_from(order).ok()).unwrap_or(i);
        placed.push((
            place,
            Section {
                title: title.unwrap_or_default(),
                instructions: instructions.unwrap_or_default(),
            },
        ));
        input.absorb(section);
    }
    placed.sort_by_key(|(place, _)| *place);
    Wording {
        name: name.unwrap_or_default(),
        call_context,
        icon,
        sections: placed.into_iter().map(|(_, section)| section).collect(),
    }
}

/// List summary templates
///
/// All of the team, oldest first; those that were deleted are not among them.
#[utoipa::path(get, path = "/v2/api/summary_templates", operation_id = "listSummaryTemplates", tag = "Summary Templates",
    responses((status = 200, description = "The templates", body = Data<Vec<TemplateView>>)))]
pub async fn list(
    caller: Caller<TemplatesRead>,
    State(state): State<AppState>,
) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let rows = state
        .board
        .db()
        .read(move |conn| templates::list(conn, team))
        .await?;
    Ok(reply::data(
        rows.into_iter().map(TemplateView::from).collect::<Vec<_>>(),
    ))
}

/// Create a summary template
///
/// A team has at most 100.
#[utoipa::path(post, path = "/v2/api/summary_templates", operation_id = "createSummaryTemplate", tag = "Summary Templates",
    request_body = WriteTemplate,
    responses((status = 201, description = "The template", body = Data<TemplateView>)))]
pub async fn create(
    caller: Caller<TemplatesWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let wording = read_wording(&mut input);
    input.finish()?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::create(work, &wording, &by).map(TemplateView::from)
    })
    .await
}

/// Get a summary template
#[utoipa::path(get, path = "/v2/api/summary_templates/{id}", operation_id = "getSummaryTemplate", tag = "Summary Templates",
    params(("id" = String, Path, description = "The template's id", example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The template", body = Data<TemplateView>)))]
pub async fn get(
    caller: Caller<TemplatesRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (template_id(&id, "id")?, caller.owner.team);
    let row = state
        .board
        .db()
        .read(move |conn| templates::get(conn, team, id))
        .await?;
    Ok(reply::data(TemplateView::from(
        row.ok_or_else(|| no_such_template("id"))?,
    )))
}

/// Replace a summary template
///
/// Everything that it says is replaced: what is left out is taken away. Summaries that were written stay as they are.
#[utoipa::path(put, path = "/v2/api/summary_templates/{id}", operation_id = "updateSummaryTemplate",
    tag = "Summary Templates",
    params(("id" = String, Path, description = "The template's id", example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = WriteTemplate,
    responses((status = 200, description = "The template as it is now", body = Data<TemplateView>)))]
pub async fn update(
    caller: Caller<TemplatesWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = template_id(&id, "id")?;
    let wording = read_wording(&mut input);
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        commands::replace(work, id, &wording, &by).map(TemplateView::from)
    });
    done.await.map_err(|error| naming(error, "id"))
}

/// Delete a summary template
///
/// Nobody sees or chooses it any more, and numbers that had it as default have none.
#[utoipa::path(delete, path = "/v2/api/summary_templates/{id}", operation_id = "deleteSummaryTemplate",
    tag = "Summary Templates",
    params(("id" = String, Path, description = "The template's id", example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<TemplatesWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = template_id(&id, "id")?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, id, &by)
    });
    done.await.map_err(|error| naming(error, "id"))
}

/// Which template a number is to have.
#[derive(utoipa::ToSchema)]
#[schema(as = DefaultSummaryTemplateRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SetDefault {
    /// `null`, or nothing, takes the default away.
    #[schema(example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", max_length = 100)]
    summary_template_id: Option<String>,
}

/// Which template a number has.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DefaultSummaryTemplate)]
pub struct DefaultView {
    #[schema(value_type = String, example = "+14155550100")]
    number: PhoneNumber,
    #[schema(value_type = Option<String>, example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    default_summary_template_id: Option<TemplateId>,
}

/// Set the default summary template of a number
///
/// By which template the number's calls are summed up from now on.
#[utoipa::path(put, path = "/v2/api/numbers/{number}/default_summary_template",
    operation_id = "setNumberDefaultSummaryTemplate", tag = "Summary Templates",
    params(("number" = String, Path, description = "The team's number in E.164, `+` as `%2B`", example = "+14155550100")),
    request_body = SetDefault,
    responses((status = 200, description = "Which template the number has now", body = Data<DefaultView>)))]
pub async fn set_default(
    caller: Caller<TemplatesWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let (PathParams([number]), OptionalBody(mut input)) = (path, body);
    let number = PhoneNumber::parse(&number).map_err(|error| {
        ApiError::new(ErrorCode::InvalidPhoneFormat)
            .param("number")
            .message(error.to_string())
    })?;
    let id = input.text("summary_template_id", 100);
    input.finish()?;
    let id = id
        .map(|text| template_id(&text, "summary_template_id"))
        .transpose()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        commands::set_default(work, number, id, &by)?;
        Ok(DefaultView {
            number,
            default_summary_template_id: id,
        })
    });
    done.await.map_err(|error| naming(error, "summary_template_id"))
}

fn template_id(text: &str, param: &str) -> Result<TemplateId, ApiError> {
    TemplateId::parse(text).map_err(|_| no_such_template(param))
}

fn no_such_template(param: &str) -> ApiError {
    ApiError::new(ErrorCode::SummaryTemplateNotFound).param(param)
}

/// Says of a template that a command did not find which parameter named it.
fn naming(error: ApiError, param: &str) -> ApiError {
    if error.code == ErrorCode::SummaryTemplateNotFound {
        return error.param(param);
    }
    error
}
