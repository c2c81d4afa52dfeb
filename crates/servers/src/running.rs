//! A server that runs.

use std::{
    collections::hash_map::RandomState,
    fmt, fs,
    fs::File,
    hash::BuildHasher,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Java, Kind, Process, cache, cache::Jars, folder::TempFolder, java, kinds::OPTIONS,
    process, request,
};

/// How long a server may take until it is ready. It takes some ten seconds; a machine with much else to do takes longer.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often a server is asked whether it is ready.
const TICK: Duration = Duration::from_millis(200);

/// Ports below those that systems give to outgoing connections, so that none takes the port before the server does.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

static NEVER: AtomicBool = AtomicBool::new(false);

/// How a server is started.
pub struct Options<'a> {
    /// Whether a missing Java or Maven is installed: on Debian, by root. By default where `CI=true`.
    pub install: bool,
    /// Is told what is being done, in a few words.
    pub progress: &'a dyn Fn(&str),
    /// Becomes true when the server is wanted no longer.
    pub cancelled: &'a AtomicBool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            install: std::env::var_os("CI").is_some_and(|ci| ci == "true"),
            progress: &|_| {},
            cancelled: &NEVER,
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("install", &self.install)
            .finish_non_exhaustive()
    }
}

/// A server that runs, and is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    kind: &'static Kind,
    java: Java,
    url: String,
    child: Child,
    /// The server ends when this closes.
    lifeline: Option<ChildStdin>,
    /// Its data, its settings, its log; `None` when it was let go.
    home: Option<TempFolder>,
}

/// Starts the first of these servers that this machine has a Java for; when it has none for any, the last, whose Java is then
/// installed if `options` say so.
///
/// # Errors
/// As [`start`]; also [`Error::Unknown`].
pub fn start_first(names: &[&str], options: &Options) -> Result<Running, Error> {
    start(first(names)?, options)
}

/// The kind that [`start_first`] starts.
pub(crate) fn first(names: &[&str]) -> Result<&'static Kind, Error> {
    let mut last = Kind::named("");
    for name in names {
        let kind = Kind::named(name)?;
        if Java::find(&kind.java).is_some() {
            return Ok(kind);
        }
        last = Ok(kind);
    }
    last
}

/// Starts a server and waits until it is ready.
///
/// # Errors
/// [`Error::Missing`] when this machine lacks Java, Maven or the jars; any other when the server could have been there.
pub fn start(kind: &'static Kind, options: &Options) -> Result<Running, Error> {
    let lock = cache::lock(options.progress, options.cancelled)?;
    let java = java::tools(kind, options.install, options.progress, options.cancelled)?;
    let jars = cache::jars(kind, &java, options.progress, options.cancelled)?;
    drop(lock);
    (options.progress)(&format!("starting {} on Java {}", kind.title(), java.major));
    let (mut running, cluster) = Running::spawn(kind, java, &jars)?;
    running.wait(&cluster, options)?;
    Ok(running)
}

impl Running {
    /// Starts the process; the name of its cluster is one that no other server has.
    fn spawn(kind: &'static Kind, java: Java, jars: &Jars) -> Result<(Running, String), Error> {
        let prefix = format!("sigtag-{}-", kind.name);
        let home = TempFolder::new(&std::env::temp_dir(), &prefix)?;
        let log_path = log_path(home.path());
        let log = File::create(&log_path).map_err(Error::io("make", &log_path))?;
        let log_too = log.try_clone().map_err(Error::io("write", &log_path))?;
        let (port, transport) = (free_port()?, free_port()?);
        let cluster = format!("sigtag-{}", random());
        // Elasticsearch's modules want their own temporary folder before our part of it makes any.
        let tmp = home.path().join("tmp");
        fs::create_dir(&tmp).map_err(Error::io("make the folder", &tmp))?;

        let program = java.program("java");
        let mut child = Command::new(&program)
            .args(java_options(kind, java.major, home.path(), jars))
            .args(["-cp", &jars.class_path(), "Main", "--home"])
            .arg(home.path())
            .args(settings(kind, port, transport, &cluster))
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(log_too)
            .current_dir(home.path())
            // What the terminal sends to us is for us to pass on.
            .process_group(0)
            .spawn()
            .map_err(Error::io("run", &program))?;
        let running = Running {
            kind,
            java,
            url: format!("http://127.0.0.1:{port}"),
            lifeline: child.stdin.take(),
            child,
            home: Some(home),
        };
        Ok((running, cluster))
    }

