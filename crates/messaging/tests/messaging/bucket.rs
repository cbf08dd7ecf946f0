//! A bucket that does not answer, or not as a storage does: what is asked of it ends, after a few tries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use trunkline_domain::{MediaId, Millis, SeededIds};
use trunkline_messaging::media::{Addressing, Bucket, MediaError, MediaStore};
use trunkline_store::TeamKey;
use trunkline_testkit::catcher::{Answer, Catcher};

fn store(url: &str, time_limit: Duration) -> MediaStore {
    let http = trunkline_testkit::http::client_builder()
        .timeout(time_limit)
        .no_proxy()
        .build()
        .unwrap();
    let bucket = Bucket {
        name: "pictures",
        endpoint: Some(url),
        region: "us-east-1",
        addressing: Addressing::Path,
        access_key_id: "AKID",
        secret_access_key: "very-secret",
    };
    MediaStore::bucket(&bucket, http).unwrap()
}

fn medium() -> MediaId {
    MediaId::new(&SeededIds::new(9), Millis(1_776_679_200_000))
}

#[tokio::test]
async fn a_silent_bucket_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut begin = [0; 4];
            if stream.read_exact(&mut begin).await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
            silent.push(stream);
        }
    });
    let store = store(&url, Duration::from_millis(200));
    let told = MediaError::Failed("the storage does not answer in time".to_owned());
    assert_eq!(store.get(TeamKey(1), medium()).await, Err(told.clone()));
    assert_eq!(asked.swap(0, Ordering::SeqCst), 3);
    assert_eq!(
        store.put(TeamKey(1), medium(), "x".into()).await,
        Err(told.clone())
    );
    assert_eq!(asked.swap(0, Ordering::SeqCst), 3);
    assert_eq!(store.delete(TeamKey(1), medium()).await, Err(told));
    assert_eq!(asked.swap(0, Ordering::SeqCst), 3);
}

/// A proxy on the way, or a storage whose bucket is elsewhere.
#[tokio::test]
async fn a_404_that_does_not_speak_of_the_key_is_a_failure() {
    let answering = Catcher::start().await;
    let store = store(answering.url().trim_end_matches("/hook"), Duration::from_secs(20));
    for told in [
        "404 page not found",
        "",
        "<Error><Code>NoSuchBucket</Code><Message>It is elsewhere</Message></Error>",
    ] {
        answering.answer(Answer::status(404).body(told));
        let read = store.get(TeamKey(1), medium()).await;
        assert!(matches!(read, Err(MediaError::Failed(_))), "{told}: {read:?}");
        let deleted = store.delete(TeamKey(1), medium()).await;
        assert!(
            matches!(deleted, Err(MediaError::Failed(_))),
            "{told}: {deleted:?}"
        );
    }
    let told = "<Error><Code>NoSuchKey</Code><Message>It is not here</Message></Error>";
    answering.answer(Answer::status(404).body(told));
    let read = store.get(TeamKey(1), medium()).await;
    assert_eq!(read, Err(MediaError::Missing));
    assert_eq!(store.delete(TeamKey(1), medium()).await, Ok(()));
}

#[tokio::test]
async fn a_bucket_that_nobody_listens_for_is_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = store(&url, Duration::from_secs(20));
    let error = store.get(TeamKey(1), medium()).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    let error = store.probe(&SeededIds::new(1), Millis(5)).await.unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("nothing can be written: ") && told.contains("refused"),
        "{told}"
    );
}
