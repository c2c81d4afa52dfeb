//! From rule files to rules that run.

use engine::{Branch, Ruleset};
use event::Fields;
use mapping::{MapError, MappedRule, Mapping};
use sha2::{Digest, Sha256};
use sigma::{
    Collection, Diagnostic, Kind, Level, Location, Placeholders, Rule, SetAside, Severity, Source,
    Span,
};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tag::RuleTag;
use thiserror::Error;
use walkdir::WalkDir;

/// Rules, ready to run, and what became of the others.
#[derive(Debug)]
pub struct Rules {
    /// The rules that run, in the order of their files; their places are the numbers of the [`Rules::ruleset`].
    pub running: Vec<LoadedRule>,
    /// The same, compiled.
    pub ruleset: Ruleset,
    /// A short hash of the rule files, the mapping and the level: equal for equal sets, whatever the names of their files. Empty
    /// for rules that are not from files.
    pub id: String,
    /// Rules and other documents that do not run, and why.
    pub set_aside: Vec<SetAside>,
    /// How many rules were left out because of their level.
    pub below_level: usize,
    /// All that is to be said about the files, in their order.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were read.
    pub files: usize,
}

/// A rule that runs.
#[derive(Debug)]
pub struct LoadedRule {
    /// The rule as written.
    pub rule: Rule,
    /// What tags say of it.
    pub tag: RuleTag,
    mapped: MappedRule,
}

/// Why no rule of a set may run.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There are no rule files.
    #[error("no rule files under {}: rules are files that end in .yml or .yaml", shown(.0))]
    NoFiles(Vec<PathBuf>),
    /// A path that was given does not exist or cannot be read.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    Unreadable(PathBuf, io::Error),
    /// A filter of the set cannot be applied.
    #[error("the rules are refused, since a filter among them cannot be applied: {0}")]
    Refused(Box<Diagnostic>),
}

impl Rules {
    /// Loads the rules under `paths`: a file is itself, a folder all `.yml` and `.yaml` files in it and below. Rules below
    /// `min_level` do not run; a rule without a level counts as informational.
    ///
    /// # Errors
    /// [`LoadError`] when there is nothing to load, or when nothing of it may run.
    pub fn load(
        paths: &[PathBuf],
        mapping: &Mapping,
        min_level: Option<Level>,
    ) -> Result<Rules, LoadError> {
        let files = rule_files(paths)?;
        let mut unreadable = Vec::new();
        let mut hashes = Vec::new();
        let mut parsed = Vec::new();
        for (path, read) in files.iter().zip(read_all(&files, &mapping.placeholders())) {
            match read {
                Ok((hash, one)) => {
                    hashes.push(hash);
                    parsed.push(one);
                }
                Err(error) => unreadable.push(not_read(path, &error)),
            }
        }
        let collection = Collection::assemble(parsed);
        if let Some(refused) = collection.refused {
            return Err(LoadError::Refused(Box::new(refused)));
        }
        let mut rules = Rules::compile(collection, mapping, min_level);
        rules.set_aside.splice(0..0, unreadable);
        rules.id = id_of(hashes, mapping, min_level);
        rules.files = files.len();
        Ok(rules)
    }

    /// No rules at all.
    pub fn none() -> Rules {
        Rules::compile(Collection::default(), &Mapping::none(), None)
    }

    /// Maps and compiles the rules of a collection, which has no files and no [`Rules::id`].
    pub fn compile(collection: Collection, mapping: &Mapping, min_level: Option<Level>) -> Rules {
        let mut rules = Rules {
            running: Vec::with_capacity(collection.rules.len()),
            ruleset: Ruleset::compile::<[Branch; 0]>([]),
            id: String::new(),
            set_aside: collection.set_aside,
            below_level: 0,
            diagnostics: collection.diagnostics,
            files: 0,
        };
        for rule in collection.rules {
            if min_level.is_some_and(|least| rule.level.unwrap_or(Level::Informational) < least) {
                rules.below_level += 1;
                continue;
            }
            match mapping.map(&rule) {
                Ok(mapped) => rules.running.push(LoadedRule {
                    tag: RuleTag::new(&rule),
                    mapped,
                    rule,
                }),
                Err(error) => rules.set_aside.push(not_mapped(&rule, &error)),
            }
        }
        rules.set_aside.extend(
            collection
                .correlations
                .into_iter()
                .map(|correlation| SetAside {
                    kind: Kind::Correlation,
                    title: Some(correlation.title),
                    reason: diagnostic(
                        Severity::NeedsSetUp,
                        "correlation",
                        "correlations are not run by this version".to_owned(),
                        correlation.location,
                    ),
                }),
        );
        rules.ruleset = Ruleset::compile(rules.running.iter().map(LoadedRule::branches));
        rules
    }

