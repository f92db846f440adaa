//! Literals, operators and the lists that stand in brackets: arguments, parameters, initialisers.
//!
//! Source: C# 7 language specification, 6.4.5, 12.4 and 12.8.17.

use super::{Block, Expr, Name, Span, TypeRef};

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// An integer with its suffix. The binder picks the type and knows `-2147483648`.
    Integer {
        /// The value.
        value: u64,
        /// `u`, `l`, `ul` or nothing.
        suffix: IntegerSuffix,
    },
    /// `1.5`, `1e3`, `1d`.
    Double(f64),
    /// `1.5f`.
    Float(f32),
    /// `1.50m`: the digits without `m` and `_`.
    Decimal(Box<str>),
    /// A UTF-16 unit.
    Char(u16),
    /// A string.
    String(Box<str>),
    /// A string that is no valid UTF-16 (a lone surrogate escape): its units.
    Units(Box<[u16]>),
}

/// The suffix of an integer literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerSuffix {
    /// None: the first of `int`, `uint`, `long`, `ulong` that holds the value.
    None,
    /// `u`: the first of `uint`, `ulong`.
    U,
    /// `l`: the first of `long`, `ulong`.
    L,
    /// `ul`: `ulong`.
    Ul,
}

/// A piece of an interpolated string.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a tree lives for one compilation")]
pub enum InterpolatedPart {
    /// Text, escapes and doubled braces decoded.
    Text(Literal),
    /// `{value,alignment:format}`.
    Hole {
        /// The value.
        value: Expr,
        /// A constant expression.
        alignment: Option<Expr>,
        /// The format, decoded.
        format: Option<Box<str>>,
    },
}

/// `+`, `-`, `!`, `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnaryOp {
    Plus,
    Minus,
    Not,
    Complement,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    ShiftRight,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    AndAlso,
    OrElse,
    Coalesce,
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
            BinaryOp::ShiftLeft => "<<",
            BinaryOp::ShiftRight => ">>",
            BinaryOp::Less => "<",
            BinaryOp::Greater => ">",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::And => "&",
            BinaryOp::Xor => "^",
            BinaryOp::Or => "|",
            BinaryOp::AndAlso => "&&",
            BinaryOp::OrElse => "||",
            BinaryOp::Coalesce => "??",
        }
    }
}

/// An argument of a call, an indexer or a constructor.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name:`.
    pub name: Option<Name>,
    /// `ref`, `out`, `in` or nothing.
    pub mode: ArgumentMode,
    /// The value; for `out` possibly an [`ExprKind::Declaration`].
    pub value: Expr,
}

/// How an argument or a parameter is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentMode {
    /// By value.
    Value,
    /// `ref`.
    Ref,
    /// `out`.
    Out,
    /// `in`.
    In,
}

/// A pattern (C# 7).
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `is T`. A dotted name may also be a constant: a type first, then a constant.
    Type(TypeRef),
    /// `is T x`; the name is `None` for the discard `_`.
    Declaration {
        /// The type.
        ty: TypeRef,
        /// The variable.
        name: Option<Name>,
    },
    /// `is var x`; `None` for `var _`.
    Var {
        /// The variable.
        name: Option<Name>,
        /// Where the pattern stands.
        span: Span,
    },
    /// `is 5`, `case "a"`. In a `case`, a dotted name is a constant first, then a type.
    Constant(Expr),
}

/// A parameter of a lambda, an anonymous method or a local function.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `ref`, `out`, `in` or nothing.
    pub mode: ArgumentMode,
    /// Whether it is a `params` array (local functions only).
    pub params: bool,
    /// The type, if written.
    pub ty: Option<TypeRef>,
    /// The name.
    pub name: Name,
    /// The default value (local functions only).
    pub default: Option<Expr>,
}

/// The body of a lambda or a local function.
#[derive(Clone, Debug, PartialEq)]
pub enum LambdaBody {
    /// `=> e`.
    Expression(Expr),
    /// `=> { ... }`.
    Block(Block),
}

/// What stands in braces after `new T(...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Initializer {
    /// What kind it is.
    pub kind: InitializerKind,
    /// From brace to brace.
    pub span: Span,
}

/// The two kinds of initialiser. Empty braces are an object initialiser without members.
#[derive(Clone, Debug, PartialEq)]
pub enum InitializerKind {
    /// `{ A = 1, ["k"] = 2 }`.
    Object(Vec<MemberInitializer>),
    /// `{ 1, { "k", 2 } }`: each element is the argument list of one `Add` call.
    Collection(Vec<Vec<Expr>>),
}

/// `A = value` in an object initialiser.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberInitializer {
    /// What is set.
    pub target: InitializerTarget,
    /// The value.
    pub value: InitializerValue,
}

/// What a member of an object initialiser sets.
#[derive(Clone, Debug, PartialEq)]
pub enum InitializerTarget {
    /// `A = ...`.
    Member(Name),
    /// `["k"] = ...`.
    Index(Vec<Argument>, Span),
}

/// The value of a member of an object initialiser.
#[derive(Clone, Debug, PartialEq)]
pub enum InitializerValue {
    /// An expression.
    Expression(Expr),
    /// Braces: the members of the object, or the elements of the collection, that is already there.
    Nested(Initializer),
}

/// An element of a tuple.
#[derive(Clone, Debug, PartialEq)]
pub struct TupleElement {
    /// `name:`.
    pub name: Option<Name>,
    /// The value, or what is assigned to.
    pub value: Expr,
}

/// A member of an anonymous object. The name is worked out for `b.C` and `d`.
#[derive(Clone, Debug, PartialEq)]
pub struct AnonymousMember {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Expr,
}

/// `new int[2, 3][] { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct NewArray {
    /// The type of an element, further ranks included; `None` for `new[]`.
    pub element: Option<TypeRef>,
    /// How many dimensions it has.
    pub rank: u32,
    /// The lengths, one a dimension, or none when the initialiser says them.
    pub lengths: Vec<Expr>,
    /// The elements; nested [`ExprKind::ArrayInitializer`] for more dimensions.
    pub initializer: Option<Vec<Expr>>,
}
