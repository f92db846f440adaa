//! Statements.
//!
//! Source: C# 7 language specification, 13.

use super::{Expr, LambdaBody, Name, Parameter, Pattern, Span, TypeRef};

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
    /// `label: statement`.
    Labelled(Name, Box<Stmt>),
    /// `goto label;`, `goto case 1;`, `goto default;`.
    Goto(Goto),
    /// `yield return e;`, or `yield break;` without a value.
    Yield(Option<Expr>),
    /// `;`.
    Empty,
}

/// Where a `goto` goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Goto {
    /// A label.
    Label(Name),
    /// The section of a constant in the `switch` around.
    Case(Expr),
    /// The `default` section of the `switch` around.
    Default,
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
#[expect(clippy::large_enum_variant, reason = "a tree lives for one compilation")]
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
