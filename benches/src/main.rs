//! Measures Trunkline, each row against a baseline of the same run.
//!
//! The machine may be shared and noisy, so what counts is the ratio: product and baseline are measured in turn, five
//! pairs, and the median of the pairs' ratios is printed. CPU is that of the server process alone, from the kernel's
//! own accounting.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints its results"
)]
#![expect(clippy::disallowed_methods, reason = "measuring needs the machine's clock")]

mod data;
mod grow;
mod load;
mod people;
mod process;
mod reads;
mod report;
mod reports;
mod searches;
mod startup;
mod texts;
mod twin;
mod webhooks;
mod writes;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Trunkline against baselines of the same run.
#[derive(Parser)]
struct Arguments {
    /// Smaller data, fewer requests
    #[arg(long)]
    short: bool,
    /// Only rows whose group has this in its name: reads, paging, search, people, analytics, writes,
    /// texts, webhooks, start
    #[arg(long)]
    only: Option<String>,
    /// Where the results go as JSON
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// A build of the program to be measured; without one, it is built
    #[arg(long)]
    program: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What the program does when it starts itself once more.
#[derive(Subcommand)]
enum Role {
    /// Serves the same bytes by bare axum and rusqlite
    #[command(hide = true)]
    Twin(twin::Arguments),
    /// Takes texts
    #[command(hide = true)]
    Carrier {
        /// Where it listens
        address: std::net::SocketAddr,
    },
    /// Takes webhooks
    #[command(hide = true)]
    Sink {
        /// Where it listens
        address: std::net::SocketAddr,
        /// Where it writes what came when
        arrivals: Option<PathBuf>,
    },
    /// Sends webhooks
    #[command(hide = true)]
    Deliver(webhooks::sender::Arguments),
}

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Items of the big team.
    pub items: u64,
    /// People of the team that has most.
    pub people: u64,
    /// Transcripts that are searched.
    pub transcripts: u64,
    /// Requests in one measurement of reads.
    pub requests: usize,
    /// Pairs of measurements.
    pub pairs: usize,
    /// Seconds of one measurement of writes.
    pub write_seconds: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Twin(arguments)) => return twin::serve(arguments),
        Some(Role::Carrier { address }) => return texts::carrier::serve(address),
        Some(Role::Sink { address, arrivals }) => return webhooks::sink::serve(address, arrivals.as_deref()),
        Some(Role::Deliver(arguments)) => return webhooks::sender::run(&arguments),
        None => {}
    }
    let scale = if arguments.short {
        Scale {
            items: 1_000_000,
            people: 1_000_000,
            transcripts: 60_000,
            requests: 8_000,
            pairs: 5,
            write_seconds: 2,
        }
    } else {
        Scale {
            items: 10_000_000,
            people: 1_000_000,
            transcripts: 1_000_000,
            requests: 30_000,
            pairs: 5,
            write_seconds: 5,
        }
    };
    let wanted = |group: &str| arguments.only.as_deref().is_none_or(|only| group.contains(only));
    let mut report = report::Report::new(arguments.short);
    let program = match arguments.program {
        Some(program) => program,
        None => data::program()?,
    };
    if wanted("start") {
        startup::measure(&program, &mut report)?;
    }
    if wanted("reads") {
        reads::measure_points_and_lists(&program, scale, &mut report)?;
    }
    if wanted("writes") {
        writes::measure(scale, &mut report)?;
    }
    if wanted("texts") {
        texts::measure(scale, &mut report)?;
    }
    if wanted("search") {
        searches::measure(&program, scale, &mut report)?;
    }
    if wanted("people") {
        people::measure(&program, scale, &mut report)?;
    }
    if wanted("webhooks") {
        webhooks::measure(scale, &mut report)?;
    }
    if wanted("analytics") {
        reports::measure(&program, scale, &mut report)?;
    }
    if wanted("paging") {
        reads::measure_paging(&program, scale, &mut report)?;
    }
    report.print();
    report.write(&arguments.json)
}
