//! Stores on the command line.

use crate::arguments::AccessOptions;
use crate::{Exit, show};
use std::env::VarError;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use store::{Access, Cluster, Credentials, Embedded, Store, StoreError};

/// What a command wants of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// To read what is there: all of it as it is at one moment, in however many steps.
    Read,
    /// To change what is there.
    Write,
    /// To write, also if nothing is there.
    Make,
}

/// A store, and who asks if it is a cluster.
pub(crate) struct Place {
    store: String,
    credentials: Option<Credentials>,
}

impl Place {
    /// A folder, or the URL of a cluster. Without credentials, those of the environment are taken.
    pub(crate) fn new(store: String, credentials: Option<Credentials>) -> Place {
        Place { store, credentials }
    }

    /// Its name, in which there is no password.
    pub(crate) fn shown(&self) -> String {
        self.store.clone()
    }
}

/// An open store.
enum Open {
    Folder(Embedded),
    Cluster(Box<Cluster>),
}

/// Does `work` with a store, and closes it. Errors have been shown.
pub(crate) fn with<T>(
    place: &str,
    access: &AccessOptions,
    want: Want,
    work: impl AsyncFnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Result<T, Exit> {
    with_place(Place::new(place.to_owned(), None), access, want, work)
}

/// As [`with`], for a place with credentials of its own.
pub(crate) fn with_place<T>(
    place: Place,
    access: &AccessOptions,
    want: Want,
    work: impl AsyncFnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(|source| StoreError::Io {
            path: "the runtime".into(),
            source,
        })
        .and_then(|runtime| {
            runtime.block_on(async {
                let store = open(place, access, want).await?;
                let done = work(store.store()).await;
                // The first thing that went wrong is told.
                let closed = store.close();
                done.and_then(|done| closed.map(|()| done))
            })
        });
    done.map_err(|error| {
        show::error(&error);
        match error {
            StoreError::Io { .. }
            | StoreError::Damaged { .. }
            | StoreError::Index(_)
            | StoreError::Stopped => Exit::Incomplete,
            _ => Exit::Usage,
        }
    })
}

async fn open(place: Place, access: &AccessOptions, want: Want) -> Result<Open, StoreError> {
    if place.store.contains("://") {
        let mut access = self::access(&place.store, access)?;
        access.credentials = place.credentials.or(access.credentials);
        return Cluster::connect(access)
            .await
            .map(|cluster| Open::Cluster(Box::new(cluster)));
    }
    let folder = Path::new(&place.store);
    let store = match want {
        Want::Read => Embedded::open_snapshot(folder),
        // What opens a store to write would make one.
        Want::Write => Embedded::open_to_read(folder).and_then(|_| Embedded::open(folder)),
        Want::Make => Embedded::open(folder),
    };
    store.map(Open::Folder)
}

fn access(urls: &str, options: &AccessOptions) -> Result<Access, StoreError> {
    let urls = self::urls(urls)?;
    let ca = options.ca.as_ref().map(|file| {
        fs::read(file).map_err(|error| wrong("--ca", format!("{}: {error}", file.display())))
    });
    let ca = ca.transpose()?;
    let credentials = credentials()?;
    if options.insecure {
        show::warning(
            &"--insecure: whoever is on the way to the cluster can read and change everything",
        );
    }
    Ok(Access {
        urls,
        credentials,
        ca,
        insecure: options.insecure,
        on_wait: Arc::new(|reason, time| {
            show::warning(&format!(
                "waiting {:.1} s for the cluster: {reason}",
                time.as_secs_f64()
            ));
        }),
    })
}

/// The nodes that `--store` names.
fn urls(urls: &str) -> Result<Vec<String>, StoreError> {
    // Also in what is no URL: it would be shown.
    if urls.contains('@') {
        return Err(wrong(
            "--store",
            "who asks does not belong into a URL, since everybody on this machine can read the \
             command: set SIGTAG_USER and SIGTAG_PASSWORD, or SIGTAG_PASSWORD_FILE",
        ));
    }
    let urls = urls.split(',').map(str::trim);
    urls.map(|url| {
        let rest = ["http://", "https://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        match rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
            true => Ok(url.trim_end_matches('/').to_owned()),
            false => Err(wrong(
                "--store",
                format!("each node is http://HOST:PORT or https://HOST:PORT, and not `{url}`"),
            )),
        }
    })
    .collect()
}

/// Who asks, as the environment says.
fn credentials() -> Result<Option<Credentials>, StoreError> {
    let user = variable("SIGTAG_USER")?;
    let password = secret("SIGTAG_PASSWORD")?;
    let api_key = secret("SIGTAG_API_KEY")?;
    let bearer = secret("SIGTAG_BEARER")?;
    match (user, api_key, bearer) {
        (None, None, None) if password.is_some() => Err(wrong(
            "SIGTAG_PASSWORD",
            "it is set, but SIGTAG_USER does not say whose it is",
        )),
        (None, None, None) => Ok(None),
        (Some(user), None, None) => {
            let password = password.unwrap_or_default();
            Ok(Some(Credentials::Basic { user, password }))
        }
        (None, Some(key), None) => Ok(Some(Credentials::ApiKey(key))),
        (None, None, Some(token)) => Ok(Some(Credentials::Bearer(token))),
        _ => Err(wrong(
            "the environment",
            "only one of SIGTAG_USER, SIGTAG_API_KEY and SIGTAG_BEARER can say who asks",
        )),
    }
}

/// A variable of the environment; none if it is empty.
fn variable(name: &str) -> Result<Option<String>, StoreError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(wrong(name, "it is not UTF-8")),
    }
}

/// What a variable says, or the file that the variable of the same name with `_FILE` names.
fn secret(name: &str) -> Result<Option<String>, StoreError> {
    let of_file = format!("{name}_FILE");
    let value = variable(name)?;
    let Some(file) = variable(&of_file)? else {
        return Ok(value);
    };
    if value.is_some() {
        let reason = format!("{name} is set, too, and only one of the two can be");
        return Err(wrong(&of_file, reason));
    }
    let failed = |reason: &dyn Display| wrong(&of_file, format!("{file}: {reason}"));
    let text = fs::read_to_string(&file).map_err(|error| failed(&error))?;
    let mode = fs::metadata(&file).map_err(|error| failed(&error))?.mode();
    if mode & 0o004 != 0 {
        show::warning(&format!(
            "{of_file}: everybody on this machine can read {file}"
        ));
    }
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(failed(&"it is empty")),
        secret => Ok(Some(secret.to_owned())),
    }
}

/// What is wrong with how a cluster is to be reached.
fn wrong(at: &str, reason: impl Into<String>) -> StoreError {
    StoreError::Request {
        at: at.to_owned(),
        reason: reason.into(),
    }
}

impl Open {
    fn store(&self) -> &dyn Store {
        match self {
            Open::Folder(store) => store,
            Open::Cluster(cluster) => &**cluster,
        }
    }

    fn close(self) -> Result<(), StoreError> {
        match self {
            Open::Folder(store) => store.close(),
            Open::Cluster(_) => Ok(()),
        }
    }
}
