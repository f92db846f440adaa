//! Calling functions (XPath 1.0, section 4; XSLT 1.0, section 12).

use std::rc::Rc;
use std::sync::Arc;

use super::{Focus, Run, strings};
use crate::document::{Kind, Node};
use crate::limits::Failure;
use crate::names::{Atom, Key, XSLT, is_space};
use crate::xpath::{Expr, Function, Spaces, Value, number_of, parse_number, rounded, space_of};

type Result<T> = std::result::Result<T, Failure>;

impl<'s> Run<'s> {
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: &'s [Expr],
        focus: Focus,
    ) -> Result<Value> {
        use Function as F;
        Ok(match function {
            F::Last => Value::count(focus.size),
            F::Position => Value::count(focus.position),
            F::Current => Value::nodes(vec![self.focus.node]),
            F::True => Value::Boolean(true),
            F::False => Value::Boolean(false),
            F::Boolean => Value::Boolean(self.boolean_at(arguments, 0, focus)?),
            F::Not => Value::Boolean(!self.boolean_at(arguments, 0, focus)?),
            F::Count => Value::count(self.nodes_at(arguments, focus)?.len()),
            F::Sum => {
                let nodes = self.nodes_at(arguments, focus)?;
                let mut sum = 0.0;
                for node in nodes.iter() {
                    self.budget.steps(1)?;
                    sum += parse_number(&self.string(*node)?);
                }
                Value::Number(sum)
            }
            F::Number => match arguments.first() {
                Some(expr) => Value::Number(self.number(expr, focus)?),
                None => Value::Number(parse_number(&self.string(focus.node)?)),
            },
            F::Floor => Value::Number(self.number_at(arguments, 0, focus)?.floor()),
            F::Ceiling => Value::Number(self.number_at(arguments, 0, focus)?.ceil()),
            F::Round => Value::Number(rounded(self.number_at(arguments, 0, focus)?)),
            F::NodeSet => self.node_set(arguments, focus)?,
            F::ObjectType => Value::text(match self.value_at(arguments, focus)? {
                Value::Fragment(_) => "RTF",
                other => other.kind(),
            }),
            F::Id => {
                self.value_at(arguments, focus)?;
                // No document type is read, so no attribute is an identifier.
                Value::nodes(Vec::new())
            }
            F::Lang => {
                let wanted = self.text_at(arguments, 0, focus)?;
                self.budget.steps(self.document(focus.node).depth(focus.node.id))?;
                Value::Boolean(self.lang(&wanted, focus.node))
            }
            F::LocalName | F::Name | F::NamespaceUri | F::GenerateId => {
                let node = match arguments.first() {
                    Some(expr) => self.nodes(expr, focus)?.first().copied(),
                    None => Some(focus.node),
                };
                Value::text(&node.map(|it| self.named(function, it)).unwrap_or_default())
            }
            F::UnparsedEntityUri => {
                return Err(Failure::broken(
                    "'unparsed-entity-uri()' is an unsupported XSLT function.",
                ));
            }
            _ => self.string_function(function, arguments, focus)?,
        })
    }

    fn string_function(
        &mut self,
        function: Function,
        arguments: &'s [Expr],
        focus: Focus,
    ) -> Result<Value> {
        use Function as F;
        let first = match arguments.first() {
            Some(expr) => self.text(expr, focus)?,
            None => self.string(focus.node)?,
        };
        self.budget.steps(first.len() / 64)?;
        let text = match function {
            F::String => return Ok(Value::Text(first)),
            F::StringLength => return Ok(Value::count(strings::length(&first))),
            F::NormalizeSpace => strings::normalized(&first),
            F::Concat => {
                let mut text = String::from(&*first);
                for at in 1..arguments.len() {
                    text.push_str(&self.text_at(arguments, at, focus)?);
                }
                text
            }
            F::StartsWith => {
                let second = self.text_at(arguments, 1, focus)?;
                return Ok(Value::Boolean(first.starts_with(&*second)));
            }
            F::Contains => {
                let second = self.text_at(arguments, 1, focus)?;
                return Ok(Value::Boolean(first.contains(&*second)));
            }
            F::SubstringBefore => {
                let second = self.text_at(arguments, 1, focus)?;
                first.split_once(&*second).map_or("", |it| it.0).to_owned()
            }
            F::SubstringAfter => {
                let second = self.text_at(arguments, 1, focus)?;
                first.split_once(&*second).map_or("", |it| it.1).to_owned()
            }
            F::Substring => {
                let from = self.number_at(arguments, 1, focus)?;
                let length = match arguments.get(2) {
                    Some(expr) => Some(self.number(expr, focus)?),
                    None => None,
                };
                strings::substring(&first, from, length)
            }
            F::Translate => {
                let from = self.text_at(arguments, 1, focus)?;
                let to = self.text_at(arguments, 2, focus)?;
                strings::translated(&first, &from, &to)
            }
            _ => return Err(Failure::broken(format!("`{}()` cannot be called", function.name()))),
        };
        self.budget.text(text.len())?;
        Ok(Value::Text(Arc::from(text)))
    }

    /// Functions whose texts are names.
    pub(super) fn call_named(
        &mut self,
        function: Function,
        arguments: &'s [Expr],
        spaces: &'s Spaces,
        focus: Focus,
    ) -> Result<Value> {
        if function == Function::FormatNumber {
            return self.format_number(arguments, spaces, focus);
        }
        let written = self.text_at(arguments, 0, focus)?;
        let name = self.qualified(&written, spaces)?;
        Ok(match function {
            Function::Key => {
                let value = arguments.get(1).map(|it| self.evaluate(it, focus)).transpose()?;
                let value = value.unwrap_or_else(|| Value::text(""));
                self.by_key(name, &value, focus.node.document)?
            }
            Function::SystemProperty => {
                match (self.names.text(name.space), self.names.text(name.local)) {
                    (XSLT, "version") => Value::Number(1.0),
                    (XSLT, "vendor") => Value::text("Microsoft"),
                    (XSLT, "vendor-url") => Value::text("http://www.microsoft.com"),
                    _ => Value::text(""),
                }
            }
            Function::IsAvailable => {
                let (space, local) = (self.names.text(name.space), self.names.text(name.local));
                Value::Boolean(Function::named(space, local).is_some())
            }
            _ => {
                let is_xslt = name.space == Atom::XSLT;
                Value::Boolean(is_xslt && INSTRUCTIONS.contains(&self.names.text(name.local)))
            }
        })
    }

    pub(super) fn qualified(&mut self, written: &str, spaces: &Spaces) -> Result<Key> {
        let written = written.trim_matches(is_space);
        let Some((prefix, local)) = crate::names::split(written) else {
            return Err(Failure::broken(format!("`{written}` is no name")));
        };
        let local = self.names.atom(local);
        if prefix.is_empty() {
            return Ok(Key { space: Atom::EMPTY, local });
        }
        let atom = self.names.atom(prefix);
        match space_of(spaces, atom) {
            Some(space) => Ok(Key { space, local }),
            None => Err(Failure::broken(format!("prefix `{prefix}` is not defined"))),
        }
    }

    fn value_at(&mut self, arguments: &'s [Expr], focus: Focus) -> Result<Value> {
        match arguments.first() {
            Some(expr) => self.evaluate(expr, focus),
            None => Ok(Value::text("")),
        }
    }

    fn nodes_at(&mut self, arguments: &'s [Expr], focus: Focus) -> Result<Rc<Vec<Node>>> {
        match arguments.first() {
            Some(expr) => self.nodes(expr, focus),
            None => Ok(Rc::new(Vec::new())),
        }
    }

    fn boolean_at(&mut self, arguments: &'s [Expr], at: usize, focus: Focus) -> Result<bool> {
        arguments.get(at).map_or(Ok(false), |it| self.boolean(it, focus))
    }

    pub(super) fn number_at(
        &mut self,
        arguments: &'s [Expr],
        at: usize,
        focus: Focus,
    ) -> Result<f64> {
        arguments.get(at).map_or(Ok(f64::NAN), |it| self.number(it, focus))
    }

    pub(super) fn text_at(
        &mut self,
        arguments: &'s [Expr],
        at: usize,
        focus: Focus,
    ) -> Result<Arc<str>> {
        arguments.get(at).map_or(Ok(Arc::from("")), |it| self.text(it, focus))
    }

    /// `node-set()`: the tree of a variable becomes one of the documents; other values become a
    /// text in a tree.
    fn node_set(&mut self, arguments: &'s [Expr], focus: Focus) -> Result<Value> {
        let tree = match self.value_at(arguments, focus)? {
            Value::Nodes(nodes) => return Ok(Value::Nodes(nodes)),
            Value::Fragment(tree) => tree,
            other => {
                let text = self.text_of(&other)?;
                let mut builder = crate::document::Builder::new();
                builder.text(&text, false);
                Rc::new(builder.finish())
            }
        };
        self.budget.steps(self.documents.len() / 8)?;
        let known = self.documents.iter().position(|it| Rc::ptr_eq(it, &tree));
        let place = match known {
            Some(place) => place,
            None => {
                self.budget.node()?;
                self.documents.push(tree);
                self.documents.len() - 1
            }
        };
        Ok(Value::nodes(vec![Node::root(u32::try_from(place).unwrap_or(u32::MAX))]))
    }

    fn lang(&self, wanted: &str, node: Node) -> bool {
        let document = self.document(node);
        let mut at = Some(node.id);
        while let Some(id) = at {
            let found = document.attributes(id).find(|it| {
                let name = document.name(*it);
                name.space == Atom::XML && self.names.text(name.local) == "lang"
            });
            if let Some(found) = found {
                let own = document.value(found);
                let head = own.get(..wanted.len()).unwrap_or("");
                let rest = own.get(wanted.len()..).unwrap_or("");
                return head.eq_ignore_ascii_case(wanted)
                    && (rest.is_empty() || rest.starts_with('-'));
            }
            at = document.parent(id);
        }
        false
    }

    fn named(&self, function: Function, node: Node) -> String {
        let document = self.document(node);
        let name = document.name_of(node);
        match function {
            Function::LocalName => self.names.text(name.local).to_owned(),
            Function::NamespaceUri => self.names.text(name.space).to_owned(),
            Function::Name => self.names.written(name),
            _ => {
                let kind = if document.kind_of(node) == Kind::Namespace { "ns" } else { "id" };
                let space =
                    if node.space == 0 { String::new() } else { format!("s{}", node.space) };
                format!("{kind}{}n{}{space}", node.document, node.id)
            }
        }
    }

    /// A number, if it is one that counts things.
    pub(super) fn whole_number(value: f64) -> Option<usize> {
        let is_whole = (0.0..1e9).contains(&value) && value.fract() == 0.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within the bounds above"
        )]
        let number = is_whole.then_some(value as usize);
        number.filter(|it| number_of(*it) == value)
    }
}

/// The instructions that `element-available()` knows.
const INSTRUCTIONS: [&str; 18] = [
    "apply-imports",
    "apply-templates",
    "attribute",
    "call-template",
    "choose",
    "comment",
    "copy",
    "copy-of",
    "element",
    "fallback",
    "for-each",
    "if",
    "message",
    "number",
    "processing-instruction",
    "text",
    "value-of",
    "variable",
];
