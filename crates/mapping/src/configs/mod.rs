//! Configurations of sigmac that need no file: their facts are a table here, and become the text of such a file.
//!
//! So there is one way to read a configuration, whoever wrote it; and a user who wants another one can begin with this text.

use std::fmt::{self, Write};

/// The facts. Its first lines say how to read it.
const TABLE: &str = include_str!("tables.tsv");

/// The names of the configurations that are built in.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter_map(|line| line.strip_prefix("= "))
}

/// The text of a configuration that is built in, as a file of sigmac.
pub fn text(name: &str) -> Option<String> {
    let mut lines = TABLE.lines();
    lines.find(|line| line.strip_prefix("= ") == Some(name))?;
    let mut writer = Writer::default();
    writer
        .line(0, "title", &[&format!("{name}, built into sigtag")])
        .ok()?;
    for line in lines.take_while(|line| !line.starts_with("= ")) {
        writer.row(line).ok()?;
    }
    Some(writer.text)
}

#[derive(Default)]
struct Writer {
    text: String,
    /// The last heading of each depth.
    under: Vec<&'static str>,
}

impl Writer {
    fn row(&mut self, line: &str) -> fmt::Result {
        let mut cells = line.split('\t');
        let first = cells.next().unwrap_or_default();
        let cells: Vec<&str> = cells.collect();
        match first.split_at_checked(2) {
            Some(("> ", name)) => {
                self.under(&["logsources"])?;
                self.line(1, name, &[])?;
                for cell in cells {
                    let (key, value) = cell.split_once('=').unwrap_or((cell, ""));
                    self.line(2, key, &[value])?;
                }
                Ok(())
            }
            Some(("? ", field)) => {
                self.under(&["logsources", "", "conditions"])?;
                self.line(3, field, &cells)
            }
            Some(("! ", key)) => {
                self.under(&["logsources", "", "rewrite"])?;
                self.line(3, key, &cells)
            }
            Some((": ", field)) => {
                self.under(&["fieldmappings"])?;
                self.line(1, field, &cells)
            }
            Some(("~ ", case)) => self.line(2, case, &cells),
            _ => self.line(0, first, &cells),
        }
    }

    /// Goes below these headings, and writes those that are not there yet.
    fn under(&mut self, headings: &[&'static str]) -> fmt::Result {
        for (depth, heading) in headings.iter().enumerate() {
            if self.under.get(depth) != Some(heading) {
                self.under.truncate(depth);
                if !heading.is_empty() {
                    writeln!(self.text, "{:indent$}{heading}:", "", indent = 4 * depth)?;
                }
                self.under.push(heading);
            }
        }
        self.under.truncate(headings.len());
        Ok(())
    }

    /// A key and its value: none, one, or a list.
    fn line(&mut self, depth: usize, key: &str, values: &[&str]) -> fmt::Result {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        write!(
            self.text,
            "{:indent$}{}:",
            "",
            quoted(key),
            indent = 4 * depth
        )?;
        match values {
            [] => {}
            [value] if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                write!(self.text, " {value}")?
            }
            [value] => write!(self.text, " {}", quoted(value))?,
            values => {
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                write!(self.text, " [{}]", values.join(", "))?;
            }
        }
        writeln!(self.text)
    }
}

#[cfg(test)]
mod tests {
    use crate::Mapping;
    use sigma::Source;

    #[test]
    fn each_can_be_read() {
        for name in super::names() {
            let text = super::text(name).unwrap();
            let read = Mapping::read(&Source {
                name,
                text: text.as_bytes(),
            });
            assert!(read.is_ok(), "{name}: {read:?}");
        }
        assert_eq!(super::names().count(), 7);
        assert_eq!(super::text("no such"), None);
    }
}
