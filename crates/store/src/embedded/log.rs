//! The log: what makes a write safe before the index has it.
//!
//! A log is a folder of numbered files. A file begins with a header that holds a random mark, and goes on with frames, each
//! of which is written and synced before the next one is begun:
//!
//! ```text
//! header  "SGTGLOG1", mark (16 bytes), checksum (4)
//! frame   mark (16), offset of the frame (8), length (4), checksum of offset, length and content (4), content
//! content writes, one after the other: kind (1), sequence number (8), version (8), id and source, each after its length (4)
//! ```
//!
//! All numbers are little-endian, checksums are CRC-32. So a frame that cannot be read is the last one and was never
//! acknowledged, unless a good one follows it: a torn end is cut, and damage before it is an error. The mark keeps documents
//! from posing as frames.

use crate::StoreError;
use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"SGTGLOG1";
const MARK: usize = 16;
const HEADER: u64 = 28;
const FRAME: usize = MARK + 16;

/// A write as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq_no: u64,
    pub(crate) version: u64,
    pub(crate) id: String,
    /// The new text; none if the document goes.
    pub(crate) source: Option<Vec<u8>>,
}

/// The file that is written to.
pub(crate) struct Log {
    folder: PathBuf,
    number: u64,
    file: File,
    mark: [u8; MARK],
    end: u64,
}

/// Bytes that nobody can foresee.
pub(crate) fn random() -> [u8; 16] {
    let word = || RandomState::new().build_hasher().finish().to_le_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&word());
    bytes[8..].copy_from_slice(&word());
    bytes
}

/// Makes the entries of a folder safe.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::io(folder))
}

impl Log {
    /// Begins the file `number`.
    pub(crate) fn create(folder: &Path, number: u64) -> Result<Log, StoreError> {
        let path = path_of(folder, number);
        let mark = random();
        let mut header = [&MAGIC[..], &mark].concat();
        header.extend(crc32fast::hash(&header).to_le_bytes());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&header)?;
                file.sync_all()?;
                Ok(file)
            })
            .map_err(StoreError::io(&path))?;
        sync_folder(folder)?;
        Ok(Log {
            folder: folder.to_owned(),
            number,
            file,
            mark,
            end: HEADER,
        })
    }

    /// Reads the files from `first` on, gives each entry to `replay`, cuts what was torn, and goes on behind it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where something is missing that had been synced.
    pub(crate) fn open(
        folder: &Path,
        first: u64,
        replay: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<Log, StoreError> {
        remove_before(folder, first)?;
        let numbers = numbers(folder)?;
        if numbers.first() != Some(&first) {
            return Err(StoreError::Damaged {
                path: path_of(folder, first),
                reason: "the file is missing".to_owned(),
            });
        }
        let mut last = first;
        let mut torn: Option<(PathBuf, u64)> = None;
        let mut whole = None;
        for number in &numbers {
            last = *number;
            let path = path_of(folder, last);
            let mut file = File::open(&path).map_err(StoreError::io(&path))?;
            let mut reader = FrameReader::new(&path, &mut file)?;
            if let Some((path, at)) = &torn
                && reader.has_frame_from(HEADER)?
            {
                return Err(damaged(path, *at));
            }
            if torn.is_some() {
                continue;
            }
            while let Some(content) = reader.next()? {
                let entries = entries(&content).ok_or_else(|| damaged(&path, reader.at))?;
                entries.into_iter().try_for_each(&mut *replay)?;
            }
            if reader.at < reader.length {
                if reader.has_frame_from(reader.at + 1)? {
                    return Err(damaged(&path, reader.at));
                }
                torn = Some((path.clone(), reader.at));
            }
            whole = reader.mark.map(|mark| (mark, reader.at));
        }
        if let Some((path, at)) = torn {
            let file = OpenOptions::new().write(true).open(&path);
            file.and_then(|file| {
                file.set_len(at)?;
                file.sync_all()
            })
            .map_err(StoreError::io(&path))?;
            return Log::create(folder, last + 1);
        }
        let Some((mark, end)) = whole else {
            return Log::create(folder, last + 1);
        };
        let path = path_of(folder, last);
        let mut file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(StoreError::io(&path))?;
        file.seek(SeekFrom::Start(end))
            .map_err(StoreError::io(&path))?;
        Ok(Log {
            folder: folder.to_owned(),
            number: last,
            file,
            mark,
            end,
        })
    }

    /// The number of the file that is written to.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Writes entries in one frame and waits until they are safe.
    ///
    /// # Errors
    /// [`StoreError::Io`]: whether they are safe is not known then, and the log must not be used any more.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut frame = vec![0; FRAME];
        for entry in entries {
            frame.push(u8::from(entry.source.is_none()));
            frame.extend(entry.seq_no.to_le_bytes());
            frame.extend(entry.version.to_le_bytes());
            for part in [entry.id.as_bytes(), entry.source.as_deref().unwrap_or(&[])] {
                frame.extend((part.len() as u32).to_le_bytes());
                frame.extend(part);
            }
        }
        let length = (frame.len() - FRAME) as u32;
        frame[..MARK].copy_from_slice(&self.mark);
        frame[MARK..MARK + 8].copy_from_slice(&self.end.to_le_bytes());
        frame[MARK + 8..MARK + 12].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&frame[MARK..MARK + 12], &frame[FRAME..]);
        frame[MARK + 12..FRAME].copy_from_slice(&sum.to_le_bytes());
        let written = self.file.write_all(&frame);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(StoreError::io(path_of(&self.folder, self.number)))?;
        self.end += frame.len() as u64;
        Ok(())
    }

    /// Goes on in a new file, and says its number: what is in those before it can be [removed](Log::forget) once the index
    /// has it.
    pub(crate) fn rotate(&mut self) -> Result<u64, StoreError> {
        *self = Log::create(&self.folder, self.number + 1)?;
        Ok(self.number)
    }

    /// Removes the files before the one that is written to.
    pub(crate) fn forget(&self) -> Result<(), StoreError> {
        remove_before(&self.folder, self.number)
    }
}

