//! What a name is: variable, type, namespace, `context`.

use clr::host::HostRef;
use clr::rows::{self, TypeDef, TypeKind};
use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, Span};

use super::{Binder, Expr, advice, codes, message};

/// What stands before a dot, or before an argument list.
pub(super) enum Head {
    Value(Expr),
    Type(Type),
    Namespace(String),
    /// Something was wrong and has been reported.
    Error,
}

impl Binder {
    /// What an expression is as the head of `head.name`.
    pub(super) fn head(&mut self, expr: &ast::Expr) -> Head {
        match &expr.kind {
            ast::ExprKind::Name(name) => self.simple_head(name),
            ast::ExprKind::Predefined(it) => Head::Type(predefined(*it)),
            ast::ExprKind::Member { target, name } if is_dotted(target) => {
                match self.head(target) {
                    Head::Namespace(namespace) => self.qualified_head(&namespace, name),
                    Head::Type(of) => self.nested_head(of, name, expr),
                    Head::Value(value) => Head::Value(self.member_value(value, name, expr.span)),
                    Head::Error => Head::Error,
                }
            }
            _ => Head::Value(self.value(expr)),
        }
    }

    fn simple_head(&mut self, name: &ast::SimpleName) -> Head {
        let text = &*name.name.text;
        if name.type_arguments.is_empty() {
            if let Some(id) = self.find_variable(text) {
                return Head::Value(self.variable_value(id, name.name.span));
            }
            if text == "context" {
                return Head::Value(context(name.name.span));
            }
            if let Some((_, ty)) = self.type_parameters.iter().find(|(own, _)| own == text) {
                return Head::Type(*ty);
            }
        }
        if let Some(def) = rows::find_type(text, name.type_arguments.len()) {
            return self.type_head(def, &name.type_arguments, name.name.span);
        }
        if is_namespace(text) {
            return Head::Namespace(text.to_owned());
        }
        self.report_unknown_name(text, name.name.span);
        Head::Error
    }

    fn qualified_head(&mut self, namespace: &str, name: &ast::SimpleName) -> Head {
        let full = format!("{namespace}.{}", name.name.text);
        if let Some(def) = rows::find_type(&full, name.type_arguments.len()) {
            return self.type_head(def, &name.type_arguments, name.name.span);
        }
        if is_namespace(&full) {
            return Head::Namespace(full);
        }
        self.report_unknown_type(&full, name.name.span);
        Head::Error
    }

    fn nested_head(&mut self, of: Type, name: &ast::SimpleName, expr: &ast::Expr) -> Head {
        if let Some(outer) = of.definition_name()
            && let Some(def) = rows::definition(&format!("{outer}.{}", name.name.text))
        {
            return self.type_head(def, &name.type_arguments, name.name.span);
        }
        Head::Value(self.static_value(of, name, expr.span))
    }

    fn type_head(&mut self, def: &'static TypeDef, arguments: &[ast::TypeRef], span: Span) -> Head {
        if !self.check_listed(def, span) {
            return Head::Error;
        }
        let arguments: Vec<Type> = arguments.iter().map(|it| self.type_of(it)).collect();
        Head::Type(rows::type_of(def, &arguments))
    }

    /// May the type be named? Reports it if not.
    pub(super) fn check_listed(&mut self, def: &TypeDef, span: Span) -> bool {
        let allowed = def.listed || self.options.allow_unlisted;
        if !allowed {
            self.report(
                codes::NOT_ALLOWED,
                span,
                format!("type `{}` is not allowed in policy expressions", def.name),
                "not on the list of allowed types",
                advice::absent_type(def.short_name()).map(str::to_owned),
            );
        }
        allowed
    }

