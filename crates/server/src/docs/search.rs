//! The search in the documentation: guides, events, error codes and operations. A few hundred short texts: they are
//! walked for each search, and there is no index.

use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::Value;
use trunkline_domain::ErrorCode;
use trunkline_domain::text::words;
use trunkline_domain::webhook::topic;

use super::pages::GUIDES;
use super::render::{escape, page, sections};
use crate::openapi;

/// How many hits are shown.
const HITS: usize = 30;
/// Words of a query that are looked for; the rest is left out.
const WORDS: usize = 8;
/// What a word in a heading counts beside one in the text.
const TITLE: u32 = 12;
/// What a word in the name of the page counts.
const PAGE: u32 = 3;
/// Words that every text has: they are not looked for beside others.
const FILLING: [&str; 30] = [
    "a", "an", "and", "are", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is",
    "it", "my", "of", "on", "or", "the", "to", "what", "when", "where", "which", "who", "why", "with",
];
/// Occurrences of a word in a text beyond these count no more.
const ENOUGH: u32 = 4;
/// How many words a hit shows of its text, and how many of them before the first that was looked for.
const SHOWN: (usize, usize) = (36, 6);

/// What can be found.
struct Entry {
    link: String,
    page: &'static str,
    title: String,
    text: String,
    page_words: Vec<String>,
    title_words: Vec<String>,
    text_words: Vec<String>,
}

impl Entry {
    fn new(link: String, page: &'static str, title: String, text: String) -> Self {
        Self {
            page_words: words(page),
            title_words: words(&title),
            text_words: words(&text),
            link,
            page,
            title,
            text,
        }
    }

    /// How well it fits. 0 unless every word begins a word here.
    fn score(&self, wanted: &[String]) -> u32 {
        let mut sum = 0;
        for word in wanted {
            let title = self.title_words.iter().map(|one| fit(one, word)).max();
            let text = self.text_words.iter().map(|one| fit(one, word));
            let page = u32::from(self.page_words.iter().any(|one| fit(one, word) > 0));
            let found = TITLE * title.unwrap_or(0) + text.sum::<u32>().min(ENOUGH) + PAGE * page;
            if found == 0 {
                return 0;
            }
            sum += found;
        }
        sum
    }
}

/// How well a word fits one that is looked for: 2 as a whole, in the plural too, 1 at its beginning.
fn fit(word: &str, wanted: &str) -> u32 {
    match word.strip_prefix(wanted) {
        Some("" | "s") => 2,
        Some(_) => 1,
        None => 0,
    }
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let guides = GUIDES.iter().flat_map(|guide| {
        sections(guide.text).into_iter().map(|section| {
            let link = format!("/docs/{}#{}", guide.path, section.anchor);
            Entry::new(link, guide.title, section.title, section.text)
        })
    });
    let events = topic::CATALOGUE.iter().map(|info| {
        let name = info.topic.as_str();
        let text = format!("{} {}", info.description, info.when);
        Entry::new(format!("/docs/events#{name}"), "Events", name.to_owned(), text)
    });
    let errors = ErrorCode::all().iter().map(|code| {
        let text = format!("{} {} {}", code.meaning(), code.cause(), code.remedy());
        Entry::new(
            format!("/docs/errors#{code}"),
            "Error codes",
            code.to_string(),
            text,
        )
    });
    guides.chain(events).chain(errors).chain(operations()).collect()
});

/// The operations of the API.
fn operations() -> Vec<Entry> {
    let document = openapi::document();
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.filter_map(move |(method, operation)| operation_entry(path, method, operation))
    });
    all.collect()
}

fn operation_entry(path: &str, method: &str, operation: &Value) -> Option<Entry> {
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    let tag = operation["tags"][0].as_str()?;
    let link = format!("/docs/#/{}/{}", tag.replace(' ', "%20"), text("operationId"));
    let title = format!("{} {path}", method.to_uppercase());
    let about = format!("{} {}", text("summary"), text("description"));
    Some(Entry::new(link, "API reference", title, about))
}

/// What is looked for when this is typed.
fn wanted(query: &str) -> Vec<String> {
    let all = words(query);
    let telling = all.iter().filter(|word| !FILLING.contains(&word.as_str()));
    let mut wanted: Vec<String> = telling.cloned().collect();
    if wanted.is_empty() {
        wanted = all;
    }
    wanted.truncate(WORDS);
    wanted
}

