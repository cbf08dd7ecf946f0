//! `trunkline demo`: a believable team, its last 90 days, and live traffic.

use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use trunkline_demo::{BuildOptions, World, traffic};
use trunkline_domain::{Clock, RandomIds, ScopeSet, SystemClock};
use trunkline_messaging::sandbox;
use trunkline_switchboard::{Error, accounts};

use crate::cli::Demo;
use crate::config::Config;
use crate::{output, serve};

/// Two demo teams made with the same program are alike.
const SEED: u64 = 2_026;

/// Calls and texts of a new demo team.
const ITEMS: usize = 5_000;

/// The days they are spread over.
const DAYS: u32 = 90;

/// Numbers for accounts that a partner makes in the demo: of ranges that nobody is given.
const POOL: [&str; 6] = [
    "+14155550190",
    "+14155550191",
    "+14155550192",
    "+33199000210",
    "+33199000211",
    "+33199000212",
];

pub async fn run(mut config: Config, arguments: &Demo, temporary: bool) -> Result<()> {
    let folder = if temporary {
        let ids: &dyn trunkline_domain::Ids = &RandomIds;
        let path = std::env::temp_dir().join(format!("trunkline-demo-{}", ids.token(8)));
        config.storage.data_dir.clone_from(&path);
        Some(Temporary(path))
    } else {
        None
    };
    if let Some(listen) = &arguments.listen {
        config.server.listen.clone_from(listen);
    }
    // Whoever tries the demo has the receiver on the same machine.
    config.webhooks.allow_http = true;
    let own = ["localhost", "127.0.0.0/8", "::1"].map(str::to_owned);
    config.webhooks.allow_hosts.extend(own);
    if config.partners.numbers.is_empty() && config.partners.carrier == sandbox::NAME {
        config.partners.numbers = POOL.map(str::to_owned).into();
    }
    let running = serve::start(&config).await?;
    let Some(world) = running.asked_to_end.run_until_cancelled(world(&running)).await else {
        running.until_stopped().await;
        return Ok(());
    };
    let world = world?;
    let key = make_key(&running, &world).await?;
    introduce(&running, &world, &key, folder.as_ref(), &config)?;
    if !arguments.no_traffic {
        let (board, player, stop) = (
            running.board.clone(),
            running.player.clone(),
            running.stop.clone(),
        );
        let (every, url) = (Duration::from_secs(arguments.every), running.public_url.clone());
        tokio::spawn(traffic(board, player, world, stop, every, url));
    }
    running.until_stopped().await;
    drop(folder);
    Ok(())
}

/// Removes the folder of a demo that nobody asked to keep.
struct Temporary(std::path::PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn world(running: &serve::Running) -> Result<World> {
    let bar = ProgressBar::new(0).with_message("writing 90 days of history");
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
        bar.set_style(style);
    }
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let ids = running.board.ids().clone();
    let options = BuildOptions {
        public_url: running.public_url.clone(),
        seed: SEED,
        items: ITEMS,
        days: DAYS,
    };
    let db = running.board.db();
    let world = trunkline_demo::build(db, ids, SystemClock.now(), &options, progress).await;
    bar.finish_and_clear();
    world.context("the demo team could not be made")
}

/// Every start prints a key of its own; those of earlier starts stay valid.
async fn make_key(running: &serve::Running, world: &World) -> Result<String> {
    let user = world.users.first().context("the demo team has no user")?.id;
    let key: Result<accounts::NewKey, Error> = running
        .board
        .run(world.team, move |work| {
            accounts::create_key(work, user, "demo", ScopeSet::ALL, true)
        })
        .await;
    Ok(key?.secret)
}

fn introduce(
    running: &serve::Running,
    world: &World,
    key: &str,
    folder: Option<&Temporary>,
    config: &Config,
) -> Result<()> {
    let url = &running.public_url;
    let number = world
        .lines
        .first()
        .map(|line| line.number.to_string())
        .unwrap_or_default();
    let encoded = number.replace('+', "%2B");
    let kept = match folder {
        Some(_) => "in a temporary folder, gone when this ends; --data-dir keeps it".to_owned(),
        None => format!("in {}", config.storage.data_dir.display()),
    };
    output::line(format!(
        "
  Trunkline runs at  {url}
  API key            {key}   (all scopes; team {team})
  Data               {kept}

  Conversations of {number}, newest first:

    curl -s '{url}/v2/api/conversations?allo_number={encoded}&size=3' -H 'Authorization: Api-Key {key}'

  Calls in which somebody spoke of billing and refunds:

    curl -s {url}/v2/api/conversations/items/search -H 'Authorization: Api-Key {key}' \\
      -H 'Content-Type: application/json' -d '{{\"search\": \"bill ref\", \"sort\": \"RELEVANCE\", \"size\": 3}}'

  Let somebody text the team:

    curl -s {url}/sandbox/messages -H 'Authorization: Api-Key {key}' \\
      -H 'Content-Type: application/json' -d '{{\"from\": \"+14155550177\", \"to\": \"{number}\", \"content\": \"Hello!\"}}'

  API reference      {url}/docs/
  Ctrl-C ends it.
",
        team = world.team_id,
    ))
}
