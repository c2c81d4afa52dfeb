//! One index: what Tantivy has of it, and how it is read.
//!
//! Tantivy holds columns of values, one for each field, and the texts of the documents. It has no terms of them but their
//! ids: a question about strings is put to each distinct value of a column once, which is exact, needs no second
//! copy of the values and knows all that a predicate knows.

use super::mapping::{Cell, Column, Mapping, Row};
use crate::StoreError;
use query::Schema;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tantivy::columnar::{Column as Values, DynamicColumn, NumericalType, StrColumn};
use tantivy::directory::MmapDirectory;
use tantivy::index::SegmentId;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, OwnedValue, STORED, STRING,
    Schema as Layout, Value as _,
};
use tantivy::store::{Compressor, StoreReader, ZstdCompressor};
use tantivy::{
    DocId, DocSet, IndexReader, IndexSettings, ReloadPolicy, Searcher, SegmentReader, TERMINATED,
    TantivyDocument, Term,
};

/// The fields that Tantivy knows.
#[derive(Clone, Copy, Debug)]
struct Fields {
    id: Field,
    seq_no: Field,
    version: Field,
    source: Field,
    /// All values, by the number of their field.
    columns: Field,
    /// The numbers of the fields that the document itself has to be asked for.
    ignored: Field,
}

/// An index that can be searched.
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) folder: PathBuf,
    pub(crate) tantivy: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    /// What searches see.
    snapshot: Mutex<Arc<Snapshot>>,
}

/// The state of an index at its last commit.
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) searcher: Searcher,
    pub(crate) mapping: Mapping,
    pub(crate) schema: Schema,
    /// The same, with `_id` and `_index`.
    pub(crate) schema_with_metadata: Schema,
    /// The first sequence number that is not in it.
    pub(crate) next_seq_no: u64,
    /// Changes with each commit.
    pub(crate) opstamp: u64,
    fields: Fields,
    /// For each segment.
    columns: Vec<Arc<Columns>>,
    /// The columns of fields with a blank in their name, which may be meant by other names.
    pub(crate) blank: Vec<(String, Column)>,
}

/// The columns of a segment, as far as they have been opened. They stay what they are as long as there is the segment.
struct Columns {
    segment: SegmentId,
    seq_no: Values<u64>,
    version: Values<u64>,
    ignored: Values<u64>,
    /// The numbers that `ignored` has.
    are_ignored: OnceLock<HashSet<u64>>,
    /// Those of fields, by their numbers; none for those that it does not have.
    of_fields: Mutex<HashMap<u32, Option<DynamicColumn>>>,
}

/// How many columns of one segment are kept open.
const MOST_OPEN: usize = 2_000;

impl Columns {
    fn open(reader: &SegmentReader) -> Result<Columns, StoreError> {
        let columns = reader.fast_fields();
        Ok(Columns {
            segment: reader.segment_id(),
            seq_no: columns.u64("seq_no")?,
            version: columns.u64("version")?,
            ignored: columns.u64("ignored")?,
            are_ignored: OnceLock::new(),
            of_fields: Mutex::default(),
        })
    }
}

/// What is kept with each commit.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Commit {
    /// The first file of the log that is not in it.
    pub(crate) log: u64,
    pub(crate) next_seq_no: u64,
    pub(crate) mapping: String,
}

/// A document of the index, by its place.
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) source: String,
}

/// The numbers of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) seq_no: u64,
    pub(crate) version: u64,
}

fn layout() -> Layout {
    let mut layout = Layout::builder();
    layout.add_text_field("id", STRING | STORED);
    layout.add_u64_field("seq_no", FAST);
    layout.add_u64_field("version", FAST);
    // A text is copied as a whole, where Tantivy goes through bytes one by one.
    layout.add_text_field("source", STORED);
    layout.add_json_field("columns", JsonObjectOptions::default().set_fast("raw"));
    layout.add_u64_field("ignored", FAST);
    layout.build()
}

