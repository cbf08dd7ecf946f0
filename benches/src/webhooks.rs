//! Webhooks: what a delivery costs, how many there are a second, how long one takes, and what a dead endpoint does to
//! the others.
//!
//! The sender is a process of its own ([`sender`]), and so is what it posts to ([`sink`]): CPU is the sender's alone.

pub mod sender;
pub mod sink;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::Scale;
use crate::process::free_address;
use crate::report::{Goal, Report, median, percentile};

/// What a sender has to say when it is done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sent {
    /// Messages.
    pub messages: u64,
    /// Seconds from the first event to the last result that was stored.
    pub seconds: f64,
    /// CPU of the process, user and system, in microseconds.
    pub cpu_us: f64,
    /// The most memory the process had meanwhile, in MiB.
    pub peak_mib: f64,
}

impl Sent {
    #[expect(clippy::cast_precision_loss, reason = "some thousands of messages")]
    fn per_second(&self) -> f64 {
        self.messages as f64 / self.seconds
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousands of messages")]
    fn cpu_each(&self) -> f64 {
        self.cpu_us / self.messages as f64
    }
}

/// Measures deliveries.
///
/// # Errors
/// When a process fails.
pub fn measure(scale: Scale, report: &mut Report) -> Result<()> {
    let folder = std::env::current_exe()?
        .with_file_name("bench-data")
        .join("webhooks");
    let messages = if scale.write_seconds > 2 { 60_000 } else { 20_000 };
    for endpoints in [1, 100] {
        throughput(&folder, scale, endpoints, messages, report)?;
    }
    for rate in [100, 500] {
        latency(&folder, scale, rate, report)?;
    }
    with_a_hanging_endpoint(&folder, scale, report)?;
    memory_of_a_backlog(&folder, scale, report)
}

fn throughput(folder: &Path, scale: Scale, endpoints: u64, messages: u64, report: &mut Report) -> Result<()> {
    let (mut rate, mut cpu, mut live) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let ours = run(folder, &["--messages", &messages.to_string()], endpoints, "drain")?;
        let bare = run(folder, &["--messages", &messages.to_string()], endpoints, "bare")?;
        rate.push((ours.per_second(), bare.per_second()));
        cpu.push((ours.cpu_each(), bare.cpu_each()));
        live.push(run(
            folder,
            &["--messages", &(messages / 2).to_string()],
            endpoints,
            "live",
        )?);
    }
    let who = if endpoints == 1 {
        "1 endpoint".to_owned()
    } else {
        format!("{endpoints} endpoints")
    };
    let unbound = Goal::None;
    report.pairs(
        &format!("deliveries, {who} / only sign and post"),
        "msgs/s",
        &rate,
        unbound,
    );
    report.figure(
        &format!("deliveries a second, {who}"),
        "msgs/s",
        median(rate.iter().map(|pair| pair.0)),
        Goal::AtLeast(10_000.0),
    );
    report.pairs(
        &format!("CPU a delivery, {who} / only sign and post"),
        "us",
        &cpu,
        unbound,
    );
    report.figure(
        &format!("CPU a delivery: fanned out, sent, recorded, {who}"),
        "us",
        median(cpu.iter().map(|pair| pair.0)),
        Goal::AtMost(60.0),
    );
    report.figure(
        &format!("the same with the texts that cause them, {who}"),
        "us",
        median(live.iter().map(Sent::cpu_each)),
        unbound,
    );
    Ok(())
}

/// From the commit of an event to its arrival; beside it what a bare post takes in the same run, on the same machine.
fn latency(folder: &Path, scale: Scale, rate: u64, report: &mut Report) -> Result<()> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..scale.pairs.min(3) {
        let mut ours = latencies(folder, "rate", (1, 0), rate, scale.write_seconds * 2)?;
        let mut bare = latencies(folder, "bare-rate", (1, 0), rate, scale.write_seconds * 2)?;
        p50.push((percentile(&mut ours, 0.5), percentile(&mut bare, 0.5)));
        p99.push((percentile(&mut ours, 0.99), percentile(&mut bare, 0.99)));
    }
    let (most50, most99) = if rate <= 100 {
        (Goal::AtMost(1.0), Goal::AtMost(2.5))
    } else {
        (Goal::None, Goal::AtMost(5.0))
    };
    for (name, pairs, goal) in [("p50", p50, most50), ("p99", p99, most99)] {
        let what = format!("commit to receiver, {name} at {rate}/s");
        report.figure(&what, "ms", median(pairs.iter().map(|pair| pair.0)), goal);
        report.pairs(&format!("{what} / of a bare post"), "ms", &pairs, Goal::None);
    }
    Ok(())
}

