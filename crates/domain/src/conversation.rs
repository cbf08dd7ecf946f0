//! A conversation: everything between one line of the team and one outside number.

use crate::ConversationAction;

/// What a conversation remembers besides its last item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Something came in that nobody has read, answered or replied to.
    pub unread: bool,
    /// Put away.
    pub archived: bool,
    /// The contact spoke last and nobody has answered since.
    pub unresponded: bool,
}

/// Something that happens between the team and an outside number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// A text or a call comes in.
    Incoming,
    /// A call of a blocked caller comes in: it is kept, but asks for nobody's attention.
    IncomingBlocked,
    /// Somebody of the team answers a call.
    Answered,
    /// The team texts or calls.
    Outgoing,
    /// The program answers by itself: nobody of the team has read or replied.
    Automatic,
}

impl Standing {
    /// The standing after `activity`. New activity takes a conversation out of the archive; the team's answer or
    /// reply makes it read and responded to.
    #[must_use]
    pub const fn after(self, activity: Activity) -> Self {
        match activity {
            Activity::Incoming => Self {
                unread: true,
                archived: false,
                unresponded: true,
            },
            Activity::IncomingBlocked | Activity::Automatic => self,
            Activity::Answered | Activity::Outgoing => Self {
                unread: false,
                archived: false,
                unresponded: false,
            },
        }
    }

    /// The standing after a client's `action`; each is idempotent. Archiving marks as read.
    #[must_use]
    pub const fn after_action(self, action: ConversationAction) -> Self {
        match action {
            ConversationAction::Read => Self {
                unread: false,
                ..self
            },
            ConversationAction::Unread => Self { unread: true, ..self },
            ConversationAction::Archive => Self {
                archived: true,
                unread: false,
                ..self
            },
            ConversationAction::Unarchive => Self {
                archived: false,
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_idempotent_and_archiving_reads() {
        for unread in [false, true] {
            for archived in [false, true] {
                let standing = Standing {
                    unread,
                    archived,
                    unresponded: unread,
                };
                for action in ConversationAction::ALL {
                    let once = standing.after_action(*action);
                    assert_eq!(once.after_action(*action), once);
                    assert_eq!(once.unresponded, standing.unresponded, "reading is not answering");
                }
                assert!(!standing.after_action(ConversationAction::Archive).unread);
            }
        }
    }

    #[test]
    fn a_reply_settles_what_came_in() {
        let after_text = Standing {
            archived: true,
            ..Standing::default()
        }
        .after(Activity::Incoming);
        assert_eq!(
            after_text,
            Standing {
                unread: true,
                archived: false,
                unresponded: true
            }
        );
        assert_eq!(after_text.after(Activity::Answered), Standing::default());
        assert_eq!(after_text.after(Activity::Outgoing), Standing::default());
        assert_eq!(
            Standing::default().after(Activity::IncomingBlocked),
            Standing::default()
        );
    }
}
