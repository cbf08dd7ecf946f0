//! Configuration: one TOML file, every key with a default, `TRUNKLINE_<SECTION>_<KEY>` in the environment above it,
//! flags above both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use toml::Value;
use trunkline_server::http::proxies::Proxies;

use crate::{media, outgoing, partners, texts};

/// The whole configuration. `trunkline.example.toml` documents each key; a test keeps the two together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub metrics: Metrics,
    pub storage: Storage,
    pub media: media::Media,
    pub database: Database,
    pub search: Search,
    pub events: Events,
    pub webhooks: Webhooks,
    pub mail: Mail,
    pub security: Security,
    pub twilio: Twilio,
    pub texts: Texts,
    pub partners: partners::Section,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    pub public_url: String,
    pub request_timeout_seconds: u64,
    pub shutdown_timeout_seconds: u64,
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: String::new(),
            request_timeout_seconds: 30,
            shutdown_timeout_seconds: 20,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    pub listen: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8081".into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    pub data_dir: PathBuf,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data_dir: "trunkline-data".into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub queue: usize,
    pub cache_kib: u32,
    pub vacuum_mib: u32,
    pub connections: usize,
    pub scan_connections: usize,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: String::new(),
            queue: 4_096,
            cache_kib: 4_096,
            vacuum_mib: 128,
            connections: 8,
            scan_connections: 2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    pub wait_ms: u64,
    pub memory_mib: usize,
    pub people: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            wait_ms: 1_000,
            memory_mib: 64,
            people: 2_000_000,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    pub keep_days: u32,
}

impl Default for Events {
    fn default() -> Self {
        Self { keep_days: 90 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    pub concurrency: usize,
    pub in_flight: usize,
    pub keep_days: u32,
    pub allow_http: bool,
    pub allow_hosts: Vec<String>,
    pub ca_file: PathBuf,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            concurrency: 8,
            in_flight: 512,
            keep_days: 30,
            allow_http: false,
            allow_hosts: Vec::new(),
            ca_file: PathBuf::new(),
        }
    }
}

/// Has no useful `Debug`: the URL may hold a password.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    pub url: String,
    pub from: String,
    pub invitations_per_day: u32,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            url: String::new(),
            from: String::new(),
            invitations_per_day: 100,
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.url.is_empty() {
            "Mail { off }"
        } else {
            "Mail { <hidden> }"
        })
    }
}

