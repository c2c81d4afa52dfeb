//! YAML as Python's `yaml.dump` writes it: block style, keys sorted, ASCII only, lines of up to 10,000 characters.
//!
//! Texts of several lines become literal blocks (`|`) where YAML allows it, as sigmac has told PyYAML to do.

use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// A value as a document of its own, with the newline that ends it.
pub(crate) fn dump(value: &Value) -> String {
    let mut emitter = Emitter {
        text: String::new(),
        column: 0,
        indent: None,
        is_blank: true,
        is_indention: true,
        is_open: false,
    };
    emitter.node(value, Place::Root);
    emitter.new_line(0);
    if emitter.is_open {
        emitter.text.push_str("...\n");
    }
    emitter.text
}

/// Texts are folded where a blank comes behind this column.
const WIDTH: usize = 10_000;
/// Each level is indented by so many blanks.
const INDENT: usize = 2;
/// A key that is longer is marked with `?`. (128 in PyYAML, which counts the five letters of the tag `!!str`, too.)
const MAX_KEY: usize = 123;

/// What YAML 1.1 takes for something else than a text.
static OTHER_TYPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let patterns = [
        "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        "~|null|Null|NULL|",
        "<<|=|[!&*]",
        "[-+]?[0-9][0-9_]*\\.[0-9_]*(?:[eE][-+][0-9]+)?",
        "\\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
        "[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\\.[0-9_]*",
        "[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN)",
        "[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
        "[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]*)?\
         (?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
    ];
    Regex::new(&format!("^(?:{})$", patterns.join("|"))).ok()
});

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// The state of the text written so far. Columns are counted in characters.
#[derive(Debug)]
struct Emitter {
    text: String,
    column: usize,
    /// The column of the innermost block, if there is one.
    indent: Option<usize>,
    /// A blank, or the start of a line, comes last.
    is_blank: bool,
    /// Nothing but indicators is on this line yet.
    is_indention: bool,
    /// What comes last could go on in the next line.
    is_open: bool,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) {
        match value {
            Value::Null => self.plain("null", place),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, place),
            Value::Number(number) => self.plain(&number.to_string(), place),
            Value::String(text) => self.scalar(text, place),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) => self.sequence(items, place),
            Value::Object(map) => self.mapping(map),
        }
    }

    /// A list under a key is not indented.
    fn sequence(&mut self, items: &[Value], place: Place) {
        let outer = self.indent;
        let same = matches!(place, Place::Key | Place::Value) && !self.is_indention;
        let indent = outer.map_or(0, |indent| if same { indent } else { indent + INDENT });
        self.indent = Some(indent);
        for item in items {
            self.new_line(indent);
            self.indicator("-", true, true);
            self.node(item, Place::Item);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, map: &serde_json::Map<String, Value>) {
        let outer = self.indent;
        let indent = outer.map_or(0, |indent| indent + INDENT);
        self.indent = Some(indent);
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            self.new_line(indent);
            let is_simple =
                !key.is_empty() && !key.contains(is_break) && key.chars().count() < MAX_KEY;
            if is_simple {
                self.scalar(key, Place::Key);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.scalar(key, Place::Value);
                self.new_line(indent);
                self.indicator(":", true, true);
            }
            self.node(value, Place::Value);
        }
        self.indent = outer;
    }

    fn scalar(&mut self, text: &str, place: Place) {
        let indent = self.indent.map_or(INDENT, |indent| indent + INDENT);
        let is_key = place == Place::Key;
        match style(text) {
            Style::Plain => self.plain(text, place),
            Style::Single => self.single_quoted(text, indent, !is_key),
            Style::Double => self.double_quoted(text, indent, !is_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, place: Place) {
        self.is_open |= place == Place::Root;
        if !self.is_blank {
            self.push(" ");
        }
        self.is_blank = false;
        self.is_indention = false;
        let indent = self.indent.map_or(INDENT, |indent| indent + INDENT);
        self.runs(text, indent, place != Place::Key);
    }

    fn single_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("'", true, false);
        self.runs(&text.replace('\'', "''"), indent, may_fold);
        self.indicator("'", false, false);
    }

    /// Writes a text that needs no escapes. A lone blank behind the width becomes a new line, and of the newlines one
    /// more is written than are meant.
    fn runs(&mut self, text: &str, indent: usize, may_fold: bool) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let class = |c: char| (c == ' ', c == '\n');
            let end = rest
                .find(|c| class(c) != class(first))
                .unwrap_or(rest.len());
            let (run, behind) = rest.split_at(end);
            let is_inner = rest.len() < text.len() && !behind.is_empty();
            if first == '\n' {
                self.line_break();
                run.chars().for_each(|_| self.line_break());
                self.new_line(indent);
            } else if run == " " && is_inner && may_fold && self.column > WIDTH {
                self.new_line(indent);
            } else {
                self.push(run);
            }
            rest = behind;
        }
        if !text.is_empty() {
            self.is_blank = false;
            self.is_indention = false;
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("\"", true, false);
        let chars: Vec<char> = text.chars().collect();
        // What is to be written as it is, before the character at `at`.
        let mut pending = String::new();
        for (at, &c) in chars.iter().enumerate() {
            let escape = escape(c);
            let mut ahead = pending.chars().count();
            if let Some(escape) = &escape {
                self.push(&std::mem::take(&mut pending));
                self.push(escape);
                ahead = 0;
            }
            let is_inner = at > 0 && at + 1 < chars.len();
            let may_break = c == ' ' || ahead == 0;
            // An escape is counted as one character less.
            let column = self.column + ahead - usize::from(escape.is_some());
            if is_inner && may_fold && may_break && column > WIDTH {
                self.push(&std::mem::take(&mut pending));
                self.push("\\");
                self.new_line(indent);
                self.is_blank = false;
                self.is_indention = false;
                let next = if escape.is_some() { chars[at + 1] } else { c };
                if next == ' ' {
                    self.push("\\");
                }
            }
            if escape.is_none() {
                pending.push(c);
            }
        }
        self.push(&pending);
        self.indicator("\"", false, false);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let leading = if text.starts_with([' ', '\n']) {
            "2"
        } else {
            ""
        };
        let trailing = match text.strip_suffix('\n') {
            None => "-",
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => "+",
            Some(_) => "",
        };
        self.indicator(&format!("|{leading}{trailing}"), true, false);
        self.is_open = trailing == "+";
        self.line_break();
        for line in text.split_terminator('\n') {
            if !line.is_empty() {
                self.new_line(indent);
                self.push(line);
            }
            self.line_break();
        }
    }

    fn indicator(&mut self, indicator: &str, wants_blank: bool, is_indention: bool) {
        if wants_blank && !self.is_blank {
            self.push(" ");
        }
        self.push(indicator);
        self.is_blank = false;
        self.is_indention &= is_indention;
        self.is_open = false;
    }

    /// Goes to a column, on this line where nothing is in the way.
    fn new_line(&mut self, indent: usize) {
        if !self.is_indention || self.column > indent || self.column == indent && !self.is_blank {
            self.line_break();
        }
        if self.column < indent {
            let blanks = " ".repeat(indent - self.column);
            self.push(&blanks);
            self.is_blank = true;
        }
    }

    fn line_break(&mut self) {
        self.text.push('\n');
        self.column = 0;
        self.is_blank = true;
        self.is_indention = true;
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

/// How a text must be written: as plainly as can be, but so that it is read as this text again.
fn style(text: &str) -> Style {
    let printable = |c: char| c == '\n' || (' '..='~').contains(&c);
    let needs_escapes = !text.chars().all(printable) || text.contains(" \n");
    let lines = text.strip_suffix('\n').unwrap_or(text);
    let is_other_type = || {
        OTHER_TYPES
            .as_ref()
            .is_none_or(|types| types.is_match(text))
    };
    let is_long = lines.contains('\n');
    if needs_escapes || is_long && text.ends_with(' ') {
        Style::Double
    } else if is_long {
        Style::Literal
    } else if text != text.trim_matches([' ', '\n']) || has_indicators(text) || is_other_type() {
        Style::Single
    } else {
        Style::Plain
    }
}

/// Whether something in a text has a meaning in YAML.
fn has_indicators(text: &str) -> bool {
    let ends = |rest: &str| rest.chars().next().is_none_or(is_blank);
    let at_start = match text.chars().next() {
        Some('?' | '-') => ends(&text[1..]),
        Some(c) => "#,[]{}&*!|>'\"%@`".contains(c),
        None => false,
    };
    at_start
        || text.starts_with("---")
        || text.starts_with("...")
        || text.contains(" #")
        || text.match_indices(':').any(|(at, _)| ends(&text[at + 1..]))
}

/// The escape of a character in double quotes, if it wants one.
fn escape(c: char) -> Option<String> {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        ' '..='~' => return None,
        '\0'..='\u{ff}' => return Some(format!("\\x{:02X}", u32::from(c))),
        '\0'..='\u{ffff}' => return Some(format!("\\u{:04X}", u32::from(c))),
        c => return Some(format!("\\U{:08X}", u32::from(c))),
    };
    Some(format!("\\{short}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scalar(text: &str) -> String {
        let dumped = dump(&json!({"k": text}));
        dumped
            .strip_prefix("k: ")
            .and_then(|text| text.strip_suffix('\n'))
            .unwrap()
            .to_owned()
    }

    #[test]
    fn texts_that_mean_something_else_are_quoted() {
        for text in [
            "",
            "~",
            "null",
            "yes",
            "Off",
            "TRUE",
            "12",
            "-1_000",
            "017",
            "0x1F",
            "0b10",
            "1:30",
            "190:20:30.15",
            "1.",
            ".5",
            "1.5e+3",
            "-.inf",
            ".NaN",
            "=",
            "<<",
            "2020-05-13",
            "2020-5-1 1:00:00",
            "2020-05-13T10:00:00Z",
        ] {
            assert_eq!(scalar(text), format!("'{text}'"));
        }
        for text in [
            "y",
            "08",
            "1e3",
            "1.5e3",
            "0o17",
            "1:99",
            "2020-5-13",
            "nULL",
            "10m",
            "-",
        ] {
            let expected = if text == "-" { "'-'" } else { text };
            assert_eq!(scalar(text), expected);
        }
    }

    #[test]
    fn indicators_are_quoted_where_they_mean_something() {
        for text in [
            "*a", "&a", "- a", "? a", "[a", "a: b", "a:", "a #b", "%a", "@a", "---a", " a", "a ",
        ] {
            assert_eq!(scalar(text), format!("'{text}'"));
        }
        for text in ["-a", "?a", "a:b", "a#b", "a*", "a, [b]", "a'b", "\\a"] {
            assert_eq!(scalar(text), text);
        }
        assert_eq!(scalar("'a"), "'''a'");
        assert_eq!(scalar("\"it's"), "'\"it''s'");
    }

    #[test]
    fn what_is_not_ascii_is_escaped() {
        assert_eq!(scalar("\u{e9}\"\\\t"), r#""\xE9\"\\\t""#);
        assert_eq!(scalar("\u{2019}\u{1f600}\u{a0}"), r#""\u2019\U0001F600\_""#);
    }

    #[test]
    fn lines() {
        assert_eq!(scalar("a\n"), "'a\n\n  '");
        assert_eq!(scalar("a\nb\n"), "|\n  a\n  b");
        assert_eq!(scalar("a\n\nb"), "|-\n  a\n\n  b");
        assert_eq!(scalar(" a\nb\n\n"), "|2+\n   a\n  b\n\n...");
        assert_eq!(scalar("a \nb"), r#""a \nb""#);
        assert_eq!(scalar("a\nb "), r#""a\nb ""#);
    }

    #[test]
    fn long_lines_are_folded_at_a_blank() {
        let long = "x".repeat(WIDTH);
        assert_eq!(scalar(&format!("{long} b c")), format!("{long}\n  b c"));
        assert_eq!(scalar(&format!("{long}  b c")), format!("{long}  b\n  c"));
        assert_eq!(scalar(&format!("*{long} b")), format!("'*{long}\n  b'"));
        assert_eq!(
            scalar(&format!("\u{e9}{long} bc d")),
            format!("\"\\xE9{long}\\\n  \\ bc d\"")
        );
    }

    #[test]
    fn blocks() {
        let value = json!({
            "b": [1, [true, null], {"y": [], "x": {}}],
            "a": {"c": {"d": "e"}},
            "": "empty",
        });
        let expected =
            "? ''\n: empty\na:\n  c:\n    d: e\nb:\n- 1\n- - true\n  - null\n- x: {}\n  y: []\n";
        assert_eq!(dump(&value), expected);
    }
}
