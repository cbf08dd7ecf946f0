//! Checks, benchmarks and chores of the workspace, run as `cargo xtask <what>`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user"
)]

mod ci;
mod setup;

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Parser;

/// Checks, benchmarks and chores of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Check everything that must hold before a change is merged, the tests last
    Ci(ci::Options),
    /// Say what the tests need that this machine lacks, and install it if told to
    Setup(setup::Options),
    /// Run the benchmarks, optimised
    Bench {
        /// Handed on to the benchmarks, such as --short
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Ci(options) => ci::run(&options),
        Task::Setup(options) => setup::run(&options),
        Task::Bench { arguments } => bench(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = cargo();
    command
        .args(["run", "--release", "--package", "trunkline-bench", "--"])
        .args(arguments);
    Ok(if succeeds(command)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The cargo that runs this, in the workspace's root.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

/// Whether `cargo <subcommand>` is installed.
fn has_subcommand(subcommand: &str) -> bool {
    answers(cargo().args([subcommand, "--version"]))
}

/// Whether a program is there and ends well; what it says is nobody's business.
fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a command, its output going where ours goes, and says whether it ended well.
///
/// # Errors
///
/// When it cannot be run at all.
fn succeeds(mut command: Command) -> Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("could not run {}", command.get_program().to_string_lossy()))?;
    Ok(status.success())
}
