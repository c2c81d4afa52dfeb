//! The same strict grammar as [`Event::parse`], much faster on events that resemble one another, as those of one source do.
//!
//! Between the values of two events of one source stand the same bytes: `,"Image":"` and so on. The parser remembers these
//! *gaps* in a tree: each node is a place in the structure of an event, each child a gap that has been met there and what
//! it leads to. Where the next bytes are a known gap, comparing them takes the place of reading them; only values are read.
//! Where they are not, the gap is read by the grammar ([`State::step`]), and added to the tree while there is room.
//!
//! What is known of a gap is everything that its bytes decide: that they are well-formed at this place, which of the wanted
//! paths the next value stands at, and which containers begin.

use crate::Event;
use crate::grammar::{
    Escapes, MAX_DEPTH, Malformed, Reason, scan_colon, scan_scalar, scan_string, skip_space,
    word_or_number,
};
use crate::paths::{Paths, Raw, is_hidden};
use crate::value::{Text, Value};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many nodes the tree may have. Real sources need hundreds; hostile events must not fill the memory.
const MAX_NODES: usize = 20_000;

/// How many bytes all gaps may have.
const MAX_GAPS: usize = 4 << 20;

/// How many ways to go on there may be behind a node.
const MAX_CHILDREN: usize = 64;

/// How long a gap may be to be remembered.
const MAX_GAP: usize = 4_096;

/// The node before the first gap; no gap leads to it.
const ROOT: u32 = 0;

/// The targets of what stands at no wanted path.
pub(crate) const NOWHERE: u32 = 0;

/// Places in a text are 32 bits.
const TOO_LONG: Malformed = Malformed {
    offset: u32::MAX as usize,
    reason: Reason::TooLong,
};

/// Reads events, finds the values at the paths of one set in them, and learns how events look.
#[derive(Debug, Default)]
pub struct Parser {
    paths: Paths,
    tree: Tree,
    /// The sets of paths that values have been found at, by number: those that this parser has met.
    targets: HashMap<Box<[u32]>, u32>,
    found: Found,
}

/// The shape of an event: two events of one shape have their values at the same paths in the same order, and strings where
/// the other has strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    tree: u32,
    node: u32,
}

/// What was found in the event that was read last.
#[derive(Debug, Default)]
struct Found {
    leaves: Vec<Leaf>,
    signs: Signs,
    shape: Option<Shape>,
}

/// What an event has that some have to know of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A field of [`HIDDEN`](crate::HIDDEN).
    pub hidden_field: bool,
    /// A string with an escape that may stand for any character, `\u` or `\/`: what a search of the text would not find.
    pub odd_escapes: bool,
}

/// A value at a wanted path, or a container there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The set of paths that it stands at, by number: see [`Paths::targets`].
    pub targets: u32,
    kind: Kind,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    String { escaped: bool },
    Other,
    Object,
    Array,
}

/// A gap, and what it leads to: a value, and the place in the structure of events behind it.
#[derive(Debug)]
struct Node {
    gap: Gap,
    /// Where the value stands that follows the gap,
    targets: u32,
    /// and what it is.
    token: Token,
    /// Whether the key of a hidden field stands in the gap.
    hides: bool,
    /// The containers at wanted paths that begin in the gap.
    marks: Box<[(u32, Kind)]>,
    /// The first of the gaps that were met behind the value; [`ROOT`] if there is none,
    first: u32,
    /// and the next one after this itself.
    next: u32,
}

/// The bytes of a gap. Most have few enough to be compared at once.
#[derive(Debug)]
struct Gap {
    /// The first bytes, filled up with zeros.
    head: [u128; 2],
    /// All of them; the opening quote of a string is the last.
    bytes: Box<[u8]>,
}

/// The bytes of a gap's head that a gap of so many bytes has.
static MASKS: [[u128; 2]; 33] = {
    let mut masks = [[0; 2]; 33];
    let mut length = 1;
    while length <= 32 {
        let half = (length - 1) / 16;
        masks[length] = masks[length - 1];
        masks[length][half] |= 0xff << (8 * ((length - 1) % 16));
        length += 1;
    }
    masks
};

/// How a structure goes on: where a gap ends, and what follows it.
type Step = (usize, Token);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    String,
    Other,
    End,
}

impl Parser {
    /// A parser that finds the values at `paths`.
    pub fn new(paths: Paths) -> Parser {
        Parser {
            paths,
            ..Parser::default()
        }
    }

