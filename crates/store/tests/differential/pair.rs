//! The two stores under test, with the same documents in both.

use serde_json::{Value, json};
use servers::Server;
use std::fmt::Write as _;
use std::time::Duration;
use store::{Embedded, Store, Write};

/// How many searches one request to the server carries.
const TOGETHER: usize = 100;

/// A document: its id, and its JSON text.
pub type Document = (String, String);

/// What a store says to a search: an answer, or why there is none.
pub type Answer = Result<Value, String>;

/// What both say.
#[derive(Debug)]
pub struct Answers {
    pub server: Answer,
    pub embedded: Answer,
}

/// A real server, and an embedded store.
pub struct Pair {
    server: Server,
    embedded: Embedded,
    _folder: tempfile::TempDir,
}

/// An index that both have.
pub struct Index {
    /// Its name.
    pub name: String,
    /// The documents that both have taken.
    pub documents: Vec<Document>,
    /// How many neither has taken.
    pub rejected: usize,
    /// What the server has made of the mapping.
    pub mapping: Value,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

impl Pair {
    /// Both stores; none where there can be no server.
    pub fn start() -> Option<Pair> {
        let server = servers::server(&["opensearch-3", "opensearch-2"])?;
        let folder = tempfile::tempdir().unwrap();
        Some(Pair {
            server,
            embedded: Embedded::open(folder.path()).unwrap(),
            _folder: folder,
        })
    }

    /// Makes an index in both and loads the documents in their order. Both have to take the same ones, and to make the same
    /// mapping of them.
    pub fn index(&self, name: &str, body: &Value, documents: Vec<Document>) -> Index {
        let (name, verdicts) = self.judge(name, body, &documents);
        let wrong: Vec<String> = documents
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| verdict.server.is_ok() != verdict.embedded.is_ok())
            .map(|((_, text), verdict)| format!("{:.100}: {verdict:?}", text))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.server.post(&format!("/{name}/_refresh"), "");
        wait(self.embedded.refresh(&name)).unwrap();
        let mapping = self.server.get(&format!("/{name}/_mapping")).body[&name]["mappings"].take();
        let own = wait(self.embedded.indices(&name))
            .unwrap()
            .remove(0)
            .mapping;
        assert_same_fields(&mapping, &own, "$");
        let rejected = verdicts
            .iter()
            .filter(|verdict| verdict.server.is_err())
            .count();
        let taken = documents.into_iter().zip(verdicts);
        let documents = taken
            .filter(|(_, verdict)| verdict.server.is_ok())
            .map(|(document, _)| document)
            .collect();
        Index {
            name,
            documents,
            rejected,
            mapping,
        }
    }

    /// Makes an index in both, and has both judge the documents. Gives its name too.
    pub fn judge(
        &self,
        name: &str,
        body: &Value,
        documents: &[Document],
    ) -> (String, Vec<Answers>) {
        let name = self.server.create_index(name, body);
        wait(self.embedded.create(&name, body.clone())).unwrap();
        let parts = documents.chunks(500);
        let verdicts = parts.flat_map(|part| self.load(&name, part)).collect();
        (name, verdicts)
    }

    fn load(&self, index: &str, documents: &[Document]) -> Vec<Answers> {
        let mut body = String::new();
        for (id, text) in documents {
            let action = json!({"index": {"_index": index, "_id": id}});
            writeln!(body, "{action}\n{text}").unwrap();
        }
        let items = self.server.post("/_bulk", &body).body["items"].take();
        let items = items.as_array().unwrap().clone();
        let writes = documents.iter().map(|(id, text)| Write::Put {
            id: id.clone(),
            source: text.clone().into_bytes(),
            if_seq_no: None,
        });
        let written = wait(self.embedded.write(index, writes.collect())).unwrap();
        assert_eq!(items.len(), written.len());
        let both = items.into_iter().zip(written);
        both.map(|(item, written)| Answers {
            server: refusal(item["index"].clone()),
            embedded: match written {
                Ok(_) => Ok(Value::Null),
                Err(rejected) => Err(rejected.to_string()),
            },
        })
        .collect()
    }

