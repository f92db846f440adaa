//! Functions that need more than the values of their arguments.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions>

use serde_json::Value;

use super::runtime::{Item, short};
use super::{Frame, World, azure, lambda};
use crate::fault::Fault;
use crate::functions::{count, display, kind};
use crate::syntax::Expr;

/// Names of the functions of this file, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "and",
    "coalesce",
    "copyIndex",
    "deployer",
    "deployment",
    "environment",
    "extensionResourceId",
    "fail",
    "filter",
    "groupBy",
    "if",
    "lambda",
    "lambdaVariables",
    "listKeys",
    "managementGroup",
    "managementGroupResourceId",
    "map",
    "mapValues",
    "newGuid",
    "or",
    "parameters",
    "pickZones",
    "reduce",
    "reference",
    "references",
    "resourceGroup",
    "resourceId",
    "resourceInfo",
    "sort",
    "subscription",
    "subscriptionResourceId",
    "tenant",
    "tenantResourceId",
    "toObject",
    "tryGet",
    "utcNow",
    "variables",
];

/// A call of such a function.
pub(super) struct Call<'a, 't> {
    pub(super) world: &'a World<'t>,
    pub(super) frame: &'a Frame<'t>,
    pub(super) name: &'a str,
    pub(super) given: &'a [Expr],
}

impl<'t> World<'t> {
    /// Calls the function if it is one of this file.
    pub(super) fn special(
        &self,
        frame: &Frame<'t>,
        name: &str,
        given: &[Expr],
    ) -> Option<Result<Item<'t>, Fault>> {
        let it = Call { world: self, frame, name, given };
        let item = match name.to_ascii_lowercase().as_str() {
            "parameters" => it.parameter(),
            "variables" => it.variable(),
            "if" => it.choice(),
            "and" => it.all(true),
            "or" => it.all(false),
            "coalesce" => it.coalesce(),
            "tryget" => it.try_get(),
            "copyindex" => it.copy_index(),
            "reference" => it.reference(),
            "references" => it.references(),
            "resourceinfo" => it.resource_info(),
            "fail" => it.fail(),
            "newguid" | "utcnow" | "pickzones" => self.known(&format!("{name}()")).map(Item::Value),
            lower if lower.starts_with("list") => it.list(),
            lower => return lambda::call(&it, lower).or_else(|| azure::call(&it, lower)),
        };
        Some(item)
    }
}

