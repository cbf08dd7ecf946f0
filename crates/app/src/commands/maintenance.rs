//! Seeding, reindexing, migrating, the OpenAPI document.

use std::sync::Arc;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use trunkline_demo::{SeedOptions, seed as fill};
use trunkline_domain::{Clock, RandomIds, SystemClock};
use trunkline_search::SearchIndex;
use trunkline_store::{StoreError, Tx, analytics_upkeep, installation, nodes, people_upkeep, teams, usage};
use trunkline_switchboard::sweeper::NODE_TIMEOUT;

use crate::cli::{Migrate, Seed};
use crate::config::Config;
use crate::{open, output};

pub async fn seed(config: &Config, arguments: &Seed) -> Result<()> {
    if !(0.0..=1.0).contains(&arguments.transcripts) {
        anyhow::bail!("--transcripts is a share: 0 to 1");
    }
    let db = open::database(config)?;
    let options = SeedOptions {
        items: arguments.items,
        teams: arguments.teams,
        seed: arguments.random,
        transcripts_share: arguments.transcripts,
        days: arguments.days,
    };
    let bar = ProgressBar::new(arguments.items);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} {per_sec} {eta}") {
        bar.set_style(style);
    }
    let outcome = fill(
        &db,
        Arc::new(RandomIds),
        Arc::new(SystemClock),
        options,
        |done, _| bar.set_position(done),
    )
    .await;
    bar.finish_and_clear();
    let report = outcome?;
    output::note(format!(
        "{} items and {} contacts in {:.1} s ({:.0} items/s), in {}",
        report.items,
        report.contacts,
        report.seconds,
        report.items_per_second,
        report
            .teams
            .iter()
            .map(|(_, id)| id.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    ));
    let close = db.clone();
    tokio::task::spawn_blocking(move || close.close()).await?;
    Ok(())
}

pub fn reindex(config: &Config) -> Result<()> {
    let dir = open::index_dir(config);
    SearchIndex::delete_everything(&dir)?;
    output::note(format!(
        "{} is deleted; the next `trunkline serve` builds it anew while it already answers",
        dir.display()
    ));
    Ok(())
}

/// Texts whose parts are counted in one transaction.
const TEXTS: i64 = 1_000;

/// Computes what reports read anew, team by team; each in one transaction, so that reports are right throughout.
pub async fn reindex_analytics(config: &Config) -> Result<()> {
    let db = open::database(config)?;
    let all = db.scan(teams::list).await?;
    let count = all.len();
    for team in all {
        let mut parts_after = Some(0);
        while let Some(after) = parts_after {
            let count = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
                teams::lock(tx, team.key)?;
                usage::count_parts(tx, team.key, after, TEXTS)
            };
            parts_after = db.write(count).await?;
        }
        let rebuild = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            teams::lock(tx, team.key)?;
            analytics_upkeep::rebuild(tx, team.key)
        };
        db.write(rebuild).await?;
    }
    output::note(format!(
        "the figures of reports are computed anew; teams: {count}"
    ));
    Ok(tokio::task::spawn_blocking(move || db.close()).await?)
}

/// People that are looked at in one transaction.
const PEOPLE: i64 = 500;

/// Computes what searches for people look into anew, where it is not what it should be. A running server notices.
pub async fn reindex_people(config: &Config) -> Result<()> {
    let db = open::database(config)?;
    let (mut looked_at, mut mended) = (0, 0);
    for team in db.scan(teams::list).await? {
        let (key, mut after) = (team.key, None);
        loop {
            let some = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
                teams::lock(tx, key)?;
                let looked = people_upkeep::look(tx, key, after, PEOPLE)?;
                people_upkeep::refold(tx, key, &looked.wrong)?;
                Ok(looked)
            };
            let looked = db.write(some).await?;
            (looked_at, mended) = (looked_at + looked.people, mended + looked.wrong.len());
            after = looked.last;
            if after.is_none() {
                break;
            }
        }
    }
    output::note(format!(
        "what searches for people look into is as it should be; people: {looked_at}, computed anew: {mended}"
    ));
    Ok(tokio::task::spawn_blocking(move || db.close()).await?)
}

pub async fn migrate(config: &Config, arguments: &Migrate) -> Result<()> {
    let db = open::database(config)?;
    output::note(format!("the {} database is up to date", db.engine()));
    if arguments.new_secret_key {
        let since = SystemClock.now().plus(-NODE_TIMEOUT);
        let alive = db.read(move |conn| nodes::alive(conn, since)).await?;
        ensure!(
            alive.is_empty(),
            "{} of this database was alive within the last half a minute: stop every server first, they seal with the key \
             that is given up here",
            alive.join(", ")
        );
        let vault = open::any_vault(config)?;
        db.write::<_, StoreError, _>(move |tx| installation::replace_key(tx, &vault, &RandomIds))
            .await?;
        output::note(
            "this node's secret key is the right one now; enter credentials of carriers again (`trunkline numbers update`), and make \
             webhook endpoints anew; links to media that were given out are dead, and whoever was erased and wanted no texts is \
             not known any more",
        );
    }
    tokio::task::block_in_place(|| db.close());
    Ok(())
}

pub fn openapi() -> Result<()> {
    output::json(&trunkline_server::openapi::document())
}