/// Reads the frames of a file.
struct FrameReader<'f> {
    path: &'f Path,
    file: &'f mut File,
    length: u64,
    mark: Option<[u8; MARK]>,
    /// Where the next frame begins.
    at: u64,
}

impl<'f> FrameReader<'f> {
    fn new(path: &'f Path, file: &'f mut File) -> Result<FrameReader<'f>, StoreError> {
        let length = file.metadata().map_err(StoreError::io(path))?.len();
        let mut reader = FrameReader {
            path,
            file,
            length,
            mark: None,
            at: 0,
        };
        if let Some(header) = reader.read(0, HEADER)? {
            let (content, sum) = header.split_at(HEADER as usize - 4);
            let is_whole = sum == crc32fast::hash(content).to_le_bytes();
            if let Some(mark) = content.strip_prefix(MAGIC)
                && is_whole
            {
                reader.mark = mark.try_into().ok();
                reader.at = HEADER;
            }
        }
        Ok(reader)
    }

    /// The bytes from `at` on, if there are so many.
    fn read(&mut self, at: u64, length: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if at.checked_add(length).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(StoreError::io(self.path))?;
        Ok(Some(bytes))
    }

    /// The content of the frame at `at`, if there is a good one.
    fn frame(&mut self, at: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(head) = self.read(at, FRAME as u64)? else {
            return Ok(None);
        };
        let own = head[MARK..MARK + 8] == at.to_le_bytes();
        if self.mark.is_none_or(|mark| head[..MARK] != mark) || !own {
            return Ok(None);
        }
        let length = number(&head[MARK + 8..MARK + 12]);
        let content = self.read(at + FRAME as u64, length)?;
        let sum = &head[MARK + 12..FRAME];
        Ok(
            content
                .filter(|content| checksum(&head[MARK..MARK + 12], content).to_le_bytes() == sum),
        )
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let content = self.frame(self.at)?;
        if let Some(content) = &content {
            self.at += (FRAME + content.len()) as u64;
        }
        Ok(content)
    }

    /// Whether a good frame begins at `from` or behind it.
    fn has_frame_from(&mut self, from: u64) -> Result<bool, StoreError> {
        const CHUNK: u64 = 1 << 20;
        let Some(mark) = self.mark else {
            return Ok(false);
        };
        let mut at = from;
        while at < self.length {
            let length = (CHUNK + MARK as u64).min(self.length - at);
            let chunk = self.read(at, length)?.unwrap_or_default();
            for (place, window) in chunk.windows(MARK).enumerate() {
                if window == mark && self.frame(at + place as u64)?.is_some() {
                    return Ok(true);
                }
            }
            at += CHUNK;
        }
        Ok(false)
    }
}

