//! Which documents a predicate selects.
//!
//! The columns decide where they can. For each test there are two sets: the documents that pass for sure, and those that
//! may. They differ by the documents that have to be asked themselves, and `not` swaps the two; so the tree can be gone
//! through with sets alone, and only what is left in doubt is read and decided by the predicate itself.

use super::document::{Document, is_meant};
use super::index::{Segment, Snapshot};
use super::mapping::{Column, Kind};
use crate::StoreError;
use event::{Event, Value};
use memchr::memmem::Finder;
use predicate::{
    Analysis, Field, Indexed, Matcher, Part, Predicate, Source, TermTest, Test, lower, text_of,
};
use std::collections::HashMap;
use tantivy::DocId;

/// Some of the documents of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// A bit for each document; nothing at all as long as there is none: most fields have not what a query looks for.
    words: Vec<u64>,
    size: u32,
}

impl Set {
    pub(crate) fn none(size: u32) -> Set {
        let words = Vec::new();
        Set { words, size }
    }

    fn all(size: u32) -> Set {
        let mut set = Set {
            words: vec![!0; size.div_ceil(64) as usize],
            size,
        };
        set.trim();
        set
    }

    fn trim(&mut self) {
        if let Some(last) = self.words.last_mut()
            && !self.size.is_multiple_of(64)
        {
            *last &= (1 << (self.size % 64)) - 1;
        }
    }

    pub(crate) fn insert(&mut self, doc: DocId) {
        self.fill();
        self.words[(doc / 64) as usize] |= 1 << (doc % 64);
    }

    fn remove(&mut self, doc: DocId) {
        if let Some(word) = self.words.get_mut((doc / 64) as usize) {
            *word &= !(1 << (doc % 64));
        }
    }

    pub(crate) fn contains(&self, doc: DocId) -> bool {
        let word = self.words.get((doc / 64) as usize);
        word.is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    pub(crate) fn and(&mut self, other: &Set) {
        if other.words.is_empty() {
            self.words.clear();
        }
        for (own, other) in self.words.iter_mut().zip(&other.words) {
            *own &= other;
        }
    }

    fn or(&mut self, other: &Set) {
        if !other.words.is_empty() {
            self.fill();
        }
        for (own, other) in self.words.iter_mut().zip(&other.words) {
            *own |= other;
        }
    }

    fn invert(&mut self) {
        self.fill();
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trim();
    }

    /// Makes place for documents.
    fn fill(&mut self) {
        self.words.resize(self.size.div_ceil(64) as usize, 0);
    }

    /// How many documents the segment has.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// How many they are.
    pub(crate) fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    /// The documents in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = DocId> + '_ {
        self.words.iter().enumerate().flat_map(|(number, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros();
                    word &= word - 1;
                    number as u32 * 64 + bit
                })
            })
        })
    }
}

/// The documents that pass, and those that may.
#[derive(Clone)]
struct Answer {
    sure: Set,
    possible: Set,
}

/// What the columns say of each part of a predicate.
enum Known<'p> {
    All(Vec<Known<'p>>),
    Any(Vec<Known<'p>>),
    Not(Box<Known<'p>>),
    Test(Box<Asked<'p>>, Answer),
}

/// A test, and what makes it quick to answer.
struct Asked<'p> {
    test: &'p Test,
    piece: Option<Piece>,
}

impl Known<'_> {
    /// Decides for one document, which is asked only what the columns have left open: queries over all fields have
    /// hundreds of tests.
    fn holds(&self, doc: DocId, document: &Document<'_>) -> bool {
        match self {
            Known::All(parts) => parts.iter().all(|part| part.holds(doc, document)),
            Known::Any(parts) => parts.iter().any(|part| part.holds(doc, document)),
            Known::Not(part) => !part.holds(doc, document),
            Known::Test(test, answer) => {
                answer.sure.contains(doc) || answer.possible.contains(doc) && test.matches(document)
            }
        }
    }
}

impl Asked<'_> {
    fn new(test: &Test) -> Asked<'_> {
        let piece = match test {
            Test::Value(_, matcher) => Piece::of(matcher),
            _ => None,
        };
        Asked { test, piece }
    }

    fn matches(&self, document: &Document<'_>) -> bool {
        match (self.test, &self.piece) {
            (Test::Value(field, matcher), Some(piece)) => {
                let found = field.lookup(document);
                let mut texts = found.values.iter().filter_map(|(_, value)| text_of(value));
                texts.any(|text| piece.passes(matcher, &text))
            }
            (test, _) => test.matches(document),
        }
    }
}

