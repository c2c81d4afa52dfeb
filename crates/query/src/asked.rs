//! What one question about one field means, by the type of the field. Both languages ask the same questions.

use crate::date;
use crate::error::Problem;
use crate::regexp::{self, Flags};
use crate::schema::{Known, Like, Schema, Type};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use predicate::{
    Analysis, Comparison, DateRange, Decimal, Field, Indexed, Matcher, Missing, Part, Pattern,
    Predicate, Regex, TermTest, Test, lower, words,
};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Bound;
use std::sync::{Arc, LazyLock};

/// The addresses of IPv6 that stand for those of IPv4.
pub(crate) static MAPPED: LazyLock<Ipv6Net> =
    LazyLock::new(|| Ipv6Net::new_assert(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 96));

/// Nothing matches.
pub(crate) fn nothing() -> Predicate {
    Predicate::Any(Vec::new())
}

/// Everything matches.
pub(crate) fn everything() -> Predicate {
    Predicate::All(Vec::new())
}

/// Any of these; itself if it is one.
pub(crate) fn any(mut parts: Vec<Predicate>) -> Predicate {
    match parts.len() {
        1 => parts.remove(0),
        _ => Predicate::Any(parts),
    }
}

/// All of these; itself if it is one.
pub(crate) fn all(mut parts: Vec<Predicate>) -> Predicate {
    match parts.len() {
        1 => parts.remove(0),
        _ => Predicate::All(parts),
    }
}

/// A field that is asked about.
pub(crate) struct Asked<'s> {
    name: String,
    subject: Subject,
    kind: &'s Type,
}

/// Whose values are tested.
enum Subject {
    Field(Field),
    /// Every string of the event.
    Strings,
}

/// How a text is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Case counts.
    Exact,
    /// `case_insensitive`: a–z equal A–Z.
    Ascii,
}

/// Whether a pattern or the end of a range is lowered as the words of a text are: in Lucene queries it is, in JSON it is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lowered {
    Yes,
    No,
}

