//! What the program connects to: whom it trusts, and which hosts it may call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use trunkline_webhooks::address::{AllowList, AllowedHost};
use trunkline_webhooks::resolver::SystemResolver;
use trunkline_webhooks::{Client, ClientOptions};

use crate::config::Webhooks;

/// Chooses the cryptography of every encrypted connection. To be called once, before the first is made.
pub fn choose_cryptography() {
    // It fails where it was done before, which is as good.
    drop(ring::default_provider().install_default());
}

/// A client for HTTP requests of the program's own: to carriers, and of commands. Webhooks have one of their own.
///
/// # Errors
/// Certificates that cannot be read.
#[expect(
    clippy::disallowed_methods,
    reason = "the HTTP clients of the program are made here and passed on"
)]
pub fn http(time_limit: Option<Duration>, ca_file: &Path) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(certificates(ca_file)?)?)
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")));
    let builder = match time_limit {
        Some(limit) => builder.timeout(limit),
        None => builder,
    };
    Ok(builder.build()?)
}

/// Trusts the machine's certificates and these. A machine without any is told of when it is spoken to, not before:
/// much works without encrypted connections.
fn tls(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs.into_iter().chain(extra));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// The certificates of a PEM file; none for an empty path.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    if path.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let read = || {
        format!(
            "the certificates in {} (webhooks.ca_file) cannot be read",
            path.display()
        )
    };
    let all: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(path).with_context(read)?.collect();
    let all = all.with_context(read)?;
    anyhow::ensure!(
        !all.is_empty(),
        "{} (webhooks.ca_file) holds no certificate",
        path.display()
    );
    Ok(all)
}

/// Where webhooks may be sent, and with what.
///
/// # Errors
/// Certificates that cannot be read.
pub fn webhooks(config: &Webhooks) -> Result<trunkline_server::Webhooks> {
    let allowed = allowed(config)?;
    let resolver = Arc::new(SystemResolver::default());
    let client = Client::with(ClientOptions {
        allowed: allowed.clone(),
        extra_roots: certificates(&config.ca_file)?,
        resolver: resolver.clone(),
        ..ClientOptions::default()
    })?;
    Ok(trunkline_server::Webhooks {
        client,
        allowed: Arc::new(allowed),
        resolver,
    })
}

/// What the operator allows beyond public `https` hosts.
///
/// # Errors
/// A host that is none.
pub fn allowed(config: &Webhooks) -> Result<AllowList> {
    let hosts: Result<Vec<AllowedHost>, _> = config.allow_hosts.iter().map(|host| host.parse()).collect();
    Ok(AllowList {
        http: config.allow_http,
        hosts: hosts.context("webhooks.allow_hosts")?,
    })
}

/// Lets the program have as many open files (and connections) as the machine allows: by default it is 1,024 at many
/// places, whatever is allowed.
pub fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(error = %error, "the number of open files stays at its default");
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A server on loopback with a certificate of an authority of its own. Returns its URL and the authority's
    /// certificate as PEM.
    async fn receiver() -> (String, String) {
        let authority = CertificateParams::new(Vec::new()).unwrap();
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let own = own.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut request = [0; 1_024];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (url, authority.pem())
    }

    /// Why a request failed, with all causes.
    fn causes(error: reqwest::Error) -> String {
        format!("{:#}", anyhow::Error::from(error))
    }

    #[tokio::test]
    async fn encrypted_connections_are_made_to_whom_is_trusted() {
        let (url, authority) = receiver().await;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority).unwrap();
        let trusting = http(Some(Duration::from_secs(10)), file.path()).unwrap();
        let answer = trusting.get(&url).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");

        let wary = http(Some(Duration::from_secs(10)), Path::new("")).unwrap();
        let refused = causes(wary.get(&url).send().await.unwrap_err());
        assert!(
            refused.contains("invalid peer certificate: UnknownIssuer"),
            "{refused}"
        );
    }

    #[test]
    fn faulty_certificate_files_are_named() {
        let told = |path: &Path| format!("{:#}", http(None, path).unwrap_err());
        assert!(told(Path::new("/nowhere/ca.pem")).contains("/nowhere/ca.pem"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(
            told(file.path()).contains("no certificate"),
            "{}",
            told(file.path())
        );
        std::fs::write(
            file.path(),
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(
            told(file.path()).contains("webhooks.ca_file"),
            "{}",
            told(file.path())
        );
    }

    #[test]
    fn open_files_are_as_many_as_may_be() {
        use rustix::process::{Resource, getrlimit};
        raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
