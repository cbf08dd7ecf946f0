//! Who is asking. Authorisation is a type: a handler that takes [`Caller<S>`] cannot be reached without scope `S`.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use trunkline_domain::{ErrorCode, Plan, Scope, UserStatus};
use trunkline_store::keys::{self, KeyOwner};
use trunkline_store::{Db, crypto};
use trunkline_switchboard::Actor;

use super::context::{Context, context};
use super::error::ApiError;
use super::input::query_names;
use crate::AppState;

/// How long a key is believed without asking the database: the longest a revocation by another process can take.
const KEY_TTL: Duration = Duration::from_secs(1);

/// Keys remembered at a time.
const KEYS: u64 = 10_000;

/// Looks keys up, remembering them for a moment.
pub struct KeyCache(moka::sync::Cache<[u8; 32], Arc<KeyOwner>>);

impl Default for KeyCache {
    fn default() -> Self {
        Self(
            moka::sync::Cache::builder()
                .max_capacity(KEYS)
                .time_to_live(KEY_TTL)
                .build(),
        )
    }
}

impl KeyCache {
    /// The owner of the key in the headers.
    ///
    /// # Errors
    /// `UNAUTHORIZED`, `API_KEY_INVALID`, `API_KEY_REVOKED`, or the store's failure.
    pub async fn identify(&self, db: &Db, headers: &HeaderMap) -> Result<Arc<KeyOwner>, ApiError> {
        let key = presented(headers)?;
        let digest: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), key)).into();
        let owner = if let Some(owner) = self.0.get(&digest) {
            owner
        } else {
            let hash = crypto::sha256_hex(key.as_bytes());
            let found = db
                .read(move |conn| keys::owner(conn, &hash))
                .await
                .map_err(ApiError::from)?;
            let owner = Arc::new(found.ok_or_else(|| ApiError::new(ErrorCode::ApiKeyInvalid))?);
            self.0.insert(digest, owner.clone());
            owner
        };
        if owner.revoked_at.is_some() {
            return Err(ErrorCode::ApiKeyRevoked.into());
        }
        if owner.user_status == UserStatus::Blocked {
            return Err(
                ApiError::new(ErrorCode::UserNotFound).message("the user who made this key is blocked")
            );
        }
        Ok(owner)
    }

    /// Forgets all keys: what was revoked in this process is revoked at once.
    pub fn forget(&self) {
        self.0.invalidate_all();
    }
}

/// The key as the client wrote it: `Authorization: Api-Key ak_…`, or the bare key.
fn presented(headers: &HeaderMap) -> Result<&str, ApiError> {
    let form = "Send the header `Authorization: Api-Key ak_…`.";
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(|| ApiError::new(ErrorCode::Unauthorized).suggestion(form))?;
    let malformed = || ApiError::new(ErrorCode::ApiKeyInvalid).suggestion(form);
    let text = value.to_str().map_err(|_| malformed())?.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or(("", text));
    let key = match scheme.to_ascii_lowercase().as_str() {
        "" if rest.eq_ignore_ascii_case("api-key") => "",
        "" | "api-key" => rest.trim(),
        "bearer" => {
            let message = "Bearer is for OAuth access tokens, and this is not one";
            return Err(ApiError::new(ErrorCode::ApiKeyInvalid)
                .message(message)
                .suggestion("Send an API key as `Authorization: Api-Key ak_…`."));
        }
        _ => return Err(malformed()),
    };
    if key.is_empty() {
        return Err(ApiError::new(ErrorCode::Unauthorized).suggestion(form));
    }
    if !key.starts_with("ak_") || key.len() > 200 {
        return Err(malformed());
    }
    Ok(key)
}

/// Which teams may call a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teams {
    /// All.
    Any,
    /// Those whose outside world is the sandbox.
    Sandbox,
}

impl Teams {
    /// Whether the key's team is one of them.
    #[must_use]
    pub const fn include(self, owner: &KeyOwner) -> bool {
        matches!(self, Self::Any) || owner.sandbox
    }
}

/// The scopes of which a handler needs one; none: any valid key will do.
pub trait Required: Send + Sync + 'static {
    /// Any of these opens the handler.
    const ANY_OF: &'static [Scope];
    /// To keys of these teams.
    const TEAMS: Teams = Teams::Any;
    /// Whether it is open to teams on trial, where the operator lets them send texts.
    const ON_TRIAL: bool = false;
}

