//! Every error code: meaning, cause, what to do.

use std::fmt::Write;

use trunkline_domain::{ErrorCode, ErrorType};

use super::render::inline;

/// What stands between the page's head and foot.
pub(super) fn body() -> String {
    let mut body = String::from(
        "<h1>Error codes</h1><p>Every failed request answers with <code>error.code</code>; branch on it. \
         <code>error.retryable</code> tells whether the same request may succeed later.</p>",
    );
    for kind in ErrorType::all() {
        let codes: Vec<&ErrorCode> = ErrorCode::all()
            .iter()
            .filter(|code| code.kind() == *kind)
            .collect();
        if codes.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(body, "<h2><code>{}</code></h2>", kind.as_str());
        for code in codes {
            let retry = if code.retryable() { ", may be retried" } else { "" };
            let _ = write!(
                body,
                "<h3 id=\"{code}\"><code>{code}</code> <span class=\"status\">{}{retry}</span></h3>\
                 <p>{}</p><dl><dt>Why</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd></dl>",
                code.http_status(),
                inline(code.meaning()),
                inline(code.cause()),
                inline(code.remedy())
            );
        }
    }
    body
}
