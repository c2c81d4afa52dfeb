//! What one thread remembers about values: the classes of those it has seen.

use crate::SharedPlan;
use crate::plan::{Layout, Plan, Work};
use crate::values::ValueTests;
use event::{Parsed, Paths, Raw, Shape, Text};
use foldhash::fast::FixedState;
use memchr::memmem::Finder;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

/// How many bytes of values and classes all threads together remember before they start anew; one thread at most half of
/// it, and at least a sixteenth.
const BUDGET: usize = 48 << 20;

/// Strings up to this length are remembered in the table of short values.
const SHORT: usize = 48;

/// Longer strings are not remembered as a whole: they seldom come twice. Their lines do.
const LONG: usize = 512;

/// Up to this length a line is remembered.
const LONGEST_LINE: usize = 32 << 10;

/// How many places the tables of short values of up to four threads have, and those of more threads together.
const PLACES: usize = 1 << 16;
const ALL_PLACES: usize = 4 * PLACES;

/// What one thread remembers, plan by plan.
#[derive(Debug)]
pub(crate) struct Memo {
    plans: HashMap<usize, PlanMemo, FixedState>,
    pub(crate) values: Values,
}

/// What is known of values, and room to work in.
#[derive(Debug, Default)]
pub(crate) struct Values {
    short: Vec<Place>,
    /// How many places `short` has when it is used: a power of two.
    places: usize,
    /// How much is remembered outside of the table of short values, in bytes,
    used: usize,
    /// and how much may be.
    budget: usize,
    /// The number of the next field that is met.
    next_field: u32,
    /// Room for a folded value.
    pub(crate) folded: String,
}

/// A short value of a field and its class: one line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Place {
    /// The field, by its number in this memory; 0 is none.
    field: u32,
    length: u32,
    class: u32,
    bytes: [u8; SHORT],
}

const EMPTY: Place = Place {
    field: 0,
    length: 0,
    class: 0,
    bytes: [0; SHORT],
};

/// The classes of one plan.
#[derive(Debug)]
pub(crate) struct PlanMemo {
    /// Keeps the address, by which the plan is known, from being used again.
    _plan: SharedPlan,
    fields: Vec<FieldMemo>,
    classes: Vec<Class>,
    /// What is possible if exactly these fields are there, the others not.
    absent: HashMap<Box<[u64]>, Box<[u64]>, FixedState>,
    /// Where the fields are in events of the shapes that have been met; the first is for events without a known one.
    pub(crate) layouts: Vec<Layout>,
    layout_numbers: HashMap<Shape, usize, FixedState>,
    pub(crate) work: Work,
}

#[derive(Debug, Default)]
struct FieldMemo {
    /// Its number in the table of short values: of its strings, and one more for its other values.
    number: u32,
    strings: HashMap<Box<str>, u32, FixedState>,
    classes: HashMap<Box<[u32]>, u32, FixedState>,
    lines: HashMap<Box<str>, Line, FixedState>,
    line_sets: Vec<Box<[u32]>>,
    line_set_numbers: HashMap<Box<[u32]>, u32, FixedState>,
}

/// What is known of a line of long strings.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// The number of the set of literals in it.
    literals: u32,
    /// The class of the string that is this line alone, if it has been met.
    alone: Option<u32>,
}

/// A set of tests on one field that hold together.
#[derive(Debug)]
pub(crate) struct Class {
    /// The tests, ascending.
    pub(crate) truth: Box<[u32]>,
    /// The pieces of the plan that are possible if exactly these tests hold on the field.
    pub(crate) mask: Box<[u64]>,
}

impl Memo {
    /// The memory of one of so many threads.
    pub(crate) fn new(threads: usize) -> Memo {
        let places = PLACES.min(ALL_PLACES / threads.next_power_of_two()).max(1);
        let budget = BUDGET / threads.clamp(2, 16);
        Memo {
            plans: HashMap::default(),
            values: Values::new(places, budget),
        }
    }

    /// The memory of `plan`.
    pub(crate) fn of(&mut self, plan: &SharedPlan) -> (&mut PlanMemo, &mut Values) {
        if self.values.used > self.values.budget {
            self.plans.clear();
            self.values = Values::new(self.values.places, self.values.budget);
        }
        let values = &mut self.values;
        let address = Arc::as_ptr(plan).addr();
        let memo = self
            .plans
            .entry(address)
            .or_insert_with(|| PlanMemo::new(plan, values));
        (memo, values)
    }
}

impl Values {
    fn new(places: usize, budget: usize) -> Values {
        Values {
            places,
            budget,
            ..Values::default()
        }
    }

