//! Invitations: who is asked to join the team, and the door for those who accept.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use trunkline_domain::{ErrorCode, InvitationDelivery, InvitationId, InvitationState, Millis, Role, TeamId};
use trunkline_store::directory::{self, Entry};
use trunkline_store::invitations::{self, InvitationRow};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{Conn, crypto};
use trunkline_switchboard::invitations::{self as commands, Invite, Invited};

use super::keys::{KeyView, read_scopes};
use super::short_list::{Listed, ShortList};
use super::users::UserView;
use super::views::UserRefView;
use crate::http::auth::{Caller, TeamManage, Visitor};
use crate::http::error::ApiError;
use crate::http::idempotency::{commit, commit_secret};
use crate::http::input::{Body, Input, OptionalBody, PathParams, Query, Sent};
use crate::http::reply::{self, Data, Page};
use crate::{AppState, Mails};

/// An invitation, without what opens it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationView {
    #[schema(value_type = String, example = "inv-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: InvitationId,
    #[schema(example = "dana@acme.example")]
    email: String,
    /// What they are called; `null`: they say so themselves.
    #[schema(example = "Dana Lee")]
    name: Option<String>,
    /// What they may do in the team: `ADMIN`, `MANAGER` or `MEMBER`.
    #[schema(value_type = String, example = "MEMBER")]
    role: Role,
    /// `PENDING`, or `EXPIRED`.
    #[schema(value_type = String, example = "PENDING")]
    state: InvitationState,
    /// What the first key of the user will open.
    #[schema(example = json!(["CONVERSATIONS_READ", "TAGS_WRITE"]))]
    scopes: Vec<&'static str>,
    /// Who invites.
    invited_by: Option<UserRefView>,
    /// `MAIL`: the server mails the link; `LINK`: who invites hands it on.
    #[schema(value_type = String, example = "MAIL")]
    delivery: InvitationDelivery,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// From when it cannot be accepted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
    /// When the last mail was handed to the mail server; `null`: none was yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    mailed_at: Option<Millis>,
    /// What the person is to open; only in the answer to who hands it on, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://phone.example.com/invitation#kJ3…")]
    link: Option<String>,
}

impl InvitationView {
    fn new(row: InvitationRow, users: &[UserRow], now: Millis) -> Self {
        let inviter = users.iter().find(|user| Some(user.id) == row.invited_by);
        Self {
            state: if row.expires_at > now {
                InvitationState::Pending
            } else {
                InvitationState::Expired
            },
            invited_by: inviter.map(UserRefView::from),
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            scopes: row.scopes.names(),
            delivery: row.delivery,
            created_at: row.created_at,
            expires_at: row.expires_at,
            mailed_at: row.mailed_at,
            link: None,
        }
    }

    fn of(invited: Invited, users: &[UserRow], now: Millis, public_url: &str) -> Self {
        let link = invited
            .token
            .map(|token| format!("{public_url}/invitation#{token}"));
        Self {
            link,
            ..Self::new(invited.row, users, now)
        }
    }
}

/// List invitations
///
/// Those that were neither accepted nor withdrawn, oldest first; of the link nothing. One that has expired is listed for thirty
/// days more.
#[utoipa::path(get, path = "/v2/api/users/invitations", operation_id = "listInvitations", tag = "Users",
    params(
        ("page" = Option<i64>, Query, description = "From 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Invitations on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer"),
    ),
    responses((status = 200, description = "A page of invitations", body = Page<InvitationView>)))]
pub async fn list(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let list = ShortList::read(&mut input);
    input.finish()?;
    let (team, now) = (caller.owner.team, state.board.now());
    let listed = Listed {
        of: format!("invitations {team:?}"),
        rows: invitations::list,
        key: |row| (row.created_at, row.id.to_string()),
    };
    let all = |_: &InvitationRow| true;
    let page = list.page(&state, team, listed, all, |row, users| {
        InvitationView::new(row, users, now)
    });
    Ok(reply::page(&page.await?))
}

