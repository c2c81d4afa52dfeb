//! What one thread remembers about values: the classes of those it has seen.

use crate::SharedPlan;
use crate::plan::Plan;
use event::Raw;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// How many bytes of values and classes a thread remembers before it starts anew.
const BUDGET: usize = 24 << 20;

/// Longer values are not remembered: they seldom come twice.
const LONGEST: usize = 1024;

/// What one thread remembers, plan by plan.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    plans: HashMap<usize, PlanMemo, FixedState>,
    used: usize,
    /// Room for a folded value.
    pub(crate) folded: String,
}

/// The classes of one plan.
#[derive(Debug)]
pub(crate) struct PlanMemo {
    /// Keeps the address, by which the plan is known, from being used again.
    _plan: SharedPlan,
    fields: Vec<FieldMemo>,
    classes: Vec<Class>,
    /// The class of each field in the event at hand.
    pub(crate) slots: Vec<Slot>,
    /// Which pieces are still possible.
    pub(crate) mask: Vec<u64>,
}

#[derive(Debug, Default)]
struct FieldMemo {
    strings: HashMap<Box<str>, u32, FixedState>,
    numbers: HashMap<Box<str>, u32, FixedState>,
    classes: HashMap<Box<[u32]>, u32, FixedState>,
}

/// A set of tests on one field that hold together.
#[derive(Debug)]
pub(crate) struct Class {
    /// The tests, ascending.
    pub(crate) truth: Box<[u32]>,
    /// The pieces of the plan that are possible if exactly these tests hold on the field.
    pub(crate) mask: Box<[u64]>,
}

/// What the event at hand holds of one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) present: bool,
    pub(crate) class: Option<u32>,
}

impl Memo {
    /// The memory of `plan`, with empty slots.
    pub(crate) fn of(&mut self, plan: &SharedPlan) -> (&mut PlanMemo, &mut usize, &mut String) {
        if self.used > BUDGET {
            self.plans.clear();
            self.used = 0;
        }
        let memo = self
            .plans
            .entry(Arc::as_ptr(plan).addr())
            .or_insert_with(|| PlanMemo::new(plan));
        memo.slots.fill(Slot::default());
        (memo, &mut self.used, &mut self.folded)
    }
}

impl PlanMemo {
    fn new(plan: &SharedPlan) -> PlanMemo {
        let fields = plan.fields();
        PlanMemo {
            _plan: plan.clone(),
            fields: (0..fields).map(|_| FieldMemo::default()).collect(),
            classes: Vec::new(),
            slots: vec![Slot::default(); fields],
            mask: Vec::new(),
        }
    }

    /// The class with the number `class`.
    pub(crate) fn class(&self, class: u32) -> &Class {
        &self.classes[class as usize]
    }

    /// Adds a value to what the event at hand holds of `field`.
    pub(crate) fn add_value(
        &mut self,
        plan: &Plan,
        field: usize,
        raw: Raw<'_>,
        used: &mut usize,
        folded: &mut String,
    ) {
        self.slots[field].present = true;
        let known = match raw {
            Raw::Array => return,
            Raw::String(text) => self.fields[field].strings.get(text.raw),
            Raw::Number(literal) => self.fields[field].numbers.get(literal),
            Raw::Null | Raw::Bool(_) | Raw::Object => None,
        };
        let class = match known {
            Some(class) => *class,
            None => {
                let class = self.intern(plan, field, plan.tests(field).of_value(raw, folded), used);
                let memo = &mut self.fields[field];
                let (values, value) = match raw {
                    Raw::String(text) => (&mut memo.strings, text.raw),
                    Raw::Number(literal) => (&mut memo.numbers, literal),
                    _ => return self.add_class(plan, field, class, used),
                };
                if value.len() <= LONGEST {
                    *used += value.len() + size_of::<(Box<str>, u32)>();
                    values.insert(value.into(), class);
                }
                class
            }
        };
        self.add_class(plan, field, class, used);
    }

    /// Adds the class of a value to what the event at hand holds of `field`: several values pass what any of them passes.
    pub(crate) fn add_class(&mut self, plan: &Plan, field: usize, class: u32, used: &mut usize) {
        let both = match self.slots[field].class {
            Some(other) if other != class => {
                let mut truth = [&*self.class(other).truth, &*self.class(class).truth].concat();
                truth.sort_unstable();
                truth.dedup();
                self.intern(plan, field, truth, used)
            }
            _ => class,
        };
        self.slots[field] = Slot {
            present: true,
            class: Some(both),
        };
    }

    /// The number of the class of exactly the tests `truth`.
    pub(crate) fn intern(
        &mut self,
        plan: &Plan,
        field: usize,
        truth: Vec<u32>,
        used: &mut usize,
    ) -> u32 {
        if let Some(class) = self.fields[field].classes.get(&*truth) {
            return *class;
        }
        let mask = plan.mask(field, &truth);
        *used += size_of_val(&*mask) + 2 * size_of_val(&*truth) + size_of::<Class>();
        let class = self.classes.len() as u32;
        self.classes.push(Class {
            truth: truth.clone().into(),
            mask,
        });
        self.fields[field].classes.insert(truth.into(), class);
        class
    }
}
