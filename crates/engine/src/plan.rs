//! The rules for one kind of event, compiled together.

use crate::keywords::Keywords;
use crate::memo::{Memo, PlanMemo, Values};
use crate::pieces::{Node, Possible};
use crate::values::{Builder, ValueTests};
use crate::{SharedPlan, bits};
use event::{Event, Parsed, Paths, Raw};
use foldhash::fast::FixedState;
use predicate::{Derived, Field, Matcher, Predicate, Source, Test};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The rules for one kind of event. Its fields are numbered; the last is the keywords.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the values at a path are for, by the number of the path.
    targets: HashMap<u32, Vec<Target>>,
    derived: Vec<PlanDerived>,
    fields: Vec<PlanField>,
    keywords: Keywords,
    /// Tests by number, for those that only the event itself can answer.
    open: HashMap<u32, Test>,
    /// The field of each test.
    subjects: Vec<u32>,
    pieces: Vec<Piece>,
}

/// A part of a rule: if it holds, so does the rule.
#[derive(Debug)]
struct Piece {
    rule: u32,
    node: Node,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// A value of this field.
    Field(usize),
    /// An input of this derived field, at this place.
    Input(usize, usize),
}

#[derive(Debug)]
struct PlanDerived {
    derived: &'static Derived,
    /// The fields that its values belong to.
    fields: Vec<usize>,
}

#[derive(Debug, Default)]
struct PlanField {
    tests: ValueTests,
    /// The pieces that are possible if no test on this field holds.
    base: Box<[u64]>,
    /// For each test on this field, the pieces it occurs in.
    pieces: HashMap<u32, Vec<u32>>,
    /// All of those, as a set of bits.
    concerned: Box<[u64]>,
}

/// The subject of tests that are on no single field.
const OPEN: u32 = u32::MAX;

impl Plan {
    /// Compiles rules, given as numbers and what they look for; all their paths are among `paths`.
    pub(crate) fn compile<'p>(
        rules: impl Iterator<Item = (u32, &'p Predicate)>,
        paths: &Paths,
    ) -> Plan {
        let mut tests = Tests::default();
        let trees: Vec<(u32, Node)> = rules
            .map(|(rule, detection)| (rule, Node::new(detection, &mut |test| tests.number(test))))
            .collect();
        let keyword_field = tests.fields.len();
        let (keywords, without_literal) = Keywords::new(std::mem::take(&mut tests.keywords));
        tests
            .subjects
            .iter_mut()
            .filter(|subject| **subject == KEYWORD)
            .for_each(|subject| *subject = keyword_field as u32);
        for test in without_literal {
            tests.subjects[test as usize] = OPEN;
        }
        let subjects = tests.subjects;
        let pieces: Vec<Piece> = trees
            .into_iter()
            .flat_map(|(rule, node)| {
                node.split(&|test| subjects[test as usize])
                    .into_iter()
                    .map(move |node| Piece { rule, node })
            })
            .collect();
        let others = tests.others.into_iter();
        let open = others
            .filter(|(_, number)| subjects[*number as usize] == OPEN)
            .map(|(test, number)| (number, test.clone()))
            .collect();

        let mut plan = Plan {
            targets: HashMap::new(),
            derived: Vec::new(),
            fields: tests
                .builders
                .into_iter()
                .map(|builder| PlanField {
                    tests: builder.build(),
                    ..PlanField::default()
                })
                .collect(),
            keywords,
            open,
            subjects,
            pieces,
        };
        plan.fields.push(PlanField::default());
        for (number, field) in tests.fields.iter().enumerate() {
            plan.add_sources(number, field, paths);
        }
        plan.index_pieces();
        plan
    }

    fn add_sources(&mut self, number: usize, field: &Field, paths: &Paths) {
        for source in field.sources() {
            match source {
                Source::Path(path) => self.add_target(paths.number(path), Target::Field(number)),
                Source::Derived(derived) => {
                    let known = self
                        .derived
                        .iter()
                        .position(|known| known.derived == *derived);
                    let index = known.unwrap_or_else(|| {
                        self.derived.push(PlanDerived {
                            derived,
                            fields: Vec::new(),
                        });
                        let index = self.derived.len() - 1;
                        for (place, path) in derived.paths().enumerate() {
                            self.add_target(paths.number(&path), Target::Input(index, place));
                        }
                        index
                    });
                    self.derived[index].fields.push(number);
                }
            }
        }
    }

