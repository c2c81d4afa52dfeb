//! Hostile and broken text: one rejected document each, with its place, and the others are read.

mod support;

use proptest::prelude::*;
use sigma::{Severity, Source};
use std::fmt::Write;
use std::time::{Duration, Instant};
use support::{parse, reason, rule, with_detection, with_item};

const SOUND: &str = "title: sound\nlogsource: {product: a}\ndetection: {s: {f: a}, condition: s}\n";

/// A document that is rejected between two sound ones, and where.
fn rejected(document: &str) -> (&'static str, u32, u32) {
    let text = format!("{SOUND}---\n{document}\n---\n{SOUND}");
    // The second sound one has the identity of the first, which is of no concern to a single source.
    let parsed = parse(&text);
    assert_eq!(
        (parsed.documents.len(), parsed.set_aside.len()),
        (2, 1),
        "{document}\n{:#?}",
        parsed.diagnostics
    );
    let reason = &parsed.set_aside[0].reason;
    assert_eq!(reason.severity, Severity::Error);
    assert!(reason.location.span.end as usize <= text.len());
    (
        reason.code,
        reason.location.line() - 4,
        reason.location.column(),
    )
}

#[test]
fn what_is_wrong_with_yaml_rejects_one_document() {
    for (document, code, line, column) in [
        ("title: a\ntitle: b", "duplicate-key", 2, 1),
        ("a: {b: 1, c: 2, b: 3}", "duplicate-key", 1, 17),
        ("a: [1, 2", "yaml", 1, 4),
        ("a: 'x", "yaml", 1, 4),
        ("a:\n\t- b", "yaml", 2, 2),
        ("a: b: c", "yaml", 1, 5),
        ("a: *nobody", "yaml", 1, 4),
        ("a: &x [*x]", "alias-of-itself", 1, 8),
        ("a: &x {b: *x}", "alias-of-itself", 1, 11),
        ("a: !!python/object:os.system {}", "yaml-tag", 1, 4),
        ("a: !own b", "yaml-tag", 1, 4),
        ("a: !!int b", "yaml-tag", 1, 4),
        ("a: !!set {b, c}", "yaml-tag", 1, 4),
        ("? [a, b]\n: c", "odd-key", 1, 3),
        ("<<: b\na: c", "merge-key", 1, 5),
        ("<<: [{a: b}, c]", "merge-key", 1, 14),
    ] {
        assert_eq!(rejected(document), (code, line, column), "{document}");
    }
}

#[test]
fn nesting_has_an_end() {
    for document in [
        "[".repeat(100_000),
        format!("a: {}{}", "[".repeat(100), "]".repeat(100)),
        format!("a: {}{}", "{a: ".repeat(100), "}".repeat(100)),
        format!("{}a", "- ".repeat(50_000)),
        (0..1_000).fold(String::new(), |mut text, depth| {
            let _ = writeln!(text, "{}a:", " ".repeat(depth));
            text
        }),
    ] {
        let parsed = parse(&document);
        assert!(parsed.documents.is_empty() && parsed.set_aside.len() == 1);
    }
    // Each of these is flat, but the last, written out, is not.
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..100 {
        let _ = writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert_eq!(rejected(&chain).0, "too-deep");
    let nested_search = format!(
        "    s: {}{{f: a}}{}\n    condition: s",
        "[".repeat(50),
        "]".repeat(50)
    );
    rule(&with_detection(&nested_search));
}

#[test]
fn an_alias_bomb_is_defused() {
    let mut bomb = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        let _ = writeln!(bomb, "a{level}: &a{level} [{below}]");
    }
    let text = format!("{SOUND}---\n{bomb}");
    let parsed = parse(&text);
    assert_eq!(parsed.documents.len(), 1);
    assert_eq!(parsed.set_aside[0].reason.code, "too-many-nodes");

    let mut long = format!("a: &a '{}'\nb: [", "x".repeat(1_000_000));
    long.push_str(&"*a, ".repeat(10_000));
    long.push(']');
    assert_eq!(
        reason(&long).code,
        "too-many-nodes",
        "a long text counts by its length"
    );
}

