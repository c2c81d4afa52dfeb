//! What each type of field is asked.

use super::query::Query;
use super::texts::{
    addresses, ascii_caseless, beginning, chars, may_be_longer, regexp, runs, single, variants,
    whole,
};
use super::{Differs, Language, MAX_REGEXP, MAX_STEPS, Planner, Side, Target, is_taken};
use crate::asked::MAPPED;
use crate::note::Reason;
use crate::regexp::translate;
use crate::schema::Type;
use ipnet::IpNet;
use jiff::Timestamp;
use predicate::{
    Analysis, Comparison, DateRange, Decimal, Indexed, Matcher, Part, Pattern, TermTest, lower,
    words,
};
use std::ops::{Bound, RangeInclusive};
use std::sync::LazyLock;

/// The numbers that a field of type `long` holds.
static LONGS: LazyLock<RangeInclusive<Decimal>> =
    LazyLock::new(|| i64::MIN.into()..=i64::MAX.into());

fn end_of<T>(bound: &Bound<T>) -> Option<&T> {
    match bound {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    }
}

/// Which types of fields answer a test best, the lower the better.
pub(super) fn rank(matcher: &Matcher, kind: &Type) -> usize {
    let is_own = match matcher {
        Matcher::Indexed(indexed) => kind.analysis() == Some(indexed.analysis),
        Matcher::Number(_) | Matcher::Compare(..) | Matcher::Between(_) => *kind == Type::Number,
        Matcher::Bool(_) => *kind == Type::Boolean,
        Matcher::Cidr(_) => *kind == Type::Ip,
        Matcher::Date(_) => *kind == Type::Date,
        Matcher::Pattern(_) | Matcher::Regex(_) | Matcher::TimePart(..) => false,
    };
    match kind {
        _ if is_own => 0,
        Type::Keyword {
            lowercase: false, ..
        } => 1,
        Type::Wildcard { .. } => 2,
        Type::Keyword { .. } => 3,
        Type::Text => 4,
        Type::Number | Type::Date | Type::Boolean | Type::Ip => 5,
        Type::Other(_) => 6,
    }
}

