//! The rules of the house that no compiler knows: what `ARCHITECTURE.md` says of the crates is true.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
};

use crate::workspace::{Crate, Workspace};

/// The most lines that `ARCHITECTURE.md` may have; longer, nobody reads it.
const MAX_LINES: usize = 200;

/// Where the repository breaks its own rules: one sentence each.
pub fn violations() -> Result<Vec<String>, Box<dyn Error>> {
    let architecture = fs::read_to_string(testkit::workspace_root().join("ARCHITECTURE.md"))?;
    Ok(compare(&architecture, &Workspace::load()?.crates))
}

fn compare(architecture: &str, crates: &[Crate]) -> Vec<String> {
    let table = Table::read(architecture);
    let mut violations = Vec::new();

    let lines = architecture.lines().count();
    if lines > MAX_LINES {
        violations.push(format!(
            "ARCHITECTURE.md has {lines} lines; at most {MAX_LINES} are allowed"
        ));
    }
    for (row, uses) in &table.0 {
        for name in uses
            .iter()
            .chain([row])
            .filter(|name| !crates.iter().any(|member| member.name == **name))
        {
            violations.push(format!("the row of `{row}` in ARCHITECTURE.md names `{name}`, which is no crate of the workspace"));
        }
    }
    for Crate { name, folder, uses } in crates {
        if folder != &Path::new("crates").join(name) && folder != Path::new("xtask") {
            violations.push(format!(
                "`{name}` lies in {}; a crate lies in `crates/`, in a folder of its name",
                folder.display()
            ));
        }
        if !table.0.contains_key(name) {
            violations.push(format!(
                "`{name}` has no row in the table of ARCHITECTURE.md"
            ));
            continue;
        }
        let allowed = table.reachable(name);
        for used in uses.iter().filter(|used| !allowed.contains(used.as_str())) {
            violations.push(format!(
                "`{name}` depends on `{used}`; the table of ARCHITECTURE.md does not allow it"
            ));
        }
    }
    violations
}

/// Each crate with those that stand in its column "may use".
struct Table(BTreeMap<String, Vec<String>>);

impl Table {
    /// Reads the rows below the header `| crate | … | may use |`.
    fn read(architecture: &str) -> Table {
        let is_header =
            |line: &&str| line.starts_with("| crate ") && line.trim_end().ends_with("| may use |");
        let rows = architecture
            .lines()
            .skip_while(|line| !is_header(line))
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        Table(rows.filter_map(Table::row).collect())
    }

    fn row(line: &str) -> Option<(String, Vec<String>)> {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
        let name = in_backticks(cells.first()?).next()?;
        Some((
            name.to_owned(),
            in_backticks(cells.last()?).map(str::to_owned).collect(),
        ))
    }

    /// The crates that a crate may use, directly or through one that it may use.
    fn reachable(&self, name: &str) -> BTreeSet<&str> {
        let uses = |name| self.0.get(name).into_iter().flatten().map(String::as_str);
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = uses(name).collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(uses(next));
            }
        }
        reached
    }
}

/// The words of a text that stand between backticks.
fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_as_architecture_md_says() {
        assert_eq!(
            violations().expect("ARCHITECTURE.md and cargo metadata can be read"),
            [""; 0]
        );
    }

    const TABLE: &str = "\
# Map

| crate | what lives there | may use |
| --- | --- | --- |
| `event` | one `event` | – |
| `input` | files | `event` |
| `tagger` | the work | `input` |

| other | table |
| --- | --- |
| `x` | `y` |
";

    fn member(name: &str, uses: &[&str]) -> Crate {
        Crate {
            name: name.into(),
            folder: Path::new("crates").join(name),
            uses: uses.iter().map(|name| (*name).into()).collect(),
        }
    }

    fn house() -> Vec<Crate> {
        vec![
            member("event", &[]),
            member("input", &["event"]),
            member("tagger", &["input", "event"]),
        ]
    }

    #[test]
    fn a_house_in_order_has_no_violations() {
        assert_eq!(compare(TABLE, &house()), [""; 0]);
    }

    #[test]
    fn each_violation_is_named() {
        let upwards = [&house()[1..], &[member("event", &["tagger"])]].concat();
        let without_tagger = house()[..2].to_vec();
        let with_another = [house(), vec![member("store", &[])]].concat();
        let elsewhere = [
            &house()[1..],
            &[Crate {
                folder: "crates/events".into(),
                ..member("event", &[])
            }],
        ]
        .concat();
        let long = format!("{TABLE}{}", "\n".repeat(MAX_LINES));
        for (architecture, crates, part) in [
            (TABLE, upwards, "`event` depends on `tagger`"),
            (TABLE, without_tagger, "names `tagger`, which is no crate"),
            (TABLE, with_another, "`store` has no row"),
            (TABLE, elsewhere, "`event` lies in crates/events"),
            (&long, house(), "ARCHITECTURE.md has 2"),
        ] {
            let violations = compare(architecture, &crates);
            assert!(
                violations.len() == 1 && violations[0].contains(part),
                "{part}: {violations:?}"
            );
        }
    }
}
