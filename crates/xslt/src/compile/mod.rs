//! A stylesheet's text to a compiled stylesheet, with every problem and its place.
//!
//! ```text
//! text -> document (with places) -> top: declarations -> body: instructions -> Sheet
//! ```
//!
//! Two passes: the first learns the names of templates, variables and attribute sets, so that
//! the second can resolve them wherever they stand.
//!
//! Source: <https://www.w3.org/TR/1999/REC-xslt-19991116>

mod attributes;
mod body;
mod declared;
mod instructions;
mod output;
mod top;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::document::{Document, Kind, Options, parse};
use crate::names::{Atom, Key, Name, Names, is_space};
use crate::sheet::Sheet;
use crate::xpath::{Cx, Expr, Function, Spaces, Type, space_of};

/// What keeps a stylesheet from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: one sentence, lower case, no full stop.
    pub message: String,
    /// The bytes of the stylesheet that are meant.
    pub span: Range<usize>,
}

/// Elements of a stylesheet inside of each other.
const MAX_DEPTH: usize = 150;
/// Nodes of a stylesheet.
const MAX_NODES: usize = 200_000;

/// Compiles a stylesheet.
pub(crate) fn compile(text: &str) -> Result<Sheet, Vec<Problem>> {
    let mut names = Names::new();
    let options = Options { max_nodes: MAX_NODES, keeps: None, places: true };
    let document = parse(text, &mut names, &options)
        .map_err(|it| vec![Problem { message: it.message, span: it.at..it.at }])?;
    let Some(root) = document.children(0).find(|it| document.kind(*it) == Kind::Element) else {
        return Err(vec![Problem { message: "there is no element".to_owned(), span: 0..0 }]);
    };
    let mut compiler = Compiler {
        text,
        document: &document,
        names,
        problems: Vec::new(),
        spaces: Arc::from([]),
        excluded: HashSet::from([Atom::XSLT]),
        extensions: HashSet::new(),
        aliases: HashMap::new(),
        is_forwards: false,
        may_guard: text.contains("function-available"),
        depth: 0,
        locals: Vec::new(),
        n_variables: 0,
        globals: HashMap::new(),
        named: HashMap::new(),
        sets: HashMap::new(),
        referred: Vec::new(),
    };
    let sheet = compiler.stylesheet(root);
    compiler.check_references(&sheet);
    let mut problems = compiler.problems;
    if problems.is_empty() {
        return Ok(Sheet { names: Arc::new(compiler.names), ..sheet });
    }
    problems.sort_by_key(|it| it.span.start);
    problems.dedup();
    Err(problems)
}

/// What is known while a stylesheet is compiled.
struct Compiler<'a> {
    text: &'a str,
    document: &'a Document,
    names: Names,
    problems: Vec<Problem>,
    /// Prefixes in scope at the element at hand.
    spaces: Spaces,
    /// Namespaces that literal result elements do not pass on.
    excluded: HashSet<Atom>,
    /// Namespaces whose elements are extension instructions.
    extensions: HashSet<Atom>,
    aliases: HashMap<Atom, (Atom, Atom)>,
    /// A version other than 1.0 is in force: what is unknown is left to `xsl:fallback`.
    is_forwards: bool,
    may_guard: bool,
    depth: usize,
    /// Variables in scope, innermost last.
    locals: Vec<(Key, u32)>,
    n_variables: u32,
    globals: HashMap<Key, u32>,
    named: HashMap<Key, usize>,
    sets: HashMap<Key, usize>,
    /// Keys and decimal formats that expressions name, and where.
    referred: Vec<(Function, Key, Range<usize>)>,
}

/// An attribute: its value and where that begins.
#[derive(Clone, Copy)]
struct Given<'a> {
    value: &'a str,
    at: usize,
}

