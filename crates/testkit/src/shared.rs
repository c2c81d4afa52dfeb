//! The folder of the shared test data.

use std::{env, path::PathBuf};

use crate::{skip, workspace_root};

/// The shared test data: the folder that `SIGTAG_SHARED` names (a relative path starts at the workspace's root), otherwise the folder
/// `shared` beside the workspace.
///
/// Where there is none the calling test is recorded as skipped, and returns.
///
/// # Panics
/// When `SIGTAG_SHARED` is set but names no folder, and as [`skip`] does.
#[track_caller]
pub fn shared() -> Option<PathBuf> {
    let named = env::var_os("SIGTAG_SHARED").map(PathBuf::from);
    let folder = workspace_root().join(named.as_deref().unwrap_or("../shared".as_ref()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        named.is_none(),
        "SIGTAG_SHARED names no folder: {}",
        folder.display()
    );
    skip(
        "the shared test data is not there",
        "put it into the folder `shared` beside the repository, or name its folder: SIGTAG_SHARED=DIR cargo xtask test",
    );
    None
}

/// A file of the shared test data, by its path in [`shared`]; whether it is there is for the test to find out.
#[track_caller]
pub fn shared_file(path: &str) -> Option<PathBuf> {
    shared().map(|folder| folder.join(path))
}
