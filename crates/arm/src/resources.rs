//! The resources of a template: loops unrolled, conditions decided, nested deployments opened.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-declaration>

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::evaluate::{Frame, World, joined};
use crate::fault::{Fault, Problem};
use crate::functions::member;
use crate::scope::{Given, NOTHING, Scope, Target};

/// The type of nested deployments.
const DEPLOYMENT: &str = "Microsoft.Resources/deployments";
/// How many resources there may be.
const RESOURCES: usize = 50_000;
/// How deep deployments may stand in each other.
const NESTED: usize = 30;

/// A resource that is declared.
pub(crate) struct Instance<'t> {
    /// The full type, as `Microsoft.ApiManagement/service/apis`.
    pub(crate) kind: String,
    /// The full name, a part for each part of the type.
    pub(crate) name: String,
    /// What expressions call it, where resources have symbolic names.
    pub(crate) symbol: Option<String>,
    pub(crate) raw: &'t Value,
    pub(crate) frame: Frame<'t>,
    /// Where it stands in the template.
    pub(crate) at: String,
    /// Whether it is only referred to.
    pub(crate) existing: bool,
    /// The template of a nested deployment, once it is opened.
    nested: OnceCell<Result<Rc<Scope<'t>>, Fault>>,
}

impl<'t> Instance<'t> {
    pub(crate) fn is_deployment(&self) -> bool {
        self.kind.eq_ignore_ascii_case(DEPLOYMENT)
    }

    /// Type and names, as they stand in an identifier.
    pub(crate) fn path(&self) -> String {
        let names: Vec<&str> = self.name.split('/').collect();
        joined(&self.kind, &names).unwrap_or_else(|| format!("{}/{}", self.kind, self.name))
    }

    pub(crate) fn id(&self) -> String {
        let Target { subscription, group, .. } = &self.frame.scope.target;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{}", self.path())
    }

    /// The template of a nested deployment.
    fn nested(&self, world: &World<'t>) -> Result<Rc<Scope<'t>>, Fault> {
        self.nested.get_or_init(|| self.open(world)).clone()
    }

    fn open(&self, world: &World<'t>) -> Result<Rc<Scope<'t>>, Fault> {
        let properties = self.raw.get("properties").unwrap_or(&NOTHING);
        let Some(template) = properties.get("template").filter(|it| it.is_object()) else {
            return Err(Fault::wrong(
                "a linked template is not fetched: link it in with `bicep build`, or import it by itself",
            ));
        };
        let own = &self.frame.scope.target;
        let target_of = |key: &str, otherwise: &str| match self.raw.get(key) {
            Some(raw) => world.value(&self.frame, raw).map(|it| crate::functions::display(&it)),
            None => Ok(otherwise.to_owned()),
        };
        let target = Target {
            subscription: target_of("subscriptionId", &own.subscription)?,
            group: target_of("resourceGroup", &own.group)?,
            deployment: self.name.clone(),
        };
        let options = properties.get("expressionEvaluationOptions");
        let inner = options.and_then(|it| it.get("scope")).and_then(Value::as_str);
        if inner.is_some_and(|it| it.eq_ignore_ascii_case("inner")) {
            let given = properties.get("parameters").unwrap_or(&NOTHING);
            return Ok(Scope::new(template, target, Given::Outer(given, self.frame.clone())));
        }
        Ok(Scope::new(template, target, Given::Values(Map::new())))
    }

    /// Whether the expressions of a nested deployment are those of the template around it.
    fn is_outer(&self) -> bool {
        let options = self.raw.pointer("/properties/expressionEvaluationOptions/scope");
        !options.and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case("inner"))
    }

    /// An output of a nested deployment.
    pub(crate) fn output(&self, world: &World<'t>, name: &str) -> Result<Value, Fault> {
        let scope = self.nested(world)?;
        let output = scope.part("outputs").as_object().and_then(|it| member(it, name));
        let Some(raw) = output else {
            return Err(Fault::wrong(format!("deployment `{}` has no output `{name}`", self.name)));
        };
        let frame = if self.is_outer() { self.frame.clone() } else { Frame::new(&scope) };
        match raw.get("copy") {
            Some(copy) => {
                let input = copy.get("input").unwrap_or(&NOTHING);
                let rounds = 0..world.count(&frame, copy)?;
                rounds.map(|index| world.value(&frame.within("", index), input)).collect()
            }
            None => world.value(&frame, raw.get("value").unwrap_or(&NOTHING)),
        }
    }

    pub(crate) fn outputs(&self, world: &World<'t>) -> Result<Value, Fault> {
        let scope = self.nested(world)?;
        let mut all = Map::new();
        for name in scope.part("outputs").as_object().into_iter().flat_map(Map::keys) {
            let mut output = Map::new();
            output.insert("value".to_owned(), self.output(world, name)?);
            all.insert(name.clone(), output.into());
        }
        Ok(all.into())
    }
}

/// A list of resources that is to be read.
struct Listing<'t, 'a> {
    raw: &'t Value,
    frame: &'a Frame<'t>,
    /// The resource that they stand in, for those that stand in one: type and name.
    parent: Option<(&'a str, &'a str)>,
    at: &'a str,
}

/// Finds the resources of a template and of those in it.
pub(crate) fn expand<'t>(world: &World<'t>, scope: &Rc<Scope<'t>>, problems: &mut Vec<Problem>) {
    let frame = Frame::new(scope);
    let listing =
        Listing { raw: scope.part("resources"), frame: &frame, parent: None, at: "resources" };
    expand_within(world, &listing, 0, problems);
}