impl<'a> Compiler<'a> {
    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem { message: message.into(), span });
    }

    /// A problem at the tag of an element.
    fn problem_at(&mut self, id: u32, message: impl Into<String>) {
        let (at, _) = self.document.place(id);
        let tag = self.text.get(at + 1..).unwrap_or("");
        let length = tag.find(|it: char| is_space(it) || it == '>' || it == '/').unwrap_or(0);
        self.problem(at + 1..at + 1 + length, message);
    }

    /// A problem in the value of an attribute.
    fn problem_in(&mut self, given: Given<'_>, message: impl Into<String>) {
        self.problem(given.at..given.at + given.value.len(), message);
    }

    fn at(&self, id: u32) -> usize {
        self.document.place(id).0
    }

    /// The local name, if it is an element of XSLT.
    fn instruction(&self, id: u32) -> Option<&str> {
        let name = self.document.name(id);
        let is_xslt = self.document.kind(id) == Kind::Element && name.space == Atom::XSLT;
        is_xslt.then(|| self.names.text(name.local))
    }

    /// The tag as it is written.
    fn tag(&self, id: u32) -> String {
        self.names.written(self.document.name(id))
    }

    fn given(&self, id: u32, name: &str) -> Option<Given<'a>> {
        let attribute = self.document.attribute(id, self.names.find(name)?)?;
        let at = self.document.place(attribute).1;
        Some(Given { value: self.document.value(attribute), at })
    }

    /// The attribute in the namespace of XSLT, as literal result elements have them.
    fn given_xsl(&self, id: u32, name: &str) -> Option<Given<'a>> {
        let key = Key { space: Atom::XSLT, local: self.names.find(name)? };
        let found = self.document.attributes(id).find(|it| self.document.name(*it).key() == key)?;
        Some(Given { value: self.document.value(found), at: self.document.place(found).1 })
    }

    /// An attribute that has to be there.
    fn required(&mut self, id: u32, name: &str) -> Option<Given<'a>> {
        let given = self.given(id, name);
        if given.is_none() {
            let message = format!("`{}` needs the attribute `{name}`", self.tag(id));
            self.problem_at(id, message);
        }
        given
    }

    /// Runs with the prefixes that an element declares.
    fn scoped<T>(&mut self, id: u32, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let declared = self.document.declared(id);
        let result = if declared.is_empty() {
            inner(self)
        } else {
            let own: Vec<_> = self.spaces.iter().chain(declared).copied().collect();
            let outer = std::mem::replace(&mut self.spaces, Arc::from(own));
            let result = inner(self);
            self.spaces = outer;
            result
        };
        self.depth -= 1;
        result
    }

    fn expression(&mut self, given: Given<'_>) -> Option<Expr> {
        let mut referred = Vec::new();
        let mut cx = Cx {
            names: &mut self.names,
            spaces: &self.spaces,
            locals: &self.locals,
            globals: &self.globals,
            may_guard: self.may_guard,
            referred: &mut referred,
        };
        match crate::xpath::parse(given.value, &mut cx) {
            Ok(expr) => {
                let end = given.at + given.value.len();
                let placed =
                    referred.into_iter().map(|(what, key, at)| (what, key, given.at + at..end));
                self.referred.extend(placed);
                Some(expr)
            }
            Err(fault) => {
                // A reference in the attribute is longer than what it stands for.
                let at = given.at + fault.at;
                let message = format!("XPath: {}", fault.message);
                self.problem(at..given.at + given.value.len().max(fault.at), message);
                None
            }
        }
    }

    /// An expression whose value must be a node-set.
    fn node_expression(&mut self, given: Given<'_>) -> Option<Expr> {
        let expr = self.expression(given)?;
        if !matches!(expr.static_type(), Type::Nodes | Type::Any) {
            self.problem_in(given, format!("`{}` is no node-set", given.value));
            return None;
        }
        Some(expr)
    }

    /// A name in an attribute, with its prefix resolved; the default namespace does not count.
    fn qualified(&mut self, given: Given<'_>) -> Option<Key> {
        let written = given.value.trim_matches(is_space);
        let Some((prefix, local)) = crate::names::split(written) else {
            self.problem_in(given, format!("`{written}` is no name"));
            return None;
        };
        let local = self.names.atom(local);
        if prefix.is_empty() {
            return Some(Key { space: Atom::EMPTY, local });
        }
        let space = self.space(prefix, given)?;
        Some(Key { space, local })
    }

    fn space(&mut self, prefix: &str, given: Given<'_>) -> Option<Atom> {
        let atom = self.names.atom(prefix);
        let space = space_of(&self.spaces, atom);
        if space.is_none() {
            self.problem_in(given, format!("prefix `{prefix}` is not defined"));
        }
        space
    }

    fn name_of(&self, id: u32) -> Name {
        self.document.name(id)
    }
}
