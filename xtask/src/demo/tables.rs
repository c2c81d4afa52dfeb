//! The tables of the demo. Colours are always in them; what prints them leaves them out where there is no terminal.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use attack::{Attribution, Tactic};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table,
    presets::UTF8_HORIZONTAL_ONLY,
};

use crate::demo::tagged::{Hit, LEVELS, TaggedEvent};

/// How many rules the table of rules has.
const TOP: usize = 12;

/// How many events of each host have each tactic, in the order of the matrix.
pub fn tactics_by_host(events: &[TaggedEvent]) -> String {
    let hosts: BTreeSet<&str> = events.iter().map(|event| event.host.as_str()).collect();
    let mut counts: BTreeMap<usize, (&Tactic, HashMap<&str, usize>)> = BTreeMap::new();
    for event in events {
        for tactic in &event.tactics {
            *counts
                .entry(tactic.position())
                .or_insert_with(|| (tactic, HashMap::new()))
                .1
                .entry(&event.host)
                .or_default() += 1;
        }
    }
    // A narrow terminal breaks a host's name at its dashes.
    let mut table = table(
        ["Tactic"]
            .into_iter()
            .map(Cell::new)
            .chain(hosts.iter().map(|host| number(host).set_delimiter('-'))),
    );
    for (nth, column) in table.column_iter_mut().enumerate() {
        match nth {
            0 => column.set_constraint(ColumnConstraint::ContentWidth),
            _ => column.set_padding((0, 0)),
        };
    }
    for (tactic, counts) in counts.into_values() {
        let cells = hosts.iter().map(|host| match counts.get(host) {
            Some(count) => number(count).add_attribute(Attribute::Bold),
            None => number("·").fg(Color::DarkGrey),
        });
        table.add_row(
            [Cell::new(tactic.name)]
                .into_iter()
                .chain(cells)
                .collect::<Vec<_>>(),
        );
    }
    table.trim_fmt()
}

/// The rules that hit most, the worst first among equals.
pub fn top_rules(events: &[TaggedEvent]) -> String {
    let mut hits: BTreeMap<&str, (usize, &Hit)> = BTreeMap::new();
    for hit in events.iter().flat_map(|event| &event.rules) {
        hits.entry(&hit.id).or_insert((0, hit)).0 += 1;
    }
    let mut hits: Vec<_> = hits.into_values().collect();
    hits.sort_by_key(|(count, hit)| (usize::MAX - count, usize::MAX - hit.level));
    let mut table = table(["Level", "Rule", "Hits", "Technique", "Author"].map(Cell::new));
    for (count, hit) in hits.iter().take(TOP) {
        table.add_row([
            level(hit),
            Cell::new(&hit.title),
            number(count),
            Cell::new(techniques(&hit.attribution)),
            Cell::new(&hit.author),
        ]);
    }
    if hits.len() > TOP {
        table.add_row([String::new(), format!("… and {} more", hits.len() - TOP)]);
    }
    table.trim_fmt()
}

/// The worst rule of each event of level high or critical, by time.
pub fn timeline(events: &[TaggedEvent]) -> String {
    let high = LEVELS
        .iter()
        .position(|level| *level == "high")
        .unwrap_or(LEVELS.len());
    let mut events: Vec<_> = events
        .iter()
        .filter(|event| event.severity() >= high)
        .collect();
    events.sort_by_key(|event| &event.time);
    let mut table = table(["Time (UTC)", "Host", "Level", "Rule", "Techniques"].map(Cell::new));
    for event in events {
        for hit in event.rules.iter().filter(|hit| hit.level >= high) {
            let (time, host) = (Cell::new(&event.time), Cell::new(&event.host));
            table.add_row([
                time,
                host,
                level(hit),
                Cell::new(&hit.title),
                Cell::new(techniques(&hit.attribution)),
            ]);
        }
    }
    table.trim_fmt()
}

fn table(header: impl IntoIterator<Item = Cell>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .enforce_styling();
    table.set_header(header.into_iter().collect::<Vec<_>>());
    table
}

fn number(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

fn level(hit: &Hit) -> Cell {
    let cell = Cell::new(LEVELS[hit.level]);
    match LEVELS[hit.level] {
        "critical" => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        "high" => cell.fg(Color::Red),
        "medium" => cell.fg(Color::Yellow),
        _ => cell,
    }
}

/// `T1218.005 Mshta`, one a line.
fn techniques(attribution: &Attribution) -> String {
    let lines: Vec<String> = attribution
        .techniques
        .iter()
        .map(|technique| format!("{} {}", technique.id, technique.name))
        .collect();
    lines.join("\n")
}
