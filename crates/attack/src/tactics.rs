//! The columns of the matrix.

/// A tactic: why an attacker does something.
#[derive(Debug, PartialEq, Eq)]
pub struct Tactic {
    /// `TA0005`
    pub id: &'static str,
    /// The name in tags: `lateral-movement`.
    pub short_name: &'static str,
    /// The name for people: `Lateral Movement`.
    pub name: &'static str,
    /// Former short names. Two tactics may share one: Defense Evasion was split in ATT&CK v19.
    pub aliases: &'static [&'static str],
}

const fn row(id: &'static str, short_name: &'static str, name: &'static str) -> Tactic {
    renamed(id, short_name, name, &[])
}

const fn renamed(
    id: &'static str,
    short_name: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
) -> Tactic {
    Tactic {
        id,
        short_name,
        name,
        aliases,
    }
}

static TACTICS: [Tactic; 15] = [
    row("TA0043", "reconnaissance", "Reconnaissance"),
    row("TA0042", "resource-development", "Resource Development"),
    row("TA0001", "initial-access", "Initial Access"),
    row("TA0002", "execution", "Execution"),
    row("TA0003", "persistence", "Persistence"),
    row("TA0004", "privilege-escalation", "Privilege Escalation"),
    renamed("TA0005", "stealth", "Stealth", &["defense-evasion"]),
    renamed(
        "TA0112",
        "defense-impairment",
        "Defense Impairment",
        &["defense-evasion"],
    ),
    row("TA0006", "credential-access", "Credential Access"),
    row("TA0007", "discovery", "Discovery"),
    row("TA0008", "lateral-movement", "Lateral Movement"),
    row("TA0009", "collection", "Collection"),
    row("TA0011", "command-and-control", "Command and Control"),
    row("TA0010", "exfiltration", "Exfiltration"),
    row("TA0040", "impact", "Impact"),
];

/// Every tactic, in the order of the matrix.
pub fn tactics() -> &'static [Tactic] {
    &TACTICS
}

/// The tactics that an id (`TA0005`), a short name or a former short name can mean, in matrix order; any case, and `_` is
/// as good as `-`. Nearly always one; none when the name is unknown, two when a former tactic was split.
///
/// ```
/// let names = |n| attack::tactic(n).map(|t| t.name).collect::<Vec<_>>();
/// assert_eq!(names("initial_access"), ["Initial Access"]);
/// assert_eq!(names("ta0005"), ["Stealth"]);
/// assert_eq!(names("defense-evasion"), ["Stealth", "Defense Impairment"]);
/// ```
pub fn tactic(name: &str) -> impl Iterator<Item = &'static Tactic> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    TACTICS.iter().filter(move |tactic| {
        tactic.id.eq_ignore_ascii_case(&name)
            || tactic.short_name == name
            || tactic.aliases.contains(&name.as_str())
    })
}

impl Tactic {
    /// The place in the matrix, from 0 (Reconnaissance).
    pub fn position(&self) -> usize {
        TACTICS
            .iter()
            .position(|tactic| tactic.id == self.id)
            .unwrap_or(TACTICS.len())
    }
}
