//! Documents of odd shapes, and searches written for them.

use crate::pair::Document;
use serde_json::{Value, json};

/// Documents as they come, into an index without a mapping.
pub fn dynamic() -> Vec<Document> {
    let mut texts: Vec<String> = [
        r#"{"@timestamp":"2024-03-30T22:30:00Z","n":1,"f":0.5,"ok":true,"user":"Alice","tags":["a","b"],"o":{"p":"x","q":1}}"#,
        r#"{"@timestamp":"2024-03-31T00:30:00Z","n":2,"f":1.25,"ok":false,"user":"bob","tags":["b"],"o":{"p":"y","q":2}}"#,
        r#"{"@timestamp":"2024-03-31T23:00:00.123Z","n":2,"ok":"true","user":"carol smith","tags":[],"o":{}}"#,
        r#"{"@timestamp":"2024-04-02T12:00:00+02:00","n":"7","f":3,"ok":"false","user":null,"tags":["c","a","a"]}"#,
        r#"{"@timestamp":1712145600000,"n":10.0,"f":"2.5","ok":"","user":["bob","Dave"],"o":[{"p":"a","q":1},{"p":["b",null],"q":[3,4]}]}"#,
        r#"{"@timestamp":"2024-02-29","n":-5,"f":-1e3,"user":"","o.p":"flat"}"#,
        r#"{"@timestamp":["2023-01-01T00:00:00Z","2024-12-31T23:59:59.999Z"],"n":[1,5,1],"f":[0.1,0.2],"ok":[true,false],"user":[null,"eve"]}"#,
        r#"{}"#,
        r#"{"user":[],"o":null,"n":null,"tags":null}"#,
        r#"{"user":"BOB","tags":"B","o":{"p":"X"},"o.q":9}"#,
        r#"{"@timestamp":"2025","n":9007199254740993,"f":1048576.5,"user":"Bob Alice Bob"}"#,
        r#"{"@timestamp":"2024-10-27T00:59:59Z","n":0,"f":0,"tags":["a","b","c","d"]}"#,
        r#"{"@timestamp":"2024-10-27T01:00:00Z","n":9223372036854775807,"f":-0.0}"#,
        r#"{"@timestamp":"1969-12-31T23:59:59.999Z","n":-9223372036854775808,"f":3.4e38}"#,
        // Paths, wildcards, quotes, signs.
        r#"{"path":"C:\\Windows\\System32\\cmd.exe","line":"cmd.exe /c \"whoami & dir\" > C:\\out.txt"}"#,
        r#"{"path":"\\\\host\\share\\File.TXT","line":"powershell -EncodedCommand aGVsbG8= -w hidden"}"#,
        r#"{"path":"/usr/bin/python3.11","line":"a*b?c[d]{e}(f)^g~h!i:j"}"#,
        r#"{"path":"C:\\windows\\SYSTEM32\\CMD.EXE","line":"tab\tnew\nline\u0000nul"}"#,
        r#"{"path":["C:\\a","C:\\b"],"line":["one two","two three","three one"]}"#,
        r#"{"path":"a/b","line":"don't can.not e.g. 3.14 1,000 foo_bar foo-bar user@example.com http://x.y/z?q=1"}"#,
        r#"{"path":"*","line":"?"}"#,
        r#"{"path":"\\","line":"AND OR NOT TO"}"#,
        r#"{"path":" ","line":"  leading and trailing  "}"#,
        // Other alphabets and cases.
        r#"{"word":"straße","line":"Die Straße nach İstanbul"}"#,
        r#"{"word":"STRASSE","line":"ΑΣ ΟΔΟΣ σς"}"#,
        r#"{"word":"ſa","line":"日本語のテキスト"}"#,
        r#"{"word":"\u212A9","line":"caf\u00e9 cafe\u0301"}"#,
        r#"{"word":"K9","line":"emoji 😀 here 👍🏽"}"#,
        r#"{"word":"k9","line":"\u202Egnp.exe"}"#,
        r#"{"word":"é","line":"한국어 텍스트 ไทย"}"#,
        r#"{"word":"É","line":"ＦＵＬＬ ｗｉｄｔｈ"}"#,
        // Numbers and booleans as texts.
        r#"{"code":"4688","flag":"true"}"#,
        r#"{"code":4688,"flag":true}"#,
        r#"{"code":"04688","flag":"True"}"#,
        r#"{"code":4688.0,"flag":1}"#,
        r#"{"code":1.10,"flag":"no"}"#,
        r#"{"code":1e3}"#,
        r#"{"code":[4624,"4625",null,true]}"#,
        r#"{"code":123456789012345678901234567890}"#,
        // Names.
        r#"{"New Value":"z","Ünï":"x","a-b":"c","with:colon":"v","UPPER":"u"}"#,
        r#"{"x.y.z":"1","x":{"y.z":"2","y":{"z":["3"]}}}"#,
        r#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":"deep"}}}}}}}"#,
        r#"{"m":[[1,2],[[3]]],"mixed":["a","1",null,"true"]}"#,
        r#"{"mixed":["a",1,true,null]}"#,
        // What looks like a date.
        r#"{"day":"2024/01/02","when":"2024/01/02 03:04:05","not":"20240102"}"#,
        r#"{"day":"2024/01/03","when":"2024/01/02 03:04:06","not":"12:00"}"#,
        // What servers reject.
        r#"{"n":"many"}"#,
        r#"{"n":true}"#,
        r#"{"n":{"x":1}}"#,
        r#"{"n":9223372036854775808}"#,
        r#"{"n":"12abc"}"#,
        r#"{"f":"x"}"#,
        r#"{"f":true}"#,
        r#"{"f":1e400}"#,
        r#"{"f":"NaN"}"#,
        r#"{"ok":"yes"}"#,
        r#"{"ok":1}"#,
        r#"{"ok":"TRUE"}"#,
        r#"{"@timestamp":"yesterday"}"#,
        r#"{"@timestamp":"2024-13-01"}"#,
        r#"{"@timestamp":"2024-02-30"}"#,
        r#"{"@timestamp":"2024-01-01 10:00:00"}"#,
        r#"{"@timestamp":true}"#,
        r#"{"o":"text"}"#,
        r#"{"o":[{"p":"x"},"text"]}"#,
        r#"{"user":{"name":"x"}}"#,
        r#"{"user.name":"x"}"#,
        r#"{"a..b":1}"#,
        r#"{".a":1}"#,
        r#"{"":1}"#,
        r#"{"_id":"x"}"#,
        r#"{"l1":{"l2":{"l3":{"l4":{"l5":{"l6":{"l7":{"l8":{"l9":{"l10":{"l11":{"l12":{"l13":{"l14":{"l15":{"l16":{"l17":{"l18":{"l19":{"l20":{"l21":1}}}}}}}}}}}}}}}}}}}}}"#,
        r#"[1]"#,
        r#""text""#,
        r#"{"x":1"#,
    ]
    .map(str::to_owned)
    .into();
    // Beyond `ignore_above`, beyond what columns hold, beyond Lucene's longest term; and at the edges.
    for length in [255, 256, 257, 300, 5_000, 40_000] {
        let word = "x".repeat(length);
        texts.push(json!({"user": format!("start {word} end"), "word": word}).to_string());
    }
    texts.push(json!({"word": "é".repeat(256)}).to_string());
    texts.push(json!({"word": "😀".repeat(129)}).to_string());
    texts.push(json!({"line": "word ".repeat(3_000) + "last"}).to_string());
    numbered("d", texts)
}

