//! From the costs of tasks to the figures that one wants to know.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};

use super::{Costs, Task, data::Data};

/// One line of the table.
pub struct Figure {
    name: String,
    value: f64,
    unit: Unit,
}

/// What a figure counts.
#[derive(Clone, Copy)]
pub enum Unit {
    CpuSeconds,
    /// By the clock on the wall.
    Seconds,
    EventsPerCpuSecond,
    Times,
    Mebibytes,
    Count,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::CpuSeconds => "CPU s",
            Unit::Seconds => "s",
            Unit::EventsPerCpuSecond => "events per CPU s",
            Unit::Times => "x",
            Unit::Mebibytes => "MiB",
            Unit::Count => "",
        }
    }

    fn digits(self) -> usize {
        match self {
            Unit::EventsPerCpuSecond | Unit::Mebibytes | Unit::Count => 0,
            Unit::CpuSeconds | Unit::Seconds | Unit::Times => 2,
        }
    }
}

/// All figures that the costs are enough for.
pub fn of(costs: &Costs, data: &Data, peak: u64, peak_of_conversion: u64) -> Vec<Figure> {
    let cpu = |task| median(costs.get(&task)?.iter().map(|cost| cost.cpu));
    let wall = |task| median(costs.get(&task)?.iter().map(|cost| cost.wall));
    // What the events themselves cost: the first time, and once the engine has seen their like.
    let first = |task, load| Some(cpu(task)? - cpu(load)?);
    let later = |five, once| Some((cpu(five)? - cpu(once)?) / 4.0);
    let flat = first(Task::Flat, Task::Load);
    let flat_later = later(Task::FlatFive, Task::Flat);
    let nested = first(Task::Nested, Task::Load);
    let nested_later = later(Task::NestedFive, Task::Nested);
    let tenfold = first(Task::Tenfold, Task::LoadTenfold);
    let tenfold_later = later(Task::TenfoldFive, Task::Tenfold);
    let peer = first(Task::FlatPeer, Task::LoadPeer);
    let matching = |task| Some(wall(task)? - wall(Task::Load)?);

    let rate = |cost: Option<f64>| Some(data.events as f64 / cost?);
    let ratio = |more: Option<f64>, less: Option<f64>| Some(more? / less?);
    let all_rules = format!("load and compile all {} rules", data.all_count);
    let all_converted = format!("convert all {} rules to ee-outliers", data.all_count);
    use Unit::{CpuSeconds, EventsPerCpuSecond, Mebibytes, Times};
    let rows = [
        (
            "load and compile the rules for Windows",
            CpuSeconds,
            cpu(Task::Load),
        ),
        (&all_rules, CpuSeconds, cpu(Task::LoadAll)),
        ("flat, at first", EventsPerCpuSecond, rate(flat)),
        ("flat, later", EventsPerCpuSecond, rate(flat_later)),
        ("nested, at first", EventsPerCpuSecond, rate(nested)),
        ("nested, later", EventsPerCpuSecond, rate(nested_later)),
        ("nested : flat, speed at first", Times, ratio(flat, nested)),
        (
            "nested : flat, speed later",
            Times,
            ratio(flat_later, nested_later),
        ),
        ("10 x the rules, time at first", Times, ratio(tenfold, flat)),
        (
            "10 x the rules, time later",
            Times,
            ratio(tenfold_later, flat_later),
        ),
        (
            "2 jobs : 1 job, speed by the clock",
            Times,
            ratio(matching(Task::FlatFive), matching(Task::FlatFiveTwoJobs)),
        ),
        (
            "peak memory, 5 x flat, 2 jobs",
            Mebibytes,
            Some(mebibytes(peak)),
        ),
        (&all_converted, CpuSeconds, cpu(Task::Convert)),
        (
            "peak memory of that",
            Mebibytes,
            Some(mebibytes(peak_of_conversion)),
        ),
        (
            "rsigma: load and compile the rules for Windows",
            CpuSeconds,
            cpu(Task::LoadPeer),
        ),
        ("rsigma: flat", EventsPerCpuSecond, rate(peer)),
        ("sigtag : rsigma, speed at first", Times, ratio(peer, flat)),
        (
            "sigtag : rsigma, speed later",
            Times,
            ratio(peer, flat_later),
        ),
    ];
    let figures = rows.into_iter();
    figures
        .filter_map(|(name, unit, value)| Some(Figure::new(name, value?, unit)))
        .collect()
}

pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The figures for people.
pub fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_header(["What", "", ""]);
    for figure in figures {
        table.add_row([
            Cell::new(&figure.name),
            Cell::new(format!("{:.*}", figure.unit.digits(), figure.value))
                .set_alignment(CellAlignment::Right),
            Cell::new(figure.unit.name()),
        ]);
    }
    table.trim_fmt()
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: Unit) -> Figure {
        let name = name.into();
        Figure { name, value, unit }
    }

    /// The figure for machines.
    pub fn as_json(&self) -> Value {
        json!({"name": self.name, "value": self.value, "unit": self.unit.name()})
    }
}

/// The one in the middle; of an even number, the mean of the two there.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values.len() / 2, values.len().checked_sub(1)? / 2);
    Some((values[lower] + values[upper]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let of = |values: &[f64]| median(values.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some(3.0));
        assert_eq!(of(&[5.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