    /// Reads an event and finds its values at the wanted paths.
    ///
    /// # Errors
    /// Those of [`Event::parse`].
    pub fn parse<'a>(&mut self, bytes: &'a [u8]) -> Result<Parsed<'a, '_>, Malformed> {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let end = self.scan(bytes, skip_space(bytes, 0));
        match (text, end) {
            (Some(text), Ok(end)) if skip_space(bytes, end) == bytes.len() => {
                Ok(self.found.parsed(text))
            }
            (_, end) => Err(Event::parse(bytes).err().or(end.err()).unwrap_or(TOO_LONG)),
        }
    }

    /// Reads the object that begins at `at`, and says where it ends; what has been found in it can then be
    /// [pushed](Block::push).
    ///
    /// # Errors
    /// As [`scan_value`](crate::scan_value); [`Reason::NotAnObject`] for other values.
    pub fn scan(&mut self, bytes: &[u8], at: usize) -> Result<usize, Malformed> {
        self.found.leaves.clear();
        (self.found.signs, self.found.shape) = (Signs::default(), None);
        if bytes.len() > u32::MAX as usize {
            return Err(TOO_LONG);
        }
        if self.tree.is_full() {
            self.tree = Tree::default();
        }
        let mut node = Some(ROOT);
        let mut state = State::default();
        let mut at = at;
        loop {
            if let Some(next) = node.and_then(|node| self.tree.next(node, bytes, at)) {
                let known = &self.tree.nodes[next as usize];
                for (targets, kind) in &known.marks {
                    self.found.leaves.push(Leaf::container(*targets, *kind));
                }
                self.found.signs.hidden_field |= known.hides;
                at += known.gap.bytes.len();
                if known.token == Token::End {
                    self.found.shape = Some(self.tree.shape(next));
                    return Ok(at);
                }
                at = self.found.value(bytes, at, known.token, known.targets)?;
                node = Some(next);
                continue;
            }
            // The tree does not know how it goes on, so the grammar has to say.
            if let Some(node) = node {
                state.clone_from(&self.tree.states[node as usize]);
            }
            state.hides = false;
            let first_mark = self.found.leaves.len();
            let (end, token) = state.step(&self.paths, bytes, at, &mut |nodes, kind| {
                let targets = targets_of(&mut self.targets, &self.paths, nodes);
                if targets != NOWHERE {
                    self.found.leaves.push(Leaf::container(targets, kind));
                }
            })?;
            let targets = match token {
                Token::End => NOWHERE,
                Token::String | Token::Other => {
                    targets_of(&mut self.targets, &self.paths, state.here())
                }
            };
            let marks = self.found.leaves[first_mark..]
                .iter()
                .map(|leaf| (leaf.targets, leaf.kind));
            node = node.and_then(|node| {
                self.tree
                    .learn(node, &bytes[at..end], token, targets, marks, &state)
            });
            self.found.signs.hidden_field |= state.hides;
            if token == Token::End {
                self.found.shape = node.map(|node| self.tree.shape(node));
                return Ok(end);
            }
            at = self.found.value(bytes, end, token, targets)?;
        }
    }
}

/// The number of the set of paths that end at `nodes`, out of those that are `known`.
fn targets_of(known: &mut HashMap<Box<[u32]>, u32>, paths: &Paths, nodes: &[u32]) -> u32 {
    let set: Box<[u32]> = nodes.iter().filter_map(|node| paths.path(*node)).collect();
    if set.is_empty() {
        return NOWHERE;
    }
    if let Some(number) = known.get(&set) {
        return *number;
    }
    let number = paths.number_targets(&set);
    known.insert(set, number);
    number
}

/// An event and what a [`Parser`] has found in it.
#[derive(Clone, Copy, Debug)]
pub struct Parsed<'a, 'p> {
    event: Event<'a>,
    leaves: &'p [Leaf],
    signs: Signs,
    shape: Option<Shape>,
}

impl<'a, 'p> Parsed<'a, 'p> {
    /// The event.
    pub fn event(&self) -> Event<'a> {
        self.event
    }

    /// Its values at wanted paths in the order of its text, and the containers there.
    pub fn leaves(&self) -> &'p [Leaf] {
        self.leaves
    }

    /// What else was to be seen in it.
    pub fn signs(&self) -> Signs {
        self.signs
    }

    /// Its shape, if it is known: the same for all events of that shape that one parser reads, until it forgets it.
    pub fn shape(&self) -> Option<Shape> {
        self.shape
    }
}

/// Events, one after another, with what a [`Parser`] has found in them.
#[derive(Clone, Debug, Default)]
pub struct Block {
    text: String,
    leaves: Vec<Leaf>,
    events: Vec<Place>,
}

