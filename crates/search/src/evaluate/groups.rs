//! Posting lists that stand for one condition.

use tantivy::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;

use super::docs::Docs;

/// A list this many times longer than the candidates is not read: it is asked for each of them.
const SEEK_FACTOR: u64 = 16;

/// The posting lists of terms of which one must be there.
pub(super) struct Group<'v> {
    index: &'v InvertedIndexReader,
    terms: Vec<TermInfo>,
    /// Whether the first term is the very word that the others begin with.
    first_is_exact: bool,
    postings: u64,
}

impl<'v> Group<'v> {
    /// All terms that begin with `prefix`.
    pub(super) fn beginning_with(index: &'v InvertedIndexReader, prefix: &str) -> tantivy::Result<Self> {
        let mut group = Self {
            index,
            terms: Vec::new(),
            first_is_exact: false,
            postings: 0,
        };
        // No byte of UTF-8 is as high as this one.
        let beyond = [prefix.as_bytes(), &[u8::MAX]].concat();
        let mut stream = index.terms().range().ge(prefix).lt(beyond).into_stream()?;
        while stream.advance() {
            group.first_is_exact |= group.terms.is_empty() && stream.key() == prefix.as_bytes();
            group.push(stream.value().clone());
        }
        Ok(group)
    }

    /// The terms of the list that there are.
    pub(super) fn any_of(index: &'v InvertedIndexReader, terms: &[String]) -> tantivy::Result<Self> {
        let mut group = Self {
            index,
            terms: Vec::with_capacity(terms.len()),
            first_is_exact: false,
            postings: 0,
        };
        for term in terms {
            if let Some(info) = index.terms().get(term)? {
                group.push(info);
            }
        }
        Ok(group)
    }

    fn push(&mut self, info: TermInfo) {
        self.postings += u64::from(info.doc_freq);
        self.terms.push(info);
    }

    /// How many postings there are in all.
    pub(super) const fn postings(&self) -> u64 {
        self.postings
    }

    /// The documents of all lists.
    pub(super) fn all(&self, max_doc: u32) -> tantivy::Result<Docs> {
        let mut docs = Docs::none(max_doc);
        let Some(first) = self.terms.first() else {
            return Ok(docs);
        };
        let mut list = self
            .index
            .read_block_postings_from_terminfo(first, IndexRecordOption::Basic)?;
        for (place, info) in self.terms.iter().enumerate() {
            if place > 0 {
                self.index.reset_block_postings_from_terminfo(info, &mut list)?;
            }
            while !list.docs().is_empty() {
                list.docs().iter().for_each(|doc| docs.insert(*doc));
                list.advance();
            }
        }
        Ok(docs)
    }

    /// The documents of all lists that are among the candidates.
    pub(super) fn within(&self, candidates: &Docs) -> tantivy::Result<Docs> {
        let mut docs = candidates.none_of();
        self.each_within(candidates, IndexRecordOption::Basic, |doc, _, _| docs.insert(doc))?;
        Ok(docs)
    }

    /// Calls `each` for every posting of a candidate, list by list: with the document, how often it has the term
    /// (if `wanted` asks for it), and whether the term is the very word.
    pub(super) fn each_within(
        &self,
        candidates: &Docs,
        wanted: IndexRecordOption,
        mut each: impl FnMut(u32, u32, bool),
    ) -> tantivy::Result<()> {
        let Some(first) = self.terms.first() else {
            return Ok(());
        };
        let count = u64::from(candidates.count());
        let mut listed: Option<Vec<u32>> = None;
        let mut list = self.index.read_block_postings_from_terminfo(first, wanted)?;
        for (place, info) in self.terms.iter().enumerate() {
            if place > 0 {
                self.index.reset_block_postings_from_terminfo(info, &mut list)?;
            }
            let exact = place == 0 && self.first_is_exact;
            if u64::from(info.doc_freq) > SEEK_FACTOR * count {
                for doc in listed.get_or_insert_with(|| candidates.iter().collect()).iter() {
                    let offset = list.seek(*doc);
                    if list.doc(offset) == *doc {
                        each(*doc, list.freq(offset), exact);
                    }
                }
            } else {
                while !list.docs().is_empty() {
                    for (offset, doc) in list.docs().iter().enumerate() {
                        if candidates.contains(*doc) {
                            each(*doc, list.freq(offset), exact);
                        }
                    }
                    list.advance();
                }
            }
        }
        Ok(())
    }
}
