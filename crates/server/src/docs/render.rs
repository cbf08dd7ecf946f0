//! From Markdown to pages.

use std::fmt::Write;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::pages::GUIDES;

/// A part of a page: what a search finds, and what the list of contents shows.
pub(super) struct Section {
    /// The heading's anchor.
    pub anchor: String,
    /// The heading, without markup.
    pub title: String,
    /// Whether it is a part of the part before.
    pub below: bool,
    /// The text under the heading, code included.
    pub text: String,
}

const STYLE: &str = include_str!("style.css");

/// Keeps the tabs of a page at one language.
const TABS: &str = include_str!("tabs.js");

/// The pages beside the guides.
const OTHERS: [(&str, &str); 3] = [
    ("", "API reference"),
    ("events", "Events"),
    ("errors", "Error codes"),
];

/// A whole page around its body.
pub(super) fn page(title: &str, body: &str) -> String {
    let mut links = String::new();
    let guides = GUIDES.iter().map(|guide| (guide.path, guide.title));
    for (path, name) in OTHERS
        .into_iter()
        .take(1)
        .chain(guides)
        .chain(OTHERS.into_iter().skip(1))
    {
        let current = if name == title {
            " aria-current=\"page\""
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = write!(links, "<a href=\"/docs/{path}\"{current}>{name}</a> ");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Trunkline</title><style>{STYLE}</style></head><body>\
         <header><nav>{links}</nav><form action=\"/docs/search\" role=\"search\"><input type=\"search\" name=\"q\" required \
         maxlength=\"200\" placeholder=\"Search the documentation\" aria-label=\"Search the documentation\"></form></header>\
         <main>{body}</main></body></html>"
    )
}

/// A guide's page: a list of contents behind its title, and examples in several languages side by side.
pub(super) fn guide(title: &str, text: &str) -> String {
    let body = markdown(text);
    let contents = sections(text);
    let mut list = String::new();
    for section in contents.iter().filter(|section| !section.below).skip(1) {
        // Writing to a String cannot fail.
        let _ = write!(
            list,
            "<li><a href=\"#{}\">{}</a></li>",
            section.anchor,
            inline(&section.title)
        );
    }
    let body = match body.split_once("</h1>") {
        Some((head, rest)) if !list.is_empty() => {
            format!("{head}</h1><ul class=\"contents\">{list}</ul>{rest}")
        }
        _ => body,
    };
    if body.contains("class=\"tabs\"") {
        return page(title, &format!("{body}<script>{TABS}</script>"));
    }
    page(title, &body)
}

/// Escapes HTML, and turns `code` into code.
pub(super) fn inline(text: &str) -> String {
    let escaped = escape(text);
    let mut out = String::with_capacity(escaped.len());
    for (i, part) in escaped.split('`').enumerate() {
        if i % 2 == 1 {
            // Writing to a String cannot fail.
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(part);
        }
    }
    out
}

/// Text in which nothing is markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// Markdown as HTML: headings have anchors, and fenced examples that follow each other are shown one at a time.
pub(super) fn markdown(text: &str) -> String {
    let mut anchors = sections(text).into_iter().map(|section| section.anchor);
    let mut groups = 0;
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut rest = parser(text).peekable();
    while let Some(event) = rest.next() {
        match event {
            Event::Start(Tag::Heading {
                level,
                classes,
                attrs,
                ..
            }) => {
                let id = anchors.next().map(CowStr::from);
                events.push(Event::Start(Tag::Heading {
                    level,
                    id,
                    classes,
                    attrs,
                }));
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let dest_url = served(&dest_url).map_or(dest_url, CowStr::from);
                events.push(Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }));
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                let mut examples = vec![example(&language, &mut rest)];
                while let Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_)))) = rest.peek() {
                    if let Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language)))) = rest.next() {
                        examples.push(example(&language, &mut rest));
                    }
                }
                groups += 1;
                events.push(Event::Html(tabs(groups, &examples).into()));
            }
            other => events.push(other),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

