//! What the evaluator runs: typed operations over numbered slots, without names.
//!
//! The binder has chosen every overload and put in every conversion, so that a node does exactly
//! one thing. A slot holds a value, or, if a lambda captures the variable, a cell that both share.

use std::sync::Arc;

use clr::rows::{Find, Member, MemberKind, TypeDef};
use clr::types::Type;
use clr::value::Value;
use csharp::ast::Span;

use crate::bind::late::Site;
use crate::steps::Steps;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Const(Value),
    /// The value of a slot.
    Local(u32),
    /// The variable itself, for a `ref` or `out` parameter of a local function.
    Reference(u32),
    /// Stores a value in a slot and gives it.
    SetLocal(u32, Box<Node>),
    /// A part of `context`, or a member of one, read from the host.
    Part(&'static Member, Span),
    /// Calls a row.
    Call(Box<Call>),
    /// `a op b` of numbers, enums and booleans, both operands of the operation's type.
    Binary(Operation, Box<(Node, Node)>, Span),
    /// The same, but null (or false, for comparisons) if an operand is null.
    Lifted(Operation, Box<(Node, Node)>, Span),
    /// `bool? & bool?`, `bool? | bool?`.
    ThreeValued {
        or: bool,
        operands: Box<(Node, Node)>,
    },
    Negate(Number, bool, Box<Node>, Span),
    Complement(Box<Node>),
    Not(Box<Node>),
    AndAlso(Box<(Node, Node)>),
    OrElse(Box<(Node, Node)>),
    /// Equality of strings (ordinal).
    StringEquals(bool, Box<(Node, Node)>),
    /// Reference equality; with boxed values and strings by value.
    Same(bool, Box<(Node, Node)>),
    /// Equality by value of two of the same type, null included.
    Equals(bool, Box<(Node, Node)>),
    /// String concatenation; every part by its text.
    Concat(Box<[Node]>),
    /// A hole of an interpolated string.
    Format {
        value: Box<Node>,
        alignment: i32,
        format: Option<Box<str>>,
    },
    Convert(Conversion, Box<Node>, Span),
    Conditional(Box<(Node, Node, Node)>),
    Coalesce(Box<(Node, Node)>),
    /// Null if the target is null; else the target is put in a slot and the rest evaluated.
    NullConditional {
        target: Box<Node>,
        slot: u32,
        rest: Box<Node>,
    },
    Is(Type, Box<Node>),
    As(Type, Box<Node>),
    /// The value if it is an instance, stored in the slot: `is T x`.
    IsDeclaration {
        ty: Option<Type>,
        slot: Option<u32>,
        value: Box<Node>,
    },
    /// `object.Equals(value, constant)`: the constant pattern.
    IsConstant(Box<(Node, Node)>),
    Lambda(Arc<Code>, Box<[Capture]>),
    Invoke(Box<Node>, Box<[Node]>, Span),
    NewArray(Type, Box<[Node]>),
    NewArrayOf(Type, Box<Node>, Span),
    ArrayGet(Box<(Node, Node)>, Span),
    ArraySet(Box<(Node, Node, Node)>, Span),
    CharAt(Box<(Node, Node)>, Span),
    Anonymous(Type, Box<[Node]>),
    AnonymousGet(usize, Box<Node>, Span),
    /// Runs the first ones for their effect and gives the last one's value.
    Sequence(Box<[Node]>),
    /// The value of the first, after the others ran; they run too if it throws.
    Finally(Box<Node>, Box<[Node]>),
    Throw(Box<Node>, Span),
    /// A tuple with another value in one place.
    With(usize, Box<(Node, Node)>),
    /// An operation on `dynamic`, bound for the types that its operands have.
    Late(Arc<Site>, Box<[Node]>),
    /// Runs what iterators that were let go have still to do.
    Settle(Box<Node>),
}

/// A call of a row.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub member: &'static Member,
    pub access: Access,
    /// The object first, for instance members.
    pub args: Box<[Node]>,
    /// It reads an item of a part of `context` by a constant name: found without a call.
    pub find: Option<Find>,
    /// Throws if the object is null.
    pub check_null: bool,
    pub of_type: &'static [Type],
    pub of_method: &'static [Type],
    pub returns: Type,
    /// Slots that take what the row left in an argument.
    pub outs: Box<[(usize, Node, u32)]>,
    pub span: Span,
}

/// What a call does with a property or an indexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    /// Calls the row's setter and gives the value.
    Write,
    /// Gives the struct with the value in place of what it has.
    Alter,
}

