//! Rules and configurations on their way to other programs, read as sigmac does and by their meaning.

use convert::sigmac::{Chain, Config, Converter, Options};
use convert::strict::Names;
use convert::{Artefact, TARGETS, Target, sigmac, strict};
use fuzz::{Mutation, TEST_TIME};
use query::Schema;
use sigma::{Document, Source};

const RULES: [&str; 3] = [
    "title: One\nid: 7f6e4c52-1f6b-4d6d-9d8e-000000000001\nlevel: high\ntags: [attack.t1059]\nfields: [Image]\n\
     logsource: {product: windows, category: process_creation}\ndetection:\n  a:\n    Image|endswith: [\\a.exe, '*?\\*']\n    \
     CommandLine|contains|all|windash: [-a, /b]\n  b: [key, 'wo*rd', 4]\n  c: {User: null, Data|re: '^a\\d+[b-c]$'}\n  \
     timeframe: 5m\n  condition: (a or b) and not 1 of c* | count(Image) by User > 5\n",
    "action: global\ntitle: Two\nlogsource: {product: linux}\ndetection: {condition: all of them}\n---\n\
     detection: {s: {a|base64offset|contains: x, b|wide|base64: y}}\n---\naction: repeat\ntags: t\n---\naction: reset\n",
    "title: Three\nlogsource: {service: security, product: windows}\ndetection:\n  s:\n    - {Ip|cidr: 10.0.0.0/8, n: 5}\n    \
     - {t|re|i: 'a|b(c)?'}\n  k: {'|all': [x, y]}\n  condition: [s, 'k | near s', 's | sum(n) < 3']\n",
];

const CONFIGS: [&str; 2] = [
    "title: t\norder: 20\nbackends: [es-qs]\nlogsourcemerging: or\ndefaultindex: [a, b]\ndateField: '@timestamp'\nlogsources:\n  \
     w: {product: windows, index: w-*, conditions: {Channel: [Security, 'x*']}, rewrite: {product: linux}}\n\
     fieldmappings:\n  Image: {category=process_creation: p.e, EventID=1: [q, r], default: s}\n  CommandLine: [c, d]\n",
    "overrides:\n  - {field: f, value: v, literals: [a], regexes: ['b+']}\nfieldmappings: {User: u.n}\n",
];

#[test]
fn rules_are_converted_or_refused() {
    bolero::check!()
        .with_type::<(Mutation, Mutation, u8)>()
        .with_test_time(TEST_TIME)
        .for_each(|(rule, config, target)| {
            let target = TARGETS[usize::from(*target) % TARGETS.len()];
            let rule = rule.apply(&RULES);
            let config = config.apply(&CONFIGS);
            compat(target, &rule, &config);
            by_meaning(target, &rule, &config);
        });
}

fn compat(target: &dyn Target, rule: &[u8], config: &[u8]) {
    let source = Source {
        name: "c",
        text: config,
    };
    let chain = Chain::new(Config::read(&source).into_iter().collect());
    let converter = Converter::new(target, chain, Options::default());
    finish(
        target,
        converter.convert(&Source {
            name: "r",
            text: rule,
        }),
    );
}

fn by_meaning(target: &dyn Target, rule: &[u8], config: &[u8]) {
    let source = Source {
        name: "c",
        text: config,
    };
    let names = Names::read(&[source]).or_else(|_| Names::read(&[]));
    let names = names.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let parsed = sigma::parse_with(
        &Source {
            name: "r",
            text: rule,
        },
        &names.placeholders(),
    );
    let converter = strict::Converter::new(target, names, Schema::keywords(), Options::default());
    let rules = parsed
        .documents
        .iter()
        .filter_map(|document| match document {
            Document::Rule(rule) => converter.convert(rule),
            _ => None,
        });
    finish(target, rules.collect());
}

fn finish(target: &dyn Target, rules: Vec<Result<convert::Converted, sigmac::Failure>>) {
    let mut parts = Vec::new();
    for converted in rules.into_iter().flatten() {
        if let Artefact::Json(more) = converted.artefact {
            parts.extend(more);
        }
    }
    let _ = target.finish(parts);
}