/// Asks about the field `name`, or about all that it stands for if there is a `*` in it; any of them may answer.
/// `None`s are left out, and so are, where several are asked or `lenient` says so, those that do not take the question.
pub(crate) fn ask(
    schema: &Schema,
    name: &str,
    lenient: bool,
    question: &dyn Fn(&Asked<'_>) -> Result<Option<Predicate>, Problem>,
) -> Result<Option<Predicate>, Problem> {
    let lenient = lenient || name.contains('*');
    let mut answers = Vec::new();
    let asked = fields(schema, name)?;
    if asked.is_empty() {
        return Ok(Some(nothing()));
    }
    for asked in &asked {
        match question(asked) {
            Ok(answer) => answers.extend(answer),
            Err(Problem::Field { .. } | Problem::Value { .. }) if lenient => {
                answers.push(nothing());
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok((!answers.is_empty()).then(|| any(answers)))
}

fn fields<'s>(schema: &'s Schema, name: &str) -> Result<Vec<Asked<'s>>, Problem> {
    if !name.contains('*') {
        is_data(schema, name)?;
        let known = schema.known(name).map(|known| Asked {
            name: name.to_owned(),
            subject: Subject::Field(known.field()),
            kind: known.kind,
        });
        return Ok(known.into_iter().collect());
    }
    let Like { mapped, new } = schema
        .like(name)
        .ok_or_else(|| Problem::Names(name.to_owned()))?;
    let mapped = mapped.into_iter().map(|(name, known)| Asked {
        name,
        subject: Subject::Field(known.field()),
        kind: known.kind,
    });
    let new = new.into_iter().map(|kind| Asked {
        name: name.to_owned(),
        subject: Subject::Strings,
        kind,
    });
    Ok(mapped.chain(new).collect())
}

/// The fields of the server's own, which stand in no event.
pub(crate) const METADATA: [&str; 14] = [
    "_data_stream_timestamp",
    "_doc_count",
    "_field_names",
    "_id",
    "_ignored",
    "_index",
    "_primary_term",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_type",
    "_version",
];

fn is_data(schema: &Schema, name: &str) -> Result<(), Problem> {
    match METADATA.contains(&name) && !schema.is_mapped(name) {
        false => Ok(()),
        true => Err(Problem::Field {
            field: name.to_owned(),
            kind: "a field of the server's own".to_owned(),
            query: "its value",
        }),
    }
}

impl Asked<'_> {
    fn test(&self, matcher: Matcher) -> Predicate {
        Predicate::Test(match &self.subject {
            Subject::Field(field) => Test::Value(field.clone(), matcher),
            Subject::Strings => Test::Keyword(matcher),
        })
    }

    fn terms(&self, analysis: Analysis, test: TermTest) -> Predicate {
        self.test(Matcher::Indexed(Arc::new(Indexed { analysis, test })))
    }

    /// A term is like `pattern`; the pattern is that of the index already.
    fn pattern(&self, analysis: Analysis, pattern: Pattern, case: Case) -> Predicate {
        // If nothing that matches is left out of the index, nothing is to be said of it.
        if let Analysis::Whole {
            ignore_above,
            lowercase: false,
        } = analysis
            && case == Case::Exact
            && (ignore_above == usize::MAX || is_short_text(&pattern, ignore_above))
        {
            return self.test(Matcher::Pattern(Arc::new(pattern)));
        }
        let test = TermTest::Pattern {
            pattern: Arc::new(pattern),
            caseless: case == Case::Ascii,
        };
        self.terms(analysis, test)
    }

    fn refuses(&self, query: &'static str) -> Problem {
        Problem::Field {
            field: self.name.clone(),
            kind: self.kind.to_string(),
            query,
        }
    }

    fn wrong(&self, value: &str, expected: &'static str) -> Problem {
        Problem::Value {
            field: self.name.clone(),
            value: value.to_owned(),
            expected,
        }
    }

    /// A term is `text`.
    pub(crate) fn term(
        &self,
        text: &str,
        case: Case,
        now: Timestamp,
    ) -> Result<Predicate, Problem> {
        if case == Case::Ascii && self.kind.analysis().is_none() {
            return Err(self.refuses("a caseless term"));
        }
        Ok(match self.kind {
            Type::Keyword { .. } | Type::Wildcard { .. } | Type::Text => {
                let analysis = self.analysis("a term")?;
                let text = match analysis {
                    Analysis::Whole {
                        lowercase: true, ..
                    } => lower(text),
                    _ => text.to_owned(),
                };
                self.pattern(analysis, pattern([Part::Text(text)], case), case)
            }
            Type::Number => {
                let number = self.number(text)?;
                self.test(Matcher::Compare(Comparison::Equal, number))
            }
            Type::Date => {
                let day = (Bound::Included(text), Bound::Included(text));
                self.range(day.0, day.1, Lowered::No, now)?
            }
            Type::Boolean => match text {
                "true" => self.test(Matcher::Bool(true)),
                "false" => self.test(Matcher::Bool(false)),
                _ => return Err(self.wrong(text, "boolean")),
            },
            Type::Ip => {
                let net = text.parse::<IpNet>().ok();
                let net = net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
                let net = net.ok_or_else(|| self.wrong(text, "address or network"))?;
                let test = |net| self.test(Matcher::Cidr(net));
                match net {
                    // An address of IPv4 is kept as one of IPv6.
                    IpNet::V6(own) if own.contains(&*MAPPED) => {
                        Predicate::Any(vec![test(net), test(Ipv4Net::default().into())])
                    }
                    net => test(net),
                }
            }
            Type::Other(_) => return Err(self.refuses("a term")),
        })
    }

    /// Any, or all, of the words of `text`; of a field without words, the whole value. `None` if there are no words.
    pub(crate) fn words(
        &self,
        text: &str,
        all_words: bool,
        now: Timestamp,
    ) -> Result<Option<Predicate>, Problem> {
        if *self.kind != Type::Text {
            return self.term(text, Case::Exact, now).map(Some);
        }
        let mut words = words(text);
        words.dedup();
        let words: Vec<Predicate> = words
            .iter()
            .map(|word| self.terms(Analysis::Words, TermTest::is(word)))
            .collect();
        let combine = if all_words { all } else { any };
        Ok((!words.is_empty()).then(|| combine(words)))
    }

    /// The words of `text` one after another; of a field without words, the whole value. `None` if there are no words.
    pub(crate) fn phrase(&self, text: &str, now: Timestamp) -> Result<Option<Predicate>, Problem> {
        if *self.kind != Type::Text {
            return self.term(text, Case::Exact, now).map(Some);
        }
        let words = words(text);
        let phrase =
            |words: Vec<String>| self.terms(Analysis::Words, TermTest::Phrase(words.into()));
        Ok((!words.is_empty()).then(|| phrase(words)))
    }

    /// A term is like `text`, in which `*` and `?` are wildcards and a backslash takes the meaning of what follows.
    pub(crate) fn wildcard(
        &self,
        text: &str,
        case: Case,
        lowered: Lowered,
    ) -> Result<Predicate, Problem> {
        if text.is_empty() {
            // Servers have it so: an automaton of no characters takes no term.
            return self
                .parts(Vec::new(), case, lowered, "a wildcard")
                .map(|_| nothing());
        }
        let mut parts = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Star,
                '?' => Part::One,
                // At the end it means itself.
                '\\' => match chars.next().unwrap_or('\\') {
                    c if case == Case::Ascii && c.is_ascii_alphabetic() => {
                        let such = "a backslash before a letter, which makes its case count";
                        return Err(Problem::Syntax(such));
                    }
                    c => Part::Text(c.to_string()),
                },
                c => Part::Text(c.to_string()),
            });
        }
        self.parts(parts, case, lowered, "a wildcard")
    }

    /// A term begins with `text`.
    pub(crate) fn prefix(
        &self,
        text: &str,
        case: Case,
        lowered: Lowered,
    ) -> Result<Predicate, Problem> {
        let parts = vec![Part::Text(text.to_owned()), Part::Star];
        self.parts(parts, case, lowered, "a prefix")
    }

    fn parts(
        &self,
        parts: Vec<Part>,
        case: Case,
        lowered: Lowered,
        query: &'static str,
    ) -> Result<Predicate, Problem> {
        let analysis = self.analysis(query)?;
        let lowers = self.lowers(analysis, lowered);
        let parts = parts.into_iter().map(|part| match part {
            Part::Text(text) if lowers => Part::Text(lower(&text)),
            part => part,
        });
        Ok(self.pattern(analysis, pattern(parts, case), case))
    }

    /// A term matches Lucene's regular expression `text`.
    pub(crate) fn regexp(
        &self,
        text: &str,
        flags: Flags,
        case: Case,
        lowered: Lowered,
    ) -> Result<Predicate, Problem> {
        let analysis = self.analysis("a regular expression")?;
        if case == Case::Ascii && matches!(text, "" | "()") {
            return Ok(nothing());
        }
        let regex = |text: &str| regexp::read(text, flags, case == Case::Ascii);
        let regex: Arc<Regex> = Arc::new(match self.lowers(analysis, lowered) {
            true => regex(&lower(text))?,
            false => regex(text)?,
        });
        Ok(match analysis {
            Analysis::Whole {
                ignore_above: usize::MAX,
                lowercase: false,
            } => self.test(Matcher::Regex(regex)),
            analysis => self.terms(analysis, TermTest::Regex(regex)),
        })
    }

    /// A value lies between these.
    pub(crate) fn range(
        &self,
        from: Bound<&str>,
        to: Bound<&str>,
        lowered: Lowered,
        now: Timestamp,
    ) -> Result<Predicate, Problem> {
        match self.kind {
            Type::Number => {
                let number = |bound: Bound<&str>| match bound {
                    Bound::Included(text) => self.number(text).map(Bound::Included),
                    Bound::Excluded(text) => self.number(text).map(Bound::Excluded),
                    Bound::Unbounded => Ok(Bound::Unbounded),
                };
                Ok(self.test(Matcher::Between(Arc::new((number(from)?, number(to)?)))))
            }
            Type::Date => {
                let date = |text: &str, missing: Missing| {
                    let date = date::read(text, now, missing);
                    date.ok_or_else(|| self.wrong(text, "date"))
                };
                let from = match from {
                    Bound::Included(text) => date(text, Missing::Earliest)?,
                    Bound::Excluded(text) => date(text, Missing::Latest)?.saturating_add(1),
                    Bound::Unbounded => i64::MIN,
                };
                let to = match to {
                    Bound::Included(text) => date(text, Missing::Latest)?,
                    Bound::Excluded(text) => date(text, Missing::Earliest)?.saturating_sub(1),
                    Bound::Unbounded => i64::MAX,
                };
                Ok(self.test(Matcher::Date(DateRange { from, to })))
            }
            Type::Keyword { .. } | Type::Wildcard { .. } | Type::Text => {
                let analysis = self.analysis("a range")?;
                let lowers = self.lowers(analysis, lowered);
                let bound = |bound: Bound<&str>| {
                    bound.map(|text| match lowers {
                        true => lower(text).into_boxed_str(),
                        false => text.into(),
                    })
                };
                Ok(self.terms(analysis, TermTest::Between(bound(from), bound(to))))
            }
            Type::Boolean | Type::Ip | Type::Other(_) => Err(self.refuses("a range")),
        }
    }

    fn number(&self, text: &str) -> Result<Decimal, Problem> {
        Decimal::parse(text).ok_or_else(|| self.wrong(text, "number"))
    }

    fn analysis(&self, query: &'static str) -> Result<Analysis, Problem> {
        self.kind.analysis().ok_or_else(|| self.refuses(query))
    }

    /// Whether a pattern is lowered before it is compared.
    fn lowers(&self, analysis: Analysis, lowered: Lowered) -> bool {
        match analysis {
            Analysis::Whole { lowercase, .. } => lowercase,
            Analysis::Words => lowered == Lowered::Yes,
        }
    }
}

