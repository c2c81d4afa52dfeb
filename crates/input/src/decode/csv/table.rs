//! Whether a text is a table, and which: read off its first rows.
//!
//! No text says that it is CSV, and prose, source code and settings have commas, too. A header gives a table away: short
//! names and no sentences, but for one in ten, and as many as the rows below have cells. That is
//! [`Likely`](Confidence::Likely) and enough for a file that the user named. To be [`Sure`](Confidence::Sure), as must be
//! one that was only found in a folder, it takes more: three columns, names without blanks around them, rows that are all
//! of one length, none of them with a value that is also the name of its column, and a column of numbers or times, as
//! every log has one.

use super::{Extent, Row, reader, unnamed};
use crate::decode::Confidence;
use crate::decode::text::{BOM, sample};
use crate::source::Head;
use std::borrow::Cow;

/// What may stand between two cells.
const DELIMITERS: &[u8] = b",;\t";

/// How many rows are looked at.
const ROWS: usize = 64;

/// How much of a text is looked at, at least, before a first row is taken for a long one instead of one still to come.
const LONG: usize = 32 << 10;

/// The longest name that a column may have, in bytes. Rows cost no more than in proportion to their length.
const LONGEST_NAME: usize = 128;

/// The most words that a name may have.
const MOST_WORDS: usize = 5;

/// What the beginning of a table says about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) confidence: Confidence,
    pub(super) delimiter: u8,
    /// How many bytes stand before the header.
    pub(super) preamble: usize,
    /// What the columns are called.
    pub(super) names: Vec<String>,
}

impl Table {
    /// The table that begins like this, if it is one.
    pub(super) fn of(head: &Head<'_>) -> Option<Table> {
        let mut text = sample(head.bytes);
        if head.is_whole {
            text.push(b'\n');
        }
        let (preamble, delimiter) = preamble(&text);
        DELIMITERS
            .iter()
            .filter(|known| delimiter.is_none_or(|delimiter| delimiter == **known))
            .filter_map(|delimiter| Table::with(&text, preamble, *delimiter, head.is_whole))
            .filter(|table| table.confidence > Confidence::No)
            .max_by_key(|table| (table.confidence, table.names.len()))
    }

    fn with(text: &[u8], preamble: usize, delimiter: u8, is_whole: bool) -> Option<Table> {
        let first = FirstRows::of(&text[preamble..], delimiter, is_whole)?;
        if first.is_cut && text.len() < LONG {
            return None;
        }
        Some(Table {
            confidence: first.confidence(),
            delimiter,
            preamble,
            names: first.names(),
        })
    }
}

/// How many bytes stand before the header, and the delimiter if they say it: a byte order mark, the type that PowerShell
/// writes, and the hint to Excel.
fn preamble(text: &[u8]) -> (usize, Option<u8>) {
    let mut length = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let mut delimiter = None;
    loop {
        let rest = &text[length..];
        let line = rest.split_inclusive(|byte| *byte == b'\n').next();
        match line.unwrap_or_default().trim_ascii_end() {
            // A tab is as good as a blank to `trim`.
            b"sep=" => delimiter = Some(b'\t'),
            [b's', b'e', b'p', b'=', hint] => delimiter = Some(*hint),
            line if line.starts_with(b"#TYPE ") => {}
            _ => return (length, delimiter),
        }
        length += line.map_or(0, <[u8]>::len);
    }
}

/// The first rows of a table.
struct FirstRows {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether there is but one row, and that goes on after what is looked at.
    is_cut: bool,
}

impl FirstRows {
    /// `None` when there is not even a header. `is_whole` says that nothing follows `text`.
    fn of(text: &[u8], delimiter: u8, is_whole: bool) -> Option<FirstRows> {
        let mut reader = reader(delimiter);
        let mut row = Row::new();
        let mut at = 0;
        let mut next = || {
            row.clear();
            let (read, extent) = row.read(&mut reader, &text[at..]);
            at += read;
            let cells = row.cells().map(String::from_utf8_lossy);
            let cells: Vec<String> = cells.map(Cow::into_owned).collect();
            (cells, matches!(extent, Extent::Whole))
        };
        let (header, true) = next() else {
            return None;
        };
        let mut rows = Vec::new();
        let mut is_cut = false;
        while rows.len() < ROWS {
            match next() {
                // Tables get concatenated.
                (cells, true) if cells == header => {}
                (cells, true) => rows.push(cells),
                (cells, false) => {
                    if rows.is_empty() && !cells.is_empty() && !is_whole {
                        rows.push(cells);
                        is_cut = true;
                    }
                    break;
                }
            }
        }
        Some(FirstRows {
            header,
            rows,
            is_cut,
        })
    }