/// Where a link to a guide's file leads on the server.
fn served(link: &str) -> Option<String> {
    let (file, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
    let guide = GUIDES.iter().find(|guide| guide.file == file)?;
    Some(format!("/docs/{}{anchor}", guide.path))
}

/// The code up to the end of its block, with the name of its language.
fn example<'t>(language: &str, rest: &mut impl Iterator<Item = Event<'t>>) -> (String, String) {
    // What follows the language is for the test that runs the examples.
    let name = match language.split(' ').next().unwrap_or_default() {
        "sh" => "curl",
        "python" => "Python",
        "js" => "JavaScript",
        "php" => "PHP",
        "rust" => "Rust",
        "json" => "JSON",
        other => other,
    };
    let mut code = String::new();
    for event in rest {
        match event {
            Event::Text(text) => code.push_str(&text),
            Event::End(TagEnd::CodeBlock) => break,
            _ => {}
        }
    }
    (name.to_owned(), code)
}

/// Examples of which one is seen at a time, without a script too. A single one is a plain block.
fn tabs(group: usize, examples: &[(String, String)]) -> String {
    if let [(_, code)] = examples {
        return format!("<pre><code>{}</code></pre>\n", escape(code));
    }
    let mut out = String::from("<div class=\"tabs\">");
    for (place, (name, code)) in examples.iter().enumerate() {
        let checked = if place == 0 { " checked" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<input type=\"radio\" name=\"tabs{group}\" id=\"tabs{group}-{place}\"{checked}>\
             <label for=\"tabs{group}-{place}\">{name}</label><pre><code>{}</code></pre>",
            escape(code)
        );
    }
    out.push_str("</div>\n");
    out
}

/// The parts of a page, one for each heading. Two headings of the same words get different anchors.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut in_heading = false;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                in_heading = true;
                sections.push(Section {
                    anchor: String::new(),
                    title: String::new(),
                    below: level > HeadingLevel::H2,
                    text: String::new(),
                });
            }
            Event::End(TagEnd::Heading(_)) => {
                in_heading = false;
                name_last(&mut sections);
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(section) = sections.last_mut() {
                    let part = if in_heading {
                        &mut section.title
                    } else {
                        &mut section.text
                    };
                    part.push_str(&words);
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::End(_) => {
                if let Some(section) = sections.last_mut() {
                    section.text.push(' ');
                }
            }
            _ => {}
        }
    }
    sections
}

fn name_last(sections: &mut [Section]) {
    let Some((last, before)) = sections.split_last_mut() else {
        return;
    };
    let plain: String = last
        .title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    let same = before
        .iter()
        .filter(|section| section.title == last.title)
        .count();
    last.anchor = if same == 0 {
        name
    } else {
        format!("{name}-{}", same + 1)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_of_their_own() {
        let text = "# A page\nfirst\n## Who & `what`\nsecond\n## Again\n### Again\nlast";
        let anchors: Vec<String> = sections(text).into_iter().map(|section| section.anchor).collect();
        assert_eq!(anchors, ["a-page", "who-what", "again", "again-2"]);
        let html = markdown(text);
        for anchor in &anchors {
            assert_eq!(html.matches(&format!("id=\"{anchor}\"")).count(), 1, "{html}");
        }
        let page = guide("A page", text);
        assert!(
            page.contains("<li><a href=\"#who-what\">Who &amp; what</a></li>"),
            "{page}"
        );
        assert!(
            !page.contains("href=\"#again-2\""),
            "only the parts of the page itself"
        );
    }

    #[test]
    fn examples_that_follow_each_other_are_shown_one_at_a_time() {
        let html = markdown("```sh\ncurl <x>\n```\n```python\nprint(1)\n```\n\nand\n\n```js\nalone()\n```\n");
        assert_eq!(html.matches("type=\"radio\"").count(), 2, "{html}");
        assert_eq!(html.matches(" checked").count(), 1);
        assert!(
            html.contains(">curl</label><pre><code>curl &lt;x&gt;\n</code></pre>"),
            "{html}"
        );
        assert!(html.contains("<pre><code>alone()\n</code></pre>"), "{html}");
    }

    #[test]
    fn a_page_has_a_script_only_where_it_has_tabs() {
        let one = "# A page\n```sh\ncurl\n```\n";
        assert!(!guide("A page", one).contains("<script>"));
        assert!(guide("A page", &format!("{one}```js\nfetch()\n```\n")).contains(TABS));
    }
}