fn damaged(path: &Path, at: u64) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        reason: format!("byte {at} begins something that was written whole and is not any more"),
    }
}

fn checksum(head: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(content);
    hasher.finalize()
}

/// A number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Takes a content apart; none if it is not one.
fn entries(content: &[u8]) -> Option<Vec<Entry>> {
    let mut rest = content;
    let mut take = |length: usize| -> Option<&[u8]> {
        let (part, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(part)
    };
    let mut entries = Vec::new();
    while let Some(kind) = take(1) {
        let is_gone = kind == [1];
        let seq_no = number(take(8)?);
        let version = number(take(8)?);
        let length = number(take(4)?) as usize;
        let id = String::from_utf8(take(length)?.to_vec()).ok()?;
        let length = number(take(4)?) as usize;
        let source = take(length)?.to_vec();
        entries.push(Entry {
            seq_no,
            version,
            id,
            source: (!is_gone).then_some(source),
        });
    }
    Some(entries)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016}.log"))
}

/// The numbers of the files, from the lowest on.
fn numbers(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(folder).map_err(StoreError::io(folder))? {
        let name = file.map_err(StoreError::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn remove_before(folder: &Path, first: u64) -> Result<(), StoreError> {
    for number in numbers(folder)?
        .into_iter()
        .filter(|number| *number < first)
    {
        let path = path_of(folder, number);
        fs::remove_file(&path).map_err(StoreError::io(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq_no: u64) -> Entry {
        Entry {
            seq_no,
            version: 1,
            id: format!("id {seq_no}"),
            source: (seq_no % 3 != 2).then(|| format!("{{\"n\":{seq_no}}}").into_bytes()),
        }
    }

    fn read(folder: &Path) -> Result<Vec<u64>, StoreError> {
        let mut seen = Vec::new();
        Log::open(folder, 1, &mut |found| {
            assert_eq!(found, entry(found.seq_no));
            seen.push(found.seq_no);
            Ok(())
        })?;
        Ok(seen)
    }

    /// Three frames of two entries in the first file, one frame in the second.
    fn write(folder: &Path) -> Vec<u64> {
        let mut log = Log::create(folder, 1).unwrap();
        let mut ends = vec![log.end];
        for first in [0, 2, 4] {
            log.append(&[entry(first), entry(first + 1)]).unwrap();
            ends.push(log.end);
        }
        ends
    }

    #[test]
    fn what_was_written_is_read_also_across_files() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        assert_eq!(read(folder.path()).unwrap(), [0, 1, 2, 3, 4, 5]);
        let mut log = Log::open(folder.path(), 1, &mut |_| Ok(())).unwrap();
        log.append(&[entry(6)]).unwrap();
        log.rotate().unwrap();
        log.append(&[entry(7)]).unwrap();
        assert_eq!(read(folder.path()).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        log.forget().unwrap();
        assert!(matches!(
            read(folder.path()),
            Err(StoreError::Damaged { .. })
        ));
    }

    #[test]
    fn a_torn_end_is_cut_wherever_it_is_torn() {
        let whole = tempfile::tempdir().unwrap();
        let ends = write(whole.path());
        let bytes = fs::read(path_of(whole.path(), 1)).unwrap();
        for length in 0..=bytes.len() {
            let folder = tempfile::tempdir().unwrap();
            fs::write(path_of(folder.path(), 1), &bytes[..length]).unwrap();
            let frames = ends.iter().filter(|end| **end <= length as u64).count();
            let expected: Vec<u64> = (0..frames.saturating_sub(1) as u64 * 2).collect();
            assert_eq!(read(folder.path()).unwrap(), expected, "{length}");
            assert_eq!(read(folder.path()).unwrap(), expected, "{length}, again");
        }
    }

    #[test]
    fn damage_before_the_end_is_refused() {
        let whole = tempfile::tempdir().unwrap();
        let ends = write(whole.path());
        let bytes = fs::read(path_of(whole.path(), 1)).unwrap();
        let last = ends[2] as usize;
        for at in ends[0] as usize..bytes.len() {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x20;
            fs::write(path_of(folder.path(), 1), bytes).unwrap();
            match read(folder.path()) {
                Ok(seen) => assert!(at >= last && seen == [0, 1, 2, 3], "{at}"),
                Err(error) => assert!(
                    at < last && matches!(error, StoreError::Damaged { .. }),
                    "{at}"
                ),
            }
        }
    }
}
