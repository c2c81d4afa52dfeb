//! Many paths as one tree of names, to descend in while an event is read.

use crate::parser::NOWHERE;
use crate::value::Text;
use crate::{FieldPath, HIDDEN};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A value that a [`Parser`](crate::Parser) has found, with strings still as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The literal of a number.
    Number(&'a str),
    /// A string.
    String(Text<'a>),
    /// An object.
    Object,
    /// An array; its elements follow one by one.
    Array,
}

/// A set of paths to be found together; they are known by their numbers. A value may stand at several of them, since a
/// path may have wildcards.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    nodes: Vec<Node>,
    next: u32,
    targets: Arc<Mutex<Targets>>,
}

/// The sets of paths that values have been found at, each once; a clone of [`Paths`] has the same.
#[derive(Debug)]
struct Targets {
    sets: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl Default for Targets {
    fn default() -> Targets {
        Targets {
            sets: vec![Box::default()],
            numbers: HashMap::from([(Box::default(), NOWHERE)]),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The number of the path that ends here.
    path: Option<u32>,
    children: HashMap<Box<str>, u32, FixedState>,
    /// The child for any name.
    any: Option<u32>,
}

const ROOT: u32 = 0;

impl Paths {
    /// The set of `paths`, numbered from 0 in their order; equal paths get equal numbers.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p FieldPath>) -> Paths {
        let mut set = Paths {
            nodes: vec![Node::default()],
            ..Paths::default()
        };
        for path in paths {
            set.insert(path);
        }
        set
    }

    /// The numbers of the paths that leaves with these targets stand at; one, but for wildcards.
    pub fn targets(&self, targets: u32) -> Box<[u32]> {
        let known = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        known.sets[targets as usize].clone()
    }

    /// The number of a set of paths.
    pub(crate) fn number_targets(&self, set: &[u32]) -> u32 {
        let mut known = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known.numbers.get(set) {
            return *number;
        }
        let number = known.sets.len() as u32;
        known.sets.push(set.into());
        known.numbers.insert(set.into(), number);
        number
    }

    /// The number of `path`, which is added if it is new.
    pub fn insert(&mut self, path: &FieldPath) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut node = ROOT;
        for name in path.names() {
            let known = match name {
                "*" => self.nodes[node as usize].any,
                name => self.nodes[node as usize].children.get(name).copied(),
            };
            node = known.unwrap_or_else(|| {
                let new = u32::try_from(self.nodes.len()).expect("fewer than 2^32 names");
                self.nodes.push(Node::default());
                let parent = &mut self.nodes[node as usize];
                match name {
                    "*" => parent.any = Some(new),
                    name => drop(parent.children.insert(name.into(), new)),
                }
                new
            });
        }
        let path = &mut self.nodes[node as usize].path;
        *path.get_or_insert_with(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// The number of `path`, if it is one of them.
    pub fn number(&self, path: &FieldPath) -> Option<u32> {
        let mut node = self.nodes.first()?;
        for name in path.names() {
            let next = match name {
                "*" => node.any?,
                name => *node.children.get(name)?,
            };
            node = &self.nodes[next as usize];
        }
        node.path
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.next as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// The nodes that an event itself stands at.
    pub(crate) fn root(&self) -> impl Iterator<Item = u32> + use<> {
        (!self.nodes.is_empty()).then_some(ROOT).into_iter()
    }

    /// The number of the path that ends at a node.
    pub(crate) fn path(&self, node: u32) -> Option<u32> {
        self.nodes[node as usize].path
    }

    /// The nodes that a key leads to from the nodes `here`, appended to `nodes`.
    pub(crate) fn descend(&self, nodes: &mut Vec<u32>, here: usize, key: Text<'_>) {
        let end = nodes.len();
        if key.escaped || key.raw.bytes().any(|byte| byte == b'.' || byte == b' ') {
            let names: String = key.decode().chars().filter(|c| *c != ' ').collect();
            let mut from: Vec<u32> = nodes[here..end].to_vec();
            for name in names.split('.') {
                from = from
                    .iter()
                    .flat_map(|node| self.step(*node, name))
                    .collect();
            }
            nodes.extend(from);
        } else {
            for index in here..end {
                let found = self.step(nodes[index], key.raw);
                nodes.extend(found);
            }
        }
    }

    fn step(&self, node: u32, name: &str) -> impl Iterator<Item = u32> + use<> {
        let node = &self.nodes[node as usize];
        node.children.get(name).copied().into_iter().chain(node.any)
    }
}

/// Whether a top-level key names a field that is invisible.
pub(crate) fn is_hidden(key: Text<'_>) -> bool {
    let first = |key: &str| HIDDEN.contains(&key.split('.').next().unwrap_or_default());
    if key.escaped || key.raw.contains(' ') {
        return first(&key.decode().replace(' ', ""));
    }
    // Nearly all keys are told apart by their first letter.
    key.raw.starts_with(['s', 'o']) && first(key.raw)
}
