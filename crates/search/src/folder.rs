//! The folder of the index: who may use it, and whether what is in it can be trusted.
//!
//! - `lock` is locked by the process that uses the folder. It is never deleted: a lock on a file that is gone from
//!   the folder would keep nobody out.
//! - `format` names the version of the index. Another one is deleted and built anew.
//! - `unsettled` is there while files may not have reached the disk, and names the run of the machine.
//! - `index/` is the index.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tantivy::Index;
use tantivy::index::SegmentId;

use crate::SearchError;
use crate::directory::UnsyncedDirectory;
use crate::schema::{schema, tokenizers};
use crate::snapshot::Snapshot;

/// Grows whenever the schema, the terms, the folding of words or the payload change their meaning.
const FORMAT: &str = "trunkline text index, format 2\n";

/// In place of the machine's run: the index is to be checked whatever run it is.
const SUSPECT: &str = "suspect";

/// A folder that this process alone may use, as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, and takes it for this process.
    pub(crate) fn claim(dir: &Path) -> Result<Self, SearchError> {
        fs::create_dir_all(dir).map_err(SearchError::folder("creating", dir))?;
        let path = dir.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = lock.map_err(SearchError::folder("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                dir: dir.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(SearchError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(SearchError::folder("locking", &path)(error)),
        }
    }

    /// How many items are in the index of the folder `dir`; `None` where there is none, or one that the next start
    /// deletes. Nothing is written.
    pub(crate) fn inspect(dir: &Path) -> Result<Option<u64>, SearchError> {
        let path = dir.join("lock");
        let lock = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(SearchError::folder("opening", &path))?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SearchError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(SearchError::folder("locking", &path)(error)),
        }
        let folder = Self {
            dir: dir.to_owned(),
            _lock: lock,
        };
        if folder.untrusted().is_some() {
            return Ok(None);
        }
        let opened =
            UnsyncedDirectory::open(&folder.index()).map_err(SearchError::index("opening its folder"))?;
        let index = Index::open(opened).map_err(SearchError::index("opening it"))?;
        check_files(&index)?;
        let segments = index
            .searchable_segment_metas()
            .map_err(SearchError::index("reading what is in it"))?;
        Ok(Some(
            segments.iter().map(|segment| u64::from(segment.num_docs())).sum(),
        ))
    }

    /// Opens the index, or makes an empty one where there is none or none that can be used.
    pub(crate) fn open_index(&self) -> Result<(Index, Snapshot), SearchError> {
        let found = match self.untrusted() {
            Some(reason) => Err(reason),
            None => self.try_open().map_err(|error| explain(&error)),
        };
        match found {
            Ok(opened) => Ok(opened),
            Err(reason) => {
                if self.index().exists() {
                    tracing::warn!(folder = %self.dir.display(), reason, "the text index is deleted and built anew");
                }
                self.wipe()?;
                self.try_open()
            }
        }
    }

    /// Why the index must not be opened at all, if there is a reason.
    fn untrusted(&self) -> Option<String> {
        match fs::read_to_string(self.dir.join("format")) {
            Ok(format) if format == FORMAT => None,
            Ok(_) => Some("it has the format of another version".to_owned()),
            Err(error) => Some(format!("its format cannot be read: {error}")),
        }
    }

    fn try_open(&self) -> Result<(Index, Snapshot), SearchError> {
        let (path, format) = (self.index(), self.dir.join("format"));
        fs::create_dir_all(&path).map_err(SearchError::folder("creating", &path))?;
        fs::write(&format, FORMAT).map_err(SearchError::folder("writing", &format))?;
        let directory = UnsyncedDirectory::open(&path);
        let directory = directory.map_err(SearchError::index("opening its folder"))?;
        let settings = tantivy::IndexSettings {
            docstore_compress_dedicated_thread: false,
            ..Default::default()
        };
        let builder = Index::builder()
            .schema(schema().0)
            .settings(settings)
            .tokenizers(tokenizers());
        let index = builder
            .open_or_create(directory)
            .map_err(SearchError::index("opening it"))?;
        if self.may_be_torn() {
            check_files(&index)?;
        }
        let snapshot = Snapshot::open(&index)?;
        self.mark(machine_run().as_deref().unwrap_or(SUSPECT))?;
        Ok((index, snapshot))
    }

    /// Whether the machine stopped, or something failed, since the files were last known to be on the disk.
    fn may_be_torn(&self) -> bool {
        match fs::read_to_string(self.unsettled()) {
            Ok(run) => machine_run().is_none_or(|present| present != run),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Has the files checked at the next start.
    pub(crate) fn suspect(&self) {
        if let Err(error) = self.mark(SUSPECT) {
            tracing::warn!(error = %error, "the text index could not be marked for a check");
        }
    }

    fn mark(&self, run: &str) -> Result<(), SearchError> {
        fs::write(self.unsettled(), run).map_err(SearchError::folder("writing", &self.unsettled()))
    }

    /// Brings all files to the disk, so that the next start need not check them. Nobody may write meanwhile.
    pub(crate) fn settle(&self) -> Result<(), SearchError> {
        if fs::read_to_string(self.unsettled()).is_ok_and(|run| run == SUSPECT) && machine_run().is_some() {
            return Ok(());
        }
        let index = self.index();
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        for entry in fs::read_dir(&index).map_err(SearchError::folder("reading", &index))? {
            let path = entry.map_err(SearchError::folder("reading", &index))?.path();
            sync(&path).map_err(SearchError::folder("writing out", &path))?;
        }
        sync(&index).map_err(SearchError::folder("writing out", &index))?;
        remove(&self.unsettled(), fs::remove_file)?;
        sync(&self.dir).map_err(SearchError::folder("writing out", &self.dir))
    }

    /// Deletes files of other segments than these: what a merge or commit left that was cut short. Nobody may write
    /// meanwhile.
    pub(crate) fn keep_only(&self, living: &[SegmentId]) -> Result<(), SearchError> {
        let (index, living) = (
            self.index(),
            living.iter().map(SegmentId::uuid_string).collect::<Vec<_>>(),
        );
        for entry in fs::read_dir(&index).map_err(SearchError::folder("reading", &index))? {
            let path = entry.map_err(SearchError::folder("reading", &index))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let segment = name.split('.').next().unwrap_or_default();
            let of_segment = segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
            if of_segment && !living.iter().any(|id| id == segment) {
                remove(&path, fs::remove_file)?;
            }
        }
        Ok(())
    }

    /// Deletes everything but the lock.
    pub(crate) fn wipe(&self) -> Result<(), SearchError> {
        // The format first: what is left of a deletion that was interrupted is then not taken for an index.
        remove(&self.dir.join("format"), fs::remove_file)?;
        remove(&self.index(), fs::remove_dir_all)?;
        remove(&self.unsettled(), fs::remove_file)
    }

    fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    fn unsettled(&self) -> PathBuf {
        self.dir.join("unsettled")
    }
}

/// Compares every file with its checksum.
fn check_files(index: &Index) -> Result<(), SearchError> {
    let doing = "checking its files";
    let damaged = index.validate_checksum().map_err(SearchError::index(doing))?;
    match damaged.into_iter().next() {
        Some(file) => {
            let torn = tantivy::error::DataCorruption::new(file, "wrong checksum".to_owned());
            Err(SearchError::index(doing)(torn))
        }
        None => Ok(()),
    }
}

fn remove(path: &Path, how: fn(PathBuf) -> io::Result<()>) -> Result<(), SearchError> {
    match how(path.to_owned()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SearchError::folder("deleting", path)(error))
        }
        _ => Ok(()),
    }
}

/// What tells one run of the machine from the next, where the system has such a thing.
fn machine_run() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .filter(|run| !run.is_empty())
}

/// An error and all its causes in one line.
fn explain(error: &SearchError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        line.push_str(": ");
        line.push_str(&source.to_string());
        cause = source.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::claim(dir.path()).unwrap();
        assert!(matches!(
            Folder::claim(dir.path()),
            Err(SearchError::InUse { .. })
        ));
        drop(first);
        Folder::claim(dir.path()).unwrap();
    }

    #[test]
    fn files_are_checked_after_the_machine_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::claim(dir.path()).unwrap();
        folder.open_index().unwrap();
        assert!(!folder.may_be_torn() || machine_run().is_none());
        folder.mark("an earlier run").unwrap();
        assert!(folder.may_be_torn());
        folder.settle().unwrap();
        assert!(!folder.may_be_torn());
        folder.suspect();
        assert!(folder.may_be_torn());
    }
}
