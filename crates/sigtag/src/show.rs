//! What people see: messages, tables, the summary. Text from outside is made safe for a terminal here.

use crate::Exit;
use anstream::{eprint, eprintln};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table,
    Width,
};
use owo_colors::OwoColorize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use store::IndexInfo;
use tagger::{Plan, RuleCount, RuleSummary, Summary, Way};

/// How many rules, hosts and techniques the summary shows.
const TOP: usize = 10;

/// How many reasons for rules not to run the summary shows.
const REASONS: usize = 5;

/// How many columns standard error has; 100 where it is no terminal.
pub(crate) fn width() -> u16 {
    terminal_size::terminal_size_of(std::io::stderr())
        .map_or(100, |(width, _)| width.0.clamp(60, 160))
}

/// Writes what a command was asked for to standard output; how the command ended, if it would end like `exit` otherwise.
pub(crate) fn output(text: &[u8], exit: Exit) -> Exit {
    let mut out = anstream::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => exit,
        Err(cause) => not_written(None, &cause),
    }
}

/// Tells that a file, or standard output, could not be written to.
pub(crate) fn not_written(file: Option<&Path>, cause: &io::Error) -> Exit {
    let name = file.map_or("standard output".into(), Path::to_string_lossy);
    // Whoever read our output has seen enough.
    if file.is_some() || cause.kind() != ErrorKind::BrokenPipe {
        error(&format!("cannot write to {name}: {cause}"));
    }
    Exit::Incomplete
}

/// Tells of something that the user should know.
pub(crate) fn warning(text: &dyn Display) {
    eprintln!("{} {}", "warning:".yellow().bold(), safe(&text.to_string()));
}

/// Tells of something that went wrong.
pub(crate) fn error(error: &dyn Display) {
    eprintln!("{} {}", "error:".red().bold(), safe(&error.to_string()));
}

/// `text` without what a terminal takes for a command or what changes the order of the text: those characters are shown
/// by their numbers.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| {
        if is_unsafe(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// [`safe`] text that stays on its line: a name from outside must not look like a line of ours.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    match safe(text) {
        text if text.contains('\n') => Cow::Owned(text.replace('\n', r"\u{a}")),
        text => text,
    }
}

/// Control characters, and those that turn the direction of the text.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A level in its colour.
fn level(name: &str) -> Cell {
    let cell = Cell::new(name);
    match name {
        "critical" => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        "high" => cell.fg(Color::Red),
        "medium" => cell.fg(Color::Yellow),
        "low" => cell.fg(Color::Cyan),
        _ => cell.add_attribute(Attribute::Dim),
    }
}

/// A number with its thousands apart.
pub(crate) fn number(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// `number` of a thing, in words.
pub(crate) fn count(count: impl TryInto<u64>, one: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!(
        "{} {one}{}",
        number(count),
        if count == 1 { "" } else { "s" }
    )
}

/// Prints the summary of a run.
pub(crate) fn summary(summary: &Summary) {
    interrupted(summary);
    read(summary, "event");
    eprintln!(
        "; {} tagged; {} by {}",
        number(summary.tagged).bold(),
        count(summary.hits, "hit").bold(),
        count(summary.rules.len(), "rule"),
    );
    if !summary.rules.is_empty() {
        print(&rules(&summary.rules));
        print(&tactics(summary));
        print(&hosts(summary));
    }
    written(summary);
    retagged(summary);
    rule_set(&summary.rule_set);
    input(summary);
}

/// Prints what was loaded into a store without being tagged.
pub(crate) fn loaded(summary: &Summary) {
    interrupted(summary);
    read(summary, "event");
    eprintln!();
    written(summary);
    input(summary);
}

/// Prints what has become of the tags that were to go.
pub(crate) fn untagged(summary: &Summary) {
    interrupted(summary);
    read(summary, "tagged event");
    eprintln!();
    let tags = summary.retagged;
    for (events, what) in [
        (tags.removed, "without a tag now"),
        (tags.renewed, "still tagged by other rules"),
    ] {
        if events > 0 {
            eprintln!("{} {what}", count(events, "event").bold());
        }
    }
    if tags.conflicts > 0 {
        let text = "left as they are: which of their `outliers` are those of this rule cannot be \
                    told; `--all` takes all of them";
        eprintln!(
            "{}",
            format!("{} {text}", count(tags.conflicts, "event")).red()
        );
    }
    written(summary);
    input(summary);
}

/// The table of indices.
pub(crate) fn indices(indices: &[IndexInfo]) -> String {
    let mut table = table(["Index", "Documents", "Size", "Aliases"]);
    for index in indices {
        table.add_row([
            Cell::new(one_line(&index.name)),
            right(number(index.documents)),
            right(indicatif::HumanBytes(index.bytes).to_string()),
            Cell::new(one_line(&index.aliases.join(" "))),
        ]);
    }
    table.trim_fmt()
}

/// What will be done with each index.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut table = table([
        "Index",
        "Documents",
        "Shards",
        "Done",
        "Tags go",
        "New fields",
        "Why",
    ]);
    for planned in &plan.indices {
        let (index, name) = (&planned.index, &planned.index.name);
        let name = match &index.data_stream {
            Some(stream) => format!("{stream} ({name})"),
            None => name.clone(),
        };
        let way = match planned.tags {
            Way::InPlace => Cell::new("into the events"),
            Way::Side => Cell::new("into sigma-hits-*").fg(Color::Yellow),
            Way::Both => Cell::new("into both"),
            Way::Nowhere => Cell::new("nowhere").fg(Color::Red),
        };
        table.add_row([
            Cell::new(one_line(&name)),
            right(number(index.documents)),
            right(number(index.shards)),
            right(number(planned.done)),
            way,
            right(number(fields(&planned.schema))),
            Cell::new(one_line(planned.reason.as_deref().unwrap_or_default())),
        ]);
    }
    let total: u64 = plan
        .indices
        .iter()
        .map(|planned| planned.index.documents)
        .sum();
    format!(
        "{}\n{} in {}, read by the sequence numbers of each shard; done are the numbers that \
         these rules have seen\n",
        table.trim_fmt(),
        count(total, "document"),
        match plan.indices.len() {
            1 => "1 index".to_owned(),
            indices => format!("{} indices", number(indices)),
        },
    )
}

