//! Many look-ups in one pass: the paths form a tree of names, and the walk descends in both at once.

use crate::grammar::{skip_space, skip_value, string_at, word_or_number};
use crate::value::{Text, Value};
use crate::{FieldPath, HIDDEN};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// A value that [`Event::find`](crate::Event::find) has found, with strings still as they are written.
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

/// A set of paths to be found together; they are known by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    nodes: Vec<Node>,
    next: u32,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The number of the path that ends here.
    path: Option<u32>,
    children: HashMap<Box<str>, u32, FixedState>,
    /// The child for any name.
    any: Option<u32>,
}

/// The nodes that a value stands at: one, but for wildcards.
type Here = [u32];

const ROOT: u32 = 0;

impl Paths {
    /// The set of `paths`, numbered from 0 in their order; equal paths get equal numbers.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p FieldPath>) -> Paths {
        let mut set = Paths {
            nodes: vec![Node::default()],
            next: 0,
        };
        for path in paths {
            set.insert(path);
        }
        set
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

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.next as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    pub(crate) fn find<'a>(&self, text: &'a str, visit: impl FnMut(u32, Raw<'a>)) {
        if self.nodes.is_empty() {
            return;
        }
        let start = skip_space(text.as_bytes(), 0);
        let mut finder = Finder {
            paths: self,
            text,
            visit,
            nodes: Vec::new(),
        };
        finder.nodes.push(ROOT);
        finder.object(start, 0, true);
    }

    /// The nodes that a key leads to from the nodes `here`, appended to `nodes`.
    fn descend(&self, nodes: &mut Vec<u32>, here: usize, key: Text<'_>) {
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

struct Finder<'p, 'a, V> {
    paths: &'p Paths,
    text: &'a str,
    visit: V,
    /// A stack of node sets, one per level of the walk.
    nodes: Vec<u32>,
}

impl<'a, V: FnMut(u32, Raw<'a>)> Finder<'_, 'a, V> {
    /// Walks the object at `at`, whose nodes are the last of the stack from `here` on; returns where it ends.
    /// Recursion is bounded by the depth of the tree of names and of arrays, which is bounded by `MAX_DEPTH`.
    fn object(&mut self, at: usize, here: usize, top: bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = at + 1;
        loop {
            at = skip_space(bytes, at);
            match bytes.get(at) {
                Some(b'"') => {}
                Some(b',') => {
                    at += 1;
                    continue;
                }
                _ => return at + 1,
            }
            let (key, end) = string_at(self.text, at);
            at = skip_space(bytes, skip_space(bytes, end) + 1);
            let mark = self.nodes.len();
            if !(top && is_hidden(key)) {
                self.paths.descend(&mut self.nodes, here, key);
            }
            at = if self.nodes.len() == mark {
                skip_value(bytes, at)
            } else {
                self.value(at, mark)
            };
            self.nodes.truncate(mark);
        }
    }

    fn array(&mut self, at: usize, here: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = at + 1;
        loop {
            at = skip_space(bytes, at);
            match bytes.get(at) {
                Some(b',') => at += 1,
                Some(b']') | None => return at + 1,
                Some(_) => at = self.value(at, here),
            }
        }
    }

    fn value(&mut self, at: usize, here: usize) -> usize {
        let text = self.text;
        let bytes = text.as_bytes();
        match bytes.get(at) {
            Some(b'"') => {
                let (string, end) = string_at(text, at);
                self.report(here, Raw::String(string));
                end
            }
            Some(b'{') => {
                self.report(here, Raw::Object);
                self.object(at, here, false)
            }
            Some(b'[') => {
                self.report(here, Raw::Array);
                self.array(at, here)
            }
            Some(_) => {
                let end = skip_value(bytes, at);
                let raw = match word_or_number(&text[at..end]) {
                    Value::Null => Raw::Null,
                    Value::Bool(value) => Raw::Bool(value),
                    _ => Raw::Number(&text[at..end]),
                };
                self.report(here, raw);
                end
            }
            None => at,
        }
    }

    fn report(&mut self, here: usize, raw: Raw<'a>) {
        let nodes: &Here = &self.nodes[here..];
        for node in nodes {
            if let Some(path) = self.paths.nodes[*node as usize].path {
                (self.visit)(path, raw);
            }
        }
    }
}

/// Whether a top-level key names a field that is invisible.
fn is_hidden(key: Text<'_>) -> bool {
    let first = |key: &str| HIDDEN.contains(&key.split('.').next().unwrap_or_default());
    if key.escaped || key.raw.contains(' ') {
        return first(&key.decode().replace(' ', ""));
    }
    // Nearly all keys are told apart by their first letter.
    key.raw.starts_with(['s', 'o']) && first(key.raw)
}
