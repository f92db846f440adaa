//! The files of `tests/templates`: a template, what it is given, and what has to come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use portcullis_arm::{Inputs, evaluate};
use serde_json::{Map, Value, json};

pub(crate) fn inputs(case: &Value) -> Inputs {
    let object = |key: &str| case.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    Inputs {
        parameters: object("parameters"),
        values: object("values").into_iter().collect(),
        subscription: "00000000-0000-0000-0000-000000000000".to_owned(),
        resource_group: "rg".to_owned(),
        tenant: "11111111-1111-1111-1111-111111111111".to_owned(),
        location: "westeurope".to_owned(),
        provider: "Microsoft.ApiManagement/service".to_owned(),
    }
}

#[test]
fn templates_declare_what_they_should() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let mut n_files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let deployment = evaluate(&case["template"], &inputs(&case));
        let mut resources: Vec<Value> = deployment
            .resources
            .iter()
            .map(|it| json!([it.kind, it.name, Value::Object(it.body.clone())]))
            .collect();
        let mut expected = case["resources"].as_array().unwrap().clone();
        // Deployments are opened behind what stands beside them.
        resources.sort_by_key(ToString::to_string);
        expected.sort_by_key(ToString::to_string);
        assert_eq!(resources, expected, "{}", path.display());
        let problems: Vec<String> = deployment.problems.iter().map(ToString::to_string).collect();
        let expected: Vec<String> =
            serde_json::from_value(case.get("problems").cloned().unwrap_or(json!([]))).unwrap();
        assert_eq!(problems, expected, "{}", path.display());
        let others: BTreeMap<String, usize> =
            serde_json::from_value(case.get("others").cloned().unwrap_or(json!({}))).unwrap();
        assert_eq!(deployment.others, others, "{}", path.display());
        n_files += 1;
    }
    assert!(n_files >= 5);
}

#[test]
fn what_is_no_template_is_told() {
    for text in [json!({}), json!([]), json!(null), json!({ "resource": [] })] {
        let problems = evaluate(&text, &inputs(&Value::Object(Map::new()))).problems;
        assert!(problems[0].message.starts_with("no template"), "{text}");
    }
}
