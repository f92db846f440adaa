//! The tags: one file each, or a few that are alike, and one line each in [`TAGS`].

mod assign;
mod capture;
mod case;
mod comment;
mod conditional;
mod counter;
mod cycle;
mod for_each;
mod if_changed;
mod interrupt;
mod raw;
mod refused;
mod table_row;

use crate::markup::Markup;
use crate::node::Tag;
use crate::parse::Parser;

/// A tag that stands on its own or begins a block.
#[derive(Debug)]
pub(crate) struct TagDef {
    pub(crate) name: &'static str,
    /// Reads the tag and its block; none if it means nothing. Flaws are noted.
    pub(crate) parse: for<'a> fn(Opening<'a>, &mut Parser<'a>) -> Option<Box<dyn Tag>>,
}

/// The tag that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) name: Markup<'a>,
    /// What stands behind the name.
    pub(crate) markup: Markup<'a>,
    /// All of it.
    pub(crate) tag: Markup<'a>,
}

pub(crate) const TAGS: &[TagDef] = &[
    TagDef { name: "JSONArrayFor", parse: for_each::parse },
    TagDef { name: "assign", parse: assign::parse },
    TagDef { name: "block", parse: refused::parse },
    TagDef { name: "break", parse: interrupt::parse },
    TagDef { name: "capture", parse: capture::parse },
    TagDef { name: "case", parse: case::parse },
    TagDef { name: "comment", parse: comment::parse },
    TagDef { name: "continue", parse: interrupt::parse },
    TagDef { name: "cycle", parse: cycle::parse },
    TagDef { name: "decrement", parse: counter::parse },
    TagDef { name: "extends", parse: refused::parse },
    TagDef { name: "for", parse: for_each::parse },
    TagDef { name: "if", parse: conditional::parse },
    TagDef { name: "ifchanged", parse: if_changed::parse },
    TagDef { name: "include", parse: refused::parse },
    TagDef { name: "increment", parse: counter::parse },
    TagDef { name: "literal", parse: raw::parse },
    TagDef { name: "raw", parse: raw::parse },
    TagDef { name: "tablerow", parse: table_row::parse },
    TagDef { name: "unless", parse: conditional::parse },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(TAGS.is_sorted_by(|a, b| a.name < b.name));
    }
}
