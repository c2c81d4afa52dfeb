//! Elasticsearch and OpenSearch, over HTTP.

mod bulk;
mod change;
mod http;
mod indices;
mod scan;
mod template;

use crate::{
    Answer, Capabilities, Checkpoint, Cursor, Document, DocumentId, IndexInfo, Page, Rejected,
    Scan, SearchResponse, Store, StoreError, Write, Written,
};
use http::{Body, Http};
use reqwest::Method;
use scan::{Point, Shard};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a server keeps a point in time between two pages.
const KEEP_ALIVE: &str = "5m";

/// Told of each wait before something is tried again: why, and for how long.
pub type OnWait = Arc<dyn Fn(&str, Duration) + Send + Sync>;

/// How to reach a cluster.
pub struct Access {
    /// The nodes, as `https://host:9200`; they are tried in turn.
    pub urls: Vec<String>,
    /// Who asks.
    pub credentials: Option<Credentials>,
    /// The certificates (PEM) that the servers' are to be signed by, in place of those of the system.
    pub ca: Option<Vec<u8>>,
    /// Take every certificate. Whoever is on the way can then read and change everything.
    pub insecure: bool,
    /// Told of waits.
    pub on_wait: OnWait,
}

/// Who asks. They are never shown.
pub enum Credentials {
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// An API key of Elasticsearch, in the form that it is used in (base64 of `id:key`).
    ApiKey(String),
    /// A token.
    Bearer(String),
}

/// What kind of server a cluster consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Whether it is OpenSearch, and not Elasticsearch.
    pub is_open_search: bool,
    /// Its version, as `8.19.0`.
    pub version: String,
}

/// A cluster of Elasticsearch (7.17 or newer) or OpenSearch (2 or newer).
pub struct Cluster {
    http: Http,
    product: Product,
    known: Mutex<Known>,
}

/// What was learned on the way.
struct Known {
    /// By name.
    indices: HashMap<String, Index>,
    /// By uuid and number.
    shards: HashMap<(String, u32), Shard>,
    /// How many documents a page has.
    page: usize,
    batch: bulk::Batch,
}

/// An index, as far as it is known.
#[derive(Default)]
struct Index {
    uuid: String,
    /// What [`Store::indices`] has said of it.
    listed: Option<Listed>,
}

/// What the settings of an index say.
#[derive(Clone, Copy)]
struct Listed {
    /// How long it takes until searches find what was written.
    lag: Duration,
    /// How many shards there are.
    shards: usize,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            indices: HashMap::new(),
            shards: HashMap::new(),
            page: scan::FIRST_PAGE,
            batch: bulk::Batch::default(),
        }
    }
}

impl Cluster {
    /// Connects to a cluster, and finds out what it is.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Refused`].
    pub async fn connect(access: Access) -> Result<Cluster, StoreError> {
        let http = Http::new(access)?;
        let answer = http.first("/").await?;
        let body: Value = answer.read()?;
        let version = body["version"]["number"].as_str().unwrap_or_default();
        let says = |value: &Value, text: &str| value.as_str().is_some_and(|own| own.contains(text));
        let is_open_search = says(&body["version"]["distribution"], "opensearch")
            || says(&body["tagline"], "OpenSearch");
        let is_elastic = answer.headers.contains_key("x-elastic-product")
            || says(&body["tagline"], "You Know, for Search");
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        let product = Product {
            is_open_search,
            version: version.to_owned(),
        };
        let least = if is_open_search { 2 } else { 7 };
        match major {
            Some(major) if (is_open_search || is_elastic) && least <= major => Ok(Cluster {
                http,
                product,
                known: Mutex::default(),
            }),
            Some(_) if is_open_search || is_elastic => Err(StoreError::Refused {
                what: "to work with sigtag".to_owned(),
                reason: format!(
                    "its version is {version}; Elasticsearch 7.17 or OpenSearch 2 is the oldest \
                     that will do"
                ),
            }),
            _ => Err(StoreError::Refused {
                what: "to say what it is".to_owned(),
                reason: "neither Elasticsearch nor OpenSearch answers there".to_owned(),
            }),
        }
    }

    /// What the cluster consists of.
    pub fn product(&self) -> &Product {
        &self.product
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, shards: &[Shard]) {
        let mut known = self.known();
        for shard in shards {
            let index = known.indices.entry(shard.index.clone()).or_default();
            index.uuid.clone_from(&shard.uuid);
            let kept = known.shards.entry(shard.key());
            let kept = kept.or_insert_with(|| shard.clone());
            // A scan that begins wants to see what is there now.
            (kept.end, kept.checkpoint, kept.point) = (shard.end, shard.checkpoint, None);
        }
    }

