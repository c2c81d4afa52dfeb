//! The rules for one kind of event, compiled together.

use crate::SharedPlan;
use crate::keywords::Keywords;
use crate::memo::{Memo, PlanMemo, Slot};
use crate::pieces::{Node, Possible};
use crate::values::{Builder, ValueTests};
use event::{Event, FieldPath, Paths, Raw};
use predicate::{Derived, Field, Matcher, Predicate, Source, Test};
use std::collections::HashMap;

/// The rules for one kind of event. Its fields are numbered; the last is the keywords.
#[derive(Debug)]
pub(crate) struct Plan {
    paths: Paths,
    /// For each path, what its values are for.
    targets: Vec<Vec<Target>>,
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
}

/// The subject of tests that are on no single field.
const OPEN: u32 = u32::MAX;

impl Plan {
    /// Compiles rules, given as numbers and what they look for.
    pub(crate) fn compile<'p>(rules: impl Iterator<Item = (u32, &'p Predicate)>) -> Plan {
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
        let mut open: HashMap<u32, Test> = tests
            .numbers
            .into_iter()
            .map(|(test, number)| (number, test.clone()))
            .collect();
        open.retain(|number, _| subjects[*number as usize] == OPEN);

        let mut plan = Plan {
            paths: Paths::default(),
            targets: Vec::new(),
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
            plan.add_sources(number, field);
        }
        plan.index_pieces();
        plan
    }

    fn add_sources(&mut self, number: usize, field: &Field) {
        for source in field.sources() {
            match source {
                Source::Path(path) => self.add_target(path, Target::Field(number)),
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
                        for (place, path) in derived.from.iter().enumerate() {
                            self.add_target(&FieldPath::new(path), Target::Input(index, place));
                        }
                        index
                    });
                    self.derived[index].fields.push(number);
                }
            }
        }
    }

    fn add_target(&mut self, path: &FieldPath, target: Target) {
        let path = self.paths.insert(path) as usize;
        if path == self.targets.len() {
            self.targets.push(Vec::new());
        }
        self.targets[path].push(target);
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
            let mut mask = vec![u64::MAX; self.words()];
            let touched: Vec<u32> = self.fields[field]
                .pieces
                .values()
                .flatten()
                .copied()
                .collect();
            for piece in touched {
                self.set_possible(&mut mask, field, &[], piece);
            }
            self.fields[field].base = mask.into();
        }
    }

    fn words(&self) -> usize {
        self.pieces.len().div_ceil(64)
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

    /// Adds the rules that `event` matches to `hits`.
    pub(crate) fn matches(
        this: &SharedPlan,
        memo: &mut Memo,
        event: &Event<'_>,
        hits: &mut Vec<u32>,
    ) {
        let plan = &**this;
        let (memo, used, folded) = memo.of(this);
        plan.read(memo, used, folded, event);
        if !plan.narrow(memo) {
            return;
        }
        let mask = std::mem::take(&mut memo.mask);
        for (word, bits) in mask.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let piece = &plan.pieces[word * 64 + bits.trailing_zeros() as usize];
                bits &= bits - 1;
                if piece.node.holds(&mut |test| plan.holds(memo, event, test)) {
                    hits.push(piece.rule);
                }
            }
        }
        memo.mask = mask;
    }

    /// Fills the slots of all fields.
    fn read(&self, memo: &mut PlanMemo, used: &mut usize, folded: &mut String, event: &Event<'_>) {
        let mut inputs: Vec<(usize, usize, String)> = Vec::new();
        event.find(&self.paths, |path, raw| {
            for target in &self.targets[path as usize] {
                match *target {
                    Target::Field(field) => memo.add_value(self, field, raw, used, folded),
                    Target::Input(derived, place) => {
                        inputs.extend(text_of(raw).map(|text| (derived, place, text)))
                    }
                }
            }
        });
        for (index, derived) in self.derived.iter().enumerate() {
            if !inputs.iter().any(|(of, ..)| *of == index) {
                continue;
            }
            let texts = |place| {
                inputs
                    .iter()
                    .filter(|(of, at, _)| (*of, *at) == (index, place))
                    .map(|(.., text)| text.clone())
                    .collect()
            };
            let from: Vec<Vec<String>> = (0..derived.derived.from.len()).map(texts).collect();
            for text in (derived.derived.build)(&from) {
                for field in &derived.fields {
                    let class = memo.intern(
                        self,
                        *field,
                        self.tests(*field).of_text(&text, folded),
                        used,
                    );
                    memo.add_class(self, *field, class, used);
                }
            }
        }
        let keyword_field = self.fields.len() - 1;
        let truth = self.keywords.of_event(event, folded);
        let class = memo.intern(self, keyword_field, truth, used);
        memo.add_class(self, keyword_field, class, used);
        for field in 0..keyword_field {
            if let Slot {
                present,
                class: None,
            } = memo.slots[field]
            {
                let class = memo.intern(self, field, self.tests(field).of_no_value(present), used);
                memo.slots[field].class = Some(class);
            }
        }
    }

    /// Keeps the pieces that every field allows; whether any is left.
    fn narrow(&self, memo: &mut PlanMemo) -> bool {
        let mut mask = std::mem::take(&mut memo.mask);
        mask.clear();
        mask.resize(self.words(), u64::MAX);
        if let Some(last) = mask.last_mut()
            && !self.pieces.len().is_multiple_of(64)
        {
            *last = (1 << (self.pieces.len() % 64)) - 1;
        }
        let mut any = !mask.is_empty();
        for slot in &memo.slots {
            if !any {
                break;
            }
            if let Some(class) = slot.class {
                let mut left = 0;
                for (word, possible) in mask.iter_mut().zip(&memo.class(class).mask) {
                    *word &= possible;
                    left |= *word;
                }
                any = left != 0;
            }
        }
        memo.mask = mask;
        any
    }

    fn holds(&self, memo: &PlanMemo, event: &Event<'_>, test: u32) -> bool {
        match self.subjects[test as usize] {
            OPEN => self.open.get(&test).is_some_and(|test| test.matches(event)),
            field => memo.slots[field as usize]
                .class
                .is_some_and(|class| memo.class(class).truth.binary_search(&test).is_ok()),
        }
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
    numbers: HashMap<&'p Test, u32>,
    subjects: Vec<u32>,
    fields: Vec<&'p Field>,
    field_numbers: HashMap<&'p Field, usize>,
    builders: Vec<Builder>,
    keywords: Vec<(u32, Matcher)>,
}

/// The subject of keyword tests, until the number of fields is known.
const KEYWORD: u32 = u32::MAX - 1;

impl<'p> Tests<'p> {
    fn number(&mut self, test: &'p Test) -> u32 {
        if let Some(number) = self.numbers.get(test) {
            return *number;
        }
        let number = self.subjects.len() as u32;
        let subject = match test {
            Test::Value(field, matcher) => {
                let field = self.field(field);
                self.builders[field].add(number, matcher);
                field as u32
            }
            Test::Null(field) => {
                let field = self.field(field);
                self.builders[field].add_null(number);
                field as u32
            }
            Test::Present(field) => {
                let field = self.field(field);
                self.builders[field].add_present(number);
                field as u32
            }
            Test::Keyword(matcher) => {
                self.keywords.push((number, matcher.clone()));
                KEYWORD
            }
            Test::Refer(..) => OPEN,
        };
        self.subjects.push(subject);
        self.numbers.insert(test, number);
        number
    }

    fn field(&mut self, field: &'p Field) -> usize {
        if let Some(number) = self.field_numbers.get(field) {
            return *number;
        }
        let number = self.fields.len();
        self.fields.push(field);
        self.builders.push(Builder::default());
        self.field_numbers.insert(field, number);
        number
    }
}
