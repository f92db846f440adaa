//! Query syntax, written as method calls while it is parsed.
//!
//! Several range variables travel as one lambda parameter that holds an anonymous object; a name that
//! is a range variable becomes a member of it, so that no later pass needs to know.
//!
//! Source: C# 7 language specification, 12.17.3.

use super::types::Question;
use super::{Parser, expr};
use crate::ast::{
    AnonymousMember, Argument, ArgumentMode, Expr, ExprKind, LambdaBody, Name, Parameter,
    SimpleName, Span, TypeRef,
};
use crate::token::{Keyword, Punct};

/// Words that go on a query.
pub(super) const CLAUSES: &[&str] = &[
    "from",
    "let",
    "where",
    "join",
    "on",
    "equals",
    "into",
    "orderby",
    "ascending",
    "descending",
    "select",
    "group",
    "by",
];

/// A range variable and how to reach it from the lambda's parameter.
#[derive(Clone)]
pub(super) struct Range {
    name: Box<str>,
    path: Vec<Box<str>>,
}

/// A query that is being parsed.
struct Query {
    start: Span,
    /// What has been built so far.
    source: Expr,
    /// The lambda parameter of the next clause.
    parameter: Box<str>,
    /// Where this query's range variables start in `Parser::ranges`.
    first: usize,
    /// How many transparent parameters there are.
    n_transparent: u32,
}

/// The access to a range variable: `p`, `p.x`, `p.q.x`.
pub(super) fn path_expression(path: &[Box<str>], span: Span) -> Expr {
    let mut parts = path.iter().map(|text| Name { text: text.clone(), span });
    let first = parts.next().unwrap_or(Name { text: "".into(), span });
    let simple = |name| SimpleName { name, type_arguments: Vec::new() };
    let start = expr(ExprKind::Name(simple(first)), span);
    parts.fold(start, |target, name| {
        expr(ExprKind::Member { target: Box::new(target), name: simple(name) }, span)
    })
}