/// The documents of a segment that the predicate selects.
pub(crate) fn select(segment: Segment<'_>, predicate: &Predicate) -> Result<Set, StoreError> {
    let mut alive = Set::none(segment.size());
    segment.alive().for_each(|doc| alive.insert(doc));
    let (known, answer) = answer(segment, predicate)?;
    let Answer {
        mut sure,
        mut possible,
    } = answer;
    sure.and(&alive);
    possible.and(&alive);
    let store = segment.store()?;
    let mut doubtful = possible;
    sure.iter().for_each(|doc| doubtful.remove(doc));
    for doc in doubtful.iter() {
        let stored = store.get(doc)?;
        // What is in the store was an event when it came.
        let Ok(event) = Event::parse(stored.source.as_bytes()) else {
            continue;
        };
        let document = Document::new(&segment.snapshot.name, &stored.id, event);
        if known.holds(doc, &document) {
            sure.insert(doc);
        }
    }
    Ok(sure)
}

fn answer<'p>(
    segment: Segment<'_>,
    predicate: &'p Predicate,
) -> Result<(Known<'p>, Answer), StoreError> {
    let size = segment.size();
    Ok(match predicate {
        Predicate::All(parts) => {
            let mut all = Answer {
                sure: Set::all(size),
                possible: Set::all(size),
            };
            let parts = parts.iter().map(|part| {
                let (known, part) = answer(segment, part)?;
                all.sure.and(&part.sure);
                all.possible.and(&part.possible);
                Ok(known)
            });
            let parts = parts.collect::<Result<_, StoreError>>()?;
            (Known::All(parts), all)
        }
        Predicate::Any(parts) => {
            let mut any = Answer {
                sure: Set::none(size),
                possible: Set::none(size),
            };
            let parts = parts.iter().map(|part| {
                let (known, part) = answer(segment, part)?;
                any.sure.or(&part.sure);
                any.possible.or(&part.possible);
                Ok(known)
            });
            let parts = parts.collect::<Result<_, StoreError>>()?;
            (Known::Any(parts), any)
        }
        Predicate::Not(part) => {
            let (known, part) = answer(segment, part)?;
            let (mut sure, mut possible) = (part.possible, part.sure);
            sure.invert();
            possible.invert();
            (Known::Not(Box::new(known)), Answer { sure, possible })
        }
        Predicate::Test(test) => {
            let asked = Box::new(Asked::new(test));
            let answer = match test {
                Test::Value(field, matcher) => value(segment, field, matcher, &asked)?,
                Test::Indexed(field, ignore_above) => indexed(segment, field, *ignore_above)?,
                Test::Null(_) | Test::Present(_) | Test::Keyword(_) | Test::Refer(..) => {
                    in_doubt(size)
                }
            };
            (Known::Test(asked, answer.clone()), answer)
        }
    })
}

/// Nothing is known.
fn in_doubt(size: u32) -> Answer {
    Answer {
        sure: Set::none(size),
        possible: Set::all(size),
    }
}

