//! Questions and answers.

use trunkline_domain::{CallResult, Direction, ItemKind, Millis, PhoneNumber, UserId};
use trunkline_store::TeamKey;

/// A search in the texts of a team's items.
#[derive(Clone, Debug, PartialEq)]
pub struct TextQuery {
    /// Whose items.
    pub team: TeamKey,
    /// Folded words (see `trunkline_domain::text::query_words`). An item must have, for each of them, a word that
    /// begins with it. No words: every item matches.
    pub words: Vec<String>,
    /// What else must hold.
    pub filter: TextFilter,
    /// The order of the answer.
    pub order: TextOrder,
    /// Where the page begins.
    pub start: TextStart,
    /// The most hits to return.
    pub limit: usize,
    /// Only items numbered up to this. With the number of the team's last item at the time of the first page, the
    /// later pages stay as they were while new items arrive, by relevance too: new items then count neither as
    /// hits nor in the weights of words.
    pub max_seq: Option<i64>,
}

/// What items must fulfil beside the words; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFilter {
    /// The team's line.
    pub line: Option<i64>,
    /// The outside number.
    pub contact: Option<PhoneNumber>,
    /// Who handled or sent it.
    pub user: Option<UserId>,
    /// Calls or messages.
    pub kind: Option<ItemKind>,
    /// Which way.
    pub direction: Option<Direction>,
    /// How calls ended: any of these. Empty: no limit.
    pub results: Vec<CallResult>,
    /// Any of these tag keys. Empty: no limit.
    pub tags: Vec<String>,
    /// Only in these conversations.
    pub conversations_in: Option<Vec<i64>>,
    /// Not in these conversations.
    pub conversations_not_in: Option<Vec<i64>>,
    /// At this instant or later.
    pub from: Option<Millis>,
    /// Before this instant.
    pub until: Option<Millis>,
}

/// The order of an answer. Every order is total: what is equal is told apart by instant, then by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextOrder {
    /// Newest first.
    #[default]
    NewestFirst,
    /// Oldest first.
    OldestFirst,
    /// Best match first, the newer one first among equals.
    Relevance,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStart {
    /// After so many hits.
    Offset(usize),
    /// Behind the item with this instant and number, in the direction of the order. Not by relevance.
    Behind {
        /// The item's instant.
        at: Millis,
        /// The item's number.
        seq: i64,
    },
}

impl Default for TextStart {
    fn default() -> Self {
        Self::Offset(0)
    }
}

/// A page of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextHits {
    /// How many items match, wherever the page begins: exact.
    pub total: u64,
    /// The page.
    pub hits: Vec<Hit>,
    /// How many of the team's events, of those there were when the search began, the index has not applied yet.
    /// Nearly always 0; more when the follower could not catch up within [`crate::SearchOptions::wait`].
    pub behind: u64,
}

/// An item that matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The team's number for it.
    pub seq: i64,
    /// Its instant.
    pub at: Millis,
    /// How well it matches; 0 where the order is by date.
    pub score: f32,
}