/// Where an event stands in a [`Block`], and what was seen in it.
#[derive(Clone, Debug)]
struct Place {
    text: Range<usize>,
    leaves: Range<usize>,
    signs: Signs,
    shape: Option<Shape>,
}

impl Block {
    /// An empty block, with room for as much as is in this one.
    pub fn another(&self) -> Block {
        Block {
            text: String::with_capacity(self.text.len()),
            leaves: Vec::with_capacity(self.leaves.len()),
            events: Vec::with_capacity(self.events.len()),
        }
    }

    /// Adds the event `text`, which `parser` has just [scanned](Parser::scan) from its beginning.
    pub fn push(&mut self, parser: &Parser, text: &str) {
        let Found {
            leaves,
            signs,
            shape,
        } = &parser.found;
        let (from, first) = (self.text.len(), self.leaves.len());
        self.text.push_str(text);
        self.leaves.extend_from_slice(leaves);
        self.events.push(Place {
            text: from..self.text.len(),
            leaves: first..self.leaves.len(),
            signs: *signs,
            shape: *shape,
        });
    }

    /// The events.
    pub fn events(&self) -> impl Iterator<Item = Parsed<'_, '_>> {
        self.events.iter().map(|place| Parsed {
            event: Event {
                text: &self.text[place.text.clone()],
            },
            leaves: &self.leaves[place.leaves.clone()],
            signs: place.signs,
            shape: place.shape,
        })
    }

    /// How many bytes their texts have together.
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

impl Found {
    fn parsed<'a>(&self, text: &'a str) -> Parsed<'a, '_> {
        Parsed {
            event: Event { text },
            leaves: &self.leaves,
            signs: self.signs,
            shape: self.shape,
        }
    }

    /// Reads a value whose gap ends at `at`; says where it ends.
    fn value(
        &mut self,
        bytes: &[u8],
        at: usize,
        token: Token,
        targets: u32,
    ) -> Result<usize, Malformed> {
        let (kind, end, next) = match token {
            Token::String => {
                let (next, escapes) = scan_string(bytes, at - 1)?;
                self.signs.odd_escapes |= escapes == Escapes::Odd;
                let escaped = escapes > Escapes::None;
                (Kind::String { escaped }, next - 1, next)
            }
            Token::Other | Token::End => {
                let end = scan_scalar(bytes, at)?;
                (Kind::Other, end, end)
            }
        };
        if targets != NOWHERE {
            self.leaves.push(Leaf {
                targets,
                kind,
                start: at as u32,
                end: end as u32,
            });
        }
        Ok(next)
    }
}

impl Leaf {
    fn container(targets: u32, kind: Kind) -> Leaf {
        Leaf {
            targets,
            kind,
            start: 0,
            end: 0,
        }
    }

    /// The value, out of the text that it was read from.
    pub fn raw<'a>(&self, text: &'a str) -> Raw<'a> {
        let raw = text
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default();
        match self.kind {
            Kind::String { escaped } => Raw::String(Text { raw, escaped }),
            Kind::Object => Raw::Object,
            Kind::Array => Raw::Array,
            Kind::Other => match word_or_number(raw) {
                Value::Null => Raw::Null,
                Value::Bool(value) => Raw::Bool(value),
                _ => Raw::Number(raw),
            },
        }
    }

    /// How many bytes it takes in the text; 0 for a container.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it takes none.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }
}

impl Node {
    /// Whether `rest` goes on like this.
    #[inline]
    fn is_next(&self, rest: &[u8]) -> bool {
        // A string's gap ends with its quote; before another value it takes a look.
        self.gap.begins(rest)
            && (self.token != Token::Other
                || rest
                    .get(self.gap.bytes.len())
                    .is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n')))
    }
}

impl Gap {
    fn new(bytes: &[u8]) -> Gap {
        let mut head = [0; 32];
        head.iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        Gap {
            head: halves(&head),
            bytes: bytes.into(),
        }
    }

