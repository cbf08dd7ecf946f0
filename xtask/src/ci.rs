//! `cargo xtask ci`: one command that checks everything, the same here and on the build machine.
//!
//! The tests come last and nothing follows them when they pass, so the end of the output is always their own
//! summary. The table of the other steps stands before them.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::{cargo, has_subcommand, succeeds};

/// What `cargo xtask ci` may be told.
#[derive(Args)]
pub struct Options {
    /// Go on with the next step when one fails
    #[arg(long)]
    keep_going: bool,
}

/// One thing to check.
struct Step {
    name: &'static str,
    command: Command,
    /// Why it cannot be checked here.
    skipped: Option<&'static str>,
}

/// How a step went.
enum Outcome {
    Passed(Duration),
    Failed(Duration),
    Skipped(&'static str),
}

/// Checks formatting, lints, examples in the documentation, dependencies, and runs the tests on both databases.
/// That the OpenAPI document is up to date is one of the tests.
///
/// # Errors
///
/// When a program cannot be run. A check that fails is reported and makes the exit code.
pub fn run(options: &Options) -> Result<ExitCode> {
    let steps = [formatting(), lints(), examples(), dependencies(), tests()];
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    let last = names.len() - 1;
    let mut outcomes = Vec::new();

    for (index, step) in steps.into_iter().enumerate() {
        if index == last {
            print_table(&names, &outcomes);
        }
        heading(step.name);
        let outcome = check(step)?;
        match &outcome {
            Outcome::Passed(time) if index < last => eprintln!("passed in {}", seconds(*time)),
            Outcome::Passed(_) => {}
            Outcome::Failed(time) => eprintln!("FAILED after {}", seconds(*time)),
            Outcome::Skipped(why) => eprintln!("SKIPPED: {why}"),
        }
        let stop = matches!(outcome, Outcome::Failed(_)) && !options.keep_going;
        outcomes.push(outcome);
        if stop {
            break;
        }
    }

    let failed: Vec<_> = names
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
        .map(|(name, _)| *name)
        .collect();
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    print_table(&names, &outcomes);
    eprintln!("\nerror: failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

fn formatting() -> Step {
    let mut command = cargo();
    command.args(["fmt", "--all", "--check"]);
    Step {
        name: "formatting",
        command,
        skipped: None,
    }
}

fn lints() -> Step {
    let mut command = cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]);
    Step {
        name: "clippy",
        command,
        skipped: None,
    }
}

fn examples() -> Step {
    let mut command = cargo();
    command.args(["test", "--workspace", "--doc"]);
    Step {
        name: "doc tests",
        command,
        skipped: None,
    }
}

fn dependencies() -> Step {
    let mut command = cargo();
    command.args(["deny", "check"]);
    let skipped = (!has_subcommand("deny")).then_some(
        "cargo-deny is not installed (`cargo install cargo-deny --locked`): dependencies not checked",
    );
    Step {
        name: "cargo deny",
        command,
        skipped,
    }
}

fn tests() -> Step {
    let mut command = cargo();
    // All failures in one run: a step is what stops the others, not a test.
    if has_subcommand("nextest") {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        command.args(["test", "--workspace", "--tests", "--no-fail-fast"]);
    }
    Step {
        name: "tests",
        command,
        skipped: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is for the reader only"
)]
fn check(step: Step) -> Result<Outcome> {
    if let Some(why) = step.skipped {
        return Ok(Outcome::Skipped(why));
    }
    let start = Instant::now();
    let passed = succeeds(step.command)?;
    let time = start.elapsed();
    Ok(if passed {
        Outcome::Passed(time)
    } else {
        Outcome::Failed(time)
    })
}

fn heading(name: &str) {
    eprintln!(
        "\n==== {name} {}",
        "=".repeat(70_usize.saturating_sub(name.len()))
    );
}

/// Prints how the steps went; those without an outcome are still to come or were not reached.
fn print_table(names: &[&str], outcomes: &[Outcome]) {
    heading("summary");
    for (index, name) in names.iter().enumerate() {
        let result = match outcomes.get(index) {
            Some(Outcome::Passed(time)) => format!("passed   {:>9}", seconds(*time)),
            Some(Outcome::Failed(time)) => format!("FAILED   {:>9}", seconds(*time)),
            Some(Outcome::Skipped(why)) => format!("SKIPPED  {why}"),
            None if index == outcomes.len() && index + 1 == names.len() => "next".to_owned(),
            None => "not run".to_owned(),
        };
        eprintln!("{name:<12} {result}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
