//! The rules of a phone system as plain types.
//!
//! Nothing here knows of I/O, async code, SQL or HTTP. Time, ids and randomness come in through [`Clock`] and
//! [`Ids`], so that every rule can be tested with a clock that is set by hand.

pub mod analytics;
pub mod call;
pub mod clock;
pub mod conversation;
pub mod dialer;
pub mod engagement;
pub mod erasure;
pub mod error_code;
pub mod events;
pub mod ids;
pub mod model;
pub mod note;
pub mod phone;
pub mod scope;
pub mod sms;
pub mod tag;
pub mod template;
pub mod text;
pub mod time;
pub mod webhook;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error_code::{ErrorCode, ErrorType};
pub use ids::{
    ApiKeyId, CallId, CommentId, CompanyId, ContactId, DealId, DeliveryId, EndpointId, Id, IdError, Ids,
    ImportId, InvitationId, ItemId, MediaId, MessageId, NoteId, NumberId, QueueId, RandomIds, SeededIds,
    TagId, TeamId, TemplateId, ThreadId, UserId,
};
pub use model::*;
pub use phone::PhoneNumber;
pub use scope::{Scope, ScopeSet};
pub use time::Millis;