/// A mapping with every type that the embedded store has.
pub fn typed_mapping() -> Value {
    json!({
        "settings": {"index.number_of_shards": 1, "analysis": {"normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}}}},
        "mappings": {
            "dynamic_templates": [
                {"codes": {"match": "*_code", "mapping": {"type": "integer"}}},
                {"texts": {"path_match": "log.*", "match_mapping_type": "string", "mapping": {"type": "text"}}},
                {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}
            ],
            "date_detection": false,
            "properties": {
                "k": {"type": "keyword"},
                "short": {"type": "keyword", "ignore_above": 10},
                "low": {"type": "keyword", "normalizer": "low"},
                "t": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 20}}},
                "kt": {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "text"}}},
                "long": {"type": "long"}, "int": {"type": "integer"}, "small": {"type": "short"}, "byte": {"type": "byte"},
                "double": {"type": "double"}, "float": {"type": "float"},
                "date": {"type": "date"}, "slashed": {"type": "date", "format": "yyyy/MM/dd"}, "bool": {"type": "boolean"}, "ip": {"type": "ip"},
                "also": {"type": "alias", "path": "k"},
                "off": {"type": "object", "enabled": false},
                "fixed": {"properties": {"a": {"type": "keyword"}}, "dynamic": false},
                "strict": {"properties": {"a": {"type": "keyword"}}, "dynamic": "strict"}
            }
        }
    })
}

/// Documents for that mapping.
pub fn typed() -> Vec<Document> {
    let mut texts: Vec<String> = [
        r#"{"k":"Alpha","short":"0123456789","low":"MiXeD","t":"Quick brown Fox","kt":"One Two","long":1,"int":1,"small":1,"byte":1,"double":0.1,"float":0.1,"date":"2024-01-31T12:00:00Z","bool":true,"ip":"10.0.0.1"}"#,
        r#"{"k":"alpha","short":"0123456789a","low":"mixed","t":"lazy dog","kt":"two three","long":"2","int":2147483647,"small":-32768,"byte":127,"double":"1e3","float":16777217,"date":"2024-02-29","bool":false,"ip":"10.1.2.3"}"#,
        r#"{"k":["beta","alpha","beta"],"low":["A","a","B"],"t":["quick","fox jumps"],"long":[3,1,3],"double":[1.5,-1.5],"date":["2024-03-31T01:30:00Z","2024-03-31T00:30:00Z"],"bool":[true,true],"ip":["::1","192.168.0.1"]}"#,
        r#"{"k":1,"short":true,"low":5.0,"t":12,"long":-9223372036854775808,"double":1e300,"float":-3.5,"date":0,"ip":"::ffff:10.0.0.9"}"#,
        r#"{"k":"","t":"","kt":"","short":"","low":"","bool":""}"#,
        r#"{"k":"gamma delta","t":"The QUICK brown fox, jumped over the lazy dog; twice!","date":"2024-10-27T00:30:00Z","long":9223372036854775807}"#,
        r#"{"off":{"x":1,"y":["z"]},"fixed":{"a":"in","b":"out"},"strict":{"a":"in"}}"#,
        r#"{"off":"anything","error_code":"5","log":{"message":"some words here"},"other":"Other Value"}"#,
        r#"{"error_code":404,"log":{"message":"here words"},"other":"2024-01-01","num":1.5}"#,
        r#"{"k":"a\\b*c?d","t":"a\\b*c?d","kt":"(x) \"y\" /z/"}"#,
        r#"{}"#,
        r#"{"k":null,"t":[null],"long":[],"date":null,"ip":[],"fixed":null}"#,
        r#"{"date":"2024-06-15T23:59:59.999999Z","k":"nanos"}"#,
        r#"{"date":"2024-06-15T10","k":"hour"}"#,
        r#"{"date":"2024-06","k":"month"}"#,
        r#"{"date":"2024-W25","k":"week"}"#,
        // What servers reject.
        r#"{"long":"x"}"#,
        r#"{"int":2147483648}"#,
        r#"{"small":40000}"#,
        r#"{"byte":-129}"#,
        r#"{"byte":"200"}"#,
        r#"{"double":"abc"}"#,
        r#"{"double":""}"#,
        r#"{"long":""}"#,
        r#"{"float":1e39}"#,
        r#"{"date":"2024-06-15 10:00"}"#,
        r#"{"date":""}"#,
        r#"{"bool":"on"}"#,
        r#"{"ip":"300.1.1.1"}"#,
        r#"{"ip":""}"#,
        r#"{"ip":7}"#,
        r#"{"k":{"a":1}}"#,
        r#"{"t":{"a":1}}"#,
        r#"{"also":"x"}"#,
        r#"{"fixed":"x"}"#,
        r#"{"strict":{"b":1}}"#,
        r#"{"error_code":"none"}"#,
    ]
    .map(str::to_owned)
    .into();
    texts.push(json!({"k": "y".repeat(32_766)}).to_string());
    texts.push(json!({"t": "y".repeat(40_000), "kt": "y".repeat(40_000)}).to_string());
    texts.push(json!({"other": "w".repeat(1_025)}).to_string());
    numbered("t", texts)
}