/// How many fields a mapping has.
fn fields(mapping: &serde_json::Value) -> u64 {
    match mapping["properties"].as_object() {
        Some(properties) => properties.values().map(fields).sum(),
        None => 1,
    }
}

/// A table of hits.
pub(crate) fn hits<'h>(
    heads: impl Iterator<Item = &'h str>,
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let mut table = headed(heads.map(|head| safe(head).into_owned()));
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(safe(cell))));
    }
    table.trim_fmt()
}

/// How many of the hits are shown.
pub(crate) fn found(shown: u64, total: u64) {
    match shown == total {
        true => eprintln!("\n{}", count(total, "hit")),
        false => eprintln!(
            "\n{} of {}; --size shows more",
            number(shown),
            count(total, "hit")
        ),
    }
}

fn interrupted(summary: &Summary) {
    if summary.interrupted {
        eprintln!(
            "\n{}",
            "Interrupted: this is what was done until then.".yellow()
        );
    }
}

fn read(summary: &Summary, what: &str) {
    let rate = if summary.seconds > 0.0 {
        summary.events as f64 / summary.seconds
    } else {
        0.0
    };
    eprint!(
        "\n{} read in {:.1} s ({} a second)",
        count(summary.events, what).bold(),
        summary.seconds,
        number(rate as u64),
    );
}

fn written(summary: &Summary) {
    let written = if summary.dry_run {
        "would be written"
    } else {
        "written"
    };
    if let Some(documents) = summary.written {
        eprintln!("{} {written}", count(documents, "document"));
    }
    for (hits, text) in [
        (summary.aside, format!("{written} to sigma-hits-*")),
        (
            summary.aside_removed,
            "removed from sigma-hits-*".to_owned(),
        ),
    ] {
        if hits > 0 {
            eprintln!("{} {text}", count(hits, "hit"));
        }
    }
    if summary.known > 0 {
        eprintln!(
            "{} done with these rules before, and not read (--again reads them)",
            count(summary.known, "document")
        );
    }
}

fn input(summary: &Summary) {
    for skip in &summary.input {
        let text = format!("{} × {}: {}", number(skip.count), skip.effect, skip.reason);
        eprintln!(
            "{}",
            if skip.effect == "lost" {
                text.red().to_string()
            } else {
                text
            }
        );
        for example in &skip.examples {
            eprintln!("    {}", one_line(example).dimmed());
        }
    }
}

fn print(table: &Table) {
    eprintln!("\n{}", table.trim_fmt());
}

fn rules(rules: &[RuleCount]) -> Table {
    let mut table = table(["Level", "Rule", "Events", "ATT&CK", "Author"]);
    for rule in rules.iter().take(TOP) {
        table.add_row([
            level(rule.level.as_deref().unwrap_or("none")),
            Cell::new(one_line(&rule.title)),
            right(number(rule.events)),
            Cell::new(rule.techniques.join(" ")),
            Cell::new(one_line(rule.author.as_deref().unwrap_or_default())),
        ]);
    }
    more(&mut table, rules.len(), 1);
    for (column, most) in [(1, 44), (4, 30)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(most)));
        }
    }
    table
}

