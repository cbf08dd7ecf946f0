//! Every event, with an example that the program makes.

use std::fmt::Write;

use trunkline_domain::webhook::{samples, topic};

use super::render::{inline, markdown};

/// What stands between the page's head and foot.
pub(super) fn body() -> String {
    let mut body = markdown(INTRODUCTION);
    for info in topic::CATALOGUE {
        let name = info.topic.as_str();
        let once = if info.deduplicated {
            "told once, however often it is reported"
        } else {
            "told each time"
        };
        let sample = samples::body(info.topic).and_then(|sample| serde_json::to_string_pretty(&sample).ok());
        // Writing to a String cannot fail.
        let _ = write!(
            body,
            "<h2 id=\"{name}\"><code>{name}</code></h2><p><b>{}</b> <span class=\"status\">({once})</span></p><p>{}</p>\
             <pre><code>{}</code></pre>",
            inline(info.description),
            inline(info.when),
            inline(&sample.unwrap_or_default()),
        );
    }
    body.push_str(&markdown(LIVE_EVENTS));
    body
}

const INTRODUCTION: &str = "# Events

What a webhook or the live feed can tell of, each with an example that the program itself makes. The body is always
`topic`, `version`, `timestamp` (when it happened, in UTC with milliseconds) and `data`. How to receive, verify and replay
them is told under [Webhooks](/docs/webhooks).

A field without a value is `null`. Two are left out instead: `person`, where no contact has the number, and `answered_at`
before somebody answered. The properties that a team has defined for its contacts stand beside the others in `person`,
those with a value. Every event about a call has the call's `id`, from the first ring on. Delivery is at least once: the
header `webhook-id` tells whether you had a message before.
";

const LIVE_EVENTS: &str = "## Of the live feed only

`GET /v2/api/events` has two more, which nobody is sent webhooks of: `conversation.updated` (a conversation was read,
archived and the like: `contact_number`, `allo_number` if it was about one number, `action`, `user_id`) and
`webhook.disabled` (an endpoint was switched off because everything sent to it failed: `id`, `url`, `description`,
`failing_since`, `last_error`).
";