fn numbered(prefix: &str, texts: Vec<String>) -> Vec<Document> {
    let texts = texts.into_iter().enumerate();
    texts
        .map(|(number, text)| (format!("{prefix}{number}"), text))
        .collect()
}

/// Documents that one of the two takes and the other rejects, on purpose: whether the server takes it, and why.
pub fn judged_otherwise() -> Vec<(String, bool, &'static str)> {
    let long =
        "a keyword beyond Lucene's longest term, which the embedded store has no need to reject";
    let rows = [
        (
            r#"{"mixed":["a",1,true,null]}"#.to_owned(),
            false,
            "a new field is what its first value is, and takes the others of the document",
        ),
        (
            r#"{"slashed":"2024-01-02T00:00:00Z"}"#.to_owned(),
            false,
            "a date has the usual forms, whatever `format` its field has",
        ),
        (
            r#"{"twice":1,"twice":2}"#.to_owned(),
            false,
            "a key that comes twice has both values",
        ),
        (
            r#"{" ":1}"#.to_owned(),
            true,
            "blanks in keys have no meaning, so that this one is empty",
        ),
        (json!({"k": "y".repeat(32_767)}).to_string(), false, long),
        (json!({"k": "é".repeat(16_384)}).to_string(), false, long),
        (json!({"low": "Y".repeat(40_000)}).to_string(), false, long),
    ];
    rows.into()
}

