//! Lucene's regular expressions.
//!
//! They match a whole term and know neither anchors nor look-around; `.` is any character. Beside the usual they have
//! strings in quotes and the optional operators `~` (complement), `&` (intersection), `<` (interval, automaton), `#`
//! (nothing) and `@` (anything). Those that take the language of another expression have no counterpart here.
//!
//! `\d`, `\w`, `\s` and their opposites are read as classes, as Elasticsearch 8 and 9 and OpenSearch do; to 7.17 they are
//! letters. They are never written.

mod read;
mod write;

pub(crate) use read::{Flags, read};
pub(crate) use write::{Translated, class_of, end_safely, escape_char, translate};
