//! Which servers there are.

use std::ops::RangeInclusive;

use crate::Error;

/// One server that can be started.
#[derive(Debug)]
pub struct Kind {
    /// What it is asked for by: the product and its major version.
    pub name: &'static str,
    /// The product, as people write it.
    pub product: &'static str,
    /// The version that is started.
    pub version: &'static str,
    /// The versions of Java that it runs on.
    pub java: RangeInclusive<u32>,
    /// Debian's packages with a Java for it, the one to be taken first.
    pub packages: &'static [&'static str],
    /// Its folder in `xtask/servers`, with a `pom.xml`.
    pub(crate) folder: &'static str,
    /// What the POM needs to know besides the version.
    pub(crate) properties: &'static [(&'static str, &'static str)],
    /// What is compiled: the folder of the classes, and the files in `xtask/servers`. The classes in `main` are started.
    pub(crate) classes: &'static [(&'static str, &'static [&'static str])],
    /// Options of Java, each for some of its versions. `{home}`, `{jars}` and `{classes}` stand for folders: this server's,
    /// that of its jars, and that of our classes.
    pub(crate) options: &'static [(RangeInclusive<u32>, &'static str)],
    /// The role that a node has to have to elect itself.
    pub(crate) manager: &'static str,
}

impl Kind {
    /// The kind of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`], which names those that there are.
    pub fn named(name: &str) -> Result<&'static Kind, Error> {
        KINDS
            .iter()
            .find(|kind| kind.name == name)
            .ok_or_else(|| Error::Unknown {
                name: name.into(),
                known: KINDS
                    .iter()
                    .map(|kind| kind.name)
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// Product and version, for people.
    pub fn title(&self) -> String {
        format!("{} {}", self.product, self.version)
    }
}

/// No version of Java is known that is too new.
const ANY: u32 = u32::MAX;

const OLD_JAVA: &[&str] = &["openjdk-17-jdk-headless", "openjdk-21-jdk-headless"];
const NEW_JAVA: &[&str] = &["openjdk-21-jdk-headless", "openjdk-25-jdk-headless"];

const OPENSEARCH: &[(&str, &[&str])] = &[("main", &["Lifetime.java", "opensearch/Main.java"])];
const ELASTICSEARCH_7: &[(&str, &[&str])] =
    &[("main", &["Lifetime.java", "elasticsearch-7/Main.java"])];
const ELASTICSEARCH_8: &[(&str, &[&str])] = &[
    ("main", &["Lifetime.java", "elasticsearch/Main.java"]),
    (
        "shim",
        &[
            "elasticsearch/shim/ShimPlugin.java",
            "elasticsearch/shim/v8/Compat.java",
        ],
    ),
];
const ELASTICSEARCH_9: &[(&str, &[&str])] = &[
    ("main", &["Lifetime.java", "elasticsearch/Main.java"]),
    (
        "shim",
        &[
            "elasticsearch/shim/ShimPlugin.java",
            "elasticsearch/shim/v9/Compat.java",
        ],
    ),
];

/// What every server is started with: little memory, and one thread to collect it.
pub(crate) const OPTIONS: &[&str] = &[
    "-Xms256m",
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-XX:MaxDirectMemorySize=256m",
    "-Djava.awt.headless=true",
    "-Djava.io.tmpdir={home}/tmp",
    "-Dfile.encoding=UTF-8",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dio.netty.allocator.numDirectArenas=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
];

/// Elasticsearch 8 and 9 look for their native libraries where their start script would have put them.
const ELASTICSEARCH_OPTIONS: &[(RangeInclusive<u32>, &str)] = &[
    (0..=ANY, "-Dtransport={jars}/transport-netty4"),
    (0..=ANY, "-Dshim={classes}/shim"),
    (0..=ANY, "-Djna.nosys=true"),
    (0..=ANY, "-Djava.library.path={home}/lib/platform:/usr/lib"),
    (0..=ANY, "-Djna.library.path={home}/lib/platform"),
    (0..=ANY, "-Des.nativelibs.path={home}/lib/platform"),
    (0..=ANY, "-Des.path.home={home}"),
    (0..=ANY, "-Des.path.conf={home}/config"),
    (0..=ANY, "-Des.distribution.type=tar"),
    (0..=ANY, "-Des.networkaddress.cache.ttl=60"),
    (
        0..=ANY,
        "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
    ),
    (0..=ANY, "--add-opens=java.base/java.io=ALL-UNNAMED"),
    (0..=20, "-Djava.security.manager=allow"),
    (21..=ANY, "--enable-native-access=ALL-UNNAMED"),
    (23..=ANY, "--sun-misc-unsafe-memory-access=allow"),
];

/// Every server that can be started, newest first within a product.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "opensearch-3",
        product: "OpenSearch",
        version: "3.5.0",
        java: 21..=ANY,
        packages: NEW_JAVA,
        folder: "opensearch",
        properties: &[("log4j.version", "2.25.3")],
        classes: OPENSEARCH,
        options: &[
            (0..=ANY, "--enable-native-access=ALL-UNNAMED"),
            (0..=ANY, "--add-modules=jdk.incubator.vector"),
            (23..=ANY, "--sun-misc-unsafe-memory-access=allow"),
        ],
        manager: "cluster_manager",
    },
    Kind {
        name: "opensearch-2",
        product: "OpenSearch",
        version: "2.19.1",
        java: 11..=ANY,
        packages: OLD_JAVA,
        folder: "opensearch",
        properties: &[("log4j.version", "2.21.0")],
        classes: OPENSEARCH,
        options: &[(23..=ANY, "--sun-misc-unsafe-memory-access=allow")],
        manager: "cluster_manager",
    },
    Kind {
        name: "elasticsearch-9",
        product: "Elasticsearch",
        version: "9.2.0",
        java: 21..=ANY,
        packages: NEW_JAVA,
        folder: "elasticsearch",
        properties: &[],
        classes: ELASTICSEARCH_9,
        options: ELASTICSEARCH_OPTIONS,
        manager: "master",
    },
    Kind {
        name: "elasticsearch-8",
        product: "Elasticsearch",
        version: "8.19.0",
        java: 17..=ANY,
        packages: OLD_JAVA,
        folder: "elasticsearch",
        properties: &[],
        classes: ELASTICSEARCH_8,
        options: ELASTICSEARCH_OPTIONS,
        manager: "master",
    },
    Kind {
        name: "elasticsearch-7",
        product: "Elasticsearch",
        version: "7.17.29",
        java: 11..=ANY,
        packages: OLD_JAVA,
        folder: "elasticsearch-7",
        properties: &[],
        classes: ELASTICSEARCH_7,
        options: &[
            (0..=ANY, "-Des.networkaddress.cache.ttl=60"),
            (23..=ANY, "--sun-misc-unsafe-memory-access=allow"),
        ],
        manager: "master",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_every_kind_is_there() {
        let folder = testkit::workspace_root().join("xtask/servers");
        for kind in KINDS {
            let files = kind.classes.iter().flat_map(|(_, files)| *files);
            let pom = format!("{}/pom.xml", kind.folder);
            for file in files.copied().chain([&*pom]) {
                assert!(folder.join(file).is_file(), "{}: {file}", kind.name);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let error = Kind::named("solr").expect_err("there is none").to_string();
        assert!(error.contains("`solr`") && error.contains("elasticsearch-9"));
    }
}
