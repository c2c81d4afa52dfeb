//! Stores on the command line.

use crate::arguments::AccessOptions;
use crate::{Exit, credentials, show};
use std::fs;
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
    if is_cluster(&place.store) {
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
    let credentials = credentials::credentials(&options.credentials)?;
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

/// Whether `--store` names a cluster; also if what is wrong with it is that there is no `://`, but who asks.
pub(crate) fn is_cluster(place: &str) -> bool {
    let user = place.split_once('@').map(|(user, _)| user);
    place.contains("://") || user.is_some_and(|user| user.contains(':'))
}

/// The nodes that `--store` names.
pub(crate) fn urls(urls: &str) -> Result<Vec<String>, StoreError> {
    // Also in what is no URL: it would be shown.
    if urls.contains('@') {
        return Err(wrong(
            "--store",
            "who asks does not belong into a URL, which everybody on this machine may read: set \
             SIGTAG_USER and SIGTAG_PASSWORD, or SIGTAG_PASSWORD_FILE, or use `[credentials]` of \
             a --config file",
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

/// What is wrong with how a cluster is to be reached.
pub(crate) fn wrong(at: &str, reason: impl Into<String>) -> StoreError {
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
