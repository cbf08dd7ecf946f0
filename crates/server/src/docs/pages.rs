//! The guides: which there are, in the order in which they are shown.

/// A guide.
pub(super) struct Guide {
    /// Its place under `/docs/`.
    pub path: &'static str,
    /// Its name in the list of pages.
    pub title: &'static str,
    /// Its file in the repository's `docs/`, by which guides link to each other.
    pub file: &'static str,
    /// Its text, in Markdown.
    pub text: &'static str,
}

macro_rules! guides {
    ($($path:literal $title:literal $file:literal;)*) => {
        /// Every guide. A page that is added here is served, listed, and searched.
        pub(super) const GUIDES: &[Guide] = &[$(Guide {
            path: $path,
            title: $title,
            file: $file,
            text: include_str!(concat!("../../../../docs/", $file)),
        },)* CONFIGURATION];
    };
}

/// Every key of the configuration, for who has the program and not the repository.
const CONFIGURATION: Guide = Guide {
    path: "configuration",
    title: "Configuration",
    file: "../trunkline.example.toml",
    text: concat!(
        "# Configuration\n\n[Operations](operations.md#configuration) tells how the server comes by it.\n\n```toml\n",
        include_str!("../../../../trunkline.example.toml"),
        "```\n"
    ),
};

guides! {
    "guide" "Guide" "api-guide.md";
    "coming-from-allo" "Coming from Allo" "coming-from-allo.md";
    "texts" "Texts" "texts.md";
    "people" "People" "people.md";
    "access" "Access" "access.md";
    "dialer" "Power dialer" "dialer.md";
    "partners" "Partner accounts" "partners.md";
    "notes" "Notes" "notes.md";
    "analytics" "Analytics" "analytics.md";
    "webhooks" "Webhooks" "webhooks.md";
    "operations" "Operations" "operations.md";
    "access-matrix" "Access matrix" "access-matrix.md";
    "conformance" "Conformance" "conformance.md";
}

#[cfg(test)]
mod tests {
    use super::super::render::markdown;
    use super::*;

    /// What stands in attributes of this name.
    fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
        let parts = html.split(name).skip(1);
        parts
            .filter_map(|part| part.strip_prefix("=\"")?.split('"').next())
            .collect()
    }

    #[test]
    fn every_link_of_a_guide_leads_somewhere() {
        let pages: Vec<String> = GUIDES.iter().map(|guide| markdown(guide.text)).collect();
        for (guide, page) in GUIDES.iter().zip(&pages) {
            let file = guide.file;
            assert!(
                !guide.text.contains("](/"),
                "{file}: links are relative, so that they work in the repository too"
            );
            for link in attributes(page, " href") {
                if link.starts_with("https://") {
                    continue;
                }
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let path = if path.is_empty() {
                    guide.path
                } else {
                    path.strip_prefix("/docs/").unwrap_or(path)
                };
                let target = GUIDES.iter().position(|one| one.path == path);
                let target = target.unwrap_or_else(|| panic!("{file}: {link} is no guide"));
                let there = anchor.is_empty() || attributes(&pages[target], " id").contains(&anchor);
                assert!(there, "{file}: {link} has no such part");
            }
        }
    }
}
