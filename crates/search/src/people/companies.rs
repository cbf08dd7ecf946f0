//! The names of a team's companies.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use trunkline_domain::CompanyId;

use super::values::Values;

/// The companies of a team. Each has a number, which stays.
#[derive(Debug)]
pub(super) struct Companies {
    numbers: HashMap<CompanyId, u32>,
    names: Vec<Box<str>>,
    /// The names once more, a space before each, so that all words in them begin behind a space.
    texts: Values,
}

impl Default for Companies {
    /// Number 0 is nobody's: people without a company have it, and are looked up like the others.
    fn default() -> Self {
        let mut texts = Values::default();
        texts.push("");
        Self {
            numbers: HashMap::new(),
            names: vec!["".into()],
            texts,
        }
    }
}

impl Companies {
    /// The number of a company; one that is not known yet gets the next, and its name later.
    pub(super) fn number(&mut self, id: CompanyId) -> u32 {
        let next = self.names.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.names.push("".into());
            self.texts.push(" ");
        }
        number
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of a company, if it is known.
    pub(super) fn known(&self, id: CompanyId) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// Takes new folded names.
    pub(super) fn rename(&mut self, names: Vec<(CompanyId, String)>) {
        let mut is_changed = false;
        for (id, name) in names {
            let number = self.number(id) as usize;
            if *self.names[number] != *name {
                self.names[number] = name.into();
                is_changed = true;
            }
        }
        if !is_changed {
            return;
        }
        self.texts = Values::default();
        for name in &self.names {
            self.texts.push(&format!(" {name}"));
        }
    }

    /// Those whose name has `part`, which is folded, somewhere in it.
    pub(super) fn containing(&self, part: &str) -> FixedBitSet {
        let mut found = self.texts.set_containing(part);
        found.set(0, false);
        found
    }

    /// Those with a word in their name that begins with `word`.
    pub(super) fn with_word(&self, word: &str) -> FixedBitSet {
        self.containing(&format!(" {word}"))
    }
}
