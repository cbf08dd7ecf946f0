//! A disk that is slow, or fails: a library that stands before `fsync` and `fdatasync`.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use super::program::{Place, finish, text};
use super::python::piped;

/// The library, compiled for this test.
pub struct Shim {
    library: PathBuf,
    flag: PathBuf,
    _folder: TempDir,
}

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int call(const char *name, int file) {
    const char *fails = getenv("TRUNKLINE_TEST_FSYNC_FAILS"), *takes = getenv("TRUNKLINE_TEST_FSYNC_TAKES_MS");
    if (takes) {
        usleep(1000 * atoi(takes));
    }
    if (fails && access(fails, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return next(file);
}

int fsync(int file) { return call("fsync", file); }
int fdatasync(int file) { return call("fdatasync", file); }
"#;

impl Shim {
    pub async fn compile() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (source, library) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
        fs::write(&source, SOURCE).expect("the source of the shim");
        let mut cc = Command::new("cc");
        cc.args([
            "-shared",
            "-fPIC",
            "-O1",
            "-o",
            text(&library),
            text(&source),
            "-ldl",
        ]);
        let said = finish(piped(cc), None).await;
        assert_eq!(said.code, 0, "cc could not compile the shim: {}", said.err);
        Self {
            flag: folder.path().join("fails"),
            library,
            _folder: folder,
        }
    }

    /// The program, with this library.
    pub fn around(&self, place: Place) -> Place {
        place
            .with("LD_PRELOAD", text(&self.library))
            .with("TRUNKLINE_TEST_FSYNC_FAILS", text(&self.flag))
    }

    /// From now on the disk keeps nothing.
    pub fn fail(&self) {
        fs::write(&self.flag, "").expect("the flag");
    }

    /// From now on it works again.
    pub fn work(&self) {
        fs::remove_file(&self.flag).expect("the flag is removed");
    }
}
