//! The second version of the API: one file per endpoint group, read top to bottom.

pub mod analytics;
pub mod audit;
pub mod conversations;
pub mod crm;
mod cursor;
pub mod dialing_queues;
pub mod events;
pub mod export;
pub mod invitations;
pub mod items;
pub mod keys;
pub(crate) mod lines;
pub mod me;
pub mod notes;
pub mod numbers;
pub mod partners;
pub mod search;
pub mod sender_ids;
mod short_list;
pub mod streams;
pub mod summaries;
pub mod summary_templates;
pub mod tags;
pub mod team;
pub mod threads;
pub mod usage;
pub mod users;
pub(crate) mod views;
pub mod webhooks;

use trunkline_domain::{CallId, ErrorCode, IdError, ItemId, PhoneNumber};

use crate::http::error::ApiError;
use crate::http::input::Input;
use views::Extend;

/// Reads `extend`.
fn read_extend(input: &mut Input) -> Extend {
    let text = input.text("extend", usize::MAX).unwrap_or_default();
    let mut extend = Extend {
        links: input.media_links(),
        ..Extend::default()
    };
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            "transcript" => extend.transcript = true,
            other => {
                let shown: String = other.chars().take(40).collect();
                let message = format!("{shown:?} is no part that this endpoint can add");
                let suggestion = "Use one of: transcript.".to_owned();
                input.fault_with(ErrorCode::UnsupportedExtendValue, "extend", message, suggestion);
            }
        }
    }
    extend
}

/// Reads an outside number in a path.
fn contact_number(text: &str) -> Result<PhoneNumber, ApiError> {
    PhoneNumber::parse(text).map_err(|error| {
        ApiError::new(ErrorCode::InvalidPhoneFormat)
            .param("contact_number")
            .message(error.to_string())
    })
}

fn invalid_item_id() -> ApiError {
    ApiError::new(ErrorCode::InvalidItemId).param("id")
}

/// Reads the id of an item in a path.
fn item_id(text: &str) -> Result<ItemId, ApiError> {
    ItemId::parse(text).map_err(|error| match error {
        IdError::Malformed { .. } => invalid_item_id(),
        IdError::NeverIssued => ErrorCode::ConversationItemNotFound.into(),
    })
}

/// Reads the id of a call in a path, for what only calls have.
fn call_id(text: &str) -> Result<CallId, ApiError> {
    match ItemId::parse(text) {
        Ok(ItemId::Call(call)) => Ok(call),
        Err(IdError::NeverIssued) if !text.starts_with("msg") => Err(ErrorCode::CallNotFound.into()),
        Ok(ItemId::Message(_)) | Err(IdError::NeverIssued) => Err(invalid_item_id()
            .message("this is the id of a message; only calls can do this")
            .suggestion("Send the id of a call, cll-….")),
        Err(IdError::Malformed { .. }) => Err(invalid_item_id()),
    }
}
