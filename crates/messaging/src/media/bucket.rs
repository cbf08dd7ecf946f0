//! Media in a bucket of an object storage that speaks S3, so that several nodes have the same.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{BackoffConfig, RetryConfig};

use super::store::{MediaError, MediaStore};

/// How often a request that failed is made once more.
const RETRIES: usize = 2;

/// After so long it is not made once more. With the last one it must stay within the lease of a job.
const RETRY_WITHIN: Duration = Duration::from_secs(20);

/// Where the name of the bucket is in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// In the path: `https://s3.example.com/bucket/key`.
    Path,
    /// In the host: `https://bucket.s3.example.com/key`.
    VirtualHost,
}

/// A bucket, and who we are there. Has no `Debug`: it holds a secret.
#[derive(Clone, Copy)]
pub struct Bucket<'b> {
    /// Its name.
    pub name: &'b str,
    /// The URL of the storage, without the bucket; `None`: Amazon's, of the region.
    pub endpoint: Option<&'b str>,
    /// The region that requests are signed for.
    pub region: &'b str,
    /// How it is addressed.
    pub addressing: Addressing,
    /// Whose key it is.
    pub access_key_id: &'b str,
    /// The key.
    pub secret_access_key: &'b str,
}

impl Bucket<'_> {
    /// The URL that the library expects for this kind of addressing: it puts the bucket into paths, not into hosts.
    fn endpoint(&self) -> Option<String> {
        let url = self.endpoint?.trim_end_matches('/');
        match (self.addressing, url.split_once("://")) {
            (Addressing::VirtualHost, Some((scheme, host))) => {
                Some(format!("{scheme}://{}.{host}", self.name))
            }
            _ => Some(url.to_owned()),
        }
    }
}

/// Makes requests with the client that was passed in, which has the timeouts and knows whom to trust.
#[derive(Clone, Debug)]
struct Given(reqwest::Client);

impl HttpConnector for Given {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Given {
    fn call<'s, 'f>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let request = request.map(reqwest::Body::wrap);
            let request = reqwest::Request::try_from(request).map_err(failed)?;
            let response: http::Response<reqwest::Body> =
                self.0.execute(request).await.map_err(failed)?.into();
            Ok(response.map(|body| HttpResponseBody::new(body.map_err(failed))))
        })
    }
}

/// A failed request. The kind decides whether it is made once more: everything that is asked here may be, deletions as
/// well, which the library does not repeat after a timeout or a broken connection unless it is told that they never left.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_builder() {
        HttpErrorKind::Unknown
    } else {
        HttpErrorKind::Request
    };
    if error.is_timeout() {
        // Its causes say less.
        HttpError::new(kind, std::io::Error::other("the storage does not answer in time"))
    } else {
        HttpError::new(kind, error.without_url())
    }
}

impl MediaStore {
    /// Keeps them in a bucket, which must be there. Nothing is asked of it yet.
    ///
    /// # Errors
    /// A name or an endpoint that is none.
    pub fn bucket(bucket: &Bucket<'_>, http: reqwest::Client) -> Result<Self, MediaError> {
        let endpoint = bucket.endpoint();
        let is_plain = endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
        let builder = AmazonS3Builder::new()
            .with_bucket_name(bucket.name)
            .with_region(bucket.region)
            .with_access_key_id(bucket.access_key_id)
            .with_secret_access_key(bucket.secret_access_key)
            .with_virtual_hosted_style_request(bucket.addressing == Addressing::VirtualHost)
            .with_allow_http(is_plain)
            // One at a time is what every storage understands.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES,
                retry_timeout: RETRY_WITHIN,
            })
            .with_http_connector(Given(http));
        let builder = match endpoint {
            Some(url) => builder.with_endpoint(url),
            None => builder,
        };
        Ok(Self(Arc::new(builder.build()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_path_or_in_the_host() {
        let endpoint = |addressing, endpoint| {
            let bucket = Bucket {
                name: "pictures",
                endpoint,
                region: "eu-west-3",
                addressing,
                access_key_id: "id",
                secret_access_key: "key",
            };
            bucket.endpoint()
        };
        let url = Some("https://s3.example.com:9000/");
        assert_eq!(
            endpoint(Addressing::Path, url).unwrap(),
            "https://s3.example.com:9000"
        );
        assert_eq!(
            endpoint(Addressing::VirtualHost, url).unwrap(),
            "https://pictures.s3.example.com:9000"
        );
        assert_eq!(endpoint(Addressing::VirtualHost, None), None);
    }
}