macro_rules! required {
    ($($(#[$doc:meta])* $name:ident: $($scope:ident)|* $(, $teams:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Required for $name {
            const ANY_OF: &'static [Scope] = &[$(Scope::$scope),*];
            $(const TEAMS: Teams = Teams::$teams;)?
        }
    )*};
}

required! {
    /// Any valid key.
    AnyKey: ;
    /// `CONVERSATIONS_READ`.
    ConversationsRead: ConversationsRead;
    /// `CONVERSATIONS_WRITE`.
    ConversationsWrite: ConversationsWrite;
    /// `CONVERSATIONS_READ` or `CONVERSATIONS_WRITE`.
    ConversationsAct: ConversationsRead | ConversationsWrite;
    /// `TAGS_READ`.
    TagsRead: TagsRead;
    /// `TAGS_WRITE`.
    TagsWrite: TagsWrite;
    /// `USERS_READ`.
    UsersRead: UsersRead;
    /// `PHONE_NUMBERS_READ`.
    NumbersRead: PhoneNumbersRead;
    /// `SUMMARY_TEMPLATES_READ`.
    TemplatesRead: SummaryTemplatesRead;
    /// `SUMMARY_TEMPLATES_WRITE`.
    TemplatesWrite: SummaryTemplatesWrite;
    /// `CONTACTS_READ`.
    ContactsRead: ContactsRead;
    /// `CONTACTS_READ_WRITE`.
    ContactsWrite: ContactsReadWrite;
    /// `NOTES_READ`.
    NotesRead: NotesRead;
    /// `NOTES_WRITE`.
    NotesWrite: NotesWrite;
    /// `THREADS_READ`.
    ThreadsRead: ThreadsRead;
    /// `THREADS_WRITE`.
    ThreadsWrite: ThreadsWrite;
    /// `WEBHOOKS_READ_WRITE`.
    Webhooks: WebhooksReadWrite;
    /// `DIALING_QUEUE_READ_WRITE`.
    DialingQueues: DialingQueueReadWrite;
    /// `CRM_READ`.
    CrmRead: CrmRead;
    /// `CRM_WRITE`.
    CrmWrite: CrmWrite;
    /// `CRM_DELETE`.
    CrmDelete: CrmDelete;
    /// `CALLS_CONTROL` or `SMS_SEND` of a sandbox team: playing the outside world.
    SandboxPlay: CallsControl | SmsSend, Sandbox;
}

/// `SMS_SEND`, of teams on trial too where the operator lets them send texts.
#[derive(Clone, Copy, Debug)]
pub struct SmsSend;

impl Required for SmsSend {
    const ANY_OF: &'static [Scope] = &[Scope::SmsSend];
    const ON_TRIAL: bool = true;
}

/// A caller with the required scope.
pub struct Caller<S> {
    /// Whose key it is.
    pub owner: Arc<KeyOwner>,
    /// The request.
    pub context: Arc<Context>,
    required: PhantomData<S>,
}

impl<S> Caller<S> {
    /// The caller as the one who does something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User {
            id: self.owner.user_id,
            email: self.owner.user_email.clone(),
            name: self.owner.user_name.clone(),
        }
    }
}

impl<S: Required> FromRequestParts<AppState> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let context = context(parts)?;
        let owner = context.identity.clone()?;
        let may_try = S::ON_TRIAL && state.texts.limits.trial > 0;
        if owner.plan == Plan::Trial && !may_try {
            return Err(ErrorCode::ApiKeyTrialNotAllowed.into());
        }
        if !S::ANY_OF.is_empty() && !owner.scopes.contains_any(S::ANY_OF) {
            let names: Vec<&str> = S::ANY_OF.iter().map(|scope| scope.as_str()).collect();
            let names = names.join("' or '");
            let error = ApiError::new(ErrorCode::ApiKeyInsufficientScope);
            return Err(if context.surface == trunkline_domain::error_code::Surface::V1 {
                error.message(format!("required={}", S::ANY_OF[0])).param("scope")
            } else {
                error
                    .message(format!(
                        "This API key lacks the scope '{names}', which this endpoint requires."
                    ))
                    .suggestion(format!(
                        "Make a key with it: trunkline keys create --scopes {}",
                        S::ANY_OF[0]
                    ))
            });
        }
        if !S::TEAMS.include(&owner) {
            return Err(ErrorCode::SandboxOnly.into());
        }
        if parts.uri.query().is_some() {
            // Nobody has asked for any of them yet; who reads the query says which it knows.
            *context.ignored.lock() = query_names(parts);
        }
        Ok(Self {
            owner,
            context,
            required: PhantomData,
        })
    }
}
