//! Members of types: finding rows, reading properties, indexing.

use std::collections::HashMap;
use std::sync::LazyLock;

use clr::rows::{self, Member, MemberKind};
use clr::types::{self, Type};
use csharp::ast::{self, Span};

use super::overload::Argument;
use super::probe::Site;
use super::{Binder, Expr, codes, fold, late};
use crate::ir::{Access, Call, Node};

/// A row found on a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) member: &'static Member,
    /// Type arguments of the type that declares it.
    pub(super) of_type: &'static [Type],
    /// How far up the hierarchy it was found.
    pub(super) depth: usize,
}

static EXTENSIONS: LazyLock<HashMap<&'static str, Vec<&'static Member>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::new();
    for def in rows::all() {
        for member in def.members.iter().filter(|it| it.kind == MemberKind::Extension) {
            index.entry(member.name).or_default().push(member);
        }
    }
    index
});

/// Every extension method.
pub(super) fn every_extension() -> impl Iterator<Item = &'static Member> {
    EXTENSIONS.values().flatten().copied()
}

/// The type and its bases, nearest first, with their distance; `object` last.
pub(super) fn hierarchy(of: Type) -> Vec<(Type, usize)> {
    let mut all: Vec<(Type, usize)> = vec![(of, 0)];
    let mut at = 0;
    while let Some((ty, depth)) = all.get(at).copied() {
        for base in rows::base_types(ty) {
            if !all.iter().any(|(it, _)| *it == base) {
                all.push((base, depth + 1));
            }
        }
        at += 1;
    }
    if of != Type::Object {
        all.push((Type::Object, usize::MAX));
    }
    all
}

/// The type arguments that the rows of a type see.
fn arguments_of(ty: Type) -> &'static [Type] {
    match ty {
        Type::Named(_, list) | Type::Tuple(list, _) => list,
        Type::Array(item) | Type::Nullable(item) => std::slice::from_ref(item),
        _ => &[],
    }
}

