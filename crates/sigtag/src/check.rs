//! `sigtag check`: what is wrong with rules, and where.

use crate::Exit;
use crate::arguments::{CheckCommand, Format};
use crate::diagnostics::Printer;
use crate::{mappings, show};
use anstream::eprintln;
use attack::Meaning;
use serde_json::json;
use sigma::{Diagnostic, Severity};
use tagger::{LoadError, Rules};

pub(crate) fn run(command: &CheckCommand) -> Exit {
    let Some(mapping) = mappings::load(&command.mapping.names) else {
        return Exit::Usage;
    };
    let rules = match Rules::load(&command.paths, &mapping, None) {
        Ok(rules) => rules,
        Err(LoadError::Refused(diagnostic)) => {
            let text = render(command.format, &[*diagnostic]);
            return show::output(text.as_bytes(), Exit::Incomplete);
        }
        Err(error) => {
            show::error(&error);
            return Exit::Usage;
        }
    };
    let found = diagnostics(&rules);
    let shown: Vec<Diagnostic> = found
        .iter()
        .filter(|diagnostic| command.notes || diagnostic.severity != Severity::Note)
        .cloned()
        .collect();
    let broken = rules.set_aside_as(Severity::Error);
    let unready = if command.strict_rules {
        rules.set_aside_as(Severity::NeedsSetUp)
    } else {
        0
    };
    let exit = if broken + unready == 0 {
        Exit::Done
    } else {
        Exit::Incomplete
    };
    let exit = show::output(render(command.format, &shown).as_bytes(), exit);
    if command.format == Format::Text {
        tell(&rules, &found, command.notes);
    }
    exit
}

/// What `sigma` has to say, and what only others know: unknown techniques, log sources and unreadable files.
fn diagnostics(rules: &Rules) -> Vec<Diagnostic> {
    let mut found = rules.diagnostics.clone();
    for set_aside in &rules.set_aside {
        if !found.contains(&set_aside.reason) {
            found.push(set_aside.reason.clone());
        }
    }
    for rule in rules.running.iter().map(|running| &running.rule) {
        for tag in rule.tags.iter().filter(|tag| tag.namespace == "attack") {
            let help = match attack::meaning(&tag.name) {
                Meaning::Unknown => {
                    "is it spelt right? sigtag knows ATT&CK Enterprise ".to_owned()
                        + attack::VERSION
                }
                _ => continue,
            };
            found.push(Diagnostic {
                severity: Severity::Warning,
                code: "unknown-attack-tag",
                message: format!("`{tag}` is no tactic, technique, group or software of ATT&CK"),
                help: Some(help),
                location: sigma::Location {
                    span: tag.span,
                    ..rule.location.clone()
                },
                labels: Vec::new(),
            });
        }
    }
    found.sort_by(|a, b| {
        (&a.location.file, a.location.span.start).cmp(&(&b.location.file, b.location.span.start))
    });
    found
}

fn render(format: Format, diagnostics: &[Diagnostic]) -> String {
    let mut printer = Printer::new();
    let rendered = diagnostics.iter().map(|diagnostic| match format {
        Format::Text => format!("{}\n\n", printer.render(diagnostic)),
        Format::Json => format!("{}\n", to_json(diagnostic)),
    });
    rendered.collect()
}

fn to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let location = |location: &sigma::Location| {
        json!({
            "file": &*location.file,
            "line": location.line(),
            "column": location.column(),
            "start": location.span.start,
            "end": location.span.end,
        })
    };
    json!({
        "severity": diagnostic.severity.to_string(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "location": location(&diagnostic.location),
        "labels": diagnostic.labels.iter().map(|label| json!({
            "location": location(&label.location),
            "message": label.message,
        })).collect::<Vec<_>>(),
    })
}

fn tell(rules: &Rules, found: &[Diagnostic], notes: bool) {
    let of = |severity| {
        found
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    eprintln!(
        "{}: {}, {} need set-up, {}, {}{}",
        show::count(rules.files, "file"),
        show::count(of(Severity::Error), "error"),
        show::number(of(Severity::NeedsSetUp)),
        show::count(of(Severity::Warning), "warning"),
        show::count(of(Severity::Note), "note"),
        if notes || of(Severity::Note) == 0 {
            ""
        } else {
            " (--notes shows them)"
        },
    );
    eprintln!("{}", show::count(rules.running.len(), "rule") + " can run");
}
