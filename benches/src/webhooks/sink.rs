//! What webhooks are posted to: reads requests, answers 200, remembers when each came. Paths that begin with `/hang`
//! are never answered.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Arrivals = Arc<Mutex<Vec<(u64, u128)>>>;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Microseconds since 1970.
#[must_use]
pub fn micros() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros()
}

/// Serves until its standard input ends, then writes what came when into `file`.
///
/// # Errors
/// When the address is taken or the file cannot be written.
pub fn serve(address: SocketAddr, file: Option<&Path>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let arrivals = Arrivals::default();
    let kept = file.map(|_| arrivals.clone());
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
            let _ = ended.send(());
        });
        tokio::select! {
            () = accept(listener, kept) => {}
            _ = end => {}
        }
        Ok::<_, anyhow::Error>(())
    })?;
    if let Some(file) = file {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        let all = arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (n, at) in all.iter() {
            writeln!(out, "{n} {at}")?;
        }
        out.flush()?;
    }
    Ok(())
}

async fn accept(listener: TcpListener, arrivals: Option<Arrivals>) {
    while let Ok((stream, _)) = listener.accept().await {
        drop(stream.set_nodelay(true));
        tokio::spawn(connection(stream, arrivals.clone()));
    }
}

async fn connection(mut stream: TcpStream, arrivals: Option<Arrivals>) {
    let mut buffer: Vec<u8> = Vec::with_capacity(16 * 1_024);
    while stream.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
        while let Some(length) = request(&buffer) {
            let at = micros();
            if buffer.starts_with(b"POST /hang") {
                std::future::pending::<()>().await;
            }
            if let Some(arrivals) = &arrivals
                && let Some(n) = number(&buffer[..length])
            {
                arrivals
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push((n, at));
            }
            buffer.drain(..length);
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}

/// The length of the request at the start of the buffer, if it is there as a whole.
fn request(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?.to_ascii_lowercase();
    let length = text
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    (buffer.len() >= head + length).then_some(head + length)
}

/// The number between two `#` in a text.
fn number(request: &[u8]) -> Option<u64> {
    let start = request.iter().position(|byte| *byte == b'#')? + 1;
    let end = start + request[start..].iter().position(|byte| *byte == b'#')?;
    std::str::from_utf8(&request[start..end]).ok()?.parse().ok()
}