    pub(super) fn report_unknown_name(&mut self, name: &str, span: Span) {
        if self.probed_name(name, false) {
            return;
        }
        let variables = self.scopes.iter().flat_map(|it| &it.variables);
        let locals = variables.filter_map(|it| self.variables.get(*it)).map(|it| it.name.clone());
        // What starts with a small letter was meant as a variable, or as a type in wrong case.
        let fits = |it: &str| !is_variable_like(name) || it.eq_ignore_ascii_case(name);
        let types = rows::all().filter(|it| it.listed).map(|it| it.short_name().to_owned());
        let types = types.filter(|it| fits(it));
        let all: Vec<String> = locals.chain(types).chain(["context".to_owned()]).collect();
        let help = advice::absent_type(name)
            .map(str::to_owned)
            .or_else(|| advice::unknown_type(name))
            .or_else(|| message::nearest(name, all).map(|it| format!("did you mean `{it}`?")))
            .or_else(|| {
                is_variable_like(name).then(|| {
                    format!("a context variable is read with `context.Variables[\"{name}\"]`")
                })
            });
        let (code, message) = if advice::absent_type(name).is_some() {
            (codes::NOT_ALLOWED, format!("type `{name}` is not allowed in policy expressions"))
        } else {
            (codes::UNKNOWN_NAME, format!("there is no variable or type `{name}`"))
        };
        self.report(code, span, message, "unknown name", help);
    }

    pub(super) fn report_unknown_type(&mut self, name: &str, span: Span) {
        if self.probed_name(name, true) {
            return;
        }
        let short = name.rsplit('.').next().unwrap_or(name);
        let all = rows::all().filter(|it| it.listed).map(TypeDef::short_name);
        let help = advice::absent_type(short)
            .map(str::to_owned)
            .or_else(|| advice::unknown_type(short))
            .or_else(|| message::nearest(short, all).map(|it| format!("did you mean `{it}`?")))
            .or_else(|| {
                (short == name).then(|| {
                    "documents have no types of their own; JSON is read with `JObject`".to_owned()
                })
            });
        self.report(
            codes::NOT_ALLOWED,
            span,
            format!("type `{name}` is not allowed in policy expressions"),
            "unknown, or not on the list of allowed types",
            help,
        );
    }

    /// The value of a member of an enum.
    pub(super) fn enum_member(of: Type, name: &str, span: Span) -> Option<Expr> {
        let def = rows::definition(of.definition_name()?)?;
        if !matches!(def.kind, TypeKind::Enum { .. }) {
            return None;
        }
        let value = def.enum_value(name)?;
        Some(Expr::constant(Value::Enum(def, value), of, span))
    }
}

/// `context`.
pub(super) fn context(span: Span) -> Expr {
    let host = HostRef::Context;
    Expr::new(crate::ir::Node::Const(Value::Host(host)), host.static_type(), span)
}

/// Can the expression be a name with dots?
fn is_dotted(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Predefined(_) => true,
        ast::ExprKind::Member { target, .. } => is_dotted(target),
        _ => false,
    }
}

