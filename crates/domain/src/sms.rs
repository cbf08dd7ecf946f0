//! Text messages: what they cost, what may be sent, and what the words in them ask for.
//!
//! All of it is pure. What a rule needs to know comes in as plain values, and nothing here looks anything up.

pub mod content;
pub mod keywords;
pub mod marketing;
pub mod numbering;
pub mod rules;
pub mod segments;
pub mod sender_id;

pub use content::ContentRules;
pub use keywords::{Keyword, Language, keyword};
pub use segments::{Encoding, Segments};
pub use sender_id::SenderId;
