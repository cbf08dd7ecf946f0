//! Where media are kept: a folder, or a bucket.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use trunkline_domain::{Ids, MediaId, Millis};
use trunkline_store::TeamKey;

/// The most that is told of a failure, in characters.
const TOLD: usize = 200;

/// Why a storage did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// There is no such medium in it.
    #[error("there is no such medium in the storage")]
    Missing,
    /// It failed, or refused. What it says holds no secret.
    #[error("{0}")]
    Failed(String),
}

impl From<object_store::Error> for MediaError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error;
        let text = error.to_string();
        let code = within(&text, "Code");
        match &error {
            Error::NotFound { source, .. } if code == Some("NoSuchKey") || is_of_folder(&**source) => {
                Self::Missing
            }
            // Any other 404 is a mistaken bucket's, or of something between us and the storage: nothing is lost by that.
            _ => Self::Failed(told(&error, code, within(&text, "Message"))),
        }
    }
}

/// Whether it is a file system that has no such file.
fn is_of_folder(source: &(dyn std::error::Error + 'static)) -> bool {
    let error = source.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// What stands in the first XML element of this name: storages say so why they refuse (Amazon S3 API Reference, "Error
/// responses").
fn within<'t>(text: &'t str, element: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{element}>"))?;
    rest.split_once('<').map(|(inner, _)| inner)
}

/// The failure in a line: what the storage says, or else the last cause.
fn told(error: &object_store::Error, code: Option<&str>, message: Option<&str>) -> String {
    let text = match code {
        Some(code) => format!("{code}: {}", message.unwrap_or("no more is told")),
        None => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(next) = cause.source() {
                cause = next;
            }
            cause.to_string()
        }
    };
    let in_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    in_line.take(TOLD).collect()
}

/// Where media are kept.
#[derive(Clone)]
pub struct MediaStore(pub(super) Arc<dyn ObjectStore>);

impl MediaStore {
    /// Keeps them in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Keeps them in a folder, which is made if it is not there. What is kept outlives a power cut.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn folder(folder: &std::path::Path) -> Result<Self, MediaError> {
        std::fs::create_dir_all(folder).map_err(|error| MediaError::Failed(error.to_string()))?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder)?;
        Ok(Self(Arc::new(store.with_fsync(true))))
    }

    fn place(team: TeamKey, id: MediaId) -> Path {
        Path::from(format!("{}/{id}", team.0))
    }

    /// The bytes of a medium.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn get(&self, team: TeamKey, id: MediaId) -> Result<Bytes, MediaError> {
        self.read(&Self::place(team, id)).await
    }

    async fn read(&self, place: &Path) -> Result<Bytes, MediaError> {
        Ok(self.0.get(place).await?.bytes().await?)
    }

    /// Keeps a medium.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn put(&self, team: TeamKey, id: MediaId, bytes: Bytes) -> Result<(), MediaError> {
        self.0.put(&Self::place(team, id), bytes.into()).await?;
        Ok(())
    }

    /// Deletes a medium; one that is not there is no error.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn delete(&self, team: TeamKey, id: MediaId) -> Result<(), MediaError> {
        match self
            .0
            .delete(&Self::place(team, id))
            .await
            .map_err(MediaError::from)
        {
            Err(MediaError::Missing) => Ok(()),
            deleted => deleted,
        }
    }

    /// Tries what is done with media: writes something beside them, reads it, deletes it.
    ///
    /// # Errors
    /// Of the storage, with what could not be done.
    pub async fn probe(&self, ids: &dyn Ids, now: Millis) -> Result<(), MediaError> {
        let failed = |what: &str, error: MediaError| MediaError::Failed(format!("{what}: {error}"));
        let name = MediaId::new(ids, now).to_string();
        let (place, written) = (Path::from(format!("probe-{name}")), Bytes::from(name));
        self.0
            .put(&place, written.clone().into())
            .await
            .map_err(|error| failed("nothing can be written", error.into()))?;
        let read = self.read(&place).await;
        self.0
            .delete(&place)
            .await
            .map_err(|error| failed("nothing can be deleted", error.into()))?;
        let read = read.map_err(|error| failed("nothing can be read", error))?;
        if read != written {
            return Err(MediaError::Failed(
                "what is read is not what was written".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    fn missing(body: &str) -> MediaError {
        let error = object_store::Error::NotFound {
            path: "1/med".to_owned(),
            source: format!("Server returned non-2xx status code: 404 Not Found: {body}").into(),
        };
        error.into()
    }

    #[test]
    fn only_a_missing_key_is_a_missing_medium() {
        let body = "<Error><Code>NoSuchKey</Code><Message>The key does not exist</Message></Error>";
        assert_eq!(missing(body), MediaError::Missing);
        for bare in ["", "404 page not found"] {
            assert!(matches!(missing(bare), MediaError::Failed(_)), "{bare}");
        }
        let body = "<Error><Code>NoSuchBucket</Code><Message>There is\nno such bucket</Message></Error>";
        let told = MediaError::Failed("NoSuchBucket: There is no such bucket".to_owned());
        assert_eq!(missing(body), told);
    }

    #[test]
    fn failures_are_told_in_a_line() {
        let error = object_store::Error::Generic {
            store: "S3",
            source: std::io::Error::other(format!("over{}", "x".repeat(500))).into(),
        };
        let MediaError::Failed(told) = MediaError::from(error) else {
            panic!("it is not missing")
        };
        assert_eq!(told.chars().count(), TOLD);
        assert!(told.starts_with("overx"), "{told}");
    }

    #[tokio::test]
    async fn a_folder_is_tried_and_left_as_it_was() {
        let folder = std::env::temp_dir().join(format!("trunkline-media-{}", std::process::id()));
        let store = MediaStore::folder(&folder).unwrap();
        let (ids, now) = (SeededIds::new(3), Millis(1_776_679_200_000));
        store.probe(&ids, now).await.unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        let id = MediaId::new(&ids, now);
        assert_eq!(store.get(TeamKey(1), id).await, Err(MediaError::Missing));
        store.delete(TeamKey(1), id).await.unwrap();
        store.put(TeamKey(1), id, Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(store.get(TeamKey(1), id).await.unwrap(), "x");
        assert_eq!(store.get(TeamKey(2), id).await, Err(MediaError::Missing));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
