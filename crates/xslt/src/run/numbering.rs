//! `xsl:number`: which numbers (XSLT 1.0, section 7.7).

use super::Run;
use super::numerals::{Grouping, formatted};
use crate::document::{Axis, Document, Kind, Node, Test};
use crate::limits::Failure;
use crate::pattern::Pattern;
use crate::sheet::{Level, Numbering};
use crate::xpath::{number_text, rounded};

impl<'s> Run<'s> {
    pub(super) fn number_instruction(&mut self, it: &'s Numbering) -> Result<(), Failure> {
        let numbers = match &it.value {
            Some(expr) => {
                let value = self.number(expr, self.focus)?;
                let value = if value >= 0.5 { rounded(value) } else { value };
                match Self::whole_number(value).filter(|it| *it > 0) {
                    Some(number) => vec![number],
                    // What cannot be counted is written as it is.
                    None => return self.write_text(&number_text(value), false),
                }
            }
            None => match it.level {
                Level::Single => self.single(it)?,
                Level::Multiple => self.multiple(it)?,
                Level::Any => self.any(it)?,
            },
        };
        if numbers.is_empty() {
            return self.write_text("", false);
        }
        let format = self.avt(&it.format)?;
        let separator = it.separator.as_ref().map(|it| self.avt(it)).transpose()?;
        let size = it.size.as_ref().map(|it| self.avt(it)).transpose()?;
        let size = size.and_then(|it| it.trim().parse::<usize>().ok()).filter(|it| *it > 0);
        let grouping = match (separator, size) {
            (Some(separator), Some(size)) => Some(Grouping { separator, size }),
            _ => None,
        };
        let text = formatted(&numbers, &format, grouping.as_ref());
        self.write_text(&text, false)
    }

    /// Does a node count?
    fn counts(&mut self, it: &'s Numbering, node: Node, like: Node) -> Result<bool, Failure> {
        match &it.count {
            Some(patterns) => self.matches_any(patterns, node),
            None => {
                let document = self.document(node);
                Ok(is_alike(&document, node, like))
            }
        }
    }

    fn matches_any(&mut self, patterns: &'s [Pattern], node: Node) -> Result<bool, Failure> {
        for pattern in patterns {
            if self.matches(pattern, node)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn begins(&mut self, it: &'s Numbering, node: Node) -> Result<bool, Failure> {
        match &it.from {
            Some(patterns) => self.matches_any(patterns, node),
            None => Ok(false),
        }
    }

    /// One more than the siblings before a node that count.
    fn place_of(&mut self, it: &'s Numbering, node: Node, like: Node) -> Result<usize, Failure> {
        let document = self.document(node);
        let mut before = Vec::new();
        let n_seen = document.walk(node, Axis::PrecedingSibling, Test::Any, &mut before);
        self.budget.steps(n_seen)?;
        let mut place = 1;
        for sibling in before {
            place += usize::from(self.counts(it, sibling, like)?);
        }
        Ok(place)
    }

    fn single(&mut self, it: &'s Numbering) -> Result<Vec<usize>, Failure> {
        let own = self.focus.node;
        let document = self.document(own);
        let mut at = Some(own);
        while let Some(node) = at {
            self.budget.steps(1)?;
            if self.counts(it, node, own)? {
                return Ok(vec![self.place_of(it, node, own)?]);
            }
            if node != own && self.begins(it, node)? {
                break;
            }
            at = document.up(node).map(|it| node.with(it));
        }
        Ok(Vec::new())
    }

    fn multiple(&mut self, it: &'s Numbering) -> Result<Vec<usize>, Failure> {
        let own = self.focus.node;
        let document = self.document(own);
        let mut numbers = Vec::new();
        let mut at = Some(own);
        while let Some(node) = at {
            self.budget.steps(1)?;
            if node != own && self.begins(it, node)? {
                break;
            }
            if self.counts(it, node, own)? {
                numbers.push(self.place_of(it, node, own)?);
            }
            at = document.up(node).map(|it| node.with(it));
        }
        numbers.reverse();
        Ok(numbers)
    }

    fn any(&mut self, it: &'s Numbering) -> Result<Vec<usize>, Failure> {
        let own = self.focus.node;
        let document = self.document(own);
        let mut n = usize::from(self.counts(it, own, own)?);
        for id in (0..own.id).rev() {
            if document.kind(id) == Kind::Attribute {
                continue;
            }
            self.budget.steps(1)?;
            let node = own.with(id);
            if self.begins(it, node)? {
                break;
            }
            n += usize::from(self.counts(it, node, own)?);
        }
        Ok(if n == 0 { Vec::new() } else { vec![n] })
    }
}

/// Same kind, same name.
fn is_alike(document: &Document, node: Node, like: Node) -> bool {
    document.kind_of(node) == document.kind_of(like)
        && document.name_of(node).key() == document.name_of(like).key()
}