    /// The shards of a cursor, if all of them were met in this process.
    fn known_shards(&self, cursor: &Cursor) -> Option<Vec<Shard>> {
        let known = self.known();
        let shards = cursor.indices.iter().map(|position| {
            let shard = known.shards.get(&(position.uuid.clone(), position.shard))?;
            // A cursor that begins where a scan has ended wants what came after it.
            (position.end <= shard.end).then(|| shard.clone())
        });
        shards.collect()
    }

    fn name_of(&self, uuid: &str) -> String {
        let known = self.known();
        let found = known.indices.iter().find(|(_, index)| index.uuid == uuid);
        found.map_or_else(String::new, |(name, _)| format!(" (it was {name})"))
    }

    fn width(&self, shard: &Shard) -> u64 {
        self.known()
            .shards
            .get(&shard.key())
            .map_or(0, |known| known.width)
    }

    fn set_width(&self, shard: &Shard, width: u64) {
        if let Some(known) = self.known().shards.get_mut(&shard.key()) {
            known.width = width;
        }
    }

    fn page_size(&self, most: usize) -> usize {
        self.known().page.min(most)
    }

    fn adapt_page(&self, size: usize, documents: usize, bytes: usize, time: Duration) {
        self.known().page = scan::next_size(size, documents, bytes, time);
    }

    fn lag(&self, index: &str) -> Duration {
        let known = self.known();
        let listed = known.indices.get(index).and_then(|index| index.listed);
        listed.map_or(Duration::MAX, |listed| listed.lag)
    }

    /// The point in time that a shard is read in; none if the index is gone.
    async fn point_in_time(&self, shard: &Shard) -> Result<Option<Point>, StoreError> {
        let known = self.known().shards.get(&shard.key()).cloned();
        if let Some(point) = known.and_then(|known| known.point) {
            return Ok(Some(point));
        }
        let (place, name) = match self.product.is_open_search {
            true => ("_search/point_in_time", "pit_id"),
            false => ("_pit", "id"),
        };
        let path = format!(
            "/{}/{place}?keep_alive={KEEP_ALIVE}&preference=_shards:{}",
            escaped(&shard.index),
            shard.number
        );
        let before = Checkpoint::now(0);
        let answer = self.http.ask(Method::POST, &path, None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let opened: Value = answer.read()?;
        let now = scan::shards_of(self, &shard.index).await?;
        let Some(now) = now.iter().find(|now| now.key() == shard.key()) else {
            return Ok(None);
        };
        let point = Point {
            id: opened[name].as_str().unwrap_or_default().to_owned(),
            end: now.end,
            checkpoint: now.checkpoint,
            before,
        };
        let mut known = self.known();
        if let Some(shard) = known.shards.get_mut(&shard.key()) {
            shard.end = shard.end.max(now.end);
            shard.point = Some(point.clone());
        }
        Ok(Some(point))
    }

    fn forget_point_in_time(&self, shard: &Shard) -> Option<Point> {
        let mut known = self.known();
        known.shards.get_mut(&shard.key())?.point.take()
    }

    /// What is not closed, the server closes some minutes later.
    async fn close_point_in_time(&self, shard: &Shard) {
        if let Some(Point { id, .. }) = self.forget_point_in_time(shard) {
            let (path, body) = match self.product.is_open_search {
                true => ("/_search/point_in_time", json!({"pit_id": [id]})),
                false => ("/_pit", json!({"id": id})),
            };
            let body = Body::Json(body);
            drop(self.http.once(Method::DELETE, path, Some(&body)).await);
        }
    }

    /// Whether an index is still the one that was read.
    async fn is_there(&self, index: &str) -> Result<bool, StoreError> {
        let known = self
            .known()
            .indices
            .get(index)
            .map(|index| index.uuid.clone());
        let Some(uuid) = known else {
            return Ok(true);
        };
        let path = format!(
            "/{}/_settings/index.uuid?flat_settings=true",
            escaped(index)
        );
        let answer = self.http.ask(Method::GET, &path, None).await?;
        if answer.status == 404 {
            return Ok(false);
        }
        let settings: Value = answer.read()?;
        Ok(settings[index]["settings"]["index.uuid"] == json!(uuid))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, StoreError> {
        let body = body.map(Body::Json);
        self.http.ask(method, path, body.as_ref()).await?.read()
    }
}

impl Store for Cluster {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tags_in_place: true,
            durable: true,
            several_writers: true,
            scores: true,
            page: crate::MAX_PAGE,
        }
    }

