//! Tagging is idempotent, and leaves no trace when it is undone; on events that are as odd as JSON allows.

mod common;

use common::{SOURCE, apply, hits, remove, rules, tagger};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;
use tag::{Outcome, Profile, RuleTag, Tagger};

/// A JSON value whose numbers, duplicate keys and white space are kept when it is written.
#[derive(Debug, Clone)]
enum Json {
    Scalar(&'static str),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// Writes the value, with white space from `spaces` in turn between all tokens.
    fn write(&self, spaces: &mut dyn Iterator<Item = &'static str>, out: &mut String) {
        out.push_str(spaces.next().unwrap_or_default());
        match self {
            Json::Scalar(text) => out.push_str(text),
            Json::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    element.write(spaces, out);
                }
                out.push_str(if elements.is_empty() { "[ ]" } else { "]" });
            }
            Json::Object(members) => {
                for (index, (key, value)) in members.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    Json::Scalar(key).write(spaces, out);
                    out.push_str(spaces.next().unwrap_or_default());
                    out.push(':');
                    value.write(spaces, out);
                }
                out.push_str(if members.is_empty() { "{ }" } else { "}" });
            }
        }
        out.push_str(spaces.next().unwrap_or_default());
    }
}

/// Any value, rich in those that tags are made of.
fn value() -> impl Strategy<Value = Json> {
    let scalar = select(vec![
        "null",
        "true",
        "0",
        "1e400",
        "-0.0",
        "18446744073709551616",
        r#""""#,
        r#""x""#,
        r#""sigma""#,
        r#""sig\u006da""#,
        r#""outlier""#,
        r#""T1218""#,
        r#""TA0005""#,
        r#""Mshta""#,
        r#""MITRE ATT&CK""#,
        r#""\ud800""#,
        r#""[{,\"""#,
    ])
    .prop_map(Json::Scalar);
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::List),
            vec((select(vec![r#""a""#, r#""id""#]), inner), 0..3).prop_map(Json::Object),
        ]
    })
}

/// A strategy for an object with some of these members, in any order, some twice.
fn object(keys: &'static [&'static str], inner: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    let value = prop_oneof![1 => value().boxed(), 3 => inner];
    vec((select(keys), value), 0..6)
        .prop_map(Json::Object)
        .boxed()
}