/// Queries for the first documents.
pub fn queries() -> Vec<Value> {
    let mut queries = vec![
        json!({"match_all": {}}),
        json!({"match_none": {}}),
        json!({"constant_score": {"filter": {"term": {"user": "bob"}}}}),
        json!({"term": {"user": {"value": "BOB", "case_insensitive": true}}}),
        json!({"term": {"word.keyword": {"value": "STRASSE", "case_insensitive": true}}}),
        json!({"term": {"word.keyword": {"value": "É", "case_insensitive": true}}}),
        json!({"term": {"word.keyword": {"value": "k9", "case_insensitive": true}}}),
        json!({"term": {"word.keyword": {"value": "SA", "case_insensitive": true}}}),
        json!({"terms": {"n": [1, "7", -5, 9223372036854775807_i64]}}),
        json!({"terms": {"user.keyword": ["bob", "Alice", "", "nobody"]}}),
        json!({"terms": {"tags": []}}),
        json!({"term": {"n": 1.5}}),
        json!({"term": {"n": 10.0}}),
        json!({"term": {"n": "2"}}),
        json!({"term": {"n": "x"}}),
        json!({"term": {"f": 0.1}}),
        json!({"term": {"f": "0.5"}}),
        json!({"term": {"f": -0.0}}),
        json!({"term": {"f": 3.4e38}}),
        json!({"term": {"ok": true}}),
        json!({"term": {"ok": "false"}}),
        json!({"term": {"ok": ""}}),
        json!({"term": {"ok": "yes"}}),
        json!({"term": {"@timestamp": "2024-03-31"}}),
        json!({"term": {"@timestamp": "2024-03-31T00:30:00Z"}}),
        json!({"term": {"@timestamp": 1712145600000_i64}}),
        json!({"term": {"@timestamp": "2024-03-31||/M"}}),
        json!({"match": {"@timestamp": "2024-03-31"}}),
        json!({"match": {"n": "1 2"}}),
        json!({"match": {"user": "Smith Alice"}}),
        json!({"match": {"user": {"query": "Bob Alice", "operator": "and"}}}),
        json!({"match": {"user": ""}}),
        json!({"match": {"user": {"query": "", "zero_terms_query": "all"}}}),
        json!({"match": {"user": "..."}}),
        json!({"match": {"line": "STRASSE straße istanbul"}}),
        json!({"match": {"line": "日"}}),
        json!({"match": {"line": "日本"}}),
        json!({"match": {"line": "café"}}),
        json!({"match": {"line": "😀"}}),
        json!({"match": {"line": "👍"}}),
        json!({"match": {"line": "한국어"}}),
        json!({"match": {"line": "οδοσ"}}),
        json!({"match": {"line": "ΟΔΟΣ"}}),
        json!({"match": {"line": "can.not"}}),
        json!({"match": {"line": "don"}}),
        json!({"match": {"line": "don't"}}),
        json!({"match": {"line": "3.14"}}),
        json!({"match": {"line": "foo"}}),
        json!({"match": {"line": "foo_bar"}}),
        json!({"match": {"line": "example.com"}}),
        json!({"match": {"line": "full"}}),
        json!({"match": {"line": "gnp.exe"}}),
        json!({"match_phrase": {"line": "two three"}}),
        json!({"match_phrase": {"line": "two two"}}),
        json!({"match_phrase": {"line": "three two"}}),
        json!({"match_phrase": {"line": "TWO, THREE!"}}),
        json!({"match_phrase": {"path": "windows system32"}}),
        json!({"match_phrase": {"path": "System32\\cmd.exe"}}),
        json!({"match_phrase": {"user": "start"}}),
        json!({"match_phrase": {"word.keyword": "straße"}}),
        json!({"match_phrase": {"n": "2"}}),
        json!({"match_phrase": {"line": "日本語"}}),
        json!({"match_phrase": {"line": "cafe\u{301}"}}),
        json!({"match_phrase": {"o.p": "a b"}}),
        json!({"multi_match": {"query": "bob", "fields": ["user", "tags"]}}),
        json!({"multi_match": {"query": "two three", "type": "phrase", "fields": ["line", "path"]}}),
        json!({"multi_match": {"query": "alice bob", "operator": "and", "fields": ["user", "user.keyword"]}}),
        json!({"multi_match": {"query": "x", "fields": ["o.*"], "lenient": true}}),
        json!({"wildcard": {"path.keyword": "C:\\\\*\\\\cmd.exe"}}),
        json!({"wildcard": {"path.keyword": {"value": "c:\\\\WINDOWS\\\\*", "case_insensitive": true}}}),
        json!({"wildcard": {"path.keyword": "\\*"}}),
        json!({"wildcard": {"path.keyword": "?"}}),
        json!({"wildcard": {"path.keyword": "*"}}),
        json!({"wildcard": {"path.keyword": "\\\\\\\\host*"}}),
        json!({"wildcard": {"path.keyword": "*\\"}}),
        json!({"wildcard": {"path": "sys*"}}),
        json!({"wildcard": {"path": "SYS*"}}),
        json!({"wildcard": {"path": {"value": "SYS*", "case_insensitive": true}}}),
        json!({"wildcard": {"word.keyword": "?"}}),
        json!({"wildcard": {"word.keyword": {"value": "stra?e", "case_insensitive": true}}}),
        json!({"wildcard": {"word.keyword": {"value": "É", "case_insensitive": true}}}),
        json!({"wildcard": {"user.keyword": "*x*"}}),
        json!({"wildcard": {"user": "*xxx"}}),
        json!({"wildcard": {"n": "1*"}}),
        json!({"prefix": {"path.keyword": "C:\\"}}),
        json!({"prefix": {"path.keyword": {"value": "c:\\w", "case_insensitive": true}}}),
        json!({"prefix": {"user": "b"}}),
        json!({"prefix": {"user": "B"}}),
        json!({"prefix": {"user.keyword": ""}}),
        json!({"prefix": {"n": "1"}}),
        json!({"regexp": {"user.keyword": "[A-Z].*"}}),
        json!({"regexp": {"user.keyword": {"value": "BOB|alice", "case_insensitive": true}}}),
        json!({"regexp": {"path.keyword": ".*\\\\cmd\\.exe"}}),
        json!({"regexp": {"code.keyword": "<4000-4999>"}}),
        json!({"regexp": {"code.keyword": "[0-9]+"}}),
        json!({"regexp": {"code.keyword": "46\\d\\d"}}),
        json!({"regexp": {"word.keyword": "~(k9)&.*9"}}),
        json!({"regexp": {"word.keyword": "@"}}),
        json!({"regexp": {"word.keyword": {"value": "a&b", "flags": "NONE"}}}),
        json!({"regexp": {"line": "t(wo|hree)"}}),
        json!({"regexp": {"line": "T.*"}}),
        json!({"regexp": {"user.keyword": {"value": "[a-c]ob", "case_insensitive": true}}}),
        json!({"regexp": {"path.keyword": "(a|b"}}),
        json!({"regexp": {"path.keyword": "^C:.*$"}}),
        json!({"regexp": {"tags": ""}}),
        json!({"regexp": {"tags.keyword": "[^a]"}}),
        json!({"regexp": {"user.keyword": ".{3}"}}),
        json!({"regexp": {"user.keyword": "b\"o\"b"}}),
        json!({"range": {"n": {"gte": 2, "lt": 8}}}),
        json!({"range": {"n": {"gt": 1.5}}}),
        json!({"range": {"n": {"gte": "2", "lte": "10"}}}),
        json!({"range": {"n": {"gt": 9223372036854775806_i64}}}),
        json!({"range": {"n": {"lte": -9223372036854775808_i64}}}),
        json!({"range": {"n": {"lt": 1e30}}}),
        json!({"range": {"n": {"gte": "x"}}}),
        json!({"range": {"f": {"gt": 0.1, "lte": 0.5}}}),
        json!({"range": {"f": {"gte": 0.1}}}),
        json!({"range": {"f": {"gte": 0}}}),
        json!({"range": {"f": {"lt": 0}}}),
        json!({"range": {"ok": {"gte": true}}}),
        json!({"range": {"@timestamp": {"gte": "2024-03-31", "lte": "2024-03-31"}}}),
        json!({"range": {"@timestamp": {"gt": "2024-03-31", "lt": "2024-04-02"}}}),
        json!({"range": {"@timestamp": {"gte": "2024-03-31||-1d/d", "lt": "2024-03-31||+2d"}}}),
        json!({"range": {"@timestamp": {"gte": "2024", "lt": "2025"}}}),
        json!({"range": {"@timestamp": {"gte": "2024-03", "lte": "2024-03", "time_zone": "+02:00"}}}),
        json!({"range": {"@timestamp": {"gte": "2024-03-31T02:00:00", "time_zone": "Europe/Berlin"}}}),
        json!({"range": {"@timestamp": {"gte": "30/03/2024", "lte": "2024", "format": "dd/MM/yyyy||yyyy"}}}),
        json!({"range": {"@timestamp": {"lt": 0}}}),
        json!({"range": {"@timestamp": {"gte": "now-1d"}}}),
        json!({"range": {"@timestamp": {"lte": "now/d"}}}),
        json!({"range": {"@timestamp": {"gte": 1711839600000_i64}}}),
        json!({"range": {"user.keyword": {"gte": "A", "lt": "a"}}}),
        json!({"range": {"user.keyword": {"gt": "bob"}}}),
        json!({"range": {"user": {"gte": "b", "lte": "c"}}}),
        json!({"range": {"word.keyword": {"gte": "é"}}}),
        json!({"range": {"n": {}}}),
        json!({"exists": {"field": "o"}}),
        json!({"exists": {"field": "o*"}}),
        json!({"exists": {"field": "*.keyword"}}),
        json!({"exists": {"field": "nowhere"}}),
        json!({"exists": {"field": "x.y"}}),
        json!({"exists": {"field": "_id"}}),
        json!({"ids": {"values": ["d0", "d5", "none", "d0"]}}),
        json!({"ids": {"values": []}}),
        json!({"term": {"_id": "d3"}}),
        json!({"terms": {"_id": ["d3", "d4"]}}),
        json!({"prefix": {"New Value.keyword": "z"}}),
        json!({"match": {"New Value": "z"}}),
        json!({"match": {"Ünï": "X"}}),
        json!({"term": {"nowhere": "x"}}),
        json!({"term": {"x.y.z": "2"}}),
        json!({"term": {"m": 3}}),
        json!({"term": {"mixed": "true"}}),
        json!({"term": {"day": "2024-01-02"}}),
        json!({"term": {"day": "2024/01/02"}}),
        json!({"range": {"when": {"gte": "2024/01/02 03:04:06"}}}),
        json!({"bool": {}}),
        json!({"bool": {"must": []}}),
        json!({"bool": {"must_not": [{"exists": {"field": "user"}}]}}),
        json!({"bool": {"must": {"match": {"tags": "a"}}, "should": [{"term": {"n": 1}}, {"term": {"n": 7}}]}}),
        json!({"bool": {"must": {"match": {"tags": "a"}}, "should": [{"term": {"n": 1}}, {"term": {"n": 7}}], "minimum_should_match": 1}}),
        json!({"bool": {"should": [{"term": {"n": 1}}, {"term": {"tags": "a"}}, {"term": {"ok": true}}], "minimum_should_match": 2}}),
        json!({"bool": {"should": [{"term": {"n": 1}}, {"term": {"tags": "a"}}, {"term": {"ok": true}}], "minimum_should_match": -1}}),
        json!({"bool": {"should": [{"term": {"n": 1}}, {"term": {"tags": "a"}}], "minimum_should_match": 3}}),
        json!({"bool": {"filter": [{"exists": {"field": "n"}}], "should": [{"term": {"n": 1}}], "minimum_should_match": 0}}),
        json!({"bool": {"should": [{"term": {"n": 1}}], "minimum_should_match": 0}}),
        json!({"bool": {"must_not": [{"bool": {"must_not": [{"term": {"n": 1}}]}}]}}),
        // What one side or both cannot do, which must be told.
        json!({"fuzzy": {"user": "bib"}}),
        json!({"match": {"user": {"query": "bib", "fuzziness": 1}}}),
        json!({"unknown": {}}),
        json!({"term": {"user": "a", "tags": "b"}}),
        json!({"match_phrase": {"user": {"query": "bob bob", "slop": 1}}}),
        json!({"script": {"script": "true"}}),
        json!({"bool": {"most": []}}),
        json!({"range": {"n": {"from": 1, "upto": 2}}}),
        json!({"term": {}}),
        json!({"match_phrase": {"": "x"}}),
        json!({"term": {"": "x"}}),
        json!({"exists": {"field": ""}}),
        json!({}),
    ];
    for field in [
        "user",
        "user.keyword",
        "tags",
        "o.p",
        "n",
        "ok",
        "@timestamp",
        "f",
        "word.keyword",
        "line",
        "code",
        "o.q",
    ] {
        queries.push(json!({"exists": {"field": field}}));
    }
    for code in [
        "4688",
        "04688",
        "4688.0",
        "1.10",
        "1.1",
        "1e3",
        "1000.0",
        "true",
        "123456789012345678901234567890",
    ] {
        queries.push(json!({"term": {"code.keyword": code}}));
        queries.push(json!({"match": {"code": code}}));
    }
    for length in [255, 256, 257, 300, 5_000, 40_000] {
        let word = "x".repeat(length);
        queries.push(json!({"term": {"word": word}}));
        queries.push(json!({"term": {"word.keyword": word}}));
        queries.push(json!({"match": {"word": word}}));
        queries.push(json!({"match_phrase": {"user": format!("start {word} end")}}));
    }
    queries.extend(strings().map(|text| json!({"query_string": {"query": text}})));
    queries.extend(strings().map(|text| {
        json!({"query_string": {"query": text, "default_field": "line", "default_operator": "and"}})
    }));
    queries.extend(["bob", "b*", "/b.b/", "\"two three\"", "bob AND two"].map(|text| {
        json!({"query_string": {"query": text, "fields": ["user", "line^2"], "lenient": true}})
    }));
    queries.extend([
        json!({"query_string": {"query": "bob", "fields": ["us*"]}}),
        json!({"query_string": {"query": "user:B*", "analyze_wildcard": true}}),
        json!({"query_string": {"query": "*ob", "default_field": "user", "allow_leading_wildcard": false}}),
        json!({"query_string": {"query": "two three", "default_field": "line", "type": "phrase"}}),
        json!({"query_string": {"query": "n:x", "lenient": true}}),
        json!({"query_string": {"query": "@timestamp:[2024-03-31 TO 2024-03-31]", "time_zone": "+02:00"}}),
    ]);
    queries
}