/// What has all the words, the best first.
fn hits(wanted: &[String]) -> Vec<&'static Entry> {
    let mut hits: Vec<(u32, &Entry)> = ENTRIES
        .iter()
        .map(|entry| (entry.score(wanted), entry))
        .filter(|(score, _)| *score > 0)
        .collect();
    // Stable: what is equally good stays in the order of the pages.
    hits.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    hits.into_iter().map(|(_, entry)| entry).collect()
}

/// The page of hits for a query.
pub(super) fn answer(query: &str) -> String {
    let wanted = wanted(query);
    let hits = hits(&wanted);
    let shown = escape(query);
    let mut body = match hits.len() {
        0 => format!(
            "<h1>Nothing has “{shown}”</h1><p>Every word must be the beginning of a word in one place. Try fewer, or \
             other ones.</p>"
        ),
        1 => format!("<h1>One place has “{shown}”</h1>"),
        count => format!("<h1>{count} places have “{shown}”</h1>"),
    };
    if hits.len() > HITS {
        // Writing to a String cannot fail.
        let _ = write!(body, "<p>The best {HITS} are:</p>");
    }
    body.push_str("<ul class=\"hits\">");
    for entry in hits.iter().take(HITS) {
        // Writing to a String cannot fail.
        let _ = write!(
            body,
            "<li><a href=\"{}\">{}</a> <span class=\"status\">{}</span><p>{}</p></li>",
            escape(&entry.link),
            escape(&entry.title),
            entry.page,
            excerpt(&entry.text, &wanted)
        );
    }
    body.push_str("</ul>");
    page("Search", &body)
}

/// Where a text has what was looked for, with the words marked.
fn excerpt(text: &str, wanted: &[String]) -> String {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let fits = |part: &&str| {
        words(part)
            .iter()
            .any(|word| wanted.iter().any(|one| word.starts_with(one.as_str())))
    };
    let (shown, before) = SHOWN;
    let start = parts.iter().position(fits).unwrap_or(0).saturating_sub(before);
    let mut out = String::new();
    if start > 0 {
        out.push_str("… ");
    }
    for part in parts.iter().skip(start).take(shown) {
        let word = escape(part);
        // Writing to a String cannot fail.
        let _ = if fits(part) {
            write!(out, "<mark>{word}</mark> ")
        } else {
            write!(out, "{word} ")
        };
    }
    if parts.len() > start + shown {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(query: &str) -> &'static str {
        let hits = hits(&wanted(query));
        let best = hits.first();
        &best.unwrap_or_else(|| panic!("nothing has {query}")).link
    }

    #[test]
    fn what_is_looked_for_is_found_where_it_is_told() {
        assert_eq!(first("sms.delivered"), "/docs/events#sms.delivered");
        assert_eq!(first("INVALID_PHONE_FORMAT"), "/docs/errors#INVALID_PHONE_FORMAT");
        assert_eq!(first("verify it"), "/docs/webhooks#verify-it");
        assert_eq!(first("how to send a text"), "/docs/texts#texts");
        assert_eq!(first("tag a call"), "/docs/guide#tags");
        assert_eq!(
            wanted("where is it"),
            ["where", "is", "it"],
            "nothing else is asked"
        );
        assert!(first("/v2/api/threads").starts_with("/docs/#/"));
    }

    #[test]
    fn every_word_must_be_there() {
        let page = answer("signature qwxyz");
        assert!(page.contains("Nothing has “signature qwxyz”"), "{page}");
    }

    #[test]
    fn what_was_typed_is_no_markup() {
        let page = answer("<script>alert(1)</script>\"");
        assert!(
            !page.contains("<script>") && page.contains("&lt;script&gt;"),
            "{page}"
        );
    }

    #[test]
    fn excerpts_mark_what_was_looked_for() {
        let text = format!("{}the <b>signature</b> fits", "word ".repeat(20));
        let shown = excerpt(&text, &["signa".to_owned()]);
        assert!(shown.starts_with("… word "), "{shown}");
        assert!(
            shown.contains("<mark>&lt;b&gt;signature&lt;/b&gt;</mark> fits"),
            "{shown}"
        );
    }
}