    /// The place where the value `bytes` of a field would be.
    #[inline]
    fn place(&mut self, field: u32, bytes: &[u8]) -> &mut Place {
        if self.short.is_empty() {
            self.short = vec![EMPTY; self.places];
        }
        let hash = FixedState::with_seed(u64::from(field)).hash_one(bytes);
        &mut self.short[hash as usize & (self.places - 1)]
    }
}

impl Place {
    #[inline]
    fn holds(&self, field: u32, bytes: &[u8]) -> bool {
        self.field == field && self.bytes.get(..self.length as usize) == Some(bytes)
    }

    fn set(&mut self, field: u32, bytes: &[u8], class: u32) {
        let length = bytes.len() as u32;
        *self = Place {
            field,
            length,
            class,
            bytes: [0; SHORT],
        };
        self.bytes[..bytes.len()].copy_from_slice(bytes);
    }
}

impl PlanMemo {
    fn new(plan: &SharedPlan, values: &mut Values) -> PlanMemo {
        let mut fields: Vec<FieldMemo> = (0..plan.fields()).map(|_| FieldMemo::default()).collect();
        for field in &mut fields {
            field.number = values.next_field + 1;
            values.next_field += 2;
        }
        PlanMemo {
            _plan: plan.clone(),
            fields,
            classes: Vec::new(),
            absent: HashMap::default(),
            layouts: vec![Layout::default()],
            layout_numbers: HashMap::default(),
            work: Work::new(plan.fields()),
        }
    }

    /// The class with the number `class`.
    #[inline]
    pub(crate) fn class(&self, class: u32) -> &Class {
        &self.classes[class as usize]
    }

    /// The class of a value.
    #[inline]
    pub(crate) fn class_of(
        &mut self,
        plan: &Plan,
        field: usize,
        raw: Raw<'_>,
        values: &mut Values,
    ) -> u32 {
        let number = self.fields[field].number;
        let (number, text) = match raw {
            Raw::String(text) => (number, text.raw),
            Raw::Number(literal) => (number + 1, literal),
            Raw::Null | Raw::Bool(_) | Raw::Object | Raw::Array => {
                return self.class_of_new(plan, field, raw, values);
            }
        };
        if text.len() > SHORT {
            return self.class_of_longer(plan, field, raw, text, values);
        }
        let place = values.place(number, text.as_bytes());
        if place.holds(number, text.as_bytes()) {
            return place.class;
        }
        let class = self.class_of_new(plan, field, raw, values);
        values
            .place(number, text.as_bytes())
            .set(number, text.as_bytes(), class);
        class
    }

    fn class_of_longer(
        &mut self,
        plan: &Plan,
        field: usize,
        raw: Raw<'_>,
        text: &str,
        values: &mut Values,
    ) -> u32 {
        match raw {
            Raw::String(string) if text.len() > LONG && plan.tests(field).has_literals() => {
                self.class_of_long(plan, field, string, values)
            }
            Raw::String(_) if text.len() <= LONG => {
                if let Some(class) = self.fields[field].strings.get(text) {
                    return *class;
                }
                let class = self.class_of_new(plan, field, raw, values);
                values.used += text.len() + size_of::<(Box<str>, u32)>();
                self.fields[field].strings.insert(text.into(), class);
                class
            }
            raw => self.class_of_new(plan, field, raw, values),
        }
    }

    /// The class of a value that is not remembered.
    fn class_of_new(
        &mut self,
        plan: &Plan,
        field: usize,
        raw: Raw<'_>,
        values: &mut Values,
    ) -> u32 {
        let truth = plan.tests(field).of_value(raw, &mut values.folded);
        self.intern(plan, field, truth, values)
    }

    /// The class of a long string: what its lines contain is remembered line by line.
    fn class_of_long(
        &mut self,
        plan: &Plan,
        field: usize,
        string: Text<'_>,
        values: &mut Values,
    ) -> u32 {
        let tests = plan.tests(field);
        let memo = &mut self.fields[field];
        let mut found: Vec<u32> = Vec::new();
        let mut is_one_line = false;
        for text in lines(string) {
            let line = memo.line(tests, text, values);
            is_one_line = text.raw.len() == string.raw.len();
            if let Some(class) = line.alone.filter(|_| is_one_line) {
                return class;
            }
            found.extend(&memo.line_sets[line.literals as usize]);
        }
        found.sort_unstable();
        found.dedup();
        let truth = tests.of_lines(string, &found, &mut values.folded);
        let class = self.intern(plan, field, truth, values);
        if is_one_line && let Some(line) = self.fields[field].lines.get_mut(string.raw) {
            line.alone = Some(class);
        }
        class
    }

