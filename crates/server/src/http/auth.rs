//! Who is asking. Authorisation is a type: a handler that takes [`Caller<S>`] cannot be reached without scope `S`.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use trunkline_domain::error_code::Surface;
use trunkline_domain::{ApiKeyId, ErrorCode, Millis, Plan, Role, Scope, UserStatus};
use trunkline_store::keys::{self, KeyOwner};
use trunkline_store::{Db, TeamKey, crypto};
use trunkline_switchboard::keys::Power;
use trunkline_switchboard::{Actor, Switchboard};

use super::context::{Context, context};
use super::error::ApiError;
use super::input::query_names;
use crate::AppState;

/// How long a key is believed without asking the database: the longest a revocation by another process can take.
const KEY_TTL: Duration = Duration::from_secs(1);

/// Keys remembered at a time.
const KEYS: usize = 10_000;

/// How often it is stored which keys were used.
const KEEP_USES_EVERY: Duration = Duration::from_secs(5);

/// How exactly it is known when a key was last used.
const USED_WITHIN: i64 = Millis::MINUTE;

/// Looks keys up, remembering them for a moment, and remembers which were used.
pub struct KeyCache {
    known: moka::sync::Cache<[u8; 32], Arc<KeyOwner>>,
    /// How often everything was forgotten.
    epoch: AtomicU64,
    /// When keys were used whose last use is not stored to within [`USED_WITHIN`].
    used: Mutex<HashMap<(TeamKey, ApiKeyId), Millis>>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self {
            known: moka::sync::Cache::builder()
                .max_capacity(KEYS as u64)
                .time_to_live(KEY_TTL)
                .build(),
            epoch: AtomicU64::new(0),
            used: Mutex::default(),
        }
    }
}

impl KeyCache {
    /// The owner of the key in the headers.
    ///
    /// # Errors
    /// `UNAUTHORIZED`, `API_KEY_INVALID` (also for a key that has expired by `now`), `API_KEY_REVOKED`,
    /// `USER_NOT_FOUND` for the key of a blocked user, or the store's failure.
    pub async fn identify(
        &self,
        db: &Db,
        headers: &HeaderMap,
        now: Millis,
    ) -> Result<Arc<KeyOwner>, ApiError> {
        let key = presented(headers)?;
        let digest: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), key)).into();
        let owner = if let Some(owner) = self.known.get(&digest) {
            owner
        } else {
            let hash = crypto::sha256_hex(key.as_bytes());
            let epoch = self.epoch.load(Ordering::SeqCst);
            let found = db
                .read(move |conn| keys::owner(conn, &hash))
                .await
                .map_err(ApiError::from)?;
            let owner = Arc::new(found.ok_or_else(|| ApiError::new(ErrorCode::ApiKeyInvalid))?);
            self.known.insert(digest, owner.clone());
            // What was read before something was revoked is not known any more.
            if self.epoch.load(Ordering::SeqCst) != epoch {
                self.known.invalidate(&digest);
            }
            owner
        };
        if owner.revoked_at.is_some() {
            return Err(ErrorCode::ApiKeyRevoked.into());
        }
        if let Some(end) = owner.expires_at.filter(|end| *end <= now) {
            return Err(ApiError::new(ErrorCode::ApiKeyInvalid)
                .message(format!("this API key expired at {end}"))
                .suggestion("Have a new key made, and replace the old one wherever it is stored."));
        }
        if owner.closed_at.is_some() {
            return Err(ApiError::new(ErrorCode::ApiKeyRevoked)
                .message("the account of this key was deactivated by the partner who made it")
                .suggestion("Ask the partner for a new account."));
        }
        if owner.suspended_at.is_some() {
            return Err(ApiError::new(ErrorCode::Forbidden)
                .message("the account of this key is suspended by the partner who made it")
                .suggestion("Ask the partner to resume the account; the key works from then on."));
        }
        if owner.user_status == UserStatus::Blocked {
            return Err(
                ApiError::new(ErrorCode::UserNotFound).message("the user who made this key is blocked")
            );
        }
        if owner.last_used_at.is_none_or(|at| now.since(at) >= USED_WITHIN) {
            let mut used = self.used.lock();
            // Beyond that, a use is noted when the others are stored.
            if used.len() < KEYS || used.contains_key(&(owner.team, owner.key_id)) {
                used.insert((owner.team, owner.key_id), now);
            }
        }
        Ok(owner)
    }

    /// Forgets all keys: what was revoked in this process is revoked at once.
    pub fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.known.invalidate_all();
    }

    /// Stores when keys were used, at most once a minute for each. Returns for how many it was news.
    ///
    /// # Errors
    /// Of the store; what it was not told of is forgotten until the key is used again.
    pub async fn keep_uses(&self, board: &Switchboard) -> Result<usize, trunkline_switchboard::Error> {
        let mut teams: HashMap<TeamKey, Vec<(ApiKeyId, Millis)>> = HashMap::new();
        for ((team, key), at) in std::mem::take(&mut *self.used.lock()) {
            teams.entry(team).or_default().push((key, at));
        }
        let mut kept = 0;
        for (team, uses) in teams {
            kept += board
                .run(team, move |work| {
                    let mut news = 0;
                    for (key, at) in &uses {
                        let before = at.plus(-USED_WITHIN);
                        news += usize::from(keys::touch(work.tx, work.team, *key, *at, before)?);
                    }
                    Ok::<_, trunkline_switchboard::Error>(news)
                })
                .await?;
        }
        Ok(kept)
    }
}

