//! Small configurations and events with what is to come of them, on a store in a folder.

use jiff::Timestamp;
use outliers::{Config, Mode, Options, Summary, UseCases};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use store::{Embedded, Scan, Store, Write};
use tempfile::TempDir;

const GENERAL: &str = "[general]
es_index_pattern=events
es_save_results=1
es_scan_size=100
es_scroll_time=1m
es_timeout=10
history_window_days=30
history_window_hours=0
es_wipe_all_existing_outliers=0
run_models=1
test_models=0
log_verbosity=1
log_level=INFO
log_file=
[notifier]
email_notifier=0
[terms]
terms_batch_eval_size=BATCH
[metrics]
metrics_batch_eval_size=BATCH
";

const METRICS: &str = "[metrics_m]
es_query_filter=*
aggregator=host
target=value
metric=numerical_value
trigger_on=high
trigger_method=float
trigger_sensitivity=10
outlier_type=t
outlier_reason=r
outlier_summary=s {metric}
run_model=1
";

const TERMS: &str = "[terms_t]
es_query_filter=*
aggregator=host
target=value
target_count_method=within_aggregator
trigger_on=high
trigger_method=float
trigger_sensitivity=3
outlier_type=t
outlier_reason=r
outlier_summary={term}
run_model=1
";

const SIMPLE: &str = "[simplequery_q]
es_query_filter=*
outlier_type=t
outlier_reason=r
outlier_summary=s
run_model=1
";

/// A store with events, and files.
struct Case {
    folder: TempDir,
    mode: Mode,
    batch: usize,
    general: String,
    /// Each gets a time that grows with its number.
    events: Vec<Value>,
}

impl Case {
    fn new(mode: Mode, values: &[Value]) -> Case {
        let event = |value: &Value| json!({"host": "h", "value": value});
        Case {
            folder: tempfile::tempdir().unwrap(),
            mode,
            batch: 100_000,
            general: String::new(),
            events: values.iter().map(event).collect(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Case)) -> Case {
        change(&mut self);
        self
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn config(&self) -> Config {
        let text = GENERAL.replace("BATCH", &self.batch.to_string()) + &self.general;
        Config::read(&[self.write("outliers.conf", &text)], self.mode).unwrap()
    }

    fn use_cases(&self, text: &str, config: &Config) -> UseCases {
        let path = self.write("use_case.conf", text);
        UseCases::read(&[path.to_str().unwrap().to_owned()], config)
    }

    /// Runs a file of use cases, and gives the events by number.
    fn run(&self, text: &str) -> (Summary, BTreeMap<usize, Value>) {
        let config = self.config();
        let use_cases = self.use_cases(text, &config);
        assert_eq!(use_cases.problems, [], "{text}");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let store = Embedded::open(self.folder.path().join("store")).unwrap();
            let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
            let events = self.events.iter().enumerate().map(|(number, event)| {
                let time = Timestamp::from_second(start.as_second() + number as i64).unwrap();
                let mut event = event.clone();
                if event["@timestamp"].is_null() {
                    event["@timestamp"] = json!(time.to_string());
                }
                Write::Put {
                    id: number.to_string(),
                    source: event.to_string().into_bytes(),
                    if_seq_no: None,
                }
            });
            store.write("events", events.collect()).await.unwrap();
            store.refresh("events").await.unwrap();
            let options = Options {
                now: "2026-03-02T00:00:00Z".parse().unwrap(),
                jobs: 2,
                dry_run: false,
                explains: false,
                stop: Arc::default(),
            };
            let summary = outliers::run(&config, use_cases, &store, &options, &|_, _| ()).await;
            store.refresh("events").await.unwrap();
            let page = store.scan(&Scan::all("events")).await.unwrap();
            let documents = page.documents.into_iter().map(|document| {
                let event = serde_json::from_str(&document.source).unwrap();
                (document.id.parse().unwrap(), event)
            });
            (summary, documents.collect())
        })
    }

    /// The numbers of the events that are tagged.
    fn tagged(&self, text: &str) -> Vec<usize> {
        let (summary, events) = self.run(text);
        assert!(summary.is_clean(), "{text}");
        let tagged = events
            .into_iter()
            .filter(|(_, event)| event["outliers"].is_object());
        tagged.map(|(number, _)| number).collect()
    }
}

fn numbers(values: &[i64]) -> Vec<Value> {
    values.iter().map(|value| json!(value)).collect()
}

/// The values of hours, each so often.
fn hours(counts: &[usize]) -> Vec<Value> {
    let hours = counts.iter().enumerate();
    let hours = hours.flat_map(|(hour, count)| vec![json!(format!("{hour:02}")); *count]);
    hours.collect()
}

#[test]
fn a_metric_has_to_lie_beyond_the_frontier() {
    for mode in [Mode::Strict, Mode::Compat] {
        let case = Case::new(mode, &numbers(&[11, 10, 8, 0, 0, 0]));
        assert_eq!(case.tagged(METRICS), [0]);
    }
}

