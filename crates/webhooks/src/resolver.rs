//! From a host's name to its addresses.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// The most names that are resolved at a time. Each occupies a thread for as long as name servers take, which may be
/// longer than anybody waits for; the database's long reads need threads too.
const LOOKUPS: usize = 64;

/// What a look-up comes to.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Knows the addresses of hosts. What it says is checked before it is dialled.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, each with `port`.
    fn resolve(&self, host: &str, port: u16) -> Addresses;
}

/// Asks the machine's resolver.
pub struct SystemResolver(Arc<Semaphore>);

impl Default for SystemResolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS)))
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> Addresses {
        let (host, lookups) = (host.to_owned(), self.0.clone());
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let looking = tokio::task::spawn_blocking(move || {
                // The thread holds the permit, also when nobody waits for it any more.
                let _permit = permit;
                Ok((host.as_str(), port).to_socket_addrs()?.collect())
            });
            looking.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_and_addresses_are_resolved() {
        let resolver = SystemResolver::default();
        let found = resolver.resolve("localhost", 80).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()));
        assert!(found.iter().all(|address| address.port() == 80));
        assert_eq!(resolver.0.available_permits(), LOOKUPS);
    }
}