/// Has no useful `Debug`: it may hold a secret.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    pub secret_key: String,
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.secret_key.is_empty() {
            "Security { from file }"
        } else {
            "Security { <hidden> }"
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Twilio {
    pub base_url: String,
}

impl Default for Twilio {
    fn default() -> Self {
        Self {
            base_url: "https://api.twilio.com".into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    pub forbidden_words: Vec<String>,
    pub forbidden_links: Vec<String>,
    pub trial_per_day: i64,
    pub api_per_day: i64,
    pub number_per_day: i64,
    pub number_per_second: f64,
    pub carrier_per_second: f64,
    pub in_flight: usize,
    pub give_up_after_hours: u32,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            forbidden_words: Vec::new(),
            forbidden_links: Vec::new(),
            trial_per_day: 0,
            api_per_day: 0,
            number_per_day: 0,
            number_per_second: 10.0,
            carrier_per_second: 100.0,
            in_flight: 512,
            give_up_after_hours: 24,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What `search.people` may be at most: people have numbers of 32 bits in the index.
const MOST_PEOPLE: u64 = 100_000_000;

/// What the prefix of all environment variables is.
pub const PREFIX: &str = "TRUNKLINE_";

/// Variables with the prefix that are no configuration keys: flags have them too, and tests.
const OTHER_VARIABLES: [&str; 5] = [
    "TRUNKLINE_CONFIG",
    "TRUNKLINE_DATA_DIR",
    "TRUNKLINE_DATABASE",
    "TRUNKLINE_API_KEY",
    "TRUNKLINE_SIGNING_SECRET",
];

impl Config {
    /// Reads the file (if there is one) and the environment above it.
    ///
    /// # Errors
    /// A file that cannot be read, a key that does not exist, a value of the wrong type: each named.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut tree = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
                let table: toml::Table =
                    toml::from_str(&text).map_err(|error| not_toml(path, &text, &error))?;
                Value::Table(table)
            }
            None => Value::Table(toml::Table::new()),
        };
        let keys = leaves()?;
        for (name, text) in environment.filter(|(name, _)| name.starts_with(PREFIX)) {
            if OTHER_VARIABLES.contains(&name.as_str()) || name.starts_with("TRUNKLINE_TEST_") {
                continue;
            }
            let Some((section, key, default)) = keys.get(&name) else {
                bail!(
                    "the environment variable {name} names no configuration key; see trunkline.example.toml"
                );
            };
            set(&mut tree, section, key, read(&name, &text, default)?);
        }
        let source = file.map_or_else(
            || "the environment".to_owned(),
            |path| format!("{} (or the environment)", path.display()),
        );
        let config: Self = tree
            .try_into()
            .with_context(|| format!("the configuration in {source} is not valid"))?;
        config
            .check()
            .with_context(|| format!("the configuration in {source} is not valid"))?;
        Ok(config)
    }

    /// Values of the right type that make no sense.
    fn check(&self) -> Result<()> {
        let at_least_one = [
            (
                "server.request_timeout_seconds",
                self.server.request_timeout_seconds > 0,
            ),
            ("database.queue", self.database.queue > 0),
            ("database.connections", self.database.connections > 0),
            ("database.scan_connections", self.database.scan_connections > 0),
            ("events.keep_days", self.events.keep_days > 0),
            ("webhooks.keep_days", self.webhooks.keep_days > 0),
            ("webhooks.concurrency", self.webhooks.concurrency > 0),
            ("webhooks.in_flight", self.webhooks.in_flight > 0),
            ("texts.in_flight", self.texts.in_flight > 0),
            ("texts.give_up_after_hours", self.texts.give_up_after_hours > 0),
        ];
        if let Some((key, _)) = at_least_one.iter().find(|(_, sensible)| !sensible) {
            bail!("{key} must be at least 1");
        }
        if !(16..=4_096).contains(&self.search.memory_mib) {
            bail!("search.memory_mib must be between 16 and 4096");
        }
        if self.search.people > MOST_PEOPLE {
            bail!("search.people must be at most {MOST_PEOPLE}");
        }
        let (events, webhooks) = (self.events.keep_days, self.webhooks.keep_days);
        if events < webhooks {
            bail!(
                "events.keep_days ({events}) must not be less than webhooks.keep_days ({webhooks}): what is delivered is made of the event"
            );
        }
        outgoing::allowed(&self.webhooks)?;
        texts::policy(&self.texts, Vec::new())?;
        partners::policy(&self.partners)?;
        self.media.check()?;
        if self.mail.url.is_empty() != self.mail.from.is_empty() {
            bail!("mail.url and mail.from go together: set both, or neither");
        }
        Proxies::parse(&self.server.trusted_proxies).context("server.trusted_proxies")?;
        for origin in &self.server.cors_origins {
            let host = ["https://", "http://"]
                .iter()
                .find_map(|scheme| origin.strip_prefix(scheme));
            let sensible =
                |host: &str| !host.is_empty() && !host.contains(|c: char| c == '/' || !c.is_ascii_graphic());
            if origin != "*" && !host.is_some_and(sensible) {
                bail!(
                    "server.cors_origins: {origin:?} is no origin; write it like https://app.example.com, or \"*\" for all"
                );
            }
        }
        Ok(())
    }
}

/// Every key: the variable's name, section, key, default.
fn leaves() -> Result<BTreeMap<String, (String, String, Value)>> {
    let Value::Table(sections) = Value::try_from(Config::default())? else {
        bail!("the configuration is no table")
    };
    let mut all = BTreeMap::new();
    for (section, keys) in sections {
        let Value::Table(keys) = keys else { continue };
        for (key, default) in keys {
            let name = format!("{PREFIX}{}_{}", section.to_uppercase(), key.to_uppercase());
            all.insert(name, (section.clone(), key, default));
        }
    }
    Ok(all)
}

/// What is wrong with a file, and where. The line itself is not shown: it may hold a secret.
fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    anyhow!(
        "the configuration file {} is not TOML: line {line}: {}",
        path.display(),
        error.message()
    )
}

fn read(name: &str, text: &str, default: &Value) -> Result<Value> {
    Ok(match default {
        Value::Integer(_) => Value::Integer(
            text.trim()
                .parse()
                .with_context(|| format!("{name} must be a whole number"))?,
        ),
        Value::Float(_) => Value::Float(
            text.trim()
                .parse()
                .with_context(|| format!("{name} must be a number"))?,
        ),
        Value::Boolean(_) => Value::Boolean(
            text.trim()
                .parse()
                .with_context(|| format!("{name} must be true or false"))?,
        ),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.into()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    })
}

