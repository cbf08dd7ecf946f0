//! The one border where failures become answers.

use std::error::Error;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trunkline_domain::ErrorCode;
use trunkline_domain::error_code::Surface;
use trunkline_search::SearchError;
use trunkline_store::{StoreError, UnitError};
use trunkline_switchboard::Error as CommandError;

/// A failure on its way to the client.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The stable code.
    pub code: ErrorCode,
    /// What is wrong, where the code's own message is too general.
    pub message: Option<String>,
    /// The parameter, field or header that is to blame.
    pub param: Option<String>,
    /// What to do.
    pub suggestion: Option<String>,
    /// All faults, where there are several.
    pub faults: Vec<Fault>,
    /// For 405: what the path can do.
    pub allow: Option<&'static str>,
    /// When to come back, in seconds.
    pub retry_after: Option<u64>,
    /// What the store said, for a unit of work that must be run again.
    pub(crate) store: Option<Arc<StoreError>>,
}

/// One fault of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ApiErrorFault)]
pub struct Fault {
    /// The parameter or field.
    pub param: String,
    /// Its code.
    #[schema(value_type = String, example = "INVALID_PARAMETER")]
    pub code: ErrorCode,
    /// What is wrong with it.
    pub message: String,
}

impl ApiError {
    /// A failure with the code's own message.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
            param: None,
            suggestion: None,
            faults: Vec::new(),
            allow: None,
            retry_after: None,
            store: None,
        }
    }

    /// Says what is wrong.
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..self
        }
    }

    /// Names the parameter, field or header that is to blame.
    #[must_use]
    pub fn param(self, param: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..self
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn suggestion(self, suggestion: impl Into<String>) -> Self {
        Self {
            suggestion: Some(suggestion.into()),
            ..self
        }
    }

    /// The HTTP status on `surface`.
    #[must_use]
    pub fn status(&self, surface: Surface) -> StatusCode {
        StatusCode::from_u16(self.code.http_status_on(surface)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body and headers, in the form of `surface`.
    #[must_use]
    pub fn render(&self, surface: Surface, request_id: &str, public_url: &str) -> Response {
        let status = self.status(surface);
        let retry_after = self.retry_after.or(self.code.retryable().then_some(1));
        let body = match surface {
            Surface::V1 => serde_json::to_vec(&V1Error {
                code: self.code,
                details: self.v1_details(),
            }),
            _ => serde_json::to_vec(&self.v2_body(surface, request_id, public_url, retry_after)),
        };
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            body.unwrap_or_default(),
        )
            .into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Api-Key"));
        }
        response
    }

    fn v2_body(
        &self,
        surface: Surface,
        request_id: &str,
        public_url: &str,
        retry_after: Option<u64>,
    ) -> V2Error {
        let status = self.status(surface).as_u16();
        V2Error {
            error: V2Detail {
                kind: trunkline_domain::ErrorType::from_status(status).as_str(),
                code: self.code,
                message: self
                    .message
                    .clone()
                    .unwrap_or_else(|| self.code.message().to_owned()),
                retryable: self.code.retryable(),
                request_id: request_id.to_owned(),
                doc_url: format!("{public_url}/docs/errors#{}", self.code),
                param: self.param.clone(),
                suggestion: self
                    .suggestion
                    .clone()
                    .or_else(|| Some(self.code.remedy().to_owned())),
                errors: if self.faults.len() > 1 {
                    Some(self.faults.clone())
                } else {
                    None
                },
                retry_after_seconds: retry_after,
            },
        }
    }

    fn v1_details(&self) -> Option<Vec<V1Detail>> {
        if !self.faults.is_empty() {
            let detail = |fault: &Fault| V1Detail {
                message: fault.message.clone(),
                field: Some(fault.param.clone()),
            };
            return Some(self.faults.iter().map(detail).collect());
        }
        // There is no field for advice here: it follows what is wrong.
        let told: Vec<&str> = [&self.message, &self.suggestion]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let message = match told.is_empty() {
            true => self.code.message().to_owned(),
            false => told.join(": "),
        };
        let detail = || V1Detail {
            message,
            field: self.param.clone(),
        };
        (!told.is_empty() || self.param.is_some()).then(|| vec![detail()])
    }
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiErrorV1)]
/// What every failed request to `/v1/` answers.
pub(crate) struct V1Error {
    /// Stable; branch on this.
    #[schema(value_type = String, example = "INVALID_TO_NUMBER")]
    code: ErrorCode,
    /// What is wrong, where there is more to say than the code does.
    details: Option<Vec<V1Detail>>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiErrorDetailV1)]
/// One thing that is wrong.
pub(crate) struct V1Detail {
    /// For people; may change.
    message: String,
    /// The field, parameter or header that is to blame.
    field: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiError)]
/// What every failed request answers.
pub(crate) struct V2Error {
    error: V2Detail,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiErrorDetail)]
/// What went wrong.
pub(crate) struct V2Detail {
    /// The family the code belongs to, by status.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Stable; branch on this.
    #[schema(value_type = String, example = "API_KEY_INVALID")]
    code: ErrorCode,
    /// For people; may change.
    message: String,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// Repeats the header `X-Request-Id`.
    #[schema(example = "req_a1B2c3D4e5F6")]
    request_id: String,
    /// The page of this server that explains the code.
    doc_url: String,
    /// The parameter, field or header that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    param: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    suggestion: Option<String>,
    /// Every fault, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<Fault>, nullable = false)]
    errors: Option<Vec<Fault>>,
    /// When to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_seconds: Option<u64>,
}

impl IntoResponse for ApiError {
    /// A placeholder that carries the error: the envelope around every route renders it, since only there the
    /// request's id and surface are known.
    fn into_response(self) -> Response {
        let mut response = self.status(Surface::V2).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = if error.is_retryable() {
            ErrorCode::ServiceUnavailable
        } else {
            ErrorCode::InternalServerError
        };
        if code == ErrorCode::ServiceUnavailable {
            tracing::warn!(error = &error as &dyn Error, "a request was turned away");
        } else {
            tracing::error!(error = &error as &dyn Error, "a request failed");
        }
        Self {
            store: Some(Arc::new(error)),
            ..Self::new(code)
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refused) => Self {
                message: refused.message,
                param: refused.param.map(str::to_owned),
                retry_after: refused.retry_after,
                ..Self::new(refused.code)
            },
            CommandError::Store(error) => error.into(),
        }
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Rebuilding { done, total } => Self::new(ErrorCode::SearchNotReady).message(format!(
                "the text index is being rebuilt: {done} of {total} items are in"
            )),
            other => {
                tracing::error!(error = &other as &dyn Error, "a search failed");
                Self::new(ErrorCode::InternalServerError)
            }
        }
    }
}

impl UnitError for ApiError {
    fn store(&self) -> Option<&StoreError> {
        self.store.as_deref()
    }
}
