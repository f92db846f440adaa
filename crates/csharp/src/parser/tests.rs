//! Checks of the whole parser, and the printer that the other files' tests use.

use std::fmt::Write as _;

use super::{parse_expression, parse_statements};
use crate::ast::*;

/// Parses an expression and writes its tree: operators as `(op a b)`.
pub(super) fn print(source: &str) -> String {
    match parse_expression(source) {
        Ok(it) => expression(&it),
        Err(problems) => panic!("{source}: {problems:?}"),
    }
}

/// The message of the first problem.
pub(super) fn problem(source: &str) -> String {
    parse_expression(source).unwrap_err().remove(0).message
}

/// Parses statements and writes their trees.
pub(super) fn print_statements(source: &str) -> String {
    match parse_statements(source) {
        Ok(it) => statements(&it),
        Err(problems) => panic!("{source}: {problems:?}"),
    }
}

/// The messages of all problems.
pub(super) fn statement_problems(source: &str) -> Vec<String> {
    parse_statements(source).unwrap_err().into_iter().map(|it| it.message).collect()
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn simple(it: &SimpleName) -> String {
    match it.type_arguments.as_slice() {
        [] => it.name.text.to_string(),
        some => {
            let some: Vec<_> = some.iter().map(ty).collect();
            format!("{}<{}>", it.name.text, some.join(","))
        }
    }
}

fn ty(it: &TypeRef) -> String {
    match &it.kind {
        TypeRefKind::Predefined(it) => format!("{it:?}").to_lowercase(),
        TypeRefKind::Named(parts) => parts.iter().map(simple).collect::<Vec<_>>().join("."),
        TypeRefKind::Nullable(it) => format!("{}?", ty(it)),
        TypeRefKind::Array(..) => {
            let mut suffix = String::new();
            let mut at = it;
            while let TypeRefKind::Array(element, rank) = &at.kind {
                let _ = write!(suffix, "[{}]", ",".repeat(*rank as usize - 1));
                at = element;
            }
            format!("{}{suffix}", ty(at))
        }
        TypeRefKind::Tuple(all) => {
            let name =
                |it: &Option<Name>| it.as_ref().map_or(String::new(), |it| format!(" {}", it.text));
            format!("({})", list(all, |(kind, own)| format!("{}{}", ty(kind), name(own))))
        }
        TypeRefKind::Omitted => String::new(),
        TypeRefKind::Missing => "?".to_owned(),
    }
}

fn literal(it: &Literal) -> String {
    match it {
        Literal::Null => "null".to_owned(),
        Literal::Bool(it) => it.to_string(),
        Literal::Integer { value, .. } => value.to_string(),
        Literal::Double(it) => it.to_string(),
        Literal::Float(it) => format!("{it}f"),
        Literal::Decimal(it) => format!("{it}m"),
        Literal::Char(it) => format!("'{}'", char::from_u32(u32::from(*it)).unwrap()),
        Literal::String(it) => format!("\"{it}\""),
        Literal::Units(it) => format!("{it:x?}"),
    }
}

fn argument(it: &Argument) -> String {
    let name = it.name.as_ref().map_or(String::new(), |it| format!("{}: ", it.text));
    let mode = match it.mode {
        ArgumentMode::Value => "",
        ArgumentMode::Ref => "ref ",
        ArgumentMode::Out => "out ",
        ArgumentMode::In => "in ",
    };
    format!("{name}{mode}{}", expression(&it.value))
}

fn parameter(it: &Parameter) -> String {
    let params = if it.params { "params " } else { "" };
    let mode = if it.mode == ArgumentMode::Ref { "ref " } else { "" };
    let kind = it.ty.as_ref().map_or(String::new(), |it| format!("{} ", ty(it)));
    let default = it.default.as_ref().map_or(String::new(), |it| format!(" = {}", expression(it)));
    format!("{params}{mode}{kind}{}{default}", it.name.text)
}

fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Plus => "+",
        UnaryOp::Minus => "-",
        UnaryOp::Not => "!",
        UnaryOp::Complement => "~",
    }
}

fn name_or_discard(it: Option<&Name>) -> &str {
    it.map_or("_", |it| &it.text)
}

fn pattern(it: &Pattern) -> String {
    match it {
        Pattern::Type(it) => ty(it),
        Pattern::Declaration { ty: kind, name } => {
            format!("{} {}", ty(kind), name_or_discard(name.as_ref()))
        }
        Pattern::Var { name, .. } => format!("var {}", name_or_discard(name.as_ref())),
        Pattern::Constant(it) => format!("const {}", expression(it)),
    }
}

