//! Load: a few connections that send one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Server;

/// Connections at a time.
const CONNECTIONS: usize = 4;

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request(Vec<u8>);

impl Request {
    /// GET with an API key.
    #[must_use]
    pub fn get(path: &str, key: &str) -> Self {
        Self(
            format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Api-Key {key}\r\n\r\n")
                .into_bytes(),
        )
    }

    /// POST of JSON with an API key.
    #[must_use]
    pub fn post(path: &str, key: &str, body: &str) -> Self {
        let length = body.len();
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Api-Key {key}\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

/// A connection that is kept.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody accepts.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, stream),
        })
    }

    /// Sends a request and reads the whole answer: status and body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is no HTTP with a length.
    pub fn send(&mut self, request: &Request) -> Result<(u16, Vec<u8>)> {
        self.reader.get_mut().write_all(&request.0)?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .context("no status line")?;
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// What a load did to a server.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU of the server process, microseconds a request.
    pub cpu_us: f64,
    /// Time, microseconds a request as one connection sees it.
    pub wall_us: f64,
}

/// Sends `count` requests, `each(i)` the i-th, over a few connections, and tells what they cost.
///
/// # Errors
/// When an answer is not 200.
pub fn cost(server: &Server, count: usize, each: impl Fn(usize) -> Request + Sync) -> Result<Cost> {
    let (cpu, began) = (server.cpu_seconds()?, Instant::now());
    std::thread::scope(|scope| -> Result<()> {
        let each = &each;
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|worker| {
                scope.spawn(move || -> Result<()> {
                    let mut connection = Connection::open(server.address)?;
                    for i in (worker..count).step_by(CONNECTIONS) {
                        let (status, body) = connection.send(&each(i))?;
                        if status != 200 {
                            bail!("status {status}: {}", String::from_utf8_lossy(&body));
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        Ok(())
    })?;
    #[expect(clippy::cast_precision_loss, reason = "some thousands of requests")]
    let count = count as f64;
    let wall_us = began.elapsed().as_secs_f64() * 1e6 * CONNECTIONS as f64 / count;
    Ok(Cost {
        cpu_us: (server.cpu_seconds()? - cpu) * 1e6 / count,
        wall_us,
    })
}
