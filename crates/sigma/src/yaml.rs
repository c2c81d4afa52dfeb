//! YAML as a tree with positions, built from the events of `granit-parser` and safe against hostile input.
//!
//! Texts are borrowed from the source wherever they stand there as they are. A document that breaks a rule of this
//! module is a fault, and reading goes on with the next one:
//!
//! - duplicate keys are an error, as the specification of YAML has it (the common loaders let the last one win in
//!   silence, and a rule with two `selection:` then loses one of them);
//! - `<<` merges maps, keys of the map itself win;
//! - an alias copies its anchor, within [`MAX_NODES`] for the whole file; one that contains itself is an error;
//! - nesting ends at [`MAX_DEPTH`], files at [`MAX_BYTES`];
//! - only the tags of YAML's own types are known.
//!
//! Rules are read by [`crate::parse`]. [`read`] is for files beside them that want the same care, such as mappings.

use crate::diagnostic::{Diagnostic, Sink, Source, Span};
use crate::scalar;
use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

pub use crate::scalar::Meaning;

/// Files longer than this are refused.
pub const MAX_BYTES: usize = 10 << 20;
/// Lists and maps may be nested this deep.
pub const MAX_DEPTH: usize = 64;
/// Nodes that one file may have, aliases counted as what they stand for.
pub const MAX_NODES: usize = 500_000;

/// A node of the tree.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub content: Content<'a>,
}

/// What a [`Node`] is.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// A single value.
    Scalar(Scalar<'a>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map in source order; no key is there twice.
    Map(Vec<Entry<'a>>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The key.
    pub key: Scalar<'a>,
    /// Its value.
    pub value: Node<'a>,
}

/// A text and whether it may mean something else than itself.
#[derive(Debug, Clone)]
pub struct Scalar<'a> {
    /// The text, quotes and escapes resolved.
    pub text: Cow<'a, str>,
    /// Where it stands.
    pub span: Span,
    /// Where the text begins in the source, if it stands there as it is.
    origin: Option<u32>,
    plain: bool,
}

impl Scalar<'_> {
    /// What the scalar means; quoted ones are always texts.
    pub fn meaning(&self) -> Meaning {
        if self.plain {
            scalar::resolve(&self.text)
        } else {
            Meaning::Text
        }
    }

    /// The span of a part of the text, or of the whole scalar when the text does not stand in the source as it is.
    pub fn part(&self, range: std::ops::Range<usize>) -> Span {
        let (Some(origin), Some(before)) = (self.origin, self.text.get(..range.start)) else {
            return self.span;
        };
        if self.text.contains('\n') {
            return self.span;
        }
        let quote = origin - self.span.start;
        Span {
            start: origin + range.start as u32,
            end: origin + range.end as u32,
            line: self.span.line,
            column: self.span.column + quote + before.chars().count() as u32,
        }
    }
}

impl<'a> Node<'a> {
    /// Nothing.
    pub(crate) fn null(span: Span) -> Node<'a> {
        let scalar = Scalar {
            text: Cow::Borrowed(""),
            span,
            origin: None,
            plain: true,
        };
        Node {
            span,
            content: Content::Scalar(scalar),
        }
    }

    /// A text that stands in no source.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Node<'a> {
        let scalar = Scalar {
            text: text.into(),
            span: Span::default(),
            origin: None,
            plain: false,
        };
        Node {
            span: Span::default(),
            content: Content::Scalar(scalar),
        }
    }

    /// The scalar, without the node around it.
    fn into_scalar(self) -> Option<Scalar<'a>> {
        match self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// A map that stands in no source.
    pub fn map(entries: impl IntoIterator<Item = (&'a str, Node<'a>)>) -> Node<'a> {
        let entries = entries.into_iter().filter_map(|(key, value)| {
            let key = Node::text(key).into_scalar()?;
            Some(Entry { key, value })
        });
        Node {
            span: Span::default(),
            content: Content::Map(entries.collect()),
        }
    }

    /// The entries, if it is a map.
    pub fn as_map(&self) -> Option<&[Entry<'a>]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar<'a>> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it is a scalar that means null.
    pub fn is_null(&self) -> bool {
        self.as_scalar()
            .is_some_and(|scalar| scalar.meaning() == Meaning::Null)
    }

    /// The value of a key, if it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.as_map()?
            .iter()
            .find(|entry| entry.key.text == key)
            .map(|entry| &entry.value)
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => "null",
                Meaning::Bool(_) => "a boolean",
                Meaning::Number(_) | Meaning::NoNumber => "a number",
                Meaning::Date => "a date",
                Meaning::Text => "a text",
            },
        }
    }

    /// Its own cost and that of all nodes below, and how deep it is nested.
    fn measure(&self) -> (usize, usize) {
        let (mut cost, mut height) = (1, 0);
        let mut add = |node: &Node| {
            let (below, deep) = node.measure();
            cost += below;
            height = height.max(deep);
        };
        match &self.content {
            Content::Scalar(scalar) => return (1 + scalar.text.len() / 64, 0),
            Content::List(items) => items.iter().for_each(add),
            Content::Map(entries) => entries.iter().for_each(|entry| {
                add(&entry.value);
            }),
        }
        (cost, height + 1)
    }
}

