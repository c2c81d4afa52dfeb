//! From the Query DSL to a predicate.

use crate::asked::{Asked, Case, Lowered, all, any, ask, everything, exists, nothing};
use crate::error::{Place, Problem, ReadError, brief};
use crate::lucene::{LuceneOptions, Operator, read_at};
use crate::regexp::Flags;
use crate::schema::Schema;
use jiff::Timestamp;
use predicate::Predicate;
use serde_json::{Map, Value};
use std::ops::Bound;

/// How deep queries may lie in one another.
const MAX_DEPTH: usize = 100;

/// Reads a query of the Query DSL, or the object `{"query": …}` around it, with the meaning that a server gives it in an
/// index of this schema. Dates such as `now-1d` are relative to `now`.
///
/// Read are `bool`, `constant_score`, `dis_max`, `match_all`, `match_none`, `term`, `terms`, `match`, `match_phrase`,
/// `multi_match`, `wildcard`, `prefix`, `regexp`, `range`, `exists` and `query_string`, with those of their parameters that
/// change what is found, and those that do not (`boost`, `_name`, `rewrite` …).
///
/// # Errors
/// [`ReadError`] names the path in the JSON and what is wrong there. A query or parameter that is not read is an error.
pub fn read(json: &Value, schema: &Schema, now: Timestamp) -> Result<Predicate, ReadError> {
    let reader = Reader { schema, now };
    let at = Path {
        text: "$".to_owned(),
        depth: 0,
    };
    match json {
        Value::Object(object) if object.len() == 1 && object.contains_key("query") => {
            reader.query(&object["query"], &at.to("query"))
        }
        json => reader.query(json, &at),
    }
}

struct Reader<'s> {
    schema: &'s Schema,
    now: Timestamp,
}

/// Where in the JSON something stands.
struct Path {
    text: String,
    /// How many queries it lies in.
    depth: usize,
}

impl Path {
    fn to(&self, key: &str) -> Path {
        let text = format!("{}.{key}", self.text);
        Path {
            text,
            depth: self.depth,
        }
    }

    fn item(&self, number: usize) -> Path {
        let text = format!("{}[{number}]", self.text);
        Path {
            text,
            depth: self.depth,
        }
    }

    fn error(&self, problem: Problem) -> ReadError {
        let at = Place::Json(self.text.clone());
        ReadError { at, problem }
    }

    fn expected(&self, expected: &'static str, found: &Value) -> ReadError {
        let found = brief(found);
        self.error(Problem::Expected { expected, found })
    }

    fn parameter(&self, name: &str) -> ReadError {
        self.to(name).error(Problem::Parameter(name.to_owned()))
    }
}

type Read = Result<Predicate, ReadError>;

