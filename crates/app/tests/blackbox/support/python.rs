//! Clients written in Python: a virtual environment with what `tests/requirements.txt` names, made once and kept
//! under `target/`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::program::{finish, text};
use super::tell;

const REQUIREMENTS: &str = include_str!("../../../../../tests/requirements.txt");

const HINT: &str = "install it with `cargo xtask setup --install`";

/// A file of the folder `tests` at the root of the repository.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests")
        .join(name)
}

/// The folder with the programs of the environment.
pub async fn programs() -> PathBuf {
    let python = ask(&["--version"]).await;
    let mut hash = DefaultHasher::new();
    (REQUIREMENTS, &python).hash(&mut hash);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = cache.join(format!("python-{:016x}", hash.finish()));
    fs::create_dir_all(cache).expect("a folder under target/");
    let lock = File::create(folder.with_extension("lock")).expect("a lock under target/");
    // Tests are processes: one makes the environment, the others wait for it.
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _lock = lock.expect("a thread").expect("a lock under target/");
    let complete = folder.join("complete");
    if !complete.exists() {
        make(&folder).await;
        fs::write(&complete, "").expect("a file under target/");
    }
    folder.join("bin")
}

async fn make(folder: &Path) {
    tell(format!("making {} for the clients in Python", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).expect("an unfinished environment is removed");
    }
    ask(&["-m", "venv", text(folder)]).await;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        text(&script("requirements.txt")),
    ]);
    let said = finish(piped(pip), None).await;
    assert_eq!(
        said.code, 0,
        "pip could not install tests/requirements.txt: {}",
        said.err
    );
}

async fn ask(arguments: &[&str]) -> String {
    let mut command = Command::new("python3");
    command.args(arguments);
    let present = std::process::Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output();
    match present {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "python3 has no venv: {HINT} ({})",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("there is no python3: {HINT} ({error})"),
    }
    let said = finish(piped(command), None).await;
    assert_eq!(said.code, 0, "python3 {arguments:?} failed; {HINT}: {}", said.err);
    said.out
}

/// A command whose output is wanted, and that goes when the test goes.
pub fn piped(mut command: Command) -> Command {
    use std::process::Stdio;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