#[test]
fn aliases_and_merge_keys_are_written_out() {
    let rule = rule(concat!(
        "title: t\nlogsource: &log {product: a}\n",
        "detection:\n    base: &base {f: &v a, g: b}\n",
        "    own: {<<: *base, g: c, h: *v}\n    condition: own and base\n",
    ));
    let own = &rule.detection.searches[1].node;
    let sigma::Node::All(nodes) = own else {
        panic!("{own:?}")
    };
    let fields: Vec<_> = nodes
        .iter()
        .map(|node| match node {
            sigma::Node::Item(item) => (item.field.as_deref().unwrap(), &item.values),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        fields.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
        ["f", "g", "h"]
    );
    assert_eq!(
        fields[1].1,
        &[sigma::Value::String(sigma::Pattern::parse("c"))],
        "its own key wins"
    );
}

#[test]
fn a_file_that_is_no_text_is_rejected_at_the_byte() {
    let place = |text: &[u8]| {
        let parsed = sigma::parse(&Source { name: "x", text });
        let reason = parsed.set_aside[0].reason.clone();
        assert!(parsed.documents.is_empty());
        (
            reason.code,
            reason.location.line(),
            reason.location.column(),
        )
    };
    assert_eq!(place(b"title: a\nau: \xff"), ("not-utf-8", 2, 5));
    assert_eq!(
        place("é: \u{e9}".as_bytes().get(..5).unwrap()),
        ("not-utf-8", 1, 4)
    );
    assert_eq!(
        place(b"a: \xed\xa0\x80"),
        ("not-utf-8", 1, 4),
        "a surrogate"
    );
    assert_eq!(
        place(b"a: \xc0\xaf"),
        ("not-utf-8", 1, 4),
        "an overlong form"
    );
    assert_eq!(place(b"\xff\xfet\0i\0"), ("not-utf-8", 1, 1), "UTF-16");
    assert_eq!(place(&vec![b'#'; (10 << 20) + 1]), ("file-too-big", 1, 1));
}

#[test]
fn a_byte_order_mark_blank_lines_and_comments_do_no_harm() {
    let crlf = SOUND.replace('\n', "\r\n");
    for text in [
        format!("\u{feff}{SOUND}"),
        format!("# c\n\n---\n{SOUND}...\n"),
        format!("---\n---\n{SOUND}---\n"),
        crlf,
    ] {
        rule(&text);
    }
    for text in ["", "\n", "# nothing", "---", "null", "\u{feff}"] {
        let parsed = parse(text);
        assert!(
            parsed.documents.is_empty() && parsed.diagnostics.is_empty(),
            "{text:?} {:?}",
            parsed.diagnostics
        );
    }
}

#[test]
fn a_syntax_error_in_one_document_leaves_those_behind_it() {
    let text = format!("a: [1, 2\n---\n{SOUND}---\nb: 'x\n---\n");
    let parsed = parse(&text);
    assert_eq!(
        (parsed.documents.len(), parsed.set_aside.len()),
        (1, 2),
        "{:#?}",
        parsed.diagnostics
    );
}

#[test]
fn places_are_counted_in_characters_and_bytes() {
    let text = with_item("'é–f|foo': a");
    let reason = reason(&text);
    assert_eq!((reason.location.line(), reason.location.column()), (6, 14));
    assert_eq!(&text[reason.location.span.bytes()], "foo");
}

/// Much of one thing takes no more than its size.
#[test]
fn much_of_one_thing_is_no_trap() {
    let searches: String = (0..20_000).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "    s{at}: {{f: a}}");
        text
    });
    let many = |unit: &str| unit.repeat(20_000);
    let texts = [
        with_detection(&format!("{searches}    condition: 1 of s*")),
        with_detection(&format!(
            "{searches}    condition: s1 {}",
            many(" or 1 of s*")
        )),
        with_detection(&format!(
            "{searches}    condition: s1 {}",
            many(" or s19999")
        )),
        with_detection(&format!(
            "    s: [{}]\n    condition: s {}",
            many("{f: a}, "),
            many(" or s")
        )),
        with_item(&format!("f: [{}]", many("a*b?, "))),
        with_item(&format!("f|windash: [{}]", many("'-a -b -c', "))),
        with_item(&format!("f|windash: '{}'", many("-a "))),
        with_item(&format!("f|expand: '{}'", many("%a "))),
        with_item(&format!("f|re: '{}'", many("[a"))),
        with_item(&format!("f|re: '{}'", many("(a|"))),
        with_item(&format!("f: 0x{}", many("f"))),
        with_item(&format!("f: {}", many("9"))),
        with_item(&format!("f: '{}'", many("\\"))),
        with_item(&format!("f{}: a", "|contains".repeat(100))),
        format!(
            "title: t\nreferences: [{}]\ntags: [{}]\n",
            many("a, "),
            many("a.b, ")
        ),
        format!("{SOUND}---\n{}", many("action: repeat\n---\n")),
        format!(
            "action: global\nx: [{}]\n---\n{}",
            many("a, "),
            many("title: t\n---\n")
        ),
        format!(
            "x:\n{}",
            (0..20_000).fold(String::new(), |mut text, at| {
                let _ = writeln!(text, "  k{at}: {at}");
                text
            })
        ),
    ];
    for text in texts {
        let start = Instant::now();
        let parsed = parse(&text);
        assert!(start.elapsed() < Duration::from_secs(5), "{}", &text[..60]);
        assert!(parsed.documents.len() + parsed.set_aside.len() > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        sigma::Collection::load([Source { name: "x", text: &text }]);
    }

    /// Pieces of the language in any order: deeper into the crate than bytes get.
    #[test]
    fn any_pieces_are_read_without_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        let parsed = parse(&text);
        for diagnostic in &parsed.diagnostics {
            let span = diagnostic.location.span;
            prop_assert!(text.get(span.bytes()).is_some(), "{} in {:?}", diagnostic, text);
        }
    }

    #[test]
    fn any_item_is_read_without_panic(
        modifiers in prop::collection::vec(prop::sample::select(sigma::Modifier::ALL), 0..4),
        value in "[-/a*?%\\\\é.({\\[|0-9 ]{0,8}",
    ) {
        let chain: String = modifiers.iter().map(|modifier| format!("|{}", modifier.as_str())).collect();
        parse(&with_item(&format!("f{chain}: '{value}'")));
        parse(&with_item(&format!("f{chain}: {value}")));
    }

    #[test]
    fn any_condition_is_read_without_panic(
        words in prop::collection::vec(prop::sample::select(&["sel", "not", "and", "or", "1", "all", "of", "them", "(", ")", "s*", "|"][..]), 0..12),
    ) {
        parse(&with_detection(&format!("    sel: {{f: a}}\n    condition: '{}'", words.join(" "))));
    }
}

const PIECES: &[&str] = &[
    "title: t\n",
    "logsource: {product: a}\n",
    "detection:\n",
    "  s:\n",
    "    f|contains: a\n",
    "    - a\n",
    "  condition: s\n",
    "---\n",
    "action: global\n",
    "action: repeat\n",
    "filter:\n",
    "  rules: any\n",
    "correlation:\n",
    "  type: temporal\n",
    "  rules: [a, b]\n",
    "  timespan: 5m\n",
    "  condition: {gte: 1}\n",
    "&a ",
    "*a",
    "<<: ",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "'",
    "\"",
    "\t",
    "é",
    "\n",
    "? ",
    "- ",
    "!!str ",
    "|\n",
    "  ",
    "null",
    "\u{feff}",
    "#",
    "...\n",
    "%",
];
