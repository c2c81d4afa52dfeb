//! Conditions: words of their language in any order.

use fuzz::TEST_TIME;
use mapping::Mapping;
use sigma::{Document, Source};

const WORDS: [&str; 20] = [
    "a", "b", "ab", "a*", "*", "them", "and", "or", "not", "1 of", "all of", "any of", "(", ")",
    "1", "of", "|", "count()", "''", "\u{212a}",
];

#[test]
fn conditions_are_read_or_refused() {
    bolero::check!()
        .with_type::<Vec<u8>>()
        .with_test_time(TEST_TIME)
        .for_each(|words| {
            let word = |word: &u8| WORDS[usize::from(*word) % WORDS.len()];
            let condition: Vec<&str> = words.iter().map(word).collect();
            let condition = condition.join(" ").replace('\'', "''");
            let rule = format!(
                "title: x\nlogsource: {{category: c}}\ndetection:\n  a: {{f: 1}}\n  b: {{f: 2}}\n  ab: [x]\n  condition: '{condition}'\n"
            );
            check(rule.as_bytes());
        });
}

/// Reads and maps all documents.
pub fn check(text: &[u8]) {
    let parsed = sigma::parse(&Source { name: "x", text });
    for aside in &parsed.set_aside {
        assert!(aside.reason.sets_aside(), "{aside:?}");
        assert!(parsed.diagnostics.contains(&aside.reason), "{aside:?}");
    }
    for diagnostic in &parsed.diagnostics {
        for label in &diagnostic.labels {
            let span = label.location.span.bytes();
            assert!(
                span.start <= span.end && span.end <= text.len(),
                "{diagnostic:?}"
            );
        }
    }
    let mapping = Mapping::builtin();
    for document in parsed.documents {
        if let Document::Rule(rule) = document {
            // Why it cannot be mapped is for the user; here it only matters that an answer comes.
            let _ = mapping.map(&rule);
        }
    }
}