#[test]
fn small_batches_find_what_large_ones_find_by_a_fixed_frontier() {
    let small = |values: &[i64]| {
        let case = Case::new(Mode::Compat, &numbers(values));
        case.with(|case| case.batch = 10).tagged(METRICS)
    };
    assert_eq!(small(&[11; 20]).len(), 20);
    let mut one = vec![0; 19];
    one.push(11);
    assert_eq!(small(&one), [19]);
}

#[test]
fn a_batch_has_statistics_of_its_own_only_in_compat() {
    // In the first batch 20 is beyond twice the mean, over all events it is not.
    let mut values = vec![1; 199];
    values.push(20);
    values.extend([100; 200]);
    let text = METRICS
        .replace("trigger_method=float", "trigger_method=pct_of_avg_value")
        .replace("sensitivity=10", "sensitivity=200");
    let run = |mode| {
        let case = Case::new(mode, &numbers(&values));
        case.with(|case| case.batch = 200).tagged(&text)
    };
    assert_eq!(run(Mode::Compat), [199]);
    assert_eq!(run(Mode::Strict), [0; 0]);
}

#[test]
fn a_whitelisted_outlier_does_not_count_when_the_others_are_judged_again() {
    // With 90 the mean is 24, and nothing else lies beyond it; without it the mean is 7.5.
    let text = METRICS
        .replace("trigger_method=float", "trigger_method=pct_of_avg_value")
        .replace("sensitivity=10", "sensitivity=100");
    for mode in [Mode::Strict, Mode::Compat] {
        let case = Case::new(mode, &numbers(&[5, 5, 5, 15, 90]));
        assert_eq!(case.tagged(&text), [4]);
        let listed = format!("{text}\n[whitelist_literals]\na=90\n");
        let case = Case::new(mode, &numbers(&[5, 5, 5, 15, 90]));
        let (summary, events) = case.run(&listed);
        assert_eq!(summary.use_cases[0].0.whitelisted, 1);
        let outliers = |number: usize| &events[&number]["outliers"];
        assert_eq!(outliers(3)["decision_frontier"], json!([7.5]));
        assert!(
            [0, 1, 2, 4]
                .into_iter()
                .all(|number| outliers(number).is_null())
        );
    }
}

#[test]
fn ordinary_values_before_an_outlier_are_shown() {
    let text = METRICS.replace("sensitivity=10", "sensitivity=10.5");
    let case = Case::new(Mode::Compat, &numbers(&[11, 8, 12]));
    let (_, events) = case.run(&text);
    let sample = |number: usize| &events[&number]["outliers"]["non_outlier_values_sample"];
    assert_eq!(sample(0), &json!([]));
    assert_eq!(sample(2), &json!(["8.0"]));
    assert_eq!(events[&0]["outliers"]["confidence"], json!([0.5]));

    let text = TERMS
        .replace("trigger_on=high", "trigger_on=low")
        .replace("sensitivity=3", "sensitivity=2");
    let values = ["one", "two", "two", "two", "one more"].map(|value| json!(value));
    let (_, events) = Case::new(Mode::Compat, &values).run(&text);
    let sample = |number: usize| &events[&number]["outliers"]["non_outlier_values_sample"];
    assert_eq!((sample(0), sample(4)), (&json!([]), &json!(["two"])));

    let across = text
        .replace("within_aggregator", "across_aggregators")
        .replace("sensitivity=2", "sensitivity=9");
    let (_, events) = Case::new(Mode::Compat, &values).run(&across);
    let outliers = &events[&4]["outliers"];
    assert_eq!(outliers["non_outlier_values_sample"], json!([]));
    assert_eq!(outliers["term_count"], json!([3]));
}

#[test]
fn frequent_terms_are_found() {
    for mode in [Mode::Strict, Mode::Compat] {
        let case = Case::new(mode, &hours(&[5, 3, 1, 2]));
        assert_eq!(case.tagged(TERMS), [0, 1, 2, 3, 4]);
    }
    let small = |counts: &[usize]| {
        let case = Case::new(Mode::Compat, &hours(counts));
        case.with(|case| case.batch = 10).tagged(TERMS).len()
    };
    assert_eq!(small(&[5; 10]), 50);
    let mut counts = vec![2; 18];
    counts.push(4);
    assert_eq!(small(&counts), 4);
}

#[test]
fn a_constant_count_has_a_coefficient_of_variation_of_zero() {
    let text = TERMS
        .replace("trigger_on=high", "trigger_on=low")
        .replace("trigger_method=float", "trigger_method=coeff_of_variation")
        .replace("sensitivity=3", "sensitivity=0.5");
    let (_, events) = Case::new(Mode::Compat, &hours(&[1])).run(&text);
    let outliers = &events[&0]["outliers"];
    assert_eq!(outliers["decision_frontier"], json!([0.0]));
    assert_eq!(outliers["trigger_method"], json!(["coeff_of_variation"]));
    assert_eq!(outliers["term_count"], json!([1]));
}

