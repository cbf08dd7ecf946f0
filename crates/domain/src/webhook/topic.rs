//! The topics that an endpoint can subscribe to.

use crate::UnknownName;
use crate::events::Topic;

/// Where a topic comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The published catalogue of the Allo API.
    Published,
    /// Trunkline adds it.
    Ours,
}

/// What there is to know of a topic before subscribing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// The topic.
    pub topic: Topic,
    /// What it tells, in a few words.
    pub description: &'static str,
    /// When exactly it is sent, in a sentence.
    pub when: &'static str,
    /// Whether a fact is told once, however often it is reported; a topic that is not deduplicated tells of every
    /// change, also of one that repeats an earlier one.
    pub deduplicated: bool,
    /// Whose it is.
    pub origin: Origin,
}

/// Every topic that can be subscribed to, in the order of a call's, a text's and a contact's life,
/// and at the end what the team says about them.
pub const CATALOGUE: &[TopicInfo] = &[
    TopicInfo {
        topic: Topic::CallReceived,
        description: "An inbound call rings",
        when: "As soon as a call to one of the team's numbers begins to ring, before anybody answers.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::CallTriggered,
        description: "An outbound call is placed",
        when: "As soon as somebody of the team, or the dialer, places a call.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::CallAnswered,
        description: "A call was picked up",
        when: "When a person picks up: somebody of the team for an inbound call, the person called for an outbound one. A voicemail is not a person.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::CallEnded,
        description: "A call is over",
        when: "At the hang-up, before the recording, the transcript and the summary are made.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::VoicemailReceived,
        description: "A caller left a voicemail",
        when: "When a caller who reached the voicemail hangs up; the recording may follow in `call.recording.completed`.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CallRecordingCompleted,
        description: "The recording of a call is ready",
        when: "Once for each recording of a call, when it can be fetched.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CallTranscriptCompleted,
        description: "The transcript of a call is ready",
        when: "When the transcript of a call is stored, and again only if a different one replaces it.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CallSummaryCompleted,
        description: "The summary of a call is ready",
        when: "When a summary of a call is written for the first time; edits are told by `summary.updated`.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CallCompleted,
        description: "A call is finished, with everything about it",
        when: "When the call has ended and all that belongs to it is in, or was given up on; exactly once for every call that rang.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::SummaryUpdated,
        description: "Somebody edited a call's summary",
        when: "Each time a person changes the summary of a call.",
        deduplicated: false,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::TagAdded,
        description: "A tag was put on a call",
        when: "Each time a tag is put on a call, one event a tag.",
        deduplicated: false,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::TagRemoved,
        description: "A tag was taken off a call",
        when: "Each time a tag is taken off a call, one event a tag.",
        deduplicated: false,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::SmsReceived,
        description: "A text came in",
        when: "When a text to one of the team's numbers arrives.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::SmsSent,
        description: "A text went out",
        when: "When the carrier has taken over a text of the team.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::SmsDelivered,
        description: "A text reached its recipient",
        when: "When the carrier reports that the recipient's phone has the text.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::SmsFailed,
        description: "A text could not be delivered",
        when: "When the carrier refuses a text or reports that it will not arrive.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::ContactCreated,
        description: "A contact was added",
        when: "When a contact is created, by a person, through the API or by an import.",
        deduplicated: true,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::ContactUpdated,
        description: "A contact was changed",
        when: "Each time a contact changes; the event carries the contact as it is afterwards.",
        deduplicated: false,
        origin: Origin::Published,
    },
    TopicInfo {
        topic: Topic::NoteCreated,
        description: "A note was written on a conversation",
        when: "When somebody of the team writes a note on a conversation.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::ThreadCreated,
        description: "A thread was begun",
        when: "When somebody begins a thread on a call, a text or a note; its first comment is told by `thread.comment.created`.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CommentCreated,
        description: "A comment was written in a thread",
        when: "When somebody writes a comment, the first one of a thread included.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::CommentUpdated,
        description: "A comment was changed",
        when: "Each time the author of a comment changes its text; the event carries the comment as it is afterwards.",
        deduplicated: false,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::ThreadResolved,
        description: "A thread was resolved",
        when: "Each time somebody resolves a thread that was not resolved.",
        deduplicated: false,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::AccountCreated,
        description: "A partner account was made",
        when: "When a key of the team has made an account for a customer; the account's own events go to the account alone.",
        deduplicated: true,
        origin: Origin::Ours,
    },
    TopicInfo {
        topic: Topic::AccountUpdated,
        description: "A partner account was suspended, resumed or deactivated",
        when: "Each time the status of an account changes; the event carries the account as it is afterwards.",
        deduplicated: false,
        origin: Origin::Ours,
    },
];