impl Parser<'_> {
    /// How to reach the range variable of this name.
    pub(super) fn range_path(&self, name: &str) -> Option<Vec<Box<str>>> {
        self.ranges.iter().rev().find(|it| *it.name == *name).map(|it| it.path.clone())
    }

    /// `from x in` or `from T x in`.
    pub(super) fn is_query(&self) -> bool {
        if !self.is_word(self.at, "from") {
            return false;
        }
        let first = self.at + 1;
        if self.is_identifier(first) && self.is_keyword(first + 1, Keyword::In) {
            return true;
        }
        self.scan_type(first, Question::Nullable).is_some_and(|it| {
            self.is_identifier(it.end) && self.is_keyword(it.end + 1, Keyword::In)
        })
    }

    /// Parses a query; the current token is `from`.
    pub(super) fn query(&mut self) -> Expr {
        let start = self.span();
        let first = self.ranges.len();
        let (name, source) = self.generator();
        let mut query =
            Query { start, source, parameter: name.text.clone(), first, n_transparent: 0 };
        self.declare_only(&query, &name);
        let mut plain = true;
        loop {
            if self.is_word(self.at, "select") || self.is_word(self.at, "group") {
                self.end_of_query(&mut query, plain);
                if !self.eat_word("into") {
                    break;
                }
                let name = self.name();
                query.parameter = name.text.clone();
                self.declare_only(&query, &name);
                plain = false;
            } else if self.clause(&mut query) {
                plain = false;
            } else {
                self.expected("`select` or `group`");
                break;
            }
        }
        self.ranges.truncate(first);
        query.source
    }

    /// `from T x in e` and `join T x in e`: the variable and its source, cast if a type is written.
    fn generator(&mut self) -> (Name, Expr) {
        let start = self.span();
        self.advance();
        let ty = if self.is_keyword(self.at + 1, Keyword::In) {
            None
        } else {
            Some(self.type_ref(Question::Nullable))
        };
        let name = self.name();
        self.expect_keyword(Keyword::In);
        let mut source = self.expression();
        if let Some(ty) = ty {
            source = call(source, "Cast", vec![ty], Vec::new(), self.span_from(start));
        }
        (name, source)
    }

    /// Makes `name` the only range variable of the query.
    fn declare_only(&mut self, query: &Query, name: &Name) {
        self.ranges.truncate(query.first);
        self.ranges.push(Range { name: name.text.clone(), path: vec![name.text.clone()] });
    }

    /// Parses a clause in the middle of a query. Returns whether there was one.
    fn clause(&mut self, query: &mut Query) -> bool {
        let start = self.span();
        self.grow();
        if self.is_query() {
            let (name, source) = self.generator();
            let collection = self.lambda_of(query, source);
            let result = self.extend(query, &name, None);
            query.source = call_from(query, "SelectMany", vec![collection, result], start);
        } else if self.eat_word("let") {
            let name = self.name();
            self.expect(Punct::Assign);
            let value = self.expression();
            let parameter = query.parameter.clone();
            let pair = self.extend_with(query, &name, value);
            let selector = lambda(vec![parameter], pair, self.span_from(start));
            query.source = call_from(query, "Select", vec![selector], start);
        } else if self.eat_word("where") {
            let condition = self.expression();
            let condition = self.lambda_of(query, condition);
            query.source = call_from(query, "Where", vec![condition], start);
        } else if self.is_word(self.at, "join") {
            self.join(query);
        } else if self.eat_word("orderby") {
            self.order(query);
        } else {
            return false;
        }
        true
    }

    fn join(&mut self, query: &mut Query) {
        let start = self.span();
        let (name, source) = self.generator();
        if !self.eat_word("on") {
            self.expected("`on`");
        }
        let outer = self.expression();
        let outer = self.lambda_of(query, outer);
        if !self.eat_word("equals") {
            self.expected("`equals`");
        }
        let visible = self.ranges.split_off(query.first);
        self.ranges.push(Range { name: name.text.clone(), path: vec![name.text.clone()] });
        let inner = self.expression();
        self.ranges.truncate(query.first);
        self.ranges.extend(visible);
        let inner = lambda(vec![name.text.clone()], inner, self.span_from(start));
        let (method, name) =
            if self.eat_word("into") { ("GroupJoin", self.name()) } else { ("Join", name) };
        let result = self.extend(query, &name, None);
        query.source = call_from(query, method, vec![source, outer, inner, result], start);
    }

    fn order(&mut self, query: &mut Query) {
        let mut method = ("OrderBy", "OrderByDescending");
        loop {
            let start = self.span();
            let key = self.expression();
            let key = self.lambda_of(query, key);
            let descending = self.eat_word("descending");
            if !descending {
                self.eat_word("ascending");
            }
            let name = if descending { method.1 } else { method.0 };
            query.source = call_from(query, name, vec![key], start);
            method = ("ThenBy", "ThenByDescending");
            self.grow();
            if !self.eat(Punct::Comma) {
                break;
            }
        }
    }

    /// `select` and `group ... by`. A `select` of the range variable itself behind other clauses
    /// changes nothing and is left out.
    fn end_of_query(&mut self, query: &mut Query, plain: bool) {
        let start = self.span();
        self.grow();
        if self.eat_word("select") {
            let value = self.expression();
            if !plain && is_parameter(&value, &query.parameter) {
                return;
            }
            let selector = self.lambda_of(query, value);
            query.source = call_from(query, "Select", vec![selector], start);
            return;
        }
        self.advance();
        let element = self.expression();
        if !self.eat_word("by") {
            self.expected("`by`");
        }
        let key = self.expression();
        let mut arguments = vec![self.lambda_of(query, key)];
        if !is_parameter(&element, &query.parameter) {
            arguments.push(self.lambda_of(query, element));
        }
        query.source = call_from(query, "GroupBy", arguments, start);
    }

    fn lambda_of(&self, query: &Query, body: Expr) -> Expr {
        let span = body.span;
        lambda(vec![query.parameter.clone()], body, span)
    }

    /// The result selector `(p, name) => new { p, name }`.
    fn extend(&mut self, query: &mut Query, name: &Name, value: Option<Expr>) -> Expr {
        let parameters = vec![query.parameter.clone(), name.text.clone()];
        let value =
            value.unwrap_or_else(|| path_expression(std::slice::from_ref(&name.text), name.span));
        let pair = self.extend_with(query, name, value);
        lambda(parameters, pair, name.span)
    }

    /// Adds a range variable: `new { p, name = value }`, which is the next clause's parameter.
    fn extend_with(&mut self, query: &mut Query, name: &Name, value: Expr) -> Expr {
        let span = name.span;
        let old = query.parameter.clone();
        query.n_transparent += 1;
        let fresh: Box<str> = format!("<>{}_{}", query.first, query.n_transparent).into();
        for range in self.ranges.iter_mut().skip(query.first) {
            range.path.insert(0, fresh.clone());
        }
        let path = vec![fresh.clone(), name.text.clone()];
        self.ranges.push(Range { name: name.text.clone(), path });
        query.parameter = fresh;
        self.grow();
        let member =
            |text: &str, value| AnonymousMember { name: Name { text: text.into(), span }, value };
        let carried = member(&old, path_expression(std::slice::from_ref(&old), span));
        expr(ExprKind::NewAnonymous(vec![carried, member(&name.text, value)]), span)
    }
}