/// The field `name` has a value, or any that lies in it has; `*` in it stands for any name.
pub(crate) fn exists(schema: &Schema, name: &str) -> Result<Predicate, Problem> {
    is_data(schema, name)?;
    if name.is_empty() {
        return Err(Problem::Expected {
            expected: "the name of a field",
            found: "\"\"".to_owned(),
        });
    }
    let test = |known: &Known<'_>| {
        let ignore_above = known.kind.ignore_above();
        Predicate::Test(Test::Indexed(known.field(), ignore_above))
    };
    if let Some(Like { mapped, new }) = schema.like(name).filter(|_| name.contains('*'))
        && new.is_empty()
    {
        let known = mapped.iter().map(|(_, known)| known);
        let known = known.filter(|known| !matches!(known.kind, Type::Other(_)));
        return Ok(any(known.map(test).collect()));
    }
    let names = name.split('.');
    if name == "*"
        || names
            .into_iter()
            .any(|name| name.contains('*') && name != "*")
    {
        return Err(Problem::Names(name.to_owned()));
    }
    let mut parts = Vec::new();
    if let Some(known) = schema.known(name) {
        if let Type::Other(kind) = known.kind {
            return Err(Problem::Field {
                field: name.to_owned(),
                kind: kind.clone(),
                query: "whether it is there",
            });
        }
        parts.push(test(&known));
    }
    parts.extend(schema.in_object(name).iter().map(test));
    Ok(any(parts))
}

/// The pattern of these parts, lowered as far as `case` says.
fn pattern(parts: impl IntoIterator<Item = Part>, case: Case) -> Pattern {
    let parts = parts.into_iter().map(|part| match part {
        Part::Text(text) if case == Case::Ascii => Part::Text(text.to_ascii_lowercase()),
        part => part,
    });
    Pattern::new(parts, true)
}

/// Whether the pattern is a text of at most so many UTF-16 units.
fn is_short_text(pattern: &Pattern, longest: usize) -> bool {
    match pattern.parts() {
        [] => true,
        [Part::Text(text)] => text.encode_utf16().count() <= longest,
        _ => false,
    }
}
