//! Templates that mean harm: they end, and are told about.

use portcullis_arm::evaluate;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::templates::inputs;

fn problems(template: &Value) -> Vec<String> {
    let nothing = json!({});
    evaluate(template, &inputs(&nothing)).problems.iter().map(ToString::to_string).collect()
}

fn tag(name: &str) -> Value {
    json!({ "type": "Microsoft.ApiManagement/service/tags", "name": "s/t", "properties": { "displayName": name } })
}

#[test]
fn what_grows_without_end_is_refused() {
    let deep = format!("[{}1{}]", "concat(".repeat(20_000), ")".repeat(20_000));
    let long = "[concat(variables('a'),variables('a'),variables('a'),variables('a'))]";
    let mut variables = json!({ "v0": "xxxxxxxxxxxxxxxx" });
    for n in 1..40 {
        let text = format!("[concat(variables('v{0}'),variables('v{0}'))]", n - 1);
        variables[format!("v{n}")] = text.into();
    }
    let replace = "[replace(variables('v20'), 'x', variables('v20'))]";
    let join = "[join(range(0, 10000), variables('v20'))]";
    let format = format!("[format('{}', variables('v18'))]", "{0}".repeat(5_000));
    for (what, template) in [
        ("replace", json!({ "variables": variables, "resources": [tag(replace)] })),
        ("join", json!({ "variables": variables, "resources": [tag(join)] })),
        ("format", json!({ "variables": variables, "resources": [tag(&format)] })),
        ("depth", json!({ "resources": [tag(&deep)] })),
        ("itself", json!({ "variables": { "a": long }, "resources": [tag(long)] })),
        ("size", json!({ "variables": variables, "resources": [tag("[variables('v39')]")] })),
        ("range", json!({ "resources": [tag("[string(range(0, 2000000000))]")] })),
        (
            "count",
            json!({ "resources": [{ "type": "Microsoft.ApiManagement/service/tags", "name": "s/t", "copy": { "name": "c", "count": 1_000_000_000 } }] }),
        ),
    ] {
        assert!(!problems(&template).is_empty(), "{what}");
    }
}

#[test]
fn deployments_in_deployments_end() {
    let mut template = json!({ "resources": [tag("x")] });
    for _ in 0..60 {
        template = json!({ "resources": [{
            "type": "Microsoft.Resources/deployments", "name": "d",
            "properties": { "template": template },
        }] });
    }
    assert!(problems(&template).iter().any(|it| it.contains("too deep")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expression_brings_it_down(
        text in r"\[[a-zA-Z0-9'(),.\[\]\- ]{0,60}\]",
        call in "(concat|format|substring|split|take|skip|union|map|filter|range|padLeft|int|json|base64ToString|uniqueString|resourceId|if|min|add|div|mod)",
        a in -3i64..100_000, b in "[a-z{}0-9:]{0,8}",
    ) {
        let called = format!("[{call}({a}, '{b}', createArray({a}, '{b}'))]");
        let short = format!("[{call}('{b}', {a})]");
        let template = json!({ "resources": [tag(&text), tag(&called), tag(&short), { "type": text, "name": called }] });
        problems(&template);
    }
}
