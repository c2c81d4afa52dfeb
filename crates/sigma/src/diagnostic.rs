//! What is wrong with a rule, where, and what to do about it. Rendering is somebody else's work.

use crate::yaml::Fault;
use std::fmt;
use std::sync::Arc;

/// A text with rules in it and the name under which diagnostics mention it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The path as the user would write it.
    pub name: &'a str,
    /// What the file holds; must be UTF-8 to be read, but need not be to be passed in.
    pub text: &'a [u8],
}

/// A stretch of one source text. Lines and columns are for people, bytes are for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// Byte at which the stretch begins.
    pub start: u32,
    /// Byte just behind its end.
    pub end: u32,
    /// Line of `start`, counted from 1.
    pub line: u32,
    /// Column of `start` in characters, counted from 1.
    pub column: u32,
}

impl Span {
    /// The stretch as a byte range, to index the source text with.
    pub fn bytes(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A [`Span`] together with the name of the source it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// [`Source::name`].
    pub file: Arc<str>,
    /// Where in that source.
    pub span: Span,
}

impl Location {
    /// Line, counted from 1.
    pub fn line(&self) -> u32 {
        self.span.line
    }

    /// Column in characters, counted from 1.
    pub fn column(&self) -> u32 {
        self.span.column
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.span.line, self.span.column)
    }
}

/// How bad it is. The first two set the document aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document is broken and cannot be used.
    Error,
    /// The document is sound, but needs something that only the user can supply.
    NeedsSetUp,
    /// The document is used, but most likely does not mean what its author meant.
    Warning,
    /// Worth knowing; nothing to worry about.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::NeedsSetUp => "needs set-up",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// Another place that helps to understand a [`Diagnostic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub location: Location,
    /// What is to be seen there.
    pub message: String,
}

/// One thing to tell the author of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A short stable name of this kind of problem, e.g. `unknown-modifier`.
    pub code: &'static str,
    /// What is wrong, with the value that is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it is wrong.
    pub location: Location,
    /// Other places that matter.
    pub labels: Vec<Label>,
}

impl Diagnostic {
    /// Says what to do about it.
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Points to another place.
    pub(crate) fn label(
        &mut self,
        location: Location,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.labels.push(Label {
            location,
            message: message.into(),
        });
        self
    }

    /// Whether it sets its document aside.
    pub fn sets_aside(&self) -> bool {
        self.severity <= Severity::NeedsSetUp
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}[{}]: {}",
            self.location, self.severity, self.code, self.message
        )
    }
}

/// Where the readers of one source leave what they have to say.
#[derive(Debug)]
pub(crate) struct Sink {
    file: Arc<str>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Sink {
    pub fn new(file: &str) -> Sink {
        Sink {
            file: file.into(),
            diagnostics: Vec::new(),
        }
    }

    pub fn location(&self, span: Span) -> Location {
        Location {
            file: Arc::clone(&self.file),
            span,
        }
    }

    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Error, code, span, message.into())
    }

    pub fn needs_set_up(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::NeedsSetUp, code, span, message.into())
    }

    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Warning, code, span, message.into())
    }

    pub fn note(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Note, code, span, message.into())
    }

    pub fn fault(&mut self, fault: Fault) {
        let diagnostic = self.diagnostic(fault);
        self.diagnostics.push(diagnostic);
    }

    /// What is to be said about a fault in this source.
    pub fn diagnostic(&self, fault: Fault) -> Diagnostic {
        let label = |(span, message)| Label {
            location: self.location(span),
            message,
        };
        Diagnostic {
            severity: Severity::Error,
            code: fault.code,
            message: fault.message,
            help: fault.help.map(str::to_owned),
            location: self.location(fault.span),
            labels: fault.label.map(label).into_iter().collect(),
        }
    }

    /// The reason why the document that was read since there were `mark` diagnostics is set aside, if it is.
    pub fn verdict_since(&self, mark: usize) -> Option<&Diagnostic> {
        self.diagnostics[mark..]
            .iter()
            .filter(|diagnostic| diagnostic.sets_aside())
            .min_by_key(|it| it.severity)
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
    ) -> &mut Diagnostic {
        let location = self.location(span);
        let diagnostic = Diagnostic {
            severity,
            code,
            message,
            help: None,
            location,
            labels: Vec::new(),
        };
        self.diagnostics.push(diagnostic);
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }
}
