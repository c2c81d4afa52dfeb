//! What a tag looks like, and what becomes of events that are odd or tagged already.

mod common;

use common::{SOURCE, apply, hits, remove, rule, rules, tagger};
use event::Event;
use serde_json::{Value, json};
use tag::{Hit, Outcome, Profile, RuleTag, Source, Tagger};

const EVENT: &str =
    r#"{"@timestamp":"2026-11-24T08:59:58Z", "record":18446744073709551616, "tags":["proxy"]}"#;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

#[test]
fn an_event_tagged_for_ecs() {
    let rules = rules();
    let (tagged, outcome) = apply(
        &tagger(Profile::Ecs),
        EVENT,
        &hits(&rules[..1]),
        Some(&SOURCE),
    );
    assert_eq!(outcome, Outcome::Tagged);
    assert_eq!(
        tagged,
        [
            r#"{"@timestamp":"2026-11-24T08:59:58Z", "record":18446744073709551616, "tags":["proxy","sigma"],"#,
            r#""threat":{"framework":"MITRE ATT&CK","tactic":{"id":["TA0005"],"name":["Stealth"]},"#,
            r#""technique":{"id":["T1218"],"name":["System Binary Proxy Execution"],"#,
            r#""subtechnique":{"id":["T1218.005"],"name":["Mshta"]}}},"#,
            r#""sigma":{"rule":{"id":["0b1e5a52-0000-4000-8000-00000000000a"],"name":["Script Host Runs a Remote Page"]},"#,
            r#""level":["high"],"severity":4,"attack":["TA0005:T1218.005"],"#,
            r#""ruleset":"9f2c01ab","tagged_at":"2026-11-24T09:00:00Z","source":{"file":"logs/a.jsonl","line":3},"#,
            r#""matches":[{"id":"0b1e5a52-0000-4000-8000-00000000000a","title":"Script Host Runs a Remote Page","#,
            r#""author":"Ada Example, Ben \"B\" Example","level":"high","#,
            r#""tags":["attack.defense-evasion","attack.t1218.005","cve.2017-11882"],"#,
            r#""fields":{"process.command_line":"mshta.exe http://x"}}],"#,
            r#""added":{"tags":["sigma"],"threat.framework":["MITRE ATT&CK"],"threat.tactic.id":["TA0005"],"#,
            r#""threat.tactic.name":["Stealth"],"threat.technique.id":["T1218"],"#,
            r#""threat.technique.name":["System Binary Proxy Execution"],"threat.technique.subtechnique.id":["T1218.005"],"#,
            r#""threat.technique.subtechnique.name":["Mshta"],"was":{"threat":"absent"}}}}"#,
        ]
        .concat()
    );
}

#[test]
fn an_event_tagged_for_ee_outliers() {
    let rules = rules();
    let (tagged, outcome) = apply(
        &tagger(Profile::EeOutliers),
        EVENT,
        &hits(&rules[..1]),
        Some(&SOURCE),
    );
    assert_eq!(outcome, Outcome::Tagged);
    assert_eq!(
        tagged,
        [
            r#"{"@timestamp":"2026-11-24T08:59:58Z", "record":18446744073709551616, "tags":["proxy","outlier"],"#,
            r#""outliers":{"type":["Sigma hit","attack.defense-evasion","attack.t1218.005","cve.2017-11882"],"#,
            r#""reason":["Sigma hit - Script Host Runs a Remote Page"],"#,
            r#""summary":["Sigma hit - Script Host Runs a Remote Page"],"#,
            r#""rule_author":["Ada Example, Ben \"B\" Example"],"#,
            r#""model_name":["sigma_0b1e5a52-0000-4000-8000-00000000000a"],"model_type":["simplequery"],"total_outliers":1}}"#,
        ]
        .concat()
    );
}

#[test]
fn an_event_tagged_for_both() {
    let rules = rules();
    let (both, _) = apply(&tagger(Profile::Both), EVENT, &hits(&rules), Some(&SOURCE));
    let (ecs, _) = apply(&tagger(Profile::Ecs), EVENT, &hits(&rules), Some(&SOURCE));
    let (outliers, _) = apply(
        &tagger(Profile::EeOutliers),
        EVENT,
        &hits(&rules),
        Some(&SOURCE),
    );
    let (mut both, ecs, outliers) = (parsed(&both), parsed(&ecs), parsed(&outliers));
    assert_eq!(both["tags"], json!(["proxy", "sigma", "outlier"]));
    assert_eq!(both["outliers"], outliers["outliers"]);
    assert_eq!(both["threat"], ecs["threat"]);
    both["sigma"]["added"] = ecs["sigma"]["added"].clone();
    assert_eq!(both["sigma"], ecs["sigma"]);
}