    fn add_target(&mut self, path: Option<u32>, target: Target) {
        if let Some(path) = path {
            self.targets.entry(path).or_default().push(target);
        }
    }

    fn index_pieces(&mut self) {
        for (number, piece) in self.pieces.iter().enumerate() {
            piece.node.for_each_test(&mut |test| {
                if let Some(field) = self.fields.get_mut(self.subjects[test as usize] as usize) {
                    let pieces = field.pieces.entry(test).or_default();
                    if pieces.last() != Some(&(number as u32)) {
                        pieces.push(number as u32);
                    }
                }
            });
        }
        for field in 0..self.fields.len() {
            let mut concerned = vec![0; self.words()];
            for piece in self.fields[field].pieces.values().flatten() {
                concerned[*piece as usize / 64] |= 1 << (piece % 64);
            }
            let mut base = vec![u64::MAX; self.words()];
            for piece in bits(&concerned) {
                self.set_possible(&mut base, field, &[], piece);
            }
            self.fields[field].base = base.into();
            self.fields[field].concerned = concerned.into();
        }
    }

    fn words(&self) -> usize {
        self.pieces.len().div_ceil(64)
    }

    /// How many tests there are: what a plan takes in memory is in proportion to it.
    pub(crate) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// How many fields there are, with the keywords.
    pub(crate) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// The tests on `field`.
    pub(crate) fn tests(&self, field: usize) -> &ValueTests {
        &self.fields[field].tests
    }

    /// The pieces that are possible if exactly the tests `truth` hold on `field`.
    pub(crate) fn mask(&self, field: usize, truth: &[u32]) -> Box<[u64]> {
        let known = &self.fields[field];
        let mut mask = known.base.clone();
        for piece in truth
            .iter()
            .filter_map(|test| known.pieces.get(test))
            .flatten()
        {
            self.set_possible(&mut mask, field, truth, *piece);
        }
        mask
    }

    fn set_possible(&self, mask: &mut [u64], field: usize, truth: &[u32], piece: u32) {
        let possible = self.pieces[piece as usize].node.possible(&|test| {
            if self.subjects[test as usize] as usize != field {
                return Possible {
                    truth: true,
                    falsehood: true,
                };
            }
            let holds = truth.binary_search(&test).is_ok();
            Possible {
                truth: holds,
                falsehood: !holds,
            }
        });
        let (word, bit) = (piece as usize / 64, 1 << (piece % 64));
        if possible.truth {
            mask[word] |= bit
        } else {
            mask[word] &= !bit
        }
    }

    /// What is possible if only the fields in `present` (a set of bits) are there.
    pub(crate) fn without(&self, present: &[u64]) -> Box<[u64]> {
        let mut mask = vec![u64::MAX; self.words()];
        if let Some(last) = mask.last_mut()
            && !self.pieces.len().is_multiple_of(64)
        {
            *last = (1 << (self.pieces.len() % 64)) - 1;
        }
        let is_absent = |field: &usize| present[field / 64] >> (field % 64) & 1 == 0;
        for field in (0..self.keyword_field()).filter(is_absent) {
            let truth = self.tests(field).of_no_value(false);
            let possible = self.mask(field, &truth);
            mask.iter_mut()
                .zip(&possible)
                .for_each(|(word, possible)| *word &= possible);
        }
        mask.into()
    }

    fn keyword_field(&self) -> usize {
        self.fields.len() - 1
    }