fn is_namespace(name: &str) -> bool {
    rows::all().any(|it| it.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// Is it written as variables are, not as types?
fn is_variable_like(name: &str) -> bool {
    name.starts_with(char::is_lowercase)
}

/// The type of a keyword.
pub(super) const fn predefined(it: ast::Predefined) -> Type {
    match it {
        ast::Predefined::Bool => Type::Bool,
        ast::Predefined::Byte => Type::Byte,
        ast::Predefined::Char => Type::Char,
        ast::Predefined::Decimal => Type::Decimal,
        ast::Predefined::Double => Type::Double,
        ast::Predefined::Float => Type::Single,
        ast::Predefined::Int => Type::Int32,
        ast::Predefined::Long => Type::Int64,
        ast::Predefined::Object => Type::Object,
        ast::Predefined::Sbyte => Type::SByte,
        ast::Predefined::Short => Type::Int16,
        ast::Predefined::String => Type::String,
        ast::Predefined::Uint => Type::UInt32,
        ast::Predefined::Ulong => Type::UInt64,
        ast::Predefined::Ushort => Type::UInt16,
    }
}

impl Binder {
    /// The type that is written; [`Type::Error`] if there is none, which is reported.
    pub(super) fn type_of(&mut self, written: &ast::TypeRef) -> Type {
        match &written.kind {
            ast::TypeRefKind::Predefined(it) => predefined(*it),
            ast::TypeRefKind::Nullable(inner) => self.nullable_of(inner),
            ast::TypeRefKind::Array(item, 1) => {
                let item = self.type_of(item);
                if item == Type::Error { item } else { types::array(item) }
            }
            ast::TypeRefKind::Array(item, rank) => {
                let item = self.type_of(item);
                self.grid(item, *rank, written.span)
            }
            ast::TypeRefKind::Tuple(elements) => {
                let items: Vec<Type> = elements.iter().map(|(it, _)| self.type_of(it)).collect();
                let name =
                    |it: &Option<ast::Name>| it.as_ref().map_or("", |it| &it.text).to_owned();
                let names: Vec<String> = elements.iter().map(|(_, it)| name(it)).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                if items.contains(&Type::Error) {
                    Type::Error
                } else {
                    types::tuple(&items, &names)
                }
            }
            ast::TypeRefKind::Named(parts) => self.named_type(parts, written.span),
            ast::TypeRefKind::Omitted | ast::TypeRefKind::Missing => Type::Error,
        }
    }

    /// An array of several dimensions.
    pub(super) fn grid(&mut self, item: Type, rank: u32, span: Span) -> Type {
        let name = match rank {
            2 => types::names::ARRAY2,
            3 => types::names::ARRAY3,
            _ => {
                self.report(
                    codes::UNSUPPORTED,
                    span,
                    "arrays of more than three dimensions are not supported",
                    "too many dimensions",
                    Some("use an array of arrays, `int[][]`".to_owned()),
                );
                return Type::Error;
            }
        };
        if item == Type::Error { item } else { types::named(name, &[item]) }
    }

    fn nullable_of(&mut self, inner: &ast::TypeRef) -> Type {
        let of = self.type_of(inner);
        if of == Type::Error || of.is_non_nullable_value() {
            return types::nullable(of);
        }
        self.report(
            codes::UNSUPPORTED,
            inner.span,
            format!("`{of}?` needs C# 8"),
            "can be null already",
            Some("leave out the `?`".to_owned()),
        );
        Type::Error
    }

    fn named_type(&mut self, parts: &[ast::SimpleName], span: Span) -> Type {
        let name: Vec<&str> = parts.iter().map(|it| &*it.name.text).collect();
        let name = name.join(".");
        let arguments: Vec<&ast::TypeRef> =
            parts.iter().flat_map(|it| &it.type_arguments).collect();
        if arguments.is_empty()
            && let Some((_, ty)) = self.type_parameters.iter().find(|(own, _)| *own == name)
        {
            return *ty;
        }
        if name == "dynamic" && self.options.allow_unlisted {
            return Type::Dynamic;
        }
        let arguments: Vec<Type> = arguments.into_iter().map(|it| self.type_of(it)).collect();
        if arguments.contains(&Type::Error) {
            return Type::Error;
        }
        if let Some(delegate) = delegate(&name, &arguments) {
            return delegate;
        }
        if let (true, [of]) = (matches!(&*name, "Nullable" | "System.Nullable"), &*arguments) {
            return types::nullable(*of);
        }
        match rows::find_type(&name, arguments.len()) {
            Some(def) if self.check_listed(def, span) => rows::type_of(def, &arguments),
            Some(_) => Type::Error,
            None => {
                self.report_unknown_type(&name, span);
                Type::Error
            }
        }
    }
}

/// The delegate types of .NET, by shape.
fn delegate(name: &str, arguments: &[Type]) -> Option<Type> {
    let with = |result: Type, parameters: &[Type]| {
        let all: Vec<Type> = parameters.iter().copied().chain([result]).collect();
        Some(types::func(&all))
    };
    match (name.strip_prefix("System.").unwrap_or(name), arguments) {
        ("Func", [_, ..]) => Some(types::func(arguments)),
        ("Action", _) => with(Type::Void, arguments),
        ("Predicate", [of]) => with(Type::Bool, &[*of]),
        ("Comparison", [of]) => with(Type::Int32, &[*of, *of]),
        ("Converter", [from, to]) => with(*to, &[*from]),
        ("MatchEvaluator" | "Text.RegularExpressions.MatchEvaluator", []) => {
            with(Type::String, &[Type::named(types::names::MATCH)])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn names_are_variables_types_or_namespaces() {
        check(
            Form::Expression,
            &[
                ("System.Math.PI > 3", "Boolean: True"),
                ("Sytem", "PC0320"),
                ("System.Foo.Bar", "PC0322"),
                ("CultureInfo.InvariantCulture", "PC0322"),
                ("Math", "PC0335"),
            ],
        );
    }
}
