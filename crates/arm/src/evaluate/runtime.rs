//! What `reference` and the `list…` functions answer: what the template declares of a resource,
//! and of the rest what was given by name.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Frame, World, part};
use crate::fault::{Fault, Missing};
use crate::functions::{display, member};
use crate::resources::Instance;
use crate::scope::NOTHING;

/// What an expression stands for.
pub(crate) enum Item<'t> {
    Value(Value),
    /// A part of what the template declares of a resource. Azure may know more.
    Declared {
        frame: Frame<'t>,
        raw: &'t Value,
        label: String,
    },
    /// A nested deployment, its outputs, one of them.
    Deployment(Rc<Instance<'t>>),
    Outputs(Rc<Instance<'t>>),
    Output(Rc<Instance<'t>>, String),
}

impl<'t> Item<'t> {
    /// Something of which the template says nothing.
    pub(super) fn unknown(frame: &Frame<'t>, label: String) -> Self {
        Self::Declared { frame: frame.clone(), raw: &NOTHING, label }
    }

    pub(super) fn member(self, world: &World<'t>, name: &str) -> Result<Self, Fault> {
        self.index(world, &name.into())
    }

    /// A part by name or number; one that is not there is refused.
    pub(super) fn index(self, world: &World<'t>, key: &Value) -> Result<Self, Fault> {
        let found = self.part(world, key)?;
        found.ok_or_else(|| Fault::wrong(format!("there is no part `{}`", display(key))))
    }

    /// A part by name or number, if there is one.
    pub(super) fn part(self, world: &World<'t>, key: &Value) -> Result<Option<Self>, Fault> {
        let name = display(key);
        match self {
            Self::Value(value) => Ok(part(&value, key)?.map(Self::Value)),
            Self::Declared { frame, raw, label } => {
                let label = match key {
                    Value::Number(_) => format!("{label}[{name}]"),
                    _ => format!("{label}.{name}"),
                };
                if let Some(value) = world.given(&label) {
                    return Ok(Some(Self::Value(value)));
                }
                declared(world, frame, raw, key, label).map(Some)
            }
            Self::Deployment(it) => match name.to_lowercase().as_str() {
                "outputs" => Ok(Some(Self::Outputs(it))),
                _ => {
                    let label = format!("reference({}).{name}", it.path());
                    world.known(&label).map(|it| Some(Self::Value(it)))
                }
            },
            Self::Outputs(it) => Ok(Some(Self::Output(it, name))),
            Self::Output(it, output) => match name.to_lowercase().as_str() {
                "value" => it.output(world, &output).map(|it| Some(Self::Value(it))),
                _ => Ok(None),
            },
        }
    }

    pub(super) fn into_value(self, world: &World<'t>) -> Result<Value, Fault> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Declared { raw: Value::Null, label, .. } => world.known(&label),
            Self::Declared { frame, raw, label } => match world.given(&label) {
                Some(value) => Ok(value),
                None => world.value(&frame, raw),
            },
            Self::Deployment(it) => {
                let mut all = Map::new();
                all.insert("outputs".to_owned(), it.outputs(world)?);
                Ok(all.into())
            }
            Self::Outputs(it) => it.outputs(world),
            Self::Output(it, name) => {
                let mut all = Map::new();
                all.insert("value".to_owned(), it.output(world, &name)?);
                Ok(all.into())
            }
        }
    }
}

/// A part of what is declared: evaluated alone, so that what is wrong elsewhere does no harm.
fn declared<'t>(
    world: &World<'t>,
    frame: Frame<'t>,
    raw: &'t Value,
    key: &Value,
    label: String,
) -> Result<Item<'t>, Fault> {
    let name = display(key);
    let inner = match raw {
        Value::Object(object) => member(object, &name),
        Value::Array(array) => {
            key.as_u64().and_then(|it| usize::try_from(it).ok()).and_then(|at| array.get(at))
        }
        Value::String(_) => {
            let whole = world.value(&frame, raw)?;
            let found = part(&whole, key)?;
            return found.map(Item::Value).ok_or(Fault::Missing(Missing::Value(label)));
        }
        _ => None,
    };
    if let Some(raw) = inner {
        return Ok(Item::Declared { frame, raw, label });
    }
    let copies = raw.as_object().and_then(|it| it.get("copy"));
    match copies.and_then(|it| world.copied(&frame, it, &name)) {
        Some(value) => value.map(Item::Value),
        None => Ok(Item::unknown(&frame, label)),
    }
}

impl<'t> World<'t> {
    /// `reference(which, version, 'Full')`.
    pub(super) fn reference(
        &self,
        frame: &Frame<'t>,
        which: &str,
        full: bool,
    ) -> Result<Item<'t>, Fault> {
        let Some(instance) = self.instance(frame, which) else {
            let suffix = if full { ", Full" } else { "" };
            return Ok(Item::unknown(frame, format!("reference({}{suffix})", short(which))));
        };
        if instance.is_deployment() && !full {
            return Ok(Item::Deployment(instance));
        }
        let path = instance.path();
        let frame = instance.frame.clone();
        let raw = if instance.existing { &NOTHING } else { instance.raw };
        if full {
            return Ok(Item::Declared { frame, raw, label: format!("reference({path}, Full)") });
        }
        let properties = raw.as_object().and_then(|it| member(it, "properties"));
        let raw = properties.unwrap_or(&NOTHING);
        Ok(Item::Declared { frame, raw, label: format!("reference({path})") })
    }

    /// The resource of a symbolic name, an identifier or a name.
    pub(super) fn instance(&self, frame: &Frame<'t>, which: &str) -> Option<Rc<Instance<'t>>> {
        let own = frame.scope.instances.borrow();
        if let Some(it) = own.iter().find(|it| it.symbol.as_deref() == Some(which)) {
            return Some(it.clone());
        }
        let path = short(which);
        let all = self.instances.borrow();
        let is_it = |it: &&Rc<Instance<'t>>| {
            it.path().eq_ignore_ascii_case(path) || it.name.eq_ignore_ascii_case(which)
        };
        // Of several with one name, as deployments may be, the one that stands nearest.
        own.iter().find(is_it).or_else(|| all.iter().rev().find(is_it)).cloned()
    }
}

/// The part of an identifier that tells the resource: its type and names.
pub(super) fn short(id: &str) -> &str {
    const MARK: &str = "/providers/";
    match id.to_ascii_lowercase().rfind(MARK) {
        Some(at) => id.get(at + MARK.len()..).unwrap_or(id),
        None => id.trim_start_matches('/'),
    }
}