/// Strings for `query_string`.
fn strings() -> impl Iterator<Item = &'static str> {
    let texts: &[&str] = &[
        "bob",
        "user:bob",
        "user:(bob OR carol)",
        "user:(bob alice)",
        "user:(+bob +alice)",
        "user:(+bob -alice)",
        "user:\"carol smith\"",
        "user.keyword:\"carol smith\"",
        "user.keyword:carol\\ smith",
        "user:bob AND NOT n:2",
        "user:bob AND n:2 OR tags:a",
        "user:bob OR n:2 AND tags:a",
        "(user:bob OR n:2) AND tags:a",
        "NOT user:bob",
        "-user:bob",
        "!user:bob",
        "+tags:a -tags:c",
        "tags:a && tags:b",
        "tags:c || tags:d",
        "n:[1 TO 5]",
        "n:{1 TO 5}",
        "n:[1 TO 5}",
        "n:>=5",
        "n:<0",
        "n:(>1 AND <8)",
        "n:(1 OR 7)",
        "n:[* TO 2]",
        "n:*",
        "f:0.5",
        "f:[0.1 TO 0.5]",
        "ok:true",
        "@timestamp:[2024-03-31 TO 2024-04-01]",
        "@timestamp:>2024-10",
        "@timestamp:\"2024-03-31T00:30:00Z\"",
        "user.keyword:[A TO b}",
        "_exists_:user",
        "NOT _exists_:user",
        "_exists_:o",
        "_exists_:o.p",
        "path.keyword:C\\:\\\\Windows\\\\*",
        "path.keyword:*\\\\cmd.exe",
        "path.keyword:\"C:\\\\Windows\\\\System32\\\\cmd.exe\"",
        "path:cmd.exe",
        "path.keyword:\\*",
        "path.keyword:?",
        "path.keyword:*",
        "path.keyword:/.*cmd\\.exe/",
        "path.keyword:/.*[Cc][Mm][Dd].*/",
        "path:/CMD.*/",
        "word.keyword:stra?e",
        "word:STRASSE",
        "line:foo\\-bar",
        "line:foo-bar",
        "line:\"one two\"",
        "line:one two",
        "line:(one two)",
        "o.p:x",
        "o.*:x",
        "New\\ Value:z",
        "with\\:colon:v",
        "Ünï:x",
        "*",
        "*:*",
        "user:*",
        "\"AND OR\"",
        "line:AND",
        "line:\\AND",
        "user:b?b",
        "user:B?B",
        "user:B*",
        "user.keyword:B*",
        "user.keyword:\"\"",
        "user:\"\"",
        "code:4688",
        "code.keyword:[4600 TO 4700]",
        "user:bob^2",
        "user:(bob^3 OR alice)",
        // What is no query, or is not supported here.
        "user:bob~",
        "user:\"carol smith\"~2",
        "user:(bob",
        "user:",
        "user:bob)",
        "n:[1 TO",
        "n:many",
        "/(/",
        "AND",
        "user:bob AND",
        "OR user:bob",
        "",
        " ",
    ];
    texts.iter().copied()
}