    fn wait(&mut self, cluster: &str, options: &Options) -> Result<(), Error> {
        let started = Instant::now();
        let mut told = 0;
        while started.elapsed() < PATIENCE {
            if options.cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            if let Some(output) = self.ended() {
                let server = self.kind.title();
                return Err(Error::Ended { server, output });
            }
            if self.is_ready(cluster) {
                return Ok(());
            }
            let tens = started.elapsed().as_secs() / 10;
            if tens > told {
                (options.progress)(&format!("not ready after {tens}0 s"));
                told = tens;
            }
            thread::sleep(TICK);
        }
        Err(Error::TooSlow {
            server: self.kind.title(),
            seconds: PATIENCE.as_secs(),
            output: self.last_words(),
        })
    }

    fn is_ready(&self, cluster: &str) -> bool {
        let health = format!(
            "{}/_cluster/health?wait_for_status=yellow&timeout=1s",
            self.url
        );
        request("GET", &health, None, Duration::from_secs(5)).is_ok_and(|answer| {
            answer.status == 200
                && answer.body["cluster_name"] == cluster
                && answer.body["timed_out"] == false
        })
    }

    /// The last lines of its log, if it has ended by itself.
    pub fn ended(&mut self) -> Option<String> {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)) | Err(_));
        ended.then(|| self.last_words())
    }

    fn last_words(&self) -> String {
        let log = fs::read(log_path(self.home())).unwrap_or_default();
        process::last_lines(&String::from_utf8_lossy(&log))
    }

    fn home(&self) -> &Path {
        self.home.as_ref().map_or(Path::new(""), TempFolder::path)
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which server it is.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The Java that it runs on.
    pub fn java(&self) -> &Java {
        &self.java
    }

    /// Its process and its folder.
    pub fn process(&self) -> Process {
        Process {
            pid: self.child.id(),
            home: self.home().to_owned(),
        }
    }

    /// Lets it go: from now on only [`Process::stop`] ends it.
    ///
    /// # Errors
    /// When it has ended meanwhile.
    pub fn detach(mut self) -> Result<Process, Error> {
        let process = self.process();
        if let Some(mut lifeline) = self.lifeline.take() {
            lifeline
                .write_all(b".")
                .map_err(Error::io("write to the server of", &process.home))?;
        }
        if let Some(home) = self.home.take() {
            home.keep();
        }
        Ok(process)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without its folder it is no longer ours. What it holds is thrown away, so that it need not end in order.
        if self.home.is_some() {
            process::end(&mut self.child);
        }
    }
}

fn log_path(home: &Path) -> PathBuf {
    home.join("server.log")
}

fn java_options(kind: &Kind, java: u32, home: &Path, jars: &Jars) -> Vec<String> {
    let log = cache::sources().join("log4j2.properties");
    let own = kind.options.iter();
    let own = own.filter(|(versions, _)| versions.contains(&java));
    OPTIONS
        .iter()
        .chain(own.map(|(_, option)| option))
        .map(|option| {
            option
                .replace("{home}", &home.to_string_lossy())
                .replace("{jars}", &jars.folder.to_string_lossy())
                .replace("{classes}", &jars.classes.to_string_lossy())
        })
        .chain([format!("-Dlog4j2.configurationFile={}", log.display())])
        .collect()
}

/// The settings of a cluster of one node that only this machine can reach, and that neither a full disk stops nor garbage that
/// its small heap still holds.
fn settings(kind: &Kind, port: u16, transport: u16, cluster: &str) -> Vec<String> {
    [
        ("cluster.name", cluster),
        ("node.name", "node"),
        ("node.roles", &format!("{},data,ingest", kind.manager)),
        ("node.processors", "2"),
        ("discovery.type", "single-node"),
        ("network.host", "127.0.0.1"),
        ("http.port", &port.to_string()),
        ("transport.port", &transport.to_string()),
        ("cluster.routing.allocation.disk.threshold_enabled", "false"),
        ("indices.breaker.total.use_real_memory", "false"),
    ]
    .into_iter()
    .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
    .collect()
}

fn free_port() -> Result<u16, Error> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let width = u64::from(PORTS.end - PORTS.start);
    (0..100)
        .map(|_| PORTS.start + u16::try_from(random_number() % width).unwrap_or(0))
        .find(is_free)
        .ok_or_else(|| Error::Io {
            what: "cannot find a free port".into(),
            source: std::io::ErrorKind::AddrInUse.into(),
        })
}

fn random_number() -> u64 {
    // Each state is seeded anew.
    RandomState::new().hash_one(std::process::id())
}

/// Eight random hexadecimal digits.
pub(crate) fn random() -> String {
    format!("{:08x}", random_number() >> 32)
}