/// Stores when keys were used, every few seconds until `stop` is cancelled, and once more then.
pub async fn keep_uses(state: AppState, stop: CancellationToken) {
    let mut tick = tokio::time::interval(KEEP_USES_EVERY);
    loop {
        let last = stop.run_until_cancelled(tick.tick()).await.is_none();
        if let Err(error) = state.keys.keep_uses(&state.board).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "when API keys were used could not be stored"
            );
        }
        if last {
            return;
        }
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

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Those who have a key.
    Keyed,
    /// Everybody.
    Anybody,
}

/// Whose things an operation shows and changes, of those that the team has. The command sees to it, in the transaction in
/// which it reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's.
    Team,
    /// What this very key has made; to other keys it is not there, which this code tells.
    Key(ErrorCode),
    /// What the key's user has written, made or holds; others are refused with this code.
    User(ErrorCode),
}

/// To whom an operation is open: its row of the access matrix.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Who may call it.
    pub callers: Callers,
    /// Any of these scopes opens it; none: any valid key.
    pub scopes: &'static [Scope],
    /// To keys of these teams.
    pub teams: Teams,
    /// To keys of users who may do at least as much.
    pub role: Role,
    /// What users who may do less are refused with.
    pub role_refused: ErrorCode,
    /// Whether it is open to teams on trial, where the operator lets them send texts.
    pub on_trial: bool,
    /// Whose things it is about.
    pub reach: Reach,
}

impl Access {
    /// Whether the key's scopes and team and the role of its user open the operation.
    #[must_use]
    pub fn includes(&self, owner: &KeyOwner) -> bool {
        self.opens_to(owner) && owner.user_role.covers(self.role) && self.teams.include(owner)
    }

    fn opens_to(&self, owner: &KeyOwner) -> bool {
        owner.scopes.contains_any(self.scopes)
    }

    /// Lets a key in, whose owner is known.
    ///
    /// # Errors
    /// `API_KEY_TRIAL_NOT_ALLOWED`, `API_KEY_INSUFFICIENT_SCOPE`, the code for a lesser role, `SANDBOX_ONLY`; the first of
    /// them that holds.
    pub(crate) fn check(&self, owner: &KeyOwner, state: &AppState, surface: Surface) -> Result<(), ApiError> {
        let may_try = self.on_trial && state.texts.limits.trial > 0;
        if owner.plan == Plan::Trial && !may_try {
            return Err(ErrorCode::ApiKeyTrialNotAllowed.into());
        }
        if !self.opens_to(owner) {
            return Err(lacks_scope(self.scopes, surface));
        }
        if !owner.user_role.covers(self.role) {
            let message = format!(
                "This endpoint is for users with the role {}, and the user of this API key is {}.",
                wanted(self.role),
                owner.user_role
            );
            return Err(ApiError::new(self.role_refused).message(message));
        }
        if !self.teams.include(owner) {
            return Err(ErrorCode::SandboxOnly.into());
        }
        Ok(())
    }
}

/// What a handler requires of its caller.
pub trait Required: Send + Sync + 'static {
    /// To whom it is open.
    const ACCESS: Access;
}

