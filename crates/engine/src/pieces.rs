//! Rules as trees over numbered tests, split into pieces.

use predicate::{Predicate, Test};

/// A tree over tests that are known by their numbers.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(u32),
}

/// Which outcomes a tree can have when only some tests are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Possible {
    pub(crate) truth: bool,
    pub(crate) falsehood: bool,
}

/// How many pieces a rule may become. What stays together costs time, never a hit.
const MAX_PIECES: usize = 64;

/// How many nodes all pieces together may have, if that is more than four times what the rule has.
const MIN_SIZE: usize = 4_096;

impl Node {
    /// The tree of `predicate`, its tests numbered by `number`.
    pub(crate) fn new<'p>(
        predicate: &'p Predicate,
        number: &mut impl FnMut(&'p Test) -> u32,
    ) -> Node {
        match predicate {
            Predicate::All(parts) => {
                Node::All(parts.iter().map(|part| Node::new(part, number)).collect())
            }
            Predicate::Any(parts) => {
                Node::Any(parts.iter().map(|part| Node::new(part, number)).collect())
            }
            Predicate::Not(part) => Node::Not(Box::new(Node::new(part, number))),
            Predicate::Test(test) => Node::Test(number(test)),
        }
    }

    /// Whether this holds, given which tests do.
    pub(crate) fn holds(&self, test: &mut impl FnMut(u32) -> bool) -> bool {
        match self {
            Node::All(parts) => parts.iter().all(|part| part.holds(test)),
            Node::Any(parts) => parts.iter().any(|part| part.holds(test)),
            Node::Not(part) => !part.holds(test),
            Node::Test(number) => test(*number),
        }
    }

    /// Which outcomes this can have, given which outcomes each test can have. Tests are taken as independent, so that an
    /// outcome may be called possible that is not, never the other way round.
    pub(crate) fn possible(&self, test: &impl Fn(u32) -> Possible) -> Possible {
        match self {
            Node::All(parts) => parts.iter().fold(
                Possible {
                    truth: true,
                    falsehood: false,
                },
                |all, part| {
                    let part = part.possible(test);
                    Possible {
                        truth: all.truth && part.truth,
                        falsehood: all.falsehood || part.falsehood,
                    }
                },
            ),
            Node::Any(parts) => parts.iter().fold(
                Possible {
                    truth: false,
                    falsehood: true,
                },
                |any, part| {
                    let part = part.possible(test);
                    Possible {
                        truth: any.truth || part.truth,
                        falsehood: any.falsehood && part.falsehood,
                    }
                },
            ),
            Node::Not(part) => {
                let part = part.possible(test);
                Possible {
                    truth: part.falsehood,
                    falsehood: part.truth,
                }
            }
            Node::Test(number) => test(*number),
        }
    }

    /// Visits the number of every test.
    pub(crate) fn for_each_test(&self, visit: &mut impl FnMut(u32)) {
        match self {
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_test(visit))
            }
            Node::Not(part) => part.for_each_test(visit),
            Node::Test(number) => visit(*number),
        }
    }

    /// Splits this into pieces of which any must hold: every "or" over several fields is multiplied out, as far as the
    /// pieces stay few and small together. `field` says which field a test is on.
    pub(crate) fn split(self, field: &impl Fn(u32) -> u32) -> Vec<Node> {
        self.pieces(field).unwrap_or_else(|| vec![self])
    }

    /// The pieces, or none if this stays whole.
    fn pieces(&self, field: &impl Fn(u32) -> u32) -> Option<Vec<Node>> {
        match self {
            Node::Any(parts) if !is_on_one_field(parts, field) => {
                let mut pieces = Vec::new();
                for part in parts {
                    match part.pieces(field) {
                        Some(more) => pieces.extend(more),
                        None => pieces.push(part.clone()),
                    }
                    if pieces.len() > MAX_PIECES {
                        return None;
                    }
                }
                Some(pieces)
            }
            Node::All(parts) => {
                let most = (4 * self.size()).max(MIN_SIZE);
                let mut size = 0;
                let mut pieces: Vec<Vec<Node>> = vec![Vec::new()];
                for part in parts {
                    let choices = part
                        .pieces(field)
                        .filter(|choices| choices.len() * pieces.len() <= MAX_PIECES);
                    let choices = choices.unwrap_or_else(|| vec![part.clone()]);
                    size = size * choices.len()
                        + pieces.len() * choices.iter().map(Node::size).sum::<usize>();
                    if size > most {
                        return None;
                    }
                    let extended = |piece: &Vec<Node>, choice: &Node| -> Vec<Node> {
                        piece.iter().chain([choice]).cloned().collect()
                    };
                    pieces = match &*choices {
                        [choice] => {
                            pieces
                                .iter_mut()
                                .for_each(|piece| piece.push(choice.clone()));
                            pieces
                        }
                        choices => pieces
                            .iter()
                            .flat_map(|piece| {
                                choices.iter().map(move |choice| extended(piece, choice))
                            })
                            .collect(),
                    };
                }
                Some(pieces.into_iter().map(Node::All).collect())
            }
            Node::Any(_) | Node::Not(_) | Node::Test(_) => None,
        }
    }

    /// How many nodes this has.
    fn size(&self) -> usize {
        match self {
            Node::All(parts) | Node::Any(parts) => 1 + parts.iter().map(Node::size).sum::<usize>(),
            Node::Not(part) => 1 + part.size(),
            Node::Test(_) => 1,
        }
    }
}

fn is_on_one_field(parts: &[Node], field: &impl Fn(u32) -> u32) -> bool {
    let mut first = None;
    let mut same = true;
    parts.iter().for_each(|part| {
        part.for_each_test(&mut |test| same &= *first.get_or_insert(field(test)) == field(test))
    });
    same
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node() -> impl Strategy<Value = Node> {
        let leaf = (0u32..12).prop_map(Node::Test);
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Node::All),
                prop::collection::vec(inner.clone(), 0..4).prop_map(Node::Any),
                inner.prop_map(|part| Node::Not(Box::new(part))),
            ]
        })
    }

    #[test]
    fn nested_choices_do_not_blow_up() {
        // (a0 or b0) and (a1 or ((a2 or b2) and (a3 or …))), each on a field of its own.
        let nested = (0..60).fold(Node::Test(0), |inner, n| {
            let choice = Node::Any(vec![Node::Test(4 * n + 1), Node::Test(4 * n + 2)]);
            Node::All(vec![choice, Node::Any(vec![Node::Test(4 * n + 3), inner])])
        });
        let pieces = nested.split(&|test| test);
        assert!(
            pieces.len() <= MAX_PIECES && pieces.iter().map(Node::size).sum::<usize>() < 100_000
        );
    }

    proptest! {
        #[test]
        fn pieces_mean_the_same(node in node(), truth in any::<u16>()) {
            let mut holds = |test: u32| truth >> test & 1 == 1;
            let whole = node.holds(&mut holds);
            let pieces = node.split(&|test| test / 3);
            prop_assert_eq!(pieces.iter().any(|piece| piece.holds(&mut holds)), whole);
        }

        #[test]
        fn what_is_true_is_possible(node in node(), truth in any::<u16>(), known in any::<u16>()) {
            let outcome = node.holds(&mut |test| truth >> test & 1 == 1);
            let possible = node.possible(&|test| match known >> test & 1 {
                1 => Possible { truth: truth >> test & 1 == 1, falsehood: truth >> test & 1 == 0 },
                _ => Possible { truth: true, falsehood: true },
            });
            let allowed = if outcome { possible.truth } else { possible.falsehood };
            prop_assert!(allowed);
        }
    }
}
