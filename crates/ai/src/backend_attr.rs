//! Attributes that name a backend entity: an unknown name is found when the document is loaded.

use document::Diagnostic;
use pipeline::{Attr, CompileCx, Computed, Element};

/// Refuses a literal that names no backend entity.
pub(crate) fn check(
    element: Element<'_>,
    attr: &Attr,
    value: &Computed<String>,
    cx: &mut CompileCx,
) -> Result<(), Diagnostic> {
    let Some(id) = value.as_literal().map(|it| it.trim().to_owned()) else { return Ok(()) };
    let code = document::codes::UNKNOWN_BACKEND;
    let message = format!("unknown backend `{id}`");
    match cx.has_backend(&id) {
        Some(true) => Ok(()),
        Some(false) => {
            let problem = cx.refuse_attr(element, attr, code, message);
            Err(match document::closest(&id, cx.backend_names()) {
                Some(near) => problem.label(format!("did you mean `{near}`?")),
                None => problem.label("no backend has this name"),
            })
        }
        None => {
            cx.report(
                Diagnostic::note(code, element.attr_span(attr), message)
                    .label("not at hand: the document is checked on its own"),
            );
            Ok(())
        }
    }
}
