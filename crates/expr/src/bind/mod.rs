//! The binder: from the syntax tree to typed nodes.
//!
//! ```text
//! ast -> names (what a name is) -> expression, call, operator (types, overloads, conversions)
//!     -> statement, flow (paths, definite assignment) -> ir::Code
//! ```
//!
//! Start with [`compile`]. One pass: expressions are bound in the order of evaluation, so that the
//! state of definite assignment ([`flow::Flow`]) goes along. A lambda is bound once per list of
//! parameter types while overloads are tried ([`lambda`]), and once for good.

mod advice;
mod assign;
mod better;
mod call;
mod captured;
mod cast;
pub mod codes;
mod conversion;
mod creation;
mod dynamic_json;
mod equality;
mod expression;
mod flow;
mod fold;
mod grid;
mod group;
mod infer;
mod iterator;
mod labels;
mod lambda;
pub(crate) mod late;
mod literal;
mod local_function;
mod loops;
mod member;
mod message;
mod misfit;
mod names;
mod operator;
mod overload;
mod pass;
mod pattern;
pub(crate) mod probe;
mod scope;
mod short_circuit;
mod statement;
mod switch;
mod try_using;
mod tuple;
mod unary;
mod user_operator;

use std::collections::HashMap;

use clr::Uses;
use clr::types::{Type, func};
use clr::value::Value;
use conversion::Way;
use csharp::Problem;
use csharp::ast::{self, Span};
use csharp::parser;
use csharp::scan::Form;
use flow::Flow;
use lambda::{Inferred, LambdaKey};
use scope::{Function, Scope, Variable};

use crate::Options;
use crate::ir::{Body, Code, Node};
use crate::program::Program;

/// How many expressions a binder looks at, repeated ones counted again.
const MAX_WORK: u32 = 400_000;
/// How many problems are reported.
const MAX_PROBLEMS: usize = 20;

/// Compiles the source of an expression.
///
/// # Errors
///
/// Every problem that was found, in the order of the source.
pub fn compile(source: &str, form: Form, options: &Options) -> Result<Program, Vec<Problem>> {
    let root = parser::parse(source, form, options.dialect())?;
    let mut binder = Binder::new(*options);
    let (code, result) = binder.root(&root);
    let Binder { mut problems, warnings, uses, .. } = binder;
    if problems.is_empty() {
        return Ok(Program::new(code, result, uses.settled(), *options, warnings));
    }
    problems.sort_by_key(|it| it.span.start);
    problems.dedup();
    problems.truncate(MAX_PROBLEMS);
    Err(problems)
}

/// The state of compiling one expression.
pub(crate) struct Binder {
    options: Options,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    uses: Uses,
    variables: Vec<Variable>,
    scopes: Vec<Scope>,
    functions: Vec<Function>,
    flow: Flow,
    /// After a condition: the state if it is true, and if it is false.
    when: Option<(Flow, Flow)>,
    /// Is arithmetic checked here?
    checked: bool,
    /// Does `unchecked` stand around this, so that constants wrap too?
    explicitly_unchecked: bool,
    /// The values that `?.` chains under way hang from.
    receivers: Vec<(u32, Type)>,
    inferred: HashMap<LambdaKey, Inferred>,
    /// Parameter types of the lambdas under way, outermost first.
    context: Vec<Type>,
    /// The first problem of what was last tried in vain.
    failed: Option<Problem>,
    /// Problems found, also those that are not kept.
    errors: u32,
    work: u32,
    /// Where a `throw` expression may stand: the address of its syntax.
    throw_at: usize,
    /// How deep expressions and statements nest here.
    nesting: u32,
    local_functions: Vec<std::rc::Rc<local_function::LocalFunction>>,
    /// Generic local functions being bound: which, for which types, and the variable they go to.
    instances: Vec<(usize, Vec<Option<Type>>, usize)>,
    /// Type parameters of the generic local function that is being bound.
    type_parameters: Vec<(String, Type)>,
    /// The operation's receiver is `dynamic`: extension methods are not looked for.
    on_dynamic: bool,
    /// Iterators with something to run at their end are about.
    settles: bool,
    /// For completion: whether the place is looked for, and what was found.
    probe: Option<Option<probe::Site>>,
}

/// A bound expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) node: Node,
    pub(crate) ty: Type,
    /// The value of a constant expression.
    pub(crate) constant: Option<Value>,
    /// A constant that was cast to a nullable type, or null that was cast: no constant, but the
    /// compiler knows it.
    pub(crate) is_cast: bool,
    pub(crate) span: Span,
}

impl Expr {
    fn new(node: Node, ty: Type, span: Span) -> Self {
        Self { node, ty, constant: None, is_cast: false, span }
    }

    fn constant(value: Value, ty: Type, span: Span) -> Self {
        Self { node: Node::Const(value.clone()), ty, constant: Some(value), is_cast: false, span }
    }

    fn error(span: Span) -> Self {
        Self::new(Node::Const(Value::Null), Type::Error, span)
    }

    fn is_null_literal(&self) -> bool {
        self.ty == Type::Null
    }
}

