//! The engine against the meaning: any bytes are a few rules and events, and both must give the same hits.

use engine::{Branch, Ruleset};
use event::Event;
use fuzz::TEST_TIME;
use predicate::{
    Comparison, Decimal, Field, Matcher, Part, Pattern, Predicate, Regex, Relation, Test,
};
use std::sync::Arc;

const PATHS: [&str; 8] = ["a", "b", "b.c", "c", "b.*", "*.a", "tags", "sigma"];
const KEYS: [&str; 8] = ["a", "b", "c", "b.c", " a", "\\u0061", "tags", "sigma"];
const TEXTS: [&str; 16] = [
    "a", "A", "ab", "aB\\", "\\a", "k", "\u{212a}", "ſ", "é", "", "1", "1.0", "true", "10.0.0.1",
    "x\ny", "\"",
];
const NUMBERS: [&str; 6] = ["0", "1", "1.5", "-1", "9007199254740993", "1e999"];
const REGEXES: [&str; 6] = ["a", "^a", "(?i)K", "a.*b", "^$", "(a+)+$"];

#[test]
fn the_engine_and_the_reference_evaluation_agree() {
    bolero::check!()
        .with_max_len(2_000)
        .with_test_time(TEST_TIME)
        .for_each(|bytes: &[u8]| {
            let mut dice = Dice(bytes);
            let rules = dice.some(8, |dice| dice.some(2, Dice::branch));
            let events = dice.some(6, |dice| dice.object(3));
            let ruleset = Ruleset::compile(rules.clone());
            let mut matcher = ruleset.matcher();
            // Twice, so that what was learned about values is used, too.
            for text in events.iter().chain(&events) {
                let event = Event::parse(text.as_bytes()).unwrap();
                let holds = |branch: &Branch| {
                    branch.condition.matches(&event) && branch.detection.matches(&event)
                };
                let hit = |(_, rule): &(u32, &Vec<Branch>)| rule.iter().any(holds);
                let hits: Vec<u32> = (0..)
                    .zip(&rules)
                    .filter(hit)
                    .map(|(number, _)| number)
                    .collect();
                assert_eq!(
                    matcher.matches(text.as_bytes()).unwrap().rules,
                    hits,
                    "{text}"
                );
            }
        });
}

/// Decides by the next byte; when there is none, always for the first.
struct Dice<'b>(&'b [u8]);

impl Dice<'_> {
    fn below(&mut self, sides: usize) -> usize {
        self.0
            .split_off_first()
            .map_or(0, |byte| usize::from(*byte) % sides)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// From one to so many.
    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| make(self)).collect()
    }

    fn branch(&mut self) -> Branch {
        let condition = match self.below(3) {
            0 => Predicate::All(Vec::new()),
            1 => Predicate::Test(Test::Value(
                Field::path("c"),
                Matcher::text(self.one(&TEXTS)),
            )),
            _ => self.predicate(2),
        };
        Branch {
            condition,
            detection: self.predicate(4),
        }
    }

    fn predicate(&mut self, depth: usize) -> Predicate {
        match self.below(if depth == 0 { 3 } else { 6 }) {
            0..3 => Predicate::Test(self.test()),
            3 => Predicate::All(self.some(3, |dice| dice.predicate(depth - 1))),
            4 => Predicate::Any(self.some(3, |dice| dice.predicate(depth - 1))),
            _ => Predicate::Not(Box::new(self.predicate(depth - 1))),
        }
    }

    fn test(&mut self) -> Test {
        use Relation::{Contains, EndsWith, Equals, StartsWith};
        match self.below(9) {
            8 => Test::Indexed(self.field(), self.below(4)),
            0 => Test::Null(self.field()),
            1 => Test::Present(self.field()),
            2 => Test::Keyword(self.matcher()),
            3 => {
                let relation = self.one(&[Equals, StartsWith, EndsWith, Contains]);
                Test::Refer(self.field(), relation, self.field())
            }
            _ => Test::Value(self.field(), self.matcher()),
        }
    }

    fn field(&mut self) -> Field {
        Field::path(self.one(&PATHS))
    }

    fn matcher(&mut self) -> Matcher {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match self.below(8) {
            0 => Matcher::Number(self.number()),
            1 => Matcher::Bool(self.below(2) == 0),
            2 => Matcher::Regex(Arc::new(Regex::new(self.one(&REGEXES)).unwrap())),
            3 => Matcher::Cidr(self.one(&["10.0.0.0/8", "::/0"]).parse().unwrap()),
            4 => {
                let comparison = self.one(&[Equal, Less, LessOrEqual, Greater, GreaterOrEqual]);
                Matcher::Compare(comparison, self.number())
            }
            _ => {
                let parts = self.some(4, |dice| match dice.below(4) {
                    0 => Part::Star,
                    1 => Part::One,
                    _ => Part::Text(dice.one(&TEXTS).to_owned()),
                });
                Matcher::Pattern(Arc::new(Pattern::new(parts, self.below(5) == 1)))
            }
        }
    }

    fn number(&mut self) -> Decimal {
        Decimal::parse(self.one(&NUMBERS)).unwrap()
    }

    fn object(&mut self, depth: usize) -> String {
        let members = self.some(5, |dice| {
            format!("\"{}\":{}", dice.one(&KEYS), dice.value(depth))
        });
        format!("{{{}}}", members.join(","))
    }

    fn value(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => self.one(&["null", "true", "false"]).to_owned(),
            1 => self.one(&NUMBERS).to_owned(),
            2 => {
                let units = self
                    .text()
                    .encode_utf16()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect::<String>();
                format!("\"{units}\"")
            }
            3..6 => {
                let text = self.text().replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{}\"", text.replace('\n', "\\n"))
            }
            6 => format!(
                "[{}]",
                self.some(3, |dice| dice.value(depth - 1)).join(" , ")
            ),
            _ => self.object(depth - 1),
        }
    }

    /// Seldom a text so long that it is not remembered as a whole.
    fn text(&mut self) -> String {
        let times = self.one(&[1, 1, 1, 1, 1, 1, 1, 300]);
        self.some(3, |dice| dice.one(&TEXTS)).concat().repeat(times)
    }
}
