//! What the `list` commands show: the same rows as a table for people and as JSON for scripts.

use anyhow::Result;
use serde_json::{Value, json};
use trunkline_domain::{Capability, Scope, ScopeSet};
use trunkline_store::keys::KeyRow;
use trunkline_store::numbers::NumberRow;
use trunkline_store::partner_accounts::AccountRow;
use trunkline_store::teams::TeamRow;
use trunkline_store::users::UserRow;
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::Switchboard;

use crate::cli::{Json, ListOf};
use crate::{open, output};

/// A row of a list.
pub trait Listed {
    /// Names of the table's columns.
    const HEAD: &'static [&'static str];

    /// What a script reads.
    fn json(&self) -> Value;

    /// A cell for each column.
    fn cells(&self) -> Vec<String>;
}

/// Prints rows.
pub fn show<T: Listed>(rows: &[T], as_json: &Json) -> Result<()> {
    if as_json.json {
        return output::json(&rows.iter().map(T::json).collect::<Vec<_>>());
    }
    output::table(T::HEAD, &rows.iter().map(T::cells).collect::<Vec<_>>())
}

/// Prints what `read` finds of the team that the command means.
pub async fn of_team<T: Listed + Send + 'static>(
    board: &Switchboard,
    asked: &ListOf,
    read: fn(&mut Conn<'_>, TeamKey) -> Result<Vec<T>, StoreError>,
) -> Result<()> {
    let team = open::team(board, asked.team.as_deref()).await?.key;
    let rows = board.db().read(move |conn| read(conn, team)).await?;
    show(&rows, &asked.json)
}

impl Listed for KeyRow {
    const HEAD: &'static [&'static str] = &["ID", "NAME", "KEY", "CREATED", "STATE", "SCOPES"];

    fn json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "hint": self.hint, "user_id": self.user_id,
            "scopes": self.scopes.names(), "created_at": self.created_at, "revoked_at": self.revoked_at,
            "expires_at": self.expires_at, "last_used_at": self.last_used_at,
        })
    }

    fn cells(&self) -> Vec<String> {
        let scopes = if self.scopes == ScopeSet::ALL {
            format!("all {}", Scope::all().len())
        } else {
            self.scopes.names().join(",")
        };
        let revoked = self.revoked_at.map(|at| format!("revoked {at}"));
        vec![
            self.id.to_string(),
            self.name.clone(),
            format!("…{}", self.hint),
            self.created_at.to_string(),
            revoked
                .or_else(|| self.expires_at.map(|at| format!("until {at}")))
                .unwrap_or_else(|| "valid".to_owned()),
            scopes,
        ]
    }
}

impl Listed for AccountRow {
    const HEAD: &'static [&'static str] = &["ID", "NAME", "E-MAIL", "NUMBER", "STATE", "KEY", "TEAM"];

    fn json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "email": self.email, "number": self.number, "status": self.status,
            "partner_client_ref": self.client_ref, "api_key_id": self.key_id, "team_id": self.account,
            "created_at": self.created_at,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.email.clone(),
            self.number.to_string(),
            self.status.to_string(),
            self.key_id.to_string(),
            self.account.to_string(),
        ]
    }
}

impl Listed for TeamRow {
    const HEAD: &'static [&'static str] = &["ID", "NAME", "PLAN", "TIME ZONE", "WORLD"];

    fn json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "plan": self.plan, "time_zone": self.time_zone,
            "country": self.country, "sandbox": self.sandbox, "read_per_second": self.read_per_second,
            "write_per_second": self.write_per_second, "create_tags": self.create_tags,
            "marketing_hours": self.marketing_hours,
            "created_at": self.created_at,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.plan.to_string(),
            self.time_zone.clone(),
            if self.sandbox { "sandbox" } else { "live" }.to_owned(),
        ]
    }
}

impl Listed for UserRow {
    const HEAD: &'static [&'static str] = &["ID", "NAME", "E-MAIL", "ROLE", "STATUS"];

    fn json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "email": self.email, "role": self.role, "status": self.status,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.email.clone(),
            self.role.to_string(),
            self.status.to_string(),
        ]
    }
}

impl Listed for NumberRow {
    const HEAD: &'static [&'static str] = &["ID", "NUMBER", "NAME", "CARRIER", "CAN"];

    fn json(&self) -> Value {
        json!({
            "id": self.id, "number": self.number, "sender_id": self.sender_id, "name": self.name,
            "type": self.kind, "carrier": self.carrier, "capabilities": self.capabilities,
            "a2p_registered": self.a2p_registered, "sender_id_status": self.sender_id_status,
            "texts_per_day": self.texts_per_day,
        })
    }

    fn cells(&self) -> Vec<String> {
        let can: Vec<&str> = self
            .capabilities
            .iter()
            .copied()
            .map(Capability::as_str)
            .collect();
        vec![
            self.id.to_string(),
            self.label(),
            self.name.clone().unwrap_or_default(),
            self.carrier.clone(),
            can.join(","),
        ]
    }
}