fn initializer(it: &Initializer) -> String {
    let inner = match &it.kind {
        InitializerKind::Object(members) => list(members, |it| {
            let target = match &it.target {
                InitializerTarget::Member(it) => it.text.to_string(),
                InitializerTarget::Index(it, _) => format!("[{}]", list(it, argument)),
            };
            let value = match &it.value {
                InitializerValue::Expression(it) => expression(it),
                InitializerValue::Nested(it) => initializer(it),
            };
            format!("{target} = {value}")
        }),
        InitializerKind::Collection(it) => list(it, |it| format!("{{{}}}", list(it, expression))),
    };
    format!("{{{inner}}}")
}

fn interpolated(parts: &[InterpolatedPart]) -> String {
    let mut text = String::from("$\"");
    for part in parts {
        match part {
            InterpolatedPart::Text(it) => text.push_str(literal(it).trim_matches('"')),
            InterpolatedPart::Hole { value, alignment, format } => {
                let _ = write!(text, "{{{}", expression(value));
                if let Some(it) = alignment {
                    let _ = write!(text, ",{}", expression(it));
                }
                if let Some(it) = format {
                    let _ = write!(text, ":{it}");
                }
                text.push('}');
            }
        }
    }
    text + "\""
}

fn expression(it: &Expr) -> String {
    match &it.kind {
        ExprKind::Literal(it) => literal(it),
        ExprKind::Interpolated(it) => interpolated(it),
        ExprKind::Name(it) => simple(it),
        ExprKind::Predefined(it) => format!("{it:?}").to_lowercase(),
        ExprKind::Member { target, name } => format!("{}.{}", expression(target), simple(name)),
        ExprKind::ConditionalAccess { target, rest } => {
            format!("({} ?. {})", expression(target), expression(rest))
        }
        ExprKind::Receiver => "it".to_owned(),
        ExprKind::Call { target, arguments } => {
            format!("{}({})", expression(target), list(arguments, argument))
        }
        ExprKind::Index { target, arguments } => {
            format!("{}[{}]", expression(target), list(arguments, argument))
        }
        ExprKind::Unary { op, operand } => format!("({} {})", unary_text(*op), expression(operand)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", op.text(), expression(left), expression(right))
        }
        ExprKind::Assign { op, target, value } => {
            let op = op.map_or("", BinaryOp::text);
            format!("({op}= {} {})", expression(target), expression(value))
        }
        ExprKind::Step { target, up, prefix } => {
            let (op, target) = (if *up { "++" } else { "--" }, expression(target));
            if *prefix { format!("{op}{target}") } else { format!("{target}{op}") }
        }
        ExprKind::Conditional { condition, then, otherwise } => {
            let parts = [condition, then, otherwise].map(|it| expression(it));
            format!("(?: {})", parts.join(" "))
        }
        ExprKind::Cast { ty: kind, value } => format!("(cast {} {})", ty(kind), expression(value)),
        ExprKind::As { value, ty: kind } => format!("(as {} {})", expression(value), ty(kind)),
        ExprKind::Is { value, pattern: it } => {
            format!("(is {} {})", expression(value), pattern(it))
        }
        other => special(other),
    }
}

