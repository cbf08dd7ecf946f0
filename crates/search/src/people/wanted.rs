//! What is looked for, with everything about companies looked up beforehand.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use trunkline_domain::ContactId;
use trunkline_store::people::{self, PeopleFilter};
use trunkline_store::people_changes::PersonTexts;

use super::companies::Companies;

/// What is looked for. Numbers are not: the database finds them by itself.
pub(super) struct Wanted<'f> {
    pub(super) filter: &'f PeopleFilter,
    /// Companies whose name has what is to be in it.
    pub(super) companies: Option<FixedBitSet>,
    /// Who has a deal of the status: people, and companies.
    pub(super) with_deal: Option<(BTreeSet<ContactId>, FixedBitSet)>,
    pub(super) words: Vec<Word<'f>>,
}

/// A word of the free-text search.
pub(super) struct Word<'f> {
    pub(super) text: &'f str,
    /// Whether it may be anywhere in a word, rather than its beginning.
    pub(super) anywhere: bool,
    /// Companies with such a word in their name.
    pub(super) companies: FixedBitSet,
}

impl<'f> Wanted<'f> {
    pub(super) fn new(
        filter: &'f PeopleFilter,
        companies: &Companies,
        with_deal: Option<(BTreeSet<ContactId>, FixedBitSet)>,
    ) -> Self {
        let word = |text: &'f String| Word {
            text,
            anywhere: people::is_part_of_number(text),
            companies: companies.with_word(text),
        };
        Self {
            filter,
            companies: filter.company.as_deref().map(|part| companies.containing(part)),
            with_deal,
            words: filter.words.iter().map(word).collect(),
        }
    }

    /// Whether a person, whose company has this number, is wanted.
    pub(super) fn is_met_by(&self, person: &PersonTexts, company: u32) -> bool {
        let PeopleFilter {
            first_name,
            last_name,
            job_title,
            website,
            email,
            ..
        } = self.filter;
        let in_fields = [
            (&person.first, first_name),
            (&person.last, last_name),
            (&person.title, job_title),
            (&person.site, website),
        ];
        let is_in = |companies: &FixedBitSet| companies.contains(company as usize);
        in_fields
            .iter()
            .all(|(text, part)| part.as_deref().is_none_or(|part| text.contains(part)))
            && email
                .as_deref()
                .is_none_or(|part| person.emails.iter().any(|email| email.contains(part)))
            && self.companies.as_ref().is_none_or(is_in)
            && self
                .with_deal
                .as_ref()
                .is_none_or(|(people, companies)| people.contains(&person.id) || is_in(companies))
            && self.words.iter().all(|word| {
                let begins = |known: &str| known.starts_with(word.text);
                is_in(&word.companies)
                    || if word.anywhere {
                        person.words.contains(word.text)
                    } else {
                        person.words.split(' ').any(begins)
                    }
            })
    }
}
