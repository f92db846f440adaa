//! Which media type a body counts as: `content-type-map`.

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, PolicyError, ValueType, codes,
};

use crate::content::essence;

pub(super) const MAP: Child = Child::optional("content-type-map")
    .children(&[TYPE])
    .attrs(&[ANY, MISSING])
    .doc("Which media type a body counts as.");
const ANY: Attr =
    Attr::absent_by_default("any-content-type-value").doc("What every body counts as.");
const MISSING: Attr =
    Attr::absent_by_default("missing-content-type-value").doc("What a body without one counts as.");
const TYPE: Child =
    Child::repeated("type").empty().attrs(&[FROM, WHEN, TO]).doc("What one media type counts as.");
const FROM: Attr =
    Attr::absent_by_default("from").excludes(&["when"]).doc("The type that the body has.");
const WHEN: Attr = Attr::absent_by_default("when")
    .expressions()
    .doc("Whether the body counts as `to`.")
    .of(ValueType::Boolean);
const TO: Attr = Attr::required("to").doc("The type that it counts as.");

/// The rules, in order.
#[derive(Debug, Default)]
pub(super) struct Map {
    any: Option<String>,
    missing: Option<String>,
    types: Vec<(Rule, String)>,
}

#[derive(Debug)]
enum Rule {
    From(String),
    When(Computed<bool>),
    Always,
}

pub(super) fn compile(element: Option<Element<'_>>, cx: &mut CompileCx) -> Result<Map, Diagnostic> {
    let Some(element) = element else { return Ok(Map::default()) };
    let mut types = Vec::new();
    for it in element.children(&TYPE) {
        let to: String = cx.literal(it, &TO)?;
        let from: Option<String> = cx.literal_if(it, &FROM)?;
        let rule = match (from, cx.attr_if(it, &WHEN)?) {
            (Some(from), _) => Rule::From(from),
            (None, Some(when)) => Rule::When(when),
            (None, None) => {
                let message = "`type` without `from` and `when` applies to every body";
                cx.report(
                    Diagnostic::warning(codes::TOO_PERMISSIVE, it.span(), message)
                        .label(format!("every body counts as `{to}`")),
                );
                Rule::Always
            }
        };
        types.push((rule, to));
    }
    let any = cx.literal_if(element, &ANY)?;
    let missing = cx.literal_if(element, &MISSING)?;
    Ok(Map { any, missing, types })
}

impl Map {
    /// The media type that a body counts as, without parameters; empty if it has none.
    pub(super) fn apply(
        &self,
        actual: Option<&str>,
        context: &Context,
    ) -> Result<String, PolicyError> {
        let actual = actual.map(essence).filter(|it| !it.is_empty());
        for (rule, to) in &self.types {
            let applies = match rule {
                Rule::From(from) => actual.is_some_and(|it| it.eq_ignore_ascii_case(essence(from))),
                Rule::When(when) => when.get(context)?,
                Rule::Always => true,
            };
            if applies {
                return Ok(essence(to).to_owned());
            }
        }
        let missing = actual.is_none().then_some(self.missing.as_deref()).flatten();
        let found = self.any.as_deref().or(missing).or(actual);
        Ok(found.map(essence).unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Trial;

    #[test]
    fn rules_go_over_what_counts_for_all() {
        let context = Trial::inbound("<set-method>POST</set-method>").run("").context;
        let map = |any: Option<&str>, missing: Option<&str>, types: Vec<(Rule, String)>| Map {
            any: any.map(str::to_owned),
            missing: missing.map(str::to_owned),
            types,
        };
        let apply = |map: &Map, actual| map.apply(actual, &context).unwrap();
        let plain = map(None, Some("application/json"), vec![]);
        assert_eq!(apply(&plain, None), "application/json");
        assert_eq!(apply(&plain, Some("text/plain; charset=utf-8")), "text/plain");
        assert_eq!(apply(&map(None, None, vec![]), None), "");

        let from = (Rule::From("application/hal+json".to_owned()), "application/json".to_owned());
        let when = (Rule::When(Computed::literal(false)), "text/never".to_owned());
        let any = map(Some("text/any"), Some("text/missing"), vec![when, from]);
        assert_eq!(apply(&any, Some("Application/HAL+json")), "application/json");
        assert_eq!(apply(&any, Some("image/png")), "text/any");
        assert_eq!(apply(&any, None), "text/any");
        assert_eq!(apply(&map(None, None, vec![(Rule::Always, "a/b".to_owned())]), None), "a/b");
    }
}
