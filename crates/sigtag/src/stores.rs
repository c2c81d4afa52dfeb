//! Stores on the command line.

use crate::{Exit, show};
use std::path::Path;
use store::{Embedded, Store, StoreError};

/// Opens a store that is there, to write to it.
pub(crate) fn to_write(folder: &Path) -> Result<Embedded, StoreError> {
    // What opens a store to write would make one.
    Embedded::open_to_read(folder)?;
    Embedded::open(folder)
}

/// Does `work` with a store, and closes it. Errors have been shown.
pub(crate) fn with<T>(
    store: Result<Embedded, StoreError>,
    work: impl AsyncFnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Result<T, Exit> {
    let done = store.and_then(|store| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|source| StoreError::Io {
            path: "the runtime".into(),
            source,
        })?;
        let done = runtime.block_on(work(&store));
        // The first thing that went wrong is told.
        let closed = store.close();
        done.and_then(|done| closed.map(|()| done))
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