#[test]
fn an_aggregator_with_few_different_terms_is_not_judged() {
    let text = TERMS.replace("run_model=1", "min_target_buckets=4\nrun_model=1");
    let (summary, events) = Case::new(Mode::Strict, &hours(&[5, 1, 1])).run(&text);
    assert!(events.values().all(|event| event["outliers"].is_null()));
    assert_eq!(summary.use_cases[0].0.dropped, 1);
    let enough = Case::new(Mode::Strict, &hours(&[5, 1, 1, 1]));
    assert_eq!(enough.tagged(&text).len(), 5);
}

#[test]
fn whitelists_of_a_file_and_of_all_take_events_out() {
    let values = ["a", "a", "HOSTNAME-WHITELISTED", "AAA-WHITELISTED"].map(|value| json!(value));
    for (file, general, left) in [
        (
            "[whitelist_literals]\nx=HOSTNAME-WHITELISTED\n",
            "",
            &[0, 1, 3][..],
        ),
        ("[whitelist_regexps]\nx=A{3}-WHITELISTED\n", "", &[0, 1, 2]),
        ("", "[whitelist_literals]\nx=a\n", &[2, 3]),
        (
            "[whitelist_literals]\nx=a\n",
            "[whitelist_regexps]\nx=.*-whitelisted\n",
            &[],
        ),
    ] {
        let case = Case::new(Mode::Strict, &values);
        let case = case.with(|case| case.general = general.to_owned());
        assert_eq!(case.tagged(&format!("{SIMPLE}\n{file}")), left);
    }
}

#[test]
fn what_appears_suddenly_is_found_once() {
    let text = "[sudden_appearance_s]
es_query_filter=*
aggregator=host.keyword
target=value.keyword
sliding_window_size=00:10:00
sliding_window_step_size=00:01:00
history_window_days=1
outlier_type=t
outlier_reason=r
outlier_summary={target_value} in {aggregator_value}
run_model=1
";
    let case = |hours: &[u32], users: &[u32]| {
        let events = hours.iter().zip(users).map(|(hour, user)| {
            let time = format!("2026-03-01T{hour:02}:00:00Z");
            json!({"@timestamp": time, "host": "h", "value": format!("u{user}")})
        });
        let events: Vec<Value> = events.collect();
        let general = "[general]\nhistory_window_days=1\n";
        let case = Case::new(Mode::Strict, &[]).with(|case| {
            case.events = events;
            case.general = general.to_owned();
        });
        case.tagged(text)
    };
    // Both are there from the first window on.
    let (often, users) = ([1, 1, 1, 3, 3, 3, 4, 5, 5, 5, 10, 10], [1, 2].repeat(6));
    assert_eq!(case(&often, &users), [0; 0]);
    // A third one comes at the end.
    let mut third = users.clone();
    third[11] = 3;
    assert_eq!(case(&often, &third), [11]);
    // The same one after more than ten hours without it.
    let rare = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 15];
    assert_eq!(case(&rare, &[1; 12]), [11]);
}

#[test]
fn keys_that_are_there_twice_spoil_a_file_of_use_cases_only() {
    let twice = "[simplequery]\nhighlight_match=1\nhighlight_match=0\n[simplequery]\n";
    let case = Case::new(Mode::Strict, &numbers(&[1]));
    let case = case.with(|case| case.general = twice.to_owned());
    let config = case.config();
    assert_eq!(config.notes.len(), 2, "{:?}", config.notes);
    assert_eq!(case.tagged(SIMPLE), [0]);
    for twice in [
        format!("{SIMPLE}run_model=1\n"),
        format!("{SIMPLE}{SIMPLE}"),
    ] {
        let use_cases = case.use_cases(&twice, &config);
        assert!(use_cases.list.is_empty());
        assert!(!use_cases.problems.is_empty());
    }
}

#[test]
fn percent_signs_and_lists_of_queries_are_taken_as_they_are() {
    let dsl = r#"es_dsl_filter=[{"query":{"match_all":{}}},
        {"query":{"bool":{"must_not":{"term":{"value.keyword":"%COMSPEC%"}}}}},
        {"query":{"exists":{"field":"value"}}}]"#;
    let text = SIMPLE.replace("es_query_filter=*", dsl);
    let values = [json!("%COMSPEC%"), json!("%PATH%")];
    assert_eq!(Case::new(Mode::Strict, &values).tagged(&text), [1]);
}

#[test]
fn what_decides_may_be_infinite_and_is_then_left_open() {
    let text = METRICS.replace("outlier_summary=s {metric}", "outlier_summary={metric}");
    let (summary, events) = Case::new(Mode::Strict, &[json!("inf"), json!("nan")]).run(&text);
    assert!(summary.is_clean());
    assert_eq!(events[&0]["outliers"]["summary"], json!(["inf"]));
    assert_eq!(events[&0]["outliers"]["metric"], json!([null]));
    assert!(events[&1]["outliers"].is_null());
}