    /// Asks both.
    pub fn search(&self, index: &Index, requests: &[Value]) -> Vec<Answers> {
        let mut answers = Vec::new();
        for part in requests.chunks(TOGETHER) {
            let mut body = String::new();
            for request in part {
                writeln!(body, "{}\n{request}", json!({"index": index.name})).unwrap();
            }
            let answer = self
                .server
                .post("/_msearch?max_concurrent_searches=2", &body);
            let responses: Vec<Value> = match answer.status {
                200 => answer.body["responses"].as_array().unwrap().clone(),
                // One that cannot be read stands for all.
                _ => part
                    .iter()
                    .map(|request| self.ask(index, request))
                    .collect(),
            };
            assert_eq!(responses.len(), part.len());
            let both = part.iter().zip(responses);
            answers.extend(both.map(|(request, response)| Answers {
                server: refusal(match is_short_of_memory(&response) {
                    true => self.ask(index, request),
                    false => response,
                }),
                embedded: match wait(self.embedded.search(&index.name, request)) {
                    Ok(response) => Ok(serde_json::to_value(response).unwrap()),
                    Err(error) => Err(error.to_string()),
                },
            }));
        }
        answers
    }

    fn ask(&self, index: &Index, request: &Value) -> Value {
        let path = format!("/{}/_search", index.name);
        let mut tries = 0;
        loop {
            let answer = self.server.post(&path, &request.to_string()).body;
            tries += 1;
            if !is_short_of_memory(&answer) || tries == 20 {
                return answer;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// What each counts; none where it refuses.
    pub fn count(&self, index: &Index, query: &Value) -> [Option<u64>; 2] {
        let query = json!({"query": query});
        let path = format!("/{}/_count", index.name);
        let server = self.server.post(&path, &query.to_string());
        let own = wait(self.embedded.count(&index.name, &query));
        [server.body["count"].as_u64(), own.ok()]
    }
}

/// Whether a server has no memory for a search at the moment: that is no answer, and it will have some when it has cleaned up.
fn is_short_of_memory(answer: &Value) -> bool {
    let error = answer.get("error").map(Value::to_string);
    error.is_some_and(|error| error.contains("circuit_breaking_exception"))
}

/// Takes the reasons out of a server's answer that is an error.
fn refusal(answer: Value) -> Answer {
    let Some(error) = answer.get("error") else {
        return Ok(answer);
    };
    let mut reasons = Vec::new();
    gather(error, &mut reasons);
    Err(reasons.join(": "))
}

fn gather(error: &Value, reasons: &mut Vec<String>) {
    match error {
        Value::Object(members) => {
            for (key, value) in members {
                match (&**key, value) {
                    ("type" | "reason", Value::String(text)) if !reasons.contains(text) => {
                        reasons.push(text.clone());
                    }
                    ("type" | "reason" | "root_cause" | "caused_by" | "failed_shards", value) => {
                        gather(value, reasons);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(errors) => errors.iter().for_each(|error| gather(error, reasons)),
        _ => {}
    }
}

/// Mappings are the same, but for what a server says of itself by writing out a default.
fn assert_same_fields(server: &Value, own: &Value, at: &str) {
    let empty = json!({});
    let properties = |mapping: &Value| {
        let properties = mapping.get("properties").unwrap_or(&empty);
        properties.as_object().unwrap().clone()
    };
    let (server, own) = (properties(server), properties(own));
    let names = |fields: &serde_json::Map<String, Value>| {
        let mut names: Vec<String> = fields.keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&server), names(&own), "{at}");
    for (name, field) in &server {
        let at = format!("{at}.{name}");
        let without = |field: &Value| {
            let mut field = field.clone();
            let members = field.as_object_mut().unwrap();
            members.remove("properties");
            // What an object is anyway, and what only OpenSearch writes.
            members.retain(|key, value| {
                !(key == "type" && value == "object") && key != "print_format"
            });
            if let Some(dynamic @ Value::Bool(_)) = members.get_mut("dynamic") {
                *dynamic = dynamic.to_string().into();
            }
            field
        };
        assert_eq!(without(field), without(&own[name]), "{at}");
        assert_same_fields(field, &own[name], &at);
    }
}
