//! HTTP clients of tests.

use std::time::Duration;

/// What clients of tests are made of: every test that makes one of its own begins here.
#[expect(clippy::disallowed_methods, reason = "tests speak to a server of their own")]
pub fn client_builder() -> reqwest::ClientBuilder {
    // It fails where it was done before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
}

/// A client as most tests want it: patient, and without following redirects.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn client() -> reqwest::Client {
    client_builder()
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("an HTTP client")
}