/// Whether the expression is the lambda's parameter itself.
fn is_parameter(value: &Expr, parameter: &str) -> bool {
    matches!(&value.kind, ExprKind::Name(it) if *it.name.text == *parameter)
}

fn lambda(parameters: Vec<Box<str>>, body: Expr, span: Span) -> Expr {
    let parameters = parameters
        .into_iter()
        .map(|text| Parameter {
            // A range variable is read-only.
            mode: ArgumentMode::In,
            params: false,
            ty: None,
            name: Name { text, span },
            default: None,
        })
        .collect();
    let body = Box::new(LambdaBody::Expression(body));
    expr(ExprKind::Lambda { parameters: Some(parameters), body }, span)
}

fn call_from(query: &mut Query, method: &str, arguments: Vec<Expr>, clause: Span) -> Expr {
    let missing = expr(ExprKind::Missing, query.start);
    let source = std::mem::replace(&mut query.source, missing);
    call(source, method, Vec::new(), arguments, clause)
}

fn call(
    target: Expr,
    method: &str,
    type_arguments: Vec<TypeRef>,
    arguments: Vec<Expr>,
    span: Span,
) -> Expr {
    let name = SimpleName { name: Name { text: method.into(), span }, type_arguments };
    let whole = target.span.to(span);
    let member = expr(ExprKind::Member { target: Box::new(target), name }, whole);
    let arguments = arguments
        .into_iter()
        .map(|value| Argument { name: None, mode: ArgumentMode::Value, value })
        .collect();
    expr(ExprKind::Call { target: Box::new(member), arguments }, whole)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn simple_queries_become_method_calls() {
        assert_eq!(print("from x in xs select x"), "xs.Select((x => x))");
        assert_eq!(
            print("from x in xs where x > 1 orderby x descending, x.A select x.B"),
            "xs.Where((x => (> x 1))).OrderByDescending((x => x)).ThenBy((x => x.A)).Select((x => x.B))"
        );
        assert_eq!(print("from x in xs where x select x"), "xs.Where((x => x))");
        assert_eq!(print("from int x in xs select x"), "xs.Cast<int>().Select((x => x))");
        assert_eq!(print("from x in xs group x by x.A"), "xs.GroupBy((x => x.A))");
        assert_eq!(
            print("from x in xs group x.B by x.A into g select g.Key"),
            "xs.GroupBy((x => x.A), (x => x.B)).Select((g => g.Key))"
        );
    }

    #[test]
    fn several_range_variables_travel_together() {
        assert_eq!(
            print("from a in xs from b in a.B select a + b"),
            "xs.SelectMany((a => a.B), (a, b => new {a = a, b = b})).Select((<>0_1 => (+ <>0_1.a <>0_1.b)))"
        );
        assert_eq!(
            print("from a in xs let b = a.B where b select a"),
            "xs.Select((a => new {a = a, b = a.B})).Where((<>0_1 => <>0_1.b)).Select((<>0_1 => <>0_1.a))"
        );
        assert_eq!(
            print("from a in xs join b in ys on a.K equals b.K into g select g"),
            "xs.GroupJoin(ys, (a => a.K), (b => b.K), (a, g => new {a = a, g = g})).Select((<>0_1 => <>0_1.g))"
        );
    }

    #[test]
    fn from_is_an_ordinary_name_elsewhere() {
        assert_eq!(print("from + select"), "(+ from select)");
        assert_eq!(problem("from x in xs"), "expected `select` or `group`, found the end");
    }
}
