//! What the tags of one rule say in the matrix.

use std::fmt;

use crate::{Tactic, Technique, tactic, technique};

/// What one tag of the namespace `attack` speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A tactic; several when the name is that of a former tactic that was split.
    Tactics(Vec<&'static Tactic>),
    /// A technique of the table, perhaps a revoked one.
    Technique(&'static Technique),
    /// A group, software, mitigation or data source: well-formed, and not in the table.
    Other,
    /// None of these: a mistake, or younger than the table.
    Unknown,
}

/// What a tag without its `attack.` means: `t1218.005`, `stealth`, `ta0005`, `g0007`; in any case.
pub fn meaning(tag: &str) -> Meaning {
    if let Some(technique) = technique(tag) {
        return Meaning::Technique(technique);
    }
    let tactics: Vec<_> = tactic(tag).collect();
    if !tactics.is_empty() {
        Meaning::Tactics(tactics)
    } else if names_another_object(tag) {
        Meaning::Other
    } else {
        Meaning::Unknown
    }
}

/// Whether the tag is the id of a group, software, mitigation or data source.
fn names_another_object(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    ["g", "s", "m", "ds"].iter().any(|kind| {
        tag.strip_prefix(kind)
            .is_some_and(|number| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// The tactics and techniques of one rule, each once, in the version of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// In matrix order: those that the rule names, and those that [`pairs`](Self::pairs) took from ATT&CK.
    pub tactics: Vec<&'static Tactic>,
    /// In the order of the ids: those that the rule names, revoked ones replaced. A sub-technique does not bring its parent.
    pub techniques: Vec<&'static Technique>,
    /// By tactic, then technique. Every tactic and every technique above is in at least one pair.
    pub pairs: Vec<Pair>,
}

/// A technique and one tactic that it served, or a tactic alone. Its text is `TA0005:T1218.005`, or `TA0005`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Why.
    pub tactic: &'static Tactic,
    /// How, if the rule says so.
    pub technique: Option<&'static Technique>,
}

impl Pair {
    /// What pairs are sorted by: place in the matrix, then id of the technique, a tactic alone first.
    pub fn order(&self) -> (usize, Option<&'static str>) {
        (
            self.tactic.position(),
            self.technique.map(|technique| technique.id),
        )
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.technique {
            Some(technique) => write!(f, "{}:{}", self.tactic.id, technique.id),
            None => f.write_str(self.tactic.id),
        }
    }
}

/// Reads the tags of one rule, without their `attack.`; what is no tactic or technique is passed over.
///
/// A former tactic that was split means that successor which a technique of the rule serves; when none decides, it means
/// all of them. Each technique is paired with those of the rule's tactics that ATT&CK lists for it, or, when they have none
/// in common, with all that ATT&CK lists. A tactic that no technique was paired with stands alone.
pub fn attribute<'t>(tags: impl IntoIterator<Item = &'t str>) -> Attribution {
    let mut techniques: Vec<&Technique> = Vec::new();
    let mut named: Vec<Vec<&Tactic>> = Vec::new();
    for tag in tags {
        match meaning(tag) {
            Meaning::Technique(technique) => techniques.push(technique.current()),
            Meaning::Tactics(candidates) => named.push(candidates),
            Meaning::Other | Meaning::Unknown => {}
        }
    }
    techniques.sort_by_key(|technique| technique.id);
    techniques.dedup();

    let own: Vec<&Tactic> = named
        .iter()
        .flat_map(|candidates| decide(candidates, &techniques))
        .collect();
    let mut pairs: Vec<Pair> = techniques
        .iter()
        .flat_map(|technique| {
            served(technique, &own).into_iter().map(|tactic| Pair {
                tactic,
                technique: Some(technique),
            })
        })
        .collect();
    let alone = own
        .iter()
        .filter(|own| pairs.iter().all(|pair| pair.tactic != **own));
    let alone: Vec<Pair> = alone
        .map(|tactic| Pair {
            tactic,
            technique: None,
        })
        .collect();
    pairs.extend(alone);
    pairs.sort_by_key(Pair::order);
    pairs.dedup();

    let mut tactics: Vec<&Tactic> = pairs.iter().map(|pair| pair.tactic).collect();
    tactics.dedup();
    Attribution {
        tactics,
        techniques,
        pairs,
    }
}

/// Those of the candidates that a technique serves; all when none does.
fn decide(candidates: &[&'static Tactic], techniques: &[&Technique]) -> Vec<&'static Tactic> {
    let decided: Vec<_> = candidates
        .iter()
        .copied()
        .filter(|tactic| {
            techniques
                .iter()
                .any(|technique| technique.tactics.contains(tactic))
        })
        .collect();
    if decided.is_empty() {
        candidates.to_vec()
    } else {
        decided
    }
}

/// The tactics that a technique is paired with in a rule that has tactics of its own.
fn served(technique: &'static Technique, own: &[&'static Tactic]) -> Vec<&'static Tactic> {
    let common: Vec<_> = technique
        .tactics
        .iter()
        .copied()
        .filter(|tactic| own.contains(tactic))
        .collect();
    if common.is_empty() {
        technique.tactics.clone()
    } else {
        common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tactics, techniques and pairs of a rule with these tags, as texts.
    fn read(tags: &[&str]) -> [Vec<String>; 3] {
        let found = attribute(tags.iter().copied());
        [
            found
                .tactics
                .iter()
                .map(|t| t.short_name.to_owned())
                .collect(),
            found.techniques.iter().map(|t| t.id.to_owned()).collect(),
            found.pairs.iter().map(Pair::to_string).collect(),
        ]
    }

    #[test]
    fn a_technique_goes_with_the_tactics_that_the_rule_and_attack_share() {
        let [tactics, techniques, pairs] = read(&["persistence", "t1053.005"]);
        assert_eq!(tactics, ["persistence"]);
        assert_eq!(techniques, ["T1053.005"]);
        assert_eq!(pairs, ["TA0003:T1053.005"]);
    }

    #[test]
    fn without_a_shared_tactic_attacks_own_are_taken_and_the_rules_stands_alone() {
        let [tactics, _, pairs] = read(&["impact", "t1003.001"]);
        assert_eq!(tactics, ["credential-access", "impact"]);
        assert_eq!(pairs, ["TA0006:T1003.001", "TA0040"]);
    }

    #[test]
    fn a_technique_alone_brings_its_tactics_and_a_tactic_alone_stands_alone() {
        assert_eq!(
            read(&["t1053"])[2],
            ["TA0002:T1053", "TA0003:T1053", "TA0004:T1053"]
        );
        assert_eq!(read(&["discovery"])[2], ["TA0007"]);
        assert_eq!(attribute([]), Attribution::default());
    }

    #[test]
    fn order_is_the_matrix_then_the_id_and_nothing_is_doubled() {
        let [tactics, techniques, pairs] = read(&[
            "t1105",
            "T1059.001",
            "command_and_control",
            "t1105",
            "Execution",
            "ta0002",
            "execution",
        ]);
        assert_eq!(tactics, ["execution", "command-and-control"]);
        assert_eq!(techniques, ["T1059.001", "T1105"]);
        assert_eq!(pairs, ["TA0002:T1059.001", "TA0011:T1105"]);
    }

    #[test]
    fn revoked_techniques_are_replaced() {
        assert_eq!(read(&["t1170", "t1218.005"])[1], ["T1218.005"]);
    }

    #[test]
    fn a_split_tactic_is_decided_by_the_techniques() {
        assert_eq!(
            read(&["defense-evasion", "t1218.005"])[2],
            ["TA0005:T1218.005"]
        );
        assert_eq!(read(&["defense_evasion", "t1685"])[2], ["TA0112:T1685"]);
        assert_eq!(
            read(&["defense-evasion", "t1218.005", "t1685"])[2],
            ["TA0005:T1218.005", "TA0112:T1685"]
        );
        // Nothing decides: both.
        assert_eq!(read(&["defense-evasion"])[2], ["TA0005", "TA0112"]);
        assert_eq!(
            read(&["defense-evasion", "t1003"])[2],
            ["TA0005", "TA0112", "TA0006:T1003"]
        );
    }

    #[test]
    fn a_tag_is_a_tactic_a_technique_another_object_or_unknown() {
        assert!(matches!(meaning("T1059"), Meaning::Technique(t) if t.id == "T1059"));
        assert!(
            matches!(meaning("TA0112"), Meaning::Tactics(t) if t[0].short_name == "defense-impairment")
        );
        for tag in ["g0007", "S0154", "m1038", "ds0009"] {
            assert_eq!(meaning(tag), Meaning::Other, "{tag}");
        }
        for tag in ["", "t99999", "g007", "lateral movement", "défense"] {
            assert_eq!(meaning(tag), Meaning::Unknown, "{tag}");
        }
    }

    #[test]
    fn each_name_of_the_matrix_finds_its_tactic() {
        for wanted in crate::tactics() {
            for name in [
                wanted.id,
                wanted.short_name,
                &wanted.short_name.replace('-', "_"),
            ] {
                assert_eq!(tactic(name).collect::<Vec<_>>(), [wanted]);
            }
        }
    }
}
