//! What expressions see: the parameters and variables of one template, evaluated when first asked
//! for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::evaluate::{Frame, World};
use crate::fault::{Fault, Missing};
use crate::functions::member;
use crate::parameters;
use crate::resources::Instance;

/// The empty object, for what is absent.
pub(crate) static NOTHING: Value = Value::Null;

/// Where a deployment goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) subscription: String,
    pub(crate) group: String,
    /// The name of the deployment itself.
    pub(crate) deployment: String,
}

/// Where the values of parameters come from.
pub(crate) enum Given<'t> {
    /// From outside.
    Values(Map<String, Value>),
    /// From the template around this one, as `{name: {value: …}}`.
    Outer(&'t Value, Frame<'t>),
}

/// One template with its parameters.
pub(crate) struct Scope<'t> {
    pub(crate) template: &'t Value,
    pub(crate) target: Target,
    given: Given<'t>,
    parameters: RefCell<HashMap<String, State>>,
    variables: RefCell<HashMap<String, State>>,
    /// The resources that it declares, without those of nested deployments.
    pub(crate) instances: RefCell<Vec<Rc<Instance<'t>>>>,
}

/// How far a value is.
#[derive(Clone)]
enum State {
    Busy,
    Done(Result<Value, Fault>),
}

impl<'t> Scope<'t> {
    pub(crate) fn new(template: &'t Value, target: Target, given: Given<'t>) -> Rc<Self> {
        Rc::new(Self {
            template,
            target,
            given,
            parameters: RefCell::default(),
            variables: RefCell::default(),
            instances: RefCell::default(),
        })
    }

    /// A part of the template, as `resources`; null if absent.
    pub(crate) fn part(&self, name: &str) -> &'t Value {
        self.template.as_object().and_then(|it| member(it, name)).unwrap_or(&NOTHING)
    }

    pub(crate) fn parameter(
        self: &Rc<Self>,
        world: &World<'t>,
        name: &str,
    ) -> Result<Value, Fault> {
        remembered(&self.parameters, "parameter", name, || self.parameter_anew(world, name))
    }

    fn parameter_anew(self: &Rc<Self>, world: &World<'t>, name: &str) -> Result<Value, Fault> {
        let declared = self.part("parameters").as_object().and_then(|it| member(it, name));
        let Some(declared) = declared else {
            return Err(Fault::wrong(format!("the template has no parameter `{name}`")));
        };
        // Null stands for a parameter that is not given.
        if let Some(value) = self.given(world, name)?.filter(|it| !it.is_null()) {
            parameters::check(name, declared, &value)?;
            return Ok(value);
        }
        match declared.get("defaultValue") {
            Some(raw) => world.value(&Frame::new(self), raw),
            None if declared.get("nullable") == Some(&Value::Bool(true)) => Ok(Value::Null),
            None => Err(Fault::Missing(Missing::Parameter(name.to_owned()))),
        }
    }

    fn given(&self, world: &World<'t>, name: &str) -> Result<Option<Value>, Fault> {
        match &self.given {
            Given::Values(values) => Ok(member(values, name).cloned()),
            Given::Outer(raw, frame) => {
                let Some(raw) = raw.as_object().and_then(|it| member(it, name)) else {
                    return Ok(None);
                };
                // A whole parameter may be an expression: an object with a value, or an empty one.
                if raw.is_string() {
                    return Ok(world.value(frame, raw)?.get("value").cloned());
                }
                match raw.get("value") {
                    Some(value) => world.value(frame, value).map(Some),
                    None => Err(Fault::Missing(Missing::Value(format!(
                        "{}.parameters.{name}",
                        self.target.deployment
                    )))),
                }
            }
        }
    }

    pub(crate) fn variable(self: &Rc<Self>, world: &World<'t>, name: &str) -> Result<Value, Fault> {
        remembered(&self.variables, "variable", name, || {
            let variables = self.part("variables").as_object();
            let frame = Frame::new(self);
            if let Some(raw) = variables.and_then(|it| member(it, name)) {
                return world.value(&frame, raw);
            }
            let copies = variables.and_then(|it| member(it, "copy"));
            match copies.and_then(|it| world.copied(&frame, it, name)) {
                Some(value) => value,
                None => Err(Fault::wrong(format!("the template has no variable `{name}`"))),
            }
        })
    }

    /// The parameters and the body of one of the template's own functions.
    pub(crate) fn function(&self, name: &str) -> Option<&'t Value> {
        let (space, name) = name.split_once('.')?;
        let spaces = self.part("functions").as_array()?;
        let is_it = |it: &&Value| {
            it.get("namespace")
                .and_then(Value::as_str)
                .is_some_and(|it| it.eq_ignore_ascii_case(space))
        };
        let members = spaces.iter().filter(is_it).filter_map(|it| it.get("members")?.as_object());
        members.filter_map(|it| member(it, name)).next()
    }
}

/// A value that is made once; one that needs itself is refused.
fn remembered(
    all: &RefCell<HashMap<String, State>>,
    what: &str,
    name: &str,
    make: impl FnOnce() -> Result<Value, Fault>,
) -> Result<Value, Fault> {
    let key = name.to_lowercase();
    let known = all.borrow().get(&key).cloned();
    match known {
        Some(State::Done(value)) => return value,
        Some(State::Busy) => {
            return Err(Fault::wrong(format!("{what} `{name}` needs its own value")));
        }
        None => {}
    }
    all.borrow_mut().insert(key.clone(), State::Busy);
    let value = make();
    all.borrow_mut().insert(key, State::Done(value.clone()));
    value
}
