//! Where media are kept: the section `media` of the configuration.

use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use trunkline_domain::{Clock, Ids, Millis};
use trunkline_messaging::media::{self, Bucket, MediaStore};
use trunkline_store::{Db, Location, StoreError, jobs, nodes};
use trunkline_switchboard::media::ERASE_JOB;
use trunkline_switchboard::sweeper::NODE_TIMEOUT;

use crate::config::Config;
use crate::{open, outgoing, output};

/// How long a request to an object storage may take, connecting included.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The folder of media in the data folder.
const FOLDER: &str = "media";

/// What is wrong with nodes that keep media apart.
pub const APART: &str = "several nodes were seen within half a minute, and each keeps media in a folder of its own: what one \
                         has fetched, the others do not show and cannot erase; name a bucket (media.bucket), or one folder \
                         that all of them see (media.folder)";

/// Has no useful `Debug`: it may hold a secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    pub folder: PathBuf,
    pub bucket: String,
    pub endpoint: String,
    pub region: String,
    pub addressing: Addressing,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub secret_access_key_file: PathBuf,
}

/// Where the name of the bucket is in a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// In the host at Amazon's, in the path elsewhere.
    #[default]
    Auto,
    Path,
    VirtualHost,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            bucket: String::new(),
            endpoint: String::new(),
            region: "us-east-1".into(),
            addressing: Addressing::default(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            secret_access_key_file: PathBuf::new(),
        }
    }
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Media {{ {}, <hidden> }}", self.place())
    }
}

impl Media {
    /// Values that make no sense.
    ///
    /// # Errors
    /// Each named.
    pub fn check(&self) -> Result<()> {
        if self.bucket.is_empty() {
            let of_bucket = [
                ("media.endpoint", !self.endpoint.is_empty()),
                ("media.access_key_id", !self.access_key_id.is_empty()),
                ("media.secret_access_key", !self.secret_access_key.is_empty()),
                (
                    "media.secret_access_key_file",
                    is_named(&self.secret_access_key_file),
                ),
            ];
            for (key, is_set) in of_bucket {
                ensure!(!is_set, "{key} belongs to a bucket: name that in media.bucket");
            }
            return Ok(());
        }
        ensure!(
            !is_named(&self.folder),
            "media.folder and media.bucket are two places, and media are kept in one: set one of them"
        );
        ensure!(
            (3..=63).contains(&self.bucket.len()) && is_part(&self.bucket),
            "media.bucket must be the name of a bucket alone, 3 to 63 letters, digits, dots and hyphens; where the \
             storage is goes into media.endpoint"
        );
        ensure!(
            is_part(&self.region),
            "media.region must be the name of a region, such as eu-west-3 (storages without regions take us-east-1)"
        );
        self.check_endpoint()?;
        self.check_key()
    }

    fn check_endpoint(&self) -> Result<()> {
        if self.endpoint.is_empty() {
            return Ok(());
        }
        let url = Url::parse(&self.endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let is_bare = |url: &Url| {
            let has_key = !url.username().is_empty() || url.password().is_some();
            !has_key && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
        };
        // The URL itself is not told: whoever puts a key into it would find it in the log.
        let Some(host) = url
            .filter(is_bare)
            .and_then(|url| url.host_str().map(str::to_owned))
        else {
            anyhow::bail!(
                "media.endpoint must be the URL of the storage alone, such as https://s3.example.com: no bucket, no path, \
                 no credentials"
            )
        };
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        ensure!(
            self.addressing != Addressing::VirtualHost || !is_address,
            "media.addressing = \"virtual-host\" puts the bucket before the host of media.endpoint, which is an address: \
             use a name, or \"path\""
        );
        Ok(())
    }

    fn check_key(&self) -> Result<()> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let (id, secret) = (&self.access_key_id, &self.secret_access_key);
        ensure!(
            is_word(id) && !id.contains(['/', ',']),
            "media.bucket needs media.access_key_id, the id of an access key"
        );
        ensure!(
            secret.is_empty() == is_named(&self.secret_access_key_file),
            "media.bucket needs either media.secret_access_key or media.secret_access_key_file"
        );
        ensure!(
            secret.is_empty() || is_word(secret),
            "media.secret_access_key has spaces or other characters in it that no key has"
        );
        Ok(())
    }

    fn secret(&self) -> Result<String> {
        let file = &self.secret_access_key_file;
        if !is_named(file) {
            return Ok(self.secret_access_key.clone());
        }
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{shown} (media.secret_access_key_file) cannot be read"))?;
        ensure!(
            !text.trim().is_empty(),
            "{shown} (media.secret_access_key_file) is empty"
        );
        Ok(text.trim().to_owned())
    }

    /// How a bucket is addressed. Certificates are for one label before the storage's host, so a name with dots stays in
    /// the path.
    fn addressing(&self) -> media::Addressing {
        match self.addressing {
            Addressing::Auto if self.endpoint.is_empty() && !self.bucket.contains('.') => {
                media::Addressing::VirtualHost
            }
            Addressing::VirtualHost => media::Addressing::VirtualHost,
            Addressing::Auto | Addressing::Path => media::Addressing::Path,
        }
    }

