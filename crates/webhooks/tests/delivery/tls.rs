//! Certificates are verified: of the right name, in time, and of somebody who is trusted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::schedule::AttemptError;
use trunkline_testkit::catcher::Catcher;
use trunkline_testkit::db::TestDb;
use trunkline_webhooks::ClientOptions;

use crate::support::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name`, valid in these years.
fn certificate(
    by: &Authority,
    name: &str,
    years: (i32, i32),
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    (
        certificate.der().clone(),
        PrivateKeyDer::Pkcs8(key.serialize_der().into()),
    )
}

/// Serves this certificate and answers 200.
async fn serve((certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>)) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut request = vec![0; 16_384];
                while stream.read(&mut request).await? > 0 {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                        .await?;
                }
                Ok::<_, std::io::Error>(())
            });
        }
    });
    address
}

async fn certificates_are_verified(t: TestDb) {
    let office = office(&t).await;
    let (trusted, other) = (
        authority("An authority of tests"),
        authority("Nobody knows this one"),
    );
    let plain = Catcher::start().await;
    let port_of_plain = plain
        .url()
        .rsplit(':')
        .next()
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let well = serve(certificate(&trusted, "localhost", (2020, 2090))).await;
    let cases = [
        (well.port().to_string(), None),
        (
            serve(certificate(&other, "localhost", (2020, 2090)))
                .await
                .port()
                .to_string(),
            Some(AttemptError::Tls),
        ),
        (
            serve(certificate(&trusted, "localhost", (2010, 2011)))
                .await
                .port()
                .to_string(),
            Some(AttemptError::Tls),
        ),
        (
            serve(certificate(&trusted, "localhost", (2080, 2090)))
                .await
                .port()
                .to_string(),
            Some(AttemptError::Tls),
        ),
        (
            serve(certificate(&trusted, "other.example", (2020, 2090)))
                .await
                .port()
                .to_string(),
            Some(AttemptError::Tls),
        ),
        // No TLS at all behind https.
        (port_of_plain, Some(AttemptError::Tls)),
    ];
    for (port, _) in &cases {
        listen(&office, &format!("https://localhost:{port}/hook")).await;
    }
    // By its address, for which the certificate is not.
    listen(&office, &format!("https://127.0.0.1:{}/hook", well.port())).await;
    let options_of_client = ClientOptions {
        extra_roots: vec![trusted.der().clone()],
        time_limit: Duration::from_secs(10),
        ..local()
    };
    let running = Running::start(&office.board, client(options_of_client), options());
    let event = emit(&office, &[Topic::CallReceived]).await;
    let expected = cases
        .into_iter()
        .map(|(_, error)| error)
        .chain([Some(AttemptError::Tls)]);
    for (endpoint, error) in (1..).zip(expected) {
        let message = until_message(&office, (endpoint, event), "it is tried", |m| m.tries == 1).await;
        let attempt = attempts(&message).remove(0);
        assert_eq!(attempt.error, error, "{endpoint}: {attempt:?}");
    }
    running.end().await;
    assert_eq!(plain.count(), 0, "nothing was told to whom it is not for");
}

/// The connection is kept: a thousand messages, a few handshakes.
async fn an_encrypted_connection_is_used_again(t: TestDb) {
    let office = office(&t).await;
    let trusted = authority("An authority of tests");
    let address = serve(certificate(&trusted, "localhost", (2020, 2090))).await;
    listen(&office, &format!("https://localhost:{}/hook", address.port())).await;
    let options_of_client = ClientOptions {
        extra_roots: vec![trusted.der().clone()],
        ..local()
    };
    let running = Running::start(&office.board, client(options_of_client), options());
    texts(&office, 500).await;
    until_settled(&office).await;
    running.end().await;
    assert_delivered(&office, 1, 500).await;
}

trunkline_testkit::on_both! { certificates_are_verified, an_encrypted_connection_is_used_again }