    /// Adds the rules that `event` matches to `hits`. Its values have been found by `paths`.
    pub(crate) fn matches(
        this: &SharedPlan,
        memo: &mut Memo,
        paths: &Paths,
        event: &Parsed<'_, '_>,
        hits: &mut Vec<u32>,
    ) {
        let plan = &**this;
        let (memo, values) = memo.of(this);
        let mut work = std::mem::take(&mut memo.work);
        let place = memo.layout(plan, paths, event, values);
        let layout = std::mem::take(&mut memo.layouts[place]);
        work.derive(plan, &layout, event);
        if plan.narrow(&layout, &mut work, memo, values, event) {
            for piece in bits(&work.mask).map(|piece| &plan.pieces[piece as usize]) {
                if piece
                    .node
                    .holds(&mut |test| plan.holds(&layout, &work, memo, &event.event(), test))
                {
                    hits.push(piece.rule);
                }
            }
        }
        memo.layouts[place] = layout;
        memo.work = work;
    }

    /// Finds out which pieces are possible, field by field; whether any is left.
    fn narrow(
        &self,
        layout: &Layout,
        work: &mut Work,
        memo: &mut PlanMemo,
        values: &mut Values,
        event: &Parsed<'_, '_>,
    ) -> bool {
        work.mask.clear();
        if work.derived.is_empty() {
            work.mask.extend_from_slice(&layout.start);
        } else {
            work.mask.extend(memo.start(self, &work.present, values));
        }
        let text = event.event().text();
        for &field in layout.order.iter().chain(&work.derived_only) {
            let field = field as usize;
            if !overlap(&work.mask, &self.fields[field].concerned) {
                continue;
            }
            let single = layout
                .leaf(field)
                .filter(|_| !layout.is_plural(field) && !work.is_derived(field))
                .map(|leaf| event.leaves()[leaf].raw(text));
            let class = match single {
                Some(raw) if raw != Raw::Array => memo.class_of(self, field, raw, values),
                _ => self.class_of_all(layout, work, memo, values, event, field),
            };
            work.classes[field] = class;
            if !narrow(&mut work.mask, &memo.class(class).mask) {
                return false;
            }
        }
        let keyword_field = self.keyword_field();
        if overlap(&work.mask, &self.fields[keyword_field].concerned) {
            let truth = self.keywords.of_event(
                &event.event(),
                event.signs().odd_escapes,
                &mut values.folded,
            );
            let class = memo.intern(self, keyword_field, truth, values);
            work.classes[keyword_field] = class;
            return narrow(&mut work.mask, &memo.class(class).mask);
        }
        work.mask.iter().any(|word| *word != 0)
    }

    /// The class of a field that has not exactly one value.
    fn class_of_all(
        &self,
        layout: &Layout,
        work: &Work,
        memo: &mut PlanMemo,
        values: &mut Values,
        event: &Parsed<'_, '_>,
        field: usize,
    ) -> u32 {
        let mut class = None;
        let mut add = |memo: &mut PlanMemo, values: &mut Values, other: u32| {
            class =
                Some(class.map_or(other, |class| memo.union(self, field, class, other, values)));
        };
        // A field of derived values only has no leaf of its own.
        let first = layout.leaf(field).into_iter();
        let more = layout.more.iter().filter(|(of, _)| *of == field);
        for leaf in first.chain(more.map(|(_, leaf)| *leaf)) {
            let raw = event.leaves()[leaf].raw(event.event().text());
            if raw != Raw::Array {
                let other = memo.class_of(self, field, raw, values);
                add(memo, values, other);
            }
        }
        for (_, text) in work.derived.iter().filter(|(of, _)| *of == field) {
            let truth = self.tests(field).of_text(text, &mut values.folded);
            let other = memo.intern(self, field, truth, values);
            add(memo, values, other);
        }
        class.unwrap_or_else(|| {
            memo.intern(self, field, self.tests(field).of_no_value(true), values)
        })
    }

    fn holds(
        &self,
        layout: &Layout,
        work: &Work,
        memo: &PlanMemo,
        event: &Event<'_>,
        test: u32,
    ) -> bool {
        match self.subjects[test as usize] {
            OPEN => self.open.get(&test).is_some_and(|test| test.matches(event)),
            field if layout.is_absent(field as usize) && !work.is_derived(field as usize) => self
                .tests(field as usize)
                .of_no_value(false)
                .binary_search(&test)
                .is_ok(),
            field => {
                let class = work.classes[field as usize];
                memo.class(class).truth.binary_search(&test).is_ok()
            }
        }
    }
}