fn threat() -> BoxedStrategy<Json> {
    const NAMES: &[&str] = &[r#""id""#, r#""name""#];
    let names = || object(NAMES, value().boxed());
    let technique = object(
        &[
            r#""id""#,
            r#""name""#,
            r#""subtechnique""#,
            r#""subtechnique.id""#,
            r#""subtechnique.name""#,
        ],
        names(),
    );
    object(
        &[
            r#""framework""#,
            r#""tactic""#,
            r#""tactic.id""#,
            r#""technique""#,
            r#""techni\u0071ue""#,
            r#""technique.id""#,
            r#""technique.subtechnique""#,
            r#""technique.subtechnique.id""#,
        ],
        prop_oneof![names(), technique].boxed(),
    )
}

/// What a program that is not sigtag left in `outliers`: it may be anything, but never looks as if sigtag wrote all of it.
fn outliers() -> BoxedStrategy<Json> {
    const TITLE: &str = r#""Sigma hit - Script Host Runs a Remote Page""#;
    const MODEL: &str = r#""sigma_0b1e5a52-0000-4000-8000-00000000000a""#;
    let list = |text| Just(Json::List(vec![Json::Scalar(text)]));
    let value = prop_oneof![
        list(TITLE),
        list(MODEL),
        value(),
        select(vec!["1", "2", "null"]).prop_map(Json::Scalar)
    ];
    object(
        &[
            r#""type""#,
            r#""reason""#,
            r#""summary""#,
            r#""model_name""#,
            r#""model_type""#,
            r#""total_outliers""#,
            r#""rule_author""#,
            r#""assets""#,
        ],
        value.boxed(),
    )
    .prop_map(|outliers| match outliers {
        Json::Object(mut members) => {
            members.push((r#""elasticsearch_filter""#, Json::List(vec![])));
            Json::Object(members)
        }
        other => other,
    })
    .boxed()
}

fn event() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        4 => (select(vec![r#""a""#, r#""""#, r#""x.y""#]), value()),
        4 => (Just(r#""tags""#), value()),
        4 => (Just(r#""threat""#), prop_oneof![1 => value().boxed(), 4 => threat()]),
        2 => (select(vec![r#""threat.technique""#, r#""threat.tactic""#]), threat()),
        2 => (select(vec![r#""threat.technique.id""#, r#""threat.tactic.id""#, r#""threat.framework""#]), value()),
        2 => (Just(r#""outliers""#), prop_oneof![1 => value().boxed(), 4 => outliers()]),
        1 => (select(vec![r#""outliers.type""#, r#""outliers.summary""#, r#""outliers.x""#]), value()),
        1 => (select(vec![r#""sigma""#, r#""sigma.x""#]), value()),
    ];
    let spaces = vec(select(vec!["", "", " ", "\n", "\t  "]), 1..9);
    (vec(member, 0..7), spaces).prop_map(|(members, spaces)| {
        let mut out = String::new();
        Json::Object(members).write(&mut spaces.into_iter().cycle(), &mut out);
        out
    })
}

/// Which of the rules hit.
fn some() -> impl Strategy<Value = Vec<usize>> {
    subsequence(vec![0, 1, 2], 1..=3)
}

fn rules_of(which: &[usize]) -> Vec<RuleTag> {
    which.iter().map(|index| rules()[*index].clone()).collect()
}

fn later(profile: Profile) -> Tagger {
    Tagger {
        ruleset: "later".into(),
        tagged_at: "2030-01-01T00:00:00Z".into(),
        ..tagger(profile)
    }
}

fn is_conflict(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Conflict(_))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_time_changes_nothing_and_removing_leaves_no_trace(
        event in event(), profile in select(&Profile::ALL[..]), which in some(),
    ) {
        let rules = rules_of(&which);
        let (tagged, outcome) = apply(&tagger(profile), &event, &hits(&rules), Some(&SOURCE));
        if is_conflict(outcome) {
            prop_assert_eq!(&tagged, &event);
            return Ok(());
        }
        let (again, second) = apply(&later(profile), &tagged, &hits(&rules), None);
        prop_assert_eq!(second, Outcome::Unchanged);
        prop_assert_eq!(&again, &tagged);

        let gone = if outcome == Outcome::Tagged { Outcome::Removed } else { Outcome::Unchanged };
        prop_assert_eq!(remove(&tagged), (event.clone(), gone));
        prop_assert_eq!(apply(&later(profile), &tagged, &[], None), (event, gone));
    }

    #[test]
    fn a_renewed_tag_is_the_tag_that_the_bare_event_would_get(
        event in event(), first in select(&Profile::ALL[..]), second in select(&Profile::ALL[..]),
        before in some(), now in some(),
    ) {
        let (before, now) = (rules_of(&before), rules_of(&now));
        let (tagged, outcome) = apply(&tagger(first), &event, &hits(&before), Some(&SOURCE));
        let (renewed, again) = apply(&tagger(second), &tagged, &hits(&now), Some(&SOURCE));
        let (direct, fresh) = apply(&tagger(second), &event, &hits(&now), Some(&SOURCE));
        if !is_conflict(outcome) && !is_conflict(fresh) {
            prop_assert_eq!(renewed, direct);
        } else {
            prop_assert!(is_conflict(again) || is_conflict(outcome));
        }
    }

    #[test]
    fn an_event_that_was_written_anew_has_its_tag_still(
        event in event(), profile in select(&Profile::ALL[..]), which in some(),
    ) {
        let rules = rules_of(&which);
        let (tagged, outcome) = apply(&tagger(profile), &event, &hits(&rules), Some(&SOURCE));
        // What serde_json cannot hold (1e400, lone surrogates) does not come through the hands of others either.
        let (Ok(value), Ok(bare)) = (serde_json::from_str::<Value>(&tagged), serde_json::from_str::<Value>(&event)) else {
            return Ok(());
        };
        if outcome != Outcome::Tagged {
            return Ok(());
        }
        let anew = format!("{value:#}");
        prop_assert_eq!(apply(&later(profile), &anew, &hits(&rules), None), (anew.clone(), Outcome::Unchanged));
        let removed: Value = serde_json::from_str(&remove(&anew).0).unwrap();
        prop_assert_eq!(removed, bare);
    }
}