/// The documents of a source, without regard to what they are about.
///
/// # Errors
/// What is wrong with the first that cannot be read.
pub fn read<'a>(source: &Source<'a>) -> Result<Vec<Node<'a>>, Box<Diagnostic>> {
    let documents = decode(source.text).and_then(|text| Documents::new(text).collect());
    documents.map_err(|fault| Box::new(Sink::new(source.name).diagnostic(fault)))
}

/// Why a document cannot be read.
#[derive(Debug)]
pub(crate) struct Fault {
    pub code: &'static str,
    pub span: Span,
    pub message: String,
    pub help: Option<&'static str>,
    /// Another place and what is there.
    pub label: Option<(Span, String)>,
}

impl Fault {
    pub fn new(code: &'static str, span: Span, message: impl fmt::Display) -> Fault {
        Fault {
            code,
            span,
            message: message.to_string(),
            help: None,
            label: None,
        }
    }

    pub fn help(self, help: &'static str) -> Fault {
        Fault {
            help: Some(help),
            ..self
        }
    }
}

/// The bytes of a file as text.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    let top = Span {
        line: 1,
        column: 1,
        ..Span::default()
    };
    if bytes.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; {MAX_BYTES} are read at most",
            bytes.len()
        );
        return Err(Fault::new("file-too-big", top, message).help("split it into several files"));
    }
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(Fault::new("not-utf-8", top, "the file is UTF-16").help("save it as UTF-8"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line_start = valid.rfind('\n').map_or(0, |at| at + 1);
        let start = error.valid_up_to() as u32;
        let span = Span {
            start,
            end: start + error.error_len().unwrap_or(1) as u32,
            line: 1 + valid.bytes().filter(|byte| *byte == b'\n').count() as u32,
            column: 1 + valid[line_start..].chars().count() as u32,
        };
        let message = format!("the byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]);
        Fault::new("not-utf-8", span, message).help("save the file as UTF-8")
    })
}

/// The documents of a text, one by one. Empty documents are left out.
pub(crate) struct Documents<'a> {
    parser: Parser<'a, StrInput<'a>>,
    source: &'a str,
    budget: Budget,
    ended: bool,
}

impl<'a> Documents<'a> {
    pub fn new(source: &'a str) -> Documents<'a> {
        let options = granit_parser::options! {
            emit_comments: false,
            block_scalar_eof_without_line_feed: true,
        };
        Documents {
            parser: Parser::new_from_str_with_options(source, options),
            source,
            budget: Budget { left: MAX_NODES },
            ended: false,
        }
    }

    /// What may still be spent on nodes of this file, also by those who copy some of them.
    pub fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Node<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut builder = Builder::new(self.source, &mut self.budget);
        let fault = loop {
            match self.parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => {
                    self.ended = true;
                    return None;
                }
                Some(Ok((Event::DocumentEnd, _))) => match builder.root.take() {
                    Some(node) if !node.is_null() => return Some(Ok(node)),
                    _ => builder = Builder::new(self.source, builder.budget),
                },
                Some(Ok((event, span))) => {
                    if let Err(fault) = builder.take(event, span) {
                        break fault;
                    }
                }
                Some(Err(error)) => break syntax_fault(&error),
            }
        };
        let exhausted = self.budget.left == 0;
        self.ended = exhausted || !matches!(self.parser.proceed_next_document(), Ok(true));
        Some(Err(fault))
    }
}

fn syntax_fault(error: &ScanError) -> Fault {
    let mark = error.marker();
    Fault::new(
        "yaml",
        span_between(mark, mark),
        format!("not well-formed YAML: {}", error.info()),
    )
}

fn span_between(start: &Marker, end: &Marker) -> Span {
    Span {
        start: start.byte_offset().unwrap_or_default() as u32,
        end: end.byte_offset().unwrap_or_default() as u32,
        line: start.line() as u32,
        column: start.col() as u32 + 1,
    }
}