/// Queries for the mapping with every type.
pub fn typed_queries() -> Vec<Value> {
    let fields = [
        "k",
        "short",
        "low",
        "t",
        "t.raw",
        "kt",
        "kt.text",
        "long",
        "int",
        "small",
        "byte",
        "double",
        "float",
        "date",
        "bool",
        "ip",
        "also",
        "off",
        "off.x",
        "fixed",
        "fixed.a",
        "fixed.b",
        "strict.a",
        "error_code",
        "log.message",
        "other",
        "num",
    ];
    let values = [
        json!("alpha"),
        json!("MIXED"),
        json!("quick"),
        json!("Quick brown Fox"),
        json!("two"),
        json!("One Two"),
        json!(""),
        json!("0123456789"),
        json!("in"),
        json!("5"),
        json!(1),
        json!(0.1),
        json!(16777217),
        json!(1.5),
        json!(true),
        json!("false"),
        json!("2024-02-29"),
        json!("2024-01-31T12:00:00Z"),
        json!("10.0.0.1"),
        json!("10.0.0.0/8"),
        json!("::1"),
        json!("a\\b*c?d"),
        json!(-9223372036854775808_i64),
        json!("Other Value"),
        json!("2147483648"),
        json!(3.0),
    ];
    let mut queries = Vec::new();
    for field in fields {
        queries.push(json!({"exists": {"field": field}}));
        for value in &values {
            queries.push(json!({"term": {field: value}}));
            queries.push(json!({"match": {field: value}}));
            queries.push(json!({"match_phrase": {field: value}}));
            queries.push(json!({"range": {field: {"gte": value}}}));
            queries.push(json!({"range": {field: {"lt": value}}}));
            if let Some(text) = value.as_str() {
                queries.push(json!({"prefix": {field: text}}));
                queries.push(json!({"wildcard": {field: format!("*{text}*")}}));
                queries.push(json!({"wildcard": {field: {"value": text.to_uppercase(), "case_insensitive": true}}}));
                let quoted = text.replace('\\', "\\\\");
                queries.push(json!({"query_string": {"query": format!("{field}:\"{quoted}\"")}}));
            }
        }
    }
    queries
}

