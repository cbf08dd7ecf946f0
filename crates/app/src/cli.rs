//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use trunkline_domain::Plan;
use trunkline_domain::sms::rules::SenderIdStatus;

/// A business phone system that a team runs itself.
///
/// Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage, 3 `doctor` found something to mend.
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, about, long_about, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands share.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Configuration file (TOML); trunkline.example.toml documents every key
    #[arg(long, global = true, env = "TRUNKLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the database file, the text index and the secret key
    #[arg(long, global = true, env = "TRUNKLINE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// postgres:// URL; without one, SQLite in the data folder
    #[arg(
        long,
        global = true,
        env = "TRUNKLINE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start with a believable team, its last 90 days and live traffic
    Demo(Demo),
    /// Start the server
    Serve(Serve),
    /// Manage API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Manage teams
    #[command(subcommand)]
    Teams(Teams),
    /// Manage users
    #[command(subcommand)]
    Users(Users),
    /// Manage phone numbers
    #[command(subcommand)]
    Numbers(Numbers),
    /// Manage the accounts that a partner made for its customers
    #[command(subcommand)]
    Partners(Partners),
    /// List the webhook endpoints of all teams, how they are doing, and what waits for them
    Webhooks(Webhooks),
    /// Fill the database with made-up teams, for tests and benchmarks
    Seed(Seed),
    /// Bring people in from a file, or a team from another installation
    #[command(subcommand)]
    Import(Import),
    /// Write everything that a team owns into a folder, which `trunkline import team` reads
    Export(Export),
    /// Delete the text index; the next start builds it anew
    Reindex(Reindex),
    /// Check configuration, database, disk, index and clock, and say what to mend
    Doctor(Json),
    /// Bring the database to this program's version
    Migrate(Migrate),
    /// Print the OpenAPI document
    Openapi,
    /// Let something happen in a running sandbox server
    Trigger(Trigger),
    /// Forward a running server's events to a local URL, signed as webhooks are
    Listen(Listen),
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// From now on take this node's secret key for the right one, while no server runs. What was sealed with the lost one
    /// stays sealed: enter credentials of carriers again, and make webhook endpoints anew. Links to media die, and erased
    /// people who wanted no texts are not known any more
    #[arg(long)]
    pub new_secret_key: bool,
}

#[derive(Debug, Args)]
pub struct Reindex {
    /// Compute the figures that reports read anew from the calls, and leave the text index alone
    #[arg(long)]
    pub analytics: bool,
    /// Compute what searches for people look into anew from the people, and leave the text index alone
    #[arg(long, conflicts_with = "analytics")]
    pub people: bool,
}

