//! The OpenAPI document, judged by Schemathesis: whatever it sends, the server answers as its document says.

mod heavy {
    use serde_json::json;
    use tokio::process::Command;

    use crate::support::api::Api;
    use crate::support::load::{LINES, Team};
    use crate::support::program::{Place, finish, text};
    use crate::support::python::{piped, programs};
    use crate::support::tell;

    const CHECKS: &str =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        judge(Place::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        judge(Place::postgres()).await;
    }

    async fn judge(place: Place) {
        let programs = programs().await;
        let team = Team::make(&place).await;
        let place = place.with("TRUNKLINE_LOG_FILTER", "warn");
        let server = place.serve().await;
        furnish(&Api::new(&server.url, &team.key)).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut st = Command::new(programs.join("st"));
        st.current_dir(folder.path());
        st.env(
            "SCHEMATHESIS_HOOKS",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/schemathesis_hooks.py"),
        );
        st.args([
            "run",
            &format!("{}/openapi.json", server.url),
            "--header",
            &format!("Authorization: Api-Key {}", team.key),
        ]);
        // The live feed goes on for ever.
        st.args(["--exclude-path", "/v2/api/events"]);
        st.args([
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "25",
            "--seed",
            "1",
        ]);
        // Python 3.11 counts the depth of its parser, which Hypothesis calls, for all threads together: with two at
        // work it fails now and then ("AST constructor recursion depth mismatch").
        st.args(["--generation-deterministic", "--workers", "1", "--no-color"]);
        st.args([
            "--continue-on-failure",
            "--output-truncate",
            "true",
            "--warnings",
            "off",
        ]);
        st.args([
            "--suppress-health-check",
            "all",
            "--report",
            "junit",
            "--report-dir",
            text(folder.path()),
        ]);
        let said = finish(piped(st), None).await;
        if said.code != 0 {
            server.explain();
        }
        assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
        let cases = said
            .out
            .lines()
            .filter(|line| line.contains("generated") || line.contains("passed"));
        tell(cases.collect::<Vec<_>>().join("\n"));
        server.stop().await;
    }

    /// Something to be found, so that more than empty answers are judged.
    async fn furnish(api: &Api) {
        let call = json!({
            "from": "+14155551234", "to": LINES[0], "speed": 1_000, "summary": "# Asked", "tags": ["vip"],
            "ivr": [{ "dtmf_key": "2", "text_key": "Support" }],
            "lines": [{ "source": "EXTERNAL", "at": 1, "text": "Hello about the bill" }],
        });
        assert_eq!(api.post("/sandbox/calls", &call).await.status, 201);
        let text = json!({ "from": "+14155551234", "to": LINES[0], "content": "Hi", "media_urls": ["https://a.example/1"] });
        assert_eq!(api.post("/sandbox/messages", &text).await.status, 201);
    }
}
