//! `<emit-metric>`: adds a measurement of its own to the gateway's metrics.
//!
//! The measurements are kept in this process and shown where its metrics are read. The number of
//! series is bounded; see [`telemetry::Metrics`].
//!
//! Source: <https://learn.microsoft.com/azure/api-management/emit-metric-policy>

use std::sync::Arc;

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scopes, Sections, Step, USUAL_DIMENSIONS, ValueType, codes,
};
use telemetry::{Metrics, Series};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "emit-metric",
    summary: "Adds a measurement of its own to the gateway's metrics.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[NAME, NAMESPACE, VALUE],
    children: &[DIMENSION],
    compile,
};

const NAME: Attr = Attr::required("name").doc("Name of the metric.");
const NAMESPACE: Attr =
    Attr::optional("namespace", "API Management").doc("Namespace of the metric.");
const VALUE: Attr = Attr::optional("value", "1")
    .expressions()
    .doc("The measurement, a number.")
    .of(ValueType::Number);
const DIMENSION_NAME: Attr = Attr::required("name").expressions().doc("Name of the dimension.");
const DIMENSION_VALUE: Attr = Attr::absent_by_default("value")
    .expressions()
    .doc("Its value; may be left out of the dimensions that every request has.");
const DIMENSION: Child = Child::one_or_more("dimension")
    .attrs(&[DIMENSION_NAME, DIMENSION_VALUE])
    .empty()
    .doc("What measurements are told apart by.");

/// Most dimensions besides those.
const MAX_OWN_DIMENSIONS: usize = 10;
#[derive(Debug)]
struct EmitMetric {
    name: String,
    namespace: String,
    value: Computed<f64>,
    dimensions: Vec<Dimension>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Dimension {
    name: Computed<String>,
    value: Option<Computed<String>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let mut dimensions = Vec::new();
    let mut n_own = 0;
    for child in element.children(&DIMENSION) {
        let name: Computed<String> = cx.attr(child, &DIMENSION_NAME)?;
        let value = cx.attr_if(child, &DIMENSION_VALUE)?;
        if let Some(name) = name.as_literal()
            && !USUAL_DIMENSIONS.contains(&name.trim())
        {
            n_own += 1;
            if value.is_none() {
                cx.report(missing_value(child, cx, name));
            }
            if n_own == MAX_OWN_DIMENSIONS + 1 {
                let message =
                    format!("`emit-metric` takes {MAX_OWN_DIMENSIONS} dimensions of its own");
                cx.report(cx.refuse(child, codes::REPEATED_CHILD, message).label("one too many"));
            }
        }
        dimensions.push(Dimension { name, value });
    }
    Ok(Step::immediate(EmitMetric {
        name: cx.literal(element, &NAME)?,
        namespace: cx.literal(element, &NAMESPACE)?,
        value: cx.attr(element, &VALUE)?,
        dimensions,
        metrics: cx.shared(),
    }))
}

fn missing_value(child: Element<'_>, cx: &CompileCx<'_>, name: &str) -> Diagnostic {
    let message = format!("dimension `{}` needs the attribute `value`", name.trim());
    let it = cx.refuse(child, codes::MISSING_ATTRIBUTE, message);
    match document::closest(name.trim(), USUAL_DIMENSIONS) {
        Some(near) => it.label(format!("did you mean `{near}`?")),
        None => it.label("`value` is missing"),
    }
}

impl Immediate for EmitMetric {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let value = self.value.get(context)?;
        let mut dimensions = Vec::with_capacity(self.dimensions.len());
        for dimension in &self.dimensions {
            let name = dimension.name.get(context)?.trim().to_owned();
            let value = match &dimension.value {
                Some(value) => value.get(context)?,
                None => context.usual_dimension(&name),
            };
            dimensions.push((name, value));
        }
        let series = Series::new(self.namespace.clone(), self.name.clone(), dimensions);
        self.metrics.measure(series, value);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Trial, problems};

    fn metric(attributes: &str, dimensions: &str) -> String {
        format!(r#"<emit-metric name="Calls" {attributes}>{dimensions}</emit-metric>"#)
    }

    /// How it went, and the lines about the metric.
    fn run(policy: &str) -> (String, Vec<String>) {
        let trial = Trial::inbound(policy).at_operation("/orders/{id}", &[]);
        let metrics: Arc<Metrics> = trial.extensions.shared();
        let outcome = trial.run("GET /orders/5").outcome;
        let text = metrics.prometheus();
        (outcome, text.lines().filter(|it| it.contains("Calls_")).map(str::to_owned).collect())
    }

    #[test]
    fn the_default_is_one_in_azures_namespace() {
        let (outcome, lines) = run(&metric("", r#"<dimension name="API ID" />"#));
        assert_eq!(outcome, "next");
        assert_eq!(
            lines,
            [
                r#"API_Management_Calls_sum{API_ID="N/A"} 1"#,
                r#"API_Management_Calls_count{API_ID="N/A"} 1"#
            ]
        );
    }

    #[test]
    fn value_namespace_and_dimensions_may_be_the_requests() {
        let dimensions = r#"<dimension name="@("Me" + "thod")" value="@(context.Request.Method)" />
            <dimension name="Fixed" value="x" />"#;
        let policy = metric(
            r#"namespace="ai" value="@(context.Request.Url.Path.Length + 0.5)""#,
            dimensions,
        );
        let (_, lines) = run(&format!("{policy}{policy}"));
        assert_eq!(
            lines,
            [
                r#"ai_Calls_sum{Fixed="x",Method="GET"} 19"#,
                r#"ai_Calls_count{Fixed="x",Method="GET"} 2"#
            ]
        );
    }

    #[test]
    fn a_value_that_is_no_number_is_an_error() {
        let policy = metric(r#"value="@("much")""#, r#"<dimension name="API ID" />"#);
        assert_eq!(run(&policy), ("500 - (ExpressionValueEvaluationFailure)".to_owned(), vec![]));
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        const API: &str = r#"<dimension name="API ID" />"#;
        let own = |n: usize| r#"<dimension name="d" value="1" />"#.repeat(n);
        for (policy, codes) in [
            ("<emit-metric />".to_owned(), "PC0404 PC0406"),
            (metric("", ""), "PC0406"),
            (metric(r#"value="much""#, API), "PC0409"),
            (metric("", r#"<dimension name="Api ID" />"#), "PC0404"),
            (metric("", r#"<dimension value="1" />"#), "PC0404"),
            (metric("", r#"<dimension name="@(context.Api.Id)" />"#), "fine"),
            (metric(r#"namespace="@(context.Api.Id)""#, API), "PC0411"),
            (metric("", &own(11)), "PC0407"),
            (metric("", &format!("{API}{}", own(10))), "fine"),
        ] {
            assert_eq!(problems(&policy), codes, "{policy}");
        }
    }
}
