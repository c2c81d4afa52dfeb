//! ATT&CK's names as sigmac's last version had them, for output that is equal to its; all else uses [`::attack`].
//!
//! A line of `attack.tsv` is `id`, `tactics`, `name`, between tabs, sorted by id; `tactics` are ids between blanks, and none
//! for tactics themselves. The name of a sub-technique comes without that of its technique. Where Enterprise, Mobile and
//! ICS have a tactic of the same name, the first one stands for all, as in sigmac.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A tactic, technique or sub-technique.
#[derive(Debug)]
pub(crate) struct Cell {
    /// `TA0005`, `T1218`, `T1218.005`
    pub id: &'static str,
    /// Ids of the tactics that it serves.
    tactics: &'static str,
    name: &'static str,
}

static CELLS: LazyLock<BTreeMap<&'static str, Cell>> = LazyLock::new(|| {
    let cells = include_str!("attack.tsv").lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (id, tactics, name) = (columns.next()?, columns.next()?, columns.next()?);
        Some((id, Cell { id, tactics, name }))
    });
    cells.collect()
});

/// Every tactic, in the order of their ids.
pub(crate) fn tactics() -> impl Iterator<Item = &'static Cell> {
    CELLS.range("TA".."TB").map(|(_, cell)| cell)
}

/// The technique or sub-technique of an id.
pub(crate) fn technique(id: &str) -> Option<&'static Cell> {
    CELLS.get(id).filter(|cell| !cell.tactics.is_empty())
}

impl Cell {
    /// Its name, with the technique's before that of a sub-technique.
    pub fn name(&self) -> String {
        let parent = self.id.split_once('.').and_then(|(id, _)| CELLS.get(id));
        match parent {
            Some(parent) => format!("{}: {}", parent.name, self.name),
            None => self.name.to_owned(),
        }
    }

    /// Whether it is a technique of a tactic.
    pub fn serves(&self, tactic: &Cell) -> bool {
        self.tactics.split(' ').any(|id| id == tactic.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole() {
        let technique = technique("T1574.001").unwrap();
        assert_eq!(
            technique.name(),
            "Hijack Execution Flow: DLL Search Order Hijacking"
        );
        let served: Vec<String> = tactics()
            .filter(|tactic| technique.serves(tactic))
            .map(Cell::name)
            .collect();
        assert_eq!(
            served,
            ["Persistence", "Privilege Escalation", "Defense Evasion"]
        );
    }

    #[test]
    fn every_line_is_read() {
        assert_eq!(CELLS.len(), include_str!("attack.tsv").lines().count());
        assert!(technique("TA0005").is_none());
    }
}
