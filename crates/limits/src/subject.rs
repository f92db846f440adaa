//! Whose counters: the subscription and the scope of the policy, and APIs and operations of
//! their own within it.

use document::Diagnostic;
use pipeline::{ApiNames, Attr, Child, CompileCx, Context, Element, Scope};
use state::MAX_MEMBERS;

pub(crate) const NAME: Attr =
    Attr::absent_by_default("name").doc("Display name; `id` wins if both are there.");
pub(crate) const ID: Attr = Attr::absent_by_default("id").doc("Name of the entity.");

/// The group of counters of the request's subscription at a scope; none without a subscription.
pub(crate) fn group(context: &Context, scope: Scope) -> Option<String> {
    let subscription = &context.subscription.as_ref()?.id;
    let api = context.api.as_ref().map_or("", |it| &it.id);
    let product = context.product.as_ref().map_or("", |it| &it.id);
    let operation = context.operation.as_ref().map_or("", |it| &it.info.id);
    let workspace = context.workspace.as_ref().map_or("", |it| &it.id);
    Some(match scope {
        Scope::Global => format!("subscription/{subscription}/global"),
        Scope::Workspace => format!("subscription/{subscription}/workspace/{workspace}"),
        Scope::Product => format!("subscription/{subscription}/product/{product}"),
        Scope::Api => format!("subscription/{subscription}/api/{api}"),
        Scope::Operation => {
            format!("subscription/{subscription}/api/{api}/operation/{operation}")
        }
    })
}

/// What an `api` or `operation` element names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    Id(String),
    Name(String),
}

impl Named {
    fn is(&self, id: &str, name: &str) -> bool {
        match self {
            Named::Id(it) => it.eq_ignore_ascii_case(id),
            Named::Name(it) => it == name,
        }
    }

    fn shown(&self) -> String {
        match self {
            Named::Id(it) => format!("the id `{it}`"),
            Named::Name(it) => format!("the name `{it}`"),
        }
    }

    fn text(&self) -> String {
        match self {
            Named::Id(it) => format!("id={it}"),
            Named::Name(it) => format!("name={it}"),
        }
    }
}

/// Limits of a policy: its own, those of APIs, those of operations.
#[derive(Debug)]
pub(crate) struct Tree<L> {
    pub(crate) own: L,
    parts: Vec<Part<L>>,
}

/// The limit of an API, or of an operation within it.
#[derive(Debug)]
struct Part<L> {
    api: Named,
    operation: Option<Named>,
    /// Its counter within the group.
    member: String,
    limit: L,
}

impl<L> Tree<L> {
    /// Reads the limits: those of `children` with the attributes of the policy itself.
    pub(crate) fn compile<'a>(
        element: Element<'a>,
        cx: &mut CompileCx<'_>,
        [api_child, operation_child]: [&Child; 2],
        read: impl Fn(Element<'a>, &mut CompileCx<'_>) -> Result<L, Diagnostic>,
    ) -> Result<Tree<L>, Diagnostic> {
        let mut tree = Tree { own: read(element, cx)?, parts: Vec::new() };
        for api_element in element.children(api_child) {
            let api = named(api_element, cx)?;
            warn_if_unknown(api_element, cx, &api, None);
            let limit = read(api_element, cx)?;
            tree.add(api_element, cx, Part::new(api.clone(), None, limit))?;
            for operation_element in api_element.children(operation_child) {
                let operation = named(operation_element, cx)?;
                warn_if_unknown(operation_element, cx, &api, Some(&operation));
                let limit = read(operation_element, cx)?;
                let part = Part::new(api.clone(), Some(operation), limit);
                tree.add(operation_element, cx, part)?;
            }
        }
        Ok(tree)
    }

    /// At most by id and by name each: so there are never more at once than a store takes.
    fn add(
        &mut self,
        element: Element<'_>,
        cx: &CompileCx<'_>,
        part: Part<L>,
    ) -> Result<(), Diagnostic> {
        if self.parts.iter().any(|it| it.member == part.member) {
            let message = format!("`{}` has this limit twice", element.name());
            return Err(cx.refuse(element, pipeline::codes::REPEATED_CHILD, message));
        }
        self.parts.push(part);
        Ok(())
    }

    /// The limits that a request is subject to, with their counters; the policy's own first.
    pub(crate) fn of<'t, 'c>(
        &'t self,
        context: &'c Context,
    ) -> impl Iterator<Item = (&'t str, &'t L)> + use<'t, 'c, L> {
        let parts = self.parts.iter().filter(move |it| it.applies(context));
        let parts = parts.map(|it| (it.member.as_str(), &it.limit)).take(MAX_MEMBERS - 1);
        std::iter::once(("", &self.own)).chain(parts)
    }
}

impl<L> Part<L> {
    fn new(api: Named, operation: Option<Named>, limit: L) -> Part<L> {
        let member = match &operation {
            None => format!("api/{}", api.text()),
            Some(operation) => format!("api/{}/operation/{}", api.text(), operation.text()),
        };
        Part { api, operation, member, limit }
    }

    fn applies(&self, context: &Context) -> bool {
        let Some(api) = &context.api else { return false };
        let of_operation = |it: &Named| {
            let operation = context.operation.as_ref().map(|it| &it.info);
            operation.is_some_and(|info| it.is(&info.id, &info.name))
        };
        self.api.is(&api.id, &api.name) && self.operation.as_ref().is_none_or(of_operation)
    }
}

/// Warns of a limit that applies to nothing: as the documents say it may stand there, it is no
/// error. Of a whole API that is not there it is said once.
fn warn_if_unknown(
    element: Element<'_>,
    cx: &mut CompileCx<'_>,
    api: &Named,
    operation: Option<&Named>,
) {
    let Some(names) = cx.extension::<ApiNames>() else { return };
    let mut found = names.filter(|id, name| api.is(id, name)).peekable();
    let is_there = found.peek().is_some();
    let (what, near) = match operation {
        None if is_there => return,
        None => ("API", closest(api, names.iter().map(|it| (&it.id, &it.name)))),
        Some(_) if !is_there => return,
        Some(operation) => {
            let operations: Vec<_> = found.flat_map(|it| &it.operations).collect();
            if operations.iter().any(|(id, name)| operation.is(id, name)) {
                return;
            }
            ("operation", closest(operation, operations.iter().map(|it| (&it.0, &it.1))))
        }
    };
    let named = operation.unwrap_or(api);
    let message =
        format!("the limit applies to nothing: there is no {what} with {}", named.shown());
    let problem = Diagnostic::warning(pipeline::codes::NO_EFFECT, element.span(), message);
    cx.report(match near {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem,
    });
}

fn closest<'a>(
    named: &Named,
    all: impl Iterator<Item = (&'a String, &'a String)>,
) -> Option<String> {
    let (Named::Id(text) | Named::Name(text)) = named;
    let of = |(id, name): (&'a String, &'a String)| match named {
        Named::Id(_) => id.as_str(),
        Named::Name(_) => name.as_str(),
    };
    document::closest(text, all.map(of)).map(ToString::to_string)
}

fn named(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Named, Diagnostic> {
    let id: Option<String> = cx.literal_if(element, &ID)?;
    let name: Option<String> = cx.literal_if(element, &NAME)?;
    match (id, name) {
        (Some(id), _) => Ok(Named::Id(id)),
        (None, Some(name)) => Ok(Named::Name(name)),
        (None, None) => {
            let message = format!("`{}` needs `name` or `id`", element.name());
            Err(cx.refuse(element, pipeline::codes::ONE_OF_ATTRIBUTES, message))
        }
    }
}
