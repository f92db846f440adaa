//! Attributes of instructions: which are allowed, words, names, attribute value templates.

use std::sync::Arc;

use super::{Compiler, Given};
use crate::names::{Atom, Name, is_space};
use crate::sheet::{Avt, NameSource, Part};
use crate::xpath::{Fault, space_of};

impl Compiler<'_> {
    /// Refuses attributes that an element of XSLT does not have.
    pub(super) fn only(&mut self, id: u32, allowed: &[&str]) {
        if self.is_forwards {
            return;
        }
        let wrong: Vec<u32> = self
            .document
            .attributes(id)
            .filter(|it| {
                let name = self.document.name(*it);
                let local = self.names.text(name.local);
                name.space == Atom::XSLT || name.space == Atom::EMPTY && !allowed.contains(&local)
            })
            .collect();
        for attribute in wrong {
            let name = self.tag(attribute);
            let message = format!("`{}` has no attribute `{name}`", self.tag(id));
            let at = self.at(attribute);
            self.problem(at..at + name.len(), message);
        }
    }

    /// `yes` or `no`.
    pub(super) fn yes(&mut self, id: u32, name: &str) -> Option<bool> {
        let given = self.given(id, name)?;
        match given.value.trim_matches(is_space) {
            "yes" => Some(true),
            "no" => Some(false),
            _ if self.is_forwards => None,
            _ => {
                self.problem_in(given, format!("`{name}` must be `yes` or `no`"));
                None
            }
        }
    }

    pub(super) fn avt_if(&mut self, id: u32, name: &str) -> Option<Avt> {
        let given = self.given(id, name)?;
        Some(self.avt(given))
    }

    /// An attribute value template that, where it is plain, must be one of some words.
    pub(super) fn word_avt(&mut self, id: u32, name: &str, words: &[&str]) -> Option<Avt> {
        let given = self.given(id, name)?;
        let avt = self.avt(given);
        if let Some(text) = avt.as_text()
            && !words.contains(&text)
            && !self.is_forwards
        {
            let list = words.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or ");
            self.problem_in(given, format!("`{name}` must be {list}"));
        }
        Some(avt)
    }

    /// An attribute value template (XSLT 1.0, section 7.6.2).
    pub(super) fn avt(&mut self, given: Given<'_>) -> Avt {
        let (mut parts, mut text) = (Vec::new(), String::new());
        let mut rest = given.value;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            let brace = if after.starts_with('{') { "{" } else { "}" };
            let inner = after.get(1..).unwrap_or("");
            if inner.starts_with(brace) {
                text.push_str(brace);
                rest = inner.get(1..).unwrap_or("");
                continue;
            }
            if brace == "}" {
                self.problem_in(given, "`}` stands alone in an attribute value; write it twice");
                return Avt(parts);
            }
            let Some(length) = closing(inner) else {
                self.problem_in(given, "an expression in braces is not closed");
                return Avt(parts);
            };
            if !text.is_empty() {
                parts.push(Part::Text(Arc::from(std::mem::take(&mut text))));
            }
            let offset = given.value.len() - inner.len();
            let value = inner.get(..length).unwrap_or("");
            if let Some(expr) = self.expression(Given { value, at: given.at + offset }) {
                parts.push(Part::Expr(expr));
            }
            rest = inner.get(length + 1..).unwrap_or("");
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(Arc::from(text)));
        }
        Avt(parts)
    }

    /// The `name` and `namespace` of `xsl:element` and `xsl:attribute`.
    pub(super) fn name_source(&mut self, id: u32, is_attribute: bool) -> Option<NameSource> {
        let given = self.required(id, "name")?;
        let name = self.avt(given);
        let space = self.avt_if(id, "namespace");
        if let Some(written) = name.as_text() {
            let fixed_space = space.as_ref().map(Avt::as_text);
            let fixed_space = match fixed_space {
                None => None,
                Some(Some(text)) => Some(self.names.atom(text)),
                Some(None) => {
                    return Some(NameSource::Computed {
                        name,
                        space,
                        spaces: Arc::clone(&self.spaces),
                    });
                }
            };
            return match fixed_name(written, fixed_space, is_attribute, self) {
                Ok(name) => Some(NameSource::Fixed(name)),
                Err(fault) => {
                    self.problem_in(given, fault.message);
                    None
                }
            };
        }
        Some(NameSource::Computed { name, space, spaces: Arc::clone(&self.spaces) })
    }

    /// The prefixes of a list such as `exclude-result-prefixes`, as namespaces.
    pub(super) fn prefixes(&mut self, given: Given<'_>) -> Vec<Atom> {
        let mut spaces = Vec::new();
        for word in given.value.split(is_space).filter(|it| !it.is_empty()) {
            if word == "#default" {
                spaces.extend(space_of(&self.spaces, Atom::EMPTY));
            } else if let Some(space) = self.space(word, given) {
                spaces.push(space);
            }
        }
        spaces
    }
}

fn fixed_name(
    written: &str,
    space: Option<Atom>,
    is_attribute: bool,
    compiler: &mut Compiler<'_>,
) -> Result<Name, Fault> {
    let fault = |message: String| Fault { message, at: 0 };
    let Some((prefix, local)) = crate::names::split(written) else {
        return Err(fault(format!("`{written}` is no name")));
    };
    if is_attribute && written == "xmlns" && space.is_none() {
        return Err(fault("an attribute cannot be named `xmlns`".to_owned()));
    }
    let local = compiler.names.atom(local);
    let prefix_atom = compiler.names.atom(prefix);
    let space = match space {
        Some(space) => space,
        None if prefix.is_empty() && is_attribute => Atom::EMPTY,
        None => space_of(&compiler.spaces, prefix_atom)
            .ok_or_else(|| fault(format!("prefix `{prefix}` is not defined")))?,
    };
    let prefix = if space == Atom::EMPTY || prefix == "xmlns" { Atom::EMPTY } else { prefix_atom };
    Ok(Name { prefix, space, local })
}

/// Where the brace of an expression closes: braces in its texts do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, it) in text.char_indices() {
        match (quote, it) {
            (Some(open), _) if open == it => quote = None,
            (None, '"' | '\'') => quote = Some(it),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::closing;

    #[test]
    fn a_brace_in_a_text_does_not_close() {
        for (text, expected) in
            [("a}", Some(1)), ("'}'}", Some(3)), ("\"'}\"}", Some(4)), ("a", None), ("'}", None)]
        {
            assert_eq!(closing(text), expected, "{text}");
        }
    }
}