impl Reader<'_> {
    fn query(&self, json: &Value, at: &Path) -> Read {
        if at.depth > MAX_DEPTH {
            return Err(at.error(Problem::TooDeep(MAX_DEPTH)));
        }
        let query = object(json, at)?;
        let mut members = query.iter();
        let (Some((name, body)), None) = (members.next(), members.next()) else {
            return Err(match query.is_empty() {
                true => at.error(Problem::Empty),
                false => at.expected("an object with one query", json),
            });
        };
        let inner = Path {
            depth: at.depth + 1,
            ..at.to(name)
        };
        let at = &inner;
        match &**name {
            "bool" => self.bool(body, at),
            "constant_score" => {
                let filter = Parameters::new(body, at, &["filter"])?;
                let filter = filter.required("filter")?;
                self.query(filter, &at.to("filter"))
            }
            "dis_max" => {
                let parameters = Parameters::new(body, at, &["queries", "tie_breaker"])?;
                Ok(any(self.queries(
                    parameters.required("queries")?,
                    &at.to("queries"),
                )?))
            }
            "match_all" => Parameters::new(body, at, &[]).map(|_| everything()),
            "match_none" => Parameters::new(body, at, &[]).map(|_| nothing()),
            "term" => self.term(body, at),
            "terms" => self.terms(body, at),
            "match" => self.match_words(body, at),
            "match_phrase" => self.match_phrase(body, at),
            "multi_match" => self.multi_match(body, at),
            "wildcard" => self.wildcard(body, at),
            "prefix" => self.prefix(body, at),
            "regexp" => self.regexp(body, at),
            "range" => self.range(body, at),
            "exists" => {
                let field = Parameters::new(body, at, &["field"])?.required_text("field")?;
                exists(self.schema, &field).map_err(|problem| at.error(problem))
            }
            "query_string" => self.query_string(body, at),
            name => Err(at.error(Problem::Query(name.to_owned()))),
        }
    }

    /// One query, or a list of them.
    fn queries(&self, json: &Value, at: &Path) -> Result<Vec<Predicate>, ReadError> {
        match json {
            Value::Array(queries) => {
                let queries = queries.iter().enumerate();
                queries
                    .map(|(number, query)| self.query(query, &at.item(number)))
                    .collect()
            }
            query => Ok(vec![self.query(query, at)?]),
        }
    }

    fn bool(&self, body: &Value, at: &Path) -> Read {
        let clauses = ["must", "filter", "should", "must_not"];
        let known = [
            &clauses[..],
            &["minimum_should_match", "adjust_pure_negative"],
        ]
        .concat();
        let parameters = Parameters::new(body, at, &known)?;
        parameters.only("adjust_pure_negative", &[Value::Bool(true)])?;
        let [must, filter, should, must_not] = clauses.map(|name| match parameters.get(name) {
            None => Ok(Vec::new()),
            Some(queries) => self.queries(queries, &at.to(name)),
        });
        let (mut must, filter, should, must_not) = (must?, filter?, should?, must_not?);
        must.extend(filter);
        let wanted = match parameters.get("minimum_should_match") {
            None | Some(Value::Null) => i64::from(must.is_empty() && !should.is_empty()),
            Some(value) => {
                let number = match value {
                    Value::String(text) => text.parse().ok(),
                    value => value.as_i64(),
                };
                let number: i64 = number.ok_or_else(|| at.parameter("minimum_should_match"))?;
                // A negative number says how many need not.
                let wanted = if number < 0 {
                    number + should.len() as i64
                } else {
                    number
                };
                // Without anything that must match, one that may has to.
                wanted.max(i64::from(must.is_empty() && !should.is_empty()))
            }
        };
        // A server does not count where there is nothing but what must not match.
        let may_count = !must.is_empty() || !should.is_empty();
        if wanted > 0 && may_count {
            let found = at_least(wanted as usize, &should);
            must.push(found.ok_or_else(|| at.parameter("minimum_should_match"))?);
        }
        must.extend(
            must_not
                .into_iter()
                .map(|query| Predicate::Not(Box::new(query))),
        );
        Ok(all(must))
    }

    fn term(&self, body: &Value, at: &Path) -> Read {
        let (field, parameters) = Parameters::of_field(body, at, "value", &["case_insensitive"])?;
        let text = parameters.required_text("value")?;
        let case = parameters.case()?;
        self.ask(&field, &parameters.at, &|asked| {
            asked.term(&text, case, self.now).map(Some)
        })
    }

    fn terms(&self, body: &Value, at: &Path) -> Read {
        let mut fields = object(body, at)?
            .iter()
            .filter(|(name, _)| !is_neutral(name));
        let (Some((field, values)), None) = (fields.next(), fields.next()) else {
            return Err(at.expected("an object with one field", body));
        };
        let at = at.to(field);
        let Value::Array(values) = values else {
            return Err(at.expected("a list of values", values));
        };
        let terms = values.iter().enumerate().map(|(number, value)| {
            let at = at.item(number);
            let text =
                scalar(value).ok_or_else(|| at.expected("a string, number or boolean", value))?;
            self.ask(field, &at, &|asked| {
                asked.term(&text, Case::Exact, self.now).map(Some)
            })
        });
        terms.collect::<Result<_, _>>().map(any)
    }

    fn match_words(&self, body: &Value, at: &Path) -> Read {
        let known = [
            "operator",
            "zero_terms_query",
            "lenient",
            "fuzzy_transpositions",
            "auto_generate_synonyms_phrase_query",
        ];
        let (field, parameters) = Parameters::of_field(body, at, "query", &known)?;
        let text = parameters.required_text("query")?;
        let all_words = parameters.operator("operator")? == Operator::And;
        self.ask_or(
            &field,
            &parameters.at,
            parameters.zero_terms()?,
            parameters.flag("lenient")?,
            &|asked| asked.words(&text, all_words, self.now),
        )
    }

    fn match_phrase(&self, body: &Value, at: &Path) -> Read {
        let (field, parameters) =
            Parameters::of_field(body, at, "query", &["slop", "zero_terms_query"])?;
        parameters.only("slop", &[0.into()])?;
        let text = parameters.required_text("query")?;
        self.ask_or(
            &field,
            &parameters.at,
            parameters.zero_terms()?,
            false,
            &|asked| asked.phrase(&text, self.now),
        )
    }

    fn multi_match(&self, body: &Value, at: &Path) -> Read {
        let known = [
            "query",
            "fields",
            "type",
            "operator",
            "slop",
            "lenient",
            "tie_breaker",
            "zero_terms_query",
            "auto_generate_synonyms_phrase_query",
            "fuzzy_transpositions",
        ];
        let parameters = Parameters::new(body, at, &known)?;
        parameters.only("slop", &[0.into()])?;
        parameters.only(
            "type",
            &["phrase".into(), "best_fields".into(), "most_fields".into()],
        )?;
        let is_phrase = parameters.get("type").is_some_and(|kind| kind == "phrase");
        let text = parameters.required_text("query")?;
        let all_words = parameters.operator("operator")? == Operator::And;
        let empty = parameters.zero_terms()?;
        let lenient = parameters.flag("lenient")?;
        let fields = parameters.fields()?;
        let answers = fields.iter().map(|field| {
            self.ask_or(
                field,
                at,
                empty.clone(),
                lenient,
                &|asked| match is_phrase {
                    true => asked.phrase(&text, self.now),
                    false => asked.words(&text, all_words, self.now),
                },
            )
        });
        answers.collect::<Result<_, _>>().map(any)
    }

    fn wildcard(&self, body: &Value, at: &Path) -> Read {
        let known = ["wildcard", "case_insensitive", "rewrite"];
        let (field, parameters) = Parameters::of_field(body, at, "value", &known)?;
        let key = if parameters.get("wildcard").is_some() {
            "wildcard"
        } else {
            "value"
        };
        let text = parameters.required_text(key)?;
        let case = parameters.case()?;
        self.ask(&field, &parameters.at, &|asked| {
            asked.wildcard(&text, case, Lowered::No).map(Some)
        })
    }

    fn prefix(&self, body: &Value, at: &Path) -> Read {
        let known = ["case_insensitive", "rewrite"];
        let (field, parameters) = Parameters::of_field(body, at, "value", &known)?;
        let text = parameters.required_text("value")?;
        let case = parameters.case()?;
        self.ask(&field, &parameters.at, &|asked| {
            asked.prefix(&text, case, Lowered::No).map(Some)
        })
    }

    fn regexp(&self, body: &Value, at: &Path) -> Read {
        let known = [
            "flags",
            "case_insensitive",
            "max_determinized_states",
            "rewrite",
        ];
        let (field, parameters) = Parameters::of_field(body, at, "value", &known)?;
        let text = parameters.required_text("value")?;
        let flags = match parameters.text("flags")? {
            None => Flags::ALL,
            Some(flags) => Flags::read(&flags).ok_or_else(|| parameters.at.parameter("flags"))?,
        };
        let case = parameters.case()?;
        self.ask(&field, &parameters.at, &|asked| {
            asked.regexp(&text, flags, case, Lowered::No).map(Some)
        })
    }

    fn range(&self, body: &Value, at: &Path) -> Read {
        let ends = ["gt", "gte", "lt", "lte"];
        let (field, parameters) = Parameters::of_field(
            body,
            at,
            "",
            &[&ends[..], &["format", "time_zone"]].concat(),
        )?;
        parameters.only("time_zone", &["UTC".into(), "Z".into(), "+00:00".into()])?;
        if let Some(format) = parameters.text("format")?
            && !format.split("||").all(crate::schema::is_iso)
        {
            return Err(parameters.at.parameter("format"));
        }
        let [gt, gte, lt, lte] = ends.map(|end| match parameters.get(end) {
            Some(Value::Null) => Ok(None),
            _ => parameters.text(end),
        });
        let (gt, gte, lt, lte) = (gt?, gte?, lt?, lte?);
        let bound = |excluded: Option<String>, included: Option<String>, key: &str| match (
            excluded, included,
        ) {
            (None, None) => Ok(Bound::Unbounded),
            (Some(text), None) => Ok(Bound::Excluded(text)),
            (None, Some(text)) => Ok(Bound::Included(text)),
            // Which of them counts depends on their order.
            (Some(_), Some(_)) => Err(parameters.at.parameter(key)),
        };
        let (from, to) = (bound(gt, gte, "gt")?, bound(lt, lte, "lt")?);
        if (&from, &to) == (&Bound::Unbounded, &Bound::Unbounded) {
            return exists(self.schema, &field).map_err(|problem| parameters.at.error(problem));
        }
        let (from, to) = (
            from.as_ref().map(String::as_str),
            to.as_ref().map(String::as_str),
        );
        self.ask(&field, &parameters.at, &|asked| {
            asked.range(from, to, Lowered::No, self.now).map(Some)
        })
    }

    fn query_string(&self, body: &Value, at: &Path) -> Read {
        let known = [
            "query",
            "default_field",
            "fields",
            "default_operator",
            "lenient",
            "analyze_wildcard",
            "allow_leading_wildcard",
            "type",
            "phrase_slop",
            "tie_breaker",
            "enable_position_increments",
            "max_determinized_states",
            "rewrite",
            "fuzziness",
            "fuzzy_prefix_length",
            "fuzzy_max_expansions",
            "fuzzy_transpositions",
            "fuzzy_rewrite",
            "auto_generate_synonyms_phrase_query",
            "escape",
            "time_zone",
        ];
        let parameters = Parameters::new(body, at, &known)?;
        for (name, neutral) in [
            ("analyze_wildcard", false),
            ("allow_leading_wildcard", true),
            ("escape", false),
        ] {
            parameters.only(name, &[neutral.into()])?;
        }
        parameters.only("phrase_slop", &[0.into()])?;
        parameters.only("time_zone", &["UTC".into(), "Z".into(), "+00:00".into()])?;
        parameters.only("type", &["best_fields".into(), "most_fields".into()])?;
        let fields = match (parameters.text("default_field")?, parameters.get("fields")) {
            (Some(field), None) => vec![field],
            (Some(_), Some(_)) => return Err(at.parameter("default_field")),
            (None, _) => parameters.fields()?,
        };
        // A server that is to ask all fields does not mind that some cannot be asked, nor that one is asked by its name.
        let asks_all = fields.iter().all(|field| field == "*");
        let lenient = match parameters.get("lenient") {
            None => asks_all,
            Some(_) => parameters.flag("lenient")?,
        };
        let options = LuceneOptions {
            fields,
            operator: parameters.operator("default_operator")?,
            lenient,
            now: self.now,
        };
        let query = parameters.required_text("query")?;
        read_at(&query, self.schema, &options).map_err(|(column, problem)| {
            let at = Place::Both(at.to("query").text, column);
            ReadError { at, problem }
        })
    }

    fn ask(&self, field: &str, at: &Path, question: Question<'_>) -> Read {
        self.ask_or(field, at, nothing(), false, question)
    }

    /// Asks a field; `empty` is the answer if there is nothing to ask.
    fn ask_or(
        &self,
        field: &str,
        at: &Path,
        empty: Predicate,
        lenient: bool,
        question: Question<'_>,
    ) -> Read {
        match ask(self.schema, field, lenient, question) {
            Ok(found) => Ok(found.unwrap_or(empty)),
            Err(problem) => Err(at.error(problem)),
        }
    }
}