/// How many nodes may still be made of one file.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    fn spend(&mut self, cost: usize, span: Span) -> Result<(), Fault> {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                let message = format!(
                    "the file stands for more than {MAX_NODES} values, aliases written out"
                );
                Err(Fault::new("too-many-nodes", span, message)
                    .help("split the file, or write less by aliases and `action: global`"))
            }
        }
    }

    /// Pays for a copy of a node, or for another use of it.
    pub fn pay(&mut self, node: &Node<'_>) -> Result<(), Fault> {
        self.spend(node.measure().0, node.span)
    }

    /// Copies a node.
    pub fn copy<'a>(&mut self, node: &Node<'a>) -> Result<Node<'a>, Fault> {
        self.pay(node)?;
        Ok(node.clone())
    }
}

/// A list or map that is still open.
struct Open<'a> {
    span: Span,
    anchor: usize,
    kind: OpenKind<'a>,
}

enum OpenKind<'a> {
    List(Vec<Node<'a>>),
    Map {
        entries: Vec<Entry<'a>>,
        key: Option<Scalar<'a>>,
    },
}

/// An anchored node; without one, it is still open.
struct Anchored<'a> {
    node: Option<Node<'a>>,
    span: Span,
}

/// Makes one document out of events.
struct Builder<'a, 'b> {
    source: &'a str,
    budget: &'b mut Budget,
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Anchored<'a>>,
    root: Option<Node<'a>>,
}

impl<'a, 'b> Builder<'a, 'b> {
    fn new(source: &'a str, budget: &'b mut Budget) -> Builder<'a, 'b> {
        Builder {
            source,
            budget,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
        }
    }

