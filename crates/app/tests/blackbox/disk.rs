//! A disk that is full, and one that does not keep what it is given: nothing is acknowledged that is not kept, reads
//! go on, and when the disk is well again the server is too, without a new start.

mod heavy {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use serde_json::json;
    use tokio::process::Command;
    use tokio::task::JoinHandle;

    use crate::support::api::{Api, in_query};
    use crate::support::load::{Attempt, LINES, Load, Pace, Team, close, database, repeat_some};
    use crate::support::program::{Place, Server, text};
    use crate::support::shim::Shim;
    use crate::support::truth::{self, Live};
    use crate::support::{eventually, now, since, tell};

    const PACE: Pace = Pace {
        clients: 4,
        pause_ms: 10,
        long_calls: 20,
    };

    /// Calls that are played while the disk is bad.
    const SLOW_CALLS: usize = 10;

    /// How long the disk stays bad.
    const BAD_FOR: Duration = Duration::from_secs(6);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn full() {
        let Some(disk) = small_disk().await else { return };
        let place = Place::at(disk.join("data"));
        let team = Team::make(&place).await;
        let server = place.serve().await;
        let load = Load::start(Api::new(&server.url, &team.key), PACE, 1);
        wait_for_writes(&load, 200).await;
        // What happens to these falls into the bad time.
        for _ in 0..SLOW_CALLS {
            load.slow_call().await;
        }

        let ballast = Ballast::fill(disk.join("ballast"));
        let start = now();
        eventually(
            Duration::from_secs(60),
            "a write meets the full disk",
            async || {
                load.attempts(start)
                    .iter()
                    .any(|attempt| attempt.status == 503)
                    .then_some(())
            },
        )
        .await;
        let full = now();
        assert_reads_answer(&load.api, full).await;
        let attempts = load.attempts(full);
        let refused = count(&attempts, 503);
        // A little may still be written where the index gave room back before the ballast took it.
        assert!(
            refused >= 20 && count(&attempts, 201) <= refused / 10,
            "{attempts:?}"
        );
        let none = attempts.iter().all(|attempt| attempt.status != 0);
        assert!(none, "a connection broke while the disk was full: {attempts:?}");

        ballast.drop_it().await;
        recovers(&place, server, load, refused).await;

        // Who asks, and who starts it, is told what is wrong.
        let ballast = Ballast::fill(disk.join("ballast"));
        eventually(Duration::from_secs(10), "doctor notices", async || {
            let findings = place.run(&["doctor", "--json"]).await;
            let failed = |check: &str| {
                findings
                    .out
                    .contains(&format!("\"check\": \"{check}\",\n    \"verdict\": \"failed\""))
            };
            // Where not even a page is left, the database does not open.
            let unusable = failed("writing") || failed("database");
            (findings.code == 3 && failed("disk") && unusable).then_some(())
        })
        .await;
        for place in [&place, &Place::at(disk.join("new"))] {
            let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused(1);
            assert!(said.contains("the disk is full"), "{said}");
        }
        ballast.drop_it().await;
        place.serve().await.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failing_fsync() {
        let shim = Shim::compile().await;
        let place = shim.around(Place::sqlite());
        let team = Team::make(&place).await;
        let server = place.serve().await;
        let load = Load::start(Api::new(&server.url, &team.key), PACE, 2);
        wait_for_writes(&load, 200).await;
        for _ in 0..SLOW_CALLS {
            load.slow_call().await;
        }

        shim.fail();
        let failing = now();
        assert_reads_answer(&load.api, failing).await;
        let attempts = load.attempts(failing);
        let refused = count(&attempts, 503);
        assert!(refused >= 20, "{attempts:?}");
        assert!(
            attempts.iter().all(|attempt| attempt.status == 503),
            "{attempts:?}"
        );
        shim.work();
        wait_for_writes(&load, load.acknowledged() + 100).await;

        // Once more, and now the power goes.
        shim.fail();
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.kill().await;
        shim.work();
        let server = place.serve().await;
        load.api.moved(&server.url);
        recovers(&place, server, load, refused).await;
    }

    /// The disk is well again: writes are acknowledged, searches find everything, calls come to their end, and
    /// everything acknowledged is there after the next start.
    async fn recovers(place: &Place, server: Server, load: Load, refused: usize) {
        let well = now();
        wait_for_writes(&load, load.acknowledged() + 100).await;
        let attempts = load.attempts(well);
        let first = attempts
            .iter()
            .find(|attempt| attempt.status / 100 == 2)
            .expect("an acknowledged write");
        let after = first.began.duration_since(well).as_millis();
        tell(format!(
            "{refused} writes were refused; the first that was taken again began {after} ms after the disk was well"
        ));
        let api = load.api.clone();
        let done = load.finish().await;
        repeat_some(&api, &done, 100).await;
        let before = truth::read(place).await;
        eventually(
            Duration::from_secs(60),
            "the text index has everything",
            async || {
                let found = api.count("words found again").await;
                (found == i64::try_from(before.texts.len()).expect("a count")).then_some(())
            },
        )
        .await;
        // Played calls go on where the disk interrupted them; those that ring for two minutes still ring.
        let db = database(place);
        let ringing = done.iter().filter(|done| done.rings_long()).count();
        eventually(
            Duration::from_secs(30),
            "calls come to their end without a new start",
            async || {
                let live = truth::live(&db, Live::Any).await;
                (live <= i64::try_from(ringing).expect("a count")).then_some(())
            },
        )
        .await;
        close(db).await;
        server.stop().await;
        let server = place.serve().await;
        api.moved(&server.url);
        assert_eq!(api.get("/v2/api/me").await.status, 200);
        server.stop().await;
        truth::read(place).await.assert_agrees_with(&done);
    }

    async fn wait_for_writes(load: &Load, enough: usize) {
        let written = async || (load.acknowledged() >= enough).then_some(());
        eventually(Duration::from_secs(60), "writes are acknowledged", written).await;
    }

    /// While the disk is bad, reads of every kind are answered.
    async fn assert_reads_answer(api: &Api, start: Instant) {
        let list = format!("/v2/api/conversations?allo_number={}&size=5", in_query(LINES[0]));
        let mut rounds = 0;
        while since(start) < BAD_FOR {
            let page = api.get(&list).await;
            let item = page.data()[0]["last_item"]["id"]
                .as_str()
                .expect("the last item")
                .to_owned();
            assert_eq!(
                api.get(&format!("/v2/api/conversations/items/{item}"))
                    .await
                    .data()["id"],
                item.as_str()
            );
            assert_eq!(api.get("/v2/api/me").await.status, 200);
            assert!(api.count("words found again").await > 0);
            let everything = api.search(&json!({ "type": "SMS" })).await;
            assert!(everything["pagination"]["total_count"].as_i64().expect("a count") > 0);
            rounds += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            rounds >= 3,
            "reads are slow while the disk is bad: {rounds} rounds in {BAD_FOR:?}"
        );
    }

    fn count(attempts: &[Attempt], status: u16) -> usize {
        attempts.iter().filter(|attempt| attempt.status == status).count()
    }

    /// Where the small disk is, in the process that has one.
    const SMALL_DISK: &str = "TRUNKLINE_TEST_SMALL_DISK";

    /// Runs this test once more, in a mount namespace with a disk of a few megabytes that goes away with it. In there,
    /// the folder of the disk; outside `None`, when the test has passed in there.
    async fn small_disk() -> Option<PathBuf> {
        if let Some(folder) = std::env::var_os(SMALL_DISK) {
            return Some(folder.into());
        }
        let (folder, program) = (
            tempfile::tempdir().expect("a temporary folder"),
            std::env::current_exe(),
        );
        let (disk, mounted) = (folder.path().join("disk"), folder.path().join("mounted"));
        fs::create_dir(&disk).expect("a folder for the disk");
        let script = "mount -t tmpfs -o size=40m tmpfs \"$1\" && : >\"$2\" && exec \"$3\" --exact disk::heavy::full --nocapture";
        let program = program.expect("the path of this program");
        // Root needs no namespace of users; everybody else may mount in one of their own.
        for flags in [&["--mount"][..], &["--mount", "--map-root-user"]] {
            let mut command = Command::new("unshare");
            command.args(flags).args([
                "sh",
                "-c",
                script,
                "sh",
                text(&disk),
                text(&mounted),
                text(&program),
            ]);
            let ended = command.env(SMALL_DISK, &disk).kill_on_drop(true).status().await;
            let status = ended.unwrap_or_else(|error| {
                panic!("`unshare` cannot be run ({error}); install it with `cargo xtask setup --install`")
            });
            if mounted.exists() {
                assert!(status.success(), "the test failed on its small disk");
                return None;
            }
        }
        panic!(
            "this test fills a disk of its own and may not mount one (unshare says why, above): run it as root, or allow \
             namespaces of unprivileged users (sysctl kernel.unprivileged_userns_clone=1)"
        );
    }

    /// A file that takes all the room there is, and takes it again when some becomes free.
    struct Ballast {
        path: PathBuf,
        stop: Arc<AtomicBool>,
        filling: JoinHandle<()>,
    }

    impl Ballast {
        fn fill(path: PathBuf) -> Self {
            let stop = Arc::new(AtomicBool::new(false));
            let mut file = File::create(&path).expect("the ballast");
            let stopped = stop.clone();
            let filling = tokio::task::spawn_blocking(move || {
                let block = vec![b'b'; 4_096];
                while !stopped.load(Ordering::SeqCst) {
                    if file.write_all(&block).is_err() {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
            });
            Self { path, stop, filling }
        }

        async fn drop_it(mut self) {
            self.stop.store(true, Ordering::SeqCst);
            (&mut self.filling).await.expect("the thread of the ballast");
            fs::remove_file(&self.path).expect("the ballast is removed");
        }
    }

    impl Drop for Ballast {
        /// A test that failed does not wait for it.
        fn drop(&mut self) {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}
