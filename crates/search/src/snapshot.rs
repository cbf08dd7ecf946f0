//! What a search looks into: the segments of one commit, and the cursors that belong to it.

use std::fmt::Debug;
use std::sync::Arc;

use tantivy::columnar::{Cardinality, ColumnValues};
use tantivy::directory::META_LOCK;
use tantivy::error::DataCorruption;
use tantivy::fastfield::{AliveBitSet, Column};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::{Directory, Index, InvertedIndexReader, Opstamp, SegmentReader};

use crate::SearchError;
use crate::cursors::Payload;
use crate::schema::{AT, CONVERSATION, SEQ, schema};

/// A commit, opened for reading.
#[derive(Default)]
pub(crate) struct Snapshot {
    pub segments: Vec<Arc<SegmentView>>,
    pub payload: Payload,
}

/// A segment with everything that a search reads of it. Its files stay readable as long as this lives, even when
/// they are deleted.
pub(crate) struct SegmentView {
    pub id: SegmentId,
    delete_opstamp: Option<Opstamp>,
    /// Documents, deleted ones included; their numbers lie below.
    pub max_doc: u32,
    /// Documents that are not deleted.
    pub alive_docs: u32,
    pub alive: Option<AliveBitSet>,
    pub words: Arc<InvertedIndexReader>,
    pub filters: Arc<InvertedIndexReader>,
    /// How many words each document has, coarsely.
    pub lengths: FieldNormReader,
    pub seq: Arc<dyn ColumnValues<u64>>,
    pub at: Arc<dyn ColumnValues<i64>>,
    pub conversation: Arc<dyn ColumnValues<u64>>,
}

impl Snapshot {
    /// The newest commit.
    pub(crate) fn open(index: &Index) -> Result<Self, SearchError> {
        Self::default().next(index)
    }

    /// The newest commit, with the segments of this one that are in it still.
    pub(crate) fn next(&self, index: &Index) -> Result<Self, SearchError> {
        // While this is held no file is cleaned away between the list of segments and their opening.
        let lock = index
            .directory()
            .acquire_lock(&META_LOCK)
            .map_err(|error| tantivy::TantivyError::LockFailure(error, None));
        let _lock = lock.map_err(SearchError::index("locking its list of segments"))?;
        let metas = index
            .load_metas()
            .map_err(SearchError::index("reading its list of segments"))?;
        let payload = match metas.payload {
            Some(text) => {
                Payload::read(&text).map_err(|error| DataCorruption::comment_only(error.to_string()))
            }
            None => Ok(Payload::default()),
        };
        let payload = payload.map_err(SearchError::index("reading its cursors"))?;
        let mut segments = Vec::with_capacity(metas.segments.len());
        for meta in metas.segments {
            let same = |view: &&Arc<SegmentView>| {
                view.id == meta.id() && view.delete_opstamp == meta.delete_opstamp()
            };
            let known = self.segments.iter().find(same).cloned();
            segments.push(match known {
                Some(view) => view,
                None => {
                    let opened = SegmentReader::open(&index.segment(meta))
                        .and_then(|reader| SegmentView::new(&reader));
                    Arc::new(opened.map_err(SearchError::index("opening a segment"))?)
                }
            });
        }
        Ok(Self { segments, payload })
    }

    /// The segments that hold documents which were replaced.
    pub(crate) fn stale(&self) -> Vec<SegmentId> {
        let stale = self.segments.iter().filter(|view| view.alive_docs < view.max_doc);
        stale.map(|view| view.id).collect()
    }
}

impl SegmentView {
    fn new(reader: &SegmentReader) -> tantivy::Result<Self> {
        let (_, fields) = schema();
        let columns = reader.fast_fields();
        Ok(Self {
            id: reader.segment_id(),
            delete_opstamp: reader.delete_opstamp(),
            max_doc: reader.max_doc(),
            alive_docs: reader.num_docs(),
            alive: reader.alive_bitset().cloned(),
            words: reader.inverted_index(fields.text)?,
            filters: reader.inverted_index(fields.filter)?,
            lengths: reader.get_fieldnorms_reader(fields.text)?,
            seq: full(columns.u64(SEQ)?)?,
            at: full(columns.i64(AT)?)?,
            conversation: full(columns.u64(CONVERSATION)?)?,
        })
    }
}

/// The values of a column that every document has.
fn full<T>(column: Column<T>) -> tantivy::Result<Arc<dyn ColumnValues<T>>>
where
    T: PartialOrd + Copy + Debug + Send + Sync + 'static,
{
    if column.get_cardinality() == Cardinality::Full {
        Ok(column.values)
    } else {
        Err(DataCorruption::comment_only("a document lacks a column").into())
    }
}