/// `Name: SCOPE | SCOPE, Teams => Role else CODE @ Reach(CODE);`: all but the name can be left out.
macro_rules! required {
    ($($(#[$doc:meta])* $name:ident: $($scope:ident)|* $(, $teams:ident)?
        $(=> $role:ident $(else $code:ident)?)? $(@ $reach:ident($not:ident))?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Required for $name {
            const ACCESS: Access = Access {
                scopes: &[$(Scope::$scope),*],
                $(teams: Teams::$teams,)?
                $(role: Role::$role, $(role_refused: ErrorCode::$code,)?)?
                $(reach: Reach::$reach(ErrorCode::$not),)?
                ..ANY_KEY
            };
        }
    )*};
}

/// What is open to any valid key.
const ANY_KEY: Access = Access {
    callers: Callers::Keyed,
    scopes: &[],
    teams: Teams::Any,
    role: Role::Member,
    role_refused: ErrorCode::Forbidden,
    on_trial: false,
    reach: Reach::Team,
};

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
    /// `PHONE_NUMBERS_READ` or `CONVERSATIONS_READ`.
    NumbersBrief: PhoneNumbersRead | ConversationsRead;
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
    /// `NOTES_WRITE`, about the own notes.
    OwnNotes: NotesWrite @ User(NotNoteAuthor);
    /// `THREADS_READ`.
    ThreadsRead: ThreadsRead;
    /// `THREADS_WRITE`.
    ThreadsWrite: ThreadsWrite;
    /// `THREADS_WRITE`, about the own comments.
    OwnComments: ThreadsWrite @ User(NotCommentAuthor);
    /// `WEBHOOKS_READ_WRITE`.
    Webhooks: WebhooksReadWrite;
    /// `DIALING_QUEUE_READ_WRITE`.
    DialingQueues: DialingQueueReadWrite;
    /// `DIALING_QUEUE_READ_WRITE`, of managers, about queues that they made or have.
    HandOver: DialingQueueReadWrite => Manager else DialingQueueAssignForbidden @ User(DialingQueueAssignForbidden);
    /// `PARTNER`.
    Partner: Partner;
    /// `PARTNER`, about accounts that the key has made.
    OwnAccounts: Partner @ Key(PartnerAccountNotFound);
    /// `CRM_READ`.
    CrmRead: CrmRead;
    /// `CRM_WRITE`.
    CrmWrite: CrmWrite;
    /// `CRM_DELETE`.
    CrmDelete: CrmDelete;
    /// `CALLS_CONTROL` or `SMS_SEND` of a sandbox team: playing the outside world.
    SandboxPlay: CallsControl | SmsSend, Sandbox;
    /// `BILLING`, of admins.
    Billing: Billing => Admin;
    /// `TEAM_MANAGE`, of managers.
    TeamManage: TeamManage => Manager;
    /// `TEAM_MANAGE`, of admins.
    TeamOwn: TeamManage => Admin;
}

/// `SMS_SEND`, of teams on trial too where the operator lets them send texts.
#[derive(Clone, Copy, Debug)]
pub struct SmsSend;

impl Required for SmsSend {
    const ACCESS: Access = Access {
        scopes: &[Scope::SmsSend],
        on_trial: true,
        ..ANY_KEY
    };
}

/// The roles of those who may do what `role` may.
#[must_use]
pub fn wanted(role: Role) -> String {
    let names: Vec<&str> = Role::ALL
        .iter()
        .filter(|other| other.covers(role))
        .map(|role| role.as_str())
        .collect();
    names.join(" or ")
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

    /// What the caller may do, and therefore may let others do.
    #[must_use]
    pub fn power(&self) -> Power {
        Power {
            user: self.owner.user_id,
            role: self.owner.user_role,
            scopes: self.owner.scopes,
            expires_at: self.owner.expires_at,
        }
    }
}

/// What is open to everybody.
pub(crate) const VISITOR: Access = Access {
    callers: Callers::Anybody,
    ..ANY_KEY
};

/// Whoever calls, with a key or without one: for the few handlers that open a door to those who have none yet. They are
/// counted by their address.
pub struct Visitor {
    /// The request.
    pub context: Arc<Context>,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let context = context(parts)?;
        note_query(parts, &context);
        Ok(Self { context })
    }
}

/// Notes what the query has: nobody has asked for any of it yet, and who reads the query says which it knows.
fn note_query(parts: &Parts, context: &Context) {
    if parts.uri.query().is_some() {
        *context.ignored.lock() = query_names(parts);
    }
}

impl<S: Required> FromRequestParts<AppState> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let context = context(parts)?;
        let owner = context.identity.clone()?;
        S::ACCESS.check(&owner, state, context.surface)?;
        note_query(parts, &context);
        Ok(Self {
            owner,
            context,
            required: PhantomData,
        })
    }
}

fn lacks_scope(scopes: &[Scope], surface: Surface) -> ApiError {
    let error = ApiError::new(ErrorCode::ApiKeyInsufficientScope);
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    if surface == Surface::V1 {
        return error.message(format!("required={}", names[0])).param("scope");
    }
    error
        .message(format!(
            "This API key lacks the scope '{}', which this endpoint requires.",
            names.join("' or '")
        ))
        .suggestion(format!(
            "Have a key with it made: POST /v2/api/keys, or trunkline keys create --scopes {}",
            names[0]
        ))
}
