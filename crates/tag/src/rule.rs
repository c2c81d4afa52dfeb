//! What a tag says of a rule.

use attack::Attribution;

/// Everything that tags say of one rule, made once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTag {
    /// The rule's identity; tags are in its order.
    pub id: String,
    /// The title.
    pub title: String,
    /// The author, as written.
    pub author: Option<String>,
    /// The level, if the rule has one.
    pub level: Option<sigma::Level>,
    /// All tags of the rule, in its order, each with its namespace: `attack.t1218.005`.
    pub tags: Vec<String>,
    /// What the tags of the namespace `attack` mean.
    pub attack: Attribution,
}

impl RuleTag {
    /// What tags say of this rule.
    pub fn new(rule: &sigma::Rule) -> RuleTag {
        let tags: Vec<String> = rule.tags.iter().map(ToString::to_string).collect();
        RuleTag {
            id: rule.id.to_string(),
            title: rule.title.clone(),
            author: rule.author.clone(),
            level: rule.level,
            attack: attribute(&tags),
            tags,
        }
    }
}

/// What the tags of the namespace `attack` mean.
pub(crate) fn attribute(tags: &[String]) -> Attribution {
    attack::attribute(tags.iter().filter_map(|tag| tag.strip_prefix("attack.")))
}

/// A rule that a tag names, and the fields that it tells of.
pub(crate) type Named = (RuleTag, Vec<(String, String)>);

/// A rule that matches an event, and by what. An event has one hit per rule.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The rule.
    pub rule: &'a RuleTag,
    /// The fields that matched: path in the event, and value as text.
    pub fields: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_as_it_was_written() {
        let text = "title: Remote Page\nid: 5F1ABF3E-1234-4000-8000-000000000001\nauthor: Ada, Ben (idea)\nlevel: high\n\
            tags: [attack.defense-evasion, cve.2017-11882, attack.T1170]\nlogsource: {product: windows}\n\
            detection: {a: {b: c}, condition: a}\n";
        let source = sigma::Source {
            name: "rule.yml",
            text: text.as_bytes(),
        };
        let parsed = sigma::parse(&source);
        let [sigma::Document::Rule(rule)] = parsed.documents.as_slice() else {
            panic!("{:?}", parsed.diagnostics)
        };
        let tag = RuleTag::new(rule);
        assert_eq!(tag.id, "5f1abf3e-1234-4000-8000-000000000001");
        assert_eq!(tag.author.as_deref(), Some("Ada, Ben (idea)"));
        assert_eq!(tag.level, Some(sigma::Level::High));
        assert_eq!(
            tag.tags,
            ["attack.defense-evasion", "cve.2017-11882", "attack.t1170"]
        );
        let pairs: Vec<_> = tag.attack.pairs.iter().map(ToString::to_string).collect();
        assert_eq!(pairs, ["TA0005:T1218.005"]);
    }
}