    /// Whether `text` begins with these bytes.
    #[inline]
    fn begins(&self, text: &[u8]) -> bool {
        let length = self.bytes.len();
        let Some(start) = text.first_chunk() else {
            return text.starts_with(&self.bytes);
        };
        let (start, mask) = (halves(start), &MASKS[length.min(32)]);
        let differs = (start[0] & mask[0]) ^ self.head[0] | (start[1] & mask[1]) ^ self.head[1];
        differs == 0 && (length <= 32 || text.starts_with(&self.bytes))
    }
}

#[inline]
fn halves(bytes: &[u8; 32]) -> [u128; 2] {
    let (halves, _) = bytes.as_chunks();
    [halves[0], halves[1]].map(u128::from_le_bytes)
}

/// The gaps that are known. The first node stands for the beginning of an event.
#[derive(Debug)]
struct Tree {
    /// No other tree has this number.
    number: u32,
    nodes: Vec<Node>,
    /// The state behind each node; asked for only where something new is met.
    states: Vec<State>,
    /// How many bytes all gaps have.
    gaps: usize,
}

impl Default for Tree {
    fn default() -> Tree {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Tree {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            nodes: vec![Node {
                gap: Gap::new(&[]),
                targets: NOWHERE,
                token: Token::Other,
                hides: false,
                marks: Box::default(),
                first: ROOT,
                next: ROOT,
            }],
            states: vec![State::default()],
            gaps: 0,
        }
    }
}

impl Tree {
    /// Whether there is no room left: then what comes next is learned anew.
    fn is_full(&self) -> bool {
        self.nodes.len() >= MAX_NODES || self.gaps >= MAX_GAPS
    }

    /// The shape of events that end at `node`.
    fn shape(&self, node: u32) -> Shape {
        Shape {
            tree: self.number,
            node,
        }
    }

    /// The node behind `node`, if the next bytes are a gap that is known there.
    #[inline]
    fn next(&mut self, node: u32, bytes: &[u8], at: usize) -> Option<u32> {
        let rest = bytes.get(at..)?;
        let first = self.nodes[node as usize].first;
        if first != ROOT && self.nodes[first as usize].is_next(rest) {
            return Some(first);
        }
        self.next_of_many(node, rest)
    }

    fn next_of_many(&mut self, node: u32, rest: &[u8]) -> Option<u32> {
        let first = self.nodes[node as usize].first;
        let mut before = first;
        while before != ROOT {
            let next = self.nodes[before as usize].next;
            if next != ROOT && self.nodes[next as usize].is_next(rest) {
                // What was right just now is likely to be right again.
                self.nodes[before as usize].next = self.nodes[next as usize].next;
                self.nodes[next as usize].next = first;
                self.nodes[node as usize].first = next;
                return Some(next);
            }
            before = next;
        }
        None
    }

    /// Adds a gap to a node; the node that it leads to, or none if there is no room.
    fn learn(
        &mut self,
        node: u32,
        gap: &[u8],
        token: Token,
        targets: u32,
        marks: impl Iterator<Item = (u32, Kind)>,
        state: &State,
    ) -> Option<u32> {
        let new = self.nodes.len();
        let first = self.nodes[node as usize].first;
        if new >= MAX_NODES || gap.len() > MAX_GAP || self.siblings(first) >= MAX_CHILDREN {
            return None;
        }
        self.gaps += gap.len();
        self.states.push(state.clone());
        self.nodes.push(Node {
            gap: Gap::new(gap),
            targets,
            token,
            hides: state.hides,
            marks: marks.collect(),
            first: ROOT,
            next: first,
        });
        self.nodes[node as usize].first = new as u32;
        Some(new as u32)
    }

    /// How many gaps there are from `first` on.
    fn siblings(&self, first: u32) -> usize {
        let next = |node: &u32| Some(self.nodes[*node as usize].next);
        let siblings = std::iter::successors(Some(first), next);
        siblings.take_while(|node| *node != ROOT).count()
    }
}

/// A place in the structure of an event: the containers that are open, and where in the set of paths they are.
#[derive(Debug, Default)]
struct State {
    open: Vec<Frame>,
    /// The nodes of the set of paths that each open container stands at, back to back, and after them those of the value
    /// of the last key.
    nodes: Vec<u32>,
    /// Whether the last step has read the key of a hidden field.
    hides: bool,
}

impl Clone for State {
    fn clone(&self) -> State {
        State {
            open: self.open.clone(),
            nodes: self.nodes.clone(),
            hides: self.hides,
        }
    }

    fn clone_from(&mut self, other: &State) {
        self.open.clone_from(&other.open);
        self.nodes.clone_from(&other.nodes);
    }
}

/// An open container and the place of its nodes in [`State::nodes`].
#[derive(Clone, Copy, Debug)]
struct Frame {
    is_object: bool,
    from: u32,
    to: u32,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The event.
    Start,
    /// The first key or element of the innermost container, or its end.
    First,
    /// A key or element, after a comma.
    Next,
    /// The value of a key.
    Value,
    /// A comma or the end of the innermost container.
    After,
}

impl State {
    /// The nodes of the value that comes next.
    fn here(&self) -> &[u32] {
        match self.open.last() {
            Some(frame) if frame.is_object => &self.nodes[frame.to as usize..],
            Some(frame) => &self.nodes[frame.from as usize..frame.to as usize],
            None => &[],
        }
    }