/// The names of [`CATALOGUE`], in its order.
pub const NAMES: &[&str] = &{
    let mut names = [""; CATALOGUE.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = CATALOGUE[place].topic.as_str();
        place += 1;
    }
    names
};

/// What there is to know of `topic`; `None` for the internal ones, which nobody can subscribe to.
#[must_use]
pub fn info(topic: Topic) -> Option<&'static TopicInfo> {
    CATALOGUE.iter().find(|info| info.topic == topic)
}

/// Reads the name of a topic that can be subscribed to.
///
/// # Errors
/// For unknown and for internal topics, with the names that would do.
pub fn parse(name: &str) -> Result<Topic, UnknownName> {
    CATALOGUE
        .iter()
        .map(|info| info.topic)
        .find(|topic| topic.as_str() == name)
        .ok_or(UnknownName { allowed: NAMES })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_topic_is_in_the_catalogue_except_internal_ones() {
        let listed: HashSet<&str> = NAMES.iter().copied().collect();
        assert_eq!(listed.len(), CATALOGUE.len(), "no topic twice");
        let missing: Vec<&str> = Topic::NAMES
            .iter()
            .copied()
            .filter(|name| !listed.contains(name))
            .collect();
        assert_eq!(
            missing,
            [
                "conversation.updated",
                "webhook.disabled",
                "items.imported",
                "items.erased"
            ]
        );
    }

    #[test]
    fn published_topics_are_those_of_the_published_description() {
        let published: HashSet<&str> = CATALOGUE
            .iter()
            .filter(|info| info.origin == Origin::Published)
            .map(|info| info.topic.as_str())
            .collect();
        let expected = HashSet::from([
            "call.received",
            "call.triggered",
            "call.answered",
            "call.completed",
            "tag.added",
            "tag.removed",
            "sms.received",
            "sms.sent",
            "contact.created",
            "contact.updated",
            "summary.updated",
        ]);
        assert_eq!(published, expected);
    }

    #[test]
    fn changes_are_told_each_time_and_facts_once() {
        let repeated: Vec<&str> = CATALOGUE
            .iter()
            .filter(|info| !info.deduplicated)
            .map(|info| info.topic.as_str())
            .collect();
        assert_eq!(
            repeated,
            [
                "summary.updated",
                "tag.added",
                "tag.removed",
                "contact.updated",
                "thread.comment.updated",
                "thread.resolved",
                "partner.account.updated"
            ]
        );
    }

    #[test]
    fn names_are_read_exactly() {
        assert_eq!(parse("call.received"), Ok(Topic::CallReceived));
        for name in [
            "items.imported",
            "conversation.updated",
            "call.Received",
            " call.received",
            "call",
            "",
        ] {
            assert_eq!(parse(name).unwrap_err().allowed, NAMES, "{name:?}");
        }
        assert!(info(Topic::ItemsImported).is_none() && info(Topic::ItemsErased).is_none());
        assert_eq!(info(Topic::TagAdded).unwrap().topic, Topic::TagAdded);
    }

    #[test]
    fn descriptions_are_short_and_sentences_whole() {
        for info in CATALOGUE {
            assert!(
                info.description.len() <= 60 && !info.description.ends_with('.'),
                "{info:?}"
            );
            assert!(info.when.ends_with('.'), "{info:?}");
        }
    }
}