impl Index {
    /// Makes an index in an empty folder.
    pub(crate) fn create(
        folder: &Path,
        name: &str,
        uuid: &str,
        first: &Commit,
    ) -> Result<Index, StoreError> {
        let files = folder.join("index");
        std::fs::create_dir_all(&files).map_err(StoreError::io(&files))?;
        let settings = IndexSettings {
            docstore_compression: Compressor::Zstd(ZstdCompressor {
                compression_level: Some(3),
            }),
            docstore_blocksize: 64 << 10,
            ..IndexSettings::default()
        };
        let tantivy = tantivy::Index::builder()
            .schema(layout())
            .settings(settings)
            .create_in_dir(&files)?;
        let mut writer: tantivy::IndexWriter = tantivy.writer_with_num_threads(1, 15 << 20)?;
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&first.text());
        commit.commit()?;
        drop(writer);
        Index::open(folder, name, uuid)
    }

    /// Opens what [`Index::create`] has made.
    pub(crate) fn open(folder: &Path, name: &str, uuid: &str) -> Result<Index, StoreError> {
        let files = folder.join("index");
        let damaged = |reason: String| StoreError::Damaged {
            path: files.clone(),
            reason,
        };
        let directory = MmapDirectory::open(&files).map_err(|error| damaged(error.to_string()))?;
        let tantivy =
            tantivy::Index::open(directory).map_err(|error| damaged(error.to_string()))?;
        let schema = tantivy.schema();
        let field = |name: &str| {
            schema
                .get_field(name)
                .map_err(|error| damaged(error.to_string()))
        };
        let fields = Fields {
            id: field("id")?,
            seq_no: field("seq_no")?,
            version: field("version")?,
            source: field("source")?,
            columns: field("columns")?,
            ignored: field("ignored")?,
        };
        let reader = tantivy
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(|error: tantivy::TantivyError| damaged(error.to_string()))?;
        let snapshot = Snapshot::take(&tantivy, &reader, name, uuid, fields, None)
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Index {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            folder: folder.to_owned(),
            tantivy,
            fields,
            reader,
            snapshot: Mutex::new(Arc::new(snapshot)),
        })
    }

    /// What searches see now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let snapshot = self.snapshot.lock();
        snapshot.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets searches see the last commit, whoever has made it.
    pub(crate) fn reload(&self) -> Result<Arc<Snapshot>, StoreError> {
        let known = self.snapshot();
        if self.tantivy.load_metas()?.opstamp == known.opstamp {
            return Ok(known);
        }
        self.reader.reload()?;
        let snapshot = Snapshot::take(
            &self.tantivy,
            &self.reader,
            &self.name,
            &self.uuid,
            self.fields,
            Some(&known),
        )?;
        let snapshot = Arc::new(snapshot);
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        Ok(snapshot)
    }

    /// What says of a commit how to go on from it.
    pub(crate) fn last_commit(&self) -> Result<Commit, StoreError> {
        let payload = self.tantivy.load_metas()?.payload.unwrap_or_default();
        Commit::read(&payload)
    }

    /// What Tantivy takes for a document.
    pub(crate) fn document(
        &self,
        id: &str,
        numbers: Numbers,
        source: &str,
        row: Row,
    ) -> TantivyDocument {
        let mut document = TantivyDocument::with_capacity(source.len() + 2_048);
        document.add_text(self.fields.id, id);
        document.add_u64(self.fields.seq_no, numbers.seq_no);
        document.add_u64(self.fields.version, numbers.version);
        document.add_text(self.fields.source, source);
        let columns: Vec<(String, OwnedValue)> = row
            .cells
            .into_iter()
            .map(|(number, cell)| {
                let value = match cell {
                    Cell::Text(text) => OwnedValue::Str(text),
                    Cell::Integer(number) => OwnedValue::I64(number),
                    Cell::Float(number) => OwnedValue::F64(number),
                };
                (number.to_string(), value)
            })
            .collect();
        document.add_field_value(self.fields.columns, &OwnedValue::Object(columns));
        for number in row.ignored {
            document.add_u64(self.fields.ignored, u64::from(number));
        }
        document
    }

    /// The term that a document is deleted by.
    pub(crate) fn term(&self, id: &str) -> Term {
        Term::from_field_text(self.fields.id, id)
    }

    /// How many bytes the files of the index and of its log take.
    pub(crate) fn bytes(&self) -> u64 {
        let sizes = ["index", "log"].into_iter().flat_map(|name| {
            let files = std::fs::read_dir(self.folder.join(name));
            files.into_iter().flatten().flatten()
        });
        sizes
            .filter_map(|file| file.metadata().ok())
            .map(|data| data.len())
            .sum()
    }
}

