//! `sigtag explain`: which parts of a rule an event meets.

use crate::Exit;
use crate::arguments::ExplainCommand;
use crate::mappings;
use crate::show::{self, one_line};
use event::{Event, Parser};
use input::Position;
use owo_colors::OwoColorize;
use predicate::{Explanation, Shape, Verdict};
use std::fmt::{self, Write};
use std::ops::ControlFlow;
use tagger::{LoadedRule, Rules};

/// How much of a value is shown, in characters.
const SHOWN: usize = 200;

pub(crate) fn run(command: &ExplainCommand) -> Exit {
    let Some(mapping) = mappings::load(&command.mapping.names) else {
        return Exit::Usage;
    };
    let rules = match Rules::load(std::slice::from_ref(&command.rule), &mapping, None) {
        Ok(rules) => rules,
        Err(error) => {
            show::error(&error);
            return Exit::Usage;
        }
    };
    for set_aside in &rules.set_aside {
        show::error(&set_aside.reason);
    }
    let Some(text) = find_event(command) else {
        return Exit::Usage;
    };
    let event = match Event::parse(text.as_bytes()) {
        Ok(event) => event,
        Err(malformed) => {
            show::error(&malformed);
            return Exit::Incomplete;
        }
    };
    let mut out = String::new();
    let hits = rules
        .running
        .iter()
        .filter(|rule| explain(rule, &event, command.brief, &mut out).is_ok_and(|hits| hits))
        .count();
    let exit = if hits > 0 {
        Exit::Done
    } else {
        Exit::Incomplete
    };
    show::output(out.as_bytes(), exit)
}

/// The event that is asked for.
fn find_event(command: &ExplainCommand) -> Option<String> {
    let inputs = input::inputs(std::slice::from_ref(&command.event));
    let mut report = inputs.report;
    let mut found = None;
    let mut parser = Parser::default();
    for input in &inputs.list {
        if found.is_some() {
            break;
        }
        report.merge(input::read(input, &mut parser, &mut |batch| {
            let wanted = |position| match position {
                Position::Line(number) | Position::Record(number) => {
                    command.line.is_none_or(|line| line == number)
                }
            };
            let event = batch.events().find(|(position, _)| wanted(*position));
            found = event.map(|(_, parsed)| parsed.event().text().to_owned());
            if found.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }));
    }
    if found.is_none() {
        for example in report.issues.values().flat_map(|tally| &tally.examples) {
            show::error(example);
        }
        let what = command.line.map_or_else(
            || "no event".to_owned(),
            |line| format!("no event that begins on line {line}"),
        );
        show::error(&format!("{what} in {}", command.event.display()));
    }
    found
}

/// Shows how a rule comes out on an event; whether it hits.
fn explain(
    rule: &LoadedRule,
    event: &Event<'_>,
    brief: bool,
    out: &mut String,
) -> Result<bool, fmt::Error> {
    writeln!(
        out,
        "{} {}",
        one_line(&rule.rule.title).bold(),
        rule.tag.id.dimmed()
    )?;
    let branches = &rule.mapped().branches;
    let applying: Vec<_> = branches
        .iter()
        .filter(|branch| branch.condition.matches(event))
        .collect();
    if applying.is_empty() {
        writeln!(
            out,
            "{} the event is not of the rule's log source:",
            mark(Verdict::False)
        )?;
        for branch in branches {
            tree(&branch.condition.explain(event), 1, brief, out)?;
        }
        writeln!(out, "{}\n", "no hit".yellow().bold())?;
        return Ok(false);
    }
    writeln!(
        out,
        "{} the event is of the rule's log source",
        mark(Verdict::True)
    )?;
    let mut hit = false;
    for branch in applying {
        let explanation = branch.detection.explain(event);
        hit |= explanation.verdict == Verdict::True;
        tree(&explanation, 0, brief, out)?;
    }
    writeln!(
        out,
        "{}\n",
        if hit {
            "hit".green().bold().to_string()
        } else {
            "no hit".yellow().bold().to_string()
        }
    )?;
    Ok(hit)
}

fn tree(part: &Explanation<'_>, depth: usize, brief: bool, out: &mut String) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let name = match part.shape {
        Shape::All => "all of".to_owned(),
        Shape::Any => "any of".to_owned(),
        Shape::Not => "not".to_owned(),
        Shape::Test(test) => one_line(&test.to_string()).into_owned(),
    };
    writeln!(out, "{indent}{} {name}", mark(part.verdict))?;
    if let Shape::Test(_) = part.shape {
        for held in &part.held {
            let value: String = held.value.chars().take(SHOWN).collect();
            let cut = if value.len() < held.value.len() {
                "…"
            } else {
                ""
            };
            let field = if held.field.is_empty() {
                String::new()
            } else {
                format!("{} = ", held.field)
            };
            writeln!(
                out,
                "{indent}    {}",
                format!("{}{}{cut}", one_line(&field), one_line(&value)).dimmed()
            )?;
        }
        if part.verdict == Verdict::NoField {
            writeln!(
                out,
                "{indent}    {}",
                "the event has no such field".dimmed()
            )?;
        }
    }
    for child in &part.children {
        // What an "any" that holds does not need, and what an "all" that fails does not fail by.
        let idle = match part.shape {
            Shape::Any => part.verdict == Verdict::True && child.verdict != Verdict::True,
            Shape::All => part.verdict != Verdict::True && child.verdict == Verdict::True,
            Shape::Not | Shape::Test(_) => false,
        };
        if !(brief && idle) {
            tree(child, depth + 1, brief, out)?;
        }
    }
    Ok(())
}

fn mark(verdict: Verdict) -> String {
    match verdict {
        Verdict::True => "✓".green().to_string(),
        Verdict::False => "✗".red().to_string(),
        Verdict::NoField => "∅".yellow().to_string(),
    }
}