    /// Where they are, for people; a folder of the data folder is not named.
    fn place(&self) -> String {
        if !self.bucket.is_empty() {
            format!("the bucket {}", self.bucket)
        } else if is_named(&self.folder) {
            format!("the folder {}", self.folder.display())
        } else {
            "the data folder".to_owned()
        }
    }
}

fn is_named(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

/// What may stand in a host and in a path.
fn is_part(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// The folder of media in the data folder, if they are kept there.
fn own_folder(config: &Config) -> Option<PathBuf> {
    let is_own = config.media.bucket.is_empty() && !is_named(&config.media.folder);
    is_own.then(|| config.storage.data_dir.join(FOLDER))
}

/// Where media are kept. The bucket is not asked for anything yet. A folder that the operator has named is not made: where a
/// share is to be mounted and is not, media would land beside it, and what is erased would stay in it.
///
/// # Errors
/// A folder that cannot be made, or is named and not there, a secret that cannot be read.
pub fn store(config: &Config) -> Result<MediaStore> {
    let media = &config.media;
    if let Some(folder) = own_folder(config) {
        open::data_dir(config)?;
        let what = || format!("the folder of media {} cannot be made", folder.display());
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(what)?;
        return MediaStore::folder(&folder).with_context(what);
    }
    if media.bucket.is_empty() {
        let shown = media.folder.display();
        ensure!(
            media.folder.is_dir(),
            "the folder {shown} (media.folder) is not there: mount what it belongs to, or make it; the server does not"
        );
        return MediaStore::folder(&media.folder)
            .with_context(|| format!("the folder {shown} (media.folder) cannot be opened"));
    }
    let secret = media.secret()?;
    let bucket = Bucket {
        name: &media.bucket,
        endpoint: Some(media.endpoint.as_str()).filter(|url| !url.is_empty()),
        region: &media.region,
        addressing: media.addressing(),
        access_key_id: &media.access_key_id,
        secret_access_key: &secret,
    };
    let http = outgoing::http(Some(REQUEST_LIMIT), &config.webhooks.ca_file)?;
    MediaStore::bucket(&bucket, http).context("media.bucket")
}

/// Writes something where media are kept, reads it and deletes it. Returns where that was; `None`: the first start of the
/// server makes the folder.
///
/// # Errors
/// What failed.
pub async fn probe(config: &Config, ids: &dyn Ids, clock: &dyn Clock) -> Result<Option<String>> {
    let media = &config.media;
    if own_folder(config).is_some_and(|folder| !folder.exists()) {
        return Ok(None);
    }
    let place = media.place();
    let store = store(config)?;
    store
        .probe(ids, clock.now())
        .await
        .with_context(|| format!("media cannot be kept in {place}"))?;
    Ok(Some(place))
}

/// Tries the bucket when the server starts, and tells the log. A server whose bucket is down does everything else.
pub async fn tell(config: Config, ids: &dyn Ids, clock: &dyn Clock) {
    if config.media.bucket.is_empty() {
        return;
    }
    match probe(&config, ids, clock).await {
        Ok(_) => tracing::info!(bucket = %config.media.bucket, "media are kept in a bucket, which was tried"),
        Err(error) => tracing::error!(
            error = %output::explain(&error),
            "pictures are not shown and not fetched until this is mended; `trunkline doctor` tries it again"
        ),
    }
}

/// Looks once for nodes that keep their media apart, and tells the log: after as long as it takes to know that a node is
/// gone, so that a server that was killed and started again does not take itself for another, and the first of several
/// nodes knows of those that were started with it.
pub async fn tell_apart(config: Config, db: Db, clock: &dyn Clock) {
    if own_folder(&config).is_none() {
        return;
    }
    tokio::time::sleep(Duration::from_millis(NODE_TIMEOUT.unsigned_abs())).await;
    match apart(&config, &db, clock.now()).await {
        Ok(0 | 1) => {}
        Ok(_) => tracing::warn!("{APART}"),
        Err(error) => {
            tracing::warn!(error = %error, "nodes that keep their media apart could not be looked for")
        }
    }
}

/// How many nodes work on the database, if each keeps its media in a folder of its own: what one has, the others do not
/// show and cannot erase. A bucket, or a folder that the operator has named, is everybody's: 0.
///
/// # Errors
/// The store's failure.
pub async fn apart(config: &Config, db: &Db, now: Millis) -> Result<usize, StoreError> {
    if own_folder(config).is_none() || matches!(open::location(config), Location::Sqlite(_)) {
        return Ok(0);
    }
    let since = now.plus(-NODE_TIMEOUT);
    let nodes = db.read(move |conn| nodes::alive(conn, since)).await?;
    Ok(nodes.len())
}

/// How many files of erased people are still to be deleted although that was tried. Those that wait for a fetch are none.
///
/// # Errors
/// The store's failure.
pub async fn undeleted(db: &Db) -> Result<i64, StoreError> {
    db.scan(|conn| jobs::failing(conn, ERASE_JOB)).await
}