fn set(tree: &mut Value, section: &str, key: &str, value: Value) {
    let Value::Table(sections) = tree else { return };
    let entry = sections
        .entry(section.to_owned())
        .or_insert_with(|| Value::Table(toml::Table::new()));
    if let Value::Table(keys) = entry {
        keys.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn the_example_documents_every_key_with_its_default() {
        let text = include_str!("../../../trunkline.example.toml");
        let example: Config = toml::from_str(text).unwrap();
        assert_eq!(example, Config::default());
        for (name, (_, key, _)) in leaves().unwrap() {
            assert!(text.contains(&format!("\n{key} = ")), "{key} is missing");
            assert!(text.contains(&name), "{name} is missing");
        }
    }

    #[test]
    fn the_environment_is_above_the_file() {
        let dir = std::env::temp_dir().join(format!("trunkline-config-{}", std::process::id()));
        std::fs::write(
            &dir,
            "[server]\nlisten = \"127.0.0.1:1\"\nrequest_timeout_seconds = 5\n",
        )
        .unwrap();
        let config = Config::load(
            Some(&dir),
            env(&[
                ("TRUNKLINE_SERVER_LISTEN", "0.0.0.0:9"),
                (
                    "TRUNKLINE_SERVER_CORS_ORIGINS",
                    "https://a.example, https://b.example",
                ),
            ]),
        )
        .unwrap();
        std::fs::remove_file(&dir).unwrap();
        assert_eq!(config.server.listen, "0.0.0.0:9");
        assert_eq!(config.server.request_timeout_seconds, 5);
        assert_eq!(
            config.server.cors_origins,
            ["https://a.example", "https://b.example"]
        );
    }

    #[test]
    fn a_bucket_is_named_as_a_whole() {
        let bucket = [
            ("TRUNKLINE_MEDIA_BUCKET", "pictures"),
            ("TRUNKLINE_MEDIA_ENDPOINT", "https://s3.example.com/"),
            ("TRUNKLINE_MEDIA_ACCESS_KEY_ID", "AKID"),
            ("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY", "very-secret"),
        ];
        let config = Config::load(None, env(&bucket)).unwrap();
        assert!(!format!("{config:?}").contains("very-secret"));
        for (variable, value, told) in [
            ("TRUNKLINE_MEDIA_BUCKET", "a/b", "media.bucket must be the name"),
            ("TRUNKLINE_MEDIA_BUCKET", "ab", "media.bucket must be the name"),
            ("TRUNKLINE_MEDIA_REGION", "", "media.region"),
            (
                "TRUNKLINE_MEDIA_FOLDER",
                "/srv/media",
                "media.folder and media.bucket",
            ),
            (
                "TRUNKLINE_MEDIA_ENDPOINT",
                "s3.example.com",
                "media.endpoint must be the URL",
            ),
            (
                "TRUNKLINE_MEDIA_ENDPOINT",
                "https://s3.example.com/pictures",
                "no bucket, no path",
            ),
            (
                "TRUNKLINE_MEDIA_ENDPOINT",
                "https://a:very-secret@s3.example.com",
                "no credentials",
            ),
            ("TRUNKLINE_MEDIA_ACCESS_KEY_ID", "", "needs media.access_key_id"),
            (
                "TRUNKLINE_MEDIA_ACCESS_KEY_ID",
                "A K",
                "needs media.access_key_id",
            ),
            (
                "TRUNKLINE_MEDIA_SECRET_ACCESS_KEY",
                "",
                "media.secret_access_key_file",
            ),
            ("TRUNKLINE_MEDIA_SECRET_ACCESS_KEY", "very-secret\n", "has spaces"),
            (
                "TRUNKLINE_MEDIA_SECRET_ACCESS_KEY_FILE",
                "/run/secret",
                "needs either",
            ),
        ] {
            let given: Vec<_> = bucket.iter().copied().chain([(variable, value)]).collect();
            let error = format!("{:#}", Config::load(None, env(&given)).unwrap_err());
            assert!(error.contains(told) && !error.contains("very-secret"), "{error}");
        }
        let address = [
            ("TRUNKLINE_MEDIA_ENDPOINT", "http://[::1]:9000"),
            ("TRUNKLINE_MEDIA_ADDRESSING", "virtual-host"),
        ];
        let given: Vec<_> = bucket.iter().copied().chain(address).collect();
        let error = format!("{:#}", Config::load(None, env(&given)).unwrap_err());
        assert!(error.contains("media.addressing"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_toml_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunkline.toml");
        for line in [
            "secret_access_key = very/secret",
            "secret_key = \"very-secret",
            "very-secret",
            "very = \"secret\" x",
        ] {
            std::fs::write(&path, format!("[media]\nbucket = \"pictures\"\n{line}\n")).unwrap();
            let error = format!("{:#}", Config::load(Some(&path), env(&[])).unwrap_err());
            assert!(error.contains("trunkline.toml is not TOML: line 3: "), "{error}");
            assert!(!error.contains("very"), "{error}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let error = Config::load(None, env(&[("TRUNKLINE_SERVER_LISTN", "x")])).unwrap_err();
        assert!(error.to_string().contains("TRUNKLINE_SERVER_LISTN"), "{error}");
        let error = Config::load(None, env(&[("TRUNKLINE_EVENTS_KEEP_DAYS", "many")])).unwrap_err();
        assert!(
            format!("{error:#}").contains("TRUNKLINE_EVENTS_KEEP_DAYS must be a whole number"),
            "{error:#}"
        );
        for (variable, value, told) in [
            (
                "TRUNKLINE_DATABASE_QUEUE",
                "0",
                "database.queue must be at least 1",
            ),
            ("TRUNKLINE_DATABASE_CONNECTIONS", "0", "database.connections"),
            (
                "TRUNKLINE_WEBHOOKS_KEEP_DAYS",
                "91",
                "events.keep_days (90) must not be less",
            ),
            ("TRUNKLINE_EVENTS_KEEP_DAYS", "29", "webhooks.keep_days (30)"),
            ("TRUNKLINE_WEBHOOKS_CONCURRENCY", "0", "webhooks.concurrency"),
            (
                "TRUNKLINE_WEBHOOKS_ALLOW_HOSTS",
                "localhost, a/b",
                "webhooks.allow_hosts",
            ),
            (
                "TRUNKLINE_MAIL_FROM",
                "phone@example.com",
                "mail.url and mail.from",
            ),
            ("TRUNKLINE_EVENTS_KEEP_DAYS", "0", "events.keep_days"),
            ("TRUNKLINE_TEXTS_API_PER_DAY", "-1", "texts.api_per_day must"),
            (
                "TRUNKLINE_TEXTS_NUMBER_PER_SECOND",
                "-0.5",
                "texts.number_per_second",
            ),
            (
                "TRUNKLINE_TEXTS_CARRIER_PER_SECOND",
                "fast",
                "TRUNKLINE_TEXTS_CARRIER_PER_SECOND must be a number",
            ),
            (
                "TRUNKLINE_TEXTS_FORBIDDEN_WORDS",
                "casino, !!",
                "texts.forbidden_words: `!!`",
            ),
            (
                "TRUNKLINE_TEXTS_FORBIDDEN_LINKS",
                "bit.ly, short",
                "texts.forbidden_links: `short`",
            ),
            ("TRUNKLINE_TEXTS_IN_FLIGHT", "0", "texts.in_flight"),
            (
                "TRUNKLINE_SEARCH_MEMORY_MIB",
                "8",
                "search.memory_mib must be between 16 and 4096",
            ),
            (
                "TRUNKLINE_SEARCH_PEOPLE",
                "4000000000",
                "search.people must be at most 100000000",
            ),
            (
                "TRUNKLINE_SERVER_CORS_ORIGINS",
                "https://a.example, b.example",
                "\"b.example\" is no origin",
            ),
            (
                "TRUNKLINE_SERVER_CORS_ORIGINS",
                "https://a.example/",
                "is no origin",
            ),
            (
                "TRUNKLINE_MEDIA_ENDPOINT",
                "https://s3.example.com",
                "media.endpoint belongs to a bucket",
            ),
            (
                "TRUNKLINE_MEDIA_ACCESS_KEY_ID",
                "AKID",
                "media.access_key_id belongs",
            ),
            ("TRUNKLINE_MEDIA_ADDRESSING", "both", "`virtual-host`"),
            (
                "TRUNKLINE_SERVER_REQUEST_TIMEOUT_SECONDS",
                "0",
                "server.request_timeout_seconds",
            ),
        ] {
            let error = Config::load(None, env(&[(variable, value)])).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
        Config::load(
            None,
            env(&[("TRUNKLINE_SERVER_CORS_ORIGINS", "http://localhost:5173,*")]),
        )
        .unwrap();
        let error = Config::load(Some(Path::new("/nowhere/at.toml")), env(&[])).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at.toml"), "{error}");
    }
}