impl Planner<'_> {
    /// A test on the values of one field, by what its type is.
    pub(super) fn matcher(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        if let Matcher::Indexed(indexed) = matcher {
            return self.terms(indexed, target);
        }
        match target.kind {
            Type::Keyword { .. } | Type::Wildcard { .. } => self.on_keyword(matcher, target),
            Type::Text => self.on_text(matcher, target),
            Type::Number => self.on_number(matcher, target),
            Type::Date => match matcher {
                Matcher::Date(range) => date_range(target, range),
                Matcher::TimePart(..) => self.instead(Reason::TimePart, target),
                _ => self.instead(Reason::Type, target),
            },
            Type::Boolean => match matcher {
                Matcher::Bool(value) => target.term(value.to_string()),
                Matcher::Pattern(pattern) if matches!(whole(pattern), Some("true" | "false")) => {
                    target.term(whole(pattern).unwrap_or_default())
                }
                _ => self.instead(Reason::Type, target),
            },
            Type::Ip => match matcher {
                Matcher::Cidr(net) => self.ip_network(net, target),
                _ => self.instead(Reason::Type, target),
            },
            Type::Other(_) => self.instead(Reason::Type, target),
        }
    }

    fn on_keyword(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        match matcher {
            Matcher::Pattern(pattern) => self.keyword_pattern(pattern, target),
            Matcher::Regex(regex) => self.keyword_regex(regex.as_str(), target),
            Matcher::Number(number) => {
                self.differs(Reason::Number, Differs::Less, target);
                self.short_term(&number.to_string(), target)
            }
            Matcher::Bool(value) => {
                let text = value.to_string();
                match self.language {
                    Language::Dsl => Query::Term {
                        field: target.name.clone(),
                        text,
                        caseless: true,
                    },
                    Language::Lucene if matches!(target.kind, Type::Wildcard { .. }) => {
                        self.instead(Reason::WildcardField, target)
                    }
                    Language::Lucene => target.regexp(ascii_caseless(&[Part::Text(text)])),
                }
            }
            Matcher::Cidr(net) => self.keyword_network(net, target),
            Matcher::TimePart(..) => self.instead(Reason::TimePart, target),
            Matcher::Compare(..) | Matcher::Between(_) | Matcher::Date(_) | Matcher::Indexed(_) => {
                self.instead(Reason::Type, target)
            }
        }
    }

    /// A term that is this text, in a field that may leave it out.
    fn short_term(&mut self, text: &str, target: &Target<'_>) -> Query {
        if text.encode_utf16().count() > target.ignore_above() {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        target.term(text)
    }

    fn keyword_pattern(&mut self, pattern: &Pattern, target: &Target<'_>) -> Query {
        if may_be_longer(pattern, target.ignore_above()) {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        if target.is_lowered() {
            // What is told apart here is equal there, or the other way round.
            self.differs(Reason::Case, Differs::More, target);
            self.differs(Reason::Case, Differs::Less, target);
            if target.side == Side::Under {
                return Query::nothing();
            }
        }
        let has_case = !pattern.is_cased() && chars(pattern.parts()).any(|c| variants(c).len() > 1);
        if !has_case {
            let lowered = pattern.parts().iter().map(|part| match part {
                Part::Text(text) if target.is_lowered() => Part::Text(lower(text)),
                part => part.clone(),
            });
            return self.like(lowered.collect(), false, target);
        }
        // A server knows the case of ASCII letters only; for others, an expression names each form.
        let is_ascii = chars(pattern.parts()).all(|c| c.is_ascii() || variants(c).len() < 2);
        match self.language {
            Language::Dsl if is_ascii => {
                if chars(pattern.parts()).any(|c| matches!(c, 'k' | 's')) {
                    self.differs(Reason::Case, Differs::Less, target);
                }
                self.like(pattern.parts().to_vec(), true, target)
            }
            Language::Lucene if matches!(target.kind, Type::Wildcard { .. }) => {
                self.instead(Reason::WildcardField, target)
            }
            _ => {
                let parts = pattern.parts();
                let regexp = regexp(parts.iter(), &|c| variants(c).to_vec());
                if regexp.chars().count() <= MAX_REGEXP {
                    return target.regexp(regexp);
                }
                match target.side {
                    Side::Over => {
                        self.differs(Reason::Length, Differs::More, target);
                        target.regexp(beginning(parts))
                    }
                    Side::Under => self.instead(Reason::Length, target),
                }
            }
        }
    }

    /// A term is like `parts`.
    fn like(&mut self, parts: Vec<Part>, caseless: bool, target: &Target<'_>) -> Query {
        let field = target.name.clone();
        let steps = single(&parts).count();
        match &*parts {
            [] => target.term(""),
            [Part::Text(text)] if !caseless || steps <= MAX_STEPS => {
                let text = text.clone();
                Query::Term {
                    field,
                    text,
                    caseless,
                }
            }
            _ if self.language == Language::Lucene
                && matches!(target.kind, Type::Wildcard { .. }) =>
            {
                self.instead(Reason::WildcardField, target)
            }
            _ if steps <= MAX_STEPS => Query::Wildcard {
                field,
                parts,
                caseless,
            },
            _ if target.side == Side::Under => self.instead(Reason::Length, target),
            _ => {
                self.differs(Reason::Length, Differs::More, target);
                let parts = single(&parts).take(MAX_STEPS - 1).chain([Part::Star]);
                let parts = Pattern::new(parts, true).parts().to_vec();
                Query::Wildcard {
                    field,
                    parts,
                    caseless,
                }
            }
        }
    }

    fn keyword_regex(&mut self, pattern: &str, target: &Target<'_>) -> Query {
        if target.is_lowered() {
            return self.instead(Reason::Case, target);
        }
        if self.language == Language::Lucene && matches!(target.kind, Type::Wildcard { .. }) {
            return self.instead(Reason::WildcardField, target);
        }
        match translate(pattern) {
            Some(found) if !is_taken(&found) => self.instead(Reason::Length, target),
            Some(found) if found.is_exact || target.side == Side::Over => {
                if !found.is_exact {
                    self.differs(Reason::Regex, Differs::More, target);
                }
                if target.ignore_above() != usize::MAX {
                    self.differs(Reason::TooLong, Differs::Less, target);
                }
                target.regexp(found.text)
            }
            _ => self.instead(Reason::Regex, target),
        }
    }

    fn keyword_network(&mut self, net: &IpNet, target: &Target<'_>) -> Query {
        if self.language == Language::Lucene && matches!(target.kind, Type::Wildcard { .. }) {
            return self.instead(Reason::WildcardField, target);
        }
        let regexp = match (net, target.side) {
            // An IPv6 address that stands for one of these begins like this, a scope follows a `%`.
            (IpNet::V4(net), Side::Over) => {
                format!("({}(%.*)?|[0\\:]+[fF]{{4}}\\:.*)", addresses(net)).replace('%', "\\%")
            }
            (IpNet::V4(net), Side::Under) => addresses(net),
            (IpNet::V6(_), Side::Over) => ".*\\:.*".to_owned(),
            (IpNet::V6(_), Side::Under) => return self.instead(Reason::Network, target),
        };
        let differs = match target.side {
            Side::Over => Differs::More,
            Side::Under => Differs::Less,
        };
        self.differs(Reason::Network, differs, target);
        if target.ignore_above() != usize::MAX {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        target.regexp(regexp)
    }

    fn ip_network(&mut self, net: &IpNet, target: &Target<'_>) -> Query {
        match net {
            // Such an address is in the field one of IPv4, and a server refuses the network.
            IpNet::V6(net) if MAPPED.contains(net) => self.instead(Reason::Network, target),
            IpNet::V6(net) if net.contains(&*MAPPED) => match target.side {
                Side::Over => {
                    self.differs(Reason::Network, Differs::More, target);
                    target.term(net.to_string())
                }
                Side::Under => self.instead(Reason::Network, target),
            },
            net => target.term(net.to_string()),
        }
    }

    /// A field that is words only. Of a whole value, what stands in one word for sure is asked.
    fn on_text(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        if target.side == Side::Under {
            return self.instead(Reason::Words, target);
        }
        match matcher {
            Matcher::Pattern(pattern) => {
                let runs = runs(pattern);
                if runs.is_empty() {
                    return self.instead(Reason::Words, target);
                }
                self.differs(Reason::Words, Differs::More, target);
                self.differs(Reason::Words, Differs::Less, target);
                Query::all(runs.into_iter().map(|run| target.regexp(run)))
            }
            Matcher::Number(number) => {
                self.differs(Reason::Words, Differs::More, target);
                self.differs(Reason::Number, Differs::Less, target);
                target.phrase(&number.to_string())
            }
            Matcher::Bool(value) => {
                self.differs(Reason::Words, Differs::More, target);
                target.phrase(&value.to_string())
            }
            _ => self.instead(Reason::Words, target),
        }
    }

    fn on_number(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        let numbers = match matcher {
            Matcher::Number(number) | Matcher::Compare(_, number) => vec![number],
            Matcher::Between(range) => [&range.0, &range.1]
                .into_iter()
                .filter_map(end_of)
                .collect(),
            _ => Vec::new(),
        };
        // Servers refuse numbers that the field cannot hold.
        if numbers.iter().any(|number| !LONGS.contains(number)) {
            return self.instead(Reason::Type, target);
        }
        let field = target.name.clone();
        let range = |from: Bound<&Decimal>, to: Bound<&Decimal>| Query::Range {
            field,
            from: from.map(ToString::to_string),
            to: to.map(ToString::to_string),
        };
        match matcher {
            Matcher::Number(number) => {
                // Also strings such as `01`, which are that number there.
                self.differs(Reason::Number, Differs::More, target);
                target.term(number.to_string())
            }
            Matcher::Compare(Comparison::Equal, number) => target.term(number.to_string()),
            Matcher::Compare(comparison, number) => match comparison {
                Comparison::Less => range(Bound::Unbounded, Bound::Excluded(number)),
                Comparison::Greater => range(Bound::Excluded(number), Bound::Unbounded),
                Comparison::GreaterOrEqual => range(Bound::Included(number), Bound::Unbounded),
                Comparison::LessOrEqual | Comparison::Equal => {
                    range(Bound::Unbounded, Bound::Included(number))
                }
            },
            Matcher::Between(between) => range(between.0.as_ref(), between.1.as_ref()),
            Matcher::Pattern(pattern) if target.side == Side::Over => {
                match whole(pattern).and_then(Decimal::parse) {
                    Some(number) => {
                        self.differs(Reason::Type, Differs::More, target);
                        target.term(number.to_string())
                    }
                    None => self.instead(Reason::Type, target),
                }
            }
            _ => self.instead(Reason::Type, target),
        }
    }

    /// A test on terms, of a field whose terms may be others.
    fn terms(&mut self, indexed: &Indexed, target: &Target<'_>) -> Query {
        if target.kind.analysis() != Some(indexed.analysis) {
            return self.instead(Reason::Type, target);
        }
        let is_wildcard_field = matches!(target.kind, Type::Wildcard { .. });
        // A query string lowers what is asked of words.
        let is_kept = |text: &str| {
            self.language == Language::Dsl
                || indexed.analysis != Analysis::Words
                || lower(text) == text
        };
        let field = target.name.clone();
        match &indexed.test {
            TermTest::Phrase(phrase) => match (&**phrase, indexed.analysis) {
                ([], _) => Query::nothing(),
                ([text], Analysis::Whole { .. }) => self.short_term(text, target),
                (_, Analysis::Whole { .. }) => Query::nothing(),
                (phrase, Analysis::Words) => {
                    let text = phrase.join(" ");
                    match words(&text) == phrase {
                        true => target.phrase(&text),
                        false => self.instead(Reason::Words, target),
                    }
                }
            },
            // No word is empty.
            TermTest::Pattern { pattern, .. }
                if indexed.analysis == Analysis::Words && pattern.parts().is_empty() =>
            {
                Query::nothing()
            }
            TermTest::Pattern { pattern, caseless } => match (self.language, pattern.parts()) {
                (Language::Dsl, parts) => self.like(parts.to_vec(), *caseless, target),
                (Language::Lucene, [Part::Text(text)])
                    if indexed.analysis == Analysis::Words && !caseless =>
                {
                    match words(text)[..] == [text.as_str()] {
                        true => target.phrase(text),
                        false => self.instead(Reason::Words, target),
                    }
                }
                _ if is_wildcard_field => self.instead(Reason::WildcardField, target),
                (Language::Lucene, parts) if *caseless => {
                    let regexp = ascii_caseless(parts);
                    match regexp.chars().count() <= MAX_REGEXP {
                        true => target.regexp(regexp),
                        false => self.instead(Reason::Length, target),
                    }
                }
                (Language::Lucene, parts) => match chars(parts).all(|c| is_kept(&c.to_string())) {
                    true => self.like(parts.to_vec(), false, target),
                    false => self.instead(Reason::Words, target),
                },
            },
            TermTest::Regex(regex) => match translate(regex.as_str()) {
                Some(found) if found.is_exact && is_taken(&found) && is_kept(&found.text) => {
                    match is_wildcard_field && self.language == Language::Lucene {
                        true => self.instead(Reason::WildcardField, target),
                        false => target.regexp(found.text),
                    }
                }
                _ => self.instead(Reason::Regex, target),
            },
            TermTest::Between(Bound::Unbounded, Bound::Unbounded) => {
                self.like(vec![Part::Star], false, target)
            }
            TermTest::Between(from, to) => {
                let end = |bound: &Bound<Box<str>>| bound.as_ref().map(|text| text.to_string());
                let (from, to) = (end(from), end(to));
                let is_written = |bound: &Bound<String>| match bound {
                    Bound::Included(text) | Bound::Excluded(text) => {
                        is_kept(text)
                            && (self.language == Language::Dsl || !matches!(&**text, "" | "*"))
                    }
                    Bound::Unbounded => true,
                };
                match is_written(&from) && is_written(&to) {
                    true => Query::Range { field, from, to },
                    false => self.instead(Reason::Words, target),
                }
            }
        }
    }
}

fn date_range(target: &Target<'_>, range: &DateRange) -> Query {
    let date = |millis: i64| match Timestamp::from_millisecond(millis) {
        Ok(date) if (0..=253_402_300_799_999).contains(&millis) => format!("{date:.3}"),
        // Only recent dates are written in one way by all.
        _ => millis.to_string(),
    };
    let end = |millis: i64, open: i64| match millis == open {
        true => Bound::Unbounded,
        false => Bound::Included(date(millis)),
    };
    Query::Range {
        field: target.name.clone(),
        from: end(range.from, i64::MIN),
        to: end(range.to, i64::MAX),
    }
}