    /// Reads on from behind a value, or from the beginning, to the next value that is no container; tells `mark` of the
    /// containers that begin on the way.
    fn step(
        &mut self,
        paths: &Paths,
        bytes: &[u8],
        at: usize,
        mark: &mut impl FnMut(&[u32], Kind),
    ) -> Result<Step, Malformed> {
        let mut at = at;
        let mut phase = match self.open.last() {
            None => Phase::Start,
            Some(frame) => {
                self.nodes.truncate(frame.to as usize);
                Phase::After
            }
        };
        loop {
            at = skip_space(bytes, at);
            let fail = |reason| Err(Malformed { offset: at, reason });
            let Some(byte) = bytes.get(at) else {
                return fail(Reason::Truncated);
            };
            let in_object = self.open.last().is_none_or(|frame| frame.is_object);
            match (phase, byte) {
                (Phase::Start, b'{') => {
                    self.nodes.extend(paths.root());
                    self.open.push(Frame {
                        is_object: true,
                        from: 0,
                        to: self.nodes.len() as u32,
                    });
                    at += 1;
                    phase = Phase::First;
                }
                (Phase::Start, _) => return fail(Reason::NotAnObject),
                (Phase::First | Phase::After, b'}') if in_object => {
                    at += 1;
                    if self.close() {
                        return Ok((at, Token::End));
                    }
                    phase = Phase::After;
                }
                (Phase::First | Phase::After, b']') if !in_object => {
                    at += 1;
                    self.close();
                    phase = Phase::After;
                }
                (Phase::After, b',') => {
                    at += 1;
                    phase = Phase::Next;
                }
                (Phase::After, _) => return fail(Reason::Unexpected),
                (Phase::First | Phase::Next, b'"') if in_object => {
                    at = self.key(paths, bytes, at)?;
                    phase = Phase::Value;
                }
                (Phase::First | Phase::Next, _) if in_object => return fail(Reason::Unexpected),
                (_, b'{' | b'[') => {
                    let is_object = *byte == b'{';
                    mark(
                        self.here(),
                        if is_object { Kind::Object } else { Kind::Array },
                    );
                    if !self.enter(is_object) {
                        return fail(Reason::TooDeep);
                    }
                    at += 1;
                    phase = Phase::First;
                }
                (_, b'"') => return Ok((at + 1, Token::String)),
                (_, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => return Ok((at, Token::Other)),
                _ => return fail(Reason::Unexpected),
            }
        }
    }

    /// A key and its colon: the nodes of its value are those it leads to.
    fn key(&mut self, paths: &Paths, bytes: &[u8], at: usize) -> Result<usize, Malformed> {
        let (end, escapes) = scan_string(bytes, at)?;
        let raw = std::str::from_utf8(&bytes[at + 1..end - 1]).map_err(|error| Malformed {
            offset: at + 1 + error.valid_up_to(),
            reason: Reason::NotUtf8,
        })?;
        let end = scan_colon(bytes, end)?;
        if let [.., frame] = &*self.open {
            self.nodes.truncate(frame.to as usize);
            let escaped = escapes > Escapes::None;
            let key = Text { raw, escaped };
            if self.open.len() == 1 && is_hidden(key) {
                self.hides = true;
            } else {
                paths.descend(&mut self.nodes, frame.from as usize, key);
            }
        }
        Ok(end)
    }

    /// Enters a container; whether that is allowed.
    fn enter(&mut self, is_object: bool) -> bool {
        let Some(frame) = self.open.last() else {
            return false;
        };
        if self.open.len() == MAX_DEPTH {
            return false;
        }
        let from = self.nodes.len().min(frame.to as usize);
        if !frame.is_object {
            // An element stands where its array does.
            let (start, end) = (frame.from as usize, frame.to as usize);
            self.nodes.extend_from_within(start..end);
        }
        self.open.push(Frame {
            is_object,
            from: from as u32,
            to: self.nodes.len() as u32,
        });
        true
    }

    /// Leaves the innermost container; whether it was the event.
    fn close(&mut self) -> bool {
        self.open.pop();
        match self.open.last() {
            Some(frame) => {
                self.nodes.truncate(frame.to as usize);
                false
            }
            None => true,
        }
    }
}
