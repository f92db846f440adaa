//! The tree that the parser makes: C# 7 expressions and statements with byte spans.
//!
//! Purely syntactic: a `Name` may turn out to be a local, a type or a namespace, and `a.b` a member
//! or a qualified type. The binder decides. Parentheses leave no node, except that
//! [`Expr::parenthesised`] remembers them for the few rules that look at them. Query syntax is gone:
//! the parser writes it as method calls (C# 7 specification, 12.17.3).

mod operand;
mod statement;
mod types;

use std::ops::Range;

pub use operand::*;
pub use statement::*;
pub use types::*;

/// Where something stands in the source: byte offsets, `end` exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end`; saturates at 4 GiB.
    pub fn new(start: usize, end: usize) -> Span {
        let narrow = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Span { start: narrow(start), end: narrow(end) }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A name and where it stands. `@class` is `class`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name without a leading `@`, escapes decoded.
    pub text: Box<str>,
    /// Where it stands, with the `@`.
    pub span: Span,
}

/// What was parsed: either an expression `@(E)` or a block `@{ S }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    /// A single expression.
    Expression(Expr),
    /// A sequence of statements.
    Statements(Vec<Stmt>),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands; the parentheses around it are not in it.
    pub span: Span,
    /// Whether it stands in parentheses of its own.
    pub parenthesised: bool,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// `$"a{b,-3:x}c"`.
    Interpolated(Vec<InterpolatedPart>),
    /// `x`, `F<int>`: a name with type arguments (empty if none are written).
    Name(SimpleName),
    /// A predefined type used as a receiver: the `string` of `string.Join`.
    Predefined(Predefined),
    /// `target.name`.
    Member {
        /// What stands before the dot.
        target: Box<Expr>,
        /// What stands after it.
        name: SimpleName,
    },
    /// `target?.rest` and `target?[rest]`. `rest` is evaluated only if `target` is not null; at its
    /// bottom is [`ExprKind::Receiver`], which stands for the value of `target`.
    ConditionalAccess {
        /// The value that may be null.
        target: Box<Expr>,
        /// The rest of the chain.
        rest: Box<Expr>,
    },
    /// The value of `target` of the innermost [`ExprKind::ConditionalAccess`] around it.
    Receiver,
    /// `target(arguments)`.
    Call {
        /// What is called.
        target: Box<Expr>,
        /// The arguments.
        arguments: Vec<Argument>,
    },
    /// `target[arguments]`.
    Index {
        /// What is indexed.
        target: Box<Expr>,
        /// The arguments, at least one.
        arguments: Vec<Argument>,
    },
    /// `+a`, `-a`, `!a`, `~a`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `a + b` and so on, `&&`, `||` and `??` included.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `a = b` (`op` is `None`), `a += b`.
    Assign {
        /// The operator of a compound assignment.
        op: Option<BinaryOp>,
        /// What is assigned to.
        target: Box<Expr>,
        /// The value.
        value: Box<Expr>,
    },
    /// `++a`, `a--`.
    Step {
        /// The variable.
        target: Box<Expr>,
        /// Whether it counts up.
        up: bool,
        /// Whether the operator stands before the operand.
        prefix: bool,
    },
    /// `condition ? then : otherwise`.
    Conditional {
        /// The condition.
        condition: Box<Expr>,
        /// The value if it holds.
        then: Box<Expr>,
        /// The value if it does not.
        otherwise: Box<Expr>,
    },
    /// `(T)value`.
    Cast {
        /// The type.
        ty: TypeRef,
        /// What is converted.
        value: Box<Expr>,
    },
    /// `value as T`.
    As {
        /// What is converted.
        value: Box<Expr>,
        /// The type.
        ty: TypeRef,
    },
    /// `value is pattern`.
    Is {
        /// What is tested.
        value: Box<Expr>,
        /// The pattern.
        pattern: Box<Pattern>,
    },
    /// `x => ...`, `(a, b) => { ... }`, `delegate (int a) { ... }`.
    Lambda {
        /// The parameters. `None` for `delegate { ... }`, which fits any list.
        parameters: Option<Vec<Parameter>>,
        /// The body.
        body: Box<LambdaBody>,
    },
    /// `new T(arguments) { initializer }`.
    New {
        /// The type.
        ty: TypeRef,
        /// The constructor's arguments; empty when there are no parentheses.
        arguments: Vec<Argument>,
        /// The initialiser.
        initializer: Option<Initializer>,
    },
    /// `new { a = 1, b.C, d }`.
    NewAnonymous(Vec<AnonymousMember>),
    /// `new int[3]`, `new[] { 1 }`, `new int[2][]`, `new int[,] { ... }`.
    NewArray(Box<NewArray>),
    /// `{ 1, 2 }` after `int[] a =`, or nested in another array initialiser.
    ArrayInitializer(Vec<Expr>),
    /// `default(T)`; `default` when `None`.
    Default(Option<TypeRef>),
    /// `typeof(T)`; `None` for `typeof(void)`.
    TypeOf(Option<TypeRef>),
    /// `(a, name: b)`; also what a deconstruction assigns to, declarations included.
    Tuple(Vec<TupleElement>),
    /// `sizeof(T)`.
    SizeOf(TypeRef),
    /// `nameof(a.b)`: the name that it gives. The expression stays, for binding.
    NameOf(Box<Expr>, Box<str>),
    /// `checked(e)` and `unchecked(e)`.
    Checked {
        /// Whether it is `checked`.
        checked: bool,
        /// The expression.
        value: Box<Expr>,
    },
    /// `throw e` as an operand.
    Throw(Box<Expr>),
    /// `int x`, `var x` and `_` as an `out` argument; `None` for `var`.
    Declaration {
        /// The type; `None` for `var`.
        ty: Option<TypeRef>,
        /// The variable; `None` for a discard.
        name: Option<Name>,
    },
    /// What stands where a problem was reported. Never bound: a source with problems has no tree.
    Missing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_covers_what_it_is_joined_with() {
        assert_eq!(Span::new(3, 5).to(Span::new(8, 9)).range(), 3..9);
        assert_eq!(Span::new(8, 9).to(Span::new(3, 5)).range(), 3..9);
    }
}
