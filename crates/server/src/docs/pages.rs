//! The guides: which there are, in the order in which they are shown.

/// A guide.
pub(super) struct Guide {
    /// Its place under `/docs/`.
    pub path: &'static str,
    /// Its name in the list of pages.
    pub title: &'static str,
    /// Its text, in Markdown.
    pub text: &'static str,
}

macro_rules! guides {
    ($($path:literal $title:literal $file:literal;)*) => {
        /// Every guide. A page that is added here is served, listed, and searched.
        pub(super) const GUIDES: &[Guide] = &[$(Guide {
            path: $path,
            title: $title,
            text: include_str!(concat!("../../../../docs/", $file)),
        }),*];
    };
}

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
    "access-matrix" "Access matrix" "access-matrix.md";
    "conformance" "Conformance" "conformance.md";
}
