//! The dashboards are what both products take, and what they ask of a real server is answered by what the tagged events say.

mod desk;
mod kibana;

use desk::Desk;
use kibana::{Range, Schema, parsed};
use serde_json::{Value, json};
use servers::Server;
use std::collections::{BTreeMap, BTreeSet};

const PRODUCTS: [&str; 2] = ["kibana", "opensearch"];

/// Prints dashboards, and reads them.
fn objects(arguments: &[&str]) -> Vec<Value> {
    let desk = Desk::new(&[]);
    let ran = desk.run(&[&["dashboards"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = ran.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn texts(object: &Value) -> &Vec<Value> {
    object.as_array().unwrap()
}

#[test]
fn every_line_is_what_both_products_take() {
    let schema = Schema::new();
    for product in PRODUCTS {
        for profile in ["ecs", "ee-outliers", "both"] {
            for object in objects(&[product, "--profile", profile]) {
                let faults = schema.faults(&object);
                assert_eq!(faults, [""; 0], "{object}");
            }
        }
    }
}

/// What either product is known to refuse, and some that neither would understand.
#[test]
fn the_schema_refuses_what_the_products_refuse() {
    let schema = Schema::new();
    let all = objects(&["opensearch"]);
    let first = |kind: &str| all.iter().find(|one| one["type"] == kind).unwrap().clone();
    let matrix = all.iter().find(|one| id(one).ends_with("-matrix")).unwrap();
    let source = "/attributes/kibanaSavedObjectMeta/searchSourceJSON";
    let cases = [
        (
            "index-pattern",
            "/migrationVersion",
            json!({"index-pattern": "7.11.0"}),
        ),
        ("index-pattern", "/attributes/title", json!("a b")),
        ("index-pattern", "/attributes/name", json!("Tagged events")),
        (
            "search",
            "/migrationVersion",
            json!({"search": "7.9.3", "dashboard": "7.9.3"}),
        ),
        ("search", "/type", json!("lens")),
        ("search", "/managed", json!(false)),
        ("search", source, json!("{\"filter\": [")),
        (
            "search",
            source,
            json!("{\"filter\": [], \"query\": {\"query\": \"\", \"language\": \"sql\"}}"),
        ),
        ("visualization", "/coreMigrationVersion", json!("8.8.0")),
        ("visualization", "/typeMigrationVersion", json!("8.5.0")),
        (
            "visualization",
            "/created_at",
            json!("2026-11-24T00:00:00Z"),
        ),
        (
            "visualization",
            "/attributes/visState",
            json!("{\"title\": \"t\", \"type\": \"lens\", \"aggs\": [], \"params\": {}}"),
        ),
        ("dashboard", "/attributes/controlGroupInput", json!({})),
        ("dashboard", "/attributes/panelsJSON", json!("[]")),
        (
            "dashboard",
            "/attributes/optionsJSON",
            json!("{\"syncColors\": true}"),
        ),
    ];
    for (kind, place, value) in cases {
        let mut object = first(kind);
        let (above, name) = place.rsplit_once('/').unwrap();
        object.pointer_mut(above).unwrap()[name] = value;
        assert_ne!(schema.faults(&object), [""; 0], "{kind} {place}");
    }
    // The two ways in which a text of Vega can say what to look for exclude each other.
    for (place, name, value) in [
        ("/data/url", "%context%", json!(true)),
        ("/data/url", "%timefield%", json!("@timestamp")),
        (
            "",
            "$schema",
            json!("https://vega.github.io/schema/vega-lite/v5.json"),
        ),
    ] {
        let mut state = parsed(&matrix["attributes"]["visState"]);
        let mut spec = parsed(&state["params"]["spec"]);
        spec.pointer_mut(place).unwrap()[name] = value;
        state["params"]["spec"] = json!(spec.to_string());
        let mut object = matrix.clone();
        object["attributes"]["visState"] = json!(state.to_string());
        assert_ne!(schema.faults(&object), [""; 0], "{place} {name}");
    }
}

#[test]
fn both_products_get_the_same_and_are_told_how_to_import_it() {
    let desk = Desk::new(&[]);
    let [kibana, opensearch] =
        PRODUCTS.map(|product| desk.run(&["dashboards", product, "--profile", "both"]));
    assert_eq!(kibana.out, opensearch.out);
    assert!(kibana.err.contains("'kbn-xsrf: true'"), "{}", kibana.err);
    assert!(
        opensearch.err.contains("'osd-xsrf: true'"),
        "{}",
        opensearch.err
    );
}

#[test]
fn objects_hold_together() {
    let of = |profile| objects(&["kibana", "--profile", profile]);
    let (ecs, outliers, both) = (of("ecs"), of("ee-outliers"), of("both"));
    // Whoever imports one and then the other has both.
    assert_eq!([ecs, outliers].concat(), both);
    let ids: BTreeSet<&str> = both.iter().map(id).collect();
    assert_eq!(ids.len(), both.len());
    let titles: BTreeSet<String> = both
        .iter()
        .filter(|object| object["type"] != "index-pattern")
        .map(|object| format!("{} {}", object["type"], object["attributes"]["title"]))
        .collect();
    assert_eq!(titles.len(), both.len() - 2);

    let mut known = BTreeMap::new();
    for object in &both {
        let mut named = BTreeSet::new();
        for reference in texts(&object["references"]) {
            // What is referred to came before.
            assert_eq!(
                known.get(id(reference)),
                Some(&&reference["type"]),
                "{reference}"
            );
            assert!(named.insert(reference["name"].as_str().unwrap()));
        }
        let mut used = BTreeSet::new();
        let source = parsed(
            &object["attributes"]
                .pointer("/kibanaSavedObjectMeta/searchSourceJSON")
                .cloned()
                .unwrap_or(json!("{}")),
        );
        used.extend(source["indexRefName"].as_str());
        let panels = object["attributes"]
            .get("panelsJSON")
            .map_or(json!([]), parsed);
        used.extend(
            texts(&panels)
                .iter()
                .map(|panel| panel["panelRefName"].as_str().unwrap()),
        );
        assert_eq!(named, used, "{}", id(object));
        if let Some(state) = object["attributes"].get("visState") {
            assert_eq!(parsed(state)["title"], object["attributes"]["title"]);
        }
        known.insert(id(object), &object["type"]);
    }
}

#[test]
fn panels_fill_the_width_and_do_not_overlap() {
    for dashboard in objects(&["kibana", "--profile", "both"]) {
        let Some(panels) = dashboard["attributes"].get("panelsJSON") else {
            continue;
        };
        let mut taken = BTreeSet::new();
        for panel in texts(&parsed(panels)) {
            let at = |name: &str| panel["gridData"][name].as_u64().unwrap();
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((y, x)), "{panel}: ({x}, {y})");
                }
            }
            assert_eq!(panel["gridData"]["i"], panel["panelIndex"]);
        }
        let (height, width) = taken.last().unwrap();
        assert_eq!(*width, 47);
        assert_eq!(taken.len() as u64, 48 * (height + 1));
    }
}

#[test]
fn indices_and_fields_are_those_that_were_named() {
    let named = objects(&[
        "kibana",
        "--index",
        "filebeat-*,evil\"'\\x*",
        "--time-field",
        "event.created",
        "--host-field",
        "winlog.computer_name",
    ]);
    let index = "filebeat-*,evil\"'\\x*,sigma-hits-*";
    let text = Value::from(named.clone()).to_string();
    assert!(
        !text.contains("@timestamp") && !text.contains("host.name") && !text.contains("logs-*")
    );
    assert_eq!(
        named[0]["attributes"],
        json!({"title": index, "timeFieldName": "event.created"})
    );
    let by_id = |name: &str| {
        named
            .iter()
            .find(|object| id(object) == format!("sigtag-ecs-{name}"))
            .unwrap()
    };
    let spec = parsed(&parsed(&by_id("matrix")["attributes"]["visState"])["params"]["spec"]);
    assert_eq!(spec["data"]["url"]["index"], index);
    assert_eq!(
        by_id("events")["attributes"]["columns"][0],
        "winlog.computer_name"
    );
    let desk = Desk::new(&[]);
    for wrong in [["--index", ""], ["--time-field", ""], ["--profile", "ocsf"]] {
        let ran = desk.run(&[&["dashboards", "kibana"], &wrong[..]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{wrong:?}");
    }
    assert_eq!(desk.run(&["dashboards", "grafana"]).code, 2);
}

/// Every search that a dashboard sends finds what the tagged events say, with both forms of a tag.
#[test]
fn what_panels_ask_for_is_what_tagged_events_say() {
    let Some(server) = servers::server(servers::ANY) else {
        return;
    };
    for (profile, mark) in [("ecs", "sigma"), ("ee-outliers", "outlier")] {
        let events = Events::tag(&server, profile);
        let all = objects(&["opensearch", "--profile", profile, "--index", &events.index]);
        let title = all[0]["attributes"]["title"].as_str().unwrap();
        let asked = Asked {
            server: &server,
            events: &events,
            title,
            mark,
        };
        let panels = all.iter().filter(|object| {
            !["index-pattern", "dashboard"].contains(&object["type"].as_str().unwrap())
        });
        let kinds: BTreeSet<String> = panels.map(|panel| asked.check(panel)).collect();
        let every = ["histogram", "metric", "search", "table", "vega"];
        assert!(every.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
    }
}

/// The events of the demo that have a time, tagged by the program.
struct Events {
    index: String,
    all: Vec<Value>,
    from: String,
    to: String,
}

impl Events {
    fn tag(server: &Server, profile: &str) -> Events {
        // Numbers too: the demo has some of them as strings as well.
        let keyword = json!({"type": "keyword", "ignore_above": 1024});
        let keywords = ["string", "long"]
            .map(|kind| json!({kind: {"match_mapping_type": kind, "mapping": keyword}}));
        let mappings = json!({
            "dynamic_templates": keywords,
            "properties": {"@timestamp": {"type": "date"}},
        });
        let settings = json!({"index.mapping.total_fields.limit": "4000", "index.mapping.ignore_malformed": "true", "index.number_of_shards": "2"});
        let index = server.create_index(
            &format!("dashboards-{profile}"),
            &json!({"mappings": mappings, "settings": settings}),
        );
        let demo = |name: &str| {
            testkit::workspace_root()
                .join("demo")
                .join(name)
                .to_str()
                .unwrap()
                .to_owned()
        };
        let files = ["domain-controllers", "linux", "servers-ecs", "workstations"]
            .map(|name| demo(&format!("events/{name}.jsonl")));
        let rules = demo("rules");
        let desk = Desk::new(&[]);
        let at = ["--store", server.url(), "--index", &index];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        desk.stats(&[&["load"], &at[..], &files].concat());
        // What was not refreshed is not seen.
        server.post(&format!("/{index}/_refresh"), "");
        let tagged = desk.stats(
            &[
                &["tag"],
                &at[..],
                &["--rules", &rules, "--profile", profile],
            ]
            .concat(),
        );
        assert!(tagged["tagged"].as_u64().unwrap() > 50, "{tagged}");

        server.post(&format!("/{index}/_refresh"), "");
        let found = server.get(&format!("/{index}/_search?size=10000")).body;
        let all: Vec<Value> = texts(&found["hits"]["hits"])
            .iter()
            .map(|hit| hit["_source"].clone())
            .collect();
        let mut times: Vec<String> = all
            .iter()
            .flat_map(|event| values(event, "@timestamp"))
            .collect();
        times.sort();
        // Some are before, and some after.
        let (from, to) = (
            times[times.len() / 10].clone(),
            times[times.len() * 9 / 10].clone(),
        );
        Events {
            index,
            all,
            from,
            to,
        }
    }

    fn range(&self) -> Range<'_> {
        (&self.from, &self.to)
    }

    /// Those of the time that have the mark.
    fn tagged(&self, mark: &str) -> Vec<&Value> {
        let is_meant = |event: &&Value| {
            let time = values(event, "@timestamp").pop_first().unwrap();
            (&self.from..=&self.to).contains(&&time) && values(event, "tags").contains(mark)
        };
        let tagged: Vec<_> = self.all.iter().filter(is_meant).collect();
        assert!(tagged.len() > 30 && tagged.len() < self.all.len());
        tagged
    }
}

/// The values at a path, each once.
fn values(event: &Value, path: &str) -> BTreeSet<String> {
    match event {
        Value::Array(all) => all.iter().flat_map(|one| values(one, path)).collect(),
        Value::Object(members) => {
            let below = members
                .iter()
                .filter_map(|(name, member)| Some((path.strip_prefix(name.as_str())?, member)));
            below
                .flat_map(|(rest, member)| match rest.strip_prefix('.') {
                    Some(rest) => values(member, rest),
                    None if rest.is_empty() => values(member, ""),
                    None => BTreeSet::new(),
                })
                .collect()
        }
        Value::Null => BTreeSet::new(),
        _ if !path.is_empty() => BTreeSet::new(),
        Value::String(text) => BTreeSet::from([text.clone()]),
        other => BTreeSet::from([other.to_string()]),
    }
}

/// How many events have each value.
fn counts<'e>(events: impl IntoIterator<Item = &'e Value>, field: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in events.into_iter().flat_map(|event| values(event, field)) {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn buckets(aggregation: &Value) -> BTreeMap<String, u64> {
    let buckets = texts(&aggregation["buckets"]).iter();
    buckets
        .map(|bucket| {
            let key = bucket["key"].as_str().unwrap().to_owned();
            (key, bucket["doc_count"].as_u64().unwrap())
        })
        .collect()
}

/// A server that is asked what panels ask.
struct Asked<'a> {
    server: &'a Server,
    events: &'a Events,
    title: &'a str,
    mark: &'a str,
}

impl Asked<'_> {
    fn search(&self, body: &Value) -> Value {
        let answer = self
            .server
            .post(&format!("/{}/_search", self.title), &body.to_string());
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        assert_eq!(answer.body["_shards"]["failed"], 0, "{}", answer.body);
        answer.body
    }

    /// A field that a product would not offer for this is an error in the panel.
    fn can_be_aggregated(&self, field: &str) {
        let answer = self
            .server
            .get(&format!("/{}/_field_caps?fields={field}", self.title));
        let types = answer.body["fields"][field]
            .as_object()
            .unwrap_or_else(|| panic!("{field} is not there"));
        assert!(
            types.values().all(|one| one["aggregatable"] == true),
            "{field}"
        );
    }

    /// Asks what a panel asks, and gives the kind of the panel.
    fn check(&self, panel: &Value) -> String {
        let attributes = &panel["attributes"];
        if panel["type"] == "search" {
            self.check_events(panel);
            return "search".to_owned();
        }
        let state = parsed(&attributes["visState"]);
        match state["type"].as_str().unwrap() {
            "vega" => self.check_matrix(&parsed(&state["params"]["spec"])),
            "metric" => self.check_numbers(panel, &state),
            "histogram" => self.check_timeline(panel, &state),
            _ => self.check_values(panel, &state),
        }
        state["type"].as_str().unwrap().to_owned()
    }

    fn answer(&self, panel: &Value, state: &Value) -> Value {
        for aggregation in texts(&state["aggs"]) {
            if let Some(field) = aggregation["params"]["field"].as_str() {
                self.can_be_aggregated(field);
            }
        }
        let query = kibana::query(panel, "@timestamp", self.events.range());
        self.search(&json!({"size": 0, "track_total_hits": true, "query": query, "aggs": kibana::aggregations(state)}))
    }

    fn check_events(&self, panel: &Value) {
        let attributes = &panel["attributes"];
        for column in texts(&attributes["columns"]) {
            self.can_be_aggregated(column.as_str().unwrap());
        }
        let (field, order) = (&attributes["sort"][0][0], &attributes["sort"][0][1]);
        let query = kibana::query(panel, "@timestamp", self.events.range());
        let found = self.search(&json!({"size": 500, "query": query, "sort": [{field.as_str().unwrap(): {"order": order}}]}));
        let found: Vec<&Value> = texts(&found["hits"]["hits"])
            .iter()
            .map(|hit| &hit["_source"])
            .collect();
        let mut tagged = self.events.tagged(self.mark);
        tagged.sort_by_key(|event| values(event, "@timestamp"));
        let times = |events: &[&Value]| {
            events
                .iter()
                .map(|event| values(event, "@timestamp"))
                .collect::<Vec<_>>()
        };
        tagged.reverse();
        assert_eq!(times(&found), times(&tagged));
    }

    fn check_numbers(&self, panel: &Value, state: &Value) {
        let answer = self.answer(panel, state);
        let tagged = self.events.tagged(self.mark);
        for aggregation in texts(&state["aggs"]) {
            let field = aggregation["params"]["field"].as_str().unwrap_or_default();
            let own = counts(tagged.iter().copied(), field);
            let number = &answer["aggregations"][aggregation["id"].as_str().unwrap()]["value"];
            let (found, expected) = match aggregation["type"].as_str().unwrap() {
                "count" => (
                    answer["hits"]["total"]["value"].as_u64().unwrap(),
                    tagged.len() as u64,
                ),
                "cardinality" => (number.as_u64().unwrap(), own.len() as u64),
                "sum" => (
                    number.as_f64().unwrap() as u64,
                    own.iter()
                        .map(|(value, count)| value.parse::<u64>().unwrap() * count)
                        .sum(),
                ),
                other => panic!("{other}"),
            };
            assert_eq!(found, expected, "{aggregation}");
            assert!(found > 5, "{aggregation}");
        }
    }

    fn check_timeline(&self, panel: &Value, state: &Value) {
        let answer = self.answer(panel, state);
        let bars = texts(&answer["aggregations"]["2"]["buckets"]);
        let by = state["aggs"][2]["params"]["field"].as_str().unwrap();
        let tagged = self.events.tagged(self.mark);
        let mut counted = 0;
        for bar in bars {
            let (start, end) = (
                bar["key"].as_i64().unwrap(),
                bar["key"].as_i64().unwrap() + 3 * 3_600_000,
            );
            let is_in = |event: &&&Value| {
                let time: jiff::Timestamp = values(event, "@timestamp")
                    .first()
                    .unwrap()
                    .parse()
                    .unwrap();
                (start..end).contains(&time.as_millisecond())
            };
            let within: Vec<&Value> = tagged.iter().filter(is_in).copied().collect();
            let own = counts(within.iter().copied(), by);
            let size = state["aggs"][2]["params"]["size"].as_u64().unwrap();
            assert!(own.len() as u64 <= size, "{own:?}");
            assert_eq!(buckets(&bar["3"]), own, "{bar}");
            assert_eq!(bar["doc_count"], within.len(), "{bar}");
            counted += within.len();
        }
        assert!(bars.len() > 3);
        assert_eq!(counted, tagged.len());
    }

    fn check_values(&self, panel: &Value, state: &Value) {
        let answer = self.answer(panel, state);
        let found = &answer["aggregations"]["2"];
        let params = &state["aggs"][1]["params"];
        let own = counts(
            self.events.tagged(self.mark),
            params["field"].as_str().unwrap(),
        );
        let size = params["size"].as_u64().unwrap();
        assert!(!own.is_empty() && own.len() as u64 <= size, "{own:?}");
        assert_eq!(buckets(found), own, "{}", id(panel));
        let order: Vec<u64> = texts(&found["buckets"])
            .iter()
            .map(|bucket| bucket["doc_count"].as_u64().unwrap())
            .collect();
        assert!(order.is_sorted_by(|one, next| one >= next), "{order:?}");
    }

    /// With what the whole dashboard shows, and with a filter on it.
    fn check_matrix(&self, spec: &Value) {
        assert_eq!(spec["data"]["url"]["index"], self.title);
        let tagged = self.events.tagged(self.mark);
        let host = counts(tagged.iter().copied(), "host.name")
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .unwrap()
            .0;
        let on_host = tagged
            .iter()
            .filter(|event| values(event, "host.name").contains(&host));
        let on_host: Vec<&Value> = on_host.copied().collect();
        assert!(on_host.len() < tagged.len());
        for (filter, events) in [
            (json!({"match_all": {}}), &tagged),
            (json!({"term": {"host.name": host}}), &on_host),
        ] {
            let answer = self.search(&kibana::body(spec, self.events.range(), &filter));
            let place = spec["data"]["format"]["property"].as_str().unwrap();
            let found = answer
                .pointer(&format!("/{}", place.replace('.', "/")))
                .unwrap();
            let found = texts(found);
            match place {
                "aggregations.pairs.buckets" => {
                    let own = counts(events.iter().copied(), "sigma.attack");
                    assert!(own.len() > 3, "{own:?}");
                    assert_eq!(buckets(&answer["aggregations"]["pairs"]), own);
                    assert_eq!(answer["aggregations"]["pairs"]["sum_other_doc_count"], 0);
                }
                _ => assert_eq!(cells(found), pairs(events)),
            }
        }
    }
}

/// Each tag of a tactic with those of techniques in it.
fn cells(tactics: &[Value]) -> BTreeMap<(String, String), u64> {
    let tactics = tactics.iter();
    let cells = tactics.flat_map(|tactic| {
        let key = tactic["key"].as_str().unwrap();
        let within = buckets(&tactic["techniques"]).into_iter();
        within.map(|(technique, count)| ((key.to_owned(), technique), count))
    });
    cells.collect()
}

/// The tags of tactics and of techniques that events have together.
fn pairs(events: &[&Value]) -> BTreeMap<(String, String), u64> {
    let mut all = BTreeMap::new();
    for event in events {
        let tags = values(event, "outliers.type");
        let attack = tags.iter().filter(|tag| tag.starts_with("attack."));
        let (techniques, tactics): (Vec<_>, Vec<_>) =
            attack.partition(|tag| tag.contains(|c: char| c.is_ascii_digit()));
        for pair in tactics
            .iter()
            .flat_map(|tactic| techniques.iter().map(move |technique| (tactic, technique)))
        {
            *all.entry(((**pair.0).clone(), (**pair.1).clone()))
                .or_default() += 1;
        }
    }
    assert!(all.len() > 3, "{all:?}");
    all
}
