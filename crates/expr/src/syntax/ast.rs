//! The tree that the parser makes: C# 7 expressions and statements with byte spans.
//!
//! Purely syntactic: a `Name` may turn out to be a local, a type or a namespace, and `a.b` a member
//! or a qualified type. The binder decides. Parentheses leave no node, except that
//! [`Expr::parenthesised`] remembers them for the few rules that look at them. Query syntax is gone:
//! the parser writes it as method calls (C# 7 specification, 12.17.3).

use std::ops::Range;

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

/// A name with type arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleName {
    /// The name.
    pub name: Name,
    /// Type arguments, empty if none are written.
    pub type_arguments: Vec<TypeRef>,
}

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

/// A predefined type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the keyword of the same name")]
pub enum Predefined {
    Bool,
    Byte,
    Char,
    Decimal,
    Double,
    Float,
    Int,
    Long,
    Object,
    Sbyte,
    Short,
    String,
    Uint,
    Ulong,
    Ushort,
}

/// A type as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeRef {
    /// What it is.
    pub kind: TypeRefKind,
    /// Where it stands.
    pub span: Span,
}

/// What a written type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeRefKind {
    /// `string`.
    Predefined(Predefined),
    /// `System.Collections.Generic.List<int>`: at least one part. `global::` is dropped.
    Named(Vec<SimpleName>),
    /// `T?`.
    Nullable(Box<TypeRef>),
    /// `T[]`, `T[,]`: element and rank. `int[][,]` is an array of `int[,]`.
    Array(Box<TypeRef>, u32),
    /// The empty argument of an unbound generic type, as in `typeof(List<>)`.
    Omitted,
    /// Where a problem was reported.
    Missing,
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

/// Statements in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Stmt>,
    /// From brace to brace.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// What a statement is.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `{ ... }`.
    Block(Block),
    /// `int a = 1, b;`, `var x = 1;`, `const int c = 2;`.
    Local(Local),
    /// `int F(int a) => a;`.
    LocalFunction(Box<LocalFunction>),
    /// A call, an assignment, `x++`, `new T()`.
    Expression(Expr),
    /// `if`.
    If {
        /// The condition.
        condition: Expr,
        /// What is done if it holds.
        then: Box<Stmt>,
        /// What is done if it does not.
        otherwise: Option<Box<Stmt>>,
    },
    /// `while`.
    While {
        /// The condition.
        condition: Expr,
        /// What is repeated.
        body: Box<Stmt>,
    },
    /// `do ... while (...);`.
    Do {
        /// What is repeated.
        body: Box<Stmt>,
        /// The condition.
        condition: Expr,
    },
    /// `for`.
    For(Box<For>),
    /// `foreach`.
    Foreach(Box<Foreach>),
    /// `switch`.
    Switch(Box<Switch>),
    /// `break;`.
    Break,
    /// `continue;`.
    Continue,
    /// `return;`, `return e;`.
    Return(Option<Expr>),
    /// `throw;`, `throw e;`.
    Throw(Option<Expr>),
    /// `try`.
    Try(Box<Try>),
    /// `using (...) ...`.
    Using {
        /// What is disposed of.
        resource: Resource,
        /// The body.
        body: Box<Stmt>,
    },
    /// `checked { ... }`, `unchecked { ... }`.
    Checked {
        /// Whether it is `checked`.
        checked: bool,
        /// The body.
        body: Block,
    },
    /// `;`.
    Empty,
}

/// A declaration of local variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Whether it is `const`.
    pub constant: bool,
    /// The type; `None` for `var`.
    pub ty: Option<TypeRef>,
    /// The variables, at least one.
    pub variables: Vec<Variable>,
}

/// One variable of a declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name.
    pub name: Name,
    /// The value; possibly an [`ExprKind::ArrayInitializer`].
    pub value: Option<Expr>,
}

/// A local function.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalFunction {
    /// What it returns; `None` for `void`.
    pub result: Option<TypeRef>,
    /// The name.
    pub name: Name,
    /// Type parameters.
    pub type_parameters: Vec<Name>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// The body.
    pub body: LambdaBody,
}

/// `for (init; condition; step) body`.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// A declaration.
    pub declaration: Option<Local>,
    /// Or expressions.
    pub init: Vec<Expr>,
    /// The condition; none: always.
    pub condition: Option<Expr>,
    /// Done after each round.
    pub step: Vec<Expr>,
    /// What is repeated.
    pub body: Stmt,
}

/// `foreach (T name in source) body`.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreach {
    /// The type; `None` for `var`.
    pub ty: Option<TypeRef>,
    /// The variable.
    pub name: Name,
    /// What is enumerated.
    pub source: Expr,
    /// What is repeated.
    pub body: Stmt,
}

/// `switch (value) { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    /// What is looked at.
    pub value: Expr,
    /// The sections in order.
    pub sections: Vec<SwitchSection>,
}

/// `case a: case b: ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchSection {
    /// The labels, at least one.
    pub labels: Vec<SwitchLabel>,
    /// The statements.
    pub statements: Vec<Stmt>,
    /// Where it stands.
    pub span: Span,
}

/// A label of a switch section.
#[derive(Clone, Debug, PartialEq)]
pub enum SwitchLabel {
    /// `case pattern when condition:`.
    Case {
        /// The pattern.
        pattern: Pattern,
        /// The condition after `when`.
        when: Option<Expr>,
        /// Where it stands.
        span: Span,
    },
    /// `default:`.
    Default(Span),
}

/// `try { } catch { } finally { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    /// What is tried.
    pub body: Block,
    /// The handlers in order.
    pub catches: Vec<Catch>,
    /// What is done in any case.
    pub finally: Option<Block>,
}

/// `catch (T name) when (filter) { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Catch {
    /// The type; `None` catches all.
    pub ty: Option<TypeRef>,
    /// The variable.
    pub name: Option<Name>,
    /// The filter.
    pub filter: Option<Expr>,
    /// What is done.
    pub body: Block,
    /// Where it stands.
    pub span: Span,
}

/// What `using` disposes of.
#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// `using (var x = ...)`.
    Local(Local),
    /// `using (e)`.
    Expression(Expr),
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