impl Commit {
    pub(crate) fn text(&self) -> String {
        // Numbers and a string can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn read(payload: &str) -> Result<Commit, StoreError> {
        let read = serde_json::from_str(payload);
        read.map_err(|error| {
            tantivy::TantivyError::InvalidArgument(format!("no commit of a store: {error}")).into()
        })
    }
}

impl Snapshot {
    fn take(
        index: &tantivy::Index,
        reader: &IndexReader,
        name: &str,
        uuid: &str,
        fields: Fields,
        before: Option<&Snapshot>,
    ) -> Result<Snapshot, StoreError> {
        loop {
            let metas = index.load_metas()?;
            reader.reload()?;
            // Another process may commit in between.
            if index.load_metas()?.opstamp != metas.opstamp {
                continue;
            }
            let commit = Commit::read(&metas.payload.unwrap_or_default())?;
            let mapping = Mapping::restore(&commit.mapping)
                .map_err(tantivy::TantivyError::InvalidArgument)?;
            let searcher = reader.searcher();
            let segments = searcher.segment_readers().iter();
            let columns = segments.map(|reader| {
                let is_it = |known: &&Arc<Columns>| known.segment == reader.segment_id();
                match before.and_then(|before| before.columns.iter().find(is_it)) {
                    Some(known) => Ok(known.clone()),
                    None => Columns::open(reader).map(Arc::new),
                }
            });
            let fields_of = mapping.fields().iter();
            let blank = fields_of.filter(|(name, _)| name.contains(' '));
            return Ok(Snapshot {
                name: name.to_owned(),
                uuid: uuid.to_owned(),
                columns: columns.collect::<Result<_, StoreError>>()?,
                blank: blank
                    .map(|(name, column)| (name.clone(), *column))
                    .collect(),
                searcher,
                schema: mapping.schema(false)?,
                schema_with_metadata: mapping.schema(true)?,
                mapping,
                next_seq_no: commit.next_seq_no,
                opstamp: metas.opstamp,
                fields,
            });
        }
    }

    /// How many documents it has.
    pub(crate) fn documents(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// The parts that it consists of.
    pub(crate) fn segments(&self) -> Vec<Segment<'_>> {
        let readers = self.searcher.segment_readers().iter();
        readers
            .zip(&self.columns)
            .map(|(reader, columns)| Segment {
                snapshot: self,
                reader,
                columns,
            })
            .collect()
    }

    /// The numbers of the document with this id.
    pub(crate) fn numbers(&self, id: &str) -> Result<Option<Numbers>, StoreError> {
        for segment in self.segments() {
            if let Some(doc) = segment.with_id(id)?.first() {
                return Ok(Some(segment.numbers(*doc)));
            }
        }
        Ok(None)
    }
}

/// A part of an index.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'s> {
    pub(crate) snapshot: &'s Snapshot,
    reader: &'s SegmentReader,
    columns: &'s Columns,
}

/// The texts in a column.
pub(crate) struct Texts {
    column: StrColumn,
}

impl<'s> Segment<'s> {
    /// How many documents it has, those included that are gone.
    pub(crate) fn size(&self) -> u32 {
        self.reader.max_doc()
    }