    /// How many cells a row should have. The event viewer of Windows gives its last column no name.
    fn width(&self) -> usize {
        match self.rows.first() {
            Some(first) if first.len() == self.header.len() + 1 => first.len(),
            _ => self.header.len(),
        }
    }

    fn names(&self) -> Vec<String> {
        let name = |column: usize| match self.header.get(column) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => unnamed(column),
        };
        (0..self.width()).map(name).collect()
    }

    /// What the module says of tables.
    fn confidence(&self) -> Confidence {
        let names = &self.header;
        let named = names.iter().filter(|name| !name.is_empty()).count();
        let good = names.iter().filter(|name| is_name(name.trim())).count();
        if good < 2
            || 10 * (named - good) > names.len()
            || !names.iter().all(|name| may_be_name(name))
        {
            return Confidence::No;
        }
        let width = self.width();
        let fits = |row: &&Vec<String>| row.len() == width || self.is_cut && row.len() < width;
        let fitting = self.rows.iter().filter(fits).count();
        let is_regular = fitting == self.rows.len();
        let is_tidy = names
            .iter()
            .all(|name| !name.is_empty() && name.trim() == name);
        let is_wide = names.len() > 2;
        if self.rows.is_empty() {
            return if is_tidy && is_wide {
                Confidence::Likely
            } else {
                Confidence::No
            };
        }
        if is_regular && is_tidy && is_wide && self.has_numbers() && !self.has_names_below() {
            return Confidence::Sure;
        }
        match is_regular || is_tidy && 2 * fitting >= self.rows.len() {
            true => Confidence::Likely,
            false => Confidence::No,
        }
    }

    /// Whether in some column all values begin with a digit: numbers, dates, times, addresses.
    fn has_numbers(&self) -> bool {
        let is_number = |cell: &String| {
            let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
            digits.starts_with(|character: char| character.is_ascii_digit())
        };
        (0..self.width()).any(|column| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some() && cells.all(is_number)
        })
    }

    /// Whether a row has the name of a column as its value there.
    fn has_names_below(&self) -> bool {
        let has_one = |row: &Vec<String>| {
            row.iter()
                .zip(&self.header)
                .any(|(cell, name)| cell == name)
        };
        self.rows.iter().any(has_one)
    }
}

/// Whether a text may be the name of a column among others that evidently are.
fn may_be_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.contains(char::is_control)
}

