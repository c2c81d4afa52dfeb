//! Rules and a way to tag, for the tests.

use event::Event;
use tag::{Hit, Outcome, Position, Profile, RuleTag, Source, Tagger};

/// A rule with these tags.
pub fn rule(
    id: &str,
    title: &str,
    author: Option<&str>,
    level: Option<sigma::Level>,
    tags: &[&str],
) -> RuleTag {
    RuleTag {
        id: id.to_owned(),
        title: title.to_owned(),
        author: author.map(str::to_owned),
        level,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        attack: attack::attribute(tags.iter().filter_map(|tag| tag.strip_prefix("attack."))),
    }
}

/// Three rules; the second has neither author nor level nor technique, the first and the third have one title.
pub fn rules() -> [RuleTag; 3] {
    [
        rule(
            "0b1e5a52-0000-4000-8000-00000000000a",
            "Script Host Runs a Remote Page",
            Some("Ada Example, Ben \"B\" Example"),
            Some(sigma::Level::High),
            &[
                "attack.defense-evasion",
                "attack.t1218.005",
                "cve.2017-11882",
            ],
        ),
        rule(
            "77777777-0000-4000-8000-00000000000b",
            "Odd Parent",
            None,
            None,
            &["attack.discovery"],
        ),
        rule(
            "ffffffff-0000-4000-8000-00000000000c",
            "Script Host Runs a Remote Page",
            Some("Ada Example"),
            Some(sigma::Level::Low),
            &["attack.execution", "attack.t1059.001", "attack.t1218.005"],
        ),
    ]
}

/// Hits of rules, each with one field.
pub fn hits(rules: &[RuleTag]) -> Vec<Hit<'_>> {
    let fields = vec![(
        "process.command_line".to_owned(),
        "mshta.exe http://x".to_owned(),
    )];
    rules
        .iter()
        .map(|rule| Hit {
            rule,
            fields: fields.clone(),
        })
        .collect()
}

pub fn tagger(profile: Profile) -> Tagger {
    Tagger {
        profile,
        ruleset: "9f2c01ab".into(),
        tagged_at: "2026-11-24T09:00:00Z".into(),
    }
}

pub const SOURCE: Source<'static> = Source::File {
    file: std::borrow::Cow::Borrowed("logs/a.jsonl"),
    position: Position::Line(3),
};

pub fn apply(
    tagger: &Tagger,
    event: &str,
    hits: &[Hit<'_>],
    source: Option<&Source<'_>>,
) -> (String, Outcome) {
    let event = Event::parse(event.as_bytes()).expect(event);
    let mut out = Vec::new();
    let outcome = tagger.apply(&event, hits, source, &mut out);
    (String::from_utf8(out).unwrap(), outcome)
}

pub fn remove(event: &str) -> (String, Outcome) {
    let event = Event::parse(event.as_bytes()).expect(event);
    let mut out = Vec::new();
    let outcome = Tagger::remove(&event, &mut out);
    (String::from_utf8(out).unwrap(), outcome)
}
