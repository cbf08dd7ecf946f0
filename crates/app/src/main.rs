//! The program: reads the command line and the configuration, and wires everything together.

mod cli;
mod commands;
mod config;
mod demo;
mod media;
mod open;
mod outgoing;
mod output;
mod partners;
mod serve;
mod texts;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};
use config::{Config, Log, LogFormat};

fn main() -> ExitCode {
    let cli = Cli::parse();
    outgoing::choose_cryptography();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(format!("error: the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            output::note(format!("error: {}", output::explain(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    let config = open::config(&cli.common);
    if let Command::Doctor(arguments) = &cli.command {
        let healthy = commands::doctor::run(config, arguments.json).await?;
        return Ok(ExitCode::from(if healthy { 0 } else { 3 }));
    }
    match cli.command {
        Command::Openapi => commands::maintenance::openapi()?,
        Command::Trigger(arguments) => commands::trigger::run(&arguments).await?,
        Command::Listen(arguments) => commands::listen::run(&arguments).await?,
        command => with_config(command, config?, cli.common.data_dir.is_none()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn with_config(command: Command, mut config: Config, no_data_dir: bool) -> Result<()> {
    match command {
        Command::Serve(arguments) => {
            if let Some(listen) = arguments.listen {
                config.server.listen = listen;
            }
            log(&config.log)?;
            serve::run(&config).await
        }
        Command::Demo(arguments) => {
            let mut quiet = config.log.clone();
            if quiet == Log::default() {
                quiet.filter = "warn".into();
            }
            log(&quiet)?;
            let temporary = no_data_dir && config.storage == config::Storage::default();
            demo::run(config, &arguments, temporary).await
        }
        other => {
            log(&Log {
                filter: "warn".into(),
                ..config.log.clone()
            })?;
            match other {
                Command::Keys(command) => commands::accounts::keys(&config, command).await,
                Command::Teams(command) => commands::accounts::teams(&config, command).await,
                Command::Users(command) => commands::accounts::users(&config, command).await,
                Command::Numbers(command) => commands::accounts::numbers(&config, command).await,
                Command::Partners(command) => commands::partners::run(&config, command).await,
                Command::Webhooks(arguments) => commands::webhooks::run(&config, &arguments).await,
                Command::Seed(arguments) => commands::maintenance::seed(&config, &arguments).await,
                Command::Export(arguments) => commands::transfer::export::export(&config, &arguments).await,
                Command::Import(import) => commands::import::import(&config, import).await,
                Command::Reindex(arguments) if arguments.analytics => {
                    commands::maintenance::reindex_analytics(&config).await
                }
                Command::Reindex(arguments) if arguments.people => {
                    commands::maintenance::reindex_people(&config).await
                }
                Command::Reindex(_) => commands::maintenance::reindex(&config),
                Command::Migrate(arguments) => commands::maintenance::migrate(&config, &arguments).await,
                Command::Demo(_)
                | Command::Serve(_)
                | Command::Doctor(_)
                | Command::Openapi
                | Command::Listen(_)
                | Command::Trigger(_) => Ok(()),
            }
        }
    }
}

/// What would log the parameters of statements, message texts among them, is not to be heard, whatever the filter says.
const INDISCREET: [&str; 2] = ["tokio_postgres=info", "tokio_postgres::query=info"];

fn log(log: &Log) -> Result<()> {
    let mut filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| anyhow::anyhow!("log.filter cannot be read: {error}"))?;
    for quiet in INDISCREET {
        filter = filter.add_directive(quiet.parse()?);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