/// Whether two sets of bits have one in common.
#[inline]
fn overlap(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).fold(0, |both, (a, b)| both | (a & b)) != 0
}

/// Takes what is not in `possible` out of `mask`; whether anything is left.
#[inline]
fn narrow(mask: &mut [u64], possible: &[u64]) -> bool {
    let mut left = 0;
    for (word, possible) in mask.iter_mut().zip(possible) {
        *word &= possible;
        left |= *word;
    }
    left != 0
}

/// Where the fields of a plan are in events of one shape.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// For each field its first leaf, from 1; 0 if the field is not there.
    first: Vec<u32>,
    /// Fields with more than one leaf, and the others of these leaves.
    more: Vec<(usize, usize)>,
    /// The fields that are there, as a set of bits.
    present: Vec<u64>,
    /// The inputs of derived fields: which one, at which place, and the leaf.
    inputs: Vec<(usize, usize, usize)>,
    /// What is possible if only the fields in `present` are there.
    pub(crate) start: Box<[u64]>,
    /// The fields that are there, those with short values first: what a field costs is the length of its values.
    order: Vec<u32>,
}

impl Layout {
    /// Finds out which leaves of an event are for which fields.
    pub(crate) fn new(plan: &Plan, paths: &Paths, event: &Parsed<'_, '_>) -> Layout {
        let fields = plan.fields();
        let mut layout = Layout {
            first: vec![0; fields],
            present: vec![0; fields.div_ceil(64)],
            ..Layout::default()
        };
        let mut by_length = Vec::new();
        for (number, leaf) in event.leaves().iter().enumerate() {
            let paths = paths.targets(leaf.targets);
            for target in paths
                .iter()
                .filter_map(|path| plan.targets.get(path))
                .flatten()
            {
                match *target {
                    Target::Field(field) if layout.first[field] == 0 => {
                        layout.first[field] = number as u32 + 1;
                        layout.present[field / 64] |= 1 << (field % 64);
                        by_length.push((leaf.len(), field as u32));
                    }
                    Target::Field(field) => layout.more.push((field, number)),
                    Target::Input(derived, place) => layout.inputs.push((derived, place, number)),
                }
            }
        }
        by_length.sort_by_key(|(length, _)| *length);
        layout.order = by_length.into_iter().map(|(_, field)| field).collect();
        layout
    }

    /// The fields that are there, as a set of bits.
    pub(crate) fn present(&self) -> &[u64] {
        &self.present
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Layout>()
            + size_of_val(&*self.first)
            + size_of_val(&*self.more)
            + size_of_val(&*self.inputs)
            + size_of_val(&*self.start)
            + size_of_val(&*self.order)
    }

    /// The first leaf of a field.
    fn leaf(&self, field: usize) -> Option<usize> {
        (self.first[field] as usize).checked_sub(1)
    }

    fn is_plural(&self, field: usize) -> bool {
        self.more.iter().any(|(of, _)| *of == field)
    }

    fn is_absent(&self, field: usize) -> bool {
        field + 1 < self.first.len() && self.first[field] == 0
    }
}

/// What is known of the event at hand, for one plan.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Derived values and the field they belong to.
    derived: Vec<(usize, String)>,
    /// The fields that have no other values,
    derived_only: Vec<u32>,
    /// and all fields that are there, as a set of bits; if there are derived values.
    present: Vec<u64>,
    /// The class of each field that has been looked at.
    classes: Vec<u32>,
    /// Which pieces are still possible.
    mask: Vec<u64>,
}

impl Work {
    pub(crate) fn new(fields: usize) -> Work {
        Work {
            classes: vec![0; fields],
            ..Work::default()
        }
    }