#[derive(Debug, Args)]
pub struct Webhooks {
    /// Only those of this team
    #[arg(long, value_name = "ID")]
    pub team: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whose things to list, and how.
#[derive(Debug, Args)]
pub struct ListOf {
    /// The team's id; not needed when there is one team only
    #[arg(long)]
    pub team: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// No new calls and texts while it runs
    #[arg(long)]
    pub no_traffic: bool,
    /// Seconds between two new calls or texts, about
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key; prints the key alone on stdout, this once
    Create {
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
        /// The user it belongs to (id or e-mail address); without one, the team's first admin
        #[arg(long)]
        user: Option<String>,
        /// Scopes, separated by commas, or `all` but PARTNER
        #[arg(long, default_value = "all")]
        scopes: String,
    },
    /// List keys
    List(ListOf),
    /// Revoke a key
    Revoke {
        /// The key's id, api-…
        id: String,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Partners {
    /// List a team's accounts
    List(ListOf),
    /// Give the accounts of a key, which may be revoked, to another key of the team; prints how many there were
    HandOver {
        /// The key that made them, api-…
        #[arg(long)]
        from: String,
        /// The key that is to have them: valid, with the scope PARTNER
        #[arg(long)]
        to: String,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Teams {
    /// Make a team; prints its id
    Create {
        /// Its name
        name: String,
        /// IANA time zone its days are counted in
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        /// Country (two capital letters) whose numbering plan national numbers are read with
        #[arg(long, default_value = "US")]
        country: String,
        /// Its outside world is the sandbox
        #[arg(long)]
        sandbox: bool,
        /// On a trial: no API
        #[arg(long)]
        trial: bool,
    },
    /// Change the settings of a team; a running server knows within a second
    Update {
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// IANA time zone its days are counted in; figures are counted anew, by the server where there are many
        #[arg(long)]
        time_zone: Option<String>,
        /// What it pays for; on a trial there is no API
        #[arg(long, value_parser = PossibleValuesParser::new(Plan::NAMES), ignore_case = true)]
        plan: Option<String>,
        /// GET requests a key may make in a second
        #[arg(long, value_name = "REQUESTS")]
        read_per_second: Option<i64>,
        /// Other requests a key may make in a second
        #[arg(long, value_name = "REQUESTS")]
        write_per_second: Option<i64>,
        /// Whether tagging with an unknown tag creates the tag
        #[arg(long, value_name = "BOOLEAN")]
        create_tags: Option<bool>,
        /// Whether texts from sender ids to France keep to the hours for marketing texts
        #[arg(long, value_name = "BOOLEAN")]
        marketing_hours: Option<bool>,
    },
    /// List teams
    List(Json),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum RoleName {
    Admin,
    Manager,
    Member,
}

#[derive(Debug, Subcommand)]
pub enum Users {
    /// Make a user; prints the id
    Create {
        /// Name
        name: String,
        /// E-mail address
        #[arg(long)]
        email: String,
        /// What the user may do
        #[arg(long, value_enum, default_value = "MEMBER", ignore_case = true)]
        role: RoleName,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
    /// List users
    List(ListOf),
}

#[derive(Debug, Subcommand)]
pub enum Numbers {
    /// Add a number (or, with --sender-id, a sender id); prints its id
    Add {
        /// The number in E.164
        #[arg(required_unless_present = "sender_id", conflicts_with = "sender_id")]
        number: Option<String>,
        /// A sender id: 3 to 11 letters or digits
        #[arg(long)]
        sender_id: Option<String>,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// The carrier: sandbox or twilio
        #[arg(long, default_value = "sandbox", value_parser = ["sandbox", "twilio"])]
        carrier: String,
        #[command(flatten)]
        twilio: Twilio,
        /// What it can do [default: VOICE,SMS; of a sender id SMS]
        #[arg(long, value_delimiter = ',', value_parser = ["VOICE", "SMS", "MMS"])]
        capabilities: Vec<String>,
        /// Users (ids or e-mail addresses) with access, the main one first
        #[arg(long, value_delimiter = ',')]
        members: Vec<String>,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
    /// Change what a number or sender id can do and may send; prints its id
    Update {
        /// The number in E.164, or the sender id
        number: String,
        /// Whether it is registered for texts of applications (US and Canada)
        #[arg(long, value_name = "BOOLEAN")]
        a2p: Option<bool>,
        /// Whether the sender id may be used
        #[arg(long, value_parser = PossibleValuesParser::new(SenderIdStatus::NAMES), ignore_case = true)]
        status: Option<String>,
        /// Texts it may send in a second, such as 0.25; 0: as the configuration has it
        #[arg(long, value_name = "TEXTS")]
        texts_per_second: Option<f64>,
        /// Texts it may send on a day; 0: as the configuration has it
        #[arg(long, value_name = "TEXTS")]
        texts_per_day: Option<i64>,
        /// What its carrier lets it do; the team can switch parts of it off
        #[arg(long, value_delimiter = ',', value_parser = ["VOICE", "SMS", "MMS"])]
        capabilities: Option<Vec<String>>,
        /// The carrier it goes through from now on: sandbox or twilio
        #[arg(long, value_parser = ["sandbox", "twilio"])]
        carrier: Option<String>,
        #[command(flatten)]
        twilio: Twilio,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
    /// Take a number or sender id out of service: its history stays, and the number is free for another team
    Remove {
        /// The number in E.164, or the sender id
        number: String,
        /// The team's id; not needed when there is one team only
        #[arg(long)]
        team: Option<String>,
    },
    /// List numbers
    List(ListOf),
}

/// What Twilio asks for.
#[derive(Debug, Args)]
pub struct Twilio {
    /// Twilio's account SID, AC…
    #[arg(long, required_if_eq("carrier", "twilio"))]
    pub twilio_account_sid: Option<String>,
    /// A file with Twilio's auth token; `-` reads it from stdin
    #[arg(long, required_if_eq("carrier", "twilio"), value_name = "FILE")]
    pub twilio_auth_token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Seed {
    /// Calls and texts in all
    #[arg(long, default_value_t = 100_000)]
    pub items: u64,
    /// Teams they are spread over
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub teams: u64,
    /// Days they are spread over
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// Share of items that are calls with a transcript
    #[arg(long, default_value_t = 0.5)]
    pub transcripts: f64,
    /// The same number gives the same data
    #[arg(long, default_value_t = 1)]
    pub random: u64,
}

#[derive(Debug, Subcommand)]
pub enum Import {
    /// People from a CSV file with a header, or from JSON lines (.jsonl, .ndjson); the same file twice changes nothing
    People {
        /// The file, of at most 100,000 rows
        file: PathBuf,
        /// The team, where there are several
        #[arg(long)]
        team: Option<String>,
    },
    /// A team from a folder that `trunkline export` wrote; it is there as a whole or not at all
    Team(ImportTeam),
}

#[derive(Debug, Args)]
pub struct ImportTeam {
    /// The folder
    pub dir: PathBuf,
    /// A file with the secret key of the installation it comes from (secret.key in its data folder), to open what is
    /// sealed with it
    #[arg(long, value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// Bring in a copy without what is sealed and without what waits to be done: webhook endpoints come switched off
    /// and with new signing secrets, numbers without their carrier's token
    #[arg(long, conflicts_with = "secret_key_file")]
    pub without_secrets: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The folder, which is made
    pub dir: PathBuf,
    /// The team's id; not needed when there is one team only
    #[arg(long)]
    pub team: Option<String>,
}

#[derive(Debug, Args)]
pub struct Trigger {
    /// What is to happen: call.received, call.answered, call.completed, voicemail.received, sms.received, tag.added …
    pub topic: String,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A key of a sandbox team
    #[arg(long, env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    pub key: String,
    /// The outside number
    #[arg(long, default_value = "+14155550123")]
    pub from: String,
    /// The team's number; without one, the team's first
    #[arg(long)]
    pub to: Option<String>,
    /// What is texted or said
    #[arg(long, default_value = "Hello! I have a question about my bill and a refund.")]
    pub text: String,
}

#[derive(Debug, Args)]
pub struct Listen {
    /// Where events go, such as http://localhost:3000/hook
    #[arg(long, value_name = "URL")]
    pub forward_to: String,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A key with the scope WEBHOOKS_READ_WRITE
    #[arg(long, env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Only these topics, separated by commas
    #[arg(long, value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Sign with this secret (whsec_…) instead of a new one
    #[arg(long, env = "TRUNKLINE_SIGNING_SECRET", hide_env_values = true)]
    pub secret: Option<String>,
    /// Begin behind the event with this number (0: with the oldest that is kept) instead of now
    #[arg(long, value_name = "NUMBER")]
    pub since: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}
