//! YAML and rules: every document is read or set aside with a reason, and what is read can be mapped or says why not.

use crate::conditions::check;
use fuzz::{Mutation, TEST_TIME};
use std::fs;
use std::path::Path;

/// Beside real rules: what YAML has and rules seldom use.
const ODD: [&str; 3] = [
    "a: &a {b: [1, 0x10, 012, 1e3, .inf, ~, yes, !!str 1]}\nc: *a\n<<: *a\n? d\n: |+2\n  x\n\n",
    "title: x\nlogsource: {category: c}\ndetection: {s: {a|re|i: '(a+)+$', b|cidr: '::/0', c|lt: 1.5}, condition: s}\n",
    "title: x\ncorrelation: {type: event_count, rules: [a], group-by: [b], timespan: 5m, condition: {gte: 10}}\n---\n\
     title: y\nlogsource: {product: p}\nfilter: {rules: any, s: {a: b}, condition: not s}\n",
];

#[test]
fn rules_are_read_or_set_aside() {
    let root = testkit::workspace_root();
    let mut samples = ODD.map(str::to_owned).to_vec();
    each_file(&root.join("demo/rules"), &mut |path| {
        samples.push(fs::read_to_string(path).unwrap());
    });
    each_file(&root.join("tests/cases"), &mut |path| {
        if path
            .extension()
            .is_some_and(|extension| extension == "cases")
        {
            let cases = testkit::cases::read(path).unwrap();
            samples.extend(cases.into_iter().map(|case| case.rule));
        }
    });
    bolero::check!()
        .with_type::<Mutation>()
        .with_test_time(TEST_TIME)
        .for_each(|mutation| check(&mutation.apply(&samples)));
}

fn each_file(folder: &Path, with: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => each_file(&path, with),
            false => with(&path),
        }
    }
}
