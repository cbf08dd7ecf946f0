//! A child server, and what the kernel says of it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::time::ClockId;
use nix::unistd::Pid;

/// A server process; ended when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a command that listens on `address`, and waits until it accepts connections.
    ///
    /// # Errors
    /// When it does not start within a minute.
    pub fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self {
            child: child.context("the server cannot be started")?,
            address,
        };
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("the server did not start within a minute")
    }

    /// `trunkline serve` on a data folder.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn trunkline(program: &Path, data_dir: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(data_dir)
            .env("TRUNKLINE_LOG_FILTER", "error")
            .env("TRUNKLINE_METRICS_LISTEN", "");
        Self::start(command, address)
    }

    /// CPU time used so far, user and system, in seconds; exact to the microsecond, ended threads included.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// Waits until the server does nothing any more by itself: a text index that follows a new database would be
    /// counted with the requests.
    ///
    /// # Errors
    /// When it is gone, or still busy after an hour.
    pub fn settle(&self) -> Result<()> {
        let (window, until) = (
            Duration::from_millis(500),
            Instant::now() + Duration::from_secs(3_600),
        );
        let mut calm = 0;
        while Instant::now() < until {
            let before = self.cpu_seconds()?;
            std::thread::sleep(window);
            let busy = self.cpu_seconds()? - before > 0.02 * window.as_secs_f64();
            calm = if busy { 0 } else { calm + 1 };
            if calm == 3 {
                return Ok(());
            }
        }
        bail!("the server did not come to rest within an hour")
    }

    /// Memory in use, in MiB.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_mib(&self) -> Result<f64> {
        status_mib(self.child.id(), "VmRSS:")
    }
}

/// What the kernel tells of a process's memory under a name of proc(5), in MiB.
///
/// # Errors
/// When the process is gone.
pub fn status_mib(pid: u32, name: &str) -> Result<f64> {
    let file = std::fs::File::open(format!("/proc/{pid}/status"))?;
    for line in BufReader::new(file).lines() {
        if let Some(rest) = line?.strip_prefix(name) {
            let kib: f64 = rest.trim().trim_end_matches(" kB").parse()?;
            return Ok(kib / 1_024.0);
        }
    }
    bail!("the kernel does not tell the memory in use")
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// CPU time of a process so far, user and system, in seconds.
///
/// # Errors
/// When the process is gone.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process)?))?;
    let used = clock.now()?;
    Ok(used.tv_sec() as f64 + used.tv_nsec() as f64 / 1e9)
}

/// An address nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?)
}