/// Whole requests for the first documents: aggregations, orders, pages, parts of documents.
pub fn requests() -> Vec<Value> {
    let mut requests = vec![
        json!({"size": 3, "sort": ["n"]}),
        json!({"size": 100, "sort": [{"n": "desc"}, {"@timestamp": {"order": "asc"}}]}),
        json!({"size": 100, "sort": [{"user.keyword": {"order": "desc", "missing": "_first"}}]}),
        json!({"size": 100, "sort": [{"user.keyword": {"order": "asc", "missing": "_first"}}]}),
        json!({"size": 100, "sort": [{"n": {"order": "asc", "missing": 3}}]}),
        json!({"size": 100, "sort": [{"n": {"order": "asc", "mode": "max"}}]}),
        json!({"size": 100, "sort": [{"f": {"order": "desc", "mode": "min"}}]}),
        json!({"size": 100, "sort": [{"f": "asc"}, {"n": "desc"}]}),
        json!({"size": 100, "sort": [{"ok": "asc"}]}),
        json!({"size": 100, "sort": [{"@timestamp": {"order": "desc", "missing": "2024-01-01"}}]}),
        json!({"size": 100, "sort": ["nowhere"]}),
        json!({"size": 100, "sort": [{"nowhere": {"order": "asc", "unmapped_type": "keyword"}}]}),
        json!({"size": 100, "sort": ["user"]}),
        json!({"size": 2, "from": 3, "sort": ["@timestamp"], "query": {"exists": {"field": "@timestamp"}}}),
        json!({"size": 3, "sort": [{"n": "asc"}], "search_after": [2], "query": {"exists": {"field": "n"}}}),
        json!({"size": 3, "sort": [{"user.keyword": "desc"}], "search_after": ["bob"], "query": {"exists": {"field": "user.keyword"}}}),
        json!({"size": 3, "sort": [{"@timestamp": "asc"}], "search_after": [1711845000000_i64]}),
        json!({"size": 3, "sort": [{"@timestamp": "asc"}], "search_after": ["2024-03-31T00:30:00Z"]}),
        json!({"size": 3, "sort": [{"n": "asc"}], "search_after": [2, 3]}),
        json!({"size": 3, "sort": [{"n": "asc"}], "search_after": ["x"]}),
        json!({"size": 3, "search_after": [2]}),
        json!({"size": 0, "track_total_hits": true}),
        json!({"size": 0, "track_total_hits": false}),
        json!({"size": 0, "track_total_hits": 5}),
        json!({"size": 0, "track_total_hits": 500}),
        json!({"size": 10_001}),
        json!({"size": -1}),
        json!({"from": -1}),
        json!({"unknown": 1}),
        json!({"query": {"match_all": {}}, "collapse": {"field": "user.keyword"}}),
        json!({"query": {"match_all": {}}, "highlight": {"fields": {"user": {}}}}),
        json!({"size": 100, "_source": false}),
        json!({"size": 100, "_source": true, "version": true, "seq_no_primary_term": true}),
        json!({"size": 100, "_source": ["user", "o"]}),
        json!({"size": 100, "_source": "o.*"}),
        json!({"size": 100, "_source": "*"}),
        json!({"size": 100, "_source": {"includes": ["o", "n"], "excludes": ["o.q"]}}),
        json!({"size": 100, "_source": {"excludes": ["o.p", "tags", "line"]}}),
        json!({"size": 100, "_source": ["x.y.z"]}),
        json!({"size": 100, "_source": ["x.y"]}),
        json!({"size": 100, "_source": ["a.*.c"]}),
        json!({"size": 100, "_source": ["New Value", "t*s"]}),
        json!({"size": 100, "_source": []}),
    ];
    let numbers = ["min", "max", "avg", "sum", "stats", "cardinality"];
    for field in [
        "n",
        "f",
        "ok",
        "@timestamp",
        "user.keyword",
        "user",
        "nowhere",
        "o.q",
        "code.keyword",
    ] {
        for kind in numbers {
            // So that sums are exact.
            requests.push(agg(
                json!({kind: {"field": field}}),
                json!({"range": {"n": {"gt": -100, "lt": 1000}}}),
            ));
            requests.push(agg(
                json!({kind: {"field": field, "missing": 3}}),
                json!({"range": {"n": {"gt": -100, "lt": 1000}}}),
            ));
        }
        requests.push(all(json!({"missing": {"field": field}})));
        requests.push(all(json!({"terms": {"field": field}})));
        requests.push(all(
            json!({"terms": {"field": field, "size": 2, "order": {"_key": "desc"}}}),
        ));
        requests.push(all(
            json!({"terms": {"field": field, "size": 100, "order": {"_count": "asc"}}}),
        ));
        requests.push(all(json!({"terms": {"field": field, "order": [{"_count": "desc"}, {"_key": "desc"}], "min_doc_count": 2}})));
        requests.push(all(
            json!({"composite": {"size": 100, "sources": [{"x": {"terms": {"field": field}}}]}}),
        ));
        requests.push(all(json!({"composite": {"size": 3, "sources": [
            {"x": {"terms": {"field": field, "order": "desc", "missing_bucket": true}}}, {"t": {"terms": {"field": "tags.keyword"}}}]}})));
    }
    for (missing, field) in [
        (json!("none"), "user.keyword"),
        (json!(0), "n"),
        (json!(true), "ok"),
        (json!("2020-01-01"), "@timestamp"),
        (json!("x"), "n"),
    ] {
        requests.push(all(
            json!({"terms": {"field": field, "missing": missing, "size": 50}}),
        ));
    }
    for (field, names) in [
        ("user.keyword", json!("[bB].*")),
        ("user.keyword", json!(["bob", "Alice"])),
        ("n", json!([1, 7])),
        ("user.keyword", json!("(")),
        ("@timestamp", json!(["2024-03-31T00:30:00Z"])),
        ("n", json!("1.*")),
        ("tags.keyword", json!([])),
    ] {
        requests.push(all(json!({"terms": {"field": field, "include": names}})));
        requests.push(all(
            json!({"terms": {"field": field, "exclude": names, "size": 100}}),
        ));
    }
    let dated = || json!({"range": {"@timestamp": {"gte": "2024-03-01", "lt": "2024-11-01"}}});
    for interval in [
        "minute", "1h", "day", "1w", "month", "quarter", "1y", "2d", "x",
    ] {
        let count = if interval == "minute" || interval == "1h" {
            1
        } else {
            0
        };
        for zone in [
            "UTC",
            "Europe/Berlin",
            "-05:30",
            "America/New_York",
            "nowhere",
        ] {
            requests.push(agg(json!({"date_histogram": {"field": "@timestamp", "calendar_interval": interval, "time_zone": zone, "min_doc_count": count}}), dated()));
        }
    }
    for interval in ["90m", "12h", "1d", "30d", "500ms", "1M"] {
        let count = if interval.ends_with('s') || interval == "90m" {
            1
        } else {
            0
        };
        for zone in ["UTC", "Europe/Berlin", "+05:30"] {
            requests.push(agg(json!({"date_histogram": {"field": "@timestamp", "fixed_interval": interval, "time_zone": zone, "min_doc_count": count}}), dated()));
        }
    }
    for field in ["user.keyword", "user", "nowhere"] {
        requests.push(all(
            json!({"date_histogram": {"field": field, "calendar_interval": "day"}}),
        ));
    }
    requests.extend([
        agg(json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "month", "order": {"_key": "desc"}}}), dated()),
        agg(json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "month", "missing": "2024-05-05"}}), json!({"bool": {"should": [dated(), {"term": {"word": "k9"}}]}})),
        agg(json!({"composite": {"sources": [{"d": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day", "time_zone": "Europe/Berlin"}}}, {"n": {"terms": {"field": "n"}}}]}}), dated()),
        all(json!({"composite": {"size": 2, "after": {"x": "a"}, "sources": [{"x": {"terms": {"field": "tags.keyword"}}}]}})),
        all(json!({"composite": {"size": 2, "after": {"x": "b", "n": 2}, "sources": [{"x": {"terms": {"field": "tags.keyword"}}}, {"n": {"terms": {"field": "n", "order": "desc"}}}]}})),
        all(json!({"composite": {"sources": []}})),
        all(json!({"filter": {"term": {"tags": "a"}}, "aggs": {"u": {"terms": {"field": "user.keyword"}}}})),
        all(json!({"filters": {"filters": {"a": {"term": {"tags": "a"}}, "bob": {"match": {"user": "bob"}}}, "other_bucket": true}})),
        all(json!({"filters": {"filters": [{"term": {"tags": "a"}}, {"match_all": {}}], "other_bucket_key": "rest"}, "aggs": {"n": {"stats": {"field": "o.q"}}}})),
        all(json!({"missing": {"field": "user"}, "aggs": {"t": {"terms": {"field": "tags.keyword"}}}})),
        all(json!({"terms": {"field": "tags.keyword"}, "aggs": {"users": {"terms": {"field": "user.keyword"}, "aggs": {"n": {"sum": {"field": "o.q"}}, "top": {"top_hits": {"size": 2, "sort": ["n"], "_source": "user"}}}}}})),
        all(json!({"terms": {"field": "tags.keyword", "order": {"m": "desc"}}, "aggs": {"m": {"max": {"field": "o.q"}}}})),
        all(json!({"terms": {"field": "tags.keyword", "order": {"s.avg": "asc"}}, "aggs": {"s": {"stats": {"field": "o.q"}}}})),
        all(json!({"terms": {"field": "tags.keyword", "order": {"none": "asc"}}})),
        all(json!({"terms": {"field": "tags.keyword"}, "aggs": {"days": {"date_histogram": {"field": "@timestamp", "calendar_interval": "month"}, "aggs": {"c": {"cardinality": {"field": "user.keyword"}}}}}})),
        all(json!({"top_hits": {"size": 2, "from": 1, "sort": [{"n": "desc"}], "_source": false}})),
        all(json!({"top_hits": {}})),
        all(json!({"terms": {"field": "tags.keyword", "size": 0}})),
        all(json!({"terms": {}})),
        all(json!({"terms": {"field": "tags.keyword", "unknown": 1}})),
        all(json!({"significant_terms": {"field": "tags.keyword"}})),
        all(json!({"percentiles": {"field": "n"}})),
        all(json!({"nonsense": {}})),
        all(json!({})),
        all(json!({"sum": {"field": "n"}, "aggs": {"x": {"sum": {"field": "n"}}}})),
    ]);
    requests
}

fn agg(agg: Value, query: Value) -> Value {
    json!({"size": 0, "query": query, "aggs": {"x": agg}})
}

fn all(aggs: Value) -> Value {
    agg(aggs, json!({"match_all": {}}))
}
