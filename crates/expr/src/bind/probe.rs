//! What can stand at a place of the source: for completion.
//!
//! A name that nobody has ([`MARKER`]) is put where something is to be completed, and the whole
//! source is bound as far as it goes. Where the binder would report the name as unknown, it knows
//! what stands before the dot, or which variables are in scope: that is what [`probe`] gives. So
//! lambda parameters have the types that inference gives them, and there is no second set of rules.

use super::member::{could_extend, hierarchy};
use super::{Binder, member};
use crate::Options;
use crate::types::{Type, names};
use clr::rows;
use clr::rows::{Member, MemberKind};
use csharp::Form;
use csharp::parser;

/// The name that stands where something is to be completed.
pub(crate) const MARKER: &str = "__to_be_completed__";

/// What the marker stands behind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Site {
    /// `x.` or `T.`.
    Member {
        /// The type before the dot.
        of: Type,
        /// The type itself stands there, not a value.
        is_static: bool,
    },
    /// `System.Text.`.
    Namespace(String),
    /// A name of its own.
    Name {
        /// The variables in scope with their types, innermost first.
        variables: Vec<(String, Type)>,
        /// Only a type can stand here.
        only_types: bool,
    },
}

/// A member that could stand at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) member: &'static Member,
    /// Type arguments of the type that declares it.
    pub(crate) of_type: &'static [Type],
    /// Type arguments of the method, as far as the object says.
    pub(crate) of_method: Option<Type>,
}

/// Where the marker stands; `None` if the binder does not come across it.
pub(crate) fn probe(source: &str, form: Form, options: &Options) -> Option<Site> {
    crate::catalog::load();
    let (root, _) = parser::parse_partial(source, form, options.dialect());
    let mut binder = Binder::new(*options);
    binder.probe = Some(None);
    binder.root(&root);
    binder.probe.flatten()
}

/// The members of a type, those of its bases and the methods that extend it included.
pub(crate) fn members(of: Type, is_static: bool, options: &Options) -> Vec<Listed> {
    let binder = Binder::new(*options);
    let fits = |it: &Member| {
        let is_named = !matches!(
            it.kind,
            MemberKind::Constructor
                | MemberKind::Indexer
                | MemberKind::Implicit
                | MemberKind::Explicit
                | MemberKind::Operator
        );
        is_named && it.is_instance() != is_static
    };
    let own = binder.rows(of, fits).into_iter();
    let mut all: Vec<Listed> =
        own.map(|it| Listed { member: it.member, of_type: it.of_type, of_method: None }).collect();
    if !is_static {
        let item = member::item_type(of);
        let extends = |it: &&'static Member| {
            options.allows(it) && it.params.first().is_some_and(|first| fits_receiver(of, *first))
        };
        all.extend(member::every_extension().filter(extends).map(|member| Listed {
            member,
            of_type: &[],
            of_method: item.filter(|_| {
                matches!(member.params.first(), Some(Type::Named(names::IENUMERABLE, [Type::M])))
            }),
        }));
    }
    all
}

/// Rows of constructors of a type.
pub(crate) fn constructors(of: Type, options: &Options) -> Vec<Listed> {
    let rows = Binder::new(*options).rows(of, |it| it.kind == MemberKind::Constructor);
    let own = rows.into_iter().filter(|it| it.depth == 0);
    own.map(|it| Listed { member: it.member, of_type: it.of_type, of_method: None }).collect()
}

/// Could the first parameter of an extension method take the type? Closer than [`could_extend`]:
/// `Sum` of `IEnumerable<int>` is no member of a list of strings.
fn fits_receiver(of: Type, first: Type) -> bool {
    match first {
        Type::MethodArg(_) => true,
        Type::Named(name, arguments) if arguments.iter().any(|it| it.is_open()) => {
            hierarchy(of).iter().any(|(it, _)| it.is_named(name))
        }
        Type::Named(..) | Type::Array(_) | Type::String => {
            of == first || rows::is_reference_convertible(of, first)
        }
        other => could_extend(of, other),
    }
}