fn special(it: &ExprKind) -> String {
    match it {
        ExprKind::Lambda { parameters, body } => {
            let parameters =
                parameters.as_ref().map_or("delegate".to_owned(), |it| list(it, parameter));
            let body = match &**body {
                LambdaBody::Expression(it) => expression(it),
                LambdaBody::Block(it) => block(it),
            };
            format!("({parameters} => {body})")
        }
        ExprKind::New { ty: kind, arguments, initializer: init } => {
            let init = init.as_ref().map_or(String::new(), |it| format!(" {}", initializer(it)));
            format!("new {}({}){init}", ty(kind), list(arguments, argument))
        }
        ExprKind::NewAnonymous(members) => {
            let member =
                |it: &AnonymousMember| format!("{} = {}", it.name.text, expression(&it.value));
            format!("new {{{}}}", list(members, member))
        }
        ExprKind::NewArray(it) => {
            let element = it.element.as_ref().map_or(String::new(), |it| format!(" {}", ty(it)));
            let lengths = match it.lengths.as_slice() {
                [] => ",".repeat(it.rank as usize - 1),
                some => list(some, expression),
            };
            let init = it
                .initializer
                .as_ref()
                .map_or(String::new(), |it| format!(" {{{}}}", list(it, expression)));
            format!("new{element}[{lengths}]{init}")
        }
        ExprKind::Tuple(all) => {
            let name = |it: &Option<Name>| {
                it.as_ref().map_or(String::new(), |it| format!("{}: ", it.text))
            };
            format!(
                "(tuple {})",
                list(all, |it| format!("{}{}", name(&it.name), expression(&it.value)))
            )
        }
        ExprKind::SizeOf(it) => format!("sizeof({})", ty(it)),
        ExprKind::ArrayInitializer(it) => format!("{{{}}}", list(it, expression)),
        ExprKind::Default(Some(it)) => format!("default({})", ty(it)),
        ExprKind::Default(None) => "default".to_owned(),
        ExprKind::TypeOf(Some(it)) => format!("typeof({})", ty(it)),
        ExprKind::TypeOf(None) => "typeof(void)".to_owned(),
        ExprKind::NameOf(it, name) => format!("nameof({})={name}", expression(it)),
        ExprKind::Checked { checked, value } => {
            format!("{}checked({})", if *checked { "" } else { "un" }, expression(value))
        }
        ExprKind::Throw(it) => format!("(throw {})", expression(it)),
        ExprKind::Declaration { ty: None, name: None } => "_".to_owned(),
        ExprKind::Declaration { ty: kind, name } => {
            let kind = kind.as_ref().map_or("var".to_owned(), ty);
            format!("{kind} {}", name_or_discard(name.as_ref()))
        }
        other => format!("{other:?}"),
    }
}

fn statements(it: &[Stmt]) -> String {
    it.iter().map(statement).collect::<Vec<_>>().join(" ")
}

fn block(it: &Block) -> String {
    format!("{{{}}}", statements(&it.statements))
}

fn local(it: &Local) -> String {
    let constant = if it.constant { "const " } else { "" };
    let kind = it.ty.as_ref().map_or("var".to_owned(), ty);
    let variables = list(&it.variables, |it| {
        let value = it.value.as_ref().map_or(String::new(), |it| format!(" = {}", expression(it)));
        format!("{}{value}", it.name.text)
    });
    format!("{constant}{kind} {variables}")
}

fn statement(it: &Stmt) -> String {
    match &it.kind {
        StmtKind::Block(it) => block(it),
        StmtKind::Local(it) => format!("{};", local(it)),
        StmtKind::LocalFunction(it) => function(it),
        StmtKind::Expression(it) => format!("{};", expression(it)),
        StmtKind::If { condition, then, otherwise } => {
            let otherwise =
                otherwise.as_ref().map_or(String::new(), |it| format!(" else {}", statement(it)));
            format!("if ({}) {}{otherwise}", expression(condition), statement(then))
        }
        StmtKind::While { condition, body } => {
            format!("while ({}) {}", expression(condition), statement(body))
        }
        StmtKind::Do { body, condition } => {
            format!("do {} while ({});", statement(body), expression(condition))
        }
        StmtKind::For(it) => {
            let init = it.declaration.as_ref().map_or_else(|| list(&it.init, expression), local);
            let condition = it.condition.as_ref().map_or(String::new(), expression);
            let step = list(&it.step, expression);
            format!("for ({init}; {condition}; {step}) {}", statement(&it.body))
        }
        StmtKind::Foreach(it) => {
            let kind = it.ty.as_ref().map_or("var".to_owned(), ty);
            let source = expression(&it.source);
            format!("foreach ({kind} {} in {source}) {}", it.name.text, statement(&it.body))
        }
        StmtKind::Switch(it) => {
            let sections: Vec<_> = it.sections.iter().map(section).collect();
            format!("switch ({}) {{{}}}", expression(&it.value), sections.join(" "))
        }
        StmtKind::Break => "break;".to_owned(),
        StmtKind::Continue => "continue;".to_owned(),
        StmtKind::Return(None) => "return;".to_owned(),
        StmtKind::Return(Some(it)) => format!("return {};", expression(it)),
        StmtKind::Throw(None) => "throw;".to_owned(),
        StmtKind::Throw(Some(it)) => format!("throw {};", expression(it)),
        StmtKind::Try(it) => tried(it),
        StmtKind::Using { resource, body } => {
            let resource = match resource {
                Resource::Local(it) => local(it),
                Resource::Expression(it) => expression(it),
            };
            format!("using ({resource}) {}", statement(body))
        }
        StmtKind::Checked { checked, body } => {
            format!("{}checked {}", if *checked { "" } else { "un" }, block(body))
        }
        StmtKind::Labelled(name, it) => format!("{}: {}", name.text, statement(it)),
        StmtKind::Goto(Goto::Label(it)) => format!("goto {};", it.text),
        StmtKind::Goto(Goto::Case(it)) => format!("goto case {};", expression(it)),
        StmtKind::Goto(Goto::Default) => "goto default;".to_owned(),
        StmtKind::Yield(None) => "yield break;".to_owned(),
        StmtKind::Yield(Some(it)) => format!("yield return {};", expression(it)),
        StmtKind::Empty => ";".to_owned(),
    }
}

