//! A result tree to text (XSLT 1.0, section 16), as .NET's writers do it.
//!
//! Walking the tree needs no recursion; the length of the text is bounded.

mod html;
mod html_names;
mod pen;
mod text;
mod xml;

pub(crate) use text::encoded;

use crate::document::{Document, Kind};
use crate::limits::Failure;
use crate::names::{Names, is_space};
use crate::sheet::{Encoding, Method, Output};

/// A node on the way through a tree.
#[derive(Clone, Copy, Debug)]
enum Visit {
    /// An element begins, or a node that has no end.
    Enter(u32),
    /// An element ends.
    Leave(u32),
}

/// Nodes of a tree in the order in which they are written.
fn visits(tree: &Document) -> impl Iterator<Item = Visit> {
    let mut next = tree.first(0).map(Visit::Enter);
    std::iter::from_fn(move || {
        let now = next?;
        next = match now {
            Visit::Enter(id) if tree.kind(id) == Kind::Element => {
                Some(tree.first(id).map_or(Visit::Leave(id), Visit::Enter))
            }
            Visit::Enter(id) | Visit::Leave(id) => match tree.next(id) {
                Some(next) => Some(Visit::Enter(next)),
                None => tree.parent(id).filter(|it| *it != 0).map(Visit::Leave),
            },
        };
        Some(now)
    })
}

/// Text that is being written, not longer than its bound.
#[derive(Debug)]
struct Sink {
    text: String,
    max_bytes: usize,
    encoding: Encoding,
}

impl Sink {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn check(&self) -> Result<(), Failure> {
        if self.text.len() > self.max_bytes {
            let most = self.max_bytes;
            return Err(Failure::Limit(format!("the result is longer than {most} bytes")));
        }
        Ok(())
    }
}

/// Writes a tree; says which method it was.
pub(crate) fn write(
    tree: &Document,
    names: &Names,
    output: &Output,
    max_bytes: usize,
) -> Result<(Method, String), Failure> {
    let method = output.method.unwrap_or_else(|| default_method(tree, names));
    let sink = Sink { text: String::new(), max_bytes, encoding: output.encoding };
    let text = match method {
        Method::Xml => xml::write(tree, names, output, sink)?,
        Method::Html => html::write(tree, names, output, sink)?,
        Method::Text => text::write(tree, sink)?,
    };
    Ok((method, text))
}

/// The markup of a tree without a declaration, for messages.
pub(crate) fn markup(tree: &Document, names: &Names, max_bytes: usize) -> Result<String, Failure> {
    let output = Output { omits_declaration: true, ..Output::default() };
    let sink = Sink { text: String::new(), max_bytes, encoding: Encoding::Utf8 };
    xml::write(tree, names, &output, sink)
}

/// HTML, if the first element is `html` in no namespace and only white space stands before it.
fn default_method(tree: &Document, names: &Names) -> Method {
    for id in tree.children(0) {
        match tree.kind(id) {
            Kind::Element => {
                let name = tree.name(id);
                let is_html = names.text(name.space).is_empty()
                    && names.text(name.local).eq_ignore_ascii_case("html");
                return if is_html { Method::Html } else { Method::Xml };
            }
            Kind::Text if !tree.value(id).chars().all(is_space) => return Method::Xml,
            _ => {}
        }
    }
    Method::Xml
}
