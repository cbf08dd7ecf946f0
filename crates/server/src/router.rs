//! The table of contents: every route, in order.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::http::context::{no_such_path, plain_envelope};
use crate::http::endpoint::{Endpoint, endpoint, mount};
use crate::layers::enveloped;
use crate::{AppState, carriers, docs, health, media, sandbox, v1, v2};

/// The endpoint table: what keys open.
#[must_use]
pub fn table() -> Vec<Endpoint> {
    vec![
        endpoint!(v2::me::get),
        endpoint!(v2::conversations::list),
        endpoint!(v2::search::search),
        endpoint!(v2::items::batch),
        endpoint!(v2::items::get),
        endpoint!(v2::summaries::list),
        endpoint!(v2::summaries::update),
        endpoint!(v2::tags::add),
        endpoint!(v2::tags::remove),
        endpoint!(v2::conversations::act),
        endpoint!(v2::users::list),
        endpoint!(v2::users::get),
        endpoint!(v2::tags::list),
        endpoint!(v2::tags::create),
        endpoint!(v2::tags::get),
        endpoint!(v2::tags::update),
        endpoint!(v2::tags::delete),
        endpoint!(v2::numbers::list),
        endpoint!(v2::numbers::get),
        endpoint!(v2::numbers::update),
        endpoint!(v2::sender_ids::list),
        endpoint!(v2::sender_ids::create),
        endpoint!(v2::sender_ids::get),
        endpoint!(v2::sender_ids::update),
        endpoint!(v2::sender_ids::delete),
        endpoint!(v2::users::update),
        endpoint!(v2::users::block),
        endpoint!(v2::users::unblock),
        endpoint!(v2::invitations::list),
        endpoint!(v2::invitations::create),
        endpoint!(v2::invitations::revoke),
        endpoint!(v2::invitations::resend),
        endpoint!(v2::team::get),
        endpoint!(v2::team::update),
        endpoint!(v2::audit::list),
        endpoint!(v2::usage::get),
        endpoint!(v2::keys::list),
        endpoint!(v2::keys::create),
        endpoint!(v2::keys::get),
        endpoint!(v2::keys::revoke),
        endpoint!(v2::notes::list),
        endpoint!(v2::notes::create),
        endpoint!(v2::notes::get),
        endpoint!(v2::notes::update),
        endpoint!(v2::notes::delete),
        endpoint!(v2::notes::people::list),
        endpoint!(v2::notes::people::create),
        endpoint!(v2::notes::people::update),
        endpoint!(v2::notes::people::delete),
        endpoint!(v2::threads::find),
        endpoint!(v2::threads::create),
        endpoint!(v2::threads::get),
        endpoint!(v2::threads::comment),
        endpoint!(v2::threads::update_comment),
        endpoint!(v2::threads::resolve),
        endpoint!(v2::threads::unresolve),
        endpoint!(v2::crm::people::create),
        endpoint!(v2::crm::search::search_people),
        endpoint!(v2::crm::people::get),
        endpoint!(v2::crm::people::update),
        endpoint!(v2::crm::people::delete),
        endpoint!(v2::crm::people::merge),
        endpoint!(v2::crm::import::begin),
        endpoint!(v2::crm::import::get),
        endpoint!(v2::crm::companies::create),
        endpoint!(v2::crm::companies::search),
        endpoint!(v2::crm::companies::get),
        endpoint!(v2::crm::companies::update),
        endpoint!(v2::crm::deals::create),
        endpoint!(v2::crm::deals::search),
        endpoint!(v2::crm::deals::get),
        endpoint!(v2::crm::deals::update),
        endpoint!(v2::crm::deals::delete),
        endpoint!(v2::crm::properties::list),
        endpoint!(v2::crm::properties::create),
        endpoint!(v2::crm::properties::update),
        endpoint!(v2::crm::properties::delete),
        endpoint!(v2::summary_templates::list),
        endpoint!(v2::summary_templates::create),
        endpoint!(v2::summary_templates::get),
        endpoint!(v2::summary_templates::update),
        endpoint!(v2::summary_templates::delete),
        endpoint!(v2::summary_templates::set_default),
        endpoint!(v2::dialing_queues::get),
        endpoint!(v2::dialing_queues::reset),
        endpoint!(v2::dialing_queues::upsert),
        endpoint!(v2::dialing_queues::append),
        endpoint!(v2::dialing_queues::clear),
        endpoint!(v2::dialing_queues::assign),
        endpoint!(v2::partners::create),
        endpoint!(v2::partners::get),
        endpoint!(v2::partners::delete),
        endpoint!(v2::partners::suspend),
        endpoint!(v2::partners::resume),
        endpoint!(v2::analytics::overview::report),
        endpoint!(v2::analytics::outbound::report),
        endpoint!(v2::analytics::inbound::report),
        endpoint!(v2::analytics::messages::report),
        endpoint!(v2::export::items),
        endpoint!(v2::webhooks::list),
        endpoint!(v2::webhooks::create),
        endpoint!(v2::webhooks::event_types),
        endpoint!(v2::webhooks::get),
        endpoint!(v2::webhooks::update),
        endpoint!(v2::webhooks::delete),
        endpoint!(v2::webhooks::rotate_secret),
        endpoint!(v2::webhooks::trial::test),
        endpoint!(v2::webhooks::deliveries::list),
        endpoint!(v2::webhooks::deliveries::replay),
        endpoint!(v2::events::follow),
        endpoint!(v1::sms::send),
        endpoint!(v1::calls::list),
        endpoint!(v1::contacts::list),
        endpoint!(v1::contacts::create),
        endpoint!(v1::contacts::update),
        endpoint!(v1::conversation::get),
        endpoint!(v1::conversation::list),
        endpoint!(v1::numbers::list),
        endpoint!(sandbox::message),
        endpoint!(sandbox::call),
    ]
}

/// What is open to those who have no key.
#[must_use]
pub fn open_table() -> Vec<Endpoint> {
    vec![endpoint!(v2::invitations::accept)]
}

/// The whole server.
pub fn router(state: AppState) -> Router {
    let all: Vec<Endpoint> = table().into_iter().chain(open_table()).collect();
    let api = enveloped(mount(all).fallback(no_such_path), &state);
    let open = Router::new()
        .route("/carriers/twilio/messages", post(carriers::twilio_messages))
        .route("/carriers/twilio/status", post(carriers::twilio_status))
        .route("/media/{team}/{id}", get(media::serve))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/sandbox/recordings/{file}", get(sandbox::recording))
        .route("/invitation", get(v2::invitations::page))
        .merge(docs::routes())
        .layer(from_fn_with_state(state.clone(), plain_envelope));
    crate::layers::around(api.merge(open), &state.settings).with_state(state)
}