/// The columns that hold the values of a field, if all of its values are in columns.
fn columns(snapshot: &Snapshot, field: &Field) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    for source in field.sources() {
        let Source::Path(path) = source else {
            return None;
        };
        let fields = snapshot.mapping.fields();
        let before = columns.len();
        match fields.get(path.as_str()) {
            Some(column) if !path.as_str().contains('*') => columns.push(*column),
            _ => {}
        }
        // Other fields have the same path if their names differ by blanks, or are meant by a `*`.
        let is_other = |name: &String| name.as_str() != path.as_str() && is_meant(path, name);
        if path.as_str().contains('*') {
            let others = fields.iter().filter(|(name, _)| is_other(name));
            columns.extend(others.map(|(_, column)| *column));
        } else {
            let others = snapshot.blank.iter().filter(|(name, _)| is_other(name));
            columns.extend(others.map(|(_, column)| *column));
        }
        if columns.len() == before {
            return None;
        }
    }
    let is_known = |column: &Column| column.kind != Kind::Opaque;
    columns.iter().all(is_known).then_some(columns)
}

fn value(
    segment: Segment<'_>,
    field: &Field,
    matcher: &Matcher,
    asked: &Asked<'_>,
) -> Result<Answer, StoreError> {
    let size = segment.size();
    match field.sources() {
        [Source::Path(path)] if path.as_str() == "_index" => {
            let is_own = matcher.matches_text(&segment.snapshot.name);
            let set = if is_own {
                Set::all(size)
            } else {
                Set::none(size)
            };
            return Ok(Answer {
                sure: set.clone(),
                possible: set,
            });
        }
        [Source::Path(path)] if path.as_str() == "_id" => {
            let Some(id) = literal(matcher) else {
                return Ok(in_doubt(size));
            };
            let mut sure = Set::none(size);
            segment
                .with_id(id)?
                .into_iter()
                .for_each(|doc| sure.insert(doc));
            let possible = sure.clone();
            return Ok(Answer { sure, possible });
        }
        _ => {}
    }
    let Some(columns) = columns(segment.snapshot, field) else {
        return Ok(in_doubt(size));
    };
    let mut sure = Set::none(size);
    let mut ignored = Vec::new();
    for column in columns {
        let is_decided = match column.kind {
            Kind::String | Kind::Ip => texts(segment, column, matcher, asked, &mut sure)?,
            Kind::Integer(..) | Kind::Float { .. } | Kind::Date | Kind::Boolean => {
                numbers(segment, column, matcher, &mut sure)?
            }
            Kind::Opaque => false,
        };
        if !is_decided {
            return Ok(in_doubt(size));
        }
        ignored.extend(segment.ignored(column.number)?);
    }
    let mut possible = sure.clone();
    ignored.into_iter().for_each(|doc| possible.insert(doc));
    Ok(Answer { sure, possible })
}

