//! `cargo xtask setup`: what the tests need beside Rust, and how to get it.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use anyhow::{Result, bail};
use clap::Args;

use crate::{answers, cargo, has_subcommand, succeeds};

/// Debian's package makes a database cluster of its own when it is installed and starts it, unless a file here
/// says no. The tests start their own server and want nothing but the programs.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/trunkline-tests.conf";

/// What `cargo xtask setup` may be told.
#[derive(Args)]
pub struct Options {
    /// Install what is missing, with apt-get (through sudo unless root) and cargo
    #[arg(long)]
    install: bool,
}

/// Something the tests use.
struct Need {
    name: &'static str,
    purpose: &'static str,
    present: fn() -> bool,
    packages: &'static [&'static str],
}

const NEEDS: [Need; 8] = [
    Need {
        name: "PostgreSQL",
        purpose: "the suite runs on both databases",
        present: has_postgres,
        packages: &["postgresql"],
    },
    Need {
        name: "flock",
        purpose: "ends the PostgreSQL of the tests",
        present: || answers(Command::new("flock").arg("--version")),
        packages: &["util-linux"],
    },
    Need {
        name: "unshare",
        purpose: "gives a test a small disk of its own to fill",
        present: || {
            answers(Command::new("unshare").arg("--version"))
                && answers(Command::new("mount").arg("--version"))
        },
        packages: &["util-linux", "mount"],
    },
    Need {
        name: "curl",
        purpose: "the commands that `trunkline demo` prints are tried",
        present: || answers(Command::new("curl").arg("--version")),
        packages: &["curl"],
    },
    Need {
        name: "Python's venv",
        purpose: "clients that judge the API from outside",
        present: || answers(Command::new("python3").args(["-c", "import ensurepip, venv"])),
        packages: &["python3", "python3-venv"],
    },
    Need {
        name: "Node.js",
        purpose: "the console and the clients generated from the API",
        present: || answers(Command::new("node").arg("--version")),
        packages: &["nodejs"],
    },
    Need {
        name: "npm",
        purpose: "their packages",
        present: || answers(Command::new("npm").arg("--version")),
        packages: &["npm"],
    },
    Need {
        name: "PHP",
        purpose: "the examples of the guides",
        present: || answers(Command::new("php").arg("--version")),
        packages: &["php-cli"],
    },
];

/// Lists what is there and what is missing; with `--install`, installs it. Fails while something is missing.
///
/// # Errors
///
/// When a program cannot be run, or something is still missing after it was installed.
pub fn run(options: &Options) -> Result<ExitCode> {
    let mut missing = Vec::new();
    for need in NEEDS {
        let present = (need.present)();
        println!(
            "{:<14} {:<8} {}",
            need.name,
            if present { "found" } else { "MISSING" },
            need.purpose
        );
        if !present {
            missing.push(need);
        }
    }
    let nextest = has_subcommand("nextest");
    let deny = has_subcommand("deny");
    let word = |present| if present { "found" } else { "absent" };
    println!(
        "{:<14} {:<8} optional: each test in a process of its own",
        "cargo-nextest",
        word(nextest)
    );
    println!(
        "{:<14} {:<8} optional: licences and advisories",
        "cargo-deny",
        word(deny)
    );

    let packages: Vec<_> = missing.iter().flat_map(|need| need.packages).copied().collect();
    if !options.install {
        if !packages.is_empty() {
            println!(
                "\nInstall: apt-get install {}\n     or: cargo xtask setup --install",
                packages.join(" ")
            );
        }
        return Ok(if packages.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }

    if !packages.is_empty() {
        install(&packages)?;
    }
    let still: Vec<_> = missing
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| need.name)
        .collect();
    if !still.is_empty() {
        bail!(
            "installed {}, yet {} cannot be found",
            packages.join(" "),
            still.join(", ")
        );
    }
    if !nextest {
        println!("\nInstalling cargo-nextest");
        let mut command = cargo();
        command.args(["install", "cargo-nextest", "--locked"]);
        if !succeeds(command)? {
            println!("That failed; `cargo xtask ci` will run the tests with plain `cargo test`.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn install(packages: &[&str]) -> Result<()> {
    if !answers(Command::new("apt-get").arg("--version")) {
        bail!(
            "this machine has no apt-get; install with its own tools what {} provide",
            packages.join(", ")
        );
    }
    println!("\nInstalling {}", packages.join(" "));
    let root = answers(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]));
    let as_root = |program: &str| {
        if root {
            return Command::new(program);
        }
        let mut command = Command::new("sudo");
        if !io::stdin().is_terminal() {
            // Nobody is there to type a password.
            command.arg("--non-interactive");
        }
        command.arg(program);
        command
    };
    let apt_get = |arguments: &[&str]| {
        let mut command = as_root("env");
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"])
            .args(arguments);
        command
    };

    if !succeeds(apt_get(&["update"]))? {
        println!("The package lists could not all be brought up to date; trying with those that are there.");
    }
    // Only for as long as this takes: what the machine's owner installs later is not ours to change.
    let no_cluster = packages.contains(&"postgresql") && !Path::new(NO_CLUSTER).exists();
    if no_cluster {
        let mut command = as_root("sh");
        let script = "mkdir -p \"${1%/*}\" && echo 'create_main_cluster = false' >\"$1\"";
        command.args(["-c", script, "sh", NO_CLUSTER]);
        if !succeeds(command)? {
            bail!("could not write {NO_CLUSTER}, which keeps PostgreSQL from starting a server of its own");
        }
    }
    let mut command = apt_get(&["install", "--no-install-recommends"]);
    command.args(packages);
    let installed = succeeds(command);
    if no_cluster {
        let mut command = as_root("rm");
        command.args(["-f", NO_CLUSTER]);
        if !succeeds(command)? {
            println!("Could not remove {NO_CLUSTER}.");
        }
    }
    if !installed? {
        bail!("apt-get could not install {}", packages.join(" "));
    }
    Ok(())
}

/// Looks where the tests look: in TRUNKLINE_TEST_PG_BIN, on the PATH, in Debian's folders.
fn has_postgres() -> bool {
    // A folder may hold only a link to where the programs are.
    let complete = |folder: PathBuf| {
        fs::canonicalize(folder.join("initdb")).is_ok_and(|initdb| {
            ["postgres", "dropdb"]
                .iter()
                .all(|program| initdb.with_file_name(program).is_file())
        })
    };
    if let Some(folder) = env::var_os("TRUNKLINE_TEST_PG_BIN").filter(|value| !value.is_empty()) {
        return complete(folder.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    env::split_paths(&path)
        .chain(versions.map(|version| version.path().join("bin")))
        .any(complete)
}