impl<'t> Call<'_, 't> {
    pub(super) fn counts(&self, least: usize, most: usize) -> Result<(), Fault> {
        count(self.name, self.given.len(), least, most)
    }

    pub(super) fn expression(&self, at: usize) -> Result<&Expr, Fault> {
        let missing =
            || Fault::wrong(format!("`{}` takes {} arguments or more", self.name, at + 1));
        self.given.get(at).ok_or_else(missing)
    }

    pub(super) fn value(&self, at: usize) -> Result<Value, Fault> {
        self.world.expression(self.frame, self.expression(at)?)
    }

    pub(super) fn text(&self, at: usize) -> Result<String, Fault> {
        match self.value(at)? {
            Value::String(text) => Ok(text),
            other => Err(self.expected(at, &other, "a string")),
        }
    }

    pub(super) fn boolean(&self, at: usize) -> Result<bool, Fault> {
        match self.value(at)? {
            Value::Bool(is) => Ok(is),
            other => Err(self.expected(at, &other, "a boolean")),
        }
    }

    pub(super) fn expected(&self, at: usize, is: &Value, what: &str) -> Fault {
        Fault::wrong(format!(
            "`{}`: argument {} is {}, expected {what}",
            self.name,
            at + 1,
            kind(is)
        ))
    }

    fn parameter(&self) -> Result<Item<'t>, Fault> {
        self.counts(1, 1)?;
        let name = self.text(0)?;
        if let Some(arguments) = &self.frame.arguments {
            let value = crate::functions::member(arguments, &name).cloned();
            let missing = || Fault::wrong(format!("the function has no parameter `{name}`"));
            return value.map(Item::Value).ok_or_else(missing);
        }
        self.frame.scope.parameter(self.world, &name).map(Item::Value)
    }

    fn variable(&self) -> Result<Item<'t>, Fault> {
        self.counts(1, 1)?;
        if self.frame.arguments.is_some() {
            return Err(Fault::wrong("a function of a template sees no variables"));
        }
        self.frame.scope.variable(self.world, &self.text(0)?).map(Item::Value)
    }

    /// Only the side that is chosen is evaluated.
    fn choice(&self) -> Result<Item<'t>, Fault> {
        self.counts(3, 3)?;
        let chosen = if self.boolean(0)? { 1 } else { 2 };
        self.world.item(self.frame, self.expression(chosen)?)
    }

    /// `and` for true, `or` for false: the rest is not looked at once it is decided.
    fn all(&self, wanted: bool) -> Result<Item<'t>, Fault> {
        for at in 0..self.given.len() {
            if self.boolean(at)? != wanted {
                return Ok(Item::Value((!wanted).into()));
            }
        }
        Ok(Item::Value(wanted.into()))
    }

    fn coalesce(&self) -> Result<Item<'t>, Fault> {
        for at in 0..self.given.len() {
            let value = self.value(at)?;
            if !value.is_null() {
                return Ok(Item::Value(value));
            }
        }
        Ok(Item::Value(Value::Null))
    }

    /// Null in place of a part that is not there.
    fn try_get(&self) -> Result<Item<'t>, Fault> {
        let mut item = self.world.item(self.frame, self.expression(0)?)?;
        for at in 1..self.given.len() {
            let key = self.value(at)?;
            item = match item {
                Item::Value(Value::Null) => return Ok(Item::Value(Value::Null)),
                other => match other.part(self.world, &key)? {
                    Some(part) => part,
                    None => return Ok(Item::Value(Value::Null)),
                },
            };
        }
        Ok(item)
    }

    /// `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')`, `copyIndex('loop', offset)`.
    fn copy_index(&self) -> Result<Item<'t>, Fault> {
        self.counts(0, 2)?;
        let first = if self.given.is_empty() { Value::from(0) } else { self.value(0)? };
        let (name, offset) = match &first {
            Value::String(name) => {
                (Some(name), if self.given.len() > 1 { self.value(1)? } else { 0.into() })
            }
            _ => (None, first.clone()),
        };
        let is_it = |it: &&(String, i64)| name.is_none_or(|name| it.0.eq_ignore_ascii_case(name));
        let Some((_, index)) = self.frame.copies.iter().rev().find(is_it) else {
            return Err(Fault::wrong("`copyIndex` stands in no such loop"));
        };
        let offset = offset.as_i64().and_then(|it| it.checked_add(*index));
        let index = offset.ok_or_else(|| Fault::wrong("`copyIndex`: the offset is no integer"))?;
        Ok(Item::Value(index.into()))
    }

    fn reference(&self) -> Result<Item<'t>, Fault> {
        self.counts(1, 3)?;
        let full = self.given.len() == 3 && self.text(2)?.eq_ignore_ascii_case("full");
        self.world.reference(self.frame, &self.text(0)?, full)
    }

    /// What is declared of each resource of a loop.
    fn references(&self) -> Result<Item<'t>, Fault> {
        self.counts(1, 2)?;
        let symbol = self.text(0)?;
        let all = self.frame.scope.instances.borrow();
        let opening = format!("{symbol}[");
        let symbols: Vec<String> = all
            .iter()
            .filter_map(|it| it.symbol.as_deref())
            .filter(|it| it.starts_with(&opening))
            .map(str::to_owned)
            .collect();
        drop(all);
        let values: Result<Vec<Value>, Fault> = symbols
            .iter()
            .map(|it| self.world.reference(self.frame, it, false)?.into_value(self.world))
            .collect();
        values.map(|it| Item::Value(it.into()))
    }

    fn resource_info(&self) -> Result<Item<'t>, Fault> {
        self.counts(1, 1)?;
        let symbol = self.text(0)?;
        let Some(it) = self.world.instance(self.frame, &symbol) else {
            return Err(Fault::wrong(format!("the template has no resource `{symbol}`")));
        };
        Ok(Item::Value(serde_json::json!({
            "id": it.id(), "name": it.name, "type": it.kind,
            "apiVersion": it.raw.get("apiVersion").unwrap_or(&crate::scope::NOTHING),
        })))
    }

    /// Keys and the like: only a deployment knows them.
    fn list(&self) -> Result<Item<'t>, Fault> {
        let which = self.text(0)?;
        let path = match self.world.instance(self.frame, &which) {
            Some(it) => it.path(),
            None => short(&which).to_owned(),
        };
        Ok(Item::unknown(self.frame, format!("{}({path})", self.name)))
    }

    fn fail(&self) -> Result<Item<'t>, Fault> {
        Err(Fault::wrong(format!("the template fails: {}", display(&self.value(0)?))))
    }
}
