//! Which bodies an expression reads for certain, in the order in which it does.
//!
//! Only what runs whenever the expression runs counts: neither branches, loops, lambdas nor what
//! stands behind a `return` that may come. A body that was put into a variable of the expression is
//! not followed. So what is found is true, and some is missed.

use std::ops::Range;

use clr::host::HostRef;
use clr::rows::Member;
use clr::types::{Type, names};
use clr::value::Value;

use crate::ir::{Body, Call, Code, Node, Stmt};

/// A read of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyRead {
    /// The body of `context.Response`, not that of `context.Request`.
    pub of_response: bool,
    /// It is gone then: `preserveContent` is not true.
    pub consumes: bool,
    /// Where the expression reads it, in bytes.
    pub span: Range<usize>,
}

/// The reads that are certain.
pub(crate) fn certain_reads(code: &Code) -> Vec<BodyRead> {
    let mut found = Vec::new();
    match &code.body {
        Body::Expression(node) => expression(node, &mut found),
        Body::Block(statements) => {
            block(statements, &mut found);
        }
        // What a call of it gives runs when it is enumerated.
        Body::Iterator(_) => {}
    }
    found
}

/// Whether the next statement runs for certain.
fn block(statements: &[Stmt], found: &mut Vec<BodyRead>) -> bool {
    statements.iter().all(|it| statement(it, found))
}

fn statement(statement: &Stmt, found: &mut Vec<BodyRead>) -> bool {
    match statement {
        Stmt::Expression(node) => expression(node, found),
        Stmt::Block(inner) | Stmt::Scope(_, inner) => return block(inner, found),
        Stmt::Return(Some(node)) => {
            expression(node, found);
            return false;
        }
        Stmt::If(condition, ..) => {
            expression(condition, found);
            // It may return.
            return false;
        }
        Stmt::Foreach(it) => {
            expression(&it.source, found);
            return false;
        }
        Stmt::Switch(it) => {
            expression(&it.value, found);
            return false;
        }
        _ => return false,
    }
    true
}

fn expression(node: &Node, found: &mut Vec<BodyRead>) {
    match node {
        Node::SetLocal(_, value)
        | Node::Negate(_, _, value, _)
        | Node::Complement(value)
        | Node::Not(value)
        | Node::Convert(_, value, _)
        | Node::Is(_, value)
        | Node::As(_, value)
        | Node::Format { value, .. }
        | Node::IsDeclaration { value, .. }
        | Node::NewArrayOf(_, value, _)
        | Node::Settle(value)
        | Node::AnonymousGet(_, value, _) => expression(value, found),
        Node::Binary(_, both, _)
        | Node::Lifted(_, both, _)
        | Node::StringEquals(_, both)
        | Node::Same(_, both)
        | Node::Equals(_, both)
        | Node::ArrayGet(both, _)
        | Node::CharAt(both, _)
        | Node::IsConstant(both) => {
            expression(&both.0, found);
            expression(&both.1, found);
        }
        // The second one may not run.
        Node::AndAlso(both) | Node::OrElse(both) | Node::Coalesce(both) => {
            expression(&both.0, found);
        }
        Node::Finally(first, all) => {
            expression(first, found);
            all.iter().for_each(|it| expression(it, found));
        }
        Node::Conditional(all) => expression(&all.0, found),
        Node::NullConditional { target, .. } => expression(target, found),
        Node::Concat(all)
        | Node::NewArray(_, all)
        | Node::Anonymous(_, all)
        | Node::Sequence(all) => all.iter().for_each(|it| expression(it, found)),
        Node::Call(call) => {
            call.args.iter().for_each(|it| expression(it, found));
            found.extend(read(call));
        }
        _ => {}
    }
}

/// A call of `As` or its like on the body of the request or of the response.
fn read(call: &Call) -> Option<BodyRead> {
    let [body, preserve] = &*call.args else { return None };
    let is_read = matches!(call.member.name, "As" | "AsFormUrlEncodedContent");
    if !is_read {
        return None;
    }
    let of_response = is_response(body)?;
    let preserves = !matches!(preserve, Node::Const(Value::Bool(false)));
    let span = call.span.start as usize..call.span.end as usize;
    Some(BodyRead { of_response, consumes: !preserves, span })
}

/// Whether it is the body of the response, or that of the request; none if it is neither.
fn is_response(body: &Node) -> Option<bool> {
    match body {
        Node::Const(Value::Host(HostRef::RequestBody)) => Some(false),
        Node::Const(Value::Host(HostRef::ResponseBody)) => Some(true),
        Node::Part(member, _) => is_body(member).then_some(member.uses.response_body),
        Node::Call(call) if is_body(call.member) => match call.args.first() {
            Some(Node::Const(Value::Host(HostRef::Request))) => Some(false),
            Some(Node::Const(Value::Host(HostRef::Response)) | Node::Part(..)) => {
                Some(call.member.uses.response_body)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_body(member: &Member) -> bool {
    member.name == "Body" && member.returns == Type::named(names::IMESSAGEBODY)
}

#[cfg(test)]
mod tests {
    use crate::{Form, Options, compile};

    fn reads(source: &str, form: Form) -> String {
        let program = compile(source, form, &Options::default()).unwrap();
        let reads = program.body_reads().into_iter().map(|it| {
            assert!(source[it.span.clone()].contains("As"), "{source}: {:?}", it.span);
            let what = if it.of_response { "response" } else { "request" };
            if it.consumes { format!("{what}!") } else { what.to_owned() }
        });
        reads.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_runs_for_certain_is_found_in_order() {
        for (source, found) in [
            ("context.Request.Body.As<string>()", "request!"),
            ("context.Request.Body.As<string>(preserveContent: true)", "request"),
            ("context.Request.Body.As<string>(false)", "request!"),
            ("context.Response.Body.As<JObject>()[\"a\"].ToString()", "response!"),
            (
                "(string)context.Request.Body.As<JObject>(true)[\"a\"] + context.Request.Body.As<string>()",
                "request request!",
            ),
            ("context.Request.Body.AsFormUrlEncodedContent()[\"a\"]", "request!"),
            ("context.Request.Body.As<string>(context.Request.Method == \"GET\")", "request"),
        ] {
            assert_eq!(reads(source, Form::Expression), found, "{source}");
        }
    }

    #[test]
    fn what_may_not_run_or_is_another_body_is_not() {
        for source in [
            "context.Request.Method == \"POST\" && context.Request.Body.As<string>() == \"\"",
            "context.Request.Body == null ? \"\" : context.Request.Body.As<string>()",
            "context.Request.Body?.As<string>()",
            "new[] {1}.Select(x => context.Request.Body.As<string>()).First()",
            "((IResponse)context.Variables[\"r\"]).Body.As<string>()",
        ] {
            assert_eq!(reads(source, Form::Expression), "", "{source}");
        }
    }

    #[test]
    fn what_stands_behind_a_branch_is_not() {
        for (source, found) in [
            ("var a = context.Request.Body.As<JObject>(); return a.ToString();", "request!"),
            (
                "if (context.Request.Method == \"GET\") return \"\"; return context.Request.Body.As<string>();",
                "",
            ),
            ("try { return context.Request.Body.As<string>(); } catch { return \"\"; }", ""),
            (
                "{ var a = context.Request.Body.As<string>(); } return context.Request.Body.As<string>();",
                "request! request!",
            ),
        ] {
            assert_eq!(reads(source, Form::Statements), found, "{source}");
        }
    }
}