    fn create<'a>(&'a self, index: &'a str, body: Value) -> Answer<'a, ()> {
        Box::pin(async move {
            crate::names::check(index)?;
            let path = format!("/{}", escaped(index));
            let answer = self
                .http
                .ask(Method::PUT, &path, Some(&Body::Json(body)))
                .await?;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            match body["error"]["type"].as_str() {
                Some("resource_already_exists_exception" | "invalid_index_name_exception")
                    if answer.reason().contains("already exists") =>
                {
                    Err(StoreError::Exists(index.to_owned()))
                }
                _ => answer.read::<Value>().map(drop),
            }
        })
    }

    fn delete<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let names: Vec<String> = indices::all(self, indices)
                .await?
                .into_iter()
                .map(|one| one.name)
                .collect();
            for name in &names {
                self.send(Method::DELETE, &format!("/{}", escaped(name)), None)
                    .await?;
            }
            Ok(names)
        })
    }

    fn indices<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<IndexInfo>> {
        Box::pin(indices::all(self, indices))
    }

    fn alias<'a>(&'a self, alias: &'a str, indices: Vec<String>) -> Answer<'a, ()> {
        Box::pin(async move {
            crate::names::check(alias)?;
            let path = format!("/_alias/{}", escaped(alias));
            let answer = self.http.ask(Method::GET, &path, None).await?;
            let now: Map<String, Value> = match answer.status.as_u16() {
                404 => Map::new(),
                _ => answer.read()?,
            };
            let gone = now.keys().filter(|name| !indices.contains(name));
            let gone = gone.map(|name| json!({"remove": {"index": name, "alias": alias}}));
            let added = indices
                .iter()
                .map(|name| json!({"add": {"index": name, "alias": alias}}));
            let actions: Vec<Value> = gone.chain(added).collect();
            if !actions.is_empty() {
                let body = json!({"actions": actions});
                self.send(Method::POST, "/_aliases", Some(body)).await?;
            }
            Ok(())
        })
    }

    fn put_future_mapping<'a>(
        &'a self,
        indices: &'a str,
        existing: Vec<&'a IndexInfo>,
        mapping: Value,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(template::put(self, indices, existing, mapping))
    }

    fn put_mapping<'a>(&'a self, indices: &'a str, mapping: Value) -> Answer<'a, ()> {
        Box::pin(async move {
            let path = format!("/{}/_mapping", escaped(indices));
            self.send(Method::PUT, &path, Some(mapping)).await.map(drop)
        })
    }

    fn write<'a>(
        &'a self,
        index: &'a str,
        writes: Vec<Write>,
    ) -> Answer<'a, Vec<Result<Written, Rejected>>> {
        Box::pin(bulk::write(self, index, writes))
    }

    fn scan<'a>(&'a self, scan: &'a Scan) -> Answer<'a, Page> {
        Box::pin(scan::page(self, scan))
    }

    fn get<'a>(
        &'a self,
        index: &'a str,
        ids: &'a [DocumentId],
    ) -> Answer<'a, Vec<Option<Document>>> {
        Box::pin(scan::get(self, index, ids))
    }

    fn search<'a>(&'a self, indices: &'a str, request: &'a Value) -> Answer<'a, SearchResponse> {
        Box::pin(async move {
            let path = format!("/{}/_search", escaped(indices));
            let body = Body::Json(request.clone());
            let found: SearchResponse = self
                .http
                .ask(Method::POST, &path, Some(&body))
                .await?
                .read()?;
            match found.timed_out || found.shards.failed > 0 {
                true => Err(StoreError::Refused {
                    what: format!("POST {path}"),
                    reason: format!(
                        "{} of {} shards failed",
                        found.shards.failed, found.shards.total
                    ),
                }),
                false => Ok(found),
            }
        })
    }

    fn count<'a>(&'a self, indices: &'a str, query: &'a Value) -> Answer<'a, u64> {
        Box::pin(async move {
            let path = format!("/{}/_count", escaped(indices));
            let found = self.send(Method::POST, &path, Some(query.clone())).await?;
            match found["_shards"]["failed"].as_u64() {
                Some(0) => Ok(found["count"].as_u64().unwrap_or_default()),
                _ => Err(StoreError::Refused {
                    what: format!("POST {path}"),
                    reason: format!("shards failed: {}", found["_shards"]),
                }),
            }
        })
    }

    fn refresh<'a>(&'a self, indices: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let path = format!("/{}/_refresh", escaped(indices));
            self.send(Method::POST, &path, None).await.map(drop)
        })
    }
}

/// A name that nobody else has.
fn random_id() -> String {
    let random = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", random(), random())
}

/// Names and patterns of indices, as a part of a path.
fn escaped(names: &str) -> String {
    let mut escaped = String::new();
    for byte in names.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b',' | b'~' => {
                escaped.push(char::from(byte));
            }
            byte => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}