/// The only text that passes.
fn literal(matcher: &Matcher) -> Option<&str> {
    let pattern = match matcher {
        Matcher::Pattern(pattern) if pattern.is_cased() => pattern,
        Matcher::Indexed(indexed) => match &**indexed {
            Indexed {
                test:
                    TermTest::Pattern {
                        pattern,
                        caseless: false,
                    },
                ..
            } => pattern,
            _ => return None,
        },
        _ => return None,
    };
    match pattern.parts() {
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

/// Something that stands in every text with a word that passes, once it is lowered. To cut texts into words takes long, so
/// only those are cut that have it, and of them no more than what is around it.
struct Piece {
    finder: Finder<'static>,
    /// Whether a single word decides.
    is_of_one_word: bool,
}

impl Piece {
    fn of(matcher: &Matcher) -> Option<Piece> {
        let Matcher::Indexed(indexed) = matcher else {
            return None;
        };
        let Indexed { analysis, test } = &**indexed;
        let (piece, is_of_one_word) = match (analysis, test) {
            (Analysis::Words, TermTest::Pattern { pattern, .. }) => {
                let texts = pattern.parts().iter().filter_map(|part| match part {
                    Part::Text(text) => Some(text),
                    Part::One | Part::Star => None,
                });
                (texts.max_by_key(|text| text.len())?, true)
            }
            (Analysis::Words, TermTest::Phrase(words)) => (
                words.iter().max_by_key(|word| word.len())?,
                words.len() == 1,
            ),
            _ => return None,
        };
        Some(Piece {
            finder: Finder::new(piece).into_owned(),
            is_of_one_word,
        })
    }

    /// Whether a text passes, with the answer of the matcher itself.
    fn passes(&self, matcher: &Matcher, text: &str) -> bool {
        if !text.is_ascii() {
            let lowered = lower(text);
            return self.finder.find(lowered.as_bytes()).is_some() && matcher.matches_text(text);
        }
        let lowered = text.to_ascii_lowercase();
        if !self.is_of_one_word {
            return self.finder.find(lowered.as_bytes()).is_some() && matcher.matches_text(text);
        }
        // Among ASCII, no word reaches across a blank.
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let mut from = 0;
        while let Some(at) = self.finder.find(&lowered.as_bytes()[from..]) {
            let before = text[..from + at].bytes().rposition(is_blank);
            let start = before.map_or(0, |blank| blank + 1);
            let after = text[from + at..].bytes().position(is_blank);
            let end = after.map_or(text.len(), |blank| from + at + blank);
            if matcher.matches_text(&text[start..end]) {
                return true;
            }
            if end == text.len() {
                break;
            }
            from = end + 1;
        }
        false
    }
}

/// Adds the documents with a text that passes; false if a text alone does not say so.
fn texts(
    segment: Segment<'_>,
    column: Column,
    matcher: &Matcher,
    asked: &Asked<'_>,
    sure: &mut Set,
) -> Result<bool, StoreError> {
    // The others ask whether it was written as a number.
    let is_about_text = matches!(
        matcher,
        Matcher::Pattern(_) | Matcher::Regex(_) | Matcher::Indexed(_) | Matcher::Cidr(_)
    );
    if !is_about_text {
        return Ok(false);
    }
    let Some(texts) = segment.texts(column)? else {
        return Ok(true);
    };
    let mut passes = Set::none(texts.distinct() as u32);
    texts.for_each(&mut |number, text| {
        let is_passed = match &asked.piece {
            Some(piece) => piece.passes(matcher, text),
            None => matcher.matches_text(text),
        };
        if is_passed {
            passes.insert(number as u32);
        }
    })?;
    if passes.count() == 0 {
        return Ok(true);
    }
    let numbers = texts.numbers();
    for doc in 0..segment.size() {
        let mut values = numbers.values_for_doc(doc);
        if values.any(|number| passes.contains(number as u32)) {
            sure.insert(doc);
        }
    }
    Ok(true)
}

/// Adds the documents with a number that passes; false if a number alone does not say so.
fn numbers(
    segment: Segment<'_>,
    column: Column,
    matcher: &Matcher,
    sure: &mut Set,
) -> Result<bool, StoreError> {
    match (column.kind, matcher) {
        (Kind::Date, Matcher::Date(range)) => {
            let Some(values) = segment.integers(column)? else {
                return Ok(true);
            };
            let range = range.from..=range.to;
            add(segment, &values, &mut |date| range.contains(&date), sure);
        }
        (Kind::Boolean, Matcher::Bool(wanted)) => {
            let Some(values) = segment.integers(column)? else {
                return Ok(true);
            };
            add(segment, &values, &mut |value| (value != 0) == *wanted, sure);
        }
        (Kind::Integer(..), Matcher::Number(_) | Matcher::Compare(..) | Matcher::Between(_)) => {
            let Some(values) = segment.integers(column)? else {
                return Ok(true);
            };
            let mut known: HashMap<i64, bool> = HashMap::new();
            let mut passes = |number: i64| {
                let ask = || matcher.matches(&Value::Number(&number.to_string()));
                *known.entry(number).or_insert_with(ask)
            };
            add(segment, &values, &mut passes, sure);
        }
        (Kind::Float { .. }, Matcher::Number(_) | Matcher::Compare(..) | Matcher::Between(_)) => {
            let Some(values) = segment.floats(column)? else {
                return Ok(true);
            };
            let mut known: HashMap<u64, bool> = HashMap::new();
            let mut passes = |number: f64| {
                let ask = || matcher.matches(&Value::Number(&number.to_string()));
                *known.entry(number.to_bits()).or_insert_with(ask)
            };
            add(segment, &values, &mut passes, sure);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn add<T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static>(
    segment: Segment<'_>,
    values: &tantivy::columnar::Column<T>,
    passes: &mut dyn FnMut(T) -> bool,
    sure: &mut Set,
) {
    for doc in 0..segment.size() {
        if values.values_for_doc(doc).any(&mut *passes) {
            sure.insert(doc);
        }
    }
}

/// The documents that have a value that an index with this limit holds.
fn indexed(segment: Segment<'_>, field: &Field, ignore_above: usize) -> Result<Answer, StoreError> {
    let size = segment.size();
    if let [Source::Path(path)] = field.sources()
        && matches!(path.as_str(), "_id" | "_index")
    {
        return Ok(Answer {
            sure: Set::all(size),
            possible: Set::all(size),
        });
    }
    let Some(columns) = columns(segment.snapshot, field) else {
        return Ok(in_doubt(size));
    };
    let mut sure = Set::none(size);
    let mut ignored = Vec::new();
    for column in columns {
        match column.kind {
            Kind::String | Kind::Ip => {
                let Some(texts) = segment.texts(column)? else {
                    ignored.extend(segment.ignored(column.number)?);
                    continue;
                };
                let mut fits = Set::none(texts.distinct() as u32);
                texts.for_each(&mut |number, text| {
                    if is_within(text, ignore_above) {
                        fits.insert(number as u32);
                    }
                })?;
                let numbers = texts.numbers();
                for doc in 0..size {
                    let mut values = numbers.values_for_doc(doc);
                    if values.any(|number| fits.contains(number as u32)) {
                        sure.insert(doc);
                    }
                }
            }
            Kind::Float { .. } => {
                if let Some(values) = segment.floats(column)? {
                    add(segment, &values, &mut |_| true, &mut sure);
                }
            }
            _ => {
                if let Some(values) = segment.integers(column)? {
                    add(segment, &values, &mut |_| true, &mut sure);
                }
            }
        }
        ignored.extend(segment.ignored(column.number)?);
    }
    let mut possible = sure.clone();
    ignored.into_iter().for_each(|doc| possible.insert(doc));
    Ok(Answer { sure, possible })
}

/// Whether a text has at most so many UTF-16 units.
pub(crate) fn is_within(text: &str, longest: usize) -> bool {
    text.len() <= longest || text.chars().map(char::len_utf16).sum::<usize>() <= longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use predicate::Pattern;
    use std::sync::Arc;

    #[test]
    fn a_piece_never_changes_what_passes() {
        let part = |text: &str| Part::Text(text.to_owned());
        let patterns = [
            vec![part("ab")],
            vec![part("ab"), Part::Star],
            vec![Part::Star, part("b.a")],
            vec![part("a"), Part::One, part("b")],
            vec![part("é")],
            vec![Part::Star],
        ];
        let tests = patterns.into_iter().map(|parts| TermTest::Pattern {
            pattern: Arc::new(Pattern::new(parts, true)),
            caseless: false,
        });
        let phrases = ["ab", "ab b", "a ab a"].map(|text| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            TermTest::Phrase(words.into())
        });
        let matchers: Vec<Matcher> = tests
            .chain(phrases)
            .map(|test| {
                let analysis = Analysis::Words;
                Matcher::Indexed(Arc::new(Indexed { analysis, test }))
            })
            .collect();
        let letters = [
            "a",
            "AB",
            "b",
            " ",
            "\t",
            ".",
            "'",
            "_",
            "1",
            "é",
            "É\u{301}",
        ];
        let mut passed = 0;
        for number in 0..letters.len().pow(5) {
            let digits = (0..5).map(|place| number / letters.len().pow(place) % letters.len());
            let text: String = digits.map(|digit| letters[digit]).collect();
            for matcher in &matchers {
                let plain = matcher.matches_text(&text);
                let piece = Piece::of(matcher).map(|piece| piece.passes(matcher, &text));
                assert_eq!(piece.unwrap_or(plain), plain, "{text:?} {matcher}");
                passed += usize::from(plain);
            }
        }
        assert!(passed > 10_000, "{passed}");
    }
}
