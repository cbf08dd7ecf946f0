//! How far the index has come with each team. This is the payload of every commit.

use std::collections::BTreeMap;

use trunkline_domain::TeamId;
use trunkline_store::TeamKey;

/// How far the index has come with a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cursor {
    /// The public id of the team: another id under the same key means another database.
    pub id: TeamId,
    /// The last event that has been applied.
    pub event: i64,
    /// No item above this number is in the index.
    pub items: i64,
    /// While the team's items are read for the first time: the last item there was when that began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<i64>,
}

/// All cursors, in the order of the teams' keys.
pub(crate) type Cursors = BTreeMap<TeamKey, Cursor>;

/// What a commit carries beside the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Payload {
    /// Whether the index was complete once. Until then it answers nothing.
    pub ready: bool,
    /// The cursors.
    pub cursors: Cursors,
    /// Whether segments may still hold what was erased: marked as replaced, and there for whoever reads the files.
    pub unpurged: bool,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    ready: bool,
    teams: Vec<(i64, Cursor)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unpurged: bool,
}

impl Payload {
    /// The payload as it is stored.
    pub(crate) fn write(&self) -> String {
        let teams = self
            .cursors
            .iter()
            .map(|(team, cursor)| (team.0, *cursor))
            .collect();
        // Numbers, flags and ids: writing them cannot fail.
        serde_json::to_string(&Written {
            ready: self.ready,
            teams,
            unpurged: self.unpurged,
        })
        .unwrap_or_default()
    }

    /// Reads what [`Payload::write`] wrote.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let Written {
            ready,
            teams,
            unpurged,
        } = serde_json::from_str(text)?;
        Ok(Self {
            ready,
            unpurged,
            cursors: teams
                .into_iter()
                .map(|(team, cursor)| (TeamKey(team), cursor))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::{Millis, SeededIds};

    use super::*;

    #[test]
    fn payloads_survive_writing() {
        let id = TeamId::new(&SeededIds::new(1), Millis(1_700_000_000_000));
        let reading = Cursor {
            id,
            event: 7,
            items: 100,
            target: Some(2_000),
        };
        let following = Cursor {
            id,
            event: 9,
            items: 3,
            target: None,
        };
        for unpurged in [false, true] {
            let cursors = [(TeamKey(1), reading), (TeamKey(40), following)].into();
            let payload = Payload {
                ready: true,
                cursors,
                unpurged,
            };
            assert_eq!(Payload::read(&payload.write()).unwrap(), payload);
        }
        assert!(!Payload::read(r#"{"ready":true,"teams":[]}"#).unwrap().unpurged);
        assert!(Payload::read("").is_err());
    }
}
