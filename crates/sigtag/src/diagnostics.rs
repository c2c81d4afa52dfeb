//! Diagnostics, as a compiler shows them.

use crate::show::{one_line, safe, width};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use sigma::{Diagnostic, Location, Severity};
use std::collections::HashMap;
use std::sync::Arc;

/// Shows diagnostics; keeps the text of the file at hand.
pub(crate) struct Printer {
    renderer: Renderer,
    sources: HashMap<Arc<str>, String>,
}

impl Printer {
    pub(crate) fn new() -> Printer {
        Printer {
            renderer: Renderer::styled().term_width(usize::from(width())),
            sources: HashMap::new(),
        }
    }

    /// The diagnostic with its place in the file.
    pub(crate) fn render(&mut self, diagnostic: &Diagnostic) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::NeedsSetUp => Level::WARNING.with_name("needs set-up"),
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let help = diagnostic.help.as_deref().map(safe);
        let message = safe(&diagnostic.message);
        let title = level.primary_title(&*message).id(diagnostic.code);
        let mut group: Group<'_> = Group::with_title(title);
        let mut marks = vec![(&diagnostic.location, None)];
        marks.extend(
            diagnostic
                .labels
                .iter()
                .map(|label| (&label.location, Some(&*label.message))),
        );
        for (location, _) in &marks {
            self.load(&location.file);
        }
        while let Some((first, _)) = marks.first() {
            let file = first.file.clone();
            let (here, elsewhere): (Vec<_>, Vec<_>) = marks
                .into_iter()
                .partition(|(location, _): &(&Location, _)| location.file == file);
            let source = self.sources.get(&file).map_or("", String::as_str);
            let annotations =
                here.into_iter()
                    .map(|(location, label): (&Location, Option<&str>)| {
                        let kind = if label.is_none() {
                            AnnotationKind::Primary
                        } else {
                            AnnotationKind::Context
                        };
                        kind.span(within(source, location))
                            .label(label.map(|label| safe(label).into_owned()))
                    });
            group = group.element(
                Snippet::source(source)
                    .path(one_line(&file).into_owned())
                    .annotations(annotations.collect::<Vec<_>>()),
            );
            marks = elsewhere;
        }
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(&**help));
        }
        self.renderer.render(&[group])
    }

    /// Reads the text of a file once; only one is kept, since diagnostics come file by file.
    fn load(&mut self, file: &Arc<str>) {
        if self.sources.contains_key(file) {
            return;
        }
        if self.sources.len() > 8 {
            self.sources.clear();
        }
        let bytes = std::fs::read(&**file).unwrap_or_default();
        // Offsets must stay what they are: what is no UTF-8, or would command the terminal, becomes as many blanks.
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            error
                .into_bytes()
                .iter()
                .map(|byte| {
                    if byte.is_ascii() {
                        char::from(*byte)
                    } else {
                        ' '
                    }
                })
                .collect()
        });
        let harmless =
            text.chars().map(
                |c| match safe(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8() {
                    true => " ".repeat(c.len_utf8()),
                    false => c.to_string(),
                },
            );
        self.sources.insert(file.clone(), harmless.collect());
    }
}

/// The bytes of a location, inside the text and on the edges of characters.
fn within(source: &str, location: &Location) -> std::ops::Range<usize> {
    let range = location.span.bytes();
    let inside = |at: usize| source.floor_char_boundary(at.min(source.len()));
    let start = inside(range.start);
    // White space at the end belongs to what follows.
    let marked = source[start..inside(range.end.max(range.start))].trim_end();
    start..start + marked.len()
}
