//! XPath 1.0: expressions as they are compiled, and their values.
//!
//! ```text
//! text -> lexer -> parser -> Expr        (names resolved, functions checked)
//!                             |
//!               run::evaluate: Expr, Focus -> Value
//! ```
//!
//! Source: <https://www.w3.org/TR/1999/REC-xpath-19991116/>

mod function;
mod lexer;
mod number;
mod parser;
mod value;

pub(crate) use function::{Function, MSXSL};
pub(crate) use number::{number_of, number_text, parse_number, rounded};
pub(crate) use parser::{Cx, Fault, parse};
pub(crate) use value::Value;

use std::sync::Arc;

pub(crate) use crate::document::{Axis, Test};
use crate::names::Atom;

/// Prefixes and namespaces in scope, innermost last.
pub(crate) type Spaces = Arc<[(Atom, Atom)]>;

/// The namespace of a prefix.
pub(crate) fn space_of(spaces: &[(Atom, Atom)], prefix: Atom) -> Option<Atom> {
    if prefix == Atom::XML_PREFIX {
        return Some(Atom::XML);
    }
    let own = spaces.iter().rev().find(|(it, _)| *it == prefix).map(|(_, space)| *space);
    own.or((prefix == Atom::EMPTY).then_some(Atom::EMPTY))
}

/// `=`, `!=`, `<`, `<=`, `>`, `>=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            other => other,
        }
    }

    pub(crate) fn numbers(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

/// `+`, `-`, `*`, `div`, `mod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Number(f64),
    Text(Arc<str>),
    /// A variable of a template: its place there.
    Local(u32),
    /// A variable of the stylesheet.
    Global(u32),
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Compare(Comparison, Box<(Expr, Expr)>),
    Arithmetic(Arithmetic, Box<(Expr, Expr)>),
    Negate(Box<Expr>),
    Union(Vec<Expr>),
    Path(Start, Vec<Step>),
    Filter(Box<Expr>, Vec<Predicate>),
    Call(Function, Vec<Expr>),
    /// A call whose texts are names, to be read with the prefixes in scope here.
    Named(Function, Vec<Expr>, Spaces),
    /// A function of another vocabulary; an error if it is called.
    Unknown(Arc<str>),
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Start {
    Context,
    Root,
    Of(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) axis: Axis,
    pub(crate) test: Test,
    pub(crate) predicates: Vec<Predicate>,
}

/// What stands in brackets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Predicate {
    pub(crate) expr: Expr,
    /// May its result depend on the position of the node or on how many there are?
    pub(crate) is_positional: bool,
}

/// What is known of a value's type before it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Nodes,
    Text,
    Number,
    Boolean,
    Any,
}

impl Expr {
    pub(crate) fn static_type(&self) -> Type {
        match self {
            Self::Number(_) | Self::Arithmetic(..) | Self::Negate(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Or(_) | Self::And(_) | Self::Compare(..) => Type::Boolean,
            Self::Union(_) | Self::Path(..) | Self::Filter(..) => Type::Nodes,
            Self::Call(function, _) | Self::Named(function, ..) => function.result(),
            Self::Local(_) | Self::Global(_) | Self::Unknown(_) => Type::Any,
        }
    }

    /// Does it ask for the position or the number of nodes of its own context?
    pub(crate) fn asks_position(&self) -> bool {
        match self {
            Self::Call(Function::Position | Function::Last, _) => true,
            Self::Or(all) | Self::And(all) | Self::Union(all) => {
                all.iter().any(Self::asks_position)
            }
            Self::Compare(_, two) | Self::Arithmetic(_, two) => {
                two.0.asks_position() || two.1.asks_position()
            }
            Self::Negate(one) | Self::Filter(one, _) | Self::Path(Start::Of(one), _) => {
                one.asks_position()
            }
            Self::Call(_, all) | Self::Named(_, all, _) => all.iter().any(Self::asks_position),
            _ => false,
        }
    }
}
