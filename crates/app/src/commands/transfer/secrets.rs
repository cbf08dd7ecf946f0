//! What is bound to the installation a team comes from: sealed values, and signed links to media.

use anyhow::{Context, Result, bail};
use trunkline_domain::{Ids, MediaId, Millis};
use trunkline_server::media::MediaLinks;
use trunkline_store::crypto::Vault;
use trunkline_store::transfer::{SEALED, Table, Values};
use trunkline_store::{TeamKey, Value};
use trunkline_webhooks::signature::Secret;

/// What opens what is sealed.
pub enum Keys {
    /// The keys of the two installations.
    Both {
        /// Of the one that the team comes from.
        from: Vault,
        /// Ours.
        own: Vault,
    },
    /// The two have one key.
    Same(Vault),
    /// Nothing sealed comes along.
    Without(Vault),
}

impl Keys {
    /// Our own.
    pub const fn own(&self) -> &Vault {
        match self {
            Self::Both { own, .. } | Self::Same(own) | Self::Without(own) => own,
        }
    }

    /// Whether what a row has sealed can be opened.
    pub fn check(&self, table: &Table, row: &Values) -> Result<()> {
        let vault = match self {
            Self::Both { from, .. } => from,
            Self::Same(own) => own,
            Self::Without(_) => return Ok(()),
        };
        for (place, subject) in sealed(table, row) {
            if let Some(Value::Text(text)) = row.get(place)
                && vault.open(&subject, text).is_err()
            {
                let column = &table.columns[place].name;
                let key = match self {
                    Self::Both { .. } => "is sealed with another key than that of --secret-key-file",
                    _ => "is sealed with the secret key of another installation",
                };
                bail!(
                    "field {column:?} {key}; name a file with the right one by --secret-key-file (secret.key in the \
                     data folder there), or bring in a copy with --without-secrets"
                );
            }
        }
        Ok(())
    }

    /// The row as it is to be stored: sealed with our own key, or without what was sealed.
    pub fn carry_over(&self, table: &Table, mut row: Values, ids: &dyn Ids) -> Result<Values> {
        for (place, subject) in sealed(table, &row) {
            let Some(Value::Text(text)) = row.get(place) else {
                continue;
            };
            row[place] = match self {
                Self::Same(_) => continue,
                Self::Both { from, own } => {
                    let plain = from.open(&subject, text).context("a sealed value")?;
                    Value::Text(own.seal(ids, &subject, &plain).into())
                }
                Self::Without(_) if table.columns[place].nullable => Value::Null,
                Self::Without(own) => {
                    let fresh = Secret::generate(ids).reveal();
                    let list = serde_json::json!([{ "secret": fresh, "until": null }]);
                    Value::Text(own.seal(ids, &subject, &list.to_string()).into())
                }
            };
        }
        if matches!(self, Self::Without(_)) && table.name == "webhook_endpoints" {
            set(table, &mut row, "enabled", |before| match before {
                Value::Bool(_) => Value::Bool(false),
                _ => Value::Int(0),
            });
        }
        Ok(row)
    }
}

fn place(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.name == name)
}

fn set(table: &Table, row: &mut Values, name: &str, change: impl FnOnce(&Value<'static>) -> Value<'static>) {
    if let Some(value) = place(table, name).and_then(|place| row.get_mut(place)) {
        *value = change(value);
    }
}

/// The places of sealed values in a row, and what they are sealed for.
fn sealed(table: &Table, row: &Values) -> Vec<(usize, String)> {
    let text = |name: &str| match place(table, name).and_then(|place| row.get(place)) {
        Some(Value::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    let mut found = Vec::new();
    for (name, column, subject) in SEALED {
        if *name == table.name {
            found.extend(place(table, column).map(|place| (place, text(subject))));
        }
    }
    // Answers that held a secret are kept sealed, the others are JSON.
    if table.name == "idempotency" && !text("body").is_empty() && !text("body").starts_with('{') {
        let subject = format!("{} {}", text("api_key"), text("key"));
        found.extend(place(table, "body").map(|place| (place, subject)));
    }
    found
}

/// Signs links to the team's media anew: they name its key here and are signed with our secret key.
pub struct Links {
    pub from: TeamKey,
    pub to: TeamKey,
    pub links: MediaLinks,
}

/// Columns that hold links to media.
const LINKED: [(&str, &str); 3] = [
    ("messages", "media"),
    ("events", "payload"),
    ("idempotency", "body"),
];

impl Links {
    pub fn new(from: TeamKey, to: TeamKey, own: &Vault, now: Millis) -> Self {
        Self {
            from,
            to,
            links: MediaLinks::new(own.link_key(), now),
        }
    }

    /// The row with its links renewed.
    pub fn carry_over(&self, table: &Table, mut row: Values) -> Values {
        for (name, column) in LINKED {
            if name == table.name {
                set(table, &mut row, column, |value| match value {
                    Value::Text(text) => Value::Text(self.renewed(text).into()),
                    other => other.clone(),
                });
            }
        }
        row
    }

    /// JSON text with its links renewed: a text of its own each, `…/media/{team}/{id}?expires=…&signature=…`.
    fn renewed(&self, json: &str) -> String {
        let marker = format!("/media/{}/", self.from.0);
        let mut made = String::with_capacity(json.len());
        let mut rest = json;
        while let Some(at) = rest.find(&marker) {
            let (before, link) = rest.split_at(at);
            let begin = before.rfind('"').map(|quote| quote + 1);
            let end = link.find('"');
            let renewed = begin.zip(end).and_then(|(begin, end)| {
                let (id, query) = link[marker.len()..end].split_once('?')?;
                let is_signed = query.starts_with("expires=") && query.contains("&signature=");
                let id = MediaId::parse(id).ok().filter(|_| is_signed)?;
                let address = &before[begin..];
                Some((begin, end, self.links.for_event(address, self.to, id)))
            });
            match renewed {
                Some((begin, end, link)) => {
                    made.push_str(&before[..begin]);
                    made.push_str(&link);
                    rest = &rest[at + end..];
                }
                None => {
                    made.push_str(before);
                    made.push_str(&marker);
                    rest = &rest[at + marker.len()..];
                }
            }
        }
        made.push_str(rest);
        made
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    #[test]
    fn links_are_signed_anew_and_other_texts_stay() {
        let id = MediaId::new(&SeededIds::new(1), Millis(1_700_000_000_000));
        let (old, new) = (Vault::new("the old secret"), Vault::new("the new secret"));
        let link = |vault: &Vault, team| {
            MediaLinks::new(vault.link_key(), Millis(1_700_000_000_000)).for_event(
                "https://phone.example",
                TeamKey(team),
                id,
            )
        };
        let links = Links::new(TeamKey(3), TeamKey(4), &new, Millis(1_700_000_000_000));
        let text = |vault, team| {
            format!(
                r#"{{"content":"see /media/3/x and \"/media/3/\"","media":["{0}","https://x.example/media/3/y.png","{0}"]}}"#,
                link(vault, team)
            )
        };
        assert_eq!(links.renewed(&text(&old, 3)), text(&new, 4));
        for other in [
            "",
            "[]",
            "/media/3/",
            "\"/media/3/",
            "/media/3/\"",
            &text(&old, 33),
        ] {
            assert_eq!(links.renewed(other), other);
        }
    }
}