/// Somebody to be invited.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateInvitationRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateInvitation {
    #[schema(example = "dana@acme.example", max_length = 254)]
    email: String,
    /// `ADMIN`, `MANAGER` or `MEMBER`; not above the role of the one who invites.
    #[schema(example = "MEMBER")]
    role: String,
    /// What they are called; without it, they say so themselves.
    #[schema(example = "Dana Lee", max_length = 200)]
    name: Option<String>,
    /// What their first key opens: nothing that the key by which they are invited does not open. By default what fits the role
    /// of what it opens.
    #[schema(min_items = 1, example = json!(["CONVERSATIONS_READ", "TAGS_WRITE"]))]
    scopes: Option<Vec<String>>,
    /// `MAIL`: the server mails the link. `LINK`: it is in the answer. By default `MAIL` where the operator has configured a
    /// mail server.
    #[schema(example = "LINK")]
    delivery: Option<String>,
}

/// Invite a user
///
/// Asks somebody to join the team. The link works once and for seven days. Where it is not mailed, it is in the answer and
/// is not shown again. Mails of a day are limited by the operator, by default to 100 for a team (429 `RATE_LIMIT_EXCEEDED`).
#[utoipa::path(post, path = "/v2/api/users/invitations", operation_id = "createInvitation", tag = "Users",
    request_body = CreateInvitation,
    responses((status = 201, description = "The invitation", body = Data<InvitationView>)))]
pub async fn create(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (email, role) = (input.text("email", 254), input.name("role"));
    for name in ["email", "role"] {
        if input.sent(name) != Sent::Value {
            input.missing(name);
        }
    }
    let name = input.text("name", 200);
    let scopes = read_scopes(&mut input);
    let delivery = read_delivery(&mut input, state.settings.mails);
    input.finish()?;
    let invite = Invite {
        email: email.unwrap_or_default(),
        name,
        role: role.unwrap_or(Role::Member),
        scopes,
        delivery: delivery.unwrap_or_else(|| usual(state.settings.mails)),
    };
    let (by, power, url) = (caller.actor(), caller.power(), state.settings.public_url.clone());
    let mails = state.settings.invitation_mails;
    commit_secret(&state, &caller, StatusCode::CREATED, move |work| {
        let invited = commands::create(work, &invite, mails, &power, &by)?;
        let users = users::list(work.tx, work.team)?;
        Ok(InvitationView::of(invited, &users, work.now, &url))
    })
    .await
}

const fn usual(mails: Mails) -> InvitationDelivery {
    match mails {
        Mails::Sent => InvitationDelivery::Mail,
        Mails::Off => InvitationDelivery::Link,
    }
}

/// Reads `delivery`, if it is there.
fn read_delivery(input: &mut Input, mails: Mails) -> Option<InvitationDelivery> {
    let delivery = input.name("delivery");
    if delivery == Some(InvitationDelivery::Mail) && mails == Mails::Off {
        let message = "this server sends no mails".to_owned();
        let suggestion = "Leave delivery out, and hand on the link that is in the answer.".to_owned();
        input.fault_with(ErrorCode::InvalidParameter, "delivery", message, suggestion);
    }
    delivery
}

/// Withdraw an invitation
///
/// Its link opens nothing from now on.
#[utoipa::path(delete, path = "/v2/api/users/invitations/{id}", operation_id = "revokeInvitation", tag = "Users",
    params(("id" = String, Path, description = "The invitation's id", example = "inv-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is withdrawn")))]
pub async fn revoke(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = invitation_id(&id)?;
    let (by, power) = (caller.actor(), caller.power());
    commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::revoke(work, id, &power, &by)
    })
    .await
}

/// How an invitation is to be sent again.
#[derive(utoipa::ToSchema)]
#[schema(as = ResendInvitationRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct ResendInvitation {
    /// As for a new one.
    #[schema(example = "LINK")]
    delivery: Option<String>,
}

/// Send an invitation again
///
/// With a new link and seven days more; the link that was sent before ends when the new one is made. Whoever sends it again
/// is the one who invites from now on. Mails are a minute apart, and each counts among those of the day.
#[utoipa::path(post, path = "/v2/api/users/invitations/{id}/resend", operation_id = "resendInvitation", tag = "Users",
    params(("id" = String, Path, description = "The invitation's id", example = "inv-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = ResendInvitation,
    responses((status = 200, description = "The invitation as it is now", body = Data<InvitationView>)))]
