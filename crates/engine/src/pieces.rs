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

/// How many pieces a rule may become; beyond it the rest stays together, which costs time, never a hit.
const MAX_PIECES: usize = 64;

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

    /// Splits this into pieces of which any must hold: every "or" over several fields is multiplied out. `field` says
    /// which field a test is on.
    pub(crate) fn split(self, field: &impl Fn(u32) -> u32) -> Vec<Node> {
        match self {
            Node::Any(parts) if !is_on_one_field(&parts, field) => {
                let pieces: Vec<Node> = parts
                    .into_iter()
                    .flat_map(|part| part.split(field))
                    .collect();
                if pieces.len() > MAX_PIECES {
                    vec![Node::Any(pieces)]
                } else {
                    pieces
                }
            }
            Node::All(parts) => {
                let mut pieces: Vec<Vec<Node>> = vec![Vec::new()];
                for part in parts {
                    let choices = part.split(field);
                    if choices.len() * pieces.len() > MAX_PIECES {
                        let part = Node::Any(choices);
                        pieces.iter_mut().for_each(|piece| piece.push(part.clone()));
                    } else if let [choice] = &*choices {
                        pieces
                            .iter_mut()
                            .for_each(|piece| piece.push(choice.clone()));
                    } else {
                        let extended = |piece: &Vec<Node>, choice: &Node| {
                            piece.iter().chain([choice]).cloned().collect()
                        };
                        pieces = pieces
                            .iter()
                            .flat_map(|piece| {
                                choices.iter().map(move |choice| extended(piece, choice))
                            })
                            .collect();
                    }
                }
                pieces.into_iter().map(Node::All).collect()
            }
            node => vec![node],
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