fn expand_within<'t>(
    world: &World<'t>,
    listing: &Listing<'t, '_>,
    depth: usize,
    problems: &mut Vec<Problem>,
) {
    let first = world.instances.borrow().len();
    list(world, listing, problems);
    let found: Vec<Rc<Instance<'t>>> =
        world.instances.borrow().get(first..).unwrap_or_default().to_vec();
    for instance in found.iter().filter(|it| it.is_deployment() && !it.existing) {
        let at = format!("{}.properties.template.resources", instance.at);
        if depth >= NESTED {
            problems.push(Fault::wrong("deployments stand too deep in each other").at(&at));
            continue;
        }
        match instance.nested(world) {
            Ok(inner) => {
                let frame =
                    if instance.is_outer() { instance.frame.clone() } else { Frame::new(&inner) };
                let raw = inner.part("resources");
                let listing = Listing { raw, frame: &frame, parent: None, at: &at };
                expand_within(world, &listing, depth + 1, problems);
            }
            Err(fault) => problems.push(fault.at(&instance.at)),
        }
    }
}

fn list<'t>(world: &World<'t>, listing: &Listing<'t, '_>, problems: &mut Vec<Problem>) {
    match listing.raw {
        Value::Array(all) => {
            for (n, raw) in all.iter().enumerate() {
                declare(world, listing, raw, None, &format!("{}[{n}]", listing.at), problems);
            }
        }
        Value::Object(all) => {
            for (symbol, raw) in all {
                let at = format!("{}.{symbol}", listing.at);
                declare(world, listing, raw, Some(symbol), &at, problems);
            }
        }
        _ => {}
    }
}

/// Adds a resource as often as its loop says.
fn declare<'t>(
    world: &World<'t>,
    listing: &Listing<'t, '_>,
    raw: &'t Value,
    symbol: Option<&str>,
    at: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(copy) = raw.get("copy").filter(|it| it.is_object()) else {
        return add(
            world,
            listing,
            raw,
            listing.frame.clone(),
            symbol.map(str::to_owned),
            at,
            problems,
        );
    };
    let name = copy.get("name").and_then(Value::as_str).unwrap_or_default();
    match world.count(listing.frame, copy) {
        Ok(count) => {
            for index in 0..count {
                let frame = listing.frame.within(name, index);
                let symbol = symbol.map(|it| format!("{it}[{index}]"));
                add(world, listing, raw, frame, symbol, at, problems);
            }
        }
        Err(fault) => problems.push(fault.at(&format!("{at}.copy"))),
    }
}

fn add<'t>(
    world: &World<'t>,
    listing: &Listing<'t, '_>,
    raw: &'t Value,
    frame: Frame<'t>,
    symbol: Option<String>,
    at: &str,
    problems: &mut Vec<Problem>,
) {
    match declared(world, listing, raw, frame, symbol, at) {
        Ok(Some(instance)) => {
            if world.instances.borrow().len() >= RESOURCES {
                let fault = Fault::wrong(format!("there are more than {RESOURCES} resources"));
                return problems.push(fault.at(at));
            }
            let instance = Rc::new(instance);
            world.instances.borrow_mut().push(instance.clone());
            instance.frame.scope.instances.borrow_mut().push(instance.clone());
            if let Some(inner) = raw.get("resources") {
                let parent = Some((instance.kind.as_str(), instance.name.as_str()));
                let at = format!("{at}.resources");
                list(
                    world,
                    &Listing { raw: inner, frame: &instance.frame, parent, at: &at },
                    problems,
                );
            }
        }
        Ok(None) => {}
        Err(fault) => problems.push(fault.at(at)),
    }
}

/// One resource; none if its condition does not hold.
fn declared<'t>(
    world: &World<'t>,
    listing: &Listing<'t, '_>,
    raw: &'t Value,
    frame: Frame<'t>,
    symbol: Option<String>,
    at: &str,
) -> Result<Option<Instance<'t>>, Fault> {
    if let Some(condition) = raw.get("condition") {
        match world.value(&frame, condition)? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(None),
            _ => return Err(Fault::wrong("the condition is no boolean")),
        }
    }
    let text = |key: &str| match raw.get(key).map(|it| world.value(&frame, it)) {
        Some(Ok(Value::String(text))) => Ok(text),
        Some(Err(fault)) => Err(fault),
        _ => Err(Fault::wrong(format!("the resource has no `{key}`"))),
    };
    let (kind, name) = match listing.parent {
        Some((kind, parent)) => {
            (format!("{kind}/{}", text("type")?), format!("{parent}/{}", text("name")?))
        }
        None => (text("type")?, text("name")?),
    };
    let existing = raw.get("existing") == Some(&Value::Bool(true));
    Ok(Some(Instance {
        kind,
        name,
        symbol,
        raw,
        frame,
        existing,
        at: at.to_owned(),
        nested: OnceCell::new(),
    }))
}