fn function(it: &LocalFunction) -> String {
    let result = it.result.as_ref().map_or("void".to_owned(), ty);
    let generic = match it.type_parameters.as_slice() {
        [] => String::new(),
        some => format!("<{}>", list(some, |it| it.text.to_string())),
    };
    let body = match &it.body {
        LambdaBody::Expression(it) => format!("=> {};", expression(it)),
        LambdaBody::Block(it) => block(it),
    };
    format!("{result} {}{generic}({}) {body}", it.name.text, list(&it.parameters, parameter))
}

fn section(it: &SwitchSection) -> String {
    let label = |it: &SwitchLabel| match it {
        SwitchLabel::Default(_) => "default:".to_owned(),
        SwitchLabel::Case { pattern: it, when, .. } => {
            let when =
                when.as_ref().map_or(String::new(), |it| format!(" when {}", expression(it)));
            format!("case {}{when}:", pattern(it))
        }
    };
    let labels: Vec<_> = it.labels.iter().map(label).collect();
    format!("{} {}", labels.join(" "), statements(&it.statements))
}

fn tried(it: &Try) -> String {
    let mut text = format!("try {}", block(&it.body));
    for it in &it.catches {
        text.push_str(" catch ");
        if let Some(kind) = &it.ty {
            let name = it.name.as_ref().map_or(String::new(), |it| format!(" {}", it.text));
            let _ = write!(text, "({}{name}) ", ty(kind));
        }
        if let Some(filter) = &it.filter {
            let _ = write!(text, "when ({}) ", expression(filter));
        }
        text.push_str(&block(&it.body));
    }
    if let Some(it) = &it.finally {
        let _ = write!(text, " finally {}", block(it));
    }
    text
}

#[test]
fn hostile_nesting_is_refused_and_does_not_overflow_the_stack() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    let sources = [
        deep("(", ")"),
        deep("-", ""),
        deep("(int)", ""),
        deep("a ? b : ", ""),
        deep("x => ", ""),
        deep("new[] { ", " }"),
        deep("a[", "]"),
        deep("a = ", ""),
        deep("a?.b(", ")"),
        deep("a ?? ", ""),
        format!("a{}", ".b()".repeat(20_000)),
        format!("a{}", " + b".repeat(20_000)),
        format!("a{}", "?.b".repeat(20_000)),
        format!("({})x", "List<".repeat(20_000)),
        format!("default({})", "List<".repeat(20_000)),
        format!("default(int{})", "[]".repeat(20_000)),
    ];
    for source in sources {
        let problems = parse_expression(&source).unwrap_err();
        let start: String = source.chars().take(20).collect();
        assert!(problems.len() <= 20, "{start}");
    }
    let blocks = ["{", "if (a) ", "while (a) ", "try {", "switch (a) { default: "];
    for open in blocks {
        assert!(parse_statements(&open.repeat(20_000)).is_err(), "{open}");
    }
}

#[test]
fn what_documents_do_is_not_too_deep() {
    let sum = format!("a{}", " + b".repeat(400));
    assert!(parse_expression(&sum).is_ok());
    let conditional = format!("{}c", "a ? b : ".repeat(60));
    assert!(parse_expression(&conditional).is_ok());
    let otherwise = format!("{}return 1;", "if (a) return 2; else ".repeat(60));
    assert!(parse_statements(&otherwise).is_ok());
}

#[test]
fn what_is_missing_is_marked_at_a_whole_character() {
    for source in ["é", "é $\"", "return \u{6e3}", "x = \"\u{1f600}\""] {
        for problem in parse_statements(source).unwrap_err() {
            assert!(source.get(problem.span.clone()).is_some(), "{source}: {problem:?}");
        }
    }
}