impl Binder {
    /// Notes the place if the name is the marker. Returns whether it is.
    pub(super) fn probed(&mut self, name: &str, site: impl FnOnce(&Self) -> Site) -> bool {
        let is_here = self.probe.is_some() && name == MARKER;
        if is_here && matches!(self.probe, Some(None)) {
            self.probe = Some(Some(site(self)));
        }
        is_here
    }

    /// Notes the place of a name of its own, or of one behind a namespace.
    pub(super) fn probed_name(&mut self, name: &str, only_types: bool) -> bool {
        match name.rsplit_once('.') {
            Some((namespace, last)) => self.probed(last, |_| Site::Namespace(namespace.to_owned())),
            None => self
                .probed(name, |it| Site::Name { variables: it.variables_in_scope(), only_types }),
        }
    }

    fn variables_in_scope(&self) -> Vec<(String, Type)> {
        let mut all: Vec<(String, Type)> = Vec::new();
        let ids = self.scopes.iter().rev().flat_map(|it| it.variables.iter().rev());
        for variable in ids.filter_map(|it| self.variables.get(*it)) {
            if !all.iter().any(|(name, _)| *name == variable.name) {
                all.push((variable.name.clone(), variable.ty));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_before(source: &str) -> String {
        let form = if source.contains(';') { Form::Statements } else { Form::Expression };
        match probe(&source.replace('|', MARKER), form, &Options::default()) {
            Some(Site::Member { of, is_static: false }) => of.to_string(),
            Some(Site::Member { of, .. }) => format!("static {of}"),
            Some(Site::Namespace(name)) => format!("namespace {name}"),
            Some(Site::Name { variables, only_types }) => {
                let names: Vec<String> =
                    variables.iter().map(|(name, ty)| format!("{ty} {name}")).collect();
                format!("{}[{}]", if only_types { "type" } else { "name" }, names.join(", "))
            }
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn the_static_type_before_the_marker_is_known() {
        let cases = [
            ("context.Request.|", "IRequest"),
            ("\"a\".|", "string"),
            ("\"a\".Split(',')[0].|()", "string"),
            ("Math.|", "static Math"),
            ("System.Text.|", "namespace System.Text"),
            ("1 + |", "name[]"),
            ("new |", "type[]"),
            ("context.Product?.|", "IProduct"),
            ("new[] { 1 }.Select(x => x.|)", "int"),
            ("new[] { 1 }.Select(x => x + |)", "name[int x]"),
            ("new[] { new { a = 1.5 } }.First().|", "<anonymous: double a>"),
            ("var a = 1; { var b = \"\"; return |; }", "name[string b, int a]"),
            (
                "foreach (var h in context.Request.Headers) { h.|; }",
                "KeyValuePair<string,string[]>",
            ),
            ("; foreach (var h in context.Request.Headers) { h.|", "KeyValuePair<string,string[]>"),
            ("var b = context.Request.Body.As<JObject>(); return b[\"a\"].|", "JToken"),
            ("try { return 1; } catch (Exception e) when (e.|) { return 2; }", "Exception"),
            ("\"|\"", "nothing"),
            ("1.5", "nothing"),
        ];
        for (source, expected) in cases {
            assert_eq!(type_before(source), expected, "{source}");
        }
    }

    #[test]
    fn extensions_are_listed_for_what_they_extend() {
        crate::catalog::load();
        let has = |of: Type, name: &str| {
            members(of, false, &Options::default()).iter().any(|it| it.member.name == name)
        };
        assert!(has(Type::String, "AsJwt") && !has(Type::Int32, "AsJwt"));
        assert!(has(Type::STRINGS, "Select") && !has(Type::Int32, "Select"));
        assert!(has(Type::BYTES, "Encrypt") && !has(Type::STRINGS, "Encrypt"));
    }
}