#[test]
fn several_rules_stand_in_the_order_of_their_ids() {
    let rules = rules();
    let mut hits = hits(&rules);
    hits.rotate_left(1);
    let tagged = parsed(&apply(&tagger(Profile::Ecs), EVENT, &hits, None).0);
    let [a, b, c] = &rules;
    assert_eq!(tagged["sigma"]["rule"]["id"], json!([a.id, b.id, c.id]));
    assert_eq!(tagged["sigma"]["level"], json!(["high", "low"]));
    assert_eq!(tagged["sigma"]["severity"], json!(4));
    assert_eq!(
        tagged["sigma"]["attack"],
        json!(["TA0005:T1218.005", "TA0007", "TA0002:T1059.001"])
    );
    assert_eq!(
        tagged["threat"]["tactic"]["id"],
        json!(["TA0005", "TA0007", "TA0002"])
    );
    assert_eq!(
        tagged["threat"]["technique"]["id"],
        json!(["T1218", "T1059"])
    );
    assert!(tagged["sigma"]["matches"][1].get("author").is_none());
}

#[test]
fn a_rule_without_level_and_attack_leaves_no_severity_and_no_threat() {
    let rules = [rule("1", "Plain", None, None, &[])];
    let tagged = parsed(&apply(&tagger(Profile::Ecs), "{}", &hits(&rules), None).0);
    assert!(tagged.get("threat").is_none());
    assert!(tagged["sigma"].get("severity").is_none());
    assert_eq!(
        tagged["sigma"]["added"],
        json!({"tags": ["sigma"], "was": {"tags": "absent"}})
    );
}

#[test]
fn at_most_twenty_fields_are_told_each_cut_at_256_characters() {
    let rules = rules();
    let fields = (10..40)
        .map(|n| (format!("f{n}"), "é".repeat(300)))
        .collect();
    let tagged = parsed(
        &apply(
            &tagger(Profile::Ecs),
            "{}",
            &[Hit {
                rule: &rules[0],
                fields,
            }],
            None,
        )
        .0,
    );
    let fields = tagged["sigma"]["matches"][0]["fields"].as_object().unwrap();
    assert_eq!(fields.len(), 20);
    assert!(
        fields
            .values()
            .all(|value| value.as_str().unwrap().chars().count() == 256)
    );
    assert!(fields.contains_key("f29") && !fields.contains_key("f30"));
}

