//! The cells of the matrix, read once from `techniques.tsv`.
//!
//! A line is `id`, `status`, `tactics`, `name`, between tabs, sorted by id. `status` is empty for an active technique,
//! `deprecated`, or the id of the successor of a revoked one; `tactics` are ids in matrix order, between blanks.

use std::sync::LazyLock;

use crate::Tactic;

/// A technique or sub-technique: how an attacker does something.
#[derive(Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1218` or `T1218.005`
    pub id: &'static str,
    /// Its own name, without the parent's: `Mshta`.
    pub name: &'static str,
    /// The tactics that it serves, in matrix order; none when it is revoked.
    pub tactics: Vec<&'static Tactic>,
    /// The technique that a sub-technique belongs to.
    pub parent: Option<&'static str>,
    /// Whether it is still in use.
    pub status: Status,
}

/// Whether ATT&CK still uses a technique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Part of the matrix.
    Active,
    /// No longer part of the matrix, without a successor.
    Deprecated,
    /// Replaced by the technique with this id.
    RevokedBy(&'static str),
}

impl Technique {
    /// The technique that stands for this one today: itself, or the last successor of a revoked one.
    pub fn current(&'static self) -> &'static Technique {
        match self.status {
            Status::RevokedBy(successor) => technique(successor).map_or(self, Technique::current),
            Status::Active | Status::Deprecated => self,
        }
    }
}

static TECHNIQUES: LazyLock<Vec<Technique>> = LazyLock::new(|| {
    include_str!("techniques.tsv")
        .lines()
        .filter_map(read)
        .collect()
});

fn read(line: &'static str) -> Option<Technique> {
    let mut columns = line.split('\t');
    let id = columns.next()?;
    let status = match columns.next()? {
        "" => Status::Active,
        "deprecated" => Status::Deprecated,
        successor => Status::RevokedBy(successor),
    };
    let tactics = columns
        .next()?
        .split_whitespace()
        .flat_map(crate::tactic)
        .collect();
    let name = columns.next()?;
    let parent = id.split_once('.').map(|(parent, _)| parent);
    Some(Technique {
        id,
        name,
        tactics,
        parent,
        status,
    })
}

/// Every technique, also revoked and deprecated ones, in the order of the ids.
pub fn techniques() -> &'static [Technique] {
    &TECHNIQUES
}

/// The technique with this id, in any case. It may be revoked: [`Technique::current`] follows.
///
/// ```
/// assert_eq!(attack::technique("t1218.005").unwrap().name, "Mshta");
/// assert!(attack::technique("t9999").is_none());
/// ```
pub fn technique(id: &str) -> Option<&'static Technique> {
    let id = id.to_ascii_uppercase();
    let at = TECHNIQUES
        .binary_search_by(|technique| technique.id.cmp(&id))
        .ok()?;
    TECHNIQUES.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_sorted() {
        let count =
            |wanted: fn(&Status) -> bool| techniques().iter().filter(|t| wanted(&t.status)).count();
        assert_eq!(
            techniques().len(),
            include_str!("techniques.tsv").lines().count()
        );
        assert_eq!(count(|s| *s == Status::Active), 697);
        assert_eq!(count(|s| *s == Status::Deprecated), 12);
        assert_eq!(count(|s| matches!(s, Status::RevokedBy(_))), 149);
        assert!(techniques().is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn every_chain_of_revocations_ends() {
        for technique in techniques() {
            assert_eq!(
                technique.current().status == Status::Deprecated,
                technique.status == Status::Deprecated
            );
            assert!(
                !matches!(technique.current().status, Status::RevokedBy(_)),
                "{}",
                technique.id
            );
        }
        assert_eq!(technique("T1073").unwrap().current().id, "T1574.001"); // two steps
    }

    #[test]
    fn parents_exist_and_are_active_where_the_child_is() {
        for technique in techniques() {
            let Some(parent) = technique.parent else {
                continue;
            };
            let parent = super::technique(parent).expect(technique.id);
            assert!(
                technique.status != Status::Active || parent.status == Status::Active,
                "{}",
                technique.id
            );
        }
    }

    #[test]
    fn tactics_are_recorded_in_matrix_order_for_all_but_revoked_ones() {
        for technique in techniques() {
            let revoked = matches!(technique.status, Status::RevokedBy(_));
            assert_eq!(technique.tactics.is_empty(), revoked, "{}", technique.id);
            assert!(
                technique.tactics.is_sorted_by_key(|t| t.position()),
                "{}",
                technique.id
            );
        }
        let ids: Vec<_> = technique("t1053")
            .unwrap()
            .tactics
            .iter()
            .map(|t| t.id)
            .collect();
        assert_eq!(ids, ["TA0002", "TA0003", "TA0004"]);
    }
}
