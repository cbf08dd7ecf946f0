//! Summary templates: how a team wants its calls summed up.

use serde::{Deserialize, Serialize};

/// The longest name of a template, in characters.
pub const MAX_NAME: usize = 200;

/// The longest background, in characters.
pub const MAX_CONTEXT: usize = 4_000;

/// The longest icon, in characters: an emoji may be made of several.
pub const MAX_ICON: usize = 20;

/// The most sections of a template.
pub const MAX_SECTIONS: usize = 10;

/// The longest title of a section, in characters.
pub const MAX_TITLE: usize = 200;

/// The longest instructions of a section, in characters.
pub const MAX_INSTRUCTIONS: usize = 2_000;

/// A section of a summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// What is to be written in it.
    pub instructions: String,
}
