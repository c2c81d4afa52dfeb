//! The files of an index, as Tantivy reads them.
//!
//! Columns are looked at here and there, and are mapped into memory. The texts of documents are not: a scan would in time hold
//! all of them there. They are read block by block, but for merges, which copy them as a whole.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, WatchCallback,
    WatchHandle, WritePtr,
};

/// The most bytes that are read at once; a block of documents has less.
const MOST_READ: usize = 1 << 20;

/// A folder with files of an index.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    mapped: MmapDirectory,
    folder: PathBuf,
}

impl Files {
    pub(crate) fn open(folder: &Path) -> Result<Files, tantivy::TantivyError> {
        Ok(Files {
            mapped: MmapDirectory::open(folder)?,
            folder: folder.to_owned(),
        })
    }
}

/// A file with documents.
#[derive(Debug)]
struct Documents {
    file: File,
    mapped: Arc<dyn FileHandle>,
}

impl HasLen for Documents {
    fn len(&self) -> usize {
        self.mapped.len()
    }
}

impl FileHandle for Documents {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.len() > MOST_READ {
            return self.mapped.read_bytes(range);
        }
        let mut bytes = vec![0; range.len()];
        self.file.read_exact_at(&mut bytes, range.start as u64)?;
        Ok(OwnedBytes::new(bytes))
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let mapped = self.mapped.get_file_handle(path)?;
        if path
            .extension()
            .is_none_or(|extension| extension != "store")
        {
            return Ok(mapped);
        }
        let file = File::open(self.folder.join(path));
        let file = file.map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?;
        Ok(Arc::new(Documents { file, mapped }))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.mapped.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.mapped.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.mapped.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.mapped.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.mapped.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.mapped.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.mapped.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.mapped.watch(watch_callback)
    }
}
