//! The fields of the index, and how an item becomes a document.

use std::sync::Arc;

use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{Document, Term};
use tokio::sync::OwnedSemaphorePermit;
use trunkline_domain::text::for_each_word;
use trunkline_store::items::ItemTexts;

use crate::terms::Property;

/// Fast field: the team's number for the item.
pub(crate) const SEQ: &str = "seq";
/// Fast field: the item's instant, epoch milliseconds.
pub(crate) const AT: &str = "at";
/// Fast field: the item's conversation. A column and not a term: queries name thousands of conversations at once.
pub(crate) const CONVERSATION: &str = "conversation";

const WORDS: &str = "team-words";

/// The fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    /// Words, each behind its team.
    pub text: Field,
    /// Properties that can be asked for exactly, each behind its team and a letter.
    pub filter: Field,
    seq: Field,
    at: Field,
    conversation: Field,
}

/// The schema of the index. Texts are not stored: the database has them.
pub(crate) fn schema() -> (Schema, Fields) {
    let words = TextFieldIndexing::default()
        .set_tokenizer(WORDS)
        .set_index_option(IndexRecordOption::WithFreqs);
    let exact = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let mut builder = Schema::builder();
    let fields = Fields {
        text: builder.add_text_field("text", TextOptions::default().set_indexing_options(words)),
        filter: builder.add_text_field("filter", TextOptions::default().set_indexing_options(exact)),
        seq: builder.add_u64_field(SEQ, FAST),
        at: builder.add_i64_field(AT, FAST),
        conversation: builder.add_u64_field(CONVERSATION, FAST),
    };
    (builder.build(), fields)
}

/// The tokenizers that the schema names.
pub(crate) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(WORDS, TeamWords::default());
    manager
}

impl Fields {
    /// The term that finds the document of an item, to replace it.
    pub(crate) fn item_term(&self, team_prefix: &str, seq: i64) -> Term {
        self.filter_term(Property::Item(seq), team_prefix)
    }

    /// The term of a property.
    pub(crate) fn filter_term(&self, property: Property<'_>, team_prefix: &str) -> Term {
        Term::from_field_text(self.filter, &property.term(team_prefix))
    }

    /// The document of an item.
    pub(crate) fn entry(&self, team_prefix: &str, with: &ItemTexts) -> Entry {
        let item = &with.item;
        let mut words =
            String::with_capacity(with.texts.iter().map(|text| text.len() + 1).sum::<usize>() + 16);
        words.push_str(team_prefix);
        for text in &with.texts {
            for_each_word(text, |word| {
                words.push(' ');
                words.push_str(word);
            });
        }
        let mut values = Vec::with_capacity(12 + item.tags.len());
        if words.len() > team_prefix.len() {
            values.push((self.text, Datum::Text(words)));
        }
        let mut property =
            |property: Property<'_>| values.push((self.filter, Datum::Text(property.term(team_prefix))));
        property(Property::Item(item.seq));
        property(Property::Kind(item.kind));
        property(Property::Direction(item.direction));
        property(Property::Line(item.line));
        property(Property::Contact(item.contact_number));
        if let Some(user) = item.user_id {
            property(Property::User(user));
        }
        if let Some(result) = item.result {
            property(Property::Result(result));
        }
        for tag in &item.tags {
            property(Property::Tag(tag));
        }
        values.push((self.seq, Datum::Unsigned(item.seq.cast_unsigned())));
        values.push((self.at, Datum::Signed(item.at.0)));
        values.push((
            self.conversation,
            Datum::Unsigned(item.conversation.cast_unsigned()),
        ));
        Entry { values, held: None }
    }
}

/// A document on its way into the index.
#[derive(Debug)]
pub(crate) struct Entry {
    values: Vec<(Field, Datum)>,
    held: Option<Arc<OwnedSemaphorePermit>>,
}

impl Entry {
    /// About how many bytes it occupies.
    pub(crate) fn size(&self) -> usize {
        let text = |value: &(Field, Datum)| {
            if let Datum::Text(text) = &value.1 {
                text.len()
            } else {
                0
            }
        };
        self.values.iter().map(text).sum::<usize>() + self.values.len() * size_of::<(Field, Datum)>()
    }

    /// Gives the permit back when the index has taken the document in.
    pub(crate) fn hold(&mut self, permit: Arc<OwnedSemaphorePermit>) {
        self.held = Some(permit);
    }
}

#[derive(Debug)]
pub(crate) enum Datum {
    Text(String),
    Unsigned(u64),
    Signed(i64),
}

impl<'a> Value<'a> for &'a Datum {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Datum::Text(text) => ReferenceValueLeaf::Str(text),
            Datum::Unsigned(number) => ReferenceValueLeaf::U64(*number),
            Datum::Signed(number) => ReferenceValueLeaf::I64(*number),
        })
    }
}

impl Document for Entry {
    type Value<'a> = &'a Datum;
    type FieldsValuesIter<'a> =
        std::iter::Map<std::slice::Iter<'a, (Field, Datum)>, fn(&'a (Field, Datum)) -> (Field, &'a Datum)>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.values.iter().map(|(field, datum)| (*field, datum))
    }
}

/// Cuts what [`Fields::entry`] wrote, a team's prefix and folded words with spaces between, into terms.
#[derive(Clone, Default)]
struct TeamWords {
    token: Token,
}

struct TeamWordStream<'a> {
    token: &'a mut Token,
    prefix: usize,
    words: std::str::Split<'a, char>,
}

impl Tokenizer for TeamWords {
    type TokenStream<'a> = TeamWordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TeamWordStream<'a> {
        let mut words = text.split(' ');
        self.token.reset();
        self.token.text.push_str(words.next().unwrap_or_default());
        TeamWordStream {
            prefix: self.token.text.len(),
            token: &mut self.token,
            words,
        }
    }
}

impl TokenStream for TeamWordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else {
            return false;
        };
        self.token.text.truncate(self.prefix);
        self.token.text.push_str(word);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_behind_its_team() {
        let mut tokenizer = TeamWords::default();
        let mut terms = Vec::new();
        tokenizer
            .token_stream("b1 bonjour ete a")
            .process(&mut |token| terms.push(token.text.clone()));
        assert_eq!(terms, ["b1bonjour", "b1ete", "b1a"]);
        assert!(!tokenizer.token_stream("b2").advance());
    }
}
