//! Which events a rule hits through the mapping: log sources, shapes, moved and rebuilt fields.

use event::Event;
use mapping::{MapError, MappedRule, Mapping};
use proptest::prelude::*;
use serde_json::{Value, json};
use sigma::{Document, Rule, Source};

/// A rule with this log source and detection, both as YAML in one line.
fn rule(log_source: &str, detection: &str) -> Rule {
    let text = format!(
        "title: test\nlogsource: {{{log_source}}}\ndetection:\n  s: {detection}\n  condition: s\n"
    );
    let parsed = sigma::parse(&Source {
        name: "test.yml",
        text: text.as_bytes(),
    });
    match parsed.documents.into_iter().next() {
        Some(Document::Rule(rule)) => *rule,
        _ => panic!("{text}: {:?}", parsed.diagnostics),
    }
}

fn mapped(log_source: &str, detection: &str) -> MappedRule {
    Mapping::builtin()
        .map(&rule(log_source, detection))
        .unwrap()
}

fn hits(log_source: &str, detection: &str, event: &Value) -> bool {
    let event = event.to_string();
    mapped(log_source, detection)
        .predicate()
        .matches(&Event::parse(event.as_bytes()).unwrap())
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
const PROCESS_CREATION: &str = "product: windows, category: process_creation";
const SECURITY: &str = "product: windows, service: security";
const CMD: &str = r"{Image|endswith: \cmd.exe}";

/// A document of winlogbeat 8 after the pipelines.
fn ingested(channel: &str, id: u32, fields: &Value) -> Value {
    let mut event = json!({"winlog": {"channel": channel, "event_id": id.to_string()}, "event": {"code": id.to_string(), "module": "x"}});
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn a_log_source_that_is_not_known_is_an_error() {
    for (log_source, message) in [
        (
            "product: linux, category: image_load",
            "product=linux, category=image_load",
        ),
        (
            "product: windows, category: file_access",
            "product=windows, category=file_access",
        ),
        (
            "product: windows, category: nonsense, service: security",
            "product=windows, category=nonsense, service=security",
        ),
        (
            "product: windows, service: nonsense",
            "product=windows, service=nonsense",
        ),
        ("category: nonsense", "category=nonsense"),
        // It is known, but no event can be both.
        (
            "category: process_creation, service: system",
            "category=process_creation, service=system",
        ),
    ] {
        let error = Mapping::builtin().map(&rule(log_source, CMD)).unwrap_err();
        assert!(matches!(error, MapError::NotMapped(_)));
        assert_eq!(
            error.to_string(),
            format!("no mapping knows the log source {message}")
        );
    }
}

#[test]
fn each_part_of_a_log_source_binds() {
    let sysmon = json!({"Channel": SYSMON, "EventID": 1, "Image": r"C:\cmd.exe"});
    let security = json!({"Channel": "Security", "EventID": 4688, "NewProcessName": r"C:\cmd.exe"});
    for (log_source, on_sysmon, on_security) in [
        ("product: windows, category: process_creation", true, true),
        ("category: process_creation", true, true),
        (
            "product: windows, category: process_creation, service: sysmon",
            true,
            false,
        ),
        (
            "product: windows, category: process_creation, service: security",
            false,
            true,
        ),
        ("product: windows, category: image_load", false, false),
        ("product: windows, service: sysmon", true, false),
        ("product: windows, service: system", false, false),
        ("product: windows", true, false),
    ] {
        assert_eq!(hits(log_source, CMD, &sysmon), on_sysmon, "{log_source}");
        assert_eq!(
            hits(log_source, CMD, &security),
            on_security,
            "{log_source}"
        );
    }
    assert!(!hits(
        "product: windows",
        "{EventID: 1}",
        &json!({"EventID": 1})
    ));
}

#[test]
fn channels_are_caseless_and_ids_come_in_many_types() {
    for id in [
        json!(4624),
        json!("4624"),
        json!({"#text": "4624", "#attributes": {"Qualifiers": 0}}),
        json!({"#text": 4624}),
    ] {
        for channel in ["Security", "security", "SECURITY"] {
            let event = json!({"Event": {"System": {"Channel": channel, "EventID": id}}});
            assert!(hits(SECURITY, "{EventID: 4624}", &event), "{event}");
            assert!(!hits(SECURITY, "{EventID: 4625}", &event), "{event}");
        }
    }
    let id_of_name = json!({"Channel": SYSMON, "EventID": 1, "EventID_attributes": {"Qualifiers": 2}, "Image": r"\cmd.exe"});
    assert!(hits(PROCESS_CREATION, CMD, &id_of_name));
}

#[test]
fn registry_categories_differ_by_event_type() {
    let event = |kind: &str| json!({"log_name": SYSMON, "event_id": 12, "event_data": {"EventType": kind, "TargetObject": "HKLM"}});
    for (category, kinds) in [
        ("registry_add", [true, false, false, false]),
        ("registry_delete", [false, true, true, false]),
        ("registry_event", [true, true, true, true]),
        ("registry_set", [false, false, false, false]),
    ] {
        let log_source = format!("product: windows, category: {category}");
        let found = ["CreateKey", "DeleteKey", "DeleteValue", "INFO"]
            .map(|kind| hits(&log_source, "{TargetObject: hklm}", &event(kind)));
        assert_eq!(found, kinds, "{category}");
    }
}

#[test]
fn antivirus_is_the_defender_and_blanks_in_names_do_not_count() {
    let event = json!({"winlog": {"channel": "Microsoft-Windows-Windows Defender/Operational", "event_id": "1116",
        "event_data": {"Threat Name": "EICAR", "Path": "a.exe"}}});
    assert!(hits(
        "category: antivirus",
        "{Signature: eicar, Filename|endswith: .exe}",
        &event
    ));
    assert!(!hits("category: antivirus", "{Signature: other}", &event));
    assert!(hits(
        "product: windows, service: windefend",
        "{ThreatName: eicar, 'Threat Name': eicar}",
        &event
    ));
}

#[test]
fn a_reference_to_a_field_follows_the_mapping() {
    let event = json!({"Channel": "Security", "EventID": 4688, "NewProcessName": r"C:\A.exe", "ParentProcessName": r"c:\a.exe"});
    assert!(hits(
        PROCESS_CREATION,
        "{Image|fieldref: ParentImage}",
        &event
    ));
    let other = json!({"Channel": "Security", "EventID": 4688, "NewProcessName": "a", "ParentProcessName": "b", "Image": "b"});
    assert!(!hits(
        PROCESS_CREATION,
        "{Image|fieldref: ParentImage}",
        &other
    ));
}

#[test]
fn missing_fields_are_missing_in_every_shape() {
    let without = json!({"winlog": {"channel": "Security", "event_id": "4625", "event_data": {}}});
    let with = ingested("Security", 4625, &json!({"source": {"ip": "10.0.0.1"}}));
    let null = json!({"Event": {"System": {"Channel": "Security", "EventID": 4625}, "EventData": {"IpAddress": null}}});
    for (detection, expected) in [
        ("{IpAddress: null}", [true, false, true]),
        ("{IpAddress|exists: true}", [false, true, true]),
        ("{IpAddress|exists: false}", [true, false, false]),
        ("{IpAddress|cidr: 10.0.0.0/8}", [false, true, false]),
        ("{IpAddress|neq: 10.0.0.1}", [true, false, true]),
    ] {
        assert_eq!(
            [&without, &with, &null].map(|event| hits(SECURITY, detection, event)),
            expected,
            "{detection}"
        );
    }
}

#[test]
fn one_target_of_a_pipeline_is_another_field_for_another_id() {
    let sysmon = "product: windows, service: sysmon";
    let security = SECURITY;
    let process = json!({"process": {"executable": r"C:\cmd.exe", "pid": 496}});
    for (log_source, channel, id, field, expected) in [
        (sysmon, SYSMON, 1, "Image", true),
        (sysmon, SYSMON, 1, "SourceImage", false),
        (sysmon, SYSMON, 10, "Image", false),
        (sysmon, SYSMON, 10, "SourceImage", true),
        (sysmon, SYSMON, 20, "Image", false),
        (sysmon, SYSMON, 20, "Destination", true),
        (security, "Security", 4688, "NewProcessName", true),
        (security, "Security", 4688, "ProcessName", false),
        (security, "Security", 4689, "NewProcessName", false),
        (security, "Security", 4689, "ProcessName", true),
        (security, "Security", 4656, "ProcessName", false),
        ("product: windows", SYSMON, 10, "SourceImage", true),
        ("product: windows", SYSMON, 1, "SourceImage", false),
        ("product: windows", "Security", 4689, "ProcessName", true),
        ("product: windows", "System", 1, "ProcessName", false),
    ] {
        let event = ingested(channel, id, &process);
        let detection = format!(r"{{{field}|endswith: \cmd.exe}}");
        assert_eq!(
            hits(log_source, &detection, &event),
            expected,
            "{log_source}, {id}: {field}"
        );
    }
    // Two such fields in one rule, that cut differently.
    let both = r"[{ProcessName|endswith: \cmd.exe}, {NewProcessName|endswith: \cmd.exe}]";
    for (id, expected) in [(4688, true), (4689, true), (4656, false)] {
        assert_eq!(
            hits(SECURITY, both, &ingested("Security", id, &process)),
            expected,
            "{id}"
        );
    }
    assert!(hits(
        SECURITY,
        "{ProcessId: '0x1f0'}",
        &ingested("Security", 4689, &process)
    ));
}

#[test]
fn rules_are_cut_only_where_that_matters() {
    for (log_source, detection, branches) in [
        (SECURITY, "{EventID: 4624, LogonType: 3}", 1),
        (SECURITY, "{ProcessName: a}", 2),
        (SECURITY, "{ProcessName: a, NewProcessName: b}", 3),
        (PROCESS_CREATION, "{Image: a, User: b}", 2),
        (
            "product: windows, category: process_access",
            "{SourceImage: a}",
            1,
        ),
        ("product: windows, service: sysmon", "{Image: a}", 2),
        ("product: windows", "[mimikatz]", 1),
        ("product: windows", "{ScriptBlockText: a}", 2),
    ] {
        assert_eq!(
            mapped(log_source, detection).branches.len(),
            branches,
            "{log_source}: {detection}"
        );
    }
    let mapping = Mapping::builtin();
    let conditions = |detection: &str| {
        let mapped = mapping.map(&rule(PROCESS_CREATION, detection)).unwrap();
        mapped
            .branches
            .into_iter()
            .map(|branch| branch.condition)
            .collect::<Vec<_>>()
    };
    assert_eq!(conditions("{Image: a}"), conditions("{CommandLine: b}"));
}

#[test]
fn what_a_pipeline_took_apart_is_whole_again() {
    let sysmon = "product: windows, service: sysmon";
    let powershell = "product: windows, category: ps_module";
    let operational = "Microsoft-Windows-PowerShell/Operational";
    for (log_source, channel, id, fields, detection) in [
        (
            sysmon,
            SYSMON,
            1,
            json!({"user": {"domain": "LAB", "name": "eve"}}),
            r"{User: LAB\Eve}",
        ),
        (
            sysmon,
            SYSMON,
            1,
            json!({"process": {"hash": {"md5": "ab"}, "pe": {"imphash": "cd"}}}),
            "{Hashes|contains|all: [MD5=AB, IMPHASH=CD]}",
        ),
        (
            sysmon,
            SYSMON,
            15,
            json!({"file": {"hash": {"sha1": "ab"}}}),
            "{Hash: SHA1=AB}",
        ),
        (
            sysmon,
            SYSMON,
            3,
            json!({"network": {"direction": "egress", "type": "ipv4"}}),
            "{Initiated: 'true', SourceIsIpv6: 'false'}",
        ),
        (
            sysmon,
            SYSMON,
            3,
            json!({"destination": {"ip": "2001:db8::1", "port": 443}}),
            "{DestinationIsIpv6: 'true', DestinationPort: 443}",
        ),
        (
            sysmon,
            SYSMON,
            13,
            json!({"registry": {"path": "HKLM", "data": {"type": "SZ_DWORD", "strings": ["1"]}}}),
            "{Details: DWORD (0x00000001)}",
        ),
        (
            sysmon,
            SYSMON,
            22,
            json!({"sysmon": {"dns": {"status": "DNS_ERROR_RCODE_NAME_ERROR"}}}),
            "{QueryStatus: 9003}",
        ),
        (
            SECURITY,
            "Security",
            4663,
            json!({"winlog.event_data.AccessList": ["1537", "4416"]}),
            "{AccessList|contains: '%%4416'}",
        ),
        (
            SECURITY,
            "Security",
            4673,
            json!({"winlog": {"channel": "Security", "event_id": "4673", "keywords": ["Audit Failure"]}}),
            "{Keywords: '0x8010000000000000'}",
        ),
        (
            powershell,
            operational,
            4103,
            json!({"powershell": {"command": {"name": "iex", "invocation_details": [
            {"type": "CommandInvocation", "related_command": "iex", "value": "\"iex\""},
            {"type": "ParameterBinding", "related_command": "iex", "name": "\"Command\"", "value": "\"whoami\""}]}},
            "process": {"command_line": "powershell -nop"}}),
            r#"{ContextInfo|contains: 'Host Application = powershell -nop', Payload|contains: 'ParameterBinding(iex): name="Command"; value="whoami"'}"#,
        ),
        (
            "product: windows, category: ps_classic_start",
            "Windows PowerShell",
            400,
            json!({"powershell": {"engine": {"new_state": "Available", "version": "2.0"}},
            "process": {"command_line": "powershell"}}),
            "{Data|contains|all: [EngineVersion=2., HostApplication=powershell]}",
        ),
    ] {
        let event = ingested(channel, id, &fields);
        assert!(hits(log_source, detection, &event), "{detection}: {event}");
    }
}

#[test]
fn winlogbeat_6_has_another_user() {
    let event = json!({"log_name": SYSMON, "event_id": 1, "user": {"domain": "NT AUTHORITY", "name": "SYSTEM"}, "event_data": {"User": r"LAB\eve"}});
    assert!(hits(PROCESS_CREATION, r"{User: LAB\eve}", &event));
    assert!(!hits(PROCESS_CREATION, r"{User|contains: SYSTEM}", &event));
}

#[test]
fn data_without_names_are_one_field() {
    let texts = ["Available", "None", "\tHostName=ConsoleHost"];
    let [one, two, three] = texts;
    let params = json!({"param1": one, "param2": two, "param3": three});
    for event in [
        json!({"Channel": "Windows PowerShell", "EventID": 400, "Data": texts}),
        json!({"Event": {"System": {"Channel": "Windows PowerShell", "EventID": 400}, "EventData": {"Data": {"#text": texts}}}}),
        json!({"Event": {"System": {"Channel": "Windows PowerShell", "EventID": 400}, "EventData": {"Data": texts}}}),
        json!({"log_name": "Windows PowerShell", "event_id": 400, "event_data": params}),
        json!({"winlog": {"channel": "Windows PowerShell", "event_id": "400", "event_data": params}}),
    ] {
        let log_source = "product: windows, category: ps_classic_start";
        assert!(
            hits(
                log_source,
                "{Data|contains|all: [HostName=, available]}",
                &event
            ),
            "{event}"
        );
        assert!(
            !hits(log_source, "{Data|contains: HostVersion=}", &event),
            "{event}"
        );
    }
}

#[test]
fn fields_of_the_system_in_every_shape() {
    let attributes = |value: Value| json!({"#attributes": value});
    let nested = json!({"Event": {"System": {
        "Channel": "System", "EventID": 7045, "Computer": "host", "EventRecordID": 9, "Level": 4,
        "Provider": attributes(json!({"Name": "Service Control Manager"})),
        "Execution": attributes(json!({"ProcessID": 700})),
        "Security": attributes(json!({"UserID": "S-1-5-18"})),
        "TimeCreated": attributes(json!({"SystemTime": "2024-05-06T07:08:09Z"})),
    }}});
    let apart = json!({"Event": {"System": {
        "Channel": "System", "EventID": 7045, "Computer": "host", "EventRecordID": 9, "Level": 4,
        "Provider_attributes": {"Name": "Service Control Manager"},
        "Execution_attributes": {"ProcessID": 700},
        "Security_attributes": {"UserID": "S-1-5-18"},
        "TimeCreated_attributes": {"SystemTime": "2024-05-06T07:08:09Z"},
    }}});
    let flat = json!({"Channel": "System", "EventID": 7045, "Computer": "host", "EventRecordID": 9, "Level": 4,
        "Provider_Name": "Service Control Manager", "Execution_ProcessID": 700, "Security_UserID": "S-1-5-18",
        "SystemTime": "2024-05-06T07:08:09Z"});
    let old = json!({"log_name": "System", "event_id": 7045, "computer_name": "host", "record_number": "9", "level": "Information",
        "source_name": "Service Control Manager", "process_id": 700, "user": {"identifier": "S-1-5-18"},
        "@timestamp": "2024-05-06T07:08:09Z"});
    let new = json!({"winlog": {"channel": "System", "event_id": "7045", "computer_name": "host", "record_id": 9,
        "provider_name": "Service Control Manager", "process": {"pid": 700}, "user": {"identifier": "S-1-5-18"}},
        "log": {"level": "information"}, "@timestamp": "2024-05-06T07:08:09Z"});
    let detection = "{EventID: 7045, Channel: system, Computer: HOST, EventRecordID: 9, Level: 4, Execution_ProcessID: 700, \
        Provider_Name: service control manager, Security_UserID: S-1-5-18, SystemTime|hour: 7, TimeCreated|day: 6}";
    for event in [nested, apart, flat, old, new] {
        assert!(
            hits("product: windows, service: system", detection, &event),
            "{event}"
        );
    }
}

#[test]
fn without_a_mapping_names_are_as_they_are() {
    let mapped = Mapping::none()
        .map(&rule(
            "product: linux, service: auditd",
            "{process.name: cat}",
        ))
        .unwrap();
    let matches = |event: &str| {
        mapped
            .predicate()
            .matches(&Event::parse(event.as_bytes()).unwrap())
    };
    assert!(matches(r#"{"process": {"name": "cat"}}"#));
    assert!(!matches(r#"{"event_data": {"process.name": "cat"}}"#));
}

/// The places of a field of an event's data, in each shape.
fn shapes(channel: &str, id: u32, name: &str, value: &Value) -> Vec<Value> {
    let system = json!({"Channel": channel, "EventID": id});
    let mut flat = system.clone();
    flat[name] = value.clone();
    vec![
        flat,
        json!({"Event": {"System": system, "EventData": {name: value}}}),
        json!({"Event": {"System": system, "UserData": {"EventXML": {name: value}}}}),
        json!({"log_name": channel, "event_id": id, "event_data": {name: value}}),
        json!({"log_name": channel, "event_id": id, "user_data": {name: value}}),
        json!({"winlog": {"channel": channel, "event_id": id.to_string(), "event_data": {name: value}}}),
        json!({"winlog": {"channel": channel, "event_id": id.to_string(), "user_data": {name: value}}}),
        json!({"winlog.channel": channel, "winlog.event_id": id.to_string(), (format!("winlog.event_data.{name}")): value}),
    ]
}

proptest! {
    /// A rule means the same on every shape: what it means on the value alone.
    #[test]
    fn every_shape_is_the_same_event(
        category in prop::sample::select(vec![("process_creation", SYSMON, 1), ("dns_query", SYSMON, 22), ("ps_script", "PowerShellCore/Operational", 4104)]),
        id in prop::sample::select(vec![1, 22, 4104]),
        name in "X[a-z]{2,8}",
        value in prop_oneof![
            "[ab]{0,3}".prop_map(Value::from),
            prop::collection::vec("[ab]{0,3}", 0..3).prop_map(Value::from),
            (0..4u32).prop_map(Value::from),
            Just(Value::Null),
        ],
        test in prop::sample::select(vec!["|contains: ab", "|startswith: a", "|neq: b", ": 1", ": null", "|exists: true", "|re: ^b+$"]),
    ) {
        let (category, channel, wanted) = category;
        let detection = format!("{{{name}{test}}}");
        let alone = json!({(&name): value}).to_string();
        let meaning = Mapping::none().map(&rule("product: windows", &detection)).unwrap().predicate();
        let expected = id == wanted && meaning.matches(&Event::parse(alone.as_bytes()).unwrap());
        for event in shapes(channel, id, &name, &value) {
            let log_source = format!("product: windows, category: {category}");
            prop_assert_eq!(hits(&log_source, &detection, &event), expected, "{} on {}", detection, event);
        }
    }
}