    /// The class of both of two values: several values pass what any of them passes.
    pub(crate) fn union(
        &mut self,
        plan: &Plan,
        field: usize,
        a: u32,
        b: u32,
        values: &mut Values,
    ) -> u32 {
        if a == b {
            return a;
        }
        let mut truth = [&*self.class(a).truth, &*self.class(b).truth].concat();
        truth.sort_unstable();
        truth.dedup();
        self.intern(plan, field, truth, values)
    }

    /// The number of the class of exactly the tests `truth`.
    pub(crate) fn intern(
        &mut self,
        plan: &Plan,
        field: usize,
        truth: Vec<u32>,
        values: &mut Values,
    ) -> u32 {
        if let Some(class) = self.fields[field].classes.get(&*truth) {
            return *class;
        }
        let mask = plan.mask(field, &truth);
        values.used += size_of_val(&*mask) + 2 * size_of_val(&*truth) + size_of::<Class>();
        let class = self.classes.len() as u32;
        self.classes.push(Class {
            truth: truth.clone().into(),
            mask,
        });
        self.fields[field].classes.insert(truth.into(), class);
        class
    }

    /// What is possible if only the fields in `present` (a set of bits) are there.
    pub(crate) fn start(&mut self, plan: &Plan, present: &[u64], values: &mut Values) -> &[u64] {
        if !self.absent.contains_key(present) {
            let possible = plan.without(present);
            values.used += size_of_val(&*possible) + size_of_val(present);
            self.absent.insert(present.into(), possible);
        }
        &self.absent[present]
    }

    /// The number of the layout of `event`.
    pub(crate) fn layout(
        &mut self,
        plan: &Plan,
        paths: &Paths,
        event: &Parsed<'_, '_>,
        values: &mut Values,
    ) -> usize {
        let known = event
            .shape()
            .and_then(|shape| self.layout_numbers.get(&shape));
        if let Some(number) = known {
            return *number;
        }
        let mut layout = Layout::new(plan, paths, event);
        layout.start = self.start(plan, layout.present(), values).into();
        match event.shape() {
            Some(shape) => {
                values.used += layout.size();
                self.layouts.push(layout);
                self.layout_numbers.insert(shape, self.layouts.len() - 1);
                self.layouts.len() - 1
            }
            None => {
                self.layouts[0] = layout;
                0
            }
        }
    }
}

impl FieldMemo {
    /// What is known of a line; it is remembered if there is room.
    fn line(&mut self, tests: &ValueTests, text: Text<'_>, values: &mut Values) -> Line {
        if let Some(line) = self.lines.get(text.raw) {
            return *line;
        }
        let literals = self.line_set(tests.literals_of_line(text, &mut values.folded));
        let line = Line {
            literals,
            alone: None,
        };
        if text.raw.len() <= LONGEST_LINE && values.used <= values.budget {
            values.used += text.raw.len() + size_of::<(Box<str>, Line)>();
            self.lines.insert(text.raw.into(), line);
        }
        line
    }

    fn line_set(&mut self, literals: Vec<u32>) -> u32 {
        if let Some(set) = self.line_set_numbers.get(&*literals) {
            return *set;
        }
        let set = self.line_sets.len() as u32;
        self.line_sets.push(literals.clone().into());
        self.line_set_numbers.insert(literals.into(), set);
        set
    }
}

/// The lines of a string, as they are written; what ends them is left out.
fn lines(string: Text<'_>) -> impl Iterator<Item = Text<'_>> {
    let Text { raw, escaped } = string;
    let may_end = if escaped { raw } else { "" };
    let ends = LINE_FEED.find_iter(may_end.as_bytes()).filter(|at| {
        // An odd number of backslashes before it makes it a backslash and an `n`.
        let before = raw.as_bytes()[..*at].iter().rev();
        before
            .take_while(|byte| **byte == b'\\')
            .count()
            .is_multiple_of(2)
    });
    let mut start = 0;
    ends.chain([raw.len()]).map(move |end| {
        let line = &raw[start..end];
        start = end + LINE_FEED.needle().len();
        Text { raw: line, escaped }
    })
}

/// A line feed in JSON.
static LINE_FEED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(br"\n"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_escaped_line_feeds_only() {
        let raw = r#"a\\nb\nc\"\n\nd\u000ae\\\nf\"#;
        let text = Text { raw, escaped: true };
        let found: Vec<&str> = lines(text).map(|line| line.raw).collect();
        assert_eq!(found, [r"a\\nb", r#"c\""#, "", r"d\u000ae\\", r"f\"]);
        let text = Text {
            raw: "",
            escaped: false,
        };
        assert_eq!(lines(text).count(), 1);
    }
}