/// Whether a text is like the name of a column: some words, no sentence and no value.
fn is_name(text: &str) -> bool {
    let begins = |character: char| character.is_alphabetic() || "_@\u{FFFD}".contains(character);
    let goes_on = |character: char| {
        character.is_alphanumeric() || " _-.@#$%&*()[]/\\:+?\u{FFFD}".contains(character)
    };
    text.starts_with(begins)
        && text.chars().all(goes_on)
        && !text.ends_with(['.', '?', '-'])
        && text.split(' ').count() <= MOST_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Option<Table> {
        Table::of(&Head {
            bytes: text.as_bytes(),
            is_whole: true,
        })
    }

    fn confidence(text: &str) -> Confidence {
        table(text).map_or(Confidence::No, |table| table.confidence)
    }

    #[test]
    fn logs_are_tables() {
        for text in [
            "time,EventID,Image\n2024-01-02,1,a.exe\n",
            "time,EventID,Image\n2024-01-02,1,a.exe",
            "time;EventID;Image\r\n2024-01-02;1;\"a;b\"\r\n",
            "time\tEventID\tImage\n2024-01-02\t\t\n\n2024-01-03\t1\ta",
            "\u{FEFF}\"@timestamp\",\"winlog.event_id\",\"winlog.event_data.Image\"\n\"Jan 2, 2024\",\"1\",\"a\"\n",
            "Level,Date and Time,Source,Event ID,Task Category\nInformation,1/2/2024,Kernel,1,None,\"It said:\n\nhello, world\"\n",
            "sep=;\ntime;EventID;Image\n1;2;3\n",
            "#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n\"Message\",\"Id\",\"Version\"\n\"a\",\"1\",\n",
            "Zeit,Ereignis-ID,Größe (kB)\n1,2,3\n",
            "a,a,b\n1,2,3\n",
            "a,Client SID:,b\n1,2,3\n",
            "a,b,c,d,e,f,g,h,i,\"Context, Payload\"\n1,2,3,4,5,6,7,8,9,0\n",
            "a,b,c\n1,2,3\na,b,c\n1,2,3\n",
        ] {
            assert_eq!(confidence(text), Confidence::Sure, "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "a\n1\n",
            "Some text.\n\nMore of it.\n",
            "Dear all, it was nice to see you; come again.\nYours, Bob\n",
            "First, do this.\nSecond, do that.\n",
            "2024-01-02,INFO,started\n2024-01-03,INFO,stopped\n",
            "root:x:0:0:root:/root:/bin/bash\n",
            "import os, sys, re\n\ndef f(a, b):\n    return a, b, 1\n",
            "int a, b, c;\nint f(int x, int y);\n",
            "INSERT INTO t VALUES (1, 2, 3);\nINSERT INTO t VALUES (4, 5, 6);\n",
            "title: a rule\ntags: [a, b, c]\ndetection: {x: 1, y: 2}\n",
            "all: a b\n\tcc -o all a b\n\tcp all x\n",
            "; a comment, with commas, in it\n[section]\nkey = value\n",
            "# a, b, c\n1, 2, 3\n",
            "{\"a\":1},{\"b\":2},{\"c\":3}\n",
            "<a>, <b>, <c>\n<d>, <e>, <f>\n",
            "| a | b |\n| - | - |\n",
            "a,\"b\n1,2\n",
            "a,b,c\u{0}\n1,2,3\n",
            ",,\n1,2,3\n",
            "#separator \\x09\n#fields\tts\tuid\n1\t2\t3\n",
        ] {
            assert_eq!(confidence(text), Confidence::No, "{text}");
        }
    }

    /// The user has to say that these are tables.
    #[test]
    fn some_texts_are_tables_by_word_only() {
        for text in [
            "EventID,Image\n1,a\n",
            "time, EventID, Image\n1, 2, a\n",
            "name,group,city\nalice,admin,Rome\nbob,user,Oslo\n",
            "time,EventID,Image\n1,2\n1,2,3\n",
            "time,level,text\n1,level,a\n2,INFO,b\n",
            "time,EventID,Image\n",
            ",time,EventID\n0,1,2\n",
        ] {
            assert_eq!(confidence(text), Confidence::Likely, "{text}");
        }
    }

    #[test]
    fn columns_have_names() {
        let names = |text: &str| table(text).unwrap().names;
        assert_eq!(names("a,b,a\n1,2,3"), ["a", "b", "a"]);
        assert_eq!(names(",a,b\n0,1,2"), ["column1", "a", "b"]);
        assert_eq!(names("a,b,c\n1,2,3,4"), ["a", "b", "c", "column4"]);
        assert_eq!(names("a, b ,c\n1,2,3"), ["a", " b ", "c"]);
    }

    #[test]
    fn the_delimiter_with_most_columns_wins() {
        let delimiter = |text: &str| char::from(table(text).unwrap().delimiter);
        assert_eq!(delimiter("a;b;c\n1,5;2,5;3,5\n"), ';');
        assert_eq!(delimiter("a\tb\tc\n1,5\t2;5\t3\n"), '\t');
        assert_eq!(delimiter("sep=\t\na\tb\tc\n1\t2\t3\n"), '\t');
        assert_eq!(table("sep=|\na|b|c\n1|2|3\n"), None);
    }

    #[test]
    fn a_first_row_may_be_longer_than_the_head() {
        let head = |text: &str| {
            let bytes = text.as_bytes();
            let is_whole = false;
            Table::of(&Head { bytes, is_whole }).map_or(Confidence::No, |table| table.confidence)
        };
        let long = "function f { }\n".repeat(4000);
        let header = "time,EventID,Text\n";
        assert_eq!(head(&format!("{header}1,4104,\"{long}")), Confidence::Sure);
        assert_eq!(
            head(&format!("{header}1,4104,\"function f")),
            Confidence::No
        );
        assert_eq!(head(&format!("{header}1,2,3,4,5,\"{long}")), Confidence::No);
        assert_eq!(
            head(&format!("{header}1,2,3\n4,\"{long}")),
            Confidence::Sure
        );
        assert_eq!(head(&format!("{header}1,2,3\n4,5")), Confidence::Sure);
        assert_eq!(head("time,EventID,Te"), Confidence::No);
    }
}