/// The type arguments as values carry them.
pub(super) fn erased(of: &'static [Type]) -> &'static [Type] {
    if of.iter().all(|it| it.erased() == *it) {
        return of;
    }
    types::list(&of.iter().map(|it| it.erased()).collect::<Vec<_>>())
}

impl Binder {
    /// Rows of a type and its bases that fit, nearest first.
    pub(super) fn rows(&self, of: Type, fits: impl Fn(&Member) -> bool) -> Vec<Found> {
        let mut found = Vec::new();
        for (ty, depth) in hierarchy(of) {
            let Some(def) = ty.definition_name().and_then(rows::definition) else { continue };
            let of_type = arguments_of(ty);
            let allowed = |it: &&Member| self.options.allows(it);
            let rows =
                def.members.iter().filter(|it| fits(it) && it.is_of(of_type)).filter(allowed);
            found.extend(rows.map(|member| Found { member, of_type, depth }));
        }
        found
    }

    /// Extension methods of a name.
    pub(super) fn extensions(&self, name: &str) -> Vec<Found> {
        let all = EXTENSIONS.get(name).filter(|_| !self.on_dynamic);
        let all = all.map_or(&[][..], Vec::as_slice);
        let allowed = |it: &&&'static Member| self.options.allows(it);
        all.iter().filter(allowed).map(|member| Found { member, of_type: &[], depth: 0 }).collect()
    }

    /// Names that could stand after a dot, for suggestions.
    pub(super) fn member_names(&self, of: Type, is_static: bool) -> Vec<&'static str> {
        let rows = self.rows(of, |it| {
            it.name.starts_with(char::is_alphabetic) && (it.is_instance() != is_static)
        });
        let mut names: Vec<&'static str> = rows.iter().map(|it| it.member.name).collect();
        if !is_static {
            let extends =
                |it: &&Member| it.params.first().is_some_and(|first| could_extend(of, *first));
            for rows in EXTENSIONS.values() {
                names.extend(rows.iter().copied().filter(extends).map(|it| it.name));
            }
        }
        names.retain(|it| !matches!(*it, "Item" | "op_Implicit" | "op_Explicit"));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// `target.name` as a value.
    pub(super) fn member_value(
        &mut self,
        target: Expr,
        name: &ast::SimpleName,
        span: Span,
    ) -> Expr {
        if target.ty == Type::Error {
            return Expr::error(span);
        }
        let (text, at) = (&*name.name.text, name.name.span);
        if target.ty == Type::Dynamic {
            return self.late_member(target, name, span);
        }
        if let Some(item) = self.tuple_item(&target, text, span) {
            return item;
        }
        if let Type::Anonymous(of) = target.ty
            && let Some(index) = of.fields.iter().position(|(own, _)| own == text)
        {
            let ty = of.fields.get(index).map_or(Type::Object, |(_, ty)| *ty);
            return Expr::new(Node::AnonymousGet(index, Box::new(target.node), span), ty, span);
        }
        let rows = self.rows(target.ty, |it| it.name == text && it.kind == MemberKind::Property);
        if let Some(found) = rows.first() {
            return self.property(*found, target, at.to(span));
        }
        let is_method =
            !self.rows(target.ty, |it| it.name == text && it.kind == MemberKind::Method).is_empty()
                || EXTENSIONS.get(text).is_some_and(|rows| {
                    rows.iter().any(|it| {
                        it.params.first().is_some_and(|first| could_extend(target.ty, *first))
                    })
                });
        if target.ty == Type::Null || target.ty == Type::Void {
            self.report(
                codes::NOT_A_VALUE,
                target.span,
                format!("`{}` has no members", target.ty),
                "has no members",
                None,
            );
        } else if is_method {
            self.report(
                codes::NOT_A_VALUE,
                at,
                format!("`{text}` is a method and must be called"),
                "a method",
                Some(format!("write `{text}(...)`")),
            );
        } else if !self.report_unlisted(target.ty, text, at) {
            self.report_unknown_member(target.ty, text, at, false);
        }
        Expr::error(span)
    }

    /// Reports a member that exists but may not be used.
    pub(super) fn report_unlisted(&mut self, of: Type, name: &str, span: Span) -> bool {
        let exists = |fits: fn(&Member) -> bool| {
            hierarchy(of).into_iter().any(|(ty, _)| {
                let def = ty.definition_name().and_then(rows::definition);
                def.is_some_and(|def| def.members.iter().any(|it| it.name == name && fits(it)))
            })
        };
        if exists(|it| it.in_resolvers) {
            self.report(
                codes::NOT_ALLOWED,
                span,
                format!("`{name}` is there in GraphQL resolvers only"),
                "not in a resolver",
                Some("it belongs below `<http-data-source>` and its like".to_owned()),
            );
            return true;
        }
        let is_unlisted = exists(|it| !it.listed);
        if is_unlisted {
            self.report(
                codes::NOT_ALLOWED,
                span,
                format!("`{of}.{name}` is not allowed in policy expressions"),
                "not on the list of allowed members",
                super::advice::absent_member(of, name).map(str::to_owned),
            );
        }
        is_unlisted
    }

    fn property(&mut self, found: Found, target: Expr, span: Span) -> Expr {
        self.uses = self.uses.union(found.member.uses);
        let returns = found.member.returns.substitute(found.of_type, &[]);
        if found.member.read.is_some() && is_part(&target.node) {
            return Expr::new(Node::Part(found.member, span), returns, span);
        }
        let check_null = target.ty.accepts_null() && !matches!(target.ty, Type::Nullable(_));
        let call = Call {
            member: found.member,
            access: Access::Read,
            find: None,
            args: Box::new([target.node]),
            check_null,
            of_type: erased(found.of_type),
            of_method: &[],
            returns: returns.erased(),
            outs: Box::default(),
            span,
        };
        Expr::new(Node::Call(Box::new(call)), returns, span)
    }

    /// `T.name` as a value.
    pub(super) fn static_value(&mut self, of: Type, name: &ast::SimpleName, span: Span) -> Expr {
        let (text, at) = (&*name.name.text, name.name.span);
        if let Some(it) = Self::enum_member(of, text, span) {
            return it;
        }
        if self.probed(text, |_| Site::Member { of, is_static: true }) {
            return Expr::error(span);
        }
        let rows = self.rows(of, |it| it.name == text && it.kind == MemberKind::StaticProperty);
        if let Some(found) = rows.first().copied() {
            if let Some(value) = fold::member_constant(found.member) {
                return Expr::constant(value, found.member.returns, span);
            }
            self.uses = self.uses.union(found.member.uses);
            let returns = found.member.returns.substitute(found.of_type, &[]);
            let call = Call {
                member: found.member,
                access: Access::Read,
                find: None,
                args: Box::default(),
                check_null: false,
                of_type: erased(found.of_type),
                of_method: &[],
                returns: returns.erased(),
                outs: Box::default(),
                span,
            };
            return Expr::new(Node::Call(Box::new(call)), returns, span);
        }
        let has =
            |kind: fn(&Member) -> bool| !self.rows(of, |it| it.name == text && kind(it)).is_empty();
        if has(|it| matches!(it.kind, MemberKind::StaticMethod | MemberKind::Extension)) {
            self.report(
                codes::NOT_A_VALUE,
                at,
                format!("`{text}` is a method and must be called"),
                "a method",
                Some(format!("write `{text}(...)`")),
            );
        } else if has(Member::is_instance) {
            self.report(
                codes::NOT_A_VALUE,
                at,
                format!("`{of}.{text}` needs an object"),
                "not a static member",
                None,
            );
        } else if of.is_enum() {
            let names = enum_names(of);
            let help =
                super::message::nearest(text, names).map(|it| format!("did you mean `{it}`?"));
            self.report(
                codes::UNKNOWN_MEMBER,
                at,
                format!("`{of}` has no member `{text}`"),
                "unknown member",
                help,
            );
        } else if !self.report_unlisted(of, text, at) {
            self.report_unknown_member(of, text, at, true);
        }
        Expr::error(span)
    }

    /// `target[arguments]`.
    pub(super) fn index(
        &mut self,
        target: &ast::Expr,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        let target = self.value(target);
        let arguments = self.arguments(arguments);
        self.index_value(target, &arguments, span)
    }

    pub(super) fn index_value(
        &mut self,
        target: Expr,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        if target.ty == Type::Error || arguments.iter().any(Argument::is_error) {
            return Expr::error(span);
        }
        if target.ty == Type::Dynamic || late::has_dynamic(arguments) {
            return self.late_index(target, arguments, span);
        }
        if let Some((index, item)) = self.element_index(&target, arguments) {
            let pair = Box::new((target.node, index));
            let node = if target.ty == Type::String {
                Node::CharAt(pair, span)
            } else {
                Node::ArrayGet(pair, span)
            };
            return Expr::new(node, item, span);
        }
        let rows = self.rows(target.ty, |it| it.kind == MemberKind::Indexer);
        if rows.is_empty() {
            self.report(
                codes::UNKNOWN_MEMBER,
                span,
                format!("`{}` cannot be indexed with `[]`", target.ty),
                "has no indexer",
                None,
            );
            return Expr::error(span);
        }
        self.call_rows(&rows, Some(target), &[], arguments, "this[]", span)
    }

    /// The index of an array or a string, and the type of its items.
    pub(super) fn element_index(
        &mut self,
        target: &Expr,
        arguments: &[Argument<'_>],
    ) -> Option<(Node, Type)> {
        let item = match target.ty {
            Type::Array(item) => *item,
            Type::String => Type::Char,
            _ => return None,
        };
        let [Argument { value: super::overload::Given::Expr(index), .. }] = arguments else {
            return None;
        };
        let to = [Type::Int32, Type::UInt32, Type::Int64, Type::UInt64]
            .into_iter()
            .find(|to| self.implicit_way(index, *to).is_some())
            .unwrap_or(Type::Int32);
        let index = self.convert(index.clone(), to);
        Some((index.node, item))
    }
}

/// Is it `context`, or a part of it that the host is asked for?
fn is_part(node: &Node) -> bool {
    matches!(node, Node::Part(..) | Node::Const(clr::value::Value::Host(_)))
}

fn enum_names(of: Type) -> Vec<&'static str> {
    match of.definition_name().and_then(rows::definition).map(|it| it.kind) {
        Some(rows::TypeKind::Enum { values, .. }) => values.iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    }
}

/// Could the first parameter of an extension method take a value of the type? Rough: for suggestions.
pub(super) fn could_extend(of: Type, first: Type) -> bool {
    match first {
        Type::Named(name, _) => hierarchy(of).iter().any(|(it, _)| it.is_named(name)),
        Type::MethodArg(_) => true,
        other => rows::is_reference_convertible(of, other) || of == other,
    }
}

/// `IEnumerable<T>`'s `T`, if the type is enumerable.
pub(super) fn item_type(of: Type) -> Option<Type> {
    let items = hierarchy(of).into_iter().find_map(|(it, _)| match it {
        Type::Named(types::names::IENUMERABLE, [item]) => Some(*item),
        _ => None,
    });
    items.or_else(|| match of {
        Type::Array(item) => Some(*item),
        Type::String => Some(Type::Char),
        Type::Named(types::names::ARRAY2 | types::names::ARRAY3, [item]) => Some(*item),
        _ => hierarchy(of)
            .iter()
            .any(|(it, _)| it.is_named(types::names::IENUMERABLE_PLAIN))
            .then_some(Type::Object),
    })
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn members_are_found_up_the_hierarchy() {
        check(
            Form::Expression,
            &[
                ("new ArgumentException(\"m\").Message", "String: m"),
                ("DayOfWeek.Friday", "DayOfWeek: Friday"),
                ("\"abc\"[1]", "Char: b"),
                ("\"abc\"[3]", "System.IndexOutOfRangeException"),
                ("\"abc\".Lenght", "PC0321"),
                ("string.Length", "PC0335"),
                ("5[0]", "PC0321"),
            ],
        );
    }
}
