//! What the HTML method knows of elements and attributes: HTML 4's, in the groups that .NET's
//! writer has them in, as seen in what it writes.

/// Nothing may stand in them; they have no end tag.
const EMPTY: &[&str] = &[
    "area", "base", "basefont", "br", "col", "frame", "hr", "img", "input", "isindex", "link",
    "meta", "param",
];

/// White space around them means nothing, so they are indented.
const BLOCK: &[&str] = &[
    "address",
    "applet",
    "area",
    "base",
    "basefont",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "del",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "font",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "iframe",
    "ins",
    "isindex",
    "legend",
    "li",
    "link",
    "map",
    "menu",
    "meta",
    "noframes",
    "noscript",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "s",
    "strike",
    "style",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// They have attributes that say something by being there.
const WITH_SWITCHES: &[&str] = &[
    "area", "button", "dir", "dl", "frame", "hr", "img", "input", "menu", "object", "ol",
    "optgroup", "option", "script", "select", "td", "textarea", "th", "ul",
];

const SWITCHES: &[&str] = &[
    "checked", "compact", "declare", "defer", "disabled", "ismap", "multiple", "nohref",
    "noresize", "noshade", "nowrap", "readonly", "selected",
];

/// They have attributes that hold addresses.
const WITH_ADDRESSES: &[&str] = &[
    "a",
    "area",
    "base",
    "blockquote",
    "del",
    "form",
    "head",
    "img",
    "input",
    "ins",
    "link",
    "object",
    "q",
    "script",
    "table",
];

const ADDRESSES: &[&str] = &[
    "action", "cite", "classid", "codebase", "data", "datasrc", "for", "href", "longdesc", "name",
    "profile", "src", "usemap",
];

/// What is known of one element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) is_empty: bool,
    pub(super) is_block: bool,
    pub(super) is_head: bool,
    /// Its text is written as it is.
    pub(super) is_raw: bool,
    has_switches: bool,
    has_addresses: bool,
}

impl Traits {
    /// Of an element of another vocabulary.
    pub(super) fn foreign() -> Self {
        Self { is_block: true, ..Self::default() }
    }

    /// Of an element in no namespace.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let is_in = |names: &[&str]| names.contains(&name.as_str());
        Self {
            is_empty: is_in(EMPTY),
            is_block: is_in(BLOCK),
            is_head: name == "head",
            is_raw: matches!(name.as_str(), "script" | "style"),
            has_switches: is_in(WITH_SWITCHES),
            has_addresses: is_in(WITH_ADDRESSES),
        }
    }

    /// Does the attribute stand without a value?
    pub(super) fn is_switch(self, attribute: &str) -> bool {
        self.has_switches && SWITCHES.contains(&attribute.to_ascii_lowercase().as_str())
    }

    /// Does the attribute hold an address?
    pub(super) fn is_address(self, attribute: &str) -> bool {
        self.has_addresses && ADDRESSES.contains(&attribute.to_ascii_lowercase().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Traits;

    #[test]
    fn names_are_known_in_any_case() {
        assert!(Traits::of("BR").is_empty && Traits::of("Td").is_switch("NoWrap"));
        assert!(Traits::of("a").is_address("href") && !Traits::of("p").is_address("href"));
        assert_eq!(Traits::of("article"), Traits::default());
    }
}