pub async fn resend(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let (PathParams([id]), OptionalBody(mut input)) = (path, body);
    let id = invitation_id(&id)?;
    let delivery = read_delivery(&mut input, state.settings.mails);
    input.finish()?;
    let delivery = delivery.unwrap_or_else(|| usual(state.settings.mails));
    let (by, power, url) = (caller.actor(), caller.power(), state.settings.public_url.clone());
    let how = (delivery, state.settings.invitation_mails);
    commit_secret(&state, &caller, StatusCode::OK, move |work| {
        let invited = commands::resend(work, id, how, &power, &by)?;
        let users = users::list(work.tx, work.team)?;
        Ok(InvitationView::of(invited, &users, work.now, &url))
    })
    .await
}

/// Reads the id of an invitation in a path.
fn invitation_id(text: &str) -> Result<InvitationId, ApiError> {
    InvitationId::parse(text).map_err(|_| ApiError::new(ErrorCode::InvitationNotFound).param("id"))
}

/// What an invitation is accepted with.
#[derive(utoipa::ToSchema)]
#[schema(as = AcceptInvitationRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct AcceptInvitation {
    /// What follows the `#` in the link.
    #[schema(example = "kJ3…", max_length = 200)]
    token: String,
    /// What you are called; by default as in the invitation.
    #[schema(example = "Dana Lee", max_length = 200)]
    name: Option<String>,
}

/// Who joined a team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AcceptedInvitation)]
pub struct JoinedView {
    user: UserView,
    team: JoinedTeam,
    /// The user's first key with its secret, which is not shown again; `null` where the key by which they were invited has
    /// ended since.
    api_key: Option<KeyView>,
}

/// The team that was joined.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JoinedTeam {
    #[schema(value_type = String, example = "team-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: TeamId,
    #[schema(example = "Acme Corp")]
    name: String,
}

/// Accept an invitation
///
/// Makes the user and their first key. A link works once; one that was used, withdrawn, mistyped or has expired is answered
/// in the same way. Requests are counted by address, as all are that come without a key.
#[utoipa::path(post, path = "/v2/api/invitations/accept", operation_id = "acceptInvitation", tag = "Users",
    request_body = AcceptInvitation,
    responses((status = 201, description = "The user, the team, and the key", body = Data<JoinedView>)))]
pub async fn accept(_: Visitor, State(state): State<AppState>, body: Body) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (token, name) = (input.text("token", 200), input.text("name", 200));
    if input.sent("token") != Sent::Value {
        input.missing("token");
    }
    input.finish()?;
    let hash = crypto::sha256_hex(token.unwrap_or_default().as_bytes());
    let sought = hash.clone();
    let find = move |conn: &mut Conn<'_>| directory::find(conn, &Entry::InvitationHash(&sought));
    let team = state.board.db().read(find).await?;
    let team = team.ok_or_else(|| ApiError::from(commands::no_such_token()))?;
    let done = state
        .board
        .run(team, move |work| -> Result<JoinedView, ApiError> {
            let joined = commands::accept(work, &hash, name.as_deref())?;
            let (user, now) = (joined.user, work.now);
            let api_key = joined
                .key
                .map(|key| KeyView::new(key.row, std::slice::from_ref(&user), now).with_secret(key.secret));
            Ok(JoinedView {
                user: UserView::from(user),
                team: JoinedTeam {
                    id: joined.team_id,
                    name: joined.team_name,
                },
                api_key,
            })
        });
    let data = done.await?;
    Ok(reply::json(StatusCode::CREATED, &Data { data }))
}

/// The page that a link leads to. The token is behind the `#`, which browsers keep to themselves: it is in no log.
pub async fn page() -> Response {
    const PAGE: &str = include_str!("invitation.html");
    const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("content-security-policy"), POLICY),
    ];
    (headers, Html(PAGE)).into_response()
}
