//! `new`: objects, arrays, anonymous objects, initialisers.
//!
//! Source: C# specification, 12.8.16.

use clr::rows::{self, MemberKind, TypeKind};
use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, InitializerKind, InitializerTarget, InitializerValue, Span};

use super::conversion::best_common;
use super::member::Found;
use super::overload::Argument;
use super::{Binder, Expr, codes, late};
use crate::ir::Node;

impl Binder {
    pub(super) fn new_object(
        &mut self,
        written: &ast::TypeRef,
        arguments: &[ast::Argument],
        initializer: Option<&ast::Initializer>,
        span: Span,
    ) -> Expr {
        let ty = self.type_of(written);
        if let (Type::Func(_), [only]) = (ty, arguments) {
            return self.value_as(&only.value, ty);
        }
        let arguments = self.arguments(arguments);
        if ty == Type::Error || arguments.iter().any(Argument::is_error) {
            return Expr::error(span);
        }
        let made = if late::has_dynamic(&arguments) {
            Expr { ty, ..self.late_new(written, &arguments, span) }
        } else {
            self.construct(ty, &arguments, written.span, span)
        };
        match initializer {
            Some(it) if made.ty != Type::Error => self.initialized(made, it, span),
            _ => made,
        }
    }

    fn construct(&mut self, ty: Type, arguments: &[Argument<'_>], at: Span, span: Span) -> Expr {
        let def = ty.definition_name().and_then(rows::definition);
        let rows: Vec<Found> = def.map_or(Vec::new(), |def| {
            let of_type = match ty {
                Type::Named(_, list) | Type::Tuple(list, _) => list,
                Type::Nullable(inner) => std::slice::from_ref(inner),
                _ => &[],
            };
            let usable = def
                .members
                .iter()
                .filter(|it| it.kind == MemberKind::Constructor && self.options.allows(it))
                .filter(|it| !matches!(ty, Type::Tuple(of, _) if it.params.len() != of.len()));
            usable.map(|member| Found { member, of_type, depth: 0 }).collect()
        });
        let has_default = rows.iter().any(|it| it.member.params.is_empty());
        if arguments.is_empty() && ty.is_value_type() && !has_default {
            return Expr { constant: None, ..Self::default_of(ty, span) };
        }
        if rows.is_empty() {
            let why = match def.map(|it| it.kind) {
                Some(TypeKind::Interface) => "an interface",
                Some(TypeKind::Static) => "a static class",
                _ => "has no constructor that policy expressions may use",
            };
            self.report(
                codes::NOT_ALLOWED,
                at,
                format!("`{ty}` cannot be created with `new`"),
                why,
                None,
            );
            return Expr::error(span);
        }
        let name = format!("new {ty}");
        let made = self.call_rows(&rows, None, &[], arguments, &name, span);
        Expr { ty: if made.ty == Type::Error { Type::Error } else { ty }, ..made }
    }

    fn initialized(&mut self, made: Expr, initializer: &ast::Initializer, span: Span) -> Expr {
        let slot = self.temporary();
        let ty = made.ty;
        let mut nodes = vec![Node::SetLocal(slot, Box::new(made.node))];
        let object = Expr::new(Node::Local(slot), ty, span);
        self.initialize(&object, initializer, &mut nodes);
        nodes.push(Node::Local(slot));
        Expr::new(Node::Sequence(nodes.into_boxed_slice()), ty, span)
    }

    fn initialize(&mut self, object: &Expr, initializer: &ast::Initializer, nodes: &mut Vec<Node>) {
        match &initializer.kind {
            InitializerKind::Collection(items) => {
                for item in items {
                    let arguments: Vec<Argument<'_>> =
                        item.iter().map(|it| self.expression_argument(it)).collect();
                    let at = item.first().map_or(initializer.span, |it| it.span);
                    if arguments.iter().any(Argument::is_error) {
                        continue;
                    }
                    let added = self.method_with(object.clone(), "Add", at, &[], &arguments, at);
                    nodes.push(added.node);
                }
            }
            InitializerKind::Object(members) => {
                for member in members {
                    self.initialize_member(object, member, nodes);
                }
            }
        }
    }

    fn initialize_member(
        &mut self,
        object: &Expr,
        member: &ast::MemberInitializer,
        nodes: &mut Vec<Node>,
    ) {
        let (target, span) = match &member.target {
            InitializerTarget::Member(name) => {
                let simple = ast::SimpleName { name: name.clone(), type_arguments: Vec::new() };
                (self.member_value(object.clone(), &simple, name.span), name.span)
            }
            InitializerTarget::Index(arguments, span) => {
                let arguments = self.arguments(arguments);
                (self.index_value(object.clone(), &arguments, *span), *span)
            }
        };
        match &member.value {
            InitializerValue::Expression(value) => {
                let value = self.value_as(value, target.ty);
                if let Some(done) = self.write_to(target, value.node, span) {
                    nodes.push(done.node);
                }
            }
            InitializerValue::Nested(inner) => {
                if target.ty == Type::Error {
                    return;
                }
                let slot = self.temporary();
                let ty = target.ty;
                nodes.push(Node::SetLocal(slot, Box::new(target.node)));
                self.initialize(&Expr::new(Node::Local(slot), ty, span), inner, nodes);
            }
        }
    }

    pub(super) fn new_anonymous(&mut self, members: &[ast::AnonymousMember], span: Span) -> Expr {
        let mut fields: Vec<(String, Type)> = Vec::new();
        let mut nodes = Vec::new();
        for member in members {
            let value = self.value(&member.value);
            self.require_value(&value);
            if value.ty == Type::Null {
                self.report(
                    codes::NO_TYPE,
                    member.value.span,
                    "the type of `null` cannot be told from here",
                    "has no type",
                    Some("cast it: `(string)null`".to_owned()),
                );
            }
            if fields.iter().any(|(own, _)| *own == *member.name.text) {
                self.report(
                    codes::DUPLICATE_NAME,
                    member.name.span,
                    format!("the object has a member `{}` already", member.name.text),
                    "second member of the name",
                    None,
                );
            }
            fields.push((member.name.text.to_string(), value.ty));
            nodes.push(value.node);
        }
        let erased = fields.iter().map(|(name, ty)| (name.clone(), ty.erased())).collect();
        let (ty, own) = (types::anonymous(fields), types::anonymous(erased));
        Expr::new(Node::Anonymous(own, nodes.into_boxed_slice()), ty, span)
    }

    pub(super) fn new_array(&mut self, it: &ast::NewArray, span: Span) -> Expr {
        if it.rank > 1 {
            return self.new_grid(it, span);
        }
        let element = it.element.as_ref().map(|it| self.type_of(it));
        match (&it.initializer, element) {
            (Some(items), Some(element)) => {
                self.check_length(it.lengths.first(), items.len());
                self.array_initializer(items, types::array(element), span)
            }
            (Some(items), None) => self.implicit_array(items, span),
            (None, Some(element)) => {
                let Some(length) = it.lengths.first() else { return Expr::error(span) };
                let length = self.value(length);
                let to = [Type::Int32, Type::UInt32, Type::Int64, Type::UInt64]
                    .into_iter()
                    .find(|to| self.implicit_way(&length, *to).is_some())
                    .unwrap_or(Type::Int32);
                let length = self.convert(length, to);
                if length.constant.as_ref().and_then(Value::as_i64).is_some_and(|it| it < 0) {
                    self.report(
                        codes::CONSTANT,
                        length.span,
                        "an array cannot have a negative length",
                        "negative",
                        None,
                    );
                }
                let node = Node::NewArrayOf(element.erased(), Box::new(length.node), span);
                Expr::new(node, types::array(element), span)
            }
            (None, None) => Expr::error(span),
        }
    }

    /// The written length of an array with an initialiser.
    fn check_length(&mut self, length: Option<&ast::Expr>, items: usize) {
        let Some(length) = length else { return };
        let bound = self.value(length);
        let written = bound.constant.as_ref().and_then(Value::as_i64);
        if bound.ty != Type::Error && written != i64::try_from(items).ok() {
            self.report(
                codes::CONSTANT,
                length.span,
                format!("the array has {items} items"),
                "not their number",
                Some("leave out the length".to_owned()),
            );
        }
    }

    fn implicit_array(&mut self, items: &[ast::Expr], span: Span) -> Expr {
        let bound: Vec<Expr> = items
            .iter()
            .map(|it| {
                let bound = self.value(it);
                self.require_value(&bound);
                bound
            })
            .collect();
        if bound.iter().any(|it| it.ty == Type::Error) {
            return Expr::error(span);
        }
        let types: Vec<Type> = bound.iter().map(|it| it.ty).collect();
        let Some(element) = best_common(&types) else {
            self.report(
                codes::NO_TYPE,
                span,
                "the items of the array have no common type",
                "type of the array is not clear",
                Some("write the type: `new object[] { ... }`".to_owned()),
            );
            return Expr::error(span);
        };
        let nodes: Vec<Node> = bound.into_iter().map(|it| self.convert(it, element).node).collect();
        Expr::new(
            Node::NewArray(element.erased(), nodes.into_boxed_slice()),
            types::array(element),
            span,
        )
    }

    /// `{ 1, 2 }` as an array of a type.
    pub(super) fn array_initializer(&mut self, items: &[ast::Expr], to: Type, span: Span) -> Expr {
        if let Type::Named(types::names::ARRAY2 | types::names::ARRAY3, _) = to {
            return self.grid_of(items, to, &[], span);
        }
        let Type::Array(element) = to else {
            if to != Type::Error {
                self.report(
                    codes::NO_CONVERSION,
                    span,
                    format!("an array initialiser is no value of type `{to}`"),
                    format!("expected `{to}`"),
                    Some("write `new[] { ... }` or `new T { ... }`".to_owned()),
                );
            }
            return Expr::error(span);
        };
        let nodes: Vec<Node> = items.iter().map(|it| self.value_as(it, *element).node).collect();
        Expr::new(Node::NewArray(element.erased(), nodes.into_boxed_slice()), to, span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn new_makes_objects_arrays_and_initialisers() {
        check(
            Form::Statements,
            &[
                ("return new { a = 1, b = \"x\" }.ToString();", "String: { a = 1, b = x }"),
                ("return new[] {1, 2.5}[0];", "Double: 1"),
                ("return new int[3].Length;", "Int32: 3"),
                (
                    "var d = new Dictionary<string,int> {{\"a\", 1}, {\"b\", 2}}; return d[\"b\"];",
                    "Int32: 2",
                ),
                ("return new List<int> {1, 2}.Count;", "Int32: 2"),
                ("var x = new[] {1, \"a\"}; return x;", "PC0337"),
            ],
        );
    }
}
