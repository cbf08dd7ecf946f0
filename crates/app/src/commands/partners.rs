//! Accounts that partners made.

use anyhow::{Context, Result};
use trunkline_domain::ApiKeyId;
use trunkline_store::partner_accounts;
use trunkline_switchboard::{Actor, Error, partners};

use crate::cli::Partners;
use crate::commands::lists;
use crate::config::Config;
use crate::{open, output};

pub async fn run(config: &Config, command: Partners) -> Result<()> {
    let board = open::board(config)?;
    match command {
        Partners::List(asked) => lists::of_team(&board, &asked, partner_accounts::list).await,
        Partners::HandOver { from, to, team } => {
            let team = open::team(&board, team.as_deref()).await?;
            let (from, to) = (key(&from)?, key(&to)?);
            let outcome: Result<u64, Error> = board
                .run(team.key, move |work| {
                    partners::hand_over(work, from, to, &Actor::System)
                })
                .await;
            output::line(outcome?.to_string())
        }
    }
}

/// Reads the id of a key.
pub fn key(text: &str) -> Result<ApiKeyId> {
    ApiKeyId::parse(text).context("the id of a key begins with api-; `trunkline keys list` shows them")
}
