//! Every command, from its arguments to what it prints and what it leaves behind.

mod accounts;
mod keys_lost;
mod running;
mod secrets;
mod upkeep;

use crate::support::program::Place;

/// Every command with its options; `--help` of each mentions them.
const COMMANDS: [(&[&str], &[&str]); 23] = [
    (&["demo"], &["--listen", "--no-traffic", "--every"]),
    (&["serve"], &["--listen"]),
    (&["keys"], &["create", "list", "revoke"]),
    (&["keys", "create"], &["--name", "--team", "--user", "--scopes"]),
    (&["keys", "list"], &["--team", "--json"]),
    (&["keys", "revoke"], &["<ID>", "--team"]),
    (&["teams"], &["create", "update", "list"]),
    (
        &["teams", "create"],
        &["<NAME>", "--time-zone", "--country", "--sandbox", "--trial"],
    ),
    (
        &["teams", "update"],
        &[
            "--team",
            "--name",
            "--plan",
            "--read-per-second",
            "--write-per-second",
            "--create-tags",
        ],
    ),
    (&["users", "create"], &["<NAME>", "--email", "--role", "--team"]),
    (
        &["numbers", "add"],
        &[
            "[NUMBER]",
            "--sender-id",
            "--name",
            "--carrier",
            "--twilio-account-sid",
            "--twilio-auth-token-file",
            "--capabilities",
            "--members",
            "--team",
        ],
    ),
    (&["numbers", "list"], &["--team", "--json"]),
    (&["partners"], &["list", "hand-over"]),
    (&["partners", "list"], &["--team", "--json"]),
    (&["partners", "hand-over"], &["--from", "--to", "--team"]),
    (
        &["seed"],
        &["--items", "--teams", "--days", "--transcripts", "--random"],
    ),
    (&["export"], &["<DIR>", "--team"]),
    (
        &["import", "team"],
        &["<DIR>", "--secret-key-file", "--without-secrets"],
    ),
    (&["reindex"], &["Delete the text index"]),
    (&["doctor"], &["--json"]),
    (&["migrate"], &["this program's version", "--new-secret-key"]),
    (&["openapi"], &["OpenAPI"]),
    (
        &["trigger"],
        &["<TOPIC>", "--url", "--key", "--from", "--to", "--text"],
    ),
];

/// What every command understands.
const COMMON: [&str; 3] = ["--config", "--data-dir", "--database"];

#[tokio::test]
async fn help_mentions_every_option() {
    let place = Place::sqlite();
    let all = place.run(&["--help"]).await.ok();
    for (command, options) in COMMANDS {
        assert!(all.contains(command[0]), "--help does not mention {}", command[0]);
        let help = place.run(&[command, &["--help"]].concat()).await.ok();
        let missing: Vec<_> = options
            .iter()
            .chain(&COMMON)
            .filter(|option| !help.contains(**option))
            .collect();
        assert!(
            missing.is_empty(),
            "{command:?} --help lacks {missing:?}:\n{help}"
        );
    }
    assert!(all.contains("Exit codes"), "{all}");
    assert!(place.run(&["--version"]).await.ok().starts_with("trunkline "));
    assert!(!place.data.exists(), "asking for help makes a data folder");
}
