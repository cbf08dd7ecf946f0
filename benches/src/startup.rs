//! Starting, being idle, being small.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::data;
use crate::load::{Connection, Request};
use crate::process::Server;
use crate::report::{Goal, Report, median};

/// Measures the first answer, idle memory and the size of the program.
///
/// # Errors
/// When the server does not start.
pub fn measure(program: &Path, report: &mut Report) -> Result<()> {
    let seeded = data::seeded(program, "start", 10_000, 0.5)?;
    // The first start builds the text index; what is measured is a start on an existing installation.
    let warm = Server::trunkline(program, &seeded.dir)?;
    std::thread::sleep(Duration::from_secs(5));
    drop(warm);
    let mut times = Vec::new();
    for _ in 0..7 {
        let began = Instant::now();
        let server = Server::trunkline(program, &seeded.dir)?;
        let (status, _) = Connection::open(server.address)?.send(&Request::get("/v2/api/me", &seeded.key))?;
        anyhow::ensure!(status == 200, "status {status}");
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    report.figure(
        "first answer after exec",
        "ms",
        median(times.into_iter()),
        Goal::AtMost(100.0),
    );
    let server = Server::trunkline(program, &seeded.dir)?;
    std::thread::sleep(Duration::from_secs(12));
    report.figure(
        "memory when idle",
        "MiB",
        server.resident_mib()?,
        Goal::AtMost(50.0),
    );
    #[expect(clippy::cast_precision_loss, reason = "a file size")]
    let size = std::fs::metadata(program)?.len() as f64 / 1e6;
    report.figure("size of the program", "MB", size, Goal::AtMost(60.0));
    Ok(())
}