impl Binder {
    fn new(options: Options) -> Self {
        crate::catalog::load();
        Self {
            options,
            problems: Vec::new(),
            warnings: Vec::new(),
            uses: Uses::NONE,
            variables: Vec::new(),
            scopes: vec![Scope::default()],
            functions: vec![Function::default()],
            flow: Flow::start(),
            when: None,
            checked: false,
            explicitly_unchecked: false,
            receivers: Vec::new(),
            inferred: HashMap::new(),
            context: Vec::new(),
            failed: None,
            errors: 0,
            work: 0,
            throw_at: 0,
            nesting: 0,
            local_functions: Vec::new(),
            instances: Vec::new(),
            type_parameters: Vec::new(),
            on_dynamic: false,
            settles: false,
            probe: None,
        }
    }

    fn root(&mut self, root: &ast::Root) -> (Code, Type) {
        let (body, result) = match root {
            ast::Root::Expression(expr) => {
                let bound = self.value(expr);
                self.check_result(&bound);
                (Body::Expression(bound.node), bound.ty)
            }
            ast::Root::Statements(statements) => {
                if let Some(function) = self.functions.last_mut() {
                    function.returns_object = true;
                }
                let block = self.statements(statements);
                if self.flow.reachable {
                    let end = statements.last().map_or(0, |it| it.span.end);
                    let span = Span { start: end.saturating_sub(1), end };
                    self.report(
                        codes::NO_RETURN,
                        span,
                        "not all code paths return a value",
                        "control can get past this",
                        Some("end every path with `return` or `throw`".to_owned()),
                    );
                }
                let found = self.functions.last().map(|it| it.returned.clone()).unwrap_or_default();
                let result = match found.split_first() {
                    Some((first, rest)) if rest.iter().all(|it| it == first) => *first,
                    _ => Type::Object,
                };
                (Body::Block(block.into_boxed_slice()), result)
            }
        };
        let is_object = matches!(result, Type::Null | Type::Dynamic);
        let result = if is_object { Type::Object } else { result };
        let (slots, height) = (self.function().slots, self.function().height);
        let code = Code {
            signature: func(&[result.erased()]),
            slots,
            height,
            references: Box::default(),
            cells: Box::default(),
            body,
        };
        (code, result)
    }

    /// Refuses what has no value as the result of an expression.
    fn check_result(&mut self, bound: &Expr) {
        if bound.ty == Type::Void {
            self.report(
                codes::NOT_A_VALUE,
                bound.span,
                "the expression has no value",
                "returns nothing (`void`)",
                None,
            );
        }
    }

    /// Reports a problem.
    fn report(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.errors += 1;
        if self.problems.len() < 4 * MAX_PROBLEMS {
            self.problems.push(Problem {
                code,
                message: message.into(),
                span: span.range(),
                label: label.into(),
                help,
            });
        }
    }

    /// Reports a problem that does not keep the expression from running.
    fn warn(&mut self, code: &'static str, span: Span, message: &str, label: &str, help: &str) {
        self.warnings.push(Problem {
            code,
            message: message.to_owned(),
            span: span.range(),
            label: label.to_owned(),
            help: Some(help.to_owned()),
        });
    }

    /// Counts an expression looked at; false if there were too many.
    fn work(&mut self, span: Span) -> bool {
        self.work += 1;
        if self.work == MAX_WORK {
            self.report(
                codes::TOO_COMPLEX,
                span,
                "the expression is too complex",
                "gave up here",
                Some("nest fewer lambdas, or compute parts in variables".to_owned()),
            );
        }
        self.work < MAX_WORK
    }

    /// Converts implicitly, or reports that it cannot be done.
    fn convert(&mut self, from: Expr, to: Type) -> Expr {
        match self.implicit_way(&from, to) {
            Some(way) => self.apply_way(from, way, to),
            None => {
                self.report_no_conversion(&from, to);
                Expr::error(from.span)
            }
        }
    }

    fn implicit_way(&self, from: &Expr, to: Type) -> Option<Way> {
        let constant = from.constant.as_ref().and_then(|value| {
            conversion::standard_implicit(from.ty, to)
                .or_else(|| conversion::constant_implicit(from.ty, value, to))
        });
        constant.or_else(|| conversion::implicit(from.ty, to))
    }

    fn apply_way(&mut self, from: Expr, way: Way, to: Type) -> Expr {
        let span = from.span;
        match way {
            Way::Same => {
                let keeps = from.ty == to || to.without_null() == from.ty || from.is_null_literal();
                let constant = if keeps && from.ty == to { from.constant } else { None };
                Expr { node: from.node, ty: to, constant, is_cast: false, span }
            }
            Way::By(conversion) => {
                if let Some(value) = &from.constant
                    && let Some(folded) = fold::convert(&conversion, value)
                {
                    let constant = (to.is_simple() || to.is_enum()).then(|| folded.clone());
                    return Expr {
                        node: Node::Const(folded),
                        ty: to,
                        constant,
                        is_cast: false,
                        span,
                    };
                }
                Expr::new(Node::Convert(conversion, Box::new(from.node), span), to, span)
            }
        }
    }
}

#[cfg(test)]
mod soup;
#[cfg(test)]
pub(crate) mod tests;
