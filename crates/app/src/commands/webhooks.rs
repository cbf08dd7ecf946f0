//! `trunkline webhooks`: the endpoints of all teams at a glance, and which of them are sick.

use anyhow::Result;
use serde::Serialize;
use trunkline_domain::webhook::{Breaker, Health};
use trunkline_domain::{EndpointId, Millis, TeamId};
use trunkline_store::webhooks::EndpointRow;
use trunkline_store::{Conn, Db, StoreError, TeamKey, teams, webhook_messages, webhooks};
use trunkline_switchboard::webhooks::BY_FAILURES;

use crate::cli::Webhooks;
use crate::config::Config;
use crate::{open, output};

/// Up to how many messages are counted that wait.
const COUNTED: i64 = 10_000;

/// An endpoint at a glance. Not its whole URL, whose path or query may be a secret.
#[derive(Debug, Serialize)]
pub struct Glance {
    team: TeamId,
    id: EndpointId,
    host: String,
    pub state: Health,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<String>,
    failing_since: Option<Millis>,
    last_success_at: Option<Millis>,
    last_error: Option<String>,
    /// Messages that are to be sent; at most [`COUNTED`].
    backlog: i64,
}

impl Glance {
    fn new(team: TeamId, row: EndpointRow, backlog: i64) -> Self {
        let breaker = Breaker::read(row.breaker.as_deref());
        Self {
            team,
            id: row.id,
            host: host(&row.url),
            state: Health::of(row.enabled, &breaker),
            disabled_reason: row.disabled_reason,
            failing_since: breaker.failing_since(),
            last_success_at: row.last_success_at,
            last_error: row.last_error,
            backlog,
        }
    }

    /// Whether somebody should look at it: it fails, or was given up.
    pub fn is_sick(&self) -> bool {
        self.state == Health::Failing || self.disabled_reason.as_deref() == Some(BY_FAILURES)
    }

    /// In a few words.
    pub fn brief(&self) -> String {
        let how = self.last_error.as_deref().unwrap_or("unknown");
        match (self.state, self.failing_since) {
            (Health::Disabled, _) => format!("{} ({}) was given up: {how}", self.id, self.host),
            (_, Some(since)) => format!("{} ({}) fails since {since}: {how}", self.id, self.host),
            _ => format!("{} ({}) fails: {how}", self.id, self.host),
        }
    }

    fn cells(&self) -> Vec<String> {
        let instant = |at: Option<Millis>| at.map(|at| at.to_string()).unwrap_or_default();
        let state = match &self.disabled_reason {
            Some(reason) => format!("{} ({reason})", self.state),
            None => self.state.to_string(),
        };
        let backlog = if self.backlog < COUNTED {
            self.backlog.to_string()
        } else {
            format!("{COUNTED} or more")
        };
        vec![
            self.id.to_string(),
            self.team.to_string(),
            self.host.clone(),
            state,
            instant(self.failing_since),
            self.last_error.clone().unwrap_or_default(),
            backlog,
        ]
    }
}

/// The host and port of a URL.
fn host(url: &str) -> String {
    url.split('/').nth(2).unwrap_or_default().to_owned()
}

/// All endpoints of a team, or of all teams.
///
/// # Errors
/// Of the database.
pub async fn glances(db: &Db, of: Option<TeamKey>) -> Result<Vec<Glance>, StoreError> {
    db.scan(move |conn: &mut Conn<'_>| {
        let mut all = Vec::new();
        for team in teams::list(conn)? {
            if of.is_some_and(|of| of != team.key) {
                continue;
            }
            for row in webhooks::list(conn, team.key)? {
                let backlog = webhook_messages::backlog(conn, team.key, row.endpoint, COUNTED)?;
                all.push(Glance::new(team.id, row, backlog));
            }
        }
        Ok(all)
    })
    .await
}

pub async fn run(config: &Config, arguments: &Webhooks) -> Result<()> {
    let board = open::board(config)?;
    let of = match &arguments.team {
        Some(named) => Some(open::team(&board, Some(named)).await?.key),
        None => None,
    };
    let all = glances(board.db(), of).await?;
    if arguments.json.json {
        output::json(&all)?;
    } else {
        let head = [
            "id",
            "team",
            "host",
            "state",
            "failing since",
            "last error",
            "waiting",
        ];
        output::table(&head, &all.iter().map(Glance::cells).collect::<Vec<_>>())?;
    }
    let db = board.db().clone();
    tokio::task::spawn_blocking(move || db.close()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_a_url_is_shown() {
        assert_eq!(
            host("https://example.com:8443/hook?token=hush"),
            "example.com:8443"
        );
        assert_eq!(host("http://[::1]/"), "[::1]");
        assert_eq!(host("nonsense"), "");
    }
}