#[test]
fn tags_of_any_shape_are_kept_and_come_back() {
    let rules = rules();
    for (tags, tagged_as) in [
        (r#""vip""#, json!(["vip", "sigma"])),
        (r#"["vip", {"a":1e400}]"#, json!(null)),
        (r#"{"a":1}"#, json!([{"a": 1}, "sigma"])),
        ("null", json!(["sigma"])),
        ("[]", json!(["sigma"])),
        ("7", json!([7, "sigma"])),
        (r#""sigma""#, json!("sigma")),
        (r#"["sigma", "sigma"]"#, json!(["sigma", "sigma"])),
    ] {
        let event = format!(r#"{{"tags" : {tags}}}"#);
        let (tagged, _) = apply(&tagger(Profile::Ecs), &event, &hits(&rules), None);
        if !tagged_as.is_null() {
            assert_eq!(parsed(&tagged)["tags"], tagged_as);
        }
        assert_eq!(remove(&tagged), (event, Outcome::Removed));
    }
}

#[test]
fn what_threat_says_already_is_added_to_in_its_own_spelling() {
    let rules = rules();
    let event = r#"{"threat.technique.id":"T1218","threat":{"tactic":{"id":["TA0001"]},"technique.name":"X"}}"#;
    let (tagged, _) = apply(&tagger(Profile::Ecs), event, &hits(&rules[..1]), None);
    let value = parsed(&tagged);
    assert_eq!(value["threat.technique.id"], json!("T1218")); // there already
    assert_eq!(value["threat"]["tactic"]["id"], json!(["TA0001", "TA0005"]));
    assert_eq!(
        value["threat"]["technique.name"],
        json!(["X", "System Binary Proxy Execution"])
    );
    assert_eq!(
        value["threat"]["technique"]["subtechnique"]["id"],
        json!(["T1218.005"])
    );
    assert!(value["sigma"]["added"].get("threat.technique.id").is_none());
    assert_eq!(remove(&tagged).0, event);
}

#[test]
fn a_threat_that_is_no_object_is_left_alone() {
    let rules = rules();
    for threat in [r#""high""#, "[1]", "3"] {
        let event = format!(r#"{{"threat":{threat}}}"#);
        let (tagged, outcome) = apply(&tagger(Profile::Ecs), &event, &hits(&rules), None);
        assert_eq!(outcome, Outcome::Tagged);
        assert_eq!(parsed(&tagged)["threat"], parsed(threat));
        assert_eq!(remove(&tagged).0, event);
    }
}

#[test]
fn a_foreign_sigma_is_a_conflict_and_stays() {
    let rules = rules();
    for event in [
        r#"{"sigma":"σ"}"#,
        r#"{"sigma":{}}"#,
        r#"{"sigma":null}"#,
        r#"{"sigma":[{}]}"#,
        r#"{"sigma":[{"tags":["x"]}]}"#,
        r#"{"sigma.x":1}"#,
        r#"{"sigma":{"added":{"message":["x"]}},"message":["x"]}"#, // claims a field that is never shared
        r#"{"sigma":{"added":{"tags":["x"]}},"sigma":1,"tags":["x"]}"#,
    ] {
        for profile in [Profile::Ecs, Profile::Both] {
            let passed = apply(&tagger(profile), event, &hits(&rules), None);
            assert_eq!(passed, (event.to_owned(), Outcome::Conflict("sigma")));
        }
        assert_eq!(remove(event), (event.to_owned(), Outcome::Unchanged));
    }
    // ee-outliers does not need the field here.
    let (tagged, outcome) = apply(
        &tagger(Profile::EeOutliers),
        r#"{"sigma":"σ"}"#,
        &hits(&rules),
        None,
    );
    assert_eq!(
        (outcome, parsed(&tagged)["sigma"].clone()),
        (Outcome::Tagged, json!("σ"))
    );
}

#[test]
fn an_outliers_that_is_no_object_or_has_no_count_is_a_conflict() {
    let rules = rules();
    for event in [
        r#"{"outliers":"x"}"#,
        r#"{"outliers":[]}"#,
        r#"{"outliers":{"total_outliers":"many"}}"#,
        r#"{"outliers":{"total_outliers":18446744073709551615}}"#,
    ] {
        let passed = apply(&tagger(Profile::EeOutliers), event, &hits(&rules), None);
        assert_eq!(passed, (event.to_owned(), Outcome::Conflict("outliers")));
        assert_eq!(
            apply(&tagger(Profile::Ecs), event, &hits(&rules), None).1,
            Outcome::Tagged
        );
    }
}

#[test]
fn tags_that_would_be_nested_too_deep_are_a_conflict() {
    let rules = rules();
    let deep = |levels: usize| {
        format!(
            r#"{{"tags":{}1{}}}"#,
            r#"{"a":"#.repeat(levels),
            "}".repeat(levels)
        )
    };
    let (fits, does_not) = (deep(event::MAX_DEPTH - 2), deep(event::MAX_DEPTH - 1));
    let (tagged, _) = apply(&tagger(Profile::Ecs), &fits, &hits(&rules), None);
    assert_eq!(remove(&tagged), (fits, Outcome::Removed));
    let passed = apply(&tagger(Profile::Ecs), &does_not, &hits(&rules), None);
    assert_eq!(passed, (does_not, Outcome::Conflict("tags")));
}

/// An event as ee-outliers leaves it after the use case that was converted from the first rule.
fn event_of_ee_outliers() -> String {
    json!({"a": 1, "tags": ["outlier"], "outliers": {
        "type": ["Sigma hit", "attack.t1218.005"], "reason": ["Sigma hit - Script Host Runs a Remote Page"],
        "summary": ["Sigma hit - Script Host Runs a Remote Page"], "elasticsearch_filter": ["{}"],
        "model_name": ["sigma_0b1e5a52-0000-4000-8000-00000000000a"], "model_type": ["simplequery"], "total_outliers": 1}})
    .to_string()
}

#[test]
fn outliers_that_are_there_are_merged_with_and_not_doubled() {
    let rules = rules();
    let event = event_of_ee_outliers();
    let once = apply(
        &tagger(Profile::EeOutliers),
        &event,
        &hits(&rules[..1]),
        None,
    );
    assert_eq!(once, (event.clone(), Outcome::Unchanged));

    let (merged, _) = apply(&tagger(Profile::EeOutliers), &event, &hits(&rules), None);
    let value = parsed(&merged);
    assert_eq!(value["outliers"]["total_outliers"], json!(3));
    assert_eq!(
        value["outliers"]["type"],
        json!([
            "Sigma hit",
            "attack.t1218.005",
            "Sigma hit",
            "attack.discovery",
            "Sigma hit",
            "attack.execution",
            "attack.t1059.001",
            "attack.t1218.005"
        ])
    );
    // The third rule has the title of the first; it is another outlier all the same.
    assert_eq!(
        value["outliers"]["summary"][2],
        value["outliers"]["summary"][0]
    );
    assert_eq!(value["outliers"]["rule_author"], json!(["Ada Example"]));
    assert!(value["sigma"].get("rule").is_none() && value["sigma"].get("added").is_some());
    assert_eq!(remove(&merged), (event, Outcome::Removed));
}

#[test]
fn an_equal_tag_passes_as_it_is_also_when_somebody_wrote_the_event_anew() {
    let rules = rules();
    for profile in Profile::ALL {
        let (tagged, _) = apply(
            &tagger(profile),
            r#"{"a":1,"tags":"x"}"#,
            &hits(&rules),
            Some(&SOURCE),
        );
        let later = tag::Tagger {
            ruleset: "other".into(),
            tagged_at: "2027-01-01T00:00:00Z".into(),
            ..tagger(profile)
        };
        let elsewhere = Source::File {
            file: "b".into(),
            position: tag::Position::Record(9),
        };
        let anew = serde_json::to_string_pretty(&parsed(&tagged)).unwrap();
        for text in [tagged, anew] {
            let again = apply(&later, &text, &hits(&rules), Some(&elsewhere));
            assert_eq!(again, (text.clone(), Outcome::Unchanged));
            assert_eq!(parsed(&remove(&text).0), json!({"a": 1, "tags": "x"}));
        }
    }
}

#[test]
fn another_tag_is_renewed_and_keeps_the_first_source() {
    let rules = rules();
    let later = tag::Tagger {
        tagged_at: "2027-01-01T00:00:00Z".into(),
        ..tagger(Profile::Ecs)
    };
    let elsewhere = Source::File {
        file: "b".into(),
        position: tag::Position::Record(9),
    };
    let (tagged, _) = apply(&tagger(Profile::Ecs), EVENT, &hits(&rules), Some(&SOURCE));
    let (renewed, outcome) = apply(&later, &tagged, &hits(&rules[1..2]), Some(&elsewhere));
    assert_eq!(outcome, Outcome::Renewed);
    assert_eq!(
        renewed,
        apply(&later, EVENT, &hits(&rules[1..2]), Some(&SOURCE)).0
    );
    assert_eq!(
        apply(&later, &renewed, &[], None),
        (EVENT.to_owned(), Outcome::Removed)
    );
}

#[test]
fn a_tag_under_an_escaped_key_is_found() {
    let rules = rules();
    for (profile, key, escaped) in [
        (Profile::Ecs, r#""sigma":{"#, r#""\u0073igma":{"#),
        (
            Profile::EeOutliers,
            r#""outliers":{"#,
            r#""\u006Futliers":{"#,
        ),
    ] {
        let (tagged, _) = apply(&tagger(profile), r#"{"tags":["x"]}"#, &hits(&rules), None);
        let tagged = tagged.replace(key, escaped);
        assert!(tagged.contains(escaped));
        assert_eq!(
            apply(&tagger(profile), &tagged, &hits(&rules), None),
            (tagged.clone(), Outcome::Unchanged)
        );
        assert_eq!(
            remove(&tagged),
            (r#"{"tags":["x"]}"#.to_owned(), Outcome::Removed)
        );
    }
}

#[test]
fn a_tag_that_lost_a_part_is_made_whole_again() {
    let rules = rules();
    for profile in [Profile::Ecs, Profile::Both] {
        let (tagged, _) = apply(&tagger(profile), EVENT, &hits(&rules), None);
        let (mended, outcome) = apply(
            &tagger(profile),
            &tagged.replace(r#""proxy","sigma""#, r#""proxy""#),
            &hits(&rules),
            None,
        );
        assert_eq!((mended, outcome), (tagged, Outcome::Renewed));
    }
}

#[test]
fn what_others_add_later_stays_when_the_tag_goes() {
    let rules = rules();
    let (tagged, _) = apply(
        &tagger(Profile::Both),
        r#"{"tags":"x"}"#,
        &hits(&rules),
        None,
    );
    let mut value = parsed(&tagged);
    value["tags"].as_array_mut().unwrap().push(json!("y"));
    value["threat"]["indicator"] = json!({"ip": "192.0.2.1"});
    let touched = value.to_string();
    assert_eq!(
        apply(&tagger(Profile::Both), &touched, &hits(&rules), None),
        (touched.clone(), Outcome::Unchanged)
    );
    assert_eq!(
        parsed(&remove(&touched).0),
        json!({"tags": ["x", "y"], "threat": {"indicator": {"ip": "192.0.2.1"}}})
    );
}

#[test]
fn an_event_without_hits_and_tag_passes_as_it_is() {
    for event in ["{}", EVENT, r#"{"sigma":1}"#, &event_of_ee_outliers()] {
        for profile in Profile::ALL {
            assert_eq!(
                apply(&tagger(profile), event, &[], Some(&SOURCE)),
                (event.to_owned(), Outcome::Unchanged)
            );
        }
        assert_eq!(remove(event), (event.to_owned(), Outcome::Unchanged));
    }
}

/// Taking one rule away gives what tagging with the others would have given, but for when that was.
#[test]
fn one_rule_is_taken_away() {
    let rules = rules();
    let later = |text: &str| text.replace("2026-11-24T09:00:00Z", "2026-11-25T00:00:00Z");
    let without = |event: &str, id: &str| {
        let event = Event::parse(event.as_bytes()).expect(event);
        let mut out = Vec::new();
        let outcome = Tagger::remove_rule(&event, id, "2026-11-25T00:00:00Z", &mut out);
        (String::from_utf8(out).unwrap(), outcome)
    };
    for event in [
        r#"{"a": 1}"#,
        r#"{"a": 1, "tags": ["x"]}"#,
        r#"{"tags": "x", "threat": null, "a": [1.50]}"#,
        r#"{"outliers": {"type": ["other"], "summary": ["s"], "model_name": ["m"], "total_outliers": 1}, "tags": ["outlier"]}"#,
    ] {
        for profile in Profile::ALL {
            // Without a rule that has no author, so that it can be told which author is whose.
            let tagged_by: Vec<RuleTag> = match profile {
                Profile::EeOutliers => vec![rules[0].clone(), rules[2].clone()],
                _ => rules.to_vec(),
            };
            let tagger = tagger(profile);
            let (tagged, outcome) = apply(&tagger, event, &hits(&tagged_by), None);
            assert_eq!(outcome, Outcome::Tagged);
            assert_eq!(
                without(&tagged, "no such rule"),
                (tagged.clone(), Outcome::Unchanged)
            );
            let mut left = tagged_by.clone();
            let mut text = tagged;
            while let Some(gone) = left.pop() {
                let (now, outcome) = without(&text, &gone.id);
                let (expected, _) = apply(&tagger, event, &hits(&left), None);
                let now_expected = if left.is_empty() {
                    event.to_owned()
                } else {
                    later(&expected)
                };
                assert_eq!(now, now_expected, "{profile:?} without {}", gone.id);
                let is_last = left.is_empty();
                assert_eq!(
                    outcome,
                    if is_last {
                        Outcome::Removed
                    } else {
                        Outcome::Renewed
                    }
                );
                text = now;
            }
        }
        // With one author missing, the lists do not tell whose the others are.
        let (tagged, _) = apply(&tagger(Profile::EeOutliers), event, &hits(&rules), None);
        assert_eq!(
            without(&tagged, &rules[0].id),
            (tagged.clone(), Outcome::Conflict("outliers"))
        );
    }
    assert_eq!(without(r#"{"a": "sigma"}"#, "x").1, Outcome::Unchanged);
}
