//! The endpoint table: one entry feeds the router, `/v2/api/me`, the OpenAPI document and the tests.

use std::future::Future;

use axum::Router;
use axum::routing::MethodRouter;
use serde::Serialize;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::{RefOr, Schema};

use super::auth::{Access, Caller, Required, VISITOR, Visitor};
use crate::AppState;

/// One operation of the API.
pub struct Endpoint {
    /// The method.
    pub method: HttpMethod,
    /// The path, with `{parameters}`.
    pub path: String,
    /// To whom it is open.
    pub access: Access,
    /// Its description for OpenAPI.
    pub operation: Operation,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    pub(crate) handler: MethodRouter<AppState>,
}

/// An entry of the list in `/v2/api/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EndpointView {
    /// HTTP method.
    #[schema(example = "GET")]
    pub method: &'static str,
    /// Path with placeholders.
    #[schema(example = "/v2/api/conversations")]
    pub path: String,
    /// What it does.
    pub description: String,
    /// A scope that opens it; `null` when any key does.
    pub scope: Option<&'static str>,
}

/// A handler whose first argument is a [`Caller`], which tells what it requires, or a [`Visitor`].
pub trait Guarded<Arguments> {
    /// To whom it is open.
    const ACCESS: Access;
}

macro_rules! guarded {
    ($($argument:ident)*) => {
        impl<F, Fut, S: Required, $($argument),*> Guarded<(Caller<S>, $($argument,)*)> for F
        where
            F: Fn(Caller<S>, $($argument),*) -> Fut,
            Fut: Future,
        {
            const ACCESS: Access = S::ACCESS;
        }

        impl<F, Fut, $($argument),*> Guarded<(Visitor, $($argument,)*)> for F
        where
            F: Fn(Visitor, $($argument),*) -> Fut,
            Fut: Future,
        {
            const ACCESS: Access = VISITOR;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);

/// What `utoipa_axum::routes!` makes of a handler.
pub(crate) type Routes = (Vec<(String, RefOr<Schema>)>, Paths, MethodRouter<AppState>);

impl Endpoint {
    /// An entry for a handler; see the macro `endpoint!`.
    pub(crate) fn new<Arguments, H: Guarded<Arguments>>(_: H, routes: Routes) -> Self {
        Self::open(H::ACCESS, routes)
    }

    fn open(access: Access, (schemas, paths, handler): Routes) -> Self {
        let (path, item) = paths.paths.into_iter().next().unwrap_or_default();
        let operations = [
            (HttpMethod::Get, item.get),
            (HttpMethod::Post, item.post),
            (HttpMethod::Put, item.put),
            (HttpMethod::Patch, item.patch),
            (HttpMethod::Delete, item.delete),
        ];
        let (method, operation) = operations
            .into_iter()
            .find_map(|(method, operation)| operation.map(|operation| (method, operation)))
            .unwrap_or((HttpMethod::Get, Operation::new()));
        Self {
            method,
            path,
            access,
            operation,
            schemas,
            handler,
        }
    }

    /// The method's name.
    #[must_use]
    pub const fn method_name(&self) -> &'static str {
        match self.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Patch => "PATCH",
            HttpMethod::Delete => "DELETE",
            _ => "OTHER",
        }
    }

    /// Its entry in `/v2/api/me`.
    #[must_use]
    pub fn view(&self) -> EndpointView {
        EndpointView {
            method: self.method_name(),
            path: self.path.clone(),
            description: self.operation.summary.clone().unwrap_or_default(),
            scope: self.access.scopes.first().map(|scope| scope.as_str()),
        }
    }
}

/// Builds the router of the table. Every path answers 405 to the methods it does not have.
pub(crate) fn mount(table: Vec<Endpoint>) -> Router<AppState> {
    let mut paths: Vec<(String, MethodRouter<AppState>, Vec<&'static str>)> = Vec::new();
    for endpoint in table {
        let name = endpoint.method_name();
        match paths.iter_mut().find(|(path, ..)| *path == endpoint.path) {
            Some((_, router, names)) => {
                *router = std::mem::take(router).merge(endpoint.handler);
                names.push(name);
            }
            None => paths.push((endpoint.path, endpoint.handler, vec![name])),
        }
    }
    let mut router = Router::new();
    for (path, methods, names) in paths {
        // Leaked once per path at start-up: the header value lives as long as the program.
        let allow: &'static str = Box::leak(names.join(", ").into_boxed_str());
        let refuse = move || async move {
            let error = super::error::ApiError::new(trunkline_domain::ErrorCode::MethodNotAllowed);
            super::error::ApiError {
                allow: Some(allow),
                ..error.suggestion(format!("Allowed here: {allow}."))
            }
        };
        router = router.route(&path, methods.fallback(refuse));
    }
    router
}

/// An entry of the table: the path of a handler that `#[utoipa::path]` describes.
macro_rules! endpoint {
    ($($handler:tt)*) => {
        $crate::http::endpoint::Endpoint::new($($handler)*, utoipa_axum::routes!($($handler)*))
    };
}
pub(crate) use endpoint;
