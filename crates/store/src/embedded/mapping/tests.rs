use super::*;

fn row(mapping: &mut Mapping, text: &str) -> Result<Row, Rejected> {
    mapping.row(Event::parse(text.as_bytes()).unwrap())
}

fn dynamic() -> Mapping {
    Mapping::new(&Value::Null, &Value::Null).unwrap()
}

#[test]
fn fields_are_made_as_elasticsearch_makes_them() {
    let mut mapping = dynamic();
    let text = r#"{"s":"x","n":1,"f":1.5,"b":true,"d":"2024-05-06T07:08:09Z","e":"2024","o":{"a.b":[null,"1-2"]},"z":null,"y":[],
        "p":"2024/05/06"}"#;
    row(&mut mapping, text).unwrap();
    let words =
        json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
    let format = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis";
    assert_eq!(
        *mapping.json(),
        json!({"properties": {
            "s": words, "n": {"type": "long"}, "f": {"type": "float"}, "b": {"type": "boolean"}, "d": {"type": "date"},
            "e": words, "o": {"properties": {"a": {"properties": {"b": words}}}}, "p": {"type": "date", "format": format}
        }})
    );
    let restored = Mapping::restore(&mapping.kept()).unwrap();
    assert_eq!(restored.fields(), mapping.fields());
    assert_eq!(restored.json(), mapping.json());
}

#[test]
fn what_does_not_fit_is_rejected_without_a_trace() {
    let mut mapping = dynamic();
    row(
        &mut mapping,
        r#"{"n":1,"o":{"x":1},"d":"2024-01-01","b":false}"#,
    )
    .unwrap();
    let before = mapping.json().clone();
    let names = mapping.names.clone();
    for text in [
        r#"{"new":{"a":1},"n":"x"}"#,
        r#"{"n":{"a":1}}"#,
        r#"{"o":1}"#,
        r#"{"d":"yesterday"}"#,
        r#"{"b":1}"#,
        r#"{"n":true}"#,
        r#"{"n":99999999999999999999}"#,
        r#"{"":1}"#,
        r#"{"a..b":1}"#,
        r#"{"_id":"x"}"#,
    ] {
        assert!(row(&mut mapping, text).is_err(), "{text}");
        assert_eq!(*mapping.json(), before, "{text}");
        assert_eq!(mapping.names, names, "{text}");
    }
    let settings = json!({"index": {"mapping.ignore_malformed": true}});
    let mut lenient = Mapping::new(&before, &settings).unwrap();
    for text in [r#"{"n":"x"}"#, r#"{"n":{"a":1}}"#, r#"{"d":"yesterday"}"#] {
        assert_eq!(row(&mut lenient, text).unwrap().ignored.len(), 1, "{text}");
    }
    assert!(row(&mut lenient, r#"{"o":1}"#).unwrap().cells.is_empty());
}

#[test]
fn a_cell_is_its_value_or_the_document_is_asked() {
    let mut mapping = dynamic();
    row(
        &mut mapping,
        r#"{"n":1,"f":0.1,"d":"2024-01-01","b":false}"#,
    )
    .unwrap();
    let long = format!(r#"{{"s":"{}"}}"#, "x".repeat(LONGEST_CELL + 1));
    for (text, cell) in [
        (r#"{"n":"17"}"#, Some(Cell::Integer(17))),
        (r#"{"n":"017"}"#, None),
        (r#"{"n":17.0}"#, None),
        (r#"{"f":2}"#, Some(Cell::Float(2.0))),
        (r#"{"f":0.30000000000000001}"#, None),
        (r#"{"f":"0.5"}"#, Some(Cell::Float(0.5))),
        (r#"{"f":"0.50"}"#, None),
        (r#"{"d":0}"#, Some(Cell::Integer(0))),
        (r#"{"b":"true"}"#, Some(Cell::Integer(1))),
        (&long, None),
    ] {
        let row = row(&mut mapping, text).unwrap();
        let cells: Vec<_> = row.cells.into_iter().map(|(_, cell)| cell).collect();
        assert_eq!(cells.first(), cell.as_ref(), "{text}");
        assert_eq!(row.ignored.len(), usize::from(cell.is_none()), "{text}");
    }
}

#[test]
fn a_given_mapping_is_kept_to() {
    let json = json!({
        "dynamic": "strict",
        "properties": {
            "a": {"properties": {"k": {"type": "keyword"}}},
            "open": {"type": "object", "dynamic": true},
            "shut": {"type": "object", "enabled": false},
            "ip": {"type": "ip"}, "small": {"type": "byte"}, "other": {"type": "alias", "path": "a.k"}
        },
        "dynamic_templates": [
            {"ids": {"match": "*_id", "match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 64}}}
        ]
    });
    let mut mapping = Mapping::new(&json, &Value::Null).unwrap();
    for (text, is_taken) in [
        (
            r#"{"a.k":"x","open":{"user_id":"u","n":1},"shut":{"x":{"y":[1]},"z":"2"},"ip":"::1","small":-128}"#,
            true,
        ),
        (r#"{"new":1}"#, false),
        (r#"{"a":{"new":1}}"#, false),
        (r#"{"ip":"x"}"#, false),
        (r#"{"small":128}"#, false),
    ] {
        assert_eq!(row(&mut mapping, text).is_ok(), is_taken, "{text}");
    }
    let kind = Type::Keyword {
        ignore_above: 64,
        lowercase: false,
    };
    assert_eq!(
        mapping.named("open.user_id").map(|named| &named.kind),
        Some(&kind)
    );
    assert_eq!(
        mapping.named("other").map(|named| &*named.field),
        Some("a.k")
    );
    for (bad, at) in [
        (
            json!({"properties": {"n": {"type": "nested"}}}),
            "$.mappings.properties.n",
        ),
        (json!({"runtime": {}}), "$.mappings.runtime"),
        (json!({"dynamic": "runtime"}), "$.mappings.dynamic"),
        (json!([1]), "$.mappings"),
    ] {
        match Mapping::new(&bad, &Value::Null) {
            Err(StoreError::Mapping { at: found, .. }) => assert_eq!(found, at),
            other => panic!("{other:?}"),
        }
    }
}