    /// The documents that are not gone, in their order.
    pub(crate) fn alive(&self) -> impl Iterator<Item = DocId> + 's {
        self.reader.doc_ids_alive()
    }

    /// The document with this id, if it is here.
    pub(crate) fn with_id(&self, id: &str) -> Result<Vec<DocId>, StoreError> {
        let field = self.snapshot.fields.id;
        let terms = self.reader.inverted_index(field)?;
        let term = Term::from_field_text(field, id);
        let mut found = Vec::new();
        let postings = terms.read_postings(&term, IndexRecordOption::Basic);
        if let Some(mut postings) = postings.map_err(tantivy::TantivyError::from)? {
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !self.reader.is_deleted(doc) {
                    found.push(doc);
                }
                doc = postings.advance();
            }
        }
        Ok(found)
    }

    /// The sequence numbers of all documents.
    pub(crate) fn seq_nos(&self) -> &'s Values<u64> {
        &self.columns.seq_no
    }

    pub(crate) fn numbers(&self, doc: DocId) -> Numbers {
        let first = |column: &Values<u64>| column.first(doc).unwrap_or(0);
        Numbers {
            seq_no: first(&self.columns.seq_no),
            version: first(&self.columns.version),
        }
    }

    /// The documents that have to be asked themselves for the values of a field.
    pub(crate) fn ignored(&self, number: u32) -> Result<Vec<DocId>, StoreError> {
        let (column, wanted) = (&self.columns.ignored, u64::from(number));
        let all = || (0..self.size()).flat_map(|doc| column.values_for_doc(doc));
        let are_ignored = self.columns.are_ignored.get_or_init(|| all().collect());
        if !are_ignored.contains(&wanted) {
            return Ok(Vec::new());
        }
        let mut docs = Vec::new();
        column.get_docids_for_value_range(wanted..=wanted, 0..self.size(), &mut docs);
        docs.sort_unstable();
        docs.dedup();
        Ok(docs)
    }

    fn column(&self, column: Column) -> Result<Option<DynamicColumn>, StoreError> {
        let known = &self.columns.of_fields;
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = known().get(&column.number) {
            return Ok(opened.clone());
        }
        let name = format!("columns.{}", column.number);
        let handles = self.reader.fast_fields().dynamic_column_handles(&name)?;
        let opened = handles.first().map(|handle| handle.open()).transpose();
        let opened = opened.map_err(tantivy::TantivyError::from)?;
        let mut known = known();
        if known.len() < MOST_OPEN {
            known.insert(column.number, opened.clone());
        }
        Ok(opened)
    }

    /// The texts in a column; none if there are none.
    pub(crate) fn texts(&self, column: Column) -> Result<Option<Texts>, StoreError> {
        Ok(match self.column(column)? {
            Some(DynamicColumn::Str(column)) => Some(Texts { column }),
            _ => None,
        })
    }

    /// The whole numbers in a column; none if there are none.
    pub(crate) fn integers(&self, column: Column) -> Result<Option<Values<i64>>, StoreError> {
        let found = self.column(column)?;
        let found = found.and_then(|found| found.coerce_numerical(NumericalType::I64));
        Ok(match found {
            Some(DynamicColumn::I64(column)) => Some(column),
            _ => None,
        })
    }

    /// The numbers in a column; none if there are none.
    pub(crate) fn floats(&self, column: Column) -> Result<Option<Values<f64>>, StoreError> {
        let found = self.column(column)?;
        let found = found.and_then(|found| found.coerce_numerical(NumericalType::F64));
        Ok(match found {
            Some(DynamicColumn::F64(column)) => Some(column),
            _ => None,
        })
    }

    /// What documents are read with; best in the order of their places.
    pub(crate) fn store(&self) -> Result<Store<'s>, StoreError> {
        let reader = self.reader.get_store_reader(4);
        Ok(Store {
            reader: reader.map_err(tantivy::TantivyError::from)?,
            fields: &self.snapshot.fields,
        })
    }
}

/// Reads documents.
pub(crate) struct Store<'s> {
    reader: StoreReader,
    fields: &'s Fields,
}

impl Store<'_> {
    pub(crate) fn get(&self, doc: DocId) -> Result<Stored, StoreError> {
        let document: TantivyDocument = self.reader.get(doc)?;
        let text = |field: Field| {
            let value = document.get_first(field)?;
            value.as_str().map(str::to_owned)
        };
        match (text(self.fields.id), text(self.fields.source)) {
            (Some(id), Some(source)) => Ok(Stored { id, source }),
            _ => {
                let reason = format!("document {doc} is not whole");
                Err(tantivy::TantivyError::InternalError(reason).into())
            }
        }
    }
}

impl Texts {
    /// How many distinct texts there are.
    pub(crate) fn distinct(&self) -> usize {
        self.column.num_terms()
    }

    /// The numbers of the texts of each document: in the order of the texts.
    pub(crate) fn numbers(&self) -> &Values<u64> {
        self.column.ords()
    }

    /// Visits the distinct texts in their order.
    pub(crate) fn for_each(&self, visit: &mut dyn FnMut(u64, &str)) -> Result<(), StoreError> {
        let mut stream = self
            .column
            .dictionary()
            .stream()
            .map_err(tantivy::TantivyError::from)?;
        while stream.advance() {
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                visit(stream.term_ord(), text);
            }
        }
        Ok(())
    }
}
