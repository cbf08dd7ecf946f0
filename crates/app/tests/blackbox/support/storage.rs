//! An object storage that speaks as much S3 as is needed (Amazon S3 API Reference: PutObject, GetObject, DeleteObject), and
//! takes only requests whose signature is right (AWS Signature Version 4). It can be down, and fail for a while.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use trunkline_domain::{Clock, SystemClock};

pub const ACCESS_KEY: &str = "AKIDTRUNKLINE";
pub const SECRET: &str = "wJalrXUtnFEMI/of+these/tests";
pub const REGION: &str = "eu-test-1";

/// How far the time of a request may be off, in seconds.
const SKEW: i64 = 15 * 60;

/// A storage with buckets; what is in them, by path.
#[derive(Clone)]
pub struct Storage {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    buckets: Vec<&'static str>,
    objects: BTreeMap<String, Bytes>,
    is_down: bool,
    /// Requests that fail before others do not.
    faults: usize,
    refused: Vec<String>,
    asked: Vec<String>,
}

impl Storage {
    pub async fn start(buckets: &[&'static str]) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            buckets: buckets.to_vec(),
            ..Inner::default()
        }));
        let router = Router::new()
            .fallback(answer)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// What is in a bucket, by key.
    pub fn objects(&self, bucket: &str) -> Vec<(String, Bytes)> {
        let prefix = format!("/{bucket}/");
        let inner = self.inner.lock();
        let all = inner.objects.iter();
        all.filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())))
            .collect()
    }

    /// From now on it answers nothing but that it is overloaded, or is well again.
    pub fn set_down(&self, is_down: bool) {
        self.inner.lock().is_down = is_down;
    }

    /// The next requests fail.
    pub fn fail(&self, requests: usize) {
        self.inner.lock().faults = requests;
    }

    /// How many of these have not failed yet.
    pub fn faults_left(&self) -> usize {
        self.inner.lock().faults
    }

    /// The method and host of each request that was looked at.
    pub fn asked(&self) -> Vec<String> {
        self.inner.lock().asked.clone()
    }

    /// Why requests were refused, the oldest first.
    pub fn refused(&self) -> Vec<String> {
        self.inner.lock().refused.clone()
    }
}

/// The bucket and the key that a request is about. The bucket is in the path, or the first label of a host with several.
fn target(uri: &Uri, host: &str) -> (String, String) {
    let path = &uri.path()[1..];
    let of_host = host.split_once('.').filter(|(_, rest)| !is_address(rest));
    let parts = match of_host {
        Some((bucket, _)) => (bucket, path),
        None => path.split_once('/').unwrap_or(("", path)),
    };
    (parts.0.to_owned(), parts.1.to_owned())
}

fn is_address(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b".:".contains(&byte))
}

fn problem(status: StatusCode, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>It is {code}</Message>\
         <RequestId>1</RequestId></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = inner.lock();
    if inner.is_down || inner.faults > 0 {
        inner.faults = inner.faults.saturating_sub(1);
        return problem(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    let host = field(&headers, "host");
    inner.asked.push(format!("{method} {host}"));
    let (bucket, key) = target(&uri, &host);
    let path = format!("/{bucket}/{key}");
    let refusal = if let Err(code) = verify(&method, &uri, &headers, &body, SystemClock.now().0 / 1_000) {
        Some((StatusCode::FORBIDDEN, code))
    } else if !inner.buckets.contains(&bucket.as_str()) {
        Some((StatusCode::NOT_FOUND, "NoSuchBucket"))
    } else {
        None
    };
    if let Some((status, code)) = refusal {
        inner.refused.push(format!("{method} {path}: {code}"));
        return problem(status, code);
    }
    let tagged = [
        (header::ETAG, "\"an-etag\""),
        (header::LAST_MODIFIED, "Fri, 20 Nov 2026 10:00:00 GMT"),
    ];
    match method {
        Method::PUT => {
            inner.objects.insert(path, body);
            tagged.into_response()
        }
        Method::GET => match inner.objects.get(&path) {
            Some(bytes) => (tagged, bytes.clone()).into_response(),
            None => problem(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::DELETE => {
            inner.objects.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => problem(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

/// Whether a request is signed by our key, whole and of now (in Unix seconds), and its body is what was signed.
fn verify(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<(), &'static str> {
    let digest = hex(&Sha256::digest(body));
    if field(headers, "x-amz-content-sha256") != digest {
        return Err("XAmzContentSHA256Mismatch");
    }
    let date = field(headers, "x-amz-date");
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", &date)
        .ok()
        .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
        .map(|at| at.timestamp());
    let is_of_now = |at: Timestamp| (at.as_second() - now).abs() <= SKEW;
    if !at.is_some_and(is_of_now) {
        return Err("RequestTimeTooSkewed");
    }
    let signed = signature(method, uri, headers, &digest, (ACCESS_KEY, SECRET, REGION))?;
    if signed != given(headers, "Signature=") {
        return Err("SignatureDoesNotMatch");
    }
    Ok(())
}

fn field(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_owned()
}

/// A part of the header `Authorization`.
fn given(headers: &HeaderMap, part: &str) -> String {
    let authorization = field(headers, "authorization");
    let rest = authorization.split_once(part).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split([',', ' ']).next())
        .unwrap_or_default()
        .to_owned()
}

/// The signature that a request must have, of a digest of its body, by an access key (id, secret, region).
fn signature(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    digest: &str,
    (id, secret, region): (&str, &str, &str),
) -> Result<String, &'static str> {
    let date = field(headers, "x-amz-date");
    let scope = format!("{}/{region}/s3/aws4_request", date.get(..8).unwrap_or_default());
    if given(headers, "Credential=") != format!("{id}/{scope}") {
        return Err("InvalidAccessKeyId");
    }
    let names = given(headers, "SignedHeaders=");
    let is_signed = |name: &str| names.split(';').any(|signed| signed == name);
    if !["host", "x-amz-content-sha256", "x-amz-date"]
        .into_iter()
        .all(is_signed)
    {
        return Err("AccessDenied");
    }
    let lines: String = names
        .split(';')
        .map(|name| format!("{name}:{}\n", field(headers, name)))
        .collect();
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}");
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/').chain([text.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(hex(&key))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Amazon's own example ("Signature Calculations for the Authorization Header", GET Object).
#[test]
fn the_storage_signs_as_amazon_does() {
    let empty = hex(&Sha256::digest(b""));
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", &empty),
        ("x-amz-date", "20130524T000000Z"),
        ("authorization", authorization),
    ] {
        let name = axum::http::HeaderName::from_static(name);
        headers.insert(name, value.parse().expect("a value"));
    }
    let uri = Uri::from_static("/test.txt");
    let key = (
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "us-east-1",
    );
    let signed = signature(&Method::GET, &uri, &headers, &empty, key).expect("a signature");
    assert_eq!(signed, given(&headers, "Signature="));
    let other = Uri::from_static("/test.tx");
    assert_ne!(signature(&Method::GET, &other, &headers, &empty, key), Ok(signed));
}