    /// How many documents do not run for this reason: [`Severity::Error`] (broken) or [`Severity::NeedsSetUp`].
    pub fn set_aside_as(&self, severity: Severity) -> usize {
        self.set_aside
            .iter()
            .filter(|set_aside| set_aside.reason.severity == severity)
            .count()
    }
}

impl LoadedRule {
    /// The fields of `event` that this rule matches by, and their values; empty if it does not match.
    pub fn evidence<'a>(&self, event: &impl Fields<'a>) -> Vec<(String, String)> {
        let branches = self.mapped.branches.iter();
        let evidence = branches
            .filter(|branch| branch.condition.matches(event))
            .find_map(|branch| branch.detection.evidence(event));
        let evidence = evidence.unwrap_or_default().into_iter();
        evidence.map(|found| (found.field, found.value)).collect()
    }

    /// The rule as an index's fields say it.
    pub fn mapped(&self) -> &MappedRule {
        &self.mapped
    }

    fn branches(&self) -> impl Iterator<Item = Branch> {
        let branches = self.mapped.branches.iter();
        branches.map(|branch| Branch {
            condition: branch.condition.clone(),
            detection: branch.detection.clone(),
        })
    }
}

/// All rule files under `paths`: a file is itself, a folder all `.yml` and `.yaml` files in it and below, in the order of
/// their names.
///
/// # Errors
/// [`LoadError`] when a path cannot be read, or when there are no rule files.
pub fn rule_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = Vec::new();
    for path in paths {
        if std::fs::metadata(path)
            .map_err(|error| LoadError::Unreadable(path.clone(), error))?
            .is_file()
        {
            files.push(path.clone());
            continue;
        }
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                // A loop of links leads nowhere new.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(path).to_owned();
                    return Err(LoadError::Unreadable(path, error.into()));
                }
            };
            if entry.file_type().is_file() && is_rule_file(entry.path()) {
                files.push(entry.into_path());
            }
        }
    }
    if files.is_empty() {
        Err(LoadError::NoFiles(paths.to_vec()))
    } else {
        Ok(files)
    }
}

fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    })
}

/// The hash of a file, and what it holds.
type Read = io::Result<(Hash, sigma::Parsed)>;
type Hash = [u8; 32];

/// Reads and parses `files` on all cores, and keeps their order.
fn read_all(files: &[PathBuf], placeholders: &Placeholders) -> Vec<Read> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let files = std::iter::from_fn(|| {
            let index = next.fetch_add(1, Ordering::Relaxed);
            files
                .get(index)
                .map(|file| (index, read_one(file, placeholders)))
        });
        files.collect::<Vec<_>>()
    };
    let mut read = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(files.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut read = work();
        for worker in workers {
            read.extend(
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        read
    });
    read.sort_unstable_by_key(|(index, _)| *index);
    read.into_iter().map(|(_, read)| read).collect()
}

fn read_one(path: &Path, placeholders: &Placeholders) -> Read {
    let text = std::fs::read(path)?;
    let name = path.to_string_lossy();
    let source = Source {
        name: &name,
        text: &text,
    };
    Ok((
        Sha256::digest(&text).into(),
        sigma::parse_with(&source, placeholders),
    ))
}

fn not_read(path: &Path, error: &io::Error) -> SetAside {
    let location = Location {
        file: Arc::from(&*path.to_string_lossy()),
        span: Span::default(),
    };
    SetAside {
        kind: Kind::Rule,
        title: None,
        reason: diagnostic(Severity::Error, "unreadable", error.to_string(), location),
    }
}

/// The first 16 hex digits of the sha256 of the files' hashes, whatever their order, and of the level.
fn id_of(mut hashes: Vec<Hash>, mapping: &Mapping, min_level: Option<Level>) -> String {
    hashes.sort_unstable();
    let level = min_level.map(|level| level.to_string()).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(hashes.as_flattened());
    digest.update(level);
    for part in mapping.identity() {
        digest.update(Sha256::digest(part));
    }
    digest.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn not_mapped(rule: &Rule, error: &MapError) -> SetAside {
    let (severity, code, location) = match error {
        MapError::NotMapped(_) => {
            let span = rule.log_source.span;
            (
                Severity::NeedsSetUp,
                "log-source",
                Location {
                    span,
                    ..rule.location.clone()
                },
            )
        }
        MapError::Regex { location, .. } | MapError::Value { location, .. } => {
            (Severity::Error, "unusable-value", location.clone())
        }
    };
    let reason = diagnostic(severity, code, error.to_string(), location);
    SetAside {
        kind: Kind::Rule,
        title: Some(rule.title.clone()),
        reason,
    }
}

fn diagnostic(
    severity: Severity,
    code: &'static str,
    message: String,
    location: Location,
) -> Diagnostic {
    Diagnostic {
        severity,
        code,
        message,
        help: None,
        location,
        labels: Vec::new(),
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