type Question<'q> = &'q dyn Fn(&Asked<'_>) -> Result<Option<Predicate>, Problem>;

/// At least so many of `queries` match; `None` if that would have to be written out at too great a length.
fn at_least(wanted: usize, queries: &[Predicate]) -> Option<Predicate> {
    const MOST: usize = 8;
    match (wanted, queries.len()) {
        (0, _) => Some(everything()),
        (1, _) => Some(any(queries.to_vec())),
        (wanted, number) if wanted > number => Some(nothing()),
        (wanted, number) if wanted == number => Some(all(queries.to_vec())),
        (_, number) if number > MOST => None,
        (wanted, _) => {
            let (first, rest) = queries.split_first()?;
            let with = all(vec![first.clone(), at_least(wanted - 1, rest)?]);
            Some(any(vec![with, at_least(wanted, rest)?]))
        }
    }
}

/// The parameters of a query.
struct Parameters {
    at: Path,
    members: Map<String, Value>,
}

/// What changes the order of what is found, or how it is found.
fn is_neutral(name: &str) -> bool {
    matches!(name, "boost" | "_name")
}

impl Parameters {
    /// Checks that there are none but the known ones.
    fn new(json: &Value, at: &Path, known: &[&str]) -> Result<Parameters, ReadError> {
        let members = object(json, at)?;
        let mut names = members.keys().filter(|name| !is_neutral(name));
        if let Some(name) = names.find(|name| !known.contains(&name.as_str())) {
            return Err(at.parameter(name));
        }
        let at = Path {
            text: at.text.clone(),
            depth: at.depth,
        };
        Ok(Parameters {
            at,
            members: members.clone(),
        })
    }

    /// The field and parameters of a query on one field: `{"f": {…}}`, or `{"f": value}` where `main` is the name of the
    /// parameter that the value is.
    fn of_field(
        json: &Value,
        at: &Path,
        main: &str,
        known: &[&str],
    ) -> Result<(String, Parameters), ReadError> {
        let mut fields = object(json, at)?
            .iter()
            .filter(|(name, _)| !is_neutral(name));
        let (Some((field, body)), None) = (fields.next(), fields.next()) else {
            return Err(at.expected("an object with one field", json));
        };
        if field.is_empty() {
            return Err(at.expected("the name of a field", &Value::from("")));
        }
        let at = at.to(field);
        let parameters = match body {
            Value::Object(_) => Parameters::new(body, &at, &[known, &[main]].concat())?,
            value if main.is_empty() => return Err(at.expected("an object", value)),
            value => {
                let members = [(main.to_owned(), value.clone())].into_iter().collect();
                Parameters { at, members }
            }
        };
        Ok((field.clone(), parameters))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn required(&self, name: &str) -> Result<&Value, ReadError> {
        let missing = || Problem::Expected {
            expected: "the parameter that it needs",
            found: format!("no `{name}`"),
        };
        self.get(name).ok_or_else(|| self.at.error(missing()))
    }

    fn text(&self, name: &str) -> Result<Option<String>, ReadError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            self.at
                .to(name)
                .expected("a string, number or boolean", value)
        };
        scalar(value).map(Some).ok_or_else(wrong)
    }

    fn required_text(&self, name: &str) -> Result<String, ReadError> {
        self.required(name)?;
        Ok(self.text(name)?.unwrap_or_default())
    }

    fn flag(&self, name: &str) -> Result<bool, ReadError> {
        match self.text(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(self.at.parameter(name)),
        }
    }

    fn case(&self) -> Result<Case, ReadError> {
        Ok(if self.flag("case_insensitive")? {
            Case::Ascii
        } else {
            Case::Exact
        })
    }

    fn operator(&self, name: &str) -> Result<Operator, ReadError> {
        match self
            .text(name)?
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None | Some("or") => Ok(Operator::Or),
            Some("and") => Ok(Operator::And),
            Some(_) => Err(self.at.parameter(name)),
        }
    }

    /// What a text without any word finds.
    fn zero_terms(&self) -> Result<Predicate, ReadError> {
        match self.text("zero_terms_query")?.as_deref() {
            None | Some("none") => Ok(nothing()),
            Some("all") => Ok(everything()),
            Some(_) => Err(self.at.parameter("zero_terms_query")),
        }
    }

    /// The names in `fields`, without what they weigh; all fields if there are none.
    fn fields(&self) -> Result<Vec<String>, ReadError> {
        let at = self.at.to("fields");
        let fields = match self.get("fields") {
            None => Vec::new(),
            Some(Value::Array(fields)) => fields.iter().collect(),
            Some(field) => vec![field],
        };
        let names = fields.iter().map(|field| match field {
            Value::String(name) => Ok(name.split('^').next().unwrap_or_default().to_owned()),
            other => Err(at.expected("the name of a field", other)),
        });
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        Ok(if names.is_empty() {
            vec!["*".to_owned()]
        } else {
            names
        })
    }

    /// That a parameter, if it is there, has one of the values with which it does not matter or is read.
    fn only(&self, name: &str, values: &[Value]) -> Result<(), ReadError> {
        match self.get(name) {
            Some(value) if !values.contains(value) => Err(self.at.parameter(name)),
            _ => Ok(()),
        }
    }
}

/// The text that a value is compared by.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn object<'j>(json: &'j Value, at: &Path) -> Result<&'j Map<String, Value>, ReadError> {
    json.as_object()
        .ok_or_else(|| at.expected("an object", json))
}
