//! Temporary folders.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::{Error, running::random};

/// A folder of ours alone, deleted with all that is in it when this is dropped.
#[derive(Debug)]
pub(crate) struct TempFolder {
    path: PathBuf,
    keep: bool,
}

impl TempFolder {
    /// Makes one whose name begins so.
    pub fn new(parent: &Path, prefix: &str) -> Result<TempFolder, Error> {
        let path = parent.join(format!("{prefix}{}", random()));
        // It is made, and not taken as it is, so that no other user can have made it.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(Error::io("make the folder", &path))?;
        Ok(TempFolder { path, keep: false })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        if !self.keep {
            // It may have been deleted by whom it was made for.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_unless_it_is_kept() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let make = || TempFolder::new(parent.path(), "x-").expect("it can be made");
        let (gone, kept) = (make(), make());
        let paths = [gone.path().to_owned(), kept.path().to_owned()];
        drop(gone);
        kept.keep();
        assert_eq!(paths.map(|path| path.is_dir()), [false, true]);
    }
}