    fn take(&mut self, event: Event<'a>, span: granit_parser::Span) -> Result<(), Fault> {
        let range = span_between(&span.start, &span.end);
        let tag_range = span
            .tag_span()
            .map_or(range, |tag| span_between(&tag.start, &tag.end));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = tagged(self.scalar(text, style, range), tag.as_deref(), tag_range)?;
                self.add(
                    Node {
                        span: range,
                        content: Content::Scalar(scalar),
                    },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", tag_range)?;
                self.enter(OpenKind::List(Vec::new()), anchor, range)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", tag_range)?;
                self.enter(
                    OpenKind::Map {
                        entries: Vec::new(),
                        key: None,
                    },
                    anchor,
                    range,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(range),
            Event::Alias(anchor) => {
                let node = self.alias(anchor, range)?;
                self.add(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn scalar(&self, text: Cow<'a, str>, style: ScalarStyle, span: Span) -> Scalar<'a> {
        let plain = style == ScalarStyle::Plain;
        // An empty node arrives as a plain `~` of no length.
        let text = if plain && span.start == span.end {
            Cow::Borrowed("")
        } else {
            text
        };
        let origin = match &text {
            Cow::Borrowed(part) if !part.is_empty() => {
                let offset = (part.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
                (offset >= span.start as usize && offset + part.len() <= span.end as usize)
                    .then_some(offset as u32)
            }
            _ => None,
        };
        Scalar {
            text,
            span,
            origin,
            plain,
        }
    }

    fn enter(&mut self, kind: OpenKind<'a>, anchor: usize, span: Span) -> Result<(), Fault> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(Fault::new("too-deep", span, message));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: None, span });
        }
        self.open.push(Open { span, anchor, kind });
        Ok(())
    }

    fn leave(&mut self, end: Span) -> Result<(), Fault> {
        let Some(Open { span, anchor, kind }) = self.open.pop() else {
            return Ok(());
        };
        let span = Span {
            end: end.end.max(span.end),
            ..span
        };
        let content = match kind {
            OpenKind::List(items) => Content::List(items),
            OpenKind::Map { entries, .. } => Content::Map(self.merge(distinct(entries)?)?),
        };
        self.add(Node { span, content }, anchor)
    }

    fn add(&mut self, node: Node<'a>, anchor: usize) -> Result<(), Fault> {
        self.budget.spend(1, node.span)?;
        if anchor != 0 {
            let copy = self.budget.copy(&node)?;
            self.anchors.insert(
                anchor,
                Anchored {
                    span: node.span,
                    node: Some(copy),
                },
            );
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, key }) => match (key.take(), node.content) {
                (Some(key), content) => entries.push(Entry {
                    key,
                    value: Node {
                        span: node.span,
                        content,
                    },
                }),
                (None, Content::Scalar(scalar)) => *key = Some(scalar),
                (None, _) => {
                    return Err(Fault::new(
                        "odd-key",
                        node.span,
                        "a key must be a text, not a list or a map",
                    ));
                }
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node<'a>, Fault> {
        match self.anchors.get(&anchor) {
            Some(Anchored {
                node: Some(node), ..
            }) => {
                let (cost, height) = node.measure();
                self.budget.spend(cost, span)?;
                if self.open.len() + height > MAX_DEPTH {
                    let message =
                        format!("nested deeper than {MAX_DEPTH} levels, this alias written out");
                    return Err(Fault::new("too-deep", span, message));
                }
                Ok(node.clone())
            }
            Some(Anchored {
                node: None,
                span: at,
            }) => Err(Fault {
                label: Some((*at, "it is still being defined here".to_owned())),
                ..Fault::new("alias-of-itself", span, "the alias contains itself")
            }),
            None => Err(Fault::new("yaml", span, "the alias names no anchor")),
        }
    }

    /// Puts the maps under `<<` before the map's own entries, which win.
    fn merge(&mut self, mut entries: Vec<Entry<'a>>) -> Result<Vec<Entry<'a>>, Fault> {
        let Some(at) = entries
            .iter()
            .position(|entry| entry.key.plain && entry.key.text == "<<")
        else {
            return Ok(entries);
        };
        let Entry { value, .. } = entries.remove(at);
        let span = value.span;
        let maps = match value.content {
            Content::List(items) => items,
            content => vec![Node { span, content }],
        };
        let mut merged: Vec<Entry<'a>> = Vec::new();
        for map in maps {
            let Content::Map(more) = map.content else {
                return Err(Fault::new(
                    "merge-key",
                    map.span,
                    "`<<` needs a map or a list of maps",
                ));
            };
            merged.extend(more);
        }
        let own: Vec<Cow<str>> = entries.iter().map(|entry| entry.key.text.clone()).collect();
        let mut seen: std::collections::HashSet<Cow<str>> = own.into_iter().collect();
        merged.retain(|entry| seen.insert(entry.key.text.clone()));
        merged.append(&mut entries);
        Ok(merged)
    }
}

/// The scalar as its tag says.
fn tagged<'a>(scalar: Scalar<'a>, tag: Option<&Tag>, span: Span) -> Result<Scalar<'a>, Fault> {
    let Some(tag) = tag else { return Ok(scalar) };
    let plain = match tag.core_suffix() {
        Some("str") => false,
        None if tag.original() == "!" => false,
        kind => match scalar::resolve(&scalar.text) {
            Meaning::Null if kind == Some("null") => true,
            Meaning::Bool(_) if kind == Some("bool") => true,
            Meaning::Number(_) if kind == Some("int") || kind == Some("float") => true,
            _ => return Err(odd_tag(tag, span)),
        },
    };
    Ok(Scalar { plain, ..scalar })
}

fn check_tag(tag: Option<&Tag>, kind: &str, span: Span) -> Result<(), Fault> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(kind) && tag.original() != "!" => {
            Err(odd_tag(tag, span))
        }
        _ => Ok(()),
    }
}

fn odd_tag(tag: &Tag, span: Span) -> Fault {
    let message = format!("the tag `{}` does not fit here", tag.original());
    Fault::new("yaml-tag", span, message).help("rules need no tags; remove it")
}

/// Refuses keys that are there twice.
fn distinct(entries: Vec<Entry<'_>>) -> Result<Vec<Entry<'_>>, Fault> {
    const FEW: usize = 12;
    let twice = if entries.len() <= FEW {
        (1..entries.len()).find_map(|at| {
            let earlier = entries[..at]
                .iter()
                .position(|entry| entry.key.text == entries[at].key.text);
            earlier.map(|earlier| (earlier, at))
        })
    } else {
        let mut seen = HashMap::with_capacity(entries.len());
        entries.iter().enumerate().find_map(|(at, entry)| {
            seen.insert(entry.key.text.as_ref(), at)
                .map(|earlier| (earlier, at))
        })
    };
    let Some((first, second)) = twice else {
        return Ok(entries);
    };
    let key = &entries[second].key;
    Err(Fault {
        label: Some((
            entries[first].key.span,
            "it is here for the first time".to_owned(),
        )),
        ..Fault::new(
            "duplicate-key",
            key.span,
            format!("the key `{}` is here twice", key.text),
        )
        .help("rename one of them, or join their values in one list")
    })
}