/// One of 100 endpoints never answers: what it does to the others.
fn with_a_hanging_endpoint(folder: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let mut pairs = Vec::new();
    for _ in 0..scale.pairs.min(3) {
        let mut sick = latencies(folder, "rate", (100, 1), 10, scale.write_seconds * 4)?;
        let mut healthy = latencies(folder, "rate", (100, 0), 10, scale.write_seconds * 4)?;
        pairs.push((percentile(&mut sick, 0.99), percentile(&mut healthy, 0.99)));
    }
    report.pairs(
        "p99 of 99 endpoints while 1 hangs / while none does",
        "ms",
        &pairs,
        Goal::AtMost(1.2),
    );
    Ok(())
}

/// Messages pile up for endpoints that never answer: it is the disk that takes them.
fn memory_of_a_backlog(folder: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let many: u64 = if scale.write_seconds > 2 {
        1_000_000
    } else {
        100_000
    };
    let peak = |messages: u64| -> Result<f64> {
        let (endpoints, hanging) = (100, ["--hanging", "100"]);
        let messages = messages.to_string();
        let sent = run(
            folder,
            &[&["--messages", messages.as_str()], &hanging[..]].concat(),
            endpoints,
            "backlog",
        )?;
        Ok(sent.peak_mib)
    };
    let mut pairs = Vec::new();
    for _ in 0..scale.pairs.min(3) {
        pairs.push((peak(many)?, peak(many / 10)?));
    }
    let what = format!("peak memory with {many} messages waiting / with a tenth of them");
    report.pairs(&what, "MiB", &pairs, Goal::AtMost(1.3));
    Ok(())
}

/// Runs a sink and a sender to the end.
fn run(folder: &Path, arguments: &[&str], endpoints: u64, mode: &str) -> Result<Sent> {
    let sink = Sink::start(None)?;
    let output = sender_command(folder, &sink, endpoints, mode)?
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the sender failed");
    let last = String::from_utf8(output.stdout)?;
    serde_json::from_str(last.trim()).with_context(|| format!("the sender said {last:?}"))
}

/// Milliseconds from the commit of each event to its arrival at each endpoint that answers.
fn latencies(
    folder: &Path,
    mode: &str,
    (endpoints, hanging): (u64, u64),
    rate: u64,
    seconds: u64,
) -> Result<Vec<f64>> {
    let arrivals = folder.with_extension("arrivals");
    let commits = folder.with_extension("commits");
    let sink = Sink::start(Some(&arrivals))?;
    let status = sender_command(folder, &sink, endpoints, mode)?
        .args(["--rate", &rate.to_string(), "--seconds", &seconds.to_string()])
        .args(["--hanging", &hanging.to_string(), "--commits"])
        .arg(&commits)
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "the sender failed");
    drop(sink);
    let committed = table(&commits)?;
    let mut times = Vec::new();
    for (n, at) in table(&arrivals)? {
        if let Some((_, commit)) = committed.iter().find(|(known, _)| *known == n) {
            times.push((at - commit) / 1_000.0);
        }
    }
    ensure!(!times.is_empty(), "nothing arrived");
    Ok(times)
}

/// Lines of a number and a time in microseconds.
fn table(file: &Path) -> Result<Vec<(u64, f64)>> {
    let text = std::fs::read_to_string(file)?;
    let read = |line: &str| {
        let (n, at) = line.split_once(' ')?;
        Some((n.parse().ok()?, at.parse().ok()?))
    };
    Ok(text.lines().filter_map(read).collect())
}

fn sender_command(folder: &Path, sink: &Sink, endpoints: u64, mode: &str) -> Result<Command> {
    drop(std::fs::remove_dir_all(folder));
    std::fs::create_dir_all(folder)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "deliver",
            mode,
            "--endpoints",
            &endpoints.to_string(),
            "--sink",
            &sink.url,
            "--folder",
        ])
        .arg(folder);
    Ok(command)
}

/// A sink process; ended when dropped.
struct Sink {
    child: Child,
    url: String,
}

impl Sink {
    fn start(arrivals: Option<&PathBuf>) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["sink", &address.to_string()]).stdin(Stdio::piped());
        if let Some(file) = arrivals {
            command.arg(file);
        }
        let child = command.spawn()?;
        let sink = Self {
            child,
            url: format!("http://{address}"),
        };
        for _ in 0..500 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(sink);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        anyhow::bail!("the sink did not start")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The end of its input ends it, after it has written what it knows.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