/// How an indexer finds an item with a constant name, if its object is a dictionary of `context`.
pub(crate) fn find_of(member: &Member, args: &[Node]) -> Option<Find> {
    match args {
        [Node::Part(part, _), Node::Const(Value::String(_))]
            if member.kind == MemberKind::Indexer && member.set.is_none() =>
        {
            part.find
        }
        _ => None,
    }
}

/// A captured variable: where it is outside and inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capture {
    pub outer: u32,
    pub inner: u32,
}

/// A function: a lambda, a local function or the whole expression.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub signature: Type,
    pub slots: u32,
    /// How deep its nodes nest, for the bound on recursion.
    pub height: u32,
    /// Parameters that are passed by reference.
    pub references: Box<[u32]>,
    /// Parameters that a lambda captures.
    pub cells: Box<[u32]>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Expression(Node),
    Block(Box<[Stmt]>),
    /// Of a function with `yield`: gives a sequence.
    Iterator(Steps),
}

/// An operation on two values of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub op: Op,
    pub number: Number,
    pub checked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    ShiftRight,
    And,
    Or,
    Xor,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Op {
    pub(crate) const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}

/// The types that operators work on after promotion; `Other` compares by `Comparer.Default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Int,
    UInt,
    Long,
    ULong,
    Single,
    Double,
    Decimal,
    Bool,
    /// An enum by its number.
    Enum,
    Other,
}

#[derive(Clone, Debug)]
pub(crate) enum Conversion {
    /// Between simple types; the source is known from the value.
    Numeric { to: Type, checked: bool },
    /// From a number to an enum.
    ToEnum(&'static TypeDef),
    /// From an enum to a number.
    FromEnum { to: Type, checked: bool },
    /// Null stays null, anything else is converted.
    Lifted(Box<Conversion>),
    /// `(T)` of an `object` or interface: exact for value types.
    Cast(Type),
    /// `T?` to `T`.
    NotNull,
    /// By a user-defined conversion; the flag says that null passes through.
    User(&'static Member, bool),
    /// One after the other.
    Chain(Box<(Conversion, Conversion)>),
    /// Item by item to a tuple type.
    Tuple(Box<(Type, Vec<Option<Conversion>>)>),
    /// Of `dynamic`, bound for the type that the value has.
    Late(Arc<Site>),
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Expression(Node),
    Block(Box<[Stmt]>),
    /// Makes fresh cells for captured variables, then runs.
    Scope(Box<[u32]>, Box<[Stmt]>),
    If(Node, Box<Stmt>, Option<Box<Stmt>>),
    While(Node, Box<Stmt>),
    Do(Box<Stmt>, Node),
    For {
        init: Box<[Stmt]>,
        condition: Option<Node>,
        step: Box<[Node]>,
        body: Box<Stmt>,
    },
    Foreach(Box<Foreach>),
    Switch(Box<Switch>),
    Break,
    Continue,
    Return(Option<Node>),
    Throw(Node, Span),
    /// `throw;`: throws what the slot holds again.
    Rethrow(u32),
    Try(Box<Try>),
    /// Runs the body, then disposes of what is in the slot.
    Using(u32, Box<Stmt>),
    Labels(Box<Labels>),
    Goto(u32),
    /// `yield return`, or `yield break` without a value; only where [`Steps`] are made of it.
    Yield(Option<Node>),
    /// Runs the statement, then what iterators that were let go have still to do.
    Settled(Box<Stmt>),
}

/// Statements with places to go to.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub statements: Box<[Stmt]>,
    /// Each label with the statement behind it.
    pub places: Box<[(u32, usize)]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Foreach {
    pub slot: u32,
    /// A lambda captures the variable: a fresh cell each round.
    pub captured: bool,
    pub source: Node,
    /// The static type of the items.
    pub item: Type,
    pub conversion: Option<Conversion>,
    pub body: Stmt,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub slot: u32,
    pub value: Node,
    pub cells: Box<[u32]>,
    /// Conditions in order, each with its section.
    pub cases: Box<[(Node, usize)]>,
    pub default: Option<usize>,
    /// Where `goto case` and `goto default` go.
    pub gotos: Box<[(u32, usize)]>,
    pub sections: Box<[Box<[Stmt]>]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub body: Box<[Stmt]>,
    pub catches: Arc<[Catch]>,
    /// Has one of them a filter?
    pub filters: bool,
    pub finally: Option<Box<[Stmt]>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Catch {
    /// The type caught.
    pub ty: Type,
    /// Where the exception is put.
    pub slot: u32,
    pub captured: bool,
    pub filter: Option<Node>,
    pub body: Box<[Stmt]>,
}
