//! Texts of the policy: a literal, an expression, or a Liquid template.

use expr::Value;
use liquid::body::Reading;
use pipeline::{Attr, CompileCx, Computed, Context, Diagnostic, Element, PolicyError};

use crate::templates::Liquid;

pub(super) const TEMPLATE: Attr =
    Attr::absent_by_default("template").one_of(&["liquid"]).doc("How the content is read.");

/// A text.
#[derive(Debug)]
pub(super) enum Text {
    Value(Computed<Value>),
    Liquid(Liquid),
    /// It has errors, which are reported.
    Refused,
}

impl Text {
    pub(super) fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Text, Diagnostic> {
        if !element.has(&TEMPLATE) {
            return cx.markup(element).map(Text::Value);
        }
        let liquid = Liquid::compile(element, cx, Reading::default())?;
        Ok(liquid.map_or(Text::Refused, Text::Liquid))
    }

    /// What it is for a request, white space around it taken off.
    pub(super) async fn get(&self, context: &mut Context) -> Result<String, PolicyError> {
        let text = match self {
            Text::Value(value) => value.get(context)?.to_text().into_owned(),
            Text::Liquid(liquid) => liquid.render(context).await?,
            Text::Refused => String::new(),
        };
        Ok(text.trim().to_owned())
    }
}
