//! A template and what comes of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::evaluate::{Faults, World};
use crate::fault::{Fault, Problem};
use crate::functions::member;
use crate::resources::{Instance, expand};
use crate::scope::{Given, Scope, Target};

/// What a deployment would know.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Values of parameters.
    pub parameters: Map<String, Value>,
    /// What only Azure knows, by the call that asks for it, as
    /// `listKeys(Microsoft.CognitiveServices/accounts/a).key1`.
    pub values: BTreeMap<String, Value>,
    /// `subscription().subscriptionId`.
    pub subscription: String,
    /// `resourceGroup().name`.
    pub resource_group: String,
    /// `tenant().tenantId`.
    pub tenant: String,
    /// `resourceGroup().location`.
    pub location: String,
    /// Resources whose bodies are wanted have types that begin so, case aside.
    pub provider: String,
}

/// A resource with everything evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The full type, as `Microsoft.ApiManagement/service/apis`.
    pub kind: String,
    /// The full name: a part for each part of the type behind the first, between slashes.
    pub name: String,
    /// Everything that it declares but type, name and what stands in it.
    pub body: Map<String, Value>,
    /// Where it stands in the template.
    pub at: String,
}

/// What a template declares.
#[derive(Debug, Default)]
pub struct Deployment {
    /// Resources of the provider that was asked for, in the order of the template.
    pub resources: Vec<Resource>,
    /// How many resources there are of each other type.
    pub others: BTreeMap<String, usize>,
    /// Everything that cannot be evaluated. A resource with a problem is not among `resources`.
    pub problems: Vec<Problem>,
}

/// Parts of a resource that are no part of its body.
const ASIDE: &[&str] = &[
    "apiversion",
    "comments",
    "condition",
    "copy",
    "dependson",
    "name",
    "resources",
    "scope",
    "type",
];

/// Evaluates a template.
#[must_use]
pub fn evaluate(template: &Value, inputs: &Inputs) -> Deployment {
    let mut deployment = Deployment::default();
    if !template.is_object() || template.get("resources").is_none() {
        deployment.problems.push(
            Fault::wrong(
                "no template: it has no `resources`; Bicep is compiled with `bicep build`",
            )
            .at(""),
        );
        return deployment;
    }
    let world = World::new(inputs);
    let target = Target {
        subscription: inputs.subscription.clone(),
        group: inputs.resource_group.clone(),
        deployment: "main".to_owned(),
    };
    let scope = Scope::new(template, target, Given::Values(inputs.parameters.clone()));
    for name in inputs.parameters.keys() {
        if scope.part("parameters").as_object().is_none_or(|it| member(it, name).is_none()) {
            let message = format!("the template has no parameter `{name}`");
            deployment.problems.push(Fault::wrong(message).at("parameters"));
        }
    }
    expand(&world, &scope, &mut deployment.problems);
    let instances = world.instances.borrow().clone();
    for instance in instances.iter().filter(|it| !it.existing && !it.is_deployment()) {
        if !is_of(&instance.kind, &inputs.provider) {
            *deployment.others.entry(instance.kind.clone()).or_default() += 1;
            continue;
        }
        match resource(&world, instance) {
            Ok(resource) => deployment.resources.push(resource),
            Err(mut problems) => deployment.problems.append(&mut problems),
        }
    }
    // Scopes know their resources, and these their scopes.
    for instance in &instances {
        instance.frame.scope.instances.borrow_mut().clear();
    }
    deployment
}

fn is_of(kind: &str, provider: &str) -> bool {
    kind.get(..provider.len()).is_some_and(|it| it.eq_ignore_ascii_case(provider))
}

fn resource<'t>(world: &World<'t>, instance: &Instance<'t>) -> Result<Resource, Vec<Problem>> {
    let mut faults = Faults::new();
    let mut body = Map::new();
    for (key, raw) in instance.raw.as_object().into_iter().flatten() {
        if ASIDE.contains(&key.to_ascii_lowercase().as_str()) {
            continue;
        }
        body.insert(
            key.clone(),
            world.collect(&instance.frame, raw, &format!(".{key}"), &mut faults),
        );
    }
    if !faults.is_empty() {
        let problem = |(at, fault): (String, Fault)| fault.at(&format!("{}{at}", instance.at));
        return Err(faults.into_iter().map(problem).collect());
    }
    Ok(Resource {
        kind: instance.kind.clone(),
        name: instance.name.clone(),
        body,
        at: instance.at.clone(),
    })
}