    /// Computes the derived values; their fields are there.
    fn derive(&mut self, plan: &Plan, layout: &Layout, event: &Parsed<'_, '_>) {
        self.derived.clear();
        self.derived_only.clear();
        if layout.inputs.is_empty() {
            return;
        }
        self.present.clone_from(&layout.present);
        for (index, PlanDerived { derived, fields }) in plan.derived.iter().enumerate() {
            let inputs = || layout.inputs.iter().filter(|(of, ..)| *of == index);
            if inputs().next().is_none() {
                continue;
            }
            let mut from = vec![Vec::new(); derived.from.len()];
            for (_, place, leaf) in inputs() {
                let leaf = &event.leaves()[*leaf];
                from[*place].extend(text_of(leaf.raw(event.event().text())));
            }
            for value in (derived.build)(&from) {
                for field in fields {
                    if self.present[field / 64] >> (field % 64) & 1 == 0 {
                        self.present[field / 64] |= 1 << (field % 64);
                        self.derived_only.push(*field as u32);
                    }
                    self.derived.push((*field, value.clone()));
                }
            }
        }
    }

    fn is_derived(&self, field: usize) -> bool {
        self.derived.iter().any(|(of, _)| *of == field)
    }
}

/// The text of a value, as the reference look-up of a derived field takes it.
fn text_of(raw: Raw<'_>) -> Option<String> {
    match raw {
        Raw::String(text) => Some(text.decode().into_owned()),
        Raw::Number(literal) => Some(literal.to_owned()),
        Raw::Bool(value) => Some(value.to_string()),
        Raw::Null | Raw::Object | Raw::Array => None,
    }
}

/// Numbers the tests of a plan, each different one once.
#[derive(Default)]
struct Tests<'p> {
    /// Tests on one field, by the number of the field.
    on_fields: HashMap<(usize, Question<'p>), u32, FixedState>,
    /// The others.
    others: HashMap<&'p Test, u32, FixedState>,
    subjects: Vec<u32>,
    fields: Vec<&'p Field>,
    field_numbers: HashMap<&'p Field, usize, FixedState>,
    /// The number of a field by the address of what equal fields mostly share.
    known_fields: HashMap<usize, usize, FixedState>,
    builders: Vec<Builder>,
    keywords: Vec<(u32, Matcher)>,
}

/// What a test asks of a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Question<'p> {
    Value(&'p Matcher),
    Null,
    Present,
}

/// The subject of keyword tests, until the number of fields is known.
const KEYWORD: u32 = u32::MAX - 1;

impl<'p> Tests<'p> {
    fn number(&mut self, test: &'p Test) -> u32 {
        let (field, question) = match test {
            Test::Value(field, matcher) => (field, Question::Value(matcher)),
            Test::Null(field) => (field, Question::Null),
            Test::Present(field) => (field, Question::Present),
            Test::Indexed(..) | Test::Keyword(_) | Test::Refer(..) => {
                return self.number_other(test);
            }
        };
        let field = self.field(field);
        let number = self.subjects.len() as u32;
        match self.on_fields.entry((field, question)) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => new.insert(number),
        };
        self.subjects.push(field as u32);
        let builder = &mut self.builders[field];
        match question {
            Question::Value(matcher) => builder.add(number, matcher),
            Question::Null => builder.add_null(number),
            Question::Present => builder.add_present(number),
        }
        number
    }

    fn number_other(&mut self, test: &'p Test) -> u32 {
        if let Some(number) = self.others.get(test) {
            return *number;
        }
        let number = self.subjects.len() as u32;
        self.subjects.push(match test {
            Test::Keyword(matcher) => {
                self.keywords.push((number, matcher.clone()));
                KEYWORD
            }
            _ => OPEN,
        });
        self.others.insert(test, number);
        number
    }

    fn field(&mut self, field: &'p Field) -> usize {
        let address = field.sources().as_ptr().addr();
        if let Some(number) = self.known_fields.get(&address) {
            return *number;
        }
        let number = *self.field_numbers.entry(field).or_insert_with(|| {
            self.fields.push(field);
            self.builders.push(Builder::default());
            self.fields.len() - 1
        });
        self.known_fields.insert(address, number);
        number
    }
}
