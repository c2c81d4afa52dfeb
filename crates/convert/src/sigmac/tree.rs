//! What a rule looks for, as sigmac sees it before it writes a query.

use super::value::{Operand, Value};
use std::collections::HashSet;

/// A tree of and, or and not. Its exact shape shows in what is written.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// All of these.
    And(Vec<Tree>),
    /// Any of these.
    Or(Vec<Tree>),
    /// Not this.
    Not(Box<Tree>),
    /// What stands in parentheses, or stands for a search.
    Group(Box<Tree>),
    /// A field, by its name in the events.
    Field(String, Operand),
    /// A value of any field.
    Keyword(Value),
}

impl Tree {
    /// The tree as it is written: groups taken apart, what is doubled or alone taken out, nested AND and OR joined.
    ///
    /// What lies below a NOT stays as it is, since sigmac's optimiser does not look there. The order of the steps shows:
    /// a node is joined with those below it before these are looked at.
    pub fn optimised(self) -> Option<Tree> {
        let mut tree = self.without_groups()?;
        while tree.step() {}
        Some(tree.with_groups())
    }

    /// The tree without groups, and without what is empty.
    fn without_groups(self) -> Option<Tree> {
        let all = |items: Vec<Tree>| {
            let items: Vec<_> = items.into_iter().filter_map(Tree::without_groups).collect();
            (!items.is_empty()).then_some(items)
        };
        Some(match self {
            Tree::Group(inner) => inner.without_groups()?,
            Tree::And(items) => Tree::And(all(items)?),
            Tree::Or(items) => Tree::Or(all(items)?),
            other => other,
        })
    }

    /// One pass over the tree; says whether it has changed something, so that another pass may, too.
    fn step(&mut self) -> bool {
        let same = std::mem::discriminant(self);
        let mut changed = false;
        if let Tree::Not(inner) = self {
            return match &mut **inner {
                Tree::Not(inner) => {
                    *self = std::mem::replace(&mut **inner, Tree::And(Vec::new()));
                    true
                }
                _ => false,
            };
        }
        let (Tree::And(items) | Tree::Or(items)) = self else {
            return false;
        };
        if items.len() == 1 {
            *self = items.remove(0);
            self.step();
            return true;
        }
        if items.len() > 1 {
            let before = items.len();
            let mut seen = HashSet::new();
            items.retain(|item| item.key().is_none_or(|key| seen.insert(key)));
            changed |= items.len() < before;
        }
        let joins = |item: &Tree| std::mem::discriminant(item) == same;
        while items.iter().any(joins) && items.iter().all(|item| item.is_leaf() || joins(item)) {
            let flat = std::mem::take(items)
                .into_iter()
                .flat_map(|item| match item {
                    Tree::And(items) | Tree::Or(items) => items,
                    other => vec![other],
                });
            *items = flat.collect();
            changed = true;
        }
        for item in items {
            changed |= item.step();
        }
        changed
    }

    /// What is equal for what sigmac takes for the same: leaves with texts and numbers, but no regular expressions.
    fn key(&self) -> Option<String> {
        match self {
            Tree::Field(_, operand) if operand.is_comparable() => Some(format!("{self:?}")),
            Tree::Keyword(_) => Some(format!("{self:?}")),
            _ => None,
        }
    }

    /// Whether the optimiser takes it for a leaf: a keyword it does not.
    fn is_leaf(&self) -> bool {
        matches!(self, Tree::Field(..))
    }

    /// Puts every AND, OR and NOT into a group, but for what lies below a NOT.
    fn with_groups(self) -> Tree {
        let all = |items: Vec<Tree>| items.into_iter().map(Tree::with_groups).collect();
        Tree::Group(Box::new(match self {
            Tree::And(items) => Tree::And(all(items)),
            Tree::Or(items) => Tree::Or(all(items)),
            Tree::Not(inner) => Tree::Not(inner),
            other => return other,
        }))
    }
}