fn tactics(summary: &Summary) -> Table {
    let mut table = table(["Tactic", "Hits", "Techniques"]);
    for tactic in &summary.tactics {
        let belongs = |id: &str| {
            attack::technique(id)
                .is_some_and(|technique| technique.tactics.iter().any(|of| of.id == tactic.id))
        };
        let techniques: Vec<&str> = summary
            .techniques
            .iter()
            .map(|technique| &*technique.name)
            .filter(|id| belongs(id))
            .collect();
        let mut shown = techniques[..techniques.len().min(TOP)].join(" ");
        if techniques.len() > TOP {
            shown += " …";
        }
        table.add_row([
            Cell::new(format!("{} {}", tactic.id, tactic.name)),
            right(number(tactic.hits)),
            Cell::new(shown),
        ]);
    }
    table
}

fn hosts(summary: &Summary) -> Table {
    let mut table = table(["Host", "Tagged", "Highest"]);
    for host in summary.hosts.iter().take(TOP) {
        let name = match &*host.name {
            "" => Cow::Borrowed("(no name)"),
            "*" => Cow::Borrowed("(others)"),
            name => one_line(name),
        };
        let highest = sigma::Level::ALL
            .iter()
            .find(|level| level.severity() == host.severity);
        table.add_row([
            Cell::new(name),
            right(number(host.events)),
            highest.map_or_else(|| Cell::new(""), |highest| level(highest.as_str())),
        ]);
    }
    more(&mut table, summary.hosts.len(), 0);
    table
}

fn retagged(summary: &Summary) {
    let tags = summary.retagged;
    for (events, what) in [
        (tags.unchanged, "had the same tag already"),
        (tags.renewed, "had another tag: renewed"),
        (
            tags.removed,
            "had a tag, and no rule hits them any more: removed",
        ),
    ] {
        if events > 0 {
            eprintln!("{} {what}", count(events, "event"));
        }
    }
    if tags.conflicts > 0 {
        let text = "not tagged: their field `sigma` or `outliers` is not sigtag's";
        eprintln!(
            "{}",
            format!("{} {text}", count(tags.conflicts, "event")).red()
        );
    }
}

/// Tells of the rules: how many run, and why the others do not.
pub(crate) fn rule_set(rules: &RuleSummary) {
    let mut parts = vec![format!("{} ran", count(rules.running, "rule"))];
    if rules.below_level > 0 {
        parts.push(format!(
            "{} below the level asked for",
            number(rules.below_level)
        ));
    }
    parts.push(format!("{} need set-up", number(rules.need_set_up)));
    parts.push(format!("{} broken", number(rules.broken)));
    eprintln!("\n{}", parts.join(", "));
    let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for set_aside in &rules.set_aside {
        *reasons
            .entry((set_aside.verdict, &set_aside.reason))
            .or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|((verdict, _), rules)| (*verdict != "broken", usize::MAX - rules));
    for ((verdict, reason), rules) in reasons.iter().take(REASONS) {
        let text = format!("    {} × {verdict}: {}", number(*rules), one_line(reason));
        eprintln!(
            "{}",
            if *verdict == "broken" {
                text.red().to_string()
            } else {
                text.dimmed().to_string()
            }
        );
    }
    if reasons.len() > REASONS {
        eprintln!(
            "{}",
            format!(
                "    … and {}: see `sigtag check`",
                count(reasons.len() - REASONS, "other reason")
            )
            .dimmed()
        );
    }
}

fn table<const N: usize>(heads: [&str; N]) -> Table {
    headed(heads.into_iter().map(str::to_owned))
}

fn headed(heads: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width());
    // `anstream` takes the colours out where they do not belong.
    table.enforce_styling();
    let heads = heads.map(|name| Cell::new(name).add_attribute(Attribute::Bold));
    table.set_header(heads.collect::<Vec<_>>());
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Says how many rows are not shown.
fn more(table: &mut Table, rows: usize, column: usize) {
    if rows > TOP {
        let mut row = vec![Cell::new(""); column];
        row.push(Cell::new(format!("… and {} more", number(rows - TOP))));
        table.add_row(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(
            safe("a\u{1b}[31mb\u{202e}c\u{9b}\r"),
            r"a\u{1b}[31mb\u{202e}c\u{9b}\u{d}"
        );
        assert_eq!(one_line("a\nb\u{1b}"), r"a\u{a}b\u{1b}");
        assert_eq!(safe("é 日本 ab"), "é 日本 ab");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [0u64, 999, 1_000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([1u64, 2].map(|n| count(n, "rule")), ["1 rule", "2 rules"]);
    }
}
